//! The generalised Kullback-Leibler divergence.

use burn::tensor::{DType, Tensor, backend::Backend};

use super::domain::Domain;
use super::ratio::log_ratio;
use super::separable::{Bregman, Separable};
use crate::transfer;

/// Generalised Kullback-Leibler divergence, `x log(x/m) − x + m`, with
/// x log x = 0 at 0; the Bregman divergence of φ(x) = x log x − x.
///
/// A centroid is 0 only in a feature in which all centroids are. Such a feature
/// changes no decision, and its distance is set to 0.
#[derive(Debug)]
pub(super) struct KullbackLeibler;

impl<B: Backend> Separable<B> for KullbackLeibler {
    fn values(&self, x: Tensor<B, 2>, centroid: Tensor<B, 2>) -> Tensor<B, 2> {
        let tiny = transfer::smallest(x.dtype());
        let centroid = centroid.expand(x.dims());
        let at_zero = centroid.clone().lower_elem(tiny);
        let m = centroid.mask_fill(at_zero.clone(), 1.0);
        // For x = 0 the logarithm of anything will do: it is multiplied by 0.
        let positive = x.clone().mask_fill(x.clone().lower_elem(tiny), 1.0);
        let value = x.clone() * log_ratio(positive, m.clone()) - (x - m);
        value.mask_fill(at_zero, 0.0)
    }

    fn domain(&self, _: DType, _: usize) -> Domain {
        Domain {
            lowest: 0.0,
            highest: f64::INFINITY,
            rule: "the Kullback-Leibler divergence needs values of at least 0".into(),
        }
    }

    fn bregman(&self) -> Option<&dyn Bregman<B>> {
        Some(self)
    }
}

impl<B: Backend> Bregman<B> for KullbackLeibler {
    fn slopes(&self, centroids: Tensor<B, 2>, center: Tensor<B, 2>) -> Tensor<B, 2> {
        let center = center.expand(centroids.dims());
        log_ratio(centroids, center)
    }

    fn interior(&self, dtype: DType, _: usize) -> Domain {
        Domain {
            lowest: transfer::smallest(dtype),
            highest: f64::INFINITY,
            rule: "a centroid of 0 is infinitely far from every other value by the Kullback-Leibler divergence, \
                   so it must be above 0 wherever the centroids differ"
                .into(),
        }
    }

    fn smoothing(&self) -> f64 {
        1.0
    }
}
