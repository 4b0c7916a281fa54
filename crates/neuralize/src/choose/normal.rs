//! The standard normal distribution.

use std::f64::consts::PI;

/// Φ(z), the probability below z.
///
/// Below 3 in size by the series Φ(z) = ½ + φ(z) Σ z^(2k+1) / (1·3·5⋯(2k+1)), above by Laplace's
/// continued fraction 1 − Φ(z) = φ(z) / (z + 1/(z + 2/(z + 3/(z + ⋯)))) (Abramowitz and Stegun
/// 26.2.11 and 26.2.14).
pub(in crate::choose) fn probability(z: f64) -> f64 {
    let size = z.abs();
    if size < 3.0 {
        return 0.5 + density(z) * series(z);
    }
    let fraction = (1..=60).rev().fold(size, |below, k| size + f64::from(k) / below);
    let upper = density(z) / fraction;
    if z > 0.0 { 1.0 - upper } else { upper }
}

fn series(z: f64) -> f64 {
    let (mut term, mut sum) = (z, z);
    for k in 1..80 {
        term *= z * z / f64::from(2 * k + 1);
        sum += term;
        if term.abs() <= 1e-17 * sum.abs() {
            break;
        }
    }
    sum
}

fn density(z: f64) -> f64 {
    (-0.5 * z * z).exp() / (2.0 * PI).sqrt()
}

/// The z with Φ(z) = `probability`, which is above 0 and below 1, by Newton's method; the start is
/// Abramowitz and Stegun 26.2.22.
pub(in crate::choose) fn quantile(probability: f64) -> f64 {
    let lower = probability.min(1.0 - probability);
    let root = (-2.0 * lower.ln()).sqrt();
    let shift = (2.30753 + 0.27061 * root) / (1.0 + 0.99229 * root + 0.04481 * root * root);
    let mut z = shift - root;
    for _ in 0..20 {
        let step = (self::probability(z) - lower) / density(z);
        // Halley's correction.
        let step = step / (1.0 + 0.5 * z * step);
        z -= step;
        if step.abs() <= 1e-15 * (1.0 + z.abs()) {
            break;
        }
    }
    if probability > 0.5 { -z } else { z }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn probabilities_are_those_of_scipy() {
        for (z, expected) in [
            (-6.0, 9.865876450376946e-10),
            (-3.5, 0.00023262907903552502),
            (-3.0, 0.0013498980316300933),
            (-1.0, 0.15865525393145707),
            (0.0, 0.5),
            (0.5, 0.6914624612740131),
            (2.0, 0.9772498680518208),
            (3.2, 0.9993128620620841),
        ] {
            let expected: f64 = expected;
            assert!((probability(z) / expected - 1.0).abs() < 1e-12, "{z}: {}", probability(z));
        }
    }

    #[test]
    fn quantile_is_the_inverse() {
        for step in 1..1000 {
            let p = f64::from(step) / 1000.0;
            assert!((probability(quantile(p)) - p).abs() < 1e-14, "{p}");
        }
        assert!((quantile(0.0005) + 3.2905267314918945).abs() < 1e-12);
        assert!(quantile(0.5).abs() < 1e-16);
    }
}
