use burn::config::Config;
use burn::tensor::{Tensor, backend::Backend};

use crate::cluster::bandwidth::{Spacing, distances};
use crate::cluster::config::config_error;
use crate::cluster::kernel_kmeans::{check_gamma, cluster_sizes};
use crate::cluster::{KernelKMeans, seeding, supports};
use crate::error::{Error, Result};
use crate::{kernel, transfer, validate};

/// Makes a clusterer that can be explained of any labelled partition: of DBSCAN,
/// HDBSCAN, spectral or hierarchical clustering, or of labels given by hand.
///
/// The members of every cluster become its supports, and a point belongs to the
/// cluster with the largest mean similarity `exp(−γ ‖x−u‖²)` to them; with a
/// large γ that is the rule of the nearest member, which reproduces any
/// partition that has gaps. How well it does is measured: the share of labelled
/// points that get their own label from the *other* points.
///
/// If γ is not given, it is chosen: the smallest of a row of candidates whose
/// agreement is within 0.002 of the best, because a smaller γ makes smoother
/// explanations.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::cluster::LabelledConfig;
///
/// let x = Tensor::<Flex, 2>::from_data(
///     [[0.0, 0.0], [0.1, 0.2], [3.0, 3.0], [3.2, 2.9], [9.0, -9.0]],
///     &Default::default(),
/// );
/// // The last point is noise.
/// let labels = [Some(0), Some(0), Some(1), Some(1), None];
/// let fit = LabelledConfig::new().fit(&x, &labels)?;
/// assert_eq!((fit.sizes, fit.noise, fit.agreement), (vec![2, 2], 1, 1.0));
/// let network = fit.model.neuralize()?;
/// # let _ = network;
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Config, Debug, PartialEq)]
pub struct LabelledConfig {
    /// The stiffness γ, in inverse squared units of the data; infinity is the
    /// rule of the nearest member. By default it is chosen.
    pub gamma: Option<f64>,
    /// How many prototypes stand for a cluster, centroids of k-means fitted to
    /// its members; by default all members do.
    pub prototypes: Option<usize>,
    /// Seed of the random numbers: of samples, and of prototypes.
    #[config(default = 0)]
    pub seed: u64,
}

/// A labelled partition as a clusterer, and how well it reproduces the labels.
#[derive(Debug)]
#[non_exhaustive]
pub struct LabelledFit<B: Backend> {
    /// The clusterer.
    pub model: KernelKMeans<B>,
    /// The share of labelled points that the network of the model puts where
    /// their label says. Where it is low, explanations are of another partition.
    pub agreement: f64,
    /// Whether [`agreement`](Self::agreement) is without every point's own support.
    /// With prototypes it is so only for a point that is one; the others have
    /// seen the point.
    pub left_out: bool,
    /// The γ that was used.
    pub gamma: f64,
    /// Points in every cluster.
    pub sizes: Vec<usize>,
    /// Points without a cluster.
    pub noise: usize,
    /// The row of x that every support of the model is; none with prototypes.
    pub support_rows: Option<Vec<usize>>,
}

/// Most points that a candidate for γ is tried on.
const TRIED: usize = 2000;

/// Most distances from these points to supports, as long as there are some points.
const DISTANCES: usize = 1 << 24;

/// Fewest points that a candidate is tried on, if there are so many.
const FEWEST: usize = 200;

/// How many candidates there are.
const CANDIDATES: usize = 17;

/// Agreement that a smoother explanation may cost.
const WORSE: f64 = 0.002;

impl LabelledConfig {
    /// A clusterer of the rows of x and the cluster of each, or none for noise,
    /// which is left out.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`, labels: N
    ///
    /// # Errors
    ///
    /// If a setting cannot be used, x is empty or holds values that are not
    /// finite, there are more or fewer labels than rows, fewer than two clusters,
    /// or cluster numbers that are not 0 to K − 1.
    pub fn fit<B: Backend>(
        &self,
        x: &Tensor<B, 2>,
        labels: &[Option<usize>],
    ) -> Result<LabelledFit<B>> {
        validate::not_empty("x", x)?;
        validate::dtype::<B>("x", &x.device(), x.dtype())?;
        validate::values("x", x)?;
        if let Some(gamma) = self.gamma {
            check_gamma(gamma, x.dtype())?;
        }
        if self.prototypes == Some(0) {
            return Err(config_error("prototypes", 0, "at least 1"));
        }
        if labels.len() != x.dims()[0] {
            let expected = format!("{}, one a row of x", x.dims()[0]);
            return Err(Error::shape("the list of labels", expected, &[labels.len()]));
        }
        let (kept, numbers): (Vec<usize>, Vec<usize>) = labels
            .iter()
            .enumerate()
            .filter_map(|(row, label)| label.map(|label| (row, label)))
            .unzip();
        if kept.is_empty() {
            return Err(config_error(
                "labels",
                "noise only",
                "at least two clusters must be labelled",
            ));
        }
        let sizes = cluster_sizes(numbers.iter().copied())?;
        if sizes.len() < 2 {
            return Err(Error::NoCompetitor);
        }
        let x = transfer::untracked(x.clone());
        let x = if kept.len() == labels.len() {
            x
        } else {
            x.clone().select(0, transfer::upload_indices(&kept, &x.device()))
        };

        let chosen = supports::of_clusters(&x, &numbers, &sizes, self.prototypes, self.seed)?;
        let left_out = chosen.rows.is_some();
        let (points, numbers) = match &chosen.rows {
            Some(rows) => (chosen.table.clone(), rows.iter().map(|row| numbers[*row]).collect()),
            None => (x, numbers),
        };
        let model = |gamma| KernelKMeans::new(chosen.table.clone(), &chosen.sizes, gamma, None);
        let gamma = match self.gamma {
            Some(gamma) => gamma,
            None => self.smoothest(&model(f64::INFINITY), &points, &numbers)?,
        };
        let model = model(gamma);
        let (agreement, beta) = model.judged(&points, &numbers)?;
        Ok(LabelledFit {
            gamma: model.gamma(),
            model: model.and_beta(beta),
            agreement,
            left_out,
            sizes,
            noise: labels.len() - kept.len(),
            support_rows: chosen.rows.map(|rows| rows.into_iter().map(|row| kept[row]).collect()),
        })
    }

    /// The smallest candidate for γ that agrees with the labels as well as any, or
    /// nearly so.
    fn smoothest<B: Backend>(
        &self,
        model: &KernelKMeans<B>,
        points: &Tensor<B, 2>,
        numbers: &[usize],
    ) -> Result<f64> {
        let [rows, features] = points.dims();
        let spacing = Spacing::of(&distances(&model.supports(), self.seed))?;
        // From far wider than the data to the nearest member alone.
        let (least, most) = (0.1 / spacing.median, 10.0 / spacing.nearest.min(spacing.median));
        let largest = transfer::largest(points.dtype());
        let candidates: Vec<f64> = (0..CANDIDATES)
            .map(|i| least * (most / least).powf(i as f64 / (CANDIDATES - 1) as f64))
            .map(|gamma| gamma.clamp(1.0 / largest, largest))
            .collect();

        let mut rng = seeding::random_stream(self.seed, 0);
        let count = TRIED.min((DISTANCES / model.n_supports()).max(FEWEST));
        let tried = seeding::some_rows(rows, count, &mut rng);
        let network = model.neuralize()?.leaving_out_training_points(true);
        let segments: Vec<_> =
            candidates.iter().map(|gamma| network.segments().with_gamma(*gamma)).collect();
        let mut agreeing = vec![0usize; candidates.len()];
        let step = kernel::block_rows(model.n_supports() + features);
        for part in tried.chunks(step) {
            let block = points.clone().select(0, transfer::upload_indices(part, &points.device()));
            let (t, left_out) = network.similarities(network.centred(block));
            for (segments, agreeing) in segments.iter().zip(&mut agreeing) {
                let found = segments.pool(&t, left_out.as_ref()).argmax(1);
                let found = transfer::download_indices(found);
                *agreeing +=
                    found.iter().zip(part).filter(|(found, row)| **found == numbers[**row]).count();
            }
        }
        let best = agreeing.iter().max().copied().unwrap_or(0);
        let enough = best as f64 - WORSE * tried.len() as f64;
        let first = agreeing.iter().position(|agreeing| *agreeing as f64 >= enough);
        Ok(candidates[first.unwrap_or(CANDIDATES - 1)])
    }
}
