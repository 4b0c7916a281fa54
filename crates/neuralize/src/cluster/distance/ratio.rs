//! The logarithm of a quotient.

use burn::tensor::{Tensor, backend::Backend};

/// `log(a / b)` of positive numbers, to the last digits: for close numbers from
/// their difference, for others from two logarithms, because a quotient can
/// leave the precision's range.
///
/// # Shapes
///
/// - a, b: the same
pub(super) fn log_ratio<B: Backend>(a: Tensor<B, 2>, b: Tensor<B, 2>) -> Tensor<B, 2> {
    let excess = (a.clone() - b.clone()) / b.clone();
    let far = excess.clone().abs().greater_elem(0.5);
    let near = excess.mask_fill(far.clone(), 0.0).log1p();
    near.mask_where(far, a.log() - b.log())
}
