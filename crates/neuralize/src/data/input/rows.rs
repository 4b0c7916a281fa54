//! The rows of a file of any kind, from the first to the last.

use crate::data::input::builder::TableBuilder;
use crate::data::input::columns::Columns;
use crate::error::Result;

/// The rows of a file of one kind.
pub(super) trait Rows {
    /// Appends the next rows, at most `limit`; at the end of the file, it appends none.
    fn read(&mut self, columns: &Columns, limit: usize, table: &mut TableBuilder) -> Result<()>;

    /// Number of bytes of the file read so far.
    fn bytes_read(&self) -> u64;
}
