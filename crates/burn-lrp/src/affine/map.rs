//! What an affine layer provides, and its output.

use burn::tensor::{Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::formula::RuleName;
use crate::secant::SecantStep;

/// A layer `z = W a + b` of any shape.
pub trait Affine<B: Backend> {
    /// The weights, in the layer's own shape.
    fn weight(&self) -> AnyTensor<B>;

    /// The bias of every output channel, `[channels]`.
    fn bias(&self) -> Option<Tensor<B, 1>>;

    /// The dimension of the output that holds the channels.
    fn channel_dim(&self, output: &AnyTensor<B>) -> usize;

    /// `W a` with other weights of the same shape, without the bias.
    ///
    /// # Errors
    ///
    /// If the input has a shape that the layer cannot take.
    fn apply(&self, x: &AnyTensor<B>, weight: &AnyTensor<B>) -> Result<AnyTensor<B>>;

    /// `Wᵀ s` with other weights of the same shape, for an input of the given
    /// shape.
    ///
    /// # Errors
    ///
    /// If shapes do not fit.
    fn adjoint(
        &self,
        s: &AnyTensor<B>,
        weight: &AnyTensor<B>,
        input: &[usize],
    ) -> Result<AnyTensor<B>>;
}

/// The rules that every affine layer can follow.
pub const AFFINE_RULES: &[RuleName] = &[
    RuleName::Zero,
    RuleName::Epsilon,
    RuleName::Gamma,
    RuleName::ZPlus,
    RuleName::AlphaBeta,
    RuleName::WSquare,
    RuleName::Flat,
    RuleName::Box,
    RuleName::Custom,
];

/// [`AFFINE_RULES`] and one more.
pub(crate) const fn affine_rules_and(rule: RuleName) -> [RuleName; AFFINE_RULES.len() + 1] {
    let mut rules = [rule; AFFINE_RULES.len() + 1];
    let mut at = 0;
    while at < AFFINE_RULES.len() {
        rules[at] = AFFINE_RULES[at];
        at += 1;
    }
    rules
}

/// `W a + b`.
///
/// # Errors
///
/// If the input has a shape that the layer cannot take, or another precision
/// than its weights.
pub fn forward<B: Backend>(layer: &dyn Affine<B>, x: &AnyTensor<B>) -> Result<AnyTensor<B>> {
    let weight = layer.weight();
    if x.dtype() != weight.dtype() {
        let detail =
            format!("the input is {:?}, the weights are {:?}; cast one", x.dtype(), weight.dtype());
        return Err(Error::layer("layer", detail));
    }
    let z = layer.apply(x, &weight)?;
    Ok(biased(layer, z, layer.bias()))
}

/// The multiplier of the input in a secant pass, `Wᵀ m`: biases cancel between two places.
///
/// # Errors
///
/// If shapes do not fit.
pub fn secant<B: Backend>(
    layer: &dyn Affine<B>,
    step: &SecantStep<'_, B>,
) -> Result<Vec<AnyTensor<B>>> {
    Ok(vec![layer.adjoint(step.multiplier(), &layer.weight(), &step.dims(0)?)?])
}

/// The sum with a bias, if there is one.
pub(crate) fn biased<B: Backend>(
    layer: &dyn Affine<B>,
    z: AnyTensor<B>,
    bias: Option<Tensor<B, 1>>,
) -> AnyTensor<B> {
    match bias {
        Some(bias) => {
            let dim = layer.channel_dim(&z);
            z.shifted_along(&bias, dim)
        }
        None => z,
    }
}
