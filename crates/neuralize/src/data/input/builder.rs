//! A table that is being read.

use crate::data::input::columns::Columns;
use crate::data::table::Table;
use crate::error::{Error, Result};

/// The rows read so far, and their missing values.
pub(super) struct TableBuilder {
    pub(super) values: Vec<f64>,
    pub(super) labels: Option<Vec<String>>,
    missing: Missing,
}

#[derive(Default)]
struct Missing {
    count: usize,
    first: Vec<String>,
}

impl TableBuilder {
    pub(super) fn new(columns: &Columns) -> Self {
        Self {
            values: Vec::new(),
            labels: columns.label.map(|_| Vec::new()),
            missing: Missing::default(),
        }
    }

    /// Counts a missing value; the error names the places of the first.
    pub(super) fn note_missing(&mut self, place: impl FnOnce() -> String) {
        const SHOWN: usize = 3;
        self.missing.count += 1;
        if self.missing.first.len() < SHOWN {
            self.missing.first.push(place());
        }
    }

    /// The table, if no value is missing.
    pub(super) fn finish(self, columns: &Columns) -> Result<Table> {
        match self.missing.count {
            0 => Ok(Table::labelled(columns.features.clone(), self.values, self.labels)),
            count => Err(Error::MissingValues {
                file: columns.file.clone(),
                count,
                first: self.missing.first.join("; "),
            }),
        }
    }
}

/// For files that have row numbers but no lines.
#[cfg(any(feature = "npy", feature = "parquet"))]
impl TableBuilder {
    /// Checks the last row, whose values begin at `first`; NaN is a missing value.
    pub(super) fn check_row(&mut self, columns: &Columns, row: u64, first: usize) -> Result<()> {
        for index in first..self.values.len() {
            let value = self.values[index];
            if value.is_finite() {
                continue;
            }
            let name = &columns.features[index - first];
            let place = || format!("row {row} (counted from 0), column `{name}`");
            if !value.is_nan() {
                let detail = format!("{}: `{value}` is not a finite number", place());
                return Err(Error::Table { file: columns.file.clone(), detail });
            }
            self.values[index] = 0.0;
            self.note_missing(place);
        }
        Ok(())
    }
}
