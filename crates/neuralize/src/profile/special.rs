//! What is special about a cluster, the clearest first.

use crate::profile::clustered_rows::ClusteredRows;
use crate::profile::column_profile::ColumnProfile;
use crate::profile::numbers::NumberProfile;
use crate::profile::shares::ShareProfile;
use crate::profile::v_test::VTest;

/// What the p-values of a profile mean, for a footnote.
pub const REMARK: &str = "Clusters are made so that they differ: v-tests rank the columns, they do not prove that a \
     cluster exists. Sentences name columns with p times the number of tests of the cluster at most 0.05 (Bonferroni).";

/// The largest p-value, times the number of tests of the cluster, of what is listed.
pub const LEVEL: f64 = 0.05;

/// A column, or a value of one, in which a cluster differs from all rows.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Special {
    /// The column, counted from 0.
    pub column: usize,
    /// The value of a category, 1 for `yes` of a flag; `None` for a column of numbers.
    pub value: Option<usize>,
    /// How it differs.
    pub direction: Direction,
    /// The mean or share of the cluster.
    pub own: f64,
    /// The mean or share of all rows.
    pub overall: f64,
    /// `own` − `overall` in standard deviations of all rows; of a value those of its indicator,
    /// √(share (1 − share)).
    pub difference: f64,
    /// Its test.
    pub test: VTest,
}

/// How a cluster differs from all rows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Direction {
    /// Its mean is above that of all rows.
    High,
    /// Its mean is below that of all rows.
    Low,
    /// The value is more frequent than in all rows.
    Over,
    /// The value is less frequent than in all rows.
    Under,
}

/// What is special about a cluster: every column and value with p · tests ≤ [`LEVEL`], in the order
/// of |v|; equal ones in the order of the columns.
pub(in crate::profile) fn special(
    data: &ClusteredRows<'_>,
    columns: &[ColumnProfile],
    cluster: usize,
) -> Vec<Special> {
    let mut found = tested(data, columns, cluster);
    let tests = found.len() as f64;
    found.retain(|special| special.test.p * tests <= LEVEL);
    found.sort_by(|a, b| b.test.v.abs().total_cmp(&a.test.v.abs()));
    found
}

/// Every column and value that has a test, whatever it says, in their order.
pub(in crate::profile) fn tested(
    data: &ClusteredRows<'_>,
    columns: &[ColumnProfile],
    cluster: usize,
) -> Vec<Special> {
    let mut found = Vec::new();
    for (at, column) in columns.iter().enumerate().take(data.columns().len()) {
        match column {
            ColumnProfile::Numbers(numbers) => found.extend(of_numbers(at, numbers, cluster)),
            ColumnProfile::Shares(shares) => of_shares(at, shares, cluster, &mut found),
        }
    }
    found
}

fn of_numbers(column: usize, numbers: &NumberProfile, cluster: usize) -> Option<Special> {
    let own = numbers.clusters.get(cluster)?.as_ref()?;
    let (difference, test) = (own.difference?, own.test?);
    Some(Special {
        column,
        value: None,
        direction: if difference > 0.0 { Direction::High } else { Direction::Low },
        own: own.summary.mean,
        overall: numbers.all?.mean,
        difference,
        test,
    })
}

fn of_shares(column: usize, shares: &ShareProfile, cluster: usize, found: &mut Vec<Special>) {
    let of_value = |value: &crate::profile::shares::ValueProfile| {
        let own = value.clusters.get(cluster)?.as_ref()?;
        let test = own.test?;
        Some(Special {
            column,
            value: Some(value.value),
            direction: if test.v > 0.0 { Direction::Over } else { Direction::Under },
            own: own.share,
            overall: value.share,
            difference: value.difference(own)?,
            test,
        })
    };
    found.extend(shares.values.iter().filter_map(of_value));
}
