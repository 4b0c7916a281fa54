//! The destination of results, from which writers are made.

use std::io::Write;

use burn::tensor::DType;

use crate::error::Result;
use crate::output::csv::CsvSink;
use crate::output::format::Format;
use crate::output::json::JsonSink;
use crate::output::layout::{Content, Layout, ResultKind};
#[cfg(feature = "parquet")]
use crate::output::parquet::ParquetSink;
use crate::output::row::{Destination, Sink};
use crate::output::selection::Selection;
use crate::output::table::TableSink;
use crate::output::writer::{ExplanationWriter, OutlierWriter, PredictionWriter, RowWriter};
#[cfg(feature = "xlsx")]
use crate::output::xlsx::ExcelSink;

/// Destination and format of results. Makes the writers of explanations, outlier
/// scores and predictions.
pub struct Results<'a> {
    name: String,
    destination: Destination<'a>,
    format: Format,
    dtype: DType,
    clusters: Option<Vec<String>>,
    id: Option<String>,
}

impl<'a> Results<'a> {
    /// Error messages call the destination `name`. Numbers get as many digits as
    /// reading them back exactly in precision `dtype` takes.
    pub fn new(
        name: impl Into<String>,
        destination: impl Write + Send + 'a,
        format: Format,
        dtype: DType,
    ) -> Self {
        let destination = Box::new(destination);
        Self { name: name.into(), destination, format, dtype, clusters: None, id: None }
    }

    /// Writes the names of clusters, in their order, instead of their numbers. With
    /// `None`, numbers are written.
    pub fn with_cluster_names(mut self, names: Option<Vec<String>>) -> Self {
        self.clusters = names;
        self
    }

    /// Writes the names of rows, too, in a column of this name; rows are written by
    /// [`RowKey::named`](crate::output::RowKey::named). With `None`, they have no names.
    pub fn with_row_names(mut self, column: Option<String>) -> Self {
        self.id = column;
        self
    }

    /// A writer of explanations with columns of these names: the features and, for
    /// networks with biases that absorb relevance, their parts
    /// ([`contribution_names`](crate::network::Network::contribution_names)).
    ///
    /// # Errors
    ///
    /// If the format needs a feature that is not enabled.
    pub fn explanations(
        self,
        features: &[String],
        selection: Selection,
    ) -> Result<ExplanationWriter<'a>> {
        self.rows(ResultKind::Cluster, features, selection).map(ExplanationWriter::new)
    }

    /// A writer of explained outlier scores with columns of these names.
    ///
    /// # Errors
    ///
    /// As [`explanations`](Self::explanations).
    pub fn outliers(self, features: &[String], selection: Selection) -> Result<OutlierWriter<'a>> {
        self.rows(ResultKind::Outlier, features, selection).map(OutlierWriter::new)
    }

    /// A writer of predictions.
    ///
    /// # Errors
    ///
    /// As [`explanations`](Self::explanations).
    pub fn predictions(self) -> Result<PredictionWriter<'a>> {
        self.sink(ResultKind::Cluster, Content::Prediction).map(PredictionWriter::new)
    }

    fn rows(
        self,
        kind: ResultKind,
        features: &[String],
        selection: Selection,
    ) -> Result<RowWriter<'a>> {
        let (features, width) = (features.to_vec(), features.len());
        let top = selection.top.map(|top| top.get().min(width));
        let content = match top {
            Some(count) => Content::Strongest { features, count },
            None => Content::All { features },
        };
        Ok(RowWriter::new(self.sink(kind, content)?, selection, width, top))
    }

    fn sink(self, kind: ResultKind, content: Content) -> Result<Box<dyn Sink + 'a>> {
        let Self { name, destination, format, dtype, clusters, id } = self;
        let layout = Layout { kind, content, dtype, clusters, id };
        Ok(match format {
            Format::Csv { delimiter } => {
                Box::new(CsvSink::new(name, destination, delimiter, layout))
            }
            Format::Json => Box::new(JsonSink::new(name, destination, layout)),
            #[cfg(feature = "parquet")]
            Format::Parquet => Box::new(ParquetSink::new(name, destination, layout)?),
            #[cfg(not(feature = "parquet"))]
            Format::Parquet => {
                let detail = "writing Parquet files needs the feature `parquet`, which is not enabled in this build";
                return Err(crate::Error::Table { file: name, detail: detail.into() });
            }
            #[cfg(feature = "xlsx")]
            Format::Xlsx => Box::new(ExcelSink::new(name, destination, layout)?),
            #[cfg(not(feature = "xlsx"))]
            Format::Xlsx => {
                let detail = "writing Excel workbooks needs the feature `xlsx`, which is not enabled in this build";
                return Err(crate::Error::Table { file: name, detail: detail.into() });
            }
            Format::Table { coloured } => {
                Box::new(TableSink::new(name, destination, coloured, layout))
            }
        })
    }
}
