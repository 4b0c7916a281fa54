//! Fits by any method behind one configuration.

use std::ops::ControlFlow;

use burn::config::Config;
use burn::tensor::{Int, Tensor, backend::Backend};

use crate::cluster::{
    Bandwidth, Clusterer, FitOptions, GaussianMixtureConfig, GaussianMixtureFit, KMeansConfig,
    KMeansFit, KernelKMeansConfig, KernelKMeansFit, LabelledFit, PartsFit, Progress, Seeding,
    SeparableKMeansConfig, SeparableKMeansFit,
};
use crate::error::Result;

/// Settings of a fit by any method.
///
/// A partition that is known already becomes a [`ClustererFit`] by
/// [`LabelledConfig`](crate::cluster::LabelledConfig), data in parts by
/// [`KMeansConfig::fit_parts`].
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::prelude::*;
///
/// let x = Tensor::<Flex, 2>::from_data(
///     [[0.0, 0.1], [0.2, 0.0], [0.1, 0.3], [5.0, 5.1], [5.2, 5.0], [5.3, 5.2]],
///     &Default::default(),
/// );
/// let kmeans = KMeansConfig::new(2);
/// for config in [
///     ClustererConfig::from(kmeans.clone()),
///     kmeans.with_distance(Distance::Manhattan).into(),
///     KernelKMeansConfig::new(2).into(),
///     GaussianMixtureConfig::new(2).into(),
/// ] {
///     let fit = config.fit(&x)?;
///     assert_eq!(fit.sizes, [3, 3]);
///     let network = fit.clusterer.neuralize()?;
///     let explanation = network.explain(&x, Target::Assigned, Beta::Heuristic)?;
///     assert_eq!(explanation.relevance.dims(), [6, 2]);
/// }
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Config, Debug, PartialEq)]
#[non_exhaustive]
pub enum ClustererConfig {
    /// K-means.
    KMeans(KMeansConfig),
    /// K-means with another distance.
    Separable(SeparableKMeansConfig),
    /// Kernel k-means.
    Kernel(KernelKMeansConfig),
    /// A mixture of Gaussians.
    Mixture(GaussianMixtureConfig),
}

/// A fitted clusterer and what is known of its fit.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct ClustererFit<B: Backend> {
    /// The clusterer.
    pub clusterer: Clusterer<B>,
    /// Cluster of every row, `[N]`; `None` if the labels were given or the data came
    /// in parts.
    pub labels: Option<Tensor<B, 1, Int>>,
    /// Rows in every cluster.
    pub sizes: Vec<usize>,
    /// Iterations of the best restart; `None` if the labels were given.
    pub n_iter: Option<usize>,
    /// Whether the best restart converged; `None` if the labels were given.
    pub converged: Option<bool>,
    /// Sum of the distances of the rows to their centroids, in the units of the
    /// method; `None` for mixtures and given labels.
    pub inertia: Option<f64>,
    /// Mean log-likelihood of a row, for mixtures.
    pub log_likelihood: Option<f64>,
    /// γ of the Gaussian kernel, for methods with a kernel.
    pub gamma: Option<f64>,
    /// Share of the rows that the network assigns to their own cluster, for methods
    /// with a kernel.
    pub agreement: Option<f64>,
    /// Whether [`agreement`](Self::agreement) leaves out a row's own support.
    pub left_out: bool,
    /// How the first centroids were chosen, for k-means with the squared Euclidean
    /// distance.
    pub seeding: Option<Seeding>,
}

impl ClustererConfig {
    /// The method of a clusterer, with its number of clusters, distance and γ and otherwise the
    /// settings by default: what it takes to fit it again.
    pub fn of<B: Backend>(clusterer: &Clusterer<B>) -> Self {
        let clusters = clusterer.n_clusters();
        match clusterer {
            Clusterer::KMeans(_) => KMeansConfig::new(clusters).into(),
            Clusterer::Separable(model) => {
                KMeansConfig::new(clusters).with_distance(model.distance()).into()
            }
            Clusterer::Kernel(model) => KernelKMeansConfig::new(clusters)
                .with_bandwidth(Bandwidth::Gamma(model.gamma()))
                .into(),
            Clusterer::Mixture(_) => GaussianMixtureConfig::new(clusters).into(),
        }
    }

    /// The same method with another number of clusters, number of restarts and seed.
    pub fn with_fit(mut self, clusters: usize, restarts: usize, seed: u64) -> Self {
        let kmeans = |config: &mut KMeansConfig| {
            (config.n_clusters, config.n_init, config.seed) = (clusters, Some(restarts), seed);
        };
        match &mut self {
            Self::KMeans(config) => kmeans(config),
            Self::Separable(config) => kmeans(&mut config.kmeans),
            Self::Kernel(config) => {
                (config.n_clusters, config.n_init, config.seed) = (clusters, Some(restarts), seed);
            }
            Self::Mixture(config) => {
                (config.n_clusters, config.n_init, config.seed) = (clusters, restarts, seed);
            }
        }
        self
    }

    /// Fits to the rows of x.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// Those of the method.
    pub fn fit<B: Backend>(&self, x: &Tensor<B, 2>) -> Result<ClustererFit<B>> {
        self.fit_observed(x, &mut |_| ControlFlow::Continue(()))
    }

    /// Fits to the rows of x and calls `observer` after every iteration, which may
    /// end the fit. Only k-means with the squared Euclidean distance calls it.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// Those of the method.
    pub fn fit_observed<'a, B: Backend>(
        &self,
        x: &Tensor<B, 2>,
        observer: &'a mut (dyn FnMut(Progress) -> ControlFlow<()> + 'a),
    ) -> Result<ClustererFit<B>> {
        Ok(match self {
            Self::KMeans(config) => {
                config.fit_with(x, FitOptions::default().with_observer(observer))?.into()
            }
            Self::Separable(config) => config.fit(x)?.into(),
            Self::Kernel(config) => config.fit(x)?.into(),
            Self::Mixture(config) => config.fit(x)?.into(),
        })
    }
}

impl<B: Backend> ClustererFit<B> {
    fn of(clusterer: impl Into<Clusterer<B>>, sizes: Vec<usize>) -> Self {
        Self {
            clusterer: clusterer.into(),
            labels: None,
            sizes,
            n_iter: None,
            converged: None,
            inertia: None,
            log_likelihood: None,
            gamma: None,
            agreement: None,
            left_out: false,
            seeding: None,
        }
    }
}

impl<B: Backend> From<KMeansFit<B>> for ClustererFit<B> {
    fn from(fit: KMeansFit<B>) -> Self {
        Self {
            labels: Some(fit.labels),
            n_iter: Some(fit.n_iter),
            converged: Some(fit.converged),
            inertia: Some(fit.inertia),
            seeding: Some(fit.seeding),
            ..Self::of(fit.model, fit.sizes)
        }
    }
}

impl<B: Backend> From<PartsFit<B>> for ClustererFit<B> {
    fn from(fit: PartsFit<B>) -> Self {
        Self {
            n_iter: Some(fit.n_iter),
            converged: Some(fit.converged),
            inertia: Some(fit.inertia),
            seeding: Some(fit.seeding),
            ..Self::of(fit.model, fit.sizes)
        }
    }
}

impl<B: Backend> From<SeparableKMeansFit<B>> for ClustererFit<B> {
    fn from(fit: SeparableKMeansFit<B>) -> Self {
        Self {
            labels: Some(fit.labels),
            n_iter: Some(fit.n_iter),
            converged: Some(fit.converged),
            inertia: Some(fit.inertia),
            ..Self::of(fit.model, fit.sizes)
        }
    }
}

impl<B: Backend> From<KernelKMeansFit<B>> for ClustererFit<B> {
    fn from(fit: KernelKMeansFit<B>) -> Self {
        Self {
            labels: Some(fit.labels),
            n_iter: Some(fit.n_iter),
            converged: Some(fit.converged),
            inertia: Some(fit.inertia),
            gamma: Some(fit.gamma),
            agreement: Some(fit.agreement),
            left_out: fit.left_out,
            ..Self::of(fit.model, fit.sizes)
        }
    }
}

impl<B: Backend> From<GaussianMixtureFit<B>> for ClustererFit<B> {
    fn from(fit: GaussianMixtureFit<B>) -> Self {
        Self {
            labels: Some(fit.labels),
            n_iter: Some(fit.n_iter),
            converged: Some(fit.converged),
            log_likelihood: Some(fit.log_likelihood),
            ..Self::of(fit.model, fit.sizes)
        }
    }
}

impl<B: Backend> From<LabelledFit<B>> for ClustererFit<B> {
    fn from(fit: LabelledFit<B>) -> Self {
        Self {
            gamma: Some(fit.gamma),
            agreement: Some(fit.agreement),
            left_out: fit.left_out,
            ..Self::of(fit.model, fit.sizes)
        }
    }
}

macro_rules! from {
    ($($method:ident: $config:ident),+) => {$(
        impl From<$config> for ClustererConfig {
            fn from(config: $config) -> Self {
                Self::$method(config)
            }
        }
    )+};
}

from!(
    KMeans: KMeansConfig,
    Separable: SeparableKMeansConfig,
    Kernel: KernelKMeansConfig,
    Mixture: GaussianMixtureConfig
);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_survive_json() {
        let config = ClustererConfig::from(GaussianMixtureConfig::new(3).with_n_init(2));
        let text = serde_json::to_string(&config).expect("JSON");
        assert_eq!(serde_json::from_str::<ClustererConfig>(&text).expect("the same"), config);
    }
}
