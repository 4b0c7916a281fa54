use burn::nn::{GLU, SwiGlu};
use burn::tensor::{Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::graph::{Node, Relevance};
use crate::layer::activation::{Silu, sigmoid};
use crate::layer::{Family, Handed, Kind, Layer, Multiply, Step, only};
use crate::leaf;
use crate::rule::{Rule, RuleName};

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
            let expected = format!("a dimension {dim} of even size that is not that of samples");
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

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Handed<B>> {
        let x = step.input()?;
        let dim = dimension(self)?;
        let mut half = x.dims();
        half[dim] /= 2;
        let [before, size, after] = crate::layer::around(&half, dim);
        let r = step.relevance.reshape(&half)?.view([before, size, after]);
        let both = match *rule {
            Rule::HALVES => vec![r.clone() * 0.5, r * 0.5],
            _ => vec![r.clone(), r.zeros_like()],
        };
        Ok(Handed::whole(AnyTensor::from(Tensor::cat(both, 1)).shaped(&x.dims())))
    }
}

leaf!(GLU);

/// Signal and gate, `[before, half, after]`.
fn parts<B: Backend>(x: &AnyTensor<B>, dim: usize) -> (Tensor<B, 3>, Tensor<B, 3>) {
    let [before, size, after] = crate::layer::around(&x.dims(), dim);
    let x = x.view([before, size, after]);
    (x.clone().narrow(1, 0, size / 2), x.narrow(1, size / 2, size / 2))
}

/// The dimension that is halved. The layer keeps it to itself, but prints it.
fn dimension(layer: &GLU) -> Result<usize> {
    let printed = format!("{layer:?}");
    let digits: String = printed
        .chars()
        .skip_while(|c| !c.is_ascii_digit())
        .take_while(char::is_ascii_digit)
        .collect();
    digits.parse().map_err(|_| Error::layer("GLU", "its dimension cannot be read"))
}

/// Two linear layers of which one gates the other, `silu(W x) ∘ V x`: its parts,
/// so that a composite reaches the linear layers. The product takes
/// `W x`, the gate, as its second factor.
impl<B: Backend> Relevance<B> for SwiGlu<B> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        let gate = input.then("linear_inner", &self.linear_inner)?.made("silu", Silu, &[])?;
        let signal = input.then("linear_outer", &self.linear_outer)?;
        signal.made("gate", Multiply, &[&gate])
    }
}
