//! The squared Euclidean distance.

use burn::tensor::{DType, Tensor, backend::Backend};

use super::domain::Domain;
use super::separable::{Bregman, Separable};

/// `(x − m)²`, the Bregman divergence of φ(x) = x².
#[derive(Debug)]
pub(super) struct SquaredEuclidean;

impl<B: Backend> Separable<B> for SquaredEuclidean {
    fn values(&self, x: Tensor<B, 2>, centroid: Tensor<B, 2>) -> Tensor<B, 2> {
        (x - centroid).square()
    }

    fn domain(&self, _: DType, _: usize) -> Domain {
        Domain::everywhere()
    }

    fn bregman(&self) -> Option<&dyn Bregman<B>> {
        Some(self)
    }
}

impl<B: Backend> Bregman<B> for SquaredEuclidean {
    fn slopes(&self, centroids: Tensor<B, 2>, center: Tensor<B, 2>) -> Tensor<B, 2> {
        (centroids - center) * 2.0
    }

    fn is_translation_invariant(&self) -> bool {
        true
    }
}
