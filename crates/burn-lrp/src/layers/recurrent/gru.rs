//! The GRU layer, step by step.

use burn::nn::gru::Gru;
use burn::tensor::{Tensor, backend::Backend};

use crate::affine::quotient;
use crate::error::Result;
use crate::formula::RuleName;
use crate::layers::recurrent::cell::{
    Cell, CellRelevance, State, StepRule, activated, elementwise, midway, through, unclipped,
};
use crate::layers::recurrent::gate::{GateSum, agreed, multipliers};
use crate::layers::recurrent::unrolled::recurrent;
use crate::rule::Rule;

recurrent!(
    /// `h_t = (1 − z_t) g_t + z_t h_{t−1}` with gates z, r and the candidate
    /// `g_t = φ(W x_t + b + r_t (U h_{t−1} + c))`, or `φ(W x_t + b + U (r_t h_{t−1}) + c)` where the
    /// reset gate comes first; the output is h of all steps, and the state before the first step
    /// is 0.
    ///
    /// Activations and clipping pass relevance unchanged; sums distribute it by LRP-ε with ε =
    /// 10⁻⁶, and gates are constants that get nothing (`signal-take-all`, Arras et al. 2017). This
    /// conserves relevance, except for what biases and ε absorb.
    Gru,
    |_layer| (true, false)
);

/// The values of one step of a [`Gru`].
pub(super) struct GruCache<B: Backend> {
    x: Tensor<B, 2>,
    before: State<B>,
    update: Tensor<B, 2>,
    reset: Tensor<B, 2>,
    /// The sums that the two gates are made from.
    gates: [Tensor<B, 2>; 2],
    /// The sum that the candidate is made from.
    sum: Tensor<B, 2>,
    candidate: Tensor<B, 2>,
    /// h before it is clipped.
    hidden: Tensor<B, 2>,
}

impl<B: Backend> Cell<B> for Gru<B> {
    type Cache = GruCache<B>;

    const NAME: &'static str = "Gru";

    fn sizes(&self) -> Result<(usize, usize)> {
        elementwise(&self.gate_activation, "gate_activation")?;
        elementwise(&self.hidden_activation, "hidden_activation")?;
        let gates = [
            ("update_gate", &self.update_gate),
            ("reset_gate", &self.reset_gate),
            ("new_gate", &self.new_gate),
        ];
        agreed("Gru", &gates, self.d_hidden)
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::SignalTakeAll]
    }

    fn default_rule(&self) -> Rule {
        Rule::SIGNAL_TAKE_ALL
    }

    fn step(&self, x: Tensor<B, 2>, before: State<B>) -> Result<(State<B>, GruCache<B>)> {
        let h = &before.hidden;
        let update = self.update_gate.gate_product(x.clone(), h.clone());
        let reset = self.reset_gate.gate_product(x.clone(), h.clone());
        let gates = [update.clone(), reset.clone()];
        let update = activated(&self.gate_activation, update)?;
        let reset = activated(&self.gate_activation, reset)?;
        let sum = if self.reset_after {
            let kept = self.new_gate.hidden_transform.forward(h.clone());
            self.new_gate.input_transform.forward(x.clone()) + reset.clone() * kept
        } else {
            self.new_gate.gate_product(x.clone(), h.clone() * reset.clone())
        };
        let candidate = activated(&self.hidden_activation, sum.clone())?;
        let hidden = candidate.clone() * (update.clone().neg() + 1.0) + update.clone() * h.clone();
        let clipped = match self.clip {
            Some(clip) => hidden.clone().clamp(-clip, clip),
            None => hidden.clone(),
        };
        let after = State { hidden: clipped, cell: before.cell.clone() };
        Ok((after, GruCache { x, before, update, reset, gates, sum, candidate, hidden }))
    }

    fn back(&self, cache: GruCache<B>, relevance: State<B>, rule: &StepRule) -> CellRelevance<B> {
        let GruCache { x, before, update, reset, sum, candidate, hidden, .. } = cache;
        let s = quotient(relevance.hidden, hidden, rule.epsilon);
        let of_kept = update.clone() * before.hidden.clone() * s.clone();
        let of_new = candidate * (update.neg() + 1.0) * s;
        // The input of the second transform, and the factor of its output.
        let (given, after) = if self.reset_after {
            (before.hidden, Some(&reset))
        } else {
            (before.hidden * reset.clone(), None)
        };
        let sum = GateSum { gate: &self.new_gate, x: &x, hidden: &given, z: &sum, reset: after };
        let found = sum.relevance(of_new, rule);
        CellRelevance {
            input: found.input,
            before: State { hidden: of_kept + found.hidden, cell: relevance.cell },
            bias: found.bias,
        }
    }

    fn secant(&self, ends: [GruCache<B>; 2], m: State<B>) -> Result<(Tensor<B, 2>, State<B>)> {
        let [x, root] = &ends;
        let of = |value: fn(&GruCache<B>) -> &Tensor<B, 2>| [value(x), value(root)];
        let [update, reset, h] =
            [of(|c| &c.update), of(|c| &c.reset), of(|c| &c.before.hidden)].map(midway);
        let of_hidden = unclipped(self.clip, of(|cache| &cache.hidden), m.hidden);
        let of_candidate = of_hidden.clone() * (update.clone().neg() + 1.0);
        let of_update = of_hidden.clone() * (h.clone() - midway(of(|cache| &cache.candidate)));
        let of_sum = through(&self.hidden_activation, of(|cache| &cache.sum), of_candidate)?;

        let second = &self.new_gate.hidden_transform;
        let [of_input, of_second] = multipliers(&self.new_gate, of_sum.clone());
        let (of_reset, of_given) = if self.reset_after {
            // The reset gate times the second transform.
            let kept = [x, root].map(|cache| second.forward(cache.before.hidden.clone()));
            let of_kept = (of_sum.clone() * reset).matmul(second.weight.val().transpose());
            (of_sum * midway([&kept[0], &kept[1]]), of_kept)
        } else {
            (of_second.clone() * h, of_second * reset)
        };
        let mut found = [of_input, of_given + of_hidden * update];
        let gates = [(&self.update_gate, of_update), (&self.reset_gate, of_reset)];
        for (at, (gate, m)) in gates.into_iter().enumerate() {
            let sums = [&x.gates[at], &root.gates[at]];
            let [input, hidden] = multipliers(gate, through(&self.gate_activation, sums, m)?);
            found = [found[0].clone() + input, found[1].clone() + hidden];
        }
        let [input, hidden] = found;
        Ok((input, State { hidden, cell: m.cell }))
    }
}
