//! A clusterer as a function with an output and a slope.

use std::fmt::Debug;
use std::ops::Range;

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::PinnedTarget;
use crate::error::Result;
use crate::explain::Target;
use crate::network::Network;
use crate::{kernel, transfer};

/// A clusterer as a function with an output and a slope at every point: all
/// that a method of explanation may use.
///
/// [`Tracked`](crate::baseline::Tracked) makes a subject of every clusterer of this
/// library. A subject of your own needs a network and its slope; this one takes the
/// slope from central differences, without automatic differentiation.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::{DType, Tensor};
/// use neuralize::baseline::{PinnedTarget, Subject};
/// use neuralize::evaluate::{EvaluateConfig, Measure};
/// use neuralize::prelude::*;
///
/// #[derive(Debug)]
/// struct ByDifferences(NeuralizedKMeans<Flex>);
///
/// impl Subject<Flex> for ByDifferences {
///     fn network(&self) -> &dyn Network<Flex> {
///         &self.0
///     }
///
///     fn slope_block(&self, x: Tensor<Flex, 2>, pinned: &PinnedTarget<Flex>) -> Tensor<Flex, 2> {
///         let [rows, features] = x.dims();
///         let slope = |i: usize| {
///             let logit = |step: f64| {
///                 let column = x.clone().narrow(1, i, 1) + step;
///                 self.logit(&x.clone().slice_assign([0..rows, i..i + 1], column), pinned)
///             };
///             (logit(1e-4) - logit(-1e-4)) / 2e-4
///         };
///         Tensor::cat((0..features).map(slope).collect(), 1)
///     }
/// }
///
/// let x = Table::wine().to_tensor::<Flex>(&Default::default(), DType::F64)?;
/// let x = Scale::MinMax.fit(&x)?.transform(&x)?;
/// let subject = ByDifferences(KMeansConfig::new(3).fit(&x)?.model.neuralize()?);
///
/// let methods = vec!["gradient-from-boundary".parse()?, "random".parse()?];
/// let config = EvaluateConfig { methods, ..EvaluateConfig::default() };
/// let evaluation = config.run(&subject, &x, &mut |_, _, _| {})?;
/// let gain = |method: usize| evaluation.methods[method].values[&Measure::GainCompetitor];
/// assert!(gain(0) > gain(1));
/// # Ok::<(), neuralize::Error>(())
/// ```
pub trait Subject<B: Backend>: Debug + Send + Sync {
    /// The network whose output is explained.
    fn network(&self) -> &dyn Network<B>;

    /// The slope of the logit, `∂f/∂x_i`, for one block of rows.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`, n at least 1
    /// - output: `[n, D]`
    fn slope_block(&self, x: Tensor<B, 2>, pinned: &PinnedTarget<B>) -> Tensor<B, 2>;

    /// The same clusterer for data of which every feature is `scale · x + shift`;
    /// `None` if it cannot be rewritten for such data, as by default.
    ///
    /// # Errors
    ///
    /// If its parameters leave the range of the precision.
    fn transformed(&self, scale: f64, shift: f64) -> Result<Option<Box<dyn Subject<B>>>> {
        let _ = (scale, shift);
        Ok(None)
    }

    /// A clusterer that has learnt nothing: the values in every column of the
    /// table of centroids (or of supports) are shuffled. `None` if there is no such
    /// table, as by default.
    ///
    /// # Errors
    ///
    /// If the shuffled table makes no clusterer.
    fn randomised(&self, seed: u64) -> Result<Option<Box<dyn Subject<B>>>> {
        let _ = seed;
        Ok(None)
    }

    /// Pins a target to the clusters that rows are in and next to.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If x does not fit the network, or the target names a cluster that does
    /// not exist.
    fn pin(&self, x: &Tensor<B, 2>, target: Target) -> Result<PinnedTarget<B>> {
        PinnedTarget::new(self.network(), x, target)
    }

    /// The logit of the pinned target, wherever the rows are now.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`, N rows as pinned
    /// - output: `[N, 1]`
    fn logit(&self, x: &Tensor<B, 2>, pinned: &PinnedTarget<B>) -> Tensor<B, 2> {
        let network = self.network();
        by_blocks(x, network.columns(), 1, |block, range| {
            pinned.rows(range).logit(&network.scores(block))
        })
    }

    /// The slope of [`logit`](Self::logit) in every feature.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`, N rows as pinned
    /// - output: `[N, D]`
    fn slope(&self, x: &Tensor<B, 2>, pinned: &PinnedTarget<B>) -> Tensor<B, 2> {
        by_blocks(x, self.network().columns(), x.dims()[1], |block, range| {
            self.slope_block(block, &pinned.rows(range))
        })
    }
}

/// A function of rows and of their numbers, computed block by block.
pub(crate) fn by_blocks<B: Backend>(
    x: &Tensor<B, 2>,
    columns: usize,
    width: usize,
    mut body: impl FnMut(Tensor<B, 2>, Range<usize>) -> Tensor<B, 2>,
) -> Tensor<B, 2> {
    let [rows, features] = x.dims();
    let parts: Vec<_> = kernel::blocks(rows, kernel::block_rows(columns))
        .map(|range| body(x.clone().slice([range.clone(), 0..features]), range))
        .collect();
    if parts.is_empty() {
        transfer::zeros([0, width], &x.device(), x.dtype())
    } else {
        Tensor::cat(parts, 0)
    }
}
