//! Results as Parquet.

use std::io::{self, Write};
use std::sync::Arc;

use burn::tensor::DType;
use parquet::basic::{Compression, LogicalType, Repetition, Type as Physical, ZstdLevel};
use parquet::data_type::{ByteArray, ByteArrayType, DoubleType, FloatType, Int32Type, Int64Type};
use parquet::errors::ParquetError;
use parquet::file::properties::WriterProperties;
use parquet::file::writer::SerializedFileWriter;
use parquet::schema::types::{Type, TypePtr};

use crate::error::{Error, Result};
use crate::output::layout::{Layout, ResultKind};
use crate::output::row::{Destination, Relevance, Row, Sink, failed};

/// Writes a column for every feature, in row groups of bounded size.
pub(super) struct ParquetSink<'a> {
    name: String,
    /// `None` once the first row group has been written.
    destination: Option<Destination<'a>>,
    writer: Option<SerializedFileWriter<Destination<'a>>>,
    schema: TypePtr,
    layout: Layout,
    columns: Vec<ColumnValues>,
    rows: usize,
    /// Rows of a full row group.
    group: usize,
}

/// The values of a column in the current row group.
enum ColumnValues {
    Index(Vec<i64>),
    /// Names of the rows.
    Id(Vec<String>),
    Cluster(Vec<i32>),
    /// Numbers of clusters, which are written by name.
    Named(Vec<usize>),
    Number(Vec<f64>),
    /// Numbers of features, which are written by name.
    Feature(Vec<usize>),
}

impl<'a> ParquetSink<'a> {
    pub(super) fn new(name: String, destination: Destination<'a>, layout: Layout) -> Result<Self> {
        // Numbers in a row group.
        const GROUP: usize = 1 << 22;
        let double = layout.dtype == DType::F64;
        let (mut fields, mut columns) = (Vec::new(), Vec::new());
        let cluster = 1 + usize::from(layout.id.is_some());
        for (at, header) in layout.header().iter().enumerate() {
            let (physical, column) = match at {
                0 => (Physical::INT64, ColumnValues::Index(Vec::new())),
                1 if cluster == 2 => (Physical::BYTE_ARRAY, ColumnValues::Id(Vec::new())),
                _ if at == cluster
                    && layout.kind == ResultKind::Cluster
                    && layout.clusters.is_some() =>
                {
                    (Physical::BYTE_ARRAY, ColumnValues::Named(Vec::new()))
                }
                _ if at == cluster && layout.kind == ResultKind::Cluster => {
                    (Physical::INT32, ColumnValues::Cluster(Vec::new()))
                }
                _ if layout.names_a_feature(at) => {
                    (Physical::BYTE_ARRAY, ColumnValues::Feature(Vec::new()))
                }
                _ if double => (Physical::DOUBLE, ColumnValues::Number(Vec::new())),
                _ => (Physical::FLOAT, ColumnValues::Number(Vec::new())),
            };
            let text = (physical == Physical::BYTE_ARRAY).then_some(LogicalType::String);
            let field = Type::primitive_type_builder(header, physical)
                .with_repetition(Repetition::REQUIRED)
                .with_logical_type(text)
                .build();
            fields.push(Arc::new(field.map_err(|error| unusable(&name, error))?));
            columns.push(column);
        }
        let schema = Type::group_type_builder("neuralize").with_fields(fields).build();
        Ok(Self {
            schema: Arc::new(schema.map_err(|error| unusable(&name, error))?),
            group: (GROUP / columns.len()).clamp(1 << 10, 1 << 18),
            name,
            destination: Some(destination),
            writer: None,
            layout,
            columns,
            rows: 0,
        })
    }

    /// Writes the collected rows as a row group.
    fn write_group(&mut self) -> Result<(), ParquetError> {
        if let Some(destination) = self.destination.take() {
            self.writer = Some(begin(destination, &self.schema)?);
        }
        let Some(writer) = self.writer.as_mut().filter(|_| self.rows > 0) else { return Ok(()) };
        let double = self.layout.dtype == DType::F64;
        let mut group = writer.next_row_group()?;
        for values in &mut self.columns {
            let Some(mut column) = group.next_column()? else { break };
            match values {
                ColumnValues::Index(values) => {
                    column.typed::<Int64Type>().write_batch(values, None, None)?;
                    values.clear();
                }
                ColumnValues::Id(values) => {
                    let names: Vec<ByteArray> =
                        values.drain(..).map(|name| ByteArray::from(name.as_str())).collect();
                    column.typed::<ByteArrayType>().write_batch(&names, None, None)?;
                }
                ColumnValues::Cluster(values) => {
                    column.typed::<Int32Type>().write_batch(values, None, None)?;
                    values.clear();
                }
                ColumnValues::Number(values) if double => {
                    column.typed::<DoubleType>().write_batch(values, None, None)?;
                    values.clear();
                }
                ColumnValues::Number(values) => {
                    let single: Vec<f32> = values.drain(..).map(|value| value as f32).collect();
                    column.typed::<FloatType>().write_batch(&single, None, None)?;
                }
                ColumnValues::Feature(values) => {
                    let features = self.layout.features();
                    let name = |feature: usize| ByteArray::from(features[feature].as_str());
                    let names: Vec<ByteArray> = values.drain(..).map(name).collect();
                    column.typed::<ByteArrayType>().write_batch(&names, None, None)?;
                }
                ColumnValues::Named(values) => {
                    let name = |cluster: usize| self.layout.cluster(cluster).unwrap_or_default();
                    let names: Vec<ByteArray> =
                        values.drain(..).map(|cluster| ByteArray::from(name(cluster))).collect();
                    column.typed::<ByteArrayType>().write_batch(&names, None, None)?;
                }
            }
            column.close()?;
        }
        group.close()?;
        self.rows = 0;
        Ok(())
    }
}

impl Sink for ParquetSink<'_> {
    fn write(&mut self, row: &Row<'_>) -> Result<()> {
        let probability: Vec<f64> = row.probability().into_iter().collect();
        let (features, values, other): (&[(usize, f64)], &[f64], Option<f64>) = match &row.relevance
        {
            Relevance::None => (&[], &probability, None),
            Relevance::All(values) => (&[], values, None),
            Relevance::Strongest { features, other } => (features, &[], Some(*other)),
        };
        let mut named = features.iter().map(|(feature, _)| *feature);
        let strongest = features.iter().map(|(_, value)| *value);
        let mut numbers =
            std::iter::once(row.sum).chain(values.iter().copied()).chain(strongest).chain(other);
        for column in &mut self.columns {
            match column {
                ColumnValues::Index(column) => column.push(row.index as i64),
                ColumnValues::Id(column) => {
                    column.push(row.id.as_deref().unwrap_or_default().to_owned());
                }
                ColumnValues::Cluster(column) => {
                    column.extend(row.cluster.map(|cluster| cluster as i32))
                }
                ColumnValues::Named(column) => column.extend(row.cluster),
                ColumnValues::Number(column) => column.extend(numbers.next()),
                ColumnValues::Feature(column) => column.extend(named.next()),
            }
        }
        self.rows += 1;
        if self.rows == self.group {
            self.write_group().map_err(|error| unusable(&self.name, error))
        } else {
            Ok(())
        }
    }

    fn finish(mut self: Box<Self>) -> Result<()> {
        self.write_group().map_err(|error| unusable(&self.name, error))?;
        let Some(writer) = self.writer else { return Ok(()) };
        let mut destination = writer.into_inner().map_err(|error| unusable(&self.name, error))?;
        destination.flush().map_err(failed(&self.name))
    }
}

fn begin<'a>(
    destination: Destination<'a>,
    schema: &TypePtr,
) -> Result<SerializedFileWriter<Destination<'a>>, ParquetError> {
    let properties = WriterProperties::builder()
        .set_compression(Compression::ZSTD(ZstdLevel::default()))
        .set_created_by(concat!("neuralize ", env!("CARGO_PKG_VERSION")).into())
        .build();
    SerializedFileWriter::new(destination, Arc::clone(schema), Arc::new(properties))
}

/// The writer's error; an I/O error, such as a closed pipe, stays one.
fn unusable(name: &str, error: ParquetError) -> Error {
    let source = match error {
        ParquetError::External(cause) => match cause.downcast::<io::Error>() {
            Ok(source) => *source,
            Err(cause) => io::Error::other(cause),
        },
        error => io::Error::other(error),
    };
    failed(name)(source)
}
