//! Panels of horizontal bars.

use plotters::chart::ChartBuilder;
use plotters::element::{PathElement, Rectangle};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor};

use super::axis::{finite, signed, tick};
use super::palette::{self, FAINT, GREY, INK};
use super::sheet::{self, Area, SMALL, TEXT, error};
use crate::error::Result;

/// A panel of horizontal bars, one per line, over one axis.
pub(super) struct BarPanel {
    pub(super) title: String,
    /// Minimum and maximum of the values.
    pub(super) range: (f64, f64),
    /// Pixels for a label at the end of the longest bar: the same in all figures of a
    /// set, so that they share one scale.
    pub(super) label_room: i32,
    /// Whether bars may run backwards from any start, as in a waterfall, not only from 0.
    pub(super) backwards: bool,
    pub(super) bars: Vec<Bar>,
}

/// A bar, with a label at its end.
pub(super) struct Bar {
    pub(super) from: f64,
    pub(super) to: f64,
    pub(super) colour: RGBColor,
    /// Ends of a line over the bar, which shows the spread of the values.
    pub(super) whisker: Option<(f64, f64)>,
    pub(super) label: String,
}

/// Height of a line, and of the space above and below the lines.
const LINE_HEIGHT: u32 = 21;
const ABOVE: u32 = 26;
const BELOW: u32 = 30;
/// Minimum and maximum width of a column of names.
const NAMES_WIDTH: (i32, i32) = (40, 270);

/// Height of a panel with the given number of lines.
pub(super) fn height(lines: usize) -> u32 {
    ABOVE + LINE_HEIGHT * lines as u32 + BELOW
}

/// The middle of a line of a panel.
pub(super) fn middle(line: usize) -> i32 {
    (ABOVE + LINE_HEIGHT * line as u32 + LINE_HEIGHT / 2) as i32
}

/// Width of a column of names.
pub(super) fn names_width(names: &[&str]) -> u32 {
    let widest = names.iter().map(|name| sheet::width(name, TEXT)).max().unwrap_or(0);
    (widest + 12).clamp(NAMES_WIDTH.0, NAMES_WIDTH.1) as u32
}

/// Writes a column of names beside the lines of a panel of the same height.
pub(super) fn names(area: &Area<'_>, names: &[&str]) -> Result<()> {
    let (width, _) = area.dim_in_pixel();
    for (line, name) in names.iter().enumerate() {
        let at = (width as i32 - 8, middle(line));
        let name = sheet::fitted(name, TEXT, width as i32 - 10);
        sheet::write(area, &name, at, HPos::Right, VPos::Center, TEXT, INK)?;
    }
    Ok(())
}

impl BarPanel {
    /// Draws the panel into the upper part of an area.
    pub(super) fn draw(&self, area: &Area<'_>) -> Result<()> {
        const SIDE: i32 = 10;
        // Exactly as high as its lines, so that names are level with them.
        let (area, _) = area.split_vertically(height(self.bars.len()));
        let area = &area;
        let (width, _) = area.dim_in_pixel();
        let room = f64::from(width as i32 - 2 * SIDE);
        let (low, high) = finite(self.with_room_for_labels(room))?;
        let lines = self.bars.len() as f64;
        let title = sheet::fitted(&self.title, TEXT, width as i32 - 8);
        let middle = (width as i32 / 2, 2);
        sheet::write(area, &title, middle, HPos::Center, VPos::Top, TEXT, GREY)?;

        let mut chart = ChartBuilder::on(area)
            .margin_top(ABOVE)
            .margin_left(SIDE)
            .margin_right(SIDE)
            .x_label_area_size(BELOW)
            .build_cartesian_2d(low..high, lines..0.0)
            .map_err(error)?;
        chart
            .configure_mesh()
            .disable_y_mesh()
            .disable_y_axis()
            .x_labels(if width < 300 { 3 } else { 5 })
            .x_label_formatter(&|value| tick(*value, high - low))
            .x_label_style(("sans-serif", SMALL, &GREY))
            .bold_line_style(FAINT.mix(0.7))
            .light_line_style(FAINT.mix(0.0))
            .axis_style(FAINT)
            .draw()
            .map_err(error)?;
        for (line, bar) in self.bars.iter().enumerate() {
            let top = line as f64;
            let corners = [(bar.from.min(bar.to), top + 0.17), (bar.from.max(bar.to), top + 0.83)];
            let drawn = std::iter::once(Rectangle::new(corners, bar.colour.filled()));
            chart.draw_series(drawn).map_err(error)?;
            if let Some((low, high)) = bar.whisker {
                let whisker = PathElement::new([(low, top + 0.5), (high, top + 0.5)], INK);
                chart.draw_series(std::iter::once(whisker)).map_err(error)?;
            }
        }
        let zero = PathElement::new([(0.0, 0.0), (0.0, lines)], GREY);
        chart.draw_series(std::iter::once(zero)).map_err(error)?;

        let (left, top) = area.get_base_pixel();
        for (line, bar) in self.bars.iter().enumerate() {
            let (low, high) = bar.reach();
            let backwards = bar.to < bar.from;
            let end = if backwards { low } else { high };
            let (x, y) = chart.backend_coord(&(end, line as f64 + 0.5));
            let (x, side) = if backwards { (x - 4, HPos::Right) } else { (x + 4, HPos::Left) };
            let at = (x - left, y - top);
            sheet::write(area, &bar.label, at, side, VPos::Center, SMALL, INK)?;
        }
        Ok(())
    }

    /// The range with room for labels at the ends that bars point to.
    fn with_room_for_labels(&self, room: f64) -> (f64, f64) {
        let (low, high) = self.range;
        let label = f64::from(self.label_room);
        // Labels of bars that run backwards are on their left.
        let below = if low < 0.0 || self.backwards { label } else { 0.0 };
        let above = label;
        let value_of_pixel = (high - low) / (room - below - above).max(1.0);
        (low - below * value_of_pixel, high + above * value_of_pixel)
    }
}

impl Bar {
    /// A bar of relevance `value`, with its number as the label.
    pub(super) fn relevance(from: f64, to: f64, value: f64) -> Self {
        Self { from, to, colour: palette::signed(value), whisker: None, label: signed(value) }
    }

    /// The leftmost and the rightmost end of bar and whisker.
    fn reach(&self) -> (f64, f64) {
        let (low, high) = self.whisker.unwrap_or((self.from, self.to));
        (low.min(self.from).min(self.to), high.max(self.from).max(self.to))
    }
}
