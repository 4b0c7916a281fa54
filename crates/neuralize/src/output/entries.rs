//! A small table with columns of any kind, as CSV or as an Excel workbook.

use std::io::{self, Write};

/// A cell of [`Entries`].
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Entry {
    /// Text.
    Text(String),
    /// A whole number.
    Count(usize),
    /// A number.
    Number(f64),
    /// Nothing.
    Empty,
}

impl From<&str> for Entry {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<usize> for Entry {
    fn from(count: usize) -> Self {
        Self::Count(count)
    }
}

impl From<f64> for Entry {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl<T: Into<Entry>> From<Option<T>> for Entry {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::Empty, Into::into)
    }
}

/// A table that is written as a whole, such as the figures of a profile.
///
/// ```
/// use neuralize::output::Entries;
///
/// let mut entries = Entries::new(["cluster", "mean"]);
/// entries.push(["a".into(), Some(0.5).into()]);
/// entries.push(["b".into(), None::<f64>.into()]);
/// let mut file = Vec::new();
/// entries.write_csv(&mut file, b',')?;
/// assert_eq!(String::from_utf8_lossy(&file), "cluster,mean\na,0.5\nb,\n");
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
pub struct Entries {
    header: Vec<String>,
    rows: Vec<Vec<Entry>>,
}

impl Entries {
    /// A table without rows.
    pub fn new<'a>(header: impl IntoIterator<Item = &'a str>) -> Self {
        Self { header: header.into_iter().map(str::to_owned).collect(), rows: Vec::new() }
    }

    /// Adds a row; cells beyond the header are left out.
    pub fn push(&mut self, row: impl IntoIterator<Item = Entry>) {
        let mut row: Vec<Entry> = row.into_iter().take(self.header.len()).collect();
        row.resize(self.header.len(), Entry::Empty);
        self.rows.push(row);
    }

    /// Names of the columns.
    pub fn header(&self) -> &[String] {
        &self.header
    }

    /// The rows.
    pub fn rows(&self) -> &[Vec<Entry>] {
        &self.rows
    }

    /// Writes the table as CSV; numbers in the shortest form that is exact.
    ///
    /// # Errors
    ///
    /// If the destination cannot be written.
    pub fn write_csv(&self, destination: impl Write, delimiter: u8) -> io::Result<()> {
        let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(destination);
        writer.write_record(&self.header)?;
        let text = |entry: &Entry| match entry {
            Entry::Text(text) => text.clone(),
            Entry::Count(count) => count.to_string(),
            Entry::Number(number) => format!("{number:?}"),
            Entry::Empty => String::new(),
        };
        for row in &self.rows {
            writer.write_record(row.iter().map(text))?;
        }
        writer.flush()
    }
}
