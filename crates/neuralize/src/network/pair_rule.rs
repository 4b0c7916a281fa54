//! The rules for pairs of supports, and what they pass on.

use burn::tensor::{Tensor, backend::Backend};

use crate::explain::Absorbed;

/// How relevance passes from a competitor to the features, through all pairs
/// of a support of the explained cluster and one of the competitor's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum PairRule {
    /// The pairs of a competitor are summed before anything is divided:
    /// `R_d = Σ_k R_k [Σ_j p_j (x_d−u_jd)² − Σ_i p_i (x_d−u_id)²] / g_k`, with the
    /// same sum over all features as the denominator `g_k`. Its cost is proportional to the number
    /// of supports. Where the denominator vanishes it is replaced (see
    /// [`NeuralizedKernelKMeans`](crate::network::NeuralizedKernelKMeans)).
    #[default]
    Summed,
    /// The rule of the literature, pair by pair:
    /// `R_d = Σ_k R_k Σ_j p_j Σ_i p_i [(x_d−u_jd)² − (x_d−u_id)²] / h_ijk`.
    /// It is singular where supports of both clusters are equally near, and its cost is quadratic
    /// in the number of supports. A pair with `h_ijk = 0` exactly passes nothing to the features;
    /// its relevance is reported as absorbed by "ties".
    Pairwise,
}

impl PairRule {
    /// The name of the part of the logit that no feature carries.
    pub(crate) fn absorbed_names(self) -> &'static [&'static str] {
        match self {
            Self::Summed => &["entropy"],
            Self::Pairwise => &["ties"],
        }
    }
}

/// What a rule passes from the competitors to the supports.
pub(crate) struct SupportCoefficients<B: Backend> {
    /// Coefficients of the per-feature distances to every support, `[n, M]`.
    pub(crate) coefficients: Tensor<B, 2>,
    /// The part of the logit that no feature carries.
    pub(crate) absorbed: Absorbed<B>,
}

impl<B: Backend> SupportCoefficients<B> {
    /// # Shapes
    ///
    /// - coefficients: `[n, M]`, absorbed: `[n, 1]`
    pub(crate) fn of(rule: PairRule, coefficients: Tensor<B, 2>, absorbed: Tensor<B, 2>) -> Self {
        let name = rule.absorbed_names()[0];
        Self { coefficients, absorbed: Absorbed { name, amount: absorbed.squeeze_dim(1) } }
    }
}
