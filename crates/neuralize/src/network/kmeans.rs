//! K-means as a network: its layers, and how it is loaded.

use burn::config::Config;
use burn::module::{Module, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::activation::softmax;
use burn::tensor::{DType, Tensor, backend::Backend};

use crate::cluster::KMeans;
use crate::error::{Error, Result};
use crate::explain::Root;
use crate::host_param::HostParam;
use crate::kernel::{self, Affine, Keep, Scores};
use crate::load::{self, Load, Shapes};
use crate::network::dense::DenseNeuralizedKMeans;
use crate::network::min_pool::MinPool;
use crate::{transfer, validate};

/// K-means as a neural network: a linear layer and min-pooling, exactly.
///
/// The output for cluster c is its logit, the margin
/// `f_c(x) = min_{k≠c} ‖x − μ_k‖² − ‖x − μ_c‖²`, in squared units of the data.
/// It is positive for the cluster that x belongs to and negative for the
/// others (Kauffmann et al. 2024).
///
/// The linear layer gives every centroid a score, `s_k = 2 x·μ_k − ‖μ_k‖²`, and the pooling layer
/// takes differences: `h_ck = s_c − s_k`. The literature's first layer has an output for every
/// difference, K (K − 1) instead of K; [`dense`](Self::dense) makes that form. A point near most
/// centroids is subtracted from x first, which changes no difference and saves digits.
///
/// The forward pass and the explanations are methods of [`Network`](crate::network::Network).
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::KMeans;
/// use neuralize::network::Network;
///
/// let device = Default::default();
/// let centroids = Tensor::<Flex, 2>::from_data([[0.0, 0.0], [4.0, 0.0], [0.0, 9.0]], &device);
/// let network = KMeans::from_centroids(centroids)?.neuralize()?;
///
/// // Squared distances 1, 9 and 82: the first centroid is nearer than the second by 8.
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
    pub(crate) beta: HostParam<B>,
    /// What explanations measure from.
    #[module(skip)]
    root: Root,
    #[module(skip)]
    keep: Keep,
}

/// The shape of a [`NeuralizedKMeans`] that a record is loaded into.
///
/// [`KMeans::neuralize`](crate::cluster::KMeans::neuralize) makes a network of a fitted clusterer.
/// Use this in a module that has a network as a part and is built before its record is read.
#[derive(Config, Debug, PartialEq)]
pub struct NeuralizedKMeansConfig {
    /// D.
    pub n_features: usize,
    /// K.
    pub n_clusters: usize,
}

impl NeuralizedKMeansConfig {
    /// A blank network to load a record into.
    pub fn init<B: Backend>(&self, device: &B::Device) -> NeuralizedKMeans<B> {
        let (features, clusters) = (self.n_features, self.n_clusters);
        let shapes: &[(&str, &[usize])] = &[
            ("center", &[features]),
            ("linear.weight", &[features, clusters]),
            ("linear.bias", &[clusters]),
            ("beta", &[1]),
        ];
        load::blank(shapes, device)
    }
}

impl<B: Backend> KMeans<B> {
    /// Rewrites the clusterer as a network that makes the same decisions.
    ///
    /// # Errors
    ///
    /// If there is only one cluster.
    pub fn neuralize(&self) -> Result<NeuralizedKMeans<B>> {
        if self.n_clusters() < 2 {
            return Err(Error::NoCompetitor);
        }
        let affine = self.affine();
        let (center, scores) = (affine.center.clone().squeeze_dim(0), &affine.scores);
        let (weight, bias) = (scores.weight.clone(), scores.bias.clone());
        Ok(NeuralizedKMeans::from_parts(center, weight, bias, self.beta.copied()))
    }
}

impl<B: Backend> NeuralizedKMeans<B> {
    pub(crate) fn from_parts(
        center: Tensor<B, 1>,
        weight: Tensor<B, 2>,
        bias: Tensor<B, 1>,
        beta: HostParam<B>,
    ) -> Self {
        Self {
            center: Param::initialized(ParamId::new(), center),
            linear: load::linear(weight, bias),
            pool: MinPool,
            beta,
            root: Root::default(),
            keep: Keep::default(),
        }
    }

    /// The same network, explained from another root. [`Root::Midway`], the default, is NEON. Other
    /// forms of the network, such as [`dense`](Self::dense), know nothing of it.
    ///
    /// # Errors
    ///
    /// If λ does not lie between 0 and 1.
    pub fn with_root(mut self, root: Root) -> Result<Self> {
        root.check()?;
        self.root = root;
        Ok(self)
    }

    /// What explanations measure from.
    pub fn root(&self) -> Root {
        self.root
    }

    /// The network itself, after a check of the record that was loaded into it.
    ///
    /// Burn loads a record without a check of its shapes. Call this on a network that is part of
    /// your own module after Burn has loaded that module; the functions of
    /// [`record`](crate::record) check by themselves. The bias is computed again from the weight,
    /// because a recorder of half precision rounds each of them.
    ///
    /// # Errors
    ///
    /// If shapes or values are not those of a network.
    pub fn checked(self) -> Result<Self> {
        load::check(self)
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

    /// The authors' probability of a cluster against its nearest competitor,
    /// `1 / (1 + exp(−f_c))`, between 0 and 1. The probabilities of a row do
    /// not sum to one.
    ///
    /// # Shapes
    ///
    /// - logits: any, as given by [`forward`](crate::network::Network::forward)
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
    /// If the stiffness is negative or not finite, x has another width or precision than the
    /// network, or values that are not finite.
    pub fn softmax_probability(&self, x: &Tensor<B, 2>, stiffness: f64) -> Result<Tensor<B, 2>> {
        if !(stiffness.is_finite() && stiffness >= 0.0) {
            return Err(Error::config("stiffness", stiffness, "it must be finite and at least 0"));
        }
        self.check_form(x)?;
        validate::values("x", x)?;
        let weight = self.linear.weight.val();
        let ([_, clusters], dtype) = (weight.dims(), weight.dtype());
        let stiffness = stiffness.min(transfer::largest(dtype));
        let none = || transfer::zeros([0, clusters], &weight.device(), dtype);
        Ok(kernel::map_rows(x, clusters, none, |block| {
            let scores = self.linear.forward(self.centred(block));
            // Differences first: a large stiffness then gives −∞, not NaN.
            let below_best = scores.clone() - scores.max_dim(1);
            softmax(below_best * stiffness, 1)
        }))
    }

    /// The dense form of the network, whose first layer has K (K − 1) outputs. Its own outputs are
    /// the same. For inspection, export and tests.
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
        Affine::new(self.center.val().unsqueeze(), Scores { weight, bias }).keeping(&self.keep)
    }

    pub(crate) fn centred(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        x - self.center.val().unsqueeze()
    }

    pub(crate) fn centred_centroids(&self) -> Tensor<B, 2> {
        self.linear.weight.val().transpose() * 0.5
    }

    /// Checks that x is data for this network, but for its values, and that a record which Burn
    /// loaded left it usable.
    pub(crate) fn check_form(&self, x: &Tensor<B, 2>) -> Result<()> {
        if self.linear.bias.is_none() {
            return Err(Error::Record { detail: "its linear layer has no bias".into() });
        }
        let weight = self.linear.weight.val();
        let [features, clusters] = weight.dims();
        if clusters < 2 {
            return Err(Error::NoCompetitor);
        }
        validate::form(x, features, &weight)
    }
}

impl<B: Backend> Load<B> for NeuralizedKMeans<B> {
    const NAME: &'static str = "neuralized k-means network";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        Ok(Self::from_parts(
            shapes.blank("center", device, dtype)?,
            shapes.blank("linear.weight", device, dtype)?,
            shapes.blank("linear.bias", device, dtype)?,
            HostParam::of(shapes.blank("beta", device, dtype)?),
        ))
    }

    /// The bias follows from the weight and is computed again, because a recorder of half precision
    /// rounds each of them.
    fn checked(self) -> Result<Self, String> {
        let weight = self.linear.weight.val();
        let [features, clusters] = weight.dims();
        let Some(bias) = self.linear.bias.as_ref().map(Param::val) else {
            return Err("its linear layer has no bias".into());
        };
        let (center, beta) = (self.center.val(), self.beta);
        load::agree("center", center.dims(), "features", features)?;
        load::agree("linear.bias", bias.dims(), "clusters", clusters)?;
        if clusters < 2 {
            return Err(format!("it has {clusters} cluster, a network needs at least 2"));
        }
        load::finite("center", center.clone())?;
        load::usable("linear.weight", &weight)?;
        load::finite("linear.bias", bias.clone())?;
        load::check_beta(&beta)?;
        let computed = kernel::bias_of(&weight);
        let error = transfer::download((computed.clone() - bias).abs().max())[0];
        let size = transfer::download(computed.clone().abs().max())[0];
        if error > 1e-2 * size {
            return Err(
                "its bias does not belong to its weight: it is damaged, or another network".into(),
            );
        }
        Ok(Self { root: self.root, ..Self::from_parts(center, weight, computed, beta) })
    }
}

displayed!(NeuralizedKMeans, layers: linear, pool);

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
