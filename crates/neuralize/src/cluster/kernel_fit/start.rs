//! First partitions for kernel k-means.

use burn::tensor::{Tensor, backend::Backend};
use rand_chacha::ChaCha8Rng;

use super::eigenvectors::leading_vectors;
use super::matrix::KernelMatrix;
use crate::cluster::config::KMeansConfig;
use crate::cluster::{partition, seeding};
use crate::error::{Error, Result};
use crate::random::{self, subset, uniform};
use crate::{kernel, transfer};

/// Maximum number of rows of the sample that a spectral start is found on. The
/// kernel matrix of a sample of this size is kept.
const SAMPLE: usize = 1000;

/// Maximum number of clusters of a spectral start.
const MOST_VECTORS: usize = 100;

/// Labels from the spectral relaxation on a sample. The other rows join the
/// cluster of the largest mean similarity. `None` if the eigenvectors do not tell
/// K clusters apart.
pub(super) fn spectral_start<B: Backend>(
    matrix: &KernelMatrix<'_, B>,
    clusters: usize,
    seed: u64,
    rng: &mut ChaCha8Rng,
) -> Result<Option<Vec<usize>>> {
    let x = matrix.x;
    let rows = x.dims()[0];
    let chosen = subset(rows, SAMPLE.min(rows), rng);
    let count = chosen.len();
    // Time grows with the cube of the number of eigenvectors.
    if clusters < 2 || clusters > count.min(MOST_VECTORS) {
        return Ok(None);
    }
    let sample = x.clone().select(0, transfer::upload_indices(&chosen, &x.device()));
    let sampled = KernelMatrix::of(&sample, matrix.gamma);
    let matrix = sampled.whole();
    let scale = matrix.clone().sum_dim(1).sqrt();
    let scale = scale.ones_like() / scale;
    let normalised = matrix * scale.clone() * scale.clone().transpose();
    let mut embedding = leading_vectors(&normalised, clusters, rng);
    let scales = transfer::download(scale);
    for (row, scale) in embedding.chunks_exact_mut(clusters).zip(&scales) {
        row.iter_mut().for_each(|value| *value *= scale);
    }
    let embedding = transfer::upload::<B, 2>(embedding, [count, clusters], &x.device(), x.dtype());
    let fit = match KMeansConfig::new(clusters).with_seed(seed).fit(&embedding) {
        Ok(fit) => fit,
        Err(Error::TooFewPoints { .. }) => return Ok(None),
        Err(error) => return Err(error),
    };
    let labels = transfer::download_indices(fit.labels);
    if count == rows {
        return Ok(Some(labels));
    }
    let memberships = partition::memberships(&labels, clusters);
    let table = transfer::upload(memberships, [count, clusters], &x.device(), x.dtype());
    let similar = |block: Tensor<B, 2>| sampled.of_rows(&block).matmul(table.clone());
    let none = || transfer::upload_indices(&[], &x.device());
    Ok(Some(transfer::download_indices(kernel::map_rows(x, count, none, |block| {
        similar(block).argmax(1).squeeze_dim(1)
    }))))
}

/// Labels by the nearest of K seeds, which k-means++ chooses in the space of φ:
/// the squared distance is `2 − 2 k(x, s)`.
pub(super) fn plus_plus_start<B: Backend>(
    matrix: &KernelMatrix<'_, B>,
    clusters: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<usize> {
    let rows = matrix.x.dims()[0];
    let mut labels = vec![0; rows];
    let mut nearest = vec![f64::INFINITY; rows];
    let mut seed = random::index(rows, rng);
    for cluster in 0..clusters {
        for (row, distance) in matrix.distances_to(seed).into_iter().enumerate() {
            if distance < nearest[row] {
                nearest[row] = distance;
                labels[row] = cluster;
            }
        }
        nearest[seed] = 0.0;
        let mass: Vec<f64> =
            nearest.iter().map(|distance| -2.0 * (-matrix.gamma * distance).exp_m1()).collect();
        seed = seeding::position(&mass, uniform(rng) * mass.iter().sum::<f64>());
    }
    labels
}
