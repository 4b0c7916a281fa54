//! Means, medians and v-tests of a column of numbers.

use crate::profile::clustered_rows::{ClusteredRows, ColumnValues};
use crate::profile::v_test::VTest;

/// Maximum number of cells that [`NumberOfCluster::between`] is found from.
const MAX_SORTED: usize = 20_000;

/// A column of numbers, in all rows and in every cluster. Filled cells are left out.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NumberProfile {
    /// All rows; `None` if every cell was filled.
    pub all: Option<Summary>,
    /// Every cluster, `[K]`; `None` for one without a cell.
    pub clusters: Vec<Option<NumberOfCluster>>,
}

/// Numbers in short.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Summary {
    /// Number of cells.
    pub count: usize,
    /// Their mean.
    pub mean: f64,
    /// Their median; of an even number of cells the middle between the two.
    pub median: f64,
    /// Their standard deviation, with divisor `count`.
    pub sd: f64,
}

/// A column of numbers in a cluster.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct NumberOfCluster {
    /// Its numbers in short.
    pub summary: Summary,
    /// Its mean minus that of all rows, in standard deviations of all rows; `None` for a constant
    /// column.
    pub difference: Option<f64>,
    /// Its [`VTest`]; `None` for a constant column and for a cluster of all rows.
    pub test: Option<VTest>,
    /// The share of all rows that it lies between: that below its first decile or that above its
    /// last one, whichever is smaller, 0 to 0.5. Large for a narrow cluster in the middle, which
    /// has no striking mean. Of a column of more than 20 000 cells an estimate from as many.
    pub between: f64,
}

impl NumberProfile {
    /// Time in proportion to the number of rows.
    pub(in crate::profile) fn of(
        data: &ClusteredRows<'_>,
        column: &ColumnValues<'_>,
        values: &[f64],
    ) -> Self {
        let taken = |rows: &mut dyn Iterator<Item = usize>| -> Vec<f64> {
            rows.filter(|row| !column.is_filled(*row)).map(|row| values[row]).collect()
        };
        let mut cells = taken(&mut (0..data.n_rows()));
        let sorted = sorted_part(&cells);
        let all = Summary::of(&mut cells);
        let of_cluster = |cluster| {
            let mut cells = taken(&mut data.rows_of(cluster).iter().copied());
            let summary = Summary::of(&mut cells)?;
            let between = between(&mut cells, &sorted);
            Some(NumberOfCluster::of(summary, &all?, between))
        };
        Self { all, clusters: (0..data.n_clusters()).map(of_cluster).collect() }
    }
}

impl NumberOfCluster {
    fn of(summary: Summary, all: &Summary, between: f64) -> Self {
        let difference = (summary.mean - all.mean) / all.sd;
        let difference = (all.sd > 0.0 && difference.is_finite()).then_some(difference);
        let test = difference.and_then(|d| VTest::of_mean(d, summary.count, all.count));
        Self { summary, difference, test, between }
    }
}

/// Numbers evenly spaced in the order of the rows, at most [`MAX_SORTED`], sorted.
fn sorted_part(values: &[f64]) -> Vec<f64> {
    let step = values.len().div_ceil(MAX_SORTED).max(1);
    let mut sorted: Vec<f64> = values.iter().copied().step_by(step).collect();
    sorted.sort_unstable_by(f64::total_cmp);
    sorted
}

/// The share of all numbers below the first decile of a cluster, or above the last one.
fn between(cells: &mut [f64], sorted: &[f64]) -> f64 {
    if cells.is_empty() || sorted.is_empty() {
        return 0.0;
    }
    let last = cells.len() - 1;
    let mut decile = |place| *cells.select_nth_unstable_by(place, f64::total_cmp).1;
    let (low, high) = (decile(last / 10), decile(last - last / 10));
    let below = sorted.partition_point(|value| *value < low);
    let above = sorted.len() - sorted.partition_point(|value| *value <= high);
    below.min(above) as f64 / sorted.len() as f64
}

impl Summary {
    /// Of finite numbers, which it sorts in part; `None` for none. Numbers of any size: sums are
    /// taken in parts of the largest.
    pub(in crate::profile) fn of(values: &mut [f64]) -> Option<Self> {
        let first = *values.first()?;
        let count = values.len() as f64;
        let unit = unit(values);
        // Of equal numbers the mean is exactly that number.
        let shifts: f64 = values.iter().map(|value| value / unit - first / unit).sum();
        let mean = first / unit + shifts / count;
        let squares: f64 = values.iter().map(|value| (value / unit - mean).powi(2)).sum();
        let sd = (squares / count).sqrt();
        Some(Self {
            count: values.len(),
            mean: mean * unit,
            median: median(values)?,
            sd: (sd * unit).min(f64::MAX),
        })
    }
}

/// A power of two near the largest number if squares could overflow or vanish, otherwise 1.
fn unit(values: &[f64]) -> f64 {
    let largest = values.iter().fold(0.0_f64, |largest, value| largest.max(value.abs()));
    if largest == 0.0 || (1e-100..1e100).contains(&largest) {
        return 1.0;
    }
    // 2^-1022 to 2^1023.
    largest.log2().floor().clamp(-1022.0, 1023.0).exp2()
}

fn median(values: &mut [f64]) -> Option<f64> {
    let middle = values.len() / 2;
    let is_odd = values.len() % 2 == 1;
    let (below, upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if is_odd {
        return Some(*upper);
    }
    let lower = below.iter().copied().max_by(f64::total_cmp)?;
    Some(0.5 * lower + 0.5 * *upper)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_any_size() {
        for scale in [1.0, 1e-300, 1e300, 1e-10] {
            let mut values = [3.0, -1.0, 1.0, 5.0].map(|value| value * scale);
            let summary = Summary::of(&mut values).expect("numbers");
            for (found, expected) in
                [(summary.mean, 2.0), (summary.median, 2.0), (summary.sd, 5.0_f64.sqrt())]
            {
                assert!((found / scale / expected - 1.0).abs() < 1e-12, "{scale}: {summary:?}");
            }
        }
        let summary = Summary::of(&mut [f64::MAX, f64::MIN]).expect("numbers");
        assert_eq!((summary.mean, summary.median, summary.sd), (0.0, 0.0, f64::MAX));
        let summary = Summary::of(&mut [5e-324, 0.0]).expect("numbers");
        assert!(summary.mean.is_finite() && summary.sd.is_finite());
        // 0.1 has no exact sums.
        let summary = Summary::of(&mut [0.1; 1000]).expect("numbers");
        assert_eq!((summary.mean, summary.median, summary.sd), (0.1, 0.1, 0.0));
        assert_eq!(Summary::of(&mut []), None);
    }
}
