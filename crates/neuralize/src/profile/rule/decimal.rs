//! Thresholds with few digits.

/// The shortest decimal t with `below` ≤ t < `above` (that with the fewest significant digits), of
/// equally short ones the nearest to the middle; x > t separates the same numbers as x > `below`.
/// Both must be finite, and `below` smaller.
pub(super) fn shortest_between(below: f64, above: f64) -> f64 {
    let middle = 0.5 * below + 0.5 * above;
    let width = above - below;
    let highest = below.abs().max(above.abs()).log10().floor() as i32 + 1;
    let lowest = if width.is_finite() { width.log10().floor() as i32 - 2 } else { highest - 2 };
    let fits = |t: &f64| (below..above).contains(t);
    for exponent in (lowest..=highest).rev() {
        let nearest = multiples(middle, exponent).into_iter().filter(fits);
        if let Some(t) = nearest.min_by(|a, b| (a - middle).abs().total_cmp(&(b - middle).abs())) {
            // No minus zero.
            return t + 0.0;
        }
    }
    if fits(&middle) { middle } else { below }
}

/// The multiples of a power of ten on both sides of a number, read from their decimal text, which
/// is exact.
fn multiples(number: f64, exponent: i32) -> Vec<f64> {
    let scaled = number / 10_f64.powi(exponent);
    let text = |multiple: f64| format!("{multiple:.0}e{exponent}");
    [scaled.floor(), scaled.ceil()].iter().filter_map(|m| text(*m).parse().ok()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_thresholds() {
        for (below, above, expected) in [
            (4.0, 6.0, 5.0),
            (5.0, 6.0, 5.0),
            (126.0, 129.0, 127.0),
            (4140.0, 4210.0, 4200.0),
            (0.1, 0.2, 0.1),
            (0.1 + 0.2, 0.31, 0.305),
            (-3.0, 2.0, 0.0),
            (-129.0, -126.0, -128.0),
            (1e300, 3e300, 2e300),
            (-f64::MAX, f64::MAX, 0.0),
            (0.0, 5e-324, 0.0),
            (1.0, 1.0 + f64::EPSILON, 1.0),
        ] {
            assert_eq!(shortest_between(below, above), expected, "{below} {above}");
        }
    }

    /// Whatever the numbers, the threshold separates them.
    #[test]
    fn every_gap_is_separated() {
        let mut numbers = vec![0.0, f64::MIN_POSITIVE, 1e-320, f64::MAX, 1.0, 1e15 + 0.5, 0.3];
        numbers.extend((0..60).map(|i| f64::from(i) * 0.1));
        numbers.extend((-30..30).map(|i| 1.7_f64 * 10_f64.powi(i * 10)));
        numbers.extend(numbers.clone().iter().map(|x| -x));
        numbers.extend(numbers.clone().iter().map(|x: &f64| x.next_up()));
        numbers.retain(|x| x.is_finite());
        for &a in &numbers {
            for &b in numbers.iter().filter(|b| **b > a) {
                let t = shortest_between(a, b);
                assert!(a <= t && t < b, "{a} {t} {b}");
            }
        }
    }
}
