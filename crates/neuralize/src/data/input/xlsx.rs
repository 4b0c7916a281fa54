//! Rows of Excel workbooks.

use std::collections::HashMap;
use std::fs::File;
use std::io::BufReader;
use std::path::Path;
use std::sync::Arc;

use calamine::{
    DataRef, ExcelDateTime, ExcelDateTimeType, Reader, SheetType, SheetVisible, Xlsx, XlsxError,
};

use crate::data::input::archive::{self, Section};
use crate::data::input::cell::{Cell, Place};
use crate::data::input::columns::Columns;
use crate::data::input::guard::guarded;
use crate::data::input::header::{COMPARED, check_names, may_be_title, title_error};
use crate::data::input::opened::Opened;
use crate::data::input::options::TableOptions;
use crate::data::input::rows::{Rows, Sink, hand_on};
use crate::error::{Error, Result};
use crate::text::{self, Shown};

/// A workbook may be so much larger when it is unpacked, or so many bytes.
const UNPACKED_PER_BYTE: u64 = 200;
const UNPACKED: u64 = 1 << 28;

/// Rows may have empty cells, but not so many that a small sheet is an enormous table.
const CELLS_PER_CELL: u64 = 1000;
const CELLS: u64 = 1 << 27;

type Book = Xlsx<BufReader<Section>>;

/// Rows of a sheet, which is held in memory.
pub(super) struct SheetRows {
    sheet: Sheet,
    /// Number of the first column, and of columns.
    left: u32,
    width: usize,
    /// The next cell.
    next: usize,
    /// The row behind the last one that was read.
    next_row: u32,
    bytes: u64,
}

impl SheetRows {
    /// Reads the sheet that the options name, or the first that has cells.
    pub(super) fn open(
        name: String,
        file: Arc<File>,
        options: &TableOptions,
    ) -> Result<Opened<'static>> {
        let fail = |detail: String| Error::Table { file: name.clone(), detail };
        let damaged =
            |detail: String| fail(format!("cannot be read as a workbook: {}", Shown(&detail)));
        let io = |error| Error::io(Path::new(&name))(error);
        let bytes = file.metadata().map_err(io)?.len();
        check_size(&file, bytes).map_err(fail)?;
        let source = BufReader::with_capacity(1 << 16, Section::new(file, 0, bytes));
        let mut book = guarded(|| Book::new(source)).map_err(damaged)?;
        let names = sheets(&book);
        let wanted = match &options.sheet {
            Some(wanted) => vec![chosen(&names, wanted).map_err(fail)?],
            None => names.iter().collect(),
        };
        let mut found = None;
        for name in wanted {
            let sheet = guarded(|| Sheet::read(&mut book, name)).map_err(damaged)?;
            if !sheet.cells.is_empty() {
                found = Some((sheet.without(options.skipped), name));
                break;
            }
        }
        let Some((sheet, title)) = found.filter(|(sheet, _)| !sheet.cells.is_empty()) else {
            let which = match (&options.sheet, options.skipped) {
                (Some(sheet), 0) => format!("its sheet `{}` has no cells", Shown(sheet)),
                (None, 0) => "none of its sheets has cells".to_owned(),
                (_, 1) => "there are no cells behind the row that is skipped".to_owned(),
                (_, rows) => format!("there are no cells behind the {rows} rows that are skipped"),
            };
            return Err(fail(which));
        };
        let is_named = options.header != Some(false);
        if names.len() > 1 && options.sheet.is_none() && is_named && sheet.rows() == 1 {
            let names: Vec<String> =
                names.iter().map(|name| format!("`{}`", Shown(name))).collect();
            return Err(fail(format!(
                "its sheet `{}` has one row only; its sheets are {}: choose one by `--sheet`",
                Shown(title),
                names.join(", ")
            )));
        }
        let mut rows = Self { left: 0, width: 0, next: 0, next_row: 0, bytes, sheet };
        let (header, note) = rows.header(options.header).map_err(fail)?;
        let sheet = format!("sheet `{}` of {}", Shown(title), names.len());
        let sheet = (names.len() > 1 && options.sheet.is_none()).then_some(sheet);
        let mut opened = Opened::new(name, header, rows);
        opened.notes = sheet.into_iter().chain(note).collect();
        (opened.has_lines, opened.has_sheets) = (true, true);
        Ok(opened)
    }

    /// Finds the columns; the first row names them, unless the user says that it does not. A note
    /// says if it looks like a row.
    fn header(&mut self, wish: Option<bool>) -> Result<(Vec<String>, Option<String>), String> {
        let columns = || self.sheet.cells.iter().map(|cell| cell.column);
        self.left = columns().min().unwrap_or_default();
        self.width = (columns().max().unwrap_or_default() - self.left) as usize + 1;
        let row = self.next_row().unwrap_or_default();
        if wish == Some(false) {
            self.next_row = row;
            return Ok(((0..self.width).map(|at| format!("x{at}")).collect(), None));
        }
        let first = self.texts(self.row(row));
        let behind = self.next + self.row(row).len();
        let note = match wish {
            Some(_) => None,
            None => {
                let (names, rows) = (record(&first), self.records_from(behind));
                if may_be_title(&names, &rows) {
                    return Err(title_error(&names, self.rows_above(behind)));
                }
                check_names(&names, &rows)?
            }
        };
        (self.next, self.next_row) = (behind, row + 1);
        Ok((first, note))
    }

    /// The texts of a row.
    fn texts(&self, cells: &[Placed]) -> Vec<String> {
        let mut texts = vec![String::new(); self.width];
        for cell in cells {
            if let Some(text) = texts.get_mut((cell.column - self.left) as usize) {
                *text = self.sheet.cell(cell.value).text();
            }
        }
        texts
    }

    /// The next row that has a cell.
    fn next_row(&self) -> Option<u32> {
        self.sheet.cells.get(self.next).map(|cell| cell.row)
    }

    /// The cells of the next row, if it is this one.
    fn row(&self, row: u32) -> &[Placed] {
        self.row_from(self.next, row)
    }

    fn row_from(&self, start: usize, row: u32) -> &[Placed] {
        let left = self.sheet.cells.get(start..).unwrap_or_default();
        let count = left.iter().take_while(|cell| cell.row == row).count();
        left.get(..count).unwrap_or_default()
    }

    /// The first rows that have cells, from a cell on.
    fn records_from(&self, start: usize) -> Vec<csv::StringRecord> {
        let (mut next, mut records) = (start, Vec::new());
        while let Some(row) = self.sheet.cells.get(next).map(|cell| cell.row)
            && records.len() < COMPARED
        {
            let cells = self.row_from(next, row);
            records.push(record(&self.texts(cells)));
            next += cells.len();
        }
        records
    }

    /// How many rows stand above the first, from a cell on, that has two cells or more.
    fn rows_above(&self, start: usize) -> usize {
        let cells = self.sheet.cells.get(start..).unwrap_or_default();
        let mut pairs = cells.windows(2);
        let pair = pairs.find(|pair| matches!(pair, [a, b] if a.row == b.row));
        pair.and_then(<[Placed]>::first).map_or(1, |cell| cell.row as usize)
    }

    /// An error of a table that is nearly empty.
    fn check_fill(&self) -> Result<(), String> {
        let cells = self.sheet.cells.len() as u64;
        let rows = self.sheet.rows();
        let wanted = rows.saturating_mul(self.width as u64);
        if wanted <= CELLS.saturating_add(cells.saturating_mul(CELLS_PER_CELL)) {
            return Ok(());
        }
        Err(format!(
            "its sheet has {rows} rows and {} columns, but only {cells} cells; delete the columns that are nearly empty",
            self.width
        ))
    }
}

impl Rows for SheetRows {
    fn select(&mut self, columns: &Columns) -> Result<()> {
        self.check_fill().map_err(|detail| Error::Table { file: columns.file.clone(), detail })
    }

    fn read(&mut self, columns: &Columns, limit: usize, sink: &mut dyn Sink) -> Result<()> {
        let mut values = vec![Value::Missing; self.width];
        for _ in 0..limit {
            // Blank rows between others count: they are rows without a value.
            if self.next_row().is_none() {
                break;
            }
            let row = self.next_row;
            values.fill(Value::Missing);
            let cells = self.row(row);
            for cell in cells {
                if let Some(value) = values.get_mut((cell.column - self.left) as usize) {
                    *value = cell.value;
                }
            }
            let cell = |position: usize| {
                self.sheet.cell(values.get(position).copied().unwrap_or(Value::Missing))
            };
            let place = || Place::Line(u64::from(row) + 1);
            hand_on(columns, sink, &place, cell)?;
            self.next += cells.len();
            self.next_row = row + 1;
        }
        Ok(())
    }

    fn bytes_read(&self) -> u64 {
        let part = self.next as f64 / self.sheet.cells.len().max(1) as f64;
        (self.bytes as f64 * part) as u64
    }
}

/// Names of the sheets that hold cells, not charts; those that are shown come first.
fn sheets(book: &Book) -> Vec<String> {
    let sheets = book.sheets_metadata().iter();
    let mut sheets: Vec<_> = sheets.filter(|sheet| sheet.typ == SheetType::WorkSheet).collect();
    sheets.sort_by_key(|sheet| sheet.visible != SheetVisible::Visible);
    sheets.into_iter().map(|sheet| sheet.name.clone()).collect()
}

/// The sheet of a name, or of a number counted from 1.
fn chosen<'n>(names: &'n [String], wanted: &str) -> Result<&'n String, String> {
    let by_number = || names.get(wanted.parse::<usize>().ok()?.checked_sub(1)?);
    let found = names.iter().find(|name| *name == wanted).or_else(by_number);
    found.ok_or_else(|| {
        let names: Vec<String> = names.iter().map(|name| format!("`{}`", Shown(name))).collect();
        format!("there is no sheet `{}`; its sheets are {}", Shown(wanted), names.join(", "))
    })
}

fn record(texts: &[String]) -> csv::StringRecord {
    csv::StringRecord::from_iter(texts)
}

/// Refuses archives that would fill the memory when they are unpacked.
fn check_size(file: &Arc<File>, bytes: u64) -> Result<(), String> {
    let entries = archive::entries(file).map_err(|error| error.to_string())?;
    let is_read = |name: &str| [".xml", ".rels"].iter().any(|end| name.ends_with(end));
    let sizes = entries.iter().filter(|entry| is_read(&entry.name.to_lowercase()));
    let unpacked = sizes.map(|entry| entry.size).fold(0, u64::saturating_add);
    if unpacked <= UNPACKED.saturating_add(bytes.saturating_mul(UNPACKED_PER_BYTE)) {
        return Ok(());
    }
    Err(format!("would take {unpacked} bytes when it is unpacked, from {bytes}; convert it to CSV"))
}

// Cells ------------------------------------------------------------------------------------------

/// The cells of a sheet that are not empty, in the order of rows and columns.
#[derive(Default)]
struct Sheet {
    cells: Vec<Placed>,
    texts: Vec<Box<str>>,
    /// Texts of the workbook that many cells may share, by their addresses.
    shared: HashMap<(usize, usize), Option<Value>>,
}

struct Placed {
    row: u32,
    column: u32,
    value: Value,
}

#[derive(Clone, Copy)]
enum Value {
    Missing,
    Number(f64),
    Whole(f64),
    Flag(bool),
    Day(f64),
    /// Number of a text.
    Text(usize),
}

impl Sheet {
    /// Number of rows from the first that has a cell to the last.
    fn rows(&self) -> u64 {
        let (first, last) = (self.cells.first(), self.cells.last());
        last.zip(first).map_or(0, |(last, first)| u64::from(last.row - first.row) + 1)
    }

    fn cell(&self, value: Value) -> Cell<'_> {
        match value {
            Value::Missing => Cell::Missing,
            Value::Number(value) => Cell::Number(value),
            Value::Whole(value) => Cell::Whole(value),
            Value::Flag(value) => Cell::Flag(value),
            Value::Day(value) => Cell::Day(value),
            Value::Text(number) => Cell::Text(self.texts.get(number).map_or("", |text| text)),
        }
    }

    /// Reads the cells one after the other: a grid from the first to the last of them might be far
    /// larger than the file.
    fn read(book: &mut Book, name: &str) -> Result<Self, XlsxError> {
        let mut sheet = Self::default();
        let mut cells = book.worksheet_cells_reader(name)?;
        while let Some(cell) = cells.next_cell()? {
            let (row, column) = cell.get_position();
            if let Some(value) = sheet.value(cell.get_value()) {
                sheet.cells.push(Placed { row, column, value });
            }
        }
        Ok(sheet.finish())
    }

    /// What a cell holds, unless it is empty.
    fn value(&mut self, cell: &DataRef<'_>) -> Option<Value> {
        Some(match cell {
            DataRef::Empty => return None,
            DataRef::Error(_) => Value::Missing,
            DataRef::Int(value) => Value::Whole(*value as f64),
            DataRef::Float(value) => number(*value),
            DataRef::Bool(value) => Value::Flag(*value),
            DataRef::DateTime(time) => day(time),
            DataRef::SharedString(text) => {
                let address = (text.as_ptr().addr(), text.len());
                if let Some(known) = self.shared.get(&address) {
                    return *known;
                }
                let value = self.text(text);
                self.shared.insert(address, value);
                return value;
            }
            DataRef::DateTimeIso(text) => match text::days(text) {
                Some(days) => Value::Day(days),
                None => return self.text(text),
            },
            DataRef::String(text) | DataRef::DurationIso(text) => return self.text(text),
        })
    }

    fn text(&mut self, text: &str) -> Option<Value> {
        let text = text.trim();
        if text.is_empty() {
            return None;
        }
        self.texts.push(text.into());
        Some(Value::Text(self.texts.len() - 1))
    }

    /// The sheet without its first rows.
    fn without(mut self, rows: usize) -> Self {
        if rows > 0 {
            self.cells.retain(|cell| cell.row as usize >= rows);
        }
        self
    }

    /// Sorts the cells; of several at one place the last counts.
    fn finish(mut self) -> Self {
        let place = |cell: &Placed| (cell.row, cell.column);
        if !self.cells.is_sorted_by_key(place) {
            self.cells.sort_by_key(place);
        }
        self.shared = HashMap::new();
        self
    }
}

/// Excel does not tell integers from other numbers.
fn number(value: f64) -> Value {
    const EXACT: f64 = (1_u64 << 53) as f64;
    if value.fract() == 0.0 && value.abs() <= EXACT {
        Value::Whole(value)
    } else {
        Value::Number(value)
    }
}

/// A date in days since 1970, or a time of day as a part of one; the length of a time in days.
fn day(time: &ExcelDateTime) -> Value {
    // The numbers of 1970-01-01.
    const IN_1900: f64 = 25_569.0;
    const IN_1904: f64 = 24_107.0;
    // The day that Excel takes for 29 February 1900, which there was not.
    const NO_DAY: f64 = 60.0;
    let serial = time.as_f64();
    if time.is_duration() {
        return Value::Number(serial);
    }
    // Whether days count from 1904 can only be found by comparison.
    if *time == ExcelDateTime::new(serial, ExcelDateTimeType::DateTime, true) {
        return Value::Day(serial - IN_1904);
    }
    if (0.0..1.0).contains(&serial) {
        return Value::Day(serial);
    }
    Value::Day(serial - IN_1900 + f64::from(u8::from(serial < NO_DAY)))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;
    use crate::data::input::collect::{Collected, collect};
    use crate::data::input::options::TableOptions;

    const SHEETS: &[u8] = include_bytes!("../../../fixtures/sheets.xlsx");
    const MAC: &[u8] = include_bytes!("../../../fixtures/mac.xlsx");
    const SPARSE: &[u8] = include_bytes!("../../../fixtures/sparse.xlsx");
    const NOTHING: &[u8] = include_bytes!("../../../fixtures/nothing.xlsx");
    const COLUMN: &[u8] = include_bytes!("../../../fixtures/column.xlsx");

    fn open(bytes: &[u8]) -> Result<Opened<'static>> {
        open_by(bytes, &TableOptions::default())
    }

    fn open_by(bytes: &[u8], options: &TableOptions) -> Result<Opened<'static>> {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        SheetRows::open("t.xlsx".into(), Arc::new(file), options)
    }

    fn read(opened: Result<Opened<'static>>) -> Collected {
        collect(opened.expect("a sheet"), &TableOptions::default()).expect("rows")
    }

    #[test]
    fn the_first_sheet_with_cells_is_the_table() {
        let opened = open(SHEETS).expect("a sheet");
        assert_eq!(opened.notes, ["sheet `Data` of 3"]);
        let found = collect(opened, &TableOptions::default()).expect("rows");
        assert_eq!(found.names, ["name", "2020", "", "flag", "day", "x"]);
        assert_eq!(
            found.rows,
            [
                ["'a'", "1i", "1.5", "true", "19782d", "-"],
                ["-", "-", "-", "-", "-", "-"],
                ["'b'", "-3i", "0.1", "false", "0.5d", "7i"],
                ["'a'", "-", "-", "-", "0.25d", "-"],
                // Excel has a day too many in 1900, but none before March.
                ["'ä<&>\"'", "100000000000000000000", "9007199254740994", "true", "-25536d", "9i"],
            ]
        );
        assert_eq!(found.places, ["line 4", "line 5", "line 6", "line 7", "line 8"]);
    }

    #[test]
    fn sheets_rows_and_headers_are_chosen() {
        let plain = TableOptions::default;
        let message =
            |options: TableOptions| open_by(SHEETS, &options).err().expect("an error").to_string();
        for sheet in ["Data", "2"] {
            let opened = open_by(SHEETS, &plain().with_sheet(sheet)).expect("a sheet");
            assert_eq!((opened.header.len(), opened.notes.len()), (6, 0), "{sheet}");
        }
        let unknown = message(plain().with_sheet("0"));
        assert!(
            unknown.starts_with("t.xlsx: there is no sheet `0`; its sheets are `"),
            "{unknown}"
        );
        assert_eq!(message(plain().with_sheet("1")), "t.xlsx: its sheet `1` has no cells");
        assert_eq!(
            message(plain().with_skipped(1000)),
            "t.xlsx: there are no cells behind the 1000 rows that are skipped"
        );
        let options = plain().with_skipped(4).with_header(false);
        let found = collect(open_by(SHEETS, &options).expect("a sheet"), &options).expect("rows");
        assert_eq!(found.names, ["x0", "x1", "x2", "x3", "x4", "x5"]);
        assert_eq!(found.rows[0], ["'b'", "-3i", "0.1", "false", "0.5d", "7i"]);
        assert_eq!(found.places[0], "line 6");
    }

    #[test]
    fn a_first_row_of_numbers_is_asked_about() {
        let skipped = TableOptions::default().with_skipped(2);
        let error = open_by(COLUMN, &skipped).err().expect("an error").to_string();
        assert!(error.contains("--header yes"), "{error}");
        for (header, rows) in [(true, &["-", "2i"][..]), (false, &["1i", "-", "2i"])] {
            let options = skipped.clone().with_header(header);
            let found = collect(open_by(COLUMN, &options).expect("a sheet"), &options);
            assert_eq!(found.expect("rows").rows.concat(), rows);
        }
    }

    #[test]
    fn labels_are_text() {
        let options = TableOptions::default().with_label("day").with_id("2020").with_dropped("");
        let found = collect(open(SHEETS).expect("a sheet"), &options).expect("rows");
        assert_eq!(found.labels[..3], ["2024-02-29", "", "1970-01-01 12:00:00"]);
        assert_eq!(found.ids[..4], ["1", "", "-3", ""]);
        assert_eq!(found.names, ["name", "flag", "x"]);
    }

    #[test]
    fn days_count_from_1904_too() {
        let found = read(open(MAC));
        assert_eq!(found.rows, [["19782d", "1i"], ["-24106d", "2i"]]);
    }

    #[test]
    fn a_blank_row_of_one_column_is_a_missing_value() {
        let found = read(open(COLUMN));
        assert_eq!(found.names, ["only"]);
        assert_eq!(found.rows, [["1i"], ["-"], ["2i"]]);
        assert_eq!(found.places, ["line 3", "line 4", "line 5"]);
    }

    #[test]
    fn a_sheet_that_is_nearly_empty_is_refused() {
        let opened = open(SPARSE).expect("a sheet");
        assert_eq!(opened.header.len(), 16_384);
        let error = collect(opened, &TableOptions::default()).expect_err("an error");
        assert!(
            error.to_string().contains("1048576 rows and 16384 columns, but only 3 cells"),
            "{error}"
        );
    }

    #[test]
    fn errors_say_what() {
        let message = |bytes: &[u8]| open(bytes).err().expect("an error").to_string();
        assert_eq!(message(NOTHING), "t.xlsx: none of its sheets has cells");
        let damaged = "t.xlsx: is a damaged zip archive; save or download the file again";
        assert_eq!(message(&SHEETS[..4000]), damaged);
        assert_eq!(message(b""), damaged);
    }

    #[test]
    fn no_bytes_panic() {
        for at in (0..MAC.len()).step_by(5) {
            let mut changed = MAC.to_vec();
            changed[at] ^= 0xff;
            if let Ok(opened) = open(&changed) {
                let _ = collect(opened, &TableOptions::default());
            }
            assert!(open(&MAC[..at]).is_err());
        }
    }
}
