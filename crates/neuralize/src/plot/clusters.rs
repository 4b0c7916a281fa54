use plotters::chart::ChartBuilder;
use plotters::element::{Circle, PathElement, Polygon, Rectangle};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor};

use super::sheet::{self, Area, SMALL, TEXT, error};
use super::{Figure, check_case, counted, not_empty, palette};
use crate::cases::{Cases, Map};
use crate::error::{Error, Result};

/// The clusters in the plane: every case at its place on the map, its face in
/// the colour of its cluster and its edge in that of the cluster that stands for
/// its class (black if there is none, or one of the same colour), centroids crossed, and the given cases ringed. The axes say how much
/// of the variance lies along them.
///
/// # Errors
///
/// If there is no case, one of the ringed is not there, the map is of other
/// cases, or its places do not fit an axis.
pub fn clusters(cases: &Cases, map: &Map, ringed: &[usize]) -> Result<Figure> {
    not_empty(cases)?;
    for &case in ringed {
        check_case(cases, case)?;
    }
    if map.points.len() != cases.len() || map.centroids.len() != cases.n_clusters() {
        let expected = format!("[{}] points, [{}] centroids", cases.len(), cases.n_clusters());
        return Err(Error::shape("the map", expected, &[map.points.len(), map.centroids.len()]));
    }
    let clusters = cases.n_clusters();
    let legend: Vec<(String, Mark)> = (0..clusters)
        .map(|k| {
            let name = cases.cluster_title(k);
            (
                name,
                Mark { face: palette::cluster(k), edge: palette::cluster(k), shape: Shape::of(k) },
            )
        })
        .collect();

    const PLOT: u32 = 620;
    const SHOWN: usize = 24;
    let legend_width = legend.iter().map(|(name, _)| sheet::width(name, TEXT)).max().unwrap_or(0);
    let legend_width = (legend_width + 40).clamp(120, 290) as u32;
    let mut notes = Vec::new();
    if let Some(classes) = &cases.classes {
        notes.push(format!(
            "edge: the cluster that stands for the point's class (black: none); {} of {} agree",
            classes.agreeing,
            cases.len()
        ));
    }
    if !ringed.is_empty() {
        notes.push(format!("rings: {} explained points", ringed.len()));
    }
    notes.push("crosses: centroids; axes: principal components of the scaled data".into());
    let size = (PLOT + legend_width, PLOT);
    let title = format!("{} in {clusters} clusters", counted(cases));
    sheet::draw(size, &title, &notes, |area| {
        let (plot, beside) = area.split_horizontally(PLOT);
        let places = map.points.iter().chain(&map.centroids);
        let (x_range, y_range) =
            (padded(places.clone().map(|p| p[0])), padded(places.map(|p| p[1])));
        let (x_range, y_range) = (sheet::finite(x_range)?, sheet::finite(y_range)?);
        let mut chart = ChartBuilder::on(&plot)
            .margin(6)
            .x_label_area_size(46)
            .y_label_area_size(66)
            .build_cartesian_2d(x_range.0..x_range.1, y_range.0..y_range.1)
            .map_err(error)?;
        let axis = |number: usize| {
            format!("PC {} ({:.0} % of the variance)", number + 1, 100.0 * map.explained[number])
        };
        chart
            .configure_mesh()
            .x_desc(axis(0))
            .y_desc(axis(1))
            .x_labels(6)
            .y_labels(6)
            .x_label_formatter(&|value| sheet::tick(*value, x_range.1 - x_range.0))
            .y_label_formatter(&|value| sheet::tick(*value, y_range.1 - y_range.0))
            .label_style(("sans-serif", SMALL, &palette::GREY))
            .axis_desc_style(("sans-serif", TEXT, &palette::INK))
            .bold_line_style(palette::FAINT.mix(0.6))
            .light_line_style(palette::FAINT.mix(0.0))
            .axis_style(palette::FAINT)
            .draw()
            .map_err(error)?;
        let origin = plot.get_base_pixel();
        let pixel = |place: &[f64; 2]| {
            let (x, y) = chart.backend_coord(&(place[0], place[1]));
            (x - origin.0, y - origin.1)
        };
        for (case, place) in map.points.iter().enumerate() {
            let cluster = cases.cluster[case];
            let face = palette::cluster(cluster);
            Mark { face, edge: edge(cases, case), shape: Shape::of(cluster) }
                .draw(&plot, pixel(place))?;
        }
        for &case in ringed {
            let ring = Circle::new(pixel(&map.points[case]), 10, palette::INK.stroke_width(2));
            plot.draw(&ring).map_err(error)?;
        }
        for (cluster, place) in map.centroids.iter().enumerate() {
            let (x, y) = pixel(place);
            for width in [6, 2] {
                let colour = if width == 6 { RGBColor(255, 255, 255) } else { palette::INK };
                for ends in [[(x - 8, y - 8), (x + 8, y + 8)], [(x - 8, y + 8), (x + 8, y - 8)]] {
                    plot.draw(&PathElement::new(ends, colour.stroke_width(width)))
                        .map_err(error)?;
                }
            }
            let name = cluster.to_string();
            let (left, half) = (x + 11, sheet::width(&name, TEXT) / 2 + 3);
            let plate = [(left, y - 22), (left + 2 * half, y - 4)];
            let white = RGBColor(255, 255, 255).mix(0.85).filled();
            plot.draw(&Rectangle::new(plate, white)).map_err(error)?;
            let at = (left + half, y - 13);
            sheet::write(&plot, &name, at, HPos::Center, VPos::Center, TEXT, palette::INK)?;
        }
        for (line, (name, mark)) in legend.iter().take(SHOWN).enumerate() {
            let y = 20 + 22 * line as i32;
            mark.draw(&beside, (16, y))?;
            let name = sheet::fitted(name, TEXT, legend_width as i32 - 34);
            sheet::write(&beside, &name, (30, y), HPos::Left, VPos::Center, TEXT, palette::INK)?;
        }
        if legend.len() > SHOWN {
            let more = format!("and {} more", legend.len() - SHOWN);
            let at = (30, 20 + 22 * SHOWN as i32);
            sheet::write(&beside, &more, at, HPos::Left, VPos::Center, TEXT, palette::GREY)?;
        }
        Ok(Vec::new())
    })
}

/// That of the cluster which stands for the case's class, such that a case in
/// another cluster is seen to be there.
fn edge(cases: &Cases, case: usize) -> RGBColor {
    let own = cases.cluster[case];
    let Some(classes) = &cases.classes else { return palette::cluster(own) };
    let class = Some(classes.of[case]);
    match classes.of_cluster.iter().position(|of| *of == class) {
        Some(cluster) if cluster == own => palette::cluster(own),
        Some(other) if palette::cluster(other) != palette::cluster(own) => palette::cluster(other),
        // Seen on the darkest face as well.
        _ if palette::cluster(own) == palette::INK => RGBColor(160, 160, 160),
        _ => RGBColor(0, 0, 0),
    }
}

/// A range with some air around it.
fn padded(values: impl Iterator<Item = f64>) -> (f64, f64) {
    let (least, most) = values
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(least, most), v| (least.min(v), most.max(v)));
    let air = if least < most { 0.06 * (most - least) } else { 1.0 };
    (least - air, most + air)
}

struct Mark {
    face: RGBColor,
    edge: RGBColor,
    shape: Shape,
}

/// Beyond the colours there are, clusters differ in shape.
#[derive(Clone, Copy)]
enum Shape {
    Circle,
    Square,
    Triangle,
    Diamond,
}

impl Shape {
    fn of(cluster: usize) -> Self {
        const SHAPES: [Shape; 4] = [Shape::Circle, Shape::Square, Shape::Triangle, Shape::Diamond];
        SHAPES[(cluster / palette::COLOURS) % SHAPES.len()]
    }
}

impl Mark {
    /// The face on a slightly larger one in the colour of the edge, on white, so
    /// that neighbours stay apart.
    fn draw(&self, area: &Area<'_>, at: (i32, i32)) -> Result<()> {
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
