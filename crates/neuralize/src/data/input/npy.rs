//! Rows of NumPy files.

use std::fs::File;
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;

use half::f16;
use npyz::{DType, Endianness, NpyHeader, Order, TypeChar, TypeStr};

use crate::data::input::cell::{Cell, Place};
use crate::data::input::columns::Columns;
use crate::data::input::open::Opened;
use crate::data::input::rows::{Rows, Sink};
use crate::error::{Error, Result};

/// Rows of a NumPy array of one or two dimensions, stored by rows or by columns.
pub(super) struct NpyRows {
    source: File,
    element: Element,
    by_columns: bool,
    /// Position of the first number.
    start: u64,
    width: usize,
    rows: u64,
    /// Whether its elements are booleans.
    is_flag: bool,
    /// Whether they are integers.
    is_whole: bool,
    /// Rows read so far.
    done: u64,
    bytes: Vec<u8>,
}

/// How one number is stored.
#[derive(Clone, Copy)]
struct Element {
    size: usize,
    number: fn([u8; 8]) -> f64,
    big_endian: bool,
}

impl NpyRows {
    pub(super) fn open(name: String, mut source: File) -> Result<Opened<'static>> {
        let fail = |detail: String| Error::Table { file: name.clone(), detail };
        let io = |error| Error::io(Path::new(&name))(error);
        let length = source.metadata().map_err(io)?.len();
        if length == 0 {
            return Err(fail("the file is empty, expected a NumPy array".into()));
        }
        let header = NpyHeader::from_reader(&mut source).map_err(|error| match error.kind() {
            ErrorKind::UnexpectedEof => fail("is cut off in its header".into()),
            ErrorKind::InvalidData | ErrorKind::InvalidInput => {
                fail(format!("is not a NumPy array as `numpy.save` writes it: {error}"))
            }
            _ => io(error),
        })?;
        let start = source.stream_position().map_err(io)?;
        let element = Element::of(&header.dtype()).ok_or_else(|| {
            fail(format!(
                "its numbers are of type {}; floats of 16, 32 or 64 bits, integers and booleans can be read",
                header.dtype().descr()
            ))
        })?;
        let (rows, width) = match *header.shape() {
            [rows] => (rows, 1),
            [rows, width] => (rows, width),
            ref shape => {
                return Err(fail(format!(
                    "is an array of shape {shape:?}; a table needs two dimensions, rows and columns"
                )));
            }
        };
        // Every column gets a name: check that there are as many columns as the
        // header says before allocating them.
        let numbers = rows.checked_mul(width).and_then(|n| n.checked_mul(element.size as u64));
        let expected = numbers.and_then(|bytes| bytes.checked_add(start));
        if expected.is_none_or(|expected| expected > length) {
            let expected = expected.map_or_else(|| "far more".into(), |bytes| bytes.to_string());
            return Err(fail(format!(
                "is cut off: an array of {rows} x {width} needs {expected} bytes, it has {length}"
            )));
        }
        if width == 0 || (rows == 0 && width > length) {
            return Err(fail(format!(
                "is an array of shape [{rows}, {width}], which holds no numbers"
            )));
        }
        let names = (0..width).map(|at| format!("x{at}")).collect();
        let is_of = |kinds: &[TypeChar]| matches!(header.dtype(), DType::Plain(plain) if kinds.contains(&plain.type_char()));
        let is_flag = is_of(&[TypeChar::Bool]);
        let is_whole = is_of(&[TypeChar::Int, TypeChar::Uint]);
        let (by_columns, width) = (header.order() == Order::Fortran, width as usize);
        let rows = Self {
            source,
            element,
            by_columns,
            start,
            width,
            rows,
            is_flag,
            is_whole,
            done: 0,
            bytes: vec![],
        };
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
            let cells = self
                .next_rows(left.min(chunk))
                .map_err(|error| Error::io(Path::new(&columns.file))(error))?;
            for row in cells.chunks_exact(self.width) {
                let place = || Place::Row(self.done);
                for (at, &position) in columns.positions.iter().enumerate() {
                    let cell = match row[position] {
                        value if self.is_flag => Cell::Flag(value != 0.0),
                        value if self.is_whole => Cell::Whole(value),
                        value => Cell::Number(value),
                    };
                    sink.cell(columns, at, cell, &place)?;
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
        self.start + self.done * (self.width * self.element.size) as u64
    }
}

impl Element {
    fn of(dtype: &DType) -> Option<Self> {
        let DType::Plain(plain) = dtype else { return None };
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
        Some(Self { size: size_of(plain)?, number, big_endian })
    }

    fn read(self, bytes: &[u8]) -> f64 {
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
