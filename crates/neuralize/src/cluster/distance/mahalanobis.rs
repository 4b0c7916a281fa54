//! The squared Mahalanobis distance of a diagonal covariance.

use burn::tensor::{DType, Tensor, backend::Backend};

use super::domain::Domain;
use super::separable::{Bregman, Separable};
use crate::transfer;

/// `w (x − m)²` with one weight a feature, 1 / its variance: the Mahalanobis
/// distance of a diagonal covariance, squared. The Bregman divergence of
/// φ(x) = w x².
#[derive(Debug)]
pub(super) struct Mahalanobis<B: Backend> {
    /// `[1, D]`
    weights: Tensor<B, 2>,
}

impl<B: Backend> Mahalanobis<B> {
    pub(super) fn new(weights: Tensor<B, 1>) -> Self {
        Self { weights: weights.unsqueeze() }
    }
}

impl<B: Backend> Separable<B> for Mahalanobis<B> {
    fn values(&self, x: Tensor<B, 2>, centroid: Tensor<B, 2>) -> Tensor<B, 2> {
        (x - centroid).square() * self.weights.clone()
    }

    fn domain(&self, dtype: DType, features: usize) -> Domain {
        let weights = transfer::download(self.weights.clone());
        let heaviest = weights.into_iter().fold(1.0, f64::max);
        let limit = transfer::largest(dtype) / (32.0 * features.max(1) as f64);
        Domain::up_to((limit / heaviest).sqrt(), "squares in units of the variance")
    }

    fn bregman(&self) -> Option<&dyn Bregman<B>> {
        Some(self)
    }
}

impl<B: Backend> Bregman<B> for Mahalanobis<B> {
    fn slopes(&self, centroids: Tensor<B, 2>, center: Tensor<B, 2>) -> Tensor<B, 2> {
        (centroids - center) * self.weights.clone() * 2.0
    }

    fn is_translation_invariant(&self) -> bool {
        true
    }
}
