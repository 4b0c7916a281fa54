//! NEON as layer-wise relevance propagation: the layers of neuralized clusterers as layers of
//! `burn_lrp`, for use in any other network.
//!
//! The networks of this module have passes of their own, which are faster.

use burn::tensor::{Tensor, backend::Backend};
use burn_lrp::{
    AnyTensor, Family, Formula, Kind, Layer, Node, Redistribution, Relevance, Rule, RuleName,
    SquaredDistance, Step, leaf,
};

use crate::kernel::{self, soft_shares};
use crate::network::interface::Network;
use crate::network::kmeans::NeuralizedKMeans;
use crate::network::min_pool::{CompetitorRelevance, MinPool};
use crate::network::soft_pool::{SoftMaxPool, SoftMinPool};
use crate::transfer;

/// The rules of all pools.
pub(super) const TAKE: &[RuleName] = &[RuleName::TakeMost, RuleName::WinnerTakeAll];

/// The stiffness of a pool's rule.
pub(super) fn stiffness(rule: &Rule) -> f64 {
    match *rule.formula() {
        Formula::TakeMost(stiffness) => stiffness,
        _ => f64::INFINITY,
    }
}

/// The only input of a layer.
pub(super) fn sole<'a, B: Backend>(
    at: &str,
    inputs: &'a [AnyTensor<B>],
) -> burn_lrp::Result<&'a AnyTensor<B>> {
    let Some(input) = inputs.first() else {
        let detail = "it has no input".to_string();
        return Err(burn_lrp::Error::Layer { at: at.into(), detail });
    };
    Ok(input)
}

fn shape_error(at: &str, expected: &str, found: &[usize]) -> burn_lrp::Error {
    burn_lrp::Error::Shape { at: at.into(), expected: expected.into(), found: found.to_vec() }
}

/// Over scores `[N, K]`: f_c for every cluster c.
///
/// Rule `take-most=β` divides the relevance of every f_c among its competitors by softmin shares,
/// and a competitor's share between the two scores of `h_ck = s_c − s_k` in proportion to them.
/// `winner-take-all` (the default) is β = ∞. Where f_c is negative only the nearest centroid
/// counts, whatever β is.
impl<B: Backend> Layer<B> for MinPool {
    fn kind(&self) -> Kind {
        Kind::new("MinPool", Family::Competition)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> burn_lrp::Result<AnyTensor<B>> {
        let scores = sole("MinPool", inputs)?;
        match scores.dims().as_slice() {
            [_, clusters] if *clusters > 1 => Ok(MinPool::forward(self, scores.tensor()?).into()),
            dims => Err(shape_error("MinPool", "[samples, clusters], two clusters or more", dims)),
        }
    }

    fn rules(&self) -> &'static [RuleName] {
        TAKE
    }

    fn default_rule(&self) -> Rule {
        Rule::WINNER_TAKE_ALL
    }

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> burn_lrp::Result<Redistribution<B>> {
        let scores: Tensor<B, 2> = step.input()?.tensor()?;
        let relevance: Tensor<B, 2> = step.relevance.tensor()?;
        let [rows, clusters] = scores.dims();
        let totals = transfer::download(relevance.clone().abs().sum_dim(0));
        let mut passed = scores.zeros_like();
        for cluster in (0..clusters).filter(|cluster| totals[*cluster] != 0.0) {
            let index = relevance.clone().narrow(1, cluster, 1).zeros_like().int() + cluster as i64;
            let own = kernel::is_own(index, clusters);
            let CompetitorRelevance { logit, ratios, .. } =
                self.relevance(&scores, &own, stiffness(rule));
            // Relevance per unit of f_c; where f_c is 0 nothing is passed on.
            let none = logit.clone().equal_elem(0.0);
            let unit = relevance.clone().narrow(1, cluster, 1) / logit.mask_fill(none.clone(), 1.0);
            let unit = unit.mask_fill(none, 0.0);
            let ratios = ratios * unit;
            let shape = [rows, clusters];
            let against = ratios.clone().sum_dim(1).expand(shape);
            let coefficients = ratios.neg().mask_where(own, against);
            passed = passed + coefficients * scores.clone();
        }
        Ok(Redistribution::single(passed.into()))
    }
}

leaf!(MinPool);

/// Log-mean-exp over the last dimension, which keeps the size 1.
macro_rules! soft_pool {
    ($layer:ident, $name:literal, $sign:expr) => {
        impl<B: Backend> Layer<B> for $layer<B> {
            fn kind(&self) -> Kind {
                Kind::new($name, Family::Competition)
            }

            fn forward(&self, inputs: &[AnyTensor<B>]) -> burn_lrp::Result<AnyTensor<B>> {
                let h = sole($name, inputs)?;
                let dims = h.dims();
                match dims.as_slice() {
                    [_, .., width] if *width > 0 => {
                        let rows: Tensor<B, 2> = h.reshape(&[h.len() / width, *width])?.tensor()?;
                        let pooled = AnyTensor::from($layer::forward(self, rows, 1));
                        pooled.reshape(&[&dims[..dims.len() - 1], &[1]].concat())
                    }
                    dims => Err(shape_error($name, "[samples, .., competitors]", dims)),
                }
            }

            fn rules(&self) -> &'static [RuleName] {
                TAKE
            }

            /// The rule with the layer's own stiffness.
            fn default_rule(&self) -> Rule {
                Rule::take_most(self.gamma()).unwrap_or(Rule::WINNER_TAKE_ALL)
            }

            fn relevance(
                &self,
                step: &Step<'_, B>,
                rule: &Rule,
            ) -> burn_lrp::Result<Redistribution<B>> {
                let h = step.input()?;
                let dims = h.dims();
                let width = dims[dims.len() - 1];
                let rows: Tensor<B, 2> = h.reshape(&[h.len() / width, width])?.tensor()?;
                let r: Tensor<B, 2> = step.relevance.reshape(&[h.len() / width, 1])?.tensor()?;
                let shares = soft_shares(rows * $sign, stiffness(rule), 1);
                Ok(Redistribution::single(AnyTensor::from(shares * r).reshape(&dims)?))
            }
        }

        leaf!($layer<B>);
    };
}

soft_pool!(SoftMaxPool, "SoftMaxPool", 1.0);
soft_pool!(SoftMinPool, "SoftMinPool", -1.0);

/// Distances as scores, so that the nearest centroid has the largest.
#[derive(Debug)]
struct Negative;

impl<B: Backend> Layer<B> for Negative {
    fn kind(&self) -> Kind {
        Kind::new("Negative", Family::Other)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> burn_lrp::Result<AnyTensor<B>> {
        Ok(sole("Negative", inputs)?.map(Tensor::neg))
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass]
    }

    fn default_rule(&self) -> Rule {
        Rule::PASS
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> burn_lrp::Result<Redistribution<B>> {
        Ok(Redistribution::single(step.relevance.clone()))
    }
}

/// Squared distances and [`MinPool`] over them; with `kind:MinPool` at `take-most=β` this is NEON.
impl<B: Backend> Relevance<B> for NeuralizedKMeans<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> burn_lrp::Result<Node<'m, B>> {
        x.apply("distance", SquaredDistance::new(self.centroids()), &[])?
            .apply("score", Negative, &[])?
            .then("pool", self.pool())
    }
}
