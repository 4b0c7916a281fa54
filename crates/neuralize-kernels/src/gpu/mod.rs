//! The heavy loops as GPU kernels, for every backend that runs on CubeCL.
//!
//! A backend is recognised by the type of its tensors, so the library's bound
//! stays `B: Backend`. A function returns `None` if its kernels do not apply
//! (another backend, a wrapper such as autodiff or fusion,
//! another element type than F32, more elements than a 32-bit index reaches);
//! the caller then computes with tensor operations.
//!
//! Every sum is taken in an order that depends on shapes alone, without atomic
//! operations: two runs agree bit for bit.

mod bridge;
mod midpoint;
mod min_pool;
mod nearest;
mod order;
mod relevance;
mod totals;

use burn::tensor::{Int, Tensor, backend::Backend};
use burn_cubecl::CubeRuntime;

use super::affine::{Affine, Totals};
use super::answer::{Question, TensorAnswer};
use relevance::explain_on;

/// Calls the function with each runtime that is compiled in, until one of them has
/// these tensors.
macro_rules! on_its_runtime {
    ($function:ident($($argument:expr),*)) => {{
        let found = None;
        #[cfg(feature = "wgpu")]
        let found = found.or_else(|| {
            $function::<burn_cubecl::cubecl::wgpu::WgpuRuntime, B>($($argument),*)
        });
        #[cfg(feature = "cuda")]
        let found = found.or_else(|| {
            $function::<burn_cubecl::cubecl::cuda::CudaRuntime, B>($($argument),*)
        });
        #[cfg(feature = "rocm")]
        let found = found.or_else(|| {
            $function::<burn_cubecl::cubecl::hip::HipRuntime, B>($($argument),*)
        });
        found
    }};
}

/// The runtime that a backend's tensors are on. The compiler decides it.
pub(super) fn runtime<B: Backend>() -> Option<&'static str> {
    let found = None;
    #[cfg(feature = "wgpu")]
    let found = found.or_else(|| named::<burn_cubecl::cubecl::wgpu::WgpuRuntime, B>("wgpu"));
    #[cfg(feature = "cuda")]
    let found = found.or_else(|| named::<burn_cubecl::cubecl::cuda::CudaRuntime, B>("cuda"));
    #[cfg(feature = "rocm")]
    let found = found.or_else(|| named::<burn_cubecl::cubecl::hip::HipRuntime, B>("rocm"));
    found
}

fn named<R: CubeRuntime, B: Backend>(name: &'static str) -> Option<&'static str> {
    use core::any::TypeId;
    let its = TypeId::of::<burn_cubecl::tensor::CubeTensor<R>>();
    (TypeId::of::<B::FloatTensorPrimitive>() == its).then_some(name)
}

/// The index of every row's largest score (the first of equal ones), and its lead
/// over the second largest; 0 if there is one cluster.
///
/// # Shapes
///
/// - x: `[N, D]`; N, D and K at least 1
/// - output: `[N]` and `[N]`
pub(super) fn nearest<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
) -> Option<(Tensor<B, 1, Int>, Tensor<B, 1>)> {
    on_its_runtime!(nearest_on(x, affine))
}

fn nearest_on<R: CubeRuntime, B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
) -> Option<(Tensor<B, 1, Int>, Tensor<B, 1>)> {
    let rows = bridge::primitive::<R, B, 2>(x)?;
    let center = bridge::primitive(&affine.center)?;
    let weight = bridge::primitive(&affine.scores.weight)?;
    let bias = bridge::primitive(&affine.scores.bias)?;
    let (labels, margin) = nearest::launch(rows, center, weight, bias);
    Some((bridge::indices(labels)?, bridge::tensor(margin)?))
}

/// One Lloyd step: the nearest centroid of every row, and the weighted sums of
/// the rows around the centre per cluster. x is read once for the labels (for every
/// 128 clusters) and once for the sums: see
/// [`nearest`](nearest::launch), [`order`](order::by_label) and
/// [`totals`](totals::launch) for the traffic.
///
/// # Shapes
///
/// - x: `[N, D]`, weights: `[N]`; N, D and K at least 1
/// - output: labels `[N]`, totals `[K, D]` and `[K]`
pub(super) fn assign_and_sum<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    affine: &Affine<B>,
) -> Option<(Tensor<B, 1, Int>, Totals<B>)> {
    on_its_runtime!(assign_and_sum_on(x, weights, affine))
}

fn assign_and_sum_on<R: CubeRuntime, B: Backend>(
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    affine: &Affine<B>,
) -> Option<(Tensor<B, 1, Int>, Totals<B>)> {
    let rows = bridge::primitive::<R, B, 2>(x)?;
    let row_weights = bridge::primitive(weights)?;
    let center = bridge::primitive(&affine.center)?;
    let weight = bridge::primitive(&affine.scores.weight)?;
    let bias = bridge::primitive(&affine.scores.bias)?;
    let clusters = affine.clusters();

    let (labels, _) = nearest::launch(rows.clone(), center.clone(), weight, bias);
    let order = order::by_label(&labels, clusters);
    let (sums, weights) = totals::launch(rows, center, row_weights, &labels, order, clusters);
    let totals = Totals { sums: bridge::tensor(sums)?, weights: bridge::tensor(weights)? };
    Some((bridge::indices(labels)?, totals))
}

/// The relevance pass for one cluster per row: the given one, or else the assigned
/// one; against all others by min-pooling, or against one alone. Memory beyond the
/// result is bounded.
///
/// # Shapes
///
/// - x: `[N, D]`; N and D at least 1, `None` for K below 2
pub(super) fn explain<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    question: Question,
) -> Option<TensorAnswer<B>> {
    on_its_runtime!(explain_on(x, affine, question))
}
