//! Shares and v-tests of the values of a category or flag.

use crate::profile::clustered_rows::{Cells, ClusteredRows, ColumnValues};
use crate::profile::hypergeometric::Draw;
use crate::profile::v_test::VTest;

/// Maximum number of values of a category that are looked at: the most frequent of all rows.
pub const MAX_VALUES: usize = 100;

/// A category or flag, in all rows and in every cluster. Filled cells are left out; values that are
/// not in the list count as another value.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ShareProfile {
    /// Number of cells in all rows.
    pub count: usize,
    /// Number of cells in every cluster, `[K]`.
    pub cluster_counts: Vec<usize>,
    /// Of a flag `yes` alone, of a category at most [`MAX_VALUES`] values, in their order.
    pub values: Vec<ValueProfile>,
}

/// A value, in all rows and in every cluster.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ValueProfile {
    /// The number of the value in the list of the category; 1 for `yes`.
    pub value: usize,
    /// Number of cells with this value in all rows.
    pub count: usize,
    /// Their share of all cells; 0 if there are none.
    pub share: f64,
    /// Every cluster, `[K]`; `None` for one without a cell.
    pub clusters: Vec<Option<ShareOfCluster>>,
}

/// A value in a cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct ShareOfCluster {
    /// Number of cells of the cluster with this value.
    pub count: usize,
    /// Their share of the cells of the cluster.
    pub share: f64,
    /// The [`VTest`]; `None` for a value of no row or of all, and for a cluster of all rows.
    pub test: Option<VTest>,
}

impl ShareProfile {
    /// Time in proportion to the number of rows and of clusters.
    pub(in crate::profile) fn of(data: &ClusteredRows<'_>, column: &ColumnValues<'_>) -> Self {
        let kept = kept_values(data, column);
        let n_values = kept.last().map_or(0, |last| last + 1);
        let mut place = vec![None; n_values];
        for (at, value) in kept.iter().enumerate() {
            place[*value] = Some(at);
        }
        let mut cluster_counts = vec![0; data.n_clusters()];
        let mut counts = vec![vec![0; data.n_clusters()]; kept.len()];
        for (row, &cluster) in data.clusters().iter().enumerate() {
            if column.is_filled(row) {
                continue;
            }
            cluster_counts[cluster] += 1;
            let value = value_at(column, row).and_then(|value| place.get(value).copied().flatten());
            if let Some(at) = value {
                counts[at][cluster] += 1;
            }
        }
        let rows = kept.into_iter().zip(counts);
        let values = rows.map(|(value, counts)| ValueProfile::of(value, &counts, &cluster_counts));
        let values = values.collect();
        Self { count: cluster_counts.iter().sum(), cluster_counts, values }
    }
}

impl ValueProfile {
    fn of(value: usize, counts: &[usize], cluster_counts: &[usize]) -> Self {
        let (marked, rows) = (counts.iter().sum(), cluster_counts.iter().sum());
        let of_cluster = |(&count, &drawn): (&usize, &usize)| {
            let test = || VTest::of_share(&Draw { rows, marked, drawn }, count);
            let share = count as f64 / drawn as f64;
            (drawn > 0).then(|| ShareOfCluster { count, share, test: test() })
        };
        Self {
            value,
            count: marked,
            share: marked as f64 / rows.max(1) as f64,
            clusters: counts.iter().zip(cluster_counts).map(of_cluster).collect(),
        }
    }

    /// The share of a cluster minus that of all rows, in standard deviations of the indicator of the
    /// value, √(share (1 − share)); `None` for a value of no row or of all.
    pub(in crate::profile) fn difference(&self, own: &ShareOfCluster) -> Option<f64> {
        let sd = (self.share * (1.0 - self.share)).sqrt();
        (sd > 0.0).then(|| (own.share - self.share) / sd)
    }
}

/// The value of a row: the number of that of a category, 1 or 0 of a flag.
pub(in crate::profile) fn value_at(column: &ColumnValues<'_>, row: usize) -> Option<usize> {
    match column.cells() {
        Cells::Numbers(_) => None,
        Cells::Flags(flags) => Some(usize::from(flags[row])),
        Cells::Category { codes, .. } => codes[row],
    }
}

/// The values that are looked at, in their order: `yes` of a flag, none of a column of numbers.
pub(in crate::profile) fn kept_values(
    data: &ClusteredRows<'_>,
    column: &ColumnValues<'_>,
) -> Vec<usize> {
    let n_values = match column.cells() {
        Cells::Numbers(_) => return Vec::new(),
        Cells::Flags(_) => return vec![1],
        Cells::Category { values, .. } => values.len(),
    };
    if n_values <= MAX_VALUES {
        return (0..n_values).collect();
    }
    let mut counts = vec![0_usize; n_values];
    for row in (0..data.n_rows()).filter(|row| !column.is_filled(*row)) {
        if let Some(value) = value_at(column, row) {
            counts[value] += 1;
        }
    }
    let mut values: Vec<usize> = (0..n_values).collect();
    values.sort_by(|a, b| counts[*b].cmp(&counts[*a]).then(a.cmp(b)));
    values.truncate(MAX_VALUES);
    values.sort_unstable();
    values
}
