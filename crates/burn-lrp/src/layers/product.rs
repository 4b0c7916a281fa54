//! The product of a signal and a gate.

use burn::tensor::backend::Backend;

use crate::any::{AnyTensor, around, repeated};
use crate::error::{Error, Result};
use crate::formula::{Formula, RuleName};
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step};
use crate::rule::Rule;
use crate::secant::SecantStep;

/// The product of two inputs, element by element.
///
/// The first is the signal, the second its gate, which may have size 1 along
/// any dimension: it is then repeated along that dimension.
///
/// - `halves`: half of the relevance to each factor (Achtibat et al. 2024,
///   uniform rule of bilinear layers)
/// - `signal-take-all`: the gate is a constant (Arras et al. 2017)
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Multiply;

impl<B: Backend> Layer<B> for Multiply {
    fn kind(&self) -> Kind {
        Kind::new("Multiply", Family::Join)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let [signal, gate] = inputs else {
            return Err(Error::layer(
                "Multiply",
                format!("it needs 2 factors, not {}", inputs.len()),
            ));
        };
        let dims = signal.dims();
        let fits = |(gate, signal): (&usize, &usize)| gate == signal || *gate == 1;
        if gate.rank() != dims.len() || !gate.dims().iter().zip(&dims).all(fits) {
            let expected = format!("{dims:?}, or 1 in place of a size, for the second factor");
            return Err(Error::shape("Multiply", expected, &gate.dims()));
        }
        if gate.dims().first() != dims.first() {
            let expected = format!("{} samples for the second factor", dims[0]);
            return Err(Error::shape("Multiply", expected, &gate.dims()));
        }
        signal.times(&expanded(gate, &dims))
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Halves, RuleName::SignalTakeAll]
    }

    fn default_rule(&self) -> Rule {
        Rule::HALVES
    }

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
        let [_, gate] = step.inputs else {
            return Err(Error::layer("Multiply", "it needs 2 factors"));
        };
        let inputs = match rule.formula() {
            Formula::Halves => {
                let half = step.relevance.map(|r| r * 0.5);
                vec![half.clone(), summed(&half, &gate.dims())]
            }
            _ => vec![step.relevance.clone(), gate.filled(0.0)],
        };
        Ok(Redistribution { inputs, bias: None })
    }

    fn has_secant(&self) -> bool {
        true
    }

    /// Each factor gets the other one midway.
    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        let (signal, gate, m) = (step.midway(0)?, step.midway(1)?, step.multiplier());
        let of_signal = m.times(&expanded(&gate, &signal.dims()))?;
        Ok(vec![of_signal, summed(&m.times(&signal)?, &gate.dims())])
    }
}

/// Repeated along dimensions of size 1.
fn expanded<B: Backend>(x: &AnyTensor<B>, dims: &[usize]) -> AnyTensor<B> {
    let mut x = x.clone();
    for (dim, size) in dims.iter().enumerate() {
        let mut now = x.dims();
        if now[dim] != *size {
            let [before, _, after] = around(&now, dim);
            let wide = repeated(x.view([before, 1, after]), *size);
            now[dim] = *size;
            x = AnyTensor::from(wide).shaped(&now);
        }
    }
    x
}

/// Summed along the dimensions that have size 1 in the given shape.
fn summed<B: Backend>(x: &AnyTensor<B>, dims: &[usize]) -> AnyTensor<B> {
    let mut x = x.clone();
    for (dim, size) in dims.iter().enumerate() {
        let mut now = x.dims();
        if now[dim] != *size {
            let sum = x.view(around(&now, dim)).sum_dim(1);
            now[dim] = 1;
            x = AnyTensor::from(sum).shaped(&now);
        }
    }
    x
}
