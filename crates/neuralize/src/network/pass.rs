//! The relevance pass through min-pooling, from a network's output to the competitors.

use burn::tensor::{Bool, Int, Tensor, backend::Backend};

use crate::explain::{Explanation, Target};
use crate::network::min_pool::{CompetitorRelevance, MinPool};
use crate::{kernel, transfer};

/// What min-pooling passes to the layers below it, for the explained cluster of every row.
pub(crate) struct PoolingPass<B: Backend> {
    /// The explained cluster, `[n, 1]`.
    pub(crate) cluster: Tensor<B, 2, Int>,
    /// Whether a column is that cluster, `[n, K]`.
    pub(crate) own: Tensor<B, 2, Bool>,
    /// The relevances of the competitors.
    pub(crate) competitors: CompetitorRelevance<B>,
}

impl<B: Backend> PoolingPass<B> {
    /// # Shapes
    ///
    /// - scores: `[n, K]`, K at least 2
    pub(crate) fn of(scores: &Tensor<B, 2>, target: Target, beta: f64) -> Self {
        let cluster = target.explained(scores);
        let own = kernel::is_own(cluster.clone(), scores.dims()[1]);
        let competitors = match target.versus() {
            None => MinPool.relevance(scores, &own, beta),
            Some(versus) => contrast(scores, &own, versus),
        };
        Self { cluster, own, competitors }
    }

    /// R_k, the relevance of every competitor, `[n, K]`.
    pub(crate) fn relevance(&self) -> Tensor<B, 2> {
        let CompetitorRelevance { logit, shares, .. } = &self.competitors;
        shares.clone() * logit.clone().expand(shares.dims())
    }

    /// Coefficients a of the per-feature distances to every cluster, of which the relevance is the
    /// sum: `a_k = ρ_k` for competitors, `a_c = −Σ ρ_k`, `[n, K]`.
    pub(crate) fn coefficients(&self) -> Tensor<B, 2> {
        let ratios = self.competitors.ratios.clone();
        let shape = ratios.dims();
        let against = ratios.clone().sum_dim(1).neg().expand(shape);
        ratios.mask_where(self.own.clone(), against)
    }

    /// The explanation, given the relevances of the features.
    pub(crate) fn explanation(
        self,
        relevance: Tensor<B, 2>,
        target: Target,
        beta: f64,
    ) -> Explanation<B> {
        Explanation {
            relevance,
            logit: self.competitors.logit.squeeze_dim(1),
            cluster: self.cluster.squeeze_dim(1),
            shares: self.competitors.shares,
            target,
            beta,
            absorbed: Vec::new(),
        }
    }
}

/// Gives all of `h_ck` to one competitor k, or nothing where k is the explained cluster itself.
///
/// # Shapes
///
/// - scores: `[n, K]`, own: `[n, K]`, true for the explained cluster
fn contrast<B: Backend>(
    scores: &Tensor<B, 2>,
    own: &Tensor<B, 2, Bool>,
    versus: usize,
) -> CompetitorRelevance<B> {
    let [rows, clusters] = scores.dims();
    let (device, dtype) = (scores.device(), scores.dtype());
    let logit = kernel::own_score(scores, own) - scores.clone().narrow(1, versus, 1);
    let marks = (0..clusters).map(|k| f64::from(u8::from(k == versus))).collect();
    let shares = transfer::upload::<B, 2>(marks, [1, clusters], &device, dtype)
        .expand([rows, clusters])
        .mask_fill(own.clone(), 0.0);
    CompetitorRelevance { logit, ratios: shares.clone(), shares }
}
