//! Blank clusterers to load records into, from the settings of a fit.

use burn::tensor::backend::Backend;

use super::config::KMeansConfig;
use super::kernel_fit::KernelKMeansConfig;
use super::kernel_kmeans::KernelKMeans;
use super::kmeans::KMeans;
use super::labelled::LabelledConfig;
use super::mixture::{GaussianMixture, GaussianMixtureConfig};
use super::separable::{SeparableKMeans, SeparableKMeansConfig};
use crate::load;

impl KMeansConfig {
    /// A blank clusterer to load a record into, such as the part of a record of your module. It
    /// computes NaN until then; [`checked`](KMeans::checked) refuses it.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use neuralize::cluster::KMeansConfig;
    ///
    /// let blank = KMeansConfig::new(3).init::<Flex>(13, &Default::default());
    /// assert_eq!((blank.n_clusters(), blank.n_features()), (3, 13));
    /// assert!(blank.checked().is_err());
    /// ```
    pub fn init<B: Backend>(&self, n_features: usize, device: &B::Device) -> KMeans<B> {
        load::blank(&[("centroids", &[self.n_clusters, n_features]), ("beta", &[1])], device)
    }
}

impl SeparableKMeansConfig {
    /// A blank clusterer to load a record into, which states the distance too; see
    /// [`KMeansConfig::init`].
    pub fn init<B: Backend>(&self, n_features: usize, device: &B::Device) -> SeparableKMeans<B> {
        let shapes: &[(&str, &[usize])] = &[
            ("centroids", &[self.kmeans.n_clusters, n_features]),
            ("weights", &[n_features]),
            ("distance", &[2]),
            ("beta", &[1]),
        ];
        load::blank(shapes, device)
    }
}

impl GaussianMixtureConfig {
    /// A blank mixture to load a record into; see [`KMeansConfig::init`].
    pub fn init<B: Backend>(&self, n_features: usize, device: &B::Device) -> GaussianMixture<B> {
        let table = [self.n_clusters, n_features];
        let shapes: &[(&str, &[usize])] = &[
            ("means", &table),
            ("variances", &table),
            ("log_weights", &[self.n_clusters]),
            ("beta", &[1]),
        ];
        load::blank(shapes, device)
    }
}

impl KernelKMeansConfig {
    /// A blank clusterer of that many supports to load a record into; see
    /// [`KMeansConfig::init`].
    pub fn init<B: Backend>(
        &self,
        n_features: usize,
        n_supports: usize,
        device: &B::Device,
    ) -> KernelKMeans<B> {
        of_supports(n_features, self.n_clusters, n_supports, device)
    }
}

impl LabelledConfig {
    /// A blank clusterer of that many clusters and supports to load a record into; see
    /// [`KMeansConfig::init`].
    pub fn init<B: Backend>(
        &self,
        n_features: usize,
        n_clusters: usize,
        n_supports: usize,
        device: &B::Device,
    ) -> KernelKMeans<B> {
        of_supports(n_features, n_clusters, n_supports, device)
    }
}

fn of_supports<B: Backend>(
    n_features: usize,
    n_clusters: usize,
    n_supports: usize,
    device: &B::Device,
) -> KernelKMeans<B> {
    let shapes: &[(&str, &[usize])] = &[
        ("supports", &[n_supports, n_features]),
        ("sizes", &[n_clusters]),
        ("gamma", &[1]),
        ("beta", &[1]),
    ];
    load::blank(shapes, device)
}
