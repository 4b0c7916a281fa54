//! How the columns of a file become the features of a model.

use std::borrow::Cow;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::data::input::{Cell, Decimal, flag, is_missing, number};
use crate::text;

/// How the columns of a file become features: numbers, yes or no, categories, dates; and what
/// stands for a missing value. A [`Survey`](crate::data::Survey) finds one, a model keeps it, and
/// [`TableOptions::with_encoding`](crate::data::TableOptions::with_encoding) reads a table by it.
///
/// | kind | features |
/// |---|---|
/// | number | one, the number (or the logarithm of 1 + number) |
/// | flag | one: 0 for false or no, 1 for true or yes |
/// | category | one for every value: 1 where the cell has that value, otherwise 0 |
/// | date | one: days since 1970-01-01 |
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct Encoding {
    /// The columns that are read, in the order of the features.
    pub columns: Vec<Column>,
    /// What happens to missing values.
    pub missing: Missing,
    /// What stands for a missing value, besides empty cells, `NA` and their like.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub missing_values: Vec<String>,
    /// The decimal sign of numbers that are text, if somebody named it, or if the numbers of the fit
    /// show it and could be read otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub decimal: Option<Decimal>,
}

/// A column that is read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Column {
    /// Its name in the file.
    pub name: String,
    /// What its cells are.
    #[serde(flatten)]
    pub kind: Kind,
    /// What stands for a missing value, in the unit of the feature; the number of the value for a
    /// category.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub fill: Option<f64>,
    /// Whether the feature is the logarithm of 1 + number.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub log: bool,
    /// Whether numbers have a per cent sign; `None` if either may be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub percent: Option<bool>,
    /// Whether the numbers of the fit were one value up to rounding: `fill` stands for every number, so
    /// that rounding makes no cluster, scaled or not.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub constant: bool,
}

/// What the cells of a column are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// Numbers.
    Number,
    /// True or false, yes or no.
    Flag,
    /// One of these values, in the order of the features.
    Category {
        /// The values.
        values: Vec<String>,
    },
    /// Dates, with or without a time of day.
    Date,
}

/// What happens to missing values.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Missing {
    /// They are an error.
    #[default]
    Error,
    /// The median of the training data stands for them, or the most frequent value.
    Fill,
    /// The row is left out.
    Drop,
}

impl Column {
    /// A column of numbers.
    pub fn number(name: impl Into<String>) -> Self {
        let kind = Kind::Number;
        Self { name: name.into(), kind, fill: None, log: false, percent: None, constant: false }
    }

    /// Number of features that it becomes.
    pub fn width(&self) -> usize {
        match &self.kind {
            Kind::Category { values } => values.len(),
            _ => 1,
        }
    }

    /// Whether it becomes several features, all but one of which are 0.
    pub fn is_category(&self) -> bool {
        matches!(self.kind, Kind::Category { .. })
    }
}

impl Column {
    /// The value that features stand for, in the units of the file: for a category the number of the
    /// value that is largest.
    pub(crate) fn value(&self, features: &[f64]) -> f64 {
        match (&self.kind, features) {
            (Kind::Category { .. }, features) => {
                let code = (0..features.len())
                    .max_by(|a, b| features[*a].total_cmp(&features[*b]).then_with(|| b.cmp(a)));
                // None of the values.
                if features.iter().all(|feature| *feature == 0.0) {
                    -1.0
                } else {
                    code.unwrap_or(0) as f64
                }
            }
            (_, [number]) if self.log => number.exp_m1(),
            (_, [number]) => *number,
            _ => f64::NAN,
        }
    }

    /// A value in words, if it is not a number.
    #[cfg(feature = "cases")]
    pub(crate) fn words(&self, value: f64) -> Option<String> {
        match &self.kind {
            Kind::Number => None,
            Kind::Flag => Some(match (100.0 * value).round() {
                0.0 => "no".into(),
                100.0 => "yes".into(),
                // A mean.
                share => format!("{share} % yes"),
            }),
            Kind::Date => Some(text::date(value)),
            Kind::Category { values } => {
                let known = if value < 0.0 { None } else { values.get(value as usize) };
                Some(known.cloned().unwrap_or_else(|| "another value".into()))
            }
        }
    }
}

impl Encoding {
    /// The values that rows of features stand for, in the units of the file, `[n, C]`.
    pub(crate) fn values(&self, rows: &[f64]) -> Vec<f64> {
        self.each_column(rows, Column::value)
    }

    /// One number for every column: its feature, and 0 for a category, `[n, C]`.
    #[cfg(feature = "cases")]
    pub(crate) fn single_features(&self, rows: &[f64]) -> Vec<f64> {
        self.each_column(
            rows,
            |column, features| {
                if column.is_category() { 0.0 } else { features[0] }
            },
        )
    }

    /// A number for every column of every row, from its features.
    fn each_column(&self, rows: &[f64], number: impl Fn(&Column, &[f64]) -> f64) -> Vec<f64> {
        let groups = self.groups();
        let width = groups.last().map_or(1, |last| last.end);
        let columns = || self.columns.iter().zip(&groups);
        let of_row = |row: &[f64]| -> Vec<f64> {
            columns().map(|(column, group)| number(column, &row[group.clone()])).collect()
        };
        rows.chunks_exact(width).flat_map(of_row).collect()
    }

    /// Columns of numbers, in which a missing value is an error.
    pub fn numbers(names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        let columns = names.into_iter().map(Column::number).collect();
        Self { columns, missing: Missing::Error, missing_values: Vec::new(), decimal: None }
    }

    /// Names of the features, D of them: the name of the column, or `column=value` for every value
    /// of a category.
    pub fn features(&self) -> Vec<String> {
        let names = self.columns.iter().flat_map(|column| match &column.kind {
            Kind::Category { values } => {
                values.iter().map(|value| format!("{}={value}", column.name)).collect()
            }
            _ => vec![column.name.clone()],
        });
        names.collect()
    }

    /// The features of every column.
    pub fn groups(&self) -> Vec<Range<usize>> {
        let mut next = 0;
        let group = |column: &Column| {
            let first = next;
            next += column.width();
            first..next
        };
        self.columns.iter().map(group).collect()
    }

    /// The features of every category.
    pub(crate) fn categories(&self) -> Vec<Range<usize>> {
        let grouped = self.columns.iter().zip(self.groups());
        grouped.filter(|(column, _)| column.is_category()).map(|(_, group)| group).collect()
    }

    /// Whether every feature is a column of numbers as it is.
    pub fn is_plain(&self) -> bool {
        let plain = |column: &Column| {
            column.kind == Kind::Number && !column.log && column.percent.is_none()
        };
        let usual = self.missing == Missing::Error
            && self.missing_values.is_empty()
            && self.decimal.is_none();
        usual && self.columns.iter().all(plain)
    }

    /// Whether every column is one feature.
    pub fn is_one_to_one(&self) -> bool {
        !self.columns.iter().any(Column::is_category)
    }
}

/// What became of a cell.
#[derive(Debug, PartialEq)]
pub(in crate::data) enum Outcome {
    Taken,
    Missing,
    /// A value that the category does not have: all its features are 0.
    Unknown(String),
    /// The reason.
    Refused(&'static str),
}

/// An encoding at work.
#[derive(Debug, Clone)]
pub(in crate::data) struct Encoder {
    encoding: Arc<Encoding>,
    /// The number of every value of a category.
    codes: Vec<HashMap<String, usize>>,
    /// Whether a column takes numbers as `parse` reads them.
    is_plain: Vec<bool>,
    decimal: Decimal,
    /// Whether cells are as a file has them, so that per cent signs can be compared.
    has_signs: bool,
}

impl Encoder {
    pub(in crate::data) fn new(encoding: Arc<Encoding>, decimal: Decimal) -> Self {
        let codes = encoding.columns.iter().map(|column| match &column.kind {
            Kind::Category { values } => {
                values.iter().enumerate().map(|(code, value)| (value.clone(), code)).collect()
            }
            _ => HashMap::new(),
        });
        let codes = codes.collect();
        let plain = |column: &Column| {
            let plain = column.kind == Kind::Number && !column.log && !column.constant;
            plain && column.percent != Some(true) && decimal == Decimal::Point
        };
        let is_plain = encoding.columns.iter().map(plain).collect();
        Self { codes, is_plain, encoding, decimal, has_signs: true }
    }

    /// For cells that were read before: numbers are without their signs.
    pub(in crate::data) fn of_values(self) -> Self {
        Self { has_signs: false, ..self }
    }

    pub(in crate::data) fn encoding(&self) -> &Arc<Encoding> {
        &self.encoding
    }

    /// Appends the features of a cell of a column; for a missing value what stands for it.
    #[inline]
    pub(in crate::data) fn push(
        &self,
        at: usize,
        cell: Cell<'_>,
        features: &mut Vec<f64>,
    ) -> Outcome {
        // Most cells of most tables.
        if self.is_plain[at]
            && let Cell::Text(text) = cell
            && let Ok(value) = text.parse::<f64>()
            && value.is_finite()
        {
            features.push(value);
            return Outcome::Taken;
        }
        self.push_other(at, cell, features)
    }

    fn push_other(&self, at: usize, cell: Cell<'_>, features: &mut Vec<f64>) -> Outcome {
        let column = &self.encoding.columns[at];
        let value = match &column.kind {
            Kind::Number => self.as_number(cell, column),
            Kind::Flag => as_flag(cell),
            Kind::Date => as_days(cell),
            Kind::Category { values } => {
                return self.push_category(at, values.len(), cell, features);
            }
        };
        match value {
            Ok(Some(value)) if column.log && value <= -1.0 => {
                Outcome::Refused("is too small: the logarithm of 1 + number needs more than -1")
            }
            Ok(Some(value)) => {
                let value = if column.log { value.ln_1p() } else { value };
                features.push(column.fill.filter(|_| column.constant).unwrap_or(value));
                Outcome::Taken
            }
            Ok(None) => {
                features.push(column.fill.unwrap_or(0.0));
                Outcome::Missing
            }
            Err(reason) => Outcome::Refused(reason),
        }
    }

    /// The number of a cell, which must have a per cent sign if those of the fit had one.
    fn as_number(&self, cell: Cell<'_>, column: &Column) -> Result<Option<f64>, &'static str> {
        let value = as_number(cell, self.decimal).map_err(|reason| match cell {
            Cell::Text(text) if has_other_decimal(text) => self.other_decimal(),
            _ => reason,
        })?;
        let (Some(expected), Some(_), true) = (column.percent, value, self.has_signs) else {
            return Ok(value);
        };
        let has_sign = match cell {
            Cell::Text(text) => number(text, self.decimal).is_some_and(|(_, form)| form.percent),
            _ => false,
        };
        match (has_sign, expected) {
            (true, false) => Err("has a per cent sign, which the numbers of the fit have not"),
            (false, true) => Err("has no per cent sign, which the numbers of the fit have"),
            _ => Ok(value),
        }
    }

    /// Why a number with another decimal sign is refused.
    fn other_decimal(&self) -> &'static str {
        match self.encoding.decimal.filter(|kept| *kept == self.decimal) {
            Some(Decimal::Comma) => {
                "has a decimal point, but the numbers of the fit have a decimal comma; say `--decimal .` if this table has points"
            }
            Some(Decimal::Point) => {
                "has a decimal comma, but the numbers of the fit have a decimal point; say `--decimal ,` if this table has commas"
            }
            None => OTHER_DECIMAL,
        }
    }

    fn push_category(
        &self,
        at: usize,
        width: usize,
        cell: Cell<'_>,
        features: &mut Vec<f64>,
    ) -> Outcome {
        let (code, outcome) = match category(cell, self.decimal) {
            None => (self.encoding.columns[at].fill.map(|fill| fill as usize), Outcome::Missing),
            Some(value) => match self.codes[at].get(value.as_ref()) {
                Some(code) => (Some(*code), Outcome::Taken),
                None => (None, Outcome::Unknown(value.into_owned())),
            },
        };
        features.extend((0..width).map(|value| f64::from(u8::from(Some(value) == code))));
        outcome
    }
}

const NOT_FINITE: &str = "is not a finite number";
const OTHER_DECIMAL: &str = "is not a finite number, unless it has another decimal sign: say `--decimal .` or `--decimal ,`";

/// Whether a text that is no number is one with another decimal sign.
fn has_other_decimal(text: &str) -> bool {
    [Decimal::Point, Decimal::Comma].into_iter().any(|decimal| number(text, decimal).is_some())
}

/// The number of a cell; `None` for a missing value.
pub(in crate::data) fn as_number(
    cell: Cell<'_>,
    decimal: Decimal,
) -> Result<Option<f64>, &'static str> {
    match cell {
        Cell::Missing => Ok(None),
        Cell::Number(value) | Cell::Whole(value) if value.is_nan() => Ok(None),
        Cell::Number(value) | Cell::Whole(value) if value.is_finite() => Ok(Some(value)),
        Cell::Number(_) | Cell::Whole(_) => Err(NOT_FINITE),
        Cell::Flag(flag) => Ok(Some(f64::from(u8::from(flag)))),
        Cell::Day(_) => Err("is a date or time, not a number"),
        Cell::Text(text) => match number(text, decimal) {
            Some((value, _)) => Ok(Some(value)),
            None if is_missing(text) => Ok(None),
            None => flag(text).map(|flag| Some(f64::from(u8::from(flag)))).ok_or(NOT_FINITE),
        },
    }
}

fn as_flag(cell: Cell<'_>) -> Result<Option<f64>, &'static str> {
    const RULE: &str = "is neither true nor false, yes nor no, 1 nor 0";
    match as_number(cell, Decimal::Point) {
        Ok(Some(value)) if value != 0.0 && value != 1.0 => Err(RULE),
        Ok(found) => Ok(found),
        Err(_) => Err(RULE),
    }
}

fn as_days(cell: Cell<'_>) -> Result<Option<f64>, &'static str> {
    match cell {
        Cell::Day(days) if days.is_nan() => Ok(None),
        Cell::Day(days) => Ok(Some(days)),
        Cell::Missing => Ok(None),
        Cell::Text(text) if is_missing(text) => Ok(None),
        Cell::Text(text) => text::days(text)
            .map(Some)
            .ok_or("is not a date of the form 2024-12-31, 31.12.2024 or 2024-12-31 23:59:59"),
        // Numbers that were written by a program that counts days, too.
        Cell::Number(days) | Cell::Whole(days) if days.is_finite() => Ok(Some(days)),
        Cell::Number(days) | Cell::Whole(days) if days.is_nan() => Ok(None),
        Cell::Number(_) | Cell::Whole(_) | Cell::Flag(_) => Err("is not a date"),
    }
}

/// The value of a cell as a category; `None` for a missing value. Numbers that are equal are one
/// category, however they are written.
pub(in crate::data) fn category(cell: Cell<'_>, decimal: Decimal) -> Option<Cow<'_, str>> {
    let of_number = |value: f64| Some(Cow::Owned((value + 0.0).to_string()));
    match cell {
        Cell::Missing => None,
        Cell::Number(value) | Cell::Whole(value) if value.is_nan() => None,
        Cell::Number(value) | Cell::Whole(value) | Cell::Day(value) => of_number(value),
        Cell::Flag(true) => Some(Cow::Borrowed("True")),
        Cell::Flag(false) => Some(Cow::Borrowed("False")),
        Cell::Text(text) => match number(text, decimal) {
            Some((value, _)) => of_number(value),
            None if is_missing(text) => None,
            None => Some(Cow::Borrowed(text.trim())),
        },
    }
}
