//! The trait that all networks implement: it predicts and explains.

use std::fmt::Debug;
use std::pin::Pin;

use burn::tensor::{DType, Int, Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::explain::{Absorbed, Beta, Explanation, Root, Rule, Target, part_title};
use crate::kernel::{self, Flag};
use crate::network::kmeans::NeuralizedKMeans;
use crate::{transfer, validate};

/// A clusterer as a network whose last layer is [`MinPool`](crate::network::MinPool), explained by
/// NEON.
///
/// The layers below the last give every cluster a score, and the last pools differences of scores:
/// `h_ck = s_c − s_k`, `f_c = min_{k≠c} h_ck`. Everything that works on a clustering
/// (explanations, summaries, figures, the report, the command) needs no more than this trait.
///
/// The trait is sealed: only this crate implements it. A relevance pass must conserve the logit
/// through every layer, and the passes build on layers and kernels that are private to the crate.
/// To explain a clustering from elsewhere, fit supports to its labels
/// ([`LabelledConfig`](crate::cluster::LabelledConfig)); to explain a clustering of a network's
/// codes, see [`deep`](crate::deep).
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::KMeans;
/// use neuralize::explain::{Beta, Target};
/// use neuralize::network::Network;
///
/// let device = Default::default();
/// let centroids = Tensor::<Flex, 2>::from_data([[0.0, 0.0], [4.0, 2.0]], &device);
/// let network = KMeans::from_centroids(centroids)?.neuralize()?;
///
/// let x = Tensor::<Flex, 2>::from_data([[1.0, 0.5]], &device);
/// let explanation = network.explain(&x, Target::Assigned, Beta::Value(1.0))?;
///
/// // (1−4)² − 1² and (0.5−2)² − 0.5²: the first feature has the larger share.
/// let relevance: Vec<f32> = explanation.relevance.into_data().iter().collect();
/// assert!((relevance[0] - 8.0).abs() < 1e-4 && (relevance[1] - 2.0).abs() < 1e-4);
/// # Ok::<(), neuralize::Error>(())
/// ```
pub trait Network<B: Backend>: Internals<B> + Debug + Send + Sync {
    /// The number of clusters, K.
    fn n_clusters(&self) -> usize {
        self.dimensions().clusters
    }

    /// The number of features, D.
    fn n_features(&self) -> usize {
        self.dimensions().features
    }

    /// The precision of the network; data must have the same.
    fn dtype(&self) -> DType {
        self.dimensions().dtype
    }

    /// The device of the network's parameters.
    fn device(&self) -> B::Device {
        self.dimensions().device
    }

    /// The heuristic β (1 / mean logit of the training data), if it is known.
    fn beta(&self) -> Option<f64>;

    /// A point for every cluster, `[K, D]`: its centroid, or the nearest thing to one.
    fn centroids(&self) -> Tensor<B, 2>;

    /// Checks that x is data for this network.
    ///
    /// # Errors
    ///
    /// If x has another width, precision or device than the network, or values that are not finite
    /// or that the network cannot take.
    fn check_input(&self, x: &Tensor<B, 2>) -> Result<()> {
        if self.valid(x)?.read() { Ok(()) } else { self.refuse(x) }
    }

    /// The score of every cluster for a block of checked rows. A row belongs to the cluster with
    /// the largest score.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`, n at least 1
    /// - output: `[n, K]`
    fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2>;

    /// The relevance pass of a block of checked rows, for a checked target and a known β.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`, n at least 1
    fn explain_block(&self, x: Tensor<B, 2>, target: Target, beta: f64) -> Explanation<B>;

    /// The names of the parts in [`Explanation::absorbed`], in their order.
    fn absorbed_names(&self) -> &'static [&'static str] {
        &[]
    }

    /// Names for the columns of [`contributions`](Explanation::contributions): the features', and
    /// in parentheses those of the absorbed parts.
    fn contribution_names(&self, features: &[String]) -> Vec<String> {
        let absorbed = self.absorbed_names().iter().map(|name| {
            let mut title = part_title(name);
            // A feature may have the same name.
            while features.contains(&title) {
                title = part_title(&title);
            }
            title
        });
        features.iter().cloned().chain(absorbed).collect()
    }

    /// Whether a cluster is the neighbourhood of its centroid. Only then does a feature's value
    /// read as high or low compared with a point between two centroids.
    fn is_centroid_based(&self) -> bool {
        true
    }

    /// The same network for data with `by` added to every feature; `None` if its decisions depend
    /// on where zero lies.
    ///
    /// # Errors
    ///
    /// If the network's parameters become too large for the precision.
    fn shifted(&self, by: f64) -> Result<Option<Box<dyn Network<B>>>> {
        let _ = by;
        Ok(None)
    }

    /// The same network, explained by another rule. K-means has [`Rule::Secant`] alone, which from
    /// [`Root::Midway`] is NEON; clusters of supports and mixtures have others, too.
    ///
    /// # Errors
    ///
    /// If the network has no such rule, or λ does not lie between 0 and 1.
    fn explained_by(&self, rule: Rule) -> Result<Box<dyn Network<B>>> {
        Err(no_rule(rule, "k-means, clusters of supports and mixtures have a choice of rules"))
    }

    /// The network as that of a k-means with squared Euclidean distances, if it is one. Gradients
    /// can check its explanations.
    fn as_kmeans(&self) -> Option<&NeuralizedKMeans<B>> {
        None
    }

    /// The number of columns of the widest intermediate table; it decides how many rows a block
    /// has.
    fn columns(&self) -> usize {
        self.n_clusters() + self.n_features()
    }

    /// The logit f_c of every cluster: the margin by which its score exceeds the best other score.
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
        Ok(self.logits(&x))
    }

    /// As [`forward`](Self::forward), without blocking the thread while a device checks x.
    fn forward_async(&self, x: Tensor<B, 2>) -> Answer<'_, Tensor<B, 2>> {
        Box::pin(async move {
            self.check_input_async(&x).await?;
            Ok(self.logits(&x))
        })
    }

    /// The cluster of every row: the one with the largest score, or the first of equal ones.
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
        Ok(self.labels(x))
    }

    /// As [`predict`](Self::predict), without blocking the thread while a device checks x.
    fn predict_async<'a>(&'a self, x: &'a Tensor<B, 2>) -> Answer<'a, Tensor<B, 1, Int>> {
        Box::pin(async move {
            self.check_input_async(x).await?;
            Ok(self.labels(x))
        })
    }

    /// The cluster of every row with its logit, which is positive unless two clusters have equal
    /// scores. Needs less memory than [`forward`](Self::forward), which keeps all logits.
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
        Ok(self.labels_with_logits(x))
    }

    /// As [`predict_with_logit`](Self::predict_with_logit), without blocking the thread while a
    /// device checks x.
    fn predict_with_logit_async<'a>(
        &'a self,
        x: &'a Tensor<B, 2>,
    ) -> Answer<'a, (Tensor<B, 1, Int>, Tensor<B, 1>)> {
        Box::pin(async move {
            self.check_input_async(x).await?;
            Ok(self.labels_with_logits(x))
        })
    }

    /// Explains every row of x: by NEON, or by the [`Rule`] of a network that has a choice.
    ///
    /// Beyond the result, memory is at most that of its largest part and one block of rows:
    /// O(N K + N D).
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`; N may be 0
    /// - relevance: `[N, D]`, logit and cluster: `[N]`, shares: `[N, K]`,
    ///   each of the [`absorbed_names`](Self::absorbed_names): `[N]`
    ///
    /// # Errors
    ///
    /// As [`check_input`](Self::check_input), and if the target names a cluster that does not
    /// exist, β is negative or NaN, or the heuristic β of a network without one is needed.
    fn explain(&self, x: &Tensor<B, 2>, target: Target, beta: Beta) -> Result<Explanation<B>> {
        self.check_input(x)?;
        let beta = self.checked_question(target, beta)?;
        Ok(self.explanation(x, target, beta))
    }

    /// Explains every row of x by what made its logit on the way from a [`Root`]: relevances sum to
    /// the logit. K-means, clusters of supports, mixtures and [deep k-means](crate::deep) have such a
    /// pass; clusters by other distances have none. A pair without a root, because one cluster
    /// nowhere beats the other, is absorbed by "root".
    ///
    /// # Shapes
    ///
    /// As [`explain`](Self::explain).
    ///
    /// # Errors
    ///
    /// As [`explain`](Self::explain), and if the network has no such pass, or λ does not lie between
    /// 0 and 1.
    fn explain_from(
        &self,
        x: &Tensor<B, 2>,
        target: Target,
        beta: Beta,
        root: Root,
    ) -> Result<Explanation<B>> {
        root.check()?;
        self.check_input(x)?;
        let beta = self.checked_question(target, beta)?;
        let [rows, features] = x.dims();
        if rows == 0 {
            return match self.explained_by(Rule::Secant(root)) {
                Ok(network) => network.explain(x, target, Beta::Value(beta)),
                Err(_) => Ok(self.explanation(x, target, beta)),
            };
        }
        let parts = kernel::blocks(rows, kernel::block_rows(self.columns()))
            .map(|range| {
                let block = x.clone().slice([range, 0..features]);
                self.explain_block_from(block, target, beta, root)
            })
            .collect::<Result<_>>()?;
        Ok(Explanation::cat(parts))
    }

    /// The pass of a block of checked rows from a root.
    #[doc(hidden)]
    fn explain_block_from(
        &self,
        x: Tensor<B, 2>,
        target: Target,
        beta: f64,
        root: Root,
    ) -> Result<Explanation<B>> {
        let _ = (x, target, beta);
        let rule = "clusters by other distances than the squared Euclidean have no roots";
        Err(Error::config("root", format!("{root:?}"), rule))
    }

    /// As [`explain`](Self::explain), without blocking the thread while a GPU checks x, so that a
    /// server can do other things meanwhile. Everything else is queued on the device; the result
    /// is read by burn's `into_data_async`. On a CPU all is computed when the future is polled.
    ///
    /// # Shapes
    ///
    /// As [`explain`](Self::explain).
    ///
    /// # Errors
    ///
    /// As [`explain`](Self::explain).
    fn explain_async<'a>(
        &'a self,
        x: &'a Tensor<B, 2>,
        target: Target,
        beta: Beta,
    ) -> Answer<'a, Explanation<B>> {
        Box::pin(async move {
            self.check_input_async(x).await?;
            let beta = self.checked_question(target, beta)?;
            Ok(self.explanation(x, target, beta))
        })
    }

    /// As [`check_input`](Self::check_input), without blocking the thread while a device checks x.
    fn check_input_async<'a>(&'a self, x: &'a Tensor<B, 2>) -> Answer<'a, ()> {
        Box::pin(
            async move { if self.valid(x)?.read_async().await { Ok(()) } else { self.refuse(x) } },
        )
    }

    /// Checks the question, and says which β to use.
    #[doc(hidden)]
    fn checked_question(&self, target: Target, beta: Beta) -> Result<f64> {
        target.check(self.n_clusters())?;
        let heuristic = match beta {
            Beta::Heuristic => self.beta(),
            Beta::Value(_) => None,
        };
        target.beta(beta, heuristic)
    }

    /// The logits of checked rows.
    #[doc(hidden)]
    fn logits(&self, x: &Tensor<B, 2>) -> Tensor<B, 2> {
        if let Some(logits) = self.fused_logits(x) {
            return logits;
        }
        let none = || transfer::zeros([0, self.n_clusters()], &x.device(), self.dtype());
        kernel::map_rows(x, self.columns(), none, |block| kernel::margins(self.scores(block)))
    }

    /// The clusters of checked rows.
    #[doc(hidden)]
    fn labels(&self, x: &Tensor<B, 2>) -> Tensor<B, 1, Int> {
        if let Some((labels, _)) = self.fused_labels(x, false) {
            return labels;
        }
        kernel::map_rows(
            x,
            self.columns(),
            || transfer::upload_indices(&[], &x.device()),
            |block| self.scores(block).argmax(1).squeeze_dim(1),
        )
    }

    /// The clusters of checked rows with their logits.
    #[doc(hidden)]
    fn labels_with_logits(&self, x: &Tensor<B, 2>) -> (Tensor<B, 1, Int>, Tensor<B, 1>) {
        if let Some((labels, Some(logits))) = self.fused_labels(x, true) {
            return (labels, logits);
        }
        let [rows, features] = x.dims();
        if rows == 0 {
            let none = transfer::zeros([0], &x.device(), self.dtype());
            return (transfer::upload_indices(&[], &x.device()), none);
        }
        let parts = kernel::blocks(rows, kernel::block_rows(self.columns())).map(|range| {
            let scores = self.scores(x.clone().slice([range, 0..features]));
            let label = scores.clone().argmax(1).squeeze_dim::<1>(1);
            (label, kernel::margins(scores).max_dim(1).squeeze_dim::<1>(1))
        });
        let (labels, logits) = parts.unzip::<_, _, Vec<_>, Vec<_>>();
        (Tensor::cat(labels, 0), Tensor::cat(logits, 0))
    }

    /// The explanations of checked rows.
    #[doc(hidden)]
    fn explanation(&self, x: &Tensor<B, 2>, target: Target, beta: f64) -> Explanation<B> {
        let [rows, features] = x.dims();
        if rows == 0 {
            let none = |columns| transfer::zeros([0, columns], &x.device(), self.dtype());
            let amount = || none(1).reshape([0]);
            let names = self.absorbed_names().iter();
            return Explanation {
                relevance: none(features),
                logit: none(1).reshape([0]),
                cluster: transfer::upload_indices(&[], &x.device()),
                shares: none(self.n_clusters()),
                target,
                beta,
                absorbed: names.map(|name| Absorbed { name, amount: amount() }).collect(),
            };
        }
        if let Some(explanation) = self.fused_explanation(x, target, beta) {
            return explanation;
        }
        let parts = kernel::blocks(rows, kernel::block_rows(self.columns()))
            .map(|range| self.explain_block(x.clone().slice([range, 0..features]), target, beta))
            .collect();
        Explanation::cat(parts)
    }
}

/// The error of a rule that a network does not have.
pub(super) fn no_rule(rule: Rule, which: &str) -> Error {
    Error::config("rule", format!("{rule:?}"), which)
}

/// An answer that is computed when it is awaited.
pub type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T>> + Send + 'a>>;

/// Clusters of rows, and their logits if they were asked for.
pub(crate) type FusedLabels<B> = (Tensor<B, 1, Int>, Option<Tensor<B, 1>>);

/// What a network supplies to the methods of [`Network`]. It cannot be named outside of this
/// crate, which seals that trait.
pub trait Internals<B: Backend> {
    /// Sizes, precision and device of the parameters.
    fn dimensions(&self) -> Dimensions<B>;

    /// Whether x is data for the network: an error if its form is not, and a flag for its values.
    fn valid(&self, x: &Tensor<B, 2>) -> Result<Flag<B>>;

    /// The error of rows whose values are not valid.
    fn refuse(&self, x: &Tensor<B, 2>) -> Result<()> {
        validate::values("x", x)
    }

    /// The clusters of all checked rows, and their logits on request, if one kernel computes them.
    fn fused_labels(&self, _x: &Tensor<B, 2>, _with_logits: bool) -> Option<FusedLabels<B>> {
        None
    }

    /// The logits of all checked rows, `[N, K]`, if one kernel computes them.
    fn fused_logits(&self, _x: &Tensor<B, 2>) -> Option<Tensor<B, 2>> {
        None
    }

    /// The explanations of all checked rows, one or more, if one kernel computes them.
    fn fused_explanation(
        &self,
        _x: &Tensor<B, 2>,
        _target: Target,
        _beta: f64,
    ) -> Option<Explanation<B>> {
        None
    }
}

/// Sizes, precision and device of a network's parameters.
#[derive(Debug)]
pub struct Dimensions<B: Backend> {
    /// K
    pub clusters: usize,
    /// D
    pub features: usize,
    /// The precision.
    pub dtype: DType,
    /// The device.
    pub device: B::Device,
}

impl<B: Backend> Dimensions<B> {
    /// That of a table with one row a cluster, `[K, D]`.
    pub(crate) fn of_rows(table: &Tensor<B, 2>) -> Self {
        let [clusters, features] = table.dims();
        Self { clusters, features, dtype: table.dtype(), device: table.device() }
    }

    /// That of a weight with one column a cluster, `[D, K]`.
    pub(crate) fn of_columns(weight: &Tensor<B, 2>) -> Self {
        let [features, clusters] = weight.dims();
        Self { clusters, features, dtype: weight.dtype(), device: weight.device() }
    }
}
