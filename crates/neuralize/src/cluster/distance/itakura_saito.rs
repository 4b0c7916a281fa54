//! The Itakura-Saito divergence.

use burn::tensor::{DType, Tensor, backend::Backend};

use super::domain::Domain;
use super::ratio::log_ratio;
use super::separable::{Bregman, Separable};
use crate::transfer;

/// Itakura-Saito divergence, `x/m − log(x/m) − 1`, the Bregman divergence of
/// φ(x) = −log x. Scaling a feature changes nothing.
#[derive(Debug)]
pub(super) struct ItakuraSaito;

impl<B: Backend> Separable<B> for ItakuraSaito {
    fn values(&self, x: Tensor<B, 2>, centroid: Tensor<B, 2>) -> Tensor<B, 2> {
        let m = centroid.expand(x.dims());
        (x.clone() - m.clone()) / m.clone() - log_ratio(x, m)
    }

    fn domain(&self, dtype: DType, features: usize) -> Domain {
        // A ratio must not overflow: the smallest value is the inverse of the
        // largest, which is one that can be squared.
        let lowest = (32.0 * features.max(1) as f64 / transfer::largest(dtype)).sqrt();
        Domain {
            lowest,
            highest: f64::INFINITY,
            rule: format!(
                "the Itakura-Saito divergence needs values above 0 (in this precision, of at least {lowest:.1e})"
            ),
        }
    }

    fn bregman(&self) -> Option<&dyn Bregman<B>> {
        Some(self)
    }
}

impl<B: Backend> Bregman<B> for ItakuraSaito {
    fn slopes(&self, centroids: Tensor<B, 2>, center: Tensor<B, 2>) -> Tensor<B, 2> {
        // 1/z − 1/m
        (centroids.clone() - center.clone()) / centroids / center
    }
}
