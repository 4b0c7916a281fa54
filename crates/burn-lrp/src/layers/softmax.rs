//! The softmax along a dimension.

use burn::tensor::{Tensor, backend::Backend};

use crate::any::{AnyTensor, around};
use crate::error::{Error, Result};
use crate::formula::RuleName;
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::leaf;
use crate::rule::Rule;
use crate::secant::SecantStep;
use crate::slope::exponential;

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

    fn has_secant(&self) -> bool {
        true
    }

    /// With the logarithmic means `L_i` of the outputs at the two places, `Δs_i = L_i (Δx_i − Σ_j
    /// w_j Δx_j)` and `w_j = L_j / Σ L` (Sato 1976; Vartia 1976), so that
    /// `m_i = L_i (M_i − Σ_j w_j M_j)` for the multipliers M of the outputs.
    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        let dims = step.dims(0)?;
        let places = around(&dims, self.dim);
        let [x, root] = step.input(0)?.map(|x| log_softmax(x.view(places), 1));
        let m = softmax_secant(x, root, step.multiplier().view(places), 1, None);
        Ok(vec![AnyTensor::from(m).shaped(&dims)])
    }
}

leaf!(Softmax);

/// `x − log Σ e^x` along a dimension. Masked scores, of −∞, become a low number.
pub(crate) fn log_softmax<B: Backend, const D: usize>(x: Tensor<B, D>, dim: usize) -> Tensor<B, D> {
    const LOW: f64 = -1e30;
    let x = x.clamp_min(LOW);
    let x = x.clone() - x.max_dim(dim);
    x.clone() - x.exp().sum_dim(dim).log()
}

/// The multipliers of the inputs of a softmax, from the logarithms of its outputs at the two
/// places. `rest` is the logarithmic mean of what an output that is not there would have.
pub(crate) fn softmax_secant<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    root: Tensor<B, D>,
    multiplier: Tensor<B, D>,
    dim: usize,
    rest: Option<Tensor<B, D>>,
) -> Tensor<B, D> {
    let means = exponential(x, root);
    let sum = means.clone().sum_dim(dim);
    let sum = match rest {
        Some(rest) => sum + rest,
        None => sum,
    };
    let mean = (multiplier.clone() * means.clone()).sum_dim(dim) / sum;
    means * (multiplier - mean)
}
