//! Whether the first line of a table names its columns.

use csv::StringRecord;

use crate::data::input::number::{Decimal, is_missing, number};

/// Whether a number can be read from the cell, with one decimal sign or the other.
pub(super) fn is_number(cell: &str) -> bool {
    number(cell, Decimal::Point).is_some() || number(cell, Decimal::Comma).is_some()
}

/// An error if the first line may be a row, as the user does not say; a note if it looks like one but
/// is taken for the names.
pub(super) fn check_names(
    first: &StringRecord,
    next: Option<&StringRecord>,
) -> Result<Option<String>, String> {
    let numbers = first.iter().filter(|cell| is_number(cell)).count();
    if numbers == 0 || is_numbered(first) {
        return Ok(None);
    }
    if first.iter().all(|cell| is_number(cell) || is_missing(cell)) {
        return Err("the first line holds numbers; say `--header yes` if it names the columns, \
                    `--header no` if it is a row"
            .to_owned());
    }
    let alike = |next: &StringRecord| {
        let same = |(a, b)| is_number(a) == is_number(b);
        next.len() == first.len() && next.iter().zip(first).all(same)
    };
    let note = "the first line is taken for the names of the columns, though it looks like a row; \
                say `--header no` if it is one";
    Ok(next.is_some_and(alike).then(|| note.to_owned()))
}

/// Exported arrays without names have columns numbered from 0, after a row index without a name.
fn is_numbered(first: &StringRecord) -> bool {
    let index = usize::from(first.get(0) == Some(""));
    let is = |(at, name): (usize, &str)| *name == *at.to_string();
    first.len() - index > 2 && first.iter().skip(index).enumerate().all(is)
}
