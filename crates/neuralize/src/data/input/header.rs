//! Whether the first line of a table names its columns.

use std::collections::HashSet;

use csv::StringRecord;

use crate::data::input::number::{Decimal, Form, is_missing, number};
use crate::text::Shown;

/// So many rows are compared with the first line, cell by cell.
pub(super) const COMPARED: usize = 50;

/// So many numbers are hardly in order by chance.
const MANY: usize = 8;

/// What to say where the first line may be either.
const CHOICE: &str = "say `--header yes` if it names the columns, `--header no` if it is a row";

/// Whether a number can be read from the cell, with one decimal sign or the other.
pub(super) fn is_number(cell: &str) -> bool {
    number(cell, Decimal::Point).is_some() || number(cell, Decimal::Comma).is_some()
}

/// An error if the first line may be a row, as the user does not say; a note if it looks like one but
/// is taken for the names.
pub(super) fn check_names(
    first: &StringRecord,
    rows: &[StringRecord],
) -> Result<Option<String>, String> {
    if is_numbered(first) {
        return Ok(Some(numbered_note(first)));
    }
    if let Some(value) = repeated_gap(first) {
        return Err(format!(
            "the first line looks like a row: it has `{}` more than once; {CHOICE}",
            Shown(value)
        ));
    }
    if let Some(value) = recurring(first, rows) {
        return Err(format!(
            "the first line looks like a row: `{}` and other cells of it are also values of their columns; {CHOICE}",
            Shown(value)
        ));
    }
    let Some(shown) = first.iter().find(|cell| is_number(cell)) else { return Ok(None) };
    if first.iter().all(|cell| is_number(cell) || is_missing(cell)) {
        return Err(format!("the first line holds numbers; {CHOICE}"));
    }
    let rows = &rows[..rows.len().min(COMPARED)];
    if !is_alike(first, rows) {
        return check_mixed(first, rows);
    }
    if are_years(first, rows) {
        return Ok(Some(taken_for_names()));
    }
    Err(numbers_error(shown))
}

fn numbers_error(number: &str) -> String {
    format!(
        "the first line looks like a row: it has numbers, such as `{}`, where the rows have them; {CHOICE}",
        Shown(number)
    )
}

fn taken_for_names() -> String {
    "the first line is taken for the names of the columns, though it looks like a row; say `--header no` if it \
     is one"
        .to_owned()
}

/// The note of names that count from 0: they may be a row of answers.
fn numbered_note(first: &StringRecord) -> String {
    const SHOWN: usize = 3;
    let names = || first.iter().filter(|name| !name.is_empty());
    let shown: Vec<String> = names().take(SHOWN).map(|name| format!("`{}`", Shown(name))).collect();
    let more = if names().count() > SHOWN { ", …" } else { "" };
    format!(
        "the first line, {}{more}, is taken for names; say `--header no` if it is a row",
        shown.join(", ")
    )
}

/// The same for a line that has texts as well as numbers in columns of numbers: where there are as many
/// numbers, a row may have a text that no other has; where there are more texts, they are names.
fn check_mixed(first: &StringRecord, rows: &[StringRecord]) -> Result<Option<String>, String> {
    let (mut numbers, mut texts) = (Vec::new(), 0);
    for (at, cell) in first.iter().enumerate().filter(|(_, cell)| !is_missing(cell)) {
        let below = rows.iter().filter(|row| row.len() == first.len());
        let mut below =
            below.filter_map(|row| row.get(at)).filter(|cell| !is_missing(cell)).peekable();
        let Some(below_first) = below.peek().copied() else { continue };
        if !below.all(is_number) {
            continue;
        }
        if is_number(cell) && signs(cell) == signs(below_first) {
            numbers.push(cell);
        } else {
            texts += 1;
        }
    }
    let Some(shown) = numbers.first() else { return Ok(None) };
    let years = are_years(first, rows);
    if years && follow_yearly(first) || are_places(&numbers) {
        return Ok(None);
    }
    if years || are_steps(&numbers) || texts > numbers.len() || are_ascending(&numbers) {
        return Ok(Some(taken_for_names()));
    }
    Err(numbers_error(shown))
}

/// Whether a number has a currency or a per cent sign.
fn signs(cell: &str) -> Option<(bool, bool)> {
    let (_, Form { currency, percent, .. }) =
        number(cell, Decimal::Point).or_else(|| number(cell, Decimal::Comma))?;
    Some((currency, percent))
}

/// The numbers of all cells, with one decimal sign or the other.
fn values(cells: &[&str]) -> Option<Vec<f64>> {
    let read = |decimal| -> Option<Vec<f64>> {
        cells.iter().map(|cell| Some(number(cell, decimal)?.0)).collect()
    };
    read(Decimal::Point).or_else(|| read(Decimal::Comma))
}

/// Whether the numbers of the first line, which are years, are one after the other, as columns of years
/// have them. One alone is a name if most cells are names.
fn follow_yearly(first: &StringRecord) -> bool {
    let numbers: Vec<&str> = first.iter().filter(|cell| is_number(cell)).collect();
    let names = first.iter().filter(|cell| !is_missing(cell) && !is_number(cell)).count();
    numbers.len() > usize::from(names <= 1)
        && values(&numbers).is_some_and(|values| are_consecutive(&values))
}

/// Whether many numbers count from 0, as programs number columns. Three may be answers: 0, 1, 2.
fn are_places(cells: &[&str]) -> bool {
    let values = values(cells).filter(|values| values.len() >= MANY);
    values.is_some_and(|values| values[0] == 0.0 && are_consecutive(&values))
}

fn are_consecutive(values: &[f64]) -> bool {
    values.windows(2).all(|pair| pair[1] - pair[0] == 1.0)
}

/// Whether three numbers or more count, or go on by another step: 0, 1, 2 or 0.25, 0.5, 0.75.
fn are_steps(cells: &[&str]) -> bool {
    let Some(values) = values(cells) else { return false };
    let [first, second, _, ..] = values[..] else { return false };
    let step = second - first;
    step > 0.0 && values.windows(2).all(|pair| (pair[1] - pair[0] - step).abs() <= 1e-9 * step)
}

/// Whether many numbers ascend, as wavelengths do: in a row that would be a chance.
fn are_ascending(cells: &[&str]) -> bool {
    let values = values(cells).filter(|values| values.len() >= MANY);
    values.is_some_and(|values| values.windows(2).all(|pair| pair[0] < pair[1]))
}

/// Whether the first line has one cell, and the rows have cells behind it: it may be a title. Columns
/// before it may be an index without a name.
pub(super) fn may_be_title(first: &StringRecord, rows: &[StringRecord]) -> bool {
    let mut named =
        (0..first.len()).filter(|at| first.get(*at).is_some_and(|cell| !cell.is_empty()));
    let (Some(at), None) = (named.next(), named.next()) else { return false };
    let has_more = |row: &StringRecord| row.iter().skip(at + 1).any(|cell| !cell.is_empty());
    at + 1 < first.len() && rows.iter().any(has_more)
}

/// The error of a first line that may be a title; the names would be behind `above` lines.
pub(super) fn title_error(first: &StringRecord, above: usize) -> String {
    let title = first.iter().find(|cell| !cell.is_empty()).unwrap_or_default();
    format!(
        "the first line has one cell, `{}`, the rows have more; say `--skip {above}` if it is a title, `--header yes` \
         if it names the columns, `--header no` if it is a row",
        Shown(title)
    )
}

/// Whether most rows have numbers where the first line has them, and only there. A missing cell may
/// be either.
fn is_alike(first: &StringRecord, rows: &[StringRecord]) -> bool {
    let fits = |(at, cell): (usize, &str)| {
        let below = rows.iter().filter(|row| row.len() == first.len());
        let below: Vec<bool> = below
            .filter_map(|row| row.get(at).filter(|cell| !is_missing(cell)).map(is_number))
            .collect();
        let numbers = below.iter().filter(|is_number| **is_number).count();
        let most_are = 2 * numbers > below.len() || 2 * numbers == below.len() && is_number(cell);
        is_missing(cell) || below.is_empty() || most_are == is_number(cell)
    };
    rows.iter().any(|row| row.len() == first.len()) && first.iter().enumerate().all(fits)
}

/// Whether the numbers of the first line are different years, and those below them are none.
fn are_years(first: &StringRecord, rows: &[StringRecord]) -> bool {
    let is_year = |cell: &str| cell.parse().is_ok_and(|year: u32| (1800..2200).contains(&year));
    let mut seen = HashSet::new();
    let numbers: Vec<usize> =
        (0..first.len()).filter(|at| first.get(*at).is_some_and(is_number)).collect();
    let is_name =
        |at: &usize| first.get(*at).is_some_and(|cell| is_year(cell) && seen.insert(cell));
    if !numbers.iter().all(is_name) {
        return false;
    }
    let below = || numbers.iter().flat_map(|at| rows.iter().filter_map(|row| row.get(*at)));
    let years = below().filter(|cell| is_year(cell)).count();
    2 * years < below().filter(|cell| is_number(cell)).count().max(1)
}

/// A word for a missing value that the first line has twice: `NA`, but not the `Na` of sodium.
fn repeated_gap(first: &StringRecord) -> Option<&str> {
    let mut seen = HashSet::new();
    let mut gaps = first.iter().filter(|cell| !cell.is_empty() && is_missing(cell));
    gaps.find(|cell| !seen.insert(*cell))
}

/// A cell of the first line, if more than half of them are also values of their columns. Lines that
/// repeat the first do not count.
fn recurring<'r>(first: &'r StringRecord, rows: &[StringRecord]) -> Option<&'r str> {
    let known = || first.iter().enumerate().filter(|(_, cell)| !is_missing(cell));
    let mut left: Vec<(usize, &str)> = known().collect();
    let (all, mut found) = (left.len(), None);
    for row in rows.iter().filter(|row| *row != first) {
        left.retain(|(at, cell)| {
            let is_value = row.get(*at) == Some(*cell);
            if is_value && !is_number(cell) {
                found.get_or_insert(*cell);
            }
            !is_value
        });
        if 2 * (all - left.len()) > all {
            return found;
        }
    }
    None
}

/// Exported arrays without names have columns numbered from 0, after a row index without a name.
fn is_numbered(first: &StringRecord) -> bool {
    let index = usize::from(first.get(0) == Some(""));
    let is = |(at, name): (usize, &str)| *name == *at.to_string();
    first.len() - index > 2 && first.iter().skip(index).enumerate().all(is)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn records(text: &str) -> (StringRecord, Vec<StringRecord>) {
        let mut records = text.lines().map(|line| line.split(',').collect::<StringRecord>());
        (records.next().expect("a first line"), records.collect())
    }

    fn checked(text: &str) -> Result<Option<String>, String> {
        let (first, rows) = records(text);
        check_names(&first, &rows)
    }

    #[test]
    fn a_first_line_like_the_rows_is_asked_about() {
        for (text, shows) in [
            // The next row has a hole, or the first has.
            ("A,40.3,18,f\nA,NA,NA,NA\nB,36.7,19.3,m", "`40.3`"),
            ("oak,,3\nelm,2,\nash,4,5", "`3`"),
            ("oak,7\nelm,", "`7`"),
            ("A,NA,NA,2007\nB,1.5,2.5,2008", "`NA` more than once"),
            // Rows of words have some of them again.
            ("p,x,s\ne,x,s\np,b,y", "`x` and other cells"),
            ("Anna,red,yes\nBert,red,no\nCarl,blue,yes", "other cells"),
            // Years above years.
            ("Chad,2019\nMali,2020", "`2019`"),
            // Texts above texts, and numbers above numbers.
            ("red,1.5,2.5\nblue,2.0,3.1\ngreen,4.0,1.5", "`1.5`"),
            // A text above numbers, in a row of numbers.
            ("n/d,1.5\n3.5,2.5\n4.5,1.5", "`1.5`"),
            ("A,n/d,18,f\nB,36.7,19.3,m\nC,39.5,18,f", "`18`"),
            ("n/d,7%,1\n3,8%,9\n4,9%,5", "`7%`"),
            ("x,1\n5,2\n6,3", "`1`"),
            ("x,1,2\n5,2,7\n6,3,9", "`1`"),
            // One odd row among many.
            ("oak,7\nelm,tall\nash,3\nfir,4", "`7`"),
        ] {
            let asked = checked(text).expect_err(text);
            assert!(asked.contains(shows) && asked.ends_with(CHOICE), "{text}: {asked}");
        }
        for text in [
            "name,size,kind\noak,7,tree\nelm,5,tree",
            "RI,Na,NA\n1,2,3\n4,5,6",
            "kind,colour\nbox,red\nbox,blue",
            "kind,colour\nkind,colour\nbox,blue",
            "x,y,z\nx,1,2\nu,3,4",
            ",a\n0,1.5",
            "price,5%\n7,8\n9,10",
            "a",
        ] {
            assert_eq!(checked(text), Ok(None), "{text}");
        }
        // Many numbers that count from 0, and years, above numbers.
        for text in [
            "label,0,1,2,3,4,5,6,7\n5,0,16,3,1,0,0,2,9\n7,8,0,1,4,2,7,3,3",
            "id,2019,2020\n1,1.5,7\n2,2.5,8",
            // The rows have words in that column, too.
            "x,1,b\n5,2,7\n6,low,9",
        ] {
            assert_eq!(checked(text), Ok(None), "{text}");
        }
        // Years name columns of other numbers, and one number among names may be a name.
        // Equal steps may be those of names, or answers of a row.
        for text in [
            "label,0,1,2\n5,0,16,3\n7,8,0,1",
            "n/d,1,2,3\n4,2,5,1\n3,5,1,4",
            "n/d,1,2,3,4,5,6,7,8\n4,2,5,1,6,8,7,3,1\n3,5,1,4,2,6,7,8,2",
            "id,0.25,0.5,0.75\n1,2,3,4\n2,3,4,5",
            "n/d,1850,1900\n4,3000,1200\n5,900,700",
            "id,2019\n1,1.5\n2,2.5",
            "country,2019,2020\nChad,1.5,\nMali,2.5,7",
            "a,b,0\n1,2,3\n4,5,6",
            "id,400.1,402,405,406,407,411,412,419\n1,2,3,4,5,6,7,8,9\n2,3,4,5,6,7,8,9,1",
        ] {
            let noted = checked(text).expect("no question");
            assert!(noted.is_some_and(|note| note.contains("--header no")), "{text}");
        }
    }

    #[test]
    fn names_that_count_from_0_are_noted() {
        for (text, names) in [
            ("0,1,2\n5,7,2\n0,1,2", "`0`, `1`, `2`"),
            (",0,1,2\n0,5,7,2", "`0`, `1`, `2`"),
            ("0,1,2,3\n5,7,2,1", "`0`, `1`, `2`, …"),
        ] {
            let expected = format!(
                "the first line, {names}, is taken for names; say `--header no` if it is a row"
            );
            assert_eq!(checked(text), Ok(Some(expected)), "{text}");
        }
        // Two may be anything.
        assert!(checked("0,1\n5,7").is_err());
    }

    #[test]
    fn numbers_with_either_decimal_sign_are_compared() {
        let noted = |text: &str| {
            let cells = |line: &str| line.split(';').collect::<StringRecord>();
            let mut lines = text.lines().map(cells);
            let first = lines.next().expect("a first line");
            check_names(&first, &lines.collect::<Vec<_>>())
        };
        // The last step is another one: the line may be a row.
        let asked = noted("n/d;0;1;2;7,5\n3,5;1;4;2;2,5\n4,5;2;1;3;1,5").expect_err("a question");
        assert!(asked.contains("`0`") && asked.ends_with(CHOICE), "{asked}");
        let note = noted("id;0,5;0,75;1,0\n1;2;3;4\n2;3;4;5").expect("no question");
        assert!(note.is_some_and(|note| note.contains("--header no")));
        // No sign reads all of them.
        assert_eq!(values(&["0.5", "1", "1,5"]), None);
    }

    #[test]
    fn a_title_is_the_only_cell_of_its_line() {
        let is_title = |text: &str| {
            let (first, rows) = records(text);
            may_be_title(&first, &rows)
        };
        for text in ["Sales 2024,,\n,,\na,b,c\n1,2,3", ",Sales,\na,b,c", "Sales,\na,b\n1,2"] {
            assert!(is_title(text), "{text}");
        }
        // An index without a name; separators behind the last cell; one column.
        for text in [",a\n0,1", ",,a\n0,1,2", "a,\n1,\n2,", "a\n1", "a,b,\n1,2,3", ",,\n1,2,3"] {
            assert!(!is_title(text), "{text}");
        }
        let (first, _) = records("Sales\u{1b},,");
        let asked = title_error(&first, 3);
        assert!(asked.contains("`Sales\\u{1b}`") && asked.contains("`--skip 3`"), "{asked}");
    }
}
