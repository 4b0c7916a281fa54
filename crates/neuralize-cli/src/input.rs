//! Tables from files and standard input.

use std::fs;
use std::io;
use std::path::Path;

use anyhow::Result;
use neuralize::data::{Shown, Survey, SurveyOptions, TableOptions, TableReader};

/// Opens a table: a file, whose content determines its kind, or text from standard input.
pub(crate) fn open(path: &Path, options: &TableOptions) -> Result<TableReader<'static>> {
    Ok(if is_standard(path) {
        TableReader::csv(name(path), io::stdin().lock(), options)?
    } else {
        TableReader::open(path, options)?
    })
}

/// Reads a table and finds out what its columns are; in full, or without keeping it.
pub(crate) fn survey(path: &Path, options: &SurveyOptions, keep: bool) -> Result<Survey> {
    Ok(if is_standard(path) {
        Survey::csv(name(path), io::stdin().lock(), options)?
    } else if keep {
        Survey::open(path, options)?
    } else {
        Survey::scan(path, options)?
    })
}

/// The name of the table in messages.
pub(crate) fn name(path: &Path) -> String {
    if is_standard(path) { "standard input".into() } else { Shown::path(path) }
}

/// The name of the table in results: the path as it is.
pub(crate) fn full_name(path: &Path) -> String {
    if is_standard(path) { name(path) } else { path.display().to_string() }
}

/// The title of a report on the table.
pub(crate) fn title(path: &Path) -> String {
    match path.file_name() {
        Some(name) if !is_standard(path) => name.to_string_lossy().into_owned(),
        _ => name(path),
    }
}

/// Number of bytes to read, if known.
pub(crate) fn size(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|found| found.len())
}

/// Whether it can be read only once.
pub(crate) fn is_read_once(path: &Path) -> bool {
    let special = |found: fs::Metadata| !found.is_file() && !found.is_dir();
    is_standard(path) || fs::metadata(path).is_ok_and(special)
}

fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}
