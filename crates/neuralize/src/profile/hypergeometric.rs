//! How surprising the number of marked rows in a draw is.

use std::f64::consts::PI;

/// Rows drawn at random without replacement: `drawn` of `rows`, of which `marked` are marked.
#[derive(Debug, Clone, Copy)]
pub(in crate::profile) struct Draw {
    pub(in crate::profile) rows: usize,
    pub(in crate::profile) marked: usize,
    pub(in crate::profile) drawn: usize,
}

impl Draw {
    /// ln of the two-sided mid-p of drawing `found` marked rows: 2 P(X < found) + P(X = found) or
    /// 2 P(X > found) + P(X = found), whichever is smaller.
    ///
    /// Takes time in proportion to the standard deviation of X, at most ½ √`rows`. `found` must
    /// be possible.
    pub(in crate::profile) fn ln_mid_p(&self, found: usize) -> f64 {
        let ln_mass = self.ln_mass(found);
        // Away from the mode terms only shrink.
        let tail = if found as f64 >= self.mode() { self.above(found) } else { self.below(found) };
        let ln_p = ln_mass + (2.0 * tail).ln_1p();
        // Beyond 1 the other tail is the smaller one: both mid-p sum to 2.
        if ln_p <= 0.0 { ln_p } else { (1.0 - ln_p.exp_m1()).max(f64::MIN_POSITIVE).ln() }
    }

    fn mode(&self) -> f64 {
        let (rows, marked, drawn) = (self.rows as f64, self.marked as f64, self.drawn as f64);
        ((marked + 1.0) * (drawn + 1.0) / (rows + 2.0)).floor()
    }

    /// P(X > found) / P(X = found).
    fn above(&self, found: usize) -> f64 {
        let (marked, drawn) = (self.marked as f64, self.drawn as f64);
        let unmarked_left = self.rows as f64 - marked - drawn;
        let last = self.marked.min(self.drawn);
        ratios((found..last).map(|x| {
            let x = x as f64;
            (marked - x) / (x + 1.0) * ((drawn - x) / (unmarked_left + x + 1.0))
        }))
    }

    /// P(X < found) / P(X = found).
    fn below(&self, found: usize) -> f64 {
        let (marked, drawn) = (self.marked as f64, self.drawn as f64);
        let unmarked_left = self.rows as f64 - marked - drawn;
        let first = (self.marked + self.drawn).saturating_sub(self.rows);
        ratios((first + 1..=found).rev().map(|x| {
            let x = x as f64;
            x / (marked - x + 1.0) * ((unmarked_left + x) / (drawn - x + 1.0))
        }))
    }

    /// ln P(X = found).
    ///
    /// With Stirling's series the factorials of the 2 × 2 table combine to −Σ D(o, e), over its
    /// cells o with expected counts e, and corrections of the factorials; nothing large cancels.
    /// The saddle-point form is Loader's ("Fast and Accurate Computation of Binomial
    /// Probabilities", 2000).
    pub(in crate::profile) fn ln_mass(&self, found: usize) -> f64 {
        let Self { rows, marked, drawn } = *self;
        let (unmarked, left) = (rows - marked, rows - drawn);
        let margins = [marked, unmarked, drawn, left].map(correction).iter().sum::<f64>();
        let cells = [
            (found, marked, drawn),
            (marked - found, marked, left),
            (drawn - found, unmarked, drawn),
            (left + found - marked, unmarked, left),
        ];
        let of_cell = |(observed, row, column): (usize, usize, usize)| {
            let expected = row as f64 * column as f64 / rows as f64;
            deviance(observed as f64, expected) + correction(observed)
        };
        let ln_mass = margins - correction(rows) - cells.map(of_cell).iter().sum::<f64>();
        ln_mass.min(0.0)
    }
}

/// Sum of the products of the first 1, 2, … ratios, until they no longer count.
fn ratios(ratios: impl Iterator<Item = f64>) -> f64 {
    let (mut term, mut sum) = (1.0, 0.0);
    for ratio in ratios {
        term *= ratio;
        sum += term;
        if term < 1e-17 * sum {
            break;
        }
    }
    sum
}

/// ln n! − (n ln n − n).
fn correction(n: usize) -> f64 {
    if n < 16 {
        let ln_factorial = (2..=n).map(|i| i as f64).product::<f64>().ln();
        let n = n as f64;
        return if n == 0.0 { 0.0 } else { ln_factorial - (n * n.ln() - n) };
    }
    let n = n as f64;
    let square = n * n;
    let series = 1.0 / 12.0
        - (1.0 / 360.0
            - (1.0 / 1260.0 - (1.0 / 1680.0 - 1.0 / (1188.0 * square)) / square) / square)
            / square;
    0.5 * (2.0 * PI * n).ln() + series / n
}

/// D(o, e) = o ln(o / e) + e − o, without cancellation where o is near e.
fn deviance(observed: f64, expected: f64) -> f64 {
    if expected == 0.0 || observed == expected {
        return 0.0;
    }
    if observed == 0.0 {
        return expected;
    }
    let difference = observed - expected;
    if difference.abs() >= 0.1 * (observed + expected) {
        return observed * (observed / expected).ln() - difference;
    }
    // ln(o / e) = 2 artanh(v).
    let v = difference / (observed + expected);
    let mut sum = difference * v;
    let mut term = 2.0 * observed * v;
    for k in 1..40 {
        term *= v * v;
        let next = sum + term / f64::from(2 * k + 1);
        if next == sum {
            break;
        }
        sum = next;
    }
    sum
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Binomial coefficients as whole numbers, by Pascal's triangle.
    fn pascal(n: usize) -> Vec<Vec<u128>> {
        let mut triangle = vec![vec![1_u128]];
        for row in 1..=n {
            let above = &triangle[row - 1];
            let at = |k: usize| above.get(k).copied().unwrap_or(0);
            triangle.push((0..=row).map(|k| at(k) + k.checked_sub(1).map_or(0, at)).collect());
        }
        triangle
    }

    /// Against exact whole numbers, for every draw from at most 24 rows and some from 120.
    #[test]
    fn mid_p_is_the_exact_sum() {
        let choose = pascal(120);
        let check = |rows: usize, marked: usize, drawn: usize| {
            let ways = |x: usize| {
                if x > marked || x > drawn || drawn - x > rows - marked {
                    return 0;
                }
                choose[marked][x] * choose[rows - marked][drawn - x]
            };
            for found in (0..=drawn).filter(|x| ways(*x) > 0) {
                let below: u128 = (0..found).map(ways).sum();
                let above: u128 = (found + 1..=drawn).map(ways).sum();
                let exact = 2 * below.min(above) + ways(found);
                let exact = exact as f64 / choose[rows][drawn] as f64;
                let p = Draw { rows, marked, drawn }.ln_mid_p(found).exp();
                assert!((p / exact - 1.0).abs() < 1e-12, "{rows} {marked} {drawn} {found}");
            }
        };
        for rows in 1..=24 {
            for marked in 0..=rows {
                for drawn in 0..=rows {
                    check(rows, marked, drawn);
                }
            }
        }
        for (marked, drawn) in [(60, 60), (7, 100), (119, 3), (40, 81), (120, 50)] {
            check(120, marked, drawn);
        }
    }

    /// Probabilities sum to 1, and "yes" and "no" are equally surprising, also of a million rows.
    #[test]
    fn large_draws() {
        let draw = Draw { rows: 1_000_000, marked: 300_000, drawn: 120_000 };
        let total: f64 = (34_000..38_001).map(|x| draw.ln_mass(x).exp()).sum();
        assert!((total - 1.0).abs() < 1e-11, "{total}");
        let complement = Draw { marked: 700_000, ..draw };
        for found in [0, 20_000, 35_900, 36_000, 36_700, 120_000] {
            let (yes, no) = (draw.ln_mid_p(found), complement.ln_mid_p(120_000 - found));
            assert!((yes - no).abs() < 1e-9 * (1.0 + yes.abs()), "{found}: {yes} {no}");
        }
    }
}
