//! The secant pass for clusters with many supports each, from the boundary on the line to the
//! competitor.
//!
//! A row's scores for the supports are linear on a line, so its root takes no products; the weights of
//! the supports follow from their shares at both ends, and one product with the supports gives the
//! relevance. See `network/support_secant.rs` for the formulas.

use core::ops::Range;

use pulp::{Simd, WithSimd};

use super::panel::{Panels, WIDTH, lanes_here};
use super::real::{Real, lanes};
use super::rows::{CenteredRows, run_tasks, task_rows};
use super::scores::block_scores;
use super::segments::{
    EdgeMasks, NARROW, REGISTERS, Span, Stiffness, log_over, narrow_quotient, sum_of_lanes,
};
use super::supports::{Decided, SupportClusters};
use crate::kernel::answer::{COUNTS, Question, SliceAnswer};
use crate::kernel::ends::{End, Ends};

/// Parts of a line of which the first that leads across the boundary is searched.
const PARTS: usize = 4;

/// Steps of the search for a root; every fourth halves what is left of the part.
const STEPS: usize = 80;

/// Exponents below this are 0.
const LEAST_EXPONENT: f64 = -1e3;

/// Supports side by side, and what lines to them end at.
pub(crate) struct SecantPass<T> {
    clusters: SupportClusters<T>,
    /// U, `[M, D]`
    points: Panels<T>,
    /// The same row by row.
    supports: Vec<T>,
    /// `−‖u‖²`, `[M]`
    bias: Vec<T>,
    /// The means of the clusters, `[K, D]`.
    places: Vec<T>,
    /// Every cluster's supports filled up to a register's end.
    padded: Vec<Range<usize>>,
    /// Scores of the supports at the places, `[K, padded]`.
    at_places: Vec<T>,
    ends: Ends,
}

impl<T: Real> SecantPass<T> {
    /// # Shapes
    ///
    /// As of [`SupportClusters::new`], K at least 2.
    pub(crate) fn new(weight: &[T], bias: &[T], sizes: &[usize], gamma: f64, ends: Ends) -> Self {
        let count = bias.len();
        let features = weight.len() / count;
        let half = T::of(0.5);
        let point = |j: usize, d: usize| half * weight[d * count + j];
        let supports: Vec<T> =
            (0..count * features).map(|at| point(at / features, at % features)).collect();
        let clusters = SupportClusters::new(weight, bias, sizes, gamma);
        let lanes = lanes_here::<T>();
        let mut start = 0;
        let mut padded = Vec::new();
        for size in sizes {
            let end = start + size.next_multiple_of(lanes);
            padded.push(start..end);
            start = end;
        }
        let mut places = Vec::new();
        for segment in &clusters.segments {
            for d in 0..features {
                let sum: f64 = segment.clone().map(|j| supports[j * features + d].into()).sum();
                places.push(T::of(sum / segment.len() as f64));
            }
        }
        let points = Panels::new(count, features, point);
        let mut pass = Self {
            clusters,
            points,
            supports,
            bias: bias.to_vec(),
            places,
            padded,
            at_places: Vec::new(),
            ends,
        };
        for k in 0..sizes.len() {
            let mut scores = vec![T::default(); start];
            let place = pass.places[k * features..(k + 1) * features].to_vec();
            for cluster in 0..sizes.len() {
                let range = pass.padded[cluster].clone();
                pass.scores_at(&place, cluster, &mut scores[range]);
            }
            pass.at_places.extend(scores);
        }
        pass
    }

    /// The scores of a cluster's supports at a point; what fills the last register stays.
    fn scores_at(&self, point: &[T], cluster: usize, out: &mut [T]) {
        let features = point.len();
        let segment = self.clusters.segments[cluster].clone();
        let rows =
            self.supports[segment.start * features..segment.end * features].chunks_exact(features);
        for ((out, row), &bias) in out.iter_mut().zip(rows).zip(&self.bias[segment]) {
            let product = row.iter().zip(point).fold(T::default(), |sum, (&u, &x)| sum + u * x);
            *out = product + product + bias;
        }
    }

    /// Answers for all rows, and what has no root, `[N]`.
    /// Memory besides the answers: one block of rows times all supports per thread.
    pub(crate) fn run(
        &self,
        rows: CenteredRows<'_, T>,
        question: Question,
        answer: SliceAnswer<'_, T>,
        absorbed: &mut [T],
    ) {
        let columns = [rows.features, self.clusters.segments.len()];
        let block = self.clusters.block_rows();
        let task = task_rows(rows.len(), block);
        let tasks: Vec<_> =
            answer.blocks(task, columns).zip(absorbed.chunks_mut(task)).enumerate().collect();
        run_tasks(tasks, |(t, (answer, absorbed))| {
            let (mut centered, mut scores) = (Vec::new(), Vec::new());
            let mut buffers = Buffers::default();
            let blocks = answer.blocks(block, columns).zip(absorbed.chunks_mut(block));
            for (b, (answer, absorbed)) in blocks.enumerate() {
                let first = t * task + b * block;
                pulp::Arch::new().dispatch(SecantBlock {
                    pass: self,
                    question,
                    x: rows.block(first, answer.logit.len(), &mut centered),
                    scores: &mut scores,
                    buffers: &mut buffers,
                    answer,
                    absorbed,
                });
            }
        });
    }
}

/// Memory of a row that is reused.
#[derive(Default)]
struct Buffers<T> {
    /// Scores of the supports, every cluster filled up to a register's end.
    t: Vec<T>,
    /// How they change on the line.
    change: Vec<T>,
    /// Scores on the line.
    line: Vec<T>,
    weights: Vec<T>,
    /// Scores of the clusters, `[K]`.
    scores: Vec<T>,
    /// `[K]`
    shares: Vec<f64>,
}

struct SecantBlock<'a, T> {
    pass: &'a SecantPass<T>,
    question: Question,
    /// `[n, D]`
    x: &'a [T],
    /// `[n, M]`, rows filled up to a register's end.
    scores: &'a mut Vec<T>,
    buffers: &'a mut Buffers<T>,
    answer: SliceAnswer<'a, T>,
    /// `[n]`
    absorbed: &'a mut [T],
}

impl<T: Real> WithSimd for SecantBlock<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Self { pass, question, x, scores, buffers, answer, absorbed } = self;
        let SupportClusters { scorer, segments, stiffness } = &pass.clusters;
        block_scores::<T, S>(simd, scorer, x, scores);
        let masks = EdgeMasks::new::<S>();
        let filled = pass.padded.last().map_or(0, |range| range.end);
        for buffer in [&mut buffers.change, &mut buffers.line, &mut buffers.weights] {
            buffer.resize(filled, T::default());
        }
        buffers.t.clear();
        buffers.t.resize(filled, T::LOWEST * T::of(0.5));
        let features = pass.points.columns();
        let clusters = segments.len();
        let rows = scores.chunks_exact_mut(scorer.weight.padded()).zip(x.chunks_exact(features));
        let answers = answer
            .relevance
            .chunks_exact_mut(features)
            .zip(answer.shares.chunks_exact_mut(clusters))
            .zip(answer.logit.iter_mut().zip(answer.cluster))
            .zip(absorbed);
        for ((t, x), (((relevance, shares), (logit, cluster)), absorbed)) in rows.zip(answers) {
            buffers.scores.clear();
            for (segment, range) in segments.iter().zip(&pass.padded) {
                buffers.t[range.start..range.start + segment.len()]
                    .copy_from_slice(&t[segment.clone()]);
                let t = T::vectors_mut::<S>(t);
                let span = Span::new(simd, &masks, segment);
                let found = span.soft_maximum::<false>(simd, t, segment.len(), *stiffness);
                buffers.scores.push(T::of(found.value));
            }
            let decided = Decided::of(&buffers.scores, question, &mut buffers.shares);
            *cluster = decided.own as i32;
            *logit = T::of(decided.logit);
            for (to, &share) in shares.iter_mut().zip(&buffers.shares) {
                *to = T::of(share);
            }
            relevance.fill(T::default());
            let lost = pass.row::<S>(simd, x, &decided, buffers, relevance);
            *absorbed = T::of(lost);
        }
    }
}

/// A point on the line in terms of one cluster.
#[derive(Clone, Copy)]
struct At {
    /// The largest score of its supports.
    top: f64,
    /// The score of the cluster less that.
    excess: f64,
    /// How the score of the cluster changes on the line.
    slope: f64,
}

impl At {
    fn score(self) -> f64 {
        self.top + self.excess
    }
}

impl<T: Real> SecantPass<T> {
    /// Adds the relevances of a row; returns what has no root.
    #[inline(always)]
    fn row<S: Simd>(
        &self,
        simd: S,
        x: &[T],
        decided: &Decided,
        buffers: &mut Buffers<T>,
        relevance: &mut [T],
    ) -> f64 {
        let own = decided.own;
        let largest = buffers.shares.iter().copied().fold(0.0, f64::max);
        let counts = |share: f64| share > 0.0 && share >= COUNTS * largest;
        let total: f64 = buffers.shares.iter().filter(|share| counts(**share)).sum();
        let mut lost = 0.0;
        for k in 0..self.clusters.segments.len() {
            let share = buffers.shares[k] / total;
            if k == own || !counts(buffers.shares[k]) {
                continue;
            }
            let h = buffers.scores[own].into() - buffers.scores[k].into();
            let ratio = decided.ratio(share, h);
            if ratio == 0.0 || h == 0.0 {
                continue;
            }
            if !self.pair::<S>(simd, x, [own, k], h, ratio, buffers, relevance) {
                lost += share * decided.logit;
            }
        }
        lost
    }

    /// Adds the relevances of a pair of clusters; false if it has no root.
    #[inline(always)]
    #[expect(clippy::too_many_arguments)]
    fn pair<S: Simd>(
        &self,
        simd: S,
        x: &[T],
        [c, k]: [usize; 2],
        h: f64,
        ratio: f64,
        buffers: &mut Buffers<T>,
        relevance: &mut [T],
    ) -> bool {
        // From outside of c the line leads to c.
        let (from, to) = if h > 0.0 { (c, k) } else { (k, c) };
        let features = x.len();
        let row = |table: &[T], at: usize| -> Range<usize> {
            debug_assert!((at + 1) * features <= table.len());
            at * features..(at + 1) * features
        };
        let end = match self.ends.of(from, to) {
            End::Nowhere => return false,
            End::Place => {
                let filled = buffers.t.len();
                let at = &self.at_places[to * filled..(to + 1) * filled];
                for cluster in [c, k] {
                    let range = self.padded[cluster].clone();
                    buffers.change[range.clone()].copy_from_slice(&at[range]);
                }
                &self.places[row(&self.places, to)]
            }
            End::Nearest(supports) => {
                let offset = self.padded[to].start;
                let first = self.clusters.segments[to].start;
                let score = |j: u32| buffers.t[offset + j as usize - first];
                let nearest = supports
                    .iter()
                    .copied()
                    .reduce(|best, j| if score(j) > score(best) { j } else { best });
                let Some(nearest) = nearest else { return false };
                let point = &self.supports[row(&self.supports, nearest as usize)];
                for cluster in [c, k] {
                    let range = self.padded[cluster].clone();
                    self.scores_at(point, cluster, &mut buffers.change[range]);
                }
                point
            }
        };
        for cluster in [c, k] {
            let filled = self.padded[cluster].start + self.clusters.segments[cluster].len();
            let range = self.padded[cluster].start..filled;
            let t = &buffers.t[range.clone()];
            for (change, &t) in buffers.change[range].iter_mut().zip(t) {
                *change = *change - t;
            }
            // Nothing changes where nothing is.
            buffers.change[filled..self.padded[cluster].end].fill(T::default());
        }
        let Some(place) = self.root::<S>(simd, [c, k], h.signum(), buffers) else { return false };
        let at_root = self.at::<S>(simd, [c, k], place, buffers);
        // The line holds the scores at the root; at 0 it would hold those of x.
        let at_x = [c, k].map(|cluster| self.at_x::<S>(simd, cluster, buffers));
        let factors = [0, 1].map(|side| {
            let total = self.weigh::<S>(simd, [c, k][side], at_x[side], at_root[side], buffers);
            [1.0, -1.0][side] / total
        });
        let scale = T::of(2.0 * ratio);
        let place = T::of(place);
        for p in 0..self.points.count() {
            let first = self.points.first_column(p);
            let mut sums = [T::default(); WIDTH * super::real::MAX_LANES];
            match self.points.width(p) {
                1 => self.weighted::<S, 1>(simd, p, [c, k], factors, buffers, &mut sums),
                2 => self.weighted::<S, 2>(simd, p, [c, k], factors, buffers, &mut sums),
                _ => self.weighted::<S, WIDTH>(simd, p, [c, k], factors, buffers, &mut sums),
            }
            let last = (first + self.points.width(p) * lanes::<T, S>()).min(features);
            let of = relevance[first..last].iter_mut().zip(&x[first..last]).zip(&end[first..last]);
            for (((to, &x), &end), &slope) in of.zip(&sums) {
                *to = *to + scale * slope * (place * (x - end));
            }
        }
        true
    }

    /// `Σ w u` over the supports of both clusters, each times its factor, for a panel of features.
    #[inline(always)]
    fn weighted<S: Simd, const W: usize>(
        &self,
        simd: S,
        p: usize,
        pair: [usize; 2],
        factors: [f64; 2],
        buffers: &Buffers<T>,
        sums: &mut [T],
    ) {
        let zero = T::splat(simd, T::default());
        let mut whole = [zero; W];
        let points = T::vectors::<S>(self.points.panel(p));
        for (cluster, factor) in pair.into_iter().zip(factors) {
            let segment = self.clusters.segments[cluster].clone();
            let weights = &buffers.weights[self.padded[cluster].start..][..segment.len()];
            let columns = points[segment.start * W..segment.end * W].chunks_exact(W);
            let mut part = [zero; W];
            for (&weight, column) in weights.iter().zip(columns) {
                if weight == T::default() {
                    continue;
                }
                let weight = T::splat(simd, weight);
                for w in 0..W {
                    part[w] = T::mul_add(simd, weight, column[w], part[w]);
                }
            }
            let factor = T::splat(simd, T::of(factor));
            for (whole, part) in whole.iter_mut().zip(part) {
                *whole = T::mul_add(simd, factor, part, *whole);
            }
        }
        let whole = T::elements::<S>(&whole);
        sums[..whole.len()].copy_from_slice(whole);
    }

    /// Both clusters at a place on the line.
    #[inline(always)]
    fn at<S: Simd>(
        &self,
        simd: S,
        pair: [usize; 2],
        place: f64,
        buffers: &mut Buffers<T>,
    ) -> [At; 2] {
        pair.map(|cluster| {
            let range = self.padded[cluster].clone();
            let (t, change) = (
                T::vectors::<S>(&buffers.t[range.clone()]),
                T::vectors::<S>(&buffers.change[range.clone()]),
            );
            let line = T::vectors_mut::<S>(&mut buffers.line[range]);
            let place = T::splat(simd, T::of(place));
            for ((line, &t), &change) in line.iter_mut().zip(t).zip(change) {
                *line = T::mul_add(simd, change, place, t);
            }
            self.pooled::<S>(simd, cluster, line, change)
        })
    }

    /// A cluster at the row itself.
    #[inline(always)]
    fn at_x<S: Simd>(&self, simd: S, cluster: usize, buffers: &Buffers<T>) -> At {
        let range = self.padded[cluster].clone();
        let change = T::vectors::<S>(&buffers.change[range.clone()]);
        self.pooled::<S>(simd, cluster, T::vectors::<S>(&buffers.t[range]), change)
    }

    /// The soft maximum of scores, and how it changes with them.
    #[inline(always)]
    fn pooled<S: Simd>(
        &self,
        simd: S,
        cluster: usize,
        scores: &[T::Vector<S>],
        change: &[T::Vector<S>],
    ) -> At {
        let zero = T::splat(simd, T::default());
        let mut highest = T::splat(simd, T::LOWEST);
        for &score in scores {
            highest = T::max(simd, highest, score);
        }
        let highest = T::largest_lane(simd, highest);
        let top: f64 = highest.into();
        let count = self.clusters.segments[cluster].len();
        let Stiffness::Soft(gamma) = self.clusters.stiffness else {
            let of = T::elements::<S>(scores).iter().zip(T::elements::<S>(change));
            let winners = of.take(count).filter(|(score, _)| **score == highest);
            let (sum, winners) = winners
                .fold((0.0, 0.0), |(sum, count), (_, &change)| (sum + change.into(), count + 1.0));
            return At { top, excess: 0.0, slope: sum / winners };
        };
        let below = T::splat(simd, T::default() - highest);
        let steep = T::splat(simd, gamma);
        let least = T::splat(simd, T::of(LEAST_EXPONENT));
        let (mut total, mut moment) = (0.0, 0.0);
        for (scores, change) in scores.chunks(REGISTERS).zip(change.chunks(REGISTERS)) {
            let (mut sum, mut product) = (zero, zero);
            for (&score, &change) in scores.iter().zip(change) {
                let exponent = T::times(simd, steep, T::plus(simd, score, below));
                let weight = T::exp_of_negatives(simd, T::max(simd, exponent, least));
                sum = T::plus(simd, sum, weight);
                product = T::mul_add(simd, weight, change, product);
            }
            total += sum_of_lanes::<T, S>(sum);
            moment += sum_of_lanes::<T, S>(product);
        }
        let (number, gamma): (f64, f64) = (count as f64, gamma.into());
        // Where all weights are near 1 their logarithm would lose its digits.
        let excess = if total / number > (-NARROW).exp() {
            let scores = T::elements::<S>(scores)[..count].iter();
            let mean = |score: f64| {
                let below = score - top;
                if gamma == 0.0 { below } else { (gamma * below).exp_m1() / gamma }
            };
            log_over(gamma, scores.map(|&score| mean(score.into())).sum::<f64>() / number)
        } else {
            (total / number).ln() / gamma
        };
        At { top, excess, slope: moment / total }
    }

    /// Where the contrast is 0 on the line, from 0 to 1. `sign` is that of the contrast at its start.
    #[inline(always)]
    fn root<S: Simd>(
        &self,
        simd: S,
        pair: [usize; 2],
        sign: f64,
        buffers: &mut Buffers<T>,
    ) -> Option<f64> {
        let mut at = |place: f64| {
            let [own, other] = self.at::<S>(simd, pair, place, buffers);
            let size = own.top.abs() + other.top.abs();
            let value = sign * (own.score() - other.score());
            (value, sign * (own.slope - other.slope), value.abs() <= T::EPSILON * size)
        };
        let (mut low, mut high) = (0.0, 1.0);
        let mut place = 0.0;
        let mut found = None;
        for part in 1..=PARTS {
            let next = part as f64 / PARTS as f64;
            let (value, slope, is_root) = at(next);
            if value <= 0.0 || is_root {
                high = next;
                place = next;
                found = Some((value, slope, is_root));
                break;
            }
            low = next;
        }
        let (mut value, mut slope, mut is_root) = found?;
        let (mut best, mut least) = (place, value.abs());
        for step in 1..=STEPS {
            if is_root {
                break;
            }
            if value > 0.0 {
                low = place;
            } else {
                high = place;
            }
            let newton = place - value / slope;
            let next = if step % 4 != 0 && newton > low && newton < high {
                newton
            } else {
                0.5 * (low + high)
            };
            // As fine as the precision tells places apart.
            if (next - place).abs() <= 0.25 * T::EPSILON * place {
                break;
            }
            place = next;
            (value, slope, is_root) = at(place);
            if value.abs() < least {
                (best, least) = (place, value.abs());
            }
        }
        Some(best)
    }

    /// Fills the weights of a cluster's supports between the row and the root, in the units of
    /// their sum, which is returned.
    #[inline(always)]
    fn weigh<S: Simd>(
        &self,
        simd: S,
        cluster: usize,
        at_x: At,
        at_root: At,
        buffers: &mut Buffers<T>,
    ) -> f64 {
        let range = self.padded[cluster].clone();
        let count = self.clusters.segments[cluster].len();
        let Buffers { t, line, weights, .. } = buffers;
        let (t, line) = (&t[range.clone()], &line[range.clone()]);
        let weights = &mut weights[range];
        let Stiffness::Soft(gamma) = self.clusters.stiffness else {
            return hard_weights(&t[..count], &line[..count], at_x.top, at_root.top, weights);
        };
        let (t, line) = (T::vectors::<S>(t), T::vectors::<S>(line));
        let weights = T::vectors_mut::<S>(weights);
        let number = |value: f64| T::splat(simd, T::of(value));
        let zero = number(0.0);
        let minus = number(-1.0);
        // The logarithms of the shares over γ, up to what all supports have: rounded twice, so that
        // the largest support is not below 0.
        let log = |score, at: At| {
            T::plus(simd, T::plus(simd, score, number(-at.top)), number(-at.excess))
        };
        let ends = |t, line| {
            let (x, root) = (log(t, at_x), log(line, at_root));
            let apart = T::mul_add(simd, root, minus, x);
            (T::max(simd, x, root), T::max(simd, apart, T::times(simd, apart, minus)))
        };
        let mut nearest = T::splat(simd, T::LARGEST);
        for (&t, &line) in t.iter().zip(line) {
            let (larger, apart) = ends(t, line);
            let minor = T::greater(simd, zero, larger);
            nearest =
                T::min(simd, nearest, T::select(simd, minor, T::splat(simd, T::LARGEST), apart));
        }
        let slope: f64 = gamma.into();
        let unit = f64::max(T::smallest_lane(simd, nearest).into(), 1.0 / slope);
        let most: f64 = T::LARGEST.into();
        let near = number((unit * slope).min(most.sqrt()));
        let unit = T::splat(simd, T::of(unit.min(most)));
        let highest = number(-(count as f64).ln());
        let steep = T::splat(simd, gamma);
        let least = number(LEAST_EXPONENT);
        let mut total = 0.0;
        let registers = weights.chunks_mut(REGISTERS).zip(t.chunks(REGISTERS));
        for ((weights, t), line) in registers.zip(line.chunks(REGISTERS)) {
            let mut sum = zero;
            for ((weight, &t), &line) in weights.iter_mut().zip(t).zip(line) {
                let (larger, apart) = ends(t, line);
                let exponent = T::mul_add(simd, steep, larger, highest);
                let exponent = T::min(simd, T::max(simd, exponent, least), zero);
                let share = T::exp_of_negatives(simd, exponent);
                let delta =
                    T::max(simd, T::times(simd, T::times(simd, apart, minus), steep), least);
                let kept = T::exp_of_negatives(simd, delta);
                let far =
                    T::over(simd, T::mul_add(simd, unit, T::times(simd, kept, minus), unit), apart);
                let close = T::times(simd, narrow_quotient::<T, S>(simd, delta), near);
                let is_close = T::greater(simd, delta, number(-NARROW));
                *weight = T::times(simd, share, T::select(simd, is_close, close, far));
                sum = T::plus(simd, sum, *weight);
            }
            total += sum_of_lanes::<T, S>(sum);
        }
        total
    }
}

/// The weights of the nearest-neighbour rule: a support that is the nearest at both ends has all;
/// otherwise those that are at one end, by what they lack at the other.
fn hard_weights<T: Real>(t: &[T], line: &[T], at_x: f64, at_root: f64, weights: &mut [T]) -> f64 {
    let excess = |score: T, top: f64| top - score.into();
    let count = |scores: &[T], top: f64| {
        scores.iter().filter(|score| excess(**score, top) == 0.0).count() as f64
    };
    let (winners_x, winners_root) = (count(t, at_x), count(line, at_root));
    let ends = || t.iter().zip(line).map(|(&t, &line)| (excess(t, at_x), excess(line, at_root)));
    let both = ends().any(|ends| ends == (0.0, 0.0));
    let lacking = |(x, root): (f64, f64)| (x == 0.0 || root == 0.0).then_some(x + root);
    let unit = ends().filter_map(lacking).fold(f64::INFINITY, f64::min);
    weights.fill(T::default());
    let mut total = 0.0;
    for (weight, (x, root)) in weights.iter_mut().zip(ends()) {
        let value = match (x == 0.0, root == 0.0) {
            (true, true) => 1.0,
            (true, false) if !both => unit / root / winners_x,
            (false, true) if !both => unit / x / winners_root,
            _ => 0.0,
        };
        *weight = T::of(value);
        total += value;
    }
    total
}

#[cfg(test)]
mod tests {
    use super::super::reference::{self, SplitMix};
    use super::*;
    use crate::kernel::answer::{Answer, VecAnswer};

    const FEATURES: usize = 5;

    /// Clusters of 1, 16, 17 and 66 supports in the middle of one another.
    fn explain<T: Real>(x: &[T], supports: &[T], gamma: f64, beta: f64) -> (VecAnswer<T>, Vec<T>) {
        let sizes = [1, 16, 17, 66];
        let (weight, bias) = reference::scores_of(supports, FEATURES);
        let ends = Ends::new(4, |c, k| match (c + k) % 3 {
            _ if c == k => End::Nowhere,
            0 => End::Nearest([0, 1, 17, 34].map(|first| first + u32::from(k > 0)).into()),
            _ => End::Place,
        });
        let pass = SecantPass::new(&weight, &bias, &sizes, gamma, ends);
        let rows = x.len() / FEATURES;
        let mut answer = VecAnswer::full([rows, FEATURES], 4, T::LOWEST);
        let mut lost = vec![T::LOWEST; rows];
        let question = Question { cluster: None, versus: None, beta };
        let rows = CenteredRows { x, center: None, features: FEATURES };
        pass.run(rows, question, answer.slices(), &mut lost);
        (answer, lost)
    }

    /// To the bit.
    #[test]
    fn the_number_of_threads_changes_nothing() {
        fn check<T: Real>() {
            let x = SplitMix::new(3).normals::<T>(501 * FEATURES, 1.0);
            let supports = SplitMix::new(4).normals::<T>(100 * FEATURES, 1.0);
            let answers = [1, 2, 3].map(|threads| {
                let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
                pool.expect("threads").install(|| explain(&x, &supports, 0.4, 1.0))
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
            let largest: f64 = T::LARGEST.into();
            let huge = 0.9 * (largest / (32.0 * FEATURES as f64)).sqrt();
            for gamma in [tiny, 1e-30, 1.0, 1e30, largest, f64::INFINITY] {
                for scale in [0.0, tiny, tiny.sqrt(), 1e-10, 1.0, 1e10, huge] {
                    let table = |rows: usize, seed| -> Vec<T> {
                        let values = SplitMix::new(seed).normals::<f64>(rows * FEATURES, 1.0);
                        values.iter().map(|v| T::of((v / 2.0).clamp(-1.0, 1.0) * scale)).collect()
                    };
                    for beta in [0.0, 1.0, f64::INFINITY] {
                        let (answer, lost) = explain(&table(19, 1), &table(100, 2), gamma, beta);
                        let Answer { relevance, logit, shares, .. } = answer;
                        for values in [relevance, logit, shares, lost] {
                            let finite = |value: &T| Into::<f64>::into(*value).is_finite();
                            let what = format!("γ {gamma:e}, {scale:e}, β {beta}");
                            assert!(values.iter().all(finite), "{what}");
                        }
                    }
                }
            }
        }
        check::<f32>(1e-44);
        check::<f64>(1e-320);
    }
}
