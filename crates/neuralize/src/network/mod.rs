//! What a clusterer is rewritten into: layers, and the networks made of them.

mod dense;
mod kernel_kmeans;
mod kmeans;
mod layers;
mod min_pool;
mod mixture;
mod pairs;
pub(crate) mod segments;
mod separable;
mod soft_pool;
mod training;

use std::fmt::Debug;

use burn::tensor::{DType, Int, Tensor, backend::Backend};

use crate::error::Result;
use crate::explain::{self, Beta, Explanation, Target};
use crate::{kernel, transfer};

pub use dense::DenseNeuralizedKMeans;
pub use kernel_kmeans::{NeuralizedKernelKMeans, PairRule};
pub use kmeans::{NeuralizedKMeans, NeuralizedKMeansConfig};
pub use layers::RootedKMeans;
pub use min_pool::MinPool;
pub(crate) use min_pool::Pooled;
pub use mixture::NeuralizedGaussianMixture;
pub use separable::NeuralizedSeparableKMeans;
pub use soft_pool::{SoftMaxPool, SoftMinPool};
pub(crate) use soft_pool::{exp_minus_one, soft_shares, steepness};
pub(crate) use training::own_supports;

/// A clusterer as a network whose last layer is [`MinPool`], explained by NEON.
///
/// The layers below the last give every cluster a score, and differences of
/// scores are what is pooled: `h_ck = s_c − s_k`, `f_c = min_{k≠c} h_ck`.
/// Everything that looks at a clustering (explanations, summaries, figures, the
/// report, the command) asks for no more than this.
pub trait Network<B: Backend>: Debug {
    /// How many clusters, K.
    fn n_clusters(&self) -> usize;

    /// How many features, D.
    fn n_features(&self) -> usize;

    /// The precision of the network; data must have the same.
    fn dtype(&self) -> DType;

    /// Where the network's parameters are.
    fn device(&self) -> B::Device;

    /// The heuristic β (1 / mean logit of the training data), if it is known.
    fn beta(&self) -> Option<f64>;

    /// A place for every cluster, `[K, D]`: its centroid, or what comes nearest
    /// to one.
    fn centroids(&self) -> Tensor<B, 2>;

    /// Whether x is data for this network.
    ///
    /// # Errors
    ///
    /// If it has another width or precision than the network, or values that
    /// the network is not made for.
    fn check_input(&self, x: &Tensor<B, 2>) -> Result<()>;

    /// The score of every cluster for one block of checked rows, the largest
    /// for the cluster that a row belongs to.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`, n at least 1
    /// - output: `[n, K]`
    fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2>;

    /// The relevance pass of one block of checked rows, for a target that is
    /// checked and a β that is resolved.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`, n at least 1
    fn explain_block(&self, x: Tensor<B, 2>, target: Target, beta: f64) -> Explanation<B>;

    /// What [`Explanation::absorbed`] lists for this network, in its order.
    fn absorbed_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// Names for the columns of
    /// [`contributions`](Explanation::contributions): those of the features, and
    /// what biases absorb in parentheses.
    fn contribution_names(&self, features: &[String]) -> Vec<String> {
        let absorbed = self.absorbed_names().iter().map(|name| {
            let mut title = explain::part_title(name);
            // A feature may be called like that.
            while features.contains(&title) {
                title = explain::part_title(&title);
            }
            title
        });
        features.iter().cloned().chain(absorbed).collect()
    }

    /// Whether a cluster is where its centroid is: features of a point are then
    /// high or low as seen from between two centroids.
    fn is_centroid_based(&self) -> bool {
        true
    }

    /// The same network for data that are moved by this much in every feature;
    /// none where its decisions depend on where the zero lies.
    ///
    /// # Errors
    ///
    /// If the network's parameters become too large for the precision.
    fn shifted(&self, by: f64) -> Result<Option<Box<dyn Network<B>>>> {
        let _ = by;
        Ok(None)
    }

    /// The network of a k-means with squared Euclidean distances, if it is one:
    /// gradients can check its explanations.
    fn as_kmeans(&self) -> Option<&NeuralizedKMeans<B>> {
        None
    }

    /// Columns of the widest table that a row leads to; the rows of a block are
    /// chosen by it.
    fn columns(&self) -> usize {
        self.n_clusters() + self.n_features()
    }

    /// The logit f_c of every cluster.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, K]`
    ///
    /// # Errors
    ///
    /// As [`check_input`](Self::check_input).
    fn forward(&self, x: Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        self.check_input(&x)?;
        Ok(forward_by_blocks(self, &x))
    }

    /// The cluster of every row: the one with the largest score, the first of
    /// equal ones.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N]`
    ///
    /// # Errors
    ///
    /// As [`check_input`](Self::check_input).
    fn predict(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1, Int>> {
        self.check_input(x)?;
        Ok(kernel::map_rows(
            x,
            self.columns(),
            || transfer::upload_indices(&[], &x.device()),
            |block| self.scores(block).argmax(1).squeeze_dim(1),
        ))
    }

    /// The cluster of every row with its logit.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N]` and `[N]`
    ///
    /// # Errors
    ///
    /// As [`check_input`](Self::check_input).
    fn predict_with_logit(&self, x: &Tensor<B, 2>) -> Result<(Tensor<B, 1, Int>, Tensor<B, 1>)> {
        self.check_input(x)?;
        let [rows, features] = x.dims();
        if rows == 0 {
            let none = transfer::zeros([0], &x.device(), self.dtype());
            return Ok((transfer::upload_indices(&[], &x.device()), none));
        }
        let parts = kernel::blocks(rows, kernel::block_rows(self.columns())).map(|range| {
            let scores = self.scores(x.clone().slice([range, 0..features]));
            let label = scores.clone().argmax(1).squeeze_dim::<1>(1);
            (label, MinPool.forward(scores).max_dim(1).squeeze_dim::<1>(1))
        });
        let (labels, logits) = parts.unzip::<_, _, Vec<_>, Vec<_>>();
        Ok((Tensor::cat(labels, 0), Tensor::cat(logits, 0)))
    }

    /// Explains every row of x by NEON.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`; N may be 0
    /// - relevance: `[N, D]`, logit and cluster: `[N]`, shares: `[N, K]`
    ///
    /// # Errors
    ///
    /// As [`check_input`](Self::check_input), and if the target names a cluster
    /// that does not exist, β is negative or NaN, or the heuristic is asked of
    /// a network without one.
    fn explain(&self, x: &Tensor<B, 2>, target: Target, beta: Beta) -> Result<Explanation<B>> {
        explain::by_blocks(self, x, target, beta, |_| None)
    }
}

/// The logits of checked rows, `[N, K]`.
pub(crate) fn forward_by_blocks<B: Backend, N: Network<B> + ?Sized>(
    network: &N,
    x: &Tensor<B, 2>,
) -> Tensor<B, 2> {
    let none = || transfer::zeros([0, network.n_clusters()], &x.device(), network.dtype());
    kernel::map_rows(x, network.columns(), none, |block| MinPool.forward(network.scores(block)))
}
