//! The plain RNN layer, step by step.

use burn::nn::Rnn;
use burn::tensor::{Tensor, backend::Backend};

use crate::error::Result;
use crate::formula::RuleName;
use crate::layers::recurrent::cell::{
    Cell, CellRelevance, State, StepRule, activated, elementwise, through, unclipped,
};
use crate::layers::recurrent::gate::{GateSum, agreed, multipliers};
use crate::layers::recurrent::unrolled::recurrent;
use crate::rule::Rule;

recurrent!(
    /// `h_t = φ(W x_t + U h_{t−1} + b)`; the output is h of all steps, and the state before the
    /// first step is 0.
    ///
    /// The activation and clipping pass relevance unchanged; the sum distributes it by LRP-0 or
    /// LRP-ε (Bach et al. 2015; Arras et al. 2017). There are no gates: `signal-take-all` is
    /// LRP-ε with ε = 10⁻⁶.
    ///
    /// Without `batch_first`, steps come before samples, and a report has one row per step:
    /// what a bias absorbed at the step, summed over samples.
    Rnn,
    |layer| (layer.batch_first, layer.reverse)
);

/// The values of one step of an [`Rnn`].
pub(super) struct RnnCache<B: Backend> {
    x: Tensor<B, 2>,
    before: State<B>,
    sum: Tensor<B, 2>,
}

impl<B: Backend> Cell<B> for Rnn<B> {
    type Cache = RnnCache<B>;

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

    fn step(&self, x: Tensor<B, 2>, before: State<B>) -> Result<(State<B>, RnnCache<B>)> {
        let sum = self.gate.gate_product(x.clone(), before.hidden.clone());
        let hidden = activated(&self.hidden_activation, sum.clone())?;
        let hidden = match self.clip {
            Some(clip) => hidden.clamp(-clip, clip),
            None => hidden,
        };
        Ok((State { hidden, cell: before.cell.clone() }, RnnCache { x, before, sum }))
    }

    fn back(&self, cache: RnnCache<B>, relevance: State<B>, rule: &StepRule) -> CellRelevance<B> {
        let RnnCache { x, before, sum } = cache;
        let sum = GateSum { gate: &self.gate, x: &x, hidden: &before.hidden, z: &sum, reset: None };
        let found = sum.relevance(relevance.hidden, rule);
        CellRelevance {
            input: found.input,
            before: State { hidden: found.hidden, cell: relevance.cell },
            bias: found.bias,
        }
    }

    fn secant(&self, ends: [RnnCache<B>; 2], m: State<B>) -> Result<(Tensor<B, 2>, State<B>)> {
        let [x, root] = &ends;
        let hidden = |cache: &RnnCache<B>| activated(&self.hidden_activation, cache.sum.clone());
        let of_hidden = unclipped(self.clip, [&hidden(x)?, &hidden(root)?], m.hidden);
        let of_sum = through(&self.hidden_activation, [&x.sum, &root.sum], of_hidden)?;
        let [input, hidden] = multipliers(&self.gate, of_sum);
        Ok((input, State { hidden, cell: m.cell }))
    }
}
