//! The LSTM layer, step by step.

use burn::nn::Lstm;
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
    /// `c_t = f_t c_{t−1} + i_t g_t`, `h_t = o_t φ(c_t)` with gates i, f, o and the candidate
    /// `g_t = ψ(W x_t + U h_{t−1} + b)`; the output is h of all steps, and the state before the
    /// first step is 0.
    ///
    /// Activations and clipping pass relevance unchanged; sums distribute it by LRP-ε with ε =
    /// 10⁻⁶. In a product with a gate:
    ///
    /// - `signal-take-all`, the default: the gate is a constant and gets nothing (Arras et al. 2017,
    ///   2019)
    /// - `halves`: the gate gets half, which goes on to its own inputs (LRP-half in Arras et al. 2019,
    ///   after Arjona-Medina et al. 2018); not if the input gate is coupled to the forget gate
    ///
    /// Both conserve relevance, except for what biases and ε absorb.
    ///
    /// Without `batch_first`, steps come before samples, and a report has one row per step:
    /// what a bias absorbed at the step, summed over samples.
    Lstm,
    |layer| (layer.batch_first, layer.reverse)
);

/// The values of one step of an [`Lstm`].
pub(super) struct LstmCache<B: Backend> {
    x: Tensor<B, 2>,
    before: State<B>,
    /// The sums before activations.
    sums: Gates<B>,
    /// The gates after activations.
    values: Gates<B>,
    /// `f c + i g`, before it is clipped.
    cell: Tensor<B, 2>,
}

struct Gates<B: Backend> {
    input: Tensor<B, 2>,
    /// `None` if it is coupled to the input gate.
    forget: Option<Tensor<B, 2>>,
    output: Tensor<B, 2>,
    candidate: Tensor<B, 2>,
}

impl<B: Backend> Gates<B> {
    fn forgotten(&self) -> Tensor<B, 2> {
        match &self.forget {
            Some(forget) => forget.clone(),
            None => self.input.clone().neg() + 1.0,
        }
    }
}

impl<B: Backend> Cell<B> for Lstm<B> {
    type Cache = LstmCache<B>;

    const NAME: &'static str = "Lstm";

    fn sizes(&self) -> Result<(usize, usize)> {
        elementwise(&self.gate_activation, "gate_activation")?;
        elementwise(&self.cell_activation, "cell_activation")?;
        elementwise(&self.hidden_activation, "hidden_activation")?;
        let mut gates = vec![
            ("input_gate", &self.input_gate),
            ("output_gate", &self.output_gate),
            ("cell_gate", &self.cell_gate),
        ];
        if !self.input_forget {
            gates.push(("forget_gate", &self.forget_gate));
        }
        agreed("Lstm", &gates, self.d_hidden)
    }

    fn rules(&self) -> &'static [RuleName] {
        if self.input_forget {
            &[RuleName::SignalTakeAll]
        } else {
            &[RuleName::SignalTakeAll, RuleName::Halves]
        }
    }

    fn default_rule(&self) -> Rule {
        Rule::SIGNAL_TAKE_ALL
    }

    fn step(&self, x: Tensor<B, 2>, before: State<B>) -> Result<(State<B>, LstmCache<B>)> {
        let of = |gate: &burn::nn::GateController<B>| {
            gate.gate_product(x.clone(), before.hidden.clone())
        };
        let sums = Gates {
            input: of(&self.input_gate),
            forget: (!self.input_forget).then(|| of(&self.forget_gate)),
            output: of(&self.output_gate),
            candidate: of(&self.cell_gate),
        };
        let gated = |z: &Tensor<B, 2>| activated(&self.gate_activation, z.clone());
        let values = Gates {
            input: gated(&sums.input)?,
            forget: sums.forget.as_ref().map(gated).transpose()?,
            output: gated(&sums.output)?,
            candidate: activated(&self.cell_activation, sums.candidate.clone())?,
        };
        let sum = values.forgotten() * before.cell.clone()
            + values.input.clone() * values.candidate.clone();
        let cell = match self.clip {
            Some(clip) => sum.clone().clamp(-clip, clip),
            None => sum.clone(),
        };
        let hidden = values.output.clone() * activated(&self.hidden_activation, cell.clone())?;
        Ok((State { hidden, cell }, LstmCache { x, before, sums, values, cell: sum }))
    }

    fn back(&self, cache: LstmCache<B>, relevance: State<B>, rule: &StepRule) -> CellRelevance<B> {
        let LstmCache { x, before, sums, values, cell } = cache;
        // The share of a product that its gate does not get.
        let signal = if rule.halves { 0.5 } else { 1.0 };
        let of_cell = relevance.cell + relevance.hidden.clone() * signal;
        let s = quotient(of_cell, cell, rule.epsilon);
        let of_kept = values.forgotten() * before.cell * s.clone();
        let of_new = values.input * values.candidate * s;

        let sum = |gate, z| GateSum { gate, x: &x, hidden: &before.hidden, z, reset: None };
        let candidate = sum(&self.cell_gate, &sums.candidate);
        let mut found = candidate.relevance(of_new.clone() * signal, rule);
        if rule.halves {
            let gates = [
                (&self.input_gate, Some(&sums.input), of_new),
                (&self.forget_gate, sums.forget.as_ref(), of_kept.clone()),
                (&self.output_gate, Some(&sums.output), relevance.hidden),
            ];
            for (gate, z, of_product) in gates {
                if let Some(z) = z {
                    found = found.plus(sum(gate, z).relevance(of_product * 0.5, rule));
                }
            }
        }
        CellRelevance {
            input: found.input,
            before: State { hidden: found.hidden, cell: of_kept * signal },
            bias: found.bias,
        }
    }

    fn secant(&self, ends: [LstmCache<B>; 2], m: State<B>) -> Result<(Tensor<B, 2>, State<B>)> {
        let [x, root] = &ends;
        let of = |value: fn(&LstmCache<B>) -> &Tensor<B, 2>| [value(x), value(root)];
        let cut = |cache: &LstmCache<B>| match self.clip {
            Some(clip) => cache.cell.clone().clamp(-clip, clip),
            None => cache.cell.clone(),
        };
        let [cell, cell_root] = [cut(x), cut(root)];
        let shown = |cell: &Tensor<B, 2>| activated(&self.hidden_activation, cell.clone());
        let of_output = m.hidden.clone() * midway([&shown(&cell)?, &shown(&cell_root)?]);
        let of_shown = m.hidden * midway(of(|cache| &cache.values.output));
        let of_cut = m.cell + through(&self.hidden_activation, [&cell, &cell_root], of_shown)?;
        let of_cell = unclipped(self.clip, of(|cache| &cache.cell), of_cut);

        let kept = midway([&x.values.forgotten(), &root.values.forgotten()]);
        let of_forget = of_cell.clone() * midway(of(|cache| &cache.before.cell));
        let of_candidate = of_cell.clone() * midway(of(|cache| &cache.values.input));
        let of_input = of_cell.clone() * midway(of(|cache| &cache.values.candidate));
        let (of_input, of_forget) = match self.input_forget {
            // What is forgotten is 1 − i.
            true => (of_input - of_forget, None),
            false => (of_input, Some(of_forget)),
        };
        let candidate =
            through(&self.cell_activation, of(|cache| &cache.sums.candidate), of_candidate)?;
        let mut found = multipliers(&self.cell_gate, candidate);
        let forget = x.sums.forget.as_ref().zip(root.sums.forget.as_ref());
        let forget = forget.zip(of_forget).map(|((x, root), m)| (&self.forget_gate, [x, root], m));
        let gates = [
            (&self.input_gate, of(|cache| &cache.sums.input), of_input),
            (&self.output_gate, of(|cache| &cache.sums.output), of_output),
        ];
        for (gate, sums, m) in gates.into_iter().chain(forget) {
            let [input, hidden] = multipliers(gate, through(&self.gate_activation, sums, m)?);
            found = [found[0].clone() + input, found[1].clone() + hidden];
        }
        let [input, hidden] = found;
        Ok((input, State { hidden, cell: of_cell * kept }))
    }
}
