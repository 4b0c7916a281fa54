//! An explainable clusterer from any labelled partition.

use burn::config::Config;
use burn::tensor::{Tensor, backend::Backend};

use super::bandwidth::{Spacing, distances};
use super::kernel_kmeans::{KernelKMeans, check_gamma};
use super::labels::Labels;
use super::settings::at_least_one;
use super::{partition, supports};
use crate::error::{Error, Result};
use crate::random::{Stream, subset};
use crate::{kernel, transfer, validate};

/// Settings for making an explainable clusterer from any labelled partition: from
/// DBSCAN, HDBSCAN, spectral or hierarchical clustering, or from labels given by
/// hand.
///
/// The members of every cluster become its supports, and a point belongs to the
/// cluster with the largest mean similarity `exp(−γ ‖x−u‖²)` to them. With a large
/// γ that is the rule of the nearest member, which reproduces any partition that
/// has gaps. The agreement measures how well it does: the fraction of labelled
/// points that get their own label from the *other* points.
///
/// If γ is not given, the smallest candidate is chosen whose agreement is within
/// 0.002 of the best, because a smaller γ makes smoother explanations.
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
///
/// // Labels go in as `predict` returns them, too.
/// let again = LabelledConfig::new().fit(&x, &fit.model.predict(&x)?)?;
/// assert_eq!(again.sizes, [3, 2]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Config, Debug, PartialEq)]
#[non_exhaustive]
pub struct LabelledConfig {
    /// The stiffness γ, in inverse squared units of the data; infinity is the
    /// rule of the nearest member. By default it is chosen.
    pub gamma: Option<f64>,
    /// The number of supports of a cluster: the centroids of k-means fitted to its
    /// members. By default all members are supports.
    pub prototypes: Option<usize>,
    /// Seed of the random numbers, for samples and prototypes.
    #[config(default = 0)]
    pub seed: u64,
}

/// A labelled partition as a clusterer, and how well it reproduces the labels.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct LabelledFit<B: Backend> {
    /// The clusterer.
    pub model: KernelKMeans<B>,
    /// The fraction of labelled points that the network of the model assigns to
    /// their label. If it is low, explanations are of another partition.
    pub agreement: f64,
    /// Whether [`agreement`](Self::agreement) leaves out every point's own support.
    /// With prototypes, only points that are one have a support to leave out; the
    /// other prototypes were fitted to the point.
    pub left_out: bool,
    /// The γ that was used.
    pub gamma: f64,
    /// Points in every cluster.
    pub sizes: Vec<usize>,
    /// Points without a cluster.
    pub noise: usize,
    /// The row of x that every support of the model is; `None` for prototypes.
    pub support_rows: Option<Vec<usize>>,
}

/// Maximum number of points that a candidate for γ is tried on.
const TRIED: usize = 2000;

/// Maximum number of distances from these points to supports, unless [`FEWEST`]
/// points have more.
const DISTANCES: usize = 1 << 24;

/// Number of points that are tried however many distances they have.
const FEWEST: usize = 200;

/// The number of candidates for γ.
const CANDIDATES: usize = 17;

/// The agreement that may be given up for smoother explanations.
const WORSE: f64 = 0.002;

impl LabelledConfig {
    /// A clusterer of the rows of x and the cluster of each. Noise is left out: `None`
    /// in a list, negative numbers in a tensor.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`, labels: `[N]`
    ///
    /// # Errors
    ///
    /// If a setting is out of range, x is empty or has values that are not finite,
    /// the number of labels is not that of the rows, there are fewer than two
    /// clusters, or they are not numbered from 0 without gaps.
    pub fn fit<B: Backend>(
        &self,
        x: &Tensor<B, 2>,
        labels: &(impl Labels + ?Sized),
    ) -> Result<LabelledFit<B>> {
        let labels = labels.read();
        validate::table("x", x)?;
        if let Some(gamma) = self.gamma {
            check_gamma(gamma, x.dtype())?;
        }
        at_least_one(&[("prototypes", self.prototypes.unwrap_or(1))])?;
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
            let rule = "at least two clusters must be labelled";
            return Err(Error::config("labels", "noise only", rule));
        }
        let sizes = partition::checked_sizes(&numbers)?;
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
        let (points, numbers) = chosen.judged_points(&x, &numbers);
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

    /// The smallest candidate for γ whose agreement with the labels is nearly the
    /// best.
    fn smoothest<B: Backend>(
        &self,
        model: &KernelKMeans<B>,
        points: &Tensor<B, 2>,
        numbers: &[usize],
    ) -> Result<f64> {
        let [rows, features] = points.dims();
        let spacing = Spacing::of(&distances(&model.supports(), self.seed))?;
        // From a kernel far wider than the data to the nearest member alone.
        let (least, most) = (0.1 / spacing.median, 10.0 / spacing.nearest.min(spacing.median));
        let largest = transfer::largest(points.dtype());
        let candidates: Vec<f64> = (0..CANDIDATES)
            .map(|i| least * (most / least).powf(i as f64 / (CANDIDATES - 1) as f64))
            .map(|gamma| gamma.clamp(1.0 / largest, largest))
            .collect();

        let mut rng = Stream::Subset.generator(self.seed);
        let count = TRIED.min((DISTANCES / model.n_supports()).max(FEWEST));
        let tried = subset(rows, count, &mut rng);
        let scorer = model.scorer(true)?;
        let segments: Vec<_> =
            candidates.iter().map(|gamma| scorer.segments().with_gamma(*gamma)).collect();
        let mut agreeing = vec![0usize; candidates.len()];
        let step = kernel::block_rows(model.n_supports() + features);
        for part in tried.chunks(step) {
            let block = points.clone().select(0, transfer::upload_indices(part, &points.device()));
            let (t, left_out) = scorer.similarities(scorer.centred(block));
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
