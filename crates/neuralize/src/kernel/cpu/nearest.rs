use pulp::{Simd, WithSimd};
use rayon::prelude::*;

#[cfg(target_arch = "x86_64")]
use super::filter::{self, Filter};
use super::panel::{Panels, rows_from, tile};
use super::real::{Real, lanes};
use super::{Rows, task_rows};

/// Bytes of a block of rows: with the scorer's panel it shares the second-level
/// cache.
const BLOCK: usize = 1 << 18;

/// Bytes of a packed weight that stays in the first-level cache, beside the
/// few rows that pass by.
const RESIDENT: usize = 1 << 15;

/// The scores `s_k = x·w_k + b_k` of K centroids, ready for the kernels.
pub(crate) struct Scorer<T> {
    /// `[D, K]`
    pub(super) weight: Panels<T>,
    /// `[K]`, and the lowest number up to the last register's end.
    pub(super) bias: Vec<T>,
    /// Bounds that spare most of the product; see [`filter`](super::filter).
    #[cfg(target_arch = "x86_64")]
    filter: Option<Filter<T>>,
}

impl<T: Real> Scorer<T> {
    /// # Shapes
    ///
    /// - weight: `[D, K]`, bias: `[K]`
    pub(crate) fn new(weight: &[T], bias: &[T]) -> Self {
        let clusters = bias.len();
        let features = weight.len() / clusters;
        let weight = Panels::pack(features, clusters, weight);
        let mut bias = bias.to_vec();
        bias.resize(weight.padded(), T::LOWEST);
        Self {
            weight,
            bias,
            #[cfg(target_arch = "x86_64")]
            filter: None,
        }
    }

    /// The same, and what spares most of the product where only the nearest
    /// centroid is asked for.
    pub(crate) fn pruned(weight: &[T], bias: &[T]) -> Self {
        Self {
            #[cfg(target_arch = "x86_64")]
            filter: Filter::new(weight, bias),
            ..Self::new(weight, bias)
        }
    }

    pub(crate) fn clusters(&self) -> usize {
        self.weight.columns()
    }

    pub(crate) fn features(&self) -> usize {
        self.weight.inner()
    }

    /// Bytes of the packed weight.
    pub(super) fn bytes(&self) -> usize {
        self.weight.padded() * self.weight.inner() * size_of::<T>()
    }
}

/// Rows that are worked on at once.
fn block_rows<T: Real>(scorer: &Scorer<T>) -> usize {
    match scorer.bytes() <= RESIDENT {
        true => 32,
        false => (BLOCK / (scorer.features() * size_of::<T>())).clamp(8, 256).next_multiple_of(8),
    }
}

/// Nearest centroid of every row, and by how much its score is ahead of the
/// second largest (not computed where `margins` is empty).
pub(crate) fn nearest<T: Real>(
    rows: Rows<'_, T>,
    scorer: &Scorer<T>,
    labels: &mut [i32],
    margins: &mut [T],
) {
    let block = block_rows(scorer);
    let task = task_rows(rows.len(), block);
    let mut tasks = Vec::new();
    let mut left = margins;
    for (t, labels) in labels.chunks_mut(task).enumerate() {
        let (margins, rest) = left.split_at_mut(labels.len().min(left.len()));
        left = rest;
        tasks.push((t * task, labels, margins));
    }
    tasks.into_par_iter().for_each(|(first, labels, margins)| {
        let mut scratch = Scratch::default();
        nearest_in_order(rows, scorer, first, labels, margins, &mut scratch, |_, _| ());
    });
}

#[derive(Default)]
pub(super) struct Scratch<T> {
    block: Vec<T>,
    running: Running<T>,
}

/// The rows from `first` on, block by block; `then` sees every block and its
/// labels while they are hot.
pub(super) fn nearest_in_order<T: Real>(
    rows: Rows<'_, T>,
    scorer: &Scorer<T>,
    mut first: usize,
    labels: &mut [i32],
    margins: &mut [T],
    scratch: &mut Scratch<T>,
    mut then: impl FnMut(&[T], &[i32]),
) {
    let mut left = margins;
    for labels in labels.chunks_mut(block_rows(scorer)) {
        let (margins, rest) = left.split_at_mut(labels.len().min(left.len()));
        left = rest;
        let x = rows.block(first, labels.len(), &mut scratch.block);
        let running = &mut scratch.running;
        Nearest { scorer, x, labels, margins, running }.run();
        then(x, labels);
        first += labels.len();
    }
}

/// For a few rows: the largest score with its column, and the second largest.
/// The scores live in registers only.
struct Nearest<'a, T> {
    scorer: &'a Scorer<T>,
    /// `[n, D]`
    x: &'a [T],
    /// `[n]`
    labels: &'a mut [i32],
    /// Largest minus second largest, `[n]`; not computed where it is empty.
    margins: &'a mut [T],
    running: &'a mut Running<T>,
}

/// What is known of every row so far: per lane the largest score, the register
/// it was in, and the second largest.
#[derive(Default)]
struct Running<T> {
    best: Vec<T>,
    register: Vec<T>,
    second: Vec<T>,
    #[cfg(target_arch = "x86_64")]
    bounds: filter::Scratch,
}

impl<T: Real> Nearest<'_, T> {
    /// Labels, and margins where they are asked for.
    fn run(self) {
        #[cfg(target_arch = "x86_64")]
        if let Some(filter) = &self.scorer.filter {
            let (bias, bounds) = (&self.scorer.bias, &mut self.running.bounds);
            if filter.nearest(self.x, bias, self.labels, self.margins, bounds) {
                return;
            }
        }
        pulp::Arch::new().dispatch(self);
    }
}

impl<T: Real> WithSimd for Nearest<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let wide = S::REGISTER_COUNT >= 32;
        match (wide, self.margins.is_empty()) {
            (true, true) => self.rows::<S, 8, false>(simd),
            (true, false) => self.rows::<S, 8, true>(simd),
            (false, true) => self.rows::<S, 4, false>(simd),
            (false, false) => self.rows::<S, 4, true>(simd),
        }
    }
}

impl<T: Real> Nearest<'_, T> {
    #[inline(always)]
    fn rows<S: Simd, const ROWS: usize, const SECOND: bool>(self, simd: S) {
        let Self { scorer, x, labels, margins, running } = self;
        let rows = labels.len();
        let lanes = lanes::<T, S>();
        let padded = rows.next_multiple_of(ROWS) * lanes;
        // Where no score is a number the first cluster is as good as any.
        running.register.clear();
        running.register.resize(padded, T::default());
        for column in [&mut running.best, &mut running.second] {
            column.clear();
            column.resize(padded, T::LOWEST);
        }
        for p in 0..scorer.weight.count() {
            match scorer.weight.width(p) {
                1 => panel::<T, S, ROWS, 1, SECOND>(simd, scorer, p, x, running),
                2 => panel::<T, S, ROWS, 2, SECOND>(simd, scorer, p, x, running),
                _ => panel::<T, S, ROWS, 3, SECOND>(simd, scorer, p, x, running),
            }
        }
        let mut numbers = [T::default(); MOST_LANES];
        for (l, number) in numbers.iter_mut().enumerate() {
            *number = T::of(l as f64);
        }
        let lane_numbers = T::vectors::<S>(&numbers)[0];
        let in_register = T::splat(simd, T::of(lanes as f64));
        let never = T::splat(simd, T::LARGEST);
        let best = T::vectors::<S>(&running.best);
        let register = T::vectors::<S>(&running.register);
        let second = T::vectors::<S>(&running.second);
        for (row, label) in labels.iter_mut().enumerate() {
            let columns = T::mul_add(simd, register[row], in_register, lane_numbers);
            let score = T::largest_lane(simd, best[row]);
            let behind = T::greater(simd, T::splat(simd, score), best[row]);
            // Of equal scores the one in the first column.
            let winner = T::smallest_lane(simd, T::select(simd, behind, never, columns));
            *label = winner.into() as i32;
            if SECOND {
                let winner = T::splat(simd, winner);
                let after = T::greater(simd, columns, winner);
                let before = T::greater(simd, winner, columns);
                let others = T::select(simd, before, best[row], second[row]);
                let others = T::select(simd, after, best[row], others);
                margins[row] = score - T::largest_lane(simd, others);
            }
        }
    }
}

/// Lanes of the widest register there is.
const MOST_LANES: usize = 16;

/// Takes one panel of scores into account.
#[inline(always)]
fn panel<T: Real, S: Simd, const ROWS: usize, const W: usize, const SECOND: bool>(
    simd: S,
    scorer: &Scorer<T>,
    p: usize,
    x: &[T],
    running: &mut Running<T>,
) {
    let features = scorer.features();
    let weight = T::vectors::<S>(scorer.weight.panel(p));
    let first = scorer.weight.first_column(p);
    let bias: &[T::Vector<S>] = &T::vectors::<S>(&scorer.bias[first..])[..W];
    let start: [T::Vector<S>; W] = core::array::from_fn(|v| bias[v]);
    let numbers: [T::Vector<S>; W] =
        core::array::from_fn(|v| T::splat(simd, T::of((first / lanes::<T, S>() + v) as f64)));

    let best = T::vectors_mut::<S>(&mut running.best);
    let register = T::vectors_mut::<S>(&mut running.register);
    let second = T::vectors_mut::<S>(&mut running.second);
    let groups = best
        .chunks_exact_mut(ROWS)
        .zip(register.chunks_exact_mut(ROWS))
        .zip(second.chunks_exact_mut(ROWS));
    for (g, ((best, register), second)) in groups.enumerate() {
        let rows = rows_from::<T, ROWS>(x, features, g * ROWS);
        let scores = tile::<T, S, ROWS, W>(simd, rows, weight, start);
        for r in 0..ROWS {
            for v in 0..W {
                let score = scores[r][v];
                let ahead = T::greater(simd, score, best[r]);
                register[r] = T::select(simd, ahead, numbers[v], register[r]);
                if SECOND {
                    second[r] = T::max(simd, second[r], T::min(simd, score, best[r]));
                }
                best[r] = T::max(simd, score, best[r]);
            }
        }
    }
}
