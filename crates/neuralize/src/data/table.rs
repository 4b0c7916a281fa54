use std::collections::HashMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use burn::tensor::{DType, Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::transfer;

/// A table of numbers with a name for every column, and a label for every row
/// where a label column was named.
///
/// ```
/// use neuralize::data::{CsvOptions, Table};
///
/// let wine = Table::wine();
/// assert_eq!((wine.rows(), wine.features().len()), (178, 13));
///
/// let error = Table::read("no such file.csv", &CsvOptions::default()).unwrap_err();
/// assert!(error.to_string().starts_with("no such file.csv: "));
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Table {
    features: Vec<String>,
    values: Vec<f64>,
    labels: Option<Vec<String>>,
}

/// How a CSV file is read.
#[derive(Debug, Clone)]
pub struct CsvOptions {
    delimiter: u8,
    label: Option<String>,
    dropped: Vec<String>,
    selected: Option<Vec<String>>,
}

impl Default for CsvOptions {
    fn default() -> Self {
        Self { delimiter: b',', label: None, dropped: Vec::new(), selected: None }
    }
}

impl CsvOptions {
    /// The character between cells; a comma by default.
    pub fn with_delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = delimiter;
        self
    }

    /// The column that holds each row's label, which may be any text.
    pub fn with_label(mut self, column: impl Into<String>) -> Self {
        self.label = Some(column.into());
        self
    }

    /// A column that is not read.
    pub fn with_dropped(mut self, column: impl Into<String>) -> Self {
        self.dropped.push(column.into());
        self
    }

    /// The columns that are read, in this order; others are ignored.
    pub fn with_selected(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.selected = Some(columns.into_iter().map(Into::into).collect());
        self
    }
}

impl Table {
    /// A table from its columns' names and its values, row by row.
    ///
    /// # Errors
    ///
    /// If there is no column or the values do not fill the rows.
    pub fn new(features: Vec<String>, values: Vec<f64>) -> Result<Self> {
        if features.is_empty() {
            return Err(Error::Empty { what: "the table" });
        }
        if !values.len().is_multiple_of(features.len()) {
            let expected = format!("[rows × {}]", features.len());
            return Err(Error::shape("the table", expected, &[values.len()]));
        }
        Ok(Self { features, values, labels: None })
    }

    /// The wine recognition data (Forina et al., UCI Machine Learning
    /// Repository, CC BY 4.0): 178 wines of three cultivars (the labels 0, 1
    /// and 2), 13 measurements.
    pub fn wine() -> Self {
        let options = CsvOptions::default().with_label("target");
        TableReader::new("wine.csv", Self::wine_csv().as_bytes(), &options)
            .and_then(|mut reader| reader.read_all())
            .expect("the embedded table is sound: a test reads it")
    }

    /// The same as the text of a CSV file.
    pub fn wine_csv() -> &'static str {
        include_str!("wine.csv")
    }

    /// Reads a whole CSV file.
    ///
    /// # Errors
    ///
    /// As [`TableReader::open`] and [`TableReader::read_rows`].
    pub fn read(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Self> {
        TableReader::open(path, options)?.read_all()
    }

    /// Names of the columns, D of them.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// How many rows, N.
    pub fn rows(&self) -> usize {
        self.values.len() / self.features.len()
    }

    /// One row, D values.
    pub fn row(&self, index: usize) -> Option<&[f64]> {
        self.values.chunks_exact(self.features.len()).nth(index)
    }

    /// The label of every row, if a label column was named.
    pub fn labels(&self) -> Option<&[String]> {
        self.labels.as_deref()
    }

    /// The labels as numbers from 0, with the label each number stands for, in
    /// order of their text.
    pub fn classes(&self) -> Option<(Vec<usize>, Vec<String>)> {
        let labels = self.labels.as_ref()?;
        let mut names = labels.clone();
        names.sort();
        names.dedup();
        let number: HashMap<&str, usize> =
            names.iter().enumerate().map(|(i, name)| (name.as_str(), i)).collect();
        Some((labels.iter().map(|label| number[label.as_str()]).collect(), names))
    }

    /// The values on a device, `[N, D]`.
    ///
    /// # Errors
    ///
    /// If the precision is neither F32 nor F64, or a value is beyond its range.
    pub fn to_tensor<B: Backend>(&self, device: &B::Device, dtype: DType) -> Result<Tensor<B, 2>> {
        if !matches!(dtype, DType::F32 | DType::F64) {
            return Err(Error::UnsupportedDType { what: "the table", found: dtype });
        }
        let (rows, columns) = (self.rows(), self.features.len());
        let limit = transfer::largest(dtype);
        if let Some(index) = self.values.iter().position(|value| value.abs() > limit) {
            return Err(Error::TooLarge {
                what: "the table",
                row: index / columns,
                column: index % columns,
                value: self.values[index],
                limit,
            });
        }
        Ok(transfer::upload(self.values.clone(), [rows, columns], device, dtype))
    }

    /// Columns that f32 cannot tell apart well: their values lie so far from
    /// zero that less than three digits of their spread are left.
    pub fn coarse_in_f32(&self) -> Vec<&str> {
        let columns = self.features.len();
        let mut ranges = vec![(f64::INFINITY, f64::NEG_INFINITY); columns];
        for row in self.values.chunks_exact(columns) {
            for (range, value) in ranges.iter_mut().zip(row) {
                *range = (range.0.min(*value), range.1.max(*value));
            }
        }
        let coarse = |(least, most): (f64, f64)| {
            let step = least.abs().max(most.abs()) * f64::from(f32::EPSILON);
            most > least && step > 1e-3 * (most - least)
        };
        let named = self.features.iter().zip(ranges);
        named.filter(|(_, range)| coarse(*range)).map(|(name, _)| name.as_str()).collect()
    }
}

/// Reads a CSV file in parts, so that it may be larger than memory.
///
/// ```
/// use neuralize::data::{CsvOptions, TableReader};
///
/// let text = "id;width;height;kind\n7;1;2;a\n8;3;4;b\n9;5;6;a\n";
/// let options = CsvOptions::default().with_delimiter(b';').with_label("kind").with_dropped("id");
/// let mut reader = TableReader::new("shapes", text.as_bytes(), &options)?;
/// assert_eq!(reader.features(), ["width", "height"]);
///
/// let part = reader.read_rows(2)?;
/// assert_eq!((part.rows(), part.row(1)), (2, Some(&[3.0, 4.0][..])));
/// assert_eq!(reader.read_all()?.labels(), Some(&["a".to_owned()][..]));
/// # Ok::<(), neuralize::Error>(())
/// ```
pub struct TableReader<R> {
    file: String,
    reader: csv::Reader<Watched<R>>,
    /// Whether lines end with a carriage return before the newline.
    returns: bool,
    /// The line after the last record that was read, in a table of one column.
    next_line: u64,
    record: csv::StringRecord,
    header: Vec<String>,
    features: Vec<String>,
    /// Position in the file of every feature.
    positions: Vec<usize>,
    label: Option<usize>,
    ignored: Vec<String>,
}

impl TableReader<File> {
    /// Opens a file and reads its header.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, has no header, has two columns of one name,
    /// or lacks a column that the options name.
    pub fn open(path: impl AsRef<Path>, options: &CsvOptions) -> Result<Self> {
        let path = path.as_ref();
        let file = File::open(path).map_err(Error::io(path))?;
        Self::new(path.display().to_string(), file, options)
    }
}

impl<R: Read> TableReader<R> {
    /// Reads the header of any source; `name` stands for it in messages.
    ///
    /// # Errors
    ///
    /// As [`open`](TableReader::open).
    pub fn new(name: impl Into<String>, source: R, options: &CsvOptions) -> Result<Self> {
        let file = name.into();
        let mut reader = csv::ReaderBuilder::new()
            .delimiter(options.delimiter)
            .trim(csv::Trim::All)
            .buffer_capacity(1 << 16)
            .from_reader(Watched { source, bytes: 0, last: b'\n' });
        let header: Vec<String> = match reader.headers() {
            Ok(header) => header.iter().map(str::to_owned).collect(),
            Err(error) => return Err(table_error(&file, &error, 0)),
        };
        check_header(&file, &header, options)?;
        // The parser counts a line at its newline, and leaves the newline of a
        // carriage return and newline to the next record.
        let breaks: usize = header.iter().map(|name| name.matches('\n').count()).sum();
        let next_line = 2 + breaks as u64;
        let returns =
            reader.position().line() < next_line && !reader.get_ref().unterminated(&reader);

        let position = |column: &str| {
            header.iter().position(|name| name == column).ok_or_else(|| Error::UnknownColumn {
                file: file.clone(),
                column: column.to_owned(),
                available: header.clone(),
            })
        };
        let label = options.label.as_deref().map(position).transpose()?;
        let dropped =
            options.dropped.iter().map(|name| position(name)).collect::<Result<Vec<_>>>()?;
        let positions: Vec<usize> = match &options.selected {
            Some(names) => names.iter().map(|name| position(name)).collect::<Result<_>>()?,
            None => {
                (0..header.len()).filter(|at| Some(*at) != label && !dropped.contains(at)).collect()
            }
        };
        if positions.is_empty() {
            let detail = "no feature column is left: all are dropped or the label".into();
            return Err(Error::Table { file, detail });
        }
        let unnamed = positions.iter().find(|at| header[**at].is_empty());
        if let Some(at) = unnamed {
            let detail = format!(
                "column {} has no name (an exported row index?); give it one, or drop it by the empty name",
                at + 1
            );
            return Err(Error::Table { file, detail });
        }
        let ignored = (0..header.len())
            .filter(|at| !positions.contains(at) && Some(*at) != label && !dropped.contains(at))
            .map(|at| header[at].clone())
            .collect();
        Ok(Self {
            features: positions.iter().map(|at| header[*at].clone()).collect(),
            file,
            reader,
            returns,
            next_line,
            record: csv::StringRecord::new(),
            header,
            positions,
            label,
            ignored,
        })
    }

    /// Names of the columns that are read.
    pub fn features(&self) -> &[String] {
        &self.features
    }

    /// Names of the columns that are neither read nor dropped nor the label.
    pub fn ignored(&self) -> &[String] {
        &self.ignored
    }

    /// How many bytes of the source have been read.
    pub fn bytes_read(&self) -> u64 {
        self.reader.position().byte()
    }

    /// The next rows, at most `limit`; a table of no rows at the end.
    ///
    /// # Errors
    ///
    /// If a cell is missing or not a finite number, a row has another number
    /// of cells than the header, or the source cannot be read.
    pub fn read_rows(&mut self, limit: usize) -> Result<Table> {
        let mut values = Vec::new();
        let mut labels = self.label.map(|_| Vec::new());
        let mut missing = Missing::default();
        for _ in 0..limit {
            match self.reader.read_record(&mut self.record) {
                Ok(true) => {}
                Ok(false) => break,
                Err(error) => return Err(self.error(&error)),
            }
            // An empty line is no record to the parser; in a table of one
            // column it is a missing value. Elsewhere lines are counted only
            // where a message needs one.
            if self.header.len() == 1 {
                let line = self.line_of_record();
                for blank in self.next_line..line {
                    missing.note(blank, &self.header[0]);
                }
                self.next_line = line + 1 + self.breaks_in_record();
            }
            for &at in &self.positions {
                let text = self.record.get(at).unwrap_or_default();
                match text.parse::<f64>() {
                    Ok(value) if value.is_finite() => values.push(value),
                    _ if is_missing(text) => {
                        missing.note(self.line_of_record(), &self.header[at]);
                        values.push(0.0);
                    }
                    _ => {
                        return Err(Error::Cell {
                            file: self.file.clone(),
                            line: self.line_of_record(),
                            column: self.header[at].clone(),
                            text: text.to_owned(),
                        });
                    }
                }
            }
            if let (Some(labels), Some(at)) = (&mut labels, self.label) {
                labels.push(self.record.get(at).unwrap_or_default().to_owned());
            }
        }
        missing.into_result(&self.file)?;
        Ok(Table { features: self.features.clone(), values, labels })
    }

    /// The parser's error, with the line as this reader counts.
    fn error(&self, error: &csv::Error) -> Error {
        let behind = u64::from(self.returns);
        table_error(&self.file, error, behind)
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

    /// All rows that are left.
    ///
    /// # Errors
    ///
    /// As [`read_rows`](Self::read_rows).
    pub fn read_all(&mut self) -> Result<Table> {
        self.read_rows(usize::MAX)
    }
}

/// A source that remembers how it ended.
struct Watched<R> {
    source: R,
    bytes: u64,
    last: u8,
}

impl<R: Read> Watched<R> {
    /// Whether the reader has come to the end of a source that does not end
    /// with a line break.
    fn unterminated(&self, reader: &csv::Reader<Self>) -> bool {
        reader.position().byte() == self.bytes && !matches!(self.last, b'\n' | b'\r')
    }
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.source.read(buffer)?;
        self.bytes += count as u64;
        if let Some(last) = buffer[..count].last() {
            self.last = *last;
        }
        Ok(count)
    }
}

#[derive(Default)]
struct Missing {
    count: usize,
    first: Vec<String>,
}

impl Missing {
    const SHOWN: usize = 3;

    fn note(&mut self, line: u64, column: &str) {
        self.count += 1;
        if self.first.len() < Self::SHOWN {
            self.first.push(format!("line {line}, column `{column}`"));
        }
    }

    fn into_result(self, file: &str) -> Result<()> {
        match self.count {
            0 => Ok(()),
            count => Err(Error::MissingValues {
                file: file.to_owned(),
                count,
                first: self.first.join("; "),
            }),
        }
    }
}

fn is_missing(text: &str) -> bool {
    const WORDS: [&str; 7] = ["", "?", "na", "n/a", "nan", "null", "none"];
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

fn check_header(file: &str, header: &[String], options: &CsvOptions) -> Result<()> {
    let fail = |detail: String| Err(Error::Table { file: file.to_owned(), detail });
    if header.is_empty() {
        return fail("the file is empty; the first line must name the columns".into());
    }
    // Columns numbered from 0 are how unnamed arrays are exported.
    let numbered =
        header.len() > 2 && header.iter().enumerate().all(|(at, name)| *name == at.to_string());
    if !numbered && header.iter().all(|name| name.parse::<f64>().is_ok()) {
        return fail("the first line holds numbers; it must name the columns".into());
    }
    if let [only] = header
        && let Some(other) = [';', '\t', ',', '|'].into_iter().find(|c| only.contains(*c))
    {
        let used = char::from(options.delimiter);
        return fail(format!(
            "the header is a single column `{only}` when split at {used:?}; is the delimiter {other:?}?"
        ));
    }
    for (at, name) in header.iter().enumerate() {
        let dropped = options.dropped.contains(name);
        if header[..at].contains(name) && !dropped {
            return fail(format!("two columns are named `{name}`; names must be different"));
        }
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

    fn read(text: &str, options: &CsvOptions) -> Result<Table> {
        TableReader::new("t.csv", text.as_bytes(), options)?.read_all()
    }

    fn message(text: &str, options: &CsvOptions) -> String {
        read(text, options).expect_err("a table error").to_string()
    }

    #[test]
    fn wine_is_sound() {
        let wine = Table::wine();
        assert_eq!((wine.rows(), wine.features().len()), (178, 13));
        let (classes, names) = wine.classes().expect("labels");
        assert_eq!(names, ["0", "1", "2"]);
        assert_eq!(classes.iter().filter(|&&class| class == 1).count(), 71);
    }

    #[test]
    fn columns_are_labelled_dropped_selected() {
        let text = "id,b,kind,a\n7,1,x,2\n8,3,y,4\n";
        let options = CsvOptions::default().with_label("kind").with_dropped("id");
        let table = read(text, &options).expect("a table");
        assert_eq!(table.features(), ["b", "a"]);
        assert_eq!(table.row(1), Some(&[3.0, 4.0][..]));
        assert_eq!(table.labels().expect("labels"), ["x", "y"]);

        let mut reader = TableReader::new(
            "t.csv",
            text.as_bytes(),
            &CsvOptions::default().with_selected(["a", "b"]),
        )
        .expect("a table");
        assert_eq!(reader.ignored(), ["id", "kind"]);
        assert_eq!(reader.read_all().expect("rows").row(0), Some(&[2.0, 1.0][..]));
    }

    #[test]
    fn a_byte_order_mark_and_spaces_are_no_part_of_names_or_numbers() {
        let table = read("\u{feff}a, b\r\n 1 ,-2e3\r\n", &CsvOptions::default()).expect("a table");
        assert_eq!(table.features(), ["a", "b"]);
        assert_eq!(table.row(0), Some(&[1.0, -2000.0][..]));
    }

    #[test]
    fn errors_say_what_and_where() {
        let plain = CsvOptions::default();
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
        let error = TableReader::new("t.csv", bytes, &CsvOptions::default())
            .and_then(|mut reader| reader.read_all())
            .expect_err("not UTF-8");
        assert_eq!(error.to_string(), "t.csv: line 2 is not valid UTF-8; convert the file first");
    }

    #[test]
    fn lines_are_counted_as_editors_count_them() {
        let line = |text: &str| {
            let error = message(text, &CsvOptions::default());
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
            TableReader::new("t.csv", text.as_bytes(), &CsvOptions::default()).expect("a table");
        let sizes: Vec<usize> = (0..4).map(|_| reader.read_rows(2).expect("rows").rows()).collect();
        assert_eq!(sizes, [2, 2, 1, 0]);
    }

    #[test]
    fn coarse_columns_are_named() {
        let table = read("time,x\n1700000001,1\n1700000500,2\n", &CsvOptions::default());
        assert_eq!(table.expect("a table").coarse_in_f32(), ["time"]);
        assert!(Table::wine().coarse_in_f32().is_empty());
    }
}
