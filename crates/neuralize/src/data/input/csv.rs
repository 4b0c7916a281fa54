//! Rows of CSV files.

use std::io::{self, Read};

use crate::data::input::builder::TableBuilder;
use crate::data::input::columns::Columns;
use crate::data::input::options::TableOptions;
use crate::data::input::rows::Rows;
use crate::error::{Error, Result};

/// Rows of a text file whose first line names the columns.
pub(super) struct CsvRows<'a> {
    reader: csv::Reader<Counted<'a>>,
    /// Whether lines end with a carriage return before the newline.
    returns: bool,
    /// The line after the last record, in a table of one column.
    next_line: u64,
    record: csv::StringRecord,
}

impl<'a> CsvRows<'a> {
    /// Reads the header.
    pub(super) fn open(
        file: String,
        source: Box<dyn Read + 'a>,
        delimiter: u8,
        options: &TableOptions,
    ) -> Result<(Columns, Self)> {
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(delimiter)
            .trim(csv::Trim::All)
            .buffer_capacity(1 << 16)
            .from_reader(Counted { source, bytes: 0, last: b'\n' });
        let header: Vec<String> = match reader.headers() {
            Ok(header) => header.iter().map(str::to_owned).collect(),
            Err(error) => return Err(table_error(&file, &error, 0)),
        };
        check_header(&file, &header, delimiter)?;
        // The parser counts a line at its newline, and reads the newline after a
        // carriage return with the next record.
        let breaks: usize = header.iter().map(|name| name.matches('\n').count()).sum();
        let next_line = 2 + breaks as u64;
        let returns =
            reader.position().line() < next_line && !reader.get_ref().unterminated(&reader);
        let columns = Columns::named(file, header, options)?;
        Ok((columns, Self { reader, returns, next_line, record: csv::StringRecord::new() }))
    }

    /// The parser's error, with lines counted as this reader counts them.
    fn error(&self, file: &str, error: &csv::Error) -> Error {
        let behind = u64::from(self.returns);
        table_error(file, error, behind)
    }

    /// The line on which the record just read starts, counted from 1.
    fn line_of_record(&self) -> u64 {
        let after = self.reader.position().line();
        let counted = !self.returns && !self.reader.get_ref().unterminated(&self.reader);
        after.saturating_sub(self.breaks_in_record() + u64::from(counted))
    }

    fn breaks_in_record(&self) -> u64 {
        self.record.iter().map(|cell| cell.matches('\n').count() as u64).sum()
    }
}

impl Rows for CsvRows<'_> {
    fn read(&mut self, columns: &Columns, limit: usize, table: &mut TableBuilder) -> Result<()> {
        let Columns { file, header, .. } = columns;
        let place = |line: u64, column: &str| format!("line {line}, column `{column}`");
        for _ in 0..limit {
            match self.reader.read_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Err(self.error(file, &error)),
            }
            // The parser skips empty lines; in a table of one column they are
            // missing values. In other tables, lines are counted only for messages.
            if header.len() == 1 {
                let line = self.line_of_record();
                for blank in self.next_line..line {
                    table.note_missing(|| place(blank, &header[0]));
                }
                self.next_line = line + 1 + self.breaks_in_record();
            }
            for &at in &columns.positions {
                let text = self.record.get(at).unwrap_or_default();
                match text.parse::<f64>() {
                    Ok(value) if value.is_finite() => table.values.push(value),
                    _ if is_missing(text) => {
                        table.note_missing(|| place(self.line_of_record(), &header[at]));
                        table.values.push(0.0);
                    }
                    _ => {
                        return Err(Error::Cell {
                            file: file.clone(),
                            line: self.line_of_record(),
                            column: header[at].clone(),
                            text: text.to_owned(),
                        });
                    }
                }
            }
            if let (Some(labels), Some(at)) = (&mut table.labels, columns.label) {
                labels.push(self.record.get(at).unwrap_or_default().to_owned());
            }
        }
        Ok(())
    }

    fn bytes_read(&self) -> u64 {
        self.reader.position().byte()
    }
}

/// A source that counts its bytes and keeps the last one.
struct Counted<'a> {
    source: Box<dyn Read + 'a>,
    bytes: u64,
    last: u8,
}

impl Counted<'_> {
    /// Whether the reader is at the end of a source that does not end with a line
    /// break.
    fn unterminated(&self, reader: &csv::Reader<Self>) -> bool {
        reader.position().byte() == self.bytes && !matches!(self.last, b'\n' | b'\r')
    }
}

impl Read for Counted<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.bytes += count as u64;
        if let Some(last) = buffer[..count].last() {
            self.last = *last;
        }
        Ok(count)
    }
}

fn is_missing(text: &str) -> bool {
    const WORDS: [&str; 7] = ["", "?", "na", "n/a", "nan", "null", "none"];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn check_header(file: &str, header: &[String], delimiter: u8) -> Result<()> {
    let fail = |detail: String| Err(Error::Table { file: file.to_owned(), detail });
    if header.is_empty() {
        return fail("the file is empty; the first line must name the columns".into());
    }
    // Exported arrays without names have columns numbered from 0.
    let numbered =
        header.len() > 2 && header.iter().enumerate().all(|(at, name)| *name == at.to_string());
    if !numbered && header.iter().all(|name| name.parse::<f64>().is_ok()) {
        return fail("the first line holds numbers; it must name the columns".into());
    }
    if let [only] = header
        && let Some(other) = [';', '\t', ',', '|'].into_iter().find(|c| only.contains(*c))
    {
        let used = char::from(delimiter);
        return fail(format!(
            "the header is a single column `{only}` when split at {used:?}; is the delimiter {other:?}?"
        ));
    }
    Ok(())
}

fn table_error(file: &str, error: &csv::Error, behind: u64) -> Error {
    let detail = match error.kind() {
        csv::ErrorKind::UnequalLengths { pos, expected_len, len } => {
            let line = pos.as_ref().map_or(0, |at| at.line() + behind);
            format!("line {line} has {len} cells, the header has {expected_len}")
        }
        csv::ErrorKind::Utf8 { pos, .. } => {
            let line = pos.as_ref().map_or(0, |at| at.line() + behind);
            format!("line {line} is not valid UTF-8; convert the file first")
        }
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
        assert_eq!(message("a,b\n1\n", &plain), "t.csv: line 2 has 1 cells, the header has 2");
        assert_eq!(
            message("", &plain),
            "t.csv: the file is empty; the first line must name the columns"
        );
        assert_eq!(
            message("1,2\n3,4\n", &plain),
            "t.csv: the first line holds numbers; it must name the columns"
        );
        assert_eq!(
            message("a;b\n1;2\n", &plain),
            "t.csv: the header is a single column `a;b` when split at ','; is the delimiter ';'?"
        );
        assert_eq!(
            message("a,a\n1,2\n", &plain),
            "t.csv: two columns are named `a`; names must be different"
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
        let bytes: &[u8] = b"a,b\n1,\xff\n";
        let error = TableReader::csv("t.csv", bytes, &TableOptions::default())
            .and_then(|mut reader| reader.read_all())
            .expect_err("not UTF-8");
        assert_eq!(error.to_string(), "t.csv: line 2 is not valid UTF-8; convert the file first");
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
