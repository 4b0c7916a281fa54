//! For tests of the kinds of files: all that is in a file, as text.

use crate::data::input::cell::{Cell, Place};
use crate::data::input::columns::Columns;
use crate::data::input::opened::Opened;
use crate::data::input::options::TableOptions;
use crate::data::input::rows::Sink;
use crate::error::Result;

/// The cells of a file.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) names: Vec<String>,
    pub(super) rows: Vec<Vec<String>>,
    pub(super) labels: Vec<String>,
    pub(super) ids: Vec<String>,
    /// Where each row is.
    pub(super) places: Vec<String>,
    row: Vec<String>,
    place: String,
}

/// Reads a file to its end, a few rows at a time.
pub(super) fn collect(mut opened: Opened<'_>, options: &TableOptions) -> Result<Collected> {
    const FEW: usize = 3;
    let columns = opened.all(options)?;
    for at in columns.all_positions() {
        opened.refuse_obstacle(at)?;
    }
    opened.rows.select(&columns)?;
    let mut found = Collected { names: columns.names.clone(), ..Collected::default() };
    loop {
        let before = found.rows.len();
        opened.rows.read(&columns, FEW, &mut found)?;
        assert!(found.rows.len() <= before + FEW, "more rows than wanted");
        if found.rows.len() == before {
            return Ok(found);
        }
    }
}

/// A cell as text that shows its type: `-`, `1.5`, `2i`, `true`, `3d`, `'a'`.
fn shown(cell: Cell<'_>) -> String {
    match cell {
        Cell::Missing => "-".to_owned(),
        Cell::Number(value) => value.to_string(),
        Cell::Whole(value) => format!("{value}i"),
        Cell::Flag(value) => value.to_string(),
        Cell::Day(value) => format!("{value}d"),
        Cell::Text(text) => format!("'{text}'"),
    }
}

impl Sink for Collected {
    fn cell(
        &mut self,
        columns: &Columns,
        at: usize,
        cell: Cell<'_>,
        place: &dyn Fn() -> Place,
    ) -> Result<()> {
        assert_eq!(at, self.row.len(), "cells come in the order of the columns");
        assert!(at < columns.names.len());
        self.row.push(shown(cell));
        self.place = place().to_string();
        Ok(())
    }

    fn label(&mut self, text: &str) {
        self.labels.push(text.to_owned());
    }

    fn id(&mut self, text: &str) {
        self.ids.push(text.to_owned());
    }

    fn end_row(&mut self, columns: &Columns) {
        assert_eq!(self.row.len(), columns.names.len(), "a row has a cell for every column");
        self.rows.push(std::mem::take(&mut self.row));
        self.places.push(std::mem::take(&mut self.place));
    }
}
