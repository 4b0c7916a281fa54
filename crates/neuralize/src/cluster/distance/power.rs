//! Powers of the absolute difference, and the number that minimises their sum.

use burn::tensor::{DType, Tensor, backend::Backend};

use super::domain::Domain;
use super::manhattan::median;
use super::separable::Separable;
use crate::transfer;

/// `|x − m|^p` with 1 ≤ p ≤ 16: the larger p, the more the farthest points
/// count.
#[derive(Debug)]
pub(super) struct Power(pub(super) f64);

impl<B: Backend> Separable<B> for Power {
    fn values(&self, x: Tensor<B, 2>, centroid: Tensor<B, 2>) -> Tensor<B, 2> {
        let distance = (x - centroid).abs();
        match self.0 {
            1.0 => distance,
            2.0 => distance.square(),
            power => distance.powf_scalar(power),
        }
    }

    fn domain(&self, dtype: DType, features: usize) -> Domain {
        // A difference is at most twice the limit, and NEON multiplies sums of
        // powers once more.
        let largest = transfer::largest(dtype) / (32.0 * features.max(1) as f64);
        Domain::up_to(0.5 * largest.powf(1.0 / self.0), &format!("powers of {}", self.0))
    }

    fn mean(&self, values: &mut [f64]) -> f64 {
        match self.0 {
            1.0 => median(values),
            2.0 => values.iter().sum::<f64>() / values.len() as f64,
            power => minimiser(values, power),
        }
    }
}

/// How close to the minimiser, in units of the range of the values.
const PRECISION: f64 = 1e-14;

/// Where the derivative of `Σ |x − m|^p` is 0: Newton's steps inside a bracket,
/// which is halved wherever a step would leave it or does not gain enough.
fn minimiser(values: &[f64], power: f64) -> f64 {
    let lowest = values.iter().copied().fold(f64::INFINITY, f64::min);
    let highest = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let width = highest - lowest;
    if width <= 0.0 {
        return lowest;
    }
    // Within 0 and 1 no power overflows.
    let slope = |m: f64| {
        values.iter().fold((0.0, 0.0), |(slope, curvature), x| {
            let difference = m - (x - lowest) / width;
            let part = difference.abs().powf(power - 2.0);
            if difference == 0.0 {
                (slope, curvature)
            } else {
                (slope + part * difference, curvature + part)
            }
        })
    };
    let mean = values.iter().map(|x| (x - lowest) / width).sum::<f64>() / values.len() as f64;
    let (mut low, mut high, mut m) = (0.0f64, 1.0f64, mean.clamp(0.0, 1.0));
    let mut last = 1.0f64;
    for _ in 0..200 {
        let (gradient, curvature) = slope(m);
        if gradient == 0.0 {
            break;
        }
        if gradient > 0.0 {
            high = m
        } else {
            low = m
        }
        let newton = m - gradient / ((power - 1.0) * curvature);
        let step = (newton - m).abs();
        let next = if newton > low && newton < high && step < 0.5 * last {
            newton
        } else {
            0.5 * (low + high)
        };
        last = (next - m).abs();
        m = next;
        // Smaller steps are the rounding of the slope.
        if last <= PRECISION || high - low <= PRECISION {
            break;
        }
    }
    lowest + m * width
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_minimiser_is_where_neighbours_are_worse() {
        let values = [3.0, -1.0, 0.25, 8.0, 0.5, 0.5, 7.5];
        for power in [1.001, 1.2, 1.5, 1.9, 2.0, 2.5, 3.0, 7.0, 16.0] {
            let total = |m: f64| values.iter().map(|x| (x - m).abs().powf(power)).sum::<f64>();
            let found = minimiser(&values, power);
            for step in [1e-5, 1e-2, 1.0] {
                assert!(total(found) <= total(found - step) && total(found) <= total(found + step));
            }
        }
        // Two points: halfway, whatever the power. Equal points: themselves.
        for power in [1.3, 3.0, 16.0] {
            assert!((minimiser(&[1.0, 4.0], power) - 2.5).abs() < 1e-12);
            assert_eq!(minimiser(&[0.1, 0.1, 0.1], power), 0.1);
        }
        let squares = minimiser(&values, 2.0);
        assert!((squares - values.iter().sum::<f64>() / 7.0).abs() < 1e-12);
    }
}
