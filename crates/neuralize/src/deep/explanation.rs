use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};
use burn_lrp::{AnyTensor, Composite, Explainer, Family, Relevance, Report, Rule, Selector, Tape};

use crate::deep::DeepKMeans;
use crate::deep::model::table_of;
use crate::error::{Error, Result};
use crate::explain::{Beta, Explanation, Target};
use crate::network::Network;
use crate::validate;

/// What is asked of a [`DeepKMeans`], and how the answer is handed down to the
/// input.
#[derive(Debug, Clone, PartialEq)]
pub struct DeepQuestion {
    /// Which cluster, or which contrast.
    pub target: Target,
    /// How sharply competitors are told apart.
    pub beta: Beta,
    /// Which rule goes to which layer of the encoder.
    pub composite: Composite,
    /// Samples that go through the encoder at once; memory is that of
    /// their activations.
    pub batch_size: usize,
    /// Whether to tell how much relevance went into and out of every layer.
    pub report: bool,
}

/// Why the assigned cluster, by the heuristic β, LRP-γ = 0.25 on convolutions and dense
/// layers and the default rule of every other layer, 8 samples at a time: blocks that fit a
/// processor's cache are faster.
///
/// NEON looks at a code from midpoints, so that a number of the code that is nearly 0 may
/// have a large relevance. LRP-0 and LRP-ε would divide by that number; γ divides by a sum
/// that its larger side dominates.
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
    /// The same about another target.
    pub fn with_target(mut self, target: Target) -> Self {
        self.target = target;
        self
    }

    /// The same with β as a number.
    pub fn with_beta(mut self, beta: f64) -> Self {
        self.beta = Beta::Value(beta);
        self
    }

    /// The same by other rules.
    pub fn with_composite(mut self, composite: Composite) -> Self {
        self.composite = composite;
        self
    }

    /// The same in blocks of another size, at least 1.
    pub fn with_batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size.max(1);
        self
    }

    /// The same with a report.
    pub fn with_report(mut self) -> Self {
        self.report = true;
        self
    }
}

/// Why every input is in its cluster: relevance of every element of the input,
/// and of every dimension of its code.
#[derive(Debug, Clone)]
pub struct DeepExplanation<B: Backend, const D: usize> {
    /// What every element of the input contributed, in the shape of the
    /// input, in squared units of the codes.
    pub relevance: Tensor<B, D>,
    /// NEON's explanation in terms of the code: what every dimension of it
    /// contributed, the logit, the cluster and the competitors' shares.
    pub codes: Explanation<B>,
    /// What biases and stabilisers of the encoder absorbed, `[N]`: the relevances
    /// of an input and this sum to its logit.
    pub absorbed: Tensor<B, 1>,
    /// How much went into and out of every layer, if asked.
    pub report: Option<Report>,
}

impl<B: Backend, E: Module<B> + Relevance<B>> DeepKMeans<B, E> {
    /// Explains every input: NEON on the codes, then layer-wise relevance
    /// propagation through the encoder.
    ///
    /// # Shapes
    ///
    /// - x: `[N, ..]`, what the encoder takes, N at least 1
    ///
    /// # Errors
    ///
    /// If the encoder cannot take x, a layer cannot follow the rule that the
    /// composite gives it (all such layers are listed, before any relevance
    /// is computed), values are not finite, or as
    /// [`Network::explain`].
    pub fn explain<const D: usize>(
        &self,
        x: &Tensor<B, D>,
        question: &DeepQuestion,
    ) -> Result<DeepExplanation<B, D>> {
        let network = self.neuralize()?;
        let rows = x.dims()[0];
        if rows == 0 {
            return Err(Error::Empty { what: "x" });
        }
        validate::dtype::<B>("x", &x.device(), x.dtype())?;
        let x = AnyTensor::from(x.clone());
        validate::values("x", &x.rows())?;
        let mut explainer =
            Explainer::new(question.composite.clone()).with_block(question.batch_size);
        if question.report {
            explainer = explainer.with_report();
        }
        let mut codes = Vec::new();
        let explained =
            explainer.explain_with(&self.encoder, x, |code| -> Result<AnyTensor<B>> {
                let left = rows - codes.iter().map(Explanation::len).sum::<usize>();
                let code = table_of(code, left.min(question.batch_size))?;
                let explanation =
                    Network::explain(&network, &code, question.target, question.beta)?;
                let seed = explanation.relevance.clone();
                codes.push(explanation);
                Ok(seed.into())
            })?;
        let codes = Explanation::cat(codes);
        let absorbed = codes.logit.clone() - explained.relevance.row_sums();
        let (relevance, report) = (explained.relevance.tensor()?, explained.report);
        Ok(DeepExplanation { relevance, codes, absorbed, report })
    }

    /// Which rule a composite gives to every layer of the encoder, as a table.
    ///
    /// # Shapes
    ///
    /// - x: `[N, ..]`, one sample is enough
    ///
    /// # Errors
    ///
    /// If the encoder cannot take x, or a layer cannot follow its rule.
    pub fn plan(&self, x: impl Into<AnyTensor<B>>, composite: &Composite) -> Result<String> {
        let tape = Tape::new();
        let output = self.encoder.trace(tape.input("input", x))?;
        Ok(output.plan(composite)?.to_string())
    }
}
