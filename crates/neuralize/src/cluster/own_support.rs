//! Which of the supports a row is, for decisions that leave it out.

use burn::tensor::{Bool, Tensor, backend::Backend};

use crate::kernel;

/// Marks the support that each row is: the first of equal supports, and no column for a row that is
/// not a support.
///
/// A training point may have gone through a file, a scaler and another precision than that of the
/// fit. Hence a row is a support if each of its features differs from the nearest support's by at
/// most 32 roundings of f32, 4e-6, of the sum of both values and of the feature's spread over the
/// supports. The spread is taken as (mean of √|u|)², which a few far values hardly widen.
///
/// # Shapes
///
/// - x: `[n, D]` and supports: `[M, D]`, around the same centre
/// - nearness: `[n, M]`, largest for the nearest support
/// - output: `[n, M]`
pub(crate) fn own_supports<B: Backend>(
    x: Tensor<B, 2>,
    supports: &Tensor<B, 2>,
    nearness: Tensor<B, 2>,
) -> Tensor<B, 2, Bool> {
    let (shape, wide) = (nearness.dims(), x.dims());
    let nearest = nearness.argmax(1);
    let spread = supports.clone().abs().sqrt().mean_dim(0).square().expand(wide);
    let support = supports.clone().select(0, nearest.clone().squeeze_dim(1));
    let size = x.clone().abs() + support.clone().abs() + spread;
    let beyond = (x - support).abs() - size * (32.0 * f64::from(f32::EPSILON));
    let same = beyond.max_dim(1).lower_equal_elem(0.0);
    kernel::is_own(nearest, shape[1]).bool_and(same.expand(shape))
}
