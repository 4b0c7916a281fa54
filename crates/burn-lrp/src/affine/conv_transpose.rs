//! Transposed convolutions as affine layers.

use burn::module::{Param, ParamId};
use burn::nn::conv::{ConvTranspose1d, ConvTranspose2d, ConvTranspose3d};
use burn::tensor::module::{
    conv_transpose1d, conv_transpose2d, conv_transpose3d, conv1d, conv2d, conv3d,
};
use burn::tensor::ops::{ConvOptions, ConvTransposeOptions};
use burn::tensor::{Tensor, backend::Backend};

use crate::affine::conv::spanning;
use crate::affine::map::Affine;
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::kind::{Family, Kind};
use crate::layer::Layer;
use crate::{affine_methods, leaf};

/// The settings of a transposed convolution, for every dimension of space.
struct Geometry<const S: usize> {
    stride: [usize; S],
    padding: [usize; S],
    padding_out: [usize; S],
    dilation: [usize; S],
    groups: usize,
}

impl<const S: usize> Geometry<S> {
    /// Refuses what Burn would panic at.
    fn check(&self, name: &str, input: &[usize], weight: &[usize]) -> Result<()> {
        let settings = [&self.stride[..], &self.dilation, &weight[2..], &[self.groups]];
        if settings.concat().contains(&0) {
            let detail = "kernel, stride, dilation and groups must be at least 1";
            return Err(Error::layer(name, detail));
        }
        let channels = weight[0];
        if input.len() != S + 2 || input[1] != channels {
            let places = ["length", "height, width", "depth, height, width"][S - 1];
            let expected = format!("[samples, {channels}, {places}]");
            return Err(Error::shape(name, expected, input));
        }
        for d in 0..S {
            let reach = (weight[2 + d] - 1) * self.dilation[d];
            let whole = input[2 + d].saturating_sub(1) * self.stride[d] + reach + 1;
            if input[2 + d] == 0 || whole + self.padding_out[d] <= 2 * self.padding[d] {
                let expected = format!("more places than a padding of {:?} cuts", self.padding);
                return Err(Error::shape(name, expected, input));
            }
        }
        Ok(())
    }

    /// Sizes of the output; the settings have been checked.
    fn output(&self, input: &[usize], weight: &[usize]) -> [usize; S] {
        std::array::from_fn(|d| {
            let reach = (weight[2 + d] - 1) * self.dilation[d];
            let whole = (input[2 + d] - 1) * self.stride[d] + reach + 1;
            whole + self.padding_out[d] - 2 * self.padding[d]
        })
    }
}

macro_rules! transposed_convolution {
    ($layer:ident, $name:literal, $rank:literal, $space:literal, $transpose:ident, $conv:ident,
     |$this:ident| $geometry:expr) => {
        /// The adjoint is a convolution with the same weight.
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
                let g: Geometry<$space> = $geometry;
                let weight: Tensor<B, $rank> = weight.tensor()?;
                g.check($name, &x.dims(), &weight.dims())?;
                let options = ConvTransposeOptions::new(
                    g.stride,
                    g.padding,
                    g.padding_out,
                    g.dilation,
                    g.groups,
                );
                let sizes = g.output(&x.dims(), &weight.dims());
                let weight = spanning(&weight.into(), &g.stride, &g.dilation).tensor()?;
                let mut z: Tensor<B, $rank> = $transpose(x.tensor()?, weight, None, options);
                for (d, size) in sizes.into_iter().enumerate() {
                    if z.dims()[2 + d] > size {
                        z = z.narrow(2 + d, 0, size);
                    }
                }
                Ok(z.into())
            }

            fn adjoint(
                &self,
                s: &AnyTensor<B>,
                weight: &AnyTensor<B>,
                input: &[usize],
            ) -> Result<AnyTensor<B>> {
                let $this = self;
                let g: Geometry<$space> = $geometry;
                let weight: Tensor<B, $rank> = weight.tensor()?;
                g.check($name, input, &weight.dims())?;
                let options = ConvOptions::new(g.stride, g.padding, g.dilation, g.groups);
                let mut back: Tensor<B, $rank> = $conv(s.tensor()?, weight, None, options);
                // Padding the output by a stride or more makes room for further positions,
                // which no input has.
                for (d, size) in input.iter().enumerate().skip(2) {
                    if back.dims()[d] > *size {
                        back = back.narrow(d, 0, *size);
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
                let weight = AnyTensor::from(self.weight.val());
                let dims = weight.dims();
                // Output channels are counted inside a group: [groups, in, out, space].
                let (inputs, outputs) = (dims[0] / self.groups, dims[1]);
                let space: usize = dims[2..].iter().product();
                let scaled = weight.view([self.groups, inputs, outputs, space])
                    * scale.clone().reshape([self.groups, 1, outputs, 1]);
                let weight = AnyTensor::from(scaled).shaped(&dims);
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

transposed_convolution!(
    ConvTranspose1d,
    "ConvTranspose1d",
    3,
    1,
    conv_transpose1d,
    conv1d,
    |layer| Geometry {
        stride: [layer.stride],
        padding: [layer.padding],
        padding_out: [layer.padding_out],
        dilation: [layer.dilation],
        groups: layer.groups,
    }
);
transposed_convolution!(
    ConvTranspose2d,
    "ConvTranspose2d",
    4,
    2,
    conv_transpose2d,
    conv2d,
    |layer| Geometry {
        stride: layer.stride,
        padding: layer.padding,
        padding_out: layer.padding_out,
        dilation: layer.dilation,
        groups: layer.groups,
    }
);
transposed_convolution!(
    ConvTranspose3d,
    "ConvTranspose3d",
    5,
    3,
    conv_transpose3d,
    conv3d,
    |layer| Geometry {
        stride: layer.stride,
        padding: layer.padding,
        padding_out: layer.padding_out,
        dilation: layer.dilation,
        groups: layer.groups,
    }
);
