//! The last step of the midpoint rule.

use burn_cubecl::cubecl;
use burn_cubecl::cubecl::prelude::*;
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};

use super::bridge;

/// `R = a (M∘M) − 2 x∘(a M)`, for a block of rows that begins at row `first`.
///
/// Global memory for n rows: `12 n D` bytes read and `4 n D` written.
///
/// # Shapes
///
/// - x: `[n, D]`, products: `a [M∘M | M]`, `[n, 2 D]`
/// - relevance: `[N, D]`, of which n rows are filled in
pub(super) fn launch<R: CubeRuntime>(
    x: CubeTensor<R>,
    products: CubeTensor<R>,
    relevance: &CubeTensor<R>,
    first: usize,
) {
    let client = x.client.clone();
    let elements = x.meta.num_elements();
    midpoint_kernel::launch::<R>(
        &client,
        bridge::groups_of_units(elements),
        bridge::units(),
        x.into_tensor_arg(),
        products.into_tensor_arg(),
        relevance.clone().into_array_arg(),
        first as u32,
    );
}

#[cube(launch)]
fn midpoint_kernel(
    x: &Tensor<f32>,
    products: &Tensor<f32>,
    relevance: &mut Array<f32>,
    first: u32,
) {
    let features = x.shape(1);
    let row = ABSOLUTE_POS / features;
    let d = ABSOLUTE_POS % features;
    if row < x.shape(0) {
        let value = x[row * x.stride(0) + d * x.stride(1)];
        let start = row * products.stride(0);
        let step = products.stride(1);
        relevance[(first as usize + row) * features + d] =
            products[start + d * step] - 2.0f32 * value * products[start + (features + d) * step];
    }
}
