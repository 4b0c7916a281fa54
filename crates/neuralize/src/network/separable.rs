//! K-means by any separable distance as a network.

use burn::config::Config;
use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param, ParamId};
use burn::nn::Linear;
use burn::tensor::{DType, Tensor, backend::Backend};

use crate::cluster::distance::by_distance;
use crate::cluster::{Distance, SeparableKMeans};
use crate::error::{Error, Result};
use crate::explain::{Explanation, Target};
use crate::kernel::Flag;
use crate::load::{self, Load, Shapes};
use crate::network::dense::DenseNeuralizedKMeans;
use crate::network::interface::{Dimensions, Internals, Network};
use crate::network::min_pool::MinPool;
use crate::network::pass::PoolingPass;
use crate::validate;

/// K-means by any separable distance as a network: scores of all centroids, and
/// min-pooling, exactly.
///
/// The output for cluster c is `f_c(x) = min_{k≠c} d(x, μ_k) − d(x, μ_c)`, in
/// units of the distance. For Bregman divergences the scores are a linear
/// layer: `h_ck = d(x, μ_k) − d(x, μ_c)` has the weight
/// `w_ck = φ'(μ_c) − φ'(μ_k)` (Banerjee et al. 2005). For the others they are
/// distances, and the layer is a sum over features.
///
/// The relevance is what the features contribute to these differences, divided among competitors
/// by min-take-most (Kauffmann et al. 2024):
/// `R_i = Σ_{k≠c} R_k / h_ck · [d_i(x_i, μ_ki) − d_i(x_i, μ_ci)]`, which sums to
/// f_c. For the squared Euclidean distance it is the midpoint rule of
/// [`NeuralizedKMeans`](crate::network::NeuralizedKMeans).
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::{Distance, SeparableKMeans};
/// use neuralize::explain::{Beta, Target};
/// use neuralize::network::Network;
///
/// let device = Default::default();
/// let centroids = Tensor::<Flex, 2>::from_data([[0.0, 0.0], [4.0, 1.0]], &device);
/// let network = SeparableKMeans::from_centroids(centroids, Distance::Manhattan)?.neuralize()?;
///
/// // |1−4| − |1| = 2 for the first feature, |1−1| − |1| = −1 for the second.
/// let x = Tensor::<Flex, 2>::from_data([[1.0, 1.0]], &device);
/// let explanation = network.explain(&x, Target::Assigned, Beta::Value(1.0))?;
/// let relevance: Vec<f32> = explanation.relevance.into_data().iter().collect();
/// assert_eq!(relevance, [2.0, -1.0]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct NeuralizedSeparableKMeans<B: Backend> {
    /// The clusterer that was neuralized.
    clusterer: SeparableKMeans<B>,
    /// z, the mean of the centroids, which is subtracted from the input, `[D]`.
    center: Param<Tensor<B, 1>>,
    /// Weight gᵀ, `[D, K]`, and bias `−Σ_i q_i`, `[K]`, around the centre; `None` if the distance is
    /// not a Bregman divergence.
    linear: Option<Linear<B>>,
    /// The bias feature by feature, q: `d_i(z_i, μ_i)`, `[K, D]`. Without a linear layer it is not
    /// used, and holds the centre.
    offsets: Param<Tensor<B, 2>>,
    /// Minimum over competitors.
    pool: MinPool,
}

impl<B: Backend> SeparableKMeans<B> {
    /// Rewrites the clusterer as a network that makes the same decisions.
    ///
    /// # Errors
    ///
    /// If there is only one cluster.
    pub fn neuralize(&self) -> Result<NeuralizedSeparableKMeans<B>> {
        if self.n_clusters() < 2 {
            return Err(Error::NoCompetitor);
        }
        let scorer = self.scorer();
        let linear = scorer
            .tangents
            .as_ref()
            .map(|tangents| load::linear(tangents.slopes.clone().transpose(), tangents.bias()));
        let offsets = match scorer.tangents {
            Some(tangents) => tangents.offsets,
            None => scorer.center.clone(),
        };
        Ok(NeuralizedSeparableKMeans {
            clusterer: self.clone(),
            center: Param::initialized(ParamId::new(), scorer.center.squeeze_dim(0)),
            linear,
            offsets: Param::initialized(ParamId::new(), offsets),
            pool: MinPool,
        })
    }
}

impl<B: Backend> NeuralizedSeparableKMeans<B> {
    /// The network itself, after a check of the record that was loaded into it. What follows
    /// from other parameters is computed again, because a recorder of half precision rounds
    /// each of them.
    ///
    /// # Errors
    ///
    /// If shapes or values are not those of such a network, or do not belong together.
    pub fn checked(self) -> Result<Self> {
        load::check(self)
    }

    /// The distance.
    pub fn distance(&self) -> Distance {
        self.clusterer.distance()
    }

    /// The clusterer that was neuralized.
    pub fn clusterer(&self) -> &SeparableKMeans<B> {
        &self.clusterer
    }

    /// The point that is subtracted from the input, `[D]`.
    pub fn center(&self) -> Tensor<B, 1> {
        self.center.val()
    }

    /// The linear layer of a Bregman divergence, around the centre z: weight
    /// `φ'(μ) − φ'(z)`, `[D, K]`, and bias `−d(z, μ)`, `[K]`. `None` for other
    /// distances.
    pub fn linear(&self) -> Option<&Linear<B>> {
        self.linear.as_ref()
    }

    /// The pooling layer.
    pub fn pool(&self) -> &MinPool {
        &self.pool
    }

    /// The dense form of the network of a Bregman divergence: a first layer of K (K − 1) outputs,
    /// `w_ck = φ'(μ_c) − φ'(μ_k)` and
    /// `b_ck = [φ(μ_c) − φ(μ_k)] − [φ'(μ_c)·μ_c − φ'(μ_k)·μ_k]`, with the bias around the centre:
    /// `b_ck + w_ck·z`. `None` for other distances.
    pub fn dense(&self) -> Option<DenseNeuralizedKMeans<B>> {
        let linear = self.linear.as_ref()?;
        let bias = linear.bias.as_ref()?.val();
        Some(DenseNeuralizedKMeans::new(self.center.val(), &linear.weight.val(), &bias))
    }

    fn center_row(&self) -> Tensor<B, 2> {
        self.center.val().unsqueeze()
    }

    /// `Σ_k a_k d_i(x_i, μ_ki)`, where Σ_k a_k = 0. A term that all distances share cancels; of a
    /// Bregman divergence, that is the term which is not linear in x.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`, a: `[n, K]`
    /// - output: `[n, D]`
    fn relevance(&self, x: Tensor<B, 2>, a: Tensor<B, 2>) -> Tensor<B, 2> {
        if let Some(linear) = &self.linear {
            let slopes = a.clone().matmul(linear.weight.val().transpose());
            return a.matmul(self.offsets.val()) - (x - self.center_row()) * slopes;
        }
        let rule = self.distance().separable(&self.clusterer.weights());
        let centroids = self.clusterer.centroids();
        let from_center = rule.values(x.clone(), self.center_row());
        (0..self.clusterer.n_clusters()).fold(x.zeros_like(), |sum, k| {
            let distance = rule.values(x.clone(), centroids.clone().narrow(0, k, 1));
            sum + (distance - from_center.clone()) * a.clone().narrow(1, k, 1)
        })
    }
}

impl<B: Backend> Load<B> for NeuralizedSeparableKMeans<B> {
    const NAME: &'static str = "neuralized k-means network with a distance";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let clusterer = SeparableKMeans::blank(&shapes.under("clusterer"), device, dtype)?;
        let linear = if shapes.has("linear.weight") {
            let weight = shapes.blank("linear.weight", device, dtype)?;
            Some(load::linear(weight, shapes.blank("linear.bias", device, dtype)?))
        } else {
            None
        };
        let center = shapes.param("center", device, dtype)?;
        let offsets = shapes.param("offsets", device, dtype)?;
        Ok(Self { clusterer, center, linear, offsets, pool: MinPool })
    }

    fn checked(self) -> Result<Self, String> {
        let Self { clusterer, .. } = &self;
        let network = clusterer.clone().checked().and_then(|clusterer| clusterer.neuralize());
        let network = network.map_err(|error| error.to_string())?;
        load::alike(&self, &network)?;
        Ok(network)
    }
}

/// The shape of a [`NeuralizedSeparableKMeans`] that a record is loaded into.
#[derive(Config, Debug, PartialEq)]
pub struct NeuralizedSeparableKMeansConfig {
    /// D.
    pub n_features: usize,
    /// K.
    pub n_clusters: usize,
    /// The distance, which decides whether there is a linear layer.
    pub distance: Distance,
}

impl NeuralizedSeparableKMeansConfig {
    /// A blank network to load a record into.
    pub fn init<B: Backend>(&self, device: &B::Device) -> NeuralizedSeparableKMeans<B> {
        let (features, clusters) = (self.n_features, self.n_clusters);
        let has_linear = self.distance.is_bregman();
        let mut shapes: Vec<(&str, &[usize])> = Vec::new();
        let (table, weight) = ([clusters, features], [features, clusters]);
        let (row, scores) = ([features], [clusters]);
        let center = [1, features];
        shapes.extend([
            ("clusterer.centroids", &table[..]),
            ("clusterer.weights", &row),
            ("clusterer.distance", &[2]),
            ("clusterer.beta", &[1]),
            ("center", &row),
            ("offsets", if has_linear { &table } else { &center }),
        ]);
        if has_linear {
            shapes.extend([("linear.weight", &weight[..]), ("linear.bias", &scores)]);
        }
        load::blank(&shapes, device)
    }
}

impl<B: Backend> Internals<B> for NeuralizedSeparableKMeans<B> {
    fn dimensions(&self) -> Dimensions<B> {
        Dimensions::of_rows(&self.clusterer.centroids())
    }

    fn valid(&self, x: &Tensor<B, 2>) -> Result<Flag<B>> {
        self.clusterer.valid(x)
    }

    fn refuse(&self, x: &Tensor<B, 2>) -> Result<()> {
        self.clusterer.refuse(x)
    }
}

impl<B: Backend> Network<B> for NeuralizedSeparableKMeans<B> {
    fn beta(&self) -> Option<f64> {
        self.clusterer.beta()
    }

    fn centroids(&self) -> Tensor<B, 2> {
        self.clusterer.centroids()
    }

    fn scores(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        match &self.linear {
            Some(linear) => linear.forward(x - self.center_row()),
            None => {
                let rule = self.distance().separable(&self.clusterer.weights());
                by_distance(&*rule, &x, &self.centroids(), &self.center_row())
            }
        }
    }

    fn shifted(&self, by: f64) -> Result<Option<Box<dyn Network<B>>>> {
        if !self.distance().is_translation_invariant() {
            return Ok(None);
        }
        let centroids = self.centroids() + by;
        validate::values("the table of shifted centroids", &centroids)?;
        let weights = self.clusterer.weights();
        let shifted = SeparableKMeans::new(centroids, self.distance(), weights, self.beta());
        Ok(Some(Box::new(shifted.neuralize()?)))
    }

    /// The pass, layer by layer from the output to the input.
    fn explain_block(&self, x: Tensor<B, 2>, target: Target, beta: f64) -> Explanation<B> {
        let pass = PoolingPass::of(&self.scores(x.clone()), target, beta);
        let relevance = self.relevance(x, pass.coefficients());
        pass.explanation(relevance, target, beta)
    }
}

impl<B: Backend> ModuleDisplay for NeuralizedSeparableKMeans<B> {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(true).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        let content = content.add("clusterer", &self.clusterer);
        match &self.linear {
            Some(linear) => content.add("linear", linear),
            None => content,
        }
        .add("pool", &self.pool)
        .optional()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    #[test]
    fn prints_its_layers() {
        let network = |distance| {
            let centroids = Tensor::<Flex, 2>::from_data(
                [[0.5, 1.0, 2.0], [3.0, 4.0, 5.0]],
                &Default::default(),
            );
            let model = SeparableKMeans::from_centroids(centroids, distance);
            format!("{}", model.and_then(|model| model.neuralize()).expect("two clusters"))
        };
        let printed = network(Distance::KullbackLeibler);
        assert!(
            printed.contains("distance: kl") && printed.contains("linear: Linear"),
            "{printed}"
        );
        let printed = network(Distance::Manhattan);
        assert!(printed.contains("manhattan") && !printed.contains("linear"), "{printed}");
    }
}
