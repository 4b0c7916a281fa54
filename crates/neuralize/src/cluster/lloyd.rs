use burn::tensor::{Int, Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::kernel::{self, Affine, Scores, Totals};
use crate::transfer;

/// Rows with their weights, seen from a centre: distances do not change, and
/// f32 keeps the digits that a far origin would cost. No centred copy is made.
pub(super) struct Points<'a, B: Backend> {
    /// `[N, D]`
    pub(super) x: &'a Tensor<B, 2>,
    /// `[N]`
    pub(super) weights: &'a Tensor<B, 1>,
    /// `[1, D]`
    pub(super) center: &'a Tensor<B, 2>,
}

impl<B: Backend> Points<'_, B> {
    /// The scores of centroids `[K, D]` that are around the centre.
    pub(super) fn affine(&self, centroids: &Tensor<B, 2>) -> Affine<B> {
        Affine { center: self.center.clone(), scores: Scores::of(centroids.clone()) }
    }
}

/// Where Lloyd's iterations came to rest; the centroids are around the centre.
pub(super) struct Rest<B: Backend> {
    pub(super) centroids: Tensor<B, 2>,
    pub(super) iterations: usize,
    pub(super) converged: bool,
}

/// Lloyd's algorithm from given centroids.
///
/// Ends when no label changes, when the squared shift of the centroids is at
/// most `tolerance`, or after `max_iter` steps. A cluster that loses all its
/// points takes over one of the points farthest from their centroids.
///
/// # Shapes
///
/// - centroids: `[K, D]`, around the centre
///
/// # Errors
///
/// If sums over the data overflow.
pub(super) fn iterate<B: Backend>(
    points: &Points<'_, B>,
    mut centroids: Tensor<B, 2>,
    max_iter: usize,
    tolerance: f64,
    mut observe: impl FnMut(usize, f64),
) -> Result<Rest<B>> {
    let mut previous: Option<Tensor<B, 1, Int>> = None;
    for iteration in 1..=max_iter {
        let (labels, totals) =
            kernel::assign_and_sum(points.x, points.weights, &points.affine(&centroids));
        if previous.take().is_some_and(|previous| kernel::same_labels(&previous, &labels)) {
            return Ok(Rest { centroids, iterations: iteration, converged: true });
        }
        let moved = means(points, &labels, totals, &centroids)?;
        let shift = transfer::download((moved.clone() - centroids).square().sum())[0];
        if !shift.is_finite() {
            return Err(Error::Overflow);
        }
        centroids = moved;
        observe(iteration, shift);
        if shift <= tolerance {
            return Ok(Rest { centroids, iterations: iteration, converged: true });
        }
        previous = Some(labels);
    }
    Ok(Rest { centroids, iterations: max_iter, converged: false })
}

/// The mean of every cluster from sums over parts of the data; a cluster
/// without points takes over one of the points of the sample that are farthest
/// from their centroids.
pub(super) fn means_of_parts<B: Backend>(
    sample: &Points<'_, B>,
    centroids: &Tensor<B, 2>,
    sums: &[f64],
    counts: &[f64],
) -> Tensor<B, 2> {
    let [clusters, features] = centroids.dims();
    let mut means: Vec<f64> =
        (0..sums.len()).map(|index| sums[index] / counts[index / features]).collect();
    let empty: Vec<usize> = (0..clusters).filter(|&k| counts[k] <= 0.0).collect();
    if !empty.is_empty() {
        let Points { x, center, .. } = *sample;
        let labels = kernel::nearest(x, &sample.affine(centroids));
        let distances =
            transfer::download(kernel::own_distances(x, Some(center), centroids, &labels));
        let mut order: Vec<usize> = (0..distances.len()).collect();
        order.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]).then(a.cmp(&b)));
        let old = transfer::download(centroids.clone());
        let mut candidates = order.into_iter().filter(|&row| distances[row] > 0.0);
        for k in empty {
            let range = k * features..(k + 1) * features;
            match candidates.next() {
                Some(row) => means[range].copy_from_slice(&transfer::download(
                    x.clone().slice([row..row + 1, 0..features]) - center.clone(),
                )),
                // Every point of the sample is on a centroid: it stays where it was.
                None => means[range.clone()].copy_from_slice(&old[range]),
            }
        }
    }
    transfer::upload(means, [clusters, features], &centroids.device(), centroids.dtype())
}

/// The mean of every cluster.
fn means<B: Backend>(
    points: &Points<'_, B>,
    labels: &Tensor<B, 1, Int>,
    totals: Totals<B>,
    centroids: &Tensor<B, 2>,
) -> Result<Tensor<B, 2>> {
    let cluster_weights = transfer::download(totals.weights.clone());
    if cluster_weights.iter().any(|weight| !weight.is_finite()) {
        return Err(Error::Overflow);
    }
    let empty: Vec<usize> =
        (0..cluster_weights.len()).filter(|&k| cluster_weights[k] <= 0.0).collect();
    Ok(if empty.is_empty() {
        totals.sums / totals.weights.unsqueeze_dim(1)
    } else {
        relocate(points, labels, totals, centroids, &empty)
    })
}

/// The means, with every empty cluster moved to a point far from its centroid,
/// which leaves the cluster it was in (as scikit-learn does). Rare, so it runs
/// on the host. A cluster for which no point is left stays where it was.
fn relocate<B: Backend>(
    points: &Points<'_, B>,
    labels: &Tensor<B, 1, Int>,
    totals: Totals<B>,
    centroids: &Tensor<B, 2>,
    empty: &[usize],
) -> Tensor<B, 2> {
    let [clusters, features] = centroids.dims();
    let Points { x, weights, center } = *points;
    let distances = transfer::download(kernel::own_distances(x, Some(center), centroids, labels));
    let point_weights = transfer::download(weights.clone());
    let labels = transfer::download_indices(labels.clone());
    let mut sums = transfer::download(totals.sums);
    let mut cluster_weights = transfer::download(totals.weights);
    let mut members = vec![0usize; clusters];
    for (&label, &weight) in labels.iter().zip(&point_weights) {
        members[label] += usize::from(weight > 0.0);
    }

    let mut order: Vec<usize> =
        (0..distances.len()).filter(|&i| distances[i] > 0.0 && point_weights[i] > 0.0).collect();
    order.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]).then(a.cmp(&b)));

    let mut taken: Vec<Vec<f64>> = Vec::new();
    let mut candidates = order.into_iter();
    for &target in empty {
        let next = candidates.by_ref().find_map(|i| {
            if members[labels[i]] < 2 {
                return None;
            }
            let row = transfer::download(x.clone().slice([i..i + 1, 0..features]) - center.clone());
            (!taken.contains(&row)).then_some((i, row))
        });
        let Some((i, row)) = next else { break };
        let (donor, weight) = (labels[i], point_weights[i]);
        members[donor] -= 1;
        cluster_weights[donor] -= weight;
        cluster_weights[target] = weight;
        for (d, value) in row.iter().enumerate() {
            sums[donor * features + d] -= weight * value;
            sums[target * features + d] = weight * value;
        }
        taken.push(row);
    }

    let old = transfer::download(centroids.clone());
    let means = (0..clusters * features)
        .map(|index| match cluster_weights[index / features] {
            weight if weight > 0.0 => sums[index] / weight,
            _ => old[index],
        })
        .collect();
    transfer::upload(means, [clusters, features], &x.device(), x.dtype())
}
