//! Arguments that several subcommands share.

use std::num::NonZeroUsize;
use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum, ValueHint};
use neuralize::data::{ColumnKind, Decimal, Missing, Scale, Shown, SurveyOptions, TableOptions};

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
    /// Separator of cells in text files, for input and output; `\t` is a tab [default: found from the
    /// first lines; a comma in output, in .tsv and .tab files a tab]
    #[arg(long, global = true, value_name = "CHAR", value_parser = parse::delimiter)]
    pub(crate) delimiter: Option<u8>,
    /// Decimal sign of numbers that are text; a model keeps it [default: that of the model, else found
    /// from the first lines of a text file]
    #[arg(long, global = true, value_name = ".|,", value_parser = parse::decimal)]
    pub(crate) decimal: Option<Decimal>,
    /// Encoding of a text file, such as latin1 or utf-16le [default: UTF-8, else Windows-1252]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) encoding: Option<String>,
    /// Whether the first line of a text file or sheet names the columns; if not, they are x0, x1, ..
    /// [default: yes, and a first line of numbers is an error]
    #[arg(long, global = true, value_name = "yes|no", value_parser = parse::yes_or_no)]
    pub(crate) header: Option<bool>,
    /// Lines to leave out at the beginning of a text file or sheet
    #[arg(long, global = true, value_name = "N", default_value_t = 0, hide_default_value = true, value_parser = parse::whole::<usize>, allow_negative_numbers = true)]
    pub(crate) skip: usize,
    /// Sheet of an Excel workbook, by its name or its number, counted from 1 [default: the first with
    /// cells]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) sheet: Option<String>,
    /// Value that stands for a missing one in all columns, such as -99 (repeat for more); a model keeps
    /// it [default: empty cells, NA, NaN, null, ? and their like]
    #[arg(long, global = true, value_name = "VALUE", allow_hyphen_values = true)]
    pub(crate) na: Vec<String>,
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
    /// Table: text (CSV and its relatives, also compressed), JSON, Parquet, an Excel workbook, NumPy
    /// arrays, or a folder of part files; - reads text from standard input
    #[arg(value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub(crate) data: PathBuf,
    /// Scaling of the features; auto is standard where columns differ ten times in spread or some are
    /// categories, otherwise none
    #[arg(long, value_enum, default_value_t = ScaleName::Auto)]
    pub(crate) scale: ScaleName,
    /// Columns to use as features, separated by commas (repeat for more) [default: all that can be]
    #[arg(long, value_name = "A,B,..")]
    pub(crate) columns: Vec<String>,
    /// Columns to leave out, separated by commas (repeat for more)
    #[arg(long, value_name = "A,B,..")]
    pub(crate) drop: Vec<String>,
    /// Column that names the rows
    #[arg(long, value_name = "NAME")]
    pub(crate) id: Option<String>,
    /// What a column is: number, flag, category, date, id or text (repeat for more)
    #[arg(long = "as", value_name = "NAME=KIND", value_parser = parse::kind)]
    pub(crate) kinds: Vec<(String, ColumnKind)>,
    /// Missing values: fill (by the median or the most frequent value), drop (the row) or error
    #[arg(long, value_enum, default_value_t = MissingName::Fill)]
    pub(crate) missing: MissingName,
    /// Column of which to take the logarithm of 1 + number (repeat for more)
    #[arg(long, value_name = "NAME")]
    pub(crate) log: Vec<String>,
}

impl TrainingArgs {
    /// How the table is read.
    pub(crate) fn options(&self, label: Option<&String>) -> TableOptions {
        let options = TableOptions::default();
        let options = label.into_iter().fold(options, TableOptions::with_label);
        let options = self.drop.iter().fold(options, TableOptions::with_dropped);
        let options = self.id.iter().fold(options, TableOptions::with_id);
        if self.columns.is_empty() { options } else { options.with_selected(&self.columns) }
    }

    /// How it is decided what columns are; an error if a column is said to be two things.
    pub(crate) fn survey(&self, table: TableOptions) -> Result<SurveyOptions, Usage> {
        let mut options = SurveyOptions::new(table).with_missing(self.missing.into());
        for (at, (name, kind)) in self.kinds.iter().enumerate() {
            if self.kinds[..at].iter().any(|(known, other)| known == name && other != kind) {
                let text = format!("--as: column `{}` is given two kinds; say one", Shown(name));
                return Err(Usage(text));
            }
            options = options.with_kind(name, *kind);
        }
        Ok(self.log.iter().fold(options, SurveyOptions::with_log))
    }
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum MissingName {
    /// The median of the column stands for it, or the most frequent value
    Fill,
    /// The row is left out
    Drop,
    /// An error
    Error,
}

impl From<MissingName> for Missing {
    fn from(name: MissingName) -> Self {
        match name {
            MissingName::Fill => Self::Fill,
            MissingName::Drop => Self::Drop,
            MissingName::Error => Self::Error,
        }
    }
}

/// A model, and the data that it is applied to.
#[derive(Args)]
pub(crate) struct ModelArgs {
    /// Table with the features of the model among its columns, in any order; - reads text from
    /// standard input
    #[arg(value_name = "DATA", value_hint = ValueHint::FilePath)]
    pub(crate) data: PathBuf,
    /// Folder of the model
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    pub(crate) model: PathBuf,
    /// Column that names the rows [default: that of the fit, if the table has it]
    #[arg(long, value_name = "NAME")]
    pub(crate) id: Option<String>,
}

impl ModelArgs {
    /// The options of a model, with the column that names the rows.
    pub(crate) fn options(&self, options: TableOptions) -> TableOptions {
        self.id.iter().fold(options, TableOptions::with_id)
    }
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum ScaleName {
    /// Standard where it is needed, otherwise none
    Auto,
    /// No scaling
    None,
    /// To the range 0 to 1
    Minmax,
    /// To mean 0 and standard deviation 1
    Standard,
    /// To median 0 and interquartile range 1
    Robust,
}

impl ScaleName {
    /// The scaling, if it is named.
    pub(crate) fn named(self) -> Option<Scale> {
        match self {
            Self::Auto => None,
            Self::None => Some(Scale::None),
            Self::Minmax => Some(Scale::MinMax),
            Self::Standard => Some(Scale::Standard),
            Self::Robust => Some(Scale::Robust),
        }
    }
}

/// Which part of the results is written.
#[derive(Args)]
pub(crate) struct SelectionArgs {
    /// Write only the N features of largest |relevance| of every row, and the sum of the others as
    /// `other` [default: all; in a table 3]
    #[arg(long, value_name = "N", value_parser = parse::at_least_one, allow_negative_numbers = true)]
    pub(crate) top: Option<NonZeroUsize>,
    /// Write only the first N results of the order
    #[arg(long, value_name = "N", value_parser = parse::whole::<usize>, allow_negative_numbers = true)]
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
    /// Excel workbook
    Xlsx,
    /// Aligned for a terminal
    Table,
}

/// The format of an answer that is more than one table of rows.
#[derive(Clone, Copy, PartialEq, ValueEnum)]
pub(crate) enum AnswerFormat {
    /// Sentences and tables
    Text,
    /// All figures
    Json,
    /// One table of figures
    Csv,
    /// The same as an Excel workbook
    Xlsx,
}

/// How a report is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum PageFormat {
    /// A page for the browser
    Html,
    /// The clusters as Markdown, for a wiki
    Md,
}

impl PageFormat {
    /// From the extension of a file, unless it is given.
    pub(crate) fn of(path: &Path, given: Option<Self>) -> Result<Self, Usage> {
        if let Some(format) = given {
            return Ok(format);
        }
        let extension = path.extension().unwrap_or_default().to_string_lossy().to_lowercase();
        match extension.as_str() {
            "md" | "markdown" => Ok(Self::Md),
            "pdf" | "txt" | "csv" | "tsv" | "json" | "xlsx" | "parquet" | "svg" | "png" => {
                let text = format!(
                    "a page is not written as .{extension}; name a .html or .md file, or give --format"
                );
                Err(Usage(text))
            }
            _ => Ok(Self::Html),
        }
    }
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
