use burn::nn::BatchNorm;
use burn::tensor::{Tensor, backend::Backend};

use crate::affine::{self, AFFINE_RULES, Affine};
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::layer::{Family, Handed, Kind, Layer, Step, only};
use crate::leaf;
use crate::rule::{Rule, RuleName};

/// Batch normalisation by running statistics: every channel is scaled by
/// `γ / √(var + ε)` and shifted by `β − mean γ / √(var + ε)`.
///
/// A composite merges it into the layer before it, where there is one.
///
/// Statistics are those that `valid()` gives: Burn keeps the last update of a
/// training step aside until it is asked for.
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

    fn channel_scale(&self) -> Option<(Tensor<B, 1>, Tensor<B, 1>)> {
        Some((self.weight().flat(), self.bias()?))
    }
}

leaf!(BatchNorm<B>);
