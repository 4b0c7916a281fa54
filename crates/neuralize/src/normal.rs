//! The normal distribution, far into its tails.

use std::f64::consts::{LN_2, PI};

/// ln Q(z), the logarithm of the probability of a standard normal number above z ≥ 0.
///
/// Below 2 by the series Φ(z) = ½ + φ(z) Σ z^(2k+1) / (1·3·5⋯(2k+1)), above by Laplace's continued
/// fraction Q(z) = φ(z) / (z + 1/(z + 2/(z + 3/(z + ⋯)))) (Abramowitz and Stegun 26.2.11 and
/// 26.2.14).
pub(crate) fn ln_upper(z: f64) -> f64 {
    let ln_density = -0.5 * z * z - 0.5 * (2.0 * PI).ln();
    if z < 2.0 {
        let (mut term, mut sum) = (z, z);
        for k in 1..60 {
            term *= z * z / f64::from(2 * k + 1);
            sum += term;
        }
        return (0.5 - ln_density.exp() * sum).ln();
    }
    let fraction = (1..=100).rev().fold(z, |below, k| z + f64::from(k) / below);
    ln_density - fraction.ln()
}

/// ln of the two-sided p-value of a standard normal number.
pub(crate) fn ln_two_sided(z: f64) -> f64 {
    LN_2 + ln_upper(z.abs())
}

/// The z ≥ 0 whose two-sided p-value has this logarithm, by Newton's method on ln Q; 0 from p = 1
/// on.
pub(crate) fn quantile_two_sided(ln_p: f64) -> f64 {
    let ln_q = ln_p - LN_2;
    if ln_q >= -LN_2 {
        return 0.0;
    }
    // Abramowitz and Stegun 26.2.22.
    let root = (-2.0 * ln_q).sqrt();
    let shift = (2.30753 + 0.27061 * root) / (1.0 + 0.99229 * root + 0.04481 * root * root);
    let mut z = (root - shift).max(0.0);
    for _ in 0..20 {
        let ln_upper = ln_upper(z);
        // −(ln Q)', the density over the tail.
        let hazard = (-0.5 * z * z - 0.5 * (2.0 * PI).ln() - ln_upper).exp();
        let step = (ln_upper - ln_q) / hazard;
        z = (z + step).max(0.0);
        if step.abs() <= 1e-15 * z {
            break;
        }
    }
    z
}

/// Φ(z), the probability of a standard normal number below z.
pub(crate) fn probability(z: f64) -> f64 {
    let tail = ln_upper(z.abs()).exp();
    if z > 0.0 { 1.0 - tail } else { tail }
}

/// The z with Φ(z) = `probability`, which is above 0 and below 1.
pub(crate) fn quantile(probability: f64) -> f64 {
    let tail = probability.min(1.0 - probability);
    let z = quantile_two_sided(LN_2 + tail.ln());
    if probability > 0.5 { z } else { -z }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The quantile undoes the tail, from the middle to where p underflows and beyond.
    #[test]
    fn quantile_is_the_inverse() {
        for step in 1..4000 {
            let z = f64::from(step) * 0.01;
            let found = quantile_two_sided(ln_two_sided(z));
            assert!((found - z).abs() < 1e-13 * (1.0 + 1.0 / z), "{z}: {found}");
        }
        for z in [100.0, 1e3, 1e5] {
            assert!((quantile_two_sided(ln_two_sided(z)) / z - 1.0).abs() < 1e-12);
        }
        assert_eq!(quantile_two_sided(0.0), 0.0);
        assert_eq!(quantile_two_sided(1e-12), 0.0);
    }

    /// Against figures with 60 digits: `tests/reference/profile/make.py`.
    #[test]
    fn tails_are_those_of_another_program() {
        for (z, ln_p) in [
            (0.001, -0.0007982029070198694),
            (0.1, -0.08300741217032802),
            (0.5, -0.4827645810336733),
            (1.0, -1.1478744644493182),
            (1.9, -2.857134144982189),
            (2.1, -3.3317970416840392),
            (3.0, -5.914579040950405),
            (5.0, -14.37185121342878),
            (8.0, -34.320289979354605),
            (12.0, -74.71752582100885),
            (20.0, -203.22400819053732),
            (30.0, -453.62809677578326),
            (37.0, -688.3374383963306),
            (38.4, -741.1545258346883),
            (100.0, -5004.831061513645),
            (1000.0, -500007.1335476316),
        ] {
            let ln_p: f64 = ln_p;
            assert!((ln_two_sided(z) - ln_p).abs() < 1e-14 * (1.0 + ln_p.abs()), "{z}");
            assert!((quantile_two_sided(ln_p) - z).abs() < 1e-14 * (1.0 + z), "{z}");
        }
    }

    /// Both formulas agree where one takes over from the other.
    #[test]
    fn formulas_meet() {
        let (below, above) = (ln_upper(2.0 - 1e-9), ln_upper(2.0));
        assert!((below - above).abs() < 1e-8);
        assert!((above - 0.022_750_131_948_179_2_f64.ln()).abs() < 1e-14);
    }

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
    fn quantile_of_one_side_is_the_inverse() {
        for step in 1..1000 {
            let p = f64::from(step) / 1000.0;
            assert!((probability(quantile(p)) - p).abs() < 1e-14, "{p}");
        }
        assert!((quantile(0.0005) + 3.2905267314918945).abs() < 1e-12);
        assert!(quantile(0.5).abs() < 1e-16);
    }
}
