//! A k-means fit to data in parts, which need not fit into memory.

use burn::tensor::{DType, Tensor, backend::Backend};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::config::{FitOptions, KMeansConfig, Progress, check_spread, check_weights, total};
use super::kmeans::KMeans;
use super::lloyd::{self, WeightedPoints};
use super::momentum::{Momentum, Next};
use super::seeding::{self, Init, Seeding};
use crate::data::{Moments, ScaledTable};
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::{kernel, transfer, validate};

/// A clusterer fitted to data in parts.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct PartsFit<B: Backend> {
    /// The clusterer.
    pub model: KMeans<B>,
    /// Sum of squared distances to the nearest centroid.
    pub inertia: f64,
    /// The number of iterations; the fit passed over the data twice more.
    pub n_iter: usize,
    /// Whether the fit converged before `max_iter`.
    pub converged: bool,
    /// Rows in every cluster, in the order of the centroids.
    pub sizes: Vec<usize>,
    /// How the first centroids were chosen.
    pub seeding: Seeding,
}

/// A part of the data of [`KMeansConfig::fit_parts`]: rows, rows with weights, a part of a
/// file, or a result of one of them.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::{KMeansConfig, Part, Visit};
/// use neuralize::{Error, Result};
///
/// /// Rows that are read when they are needed.
/// struct Chunk(u32);
///
/// impl Part for Chunk {
///     type Backend = Flex;
///     type Error = Error;
///
///     fn read(self, visit: Visit<'_, Flex>) -> Result<()> {
///         let first = f64::from(self.0);
///         visit(Tensor::from_data([[first], [first + 10.0]], &Default::default()), None)
///     }
/// }
///
/// let fit = KMeansConfig::new(2).fit_parts(|| (0..3).map(Chunk))?;
/// assert_eq!(fit.sizes, [3, 3]);
/// # Ok::<(), Error>(())
/// ```
pub trait Part {
    /// The backend of the rows.
    type Backend: Backend;
    /// The error of a fit to such parts.
    type Error: From<Error>;

    /// Calls the function once, with the rows `[n, D]` and their weights `[n]`, if
    /// they have any, and passes its error on. This is the place to say where in the
    /// data an error is.
    ///
    /// # Errors
    ///
    /// Those of reading the part, and those of the function.
    fn read(self, visit: Visit<'_, Self::Backend>) -> Result<(), Self::Error>;
}

/// What [`Part::read`] calls with rows and weights.
pub type Visit<'a, B> = &'a mut dyn FnMut(Tensor<B, 2>, Option<Tensor<B, 1>>) -> Result<()>;

impl<B: Backend> Part for Tensor<B, 2> {
    type Backend = B;
    type Error = Error;

    fn read(self, visit: Visit<'_, B>) -> Result<()> {
        visit(self, None)
    }
}

/// Rows and their weights.
impl<B: Backend> Part for (Tensor<B, 2>, Tensor<B, 1>) {
    type Backend = B;
    type Error = Error;

    fn read(self, visit: Visit<'_, B>) -> Result<()> {
        visit(self.0, Some(self.1))
    }
}

/// Errors name the file, the row and the column.
impl<B: Backend> Part for ScaledTable<B> {
    type Backend = B;
    type Error = Error;

    fn read(self, visit: Visit<'_, B>) -> Result<()> {
        visit(self.x.clone(), None).map_err(|error| self.located(error))
    }
}

impl<P: Part<Error = Error>, E: From<Error>> Part for Result<P, E> {
    type Backend = P::Backend;
    type Error = E;

    fn read(self, visit: Visit<'_, P::Backend>) -> Result<(), E> {
        Ok(self?.read(visit)?)
    }
}

impl KMeansConfig {
    /// Fits to data that come in parts and need not fit into memory: chunks of
    /// a file, batches of a Burn `DataLoader`.
    ///
    /// The fit runs Lloyd's iterations over all rows, with one pass over the data
    /// for each, so from the same first centroids the result is that of
    /// [`fit`](Self::fit) up to rounding. The first centroids are chosen from a
    /// random sample of the rows. There are no restarts, and a cluster that loses
    /// all its points takes over a point of the sample.
    ///
    /// `parts` is called once for every pass and returns all parts, always the same
    /// and in the same order: `|| loader.iter()` for a `DataLoader` of tensors, or
    /// `|| scaler.parts(reader)` for a file. A [`Part`] is a tensor, a tensor with
    /// weights, a part of a file, or a result of one of them with an error of your
    /// own.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use neuralize::cluster::KMeansConfig;
    ///
    /// let parts = [[[0.0, 0.1], [5.2, 5.0]], [[0.2, 0.0], [5.0, 5.1]]]
    ///     .map(|part| Tensor::<Flex, 2>::from_data(part, &Default::default()));
    /// let fit = KMeansConfig::new(2).fit_parts(|| parts.iter().cloned())?;
    /// assert_eq!(fit.sizes, [2, 2]);
    /// # Ok::<(), neuralize::Error>(())
    /// ```
    ///
    /// # Shapes
    ///
    /// - every part: `[n, D]`
    ///
    /// # Errors
    ///
    /// Those of the parts, and as [`fit`](Self::fit); also if a later pass has more
    /// or fewer rows than the first, the settings give rows or restarts, or the
    /// sample has fewer than K different rows.
    pub fn fit_parts<P: Part, I: IntoIterator<Item = P>>(
        &self,
        parts: impl FnMut() -> I,
    ) -> Result<PartsFit<P::Backend>, P::Error> {
        self.fit_parts_with(parts, FitOptions::default())
    }

    /// [`fit_parts`](Self::fit_parts) from given centroids, or with an observer. Weights
    /// come with the parts.
    ///
    /// # Errors
    ///
    /// As [`fit_parts`](Self::fit_parts), and if the options hold weights or
    /// centroids that do not fit the data.
    pub fn fit_parts_with<P: Part, I: IntoIterator<Item = P>>(
        &self,
        mut parts: impl FnMut() -> I,
        options: FitOptions<'_, P::Backend>,
    ) -> Result<PartsFit<P::Backend>, P::Error> {
        let FitOptions { weights, initial, mut observer } = options;
        self.check_parts_settings(weights.is_some())?;
        let mut rng = Stream::Restart(0).generator(self.seed);
        let mut survey = Survey::new(seeding::sample_size(self.n_clusters));
        for part in parts() {
            part.read(&mut |x, weights| {
                let x = transfer::untracked(x);
                survey.add(&x, weights, &mut rng)
            })?;
        }
        let Surveyed { device, dtype, moments, candidates, sample, weights } = survey.finish()?;
        let [_, features] = sample.dims();
        let center = transfer::upload(moments.mean(), [1, features], &device, dtype);
        let spread = moments.variance().iter().sum::<f64>() / features as f64;
        check_spread(spread, self.n_clusters, dtype)?;
        let sampled = WeightedPoints { x: &sample, weights: &weights, center: &center };
        let (mut centroids, seeding) = match initial {
            Some(given) => {
                self.check_initial(&given, features, dtype)?;
                (transfer::untracked(given) - center.clone(), Seeding::Given)
            }
            None => {
                let host_weights = transfer::download(weights.clone());
                seeding::require_distinct_rows(&sample, &host_weights, self.n_clusters)?;
                let (init, clusters) = (&self.init, self.n_clusters);
                seeding::from_sample(init, clusters, &sampled, candidates, &mut rng)?
            }
        };

        let is_given = seeding == Seeding::Given;
        let mut momentum = Momentum::new(self.has_momentum(is_given, candidates, features));
        let mut means = centroids.clone();
        let mut passes = Passes { parts: &mut parts, first: &moments, dtype, done: 1 };
        let (mut n_iter, mut converged, mut is_stopped) = (0, false, false);
        while n_iter < self.max_iter && !converged && !is_stopped {
            let affine = sampled.affine(&centroids);
            let mut sums = vec![0.0; self.n_clusters * features];
            let mut counts = vec![0.0; self.n_clusters];
            passes.run(&mut |x, weights| {
                let (_, totals) = kernel::assign_and_sum(x, weights, &affine);
                add(&mut sums, transfer::download(totals.sums));
                add(&mut counts, transfer::download(totals.weights));
            })?;
            let jumped;
            (means, jumped) = lloyd::means_of_parts(&sampled, &centroids, &sums, &counts);
            if jumped {
                momentum.rest();
            }
            let shift;
            Next { shift, centroids, .. } = momentum.next(&means, centroids)?;
            n_iter += 1;
            converged = shift <= self.tol * spread;
            if let Some(observer) = &mut observer {
                let progress = Progress { run: 0, n_init: 1, iteration: n_iter, shift };
                is_stopped = observer(progress).is_break();
            }
        }

        let centroids = means + center;
        let affine = kernel::Affine::of(&centroids);
        let mut summary = Summary::new(self.n_clusters);
        passes.run(&mut |x, weights| summary.add(x, weights, &affine, &centroids))?;
        if !summary.inertia.is_finite() {
            return Err(Error::Overflow.into());
        }
        Ok(PartsFit {
            model: KMeans::new(centroids, summary.beta(dtype)),
            inertia: summary.inertia,
            n_iter,
            converged,
            sizes: summary.sizes,
            seeding,
        })
    }

    /// Checks the settings, of which some make no sense for data in parts.
    fn check_parts_settings(&self, has_weights: bool) -> Result<()> {
        self.check_settings()?;
        if has_weights {
            let rule = "data in parts have weights part by part: give pairs of rows and weights";
            return Err(Error::config("weights", "for all rows", rule));
        }
        if let Init::Rows(rows) = &self.init {
            let rule = "data in parts have no numbered rows; use k-means++ or random";
            return Err(Error::config("init rows", format!("{rows:?}"), rule));
        }
        match self.n_init {
            Some(n_init @ 2..) => {
                let rule = "data in parts are fitted once; leave it out";
                Err(Error::config("n_init", n_init, rule))
            }
            _ => Ok(()),
        }
    }
}

/// The weights of a part that comes after some rows, untracked: the given ones, also on
/// the host, or ones.
fn checked_weights<B: Backend>(
    weights: Option<Tensor<B, 1>>,
    x: &Tensor<B, 2>,
    before: usize,
) -> Result<(Tensor<B, 1>, Option<Vec<f64>>)> {
    let Some(weights) = weights.map(transfer::untracked) else {
        return Ok((Tensor::ones([x.dims()[0]], (&x.device(), x.dtype())), None));
    };
    let on_host = check_weights(&weights, x).map_err(|error| match error {
        Error::Weights { detail } => {
            Error::Weights { detail: format!("{detail}, in the part after {before} rows") }
        }
        error => error,
    })?;
    Ok((weights, Some(on_host)))
}

fn add(totals: &mut [f64], part: Vec<f64>) {
    for (total, part) in totals.iter_mut().zip(part) {
        *total += part;
    }
}

/// What a pass calls with rows and weights.
type WeightedVisit<'a, B> = &'a mut dyn FnMut(&Tensor<B, 2>, &Tensor<B, 1>);

/// The passes over the data after the first.
struct Passes<'a, F> {
    parts: &'a mut F,
    /// What the first pass saw.
    first: &'a Moments,
    dtype: DType,
    /// The number of passes so far.
    done: usize,
}

impl<F> Passes<'_, F> {
    /// Visits untracked and checked parts, without empty ones, with their weights.
    fn run<P: Part, I: IntoIterator<Item = P>>(
        &mut self,
        visit: WeightedVisit<'_, P::Backend>,
    ) -> Result<(), P::Error>
    where
        F: FnMut() -> I,
    {
        self.done += 1;
        let (features, dtype) = (self.first.min().len(), self.dtype);
        let mut rows = 0;
        for part in (self.parts)() {
            part.read(&mut |x, weights| {
                let x = transfer::untracked(x);
                validate::input("a part", &x, features, dtype)?;
                let [part_rows, _] = x.dims();
                if part_rows == 0 {
                    return Ok(());
                }
                let (weights, _) = checked_weights(weights, &x, rows)?;
                rows += part_rows;
                visit(&x, &weights);
                Ok(())
            })?;
        }
        if rows != self.first.rows {
            let (first, pass) = (self.first.rows, self.done);
            return Err(Error::Passes { first, pass, rows }.into());
        }
        Ok(())
    }
}

/// What the first pass over the data finds.
struct Surveyed<B: Backend> {
    device: B::Device,
    dtype: DType,
    moments: Moments,
    /// The number of rows that the sample is of.
    candidates: usize,
    /// `[n, D]`
    sample: Tensor<B, 2>,
    /// Of the sample, `[n]`.
    weights: Tensor<B, 1>,
}

/// A sample and the moments of the data, from the first pass.
struct Survey<B: Backend> {
    /// Maximum number of rows of the sample.
    size: usize,
    /// Rows of the sample, one after the other.
    rows: Vec<f64>,
    /// Their weights.
    weights: Vec<f64>,
    /// The number of rows with a weight so far.
    candidates: usize,
    seen: Option<(Moments, B::Device, DType)>,
}

impl<B: Backend> Survey<B> {
    fn new(size: usize) -> Self {
        Self { size, rows: Vec::new(), weights: Vec::new(), candidates: 0, seen: None }
    }

    fn add(
        &mut self,
        x: &Tensor<B, 2>,
        weights: Option<Tensor<B, 1>>,
        rng: &mut ChaCha8Rng,
    ) -> Result<()> {
        let [rows, _] = x.dims();
        if rows == 0 {
            return Ok(());
        }
        match &self.seen {
            None => validate::table("a part", x)?,
            Some((moments, _, dtype)) => validate::input("a part", x, moments.min().len(), *dtype)?,
        }
        let seen = self.seen.as_ref().map_or(0, |(moments, _, _)| moments.rows);
        let (weights, on_host) = checked_weights(weights, x, seen)?;
        let on_host = on_host.unwrap_or_else(|| vec![1.0; rows]);
        let first = || (Moments::around(x), x.device(), x.dtype());
        let (moments, _, _) = self.seen.get_or_insert_with(first);
        moments.add_weighted(x, &weights, on_host.iter().sum());
        self.draw(x, &on_host, rng);
        Ok(())
    }

    /// Draws rows so that each row of a weight so far is in the sample with the same
    /// probability (Vitter 1985, algorithm R).
    fn draw(&mut self, x: &Tensor<B, 2>, weights: &[f64], rng: &mut ChaCha8Rng) {
        let [rows, features] = x.dims();
        let mut places: Vec<(usize, usize)> = Vec::new();
        for row in (0..rows).filter(|row| weights[*row] > 0.0) {
            let place = match self.candidates {
                seen if seen < self.size => seen,
                seen => (rng.next_u64() % (seen as u64 + 1)) as usize,
            };
            self.candidates += 1;
            if place < self.size {
                places.push((row, place));
            }
        }
        if places.is_empty() {
            return;
        }
        let chosen: Vec<usize> = places.iter().map(|&(row, _)| row).collect();
        let chosen = transfer::upload_indices(&chosen, &x.device());
        let values = transfer::download(x.clone().select(0, chosen));
        for (&(row, place), values) in places.iter().zip(values.chunks_exact(features)) {
            let end = (place + 1) * features;
            if self.rows.len() < end {
                self.rows.resize(end, 0.0);
                self.weights.resize(place + 1, 0.0);
            }
            self.rows[end - features..end].copy_from_slice(values);
            self.weights[place] = weights[row];
        }
    }

    fn finish(self) -> Result<Surveyed<B>> {
        let Some((moments, device, dtype)) = self.seen else {
            return Err(Error::Empty { what: "the data" });
        };
        total(&[moments.weight])?;
        let (rows, features) = (self.weights.len(), moments.min().len());
        let sample = transfer::upload(self.rows, [rows, features], &device, dtype);
        let weights = transfer::upload(self.weights, [rows], &device, dtype);
        Ok(Surveyed { device, dtype, moments, candidates: self.candidates, sample, weights })
    }
}

/// Sums of the last pass.
struct Summary {
    inertia: f64,
    sizes: Vec<usize>,
    /// Σ w and Σ w f.
    weight: f64,
    logits: f64,
}

impl Summary {
    fn new(clusters: usize) -> Self {
        Self { inertia: 0.0, sizes: vec![0; clusters], weight: 0.0, logits: 0.0 }
    }

    /// Adds a part of at least one row.
    fn add<B: Backend>(
        &mut self,
        x: &Tensor<B, 2>,
        weights: &Tensor<B, 1>,
        affine: &kernel::Affine<B>,
        centroids: &Tensor<B, 2>,
    ) {
        let (labels, logits) = lloyd::nearest_with_logit(x, affine);
        self.logits += logits.map_or(0.0, |logits| kernel::sum(logits * weights.clone()));
        self.weight += kernel::sum(weights.clone());
        self.inertia += kernel::inertia(x, None, Some(weights), centroids, &labels);
        for label in transfer::download_indices(labels) {
            self.sizes[label] += 1;
        }
    }

    /// The heuristic β.
    fn beta(&self, dtype: DType) -> Option<f64> {
        let beta = self.weight / self.logits;
        (self.logits > 0.0 && beta <= transfer::largest(dtype)).then_some(beta)
    }
}
