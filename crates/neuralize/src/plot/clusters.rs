//! The figure of the clusters in the plane.

use plotters::element::{Circle, PathElement, Rectangle};
use plotters::style::text_anchor::{HPos, VPos};
use plotters::style::{Color, RGBColor};

use super::figure::Figure;
use super::palette;
use super::plane::{self, Mark, Shape};
use super::sheet::{self, Area, TEXT, error};
use super::subject::{check_case, check_not_empty, counted};
use crate::cases::{Cases, Map};
use crate::error::{Error, Result};

/// The clusters in the plane: every case at its place on the map, centroids
/// crossed, and the given cases ringed. The face of a case has the colour of its
/// cluster; its edge has the colour of the cluster matched to its class, or black if
/// there is none or both clusters have the same colour. The axes show their share
/// of the variance.
///
/// # Errors
///
/// If there are no cases, a ringed case does not exist, the map is of other cases,
/// or the places do not fit on an axis.
pub fn clusters(cases: &Cases, map: &Map, ringed: &[usize]) -> Result<Figure> {
    check_not_empty(cases)?;
    for &case in ringed {
        check_case(cases, case)?;
    }
    if map.points.len() != cases.len() || map.centroids.len() != cases.n_clusters() {
        let expected = format!("[{}] points, [{}] centroids", cases.len(), cases.n_clusters());
        return Err(Error::shape("the map", expected, &[map.points.len(), map.centroids.len()]));
    }
    const PLOT: u32 = 620;
    let legend = Legend::of(cases);
    let size = (PLOT + legend.width, PLOT);
    let title = format!("{} in {} clusters", counted(cases), cases.n_clusters());
    sheet::draw(size, &title, &notes(cases, ringed), |area| {
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
            draw_centroid(&plot, cluster, pixel(place))?;
        }
        legend.draw(&beside)?;
        Ok(Vec::new())
    })
}

fn notes(cases: &Cases, ringed: &[usize]) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(agreeing) = cases.classes.as_ref().and_then(|classes| classes.agreeing) {
        notes.push(format!(
            "edge: the cluster that stands for the point's class (black: none); {agreeing} of {} agree",
            cases.len()
        ));
    }
    if !ringed.is_empty() {
        notes.push(format!("rings: {} explained points", ringed.len()));
    }
    notes.push("crosses: centroids; axes: principal components of the scaled data".into());
    notes
}

/// The colour of the cluster matched to the class of a case, so that a case in
/// another cluster has two colours.
fn edge(cases: &Cases, case: usize) -> RGBColor {
    let own = cases.cluster[case];
    let classes = cases.classes.as_ref().filter(|classes| classes.agreeing.is_some());
    let Some(classes) = classes else { return palette::cluster(own) };
    let class = Some(classes.of[case]);
    match classes.of_cluster.iter().position(|of| *of == class) {
        Some(cluster) if cluster == own => palette::cluster(own),
        Some(other) if palette::cluster(other) != palette::cluster(own) => palette::cluster(other),
        // Visible on the darkest face, too.
        _ if palette::cluster(own) == palette::INK => RGBColor(160, 160, 160),
        _ => RGBColor(0, 0, 0),
    }
}

/// A cross with a white outline, and the number of the cluster on a white plate.
fn draw_centroid(plot: &Area<'_>, cluster: usize, (x, y): (i32, i32)) -> Result<()> {
    for (width, colour) in [(6, RGBColor(255, 255, 255)), (2, palette::INK)] {
        for ends in [[(x - 8, y - 8), (x + 8, y + 8)], [(x - 8, y + 8), (x + 8, y - 8)]] {
            plot.draw(&PathElement::new(ends, colour.stroke_width(width))).map_err(error)?;
        }
    }
    let name = cluster.to_string();
    let (left, half) = (x + 11, sheet::width(&name, TEXT) / 2 + 3);
    let plate = [(left, y - 22), (left + 2 * half, y - 4)];
    let white = RGBColor(255, 255, 255).mix(0.85).filled();
    plot.draw(&Rectangle::new(plate, white)).map_err(error)?;
    let at = (left + half, y - 13);
    sheet::write(plot, &name, at, HPos::Center, VPos::Center, TEXT, palette::INK)
}

struct Legend {
    entries: Vec<(String, Mark)>,
    width: u32,
}

impl Legend {
    fn of(cases: &Cases) -> Self {
        let entry = |cluster: usize| {
            let colour = palette::cluster(cluster);
            let mark = Mark { face: colour, edge: colour, shape: Shape::of(cluster) };
            (cases.cluster_title(cluster), mark)
        };
        let entries: Vec<_> = (0..cases.n_clusters()).map(entry).collect();
        let widest = entries.iter().map(|(name, _)| sheet::width(name, TEXT)).max().unwrap_or(0);
        Self { entries, width: (widest + 40).clamp(120, 290) as u32 }
    }

    fn draw(&self, area: &Area<'_>) -> Result<()> {
        const MAX_ENTRIES: usize = 24;
        for (line, (name, mark)) in self.entries.iter().take(MAX_ENTRIES).enumerate() {
            let y = 20 + 22 * line as i32;
            mark.draw(area, (16, y))?;
            let name = sheet::fitted(name, TEXT, self.width as i32 - 34);
            sheet::write(area, &name, (30, y), HPos::Left, VPos::Center, TEXT, palette::INK)?;
        }
        if self.entries.len() > MAX_ENTRIES {
            let more = format!("and {} more", self.entries.len() - MAX_ENTRIES);
            let at = (30, 20 + 22 * MAX_ENTRIES as i32);
            sheet::write(area, &more, at, HPos::Left, VPos::Center, TEXT, palette::GREY)?;
        }
        Ok(())
    }
}
