//! A CSV file that may be larger than memory, part by part.

use std::fs;
use std::io::Read;
use std::path::Path;

use anyhow::{Result, anyhow};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use neuralize::Error;
use neuralize::data::{CsvOptions, Table, TableReader};
use neuralize::record::Model;

use crate::backend::Session;
use crate::progress::Bar;

/// Numbers of a part, in the widest table it leads to.
const PART: usize = 1 << 19;

/// Calls `body` with every part of the file, scaled, in the model's order of
/// columns.
pub(super) fn scaled_parts<B: Backend>(
    session: &Session<B>,
    path: &Path,
    model: &Model<B>,
    mut body: impl FnMut(Tensor<B, 2>) -> Result<()>,
) -> Result<()> {
    let options = session.csv().with_selected(model.info().features.clone());
    let mut reader = TableReader::open(path, &options)?;
    note_ignored(session, &reader);
    let clusterer = model.clusterer();
    let rows = (PART / (clusterer.n_features() + clusterer.n_clusters())).max(64);
    let bytes = fs::metadata(path).map_or(0, |found| found.len());
    let mut bar = Bar::bytes(bytes, session.quiet);
    let mut first = 0;
    loop {
        let table = reader.read_rows(rows)?;
        if table.rows() == 0 {
            return Ok(());
        }
        if first == 0 {
            note_coarse(session, &table);
        }
        let features = table.features();
        let at = |error, what| in_file(error, path, features, first, what);
        let x =
            table.to_tensor::<B>(&session.device, session.dtype).map_err(|e| at(e.into(), RAW))?;
        let scaled = model.scaler().transform(x).map_err(|e| at(e.into(), RAW))?;
        body(scaled).map_err(|error| at(error, SCALED))?;
        first += table.rows();
        bar.set(reader.bytes_read(), String::new);
    }
}

/// Calls `body` with every part of the file and the number of rows before it.
pub(super) fn tables(
    path: &Path,
    options: &CsvOptions,
    clusters: usize,
    mut body: impl FnMut(usize, &Table) -> Result<()>,
) -> Result<()> {
    let mut reader = TableReader::open(path, options)?;
    let rows = (PART / (reader.features().len() + clusters)).max(64);
    let mut first = 0;
    loop {
        let table = reader.read_rows(rows)?;
        if table.rows() == 0 {
            return Ok(());
        }
        body(first, &table)?;
        first += table.rows();
    }
}

/// What a number in a message is: as the file has it, or scaled by the model.
pub(super) const RAW: &str = "";
pub(super) const SCALED: &str = ", scaled as the model does,";

/// An error in a tensor told as one in the file it came from: `first` rows of
/// the file came before the tensor's.
pub(super) fn in_file(
    error: anyhow::Error,
    path: &Path,
    features: &[String],
    first: usize,
    what: &str,
) -> anyhow::Error {
    let (row, column, value) = match error.downcast_ref::<Error>() {
        Some(
            Error::TooLarge { row, column, value, .. }
            | Error::NonFinite { row, column, value, .. },
        ) => (row, column, value),
        _ => return error,
    };
    anyhow!(
        "{}, row {} (counted from 0), column `{}`: {value:e}{what} is too large, squared distances overflow in this \
         precision; rescale the data or use --precision f64",
        path.display(),
        first + row,
        features.get(*column).map_or("?", String::as_str),
    )
}

/// Says which columns the precision in use cannot tell apart.
pub(super) fn note_coarse<B: Backend>(session: &Session<B>, table: &Table) {
    if session.dtype != DType::F32 {
        return;
    }
    let coarse = table.coarse_in_f32();
    if !coarse.is_empty() {
        let names = coarse.join("`, `");
        session.note(format!(
            "note: `{names}`: these values are too far from 0 for f32 to tell them apart well; use --precision f64"
        ));
    }
}

/// Says which columns of the file are not used.
pub(super) fn note_ignored<B: Backend, R: Read>(session: &Session<B>, reader: &TableReader<R>) {
    const SHOWN: usize = 10;
    let ignored = reader.ignored();
    if !ignored.is_empty() {
        let names = ignored[..ignored.len().min(SHOWN)].join("`, `");
        let more = match ignored.len().saturating_sub(SHOWN) {
            0 => String::new(),
            more => format!(" and {more} more"),
        };
        session.note(format!(
            "note: columns that the model does not know are ignored: `{names}`{more}"
        ));
    }
}
