//! The figure of what every cluster is.

use plotters::style::text_anchor::{HPos, VPos};

use super::bars::{self, Bar, BarPanel};
use super::figure::Figure;
use super::palette;
use super::sheet;
use crate::error::{Error, Result};
use crate::profile::{CellFacts, ClusterFacts, ModelProfile};

/// Columns and values that are shown of a cluster.
const MAX_CELLS: usize = 10;
/// Clusters that are shown.
const MAX_CLUSTERS: usize = 24;

/// What every cluster is: in which columns it is high or low against all rows, in standard
/// deviations of all rows, the clearest (by v-test) first; beside the bars stand the mean of the cluster
/// and, in parentheses, that of all rows, or shares for values of categories.
///
/// # Errors
///
/// If there are no clusters, or the values do not fit on an axis.
pub fn cards(profile: &ModelProfile) -> Result<Figure> {
    const ACROSS: usize = 2;
    const BARS: u32 = 230;
    const MAX_LABEL: i32 = 190;
    const ABOVE: u32 = 14;
    if profile.clusters.is_empty() {
        return Err(Error::Figure { detail: "there are no clusters".to_owned() });
    }
    let shown = &profile.clusters[..profile.clusters.len().min(MAX_CLUSTERS)];
    let cells: Vec<Vec<&CellFacts>> = shown.iter().map(clearest).collect();
    let names: Vec<Vec<String>> =
        cells.iter().map(|cells| cells.iter().map(|cell| name(cell)).collect()).collect();
    let all: Vec<&str> = names.iter().flatten().map(String::as_str).collect();
    let column = bars::names_width(&all);
    let lines = cells.iter().map(Vec::len).max().unwrap_or(0);
    let height = ABOVE + bars::height(lines);
    let differences = cells.iter().flatten().filter_map(|cell| cell.difference);
    let limit = differences.fold(0.0f64, |limit, d| limit.max(d.abs())).max(1e-9);
    let labels = cells.iter().flatten().map(|cell| sheet::width(&label(cell), sheet::SMALL));
    let labels = (labels.max().unwrap_or(0) + 24).min(MAX_LABEL) as u32;
    let wide = column + BARS + labels;
    let across = shown.len().min(ACROSS) as u32;
    let size = (across * wide, shown.len().div_ceil(ACROSS) as u32 * height);
    let mut notes = vec![
        "bars: mean of the cluster − mean of all rows, in standard deviations of all rows"
            .to_owned(),
        "numbers: mean of the cluster (of all rows); for categories shares".to_owned(),
    ];
    if shown.len() < profile.clusters.len() {
        notes.push(format!("the first {MAX_CLUSTERS} of {} clusters", profile.clusters.len()));
    }
    let title = format!("{} clusters of {} rows", profile.clusters.len(), profile.rows);
    sheet::draw(size, &title, &notes, |area| {
        for (at, cluster) in shown.iter().enumerate() {
            let (row, place) = ((at / ACROSS) as u32, (at % ACROSS) as u32);
            let (_, below) = area.split_vertically(row * height);
            let (line, _) = below.split_vertically(height);
            let (_, line) = line.split_vertically(ABOVE);
            let (_, card) = line.split_horizontally(place * wide);
            let (left, rest) = card.split_horizontally(column);
            let (right, beside) = rest.split_horizontally(BARS);
            let own: Vec<&str> = names[at].iter().map(String::as_str).collect();
            bars::names(&left, &own)?;
            BarPanel {
                title: title_of(cluster),
                range: (-limit, limit),
                label_room: 0,
                backwards: false,
                bars: cells[at].iter().map(|cell| bar(cell)).collect(),
            }
            .draw(&right)?;
            for (line, cell) in cells[at].iter().enumerate() {
                let text = sheet::fitted(&label(cell), sheet::SMALL, labels as i32 - 12);
                let at = (4, bars::middle(line));
                let (left, centre) = (HPos::Left, VPos::Center);
                sheet::write(&beside, &text, at, left, centre, sheet::SMALL, palette::INK)?;
            }
        }
        Ok(Vec::new())
    })
}

fn title_of(cluster: &ClusterFacts) -> String {
    let share = crate::text::words::percent(cluster.share);
    format!("Cluster {}: {} rows, {share}", cluster.cluster, cluster.rows)
}

/// The columns and values with the largest v-tests.
fn clearest(cluster: &ClusterFacts) -> Vec<&CellFacts> {
    let mut cells: Vec<&CellFacts> = cluster
        .columns
        .iter()
        .filter(|cell| cell.v.is_some() && cell.difference.is_some())
        .collect();
    let strength = |cell: &CellFacts| cell.v.unwrap_or(0.0).abs();
    cells.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
    cells.truncate(MAX_CELLS);
    cells
}

fn name(cell: &CellFacts) -> String {
    match &cell.value {
        Some(value) => format!("{}: {value}", cell.column),
        None => cell.column.clone(),
    }
}

fn label(cell: &CellFacts) -> String {
    let [own, overall] = &cell.text;
    format!("{own} ({overall})")
}

fn bar(cell: &CellFacts) -> Bar {
    let difference = cell.difference.unwrap_or(0.0);
    let colour = if difference < 0.0 { palette::LOW } else { palette::HIGH };
    Bar { from: 0.0, to: difference, colour, whisker: None, label: String::new() }
}
