//! Room around and between the elements of a dimension, for windows and kernels.
//!
//! Burn pads with zeros of the default precision, which may be another than that of the
//! tensor.

use burn::tensor::{Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::layer::around;

/// Padding that keeps `ceil(size / stride)` positions, the odd one at the end.
pub(crate) fn same(kernel: usize, stride: usize, size: usize) -> (usize, usize) {
    let positions = size.div_ceil(stride.max(1)).max(1);
    let total = ((positions - 1) * stride + kernel).saturating_sub(size);
    (total / 2, total - total / 2)
}

/// A constant before and after a dimension.
pub(crate) fn surrounded<B: Backend>(
    x: &AnyTensor<B>,
    dim: usize,
    before: usize,
    after: usize,
    value: f64,
) -> AnyTensor<B> {
    if before + after == 0 {
        return x.clone();
    }
    let dims = x.dims();
    let [outer, size, inner] = around(&dims, dim);
    let more = |size| Tensor::<B, 3>::full([outer, size, inner], value, (&x.device(), x.dtype()));
    let mut parts = vec![x.view([outer, size, inner])];
    if before > 0 {
        parts.insert(0, more(before));
    }
    if after > 0 {
        parts.push(more(after));
    }
    AnyTensor::from(Tensor::cat(parts, 1)).shaped(&resized(dims, dim, size + before + after))
}

/// Zeros between the elements of a dimension, so that they are `stride` apart.
pub(crate) fn spread<B: Backend>(x: &AnyTensor<B>, dim: usize, stride: usize) -> AnyTensor<B> {
    if stride == 1 {
        return x.clone();
    }
    let dims = x.dims();
    let [before, size, after] = around(&dims, dim);
    let zeros = Tensor::zeros([before, size, stride - 1, after], (&x.device(), x.dtype()));
    let wide = Tensor::cat(vec![x.view([before, size, 1, after]), zeros], 2);
    let length = (size - 1) * stride + 1;
    let wide = wide.reshape([before, size * stride, after]).narrow(1, 0, length);
    AnyTensor::from(wide).shaped(&resized(dims, dim, length))
}

/// The dimensions with another size in one place.
pub(crate) fn resized(mut dims: Vec<usize>, dim: usize, size: usize) -> Vec<usize> {
    dims[dim] = size;
    dims
}
