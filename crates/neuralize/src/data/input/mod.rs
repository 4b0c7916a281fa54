mod columns;
mod csv;
#[cfg(feature = "npy")]
mod npy;
mod options;
#[cfg(feature = "parquet")]
mod parquet;
mod part;

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::data::Table;
use crate::error::{Error, Result};
use columns::Columns;
use part::Part;

pub use options::TableOptions;

/// Reads a table in parts, so that it may be larger than memory.
///
/// | name of the file ends with | it is read as |
/// |---|---|
/// | `.parquet`, `.pq` | Apache Parquet (feature `parquet`): flat columns of numbers, the label may be text |
/// | `.npy` | a NumPy array (feature `npy`) of one or two dimensions, with columns `x0`, `x1`, … |
/// | `.tsv`, `.tab` | text with tabs between the cells |
/// | anything else | text with commas between the cells |
///
/// Capital letters make no difference. Text has the columns' names in its first
/// line; [`TableOptions::with_delimiter`] names another character than these.
/// Empty cells, nulls and NaN are missing values, which are an error.
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

/// The rows of one kind of file, from the first to the last.
trait Rows {
    /// Appends the next rows, at most `limit`; none at the end.
    fn read(&mut self, columns: &Columns, limit: usize, part: &mut Part) -> Result<()>;

    /// How much of the file has been read.
    fn bytes_read(&self) -> u64;
}

impl TableReader<'static> {
    /// Opens a file of the kind that its name says and reads what it says of
    /// its columns.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, is damaged, or is of a kind that was not
    /// built in; if it has no columns, two of one name, or lacks one that the
    /// options name; if a feature does not hold numbers.
    pub fn open(path: impl AsRef<Path>, options: &TableOptions) -> Result<Self> {
        let path = path.as_ref();
        let name = path.display().to_string();
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        let file = || -> Result<File> { File::open(path).map_err(Error::io(path)) };
        match extension.as_str() {
            #[cfg(feature = "parquet")]
            "parquet" | "pq" => Ok(Self::of(parquet::ParquetRows::open(name, file()?, options)?)),
            #[cfg(not(feature = "parquet"))]
            "parquet" | "pq" => Err(not_built(name, "Parquet", "parquet")),
            #[cfg(feature = "npy")]
            "npy" => Ok(Self::of(npy::NpyRows::open(name, file()?, options)?)),
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
    /// Reads text from any source; `name` stands for it in messages.
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
        Ok(Self::of(csv::CsvRows::open(name.into(), source, delimiter, options)?))
    }

    fn of((columns, rows): (Columns, impl Rows + 'a)) -> Self {
        Self { columns, rows: Box::new(rows) }
    }

    /// Names of the columns that are read.
    pub fn features(&self) -> &[String] {
        &self.columns.features
    }

    /// Names of the columns that are neither read nor dropped nor the label.
    pub fn ignored(&self) -> &[String] {
        &self.columns.ignored
    }

    /// How many bytes of the source have been read; of a Parquet file, the part
    /// of its rows in bytes.
    pub fn bytes_read(&self) -> u64 {
        self.rows.bytes_read()
    }

    /// The next rows, at most `limit`; a table of no rows at the end.
    ///
    /// # Errors
    ///
    /// If a value is missing or not a finite number, a row has another number
    /// of cells than the header, or the source cannot be read or is damaged.
    pub fn read_rows(&mut self, limit: usize) -> Result<Table> {
        let mut part = Part::new(&self.columns);
        self.rows.read(&self.columns, limit, &mut part)?;
        part.into_table(&self.columns)
    }

    /// All rows that are left.
    ///
    /// # Errors
    ///
    /// As [`read_rows`](Self::read_rows).
    pub fn read_all(&mut self) -> Result<Table> {
        self.read_rows(usize::MAX)
    }
}

#[cfg(any(not(feature = "parquet"), not(feature = "npy")))]
fn not_built(file: String, kind: &str, feature: &str) -> Error {
    let detail = format!(
        "{kind} files are not read by this build; build it with the feature `{feature}`, or convert the file to CSV"
    );
    Error::Table { file, detail }
}
