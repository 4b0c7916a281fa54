//! The v-test: how far a cluster is from what chance would give.

use crate::normal;
use crate::profile::hypergeometric::Draw;

/// A test value on the scale of a standard normal number, and its p-value.
///
/// It measures how unlikely the mean or share of a cluster would be if its rows were drawn at
/// random from all rows. Clusters are not: they were made so that they differ. So v-tests rank the
/// columns; they do not prove that a cluster exists.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct VTest {
    /// Positive where the cluster is above all rows.
    pub v: f64,
    /// Two-sided p-value; 0 below 5e-324.
    pub p: f64,
}

impl VTest {
    /// Of a mean: v = (mean_q − mean) / √(s²/n_q · (N − n_q) / (N − 1)), s² with divisor N; p by
    /// the normal distribution. `difference` is (mean_q − mean) / s, of n_q of N rows.
    ///
    /// `None` if the cluster has no row or all rows.
    ///
    /// Lebart, Morineau and Piron, "Statistique exploratoire multidimensionnelle" (1995); as
    /// FactoMineR's `catdes` for quantitative variables.
    pub(in crate::profile) fn of_mean(difference: f64, drawn: usize, rows: usize) -> Option<Self> {
        if drawn == 0 || drawn >= rows {
            return None;
        }
        let (drawn, rows) = (drawn as f64, rows as f64);
        let v = difference * (drawn * (rows - 1.0) / (rows - drawn)).sqrt();
        v.is_finite().then(|| Self { v, p: normal::ln_two_sided(v).exp().min(1.0) })
    }

    /// Of a share: p is the two-sided mid-p of the hypergeometric distribution,
    /// min(2 P(X < x) + P(X = x), 2 P(X > x) + P(X = x)); v is the normal quantile that has this
    /// two-sided p, positive if the share in the cluster is above that of all rows.
    ///
    /// `None` if the cluster has no row or all rows, or the value is in no row or in all.
    ///
    /// As FactoMineR's `catdes` (2.14) for qualitative variables. v is exact also where p is too
    /// small for a number.
    pub(in crate::profile) fn of_share(draw: &Draw, found: usize) -> Option<Self> {
        let Draw { rows, marked, drawn } = *draw;
        if drawn == 0 || drawn >= rows || marked == 0 || marked >= rows {
            return None;
        }
        let ln_p = draw.ln_mid_p(found);
        // found / drawn > marked / rows, in whole numbers.
        let is_over = found as u128 * rows as u128 > marked as u128 * drawn as u128;
        let size = normal::quantile_two_sided(ln_p);
        Some(Self { v: if is_over { size } else { 0.0 - size }, p: ln_p.exp() })
    }
}
