//! K-means from a stream of batches.

use burn::tensor::{DType, Tensor, backend::Backend};

use super::config::KMeansConfig;
use super::kmeans::KMeans;
use super::lloyd::{WeightedPoints, nearest_with_logit};
use super::seeding;
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::{kernel, transfer, validate};

/// K-means from batches, each of which is used once (Sculley 2010).
///
/// The first centroids are chosen from the first batch. Every batch moves each
/// centroid to the mean of all points that were ever assigned to it. A point
/// keeps the cluster that it was assigned to when its batch came, so the result
/// is not a fixed point of Lloyd's iterations; more passes come closer to one.
/// The cost in inertia depends on the data and on the order of the rows: `cargo
/// run --release --example streaming` prints it for a mixture, where three passes
/// end within 1 % of [`fit`](KMeansConfig::fit) on either side.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::{KMeansConfig, MiniBatchKMeans};
///
/// let mut clusterer = MiniBatchKMeans::<Flex>::new(KMeansConfig::new(2))?;
/// for batch in [[[0.0, 0.1], [5.2, 5.0]], [[0.2, 0.0], [5.0, 5.1]]] {
///     clusterer.partial_fit(&Tensor::from_data(batch, &Default::default()))?;
/// }
/// assert_eq!(clusterer.model()?.n_clusters(), 2);
/// # Ok::<(), neuralize::Error>(())
/// ```
pub struct MiniBatchKMeans<B: Backend> {
    config: KMeansConfig,
    state: Option<State<B>>,
}

struct State<B: Backend> {
    /// The mean of the first batch, `[1, D]`.
    center: Tensor<B, 2>,
    /// `[K, D]`, relative to the centre.
    centroids: Vec<f64>,
    /// How many points every centroid is the mean of.
    counts: Vec<f64>,
    batches: usize,
    dtype: DType,
    /// The latest batch, for the heuristic β.
    latest: Tensor<B, 2>,
}

impl<B: Backend> MiniBatchKMeans<B> {
    /// A clusterer before its first batch. Of the settings, the number of
    /// clusters, the choice of the first centroids and the seed are used.
    ///
    /// # Errors
    ///
    /// If a setting is out of range.
    pub fn new(config: KMeansConfig) -> Result<Self> {
        config.check_settings()?;
        Ok(Self { config, state: None })
    }

    /// The number of batches so far.
    pub fn batches(&self) -> usize {
        self.state.as_ref().map_or(0, |state| state.batches)
    }

    /// Moves the centroids by a batch of rows.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`; the first batch needs at least K different rows and should
    ///   have many more, because the first centroids are chosen from it
    ///
    /// # Errors
    ///
    /// If x is empty or has values that are not finite, its width or precision
    /// is not that of the earlier batches, or the first batch has fewer than K
    /// different rows.
    pub fn partial_fit(&mut self, x: &Tensor<B, 2>) -> Result<()> {
        let x = transfer::untracked(x.clone());
        let state = match &mut self.state {
            Some(state) => {
                validate::input("the batch", &x, state.center.dims()[1], state.dtype)?;
                validate::not_empty("the batch", &x)?;
                state
            }
            None => {
                let state = State::start(&self.config, &x)?;
                self.state.insert(state)
            }
        };
        state.step(x)
    }

    /// The current clusterer. Its heuristic β is that of the latest batch;
    /// [`with_heuristic_beta`](KMeans::with_heuristic_beta) takes other data.
    ///
    /// # Errors
    ///
    /// Before the first batch.
    pub fn model(&self) -> Result<KMeans<B>> {
        let Some(state) = &self.state else {
            return Err(Error::Empty { what: "the data (no batch was fitted yet)" });
        };
        let centroids = state.centroids() + state.center.clone();
        let (_, logits) = nearest_with_logit(&state.latest, &kernel::Affine::of(&centroids));
        let beta = logits.and_then(|logits| kernel::heuristic_beta(logits, None));
        Ok(KMeans::new(centroids, beta))
    }
}

impl<B: Backend> State<B> {
    fn start(config: &KMeansConfig, x: &Tensor<B, 2>) -> Result<Self> {
        let [rows, features] = x.dims();
        validate::table("the batch", x)?;
        config.init.check(config.n_clusters, rows)?;
        let (device, dtype) = (x.device(), x.dtype());
        let ones = vec![1.0; rows];
        seeding::require_distinct_rows(x, &ones, config.n_clusters)?;
        let weights = transfer::upload(ones, [rows], &device, dtype);
        let mean = kernel::weighted_mean(x, &weights, rows as f64);
        let center = transfer::upload(mean, [1, features], &device, dtype);
        let points = WeightedPoints { x, weights: &weights, center: &center };
        let mut rng = Stream::Restart(0).generator(config.seed);
        let (centroids, _) =
            seeding::initial_centroids(&config.init, config.n_clusters, &points, &mut rng)?;
        Ok(Self {
            centroids: transfer::download(centroids),
            center,
            counts: vec![0.0; config.n_clusters],
            batches: 0,
            dtype,
            latest: x.clone(),
        })
    }

    fn centroids(&self) -> Tensor<B, 2> {
        let shape = [self.counts.len(), self.center.dims()[1]];
        transfer::upload(self.centroids.clone(), shape, &self.center.device(), self.dtype)
    }

    fn step(&mut self, x: Tensor<B, 2>) -> Result<()> {
        let [rows, features] = x.dims();
        let ones = Tensor::ones([rows], (&x.device(), self.dtype));
        let points = WeightedPoints { x: &x, weights: &ones, center: &self.center };
        let affine = points.affine(&self.centroids());
        let (_, totals) = kernel::assign_and_sum(&x, &ones, &affine);
        let sums = transfer::download(totals.sums);
        let weights = transfer::download(totals.weights);
        if sums.iter().any(|sum| !sum.is_finite()) {
            return Err(Error::Overflow);
        }
        for (k, &weight) in weights.iter().enumerate().filter(|&(_, &weight)| weight > 0.0) {
            let before = self.counts[k];
            self.counts[k] += weight;
            let range = k * features..(k + 1) * features;
            for (centroid, sum) in self.centroids[range.clone()].iter_mut().zip(&sums[range]) {
                *centroid = (before * *centroid + sum) / self.counts[k];
            }
        }
        self.batches += 1;
        self.latest = x;
        Ok(())
    }
}
