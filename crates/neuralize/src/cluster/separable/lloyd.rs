//! Lloyd's algorithm for a distance that is a sum over features.

use burn::tensor::{IndexingUpdateOp, Tensor, backend::Backend};
use rayon::prelude::*;

use super::spread::Spread;
use crate::cluster::distance::{Bregman, CentroidScorer, Distance, Separable, centroids_inside};
use crate::cluster::empty::{Relocation, empty_clusters, farthest_first};
use crate::cluster::partition;
use crate::cluster::solution::Solution;
use crate::error::{Error, Result};
use crate::{kernel, transfer};

/// Rows, the distance, and what the means of clusters need.
pub(super) struct Problem<'a, B: Backend> {
    /// `[N, D]`
    pub(super) x: &'a Tensor<B, 2>,
    pub(super) rule: &'a dyn Separable<B>,
    /// α; 0 for distances whose means are not arithmetic.
    pub(super) smoothing: f64,
    distance: Distance,
    weights: &'a Tensor<B, 1>,
    /// Mean of every feature, x̄.
    mean: Vec<f64>,
    /// Whether a feature has one value only.
    constant: Vec<bool>,
    /// The rows on the host, if means are found there.
    host: Vec<f64>,
}

/// Lloyd's algorithm from given centroids.
///
/// The objective is `Σ d(x, μ) + α Σ_k d(x̄, μ_k)`, which no iteration raises.
/// Ends when no label changes, when the objective falls by at most `tol` times
/// itself, or after `max_iter` iterations. A cluster that loses all its points
/// takes over one of the points farthest from their centroids.
///
/// # Errors
///
/// If sums overflow, or a mean lies where the divergence is infinite.
pub(super) fn iterate<B: Backend>(
    problem: &Problem<'_, B>,
    start: Tensor<B, 2>,
    max_iter: usize,
    tol: f64,
) -> Result<(f64, Solution<Tensor<B, 2>>)> {
    let mut scorer = problem.scorer(start);
    let mut previous: Vec<usize> = Vec::new();
    let mut objective = f64::INFINITY;
    for iterations in 1..=max_iter {
        let assigned = transfer::download_indices(scorer.nearest(problem.x));
        let mut converged = assigned == previous;
        if !converged {
            let mut labels = assigned.clone();
            relocate(problem, &scorer, &mut labels)?;
            scorer = problem.scorer(problem.means(&labels, &scorer.centroids)?);
            let before = objective;
            objective = problem.objective(&scorer, &labels);
            if !objective.is_finite() {
                return Err(Error::Overflow);
            }
            converged = before - objective <= tol * objective;
        }
        if converged || iterations == max_iter {
            let parameters = scorer.centroids;
            return Ok((objective, Solution { parameters, iterations, converged }));
        }
        previous = assigned;
    }
    Err(Error::config("max_iter", max_iter, "it must be at least 1"))
}

impl<'a, B: Backend> Problem<'a, B> {
    pub(super) fn new(
        x: &'a Tensor<B, 2>,
        distance: Distance,
        weights: &'a Tensor<B, 1>,
        rule: &'a dyn Separable<B>,
        Spread { mean, constant, .. }: Spread,
        smoothing: f64,
    ) -> Self {
        let host = match rule.bregman() {
            Some(_) => Vec::new(),
            None => transfer::download(x.clone()),
        };
        Self { x, rule, smoothing, distance, weights, mean, constant, host }
    }

    /// The centroids of clusters of one chosen row each, `[K, D]`.
    pub(super) fn of_rows(&self, chosen: &[usize]) -> Result<Tensor<B, 2>> {
        let rows = self.x.clone().select(0, transfer::upload_indices(chosen, &self.x.device()));
        match self.rule.bregman() {
            None => Ok(rows),
            Some(bregman) => {
                let sums = transfer::download(rows);
                self.smoothed(bregman, sums, &vec![1; chosen.len()], None)
            }
        }
    }

    /// `(Σ x + α x̄) / (n + α)` of every cluster; an empty one stays where it was.
    fn smoothed(
        &self,
        bregman: &dyn Bregman<B>,
        mut sums: Vec<f64>,
        sizes: &[usize],
        old: Option<&Tensor<B, 2>>,
    ) -> Result<Tensor<B, 2>> {
        let (features, alpha) = (self.mean.len(), self.smoothing);
        let interior = bregman.interior(self.x.dtype(), features);
        let old = old.map(|old| transfer::download(old.clone()));
        for (index, sum) in sums.iter_mut().enumerate() {
            let (k, d) = (index / features, index % features);
            let size = sizes[k] as f64;
            *sum = match &old {
                Some(old) if sizes[k] == 0 => old[index],
                // The mean of equal values is that value, to the last bit.
                _ if self.constant[d] => self.mean[d],
                _ => {
                    let mean = (*sum + alpha * self.mean[d]) / (size + alpha);
                    if alpha > 0.0 || bregman.smoothing() == 0.0 {
                        // Such a mean is inside the domain, but may round out of it.
                        mean.clamp(interior.lowest, interior.highest)
                    } else {
                        mean
                    }
                }
            };
        }
        let centroids =
            transfer::upload(sums, [sizes.len(), features], &self.x.device(), self.x.dtype());
        match centroids_inside("the table of centroids", self.rule, &centroids) {
            Err(Error::Domain { row, column, value, .. }) if alpha == 0.0 => {
                let rule = format!(
                    "the mean of cluster {row} in column {column} would be {value}, infinitely far from all other \
                     values by this distance; use a smoothing above 0"
                );
                Err(Error::config("smoothing", 0, &rule))
            }
            Err(error) => Err(error),
            Ok(()) => Ok(centroids),
        }
    }

    /// The mean of every cluster, `[K, D]`; an empty one stays where it was.
    fn means(&self, labels: &[usize], old: &Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        let [clusters, _] = old.dims();
        match self.rule.bregman() {
            Some(bregman) => {
                let sums = self.sums(bregman, labels, clusters);
                self.smoothed(bregman, sums, &partition::sizes(labels, clusters), Some(old))
            }
            None => Ok(self.means_on_host(labels, old)),
        }
    }

    /// Σ x of every cluster: within a block on the device, across blocks in f64.
    fn sums(&self, bregman: &dyn Bregman<B>, labels: &[usize], clusters: usize) -> Vec<f64> {
        let [rows, features] = self.x.dims();
        let (device, dtype) = (self.x.device(), self.x.dtype());
        // Relative to the mean, if the distance allows it, which saves digits.
        let origin = bregman
            .is_translation_invariant()
            .then(|| transfer::upload::<B, 2>(self.mean.clone(), [1, features], &device, dtype));
        let mut sums = vec![0.0; clusters * features];
        for range in kernel::blocks(rows, kernel::block_rows(clusters + features)) {
            let block = self.x.clone().slice([range.clone(), 0..features]);
            let block = match &origin {
                Some(origin) => block - origin.clone(),
                None => block,
            };
            let labels = transfer::upload_indices::<B>(&labels[range.clone()], &device);
            let part = if kernel::in_host_memory(&block) {
                transfer::zeros::<B, 2>([clusters, features], &device, dtype).select_assign(
                    0,
                    labels,
                    block,
                    IndexingUpdateOp::Add,
                )
            } else {
                // Parallel additions have another order in every run, a product has
                // not.
                let own = kernel::is_own(labels.unsqueeze_dim(1), clusters);
                transfer::zeros::<B, 2>([range.len(), clusters], &device, dtype)
                    .mask_fill(own, 1.0)
                    .transpose()
                    .matmul(block)
            };
            sums.iter_mut().zip(transfer::download(part)).for_each(|(sum, part)| *sum += part);
        }
        if let Some(origin) = origin {
            // What was subtracted is the mean as the precision holds it.
            let origin = transfer::download(origin);
            for (k, size) in partition::sizes(labels, clusters).into_iter().enumerate() {
                for (sum, origin) in sums[k * features..].iter_mut().zip(&origin) {
                    *sum += size as f64 * origin;
                }
            }
        }
        sums
    }

    /// Medians and other means that need a search, feature by feature.
    fn means_on_host(&self, labels: &[usize], old: &Tensor<B, 2>) -> Tensor<B, 2> {
        let [clusters, features] = old.dims();
        let mut members = vec![Vec::new(); clusters];
        for (row, &label) in labels.iter().enumerate() {
            members[label].push(row);
        }
        let (rule, host) = (self.rule, &self.host);
        let mut means = transfer::download(old.clone());
        let mean = |index: usize| {
            let (k, d) = (index / features, index % features);
            let mut values: Vec<f64> =
                members[k].iter().map(|row| host[row * features + d]).collect();
            (!values.is_empty()).then(|| rule.mean(&mut values))
        };
        let found: Vec<Option<f64>> = (0..clusters * features).into_par_iter().map(mean).collect();
        for (value, found) in means.iter_mut().zip(found) {
            *value = found.unwrap_or(*value);
        }
        transfer::upload(means, [clusters, features], &old.device(), old.dtype())
    }

    fn objective(&self, scorer: &CentroidScorer<B>, labels: &[usize]) -> f64 {
        let labels = transfer::upload_indices(labels, &self.x.device());
        let inertia = kernel::sum(scorer.own_distances(self.x, &labels));
        if self.smoothing > 0.0 {
            let spread = transfer::download(
                self.rule
                    .values(scorer.centroids.zeros_like() + self.mean(), scorer.centroids.clone()),
            );
            inertia + self.smoothing * spread.iter().sum::<f64>()
        } else {
            inertia
        }
    }

    pub(super) fn row(&self, row: usize) -> Tensor<B, 2> {
        self.x.clone().narrow(0, row, 1)
    }

    fn mean(&self) -> Tensor<B, 2> {
        let shape = [1, self.mean.len()];
        transfer::upload(self.mean.clone(), shape, &self.x.device(), self.x.dtype())
    }

    fn scorer(&self, centroids: Tensor<B, 2>) -> CentroidScorer<B> {
        CentroidScorer::new(self.distance, centroids, self.weights)
    }
}

/// Gives every empty cluster a point far from its centroid, which leaves its
/// cluster. A cluster for which no point lowers the objective stays empty.
fn relocate<B: Backend>(
    problem: &Problem<'_, B>,
    scorer: &CentroidScorer<B>,
    labels: &mut [usize],
) -> Result<()> {
    let members = partition::sizes(labels, scorer.centroids.dims()[0]);
    let empty = empty_clusters(&members);
    if empty.is_empty() {
        return Ok(());
    }
    let assigned = transfer::upload_indices(labels, &problem.x.device());
    let distances = transfer::download(scorer.own_distances(problem.x, &assigned));
    let rows = farthest_first(&distances, |row| distances[row] > 0.0);
    let mut relocation = Relocation::new(rows, labels, members);
    let mut taken: Vec<Vec<f64>> = Vec::new();
    for target in empty {
        let next = relocation.next(|row| {
            let values = transfer::download(problem.row(row));
            (!taken.contains(&values)).then_some(values)
        });
        let Some((row, values)) = next else { break };
        if problem.smoothing > 0.0 {
            // The new centroid is drawn to the mean, and must be worth it.
            let total = |a: Tensor<B, 2>, b: Tensor<B, 2>| {
                transfer::download(problem.rule.values(a, b)).iter().sum::<f64>()
            };
            let old = scorer.centroids.clone().narrow(0, target, 1);
            let new = problem.of_rows(&[row])?;
            let change = total(problem.row(row), new.clone()) - distances[row]
                + problem.smoothing * (total(problem.mean(), new) - total(problem.mean(), old));
            if change >= 0.0 {
                continue;
            }
        }
        relocation.assign(row, target);
        taken.push(values);
    }
    Ok(())
}
