//! An explanation of deep k-means, down to the input of its encoder.

use burn::module::Module;
use burn::tensor::{Tensor, backend::Backend};
use burn_lrp::{AnyTensor, Composite, Explainer, Relevance, Report, Tape};

use crate::deep::codes::table_of;
use crate::deep::{DeepKMeans, DeepQuestion, Pass};
use crate::error::{Error, Result};
use crate::explain::Explanation;
use crate::network::Network;
use crate::validate;

/// Why every input is in its cluster: the relevance of every element of the input and
/// of its code.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct DeepExplanation<B: Backend, const D: usize> {
    /// The contribution of every element of the input, in the shape of the input and in
    /// squared units of the codes.
    pub relevance: Tensor<B, D>,
    /// NEON's explanation of the codes: the contribution of every element, the logit, the
    /// cluster and the shares of the competitors.
    pub codes: Explanation<B>,
    /// The part of the logit that reached no input, `[N]`: with the relevances of an input it sums to
    /// its logit. A secant pass leaves what the contrasts are at its roots, 0 to rounding midway,
    /// and the parts of competitors without inputs, which have no roots. In layer-wise relevance
    /// propagation, biases and stabilisers of the encoder absorb it.
    pub absorbed: Tensor<B, 1>,
    /// The relevance into and out of every layer, if the question wants a report.
    pub report: Option<Report>,
}

impl<B: Backend, const D: usize> DeepExplanation<B, D> {
    pub(super) fn new(
        codes: Explanation<B>,
        relevance: &AnyTensor<B>,
        report: Option<Report>,
    ) -> Result<Self> {
        // Token ids may have another precision than the codes.
        let sums = relevance.row_sums().cast(codes.logit.dtype());
        let absorbed = codes.logit.clone() - sums;
        Ok(Self { relevance: relevance.tensor()?, codes, absorbed, report })
    }
}

impl<B: Backend, E: Module<B> + Relevance<B>> DeepKMeans<B, E> {
    /// Explains every input, by the [pass](crate::deep::Pass) of the question.
    ///
    /// # Shapes
    ///
    /// - x: `[N, ..]`, what the encoder takes, N at least 1
    ///
    /// # Errors
    ///
    /// If the encoder cannot take x, the model has no roots for a secant pass, a layer has no secant
    /// or cannot follow the rule that a composite gives it (the error lists all such layers, before
    /// any relevance is computed), values are not finite, or as [`Network::explain`].
    pub fn explain<const D: usize>(
        &self,
        x: &Tensor<B, D>,
        question: &DeepQuestion,
    ) -> Result<DeepExplanation<B, D>> {
        let x = self.checked_input("x", x)?;
        let composite = match &question.pass {
            Pass::Secant(root) => {
                let (codes, relevance) = self.explain_by_secants(&x, question, *root)?;
                return DeepExplanation::new(codes, &relevance, None);
            }
            Pass::Lrp(composite) => composite,
        };
        let network = self.neuralize()?;
        let rows = x.dims()[0];
        let mut explainer = Explainer::new(composite.clone()).with_block(question.batch_size);
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
        DeepExplanation::new(Explanation::cat(codes), &explained.relevance, explained.report)
    }

    /// Inputs in a form that the encoder may take.
    pub(super) fn checked_input<const D: usize>(
        &self,
        what: &'static str,
        x: &Tensor<B, D>,
    ) -> Result<AnyTensor<B>> {
        if x.dims()[0] == 0 {
            return Err(Error::Empty { what });
        }
        validate::dtype::<B>(what, &x.device(), x.dtype())?;
        let x = AnyTensor::from(x.clone());
        validate::values(what, &x.rows())?;
        Ok(x)
    }

    /// The rule that a composite gives to every layer of the encoder, as a table.
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
