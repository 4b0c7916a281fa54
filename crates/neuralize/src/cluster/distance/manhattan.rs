//! The Manhattan distance, and the median.

use burn::tensor::{DType, Tensor, backend::Backend};

use super::domain::Domain;
use super::separable::Separable;

/// `|x − m|`, whose mean is the median.
#[derive(Debug)]
pub(super) struct Manhattan;

impl<B: Backend> Separable<B> for Manhattan {
    fn values(&self, x: Tensor<B, 2>, centroid: Tensor<B, 2>) -> Tensor<B, 2> {
        (x - centroid).abs()
    }

    fn domain(&self, _: DType, _: usize) -> Domain {
        Domain::everywhere()
    }

    fn mean(&self, values: &mut [f64]) -> f64 {
        median(values)
    }
}

/// The middle value, or halfway between the two of them.
pub(super) fn median(values: &mut [f64]) -> f64 {
    let middle = values.len() / 2;
    let even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if even {
        0.5 * (below.iter().copied().fold(f64::NEG_INFINITY, f64::max) + upper)
    } else {
        upper
    }
}
