//! A cell of a file, whatever kind of file holds it.

use crate::text;

/// A cell as its file holds it.
#[derive(Debug, Clone, Copy)]
pub(in crate::data) enum Cell<'a> {
    /// A null.
    Missing,
    /// A number; NaN is a missing value.
    Number(f64),
    /// A number of a column of integers.
    Whole(f64),
    Flag(bool),
    /// A date or a time, in days since 1970.
    Day(f64),
    /// Text, which may stand for a number or for a missing value.
    Text(&'a str),
}

impl Cell<'_> {
    /// Its text, where it is a label or the name of a row.
    pub(in crate::data) fn text(self) -> String {
        match self {
            Self::Missing => String::new(),
            Self::Number(value) | Self::Whole(value) | Self::Day(value) if value.is_nan() => {
                String::new()
            }
            Self::Number(value) | Self::Whole(value) => value.to_string(),
            Self::Flag(true) => "True".to_owned(),
            Self::Flag(false) => "False".to_owned(),
            Self::Day(days) => text::date(days),
            Self::Text(text) => text.to_owned(),
        }
    }
}

/// Where a row is in its file.
#[derive(Debug, Clone, Copy)]
pub(in crate::data) enum Place {
    /// Counted from 1.
    Line(u64),
    /// Counted from 0.
    Row(u64),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Line(line) => write!(f, "line {line}"),
            Self::Row(row) => write!(f, "row {row} (counted from 0)"),
        }
    }
}
