//! Kinds of columns.

/// What the cells of a column are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ColumnKind {
    /// Numbers.
    Number,
    /// True or false, yes or no.
    Flag,
    /// One of a few values.
    Category,
    /// Dates or times.
    Date,
    /// A name or number of the row: an index of another program, or values that are all different.
    Identifier,
    /// One value.
    Constant,
    /// Texts of which there are too many to be categories.
    Text,
    /// No value, or none in more than half of the rows.
    Empty,
    /// Numbers and something else.
    Mixed,
    /// Cells that cannot be read, such as lists.
    Unreadable,
}

impl std::str::FromStr for ColumnKind {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        Ok(match text {
            "number" => Self::Number,
            "flag" => Self::Flag,
            "category" => Self::Category,
            "date" => Self::Date,
            "id" => Self::Identifier,
            "text" => Self::Text,
            _ => return Err("give number, flag, category, date, id or text".into()),
        })
    }
}
