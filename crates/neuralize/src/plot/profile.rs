//! The figure of all clusters: mean relevances and centroids.

use plotters::element::{Circle, PathElement};
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{extent, limit};
use super::bars::{self, Bar, BarPanel};
use super::figure::Figure;
use super::palette;
use super::sheet::{self, Area, SMALL, error};
use super::subject::{StrongestFeatures, check_not_empty, counted};
use crate::cases::Cases;
use crate::error::Result;
use crate::explain::ClusterSummary;

/// Profiles of the clusters: for each cluster the mean relevance of every feature
/// with its spread (one standard deviation to either side), and the position of the
/// centroid between the minimum and the maximum of the feature over the cases,
/// labelled in the units of the data.
///
/// # Errors
///
/// If there are no cases, or the values do not fit on an axis.
pub fn profile(cases: &Cases) -> Result<Figure> {
    check_not_empty(cases)?;
    let StrongestFeatures { features, note } = StrongestFeatures::of(cases);
    let names: Vec<&str> = features.iter().map(|&i| cases.features[i].as_str()).collect();
    let mut clusters = cases.per_cluster();
    let reach = clusters.iter().flat_map(|summary| {
        let ends = summary.mean_relevance.iter().zip(&summary.deviation);
        ends.flat_map(|(mean, deviation)| [mean - deviation, mean + deviation])
    });
    let limit = limit(&reach.collect::<Vec<f64>>());

    const MAX_CLUSTERS: usize = 24;
    clusters.truncate(MAX_CLUSTERS);

    const SIDE_BY_SIDE: usize = 3;
    const RELEVANCE: u32 = 260;
    const SCALE: u32 = 130;
    let column = bars::names_width(&names);
    let height = bars::height(features.len());
    let across = clusters.len().min(SIDE_BY_SIDE) as u32;
    let down = clusters.len().div_ceil(SIDE_BY_SIDE) as u32;
    let mut notes: Vec<String> = note.into_iter().collect();
    if clusters.len() < cases.n_clusters() {
        notes.push(format!("the first {MAX_CLUSTERS} of {} clusters", cases.n_clusters()));
    }
    notes.push(
        "bars: mean relevance; lines over them: one standard deviation to either side".into(),
    );
    notes.push("dots: the centroid between the minimum and the maximum of the feature".into());
    let size = (column + across * (RELEVANCE + SCALE), down * (height + 10));
    let title = format!("Profiles of {} clusters, {}", cases.n_clusters(), counted(cases));
    sheet::draw(size, &title, &notes, |area| {
        for (index, summary) in clusters.iter().enumerate() {
            let (row, place) = (index / SIDE_BY_SIDE, (index % SIDE_BY_SIDE) as u32);
            let top = row as u32 * (height + 10);
            let (_, below) = area.split_vertically(top);
            let (line, _) = below.split_vertically(height);
            let (left, panels) = line.split_horizontally(column);
            if place == 0 {
                bars::names(&left, &names)?;
            }
            let (_, panels) = panels.split_horizontally(place * (RELEVANCE + SCALE));
            let (relevance, rest) = panels.split_horizontally(RELEVANCE);
            let (scale, _) = rest.split_horizontally(SCALE);
            relevances(cases, summary, &features, limit).draw(&relevance)?;
            draw_scales(&scale, cases, index, &features)?;
        }
        Ok(Vec::new())
    })
}

/// Mean relevances with their spread.
fn relevances(cases: &Cases, summary: &ClusterSummary, features: &[usize], limit: f64) -> BarPanel {
    let bar = |&i: &usize| {
        let (mean, deviation) = (summary.mean_relevance[i], summary.deviation[i]);
        Bar {
            from: 0.0,
            to: mean,
            colour: palette::signed(mean),
            whisker: Some((mean - deviation, mean + deviation)),
            label: String::new(),
        }
    };
    BarPanel {
        title: format!("{}: {} points", cases.cluster_title(summary.cluster), summary.points),
        range: (-limit, limit),
        label_room: 0,
        backwards: false,
        bars: features.iter().map(bar).collect(),
    }
}

/// A line per feature, from its minimum to its maximum, with the centroid on it.
fn draw_scales(area: &Area<'_>, cases: &Cases, cluster: usize, features: &[usize]) -> Result<()> {
    const START: i32 = 6;
    const LENGTH: f64 = 50.0;
    let title = "centroid";
    let middle = (START + LENGTH as i32 / 2 + 16, 2);
    sheet::write(area, title, middle, HPos::Center, VPos::Top, SMALL, palette::GREY)?;
    for (line, &i) in features.iter().enumerate() {
        let values = cases.values.iter().skip(i).step_by(cases.n_features());
        let (low, high) = extent(values);
        let centroid = cases.centroid_of(cluster)[i];
        let share = if low < high { (centroid - low) / (high - low) } else { 0.5 };
        let y = bars::middle(line);
        let beside = (START + LENGTH as i32 + 10, y);
        let label = cases.centroid_text(cluster, i);
        // A category has no place on a line.
        if cases.encoding.as_ref().is_some_and(|encoding| encoding.columns[i].is_category()) {
            sheet::write(area, &label, (START, y), HPos::Left, VPos::Center, SMALL, palette::GREY)?;
            continue;
        }
        let at = |share: f64| (START + (share.clamp(0.0, 1.0) * LENGTH).round() as i32, y);
        area.draw(&PathElement::new([at(0.0), at(1.0)], palette::FAINT.stroke_width(2)))
            .map_err(error)?;
        let colour = palette::cluster(cluster).filled();
        area.draw(&Circle::new(at(share), 4, colour)).map_err(error)?;
        sheet::write(area, &label, beside, HPos::Left, VPos::Center, SMALL, palette::GREY)?;
    }
    Ok(())
}
