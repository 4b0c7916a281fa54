//! The figure of all explanations at once.

use plotters::element::Rectangle;
use plotters::style::Color;
use plotters::style::text_anchor::{HPos, VPos};

use super::axis::{limit, signed};
use super::figure::Figure;
use super::palette;
use super::sheet::{self, Area, SMALL, TEXT, error};
use super::subject::{StrongestFeatures, check_not_empty, counted};
use crate::cases::Cases;
use crate::error::Result;

/// All explanations at once: one row per point, grouped by cluster and sorted by
/// logit, and one column per feature; red for and blue against, paler for smaller
/// relevances.
///
/// If there are too many points, neighbours in one cluster share a row, which is
/// their mean; a note below the figure says so.
///
/// # Errors
///
/// If there are no cases.
pub fn matrix(cases: &Cases) -> Result<Figure> {
    check_not_empty(cases)?;
    let StrongestFeatures { features, note } = StrongestFeatures::of(cases);
    let (groups, together) = grouped(cases);
    let rows: usize = groups.iter().map(|group| group.rows.len()).sum();
    let row_height = (560 / rows as u32).clamp(2, 18);
    let limit = limit(groups.iter().flat_map(|group| group.rows.iter().flatten()));

    const COLUMN: u32 = 24;
    const GAP: u32 = 8;
    const BAR: u32 = 120;
    let names: Vec<String> =
        features.iter().map(|&i| sheet::fitted(&cases.features[i], TEXT, 250)).collect();
    let titles: Vec<String> = groups
        .iter()
        .map(|group| format!("{}: {}", cases.cluster_title(group.cluster), group.points))
        .collect();
    let widest = |texts: &[String]| {
        texts.iter().map(|text| sheet::width(text, TEXT)).max().unwrap_or(0) as u32
    };
    let (names_height, left) = (widest(&names) + 10, widest(&titles) + 14);
    let columns = COLUMN * features.len() as u32;
    // Every group has room for its title.
    let height_of = |group: &ClusterRows| (row_height * group.rows.len() as u32).max(20);
    let body: u32 = groups.iter().map(|group| height_of(group) + GAP).sum();

    let mut notes: Vec<String> = note.into_iter().collect();
    if together > 1 {
        notes.push(format!(
            "each row is the mean of up to {together} points with neighbouring logits"
        ));
    }
    notes.push("rows: points by cluster, largest logit first; red for, blue against".into());
    let size = (left + columns + BAR, names_height + body.max(SCALE_HEIGHT + 16));
    let title = format!("Relevance of {}", counted(cases));
    sheet::draw(size, &title, &notes, |area| {
        for (column, name) in names.iter().enumerate() {
            let x = left + COLUMN * column as u32 + COLUMN / 2;
            sheet::write_upright(area, name, (x as i32, names_height as i32 - 4))?;
        }
        let mut top = names_height;
        for (group, title) in groups.iter().zip(&titles) {
            let middle = (top + height_of(group) / 2) as i32;
            let at = (left as i32 - 8, middle);
            sheet::write(area, title, at, HPos::Right, VPos::Center, TEXT, palette::INK)?;
            let colour = palette::cluster(group.cluster).filled();
            let mark =
                [(left as i32 - 5, top as i32), (left as i32 - 2, (top + height_of(group)) as i32)];
            area.draw(&Rectangle::new(mark, colour)).map_err(error)?;
            for (row, relevance) in group.rows.iter().enumerate() {
                let y = (top + row_height * row as u32) as i32;
                for (column, &i) in features.iter().enumerate() {
                    let x = (left + COLUMN * column as u32) as i32;
                    let cell = [(x, y), (x + COLUMN as i32, y + row_height as i32)];
                    let colour = palette::diverging(relevance[i] / limit).filled();
                    area.draw(&Rectangle::new(cell, colour)).map_err(error)?;
                }
            }
            top += height_of(group) + GAP;
        }
        draw_scale(area, (left + columns + 24) as i32, names_height as i32, limit)?;
        Ok(Vec::new())
    })
}

/// The rows of one cluster.
struct ClusterRows {
    cluster: usize,
    points: usize,
    /// Relevances of a point, or their mean over neighbours.
    rows: Vec<Vec<f64>>,
}

/// Points by cluster and logit, and the number of points that share a row.
fn grouped(cases: &Cases) -> (Vec<ClusterRows>, usize) {
    const MAX_ROWS: usize = 240;
    let together = cases.len().div_ceil(MAX_ROWS);
    let mut groups = Vec::new();
    for cluster in 0..cases.n_clusters() {
        let mut own: Vec<usize> =
            (0..cases.len()).filter(|&case| cases.cluster[case] == cluster).collect();
        own.sort_by(|a, b| cases.logit[*b].total_cmp(&cases.logit[*a]));
        if own.is_empty() {
            continue;
        }
        let mean = |part: &[usize]| {
            let mut sum = vec![0.0; cases.n_features()];
            for &case in part {
                for (sum, value) in sum.iter_mut().zip(cases.relevance_of(case)) {
                    *sum += value;
                }
            }
            sum.iter().map(|sum| sum / part.len() as f64).collect()
        };
        let rows = own.chunks(together).map(mean).collect();
        groups.push(ClusterRows { cluster, points: own.len(), rows });
    }
    (groups, together)
}

const SCALE_HEIGHT: u32 = 160;

/// The scale of the colours.
fn draw_scale(area: &Area<'_>, x: i32, top: i32, limit: f64) -> Result<()> {
    const STEPS: i32 = 40;
    const HEIGHT: i32 = SCALE_HEIGHT as i32;
    for step in 0..STEPS {
        let share = 1.0 - 2.0 * f64::from(step) / f64::from(STEPS - 1);
        let y = |step: i32| top + step * HEIGHT / STEPS;
        let cell = [(x, y(step)), (x + 14, y(step + 1))];
        area.draw(&Rectangle::new(cell, palette::diverging(share).filled())).map_err(error)?;
    }
    for (value, y) in [(limit, top), (0.0, top + HEIGHT / 2), (-limit, top + HEIGHT)] {
        let label = signed(value);
        sheet::write(area, &label, (x + 20, y), HPos::Left, VPos::Center, SMALL, palette::GREY)?;
    }
    Ok(())
}
