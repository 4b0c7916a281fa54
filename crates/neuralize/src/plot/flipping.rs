//! The figure of what happens when features are replaced.

use plotters::chart::ChartBuilder;
use plotters::element::{PathElement, Polygon};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor, ShapeStyle};

use super::axis::{finite, tick};
use super::figure::Figure;
use super::palette::{self, FAINT, GREY, INK, VALUE};
use super::sheet::{self, Area, SMALL, TEXT, error};
use crate::baseline::Reference;
use crate::error::{Error, Result};
use crate::evaluate::{Band, Curve, Evaluation, Flips};

/// What happens to the logit and to the clusters of points as features are
/// replaced in the order of their relevance. Every method has a pair of lines: most
/// relevant first (solid) and least relevant first (dashed). The wider the gap
/// between them, the better the order. A grey band shows random orders.
///
/// NEON is drawn thick. If there are many methods, those with the largest gain over all references
/// have colours, and the others are pale.
///
/// # Errors
///
/// If no method has curves for this reference, or the values do not fit on an axis.
pub fn flipping(evaluation: &Evaluation, reference: Reference) -> Result<Figure> {
    let lines = lines(evaluation, reference);
    if lines.is_empty() {
        return Err(Error::Figure {
            detail: format!("no method has curves for the reference `{reference}`"),
        });
    }
    let band = evaluation.bands.iter().find(|band| band.reference == reference);
    let legend = legend(&lines, band.is_some());
    let widest = legend.iter().map(|entry| sheet::width(&entry.text, SMALL)).max().unwrap_or(0);

    const PANEL: u32 = 360;
    const PANEL_HEIGHT: u32 = 330;
    let legend_width = (SAMPLE + 30 + widest) as u32;
    let height = PANEL_HEIGHT.max(ENTRY_HEIGHT as u32 * legend.len() as u32 + 40);
    let mut notes = Vec::new();
    if band.is_some() {
        notes.push(
            "grey: features in random orders, mean and two standard deviations to either side"
                .to_owned(),
        );
    }
    notes.push("the wider the gap between solid and dashed line, the better the order".into());
    let title = format!("Features replaced by {}, {} points", by(reference), evaluation.points);
    sheet::draw((2 * PANEL + legend_width, height), &title, &notes, |area| {
        let (logit, rest) = area.split_horizontally(PANEL);
        let (changed, rest) = rest.split_horizontally(PANEL);
        let (logit, _) = logit.split_vertically(PANEL_HEIGHT);
        let (changed, _) = changed.split_vertically(PANEL_HEIGHT);
        panel(&logit, "mean logit kept", &lines, band, |curve| &curve.kept)?;
        panel(&changed, "share of points that changed", &lines, band, |curve| &curve.changed)?;
        draw_legend(&rest, &legend)?;
        Ok(Vec::new())
    })
}

/// The curves of a method and their style.
struct MethodCurves<'a> {
    name: &'a str,
    flips: &'a Flips,
    gain: f64,
    colour: RGBColor,
    width: u32,
}

/// Colour of the methods without a colour of their own.
const OTHER: RGBColor = RGBColor(185, 185, 185);
/// Colours of the palette for methods besides NEON, best first.
const COLOURED: [usize; 7] = [4, 5, 2, 3, 0, 1, 6];
/// Replaces the yellow of the palette, which is too pale for lines.
const YELLOW: (usize, RGBColor) = (6, RGBColor(150, 130, 0));

/// The lines, the last on top: methods without a colour, those with a colour from
/// the smallest gain to the largest, and NEON.
fn lines(evaluation: &Evaluation, reference: Reference) -> Vec<MethodCurves<'_>> {
    let mut found: Vec<MethodCurves<'_>> = evaluation
        .methods
        .iter()
        .filter_map(|method| {
            let flips = method.flips.iter().find(|flips| flips.reference == reference)?;
            // Over all references, so that a method has the same colour in all figures.
            let gain = method.flips.iter().map(Flips::gain).sum();
            Some(MethodCurves { name: &method.name, flips, gain, colour: OTHER, width: 1 })
        })
        .collect();
    // Stable: equal gains keep the order of the methods.
    found.sort_by(|a, b| b.gain.total_cmp(&a.gain));
    let mut colours = COLOURED.into_iter();
    for line in &mut found {
        if line.name == "neon" {
            (line.colour, line.width) = (INK, 4);
        } else if let Some(index) = colours.next() {
            line.width = 2;
            line.colour = if index == YELLOW.0 { YELLOW.1 } else { palette::cluster(index) };
        }
    }
    found.reverse();
    found.sort_by_key(|line| line.width);
    found
}

/// The replacement of the features, in words.
fn by(reference: Reference) -> &'static str {
    match reference {
        Reference::Competitor => "the competing centroid",
        Reference::Mean => "the mean of the data",
        Reference::Zero => "zero",
        Reference::Sample => "a point of the competing cluster",
    }
}

/// One chart of all curves.
fn panel(
    area: &Area<'_>,
    title: &str,
    lines: &[MethodCurves<'_>],
    band: Option<&Band>,
    of: impl Fn(&Curve) -> &Vec<f64>,
) -> Result<()> {
    const ABOVE: u32 = 26;
    const BELOW: u32 = 48;
    const LEFT: u32 = 52;
    const RIGHT: u32 = 22;
    let (width, height) = area.dim_in_pixel();
    let centre = ((LEFT + width - RIGHT) / 2) as i32;
    sheet::write(area, title, (centre, 2), HPos::Center, VPos::Top, TEXT, INK)?;
    let below = (centre, height as i32 - 20);
    let shares = "share of the features replaced";
    sheet::write(area, shares, below, HPos::Center, VPos::Top, SMALL, GREY)?;

    let edges: Vec<(f64, f64, f64)> = band.map_or_else(Vec::new, |band| {
        let spread = of(&band.deviation).iter().map(|deviation| 2.0 * deviation);
        let ends = of(&band.mean).iter().zip(spread).map(|(mean, by)| (mean - by, mean + by));
        band.share.iter().zip(ends).map(|(share, (low, high))| (*share, low, high)).collect()
    });
    let values = lines
        .iter()
        .flat_map(|line| of(&line.flips.most).iter().chain(of(&line.flips.least)).copied())
        .chain(edges.iter().flat_map(|&(_, low, high)| [low, high]));
    let (low, high) = values.fold((0.0f64, 1.0f64), |(a, b), v| (a.min(v), b.max(v)));
    let room = 0.04 * (high - low);
    let (low, high) = finite((low - room, high + room))?;

    let mut chart = ChartBuilder::on(area)
        .margin_top(ABOVE)
        .margin_right(RIGHT)
        .margin_bottom(BELOW - 24)
        .x_label_area_size(24)
        .y_label_area_size(LEFT)
        .build_cartesian_2d(0.0..1.0, low..high)
        .map_err(error)?;
    chart
        .configure_mesh()
        .x_labels(6)
        .y_labels(7)
        .x_label_formatter(&|value| tick(*value, 1.0))
        .y_label_formatter(&|value| tick(*value, high - low))
        .label_style(("sans-serif", SMALL, &GREY))
        .bold_line_style(FAINT.mix(0.7))
        .light_line_style(FAINT.mix(0.0))
        .axis_style(FAINT)
        .draw()
        .map_err(error)?;
    if edges.len() > 1 {
        let above = edges.iter().map(|&(share, _, high)| (share, high));
        let below = edges.iter().rev().map(|&(share, low, _)| (share, low));
        let outline: Vec<(f64, f64)> = above.chain(below).collect();
        let shade = Polygon::new(outline, VALUE.mix(BAND));
        chart.draw_series(std::iter::once(shade)).map_err(error)?;
    }
    for line in lines {
        for (curve, opacity) in [(&line.flips.least, sheet::DASHED), (&line.flips.most, 1.0)] {
            let points: Vec<(f64, f64)> =
                line.flips.share.iter().copied().zip(of(curve).iter().copied()).collect();
            let style = ShapeStyle::from(line.colour.mix(opacity)).stroke_width(line.width);
            chart.draw_series(std::iter::once(PathElement::new(points, style))).map_err(error)?;
        }
    }
    Ok(())
}

/// Opacity of the band.
const BAND: f64 = 0.4;
/// An entry of the legend: a sample and its meaning.
struct LegendEntry {
    text: String,
    colour: RGBColor,
    width: u32,
    kind: SampleKind,
}

#[derive(Clone, Copy, PartialEq)]
enum SampleKind {
    Solid,
    Dashed,
    Shade,
}

/// Length of a sample.
const SAMPLE: i32 = 34;
/// Height of an entry.
const ENTRY_HEIGHT: i32 = 20;

fn legend(lines: &[MethodCurves<'_>], band: bool) -> Vec<LegendEntry> {
    let entry = |text: &str, colour, width, kind| {
        // As wide as the longest name of a method that comes with the library.
        let text = sheet::fitted(text, SMALL, 260);
        LegendEntry { text, colour, width, kind }
    };
    let (others, own): (Vec<_>, Vec<_>) = lines.iter().partition(|line| line.width == 1);
    let named = own.iter().rev();
    let mut entries: Vec<LegendEntry> =
        named.map(|line| entry(line.name, line.colour, line.width, SampleKind::Solid)).collect();
    match others.len() {
        0 => {}
        1 => entries.push(entry(others[0].name, OTHER, 1, SampleKind::Solid)),
        more => entries.push(entry(&format!("{more} others"), OTHER, 1, SampleKind::Solid)),
    }
    entries.push(entry("most relevant first", GREY, 2, SampleKind::Solid));
    entries.push(entry("least relevant first", GREY, 2, SampleKind::Dashed));
    if band {
        entries.push(entry("orders drawn at random", VALUE, 1, SampleKind::Shade));
    }
    entries
}

fn draw_legend(area: &Area<'_>, entries: &[LegendEntry]) -> Result<()> {
    const LEFT: i32 = 12;
    const TOP: i32 = 34;
    for (index, entry) in entries.iter().enumerate() {
        let y = TOP + ENTRY_HEIGHT * index as i32;
        let ends = vec![(LEFT, y), (LEFT + SAMPLE, y)];
        match entry.kind {
            SampleKind::Shade => {
                let corners = vec![
                    (LEFT, y - 6),
                    (LEFT + SAMPLE, y - 6),
                    (LEFT + SAMPLE, y + 6),
                    (LEFT, y + 6),
                ];
                area.draw(&Polygon::new(corners, entry.colour.mix(BAND))).map_err(error)?;
            }
            kind => {
                let opacity = if kind == SampleKind::Dashed { sheet::DASHED } else { 1.0 };
                let style = ShapeStyle::from(entry.colour.mix(opacity)).stroke_width(entry.width);
                area.draw(&PathElement::new(ends, style)).map_err(error)?;
            }
        }
        let at = (LEFT + SAMPLE + 8, y);
        sheet::write(area, &entry.text, at, HPos::Left, VPos::Center, SMALL, INK)?;
    }
    Ok(())
}
