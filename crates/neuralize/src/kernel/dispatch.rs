//! The choice of a kernel: data in host memory go to fused kernels, data on a GPU
//! to theirs, everything else to tensor operations.

use burn::tensor::{Int, Tensor, backend::Backend};

use super::affine::{Affine, Decision, Totals};
use super::answer::{Question, TensorAnswer};
use super::cpu::Quantity;
#[cfg(feature = "cubecl")]
use super::gpu;
use super::{host, tensor};
use crate::transfer;

/// The nearest centroid of every row, `[N]`.
pub(crate) fn nearest<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Tensor<B, 1, Int> {
    decide(x, affine, false).labels
}

/// The nearest centroid of every row, and its logit; K at least 2.
pub(crate) fn nearest_with_logit<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
) -> (Tensor<B, 1, Int>, Tensor<B, 1>) {
    let Decision { labels, logits } = decide(x, affine, true);
    let none = || transfer::zeros([0], &x.device(), affine.center.dtype());
    (labels, logits.unwrap_or_else(none))
}

fn decide<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>, with_logits: bool) -> Decision<B> {
    if x.dims()[0] == 0 {
        return tensor::decide(x, affine, with_logits);
    }
    if let Some(decision) = host::decide(x, affine, with_logits) {
        return decision;
    }
    #[cfg(feature = "cubecl")]
    if let Some((labels, logits)) = gpu::nearest(x, affine) {
        return Decision { labels, logits: Some(logits) };
    }
    tensor::decide(x, affine, with_logits)
}

/// One Lloyd step: the nearest centroid of every row, and the totals per
/// cluster of the rows around the centre.
///
/// # Shapes
///
/// - x: `[N, D]`, weights: `[N]`
/// - output: labels `[N]`, totals `[K, D]` and `[K]`
pub(crate) fn assign_and_sum<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    affine: &Affine<B>,
) -> (Tensor<B, 1, Int>, Totals<B>) {
    if let Some(step) = host::assign_and_sum(x, weights, affine) {
        return step;
    }
    #[cfg(feature = "cubecl")]
    if let Some(step) = gpu::assign_and_sum(x, weights, affine) {
        return step;
    }
    tensor::assign_and_sum(x, weights, affine)
}

/// The whole relevance pass in one kernel; `None` if there is none for this tensor.
///
/// # Shapes
///
/// - x: `[N, D]`, N at least 1, K at least 2
pub(crate) fn explain<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    question: Question,
) -> Option<TensorAnswer<B>> {
    let answer = host::explain(x, affine, question);
    #[cfg(feature = "cubecl")]
    let answer = answer.or_else(|| gpu::explain(x, affine, question));
    answer
}

/// The logit of every cluster, `[N, K]`, in one kernel; `None` if there is none
/// for this tensor. K at least 2.
pub(crate) fn logits<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Option<Tensor<B, 2>> {
    host::quantities(x, affine, Quantity::Logit)
}

/// Squared distances to every centroid, `[N, K]`.
pub(crate) fn squared_distances<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Tensor<B, 2> {
    host::quantities(x, affine, Quantity::SquaredDistance)
        .unwrap_or_else(|| tensor::squared_distances(x, affine))
}

/// Weighted sum of every feature, or of its squares, around the centre if there is one.
pub(super) fn feature_sums<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    weights: &Tensor<B, 1>,
    squares: bool,
) -> Vec<f64> {
    host::feature_sums(x, center, weights, squares)
        .unwrap_or_else(|| tensor::feature_sums(x, center, weights, squares))
}

/// Squared distance of every row to the centroid it is assigned to, from the
/// differences: exact where the expanded form loses digits.
///
/// # Shapes
///
/// - x: `[N, D]`, center, if the centroids are relative to one: `[1, D]`,
///   centroids: `[K, D]`, labels: `[N]`
/// - output: `[N]`
pub(crate) fn own_distances<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    centroids: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
) -> Tensor<B, 1> {
    host::own_distances(x, center, centroids, labels)
        .unwrap_or_else(|| tensor::own_distances(x, center, centroids, labels))
}

/// Whether two tensors of labels are equal.
pub(crate) fn same_labels<B: Backend>(a: &Tensor<B, 1, Int>, b: &Tensor<B, 1, Int>) -> bool {
    host::same_labels(a, b).unwrap_or_else(|| transfer::all_true(a.clone().equal(b.clone())))
}

/// Whether all values are finite and their magnitudes at most `limit`.
pub(crate) fn all_within<B: Backend>(x: &Tensor<B, 2>, limit: f64) -> bool {
    host::all_within(x, limit).unwrap_or_else(|| tensor::all_within(x, limit))
}
