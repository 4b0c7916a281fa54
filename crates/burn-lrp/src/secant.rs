//! One layer in a secant pass.

use burn::tensor::{Int, Tensor, backend::Backend};

use crate::any::AnyTensor;
use crate::error::{Error, Result};

/// A tensor, of which some samples are chosen where it is used.
#[derive(Debug)]
pub(crate) struct Chosen<'a, B: Backend> {
    value: &'a AnyTensor<B>,
    samples: Option<&'a Tensor<B, 1, Int>>,
}

impl<B: Backend> Clone for Chosen<'_, B> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<B: Backend> Copy for Chosen<'_, B> {}

impl<'a, B: Backend> Chosen<'a, B> {
    pub(crate) fn new(value: &'a AnyTensor<B>, samples: Option<&'a Tensor<B, 1, Int>>) -> Self {
        Self { value, samples }
    }

    pub(crate) fn get(&self) -> AnyTensor<B> {
        match self.samples {
            Some(samples) => self.value.select(samples),
            None => self.value.clone(),
        }
    }

    fn dims(&self) -> Vec<usize> {
        let mut dims = self.value.dims();
        if let (Some(samples), Some(first)) = (self.samples, dims.first_mut()) {
            *first = samples.dims()[0];
        }
        dims
    }
}

/// One layer in a secant pass: its inputs and its output at the explained sample and at the root,
/// and the multiplier of its output.
///
/// A multiplier says how much the explained output changes for a change of a value on the way from
/// the root to the sample. Values are picked from those of the tape when they are asked for, so a
/// layer that needs only the multiplier, as affine ones do, costs nothing more.
#[derive(Debug)]
pub struct SecantStep<'a, B: Backend> {
    inputs: Vec<[Chosen<'a, B>; 2]>,
    output: [Chosen<'a, B>; 2],
    multiplier: &'a AnyTensor<B>,
}

impl<'a, B: Backend> SecantStep<'a, B> {
    /// A step between samples and as many roots.
    ///
    /// # Errors
    ///
    /// If samples and roots differ in the number of inputs.
    pub fn new(
        inputs: &'a [AnyTensor<B>],
        root_inputs: &'a [AnyTensor<B>],
        output: &'a AnyTensor<B>,
        root_output: &'a AnyTensor<B>,
        multiplier: &'a AnyTensor<B>,
    ) -> Result<Self> {
        if inputs.len() != root_inputs.len() {
            let (samples, roots) = (inputs.len(), root_inputs.len());
            let detail = format!("samples have {samples} inputs, roots {roots}");
            return Err(Error::layer("secant", detail));
        }
        let all = |value| Chosen::new(value, None);
        let inputs = inputs.iter().zip(root_inputs).map(|(x, root)| [all(x), all(root)]);
        let output = [all(output), all(root_output)];
        Ok(Self { inputs: inputs.collect(), output, multiplier })
    }

    pub(crate) fn chosen(
        inputs: Vec<[Chosen<'a, B>; 2]>,
        output: [Chosen<'a, B>; 2],
        multiplier: &'a AnyTensor<B>,
    ) -> Self {
        Self { inputs, output, multiplier }
    }

    /// The number of inputs.
    pub fn len(&self) -> usize {
        self.inputs.len()
    }

    /// Whether there are no inputs.
    pub fn is_empty(&self) -> bool {
        self.inputs.is_empty()
    }

    /// The multiplier of the output, in its shape.
    pub fn multiplier(&self) -> &'a AnyTensor<B> {
        self.multiplier
    }

    /// An input at the sample and at the root.
    ///
    /// # Errors
    ///
    /// If there is no such input.
    pub fn input(&self, at: usize) -> Result<[AnyTensor<B>; 2]> {
        Ok(self.of(at)?.map(|value| value.get()))
    }

    /// The shape of an input, which is that of its multiplier.
    ///
    /// # Errors
    ///
    /// If there is no such input.
    pub fn dims(&self, at: usize) -> Result<Vec<usize>> {
        Ok(self.of(at)?[0].dims())
    }

    /// The samples of the pairs, where these are not all samples in their order.
    pub(crate) fn samples(&self) -> Option<&'a Tensor<B, 1, Int>> {
        self.output[0].samples
    }

    /// The output at the sample and at the root.
    pub fn output(&self) -> [AnyTensor<B>; 2] {
        self.output.map(|value| value.get())
    }

    /// The input midway between the sample and the root.
    ///
    /// # Errors
    ///
    /// If there is no such input.
    pub fn midway(&self, at: usize) -> Result<AnyTensor<B>> {
        let [x, root] = self.input(at)?;
        x.zip(&root, |x, root| (x + root) * 0.5)
    }

    fn of(&self, at: usize) -> Result<[Chosen<'a, B>; 2]> {
        let input = self.inputs.get(at).copied();
        input.ok_or_else(|| Error::layer("layer", format!("it has no input {at}")))
    }
}
