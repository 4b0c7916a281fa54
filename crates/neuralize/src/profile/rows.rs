//! The rows to look at in a cluster: typical ones, and those farthest from the other clusters.

use std::cmp::Ordering;

use crate::error::Result;
use crate::profile::clustered_rows::ClusteredRows;
use crate::profile::clustered_rows::expect_length;

/// A row to look at.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct NotableRow {
    /// The row, counted from 0.
    pub row: usize,
    /// Its name, if the rows have names.
    pub name: Option<String>,
    /// Its distance or logit.
    pub value: f64,
}

/// Of every cluster the `count` rows with the smallest numbers, `[K]`; with distances to the
/// centroid those that are typical. `distances` is `[N]`; NaN counts as missing. Equally distant
/// rows in their order.
///
/// # Errors
///
/// Another number of distances than rows.
///
/// ```
/// use neuralize::profile::{ClusteredRows, typical_rows};
///
/// let typical = typical_rows(&ClusteredRows::new(&[], &[0, 0, 1], 2)?, &[2.0, 1.0, 0.5], 1)?;
/// assert_eq!((typical[0][0].row, typical[1][0].row), (1, 2));
/// # Ok::<(), neuralize::Error>(())
/// ```
pub fn typical_rows(
    data: &ClusteredRows<'_>,
    distances: &[f64],
    count: usize,
) -> Result<Vec<Vec<NotableRow>>> {
    expect_length("the list of distances", distances.len(), data.n_rows())?;
    Ok(first(data, distances, count, f64::total_cmp))
}

/// Of every cluster the `count` rows with the largest numbers, `[K]`; with logits those that are
/// farthest inside. `logits` is `[N]`; NaN counts as missing. Equal rows in their order.
///
/// # Errors
///
/// Another number of logits than rows.
pub fn farthest_rows(
    data: &ClusteredRows<'_>,
    logits: &[f64],
    count: usize,
) -> Result<Vec<Vec<NotableRow>>> {
    expect_length("the list of logits", logits.len(), data.n_rows())?;
    Ok(first(data, logits, count, |a, b| b.total_cmp(a)))
}

fn first(
    data: &ClusteredRows<'_>,
    values: &[f64],
    count: usize,
    order: impl Fn(&f64, &f64) -> Ordering,
) -> Vec<Vec<NotableRow>> {
    let before = |a: &usize, b: &usize| order(&values[*a], &values[*b]).then(a.cmp(b));
    let of_cluster = |cluster| {
        let known = data.rows_of(cluster).iter().filter(|row| !values[**row].is_nan());
        let mut rows: Vec<usize> = known.copied().collect();
        if count < rows.len() {
            rows.select_nth_unstable_by(count, before);
            rows.truncate(count);
        }
        rows.sort_unstable_by(before);
        let notable = |row: usize| NotableRow {
            row,
            name: data.row_name(row).map(str::to_owned),
            value: values[row],
        };
        rows.into_iter().map(notable).collect()
    };
    (0..data.n_clusters()).map(of_cluster).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_and_short_clusters() {
        let names = ["a", "b", "c", "d"].map(str::to_owned);
        let data =
            ClusteredRows::new(&[], &[0, 0, 0, 2], 3).and_then(|data| data.with_row_names(&names));
        let data = data.expect("rows");
        let rows = |found: Result<Vec<Vec<NotableRow>>>| -> Vec<Vec<usize>> {
            let found = found.expect("rows");
            found.iter().map(|rows| rows.iter().map(|row| row.row).collect()).collect()
        };
        let values = [1.0, 1.0, f64::NAN, 7.0];
        assert_eq!(rows(typical_rows(&data, &values, 1)), [vec![0], vec![], vec![3]]);
        assert_eq!(rows(farthest_rows(&data, &values, 5)), [vec![0, 1], vec![], vec![3]]);
        assert_eq!(rows(farthest_rows(&data, &values, 0)), vec![Vec::<usize>::new(); 3]);
        assert!(typical_rows(&data, &[], 1).is_err());
        let found = farthest_rows(&data, &[1.0, 2.0, 3.0, 4.0], 1).expect("rows");
        assert_eq!(found[0][0].name.as_deref(), Some("c"));
    }
}
