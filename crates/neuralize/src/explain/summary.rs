use burn::tensor::{IndexingUpdateOp, Int, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::explain::Explanation;
use crate::{kernel, transfer};

/// The explanations of one cluster's points, averaged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ClusterSummary {
    /// The cluster.
    pub cluster: usize,
    /// How many points were explained for it.
    pub points: usize,
    /// Mean logit; 0 without points.
    pub mean_logit: f64,
    /// Mean relevance of every feature; they sum to the mean logit.
    pub mean_relevance: Vec<f64>,
    /// Mean |R| of every feature: how much it matters, for or against.
    pub mean_magnitude: Vec<f64>,
}

/// The explanations of all points, averaged.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct GlobalSummary {
    /// How many points were explained.
    pub points: usize,
    /// Mean logit; 0 without points.
    pub mean_logit: f64,
    /// Mean relevance of every feature; they sum to the mean logit.
    pub mean_relevance: Vec<f64>,
    /// Mean |R| of every feature: how much it matters, for or against.
    pub mean_magnitude: Vec<f64>,
}

impl<B: Backend> Explanation<B> {
    /// One summary a cluster, in their order; a cluster without points has
    /// zeros.
    pub fn per_cluster(&self) -> Vec<ClusterSummary> {
        let [_, features] = self.relevance.dims();
        let [_, clusters] = self.shares.dims();
        let mut relevance = vec![0.0; clusters * features];
        let mut magnitude = relevance.clone();
        let mut logit = vec![0.0; clusters];
        // Blocks are summed on the device, and across blocks in f64.
        for range in kernel::blocks(self.len(), kernel::block_rows(clusters + features)) {
            let cluster = self.cluster.clone().slice_dim(0, range.clone());
            let rows = self.relevance.clone().slice_dim(0, range.clone());
            let own: Tensor<B, 2> = self.logit.clone().slice_dim(0, range).unsqueeze_dim(1);
            add(&mut magnitude, clusters, &cluster, rows.clone().abs());
            add(&mut relevance, clusters, &cluster, rows);
            add(&mut logit, clusters, &cluster, own);
        }
        let mut points = vec![0; clusters];
        for cluster in transfer::download_indices(self.cluster.clone()) {
            points[cluster] += 1;
        }
        (0..clusters)
            .map(|cluster| {
                let mean = |sum: &f64| sum / points[cluster].max(1) as f64;
                let row = cluster * features..(cluster + 1) * features;
                ClusterSummary {
                    cluster,
                    points: points[cluster],
                    mean_logit: mean(&logit[cluster]),
                    mean_relevance: relevance[row.clone()].iter().map(mean).collect(),
                    mean_magnitude: magnitude[row].iter().map(mean).collect(),
                }
            })
            .collect()
    }

    /// One summary of all points.
    pub fn global(&self) -> GlobalSummary {
        let clusters = self.per_cluster();
        let points: usize = clusters.iter().map(|summary| summary.points).sum();
        let mean = |of: &dyn Fn(&ClusterSummary) -> f64| {
            let sum: f64 = clusters.iter().map(|summary| of(summary) * summary.points as f64).sum();
            sum / points.max(1) as f64
        };
        let features = self.relevance.dims()[1];
        GlobalSummary {
            points,
            mean_logit: mean(&|summary| summary.mean_logit),
            mean_relevance: (0..features)
                .map(|i| mean(&|summary| summary.mean_relevance[i]))
                .collect(),
            mean_magnitude: (0..features)
                .map(|i| mean(&|summary| summary.mean_magnitude[i]))
                .collect(),
        }
    }
}

/// Adds the rows of a table to the sums of their clusters.
fn add<B: Backend>(
    sums: &mut [f64],
    clusters: usize,
    cluster: &Tensor<B, 1, Int>,
    table: Tensor<B, 2>,
) {
    let shape = [clusters, table.dims()[1]];
    let zeros: Tensor<B, 2> = transfer::zeros(shape, &table.device(), table.dtype());
    let part = zeros.select_assign(0, cluster.clone(), table, IndexingUpdateOp::Add);
    for (sum, part) in sums.iter_mut().zip(transfer::download(part)) {
        *sum += part;
    }
}
