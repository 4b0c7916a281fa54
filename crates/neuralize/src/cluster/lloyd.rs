//! Lloyd's algorithm for k-means.

use std::ops::ControlFlow;

use burn::tensor::{Int, Tensor, backend::Backend};

use super::empty::{Relocation, farthest_first};
use super::momentum::Momentum;
use super::solution::Solution;
use crate::error::{Error, Result};
use crate::kernel::{self, Affine, Scores, Totals};
use crate::transfer;

/// Rows with their weights, relative to a centre: distances do not change, and
/// f32 keeps the digits that a far origin would cost. No centred copy is made.
pub(super) struct WeightedPoints<'a, B: Backend> {
    /// `[N, D]`
    pub(super) x: &'a Tensor<B, 2>,
    /// `[N]`
    pub(super) weights: &'a Tensor<B, 1>,
    /// `[1, D]`
    pub(super) center: &'a Tensor<B, 2>,
}

impl<B: Backend> WeightedPoints<'_, B> {
    /// The scores of centroids `[K, D]` relative to the centre.
    pub(super) fn affine(&self, centroids: &Tensor<B, 2>) -> Affine<B> {
        Affine::new(self.center.clone(), Scores::of(centroids.clone()))
    }

    /// A row relative to the centre.
    fn row(&self, row: usize) -> Vec<f64> {
        let features = self.x.dims()[1];
        let values = self.x.clone().slice([row..row + 1, 0..features]);
        transfer::download(values - self.center.clone())
    }

    /// Squared distances to the assigned centroids, which are relative to the
    /// centre.
    fn own_distances(&self, centroids: &Tensor<B, 2>, labels: &Tensor<B, 1, Int>) -> Vec<f64> {
        transfer::download(kernel::own_distances(self.x, Some(self.center), centroids, labels))
    }
}

/// How many iterations there are, and how they follow each other.
pub(super) struct Schedule {
    pub(super) max_iter: usize,
    /// The squared shift of all centroids at which iterations end.
    pub(super) tolerance: f64,
    pub(super) momentum: bool,
}

/// Lloyd's algorithm from given centroids, with momentum or without.
///
/// Ends when no label changes, when the means are at most the tolerance away from the centroids, after the
/// last iteration, or when `observe` breaks off. A cluster that loses all its
/// points takes over one of the points farthest from their centroids.
///
/// # Shapes
///
/// - centroids: `[K, D]`, relative to the centre
///
/// # Errors
///
/// If sums over the data overflow.
pub(super) fn iterate<B: Backend>(
    points: &WeightedPoints<'_, B>,
    start: Tensor<B, 2>,
    schedule: &Schedule,
    mut observe: impl FnMut(usize, f64) -> ControlFlow<()>,
) -> Result<Solution<Tensor<B, 2>>> {
    let mut run = kernel::Lloyd::new(points.x, points.weights, points.center);
    let mut momentum = Momentum::new(schedule.momentum);
    // What the rows are assigned to: the means, or beyond them.
    let (mut centroids, mut means) = (start.clone(), start);
    let mut is_at_means = true;
    for iterations in 1..=schedule.max_iter {
        let (totals, changed) = run.step(Scores::of(centroids.clone()));
        if !changed && is_at_means {
            return Ok(Solution { parameters: means, iterations, converged: true });
        }
        let jumped;
        (means, jumped) = self::means(points, &run, totals, &centroids)?;
        if jumped || !changed {
            momentum.rest();
        }
        let next = momentum.next(&means, centroids)?;
        let is_stopped = observe(iterations, next.shift).is_break();
        let converged = next.shift <= schedule.tolerance;
        if converged || is_stopped {
            return Ok(Solution { parameters: means, iterations, converged });
        }
        (centroids, is_at_means) = (next.centroids, next.is_at_means);
    }
    Ok(Solution { parameters: means, iterations: schedule.max_iter, converged: false })
}

/// The nearest centroid of every row and, for two or more centroids, its logit.
pub(super) fn nearest_with_logit<B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
) -> (Tensor<B, 1, Int>, Option<Tensor<B, 1>>) {
    if affine.clusters() < 2 {
        return (kernel::nearest(x, affine), None);
    }
    let (labels, logits) = kernel::nearest_with_logit(x, affine);
    (labels, Some(logits))
}

/// The mean of every cluster, from sums over parts of the data. An empty cluster
/// takes over one of the points of the sample farthest from their centroids; whether one did is returned.
pub(super) fn means_of_parts<B: Backend>(
    sample: &WeightedPoints<'_, B>,
    centroids: &Tensor<B, 2>,
    sums: &[f64],
    counts: &[f64],
) -> (Tensor<B, 2>, bool) {
    let [clusters, features] = centroids.dims();
    let mut means: Vec<f64> =
        (0..sums.len()).map(|index| sums[index] / counts[index / features]).collect();
    let empty = without_weight(counts);
    if !empty.is_empty() {
        let labels = kernel::nearest(sample.x, &sample.affine(centroids));
        let distances = sample.own_distances(centroids, &labels);
        let old = transfer::download(centroids.clone());
        let weights = transfer::download(sample.weights.clone());
        let can_move = |row: usize| distances[row] > 0.0 && weights[row] > 0.0;
        let mut rows = farthest_first(&distances, can_move);
        for &k in &empty {
            let range = k * features..(k + 1) * features;
            match rows.next() {
                Some(row) => means[range].copy_from_slice(&sample.row(row)),
                // Every point of the sample is on a centroid: this one stays.
                None => means[range.clone()].copy_from_slice(&old[range]),
            }
        }
    }
    let means =
        transfer::upload(means, [clusters, features], &centroids.device(), centroids.dtype());
    (means, !empty.is_empty())
}

fn without_weight(weights: &[f64]) -> Vec<usize> {
    (0..weights.len()).filter(|&k| weights[k] <= 0.0).collect()
}

/// The mean of every cluster, and whether one that was empty took over a point.
fn means<B: Backend>(
    points: &WeightedPoints<'_, B>,
    run: &kernel::Lloyd<'_, B>,
    totals: Totals<B>,
    centroids: &Tensor<B, 2>,
) -> Result<(Tensor<B, 2>, bool)> {
    let cluster_weights = transfer::download(totals.weights.clone());
    if cluster_weights.iter().any(|weight| !weight.is_finite()) {
        return Err(Error::Overflow);
    }
    let empty = without_weight(&cluster_weights);
    if !empty.is_empty()
        && let Some(labels) = run.labels()
    {
        return Ok((relocate(points, &labels, totals, centroids, &empty), true));
    }
    Ok((totals.sums / totals.weights.unsqueeze_dim(1), false))
}

/// The means, with every empty cluster moved to a point far from its centroid,
/// which leaves its cluster. A cluster for which no point is left stays where it
/// was.
fn relocate<B: Backend>(
    points: &WeightedPoints<'_, B>,
    labels: &Tensor<B, 1, Int>,
    totals: Totals<B>,
    centroids: &Tensor<B, 2>,
    empty: &[usize],
) -> Tensor<B, 2> {
    let [clusters, features] = centroids.dims();
    let distances = points.own_distances(centroids, labels);
    let weights = transfer::download(points.weights.clone());
    let mut labels = transfer::download_indices(labels.clone());
    let mut sums = transfer::download(totals.sums);
    let mut cluster_weights = transfer::download(totals.weights);
    let mut members = vec![0usize; clusters];
    for (&label, &weight) in labels.iter().zip(&weights) {
        members[label] += usize::from(weight > 0.0);
    }

    let rows = farthest_first(&distances, |row| distances[row] > 0.0 && weights[row] > 0.0);
    let mut relocation = Relocation::new(rows, &mut labels, members);
    let mut taken: Vec<Vec<f64>> = Vec::new();
    for &target in empty {
        let next = relocation.next(|row| {
            let values = points.row(row);
            (!taken.contains(&values)).then_some(values)
        });
        let Some((row, values)) = next else { break };
        let (donor, weight) = (relocation.assign(row, target), weights[row]);
        cluster_weights[donor] -= weight;
        cluster_weights[target] = weight;
        for (d, value) in values.iter().enumerate() {
            sums[donor * features + d] -= weight * value;
            sums[target * features + d] = weight * value;
        }
        taken.push(values);
    }

    let old = transfer::download(centroids.clone());
    let means = (0..clusters * features)
        .map(|index| match cluster_weights[index / features] {
            weight if weight > 0.0 => sums[index] / weight,
            _ => old[index],
        })
        .collect();
    transfer::upload(means, [clusters, features], &points.x.device(), points.x.dtype())
}
