//! What kind of delimited text a table is written in, by how it begins.

use std::collections::HashSet;

use csv::StringRecord;

use crate::data::input::header::{check_names, is_number, may_be_title, title_error};
use crate::data::input::number::{Decimal, is_missing, number};
use crate::data::input::spaces::squeezed;
use crate::text::Shown;

const DELIMITERS: [u8; 4] = [b',', b';', b'\t', b'|'];

/// So many records show what delimiter a text has.
const RECORDS: usize = 200;

/// How a text is to be read.
#[derive(Debug)]
pub(super) struct Dialect {
    pub(super) delimiter: u8,
    pub(super) decimal: Decimal,
    /// Whether a cell shows the decimal sign, or the user does.
    pub(super) decimal_is_known: bool,
    /// How many lines are passed over before the header: those that the user skips, what names the
    /// delimiter, and comments.
    /// Blank lines (nothing, spaces or `""`) are passed over too, and not counted.
    pub(super) skipped: usize,
    /// Where the line of the header starts in the text, in bytes: after all that is passed over.
    pub(super) start: usize,
    /// Whether the header begins with a `#` that is not part of the first name.
    pub(super) hash: bool,
    /// Whether the first line names the columns.
    pub(super) header: bool,
    /// How many cells rows have.
    pub(super) rows: Width,
    /// What was guessed.
    pub(super) notes: Vec<String>,
}

/// How many cells rows have, compared with the line of names.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Width {
    OfNames,
    /// The first is the name of the row, as R writes it.
    OneMore,
    /// A separator stands behind the last name.
    OneLess,
}

/// What the user says, and what the name of the file does.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    pub(super) delimiter: Option<u8>,
    /// From the extension of the file: a tab for `.tsv`.
    pub(super) usual: Option<u8>,
    pub(super) decimal: Option<Decimal>,
    /// Of a model, unless the user names a decimal sign.
    pub(super) kept: Option<Kept>,
    pub(super) header: Option<bool>,
    /// So many lines at the beginning are no part of the table.
    pub(super) skipped: usize,
    /// Texts that stand for missing values.
    pub(super) missing: Vec<String>,
}

/// The decimal sign that a model keeps.
#[derive(Debug)]
pub(super) struct Kept {
    pub(super) decimal: Decimal,
    /// Its columns of numbers.
    pub(super) columns: Vec<String>,
}

/// The dialect of a text that begins with the sample, or is the sample. The error is what comes
/// after the name of the file.
pub(super) fn of(sample: &str, whole: bool, wishes: &Wishes) -> Result<Dialect, String> {
    let preface = Preface::of(sample, wishes);
    let mut notes = Vec::new();
    if let Some(delimiter) = preface.delimiter {
        let name = shown(delimiter);
        notes.push(format!("the first line is skipped: it says that {name} separate cells"));
    }
    let body = from(sample, preface.end);
    let usual = wishes.usual.unwrap_or(b',');
    let delimiter = match wishes.delimiter.or(preface.delimiter) {
        Some(named) => named,
        None => delimiter_of(body, whole, usual, &wishes.missing)?,
    };
    if wishes.delimiter.is_none() && preface.delimiter.is_none() && delimiter != usual {
        notes.push(format!("cells are separated by {}", shown(delimiter)));
    }
    let mut dialect = Dialect {
        delimiter,
        decimal: wishes.decimal.unwrap_or_default(),
        decimal_is_known: wishes.decimal.is_some(),
        skipped: preface.skipped + preface.comments + usize::from(preface.delimiter.is_some()),
        start: preface.end,
        hash: false,
        header: wishes.header.unwrap_or(true),
        rows: Width::OfNames,
        notes,
    };
    if body.is_empty() && !whole {
        let size = sample.len();
        let what = if wishes.skipped > 0 { "lines that are skipped" } else { "comments" };
        return Err(format!("there is no table in the first {size} bytes, only {what}"));
    }
    if body.is_empty() && preface.skipped > 0 {
        let what = match wishes.skipped {
            1 => "1 line that is skipped".to_owned(),
            lines => format!("{lines} lines that are skipped"),
        };
        return Err(format!("there is no table behind the {what}"));
    }
    let records = blanked(records(body, delimiter, whole, usize::MAX), &wishes.missing);
    let above = dialect.header_above(sample, &preface, &records, wishes);
    dialect.note_comments(preface.comments - usize::from(above.is_some()));
    let (names, rows) = match (above, records.split_first()) {
        (None, Some((first, rest))) => {
            if wishes.header.is_none() {
                if may_be_title(first, rest) {
                    let above = lines_above(sample, preface.end, delimiter);
                    return Err(title_error(first, above));
                }
                dialect.notes.extend(check_names(first, rest)?);
            }
            if dialect.header {
                let is_quoted = nth_line(body, 1).starts_with('"');
                (Some(dialect.fit_names(first, rest, is_quoted)), rest)
            } else {
                (None, records.as_slice())
            }
        }
        (above, _) => (above, records.as_slice()),
    };
    match (wishes.decimal, &wishes.kept) {
        (Some(_), _) => {}
        (None, Some(kept)) => dialect.keep_decimal(kept, names.as_ref(), rows)?,
        (None, None) => dialect.find_decimal(names.as_ref(), rows)?,
    }
    Ok(dialect)
}

fn from(text: &str, at: usize) -> &str {
    text.get(at..).unwrap_or_default()
}

/// A delimiter in a message.
fn shown(delimiter: u8) -> String {
    match delimiter {
        b'\t' => "tabs".to_owned(),
        other => format!("'{}'", char::from(other)),
    }
}

/// Up to `limit` records, without blank ones, and without the last if it may be cut.
fn records(text: &str, delimiter: u8, whole: bool, limit: usize) -> Vec<StringRecord> {
    let text = squeezed(text, delimiter);
    let mut reader = csv::ReaderBuilder::new()
        .delimiter(delimiter)
        .has_headers(false)
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let mut records: Vec<StringRecord> =
        reader.records().take(limit).map_while(Result::ok).collect();
    if !whole && records.len() > 1 && records.len() < limit {
        records.pop();
    }
    records.retain(|record| record.len() > 1 || record.get(0).is_some_and(|cell| !cell.is_empty()));
    records
}

/// The records without the cells that stand for missing values.
fn blanked(records: Vec<StringRecord>, missing: &[String]) -> Vec<StringRecord> {
    if missing.is_empty() {
        return records;
    }
    let is_missing = |cell: &str| missing.iter().any(|value| value.trim() == cell);
    let blank = |record: StringRecord| {
        record.iter().map(|cell| if is_missing(cell) { "" } else { cell }).collect()
    };
    records.into_iter().map(blank).collect()
}

// Before the header ------------------------------------------------------------------------------

/// The lines before the first one that is neither blank nor a comment.
#[derive(Default)]
struct Preface {
    /// Lines that the user skips.
    skipped: usize,
    /// As the first line names it for Excel.
    delimiter: Option<u8>,
    comments: usize,
    /// Where the last comment starts.
    last: usize,
    end: usize,
}

impl Preface {
    fn of(sample: &str, wishes: &Wishes) -> Self {
        let mut preface = Self::default();
        // Above the names, a line of separators is a blank one as spreadsheets write it.
        let is_blank = |line: &str| is_blank(line) || wishes.header != Some(false) && is_bare(line);
        while preface.skipped < wishes.skipped && preface.end < sample.len() {
            let rest = from(sample, preface.end);
            let line = first_line(rest).len();
            preface.end += line + line_break(from(rest, line));
            preface.skipped += 1;
        }
        let mut first = true;
        loop {
            let rest = from(sample, preface.end);
            let line = first_line(rest);
            if rest.is_empty() {
                return preface;
            }
            if !is_blank(line) {
                if let Some(delimiter) = named_delimiter(line).filter(|_| first) {
                    preface.delimiter = Some(delimiter);
                } else if line.starts_with('#') {
                    preface.comments += 1;
                    preface.last = preface.end;
                } else {
                    return preface;
                }
                first = false;
            }
            preface.end += line.len() + line_break(from(rest, line.len()));
        }
    }
}

/// The first line of a text, without its end.
fn first_line(text: &str) -> &str {
    let end = memchr::memchr2(b'\n', b'\r', text.as_bytes()).unwrap_or(text.len());
    text.get(..end).unwrap_or_default()
}

/// How many bytes the line break takes that the text begins with.
fn line_break(text: &str) -> usize {
    if text.starts_with("\r\n") { 2 } else { usize::from(!text.is_empty()) }
}

fn is_blank(line: &str) -> bool {
    let line = line.trim();
    line.is_empty() || line == "\"\""
}

/// Whether a line has separators, but no cell.
fn is_bare(line: &str) -> bool {
    line.bytes().all(|byte| byte == b' ' || DELIMITERS.contains(&byte))
}

/// How many lines stand above the first, from `start` on, that has two cells or more.
fn lines_above(sample: &str, start: usize, delimiter: u8) -> usize {
    let (mut at, mut lines) = (0, 0);
    while at < sample.len() {
        let rest = from(sample, at);
        let line = first_line(rest);
        let filled = || cells(line, delimiter).iter().filter(|cell| !cell.is_empty()).count();
        if at >= start && filled() > 1 {
            break;
        }
        at += line.len() + line_break(from(rest, line.len()));
        lines += 1;
    }
    lines
}

/// Excel's `sep=;`.
fn named_delimiter(line: &str) -> Option<u8> {
    // Spaces are not trimmed: a tab may be what is named.
    let line = line.strip_prefix('"').and_then(|rest| rest.strip_suffix('"')).unwrap_or(line);
    let (name, delimiter) = line.split_once('=')?;
    match delimiter.as_bytes() {
        [byte] if name.eq_ignore_ascii_case("sep") => {
            let fits = matches!(byte, b'\t' | b' ') || byte.is_ascii_punctuation();
            (fits && !matches!(byte, b'"' | b'.' | b'-' | b'+')).then_some(*byte)
        }
        _ => None,
    }
}

/// A line of a text, counted from 0.
fn nth_line(text: &str, number: usize) -> &str {
    text.lines().nth(number).unwrap_or_default()
}

/// Whether the first cells of rows are names: texts that are all different, or numbers that are in
/// quotes or count rows. Other numbers may be a part of `1,5`.
fn are_row_names(rows: &[StringRecord], is_quoted: bool) -> bool {
    const ENOUGH: usize = 10;
    let first = || rows.iter().filter_map(|row| row.get(0));
    let mut seen = HashSet::new();
    if !first().all(|cell| seen.insert(cell)) {
        return false;
    }
    let start: Option<usize> = first().next().and_then(|cell| cell.parse().ok());
    let counts = |start: usize| {
        rows.len() >= ENOUGH
            && start < 2
            && first().enumerate().all(|(at, cell)| cell.parse() == Ok(start + at))
    };
    is_quoted || !first().any(is_number) || start.is_some_and(counts)
}

/// Whether two cells side by side are whole numbers in every row: `Ulm,1,5` may be a name and a number
/// with a decimal comma.
fn may_split_numbers(rows: &[StringRecord]) -> bool {
    let is_whole = |row: &StringRecord, at: usize| {
        row.get(at).is_some_and(|cell| {
            !cell.is_empty() && cell.trim().bytes().all(|byte| byte.is_ascii_digit())
        })
    };
    let width = rows.iter().map(StringRecord::len).max().unwrap_or(0);
    let both = |at: usize| rows.iter().all(|row| is_whole(row, at) && is_whole(row, at + 1));
    // The first cell may count rows.
    (1..width.saturating_sub(1)).any(both)
}

/// The cells of a line.
fn cells(line: &str, delimiter: u8) -> StringRecord {
    records(line, delimiter, true, 1).into_iter().next().unwrap_or_default()
}

/// Whether a comment above this record may name its columns: a row has numbers. Where it has other
/// cells as well, it may itself be the names, some of which are years.
fn is_row(record: &StringRecord) -> bool {
    let missing = record.iter().filter(|cell| is_missing(cell)).count();
    let numbers = record.iter().filter(|cell| is_number(cell)).count();
    let is_year = |cell: &&str| cell.parse().is_ok_and(|year| (1800..2200).contains(&year));
    let years = record.iter().filter(is_year).count();
    numbers > 0 && (numbers + missing == record.len() || numbers > years)
}

/// The names that a comment has for the columns of the first record, if that is what it is for,
/// and whether the first name is without the `#`.
fn names_in(comment: &str, delimiter: u8, record: &StringRecord) -> Option<(StringRecord, bool)> {
    let all = cells(comment, delimiter);
    // A column of row numbers may be named like this.
    let marked = all.len() < 2 || all.get(0) != Some("#");
    let names = if marked { cells(from(comment, 1), delimiter) } else { all };
    let fits = names.len() == record.len()
        && names.iter().all(|name| !name.is_empty())
        && !names.iter().all(is_number);
    (fits && is_row(record)).then_some((names, marked))
}

impl Dialect {
    /// Makes the last comment the header if it is one.
    fn header_above(
        &mut self,
        sample: &str,
        preface: &Preface,
        records: &[StringRecord],
        wishes: &Wishes,
    ) -> Option<StringRecord> {
        if preface.comments == 0 || wishes.header == Some(false) {
            return None;
        }
        let comment = first_line(from(sample, preface.last));
        let (names, marked) = names_in(comment, self.delimiter, records.first()?)?;
        self.hash = marked;
        self.header = true;
        self.skipped -= 1;
        self.start = preface.last;
        if marked {
            self.notes.push("the line that begins with # names the columns".to_owned());
        }
        Some(names)
    }

    /// The names of the columns of rows, which may have a cell more or less than the line of names.
    fn fit_names(
        &mut self,
        names: &StringRecord,
        rows: &[StringRecord],
        is_quoted: bool,
    ) -> StringRecord {
        let (width, fit) = (names.len(), |cells: usize| {
            let fit = rows.iter().filter(|row| row.len() == cells).count();
            fit > 0 && 10 * fit >= 9 * rows.len()
        });
        let has_last = |row: &StringRecord| row.get(width).is_some_and(|cell| !cell.is_empty());
        if width > 1
            && fit(width + 1)
            && rows.iter().any(has_last)
            && (is_quoted || !names.iter().any(is_number))
            && are_row_names(rows, is_quoted)
            && (is_quoted || self.delimiter != b',' || !may_split_numbers(rows))
        {
            self.rows = Width::OneMore;
            let note = "rows have one cell more than the header: the first is taken for an index without a name";
            self.notes.push(note.to_owned());
            return std::iter::once("").chain(names).collect();
        }
        if width > 1 && names.get(width - 1) == Some("") && fit(width - 1) {
            self.rows = Width::OneLess;
            return names.iter().take(width - 1).collect();
        }
        names.clone()
    }

    fn note_comments(&mut self, skipped: usize) {
        match skipped {
            0 => {}
            1 => self.notes.push("1 line that begins with # is skipped".to_owned()),
            _ => self.notes.push(format!("{skipped} lines that begin with # are skipped")),
        }
    }
}

// The delimiter ----------------------------------------------------------------------------------

/// How well a delimiter fits.
struct Fit {
    delimiter: u8,
    /// Whether the first record has as many cells as most others.
    agrees: bool,
    /// The share of records that have as many cells as most.
    steady: f64,
    /// The share of their cells that are numbers, or missing.
    numbers: f64,
    /// Whether a column has numbers only.
    has_numbers: bool,
    /// The first record has a cell less than the others: they have names.
    may_have_names: bool,
    cells: usize,
}

impl Fit {
    /// None for a delimiter that makes no table.
    fn of(delimiter: u8, records: &[StringRecord]) -> Option<Self> {
        let (first, rest) = records.split_first()?;
        let rest = if rest.is_empty() { records } else { rest };
        let cells = most_common(rest.iter().map(StringRecord::len));
        let fit: Vec<_> = rest.iter().filter(|record| record.len() == cells).collect();
        let known = |record: &&StringRecord| {
            record.iter().filter(|cell| is_missing(cell) || is_number(cell)).count()
        };
        let known: usize = fit.iter().map(known).sum();
        let steady = fit.len() as f64 / rest.len() as f64;
        let numbers = known as f64 / (cells * fit.len()).max(1) as f64;
        let agrees = first.len() == cells;
        let table = cells > 1 && first.len() > 1 && steady >= 0.9;
        let is_number = |record: &&StringRecord, at| record.get(at).is_some_and(is_number);
        let has_numbers = (0..cells).any(|at| fit.iter().all(|record| is_number(record, at)));
        let may_have_names = first.len() + 1 == cells;
        table.then_some(Self {
            delimiter,
            agrees,
            steady,
            numbers,
            has_numbers,
            may_have_names,
            cells,
        })
    }

    /// Numbers come before the count of cells: `1,5;2,5` is two numbers, or three cells.
    fn rank(&self) -> (bool, f64, f64, usize) {
        (self.agrees, self.steady, self.numbers, self.cells)
    }
}

/// The most common count, and of several the largest.
fn most_common(counts: impl Iterator<Item = usize>) -> usize {
    let mut counts: Vec<usize> = counts.collect();
    counts.sort_unstable();
    let runs = counts.chunk_by(|a, b| a == b);
    runs.max_by_key(|run| run.len()).and_then(<[usize]>::first).copied().unwrap_or(0)
}

/// The delimiter that makes the best table, the usual one of equals, or if none does. A text of words
/// and numbers between spaces may be a table or one column: that is an error.
fn delimiter_of(body: &str, whole: bool, usual: u8, missing: &[String]) -> Result<u8, String> {
    let others = DELIMITERS.into_iter().filter(|other| *other != usual);
    let fit =
        |delimiter| Fit::of(delimiter, &blanked(records(body, delimiter, whole, RECORDS), missing));
    let fits = std::iter::once(usual).chain(others).filter_map(fit);
    let best = fits.reduce(|best, next| if next.rank() > best.rank() { next } else { best });
    if let Some(best) = best {
        return Ok(best.delimiter);
    }
    // A title may stand above; the rows say so.
    let is_titled = |delimiter: &u8| {
        let records = records(body, *delimiter, whole, RECORDS);
        let Some(([title], rows)) = records.split_at_checked(1) else { return false };
        let cells = most_common(rows.iter().map(StringRecord::len));
        let fit = rows.iter().filter(|row| row.len() == cells).count();
        title.len() == 1 && cells > 1 && rows.len() > 1 && 10 * fit >= 9 * rows.len()
    };
    if let Some(delimiter) = DELIMITERS.into_iter().find(is_titled) {
        return Ok(delimiter);
    }
    match fit(b' ').filter(|fit| fit.steady == 1.0 && fit.has_numbers) {
        // Spaces occur in texts: they separate cells only where all of these are numbers.
        Some(spaces) if spaces.agrees && spaces.numbers > 0.99 => Ok(b' '),
        Some(spaces) if spaces.agrees || spaces.may_have_names => Err(format!(
            "spaces may separate cells, {} in a line; say `--delimiter ' '` if they do, `--delimiter {}` if there is one \
             column",
            spaces.cells,
            char::from(usual).escape_default()
        )),
        _ => Ok(usual),
    }
}

// The decimal sign -------------------------------------------------------------------------------

/// A cell that shows something.
type Cell<'t> = Option<&'t str>;

/// What the cells of a column say about the decimal sign.
#[derive(Clone, Copy, Default)]
struct Evidence<'t> {
    /// Cells that are not missing, and how many of them are numbers.
    cells: usize,
    numbers: usize,
    /// The first cell that is a number with a decimal point only, or a comma only.
    point: Cell<'t>,
    comma: Cell<'t>,
    /// How many there are of them.
    points: usize,
    commas: usize,
    /// The first cell that is one number or another, by whether it has a point or a comma.
    either_point: Cell<'t>,
    either_comma: Cell<'t>,
}

impl<'t> Evidence<'t> {
    /// Of every column.
    fn of(rows: &'t [StringRecord]) -> Vec<Self> {
        let width = rows.iter().map(StringRecord::len).max().unwrap_or(0);
        let mut columns = vec![Self::default(); width];
        for row in rows {
            for (column, cell) in columns.iter_mut().zip(row) {
                column.add(cell);
            }
        }
        columns
    }

    fn add(&mut self, cell: &'t str) {
        if is_missing(cell) {
            return;
        }
        self.cells += 1;
        let read = |decimal| number(cell, decimal).map(|(value, _)| value);
        let kind = match (read(Decimal::Point), read(Decimal::Comma)) {
            (None, None) => return,
            (Some(_), None) => {
                self.points += 1;
                &mut self.point
            }
            (None, Some(_)) => {
                self.commas += 1;
                &mut self.comma
            }
            (Some(a), Some(b)) if a == b => {
                self.numbers += 1;
                return;
            }
            _ if cell.contains(',') => &mut self.either_comma,
            _ => &mut self.either_point,
        };
        kind.get_or_insert(cell);
        self.numbers += 1;
    }

    /// The first cell that is a number with this decimal sign only.
    fn plain(&self, decimal: Decimal) -> Cell<'t> {
        match decimal {
            Decimal::Point => self.point,
            Decimal::Comma => self.comma,
        }
    }

    /// The first cell with this sign that is one number or another.
    fn either(&self, sign: Decimal) -> Cell<'t> {
        match sign {
            Decimal::Point => self.either_point,
            Decimal::Comma => self.either_comma,
        }
    }

    /// Columns of text have none: among addresses and versions are some that could be numbers.
    fn counts(&self) -> bool {
        self.numbers * 10 >= self.cells * 9
    }
}

impl Dialect {
    /// The decimal sign, as the user does not say.
    fn find_decimal(
        &mut self,
        names: Option<&StringRecord>,
        rows: &[StringRecord],
    ) -> Result<(), String> {
        let columns = Evidence::of(rows);
        let first = |kind: for<'c, 't> fn(&'c Evidence<'t>) -> Cell<'t>| {
            let of = |(at, column)| Some((name_of(names, at), kind(column)?));
            columns.iter().enumerate().filter(|(_, column)| column.counts()).find_map(of)
        };
        match (first(|column| column.point), first(|column| column.comma)) {
            (Some((one, point)), Some((other, comma))) => Err(format!(
                "{one} has `{point}`, with a decimal point, and {other} has `{comma}`, with a \
                 decimal comma; {}",
                advice_on_both(&columns)
            )),
            (Some(_), None) => {
                self.decimal_is_known = true;
                Ok(())
            }
            (None, Some(_)) => {
                self.decimal_is_known = true;
                self.decimal = Decimal::Comma;
                self.notes.push(COMMA.to_owned());
                Ok(())
            }
            (None, None) => {
                let comma = first(|column| column.either_comma);
                if self.delimiter != b','
                    && let Some((name, cell)) =
                        first(|column| column.either_point).or(comma.clone())
                {
                    return Err(either(&name, cell));
                }
                if comma.is_some() {
                    self.decimal_is_known = true;
                    self.notes.push(THOUSANDS.to_owned());
                }
                Ok(())
            }
        }
    }
}

impl Dialect {
    /// The decimal sign of a model, unless the table has the other one. Numbers that could be either
    /// are read by it, with a note where they are then whole.
    fn keep_decimal(
        &mut self,
        kept: &Kept,
        names: Option<&StringRecord>,
        rows: &[StringRecord],
    ) -> Result<(), String> {
        (self.decimal, self.decimal_is_known) = (kept.decimal, true);
        let other = kept.decimal.other();
        let all = Evidence::of(rows);
        let all: Vec<_> = all.iter().enumerate().filter(|(_, column)| column.counts()).collect();
        let shown = |columns: &[(usize, &Evidence<'_>)], decimal| {
            let of = |(at, column): &(usize, &Evidence<'_>)| {
                Some((name_of(names, *at), column.plain(decimal)?.to_owned()))
            };
            columns.iter().find_map(of)
        };
        if kept.decimal == Decimal::Comma
            && all.iter().any(|(_, column)| column.comma.or(column.either_comma).is_some())
        {
            self.notes.push(COMMA.to_owned());
        }
        if shown(&all, kept.decimal).is_some() {
            return Ok(());
        }
        let of_model: HashSet<&str> = kept.columns.iter().map(String::as_str).collect();
        let is_read = |at: usize| match names {
            Some(names) => names.get(at).is_some_and(|name| of_model.contains(name)),
            None => of_model.contains(format!("x{at}").as_str()),
        };
        let read: Vec<_> = all.iter().copied().filter(|(at, _)| is_read(*at)).collect();
        let either = |sign| read.iter().find_map(|(at, column)| Some((*at, column.either(sign)?)));
        let is_open = either(kept.decimal).or(either(other)).is_some();
        let against = shown(&read, other).or_else(|| shown(&all, other).filter(|_| is_open));
        if let Some((name, cell)) = against {
            return Err(format!(
                "{name} has `{cell}`, with a decimal {0}, but the numbers of the fit have a decimal {1}; say \
                 `--decimal {2}` if this table has {0}s, `--decimal {3}` if not",
                other.word(),
                kept.decimal.word(),
                other.sign(),
                kept.decimal.sign()
            ));
        }
        match either(other) {
            Some(_) if other == Decimal::Comma && self.delimiter == b',' => {
                self.notes.push(THOUSANDS.to_owned());
            }
            Some((at, cell)) => {
                let read = |decimal| number(cell, decimal).map_or(f64::NAN, |(value, _)| value);
                self.notes.push(format!(
                    "{}: `{cell}` is read as {}, by the decimal {} of the fit; say `--decimal {}` if it is {}",
                    name_of(names, at),
                    read(kept.decimal),
                    kept.decimal.word(),
                    other.sign(),
                    read(other)
                ));
            }
            None => {}
        }
        Ok(())
    }
}

const COMMA: &str = "the comma is read as the decimal sign";
const THOUSANDS: &str = "commas are read as separators of thousands";

/// A column in a message.
fn name_of(names: Option<&StringRecord>, at: usize) -> String {
    match names.and_then(|names| names.get(at)) {
        Some(name) if !name.is_empty() => format!("column `{}`", Shown(name)),
        _ => format!("column {}", at + 1),
    }
}

/// What to do about a table with both decimal signs: where one of them is rare, cells are to be
/// corrected.
fn advice_on_both(columns: &[Evidence<'_>]) -> String {
    const RARE: usize = 10;
    let total = |of: fn(&Evidence<'_>) -> usize| -> usize {
        columns.iter().filter(|column| column.counts()).map(of).sum()
    };
    let (points, commas) = (total(|column| column.points), total(|column| column.commas));
    let usual = if points >= RARE * commas {
        Decimal::Point
    } else if commas >= RARE * points {
        Decimal::Comma
    } else {
        return "say `--decimal .` or `--decimal ,`".to_owned();
    };
    format!(
        "nearly all have a decimal {}: say `--decimal {}`, which names the lines to correct",
        usual.word(),
        usual.sign()
    )
}

/// The error for a cell that is one number or another.
fn either(name: &str, cell: &str) -> String {
    let read = |decimal| number(cell, decimal).map_or(f64::NAN, |(value, _)| value);
    let (a, b) = (read(Decimal::Point), read(Decimal::Comma));
    let (small, large) = if a.abs() < b.abs() { (a, b) } else { (b, a) };
    format!("{name}: `{cell}` may be {small} or {large}; say `--decimal .` or `--decimal ,`")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn whole(text: &str) -> Dialect {
        of(text, true, &Wishes::default()).expect("a dialect")
    }

    fn wished(text: &str, wishes: Wishes) -> Dialect {
        of(text, true, &wishes).expect("a dialect")
    }

    fn error(text: &str) -> String {
        of(text, true, &Wishes::default()).expect_err("an error")
    }

    fn delimiter(text: &str) -> char {
        let wishes =
            Wishes { decimal: Some(Decimal::Point), header: Some(true), ..Wishes::default() };
        char::from(wished(text, wishes).delimiter)
    }

    /// The decimal sign of a table of one column, and the notes about it.
    fn decimal(separator: u8, cells: &[&str]) -> Result<(Decimal, Vec<String>), String> {
        let mut text = "x;y\n".replace(';', &char::from(separator).to_string());
        for cell in cells {
            text.push_str(&format!("\"{cell}\"{}7\n", char::from(separator)));
        }
        let wishes = Wishes { delimiter: Some(separator), ..Wishes::default() };
        of(&text, true, &wishes).map(|dialect| (dialect.decimal, dialect.notes))
    }

    #[test]
    fn ordinary_files_need_no_notes() {
        for text in ["a,b\n1,2\n", "a,b\r\n1.5,x\r\n", "a\n1\n2\n", "a,b", ",a\n0,1.5\n", "a b,c\n"]
        {
            let dialect = whole(text);
            assert_eq!(dialect.delimiter, b',', "{text:?}");
            assert_eq!((dialect.decimal, dialect.skipped, dialect.start), (Decimal::Point, 0, 0));
            assert!(!dialect.hash && dialect.header && dialect.notes.is_empty(), "{dialect:?}");
        }
    }

    #[test]
    fn empty_texts_have_the_defaults() {
        for text in ["", "\n", " \n\r\n\"\"\n", "# only this\n", "sep=,\n"] {
            let dialect = whole(text);
            assert_eq!(dialect.delimiter, b',');
            assert!(dialect.header && !dialect.hash && dialect.start == text.len());
        }
        let tabs = wished("", Wishes { usual: Some(b'\t'), ..Wishes::default() });
        assert_eq!(tabs.delimiter, b'\t');
        assert!(!wished("", Wishes { header: Some(false), ..Wishes::default() }).header);
        let error = of("# x\n# y\n", false, &Wishes::default()).expect_err("an error");
        assert_eq!(error, "there is no table in the first 8 bytes, only comments");
    }

    #[test]
    fn wishes_beat_guesses() {
        let text = "sep=;\na;b\n1,5;2,5\n";
        let dialect = wished(
            text,
            Wishes {
                delimiter: Some(b'|'),
                usual: Some(b'\t'),
                decimal: Some(Decimal::Point),
                kept: None,
                header: Some(false),
                skipped: 0,
                missing: Vec::new(),
            },
        );
        assert_eq!((dialect.delimiter, dialect.decimal), (b'|', Decimal::Point));
        assert!(!dialect.header);
        assert_eq!((dialect.skipped, dialect.start), (1, 6));
        // Numbers in the first line are no error if one says what they are.
        for header in [true, false] {
            let wishes = Wishes { header: Some(header), ..Wishes::default() };
            assert_eq!(wished("1,2\n3,4\n", wishes).header, header);
        }
        let wishes = Wishes { decimal: Some(Decimal::Comma), ..Wishes::default() };
        let dialect = wished("a;b\n1.5;1.234\n", wishes);
        assert_eq!(dialect.decimal, Decimal::Comma);
        assert_eq!(dialect.notes, ["cells are separated by ';'"]);
    }

    #[test]
    fn excel_names_the_delimiter() {
        for (line, delimiter) in [
            ("sep=;\n", b';'),
            ("SEP=|\r\n", b'|'),
            ("\"sep=;\"\n", b';'),
            ("Sep=\t\n", b'\t'),
            ("\nsep=^\r", b'^'),
            ("sep=,\n", b','),
        ] {
            let cells = "x^y\n1^2\n".replace('^', &char::from(delimiter).to_string());
            let dialect = whole(&format!("{line}{cells}"));
            assert_eq!(dialect.delimiter, delimiter, "{line:?}");
            assert_eq!((dialect.skipped, dialect.start), (1, line.len()), "{line:?}");
            let name = shown(delimiter);
            let note = format!("the first line is skipped: it says that {name} separate cells");
            assert_eq!(dialect.notes, [note]);
        }
        // These are headers; what comes later is not the first line.
        for text in ["sep=x\n1\n", "sep=\n1\n", "sep=;;\n1\n", "step=;\n1\n", "a;b\nsep=;\n"] {
            assert_eq!(whole(text).skipped, 0, "{text:?}");
        }
        assert_eq!(whole("sep=;\n# made\na;b\n1;2\n").skipped, 2);
    }

    #[test]
    fn delimiters_are_found() {
        for (text, expected) in [
            ("a;b\n1;2\n", ';'),
            ("a\tb\n1\t2\n", '\t'),
            ("a|b\n1|2\n", '|'),
            ("a;b\n", ';'),
            ("a;b\n1,5;2,5\n3,5;4,5\n", ';'),
            // Decimal commas, without and with a comma in the header.
            ("c;p;d;e\nAfghanistan;43,828;974,5803384;2\nAlbania;1;2;3\n", ';'),
            ("country;pop\nAfghanistan;43,828;974,5803384\nAlbania;76,423;5937,029526\n", ';'),
            ("1,5;2,5\n3,5;4,5\n", ';'),
            ("x, m;y, m\n1,5;2,5\n3,5;4,5\n", ';'),
            // Other signs within cells.
            ("a,b,c\n1,x;y,2\n2,z;w,3\n", ','),
            ("a,b\n\"x;y;z\",1\n\"u;v;w\",2\n", ','),
            ("\"a;b\",\"c;d\"\n\"1;2\",3\n", ','),
            ("a\tb\nx, y\t1\nz, w\t2\n", '\t'),
            ("a;b\n\"x\ny;z\";1\n", ';'),
            // One column, whose name has a delimiter in it.
            ("price, eur\n1\n2\n9\n", ','),
            ("price; eur\n1\n2\n9\n", ','),
            // A title, and no separator behind it.
            ("Sales 2021\na;b\n1;2\n2;3\n", ';'),
            ("Sales 2021\na\tb\n1\t2\n2\t3\n", '\t'),
            ("names\nAda\nBo;b\nCy;d\n", ','),
            // Blank lines, other line ends.
            ("\n \na;b\r\n\r\n1;2\r\n", ';'),
            ("a;b\r1;2\r3;4\r", ';'),
            // Rows with names, whose header has one cell less.
            ("a\tb\nx\t1\t2\ny\t3\t4\n", '\t'),
        ] {
            assert_eq!(delimiter(text), expected, "{text:?}");
        }
    }

    #[test]
    fn runs_of_spaces_separate_numbers() {
        for text in ["  year   sun\n1700    69\n1701     7\n", "a b\n1 2\n 3  4 \n"] {
            let dialect = whole(text);
            assert_eq!((dialect.delimiter, dialect.header), (b' ', true), "{text:?}");
        }
        assert!(error("1700   5\n1701  11\n").starts_with("the first line holds numbers"));
        for text in [
            "state n income\nTexas 37 34453\nOhio 9 41534\n",
            "\"kind\" \"size\"\n\"1\" \"B\" 40.1\n\"2\" \"C\" 36.3\n",
        ] {
            let asked = error(text);
            assert!(asked.contains("`--delimiter ' '`"), "{text:?}: {asked}");
        }
        // Words alone, and words of different numbers, are a column of texts.
        for text in ["full name\nAda Byron\nAlan Turing\n", "name\nDe Moivre 7\nBayes 5\n"] {
            assert_eq!(whole(text).delimiter, b',', "{text:?}");
        }
    }

    #[test]
    fn rows_may_have_a_cell_more_or_less_than_the_names() {
        let counted: String = (1..=10).map(|row| format!("{row},{row}.5,x\n")).collect();
        for text in [
            "\"kind\",\"size\"\n\"1\",B,40.1\n\"5\",C,36.3\n".to_owned(),
            "mpg,cyl\nMazda RX4,21,6\nDatsun 710,22.8,4\n".to_owned(),
            format!("a,b\n{counted}"),
        ] {
            let dialect = whole(&text);
            assert_eq!(dialect.rows, Width::OneMore, "{text:?}");
            assert!(dialect.notes[0].contains("an index without a name"));
        }
        // Numbers with a decimal comma, separators behind the last cell, and as many cells.
        for text in [
            "a,b\n1,5,2\n2,5,3\n",
            "a,b\nx,1,\ny,2,\n",
            "a,b\nx,1\ny,2\n",
            "town,price\nUlm,1,5\nBonn,2,25\nKiel,3,5\n",
            "Trees,2024\nname,kind,size\noak,a,1\n",
        ] {
            assert_eq!(whole(text).rows, Width::OfNames, "{text:?}");
        }
        assert_eq!(whole("a,b,\n1,2\n3,4\n").rows, Width::OneLess);
        assert_eq!(whole("a,b,\n1,2,\n3,4,\n").rows, Width::OfNames);
    }

    #[test]
    fn nearly_every_record_has_to_fit() {
        let mut text = "a;b;c\n".to_owned() + &"1;2;3\n".repeat(20);
        text.push_str("total\n");
        assert_eq!(delimiter(&text), ';');
        assert_eq!(delimiter(&("a;b\n".to_owned() + &"1;2\nx\n".repeat(20))), ',');
        // A record that may be cut says nothing, but all of a whole text do.
        let cut = "a;b;c\n1;2;3\n4;5";
        for (whole, delimiter) in [(false, b';'), (true, b',')] {
            let wishes = Wishes { header: Some(true), ..Wishes::default() };
            assert_eq!(of(cut, whole, &wishes).expect("a dialect").delimiter, delimiter);
        }
        assert_eq!(of("a;b;c", false, &Wishes::default()).expect("a dialect").delimiter, b';');
    }

    #[test]
    fn the_usual_delimiter_is_taken_of_equals() {
        let text = "a,b;c\nx,y;z\n";
        assert_eq!(whole(text).delimiter, b',');
        let usual = |usual| Wishes { usual: Some(usual), ..Wishes::default() };
        assert_eq!(wished(text, usual(b';')).delimiter, b';');
        assert_eq!(wished("a\n1\n", usual(b'\t')).delimiter, b'\t');
        let tabs = wished("a\tb\n1\t2\n", usual(b'\t'));
        assert_eq!((tabs.delimiter, tabs.notes.len()), (b'\t', 0));
        let dialect = wished("a,b\n1,2\n", usual(b'\t'));
        assert_eq!(dialect.delimiter, b',');
        assert_eq!(dialect.notes, ["cells are separated by ','"]);
        assert_eq!(whole("a\tb\n1\t2\n").notes, ["cells are separated by tabs"]);
    }

    #[test]
    fn comments_are_skipped() {
        let dialect = whole("# made by x\na,b\n1,2\n");
        assert_eq!((dialect.skipped, dialect.start, dialect.hash), (1, 12, false));
        assert_eq!(dialect.notes, ["1 line that begins with # is skipped"]);
        let dialect = whole("#\r\n\r\n# of, two\r\n \r\na,b\r\n1,2\r\n");
        assert_eq!((dialect.skipped, dialect.start), (2, 19));
        assert_eq!(dialect.notes, ["2 lines that begin with # are skipped"]);
        // Quotes in a comment open no cell.
        let dialect = whole("# a,\"b\na,b\n1,2\n");
        assert_eq!((dialect.skipped, dialect.start), (1, 7));
        // A comment after the header is none.
        assert_eq!(whole("a,b\n# 1,2\n").skipped, 0);
        // The header is below, one of whose names is a year.
        let dialect = whole("# Source: World Bank, 2021\ncountry,2019\nChad,1.5\n");
        assert_eq!((dialect.skipped, dialect.hash), (1, false));
        // The header is below.
        let dialect = whole("# kind, size\nkind,size\nx,1\n");
        assert_eq!((dialect.skipped, dialect.hash), (1, false));
    }

    #[test]
    fn lines_are_skipped_where_the_user_says_so() {
        let wishes = |skipped| Wishes { skipped, ..Wishes::default() };
        let text = "Sales; \"2021\n\r\n# x\na;b\n1,5;2\n";
        let dialect = wished(text, wishes(2));
        assert_eq!((dialect.skipped, dialect.start, dialect.delimiter), (3, 19, b';'));
        assert_eq!(wished("x\na,b\n1,2\n", wishes(1)).start, 2);
        let message = |skipped, whole| of(text, whole, &wishes(skipped)).expect_err("no table");
        assert_eq!(message(9, true), "there is no table behind the 9 lines that are skipped");
        let only = of("a,b\n", true, &wishes(1)).expect_err("no table");
        assert_eq!(only, "there is no table behind the 1 line that is skipped");
        assert!(message(9, false).ends_with("only lines that are skipped"));
    }

    #[test]
    fn headers_may_begin_with_a_hash() {
        for (text, skipped, start) in [
            ("# a,b\n1,2\n", 0, 0),
            ("#a,b\n1.5,\n", 0, 0),
            ("# a\n1\n2\n", 0, 0),
            ("# made\n# a,b\n\n1,NA\n", 1, 7),
            ("#id,name,size\n7,x,1.5\n8,y,2.5\n", 0, 0),
        ] {
            let dialect = whole(text);
            assert!(dialect.hash && dialect.header, "{text:?}");
            assert_eq!((dialect.skipped, dialect.start), (skipped, start), "{text:?}");
            assert!(dialect.notes[0].starts_with("the line that begins with # names"), "{text:?}");
            assert_eq!(dialect.notes.len(), 1 + skipped);
        }
        let dialect = whole("#chrom\tstart\n1\t100\n");
        assert!(dialect.hash && dialect.delimiter == b'\t');
        // A column whose name is the sign.
        let dialect = whole("#,Name,HP\n1,Bulbasaur,45\n");
        assert!(!dialect.hash && dialect.header && dialect.notes.is_empty());
        assert_eq!((dialect.skipped, dialect.start), (0, 0));
        // Not as many cells; no numbers below; no names.
        assert!(error("# made, by, x\n1,2\n").starts_with("the first line holds numbers"));
        assert!(!whole("# a,b\nx,y\n").hash);
        assert!(error("# 1,2\n1,2\n").starts_with("the first line holds numbers"));
        assert!(error("# a,\n1,2\n").starts_with("the first line holds numbers"));
        // The user says that there is none.
        let dialect = wished("# a,b\n1,2\n", Wishes { header: Some(false), ..Wishes::default() });
        assert!(!dialect.hash && !dialect.header);
        assert_eq!((dialect.skipped, dialect.start), (1, 6));
        // The names are known to messages, and the first record is a row.
        assert_eq!(
            error("# a;b\n1.234;2\n"),
            "column `a`: `1.234` may be 1.234 or 1234; say `--decimal .` or `--decimal ,`"
        );
    }

    #[test]
    fn numbers_in_the_first_line_are_asked_about() {
        let question = "the first line holds numbers; say `--header yes` if it names the columns, \
                        `--header no` if it is a row";
        for text in [
            "1,2\n3,4\n",
            "1\n2\n",
            "1.5;2\n",
            "1,5;2,5\n1,5;2,5\n",
            "0,1\n2,3\n",
            "NA,1,?\n1,2,3\n",
        ] {
            assert_eq!(error(text), question, "{text:?}");
        }
        for (text, is_noted) in [
            ("0,1,2\n3,4,5\n", true),
            ("0;1;2;3\n3;4;5;6\n", true),
            (",0,1,2\n0,5,6,7\n", true),
            ("year,2019,2020\nx,1,y\n", false),
        ] {
            let dialect = whole(text);
            assert!(dialect.header && !dialect.hash);
            let found = dialect.notes.iter().any(|note| note.contains("--header no"));
            assert_eq!(found, is_noted, "{text:?}");
        }
        for text in ["5.1,3.5,setosa\n4.9,3.0,setosa\n", "x,1\ny,2\n"] {
            assert!(error(text).starts_with("the first line looks like a row"), "{text:?}");
        }
        let dialect = whole("country,2019\nChad,1.5\n");
        assert!(dialect.header && dialect.notes[0].contains("looks like a row"));
    }

    #[test]
    fn a_title_above_the_names_is_asked_about() {
        for (text, skip) in [
            ("Report 2024,,\n,,\nspecies,len,mass\nB,40.1,360\n", 2),
            ("# x\nReport;;\nmade in May;;\n\na;b;c\n1;2;3\n", 4),
            (",,\n\"Report, all\",,\na,b,c\n1,2,3\n", 2),
        ] {
            let asked = error(text);
            assert!(asked.contains(&format!("`--skip {skip}`")), "{text:?}: {asked}");
            let dialect = wished(text, Wishes { skipped: skip, ..Wishes::default() });
            assert!(text[dialect.start..].starts_with(['s', 'a']), "{text:?}");
            wished(text, Wishes { header: Some(true), ..Wishes::default() });
        }
        // Lines of separators above the names are blank, unless the first line is a row.
        assert_eq!(whole(",,\na,b,c\n1,2,3\n").start, 3);
        let rows = Wishes { header: Some(false), ..Wishes::default() };
        assert_eq!(wished(",,\n1,2,3\n", rows).start, 0);
    }

    #[test]
    fn decimal_signs_are_found() {
        let comma = Ok((Decimal::Comma, vec!["the comma is read as the decimal sign".to_owned()]));
        let point = Ok((Decimal::Point, vec![]));
        for separator in [b',', b';', b'\t', b'|'] {
            for cells in [
                &["1,5"][..],
                &["-0,25"],
                &["0,125"],
                &["1.234,5"],
                &["1", "1.234", "1,5"],
                &["1,234", "12,34"],
                &["1.234.567"],
                &["14,1%"],
                &["1 234,5"],
                &["3,50 €", "?", ""],
            ] {
                assert_eq!(decimal(separator, cells), comma, "{cells:?}");
            }
            for cells in [
                &["1.5"][..],
                &["0.1234"],
                &["0.125"],
                &["1,234.5"],
                &["1.234", "1,234", "1.5"],
                &["1,234,567"],
                &["$1.5"],
                &["5."],
                // No evidence at all.
                &["1", "-2", "1e5", "12 345", "1d5"],
                &["a,b", "1.2.3", "1.2.2020", "192.168.1.1", "3.1.4-beta"],
                &["1,2", "1,2,3"],
                &["192.168.100.200", "10.0.0.1", "1,5"],
                &["", "NA", "#N/A"],
                &[],
            ] {
                assert_eq!(decimal(separator, cells), point, "{cells:?}");
            }
            let mixed = decimal(separator, &["7", "1.5", "1,5"]).expect_err("both");
            assert_eq!(
                mixed,
                "column `x` has `1.5`, with a decimal point, and column `x` has `1,5`, with a \
                 decimal comma; say `--decimal .` or `--decimal ,`"
            );
        }
        assert!(error("a;b\n1.5;1,5\n").contains("column `b` has `1,5`"));
        let rare = format!("a;b\n{}1,234.50;7\n", "99.188,23;0,5\n".repeat(20));
        let advice =
            "nearly all have a decimal comma: say `--decimal ,`, which names the lines to correct";
        assert!(error(&rare).ends_with(advice), "{}", error(&rare));
        // The header has no part in it.
        let named = Wishes { header: Some(true), ..Wishes::default() };
        assert_eq!(wished("a;1.5\nx;1,5\n", named).decimal, Decimal::Comma);
        // A comma that separates cells is no decimal sign.
        assert_eq!(whole("a,b\n1,5\n2,5\n").decimal, Decimal::Point);
    }

    #[test]
    fn what_could_be_thousands() {
        assert_eq!(decimal(b',', &["1.234", "5"]), Ok((Decimal::Point, vec![])));
        let noted = vec!["commas are read as separators of thousands".to_owned()];
        assert_eq!(decimal(b',', &["1,200", "1.234"]), Ok((Decimal::Point, noted)));
        for separator in [b';', b'\t', b'|'] {
            assert_eq!(
                decimal(separator, &["7", "1.234"]).expect_err("either"),
                "column `x`: `1.234` may be 1.234 or 1234; say `--decimal .` or `--decimal ,`"
            );
            assert_eq!(
                decimal(separator, &["-1,234"]).expect_err("either"),
                "column `x`: `-1,234` may be -1.234 or -1234; say `--decimal .` or `--decimal ,`"
            );
        }
        assert!(error("x\u{1b};y\n1.234;1\n").starts_with("column `x\\u{1b}`: `1.234` may be"));
        let wishes = Wishes { header: Some(false), ..Wishes::default() };
        let message = of("7;1.234\n", true, &wishes).expect_err("either");
        assert!(message.starts_with("column 2: "), "{message}");
        let message = of("7;1.2", false, &wishes).map(|dialect| dialect.decimal);
        assert_eq!(message, Ok(Decimal::Point));
    }

    #[test]
    fn a_model_decides_what_could_be_either() {
        let kept = |decimal, text: &str| {
            let columns = vec!["x".to_owned(), "x0".to_owned()];
            let header = Some(!text.starts_with(|c: char| c.is_ascii_digit()));
            let kept = Some(Kept { decimal, columns });
            of(text, true, &Wishes { kept, header, ..Wishes::default() })
                .map(|dialect| (dialect.decimal, dialect.notes))
        };
        let comma = |text| kept(Decimal::Comma, text);
        let point = |text| kept(Decimal::Point, text);
        for text in ["x;y\n5,859;1\n", "x;y\n1,5;1\n", "5,859;1\n", "x;y\n1.234,5;1\n1.234;2\n"] {
            let (decimal, notes) = comma(text).expect(text);
            assert_eq!((decimal, notes.len()), (Decimal::Comma, 2), "{text:?}: {notes:?}");
            assert_eq!(notes[1], COMMA);
        }
        // Nothing to read by it.
        for text in ["x;y\n5;1\n", "x;y\n5;1.5\n", "x;y\nNA;1.5\n", "5;1.5\n"] {
            let (decimal, notes) = comma(text).expect(text);
            assert_eq!((decimal, notes.len()), (Decimal::Comma, 1), "{text:?}: {notes:?}");
        }
        let whole = "column `x`: `1.234` is read as 1234, by the decimal comma of the fit; say `--decimal .` if it is 1.234";
        assert_eq!(comma("x;y\n1.234;1\n").expect("a note").1[1], whole);
        assert!(
            point("x;y\n1,234;1\n").expect("a note").1[1]
                .starts_with("column `x`: `1,234` is read as 1234")
        );
        assert_eq!(point("x,y\n\"1,234\",1\n").expect("a note").1, [THOUSANDS]);
        let asks = "say `--decimal .` if this table has points, `--decimal ,` if not";
        for (text, shows) in [
            ("x;y\n1.5;1\n", "column `x` has `1.5`"),
            ("1.5;1\n", "column 1 has `1.5`"),
            // The others say what could be either.
            ("x;y\n5,859;0.5\n", "column `y` has `0.5`"),
            ("x;y\n5.859;0.5\n", "column `y` has `0.5`"),
        ] {
            let asked = comma(text).expect_err(text);
            assert!(asked.starts_with(shows) && asked.ends_with(asks), "{text:?}: {asked}");
        }
        assert!(
            point("x;y\n1,5;1\n").expect_err("a comma").contains("has `1,5`, with a decimal comma")
        );
        // The user decides.
        let wishes = Wishes {
            decimal: Some(Decimal::Point),
            kept: Some(Kept { decimal: Decimal::Comma, columns: vec!["x".into()] }),
            ..Wishes::default()
        };
        assert_eq!(wished("x;y\n1.5;1\n", wishes).decimal, Decimal::Point);
    }

    /// Names are looked up, not compared one by one, which would take long.
    #[test]
    fn a_model_of_many_columns_decides_at_once() {
        const WIDTH: usize = 50_000;
        let columns: Vec<String> = (0..WIDTH).map(|at| format!("gene{at}")).collect();
        let text = format!("{}\n{}1.234\n", columns.join(";"), "7;".repeat(WIDTH - 1));
        let kept = Some(Kept { decimal: Decimal::Comma, columns });
        let dialect = wished(&text, Wishes { kept, header: Some(true), ..Wishes::default() });
        let note = dialect.notes.last().expect("a note");
        assert!(note.starts_with("column `gene49999`: `1.234` is read as 1234"), "{note}");
    }

    #[test]
    fn both_conventions_come_back() {
        for (decimal, sign) in [(Decimal::Point, '.'), (Decimal::Comma, ',')] {
            for delimiter in [b';', b'\t', b'|'] {
                let mut text = String::from("a^b^c\n");
                for row in 0..50 {
                    text.push_str(&format!("{row}^{row}{sign}{row}^x{sign}y\n"));
                }
                let dialect = whole(&text.replace('^', &char::from(delimiter).to_string()));
                assert_eq!((dialect.delimiter, dialect.decimal), (delimiter, decimal));
            }
        }
    }

    #[test]
    fn no_text_panics() {
        let signs: Vec<char> = "#\",;\t|\n\r 0159.aé=-sep\u{2212}\u{feff}\0".chars().collect();
        let mut state = 11_u64;
        for round in 0..20_000 {
            let mut text = String::new();
            for _ in 0..round % 16 {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                text.push(signs[(state >> 33) as usize % signs.len()]);
            }
            let pick = |kind: u32| (state >> kind) & 1 == 1;
            let wishes = Wishes {
                delimiter: pick(40).then_some(b';'),
                usual: pick(41).then_some(b'\t'),
                decimal: pick(42).then_some(Decimal::Comma),
                header: pick(43).then_some(pick(44)),
                skipped: (state >> 45) as usize % 3,
                missing: if pick(46) { vec!["1".into()] } else { Vec::new() },
                kept: pick(47).then(|| Kept {
                    decimal: if pick(48) { Decimal::Comma } else { Decimal::Point },
                    columns: vec!["a".into(), "x0".into()],
                }),
            };
            if let Ok(dialect) = of(&text, pick(45), &wishes) {
                assert!(text.is_char_boundary(dialect.start), "{text:?}");
                let rest = &text[dialect.start..];
                assert!(!dialect.hash || rest.starts_with('#'), "{text:?}");
                assert!(!dialect.hash || dialect.header, "{text:?}");
                assert_eq!(wishes.header.unwrap_or(dialect.header), dialect.header);
            }
        }
    }
}
