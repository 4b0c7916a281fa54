use burn::module::{Param, ParamId};
use burn::nn::conv::{Conv1d, Conv2d, Conv3d};
use burn::nn::{PaddingConfig1d, PaddingConfig2d, PaddingConfig3d};
use burn::tensor::module::{
    conv_transpose1d, conv_transpose2d, conv_transpose3d, conv1d, conv2d, conv3d,
};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Tensor, backend::Backend};

use crate::affine::{self, AFFINE_RULES, Affine};
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::layer::{Family, Handed, Kind, Layer, Step, only};
use crate::leaf;
use crate::rule::{Rule, RuleName};
use crate::space::{same, spread, surrounded};

/// Padding before and after every dimension of space.
type Padding<const S: usize> = ([usize; S], [usize; S]);

/// What a convolution does with a dimension of space.
#[derive(Clone, Copy)]
struct Axis {
    kernel: usize,
    stride: usize,
    dilation: usize,
    before: usize,
    after: usize,
}

impl Axis {
    /// How far a kernel reaches beyond its first element.
    fn reach(&self) -> usize {
        (self.kernel - 1) * self.dilation
    }

    /// Positions of the output, if the kernel fits at all.
    fn output(&self, input: usize) -> Option<usize> {
        let padded = input + self.before + self.after;
        padded.checked_sub(self.reach() + 1).map(|room| room / self.stride + 1)
    }

    /// Positions at the end that no kernel reaches.
    fn untouched(&self, input: usize, output: usize) -> usize {
        input + self.before + self.after - (output - 1) * self.stride - self.reach() - 1
    }

    /// Padding of the convolution with the reversed kernel that is the adjoint,
    /// over an output whose positions are `stride` apart. None where it would have
    /// to cut instead.
    fn reversed(&self, input: usize, output: usize) -> Option<(usize, usize)> {
        let before = self.reach().checked_sub(self.before)?;
        let after = (self.reach() + self.untouched(input, output)).checked_sub(self.after)?;
        Some((before, after))
    }
}

fn padding_1d(
    padding: &PaddingConfig1d,
    size: &[usize],
    k: [usize; 1],
    s: [usize; 1],
) -> Padding<1> {
    match padding {
        PaddingConfig1d::Valid => ([0], [0]),
        PaddingConfig1d::Explicit(left, right) => ([*left], [*right]),
        PaddingConfig1d::Same => {
            let (before, after) = same(k[0], s[0], size[0]);
            ([before], [after])
        }
    }
}

fn padding_2d(
    padding: &PaddingConfig2d,
    size: &[usize],
    k: [usize; 2],
    s: [usize; 2],
) -> Padding<2> {
    match padding {
        PaddingConfig2d::Valid => ([0; 2], [0; 2]),
        PaddingConfig2d::Explicit(top, left, bottom, right) => ([*top, *left], [*bottom, *right]),
        PaddingConfig2d::Same => same_each(size, k, s),
    }
}

fn padding_3d(
    padding: &PaddingConfig3d,
    size: &[usize],
    k: [usize; 3],
    s: [usize; 3],
) -> Padding<3> {
    match padding {
        PaddingConfig3d::Valid => ([0; 3], [0; 3]),
        PaddingConfig3d::Explicit(depth, height, width) => {
            ([*depth, *height, *width], [*depth, *height, *width])
        }
        PaddingConfig3d::Same => same_each(size, k, s),
    }
}

fn same_each<const S: usize>(size: &[usize], k: [usize; S], s: [usize; S]) -> Padding<S> {
    let each: [(usize, usize); S] = std::array::from_fn(|d| same(k[d], s[d], size[d]));
    (each.map(|(before, _)| before), each.map(|(_, after)| after))
}

/// The input with zeros around it where they differ before and after, and the
/// padding that is left to the convolution itself.
///
/// Burn pads one-sidedly with zeros of the default precision, which may be
/// another than that of the input.
fn padded<B: Backend, const S: usize>(
    x: &AnyTensor<B>,
    before: [usize; S],
    after: [usize; S],
) -> (AnyTensor<B>, [usize; S]) {
    if before == after {
        return (x.clone(), before);
    }
    let padded = (0..S).fold(x.clone(), |x, d| surrounded(&x, 2 + d, before[d], after[d], 0.0));
    (padded, [0; S])
}

/// The kernel with zeros after it where it spans less than a stride.
///
/// Transposed convolutions of Burn's GPU backends (0.21) give wrong numbers for such
/// kernels. The output grows at its end, and must be cut to its size.
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
                let (axes, _) = geometry::<$space>(
                    $name,
                    &x.dims(),
                    &weight.dims(),
                    stride,
                    dilation,
                    self.groups,
                    |size, kernel| $padding(&self.padding, size, kernel, stride),
                )?;
                let (x, padding) =
                    padded(x, axes.map(|axis| axis.before), axes.map(|axis| axis.after));
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
                let (axes, output) = geometry::<$space>(
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
                let reversed: Option<Vec<(usize, usize)>> = axes
                    .iter()
                    .enumerate()
                    .map(|(d, axis)| axis.reversed(input[2 + d], output[d]))
                    .collect();
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
                    let (wide, padding) = padded(
                        &wide,
                        std::array::from_fn::<_, $space, _>(|d| pads[d].0),
                        std::array::from_fn(|d| pads[d].1),
                    );
                    let options = ConvOptions::new([1; $space], padding, dilation, self.groups);
                    return Ok($conv(wide.tensor()?, turned.tensor()?, None, options).into());
                }
                let symmetric = axes.iter().all(|axis| axis.before == axis.after);
                let padding = axes.map(|axis| if symmetric { axis.before } else { 0 });
                let untouched: [usize; $space] =
                    std::array::from_fn(|d| axes[d].untouched(input[2 + d], output[d]));
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

            fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
                affine::forward(self, only(inputs)?)
            }

            fn rules(&self) -> &'static [RuleName] {
                AFFINE_RULES
            }

            fn default_rule(&self) -> Rule {
                Rule::EPSILON
            }

            fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Handed<B>> {
                affine::relevance(self, step, rule)
            }

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

/// How every dimension of space is convolved, and the size of the output's.
fn geometry<const S: usize>(
    name: &str,
    input: &[usize],
    weight: &[usize],
    stride: [usize; S],
    dilation: [usize; S],
    groups: usize,
    padding: impl FnOnce(&[usize], [usize; S]) -> Padding<S>,
) -> Result<([Axis; S], [usize; S])> {
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
    let kernel = std::array::from_fn(|d| weight[2 + d]);
    let (before, after) = padding(&input[2..], kernel);
    let axes = std::array::from_fn(|d| Axis {
        kernel: kernel[d],
        stride: stride[d],
        dilation: dilation[d],
        before: before[d],
        after: after[d],
    });
    let mut output = [0; S];
    for d in 0..S {
        output[d] = axes[d].output(input[2 + d]).ok_or_else(wrong)?;
    }
    Ok((axes, output))
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
