//! One step of a recurrent layer, forwards and backwards.

use burn::nn::activation::Activation;
use burn::tensor::{Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::formula::{Formula, RuleName};
use crate::graph::{infer, pulled};
use crate::rule::Rule;
use crate::slope::share;

/// A recurrent layer at one step.
pub(super) trait Cell<B: Backend>: std::fmt::Debug {
    /// The values of a step that its relevance is computed from.
    type Cache;

    /// The name of the type.
    const NAME: &'static str;

    /// The sizes of the input and of the hidden state; weights and activations are
    /// checked.
    fn sizes(&self) -> Result<(usize, usize)>;

    /// The rules of the layer.
    fn rules(&self) -> &'static [RuleName];

    /// The rule of the layer unless a composite assigns another.
    fn default_rule(&self) -> Rule;

    /// The state after a step.
    fn step(&self, x: Tensor<B, 2>, before: State<B>) -> Result<(State<B>, Self::Cache)>;

    /// Distributes the relevance of the state after a step.
    fn back(&self, cache: Self::Cache, relevance: State<B>, rule: &StepRule) -> CellRelevance<B>;

    /// The multipliers of the input of a step and of the state before it, from those of the state
    /// after it and from the values at the sample and at the root.
    fn secant(
        &self,
        ends: [Self::Cache; 2],
        multiplier: State<B>,
    ) -> Result<(Tensor<B, 2>, State<B>)>;
}

/// The state after a step, or its relevance: `[samples, hidden]` each. Only an
/// `Lstm` has a cell; in other layers it stays 0.
#[derive(Clone, Debug)]
pub(super) struct State<B: Backend> {
    pub(super) hidden: Tensor<B, 2>,
    pub(super) cell: Tensor<B, 2>,
}

/// The relevance of the input of a step and of the state before it.
pub(super) struct CellRelevance<B: Backend> {
    pub(super) input: Tensor<B, 2>,
    pub(super) before: State<B>,
    /// What biases absorbed, `[samples]`.
    pub(super) bias: Option<Tensor<B, 1>>,
}

/// The rule of a layer, as its steps follow it.
#[derive(Clone, Copy, Debug)]
pub(super) struct StepRule {
    /// The stabiliser of sums.
    pub(super) epsilon: f64,
    /// Whether gates get half of the relevance of their products.
    pub(super) halves: bool,
    /// Whether to compute what biases absorb.
    pub(super) report: bool,
}

impl StepRule {
    pub(super) fn new(rule: &Rule, report: bool) -> Self {
        let epsilon = match *rule.formula() {
            Formula::Zero => 0.0,
            Formula::Epsilon(epsilon) => epsilon,
            _ => 1e-6,
        };
        Self { epsilon, halves: rule.name() == RuleName::Halves, report }
    }
}

/// An activation of gates or states; relevance passes it unchanged.
pub(super) fn activated<B: Backend>(
    activation: &Activation<B>,
    x: Tensor<B, 2>,
) -> Result<Tensor<B, 2>> {
    infer(activation, x)?.tensor()
}

/// The multiplier of the input of an activation, between two places.
pub(super) fn through<B: Backend>(
    activation: &Activation<B>,
    [x, root]: [&Tensor<B, 2>; 2],
    multiplier: Tensor<B, 2>,
) -> Result<Tensor<B, 2>> {
    pulled(activation, [x.clone().into(), root.clone().into()], multiplier.into())?.tensor()
}

/// The multiplier of a number that is cut to `−clip..clip`.
pub(super) fn unclipped<B: Backend>(
    clip: Option<f64>,
    [x, root]: [&Tensor<B, 2>; 2],
    multiplier: Tensor<B, 2>,
) -> Tensor<B, 2> {
    match clip {
        Some(clip) => multiplier * share(x.clone(), root.clone(), [-clip, clip]),
        None => multiplier,
    }
}

/// The value midway between the sample and the root.
pub(super) fn midway<B: Backend>([x, root]: [&Tensor<B, 2>; 2]) -> Tensor<B, 2> {
    (x.clone() + root.clone()) * 0.5
}

/// Refuses an activation that is not elementwise.
pub(super) fn elementwise<B: Backend>(
    activation: &Activation<B>,
    name: &'static str,
) -> Result<()> {
    match activation {
        Activation::SwiGlu(_) => {
            let detail =
                format!("{name} is `SwiGlu`, which is not elementwise; there is no rule for it");
            Err(Error::layer("activation", detail))
        }
        _ => Ok(()),
    }
}
