//! A fitted clusterer of any kind.

use burn::tensor::{DType, Int, Tensor, backend::Backend};

use super::kernel_kmeans::KernelKMeans;
use super::kmeans::KMeans;
use super::mixture::GaussianMixture;
use super::separable::SeparableKMeans;
use crate::error::Result;

/// A fitted clusterer of any kind.
///
/// It is a Burn module and can be a field of one: the record of a `Clusterer` of any kind is
/// loaded into it ([`blank`](Self::blank)).
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::{Clusterer, KMeans};
/// use neuralize::explain::{Beta, Target};
///
/// let device = Default::default();
/// let centroids = Tensor::<Flex, 2>::from_data([[0.0, 0.0], [4.0, 2.0]], &device);
/// let clusterer = Clusterer::from(KMeans::from_centroids(centroids)?);
///
/// let x = Tensor::<Flex, 2>::from_data([[1.0, 0.5]], &device);
/// let network = clusterer.neuralize()?;
/// let explanation = network.explain(&x, Target::Assigned, Beta::Value(1.0))?;
/// assert_eq!(explanation.relevance.dims(), [1, 2]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone)]
#[non_exhaustive]
pub enum Clusterer<B: Backend> {
    /// Centroids and the squared Euclidean distance.
    KMeans(KMeans<B>),
    /// Centroids and another distance.
    Separable(SeparableKMeans<B>),
    /// Supports of every cluster, and a Gaussian kernel.
    Kernel(KernelKMeans<B>),
    /// Gaussians and their weights.
    Mixture(GaussianMixture<B>),
}

/// The same expression for a clusterer of every kind.
macro_rules! each {
    ($clusterer:expr, $model:ident => $body:expr) => {
        match $clusterer {
            Self::KMeans($model) => $body,
            Self::Separable($model) => $body,
            Self::Kernel($model) => $body,
            Self::Mixture($model) => $body,
        }
    };
}

pub(super) use each;

impl<B: Backend> Clusterer<B> {
    /// The number of clusters, K.
    pub fn n_clusters(&self) -> usize {
        each!(self, model => model.n_clusters())
    }

    /// The number of features, D.
    pub fn n_features(&self) -> usize {
        each!(self, model => model.n_features())
    }

    /// The precision of the model; data must have the same.
    pub fn dtype(&self) -> DType {
        each!(self, model => model.dtype())
    }

    /// The heuristic β (1 / mean logit of the training data), if it is known.
    pub fn beta(&self) -> Option<f64> {
        each!(self, model => model.beta())
    }

    /// The cluster of every row.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N]`
    ///
    /// # Errors
    ///
    /// If x does not fit the model or has values outside its domain.
    pub fn predict(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1, Int>> {
        each!(self, model => model.predict(x))
    }
}

macro_rules! from {
    ($($kind:ident: $model:ident),+) => {$(
        impl<B: Backend> From<$model<B>> for Clusterer<B> {
            fn from(model: $model<B>) -> Self {
                Self::$kind(model)
            }
        }
    )+};
}

from!(KMeans: KMeans, Separable: SeparableKMeans, Kernel: KernelKMeans, Mixture: GaussianMixture);
