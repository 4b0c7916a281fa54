//! Slopes of functions of one number between two places, for [`Layer::secant`](crate::Layer::secant)
//! of activations of your own.
//!
//! ```
//! use burn::backend::Flex;
//! use burn::tensor::Tensor;
//! use burn_lrp::slope;
//!
//! let device = Default::default();
//! let x = Tensor::<Flex, 1>::from_data([4.0, 9.0, 1.0], &device);
//! let root = Tensor::<Flex, 1>::from_data([1.0, 3.0, 1.0], &device);
//! // min(max(x, 0), 6): on half of the way from 3 to 9, the number lies between 0 and 6.
//! let found = slope::share(x, root, [0.0, 6.0]);
//! assert_eq!(found.into_data().iter().collect::<Vec<f32>>(), [1.0, 0.5, 1.0]);
//! ```

use burn::tensor::{FloatDType, Tensor, backend::Backend};

/// `eps^(1/3)` of a precision, in relation to the size of the numbers: nearer places are moved
/// this far apart. The quotient is then wrong by the square of the distance at most, and by the
/// rounding over the distance: the two are equal at the cube root.
fn apart<B: Backend, const D: usize>(x: &Tensor<B, D>, root: &Tensor<B, D>) -> Tensor<B, D> {
    let precision = x.dtype().finfo().unwrap_or(FloatDType::F32.finfo()).epsilon;
    (x.clone().abs() + root.clone().abs() + 1.0) * precision.cbrt()
}

/// The slope of a smooth function between two places, `(f(x) − f(x₀)) / (x − x₀)`. Places that
/// are too close for the quotient are moved apart around their middle.
pub fn smooth<B: Backend, const D: usize>(
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
pub fn share<B: Backend, const D: usize>(
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
pub fn exponential<B: Backend, const D: usize>(
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
