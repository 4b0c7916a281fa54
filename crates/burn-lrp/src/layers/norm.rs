//! Layer, RMS, group and instance normalisation.

use burn::module::{Param, ParamId};
use burn::nn::norm::Normalization;
use burn::nn::{GroupNorm, InstanceNorm, LayerNorm, RmsNorm};
use burn::tensor::{Tensor, backend::Backend};

use crate::affine::quotient;
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::formula::{Formula, RuleName};
use crate::graph::{Node, Relevance};
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::leaf;
use crate::rule::Rule;
use crate::secant::SecantStep;

/// `y = γ (x − mean) / σ + β`, with no mean for `RmsNorm`.
struct Standardization<B: Backend> {
    /// The number of neighbouring elements that share a mean and a deviation.
    width: usize,
    centred: bool,
    /// `[1, 1]`.
    epsilon: Tensor<B, 2>,
    gamma: Option<Tensor<B, 1>>,
    beta: Option<Tensor<B, 1>>,
    /// The dimension that γ and β run along.
    dim: usize,
}

impl<B: Backend> Standardization<B> {
    fn rows(&self, x: &AnyTensor<B>) -> Tensor<B, 2> {
        x.view([x.len() / self.width.max(1), self.width])
    }

    /// Without the mean, for all but `RmsNorm`.
    fn centred(&self, rows: Tensor<B, 2>) -> Tensor<B, 2> {
        if self.centred { rows.clone() - rows.mean_dim(1) } else { rows }
    }

    fn deviation(&self, centred: Tensor<B, 2>) -> Tensor<B, 2> {
        (centred.square().mean_dim(1) + self.epsilon.clone()).sqrt()
    }

    fn forward(&self, x: &AnyTensor<B>) -> AnyTensor<B> {
        let centred = self.centred(self.rows(x));
        let y = centred.clone() / self.deviation(centred);
        let y = AnyTensor::from(y).shaped(&x.dims());
        let y = match &self.gamma {
            Some(gamma) => y.scaled_along(gamma, self.dim),
            None => y,
        };
        match &self.beta {
            Some(beta) => y.shifted_along(beta, self.dim),
            None => y,
        }
    }

    fn relevance(&self, step: &Step<'_, B>, epsilon: f64) -> Result<Redistribution<B>> {
        let x = step.input()?;
        let s = step.relevance.zip(step.output, |r, z| quotient(r, z, epsilon))?;
        let back = match &self.gamma {
            Some(gamma) => s.scaled_along(gamma, self.dim),
            None => s.clone(),
        };
        let rows = self.rows(x);
        let deviation = self.deviation(self.centred(rows.clone()));
        let relevance = rows / deviation * self.centred(self.rows(&back));
        let bias = self.beta.as_ref().filter(|_| step.report);
        let bias = bias.map(|beta| s.scaled_along(beta, self.dim).row_sums());
        Ok(Redistribution { inputs: vec![AnyTensor::from(relevance).shaped(&x.dims())], bias })
    }

    /// The centred input is multiplied by the reciprocal deviation: either factor gets the other
    /// midway, and the deviation passes its part on to the squares of the centred input.
    fn secant(&self, ends: &[AnyTensor<B>; 2], multiplier: &AnyTensor<B>) -> AnyTensor<B> {
        let m = match &self.gamma {
            Some(gamma) => &multiplier.scaled_along(gamma, self.dim),
            None => multiplier,
        };
        let [u, u0] = [0, 1].map(|at: usize| self.centred(self.rows(&ends[at])));
        let [d, d0] = [&u, &u0].map(|u| self.deviation(u.clone()));
        let m = self.rows(m);
        // The slope of 1 / d as a function of d², −1 / (d d₀ (d + d₀)), and that of u², u + u₀.
        let product = d.clone() * d0.clone();
        let midway = (u + u0) * 0.5;
        let of_deviation = (m.clone() * midway.clone()).sum_dim(1) * (2.0 / self.width as f64)
            / (product.clone() * (d.clone() + d0.clone()));
        let back = m * (d + d0) * 0.5 / product - midway * of_deviation;
        AnyTensor::from(self.centred(back)).shaped(&multiplier.dims())
    }
}

macro_rules! normalization {
    ($layer:ident, $default:ident, |$this:ident, $x:ident| $forward:expr, $standard:expr) => {
        /// Normalisation by the statistics of a sample itself:
        /// `y = γ (x − mean) / σ + β`, with no mean for `RmsNorm`.
        ///
        /// - `epsilon`, the default unless there is no mean, and `zero`: σ is a constant, so that
        ///   the layer is affine with the weights `γ_k (δ_jk − 1 / width) / σ` and the bias β, by
        ///   LRP-ε or LRP-0 (Ali et al. 2022). Inputs get relevance in proportion to their size
        /// - `pass`, the default of `RmsNorm`: relevance passes unchanged, which conserves it
        ///   (Achtibat et al. 2024). With a mean, relevance comes to lie on inputs near 0, by which
        ///   the next layer divides
        impl<B: Backend> Layer<B> for $layer<B> {
            fn kind(&self) -> Kind {
                Kind::new(stringify!($layer), Family::Normalization)
            }

            fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
                let ($this, $x) = (self, only(inputs)?);
                $forward
            }

            fn rules(&self) -> &'static [RuleName] {
                &[RuleName::Pass, RuleName::Zero, RuleName::Epsilon]
            }

            fn default_rule(&self) -> Rule {
                Rule::$default
            }

            fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
                let epsilon = match *rule.formula() {
                    Formula::Zero => 0.0,
                    Formula::Epsilon(epsilon) => epsilon,
                    _ => return Ok(Redistribution::single(step.relevance.clone())),
                };
                let ($this, $x) = (self, step.input()?);
                let standard: Standardization<B> = $standard?;
                standard.relevance(step, epsilon)
            }

            fn has_secant(&self) -> bool {
                true
            }

            fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
                let ends = step.input(0)?;
                let ($this, $x) = (self, &ends[0]);
                let standard: Standardization<B> = $standard?;
                Ok(vec![standard.secant(&ends, step.multiplier())])
            }
        }

        leaf!($layer<B>);
    };
}

/// The width of the last dimension.
fn last<B: Backend>(name: &str, x: &AnyTensor<B>, width: usize) -> Result<usize> {
    let dims = x.dims();
    if dims.len() >= 2 && dims[dims.len() - 1] == width && width > 0 {
        Ok(dims.len() - 1)
    } else {
        Err(Error::shape(name, format!("[samples, .., {width}]"), &dims))
    }
}

fn constant<B: Backend>(value: f64, like: &AnyTensor<B>) -> Tensor<B, 2> {
    Tensor::full([1, 1], value, (&like.device(), like.dtype()))
}

normalization!(LayerNorm, EPSILON, |layer, x| centred_last(layer, x), layer_norm(layer, x));
normalization!(RmsNorm, PASS, |layer, x| Ok(rms_norm(layer, x)?.forward(x)), rms_norm(layer, x));
normalization!(
    GroupNorm,
    EPSILON,
    |layer, x| Ok(group_norm(layer, x)?.forward(x)),
    group_norm(layer, x)
);
normalization!(
    InstanceNorm,
    EPSILON,
    |layer, x| Ok(instance_norm(layer, x)?.forward(x)),
    instance_norm(layer, x)
);

/// Burn's own function, which knows its ε.
fn centred_last<B: Backend>(layer: &LayerNorm<B>, x: &AnyTensor<B>) -> Result<AnyTensor<B>> {
    let [width] = layer.gamma.val().dims();
    last("LayerNorm", x, width)?;
    let y = layer.forward(x.view([x.len() / width, width]));
    Ok(AnyTensor::from(y).shaped(&x.dims()))
}

fn layer_norm<B: Backend>(layer: &LayerNorm<B>, x: &AnyTensor<B>) -> Result<Standardization<B>> {
    let gamma = layer.gamma.val();
    let [width] = gamma.dims();
    let dim = last("LayerNorm", x, width)?;
    let epsilon = epsilon(layer, x, width);
    let beta = layer.beta.as_ref().map(Param::val);
    Ok(Standardization { width, centred: true, epsilon, gamma: Some(gamma), beta, dim })
}

/// The ε of the layer, which is private. It turns the row `(a, −a, 0, ..)` with a tiny a into
/// `a / √(2 a² / width + ε)`, from which ε follows.
fn epsilon<B: Backend>(layer: &LayerNorm<B>, like: &AnyTensor<B>, width: usize) -> Tensor<B, 2> {
    const TINY: f64 = 1e-12;
    // A single element minus its mean is 0.
    if width < 2 {
        return constant(1.0, like);
    }
    let mut bare = layer.clone();
    let ones = Tensor::ones([width], (&like.device(), like.dtype()));
    bare.gamma = Param::initialized(ParamId::new(), ones);
    bare.beta = None;
    let ends = [constant(TINY, like), constant(-TINY, like)];
    let mut row = Vec::from(ends);
    if width > 2 {
        row.push(Tensor::zeros([1, width - 2], (&like.device(), like.dtype())));
    }
    let first = bare.forward(Tensor::cat(row, 1)).narrow(1, 0, 1);
    let root = constant(TINY, like) / first;
    (root.square() - 2.0 * TINY * TINY / width as f64).clamp_min(0.0)
}

/// Burn takes the mean of squares in single precision; this takes it in that of the input.
fn rms_norm<B: Backend>(layer: &RmsNorm<B>, x: &AnyTensor<B>) -> Result<Standardization<B>> {
    let gamma = layer.gamma.val();
    let [width] = gamma.dims();
    let dim = last("RmsNorm", x, width)?;
    let epsilon = constant(layer.epsilon, x);
    Ok(Standardization { width, centred: false, epsilon, gamma: Some(gamma), beta: None, dim })
}

fn group_norm<B: Backend>(layer: &GroupNorm<B>, x: &AnyTensor<B>) -> Result<Standardization<B>> {
    let affine = layer.affine.then_some((&layer.gamma, &layer.beta));
    let counts = [layer.num_channels, layer.num_groups];
    grouped("GroupNorm", x, counts, layer.epsilon, affine)
}

fn instance_norm<B: Backend>(
    layer: &InstanceNorm<B>,
    x: &AnyTensor<B>,
) -> Result<Standardization<B>> {
    let affine = layer.affine.then_some((&layer.gamma, &layer.beta));
    let counts = [layer.num_channels, layer.num_channels];
    grouped("InstanceNorm", x, counts, layer.epsilon, affine)
}

type Vector<B> = Option<Param<Tensor<B, 1>>>;

fn grouped<B: Backend>(
    name: &str,
    x: &AnyTensor<B>,
    [channels, groups]: [usize; 2],
    epsilon: f64,
    affine: Option<(&Vector<B>, &Vector<B>)>,
) -> Result<Standardization<B>> {
    let dims = x.dims();
    if dims.len() < 2 || dims[1] != channels || x.is_empty() {
        return Err(Error::shape(name, format!("[samples, {channels}, ..]"), &dims));
    }
    if groups == 0 || channels % groups != 0 {
        let detail = format!("{channels} channels cannot be divided into {groups} groups");
        return Err(Error::layer(name, detail));
    }
    let (gamma, beta) = match affine {
        None => (None, None),
        Some((Some(gamma), Some(beta))) => (Some(gamma.val()), Some(beta.val())),
        Some(_) => {
            return Err(Error::layer(name, "it is affine, but lacks gamma or beta"));
        }
    };
    let width = channels / groups * dims[2..].iter().product::<usize>();
    let epsilon = constant(epsilon, x);
    Ok(Standardization { width, centred: true, epsilon, gamma, beta, dim: 1 })
}

/// The normalisation that it holds.
impl<B: Backend> Relevance<B> for Normalization<B> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        match self {
            Self::Batch(layer) => layer.trace(input),
            Self::Group(layer) => layer.trace(input),
            Self::Instance(layer) => layer.trace(input),
            Self::Layer(layer) => layer.trace(input),
            Self::Rms(layer) => layer.trace(input),
            other => {
                let detail =
                    format!("{other:?} is not supported; implement `Layer` for a type of your own");
                Err(Error::layer("Normalization", detail))
            }
        }
    }
}
