//! Rows of Parquet files.

use std::fs::File;

use half::f16;
use parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use crate::data::input::cell::{Cell, Place};
use crate::data::input::columnar::{index_columns, scaled};
use crate::data::input::columns::Columns;
use crate::data::input::guard::quietly;
use crate::data::input::opened::Opened;
use crate::data::input::rows::{Rows, Sink};
use crate::error::{Error, Result};
use crate::text::Shown;

/// Rows of a Parquet file, row group by row group.
pub(super) struct ParquetRows {
    source: SerializedFileReader<File>,
    bytes: u64,
    /// Index among the leaf columns of the file, and kind, of every flat column.
    leaves: Vec<Option<(usize, ValueKind)>>,
    /// The columns that are read: features, then the label, then the names of the rows.
    columns: Vec<SelectedColumn>,
    next_group: usize,
    /// Readers of these columns in the current group, and its remaining rows.
    readers: Vec<ColumnReader>,
    left: usize,
    done: u64,
}

struct SelectedColumn {
    name: String,
    /// Its index among the leaf columns of the file.
    leaf: usize,
    kind: ValueKind,
    is_text: bool,
}

/// What the stored values of a column mean.
#[derive(Debug, Clone, Copy, PartialEq)]
enum ValueKind {
    /// Numbers as they are stored.
    Plain,
    /// Unsigned integers.
    Unsigned,
    /// Integers in units of 10^-scale.
    Decimal {
        scale: i32,
    },
    /// Floats of 16 bits.
    Half,
    Text,
    Bytes,
    /// Decimals of more than 38 digits.
    TooWide,
    /// Dates and times, so many units a day.
    Time {
        per_day: f64,
    },
}

/// Values of some rows of a column; a null is NaN or no text.
enum Values {
    Numbers(Vec<f64>),
    Whole(Vec<f64>),
    Days(Vec<f64>),
    Flags(Vec<Option<bool>>),
    Texts(Vec<Option<String>>),
}

impl Values {
    fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Numbers(values) => Cell::Number(values[row]),
            Self::Whole(values) => Cell::Whole(values[row]),
            Self::Days(values) => Cell::Day(values[row]),
            Self::Flags(values) => values[row].map_or(Cell::Missing, Cell::Flag),
            Self::Texts(values) => values[row].as_deref().map_or(Cell::Missing, Cell::Text),
        }
    }

    fn text(&self, row: usize) -> String {
        self.cell(row).text()
    }
}

/// What helps where a file is damaged.
const AGAIN: &str = "save or download the file again";

impl ParquetRows {
    pub(super) fn open(name: String, file: File) -> Result<Opened<'static>> {
        let fail = |detail: String| Error::Table { file: name.clone(), detail };
        let bytes = file.metadata().map_or(0, |found| found.len());
        if bytes == 0 {
            return Err(fail("the file is empty, expected a Parquet file".into()));
        }
        let unusable = |detail: String| {
            let detail = detail.trim_end_matches('.');
            fail(format!("is not a usable Parquet file: {detail}; {AGAIN}"))
        };
        let source = guarded(|| SerializedFileReader::new(file)).map_err(unusable)?;
        let metadata = source.metadata().file_metadata();
        let schema = metadata.schema_descr();
        let fields = schema.root_schema().get_fields();
        if fields.is_empty() {
            return Err(fail("the file has no columns".into()));
        }
        let header: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
        // The leaf of every column that is flat.
        let mut leaves = vec![None; fields.len()];
        for leaf in 0..schema.num_columns() {
            let position = schema.get_column_root_idx(leaf);
            if fields[position].is_primitive() && schema.column(leaf).max_rep_level() == 0 {
                leaves[position] = Some((leaf, ValueKind::of(&schema.column(leaf))));
            }
        }
        let obstacles = leaves.iter().enumerate().filter_map(|(at, leaf)| {
            let why = match leaf {
                None => "is nested",
                Some((_, ValueKind::TooWide)) => "holds decimals of more than 38 digits",
                Some((_, ValueKind::Bytes)) => "holds bytes, not numbers",
                Some(_) => return None,
            };
            Some((at, why.to_owned()))
        });
        let obstacles = obstacles.collect();
        let mut entries = metadata.key_value_metadata().into_iter().flatten();
        let pandas = entries.find(|entry| entry.key == "pandas");
        let indices = index_columns(pandas.and_then(|entry| entry.value.as_deref()), &header);
        let (next_group, readers) = (0, Vec::new());
        let columns = Vec::new();
        let rows = Self { source, bytes, leaves, columns, next_group, readers, left: 0, done: 0 };
        let mut opened = Opened::new(name, header, rows);
        opened.obstacles = obstacles;
        opened.indices = indices;
        Ok(opened)
    }

    /// Goes to the next row group, if there is one.
    fn advance(&mut self) -> Result<bool, String> {
        if self.next_group == self.source.num_row_groups() {
            return Ok(false);
        }
        let group = guarded(|| self.source.get_row_group(self.next_group))?;
        self.left = usize::try_from(group.metadata().num_rows())
            .map_err(|_| "a row group has a negative number of rows".to_owned())?;
        self.readers = self
            .columns
            .iter()
            .map(|column| guarded(|| group.get_column_reader(column.leaf)))
            .collect::<Result<_, _>>()?;
        self.next_group += 1;
        Ok(true)
    }
}

impl Rows for ParquetRows {
    fn select(&mut self, columns: &Columns) -> Result<()> {
        let features = columns.positions.len();
        let leaves = columns.all_positions().enumerate().filter_map(|(order, position)| {
            let (leaf, kind) = self.leaves[position]?;
            let name = columns.names.get(order).unwrap_or(&columns.label_name).clone();
            Some(SelectedColumn { name, leaf, kind, is_text: order >= features })
        });
        self.columns = leaves.collect();
        Ok(())
    }

    fn read(&mut self, columns: &Columns, limit: usize, sink: &mut dyn Sink) -> Result<()> {
        // Rows decoded at a time.
        const CHUNK: usize = 1 << 12;
        let fail = |detail| Error::Table { file: columns.file.clone(), detail };
        let damaged = |detail| fail(format!("cannot be read to its end: {detail}; {AGAIN}"));
        let mut missing = limit;
        while missing > 0 {
            if self.left == 0 {
                if self.advance().map_err(damaged)? { continue } else { break }
            }
            let count = self.left.min(missing).min(CHUNK);
            let mut values = Vec::with_capacity(self.columns.len());
            for (reader, column) in self.readers.iter_mut().zip(&self.columns) {
                values.push(guarded(|| Values::read(reader, column, count)).map_err(|detail| {
                    damaged(format!("column `{}`: {detail}", Shown(&column.name)))
                })?);
            }
            let (features, others) = values.split_at(columns.positions.len());
            for row in 0..count {
                let place = || Place::Row(self.done);
                for (at, values) in features.iter().enumerate() {
                    sink.cell(columns, at, values.cell(row), &place)?;
                }
                let mut others = others.iter();
                if let Some(values) = others.next().filter(|_| columns.label.is_some()) {
                    sink.label(&values.text(row));
                }
                if columns.id.is_some() {
                    let last = values.last().map(|values| values.text(row));
                    sink.id(&last.unwrap_or_default());
                }
                sink.end_row(columns);
                self.done += 1;
            }
            self.left -= count;
            missing -= count;
        }
        Ok(())
    }

    fn bytes_read(&self) -> u64 {
        let rows = self.source.metadata().file_metadata().num_rows().max(1);
        (self.bytes as f64 * (self.done as f64 / rows as f64)) as u64
    }
}

impl ValueKind {
    fn of(column: &ColumnDescriptor) -> Self {
        let decimal = match column.logical_type_ref() {
            Some(LogicalType::Decimal(decimal)) => Some((decimal.scale, decimal.precision)),
            _ if column.converted_type() == ConvertedType::DECIMAL => {
                Some((column.type_scale(), column.type_precision()))
            }
            _ => None,
        };
        match decimal {
            Some((scale, ..=38)) => return Self::Decimal { scale },
            Some(_) => return Self::TooWide,
            None => {}
        }
        if let Some(per_day) = units_per_day(column) {
            return Self::Time { per_day };
        }
        match (column.physical_type(), column.logical_type_ref(), column.converted_type()) {
            (_, Some(LogicalType::Integer(integer)), _) if !integer.is_signed => Self::Unsigned,
            (
                _,
                _,
                ConvertedType::UINT_8
                | ConvertedType::UINT_16
                | ConvertedType::UINT_32
                | ConvertedType::UINT_64,
            ) => Self::Unsigned,
            (Physical::FIXED_LEN_BYTE_ARRAY, Some(LogicalType::Float16), _) => Self::Half,
            (Physical::FIXED_LEN_BYTE_ARRAY, ..) => Self::Bytes,
            // Without a logical type, bytes are usually text.
            (Physical::BYTE_ARRAY, ..) => Self::Text,
            _ => Self::Plain,
        }
    }
}

/// The units of a column of dates or times that make a day.
fn units_per_day(column: &ColumnDescriptor) -> Option<f64> {
    const SECONDS: f64 = 86_400.0;
    let of = |unit: &TimeUnit| match unit {
        TimeUnit::MILLIS => SECONDS * 1e3,
        TimeUnit::MICROS => SECONDS * 1e6,
        TimeUnit::NANOS => SECONDS * 1e9,
    };
    match (column.physical_type(), column.logical_type_ref(), column.converted_type()) {
        (Physical::INT96, ..) => Some(SECONDS * 1e9),
        (_, Some(LogicalType::Date), _) | (_, _, ConvertedType::DATE) => Some(1.0),
        (_, Some(LogicalType::Time(time)), _) => Some(of(&time.unit)),
        (_, Some(LogicalType::Timestamp(time)), _) => Some(of(&time.unit)),
        (_, _, ConvertedType::TIME_MILLIS | ConvertedType::TIMESTAMP_MILLIS) => Some(SECONDS * 1e3),
        (_, _, ConvertedType::TIME_MICROS | ConvertedType::TIMESTAMP_MICROS) => Some(SECONDS * 1e6),
        _ => None,
    }
}

impl Values {
    /// The next `count` values of a column.
    fn read(
        reader: &mut ColumnReader,
        column: &SelectedColumn,
        count: usize,
    ) -> Result<Self, ParquetError> {
        let kind = column.kind;
        let is_time = matches!(kind, ValueKind::Time { .. });
        let is_whole = matches!(
            reader,
            ColumnReader::Int32ColumnReader(_) | ColumnReader::Int64ColumnReader(_)
        );
        let ended = |numbers: Vec<f64>| match kind {
            ValueKind::Time { per_day } => {
                Self::Days(numbers.into_iter().map(|number| number / per_day).collect())
            }
            ValueKind::Plain | ValueKind::Unsigned if is_whole => Self::Whole(numbers),
            _ => Self::Numbers(numbers),
        };
        let decimal = |unscaled: i128| match kind {
            ValueKind::Decimal { scale } => scaled(unscaled, scale),
            _ => unscaled as f64,
        };
        let numbers = match reader {
            ColumnReader::BoolColumnReader(reader) => {
                return Ok(Self::Flags(each(reader, count, |value| Some(*value))?));
            }
            ColumnReader::Int32ColumnReader(reader) => match kind {
                ValueKind::Unsigned => {
                    numbers(reader, count, |value| f64::from(value.cast_unsigned()))?
                }
                ValueKind::Decimal { .. } => {
                    numbers(reader, count, |value| decimal(i128::from(*value)))?
                }
                _ => numbers(reader, count, |value| f64::from(*value))?,
            },
            // A label may be an integer that f64 cannot hold.
            ColumnReader::Int64ColumnReader(reader) if column.is_text && !is_time => {
                return Ok(Self::Texts(each(reader, count, |value| {
                    Some(match kind {
                        ValueKind::Unsigned => value.cast_unsigned().to_string(),
                        ValueKind::Decimal { .. } => decimal(i128::from(*value)).to_string(),
                        _ => value.to_string(),
                    })
                })?));
            }
            ColumnReader::Int64ColumnReader(reader) => match kind {
                ValueKind::Unsigned => {
                    numbers(reader, count, |value| value.cast_unsigned() as f64)?
                }
                ValueKind::Decimal { .. } => {
                    numbers(reader, count, |value| decimal(i128::from(*value)))?
                }
                _ => numbers(reader, count, |value| *value as f64)?,
            },
            ColumnReader::Int96ColumnReader(reader) => {
                numbers(reader, count, |value| value.to_nanos() as f64)?
            }
            ColumnReader::FloatColumnReader(reader) => {
                numbers(reader, count, |value| f64::from(*value))?
            }
            ColumnReader::DoubleColumnReader(reader) => numbers(reader, count, |value| *value)?,
            ColumnReader::FixedLenByteArrayColumnReader(reader) => match kind {
                ValueKind::Half => numbers(reader, count, |value| match *value.data() {
                    [a, b] => f16::from_le_bytes([a, b]).to_f64(),
                    _ => f64::NAN,
                })?,
                _ => wide_decimals(reader, count, |value| value.data(), decimal)?,
            },
            ColumnReader::ByteArrayColumnReader(reader) if kind == ValueKind::Text => {
                let text = |value: &parquet::data_type::ByteArray| {
                    Some(String::from_utf8_lossy(value.data()).trim().to_owned())
                };
                return Ok(Self::Texts(each(reader, count, text)?));
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                wide_decimals(reader, count, |value| value.data(), decimal)?
            }
        };
        Ok(ended(numbers))
    }
}

fn numbers<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    count: usize,
    number: impl Fn(&T::T) -> f64,
) -> Result<Vec<f64>, ParquetError> {
    let found = each(reader, count, |value| Some(number(value)))?;
    Ok(found.into_iter().map(|number| number.unwrap_or(f64::NAN)).collect())
}

/// Decimals stored as big-endian bytes. Bytes before the last sixteen repeat the
/// sign: wider decimals were refused when the file was opened.
fn wide_decimals<T: DataType>(
    reader: &mut ColumnReaderImpl<T>,
    count: usize,
    bytes: impl Fn(&T::T) -> &[u8],
    decimal: impl Fn(i128) -> f64,
) -> Result<Vec<f64>, ParquetError> {
    const WIDEST: usize = size_of::<i128>();
    numbers(reader, count, |value| {
        let bytes = bytes(value);
        let negative = bytes.first().is_some_and(|byte| byte.cast_signed() < 0);
        let kept = &bytes[bytes.len().saturating_sub(WIDEST)..];
        let mut wide = [if negative { 0xff } else { 0 }; WIDEST];
        wide[WIDEST - kept.len()..].copy_from_slice(kept);
        decimal(i128::from_be_bytes(wide))
    })
}

/// Converts the next `count` values; a null becomes the default value.
fn each<T: DataType, V: Default>(
    reader: &mut ColumnReaderImpl<T>,
    count: usize,
    of: impl Fn(&T::T) -> V,
) -> Result<Vec<V>, ParquetError> {
    let (mut levels, mut found) = (Vec::new(), Vec::with_capacity(count));
    let (records, ..) = reader.read_records(count, Some(&mut levels), None, &mut found)?;
    if records != count {
        return Err(ParquetError::EOF("it has fewer values than rows".into()));
    }
    if levels.is_empty() {
        return Ok(found.iter().map(of).collect());
    }
    let mut found = found.iter();
    let value = |level: i16| match level {
        0 => V::default(),
        _ => found.next().map(&of).unwrap_or_default(),
    };
    Ok(levels.into_iter().map(value).collect())
}

/// Runs a step of the reader and describes its error. The reader panics on some
/// damaged files; that is an error, too.
fn guarded<T>(step: impl FnOnce() -> Result<T, ParquetError>) -> Result<T, String> {
    const DAMAGED: &str = "it is damaged";
    match quietly(step) {
        Ok(Ok(done)) => Ok(done),
        Ok(Err(ParquetError::EOF(text) | ParquetError::General(text))) => Err(text),
        Ok(Err(error)) => Err(error.to_string()),
        Err(_) => Err(DAMAGED.into()),
    }
}
