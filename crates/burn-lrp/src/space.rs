//! Padding, strides and dilation along dimensions of space, for convolutions and pooling.
//!
//! Burn pads with zeros of the default precision, which may differ from that of the tensor.

use burn::nn::{PaddingConfig1d, PaddingConfig2d, PaddingConfig3d};
use burn::tensor::{Tensor, backend::Backend};

use crate::any::{AnyTensor, around};

/// Padding before and after every dimension of space.
pub(crate) type Padding<const S: usize> = [(usize, usize); S];

/// How a kernel or window moves along one dimension of space.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Axis {
    pub(crate) kernel: usize,
    pub(crate) stride: usize,
    pub(crate) dilation: usize,
    pub(crate) before: usize,
    pub(crate) after: usize,
    /// The size of the input.
    pub(crate) input: usize,
    /// The number of positions.
    pub(crate) output: usize,
}

impl Axis {
    /// An axis with as many positions as fit into the padded input, and one more for a remainder if
    /// `ceil`; `None` if the kernel does not fit. All but the padding is at least 1.
    pub(crate) fn new(
        [kernel, stride, dilation]: [usize; 3],
        (before, after): (usize, usize),
        input: usize,
        ceil: bool,
    ) -> Option<Self> {
        let axis = Self { kernel, stride, dilation, before, after, input, output: 0 };
        let room = axis.padded().checked_sub(axis.reach() + 1)?;
        let output = if ceil { room.div_ceil(stride) } else { room / stride } + 1;
        Some(Self { output, ..axis })
    }

    /// The size of the input with its padding.
    pub(crate) fn padded(&self) -> usize {
        self.input + self.before + self.after
    }

    /// How far a kernel reaches beyond its first element.
    pub(crate) fn reach(&self) -> usize {
        (self.kernel - 1) * self.dilation
    }
}

pub(crate) fn padding_1d(
    padding: &PaddingConfig1d,
    size: [usize; 1],
    kernel: [usize; 1],
    stride: [usize; 1],
) -> Padding<1> {
    match padding {
        PaddingConfig1d::Valid => [(0, 0)],
        PaddingConfig1d::Explicit(left, right) => [(*left, *right)],
        PaddingConfig1d::Same => same_each(size, kernel, stride),
    }
}

pub(crate) fn padding_2d(
    padding: &PaddingConfig2d,
    size: [usize; 2],
    kernel: [usize; 2],
    stride: [usize; 2],
) -> Padding<2> {
    match padding {
        PaddingConfig2d::Valid => [(0, 0); 2],
        PaddingConfig2d::Explicit(top, left, bottom, right) => [(*top, *bottom), (*left, *right)],
        PaddingConfig2d::Same => same_each(size, kernel, stride),
    }
}

pub(crate) fn padding_3d(
    padding: &PaddingConfig3d,
    size: [usize; 3],
    kernel: [usize; 3],
    stride: [usize; 3],
) -> Padding<3> {
    match padding {
        PaddingConfig3d::Valid => [(0, 0); 3],
        PaddingConfig3d::Explicit(depth, height, width) => {
            [depth, height, width].map(|size| (*size, *size))
        }
        PaddingConfig3d::Same => same_each(size, kernel, stride),
    }
}

fn same_each<const S: usize>(
    size: [usize; S],
    kernel: [usize; S],
    stride: [usize; S],
) -> Padding<S> {
    std::array::from_fn(|d| same(kernel[d], stride[d], size[d]))
}

/// Padding that keeps `ceil(size / stride)` positions; an odd one goes to the end.
fn same(kernel: usize, stride: usize, size: usize) -> (usize, usize) {
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

/// The dimensions, one of them with another size.
pub(crate) fn resized(mut dims: Vec<usize>, dim: usize, size: usize) -> Vec<usize> {
    dims[dim] = size;
    dims
}
