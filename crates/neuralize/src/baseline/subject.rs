use std::fmt::Debug;

use burn::module::AutodiffModule;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor};

use crate::cluster::Clusterer;
use crate::error::Result;
use crate::explain::Target;
use crate::network::Network;
use crate::{kernel, transfer};

/// A clusterer as a function that can be asked for its output and its slope at
/// any point: all that a method of explanation may use.
///
/// The backend of the slope does not show: everything that looks at a subject
/// is generic over the plain backend.
pub trait Subject<B: Backend>: Debug {
    /// The network, whose output is explained.
    fn network(&self) -> &dyn Network<B>;

    /// Slope of the logit that is asked about, `∂f/∂x_i`, for one block of rows.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`, n at least 1
    /// - output: `[n, D]`
    fn slope_block(&self, x: Tensor<B, 2>, pinned: &Pinned<B>) -> Tensor<B, 2>;

    /// The same clusterer for data that are `scale · x + shift` in every
    /// feature; none where it cannot be rewritten for such data.
    ///
    /// # Errors
    ///
    /// If its parameters leave the precision in use.
    fn moved(&self, scale: f64, shift: f64) -> Result<Option<Box<dyn Subject<B>>>>;

    /// A clusterer that has learnt nothing: every column of the table of
    /// centroids (or of the points that stand for clusters) is shuffled by
    /// itself.
    ///
    /// # Errors
    ///
    /// If what comes out is no clusterer.
    fn shuffled(&self, seed: u64) -> Result<Box<dyn Subject<B>>>;

    /// Pins what a target asks of every row to the clusters that the row is in
    /// and next to now.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If x does not fit the network, or the target names a cluster that does
    /// not exist.
    fn pin(&self, x: &Tensor<B, 2>, target: Target) -> Result<Pinned<B>> {
        pin(self.network(), x, target)
    }

    /// The logit that is asked about, wherever the rows are now.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`, N the rows that were pinned
    /// - output: `[N, 1]`
    fn logit(&self, x: &Tensor<B, 2>, pinned: &Pinned<B>) -> Tensor<B, 2> {
        let network = self.network();
        by_blocks(x, network.columns(), 1, |block, range| {
            pinned.rows(range).logit(&network.scores(block))
        })
    }

    /// The slope of [`logit`](Self::logit) in every feature.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`, N the rows that were pinned
    /// - output: `[N, D]`
    fn slope(&self, x: &Tensor<B, 2>, pinned: &Pinned<B>) -> Tensor<B, 2> {
        by_blocks(x, self.network().columns(), x.dims()[1], |block, range| {
            self.slope_block(block, &pinned.rows(range))
        })
    }
}

/// What a target asks of every row of data for a network.
pub(crate) fn pin<B: Backend>(
    network: &dyn Network<B>,
    x: &Tensor<B, 2>,
    target: Target,
) -> Result<Pinned<B>> {
    network.check_input(x)?;
    target.check(network.n_clusters())?;
    let none = || transfer::zeros([0, network.n_clusters()], &x.device(), network.dtype());
    let scores = kernel::map_rows(x, network.columns(), none, |block| network.scores(block));
    Ok(Pinned::of(&scores, target))
}

/// A function of rows and of their numbers, block by block.
pub(crate) fn by_blocks<B: Backend>(
    x: &Tensor<B, 2>,
    columns: usize,
    wide: usize,
    mut body: impl FnMut(Tensor<B, 2>, std::ops::Range<usize>) -> Tensor<B, 2>,
) -> Tensor<B, 2> {
    let [rows, features] = x.dims();
    let parts: Vec<_> = kernel::blocks(rows, kernel::block_rows(columns))
        .map(|range| body(x.clone().slice([range.clone(), 0..features]), range))
        .collect();
    if parts.is_empty() {
        transfer::zeros([0, wide], &x.device(), x.dtype())
    } else {
        Tensor::cat(parts, 0)
    }
}

/// A question that stays the same wherever a row is moved: the explained
/// cluster, and its competitor.
#[derive(Debug, Clone)]
pub struct Pinned<B: Backend> {
    /// The explained cluster of every row, `[N, 1]`.
    cluster: Tensor<B, 2, Int>,
    /// The competitor that is asked about, or the nearest one where the row was
    /// pinned, `[N, 1]`.
    competitor: Tensor<B, 2, Int>,
    /// Whether only that competitor counts: a contrast.
    pair: bool,
}

impl<B: Backend> Pinned<B> {
    /// # Shapes
    ///
    /// - scores: `[N, K]`
    fn of(scores: &Tensor<B, 2>, target: Target) -> Self {
        let [rows, clusters] = scores.dims();
        if rows == 0 {
            let none = transfer::upload_indices::<B>(&[], &scores.device()).reshape([0, 1]);
            return Self { cluster: none.clone(), competitor: none, pair: false };
        }
        let cluster = target.explained(scores);
        let competitor = match target.versus() {
            Some(versus) => cluster.zeros_like() + versus as i64,
            None => {
                let own = kernel::is_own(cluster.clone(), clusters);
                scores.clone().mask_fill(own, -transfer::largest(scores.dtype())).argmax(1)
            }
        };
        Self { cluster, competitor, pair: target.versus().is_some() }
    }

    /// How many rows.
    pub fn len(&self) -> usize {
        self.cluster.dims()[0]
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The explained cluster of every row, `[N, 1]`.
    pub fn cluster(&self) -> Tensor<B, 2, Int> {
        self.cluster.clone()
    }

    /// The competitor that is asked about, or the one that was nearest, `[N, 1]`.
    pub fn competitor(&self) -> Tensor<B, 2, Int> {
        self.competitor.clone()
    }

    /// Whether that competitor is the only one that counts.
    pub fn is_pair(&self) -> bool {
        self.pair
    }

    /// The same of the competitor at hand alone, as a contrast is.
    pub fn as_pair(&self) -> Self {
        Self { pair: true, ..self.clone() }
    }

    /// The questions of some rows that follow each other.
    pub fn rows(&self, range: std::ops::Range<usize>) -> Self {
        let part = |index: &Tensor<B, 2, Int>| index.clone().slice([range.clone(), 0..1]);
        Self { cluster: part(&self.cluster), competitor: part(&self.competitor), pair: self.pair }
    }

    /// The questions of these rows, in their order.
    pub fn select(&self, rows: &[usize]) -> Self {
        let rows = transfer::upload_indices::<B>(rows, &self.cluster.device());
        let some = |index: &Tensor<B, 2, Int>| index.clone().select(0, rows.clone());
        Self { cluster: some(&self.cluster), competitor: some(&self.competitor), pair: self.pair }
    }

    /// Every question so many times, the first row's first.
    pub fn repeated(&self, times: usize) -> Self {
        let rows = self.len();
        if rows * times == 0 {
            // Nothing cannot be expanded.
            return self.rows(0..0);
        }
        let repeat = |index: &Tensor<B, 2, Int>| {
            index.clone().expand([rows, times]).reshape([rows * times, 1])
        };
        Self {
            cluster: repeat(&self.cluster),
            competitor: repeat(&self.competitor),
            pair: self.pair,
        }
    }

    /// The logit that is asked about.
    ///
    /// # Shapes
    ///
    /// - scores: `[N, K]`
    /// - output: `[N, 1]`
    pub fn logit(&self, scores: &Tensor<B, 2>) -> Tensor<B, 2> {
        let own = scores.clone().gather(1, self.cluster.clone());
        let other = if self.pair {
            scores.clone().gather(1, self.competitor.clone())
        } else {
            let mask = kernel::is_own(self.cluster.clone(), scores.dims()[1]);
            scores.clone().mask_fill(mask, -transfer::largest(scores.dtype())).max_dim(1)
        };
        own - other
    }
}

/// A clusterer whose slopes are found by automatic differentiation.
#[derive(Debug)]
pub struct Tracked<A: AutodiffBackend> {
    clusterer: Clusterer<A::InnerBackend>,
    network: Box<dyn Network<A::InnerBackend>>,
    tracked: Box<dyn Network<A>>,
}

impl<A: AutodiffBackend> Tracked<A> {
    /// A clusterer of a plain backend, on an autodiff backend too.
    ///
    /// # Errors
    ///
    /// If there is only one cluster.
    ///
    /// ```
    /// use burn::backend::{Autodiff, Flex};
    /// use burn::tensor::Tensor;
    /// use neuralize::baseline::{Subject, Tracked};
    /// use neuralize::{cluster::KMeans, explain::Target};
    ///
    /// let device = Default::default();
    /// let centroids = Tensor::<Flex, 2>::from_data([[0.0, 0.0], [4.0, 2.0]], &device);
    /// let subject = Tracked::<Autodiff<Flex>>::new(KMeans::from_centroids(centroids)?)?;
    ///
    /// let x = Tensor::<Flex, 2>::from_data([[1.0, 0.5]], &device);
    /// let slope = subject.slope(&x, &subject.pin(&x, Target::Assigned)?);
    /// // 2 (μ_c − μ_k)
    /// assert_eq!(slope.into_data().iter::<f32>().collect::<Vec<_>>(), [-8.0, -4.0]);
    /// # Ok::<(), neuralize::Error>(())
    /// ```
    pub fn new(clusterer: impl Into<Clusterer<A::InnerBackend>>) -> Result<Self> {
        let clusterer = clusterer.into();
        let network = clusterer.neuralize()?;
        let tracked = clusterer.with_autodiff::<A>().neuralize()?;
        Ok(Self { clusterer, network, tracked })
    }
}

impl<A: AutodiffBackend> Subject<A::InnerBackend> for Tracked<A> {
    fn network(&self) -> &dyn Network<A::InnerBackend> {
        &*self.network
    }

    fn slope_block(
        &self,
        x: Tensor<A::InnerBackend, 2>,
        pinned: &Pinned<A::InnerBackend>,
    ) -> Tensor<A::InnerBackend, 2> {
        slope_through(&*self.tracked, x, pinned)
    }

    fn moved(&self, scale: f64, shift: f64) -> Result<Option<Box<dyn Subject<A::InnerBackend>>>> {
        let Some(moved) = self.clusterer.transformed(scale, shift)? else { return Ok(None) };
        Ok(Some(Box::new(Self::new(moved)?)))
    }

    fn shuffled(&self, seed: u64) -> Result<Box<dyn Subject<A::InnerBackend>>> {
        Ok(Box::new(Self::new(self.clusterer.randomised(seed))?))
    }
}

/// The slope of a network's logit through its autodiff backend.
pub(crate) fn slope_through<A: AutodiffBackend>(
    network: &dyn Network<A>,
    x: Tensor<A::InnerBackend, 2>,
    pinned: &Pinned<A::InnerBackend>,
) -> Tensor<A::InnerBackend, 2> {
    let leaf = Tensor::<A, 2>::from_inner(x.clone()).require_grad();
    let pinned = Pinned {
        cluster: Tensor::from_inner(pinned.cluster()),
        competitor: Tensor::from_inner(pinned.competitor()),
        pair: pinned.pair,
    };
    let gradients = pinned.logit(&network.scores(leaf.clone())).sum().backward();
    // Without a path from x to the output (one row contrasted with its own
    // cluster) there is no entry, and the slope is 0.
    leaf.grad(&gradients).unwrap_or_else(|| x.zeros_like())
}

impl<B: Backend> Clusterer<B> {
    /// The same clusterer on an autodiff backend.
    pub fn with_autodiff<A: AutodiffBackend<InnerBackend = B>>(&self) -> Clusterer<A> {
        match self.clone() {
            Self::KMeans(model) => Clusterer::KMeans(AutodiffModule::from_inner(model)),
            Self::Separable(model) => Clusterer::Separable(AutodiffModule::from_inner(model)),
            Self::Kernel(model) => Clusterer::Kernel(AutodiffModule::from_inner(model)),
            Self::Mixture(model) => Clusterer::Mixture(AutodiffModule::from_inner(model)),
        }
    }
}
