//! Cluster numbers of rows: how many rows every cluster has, and in which order.

use crate::error::{Error, Result};

/// Rows in each of K clusters.
pub(super) fn sizes(labels: &[usize], clusters: usize) -> Vec<usize> {
    let mut sizes = vec![0; clusters];
    labels.iter().for_each(|&label| sizes[label] += 1);
    sizes
}

/// Rows in every cluster of a partition that was found elsewhere.
///
/// # Errors
///
/// If there is no row, or no row has one of the numbers below the largest.
pub(super) fn checked_sizes(labels: &[usize]) -> Result<Vec<usize>> {
    let Some(&largest) = labels.iter().max() else {
        return Err(Error::Empty { what: "the list of cluster numbers" });
    };
    // A number above the count of labels leaves one below it unused, which is
    // found without a table of that length.
    let mut sizes = vec![0; largest.saturating_add(1).min(labels.len() + 1)];
    for &label in labels {
        if let Some(size) = sizes.get_mut(label) {
            *size += 1;
        }
    }
    match sizes.iter().position(|size| *size == 0) {
        None => Ok(sizes),
        Some(missing) => Err(Error::config(
            "labels",
            format!("numbers up to {largest} without {missing}"),
            "clusters are numbered from 0, and every number up to the largest must have at least one member",
        )),
    }
}

/// 1 / size of its cluster for every row, `[N, K]`: a table times these is the
/// mean over every cluster.
pub(super) fn memberships(labels: &[usize], clusters: usize) -> Vec<f64> {
    let sizes = sizes(labels, clusters);
    let mut table = vec![0.0; labels.len() * clusters];
    for (row, &label) in table.chunks_exact_mut(clusters).zip(labels) {
        row[label] = 1.0 / sizes[label] as f64;
    }
    table
}

/// The rows cluster by cluster, in their order within each.
pub(super) fn by_cluster(labels: &[usize]) -> Vec<usize> {
    let mut order: Vec<usize> = (0..labels.len()).collect();
    order.sort_by_key(|row| labels[*row]);
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn missing_numbers_are_found() {
        assert_eq!(checked_sizes(&[1, 0, 1]).ok(), Some(vec![1, 2]));
        for labels in [&[][..], &[1], &[0, 2], &[0, usize::MAX], &[0, 1, 7]] {
            assert!(checked_sizes(labels).is_err(), "{labels:?}");
        }
    }
}
