//! Rows of NumPy files.

use std::fs::File;
use std::io::{self, Cursor, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use half::f16;
use npyz::{DType, Endianness, NpyHeader, Order, TypeChar, TypeStr};

use crate::data::input::cell::{Cell, Place};
use crate::data::input::columns::Columns;
use crate::data::input::opened::Opened;
use crate::data::input::rows::{Rows, Sink};
use crate::error::{Error, Result};
use crate::text::Shown;

/// What holds an array: a file, or a part of an archive.
pub(super) trait Source: Read + Seek {}

impl<S: Read + Seek> Source for S {}

/// Rows of a NumPy array of one or two dimensions, stored by rows or by columns.
pub(super) struct NpyRows {
    source: Box<dyn Source>,
    element: Element,
    by_columns: bool,
    /// Position of the first number.
    start: u64,
    width: usize,
    rows: u64,
    /// Rows read so far.
    done: u64,
    bytes: Vec<u8>,
    /// Bytes of the file that hold the array.
    file_bytes: u64,
}

/// What the header of an array says.
pub(super) struct Array {
    /// Position of the first value.
    pub(super) start: u64,
    pub(super) shape: Vec<u64>,
    by_columns: bool,
    pub(super) value: Value,
    /// The type of the values, as NumPy writes it.
    pub(super) kind: String,
}

/// How one value is stored.
#[derive(Clone, Copy)]
pub(super) enum Value {
    Number(Element),
    /// Text of so many characters.
    Text {
        length: usize,
        big_endian: bool,
    },
    Other,
}

/// How one number is stored.
#[derive(Clone, Copy)]
pub(super) struct Element {
    pub(super) size: usize,
    number: fn([u8; 8]) -> f64,
    big_endian: bool,
    is_flag: bool,
    is_whole: bool,
}

impl Array {
    /// Reads the header of an array of `length` bytes in all.
    pub(super) fn read(source: &mut impl Read, length: u64) -> io::Result<Self> {
        /// NumPy itself reads no longer ones unless it is told to.
        const LONGEST: u64 = 1 << 20;
        let invalid = |what: String| io::Error::new(ErrorKind::InvalidData, what);
        let cut_off = || invalid("is cut off in its header".into());
        let mut bytes = Vec::new();
        source.take(12).read_to_end(&mut bytes)?;
        if let [0x93, b'N', b'U', b'M', b'P', b'Y', major, minor, ..] = *bytes.as_slice()
            && !(1..=3).contains(&major)
        {
            return Err(invalid(format!(
                "is a NumPy array of version {major}.{minor}, which is not known; versions 1 to 3 can be read"
            )));
        }
        let start = match *bytes.as_slice() {
            [_, _, _, _, _, _, 1, _, a, b, ..] => 10 + u64::from(u16::from_le_bytes([a, b])),
            [_, _, _, _, _, _, _, _, a, b, c, d] => {
                12 + u64::from(u32::from_le_bytes([a, b, c, d]))
            }
            _ => return Err(cut_off()),
        };
        if start > length || start < bytes.len() as u64 {
            return Err(cut_off());
        }
        if start > LONGEST {
            return Err(invalid(format!("has a header of {start} bytes, which no table needs")));
        }
        source.take(start - bytes.len() as u64).read_to_end(&mut bytes)?;
        let header =
            NpyHeader::from_reader(Cursor::new(&bytes)).map_err(|error| match error.kind() {
                ErrorKind::UnexpectedEof => cut_off(),
                _ => invalid(format!(
                    "is not a NumPy array as `numpy.save` writes it: {}",
                    Shown(&error.to_string())
                )),
            })?;
        Ok(Self {
            start,
            shape: header.shape().to_vec(),
            by_columns: header.order() == Order::Fortran,
            value: Value::of(&header.dtype()),
            kind: header.dtype().descr(),
        })
    }

    /// The number of rows and columns, if its values can be in an array of `length` bytes in all.
    fn table(&self, length: u64) -> Result<(u64, usize, Element), String> {
        let Value::Number(element) = self.value else {
            return Err(format!(
                "its numbers are of type {}; floats of 16, 32 or 64 bits, integers and booleans can be read",
                Shown(&self.kind)
            ));
        };
        let (rows, width) = match *self.shape {
            [rows] => (rows, 1),
            [rows, width] => (rows, width),
            _ => {
                return Err(format!(
                    "is an array of shape {}; a table needs two dimensions, rows and columns",
                    Shown(&format!("{:?}", self.shape))
                ));
            }
        };
        // Every column gets a name: check that there are as many columns as the
        // header says before allocating them.
        self.check_length(element.size, length)?;
        match usize::try_from(width) {
            Ok(width) if width > 0 && (rows > 0 || width as u64 <= length) => {
                Ok((rows, width, element))
            }
            _ => Err(format!("is an array of shape [{rows}, {width}], which holds no numbers")),
        }
    }

    /// The position behind the last number.
    pub(super) fn end(&self) -> Option<u64> {
        match self.value {
            Value::Number(element) => self.end_of(element.size),
            _ => None,
        }
    }

    fn end_of(&self, size: usize) -> Option<u64> {
        let values = self.shape.iter().try_fold(size as u64, |all, count| all.checked_mul(*count));
        values?.checked_add(self.start)
    }

    /// Checks that values of a size can be in an array of `length` bytes in all.
    pub(super) fn check_length(&self, size: usize, length: u64) -> Result<(), String> {
        let expected = self.end_of(size);
        if expected.is_some_and(|expected| expected <= length) {
            return Ok(());
        }
        let expected = expected.map_or_else(|| "far more".into(), |bytes| bytes.to_string());
        Err(format!(
            "is cut off: an array of {} needs {expected} bytes, it has {length}",
            self.sizes()
        ))
    }

    /// Its shape in words, `5 x 2`.
    fn sizes(&self) -> String {
        let shape: Vec<_> = self.shape.iter().map(u64::to_string).collect();
        shape.join(" x ")
    }
}

impl NpyRows {
    pub(super) fn open(name: String, mut file: File) -> Result<Opened<'static>> {
        let io = |error| Error::io(Path::new(&name))(error);
        let length = file.metadata().map_err(io)?.len();
        if length == 0 {
            let detail = "the file is empty, expected a NumPy array".to_owned();
            return Err(Error::Table { file: name, detail });
        }
        let array = Array::read(&mut file, length).map_err(|error| fault(&name, error))?;
        // Several arrays may have been saved to one file, of which this would be the first.
        if let Some(end) = array.end().filter(|end| *end < length) {
            let detail = format!(
                "goes on behind its array of {}, from byte {} on; save the table alone, one array in a file",
                array.sizes(),
                end + 1
            );
            return Err(Error::Table { file: name, detail });
        }
        Self::of(name, &array, (length, length), || Ok(Box::new(file)))
    }

    /// Rows of an array of so many bytes in all, and so many in the file that holds it. The source is
    /// made when the array is found to be a table.
    pub(super) fn of(
        name: String,
        array: &Array,
        (length, file_bytes): (u64, u64),
        source: impl FnOnce() -> io::Result<Box<dyn Source>>,
    ) -> Result<Opened<'static>> {
        let (rows, width, element) =
            array.table(length).map_err(|detail| Error::Table { file: name.clone(), detail })?;
        let source = source().map_err(|error| fault(&name, error))?;
        let names = (0..width).map(|at| format!("x{at}")).collect();
        let (by_columns, start) = (array.by_columns, array.start);
        let bytes = Vec::new();
        let rows =
            Self { source, element, by_columns, start, width, rows, done: 0, bytes, file_bytes };
        let mut opened = Opened::new(name, names, rows);
        opened.is_unnamed = true;
        Ok(opened)
    }

    /// The next rows, at most `limit`, row by row.
    fn next_rows(&mut self, limit: usize) -> io::Result<Vec<f64>> {
        let count = usize::try_from(self.rows - self.done).unwrap_or(usize::MAX).min(limit);
        if !self.by_columns {
            return self.numbers(self.done * self.width as u64, count * self.width);
        }
        let mut cells = vec![0.0; count * self.width];
        for column in 0..self.width {
            let values = self.numbers(column as u64 * self.rows + self.done, count)?;
            for (row, value) in values.into_iter().enumerate() {
                cells[row * self.width + column] = value;
            }
        }
        Ok(cells)
    }

    /// `count` numbers of the array from the `first` on, in the order of the file.
    fn numbers(&mut self, first: u64, count: usize) -> io::Result<Vec<f64>> {
        let Self { source, element, start, bytes, .. } = self;
        bytes.resize(count * element.size, 0);
        source.seek(SeekFrom::Start(*start + first * element.size as u64))?;
        source.read_exact(bytes)?;
        Ok(bytes.chunks_exact(element.size).map(|bytes| element.read(bytes)).collect())
    }
}

impl Rows for NpyRows {
    fn read(&mut self, columns: &Columns, limit: usize, sink: &mut dyn Sink) -> Result<()> {
        // Numbers decoded at a time.
        const CHUNK: usize = 1 << 18;
        let chunk = (CHUNK / self.width).max(1);
        let mut left = limit;
        while left > 0 && self.done < self.rows {
            let cells =
                self.next_rows(left.min(chunk)).map_err(|error| fault(&columns.file, error))?;
            for row in cells.chunks_exact(self.width) {
                let place = || Place::Row(self.done);
                for (at, &position) in columns.positions.iter().enumerate() {
                    sink.cell(columns, at, self.element.cell(row[position]), &place)?;
                }
                if let Some(at) = columns.label {
                    sink.label(&row[at].to_string());
                }
                if let Some(at) = columns.id {
                    sink.id(&row[at].to_string());
                }
                sink.end_row(columns);
                self.done += 1;
                left -= 1;
            }
        }
        Ok(())
    }

    fn bytes_read(&self) -> u64 {
        (self.file_bytes as f64 * (self.done as f64 / self.rows.max(1) as f64)) as u64
    }
}

/// The error of a source: of the operating system, or what is wrong with the array.
pub(super) fn fault(file: &str, error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::InvalidData => Error::Table { file: file.to_owned(), detail: error.to_string() },
        ErrorKind::UnexpectedEof => {
            Error::Table { file: file.to_owned(), detail: "is cut off".to_owned() }
        }
        _ => Error::io(Path::new(file))(error),
    }
}

impl Value {
    fn of(dtype: &DType) -> Self {
        if let Some(element) = Element::of(dtype) {
            return Self::Number(element);
        }
        match dtype {
            DType::Plain(plain) if plain.type_char() == TypeChar::UnicodeStr => {
                // Four bytes for every character.
                let length = plain.num_bytes().unwrap_or(usize::MAX) / 4;
                Self::Text { length, big_endian: plain.endianness() == Endianness::Big }
            }
            _ => Self::Other,
        }
    }
}

impl Element {
    fn of(dtype: &DType) -> Option<Self> {
        let DType::Plain(plain) = dtype else { return None };
        let is_of = |kinds: &[TypeChar]| kinds.contains(&plain.type_char());
        let number: fn([u8; 8]) -> f64 = match (plain.type_char(), size_of(plain)?) {
            (TypeChar::Bool, 1) => |bytes| f64::from(u8::from(bytes[0] != 0)),
            (TypeChar::Int, 1) => |[a, ..]| f64::from(i8::from_le_bytes([a])),
            (TypeChar::Int, 2) => |[a, b, ..]| f64::from(i16::from_le_bytes([a, b])),
            (TypeChar::Int, 4) => |[a, b, c, d, ..]| f64::from(i32::from_le_bytes([a, b, c, d])),
            (TypeChar::Int, 8) => |bytes| i64::from_le_bytes(bytes) as f64,
            (TypeChar::Uint, 1 | 2 | 4 | 8) => |bytes| u64::from_le_bytes(bytes) as f64,
            (TypeChar::Float, 2) => |[a, b, ..]| f16::from_le_bytes([a, b]).to_f64(),
            (TypeChar::Float, 4) => |[a, b, c, d, ..]| f64::from(f32::from_le_bytes([a, b, c, d])),
            (TypeChar::Float, 8) => f64::from_le_bytes,
            _ => return None,
        };
        let big_endian = plain.endianness() == Endianness::Big;
        let (is_flag, is_whole) =
            (is_of(&[TypeChar::Bool]), is_of(&[TypeChar::Int, TypeChar::Uint]));
        Some(Self { size: size_of(plain)?, number, big_endian, is_flag, is_whole })
    }

    pub(super) fn cell(self, value: f64) -> Cell<'static> {
        match value {
            value if self.is_flag => Cell::Flag(value != 0.0),
            value if self.is_whole => Cell::Whole(value),
            value => Cell::Number(value),
        }
    }

    /// A number of its `size` in bytes.
    pub(super) fn read(self, bytes: &[u8]) -> f64 {
        let mut number = [0; 8];
        number[..bytes.len()].copy_from_slice(bytes);
        if self.big_endian {
            number[..bytes.len()].reverse();
        }
        (self.number)(number)
    }
}

fn size_of(plain: &TypeStr) -> Option<usize> {
    plain.num_bytes().filter(|size| (1..=8).contains(size))
}
