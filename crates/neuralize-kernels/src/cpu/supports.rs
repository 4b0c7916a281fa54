//! The relevance pass for clusters with many supports each.
//!
//! Every support has a score `t_j = 2 x·u_j − ‖u_j‖²`, and a cluster's score is
//! the soft maximum of those of its supports. A block of rows passes through all
//! layers while the scores of its supports are in the second-level cache.

use core::ops::Range;

use pulp::{Simd, WithSimd};

use super::nearest::PackedScorer;
use super::panel::{Panels, WIDTH, rows_from};
use super::real::{Real, lanes};
use super::relevance::first_of_largest;
use super::rows::{CenteredRows, run_tasks, task_rows};
use super::scores::block_scores;
use super::segments::{EdgeMasks, SoftMaximum, Span, Stiffness};
use crate::STEEPEST;
use crate::answer::{Question, SliceAnswer};

/// Bytes of a block's scores in the second-level cache.
const BLOCK: usize = 1 << 18;

/// Supports that are processed for all rows of a block before the next ones, from
/// the first-level cache. Sums over this many of them lose no precision.
const CHUNK: usize = 64;

/// Supports that are skipped together if none of them has a share.
const SUPPORTS: usize = 32;

/// Clusters whose supports lie side by side, and the layer that scores them.
pub(crate) struct SupportClusters<T> {
    pub(super) scorer: PackedScorer<T>,
    pub(super) segments: Vec<Range<usize>>,
    pub(super) stiffness: Stiffness<T>,
}

/// The relevance pass of NEON for them.
pub(crate) struct SupportPass<T> {
    clusters: SupportClusters<T>,
    /// U, `[M, D]`
    points: Panels<T>,
    /// U∘U, `[M, D]`
    squares: Panels<T>,
}

impl<T: Real> SupportClusters<T> {
    /// # Shapes
    ///
    /// - weight: `[D, M]`, bias: `[M]`, sizes: `[K]`, none of them 0, of sum M
    pub(crate) fn new(weight: &[T], bias: &[T], sizes: &[usize], gamma: f64) -> Self {
        let mut segments = Vec::with_capacity(sizes.len());
        let mut start = 0;
        for size in sizes {
            segments.push(start..start + size);
            start += size;
        }
        assert_eq!(start, bias.len());
        Self { scorer: PackedScorer::new(weight, bias), segments, stiffness: Stiffness::of(gamma) }
    }

    /// The score of every cluster, `[N, K]`.
    pub(crate) fn scores(&self, rows: CenteredRows<'_, T>, out: &mut [T]) {
        let clusters = self.segments.len();
        let block = self.block_rows();
        let task = task_rows(rows.len(), block);
        run_tasks(out.chunks_mut(task * clusters).enumerate().collect(), |(t, out)| {
            let (mut buffer, mut scores) = (Vec::new(), Vec::new());
            for (b, out) in out.chunks_mut(block * clusters).enumerate() {
                let first = t * task + b * block;
                let x = rows.block(first, out.len() / clusters, &mut buffer);
                let scores = &mut scores;
                pulp::Arch::new().dispatch(ScoreBlock { clusters: self, x, scores, out });
            }
        });
    }

    /// Has all rows answered, block by block, with memory that a thread keeps between its blocks.
    pub(super) fn in_blocks<M: Default>(
        &self,
        rows: CenteredRows<'_, T>,
        answer: SliceAnswer<'_, T>,
        absorbed: &mut [T],
        work: impl Fn(RowBlock<'_, T>, &mut M) + Sync,
    ) {
        let columns = [rows.features, self.segments.len()];
        let block = self.block_rows();
        let task = task_rows(rows.len(), block);
        let tasks: Vec<_> =
            answer.blocks(task, columns).zip(absorbed.chunks_mut(task)).enumerate().collect();
        run_tasks(tasks, |(t, (answer, absorbed))| {
            let (mut centered, mut memory) = (Vec::new(), M::default());
            let blocks = answer.blocks(block, columns).zip(absorbed.chunks_mut(block));
            for (b, (answer, absorbed)) in blocks.enumerate() {
                let first = t * task + b * block;
                let x = rows.block(first, answer.logit.len(), &mut centered);
                work(RowBlock { x, answer, absorbed }, &mut memory);
            }
        });
    }

    fn block_rows(&self) -> usize {
        (BLOCK / (self.scorer.weight.padded() * size_of::<T>())).clamp(8, 64).next_multiple_of(8)
    }
}

/// Rows that pass through all layers while their scores are in the cache.
pub(super) struct RowBlock<'a, T> {
    /// Around the centre, `[n, D]`.
    pub(super) x: &'a [T],
    pub(super) answer: SliceAnswer<'a, T>,
    /// `[n]`
    pub(super) absorbed: &'a mut [T],
}

struct ScoreBlock<'a, T> {
    clusters: &'a SupportClusters<T>,
    /// `[n, D]`
    x: &'a [T],
    scores: &'a mut Vec<T>,
    /// `[n, K]`
    out: &'a mut [T],
}

impl<T: Real> WithSimd for ScoreBlock<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { clusters: SupportClusters { scorer, segments, stiffness }, x, scores, out } =
            self;
        block_scores::<T, S>(simd, scorer, x, scores);
        let masks = EdgeMasks::new::<S>();
        let rows = scores.chunks_exact_mut(scorer.weight.padded());
        for (row, out) in rows.zip(out.chunks_exact_mut(segments.len())) {
            let row = T::vectors_mut::<S>(row);
            for (segment, out) in segments.iter().zip(out) {
                let span = Span::new(simd, &masks, segment);
                let found = span.soft_maximum::<false>(simd, row, segment.len(), *stiffness);
                *out = T::of(found.value);
            }
        }
    }
}

impl<T: Real> SupportPass<T> {
    /// # Shapes
    ///
    /// As of [`SupportClusters::new`], K at least 2.
    pub(crate) fn new(weight: &[T], bias: &[T], sizes: &[usize], gamma: f64) -> Self {
        let supports = bias.len();
        let features = weight.len() / supports;
        let half = T::of(0.5);
        let point = |j: usize, d: usize| half * weight[d * supports + j];
        Self {
            clusters: SupportClusters::new(weight, bias, sizes, gamma),
            points: Panels::new(supports, features, point),
            squares: Panels::new(supports, features, |j, d| point(j, d) * point(j, d)),
        }
    }

    /// Answers for all rows, and what the guard keeps from the features, `[N]`.
    /// Memory besides the answers: one block of rows times all supports per thread.
    pub(crate) fn run(
        &self,
        rows: CenteredRows<'_, T>,
        question: Question,
        answer: SliceAnswer<'_, T>,
        absorbed: &mut [T],
    ) {
        let work = |RowBlock { x, answer, absorbed }: RowBlock<'_, T>, buffers: &mut _| {
            let block = SupportBlock { pass: self, question, x, buffers, answer, absorbed };
            pulp::Arch::new().dispatch(block);
        };
        self.clusters.in_blocks(rows, answer, absorbed, work);
    }
}

/// Memory that is reused from block to block.
#[derive(Default)]
struct SupportBuffers<T> {
    /// Scores of the supports, then their coefficients v, `[n, M]` with every
    /// row filled up to a register's end.
    scores: Vec<T>,
    /// Whether a row has a coefficient among [`SUPPORTS`] of them, `[n, ..]`.
    live: Vec<bool>,
    /// Sums of one panel of features.
    sums: Vec<T>,
    row: RowBuffers<T>,
}

#[derive(Default)]
struct RowBuffers<T> {
    /// `[K]`
    maxima: Vec<SoftMaximum>,
    /// Scores of the clusters, `[K]`.
    scores: Vec<T>,
    /// `[K]`
    shares: Vec<f64>,
    /// Coefficients of the clusters, `[K]`.
    a: Vec<f64>,
}

/// The pass through one block of rows.
struct SupportBlock<'a, T> {
    pass: &'a SupportPass<T>,
    question: Question,
    /// `[n, D]`
    x: &'a [T],
    buffers: &'a mut SupportBuffers<T>,
    answer: SliceAnswer<'a, T>,
    /// `[n]`
    absorbed: &'a mut [T],
}

impl<T: Real> WithSimd for SupportBlock<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.coefficients(simd);
        let many = S::REGISTER_COUNT >= 32;
        for p in 0..self.pass.points.count() {
            match (self.pass.points.width(p), many) {
                (1, true) => self.panel::<S, 8, 1>(simd, p),
                (2, true) => self.panel::<S, 4, 2>(simd, p),
                (_, true) => self.panel::<S, 4, WIDTH>(simd, p),
                (1, false) => self.panel::<S, 4, 1>(simd, p),
                (2, false) => self.panel::<S, 3, 2>(simd, p),
                (_, false) => self.panel::<S, 2, WIDTH>(simd, p),
            }
        }
    }
}

impl<T: Real> SupportBlock<'_, T> {
    /// From scores to the coefficients v of the supports; fills every answer but the
    /// relevance on the way.
    #[inline(always)]
    fn coefficients<S: Simd>(&mut self, simd: S) {
        let SupportClusters { scorer, segments, stiffness } = &self.pass.clusters;
        let SupportBuffers { scores, live, row: buffers, .. } = &mut *self.buffers;
        let (padded, parts) = (scorer.weight.padded(), scorer.weight.padded().div_ceil(SUPPORTS));
        block_scores::<T, S>(simd, scorer, self.x, scores);
        live.resize(self.answer.logit.len() * parts, false);

        let masks = EdgeMasks::new::<S>();
        let SliceAnswer { logit, cluster, shares, .. } = &mut self.answer;
        let answers = shares
            .chunks_exact_mut(segments.len())
            .zip(logit.iter_mut().zip(&mut **cluster))
            .zip(&mut *self.absorbed);
        let rows = scores.chunks_exact_mut(padded).zip(live.chunks_exact_mut(parts));
        for ((row, live), ((shares, (logit, cluster)), absorbed)) in rows.zip(answers) {
            // Beyond the last support there are no coefficients.
            row[scorer.clusters()..].fill(T::default());
            let row = T::vectors_mut::<S>(row);
            buffers.maxima.clear();
            for segment in segments {
                let span = Span::new(simd, &masks, segment);
                let found = span.soft_maximum::<true>(simd, row, segment.len(), *stiffness);
                buffers.maxima.push(found);
            }
            let answer = pooling_rules(buffers, self.question);
            *cluster = answer.own as i32;
            *logit = T::of(answer.logit);
            *absorbed = T::of(answer.absorbed);
            for (to, &share) in shares.iter_mut().zip(&buffers.shares) {
                *to = T::of(share);
            }
            for ((segment, maximum), a) in segments.iter().zip(&buffers.maxima).zip(&buffers.a) {
                Span::new(simd, &masks, segment).scale(simd, row, T::of(a / maximum.total));
            }
            mark_live::<T, S>(simd, row, live);
        }
    }

    /// `R = v (U∘U) − 2 x∘(v U)` for one panel of features.
    #[inline(always)]
    fn panel<S: Simd, const ROWS: usize, const W: usize>(&mut self, simd: S, p: usize) {
        let SupportPass { clusters, points, squares } = self.pass;
        let SupportBuffers { scores, live, sums, .. } = &mut *self.buffers;
        let lanes = lanes::<T, S>();
        let (rows, features) = (self.answer.logit.len(), points.columns());
        let (supports, padded) = (points.inner(), clusters.scorer.weight.padded());
        let parts = padded.div_ceil(SUPPORTS);
        let v = &scores[..rows * padded];
        let (points_of, squares_of) =
            (T::vectors::<S>(points.panel(p)), T::vectors::<S>(squares.panel(p)));

        let groups = rows.div_ceil(ROWS);
        sums.clear();
        sums.resize(groups * ROWS * 2 * W * lanes, T::default());
        let sums = T::vectors_mut::<S>(sums);
        for start in (0..supports).step_by(CHUNK) {
            let range = start..(start + CHUNK).min(supports);
            let points = &points_of[range.start * W..range.end * W];
            let squares = &squares_of[range.start * W..range.end * W];
            for (g, sums) in sums.chunks_exact_mut(ROWS * 2 * W).enumerate() {
                let rows_of: [&[T]; ROWS] = rows_from(v, padded, g * ROWS);
                let rows_of = rows_of.map(|row| &row[range.clone()]);
                let live: [&[bool]; ROWS] = rows_from(&live[..rows * parts], parts, g * ROWS);
                let live = live.map(|live| &live[start / SUPPORTS..]);
                if !live.iter().any(|live| live[..range.len().div_ceil(SUPPORTS)].contains(&true)) {
                    continue;
                }
                let parts = partial_sums::<T, S, ROWS, W>(simd, rows_of, live, [points, squares]);
                for (sums, parts) in sums.chunks_exact_mut(2 * W).zip(parts) {
                    for (sum, part) in sums.iter_mut().zip(parts.as_flattened()) {
                        *sum = T::plus(simd, *sum, *part);
                    }
                }
            }
        }

        let first = points.first_column(p);
        let width = (W * lanes).min(features - first);
        let of_rows = self.answer.relevance.chunks_exact_mut(features);
        let of_rows = of_rows.zip(self.x.chunks_exact(features));
        for ((to, x), sums) in of_rows.zip(sums.chunks_exact(2 * W)) {
            let (linear, square) = sums.split_at(W);
            let sums = T::elements::<S>(linear).iter().zip(T::elements::<S>(square));
            let (to, x) = (&mut to[first..first + width], &x[first..first + width]);
            for ((to, &x), (&linear, &square)) in to.iter_mut().zip(x).zip(sums) {
                *to = square - (x + x) * linear;
            }
        }
    }
}

/// Marks the parts of a row that have a coefficient other than 0.
#[inline(always)]
fn mark_live<T: Real, S: Simd>(simd: S, row: &[T::Vector<S>], live: &mut [bool]) {
    let (zero, minus_one) = (T::splat(simd, T::default()), T::splat(simd, T::of(-1.0)));
    for (part, live) in row.chunks(SUPPORTS / lanes::<T, S>()).zip(live) {
        let mut largest = zero;
        for &value in part {
            largest = T::max(simd, largest, value);
            largest = T::max(simd, largest, T::times(simd, value, minus_one));
        }
        *live = T::any(simd, T::greater(simd, largest, zero));
    }
}

/// Tiles of `v U` and `v (U∘U)` over some of the supports.
#[inline(always)]
fn partial_sums<T: Real, S: Simd, const ROWS: usize, const W: usize>(
    simd: S,
    rows: [&[T]; ROWS],
    live: [&[bool]; ROWS],
    [points, squares]: [&[T::Vector<S>]; 2],
) -> [[[T::Vector<S>; W]; 2]; ROWS] {
    let supports = points.len() / W;
    for row in rows {
        assert!(row.len() == supports);
    }
    let zero = T::splat(simd, T::default());
    let mut sums = [[[zero; W]; 2]; ROWS];
    let parts = points.chunks(SUPPORTS * W).zip(squares.chunks(SUPPORTS * W));
    for (part, (points, squares)) in parts.enumerate() {
        if !live.iter().any(|live| live[part]) {
            continue;
        }
        let columns = points.chunks_exact(W).zip(squares.chunks_exact(W));
        for (i, (point, square)) in columns.enumerate() {
            for (sums, row) in sums.iter_mut().zip(rows) {
                // SAFETY: a part has at most SUPPORTS columns, so this is the
                // number of a column of the panel, and rows are as long.
                #[allow(unsafe_code)]
                let value = T::splat(simd, unsafe { *row.get_unchecked(part * SUPPORTS + i) });
                for w in 0..W {
                    sums[0][w] = T::mul_add(simd, value, point[w], sums[0][w]);
                    sums[1][w] = T::mul_add(simd, value, square[w], sums[1][w]);
                }
            }
        }
    }
    sums
}

/// What the pooling layers answer for one row.
struct RowAnswer {
    own: usize,
    logit: f64,
    absorbed: f64,
}

/// The decision of min-pooling for one row, given the scores of its clusters.
pub(super) struct Decided {
    /// The explained cluster.
    pub(super) own: usize,
    pub(super) logit: f64,
    /// Whether competitors share the logit softly.
    soft: bool,
}

impl Decided {
    /// Fills the shares of the competitors, `[K]`.
    #[inline(always)]
    pub(super) fn of<T: Real>(scores: &[T], question: Question, shares: &mut Vec<f64>) -> Self {
        let own = question.cluster.unwrap_or_else(|| first_of_largest(scores));
        let score: f64 = scores[own].into();
        let h = |k: usize| score - scores[k].into();
        let clusters = scores.len();
        shares.clear();
        shares.resize(clusters, 0.0);
        let logit = match question.versus {
            Some(versus) => {
                if versus != own {
                    shares[versus] = 1.0;
                }
                h(versus)
            }
            None => {
                let others = (0..clusters).filter(|k| *k != own);
                let logit = others.map(h).fold(f64::INFINITY, f64::min);
                softmin(shares, own, h, logit, question.beta, T::LARGEST.into());
                logit
            }
        };
        Self { own, logit, soft: question.versus.is_none() && logit >= 0.0 }
    }

    /// What a contrast h is multiplied by, for a competitor with this share.
    #[inline(always)]
    pub(super) fn ratio(&self, share: f64, h: f64) -> f64 {
        if !self.soft {
            share
        } else if h > 0.0 {
            share * (self.logit / h)
        } else {
            // On a boundary the logit is 0, and so is the relevance.
            0.0
        }
    }
}

/// The rules of the pooling layers above the supports for one row: shares of
/// the competitors, and the coefficients of the clusters' supports.
#[inline(always)]
fn pooling_rules<T: Real>(row: &mut RowBuffers<T>, question: Question) -> RowAnswer {
    let RowBuffers { maxima, scores, shares, a } = row;
    scores.clear();
    // Rounded as in the forward pass, so that both decide alike.
    scores.extend(maxima.iter().map(|maximum| T::of(maximum.value)));
    let decided = Decided::of(scores, question, shares);
    let own = decided.own;
    a.clear();
    a.resize(scores.len(), 0.0);
    let mut absorbed = 0.0;
    let mut against = 0.0;
    for (k, &share) in shares.iter().enumerate() {
        let h = scores[own].into() - scores[k].into();
        let ratio = decided.ratio(share, h);
        if ratio > 0.0 {
            let g = maxima[own].mean - maxima[k].mean;
            let quotient = guarded(h, g);
            // Otherwise the features carry all of h, and the rest is rounding error.
            if h.signum() * g < h.abs() / STEEPEST {
                absorbed += ratio * (h - quotient * g);
            }
            a[k] = ratio * quotient;
            against += a[k];
        }
    }
    a[own] = -against;
    RowAnswer { own, logit: decided.logit, absorbed }
}

/// Shares of the competitors by `softmin(β h)`; all to the nearest for an infinite
/// β and for a row that is not in the cluster.
#[inline(always)]
fn softmin(
    shares: &mut [f64],
    own: usize,
    h: impl Fn(usize) -> f64,
    logit: f64,
    beta: f64,
    largest: f64,
) {
    if logit < 0.0 || beta > largest {
        for (k, share) in shares.iter_mut().enumerate() {
            *share = f64::from(u8::from(h(k) <= logit));
        }
    } else {
        for (k, share) in shares.iter_mut().enumerate() {
            *share = (beta * (logit - h(k)).min(0.0)).exp_of_negative();
        }
    }
    shares[own] = 0.0;
    let total: f64 = shares.iter().sum();
    for share in shares {
        *share /= total;
    }
}

/// `h / g`, although the difference g of the supports' means may vanish or have the
/// other sign: at most [`STEEPEST`], and 1 if it clearly has the other sign.
/// Continuous in g.
#[inline(always)]
fn guarded(h: f64, g: f64) -> f64 {
    let along = g * h.signum() / h.abs();
    if h == 0.0 {
        0.0
    } else if along >= 1.0 / STEEPEST {
        h / g
    } else {
        1.0 + (STEEPEST - 1.0) * (0.5 * (STEEPEST * along + 1.0)).clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::super::reference::{self, SplitMix};
    use super::*;
    use crate::answer::{Answer, VecAnswer};

    const INFINITY: f64 = f64::INFINITY;

    /// More than a block of rows for many supports.
    const ROWS: usize = 19;

    /// Rows and clusters of supports `[M, D]`.
    struct Problem<T> {
        x: Vec<T>,
        supports: Vec<T>,
        features: usize,
        sizes: Vec<usize>,
        gamma: f64,
    }

    impl<T: Real> Problem<T> {
        /// Clusters of one support and of many.
        fn new(features: usize, supports: usize, clusters: usize, gamma: f64, grid: bool) -> Self {
            let mut stream = SplitMix::new((features * supports + clusters) as u64);
            let mut sizes = vec![1; clusters];
            for _ in clusters..supports {
                // The first stays alone.
                sizes[1 + stream.below(clusters - 1)] += 1;
            }
            // γ times the spread of the scores stays moderate.
            let scale = if gamma > 1.0 { (4.0 / gamma / features as f64).sqrt() } else { 1.0 };
            let mut values = |count: usize| -> Vec<T> {
                if grid {
                    (0..count).map(|_| T::of(stream.below(5) as f64 - 2.0)).collect()
                } else {
                    stream.normals(count, scale)
                }
            };
            let (x, supports) = (values(ROWS * features), values(supports * features));
            Self { x, supports, features, sizes, gamma }
        }

        /// The answer, and what the guard absorbs.
        fn explain(&self, question: Question) -> (VecAnswer<T>, Vec<T>) {
            let (weight, bias) = reference::scores_of(&self.supports, self.features);
            let pass = SupportPass::new(&weight, &bias, &self.sizes, self.gamma);
            let rows = self.x.len() / self.features;
            let mut answer = VecAnswer::full([rows, self.features], self.sizes.len(), T::LOWEST);
            answer.cluster.fill(-1);
            let mut absorbed = vec![T::LOWEST; rows];
            pass.run(self.rows(), question, answer.slices(), &mut absorbed);
            (answer, absorbed)
        }

        fn scores(&self) -> Vec<T> {
            let (weight, bias) = reference::scores_of(&self.supports, self.features);
            let clusters = SupportClusters::new(&weight, &bias, &self.sizes, self.gamma);
            let mut scores = vec![T::LOWEST; self.x.len() / self.features * self.sizes.len()];
            clusters.scores(self.rows(), &mut scores);
            scores
        }

        fn rows(&self) -> CenteredRows<'_, T> {
            CenteredRows { x: &self.x, center: None, features: self.features }
        }

        /// Squared distances of a row from all supports, feature by feature.
        fn distances(&self, x: &[T]) -> Vec<Vec<f64>> {
            let away = |(&x, &u): (&T, &T)| (x.into() - u.into()).powi(2);
            let supports = self.supports.chunks(self.features);
            supports.map(|u| x.iter().zip(u).map(away).collect()).collect()
        }
    }

    /// The clusters' side of one row by the definitions, in f64: from squared
    /// distances, the soft minimum of which is the squared norm less the score.
    struct Pools {
        scores: Vec<f64>,
        /// `Σ_j p_j t_j` of every cluster.
        means: Vec<f64>,
        /// `Σ_j p_j (x − u_j)²` of every cluster and feature.
        parts: Vec<Vec<f64>>,
        /// What rounding is measured by: the squared norm and the mean squared distance.
        size: f64,
    }

    fn pools<T: Real>(problem: &Problem<T>, x: &[T]) -> Pools {
        let norm: f64 = x.iter().map(|&v| v.into() * v.into()).sum();
        let distances = problem.distances(x);
        let size = norm + distances.iter().flatten().sum::<f64>() / distances.len() as f64;
        let mut pools = Pools { scores: Vec::new(), means: Vec::new(), parts: Vec::new(), size };
        let mut start = 0;
        for &count in &problem.sizes {
            let members = &distances[start..start + count];
            start += count;
            let t: Vec<f64> = members.iter().map(|d| norm - d.iter().sum::<f64>()).collect();
            let most = t.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            let (score, weights): (f64, Vec<f64>) = if problem.gamma == INFINITY {
                (most, t.iter().map(|&t| f64::from(u8::from(t == most))).collect())
            } else if problem.gamma == 0.0 {
                (t.iter().sum::<f64>() / count as f64, vec![1.0; count])
            } else {
                let less = t.iter().map(|t| (problem.gamma * (t - most)).exp_m1()).sum::<f64>();
                let score = most + (less / count as f64).ln_1p() / problem.gamma;
                (score, t.iter().map(|t| (problem.gamma * (t - most)).exp()).collect())
            };
            let total: f64 = weights.iter().sum();
            pools.scores.push(score);
            pools.means.push(t.iter().zip(&weights).map(|(t, w)| t * w / total).sum());
            let mut part = vec![0.0; problem.features];
            for (weight, distances) in weights.iter().zip(members) {
                for (part, distance) in part.iter_mut().zip(distances) {
                    *part += weight / total * distance;
                }
            }
            pools.parts.push(part);
        }
        pools
    }

    /// The answers for one row by the definitions.
    struct Naive {
        own: usize,
        /// Distance of the values to the next one at which a decision changes.
        lead: f64,
        logit: f64,
        shares: Vec<f64>,
        relevance: Vec<f64>,
        absorbed: f64,
        /// The smallest |h| or |g| that was divided by.
        divisor: f64,
    }

    fn naive(Pools { scores, means, parts, .. }: &Pools, question: Question) -> Naive {
        let clusters = scores.len();
        let most = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        let assigned = scores.iter().position(|&s| s == most).expect("a largest score");
        let own = question.cluster.unwrap_or(assigned);
        let mut lead = INFINITY;
        for k in (0..clusters).filter(|&k| k != assigned && question.cluster.is_none()) {
            lead = lead.min(most - scores[k]);
        }
        let h: Vec<f64> = scores.iter().map(|s| scores[own] - s).collect();
        let mut shares = vec![0.0; clusters];
        let mut ratios = vec![0.0; clusters];
        let logit = if let Some(versus) = question.versus {
            if versus != own {
                (shares[versus], ratios[versus]) = (1.0, 1.0);
            }
            h[versus]
        } else {
            let others = || (0..clusters).filter(|&k| k != own);
            let logit = others().map(|k| h[k]).fold(INFINITY, f64::min);
            lead = lead.min(logit.abs());
            if logit < 0.0 || question.beta == INFINITY {
                let near: Vec<usize> = others().filter(|&k| h[k] <= logit).collect();
                for &k in &near {
                    shares[k] = 1.0 / near.len() as f64;
                }
                let far = others().filter(|k| !near.contains(k)).map(|k| h[k] - logit);
                lead = far.fold(lead, f64::min);
            } else {
                let weight = |k: usize| (question.beta * (logit - h[k])).exp();
                let total: f64 = others().map(weight).sum();
                for k in others() {
                    shares[k] = weight(k) / total;
                }
            }
            for k in others() {
                ratios[k] = if logit < 0.0 {
                    shares[k]
                } else if h[k] > 0.0 {
                    shares[k] * logit / h[k]
                } else {
                    0.0
                };
            }
            logit
        };
        let mut relevance = vec![0.0; parts[0].len()];
        let (mut absorbed, mut divisor) = (0.0, INFINITY);
        for k in (0..clusters).filter(|&k| ratios[k] != 0.0) {
            let g = means[own] - means[k];
            let (along, size) = (h[k].signum() * g, h[k].abs());
            let quotient = if size == 0.0 {
                0.0
            } else if along >= size / 8.0 {
                h[k] / g
            } else {
                1.0 + 7.0 * ((along + size / 8.0) / (size / 4.0)).clamp(0.0, 1.0)
            };
            for (d, relevance) in relevance.iter_mut().enumerate() {
                *relevance += ratios[k] * quotient * (parts[k][d] - parts[own][d]);
            }
            absorbed += ratios[k] * (h[k] - quotient * g);
            divisor = divisor.min(if along >= size / 8.0 { along.min(size) } else { size });
        }
        Naive { own, lead, logit, shares, relevance, absorbed, divisor }
    }

    /// Every kind of question.
    fn questions(clusters: usize) -> Vec<Question> {
        let mut questions = Vec::new();
        for beta in [0.0, 1.0, INFINITY] {
            for cluster in [None, Some(0), Some(clusters - 1)] {
                questions.push(Question { cluster, versus: None, beta });
            }
        }
        for (cluster, versus) in [(None, 0), (None, clusters - 1), (Some(1), 0), (Some(1), 1)] {
            questions.push(Question { cluster, versus: Some(versus), beta: INFINITY });
        }
        questions
    }

    /// Compares all rows. Returns how many were too close to a decision to be
    /// compared, and the largest error relative to the allowed one.
    fn compare<T: Real>(
        problem: &Problem<T>,
        pools: &[Pools],
        question: Question,
        tolerance: f64,
    ) -> (usize, f64) {
        let Problem { features, ref sizes, gamma, .. } = *problem;
        let Question { cluster, versus, beta } = question;
        let (found, absorbed) = problem.explain(question);
        let (mut close, mut worst) = (0, 0f64);
        for (i, pools) in pools.iter().enumerate() {
            let what = format!(
                "row {i}, {features} × {sizes:?}, γ {gamma}, {cluster:?}, {versus:?}, β {beta}"
            );
            let naive = naive(pools, question);
            let size = pools.size;
            if naive.lead > 0.0 && naive.lead <= tolerance * size {
                close += 1;
                continue;
            }
            let mut check = |found: T, expected: f64, allowed: f64, name: &str| {
                let found: f64 = found.into();
                let error = (found - expected).abs();
                assert!(error <= allowed, "{what}: {name} {found}, not {expected} ± {allowed:e}");
                if error > 0.0 {
                    worst = worst.max(error / allowed);
                }
            };
            assert_eq!(found.cluster[i] as usize, naive.own);
            check(found.logit[i], naive.logit, tolerance * size, "logit");
            let steep = if beta == INFINITY { 0.0 } else { beta * size };
            let clusters = sizes.len();
            let shares = &found.shares[i * clusters..(i + 1) * clusters];
            for (&found, &expected) in shares.iter().zip(&naive.shares) {
                check(found, expected, tolerance * (1.0 + steep), "share");
            }
            // A small h or g has few digits left after rounding.
            let sum: f64 = naive.relevance.iter().map(|r| r.abs()).sum();
            let scale = sum + naive.absorbed.abs();
            let spoilt = if naive.divisor > 0.0 { size / naive.divisor } else { 0.0 };
            let allowed = tolerance * scale * (1.0 + 0.1 * spoilt.min(1e300) + steep);
            let relevance = &found.relevance[i * features..(i + 1) * features];
            for (&found, &expected) in relevance.iter().zip(&naive.relevance) {
                check(found, expected, allowed, "relevance");
            }
            check(absorbed[i], naive.absorbed, allowed, "absorbed");
            // What comes out is what went in, whatever h is; the quotients of
            // the guard make 8 of one rounding error.
            let sum = relevance.iter().fold(0.0, |sum, &r| sum + r.into());
            let kept = T::of(sum + absorbed[i].into());
            check(kept, found.logit[i].into(), tolerance * (scale + 0.25 * size), "conserved sum");
        }
        (close, worst)
    }

    fn compare_scores<T: Real>(problem: &Problem<T>, pools: &[Pools], tolerance: f64) {
        let found = problem.scores();
        for (pools, found) in pools.iter().zip(found.chunks(problem.sizes.len())) {
            for (&found, &expected) in found.iter().zip(&pools.scores) {
                let found: f64 = found.into();
                let right = (found - expected).abs() <= tolerance * pools.size;
                assert!(right, "{:?}, γ {}: {found} {expected}", problem.sizes, problem.gamma);
            }
        }
    }

    #[test]
    fn answers_by_the_definitions() {
        const SHAPES: [(usize, usize); 6] =
            [(2, 2), (17, 2), (17, 3), (17, 7), (2000, 2), (2000, 5)];
        fn check<T: Real>(tolerance: f64) {
            let (mut close, mut all, mut worst) = (0, 0, 0f64);
            for features in [1, 3, 33] {
                for (supports, clusters) in SHAPES {
                    for gamma in [0.0, 1e-6, 0.3, 50.0, 1e30, INFINITY] {
                        // On whole numbers scores are exact, and some are equal.
                        for grid in [true, false] {
                            if gamma == INFINITY && !grid {
                                continue;
                            }
                            let problem =
                                Problem::<T>::new(features, supports, clusters, gamma, grid);
                            let rows = problem.x.chunks(features);
                            let pools: Vec<Pools> = rows.map(|x| pools(&problem, x)).collect();
                            compare_scores(&problem, &pools, tolerance);
                            let few = if supports > 100 { 4 } else { 1 };
                            for question in questions(clusters).into_iter().step_by(few) {
                                let found = compare(&problem, &pools, question, tolerance);
                                close += found.0;
                                worst = worst.max(found.1);
                                all += pools.len();
                            }
                        }
                    }
                }
            }
            assert!(close * 50 < all, "{close} of {all} rows could not be compared");
            assert!(worst > 0.01, "far more was allowed than rounding explains: {worst}");
        }
        check::<f32>(2e-5);
        check::<f64>(2e-12);
    }

    /// To the bit.
    #[test]
    fn the_number_of_threads_changes_nothing() {
        fn check<T: Real>() {
            let mut problem = Problem::<T>::new(33, 500, 5, 0.3, false);
            problem.x = SplitMix::new(3).normals(1001 * 33, 1.0);
            let answers = [1, 2, 3].map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                pool.expect("threads").install(|| {
                    let question = Question { cluster: None, versus: None, beta: 1.0 };
                    (problem.explain(question), problem.scores())
                })
            });
            assert!(answers[0] == answers[1] && answers[0] == answers[2]);
        }
        check::<f32>();
        check::<f64>();
    }

    /// At the limits of the precision, and beyond that of exponents.
    #[test]
    fn no_nan() {
        fn check<T: Real>(tiny: f64) {
            for features in [1, 3, 33] {
                let largest: f64 = T::LARGEST.into();
                let huge = 0.9 * (largest / (32.0 * features as f64)).sqrt();
                for gamma in [0.0, tiny, 1e-30, 1.0, 1e30, largest, INFINITY] {
                    for scale in [0.0, tiny, tiny.sqrt(), 1e-10, 1.0, 1e10, huge] {
                        let mut problem = Problem::<T>::new(features, 700, 3, 1.0, false);
                        for value in problem.x.iter_mut().chain(&mut problem.supports) {
                            let value_of: f64 = (*value).into();
                            let rounded =
                                (value_of * (features as f64).sqrt() / 2.0).clamp(-1.0, 1.0);
                            *value = T::of(rounded * scale);
                        }
                        problem.gamma = gamma;
                        for question in questions(3).into_iter().step_by(4) {
                            let (answer, absorbed) = problem.explain(question);
                            let Answer { relevance, logit, shares, .. } = answer;
                            let what = format!("{features} features, γ {gamma:e}, {scale:e}");
                            for values in [relevance, logit, shares, absorbed, problem.scores()] {
                                let finite = |value: &T| Into::<f64>::into(*value).is_finite();
                                assert!(values.iter().all(finite), "{what}");
                            }
                        }
                    }
                }
            }
        }
        check::<f32>(1e-44);
        check::<f64>(1e-320);
    }

    #[test]
    fn the_guard_is_continuous() {
        for h in [3.0, -3.0, 1e-300] {
            assert_eq!(guarded(h, h), 1.0);
            assert!((guarded(h, h / 8.0) - 8.0).abs() < 1e-12);
            assert!((guarded(h, h * 0.125 * (1.0 - 1e-9)) - 8.0).abs() < 1e-6);
            assert_eq!(guarded(h, 0.0), 4.5);
            assert_eq!(guarded(h, -h / 8.0), 1.0);
            assert_eq!(guarded(h, -100.0 * h), 1.0);
        }
        assert_eq!(guarded(0.0, 1.0), 0.0);
    }
}
