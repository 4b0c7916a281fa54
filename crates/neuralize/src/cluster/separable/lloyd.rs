use burn::tensor::{IndexingUpdateOp, Tensor, backend::Backend};
use rayon::prelude::*;

use super::config::Moments;
use crate::cluster::config::config_error;
use crate::cluster::distance::{Scorer, centroids_inside};
use crate::cluster::{Bregman, Distance, Separable};
use crate::error::{Error, Result};
use crate::{kernel, transfer};

/// Rows, the distance between them, and what its means need.
pub(super) struct Points<'a, B: Backend> {
    /// `[N, D]`
    pub(super) x: &'a Tensor<B, 2>,
    pub(super) rule: &'a dyn Separable<B>,
    /// α; 0 where means are not arithmetic ones.
    pub(super) smoothing: f64,
    distance: Distance,
    weights: &'a Tensor<B, 1>,
    /// Mean of every feature, x̄.
    mean: Vec<f64>,
    /// Whether a feature has one value only.
    constant: Vec<bool>,
    /// The rows on the host, where means are found there.
    host: Vec<f64>,
}

/// Where the iterations came to rest.
pub(super) struct Rest<B: Backend> {
    pub(super) centroids: Tensor<B, 2>,
    /// Σ d(x, μ) + α Σ_k d(x̄, μ_k), which no iteration raises.
    pub(super) objective: f64,
    pub(super) iterations: usize,
    pub(super) converged: bool,
}

/// Lloyd's algorithm from given centroids.
///
/// Ends when no label changes, when the objective falls by at most `tol` of
/// itself, or after `max_iter` steps. A cluster that loses all its points takes
/// over one of the points farthest from their centroids.
///
/// # Errors
///
/// If sums overflow, or a mean lies where the divergence is infinite.
pub(super) fn iterate<B: Backend>(
    points: &Points<'_, B>,
    start: Tensor<B, 2>,
    max_iter: usize,
    tol: f64,
) -> Result<Rest<B>> {
    let mut scorer = points.scorer(start);
    let mut previous: Vec<usize> = Vec::new();
    let mut objective = f64::INFINITY;
    for iteration in 1..=max_iter {
        let assigned = transfer::download_indices(scorer.nearest(points.x));
        let rest = |scorer: Scorer<B>, objective, converged| Rest {
            centroids: scorer.centroids,
            objective,
            iterations: iteration,
            converged,
        };
        if assigned == previous {
            return Ok(rest(scorer, objective, true));
        }
        let mut labels = assigned.clone();
        relocate(points, &scorer, &mut labels)?;
        scorer = points.scorer(points.means(&labels, &scorer.centroids)?);
        let before = objective;
        objective = points.objective(&scorer, &labels);
        if !objective.is_finite() {
            return Err(Error::Overflow);
        }
        if before - objective <= tol * objective {
            return Ok(rest(scorer, objective, true));
        }
        if iteration == max_iter {
            return Ok(rest(scorer, objective, false));
        }
        previous = assigned;
    }
    Err(config_error("max_iter", max_iter, "at least 1"))
}

impl<'a, B: Backend> Points<'a, B> {
    pub(super) fn new(
        x: &'a Tensor<B, 2>,
        distance: Distance,
        weights: &'a Tensor<B, 1>,
        rule: &'a dyn Separable<B>,
        Moments { mean, constant, .. }: Moments,
        smoothing: f64,
    ) -> Self {
        let host = match rule.bregman() {
            Some(_) => Vec::new(),
            None => transfer::download(x.clone()),
        };
        Self { x, rule, smoothing, distance, weights, mean, constant, host }
    }

    /// Chosen rows as centroids, each the mean of a cluster of one, `[K, D]`.
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
                // What all rows share is the mean of any of them, to the last bit.
                _ if self.constant(d) => self.mean[d],
                _ => {
                    let mean = (*sum + alpha * self.mean[d]) / (size + alpha);
                    if alpha > 0.0 || bregman.smoothing() == 0.0 {
                        // Such a mean is inside; rounding may push it out.
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
                     values by this distance; smoothing above 0 keeps it away from there"
                );
                Err(config_error("smoothing", 0, &rule))
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
                self.smoothed(bregman, sums, &sizes(labels, clusters), Some(old))
            }
            None => Ok(self.means_on_host(labels, old)),
        }
    }

    /// Σ x of every cluster: block by block on the device, and in f64 across
    /// blocks.
    fn sums(&self, bregman: &dyn Bregman<B>, labels: &[usize], clusters: usize) -> Vec<f64> {
        let [rows, features] = self.x.dims();
        let (device, dtype) = (self.x.device(), self.x.dtype());
        // Around the mean where that is the same, which saves digits.
        let origin = bregman
            .moves_freely()
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
                // Where additions race, their order differs from run to run; that of a
                // product does not.

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
            for (k, size) in sizes(labels, clusters).into_iter().enumerate() {
                for (sum, origin) in sums[k * features..].iter_mut().zip(&origin) {
                    *sum += size as f64 * origin;
                }
            }
        }
        sums
    }

    /// Medians and the like, feature by feature.
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

    fn objective(&self, scorer: &Scorer<B>, labels: &[usize]) -> f64 {
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

    fn constant(&self, feature: usize) -> bool {
        self.constant[feature]
    }

    pub(super) fn row(&self, row: usize) -> Tensor<B, 2> {
        self.x.clone().narrow(0, row, 1)
    }

    fn mean(&self) -> Tensor<B, 2> {
        let shape = [1, self.mean.len()];
        transfer::upload(self.mean.clone(), shape, &self.x.device(), self.x.dtype())
    }

    fn scorer(&self, centroids: Tensor<B, 2>) -> Scorer<B> {
        Scorer::new(self.distance, centroids, self.weights)
    }
}

fn sizes(labels: &[usize], clusters: usize) -> Vec<usize> {
    let mut sizes = vec![0; clusters];
    labels.iter().for_each(|&label| sizes[label] += 1);
    sizes
}

/// Gives every empty cluster a point far from its centroid, which leaves the
/// cluster it was in. Rare, so it runs on the host. A cluster for which there
/// is no point that lowers the objective stays empty.
fn relocate<B: Backend>(
    points: &Points<'_, B>,
    scorer: &Scorer<B>,
    labels: &mut [usize],
) -> Result<()> {
    let [clusters, _] = scorer.centroids.dims();
    let mut sizes = sizes(labels, clusters);
    let empty: Vec<usize> = (0..clusters).filter(|&k| sizes[k] == 0).collect();
    if empty.is_empty() {
        return Ok(());
    }
    let assigned = transfer::upload_indices(labels, &points.x.device());
    let distances = transfer::download(scorer.own_distances(points.x, &assigned));
    let mut order: Vec<usize> = (0..distances.len()).filter(|&i| distances[i] > 0.0).collect();
    order.sort_by(|&a, &b| distances[b].total_cmp(&distances[a]).then(a.cmp(&b)));

    let mut taken: Vec<Vec<f64>> = Vec::new();
    let mut candidates = order.into_iter();
    for target in empty {
        let next = candidates.by_ref().find_map(|i| {
            let row = transfer::download(points.row(i));
            (sizes[labels[i]] > 1 && !taken.contains(&row)).then_some((i, row))
        });
        let Some((i, row)) = next else { break };
        if points.smoothing > 0.0 {
            // The new centroid is drawn to the mean, and must be worth it.
            let total = |a: Tensor<B, 2>, b: Tensor<B, 2>| {
                transfer::download(points.rule.values(a, b)).iter().sum::<f64>()
            };
            let (old, new) = (scorer.centroids.clone().narrow(0, target, 1), points.of_rows(&[i])?);
            let change = total(points.row(i), new.clone()) - distances[i]
                + points.smoothing * (total(points.mean(), new) - total(points.mean(), old));
            if change >= 0.0 {
                continue;
            }
        }
        sizes[labels[i]] -= 1;
        sizes[target] = 1;
        labels[i] = target;
        taken.push(row);
    }
    Ok(())
}
