//! The sum of two linear transforms that a gate is, and its relevance.

use burn::nn::GateController;
use burn::tensor::{Tensor, backend::Backend};

use crate::affine::quotient;
use crate::error::{Error, Result};
use crate::layers::recurrent::cell::StepRule;

/// The sizes of the input and of the state of a gate.
pub(super) fn sizes<B: Backend>(name: &str, gate: &GateController<B>) -> Result<(usize, usize)> {
    let [inputs, outputs] = gate.input_transform.weight.dims();
    let states = gate.hidden_transform.weight.dims();
    if states == [outputs, outputs] {
        Ok((inputs, outputs))
    } else {
        Err(Error::shape(
            format!("{name}.hidden_transform"),
            format!("[{outputs}, {outputs}]"),
            &states,
        ))
    }
}

/// The sizes of the gates of a layer, which must agree.
pub(super) fn agreed<B: Backend>(
    at: &str,
    gates: &[(&str, &GateController<B>)],
    hidden: usize,
) -> Result<(usize, usize)> {
    let mut inputs = None;
    for (name, gate) in gates {
        let (input, output) = sizes(name, gate)?;
        if output != hidden || *inputs.get_or_insert(input) != input {
            let detail = format!("the gate `{name}` has other sizes than the layer");
            return Err(Error::layer(at, detail));
        }
    }
    Ok((inputs.unwrap_or(0), hidden))
}

/// The sum of both transforms of a gate.
pub(super) struct GateSum<'a, B: Backend> {
    pub(super) gate: &'a GateController<B>,
    pub(super) x: &'a Tensor<B, 2>,
    pub(super) hidden: &'a Tensor<B, 2>,
    /// `x W + b + r (h U + c)`.
    pub(super) z: &'a Tensor<B, 2>,
    /// r, the factor of the second transform, if there is one.
    pub(super) reset: Option<&'a Tensor<B, 2>>,
}

/// The relevance of both inputs of a [`GateSum`], and what its biases absorbed.
pub(super) struct GateRelevance<B: Backend> {
    pub(super) input: Tensor<B, 2>,
    pub(super) hidden: Tensor<B, 2>,
    pub(super) bias: Option<Tensor<B, 1>>,
}

impl<B: Backend> GateSum<'_, B> {
    /// Distributes relevance by LRP-ε; the factor is a constant.
    pub(super) fn relevance(&self, relevance: Tensor<B, 2>, rule: &StepRule) -> GateRelevance<B> {
        let s = quotient(relevance, self.z.clone(), rule.epsilon);
        let through = match self.reset {
            Some(reset) => s.clone() * reset.clone(),
            None => s.clone(),
        };
        let (first, second) = (&self.gate.input_transform, &self.gate.hidden_transform);
        let input = self.x.clone() * s.clone().matmul(first.weight.val().transpose());
        let hidden = self.hidden.clone() * through.clone().matmul(second.weight.val().transpose());
        let mut bias = None;
        if rule.report {
            for (bias_of, s) in [(&first.bias, s), (&second.bias, through)] {
                if let Some(of) = bias_of {
                    bias = both(bias, Some(row_sums(s * of.val().unsqueeze())));
                }
            }
        }
        GateRelevance { input, hidden, bias }
    }
}

impl<B: Backend> GateRelevance<B> {
    pub(super) fn plus(self, other: Self) -> Self {
        Self {
            input: self.input + other.input,
            hidden: self.hidden + other.hidden,
            bias: both(self.bias, other.bias),
        }
    }
}

/// The multipliers of the input and of the state that a gate sums up, from that of the sum.
pub(super) fn multipliers<B: Backend>(
    gate: &GateController<B>,
    multiplier: Tensor<B, 2>,
) -> [Tensor<B, 2>; 2] {
    [&gate.input_transform, &gate.hidden_transform]
        .map(|transform| multiplier.clone().matmul(transform.weight.val().transpose()))
}

fn row_sums<B: Backend>(x: Tensor<B, 2>) -> Tensor<B, 1> {
    x.sum_dim(1).squeeze_dim(1)
}

/// The sum of one or two tensors; `None` if there are none.
pub(super) fn both<B: Backend>(
    a: Option<Tensor<B, 1>>,
    b: Option<Tensor<B, 1>>,
) -> Option<Tensor<B, 1>> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a + b),
        (a, b) => a.or(b),
    }
}
