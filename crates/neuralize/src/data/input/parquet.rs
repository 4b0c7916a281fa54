//! Rows of Parquet files.

use std::cell::Cell;
use std::fs::File;
use std::panic::{self, AssertUnwindSafe, catch_unwind};
use std::sync::Once;
use std::thread;

use half::f16;
use parquet::basic::{ConvertedType, LogicalType, Type as Physical};
use parquet::column::reader::{ColumnReader, ColumnReaderImpl};
use parquet::data_type::DataType;
use parquet::errors::ParquetError;
use parquet::file::reader::{FileReader, SerializedFileReader};
use parquet::schema::types::ColumnDescriptor;

use crate::data::input::builder::TableBuilder;
use crate::data::input::columns::Columns;
use crate::data::input::options::TableOptions;
use crate::data::input::rows::Rows;
use crate::error::{Error, Result};

/// Rows of a Parquet file, row group by row group.
pub(super) struct ParquetRows {
    source: SerializedFileReader<File>,
    bytes: u64,
    /// The columns that are read: features, then the label.
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
    is_label: bool,
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
    /// Dates, times and durations.
    Time,
}

/// Values of some rows of a column; a null is NaN or an empty text.
enum Values {
    Numbers(Vec<f64>),
    Texts(Vec<String>),
}

impl ParquetRows {
    pub(super) fn open(
        name: String,
        file: File,
        options: &TableOptions,
    ) -> Result<(Columns, Self)> {
        let fail = |detail: String| Error::Table { file: name.clone(), detail };
        let bytes = file.metadata().map_or(0, |found| found.len());
        if bytes == 0 {
            return Err(fail("the file is empty, expected a Parquet file".into()));
        }
        let source = guarded(|| SerializedFileReader::new(file))
            .map_err(|detail| fail(format!("is not a usable Parquet file: {detail}")))?;
        let schema = source.metadata().file_metadata().schema_descr();
        let fields = schema.root_schema().get_fields();
        if fields.is_empty() {
            return Err(fail("the file has no columns".into()));
        }
        let header: Vec<String> = fields.iter().map(|field| field.name().to_owned()).collect();
        let columns = Columns::named(name.clone(), header, options)?;

        let selected = columns.positions.iter().chain(&columns.label).enumerate();
        let selected = selected.map(|(order, &position)| {
            let (name, is_label) = (&columns.header[position], order == columns.positions.len());
            let leaf = (0..schema.num_columns())
                .find(|leaf| schema.get_column_root_idx(*leaf) == position)
                .filter(|leaf| {
                    fields[position].is_primitive() && schema.column(*leaf).max_rep_level() == 0
                });
            let Some(leaf) = leaf else {
                return Err(fail(format!("column `{name}` is nested; flatten it, or drop it")));
            };
            match ValueKind::of(&schema.column(leaf)) {
                ValueKind::TooWide => Err(fail(format!(
                    "column `{name}` holds decimals of more than 38 digits; convert it, or drop it"
                ))),
                ValueKind::Text if !is_label => Err(fail(format!(
                    "column `{name}` holds text, not numbers; drop it, or use it as the label"
                ))),
                ValueKind::Bytes => {
                    Err(fail(format!("column `{name}` holds bytes, not numbers; drop it")))
                }
                ValueKind::Time if !is_label => Err(fail(format!(
                    "column `{name}` holds dates or times, not numbers; convert it, or drop it"
                ))),
                kind => Ok(SelectedColumn { name: name.clone(), leaf, kind, is_label }),
            }
        });
        let selected = selected.collect::<Result<Vec<_>>>()?;
        let (next_group, readers) = (0, Vec::new());
        let rows = Self { source, bytes, columns: selected, next_group, readers, left: 0, done: 0 };
        Ok((columns, rows))
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
    fn read(&mut self, columns: &Columns, limit: usize, table: &mut TableBuilder) -> Result<()> {
        // Rows decoded at a time.
        const CHUNK: usize = 1 << 12;
        let fail = |detail| Error::Table { file: columns.file.clone(), detail };
        let damaged = |detail| fail(format!("cannot be read to its end: {detail}"));
        let mut missing = limit;
        while missing > 0 {
            if self.left == 0 {
                if self.advance().map_err(damaged)? { continue } else { break }
            }
            let count = self.left.min(missing).min(CHUNK);
            let mut cells = Vec::with_capacity(columns.features.len());
            for (reader, column) in self.readers.iter_mut().zip(&self.columns) {
                let values = guarded(|| Values::read(reader, column, count))
                    .map_err(|detail| damaged(format!("column `{}`: {detail}", column.name)))?;
                match (values, &mut table.labels) {
                    (Values::Numbers(numbers), _) if cells.len() < columns.features.len() => {
                        cells.push(numbers);
                    }
                    (Values::Numbers(numbers), Some(labels)) => {
                        labels.extend(numbers.iter().map(|number| {
                            if number.is_nan() { String::new() } else { number.to_string() }
                        }));
                    }
                    (Values::Texts(texts), Some(labels)) => labels.extend(texts),
                    (_, None) => {}
                }
            }
            for row in 0..count {
                let first = table.values.len();
                table.values.extend(cells.iter().map(|column| column[row]));
                table.check_row(columns, self.done, first)?;
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
        match (column.physical_type(), column.logical_type_ref(), column.converted_type()) {
            (Physical::INT96, ..)
            | (_, Some(LogicalType::Date | LogicalType::Time(_) | LogicalType::Timestamp(_)), _)
            | (
                _,
                _,
                ConvertedType::DATE
                | ConvertedType::TIME_MILLIS
                | ConvertedType::TIME_MICROS
                | ConvertedType::TIMESTAMP_MILLIS
                | ConvertedType::TIMESTAMP_MICROS
                | ConvertedType::INTERVAL,
            ) => Self::Time,
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

impl Values {
    /// The next `count` values of a column.
    fn read(
        reader: &mut ColumnReader,
        column: &SelectedColumn,
        count: usize,
    ) -> Result<Self, ParquetError> {
        let kind = column.kind;
        let decimal = |unscaled: i128| match kind {
            ValueKind::Decimal { scale } => scaled(unscaled, scale),
            _ => unscaled as f64,
        };
        let numbers = match reader {
            ColumnReader::BoolColumnReader(reader) => {
                numbers(reader, count, |value| f64::from(u8::from(*value)))?
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
            ColumnReader::Int64ColumnReader(reader) if column.is_label => {
                return Ok(Self::Texts(each(reader, count, |value| match kind {
                    ValueKind::Unsigned => value.cast_unsigned().to_string(),
                    ValueKind::Decimal { .. } => decimal(i128::from(*value)).to_string(),
                    _ => value.to_string(),
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
                    String::from_utf8_lossy(value.data()).trim().to_owned()
                };
                return Ok(Self::Texts(each(reader, count, text)?));
            }
            ColumnReader::ByteArrayColumnReader(reader) => {
                wide_decimals(reader, count, |value| value.data(), decimal)?
            }
        };
        Ok(Self::Numbers(numbers))
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

/// The float nearest to unscaled · 10^-scale, the same as for these digits in a
/// text.
fn scaled(unscaled: i128, scale: i32) -> f64 {
    // Up to here both numbers are exact, and the division rounds once.
    const EXACT: u128 = 1 << 53;
    match scale {
        0..=22 if unscaled.unsigned_abs() <= EXACT => unscaled as f64 / 10f64.powi(scale),
        _ => format!("{unscaled}e{}", -i64::from(scale)).parse().unwrap_or(f64::NAN),
    }
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

/// Catches a panic without printing it.
fn quietly<T>(step: impl FnOnce() -> T) -> thread::Result<T> {
    thread_local! {
        static CAUGHT: Cell<bool> = const { Cell::new(false) };
    }
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let hook = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            if !CAUGHT.get() {
                hook(info);
            }
        }));
    });
    CAUGHT.set(true);
    let found = catch_unwind(AssertUnwindSafe(step));
    CAUGHT.set(false);
    found
}
