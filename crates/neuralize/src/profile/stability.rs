//! Whether the clusters of a model come back when it is fitted again.

use burn::tensor::backend::Backend;

use crate::choose::{FittedBy, Rows, SampledRows, cluster_stability};
use crate::cluster::{Clusterer, ClustererConfig};
use crate::error::Result;
use crate::record::Model;

/// The most rows, and the most numbers in them, that fits are repeated on.
const RESAMPLED_ROWS: usize = 1000;
const RESAMPLED_NUMBERS: usize = 4_000_000;
/// Fewer rows than this are not at all in many a draw.
const LEAST_ROWS: usize = 5;

/// How many rows of so many features fits are repeated on.
pub(in crate::profile) fn resampled_rows(features: usize) -> usize {
    (RESAMPLED_NUMBERS / features.max(1)).clamp(RESAMPLED_ROWS / 5, RESAMPLED_ROWS)
}

/// How surely every cluster of a model comes back, `[K]`; see [`cluster_stability`]. `clusters` is of
/// all rows, `sample` has some of them.
///
/// Clusters with too few rows in the sample are left aside with their rows: a centroid for a cluster
/// that a draw lacks would divide another one.
pub(in crate::profile) fn stability<B: Backend>(
    model: &Model<B>,
    sample: &SampledRows,
    clusters: &[usize],
) -> Result<Vec<Option<f64>>> {
    const SEED: u64 = 0;
    let clusterer = model.clusterer();
    let mut stability = vec![None; clusterer.n_clusters()];
    // Clusters that were given by labels were not found by a fit.
    let is_given = matches!(clusterer, Clusterer::Kernel(_)) && model.info().iterations.is_none();
    let (numbers, values) = sample.rows();
    if is_given || numbers.is_empty() {
        return Ok(stability);
    }
    let width = values.len() / numbers.len();
    let mut sizes = vec![0; stability.len()];
    for row in &numbers {
        sizes[clusters[*row]] += 1;
    }
    let judged: Vec<usize> = (0..sizes.len()).filter(|k| sizes[*k] >= LEAST_ROWS).collect();
    if judged.len() < 2 {
        return Ok(stability);
    }
    let place = |row: &usize| judged.iter().position(|judged| *judged == clusters[*row]);
    let places: Vec<Option<usize>> = numbers.iter().map(place).collect();
    let labels: Vec<usize> = places.iter().flatten().copied().collect();
    let rows = values.chunks_exact(width.max(1)).zip(&places);
    let values: Vec<f64> =
        rows.filter(|(_, place)| place.is_some()).flat_map(|(row, _)| row).copied().collect();
    // Numbers so large that their squares overflow are not fitted again.
    let Ok(rows) = Rows::new(&values, width) else { return Ok(stability) };
    let device = model.network()?.centroids().device();
    let config = ClustererConfig::of(clusterer);
    let mut method = FittedBy::<B>::new(config, &device, clusterer.dtype());
    // Nor is a table whose values this method does not take for long, such as rows that all fall together
    // in this precision: what is known of the clusters otherwise is not refused for it.
    let found = cluster_stability(&rows, &labels, judged.len(), SEED, &mut method);
    for (cluster, found) in judged.into_iter().zip(found.into_iter().flatten()) {
        stability[cluster] = found;
    }
    Ok(stability)
}
