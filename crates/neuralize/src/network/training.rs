use burn::tensor::{Bool, Tensor, backend::Backend};

use crate::kernel;

/// The support that every row is, as a mask; no column where it is none. Of
/// equal supports the first.
///
/// A training point comes back through a file and a scaler, perhaps in another
/// precision than that of the fit. Hence a row is a support if it differs from the
/// nearest one by no more than 64 roundings of f32, 8e-6, of the largest value
/// of all supports, in every feature.
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
    let shape = nearness.dims();
    let nearest = nearness.argmax(1);
    let apart = (x - supports.clone().select(0, nearest.clone().squeeze_dim(1))).abs().max_dim(1);
    let reach = supports.clone().abs().max() * (64.0 * f64::from(f32::EPSILON));
    let same = apart.lower_equal(reach.unsqueeze::<2>().expand([shape[0], 1]));
    kernel::is_own(nearest, shape[1]).bool_and(same.expand(shape))
}
