//! Convolutions as affine layers.

use burn::module::{Param, ParamId};
use burn::nn::conv::{Conv1d, Conv2d, Conv3d};
use burn::tensor::module::{
    conv_transpose1d, conv_transpose2d, conv_transpose3d, conv1d, conv2d, conv3d,
};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Tensor, backend::Backend};

use crate::affine::map::Affine;
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::kind::{Family, Kind};
use crate::layer::Layer;
use crate::space::{Axis, Padding, padding_1d, padding_2d, padding_3d, spread, surrounded};
use crate::{affine_methods, leaf};

impl Axis {
    /// Positions at the end that no kernel reaches.
    fn untouched(&self) -> usize {
        self.padded() - (self.output - 1) * self.stride - self.reach() - 1
    }

    /// Padding of the convolution with the reversed kernel that is the adjoint, over an output
    /// whose positions are `stride` apart; `None` if it would have to cut instead.
    fn reversed(&self) -> Option<(usize, usize)> {
        let before = self.reach().checked_sub(self.before)?;
        let after = (self.reach() + self.untouched()).checked_sub(self.after)?;
        Some((before, after))
    }
}

/// The input with zeros around it if the padding is uneven, and the padding that is left to the
/// convolution itself.
///
/// Burn pads unevenly with zeros of the default precision, which may differ from that of the input.
fn padded<B: Backend, const S: usize>(
    x: &AnyTensor<B>,
    padding: Padding<S>,
) -> (AnyTensor<B>, [usize; S]) {
    if padding.iter().all(|(before, after)| before == after) {
        return (x.clone(), padding.map(|(before, _)| before));
    }
    let pad = |x: AnyTensor<B>, (d, (before, after))| surrounded(&x, 2 + d, before, after, 0.0);
    (padding.into_iter().enumerate().fold(x.clone(), pad), [0; S])
}

/// The kernel with zeros after it if it is shorter than a stride.
///
/// Transposed convolutions of Burn's GPU backends (0.21) compute wrong numbers for such
/// kernels. The output grows at its end and must be cut to its size.
pub(super) fn spanning<B: Backend>(
    weight: &AnyTensor<B>,
    stride: &[usize],
    dilation: &[usize],
) -> AnyTensor<B> {
    let mut wide = weight.clone();
    for (d, (stride, dilation)) in stride.iter().zip(dilation).enumerate() {
        let missing = stride.div_ceil(*dilation).saturating_sub(wide.dims()[2 + d]);
        if missing > 0 {
            wide = surrounded(&wide, 2 + d, 0, missing, 0.0);
        }
    }
    wide
}

macro_rules! convolution {
    ($layer:ident, $name:literal, $rank:literal, $space:literal, $conv:ident, $transpose:ident, $padding:ident,
     |$this:ident| $geometry:expr) => {
        impl<B: Backend> Affine<B> for $layer<B> {
            fn weight(&self) -> AnyTensor<B> {
                self.weight.val().into()
            }

            fn bias(&self) -> Option<Tensor<B, 1>> {
                self.bias.as_ref().map(Param::val)
            }

            fn channel_dim(&self, _: &AnyTensor<B>) -> usize {
                1
            }

            fn apply(&self, x: &AnyTensor<B>, weight: &AnyTensor<B>) -> Result<AnyTensor<B>> {
                let $this = self;
                let (stride, dilation): ([usize; $space], [usize; $space]) = $geometry;
                let weight: Tensor<B, $rank> = weight.tensor()?;
                let axes = geometry::<$space>(
                    $name,
                    &x.dims(),
                    &weight.dims(),
                    stride,
                    dilation,
                    self.groups,
                    |size, kernel| $padding(&self.padding, size, kernel, stride),
                )?;
                let (x, padding) = padded(x, axes.map(|axis| (axis.before, axis.after)));
                let options = ConvOptions::new(stride, padding, dilation, self.groups);
                Ok($conv(x.tensor()?, weight, None, options).into())
            }

            fn adjoint(
                &self,
                s: &AnyTensor<B>,
                weight: &AnyTensor<B>,
                input: &[usize],
            ) -> Result<AnyTensor<B>> {
                let $this = self;
                let (stride, dilation): ([usize; $space], [usize; $space]) = $geometry;
                let weight: Tensor<B, $rank> = weight.tensor()?;
                let kernel = weight.dims();
                let axes = geometry::<$space>(
                    $name,
                    input,
                    &kernel,
                    stride,
                    dilation,
                    self.groups,
                    |size, kernel| $padding(&self.padding, size, kernel, stride),
                )?;
                let pointwise = kernel[2..].iter().all(|size| *size == 1);
                // A convolution with the reversed kernel has fast paths for
                // depthwise and pointwise kernels that its transpose lacks.
                let reversed: Option<Vec<_>> = axes.iter().map(Axis::reversed).collect();
                let reversed = reversed.filter(|_| self.groups > 1 || pointwise);
                if let Some(pads) = reversed {
                    let per_group = kernel[0] / self.groups;
                    let space: Vec<usize> = kernel[2..].to_vec();
                    let spatial: [isize; $space] = std::array::from_fn(|d| 2 + d as isize);
                    let turned = AnyTensor::from(weight.flip(spatial))
                        .shaped(&[&[self.groups, per_group, kernel[1]], space.as_slice()].concat());
                    let order: Vec<usize> = [0, 2, 1].into_iter().chain(3..$rank + 1).collect();
                    let turned = turned
                        .permuted(&order)
                        .shaped(&[&[input[1], per_group], space.as_slice()].concat());
                    let wide = (0..$space).fold(s.clone(), |s, d| spread(&s, 2 + d, stride[d]));
                    let (wide, padding) =
                        padded::<B, $space>(&wide, std::array::from_fn(|d| pads[d]));
                    let options = ConvOptions::new([1; $space], padding, dilation, self.groups);
                    return Ok($conv(wide.tensor()?, turned.tensor()?, None, options).into());
                }
                let symmetric = axes.iter().all(|axis| axis.before == axis.after);
                let padding = axes.map(|axis| if symmetric { axis.before } else { 0 });
                let untouched = axes.map(|axis| axis.untouched());
                let options =
                    ConvTransposeOptions::new(stride, padding, untouched, dilation, self.groups);
                let weight = spanning(&weight.into(), &stride, &dilation).tensor()?;
                let mut back: Tensor<B, $rank> = $transpose(s.tensor()?, weight, None, options);
                for d in 0..$space {
                    if back.dims()[2 + d] != input[2 + d] {
                        let start = if symmetric { 0 } else { axes[d].before };
                        back = back.narrow(2 + d, start, input[2 + d]);
                    }
                }
                Ok(back.into())
            }
        }

        impl<B: Backend> Layer<B> for $layer<B> {
            fn kind(&self) -> Kind {
                Kind::new($name, Family::Convolution)
            }

            affine_methods!(B);

            fn rescaled(
                &self,
                scale: &Tensor<B, 1>,
                shift: &Tensor<B, 1>,
            ) -> Option<Box<dyn Layer<B> + 'static>> {
                let weight = AnyTensor::from(self.weight.val()).scaled_along(scale, 0);
                let bias = match &self.bias {
                    Some(bias) => bias.val() * scale.clone() + shift.clone(),
                    None => shift.clone(),
                };
                Some(Box::new(Self {
                    weight: Param::initialized(ParamId::new(), weight.tensor().ok()?),
                    bias: Some(Param::initialized(ParamId::new(), bias)),
                    ..self.clone()
                }))
            }
        }

        leaf!($layer<B>);
    };
}

/// How the kernel moves along every dimension of space.
fn geometry<const S: usize>(
    name: &str,
    input: &[usize],
    weight: &[usize],
    stride: [usize; S],
    dilation: [usize; S],
    groups: usize,
    padding: impl FnOnce([usize; S], [usize; S]) -> Padding<S>,
) -> Result<[Axis; S]> {
    if [&stride[..], &dilation, &weight[2..], &[groups]].concat().contains(&0) {
        let detail = "kernel, stride, dilation and groups must be at least 1";
        return Err(Error::layer(name, detail));
    }
    let channels = weight[1] * groups;
    let wrong = || {
        let places = ["length", "height, width", "depth, height, width"][S - 1];
        let kernel = &weight[2..];
        let expected =
            format!("[samples, {channels}, {places}] with room for a kernel of {kernel:?}");
        Error::shape(name, expected, input)
    };
    if input.len() != S + 2 || input[1] != channels {
        return Err(wrong());
    }
    let size: [usize; S] = std::array::from_fn(|d| input[2 + d]);
    let kernel: [usize; S] = std::array::from_fn(|d| weight[2 + d]);
    let padding = padding(size, kernel);
    let axis =
        |d: usize| Axis::new([kernel[d], stride[d], dilation[d]], padding[d], size[d], false);
    let axes: Option<Vec<Axis>> = (0..S).map(axis).collect();
    axes.and_then(|axes| axes.try_into().ok()).ok_or_else(wrong)
}

convolution!(Conv1d, "Conv1d", 3, 1, conv1d, conv_transpose1d, padding_1d, |layer| (
    [layer.stride],
    [layer.dilation]
));
convolution!(Conv2d, "Conv2d", 4, 2, conv2d, conv_transpose2d, padding_2d, |layer| (
    layer.stride,
    layer.dilation
));
convolution!(Conv3d, "Conv3d", 5, 3, conv3d, conv_transpose3d, padding_3d, |layer| (
    layer.stride,
    layer.dilation
));
