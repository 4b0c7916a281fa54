//! The heavy loops, behind one door.
//!
//! Data in host memory go to fused kernels ([`cpu`]), data on a GPU to theirs,
//! everything else to tensor operations, which serve every backend. Which of
//! them it is depends on the tensor's primitive alone ([`host`]); nothing
//! outside this module knows.

mod cpu;
#[cfg(feature = "cubecl")]
mod gpu;
mod host;
mod tensor;

use core::ops::Range;

use burn::tensor::{DType, Int, Tensor, backend::Backend};

use crate::transfer;

use cpu::Table;

pub(crate) use cpu::Question;
pub(crate) use tensor::{bias_of, is_own, map_rows, margins, own_score};

/// Elements of a block's widest intermediate tensor.
pub(crate) const BLOCK_ELEMENTS: usize = 1 << 20;

/// Rows of a block whose widest intermediate tensor has `columns` columns.
pub(crate) fn block_rows(columns: usize) -> usize {
    (BLOCK_ELEMENTS / columns.max(1)).clamp(64, 1 << 16)
}

/// `0..rows` cut into blocks of at most `step` rows.
pub(crate) fn blocks(rows: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(step).map(move |start| start..(start + step).min(rows))
}

/// Whether the device computes F64 as IEEE 754 says.
///
/// Some devices claim F64 and return garbage from its transcendental
/// functions, so the claim is tried instead of believed.
pub(crate) fn computes_f64<B: Backend>(device: &B::Device) -> bool {
    const POINTS: [f64; 4] = [-0.5, -2.0, -13.0, 0.75];
    if !B::supports_dtype(device, DType::F64) {
        return false;
    }
    let points = transfer::upload::<B, 1>(POINTS.to_vec(), [POINTS.len()], device, DType::F64);
    if points.dtype() != DType::F64 {
        return false;
    }
    transfer::download(points.exp())
        .iter()
        .zip(POINTS)
        .all(|(found, point)| (found - point.exp()).abs() <= 1e-13 * point.exp())
}

/// Whether the numbers of a tensor lie in host memory, where f64 is always at
/// hand and right.
pub(crate) fn in_host_memory<B: Backend>(x: &Tensor<B, 2>) -> bool {
    host::holds(&x.clone().slice([0..1, 0..1]))
}

/// Weighted sums of the points of each cluster: the only state from which
/// centroids are updated. Totals of blocks, files or machines are added.
pub(crate) struct Totals<B: Backend> {
    /// Σ w x per cluster, `[K, D]`.
    pub(crate) sums: Tensor<B, 2>,
    /// Σ w per cluster, `[K]`.
    pub(crate) weights: Tensor<B, 1>,
}

/// The linear layer that scores every centroid, `s_k = 2 x·μ_k − ‖μ_k‖²`: the
/// nearest centroid has the largest score, and differences of scores are
/// differences of squared distances, wherever the origin is.
pub(crate) struct Scores<B: Backend> {
    /// `2 μᵀ`, `[D, K]`.
    pub(crate) weight: Tensor<B, 2>,
    /// `−‖μ‖²`, `[K]`.
    pub(crate) bias: Tensor<B, 1>,
}

impl<B: Backend> Scores<B> {
    /// Of centroids `[K, D]`.
    pub(crate) fn of(centroids: Tensor<B, 2>) -> Self {
        let weight = centroids.transpose() * 2.0;
        let bias = bias_of(&weight);
        Self { weight, bias }
    }
}

/// The same around a centre, which saves the digits that a far origin costs.
pub(crate) struct Affine<B: Backend> {
    /// Subtracted from x, `[1, D]`.
    pub(crate) center: Tensor<B, 2>,
    /// Of what is left.
    pub(crate) scores: Scores<B>,
}

impl<B: Backend> Affine<B> {
    /// Of centroids `[K, D]`, around their mean.
    pub(crate) fn of(centroids: &Tensor<B, 2>) -> Self {
        let center = centroids.clone().mean_dim(0);
        Self { scores: Scores::of(centroids.clone() - center.clone()), center }
    }

    /// K
    pub(crate) fn clusters(&self) -> usize {
        self.scores.weight.dims()[1]
    }
}

/// What a clusterer says of every row.
pub(crate) struct Decision<B: Backend> {
    /// The nearest centroid, `[N]`; the first of equally near ones.
    pub(crate) labels: Tensor<B, 1, Int>,
    /// By how much it is nearer than the second nearest in squared distance,
    /// `[N]`; only where it was asked for.
    pub(crate) logits: Option<Tensor<B, 1>>,
}

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

/// What a relevance pass gives.
pub(crate) struct Explained<B: Backend> {
    /// `[N, D]`
    pub(crate) relevance: Tensor<B, 2>,
    /// `[N]`
    pub(crate) logit: Tensor<B, 1>,
    /// `[N]`
    pub(crate) cluster: Tensor<B, 1, Int>,
    /// `[N, K]`
    pub(crate) shares: Tensor<B, 2>,
}

/// The whole relevance pass in one kernel, where there is one for this tensor.
///
/// # Shapes
///
/// - x: `[N, D]`, N at least 1, K at least 2
pub(crate) fn explain<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    question: Question,
) -> Option<Explained<B>> {
    let explained = host::explain(x, affine, question);
    #[cfg(feature = "cubecl")]
    let explained = explained.or_else(|| gpu::explain(x, affine, question));
    explained
}

/// What a relevance pass through clusters of many supports gives.
pub(crate) struct ExplainedSupports<B: Backend> {
    /// `[N, D]`
    pub(crate) relevance: Tensor<B, 2>,
    /// `[N]`
    pub(crate) logit: Tensor<B, 1>,
    /// `[N]`
    pub(crate) cluster: Tensor<B, 1, Int>,
    /// `[N, K]`
    pub(crate) shares: Tensor<B, 2>,
    /// What the guard keeps from the features, `[N]`: the relevances of a row
    /// and this add up to the logit.
    pub(crate) absorbed: Tensor<B, 1>,
}

/// The whole relevance pass for clusters that are described by many supports
/// each, in one kernel; none where the tensors are not in host memory.
///
/// # Shapes
///
/// - x: `[N, D]`, N at least 1; affine: of the M supports, those of a cluster side by side
/// - sizes: `[K]`, the numbers of supports, K at least 2
pub(crate) fn explain_supports<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
    question: Question,
) -> Option<ExplainedSupports<B>> {
    host::explain_supports(x, affine, sizes, gamma, question)
}

/// The score of every cluster, `[N, K]`: the soft maximum, of stiffness γ, of
/// the scores of its supports; none where the tensors are not in host memory.
///
/// # Shapes
///
/// As of [`explain_supports`], K at least 1.
pub(crate) fn support_scores<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    sizes: &[usize],
    gamma: f64,
) -> Option<Tensor<B, 2>> {
    host::support_scores(x, affine, sizes, gamma)
}

/// The logit of every cluster, `[N, K]`, in one kernel, where there is one for
/// this tensor; K at least 2.
pub(crate) fn logits<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Option<Tensor<B, 2>> {
    host::table(x, affine, Table::Logits)
}

/// Squared distances to every centroid, `[N, K]`.
pub(crate) fn squared_distances<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Tensor<B, 2> {
    host::table(x, affine, Table::Distances).unwrap_or_else(|| tensor::squared_distances(x, affine))
}

/// 1 / (weighted) mean of every point's own logit, `[N]`; none where that mean
/// is not positive or the quotient is not finite.
pub(crate) fn heuristic_beta<B: Backend>(
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
pub(crate) fn sum<B: Backend>(column: Tensor<B, 1>) -> f64 {
    let [rows] = column.dims();
    blocks(rows, block_rows(1 << 8))
        .map(|range| transfer::download(column.clone().slice([range]).sum())[0])
        .sum()
}

/// Weighted mean of every feature.
pub(crate) fn weighted_mean<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    total_weight: f64,
) -> Vec<f64> {
    let sums = feature_sums(x, None, weights, false);
    sums.into_iter().map(|sum| sum / total_weight).collect()
}

/// Weighted mean of the squares of all values around the centre.
pub(crate) fn mean_square<B: Backend>(
    x: &Tensor<B, 2>,
    center: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    total_weight: f64,
) -> f64 {
    let sums = feature_sums(x, Some(center), weights, true);
    sums.iter().sum::<f64>() / (total_weight * sums.len() as f64)
}

/// Weighted sums of every feature and of its squares around the centre.
pub(crate) fn sums_and_squares<B: Backend>(
    x: &Tensor<B, 2>,
    center: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
) -> (Vec<f64>, Vec<f64>) {
    let sums = |squares| feature_sums(x, Some(center), weights, squares);
    (sums(false), sums(true))
}

fn feature_sums<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    weights: &Tensor<B, 1>,
    squares: bool,
) -> Vec<f64> {
    host::feature_sums(x, center, weights, squares)
        .unwrap_or_else(|| tensor::feature_sums(x, center, weights, squares))
}

/// Weighted sum of squared distances to the assigned centroids.
pub(crate) fn inertia<B: Backend>(
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

/// Rows chosen as seeds by greedy k-means++; fewer where the others are equal
/// to them.
///
/// # Shapes
///
/// - x: `[n, D]`, center: `[1, D]`, weights: `[n]`
pub(crate) fn greedy_seeds<B: Backend>(
    x: &Tensor<B, 2>,
    center: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    seeds: usize,
    uniform: impl FnMut() -> f64,
) -> Vec<usize> {
    host::greedy_seeds(x, center, weights, seeds, uniform)
}

/// Squared distance of every row to the centroid it is assigned to, from the
/// differences: exact where the expanded form loses digits.
///
/// # Shapes
///
/// - x: `[N, D]`, center, if the centroids are around one: `[1, D]`, centroids: `[K, D]`,
///   labels: `[N]`
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

/// Whether two lists of labels are the same.
pub(crate) fn same_labels<B: Backend>(a: &Tensor<B, 1, Int>, b: &Tensor<B, 1, Int>) -> bool {
    host::same_labels(a, b).unwrap_or_else(|| transfer::all_true(a.clone().equal(b.clone())))
}

/// Whether all values are finite and of at most this magnitude.
pub(crate) fn all_within<B: Backend>(x: &Tensor<B, 2>, limit: f64) -> bool {
    host::all_within(x, limit).unwrap_or_else(|| tensor::all_within(x, limit))
}
