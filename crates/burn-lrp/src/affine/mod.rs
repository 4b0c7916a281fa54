//! The rules of layers that are linear but for a bias, written once.

mod batch_norm;
#[cfg(feature = "autodiff")]
mod by_gradient;
mod conv;
mod conv_transpose;
mod linear;

use burn::tensor::{FloatDType, Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::layer::{Handed, Step};
use crate::rule::{Formula, Rule, RuleName};

#[cfg(feature = "autodiff")]
pub use by_gradient::{ByGradient, WeightedByGradient};

/// A layer `z = W a + b` of any shape.
pub trait Affine<B: Backend> {
    /// The weights, in the layer's own shape.
    fn weight(&self) -> AnyTensor<B>;

    /// The bias of every output channel, `[channels]`.
    fn bias(&self) -> Option<Tensor<B, 1>>;

    /// The dimension of the output that channels are counted along.
    fn channel_dim(&self, output: &AnyTensor<B>) -> usize;

    /// `W a` with other weights of the same shape; the bias is left out.
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

/// What every affine layer can follow.
pub const AFFINE_RULES: &[RuleName] = &[
    RuleName::Zero,
    RuleName::Epsilon,
    RuleName::Gamma,
    RuleName::ZPlus,
    RuleName::AlphaBeta,
    RuleName::WSquare,
    RuleName::Flat,
    RuleName::Box,
];

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

fn biased<B: Backend>(
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

/// `R / (z + ε sign z)`, with sign(0) = 1; without ε, 0 where z is 0.
///
/// What cannot be divided by is 0: numbers below the smallest normal one, which
/// some backends flush. Quotients stay a factor of 2^32 within the largest number, so
/// that products with them are no infinities, nor NaN where a weight is 0.
pub(crate) fn quotient<B: Backend, const D: usize>(
    relevance: Tensor<B, D>,
    z: Tensor<B, D>,
    epsilon: f64,
) -> Tensor<B, D> {
    let range = z.dtype().finfo().unwrap_or(FloatDType::F32.finfo());
    let z = if epsilon == 0.0 {
        z
    } else {
        let negative = z.clone().lower_elem(0.0);
        (z.clone() + epsilon).mask_where(negative, z - epsilon)
    };
    // An ordinary stabiliser keeps quotients in range by itself.
    if epsilon >= range.min_positive.cbrt() {
        return relevance / z;
    }
    let none = z.clone().abs().lower_elem(range.min_positive);
    let most = range.max / 2.0_f64.powi(32);
    (relevance / z.mask_fill(none.clone(), 1.0)).mask_fill(none, 0.0).clamp(-most, most)
}

/// One side of a rule: what contributes, and what the relevance is divided by.
struct Side<B: Backend> {
    /// Inputs with the weights that they contribute through.
    parts: Vec<(AnyTensor<B>, AnyTensor<B>)>,
    /// Added to the sum of all contributions.
    bias: Option<Tensor<B, 1>>,
}

/// Hands relevance through an affine layer by any of [`AFFINE_RULES`].
///
/// # Errors
///
/// If shapes do not fit.
pub fn relevance<B: Backend>(
    layer: &dyn Affine<B>,
    step: &Step<'_, B>,
    rule: &Rule,
) -> Result<Handed<B>> {
    let x = step.input()?;
    let weight = layer.weight();
    let bias = layer.bias();
    let flow = Flow { layer, step, dims: x.dims() };
    let positive = |t: &AnyTensor<B>| t.map(|t| t.clamp_min(0.0));
    let negative = |t: &AnyTensor<B>| t.map(|t| t.clamp_max(0.0));
    let positive_bias = || bias.clone().map(|b| b.clamp_min(0.0));
    let negative_bias = || bias.clone().map(|b| b.clamp_max(0.0));

    match rule.formula() {
        Formula::Epsilon(epsilon) => flow.linear(x, &weight, bias, epsilon),
        Formula::Gamma(gamma) => {
            let up = |t: &AnyTensor<B>| t.map(|t| t.clone() + t.clamp_min(0.0) * gamma);
            let down = |t: &AnyTensor<B>| t.map(|t| t.clone() + t.clamp_max(0.0) * gamma);
            let bias_up = bias.clone().map(|b| b.clone() + b.clamp_min(0.0) * gamma);
            let bias_down = bias.clone().map(|b| b.clone() + b.clamp_max(0.0) * gamma);
            let output = step.output.flat();
            let r = step.relevance;
            let above = r.map(|r| r.mask_fill(output.clone().lower_equal_elem(0.0), 0.0));
            let below = r.map(|r| r.mask_fill(output.greater_equal_elem(0.0), 0.0));
            let (signed, some_below) = signs(x, Some(&below));
            let halves = Halves::of(x, signed);
            let toward = halves.side(&|| up(&weight), &|| down(&weight), bias_up);
            let a = flow.side(&toward, &above)?;
            let b = if some_below {
                let against = halves.side(&|| down(&weight), &|| up(&weight), bias_down);
                Some((flow.side(&against, &below)?, 1.0))
            } else {
                None
            };
            flow.join(a, 1.0, b)
        }
        Formula::ZPlus => {
            let halves = Halves::of(x, signs(x, None).0);
            let side = halves.side(&|| positive(&weight), &|| negative(&weight), positive_bias());
            let handed = flow.side(&side, step.relevance)?;
            flow.join(handed, 1.0, None)
        }
        Formula::AlphaBeta { alpha, beta } => {
            let halves = Halves::of(x, signs(x, None).0);
            let toward = halves.side(&|| positive(&weight), &|| negative(&weight), positive_bias());
            let a = flow.side(&toward, step.relevance)?;
            let b = if beta == 0.0 {
                None
            } else {
                let against =
                    halves.side(&|| negative(&weight), &|| positive(&weight), negative_bias());
                Some((flow.side(&against, step.relevance)?, -beta))
            };
            flow.join(a, alpha, b)
        }
        Formula::WSquare => {
            let side = Side {
                parts: vec![(x.filled(1.0), weight.map(|w| w.square()))],
                bias: bias.map(|b| b.square()),
            };
            let handed = flow.side(&side, step.relevance)?;
            flow.join(handed, 1.0, None)
        }
        Formula::Flat => {
            let side = Side { parts: vec![(x.filled(1.0), weight.filled(1.0))], bias: None };
            let handed = flow.side(&side, step.relevance)?;
            flow.join(handed, 1.0, None)
        }
        Formula::Box { low, high } => {
            inside(rule, x, low, high)?;
            // x W − l W⁺ − h W⁻, so that nothing inside the box is negative and cancels.
            let parts = vec![
                (x.map(|x| x - low), positive(&weight)),
                (x.map(|x| x - high), negative(&weight)),
            ];
            // The root point has the same bias: it cancels.
            let side = Side { parts, bias: None };
            let handed = flow.side(&side, step.relevance)?;
            flow.join(handed, 1.0, None)
        }
        // LRP-0; other rules have been refused before.
        _ => flow.linear(x, &weight, bias, 0.0),
    }
}

/// Inputs of z^B lie between its bounds, but for rounding.
fn inside<B: Backend>(rule: &Rule, x: &AnyTensor<B>, low: f64, high: f64) -> Result<()> {
    if x.is_empty() {
        return Ok(());
    }
    let found = Tensor::cat(vec![x.flat().min(), x.flat().max()], 0);
    let found: Vec<f64> = found.into_data().iter::<f64>().collect();
    let slack = 1e-5 * (high - low);
    match found.as_slice() {
        [least, most] if *least < low - slack || *most > high + slack => {
            let detail = format!("its inputs lie between {least} and {most}, outside the bounds");
            Err(Error::Rule { rule: rule.to_string(), detail })
        }
        _ => Ok(()),
    }
}

/// Whether an input is negative, and whether there is relevance: what saves
/// products where it does not hold. Both are read back from the device at once.
fn signs<B: Backend>(x: &AnyTensor<B>, relevance: Option<&AnyTensor<B>>) -> (bool, bool) {
    if x.is_empty() || relevance.is_some_and(AnyTensor::is_empty) {
        return (true, true);
    }
    let mut asked = vec![x.flat().min()];
    asked.extend(relevance.map(|r| r.flat().abs().max()));
    let found: Vec<f64> = Tensor::cat(asked, 0).into_data().iter::<f64>().collect();
    // NaN counts as both, so that nothing is left out for it.
    let not_negative = found.first().is_some_and(|least| *least >= 0.0);
    let nothing = found.get(1).is_some_and(|most| *most == 0.0);
    (!not_negative, !nothing)
}

/// The positive part of an input, and the negative part if there is one: they
/// contribute with the same sign through opposite weights.
struct Halves<B: Backend> {
    up: AnyTensor<B>,
    down: Option<AnyTensor<B>>,
}

impl<B: Backend> Halves<B> {
    fn of(x: &AnyTensor<B>, signed: bool) -> Self {
        if signed {
            Self { up: x.map(|x| x.clamp_min(0.0)), down: Some(x.map(|x| x.clamp_max(0.0))) }
        } else {
            Self { up: x.clone(), down: None }
        }
    }

    fn side(
        &self,
        up: &dyn Fn() -> AnyTensor<B>,
        down: &dyn Fn() -> AnyTensor<B>,
        bias: Option<Tensor<B, 1>>,
    ) -> Side<B> {
        let mut parts = vec![(self.up.clone(), up())];
        parts.extend(self.down.clone().map(|x| (x, down())));
        Side { parts, bias }
    }
}

/// One relevance on its way through one layer.
struct Flow<'a, B: Backend> {
    layer: &'a dyn Affine<B>,
    step: &'a Step<'a, B>,
    dims: Vec<usize>,
}

/// Relevance of the input, and of the bias.
type Flowed<B> = (AnyTensor<B>, Option<Tensor<B, 1>>);

impl<B: Backend> Flow<'_, B> {
    /// LRP-0 and LRP-ε: the output is known, so one product is enough.
    fn linear(
        &self,
        x: &AnyTensor<B>,
        weight: &AnyTensor<B>,
        bias: Option<Tensor<B, 1>>,
        epsilon: f64,
    ) -> Result<Handed<B>> {
        let s = self.step.relevance.zip(self.step.output, |r, z| quotient(r, z, epsilon))?;
        let back = self.layer.adjoint(&s, weight, &self.dims)?;
        let absorbed = self.absorbed(&s, bias.as_ref());
        Ok(Handed { inputs: vec![x.times(&back)?], bias: absorbed })
    }

    fn side(&self, side: &Side<B>, relevance: &AnyTensor<B>) -> Result<Flowed<B>> {
        let mut sum: Option<AnyTensor<B>> = None;
        for (x, weight) in &side.parts {
            let z = self.layer.apply(x, weight)?;
            sum = Some(match sum {
                Some(sum) => sum.plus(&z)?,
                None => z,
            });
        }
        let z = sum.unwrap_or_else(|| relevance.filled(0.0));
        let z = biased(self.layer, z, side.bias.clone());
        let s = relevance.zip(&z, |r, z| quotient(r, z, 0.0))?;
        let mut handed: Option<AnyTensor<B>> = None;
        for (x, weight) in &side.parts {
            let part = x.times(&self.layer.adjoint(&s, weight, &self.dims)?)?;
            handed = Some(match handed {
                Some(handed) => handed.plus(&part)?,
                None => part,
            });
        }
        let handed = handed.unwrap_or_else(|| relevance.filled(0.0));
        Ok((handed, self.absorbed(&s, side.bias.as_ref())))
    }

    fn join(
        &self,
        (first, first_bias): Flowed<B>,
        weight: f64,
        other: Option<(Flowed<B>, f64)>,
    ) -> Result<Handed<B>> {
        let scaled = |t: AnyTensor<B>, by: f64| if by == 1.0 { t } else { t.map(|t| t * by) };
        let mut relevance = scaled(first, weight);
        let mut bias = first_bias.map(|bias| bias * weight);
        if let Some(((second, second_bias), by)) = other {
            relevance = relevance.plus(&scaled(second, by))?;
            bias = match (bias, second_bias) {
                (Some(a), Some(b)) => Some(a + b * by),
                (a, b) => a.or(b),
            };
        }
        Ok(Handed { inputs: vec![relevance], bias })
    }

    /// `Σ_k b_k s_k` of every sample.
    fn absorbed(&self, s: &AnyTensor<B>, bias: Option<&Tensor<B, 1>>) -> Option<Tensor<B, 1>> {
        let bias = bias.filter(|_| self.step.report)?;
        let dim = self.layer.channel_dim(s);
        Some(s.scaled_along(bias, dim).row_sums())
    }
}
