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
use crate::secant::SecantStep;
use crate::slope::{self, share, smooth};

/// `x σ(x)`, also called swish; Burn has it as a function only.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Silu;

/// An elementwise function, and its slope between two places. Functions are written out if Burn's
/// own are rounded to single precision on a backend, or overflow.
macro_rules! elementwise {
    ($($layer:ident = |$this:ident, $x:ident| $value:expr, |$to:ident, $from:ident| $slope:expr;)+) => {$(
        elementwise!(
            @one $layer = |$this, x| x.map(|$x| $value),
            |to, from| to.zip(&from, |$to, $from| $slope)?
        );
    )+};
    (@one $layer:ident $(<$backend:ident>)? = |$this:ident, $x:ident| $value:expr,
     |$to:ident, $from:ident| $slope:expr) => {
        /// An elementwise function: relevance passes unchanged (Bach et al. 2015; Achtibat et
        /// al. 2024 for smooth functions). Its secant is exact for functions made of straight
        /// pieces; for smooth ones, places that are too close are moved apart.
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

            fn has_secant(&self) -> bool {
                true
            }

            fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
                let ($this, [$to, $from]) = (self, step.input(0)?);
                let slope: AnyTensor<B> = $slope;
                Ok(vec![step.multiplier().times(&slope)?])
            }
        }

        leaf!($layer $(<$backend>)?);
    };
}

const POSITIVE: [f64; 2] = [0.0, f64::INFINITY];

elementwise! {
    Relu = |_layer, x| x.clamp_min(0.0), |x, from| share(x, from, POSITIVE);
    LeakyRelu = |layer, x| sloped(x, layer.negative_slope), |x, from| {
        share(x, from, POSITIVE) * (1.0 - layer.negative_slope) + layer.negative_slope
    };
    ThresholdedRelu = |layer, x| thresholded(x, layer.alpha), |x, from| {
        let above = |x: &Tensor<B, 1>| x.clone().greater_elem(layer.alpha).float();
        jumping(x, from, |x| thresholded(x, layer.alpha), above)
    };
    Gelu = |layer, x| gelu_of(layer, x), |x, from| smooth(x, from, |x| gelu_of(layer, x));
    Silu = |_layer, x| silu(x), |x, from| smooth(x, from, silu);
    Sigmoid = |_layer, x| sigmoid(x), |x, from| smooth(x, from, sigmoid);
    HardSigmoid = |layer, x| (x * layer.alpha + layer.beta).clamp(0.0, 1.0),
        |x, from| hard_slope(x, from, [layer.alpha, layer.beta]);
    HardSwish = |_layer, x| x.clone() * (x / 6.0 + 0.5).clamp(0.0, 1.0), |x, from| {
        let gate = |x: &Tensor<B, 1>| (x.clone() * SIXTH + 0.5).clamp(0.0, 1.0);
        let open = (gate(&x) + gate(&from)) * 0.5;
        let middle = (x.clone() + from.clone()) * 0.5;
        open + middle * hard_slope(x, from, [SIXTH, 0.5])
    };
    Tanh = |_layer, x| x.tanh(), |x, from| smooth(x, from, Tensor::tanh);
    Softsign = |_layer, x| x.clone() / (x.abs() + 1.0), |x, from| softsign_slope(x, from);
    Softplus = |layer, x| softplus(x, layer.beta), |x, from| {
        smooth(x * layer.beta, from * layer.beta, |x| softplus(x, 1.0))
    };
    Elu = |layer, x| exponential(x, layer.alpha, 1.0),
        |x, from| exponential_slope(x, from, layer.alpha, 1.0);
    Celu = |layer, x| exponential(x, layer.alpha, layer.alpha),
        |x, from| exponential_slope(x, from, layer.alpha, layer.alpha);
    Selu = |_layer, x| exponential(x, SELU_ALPHA, 1.0) * SELU_SCALE,
        |x, from| exponential_slope(x, from, SELU_ALPHA, 1.0) * SELU_SCALE;
    HardShrink = |layer, x| shrunk(x, layer.lambda, 0.0),
        |x, from| shrunk_slope(x, from, layer.lambda, 0.0);
    SoftShrink = |layer, x| shrunk(x, layer.lambda, layer.lambda),
        |x, from| share(x, from, [-layer.lambda, layer.lambda]).neg() + 1.0;
    Shrink = |layer, x| shrunk(x, layer.lambda, layer.bias),
        |x, from| shrunk_slope(x, from, layer.lambda, layer.bias);
}

// Of tensors of any shape, since slopes may belong to channels.
elementwise!(@one PRelu<B> = |layer, x| parametric(x, layer.alpha.val())?, |x, from| {
    let positive = x.zip(&from, |x, from| share(x, from, POSITIVE))?;
    let negative = positive.map(|share| share.neg() + 1.0);
    positive.plus(&along_channels(&negative, layer.alpha.val())?)?
});

const SIXTH: f64 = 1.0 / 6.0;

/// Klambauer et al. 2017.
const SELU_ALPHA: f64 = 1.673_263_242_354_377_2;
const SELU_SCALE: f64 = 1.050_700_987_355_480_5;

/// `1 / (1 + e^−x)` in the precision of x.
pub(crate) fn sigmoid<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    let below = x.neg().exp() + 1.0;
    below.ones_like() / below
}

fn silu<B: Backend>(x: Tensor<B, 1>) -> Tensor<B, 1> {
    x.clone() * sigmoid(x)
}

fn gelu_of<B: Backend>(layer: &Gelu, x: Tensor<B, 1>) -> Tensor<B, 1> {
    if layer.approximate { gelu_by_tanh(x) } else { gelu(x) }
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

/// 0 up to the threshold.
fn thresholded<B: Backend>(x: Tensor<B, 1>, threshold: f64) -> Tensor<B, 1> {
    let below = x.clone().lower_equal_elem(threshold);
    x.mask_fill(below, 0.0)
}

/// The slope of `α x + β`, cut to 0..1, between two places.
fn hard_slope<B: Backend>(
    x: Tensor<B, 1>,
    from: Tensor<B, 1>,
    [alpha, beta]: [f64; 2],
) -> Tensor<B, 1> {
    if alpha == 0.0 {
        return x.zeros_like();
    }
    let ends = [-beta / alpha, (1.0 - beta) / alpha];
    let [low, high] = if alpha > 0.0 { ends } else { [ends[1], ends[0]] };
    share(x, from, [low, high]) * alpha
}

/// `(1 + s) / ((1 + |x|) (1 + |x₀|))`, where s is 0 for places of one sign, else
/// `2 |x x₀| / |x − x₀|`.
fn softsign_slope<B: Backend>(x: Tensor<B, 1>, from: Tensor<B, 1>) -> Tensor<B, 1> {
    let (size, size_from) = (x.clone().abs(), from.clone().abs());
    let one_sign = (x.clone().sign() * from.clone().sign()).greater_equal_elem(0.0);
    let way = (x - from).abs().mask_fill(one_sign.clone(), 1.0);
    let across = (size.clone() * size_from.clone() * 2.0 / way).mask_fill(one_sign, 0.0);
    (across + 1.0) / ((size + 1.0) * (size_from + 1.0))
}

/// The slope of [`exponential`]: of its straight part, and of its part below 0.
fn exponential_slope<B: Backend>(
    x: Tensor<B, 1>,
    from: Tensor<B, 1>,
    alpha: f64,
    width: f64,
) -> Tensor<B, 1> {
    let straight = share(x.clone(), from.clone(), POSITIVE);
    let below = |x: Tensor<B, 1>| x.clamp_max(0.0) * (1.0 / width);
    let curved = slope::exponential(below(x), below(from)) * (alpha / width);
    straight.clone() + curved * (straight.neg() + 1.0)
}

/// The slope of [`shrunk`], which jumps unless the bias is λ.
fn shrunk_slope<B: Backend>(
    x: Tensor<B, 1>,
    from: Tensor<B, 1>,
    lambda: f64,
    bias: f64,
) -> Tensor<B, 1> {
    let side = |x: &Tensor<B, 1>| {
        let above = x.clone().greater_elem(lambda).float();
        above - x.clone().lower_elem(-lambda).float()
    };
    jumping(x, from, |x| shrunk(x, lambda, bias), side)
}

/// The slope of a function with jumps: the quotient between its pieces; within one of them 0 or 1,
/// the size of its number.
fn jumping<B: Backend>(
    x: Tensor<B, 1>,
    from: Tensor<B, 1>,
    f: impl Fn(Tensor<B, 1>) -> Tensor<B, 1>,
    piece: impl Fn(&Tensor<B, 1>) -> Tensor<B, 1>,
) -> Tensor<B, 1> {
    let (at, at_from) = (piece(&x).cast(x.dtype()), piece(&from).cast(x.dtype()));
    let within = at.clone().equal(at_from);
    let way = (x.clone() - from.clone()).mask_fill(within.clone(), 1.0);
    ((f(x) - f(from)) / way).mask_where(within, at.abs())
}

/// One slope for all channels, or one per channel.
fn parametric<B: Backend>(x: &AnyTensor<B>, slopes: Tensor<B, 1>) -> Result<AnyTensor<B>> {
    let below = along_channels(&x.map(|x| x.clamp_max(0.0)), slopes)?;
    x.map(|x| x.clamp_min(0.0)).plus(&below)
}

fn along_channels<B: Backend>(x: &AnyTensor<B>, slopes: Tensor<B, 1>) -> Result<AnyTensor<B>> {
    let (dims, [channels]) = (x.dims(), slopes.dims());
    match channels {
        1 => Ok(x.map(|x| x * slopes)),
        _ if dims.get(1) == Some(&channels) => Ok(x.scaled_along(&slopes, 1)),
        _ => Err(Error::shape("PRelu", format!("[samples, {channels}, ..]"), &dims)),
    }
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
