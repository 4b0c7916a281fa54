//! What a fit by a distance needs to know of every feature.

use burn::tensor::{Tensor, backend::Backend};

use crate::cluster::distance::Distance;
use crate::cluster::extremes::extremes;
use crate::data::is_constant;
use crate::error::{Error, Result};
use crate::{kernel, transfer};

/// Mean and variance of every feature.
pub(super) struct Spread {
    pub(super) mean: Vec<f64>,
    pub(super) variance: Vec<f64>,
    /// The largest value less the smallest.
    range: Vec<f64>,
    /// Whether all rows have the same value of the feature, up to rounding.
    pub(super) constant: Vec<bool>,
}

impl Spread {
    pub(super) fn of<B: Backend>(x: &Tensor<B, 2>, counts: &Tensor<B, 1>) -> Self {
        let [rows, features] = x.dims();
        let total = rows as f64;
        let mut mean = kernel::weighted_mean(x, counts, total);
        let center = transfer::upload(mean.clone(), [1, features], &x.device(), x.dtype());
        let (sums, squares) = kernel::sums_and_squares(x, &center, counts);
        let mut variance: Vec<f64> = sums
            .iter()
            .zip(squares)
            .map(|(sum, square)| (square / total - (sum / total).powi(2)).max(0.0))
            .collect();
        // The sums of a constant feature may round; its mean and variance must not.
        let (lowest, highest) = extremes(x);
        let epsilon = transfer::epsilon(x.dtype());
        let ends = lowest.iter().zip(&highest);
        let constant: Vec<bool> = ends.map(|(a, b)| is_constant(*a, *b, epsilon)).collect();
        for d in (0..features).filter(|d| constant[*d]) {
            (mean[d], variance[d]) = (lowest[d], 0.0);
        }
        let range = lowest.iter().zip(highest).map(|(low, high)| high - low).collect();
        Self { mean, variance, range, constant }
    }

    /// The weights of the features for a distance, `[D]`.
    pub(super) fn weights<B: Backend>(
        &self,
        distance: Distance,
        x: &Tensor<B, 2>,
    ) -> Result<Tensor<B, 1>> {
        let underflows = |d: &usize| self.variance[*d] == 0.0 && !self.constant[*d];
        if distance == Distance::Mahalanobis
            && let Some(column) = (0..self.mean.len()).find(underflows)
        {
            return Err(Error::Spread { column, value: self.range[column] });
        }
        let weights: Vec<f64> = match distance {
            Distance::Mahalanobis => self
                .variance
                .iter()
                .map(|variance| if *variance > 0.0 { 1.0 / variance } else { 0.0 })
                .collect(),
            _ => vec![1.0; self.mean.len()],
        };
        if weights.iter().any(|weight| *weight > transfer::largest(x.dtype())) {
            return Err(Error::Overflow);
        }
        let length = weights.len();
        Ok(transfer::upload(weights, [length], &x.device(), x.dtype()))
    }
}
