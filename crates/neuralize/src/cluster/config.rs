//! A k-means fit in memory: settings, options, restarts and result.

use std::ops::ControlFlow;

use burn::config::Config;
use burn::tensor::{DType, Int, Tensor, backend::Backend};

use super::kmeans::KMeans;
use super::lloyd::{self, Schedule, WeightedPoints};
use super::partition;
use super::seeding::{self, Init, Seeding};
use super::settings::{at_least_one, tolerance};
use super::solution::{Best, Solution};
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::{kernel, transfer, validate};

/// N D K up to which ten restarts of plain iterations take milliseconds.
const CHEAP: usize = 1 << 18;

/// Settings of a k-means fit.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::KMeansConfig;
///
/// let x = Tensor::<Flex, 2>::from_data(
///     [[0.0, 0.1], [0.2, 0.0], [5.0, 5.1], [5.2, 5.0]],
///     &Default::default(),
/// );
/// let fit = KMeansConfig::new(2).with_seed(7).fit(&x)?;
/// assert_eq!(fit.sizes, [2, 2]);
/// assert!((fit.inertia - 0.05).abs() < 1e-5);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Config, Debug, PartialEq)]
#[non_exhaustive]
pub struct KMeansConfig {
    /// The number of clusters, K.
    pub n_clusters: usize,
    /// How the first centroids are chosen.
    #[config(default = "Init::KMeansPlusPlus")]
    pub init: Init,
    /// The number of restarts, of which the best is kept. By default 10 for
    /// random rows, and for k-means++ 10 if N D K is at most 2¹⁸ and 1 otherwise.
    /// Given rows are tried once: every restart would end alike.
    pub n_init: Option<usize>,
    /// Maximum number of Lloyd iterations of a restart.
    #[config(default = 300)]
    pub max_iter: usize,
    /// Whether every iteration goes beyond the means, in the direction of the last one (Nesterov's
    /// momentum). Fits of many iterations take about half of them for it, and end at centroids that are the
    /// means of their points all the same, though at others than without. By default, it is used for more than 2¹⁸ N D K,
    /// but not from given rows or centroids: from these, iterations are those of other programs.
    pub momentum: Option<bool>,
    /// A restart has converged when the squared shift of all centroids is at
    /// most `tol` times the mean variance of the features.
    #[config(default = 1e-4)]
    pub tol: f64,
    /// Seed of the random numbers.
    #[config(default = 0)]
    pub seed: u64,
}

/// A function that is called after every iteration of a fit. With `Break` the fit ends
/// with the best that it has.
type Observer<'a> = dyn FnMut(Progress) -> ControlFlow<()> + 'a;

/// What a fit takes besides the data.
pub struct FitOptions<'a, B: Backend> {
    pub(super) weights: Option<Tensor<B, 1>>,
    pub(super) initial: Option<Tensor<B, 2>>,
    pub(super) observer: Option<&'a mut Observer<'a>>,
}

impl<B: Backend> Default for FitOptions<'_, B> {
    fn default() -> Self {
        Self { weights: None, initial: None, observer: None }
    }
}

impl<'a, B: Backend> FitOptions<'a, B> {
    /// A weight for every row, `[N]`: a row of weight 2 counts as two rows.
    pub fn with_weights(mut self, weights: Tensor<B, 1>) -> Self {
        self.weights = Some(weights);
        self
    }

    /// The first centroids, `[K, D]`, in place of [`KMeansConfig::init`]. There
    /// is one restart only.
    pub fn with_initial_centroids(mut self, centroids: Tensor<B, 2>) -> Self {
        self.initial = Some(centroids);
        self
    }

    /// A function that is called after every iteration. With `ControlFlow::Break` the
    /// fit ends: the result is the best restart so far, and `converged` says whether
    /// that one converged.
    pub fn with_observer(
        mut self,
        observer: &'a mut (dyn FnMut(Progress) -> ControlFlow<()> + 'a),
    ) -> Self {
        self.observer = Some(observer);
        self
    }
}

/// The progress of a fit.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Progress {
    /// The restart, counted from 0.
    pub run: usize,
    /// The number of restarts.
    pub n_init: usize,
    /// The iteration of this restart, counted from 1.
    pub iteration: usize,
    /// Squared shift of all centroids in this iteration.
    pub shift: f64,
}

/// A fitted clusterer and figures of its fit, all of the same best restart.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KMeansFit<B: Backend> {
    /// The clusterer.
    pub model: KMeans<B>,
    /// Cluster of every row, `[N]`; the same as `model.predict(x)`.
    pub labels: Tensor<B, 1, Int>,
    /// Weighted sum of squared distances to the assigned centroids.
    pub inertia: f64,
    /// Iterations of the best restart.
    pub n_iter: usize,
    /// Whether that restart converged before `max_iter`.
    pub converged: bool,
    /// Rows in every cluster, in the order of the centroids.
    pub sizes: Vec<usize>,
    /// How the first centroids of the best restart were chosen.
    pub seeding: Seeding,
}

impl KMeansConfig {
    /// Fits to the rows of x.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If a setting is out of range, x is empty or has values that are not
    /// finite, or x has fewer than K different rows.
    pub fn fit<B: Backend>(&self, x: &Tensor<B, 2>) -> Result<KMeansFit<B>> {
        self.fit_with(x, FitOptions::default())
    }

    /// Fits with weights, given centroids or an observer.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// As [`fit`](Self::fit), and if an option does not fit x.
    pub fn fit_with<B: Backend>(
        &self,
        x: &Tensor<B, 2>,
        options: FitOptions<'_, B>,
    ) -> Result<KMeansFit<B>> {
        let [rows, features] = x.dims();
        let (device, dtype) = (x.device(), x.dtype());
        self.check(x, options.initial.as_ref())?;
        // A fit is not differentiated: on an autodiff backend its iterations
        // would pile up in the graph.
        let x = &transfer::untracked(x.clone());
        let weights = match options.weights {
            Some(weights) => transfer::untracked(weights),
            None => Tensor::ones([rows], (&device, dtype)),
        };
        let host_weights = check_weights(&weights, x)?;
        let total_weight = total(&host_weights)?;
        seeding::require_distinct_rows(x, &host_weights, self.n_clusters)?;

        // The fit works relative to the mean of the data: distances do not
        // change, and f32 keeps the digits that a far origin would cost.
        let mean = kernel::weighted_mean(x, &weights, total_weight);
        let center: Tensor<B, 2> = transfer::upload(mean, [1, features], &device, dtype);
        let spread = kernel::mean_square(x, &center, &weights, total_weight);
        check_spread(spread, self.n_clusters, dtype)?;
        let points = WeightedPoints { x, weights: &weights, center: &center };
        let initial = options.initial.map(|given| transfer::untracked(given) - center.clone());
        let (solution, seeding) =
            self.best_restart(&points, initial, self.tol * spread, options.observer)?;
        finish(&points, solution, seeding)
    }

    /// The restart of the lowest inertia.
    fn best_restart<B: Backend>(
        &self,
        points: &WeightedPoints<'_, B>,
        initial: Option<Tensor<B, 2>>,
        tolerance: f64,
        mut observer: Option<&mut Observer<'_>>,
    ) -> Result<(Solution<Tensor<B, 2>>, Seeding)> {
        let WeightedPoints { x, weights, center } = *points;
        let [rows, features] = x.dims();
        let n_init = self.restarts(initial.is_some(), rows, features);
        let momentum = self.has_momentum(initial.is_some(), rows, features);
        let schedule = Schedule { max_iter: self.max_iter, tolerance, momentum };
        let mut best = Best::new();
        for run in 0..n_init {
            let (start, seeding) = match &initial {
                Some(given) => (given.clone(), Seeding::Given),
                None => {
                    let mut rng = Stream::Restart(run).generator(self.seed);
                    seeding::initial_centroids(&self.init, self.n_clusters, points, &mut rng)?
                }
            };
            let mut is_stopped = false;
            let observe = |iteration, shift| {
                let Some(observer) = observer.as_mut() else { return ControlFlow::Continue(()) };
                let flow = observer(Progress { run, n_init, iteration, shift });
                is_stopped = flow.is_break();
                flow
            };
            let solution = lloyd::iterate(points, start, &schedule, observe)?;
            let inertia = if n_init == 1 {
                // There is nothing to compare with.
                0.0
            } else {
                let centroids = &solution.parameters;
                let labels = kernel::nearest(x, &points.affine(centroids));
                kernel::inertia(x, Some(center), Some(weights), centroids, &labels)
            };
            if !inertia.is_finite() {
                return Err(Error::Overflow);
            }
            best.offer(inertia, (solution, seeding));
            if is_stopped {
                break;
            }
        }
        best.finish()
    }

    /// The number of restarts of a fit to data of this shape, with or without
    /// given centroids.
    pub(super) fn restarts(&self, given: bool, rows: usize, features: usize) -> usize {
        match (given, self.n_init, &self.init) {
            (true, _, _) | (false, _, Init::Rows(_)) => 1,
            (false, Some(n), _) => n,
            (false, None, Init::KMeansPlusPlus) if self.is_cheap(rows, features) => 10,
            (false, None, Init::KMeansPlusPlus) => 1,
            (false, None, Init::Random) => 10,
        }
    }

    /// Whether a fit to data of this shape has momentum, with or without given centroids.
    pub(super) fn has_momentum(&self, given: bool, rows: usize, features: usize) -> bool {
        let given = given || matches!(self.init, Init::Rows(_));
        self.momentum.unwrap_or(!given && !self.is_cheap(rows, features))
    }

    fn is_cheap(&self, rows: usize, features: usize) -> bool {
        rows.saturating_mul(features).saturating_mul(self.n_clusters) <= CHEAP
    }

    /// Checks the settings that do not depend on the data.
    pub(super) fn check_settings(&self) -> Result<()> {
        at_least_one(&[
            ("n_clusters", self.n_clusters),
            ("n_init", self.n_init.unwrap_or(1)),
            ("max_iter", self.max_iter),
        ])?;
        tolerance(self.tol)
    }

    fn check<B: Backend>(&self, x: &Tensor<B, 2>, initial: Option<&Tensor<B, 2>>) -> Result<()> {
        let [rows, features] = x.dims();
        self.check_settings()?;
        validate::table("x", x)?;
        match initial {
            Some(initial) => self.check_initial(initial, features, x.dtype()),
            None => self.init.check(self.n_clusters, rows),
        }
    }

    /// Checks given centroids for data of some features.
    pub(super) fn check_initial<B: Backend>(
        &self,
        initial: &Tensor<B, 2>,
        features: usize,
        dtype: DType,
    ) -> Result<()> {
        const INITIAL: &str = "the table of initial centroids";
        let found = initial.dims();
        if found != [self.n_clusters, features] {
            let expected = format!("[{}, {features}]", self.n_clusters);
            return Err(Error::shape(INITIAL, expected, &found));
        }
        validate::input(INITIAL, initial, features, dtype)
    }
}

/// Takes labels, inertia and β from the finished model, so that they are what
/// `predict` and `inertia` give.
fn finish<B: Backend>(
    points: &WeightedPoints<'_, B>,
    solution: Solution<Tensor<B, 2>>,
    seeding: Seeding,
) -> Result<KMeansFit<B>> {
    let WeightedPoints { x, weights, center } = *points;
    let centroids = solution.parameters + center.clone();
    let (labels, logits) = lloyd::nearest_with_logit(x, &kernel::Affine::of(&centroids));
    let inertia = kernel::inertia(x, None, Some(weights), &centroids, &labels);
    if !inertia.is_finite() {
        return Err(Error::Overflow);
    }
    let beta = logits.and_then(|logits| kernel::heuristic_beta(logits, Some(weights)));
    let sizes = partition::sizes(&transfer::download_indices(labels.clone()), centroids.dims()[0]);
    Ok(KMeansFit {
        model: KMeans::new(centroids, beta),
        labels,
        inertia,
        n_iter: solution.iterations,
        converged: solution.converged,
        sizes,
        seeding,
    })
}

/// Refuses data of this mean variance if sums overflow, or if differences of rows, of which there are some,
/// are lost.
pub(super) fn check_spread(spread: f64, clusters: usize, dtype: DType) -> Result<()> {
    match spread {
        _ if !spread.is_finite() => Err(Error::Overflow),
        _ if clusters > 1 && spread < transfer::smallest(dtype) / transfer::epsilon(dtype) => {
            Err(Error::Underflow)
        }
        _ => Ok(()),
    }
}

/// The sum of weights, which must not be 0.
pub(super) fn total(weights: &[f64]) -> Result<f64> {
    match weights.iter().sum() {
        0.0 => Err(Error::Weights { detail: "all are 0".into() }),
        total => Ok(total),
    }
}

/// The weights on the host. They must be one a row, finite and at least 0.
pub(super) fn check_weights<B: Backend>(
    weights: &Tensor<B, 1>,
    x: &Tensor<B, 2>,
) -> Result<Vec<f64>> {
    let [rows, _] = x.dims();
    let [found] = weights.dims();
    if found != rows {
        return Err(Error::shape("the sample weights", format!("[{rows}]"), &[found]));
    }
    if weights.dtype() != x.dtype() {
        return Err(Error::DTypeMismatch {
            what: "the tensor of sample weights",
            expected: x.dtype(),
            found: weights.dtype(),
        });
    }
    let host = transfer::download(weights.clone());
    if let Some(row) = host.iter().position(|w| !(w.is_finite() && *w >= 0.0)) {
        let detail = format!("row {row} has {}", host[row]);
        return Err(Error::Weights { detail });
    }
    Ok(host)
}
