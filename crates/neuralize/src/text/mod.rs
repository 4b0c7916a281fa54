//! Text of cells: equal numbers, dates, and how cells are shown in messages.

pub(crate) mod words;

use std::borrow::Cow;
use std::fmt;

/// A number by its shortest text, so that `1`, `1.0` and `01` are one; other text as it is.
pub(crate) fn canonical(text: &str) -> Cow<'_, str> {
    // A number begins with one of these.
    let first = text.trim_start_matches(['+', '-', '.']).as_bytes().first();
    if !first.is_some_and(u8::is_ascii_digit) {
        return Cow::Borrowed(text);
    }
    if let Ok(whole) = text.parse::<i128>() {
        return same_or(text, whole.to_string());
    }
    match text.parse::<f64>() {
        Ok(number) if number.is_finite() => same_or(text, (number + 0.0).to_string()),
        _ => Cow::Borrowed(text),
    }
}

fn same_or(text: &str, shortest: String) -> Cow<'_, str> {
    if shortest == text { Cow::Borrowed(text) } else { Cow::Owned(shortest) }
}

/// Days since 1970-01-01 of a date of the form 2024-12-31, 2024/12/31 or 31.12.2024, with or without a time of
/// day behind a space or `T` (hours and minutes, seconds, `Z`).
pub(crate) fn days(text: &str) -> Option<f64> {
    let text = text.trim();
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    let separator = ['/', '.'].into_iter().find(|sign| date.contains(*sign)).unwrap_or('-');
    let mut parts = date.split(separator);
    let (first, month, last) = (parts.next()?, parts.next()?, parts.next()?);
    let (year, day) = if separator == '.' { (last, first) } else { (first, last) };
    let year = digits(year, 4..=4)?;
    let (month, day) = (digits(month, 1..=2)?, digits(day, 1..=2)?);
    if parts.next().is_some() || !(1..=12).contains(&month) || day < 1 || day > length(year, month)
    {
        return None;
    }
    Some(since_1970(year, month, day) as f64 + time.map_or(Some(0.0), time_of_day)?)
}

fn digits(text: &str, count: std::ops::RangeInclusive<usize>) -> Option<i64> {
    let fits = count.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if fits { text.parse().ok() } else { None }
}

fn length(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// Days of the Gregorian calendar; years begin in March, so that the leap day is the last.
fn since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let of_month = (153 * month + 2) / 5 + day - 1;
    365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + of_month
        - 719_468
}

/// The date of a number of days since 1970-01-01, with the time of day if it is not midnight.
pub(crate) fn date(days: f64) -> String {
    // Years 0 to 9999.
    if !(-719_528.0..2_932_897.0).contains(&days) {
        return days.to_string();
    }
    let seconds = (days * 86_400.0).round();
    let whole = (seconds / 86_400.0).floor();
    // From 0000-03-01 on, in periods of 400 years (Hinnant, "chrono-Compatible Low-Level Date Algorithms").
    let number = whole as i64 + 719_468;
    let period = number.div_euclid(146_097);
    let day = number.rem_euclid(146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let of_year = day - (365 * year + year / 4 - year / 100);
    let shifted = (5 * of_year + 2) / 153;
    let month = if shifted < 10 { shifted + 3 } else { shifted - 9 };
    let year = year + 400 * period + i64::from(month <= 2);
    let date = format!("{year:04}-{month:02}-{:02}", of_year - (153 * shifted + 2) / 5 + 1);
    match (seconds - whole * 86_400.0) as i64 {
        0 => date,
        seconds => {
            let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
            format!("{date} {hours:02}:{minutes:02}:{:02}", seconds % 60)
        }
    }
}

fn time_of_day(text: &str) -> Option<f64> {
    let text = text.trim_end_matches('Z');
    let mut parts = text.split(':');
    let (hour, minute) = (digits(parts.next()?, 1..=2)?, digits(parts.next()?, 2..=2)?);
    let second = match parts.next() {
        None => 0.0,
        Some(text) if text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.') => {
            text.parse::<f64>().ok()?
        }
        Some(_) => return None,
    };
    let fits = parts.next().is_none() && hour < 24 && minute < 60 && second < 61.0;
    fits.then(|| (hour as f64 * 3600.0 + minute as f64 * 60.0 + second) / 86_400.0)
}

/// Text of a file in a message: 80 characters at most, and none that controls a terminal.
///
/// ```
/// use neuralize::data::Shown;
///
/// assert_eq!(Shown("two\nlines").to_string(), "two\\nlines");
/// ```
pub struct Shown<'a>(pub &'a str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut left: usize = 80;
        for character in self.0.chars() {
            let escaped = is_unsafe(character).then(|| character.escape_default());
            let length = escaped.as_ref().map_or(1, ExactSizeIterator::len);
            if length > left {
                return f.write_str("…");
            }
            left -= length;
            match escaped {
                Some(escaped) => write!(f, "{escaped}")?,
                None => write!(f, "{character}")?,
            }
        }
        Ok(())
    }
}

/// Control characters, and those that turn the direction of writing.
pub(crate) fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The spelling nearest to a name among those that exist, if it is near.
pub(crate) fn nearest<'a>(name: &str, known: &'a [String]) -> Option<&'a str> {
    // Comparing takes time in proportion to the lengths.
    const LONGEST: usize = 100;
    const MANY: usize = 10_000;
    if name.len() > LONGEST {
        return None;
    }
    let lower = name.to_lowercase();
    let close = known.iter().take(MANY).filter(|known| known.len() <= LONGEST);
    let scored = close.map(|known| (strsim::jaro_winkler(&lower, &known.to_lowercase()), known));
    let best = scored.max_by(|(a, _), (b, _)| a.total_cmp(b));
    best.filter(|(score, _)| *score > 0.8).map(|(_, name)| name.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equal_numbers_have_one_text() {
        for (text, same) in [
            ("1", "1"),
            ("1.0", "1"),
            ("01", "1"),
            ("+1", "1"),
            ("1e2", "100"),
            ("-0.0", "0"),
            ("9007199254740993", "9007199254740993"),
            ("1.2.3", "1.2.3"),
            ("a1", "a1"),
            ("1a", "1a"),
            ("inf", "inf"),
        ] {
            assert_eq!(canonical(text), same, "{text}");
        }
    }

    #[test]
    fn dates_are_days() {
        // From the definition: one day after the other.
        let mut day = 0;
        for year in 1970..=2101_i64 {
            for month in 1..=12 {
                for date in 1..=length(year, month) {
                    let text = format!("{year}-{month:02}-{date:02}");
                    assert_eq!(days(&text), Some(f64::from(day)));
                    assert_eq!(super::date(f64::from(day)), text);
                    day += 1;
                }
            }
        }
        assert_eq!(super::date(10_957.25), "2000-01-01 06:00:00");
        assert_eq!(super::date(-719_528.0), "0000-01-01");
        assert_eq!(super::date(0.999_999_9), "1970-01-02");
        assert_eq!(days("1969/12/31"), Some(-1.0));
        assert_eq!(days("31.12.1969 12:00"), Some(-0.5));
        assert_eq!(days("2000-01-01T12:00"), Some(10_957.5));
        assert_eq!(days("2000-01-01 06:00:00Z"), Some(10_957.25));
        for text in
            ["", "2000", "2000-13-01", "2001-02-29", "1-2-3", "2000-01-01x", "2000-01-01 25:00"]
        {
            assert_eq!(days(text), None, "{text}");
        }
    }

    #[test]
    fn shown_text_is_short_and_harmless() {
        assert_eq!(Shown("a\u{1b}[31m\n").to_string(), "a\\u{1b}[31m\\n");
        assert_eq!(Shown(&"x".repeat(1 << 20)).to_string(), format!("{}…", "x".repeat(80)));
        assert_eq!(Shown(&"x".repeat(80)).to_string(), "x".repeat(80));
        // What stands for a character counts as it is written.
        assert_eq!(Shown(&"\0".repeat(80)).to_string(), format!("{}…", "\\u{0}".repeat(16)));
        assert_eq!(Shown(&"\n".repeat(40)).to_string(), "\\n".repeat(40));
    }

    #[test]
    fn near_names_are_found() {
        let known = ["width", "height", "Weight"].map(String::from);
        assert_eq!(nearest("hieght", &known), Some("height"));
        assert_eq!(nearest("WIDTH", &known), Some("width"));
        assert_eq!(nearest("colour", &known), None);
    }
}
