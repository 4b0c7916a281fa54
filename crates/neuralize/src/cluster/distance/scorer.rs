//! Scores, decisions and distances of given centroids.

use burn::tensor::module::linear;
use burn::tensor::{Int, Tensor, backend::Backend};

use super::named::Distance;
use super::separable::{Bregman, Separable};
use crate::{kernel, transfer};

/// Scores `s_k = d(x, z) − d(x, μ_k)` of every centroid, relative to a centre z.
/// The nearest centroid has the largest score, and differences of scores are
/// differences of distances. The part of the distance that all centroids share
/// is subtracted first, so that it costs no digits.
#[derive(Debug)]
pub(crate) struct CentroidScorer<B: Backend> {
    pub(crate) rule: Box<dyn Separable<B>>,
    /// `[K, D]`
    pub(crate) centroids: Tensor<B, 2>,
    /// z, the mean of the centroids, `[1, D]`.
    pub(crate) center: Tensor<B, 2>,
    /// The linear layer of the scores, for a Bregman divergence.
    pub(crate) tangents: Option<Tangents<B>>,
}

/// The scores of a Bregman divergence, linear in x:
/// `d(x, z) − d(x, μ) = Σ_i (x_i − z_i) g_i − q_i` with
/// `g_i = φ'(μ_i) − φ'(z_i)` and `q_i = d_i(z_i, μ_i)`.
#[derive(Debug)]
pub(crate) struct Tangents<B: Backend> {
    /// g, `[K, D]`.
    pub(crate) slopes: Tensor<B, 2>,
    /// q, `[K, D]`.
    pub(crate) offsets: Tensor<B, 2>,
}

impl<B: Backend> Tangents<B> {
    fn of(bregman: &dyn Bregman<B>, centroids: &Tensor<B, 2>, center: &Tensor<B, 2>) -> Self {
        let [clusters, features] = centroids.dims();
        let equal = centroids.clone().max_dim(0).equal(centroids.clone().min_dim(0));
        let everywhere = equal.clone().expand([clusters, features]);
        // A feature in which all centroids are equal gets slopes and offsets of
        // exactly 0, also on the edge of the domain, where they are not defined:
        // one half is inside every domain.
        let (m, z) =
            (centroids.clone().mask_fill(everywhere, 0.5), center.clone().mask_fill(equal, 0.5));
        let offsets =
            (0..clusters).map(|k| bregman.values(z.clone(), m.clone().narrow(0, k, 1))).collect();
        Self { slopes: bregman.slopes(m, z), offsets: Tensor::cat(offsets, 0) }
    }

    /// `[K]`
    pub(crate) fn bias(&self) -> Tensor<B, 1> {
        self.offsets.clone().sum_dim(1).squeeze_dim::<1>(1).neg()
    }
}

impl<B: Backend> CentroidScorer<B> {
    /// # Shapes
    ///
    /// - centroids: `[K, D]`, checked; weights: `[D]`
    pub(crate) fn new(distance: Distance, centroids: Tensor<B, 2>, weights: &Tensor<B, 1>) -> Self {
        let rule = distance.separable(weights);
        // Rounding must not carry the mean out of the domain.
        let center = centroids
            .clone()
            .mean_dim(0)
            .max_pair(centroids.clone().min_dim(0))
            .min_pair(centroids.clone().max_dim(0));
        let tangents = rule.bregman().map(|bregman| Tangents::of(bregman, &centroids, &center));
        Self { rule, centroids, center, tangents }
    }

    /// Scores `[n, K]` of rows `[n, D]`, n at least 1.
    pub(crate) fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        match &self.tangents {
            Some(tangents) => linear(
                x - self.center.clone(),
                tangents.slopes.clone().transpose(),
                Some(tangents.bias()),
            ),
            None => by_distance(&*self.rule, &x, &self.centroids, &self.center),
        }
    }

    /// The nearest centroid of every row, `[N]`; the first of equally near ones.
    pub(crate) fn nearest(&self, x: &Tensor<B, 2>) -> Tensor<B, 1, Int> {
        kernel::map_rows(
            x,
            self.columns(),
            || transfer::upload_indices(&[], &x.device()),
            |block| self.scores(block).argmax(1).squeeze_dim(1),
        )
    }

    /// Distances to every centroid, `[N, K]`.
    pub(crate) fn distances(&self, x: &Tensor<B, 2>) -> Tensor<B, 2> {
        let clusters = self.centroids.dims()[0];
        let none = || transfer::zeros([0, clusters], &x.device(), self.center.dtype());
        kernel::map_rows(x, self.columns(), none, |block| {
            let columns = (0..clusters)
                .map(|k| {
                    let centroid = self.centroids.clone().narrow(0, k, 1);
                    self.rule.values(block.clone(), centroid).sum_dim(1)
                })
                .collect();
            // For a row on a centroid, rounding can leave a small negative number.
            Tensor::cat(columns, 1).clamp_min(0.0)
        })
    }

    /// Distances to the centroids that rows are assigned to, `[N]`.
    pub(crate) fn own_distances(
        &self,
        x: &Tensor<B, 2>,
        labels: &Tensor<B, 1, Int>,
    ) -> Tensor<B, 1> {
        let [rows, features] = x.dims();
        if rows == 0 {
            return transfer::zeros([0], &x.device(), self.center.dtype());
        }
        let parts = kernel::blocks(rows, kernel::block_rows(2 * features))
            .map(|range| {
                let own = self.centroids.clone().select(0, labels.clone().slice([range.clone()]));
                let block = x.clone().slice([range, 0..features]);
                self.rule.values(block, own).sum_dim(1).squeeze_dim::<1>(1).clamp_min(0.0)
            })
            .collect();
        Tensor::cat(parts, 0)
    }

    /// The logit of every row: the distance to its second nearest centroid less
    /// that to its nearest, `[N]`; K at least 2.
    pub(crate) fn own_logits(&self, x: &Tensor<B, 2>) -> Tensor<B, 1> {
        let none = || transfer::zeros([0], &x.device(), self.center.dtype());
        kernel::map_rows(x, self.columns(), none, |block| {
            kernel::margins(self.scores(block)).max_dim(1).squeeze_dim::<1>(1)
        })
    }

    fn columns(&self) -> usize {
        self.centroids.dims()[0] + self.centroids.dims()[1]
    }
}

/// The same scores from distances, one centroid at a time: no more than one
/// table `[n, D]` each is held.
pub(crate) fn by_distance<B: Backend>(
    rule: &dyn Separable<B>,
    x: &Tensor<B, 2>,
    centroids: &Tensor<B, 2>,
    center: &Tensor<B, 2>,
) -> Tensor<B, 2> {
    let from_center = rule.values(x.clone(), center.clone());
    let columns = (0..centroids.dims()[0])
        .map(|k| {
            let centroid = centroids.clone().narrow(0, k, 1);
            // The common part is subtracted feature by feature, before the sum.
            (from_center.clone() - rule.values(x.clone(), centroid)).sum_dim(1)
        })
        .collect();
    Tensor::cat(columns, 1)
}
