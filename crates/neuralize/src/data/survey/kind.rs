//! What a column is, and what is done with it.

use std::fmt;

use crate::data::encoding::{Column, Kind};
use crate::data::input::{Decimal, Place};
use crate::data::moments::is_constant;
use crate::data::scaler::quantile;
use crate::data::survey::column::{ColumnCells, Odd, is_flag};
use crate::data::survey::column_kind::ColumnKind;
use crate::text::Shown;

/// A column that a survey found, and what is done with it.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Found {
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: ColumnKind,
    /// Number of missing values; without those of rows that have no value at all, unless it is the only
    /// column.
    pub missing: usize,
    /// How it becomes a feature; `None` if it is left out.
    pub column: Option<Column>,
    /// Why it is left out, or what is remarkable, in words; may be empty.
    pub remark: String,
    /// What must be decided before anything can be fitted, in words.
    pub question: Option<String>,
    /// The row that has most of the variance of a column of numbers, if there is one and the others
    /// differ; `None` if the logarithm is taken.
    pub extreme: Option<Extreme>,
    /// Standard deviation of a number, of 1 for yes.
    pub(super) spread: f64,
}

/// A row that has more than nine tenths of the variance of a column.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Extreme {
    /// The row of the file, counted from 0.
    pub row: usize,
    /// Its share of the variance.
    pub share: f64,
    /// Whether all numbers have a logarithm of 1 + number.
    pub has_log: bool,
    /// Whether the quartiles of the column differ, so that they can scale it.
    pub has_range: bool,
}

/// What is known about a column besides its cells.
pub(super) struct Context {
    pub(super) name: String,
    /// What somebody says that it is.
    pub(super) stated: Option<ColumnKind>,
    /// Whether somebody asked for it by name.
    pub(super) is_asked: bool,
    /// Whether the file says that it is an index of rows.
    pub(super) is_index: bool,
    pub(super) is_first: bool,
    pub(super) obstacle: Option<String>,
    pub(super) log: bool,
}

/// Values that a category has, at most, unless somebody says that the column is one.
const MAX_VALUES: usize = 50;

/// So many rows are needed before the order of numbers means anything.
const ENOUGH_ROWS: usize = 10;

impl Found {
    pub(super) fn of(context: Context, cells: &ColumnCells) -> Self {
        let kind = context.kind(cells);
        let mut found = Self {
            name: context.name.clone(),
            kind,
            missing: cells.gaps(),
            column: None,
            remark: String::new(),
            question: None,
            extreme: None,
            spread: 0.0,
        };
        if context.log && kind != ColumnKind::Number {
            found.question = Some("there is no logarithm of what is not a number".into());
            return found;
        }
        match kind {
            ColumnKind::Number | ColumnKind::Date if context.is_feature(kind) => {
                found.take_number(&context, cells);
            }
            ColumnKind::Constant if cells.numbers == cells.present() => {
                found.take_number(&context, cells);
                found.remark = "one value: counts for nothing".into();
                found.spread = 0.0;
                if let Some(column) = &mut found.column {
                    column.constant = true;
                }
            }
            ColumnKind::Flag => found.take_flag(cells),
            ColumnKind::Category => found.take_category(&context, cells),
            ColumnKind::Mixed => found.ask_about_mixed(cells),
            _ => found.remark = context.reason(kind, cells),
        }
        found
    }

    fn take_number(&mut self, context: &Context, cells: &ColumnCells) {
        if cells.numbers < cells.present() {
            let what = match self.kind {
                ColumnKind::Date => "a date of the form 2024-12-31 or 31.12.2024",
                _ => "a number",
            };
            let advice = match cells.suggested_decimal() {
                Some(Decimal::Comma) => ", unless the decimal sign is a comma: `--decimal ,`",
                Some(_) => ", unless the decimal sign is a point: `--decimal .`",
                None => "",
            };
            self.question = Some(format!("{} is not {what}{advice}", first_text(cells)));
            return;
        }
        if context.log && cells.min <= -1.0 {
            let rule = "the logarithm of 1 + number needs numbers above -1";
            self.question = Some(format!("the smallest number is {}; {rule}", cells.min));
            return;
        }
        let kind = if self.kind == ColumnKind::Date { Kind::Date } else { Kind::Number };
        let sorted = cells.sorted();
        if self.kind == ColumnKind::Number && !context.log {
            self.extreme = Extreme::of(cells, &sorted);
        }
        let middle = quantile(&sorted, 0.5);
        let fill = if context.log { middle.ln_1p() } else { middle };
        let fill = fill.is_finite().then_some(fill);
        self.spread = if context.log { 1.0 } else { cells.variance().sqrt() };
        let percents = cells.percents > 0;
        let is_mixed = percents && cells.percents < cells.numbers;
        self.column = Some(Column {
            name: self.name.clone(),
            percent: (kind == Kind::Number && !is_mixed).then_some(percents),
            kind,
            fill,
            log: context.log,
            constant: false,
        });
        if let Some((one, other)) = cells.currencies() {
            self.remark = several_currencies(one, other);
        } else if let Some((form, text)) = &cells.forms {
            self.remark = format!("{form}, as in `{}`", Shown(text));
        }
    }

    fn take_flag(&mut self, cells: &ColumnCells) {
        if cells.no_flag.is_some() || !are_flags(cells) {
            let cell = placed(cells.no_flag.as_ref().or(cells.first_text.as_ref()));
            self.question = Some(format!("{cell} is neither yes nor no"));
            return;
        }
        let yes: usize = cells
            .value_counts()
            .iter()
            .filter(|(value, _)| is_yes(value))
            .map(|(_, count)| count)
            .sum();
        let share = yes as f64 / cells.present().max(1) as f64;
        self.spread = (share * (1.0 - share)).sqrt();
        let fill = Some(f64::from(u8::from(share > 0.5)));
        self.column = Some(Column { kind: Kind::Flag, fill, ..Column::number(&self.name) });
        self.remark = "yes or no".into();
    }

    fn take_category(&mut self, context: &Context, cells: &ColumnCells) {
        let counts = cells.value_counts();
        if cells.overflowed || counts.is_empty() {
            self.question = Some(format!("there are too many values: {}", context.counted(cells)));
            return;
        }
        let most = counts.iter().map(|(_, count)| *count).max().unwrap_or(0);
        let fill = counts.iter().position(|(_, count)| *count == most);
        let values: Vec<String> = counts.into_iter().map(|(value, _)| value).collect();
        self.remark = format!("category of {}", values.len());
        let fill = fill.map(|code| code as f64);
        let kind = Kind::Category { values };
        self.column = Some(Column { kind, fill, ..Column::number(&self.name) });
    }

    fn ask_about_mixed(&mut self, cells: &ColumnCells) {
        if let Some(text) = cells.either.as_ref().filter(|_| !cells.shows_decimal) {
            self.question = Some(format!(
                "`{}` is one number with a decimal comma and another with a decimal point; say `--decimal .` or `--decimal ,`",
                Shown(text)
            ));
            return;
        }
        if let (None, Some((one, other))) = (&cells.first_text, cells.currencies()) {
            self.question = Some(format!(
                "numbers have {}; say `--as {}=number` to take them as they are",
                several_currencies(one, other),
                Shown(&self.name)
            ));
            return;
        }
        if cells.first_text.is_none() {
            self.question = Some(format!(
                "{} of {} numbers have a per cent sign, and the others have none",
                cells.percents, cells.numbers
            ));
            return;
        }
        let (numbers, present) = (cells.numbers, cells.present());
        let first_other = cells.odd().iter().find(|odd| odd.is_other);
        if let (Some(other), Some(decimal)) = (first_other, cells.suggested_decimal()) {
            let texts = odd_texts(cells, |odd| !odd.is_other);
            self.question = Some(format!(
                "{} of {present} cells are numbers if the decimal sign is a {}, as in `{}`{}; if so, say `--decimal {}`",
                numbers + cells.other_numbers,
                decimal.word(),
                Shown(&other.text),
                texts.map_or(String::new(), |texts| format!(", but {texts}")),
                decimal.sign(),
            ));
            return;
        }
        if let Some(other) = first_other.filter(|_| numbers > 0 && cells.other_numbers > numbers) {
            let (own, usual) = (cells.decimal(), cells.decimal().other());
            self.question = Some(format!(
                "{numbers} of {present} cells are numbers with a decimal {}, but {} with a decimal {}, as in `{}` ({}); say \
                 `--decimal {}`, which names the cells to correct",
                own.word(),
                cells.other_numbers,
                usual.word(),
                Shown(&other.text),
                other.place,
                usual.sign(),
            ));
            return;
        }
        let with = match first_other {
            Some(_) => format!(" with a decimal {}", cells.decimal().word()),
            None => String::new(),
        };
        let texts = odd_texts(cells, |_| true)
            .unwrap_or_else(|| format!("{} is not a finite number", first_text(cells)));
        self.question =
            Some(format!("{numbers} of {present} cells are numbers{with}, but {texts}"));
    }
}

impl Extreme {
    fn of(cells: &ColumnCells, sorted: &[f64]) -> Option<Self> {
        const MOST: f64 = 0.9;
        let (row, share) = cells.farthest();
        // One number hides nothing where all others are equal.
        let (second, last) = (sorted.get(1)?, sorted.get(sorted.len().checked_sub(2)?)?);
        let has_range = quantile(sorted, 0.25) < quantile(sorted, 0.75);
        let has_log = cells.min > -1.0;
        (share > MOST && second < last).then_some(Self { row, share, has_log, has_range })
    }
}

/// The texts among numbers: `a` (line 3) is not a finite number.
fn odd_texts(cells: &ColumnCells, may: impl Fn(&Odd) -> bool) -> Option<String> {
    let odd: Vec<String> = cells
        .odd()
        .iter()
        .filter(|odd| may(odd))
        .map(|odd| format!("`{}` ({})", Shown(&odd.text), odd.place))
        .collect();
    let texts = odd.join(", ");
    match odd.len() {
        0 => None,
        1 => Some(format!("{texts} is not a finite number")),
        count if count < Odd::KEPT => Some(format!("{texts} are not finite numbers")),
        _ => Some(format!("{texts} and perhaps more are not finite numbers")),
    }
}

fn first_text(cells: &ColumnCells) -> String {
    placed(cells.first_text.as_ref())
}

/// A cell and where it is.
fn placed(cell: Option<&(Place, String)>) -> String {
    match cell {
        Some((place, text)) => format!("`{}` ({place})", Shown(text)),
        None => "one".into(),
    }
}

fn several_currencies(one: &str, other: &str) -> String {
    format!("several currencies, as in `{}` and `{}`", Shown(one), Shown(other))
}

/// Whether all values are words for yes and no, or 1 and 0.
fn are_flags(cells: &ColumnCells) -> bool {
    !cells.overflowed && cells.value_counts().iter().all(|(value, _)| is_flag(value))
}

fn is_yes(value: &str) -> bool {
    value == "1" || crate::data::input::flag(value) == Some(true)
}

impl Context {
    /// Whether the column is a feature although it might be something else.
    fn is_feature(&self, kind: ColumnKind) -> bool {
        kind == ColumnKind::Number || self.is_asked || self.stated == Some(kind)
    }

    fn kind(&self, cells: &ColumnCells) -> ColumnKind {
        let (present, numbers) = (cells.present(), cells.numbers);
        if self.obstacle.is_some() {
            return ColumnKind::Unreadable;
        }
        if let Some(stated) = self.stated {
            return stated;
        }
        if present == 0 {
            return ColumnKind::Empty;
        }
        let has_no_name = is_index_name(&self.name);
        if !self.is_asked && (self.is_index || has_no_name) {
            return ColumnKind::Identifier;
        }
        // Rows without any value are left out.
        if !self.is_asked && 2 * (cells.missing - cells.blank) > cells.rows - cells.blank {
            return ColumnKind::Empty;
        }
        // Numbers with another decimal sign, of several currencies, or only some of which are per cent.
        let odd = cells.other_numbers > 0 && cells.other_numbers + numbers == present
            || cells.other_decimals > 0 && 2 * (cells.other_decimals + numbers) >= present;
        let either = cells.either.is_some() && !cells.shows_decimal;
        let currencies = cells.currencies().is_some() && 2 * numbers >= present;
        if odd || either || currencies || cells.percents > 0 && cells.percents < numbers {
            return ColumnKind::Mixed;
        }
        if cells.days == present {
            return ColumnKind::Date;
        }
        if numbers == present {
            return self.kind_of_numbers(cells);
        }
        if cells.flags > 0 && cells.texts.len() <= 8 && are_flags(cells) {
            let one = cells.value_counts().len() == 1;
            return if one { ColumnKind::Constant } else { ColumnKind::Flag };
        }
        if 2 * numbers >= present || cells.is_infinite {
            return ColumnKind::Mixed;
        }
        self.kind_of_texts(cells)
    }

    fn kind_of_numbers(&self, cells: &ColumnCells) -> ColumnKind {
        let (min, max) = (cells.min, cells.max);
        if is_constant(min, max, f64::EPSILON) && cells.present() > 1 {
            return ColumnKind::Constant;
        }
        let all_different = cells.all_different();
        if self.is_asked || !cells.whole || !all_different {
            return ColumnKind::Number;
        }
        let enough = cells.present() >= ENOUGH_ROWS;
        let consecutive = max - min + 1.0 == cells.present() as f64;
        let ordered = cells.ascending || cells.descending;
        let is_named = match IdName::of(&self.name) {
            IdName::None => false,
            IdName::Clear => true,
            IdName::Whole => enough || ordered,
            // Prices and counts have such names, too: numbers of rows are close to one another or
            // in order (which an index of prices may be, too), others are long, of as many digits.
            IdName::LastWord => {
                let close = max - min < 2.0 * cells.present() as f64;
                let digits = |value: f64| value.log10().floor();
                let alike = min >= 1e4 && digits(min) == digits(max);
                let is_index = self.name.to_lowercase().ends_with("index");
                enough && (close || ordered && !is_index) || alike && !is_index
            }
        };
        if is_named || enough && (consecutive || self.is_first && ordered) {
            return ColumnKind::Identifier;
        }
        ColumnKind::Number
    }

    fn kind_of_texts(&self, cells: &ColumnCells) -> ColumnKind {
        let (present, different) = (cells.present(), cells.n_different());
        match different {
            1 => ColumnKind::Constant,
            _ if self.is_asked => ColumnKind::Category,
            _ if cells.overflowed => ColumnKind::Text,
            _ if different <= MAX_VALUES && 2 * different <= present => ColumnKind::Category,
            _ if cells.all_different() => ColumnKind::Identifier,
            _ => ColumnKind::Text,
        }
    }

    /// Why a column is left out.
    fn reason(&self, kind: ColumnKind, cells: &ColumnCells) -> String {
        match kind {
            ColumnKind::Unreadable => self.obstacle.clone().unwrap_or_default(),
            _ if self.stated == Some(ColumnKind::Identifier) => "an identifier, as you said".into(),
            // Of texts, there is more to say.
            _ if self.stated == Some(ColumnKind::Text)
                && (cells.numbers > 0 || cells.present() == 0) =>
            {
                "text, as you said".into()
            }
            ColumnKind::Empty if cells.missing < cells.rows => {
                let (missing, rows) = (cells.missing - cells.blank, cells.rows - cells.blank);
                format!("{missing} of {rows} values are missing")
            }
            ColumnKind::Empty => "no value".into(),
            ColumnKind::Date => "dates".into(),
            ColumnKind::Constant => "one value".into(),
            ColumnKind::Identifier if self.may_be_index(cells) => "an index of rows".into(),
            ColumnKind::Identifier if self.name.is_empty() => "not named in the header".into(),
            ColumnKind::Identifier if is_index_name(&self.name) => {
                "had no name when pandas read it".into()
            }
            ColumnKind::Identifier if cells.numbers == cells.present() => {
                "whole numbers that are all different, such as an identifier".into()
            }
            _ => self.counted(cells),
        }
    }

    /// Whether a column without a name is an index: it comes first, and tells all rows apart.
    fn may_be_index(&self, cells: &ColumnCells) -> bool {
        let is_like_one = self.is_first && cells.whole && cells.all_different();
        self.is_index
            || self.name.starts_with("__index_level_")
            || is_index_name(&self.name) && is_like_one
    }

    fn counted(&self, cells: &ColumnCells) -> String {
        let different = cells.n_different();
        match cells.present() {
            1 => "1 text".to_owned(),
            present if cells.all_different() => format!("{present} texts that are all different"),
            _ if different == 1 => "one text".to_owned(),
            _ => format!("{different} different texts"),
        }
    }
}

/// A name that other programs give to the index of rows.
fn is_index_name(name: &str) -> bool {
    name.is_empty() || name.starts_with("__index_level_") || name.starts_with("Unnamed: ")
}

/// How much a name says that a column is an identifier.
#[derive(Debug, Clone, Copy, PartialEq)]
enum IdName {
    None,
    /// It ends with a word that counts and answers have, too: `phone_no`, `price index`.
    LastWord,
    /// It is such a word: `No`, `index`.
    Whole,
    /// `id`, `customer_id`, `PassengerId`, `row_nr`.
    Clear,
}

impl IdName {
    fn of(name: &str) -> Self {
        const CLEAR: [&str; 11] = [
            "id",
            "ids",
            "identifier",
            "idx",
            "nr",
            "key",
            "uuid",
            "guid",
            "rownames",
            "row",
            "sno",
        ];
        const OTHERS: [&str; 3] = ["no", "number", "index"];
        let lower = name.to_lowercase();
        let words: Vec<&str> = lower.split([' ', '_', '-', '.', '#']).collect();
        let words: Vec<&str> = words.into_iter().filter(|word| !word.is_empty()).collect();
        let camel = name.ends_with("Id") || name.ends_with("ID");
        if camel || words.iter().any(|word| CLEAR.contains(word)) {
            return Self::Clear;
        }
        let is_answer =
            words.contains(&"yes") || words.iter().filter(|word| **word == "no").count() > 1;
        match words.as_slice() {
            [only] if OTHERS.contains(only) => Self::Whole,
            [.., last] if OTHERS.contains(last) && !is_answer => Self::LastWord,
            _ => Self::None,
        }
    }
}

impl fmt::Display for Found {
    /// `name (8 missing: median; remark)`
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = if self.name.is_empty() { "(no name)" } else { self.name.as_str() };
        write!(f, "{}", Shown(name))?;
        let mut remarks = Vec::new();
        if self.column.is_some() && self.missing > 0 {
            remarks.push(format!("{} missing", self.missing));
        }
        if !self.remark.is_empty() {
            remarks.push(self.remark.clone());
        }
        if remarks.is_empty() { Ok(()) } else { write!(f, " ({})", remarks.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_identifiers() {
        for (name, expected) in [
            ("customer_id", IdName::Clear),
            ("PassengerId", IdName::Clear),
            ("identifier", IdName::Clear),
            ("Row-Nr.", IdName::Clear),
            ("No.", IdName::Whole),
            ("index", IdName::Whole),
            ("phone_no", IdName::LastWord),
            ("price index", IdName::LastWord),
            ("Number of employees", IdName::None),
            ("index of prices", IdName::None),
            ("smoking_yes_cancer_no", IdName::None),
            ("smoking_no_cancer_no", IdName::None),
            ("yes_no_ratio", IdName::None),
            ("casino", IdName::None),
            ("", IdName::None),
        ] {
            assert_eq!(IdName::of(name), expected, "{name}");
        }
    }
}
