//! The secant pass for clusters with many supports each, from the boundary on the line to the
//! competitor.
//!
//! A row's scores for the supports are linear on a line, so its root takes no products; the weights of
//! the supports follow from their shares at both ends, and one product with the supports gives the
//! relevance. See `network/support_secant.rs` for the formulas.

use core::ops::Range;

use pulp::{Simd, WithSimd};

use super::panel::{Panels, WIDTH, lanes_here};
use super::real::{MAX_LANES, Real, lanes};
use super::rows::CenteredRows;
use super::scores::block_scores;
use super::segments::{NARROW, REGISTERS, Stiffness, log_over, narrow_quotient, sum_of_lanes};
use super::supports::{Decided, RowBlock, SupportClusters};
use crate::answer::{COUNTS, PARTS, Question, STEPS, SliceAnswer};
use crate::ends::{End, Ends};

/// Scores at places that are kept; of more, they are computed when they are needed.
const KEPT_SCORES: usize = 1 << 24;

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
    /// Scores of the supports at the places, `[K, padded]`; empty if they are too many.
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
        let kept = if sizes.len() * start <= KEPT_SCORES { sizes.len() } else { 0 };
        for k in 0..kept {
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

    /// Whether these are the ends of its lines.
    pub(crate) fn leads_to(&self, ends: &Ends) -> bool {
        self.ends.are(ends)
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
        let work = |RowBlock { x, answer, absorbed }: RowBlock<'_, T>, memory: &mut _| {
            let (scores, buffers): &mut (Vec<T>, Buffers<T>) = memory;
            let block = SecantBlock { pass: self, question, x, scores, buffers, answer, absorbed };
            pulp::Arch::new().dispatch(block);
        };
        self.clusters.in_blocks(rows, answer, absorbed, work);
    }
}

/// Memory of a row that is reused. In all tables every cluster is filled up to a register's end:
/// scores with a number that no exponential is left of.
#[derive(Default)]
struct Buffers<T> {
    /// Scores of the supports.
    t: Vec<T>,
    /// `exp(γ (t − max t))` in every cluster.
    grown: Vec<T>,
    /// How scores change on the line.
    change: Vec<T>,
    /// Scores on the line, and their exponentials.
    line: Vec<T>,
    grown_line: Vec<T>,
    weights: Vec<T>,
    /// The row in terms of its clusters, `[K]`.
    at: Vec<At>,
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
        let SupportClusters { scorer, segments, .. } = &pass.clusters;
        block_scores::<T, S>(simd, scorer, x, scores);
        let filled = pass.padded.last().map_or(0, |range| range.end);
        let Buffers { grown, change, line, grown_line, weights, .. } = buffers;
        for buffer in [grown, change, line, grown_line, weights] {
            buffer.resize(filled, T::default());
        }
        buffers.t.clear();
        buffers.t.resize(filled, nothing::<T>());
        let features = pass.points.columns();
        let clusters = segments.len();
        let rows = scores.chunks_exact(scorer.weight.padded()).zip(x.chunks_exact(features));
        let answers = answer
            .relevance
            .chunks_exact_mut(features)
            .zip(answer.shares.chunks_exact_mut(clusters))
            .zip(answer.logit.iter_mut().zip(answer.cluster))
            .zip(absorbed);
        for ((t, x), (((relevance, shares), (logit, cluster)), absorbed)) in rows.zip(answers) {
            buffers.at.clear();
            for (k, (segment, range)) in segments.iter().zip(&pass.padded).enumerate() {
                buffers.t[range.start..range.start + segment.len()]
                    .copy_from_slice(&t[segment.clone()]);
                let t = T::vectors::<S>(&buffers.t[range.clone()]);
                let grown = T::vectors_mut::<S>(&mut buffers.grown[range.clone()]);
                buffers.at.push(pass.pooled::<S>(simd, k, t, grown));
            }
            buffers.scores.clear();
            buffers.scores.extend(buffers.at.iter().map(|at| T::of(at.score())));
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

/// The score of no support.
fn nothing<T: Real>() -> T {
    T::LOWEST * T::of(0.5)
}

/// A point in terms of one cluster.
#[derive(Clone, Copy, Default)]
struct At {
    /// The largest score of its supports.
    top: f64,
    /// The score of the cluster less that.
    excess: f64,
    /// `Σ exp(γ (t − top))`, or the number of supports with the largest score.
    total: f64,
}

impl At {
    fn score(self) -> f64 {
        self.top + self.excess
    }
}

/// A place on the line, from 0 to 1.
#[derive(Clone, Copy)]
struct Place {
    place: f64,
    /// The contrast there, and how it changes, with the sign that it is positive at the start.
    value: f64,
    slope: f64,
    /// Whether the contrast is 0 but for rounding.
    is_root: bool,
    at: [At; 2],
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
            // From outside of the cluster the line leads to it.
            let (from, to) = if h > 0.0 { (own, k) } else { (k, own) };
            let Some(end) = self.changes(from, to, buffers) else {
                lost += share * decided.logit;
                continue;
            };
            let pair = [own, k];
            let place = self.root::<S>(simd, pair, h.signum(), buffers);
            self.add::<S>(simd, x, end, pair, place, ratio, buffers, relevance);
        }
        lost
    }

    /// Fills how the scores of both clusters change on the line; returns its end.
    fn changes<'a>(&'a self, from: usize, to: usize, buffers: &mut Buffers<T>) -> Option<&'a [T]> {
        let features = self.points.columns();
        let row = |at: usize| at * features..(at + 1) * features;
        let Buffers { t, change, .. } = buffers;
        let end = match self.ends.of(from, to) {
            End::Nowhere => return None,
            End::Place => &self.places[row(to)],
            End::Nearest(supports) => {
                let offset = self.padded[to].start;
                let first = self.clusters.segments[to].start;
                let score = |j: u32| t[offset + j as usize - first];
                let nearest = supports
                    .iter()
                    .copied()
                    .reduce(|best, j| if score(j) > score(best) { j } else { best })?;
                &self.supports[row(nearest as usize)]
            }
        };
        let at_place = match self.ends.of(from, to) {
            End::Place => self.at_places.get(to * t.len()..(to + 1) * t.len()),
            _ => None,
        };
        for cluster in [from, to] {
            let range = self.padded[cluster].clone();
            match at_place {
                Some(at) => change[range.clone()].copy_from_slice(&at[range]),
                None => self.scores_at(end, cluster, &mut change[range]),
            }
        }
        for cluster in [from, to] {
            let Range { start, end } = self.padded[cluster];
            let filled = start + self.clusters.segments[cluster].len();
            for (change, &t) in change[start..filled].iter_mut().zip(&t[start..filled]) {
                *change = *change - t;
            }
            // So that what fills the last register widens no range.
            let first = change[start];
            change[filled..end].fill(first);
        }
        Some(end)
    }

    /// Adds the relevances of a pair of clusters from its root.
    #[inline(always)]
    #[expect(clippy::too_many_arguments)]
    fn add<S: Simd>(
        &self,
        simd: S,
        x: &[T],
        end: &[T],
        pair: [usize; 2],
        root: Place,
        ratio: f64,
        buffers: &mut Buffers<T>,
        relevance: &mut [T],
    ) {
        let own = self.weigh::<S>(simd, pair[0], root.at[0], buffers);
        let other = self.weigh::<S>(simd, pair[1], root.at[1], buffers);
        let factors = [1.0 / own, -1.0 / other];
        let scale = T::of(2.0 * ratio);
        let place = T::of(root.place);
        for p in 0..self.points.count() {
            let first = self.points.first_column(p);
            let mut sums = [T::default(); WIDTH * MAX_LANES];
            match self.points.width(p) {
                1 => self.weighted::<S, 1>(simd, p, pair, factors, buffers, &mut sums),
                2 => self.weighted::<S, 2>(simd, p, pair, factors, buffers, &mut sums),
                _ => self.weighted::<S, WIDTH>(simd, p, pair, factors, buffers, &mut sums),
            }
            let last = (first + self.points.width(p) * lanes::<T, S>()).min(x.len());
            let of = relevance[first..last].iter_mut().zip(&x[first..last]).zip(&end[first..last]);
            for (((to, &x), &end), &slope) in of.zip(&sums) {
                *to = *to + scale * slope * (place * (x - end));
            }
        }
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

    /// A cluster at a place on the line, and how its score changes.
    #[inline(always)]
    fn cluster_at<S: Simd>(
        &self,
        simd: S,
        cluster: usize,
        place: f64,
        buffers: &mut Buffers<T>,
    ) -> (At, f64) {
        let Buffers { t, change, line, grown_line, .. } = buffers;
        let range = self.padded[cluster].clone();
        let t = T::vectors::<S>(&t[range.clone()]);
        let change = T::vectors::<S>(&change[range.clone()]);
        let line = T::vectors_mut::<S>(&mut line[range.clone()]);
        let grown = T::vectors_mut::<S>(&mut grown_line[range]);
        let place = T::splat(simd, T::of(place));
        for ((line, &t), &change) in line.iter_mut().zip(t).zip(change) {
            *line = T::mul_add(simd, change, place, t);
        }
        let at = self.pooled::<S>(simd, cluster, line, grown);
        (at, moment::<T, S>(simd, grown, change) / at.total)
    }

    /// Both clusters at a place on the line.
    #[inline(always)]
    fn at<S: Simd>(
        &self,
        simd: S,
        pair: [usize; 2],
        sign: f64,
        place: f64,
        buffers: &mut Buffers<T>,
    ) -> Place {
        let (own, own_slope) = self.cluster_at::<S>(simd, pair[0], place, buffers);
        let (other, other_slope) = self.cluster_at::<S>(simd, pair[1], place, buffers);
        let value = sign * (own.score() - other.score());
        // What is left of the digits of the scores.
        let size = own.top.abs() - own.excess + other.top.abs() - other.excess;
        Place {
            place,
            value,
            slope: sign * (own_slope - other_slope),
            is_root: value.abs() <= 4.0 * T::EPSILON * size,
            at: [own, other],
        }
    }

    /// The soft maximum of scores; fills their exponentials, of the difference from the largest.
    #[inline(always)]
    fn pooled<S: Simd>(
        &self,
        simd: S,
        cluster: usize,
        scores: &[T::Vector<S>],
        grown: &mut [T::Vector<S>],
    ) -> At {
        let (zero, one) = (T::splat(simd, T::default()), T::splat(simd, T::ONE));
        let largest = T::splat(simd, T::LARGEST);
        let filling = T::splat(simd, nothing::<T>() * T::of(0.5));
        let (mut highest, mut lowest) = (T::splat(simd, T::LOWEST), largest);
        for &score in scores {
            highest = T::max(simd, highest, score);
            let filling = T::greater(simd, filling, score);
            lowest = T::min(simd, lowest, T::select(simd, filling, largest, score));
        }
        let (highest, lowest) = (T::largest_lane(simd, highest), T::smallest_lane(simd, lowest));
        let top: f64 = highest.into();
        let Stiffness::Soft(gamma) = self.clusters.stiffness else {
            let highest = T::splat(simd, highest);
            let mut total = 0.0;
            for (scores, grown) in scores.chunks(REGISTERS).zip(grown.chunks_mut(REGISTERS)) {
                let mut sum = zero;
                for (&score, grown) in scores.iter().zip(grown) {
                    *grown = T::select(simd, T::greater(simd, highest, score), zero, one);
                    sum = T::plus(simd, sum, *grown);
                }
                total += sum_of_lanes::<T, S>(sum);
            }
            return At { top, excess: 0.0, total };
        };
        let below = T::splat(simd, T::default() - highest);
        let steep = T::splat(simd, gamma);
        let number = self.clusters.segments[cluster].len() as f64;
        let slope: f64 = gamma.into();
        let spread: f64 = (highest - lowest).into();
        // Where all exponentials are near 1 the logarithm of their mean would lose its digits.
        if slope * spread < NARROW {
            let unit = T::splat(simd, T::of(1.0 / number));
            let (mut total, mut mean) = (0.0, 0.0);
            for (scores, grown) in scores.chunks(REGISTERS).zip(grown.chunks_mut(REGISTERS)) {
                let (mut sum, mut less) = (zero, zero);
                for (&score, grown) in scores.iter().zip(grown) {
                    let is_filling = T::greater(simd, filling, score);
                    let delta = T::select(simd, is_filling, zero, T::plus(simd, score, below));
                    let y = T::times(simd, steep, delta);
                    let quotient = narrow_quotient::<T, S>(simd, y);
                    less = T::mul_add(simd, quotient, T::times(simd, delta, unit), less);
                    let exponential = T::mul_add(simd, quotient, y, one);
                    *grown = T::select(simd, is_filling, zero, exponential);
                    sum = T::plus(simd, sum, *grown);
                }
                total += sum_of_lanes::<T, S>(sum);
                mean += sum_of_lanes::<T, S>(less);
            }
            return At { top, excess: log_over(slope, mean), total };
        }
        let least = T::splat(simd, T::of(LEAST_EXPONENT));
        let mut total = 0.0;
        for (scores, grown) in scores.chunks(REGISTERS).zip(grown.chunks_mut(REGISTERS)) {
            let mut sum = zero;
            for (&score, grown) in scores.iter().zip(grown) {
                let exponent = T::times(simd, steep, T::plus(simd, score, below));
                *grown = T::exp_of_negatives(simd, T::max(simd, exponent, least));
                sum = T::plus(simd, sum, *grown);
            }
            total += sum_of_lanes::<T, S>(sum);
        }
        At { top, excess: (total / number).ln() / slope, total }
    }

    /// Where the contrast is 0 on the line; the line's buffers are those of this place. `sign` is that
    /// of the contrast at the start.
    #[inline(always)]
    fn root<S: Simd>(
        &self,
        simd: S,
        pair: [usize; 2],
        sign: f64,
        buffers: &mut Buffers<T>,
    ) -> Place {
        let (mut low, mut high) = (0.0, 1.0);
        let mut next = None;
        if let Some(slope) = self.falls::<S>(simd, pair, sign, buffers) {
            let [own, other] = pair.map(|cluster| buffers.at[cluster].score());
            let newton = sign * (other - own) / slope;
            next = (newton < 1.0).then_some(newton);
        }
        let mut found = match next {
            Some(next) => self.at::<S>(simd, pair, sign, next, buffers),
            None => {
                let mut part = 1;
                loop {
                    let place = part as f64 / PARTS as f64;
                    let found = self.at::<S>(simd, pair, sign, place, buffers);
                    if found.value <= 0.0 || found.is_root || part == PARTS {
                        high = place;
                        break found;
                    }
                    low = place;
                    part += 1;
                }
            }
        };
        let mut best = found;
        // Steps since the contrast was nearest to 0: rounding leaves it no nearer.
        let mut idle = 0;
        for step in 1..=STEPS {
            if found.is_root || idle > 2 {
                break;
            }
            if found.value > 0.0 {
                low = found.place;
            } else {
                high = found.place;
            }
            let newton = found.place - found.value / found.slope;
            let is_inside = step % 4 != 0 && newton > low && newton < high;
            let next = if is_inside { newton } else { 0.5 * (low + high) };
            // As fine as the precision tells places apart.
            if (next - found.place).abs() <= 0.25 * T::EPSILON * found.place {
                break;
            }
            found = self.at::<S>(simd, pair, sign, next, buffers);
            if found.value.abs() < best.value.abs() {
                best = found;
                idle = 0;
            } else if is_inside {
                idle += 1;
            }
        }
        if best.place == found.place {
            return found;
        }
        self.at::<S>(simd, pair, sign, best.place, buffers)
    }

    /// The slope of the contrast at the start, if it falls all along the line: then it has one root.
    ///
    /// The slope of a score is the mean change of its supports by their shares. It grows along the
    /// line by γ times the variance, which is at most a quarter of the squared range.
    #[inline(always)]
    fn falls<S: Simd>(
        &self,
        simd: S,
        pair: [usize; 2],
        sign: f64,
        buffers: &Buffers<T>,
    ) -> Option<f64> {
        let Stiffness::Soft(gamma) = self.clusters.stiffness else { return None };
        let (own, own_range) = self.start::<S>(simd, pair[0], buffers);
        let (other, other_range) = self.start::<S>(simd, pair[1], buffers);
        let slope = sign * (own - other);
        let gamma: f64 = gamma.into();
        let most = slope + 0.25 * gamma * own_range.max(other_range).powi(2);
        (most < 0.0).then_some(slope)
    }

    /// How a cluster's score changes at the start, and the range of its supports' changes.
    #[inline(always)]
    fn start<S: Simd>(&self, simd: S, cluster: usize, buffers: &Buffers<T>) -> (f64, f64) {
        let range = self.padded[cluster].clone();
        let change = T::vectors::<S>(&buffers.change[range.clone()]);
        let grown = T::vectors::<S>(&buffers.grown[range]);
        let slope = moment::<T, S>(simd, grown, change) / buffers.at[cluster].total;
        let (mut least, mut most) = (change[0], change[0]);
        for &change in change {
            least = T::min(simd, least, change);
            most = T::max(simd, most, change);
        }
        let range = T::largest_lane(simd, most) - T::smallest_lane(simd, least);
        (slope, range.into())
    }

    /// Fills the weights of a cluster's supports between the row and the root, in the units of
    /// their sum, which is returned.
    #[inline(always)]
    fn weigh<S: Simd>(
        &self,
        simd: S,
        cluster: usize,
        at_root: At,
        buffers: &mut Buffers<T>,
    ) -> f64 {
        let range = self.padded[cluster].clone();
        let at_x = buffers.at[cluster];
        let Buffers { t, grown, line, grown_line, weights, .. } = buffers;
        let (t, line) = (&t[range.clone()], &line[range.clone()]);
        let weights = &mut weights[range.clone()];
        let Stiffness::Soft(gamma) = self.clusters.stiffness else {
            return hard_weights(t, line, at_x.top, at_root.top, weights);
        };
        let grown = T::vectors::<S>(&grown[range.clone()]);
        let grown_line = T::vectors::<S>(&grown_line[range]);
        let (t, line) = (T::vectors::<S>(t), T::vectors::<S>(line));
        let weights = T::vectors_mut::<S>(weights);
        let (zero, minus) = (number::<T, S>(simd, 0.0), number::<T, S>(simd, -1.0));
        // The difference of the logarithms of both shares, over γ.
        let tops = [number::<T, S>(simd, -at_x.top), number::<T, S>(simd, at_root.top)];
        let excess = number::<T, S>(simd, at_root.excess - at_x.excess);
        // Of the largest supports at either end: in these units no weight that counts is tiny.
        let mut nearest = T::splat(simd, T::LARGEST);
        let half = number::<T, S>(simd, 0.5);
        for (((&t, &line), &x), &root) in t.iter().zip(line).zip(grown).zip(grown_line) {
            let major = T::greater(simd, T::max(simd, x, root), half);
            let apart = T::select(simd, major, apart::<T, S>(simd, t, line, tops, excess), nearest);
            nearest = T::min(simd, nearest, apart);
        }
        let (slope, most): (f64, f64) = (gamma.into(), T::LARGEST.into());
        let unit = f64::max(T::smallest_lane(simd, nearest).into(), 1.0 / slope);
        let near = number::<T, S>(simd, (unit * slope).min(most.sqrt()));
        let unit = number::<T, S>(simd, unit.min(most));
        let steep = number::<T, S>(simd, slope);
        let of_x = number::<T, S>(simd, 1.0 / at_x.total);
        let of_root = number::<T, S>(simd, 1.0 / at_root.total);
        let limit = number::<T, S>(simd, NARROW);
        let mut sums = 0.0;
        for from in (0..weights.len()).step_by(REGISTERS) {
            let mut sum = zero;
            for i in from..(from + REGISTERS).min(weights.len()) {
                let (x, root) =
                    (T::times(simd, grown[i], of_x), T::times(simd, grown_line[i], of_root));
                let apart = apart::<T, S>(simd, t[i], line[i], tops, excess);
                let delta = T::times(simd, apart, steep);
                let lost = T::mul_add(simd, root, minus, x);
                let lost = T::max(simd, lost, T::times(simd, lost, minus));
                let far = T::over(simd, T::times(simd, lost, unit), apart);
                let mean = T::times(simd, T::plus(simd, x, root), half);
                let close = T::times(simd, mean, mean_quotient::<T, S>(simd, delta));
                let close = T::times(simd, close, near);
                let is_close = T::greater(simd, limit, delta);
                weights[i] = T::select(simd, is_close, close, far);
                sum = T::plus(simd, sum, weights[i]);
            }
            sums += sum_of_lanes::<T, S>(sum);
        }
        sums
    }
}

#[inline(always)]
fn number<T: Real, S: Simd>(simd: S, value: f64) -> T::Vector<S> {
    T::splat(simd, T::of(value))
}

/// `|t − top − (line − line top) + excess|`
#[inline(always)]
fn apart<T: Real, S: Simd>(
    simd: S,
    t: T::Vector<S>,
    line: T::Vector<S>,
    [top, line_top]: [T::Vector<S>; 2],
    excess: T::Vector<S>,
) -> T::Vector<S> {
    let minus = number::<T, S>(simd, -1.0);
    let (x, root) = (T::plus(simd, t, top), T::mul_add(simd, line, minus, line_top));
    let apart = T::plus(simd, T::plus(simd, x, root), excess);
    T::max(simd, apart, T::times(simd, apart, minus))
}

/// `Σ a b`
#[inline(always)]
fn moment<T: Real, S: Simd>(simd: S, a: &[T::Vector<S>], b: &[T::Vector<S>]) -> f64 {
    let mut total = 0.0;
    for (a, b) in a.chunks(REGISTERS).zip(b.chunks(REGISTERS)) {
        let mut sum = T::splat(simd, T::default());
        for (&a, &b) in a.iter().zip(b) {
            sum = T::mul_add(simd, a, b, sum);
        }
        total += sum_of_lanes::<T, S>(sum);
    }
    total
}

/// Coefficients of `tanh(z) / z` in z², from the highest power's on. f32 needs the last
/// [`MEAN_F32`] of them for z below a quarter.
const MEAN_SERIES: [f64; 11] = [
    18_888_466_084.0 / 194_896_477_400_625.0,
    -443_861_162.0 / 1_856_156_927_625.0,
    6_404_582.0 / 10_854_718_875.0,
    -929_569.0 / 638_512_875.0,
    21_844.0 / 6_081_075.0,
    -1_382.0 / 155_925.0,
    62.0 / 2_835.0,
    -17.0 / 315.0,
    2.0 / 15.0,
    -1.0 / 3.0,
    1.0,
];
const MEAN_F32: usize = 6;

/// The logarithmic mean of two numbers over their mean, if their logarithms differ by δ below
/// [`NARROW`]: `tanh(δ/2) / (δ/2)`.
#[inline(always)]
fn mean_quotient<T: Real, S: Simd>(simd: S, delta: T::Vector<S>) -> T::Vector<S> {
    let terms = if size_of::<T>() == 4 { MEAN_F32 } else { MEAN_SERIES.len() };
    let series = &MEAN_SERIES[MEAN_SERIES.len() - terms..];
    let z = T::times(simd, delta, T::splat(simd, T::of(0.5)));
    let square = T::times(simd, z, z);
    let mut p = T::splat(simd, T::of(series[0]));
    for &c in &series[1..] {
        p = T::mul_add(simd, p, square, T::splat(simd, T::of(c)));
    }
    p
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
    use crate::answer::{Answer, VecAnswer};

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
