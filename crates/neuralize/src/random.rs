//! The random numbers of the crate: one generator, with a stream of its own for every use.

use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// What random numbers are drawn for.
///
/// Every use has its own stream of the same seed, so that what it draws does
/// not depend on which other uses came before. Results depend on the numbers
/// of the streams: they never change.
#[derive(Debug, Clone, Copy)]
#[cfg_attr(
    not(feature = "autodiff"),
    expect(dead_code, reason = "baselines and measures are compiled with that feature only")
)]
pub(crate) enum Stream {
    /// The first centroids of a restart, counted from 0.
    Restart(usize),
    /// The order of the samples in an epoch of training, counted from 1.
    Epoch(usize),
    /// A subset of the rows that a model is made of or tried on.
    Subset,
    /// The reference points of `Reference::Sample`.
    References,
    /// The attribution method that is random.
    RandomAttribution,
    /// The order of the values in every column of a randomised model.
    RandomisedModel,
    /// The noise of SmoothGrad.
    SmoothGrad,
    /// The points around a row that a linear surrogate is fitted to.
    #[cfg_attr(not(feature = "surrogates"), allow(dead_code))]
    Surrogate,
    /// The orders of features of sampled Shapley values.
    ShapleyOrders,
    /// The points that attributions are evaluated on.
    EvaluatedPoints,
    /// The orders of features of the random band of feature flipping.
    FlippingOrders,
    /// The paths that continuity follows.
    ContinuityPaths,
    /// The sets of features of infidelity.
    InfidelitySets,
    /// The points that costly measures are taken on.
    MeasuredPoints,
    /// Rows of a table that comes in parts.
    SampledRows,
    /// The rows whose distances to the others give γ.
    Bandwidth,
}

impl Stream {
    /// The generator of this stream, the same on every machine.
    pub(crate) fn generator(self, seed: u64) -> ChaCha8Rng {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(self.number());
        rng
    }

    fn number(self) -> u64 {
        match self {
            Self::Restart(index) | Self::Epoch(index) => index as u64,
            Self::Subset => 0,
            Self::References => 1,
            Self::RandomAttribution => 2,
            Self::RandomisedModel => 3,
            Self::SmoothGrad => 4,
            Self::Surrogate => 5,
            Self::ShapleyOrders => 11,
            Self::EvaluatedPoints => 20,
            Self::FlippingOrders => 21,
            Self::ContinuityPaths => 22,
            Self::InfidelitySets => 23,
            Self::MeasuredPoints => 24,
            Self::SampledRows => 30,
            Self::Bandwidth => u64::MAX,
        }
    }
}

/// A number in [0, 1) with 53 random bits.
pub(crate) fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// A whole number below `count`, which is at least 1.
pub(crate) fn index(count: usize, rng: &mut ChaCha8Rng) -> usize {
    ((uniform(rng) * count as f64) as usize).min(count - 1)
}

/// `count` different whole numbers below `all`, in rising order.
pub(crate) fn subset(all: usize, count: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..all).collect();
    if count >= all {
        return numbers;
    }
    for place in 0..count {
        numbers.swap(place, place + index(all - place, rng));
    }
    numbers.truncate(count);
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn restarts_draw_from_different_streams() {
        let first = |seed, run| uniform(&mut Stream::Restart(run).generator(seed));
        assert_eq!(first(7, 0), first(7, 0));
        assert_ne!(first(7, 0), first(7, 1));
        assert_ne!(first(7, 0), first(8, 0));
    }
}
