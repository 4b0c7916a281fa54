//! K-means from a stream of batches, which can be saved, resumed and merged.

use std::fs;
use std::path::Path;

use burn::tensor::{DType, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use super::config::KMeansConfig;
use super::kmeans::KMeans;
use super::lloyd::{WeightedPoints, nearest_with_logit};
use super::seeding;
use crate::data::AtomicFile;
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::{kernel, transfer, validate};

const FORMAT: &str = "neuralize-mini-batch";
const VERSION: u32 = 1;
const NO_BATCH: Error = Error::Empty { what: "the data (no batch was fitted yet)" };

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
///
/// Several workers share the batches of one fit: each continues a [`fork`](Self::fork), and
/// [`merge`](Self::merge) brings together what they saw.
///
/// ```
/// # use burn::backend::Flex;
/// # use burn::tensor::Tensor;
/// # use neuralize::cluster::{KMeansConfig, MiniBatchKMeans};
/// # let batch = |rows: [[f64; 1]; 2]| Tensor::<Flex, 2>::from_data(rows, &Default::default());
/// let mut clusterer = MiniBatchKMeans::<Flex>::new(KMeansConfig::new(2))?;
/// clusterer.partial_fit(&batch([[0.0], [8.0]]))?;
/// let mut worker = clusterer.fork()?;
/// worker.partial_fit(&batch([[2.0], [10.0]]))?;
/// clusterer.merge(worker)?;
///
/// let mut centroids: Vec<f32> = clusterer.model()?.centroids().into_data().iter().collect();
/// centroids.sort_by(f32::total_cmp);
/// assert_eq!(centroids, [1.0, 9.0]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MiniBatchKMeans<B: Backend> {
    config: KMeansConfig,
    state: Option<State<B>>,
}

#[derive(Debug, Clone)]
struct State<B: Backend> {
    /// The mean of the first batch, `[1, D]`.
    center: Tensor<B, 2>,
    /// `[K, D]`, relative to the centre.
    centroids: Vec<f64>,
    /// How many points every centroid is the mean of.
    counts: Vec<f64>,
    batches: usize,
    dtype: DType,
    latest: Latest<B>,
}

/// What the heuristic β is taken from.
#[derive(Debug, Clone)]
enum Latest<B: Backend> {
    /// The latest batch.
    Batch(Tensor<B, 2>),
    /// The β of a batch that is not there any more, if it has one.
    Beta(Option<f64>),
}

/// A clusterer on its way to a file.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Saved {
    format: String,
    version: u32,
    config: KMeansConfig,
    state: Option<SavedState>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct SavedState {
    center: Vec<f64>,
    centroids: Vec<f64>,
    counts: Vec<f64>,
    batches: usize,
    dtype: DType,
    beta: Option<f64>,
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
                validate::same_device("the batch", &x.device(), &state.center.device())?;
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
        self.state.as_ref().map(State::model).ok_or(NO_BATCH)
    }

    /// A clusterer with the present centroids that has seen nothing, for a worker with batches of
    /// its own. [`merge`](Self::merge) adds them to this one.
    ///
    /// # Errors
    ///
    /// Before the first batch, which chooses the first centroids.
    pub fn fork(&self) -> Result<Self> {
        let mut forked = self.clone();
        let state = forked.state.as_mut().ok_or(NO_BATCH)?;
        state.counts.fill(0.0);
        state.batches = 0;
        Ok(forked)
    }

    /// Adds what another clusterer has seen: every centroid becomes the mean of all points that
    /// either of them assigned to it. Cluster k of the one is cluster k of the other, so the other
    /// should be a [`fork`](Self::fork) of this one; a copy would count its points twice.
    ///
    /// # Errors
    ///
    /// If this one has seen no batch, or number of clusters, features or precision differ.
    pub fn merge(&mut self, other: Self) -> Result<()> {
        let Some(other) = other.state else { return Ok(()) };
        let state = self.state.as_mut().ok_or(NO_BATCH)?;
        let shape = |state: &State<B>| [state.counts.len(), state.center.dims()[1]];
        if shape(state) != shape(&other) {
            let expected = format!("{:?}, that of this clusterer", shape(state));
            return Err(Error::shape("the table of the other centroids", expected, &shape(&other)));
        }
        if state.dtype != other.dtype {
            let (expected, found) = (state.dtype, other.dtype);
            return Err(Error::DTypeMismatch { what: "the other clusterer", expected, found });
        }
        let features = state.center.dims()[1];
        let (ours, theirs) =
            (transfer::download(state.center.clone()), transfer::download(other.center));
        for (k, &added) in other.counts.iter().enumerate().filter(|(_, added)| **added > 0.0) {
            let total = state.counts[k] + added;
            for i in 0..features {
                let theirs = other.centroids[k * features + i] + (theirs[i] - ours[i]);
                let centroid = &mut state.centroids[k * features + i];
                *centroid = (state.counts[k] * *centroid + added * theirs) / total;
            }
            state.counts[k] = total;
        }
        state.batches += other.batches;
        if other.batches > 0 {
            state.latest = match other.latest {
                // A worker may have computed on another device.
                Latest::Batch(x) => Latest::Batch(x.to_device(&state.center.device())),
                beta => beta,
            };
        }
        Ok(())
    }

    /// Saves the clusterer as a JSON file, to [`resume`](Self::resume) it: the settings, the
    /// centroids and how many points each is the mean of. (A centroid of one point is that
    /// point.)
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let state = self.state.as_ref().map(|state| SavedState {
            center: transfer::download(state.center.clone()),
            centroids: state.centroids.clone(),
            counts: state.counts.clone(),
            batches: state.batches,
            dtype: state.dtype,
            beta: state.model().beta(),
        });
        let saved =
            Saved { format: FORMAT.into(), version: VERSION, config: self.config.clone(), state };
        let path = path.as_ref();
        let text = serde_json::to_string_pretty(&saved)
            .map_err(|error| Error::model(path, error.to_string()))?;
        AtomicFile::write(path, text.as_bytes())
    }

    /// A clusterer of a file of [`save`](Self::save), which goes on as if it had never stopped.
    /// Until its next batch, the heuristic β is the one computed when the file was saved.
    ///
    /// # Errors
    ///
    /// If the file is missing, damaged or of another kind or version, or the device does not
    /// compute in its precision.
    pub fn resume(path: impl AsRef<Path>, device: &B::Device) -> Result<Self> {
        let path = path.as_ref();
        let bytes = fs::read(path).map_err(Error::io(path))?;
        let saved: Saved = serde_json::from_slice(&bytes).map_err(|error| {
            Error::model(path, format!("is not a saved mini-batch k-means: {error}"))
        })?;
        if (saved.format.as_str(), saved.version) != (FORMAT, VERSION) {
            let found = format!("`{}` {}", saved.format.escape_debug(), saved.version);
            let detail = format!("is of format {found}, expected `{FORMAT}` {VERSION}");
            return Err(Error::model(path, detail));
        }
        let mut clusterer = Self::new(saved.config)?;
        if let Some(state) = saved.state {
            let state = State::read(state, &clusterer.config, device);
            clusterer.state = Some(state.map_err(|detail| Error::model(path, detail))?);
        }
        Ok(clusterer)
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
            latest: Latest::Batch(x.clone()),
        })
    }

    fn read(saved: SavedState, config: &KMeansConfig, device: &B::Device) -> Result<Self, String> {
        let SavedState { center, centroids, counts, batches, dtype, beta } = saved;
        let (clusters, features) = (counts.len(), center.len());
        if clusters != config.n_clusters || features == 0 || centroids.len() != clusters * features
        {
            return Err(format!(
                "has {} numbers for {} clusters of {features} features",
                centroids.len(),
                config.n_clusters
            ));
        }
        let finite = |values: &[f64]| values.iter().all(|value| value.is_finite());
        let counted = counts.iter().all(|count| *count >= 0.0);
        let known = beta.is_none_or(|beta| beta.is_finite() && beta >= 0.0);
        if !(finite(&center) && finite(&centroids) && finite(&counts) && counted && known) {
            return Err("holds numbers that no clusterer has".into());
        }
        validate::dtype::<B>("the clusterer", device, dtype).map_err(|error| error.to_string())?;
        let center = transfer::upload(center, [1, features], device, dtype);
        Ok(Self { center, centroids, counts, batches, dtype, latest: Latest::Beta(beta) })
    }

    /// The present centroids with the heuristic β of the latest batch.
    fn model(&self) -> KMeans<B> {
        let centroids = self.centroids() + self.center.clone();
        let beta = match &self.latest {
            Latest::Batch(x) => {
                let (_, logits) = nearest_with_logit(x, &kernel::Affine::of(&centroids));
                logits.and_then(|logits| kernel::heuristic_beta(logits, None))
            }
            Latest::Beta(beta) => *beta,
        };
        KMeans::new(centroids, beta)
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
        self.latest = Latest::Batch(x);
        Ok(())
    }
}
