//! The question that an explanation of deep k-means answers.

use burn_lrp::{Composite, Family, Rule, Selector};

use crate::explain::{Beta, Target};

/// Which assignment of a [`DeepKMeans`](crate::deep::DeepKMeans) is explained, and by
/// which rules its relevance reaches the input.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DeepQuestion {
    /// The explained cluster, or contrast.
    pub target: Target,
    /// The stiffness β, with which competitors are weighted.
    pub beta: Beta,
    /// The rules of the layers of the encoder.
    pub composite: Composite,
    /// Samples that go through the encoder at once; their activations stay in
    /// memory.
    pub batch_size: usize,
    /// Whether to report the relevance into and out of every layer.
    pub report: bool,
}

/// The assigned cluster with the heuristic β, LRP-γ = 0.25 on convolutions and dense
/// layers, the default rule of every other layer, and 8 samples at a time: blocks that
/// fit a processor's cache are faster.
///
/// NEON measures a code from midpoints, so an element of the code that is nearly 0 may
/// have a large relevance. LRP-0 and LRP-ε would divide by that element; γ divides by a
/// sum that its larger side dominates.
impl Default for DeepQuestion {
    fn default() -> Self {
        Self {
            target: Target::Assigned,
            beta: Beta::Heuristic,
            composite: gamma(),
            batch_size: 8,
            report: false,
        }
    }
}

fn gamma() -> Composite {
    let Ok(gamma) = Rule::gamma(0.25) else { return Composite::default() };
    Composite::new()
        .with(Selector::Family(Family::Convolution), gamma.clone())
        .with(Selector::Family(Family::Dense), gamma)
}

impl DeepQuestion {
    /// Sets the target.
    pub fn with_target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// Sets β.
    pub fn with_beta(mut self, beta: f64) -> Self {
        self.beta = Beta::Value(beta);
        self
    }

    /// Sets the rules.
    pub fn with_composite(mut self, composite: Composite) -> Self {
        self.composite = composite;
        self
    }

    /// Sets the number of samples in a batch, at least 1.
    pub fn with_batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size.max(1);
        self
    }

    /// Requests a report.
    pub fn with_report(mut self) -> Self {
        self.report = true;
        self
    }
}
