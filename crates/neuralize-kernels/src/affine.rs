//! The linear layer that scores centroids, decisions by its scores, and sums by
//! cluster.

use std::sync::Arc;

use burn::tensor::{Int, Tensor, backend::Backend};

use super::keep::Keep;
use super::source::Source;
use super::transfer;

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
    /// Of centroids `[K, D]`, around a point that is near most of them.
    pub fn of(centroids: &Tensor<B, 2>) -> Self {
        let center = center_of(centroids);
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

/// The most centroids that a centre is chosen among, and the most differences that are formed for it.
const CANDIDATES: usize = 32;
const DIFFERENCES: usize = 1 << 22;

/// Where the centre of centroids is, `[1, D]`: at their mean, or at one of them from which the sum of the
/// distances to the others is smaller. A centroid that is far from all others draws the mean
/// with it, and its distance squared is the size of the terms that scores add up: in single precision,
/// the digits that tell the other centroids apart would be lost.
fn center_of<B: Backend>(centroids: &Tensor<B, 2>) -> Tensor<B, 2> {
    const NEARER: f64 = 0.99;
    let mean = centroids.clone().mean_dim(0);
    let [count, features] = centroids.dims();
    let most = CANDIDATES.min((DIFFERENCES / features.max(1)).isqrt());
    // Of two, both are far from the other.
    if count.min(most) < 3 {
        return mean;
    }
    let some = if count > most {
        let chosen: Vec<usize> = (0..most).map(|at| at * count / most).collect();
        centroids.clone().select(0, transfer::upload_indices(&chosen, &centroids.device()))
    } else {
        centroids.clone()
    };
    let places = Tensor::cat(vec![mean, some.clone()], 0);
    let apart = places.clone().unsqueeze_dim::<3>(1) - some.unsqueeze_dim::<3>(0);
    let sums = apart.square().sum_dim(2).sqrt().sum_dim(1).flatten::<1>(0, 2);
    let mut weights = vec![1.0; places.dims()[0]];
    weights[0] = NEARER;
    let shape = [weights.len()];
    let weights = transfer::upload(weights, shape, &centroids.device(), centroids.dtype());
    places.select(0, (sums * weights).argmin(0))
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

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::backend::Flex;
    use burn::tensor::DType;

    fn center(centroids: &[f64], width: usize) -> Vec<f64> {
        let shape = [centroids.len() / width, width];
        let tensor =
            transfer::upload::<Flex, 2>(centroids.to_vec(), shape, &Default::default(), DType::F64);
        transfer::download(center_of(&tensor))
    }

    #[test]
    fn a_far_centroid_does_not_move_the_centre() {
        // The nearer one of the two that are near one another.
        assert_eq!(center(&[1.0, 2.0, 1e6, 1e6, 3.0, 2.5], 2), [3.0, 2.5]);
        assert_eq!(center(&[-1e6, 0.0, 1.0, 3.0, 2e6], 1), [1.0]);
        // The mean of those that are near one another, and of two.
        assert_eq!(center(&[0.0, 0.0, 2.0, 0.0, 1.0, 3.0], 2), [1.0, 1.0]);
        assert_eq!(center(&[0.0, 1e6], 1), [5e5]);
        assert_eq!(center(&[7.0; 5], 1), [7.0]);
        // Of many, some are looked at.
        let mut many = vec![1.0; 1000];
        many[0] = 1e9;
        many[999] = -3e9;
        assert_eq!(center(&many, 1), [1.0]);
    }
}
