//! Activation functions.

use burn::nn::activation::{Activation, HardSwish};
use burn::nn::*;
use burn::tensor::activation::gelu;
use burn::tensor::{Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::formula::RuleName;
use crate::graph::{Node, Relevance};
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::leaf;
use crate::rule::Rule;

/// `x σ(x)`, also called swish; Burn has it as a function only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Silu;

/// Functions are written out if Burn's own are rounded to single precision on
/// a backend, or overflow.
macro_rules! elementwise {
    ($($layer:ident $(<$backend:ident>)? = |$this:ident, $x:ident| $value:expr;)+) => {$(
        /// An elementwise function: relevance passes unchanged (Bach et al. 2015; Achtibat et
        /// al. 2024 for smooth functions).
        impl<B: Backend> Layer<B> for $layer $(<$backend>)? {
            fn kind(&self) -> Kind {
                Kind::new(stringify!($layer), Family::Activation)
            }

            fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
                let ($this, $x) = (self, only(inputs)?);
                Ok($value)
            }

            fn rules(&self) -> &'static [RuleName] {
                &[RuleName::Pass]
            }

            fn default_rule(&self) -> Rule {
                Rule::PASS
            }

            fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
                Ok(Redistribution::single(step.relevance.clone()))
            }
        }

        leaf!($layer $(<$backend>)?);
    )+};
}

elementwise! {
    Relu = |_layer, x| x.map(|x| x.clamp_min(0.0));
    LeakyRelu = |layer, x| x.map(|x| sloped(x, layer.negative_slope));
    PRelu<B> = |layer, x| parametric(x, layer.alpha.val())?;
    ThresholdedRelu = |layer, x| x.map(|x| {
        let below = x.clone().lower_equal_elem(layer.alpha);
        x.mask_fill(below, 0.0)
    });
    Gelu = |layer, x| x.map(|x| if layer.approximate { gelu_by_tanh(x) } else { gelu(x) });
    Silu = |_layer, x| x.map(|x| x.clone() * sigmoid(x));
    Sigmoid = |_layer, x| x.map(sigmoid);
    HardSigmoid = |layer, x| x.map(|x| (x * layer.alpha + layer.beta).clamp(0.0, 1.0));
    HardSwish = |_layer, x| x.map(|x| x.clone() * (x / 6.0 + 0.5).clamp(0.0, 1.0));
    Tanh = |_layer, x| x.map(|x| x.tanh());
    Softsign = |_layer, x| x.map(|x| x.clone() / (x.abs() + 1.0));
    Softplus = |layer, x| x.map(|x| softplus(x, layer.beta));
    Elu = |layer, x| x.map(|x| exponential(x, layer.alpha, 1.0));
    Celu = |layer, x| x.map(|x| exponential(x, layer.alpha, layer.alpha));
    Selu = |_layer, x| x.map(|x| exponential(x, SELU_ALPHA, 1.0) * SELU_SCALE);
    HardShrink = |layer, x| x.map(|x| shrunk(x, layer.lambda, 0.0));
    SoftShrink = |layer, x| x.map(|x| shrunk(x, layer.lambda, layer.lambda));
    Shrink = |layer, x| x.map(|x| shrunk(x, layer.lambda, layer.bias));
}

/// Klambauer et al. 2017.
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

/// `1 / (1 + e^−x)` in the precision of x.
pub(crate) fn sigmoid<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    let below = x.neg().exp() + 1.0;
    below.ones_like() / below
}

fn gelu_by_tanh<B: Backend>(x: Tensor<B, 1>) -> Tensor<B, 1> {
    let root = (2.0 / std::f64::consts::PI).sqrt();
    let inner = (x.clone() + x.clone().square() * x.clone() * 0.044_715) * root;
    x * (inner.tanh() + 1.0) * 0.5
}

/// `log(1 + e^{βx}) / β`, without overflow.
fn softplus<B: Backend>(x: Tensor<B, 1>, beta: f64) -> Tensor<B, 1> {
    let scaled = x * beta;
    let rest = (scaled.clone().abs().neg().exp() + 1.0).log();
    (scaled.clamp_min(0.0) + rest) / beta
}

/// `α (e^{x/w} − 1)` below 0.
fn exponential<B: Backend>(x: Tensor<B, 1>, alpha: f64, width: f64) -> Tensor<B, 1> {
    let below = (x.clone().clamp_max(0.0) / width).exp() - 1.0;
    x.clamp_min(0.0) + below * alpha
}

/// The slope times x below 0.
fn sloped<B: Backend>(x: Tensor<B, 1>, slope: f64) -> Tensor<B, 1> {
    x.clone().clamp_min(0.0) + x.clamp_max(0.0) * slope
}

/// 0 between −λ and λ, and closer to 0 by the bias elsewhere.
fn shrunk<B: Backend>(x: Tensor<B, 1>, lambda: f64, bias: f64) -> Tensor<B, 1> {
    let above = x.clone().lower_equal_elem(lambda);
    let below = x.clone().greater_equal_elem(-lambda);
    (x.clone() - bias).mask_fill(above, 0.0) + (x + bias).mask_fill(below, 0.0)
}

/// One slope for all channels, or one per channel.
fn parametric<B: Backend>(x: &AnyTensor<B>, slopes: Tensor<B, 1>) -> Result<AnyTensor<B>> {
    let (dims, [channels]) = (x.dims(), slopes.dims());
    let below = x.map(|x| x.clamp_max(0.0));
    let below = match channels {
        1 => below.map(|x| x * slopes),
        _ if dims.get(1) == Some(&channels) => below.scaled_along(&slopes, 1),
        _ => return Err(Error::shape("PRelu", format!("[samples, {channels}, ..]"), &dims)),
    };
    x.map(|x| x.clamp_min(0.0)).plus(&below)
}

/// The activation that it holds.
impl<B: Backend> Relevance<B> for Activation<B> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        match self {
            Self::Gelu(layer) => layer.trace(input),
            Self::PRelu(layer) => layer.trace(input),
            Self::Relu(layer) => layer.trace(input),
            Self::LeakyRelu(layer) => layer.trace(input),
            Self::SwiGlu(layer) => layer.trace(input),
            Self::Selu(layer) => layer.trace(input),
            Self::Sigmoid(layer) => layer.trace(input),
            Self::Tanh(layer) => layer.trace(input),
            Self::HardSigmoid(layer) => layer.trace(input),
            Self::HardSwish(layer) => layer.trace(input),
            Self::Softplus(layer) => layer.trace(input),
            Self::Softsign(layer) => layer.trace(input),
            Self::Elu(layer) => layer.trace(input),
            Self::Celu(layer) => layer.trace(input),
            Self::ThresholdedRelu(layer) => layer.trace(input),
            Self::HardShrink(layer) => layer.trace(input),
            Self::SoftShrink(layer) => layer.trace(input),
            Self::Shrink(layer) => layer.trace(input),
            other => {
                let detail =
                    format!("{other:?} is not supported; implement `Layer` for a type of your own");
                Err(Error::layer("Activation", detail))
            }
        }
    }
}
