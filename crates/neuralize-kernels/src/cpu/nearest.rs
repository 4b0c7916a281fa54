//! The nearest centroid of every row: a tiled product whose scores stay in registers.

use pulp::{Simd, WithSimd};

#[cfg(target_arch = "x86_64")]
use super::filter::{self, Filter, FilterBuffers};
use super::panel::{Panels, rows_from, tile};
use super::real::{MAX_LANES, Real, lanes};
use super::rows::{CenteredRows, run_tasks, task_rows};

/// Bytes of a block of rows: with the scorer's panel it shares the second-level
/// cache.
const BLOCK: usize = 1 << 18;

/// Bytes of a packed weight that stays in the first-level cache, next to the
/// few rows that pass by.
const RESIDENT: usize = 1 << 15;

/// The scores `s_k = x·w_k + b_k` of K centroids, ready for the kernels.
pub(crate) struct PackedScorer<T> {
    /// `[D, K]`
    pub(super) weight: Panels<T>,
    /// `[K]`, filled up to the last register's end with the lowest number.
    pub(super) bias: Vec<T>,
    /// Bounds that avoid most of the product; see `Filter`.
    #[cfg(target_arch = "x86_64")]
    filter: Option<Filter<T>>,
}

impl<T: Real> PackedScorer<T> {
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

    /// The same, with bounds that avoid most of the product if only the nearest
    /// centroid is wanted.
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

    /// Whether bounds of another kind avoid most of the product for these shapes, on this machine.
    #[cfg_attr(not(target_arch = "x86_64"), expect(unused_variables))]
    pub(super) fn is_filtered(features: usize, clusters: usize) -> bool {
        #[cfg(target_arch = "x86_64")]
        return filter::pays(features, clusters);
        #[cfg(not(target_arch = "x86_64"))]
        return false;
    }

    /// Panels of centroids.
    pub(super) fn panels(&self) -> usize {
        self.weight.count()
    }

    /// Bytes of the packed weight.
    pub(super) fn bytes(&self) -> usize {
        self.weight.padded() * self.weight.inner() * size_of::<T>()
    }
}

/// Rows that are processed at once.
fn block_rows<T: Real>(scorer: &PackedScorer<T>) -> usize {
    if scorer.bytes() <= RESIDENT {
        32
    } else {
        (BLOCK / (scorer.features() * size_of::<T>())).clamp(8, 256).next_multiple_of(8)
    }
}

/// Nearest centroid of every row, and the margin of its score over the second
/// largest (not computed if `margins` is empty).
pub(crate) fn nearest<T: Real>(
    rows: CenteredRows<'_, T>,
    scorer: &PackedScorer<T>,
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
    run_tasks(tasks, |(first, labels, margins)| {
        let mut buffers = NearestBuffers::default();
        nearest_in_order(rows, scorer, first, labels, margins, &mut buffers, |_, _| ());
    });
}

/// Memory that is reused from block to block.
#[derive(Default)]
pub(super) struct NearestBuffers<T> {
    block: Vec<T>,
    running: RunningBest<T>,
}

/// The rows from `first` on, block by block; `then` sees every block and its
/// labels while they are hot.
pub(super) fn nearest_in_order<T: Real>(
    rows: CenteredRows<'_, T>,
    scorer: &PackedScorer<T>,
    mut first: usize,
    labels: &mut [i32],
    margins: &mut [T],
    buffers: &mut NearestBuffers<T>,
    mut then: impl FnMut(&[T], &[i32]),
) {
    let mut left = margins;
    for labels in labels.chunks_mut(block_rows(scorer)) {
        let (margins, rest) = left.split_at_mut(labels.len().min(left.len()));
        left = rest;
        let x = rows.block(first, labels.len(), &mut buffers.block);
        let running = &mut buffers.running;
        Nearest { scorer, x, labels, margins, running }.run();
        then(x, labels);
        first += labels.len();
    }
}

/// For a few rows: the largest score with its column, and the second largest.
/// Scores stay in registers.
struct Nearest<'a, T> {
    scorer: &'a PackedScorer<T>,
    /// `[n, D]`
    x: &'a [T],
    /// `[n]`
    labels: &'a mut [i32],
    /// Largest minus second largest, `[n]`; not computed if empty.
    margins: &'a mut [T],
    running: &'a mut RunningBest<T>,
}

/// The largest scores of every row so far: per lane the largest, the register it
/// was in, and the second largest.
#[derive(Default)]
struct RunningBest<T> {
    best: Vec<T>,
    register: Vec<T>,
    second: Vec<T>,
    #[cfg(target_arch = "x86_64")]
    bounds: FilterBuffers,
}

impl<T: Real> Nearest<'_, T> {
    /// Labels, and margins unless `margins` is empty.
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
        // If every score is NaN, the row goes to the first cluster.
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
        let mut numbers = [T::default(); MAX_LANES];
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
            // Of equal scores, the one in the first column.
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

/// Takes one panel of scores into account.
#[inline(always)]
fn panel<T: Real, S: Simd, const ROWS: usize, const W: usize, const SECOND: bool>(
    simd: S,
    scorer: &PackedScorer<T>,
    p: usize,
    x: &[T],
    running: &mut RunningBest<T>,
) {
    let features = scorer.features();
    let weight = T::vectors::<S>(scorer.weight.panel(p));
    let first = scorer.weight.first_column(p);
    let bias: &[T::Vector<S>] = &T::vectors::<S>(&scorer.bias[first..])[..W];
    let start: [T::Vector<S>; W] = core::array::from_fn(|v| bias[v]);
    let numbers: [T::Vector<S>; W] =
        core::array::from_fn(|v| T::splat(simd, T::of((first / lanes::<T, S>() + v) as f64)));
    let zero = T::splat(simd, T::default());

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
            let (mut most, mut at, mut next) = (best[r], register[r], second[r]);
            for v in 0..W {
                let score = scores[r][v];
                // Numbers rise, so the largest is the last one that was ahead. A choice between this number
                // and the one before would be compiled to a masked store, which some processors are slow at.
                let ahead = T::greater(simd, score, most);
                at = T::max(simd, at, T::select(simd, ahead, numbers[v], zero));
                if SECOND {
                    next = T::max(simd, next, T::min(simd, score, most));
                }
                most = T::max(simd, score, most);
            }
            (best[r], register[r]) = (most, at);
            if SECOND {
                second[r] = next;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::reference::{self, SplitMix};
    use super::*;

    /// Labels and margins.
    fn decisions<T: Real>(
        x: &[T],
        features: usize,
        scorer: &PackedScorer<T>,
    ) -> (Vec<i32>, Vec<T>) {
        let rows = x.len() / features;
        let (mut labels, mut margins) = (vec![-1; rows], vec![T::default(); rows]);
        nearest(CenteredRows { x, center: None, features }, scorer, &mut labels, &mut margins);
        let mut alone = vec![-1; rows];
        nearest(CenteredRows { x, center: None, features }, scorer, &mut alone, &mut []);
        assert_eq!(labels, alone, "labels with margins, and without");
        (labels, margins)
    }

    #[test]
    fn nearest_is_the_largest_score() {
        fn check<T: Real>() {
            for (rows, features, clusters) in reference::shapes(4) {
                let mut stream = SplitMix::new((rows * features * clusters) as u64);
                let x: Vec<T> = stream.normals(rows * features, 1.0);
                let centroids: Vec<T> = stream.normals(clusters * features, 1.0);
                let (weight, bias) = reference::scores_of(&centroids, features);
                let (labels, margins) = decisions(&x, features, &PackedScorer::new(&weight, &bias));
                for (i, x) in x.chunks(features).enumerate() {
                    let scores: Vec<(f64, f64)> =
                        (0..clusters).map(|k| reference::score(x, &weight, &bias, k)).collect();
                    let own = usize::try_from(labels[i]).expect("a label");
                    let (score, error) = scores[own];
                    let what = format!("row {i} of {rows}, {features} × {clusters}");
                    let mut margin = f64::INFINITY;
                    let mut slack: f64 = error;
                    for (k, &(other, of_other)) in scores.iter().enumerate() {
                        assert!(other <= score + error + of_other, "{what}: {own}, but {k}");
                        slack = slack.max(error + of_other);
                        if k != own {
                            margin = margin.min(score - other);
                        }
                    }
                    let found: f64 = margins[i].into();
                    assert!(found >= 0.0, "{what}: {found}");
                    if clusters > 1 {
                        assert!((found - margin).abs() <= slack, "{what}: {found} {margin}");
                    }
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }

    /// Equal to the result for rows from which the centre was subtracted before.
    #[test]
    fn a_centre_is_subtracted() {
        fn check<T: Real>() {
            for (rows, features, clusters) in [(1, 1, 3), (33, 17, 5), (300, 33, 49)] {
                let mut stream = SplitMix::new(5);
                let x: Vec<T> = stream.normals(rows * features, 1.0);
                let center: Vec<T> = stream.normals(features, 1.0);
                let moved: Vec<T> =
                    x.iter().enumerate().map(|(i, &v)| v - center[i % features]).collect();
                let (weight, bias) =
                    reference::scores_of(&stream.normals::<T>(clusters * features, 1.0), features);
                let scorer = PackedScorer::new(&weight, &bias);
                let (mut labels, mut margins) = (vec![-1; rows], vec![T::default(); rows]);
                let around = CenteredRows { x: &x, center: Some(&center), features };
                nearest(around, &scorer, &mut labels, &mut margins);
                let (expected, of_margins) = decisions(&moved, features, &scorer);
                assert_eq!(labels, expected);
                assert!(margins == of_margins);
            }
        }
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn of_equal_scores_the_first() {
        fn check<T: Real>() {
            for clusters in [2, 3, 16, 17, 33, 48, 49, 97, 150] {
                for first in [0, 1, 7, 15, 16, 31, 47, 48, 96, 149] {
                    if first >= clusters {
                        continue;
                    }
                    // All from `first` on score the same, those before it less.
                    let bias: Vec<T> =
                        (0..clusters).map(|k| T::of(if k < first { -1.0 } else { 2.0 })).collect();
                    let scorer = PackedScorer::new(&vec![T::ONE; 3 * clusters], &bias);
                    let (labels, margins) = decisions(&[T::ONE; 27], 3, &scorer);
                    assert_eq!(labels, [first as i32; 9], "{clusters} clusters");
                    let margin = if first + 1 < clusters { 0.0 } else { 3.0 };
                    assert!(margins.iter().all(|&m| m.into() == margin), "{clusters}, {first}");
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }

    #[cfg(target_arch = "x86_64")]
    mod pruned {
        use super::*;

        const KINDS: [&str; 12] = [
            "normal",
            "tight",
            "equal rows",
            "duplicates",
            "zeros",
            "huge",
            "small",
            "tiny",
            "whole numbers",
            "mixed magnitudes",
            "one large feature",
            "far from the origin",
        ];

        /// Rows and centroids.
        fn data<T: Real>(kind: &str, n: usize, d: usize, k: usize) -> (Vec<T>, Vec<T>) {
            let mut stream = SplitMix::new((n + 7 * d + 31 * k) as u64);
            let mut centroids: Vec<T> = stream.normals(k * d, 1.0);
            if kind == "duplicates" {
                let different = (k / 5) * d;
                for i in different..k * d {
                    centroids[i] = centroids[i % different];
                }
            }
            if kind == "whole numbers" {
                centroids = (0..k * d).map(|_| T::of(stream.below(3) as f64 - 1.0)).collect();
            }
            let scale = match kind {
                "huge" => 1e12,
                "small" => 1e-10,
                "tiny" => 1e-12,
                _ => 1.0,
            };
            let mut x: Vec<T> = Vec::new();
            for i in 0..n {
                let own = stream.below(k);
                for j in 0..d {
                    let centroid: f64 = centroids[own * d + j].into();
                    let noise = stream.normal();
                    x.push(T::of(match kind {
                        "normal" => noise,
                        "equal rows" => centroids[j].into(),
                        "zeros" => 0.0,
                        "whole numbers" => noise.round(),
                        "mixed magnitudes" => [1e-9, 1e-3, 1.0, 1e6][i % 4] * noise,
                        "one large feature" if j == d / 2 => 1e6,
                        _ => centroid + 0.05 * noise,
                    }));
                }
            }
            if kind == "mixed magnitudes" {
                for (i, value) in centroids.iter_mut().enumerate() {
                    *value = *value * T::of([1e-9, 1e-3, 1.0, 1e3, 0.0][i / d % 5]);
                }
            }
            let moved = |v: T| if kind == "far from the origin" { v + T::of(1e4) } else { v };
            for value in x.iter_mut().chain(&mut centroids) {
                *value = moved(*value * T::of(scale));
            }
            (x, centroids)
        }

        fn has_vnni() -> bool {
            is_x86_feature_detected!("avx512f")
                && is_x86_feature_detected!("avx512bw")
                && is_x86_feature_detected!("avx512vl")
                && is_x86_feature_detected!("avx512dq")
                && is_x86_feature_detected!("avx512vnni")
        }

        /// The filter of a machine that has the instructions for it.
        fn filter_of<T: Real>(scorer: &PackedScorer<T>) -> Option<&Filter<T>> {
            if !has_vnni() {
                eprintln!("no AVX-512 VNNI: nothing is pruned on this machine");
                return None;
            }
            assert!(scorer.filter.is_some(), "no filter where one would pay");
            scorer.filter.as_ref()
        }

        fn bits<T: Real>(values: &[T]) -> Vec<u64> {
            values.iter().map(|&v| v.into().to_bits()).collect()
        }

        fn same<T: Real>(x: &[T], features: usize, centroids: &[T], what: &str) {
            let (weight, bias) = reference::scores_of(centroids, features);
            let pruned = PackedScorer::pruned(&weight, &bias);
            if !what.starts_with("tiny") {
                filter_of(&pruned);
            }
            let plain = decisions(x, features, &PackedScorer::new(&weight, &bias));
            let found = decisions(x, features, &pruned);
            assert_eq!(found.0, plain.0, "{what}: labels");
            assert_eq!(bits(&found.1), bits(&plain.1), "{what}: margins");
        }

        #[test]
        fn is_the_plain_product_to_the_bit() {
            fn check<T: Real>() {
                let mut case = 0;
                for features in [97, 128, 131, 512] {
                    for clusters in [64, 65, 100, 257] {
                        for kind in KINDS {
                            case += 1;
                            let rows = [1, 7, 8, 9][case % 4];
                            let many = if features < 512 && case % 5 == 0 { 300 } else { rows };
                            let (x, centroids) = data::<T>(kind, many, features, clusters);
                            let what = format!("{kind}: {many} × {features} × {clusters}");
                            same(&x, features, &centroids, &what);
                        }
                    }
                }
            }
            check::<f32>();
            check::<f64>();
        }

        /// The test above would pass if the filter always gave up.
        #[test]
        fn settles_rows_that_are_near_their_centroids() {
            fn check<T: Real>() {
                for (kind, clusters) in [("tight", 64), ("tight", 257), ("huge", 100)] {
                    let (x, centroids) = data::<T>(kind, 100, 128, clusters);
                    let (weight, bias) = reference::scores_of(&centroids, 128);
                    let scorer = PackedScorer::pruned(&weight, &bias);
                    let Some(filter) = filter_of(&scorer) else { return };
                    let mut labels = [-1; 100];
                    let mut buffers = FilterBuffers::default();
                    assert!(filter.nearest(&x, &scorer.bias, &mut labels, &mut [], &mut buffers));
                    let (expected, _) = decisions(&x, 128, &PackedScorer::new(&weight, &bias));
                    assert_eq!(labels[..], expected[..]);
                }
            }
            check::<f32>();
            check::<f64>();
        }

        #[test]
        fn shapes_for_which_it_does_not_pay_have_none() {
            for (features, clusters) in [(95, 64), (96, 63), (1, 1), (1 << 16, 64)] {
                let scorer =
                    PackedScorer::pruned(&vec![1f32; features * clusters], &vec![0.0; clusters]);
                assert!(scorer.filter.is_none(), "{features} × {clusters}");
            }
            // Beyond what f32 can bound.
            for weight in [1e-13, 1e16] {
                let scorer = PackedScorer::pruned(&[weight; 100 * 64], &[0f64; 64]);
                assert!(scorer.filter.is_none(), "weights of {weight}");
            }
        }

        /// One row among many whose square is no f32, or that is none itself.
        #[test]
        fn rows_beyond_single_precision() {
            for clusters in [64, 65, 100] {
                for value in [1e18, 1e20, 1e30, 1e39, 1e100, 1e150] {
                    let (mut x, centroids) = data::<f64>("tight", 40, 128, clusters);
                    for v in &mut x[17 * 128..18 * 128] {
                        *v *= value;
                    }
                    same(&x, 128, &centroids, &format!("{value:e}, {clusters} clusters"));
                }
            }
        }

        /// The same at the other end.
        #[test]
        fn rows_below_single_precision() {
            for value in [1e-18, 1e-22, 1e-26, 1e-37, 1e-44, 1e-100] {
                let (mut x, mut centroids) = data::<f64>("tight", 40, 128, 65);
                // Opposite pairs score alike but for the product.
                for i in 0..32 * 128 {
                    centroids[33 * 128 + i] = -centroids[i];
                }
                for v in &mut x {
                    *v *= value;
                }
                same(&x, 128, &centroids, &format!("{value:e}"));
            }
            for value in [1e-18f32, 1e-22, 1e-26, 1e-37, 1e-44] {
                let (mut x, mut centroids) = data::<f32>("tight", 40, 128, 65);
                for i in 0..32 * 128 {
                    centroids[33 * 128 + i] = -centroids[i];
                }
                for v in &mut x {
                    *v *= value;
                }
                same(&x, 128, &centroids, &format!("{value:e} in f32"));
            }
        }
    }
}
