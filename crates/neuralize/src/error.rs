//! The one error type of the crate.

use std::path::{Path, PathBuf};

use burn::tensor::DType;

/// Result of every fallible function of this crate.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// What went wrong, where, and what to do about it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    // --- tensors -------------------------------------------------------
    /// There is nothing to work on.
    #[error("{what} is empty: it needs at least one row and one column")]
    Empty {
        /// The input that is empty.
        what: &'static str,
    },
    /// A tensor has another shape than its partner needs.
    #[error("{what} has shape {found:?}, expected {expected}")]
    Shape {
        /// The tensor.
        what: String,
        /// The shape it needs.
        expected: String,
        /// The shape it has.
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
    /// A finite value whose square does not fit the precision in use.
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
        /// The largest magnitude that is safe.
        limit: f64,
    },
    /// A value that the distance in use is not made for.
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
        /// What values must be, or what to do about this one.
        rule: String,
    },
    /// Sums over the data do not fit the precision in use.
    #[error(
        "sums over the data overflow in this precision; rescale the data or the weights, or use f64"
    )]
    Overflow,
    /// A variance that cannot be divided by.
    #[error(
        "the variance of column {column} in component {component} is {value:e}; it must be finite and at least {least:e} \
         in this precision: rescale the data or use f64"
    )]
    Variance {
        /// The component, counted from 0.
        component: usize,
        /// The column, counted from 0.
        column: usize,
        /// The variance found.
        value: f64,
        /// The smallest that is safe.
        least: f64,
    },
    /// A sample weight that is negative or not finite, or weights that sum to zero.
    #[error("sample weights must be finite, at least 0 and not all 0: {detail}")]
    Weights {
        /// What was found.
        detail: String,
    },
    /// A precision this crate does not compute in.
    #[error("{what} is {found:?}: only F32 and F64 are supported; cast it first")]
    UnsupportedDType {
        /// The tensor.
        what: &'static str,
        /// Its element type.
        found: DType,
    },
    /// Data and model differ in precision.
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
    /// The device computes this precision wrongly.
    #[error(
        "backend {backend} does not compute {dtype:?} correctly (its exponential is wrong); use F32 there, or a CPU backend"
    )]
    UnreliableDType {
        /// Name of the backend.
        backend: String,
        /// The element type.
        dtype: DType,
    },

    /// A backend whose device cannot be opened.
    #[error("no usable device: {device} cannot be opened; install its driver or use a CPU backend")]
    NoDevice {
        /// The device asked for.
        device: String,
    },

    // --- clustering and explanation ------------------------------------
    /// A setting that cannot be used.
    #[error("{name} = {value} cannot be used: {rule}")]
    Config {
        /// The setting.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it must satisfy.
        rule: String,
    },
    /// Fewer distinct points than clusters.
    #[error(
        "{clusters} clusters need at least {clusters} distinct points (of positive weight), the data have {distinct}; \
         ask for fewer clusters"
    )]
    TooFewPoints {
        /// Clusters asked for.
        clusters: usize,
        /// Distinct points found.
        distinct: usize,
    },
    /// One cluster only: there is nothing to tell it from.
    #[error(
        "a model of one cluster has no competitor, so no assignment can be explained; use two or more clusters"
    )]
    NoCompetitor,
    /// A cluster that the model does not have.
    #[error("there is no cluster {cluster}: the model has clusters 0 to {}", .clusters - 1)]
    UnknownCluster {
        /// The cluster asked for.
        cluster: usize,
        /// How many there are.
        clusters: usize,
    },
    /// A cluster contrasted with itself.
    #[error("cluster {cluster} cannot be contrasted with itself; name two different clusters")]
    SameCluster {
        /// The cluster.
        cluster: usize,
    },
    /// The heuristic β was asked of a model that was not fitted to data.
    #[error(
        "this model has no heuristic beta, because it was built without training data or its mean logit is not positive; \
         give beta as a value"
    )]
    NoHeuristicBeta,

    // --- encoders ------------------------------------------------------
    /// A network that relevance cannot be handed through, or not so.
    #[error(transparent)]
    Relevance(#[from] burn_lrp::Error),
    /// Training that came to numbers that are not finite.
    #[error(
        "training diverged in {phase} {epoch}: the loss is {loss}; lower the learning rate or scale the data"
    )]
    Diverged {
        /// What was being trained.
        phase: &'static str,
        /// The epoch, counted from 1.
        epoch: usize,
        /// The loss.
        loss: f64,
    },

    // --- tables --------------------------------------------------------
    /// A cell that is not a number.
    #[error("{file}, line {line}, column `{column}`: `{text}` is not a finite number")]
    Cell {
        /// The file.
        file: String,
        /// Line, counted from 1.
        line: u64,
        /// Name of the column.
        column: String,
        /// What the cell says.
        text: String,
    },
    /// Cells without a value.
    #[error(
        "{file}: {count} missing value{}, first at {first}; fill or drop these rows first",
        if *.count == 1 { "" } else { "s" }
    )]
    MissingValues {
        /// The file.
        file: String,
        /// How many there are in the part that was read.
        count: usize,
        /// The first ones, as line and column name.
        first: String,
    },
    /// A number of a table that a model cannot use.
    #[error(
        "{file}, row {row} (counted from 0), column `{column}`: {}{} {rule}",
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
    /// A column that the file does not have.
    #[error("{file}: there is no column `{column}`; its columns are {}", list(.available))]
    UnknownColumn {
        /// The file.
        file: String,
        /// The column asked for.
        column: String,
        /// The columns of the file.
        available: Vec<String>,
    },
    /// A file that is not a usable table.
    #[error("{file}: {detail}")]
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
    /// The operating system refused.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The cause.
        source: std::io::Error,
    },
    /// A record was loaded that is not of such a module.
    #[error("the record is not usable: {detail}")]
    Record {
        /// What is wrong.
        detail: String,
    },
    /// A model file that cannot be used.
    #[error("{}: {detail}", path.display())]
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
        move |source| Self::Io { path, source }
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
        let (at, column, value, rule) = match self {
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
        let column = columns.get(column).map_or("?", String::as_str).to_owned();
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

/// Names for a message: the first twenty, then how many more.
fn list(names: &[String]) -> String {
    const SHOWN: usize = 20;
    let mut text =
        names.iter().take(SHOWN).map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    text
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
