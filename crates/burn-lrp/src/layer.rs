//! What a layer provides so that relevance can be propagated through it.

use std::fmt::Debug;

use burn::tensor::{Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::formula::RuleName;
use crate::kind::Kind;
use crate::rule::Rule;
use crate::secant::SecantStep;

/// A layer that relevance can be propagated through.
///
/// A pass only reads a layer and never changes it, so a layer may be used several times in a
/// network. Implement this trait for a layer of your own; with [`leaf!`](crate::leaf), it can be
/// part of any network.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::{Tensor, backend::Backend};
/// use burn_lrp::{AnyTensor, Family, Kind, Layer, Redistribution, Result, Rule, RuleName, Step, leaf};
///
/// /// Twice the input.
/// #[derive(Debug)]
/// struct Double;
///
/// impl<B: Backend> Layer<B> for Double {
///     fn kind(&self) -> Kind {
///         Kind::new("Double", Family::Activation)
///     }
///     fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
///         Ok(inputs[0].map(|x| x * 2.0))
///     }
///     fn rules(&self) -> &'static [RuleName] {
///         &[RuleName::Pass]
///     }
///     fn default_rule(&self) -> Rule {
///         Rule::PASS
///     }
///     fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
///         Ok(Redistribution::single(step.relevance.clone()))
///     }
/// }
/// leaf!(Double);
///
/// let x = Tensor::<Flex, 2>::from_data([[1.0, 2.0]], &Default::default());
/// assert_eq!(burn_lrp::infer(&Double, x)?.dims(), [1, 2]);
/// # Ok::<(), burn_lrp::Error>(())
/// ```
pub trait Layer<B: Backend>: Debug {
    /// The kind of layer.
    fn kind(&self) -> Kind;

    /// The output, in inference mode on every backend: no dropout, and
    /// normalisation by running statistics.
    ///
    /// # Errors
    ///
    /// If an input has a shape that the layer cannot take.
    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>>;

    /// The rules it can follow.
    fn rules(&self) -> &'static [RuleName];

    /// The rule it follows unless a composite assigns another; one of [`rules`](Self::rules).
    fn default_rule(&self) -> Rule;

    /// Distributes the relevance of the output over the inputs, by one of its
    /// [`rules`](Self::rules).
    ///
    /// # Errors
    ///
    /// If shapes do not fit, or the rule cannot be applied to these inputs.
    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>>;

    /// Whether the layer has a [`secant`](Self::secant); false unless overridden. A secant pass through
    /// a layer without one is an error that lists all of them.
    fn has_secant(&self) -> bool {
        false
    }

    /// The multipliers of the inputs from that of the output, such that
    /// `Σ_i m_i (x_i − x₀_i) = Σ_k m_k (z_k − z₀_k)` for every sample, up to rounding: what a
    /// [`SecantPlan`](crate::SecantPlan) asks of a layer.
    ///
    /// It returns one multiplier for every input, in its shape. Multipliers must be finite where a
    /// sample is its root, too: the derivative there. Write a slope without a quotient where
    /// you can; [`slope`](crate::slope) has some.
    /// In a test, the relevances that [`secant`](crate::secant()) finds must sum to the difference of
    /// the outputs.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::{Tensor, backend::Backend};
    /// use burn_lrp::{
    ///     AnyTensor, Family, Kind, Layer, Redistribution, Result, Rule, RuleName, SecantStep, Step,
    ///     leaf, secant,
    /// };
    ///
    /// /// `x²`, with the slope `x + x₀` between two places.
    /// #[derive(Debug)]
    /// struct Square;
    ///
    /// impl<B: Backend> Layer<B> for Square {
    ///     fn kind(&self) -> Kind {
    ///         Kind::new("Square", Family::Activation)
    ///     }
    ///     fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
    ///         Ok(inputs[0].map(|x| x.square()))
    ///     }
    ///     fn rules(&self) -> &'static [RuleName] {
    ///         &[RuleName::Pass]
    ///     }
    ///     fn default_rule(&self) -> Rule {
    ///         Rule::PASS
    ///     }
    ///     fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
    ///         Ok(Redistribution::single(step.relevance.clone()))
    ///     }
    ///     fn has_secant(&self) -> bool {
    ///         true
    ///     }
    ///     fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
    ///         let [x, root] = step.input(0)?;
    ///         Ok(vec![step.multiplier().times(&x.plus(&root)?)?])
    ///     }
    /// }
    /// leaf!(Square);
    ///
    /// let device = Default::default();
    /// let x = Tensor::<Flex, 2>::from_data([[3.0, 1.0]], &device);
    /// let root = Tensor::<Flex, 2>::from_data([[1.0, 2.0]], &device);
    /// let found = secant(&Square, x, root, |z, _| Ok(z.map(|z| z.ones_like())))?;
    /// assert_eq!(found.relevance.flat().into_data().iter().collect::<Vec<f32>>(), [8.0, -3.0]);
    /// # Ok::<(), burn_lrp::Error>(())
    /// ```
    ///
    /// # Errors
    ///
    /// If the layer has none, or shapes do not fit.
    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        let _ = step;
        Err(Error::layer(self.kind().name(), "it has no secant"))
    }

    /// Whether the input is categorical, such as token ids, so that differences of it mean nothing.
    /// A secant pass then ends at the output, and every token gets the summed relevance of its vector.
    fn has_discrete_input(&self) -> bool {
        false
    }

    /// The layer with its output channels scaled and shifted, `scale_k (z_k + b_k) + shift_k`, if
    /// it can be written as one layer. A batch normalisation merges into the layer before it in this
    /// way.
    ///
    /// The layer that is returned takes the place of this one: its kind, rules and default rule
    /// apply. A layer with rules of its own returns one of the same kind.
    ///
    /// # Shapes
    ///
    /// - scale, shift: `[channels]`
    fn rescaled(
        &self,
        scale: &Tensor<B, 1>,
        shift: &Tensor<B, 1>,
    ) -> Option<Box<dyn Layer<B> + 'static>> {
        let _ = (scale, shift);
        None
    }

    /// The dimension of the output that holds the channels of [`rescaled`](Self::rescaled).
    fn rescaled_dim(&self, output: &[usize]) -> usize {
        let _ = output;
        1
    }

    /// The scale and shift of every channel (dimension 1), if the layer does nothing else.
    fn channel_scale(&self) -> Option<(Tensor<B, 1>, Tensor<B, 1>)> {
        None
    }
}

/// One layer in a relevance pass: its inputs, its output, and the relevance of the output.
#[derive(Debug)]
#[non_exhaustive]
pub struct Step<'a, B: Backend> {
    /// The inputs.
    pub inputs: &'a [AnyTensor<B>],
    /// The output.
    pub output: &'a AnyTensor<B>,
    /// The relevance of the output.
    pub relevance: &'a AnyTensor<B>,
    /// Whether to compute what the bias absorbs; it costs a little.
    pub report: bool,
}

impl<'a, B: Backend> Step<'a, B> {
    /// A step without a report.
    pub fn new(
        inputs: &'a [AnyTensor<B>],
        output: &'a AnyTensor<B>,
        relevance: &'a AnyTensor<B>,
    ) -> Self {
        Self { inputs, output, relevance, report: false }
    }

    /// The same step, with or without a report.
    pub fn with_report(mut self, report: bool) -> Self {
        self.report = report;
        self
    }

    /// The input of a layer that has one.
    ///
    /// # Errors
    ///
    /// If there are no inputs.
    pub fn input(&self) -> Result<&'a AnyTensor<B>> {
        only(self.inputs)
    }
}

/// The first input.
pub(crate) fn only<B: Backend>(inputs: &[AnyTensor<B>]) -> Result<&AnyTensor<B>> {
    inputs.first().ok_or_else(|| Error::layer("layer", "it has no input"))
}

/// How a layer distributed the relevance of its output.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Redistribution<B: Backend> {
    /// The relevance of every input, in the shape of the input; for token ids, in the
    /// shape of the ids.
    pub inputs: Vec<AnyTensor<B>>,
    /// What the bias absorbed of every sample, `[n]`, if the layer has a bias and the step a report.
    pub bias: Option<Tensor<B, 1>>,
}

impl<B: Backend> Redistribution<B> {
    /// The relevance of every input; nothing is absorbed.
    pub fn new(inputs: Vec<AnyTensor<B>>) -> Self {
        Self { inputs, bias: None }
    }

    /// The relevance of the only input; nothing is absorbed.
    pub fn single(relevance: AnyTensor<B>) -> Self {
        Self::new(vec![relevance])
    }

    /// The same, with what the bias absorbed of every sample, `[n]`.
    pub fn with_bias(mut self, bias: Option<Tensor<B, 1>>) -> Self {
        self.bias = bias;
        self
    }
}
