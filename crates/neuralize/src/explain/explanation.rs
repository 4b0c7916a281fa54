use burn::tensor::{Int, Tensor, backend::Backend};

use crate::explain::Target;

/// Why every point is in its cluster: relevance of every feature, and what it
/// sums to.
#[derive(Debug, Clone)]
pub struct Explanation<B: Backend> {
    /// R: what every feature contributed, `[N, D]`, in squared units of the
    /// data. Positive speaks for the cluster, negative against it.
    pub relevance: Tensor<B, 2>,
    /// What the relevances of a point sum to, `[N]`: f_c, or for a contrast
    /// h_ck.
    pub logit: Tensor<B, 1>,
    /// The explained cluster, `[N]`.
    pub cluster: Tensor<B, 1, Int>,
    /// The share of every competitor in the logit, `[N, K]`; a row sums to
    /// one, and the explained cluster has 0. (A point that is contrasted with
    /// its own cluster has no competitor, and its row is 0.)
    pub shares: Tensor<B, 2>,
    /// The question.
    pub target: Target,
    /// The β that was used; infinite where only one competitor counts.
    pub beta: f64,
}

impl<B: Backend> Explanation<B> {
    /// How many points, N.
    pub fn len(&self) -> usize {
        self.relevance.dims()[0]
    }

    /// Whether there is no point.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Sum of the relevances of every point, `[N]`.
    pub fn sums(&self) -> Tensor<B, 1> {
        if self.is_empty() {
            return self.logit.clone();
        }
        self.relevance.clone().sum_dim(1).squeeze_dim(1)
    }

    /// How far the relevances of every point are from summing to its logit,
    /// `|Σ R − f| / Σ |R|`, `[N]`; 0 where all relevances are 0.
    ///
    /// Measured against Σ|R| and not against f, which vanishes on a boundary.
    pub fn conservation_error(&self) -> Tensor<B, 1> {
        if self.is_empty() {
            return self.logit.clone();
        }
        let difference = (self.sums() - self.logit.clone()).abs();
        let size = self.relevance.clone().abs().sum_dim(1).squeeze_dim::<1>(1);
        // Where Σ|R| = 0 the difference is the error itself, and 0 as it should be.
        let none = size.clone().equal_elem(0.0);
        difference / size.mask_fill(none, 1.0)
    }
}
