use plotters::element::{Circle, PathElement, Rectangle};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor};

use super::plane::{self, Mark, Shape};
use super::sheet::{self, TEXT, error};
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
        let axis = |number: usize| {
            format!("PC {} ({:.0} % of the variance)", number + 1, 100.0 * map.explained[number])
        };
        let places = map.points.iter().chain(&map.centroids).copied();
        let pixel = plane::axes(&plot, places, [axis(0), axis(1)])?;
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
