//! The clusterer of k-means by another distance.

use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param, ParamId};
use burn::tensor::{DType, Int, Tensor, backend::Backend};

use crate::cluster::distance::{CentroidScorer, Distance, centroids_inside, inside, within};
use crate::error::{Error, Result};
use crate::host_param::HostParam;
use crate::kernel::{self, Flag};
use crate::load::{self, Load, Shapes};
use crate::{transfer, validate};

/// A k-means clusterer by any [`Distance`] that is a sum over features.
///
/// Fit one with [`KMeansConfig::with_distance`](crate::cluster::KMeansConfig::with_distance),
/// or build one from centroids found elsewhere. It is a Burn module like
/// [`KMeans`](crate::cluster::KMeans), and [`neuralize`](Self::neuralize)
/// rewrites it as a network.
///
/// A feature in which all centroids are equal changes no assignment. If they are
/// on the edge of the divergence's domain (counts that were 0 throughout the
/// training data), the feature adds nothing to the distance, whatever value a row
/// has there.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::{Distance, SeparableKMeans};
///
/// let device = Default::default();
/// let centroids = Tensor::<Flex, 2>::from_data([[0.0, 0.0], [4.0, 0.0]], &device);
/// let medians = SeparableKMeans::from_centroids(centroids, Distance::Manhattan)?;
///
/// let x = Tensor::<Flex, 2>::from_data([[1.0, 2.0]], &device);
/// let distances: Vec<f32> = medians.transform(&x)?.into_data().iter().collect();
/// assert_eq!(distances, [3.0, 5.0]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct SeparableKMeans<B: Backend> {
    /// One centroid a row, `[K, D]`.
    pub(crate) centroids: Param<Tensor<B, 2>>,
    /// Weights of the features, `[D]`; ones except for Mahalanobis.
    pub(crate) weights: Param<Tensor<B, 1>>,
    /// The distance as two numbers, its code and its parameter, `[2]`. A module
    /// parameter, because a record holds nothing else.
    pub(crate) distance: HostParam<B>,
    /// The heuristic β, `[1]`; NaN if it is not known.
    pub(crate) beta: HostParam<B>,
}

const WHAT: &str = "the table of centroids";

impl<B: Backend> SeparableKMeans<B> {
    /// A clusterer from given centroids, without fitting and without a
    /// heuristic β. For [`Distance::Mahalanobis`] all features have the weight 1
    /// until [`with_weights`](Self::with_weights) gives others.
    ///
    /// # Shapes
    ///
    /// - centroids: `[K, D]`
    ///
    /// # Errors
    ///
    /// If there is no centroid or no feature, a value is not finite, too large
    /// to be squared or outside the domain of the distance, the power of the
    /// distance is out of range, or the precision is neither F32 nor F64.
    pub fn from_centroids(centroids: Tensor<B, 2>, distance: Distance) -> Result<Self> {
        distance.check()?;
        validate::table(WHAT, &centroids)?;
        let [_, features] = centroids.dims();
        let weights = Tensor::ones([features], (&centroids.device(), centroids.dtype()));
        centroids_inside(WHAT, &*distance.separable(&weights), &centroids)?;
        Ok(Self::new(centroids, distance, weights, None))
    }

    /// Without checks.
    pub(crate) fn new(
        centroids: Tensor<B, 2>,
        distance: Distance,
        weights: Tensor<B, 1>,
        beta: Option<f64>,
    ) -> Self {
        let (device, dtype) = (centroids.device(), centroids.dtype());
        let param = |values| HostParam::new(values, &device, dtype);
        Self {
            weights: Param::initialized(ParamId::new(), transfer::untracked(weights)),
            distance: param(distance.encode().to_vec()),
            beta: param(vec![beta.unwrap_or(f64::NAN)]),
            centroids: Param::initialized(ParamId::new(), transfer::untracked(centroids)),
        }
    }

    /// The same clusterer with weights of the features, 1 / variance for the
    /// Mahalanobis distance.
    ///
    /// # Shapes
    ///
    /// - weights: `[D]`
    ///
    /// # Errors
    ///
    /// If the distance is not [`Distance::Mahalanobis`], or the weights are of
    /// another number or precision than the features, negative, or not finite.
    pub fn with_weights(self, weights: Tensor<B, 1>) -> Result<Self> {
        let distance = self.distance();
        if distance != Distance::Mahalanobis {
            let value = format!("of {} features", weights.dims()[0]);
            let rule = format!("the distance `{distance}` has no weights, `mahalanobis` has");
            return Err(Error::config("weights", value, rule));
        }
        if weights.dims() != [self.n_features()] {
            let expected = format!("[{}]", self.n_features());
            return Err(Error::shape("the weights of features", expected, &weights.dims()));
        }
        if weights.dtype() != self.dtype() {
            return Err(Error::DTypeMismatch {
                what: "the tensor of feature weights",
                expected: self.dtype(),
                found: weights.dtype(),
            });
        }
        let values = transfer::download(weights.clone());
        if let Some(value) = values.iter().find(|value| !(value.is_finite() && **value >= 0.0)) {
            let rule = "weights of features must be finite and at least 0";
            return Err(Error::config("weights", value, rule));
        }
        centroids_inside(WHAT, &*distance.separable(&weights), &self.centroids.val())?;
        Ok(Self::new(self.centroids.val(), distance, weights, None))
    }

    /// The same by a distance that is nearly its own.
    pub(crate) fn by(&self, distance: Distance) -> Self {
        Self::new(self.centroids(), distance, self.weights(), self.beta())
    }

    /// The number of clusters, K.
    pub fn n_clusters(&self) -> usize {
        self.centroids.lazy_shape()[0]
    }

    /// The centroids, `[K, D]`.
    pub fn centroids(&self) -> Tensor<B, 2> {
        self.centroids.val()
    }

    /// The weights of the features, `[D]`: ones, or for the Mahalanobis
    /// distance 1 / variance.
    pub fn weights(&self) -> Tensor<B, 1> {
        self.weights.val()
    }

    /// The distance.
    pub fn distance(&self) -> Distance {
        self.decoded().unwrap_or_default()
    }

    /// None if a record that Burn loaded has put something else in its place.
    pub(crate) fn decoded(&self) -> Option<Distance> {
        let code: [f64; 2] = self.distance.values().try_into().ok()?;
        Distance::decode(code, self.dtype())
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
    /// not finite or outside the domain of the distance.
    pub fn predict(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1, Int>> {
        self.check_input(x)?;
        Ok(self.scorer().nearest(x))
    }

    /// Distance of every row to every centroid.
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
        Ok(self.scorer().distances(x))
    }

    /// Sum of distances to the nearest centroid.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict).
    pub fn inertia(&self, x: &Tensor<B, 2>) -> Result<f64> {
        self.check_input(x)?;
        let scorer = self.scorer();
        let labels = scorer.nearest(x);
        Ok(kernel::sum(scorer.own_distances(x, &labels)))
    }

    fn heuristic_beta(&self, x: &Tensor<B, 2>) -> Result<Option<f64>> {
        Ok(kernel::heuristic_beta(self.scorer().own_logits(x), None))
    }

    pub(crate) fn scorer(&self) -> CentroidScorer<B> {
        CentroidScorer::new(self.distance(), self.centroids.val(), &self.weights.val())
    }

    /// Whether x is data for the model: an error if its form is not, and a flag for its values.
    pub(crate) fn valid(&self, x: &Tensor<B, 2>) -> Result<Flag<B>> {
        let distance = self.check_form(x)?;
        let rule = distance.separable(&self.weights.val());
        let domain = rule.domain(self.dtype(), self.n_features());
        Ok(validate::usable(x).and(within(x, &domain)))
    }

    pub(crate) fn check_input(&self, x: &Tensor<B, 2>) -> Result<()> {
        if self.valid(x)?.read() { Ok(()) } else { self.refuse(x) }
    }

    /// The error of rows whose values are not valid.
    pub(crate) fn refuse(&self, x: &Tensor<B, 2>) -> Result<()> {
        validate::values("x", x)?;
        let rule = self.distance().separable(&self.weights.val());
        inside("x", x, &rule.domain(self.dtype(), self.n_features()))
    }

    /// Checks everything but the values.
    fn check_form(&self, x: &Tensor<B, 2>) -> Result<Distance> {
        // A record that Burn loaded into this module may have left it without.
        let Some(distance) = self.decoded() else {
            return Err(Error::Record { detail: "its tensor `distance` holds none".into() });
        };
        if self.weights.lazy_shape().dims() != [self.n_features()] {
            return Err(Error::Record {
                detail: "its weights are not those of its features".into(),
            });
        }
        validate::form(x, self.n_features(), &self.centroids.val())?;
        Ok(distance)
    }
}

fitted!(SeparableKMeans, "clusterer", centroids);

impl<B: Backend> Load<B> for SeparableKMeans<B> {
    const NAME: &'static str = "k-means model with a distance";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let ([_], [_]) = (shapes.dims("beta")?, shapes.dims("distance")?);
        let weights = shapes.blank("weights", device, dtype)?;
        let centroids = shapes.blank("centroids", device, dtype)?;
        Ok(Self::new(centroids, Distance::default(), weights, None))
    }

    fn checked(self) -> Result<Self, String> {
        let (centroids, weights) = (self.centroids.val(), self.weights.val());
        load::usable("centroids", &centroids)?;
        load::agree("weights", weights.dims(), "features", centroids.dims()[1])?;
        load::finite("weights", weights.clone())?;
        let Some(distance) = self.decoded() else {
            let found = self.distance.values();
            return Err(format!("its tensor `distance` holds {found:?}, which is none"));
        };
        let wanted = match distance {
            Distance::Mahalanobis => "at least 0",
            _ => "1 for this distance",
        };
        let fits = |weight: &f64| match distance {
            Distance::Mahalanobis => *weight >= 0.0,
            _ => *weight == 1.0,
        };
        if let Some(weight) = transfer::download(weights.clone()).iter().find(|w| !fits(w)) {
            return Err(format!("its tensor `weights` holds {weight}, it must be {wanted}"));
        }
        centroids_inside("its table of centroids", &*distance.separable(&weights), &centroids)
            .map_err(|error| error.to_string())?;
        load::check_beta(&self.beta)?;
        Ok(self)
    }
}

impl<B: Backend> ModuleDisplay for SeparableKMeans<B> {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content
            .add("distance", &self.distance().to_string())
            .add("n_clusters", &self.n_clusters())
            .add("n_features", &self.n_features())
            .optional()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    #[test]
    fn prints_itself() {
        let centroids =
            Tensor::<Flex, 2>::from_data([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], &Default::default());
        let model = SeparableKMeans::from_centroids(centroids, Distance::Power(1.1));
        assert_eq!(
            format!("{}", model.expect("valid centroids")),
            "SeparableKMeans {distance: power=1.1, n_clusters: 2, n_features: 3, params: 12}"
        );
    }
}
