//! Dropout, which is the identity in a pass.

use burn::nn::Dropout;
use burn::tensor::backend::Backend;

use crate::any::AnyTensor;
use crate::error::Result;
use crate::formula::RuleName;
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::leaf;
use crate::rule::Rule;
use crate::secant::SecantStep;

/// The identity: a pass is inference on every backend.
impl<B: Backend> Layer<B> for Dropout {
    fn kind(&self) -> Kind {
        Kind::new("Dropout", Family::Activation)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        Ok(only(inputs)?.clone())
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

leaf!(Dropout);
