//! Pooling over the supports of every cluster.

use core::ops::Range;

use burn::tensor::{Bool, DType, Tensor, backend::Backend};

use crate::kernel::{exp_minus_one, log_mean_exp, soft_shares, steepness};
use crate::{gradient, transfer};

/// Runs of columns that are pooled softly. A run is a cluster, a column one of its supports.
///
/// Columns that are left out are masked with a large negative number before any exponential, and
/// means are taken over the remaining columns. A cluster with no remaining column gets the score
/// [`lowest`].
#[derive(Debug, Clone)]
pub(crate) struct Segments {
    ranges: Vec<Range<usize>>,
    gamma: f64,
}

/// The score of a cluster without supports: lower than every other score, and far enough from the
/// end of the range that differences are finite.
pub(crate) fn lowest(dtype: DType) -> f64 {
    -0.5 * transfer::largest(dtype)
}

impl Segments {
    pub(crate) fn new(sizes: &[usize], gamma: f64) -> Self {
        let mut start = 0;
        let ranges = sizes
            .iter()
            .map(|size| {
                start += size;
                start - size..start
            })
            .collect();
        Self { ranges, gamma }
    }

    /// The same runs pooled with another stiffness.
    pub(crate) fn with_gamma(&self, gamma: f64) -> Self {
        Self { ranges: self.ranges.clone(), gamma }
    }

    pub(crate) fn gamma(&self) -> f64 {
        self.gamma
    }

    pub(crate) fn ranges(&self) -> &[Range<usize>] {
        &self.ranges
    }

    /// `s_k = (1/γ) log mean_{j∈C_k} exp(γ t_j)`.
    ///
    /// # Shapes
    ///
    /// - t and left out: `[n, M]`
    /// - output: `[n, K]`
    pub(crate) fn pool<B: Backend>(
        &self,
        t: &Tensor<B, 2>,
        left_out: Option<&Tensor<B, 2, Bool>>,
    ) -> Tensor<B, 2> {
        self.map(|range| {
            let part = t.clone().narrow(1, range.start, range.len());
            match left_out {
                None => log_mean_exp(part, self.gamma, 1),
                Some(left) => {
                    let left = left.clone().narrow(1, range.start, range.len());
                    log_mean_exp_without(part, left, self.gamma)
                }
            }
        })
    }

    /// `p_j = exp(γ t_j) / Σ_{i∈C_k} exp(γ t_i)`, a support's share in its
    /// cluster; 0 for one that is left out.
    ///
    /// # Shapes
    ///
    /// - t, left out and output: `[n, M]`
    pub(crate) fn shares<B: Backend>(
        &self,
        t: &Tensor<B, 2>,
        left_out: Option<&Tensor<B, 2, Bool>>,
    ) -> Tensor<B, 2> {
        let lowest = lowest(t.dtype());
        self.map(|range| {
            let part = t.clone().narrow(1, range.start, range.len());
            match left_out {
                None => soft_shares(part, self.gamma, 1),
                Some(left) => {
                    let left = left.clone().narrow(1, range.start, range.len());
                    let rest = part.mask_fill(left.clone(), lowest);
                    soft_shares(rest, self.gamma, 1).mask_fill(left, 0.0)
                }
            }
        })
    }

    /// Sums over every run.
    ///
    /// # Shapes
    ///
    /// - values: `[n, M]`
    /// - output: `[n, K]`
    pub(crate) fn sum<B: Backend>(&self, values: &Tensor<B, 2>) -> Tensor<B, 2> {
        self.map(|range| values.clone().narrow(1, range.start, range.len()).sum_dim(1))
    }

    /// The value of its cluster for every support.
    ///
    /// # Shapes
    ///
    /// - values: `[n, K]`
    /// - output: `[n, M]`
    pub(crate) fn spread<B: Backend>(&self, values: &Tensor<B, 2>) -> Tensor<B, 2> {
        let rows = values.dims()[0];
        let mut cluster = 0;
        self.map(|range| {
            cluster += 1;
            values.clone().narrow(1, cluster - 1, 1).expand([rows, range.len()])
        })
    }

    fn map<B: Backend>(&self, body: impl FnMut(&Range<usize>) -> Tensor<B, 2>) -> Tensor<B, 2> {
        Tensor::cat(self.ranges.iter().map(body).collect(), 1)
    }
}

/// `(1/γ) log mean exp(γ t)` over the columns of a row that are not left out.
fn log_mean_exp_without<B: Backend>(
    t: Tensor<B, 2>,
    left: Tensor<B, 2, Bool>,
    gamma: f64,
) -> Tensor<B, 2> {
    let columns = t.dims()[1] as f64;
    let lowest = lowest(t.dtype());
    let rest = t.mask_fill(left.clone(), lowest);
    let largest = rest.clone().max_dim(1);
    let Some(gamma) = steepness(gamma, rest.dtype()) else { return largest };
    // exp(−1000) is 0 in either precision, and finite numbers stay finite.
    let below = ((rest - largest.clone()) * gamma).clamp_min(-1e3);
    let hits = below.zeros_like().mask_fill(left.clone(), 1.0).sum_dim(1);
    let remaining = (hits.neg() + columns).clamp_min(1.0);
    let grown = exp_minus_one(below).mask_fill(left, 0.0).sum_dim(1);
    let grown = gradient::log1p(gradient::quotient(grown, remaining));
    largest + gradient::quotient_by(grown, gamma)
}
