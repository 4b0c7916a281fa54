//! The reader of a table, whatever kind of file holds it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::data::input::builder::TableBuilder;
use crate::data::input::columns::Columns;
use crate::data::input::csv::CsvRows;
#[cfg(feature = "npy")]
use crate::data::input::npy::NpyRows;
use crate::data::input::options::TableOptions;
#[cfg(feature = "parquet")]
use crate::data::input::parquet::ParquetRows;
use crate::data::input::rows::Rows;
use crate::data::table::Table;
use crate::error::{Error, Result};

/// Reads a table in parts, so that it may be larger than memory.
///
/// | extension | read as |
/// |---|---|
/// | `.parquet`, `.pq` | Apache Parquet (feature `parquet`): flat columns of numbers; labels may be text |
/// | `.npy` | a NumPy array (feature `npy`) of one or two dimensions, with columns `x0`, `x1`, … |
/// | `.tsv`, `.tab` | text, cells separated by tabs |
/// | any other | text, cells separated by commas |
///
/// The case of the extension is ignored. The first line of a text file names the columns;
/// [`TableOptions::with_delimiter`] sets another separator. Empty cells, nulls and NaN are missing
/// values, which are an error.
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
    rows: Box<dyn Rows + 'a>,
}

impl TableReader<'static> {
    /// Opens a file, whose extension determines its kind, and reads the names of its columns.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is damaged, or its kind needs a feature that is
    /// not enabled; if it has no columns, two columns of one name, or lacks a column
    /// that the options name; if a feature column does not hold numbers.
    pub fn open(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let file = || -> Result<File> { File::open(path).map_err(Error::io(path)) };
        match extension.as_str() {
            #[cfg(feature = "parquet")]
            "parquet" | "pq" => Ok(Self::new(ParquetRows::open(name, file()?, options)?)),
            #[cfg(not(feature = "parquet"))]
            "parquet" | "pq" => Err(not_built(name, "Parquet", "parquet")),
            #[cfg(feature = "npy")]
            "npy" => Ok(Self::new(NpyRows::open(name, file()?, options)?)),
            #[cfg(not(feature = "npy"))]
            "npy" => Err(not_built(name, "NumPy", "npy")),
            "tsv" | "tab" if options.delimiter.is_none() => {
                Self::csv(name, file()?, &options.clone().with_delimiter(b'\t'))
            }
            _ => Self::csv(name, file()?, options),
        }
    }
}

impl<'a> TableReader<'a> {
    /// Reads CSV text from any source. Error messages call it `name`.
    ///
    /// # Errors
    ///
    /// As [`open`](TableReader::open).
    pub fn csv(
        name: impl Into<String>,
        source: impl Read + 'a,
        options: &TableOptions,
    ) -> Result<Self> {
        let delimiter = options.delimiter.unwrap_or(b',');
        Ok(Self::new(CsvRows::open(name.into(), Box::new(source), delimiter, options)?))
    }

    fn new((columns, rows): (Columns, impl Rows + 'a)) -> Self {
        Self { columns, rows: Box::new(rows) }
    }

    /// The name of the file in error messages.
    pub fn name(&self) -> &str {
        &self.columns.file
    }

    /// Names of the feature columns.
    pub fn features(&self) -> &[String] {
        &self.columns.features
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
        let mut table = TableBuilder::new(&self.columns);
        self.rows.read(&self.columns, limit, &mut table)?;
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
    /// Reads a whole file, whose extension determines its kind.
    ///
    /// # Errors
    ///
    /// As [`TableReader::open`] and [`TableReader::read_rows`].
    pub fn read(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        TableReader::open(path, options)?.read_all()
    }
}

#[cfg(any(not(feature = "parquet"), not(feature = "npy")))]
fn not_built(file: String, kind: &str, feature: &str) -> Error {
    let detail = format!(
        "reading {kind} files needs the feature `{feature}`, which is not enabled in this build; enable it or convert the file to CSV"
    );
    Error::Table { file, detail }
}
