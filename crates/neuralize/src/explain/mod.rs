//! NEON: how much every feature contributed to a cluster assignment.
//!
//! A relevance pass through the network of a neuralized clusterer (Kauffmann
//! et al. 2024): min-pooling hands its output to the competitors
//! (softmin with stiffness β), the linear layer hands each share to the
//! features by the midpoint rule. The relevances of a point sum to its logit.

mod explanation;
mod midpoint;
mod summary;

use burn::tensor::{Bool, Int, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernel;
use crate::network::NeuralizedKMeans;
use crate::transfer;

pub use explanation::Explanation;
pub use summary::{ClusterSummary, GlobalSummary, Tally};

/// The question that is asked of every point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Target {
    /// Why is the point in its cluster?
    Assigned,
    /// Why is the point in this cluster, or why not? For a point outside, the
    /// answer is negative and names what keeps the point in the cluster that
    /// has it: only that competitor counts, whatever β is, because the shares
    /// of β would divide by margins of either sign there.
    Cluster(usize),
    /// Why this cluster rather than that one? β plays no part.
    Contrast {
        /// The cluster that is argued for.
        cluster: usize,
        /// The cluster that it is compared with.
        versus: usize,
    },
    /// Why the point's own cluster rather than this one? β plays no part. For
    /// the points that are in this one, logit and relevances are 0.
    AssignedVersus(usize),
}

/// How sharply competitors are told apart: the stiffness of the softmin, in
/// inverse squared units of the data.
///
/// At 0 all competitors count alike, for large β only the nearest does. A
/// finite β keeps the explanation continuous where the nearest competitor
/// changes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum Beta {
    /// 1 / mean logit of the training data, stored with the model.
    #[default]
    Heuristic,
    /// A number, at least 0; infinity takes the nearest competitor alone.
    Value(f64),
}

impl<B: Backend> NeuralizedKMeans<B> {
    /// Explains every row of x by NEON.
    ///
    /// Memory beyond the result is at most that of its largest part again, and
    /// one block of rows: O(N K + N D).
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`; N may be 0
    /// - relevance: `[N, D]`, logit and cluster: `[N]`, shares: `[N, K]`
    ///
    /// # Errors
    ///
    /// If x has another width or precision than the network or values that are
    /// not finite, the target names a cluster that does not exist, β is
    /// negative or NaN, or the heuristic is asked of a network without one.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use neuralize::cluster::KMeans;
    /// use neuralize::explain::{Beta, Target};
    ///
    /// let device = Default::default();
    /// let centroids = Tensor::<Flex, 2>::from_data([[0.0, 0.0], [4.0, 2.0]], &device);
    /// let network = KMeans::from_centroids(centroids)?.neuralize()?;
    ///
    /// let x = Tensor::<Flex, 2>::from_data([[1.0, 0.5]], &device);
    /// let explanation = network.explain(&x, Target::Assigned, Beta::Value(1.0))?;
    ///
    /// // (1−4)² − 1² and (0.5−2)² − 0.5²: the first feature speaks louder.
    /// let relevance: Vec<f32> = explanation.relevance.into_data().iter().collect();
    /// assert!((relevance[0] - 8.0).abs() < 1e-4 && (relevance[1] - 2.0).abs() < 1e-4);
    /// # Ok::<(), neuralize::Error>(())
    /// ```
    pub fn explain(&self, x: &Tensor<B, 2>, target: Target, beta: Beta) -> Result<Explanation<B>> {
        self.check_input(x)?;
        target.check(self.n_clusters())?;
        let beta = self.resolve_beta(target, beta)?;

        let [rows, features] = x.dims();
        let clusters = self.n_clusters();
        if rows == 0 {
            return Ok(Explanation {
                relevance: self.no_rows(features),
                logit: self.no_rows(1).reshape([0]),
                cluster: transfer::upload_indices(&[], &x.device()),
                shares: self.no_rows(clusters),
                target,
                beta,
            });
        }
        if let Some(found) = kernel::explain(x, &self.affine(), target.question(beta)) {
            let kernel::Explained { relevance, logit, cluster, shares } = found;
            return Ok(Explanation { relevance, logit, cluster, shares, target, beta });
        }
        let centroids = self.centred_centroids();
        let squares = centroids.clone().square();
        let (mut relevance, mut logit, mut cluster, mut shares) = (vec![], vec![], vec![], vec![]);
        for range in kernel::blocks(rows, kernel::block_rows(clusters + features)) {
            let centred = self.centred(x.clone().slice([range, 0..features]));
            let part = self.explain_block(centred, &centroids, &squares, target, beta);
            relevance.push(part.relevance);
            logit.push(part.logit);
            cluster.push(part.cluster);
            shares.push(part.shares);
        }
        Ok(Explanation {
            relevance: Tensor::cat(relevance, 0),
            logit: Tensor::cat(logit, 0),
            cluster: Tensor::cat(cluster, 0),
            shares: Tensor::cat(shares, 0),
            target,
            beta,
        })
    }

    /// The pass, layer by layer from the output to the input.
    fn explain_block(
        &self,
        centred: Tensor<B, 2>,
        centroids: &Tensor<B, 2>,
        squares: &Tensor<B, 2>,
        target: Target,
        beta: f64,
    ) -> Explanation<B> {
        let clusters = self.n_clusters();
        let scores = self.scores(centred.clone());
        let cluster = target.explained(&scores);
        let own = kernel::is_own(cluster.clone(), clusters);
        let (logit, shares, ratios) = match target.versus() {
            None => {
                let pooled = self.pool.relevance(&scores, &own, beta);
                (pooled.logit, pooled.shares, pooled.ratios)
            }
            Some(versus) => contrast(&scores, &own, versus),
        };
        Explanation {
            relevance: midpoint::relevance(centred, centroids, squares, &own, ratios),
            logit: logit.squeeze_dim(1),
            cluster: cluster.squeeze_dim(1),
            shares,
            target,
            beta,
        }
    }

    fn resolve_beta(&self, target: Target, beta: Beta) -> Result<f64> {
        match beta {
            // A contrast has one competitor: any β gives the same answer.
            _ if target.versus().is_some() => Ok(f64::INFINITY),
            Beta::Heuristic => self.beta().ok_or(Error::NoHeuristicBeta),
            Beta::Value(value) if value >= 0.0 => Ok(value),
            Beta::Value(value) => Err(Error::Config {
                name: "beta",
                value: value.to_string(),
                rule: "it must be at least 0".into(),
            }),
        }
    }
}

/// Features by |R|, the strongest first; equal ones in their order.
#[cfg(any(feature = "svg", feature = "report"))]
pub(crate) fn by_strength(relevance: &[f64]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..relevance.len()).collect();
    order.sort_by(|a, b| relevance[*b].abs().total_cmp(&relevance[*a].abs()));
    order
}

/// The authors' probability of a cluster, `1 / (1 + exp(−f))`.
pub(crate) fn logistic(logit: f64) -> f64 {
    1.0 / (1.0 + (-logit).exp())
}

impl Target {
    pub(crate) fn check(self, clusters: usize) -> Result<()> {
        let known = |cluster: usize| match cluster < clusters {
            true => Ok(()),
            false => Err(Error::UnknownCluster { cluster, clusters }),
        };
        match self {
            Self::Assigned => Ok(()),
            Self::Cluster(cluster) | Self::AssignedVersus(cluster) => known(cluster),
            Self::Contrast { cluster, versus } => {
                known(cluster)?;
                known(versus)?;
                match cluster == versus {
                    true => Err(Error::SameCluster { cluster }),
                    false => Ok(()),
                }
            }
        }
    }

    fn question(self, beta: f64) -> kernel::Question {
        let cluster = match self {
            Self::Assigned | Self::AssignedVersus(_) => None,
            Self::Cluster(cluster) | Self::Contrast { cluster, .. } => Some(cluster),
        };
        kernel::Question { cluster, versus: self.versus(), beta }
    }

    /// The explained cluster of every row, `[n, 1]`.
    fn explained<B: Backend>(self, scores: &Tensor<B, 2>) -> Tensor<B, 2, Int> {
        let assigned = scores.clone().argmax(1);
        match self {
            Self::Assigned | Self::AssignedVersus(_) => assigned,
            Self::Cluster(cluster) | Self::Contrast { cluster, .. } => {
                assigned.zeros_like() + cluster as i64
            }
        }
    }

    pub(crate) fn versus(self) -> Option<usize> {
        match self {
            Self::Assigned | Self::Cluster(_) => None,
            Self::Contrast { versus, .. } | Self::AssignedVersus(versus) => Some(versus),
        }
    }
}

/// All of `h_ck` goes to one competitor k; nothing where k is the cluster itself.
///
/// # Shapes
///
/// - scores: `[n, K]`, own: `[n, K]`, true for the explained cluster
/// - output: logit `[n, 1]`, shares and ratios `[n, K]`
fn contrast<B: Backend>(
    scores: &Tensor<B, 2>,
    own: &Tensor<B, 2, Bool>,
    versus: usize,
) -> (Tensor<B, 2>, Tensor<B, 2>, Tensor<B, 2>) {
    let [rows, clusters] = scores.dims();
    let (device, dtype) = (scores.device(), scores.dtype());
    let logit = kernel::own_score(scores, own) - scores.clone().narrow(1, versus, 1);
    let marks = (0..clusters).map(|k| f64::from(u8::from(k == versus))).collect();
    let shares = transfer::upload::<B, 2>(marks, [1, clusters], &device, dtype)
        .expand([rows, clusters])
        .mask_fill(own.clone(), 0.0);
    (logit, shares.clone(), shares)
}

/// The explained cluster of every row, `[N, 1]`, in one block.
///
/// # Shapes
///
/// - x: `[N, D]`
#[cfg(feature = "autodiff")]
pub(crate) fn explained_cluster<B: Backend>(
    network: &NeuralizedKMeans<B>,
    x: &Tensor<B, 2>,
    target: Target,
) -> Tensor<B, 2, Int> {
    target.explained(&network.scores(network.centred(x.clone())))
}

/// The point halfway between the centroid of the explained cluster and that of
/// its nearest competitor, on the boundary between the two.
///
/// # Shapes
///
/// - x: `[N, D]`
/// - output: `[N, D]`
#[cfg(feature = "autodiff")]
pub(crate) fn nearest_midpoints<B: Backend>(
    network: &NeuralizedKMeans<B>,
    x: &Tensor<B, 2>,
    target: Target,
) -> Tensor<B, 2> {
    let centroids = network.centroids();
    let scores = network.scores(network.centred(x.clone()));
    let cluster = target.explained(&scores);
    let competitor = match target.versus() {
        Some(versus) => cluster.zeros_like() + versus as i64,
        None => {
            let own = kernel::is_own(cluster.clone(), network.n_clusters());
            scores.clone().mask_fill(own, -transfer::largest(scores.dtype())).argmax(1)
        }
    };
    let rows_of = |index: Tensor<B, 2, Int>| centroids.clone().select(0, index.squeeze_dim(1));
    (rows_of(cluster) + rows_of(competitor)) * 0.5
}
