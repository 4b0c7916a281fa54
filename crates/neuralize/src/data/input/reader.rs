//! The reader of a table, whatever kind of file holds it.

use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use crate::data::encoding::{Encoder, Encoding};
use crate::data::input::builder::TableBuilder;
use crate::data::input::columns::Columns;
use crate::data::input::open;
use crate::data::input::opened::Opened;
use crate::data::input::options::TableOptions;
use crate::data::input::rows::Rows;
use crate::data::table::Table;
use crate::error::Result;

/// Reads a table in parts, so that it may be larger than memory.
///
/// | content | read as |
/// |---|---|
/// | Apache Parquet (feature `parquet`) | flat columns |
/// | a NumPy array (feature `npy`) | one or two dimensions, with columns `x0`, `x1`, … |
/// | a workbook of Excel (feature `xlsx`) | the first sheet with cells |
/// | Arrow files and streams (feature `arrow`) | flat columns |
/// | archives of NumPy arrays (feature `npy`) | one array of two dimensions, or columns of one |
/// | JSON lines, or an array of records | one row a record |
/// | a folder | part files |
/// | anything else | text: cells separated by commas, semicolons, tabs or vertical bars; UTF-8, UTF-16 or Windows-1252; also compressed by gzip |
///
/// The content decides, not the name. The first line of a text file names the columns. What was found
/// in a text file is in [`notes`](Self::notes); [`TableOptions`] say otherwise.
///
/// Columns are numbers unless [`TableOptions::with_encoding`] says what else they are; a
/// [`Survey`](crate::data::Survey) finds that out. Without an encoding, missing values (empty cells,
/// nulls, NaN, `NA`, `?` and their like) are an error.
///
/// ```
/// use neuralize::data::{TableOptions, TableReader};
///
/// let text = "id;width;height;kind\n7;1;2;a\n8;3;4;b\n9;5;6;a\n";
/// let options = TableOptions::default().with_delimiter(b';').with_label("kind").with_dropped("id");
/// let mut reader = TableReader::csv("shapes", text.as_bytes(), &options)?;
/// assert_eq!(reader.features(), ["width", "height"]);
///
/// let part = reader.read_rows(2)?;
/// assert_eq!((part.rows(), part.row(1)), (2, Some(&[3.0, 4.0][..])));
/// assert_eq!(reader.read_all()?.labels(), Some(&["a".to_owned()][..]));
/// # Ok::<(), neuralize::Error>(())
/// ```
pub struct TableReader<'a> {
    columns: Columns,
    encoder: Encoder,
    notes: Vec<String>,
    rows: Box<dyn Rows + 'a>,
}

impl TableReader<'static> {
    /// Opens a file, whose content determines its kind, and reads the names of its columns.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is damaged, or its kind needs a feature that is
    /// not enabled; if it has no columns, two columns of one name, or lacks a column
    /// that the options name; if a column cannot be read.
    pub fn open(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        Self::of(open::open(path.as_ref(), options)?, options)
    }
}

impl<'a> TableReader<'a> {
    /// Reads text from any source. Error messages call it `name`.
    ///
    /// # Errors
    ///
    /// As [`open`](TableReader::open).
    pub fn csv(
        name: impl Into<String>,
        source: impl Read + 'a,
        options: &TableOptions,
    ) -> Result<Self> {
        Self::of(open::text(name.into(), source, options)?, options)
    }

    fn of(mut opened: Opened<'a>, options: &TableOptions) -> Result<Self> {
        let columns = opened.named(options)?;
        for at in columns.all_positions() {
            opened.refuse_obstacle(at)?;
        }
        opened.rows.select(&columns)?;
        let encoding = match &options.encoding {
            Some(encoding) => encoding.clone(),
            None => Encoding::numbers(&columns.names),
        };
        let encoder = Encoder::new(Arc::new(encoding), opened.decimal);
        Ok(Self { columns, encoder, notes: opened.notes, rows: opened.rows })
    }

    /// The name of the file in error messages.
    pub fn name(&self) -> &str {
        &self.columns.file
    }

    /// Names of the features: of the columns, or of the values of a category.
    pub fn features(&self) -> Vec<String> {
        self.encoder.encoding().features()
    }

    /// The column that names the rows, if there is one.
    pub fn id(&self) -> Option<&str> {
        self.columns.id_name.as_deref()
    }

    /// How columns become features.
    pub fn encoding(&self) -> &Encoding {
        self.encoder.encoding()
    }

    /// A table without rows, with the features of this one.
    pub fn no_rows(&self) -> Table {
        Table::no_rows(self.encoder.encoding())
    }

    /// What was found in the file and taken for granted, in words. Later parts of a folder add to it
    /// as they are read.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Names of the columns that the options do not mention and that are not read.
    pub fn ignored(&self) -> &[String] {
        &self.columns.ignored
    }

    /// Number of bytes read so far; for a Parquet file an estimate from the number
    /// of rows.
    pub fn bytes_read(&self) -> u64 {
        self.rows.bytes_read()
    }

    /// Reads the next rows, at most `limit`. At the end of the file, the table has no rows.
    ///
    /// # Errors
    ///
    /// If a value is missing or not a finite number, a row has another number
    /// of cells than the header, or the source cannot be read or is damaged.
    pub fn read_rows(&mut self, limit: usize) -> Result<Table> {
        let mut table = TableBuilder::new(&self.columns, &self.encoder);
        self.rows.read(&self.columns, limit, &mut table)?;
        self.notes.extend(self.rows.later_notes());
        table.finish(&self.columns)
    }

    /// Reads all remaining rows.
    ///
    /// # Errors
    ///
    /// As [`read_rows`](Self::read_rows).
    pub fn read_all(&mut self) -> Result<Table> {
        self.read_rows(usize::MAX)
    }
}

impl Table {
    /// Reads a whole file, whose content determines its kind.
    ///
    /// # Errors
    ///
    /// As [`TableReader::open`] and [`TableReader::read_rows`].
    pub fn read(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        TableReader::open(path, options)?.read_all()
    }
}
