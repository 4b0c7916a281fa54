//! Numbers as people and programs write them, and the words for a missing one.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Which sign stands before the fraction of a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Decimal {
    /// `1.5`
    #[default]
    Point,
    /// `1,5`
    Comma,
}

impl Decimal {
    /// The other sign.
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Point => Self::Comma,
            Self::Comma => Self::Point,
        }
    }

    /// `.` or `,`
    pub(crate) fn sign(self) -> char {
        match self {
            Self::Point => '.',
            Self::Comma => ',',
        }
    }

    /// Its name in messages.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Point => "point",
            Self::Comma => "comma",
        }
    }
}

/// What was taken for part of a number, besides its digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Form {
    /// Digits in groups of three, `1,200`.
    pub(crate) grouped: bool,
    /// A currency, `$5`.
    pub(crate) currency: bool,
    /// A percent sign; `14.1%` is 14.1.
    pub(crate) percent: bool,
    /// A minus that is not a hyphen: `−5`, or `(5)` as accountants write it.
    pub(crate) minus: bool,
}

impl Form {
    /// Whether anything was taken for a part of a number.
    pub(crate) fn is_any(self) -> bool {
        self != Self::default()
    }
}

impl fmt::Display for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let parts = [
            (self.currency, "currency signs"),
            (self.grouped, "digits in groups of three"),
            (self.percent, "per cent"),
            (self.minus, "another minus sign"),
        ];
        let mut first = true;
        for (_, name) in parts.into_iter().filter(|(is_there, _)| *is_there) {
            write!(f, "{}{name}", if first { "" } else { ", " })?;
            first = false;
        }
        Ok(())
    }
}

/// Longer cells are no numbers, unless `str::parse` says so: time for a cell is bounded.
const LONGEST: usize = 64;

const CURRENCIES: [&str; 9] = ["$", "€", "£", "¥", "₹", "CHF", "EUR", "USD", "GBP"];

/// The currency whose sign or code a number has; both are one.
pub(crate) fn currency(text: &str) -> Option<&'static str> {
    let found = CURRENCIES.into_iter().find(|name| text.contains(name))?;
    Some(match found {
        "USD" => "$",
        "EUR" => "€",
        "GBP" => "£",
        other => other,
    })
}

/// The finite number that a cell holds.
#[inline]
pub(crate) fn number(text: &str, decimal: Decimal) -> Option<(f64, Form)> {
    let plain = match decimal {
        Decimal::Point => true,
        Decimal::Comma => !text.as_bytes().contains(&b'.'),
    };
    if plain
        && let Ok(value) = text.parse::<f64>()
        && value.is_finite()
    {
        return Some((value, Form::default()));
    }
    written(text, decimal)
}

/// A number with signs that `str::parse` does not know.
#[inline(never)]
fn written(text: &str, decimal: Decimal) -> Option<(f64, Form)> {
    if text.len() > LONGEST {
        return None;
    }
    let mut cell = Cell { rest: text.trim(), ..Cell::default() };
    while cell.peel() {}
    let Cell { rest, negative, mut form, .. } = cell;
    if form.currency && form.percent {
        return None;
    }
    let mut plain = Plain { bytes: [0; LONGEST], len: 0 };
    form.grouped = plain.fill(rest, decimal)?;
    let value = plain.value()?;
    value.is_finite().then_some((if negative { -value } else { value }, form))
}

/// A cell from which signs are taken off, each kind once.
#[derive(Default)]
struct Cell<'t> {
    rest: &'t str,
    signed: bool,
    negative: bool,
    form: Form,
}

impl Cell<'_> {
    /// Takes one sign off, if there is one.
    fn peel(&mut self) -> bool {
        let bytes = self.rest.as_bytes();
        let is_digit = |byte: Option<&u8>| byte.is_some_and(u8::is_ascii_digit);
        if is_digit(bytes.first()) && is_digit(bytes.last()) {
            return false;
        }
        let Some(rest) = self.sign().or_else(|| self.currency()).or_else(|| self.percent()) else {
            return false;
        };
        self.rest = rest.trim();
        true
    }
}

impl<'t> Cell<'t> {
    fn sign(&mut self) -> Option<&'t str> {
        if self.signed {
            return None;
        }
        let inside = || self.rest.strip_prefix('(')?.strip_suffix(')');
        let (rest, negative, minus) = if let Some(rest) = self.rest.strip_prefix('-') {
            (rest, true, false)
        } else if let Some(rest) = self.rest.strip_prefix('+') {
            (rest, false, false)
        } else if let Some(rest) = self.rest.strip_prefix(['\u{2212}', '\u{2013}']) {
            (rest, true, true)
        } else {
            (inside()?, true, true)
        };
        self.signed = true;
        self.negative = negative;
        self.form.minus = minus;
        Some(rest)
    }

    fn currency(&mut self) -> Option<&'t str> {
        if self.form.currency {
            return None;
        }
        let off = |name: &&str| self.rest.strip_prefix(*name).or(self.rest.strip_suffix(*name));
        let rest = CURRENCIES.iter().find_map(off)?;
        self.form.currency = true;
        Some(rest)
    }

    fn percent(&mut self) -> Option<&'t str> {
        if self.form.percent {
            return None;
        }
        let rest = self.rest.strip_suffix('%')?;
        self.form.percent = true;
        Some(rest)
    }
}

/// A number as `str::parse` reads it.
struct Plain {
    bytes: [u8; LONGEST],
    len: usize,
}

impl Plain {
    /// Copies an unsigned number; whether its digits are in groups.
    fn fill(&mut self, text: &str, decimal: Decimal) -> Option<bool> {
        let (sign, other) = (decimal.sign(), decimal.other().sign());
        let (mantissa, exponent) = match text.split_once(['e', 'E', 'd', 'D']) {
            Some((mantissa, exponent)) => (mantissa, Some(exponent)),
            None => (text, None),
        };
        let (whole, fraction) = match mantissa.split_once(sign) {
            Some((whole, fraction)) => (whole, Some(fraction)),
            None => (mantissa, None),
        };
        let grouped = self.push_whole(whole, other)?;
        match fraction {
            None if whole.is_empty() => return None,
            None => {}
            // Fortran's `5.d0`; nobody writes `5,`.
            Some("") if whole.is_empty() || grouped || decimal == Decimal::Comma => return None,
            Some(fraction) => {
                self.push(b".")?;
                self.push_digits(fraction)?;
            }
        }
        match exponent {
            None => {}
            Some(_) if grouped => return None,
            Some(exponent) => self.push_exponent(exponent)?,
        }
        Some(grouped)
    }

    /// Digits before the decimal sign, in groups of three or in none.
    fn push_whole(&mut self, whole: &str, other: char) -> Option<bool> {
        let Some(separator) = whole.chars().find(|c| !c.is_ascii_digit()) else {
            self.push_digits(whole)?;
            return Some(false);
        };
        let known = ['\'', '’', ' ', '\u{a0}', '\u{2009}', '\u{202f}'];
        if separator != other && !known.contains(&separator) {
            return None;
        }
        for (at, group) in whole.split(separator).enumerate() {
            // A group that leads with 0 is none: `0,125` is a fraction.
            let fits = match at {
                0 => matches!(group.len(), 1..=3) && !group.starts_with('0'),
                _ => group.len() == 3,
            };
            if !fits {
                return None;
            }
            self.push_digits(group)?;
        }
        Some(true)
    }

    fn push_exponent(&mut self, exponent: &str) -> Option<()> {
        self.push(b"e")?;
        let digits = match exponent.strip_prefix('-') {
            Some(digits) => {
                self.push(b"-")?;
                digits
            }
            None => exponent.strip_prefix('+').unwrap_or(exponent),
        };
        if digits.is_empty() {
            return None;
        }
        self.push_digits(digits)
    }

    fn push_digits(&mut self, digits: &str) -> Option<()> {
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        self.push(digits.as_bytes())
    }

    fn push(&mut self, bytes: &[u8]) -> Option<()> {
        let end = self.len.checked_add(bytes.len())?;
        self.bytes.get_mut(self.len..end)?.copy_from_slice(bytes);
        self.len = end;
        Some(())
    }

    fn value(&self) -> Option<f64> {
        std::str::from_utf8(self.bytes.get(..self.len)?).ok()?.parse().ok()
    }
}

/// Whether a cell says that its value is missing.
pub(crate) fn is_missing(text: &str) -> bool {
    const WORDS: [&str; 26] = [
        "",
        "?",
        "na",
        "n/a",
        "nan",
        "null",
        "none",
        "nat",
        "<na>",
        // Spreadsheets.
        "#n/a",
        "#n/a n/a",
        "#na",
        "#div/0!",
        "#value!",
        "#ref!",
        "#num!",
        "#name?",
        "#null!",
        // What C's printf makes of NaN, on one system or another.
        "-nan",
        "nan(ind)",
        "-nan(ind)",
        "1.#ind",
        "-1.#ind",
        "1.#qnan",
        "-1.#qnan",
        "+nan",
    ];
    let text = text.trim();
    WORDS.iter().any(|word| text.eq_ignore_ascii_case(word))
}

/// The truth value that a cell holds.
pub(crate) fn flag(text: &str) -> Option<bool> {
    let text = text.trim();
    let is = |word: &str| text.eq_ignore_ascii_case(word);
    if is("true") || is("yes") {
        Some(true)
    } else if is("false") || is("no") {
        Some(false)
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn point(text: &str) -> Option<f64> {
        number(text, Decimal::Point).map(|(value, _)| value)
    }

    fn comma(text: &str) -> Option<f64> {
        number(text, Decimal::Comma).map(|(value, _)| value)
    }

    fn form(text: &str) -> Form {
        number(text, Decimal::Point).expect("a number").1
    }

    #[test]
    fn plain_numbers_are_what_parse_says() {
        for text in ["0", "1", "-1", "+1", "1.5", ".5", "5.", "1e5", "-2E-3", "007", "1e-400"] {
            assert_eq!(point(text), text.parse().ok(), "{text}");
            assert_eq!(form(text), Form::default(), "{text}");
        }
        let long = format!("0.{}", "1".repeat(200));
        assert_eq!(point(&long), long.parse().ok());
        for (text, value) in [("0", 0.0), ("12", 12.0), ("1,5", 1.5), (",5", 0.5), ("-0,25", -0.25)]
        {
            assert_eq!(comma(text), Some(value), "{text}");
        }
        for (text, value) in [("1e5", 1e5), ("1,5e-3", 1.5e-3), ("1.234.567,8", 1_234_567.8)] {
            assert_eq!(comma(text), Some(value), "{text}");
        }
    }

    #[test]
    fn what_is_no_number() {
        for text in [
            "",
            " ",
            ".",
            "-",
            "–",
            "()",
            "$",
            "%",
            "CHF",
            "inf",
            "-inf",
            "infinity",
            "nan",
            "NaN",
            "1e400",
            "-1e400",
            "1d400",
            "0x10",
            "1_000",
            "12,34",
            "1,23,456",
            "1,2345",
            ",123",
            "1,",
            "1,,234",
            "1,234,",
            "0,123",
            "012,345",
            "1234,567",
            "1,234 567",
            "1 234,567",
            "1,234.",
            "1,234e5",
            "1.5.2",
            "1.2.2020",
            "192.168.1.1",
            "12:30",
            "2020-01-01",
            "a,b",
            "1e",
            "1e+",
            "1e5.5",
            "e5",
            "d5",
            "1e-+5",
            "--5",
            "+-5",
            "(-5)",
            "-(5)",
            "((5))",
            "(5",
            "5)",
            "$$5",
            "$5€",
            "5%%",
            "$5%",
            "%5",
            "5 apples",
            "eur 5",
            "٣",
            "1\u{a0}23",
            "1\u{2009}234\u{a0}567",
        ] {
            assert_eq!(number(text, Decimal::Point), None, "{text:?}");
        }
        for text in ["1.5", "12.34", "1.23.456", "1,5,2", "5.", "5,", ".5", "0.123", "1.234e5", ","]
        {
            assert_eq!(number(text, Decimal::Comma), None, "{text:?}");
        }
    }

    #[test]
    fn signs_are_taken_off() {
        let plain = Form::default();
        let minus = Form { minus: true, ..plain };
        let percent = Form { percent: true, ..plain };
        let currency = Form { currency: true, ..plain };
        let grouped = Form { grouped: true, ..plain };
        for (text, value, form) in [
            (" 1.5\t", 1.5, plain),
            ("\u{a0}7\u{a0}", 7.0, plain),
            ("+ 7", 7.0, plain),
            ("- 7", -7.0, plain),
            ("\u{2212}7", -7.0, minus),
            ("–7.5e2", -750.0, minus),
            ("(7)", -7.0, minus),
            ("( 7 )", -7.0, minus),
            ("(1,200)", -1200.0, Form { minus: true, grouped: true, ..plain }),
            ("($1,200.50)", -1200.5, Form { minus: true, grouped: true, currency: true, ..plain }),
            ("$(5)", -5.0, Form { minus: true, currency: true, ..plain }),
            ("(5%)", -5.0, Form { minus: true, percent: true, ..plain }),
            ("14.1%", 14.1, percent),
            ("14.1 %", 14.1, percent),
            ("-14.1\u{202f}%", -14.1, percent),
            ("$5", 5.0, currency),
            ("-$5", -5.0, currency),
            ("$-5", -5.0, currency),
            ("5 €", 5.0, currency),
            ("€5", 5.0, currency),
            ("£.5", 0.5, currency),
            ("¥500", 500.0, currency),
            ("₹ 5", 5.0, currency),
            ("CHF 5", 5.0, currency),
            ("5EUR", 5.0, currency),
            ("USD-5", -5.0, currency),
            ("5 GBP", 5.0, currency),
            ("1,200", 1200.0, grouped),
            ("1,234,567.8", 1_234_567.8, grouped),
            ("12'345", 12_345.0, grouped),
            ("12’345.5", 12_345.5, grouped),
            ("1 234 567", 1_234_567.0, grouped),
            ("1\u{a0}234", 1234.0, grouped),
            ("1\u{2009}234", 1234.0, grouped),
            ("1\u{202f}234.25", 1234.25, grouped),
            ("1d0", 1.0, plain),
            ("1D+3", 1000.0, plain),
            ("5.d0", 5.0, plain),
            ("-1.5D-03", -0.0015, plain),
        ] {
            assert_eq!(number(text, Decimal::Point), Some((value, form)), "{text:?}");
        }
        assert_eq!(number("1.200 €", Decimal::Comma).map(|(value, _)| value), Some(1200.0));
        assert_eq!(comma("(1 200,5)"), Some(-1200.5));
        assert_eq!(comma("14,1%"), Some(14.1));
        assert_eq!(comma("1,5D2"), Some(150.0));
    }

    /// Digits in groups of three.
    fn in_groups(digits: &str, separator: &str) -> String {
        let mut text = String::new();
        for (at, digit) in digits.chars().enumerate() {
            if at > 0 && (digits.len() - at).is_multiple_of(3) {
                text.push_str(separator);
            }
            text.push(digit);
        }
        text
    }

    #[test]
    fn both_conventions_come_back() {
        let mut state = 1_u64;
        for _ in 0..20_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let whole = ((state >> 11) >> (state % 50)).to_string();
            let fraction = ((state >> 7) % 100_000).to_string();
            let sign = ["", "-", "+"][(state >> 40) as usize % 3];
            let expected: f64 = format!("{sign}{whole}.{fraction}").parse().expect("a number");
            assert_eq!(comma(&format!("{sign}{whole},{fraction}")), Some(expected));
            for (separator, other) in
                [(",", "."), (" ", " "), ("'", "’"), ("\u{202f}", "\u{2009}"), ("\u{a0}", "\u{a0}")]
            {
                let text = format!("{sign}{}.{fraction}", in_groups(&whole, separator));
                assert_eq!(point(&text), Some(expected), "{text}");
                let text = format!("{sign}{},{fraction}", in_groups(&whole, other));
                assert_eq!(comma(&text), Some(expected), "{text}");
            }
        }
    }

    #[test]
    fn no_text_panics() {
        let signs: Vec<char> = "0 19.,-+()$€%eEdDnaCHF'’_\u{2212}\u{a0}\u{2009}x".chars().collect();
        let mut state = 7_u64;
        let mut text = String::new();
        for _ in 0..200_000 {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let mut bits = state >> 8;
            text.clear();
            for _ in 0..state >> 61 {
                text.push(signs[(bits % signs.len() as u64) as usize]);
                bits /= signs.len() as u64;
            }
            for decimal in [Decimal::Point, Decimal::Comma] {
                if let Some((value, _)) = number(&text, decimal) {
                    assert!(value.is_finite() && text.contains(|c: char| c.is_ascii_digit()));
                    assert!(!is_missing(&text) && flag(&text).is_none());
                }
            }
        }
        let long = "9".repeat(100_000);
        assert_eq!(number(&format!("{long}%"), Decimal::Point), None);
        assert_eq!(
            number(&format!("1{}", "0".repeat(63)), Decimal::Comma),
            Some((1e63, Form::default()))
        );
        assert_eq!(
            number(&format!("{}%", "1".repeat(63)), Decimal::Point).map(|n| n.1.percent),
            Some(true)
        );
    }

    #[test]
    fn words_for_missing_values() {
        for text in [
            "",
            " ",
            "?",
            "NA",
            "n/a",
            "NaN",
            "NULL",
            "None",
            "-NaN",
            "nan(ind)",
            "-nan(ind)",
            "#N/A",
            "#N/A N/A",
            "#NA",
            "#DIV/0!",
            "#VALUE!",
            "#REF!",
            "#NUM!",
            "#NAME?",
            "#NULL!",
            "<NA>",
            "1.#QNAN",
            "-1.#IND",
            "NaT",
            " na ",
        ] {
            assert!(is_missing(text), "{text:?}");
        }
        for text in ["0", "-", "n", "nano", "none of them", "#", "inf"] {
            assert!(!is_missing(text), "{text:?}");
        }
    }

    #[test]
    fn signs_and_codes_are_one_currency() {
        for (text, found) in [
            ("$5", "$"),
            ("-5 USD", "$"),
            ("5 €", "€"),
            ("EUR 5", "€"),
            ("(£5)", "£"),
            ("5CHF", "CHF"),
        ] {
            assert_eq!(currency(text), Some(found), "{text}");
        }
        assert_eq!(currency("5%"), None);
    }

    #[test]
    fn truth_values() {
        for (text, value) in [("true", true), (" TRUE ", true), ("Yes", true), ("False", false)] {
            assert_eq!(flag(text), Some(value), "{text:?}");
        }
        assert_eq!(flag("no"), Some(false));
        for text in ["", "1", "0", "t", "y", "truth", "on"] {
            assert_eq!(flag(text), None, "{text:?}");
        }
    }
}
