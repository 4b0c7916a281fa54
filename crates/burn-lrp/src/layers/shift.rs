//! A constant added to every sample.

use burn::tensor::backend::Backend;

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::formula::RuleName;
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::rule::Rule;
use crate::secant::SecantStep;

/// Every sample plus a constant of the same shape, such as learned positions of patches. The
/// constant gets no relevance.
#[derive(Debug, Clone)]
pub struct Shift<B: Backend> {
    /// The shape of a sample.
    pub constant: AnyTensor<B>,
}

impl<B: Backend> Layer<B> for Shift<B> {
    fn kind(&self) -> Kind {
        Kind::new("Shift", Family::Embedding)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let x = only(inputs)?;
        let (dims, sample) = (x.dims(), self.constant.dims());
        if dims.get(1..) != Some(sample.as_slice()) || x.is_empty() {
            return Err(Error::shape("Shift", format!("samples of {sample:?}"), &dims));
        }
        x.same_precision(&self.constant)?;
        let rows = x.rows() + self.constant.view([1, self.constant.len()]);
        Ok(AnyTensor::from(rows).shaped(&dims))
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass]
    }

    fn default_rule(&self) -> Rule {
        Rule::PASS
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
        Ok(Redistribution::single(step.relevance.clone()))
    }

    fn has_secant(&self) -> bool {
        true
    }

    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        Ok(vec![step.multiplier().clone()])
    }
}
