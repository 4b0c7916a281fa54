use burn::tensor::module::linear;
use burn::tensor::{Int, Tensor, backend::Backend};

use super::{Bregman, Distance, Separable};
use crate::{kernel, transfer};

/// Scores `s_k = d(x, z) − d(x, μ_k)` of every centroid, seen from a centre z:
/// the nearest centroid has the largest, differences of scores are differences
/// of distances, and the part of a distance that all centroids share has gone
/// before it can cost digits.
#[derive(Debug)]
pub(crate) struct Scorer<B: Backend> {
    pub(crate) rule: Box<dyn Separable<B>>,
    /// `[K, D]`
    pub(crate) centroids: Tensor<B, 2>,
    /// z, the mean of the centroids, `[1, D]`.
    pub(crate) center: Tensor<B, 2>,
    /// The linear layer that gives the scores, if one does.
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
        // exactly 0, on the edge of the domain too, where they have no value.
        // One half is inside every domain.
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

impl<B: Backend> Scorer<B> {
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
            // Rounding can leave a small negative number on a centroid.
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

    /// The margin by which every row is nearer to its own centroid than to the
    /// next, `[N]`; K at least 2.
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

/// The same scores centroid by centroid: one table `[n, D]` at a time.
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
            // Feature by feature: what is common goes before the sum.
            (from_center.clone() - rule.values(x.clone(), centroid)).sum_dim(1)
        })
        .collect();
    Tensor::cat(columns, 1)
}
