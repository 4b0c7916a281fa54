//! Sums and means over all rows, and the heuristic β.

use burn::tensor::{Int, Tensor, backend::Backend};

use super::blocks::{block_rows, blocks};
use super::dispatch::{feature_sums, own_distances};
use crate::transfer;

/// 1 / (weighted) mean of the points' logits, `[N]`; `None` if that mean is
/// not positive or the quotient is not finite.
pub fn heuristic_beta<B: Backend>(
    logits: Tensor<B, 1>,
    weights: Option<&Tensor<B, 1>>,
) -> Option<f64> {
    let dtype = logits.dtype();
    let rows = logits.dims()[0] as f64;
    let (sum, total) = match weights {
        Some(weights) => (sum(logits * weights.clone()), sum(weights.clone())),
        None => (sum(logits), rows),
    };
    let beta = total / sum;
    (sum > 0.0 && beta <= transfer::largest(dtype)).then_some(beta)
}

/// Sum of a column, block by block on the device and in f64 across blocks.
pub fn sum<B: Backend>(column: Tensor<B, 1>) -> f64 {
    let [rows] = column.dims();
    blocks(rows, block_rows(1 << 8))
        .map(|range| transfer::download(column.clone().slice([range]).sum())[0])
        .sum()
}

/// Weighted mean of every feature.
pub fn weighted_mean<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    total_weight: f64,
) -> Vec<f64> {
    let sums = feature_sums(x, None, weights, false);
    sums.into_iter().map(|sum| sum / total_weight).collect()
}

/// Weighted mean of the squares of all values around the centre.
pub fn mean_square<B: Backend>(
    x: &Tensor<B, 2>,
    center: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    total_weight: f64,
) -> f64 {
    let sums = feature_sums(x, Some(center), weights, true);
    sums.iter().sum::<f64>() / (total_weight * sums.len() as f64)
}

/// Weighted sums of every feature and of its squares around the centre.
pub fn sums_and_squares<B: Backend>(
    x: &Tensor<B, 2>,
    center: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
) -> (Vec<f64>, Vec<f64>) {
    let sums = |squares| feature_sums(x, Some(center), weights, squares);
    (sums(false), sums(true))
}

/// Weighted sum of squared distances to the assigned centroids.
pub fn inertia<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    weights: Option<&Tensor<B, 1>>,
    centroids: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
) -> f64 {
    if x.dims()[0] == 0 {
        return 0.0;
    }
    let distances = own_distances(x, center, centroids, labels);
    sum(match weights {
        Some(weights) => distances * weights.clone(),
        None => distances,
    })
}
