//! Results as an Excel workbook.

use std::io::{self, Write};

use rust_xlsxwriter::{DocProperties, ExcelDateTime, Format, Workbook, Worksheet, XlsxError};
use zip::result::ZipError;

use crate::error::{Error, Result};
use crate::output::entries::{Entries, Entry};
use crate::output::layout::Layout;
use crate::output::row::{Destination, Relevance, Row, Sink, failed};

/// What a sheet can hold.
const ROWS: u32 = 1 << 20;
const COLUMNS: usize = 1 << 14;

/// Writes a row of a sheet for every point. Rows wait in a temporary file: a workbook is an archive,
/// which is made at the end.
pub(super) struct ExcelSink<'a> {
    name: String,
    destination: Destination<'a>,
    book: Workbook,
    sheet: Worksheet,
    layout: Layout,
    /// The next row.
    row: u32,
    column: u16,
    text: String,
}

impl<'a> ExcelSink<'a> {
    pub(super) fn new(name: String, destination: Destination<'a>, layout: Layout) -> Result<Self> {
        let columns = layout.header().len();
        if columns > COLUMNS {
            return Err(too_large(
                &name,
                &format!("{columns} columns, of which it holds {COLUMNS}"),
            ));
        }
        let mut book = Workbook::new();
        let sheet = book.new_worksheet_with_constant_memory();
        let sheet = sheet.map_err(|error| unusable(&name, error))?;
        let mut sink =
            Self { name, destination, book, sheet, layout, row: 0, column: 0, text: String::new() };
        sink.header().map_err(|error| unusable(&sink.name, error))?;
        Ok(sink)
    }

    fn header(&mut self) -> Result<(), XlsxError> {
        self.row = 1;
        prepare(&mut self.book, &mut self.sheet, &self.layout.header())
    }

    fn row(&mut self, row: &Row<'_>) -> Result<(), XlsxError> {
        self.column = 0;
        self.number(row.index as f64)?;
        if self.layout.id.is_some() {
            self.words(row.id.as_deref().unwrap_or_default())?;
        }
        if let Some(cluster) = row.cluster {
            match self.layout.cluster(cluster).map(str::to_owned) {
                Some(name) => self.words(&name)?,
                None => self.number(cluster as f64)?,
            }
        }
        self.digits(row.sum)?;
        match &row.relevance {
            Relevance::None => {
                if let Some(probability) = row.probability() {
                    self.digits(probability)?;
                }
            }
            Relevance::All(values) => {
                for value in values.iter() {
                    self.digits(*value)?;
                }
            }
            Relevance::Strongest { features, other } => {
                for (feature, value) in features.iter() {
                    let name = self.layout.features()[*feature].clone();
                    self.words(&name)?;
                    self.digits(*value)?;
                }
                self.digits(*other)?;
            }
        }
        self.row += 1;
        Ok(())
    }

    fn number(&mut self, value: f64) -> Result<(), XlsxError> {
        self.sheet.write_number(self.row, self.column, value)?;
        self.column += 1;
        Ok(())
    }

    /// A number with the digits of its precision: 0.1 in f32 is 0.1, not 0.10000000149.
    fn digits(&mut self, value: f64) -> Result<(), XlsxError> {
        self.text.clear();
        self.layout.number(&mut self.text, value);
        self.number(self.text.parse().unwrap_or(value))
    }

    fn words(&mut self, text: &str) -> Result<(), XlsxError> {
        self.sheet.write_string(self.row, self.column, text)?;
        self.column += 1;
        Ok(())
    }
}

impl Sink for ExcelSink<'_> {
    fn write(&mut self, row: &Row<'_>) -> Result<()> {
        if self.row == ROWS {
            return Err(too_large(&self.name, &format!("more than {} rows", ROWS - 1)));
        }
        self.row(row).map_err(|error| unusable(&self.name, error))
    }

    fn finish(self: Box<Self>) -> Result<()> {
        let Self { name, mut destination, mut book, sheet, .. } = *self;
        book.push_worksheet(sheet);
        book.save_to_writer(&mut destination).map_err(|error| unusable(&name, error))?;
        destination.flush().map_err(failed(&name))
    }
}

/// A sheet with a line of names, which stays in view.
fn prepare(book: &mut Workbook, sheet: &mut Worksheet, names: &[String]) -> Result<(), XlsxError> {
    // Which day it is does not belong to the results.
    let day = ExcelDateTime::from_ymd(2000, 1, 1)?;
    book.set_properties(&DocProperties::new().set_creation_datetime(&day));
    sheet.set_name("neuralize")?;
    sheet.set_freeze_panes(1, 0)?;
    sheet.set_nan_value("NaN").set_infinity_value("inf").set_neg_infinity_value("-inf");
    let bold = Format::new().set_bold();
    for (column, name) in (0..).zip(names) {
        sheet.write_string_with_format(0, column, name, &bold)?;
    }
    Ok(())
}

impl Entries {
    /// Writes the table as an Excel workbook. `name` is that of the destination, for errors.
    ///
    /// # Errors
    ///
    /// If it has more rows or columns than a sheet, or the destination cannot be written.
    pub fn write_xlsx(&self, name: &str, mut destination: impl Write) -> Result<()> {
        if self.rows().len() >= ROWS as usize || self.header().len() > COLUMNS {
            return Err(too_large(name, &format!("{} rows", self.rows().len())));
        }
        let bytes = self.workbook().map_err(|error| unusable(name, error))?;
        destination.write_all(&bytes).and_then(|()| destination.flush()).map_err(failed(name))
    }

    fn workbook(&self) -> Result<Vec<u8>, XlsxError> {
        let mut book = Workbook::new();
        let mut sheet = Worksheet::new();
        prepare(&mut book, &mut sheet, self.header())?;
        for (row, cells) in (1..).zip(self.rows()) {
            for (column, cell) in (0..).zip(cells) {
                match cell {
                    Entry::Text(text) => sheet.write_string(row, column, text).map(drop)?,
                    Entry::Count(count) => {
                        sheet.write_number(row, column, *count as f64).map(drop)?
                    }
                    Entry::Number(number) => sheet.write_number(row, column, *number).map(drop)?,
                    Entry::Empty => {}
                }
            }
        }
        book.push_worksheet(sheet);
        book.save_to_buffer()
    }
}

fn too_large(name: &str, what: &str) -> Error {
    let detail = format!("a sheet of Excel cannot hold the results: {what}; write CSV or Parquet");
    Error::Table { file: name.to_owned(), detail }
}

/// The writer's error; an I/O error, such as a closed pipe, stays one.
fn unusable(name: &str, error: XlsxError) -> Error {
    let source = match error {
        XlsxError::IoError(source) | XlsxError::ZipError(ZipError::Io(source)) => source,
        error => io::Error::other(error),
    };
    failed(name)(source)
}
