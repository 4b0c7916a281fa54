//! The summed rule for pairs of supports, and its guard.

use burn::tensor::{Bool, Tensor, backend::Backend};

use crate::cluster::segments::{Segments, lowest};
use crate::kernel::{self, STEEPEST};
use crate::network::pass::PoolingPass;
use crate::network::support_coefficients::SupportCoefficients;

/// What absorbs the part of the logit that the guard keeps.
pub(super) const ENTROPY: &str = "entropy";

/// The summed rule: every competitor's R_k is divided in proportion to
/// `Σ_j p_j (x_d−u_jd)² − Σ_i p_i (x_d−u_id)²`.
///
/// # Shapes
///
/// - t: `[n, M]`, left out: `[n, M]`, scores: `[n, K]`
pub(super) fn summed<B: Backend>(
    segments: &Segments,
    t: &Tensor<B, 2>,
    left_out: Option<&Tensor<B, 2, Bool>>,
    scores: &Tensor<B, 2>,
    pass: &PoolingPass<B>,
) -> SupportCoefficients<B> {
    let wide = scores.dims();
    let shares = segments.shares(t, left_out);
    let expected = segments.sum(&(shares.clone() * t.clone()));
    let against =
        |values: &Tensor<B, 2>| kernel::own_score(values, &pass.own).expand(wide) - values.clone();
    let (h, g) = (against(scores), against(&expected));
    let Guarded { factor, acts } = guarded(&h, &g);

    let gone = without_supports(scores, pass);
    let passed = (pass.competitors.ratios.clone() * factor).mask_fill(gone.clone(), 0.0);
    let own = passed.clone().sum_dim(1).neg().expand(wide);
    let a = passed.clone().mask_where(pass.own.clone(), own);
    let kept = (pass.relevance() - passed * g).mask_fill(acts.bool_or(gone).bool_not(), 0.0);
    SupportCoefficients::of(ENTROPY, segments.spread(&a) * shares, kept.sum_dim(1))
}

/// Which competitors a row's relevance cannot pass to, `[n, K]`, because they or the explained
/// cluster have no support left.
pub(super) fn without_supports<B: Backend>(
    scores: &Tensor<B, 2>,
    pass: &PoolingPass<B>,
) -> Tensor<B, 2, Bool> {
    let lowest = lowest(scores.dtype());
    let own = kernel::own_score(scores, &pass.own).lower_equal_elem(lowest);
    scores.clone().lower_equal_elem(lowest).bool_or(own.expand(scores.dims()))
}

struct Guarded<B: Backend> {
    /// `q = h / g`, or its replacement, `[n, K]`.
    factor: Tensor<B, 2>,
    /// Where it is replaced, `[n, K]`.
    acts: Tensor<B, 2, Bool>,
}

/// `h / g` where `sign(h) g ≥ |h| / 8`; below, a factor that falls linearly in g from 8
/// ([`STEEPEST`]) to 1, and stays 1 where `sign(h) g ≤ −|h| / 8`. It is continuous in g, lies
/// between 0 and 8, and is 0 where h = 0.
///
/// # Shapes
///
/// - h, g and output: `[n, K]`
fn guarded<B: Backend>(h: &Tensor<B, 2>, g: &Tensor<B, 2>) -> Guarded<B> {
    let zero = h.clone().equal_elem(0.0);
    let negative = h.clone().lower_elem(0.0);
    let along = g.clone().mask_where(negative, g.clone().neg());
    let size = h.clone().abs();
    let least = size.clone() / STEEPEST;
    let acts = along.clone().lower(least.clone()).bool_and(zero.clone().bool_not());
    let quotient = size.clone() / along.clone().mask_fill(acts.clone().bool_or(zero.clone()), 1.0);
    let wide = (least.clone() * 2.0).mask_fill(zero.clone(), 1.0);
    let ramp = ((along + least) / wide).clamp(0.0, 1.0) * (STEEPEST - 1.0) + 1.0;
    let factor = quotient.mask_where(acts.clone(), ramp).mask_fill(zero, 0.0);
    Guarded { factor, acts }
}

#[cfg(test)]
mod tests {
    use burn::backend::Flex;
    use burn::tensor::DType;

    use super::*;
    use crate::transfer;

    /// Continuous in g on both sides of either bend, and bounded.
    #[test]
    fn the_guard_has_no_jumps() {
        let factor = |h: f64, g: f64| {
            let table = |value| {
                transfer::upload::<Flex, 2>(vec![value], [1, 1], &Default::default(), DType::F64)
            };
            let guarded = guarded(&table(h), &table(g));
            (transfer::download(guarded.factor)[0], transfer::all_true(guarded.acts))
        };
        for h in [3.0, -0.02, 1e-200, -1e200] {
            let scale: f64 = h;
            let mut previous: Option<f64> = None;
            for step in -4000..4000 {
                let g = f64::from(step) / 8000.0 * scale;
                let (q, acts) = factor(h, g);
                assert!((0.0..=8.0 + 1e-12).contains(&q), "{h}, {g}: {q}");
                assert_eq!(acts, step < 1000, "{h}, {g}");
                if step >= 1000 {
                    assert!((q * g / h - 1.0).abs() < 1e-14, "{h}, {g}: {q}");
                }
                if step <= -1000 {
                    assert_eq!(q, 1.0);
                }
                assert!(previous.is_none_or(|previous| (previous - q).abs() < 0.01), "{h}, {g}");
                previous = Some(q);
            }
        }
        assert_eq!(factor(0.0, 1.0), (0.0, false));
        assert_eq!(factor(0.0, 0.0), (0.0, false));
    }
}
