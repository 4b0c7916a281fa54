//! Scores of a block of rows, and the matrices of one number per row and cluster.

use pulp::{Simd, WithSimd};

use super::nearest::PackedScorer;
use super::panel::{rows_from, tile};
use super::real::Real;
use super::rows::{CenteredRows, run_tasks, task_rows};

/// Bytes of a block of scores.
const BLOCK: usize = 1 << 17;

/// A number for every row and cluster.
#[derive(Clone, Copy)]
pub(crate) enum Quantity {
    /// `f_c = s_c − max_{k≠c} s_k`; K at least 2.
    Logit,
    /// `‖x‖² − s_k`
    SquaredDistance,
}

/// Fills a matrix `[N, K]`.
pub(crate) fn quantities<T: Real>(
    rows: CenteredRows<'_, T>,
    scorer: &PackedScorer<T>,
    quantity: Quantity,
    out: &mut [T],
) {
    let clusters = scorer.clusters();
    let per_row = (scorer.weight.padded() + rows.features) * size_of::<T>();
    let block = (BLOCK / per_row).clamp(8, 256).next_multiple_of(8);
    let task = task_rows(rows.len(), block);
    run_tasks(out.chunks_mut(task * clusters).enumerate().collect(), |(t, out)| {
        let (mut buffer, mut scores) = (Vec::new(), Vec::new());
        for (b, out) in out.chunks_mut(block * clusters).enumerate() {
            let x = rows.block(t * task + b * block, out.len() / clusters, &mut buffer);
            pulp::Arch::new().dispatch(QuantityBlock {
                scorer,
                quantity,
                x,
                scores: &mut scores,
                out,
            });
        }
    });
}

/// A [`Quantity`] of one block of rows.
pub(super) struct QuantityBlock<'a, T> {
    pub(super) scorer: &'a PackedScorer<T>,
    pub(super) quantity: Quantity,
    /// `[n, D]`
    pub(super) x: &'a [T],
    pub(super) scores: &'a mut Vec<T>,
    /// `[n, K]`
    pub(super) out: &'a mut [T],
}

impl<T: Real> WithSimd for QuantityBlock<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { scorer, quantity, x, scores, out } = self;
        let (clusters, features) = (scorer.clusters(), scorer.features());
        block_scores::<T, S>(simd, scorer, x, scores);
        let of_rows = scores.chunks_exact(scorer.weight.padded()).zip(x.chunks_exact(features));
        for ((scores, x), out) in of_rows.zip(out.chunks_exact_mut(clusters)) {
            let scores = &scores[..clusters];
            match quantity {
                Quantity::Logit => logits(scores, out),
                Quantity::SquaredDistance => {
                    let norm = x.iter().fold(T::default(), |sum, &value| sum + value * value);
                    for (distance, &score) in out.iter_mut().zip(scores) {
                        // Rounding can leave a small negative number.
                        let found = norm - score;
                        *distance = if found > T::default() { found } else { T::default() };
                    }
                }
            }
        }
    }
}

/// Scores of a block, `[n, K]`, with every row filled up to a register's end
/// and a few extra rows.
#[inline(always)]
pub(super) fn block_scores<T: Real, S: Simd>(
    simd: S,
    scorer: &PackedScorer<T>,
    x: &[T],
    scores: &mut Vec<T>,
) {
    if S::REGISTER_COUNT >= 32 {
        group_scores::<T, S, 8>(simd, scorer, x, scores);
    } else {
        group_scores::<T, S, 4>(simd, scorer, x, scores);
    }
}

#[inline(always)]
fn group_scores<T: Real, S: Simd, const ROWS: usize>(
    simd: S,
    scorer: &PackedScorer<T>,
    x: &[T],
    scores: &mut Vec<T>,
) {
    let rows = x.len() / scorer.features();
    scores.resize(rows.next_multiple_of(ROWS) * scorer.weight.padded(), T::LOWEST);
    for p in 0..scorer.weight.count() {
        match scorer.weight.width(p) {
            1 => panel_scores::<T, S, ROWS, 1>(simd, scorer, p, x, scores),
            2 => panel_scores::<T, S, ROWS, 2>(simd, scorer, p, x, scores),
            _ => panel_scores::<T, S, ROWS, 3>(simd, scorer, p, x, scores),
        }
    }
}

#[inline(always)]
fn panel_scores<T: Real, S: Simd, const ROWS: usize, const W: usize>(
    simd: S,
    scorer: &PackedScorer<T>,
    p: usize,
    x: &[T],
    scores: &mut [T],
) {
    let weight = T::vectors::<S>(scorer.weight.panel(p));
    let first = scorer.weight.first_column(p);
    let bias: &[T::Vector<S>] = &T::vectors::<S>(&scorer.bias[first..])[..W];
    let mut start = [bias[0]; W];
    start.copy_from_slice(bias);
    let padded = scorer.weight.padded();
    for (g, group) in scores.chunks_exact_mut(ROWS * padded).enumerate() {
        let rows = rows_from::<T, ROWS>(x, scorer.features(), g * ROWS);
        let sums = tile::<T, S, ROWS, W>(simd, rows, weight, start);
        for (sums, row) in sums.iter().zip(group.chunks_exact_mut(padded)) {
            T::vectors_mut::<S>(&mut row[first..])[..W].copy_from_slice(sums);
        }
    }
}

/// Logits of one row: the largest score of the others is the largest of all, or
/// for the first of the largest itself the second largest.
#[inline(always)]
fn logits<T: Real>(scores: &[T], out: &mut [T]) {
    let (mut winner, mut first, mut second) = (0, T::LOWEST, T::LOWEST);
    for (k, &score) in scores.iter().enumerate() {
        if score > first {
            (winner, first, second) = (k, score, first);
        } else if score > second {
            second = score;
        }
    }
    for (logit, &score) in out.iter_mut().zip(scores) {
        *logit = score - first;
    }
    out[winner] = first - second;
}

#[cfg(test)]
mod tests {
    use super::super::reference::{self, SplitMix};
    use super::*;

    #[test]
    fn logits_and_distances() {
        fn check<T: Real>() {
            for (n, features, clusters) in reference::shapes(6) {
                let mut stream = SplitMix::new((n + features + clusters) as u64);
                let x: Vec<T> = stream.normals(n * features, 1.0);
                let centroids: Vec<T> = stream.normals(clusters * features, 1.0);
                let (weight, bias) = reference::scores_of(&centroids, features);
                let scorer = PackedScorer::new(&weight, &bias);
                let rows = CenteredRows { x: &x, center: None, features };
                let mut distances = vec![T::LOWEST; n * clusters];
                quantities(rows, &scorer, Quantity::SquaredDistance, &mut distances);
                let mut logits = vec![T::LOWEST; n * clusters];
                quantities(rows, &scorer, Quantity::Logit, &mut logits);
                for (i, x) in x.chunks(features).enumerate() {
                    let scores: Vec<(f64, f64)> =
                        (0..clusters).map(|k| reference::score(x, &weight, &bias, k)).collect();
                    let norm: f64 = x.iter().map(|&v| v.into() * v.into()).sum();
                    let of_norm = T::EPSILON * (features + 4) as f64 * norm;
                    let error = scores.iter().fold(of_norm, |most, s| most.max(s.1));
                    for k in 0..clusters {
                        let what = format!("row {i}, cluster {k} of {n} × {features} × {clusters}");
                        let (found, expected): (f64, f64) =
                            (distances[i * clusters + k].into(), norm - scores[k].0);
                        assert!(found >= 0.0, "{what}: {found}");
                        let allowed = 3.0 * error;
                        assert!((found - expected).abs() <= allowed, "{what}: {found} {expected}");
                        let others = (0..clusters).filter(|other| *other != k);
                        let other = others.map(|k| scores[k].0).fold(f64::NEG_INFINITY, f64::max);
                        let (found, expected): (f64, f64) =
                            (logits[i * clusters + k].into(), scores[k].0 - other);
                        if clusters > 1 {
                            let right = (found - expected).abs() <= allowed;
                            assert!(right, "{what}: {found} {expected}");
                        }
                    }
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }
}
