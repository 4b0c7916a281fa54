//! Min-pooling over competitors: the last layer of every network.

use burn::module::Module;
use burn::tensor::{Bool, Tensor, backend::Backend};

use crate::{kernel, transfer};

/// Min-pooling over the competitors of every cluster, the second layer of a
/// neuralized k-means (Kauffmann et al. 2024):
/// `f_c = min_{k≠c} h_ck` with `h_ck = s_c − s_k`.
///
/// The layer has no parameters. Its relevance rule is min-take-most: every
/// competitor gets the share `softmin_k(β h_ck)` of f_c.
#[derive(Module, Clone, Debug, Default)]
pub struct MinPool;

/// The relevance that a min-pooling layer passes to the competitors of one cluster a row.
pub(crate) struct CompetitorRelevance<B: Backend> {
    /// f_c of the explained cluster, `[n, 1]`.
    pub(crate) logit: Tensor<B, 2>,
    /// Share of every competitor, `[n, K]`; 0 for the cluster itself.
    pub(crate) shares: Tensor<B, 2>,
    /// ρ_k = R_k / h_ck, `[n, K]`; 0 for the cluster itself.
    pub(crate) ratios: Tensor<B, 2>,
}

impl MinPool {
    /// The logit of every cluster from the scores of all.
    ///
    /// # Shapes
    ///
    /// - scores: `[N, K]`, K at least 2
    /// - output: `[N, K]`
    pub fn forward<B: Backend>(&self, scores: Tensor<B, 2>) -> Tensor<B, 2> {
        kernel::margins(scores)
    }

    /// The logit of every cluster from the dense form's first layer, which lists the competitors of
    /// every cluster side by side.
    ///
    /// # Shapes
    ///
    /// - h: `[N, K, K − 1]`
    /// - output: `[N, K]`
    pub fn forward_dense<B: Backend>(&self, h: Tensor<B, 3>) -> Tensor<B, 2> {
        h.min_dim(2).squeeze_dim(2)
    }

    /// The rule of this layer, min-take-most, for one explained cluster in every row.
    ///
    /// Where f_c is negative (the point is not in c) soft shares would divide by margins of either
    /// sign, so all of f_c goes to the nearest competitor there: the hard minimum. An infinite β
    /// is the hard minimum everywhere.
    ///
    /// # Shapes
    ///
    /// - scores: `[n, K]`, own: `[n, K]`, true for the explained cluster
    pub(crate) fn relevance<B: Backend>(
        &self,
        scores: &Tensor<B, 2>,
        own: &Tensor<B, 2, Bool>,
        beta: f64,
    ) -> CompetitorRelevance<B> {
        let [rows, clusters] = scores.dims();
        let wide = [rows, clusters];
        let largest = transfer::largest(scores.dtype());

        let own_score = kernel::own_score(scores, own);
        let other_best = scores.clone().mask_fill(own.clone(), -largest).max_dim(1);
        let logit = own_score.clone() - other_best;
        // The cluster itself is masked with a large finite number before the
        // exponential: infinity would turn into NaN at β = 0.
        let h = (own_score.expand(wide) - scores.clone()).mask_fill(own.clone(), largest);

        let nearest = h.clone().lower_equal(logit.clone().expand(wide));
        let hard = transfer::zeros::<B, 2>(wide, &h.device(), h.dtype()).mask_fill(nearest, 1.0);
        let hard = hard.clone() / hard.sum_dim(1);

        // A β beyond the precision's range would turn 0 · β into NaN.
        let soft = if beta <= largest {
            let weights = ((logit.clone() - h.clone()) * beta).exp().mask_fill(own.clone(), 0.0);
            weights.clone() / weights.sum_dim(1)
        } else {
            hard.clone()
        };
        // f_c / h_ck lies in (0, 1] where f_c > 0. On a boundary f_c = 0, and
        // so is the relevance.
        let touching = h.clone().lower_equal_elem(0.0);
        let quotients = logit.clone() / h.mask_fill(touching, largest);

        let outside = logit.clone().lower_elem(0.0).expand(wide);
        let shares = soft.mask_where(outside.clone(), hard.clone());
        let ratios = (shares.clone() * quotients).mask_where(outside, hard);
        CompetitorRelevance { logit, shares, ratios }
    }
}
