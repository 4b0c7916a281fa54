//! Checks of explanations on the points themselves.

use burn::module::AutodiffModule;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Int, Tensor};

use crate::baseline::{PinnedTarget, by_blocks, slope_through};
use crate::error::Result;
use crate::explain::{Beta, Explanation, Root, Target};
use crate::network::{Network, NeuralizedKMeans};
use crate::transfer;

/// How far explanations can be trusted, checked on the points themselves, block by block. Every
/// error is relative to the point's Σ|R|.
///
/// ```
/// use burn::backend::{Autodiff, Flex};
/// use burn::tensor::DType;
/// use neuralize::{baseline::Check, prelude::*};
///
/// let x = Table::wine().to_tensor::<Flex>(&Default::default(), DType::F64)?;
/// let x = Scale::MinMax.fit(&x)?.transform(&x)?;
/// let network = KMeansConfig::new(3).fit(&x)?.model.neuralize()?;
/// let explanation = network.explain(&x, Target::Assigned, Beta::Heuristic)?;
///
/// let network = Box::new(network);
/// let mut check = Check::<Autodiff<Flex>>::new(network, Target::Assigned, Beta::Heuristic)?;
/// check.add(&x, &explanation)?;
/// let report = check.report();
/// assert!(report.conservation_max < 1e-12 && report.autodiff_max.is_some_and(|max| max < 1e-12));
/// # Ok::<(), neuralize::Error>(())
/// ```
pub struct Check<B: AutodiffBackend> {
    network: Box<dyn Network<B::InnerBackend>>,
    /// For networks that have gradients to compare with.
    tracked: Option<NeuralizedKMeans<B>>,
    /// For networks that do not depend on where the zero of a feature lies.
    shifted: Option<Box<dyn Network<B::InnerBackend>>>,
    target: Target,
    beta: Beta,
    sum: CheckReport,
}

/// The result of a [`Check`].
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct CheckReport {
    /// Checked points.
    pub points: usize,
    /// Maximum of |Σ R − logit| / Σ|R|, where the part that biases absorb counts as a relevance.
    pub conservation_max: f64,
    /// Mean of the same.
    pub conservation_mean: f64,
    /// Mean share in Σ|R| that biases absorb, 0 to 1.
    pub absorbed_mean: f64,
    /// The shift of data and centroids, in units of the (scaled) data.
    pub shift: f64,
    /// Maximum change of a relevance under that shift; `None` for a network whose
    /// decisions depend on where the zero of a feature lies.
    pub shift_max: Option<f64>,
    /// Maximum difference between NEON for β → ∞ and the gradient from the
    /// boundary through autodiff; `None` except for k-means.
    pub autodiff_max: Option<f64>,
    /// Points left out of that maximum: on a boundary, or with two nearest competitors.
    pub ties: usize,
    /// Mean |Σ − logit| / Σ|.| of gradient × input, which does not conserve, for comparison;
    /// `None` except for k-means.
    pub gradient_times_input_mean: Option<f64>,
}

impl<B: AutodiffBackend> Check<B> {
    /// A check of one network's explanations for one target and one β.
    ///
    /// # Errors
    ///
    /// If the shifted centroids are too large for the precision.
    pub fn new(
        network: Box<dyn Network<B::InnerBackend>>,
        target: Target,
        beta: Beta,
    ) -> Result<Self> {
        let largest = transfer::download(network.centroids().abs().max())[0];
        // A power of two, so that the shift itself costs few digits.
        let shift = 8.0 * 2f64.powf(largest.max(f64::MIN_POSITIVE).log2().ceil());
        let shifted = network.shifted(shift)?;
        // From another root than NEON's, gradients say something else.
        let kmeans = network.as_kmeans().filter(|network| network.root() == Root::Midway);
        let tracked = kmeans.cloned().map(NeuralizedKMeans::from_inner);
        let sum = CheckReport {
            shift,
            shift_max: shifted.as_ref().map(|_| 0.0),
            autodiff_max: tracked.as_ref().map(|_| 0.0),
            gradient_times_input_mean: tracked.as_ref().map(|_| 0.0),
            ..CheckReport::default()
        };
        Ok(Self { network, tracked, shifted, target, beta, sum })
    }

    /// Adds points and their explanation.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If x does not fit the network.
    pub fn add(
        &mut self,
        x: &Tensor<B::InnerBackend, 2>,
        explanation: &Explanation<B::InnerBackend>,
    ) -> Result<()> {
        if explanation.is_empty() {
            return Ok(());
        }
        let conservation = transfer::download(explanation.conservation_error());
        self.sum.conservation_max =
            conservation.iter().copied().fold(self.sum.conservation_max, larger);
        self.sum.conservation_mean += conservation.iter().sum::<f64>();
        self.sum.absorbed_mean +=
            transfer::download(explanation.absorbed_share()).iter().sum::<f64>();
        self.sum.points += explanation.len();

        if let (Some(shifted), Some(max)) = (&self.shifted, &mut self.sum.shift_max) {
            // Both start from x + s as rounded, so that the numbers are the same.
            let far = x.clone() + self.sum.shift;
            let near = far.clone() - self.sum.shift;
            let far = shifted.explain(&far, self.target, self.beta)?.relevance;
            let near = self.network.explain(&near, self.target, self.beta)?.relevance;
            *max = relative_differences(far, near).into_iter().fold(*max, larger);
        }
        self.compare_with_gradients(x, explanation)
    }

    fn compare_with_gradients(
        &mut self,
        x: &Tensor<B::InnerBackend, 2>,
        explanation: &Explanation<B::InnerBackend>,
    ) -> Result<()> {
        let sum = &mut self.sum;
        let (Some(network), Some(tracked)) = (self.network.as_kmeans(), &self.tracked) else {
            return Ok(());
        };
        let (Some(max), Some(missing)) =
            (&mut sum.autodiff_max, &mut sum.gradient_times_input_mean)
        else {
            return Ok(());
        };
        let hard = network.explain(x, self.target, Beta::Value(f64::INFINITY))?;
        // One backward pass serves both products.
        let pinned = PinnedTarget::new(network, x, self.target)?;
        let slope = by_blocks(x, Network::columns(network), x.dims()[1], |block, range| {
            slope_through(tracked, block, &pinned.rows(range))
        });
        let oracle = slope.clone() * (x.clone() - midpoints(network, &pinned));
        // On a boundary, and where two competitors are equally near, there is no
        // gradient.
        let smooth = transfer::download(hard.shares.max_dim(1)).into_iter();
        let smooth =
            smooth.zip(transfer::download(hard.logit)).map(|(share, f)| share == 1.0 && f != 0.0);
        for (difference, smooth) in
            relative_differences(oracle, hard.relevance).into_iter().zip(smooth)
        {
            if smooth { *max = larger(*max, difference) } else { sum.ties += 1 }
        }

        let product = Explanation { relevance: slope * x.clone(), ..explanation.clone() };
        let missed = transfer::download(product.conservation_error());
        *missing += missed.iter().sum::<f64>();
        Ok(())
    }

    /// The result so far.
    pub fn report(&self) -> CheckReport {
        let points = self.sum.points.max(1) as f64;
        CheckReport {
            conservation_mean: self.sum.conservation_mean / points,
            absorbed_mean: self.sum.absorbed_mean / points,
            gradient_times_input_mean: self.sum.gradient_times_input_mean.map(|sum| sum / points),
            ..self.sum
        }
    }
}

/// The point halfway between the centroid of every row's cluster and that of
/// its competitor, on the boundary between the two, `[N, D]`.
fn midpoints<B: Backend>(network: &NeuralizedKMeans<B>, pinned: &PinnedTarget<B>) -> Tensor<B, 2> {
    let of = |index: Tensor<B, 2, Int>| network.centroids().select(0, index.squeeze_dim(1));
    (of(pinned.cluster()) + of(pinned.competitor())) * 0.5
}

/// Maximum |a − b| of every row relative to its Σ|b|; absolute if that is 0.
fn relative_differences<B: Backend>(a: Tensor<B, 2>, b: Tensor<B, 2>) -> Vec<f64> {
    let size = b.clone().abs().sum_dim(1);
    let none = size.clone().equal_elem(0.0);
    transfer::download((a - b).abs().max_dim(1) / size.mask_fill(none, 1.0))
}

/// The larger of two numbers, or NaN if either is NaN: a check must not hide it.
fn larger(a: f64, b: f64) -> f64 {
    if a.is_nan() || a >= b { a } else { b }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cluster::KMeans;
    use burn::backend::{Autodiff, Flex};

    #[test]
    fn ties_and_boundaries_raise_no_alarm() -> Result<()> {
        let device = Default::default();
        // The mean has few digits, so that ties are exact.
        let centroids = [[0.0, 0.0], [2.0, 2.0], [2.0, -2.0], [-8.0, 0.0]];
        let centroids = Tensor::<Flex, 2>::from_data(centroids, &device);
        let network = KMeans::from_centroids(centroids)?.neuralize()?;
        // On a boundary, between two competitors, and in the open.
        let x = Tensor::<Flex, 2>::from_data([[1.0, 1.0], [0.5, 0.0], [0.5, 0.25]], &device);
        let beta = Beta::Value(1.0);
        let explanation = network.explain(&x, Target::Assigned, beta)?;
        let mut check = Check::<Autodiff<Flex>>::new(Box::new(network), Target::Assigned, beta)?;
        check.add(&x, &explanation)?;
        let report = check.report();
        assert_eq!((report.points, report.ties), (3, 2));
        assert!(report.autodiff_max.is_some_and(|max| max < 1e-6), "{report:?}");
        Ok(())
    }

    #[test]
    fn nan_is_not_hidden() {
        assert!(larger(1.0, f64::NAN).is_nan() && larger(f64::NAN, 1.0).is_nan());
        assert_eq!(larger(1.0, 2.0), 2.0);
    }
}
