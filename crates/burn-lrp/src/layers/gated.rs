//! Gated linear units.

use burn::nn::{GLU, SwiGlu};
use burn::tensor::{Tensor, backend::Backend};

use crate::any::{AnyTensor, around};
use crate::error::{Error, Result};
use crate::formula::{Formula, RuleName};
use crate::graph::{Node, Relevance};
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::layers::activation::{Silu, sigmoid};
use crate::layers::product::Multiply;
use crate::leaf;
use crate::rule::Rule;
use crate::secant::SecantStep;
use crate::slope::smooth;

/// The first half of a dimension times the sigmoid of the second, its gate.
///
/// `signal-take-all` gives all to the signal (Arras et al. 2017), `halves` half to
/// each (Achtibat et al. 2024).
impl<B: Backend> Layer<B> for GLU {
    fn kind(&self) -> Kind {
        Kind::new("GLU", Family::Activation)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let x = only(inputs)?;
        let dims = x.dims();
        let dim = dimension(self)?;
        if dim == 0 || dim >= dims.len() || !dims[dim].is_multiple_of(2) {
            let expected = format!("a dimension {dim} of even size, other than the one of samples");
            return Err(Error::shape("GLU", expected, &dims));
        }
        let (signal, gate) = parts(x, dim);
        let mut half = dims;
        half[dim] /= 2;
        Ok(AnyTensor::from(signal * sigmoid(gate)).shaped(&half))
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::SignalTakeAll, RuleName::Halves]
    }

    fn default_rule(&self) -> Rule {
        Rule::SIGNAL_TAKE_ALL
    }

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
        let x = step.input()?;
        let dim = dimension(self)?;
        let mut half = x.dims();
        half[dim] /= 2;
        let [before, size, after] = around(&half, dim);
        let r = step.relevance.reshape(&half)?.view([before, size, after]);
        let both = match rule.formula() {
            Formula::Halves => vec![r.clone() * 0.5, r * 0.5],
            _ => vec![r.clone(), r.zeros_like()],
        };
        Ok(Redistribution::single(AnyTensor::from(Tensor::cat(both, 1)).shaped(&x.dims())))
    }

    fn has_secant(&self) -> bool {
        true
    }

    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        let [x, root] = step.input(0)?;
        let (dim, dims) = (dimension(self)?, x.dims());
        let ((signal, gate), (signal_root, gate_root)) = (parts(&x, dim), parts(&root, dim));
        let m = step.multiplier().view(signal.dims());
        let open = (sigmoid(gate.clone()) + sigmoid(gate_root.clone())) * 0.5;
        let slope = smooth(gate, gate_root, sigmoid);
        let both = vec![m.clone() * open, m * (signal + signal_root) * 0.5 * slope];
        Ok(vec![AnyTensor::from(Tensor::cat(both, 1)).shaped(&dims)])
    }
}

leaf!(GLU);

/// Signal and gate, `[before, half, after]`.
fn parts<B: Backend>(x: &AnyTensor<B>, dim: usize) -> (Tensor<B, 3>, Tensor<B, 3>) {
    let [before, size, after] = around(&x.dims(), dim);
    let x = x.view([before, size, after]);
    (x.clone().narrow(1, 0, size / 2), x.narrow(1, size / 2, size / 2))
}

/// The dimension that is halved. The field is private, but the layer prints it.
fn dimension(layer: &GLU) -> Result<usize> {
    let printed = format!("{layer:?}");
    let digits: String = printed
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().map_err(|_| Error::layer("GLU", "its dimension cannot be read"))
}

/// Two linear layers of which one gates the other, `silu(W x) ∘ V x`. They are layers of their
/// own, so that a composite reaches them; `W x`, the gate, is the second factor of the product.
impl<B: Backend> Relevance<B> for SwiGlu<B> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        let gate = input.then("linear_inner", &self.linear_inner)?.apply("silu", Silu, &[])?;
        let signal = input.then("linear_outer", &self.linear_outer)?;
        signal.apply("gate", Multiply, &[&gate])
    }
}
