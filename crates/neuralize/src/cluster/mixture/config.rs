use burn::config::Config;
use burn::tensor::{Int, Tensor, backend::Backend};

use super::em::Points;
use super::{Components, GaussianMixture};
use crate::cluster::KMeansConfig;
use crate::cluster::config::config_error;
use crate::error::Result;
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
pub struct GaussianMixtureConfig {
    /// How many components, K.
    pub n_clusters: usize,
    /// Restarts, of which the likeliest is kept. Each starts from another
    /// k-means fit, of the seed `seed`, `seed + 1` and so on.
    #[config(default = 1)]
    pub n_init: usize,
    /// Most EM iterations of one restart.
    #[config(default = 200)]
    pub max_iter: usize,
    /// A restart has converged when an iteration raises the mean log-likelihood
    /// of a row by no more than this.
    #[config(default = 1e-4)]
    pub tol: f64,
    /// The least variance of a feature in a component, as a part of the
    /// variance of the feature in the data: without one, a component can shrink
    /// onto a single row and the likelihood has no bound.
    #[config(default = 1e-6)]
    pub variance_floor: f64,
    /// Seed of the random numbers.
    #[config(default = 0)]
    pub seed: u64,
}

/// A fitted mixture and what is known of its fit; everything belongs to the
/// same best restart.
#[derive(Debug)]
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
    /// Every iteration is one pass over blocks of rows; of data in host memory
    /// the sums over all rows are taken in f64, whatever their precision. A feature that is
    /// the same in all rows gets the variance 1 in every component and so has
    /// no part in any decision. The heuristic β of x is stored with the model.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If a setting cannot be used, x is empty or holds values that are not
    /// finite, fewer than K of its rows differ, or a variance is too small for
    /// the precision.
    pub fn fit<B: Backend>(&self, x: &Tensor<B, 2>) -> Result<GaussianMixtureFit<B>> {
        self.check()?;
        validate::not_empty("x", x)?;
        validate::dtype::<B>("x", &x.device(), x.dtype())?;
        validate::values("x", x)?;
        let x = &transfer::untracked(x.clone());
        let points = Points::new(x);

        let mut best: Option<(f64, Rest)> = None;
        for run in 0..self.n_init {
            let start = KMeansConfig::new(self.n_clusters)
                .with_seed(self.seed.wrapping_add(run as u64))
                .fit(x)?;
            let rest = self.iterate(&points, &start.labels, &start.model.centroids())?;
            // One restart is the best of one.
            let likelihood = match self.n_init {
                1 => 0.0,
                _ => points.expect(&rest.components)?.log_likelihood,
            };
            if best.as_ref().is_none_or(|(most, _)| likelihood > *most) {
                best = Some((likelihood, rest));
            }
        }
        let (_, rest) = best.ok_or_else(|| config_error("n_init", 0, "it must be at least 1"))?;

        // Labels, likelihood and β are taken from the finished model, so that
        // they are what it gives.
        let components = rest.components.out_of(points.frame());
        let model = GaussianMixture::of(&components, &x.device(), x.dtype())?;
        let (labels, beta) = model.labels_and_beta(x);
        let log_likelihood = model.log_likelihood(x)?;
        let mut sizes = vec![0; self.n_clusters];
        for label in transfer::download_indices(labels.clone()) {
            sizes[label] += 1;
        }
        Ok(GaussianMixtureFit {
            model: model.knowing(beta),
            labels,
            log_likelihood,
            n_iter: rest.iterations,
            converged: rest.converged,
            sizes,
        })
    }

    /// EM from a partition.
    fn iterate<B: Backend>(
        &self,
        points: &Points<'_, B>,
        labels: &Tensor<B, 1, Int>,
        centroids: &Tensor<B, 2>,
    ) -> Result<Rest> {
        let rows = labels.dims()[0] as f64;
        let (mut components, floors) = points.of_partition(labels, centroids, self.variance_floor);
        let mut previous = f64::NEG_INFINITY;
        for iterations in 0..self.max_iter {
            let sums = points.expect(&components)?;
            let likelihood = sums.log_likelihood / rows;
            if likelihood - previous <= self.tol {
                return Ok(Rest { components, iterations, converged: true });
            }
            previous = likelihood;
            components = points.maximise(&sums, &components, &floors);
        }
        Ok(Rest { components, iterations: self.max_iter, converged: false })
    }

    fn check(&self) -> Result<()> {
        for (name, value) in
            [("n_clusters", self.n_clusters), ("n_init", self.n_init), ("max_iter", self.max_iter)]
        {
            if value == 0 {
                return Err(config_error(name, 0, "it must be at least 1"));
            }
        }
        if !(self.tol.is_finite() && self.tol >= 0.0) {
            return Err(config_error("tol", self.tol, "it must be finite and at least 0"));
        }
        if !(1e-12..=1.0).contains(&self.variance_floor) {
            let rule = "it must be at least 1e-12 and at most 1";
            return Err(config_error("variance_floor", self.variance_floor, rule));
        }
        Ok(())
    }
}

/// Where EM came to rest, in the frame of the points.
struct Rest {
    components: Components,
    iterations: usize,
    converged: bool,
}
