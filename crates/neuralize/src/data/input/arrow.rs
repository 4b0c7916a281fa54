//! Rows of Arrow files: Feather, and streams of record batches.

use std::collections::{HashMap, VecDeque};
use std::fs::File;
use std::io::{self, BufReader, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Date64Type, Decimal32Type, Decimal64Type, Decimal128Type,
    DurationMicrosecondType, DurationMillisecondType, DurationNanosecondType, DurationSecondType,
    Float16Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Time32MillisecondType,
    Time32SecondType, Time64MicrosecondType, Time64NanosecondType, TimestampMicrosecondType,
    TimestampMillisecondType, TimestampNanosecondType, TimestampSecondType, UInt8Type, UInt16Type,
    UInt32Type,
};
use arrow_array::{
    Array, ArrayRef, BooleanArray, Int64Array, LargeStringArray, StringArray, StringViewArray,
    UInt64Array,
};
use arrow_buffer::{Buffer, MutableBuffer};
use arrow_ipc::convert::try_fb_to_schema;
use arrow_ipc::reader::{read_dictionary, read_record_batch};
use arrow_ipc::{Block, Message, MessageHeader, RecordBatch, root_as_footer, root_as_message};
use arrow_schema::{ArrowError, DataType, Schema, SchemaRef, TimeUnit};

use crate::data::input::cell::{Cell, Place};
use crate::data::input::columnar::{index_columns, scaled};
use crate::data::input::columns::Columns;
use crate::data::input::guard::guarded;
use crate::data::input::opened::Opened;
use crate::data::input::rows::{Rows, Sink};
use crate::error::{Error, Result};
use crate::text::Shown;

/// A batch may be so much larger than its file when it is unpacked, or so many bytes.
const UNPACKED_PER_BYTE: u64 = 200;
const UNPACKED: u64 = 1 << 30;

/// A batch may have so many rows without any values.
const EMPTY_ROWS: u64 = 1 << 24;

const SECONDS: f64 = 86_400.0;

/// Rows of an Arrow file, batch by batch.
pub(super) struct ArrowRows {
    messages: Messages,
    schema: SchemaRef,
    dictionaries: HashMap<i64, ArrayRef>,
    /// Positions of the columns that are read, in ascending order.
    selected: Vec<usize>,
    /// Those of the current batch; its rows, and how many of them were read.
    columns: Vec<Option<Column>>,
    rows: usize,
    at: usize,
    done: u64,
}

impl ArrowRows {
    pub(super) fn open(name: String, file: File) -> Result<Opened<'static>> {
        let fail = |detail: String| Error::Table { file: name.clone(), detail };
        let failed = |fault: Fault| fault.error(&name, "is not a usable Arrow file");
        let bytes = file.metadata().map_err(|error| Error::io(Path::new(&name))(error))?.len();
        let (messages, schema) = Messages::open(file, bytes).map_err(failed)?;
        if schema.fields().is_empty() {
            return Err(fail("is an Arrow file without columns".into()));
        }
        let header: Vec<String> =
            schema.fields().iter().map(|field| field.name().clone()).collect();
        let kinds = schema.fields().iter().map(|field| obstacle(field.data_type()));
        let obstacles = kinds.enumerate().filter_map(|(at, why)| Some((at, why?.to_owned())));
        let obstacles = obstacles.collect();
        let indices = index_columns(schema.metadata().get("pandas").map(String::as_str), &header);
        let rows = Self {
            messages,
            schema: schema.into(),
            dictionaries: HashMap::new(),
            selected: Vec::new(),
            columns: Vec::new(),
            rows: 0,
            at: 0,
            done: 0,
        };
        let mut opened = Opened::new(name, header, rows);
        (opened.obstacles, opened.indices) = (obstacles, indices);
        Ok(opened)
    }

    /// Reads the next batch that has rows; `false` at the end.
    fn advance(&mut self) -> Result<bool, Fault> {
        while self.at == self.rows {
            let Some(InMessage { metadata, body }) = self.messages.next()? else {
                return Ok(false);
            };
            let bytes = self.messages.bytes;
            let found = guarded(|| self.take(&metadata, &body, bytes).map_err(text_of));
            found.map_err(Fault::Damaged)?;
        }
        Ok(true)
    }

    /// Takes the columns of a batch, or a dictionary.
    fn take(&mut self, metadata: &[u8], body: &Buffer, bytes: u64) -> Result<(), ArrowError> {
        let missing = || ArrowError::IpcError("a batch has no header".into());
        let message = message(metadata)?;
        let version = message.version();
        match message.header_type() {
            MessageHeader::DictionaryBatch => {
                let batch = message.header_as_dictionary_batch().ok_or_else(missing)?;
                check(&batch.data().ok_or_else(missing)?, body, bytes)?;
                read_dictionary(body, batch, &self.schema, &mut self.dictionaries, &version)
            }
            MessageHeader::RecordBatch => {
                let batch = message.header_as_record_batch().ok_or_else(missing)?;
                check(&batch, body, bytes)?;
                let (schema, only) = (self.schema.clone(), Some(self.selected.as_slice()));
                let batch =
                    read_record_batch(body, batch, schema, &self.dictionaries, only, &version)?;
                self.columns = self.schema.fields().iter().map(|_| None).collect();
                for (position, array) in self.selected.iter().zip(batch.columns()) {
                    if let Some(place) = self.columns.get_mut(*position) {
                        *place = Some(Column::of(array));
                    }
                }
                (self.rows, self.at) = (batch.num_rows(), 0);
                Ok(())
            }
            // Messages of other kinds hold no rows.
            _ => Ok(()),
        }
    }

    fn cell(&self, position: usize) -> Cell<'_> {
        self.column(position).map_or(Cell::Missing, |column| column.cell(self.at))
    }

    fn text(&self, position: usize) -> String {
        self.column(position).map_or_else(String::new, |column| column.text(self.at))
    }

    fn column(&self, position: usize) -> Option<&Column> {
        self.columns.get(position)?.as_ref()
    }
}

impl Rows for ArrowRows {
    fn select(&mut self, columns: &Columns) -> Result<()> {
        self.selected = columns.all_positions().collect();
        self.selected.sort_unstable();
        self.selected.dedup();
        Ok(())
    }

    fn read(&mut self, columns: &Columns, limit: usize, sink: &mut dyn Sink) -> Result<()> {
        for _ in 0..limit {
            let found = self.advance();
            if !found.map_err(|fault| fault.error(&columns.file, "cannot be read to its end"))? {
                break;
            }
            let place = || Place::Row(self.done);
            for (at, &position) in columns.positions.iter().enumerate() {
                sink.cell(columns, at, self.cell(position), &place)?;
            }
            if let Some(position) = columns.label {
                sink.label(&self.text(position));
            }
            if let Some(position) = columns.id {
                sink.id(&self.text(position));
            }
            sink.end_row(columns);
            self.at += 1;
            self.done += 1;
        }
        Ok(())
    }

    fn bytes_read(&self) -> u64 {
        self.messages.at
    }
}

// Messages ---------------------------------------------------------------------------------------

/// Why a file cannot be read.
enum Fault {
    Io(io::Error),
    CutOff,
    /// Feather of version 1.
    Old,
    Damaged(String),
}

impl Fault {
    fn error(self, file: &str, what: &str) -> Error {
        let detail = match self {
            Self::Io(error) => return Error::io(Path::new(file))(error),
            Self::CutOff => format!("{what}: it is cut off"),
            Self::Old => "is a Feather file of version 1, which cannot be read; write it as version 2 (pyarrow: \
                          `feather.write_feather(feather.read_table(path), path)`)"
                .to_owned(),
            Self::Damaged(detail) => format!("{what}: {}", Shown(&detail)),
        };
        Error::Table { file: file.to_owned(), detail }
    }
}

/// The messages of a stream, one after the other, or of a file, which has an index at its end.
struct Messages {
    source: BufReader<File>,
    /// Bytes of the file, and those read so far.
    bytes: u64,
    at: u64,
    /// The messages that are left, if there is an index.
    index: Option<VecDeque<Block>>,
    is_end: bool,
}

struct InMessage {
    metadata: Vec<u8>,
    body: Buffer,
}

/// What comes before the length of a message; older writers leave it out.
const MARKER: [u8; 4] = [0xff; 4];

impl Messages {
    /// Reads the names and types of the columns.
    fn open(file: File, bytes: u64) -> Result<(Self, Schema), Fault> {
        let mut messages =
            Self { source: BufReader::new(file), bytes, at: 0, index: None, is_end: false };
        let mut magic = Vec::new();
        (&mut messages.source).take(6).read_to_end(&mut magic).map_err(Fault::Io)?;
        messages.seek(0)?;
        if magic.starts_with(b"FEA1") {
            return Err(Fault::Old);
        }
        if magic == b"ARROW1" {
            let schema = messages.read_index()?;
            return Ok((messages, schema));
        }
        let first = messages.next()?;
        let of_first = |first: &InMessage| schema(message(&first.metadata)?.header_as_schema());
        let schema =
            guarded(|| first.as_ref().map_or_else(|| schema(None), of_first).map_err(text_of));
        Ok((messages, schema.map_err(Fault::Damaged)?))
    }

    /// Reads the index at the end of a file.
    fn read_index(&mut self) -> Result<Schema, Fault> {
        // Its length and the magic word are behind it.
        const BEHIND: u64 = 10;
        let end = self.bytes.checked_sub(BEHIND).ok_or(Fault::CutOff)?;
        self.seek(end)?;
        let length = i32::from_le_bytes(self.four()?);
        let mut magic = [0; 6];
        self.fill(&mut magic)?;
        let length = u64::try_from(length).ok().filter(|_| magic == *b"ARROW1");
        let start = length.and_then(|length| end.checked_sub(length)).ok_or(Fault::CutOff)?;
        self.seek(start)?;
        let mut bytes = Vec::new();
        (&mut self.source).take(end - start).read_to_end(&mut bytes).map_err(Fault::Io)?;
        let (schema, blocks) =
            guarded(|| index(&bytes).map_err(text_of)).map_err(Fault::Damaged)?;
        // If they overlapped, a small file could have many of them.
        let lengths = blocks.iter().map(block_length);
        let all = lengths.map(|length| length.unwrap_or(u64::MAX)).fold(0, u64::saturating_add);
        if all > self.bytes {
            return Err(Fault::CutOff);
        }
        (self.index, self.at) = (Some(blocks), 0);
        Ok(schema)
    }

    /// The next message; none at the end.
    fn next(&mut self) -> Result<Option<InMessage>, Fault> {
        let mut left = None;
        if let Some(index) = &mut self.index {
            let Some(block) = index.pop_front() else { return Ok(None) };
            left = Some(u64::try_from(block.bodyLength()).map_err(|_| Fault::CutOff)?);
            self.seek(u64::try_from(block.offset()).map_err(|_| Fault::CutOff)?)?;
        } else if self.is_end || self.at == self.bytes {
            return Ok(None);
        }
        let mut length = self.four()?;
        if length == MARKER {
            length = self.four()?;
        }
        let length = i32::from_le_bytes(length);
        if length == 0 {
            self.is_end = true;
            return Ok(None);
        }
        let length = u64::try_from(length).map_err(|_| Fault::CutOff)?;
        let mut metadata = Vec::new();
        self.check(length)?;
        (&mut self.source).take(length).read_to_end(&mut metadata).map_err(Fault::Io)?;
        self.at += length;
        let body = guarded(|| message(&metadata).map(|found| found.bodyLength()).map_err(text_of));
        let body = u64::try_from(body.map_err(Fault::Damaged)?).map_err(|_| Fault::CutOff)?;
        self.check(body)?;
        if left.is_some_and(|left| left < body) {
            return Err(Fault::Damaged("a batch is longer than its index says".into()));
        }
        // Values are read where they are if they begin at a multiple of their size.
        let mut bytes =
            MutableBuffer::from_len_zeroed(usize::try_from(body).map_err(|_| Fault::CutOff)?);
        self.fill(&mut bytes)?;
        Ok(Some(InMessage { metadata, body: bytes.into() }))
    }

    fn seek(&mut self, to: u64) -> Result<(), Fault> {
        self.at = self.source.seek(SeekFrom::Start(to)).map_err(Fault::Io)?;
        Ok(())
    }

    fn four(&mut self) -> Result<[u8; 4], Fault> {
        let mut bytes = [0; 4];
        self.check(4)?;
        self.fill(&mut bytes)?;
        Ok(bytes)
    }

    fn fill(&mut self, bytes: &mut [u8]) -> Result<(), Fault> {
        self.source.read_exact(bytes).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => Fault::CutOff,
            _ => Fault::Io(error),
        })?;
        self.at += bytes.len() as u64;
        Ok(())
    }

    /// Whether the file has so many more bytes: nothing is allocated for those that it only names.
    fn check(&self, count: u64) -> Result<(), Fault> {
        match self.at.checked_add(count) {
            Some(end) if end <= self.bytes => Ok(()),
            _ => Err(Fault::CutOff),
        }
    }
}

/// An error without the names of its kinds.
fn text_of(error: ArrowError) -> String {
    match error {
        ArrowError::IpcError(text)
        | ArrowError::ParseError(text)
        | ArrowError::SchemaError(text)
        | ArrowError::InvalidArgumentError(text) => text,
        other => other.to_string(),
    }
}

fn message(metadata: &[u8]) -> Result<Message<'_>, ArrowError> {
    root_as_message(metadata).map_err(|error| ArrowError::IpcError(error.to_string()))
}

fn schema(found: Option<arrow_ipc::Schema<'_>>) -> Result<Schema, ArrowError> {
    let invalid = |what: &str| ArrowError::IpcError(what.to_owned());
    let found = found.ok_or_else(|| invalid("it names no columns"))?;
    if !found.endianness().equals_to_target_endianness() {
        return Err(invalid("its numbers have their bytes in another order than this machine"));
    }
    try_fb_to_schema(found)
}

/// The columns of a file, and where its messages are: dictionaries first.
fn index(bytes: &[u8]) -> Result<(Schema, VecDeque<Block>), ArrowError> {
    let footer = root_as_footer(bytes).map_err(|error| ArrowError::IpcError(error.to_string()))?;
    let blocks = [footer.dictionaries(), footer.recordBatches()].into_iter().flatten().flatten();
    Ok((schema(footer.schema())?, blocks.copied().collect()))
}

/// Number of bytes of a message, if it is one.
fn block_length(block: &Block) -> Option<u64> {
    let metadata = u64::try_from(block.metaDataLength()).ok()?;
    u64::try_from(block.bodyLength()).ok()?.checked_add(metadata)
}

/// Checks what a batch says of its sizes before anything is allocated for it.
fn check(batch: &RecordBatch<'_>, body: &Buffer, bytes: u64) -> Result<(), ArrowError> {
    let invalid = |what: &str| ArrowError::IpcError(what.to_owned());
    let mut unpacked: u64 = 0;
    for buffer in batch.buffers().into_iter().flatten() {
        let (start, length) = (usize::try_from(buffer.offset()), usize::try_from(buffer.length()));
        let range = start
            .ok()
            .zip(length.ok())
            .and_then(|(start, length)| Some(start..start.checked_add(length)?));
        let bytes = range.and_then(|range| body.as_slice().get(range));
        let bytes = bytes.ok_or_else(|| invalid("a batch is shorter than its columns"))?;
        let size = match bytes.first_chunk() {
            // Compressed bytes follow their size; if it is negative, they are as they are.
            Some(size) if batch.compression().is_some() => {
                u64::try_from(i64::from_le_bytes(*size)).unwrap_or(bytes.len() as u64)
            }
            _ => bytes.len() as u64,
        };
        unpacked = unpacked.saturating_add(size);
    }
    if unpacked > UNPACKED.saturating_add(bytes.saturating_mul(UNPACKED_PER_BYTE)) {
        let what = format!("a batch would take {unpacked} bytes when it is unpacked");
        return Err(invalid(&what));
    }
    let rows = u64::try_from(batch.length()).unwrap_or(u64::MAX);
    if rows > EMPTY_ROWS.saturating_add(unpacked.saturating_mul(8)) {
        return Err(invalid("a batch has more rows than values"));
    }
    Ok(())
}

// Columns ----------------------------------------------------------------------------------------

/// Why a column cannot be read, if it cannot.
fn obstacle(kind: &DataType) -> Option<&'static str> {
    Some(match kind {
        DataType::Dictionary(_, values) if !matches!(**values, DataType::Dictionary(..)) => {
            return obstacle(values);
        }
        DataType::Decimal256(..) => "holds decimals of more than 38 digits",
        DataType::Binary
        | DataType::LargeBinary
        | DataType::BinaryView
        | DataType::FixedSizeBinary(_) => "holds bytes, not numbers",
        DataType::Interval(_) => "holds lengths of time in months and days",
        kind if kind.is_nested() || matches!(kind, DataType::Dictionary(..)) => "is nested",
        _ => return None,
    })
}

/// The values of a column in a batch; a missing number is NaN.
enum Column {
    /// None of them is known.
    Missing,
    Numbers(Vec<f64>),
    Whole(Vec<f64>),
    /// Integers that f64 may not hold, which a label needs.
    Long(Int64Array),
    Unsigned(UInt64Array),
    Days(Vec<f64>),
    Flags(BooleanArray),
    Texts(StringArray),
    LargeTexts(LargeStringArray),
    TextViews(StringViewArray),
    /// Numbers of values in a dictionary.
    Coded(Vec<Option<usize>>, Box<Column>),
}

impl Column {
    fn of(array: &ArrayRef) -> Self {
        match array.data_type() {
            DataType::Boolean => Self::Flags(array.as_boolean().clone()),
            DataType::Int8 => Self::Whole(numbers::<Int8Type>(array, f64::from)),
            DataType::Int16 => Self::Whole(numbers::<Int16Type>(array, f64::from)),
            DataType::Int32 => Self::Whole(numbers::<Int32Type>(array, f64::from)),
            DataType::Int64 => Self::Long(array.as_primitive().clone()),
            DataType::UInt8 => Self::Whole(numbers::<UInt8Type>(array, f64::from)),
            DataType::UInt16 => Self::Whole(numbers::<UInt16Type>(array, f64::from)),
            DataType::UInt32 => Self::Whole(numbers::<UInt32Type>(array, f64::from)),
            DataType::UInt64 => Self::Unsigned(array.as_primitive().clone()),
            DataType::Float16 => Self::Numbers(numbers::<Float16Type>(array, f64::from)),
            DataType::Float32 => Self::Numbers(numbers::<Float32Type>(array, f64::from)),
            DataType::Float64 => Self::Numbers(numbers::<Float64Type>(array, |value| value)),
            DataType::Decimal32(_, scale) => {
                Self::Numbers(numbers::<Decimal32Type>(array, |value| {
                    scaled(value.into(), (*scale).into())
                }))
            }
            DataType::Decimal64(_, scale) => {
                Self::Numbers(numbers::<Decimal64Type>(array, |value| {
                    scaled(value.into(), (*scale).into())
                }))
            }
            DataType::Decimal128(_, scale) => {
                Self::Numbers(numbers::<Decimal128Type>(array, |value| {
                    scaled(value, (*scale).into())
                }))
            }
            DataType::Date32 => Self::Days(numbers::<Date32Type>(array, f64::from)),
            DataType::Date64 => Self::Days(days::<Date64Type>(array, 1e3)),
            DataType::Timestamp(TimeUnit::Second, _) => {
                Self::Days(days::<TimestampSecondType>(array, 1.0))
            }
            DataType::Timestamp(TimeUnit::Millisecond, _) => {
                Self::Days(days::<TimestampMillisecondType>(array, 1e3))
            }
            DataType::Timestamp(TimeUnit::Microsecond, _) => {
                Self::Days(days::<TimestampMicrosecondType>(array, 1e6))
            }
            DataType::Timestamp(TimeUnit::Nanosecond, _) => {
                Self::Days(days::<TimestampNanosecondType>(array, 1e9))
            }
            DataType::Time32(TimeUnit::Second) => {
                Self::Days(numbers::<Time32SecondType>(array, |value| f64::from(value) / SECONDS))
            }
            DataType::Time32(_) => Self::Days(numbers::<Time32MillisecondType>(array, |value| {
                f64::from(value) / (1e3 * SECONDS)
            })),
            DataType::Time64(TimeUnit::Microsecond) => {
                Self::Days(days::<Time64MicrosecondType>(array, 1e6))
            }
            DataType::Time64(_) => Self::Days(days::<Time64NanosecondType>(array, 1e9)),
            DataType::Duration(TimeUnit::Second) => {
                Self::Numbers(days::<DurationSecondType>(array, 1.0))
            }
            DataType::Duration(TimeUnit::Millisecond) => {
                Self::Numbers(days::<DurationMillisecondType>(array, 1e3))
            }
            DataType::Duration(TimeUnit::Microsecond) => {
                Self::Numbers(days::<DurationMicrosecondType>(array, 1e6))
            }
            DataType::Duration(TimeUnit::Nanosecond) => {
                Self::Numbers(days::<DurationNanosecondType>(array, 1e9))
            }
            DataType::Utf8 => Self::Texts(array.as_string().clone()),
            DataType::LargeUtf8 => Self::LargeTexts(array.as_string().clone()),
            DataType::Utf8View => Self::TextViews(array.as_string_view().clone()),
            DataType::Dictionary(..) => {
                let coded = array.as_any_dictionary();
                if coded.values().is_empty() {
                    return Self::Missing;
                }
                let codes = coded.normalized_keys().into_iter().enumerate();
                let codes = codes.map(|(row, code)| array.is_valid(row).then_some(code));
                Self::Coded(codes.collect(), Box::new(Self::of(coded.values())))
            }
            // Columns of other types are refused when they are selected.
            _ => Self::Missing,
        }
    }

    fn cell(&self, row: usize) -> Cell<'_> {
        let number = |values: &[f64], cell: fn(f64) -> Cell<'static>| match values.get(row) {
            Some(value) if !value.is_nan() => cell(*value),
            _ => Cell::Missing,
        };
        let is_known = |values: &dyn Array| row < values.len() && values.is_valid(row);
        match self {
            Self::Numbers(values) => number(values, Cell::Number),
            Self::Whole(values) => number(values, Cell::Whole),
            Self::Days(values) => number(values, Cell::Day),
            Self::Long(values) if is_known(values) => Cell::Whole(values.value(row) as f64),
            Self::Unsigned(values) if is_known(values) => Cell::Whole(values.value(row) as f64),
            Self::Flags(values) if is_known(values) => Cell::Flag(values.value(row)),
            Self::Texts(values) if is_known(values) => Cell::Text(values.value(row).trim()),
            Self::LargeTexts(values) if is_known(values) => Cell::Text(values.value(row).trim()),
            Self::TextViews(values) if is_known(values) => Cell::Text(values.value(row).trim()),
            Self::Coded(codes, values) => match codes.get(row) {
                Some(Some(code)) => values.cell(*code),
                _ => Cell::Missing,
            },
            _ => Cell::Missing,
        }
    }

    fn text(&self, row: usize) -> String {
        match (self, self.cell(row)) {
            (_, Cell::Missing) => String::new(),
            (Self::Long(values), _) => values.value(row).to_string(),
            (Self::Unsigned(values), _) => values.value(row).to_string(),
            (_, cell) => cell.text(),
        }
    }
}

/// Numbers of a column, a null as NaN.
fn numbers<T: ArrowPrimitiveType>(array: &ArrayRef, number: impl Fn(T::Native) -> f64) -> Vec<f64> {
    let values = array.as_primitive::<T>().iter();
    values.map(|value| value.map_or(f64::NAN, &number)).collect()
}

/// Times in so many units a second, as days.
fn days<T: ArrowPrimitiveType<Native = i64>>(array: &ArrayRef, per_second: f64) -> Vec<f64> {
    numbers::<T>(array, |value| value as f64 / (per_second * SECONDS))
}

#[cfg(test)]
mod tests {
    use std::io::Write;
    use std::sync::Arc;

    use arrow_array::types::Int32Type;
    use arrow_array::{
        BinaryArray, Date32Array, Decimal128Array, DictionaryArray, Float32Array, Float64Array,
        Int8Array, NullArray, RecordBatch, TimestampMicrosecondArray, UInt32Array,
    };
    use arrow_ipc::CompressionType;
    use arrow_ipc::writer::{FileWriter, IpcWriteOptions, StreamWriter};

    use super::*;
    use crate::data::input::collect::{Collected, collect};
    use crate::data::input::options::TableOptions;

    fn batch() -> RecordBatch {
        let coded: DictionaryArray<Int32Type> =
            [Some("x"), None, Some("y"), Some("x")].into_iter().collect();
        let decimal = Decimal128Array::from(vec![Some(150), Some(-1), None, Some(0)]);
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("tiny", Arc::new(Int8Array::from(vec![Some(-1), None, Some(3), Some(4)]))),
            (
                "long",
                Arc::new(Int64Array::from(vec![
                    Some(9_007_199_254_740_993),
                    Some(2),
                    None,
                    Some(-4),
                ])),
            ),
            ("unsigned", Arc::new(UInt64Array::from(vec![u64::MAX, 1, 2, 3]))),
            ("wide", Arc::new(UInt32Array::from(vec![u32::MAX, 1, 2, 3]))),
            (
                "single",
                Arc::new(Float32Array::from(vec![Some(0.5), None, Some(f32::NAN), Some(2.0)])),
            ),
            ("double", Arc::new(Float64Array::from(vec![0.1, -2.0, 3.0, 1e300]))),
            ("money", Arc::new(decimal.with_precision_and_scale(10, 2).expect("a decimal"))),
            ("flag", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false), Some(true)]))),
            ("day", Arc::new(Date32Array::from(vec![Some(0), None, Some(-1), Some(20_000)]))),
            (
                "time",
                Arc::new(TimestampMicrosecondArray::from(vec![
                    Some(43_200_000_000),
                    None,
                    Some(0),
                    Some(0),
                ])),
            ),
            ("text", Arc::new(StringArray::from(vec![Some(" ä "), None, Some(""), Some("b")]))),
            (
                "large",
                Arc::new(LargeStringArray::from(vec![Some("l"), None, Some("m"), Some("n")])),
            ),
            (
                "view",
                Arc::new(StringViewArray::from(vec![
                    Some("a text that is not inlined"),
                    None,
                    Some("v"),
                    None,
                ])),
            ),
            ("coded", Arc::new(coded)),
            ("none", Arc::new(NullArray::new(4))),
        ];
        RecordBatch::try_from_iter_with_nullable(
            columns.into_iter().map(|(name, column)| (name, column, true)),
        )
        .expect("a batch")
    }

    fn file(batches: &[RecordBatch], packs: Option<CompressionType>) -> Vec<u8> {
        let mut bytes = Vec::new();
        let options = IpcWriteOptions::default().try_with_compression(packs).expect("options");
        let schema = batches[0].schema();
        let mut writer =
            FileWriter::try_new_with_options(&mut bytes, &schema, options).expect("a writer");
        for batch in batches {
            writer.write(batch).expect("written");
        }
        writer.finish().expect("written");
        drop(writer);
        bytes
    }

    fn stream(batches: &[RecordBatch]) -> Vec<u8> {
        let mut writer = StreamWriter::try_new(Vec::new(), &batches[0].schema()).expect("a writer");
        for batch in batches {
            writer.write(batch).expect("written");
        }
        writer.into_inner().expect("written")
    }

    fn open(bytes: &[u8]) -> Result<Opened<'static>> {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        file.rewind().expect("at the start");
        ArrowRows::open("t.arrow".into(), file)
    }

    fn read(bytes: &[u8], options: &TableOptions) -> Result<Collected> {
        collect(open(bytes)?, options)
    }

    #[test]
    fn flat_columns_are_read() {
        let batches = [batch(), batch().slice(1, 0), batch().slice(1, 3)];
        for bytes in [
            file(&batches, None),
            file(&batches, Some(CompressionType::LZ4_FRAME)),
            file(&batches, Some(CompressionType::ZSTD)),
            stream(&batches),
        ] {
            let found = read(&bytes, &TableOptions::default()).expect("rows");
            assert_eq!(found.names.len(), 15);
            let whole = [
                "-1i -9i 18446744073709552000i 4294967295i 0.5 0.1 1.5 true 0d 0.5d 'ä' 'l' 'a_text_that_is_not_inlined' 'x' -",
                "- 2i 1i 1i - -2 -0.01 - - - - - - - -",
                "3i - 2i 2i - 3 - false -1d 0d '' 'm' 'v' 'y' -",
            ];
            for (row, expected) in whole.iter().enumerate() {
                let cells: Vec<_> =
                    found.rows[row].iter().map(|cell| cell.replace(' ', "_")).collect();
                assert_eq!(cells.join(" "), expected.replace("-9i", "9007199254740992i"));
            }
            assert_eq!(found.rows.len(), 7);
            assert_eq!(found.rows[4], found.rows[1]);
            assert_eq!(found.places[6], "row 6 (counted from 0)");

            let options = TableOptions::default()
                .with_label("coded")
                .with_id("long")
                .with_selected(["text", "tiny"]);
            let found = read(&bytes, &options).expect("rows");
            assert_eq!(found.rows[..2], [["'ä'", "-1i"], ["-", "-"]]);
            assert_eq!(found.labels[..4], ["x", "", "y", "x"]);
            assert_eq!(found.ids[..3], ["9007199254740993", "2", ""]);
            let options = TableOptions::default()
                .with_label("time")
                .with_id("unsigned")
                .with_selected(["none"]);
            let found = read(&bytes, &options).expect("rows");
            assert_eq!(
                (found.labels[0].as_str(), found.ids[0].as_str()),
                ("1970-01-01 12:00:00", "18446744073709551615")
            );
        }
    }

    #[test]
    fn other_columns_are_obstacles() {
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("bytes", Arc::new(BinaryArray::from(vec![&b"x"[..]]))),
            ("x", Arc::new(Int8Array::from(vec![1]))),
        ];
        let bytes = file(&[RecordBatch::try_from_iter(columns).expect("a batch")], None);
        let message = read(&bytes, &TableOptions::default()).expect_err("an error").to_string();
        assert_eq!(message, "t.arrow: column `bytes` holds bytes, not numbers; drop it");
        let found = read(&bytes, &TableOptions::default().with_dropped("bytes")).expect("rows");
        assert_eq!(found.rows, [["1i"]]);
    }

    #[test]
    fn errors_say_what() {
        let message =
            |bytes: &[u8]| read(bytes, &TableOptions::default()).expect_err("an error").to_string();
        assert!(message(b"FEA1....").starts_with("t.arrow: is a Feather file of version 1"));
        let bytes = file(&[batch()], None);
        assert_eq!(message(&bytes[..20]), "t.arrow: is not a usable Arrow file: it is cut off");
        assert_eq!(
            message(&bytes[..bytes.len() - 1]),
            "t.arrow: is not a usable Arrow file: it is cut off"
        );
        let bytes = stream(&[batch()]);
        assert_eq!(message(&bytes[..3000]), "t.arrow: cannot be read to its end: it is cut off");
        assert_eq!(
            message(b"ARROW1\0\0\xff\xff\xff\xff\xff\xff\xff\x7f"),
            "t.arrow: is not a usable Arrow file: it is cut off"
        );
        assert_eq!(
            message(b"\xff\xff\xff\xff\0\0\0\0"),
            "t.arrow: is not a usable Arrow file: it names no columns"
        );
    }

    #[test]
    fn sizes_are_checked() {
        let zeros: ArrayRef = Arc::new(Float64Array::from(vec![0.0; 1000]));
        let batch = RecordBatch::try_from_iter([("a", zeros)]).expect("a batch");
        for packs in [CompressionType::LZ4_FRAME, CompressionType::ZSTD] {
            let bytes = file(std::slice::from_ref(&batch), Some(packs));
            let size = 8000_i64.to_le_bytes();
            let at = bytes.windows(8).position(|eight| eight == size).expect("a size");
            for claimed in [1_i64 << 60, 1 << 40, i64::MAX] {
                let mut changed = bytes.clone();
                changed[at..at + 8].copy_from_slice(&claimed.to_le_bytes());
                let error =
                    read(&changed, &TableOptions::default()).expect_err("an error").to_string();
                assert!(error.contains("bytes when it is unpacked"), "{error}");
            }
        }
    }

    #[test]
    fn no_bytes_panic() {
        let batches = [batch().slice(0, 2)];
        for bytes in [stream(&batches), file(&batches, Some(CompressionType::ZSTD))] {
            for at in 0..bytes.len() {
                for bits in [1, 0x80, 0xff] {
                    let mut changed = bytes.clone();
                    changed[at] ^= bits;
                    let _ = read(&changed, &TableOptions::default());
                }
            }
            for at in (0..bytes.len()).step_by(7) {
                let _ = read(&bytes[..at], &TableOptions::default());
            }
        }
    }
}
