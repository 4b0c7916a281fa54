use burn::nn::*;
use burn::tensor::backend::Backend;

use crate::any::AnyTensor;
use crate::error::Result;
use crate::layer::{Family, Handed, Kind, Layer, Step, only};
use crate::leaf;
use crate::rule::{Rule, RuleName};

/// Element by element: relevance passes as it is.
macro_rules! elementwise {
    ($($layer:ident $(<$backend:ident>)?),+ $(,)?) => {$(
        impl<B: Backend> Layer<B> for $layer $(<$backend>)? {
            fn kind(&self) -> Kind {
                Kind::new(stringify!($layer), Family::Activation)
            }

            fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
                Ok(only(inputs)?.map(|x| self.forward(x)))
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

        leaf!($layer $(<$backend>)?);
    )+};
}

elementwise!(Relu, Gelu, LeakyRelu, Sigmoid, Tanh, HardSigmoid, Softplus);
