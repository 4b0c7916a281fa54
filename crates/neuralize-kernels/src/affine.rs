//! The linear layer that scores centroids, decisions by its scores, and sums by
//! cluster.

use std::sync::Arc;

use burn::tensor::{Int, Tensor, backend::Backend};

use super::keep::Keep;
use super::source::Source;

/// The linear layer that scores every centroid, `s_k = 2 x·μ_k − ‖μ_k‖²`: the
/// nearest centroid has the largest score, and differences of scores are
/// differences of squared distances, wherever the origin is.
pub struct Scores<B: Backend> {
    /// `2 μᵀ`, `[D, K]`.
    pub weight: Tensor<B, 2>,
    /// `−‖μ‖²`, `[K]`.
    pub bias: Tensor<B, 1>,
}

impl<B: Backend> Scores<B> {
    /// Of centroids `[K, D]`.
    pub fn of(centroids: Tensor<B, 2>) -> Self {
        let weight = centroids.transpose() * 2.0;
        let bias = bias_of(&weight);
        Self { weight, bias }
    }
}

/// The bias `−‖w_k / 2‖²` that belongs to a weight `[D, K]`.
pub fn bias_of<B: Backend>(weight: &Tensor<B, 2>) -> Tensor<B, 1> {
    (weight.clone() * 0.5).square().sum_dim(0).neg().squeeze_dim(0)
}

/// [`Scores`] around a centre, which saves the digits that a far origin costs.
pub struct Affine<B: Backend> {
    /// Subtracted from x, `[1, D]`.
    pub center: Tensor<B, 2>,
    /// Of the difference.
    pub scores: Scores<B>,
    /// What kernels derive from the layer.
    pub keep: Keep,
}

impl<B: Backend> Affine<B> {
    /// Of centroids `[K, D]`, around their mean.
    pub fn of(centroids: &Tensor<B, 2>) -> Self {
        let center = centroids.clone().mean_dim(0);
        let scores = Scores::of(centroids.clone() - center.clone());
        Self::new(center, scores)
    }

    /// Of scores around a given centre `[1, D]`.
    pub fn new(center: Tensor<B, 2>, scores: Scores<B>) -> Self {
        Self { center, scores, keep: Keep::default() }
    }

    /// The same layer, with what a module keeps for it.
    pub fn keeping(self, keep: &Keep) -> Self {
        Self { keep: keep.clone(), ..self }
    }

    /// [`of`](Self::of), kept for centroids in host memory that do not change.
    pub fn kept(centroids: &Tensor<B, 2>, keep: &Keep) -> Arc<Self> {
        let Some(source) = Source::of(centroids) else {
            return Arc::new(Self::of(centroids));
        };
        let kept = keep.get(
            |kept: &(Source, Arc<Self>)| kept.0.is(&source),
            || (source.clone(), Arc::new(Self::of(centroids))),
        );
        Arc::clone(&kept.1)
    }

    /// K
    pub fn clusters(&self) -> usize {
        self.scores.weight.dims()[1]
    }
}

/// The cluster of every row.
pub(crate) struct Decision<B: Backend> {
    /// The nearest centroid, `[N]`; the first of equally near ones.
    pub labels: Tensor<B, 1, Int>,
    /// The squared distance to the second nearest centroid less that to the nearest,
    /// `[N]`; computed on request.
    pub logits: Option<Tensor<B, 1>>,
}

/// Weighted sums of the points of each cluster: the only state from which
/// centroids are updated. Totals of blocks, files or machines are added.
pub struct Totals<B: Backend> {
    /// Σ w x per cluster, `[K, D]`.
    pub sums: Tensor<B, 2>,
    /// Σ w per cluster, `[K]`.
    pub weights: Tensor<B, 1>,
}
