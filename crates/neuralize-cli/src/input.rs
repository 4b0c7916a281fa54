use std::fs;
use std::io;
use std::path::Path;

use anyhow::Result;
use neuralize::data::{TableOptions, TableReader};

/// Opens a table: a file of the kind that its name says, or standard input as
/// CSV.
pub(crate) fn open(path: &Path, options: &TableOptions) -> Result<TableReader<'static>> {
    Ok(if is_standard(path) {
        TableReader::csv(name(path), io::stdin().lock(), options)?
    } else {
        TableReader::open(path, options)?
    })
}

/// What messages call it.
pub(crate) fn name(path: &Path) -> String {
    if is_standard(path) { "standard input".into() } else { path.display().to_string() }
}

/// How many bytes there are to read, as far as it is known.
pub(crate) fn size(path: &Path) -> Option<u64> {
    fs::metadata(path).ok().filter(fs::Metadata::is_file).map(|found| found.len())
}

/// Whether it may give other rows, or none, when it is read a second time.
pub(crate) fn is_fleeting(path: &Path) -> bool {
    let special = |found: fs::Metadata| !found.is_file() && !found.is_dir();
    is_standard(path) || fs::metadata(path).is_ok_and(special)
}

pub(crate) fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}
