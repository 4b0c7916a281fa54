//! The cells of a column in few bins, so that all thresholds are tried in one pass.

use crate::profile::clustered_rows::{Cells, ClusteredRows, ColumnValues};
use crate::profile::rule::condition::Test;
use crate::profile::rule::sample::Sample;
use crate::profile::shares::{kept_values, value_at};

/// Maximum number of thresholds of a column.
const MAX_THRESHOLDS: usize = 64;

/// The bin of filled cells.
const FILLED: u8 = u8::MAX;

/// A column of the sample in bins.
#[derive(Debug)]
pub(super) struct Bins {
    pub(super) kind: Kind,
    /// The bin of every row of the sample; 255 for a filled cell.
    pub(super) codes: Vec<u8>,
}

/// What the bins are.
#[derive(Debug)]
pub(super) enum Kind {
    /// The numbers up to the first threshold, up to the second, …, and above the last.
    Numbers(Vec<f64>),
    /// The cells with the first of these values, the second, …, and with others. Whether `≠` is a
    /// condition of its own.
    Values { values: Vec<usize>, has_not: bool },
}

impl Bins {
    pub(super) fn of(data: &ClusteredRows<'_>, column: &ColumnValues<'_>, sample: &Sample) -> Self {
        match column.cells() {
            Cells::Numbers(values) => Self::of_numbers(column, values, sample),
            Cells::Flags(_) => Self::of_values(column, vec![0, 1], false, sample),
            Cells::Category { .. } => {
                Self::of_values(column, kept_values(data, column), true, sample)
            }
        }
    }

    fn of_numbers(column: &ColumnValues<'_>, values: &[f64], sample: &Sample) -> Self {
        let taken = sample.rows.iter().filter(|row| !column.is_filled(**row));
        let mut sorted: Vec<f64> = taken.map(|row| values[*row]).collect();
        sorted.sort_unstable_by(f64::total_cmp);
        let thresholds = thresholds(&sorted);
        let code = |row: &usize| {
            if column.is_filled(*row) {
                return FILLED;
            }
            thresholds.partition_point(|threshold| *threshold < values[*row]) as u8
        };
        Self { codes: sample.rows.iter().map(code).collect(), kind: Kind::Numbers(thresholds) }
    }

    fn of_values(
        column: &ColumnValues<'_>,
        values: Vec<usize>,
        has_not: bool,
        sample: &Sample,
    ) -> Self {
        let code = |row: &usize| {
            if column.is_filled(*row) {
                return FILLED;
            }
            let at = value_at(column, *row).and_then(|value| values.binary_search(&value).ok());
            at.unwrap_or(values.len()) as u8
        };
        let codes = sample.rows.iter().map(code).collect();
        Self { codes, kind: Kind::Values { values, has_not } }
    }

    /// Number of bins, that of filled cells apart.
    pub(super) fn count(&self) -> usize {
        match &self.kind {
            Kind::Numbers(thresholds) => thresholds.len() + 1,
            Kind::Values { values, .. } => values.len() + 1,
        }
    }

    /// The conditions that end with a bin: at most and above, or is and is not.
    pub(super) fn tests(&self, at: usize) -> [Option<Test>; 2] {
        match &self.kind {
            Kind::Numbers(thresholds) => {
                let threshold = thresholds.get(at).copied();
                [threshold.map(Test::AtMost), threshold.map(Test::Above)]
            }
            Kind::Values { values, has_not } => {
                let value = values.get(at).copied();
                [value.map(Test::Is), value.filter(|_| *has_not).map(Test::IsNot)]
            }
        }
    }
}

/// Every number but the largest of sorted ones, once; of many those at quantiles.
fn thresholds(sorted: &[f64]) -> Vec<f64> {
    let all = sorted.windows(2).filter(|pair| pair[0] < pair[1]).map(|pair| pair[0]);
    if all.clone().nth(MAX_THRESHOLDS).is_none() {
        return all.collect();
    }
    let largest = sorted.last().copied();
    let quantile = |part: usize| sorted[sorted.len() * part / (MAX_THRESHOLDS + 1)];
    let mut thresholds: Vec<f64> = (1..=MAX_THRESHOLDS).map(quantile).collect();
    thresholds.dedup();
    thresholds.retain(|threshold| Some(*threshold) < largest);
    thresholds
}
