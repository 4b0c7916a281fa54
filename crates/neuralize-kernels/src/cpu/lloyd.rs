//! A run of Lloyd's algorithm: labels and sums per cluster, from one step to the next.

use core::mem;

use rayon::prelude::*;

use super::bounds::{Bounds, Change};
use super::nearest::PackedScorer;
use super::real::Real;
use super::rows::CenteredRows;
use super::sums::{AddMembers, ClusterSums, assign_and_sum};

/// From one row in so many on that changes its cluster, all scores are computed: bounds would not hold.
const FEW: usize = 20;

/// Products of fewer numbers (N D K) take less time than bounds.
const WORTH: usize = 1 << 22;

/// From one panel in so many on that is computed, filtered scores of all rows cost less.
const FILTERED: usize = 8;

/// Bytes that bounds may take, whatever the data take; beyond, twice those of the data.
const BOUNDS: usize = 1 << 26;

/// The labels of the rows of a fit and the sums of their clusters. While many labels change, every step
/// computes all scores; from then on, bounds say which rows can change.
pub(crate) struct LloydRun<T> {
    labels: Vec<i32>,
    sums: ClusterSums,
    /// Rows with a weight, and the weight that came or went since the sums were added up afresh, `[K]`.
    members: Vec<usize>,
    moved: Vec<f64>,
    /// The weight of the last step, `[D, K]`.
    last: Vec<T>,
    bounds: Option<Bounds>,
    /// Rows that changed in the last step.
    changed: usize,
    /// Bounds are not tried with more changes, or for fewer numbers.
    limit: usize,
    worth: usize,
    /// The share of panels that the last step did not compute.
    #[cfg(test)]
    spared: f64,
}

impl<T: Real> LloydRun<T> {
    pub(crate) fn new(rows: usize) -> Self {
        Self {
            labels: vec![-1; rows],
            sums: ClusterSums::zeros(0, 0),
            members: Vec::new(),
            moved: Vec::new(),
            last: Vec::new(),
            bounds: None,
            changed: rows,
            limit: rows / FEW,
            worth: WORTH,
            #[cfg(test)]
            spared: 0.0,
        }
    }

    pub(crate) fn labels(&self) -> &[i32] {
        &self.labels
    }

    pub(crate) fn sums(&self) -> &ClusterSums {
        &self.sums
    }

    /// Brings labels and sums up to date with centroids of this weight `[D, K]` and bias `[K]`; returns the
    /// number of rows whose label changed. The rows and their weights are the same in every step.
    pub(crate) fn step(
        &mut self,
        rows: CenteredRows<'_, T>,
        row_weights: &[T],
        weight: &[T],
        bias: &[T],
    ) -> usize {
        if !self.last.is_empty() && self.last.len() != weight.len() {
            self.last.clear();
            (self.bounds, self.limit) = (None, rows.len() / FEW);
        }
        let is_small = rows.len() * weight.len() < self.worth;
        let many = self.bounds.is_none() && self.changed > self.limit;
        self.changed = if is_small || many || self.last.is_empty() {
            self.all(rows, row_weights, &PackedScorer::pruned(weight, bias))
        } else {
            let scorer = PackedScorer::new(weight, bias);
            if self.bounds.is_none() && Bounds::bytes(rows.len(), &scorer) > room(rows) {
                self.limit = 0;
                self.all(rows, row_weights, &PackedScorer::pruned(weight, bias))
            } else {
                self.some(rows, row_weights, weight, &scorer)
            }
        };
        self.last.clear();
        self.last.extend_from_slice(weight);
        self.changed
    }

    /// One step with all scores.
    fn all(
        &mut self,
        rows: CenteredRows<'_, T>,
        row_weights: &[T],
        scorer: &PackedScorer<T>,
    ) -> usize {
        let mut labels = vec![0; self.labels.len()];
        #[cfg(test)]
        {
            self.spared = 0.0;
        }
        self.sums = assign_and_sum(rows, row_weights, scorer, &mut labels);
        let before = mem::replace(&mut self.labels, labels);
        self.members.clear();
        self.members.resize(scorer.clusters(), 0);
        self.moved.clear();
        self.moved.resize(scorer.clusters(), 0.0);
        for (&label, &weight) in self.labels.iter().zip(row_weights) {
            self.members[label as usize] += usize::from(weight > T::default());
        }
        before.iter().zip(&self.labels).filter(|(before, now)| before != now).count()
    }

    /// One step with the scores that can change a label.
    fn some(
        &mut self,
        rows: CenteredRows<'_, T>,
        row_weights: &[T],
        weight: &[T],
        scorer: &PackedScorer<T>,
    ) -> usize {
        let known = self.bounds.is_some();
        let bounds = self.bounds.get_or_insert_with(|| Bounds::new(rows, scorer));
        if known {
            bounds.moved(&ways(weight, &self.last, scorer.clusters()), scorer);
        }
        let (changes, computed) = bounds.update(rows, scorer, &mut self.labels);
        #[cfg(test)]
        {
            self.spared = 1.0 - computed as f64 / (self.labels.len() * scorer.panels()) as f64;
        }
        // What all scores cost: less where they are filtered.
        let share = if PackedScorer::<T>::is_filtered(rows.features, scorer.clusters()) {
            FILTERED
        } else {
            2
        };
        if known && computed * share > self.labels.len() * scorer.panels() {
            self.bounds = None;
            self.limit = self.limit.min(changes.len() / 2);
        }
        self.carry(rows, row_weights, &changes);
        changes.len()
    }

    /// Carries rows from sum to sum. A cluster that more weight came to and went from than it has is added up
    /// afresh, so that rounding is that of one sum.
    fn carry(&mut self, rows: CenteredRows<'_, T>, row_weights: &[T], changes: &[Change]) {
        let clusters = self.members.len();
        let mut entries = vec![Vec::new(); clusters];
        let mut left = self.sums.weights.clone();
        for &Change { row, from, to } in changes {
            let (from, to) = (from as usize, to as usize);
            entries[from].push((row, true));
            entries[to].push((row, false));
            let weight: f64 = row_weights[row].into();
            if weight > 0.0 {
                self.members[from] -= 1;
                self.members[to] += 1;
            }
            self.moved[from] += weight;
            self.moved[to] += weight;
            left[from] -= weight;
            left[to] += weight;
        }
        let is_stale = |k: usize| self.members[k] == 0 || self.moved[k] > left[k];
        let changed = (0..clusters).filter(|k| !entries[*k].is_empty());
        let stale: Vec<usize> = changed.filter(|k| is_stale(*k)).collect();
        for &k in &stale {
            entries[k].clear();
            self.moved[k] = 0.0;
        }
        self.sums.afresh(rows, row_weights, &self.labels, &stale);
        let sums = self.sums.points.par_chunks_mut(rows.features).zip(&mut self.sums.weights);
        sums.zip(&entries).filter(|(_, entries)| !entries.is_empty()).for_each(
            |((sums, total), entries)| {
                let arch = pulp::Arch::new();
                *total += arch.dispatch(AddMembers { rows, weights: row_weights, entries, sums });
            },
        );
    }
}

/// Bytes that bounds may take.
fn room<T>(rows: CenteredRows<'_, T>) -> usize {
    BOUNDS.max(2 * size_of_val(rows.x))
}

/// How far every centroid moved, `[K]`, not less; a weight is twice the centroid.
fn ways<T: Real>(weight: &[T], last: &[T], clusters: usize) -> Vec<f64> {
    let mut squares = vec![0.0; clusters];
    for (new, old) in weight.chunks_exact(clusters).zip(last.chunks_exact(clusters)) {
        for ((square, &new), &old) in squares.iter_mut().zip(new).zip(old) {
            let (new, old): (f64, f64) = (new.into(), old.into());
            *square += (new - old) * (new - old);
        }
    }
    squares.into_iter().map(|square: f64| square.sqrt() * 0.5 * (1.0 + 1e-9)).collect()
}

#[cfg(test)]
mod tests {
    use super::super::nearest::nearest;
    use super::super::reference::{self, SplitMix};
    use super::*;

    const KINDS: [&str; 13] = [
        "mixture",
        "uniform",
        "duplicates",
        "whole numbers",
        "equal rows",
        "far from the origin",
        "large",
        "small",
        "far from the centre",
        "at the lower end",
        "at the upper end",
        "one far row",
        "mixed magnitudes",
    ];

    fn data<T: Real>(kind: &str, n: usize, d: usize, k: usize) -> Vec<T> {
        let mut stream = SplitMix::new((n + 7 * d + 31 * k) as u64);
        let centers: Vec<f64> = (0..k * d).map(|_| 2.0 * stream.normal()).collect();
        let (offset, scale) = match kind {
            "far from the origin" => (1e4, 1.0),
            "far from the centre" => (3e3, 1.0),
            // Around the ends of f32, at which bounds are rounded; scores of f32 have none above.
            "at the lower end" => (0.0, 1e-22),
            "at the upper end" if T::EPSILON < 1e-10 => (0.0, 1e38),
            "large" => (0.0, 1e15),
            "small" => (0.0, 1e-15),
            _ => (0.0, 1.0),
        };
        let mut x = Vec::new();
        for i in 0..n {
            let own = stream.below(k);
            for j in 0..d {
                let noise = stream.normal();
                let value = match kind {
                    "uniform" => stream.uniform(),
                    "duplicates" => centers[(own % 5) * d + j],
                    "whole numbers" => noise.round(),
                    "equal rows" => 1.5,
                    "one far row" if i == n / 2 => 1e5,
                    "mixed magnitudes" => [1e-6, 1e-3, 1.0, 1e3][i % 4] * noise,
                    _ => centers[own * d + j] + noise,
                };
                x.push(T::of(scale * (value + offset)));
            }
        }
        x
    }

    /// Steps of Lloyd's algorithm, with a centroid that jumps in the middle; returns the share of panels
    /// that bounds spared.
    fn run<T: Real>(kind: &str, n: usize, features: usize, clusters: usize, limit: usize) -> f64 {
        const STEPS: usize = 24;
        let what = format!("{kind}: {n} × {features} × {clusters}");
        let x: Vec<T> = data(kind, n, features, clusters);
        let center: Vec<T> = x[..features].to_vec();
        let center =
            if kind == "far from the centre" { vec![T::default(); features] } else { center };
        let rows = CenteredRows { x: &x, center: Some(&center), features };
        let row_weights: Vec<T> = (0..n).map(|i| T::of([1.0, 0.1, 3.0, 0.0][i % 4])).collect();
        let around = |row: usize, d: usize| x[row * features + d] - center[d];
        let mut centroids: Vec<T> =
            (0..clusters).flat_map(|k| (0..features).map(move |d| around(k * 7 % n, d))).collect();
        let mut run = LloydRun::new(n);
        (run.limit, run.worth) = (limit, 0);
        let (mut before, mut spared) = (vec![-1; n], 0.0);
        for step in 0..STEPS {
            if step == STEPS / 2 {
                let jump = n / 3;
                for (d, value) in centroids[..features].iter_mut().enumerate() {
                    *value = around(jump, d);
                }
            }
            let (weight, _) = reference::scores_of(&centroids, features);
            // As rounded as in a fit.
            let square = |row: &[T]| row.iter().fold(T::default(), |sum, &v| sum - v * v);
            let bias: Vec<T> = centroids.chunks(features).map(square).collect();
            let mut labels = vec![-1; n];
            nearest(rows, &PackedScorer::new(&weight, &bias), &mut labels, &mut []);
            let changed = run.step(rows, &row_weights, &weight, &bias);
            assert_eq!(run.labels(), labels, "{what}: labels after step {step}");
            let expected = before.iter().zip(&labels).filter(|(before, now)| before != now).count();
            assert_eq!(changed, expected, "{what}: changed labels");
            spared += run.spared / STEPS as f64;

            let (mut points, mut totals) = (vec![0.0; clusters * features], vec![0.0; clusters]);
            // What came and went leaves its rounding behind.
            let mut sizes = vec![0.0; features];
            for (row, &label) in labels.iter().enumerate() {
                let (k, w): (usize, f64) = (label as usize, row_weights[row].into());
                totals[k] += w;
                for d in 0..features {
                    let value: f64 = around(row, d).into();
                    points[k * features + d] += w * value;
                    sizes[d] += w * value.abs();
                }
            }
            for (i, (found, expected)) in run.sums().points.iter().zip(&points).enumerate() {
                let error = (found - expected).abs();
                let most = 1e-14 * sizes[i % features];
                assert!(error <= most, "{what}: sum {found} for {expected}");
            }
            for (found, expected) in run.sums().weights.iter().zip(&totals) {
                // An empty cluster has a weight of exactly 0.
                assert!((found - expected).abs() <= 1e-12 * expected, "{what}: {found}");
            }
            for k in (0..clusters).filter(|k| totals[*k] > 0.0) {
                for d in 0..features {
                    let mean = run.sums().points[k * features + d] / run.sums().weights[k];
                    centroids[k * features + d] = T::of(mean);
                }
            }
            before = labels;
        }
        spared
    }

    #[test]
    fn bounds_change_no_label() {
        fn check<T: Real>() {
            let mut case = 0;
            for clusters in [1, 2, 7, 8, 9, 12, 24, 25, 49, 97] {
                for features in [1, 2, 5, 16, 33] {
                    for kind in KINDS {
                        case += 1;
                        let n = [97, 300, 701][case % 3];
                        let limit = [n, n / FEW][case % 2];
                        run::<T>(kind, n, features, clusters, limit);
                    }
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }

    /// The test above would pass if no bound ever held.
    #[test]
    fn bounds_spare_most_of_the_work() {
        for (features, clusters) in [(2, 9), (16, 49), (5, 97)] {
            let limit = 3000 / FEW;
            let single = run::<f32>("mixture", 3000, features, clusters, limit);
            let double = run::<f64>("mixture", 3000, features, clusters, limit);
            assert!(single > 0.4 && double > 0.4, "{features} × {clusters}: {single}, {double}");
        }
    }

    /// Other centroids than before: nothing that is known of those is used.
    #[test]
    fn another_number_of_clusters_starts_again() {
        let x: Vec<f32> = data("mixture", 400, 3, 20);
        let rows = CenteredRows { x: &x, center: None, features: 3 };
        let mut run = LloydRun::new(400);
        (run.limit, run.worth) = (400, 0);
        for clusters in [100, 100, 100, 10, 10, 70, 70, 60, 60] {
            let (weight, bias) = reference::scores_of(&x[..clusters * 3], 3);
            let mut labels = vec![-1; 400];
            nearest(rows, &PackedScorer::new(&weight, &bias), &mut labels, &mut []);
            run.step(rows, &[1.0; 400], &weight, &bias);
            assert_eq!(run.labels(), labels, "{clusters} clusters");
        }
    }

    /// A heavy row leaves: the weight of the light ones is not lost.
    #[test]
    fn light_rows_stay_after_a_heavy_one() {
        let x = [0.0f64, 0.1, 0.2, 0.9, 10.0, 11.0, 12.0];
        let rows = CenteredRows { x: &x, center: None, features: 1 };
        let weights = [1e-20, 1e-20, 1e-20, 1.0, 1.0, 1.0, 1.0];
        let mut run = LloydRun::new(x.len());
        (run.limit, run.worth) = (x.len(), 0);
        for other in [11.0, 11.0, 1.2] {
            let (weight, bias) = reference::scores_of(&[0.1, other], 1);
            run.step(rows, &weights, &weight, &bias);
        }
        assert_eq!(run.labels(), [0, 0, 0, 1, 1, 1, 1]);
        assert!((run.sums().weights[0] - 3e-20).abs() < 1e-34, "{}", run.sums().weights[0]);
        assert!((run.sums().points[0] - 3e-21).abs() < 1e-34, "{}", run.sums().points[0]);
    }

    #[test]
    fn the_number_of_threads_changes_no_bit() {
        let x: Vec<f32> = data("mixture", 5000, 8, 60);
        let once = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("a pool of threads").install(|| {
                let rows = CenteredRows { x: &x, center: None, features: 8 };
                let mut run = LloydRun::new(5000);
                run.worth = 0;
                let mut centroids = x[..60 * 8].to_vec();
                for _ in 0..20 {
                    let (weight, bias) = reference::scores_of(&centroids, 8);
                    run.step(rows, &[0.3; 5000], &weight, &bias);
                    for (i, centroid) in centroids.iter_mut().enumerate() {
                        *centroid = (run.sums.points[i] / run.sums.weights[i / 8]) as f32;
                    }
                }
                (run.sums.points.clone(), run.labels().to_vec())
            })
        };
        let one = once(1);
        assert!(one == once(2) && one == once(7));
    }
}
