//! The rows that are to be clustered.

use std::ops::Range;

use crate::error::{Error, Result};

const WHAT: &str = "the table";

/// The largest number that is accepted: sums of squares of more do not fit into an `f64`.
const LIMIT: f64 = 1e140;

/// Rows of finite numbers, scaled as they are clustered, and which columns are one category.
///
/// ```
/// use neuralize::choose::Rows;
///
/// // Two rows of a number and of a category with two values.
/// let values = [0.5, 1.0, 0.0, 0.7, 0.0, 1.0];
/// let rows = Rows::new(&values, 3)?.with_group(1..3)?;
/// assert_eq!((rows.n_rows(), rows.n_columns()), (2, 3));
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Rows<'a> {
    values: &'a [f64],
    width: usize,
    total: usize,
    groups: Vec<Range<usize>>,
}

impl<'a> Rows<'a> {
    /// `values` is `[N, D]`, row after row, and `width` is D.
    ///
    /// # Errors
    ///
    /// No row or no column, a last row that is not whole, a number that is not finite or above
    /// 1e140 in size.
    pub fn new(values: &'a [f64], width: usize) -> Result<Self> {
        if width == 0 || values.is_empty() {
            return Err(Error::Empty { what: WHAT });
        }
        if !values.len().is_multiple_of(width) {
            return Err(Error::shape(WHAT, format!("[N × {width}]"), &[values.len()]));
        }
        let is_refused = |value: &f64| value.is_nan() || value.abs() > LIMIT;
        match values.iter().enumerate().find(|(_, value)| is_refused(value)) {
            Some((at, &value)) => Err(refused(value, at / width, at % width)),
            None => {
                let total = values.len() / width;
                Ok(Self { values, width, total, groups: Vec::new() })
            }
        }
    }

    /// Says that these rows were drawn at random from a table of so many; see
    /// [`SampledRows`](crate::choose::SampledRows).
    #[must_use]
    pub fn with_total(mut self, rows: usize) -> Self {
        self.total = rows.max(self.n_rows());
        self
    }

    /// Names the columns of a category: its indicators, weighted or not. A category is not a reason
    /// to see clusters.
    ///
    /// # Errors
    ///
    /// A range that is empty, ends behind the last column or overlaps that of another category.
    pub fn with_group(mut self, columns: Range<usize>) -> Result<Self> {
        let overlaps =
            |other: &Range<usize>| columns.start < other.end && other.start < columns.end;
        if columns.is_empty() || columns.end > self.width || self.groups.iter().any(overlaps) {
            let rule = format!(
                "a group is a range of some of the {} columns, and no column is in two of them",
                self.width
            );
            return Err(Error::config("group", format!("{columns:?}"), rule));
        }
        self.groups.push(columns);
        Ok(self)
    }

    /// The number of rows, N.
    pub fn n_rows(&self) -> usize {
        self.values.len() / self.width
    }

    /// The number of rows of the table that these were drawn from; N, unless it was said.
    pub fn total(&self) -> usize {
        self.total
    }

    /// The number of columns, D.
    pub fn n_columns(&self) -> usize {
        self.width
    }

    /// The numbers, `[N, D]`.
    pub fn values(&self) -> &'a [f64] {
        self.values
    }

    /// The columns of every category.
    pub fn groups(&self) -> &[Range<usize>] {
        &self.groups
    }
}

fn refused(value: f64, row: usize, column: usize) -> Error {
    if value.is_finite() {
        Error::TooLarge { what: WHAT, row, column, value, limit: LIMIT }
    } else {
        Error::NonFinite { what: WHAT, row, column, value }
    }
}
