//! The decision of clusters that are given by supports, below both the clusterer and its network.

use std::sync::Arc;

use burn::tensor::{Bool, Tensor, backend::Backend};

use super::own_support::own_supports;
use super::segments::Segments;
use crate::kernel::{self, Affine, Ends, TensorAnswer};

/// Scores of clusters from those of their supports,
/// `s_k = (1/γ) log mean_{j∈C_k} exp(γ t_j)` with `t_j = 2 x·u_j − ‖u_j‖²` around the centre.
pub(crate) struct SupportScorer<B: Backend> {
    /// Centre and scores of the supports, cluster after cluster.
    affine: Arc<Affine<B>>,
    /// The number of supports of every cluster, K of them.
    sizes: Vec<usize>,
    gamma: f64,
    segments: Segments,
    /// Whether a row that is a support is scored without it.
    leaves_out: bool,
}

impl<B: Backend> SupportScorer<B> {
    pub(crate) fn new(
        affine: Arc<Affine<B>>,
        sizes: Vec<usize>,
        gamma: f64,
        leaves_out: bool,
    ) -> Self {
        let segments = Segments::new(&sizes, gamma);
        Self { affine, sizes, gamma, segments, leaves_out }
    }

    pub(crate) fn segments(&self) -> &Segments {
        &self.segments
    }

    /// Rows around the centre.
    pub(crate) fn centred(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        x - self.affine.center.clone()
    }

    /// The supports around the centre, `[M, D]`.
    pub(crate) fn centred_supports(&self) -> Tensor<B, 2> {
        self.affine.scores.weight.clone().transpose() * 0.5
    }

    /// `t_j` of every support, and which supports a row leaves out, if it may leave any out.
    ///
    /// # Shapes
    ///
    /// - centred: `[n, D]`
    /// - output: `[n, M]` and `[n, M]`
    pub(crate) fn similarities(
        &self,
        centred: Tensor<B, 2>,
    ) -> (Tensor<B, 2>, Option<Tensor<B, 2, Bool>>) {
        let t = self.affine.apply_centred(centred.clone());
        let left_out =
            self.leaves_out.then(|| own_supports(centred, &self.centred_supports(), t.clone()));
        (t, left_out)
    }

    /// Scores of a block of rows, `[n, K]`, in one kernel where there is one.
    pub(crate) fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        let fused = if self.leaves_out {
            None
        } else {
            kernel::support_scores(&x, &self.affine, &self.sizes, self.gamma)
        };
        fused.unwrap_or_else(|| self.centred_scores(self.centred(x)))
    }

    /// Scores of a block of rows around the centre, `[n, K]`.
    pub(crate) fn centred_scores(&self, centred: Tensor<B, 2>) -> Tensor<B, 2> {
        let (t, left_out) = self.similarities(centred);
        self.segments.pool(&t, left_out.as_ref())
    }

    /// Scores of points around the centre by all supports, whatever rows leave out, `[n, K]`.
    pub(crate) fn whole_scores(&self, centred: Tensor<B, 2>) -> Tensor<B, 2> {
        self.segments.pool(&self.affine.apply_centred(centred), None)
    }

    /// The relevance pass by the summed rule and the absorbed part `[N]`, in one kernel where there
    /// is one.
    pub(crate) fn explain(
        &self,
        x: &Tensor<B, 2>,
        question: kernel::Question,
    ) -> Option<(TensorAnswer<B>, Tensor<B, 1>)> {
        kernel::explain_supports(x, &self.affine, &self.sizes, self.gamma, question)
    }

    /// The relevance pass by secants and what has no root, `[N]`, in one kernel where there is one.
    pub(crate) fn explain_by_secants(
        &self,
        x: &Tensor<B, 2>,
        ends: &Ends,
        question: kernel::Question,
    ) -> Option<(TensorAnswer<B>, Tensor<B, 1>)> {
        if self.leaves_out {
            return None;
        }
        kernel::explain_by_secants(x, &self.affine, &self.sizes, self.gamma, ends, question)
    }
}
