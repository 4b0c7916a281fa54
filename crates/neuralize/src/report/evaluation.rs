use std::fmt::Write as _;

use crate::cases::number;
use crate::error::Result;
use crate::evaluate::{Better, Evaluation, Measure, MethodResult};

/// A page about how methods of explanation compare: one HTML file without
/// scripts, which needs no other file and asks no host for anything.
///
/// It has figures if the crate is built with the feature `svg`.
///
/// # Errors
///
/// If a figure cannot be made, because its values fit no axis.
pub fn evaluation(evaluation: &Evaluation, title: &str) -> Result<String> {
    let figures = figures(evaluation)?;
    let title = escaped(title);
    let mut rest = include_str!("evaluation.html");
    let mut html = String::with_capacity(figures.len() + (1 << 16));
    // What stands for a mark is never looked at again: names may hold anything.
    while let Some((before, mark, after)) = next_mark(rest) {
        html.push_str(before);
        match mark {
            "title" => html.push_str(&title),
            "style" => html.push_str(include_str!("evaluation.css")),
            "facts" => html.push_str(&facts(evaluation)),
            "table" => html.push_str(&table(evaluation)),
            "refused" => html.push_str(&refused(evaluation)),
            "measures" => html.push_str(&measures(evaluation)),
            "methods" => html.push_str(&methods(evaluation)),
            "figures" => html.push_str(&figures),
            _ => html.push_str(concat!("neuralize ", env!("CARGO_PKG_VERSION"))),
        }
        rest = after;
    }
    html.push_str(rest);
    Ok(html)
}

/// What is before a mark, the mark, and what is behind it.
fn next_mark(text: &str) -> Option<(&str, &str, &str)> {
    let (before, rest) = text.split_once("{{")?;
    let (mark, after) = rest.split_once("}}")?;
    Some((before, mark, after))
}

/// The text as HTML, in attributes too.
fn escaped(text: &str) -> String {
    let mut html = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => html.push_str("&amp;"),
            '<' => html.push_str("&lt;"),
            '>' => html.push_str("&gt;"),
            '"' => html.push_str("&quot;"),
            '\'' => html.push_str("&#39;"),
            '\0' => html.push('\u{fffd}'),
            _ => html.push(c),
        }
    }
    html
}

// Writing to a string cannot fail.

fn facts(evaluation: &Evaluation) -> String {
    let mut html = String::new();
    for (name, value) in [
        ("points explained", number(evaluation.points as f64)),
        ("rows of data", number(evaluation.data as f64)),
        ("features", number(evaluation.features as f64)),
        ("clusters", number(evaluation.clusters as f64)),
        ("seed", evaluation.seed.to_string()),
    ] {
        let _ = write!(html, "<div><dt>{name}</dt><dd>{value}</dd></div>");
    }
    html
}

fn table(evaluation: &Evaluation) -> String {
    let measures = evaluation.measures();
    let mut html = String::from("<table>\n<thead><tr><th scope=\"col\">Method</th>");
    for &measure in &measures {
        let better = match measure.better() {
            Better::Higher => "higher ↑",
            Better::Lower => "lower ↓",
        };
        let words = escaped(measure.description());
        // No line ends within a number.
        let title = escaped(measure.title()).replace("1 000", "1\u{a0}000");
        let _ = write!(
            html,
            "<th scope=\"col\"><abbr title=\"{words}\">{title}</abbr><small>{better}</small></th>"
        );
    }
    html.push_str("</tr></thead>\n<tbody>\n");
    for method in evaluation.methods.iter().filter(|method| method.refused.is_none()) {
        let class = if method.name == "neon" { " class=\"neon\"" } else { "" };
        // On a narrow page a name may go on below its colon.
        let name = escaped(&method.name).replace(':', ":<wbr>");
        let words = escaped(&method.description);
        let _ = write!(html, "<tr{class}><th scope=\"row\" title=\"{words}\">{name}</th>");
        for &measure in &measures {
            html.push_str(&cell(evaluation, method, measure));
        }
        html.push_str("</tr>\n");
    }
    html.push_str("</tbody>\n</table>");
    html
}

fn cell(evaluation: &Evaluation, method: &MethodResult, measure: Measure) -> String {
    let Some(&value) = method.values.get(&measure) else {
        return "<td class=\"none\">–</td>".to_owned();
    };
    let class = match (evaluation.is_chance(method, measure), evaluation.is_best(method, measure)) {
        (true, _) => " class=\"chance\"",
        (false, true) => " class=\"best\"",
        (false, false) => "",
    };
    format!("<td{class}>{}</td>", number(value))
}

fn refused(evaluation: &Evaluation) -> String {
    let mut items = String::new();
    for method in &evaluation.methods {
        if let Some(reason) = &method.refused {
            let (name, reason) = (escaped(&method.name), escaped(reason));
            let _ = writeln!(items, "<dt>{name}</dt><dd>{reason}</dd>");
        }
    }
    if items.is_empty() {
        items
    } else {
        format!(
            "<section>\n<h2>Not for this model or these data</h2>\n<dl class=\"words\">{items}</dl>\n</section>\n"
        )
    }
}

fn measures(evaluation: &Evaluation) -> String {
    let mut html = String::new();
    for measure in evaluation.measures() {
        let (title, words) = (escaped(measure.title()), escaped(measure.description()));
        let _ = writeln!(html, "<dt>{title}</dt><dd>{words}</dd>");
    }
    html
}

fn methods(evaluation: &Evaluation) -> String {
    let mut html = String::new();
    for method in &evaluation.methods {
        let (name, words) = (escaped(&method.name), escaped(&method.description));
        let _ = writeln!(html, "<dt>{name}</dt><dd>{words}</dd>");
    }
    html
}

#[cfg(feature = "svg")]
fn figures(evaluation: &Evaluation) -> Result<String> {
    use crate::plot;

    let mut html = String::new();
    let curves = evaluation.references();
    if !curves.is_empty() {
        html.push_str(
            "<section>\n<h2>Features replaced in the order of their relevance</h2>\n\
             <p>If an order is right, the logit falls fast and points leave their cluster soon where the most relevant \
             features are replaced first (solid lines), and late where the least relevant are (dashed).</p>\n",
        );
        for reference in curves {
            push_figure(&mut html, &plot::flipping(evaluation, reference)?);
        }
        html.push_str("</section>\n");
    }
    if evaluation.agreement.methods.len() > 1 {
        html.push_str(
            "<section>\n<h2>Do methods say the same?</h2>\n\
             <p>How alike the orders are that two methods give the features of a point.</p>\n",
        );
        push_figure(&mut html, &plot::agreement(evaluation)?);
        html.push_str("</section>\n");
    }
    Ok(html)
}

#[cfg(feature = "svg")]
fn push_figure(html: &mut String, figure: &crate::plot::Figure) {
    html.push_str("<figure class=\"scroll\" tabindex=\"0\">");
    html.push_str(figure.svg());
    html.push_str("</figure>\n");
}

#[cfg(not(feature = "svg"))]
fn figures(_: &Evaluation) -> Result<String> {
    Ok(String::new())
}
