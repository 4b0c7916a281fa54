//! Fit of k-means by another distance: settings, restarts and result.

use burn::config::Config;
use burn::tensor::{DType, Int, Tensor, backend::Backend};

use super::lloyd::{Problem, iterate};
use super::model::SeparableKMeans;
use super::seeds;
use super::spread::Spread;
use crate::cluster::config::KMeansConfig;
use crate::cluster::distance::{Distance, inside};
use crate::cluster::solution::Best;
use crate::cluster::{partition, seeding};
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::{kernel, transfer, validate};

impl KMeansConfig {
    /// The same settings with another distance.
    ///
    /// A restart has then converged when an iteration lowers the sum of distances
    /// by at most `tol` times that sum.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use neuralize::cluster::{Distance, KMeansConfig};
    ///
    /// // Nine points near 0 and 5, and an outlier that would move a mean.
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
/// The default of `n_init` is that of [`KMeansConfig`].
#[derive(Config, Debug, PartialEq)]
#[non_exhaustive]
pub struct SeparableKMeansConfig {
    /// The settings that do not depend on the distance. k-means++ draws rows in
    /// proportion to their distance.
    pub kmeans: KMeansConfig,
    /// The distance.
    pub distance: Distance,
    /// The weight α by which the mean of a cluster is drawn to the mean x̄ of
    /// all data, for Bregman divergences: `(Σ x + α x̄) / (n + α)`, which minimises
    /// `Σ d(x, μ) + α d(x̄, μ)`. A fit then minimises
    /// `Σ d(x, μ) + α Σ_k d(x̄, μ_k)`.
    ///
    /// By default 1 for `kl` and `logistic`, for which a mean of 0 would be
    /// infinitely far from all other values, and 0 for the others.
    pub smoothing: Option<f64>,
}

/// A fitted clusterer and figures of its fit, all of the same best restart.
#[derive(Debug, Clone)]
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
    /// Fits to the rows of x by Lloyd's algorithm: every row is assigned to its
    /// nearest centroid, then every centroid becomes the mean that the distance
    /// defines, until no label changes.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If a setting is out of range, x is empty or has values that are not finite
    /// or outside the domain of the distance, x has fewer than K different rows,
    /// or a mean lies where the divergence is infinite because `smoothing` is 0.
    pub fn fit<B: Backend>(&self, x: &Tensor<B, 2>) -> Result<SeparableKMeansFit<B>> {
        let [rows, features] = x.dims();
        let clusters = self.kmeans.n_clusters;
        self.kmeans.check_settings()?;
        if self.kmeans.momentum == Some(true) {
            let rule = "it is for squared Euclidean distances; leave it out";
            return Err(Error::config("momentum", true, rule));
        }
        self.distance.check()?;
        validate::table("x", x)?;
        self.kmeans.init.check(clusters, rows)?;
        // A fit is not differentiated.
        let x = &transfer::untracked(x.clone());
        let counts = Tensor::ones([rows], (&x.device(), x.dtype()));
        seeding::require_distinct_rows(x, &vec![1.0; rows], clusters)?;

        let spread = Spread::of(x, &counts);
        let weights = spread.weights(self.distance, x)?;
        let rule = self.distance.separable(&weights);
        inside("x", x, &rule.domain(x.dtype(), features))?;
        let smoothing = self.smoothing(rule.bregman().map(|bregman| bregman.smoothing()))?;
        let problem = Problem::new(x, self.distance, &weights, &*rule, spread, smoothing);

        // Restarts that end alike differ by rounding, which some devices do not
        // repeat: the first of them is kept.
        let rounding = if x.dtype() == DType::F64 { 1e-12 } else { 1e-5 };
        let mut best = Best::with_margin(rounding);
        for run in 0..self.kmeans.restarts(false, rows, features) {
            let mut rng = Stream::Restart(run).generator(self.kmeans.seed);
            let chosen = seeds::choose(&self.kmeans.init, clusters, &problem, &counts, &mut rng);
            let start = problem.of_rows(&chosen)?;
            let (objective, solution) =
                iterate(&problem, start, self.kmeans.max_iter, self.kmeans.tol)?;
            best.offer(objective, solution);
        }
        let solution = best.finish()?;

        // Labels, inertia and β are taken from the finished model, so that they
        // are what `predict` and `inertia` give.
        let model = SeparableKMeans::new(solution.parameters, self.distance, weights, None);
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
        let sizes = partition::sizes(&transfer::download_indices(labels.clone()), clusters);
        // There are as many different rows: none of them has a distance.
        if inertia <= 0.0 && sizes.contains(&0) {
            return Err(Error::Underflow);
        }
        Ok(SeparableKMeansFit {
            model: model.and_beta(beta),
            labels,
            inertia,
            n_iter: solution.iterations,
            converged: solution.converged,
            sizes,
        })
    }

    fn smoothing(&self, default: Option<f64>) -> Result<f64> {
        let error = |value: f64, rule: &str| Err(Error::config("smoothing", value, rule));
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::seeding::Init;

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
