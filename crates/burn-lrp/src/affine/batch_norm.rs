//! Batch normalisation by running statistics as an affine layer.

use burn::nn::BatchNorm;
use burn::tensor::{Tensor, backend::Backend};

use crate::affine::map::Affine;
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::kind::{Family, Kind};
use crate::layer::Layer;
use crate::{affine_methods, leaf};

/// Batch normalisation by running statistics: every channel is scaled by
/// `γ / √(var + ε)` and shifted by `β − mean γ / √(var + ε)`.
///
/// A composite merges it into the layer before it, if that layer allows it.
///
/// The statistics are those of `valid()`: Burn applies the last update of a training step only when
/// they are read.
impl<B: Backend> Affine<B> for BatchNorm<B> {
    fn weight(&self) -> AnyTensor<B> {
        let variance = self.running_var.value_sync();
        (self.gamma.val() / (variance + self.epsilon).sqrt()).into()
    }

    fn bias(&self) -> Option<Tensor<B, 1>> {
        let scale = self.weight().flat();
        Some(self.beta.val() - self.running_mean.value_sync() * scale)
    }

    fn channel_dim(&self, _: &AnyTensor<B>) -> usize {
        1
    }

    fn apply(&self, x: &AnyTensor<B>, weight: &AnyTensor<B>) -> Result<AnyTensor<B>> {
        let dims = x.dims();
        let channels = weight.len();
        if dims.len() < 2 || dims[1] != channels {
            return Err(Error::shape("BatchNorm", format!("[samples, {channels}, ..]"), &dims));
        }
        Ok(x.scaled_along(&weight.flat(), 1))
    }

    fn adjoint(
        &self,
        s: &AnyTensor<B>,
        weight: &AnyTensor<B>,
        _: &[usize],
    ) -> Result<AnyTensor<B>> {
        Ok(s.scaled_along(&weight.flat(), 1))
    }
}

impl<B: Backend> Layer<B> for BatchNorm<B> {
    fn kind(&self) -> Kind {
        Kind::new("BatchNorm", Family::Normalization)
    }

    affine_methods!(B);

    fn channel_scale(&self) -> Option<(Tensor<B, 1>, Tensor<B, 1>)> {
        Some((self.weight().flat(), self.bias()?))
    }
}

leaf!(BatchNorm<B>);
