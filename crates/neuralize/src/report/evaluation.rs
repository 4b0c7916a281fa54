//! The page that compares methods of explanation.

use std::fmt::Write as _;

use super::template::{escaped, fill};
use crate::error::Result;
use crate::evaluate::{Better, Evaluation, Measure, MethodResult};
use crate::text::words::number;

/// A page that compares methods of explanation: one self-contained HTML file
/// without scripts, which makes no network requests.
///
/// It has figures if the crate is built with the feature `svg`.
///
/// # Errors
///
/// If the values of a figure do not fit on an axis.
pub fn evaluation(evaluation: &Evaluation, title: &str) -> Result<String> {
    let figures = figures(evaluation)?;
    Ok(fill(
        include_str!("evaluation.html"),
        &[
            ("title", &escaped(title)),
            ("style", concat!(include_str!("base.css"), "\n", include_str!("evaluation.css"))),
            ("facts", &facts(evaluation)),
            ("table", &table(evaluation)),
            ("refused", &refused(evaluation)),
            ("measures", &measures(evaluation)),
            ("methods", &methods(evaluation)),
            ("figures", &figures),
            ("generator", concat!("neuralize ", env!("CARGO_PKG_VERSION"))),
        ],
    ))
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
        // On a narrow page a name may break after its colon.
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
            "<section>\n<h2>Methods that do not apply to this model or these data</h2>\n<dl class=\"words\">{items}</dl>\n</section>\n"
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
             <p>With a good order, the logit falls fast and points soon leave their cluster when the most relevant \
             features are replaced first (solid lines); both happen late when the least relevant features are \
             replaced first (dashed lines).</p>\n",
        );
        for reference in curves {
            push_figure(&mut html, &plot::flipping(evaluation, reference)?);
        }
        html.push_str("</section>\n");
    }
    if evaluation.agreement.methods.len() > 1 {
        html.push_str(
            "<section>\n<h2>Agreement of the methods</h2>\n\
             <p>How similarly two methods rank the features of a point.</p>\n",
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
