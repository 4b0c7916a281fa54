//! A k-means fit to data in parts, which need not fit into memory.

use burn::tensor::{DType, Tensor, backend::Backend};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use super::config::{KMeansConfig, Progress};
use super::kmeans::KMeans;
use super::lloyd::{self, WeightedPoints};
use super::seeding::{self, Init, Seeding};
use crate::data::Moments;
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::{kernel, transfer, validate};

/// A clusterer fitted to data in parts.
#[derive(Debug)]
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
    /// `parts` is called once for every pass. It must call its argument with
    /// every part, always in the same order. Its error type is up to the caller.
    ///
    /// ```
    /// use burn::backend::Flex;
    /// use burn::tensor::Tensor;
    /// use neuralize::cluster::KMeansConfig;
    /// use neuralize::Error;
    ///
    /// let parts = [[[0.0, 0.1], [5.2, 5.0]], [[0.2, 0.0], [5.0, 5.1]]]
    ///     .map(|part| Tensor::<Flex, 2>::from_data(part, &Default::default()));
    /// let fit = KMeansConfig::new(2).fit_parts::<_, Error>(
    ///     |visit| parts.iter().try_for_each(|part| visit(part.clone())),
    ///     |_| (),
    /// )?;
    /// assert_eq!(fit.sizes, [2, 2]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Shapes
    ///
    /// - every part: `[n, D]`
    ///
    /// # Errors
    ///
    /// Those of `parts`, and as [`fit`](Self::fit); also if the settings give
    /// rows or restarts, or the sample has fewer than K different rows.
    pub fn fit_parts<B: Backend, E: From<Error>>(
        &self,
        mut parts: impl FnMut(&mut dyn FnMut(Tensor<B, 2>) -> Result<(), E>) -> Result<(), E>,
        mut observe: impl FnMut(Progress),
    ) -> Result<PartsFit<B>, E> {
        self.check_parts_settings()?;
        let mut rng = Stream::Restart(0).generator(self.seed);
        let mut survey = Survey::<B>::new(seeding::sample_size(self.n_clusters));
        parts(&mut |x| Ok(survey.add(&transfer::untracked(x), &mut rng)?))?;
        let (device, dtype, moments, sample) = survey.finish()?;
        let [sampled_rows, features] = sample.dims();
        let center = transfer::upload::<B, 2>(moments.mean(), [1, features], &device, dtype);
        let spread = moments.variance().iter().sum::<f64>() / features as f64;
        if !spread.is_finite() {
            return Err(Error::Overflow.into());
        }

        let ones = vec![1.0; sampled_rows];
        seeding::require_distinct_rows(&sample, &ones, self.n_clusters)?;
        let weights = transfer::upload(ones, [sampled_rows], &device, dtype);
        let sampled = WeightedPoints { x: &sample, weights: &weights, center: &center };
        let (mut centroids, seeding) =
            seeding::from_sample(&self.init, self.n_clusters, &sampled, moments.rows, &mut rng)?;

        // One pass over the data: untracked and checked parts, without empty ones.
        let mut pass = |visit: &mut dyn FnMut(&Tensor<B, 2>)| {
            parts(&mut |x| {
                let x = transfer::untracked(x);
                validate::input("a part", &x, features, dtype)?;
                if x.dims()[0] > 0 {
                    visit(&x);
                }
                Ok(())
            })
        };
        let (mut n_iter, mut converged) = (0, false);
        while n_iter < self.max_iter && !converged {
            let affine = sampled.affine(&centroids);
            let mut sums = vec![0.0; self.n_clusters * features];
            let mut counts = vec![0.0; self.n_clusters];
            pass(&mut |x| {
                let ones = Tensor::ones([x.dims()[0]], (&device, dtype));
                let (_, totals) = kernel::assign_and_sum(x, &ones, &affine);
                add(&mut sums, transfer::download(totals.sums));
                add(&mut counts, transfer::download(totals.weights));
            })?;
            let means = lloyd::means_of_parts(&sampled, &centroids, &sums, &counts);
            let shift = lloyd::squared_shift(&means, centroids)?;
            centroids = means;
            n_iter += 1;
            observe(Progress { run: 0, n_init: 1, iteration: n_iter, shift });
            converged = shift <= self.tol * spread;
        }

        let centroids = centroids + center;
        let affine = kernel::Affine::of(&centroids);
        let mut summary = Summary::new(self.n_clusters);
        pass(&mut |x| summary.add(x, &affine, &centroids))?;
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
    fn check_parts_settings(&self) -> Result<()> {
        self.check_settings()?;
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

fn add(totals: &mut [f64], part: Vec<f64>) {
    for (total, part) in totals.iter_mut().zip(part) {
        *total += part;
    }
}

/// A sample and the moments of the data, from the first pass.
struct Survey<B: Backend> {
    /// Maximum number of rows of the sample.
    size: usize,
    /// Rows of the sample, one after the other.
    rows: Vec<f64>,
    seen: Option<(Moments, B::Device, DType)>,
}

impl<B: Backend> Survey<B> {
    fn new(size: usize) -> Self {
        Self { size, rows: Vec::new(), seen: None }
    }

    fn add(&mut self, x: &Tensor<B, 2>, rng: &mut ChaCha8Rng) -> Result<()> {
        let before = match &mut self.seen {
            None if x.dims()[0] == 0 => return Ok(()),
            None => {
                validate::table("a part", x)?;
                self.seen = Some((Moments::of(x), x.device(), x.dtype()));
                0
            }
            Some((moments, _, dtype)) => {
                validate::input("a part", x, moments.min().len(), *dtype)?;
                let before = moments.rows;
                moments.add(x);
                before
            }
        };
        self.draw(x, before, rng);
        Ok(())
    }

    /// Draws rows so that each row so far is in the sample with the same
    /// probability (Vitter 1985, algorithm R).
    fn draw(&mut self, x: &Tensor<B, 2>, before: usize, rng: &mut ChaCha8Rng) {
        let [rows, features] = x.dims();
        let places: Vec<(usize, usize)> = (0..rows)
            .filter_map(|row| {
                let place = match before + row {
                    seen if seen < self.size => seen,
                    seen => (rng.next_u64() % (seen as u64 + 1)) as usize,
                };
                (place < self.size).then_some((row, place))
            })
            .collect();
        if places.is_empty() {
            return;
        }
        let chosen: Vec<usize> = places.iter().map(|&(row, _)| row).collect();
        let chosen = transfer::upload_indices(&chosen, &x.device());
        let values = transfer::download(x.clone().select(0, chosen));
        for (&(_, place), row) in places.iter().zip(values.chunks_exact(features)) {
            let end = (place + 1) * features;
            if self.rows.len() < end {
                self.rows.resize(end, 0.0);
            }
            self.rows[end - features..end].copy_from_slice(row);
        }
    }

    fn finish(self) -> Result<(B::Device, DType, Moments, Tensor<B, 2>)> {
        let Some((moments, device, dtype)) = self.seen else {
            return Err(Error::Empty { what: "the data" });
        };
        let features = moments.min().len();
        let rows = self.rows.len() / features;
        let sample = transfer::upload(self.rows, [rows, features], &device, dtype);
        Ok((device, dtype, moments, sample))
    }
}

/// Sums of the last pass.
struct Summary {
    inertia: f64,
    sizes: Vec<usize>,
    logits: f64,
}

impl Summary {
    fn new(clusters: usize) -> Self {
        Self { inertia: 0.0, sizes: vec![0; clusters], logits: 0.0 }
    }

    /// Adds a part of at least one row.
    fn add<B: Backend>(
        &mut self,
        x: &Tensor<B, 2>,
        affine: &kernel::Affine<B>,
        centroids: &Tensor<B, 2>,
    ) {
        let (labels, logits) = lloyd::nearest_with_logit(x, affine);
        self.logits += logits.map_or(0.0, kernel::sum);
        self.inertia += kernel::inertia(x, None, None, centroids, &labels);
        for label in transfer::download_indices(labels) {
            self.sizes[label] += 1;
        }
    }

    /// The heuristic β.
    fn beta(&self, dtype: DType) -> Option<f64> {
        let beta = self.sizes.iter().sum::<usize>() as f64 / self.logits;
        (self.logits > 0.0 && beta <= transfer::largest(dtype)).then_some(beta)
    }
}
