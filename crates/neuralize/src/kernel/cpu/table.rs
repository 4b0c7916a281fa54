use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::panel::{rows_from, tile};
use super::real::Real;
use super::{Rows, Scorer, task_rows};

/// Bytes of a block of scores.
const BLOCK: usize = 1 << 17;

/// What is written down for every row and every cluster.
#[derive(Clone, Copy)]
pub(crate) enum Table {
    /// `f_c = s_c − max_{k≠c} s_k`; K at least 2.
    Logits,
    /// `‖x‖² − s_k`
    Distances,
}

/// Fills a table `[N, K]`.
pub(crate) fn table<T: Real>(rows: Rows<'_, T>, scorer: &Scorer<T>, table: Table, out: &mut [T]) {
    let clusters = scorer.clusters();
    let per_row = (scorer.weight.padded() + rows.features) * size_of::<T>();
    let block = (BLOCK / per_row).clamp(8, 256).next_multiple_of(8);
    let task = task_rows(rows.len(), block);
    out.par_chunks_mut(task * clusters).enumerate().for_each(|(t, out)| {
        let (mut buffer, mut scores) = (Vec::new(), Vec::new());
        for (b, out) in out.chunks_mut(block * clusters).enumerate() {
            let x = rows.block(t * task + b * block, out.len() / clusters, &mut buffer);
            pulp::Arch::new().dispatch(Block { scorer, table, x, scores: &mut scores, out });
        }
    });
}

/// One block of rows.
pub(super) struct Block<'a, T> {
    pub(super) scorer: &'a Scorer<T>,
    pub(super) table: Table,
    /// `[n, D]`
    pub(super) x: &'a [T],
    pub(super) scores: &'a mut Vec<T>,
    /// `[n, K]`
    pub(super) out: &'a mut [T],
}

impl<T: Real> WithSimd for Block<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { scorer, table, x, scores, out } = self;
        let (clusters, features) = (scorer.clusters(), scorer.features());
        scores_of_block::<T, S>(simd, scorer, x, scores);
        let of_rows = scores.chunks_exact(scorer.weight.padded()).zip(x.chunks_exact(features));
        for ((scores, x), out) in of_rows.zip(out.chunks_exact_mut(clusters)) {
            let scores = &scores[..clusters];
            match table {
                Table::Logits => logits(scores, out),
                Table::Distances => {
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
/// and a few rows to spare.
#[inline(always)]
pub(super) fn scores_of_block<T: Real, S: Simd>(
    simd: S,
    scorer: &Scorer<T>,
    x: &[T],
    scores: &mut Vec<T>,
) {
    if S::REGISTER_COUNT >= 32 {
        by_groups::<T, S, 8>(simd, scorer, x, scores);
    } else {
        by_groups::<T, S, 4>(simd, scorer, x, scores);
    }
}

#[inline(always)]
fn by_groups<T: Real, S: Simd, const ROWS: usize>(
    simd: S,
    scorer: &Scorer<T>,
    x: &[T],
    scores: &mut Vec<T>,
) {
    let rows = x.len() / scorer.features();
    scores.resize(rows.next_multiple_of(ROWS) * scorer.weight.padded(), T::LOWEST);
    for p in 0..scorer.weight.count() {
        match scorer.weight.width(p) {
            1 => of_panel::<T, S, ROWS, 1>(simd, scorer, p, x, scores),
            2 => of_panel::<T, S, ROWS, 2>(simd, scorer, p, x, scores),
            _ => of_panel::<T, S, ROWS, 3>(simd, scorer, p, x, scores),
        }
    }
}

#[inline(always)]
fn of_panel<T: Real, S: Simd, const ROWS: usize, const W: usize>(
    simd: S,
    scorer: &Scorer<T>,
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

/// The largest other score is the largest of all, or for the first of the
/// largest itself the second.
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
    use super::super::twins::{self, Stream};
    use super::*;

    #[test]
    fn logits_and_distances() {
        fn check<T: Real>() {
            for (n, features, clusters) in twins::shapes(6) {
                let mut stream = Stream::new((n + features + clusters) as u64);
                let x: Vec<T> = stream.normals(n * features, 1.0);
                let centroids: Vec<T> = stream.normals(clusters * features, 1.0);
                let (weight, bias) = twins::scores_of(&centroids, features);
                let scorer = Scorer::new(&weight, &bias);
                let rows = Rows { x: &x, center: None, features };
                let mut distances = vec![T::LOWEST; n * clusters];
                table(rows, &scorer, Table::Distances, &mut distances);
                let mut logits = vec![T::LOWEST; n * clusters];
                table(rows, &scorer, Table::Logits, &mut logits);
                for (i, x) in x.chunks(features).enumerate() {
                    let scores: Vec<(f64, f64)> =
                        (0..clusters).map(|k| twins::score(x, &weight, &bias, k)).collect();
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
