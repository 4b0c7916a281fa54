//! One Lloyd step: the nearest centroid of every row, and sums per cluster.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::nearest::{NearestBuffers, PackedScorer, nearest, nearest_in_order};
use super::real::Real;
use super::rows::CenteredRows;

/// Bytes of cluster sums up to which every segment of rows has its own.
const OWN_SUMS: usize = 1 << 18;

/// Maximum number of segments with sums of their own.
const SEGMENTS: usize = 32;

/// Weighted sums of the rows of each cluster, and of the weights.
pub(crate) struct ClusterSums {
    /// `[K, D]`
    pub points: Vec<f64>,
    /// `[K]`
    pub weights: Vec<f64>,
}

impl ClusterSums {
    pub(super) fn zeros(clusters: usize, features: usize) -> Self {
        Self { points: vec![0.0; clusters * features], weights: vec![0.0; clusters] }
    }

    /// Adds up listed clusters again.
    pub(super) fn afresh<T: Real>(
        &mut self,
        rows: CenteredRows<'_, T>,
        weights: &[T],
        labels: &[i32],
        clusters: &[usize],
    ) {
        if clusters.is_empty() {
            return;
        }
        let mut places = vec![None; self.weights.len()];
        for (place, &k) in clusters.iter().enumerate() {
            places[k] = Some(place);
            self.points[k * rows.features..(k + 1) * rows.features].fill(0.0);
            self.weights[k] = 0.0;
        }
        let mut members = vec![Vec::new(); clusters.len()];
        for (row, &label) in labels.iter().enumerate() {
            if let Some(place) = places[label as usize] {
                let list: &mut Vec<usize> = &mut members[place];
                list.push(row);
            }
        }
        let lists = clusters.iter().zip(&members);
        self.add_lists(rows, weights, lists.map(|(k, members)| (*k, &members[..])));
    }

    /// Adds listed rows to their clusters.
    fn add_lists<'a, T: Real>(
        &mut self,
        rows: CenteredRows<'_, T>,
        weights: &[T],
        lists: impl Iterator<Item = (usize, &'a [usize])>,
    ) {
        let features = rows.features;
        let parts = |(k, members): (usize, &'a [usize])| {
            members.chunks(MEMBERS).map(move |members| (k, members))
        };
        let tasks: Vec<(usize, &[usize])> = lists.flat_map(parts).collect();
        let parts: Vec<(Vec<f64>, f64)> = tasks
            .par_iter()
            .with_min_len(8)
            .map(|(_, entries)| {
                let mut sums = vec![0.0; features];
                let arch = pulp::Arch::new();
                let weight = arch.dispatch(AddMembers { rows, weights, entries, sums: &mut sums });
                (sums, weight)
            })
            .collect();
        for ((cluster, _), (part, weight)) in tasks.iter().zip(&parts) {
            let sums = &mut self.points[cluster * features..(cluster + 1) * features];
            for (sum, part) in sums.iter_mut().zip(part) {
                *sum += part;
            }
            self.weights[*cluster] += weight;
        }
    }

    fn add(&mut self, other: &Self) {
        for (sum, part) in self.points.iter_mut().zip(&other.points) {
            *sum += part;
        }
        for (sum, part) in self.weights.iter_mut().zip(&other.weights) {
            *sum += part;
        }
    }
}

/// Nearest centroid of every row, and the sums per cluster. One pass over the
/// data if the sums are small; else a second one that goes from cluster to
/// cluster, so that a sum stays in cache.
pub(crate) fn assign_and_sum<T: Real>(
    rows: CenteredRows<'_, T>,
    weights: &[T],
    scorer: &PackedScorer<T>,
    labels: &mut [i32],
) -> ClusterSums {
    let (clusters, features) = (scorer.clusters(), scorer.features());
    if clusters * features * size_of::<f64>() > OWN_SUMS {
        nearest(rows, scorer, labels, &mut []);
        return sums_by_cluster(rows, weights, labels, clusters);
    }
    let segment = rows.len().div_ceil(SEGMENTS).max(1);
    let parts: Vec<ClusterSums> = labels
        .par_chunks_mut(segment)
        .enumerate()
        .map(|(s, labels)| {
            let mut sums = ClusterSums::zeros(clusters, features);
            let mut buffers = NearestBuffers::default();
            let mut row = s * segment;
            nearest_in_order(rows, scorer, row, labels, &mut [], &mut buffers, |x, labels| {
                let weights = &weights[row..row + labels.len()];
                pulp::Arch::new().dispatch(Accumulate {
                    x,
                    features,
                    labels,
                    weights,
                    sums: &mut sums,
                });
                row += labels.len();
            });
            sums
        })
        .collect();
    let mut total = ClusterSums::zeros(clusters, features);
    for part in &parts {
        total.add(part);
    }
    total
}

/// Adds every row of a block to the sums of its cluster.
struct Accumulate<'a, T> {
    x: &'a [T],
    features: usize,
    labels: &'a [i32],
    weights: &'a [T],
    sums: &'a mut ClusterSums,
}

impl<T: Real> WithSimd for Accumulate<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let rows = self.x.chunks_exact(self.features).zip(self.labels).zip(self.weights);
        for ((row, &label), &weight) in rows {
            let (cluster, weight): (usize, f64) = (label as usize, weight.into());
            let start = cluster * self.features;
            add_scaled(&mut self.sums.points[start..start + self.features], row, weight);
            self.sums.weights[cluster] += weight;
        }
    }
}

#[inline(always)]
pub(super) fn add_scaled<T: Real>(sums: &mut [f64], row: &[T], weight: f64) {
    for (sum, &value) in sums.iter_mut().zip(row) {
        let value: f64 = value.into();
        *sum += weight * value;
    }
}

/// Maximum number of rows that one task adds up.
const MEMBERS: usize = 1 << 12;

/// The sums of one cluster after the other, from a list of its rows: no thread
/// needs separate sums for all clusters.
fn sums_by_cluster<T: Real>(
    rows: CenteredRows<'_, T>,
    weights: &[T],
    labels: &[i32],
    clusters: usize,
) -> ClusterSums {
    let features = rows.features;
    let mut ends = vec![0; clusters];
    for &label in labels {
        ends[label as usize] += 1;
    }
    let mut first = 0;
    for end in &mut ends {
        (*end, first) = (first, first + *end);
    }
    let mut members = vec![0; labels.len()];
    for (row, &label) in labels.iter().enumerate() {
        let end: &mut usize = &mut ends[label as usize];
        members[*end] = row;
        *end += 1;
    }
    let starts = core::iter::once(0).chain(ends.iter().copied());
    let lists = starts.zip(&ends).map(|(first, &end)| &members[first..end]).enumerate();
    let mut total = ClusterSums::zeros(clusters, features);
    total.add_lists(rows, weights, lists);
    total
}

/// Adds listed rows to a sum, or takes them away; returns the sum of their weights.
pub(super) struct AddMembers<'a, T, M> {
    pub(super) rows: CenteredRows<'a, T>,
    pub(super) weights: &'a [T],
    pub(super) entries: &'a [M],
    pub(super) sums: &'a mut [f64],
}

/// A row that is added, or taken away.
pub(super) trait Entry: Copy {
    fn row(self) -> usize;
    fn is_taken_away(self) -> bool;
}

impl Entry for usize {
    #[inline(always)]
    fn row(self) -> usize {
        self
    }

    #[inline(always)]
    fn is_taken_away(self) -> bool {
        false
    }
}

/// A row and whether it is taken away.
impl Entry for (usize, bool) {
    #[inline(always)]
    fn row(self) -> usize {
        self.0
    }

    #[inline(always)]
    fn is_taken_away(self) -> bool {
        self.1
    }
}

impl<T: Real, M: Entry> WithSimd for AddMembers<'_, T, M> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let CenteredRows { x, center, features } = self.rows;
        let mut total = 0.0;
        for &entry in self.entries {
            let row = entry.row();
            let weight: f64 = self.weights[row].into();
            let weight = if entry.is_taken_away() { -weight } else { weight };
            total += weight;
            let x = &x[row * features..(row + 1) * features];
            match center {
                None => add_scaled(self.sums, x, weight),
                Some(center) => {
                    for ((sum, &value), &center) in self.sums.iter_mut().zip(x).zip(center) {
                        let value: f64 = (value - center).into();
                        *sum += weight * value;
                    }
                }
            }
        }
        total
    }
}

#[cfg(test)]
mod tests {
    use super::super::reference::{self, SplitMix};
    use super::*;

    /// Sums by the returned labels, against one loop over all rows.
    fn check<T: Real>(n: usize, features: usize, clusters: usize, crowded: bool) {
        let mut stream = SplitMix::new((n + features + clusters) as u64);
        let mut x: Vec<T> = stream.normals(n * features, 1.0);
        let center: Vec<T> = stream.normals(features, 0.1);
        let centroids: Vec<T> = stream.normals(clusters * features, 1.0);
        if crowded {
            // Nine rows of ten belong to the last cluster but one.
            let near = &centroids[(clusters - 2) * features..];
            for (i, row) in x.chunks_mut(features).enumerate().filter(|(i, _)| i % 10 != 0) {
                for (d, value) in row.iter_mut().enumerate() {
                    *value = near[d] + T::of(1e-3 * (i % 7) as f64);
                }
            }
        }
        let weights: Vec<T> = (0..n).map(|i| T::of([0.0, 0.5, 1.0, 3.0][i % 4])).collect();
        let (weight, bias) = reference::scores_of(&centroids, features);
        let scorer = PackedScorer::new(&weight, &bias);
        for center in [None, Some(&center[..])] {
            let rows = CenteredRows { x: &x, center, features };
            let mut labels = vec![-1; n];
            let sums = assign_and_sum(rows, &weights, &scorer, &mut labels);
            let mut expected = vec![-1; n];
            nearest(rows, &scorer, &mut expected, &mut []);
            assert_eq!(labels, expected, "{n} × {features} × {clusters}");

            let (mut points, mut totals) = (vec![0.0; clusters * features], vec![0.0; clusters]);
            for (i, row) in x.chunks(features).enumerate() {
                let (k, w): (usize, f64) = (labels[i] as usize, weights[i].into());
                totals[k] += w;
                for (d, &value) in row.iter().enumerate() {
                    let value = center.map_or(value, |center| value - center[d]);
                    points[k * features + d] += w * value.into();
                }
            }
            let found = sums.points.iter().chain(&sums.weights);
            for (i, (found, expected)) in found.zip(points.iter().chain(&totals)).enumerate() {
                let error = (found - expected).abs();
                assert!(error <= 1e-11 * n as f64, "{i}: {found} {expected}");
            }
            if crowded {
                let most = labels.iter().filter(|&&label| label as usize == clusters - 2).count();
                assert!(most * 10 >= n * 9 - 10, "{most}");
            }
        }
    }

    #[test]
    fn sums_of_few_clusters() {
        for (n, features, clusters) in reference::shapes(6) {
            check::<f32>(n, features, clusters, false);
            check::<f64>(n, features, clusters, false);
        }
        check::<f32>(5000, 3, 4, true);
        check::<f64>(5000, 3, 4, true);
    }

    #[test]
    fn sums_by_cluster_are_the_same() {
        const { assert!(8 * 1100 * 30 > OWN_SUMS && 8 * 128 * 257 > OWN_SUMS) };
        const { assert!(4800 * 9 / 10 > MEMBERS) };
        check::<f32>(4800, 1100, 30, true);
        check::<f64>(9, 1100, 30, false);
        check::<f64>(301, 128, 257, false);
    }
}
