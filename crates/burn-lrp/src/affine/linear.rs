//! `Linear` as an affine layer.

use burn::module::{Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{Tensor, backend::Backend};

use crate::affine::map::Affine;
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::kind::{Family, Kind};
use crate::layer::Layer;
use crate::{affine_methods, leaf};

impl<B: Backend> Affine<B> for Linear<B> {
    fn weight(&self) -> AnyTensor<B> {
        self.weight.val().into()
    }

    fn bias(&self) -> Option<Tensor<B, 1>> {
        self.bias.as_ref().map(Param::val)
    }

    fn channel_dim(&self, output: &AnyTensor<B>) -> usize {
        output.rank() - 1
    }

    fn apply(&self, x: &AnyTensor<B>, weight: &AnyTensor<B>) -> Result<AnyTensor<B>> {
        let dims = x.dims();
        let weight: Tensor<B, 2> = weight.tensor()?;
        let [inputs, outputs] = weight.dims();
        if dims.len() < 2 || dims[dims.len() - 1] != inputs {
            return Err(Error::shape("Linear", format!("[.., {inputs}]"), &dims));
        }
        let rows = dims[..dims.len() - 1].iter().product();
        let z = x.view([rows, inputs]).matmul(weight);
        Ok(AnyTensor::from(z).shaped(&[&dims[..dims.len() - 1], &[outputs]].concat()))
    }

    fn adjoint(
        &self,
        s: &AnyTensor<B>,
        weight: &AnyTensor<B>,
        input: &[usize],
    ) -> Result<AnyTensor<B>> {
        let weight: Tensor<B, 2> = weight.tensor()?;
        let [_, outputs] = weight.dims();
        let rows = s.len() / outputs.max(1);
        let back = s.view([rows, outputs]).matmul(weight.transpose());
        Ok(AnyTensor::from(back).shaped(input))
    }
}

impl<B: Backend> Layer<B> for Linear<B> {
    fn kind(&self) -> Kind {
        Kind::new("Linear", Family::Dense)
    }

    affine_methods!(B);

    fn rescaled_dim(&self, output: &[usize]) -> usize {
        output.len() - 1
    }

    fn rescaled(
        &self,
        scale: &Tensor<B, 1>,
        shift: &Tensor<B, 1>,
    ) -> Option<Box<dyn Layer<B> + 'static>> {
        let weight = self.weight.val() * scale.clone().unsqueeze();
        let bias = match &self.bias {
            Some(bias) => bias.val() * scale.clone() + shift.clone(),
            None => shift.clone(),
        };
        Some(Box::new(Self {
            weight: Param::initialized(ParamId::new(), weight),
            bias: Some(Param::initialized(ParamId::new(), bias)),
        }))
    }
}

leaf!(Linear<B>);
