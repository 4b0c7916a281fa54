//! Kernels as tensor operations, which serve every backend.

use burn::tensor::module::linear;
use burn::tensor::{Bool, IndexingUpdateOp, Int, Tensor, backend::Backend};

use super::affine::{Affine, Decision, Totals};
use super::blocks::{block_rows, blocks, map_rows};
use super::flag::Flag;
use crate::transfer;

impl<B: Backend> Totals<B> {
    fn merge(self, other: Self) -> Self {
        Self { sums: self.sums + other.sums, weights: self.weights + other.weights }
    }
}

impl<B: Backend> Affine<B> {
    /// Scores `[n, K]` of rows `[n, D]`.
    fn apply(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.apply_centred(x - self.center.clone())
    }

    /// Scores `[n, K]` of rows `[n, D]` around the centre.
    pub fn apply_centred(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        linear(x, self.scores.weight.clone(), Some(self.scores.bias.clone()))
    }
}

/// Whether column `k` of a row is the given cluster.
///
/// # Shapes
///
/// - cluster: `[n, 1]`
/// - output: `[n, K]`
pub fn is_own<B: Backend>(cluster: Tensor<B, 2, Int>, clusters: usize) -> Tensor<B, 2, Bool> {
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
pub fn own_score<B: Backend>(scores: &Tensor<B, 2>, own: &Tensor<B, 2, Bool>) -> Tensor<B, 2> {
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
pub fn margins<B: Backend>(scores: Tensor<B, 2>) -> Tensor<B, 2> {
    let [rows, clusters] = scores.dims();
    let least = -transfer::largest(scores.dtype());
    let own = is_own(scores.clone().argmax(1), clusters);
    let first = scores.clone().max_dim(1).expand([rows, clusters]);
    let second = scores.clone().mask_fill(own.clone(), least).max_dim(1).expand([rows, clusters]);
    scores - first.mask_where(own, second)
}

pub(super) fn decide<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    with_logits: bool,
) -> Decision<B> {
    let labels = map_rows(
        x,
        affine.clusters(),
        || transfer::upload_indices(&[], &x.device()),
        |block| affine.apply(block).argmax(1).squeeze_dim(1),
    );
    let logits = with_logits.then(|| {
        map_rows(
            x,
            affine.clusters(),
            || transfer::zeros([0], &x.device(), affine.center.dtype()),
            |block| margins(affine.apply(block)).max_dim(1).squeeze_dim::<1>(1),
        )
    });
    Decision { labels, logits }
}

pub(super) fn squared_distances<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Tensor<B, 2> {
    let none = || transfer::zeros([0, affine.clusters()], &x.device(), affine.center.dtype());
    map_rows(x, affine.clusters(), none, |block| {
        let centred = block - affine.center.clone();
        let norms = centred.clone().square().sum_dim(1);
        // Rounding can leave a small negative number where a point is on a centroid.
        (norms - affine.apply_centred(centred)).clamp_min(0.0)
    })
}

pub(super) fn feature_sums<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    weights: &Tensor<B, 1>,
    squares: bool,
) -> Vec<f64> {
    let [rows, features] = x.dims();
    let mut sums = vec![0.0; features];
    for range in blocks(rows, block_rows(2 * features)) {
        let block = around(x.clone().slice([range.clone(), 0..features]), center);
        let block = if squares { block.square() } else { block };
        let weighted = block * weights.clone().slice([range]).unsqueeze_dim(1);
        for (sum, part) in sums.iter_mut().zip(transfer::download(weighted.sum_dim(0))) {
            *sum += part;
        }
    }
    sums
}

fn around<B: Backend>(x: Tensor<B, 2>, center: Option<&Tensor<B, 2>>) -> Tensor<B, 2> {
    match center {
        Some(center) => x - center.clone(),
        None => x,
    }
}

pub(super) fn assign_and_sum<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    affine: &Affine<B>,
) -> (Tensor<B, 1, Int>, Totals<B>) {
    let [rows, features] = x.dims();
    let clusters = affine.clusters();
    let (device, dtype) = (x.device(), x.dtype());
    let zeros = || Totals {
        sums: transfer::zeros([clusters, features], &device, dtype),
        weights: transfer::zeros([clusters], &device, dtype),
    };
    let mut labels = Vec::new();
    let mut totals = zeros();
    for range in blocks(rows, block_rows(clusters + features)) {
        let block = x.clone().slice([range.clone(), 0..features]) - affine.center.clone();
        let w = weights.clone().slice([range]);
        let label = affine.apply_centred(block.clone()).argmax(1).squeeze_dim::<1>(1);
        let part = zeros();
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

pub(super) fn own_distances<B: Backend>(
    x: &Tensor<B, 2>,
    center: Option<&Tensor<B, 2>>,
    centroids: &Tensor<B, 2>,
    labels: &Tensor<B, 1, Int>,
) -> Tensor<B, 1> {
    let [rows, features] = x.dims();
    let parts = blocks(rows, block_rows(2 * features))
        .map(|range| {
            let own = centroids.clone().select(0, labels.clone().slice([range.clone()]));
            let block = around(x.clone().slice([range, 0..features]), center);
            (block - own).square().sum_dim(1).squeeze_dim::<1>(1)
        })
        .collect();
    Tensor::cat(parts, 0)
}

pub(super) fn within<B: Backend>(x: &Tensor<B, 2>, limit: f64) -> Flag<B> {
    let [rows, columns] = x.dims();
    // A NaN compares as false, so one comparison covers NaN and ±inf too.
    blocks(rows, block_rows(columns))
        .map(|range| {
            let block = x.clone().slice([range, 0..columns]);
            Flag::all(block.abs().lower_equal_elem(limit))
        })
        .collect()
}
