use burn::tensor::{Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::layer::{Family, Handed, Kind, Layer, Step, around, only};
use crate::leaf;
use crate::rule::{Rule, RuleName};

/// The softmax along a dimension.
///
/// With its output s, rule `zero` is `R_i = x_i (R_i − s_i Σ_j R_j)`: LRP-0 of its
/// first-order expansion at x (Achtibat et al. 2024). What the constant of the
/// expansion gets is absorbed as by a bias. An input of −∞, a mask, gets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Softmax {
    /// The dimension; not that of samples, 0.
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
            let expected = format!("a dimension {} that is not that of samples", self.dim);
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

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Handed<B>> {
        let dims = step.relevance.dims();
        let places = around(&dims, self.dim);
        let r = step.relevance.view(places);
        let x = step.input()?.reshape(&dims)?.view(places);
        let masked = x.clone().lower_elem(f64::from(f32::MIN));
        let x = x.mask_fill(masked, 0.0);
        let handed = x * (r.clone() - step.output.view(places) * r.clone().sum_dim(1));
        let handed = AnyTensor::from(handed).shaped(&dims);
        let bias = step.report.then(|| step.relevance.row_sums() - handed.row_sums());
        Ok(Handed { inputs: vec![handed], bias })
    }
}

leaf!(Softmax);
