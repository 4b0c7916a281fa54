//! A table that may be larger than memory, part by part.

use std::path::Path;

use anyhow::{Result, anyhow, bail};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use neuralize::Error;
use neuralize::data::{RowSet, Scaler, Table, TableOptions, TableReader};
use neuralize::record::{Model, OutlierModel};

use crate::backend::Session;
use crate::input;
use crate::progress::Bar;

/// Numbers of a part, in the widest table it leads to.
const PART: usize = 1 << 19;

/// What is read of a table.
pub(super) struct Source<'a> {
    pub(super) path: &'a Path,
    /// A column of labels.
    pub(super) label: Option<&'a str>,
    /// These rows alone.
    pub(super) rows: Option<&'a RowSet>,
    /// At most so many of them.
    pub(super) limit: Option<usize>,
}

/// Rows of a table, one or more.
pub(super) struct Part<B: Backend> {
    /// Their numbers in the file, counted from 0, in ascending order.
    pub(super) rows: Vec<usize>,
    /// As the file has them, in the model's order of columns.
    pub(super) table: Table,
    /// Scaled as the model does.
    pub(super) scaled: Tensor<B, 2>,
}

/// What a model makes of a table.
pub(super) struct Intake<'a, B: Backend> {
    scaler: &'a Scaler<B>,
    features: &'a [String],
    /// Of the widest table that a row leads to.
    columns: usize,
}

impl<'a, B: Backend> From<&'a Model<B>> for Intake<'a, B> {
    fn from(model: &'a Model<B>) -> Self {
        let clusterer = model.clusterer();
        Self {
            scaler: model.scaler(),
            features: &model.info().features,
            columns: clusterer.n_features() + clusterer.n_clusters(),
        }
    }
}

impl<'a, B: Backend> From<&'a OutlierModel<B>> for Intake<'a, B> {
    fn from(model: &'a OutlierModel<B>) -> Self {
        let features = &model.info().features;
        Self { scaler: model.scaler(), features, columns: features.len() }
    }
}

impl<'a> Source<'a> {
    /// All rows, without labels.
    pub(super) fn all(path: &'a Path) -> Self {
        Self { path, label: None, rows: None, limit: None }
    }
}

/// Calls `body` with every part of a table that holds rows of the source. What
/// lies behind the last of them is not read.
pub(super) fn scaled_parts<'a, B: Backend>(
    session: &Session<B>,
    source: &Source<'_>,
    model: impl Into<Intake<'a, B>>,
    mut body: impl FnMut(&Part<B>) -> Result<()>,
) -> Result<()> {
    let path = source.path;
    let model = model.into();
    let mut options = session.table().with_selected(model.features.iter().cloned());
    if let Some(label) = source.label {
        options = options.with_label(label);
    }
    let mut reader = input::open(path, &options)?;
    note_ignored(session, &reader);
    let wanted = source.rows.map(|rows| match source.limit {
        Some(limit) => rows.lowest(limit),
        None => rows.clone(),
    });
    let end = match &wanted {
        _ if source.limit == Some(0) => 0,
        Some(rows) => rows.last().saturating_add(1),
        None => source.limit.unwrap_or(usize::MAX),
    };
    let most = (PART / model.columns).max(64);
    let mut bar = Bar::bytes(input::size(path), session.quiet);
    let (mut first, mut noted) = (0, false);
    while first < end {
        let asked = most.min(end - first);
        let read = reader.read_rows(asked)?;
        let next = first + read.rows();
        // Before anything of the last part is written.
        if let Some(rows) = &wanted
            && read.rows() < asked
            && rows.last() >= next
        {
            bail!(beyond_the_end(path, rows.last(), next));
        }
        if read.rows() == 0 {
            break;
        }
        let (rows, table) = match &wanted {
            None => ((first..next).collect(), read),
            Some(rows) => {
                let rows: Vec<usize> = rows.within(first..next).collect();
                let table = read.select(&rows.iter().map(|row| row - first).collect::<Vec<_>>());
                (rows, table)
            }
        };
        first = next;
        if !rows.is_empty() {
            if !std::mem::replace(&mut noted, true) {
                note_coarse(session, &table);
            }
            let scaled = table
                .to_tensor::<B>(&session.device, session.dtype)
                .and_then(|x| model.scaler.transform(x))
                .map_err(|error| {
                    in_file(error.into(), path, table.features(), |row| rows[row], RAW)
                })?;
            let part = Part { rows, table, scaled };
            body(&part).map_err(|error| {
                in_file(error, path, part.table.features(), |row| part.rows[row], SCALED)
            })?;
        }
        bar.set(reader.bytes_read(), String::new);
    }
    Ok(())
}

fn beyond_the_end(path: &Path, row: usize, rows: usize) -> String {
    let name = input::name(path);
    match rows {
        0 => format!("{name}: there is no row {row}, it has no rows"),
        _ => format!("{name}: there is no row {row}, it has {rows} rows, 0 to {}", rows - 1),
    }
}

/// Calls `body` with every part of the file and the number of rows before it.
pub(super) fn tables(
    path: &Path,
    options: &TableOptions,
    clusters: usize,
    mut body: impl FnMut(usize, &Table) -> Result<()>,
) -> Result<()> {
    let mut reader = input::open(path, options)?;
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

/// An error in a tensor told as one in the file it came from, whose row stands
/// for a row of the tensor.
pub(super) fn in_file(
    error: anyhow::Error,
    path: &Path,
    features: &[String],
    row_in_file: impl FnOnce(usize) -> usize,
    what: &str,
) -> anyhow::Error {
    let found = error.downcast_ref::<Error>().and_then(|error| match error {
        Error::TooLarge { row, column, value, .. } | Error::NonFinite { row, column, value, .. } => {
            let rule = "is too large, squared distances overflow in this precision; rescale the data (in f32, --precision f64 helps too)";
            Some((*row, *column, *value, rule.to_owned()))
        }
        Error::Domain { row, column, value, rule, .. } => {
            Some((*row, *column, *value, format!("cannot be used: {rule}")))
        }
        _ => None,
    });
    let Some((row, column, value, rule)) = found else { return error };
    let size = value.abs();
    let value = if size == 0.0 || (1e-4..1e9).contains(&size) {
        value.to_string()
    } else {
        format!("{value:e}")
    };
    anyhow!(
        "{}, row {} (counted from 0), column `{}`: {value}{what} {rule}",
        input::name(path),
        row_in_file(row),
        features.get(column).map_or("?", String::as_str),
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
pub(super) fn note_ignored<B: Backend>(session: &Session<B>, reader: &TableReader<'_>) {
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
