//! Quotients and logarithms whose gradients are as exact as their values.
//!
//! In the gradients of a quotient and of a logarithm, Burn's automatic
//! differentiation (0.21) takes `recip`. NdArray's `recip` of f32 is the estimate
//! of the processor, of 12 bits with AVX2 and 14 with AVX-512. For a quotient of a
//! tensor and a number it takes the reciprocal in f32, whatever the precision of
//! the tensor.
//!
//! The functions here compute the value outside the graph and add
//! `slope · (x − x₀)`, where x₀ is x outside the graph: it is 0 and has the
//! gradient `slope`. On a backend without gradients they are the plain operations.

use burn::tensor::{DType, Tensor, backend::Backend};

use crate::transfer::untracked;

/// `a / b`.
pub fn quotient<B: Backend, const D: usize>(a: Tensor<B, D>, b: Tensor<B, D>) -> Tensor<B, D> {
    if !B::ad_enabled(&a.device()) {
        return a / b;
    }
    let (value, divisor) = (untracked(a.clone()), untracked(b.clone()));
    let slope = divisor.ones_like() / divisor;
    // Burn divides exactly in the gradient of b.
    value.clone() / b + (a - value) * slope
}

/// `x / number`.
pub fn quotient_by<B: Backend, const D: usize>(x: Tensor<B, D>, number: f64) -> Tensor<B, D> {
    let slope = match x.dtype() {
        DType::F64 => 1.0 / number,
        _ => f64::from(1.0 / number as f32),
    };
    if !B::ad_enabled(&x.device()) || !slope.is_finite() {
        return x / number;
    }
    let value = untracked(x.clone());
    value.clone() / number + (x - value) * slope
}

/// `log x`, for x above 0.
pub fn log<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    if !B::ad_enabled(&x.device()) {
        return x.log();
    }
    let value = untracked(x.clone());
    let slope = value.ones_like() / value.clone();
    value.clone().log() + (x - value) * slope
}

/// `log (1 + x)`, for x above −1.
pub fn log1p<B: Backend, const D: usize>(x: Tensor<B, D>) -> Tensor<B, D> {
    if !B::ad_enabled(&x.device()) {
        return x.log1p();
    }
    let value = untracked(x.clone());
    let slope = value.ones_like() / (value.clone() + 1.0);
    value.clone().log1p() + (x - value) * slope
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer;
    use burn::backend::{Autodiff, Flex, NdArray};

    /// Enough numbers for every vector unit, none of them a power of two.
    fn numbers(from: f64) -> Vec<f64> {
        (0..64).map(|i| from + 0.37 * f64::from(i)).collect()
    }

    type Function<B> = fn(Tensor<B, 1>) -> Tensor<B, 1>;

    /// The value of a plain operation to the bit, and the slope of the formula.
    fn check<B: Backend>(
        dtype: DType,
        function: Function<Autodiff<B>>,
        plain: Function<B>,
        slope: fn(f64) -> f64,
    ) {
        let device = Default::default();
        let upload = || transfer::upload::<B, 1>(numbers(0.3), [64], &device, dtype);
        let x = Tensor::<Autodiff<B>, 1>::from_inner(upload()).require_grad();
        let y = function(x.clone());
        assert_eq!(transfer::download(y.clone()), transfer::download(plain(upload())));
        let found = transfer::download(x.grad(&y.sum().backward()).expect("a gradient"));
        let rounding = match dtype {
            DType::F64 => f64::EPSILON,
            _ => f64::from(f32::EPSILON),
        };
        for (x, found) in transfer::download(upload()).into_iter().zip(found) {
            let expected = slope(x);
            let error = (found - expected).abs();
            assert!(error <= 4.0 * rounding * expected.abs(), "{x}: {found} for {expected}");
        }
    }

    fn check_all<B: Backend>(dtype: DType) {
        // Numbers that f32 holds, so that the formulas know them.
        check::<B>(dtype, log, Tensor::log, |x| 1.0 / x);
        check::<B>(dtype, log1p, Tensor::log1p, |x| 1.0 / (1.0 + x));
        check::<B>(dtype, |x| quotient_by(x, 0.7), |x| x / 0.7, |_| 1.0 / 0.7);
        let divided = |x: Tensor<Autodiff<B>, 1>| quotient(x.clone().square(), x * 3.0 + 1.0);
        check::<B>(
            dtype,
            divided,
            |x| x.clone().square() / (x * 3.0 + 1.0),
            |x| x * (3.0 * x + 2.0) / (3.0 * x + 1.0).powi(2),
        );
    }

    #[test]
    fn gradients_are_exact_on_every_backend() {
        check_all::<Flex>(DType::F32);
        check_all::<Flex>(DType::F64);
        check_all::<NdArray<f32>>(DType::F32);
        check_all::<NdArray<f64>>(DType::F64);
    }

    /// Flex divides exactly, so its gradients are those of Burn to the bit.
    #[test]
    fn gradients_of_exact_reciprocals_stay() {
        type Tracked = Autodiff<Flex>;
        let gradient = |function: Function<Tracked>, dtype| {
            let x = transfer::upload::<Flex, 1>(numbers(0.3), [64], &Default::default(), dtype);
            let x = Tensor::<Tracked, 1>::from_inner(x).require_grad();
            let gradients = function(x.clone()).sum().backward();
            transfer::download(x.grad(&gradients).expect("a gradient"))
        };
        let pairs: [(Function<Tracked>, Function<Tracked>); 3] = [
            (log, Tensor::log),
            (log1p, Tensor::log1p),
            (|x| quotient(x.clone().exp(), x + 0.7), |x| x.clone().exp() / (x + 0.7)),
        ];
        for dtype in [DType::F32, DType::F64] {
            for (ours, burns) in pairs {
                assert_eq!(gradient(ours, dtype), gradient(burns, dtype));
            }
        }
        let by: Function<Tracked> = |x| quotient_by(x, 0.7);
        assert_eq!(gradient(by, DType::F32), gradient(|x| x / 0.7, DType::F32));
    }

    /// A divisor of fewer columns gets the sum of its gradients.
    #[test]
    fn a_quotient_is_broadcast() {
        let device = Default::default();
        let leaf = |values: Vec<f64>, shape| {
            let table = transfer::upload::<Flex, 2>(values, shape, &device, DType::F64);
            Tensor::<Autodiff<Flex>, 2>::from_inner(table).require_grad()
        };
        let (a, b) = (leaf(vec![1.0, 2.0, 3.0, 5.0], [2, 2]), leaf(vec![2.0, 4.0], [2, 1]));
        let gradients = quotient(a.clone(), b.clone()).sum().backward();
        let gradient = |of: Tensor<Autodiff<Flex>, 2>| {
            transfer::download(of.grad(&gradients).expect("a gradient"))
        };
        assert_eq!(gradient(a), [0.5, 0.5, 0.25, 0.25]);
        assert_eq!(gradient(b), [-0.75, -0.5]);
    }
}
