//! Recurrent layers, unrolled over their steps.

mod directions;
mod gate;
mod gru;
mod lstm;
mod rnn;
mod unrolled;

use burn::nn::activation::Activation;
use burn::tensor::{Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::rule::{Formula, Rule, RuleName};

/// What a recurrent layer does at one step, forwards and backwards.
trait Cell<B: Backend>: std::fmt::Debug {
    /// What a step needs to hand its relevance down.
    type Seen;

    /// The name of the type.
    const NAME: &'static str;

    /// Sizes of the input and of the hidden state; weights and functions are
    /// looked at.
    fn sizes(&self) -> Result<(usize, usize)>;

    /// The rules of the layer.
    fn rules(&self) -> &'static [RuleName];

    /// The rule where nobody says otherwise.
    fn default_rule(&self) -> Rule;

    fn step(&self, x: Tensor<B, 2>, before: State<B>) -> Result<(State<B>, Self::Seen)>;

    fn back(&self, seen: Self::Seen, relevance: State<B>, flow: &Flow) -> Below<B>;
}

/// The state after a step, or its relevance: `[samples, hidden]` each. Only an
/// `Lstm` has a cell; elsewhere it stays 0.
#[derive(Clone, Debug)]
struct State<B: Backend> {
    hidden: Tensor<B, 2>,
    cell: Tensor<B, 2>,
}

/// What a step hands down.
struct Below<B: Backend> {
    input: Tensor<B, 2>,
    before: State<B>,
    /// `[samples]`.
    bias: Option<Tensor<B, 1>>,
}

/// How relevance flows through a step.
#[derive(Clone, Copy, Debug)]
struct Flow {
    /// The stabiliser of sums.
    epsilon: f64,
    /// Whether gates share what their products get.
    halves: bool,
    /// Whether biases are told.
    report: bool,
}

impl Flow {
    fn new(rule: &Rule, report: bool) -> Self {
        let epsilon = match rule.formula() {
            Formula::Zero => 0.0,
            Formula::Epsilon(epsilon) => epsilon,
            _ => 1e-6,
        };
        Self { epsilon, halves: rule.name() == RuleName::Halves, report }
    }
}

/// An activation of gates or states; relevance passes it as it is.
fn activated<B: Backend>(activation: &Activation<B>, x: Tensor<B, 2>) -> Result<Tensor<B, 2>> {
    crate::infer(activation, x)?.tensor()
}

/// Refuses what is not element by element.
fn elementwise<B: Backend>(activation: &Activation<B>, name: &'static str) -> Result<()> {
    match activation {
        Activation::SwiGlu(_) => {
            let detail =
                format!("{name} is `SwiGlu`, which is not element by element; no rule is known");
            Err(Error::layer("activation", detail))
        }
        _ => Ok(()),
    }
}
