use burn::config::Config;
use burn::tensor::{Int, Tensor, backend::Backend};

use crate::cluster::{KMeans, Seeding, lloyd, seeding};
use crate::error::{Error, Result};
use crate::{kernel, transfer, validate};

/// How the first centroids are chosen.
#[derive(Config, Debug, PartialEq)]
pub enum Init {
    /// Greedy k-means++. Where there are more than 2 max(4096, 16 K) rows, over a
    /// random sample of half that number, followed by five Lloyd iterations on
    /// the sample; these are not counted as iterations of the fit.
    KMeansPlusPlus,
    /// Different rows, drawn at random.
    Random,
    /// These rows of the data, counted from 0.
    Rows(Vec<usize>),
}

/// N D K up to which restarts cost nothing that anybody would notice.
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
pub struct KMeansConfig {
    /// How many clusters, K.
    pub n_clusters: usize,
    /// How the first centroids are chosen.
    #[config(default = "Init::KMeansPlusPlus")]
    pub init: Init,
    /// Restarts, the best of which is kept. By default 1 for k-means++ (10 where
    /// N D K is at most 2¹⁸, and all of them take milliseconds) and 10 for random
    /// rows; always 1 for given rows, which would all end alike.
    pub n_init: Option<usize>,
    /// Most Lloyd iterations of one restart.
    #[config(default = 300)]
    pub max_iter: usize,
    /// A restart has converged when the squared shift of all centroids is at
    /// most this times the mean variance of the features.
    #[config(default = 1e-4)]
    pub tol: f64,
    /// Seed of the random numbers.
    #[config(default = 0)]
    pub seed: u64,
}

/// What a fit may take besides the data.
pub struct FitOptions<'a, B: Backend> {
    weights: Option<Tensor<B, 1>>,
    initial: Option<Tensor<B, 2>>,
    observer: Option<&'a mut dyn FnMut(Progress)>,
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

    /// The first centroids, `[K, D]`, in place of the configured choice; one
    /// restart only.
    pub fn with_initial_centroids(mut self, centroids: Tensor<B, 2>) -> Self {
        self.initial = Some(centroids);
        self
    }

    /// Called after every iteration.
    pub fn with_observer(mut self, observer: &'a mut dyn FnMut(Progress)) -> Self {
        self.observer = Some(observer);
        self
    }
}

/// How far a fit has come.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub struct Progress {
    /// The restart, counted from 0.
    pub run: usize,
    /// How many restarts there are.
    pub n_init: usize,
    /// The iteration of this restart, counted from 1.
    pub iteration: usize,
    /// Squared shift of all centroids in this iteration.
    pub shift: f64,
}

/// A fitted clusterer and what is known of its fit; everything belongs to the
/// same best restart.
#[derive(Debug)]
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
    /// If a setting cannot be used, x is empty or holds values that are not
    /// finite, or fewer than K of its rows differ.
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
        // A fit is no function to differentiate: on an autodiff backend its
        // iterations would pile up in the graph.
        let x = &transfer::untracked(x.clone());
        let weights = match options.weights {
            Some(weights) => transfer::untracked(weights),
            None => Tensor::ones([rows], (&device, dtype)),
        };
        let host_weights = check_weights(&weights, x)?;
        seeding::require_distinct_rows(x, &host_weights, self.n_clusters)?;

        // All of the fit happens around the mean of the data: distances do not
        // change, and f32 keeps the digits that a far origin would cost.
        let total_weight: f64 = host_weights.iter().sum();
        let mean = kernel::weighted_mean(x, &weights, total_weight);
        let center: Tensor<B, 2> = transfer::upload(mean, [1, features], &device, dtype);
        let spread = kernel::mean_square(x, &center, &weights, total_weight);
        if !spread.is_finite() {
            return Err(Error::Overflow);
        }
        let tolerance = self.tol * spread;
        let points = lloyd::Points { x, weights: &weights, center: &center };

        let n_init = self.restarts(options.initial.is_some(), rows, features);
        let initial = options.initial.map(|given| transfer::untracked(given) - center.clone());
        let mut observer = options.observer;
        let mut best: Option<(f64, lloyd::Rest<B>, Seeding)> = None;
        for run in 0..n_init {
            let (start, seeding) = match &initial {
                Some(given) => (given.clone(), Seeding::Given),
                None => {
                    let mut rng = seeding::random_stream(self.seed, run);
                    seeding::initial_centroids(&self.init, self.n_clusters, &points, &mut rng)?
                }
            };
            let rest =
                lloyd::iterate(&points, start, self.max_iter, tolerance, |iteration, shift| {
                    if let Some(observer) = observer.as_mut() {
                        observer(Progress { run, n_init, iteration, shift });
                    }
                })?;
            // One restart is the best of one.
            let inertia = match n_init {
                1 => 0.0,
                _ => {
                    let labels = kernel::nearest(x, &points.affine(&rest.centroids));
                    kernel::inertia(x, Some(&center), Some(&weights), &rest.centroids, &labels)
                }
            };
            if !inertia.is_finite() {
                return Err(Error::Overflow);
            }
            if best.as_ref().is_none_or(|(least, ..)| inertia < *least) {
                best = Some((inertia, rest, seeding));
            }
        }
        let (_, rest, seeding) = best.ok_or_else(|| config_error("n_init", 0, "at least 1"))?;

        // Labels, inertia and β are taken from the finished model, so that they
        // are what `predict` and `inertia` give.
        let centroids = rest.centroids + center;
        let affine = kernel::Affine::of(&centroids);
        let (labels, logits) = match self.n_clusters {
            1 => (kernel::nearest(x, &affine), None),
            _ => {
                let (labels, logits) = kernel::nearest_with_logit(x, &affine);
                (labels, Some(logits))
            }
        };
        let inertia = kernel::inertia(x, None, Some(&weights), &centroids, &labels);
        if !inertia.is_finite() {
            return Err(Error::Overflow);
        }
        let beta = logits.and_then(|logits| kernel::heuristic_beta(logits, Some(&weights)));
        let mut sizes = vec![0; self.n_clusters];
        for label in transfer::download_indices(labels.clone()) {
            sizes[label] += 1;
        }
        Ok(KMeansFit {
            model: KMeans::new(centroids, beta),
            labels,
            inertia,
            n_iter: rest.iterations,
            converged: rest.converged,
            sizes,
            seeding,
        })
    }

    /// How many restarts of a fit to this many rows, where centroids may have
    /// been given.
    pub(super) fn restarts(&self, given: bool, rows: usize, features: usize) -> usize {
        match (given, self.n_init, &self.init) {
            (true, _, _) | (false, _, Init::Rows(_)) => 1,
            (false, Some(n), _) => n,
            (false, None, Init::KMeansPlusPlus) if rows * features * self.n_clusters <= CHEAP => 10,
            (false, None, Init::KMeansPlusPlus) => 1,
            (false, None, Init::Random) => 10,
        }
    }

    /// The settings alone.
    pub(super) fn check_settings(&self) -> Result<()> {
        if self.n_clusters == 0 {
            return Err(config_error("n_clusters", 0, "at least 1"));
        }
        if self.n_init == Some(0) {
            return Err(config_error("n_init", 0, "at least 1"));
        }
        if self.max_iter == 0 {
            return Err(config_error("max_iter", 0, "at least 1"));
        }
        if !(self.tol.is_finite() && self.tol >= 0.0) {
            return Err(config_error("tol", self.tol, "finite and at least 0"));
        }
        Ok(())
    }

    fn check<B: Backend>(&self, x: &Tensor<B, 2>, initial: Option<&Tensor<B, 2>>) -> Result<()> {
        let [rows, features] = x.dims();
        self.check_settings()?;
        validate::not_empty("x", x)?;
        validate::dtype::<B>("x", &x.device(), x.dtype())?;
        validate::values("x", x)?;
        if let Some(initial) = initial {
            let found = initial.dims();
            if found != [self.n_clusters, features] {
                let expected = format!("[{}, {features}]", self.n_clusters);
                return Err(Error::shape("the table of initial centroids", expected, &found));
            }
            validate::input("the table of initial centroids", initial, features, x.dtype())?;
        } else {
            self.check_rows(rows)?;
        }
        Ok(())
    }

    /// Rows that are asked for, if any, among `rows`.
    pub(super) fn check_rows(&self, rows: usize) -> Result<()> {
        let Init::Rows(chosen) = &self.init else { return Ok(()) };
        let value = format!("{chosen:?}");
        if chosen.len() != self.n_clusters {
            let rule = format!("it must name {} rows, one a cluster", self.n_clusters);
            return Err(config_error("init rows", value, &rule));
        }
        if chosen.iter().any(|&row| row >= rows) {
            let rule = format!("the data have rows 0 to {}", rows - 1);
            return Err(config_error("init rows", value, &rule));
        }
        if (1..chosen.len()).any(|i| chosen[..i].contains(&chosen[i])) {
            return Err(config_error("init rows", value, "the rows must be different"));
        }
        Ok(())
    }
}

pub(super) fn config_error(name: &'static str, value: impl ToString, rule: &str) -> Error {
    Error::Config { name, value: value.to_string(), rule: rule.to_owned() }
}

/// The weights on the host, one a row, finite, not negative and not all zero.
fn check_weights<B: Backend>(weights: &Tensor<B, 1>, x: &Tensor<B, 2>) -> Result<Vec<f64>> {
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
    if host.iter().all(|&w| w == 0.0) {
        return Err(Error::Weights { detail: "all are 0".into() });
    }
    Ok(host)
}
