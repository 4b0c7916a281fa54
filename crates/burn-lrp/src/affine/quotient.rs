//! Division of relevance by an output.

use burn::tensor::{FloatDType, Tensor, backend::Backend};

/// `R / (z + ε sign z)`, with sign(0) = 1; without ε, 0 where z is 0.
///
/// A quotient is 0 where z is below the smallest normal number, which some backends flush.
/// Quotients stay a factor of 2^32 below the largest number, so
/// that products with them are not infinite, nor NaN where a weight is 0.
pub(crate) fn quotient<B: Backend, const D: usize>(
    relevance: Tensor<B, D>,
    z: Tensor<B, D>,
    epsilon: f64,
) -> Tensor<B, D> {
    let range = z.dtype().finfo().unwrap_or(FloatDType::F32.finfo());
    let z = if epsilon == 0.0 {
        z
    } else {
        let negative = z.clone().lower_elem(0.0);
        (z.clone() + epsilon).mask_where(negative, z - epsilon)
    };
    // An ordinary stabiliser keeps quotients in range by itself.
    if epsilon >= range.min_positive.cbrt() {
        return relevance / z;
    }
    let none = z.clone().abs().lower_elem(range.min_positive);
    let most = range.max / 2.0_f64.powi(32);
    (relevance / z.mask_fill(none.clone(), 1.0)).mask_fill(none, 0.0).clamp(-most, most)
}
