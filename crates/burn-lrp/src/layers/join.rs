//! Layers with several inputs: sums, differences, concatenations.

use burn::tensor::{Tensor, backend::Backend};

use crate::affine::quotient;
use crate::any::{AnyTensor, around};
use crate::error::{Error, Result};
use crate::formula::{Formula, RuleName};
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step};
use crate::rule::Rule;
use crate::secant::SecantStep;

/// The sum of its inputs: a skip connection.
///
/// Inputs get relevance in proportion to what they contributed, element by
/// element; if they cancel, LRP-ε keeps it bounded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Add;

/// The first input minus the second; relevance is distributed as by [`Add`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subtract;

/// The inputs, concatenated along a dimension.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Concat {
    /// The dimension; not 0, the one of samples.
    pub dim: usize,
}

impl<B: Backend> Layer<B> for Add {
    fn kind(&self) -> Kind {
        Kind::new("Add", Family::Join)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let (first, rest) = split("Add", inputs)?;
        rest.iter().try_fold(first.clone(), |sum, next| sum.plus(next))
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Proportional, RuleName::Zero, RuleName::Epsilon]
    }

    fn default_rule(&self) -> Rule {
        Rule::EPSILON
    }

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
        let epsilon = match *rule.formula() {
            Formula::Epsilon(epsilon) => epsilon,
            _ => 0.0,
        };
        let share = quotient(step.relevance.flat(), step.output.flat(), epsilon);
        let inputs = step.inputs.iter().map(|input| input.map(|x| x * share.clone())).collect();
        Ok(Redistribution { inputs, bias: None })
    }

    fn has_secant(&self) -> bool {
        true
    }

    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        Ok(vec![step.multiplier().clone(); step.len()])
    }
}

impl<B: Backend> Layer<B> for Subtract {
    fn kind(&self) -> Kind {
        Kind::new("Subtract", Family::Join)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        match inputs {
            [first, second] => first.zip(second, |a, b| a - b),
            _ => Err(Error::layer("Subtract", format!("it needs 2 inputs, not {}", inputs.len()))),
        }
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Proportional, RuleName::Zero, RuleName::Epsilon]
    }

    fn default_rule(&self) -> Rule {
        Rule::EPSILON
    }

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
        let found = Layer::<B>::relevance(&Add, step, rule)?;
        let signed = found.inputs.into_iter().enumerate().map(|(at, r)| match at {
            0 => r,
            _ => r.map(|r| r.neg()),
        });
        Ok(Redistribution { inputs: signed.collect(), bias: None })
    }

    fn has_secant(&self) -> bool {
        true
    }

    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        Ok(vec![step.multiplier().clone(), step.multiplier().map(|m| m.neg())])
    }
}

impl<B: Backend> Layer<B> for Concat {
    fn kind(&self) -> Kind {
        Kind::new("Concat", Family::Join)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let (first, rest) = split("Concat", inputs)?;
        let dims = first.dims();
        if self.dim == 0 || self.dim >= dims.len() {
            let expected = format!("a dimension {} other than the one of samples", self.dim);
            return Err(Error::shape("Concat", expected, &dims));
        }
        for next in rest {
            let mut other = next.dims();
            if other.len() == dims.len() {
                other[self.dim] = dims[self.dim];
            }
            if other != dims {
                let expected = format!("{dims:?} except for dimension {}", self.dim);
                return Err(Error::shape("Concat", expected, &next.dims()));
            }
            first.same_precision(next)?;
        }
        // As [before, dim, after], whatever the rank is.
        let [before, _, after] = around(&dims, self.dim);
        let parts = inputs.iter().map(|x| x.view([before, x.dims()[self.dim], after])).collect();
        let whole: Tensor<B, 3> = Tensor::cat(parts, 1);
        let mut joined = dims.clone();
        joined[self.dim] = whole.dims()[1];
        Ok(AnyTensor::from(whole).shaped(&joined))
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass]
    }

    fn default_rule(&self) -> Rule {
        Rule::PASS
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
        let sizes = step.inputs.iter().map(AnyTensor::dims);
        Ok(Redistribution { inputs: self.parts(step.relevance, sizes), bias: None })
    }

    fn has_secant(&self) -> bool {
        true
    }

    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        let sizes: Vec<Vec<usize>> =
            (0..step.len()).map(|at| step.dims(at)).collect::<Result<_>>()?;
        Ok(self.parts(step.multiplier(), sizes.into_iter()))
    }
}

impl Concat {
    /// What belongs to every input of a tensor in the shape of the output.
    fn parts<B: Backend>(
        &self,
        whole: &AnyTensor<B>,
        inputs: impl Iterator<Item = Vec<usize>>,
    ) -> Vec<AnyTensor<B>> {
        let dims = whole.dims();
        let [before, _, after] = around(&dims, self.dim);
        let whole = whole.view([before, dims[self.dim], after]);
        let mut start = 0;
        inputs
            .map(|input| {
                let size = input[self.dim];
                let part = whole.clone().narrow(1, start, size);
                start += size;
                AnyTensor::from(part).shaped(&input)
            })
            .collect()
    }
}

fn split<'a, B: Backend>(
    at: &str,
    inputs: &'a [AnyTensor<B>],
) -> Result<(&'a AnyTensor<B>, &'a [AnyTensor<B>])> {
    inputs.split_first().ok_or_else(|| Error::layer(at, "it has no input"))
}
