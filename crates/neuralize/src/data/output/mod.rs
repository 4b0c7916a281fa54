mod csv;
mod json;
mod layout;
#[cfg(feature = "parquet")]
mod parquet;
mod rows;
mod selection;
mod table;
mod writer;

use std::io::{self, Write};
use std::path::Path;

use burn::tensor::DType;

use crate::error::{Error, Result};
use crate::explain::logistic;
use layout::Layout;

pub use rows::RowSet;
pub use selection::{Selection, Sort};
pub use writer::{ExplanationWriter, OutlierWriter, PredictionWriter};

/// How results are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// Text, a line a point and a column a feature.
    Csv {
        /// The character between cells.
        delimiter: u8,
    },
    /// An array of objects, a line a point.
    Json,
    /// Apache Parquet (feature `parquet`), a column a feature.
    Parquet,
    /// Aligned for a terminal: a line a point with its strongest features.
    Table {
        /// Whether what speaks for a cluster is red and what speaks against it
        /// blue, by the escape sequences of terminals.
        coloured: bool,
    },
}

impl Format {
    /// The format that the ending of a file's name stands for: `.json`,
    /// `.parquet` or `.pq`, `.tsv` or `.tab` (text with tabs), `.csv`.
    ///
    /// ```
    /// use neuralize::data::Format;
    ///
    /// assert_eq!(Format::of("why.json"), Some(Format::Json));
    /// assert_eq!(Format::of("why.TSV"), Some(Format::Csv { delimiter: b'\t' }));
    /// assert_eq!(Format::of("why"), None);
    /// ```
    pub fn of(path: impl AsRef<Path>) -> Option<Self> {
        let extension = path.as_ref().extension()?.to_string_lossy().to_lowercase();
        match extension.as_str() {
            "csv" => Some(Self::Csv { delimiter: b',' }),
            "tsv" | "tab" => Some(Self::Csv { delimiter: b'\t' }),
            "json" => Some(Self::Json),
            "parquet" | "pq" => Some(Self::Parquet),
            _ => None,
        }
    }
}

/// Where results go and how: what writers of explanations and of predictions
/// are made of.
pub struct Results<W> {
    name: String,
    destination: W,
    format: Format,
    dtype: DType,
    clusters: Option<Vec<String>>,
}

impl<'a, W: Write + Send + 'a> Results<W> {
    /// `name` stands for the destination in messages. Numbers get the digits
    /// that their precision needs to be read back exactly.
    pub fn new(name: impl Into<String>, destination: W, format: Format, dtype: DType) -> Self {
        Self { name: name.into(), destination, format, dtype, clusters: None }
    }

    /// Clusters are written by these names, in their order, instead of their
    /// numbers, if there are any.
    pub fn with_cluster_names(mut self, names: Option<Vec<String>>) -> Self {
        self.clusters = names;
        self
    }

    fn sink(self, layout: Layout) -> Result<Box<dyn Sink + 'a>> {
        let Self { name, destination, format, .. } = self;
        Ok(match format {
            Format::Csv { delimiter } => {
                Box::new(csv::CsvSink::new(name, destination, delimiter, layout))
            }
            Format::Json => Box::new(json::JsonSink::new(name, destination, layout)),
            #[cfg(feature = "parquet")]
            Format::Parquet => Box::new(parquet::ParquetSink::new(name, destination, layout)?),
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => {
                let detail = "Parquet files are not written by this build; build it with the feature `parquet`";
                return Err(Error::Table { file: name, detail: detail.into() });
            }
            Format::Table { coloured } => {
                Box::new(table::TableSink::new(name, destination, coloured, layout))
            }
        })
    }
}

/// Writes rows in one format. What fails before the first row has written
/// nothing.
trait Sink {
    fn write(&mut self, row: &Row<'_>) -> Result<()>;

    fn finish(self: Box<Self>) -> Result<()>;
}

/// What there is to say of one point.
#[derive(Debug, Clone, Copy)]
struct Row<'a> {
    index: usize,
    /// None where no cluster is asked about.
    cluster: Option<usize>,
    /// What the relevances sum to.
    sum: f64,
    relevance: Relevance<'a>,
    /// Not a point that is contrasted with its own cluster: there is no answer.
    answers: bool,
}

/// As much of it as the layout of the rows asks for.
#[derive(Debug, Clone, Copy)]
enum Relevance<'a> {
    None,
    /// Of every feature.
    All(&'a [f64]),
    /// Features by number with their relevance, and the sum of the others.
    Strongest {
        features: &'a [(usize, f64)],
        other: f64,
    },
}

impl Row<'_> {
    /// Of the cluster against the one that the logit is about.
    fn probability(&self) -> Option<f64> {
        self.cluster.map(|_| logistic(self.sum))
    }
}

fn failed(name: &str) -> impl FnOnce(io::Error) -> Error {
    Error::io(Path::new(name))
}
