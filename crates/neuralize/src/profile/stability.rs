//! Whether the clusters of a model come back when it is fitted again.

use burn::tensor::backend::Backend;

use crate::choose::{FittedBy, Rows, SampledRows, cluster_stability};
use crate::cluster::ClustererConfig;
use crate::error::Result;
use crate::record::Model;

/// The most rows that fits are repeated on.
pub(in crate::profile) const RESAMPLED_ROWS: usize = 1000;

/// How surely every cluster of a model comes back, `[K]`; see [`cluster_stability`]. `clusters` is of
/// all rows, `sample` has some of them.
pub(in crate::profile) fn stability<B: Backend>(
    model: &Model<B>,
    sample: &SampledRows,
    clusters: &[usize],
) -> Result<Vec<Option<f64>>> {
    const SEED: u64 = 0;
    let clusterer = model.clusterer();
    let none = vec![None; clusterer.n_clusters()];
    let info = model.info();
    // Clusters that were given by labels were not found by a fit.
    let is_given = info.labels.is_some() && info.iterations.is_none();
    let (numbers, values) = sample.rows();
    if is_given || numbers.is_empty() {
        return Ok(none);
    }
    let labels: Vec<usize> = numbers.iter().map(|row| clusters[*row]).collect();
    // Numbers so large that their squares overflow are not fitted again.
    let Ok(rows) = Rows::new(&values, values.len() / numbers.len()) else { return Ok(none) };
    let device = model.network()?.centroids().device();
    let config = ClustererConfig::of(clusterer);
    let mut method = FittedBy::<B>::new(config, &device, clusterer.dtype());
    // Nor is a table whose values this method does not take for long, such as rows that all fall together
    // in this precision: what is known of the clusters otherwise is not refused for it.
    Ok(cluster_stability(&rows, &labels, none.len(), SEED, &mut method).unwrap_or(none))
}
