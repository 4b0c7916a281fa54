use burn::tensor::{Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::composite::Composite;
use crate::error::{Error, Result};
use crate::graph::{Relevance, Report, Tape};

/// A relevance pass over many samples, a block of them at a time.
///
/// Samples are the first dimension of the input: networks that want another there (a recurrent
/// layer with `batch_first = false`) are run on a [`Tape`] as a whole.
///
/// Memory is that of the activations of one block. Blocks that fit a processor's cache
/// are faster than all samples at once, too.
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
/// // What are all outputs together owed to?
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

/// What an [`Explainer`] found.
#[derive(Debug, Clone)]
pub struct Explained<B: Backend> {
    /// What the network gave.
    pub output: AnyTensor<B>,
    /// The relevance of every element of the input, in its shape.
    pub relevance: AnyTensor<B>,
    /// What every layer was handed and handed on, if asked.
    pub report: Option<Report>,
}

impl Explainer {
    /// By the rules of a composite, 8 samples at a time, without a report.
    pub fn new(composite: Composite) -> Self {
        Self { composite, block: 8, report: false }
    }

    /// The same with so many samples at a time, at least 1.
    pub fn with_block(mut self, samples: usize) -> Self {
        self.block = samples.max(1);
        self
    }

    /// The same with a report.
    pub fn with_report(mut self) -> Self {
        self.report = true;
        self
    }

    /// Runs the network and hands relevance from its output down to its input.
    ///
    /// `relevance` says what relevance the outputs of a block of samples have: the
    /// output itself, or the part of it that is to be explained.
    ///
    /// # Shapes
    ///
    /// - x: `[samples, ..]`, what the network takes, one sample or more
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
            return Err(Error::shape("input", "one sample or more", &x.dims()).into());
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

/// Samples of one shape behind each other; there is a block or more.
fn stacked<B: Backend>(blocks: &[AnyTensor<B>]) -> AnyTensor<B> {
    let mut dims = blocks[0].dims();
    dims[0] = blocks.iter().map(|block| block.dims()[0]).sum();
    let rows: Tensor<B, 2> = Tensor::cat(blocks.iter().map(AnyTensor::rows).collect(), 0);
    AnyTensor::from(rows).shaped(&dims)
}
