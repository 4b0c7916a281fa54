//! What a survey learns about one column.

use std::collections::{HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::data::encoding::category;
use crate::data::input::{Cell, Decimal, Form, Place, currency, flag, is_missing, number};
use crate::data::survey::column_kind::ColumnKind;
use crate::text;

/// Different texts of a column that are kept, at most, and the longest of them in bytes.
const MAX_TEXTS: usize = 2000;
const LONGEST: usize = 300;

/// Whole numbers up to here are exact.
const EXACT: f64 = (1_u64 << 53) as f64;

/// How a column is read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Reading {
    /// Whether rows are kept.
    pub(super) keeps_rows: bool,
    /// What somebody says that the column is.
    pub(super) stated: Option<ColumnKind>,
    /// Whether somebody asked for it by name.
    pub(super) is_asked: bool,
    /// Number of columns, which share the memory.
    pub(super) columns: usize,
    /// Whether nothing says which decimal sign texts have.
    pub(super) asks_decimal: bool,
    /// Whether the user says it, or another column shows it.
    pub(super) decimal_is_known: bool,
}

impl Reading {
    /// Different values that are counted, at most.
    fn max_different(self) -> usize {
        ((1 << 24) / self.columns.max(1)).clamp(1 << 12, 1 << 20)
    }

    /// Numbers that are kept for quantiles where rows are not.
    fn sample(self) -> usize {
        ((1 << 26) / self.columns.max(1)).clamp(1 << 10, 1 << 16)
    }

    /// Whether dates are read as days.
    fn takes_dates(self) -> bool {
        self.stated == Some(ColumnKind::Date) || self.stated.is_none() && self.is_asked
    }
}

/// A text among numbers.
#[derive(Debug, Clone)]
pub(super) struct Odd {
    pub(super) place: Place,
    pub(super) text: String,
    /// Whether it is a number with the other decimal sign.
    pub(super) is_other: bool,
}

impl Odd {
    /// So many of either kind are kept.
    pub(super) const KEPT: usize = 4;
}

/// The cells of a column, and what they have in common.
#[derive(Debug, Clone)]
pub(super) struct ColumnCells {
    reading: Reading,
    /// The number of every row, or of a sample of rows; NaN where there is none.
    pub(super) values: Vec<f64>,
    /// One more than the text of every row, where rows have texts; empty if none has.
    codes: Vec<u32>,
    pub(super) texts: Vec<String>,
    numbers_of: HashMap<String, u32>,
    /// How often every text was found.
    pub(super) counts: Vec<usize>,
    /// Whether there are too many texts, or too long ones, to keep them.
    pub(super) overflowed: bool,
    different: HashSet<u64>,
    /// Whether a value was found twice, or is no whole number.
    repeats: bool,
    pub(super) rows: usize,
    pub(super) missing: usize,
    /// Rows in which no column has a value, which are known when all rows are read.
    pub(super) blank: usize,
    /// Cells that are numbers, words for yes or no, dates.
    pub(super) numbers: usize,
    pub(super) flags: usize,
    pub(super) days: usize,
    /// Texts that are numbers with the other decimal sign, and those of them that show it.
    pub(super) other_numbers: usize,
    pub(super) other_decimals: usize,
    /// Whether a number shows the decimal sign that is taken for it, or has the other one between its
    /// thousands.
    pub(super) shows_own: bool,
    pub(super) shows_groups: bool,
    decimal: Decimal,
    /// The first different texts that are no numbers, a few of either kind.
    odd: Vec<Odd>,
    /// The first text that is one number or another by its decimal sign, and whether another text
    /// tells which.
    pub(super) either: Option<String>,
    pub(super) shows_decimal: bool,
    /// Numbers with a per cent sign.
    pub(super) percents: usize,
    pub(super) first_text: Option<(Place, String)>,
    /// The first cell that is neither yes nor no, of a column that should be that.
    pub(super) no_flag: Option<(Place, String)>,
    pub(super) is_infinite: bool,
    pub(super) whole: bool,
    pub(super) ascending: bool,
    pub(super) descending: bool,
    last: f64,
    pub(super) min: f64,
    pub(super) max: f64,
    /// The first rows with them.
    lowest: usize,
    highest: usize,
    mean: f64,
    squares: f64,
    /// What was taken for a part of a number, and the first such cell.
    pub(super) forms: Option<(Form, String)>,
    /// The first number with a currency sign, and the first with another one.
    currency: Option<(&'static str, String)>,
    other_currency: Option<String>,
}

impl ColumnCells {
    pub(super) fn new(reading: Reading) -> Self {
        Self {
            reading,
            values: Vec::new(),
            codes: Vec::new(),
            texts: Vec::new(),
            numbers_of: HashMap::new(),
            counts: Vec::new(),
            overflowed: false,
            different: HashSet::new(),
            repeats: false,
            rows: 0,
            missing: 0,
            blank: 0,
            numbers: 0,
            flags: 0,
            days: 0,
            other_numbers: 0,
            other_decimals: 0,
            shows_own: false,
            shows_groups: false,
            decimal: Decimal::default(),
            odd: Vec::new(),
            either: None,
            shows_decimal: false,
            percents: 0,
            first_text: None,
            no_flag: None,
            is_infinite: false,
            whole: true,
            ascending: true,
            descending: true,
            last: f64::NAN,
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
            lowest: 0,
            highest: 0,
            mean: 0.0,
            squares: 0.0,
            forms: None,
            currency: None,
            other_currency: None,
        }
    }

    /// Cells that have a value.
    pub(super) fn present(&self) -> usize {
        self.rows - self.missing
    }

    /// Missing values, without those of rows that have no value at all: these are left out. In an only
    /// column, there are no others.
    pub(super) fn gaps(&self) -> usize {
        if self.reading.columns == 1 { self.missing } else { self.missing - self.blank }
    }

    /// Two numbers with different currency signs, if there are two.
    pub(super) fn currencies(&self) -> Option<(&str, &str)> {
        let (_, first) = self.currency.as_ref()?;
        Some((first, self.other_currency.as_deref()?))
    }

    /// Number of different values, as far as they were counted.
    pub(super) fn n_different(&self) -> usize {
        self.different.len()
    }

    /// Whether no value was found twice, as far as they were counted.
    pub(super) fn all_different(&self) -> bool {
        !self.repeats || self.numbers == self.present() && (self.ascending || self.descending)
    }

    /// The decimal sign with which half of the cells or more would be numbers, if nothing speaks for
    /// the one that is taken.
    pub(super) fn suggested_decimal(&self) -> Option<Decimal> {
        let is_open = !self.reading.decimal_is_known && !self.shows_own;
        (is_open
            && (self.other_decimals > 0
                || (self.other_numbers > 0 && self.other_numbers == self.present())))
        .then_some(self.decimal.other())
    }

    /// The decimal sign that is taken for it.
    pub(super) fn decimal(&self) -> Decimal {
        self.decimal
    }

    /// The first different texts that are no numbers.
    pub(super) fn odd(&self) -> &[Odd] {
        &self.odd
    }

    pub(super) fn variance(&self) -> f64 {
        self.squares / (self.numbers as f64).max(1.0)
    }

    /// The row that is farthest from the mean, counted from 0, and its share of the variance.
    pub(super) fn farthest(&self) -> (usize, f64) {
        let (below, above) = (self.mean - self.min, self.max - self.mean);
        let is_above = above >= below;
        let (row, apart) = if is_above { (self.highest, above) } else { (self.lowest, below) };
        (row, apart.powi(2) / self.squares)
    }

    /// Whether quantiles are those of some of the numbers.
    pub(super) fn is_sampled(&self) -> bool {
        !self.reading.keeps_rows && self.values.len() < self.numbers
    }

    /// The cell of a row, if rows are kept.
    pub(super) fn cell(&self, row: usize) -> Cell<'_> {
        match self.codes.get(row).and_then(|code| code.checked_sub(1)) {
            Some(code) => Cell::Text(&self.texts[code as usize]),
            None if self.days > 0 && self.days == self.present() => Cell::Day(self.values[row]),
            None => Cell::Number(self.values[row]),
        }
    }

    /// Numbers in ascending order.
    pub(super) fn sorted(&self) -> Vec<f64> {
        let mut numbers: Vec<f64> =
            self.values.iter().copied().filter(|value| !value.is_nan()).collect();
        numbers.sort_unstable_by(f64::total_cmp);
        numbers
    }

    /// How often every value was found, as a category.
    pub(super) fn value_counts(&self) -> Vec<(String, usize)> {
        let mut counts: HashMap<String, usize> = HashMap::new();
        for value in self.values.iter().filter(|value| !value.is_nan()) {
            if let Some(value) = category(Cell::Number(*value), Decimal::Point) {
                *counts.entry(value.into_owned()).or_default() += 1;
            }
        }
        for (text, count) in self.texts.iter().zip(&self.counts) {
            *counts.entry(text.clone()).or_default() += count;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_unstable();
        counts
    }

    pub(super) fn add(&mut self, cell: Cell<'_>, decimal: Decimal, place: &dyn Fn() -> Place) {
        self.rows += 1;
        if self.reading.stated == Some(ColumnKind::Flag) && self.no_flag.is_none() {
            let value = category(cell, decimal);
            self.no_flag = value
                .filter(|value| !is_flag(value))
                .map(|_| (place(), cell.text().trim().chars().take(LONGEST).collect()));
        }
        if self.reading.stated == Some(ColumnKind::Category) {
            if let Cell::Text(text) = cell
                && let Some((_, form)) = number(text, decimal)
            {
                self.note_signs(text, form, decimal);
            }
            match category(cell, decimal) {
                Some(value) => self.add_text(&value, place),
                None => self.add_missing(),
            }
            return;
        }
        match cell {
            Cell::Missing => self.add_missing(),
            Cell::Number(value) | Cell::Whole(value) if value.is_nan() => self.add_missing(),
            // Programs store whole numbers as floats where some are missing.
            Cell::Number(value) if value.is_finite() => {
                let is_whole = value.fract() == 0.0 && value.abs() <= EXACT;
                self.add_number(value, is_whole);
            }
            Cell::Whole(value) => self.add_number(value, true),
            Cell::Number(value) => {
                self.is_infinite = true;
                self.add_text(&value.to_string(), place);
            }
            Cell::Flag(flag) => self.add_text(if flag { "True" } else { "False" }, place),
            Cell::Day(days) if days.is_nan() => self.add_missing(),
            Cell::Day(days) => self.add_day(days),
            Cell::Text(text) => self.add_cell_text(text.trim(), decimal, place),
        }
    }

    fn add_cell_text(&mut self, text: &str, decimal: Decimal, place: &dyn Fn() -> Place) {
        self.decimal = decimal;
        // A number is no date, unless its file says so.
        let stated_date = self.reading.stated == Some(ColumnKind::Date);
        match number(text, decimal).filter(|_| !stated_date) {
            Some((value, form)) => {
                self.percents += usize::from(form.percent);
                if self.reading.asks_decimal && !self.shows_decimal {
                    self.look_for_decimal(text, value, decimal);
                }
                if form.is_any() && self.forms.is_none() {
                    self.forms = Some((form, text.to_owned()));
                }
                if form.currency {
                    self.note_currency(text);
                }
                self.note_signs(text, form, decimal);
                self.add_number(value, is_whole(text, decimal));
            }
            None if is_missing(text) => self.add_missing(),
            None => match text::days(text) {
                Some(days) if self.reading.takes_dates() => self.add_day(days),
                days => {
                    self.days += usize::from(days.is_some());
                    let is_other = number(text, decimal.other()).is_some();
                    let shows = is_other && text.contains(decimal.other().sign());
                    self.other_numbers += usize::from(is_other);
                    self.other_decimals += usize::from(shows);
                    self.note_odd(text, is_other, place);
                    self.add_text(text, place);
                }
            },
        }
    }

    /// Notes what the reading of a number depends on.
    fn note_signs(&mut self, text: &str, form: Form, decimal: Decimal) {
        self.shows_own |= text.contains(decimal.sign());
        self.shows_groups |= form.grouped && text.contains(decimal.other().sign());
    }

    /// Notes the first two currencies.
    fn note_currency(&mut self, text: &str) {
        let Some(found) = currency(text) else { return };
        match &self.currency {
            None => self.currency = Some((found, text.to_owned())),
            Some((first, _)) if *first != found => {
                self.other_currency.get_or_insert_with(|| text.to_owned());
            }
            Some(_) => {}
        }
    }

    /// What the text of a number says about the decimal sign.
    fn look_for_decimal(&mut self, text: &str, value: f64, decimal: Decimal) {
        match number(text, decimal.other()) {
            None => self.shows_decimal |= text.contains(['.', ',']),
            Some((found, _)) if found != value && self.either.is_none() => {
                self.either = Some(text.to_owned());
            }
            Some(_) => {}
        }
    }

    fn add_day(&mut self, days: f64) {
        self.days += 1;
        self.add_number(days, false);
    }

    fn add_missing(&mut self) {
        self.missing += 1;
        self.push(f64::NAN, 0);
    }

    fn add_number(&mut self, value: f64, is_whole: bool) {
        self.numbers += 1;
        self.whole &= is_whole;
        self.ascending &= self.last.is_nan() || value > self.last;
        self.descending &= self.last.is_nan() || value < self.last;
        self.last = value;
        if value < self.min {
            (self.min, self.lowest) = (value, self.rows - 1);
        }
        if value > self.max {
            (self.max, self.highest) = (value, self.rows - 1);
        }
        // Welford 1962
        let apart = value - self.mean;
        self.mean += apart / self.numbers as f64;
        self.squares += apart * (value - self.mean);
        // A number with a fraction is no identifier.
        self.repeats |= !is_whole;
        if !self.repeats {
            self.note_different(value.to_bits());
        } else if self.texts.is_empty() && !self.overflowed {
            self.different = HashSet::new();
        }
        self.push(value, 0);
    }

    fn note_odd(&mut self, text: &str, is_other: bool, place: &dyn Fn() -> Place) {
        let alike = || self.odd.iter().filter(|odd| odd.is_other == is_other);
        if alike().count() < Odd::KEPT && !alike().any(|odd| odd.text == text) {
            let text = text.chars().take(LONGEST).collect();
            self.odd.push(Odd { place: place(), text, is_other });
        }
    }

    fn add_text(&mut self, text: &str, place: &dyn Fn() -> Place) {
        self.flags += usize::from(flag(text).is_some());
        if self.first_text.is_none() {
            self.first_text = Some((place(), text.chars().take(LONGEST).collect()));
        }
        let mut hasher = DefaultHasher::new();
        text.hash(&mut hasher);
        self.note_different(hasher.finish());
        let code = self.code(text);
        self.push(f64::NAN, code);
    }

    fn note_different(&mut self, value: u64) {
        if self.different.len() < self.reading.max_different() {
            self.repeats |= !self.different.insert(value);
        }
    }

    /// One more than the number of a text; 0 where texts are not kept.
    fn code(&mut self, text: &str) -> u32 {
        if self.overflowed {
            return 0;
        }
        if let Some(code) = self.numbers_of.get(text) {
            self.counts[*code as usize] += 1;
            return code + 1;
        }
        if self.texts.len() == MAX_TEXTS || text.len() > LONGEST {
            self.overflowed = true;
            self.codes = Vec::new();
            self.texts = Vec::new();
            self.counts = Vec::new();
            self.numbers_of = HashMap::new();
            return 0;
        }
        let code = self.texts.len() as u32;
        self.texts.push(text.to_owned());
        self.counts.push(1);
        self.numbers_of.insert(text.to_owned(), code);
        code + 1
    }

    fn push(&mut self, value: f64, code: u32) {
        if self.reading.keeps_rows {
            if code > 0 && self.codes.is_empty() {
                self.codes.resize(self.values.len(), 0);
            }
            if code > 0 || !self.codes.is_empty() {
                self.codes.push(code);
            }
            self.values.push(value);
        } else if !value.is_nan() {
            self.sample(value);
        }
    }

    /// Keeps a number if it belongs to the sample: the first ones, and later ones at places that do
    /// not depend on anything but their number (Vitter 1985, with a fixed sequence).
    fn sample(&mut self, value: f64) {
        if self.values.len() < self.reading.sample() {
            self.values.push(value);
            return;
        }
        let mixed = (self.numbers as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        let place = ((u128::from(mixed ^ (mixed >> 29)) * self.numbers as u128) >> 64) as usize;
        if let Some(kept) = self.values.get_mut(place) {
            *kept = value;
        }
    }
}

/// Whether the value of a category is a word for yes or no, or 1 or 0.
pub(super) fn is_flag(value: &str) -> bool {
    matches!(value, "0" | "1") || flag(value).is_some()
}

/// Whether a number is written as an integer, or as one with zeros behind the decimal sign.
fn is_whole(text: &str, decimal: Decimal) -> bool {
    let whole = match text.split_once(decimal.sign()) {
        Some((whole, zeros)) if zeros.bytes().all(|byte| byte == b'0') => whole,
        Some(_) => return false,
        None => text,
    };
    !whole.bytes().any(|byte| matches!(byte, b'.' | b',' | b'e' | b'E'))
}
