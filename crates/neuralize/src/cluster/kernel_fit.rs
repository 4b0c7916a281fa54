use burn::config::Config;
use burn::tensor::{DType, Int, Tensor, backend::Backend};
use rand_chacha::ChaCha8Rng;

use crate::cluster::config::config_error;
use crate::cluster::kernel_kmeans::{by_cluster, check_gamma};
use crate::cluster::{Bandwidth, KMeansConfig, KernelKMeans, seeding, spectral, supports};
use crate::error::{Error, Result};
use crate::kernel::{self, Affine, Scores};
use crate::{transfer, validate};

/// Settings of a kernel k-means fit with the Gaussian kernel
/// `k(x, u) = exp(−γ ‖x−u‖²)`.
///
/// Minimised is `Σ ‖φ(x) − mean of φ over its cluster‖²`, which is
/// `Σ 1 − 2 m_c(x) + n_c` with the mean similarity `m_c(x)` of a point to the
/// members of its cluster and the mean `n_c` of m_c over them. Clusters may have
/// any form, as long as they are denser inside than between. The kernel matrix
/// is computed in blocks, again for every iteration where it has more than 2²⁵
/// entries, and never held whole; time grows with N².
///
/// Where iterations start decides where they end, far more than with k-means.
/// The first start is a spectral one: k-means on the leading eigenvectors of
/// the normalised kernel matrix of at most 1000 rows, the relaxation of this very
/// problem. The others are k-means++ in the space of φ. The least inertia wins.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::{DType, Tensor, TensorData};
/// use neuralize::cluster::KernelKMeansConfig;
///
/// // A ring around a blob.
/// let ring = (0..60).map(|i| (i as f64 * 0.105, 3.0));
/// let blob = (0..20).map(|i| (i as f64 * 2.4, 0.2));
/// let points: Vec<f64> =
///     ring.chain(blob).flat_map(|(angle, r)| [r * angle.cos(), r * angle.sin()]).collect();
/// let device = Default::default();
/// let x = Tensor::<Flex, 2>::from_data(TensorData::new(points, [80, 2]), (&device, DType::F64));
///
/// let fit = KernelKMeansConfig::new(2).fit(&x)?;
/// let mut sizes = fit.sizes.clone();
/// sizes.sort();
/// assert_eq!(sizes, [20, 60]);
/// assert_eq!(fit.agreement, 1.0);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Config, Debug, PartialEq)]
pub struct KernelKMeansConfig {
    /// How many clusters, K.
    pub n_clusters: usize,
    /// How γ is chosen.
    #[config(default = "Bandwidth::Neighbours")]
    pub bandwidth: Bandwidth,
    /// Restarts, the best of which is kept. They share their passes over the
    /// kernel matrix. By default 10, and 4 where the matrix has more than 2²⁵
    /// entries.
    pub n_init: Option<usize>,
    /// Most iterations of one restart.
    #[config(default = 300)]
    pub max_iter: usize,
    /// Seed of the random numbers.
    #[config(default = 0)]
    pub seed: u64,
    /// How many prototypes stand for a cluster in the model, centroids of
    /// k-means fitted to its members; by default all members do.
    pub prototypes: Option<usize>,
}

/// A fitted clusterer and what is known of its fit; everything belongs to the
/// same best restart.
#[derive(Debug)]
#[non_exhaustive]
pub struct KernelKMeansFit<B: Backend> {
    /// The clusterer.
    pub model: KernelKMeans<B>,
    /// Cluster of every row, `[N]`. The model decides by mean similarity alone
    /// and from its supports, so `model.predict(x)` may differ here and there.
    pub labels: Tensor<B, 1, Int>,
    /// `Σ ‖φ(x) − mean of φ over its cluster‖²`.
    pub inertia: f64,
    /// The γ that was used.
    pub gamma: f64,
    /// Iterations of the best restart.
    pub n_iter: usize,
    /// Whether that restart converged before `max_iter`.
    pub converged: bool,
    /// Rows in every cluster.
    pub sizes: Vec<usize>,
    /// The share of rows that the network of the model puts where the labels say.
    pub agreement: f64,
    /// Whether [`agreement`](Self::agreement) is without every row's own support.
    /// With prototypes it is so only for a row that is one.
    pub left_out: bool,
    /// The row that every support of the model is; none with prototypes.
    pub support_rows: Option<Vec<usize>>,
}

/// Agreement of the network with its fit that is enough for a bandwidth.
const AGREES: f64 = 0.95;

/// Rows of the sample that spectral starts are found on; the matrix of so many
/// is kept.
const SAMPLE: usize = 1000;

/// Most clusters that a spectral start is sought for.
const MOST_VECTORS: usize = 100;

/// Entries of a kernel matrix that is kept.
const KEPT: usize = 1 << 25;

/// Entries of a table of memberships.
const MEMBERSHIPS: usize = 1 << 22;

impl KernelKMeansConfig {
    /// Fits to the rows of x.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If a setting cannot be used, x is empty or holds values that are not
    /// finite, fewer than K of its rows differ, or all do not for the kernel.
    pub fn fit<B: Backend>(&self, x: &Tensor<B, 2>) -> Result<KernelKMeansFit<B>> {
        self.check_settings()?;
        validate::not_empty("x", x)?;
        validate::dtype::<B>("x", &x.device(), x.dtype())?;
        validate::values("x", x)?;
        let x = &transfer::untracked(x.clone());
        let rows = x.dims()[0];
        seeding::require_distinct_rows(x, &vec![1.0; rows], self.n_clusters)?;

        let mut best: Option<KernelKMeansFit<B>> = None;
        let mut failed = Error::Empty { what: "x" };
        for bandwidth in self.bandwidth.candidates(rows) {
            let gamma = bandwidth.gamma(x, self.seed).and_then(|gamma| held(gamma, x.dtype()));
            match gamma.and_then(|gamma| self.fit_by(x, gamma)) {
                Ok(fit) if fit.agreement >= AGREES => return Ok(fit),
                Ok(fit) if best.as_ref().is_none_or(|best| fit.agreement > best.agreement) => {
                    best = Some(fit);
                }
                Ok(_) => {}
                Err(error) => failed = error,
            }
        }
        best.ok_or(failed)
    }

    /// Fits checked data with this γ.
    fn fit_by<B: Backend>(&self, x: &Tensor<B, 2>, gamma: f64) -> Result<KernelKMeansFit<B>> {
        let (rows, clusters) = (x.dims()[0], self.n_clusters);
        let similarities = Similarities::of(x, gamma);
        if clusters > 1 && similarities.all_alike() {
            return Err(flat(gamma));
        }
        let few = rows.saturating_mul(rows) <= KEPT;
        let n_init = self.n_init.unwrap_or(if few { 10 } else { 4 });
        let together = (MEMBERSHIPS / (rows * clusters)).max(1);
        let mut best: Option<Run> = None;
        for group in kernel::blocks(n_init, together) {
            let mut runs: Vec<Run> = group
                .map(|run| {
                    let mut rng = seeding::random_stream(self.seed, run);
                    let spectral = match run {
                        0 => self.spectral_start(&similarities, &mut rng)?,
                        _ => None,
                    };
                    let start = || seeded_start(&similarities, clusters, &mut rng);
                    Ok(Run::from(spectral.unwrap_or_else(start)))
                })
                .collect::<Result<_>>()?;
            iterate(&similarities, &mut runs, clusters, self.max_iter);
            for run in runs {
                if best.as_ref().is_none_or(|best| run.inertia < best.inertia) {
                    best = Some(run);
                }
            }
        }
        let best = best.ok_or_else(|| config_error("n_init", 0, "at least 1"))?;
        self.finished(x, gamma, best)
    }

    fn finished<B: Backend>(
        &self,
        x: &Tensor<B, 2>,
        gamma: f64,
        best: Run,
    ) -> Result<KernelKMeansFit<B>> {
        let sizes = best.sizes(self.n_clusters);
        if sizes.contains(&0) {
            return Err(flat(gamma));
        }
        let chosen = supports::of_clusters(x, &best.labels, &sizes, self.prototypes, self.seed)?;
        let model = KernelKMeans::new(chosen.table.clone(), &chosen.sizes, gamma, None);
        let (agreement, beta) = match &chosen.rows {
            Some(rows) => {
                let labels: Vec<usize> = rows.iter().map(|row| best.labels[*row]).collect();
                model.judged(&chosen.table, &labels)?
            }
            None => model.judged(x, &best.labels)?,
        };
        Ok(KernelKMeansFit {
            model: model.and_beta(beta),
            labels: transfer::upload_indices(&best.labels, &x.device()),
            inertia: best.inertia,
            gamma,
            n_iter: best.iterations,
            converged: best.converged,
            sizes,
            agreement,
            left_out: chosen.rows.is_some(),
            support_rows: chosen.rows,
        })
    }

    fn check_settings(&self) -> Result<()> {
        self.bandwidth.check()?;
        for (name, value) in [
            ("n_clusters", self.n_clusters),
            ("n_init", self.n_init.unwrap_or(1)),
            ("max_iter", self.max_iter),
            ("prototypes", self.prototypes.unwrap_or(1)),
        ] {
            if value == 0 {
                return Err(config_error(name, 0, "at least 1"));
            }
        }
        Ok(())
    }

    /// Labels from the spectral relaxation on a sample; the other rows join the
    /// cluster of the largest mean similarity. None where the eigenvectors do not
    /// tell K clusters apart.
    fn spectral_start<B: Backend>(
        &self,
        similarities: &Similarities<'_, B>,
        rng: &mut ChaCha8Rng,
    ) -> Result<Option<Vec<usize>>> {
        let x = similarities.x;
        let (rows, clusters) = (x.dims()[0], self.n_clusters);
        let chosen = seeding::some_rows(rows, SAMPLE.min(rows), rng);
        let count = chosen.len();
        // The work on the eigenvectors grows with the cube of their number.
        if clusters < 2 || clusters > count.min(MOST_VECTORS) {
            return Ok(None);
        }
        let sample = x.clone().select(0, transfer::upload_indices(&chosen, &x.device()));
        let sampled = Similarities::of(&sample, similarities.gamma);
        let matrix = Tensor::cat(sampled.kept.clone(), 0);
        let scale = matrix.clone().sum_dim(1).sqrt();
        let scale = scale.ones_like() / scale;
        let normalised = matrix * scale.clone() * scale.clone().transpose();
        let mut embedding = spectral::leading_vectors(&normalised, clusters, rng);
        let scales = transfer::download(scale);
        for (row, scale) in embedding.chunks_exact_mut(clusters).zip(&scales) {
            row.iter_mut().for_each(|value| *value *= scale);
        }
        let embedding =
            transfer::upload::<B, 2>(embedding, [count, clusters], &x.device(), x.dtype());
        let fit = match KMeansConfig::new(clusters).with_seed(self.seed).fit(&embedding) {
            Ok(fit) => fit,
            Err(Error::TooFewPoints { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let labels = transfer::download_indices(fit.labels);
        if count == rows {
            return Ok(Some(labels));
        }
        let memberships = Run::from(labels).memberships(clusters);
        let table = transfer::upload(memberships, [count, clusters], &x.device(), x.dtype());
        let similar = |block: Tensor<B, 2>| sampled.of_rows(&block).matmul(table.clone());
        let none = || transfer::upload_indices(&[], &x.device());
        Ok(Some(transfer::download_indices(kernel::map_rows(x, count, none, |block| {
            similar(block).argmax(1).squeeze_dim(1)
        }))))
    }
}

/// γ as the precision holds it.
fn held(gamma: f64, dtype: DType) -> Result<f64> {
    let gamma = match dtype {
        DType::F64 => gamma,
        _ => f64::from(gamma as f32),
    };
    check_gamma(gamma, dtype)?;
    if gamma.is_finite() {
        Ok(gamma)
    } else {
        Err(config_error("gamma", gamma, "it must be finite in the precision of the data"))
    }
}

fn flat(gamma: f64) -> Error {
    let rule = "the kernel cannot tell the points apart in this precision; use a larger gamma";
    config_error("gamma", gamma, rule)
}

/// The distance from 1 to the next number.
pub(super) fn precision(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::EPSILON,
        _ => f64::from(f32::EPSILON),
    }
}

/// The kernel matrix, in blocks of rows.
struct Similarities<'a, B: Backend> {
    x: &'a Tensor<B, 2>,
    affine: Affine<B>,
    gamma: f64,
    /// All blocks, where they are few.
    kept: Vec<Tensor<B, 2>>,
}

impl<'a, B: Backend> Similarities<'a, B> {
    fn of(x: &'a Tensor<B, 2>, gamma: f64) -> Self {
        let rows = x.dims()[0];
        let mut similarities = Self { x, affine: Affine::of(x), gamma, kept: Vec::new() };
        if rows.saturating_mul(rows) <= KEPT {
            similarities.kept =
                similarities.ranges().map(|range| similarities.compute(range)).collect();
        }
        similarities
    }

    /// Whether rounding leaves no point less similar to another than to itself.
    fn all_alike(&self) -> bool {
        let radius = transfer::download(self.affine.scores.bias.clone().neg().max())[0];
        4.0 * radius * self.gamma < precision(self.x.dtype())
    }

    fn ranges(&self) -> impl Iterator<Item = core::ops::Range<usize>> + use<B> {
        let [rows, features] = self.x.dims();
        kernel::blocks(rows, kernel::block_rows(rows + features))
    }

    fn compute(&self, range: core::ops::Range<usize>) -> Tensor<B, 2> {
        let [rows, features] = self.x.dims();
        let block = self.x.clone().slice([range.clone(), 0..features]);
        // Of a point to itself it is 1, whatever rounding makes of its distance.
        let own = Tensor::arange(range.start as i64..range.end as i64, &self.x.device());
        let own = kernel::is_own(own.unsqueeze_dim(1), rows);
        self.of_rows(&block).mask_fill(own, 1.0)
    }

    /// `exp(−γ ‖x−u‖²)` of rows to all of x.
    fn of_rows(&self, rows: &Tensor<B, 2>) -> Tensor<B, 2> {
        (kernel::squared_distances(rows, &self.affine) * -self.gamma).exp()
    }

    /// The matrix times a table of so many columns, on the host.
    fn times(&self, table: Vec<f64>, columns: usize) -> Vec<f64> {
        let rows = self.x.dims()[0];
        let table =
            transfer::upload::<B, 2>(table, [rows, columns], &self.x.device(), self.x.dtype());
        let mut products = Vec::with_capacity(rows * columns);
        for (index, range) in self.ranges().enumerate() {
            let block = match self.kept.get(index) {
                Some(block) => block.clone(),
                None => self.compute(range),
            };
            products.extend(transfer::download(block.matmul(table.clone())));
        }
        products
    }

    /// Mean similarity of every row to every cluster, `[N, K]`, by the fused kernel
    /// of supports, where there is one for these tensors: no entry of the matrix
    /// is written down, which is many times faster. Not where the matrix is kept,
    /// nor where γ is so large that rounding of ‖x‖² is seen in it.
    fn means_of(&self, labels: &[usize], sizes: &[usize]) -> Option<Vec<f64>> {
        if !self.kept.is_empty() {
            return None;
        }
        let rounding = precision(self.x.dtype());
        let centred = self.x.clone() - self.affine.center.clone();
        let norms = centred.clone().square().sum_dim(1);
        let farthest = transfer::download(norms.clone().max())[0];
        if self.gamma * farthest * rounding > rounding.sqrt() {
            return None;
        }
        let order = transfer::upload_indices(&by_cluster(labels), &self.x.device());
        let affine = Affine {
            center: self.affine.center.clone(),
            scores: Scores::of(centred.select(0, order)),
        };
        let scores = kernel::support_scores(self.x, &affine, sizes, self.gamma)?;
        let shape = scores.dims();
        Some(transfer::download(((scores - norms.expand(shape)) * self.gamma).exp()))
    }

    /// Squared distance of every row to one of them.
    fn distances_to(&self, row: usize) -> Vec<f64> {
        let features = self.x.dims()[1];
        let seed = self.x.clone().slice([row..row + 1, 0..features]);
        transfer::download(kernel::squared_distances(self.x, &Affine::of(&seed)))
    }
}

/// Labels by the nearest of K seeds, chosen by k-means++ in the space of φ, where
/// the squared distance is `2 − 2 k(x, s)`.
fn seeded_start<B: Backend>(
    similarities: &Similarities<'_, B>,
    clusters: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<usize> {
    let rows = similarities.x.dims()[0];
    let mut labels = vec![0; rows];
    let mut least = vec![f64::INFINITY; rows];
    let mut seed = ((seeding::uniform(rng) * rows as f64) as usize).min(rows - 1);
    for cluster in 0..clusters {
        for (row, distance) in similarities.distances_to(seed).into_iter().enumerate() {
            if distance < least[row] {
                least[row] = distance;
                labels[row] = cluster;
            }
        }
        least[seed] = 0.0;
        let mass: Vec<f64> =
            least.iter().map(|distance| -2.0 * (-similarities.gamma * distance).exp_m1()).collect();
        seed = seeding::position(&mass, seeding::uniform(rng) * mass.iter().sum::<f64>());
    }
    labels
}

/// One restart.
struct Run {
    labels: Vec<usize>,
    inertia: f64,
    iterations: usize,
    converged: bool,
    finished: bool,
}

impl From<Vec<usize>> for Run {
    fn from(labels: Vec<usize>) -> Self {
        Self { labels, inertia: f64::INFINITY, iterations: 0, converged: false, finished: false }
    }
}

impl Run {
    fn sizes(&self, clusters: usize) -> Vec<usize> {
        let mut sizes = vec![0; clusters];
        self.labels.iter().for_each(|label| sizes[*label] += 1);
        sizes
    }

    /// 1 / size of its cluster for every row, `[N, K]`.
    fn memberships(&self, clusters: usize) -> Vec<f64> {
        let sizes = self.sizes(clusters);
        let mut table = vec![0.0; self.labels.len() * clusters];
        for (row, &label) in table.chunks_exact_mut(clusters).zip(&self.labels) {
            row[label] = 1.0 / sizes[label] as f64;
        }
        table
    }

    /// One iteration, given the mean similarity of every row to every cluster,
    /// `[N, K]`; without `moving` only the inertia is found.
    fn step(&mut self, means: &[f64], clusters: usize, moving: bool, tolerance: f64) {
        let sizes = self.sizes(clusters);
        let mut norms = vec![0.0; clusters];
        for (row, &label) in means.chunks_exact(clusters).zip(&self.labels) {
            norms[label] += row[label] / sizes[label] as f64;
        }
        self.inertia =
            sizes.iter().zip(&norms).map(|(size, norm)| *size as f64 * (1.0 - norm)).sum();
        if !moving {
            self.finished = true;
            return;
        }
        let mut changed = false;
        let mut members = sizes.clone();
        let mut distances = Vec::with_capacity(self.labels.len());
        for (row, label) in means.chunks_exact(clusters).zip(&mut self.labels) {
            let distance = |k: usize| 1.0 - 2.0 * row[k] + norms[k];
            let mut nearest = *label;
            for k in (0..clusters).filter(|k| sizes[*k] > 0) {
                // Rounding is no reason to move.
                let kept = if nearest == *label { tolerance } else { 0.0 };
                if distance(k) < distance(nearest) - kept {
                    nearest = k;
                }
            }
            distances.push(distance(nearest));
            if nearest != *label {
                members[*label] -= 1;
                members[nearest] += 1;
                *label = nearest;
                changed = true;
            }
        }
        changed |= self.relocate(&mut members, &distances, tolerance);
        self.iterations += 1;
        if !changed {
            self.converged = true;
            self.finished = true;
        }
    }

    /// Gives every cluster without members the point that is farthest from its
    /// own, if there is one.
    fn relocate(&mut self, members: &mut [usize], distances: &[f64], tolerance: f64) -> bool {
        if !members.contains(&0) {
            return false;
        }
        let mut order: Vec<usize> =
            (0..distances.len()).filter(|row| distances[*row] > tolerance).collect();
        order.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]).then(a.cmp(&b)));
        let mut order = order.into_iter();
        let mut changed = false;
        for empty in 0..members.len() {
            if members[empty] > 0 {
                continue;
            }
            let Some(row) = order.by_ref().find(|row| members[self.labels[*row]] > 1) else {
                break;
            };
            members[self.labels[row]] -= 1;
            members[empty] = 1;
            self.labels[row] = empty;
            changed = true;
        }
        changed
    }
}

/// Kernel k-means from given labels, all restarts in the same passes.
fn iterate<B: Backend>(
    similarities: &Similarities<'_, B>,
    runs: &mut [Run],
    clusters: usize,
    max_iter: usize,
) {
    let rows = similarities.x.dims()[0];
    let tolerance = 16.0 * precision(similarities.x.dtype());
    for iteration in 0..=max_iter {
        let moving = iteration < max_iter;
        let mut active: Vec<&mut Run> = Vec::new();
        for run in runs.iter_mut().filter(|run| !run.finished) {
            match similarities.means_of(&run.labels, &run.sizes(clusters)) {
                Some(means) => run.step(&means, clusters, moving, tolerance),
                None => active.push(run),
            }
        }
        if active.is_empty() {
            if runs.iter().all(|run| run.finished) { return } else { continue }
        }
        let columns = active.len() * clusters;
        let mut table = vec![0.0; rows * columns];
        for (index, run) in active.iter().enumerate() {
            let memberships = run.memberships(clusters);
            for (row, part) in
                table.chunks_exact_mut(columns).zip(memberships.chunks_exact(clusters))
            {
                row[index * clusters..(index + 1) * clusters].copy_from_slice(part);
            }
        }
        let products = similarities.times(table, columns);
        for (index, run) in active.iter_mut().enumerate() {
            let means: Vec<f64> = products
                .chunks_exact(columns)
                .flat_map(|row| &row[index * clusters..(index + 1) * clusters])
                .copied()
                .collect();
            run.step(&means, clusters, moving, tolerance);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    /// By the definition, by the matrix, and by the kernel that never writes it.
    #[test]
    fn mean_similarities() {
        const ROWS: usize = 130;
        let values: Vec<f64> = (0..ROWS * 3).map(|i| ((i * i + 7 * i) % 23) as f64 / 7.0).collect();
        let labels: Vec<usize> = (0..ROWS).map(|row| row * 5 % 7 % 3).collect();
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-5)] {
            let x: Tensor<Flex, 2> =
                transfer::upload(values.clone(), [ROWS, 3], &Default::default(), dtype);
            for gamma in [0.01, 0.8, 30.0] {
                let run = Run::from(labels.clone());
                let sizes = run.sizes(3);
                let kept = Similarities::of(&x, gamma);
                assert!(kept.means_of(&labels, &sizes).is_none());
                let free = Similarities { kept: Vec::new(), ..Similarities::of(&x, gamma) };
                let fused = free.means_of(&labels, &sizes).expect("in host memory");
                let written = free.times(run.memberships(3), 3);
                for row in 0..ROWS {
                    let mut expected = [0.0; 3];
                    for other in 0..ROWS {
                        let distance: f64 = (0..3)
                            .map(|i| (values[row * 3 + i] - values[other * 3 + i]).powi(2))
                            .sum();
                        expected[labels[other]] +=
                            (-gamma * distance).exp() / sizes[labels[other]] as f64;
                    }
                    for (k, expected) in expected.iter().enumerate() {
                        for found in [fused[row * 3 + k], written[row * 3 + k]] {
                            let error = (found - expected).abs();
                            assert!(error <= tolerance * (1.0 + gamma), "{row}, {k}: {found}");
                        }
                    }
                }
            }
            let steep = Similarities { kept: Vec::new(), ..Similarities::of(&x, 1e12) };
            assert!(steep.means_of(&labels, &[43, 43, 44]).is_none());
        }
    }
}
