//! Rows of JSON files: one object after the other, or a list of objects.

use std::borrow::Cow;
use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::io::{BufRead, BufReader, Read};
use std::ops::Range;

use memchr::{memchr_iter, memmem};
use serde::de::{DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use crate::data::input::cell::{Cell, Place};
use crate::data::input::columns::Columns;
use crate::data::input::opened::Opened;
use crate::data::input::rows::{Rows, Sink};
use crate::error::{Error, Result};
use crate::text::Shown;

/// The columns are the keys of so many records, or of so many bytes of them.
const FIRST_RECORDS: usize = 1000;
const FIRST_BYTES: usize = 1 << 20;

/// Rows may lack keys, but not so many that a small file is an enormous table: this many cells for
/// every byte read.
const CELLS_PER_BYTE: u64 = 1000;
const CELLS: u64 = 1 << 27;

/// Whether a text begins like JSON records.
pub(super) fn is_json(sample: &str) -> bool {
    let text = sample.trim_start();
    if let Some(inside) = text.strip_prefix('[') {
        let inside = inside.trim_start();
        let is_empty = || inside.strip_prefix(']').is_some_and(|rest| rest.trim().is_empty());
        return inside.starts_with('{') || is_empty();
    }
    if !text.starts_with('{') {
        return false;
    }
    // The first line of a text file may begin with a brace, too.
    let mut record = Record::default();
    let is_whole = Records::new(Box::new(text.as_bytes())).next(&mut record).is_ok();
    match serde_json::from_slice::<IgnoredAny>(&record.text) {
        Ok(_) => is_whole,
        Err(error) => error.is_eof(),
    }
}

/// Whether a text begins like a JSON list of anything but records.
pub(super) fn is_other_list(sample: &str) -> bool {
    let text = sample.trim_start();
    let inside = text.strip_prefix('[').map(str::trim_start);
    if inside.is_none_or(|inside| inside.starts_with('{')) {
        return false;
    }
    match serde_json::from_str::<IgnoredAny>(text) {
        Ok(_) => true,
        Err(error) => error.is_eof(),
    }
}

/// Rows of a JSON file, record by record.
pub(super) struct JsonRows<'a> {
    records: Records<'a>,
    /// Records read to find the columns.
    first: VecDeque<Record>,
    record: Record,
    row: Row,
    done: u64,
}

impl<'a> JsonRows<'a> {
    /// Finds the columns in the first records. `source` is text in UTF-8.
    pub(super) fn open(
        name: String,
        source: Box<dyn Read + 'a>,
        notes: Vec<String>,
    ) -> Result<Opened<'a>> {
        let fail = |detail: String| Error::Table { file: name.clone(), detail };
        let mut records = Records::new(source);
        let mut row = Row { learns: true, ..Row::default() };
        let (mut first, mut bytes, mut is_end) = (VecDeque::new(), 0, false);
        while first.len() < FIRST_RECORDS && bytes < FIRST_BYTES {
            let mut record = Record::default();
            if !records.next(&mut record).map_err(fail)? {
                is_end = true;
                break;
            }
            row.read(&record).map_err(fail)?;
            bytes += record.text.len();
            first.push_back(record);
        }
        if first.is_empty() {
            return Err(fail(
                "holds no records; a table is a list of objects, one for each row".into(),
            ));
        }
        if row.names.is_empty() {
            return Err(fail(
                "its records are empty; a table needs keys, which name the columns".into(),
            ));
        }
        if is_end && first.len() == 1 && !row.nested.contains(&false) {
            return Err(fail(
                "is one object of lists or objects; a table is a list of objects, one for each row (pandas: \
                 `orient=\"records\"`)"
                    .into(),
            ));
        }
        row.learns = false;
        let header = row.names.clone();
        let nested = row.nested.iter().enumerate().filter(|(_, nested)| **nested);
        let obstacles = nested.map(|(at, _)| (at, "is nested".to_owned())).collect();
        let rows = Self { records, first, record: Record::default(), row, done: 0 };
        let mut opened = Opened::new(name, header, rows);
        opened.obstacles = obstacles;
        opened.notes = notes;
        Ok(opened)
    }

    /// Reads the next record; `false` at the end.
    fn advance(&mut self) -> Result<bool, String> {
        if let Some(record) = self.first.pop_front() {
            self.record = record;
        } else if !self.records.next(&mut self.record)? {
            return Ok(false);
        }
        self.row.read(&self.record)?;
        if let Some(key) = &self.row.unknown {
            return Err(format!(
                "{} has the key `{}`, which none of the first {FIRST_RECORDS} records has; give every record the \
                 same keys",
                self.record,
                Shown(key)
            ));
        }
        let cells = (self.done + 1).saturating_mul(self.row.names.len() as u64);
        if cells > CELLS.saturating_add(self.records.bytes.saturating_mul(CELLS_PER_BYTE)) {
            let keys = self.row.names.len();
            return Err(format!(
                "its records lack nearly all of the {keys} keys; drop the rare ones"
            ));
        }
        Ok(true)
    }
}

impl Rows for JsonRows<'_> {
    fn select(&mut self, columns: &Columns) -> Result<()> {
        self.row.wanted = vec![false; self.row.names.len()];
        for position in columns.all_positions() {
            if let Some(wanted) = self.row.wanted.get_mut(position) {
                *wanted = true;
            }
        }
        Ok(())
    }

    fn read(&mut self, columns: &Columns, limit: usize, sink: &mut dyn Sink) -> Result<()> {
        let fail = |detail| Error::Table { file: columns.file.clone(), detail };
        for _ in 0..limit {
            if !self.advance().map_err(fail)? {
                break;
            }
            if let Some(position) = columns.all_positions().find(|at| self.row.is_nested(*at)) {
                let key = self.row.names.get(position).map_or("", String::as_str);
                return Err(fail(format!(
                    "{}: `{}` is an object or a list; drop this column",
                    self.record,
                    Shown(key)
                )));
            }
            let place = || Place::Row(self.done);
            for (at, &position) in columns.positions.iter().enumerate() {
                sink.cell(columns, at, self.row.cell(position), &place)?;
            }
            if let Some(position) = columns.label {
                sink.label(&self.row.text(position));
            }
            if let Some(position) = columns.id {
                sink.id(&self.row.text(position));
            }
            sink.end_row(columns);
            self.done += 1;
        }
        Ok(())
    }

    fn bytes_read(&self) -> u64 {
        self.records.bytes
    }
}

// Records ----------------------------------------------------------------------------------------

/// The text of a record, and where it is.
#[derive(Default)]
struct Record {
    text: Vec<u8>,
    number: u64,
    /// The line on which it begins.
    line: u64,
}

impl fmt::Display for Record {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (line {})", Place::Row(self.number), self.line)
    }
}

/// A text cut into its records: their braces are counted, all else is left to the parser.
struct Records<'a> {
    source: BufReader<Box<dyn Read + 'a>>,
    bytes: u64,
    line: u64,
    count: u64,
    state: State,
}

/// What was read last.
#[derive(Clone, Copy, PartialEq)]
enum State {
    Nothing,
    /// An object that is in no list.
    Object,
    Open,
    Item,
    Comma,
    Closed,
}

impl<'a> Records<'a> {
    fn new(source: Box<dyn Read + 'a>) -> Self {
        let source = BufReader::with_capacity(1 << 16, source);
        Self { source, bytes: 0, line: 1, count: 0, state: State::Nothing }
    }

    /// The next record; `false` at the end.
    fn next(&mut self, record: &mut Record) -> Result<bool, String> {
        record.text.clear();
        loop {
            let Some(byte) = self.peek()? else {
                return match self.state {
                    State::Nothing | State::Object | State::Closed => Ok(false),
                    _ => Err("is cut off: its list does not end with `]`".to_owned()),
                };
            };
            self.state = match (self.state, byte) {
                (_, b' ' | b'\t' | b'\r' | b'\n') => self.state,
                (State::Nothing, b'[') => State::Open,
                (State::Item, b',') => State::Comma,
                (State::Open | State::Item, b']') => State::Closed,
                (State::Nothing | State::Object, b'{') => break self.state = State::Object,
                (State::Open | State::Comma, b'{') => break self.state = State::Item,
                (State::Closed, _) => {
                    return Err(format!(
                        "line {}: there is text behind the end of the list",
                        self.line
                    ));
                }
                (State::Item, _) => {
                    return Err(format!("line {}: a comma or `]` must follow a record", self.line));
                }
                _ => {
                    let place = Place::Row(self.count);
                    return Err(format!("{place} (line {}) is not an object `{{…}}`", self.line));
                }
            };
            self.consume(1);
        }
        (record.number, record.line) = (self.count, self.line);
        self.count += 1;
        self.object(record)?;
        // Python writes it, JSON does not have it.
        if memmem::find(&record.text, b"NaN").is_some() {
            record.text = without_nan(&record.text);
        }
        Ok(true)
    }

    /// Reads to the brace that closes the first.
    fn object(&mut self, record: &mut Record) -> Result<(), String> {
        let mut nesting = Nesting::default();
        loop {
            let chunk = self.source.fill_buf().map_err(|error| error.to_string())?;
            if chunk.is_empty() {
                return Err(format!("is cut off in {record}"));
            }
            let end = chunk.iter().position(|byte| nesting.ends(*byte));
            let used = end.map_or(chunk.len(), |end| end + 1);
            record.text.extend(chunk.iter().take(used));
            self.consume(used);
            if end.is_some() {
                return Ok(());
            }
        }
    }

    fn peek(&mut self) -> Result<Option<u8>, String> {
        let chunk = self.source.fill_buf().map_err(|error| error.to_string())?;
        Ok(chunk.first().copied())
    }

    fn consume(&mut self, count: usize) {
        let used = self.source.buffer().get(..count).unwrap_or_default();
        self.line += memchr_iter(b'\n', used).count() as u64;
        self.bytes += count as u64;
        self.source.consume(count);
    }
}

/// How deep in braces and brackets, and whether in a text.
#[derive(Default)]
struct Nesting {
    depth: u64,
    in_text: bool,
    is_escaped: bool,
}

impl Nesting {
    /// Takes the next byte; whether the outermost brace is closed by it.
    #[inline]
    fn ends(&mut self, byte: u8) -> bool {
        if self.in_text {
            match byte {
                _ if self.is_escaped => self.is_escaped = false,
                b'\\' => self.is_escaped = true,
                b'"' => self.in_text = false,
                _ => {}
            }
            return false;
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' | b'[' => self.depth += 1,
            b'}' | b']' => {
                self.depth = self.depth.saturating_sub(1);
                return self.depth == 0;
            }
            _ => {}
        }
        false
    }
}

/// The record with `null` for every `NaN` that is not in a text.
fn without_nan(text: &[u8]) -> Vec<u8> {
    let (mut nesting, mut plain) = (Nesting::default(), Vec::with_capacity(text.len() + 16));
    for byte in text {
        if *byte == b'N' && !nesting.in_text && plain.ends_with(b"Na") {
            plain.truncate(plain.len() - 2);
            plain.extend(b"null");
        } else {
            plain.push(*byte);
        }
        nesting.ends(*byte);
    }
    plain
}

// Values -----------------------------------------------------------------------------------------

/// The values of a record, in the order of the columns.
#[derive(Default)]
struct Row {
    names: Vec<String>,
    positions: HashMap<String, usize>,
    /// Columns that are read.
    wanted: Vec<bool>,
    /// Columns that hold an object or a list in one of the first records.
    nested: Vec<bool>,
    /// Whether new keys are new columns.
    learns: bool,
    /// A key that is no column.
    unknown: Option<String>,
    /// A key that the record has twice.
    twice: Option<String>,
    values: Vec<Value>,
    /// For every column, the last record that had its key.
    seen: Vec<u64>,
    count: u64,
    /// Their texts, one after the other.
    text: String,
}

#[derive(Clone)]
enum Value {
    Missing,
    Number(f64),
    Whole(i128),
    Flag(bool),
    Text(Range<usize>),
    /// An object or a list.
    Nested,
}

impl Row {
    /// Reads a record.
    fn read(&mut self, record: &Record) -> Result<(), String> {
        self.text.clear();
        self.count += 1;
        self.values.clear();
        self.values.resize(self.names.len(), Value::Missing);
        let mut parser = serde_json::Deserializer::from_slice(&record.text);
        let parsed = parser.deserialize_map(&mut *self).and_then(|()| parser.end());
        if let Some(key) = &self.twice {
            return Err(format!("{record} has the key `{}` twice", Shown(key)));
        }
        parsed.map_err(|error| {
            let line = record.line + (error.line() as u64).saturating_sub(1);
            let text = error.to_string();
            let what = text.split(" at line ").next().unwrap_or_default();
            format!("line {line} is not valid JSON: {}", Shown(what))
        })
    }

    /// The position of a key.
    fn position(&mut self, key: Cow<'_, str>) -> Option<usize> {
        if let Some(position) = self.positions.get(key.as_ref()) {
            let seen = self.seen.get_mut(*position)?;
            if std::mem::replace(seen, self.count) == self.count {
                self.twice.get_or_insert_with(|| key.into_owned());
            }
            return Some(*position);
        }
        if !self.learns {
            self.unknown.get_or_insert_with(|| key.into_owned());
            return None;
        }
        let position = self.names.len();
        self.names.push(key.to_string());
        self.positions.insert(key.into_owned(), position);
        self.wanted.push(true);
        self.nested.push(false);
        self.seen.push(self.count);
        self.values.push(Value::Missing);
        Some(position)
    }

    fn set(&mut self, position: usize, value: Value) {
        if let (Value::Nested, true) = (&value, self.learns)
            && let Some(nested) = self.nested.get_mut(position)
        {
            *nested = true;
        }
        if let Some(place) = self.values.get_mut(position) {
            *place = value;
        }
    }

    fn is_nested(&self, position: usize) -> bool {
        matches!(self.values.get(position), Some(Value::Nested))
    }

    fn cell(&self, position: usize) -> Cell<'_> {
        match self.values.get(position) {
            None | Some(Value::Missing | Value::Nested) => Cell::Missing,
            Some(Value::Number(value)) => Cell::Number(*value),
            Some(Value::Whole(value)) => Cell::Whole(*value as f64),
            Some(Value::Flag(value)) => Cell::Flag(*value),
            Some(Value::Text(range)) => {
                Cell::Text(self.text.get(range.clone()).unwrap_or_default())
            }
        }
    }

    /// The text of a label; one that is an integer may be larger than f64 can hold.
    fn text(&self, position: usize) -> String {
        match self.values.get(position) {
            Some(Value::Whole(value)) => value.to_string(),
            _ => self.cell(position).text(),
        }
    }
}

impl<'de> Visitor<'de> for &mut Row {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(position) = map.next_key_seed(KeyOf(self))? {
            match position {
                Some(at) if self.wanted.get(at) == Some(&true) => {
                    let value = map.next_value_seed(ValueOf(&mut self.text))?;
                    self.set(at, value);
                }
                _ => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// A key, which becomes the position of its column.
struct KeyOf<'r>(&'r mut Row);

impl<'de> DeserializeSeed<'de> for KeyOf<'_> {
    type Value = Option<usize>;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Self::Value, D::Error> {
        source.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for KeyOf<'_> {
    type Value = Option<usize>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_str<E>(self, key: &str) -> Result<Self::Value, E> {
        Ok(self.0.position(Cow::Borrowed(key)))
    }
}

/// A value, whose text is appended to this one.
struct ValueOf<'r>(&'r mut String);

impl<'de> DeserializeSeed<'de> for ValueOf<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, source: D) -> Result<Value, D::Error> {
        source.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for ValueOf<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a value")
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Missing)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Flag(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(Value::Whole(value.into()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(Value::Whole(value.into()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Value::Number(value))
    }

    fn visit_str<E>(self, text: &str) -> Result<Value, E> {
        let start = self.0.len();
        self.0.push_str(text);
        Ok(Value::Text(start..self.0.len()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Value::Nested)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(Value::Nested)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::input::collect::{Collected, collect};
    use crate::data::input::options::TableOptions;

    fn open(text: &str) -> Result<Opened<'_>> {
        JsonRows::open("t.json".into(), Box::new(text.as_bytes()), Vec::new())
    }

    fn read(text: &str) -> Result<Collected> {
        collect(open(text)?, &TableOptions::default())
    }

    fn message(text: &str) -> String {
        read(text).expect_err("an error").to_string()
    }

    #[test]
    fn json_is_recognised() {
        for text in [
            "{\"a\": 1}",
            " \n{\"a\": 1}\n{\"b\"",
            "[{",
            "[\n  {\"a\": 1},",
            "[]\n",
            "[ ]",
            "{\"a\": NaN}",
            "{\"a\": [1, 2, {\"b\": nu",
            "{}",
        ] {
            assert!(is_json(text), "{text}");
        }
        for text in [
            "",
            "a,b\n1,2",
            "{a},b\n1,2",
            "{\"a\";\"b\"}\n1;2",
            "[1, 2]",
            "[a]",
            "[],b",
            "\"{}\"",
            "{a",
            "{]",
        ] {
            assert!(!is_json(text), "{text}");
        }
    }

    #[test]
    fn objects_by_line_and_in_a_list_are_rows() {
        let lines = "{\"a\":1,\"b\":\"x\"}\n\n{\"b\":null,\"a\":2.5,\"c\":true}\r\n {\"c\":false}";
        let list =
            "\n[ {\"a\":1,\"b\":\"x\"},\n{\"b\":null,\"a\":2.5,\"c\":true}\n,{\n\"c\":false}]\n ";
        let joined = "{\"a\":1,\"b\":\"x\"}{\"b\":NaN,\"a\":2.5,\"c\":true}{\"c\":false}";
        for text in [lines, list, joined] {
            let found = read(text).expect("rows");
            assert_eq!(found.names, ["a", "b", "c"]);
            assert_eq!(found.rows, [["1i", "'x'", "-"], ["2.5", "-", "true"], ["-", "-", "false"]]);
            assert_eq!(found.places.last().expect("a row"), "row 2 (counted from 0)");
        }
    }

    #[test]
    fn texts_are_what_they_are() {
        let text = "[{\"a}\":\"\\\"}]{NaN\",\"b\":\"\\u00e4\\n\",\"c\":\"\\\\\"},{\"a}\":\"NaN\",\"b\":NaN,\"c\":\"é\"}]";
        let found = read(text).expect("rows");
        assert_eq!(found.names, ["a}", "b", "c"]);
        assert_eq!(found.rows, [["'\"}]{NaN'", "'ä\n'", "'\\'"], ["'NaN'", "-", "'é'"]]);
        let error = read("{\"a\":1}{\"b\":1}{\"a\":1,\"b\":3,\"a\":2}").expect_err("a key twice");
        assert!(
            error.to_string().contains("row 2 (counted from 0) (line 1) has the key `a` twice")
        );
        assert!(read("{\"a\":1e400}").is_err());
        assert_eq!(
            read("{\"a\":-0.1}{\"a\":1e3}{\"a\":-7}").expect("rows").rows,
            [["-0.1"], ["1000"], ["-7i"]]
        );
    }

    #[test]
    fn labels_are_exact() {
        let text =
            "{\"id\":18446744073709551615,\"k\":true,\"x\":1}\n{\"id\":-9007199254740993,\"x\":2}";
        let options = TableOptions::default().with_id("id").with_label("k");
        let found = collect(open(text).expect("a table"), &options).expect("rows");
        assert_eq!(found.ids, ["18446744073709551615", "-9007199254740993"]);
        assert_eq!(found.labels, ["True", ""]);
        assert_eq!(found.rows, [["1i"], ["2i"]]);
    }

    #[test]
    fn nested_values_are_obstacles() {
        let text = "{\"a\":1,\"b\":{\"c\":[1]}}\n{\"a\":2,\"b\":3}";
        let opened = open(text).expect("a table");
        assert_eq!(opened.obstacles, [(1, "is nested".to_owned())]);
        let dropped = TableOptions::default().with_dropped("b");
        assert_eq!(collect(opened, &dropped).expect("rows").rows, [["1i"], ["2i"]]);
        assert_eq!(message(text), "t.json: column `b` is nested; drop it");

        let late = "{\"a\":1,\"b\":2}\n".repeat(FIRST_RECORDS) + "{\"a\":1,\"b\":[]}";
        assert_eq!(
            message(&late),
            "t.json: row 1000 (counted from 0) (line 1001): `b` is an object or a list; drop this column"
        );
        assert_eq!(
            collect(open(&late).expect("a table"), &dropped).expect("rows").rows.len(),
            1001
        );
    }

    #[test]
    fn errors_say_what_and_where() {
        let many = "{\"a\":1}\n".repeat(FIRST_RECORDS);
        for (text, expected) in [
            ("", "holds no records; a table is a list of objects, one for each row"),
            ("[]", "holds no records; a table is a list of objects, one for each row"),
            ("{}{}", "its records are empty; a table needs keys, which name the columns"),
            (
                "{\"a\":{\"0\":1},\"b\":{\"0\":2}}",
                "is one object of lists or objects; a table is a list of objects, one for each row (pandas: \
                 `orient=\"records\"`)",
            ),
            ("{\"a\":1}\n[2]", "row 1 (counted from 0) (line 2) is not an object `{…}`"),
            ("[{\"a\":1},\n 7]", "row 1 (counted from 0) (line 2) is not an object `{…}`"),
            ("[{\"a\":1},]", "row 1 (counted from 0) (line 1) is not an object `{…}`"),
            ("[{\"a\":1}\n{\"a\":1}]", "line 2: a comma or `]` must follow a record"),
            ("[{\"a\":1}]\n{}", "line 2: there is text behind the end of the list"),
            ("[{\"a\":1}", "is cut off: its list does not end with `]`"),
            ("{\"a\":1}\n{\"a\":", "is cut off in row 1 (counted from 0) (line 2)"),
            ("{\"a\":1}\n{\"a\":1,\n\"b\":x}", "line 3 is not valid JSON: expected value"),
            ("{\"a\":1]", "line 1 is not valid JSON: expected `,` or `}`"),
            ("{a:1}", "line 1 is not valid JSON: key must be a string"),
            (
                &(many.clone() + "{\"b\\n\":1}"),
                "row 1000 (counted from 0) (line 1001) has the key `b\\n`, which none of the first 1000 records has; \
                 give every record the same keys",
            ),
        ] {
            assert_eq!(message(text), format!("t.json: {expected}"), "{text}");
        }
        assert_eq!(read(&(many + "{\"a\":null}")).expect("rows").rows.len(), 1001);
    }

    #[test]
    fn deep_nesting_is_harmless() {
        let deep = format!("{{\"a\":{}1{},\"b\":2}}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(message(&deep), "t.json: column `a` is nested; drop it");
        assert!(is_json(&deep));
    }

    #[test]
    fn sparse_records_do_not_make_an_enormous_table() {
        let keys = (0..100_000).map(|key| format!("\"{key}\":1")).collect::<Vec<_>>().join(",");
        let text = format!("{{{keys}}}\n{}", "{}\n".repeat(100_000));
        let mut opened = open(&text).expect("a table");
        let options = TableOptions::default().with_selected(["0"]);
        let columns = opened.all(&options).expect("columns");
        opened.rows.select(&columns).expect("selected");
        let error = opened.rows.read(&columns, usize::MAX, &mut Collected::default());
        assert_eq!(
            error.expect_err("an error").to_string(),
            "t.json: its records lack nearly all of the 100000 keys; drop the rare ones"
        );
    }

    #[test]
    fn slow_sources_make_no_difference() {
        struct Slow<'t>(&'t [u8]);
        impl Read for Slow<'_> {
            fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
                let count = buffer.len().min(1);
                self.0.read(&mut buffer[..count])
            }
        }
        let text = "[{\"a\":\"x\\\"y\",\"b\":NaN}\n,{\"a\":\"é\",\"b\":2}]";
        let opened = JsonRows::open("t".into(), Box::new(Slow(text.as_bytes())), Vec::new());
        let found = collect(opened.expect("a table"), &TableOptions::default()).expect("rows");
        assert_eq!(found.rows, [["'x\"y'", "-"], ["'é'", "2i"]]);
    }

    #[test]
    fn no_text_panics() {
        let text = "[{\"a\": [1, {\"b\": null}], \"c\\u00e9\": \"\\\"NaN\"}, {\"a\": NaN}]";
        for end in (0..=text.len()).filter(|end| text.is_char_boundary(*end)) {
            let _ = read(&text[..end]);
            let _ = is_json(&text[..end]);
            for insert in ["{", "}", "[", "]", "\"", "\\", ",", "N", "\0"] {
                let changed = format!("{}{insert}{}", &text[..end], &text[end..]);
                let _ = read(&changed);
                let _ = is_json(&changed);
            }
        }
    }
}
