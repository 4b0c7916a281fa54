//! The logistic loss.

use burn::tensor::{DType, Tensor, backend::Backend};

use super::domain::Domain;
use super::ratio::log_ratio;
use super::separable::{Bregman, Separable};
use crate::transfer;

/// Logistic loss, `x log(x/m) + (1 − x) log((1 − x)/(1 − m))` with
/// 0 log 0 = 0, the Bregman divergence of φ(x) = x log x + (1 − x) log(1 − x).
///
/// A centroid is 0 or 1 only in a feature in which all centroids are. Such a
/// feature changes no decision, and its distance is set to 0.
#[derive(Debug)]
pub(super) struct Logistic;

impl<B: Backend> Separable<B> for Logistic {
    fn values(&self, x: Tensor<B, 2>, centroid: Tensor<B, 2>) -> Tensor<B, 2> {
        let tiny = transfer::smallest(x.dtype());
        let centroid = centroid.expand(x.dims());
        let edge =
            centroid.clone().lower_elem(tiny).bool_or(centroid.clone().greater_equal_elem(1.0));
        let m = centroid.mask_fill(edge.clone(), 0.5);
        let part = |x: Tensor<B, 2>, m: Tensor<B, 2>| {
            let positive = x.clone().mask_fill(x.clone().lower_elem(tiny), 1.0);
            x * log_ratio(positive, m)
        };
        let value = part(x.clone(), m.clone()) + part(one_minus(x), one_minus(m));
        value.mask_fill(edge, 0.0)
    }

    fn domain(&self, dtype: DType, _: usize) -> Domain {
        // A scaler to the range 0 to 1 may round to just outside of it.
        let rounding = 4.0 * transfer::epsilon(dtype);
        Domain {
            lowest: -rounding,
            highest: 1.0 + rounding,
            rule:
                "the logistic loss needs values from 0 to 1; scale the data to that range (minmax)"
                    .into(),
        }
    }

    fn bregman(&self) -> Option<&dyn Bregman<B>> {
        Some(self)
    }
}

impl<B: Backend> Bregman<B> for Logistic {
    fn slopes(&self, centroids: Tensor<B, 2>, center: Tensor<B, 2>) -> Tensor<B, 2> {
        let center = center.expand(centroids.dims());
        log_ratio(centroids.clone(), center.clone())
            - log_ratio(one_minus(centroids), one_minus(center))
    }

    fn interior(&self, dtype: DType, _: usize) -> Domain {
        Domain {
            lowest: transfer::smallest(dtype),
            // The number before 1.
            highest: 1.0 - 0.5 * transfer::epsilon(dtype),
            rule: "a centroid of 0 or 1 is infinitely far from every other value by the logistic loss, \
                   so it must lie between wherever the centroids differ"
                .into(),
        }
    }

    fn smoothing(&self) -> f64 {
        1.0
    }
}

fn one_minus<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 2> {
    x.neg() + 1.0
}
