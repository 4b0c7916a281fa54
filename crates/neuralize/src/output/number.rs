//! Numbers as text for people.

/// A number for people: three digits, integers and thousands in full, scientific
/// notation for very large and very small numbers, and a typographic minus.
pub(crate) fn number(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e9).contains(&size) {
        return format!("{value:.2e}").replace('-', "−");
    }
    let decimals =
        if value.fract() == 0.0 { 0 } else { (2.0 - size.log10().floor()).max(0.0) as usize };
    let digits = format!("{size:.decimals$}");
    let (whole, fraction) = match digits.split_once('.') {
        Some((whole, fraction)) => (whole, format!(".{fraction}")),
        None => (digits.as_str(), String::new()),
    };
    let mut grouped = String::new();
    for (at, digit) in whole.chars().enumerate() {
        if at > 0 && (whole.len() - at) % 3 == 0 {
            grouped.push('\u{202f}');
        }
        grouped.push(digit);
    }
    let sign = if value < 0.0 { "−" } else { "" };
    format!("{sign}{grouped}{fraction}")
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
            (2.5, "2.50"),
            (0.57, "0.570"),
            (-0.0742, "−0.0742"),
            (0.00004, "4.00e−5"),
            (0.0001234, "0.000123"),
            (999.96, "1\u{202f}000"),
            (1234567.8, "1\u{202f}234\u{202f}568"),
            (-1.5e-7, "−1.50e−7"),
            (3e12, "3.00e12"),
        ] {
            assert_eq!(number(value), expected);
        }
    }
}
