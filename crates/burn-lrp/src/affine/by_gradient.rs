//! Affine layers given as functions, by vector-Jacobian products.

use std::fmt;

use burn::backend::Autodiff;
use burn::tensor::{Tensor, TensorData, backend::Backend};

use crate::affine::map::Affine;
use crate::affine::quotient::quotient;
use crate::affine_methods;
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::formula::{Formula, RuleName};
use crate::graph::{Node, Relevance};
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::rule::Rule;
use crate::secant::SecantStep;

/// A tensor on the backend that computes gradients.
type Dual<B> = AnyTensor<Autodiff<B>>;

type Function<'f, B> = Box<dyn Fn(Dual<B>) -> Result<Dual<B>> + 'f>;
type Weighted<'f, B> = Box<dyn Fn(Dual<B>, Dual<B>) -> Result<Dual<B>> + 'f>;

/// A layer of your own, given as a function that is affine in its input: LRP-0
/// and LRP-ε by one vector-Jacobian product.
///
/// With `z = f(a) = J a + f(0)`, the relevance of an input is `a_j Σ_k J_kj s_k`,
/// `s = R / z`; what f(0) contributes is absorbed like a bias. The other
/// rules need the weights: [`WeightedByGradient`].
///
/// The function runs on `Autodiff<B>`, where Burn's `Dropout` and `BatchNorm`
/// are in training mode: use them as separate layers. It must treat samples
/// (the first dimension) one by one. [`verify`](Self::verify) checks whether it
/// is affine.
///
/// ```
/// use burn::backend::{Autodiff, Flex};
/// use burn::tensor::Tensor;
/// use burn_lrp::affine::ByGradient;
/// use burn_lrp::{Composite, Tape};
///
/// // The mean over time, and how far the series rises.
/// let layer = ByGradient::<Flex>::of_rank("Trend", |x: Tensor<Autodiff<Flex>, 2>| {
///     let rise = x.clone().narrow(1, 3, 1) - x.clone().narrow(1, 0, 1);
///     Tensor::cat(vec![x.mean_dim(1), rise], 1)
/// });
///
/// let x = Tensor::<Flex, 2>::from_data([[1.0, 2.0, 3.0, 6.0]], &Default::default());
/// layer.verify(&x.clone().into())?;
/// let tape = Tape::new();
/// let input = tape.input("x", x);
/// let output = input.then("trend", &layer)?;
/// let relevances = output.plan(&Composite::default())?.run(output.value().clone())?;
/// let found: Vec<f32> = relevances.of(&input)?.flat().into_data().iter().collect();
/// for (found, expected) in found.iter().zip([-0.75, 0.5, 0.75, 7.5]) {
///     assert!((found - expected).abs() < 1e-4);
/// }
/// # Ok::<(), burn_lrp::Error>(())
/// ```
pub struct ByGradient<'f, B: Backend> {
    kind: Kind,
    function: Function<'f, B>,
}

/// A layer of your own that is linear in its input and in its weights, except for a
/// bias: every rule of [`AFFINE_RULES`](crate::affine::AFFINE_RULES) by vector-Jacobian products.
///
/// The function is `W a` for an input a and weights W of the given shape,
/// without the bias; it runs on `Autodiff<B>`. An input must reach an output
/// through at most one weight, as in convolutions: rules treat a weight
/// as the whole connection.
///
/// ```
/// use burn::backend::{Autodiff, Flex};
/// use burn::tensor::Tensor;
/// use burn_lrp::affine::WeightedByGradient;
/// use burn_lrp::{Composite, Rule, Selector, Tape};
///
/// type Dual<const D: usize> = Tensor<Autodiff<Flex>, D>;
///
/// // Every feature by its own weight, then the sum of neighbours.
/// let device = Default::default();
/// let weight = Tensor::<Flex, 1>::from_data([1.0, -1.0, 2.0, 0.5], &device);
/// let layer = WeightedByGradient::of_rank("Pairs", weight, |x: Dual<2>, w: Dual<1>| {
///     let [n, features] = x.dims();
///     (x * w.unsqueeze()).reshape([n, features / 2, 2]).sum_dim(2).reshape([n, features / 2])
/// });
///
/// let x = Tensor::<Flex, 2>::from_data([[3.0, 1.0, 1.0, 2.0]], &device);
/// layer.verify(&x.clone().into())?;
/// let tape = Tape::new();
/// let input = tape.input("x", x);
/// let output = input.then("pairs", &layer)?;
/// let plan = output.plan(&Composite::new().with(Selector::All, Rule::Z_PLUS))?;
/// let found: Vec<f32> =
///     plan.run(output.value().clone())?.of(&input)?.flat().into_data().iter().collect();
/// // The second feature contributes negatively to the first output.
/// assert_eq!(found, [2.0, 0.0, 2.0, 1.0]);
/// # Ok::<(), burn_lrp::Error>(())
/// ```
pub struct WeightedByGradient<'f, B: Backend> {
    kind: Kind,
    function: Weighted<'f, B>,
    weight: AnyTensor<B>,
    /// With the dimension of the output that holds the channels.
    bias: Option<(Tensor<B, 1>, usize)>,
}

impl<'f, B: Backend> ByGradient<'f, B> {
    /// A layer of this name from a function of tensors of any rank.
    pub fn new(
        name: &'static str,
        function: impl Fn(AnyTensor<Autodiff<B>>) -> Result<AnyTensor<Autodiff<B>>> + 'f,
    ) -> Self {
        Self { kind: Kind::new(name, Family::Other), function: Box::new(function) }
    }

    /// A layer of this name from a function of tensors whose ranks are known.
    pub fn of_rank<const I: usize, const O: usize>(
        name: &'static str,
        function: impl Fn(Tensor<Autodiff<B>, I>) -> Tensor<Autodiff<B>, O> + 'f,
    ) -> Self {
        Self::new(name, move |x| Ok(function(x.tensor()?).into()))
    }

    /// The same layer in a family, for selectors.
    pub fn with_family(mut self, family: Family) -> Self {
        self.kind = Kind::new(self.kind.name(), family);
        self
    }

    /// Checks whether the function is affine, at this input and one fixed direction y:
    /// whether `f(a + y) − f(a) = f(y) − f(0)`, up to rounding. It is meant for tests of
    /// a layer; a pass does not call it.
    ///
    /// # Errors
    ///
    /// If it is not, or cannot take the input.
    pub fn verify(&self, x: &AnyTensor<B>) -> Result<()> {
        let run = |x: &AnyTensor<B>| Ok(lower(&(self.function)(lift(x))?));
        additive(self.kind.name(), "its input", x, run)
    }
}

impl<'f, B: Backend> WeightedByGradient<'f, B> {
    /// A layer of this name from a function of an input and weights.
    pub fn new(
        name: &'static str,
        weight: impl Into<AnyTensor<B>>,
        function: impl Fn(
            AnyTensor<Autodiff<B>>,
            AnyTensor<Autodiff<B>>,
        ) -> Result<AnyTensor<Autodiff<B>>>
        + 'f,
    ) -> Self {
        let kind = Kind::new(name, Family::Other);
        Self { kind, function: Box::new(function), weight: weight.into(), bias: None }
    }

    /// A layer of this name from a function of tensors whose ranks are known.
    pub fn of_rank<const I: usize, const W: usize, const O: usize>(
        name: &'static str,
        weight: Tensor<B, W>,
        function: impl Fn(Tensor<Autodiff<B>, I>, Tensor<Autodiff<B>, W>) -> Tensor<Autodiff<B>, O> + 'f,
    ) -> Self {
        Self::new(name, weight, move |x, w| Ok(function(x.tensor()?, w.tensor()?).into()))
    }

    /// The same layer with a bias along a dimension of the output.
    ///
    /// # Shapes
    ///
    /// - bias: `[channels]`
    pub fn with_bias(mut self, bias: Tensor<B, 1>, dim: usize) -> Self {
        self.bias = Some((bias, dim));
        self
    }

    /// The same layer in a family, for selectors.
    pub fn with_family(mut self, family: Family) -> Self {
        self.kind = Kind::new(self.kind.name(), family);
        self
    }

    /// Checks whether the function is linear in its input and in its weights, as
    /// [`ByGradient::verify`] does.
    ///
    /// # Errors
    ///
    /// If it is not, or cannot take the input.
    pub fn verify(&self, x: &AnyTensor<B>) -> Result<()> {
        let name = self.kind.name();
        let run = |x: &AnyTensor<B>| self.apply(x, &self.weight);
        additive(name, "its input", x, run)?;
        additive(name, "its weights", &self.weight, |weight| self.apply(x, weight))?;
        for (z, of) in [
            (self.apply(&x.filled(0.0), &self.weight)?, "an input"),
            (self.apply(x, &self.weight.filled(0.0))?, "weights"),
        ] {
            if largest(&z) > 0.0 {
                let detail = format!(
                    "it is not linear: with {of} of zeros, the output is not zero; a bias goes to \
                     `with_bias`"
                );
                return Err(Error::layer(name, detail));
            }
        }
        Ok(())
    }
}

/// The same tensor on the backend that computes gradients.
fn lift<B: Backend>(x: &AnyTensor<B>) -> Dual<B> {
    let flat = Tensor::<Autodiff<B>, 1>::from_inner(x.flat());
    AnyTensor::from(flat).shaped(&x.dims())
}

/// The same tensor on the backend without gradients.
fn lower<B: Backend>(x: &Dual<B>) -> AnyTensor<B> {
    AnyTensor::from(x.flat().inner()).shaped(&x.dims())
}

/// `Jᵀ s` for the Jacobian J of a function at x.
fn pulled_back<B: Backend>(
    name: &str,
    x: &AnyTensor<B>,
    s: &AnyTensor<B>,
    f: impl FnOnce(Dual<B>) -> Result<Dual<B>>,
) -> Result<AnyTensor<B>> {
    let dims = x.dims();
    let leaf = Tensor::<Autodiff<B>, 1>::from_inner(x.flat()).require_grad();
    let z = f(AnyTensor::from(leaf.clone()).shaped(&dims))?;
    if z.dims() != s.dims() {
        let expected = format!("{:?}, that of the output", z.dims());
        return Err(Error::shape(name, expected, &s.dims()));
    }
    let gradients = (z.flat() * lift(s).flat()).sum().backward();
    match leaf.grad(&gradients) {
        Some(gradient) => Ok(AnyTensor::from(gradient).shaped(&dims)),
        // The function ignores its input.
        None => Ok(x.filled(0.0)),
    }
}

/// Whether `f(x + y) − f(x) − f(y) + f(0)` is zero up to rounding.
fn additive<B: Backend>(
    name: &str,
    of: &str,
    x: &AnyTensor<B>,
    f: impl Fn(&AnyTensor<B>) -> Result<AnyTensor<B>>,
) -> Result<()> {
    let size = largest(x).max(1.0);
    let values: Vec<f64> = (0..x.len()).map(|at| size * (1.0 + 2.5 * at as f64).sin()).collect();
    let data = TensorData::new(values, [x.len()]).convert_dtype(x.dtype());
    let y = Tensor::<B, 1>::from_data(data, (&x.device(), x.dtype()));
    let y = AnyTensor::from(y).shaped(&x.dims());
    let parts = [f(&x.plus(&y)?)?, f(x)?, f(&y)?, f(&x.filled(0.0))?];
    let scale = parts.iter().map(largest).fold(0.0, f64::max);
    let [both, first, second, zero] = parts;
    let rest = both.plus(&zero)?.zip(&first.plus(&second)?, |a, b| a - b)?;
    let precision = x.dtype().finfo().map_or(1e-3, |info| info.epsilon);
    if !scale.is_finite() || !largest(&rest).is_finite() {
        return Err(Error::layer(name, "the function returns NaN or infinite numbers"));
    }
    // Rounding of long sums grows with their square root at most.
    if largest(&rest) <= scale * precision.sqrt() {
        return Ok(());
    }
    Err(Error::layer(name, format!("the function is not affine in {of}")))
}

fn largest<B: Backend>(x: &AnyTensor<B>) -> f64 {
    x.flat()
        .into_data()
        .iter::<f64>()
        .fold(0.0, |most, value| if value.is_nan() { f64::INFINITY } else { most.max(value.abs()) })
}

impl<B: Backend> Layer<B> for ByGradient<'_, B> {
    fn kind(&self) -> Kind {
        self.kind
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let z = (self.function)(lift(only(inputs)?))?;
        Ok(lower(&z))
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Zero, RuleName::Epsilon]
    }

    fn default_rule(&self) -> Rule {
        Rule::EPSILON
    }

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
        let x = step.input()?;
        let epsilon = match *rule.formula() {
            Formula::Epsilon(epsilon) => epsilon,
            _ => 0.0,
        };
        let s = step.relevance.zip(step.output, |r, z| quotient(r, z, epsilon))?;
        let back = pulled_back(self.kind.name(), x, &s, &self.function)?;
        let bias = if step.report {
            Some(lower(&(self.function)(lift(&x.filled(0.0)))?).times(&s)?.row_sums())
        } else {
            None
        };
        Ok(Redistribution::single(x.times(&back)?).with_bias(bias))
    }

    fn has_secant(&self) -> bool {
        true
    }

    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        // The slope of an affine function is the same everywhere.
        let (m, dims) = (step.multiplier(), step.dims(0)?);
        let zeros =
            Tensor::<B, 1>::zeros([dims.iter().product::<usize>()], (&m.device(), m.dtype()));
        let x = AnyTensor::from(zeros).shaped(&dims);
        Ok(vec![pulled_back(self.kind.name(), &x, m, &self.function)?])
    }
}

impl<B: Backend> Affine<B> for WeightedByGradient<'_, B> {
    fn weight(&self) -> AnyTensor<B> {
        self.weight.clone()
    }

    fn bias(&self) -> Option<Tensor<B, 1>> {
        self.bias.as_ref().map(|(bias, _)| bias.clone())
    }

    fn channel_dim(&self, _: &AnyTensor<B>) -> usize {
        self.bias.as_ref().map_or(0, |(_, dim)| *dim)
    }

    fn apply(&self, x: &AnyTensor<B>, weight: &AnyTensor<B>) -> Result<AnyTensor<B>> {
        let z = lower(&(self.function)(lift(x), lift(weight))?);
        if let Some((bias, dim)) = &self.bias
            && z.dims().get(*dim) != Some(&bias.dims()[0])
        {
            let [channels] = bias.dims();
            let expected = format!("an output with {channels} channels, as the bias has");
            return Err(Error::shape(self.kind.name(), expected, &z.dims()));
        }
        Ok(z)
    }

    fn adjoint(
        &self,
        s: &AnyTensor<B>,
        weight: &AnyTensor<B>,
        input: &[usize],
    ) -> Result<AnyTensor<B>> {
        // The Jacobian of a linear function is the same everywhere.
        let size: usize = input.iter().product();
        let zeros = Tensor::<B, 1>::zeros([size], (&s.device(), s.dtype()));
        let x = AnyTensor::from(zeros).shaped(input);
        pulled_back(self.kind.name(), &x, s, |x| (self.function)(x, lift(weight)))
    }
}

impl<B: Backend> Layer<B> for WeightedByGradient<'_, B> {
    fn kind(&self) -> Kind {
        self.kind
    }

    affine_methods!(B);
}

impl<B: Backend> Relevance<B> for ByGradient<'_, B> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        input.layer(self)
    }
}

impl<B: Backend> Relevance<B> for WeightedByGradient<'_, B> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        input.layer(self)
    }
}

impl<B: Backend> fmt::Debug for ByGradient<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ByGradient").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl<B: Backend> fmt::Debug for WeightedByGradient<'_, B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("WeightedByGradient")
            .field("kind", &self.kind)
            .field("weight", &self.weight.dims())
            .finish_non_exhaustive()
    }
}
