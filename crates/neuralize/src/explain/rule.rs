//! The rule by which a logit reaches the features, in networks that have several.

use serde::{Deserialize, Serialize};

use crate::explain::Root;

/// How the contrast of two clusters is divided among the features, in the networks that have more
/// than one way: [`NeuralizedKernelKMeans`](crate::network::NeuralizedKernelKMeans) and
/// [`NeuralizedGaussianMixture`](crate::network::NeuralizedGaussianMixture).
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Rule {
    /// The secant pass: what made the contrast on the way from a root, at which both clusters are
    /// equal. The relevances sum to the logit. Only where no root exists, because one cluster
    /// nowhere beats the other, its part of the logit is absorbed by "root".
    Secant(Root),
    /// NEON, layer by layer from the output. For clusters of supports, the pairs of a competitor are
    /// summed before anything is divided:
    /// `R_d = Σ_k R_k [Σ_j p_j (x_d−u_jd)² − Σ_i p_i (x_d−u_id)²] / g_k`, with the same sum over all
    /// features as the denominator g_k, which is replaced where it vanishes; what that keeps from the
    /// features is absorbed by "entropy". For mixtures, the biases of the components are absorbed by
    /// "prior" and "variance": this rule says how much they decide.
    Summed,
    /// For clusters of supports alone, the rule of the literature, pair by pair:
    /// `R_d = Σ_k R_k Σ_j p_j Σ_i p_i [(x_d−u_jd)² − (x_d−u_id)²] / h_ijk`
    /// (Kauffmann et al. 2024). It is singular where supports of both clusters are equally near, and
    /// its cost is quadratic in the number of supports. A pair with `h_ijk = 0` exactly passes
    /// nothing to the features; its relevance is absorbed by "ties".
    Pairwise,
}

impl Default for Rule {
    /// By secants from the boundary on the line from the point to the competitor.
    fn default() -> Self {
        Self::Secant(Root::Toward)
    }
}
