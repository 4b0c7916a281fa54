//! A relevance pass over many samples, block by block.

use burn::tensor::{Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::composite::Composite;
use crate::error::{Error, Result};
use crate::graph::{Relevance, Report, Tape};

/// A relevance pass over many samples, a block of them at a time.
///
/// Samples must be the first dimension of the input; run other networks (a recurrent
/// layer with `batch_first = false`) on a [`Tape`] as a whole.
///
/// The memory holds the activations of one block. Blocks that fit into a processor's cache
/// are also faster than all samples at once.
///
/// ```
/// use burn::backend::Flex;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::{Distribution, Tensor};
/// use burn_lrp::{Composite, Explainer};
///
/// let device = Default::default();
/// let net: Linear<Flex> = LinearConfig::new(4, 3).init(&device);
/// let x = Tensor::<Flex, 2>::random([20, 4], Distribution::Default, &device);
///
/// // How much does every input contribute to the sum of all outputs?
/// let explained = Explainer::new(Composite::default()).explain(&net, x, |y| Ok(y.clone()))?;
/// assert_eq!(explained.relevance.dims(), [20, 4]);
/// assert_eq!(explained.output.dims(), [20, 3]);
/// # Ok::<(), burn_lrp::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Explainer {
    composite: Composite,
    block: usize,
    report: bool,
}

/// The relevance that an [`Explainer`] computed.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Explained<B: Backend> {
    /// The output of the network.
    pub output: AnyTensor<B>,
    /// The relevance of every element of the input, in its shape.
    pub relevance: AnyTensor<B>,
    /// How much relevance every layer received and passed on, if a report was requested.
    pub report: Option<Report>,
}

impl Explainer {
    /// An explainer with the rules of a composite, 8 samples per block, and no report.
    pub fn new(composite: Composite) -> Self {
        Self { composite, block: 8, report: false }
    }

    /// The explainer with another number of samples per block, at least 1.
    pub fn with_block(mut self, samples: usize) -> Self {
        self.block = samples.max(1);
        self
    }

    /// The explainer with a report.
    pub fn with_report(mut self) -> Self {
        self.report = true;
        self
    }

    /// Runs the network and propagates relevance from its output to its input.
    ///
    /// `relevance` returns the relevance of the outputs of a block: the
    /// output itself, or the part of it to explain.
    ///
    /// # Shapes
    ///
    /// - x: `[samples, ..]`, an input of the network with at least one sample
    ///
    /// # Errors
    ///
    /// If the network cannot take x, the composite does not fit the network, the relevance
    /// has another shape than the output, or any of them is not finite.
    pub fn explain<B: Backend>(
        &self,
        network: &(impl Relevance<B> + ?Sized),
        x: impl Into<AnyTensor<B>>,
        relevance: impl FnMut(&AnyTensor<B>) -> Result<AnyTensor<B>>,
    ) -> Result<Explained<B>> {
        self.explain_with(network, x, relevance)
    }

    /// As [`explain`](Self::explain), for a `relevance` that fails with an error of its own.
    ///
    /// # Errors
    ///
    /// As [`explain`](Self::explain), and those of `relevance`.
    pub fn explain_with<B: Backend, E: From<Error>>(
        &self,
        network: &(impl Relevance<B> + ?Sized),
        x: impl Into<AnyTensor<B>>,
        mut relevance: impl FnMut(&AnyTensor<B>) -> Result<AnyTensor<B>, E>,
    ) -> Result<Explained<B>, E> {
        let x: AnyTensor<B> = x.into();
        let samples = x.dims().first().copied().unwrap_or(0);
        if samples == 0 {
            return Err(Error::shape("input", "at least one sample", &x.dims()).into());
        }
        let (mut outputs, mut relevances) = (Vec::new(), Vec::new());
        let mut report: Option<Report> = None;
        for start in (0..samples).step_by(self.block) {
            let tape = Tape::new();
            let input = tape.input("input", x.samples(start..(start + self.block).min(samples))?);
            let output = network.trace(input.clone())?;
            let plan = output.plan(&self.composite)?;
            let seed = relevance(output.value())?;
            let found = if self.report { plan.run_with_report(seed)? } else { plan.run(seed)? };
            // On an autodiff backend a graph would keep every block alive.
            relevances.push(found.of(&input)?.detached());
            outputs.push(output.value().detached());
            if let Some(more) = found.report() {
                match &mut report {
                    Some(report) => report.append(more.clone())?,
                    None => report = Some(more.clone()),
                }
            }
        }
        Ok(Explained { output: stacked(&outputs), relevance: stacked(&relevances), report })
    }
}

/// All samples in one tensor; there is at least one block.
fn stacked<B: Backend>(blocks: &[AnyTensor<B>]) -> AnyTensor<B> {
    let mut dims = blocks[0].dims();
    dims[0] = blocks.iter().map(|block| block.dims()[0]).sum();
    let rows: Tensor<B, 2> = Tensor::cat(blocks.iter().map(AnyTensor::rows).collect(), 0);
    AnyTensor::from(rows).shaped(&dims)
}
