use burn::nn::Lstm;
use burn::tensor::{Tensor, backend::Backend};

use crate::affine::quotient;
use crate::error::Result;
use crate::layer::recurrent::gate::{Sum, agreed};
use crate::layer::recurrent::unrolled::recurrent;
use crate::layer::recurrent::{Below, Cell, Flow, State, activated, elementwise};
use crate::rule::{Rule, RuleName};

recurrent!(
    /// `c_t = f_t c_{t−1} + i_t g_t`, `h_t = o_t φ(c_t)` with gates i, f, o and the candidate
    /// `g_t = ψ(W x_t + U h_{t−1} + b)`; the output is h of all steps, and the state before the
    /// first step is 0.
    ///
    /// Activations and clipping pass relevance as it is; sums share it by LRP-ε with ε =
    /// 10⁻⁶. Of a product with a gate:
    ///
    /// - `signal-take-all`, the default: the gate is a constant and gets nothing (Arras et al. 2017,
    ///   2019)
    /// - `halves`: half to the gate, and on to what made it (LRP-half in Arras et al. 2019, after
    ///   Arjona-Medina et al. 2018); not where the input gate is coupled to the forget gate
    ///
    /// Both conserve all but what biases and ε take.
    ///
    /// Without `batch_first`, steps come before samples, and the rows of a report are steps:
    /// what a bias absorbed at each, summed over samples.
    Lstm,
    |layer| (layer.batch_first, layer.reverse)
);

/// One step of an [`Lstm`].
pub(super) struct Seen<B: Backend> {
    x: Tensor<B, 2>,
    before: State<B>,
    /// Sums before activations.
    sums: Gates<B>,
    /// After them.
    values: Gates<B>,
    /// `f c + i g`, before it is clipped.
    cell: Tensor<B, 2>,
}

struct Gates<B: Backend> {
    input: Tensor<B, 2>,
    /// None where it is coupled to the input gate.
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
    type Seen = Seen<B>;

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

    fn step(&self, x: Tensor<B, 2>, before: State<B>) -> Result<(State<B>, Seen<B>)> {
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
        Ok((State { hidden, cell }, Seen { x, before, sums, values, cell: sum }))
    }

    fn back(&self, seen: Seen<B>, relevance: State<B>, flow: &Flow) -> Below<B> {
        let Seen { x, before, sums, values, cell } = seen;
        // Of a product, what its gate does not get.
        let signal = if flow.halves { 0.5 } else { 1.0 };
        let of_cell = relevance.cell + relevance.hidden.clone() * signal;
        let s = quotient(of_cell, cell, flow.epsilon);
        let of_kept = values.forgotten() * before.cell * s.clone();
        let of_new = values.input * values.candidate * s;

        let sum = |gate, z| Sum { gate, x: &x, hidden: &before.hidden, z, reset: None };
        let candidate = sum(&self.cell_gate, &sums.candidate);
        let mut shared = candidate.shared(of_new.clone() * signal, flow);
        if flow.halves {
            let gates = [
                (&self.input_gate, Some(&sums.input), of_new),
                (&self.forget_gate, sums.forget.as_ref(), of_kept.clone()),
                (&self.output_gate, Some(&sums.output), relevance.hidden),
            ];
            for (gate, z, of_product) in gates {
                if let Some(z) = z {
                    shared = shared.plus(sum(gate, z).shared(of_product * 0.5, flow));
                }
            }
        }
        Below {
            input: shared.input,
            before: State { hidden: shared.hidden, cell: of_kept * signal },
            bias: shared.bias,
        }
    }
}
