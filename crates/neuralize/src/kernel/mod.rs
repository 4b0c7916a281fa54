//! The heavy loops, over blocks of rows so that memory stays bounded.
//!
//! These are the default bodies in tensor operations, which serve every
//! backend. Nothing outside this module knows how a block is computed.

#[cfg(feature = "cubecl")]
mod gpu;

use core::ops::Range;

use burn::tensor::module::linear;
use burn::tensor::{BasicOps, Bool, DType, IndexingUpdateOp, Int, Tensor, backend::Backend};

use crate::transfer;

/// Elements of a block's widest intermediate tensor.
const BLOCK_ELEMENTS: usize = 1 << 20;

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

/// Weighted sums of the points of each cluster: the only state from which
/// centroids are updated. Totals of blocks, files or machines are added.
pub(crate) struct Totals<B: Backend> {
    /// Σ w x per cluster, `[K, D]`.
    pub(crate) sums: Tensor<B, 2>,
    /// Σ w per cluster, `[K]`.
    pub(crate) weights: Tensor<B, 1>,
}

impl<B: Backend> Totals<B> {
    fn zeros(clusters: usize, features: usize, device: &B::Device, dtype: DType) -> Self {
        Self {
            sums: transfer::zeros([clusters, features], device, dtype),
            weights: transfer::zeros([clusters], device, dtype),
        }
    }

    fn merge(self, other: Self) -> Self {
        Self { sums: self.sums + other.sums, weights: self.weights + other.weights }
    }
}

/// A relevance pass over all rows.
#[cfg(feature = "cubecl")]
pub(crate) struct Explained<B: Backend> {
    /// Relevance of every feature, `[N, D]`.
    pub(crate) relevance: Tensor<B, 2>,
    /// f_c of the explained cluster, `[N]`.
    pub(crate) logit: Tensor<B, 1>,
    /// The explained cluster, `[N]`.
    pub(crate) cluster: Tensor<B, 1, Int>,
    /// Share of every competitor, `[N, K]`.
    pub(crate) shares: Tensor<B, 2>,
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
    fn of(centroids: Tensor<B, 2>) -> Self {
        let weight = centroids.transpose() * 2.0;
        let bias = bias_of(&weight);
        Self { weight, bias }
    }

    /// Scores `[n, K]` of rows `[n, D]`.
    fn apply(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        linear(x, self.weight.clone(), Some(self.bias.clone()))
    }

    /// Squared distances `[n, K]` of rows `[n, D]`.
    fn distances(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let norms = x.clone().square().sum_dim(1);
        // Rounding can leave a small negative number where a point is on a centroid.
        (norms - self.apply(x)).clamp_min(0.0)
    }
}

/// The same around the mean of the centroids, which saves the digits that a far
/// origin costs.
pub(crate) struct Affine<B: Backend> {
    /// Subtracted from x, `[1, D]`.
    pub(crate) center: Tensor<B, 2>,
    /// Of what is left.
    pub(crate) scores: Scores<B>,
}

impl<B: Backend> Affine<B> {
    /// Of centroids `[K, D]`.
    pub(crate) fn of(centroids: &Tensor<B, 2>) -> Self {
        let center = centroids.clone().mean_dim(0);
        Self { scores: Scores::of(centroids.clone() - center.clone()), center }
    }

    fn apply(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.scores.apply(x - self.center.clone())
    }

    fn clusters(&self) -> usize {
        self.scores.weight.dims()[1]
    }
}

/// The bias `−‖w_k / 2‖²` that belongs to a weight `[D, K]`.
pub(crate) fn bias_of<B: Backend>(weight: &Tensor<B, 2>) -> Tensor<B, 1> {
    (weight.clone() * 0.5).square().sum_dim(0).neg().squeeze_dim(0)
}

/// Whether column `k` of a row is the given cluster.
///
/// # Shapes
///
/// - cluster: `[n, 1]`
/// - output: `[n, K]`
pub(crate) fn is_own<B: Backend>(
    cluster: Tensor<B, 2, Int>,
    clusters: usize,
) -> Tensor<B, 2, Bool> {
    let rows = cluster.dims()[0];
    Tensor::arange(0..clusters as i64, &cluster.device())
        .unsqueeze::<2>()
        .expand([rows, clusters])
        .equal(cluster.expand([rows, clusters]))
}

/// The score of the marked cluster of every row, `[n, 1]`.
///
/// # Shapes
///
/// - scores: `[n, K]`, own: `[n, K]`, true in one column a row
pub(crate) fn own_score<B: Backend>(
    scores: &Tensor<B, 2>,
    own: &Tensor<B, 2, Bool>,
) -> Tensor<B, 2> {
    let least = -transfer::largest(scores.dtype());
    scores.clone().mask_fill(own.clone().bool_not(), least).max_dim(1)
}

/// `f_c = min_{k≠c} (s_c − s_k)` for every cluster: the largest other score is
/// the largest of all, or for the largest itself the second.
///
/// # Shapes
///
/// - scores: `[n, K]`, K ≥ 2
/// - output: `[n, K]`
pub(crate) fn margins<B: Backend>(scores: Tensor<B, 2>) -> Tensor<B, 2> {
    let [rows, clusters] = scores.dims();
    let least = -transfer::largest(scores.dtype());
    let own = is_own(scores.clone().argmax(1), clusters);
    let first = scores.clone().max_dim(1).expand([rows, clusters]);
    let second = scores.clone().mask_fill(own.clone(), least).max_dim(1).expand([rows, clusters]);
    scores - first.mask_where(own, second)
}

/// The nearest centroid of every row, `[N]`.
pub(crate) fn nearest<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Tensor<B, 1, Int> {
    #[cfg(feature = "cubecl")]
    if let Some((labels, _)) = on_gpu(x, |x| gpu::nearest(x, Some(&affine.center), &affine.scores))
    {
        return labels;
    }
    let none = || transfer::upload_indices(&[], &x.device());
    map_rows(x, affine.clusters(), none, |block| affine.apply(block).argmax(1).squeeze_dim(1))
}

/// The kernels are for at least one row.
#[cfg(feature = "cubecl")]
fn on_gpu<B: Backend, T>(
    x: &Tensor<B, 2>,
    kernel: impl FnOnce(&Tensor<B, 2>) -> Option<T>,
) -> Option<T> {
    (x.dims()[0] > 0).then(|| kernel(x)).flatten()
}

/// The whole relevance pass by kernels, for at least one row; none where there
/// are none for the backend.
#[cfg(feature = "cubecl")]
pub(crate) fn relevance<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    cluster: Option<usize>,
    versus: Option<usize>,
    beta: f64,
) -> Option<Explained<B>> {
    gpu::relevance(x, &affine.center, &affine.scores, cluster, versus, beta)
}

/// Squared distances to every centroid, `[N, K]`.
pub(crate) fn squared_distances<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Tensor<B, 2> {
    let none = || transfer::zeros([0, affine.clusters()], &x.device(), affine.center.dtype());
    map_rows(x, affine.clusters(), none, |block| {
        affine.scores.distances(block - affine.center.clone())
    })
}

/// 1 / (weighted) mean of every point's own logit; none where that mean is not
/// positive or the quotient is not finite.
pub(crate) fn heuristic_beta<B: Backend>(
    x: &Tensor<B, 2>,
    weights: Option<&Tensor<B, 1>>,
    affine: &Affine<B>,
) -> Option<f64> {
    let logits = own_logits(x, affine);
    let rows = logits.dims()[0] as f64;
    let (sum, total) = match weights {
        Some(weights) => (sum(logits * weights.clone()), sum(weights.clone())),
        None => (sum(logits), rows),
    };
    let beta = total / sum;
    (sum > 0.0 && beta <= transfer::largest(x.dtype())).then_some(beta)
}

/// Every point's own logit, `[N]`.
fn own_logits<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Tensor<B, 1> {
    #[cfg(feature = "cubecl")]
    if let Some((_, margin)) = on_gpu(x, |x| gpu::nearest(x, Some(&affine.center), &affine.scores))
    {
        return margin;
    }
    let none = || transfer::zeros([0], &x.device(), x.dtype());
    map_rows(x, affine.clusters(), none, |block| {
        margins(affine.apply(block)).max_dim(1).squeeze_dim::<1>(1)
    })
}

/// Sum of a column, block by block on the device and in f64 across blocks.
fn sum<B: Backend>(column: Tensor<B, 1>) -> f64 {
    let [rows] = column.dims();
    blocks(rows, block_rows(1 << 8))
        .map(|range| transfer::download(column.clone().slice([range]).sum())[0])
        .sum()
}

/// A function of rows, block by block. Backends differ in what they do with no
/// rows at all, so for those the result is given.
pub(crate) fn map_rows<B: Backend, const R: usize, K: BasicOps<B>>(
    x: &Tensor<B, 2>,
    clusters: usize,
    of_no_rows: impl FnOnce() -> Tensor<B, R, K>,
    mut body: impl FnMut(Tensor<B, 2>) -> Tensor<B, R, K>,
) -> Tensor<B, R, K> {
    let [rows, features] = x.dims();
    let parts: Vec<_> = blocks(rows, block_rows(clusters + features))
        .map(|range| body(x.clone().slice([range, 0..features])))
        .collect();
    match parts.is_empty() {
        true => of_no_rows(),
        false => Tensor::cat(parts, 0),
    }
}

/// Weighted mean of every feature, added up in f64 across blocks.
pub(crate) fn weighted_mean<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    total_weight: f64,
) -> Vec<f64> {
    let sums = feature_sums(x, weights, |block| block);
    sums.into_iter().map(|sum| sum / total_weight).collect()
}

/// Weighted mean of the squares of all values.
pub(crate) fn mean_square<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    total_weight: f64,
) -> f64 {
    let sums = feature_sums(x, weights, Tensor::square);
    sums.iter().sum::<f64>() / (total_weight * sums.len() as f64)
}

fn feature_sums<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    of: impl Fn(Tensor<B, 2>) -> Tensor<B, 2>,
) -> Vec<f64> {
    let [rows, features] = x.dims();
    let mut sums = vec![0.0; features];
    for range in blocks(rows, block_rows(2 * features)) {
        let block = x.clone().slice([range.clone(), 0..features]);
        let weighted = of(block) * weights.clone().slice([range]).unsqueeze_dim(1);
        for (sum, part) in sums.iter_mut().zip(transfer::download(weighted.sum_dim(0))) {
            *sum += part;
        }
    }
    sums
}

/// Weighted sum of squared distances to the assigned centroids.
pub(crate) fn inertia<B: Backend>(
    x: &Tensor<B, 2>,
    weights: Option<&Tensor<B, 1>>,
    centroids: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
) -> f64 {
    if x.dims()[0] == 0 {
        return 0.0;
    }
    let distances = own_distances(x, centroids, labels);
    sum(match weights {
        Some(weights) => distances * weights.clone(),
        None => distances,
    })
}

/// One Lloyd step on centred data: the nearest centroid of every row, and the
/// totals per cluster.
///
/// # Shapes
///
/// - x: `[N, D]`, weights: `[N]`, centroids: `[K, D]`
/// - output: labels `[N]`, totals `[K, D]` and `[K]`
pub(crate) fn assign_and_sum<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    centroids: &Tensor<B, 2>,
) -> (Tensor<B, 1, Int>, Totals<B>) {
    let [rows, features] = x.dims();
    let [clusters, _] = centroids.dims();
    let (device, dtype) = (x.device(), x.dtype());
    let scores = Scores::of(centroids.clone());
    #[cfg(feature = "cubecl")]
    if let Some(step) = on_gpu(x, |x| gpu::assign_and_sum(x, weights, &scores)) {
        return step;
    }
    let step = block_rows(clusters + features);

    let mut labels = Vec::new();
    let mut totals = Totals::zeros(clusters, features, &device, dtype);
    for range in blocks(rows, step) {
        let block = x.clone().slice([range.clone(), 0..features]);
        let w = weights.clone().slice([range]);
        let label = scores.apply(block.clone()).argmax(1).squeeze_dim::<1>(1);
        let part = Totals::zeros(clusters, features, &device, dtype);
        totals = totals.merge(Totals {
            sums: part.sums.select_assign(
                0,
                label.clone(),
                block * w.clone().unsqueeze_dim(1),
                IndexingUpdateOp::Add,
            ),
            weights: part.weights.select_assign(0, label.clone(), w, IndexingUpdateOp::Add),
        });
        labels.push(label);
    }
    (Tensor::cat(labels, 0), totals)
}

/// Squared distance of every row to the centroid it is assigned to, from the
/// differences: exact where the expanded form loses digits.
///
/// # Shapes
///
/// - x: `[N, D]`, centroids: `[K, D]`, labels: `[N]`
/// - output: `[N]`
pub(crate) fn own_distances<B: Backend>(
    x: &Tensor<B, 2>,
    centroids: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
) -> Tensor<B, 1> {
    let [rows, features] = x.dims();
    let step = block_rows(2 * features);
    let parts = blocks(rows, step)
        .map(|range| {
            let own = centroids.clone().select(0, labels.clone().slice([range.clone()]));
            let block = x.clone().slice([range, 0..features]);
            (block - own).square().sum_dim(1).squeeze_dim::<1>(1)
        })
        .collect();
    Tensor::cat(parts, 0)
}

/// One step of greedy k-means++: the candidate that lowers the potential
/// `Σ w min(d², closest)` most, and the distances it leaves. On centred data.
///
/// # Shapes
///
/// - x: `[N, D]`, weights and closest: `[N]`, candidates: `[T, D]`
/// - output: index into the candidates, closest `[N]`
pub(crate) fn best_candidate<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    closest: Option<&Tensor<B, 1>>,
    candidates: &Tensor<B, 2>,
) -> (usize, Tensor<B, 1>) {
    let [rows, features] = x.dims();
    let [trials, _] = candidates.dims();
    let scores = Scores::of(candidates.clone());
    let step = block_rows(trials + features);

    let mut potentials = vec![0.0; trials];
    let mut left = Vec::new();
    for range in blocks(rows, step) {
        let block = x.clone().slice([range.clone(), 0..features]);
        let mut distances = scores.distances(block);
        if let Some(closest) = closest {
            let bound: Tensor<B, 2> = closest.clone().slice([range.clone()]).unsqueeze_dim(1);
            distances = distances.min_pair(bound.expand([range.len(), trials]));
        }
        let mass = distances.clone() * weights.clone().slice([range]).unsqueeze_dim(1);
        for (potential, part) in potentials.iter_mut().zip(transfer::download(mass.sum_dim(0))) {
            *potential += part;
        }
        left.push(distances);
    }
    let best =
        (1..trials).fold(0, |best, t| if potentials[t] < potentials[best] { t } else { best });
    let columns = left
        .into_iter()
        .map(|distances| {
            let n = distances.dims()[0];
            distances.slice([0..n, best..best + 1]).squeeze_dim::<1>(1)
        })
        .collect();
    (best, Tensor::cat(columns, 0))
}
