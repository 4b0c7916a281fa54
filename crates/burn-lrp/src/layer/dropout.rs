use burn::nn::Dropout;
use burn::tensor::backend::Backend;

use crate::any::AnyTensor;
use crate::error::Result;
use crate::layer::{Family, Handed, Kind, Layer, Step, only};
use crate::leaf;
use crate::rule::{Rule, RuleName};

/// The identity: a pass is inference, whatever the backend is.
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

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Handed<B>> {
        Ok(Handed::whole(step.relevance.clone()))
    }
}

leaf!(Dropout);
