//! Rows of text files: CSV, TSV and their relatives.

use std::io::{self, Read};

use crate::data::input::cell::{Cell, Place};
use crate::data::input::columns::Columns;
use crate::data::input::decode::Decoded;
use crate::data::input::dialect::{self, Dialect, Width, Wishes};
use crate::data::input::opened::Opened;
use crate::data::input::options::TableOptions;
use crate::data::input::quotes::Quotes;
use crate::data::input::rows::{Rows, Sink, hand_on};
use crate::data::input::spaces::SingleSpaces;
use crate::error::{Error, Result};

/// Rows of a text file.
pub(super) struct CsvRows<'a> {
    reader: csv::Reader<Checked<'a>>,
    /// Lines before the first that the parser sees.
    skipped: u64,
    /// Whether lines end with a carriage return before the newline.
    returns: bool,
    /// The line after the last record, in a table of one column.
    next_line: u64,
    record: csv::StringRecord,
    /// Whether the record is the first row, which no header came before.
    is_pending: bool,
    /// Whether a line names the columns.
    is_named: bool,
}

impl<'a> CsvRows<'a> {
    /// Finds out how cells are separated, and reads the header. `usual` is the separator that the
    /// name of the file suggests.
    pub(super) fn open(
        file: String,
        decoded: Decoded<'a>,
        usual: Option<u8>,
        options: &TableOptions,
    ) -> Result<Opened<'a>> {
        let fail = |detail: String| Error::Table { file: file.clone(), detail };
        let Decoded { mut source, sample, whole, mut notes } = decoded;
        let sample = String::from_utf8_lossy(&sample);
        let wishes = Wishes {
            delimiter: options.delimiter,
            usual,
            decimal: options.decimal,
            kept: options.kept_decimal(),
            header: options.header,
            skipped: options.skipped,
            missing: options.missing_values(),
        };
        let dialect = dialect::of(&sample, whole, &wishes).map_err(fail)?;
        notes.extend(dialect.notes.iter().cloned());
        // The header begins behind comments and blank lines; the `#` before it is no part of it.
        let before = dialect.start + usize::from(dialect.hash);
        let before_text = &sample.as_bytes()[..before.min(sample.len())];
        io::copy(&mut (&mut source).take(before as u64), &mut io::sink())
            .map_err(|error| fail(error.to_string()))?;
        let skipped = memchr::memchr_iter(b'\n', before_text).count() as u64;
        if dialect.delimiter == b' ' {
            source = Box::new(SingleSpaces::new(source));
        }
        let reader = csv::ReaderBuilder::new()
            .delimiter(dialect.delimiter)
            .trim(csv::Trim::All)
            .has_headers(false)
            .flexible(true)
            .buffer_capacity(1 << 16)
            .from_reader(Checked {
                source,
                bytes: 0,
                last: b'\n',
                quotes: Quotes::new(dialect.delimiter, 1 + skipped),
            });
        let record = csv::StringRecord::new();
        let mut rows = Self {
            reader,
            skipped,
            returns: false,
            next_line: 2,
            record,
            is_pending: !dialect.header,
            is_named: dialect.header,
        };
        let header = rows.header(&file, &dialect)?;
        let mut opened = Opened::new(file, header, rows);
        opened.notes = notes;
        (opened.decimal, opened.decimal_is_known) = (dialect.decimal, dialect.decimal_is_known);
        opened.has_lines = true;
        opened.has_commas = dialect.delimiter == b',';
        Ok(opened)
    }

    /// Names of the columns, from the first record.
    fn header(&mut self, file: &str, dialect: &Dialect) -> Result<Vec<String>> {
        let fail = |detail: String| Err(Error::Table { file: file.to_owned(), detail });
        match self.reader.read_record(&mut self.record) {
            Err(error) => return Err(table_error(file, &error, self.skipped)),
            Ok(false) => {
                return fail("the file is empty; the first line must name the columns".into());
            }
            Ok(true) => {}
        }
        // The parser counts a line at its newline, and reads the newline after a
        // carriage return with the next record.
        self.next_line = 2 + self.breaks_in_record();
        let reader = &self.reader;
        self.returns =
            reader.position().line() < self.next_line && !reader.get_ref().unterminated(reader);
        if !dialect.header {
            return Ok((0..self.record.len()).map(|at| format!("x{at}")).collect());
        }
        let mut names: Vec<String> = self.record.iter().map(str::to_owned).collect();
        match dialect.rows {
            Width::OfNames => {}
            Width::OneMore => names.insert(0, String::new()),
            Width::OneLess => drop(names.pop()),
        }
        Ok(names)
    }

    /// The line on which the record just read starts, counted from 1.
    fn line_of_record(&self) -> u64 {
        let after = self.reader.position().line();
        let counted = !self.returns && !self.reader.get_ref().unterminated(&self.reader);
        self.skipped + after.saturating_sub(self.breaks_in_record() + u64::from(counted))
    }

    fn breaks_in_record(&self) -> u64 {
        self.record.iter().map(|cell| cell.matches('\n').count() as u64).sum()
    }

    /// Reads the next record; `false` at the end.
    fn advance(&mut self, file: &str) -> Result<bool> {
        if std::mem::take(&mut self.is_pending) {
            return Ok(true);
        }
        self.reader.read_record(&mut self.record).map_err(|error| {
            let behind = self.skipped + u64::from(self.returns);
            table_error(file, &error, behind)
        })
    }

    /// Whether the record is a row: not a line of blanks, which editors do not show. Rows of another
    /// number of cells than the header are errors.
    fn is_row(&self, columns: &Columns) -> Result<bool> {
        let (found, expected) = (self.record.len(), columns.width);
        if found == expected {
            return Ok(true);
        }
        if found == 1 && self.record.get(0) == Some("") {
            return Ok(false);
        }
        // A separator after the last cell.
        if found == expected + 1 && self.record.get(expected) == Some("") {
            return Ok(true);
        }
        let line = self.line_of_record();
        // Titles are a few lines.
        const TITLE: u64 = 10;
        let cells = if found == 1 { "cell" } else { "cells" };
        let advice = if found > expected {
            // One cell after the other, up to a line of several, which has the names.
            let is_title = expected == 1 && (2..=1 + TITLE).contains(&line);
            let skip = if is_title { (line - 1).to_string() } else { "N".to_owned() };
            format!(
                "if the lines above are a title or counts, say `--skip {skip}`, if no line names the columns `--header \
                 no`, if other signs separate cells `--delimiter`; a cell with a separator in it needs quotes"
            )
        } else {
            "add the cells that are missing, remove the line if it is no row, or say `--skip N` if the lines above \
             are a title"
                .to_owned()
        };
        let first = if self.is_named { "the header" } else { "the first row" };
        let detail = format!("line {line} has {found} {cells}, {first} has {expected}; {advice}");
        Err(Error::Table { file: columns.file.clone(), detail })
    }
}

impl Rows for CsvRows<'_> {
    fn read(&mut self, columns: &Columns, limit: usize, sink: &mut dyn Sink) -> Result<()> {
        let mut left = limit;
        while left > 0 && self.advance(&columns.file)? {
            // The parser skips empty lines; in a table of one column they are
            // missing values. In other tables, lines are counted only for messages.
            if columns.width == 1 {
                let line = self.line_of_record();
                let blank = self.next_line + self.skipped;
                if blank < line {
                    hand_on(columns, sink, &|| Place::Line(blank), |_| Cell::Missing)?;
                    self.next_line += 1;
                    self.is_pending = true;
                    left -= 1;
                    continue;
                }
                self.next_line = line - self.skipped + 1 + self.breaks_in_record();
            }
            if !self.is_row(columns)? {
                continue;
            }
            left -= 1;
            let place = || Place::Line(self.line_of_record());
            for (at, &position) in columns.positions.iter().enumerate() {
                let text = self.record.get(position).unwrap_or_default();
                sink.cell(columns, at, Cell::Text(text), &place)?;
            }
            if let Some(at) = columns.label {
                sink.label(self.record.get(at).unwrap_or_default());
            }
            if let Some(at) = columns.id {
                sink.id(self.record.get(at).unwrap_or_default());
            }
            sink.end_row(columns);
        }
        Ok(())
    }

    fn bytes_read(&self) -> u64 {
        self.reader.position().byte()
    }
}

/// A source that counts its bytes, keeps the last one, and checks the quotes.
struct Checked<'a> {
    source: Box<dyn Read + 'a>,
    bytes: u64,
    last: u8,
    quotes: Quotes,
}

impl Checked<'_> {
    /// Whether the reader is at the end of a source that does not end with a line
    /// break.
    fn unterminated(&self, reader: &csv::Reader<Self>) -> bool {
        reader.position().byte() == self.bytes && !matches!(self.last, b'\n' | b'\r')
    }
}

impl Read for Checked<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        let read = &buffer[..count];
        self.bytes += count as u64;
        if let Some(last) = read.last() {
            self.last = *last;
        }
        if count == 0 && !buffer.is_empty() {
            self.quotes.finish()?;
        } else {
            self.quotes.check(read)?;
        }
        Ok(count)
    }
}

fn table_error(file: &str, error: &csv::Error, behind: u64) -> Error {
    let detail = match error.kind() {
        csv::ErrorKind::Utf8 { pos, .. } => {
            let line = pos.as_ref().map_or(0, |at| at.line() + behind);
            format!("line {line} is not valid UTF-8; convert the file first")
        }
        csv::ErrorKind::Io(error) => error.to_string(),
        _ => error.to_string(),
    };
    Error::Table { file: file.to_owned(), detail }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Table, TableReader};

    fn read(text: &str, options: &TableOptions) -> Result<Table> {
        TableReader::csv("t.csv", text.as_bytes(), options)?.read_all()
    }

    fn message(text: &str, options: &TableOptions) -> String {
        read(text, options).expect_err("a table error").to_string()
    }

    #[test]
    fn columns_are_labelled_dropped_selected() {
        let text = "id,b,kind,a\n7,1,x,2\n8,3,y,4\n";
        let options = TableOptions::default().with_label("kind").with_dropped("id");
        let table = read(text, &options).expect("a table");
        assert_eq!(table.features(), ["b", "a"]);
        assert_eq!(table.row(1), Some(&[3.0, 4.0][..]));
        assert_eq!(table.labels().expect("labels"), ["x", "y"]);

        let mut reader = TableReader::csv(
            "t.csv",
            text.as_bytes(),
            &TableOptions::default().with_selected(["a", "b"]),
        )
        .expect("a table");
        assert_eq!(reader.ignored(), ["id", "kind"]);
        assert_eq!(reader.read_all().expect("rows").row(0), Some(&[2.0, 1.0][..]));
    }

    #[test]
    fn byte_order_mark_and_spaces_are_skipped() {
        let table =
            read("\u{feff}a, b\r\n 1 ,-2e3\r\n", &TableOptions::default()).expect("a table");
        assert_eq!(table.features(), ["a", "b"]);
        assert_eq!(table.row(0), Some(&[1.0, -2000.0][..]));
    }

    #[test]
    fn errors_say_what_and_where() {
        let plain = TableOptions::default();
        assert_eq!(
            message("a,b\n1,2\n3,four\n", &plain),
            "t.csv, line 3, column `b`: `four` is not a finite number"
        );
        assert_eq!(
            message("a,b\n1,inf\n", &plain),
            "t.csv, line 2, column `b`: `inf` is not a finite number"
        );
        assert_eq!(
            message("a,b\n1,\nNA,2\nnan,?\n", &plain),
            "t.csv: 4 missing values, first at line 2, column `b`; line 3, column `a`; line 4, column `a`; fill or drop these rows first"
        );
        assert_eq!(read("0,1,2\n3,4,5\n", &plain).expect("numbered").features(), ["0", "1", "2"]);
        assert_eq!(
            message("a\n1\n\n2\n", &plain),
            "t.csv: 1 missing value, first at line 3, column `a`; fill or drop these rows first"
        );
        assert_eq!(
            message("a,b\n1\n", &plain),
            "t.csv: line 2 has 1 cell, the header has 2; add the cells that are missing, remove the line if it is no \
             row, or say `--skip N` if the lines above are a title"
        );
        assert_eq!(
            message("a,b\n1,2,3\n", &plain),
            "t.csv: line 2 has 3 cells, the header has 2; if the lines above are a title or counts, say `--skip N`, if \
             no line names the columns `--header no`, if other signs separate cells `--delimiter`; a cell with a \
             separator in it needs quotes"
        );
        for (text, skip) in [
            ("Sales\na,b\n1,2\n", "`--skip 1`"),
            ("Sales\n2024\n\na,b\n1,2\n", "`--skip 3`"),
            (&format!("a\n{}2,5\n", "1\n".repeat(20)), "`--skip N`"),
        ] {
            assert!(message(text, &plain).contains(skip), "{text}");
        }
        assert_eq!(
            message("1,2\n1\n", &plain.clone().with_header(false)),
            "t.csv: line 2 has 1 cell, the first row has 2; add the cells that are missing, remove the line if it is \
             no row, or say `--skip N` if the lines above are a title"
        );
        assert_eq!(
            message("", &plain),
            "t.csv: the file is empty; the first line must name the columns"
        );
        assert_eq!(
            message("1,2\n3,4\n", &plain),
            "t.csv: the first line holds numbers; say `--header yes` if it names the columns, `--header no` if it is a row"
        );
        assert_eq!(read("a;b\n1;2\n", &plain).expect("found").features(), ["a", "b"]);
        assert_eq!(
            message("a,a\n1,2\n", &plain),
            "t.csv: two columns are named `a`; names must be different: rename one, or drop both"
        );
        assert_eq!(
            message("a,b\n1,2\n", &plain.clone().with_label("c")),
            "t.csv: there is no column `c`; its columns are `a`, `b`"
        );
        assert_eq!(
            message("a\n1\n", &plain.clone().with_dropped("a")),
            "t.csv: no feature column is left: all are dropped or the label"
        );
        assert_eq!(
            message(",a\n1,2\n", &plain),
            "t.csv: column 1 has no name (an exported row index?); give it one, or drop it by the empty name"
        );
        assert_eq!(read(",a\n1,2\n", &plain.with_dropped("")).expect("a table").features(), ["a"]);
        // What is not UTF-8 is Windows-1252, unless it cannot be.
        let bytes: &[u8] = b"a,b\n1,\x81\x8d\n";
        let error = TableReader::csv("t.csv", bytes, &TableOptions::default())
            .and_then(|mut reader| reader.read_all())
            .expect_err("neither");
        assert!(error.to_string().contains("is neither UTF-8 nor Windows-1252"), "{error}");
    }

    #[test]
    fn lines_are_counted_as_editors_count_them() {
        let line = |text: &str| {
            let error = message(text, &TableOptions::default());
            let (_, rest) = error.split_once("line ").expect("a line");
            rest.split(|c: char| !c.is_ascii_digit()).next().map(str::to_owned)
        };
        for (text, expected) in [
            ("a,b\n1,x\n", "2"),
            ("a,b\n1,x", "2"),
            ("a,b\r\n1,x\r\n", "2"),
            ("a,b\r\n1,x", "2"),
            ("\u{feff}a,b\n1,x", "2"),
            ("\u{feff}a,b\r\n1,2\r\n3,x", "3"),
            ("a,b\r\n1,2\r\n3,x\r\n4,5\r\n", "3"),
            ("a,b\n1,2\n\n\n3,x\n", "5"),
            ("a,b\r\n\r\n1,2\r\n3,x\r\n", "4"),
            ("a,b\n1,2\n3,\"x\ny\"\n", "3"),
            ("\"a\nz\",b\n1,2\n3,x\n", "4"),
            ("\"a\nz\",b\r\n1,2\r\n3,x\r\n", "4"),
            ("a,b\r\n1,2\r\n3\r\n", "3"),
        ] {
            assert_eq!(line(text).as_deref(), Some(expected), "{text:?}");
        }
    }

    #[test]
    fn parts_make_the_whole() {
        let text = "a\n1\n2\n3\n4\n5\n";
        let mut reader =
            TableReader::csv("t.csv", text.as_bytes(), &TableOptions::default()).expect("a table");
        let sizes: Vec<usize> = (0..4).map(|_| reader.read_rows(2).expect("rows").rows()).collect();
        assert_eq!(sizes, [2, 2, 1, 0]);
    }
}
