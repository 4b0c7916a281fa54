use std::collections::HashSet;

use burn::tensor::{Tensor, backend::Backend};

use crate::cluster::kernel_kmeans::by_cluster;
use crate::cluster::{KMeansConfig, seeding};
use crate::error::Result;
use crate::{kernel, transfer};

/// What stands for the clusters of a labelled partition.
pub(super) struct Supports<B: Backend> {
    /// Cluster after cluster, `[M, D]`.
    pub(super) table: Tensor<B, 2>,
    /// How many every cluster has.
    pub(super) sizes: Vec<usize>,
    /// The row of x that every support is; none where they are prototypes.
    pub(super) rows: Option<Vec<usize>>,
}

/// All members of every cluster, or at most so many prototypes: the centroids
/// of k-means fitted to the members, or all members of a cluster that has no
/// more distinct ones.
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
) -> Result<Supports<B>> {
    let device = x.device();
    let order = by_cluster(labels);
    let rows_of = |rows: &[usize]| x.clone().select(0, transfer::upload_indices(rows, &device));
    let Some(prototypes) = prototypes else {
        return Ok(Supports { table: rows_of(&order), sizes: sizes.to_vec(), rows: Some(order) });
    };
    let (mut tables, mut kept) = (Vec::new(), Vec::new());
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
        kept.push(table.dims()[0]);
        tables.push(table);
    }
    Ok(Supports { table: Tensor::cat(tables, 0), sizes: kept, rows: None })
}

/// How many rows differ, counted no further than `most`.
fn distinct_up_to<B: Backend>(x: &Tensor<B, 2>, most: usize) -> usize {
    let [rows, features] = x.dims();
    let mut seen = HashSet::new();
    for range in kernel::blocks(rows, kernel::block_rows(features)) {
        let values = transfer::download(x.clone().slice([range, 0..features]));
        for row in values.chunks_exact(features) {
            seen.insert(seeding::row_bits(row));
            if seen.len() >= most {
                return most;
            }
        }
    }
    seen.len()
}
