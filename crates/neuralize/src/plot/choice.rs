//! The figure of how many clusters there are.

use plotters::chart::ChartBuilder;
use plotters::element::{Circle, PathElement};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, ShapeStyle};

use super::axis::{finite, tick};
use super::figure::Figure;
use super::palette::{self, FAINT, GREY, INK};
use super::sheet::{self, Area, SMALL, TEXT, error};
use crate::choose::{Candidate, Choice, MIN_STABILITY};
use crate::error::{Error, Result};

/// Silhouette, stability and inertia of every number of clusters that was tried. A large dot is the
/// number that is recommended; below the figure is the reason.
///
/// # Errors
///
/// If no number was tried, or the values do not fit on an axis.
pub fn choice(choice: &Choice) -> Result<Figure> {
    const PANEL: u32 = 300;
    const HEIGHT: u32 = 230;
    if choice.candidates.is_empty() {
        return Err(Error::Figure { detail: "no number of clusters was tried".to_owned() });
    }
    let mut notes = in_lines(&choice.sentence, (3 * PANEL) as i32 - 24);
    notes.extend([
        "dashed: silhouette of data without clusters; stability that is needed".to_owned(),
        "lines over stability: one standard deviation to either side".to_owned(),
    ]);
    let title = format!("How many clusters? {} rows", choice.rows);
    sheet::draw((3 * PANEL, HEIGHT), &title, &notes, |area| {
        let (silhouette, rest) = area.split_horizontally(PANEL);
        let (stability, inertia) = rest.split_horizontally(PANEL);
        Panel {
            title: "silhouette of the rows judged",
            value: |candidate| candidate.judged_silhouette,
            spread: |_| 0.0,
            beside: Some(|candidate| candidate.without),
        }
        .draw(&silhouette, choice)?;
        Panel {
            title: "stability",
            value: |candidate| candidate.stability,
            spread: |candidate| candidate.stability_spread,
            beside: Some(|_| MIN_STABILITY),
        }
        .draw(&stability, choice)?;
        Panel {
            title: "inertia",
            value: |candidate| candidate.inertia,
            spread: |_| 0.0,
            beside: None,
        }
        .draw(&inertia, choice)?;
        Ok(Vec::new())
    })
}

/// A sentence in lines of at most so many pixels.
fn in_lines(sentence: &str, room: i32) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for word in sentence.split(' ') {
        match lines.last_mut() {
            Some(line) if sheet::width(&format!("{line} {word}"), SMALL) <= room => {
                line.push(' ');
                line.push_str(word);
            }
            _ => lines.push(word.to_owned()),
        }
    }
    lines
}

/// A curve over the numbers of clusters.
struct Panel {
    title: &'static str,
    value: fn(&Candidate) -> f64,
    /// To either side of the value.
    spread: fn(&Candidate) -> f64,
    /// What it is compared with.
    beside: Option<fn(&Candidate) -> f64>,
}

impl Panel {
    fn draw(&self, area: &Area<'_>, choice: &Choice) -> Result<()> {
        const ABOVE: u32 = 26;
        const LEFT: u32 = 58;
        const RIGHT: u32 = 16;
        let (width, _) = area.dim_in_pixel();
        let centre = ((LEFT + width - RIGHT) / 2) as i32;
        sheet::write(area, self.title, (centre, 2), HPos::Center, VPos::Top, TEXT, INK)?;
        let candidates = &choice.candidates;
        let ends = candidates.iter().flat_map(|candidate| {
            let (value, spread) = ((self.value)(candidate), (self.spread)(candidate));
            let beside = self.beside.map_or(value, |beside| beside(candidate));
            [value - spread, value + spread, beside]
        });
        let (low, high) = ends.fold((0.0f64, 0.0f64), |(a, b), v| (a.min(v), b.max(v)));
        let room = 0.05 * (high - low).max(f64::MIN_POSITIVE);
        let (low, high) = finite((low, high + room))?;
        let first = candidates.first().map_or(0, |candidate| candidate.clusters) as f64;
        let last = candidates.last().map_or(0, |candidate| candidate.clusters) as f64;
        let mut chart = ChartBuilder::on(area)
            .margin_top(ABOVE)
            .margin_right(RIGHT)
            .x_label_area_size(26)
            .y_label_area_size(LEFT)
            .build_cartesian_2d(first - 0.3..last + 0.3, low..high)
            .map_err(error)?;
        chart
            .configure_mesh()
            .x_labels(candidates.len().min(9))
            .y_labels(6)
            .x_label_formatter(&|value| tick(*value, 100.0))
            .y_label_formatter(&|value| tick(*value, high - low))
            .label_style(("sans-serif", SMALL, &GREY))
            .bold_line_style(FAINT.mix(0.7))
            .light_line_style(FAINT.mix(0.0))
            .axis_style(FAINT)
            .draw()
            .map_err(error)?;
        let line = |of: fn(&Candidate) -> f64| -> Vec<(f64, f64)> {
            candidates.iter().map(|each| (each.clusters as f64, of(each))).collect()
        };
        if let Some(beside) = self.beside {
            let style = ShapeStyle::from(GREY.mix(sheet::DASHED)).stroke_width(2);
            let path = PathElement::new(line(beside), style);
            chart.draw_series(std::iter::once(path)).map_err(error)?;
        }
        let path = PathElement::new(line(self.value), INK.stroke_width(2));
        chart.draw_series(std::iter::once(path)).map_err(error)?;
        for candidate in candidates {
            let (k, value) = (candidate.clusters as f64, (self.value)(candidate));
            let spread = (self.spread)(candidate);
            let whisker = PathElement::new([(k, value - spread), (k, value + spread)], INK);
            chart.draw_series(std::iter::once(whisker)).map_err(error)?;
            let chosen = choice.recommended == Some(candidate.clusters);
            let dot = if chosen {
                Circle::new((k, value), 6, palette::cluster(4).filled())
            } else {
                Circle::new((k, value), 3, INK.filled())
            };
            chart.draw_series(std::iter::once(dot)).map_err(error)?;
        }
        Ok(())
    }
}
