//! Lloyd's iterations in the space of the kernel.

use burn::tensor::backend::Backend;

use super::matrix::KernelMatrix;
use crate::cluster::empty::{Relocation, empty_clusters, farthest_first};
use crate::cluster::partition;
use crate::transfer;

/// A restart.
pub(super) struct Run {
    pub(super) labels: Vec<usize>,
    pub(super) inertia: f64,
    pub(super) iterations: usize,
    pub(super) converged: bool,
    finished: bool,
}

impl From<Vec<usize>> for Run {
    fn from(labels: Vec<usize>) -> Self {
        Self { labels, inertia: f64::INFINITY, iterations: 0, converged: false, finished: false }
    }
}

impl Run {
    /// One iteration, given the mean similarity of every row to every cluster,
    /// `[N, K]`. Without `moving`, it computes the inertia only.
    fn step(&mut self, means: &[f64], clusters: usize, moving: bool, tolerance: f64) {
        let sizes = partition::sizes(&self.labels, clusters);
        let mut norms = vec![0.0; clusters];
        for (row, &label) in means.chunks_exact(clusters).zip(&self.labels) {
            norms[label] += row[label] / sizes[label] as f64;
        }
        self.inertia =
            sizes.iter().zip(&norms).map(|(size, norm)| *size as f64 * (1.0 - norm)).sum();
        if !moving {
            self.finished = true;
            return;
        }
        let mut changed = false;
        let mut members = sizes.clone();
        let mut distances = Vec::with_capacity(self.labels.len());
        for (row, label) in means.chunks_exact(clusters).zip(&mut self.labels) {
            let distance = |k: usize| 1.0 - 2.0 * row[k] + norms[k];
            let mut nearest = *label;
            for k in (0..clusters).filter(|k| sizes[*k] > 0) {
                // A row does not move because of rounding.
                let kept = if nearest == *label { tolerance } else { 0.0 };
                if distance(k) < distance(nearest) - kept {
                    nearest = k;
                }
            }
            distances.push(distance(nearest));
            if nearest != *label {
                members[*label] -= 1;
                members[nearest] += 1;
                *label = nearest;
                changed = true;
            }
        }
        changed |= self.relocate(members, &distances, tolerance);
        self.iterations += 1;
        if !changed {
            self.converged = true;
            self.finished = true;
        }
    }

    /// Moves the point that is farthest from its own centroid, if there is one,
    /// to every empty cluster. Returns whether any was moved.
    fn relocate(&mut self, members: Vec<usize>, distances: &[f64], tolerance: f64) -> bool {
        let empty = empty_clusters(&members);
        if empty.is_empty() {
            return false;
        }
        let rows = farthest_first(distances, |row| distances[row] > tolerance);
        let mut relocation = Relocation::new(rows, &mut self.labels, members);
        let mut changed = false;
        for cluster in empty {
            let Some((row, ())) = relocation.next(|_| Some(())) else { break };
            relocation.assign(row, cluster);
            changed = true;
        }
        changed
    }
}

/// Kernel k-means from given labels. All restarts share the passes over the matrix.
pub(super) fn iterate<B: Backend>(
    matrix: &KernelMatrix<'_, B>,
    runs: &mut [Run],
    clusters: usize,
    max_iter: usize,
) {
    let rows = matrix.x.dims()[0];
    let tolerance = 16.0 * transfer::epsilon(matrix.x.dtype());
    for iteration in 0..=max_iter {
        let moving = iteration < max_iter;
        let mut active: Vec<&mut Run> = Vec::new();
        for run in runs.iter_mut().filter(|run| !run.finished) {
            match matrix.fused_means(&run.labels, &partition::sizes(&run.labels, clusters)) {
                Some(means) => run.step(&means, clusters, moving, tolerance),
                None => active.push(run),
            }
        }
        if active.is_empty() {
            if runs.iter().all(|run| run.finished) { return } else { continue }
        }
        let columns = active.len() * clusters;
        let mut table = vec![0.0; rows * columns];
        for (index, run) in active.iter().enumerate() {
            let memberships = partition::memberships(&run.labels, clusters);
            for (row, part) in
                table.chunks_exact_mut(columns).zip(memberships.chunks_exact(clusters))
            {
                row[index * clusters..(index + 1) * clusters].copy_from_slice(part);
            }
        }
        let products = matrix.times(table, columns);
        for (index, run) in active.iter_mut().enumerate() {
            let means: Vec<f64> = products
                .chunks_exact(columns)
                .flat_map(|row| &row[index * clusters..(index + 1) * clusters])
                .copied()
                .collect();
            run.step(&means, clusters, moving, tolerance);
        }
    }
}
