//! Options of reading a table.

/// Options of reading a table, whatever kind of file holds it.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    pub(super) delimiter: Option<u8>,
    pub(super) label: Option<String>,
    pub(super) dropped: Vec<String>,
    pub(super) selected: Option<Vec<String>>,
}

impl TableOptions {
    /// Sets the character between the cells of a text file. The default is a tab for
    /// `.tsv` and `.tab` files and a comma for all others.
    pub fn with_delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = Some(delimiter);
        self
    }

    /// Names the column of labels, which may be any text.
    pub fn with_label(mut self, column: impl Into<String>) -> Self {
        self.label = Some(column.into());
        self
    }

    /// Leaves out a column. Call it again for further columns.
    pub fn with_dropped(mut self, column: impl Into<String>) -> Self {
        self.dropped.push(column.into());
        self
    }

    /// Reads only these columns, in this order. The columns of a NumPy array have no
    /// names: if it has as many columns as are selected, they take the selected
    /// names in their order.
    pub fn with_selected(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.selected = Some(columns.into_iter().map(Into::into).collect());
        self
    }
}
