//! The k-means clusterer: centroids and what they decide.

use std::sync::Arc;

use burn::module::{Module, Param, ParamId};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Int, Tensor};

use crate::error::{Error, Result};
use crate::host_param::HostParam;
use crate::kernel::{self, Affine, Keep};
use crate::load::{self, Load, Shapes};
use crate::{transfer, validate};

/// A k-means clusterer: K centroids, and the heuristic β of its training data.
///
/// Fit one with [`KMeansConfig`](crate::cluster::KMeansConfig), or build one
/// from centroids found elsewhere. It is a Burn module: it is saved and loaded
/// as a record, moved between devices, and embedded in other modules.
/// [`neuralize`](KMeans::neuralize) rewrites it as a network.
///
/// No optimizer changes the centroids of a fitted clusterer. [`trainable`](Self::trainable)
/// makes one of it that is trained: its centroids are all that there is to train, and the
/// weights of its network follow from them.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::KMeans;
///
/// let device = Default::default();
/// let centroids = Tensor::<Flex, 2>::from_data([[0.0, 0.0], [4.0, 0.0]], &device);
/// let kmeans = KMeans::from_centroids(centroids)?;
///
/// let x = Tensor::<Flex, 2>::from_data([[1.0, 0.0], [3.0, 1.0]], &device);
/// let labels = kmeans.predict(&x)?;
/// assert_eq!(labels.into_data().iter::<i64>().collect::<Vec<_>>(), [0, 1]);
/// assert_eq!(kmeans.score(&x)?, -3.0);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct KMeans<B: Backend> {
    /// One centroid a row, `[K, D]`.
    pub(crate) centroids: Param<Tensor<B, 2>>,
    /// The heuristic β, `[1]`; NaN if it is not known. It is a parameter because a
    /// record holds parameters only.
    pub(crate) beta: HostParam<B>,
    #[module(skip)]
    keep: Keep,
}

impl<B: Backend> KMeans<B> {
    /// A clusterer from given centroids, without fitting and without a
    /// heuristic β (see [`with_beta`](Self::with_beta) and
    /// [`with_heuristic_beta`](Self::with_heuristic_beta)).
    ///
    /// On an autodiff backend the centroids keep their graph: distances, logits and
    /// relevances have gradients with respect to whatever the centroids were computed from.
    ///
    /// # Shapes
    ///
    /// - centroids: `[K, D]`
    ///
    /// # Errors
    ///
    /// If there is no centroid or no feature, a value is not finite or too
    /// large to be squared, or the precision is neither F32 nor F64.
    pub fn from_centroids(centroids: Tensor<B, 2>) -> Result<Self> {
        const WHAT: &str = "the table of centroids";
        validate::table(WHAT, &centroids)?;
        Ok(Self::of(Param::initialized(ParamId::new(), centroids), None))
    }

    /// Without checks: centroids must be finite, β finite and at least 0.
    pub(crate) fn new(centroids: Tensor<B, 2>, beta: Option<f64>) -> Self {
        Self::of(Param::initialized(ParamId::new(), transfer::untracked(centroids)), beta)
    }

    fn of(centroids: Param<Tensor<B, 2>>, beta: Option<f64>) -> Self {
        let (device, dtype) = (centroids.val().device(), centroids.val().dtype());
        let beta = HostParam::new(vec![beta.unwrap_or(f64::NAN)], &device, dtype);
        Self { centroids, beta, keep: Keep::default() }
    }

    /// The same clusterer outside of any graph.
    pub(crate) fn untracked(&self) -> Self {
        let centroids = transfer::untracked(self.centroids.val());
        Self { centroids: Param::initialized(self.centroids.id, centroids), ..self.clone() }
    }

    /// The number of clusters, K.
    pub fn n_clusters(&self) -> usize {
        self.centroids.lazy_shape()[0]
    }

    /// The centroids, `[K, D]`.
    pub fn centroids(&self) -> Tensor<B, 2> {
        self.centroids.val()
    }

    /// The nearest centroid of every row; the first of equally near ones.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N]`
    ///
    /// # Errors
    ///
    /// If x has another width or precision than the model, or values that are
    /// not finite.
    pub fn predict(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1, Int>> {
        self.check_input(x)?;
        Ok(kernel::nearest(&transfer::untracked(x.clone()), &self.decisions()))
    }

    /// Squared distance of every row to every centroid.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, K]`
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict).
    pub fn transform(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        self.check_input(x)?;
        Ok(kernel::squared_distances(x, &self.affine()))
    }

    /// Sum of squared distances to the nearest centroid.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict).
    pub fn inertia(&self, x: &Tensor<B, 2>) -> Result<f64> {
        let labels = self.predict(x)?;
        let (x, centroids) = (transfer::untracked(x.clone()), self.centroids.val());
        Ok(kernel::inertia(&x, None, None, &transfer::untracked(centroids), &labels))
    }

    /// The negative inertia, so that larger is better.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict).
    pub fn score(&self, x: &Tensor<B, 2>) -> Result<f64> {
        self.inertia(x).map(|inertia| -inertia)
    }

    fn heuristic_beta(&self, x: &Tensor<B, 2>) -> Result<Option<f64>> {
        let x = transfer::untracked(x.clone());
        let (_, logits) = kernel::nearest_with_logit(&x, &self.decisions());
        Ok(kernel::heuristic_beta(logits, None))
    }

    /// The linear layer outside of any graph, for what has no gradients.
    fn decisions(&self) -> Arc<Affine<B>> {
        Affine::kept(&transfer::untracked(self.centroids.val()), &self.keep)
    }

    pub(crate) fn affine(&self) -> Arc<Affine<B>> {
        Affine::kept(&self.centroids.val(), &self.keep)
    }

    pub(crate) fn check_input(&self, x: &Tensor<B, 2>) -> Result<()> {
        validate::rows(x, self.n_features(), &self.centroids.val())
    }
}

impl<B: AutodiffBackend> KMeans<B> {
    /// The same clusterer to be trained: an optimizer of Burn changes its centroids, alone or
    /// as a part of your module. It has no heuristic β, which would be that of other
    /// centroids; give it one after training.
    ///
    /// Everything else is computed from the centroids in every step, so the network of a
    /// trained clusterer is exact. Losses are in [`train`](crate::train). Burn's `no_grad`
    /// ends the training, and so does `valid` followed by a clone, by which Burn forgets which
    /// parameters are trained.
    ///
    /// ```
    /// use burn::backend::{Autodiff, Flex};
    /// use burn::optim::{GradientsParams, Optimizer, SgdConfig};
    /// use burn::tensor::Tensor;
    /// use neuralize::cluster::KMeans;
    /// use neuralize::train::inertia_loss;
    ///
    /// type B = Autodiff<Flex>;
    /// let device = Default::default();
    /// let x = Tensor::<B, 2>::from_data([[0.0], [2.0], [9.0], [11.0]], &device);
    /// let start = Tensor::<B, 2>::from_data([[2.0], [8.0]], &device);
    /// let mut kmeans = KMeans::from_centroids(start)?.trainable();
    /// let mut optimizer = SgdConfig::new().init();
    /// for _ in 0..100 {
    ///     let gradients = inertia_loss(&kmeans, &x)?.backward();
    ///     let gradients = GradientsParams::from_grads(gradients, &kmeans);
    ///     kmeans = optimizer.step(0.1, kmeans, gradients);
    /// }
    /// let centroids: Vec<f32> = kmeans.centroids().into_data().iter().collect();
    /// assert!((centroids[0] - 1.0).abs() < 1e-3 && (centroids[1] - 10.0).abs() < 1e-3);
    /// # Ok::<(), neuralize::Error>(())
    /// ```
    pub fn trainable(self) -> Self {
        let centroids = transfer::untracked(self.centroids.val()).require_grad();
        Self::of(Param::initialized(self.centroids.id, centroids), None)
    }
}

fitted!(KMeans, "clusterer", centroids);

impl<B: Backend> Load<B> for KMeans<B> {
    const NAME: &'static str = "k-means model";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let [_] = shapes.dims("beta")?;
        Ok(Self::new(shapes.blank("centroids", device, dtype)?, None))
    }

    fn checked(self) -> Result<Self, String> {
        load::usable("centroids", &self.centroids.val())?;
        load::check_beta(&self.beta)?;
        Ok(self)
    }
}

displayed!(KMeans: n_clusters(), n_features());

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    #[test]
    fn prints_itself() {
        let centroids =
            Tensor::<Flex, 2>::from_data([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], &Default::default());
        let kmeans = KMeans::from_centroids(centroids).expect("valid centroids");
        assert_eq!(format!("{kmeans}"), "KMeans {n_clusters: 2, n_features: 3, params: 7}");
    }
}
