//! Silhouettes from distances that are not kept, block after block.

use std::ops::ControlFlow;

use rayon::prelude::*;

use crate::choose::Rows;
use crate::choose::distances::{BLOCK, Block, Distances, block_rows};
use crate::choose::indices::grouping::Grouping;

/// The silhouettes of `chosen` rows against all rows, in several clusterings of them that share the
/// distances: a list of `[chosen]` for each. `None` if `go_on`, which is called after every block
/// of rows, says to stop.
pub(in crate::choose) fn of_rows(
    rows: &Rows<'_>,
    chosen: &[usize],
    groupings: &[&Grouping],
    go_on: &mut dyn FnMut() -> ControlFlow<()>,
) -> Option<Vec<Vec<f64>>> {
    let width = rows.n_columns();
    let row = |row: usize| rows.values().get(row * width..(row + 1) * width).unwrap_or(&[]);
    // Of every chosen row the sums of its distances to all clusters, clustering after clustering.
    let total: usize = groupings.iter().map(|grouping| grouping.sizes.len()).sum();
    let mut sums = vec![0.0; chosen.len() * total];
    let block_rows = block_rows(width);
    for (at, part) in rows.values().chunks(block_rows * width).enumerate() {
        let block = Block::of(part, width);
        let lines = sums.par_chunks_mut(total.max(1)).zip(chosen).with_min_len(MIN_ROWS);
        lines.for_each_init(
            || [0.0; BLOCK],
            |distances, (mut sums, chosen)| {
                block.distances(row(*chosen), distances);
                for grouping in groupings {
                    let (own, rest) = sums.split_at_mut(grouping.sizes.len());
                    add(own, grouping.labels.get(at * block_rows..).unwrap_or(&[]), distances);
                    sums = rest;
                }
            },
        );
        if go_on().is_break() {
            return None;
        }
    }
    let mut start = 0;
    let of_grouping = |grouping: &&Grouping| {
        let range = start..start + grouping.sizes.len();
        start = range.end;
        let lines = sums.chunks_exact(total.max(1)).map(|line| &line[range.clone()]);
        let own = chosen.iter().map(|row| grouping.labels.get(*row).copied().unwrap_or(0));
        lines.zip(own).map(|(sums, own)| silhouette(sums, &grouping.sizes, own)).collect()
    };
    Some(groupings.iter().map(of_grouping).collect())
}

/// Chosen rows that a thread takes at least.
const MIN_ROWS: usize = 64;

/// The mean silhouette of all rows whose distances are known; 0 if the clusters cannot be compared.
pub(in crate::choose) fn of_distances(distances: &Distances, grouping: &Grouping) -> f64 {
    if !grouping.is_comparable() {
        return 0.0;
    }
    let mut sums = vec![0.0; grouping.sizes.len()];
    let of_row = |(line, own): (&[f64], &usize)| {
        sums.fill(0.0);
        add(&mut sums, &grouping.labels, line);
        silhouette(&sums, &grouping.sizes, *own)
    };
    let total: f64 = distances.rows().zip(&grouping.labels).map(of_row).sum();
    total / grouping.labels.len() as f64
}

/// Adds distances to the sums of their clusters.
fn add(sums: &mut [f64], labels: &[usize], distances: &[f64]) {
    for (distance, label) in distances.iter().zip(labels) {
        if let Some(sum) = sums.get_mut(*label) {
            *sum += distance;
        }
    }
}

/// The silhouette of a row of cluster `own`, from the sums of its distances to all clusters.
fn silhouette(sums: &[f64], sizes: &[usize], own: usize) -> f64 {
    let (mut inner, mut outer, mut is_only) = (0.0, f64::INFINITY, true);
    for (cluster, (sum, size)) in sums.iter().zip(sizes).enumerate() {
        if cluster != own {
            outer = f64::min(outer, sum / *size as f64);
        } else if *size > 1 {
            inner = sum / (size - 1) as f64;
            is_only = false;
        }
    }
    let larger = f64::max(inner, outer);
    if is_only || larger == 0.0 { 0.0 } else { (outer - inner) / larger }
}
