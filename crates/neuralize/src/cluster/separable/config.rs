use burn::config::Config;
use burn::tensor::{DType, Int, Tensor, backend::Backend};

use super::lloyd::{Points, Rest, iterate};
use super::{SeparableKMeans, seeds};
use crate::cluster::config::config_error;
use crate::cluster::distance::inside;
use crate::cluster::{Distance, KMeansConfig, seeding};
use crate::error::{Error, Result};
use crate::{kernel, transfer, validate};

impl KMeansConfig {
    /// The same settings with another distance.
    ///
    /// `tol` then means that a restart has converged when an iteration lowers
    /// the sum of distances by at most this fraction of it.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use neuralize::cluster::{Distance, KMeansConfig};
    ///
    /// // Nine points near 0 and 5, and one that would carry a mean away.
    /// let x = Tensor::<Flex, 2>::from_data(
    ///     [[0.0], [0.1], [0.2], [0.1], [5.0], [5.1], [5.2], [5.1], [5.1], [20.0]],
    ///     &Default::default(),
    /// );
    /// let fit = KMeansConfig::new(2).with_distance(Distance::Manhattan).fit(&x)?;
    /// let mut medians: Vec<f32> = fit.model.centroids().into_data().iter().collect();
    /// medians.sort_by(f32::total_cmp);
    /// assert_eq!(medians, [0.1, 5.1]);
    /// # Ok::<(), neuralize::Error>(())
    /// ```
    pub fn with_distance(self, distance: Distance) -> SeparableKMeansConfig {
        SeparableKMeansConfig::new(self, distance)
    }
}

/// Settings of a k-means fit by any [`Distance`].
///
/// `n_init` is by default 10 for random rows, and for k-means++ 10 where
/// N D K is at most 2¹⁸ and 1 beyond; always 1 for given rows.
#[derive(Config, Debug, PartialEq)]
pub struct SeparableKMeansConfig {
    /// The settings that do not depend on the distance. k-means++ draws rows in
    /// proportion to their distance.
    pub kmeans: KMeansConfig,
    /// The distance.
    pub distance: Distance,
    /// The weight α by which the mean of a cluster is drawn to the mean x̄ of
    /// all data, for Bregman divergences: `(Σ x + α x̄) / (n + α)`, exactly what
    /// minimises `Σ d(x, μ) + α d(x̄, μ)`.
    ///
    /// By default 1 for `kl` and `logistic`, by which a mean of 0 would be
    /// infinitely far from all other values, and 0 for the others. With α > 0
    /// it is the sum of `Σ d(x, μ)` and `α Σ_k d(x̄, μ_k)` that a fit lowers.
    pub smoothing: Option<f64>,
}

/// A fitted clusterer and what is known of its fit; everything belongs to the
/// same best restart.
#[derive(Debug)]
#[non_exhaustive]
pub struct SeparableKMeansFit<B: Backend> {
    /// The clusterer.
    pub model: SeparableKMeans<B>,
    /// Cluster of every row, `[N]`; the same as `model.predict(x)`.
    pub labels: Tensor<B, 1, Int>,
    /// Sum of distances to the assigned centroids, Σ d(x, μ).
    pub inertia: f64,
    /// Iterations of the best restart.
    pub n_iter: usize,
    /// Whether that restart converged before `max_iter`.
    pub converged: bool,
    /// Rows in every cluster, in the order of the centroids.
    pub sizes: Vec<usize>,
}

impl SeparableKMeansConfig {
    /// Fits to the rows of x by Lloyd's algorithm: every row goes to its
    /// nearest centroid, every centroid to the mean that belongs to the
    /// distance, until no label changes.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If a setting cannot be used, x is empty or holds values that are not
    /// finite or that the distance is not made for, fewer than K of its rows
    /// differ, or a mean lies where the divergence is infinite because
    /// `smoothing` is 0.
    pub fn fit<B: Backend>(&self, x: &Tensor<B, 2>) -> Result<SeparableKMeansFit<B>> {
        let [rows, features] = x.dims();
        let clusters = self.kmeans.n_clusters;
        self.kmeans.check_settings()?;
        self.distance.check()?;
        validate::not_empty("x", x)?;
        validate::dtype::<B>("x", &x.device(), x.dtype())?;
        validate::values("x", x)?;
        self.kmeans.check_rows(rows)?;
        // A fit is no function to differentiate.
        let x = &transfer::untracked(x.clone());
        let counts = Tensor::ones([rows], (&x.device(), x.dtype()));
        seeding::require_distinct_rows(x, &vec![1.0; rows], clusters)?;

        let moments = Moments::of(x, &counts);
        let weights = moments.weights(self.distance, x)?;
        let rule = self.distance.separable(&weights);
        inside("x", x, &rule.domain(x.dtype(), features))?;
        let smoothing = self.smoothing(rule.bregman().map(|bregman| bregman.smoothing()))?;
        let points = Points::new(x, self.distance, &weights, &*rule, moments, smoothing);

        let rounding = if x.dtype() == DType::F64 { 1e-12 } else { 1e-5 };
        let mut best: Option<Rest<B>> = None;
        for run in 0..self.kmeans.restarts(false, rows, features) {
            let mut rng = seeding::random_stream(self.kmeans.seed, run);
            let chosen = seeds::choose(&self.kmeans.init, clusters, &points, &counts, &mut rng);
            let start = points.of_rows(&chosen)?;
            let rest = iterate(&points, start, self.kmeans.max_iter, self.kmeans.tol)?;
            // Restarts that end alike differ by rounding, which some devices do not
            // repeat: the first of them is kept.
            let better = |best: &Rest<B>| rest.objective < best.objective * (1.0 - rounding);
            if best.as_ref().is_none_or(better) {
                best = Some(rest);
            }
        }
        let rest = best.ok_or_else(|| config_error("n_init", 0, "at least 1"))?;

        // Labels, inertia and β are taken from the finished model, so that they
        // are what `predict` and `inertia` give.
        let model = SeparableKMeans::new(rest.centroids, self.distance, weights, None);
        let scorer = model.scorer();
        let labels = scorer.nearest(x);
        let inertia = kernel::sum(scorer.own_distances(x, &labels));
        if !inertia.is_finite() {
            return Err(Error::Overflow);
        }
        let beta = match clusters {
            1 => None,
            _ => kernel::heuristic_beta(scorer.own_logits(x), None),
        };
        let mut sizes = vec![0; clusters];
        for label in transfer::download_indices(labels.clone()) {
            sizes[label] += 1;
        }
        Ok(SeparableKMeansFit {
            model: model.and_beta(beta),
            labels,
            inertia,
            n_iter: rest.iterations,
            converged: rest.converged,
            sizes,
        })
    }

    fn smoothing(&self, default: Option<f64>) -> Result<f64> {
        let error = |value: f64, rule: &str| Err(config_error("smoothing", value, rule));
        match (self.smoothing, default) {
            (None, default) => Ok(default.unwrap_or(0.0)),
            (Some(value), _) if !(value.is_finite() && value >= 0.0) => {
                error(value, "it must be finite and at least 0")
            }
            (Some(value), None) if value > 0.0 => error(
                value,
                "only the means of Bregman divergences are smoothed, those of this distance are not",
            ),
            (Some(value), _) => Ok(value),
        }
    }
}

/// Mean and spread of every feature.
pub(super) struct Moments {
    pub(super) mean: Vec<f64>,
    pub(super) variance: Vec<f64>,
    /// Whether all rows have the same value.
    pub(super) constant: Vec<bool>,
}

impl Moments {
    pub(super) fn of<B: Backend>(x: &Tensor<B, 2>, counts: &Tensor<B, 1>) -> Self {
        let [rows, features] = x.dims();
        let total = rows as f64;
        let mut mean = kernel::weighted_mean(x, counts, total);
        let center = transfer::upload(mean.clone(), [1, features], &x.device(), x.dtype());
        let (sums, squares) = kernel::sums_and_squares(x, &center, counts);
        let mut variance: Vec<f64> = sums
            .iter()
            .zip(squares)
            .map(|(sum, square)| (square / total - (sum / total).powi(2)).max(0.0))
            .collect();
        // A constant feature is exactly that, whatever its sums round to.
        let (lowest, highest) = extremes(x);
        let constant: Vec<bool> = lowest.iter().zip(highest).map(|(a, b)| *a == b).collect();
        for d in (0..features).filter(|d| constant[*d]) {
            (mean[d], variance[d]) = (lowest[d], 0.0);
        }
        Self { mean, variance, constant }
    }

    /// The weights of features that a distance works with, `[D]`.
    fn weights<B: Backend>(&self, distance: Distance, x: &Tensor<B, 2>) -> Result<Tensor<B, 1>> {
        let weights: Vec<f64> = match distance {
            Distance::Mahalanobis => self
                .variance
                .iter()
                .map(|variance| if *variance > 0.0 { 1.0 / variance } else { 0.0 })
                .collect(),
            _ => vec![1.0; self.mean.len()],
        };
        if weights.iter().any(|weight| *weight > transfer::largest(x.dtype())) {
            return Err(Error::Overflow);
        }
        let length = weights.len();
        Ok(transfer::upload(weights, [length], &x.device(), x.dtype()))
    }
}

/// Lowest and highest value of every feature.
fn extremes<B: Backend>(x: &Tensor<B, 2>) -> (Vec<f64>, Vec<f64>) {
    let [rows, features] = x.dims();
    let mut lowest = vec![f64::INFINITY; features];
    let mut highest = vec![f64::NEG_INFINITY; features];
    for range in kernel::blocks(rows, kernel::block_rows(features)) {
        let block = x.clone().slice([range, 0..features]);
        let least = transfer::download(block.clone().min_dim(0));
        let most = transfer::download(block.max_dim(0));
        for d in 0..features {
            lowest[d] = lowest[d].min(least[d]);
            highest[d] = highest[d].max(most[d]);
        }
    }
    (lowest, highest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::Init;

    #[test]
    fn settings_survive_json() {
        let config = KMeansConfig::new(3)
            .with_init(Init::Random)
            .with_distance(Distance::Power(1.5))
            .with_smoothing(Some(0.5));
        let text = serde_json::to_string(&config).expect("JSON");
        assert_eq!(serde_json::from_str::<SeparableKMeansConfig>(&text).expect("the same"), config);
    }
}
