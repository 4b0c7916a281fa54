//! A file of any kind, opened: names of its columns, and its rows.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use crate::data::input::Decimal;
use crate::data::input::csv::CsvRows;
#[cfg(feature = "npy")]
use crate::data::input::npy::NpyRows;
use crate::data::input::options::TableOptions;
#[cfg(feature = "parquet")]
use crate::data::input::parquet::ParquetRows;
use crate::data::input::rows::Rows;
use crate::data::text::Shown;
use crate::error::{Error, Result};

/// A file before its columns are chosen.
pub(in crate::data) struct Opened<'a> {
    /// Its name in messages.
    pub(in crate::data) file: String,
    /// Names of all columns.
    pub(in crate::data) header: Vec<String>,
    /// Why a column cannot be read, for the columns that cannot.
    pub(in crate::data) obstacles: Vec<(usize, String)>,
    /// Positions of the columns that the file says are an index of rows.
    pub(in crate::data) indices: Vec<usize>,
    /// Whether columns have no names of their own.
    pub(in crate::data) is_unnamed: bool,
    /// What was taken for what.
    pub(in crate::data) notes: Vec<String>,
    pub(in crate::data) decimal: Decimal,
    pub(in crate::data) rows: Box<dyn Rows + 'a>,
}

impl<'a> Opened<'a> {
    pub(super) fn new(file: String, header: Vec<String>, rows: impl Rows + 'a) -> Self {
        Self {
            file,
            header,
            obstacles: Vec::new(),
            indices: Vec::new(),
            is_unnamed: false,
            notes: Vec::new(),
            decimal: Decimal::default(),
            rows: Box::new(rows),
        }
    }

    /// The error of a column that cannot be read.
    pub(in crate::data) fn refuse_obstacle(&self, position: usize) -> Result<()> {
        match self.obstacles.iter().find(|(at, _)| *at == position) {
            Some((_, why)) => {
                let detail = format!("column `{}` {why}; drop it", Shown(&self.header[position]));
                Err(Error::Table { file: self.file.clone(), detail })
            }
            None => Ok(()),
        }
    }

    /// Gives columns without names the wanted ones, if there are as many.
    pub(super) fn name_by_position(
        &mut self,
        wanted: &[String],
        options: &TableOptions,
    ) -> Result<()> {
        // A label or a dropped column can only be named `x0`, `x1`, ….
        let others = options.label.is_some() || options.id.is_some() || !options.dropped.is_empty();
        if !self.is_unnamed || others {
            return Ok(());
        }
        if wanted.len() == self.header.len() {
            self.header = wanted.to_vec();
            return Ok(());
        }
        if wanted.iter().all(|name| self.header.contains(name)) {
            return Ok(());
        }
        let detail = format!(
            "an array has no column names, so columns are matched by position: {} features need as many columns in \
             their order, it has {}",
            wanted.len(),
            self.header.len()
        );
        Err(Error::Table { file: self.file.clone(), detail })
    }
}

/// Opens a file; its first bytes say of which kind it is.
pub(in crate::data) fn open(path: &Path, options: &TableOptions) -> Result<Opened<'static>> {
    let name = path.display().to_string();
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    let mut file = File::open(path).map_err(Error::io(path))?;
    let is_regular = file.metadata().is_ok_and(|found| found.is_file());
    let mut start = Vec::new();
    if is_regular {
        (&mut file).take(8).read_to_end(&mut start).map_err(Error::io(path))?;
        file.seek(SeekFrom::Start(0)).map_err(Error::io(path))?;
    }
    let is_empty = is_regular && start.is_empty();
    if start.starts_with(b"PAR1") || is_empty && matches!(extension.as_str(), "parquet" | "pq") {
        #[cfg(feature = "parquet")]
        return ParquetRows::open(name, file);
        #[cfg(not(feature = "parquet"))]
        return Err(not_built(name, "Parquet", "parquet"));
    }
    if start.starts_with(b"\x93NUMPY") || is_empty && extension == "npy" {
        #[cfg(feature = "npy")]
        return NpyRows::open(name, file);
        #[cfg(not(feature = "npy"))]
        return Err(not_built(name, "NumPy", "npy"));
    }
    if let Some(kind) = other_kind(&start, &extension) {
        let detail = format!("is {kind}; convert it to CSV or Parquet");
        return Err(Error::Table { file: name, detail });
    }
    let usual = matches!(extension.as_str(), "tsv" | "tab").then_some(b'\t');
    CsvRows::open(name, Box::new(file), usual, options)
}

/// Opens text from any source.
pub(in crate::data) fn text<'a>(
    name: String,
    source: impl Read + 'a,
    options: &TableOptions,
) -> Result<Opened<'a>> {
    CsvRows::open(name, Box::new(source), None, options)
}

/// A kind of file that is no text, in words.
fn other_kind(start: &[u8], extension: &str) -> Option<&'static str> {
    if start.starts_with(b"PK\x03\x04") {
        return Some(match extension {
            "npz" => "an archive of NumPy arrays, which cannot be read",
            "xlsx" | "xlsm" => "an Excel workbook, which cannot be read",
            _ => "a zip archive, which cannot be read",
        });
    }
    if start.starts_with(b"\xd0\xcf\x11\xe0") {
        return Some("an old Excel workbook, which cannot be read");
    }
    if start.starts_with(b"ARROW1") {
        return Some("an Arrow (Feather) file, which cannot be read");
    }
    match extension {
        "parquet" | "pq" => Some("not a usable Parquet file: it does not begin like one"),
        "npy" => Some("not a NumPy array as `numpy.save` writes it"),
        _ => None,
    }
}

#[cfg(any(not(feature = "parquet"), not(feature = "npy")))]
fn not_built(file: String, kind: &str, feature: &str) -> Error {
    let detail = format!(
        "reading {kind} files needs the feature `{feature}`, which is not enabled in this build; enable it or convert the file to CSV"
    );
    Error::Table { file, detail }
}
