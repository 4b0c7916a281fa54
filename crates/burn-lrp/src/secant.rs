//! One layer in a secant pass, and the slopes of elementwise functions between two places.

use burn::tensor::{FloatDType, Int, Tensor, backend::Backend};

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

/// `eps^(1/3)` of a precision, in relation to the size of the numbers: nearer places are moved
/// this far apart. The quotient is then wrong by the square of the distance at most, and by the
/// rounding over the distance: the two are equal at the cube root.
fn apart<B: Backend, const D: usize>(x: &Tensor<B, D>, root: &Tensor<B, D>) -> Tensor<B, D> {
    let precision = x.dtype().finfo().unwrap_or(FloatDType::F32.finfo()).epsilon;
    (x.clone().abs() + root.clone().abs() + 1.0) * precision.cbrt()
}

/// The slope of a smooth function between two places, `(f(x) − f(x₀)) / (x − x₀)`. Places that
/// are too close for the quotient are moved apart around their middle.
pub(crate) fn smooth<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    root: Tensor<B, D>,
    f: impl Fn(Tensor<B, D>) -> Tensor<B, D>,
) -> Tensor<B, D> {
    let apart = apart(&x, &root);
    let close = (x.clone() - root.clone()).abs().lower(apart.clone());
    let middle = (x.clone() + root.clone()) * 0.5;
    let half = apart * 0.5;
    let high = x.mask_where(close.clone(), middle.clone() + half.clone());
    let low = root.mask_where(close, middle - half);
    (f(high.clone()) - f(low.clone())) / (high - low)
}

/// The share of the way from `root` to `x` on which the number lies between two bounds.
pub(crate) fn share<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    root: Tensor<B, D>,
    [low, high]: [f64; 2],
) -> Tensor<B, D> {
    let bounded = |x: Tensor<B, D>| {
        let x = if low.is_finite() { x.clamp_min(low) } else { x };
        if high.is_finite() { x.clamp_max(high) } else { x }
    };
    let inside = x.clone().greater_elem(low).bool_and(x.clone().lower_elem(high));
    let still = x.clone().equal(root.clone());
    let within = bounded(x.clone()) - bounded(root.clone());
    let way = (x - root).mask_fill(still.clone(), 1.0);
    let at_rest = within.zeros_like().mask_fill(inside, 1.0);
    (within / way).mask_where(still, at_rest)
}

/// The slope of `e^x` between two places, without cancellation: the logarithmic mean of `e^x` and
/// `e^{x₀}`.
pub(crate) fn exponential<B: Backend, const D: usize>(
    x: Tensor<B, D>,
    root: Tensor<B, D>,
) -> Tensor<B, D> {
    let way = x.clone() - root.clone();
    let close = way.clone().abs().lower_elem(0.5);
    // sinh(h) / h at half of the way h: a series that is exact to rounding below 1/4.
    let h = (way.clone() * 0.5).square().clamp_max(0.0625);
    let series = h.clone() * (1.0 / 110.0) + 1.0;
    let series = series * h.clone() * (1.0 / 72.0) + 1.0;
    let series = series * h.clone() * (1.0 / 42.0) + 1.0;
    let series = series * h.clone() * (1.0 / 20.0) + 1.0;
    let series = series * h * (1.0 / 6.0) + 1.0;
    let near = ((x.clone() + root.clone()) * 0.5).exp() * series;
    let far = (x.exp() - root.exp()) / way.mask_fill(close.clone(), 1.0);
    far.mask_where(close, near)
}
