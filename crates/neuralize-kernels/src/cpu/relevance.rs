//! The relevance pass for clusters with one centroid each.

use core::ops::Range;

use pulp::{Simd, WithSimd};

use super::nearest::PackedScorer;
use super::panel::{Panels, rows_from, two_tiles};
use super::real::{Real, lanes};
use super::rows::{CenteredRows, run_tasks, task_rows};
use super::scores::block_scores;
use crate::answer::{Question, SliceAnswer};

/// Bytes of what a block of rows needs in the second-level cache.
const BLOCK: usize = 1 << 18;

/// Bytes of centroids and their squares that stay in the first-level cache.
const RESIDENT: usize = 1 << 14;

/// The relevance pass of NEON for scores `s_k = x·w_k + b_k`, w = 2 μ.
pub(crate) struct CentroidPass<T> {
    scorer: PackedScorer<T>,
    /// M, `[K, D]`
    centroids: Panels<T>,
    /// M∘M, `[K, D]`
    squares: Panels<T>,
}

impl<T: Real> CentroidPass<T> {
    /// # Shapes
    ///
    /// - weight: `[D, K]`, bias: `[K]`
    pub(crate) fn new(weight: &[T], bias: &[T]) -> Self {
        let clusters = bias.len();
        let half = T::of(0.5);
        let centroid = |k: usize, d: usize| half * weight[d * clusters + k];
        let features = weight.len() / clusters;
        Self {
            scorer: PackedScorer::new(weight, bias),
            centroids: Panels::new(clusters, features, centroid),
            squares: Panels::new(clusters, features, |k, d| centroid(k, d) * centroid(k, d)),
        }
    }

    /// Answers for all rows. A block of rows passes through all layers before
    /// the next one starts; only the answers leave the cache.
    pub(crate) fn run(
        &self,
        rows: CenteredRows<'_, T>,
        question: Question,
        answer: SliceAnswer<'_, T>,
    ) {
        let columns = [self.scorer.features(), self.scorer.clusters()];
        let per_row = (self.scorer.weight.padded() + self.scorer.features()) * size_of::<T>();
        let block = (BLOCK / per_row).clamp(8, 256).next_multiple_of(8);
        let task = task_rows(rows.len(), block);
        let tasks: Vec<_> = answer.blocks(task, columns).enumerate().collect();
        run_tasks(tasks, |(t, answer)| {
            let (mut buffer, mut scores, mut a) = (Vec::new(), Vec::new(), Vec::new());
            let mut sums = Vec::new();
            for (b, answer) in answer.blocks(block, columns).enumerate() {
                let first = t * task + b * block;
                pulp::Arch::new().dispatch(CentroidBlock {
                    pass: self,
                    question,
                    x: rows.block(first, answer.logit.len(), &mut buffer),
                    scores: &mut scores,
                    a: &mut a,
                    sums: &mut sums,
                    answer,
                });
            }
        });
    }
}

/// The pass through one block of rows.
struct CentroidBlock<'a, T> {
    pass: &'a CentroidPass<T>,
    question: Question,
    /// `[n, D]`
    x: &'a [T],
    /// Scores, `[n, K]` with every row filled up to a register's end.
    scores: &'a mut Vec<T>,
    /// The coefficients a, `[n, K]`.
    a: &'a mut Vec<T>,
    /// Products so far.
    sums: &'a mut Vec<T>,
    answer: SliceAnswer<'a, T>,
}

impl<T: Real> WithSimd for CentroidBlock<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.run::<S, 4>(simd);
        } else {
            self.run::<S, 2>(simd);
        }
    }
}

impl<T: Real> CentroidBlock<'_, T> {
    #[inline(always)]
    fn run<S: Simd, const ROWS: usize>(self, simd: S) {
        let Self { pass, question, x, scores, a, sums, answer } = self;
        let SliceAnswer { relevance, logit, cluster, shares } = answer;
        let CentroidPass { scorer, centroids, .. } = pass;
        let clusters = scorer.clusters();
        let rows = logit.len();
        let padded = scorer.weight.padded();
        a.resize(rows * clusters, T::default());

        block_scores::<T, S>(simd, scorer, x, scores);
        let answers = shares
            .chunks_exact_mut(clusters)
            .zip(a.chunks_exact_mut(clusters))
            .zip(logit.iter_mut().zip(cluster));
        for (scores, ((shares, a), (logit, cluster))) in scores.chunks_exact(padded).zip(answers) {
            let (own, margin) = min_pool(&scores[..clusters], question, shares, a);
            *cluster = own as i32;
            *logit = margin;
        }
        for p in 0..centroids.count() {
            match centroids.width(p) {
                1 => relevance_of_panel::<T, S, ROWS, 1>(simd, pass, p, x, a, sums, relevance),
                2 => relevance_of_panel::<T, S, ROWS, 2>(simd, pass, p, x, a, sums, relevance),
                _ => relevance_of_panel::<T, S, ROWS, 3>(simd, pass, p, x, a, sums, relevance),
            }
        }
    }
}

/// `R = a (M∘M) − 2 x∘(a M)` for one panel of features. Of many centroids, some are taken for all rows
/// before the next, so that they stay in the first-level cache; `sums` are the products so far.
#[inline(always)]
fn relevance_of_panel<T: Real, S: Simd, const ROWS: usize, const W: usize>(
    simd: S,
    pass: &CentroidPass<T>,
    p: usize,
    x: &[T],
    a: &[T],
    sums: &mut Vec<T>,
    relevance: &mut [T],
) {
    let (clusters, features) = (pass.scorer.clusters(), pass.scorer.features());
    let centroids = T::vectors::<S>(pass.centroids.panel(p));
    let squares = T::vectors::<S>(pass.squares.panel(p));
    let at_once = (RESIDENT / (2 * W * size_of::<T::Vector<S>>())).min(clusters);
    let zero = T::splat(simd, T::default());
    let none = [[[zero; W]; ROWS]; 2];
    let panels = [centroids, squares];
    let last = (clusters - 1) / at_once * at_once;
    let groups = relevance.len().div_ceil(ROWS * features);
    let each = 2 * ROWS * W;
    if last > 0 {
        sums.clear();
        sums.resize(groups * each * lanes::<T, S>(), T::default());
    }
    for first in (0..last).step_by(at_once) {
        let sums = T::vectors_mut::<S>(sums).chunks_exact_mut(each);
        for (g, sums) in sums.enumerate() {
            let rows = rows_from::<T, ROWS>(a, clusters, g * ROWS);
            let so_far = unpacked::<T, S, ROWS, W>(sums, none);
            let chunk = first..first + at_once;
            let found = partial::<T, S, ROWS, W>(simd, rows, panels, chunk, so_far);
            for (sum, &found) in sums.iter_mut().zip(found.as_flattened().as_flattened()) {
                *sum = found;
            }
        }
    }
    for (g, group) in relevance.chunks_mut(ROWS * features).enumerate() {
        let rows = rows_from::<T, ROWS>(a, clusters, g * ROWS);
        let so_far = if last > 0 {
            unpacked::<T, S, ROWS, W>(&T::vectors::<S>(sums)[g * each..(g + 1) * each], none)
        } else {
            none
        };
        let found = partial::<T, S, ROWS, W>(simd, rows, panels, last..clusters, so_far);
        let x = &x[g * ROWS * features..];
        combined::<T, S, ROWS, W>(simd, found, x, pass.centroids.first_column(p), features, group);
    }
}

/// Two tiles with some of the centroids.
#[inline(always)]
fn partial<T: Real, S: Simd, const ROWS: usize, const W: usize>(
    simd: S,
    rows: [&[T]; ROWS],
    panels: [&[T::Vector<S>]; 2],
    chunk: Range<usize>,
    start: [[[T::Vector<S>; W]; ROWS]; 2],
) -> [[[T::Vector<S>; W]; ROWS]; 2] {
    let rows = rows.map(|row| &row[chunk.clone()]);
    let panels = panels.map(|panel| &panel[chunk.start * W..chunk.end * W]);
    two_tiles::<T, S, ROWS, W>(simd, rows, panels, start)
}

/// The tiles in memory.
#[inline(always)]
fn unpacked<T: Real, S: Simd, const ROWS: usize, const W: usize>(
    memory: &[T::Vector<S>],
    mut tiles: [[[T::Vector<S>; W]; ROWS]; 2],
) -> [[[T::Vector<S>; W]; ROWS]; 2] {
    for (to, &from) in tiles.as_flattened_mut().as_flattened_mut().iter_mut().zip(memory) {
        *to = from;
    }
    tiles
}

/// `R` of the features from `first` on of a few rows, from both products.
#[inline(always)]
fn combined<T: Real, S: Simd, const ROWS: usize, const W: usize>(
    simd: S,
    [linear, square]: [[[T::Vector<S>; W]; ROWS]; 2],
    x: &[T],
    first: usize,
    features: usize,
    relevance: &mut [T],
) {
    let width = (W * lanes::<T, S>()).min(features - first);
    let minus_two = T::splat(simd, T::of(-2.0));
    let rows = relevance.chunks_exact_mut(features).zip(x.chunks_exact(features));
    for (r, (to, x)) in rows.enumerate() {
        let (to, x) = (&mut to[first..first + width], &x[first..first + width]);
        let (whole, rest) = (T::vectors_mut::<S>(to), T::vectors::<S>(x));
        let done = whole.len();
        for v in 0..done {
            let twice = T::times(simd, minus_two, rest[v]);
            whole[v] = T::mul_add(simd, twice, linear[r][v], square[r][v]);
        }
        let start = done * lanes::<T, S>();
        if start < width {
            let m = T::elements::<S>(&linear[r][done..]);
            let q = T::elements::<S>(&square[r][done..]);
            for (l, (to, &x)) in to[start..].iter_mut().zip(&x[start..]).enumerate() {
                *to = q[l] - (x + x) * m[l];
            }
        }
    }
}

/// The rule of min-pooling for one row: shares for all competitors (min-take-most)
/// or everything to one of them. Returns the explained cluster and its logit.
///
/// `a` becomes what the linear layer needs: `ρ_k = R_k / h_ck` for competitors,
/// `−Σ ρ_k` for the cluster itself.
#[inline(always)]
fn min_pool<T: Real>(
    scores: &[T],
    question: Question,
    shares: &mut [T],
    a: &mut [T],
) -> (usize, T) {
    let own = question.cluster.unwrap_or_else(|| first_of_largest(scores));
    let score = scores[own];
    if let Some(versus) = question.versus {
        shares.fill(T::default());
        a.fill(T::default());
        if versus != own {
            (shares[versus], a[versus], a[own]) = (T::ONE, T::ONE, T::of(-1.0));
        }
        return (own, score - scores[versus]);
    }
    let before = largest(&scores[..own]);
    let after = largest(&scores[own + 1..]);
    let logit = score - if before > after { before } else { after };

    if logit < T::default() || question.beta > T::LARGEST.into() {
        // All to the nearest competitor; equally near ones get equal shares.
        let mut count = 0.0;
        for (k, (&other, share)) in scores.iter().zip(shares.iter_mut()).enumerate() {
            let nearest = k != own && score - other <= logit;
            *share = if nearest { T::ONE } else { T::default() };
            count += if nearest { 1.0 } else { 0.0 };
        }
        let each = T::of(1.0 / count);
        for share in shares.iter_mut() {
            *share = *share * each;
        }
    } else {
        let beta = T::of(question.beta);
        for (share, &other) in shares.iter_mut().zip(scores) {
            *share = (beta * (logit - (score - other))).exp_of_negative();
        }
        shares[own] = T::default();
        let scale = T::ONE / sum(shares);
        for share in shares.iter_mut() {
            *share = *share * scale;
        }
    }
    for ((a, &share), &other) in a.iter_mut().zip(&*shares).zip(scores) {
        let h = score - other;
        // In (0, 1] if f_c > 0, and 1 for the nearest if f_c < 0. On a boundary
        // f_c = 0, and so is the relevance.
        let quotient = if logit < T::default() { T::ONE } else { logit / h };
        let counts = h > T::default() || logit < T::default();
        *a = if counts { share * quotient } else { T::default() };
    }
    a[own] = T::default();
    a[own] = T::of(-1.0) * sum(a);
    (own, logit)
}

#[inline(always)]
pub(super) fn first_of_largest<T: Real>(scores: &[T]) -> usize {
    let highest = largest(scores);
    scores.iter().position(|&score| score == highest).unwrap_or(0)
}

const LANES: usize = 16;

#[inline(always)]
fn largest<T: Real>(values: &[T]) -> T {
    let larger = |a: T, b: T| if b > a { b } else { a };
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut highest = [T::LOWEST; LANES];
    for values in whole {
        for l in 0..LANES {
            highest[l] = larger(highest[l], values[l]);
        }
    }
    highest.iter().chain(rest).fold(T::LOWEST, |a, &b| larger(a, b))
}

#[inline(always)]
fn sum<T: Real>(values: &[T]) -> T {
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut sums = [T::default(); LANES];
    for values in whole {
        for l in 0..LANES {
            sums[l] = sums[l] + values[l];
        }
    }
    sums.iter().chain(rest).fold(T::default(), |a, &b| a + b)
}
