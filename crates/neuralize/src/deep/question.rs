//! The question that an explanation of deep k-means answers.

use burn_lrp::{Composite, Family, Rule, Selector};

use crate::explain::{Beta, Root, Target};

/// How relevance goes through the encoder.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Pass {
    /// What made the logit on the way from a root, an input on the boundary between two clusters,
    /// where their contrast is 0. Relevances sum to the whole logit, whatever biases there are; no
    /// rules are chosen. For the identity as the encoder it is NEON.
    ///
    /// The encoder runs for the sample and for one root per competitor, and one pass goes back, by
    /// the slopes between the two ([`burn_lrp::SecantPlan`]). The model needs to know where its
    /// clusters lie: [`fit`](crate::deep::DeepKMeans::fit) and
    /// [`with_roots`](crate::deep::DeepKMeans::with_roots) find it.
    Secant(Root),
    /// NEON on the code, then layer-wise relevance propagation by these rules. Biases and
    /// stabilisers absorb a part of the logit, often most of it.
    Lrp(Composite),
}

impl Pass {
    /// Layer-wise relevance propagation with γ = 0.25 on convolutions and dense layers, and the
    /// default rule of every other layer.
    ///
    /// NEON measures a code from midpoints, so an element of the code that is nearly 0 may have a
    /// large relevance. LRP-0 and LRP-ε would divide by that element; γ divides by a sum that its
    /// larger side dominates.
    pub fn gamma() -> Self {
        let Ok(gamma) = Rule::gamma(0.25) else { return Self::Lrp(Composite::default()) };
        Self::Lrp(
            Composite::new()
                .with(Selector::Family(Family::Convolution), gamma.clone())
                .with(Selector::Family(Family::Dense), gamma),
        )
    }
}

impl Default for Pass {
    fn default() -> Self {
        Self::Secant(Root::default())
    }
}

/// Which assignment of a [`DeepKMeans`](crate::deep::DeepKMeans) is explained, and how
/// its relevance reaches the input.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct DeepQuestion {
    /// The explained cluster, or contrast.
    pub target: Target,
    /// The stiffness β, with which competitors are weighted.
    pub beta: Beta,
    /// How relevance goes through the encoder.
    pub pass: Pass,
    /// Samples that go through the encoder at once; their activations stay in
    /// memory.
    pub batch_size: usize,
    /// Whether to report the relevance into and out of every layer; a secant pass has no report.
    pub report: bool,
}

/// The assigned cluster with the heuristic β, a secant pass from the roots midway, and 8 samples at
/// a time: blocks that fit a processor's cache are faster.
impl Default for DeepQuestion {
    fn default() -> Self {
        Self {
            target: Target::Assigned,
            beta: Beta::Heuristic,
            pass: Pass::default(),
            batch_size: 8,
            report: false,
        }
    }
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

    /// Sets the pass.
    pub fn with_pass(mut self, pass: Pass) -> Self {
        self.pass = pass;
        self
    }

    /// Takes layer-wise relevance propagation by these rules.
    pub fn with_composite(self, composite: Composite) -> Self {
        self.with_pass(Pass::Lrp(composite))
    }

    /// Sets the number of samples in a batch, at least 1.
    pub fn with_batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size.max(1);
        self
    }

    /// Requests a report of layer-wise relevance propagation; a secant pass has none.
    pub fn with_report(mut self) -> Self {
        self.report = true;
        self
    }
}
