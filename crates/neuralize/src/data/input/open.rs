//! Opens files: which kind a file is, by its content.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use encoding_rs::Encoding;

#[cfg(feature = "arrow")]
use crate::data::input::arrow::ArrowRows;
use crate::data::input::csv::CsvRows;
use crate::data::input::decode;
use crate::data::input::folder::FolderRows;
use crate::data::input::json::{self, JsonRows};
#[cfg(feature = "npy")]
use crate::data::input::npy::NpyRows;
use crate::data::input::opened::Opened;
use crate::data::input::options::TableOptions;
#[cfg(feature = "parquet")]
use crate::data::input::parquet::ParquetRows;
use crate::error::{Error, Result};
use crate::text::Shown;

/// Opens a file or a folder of files.
pub(in crate::data) fn open(path: &Path, options: &TableOptions) -> Result<Opened<'static>> {
    Ok(open_file(path, options)?.with_options(options))
}

/// Opens a file; its first bytes say of which kind it is.
fn open_file(path: &Path, options: &TableOptions) -> Result<Opened<'static>> {
    let name = path.display().to_string();
    let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
    if path.is_dir() {
        let options = options.clone();
        return FolderRows::open(name, path, move |part| open_file(part, &options));
    }
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
    if start.starts_with(b"ARROW1") || start.starts_with(&[0xff; 4]) || start.starts_with(b"FEA1") {
        #[cfg(feature = "arrow")]
        return ArrowRows::open(name, file);
        #[cfg(not(feature = "arrow"))]
        return Err(not_built(name, "Arrow", "arrow"));
    }
    if start.starts_with(b"PK\x03\x04") {
        return open_archive(name, file, options);
    }
    let detail = match extension.as_str() {
        _ if start.starts_with(b"\xd0\xcf\x11\xe0") => {
            Some("is an old Excel workbook, which cannot be read; save it as .xlsx or CSV")
        }
        "parquet" | "pq" => Some("is not a usable Parquet file: it does not begin like one"),
        "npy" => Some("is not a NumPy array as `numpy.save` writes it"),
        _ => None,
    };
    if let Some(detail) = detail {
        return Err(Error::Table { file: name, detail: detail.into() });
    }
    let usual = matches!(extension.as_str(), "tsv" | "tab").then_some(b'\t');
    open_text(name, Box::new(file), usual, options)
}

/// Opens text from any source.
pub(in crate::data) fn text<'a>(
    name: String,
    source: impl Read + 'a,
    options: &TableOptions,
) -> Result<Opened<'a>> {
    Ok(open_text(name, Box::new(source), None, options)?.with_options(options))
}

/// Opens text: JSON, or cells with separators.
fn open_text<'a>(
    name: String,
    source: Box<dyn Read + 'a>,
    usual: Option<u8>,
    options: &TableOptions,
) -> Result<Opened<'a>> {
    let fail = |detail: String| Error::Table { file: name.clone(), detail };
    let named = options.text_encoding.as_deref().map(|label| {
        Encoding::for_label(label.as_bytes()).ok_or_else(|| {
            fail(format!("there is no text encoding `{}`; utf-8 and latin1 are two", Shown(label)))
        })
    });
    let decoded =
        decode::decoded(source, named.transpose()?).map_err(|error| fail(error.to_string()))?;
    let sample = String::from_utf8_lossy(&decoded.sample);
    if json::is_json(&sample) {
        return JsonRows::open(name, decoded.source, decoded.notes);
    }
    if let Some(what) = other_text(&sample) {
        return Err(fail(what.to_owned()));
    }
    drop(sample);
    CsvRows::open(name, decoded, usual, options)
}

/// What a text is that holds no table of cells.
fn other_text(sample: &str) -> Option<&'static str> {
    const MARKUP: [(&str, &str); 5] = [
        ("<!doctype html", "is HTML; save its table as CSV or .xlsx"),
        ("<html", "is HTML; save its table as CSV or .xlsx"),
        ("<table", "is HTML; save its table as CSV or .xlsx"),
        ("<?xml", "is XML; save its table as CSV or .xlsx"),
        ("{\\rtf", "is rich text; save its table as CSV or .xlsx"),
    ];
    let text = sample.trim_start();
    let begins = |(start, _): &&(&str, &str)| {
        text.get(..start.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(start))
    };
    if let Some((_, what)) = MARKUP.iter().find(begins) {
        return Some(what);
    }
    json::is_other_list(text).then_some(
        "is a JSON list of something else than records; a table is a list of objects, one for each row (pandas: \
         `orient=\"records\"`)",
    )
}

/// Opens an archive by what is in it.
#[cfg(any(feature = "npy", feature = "xlsx"))]
fn open_archive(name: String, file: File, options: &TableOptions) -> Result<Opened<'static>> {
    use crate::data::input::archive::{Kind, entries};
    let fail = |detail: String| Err(Error::Table { file: name.clone(), detail });
    let file = std::sync::Arc::new(file);
    let found = match entries(&file) {
        Ok(found) => found,
        Err(error) => return fail(error.to_string()),
    };
    match Kind::of(&found) {
        #[cfg(feature = "xlsx")]
        Kind::Workbook => crate::data::input::xlsx::SheetRows::open(name, file, options),
        #[cfg(not(feature = "xlsx"))]
        Kind::Workbook => Err(not_built(name, "Excel", "xlsx")),
        #[cfg(feature = "npy")]
        Kind::Arrays => crate::data::input::npz::open(name, file, found),
        #[cfg(not(feature = "npy"))]
        Kind::Arrays => Err(not_built(name, "NumPy", "npy")),
        Kind::OtherWorkbook => {
            fail("is a workbook that cannot be read; save it as .xlsx or CSV".into())
        }
        Kind::Other => {
            fail("is a zip archive, but none of arrays and no Excel workbook; unpack it".into())
        }
    }
}

#[cfg(not(any(feature = "npy", feature = "xlsx")))]
fn open_archive(name: String, _: File, _: &TableOptions) -> Result<Opened<'static>> {
    let detail = "is an archive: reading Excel workbooks needs the feature `xlsx`, and NumPy's archives `npy`, which are \
                  not enabled in this build";
    Err(Error::Table { file: name, detail: detail.into() })
}

#[cfg(not(all(feature = "arrow", feature = "npy", feature = "parquet", feature = "xlsx")))]
fn not_built(file: String, kind: &str, feature: &str) -> Error {
    let detail = format!(
        "reading {kind} files needs the feature `{feature}`, which is not enabled in this build; enable it or convert the file to CSV"
    );
    Error::Table { file, detail }
}
