//! Arguments that several subcommands share.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Args, ValueEnum, ValueHint};
use neuralize::data::{Scale, TableOptions};

use crate::parse;

/// Options of every subcommand.
#[derive(Args)]
pub(crate) struct Common {
    /// Backend that computes
    #[arg(long, global = true, value_enum, default_value_t = BackendName::Flex)]
    pub(crate) backend: BackendName,
    /// Precision of numbers [default: f64 on flex and ndarray, f32 on wgpu]
    #[arg(long, global = true, value_enum)]
    pub(crate) precision: Option<PrecisionName>,
    /// Print only results and errors
    #[arg(long, short, global = true)]
    pub(crate) quiet: bool,
    /// Separator of cells in CSV files, for input and output; `\t` is a tab [default: a comma, in
    /// .tsv and .tab files a tab]
    #[arg(long, global = true, value_name = "CHAR", value_parser = parse::delimiter)]
    pub(crate) delimiter: Option<u8>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum BackendName {
    /// CPU
    Flex,
    /// CPU, with the ndarray crate (needs a build with the feature `ndarray`)
    Ndarray,
    /// GPU (needs a build with the feature `wgpu`)
    Wgpu,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum PrecisionName {
    F32,
    F64,
}

/// The data of a fit.
#[derive(Args)]
pub(crate) struct TrainingArgs {
    /// Table: a .csv, .tsv, .parquet or .npy file; - reads CSV from standard input
    #[arg(value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub(crate) data: PathBuf,
    /// Scaling of the features
    #[arg(long, value_enum, default_value_t = ScaleName::None)]
    pub(crate) scale: ScaleName,
    /// Column to leave out (repeat for more)
    #[arg(long, value_name = "COL")]
    pub(crate) drop: Vec<String>,
}

impl TrainingArgs {
    /// How the table is read.
    pub(crate) fn options(&self, label: Option<&String>) -> TableOptions {
        let options = TableOptions::default();
        let options = label.into_iter().fold(options, TableOptions::with_label);
        self.drop.iter().fold(options, TableOptions::with_dropped)
    }
}

/// A model, and the data that it is applied to.
#[derive(Args)]
pub(crate) struct ModelArgs {
    /// Table with the features of the model among its columns, in any order; - reads CSV from
    /// standard input
    #[arg(value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub(crate) data: PathBuf,
    /// Folder of the model
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) model: PathBuf,
}

#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum ScaleName {
    /// No scaling
    None,
    /// To the range 0 to 1
    Minmax,
    /// To mean 0 and standard deviation 1
    Standard,
}

impl From<ScaleName> for Scale {
    fn from(name: ScaleName) -> Self {
        match name {
            ScaleName::None => Self::None,
            ScaleName::Minmax => Self::MinMax,
            ScaleName::Standard => Self::Standard,
        }
    }
}

/// Which part of the results is written.
#[derive(Args)]
pub(crate) struct SelectionArgs {
    /// Write only the N features of largest |relevance| of every row, and the sum of the others as
    /// `other` [default: all; in a table 3]
    #[arg(long, value_name = "N")]
    pub(crate) top: Option<NonZeroUsize>,
    /// Write only the first N results of the order
    #[arg(long, value_name = "N")]
    pub(crate) limit: Option<usize>,
}

/// Where results go, and in which format.
#[derive(Args)]
pub(crate) struct ResultArgs {
    /// File for the results [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) output: Option<PathBuf>,
    /// Format of the results [default: from the extension of the file, otherwise csv]
    #[arg(long, value_enum)]
    pub(crate) format: Option<FormatName>,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum FormatName {
    /// A line for every row
    Csv,
    /// An array of objects, one on every line
    Json,
    /// Apache Parquet
    Parquet,
    /// Aligned for a terminal
    Table,
}

/// Wrong usage: exit code 2.
#[derive(Debug)]
pub(crate) struct Usage(pub(crate) String);

impl std::fmt::Display for Usage {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Usage {}
