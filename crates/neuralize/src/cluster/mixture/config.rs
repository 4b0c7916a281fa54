//! Fit of a mixture by expectation maximisation: settings, restarts and result.

use burn::config::Config;
use burn::tensor::{Int, Tensor, backend::Backend};

use super::components::Components;
use super::em::FramedPoints;
use super::model::GaussianMixture;
use crate::cluster::config::KMeansConfig;
use crate::cluster::partition;
use crate::cluster::settings::{at_least_one, tolerance};
use crate::cluster::solution::{Best, Solution};
use crate::error::{Error, Result};
use crate::{transfer, validate};

/// Settings of a fit of a mixture of Gaussians with diagonal covariances, by
/// expectation maximisation (EM) from a k-means partition.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::GaussianMixtureConfig;
///
/// let x = Tensor::<Flex, 2>::from_data(
///     [[0.0, 0.1], [0.2, 0.0], [0.1, 0.3], [5.0, 5.1], [5.2, 5.0], [5.3, 5.2]],
///     &Default::default(),
/// );
/// let fit = GaussianMixtureConfig::new(2).with_seed(7).fit(&x)?;
/// assert_eq!(fit.sizes, [3, 3]);
/// assert!(fit.converged);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Config, Debug, PartialEq)]
#[non_exhaustive]
pub struct GaussianMixtureConfig {
    /// The number of components, K.
    pub n_clusters: usize,
    /// The number of restarts, of which the one of highest likelihood is kept.
    /// Each starts from another k-means fit, of seed `seed`, `seed + 1` and so on.
    #[config(default = 1)]
    pub n_init: usize,
    /// Maximum number of EM iterations of a restart.
    #[config(default = 200)]
    pub max_iter: usize,
    /// A restart has converged when an iteration raises the mean log-likelihood
    /// of a row by at most `tol`.
    #[config(default = 1e-4)]
    pub tol: f64,
    /// The minimum variance of a feature in a component, as a fraction of the
    /// variance of the feature in the data. Without one, a component can shrink
    /// onto a single row and the likelihood has no bound.
    #[config(default = 1e-6)]
    pub variance_floor: f64,
    /// Seed of the random numbers.
    #[config(default = 0)]
    pub seed: u64,
}

/// A fitted mixture and figures of its fit, all of the same best restart.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct GaussianMixtureFit<B: Backend> {
    /// The mixture.
    pub model: GaussianMixture<B>,
    /// Component of every row, `[N]`; the same as `model.predict(x)`.
    pub labels: Tensor<B, 1, Int>,
    /// Mean of log p(x) over the rows.
    pub log_likelihood: f64,
    /// Iterations of the best restart.
    pub n_iter: usize,
    /// Whether that restart converged before `max_iter`.
    pub converged: bool,
    /// Rows in every component, in the order of the means.
    pub sizes: Vec<usize>,
}

impl GaussianMixtureConfig {
    /// Fits to the rows of x.
    ///
    /// Every iteration is one pass over blocks of rows. For data in host memory,
    /// the sums over all rows are computed in f64, whatever the precision of the
    /// data. A feature that is the same in all rows gets the variance 1 in every
    /// component, so it changes no decision. The heuristic β of x is stored with
    /// the model.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If a setting is out of range, x is empty or has values that are not finite,
    /// x has fewer than K different rows, or a variance is too small for the
    /// precision.
    pub fn fit<B: Backend>(&self, x: &Tensor<B, 2>) -> Result<GaussianMixtureFit<B>> {
        self.check()?;
        validate::table("x", x)?;
        let x = &transfer::untracked(x.clone());
        let points = FramedPoints::new(x);

        let mut best = Best::new();
        for run in 0..self.n_init {
            let start = KMeansConfig::new(self.n_clusters)
                .with_seed(self.seed.wrapping_add(run as u64))
                .fit(x)?;
            let solution = self.iterate(&points, &start.labels, &start.model.centroids())?;
            let likelihood = if self.n_init == 1 {
                // There is nothing to compare with.
                0.0
            } else {
                points.expect(&solution.parameters)?.log_likelihood
            };
            best.offer(-likelihood, solution);
        }
        let solution = best.finish()?;

        // Labels, likelihood and β are taken from the finished model, so that
        // they are what it gives.
        let components = solution.parameters.out_of(points.frame());
        let model = GaussianMixture::of(&components, &x.device(), x.dtype())?;
        let (labels, beta) = model.labels_and_beta(x);
        let log_likelihood = model.log_likelihood(x)?;
        let sizes = partition::sizes(&transfer::download_indices(labels.clone()), self.n_clusters);
        Ok(GaussianMixtureFit {
            model: model.and_beta(beta),
            labels,
            log_likelihood,
            n_iter: solution.iterations,
            converged: solution.converged,
            sizes,
        })
    }

    /// EM from a partition. The components are in the frame of the points.
    fn iterate<B: Backend>(
        &self,
        points: &FramedPoints<'_, B>,
        labels: &Tensor<B, 1, Int>,
        centroids: &Tensor<B, 2>,
    ) -> Result<Solution<Components>> {
        let rows = labels.dims()[0] as f64;
        let (mut components, floors) = points.of_partition(labels, centroids, self.variance_floor);
        let mut previous = f64::NEG_INFINITY;
        for iterations in 0..self.max_iter {
            let sums = points.expect(&components)?;
            let likelihood = sums.log_likelihood / rows;
            if likelihood - previous <= self.tol {
                return Ok(Solution { parameters: components, iterations, converged: true });
            }
            previous = likelihood;
            components = points.maximise(&sums, &components, &floors);
        }
        Ok(Solution { parameters: components, iterations: self.max_iter, converged: false })
    }

    fn check(&self) -> Result<()> {
        at_least_one(&[
            ("n_clusters", self.n_clusters),
            ("n_init", self.n_init),
            ("max_iter", self.max_iter),
        ])?;
        tolerance(self.tol)?;
        if (1e-12..=1.0).contains(&self.variance_floor) {
            Ok(())
        } else {
            let rule = "it must be at least 1e-12 and at most 1";
            Err(Error::config("variance_floor", self.variance_floor, rule))
        }
    }
}
