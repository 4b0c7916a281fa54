//! Means of explanations, by cluster and over all points.

use burn::tensor::{IndexingUpdateOp, Int, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::explain::explanation::Explanation;
use crate::{kernel, transfer};

/// The explanations of one cluster's points, averaged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct ClusterSummary {
    /// The cluster.
    pub cluster: usize,
    /// The number of points explained for it.
    pub points: usize,
    /// Mean logit; 0 without points.
    pub mean_logit: f64,
    /// Mean relevance of every feature; they sum to the mean logit.
    pub mean_relevance: Vec<f64>,
    /// Standard deviation of every feature's relevance over the points.
    pub deviation: Vec<f64>,
    /// Mean |R| of every feature: how much it matters, for or against.
    pub mean_magnitude: Vec<f64>,
}

/// The explanations of all points, averaged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct GlobalSummary {
    /// The number of points explained.
    pub points: usize,
    /// Mean logit; 0 without points.
    pub mean_logit: f64,
    /// Mean relevance of every feature; they sum to the mean logit.
    pub mean_relevance: Vec<f64>,
    /// Mean |R| of every feature: how much it matters, for or against.
    pub mean_magnitude: Vec<f64>,
}

/// Running sums over explanations that come in parts. The summaries cover all parts.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::KMeans;
/// use neuralize::explain::{Beta, Tally, Target};
/// use neuralize::network::Network;
///
/// let device = Default::default();
/// let centroids = Tensor::<Flex, 2>::from_data([[0.0], [4.0]], &device);
/// let network = KMeans::from_centroids(centroids)?.neuralize()?;
///
/// let mut tally = Tally::new(2, 1);
/// for part in [[[0.0], [1.0]], [[4.0], [3.5]]] {
///     let x = Tensor::<Flex, 2>::from_data(part, &device);
///     tally.add(&network.explain(&x, Target::Assigned, Beta::Value(1.0))?)?;
/// }
/// // (16 + 8) / 2 and (16 + 12) / 2
/// let means: Vec<f64> = tally.per_cluster().iter().map(|summary| summary.mean_logit).collect();
/// assert_eq!(means, [12.0, 14.0]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Tally {
    clusters: usize,
    features: usize,
    points: Vec<usize>,
    /// `[K]`.
    logit: Vec<f64>,
    /// Sums of R and of |R|, `[K, D]`.
    relevance: Vec<f64>,
    magnitude: Vec<f64>,
    /// Sums of squared deviations from the mean, `[K, D]`, in units of the square of `scale`, the
    /// largest |R| so far. Relevances are squares already, so their squares may overflow.
    squares: Vec<f64>,
    scale: f64,
}

impl Tally {
    /// A tally without explanations yet, for K clusters and D features.
    pub fn new(clusters: usize, features: usize) -> Self {
        let table = || vec![0.0; clusters * features];
        Self {
            clusters,
            features,
            points: vec![0; clusters],
            logit: vec![0.0; clusters],
            relevance: table(),
            magnitude: table(),
            squares: table(),
            scale: 0.0,
        }
    }

    /// Adds the explanations of one part.
    ///
    /// # Shapes
    ///
    /// - relevance: `[N, D]`, logit and cluster: `[N]`, shares: `[N, K]`
    ///
    /// # Errors
    ///
    /// If the part has another number of clusters or features.
    pub fn add<B: Backend>(&mut self, part: &Explanation<B>) -> Result<()> {
        let (clusters, features) = (self.clusters, self.features);
        let found = [part.shares.dims()[1], part.relevance.dims()[1]];
        if found != [clusters, features] {
            let expected = format!("[{clusters}, {features}]");
            return Err(Error::shape("the explanation, [clusters, features],", expected, &found));
        }
        // Blocks are summed on the device, and across blocks in f64.
        for range in kernel::blocks(part.len(), kernel::block_rows(clusters + features)) {
            let cluster = part.cluster.clone().slice_dim(0, range.clone());
            let rows = part.relevance.clone().slice_dim(0, range.clone());
            let own: Tensor<B, 2> = part.logit.clone().slice_dim(0, range).unsqueeze_dim(1);
            let mut points = vec![0; clusters];
            for cluster in transfer::download_indices(cluster.clone()) {
                points[cluster] += 1;
            }
            let magnitude = sums(clusters, &cluster, rows.clone().abs());
            let logit = sums(clusters, &cluster, own);
            self.add_deviations(&points, &cluster, rows);
            let add = |total: &mut [f64], part: &[f64]| {
                total.iter_mut().zip(part).for_each(|(total, part)| *total += part);
            };
            add(&mut self.magnitude, &magnitude);
            add(&mut self.logit, &logit);
            self.points.iter_mut().zip(points).for_each(|(total, part)| *total += part);
        }
        Ok(())
    }

    /// Adds a block's squared deviations from its own means, and those of its means from the means
    /// so far (Chan, Golub, LeVeque, *Updating formulae and a pairwise algorithm for computing
    /// sample variances*, 1979). Long sums in single precision drift, so the sum of the deviations
    /// corrects the means.
    fn add_deviations<B: Backend>(
        &mut self,
        points: &[usize],
        cluster: &Tensor<B, 1, Int>,
        rows: Tensor<B, 2>,
    ) {
        let features = self.features;
        let largest = transfer::download(rows.clone().abs().max())[0];
        if largest > self.scale {
            let shrink = (self.scale / largest).powi(2);
            self.squares.iter_mut().for_each(|square| *square *= shrink);
            self.scale = largest;
        }
        if self.scale == 0.0 {
            return;
        }
        let count = |at: usize| points[at / features] as f64;
        let rough = sums(self.clusters, cluster, rows.clone());
        let rough = (0..rough.len()).map(|at| rough[at] / count(at).max(1.0)).collect();
        let shape = [self.clusters, features];
        let rough: Tensor<B, 2> = transfer::upload(rough, shape, &rows.device(), rows.dtype());
        let deviations = (rows - rough.clone().select(0, cluster.clone())) / self.scale;
        let left = sums(self.clusters, cluster, deviations.clone());
        let squares = sums(self.clusters, cluster, deviations.square());
        // The means as rounded to this precision are what was subtracted.
        for (at, rough) in transfer::download(rough).into_iter().enumerate() {
            let (before, added) = (self.points[at / features] as f64, count(at));
            if added == 0.0 {
                continue;
            }
            let mean = rough + left[at] / added * self.scale;
            let apart = (mean - self.relevance[at] / before.max(1.0)) / self.scale;
            self.squares[at] += (squares[at] - left[at] * left[at] / added).max(0.0)
                + apart * apart * before * added / (before + added);
            self.relevance[at] += mean * added;
        }
    }

    /// A summary for every cluster, in order; that of a cluster without points is zero.
    pub fn per_cluster(&self) -> Vec<ClusterSummary> {
        (0..self.clusters)
            .map(|cluster| {
                let points = self.points[cluster].max(1) as f64;
                let row = cluster * self.features..(cluster + 1) * self.features;
                let means = |sums: &[f64]| -> Vec<f64> {
                    sums[row.clone()].iter().map(|sum| sum / points).collect()
                };
                let mean_relevance = means(&self.relevance);
                let deviation =
                    means(&self.squares).iter().map(|square| square.sqrt() * self.scale).collect();
                ClusterSummary {
                    cluster,
                    points: self.points[cluster],
                    mean_logit: self.logit[cluster] / points,
                    mean_relevance,
                    deviation,
                    mean_magnitude: means(&self.magnitude),
                }
            })
            .collect()
    }

    /// A summary of all points.
    pub fn global(&self) -> GlobalSummary {
        let points: usize = self.points.iter().sum();
        let over = points.max(1) as f64;
        let means = |sums: &[f64]| -> Vec<f64> {
            (0..self.features)
                .map(|i| sums.iter().skip(i).step_by(self.features).sum::<f64>() / over)
                .collect()
        };
        GlobalSummary {
            points,
            mean_logit: self.logit.iter().sum::<f64>() / over,
            mean_relevance: means(&self.relevance),
            mean_magnitude: means(&self.magnitude),
        }
    }
}

impl<B: Backend> Explanation<B> {
    /// A summary for every cluster, in order; that of a cluster without points is zero.
    pub fn per_cluster(&self) -> Vec<ClusterSummary> {
        self.tally().per_cluster()
    }

    /// A summary of all points.
    pub fn global(&self) -> GlobalSummary {
        self.tally().global()
    }

    fn tally(&self) -> Tally {
        let mut tally = Tally::new(self.shares.dims()[1], self.relevance.dims()[1]);
        tally.add(self).expect("as many clusters and features");
        tally
    }
}

/// The sums of a table's rows in every cluster, `[K, columns]`.
fn sums<B: Backend>(clusters: usize, cluster: &Tensor<B, 1, Int>, table: Tensor<B, 2>) -> Vec<f64> {
    let shape = [clusters, table.dims()[1]];
    let zeros: Tensor<B, 2> = transfer::zeros(shape, &table.device(), table.dtype());
    transfer::download(zeros.select_assign(0, cluster.clone(), table, IndexingUpdateOp::Add))
}
