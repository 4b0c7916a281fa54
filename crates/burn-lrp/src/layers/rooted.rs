//! A linear layer with a root point for every output.

use burn::module::{Module, Param};
use burn::nn::Linear;
use burn::tensor::{Tensor, backend::Backend};

use crate::affine::{Affine, affine_rules_and, quotient};
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::formula::{Formula, RuleName};
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::rule::Rule;
use crate::secant::SecantStep;
use crate::{affine, leaf};

/// A linear layer that knows a root point m_k for every output.
///
/// Rule `midpoint`, the default, measures inputs from the root point:
/// `R_j = Σ_k (a_j − m_jk) w_jk / Σ_i (a_i − m_ik) w_ik R_k` (Kauffmann et al. 2024, where
/// the point lies midway between two centres). The other rules are those of the
/// linear layer.
#[derive(Module, Debug)]
pub struct RootedLinear<B: Backend> {
    /// Weights and bias.
    pub linear: Linear<B>,
    /// `[outputs, inputs]`.
    pub roots: Param<Tensor<B, 2>>,
}

impl<B: Backend> RootedLinear<B> {
    /// A linear layer with a root point for every output, `[outputs, inputs]`.
    ///
    /// # Errors
    ///
    /// If the points have another shape.
    pub fn new(linear: Linear<B>, roots: Tensor<B, 2>) -> Result<Self> {
        let layer = Self { linear, roots: Param::from_tensor(roots) };
        layer.check()?;
        Ok(layer)
    }

    fn check(&self) -> Result<()> {
        let [inputs, outputs] = self.linear.weight.dims();
        if self.roots.dims() == [outputs, inputs] {
            Ok(())
        } else {
            let expected = format!("[{outputs}, {inputs}] for its root points");
            Err(Error::shape("RootedLinear", expected, &self.roots.dims()))
        }
    }
}

impl<B: Backend> Layer<B> for RootedLinear<B> {
    fn kind(&self) -> Kind {
        Kind::new("RootedLinear", Family::Dense)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        self.check()?;
        affine::forward(&self.linear, only(inputs)?)
    }

    fn rules(&self) -> &'static [RuleName] {
        const { &affine_rules_and(RuleName::Midpoint) }
    }

    fn default_rule(&self) -> Rule {
        Rule::MIDPOINT
    }

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
        if *rule.formula() != Formula::Midpoint {
            return affine::relevance(&self.linear, step, rule);
        }
        self.check()?;
        let x = step.input()?;
        let weight = self.linear.weight.val();
        let [inputs, outputs] = weight.dims();
        // m_jk w_jk, [outputs, inputs].
        let rooted = self.roots.val() * weight.clone().transpose();
        let at_root = rooted.clone().sum_dim(1).reshape([1, outputs]);
        let z = self.linear.apply(x, &weight.clone().into())?;
        let rows = z.len() / outputs.max(1);
        let s = quotient(
            step.relevance.reshape(&z.dims())?.view([rows, outputs]),
            z.view([rows, outputs]) - at_root,
            0.0,
        );
        let a = x.view([rows, inputs]);
        let relevance = a * s.clone().matmul(weight.transpose()) - s.matmul(rooted);
        Ok(Redistribution::single(AnyTensor::from(relevance).shaped(&x.dims())))
    }

    fn has_secant(&self) -> bool {
        true
    }

    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        affine::secant(&self.linear, step)
    }
}

leaf!(RootedLinear<B>);
