//! The softmax along a dimension.

use burn::tensor::{Tensor, backend::Backend};

use crate::any::{AnyTensor, around};
use crate::error::{Error, Result};
use crate::formula::RuleName;
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::leaf;
use crate::rule::Rule;

/// The softmax along a dimension.
///
/// With its output s, rule `zero` is `R_i = x_i (R_i − s_i Σ_j R_j)`: LRP-0 of its
/// first-order expansion at x (Achtibat et al. 2024). The share of the expansion's constant
/// is absorbed as by a bias. An input of −∞, a mask, gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Softmax {
    /// The dimension; not 0, the one of samples.
    pub dim: usize,
}

impl<B: Backend> Layer<B> for Softmax {
    fn kind(&self) -> Kind {
        Kind::new("Softmax", Family::Activation)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let x = only(inputs)?;
        let dims = x.dims();
        if self.dim == 0 || self.dim >= dims.len() || x.is_empty() {
            let expected = format!("a dimension {} other than the one of samples", self.dim);
            return Err(Error::shape("Softmax", expected, &dims));
        }
        let x: Tensor<B, 3> = x.view(around(&dims, self.dim));
        let most = x.clone().max_dim(1);
        let each = (x - most).exp();
        Ok(AnyTensor::from(each.clone() / each.sum_dim(1)).shaped(&dims))
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Zero]
    }

    fn default_rule(&self) -> Rule {
        Rule::ZERO
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
        let dims = step.relevance.dims();
        let places = around(&dims, self.dim);
        let r = step.relevance.view(places);
        let x = step.input()?.reshape(&dims)?.view(places);
        let masked = x.clone().lower_elem(f64::from(f32::MIN));
        let x = x.mask_fill(masked, 0.0);
        let inputs = x * (r.clone() - step.output.view(places) * r.clone().sum_dim(1));
        let inputs = AnyTensor::from(inputs).shaped(&dims);
        let bias = step.report.then(|| step.relevance.row_sums() - inputs.row_sums());
        Ok(Redistribution::single(inputs).with_bias(bias))
    }
}

leaf!(Softmax);
