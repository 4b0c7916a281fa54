//! A column, in all rows and in every cluster.

use crate::profile::clustered_rows::{Cells, ClusteredRows, ColumnValues};
use crate::profile::numbers::NumberProfile;
use crate::profile::shares::ShareProfile;

/// A column, in all rows and in every cluster.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ColumnProfile {
    /// Of numbers.
    Numbers(NumberProfile),
    /// A category or flag.
    Shares(ShareProfile),
}

impl ColumnProfile {
    pub(in crate::profile) fn of(data: &ClusteredRows<'_>, column: &ColumnValues<'_>) -> Self {
        match column.cells() {
            Cells::Numbers(values) => Self::Numbers(NumberProfile::of(data, column, values)),
            _ => Self::Shares(ShareProfile::of(data, column)),
        }
    }

    /// Number of cells of a cluster that were not filled.
    pub(in crate::profile) fn cells_of(&self, cluster: usize) -> usize {
        match self {
            Self::Numbers(numbers) => {
                let own = numbers.clusters.get(cluster).and_then(Option::as_ref);
                own.map_or(0, |own| own.summary.count)
            }
            Self::Shares(shares) => shares.cluster_counts.get(cluster).copied().unwrap_or(0),
        }
    }
}
