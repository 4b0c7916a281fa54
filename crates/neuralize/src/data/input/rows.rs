//! The rows of a file of any kind, from the first to the last.

use crate::data::input::cell::{Cell, Place};
use crate::data::input::columns::Columns;
use crate::error::Result;

/// The rows of a file of one kind.
pub(in crate::data) trait Rows {
    /// Prepares to read these columns. It is called once, before the first row is read.
    fn select(&mut self, _columns: &Columns) -> Result<()> {
        Ok(())
    }

    /// Hands on the next rows, at most `limit`; at the end of the file none.
    fn read(&mut self, columns: &Columns, limit: usize, sink: &mut dyn Sink) -> Result<()>;

    /// Number of bytes of the file read so far.
    fn bytes_read(&self) -> u64;

    /// What was taken for what since the first row was read.
    fn later_notes(&mut self) -> Vec<String> {
        Vec::new()
    }
}

/// What takes the cells of rows: those of the features, of the label and of the names of the rows,
/// if there are any, then the end of the row.
pub(in crate::data) trait Sink {
    /// Takes the cell of a feature column, by its number among the columns that are read.
    fn cell(
        &mut self,
        columns: &Columns,
        at: usize,
        cell: Cell<'_>,
        place: &dyn Fn() -> Place,
    ) -> Result<()>;

    fn label(&mut self, text: &str);

    fn id(&mut self, text: &str);

    fn end_row(&mut self, columns: &Columns);
}

/// Hands on a row, given the cell of every column by its position in the file.
pub(super) fn hand_on<'c>(
    columns: &Columns,
    sink: &mut dyn Sink,
    place: &dyn Fn() -> Place,
    cell: impl Fn(usize) -> Cell<'c>,
) -> Result<()> {
    for (at, &position) in columns.positions.iter().enumerate() {
        sink.cell(columns, at, cell(position), place)?;
    }
    if let Some(position) = columns.label {
        sink.label(&cell(position).text());
    }
    if let Some(position) = columns.id {
        sink.id(&cell(position).text());
    }
    sink.end_row(columns);
    Ok(())
}
