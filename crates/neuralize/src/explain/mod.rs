//! NEON: how much every feature contributed to a cluster assignment.
//!
//! A relevance pass through the network of a neuralized clusterer (Kauffmann
//! et al. 2024): min-pooling hands its output to the competitors
//! (softmin with stiffness β), the linear layer hands each share to the
//! features by the midpoint rule. The relevances of a point sum to its logit, in
//! some networks together with what belongs to no feature.

mod explanation;
pub(crate) mod midpoint;
mod summary;

use burn::tensor::{Bool, Int, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernel;
use crate::network::{MinPool, Network, NeuralizedKMeans, Pooled};
use crate::transfer;

pub use explanation::{Absorbed, Explanation};
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
        Network::explain(self, x, target, beta)
    }
}

/// Explains every row, block by block.
///
/// `whole` may answer for all rows at once, where there is a kernel that does.
pub(crate) fn by_blocks<B: Backend, N: Network<B> + ?Sized>(
    network: &N,
    x: &Tensor<B, 2>,
    target: Target,
    beta: Beta,
    whole: impl FnOnce(f64) -> Option<Explanation<B>>,
) -> Result<Explanation<B>> {
    network.check_input(x)?;
    target.check(network.n_clusters())?;
    let beta = target.beta(beta, network.beta())?;
    let [rows, features] = x.dims();
    if rows == 0 {
        let none = |columns| transfer::zeros([0, columns], &x.device(), network.dtype());
        return Ok(Explanation {
            relevance: none(features),
            logit: none(1).reshape([0]),
            cluster: transfer::upload_indices(&[], &x.device()),
            shares: none(network.n_clusters()),
            target,
            beta,
            absorbed: network
                .absorbed_names()
                .iter()
                .map(|name| Absorbed { name, amount: none(1).reshape([0]) })
                .collect(),
        });
    }
    if let Some(explanation) = whole(beta) {
        return Ok(explanation);
    }
    let parts = kernel::blocks(rows, kernel::block_rows(network.columns()))
        .map(|range| network.explain_block(x.clone().slice([range, 0..features]), target, beta))
        .collect();
    Ok(Explanation::cat(parts))
}

/// What is asked of the scores of every row, and what min-pooling hands down
/// for it.
pub(crate) struct Asked<B: Backend> {
    /// The explained cluster, `[n, 1]`.
    pub(crate) cluster: Tensor<B, 2, Int>,
    /// Whether a column is that cluster, `[n, K]`.
    pub(crate) own: Tensor<B, 2, Bool>,
    pub(crate) pooled: Pooled<B>,
}

impl<B: Backend> Asked<B> {
    /// # Shapes
    ///
    /// - scores: `[n, K]`, K at least 2; cluster: `[n, 1]`
    pub(crate) fn of(
        scores: &Tensor<B, 2>,
        cluster: Tensor<B, 2, Int>,
        target: Target,
        beta: f64,
    ) -> Self {
        let own = kernel::is_own(cluster.clone(), scores.dims()[1]);
        let pooled = match target.versus() {
            None => MinPool.relevance(scores, &own, beta),
            Some(versus) => contrast(scores, &own, versus),
        };
        Self { cluster, own, pooled }
    }

    /// Coefficients a of the per-feature distances to every cluster, of which
    /// the relevance is the sum: `a_k = ρ_k` for competitors, `a_c = −Σ ρ_k`,
    /// `[n, K]`.
    pub(crate) fn coefficients(&self) -> Tensor<B, 2> {
        let ratios = self.pooled.ratios.clone();
        let shape = ratios.dims();
        let against = ratios.clone().sum_dim(1).neg().expand(shape);
        ratios.mask_where(self.own.clone(), against)
    }

    /// The answer, with the relevances of the features.
    pub(crate) fn answer(
        self,
        relevance: Tensor<B, 2>,
        target: Target,
        beta: f64,
    ) -> Explanation<B> {
        Explanation {
            relevance,
            logit: self.pooled.logit.squeeze_dim(1),
            cluster: self.cluster.squeeze_dim(1),
            shares: self.pooled.shares,
            target,
            beta,
            absorbed: Vec::new(),
        }
    }
}

/// What a part of the logit that belongs to no feature is called beside
/// features.
pub(crate) fn part_title(name: &str) -> String {
    format!("({name})")
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
        let known = |cluster: usize| {
            if cluster < clusters {
                Ok(())
            } else {
                Err(Error::UnknownCluster { cluster, clusters })
            }
        };
        match self {
            Self::Assigned => Ok(()),
            Self::Cluster(cluster) | Self::AssignedVersus(cluster) => known(cluster),
            Self::Contrast { cluster, versus } => {
                known(cluster)?;
                known(versus)?;
                if cluster == versus { Err(Error::SameCluster { cluster }) } else { Ok(()) }
            }
        }
    }

    pub(crate) fn question(self, beta: f64) -> kernel::Question {
        let cluster = match self {
            Self::Assigned | Self::AssignedVersus(_) => None,
            Self::Cluster(cluster) | Self::Contrast { cluster, .. } => Some(cluster),
        };
        kernel::Question { cluster, versus: self.versus(), beta }
    }

    /// The β to use, given the network's heuristic one.
    fn beta(self, beta: Beta, heuristic: Option<f64>) -> Result<f64> {
        match beta {
            // A contrast has one competitor: any β gives the same answer.
            _ if self.versus().is_some() => Ok(f64::INFINITY),
            Beta::Heuristic => heuristic.ok_or(Error::NoHeuristicBeta),
            Beta::Value(value) if value >= 0.0 => Ok(value),
            Beta::Value(value) => Err(Error::Config {
                name: "beta",
                value: value.to_string(),
                rule: "it must be at least 0".into(),
            }),
        }
    }

    /// The explained cluster of every row, `[n, 1]`.
    pub(crate) fn explained<B: Backend>(self, scores: &Tensor<B, 2>) -> Tensor<B, 2, Int> {
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
fn contrast<B: Backend>(
    scores: &Tensor<B, 2>,
    own: &Tensor<B, 2, Bool>,
    versus: usize,
) -> Pooled<B> {
    let [rows, clusters] = scores.dims();
    let (device, dtype) = (scores.device(), scores.dtype());
    let logit = kernel::own_score(scores, own) - scores.clone().narrow(1, versus, 1);
    let marks = (0..clusters).map(|k| f64::from(u8::from(k == versus))).collect();
    let shares = transfer::upload::<B, 2>(marks, [1, clusters], &device, dtype)
        .expand([rows, clusters])
        .mask_fill(own.clone(), 0.0);
    Pooled { logit, ratios: shares.clone(), shares }
}
