use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::activation::softmax;
use burn::tensor::{DType, Int, Tensor, backend::Backend};

use crate::cluster::KMeans;
use crate::cluster::beta;
use crate::error::{Error, Result};
use crate::explain::{self, Asked, Beta, Explanation, Target, midpoint};
use crate::kernel::{self, Affine, Scores};
use crate::network::{DenseNeuralizedKMeans, MinPool, Network};
use crate::{network, record, transfer, validate};

/// K-means as a neural network: a linear layer and min-pooling, exactly.
///
/// The output for cluster c is its logit, the margin
/// `f_c(x) = min_{k≠c} ‖x − μ_k‖² − ‖x − μ_c‖²`, in squared units of the data.
/// It is positive for the cluster that x belongs to and negative for the
/// others (Kauffmann et al. 2024).
///
/// The linear layer gives one score a centroid, `s_k = 2 x·μ_k − ‖μ_k‖²`, and
/// the pooling layer takes differences: `h_ck = s_c − s_k` is the literature's
/// first layer with K instead of K (K − 1) outputs (written out by
/// [`dense`](Self::dense)). The mean of the centroids is subtracted from x
/// first, which changes no difference and saves digits.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::KMeans;
///
/// let device = Default::default();
/// let centroids = Tensor::<Flex, 2>::from_data([[0.0, 0.0], [4.0, 0.0], [0.0, 9.0]], &device);
/// let network = KMeans::from_centroids(centroids)?.neuralize()?;
///
/// // Squared distances 1, 9 and 82: ahead of the next centroid by 8.
/// let x = Tensor::<Flex, 2>::from_data([[1.0, 0.0]], &device);
/// let logits = network.forward(x)?.into_data().iter::<f32>().collect::<Vec<_>>();
/// for (logit, expected) in logits.iter().zip([8.0, -8.0, -81.0]) {
///     assert!((logit - expected).abs() < 1e-4);
/// }
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct NeuralizedKMeans<B: Backend> {
    /// Subtracted from the input, `[D]`.
    pub(crate) center: Param<Tensor<B, 1>>,
    /// Weight `2 μᵀ`, `[D, K]`, and bias `−‖μ‖²`, `[K]`, around the centre.
    pub(crate) linear: Linear<B>,
    /// Minimum over competitors.
    pub(crate) pool: MinPool,
    /// The heuristic β, `[1]`; NaN where it is not known.
    pub(crate) beta: Param<Tensor<B, 1>>,
}

/// Shape of a [`NeuralizedKMeans`] that a record is going to be loaded into.
///
/// A network is made from a fitted clusterer by
/// [`KMeans::neuralize`](crate::cluster::KMeans::neuralize); this is for a
/// module that holds one and is built before its record is read.
#[derive(Config, Debug, PartialEq)]
pub struct NeuralizedKMeansConfig {
    /// D.
    pub n_features: usize,
    /// K.
    pub n_clusters: usize,
}

impl NeuralizedKMeansConfig {
    /// A network of zeros in f32.
    pub fn init<B: Backend>(&self, device: &B::Device) -> NeuralizedKMeans<B> {
        let zeros = |length| transfer::zeros::<B, 1>([length], device, DType::F32);
        NeuralizedKMeans::from_parts(
            zeros(self.n_features),
            transfer::zeros([self.n_features, self.n_clusters], device, DType::F32),
            zeros(self.n_clusters),
            zeros(1),
        )
    }
}

impl<B: Backend> KMeans<B> {
    /// Rewrites the clusterer as a network of equal decisions.
    ///
    /// # Errors
    ///
    /// If there is only one cluster.
    pub fn neuralize(&self) -> Result<NeuralizedKMeans<B>> {
        if self.n_clusters() < 2 {
            return Err(Error::NoCompetitor);
        }
        let Affine { center, scores } = self.affine();
        let center = center.squeeze_dim(0);
        Ok(NeuralizedKMeans::from_parts(center, scores.weight, scores.bias, self.beta.val()))
    }
}

impl<B: Backend> NeuralizedKMeans<B> {
    pub(crate) fn from_parts(
        center: Tensor<B, 1>,
        weight: Tensor<B, 2>,
        bias: Tensor<B, 1>,
        beta: Tensor<B, 1>,
    ) -> Self {
        Self {
            center: Param::initialized(ParamId::new(), center),
            linear: Linear {
                weight: Param::initialized(ParamId::new(), weight),
                bias: Some(Param::initialized(ParamId::new(), bias)),
            },
            pool: MinPool,
            beta: Param::initialized(ParamId::new(), beta),
        }
    }

    /// The network itself, if what was loaded into it is one.
    ///
    /// Burn loads a record without looking at its shapes. A module that holds
    /// a network and is loaded by Burn calls this afterwards; the functions of
    /// [`record`](crate::record) do it themselves. The bias is computed again
    /// from the weight, so that a recorder of half precision cannot put the two
    /// at odds.
    ///
    /// # Errors
    ///
    /// If shapes or values are not those of a network.
    pub fn checked(self) -> Result<Self> {
        record::check(self)
    }

    /// How many clusters, K.
    pub fn n_clusters(&self) -> usize {
        self.linear.weight.lazy_shape()[1]
    }

    /// How many features, D.
    pub fn n_features(&self) -> usize {
        self.linear.weight.lazy_shape()[0]
    }

    /// The precision of the network; data must have the same.
    pub fn dtype(&self) -> DType {
        self.linear.weight.val().dtype()
    }

    /// The heuristic β (1 / mean logit of the training data), if it is known.
    pub fn beta(&self) -> Option<f64> {
        beta::known(&self.beta)
    }

    /// The linear layer: weight `[D, K]`, bias `[K]`.
    pub fn linear(&self) -> &Linear<B> {
        &self.linear
    }

    /// The pooling layer.
    pub fn pool(&self) -> &MinPool {
        &self.pool
    }

    /// The point that is subtracted from the input, `[D]`.
    pub fn center(&self) -> Tensor<B, 1> {
        self.center.val()
    }

    /// The centroids, `[K, D]`, read back from the weights.
    pub fn centroids(&self) -> Tensor<B, 2> {
        self.centred_centroids() + self.center.val().unsqueeze()
    }

    /// The logit f_c of every cluster: the margin by which c is nearer than
    /// its nearest competitor, in squared units of the data.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, K]`
    ///
    /// # Errors
    ///
    /// If x has another width or precision than the network, or values that
    /// are not finite.
    pub fn forward(&self, x: Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        Network::forward(self, x)
    }

    /// The cluster of every row: the one with the largest logit.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N]`
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward).
    pub fn predict(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1, Int>> {
        self.check_input(x)?;
        Ok(kernel::nearest(x, &self.affine()))
    }

    /// The cluster of every row with its logit, which is positive except where
    /// two centroids are equally near. Cheaper than [`forward`](Self::forward):
    /// no other logit is written down.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N]` and `[N]`
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward).
    pub fn predict_with_logit(
        &self,
        x: &Tensor<B, 2>,
    ) -> Result<(Tensor<B, 1, Int>, Tensor<B, 1>)> {
        self.check_input(x)?;
        Ok(kernel::nearest_with_logit(x, &self.affine()))
    }

    /// The authors' probability of a cluster against its nearest competitor,
    /// `1 / (1 + exp(−f_c))`, between 0 and 1. The probabilities of a row do
    /// not sum to one.
    ///
    /// # Shapes
    ///
    /// - logits: any, as given by [`forward`](Self::forward)
    pub fn logistic_probability<const D: usize>(&self, logits: Tensor<B, D>) -> Tensor<B, D> {
        // Written out: on some backends Burn's sigmoid rounds f64 to f32, and
        // its reciprocal is an approximation to four digits.
        logits.ones_like() / (logits.neg().exp() + 1.0)
    }

    /// The probability of every cluster under soft assignment of the given
    /// stiffness b, `softmax_k(−b ‖x − μ_k‖²)`; a row sums to one.
    ///
    /// For K = 2 and b = 1 it equals the
    /// [logistic probability](Self::logistic_probability), for more clusters it
    /// is smaller for the assigned cluster: every competitor counts, not only
    /// the nearest.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, K]`
    ///
    /// # Errors
    ///
    /// As [`forward`](Self::forward), and if the stiffness is negative or not
    /// finite.
    pub fn softmax_probability(&self, x: Tensor<B, 2>, stiffness: f64) -> Result<Tensor<B, 2>> {
        if !(stiffness.is_finite() && stiffness >= 0.0) {
            return Err(Error::Config {
                name: "stiffness",
                value: stiffness.to_string(),
                rule: "it must be finite and at least 0".into(),
            });
        }
        self.check_input(&x)?;
        let stiffness = stiffness.min(transfer::largest(self.dtype()));
        Ok(kernel::map_rows(
            &x,
            self.n_clusters(),
            || self.no_rows(self.n_clusters()),
            |block| {
                let scores = self.scores(self.centred(block));
                // Differences first: a large stiffness then gives −∞, not NaN.
                let below_best = scores.clone() - scores.max_dim(1);
                softmax(below_best * stiffness, 1)
            },
        ))
    }

    /// The network with the literature's K (K − 1)-wide first layer; its
    /// outputs are the same. For inspection, export and tests.
    pub fn dense(&self) -> DenseNeuralizedKMeans<B> {
        let weight = self.linear.weight.val();
        let bias = kernel::bias_of(&weight);
        DenseNeuralizedKMeans::new(self.center.val(), &weight, &bias)
    }

    /// Centre and linear layer, as the kernels take them.
    pub(crate) fn affine(&self) -> Affine<B> {
        let weight = self.linear.weight.val();
        // A layer without bias has been refused before anything is computed.
        let bias = self.linear.bias.as_ref().map(Param::val);
        let bias = bias.unwrap_or_else(|| kernel::bias_of(&weight));
        Affine { center: self.center.val().unsqueeze(), scores: Scores { weight, bias } }
    }

    pub(crate) fn centred(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        x - self.center.val().unsqueeze()
    }

    pub(crate) fn centred_centroids(&self) -> Tensor<B, 2> {
        self.linear.weight.val().transpose() * 0.5
    }

    pub(crate) fn scores(&self, centred: Tensor<B, 2>) -> Tensor<B, 2> {
        self.linear.forward(centred)
    }

    /// A result for no rows, `[0, columns]`.
    pub(crate) fn no_rows(&self, columns: usize) -> Tensor<B, 2> {
        let center = self.center.val();
        transfer::zeros([0, columns], &center.device(), center.dtype())
    }

    pub(crate) fn check_input(&self, x: &Tensor<B, 2>) -> Result<()> {
        Network::check_input(self, x)
    }
}

impl<B: Backend> Network<B> for NeuralizedKMeans<B> {
    fn n_clusters(&self) -> usize {
        self.n_clusters()
    }

    fn n_features(&self) -> usize {
        self.n_features()
    }

    fn dtype(&self) -> DType {
        self.dtype()
    }

    fn device(&self) -> B::Device {
        self.center.val().device()
    }

    fn beta(&self) -> Option<f64> {
        self.beta()
    }

    fn centroids(&self) -> Tensor<B, 2> {
        self.centroids()
    }

    fn check_input(&self, x: &Tensor<B, 2>) -> Result<()> {
        // A record that was loaded into this module may have left it without.
        if self.linear.bias.is_none() {
            return Err(Error::Record { detail: "its linear layer has no bias".into() });
        }
        if self.n_clusters() < 2 {
            return Err(Error::NoCompetitor);
        }
        validate::dtype::<B>("x", &x.device(), x.dtype())?;
        validate::input("x", x, self.n_features(), self.dtype())
    }

    fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.scores(self.centred(x))
    }

    fn forward(&self, x: Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        self.check_input(&x)?;
        if let Some(logits) = kernel::logits(&x, &self.affine()) {
            return Ok(logits);
        }
        Ok(network::forward_by_blocks(self, &x))
    }

    fn predict(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1, Int>> {
        self.predict(x)
    }

    fn predict_with_logit(&self, x: &Tensor<B, 2>) -> Result<(Tensor<B, 1, Int>, Tensor<B, 1>)> {
        self.predict_with_logit(x)
    }

    fn explain(&self, x: &Tensor<B, 2>, target: Target, beta: Beta) -> Result<Explanation<B>> {
        explain::by_blocks(self, x, target, beta, |beta| {
            let kernel::Answer { relevance, logit, cluster, shares } =
                kernel::explain(x, &self.affine(), target.question(beta))?;
            Some(Explanation {
                relevance,
                logit,
                cluster,
                shares,
                target,
                beta,
                absorbed: Vec::new(),
            })
        })
    }

    fn shifted(&self, by: f64) -> Result<Option<Box<dyn Network<B>>>> {
        let shifted = KMeans::from_centroids(self.centroids() + by)?;
        let shifted = match self.beta() {
            Some(beta) => shifted.with_beta(beta)?,
            None => shifted,
        };
        Ok(Some(Box::new(shifted.neuralize()?)))
    }

    fn as_kmeans(&self) -> Option<&NeuralizedKMeans<B>> {
        Some(self)
    }

    /// The pass, layer by layer from the output to the input.
    fn explain_block(&self, x: Tensor<B, 2>, target: Target, beta: f64) -> Explanation<B> {
        let centroids = self.centred_centroids();
        let squares = centroids.clone().square();
        let centred = self.centred(x);
        let scores = self.scores(centred.clone());
        let asked = Asked::of(&scores, target.explained(&scores), target, beta);
        let relevance = midpoint::relevance(centred, &centroids, &squares, asked.coefficients());
        asked.answer(relevance, target, beta)
    }
}

impl<B: Backend> ModuleDisplay for NeuralizedKMeans<B> {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(true).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content.add("linear", &self.linear).add("pool", &self.pool).optional()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    #[test]
    fn prints_its_layers() {
        let centroids =
            Tensor::<Flex, 2>::from_data([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], &Default::default());
        let network = KMeans::from_centroids(centroids).and_then(|kmeans| kmeans.neuralize());
        let printed = format!("{}", network.expect("two clusters"));
        assert_eq!(
            printed,
            "NeuralizedKMeans {\n  linear: Linear {\n    d_input: 3\n    d_output: 2\n    bias: true\n    params: 8\n  }\n  pool: MinPool\n  params: 12\n}"
        );
    }
}
