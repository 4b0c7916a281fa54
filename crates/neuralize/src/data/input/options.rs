/// How a table is read, whatever kind of file holds it.
#[derive(Debug, Clone, Default)]
pub struct TableOptions {
    pub(super) delimiter: Option<u8>,
    pub(super) label: Option<String>,
    pub(super) dropped: Vec<String>,
    pub(super) selected: Option<Vec<String>>,
}

impl TableOptions {
    /// The character between the cells of a text file; by default a tab in
    /// `.tsv` and `.tab` files and a comma in all others.
    pub fn with_delimiter(mut self, delimiter: u8) -> Self {
        self.delimiter = Some(delimiter);
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

    /// The columns that are read, in this order; others are ignored. Columns of
    /// a NumPy array have no names: if there are as many as are selected, they
    /// are these, in their order.
    pub fn with_selected(mut self, columns: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.selected = Some(columns.into_iter().map(Into::into).collect());
        self
    }
}
