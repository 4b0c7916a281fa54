//! A target that stays the same wherever a row is moved.

use std::ops::Range;

use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor};

use crate::error::Result;
use crate::explain::Target;
use crate::network::Network;
use crate::{kernel, transfer};

/// A target that stays the same wherever a row is moved: the explained cluster
/// of every row, and its competitor.
#[derive(Debug, Clone)]
pub struct PinnedTarget<B: Backend> {
    /// `[N, 1]`.
    cluster: Tensor<B, 2, Int>,
    /// `[N, 1]`.
    competitor: Tensor<B, 2, Int>,
    /// Whether no other competitor counts.
    pair: bool,
}

impl<B: Backend> PinnedTarget<B> {
    /// Pins a target to the clusters that rows are in and next to.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If x does not fit the network, or the target names a cluster that does
    /// not exist.
    pub fn new(network: &dyn Network<B>, x: &Tensor<B, 2>, target: Target) -> Result<Self> {
        network.check_input(x)?;
        target.check(network.n_clusters())?;
        let none = || transfer::zeros([0, network.n_clusters()], &x.device(), network.dtype());
        let scores = kernel::map_rows(x, network.columns(), none, |block| network.scores(block));
        Ok(Self::of(&scores, target))
    }

    /// # Shapes
    ///
    /// - scores: `[N, K]`
    fn of(scores: &Tensor<B, 2>, target: Target) -> Self {
        let [rows, clusters] = scores.dims();
        if rows == 0 {
            let none = transfer::upload_indices::<B>(&[], &scores.device()).reshape([0, 1]);
            return Self { cluster: none.clone(), competitor: none, pair: false };
        }
        let cluster = target.explained(scores);
        let competitor = match target.versus() {
            Some(versus) => cluster.zeros_like() + versus as i64,
            None => {
                let own = kernel::is_own(cluster.clone(), clusters);
                scores.clone().mask_fill(own, -transfer::largest(scores.dtype())).argmax(1)
            }
        };
        Self { cluster, competitor, pair: target.versus().is_some() }
    }

    /// The number of rows, N.
    pub fn len(&self) -> usize {
        self.cluster.dims()[0]
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The explained cluster of every row, `[N, 1]`.
    pub fn cluster(&self) -> Tensor<B, 2, Int> {
        self.cluster.clone()
    }

    /// The competitor of every row, `[N, 1]`: the one of the target, or the nearest where
    /// the row was pinned.
    pub fn competitor(&self) -> Tensor<B, 2, Int> {
        self.competitor.clone()
    }

    /// Whether the target is a contrast with that competitor alone.
    pub fn is_pair(&self) -> bool {
        self.pair
    }

    /// The contrast with that competitor alone.
    pub fn as_pair(&self) -> Self {
        Self { pair: true, ..self.clone() }
    }

    /// The targets of a range of the rows.
    pub fn rows(&self, range: Range<usize>) -> Self {
        let part = |index: &Tensor<B, 2, Int>| index.clone().slice([range.clone(), 0..1]);
        Self { cluster: part(&self.cluster), competitor: part(&self.competitor), pair: self.pair }
    }

    /// The targets of the given rows, in the given order.
    pub fn select(&self, rows: &[usize]) -> Self {
        let rows = transfer::upload_indices::<B>(rows, &self.cluster.device());
        let some = |index: &Tensor<B, 2, Int>| index.clone().select(0, rows.clone());
        Self { cluster: some(&self.cluster), competitor: some(&self.competitor), pair: self.pair }
    }

    /// The target of every row, repeated: first all repetitions of the first row.
    pub fn repeated(&self, times: usize) -> Self {
        let rows = self.len();
        if rows * times == 0 {
            // Some backends cannot expand an empty tensor.
            return self.rows(0..0);
        }
        let repeat = |index: &Tensor<B, 2, Int>| {
            index.clone().expand([rows, times]).reshape([rows * times, 1])
        };
        Self {
            cluster: repeat(&self.cluster),
            competitor: repeat(&self.competitor),
            pair: self.pair,
        }
    }

    /// The logit of the target.
    ///
    /// # Shapes
    ///
    /// - scores: `[N, K]`
    /// - output: `[N, 1]`
    pub fn logit(&self, scores: &Tensor<B, 2>) -> Tensor<B, 2> {
        let own = scores.clone().gather(1, self.cluster.clone());
        let other = if self.pair {
            scores.clone().gather(1, self.competitor.clone())
        } else {
            let mask = kernel::is_own(self.cluster.clone(), scores.dims()[1]);
            scores.clone().mask_fill(mask, -transfer::largest(scores.dtype())).max_dim(1)
        };
        own - other
    }
}

impl<A: AutodiffBackend> PinnedTarget<A> {
    /// The same target on an autodiff backend.
    pub(super) fn from_inner(target: &PinnedTarget<A::InnerBackend>) -> Self {
        Self {
            cluster: Tensor::from_inner(target.cluster()),
            competitor: Tensor::from_inner(target.competitor()),
            pair: target.pair,
        }
    }
}
