//! Options of reading a table.

use crate::data::encoding::{Encoding, Kind};
use crate::data::input::Decimal;
use crate::data::input::dialect::Kept;

/// Options of reading a table, whatever kind of file holds it.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    pub(super) delimiter: Option<u8>,
    pub(super) decimal: Option<Decimal>,
    pub(super) header: Option<bool>,
    pub(super) text_encoding: Option<String>,
    pub(super) skipped: usize,
    pub(super) sheet: Option<String>,
    pub(super) missing_values: Vec<String>,
    pub(super) label: Option<String>,
    pub(super) id: Option<String>,
    pub(super) id_is_optional: bool,
    pub(super) dropped: Vec<String>,
    pub(super) selected: Option<Vec<String>>,
    pub(super) encoding: Option<Encoding>,
}

impl TableOptions {
    /// Sets the character between the cells of a text file. By default it is found from the first
    /// lines: a comma, a semicolon, a tab or a vertical bar.
    pub fn with_delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// Sets the decimal sign of numbers that are text. By default it is that of the encoding, if it has
    /// one; else it is found from the first lines of a text file, and elsewhere it is a point.
    pub fn with_decimal(mut self, decimal: Decimal) -> Self {
        self.decimal = Some(decimal);
        self
    }

    /// Sets the encoding of a text file by its name on the web, such as `latin1` or `utf-16le`. By
    /// default it is UTF-8, or UTF-16 with a byte order mark, or Windows-1252 if it is not UTF-8.
    pub fn with_text_encoding(mut self, name: impl Into<String>) -> Self {
        self.text_encoding = Some(name.into());
        self
    }

    /// Says whether the first line of a text file or the first row of a sheet names the columns; if
    /// not, they are `x0`, `x1`, …. By default it does, and a first line of numbers is an error.
    pub fn with_header(mut self, header: bool) -> Self {
        self.header = Some(header);
        self
    }

    /// Leaves out so many lines at the beginning of a text file, or rows of a sheet.
    pub fn with_skipped(mut self, lines: usize) -> Self {
        self.skipped = lines;
        self
    }

    /// Names the sheet of a workbook, or gives its number, counted from 1. By default it is the first
    /// that has cells.
    pub fn with_sheet(mut self, sheet: impl Into<String>) -> Self {
        self.sheet = Some(sheet.into());
        self
    }

    /// Says that a value, such as `-99` or `n/d`, stands for a missing one in all columns. Call it
    /// again for further values.
    pub fn with_missing_value(mut self, value: impl Into<String>) -> Self {
        self.missing_values.push(value.into());
        self
    }

    /// Names the column of labels, which may be any text.
    pub fn with_label(mut self, column: impl Into<String>) -> Self {
        self.label = Some(column.into());
        self
    }

    /// Names the column that names the rows.
    pub fn with_id(mut self, column: impl Into<String>) -> Self {
        self.id = Some(column.into());
        self.id_is_optional = false;
        self
    }

    /// Names the column that names the rows, if the file has it.
    pub(crate) fn with_optional_id(mut self, column: impl Into<String>) -> Self {
        self.id = Some(column.into());
        self.id_is_optional = true;
        self
    }

    /// Leaves out all columns of a name, or of several names separated by commas. Call it again for
    /// further columns.
    pub fn with_dropped(mut self, column: impl Into<String>) -> Self {
        self.dropped.push(column.into());
        self
    }

    /// Reads only these columns, in this order; a name may be a list of names separated by commas.
    /// The columns of a NumPy array have no names: if it has as many columns as are selected, they take the selected
    /// names in their order.
    pub fn with_selected(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.selected = Some(columns.into_iter().map(Into::into).collect());
        self
    }

    /// Reads the columns of an encoding, and turns them into features by it. By default all columns
    /// are numbers.
    pub fn with_encoding(mut self, encoding: Encoding) -> Self {
        self.encoding = Some(encoding);
        self
    }

    /// Names of the columns that are read, if they are named.
    pub(super) fn wanted(&self) -> Option<Vec<String>> {
        let of_encoding = self
            .encoding
            .as_ref()
            .map(|encoding| encoding.columns.iter().map(|column| column.name.clone()).collect());
        of_encoding.or_else(|| self.selected.clone())
    }

    /// What stands for a missing value, by these options and by the encoding.
    pub(in crate::data) fn missing_values(&self) -> Vec<String> {
        let of_encoding = self.encoding.iter().flat_map(|encoding| &encoding.missing_values);
        let mut values: Vec<String> = of_encoding.chain(&self.missing_values).cloned().collect();
        values.sort();
        values.dedup();
        values
    }

    /// The decimal sign that is named by these options, or by the encoding.
    pub(in crate::data) fn named_decimal(&self) -> Option<Decimal> {
        self.decimal.or_else(|| self.encoding.as_ref()?.decimal)
    }

    /// The decimal sign that an encoding keeps, unless these options name one.
    pub(super) fn kept_decimal(&self) -> Option<Kept> {
        let encoding = self.encoding.as_ref().filter(|_| self.decimal.is_none())?;
        let numbers = encoding.columns.iter().filter(|column| column.kind == Kind::Number);
        let columns = numbers.map(|column| column.name.clone()).collect();
        Some(Kept { decimal: encoding.decimal?, columns })
    }

    /// Whether columns were selected by their names.
    pub(in crate::data) fn selects(&self) -> bool {
        self.selected.is_some()
    }
}
