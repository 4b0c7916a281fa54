//! Points in a plane, and the axes around them.

use plotters::chart::ChartBuilder;
use plotters::coord::CoordTranslate;
use plotters::element::{Circle, Polygon};
use plotters::style::{Color, RGBColor};

use super::axis::{extent, finite, tick};
use super::palette;
use super::sheet::{Area, SMALL, TEXT, error};
use crate::error::Result;

/// Draws axes around places; returns the map from places to pixels of the area.
pub(super) fn axes(
    area: &Area<'_>,
    places: impl Iterator<Item = [f64; 2]> + Clone,
    titles: [String; 2],
) -> Result<impl Fn(&[f64; 2]) -> (i32, i32)> {
    let [x_title, y_title] = titles;
    let x_range = finite(padded(places.clone().map(|place| place[0])))?;
    let y_range = finite(padded(places.map(|place| place[1])))?;
    let mut chart = ChartBuilder::on(area)
        .margin(6)
        .x_label_area_size(46)
        .y_label_area_size(66)
        .build_cartesian_2d(x_range.0..x_range.1, y_range.0..y_range.1)
        .map_err(error)?;
    chart
        .configure_mesh()
        .x_desc(x_title)
        .y_desc(y_title)
        .x_labels(6)
        .y_labels(6)
        .x_label_formatter(&|value| tick(*value, x_range.1 - x_range.0))
        .y_label_formatter(&|value| tick(*value, y_range.1 - y_range.0))
        .label_style(("sans-serif", SMALL, &palette::GREY))
        .axis_desc_style(("sans-serif", TEXT, &palette::INK))
        .bold_line_style(palette::FAINT.mix(0.6))
        .light_line_style(palette::FAINT.mix(0.0))
        .axis_style(palette::FAINT)
        .draw()
        .map_err(error)?;
    let origin = area.get_base_pixel();
    let spec = chart.as_coord_spec().clone();
    Ok(move |place: &[f64; 2]| {
        let (x, y) = spec.translate(&(place[0], place[1]));
        (x - origin.0, y - origin.1)
    })
}

/// The extent of values with a margin around it.
fn padded(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (low, high) = extent(&values.collect::<Vec<f64>>());
    let margin = if low < high { 0.06 * (high - low) } else { 1.0 };
    (low - margin, high + margin)
}

/// The mark of a point.
pub(super) struct Mark {
    pub(super) face: RGBColor,
    pub(super) edge: RGBColor,
    pub(super) shape: Shape,
}

/// The shape of a mark: clusters beyond the number of colours differ in shape.
#[derive(Clone, Copy)]
pub(super) enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
}

impl Shape {
    pub(super) fn of(cluster: usize) -> Self {
        const SHAPES: [Shape; 4] = [Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond];
        SHAPES[(cluster / palette::COLOURS) % SHAPES.len()]
    }
}

impl Mark {
    /// Draws the face on a slightly larger edge on white, so that neighbours stay
    /// apart.
    pub(super) fn draw(&self, area: &Area<'_>, at: (i32, i32)) -> Result<()> {
        let white = RGBColor(255, 255, 255);
        for (size, colour) in [(7, white), (6, self.edge), (4, self.face)] {
            let (x, y) = at;
            let corners = match self.shape {
                Shape::Circle => {
                    area.draw(&Circle::new(at, size, colour.filled())).map_err(error)?;
                    continue;
                }
                Shape::Square => vec![(-1, -1), (1, -1), (1, 1), (-1, 1)],
                Shape::Triangle => vec![(0, -1), (1, 1), (-1, 1)],
                Shape::Diamond => vec![(0, -1), (1, 0), (0, 1), (-1, 0)],
            };
            let corners: Vec<(i32, i32)> =
                corners.into_iter().map(|(dx, dy)| (x + dx * size, y + dy * size)).collect();
            area.draw(&Polygon::new(corners, colour.filled())).map_err(error)?;
        }
        Ok(())
    }
}
