//! A kernel k-means fit: settings, restarts and result.

use burn::config::Config;
use burn::tensor::{DType, Int, Tensor, backend::Backend};

use super::lloyd::{Run, iterate};
use super::matrix::{KernelMatrix, is_kept};
use super::start::{plus_plus_start, spectral_start};
use crate::cluster::bandwidth::Bandwidth;
use crate::cluster::kernel_kmeans::{KernelKMeans, check_gamma};
use crate::cluster::settings::at_least_one;
use crate::cluster::solution::Best;
use crate::cluster::{partition, seeding, supports};
use crate::error::{Error, Result};
use crate::random::Stream;
use crate::{kernel, transfer, validate};

/// Settings of a kernel k-means fit with the Gaussian kernel
/// `k(x, u) = exp(−γ ‖x−u‖²)`.
///
/// The fit minimises `Σ ‖φ(x) − mean of φ over its cluster‖²`, which is
/// `Σ 1 − 2 m_c(x) + n_c` with the mean similarity `m_c(x)` of a point to the
/// members of its cluster and the mean `n_c` of m_c over them. Clusters may have
/// any form, as long as they are denser inside than between. The kernel matrix
/// is computed in blocks. If it has more than 2²⁵ entries, it is computed anew in
/// every iteration. Time grows with N².
///
/// The result depends on the start far more than that of k-means. The first
/// restart starts from k-means on the leading eigenvectors of the normalised
/// kernel matrix of at most 1000 rows, a relaxation of the same problem. The
/// others start from k-means++ in the space of φ. The lowest inertia wins.
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
#[non_exhaustive]
pub struct KernelKMeansConfig {
    /// The number of clusters, K.
    pub n_clusters: usize,
    /// How γ is chosen.
    #[config(default = "Bandwidth::Neighbours")]
    pub bandwidth: Bandwidth,
    /// The number of restarts, of which the best is kept. They share their passes
    /// over the kernel matrix. By default 10, and 4 if the matrix has more than
    /// 2²⁵ entries.
    pub n_init: Option<usize>,
    /// Maximum number of iterations of a restart.
    #[config(default = 300)]
    pub max_iter: usize,
    /// Seed of the random numbers.
    #[config(default = 0)]
    pub seed: u64,
    /// The number of supports of a cluster in the model: the centroids of k-means
    /// fitted to its members. By default all members are supports.
    pub prototypes: Option<usize>,
}

/// A fitted clusterer and figures of its fit, all of the same best restart.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct KernelKMeansFit<B: Backend> {
    /// The clusterer.
    pub model: KernelKMeans<B>,
    /// Cluster of every row, `[N]`. The model decides by the mean similarity to its
    /// supports alone, so `model.predict(x)` may differ for some rows.
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
    /// The fraction of rows that the network of the model assigns to their label.
    pub agreement: f64,
    /// Whether [`agreement`](Self::agreement) leaves out every row's own support.
    /// With prototypes, only rows that are one have a support to leave out.
    pub left_out: bool,
    /// The row that every support of the model is; `None` for prototypes.
    pub support_rows: Option<Vec<usize>>,
}

/// The agreement of network and fit at which a bandwidth is accepted.
const AGREES: f64 = 0.95;

/// Maximum number of entries of a table of memberships.
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
    /// If a setting is out of range, x is empty or has values that are not finite,
    /// x has fewer than K different rows, or the kernel is the same for all rows.
    pub fn fit<B: Backend>(&self, x: &Tensor<B, 2>) -> Result<KernelKMeansFit<B>> {
        self.check_settings()?;
        validate::table("x", x)?;
        let x = &transfer::untracked(x.clone());
        let rows = x.dims()[0];
        seeding::require_distinct_rows(x, &vec![1.0; rows], self.n_clusters)?;

        let mut best: Option<KernelKMeansFit<B>> = None;
        let mut failed = Error::Empty { what: "x" };
        for bandwidth in self.bandwidth.candidates(rows) {
            let gamma = bandwidth.gamma(x, self.seed).and_then(|gamma| rounded(gamma, x.dtype()));
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
        let matrix = KernelMatrix::of(x, gamma);
        if clusters > 1 && matrix.is_flat() {
            return Err(flat(gamma));
        }
        let n_init = self.n_init.unwrap_or(if is_kept(rows) { 10 } else { 4 });
        let together = (MEMBERSHIPS / (rows * clusters)).max(1);
        let mut best = Best::new();
        for group in kernel::blocks(n_init, together) {
            let mut runs = group
                .map(|run| {
                    let mut rng = Stream::Restart(run).generator(self.seed);
                    let spectral = match run {
                        0 => spectral_start(&matrix, clusters, self.seed, &mut rng)?,
                        _ => None,
                    };
                    let start = || plus_plus_start(&matrix, clusters, &mut rng);
                    Ok(Run::from(spectral.unwrap_or_else(start)))
                })
                .collect::<Result<Vec<Run>>>()?;
            iterate(&matrix, &mut runs, clusters, self.max_iter);
            runs.into_iter().for_each(|run| best.offer(run.inertia, run));
        }
        self.finish(x, gamma, best.finish()?)
    }

    /// The model of a partition, and its agreement with it.
    fn finish<B: Backend>(
        &self,
        x: &Tensor<B, 2>,
        gamma: f64,
        best: Run,
    ) -> Result<KernelKMeansFit<B>> {
        let sizes = partition::sizes(&best.labels, self.n_clusters);
        if sizes.contains(&0) {
            return Err(flat(gamma));
        }
        let supports = supports::of_clusters(x, &best.labels, &sizes, self.prototypes, self.seed)?;
        let model = KernelKMeans::new(supports.table.clone(), &supports.sizes, gamma, None);
        let (points, labels) = supports.judged_points(x, &best.labels);
        let (agreement, beta) = model.judged(&points, &labels)?;
        Ok(KernelKMeansFit {
            model: model.and_beta(beta),
            labels: transfer::upload_indices(&best.labels, &x.device()),
            inertia: best.inertia,
            gamma,
            n_iter: best.iterations,
            converged: best.converged,
            sizes,
            agreement,
            left_out: supports.rows.is_some(),
            support_rows: supports.rows,
        })
    }

    fn check_settings(&self) -> Result<()> {
        self.bandwidth.check()?;
        at_least_one(&[
            ("n_clusters", self.n_clusters),
            ("n_init", self.n_init.unwrap_or(1)),
            ("max_iter", self.max_iter),
            ("prototypes", self.prototypes.unwrap_or(1)),
        ])
    }
}

/// γ in the precision of the data.
fn rounded(gamma: f64, dtype: DType) -> Result<f64> {
    let gamma = transfer::rounded(gamma, dtype);
    check_gamma(gamma, dtype)?;
    if gamma.is_finite() {
        Ok(gamma)
    } else {
        Err(Error::config("gamma", gamma, "it must be finite in the precision of the data"))
    }
}

fn flat(gamma: f64) -> Error {
    let rule = "the kernel cannot tell the points apart in this precision; use a larger gamma";
    Error::config("gamma", gamma, rule)
}
