//! Rows of a folder of files that are parts of one table, as Spark, DuckDB and pandas write it.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::data::input::Decimal;
use crate::data::input::cell::{Cell, Place};
use crate::data::input::columns::Columns;
use crate::data::input::opened::Opened;
use crate::data::input::rows::{Rows, Sink};
use crate::error::{Error, Result};
use crate::text::Shown;

/// Folders in folders, at most: links may lead back.
const DEEPEST: usize = 32;

/// So many different notes are kept.
const MOST_NOTES: usize = 100;

/// Opens a file of a folder.
type Open = Box<dyn Fn(&Path) -> Result<Opened<'static>>>;

/// Rows of the files of a folder, one file after the other.
pub(super) struct FolderRows {
    open: Open,
    parts: Vec<Part>,
    /// The next part, if none is open.
    next: usize,
    current: Option<Current>,
    /// The first part, which was opened for its columns.
    first: Option<Opened<'static>>,
    /// What all parts must have.
    header: Vec<String>,
    is_unnamed: bool,
    decimal: Decimal,
    decimal_is_known: bool,
    /// Notes of the parts that are read, each once, and how many were handed on.
    notes: Vec<String>,
    noted: usize,
    done: u64,
    /// Bytes of the parts that are read.
    bytes: u64,
}

/// A file of a folder.
struct Part {
    path: PathBuf,
    bytes: u64,
    /// Columns whose values are in the names of folders, `key=value`.
    keys: Vec<Key>,
}

/// The name and the value of a column; no value is a missing one.
type Key = (String, Option<String>);

/// The part that is being read.
struct Current {
    opened: Opened<'static>,
    /// Its columns, by their positions in this part.
    columns: Columns,
    names: KeyCells,
    /// Rows of the parts before it.
    before: u64,
    bytes: u64,
}

impl FolderRows {
    /// Opens the first part, whose columns the others must have. `open` opens any file.
    pub(super) fn open(
        name: String,
        folder: &Path,
        open: impl Fn(&Path) -> Result<Opened<'static>> + 'static,
    ) -> Result<Opened<'static>> {
        let fail = |detail: String| Error::Table { file: name.clone(), detail };
        let Contents { parts, passed } = Contents::of(folder)?;
        let passed = passed.notes();
        let Some(part) = parts.first() else {
            let nothing = "the folder holds no files of a table".to_owned();
            return Err(fail([vec![nothing], passed].concat().join("; ")));
        };
        if let Some(other) = parts.iter().find(|other| !part.has_keys_of(other)) {
            let detail = "it is in other folders `key=value` than the files before it".to_owned();
            return Err(Error::Table { file: other.path.display().to_string(), detail });
        }
        let first = open(&part.path)?;
        // A column that is in the files, too, is read from them.
        let keys = part.keys.iter().map(|(key, _)| key.clone());
        let (twice, keys): (Vec<_>, Vec<_>) = keys.partition(|key| first.header.contains(key));
        let header = [first.header.clone(), keys].concat();
        let mut notes = Vec::new();
        if parts.len() > 1 {
            notes.push(format!("{} files are its parts", parts.len()));
        }
        notes.extend(passed);
        notes.extend(twice.iter().map(|key| {
            format!(
                "column `{0}` is read from the files, not from the names of the folders `{0}=…`",
                Shown(key)
            )
        }));
        notes.extend(first.notes.iter().cloned());
        let (is_unnamed, decimal) = (first.is_unnamed, first.decimal);
        let (has_lines, has_sheets) = (first.has_lines, first.has_sheets);
        let has_commas = first.has_commas;
        let decimal_is_known = first.decimal_is_known;
        let (obstacles, indices) = (first.obstacles.clone(), first.indices.clone());
        let rows = Self {
            open: Box::new(open),
            parts,
            next: 0,
            current: None,
            header: first.header.clone(),
            first: Some(first),
            is_unnamed,
            decimal,
            decimal_is_known,
            noted: notes.len(),
            notes: notes.clone(),
            done: 0,
            bytes: 0,
        };
        let mut opened = Opened::new(name, header, rows);
        (opened.obstacles, opened.indices, opened.notes) = (obstacles, indices, notes);
        (opened.is_unnamed, opened.decimal) = (is_unnamed, decimal);
        (opened.has_lines, opened.has_sheets) = (has_lines, has_sheets);
        (opened.decimal_is_known, opened.has_commas) = (decimal_is_known, has_commas);
        Ok(opened)
    }

    /// Opens the next part; `false` behind the last.
    fn advance(&mut self, columns: &Columns) -> Result<bool> {
        let Some(part) = self.parts.get(self.next) else { return Ok(false) };
        let mut opened = match self.first.take() {
            Some(opened) => opened,
            None => (self.open)(&part.path)?,
        };
        let file = part.path.display().to_string();
        let fail = |detail: String| Error::Table { file: file.clone(), detail };
        let places = self.places(&opened).map_err(fail)?;
        // Whole numbers alone do not show it.
        if opened.decimal_is_known && opened.decimal != self.decimal {
            let first = if self.decimal_is_known {
                "is not that of the first part"
            } else {
                "is a comma, which the first part does not show"
            };
            return Err(fail(format!(
                "its decimal sign {first}; say which one the numbers have: `--decimal .` or `--decimal ,`"
            )));
        }
        for note in &opened.notes {
            if !self.notes.contains(note) && self.notes.len() < MOST_NOTES {
                self.notes.push(note.clone());
            }
        }
        let own = |position: usize| places.get(position).copied();
        let (label, id) = (columns.label.and_then(own), columns.id.and_then(own));
        let mut inner = columns.some(|at| own(columns.positions[at]).is_some());
        inner.positions = columns.positions.iter().filter_map(|position| own(*position)).collect();
        (inner.label, inner.id, inner.width) = (label, id, places.len());
        inner.file = file.clone();
        for position in inner.all_positions() {
            opened.refuse_obstacle(position)?;
        }
        opened.rows.select(&inner)?;
        let mut outer = columns.some(|_| true);
        outer.file = file;
        let names = KeyCells::new(outer, &self.header, part);
        let (before, bytes) = (self.done, part.bytes);
        self.current = Some(Current { opened, columns: inner, names, before, bytes });
        self.next += 1;
        Ok(true)
    }

    /// Where the columns of the first part are in this one.
    fn places(&self, opened: &Opened<'_>) -> Result<Vec<usize>, String> {
        let (ours, theirs) = (&self.header, &opened.header);
        if ours == theirs || self.is_unnamed && opened.is_unnamed && ours.len() == theirs.len() {
            return Ok((0..ours.len()).collect());
        }
        if self.is_unnamed && opened.is_unnamed {
            let (ours, theirs) = (ours.len(), theirs.len());
            let s = if theirs == 1 { "" } else { "s" };
            return Err(format!("it has {theirs} column{s}, the first part has {ours}"));
        }
        let mut positions: HashMap<&str, Vec<usize>> = HashMap::new();
        for (at, name) in theirs.iter().enumerate().rev() {
            positions.entry(name).or_default().push(at);
        }
        let mut places = Vec::with_capacity(ours.len());
        for name in ours {
            let place = positions.get_mut(name.as_str()).and_then(Vec::pop);
            places.push(place.ok_or_else(|| {
                format!("it has no column `{}`, which the first part has", Shown(name))
            })?);
        }
        let more = theirs
            .iter()
            .find(|name| positions.get(name.as_str()).is_some_and(|at| !at.is_empty()));
        match more {
            Some(name) => {
                Err(format!("it has a column `{}`, which the first part has not", Shown(name)))
            }
            None => Ok(places),
        }
    }
}

impl Rows for FolderRows {
    fn read(&mut self, columns: &Columns, limit: usize, sink: &mut dyn Sink) -> Result<()> {
        let mut left = limit;
        while left > 0 {
            if self.current.is_none() && !self.advance(columns)? {
                break;
            }
            let Some(current) = &mut self.current else { break };
            let Current { opened, columns, names, before, bytes } = current;
            let (before, done) = (*before, self.done);
            let mut part = PartSink { sink, names, before, done, rows: 0, at: 0, fault: None };
            opened.rows.read(columns, left, &mut part)?;
            let PartSink { rows, fault, .. } = part;
            if let Some(fault) = fault {
                return Err(fault);
            }
            if rows == 0 {
                self.bytes += *bytes;
                self.current = None;
            }
            self.done += rows;
            left = left.saturating_sub(usize::try_from(rows).unwrap_or(usize::MAX));
        }
        Ok(())
    }

    fn bytes_read(&self) -> u64 {
        let current = self.current.as_ref().map(|current| current.opened.rows.bytes_read());
        self.bytes + current.unwrap_or_default()
    }

    fn later_notes(&mut self) -> Vec<String> {
        let new = self.notes.split_off(self.noted.min(self.notes.len()));
        self.notes.extend(new.iter().cloned());
        self.noted = self.notes.len();
        new
    }
}

// Files ------------------------------------------------------------------------------------------

/// What a folder holds.
#[derive(Default)]
struct Contents {
    /// Its files in the order of their names, and those of the folders `key=value` in it.
    parts: Vec<Part>,
    passed: Passed,
}

/// Names of what is passed over.
#[derive(Default)]
struct Passed {
    /// Folders that are no `key=value`.
    folders: Vec<String>,
    /// Copies that editors and programs leave.
    copies: Vec<String>,
    /// What people write about the parts.
    texts: Vec<String>,
    /// Files of no bytes.
    empty: Vec<String>,
}

impl Contents {
    fn of(folder: &Path) -> Result<Self> {
        let mut found = Self::default();
        found.search(folder, &[])?;
        Ok(found)
    }

    fn search(&mut self, folder: &Path, keys: &[Key]) -> Result<()> {
        let mut paths = Vec::new();
        for entry in fs::read_dir(folder).map_err(Error::io(folder))? {
            paths.push(entry.map_err(Error::io(folder))?.path());
        }
        paths.sort();
        for path in paths {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let lower = name.to_lowercase();
            // What programs write beside the parts.
            if name.starts_with(['_', '.']) || lower.ends_with(".crc") {
                continue;
            }
            let found = fs::metadata(&path).map_err(Error::io(&path))?;
            let passed = &mut self.passed;
            if found.is_dir() {
                match name.split_once('=') {
                    Some((key, value)) if keys.len() < DEEPEST => {
                        let value = Some(unescaped(value)).filter(|value| value != NO_VALUE);
                        self.search(&path, &[keys, &[(unescaped(key), value)]].concat())?;
                    }
                    _ => passed.folders.push(name),
                }
            } else if ["~", ".tmp", ".bak", ".swp"].iter().any(|end| lower.ends_with(end)) {
                passed.copies.push(name);
            } else if lower.starts_with("readme") || lower.ends_with(".md") {
                passed.texts.push(name);
            } else if found.len() == 0 {
                passed.empty.push(name);
            } else {
                self.parts.push(Part { bytes: found.len(), keys: keys.to_vec(), path });
            }
        }
        Ok(())
    }
}

impl Passed {
    /// A note for every kind, which names the first.
    fn notes(&self) -> Vec<String> {
        let kinds = [
            ("folder", &self.folders, "", ""),
            ("file", &self.copies, ": a backup by its name", ": backups by their names"),
            ("file", &self.texts, ": no table by its name", ": no tables by their names"),
            ("file", &self.empty, ": it is empty", ": they are empty"),
        ];
        let note = |(kind, names, one, many): (&str, &Vec<String>, &str, &str)| {
            let first = Shown(names.first()?);
            Some(match names.len() {
                1 => format!("the {kind} `{first}` in it is not read{one}"),
                _ => format!("the {kind} `{first}` and others in it are not read{many}"),
            })
        };
        kinds.into_iter().filter_map(note).collect()
    }
}

/// The value of a folder whose rows have none.
const NO_VALUE: &str = "__HIVE_DEFAULT_PARTITION__";

/// Text in which `%20` and its like stand for a byte.
fn unescaped(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(text.len()), text.as_bytes());
    while let Some((first, others)) = rest.split_first() {
        let digits = rest.get(1..3).and_then(|digits| std::str::from_utf8(digits).ok());
        let byte = digits.filter(|digits| digits.bytes().all(|digit| digit.is_ascii_hexdigit()));
        let byte = byte.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        let (byte, others) = match (first, byte) {
            (b'%', Some(byte)) => (byte, rest.get(3..).unwrap_or_default()),
            _ => (*first, others),
        };
        bytes.push(byte);
        rest = others;
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Part {
    /// Whether the folders of another part have the same keys.
    fn has_keys_of(&self, other: &Self) -> bool {
        let names = |part: &Self| part.keys.iter().map(|(key, _)| key.clone()).collect::<Vec<_>>();
        names(self) == names(other)
    }
}

// Rows of a part ---------------------------------------------------------------------------------

/// The cells that are in the names of folders: the same for all rows of a part.
struct KeyCells {
    /// All columns that are read, with the name of the part.
    columns: Columns,
    /// For every feature, whether it is in the name of a folder, and its value there.
    features: Vec<Option<KeyCell>>,
    label: Option<KeyCell>,
    id: Option<KeyCell>,
}

#[derive(Clone)]
struct KeyCell(Option<String>);

impl KeyCell {
    fn cell(&self) -> Cell<'_> {
        self.0.as_deref().map_or(Cell::Missing, Cell::Text)
    }
}

impl KeyCells {
    /// Behind the columns in the `header` of the parts follow those of the folders.
    fn new(columns: Columns, header: &[String], part: &Part) -> Self {
        let keys = part.keys.iter().filter(|(key, _)| !header.contains(key));
        let cells: Vec<_> = keys.map(|(_, value)| KeyCell(value.clone())).collect();
        let cell = |position: usize| cells.get(position.checked_sub(header.len())?).cloned();
        Self {
            features: columns.positions.iter().map(|position| cell(*position)).collect(),
            label: columns.label.and_then(cell),
            id: columns.id.and_then(cell),
            columns,
        }
    }
}

/// Hands on the rows of a part with the cells that are not in it, and counts them on over all parts.
struct PartSink<'a> {
    sink: &'a mut dyn Sink,
    names: &'a KeyCells,
    /// Rows of the parts before this one.
    before: u64,
    /// Rows of all parts before this call, and in it.
    done: u64,
    rows: u64,
    /// Features of the row that were handed on.
    at: usize,
    /// What is wrong with a cell at the end of a row.
    fault: Option<Error>,
}

impl PartSink<'_> {
    /// Hands on the next features as long as they are in names of folders.
    fn fill(&mut self) -> Result<()> {
        let row = self.done + self.rows;
        while let Some(Some(key)) = self.names.features.get(self.at) {
            self.sink.cell(&self.names.columns, self.at, key.cell(), &|| Place::Row(row))?;
            self.at += 1;
        }
        Ok(())
    }
}

impl Sink for PartSink<'_> {
    fn cell(
        &mut self,
        _: &Columns,
        _: usize,
        cell: Cell<'_>,
        place: &dyn Fn() -> Place,
    ) -> Result<()> {
        if let Some(fault) = self.fault.take() {
            return Err(fault);
        }
        self.fill()?;
        let place = || match place() {
            Place::Row(row) => Place::Row(self.before + row),
            line @ Place::Line(_) => line,
        };
        self.sink.cell(&self.names.columns, self.at, cell, &place)?;
        self.at += 1;
        Ok(())
    }

    fn label(&mut self, text: &str) {
        self.sink.label(text);
    }

    fn id(&mut self, text: &str) {
        self.sink.id(text);
    }

    fn end_row(&mut self, _: &Columns) {
        if self.fault.is_some() {
            return;
        }
        if let Err(fault) = self.fill() {
            self.fault = Some(fault);
            return;
        }
        if let Some(key) = &self.names.label {
            self.sink.label(&key.cell().text());
        }
        if let Some(key) = &self.names.id {
            self.sink.id(&key.cell().text());
        }
        self.sink.end_row(&self.names.columns);
        self.rows += 1;
        self.at = 0;
    }
}

#[cfg(test)]
mod tests {
    use std::fs::create_dir_all;

    use tempfile::TempDir;

    use super::*;
    use crate::data::input::collect::{Collected, collect};
    use crate::data::input::options::TableOptions;

    fn folder(files: &[(&str, &str)]) -> TempDir {
        let folder = tempfile::tempdir().expect("a folder");
        for (name, text) in files {
            let path = folder.path().join(name);
            create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        }
        folder
    }

    fn open(folder: &TempDir) -> Result<Opened<'static>> {
        let part = |path: &Path| crate::data::input::open(path, &TableOptions::default());
        FolderRows::open("t".into(), folder.path(), part)
    }

    fn read(files: &[(&str, &str)], options: &TableOptions) -> Result<Collected> {
        collect(open(&folder(files))?, options)
    }

    /// The error without the name of the temporary folder.
    fn message(files: &[(&str, &str)]) -> String {
        let error = read(files, &TableOptions::default()).expect_err("an error").to_string();
        error.rsplit('/').next().unwrap_or_default().to_owned()
    }

    #[test]
    fn parts_follow_one_another() {
        let files = [
            ("part-2.csv", "b,a\n6,5\n"),
            ("part-0.csv", "a,b\n1,2\n3,4\n"),
            ("part-1.csv", ""),
            ("_SUCCESS", "x"),
            (".part-0.csv.crc", "x"),
            ("part-0.csv.crc", "x"),
            ("more/part-3.csv", "a,b\n9,9\n"),
        ];
        let opened = open(&folder(&files)).expect("a table");
        assert_eq!(
            opened.notes,
            [
                "2 files are its parts",
                "the folder `more` in it is not read",
                "the file `part-1.csv` in it is not read: it is empty"
            ]
        );
        let found = read(&files, &TableOptions::default()).expect("rows");
        assert_eq!(found.names, ["a", "b"]);
        assert_eq!(found.rows, [["'1'", "'2'"], ["'3'", "'4'"], ["'5'", "'6'"]]);
        assert_eq!(found.places, ["line 2", "line 3", "line 2"]);
        let options = TableOptions::default().with_selected(["a"]);
        let found = read(&files, &options.clone().with_label("b")).expect("rows");
        assert_eq!(found.labels.join(" "), "2 4 6");
        let found = read(&files, &options.with_id("b")).expect("rows");
        assert_eq!(found.ids.join(" "), "2 4 6");
    }

    #[test]
    fn what_is_passed_over_is_noted() {
        let table = "a,b\n1,2\n";
        let files = [
            ("k=1/a.csv", table),
            ("k=1/a.csv~", table),
            ("k=1/b.BAK", table),
            ("README.md", "About this."),
            ("k=1/empty.csv", ""),
        ];
        let notes = [
            "the file `a.csv~` and others in it are not read: backups by their names",
            "the file `README.md` in it is not read: no table by its name",
            "the file `empty.csv` in it is not read: it is empty",
        ];
        assert_eq!(open(&folder(&files)).expect("a table").notes, notes);
        assert_eq!(read(&files, &TableOptions::default()).expect("rows").rows.len(), 1);
        // Backups alone are no table.
        assert_eq!(
            message(&[("a.tmp", table), ("b.swp", table)]),
            "t: the folder holds no files of a table; the file `a.tmp` and others in it are not read: backups by their \
             names"
        );
    }

    #[test]
    fn a_key_that_is_a_column_is_noted() {
        let files = [("a=5/0.csv", "a,b\n1,2\n"), ("a=6/0.csv", "a,b\n3,4\n")];
        assert_eq!(
            open(&folder(&files)).expect("a table").notes,
            [
                "2 files are its parts",
                "column `a` is read from the files, not from the names of the folders `a=…`"
            ]
        );
        let found = read(&files, &TableOptions::default()).expect("rows");
        assert_eq!(
            (found.names.join(" "), found.rows[0].join(" ")),
            ("a b".into(), "'1' '2'".into())
        );
    }

    #[test]
    fn rows_are_counted_over_all_parts() {
        let json = "[{\"a\":1},{\"a\":2},{\"a\":3},{\"a\":4},{\"a\":5}]";
        let found = read(&[("a.json", json), ("b.json", json)], &TableOptions::default());
        let found = found.expect("rows");
        assert_eq!(found.rows.len(), 10);
        assert_eq!(found.places[6], "row 6 (counted from 0)");
    }

    #[test]
    fn names_of_folders_are_columns() {
        let files = [
            ("k=x%20y/n=1/0.csv", "a,b\n1,2\n"),
            ("k=x%20y/n=2/0.csv", "b,a\n4,3\n"),
            ("k=__HIVE_DEFAULT_PARTITION__/n=%/0.csv", "a,b\n5,6\n"),
        ];
        let found = read(&files, &TableOptions::default()).expect("rows");
        assert_eq!(found.names, ["a", "b", "k", "n"]);
        assert_eq!(
            found.rows,
            [
                ["'5'", "'6'", "-", "'%'"],
                ["'1'", "'2'", "'x y'", "'1'"],
                ["'3'", "'4'", "'x y'", "'2'"]
            ]
        );
        let options = TableOptions::default().with_selected(["k", "a", "n"]).with_label("b");
        let found = read(&files, &options).expect("rows");
        assert_eq!(found.rows[1], ["'x y'", "'1'", "'1'"]);
        assert_eq!(found.labels, ["6", "2", "4"]);
        let options = TableOptions::default().with_selected(["a"]).with_label("k").with_id("n");
        let found = read(&files, &options).expect("rows");
        assert_eq!(found.rows, [["'5'"], ["'1'"], ["'3'"]]);
        assert_eq!(
            (found.labels, found.ids.concat()),
            (vec![String::new(), "x y".into(), "x y".into()], "%12".into())
        );
    }

    #[test]
    fn errors_name_the_part() {
        for (second, expected) in [
            ("a,c\n1,2\n", "1.csv: it has no column `b`, which the first part has"),
            ("a,b,c\n1,2,3\n", "1.csv: it has a column `c`, which the first part has not"),
            (
                "a,b\n1,2,3\n",
                "1.csv: line 2 has 3 cells, the header has 2; if the lines above are a title or counts, say `--skip N`, \
                 if no line names the columns `--header no`, if other signs separate cells `--delimiter`; a cell \
                 with a separator in it needs quotes",
            ),
        ] {
            assert_eq!(message(&[("0.csv", "a,b\n1,2\n"), ("1.csv", second)]), expected);
        }
        assert_eq!(message(&[("_SUCCESS", "")]), "t: the folder holds no files of a table");
        assert_eq!(
            message(&[("0.csv", "a,b\n1,2\n"), ("k=1/0.csv", "a,b\n1,2\n")]),
            "0.csv: it is in other folders `key=value` than the files before it"
        );
    }

    #[test]
    fn a_value_that_a_column_cannot_have_is_an_error() {
        struct Picky(u64);
        impl Sink for Picky {
            fn cell(
                &mut self,
                columns: &Columns,
                at: usize,
                cell: Cell<'_>,
                place: &dyn Fn() -> Place,
            ) -> Result<()> {
                match cell {
                    Cell::Text("bad") => Err(Error::Table {
                        file: columns.file.clone(),
                        detail: format!("{}, {}", columns.names[at], place()),
                    }),
                    _ => Ok(()),
                }
            }
            fn label(&mut self, _: &str) {}
            fn id(&mut self, _: &str) {}
            fn end_row(&mut self, _: &Columns) {
                self.0 += 1;
            }
        }
        let folder = folder(&[("k=a/0.csv", "a\n1\n2\n"), ("k=bad/0.csv", "a\n1\n2\n")]);
        let mut opened = open(&folder).expect("a table");
        let columns = opened.all(&TableOptions::default()).expect("columns");
        let mut sink = Picky(0);
        let error = opened.rows.read(&columns, usize::MAX, &mut sink).expect_err("an error");
        assert!(error.to_string().ends_with("k=bad/0.csv: k, row 2 (counted from 0)"), "{error}");
        assert_eq!(sink.0, 2);
    }
}
