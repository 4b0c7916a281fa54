//! Names, numbers and shares as text for people.

use crate::text::is_unsafe;

/// Maximum number of characters of a name in a sentence.
const MAX_NAME_LENGTH: usize = 48;

/// A name for a sentence: 48 characters at most, and none that controls a terminal. Longer ones are cut in
/// the middle, since names of columns often begin alike.
pub(crate) fn name(text: &str) -> String {
    let begin = written(text.chars(), MAX_NAME_LENGTH);
    if begin.is_whole {
        return begin.pieces.concat();
    }
    let half = MAX_NAME_LENGTH / 2;
    let begin = written(text.chars(), half).pieces.concat();
    let mut end = written(text.chars().rev(), half - 1).pieces;
    end.reverse();
    format!("{}…{}", begin.trim_end(), end.concat().trim_start())
}

struct Written {
    /// Characters, or what stands for them.
    pieces: Vec<String>,
    is_whole: bool,
}

/// As many characters as there is room for.
fn written(characters: impl Iterator<Item = char>, room: usize) -> Written {
    let (mut pieces, mut length) = (Vec::new(), 0);
    for character in characters {
        let piece = if is_unsafe(character) {
            character.escape_default().to_string()
        } else {
            character.to_string()
        };
        length += piece.chars().count();
        if length > room {
            return Written { pieces, is_whole: false };
        }
        pieces.push(piece);
    }
    Written { pieces, is_whole: true }
}

/// A number for people: three digits, integers and thousands in full, scientific
/// notation for very large and very small numbers, and a typographic minus.
pub(crate) fn number(value: f64) -> String {
    with_digits(value, 3)
}

/// Two numbers, with as many digits (three to six) as it takes to see how far apart they are.
pub(crate) fn pair(one: f64, other: f64) -> (String, String) {
    let difference = (one - other).abs();
    let is_fine = |digits: &usize| {
        [one, other].iter().all(|value| resolution(*value, *digits) <= 0.6 * difference)
    };
    let digits = (3..=6).find(is_fine).unwrap_or(3);
    (with_digits(one, digits), with_digits(other, digits))
}

/// The unit of the last digit.
fn resolution(value: f64, digits: usize) -> f64 {
    if value.fract() == 0.0 {
        return 0.0;
    }
    10_f64.powf(value.abs().log10().floor() - digits as f64 + 1.0).min(1.0)
}

fn with_digits(value: f64, digits: usize) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e9).contains(&size) {
        let decimals = digits - 1;
        return format!("{value:.decimals$e}").replace('-', "−");
    }
    let leading = if size == 0.0 { 0.0 } else { size.log10().floor() };
    let decimals =
        if value.fract() == 0.0 { 0 } else { (digits as f64 - 1.0 - leading).max(0.0) as usize };
    signed(value, &format!("{size:.decimals$}"))
}

/// A whole number, with thousands apart.
pub(crate) fn count(count: usize) -> String {
    signed(0.0, &count.to_string())
}

/// A number with all its digits, to be compared with.
pub(crate) fn exact(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-5..1e15).contains(&size) {
        return format!("{value:e}").replace('-', "−");
    }
    signed(value, &size.to_string())
}

fn signed(value: f64, digits: &str) -> String {
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, format!(".{fraction}")),
        None => (digits, String::new()),
    };
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at).is_multiple_of(3) {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    let sign = if value < 0.0 { "−" } else { "" };
    format!("{sign}{grouped}{fraction}")
}

/// A share in percent; only none is `0 %`, only all are `100 %`.
pub(crate) fn percent(share: f64) -> String {
    match (100.0 * share).round() {
        0.0 if share > 0.0 => "under 1 %".to_owned(),
        100.0 if share < 1.0 => "over 99 %".to_owned(),
        percent => format!("{} %", percent.abs()),
    }
}

/// `a`, `a and b`, `a, b and c`.
pub(crate) fn listed(items: &[String]) -> String {
    match items.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

/// `high a and b; low c`: items by their words, every word once, in the order of the items.
pub(crate) fn clauses<T>(
    items: &[T],
    word: impl Fn(&T) -> String,
    mut text: impl FnMut(&T) -> String,
) -> String {
    let words: Vec<String> = items.iter().map(word).collect();
    let first = |at: &usize| words.iter().position(|word| *word == words[*at]) == Some(*at);
    let clause = |at: usize| {
        let same = items.iter().zip(&words).filter(|(_, word)| **word == words[at]);
        let texts: Vec<String> = same.map(|(item, _)| text(item)).collect();
        format!("{} {}", words[at], listed(&texts))
    };
    let clauses: Vec<String> = (0..items.len()).filter(first).map(clause).collect();
    clauses.join("; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_for_people() {
        for (value, expected) in [
            (0.0, "0"),
            (1065.0, "1\u{202f}065"),
            (14.23, "14.2"),
            (0.57, "0.570"),
            (-0.0742, "−0.0742"),
            (2.5, "2.50"),
            (0.00004, "4.00e−5"),
            (0.0001234, "0.000123"),
            (999.96, "1\u{202f}000"),
            (3e12, "3.00e12"),
            (1234567.8, "1\u{202f}234\u{202f}568"),
            (-1.5e-7, "−1.50e−7"),
        ] {
            assert_eq!(number(value), expected);
        }
        assert_eq!(pair(2007.9, 2008.1), ("2\u{202f}007.9".into(), "2\u{202f}008.1".into()));
        assert_eq!(pair(2008.7, 2008.5), ("2\u{202f}008.7".into(), "2\u{202f}008.5".into()));
        assert_eq!(pair(162.3, 104.8), ("162".into(), "105".into()));
        assert_eq!(pair(0.3, 0.1 + 0.2), ("0.300".into(), "0.300".into()));
        assert_eq!(pair(1e300, 1.01e300), ("1.00e300".into(), "1.01e300".into()));
        assert_eq!(exact(0.15), "0.15");
        assert_eq!(exact(-4140.5), "−4\u{202f}140.5");
        assert_eq!(exact(1e300), "1e300");
    }

    #[test]
    fn words_are_said_once() {
        let items = [("high", "a"), ("low", "b"), ("high", "c"), ("high", "d")];
        let mut number = 0;
        let text = clauses(
            &items,
            |item| item.0.into(),
            |item| {
                number += 1;
                format!("{}{number}", item.1)
            },
        );
        assert_eq!(text, "high a1, c2 and d3; low b4");
    }

    #[test]
    fn shares_for_people() {
        for (share, expected) in [
            (0.0, "0 %"),
            (0.004, "under 1 %"),
            (0.238, "24 %"),
            (0.998, "over 99 %"),
            (1.0, "100 %"),
        ] {
            assert_eq!(percent(share), expected);
        }
    }

    #[test]
    fn names_are_short_and_harmless() {
        assert_eq!(name("two\nlines\u{202e}"), "two\\nlines\\u{202e}");
        let cut = format!("{}…{}", "ä".repeat(24), "ä".repeat(23));
        assert_eq!(name(&"ä".repeat(2500)), cut);
        assert_eq!(name(&"ä".repeat(48)), "ä".repeat(48));
        assert!(name(&"\u{1b}".repeat(5000)).chars().count() <= 48);
        let [food, rent] = ["food", "rent"]
            .map(|what| name(&format!("annual_household_expenditure_in_euros_on_{what}_2024")));
        assert_eq!(food, "annual_household_expendi…e_in_euros_on_food_2024");
        assert_ne!(food, rent);
    }
}
