//! The one error type of the crate.

use std::path::{Path, PathBuf};

use burn::tensor::DType;

use crate::text::{Shown, is_unsafe};

/// The result of every fallible function of this crate.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// What went wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // --- tensors -------------------------------------------------------
    /// A table without rows or without columns.
    #[error("{what} is empty: it needs at least one row and one column")]
    Empty {
        /// The table.
        what: &'static str,
    },
    /// A tensor of the wrong shape.
    #[error("{what} has shape {found:?}, expected {expected}")]
    Shape {
        /// The tensor.
        what: String,
        /// The expected shape.
        expected: String,
        /// The shape that it has.
        found: Vec<usize>,
    },
    /// A NaN or an infinite value.
    #[error(
        "{what} holds {value} at row {row}, column {column}; remove or impute such values first"
    )]
    NonFinite {
        /// The tensor.
        what: &'static str,
        /// Row, counted from 0.
        row: usize,
        /// Column, counted from 0.
        column: usize,
        /// The value found.
        value: f64,
    },
    /// A cluster, a class or a value, by its number, that does not exist.
    #[error("{what} holds {found} at row {row}, expected a number below {count}")]
    Number {
        /// The list.
        what: String,
        /// Row, counted from 0.
        row: usize,
        /// The number found.
        found: usize,
        /// How many there are.
        count: usize,
    },
    /// A finite value whose square overflows in the precision in use.
    #[error(
        "{what} holds {value:e} at row {row}, column {column}: squared distances overflow beyond {limit:e} \
         in this precision; rescale the data or use f64"
    )]
    TooLarge {
        /// The tensor.
        what: &'static str,
        /// Row, counted from 0.
        row: usize,
        /// Column, counted from 0.
        column: usize,
        /// The value found.
        value: f64,
        /// The largest magnitude whose square does not overflow.
        limit: f64,
    },
    /// A value outside the domain of the distance.
    #[error("{what} holds {value} at row {row}, column {column}: {rule}")]
    Domain {
        /// The tensor.
        what: &'static str,
        /// Row, counted from 0.
        row: usize,
        /// Column, counted from 0.
        column: usize,
        /// The value found.
        value: f64,
        /// The domain, or what to do about this value.
        rule: String,
    },
    /// A column whose values differ by too little to be scaled.
    #[error(
        "the values of column {column} differ by {value:e} in all: too little to scale them in this precision; rescale \
         the column or leave it out"
    )]
    Spread {
        /// The column, counted from 0.
        column: usize,
        /// The difference of the largest and the smallest.
        value: f64,
    },
    /// Sums over the data that overflow in the precision in use.
    #[error(
        "sums over the data overflow in this precision; rescale the data or the weights, or use f64"
    )]
    Overflow,
    /// Rows that differ, but so little that squared differences are lost in the precision in use.
    #[error(
        "the rows differ by so little that squared differences are lost in this precision; rescale the data, by minmax for \
         example, or use f64"
    )]
    Underflow,
    /// A variance that is too small to divide by, or not finite.
    #[error(
        "the variance of column {column} in component {component} is {value:e}; it must be finite and at least {minimum:e} \
         in this precision: rescale the data or use f64"
    )]
    Variance {
        /// The component, counted from 0.
        component: usize,
        /// The column, counted from 0.
        column: usize,
        /// The variance found.
        value: f64,
        /// The smallest variance that can divide.
        minimum: f64,
    },
    /// Sample weights that are negative, not finite, or all zero.
    #[error("sample weights must be finite, at least 0 and not all 0: {detail}")]
    Weights {
        /// What is wrong.
        detail: String,
    },
    /// Passes over data in parts that do not have the same rows.
    #[error(
        "the data had {first} rows in the first pass and {rows} in pass {pass}: every pass must give all of them; an \
         iterator that is used up gives none"
    )]
    Passes {
        /// Rows in the first pass.
        first: usize,
        /// The pass, counted from 1.
        pass: usize,
        /// Rows in that pass.
        rows: usize,
    },
    /// A precision other than F32 and F64.
    #[error("{what} is {found:?}: only F32 and F64 are supported; cast it first")]
    UnsupportedDType {
        /// The tensor.
        what: &'static str,
        /// Its element type.
        found: DType,
    },
    /// Data of another precision than the model.
    #[error(
        "{what} is {found:?} but the model is {expected:?}: cast one of them, `x.cast(DType::{expected:?})`"
    )]
    DTypeMismatch {
        /// The tensor.
        what: &'static str,
        /// The model's element type.
        expected: DType,
        /// The tensor's element type.
        found: DType,
    },
    /// Data on another device than the model.
    #[error(
        "{what} is on device {found} but the model is on {expected}: move one of them, `to_device`"
    )]
    DeviceMismatch {
        /// The tensor.
        what: &'static str,
        /// The model's device.
        expected: String,
        /// The tensor's device.
        found: String,
    },
    /// A model whose parameters were quantised.
    #[error(
        "the parameters of the model are quantised: nothing here computes with such numbers; `checked()` restores \
         floats"
    )]
    Quantised,
    /// A precision that the device computes wrongly.
    #[error(
        "backend {backend} does not compute {dtype:?} correctly (its exponential is wrong); use F32 there, or a CPU backend"
    )]
    UnreliableDType {
        /// Name of the backend.
        backend: String,
        /// The element type.
        dtype: DType,
    },
    /// A device that cannot be opened.
    #[error("no usable device: {device} cannot be opened; install its driver or use a CPU backend")]
    NoDevice {
        /// The device.
        device: String,
    },

    // --- clustering and explanation ------------------------------------
    /// An invalid setting.
    #[error("{name} = {} cannot be used: {rule}", setting(.value))]
    Config {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What the value must be.
        rule: String,
    },
    /// Fewer distinct points than clusters.
    #[error(
        "{clusters} clusters need at least {clusters} distinct points (of positive weight), the data have {distinct}; \
         use fewer clusters"
    )]
    TooFewPoints {
        /// The number of clusters.
        clusters: usize,
        /// The number of distinct points.
        distinct: usize,
    },
    /// A model of one cluster, whose assignments have no explanation.
    #[error(
        "a model of one cluster has no competitor, so no assignment can be explained; use two or more clusters"
    )]
    NoCompetitor,
    /// A cluster that the model does not have.
    #[error("there is no cluster {cluster}: the model has clusters 0 to {}", .clusters - 1)]
    UnknownCluster {
        /// The cluster.
        cluster: usize,
        /// The model's number of clusters.
        clusters: usize,
    },
    /// A contrast of a cluster with itself.
    #[error("cluster {cluster} cannot be contrasted with itself; name two different clusters")]
    SameCluster {
        /// The cluster.
        cluster: usize,
    },
    /// The heuristic β of a model that has none.
    #[error(
        "this model has no heuristic beta, because it was built without training data, was trained since, or its mean \
         logit is not positive; give beta as a value or call `with_heuristic_beta`"
    )]
    NoHeuristicBeta,

    // --- encoders ------------------------------------------------------
    /// A secant pass through an encoder whose model has no roots.
    #[error(
        "this deep k-means has no roots: it was built without inputs, was trained since, or its inputs are token ids or \
         differ in shape; call `with_roots` with inputs of its clusters, `explain_from_inputs` with roots of yours, or \
         choose `Pass::Lrp`"
    )]
    NoRoots,
    /// A relevance pass through an encoder that is not possible.
    #[error(transparent)]
    Relevance(#[from] burn_lrp::Error),
    /// Training whose loss became NaN or infinite.
    #[error(
        "training diverged in {phase} {epoch}: the loss is {loss}; lower the learning rate or scale the data"
    )]
    Diverged {
        /// The phase of training.
        phase: &'static str,
        /// The epoch, counted from 1.
        epoch: usize,
        /// The loss.
        loss: f64,
    },

    // --- tables --------------------------------------------------------
    /// A cell that is not a number.
    #[error(
        "{}, line {line}, column `{}`: `{}` {reason}",
        Shown::path(.file),
        Shown(.column),
        Shown(.text)
    )]
    Cell {
        /// The file.
        file: String,
        /// Line, counted from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// The text of the cell.
        text: String,
        /// Why it cannot be used.
        reason: &'static str,
    },
    /// Cells without a value.
    #[error(
        "{}: {count} missing value{}, first at {first}; fill or drop these rows first",
        Shown::path(.file),
        if *.count == 1 { "" } else { "s" }
    )]
    MissingValues {
        /// The file.
        file: String,
        /// The number of missing values in the part that was read.
        count: usize,
        /// The first of them, as line and column name.
        first: String,
    },
    /// A number of a table that a model cannot use.
    #[error(
        "{}, row {row} (counted from 0), column `{}`: {}{} {rule}",
        Shown::path(.file),
        Shown(.column),
        number(*.value),
        if *.scaled { " (after scaling)" } else { "" }
    )]
    Value {
        /// The file.
        file: String,
        /// Row, counted from 0.
        row: usize,
        /// Name of the column.
        column: String,
        /// The number.
        value: f64,
        /// Whether the number is the one in the file after scaling.
        scaled: bool,
        /// Why it cannot be used and what to do.
        rule: String,
    },
    /// Columns that the file does not have.
    #[error(
        "{}: there is no column {}; its columns are {}{advice}",
        Shown::path(.file),
        missing_columns(.columns),
        list(.available)
    )]
    UnknownColumn {
        /// The file.
        file: String,
        /// The columns, each with the one of the nearest name, if one is near.
        columns: Vec<(String, Option<String>)>,
        /// The columns of the file.
        available: Vec<String>,
        /// What may have been forgotten; may be empty.
        advice: &'static str,
    },
    /// A file that is not a usable table.
    #[error("{}: {detail}", Shown::path(.file))]
    Table {
        /// The file.
        file: String,
        /// What is wrong.
        detail: String,
    },

    // --- figures -------------------------------------------------------
    /// A figure that cannot be drawn or written.
    #[error("the figure cannot be made: {detail}")]
    Figure {
        /// What is wrong and what to do.
        detail: String,
    },

    // --- files ---------------------------------------------------------
    /// An error of the operating system.
    #[error("{}: {source}", Shown::path(.path))]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A record of another module than the one that it was loaded into.
    #[error("the record is not usable: {detail}")]
    Record {
        /// What is wrong.
        detail: String,
    },
    /// A model file that cannot be used.
    #[error("{}: {detail}", Shown::path(.path))]
    Model {
        /// The file or folder.
        path: PathBuf,
        /// What is wrong and what to do.
        detail: String,
    },
}

impl Error {
    pub(crate) fn io(path: &Path) -> impl FnOnce(std::io::Error) -> Self {
        let path = path.to_path_buf();
        move |source| Self::Io { path, source: plain(source) }
    }

    pub(crate) fn model(path: &Path, detail: impl Into<String>) -> Self {
        Self::Model { path: path.to_path_buf(), detail: detail.into() }
    }

    pub(crate) fn config(
        name: &'static str,
        value: impl ToString,
        rule: impl Into<String>,
    ) -> Self {
        Self::Config { name, value: value.to_string(), rule: rule.into() }
    }

    /// Replaces the row and column of a tensor by those of the table that it was
    /// made from: its row `i` is row `row(i)` of `file`. Errors that are not about
    /// a single value stay as they are.
    pub(crate) fn located(
        self,
        file: &str,
        columns: &[String],
        row: impl FnOnce(usize) -> usize,
        scaled: bool,
    ) -> Self {
        let name = |column: usize| columns.get(column).map_or("?", String::as_str).to_owned();
        let (at, column, value, rule) = match self {
            Self::Spread { column, value } => {
                let detail = format!(
                    "column `{}`: its values differ by {value:e} in all, too little to scale them; rescale the column or drop it",
                    Shown(&name(column))
                );
                return Self::Table { file: file.to_owned(), detail };
            }
            Self::TooLarge { row, column, value, .. }
            | Self::NonFinite { row, column, value, .. } => {
                let rule = "is too large, its square overflows in this precision; rescale the data (or, in f32, use f64)";
                (row, column, value, rule.to_owned())
            }
            Self::Domain { row, column, value, rule, .. } => {
                (row, column, value, format!("cannot be used: {rule}"))
            }
            other => return other,
        };
        let column = name(column);
        Self::Value { file: file.to_owned(), row: row(at), column, value, scaled, rule }
    }

    pub(crate) fn shape(
        what: impl Into<String>,
        expected: impl Into<String>,
        found: &[usize],
    ) -> Self {
        Self::Shape { what: what.into(), expected: expected.into(), found: found.to_vec() }
    }
}

impl Shown<'_> {
    /// A path, or the name of a file, in a message: none of its characters controls a terminal, and of
    /// more than 200 the middle is left out, since the end says the most.
    ///
    /// ```
    /// use neuralize::data::Shown;
    ///
    /// assert_eq!(Shown::path("data/two\nlines.csv"), "data/two\\nlines.csv");
    /// ```
    pub fn path(path: impl AsRef<Path>) -> String {
        const LONGEST: usize = 200;
        const FIRST: usize = 60;
        let mut text = String::new();
        for character in path.as_ref().to_string_lossy().chars() {
            if is_unsafe(character) {
                text.extend(character.escape_default());
            } else {
                text.push(character);
            }
        }
        let count = text.chars().count();
        if count <= LONGEST {
            return text;
        }
        let first: String = text.chars().take(FIRST).collect();
        let last: String = text.chars().skip(count - (LONGEST - FIRST)).collect();
        format!("{first}…{last}")
    }
}

/// An error of the operating system without the name of a temporary file, which nobody asked for, and
/// without long paths.
fn plain(source: std::io::Error) -> std::io::Error {
    let text = source.to_string();
    // So ends what `tempfile` says.
    let known = text.split_once(" at path \"").map_or(text.as_str(), |(known, _)| known);
    let shown = Shown::path(known);
    if shown == text { source } else { std::io::Error::new(source.kind(), shown) }
}

/// The value of a setting in a message: short, a long number by the digits that count.
fn setting(value: &str) -> String {
    const LONG: usize = 20;
    match value.parse::<f64>() {
        Ok(number) if value.len() > LONG => format!("{number:e}"),
        _ => Shown(value).to_string(),
    }
}

/// Names for a message: the first eight and the number of the others.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 8;
    let mut text = names
        .iter()
        .take(SHOWN)
        .map(|name| format!("`{}`", Shown(name)))
        .collect::<Vec<_>>()
        .join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
}

/// `a` (did you mean `b`?), nor `c`
fn missing_columns(columns: &[(String, Option<String>)]) -> String {
    const SHOWN: usize = 3;
    let shown = columns.iter().take(SHOWN);
    let shown = shown
        .map(|(name, nearest)| format!("`{}`{}", Shown(name), did_you_mean(nearest.as_deref())));
    let shown = shown.collect::<Vec<_>>().join(", nor ");
    match columns.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown}, nor {more} more"),
    }
}

fn did_you_mean(nearest: Option<&str>) -> String {
    nearest.map_or_else(String::new, |name| format!(" (did you mean `{}`?)", Shown(name)))
}

/// A number for a message: as it is where it is neither long nor tiny.
fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || (1e-4..1e9).contains(&size) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}
