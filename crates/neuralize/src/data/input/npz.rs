//! Rows of archives of NumPy arrays: the only table in one, or arrays that are its columns.

use std::fs::File;
use std::io::{self, BufReader, Read, SeekFrom};
use std::sync::Arc;

use crate::data::input::archive::Entry;
use crate::data::input::cell::{Cell, Place};
use crate::data::input::columns::Columns;
use crate::data::input::npy::{Array, Element, NpyRows, Source, Value, fault};
use crate::data::input::opened::Opened;
use crate::data::input::rows::{Rows, Sink, hand_on};
use crate::error::{Error, Result};
use crate::text::Shown;

/// Arrays that hold the names of the columns of another.
const OF_NAMES: [&str; 4] = ["columns", "feature_names", "features", "names"];

/// So many bytes of an array that is compressed are held in memory, the others in a temporary file.
const IN_MEMORY: usize = 1 << 26;

/// An array of an archive.
struct Member {
    name: String,
    entry: Entry,
    array: Array,
}

/// Opens an archive by what is in it.
pub(super) fn open(name: String, file: Arc<File>, entries: Vec<Entry>) -> Result<Opened<'static>> {
    let fail = |detail: String| Error::Table { file: name.clone(), detail };
    let mut members = Vec::with_capacity(entries.len());
    for entry in entries {
        let of = entry.name.trim_end_matches(".npy").to_owned();
        let array = entry
            .unpacked(&file)
            .and_then(|source| Array::read(&mut BufReader::new(source), entry.size))
            .map_err(|error| {
                let what = fault(&name, error);
                fail(format!("array `{}`: {}", Shown(&of), inner(&name, &what)))
            })?;
        members.push(Member { name: of, entry, array });
    }
    let tables = || members.iter().filter(|member| member.array.shape.len() == 2);
    let only = match (members.as_slice(), tables().count()) {
        ([only], _) => Some(only),
        (_, 1) => tables().next(),
        _ => None,
    };
    if let Some(member) = only {
        return member.table(name, &file, &members);
    }
    let is_column = |member: &Member| {
        member.array.shape.len() == 1 && !matches!(member.array.value, Value::Other)
    };
    let first = members.first().map(|member| member.array.shape.clone());
    if members.iter().all(|member| is_column(member) && Some(&member.array.shape) == first.as_ref())
    {
        return ColumnRows::open(name, file, members);
    }
    if let Some(member) = members.iter().find(|member| matches!(member.array.value, Value::Other)) {
        return Err(fail(format!(
            "array `{}` has values of type {}; numbers, booleans and texts can be read: save the others alone",
            Shown(&member.name),
            named(&member.array.kind)
        )));
    }
    Err(fail(format!(
        "its arrays are {}; one of two dimensions can be read, or columns of the same length: save the table alone",
        list(&members)
    )))
}

/// The detail of an error, without the name of the file.
fn inner(file: &str, error: &Error) -> String {
    let text = error.to_string();
    text.strip_prefix(&format!("{file}: ")).map_or(text.clone(), str::to_owned)
}

/// A type as NumPy names it in words, if it is a usual one.
fn named(kind: &str) -> String {
    const NAMES: [(&str, &str); 3] =
        [("M8", "datetime64"), ("m8", "timedelta64"), ("|O", "object")];
    let found = NAMES.iter().find(|(code, _)| kind.contains(code));
    found.map_or_else(|| Shown(kind).to_string(), |(_, name)| (*name).to_owned())
}

/// Arrays with their shapes, the first ten of them.
fn list(members: &[Member]) -> String {
    const SHOWN: usize = 10;
    let shown = members.iter().take(SHOWN).map(|member| {
        let shape: Vec<_> = member.array.shape.iter().take(SHOWN).map(u64::to_string).collect();
        format!("`{}` ({})", Shown(&member.name), shape.join(" x "))
    });
    let more = if members.len() > SHOWN { ", …" } else { "" };
    shown.collect::<Vec<_>>().join(", ") + more
}

impl Member {
    /// Its rows, if it is a table.
    fn table(&self, name: String, file: &Arc<File>, members: &[Self]) -> Result<Opened<'static>> {
        let entry = &self.entry;
        let lengths = (entry.size, entry.packed());
        let mut opened = NpyRows::of(name, &self.array, lengths, || self.source(file))?;
        if members.len() > 1 {
            opened.notes.push(format!("array `{}`, one of {}", Shown(&self.name), members.len()));
        }
        let count = opened.header.len() as u64;
        let has_names = |member: &&Self| {
            OF_NAMES.contains(&member.name.as_str()) && member.array.shape == [count]
        };
        if !members.iter().any(|member| has_names(&member)) {
            self.refuse_names(&opened, members)?;
        }
        let mut of_names = members.iter().filter(has_names);
        if let (Some(member), None) = (of_names.next(), of_names.next())
            && let Some(names) = member.texts(&opened.file, file)?
        {
            opened.notes.push(format!("array `{}` names its columns", Shown(&member.name)));
            opened.header = names;
            opened.is_unnamed = false;
        }
        Ok(opened)
    }

    /// An error if texts that should name its columns are of another number. As many `names` as rows are
    /// those of the rows.
    fn refuse_names(&self, opened: &Opened<'_>, members: &[Self]) -> Result<()> {
        let rows = self.array.shape.first();
        let is_wrong = |member: &&Self| {
            let is_text = matches!(member.array.value, Value::Text { .. });
            let [names] = member.array.shape.as_slice() else { return false };
            let may_be_of_rows = member.name == "names" && Some(names) == rows;
            is_text && OF_NAMES.contains(&member.name.as_str()) && !may_be_of_rows
        };
        let Some(member) = members.iter().find(is_wrong) else { return Ok(()) };
        let detail = format!(
            "the number of names in array `{}`, {}, is not that of the columns of array `{}`, {}; save a name for every \
             column, or leave the names out",
            Shown(&member.name),
            member.array.shape.first().copied().unwrap_or_default(),
            Shown(&self.name),
            opened.header.len()
        );
        Err(Error::Table { file: opened.file.clone(), detail })
    }

    /// Its bytes, so that any of them can be read.
    fn source(&self, file: &Arc<File>) -> io::Result<Box<dyn Source>> {
        use std::io::Seek;
        // What is behind the values is not unpacked: it may be a lot.
        if self.array.end() != Some(self.entry.size) {
            let what = "its size is not that of its array";
            return Err(io::Error::new(io::ErrorKind::InvalidData, what));
        }
        if self.entry.is_plain {
            return Ok(Box::new(self.entry.section(file)?));
        }
        let mut unpacked = tempfile::SpooledTempFile::new(IN_MEMORY);
        io::copy(&mut self.entry.unpacked(file)?, &mut unpacked)?;
        unpacked.seek(SeekFrom::Start(0))?;
        Ok(Box::new(unpacked))
    }

    /// All of its texts, if it holds texts.
    fn texts(&self, name: &str, file: &Arc<File>) -> Result<Option<Vec<String>>> {
        if !matches!(self.array.value, Value::Text { .. }) {
            return Ok(None);
        }
        let mut column = Column::of(name, self)?;
        let count = self.array.shape.first().copied().unwrap_or_default();
        let io = |error| fault(name, error);
        column.open(file, &self.entry).map_err(io)?;
        match column.read(usize::try_from(count).unwrap_or_default()).map_err(io)? {
            Values::Texts(texts) => Ok(Some(texts)),
            Values::Numbers(..) => Ok(None),
        }
    }
}

/// Rows of an archive whose arrays are the columns.
struct ColumnRows {
    file: Arc<File>,
    entries: Vec<Entry>,
    columns: Vec<Column>,
    /// Positions of the columns that are read.
    selected: Vec<usize>,
    rows: u64,
    done: u64,
    bytes: u64,
}

/// An array that is a column; it is read from its first value to its last.
struct Column {
    source: Option<Box<dyn Read>>,
    start: u64,
    value: Value,
    /// Bytes of a value.
    size: usize,
    bytes: Vec<u8>,
}

/// Some values of a column.
enum Values {
    Numbers(Vec<f64>, Element),
    Texts(Vec<String>),
}

impl Values {
    fn cell(&self, row: usize) -> Cell<'_> {
        match self {
            Self::Numbers(values, element) => {
                values.get(row).map_or(Cell::Missing, |value| element.cell(*value))
            }
            Self::Texts(texts) => texts.get(row).map_or(Cell::Missing, |text| Cell::Text(text)),
        }
    }
}

impl Column {
    fn of(file: &str, member: &Member) -> Result<Self> {
        let array = &member.array;
        let size = match array.value {
            Value::Number(element) => element.size,
            Value::Text { length, .. } => length.saturating_mul(4),
            Value::Other => 0,
        };
        array.check_length(size, member.entry.size).map_err(|detail| Error::Table {
            file: file.to_owned(),
            detail: format!("array `{}`: {detail}", Shown(&member.name)),
        })?;
        Ok(Self { source: None, start: array.start, value: array.value, size, bytes: Vec::new() })
    }

    /// Goes to the first value.
    fn open(&mut self, file: &Arc<File>, entry: &Entry) -> io::Result<()> {
        let mut source = BufReader::new(entry.unpacked(file)?);
        io::copy(&mut (&mut source).take(self.start), &mut io::sink())?;
        self.source = Some(Box::new(source));
        Ok(())
    }

    /// The next `count` values.
    fn read(&mut self, count: usize) -> io::Result<Values> {
        self.bytes.resize(count.saturating_mul(self.size), 0);
        if let Some(source) = &mut self.source {
            source.read_exact(&mut self.bytes)?;
        }
        // Texts of no characters have no bytes.
        let values = self.bytes.chunks_exact(self.size.max(1));
        Ok(match self.value {
            Value::Number(element) => {
                Values::Numbers(values.map(|bytes| element.read(bytes)).collect(), element)
            }
            Value::Text { big_endian, .. } => {
                let mut texts: Vec<_> = values.map(|bytes| text(bytes, big_endian)).collect();
                texts.resize(count, String::new());
                Values::Texts(texts)
            }
            Value::Other => Values::Texts(vec![String::new(); count]),
        })
    }
}

/// Text of four bytes a character, with zeros at its end.
fn text(bytes: &[u8], big_endian: bool) -> String {
    let characters = bytes.chunks_exact(4).map(|bytes| {
        let bytes: [u8; 4] = bytes.try_into().unwrap_or_default();
        let code = if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
        char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)
    });
    let mut text: String = characters.collect();
    text.truncate(text.trim_end_matches('\0').len());
    text
}

impl ColumnRows {
    fn open(name: String, file: Arc<File>, members: Vec<Member>) -> Result<Opened<'static>> {
        let rows = members.first().and_then(|member| member.array.shape.first().copied());
        let columns = members.iter().map(|member| Column::of(&name, member));
        let columns = columns.collect::<Result<Vec<_>>>()?;
        let header = members.iter().map(|member| member.name.clone()).collect();
        let entries: Vec<_> = members.into_iter().map(|member| member.entry).collect();
        let bytes = entries.iter().map(Entry::packed).fold(0, u64::saturating_add);
        let rows = rows.unwrap_or_default();
        let rows = Self { file, entries, columns, selected: Vec::new(), rows, done: 0, bytes };
        Ok(Opened::new(name, header, rows))
    }
}

impl Rows for ColumnRows {
    fn select(&mut self, columns: &Columns) -> Result<()> {
        self.selected = columns.all_positions().collect();
        self.selected.sort_unstable();
        self.selected.dedup();
        for at in &self.selected {
            if let (Some(column), Some(entry)) = (self.columns.get_mut(*at), self.entries.get(*at))
            {
                column.open(&self.file, entry).map_err(|error| fault(&columns.file, error))?;
            }
        }
        Ok(())
    }

    fn read(&mut self, columns: &Columns, limit: usize, sink: &mut dyn Sink) -> Result<()> {
        // Bytes decoded at a time, and rows.
        const BYTES: usize = 1 << 20;
        const ROWS: usize = 1 << 12;
        let sizes = self.selected.iter().filter_map(|at| self.columns.get(*at));
        let row = sizes.map(|column| column.size).fold(1, usize::saturating_add);
        let chunk = (BYTES / row).clamp(1, ROWS);
        let mut left = limit;
        while left > 0 && self.done < self.rows {
            let rest = usize::try_from(self.rows - self.done).unwrap_or(usize::MAX);
            let count = rest.min(left).min(chunk);
            let mut values: Vec<Option<Values>> = self.columns.iter().map(|_| None).collect();
            for at in &self.selected {
                if let (Some(column), Some(place)) =
                    (self.columns.get_mut(*at), values.get_mut(*at))
                {
                    let found = column.read(count).map_err(|error| fault(&columns.file, error))?;
                    *place = Some(found);
                }
            }
            for row in 0..count {
                let cell = |position: usize| match values.get(position) {
                    Some(Some(values)) => values.cell(row),
                    _ => Cell::Missing,
                };
                let place = || Place::Row(self.done);
                hand_on(columns, sink, &place, cell)?;
                self.done += 1;
            }
            left -= count;
        }
        Ok(())
    }

    fn bytes_read(&self) -> u64 {
        (self.bytes as f64 * (self.done as f64 / self.rows.max(1) as f64)) as u64
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use flate2::write::DeflateEncoder;
    use flate2::{Compression, Crc};

    use super::*;
    use crate::data::input::archive;
    use crate::data::input::collect::{Collected, collect};
    use crate::data::input::options::TableOptions;

    /// An array as `numpy.save` writes it.
    fn array(kind: &str, by_columns: bool, shape: &str, values: &[u8]) -> Vec<u8> {
        let order = if by_columns { "True" } else { "False" };
        let header =
            format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': ({shape}), }}");
        let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
        bytes.extend((header.len() as u16).to_le_bytes());
        [bytes, header.into_bytes(), values.to_vec()].concat()
    }

    fn floats(values: &[f64]) -> Vec<u8> {
        values.iter().flat_map(|value| value.to_le_bytes()).collect()
    }

    fn texts(values: &[&str], length: usize) -> Vec<u8> {
        let padded =
            values.iter().flat_map(|text| text.chars().chain(std::iter::repeat('\0')).take(length));
        padded.flat_map(|character| (character as u32).to_le_bytes()).collect()
    }

    /// An archive as `numpy.savez` or `numpy.savez_compressed` writes it; `size` replaces the sizes.
    fn archive(arrays: &[(&str, Vec<u8>)], packs: bool, size: Option<u32>) -> Vec<u8> {
        let (mut bytes, mut directory) = (Vec::new(), Vec::new());
        for (name, array) in arrays {
            let mut crc = Crc::new();
            crc.update(array);
            let packed = if packs {
                let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
                encoder.write_all(array).expect("packed");
                encoder.finish().expect("packed")
            } else {
                array.clone()
            };
            let name = format!("{name}.npy");
            let mut common =
                [20_u16, 0, if packs { 8 } else { 0 }, 0, 33].map(u16::to_le_bytes).concat();
            common.extend(crc.sum().to_le_bytes());
            common.extend((packed.len() as u32).to_le_bytes());
            common.extend(size.unwrap_or(array.len() as u32).to_le_bytes());
            common.extend((name.len() as u16).to_le_bytes());
            common.extend([0; 2]);
            directory
                .extend([b"PK\x01\x02\x14\x00".to_vec(), common.clone(), vec![0; 10]].concat());
            directory.extend((bytes.len() as u32).to_le_bytes());
            directory.extend(name.as_bytes());
            bytes.extend([b"PK\x03\x04".to_vec(), common, name.into_bytes(), packed].concat());
        }
        let count = (arrays.len() as u16).to_le_bytes();
        let start = bytes.len() as u32;
        let size = directory.len() as u32;
        bytes.extend(directory);
        bytes.extend([b"PK\x05\x06\0\0\0\0".to_vec(), count.to_vec(), count.to_vec()].concat());
        bytes.extend([size.to_le_bytes(), start.to_le_bytes()].concat());
        bytes.extend([0; 2]);
        bytes
    }

    fn open_bytes(bytes: &[u8]) -> Result<Opened<'static>> {
        let mut file = tempfile::tempfile().expect("a file");
        file.write_all(bytes).expect("written");
        let file = Arc::new(file);
        let entries = archive::entries(&file).map_err(|error| fault("t.npz", error))?;
        open("t.npz".into(), file, entries)
    }

    fn read(bytes: &[u8]) -> Result<(Collected, Vec<String>)> {
        let opened = open_bytes(bytes)?;
        let notes = opened.notes.clone();
        Ok((collect(opened, &TableOptions::default())?, notes))
    }

    fn message(bytes: &[u8]) -> String {
        read(bytes).expect_err("an error").to_string()
    }

    #[test]
    fn the_only_table_is_read() {
        let values: Vec<f64> = (0..10).map(f64::from).collect();
        let by_rows = array("<f8", false, "5, 2", &floats(&values));
        let by_columns =
            array("<f8", true, "5, 2", &floats(&[0., 2., 4., 6., 8., 1., 3., 5., 7., 9.]));
        for packs in [false, true] {
            for table in [&by_rows, &by_columns] {
                let (found, notes) =
                    read(&archive(&[("X", table.clone())], packs, None)).expect("rows");
                assert_eq!((found.names.join(" "), notes), ("x0 x1".into(), vec![]));
                assert_eq!(found.rows[0], ["0", "1"]);
                assert_eq!(found.rows[4], ["8", "9"]);

                let other = array("<i8", false, "5,", &[0; 40]);
                let names = array("<U4", false, "2,", &texts(&["ä", "long"], 4));
                let arrays = [("y", other), ("X", table.clone()), ("columns", names)];
                let (found, notes) = read(&archive(&arrays, packs, None)).expect("rows");
                assert_eq!(found.names, ["ä", "long"]);
                assert_eq!(notes, ["array `X`, one of 3", "array `columns` names its columns"]);
                assert_eq!(found.rows.len(), 5);
            }
        }
    }

    #[test]
    fn names_of_another_number_are_refused() {
        let table = || ("X", array("<f8", false, "3, 2", &floats(&[1., 2., 3., 4., 5., 6.])));
        let names = |name: &'static str, count: usize| {
            (name, array("<U1", false, &format!("{count},"), &vec![0; 4 * count]))
        };
        for (name, count) in [("columns", 3), ("feature_names", 1), ("names", 4)] {
            let message = message(&archive(&[table(), names(name, count)], false, None));
            let says =
                format!("array `{name}`, {count}, is not that of the columns of array `X`, 2");
            assert!(message.contains(&says), "{message}");
        }
        // Names of the rows, and of the columns as well.
        for arrays in [
            vec![table(), names("names", 3)],
            vec![table(), names("columns", 2), names("names", 3)],
        ] {
            assert!(read(&archive(&arrays, true, None)).is_ok());
        }
    }

    #[test]
    fn arrays_of_one_length_are_columns() {
        let arrays = [
            ("a", array("<f8", false, "4,", &floats(&[1.5, f64::NAN, -2., 0.]))),
            ("b", array("|b1", false, "4,", &[1, 0, 1, 1])),
            ("c", array("<U2", false, "4,", &texts(&["x", "", "ä", "zz"], 2))),
            ("d", array(">i2", false, "4,", &[0, 1, 255, 255, 1, 0, 0, 0])),
            ("e", array("<U0", false, "4,", &[])),
        ];
        for packs in [false, true] {
            let (found, _) = read(&archive(&arrays, packs, None)).expect("rows");
            assert_eq!(found.names, ["a", "b", "c", "d", "e"]);
            assert_eq!(
                found.rows,
                [
                    ["1.5", "true", "'x'", "1i", "''"],
                    ["NaN", "false", "''", "-1i", "''"],
                    ["-2", "true", "'ä'", "256i", "''"],
                    ["0", "true", "'zz'", "0i", "''"]
                ]
            );
            let options = TableOptions::default().with_label("c").with_id("d").with_selected(["b"]);
            let opened = open_bytes(&archive(&arrays, packs, None)).expect("a table");
            let found = collect(opened, &options).expect("rows");
            assert_eq!(found.labels, ["x", "", "ä", "zz"]);
            assert_eq!((found.ids.join(" "), found.rows.len()), ("1 -1 256 0".into(), 4));
        }
    }

    #[test]
    fn errors_say_what() {
        let table = || array("<f8", false, "1, 2", &floats(&[1., 2.]));
        let column = |count: usize| array("<f8", false, &format!("{count},"), &vec![0; 8 * count]);
        for (arrays, expected) in [
            (
                vec![("a", table()), ("b", table())],
                "its arrays are `a` (1 x 2), `b` (1 x 2); one of two dimensions can be read, or columns of the same \
                 length: save the table alone",
            ),
            (
                vec![("a", column(1)), ("b\u{7}", column(2))],
                "its arrays are `a` (1), `b\\u{7}` (2); one of two dimensions can be read, or columns of the same \
                 length: save the table alone",
            ),
            (
                vec![("a", array("|O", false, "1, 2", b"pickle"))],
                "its numbers are of type '|O'; floats of 16, 32 or 64 bits, integers and booleans can be read",
            ),
            (
                vec![("a", array("<f8", false, "1000000000000, 2", &[]))],
                "is cut off: an array of 1000000000000 x 2 needs 16000000000081 bytes, it has 81",
            ),
            (vec![("a", b"\x93NUMPY".to_vec())], "array `a`: is cut off in its header"),
            (
                vec![("a", b"\x93NUMPY\x09\x00\x46\x00{}  ".to_vec())],
                "array `a`: is a NumPy array of version 9.0, which is not known; versions 1 to 3 can be read",
            ),
            (
                vec![("a", column(2)), ("when", array("<M8[D]", false, "2,", &[0; 16]))],
                "array `when` has values of type datetime64; numbers, booleans and texts can be read: save the others \
                 alone",
            ),
            (
                vec![("o", array("|O", false, "2,", b"pickle")), ("a", column(2))],
                "array `o` has values of type object; numbers, booleans and texts can be read: save the others alone",
            ),
        ] {
            for packs in [false, true] {
                assert_eq!(message(&archive(&arrays, packs, None)), format!("t.npz: {expected}"));
            }
        }
    }

    #[test]
    fn sizes_and_checksums_are_checked() {
        let values = floats(&vec![1.0; 1000]);
        let arrays = [("a", array("<f8", false, "1000, 1", &values))];
        let whole = archive(&arrays, true, None);
        assert!(read(&whole).is_ok());
        // The array is shorter or longer than the archive says.
        let cut = archive(&[("a", array("<f8", false, "1000, 1", &values[8..]))], true, None);
        assert_eq!(
            message(&cut),
            "t.npz: is cut off: an array of 1000 x 1 needs 8072 bytes, it has 8064"
        );
        let claimed = Some(arrays[0].1.len() as u32);
        let cut = [("a", array("<f8", false, "1000, 1", &values[8..]))];
        assert_eq!(message(&archive(&cut, true, claimed)), "t.npz: is cut off");
        let short = [("a", array("<f8", false, "10, 1", &values))];
        assert_eq!(
            message(&archive(&short, true, None)),
            "t.npz: its size is not that of its array"
        );
        let size = Some(short[0].1.len() as u32 - 990 * 8);
        assert_eq!(
            message(&archive(&short, true, size)),
            "t.npz: array `a`: it holds more than the archive says"
        );
        let mut changed = whole.clone();
        changed[14] ^= 1;
        let start = whole.windows(4).position(|four| four == b"PK\x01\x02").expect("a directory");
        changed[start + 16] ^= 1;
        assert_eq!(message(&changed), "t.npz: array `a`: it is damaged: its checksum is wrong");
    }

    #[test]
    fn no_bytes_panic() {
        let arrays = [
            ("a", array("<f8", false, "2,", &floats(&[1., 2.]))),
            ("b", array("<U2", false, "2,", &texts(&["x", "y"], 2))),
        ];
        for packs in [false, true] {
            let bytes = archive(&arrays, packs, None);
            for at in 0..bytes.len() {
                for bits in [1, 0x80, 0xff] {
                    let mut changed = bytes.clone();
                    changed[at] ^= bits;
                    let _ = read(&changed);
                }
                assert!(read(&bytes[..at]).is_err());
            }
        }
    }
}
