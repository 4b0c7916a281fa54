//! Supports of a labelled partition: all members, or a few prototypes of each cluster.

use std::collections::HashSet;

use burn::tensor::{Tensor, backend::Backend};

use super::config::KMeansConfig;
use super::{partition, seeding};
use crate::error::Result;
use crate::{kernel, transfer};

/// The supports of the clusters of a labelled partition.
pub(super) struct ClusterSupports<B: Backend> {
    /// Cluster after cluster, `[M, D]`.
    pub(super) table: Tensor<B, 2>,
    /// The number of supports of every cluster.
    pub(super) sizes: Vec<usize>,
    /// The row of x that every support is; `None` for prototypes.
    pub(super) rows: Option<Vec<usize>>,
}

impl<B: Backend> ClusterSupports<B> {
    /// The rows of x and the labels that a model of these supports is judged on.
    /// If every support is a row, they come in the order of the supports.
    pub(super) fn judged_points(
        &self,
        x: &Tensor<B, 2>,
        labels: &[usize],
    ) -> (Tensor<B, 2>, Vec<usize>) {
        match &self.rows {
            Some(rows) => (self.table.clone(), rows.iter().map(|row| labels[*row]).collect()),
            None => (x.clone(), labels.to_vec()),
        }
    }
}

/// All members of every cluster, or up to `prototypes` of each: the centroids of
/// k-means fitted to its members, or the members themselves if no more of them
/// differ.
///
/// # Shapes
///
/// - x: `[N, D]`, labels: N numbers, every one below K occurring
pub(super) fn of_clusters<B: Backend>(
    x: &Tensor<B, 2>,
    labels: &[usize],
    sizes: &[usize],
    prototypes: Option<usize>,
    seed: u64,
) -> Result<ClusterSupports<B>> {
    let device = x.device();
    let order = partition::by_cluster(labels);
    let rows_of = |rows: &[usize]| x.clone().select(0, transfer::upload_indices(rows, &device));
    let Some(prototypes) = prototypes else {
        return Ok(ClusterSupports {
            table: rows_of(&order),
            sizes: sizes.to_vec(),
            rows: Some(order),
        });
    };
    let (mut tables, mut counts) = (Vec::new(), Vec::new());
    let mut start = 0;
    for size in sizes {
        let members = rows_of(&order[start..start + size]);
        start += size;
        let few = *size <= prototypes || distinct_up_to(&members, prototypes + 1) <= prototypes;
        let table = if few {
            members
        } else {
            KMeansConfig::new(prototypes).with_seed(seed).fit(&members)?.model.centroids()
        };
        counts.push(table.dims()[0]);
        tables.push(table);
    }
    Ok(ClusterSupports { table: Tensor::cat(tables, 0), sizes: counts, rows: None })
}

/// The number of different rows, counted up to `limit`.
fn distinct_up_to<B: Backend>(x: &Tensor<B, 2>, limit: usize) -> usize {
    let [rows, features] = x.dims();
    let mut seen = HashSet::new();
    for range in kernel::blocks(rows, kernel::block_rows(features)) {
        let values = transfer::download(x.clone().slice([range, 0..features]));
        for row in values.chunks_exact(features) {
            seen.insert(seeding::row_bits(row));
            if seen.len() >= limit {
                return limit;
            }
        }
    }
    seen.len()
}
