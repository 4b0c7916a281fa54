use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::nearest::{Scratch, nearest_in_order};
use super::real::Real;
use super::{Rows, Scorer, nearest};

/// Bytes of sums per cluster up to which every segment of rows has its own.
const OWN_SUMS: usize = 1 << 18;

/// Most segments with sums of their own.
const SEGMENTS: usize = 32;

/// Weighted sums of the rows of each cluster, and of the weights.
pub(crate) struct Sums {
    /// `[K, D]`
    pub(crate) points: Vec<f64>,
    /// `[K]`
    pub(crate) weights: Vec<f64>,
}

impl Sums {
    fn zeros(clusters: usize, features: usize) -> Self {
        Self { points: vec![0.0; clusters * features], weights: vec![0.0; clusters] }
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
/// data where the sums are small; where they are not, a second one that goes
/// from cluster to cluster, so that a sum stays in cache.
pub(crate) fn assign_and_sum<T: Real>(
    rows: Rows<'_, T>,
    weights: &[T],
    scorer: &Scorer<T>,
    labels: &mut [i32],
) -> Sums {
    let (clusters, features) = (scorer.clusters(), scorer.features());
    if clusters * features * size_of::<f64>() > OWN_SUMS {
        nearest(rows, scorer, labels, &mut []);
        return sums_by_cluster(rows, weights, labels, clusters);
    }
    let segment = rows.len().div_ceil(SEGMENTS).max(1);
    let parts: Vec<Sums> = labels
        .par_chunks_mut(segment)
        .enumerate()
        .map(|(s, labels)| {
            let mut sums = Sums::zeros(clusters, features);
            let mut scratch = Scratch::default();
            let mut row = s * segment;
            nearest_in_order(rows, scorer, row, labels, &mut [], &mut scratch, |x, labels| {
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
    let mut total = Sums::zeros(clusters, features);
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
    sums: &'a mut Sums,
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
fn add_scaled<T: Real>(sums: &mut [f64], row: &[T], weight: f64) {
    for (sum, &value) in sums.iter_mut().zip(row) {
        let value: f64 = value.into();
        *sum += weight * value;
    }
}

/// Rows of one cluster that one task adds up.
const MEMBERS: usize = 1 << 12;

/// The sums of one cluster after the other, from a list of its rows: no thread
/// needs sums of its own for all of them.
fn sums_by_cluster<T: Real>(
    rows: Rows<'_, T>,
    weights: &[T],
    labels: &[i32],
    clusters: usize,
) -> Sums {
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
    let mut tasks = Vec::new();
    let mut first = 0;
    for (cluster, &end) in ends.iter().enumerate() {
        tasks.extend(members[first..end].chunks(MEMBERS).map(|members| (cluster, members)));
        first = end;
    }
    let parts: Vec<(Vec<f64>, f64)> = tasks
        .par_iter()
        .with_min_len(8)
        .map(|(_, members)| {
            let mut sums = vec![0.0; features];
            let arch = pulp::Arch::new();
            let weight = arch.dispatch(AddMembers { rows, weights, members, sums: &mut sums });
            (sums, weight)
        })
        .collect();
    let mut total = Sums::zeros(clusters, features);
    for ((cluster, _), (part, weight)) in tasks.iter().zip(&parts) {
        let sums = &mut total.points[cluster * features..(cluster + 1) * features];
        for (sum, part) in sums.iter_mut().zip(part) {
            *sum += part;
        }
        total.weights[*cluster] += weight;
    }
    total
}

/// Adds up the listed rows, and gives the sum of their weights.
struct AddMembers<'a, T> {
    rows: Rows<'a, T>,
    weights: &'a [T],
    members: &'a [usize],
    sums: &'a mut [f64],
}

impl<T: Real> WithSimd for AddMembers<'_, T> {
    type Output = f64;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        let Rows { x, center, features } = self.rows;
        let mut total = 0.0;
        for &row in self.members {
            let weight: f64 = self.weights[row].into();
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
