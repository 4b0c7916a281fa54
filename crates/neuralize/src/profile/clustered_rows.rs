//! The rows that a profile is made of: columns, and the cluster of every row.

use crate::error::{Error, Result};
use crate::text::words as shown;

/// A column of the data.
#[derive(Debug, Clone, Copy)]
pub struct ColumnValues<'a> {
    name: &'a str,
    cells: Cells<'a>,
    filled: Option<&'a [bool]>,
    show: fn(f64) -> String,
}

/// The cells of a column, `[N]`.
#[derive(Debug, Clone, Copy)]
#[non_exhaustive]
pub enum Cells<'a> {
    /// Finite numbers, in the units of the file.
    Numbers(&'a [f64]),
    /// Yes or no.
    Flags(&'a [bool]),
    /// One of these values.
    Category {
        /// The number of the value of every row; `None` for a value that is not in the list.
        codes: &'a [Option<usize>],
        /// The values.
        values: &'a [String],
    },
}

impl<'a> ColumnValues<'a> {
    /// A column of numbers, in the units of the file.
    pub fn numbers(name: &'a str, values: &'a [f64]) -> Self {
        Self::new(name, Cells::Numbers(values))
    }

    /// A column of yes (`true`) or no.
    pub fn flags(name: &'a str, flags: &'a [bool]) -> Self {
        Self::new(name, Cells::Flags(flags))
    }

    /// A category: the number of the value of every row (`None` for a value that is not in the
    /// list), and the values.
    pub fn category(name: &'a str, codes: &'a [Option<usize>], values: &'a [String]) -> Self {
        Self::new(name, Cells::Category { codes, values })
    }

    fn new(name: &'a str, cells: Cells<'a>) -> Self {
        Self { name, cells, filled: None, show: shown::number }
    }

    /// Says which cells were missing and have been filled, `[N]`. They count for no statistic and
    /// satisfy no condition of a rule.
    pub fn with_filled(mut self, filled: &'a [bool]) -> Self {
        self.filled = Some(filled);
        self
    }

    /// Sets how numbers of this column are written in sentences; for dates, for example.
    pub fn with_text(mut self, show: fn(f64) -> String) -> Self {
        self.show = show;
        self
    }

    /// Its name.
    pub fn name(&self) -> &'a str {
        self.name
    }

    /// Its cells.
    pub fn cells(&self) -> Cells<'a> {
        self.cells
    }

    pub(in crate::profile) fn is_flag(&self) -> bool {
        matches!(self.cells, Cells::Flags(_))
    }

    /// Whether the cell of a row was filled.
    pub(in crate::profile) fn is_filled(&self, row: usize) -> bool {
        self.filled.is_some_and(|filled| filled[row])
    }

    /// Two numbers in words, with as many digits as it takes to see how far apart they are.
    pub(in crate::profile) fn pair(&self, one: f64, other: f64) -> (String, String) {
        if self.is_plain() {
            shown::pair(one, other)
        } else {
            ((self.show)(one), (self.show)(other))
        }
    }

    /// A threshold in words.
    pub(in crate::profile) fn threshold(&self, value: f64) -> String {
        if self.is_plain() { shown::exact(value) } else { (self.show)(value) }
    }

    fn is_plain(&self) -> bool {
        std::ptr::fn_addr_eq(self.show, shown::number as fn(f64) -> String)
    }

    /// A value in full: a category's, or `yes` and `no` of a flag (1 and 0).
    pub fn value_text(&self, value: usize) -> String {
        match self.cells {
            Cells::Category { values, .. } => {
                values.get(value).cloned().unwrap_or_else(|| "another value".to_owned())
            }
            _ => if value == 1 { "yes" } else { "no" }.to_owned(),
        }
    }

    /// The words of a value for a sentence: a category's, or `yes` and `no` of a flag (1 and 0).
    pub(in crate::profile) fn value_name(&self, value: usize) -> String {
        match self.cells {
            Cells::Category { values, .. } => values
                .get(value)
                .map_or_else(|| "another value".to_owned(), |name| shown::name(name)),
            _ => if value == 1 { "yes" } else { "no" }.to_owned(),
        }
    }

    fn check(&self, at: usize, rows: usize) -> Result<()> {
        let what = format!("column {}", shown::name(self.name));
        if let Some(filled) = self.filled {
            expect_length(&format!("the filled cells of {what}"), filled.len(), rows)?;
        }
        match self.cells {
            Cells::Numbers(values) => {
                expect_length(&what, values.len(), rows)?;
                match values.iter().position(|value| !value.is_finite()) {
                    None => Ok(()),
                    Some(row) => Err(Error::NonFinite {
                        what: "the table",
                        row,
                        column: at,
                        value: values[row],
                    }),
                }
            }
            Cells::Flags(flags) => expect_length(&what, flags.len(), rows),
            Cells::Category { codes, values } => {
                expect_length(&what, codes.len(), rows)?;
                expect_below(&what, codes.iter().map(|code| code.unwrap_or(0)), values.len().max(1))
            }
        }
    }
}

/// Checks the length of a list.
pub(in crate::profile) fn expect_length(what: &str, found: usize, expected: usize) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    Err(Error::shape(what, format!("[{expected}]"), &[found]))
}

fn expect_below(what: &str, mut numbers: impl Iterator<Item = usize>, count: usize) -> Result<()> {
    let mut found = 0;
    let wrong = numbers.position(|number| {
        found = number;
        number >= count
    });
    match wrong {
        None => Ok(()),
        Some(row) => Err(Error::Number { what: what.to_owned(), row, found, count }),
    }
}

/// Checked rows: columns, the cluster of every row, and names of clusters and rows.
///
/// ```
/// use neuralize::profile::{ColumnValues, ClusteredRows};
///
/// let widths = [1.0, 2.0, 9.0];
/// let columns = [ColumnValues::numbers("width", &widths)];
/// let data = ClusteredRows::new(&columns, &[0, 0, 1], 2)?;
/// assert_eq!(data.rows_of(0), [0, 1]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct ClusteredRows<'a> {
    columns: &'a [ColumnValues<'a>],
    clusters: &'a [usize],
    cluster_names: Option<&'a [String]>,
    row_names: Option<&'a [String]>,
    /// The rows, cluster after cluster.
    order: Vec<usize>,
    /// Where every cluster begins in `order`, `[K + 1]`.
    starts: Vec<usize>,
}

impl<'a> ClusteredRows<'a> {
    /// Columns of N rows, the cluster of every row, `[N]`, and the number of clusters K. A cluster
    /// may have no rows.
    ///
    /// # Errors
    ///
    /// No rows, a column of another length, a number that is not finite, a cluster or a value that
    /// does not exist.
    pub fn new(
        columns: &'a [ColumnValues<'a>],
        clusters: &'a [usize],
        n_clusters: usize,
    ) -> Result<Self> {
        if clusters.is_empty() {
            return Err(Error::Empty { what: "the list of clusters" });
        }
        for (at, column) in columns.iter().enumerate() {
            column.check(at, clusters.len())?;
        }
        expect_below("the list of clusters", clusters.iter().copied(), n_clusters)?;
        let (order, starts) = grouped(clusters, n_clusters);
        Ok(Self { columns, clusters, cluster_names: None, row_names: None, order, starts })
    }

    /// Names the clusters, `[K]`.
    ///
    /// # Errors
    ///
    /// Another number of names.
    pub fn with_cluster_names(mut self, names: &'a [String]) -> Result<Self> {
        expect_length("the list of names of clusters", names.len(), self.n_clusters())?;
        self.cluster_names = Some(names);
        Ok(self)
    }

    /// Names the rows, `[N]`.
    ///
    /// # Errors
    ///
    /// Another number of names.
    pub fn with_row_names(mut self, names: &'a [String]) -> Result<Self> {
        expect_length("the list of names of rows", names.len(), self.n_rows())?;
        self.row_names = Some(names);
        Ok(self)
    }

    /// Number of rows, N.
    pub fn n_rows(&self) -> usize {
        self.clusters.len()
    }

    /// Number of clusters, K.
    pub fn n_clusters(&self) -> usize {
        self.starts.len() - 1
    }

    /// The columns, `[C]`.
    pub fn columns(&self) -> &'a [ColumnValues<'a>] {
        self.columns
    }

    /// The cluster of every row, `[N]`.
    pub fn clusters(&self) -> &'a [usize] {
        self.clusters
    }

    /// The rows of a cluster, in their order; none for a cluster that does not exist.
    pub fn rows_of(&self, cluster: usize) -> &[usize] {
        match self.starts.get(cluster..cluster.saturating_add(2)) {
            Some([start, end]) => &self.order[*start..*end],
            _ => &[],
        }
    }

    /// Number of rows of a cluster.
    pub fn size(&self, cluster: usize) -> usize {
        self.rows_of(cluster).len()
    }

    /// A cluster in words: its name or number.
    pub(in crate::profile) fn cluster_name(&self, cluster: usize) -> String {
        match self.cluster_names.and_then(|names| names.get(cluster)) {
            Some(name) => shown::name(name),
            None => cluster.to_string(),
        }
    }

    /// The name of a row, as it is.
    pub(in crate::profile) fn row_name(&self, row: usize) -> Option<&'a str> {
        self.row_names.map(|names| names[row].as_str())
    }
}

/// Rows sorted by cluster (in their order within a cluster), and where every cluster begins.
fn grouped(clusters: &[usize], n_clusters: usize) -> (Vec<usize>, Vec<usize>) {
    let mut starts = vec![0; n_clusters + 1];
    for &cluster in clusters {
        starts[cluster + 1] += 1;
    }
    for cluster in 0..n_clusters {
        starts[cluster + 1] += starts[cluster];
    }
    let mut next = starts.clone();
    let mut order = vec![0; clusters.len()];
    for (row, &cluster) in clusters.iter().enumerate() {
        order[next[cluster]] = row;
        next[cluster] += 1;
    }
    (order, starts)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wrong_input_is_an_error() {
        let widths = [1.0, f64::NAN];
        let columns = [ColumnValues::numbers("width", &widths)];
        let message = |data: Result<ClusteredRows<'_>>| data.err().map(|error| error.to_string());
        assert_eq!(
            message(ClusteredRows::new(&columns, &[0, 1], 2)).as_deref(),
            Some("the table holds NaN at row 1, column 0; remove or impute such values first")
        );
        assert_eq!(
            message(ClusteredRows::new(&columns, &[0], 1)).as_deref(),
            Some("column width has shape [2], expected [1]")
        );
        assert_eq!(
            message(ClusteredRows::new(&[], &[0, 2], 2)).as_deref(),
            Some("the list of clusters holds 2 at row 1, expected a number below 2")
        );
        let empty = message(ClusteredRows::new(&[], &[], 2));
        assert!(empty.is_some_and(|text| text.starts_with("the list of clusters is empty")));
        assert!(ClusteredRows::new(&[], &[0], 0).is_err());
        let values = ["a".to_owned()];
        let codes = [None, Some(1)];
        let columns = [ColumnValues::category("c", &codes, &values)];
        assert!(ClusteredRows::new(&columns, &[0, 0], 1).is_err());
        let columns = [ColumnValues::flags("f", &[true, false]).with_filled(&[true])];
        assert!(ClusteredRows::new(&columns, &[0, 0], 1).is_err());
        let data = ClusteredRows::new(&[], &[0, 0], 1);
        assert!(data.and_then(|data| data.with_cluster_names(&[])).is_err());
    }

    #[test]
    fn rows_are_grouped() {
        let data = ClusteredRows::new(&[], &[2, 0, 2], 4).expect("rows");
        let rows: Vec<&[usize]> = (0..5).map(|cluster| data.rows_of(cluster)).collect();
        assert_eq!(rows, [&[1][..], &[], &[0, 2], &[], &[]]);
        assert_eq!(data.rows_of(usize::MAX), [0; 0]);
    }
}
