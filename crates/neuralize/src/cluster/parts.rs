use burn::tensor::{DType, Tensor, backend::Backend};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::Rng;

use crate::cluster::config::{Init, KMeansConfig, Progress, config_error};
use crate::cluster::lloyd::{self, Points};
use crate::cluster::{KMeans, Seeding, seeding};
use crate::data::Moments;
use crate::error::{Error, Result};
use crate::{kernel, transfer, validate};

/// A clusterer fitted to data that were never in memory as a whole.
#[derive(Debug)]
#[non_exhaustive]
pub struct PartsFit<B: Backend> {
    /// The clusterer.
    pub model: KMeans<B>,
    /// Sum of squared distances to the nearest centroid.
    pub inertia: f64,
    /// Iterations; the data were gone through this often and twice more.
    pub n_iter: usize,
    /// Whether the centroids came to rest before `max_iter`.
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
    /// These are Lloyd's iterations over all rows, so for the same first
    /// centroids the result is that of [`fit`](Self::fit), up to rounding. What
    /// it costs is a pass over the data for every iteration. First centroids
    /// are chosen from a random sample of the rows. There are no restarts, and a
    /// cluster that loses all its points takes over a point of the sample.
    ///
    /// `parts` calls what it is given with every part, in the same order each
    /// time it is called itself. The error type is its own.
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
    /// Those of `parts`, and as [`fit`](Self::fit); also if the settings ask for
    /// given rows or for restarts, or the sample has fewer than K different rows.
    pub fn fit_parts<B: Backend, E: From<Error>>(
        &self,
        mut parts: impl FnMut(&mut dyn FnMut(Tensor<B, 2>) -> Result<(), E>) -> Result<(), E>,
        mut observe: impl FnMut(Progress),
    ) -> Result<PartsFit<B>, E> {
        self.check_settings()?;
        if let Init::Rows(rows) = &self.init {
            let rule = "data in parts have no numbered rows; use k-means++ or random";
            return Err(config_error("init rows", format!("{rows:?}"), rule).into());
        }
        if let Some(n_init @ 2..) = self.n_init {
            let rule = "data in parts are fitted once; leave it out";
            return Err(config_error("n_init", n_init, rule).into());
        }

        let mut rng = seeding::random_stream(self.seed, 0);
        let mut survey = Survey::<B>::new(seeding::sample_size(self.n_clusters));
        parts(&mut |x| Ok(survey.add(&transfer::untracked(x), &mut rng)?))?;
        let (device, dtype, moments, sample) = survey.finish()?;
        let features = sample.dims()[1];
        let center = transfer::upload::<B, 2>(moments.mean(), [1, features], &device, dtype);
        let spread = moments.variance().iter().sum::<f64>() / features as f64;
        if !spread.is_finite() {
            return Err(Error::Overflow.into());
        }

        let ones = vec![1.0; sample.dims()[0]];
        seeding::require_distinct_rows(&sample, &ones, self.n_clusters)?;
        let weights = transfer::upload(ones, [sample.dims()[0]], &device, dtype);
        let sampled = Points { x: &sample, weights: &weights, center: &center };
        let (mut centroids, seeding) =
            seeding::from_sample(&self.init, self.n_clusters, &sampled, moments.rows, &mut rng)?;

        let (mut n_iter, mut converged) = (0, false);
        while n_iter < self.max_iter && !converged {
            let affine = sampled.affine(&centroids);
            let mut sums = vec![0.0; self.n_clusters * features];
            let mut counts = vec![0.0; self.n_clusters];
            parts(&mut |x| {
                let x = transfer::untracked(x);
                validate::input("a part", &x, features, dtype)?;
                if x.dims()[0] > 0 {
                    let ones = Tensor::ones([x.dims()[0]], (&device, dtype));
                    let (_, totals) = kernel::assign_and_sum(&x, &ones, &affine);
                    add(&mut sums, transfer::download(totals.sums));
                    add(&mut counts, transfer::download(totals.weights));
                }
                Ok(())
            })?;
            let moved = lloyd::means_of_parts(&sampled, &centroids, &sums, &counts);
            let shift = transfer::download((moved.clone() - centroids).square().sum())[0];
            if !shift.is_finite() {
                return Err(Error::Overflow.into());
            }
            centroids = moved;
            n_iter += 1;
            observe(Progress { run: 0, n_init: 1, iteration: n_iter, shift });
            converged = shift <= self.tol * spread;
        }

        let centroids = centroids + center;
        let affine = kernel::Affine::of(&centroids);
        let mut end = End::new(self.n_clusters);
        parts(&mut |x| {
            let x = transfer::untracked(x);
            validate::input("a part", &x, features, dtype)?;
            end.add(&x, &affine, &centroids);
            Ok(())
        })?;
        if !end.inertia.is_finite() {
            return Err(Error::Overflow.into());
        }
        Ok(PartsFit {
            model: KMeans::new(centroids, end.beta(dtype)),
            inertia: end.inertia,
            n_iter,
            converged,
            sizes: end.sizes,
            seeding,
        })
    }
}

fn add(totals: &mut [f64], part: Vec<f64>) {
    for (total, part) in totals.iter_mut().zip(part) {
        *total += part;
    }
}

/// What the first pass finds out.
struct Survey<B: Backend> {
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
                validate::not_empty("a part", x)?;
                validate::dtype::<B>("a part", &x.device(), x.dtype())?;
                validate::values("a part", x)?;
                self.seen = Some((Moments::of(x), x.device(), x.dtype()));
                0
            }
            Some((moments, _, dtype)) => {
                validate::input("a part", x, moments.least().len(), *dtype)?;
                let before = moments.rows;
                moments.add(x);
                before
            }
        };
        self.draw(x, before, rng);
        Ok(())
    }

    /// Every row seen so far is in the sample with the same probability
    /// (Vitter 1985, algorithm R).
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
        let features = moments.least().len();
        let rows = self.rows.len() / features;
        let sample = transfer::upload(self.rows, [rows, features], &device, dtype);
        Ok((device, dtype, moments, sample))
    }
}

/// What the last pass finds out.
struct End {
    inertia: f64,
    sizes: Vec<usize>,
    logits: f64,
}

impl End {
    fn new(clusters: usize) -> Self {
        Self { inertia: 0.0, sizes: vec![0; clusters], logits: 0.0 }
    }

    fn add<B: Backend>(
        &mut self,
        x: &Tensor<B, 2>,
        affine: &kernel::Affine<B>,
        centroids: &Tensor<B, 2>,
    ) {
        if x.dims()[0] == 0 {
            return;
        }
        let labels = match self.sizes.len() {
            1 => kernel::nearest(x, affine),
            _ => {
                let (labels, logits) = kernel::nearest_with_logit(x, affine);
                self.logits += kernel::sum(logits);
                labels
            }
        };
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
