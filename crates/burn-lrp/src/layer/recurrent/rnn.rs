use burn::nn::Rnn;
use burn::tensor::{Tensor, backend::Backend};

use crate::error::Result;
use crate::layer::recurrent::gate::{Sum, agreed};
use crate::layer::recurrent::unrolled::recurrent;
use crate::layer::recurrent::{Below, Cell, Flow, State, activated, elementwise};
use crate::rule::{Rule, RuleName};

recurrent!(
    /// `h_t = φ(W x_t + U h_{t−1} + b)`; the output is h of all steps, and the state before the
    /// first step is 0.
    ///
    /// The activation and clipping pass relevance as it is; the sum shares it by LRP-0 or
    /// LRP-ε (Bach et al. 2015; Arras et al. 2017). There are no gates: `signal-take-all` is
    /// LRP-ε with ε = 10⁻⁶.
    ///
    /// Without `batch_first`, steps come before samples, and the rows of a report are steps:
    /// what a bias absorbed at each, summed over samples.
    Rnn,
    |layer| (layer.batch_first, layer.reverse)
);

/// One step of an [`Rnn`].
pub(super) struct Seen<B: Backend> {
    x: Tensor<B, 2>,
    before: State<B>,
    sum: Tensor<B, 2>,
}

impl<B: Backend> Cell<B> for Rnn<B> {
    type Seen = Seen<B>;

    const NAME: &'static str = "Rnn";

    fn sizes(&self) -> Result<(usize, usize)> {
        elementwise(&self.hidden_activation, "hidden_activation")?;
        agreed("Rnn", &[("gate", &self.gate)], self.d_hidden)
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Zero, RuleName::Epsilon, RuleName::SignalTakeAll]
    }

    fn default_rule(&self) -> Rule {
        Rule::EPSILON
    }

    fn step(&self, x: Tensor<B, 2>, before: State<B>) -> Result<(State<B>, Seen<B>)> {
        let sum = self.gate.gate_product(x.clone(), before.hidden.clone());
        let hidden = activated(&self.hidden_activation, sum.clone())?;
        let hidden = match self.clip {
            Some(clip) => hidden.clamp(-clip, clip),
            None => hidden,
        };
        Ok((State { hidden, cell: before.cell.clone() }, Seen { x, before, sum }))
    }

    fn back(&self, seen: Seen<B>, relevance: State<B>, flow: &Flow) -> Below<B> {
        let Seen { x, before, sum } = seen;
        let sum = Sum { gate: &self.gate, x: &x, hidden: &before.hidden, z: &sum, reset: None };
        let shared = sum.shared(relevance.hidden, flow);
        Below {
            input: shared.input,
            before: State { hidden: shared.hidden, cell: relevance.cell },
            bias: shared.bias,
        }
    }
}
