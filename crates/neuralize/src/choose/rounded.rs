//! Figures with two decimals, beside the limits that they are held against.

/// Two decimals. A value below a limit (of two decimals) is not rounded up to the limit, as if it
/// passed; all others are rounded.
pub(crate) fn rounded(value: f64, limits: &[f64]) -> String {
    let text = format!("{value:.2}");
    let short_of = |limit: &&f64| value < **limit && text == format!("{limit:.2}");
    match limits.iter().find(short_of) {
        Some(limit) => format!("{:.2}", limit - 0.01),
        None => text,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_falls_short_is_cut() {
        for (value, expected) in [
            (0.60999, "0.61"),
            (0.9454, "0.95"),
            (0.9269, "0.93"),
            (0.7993, "0.79"),
            (0.8, "0.80"),
            (0.804, "0.80"),
            (0.7949, "0.79"),
            (0.597, "0.59"),
            (1.0, "1.00"),
            (f64::NAN, "NaN"),
        ] {
            assert_eq!(rounded(value, &[0.6, 0.8]), expected, "{value}");
        }
        assert_eq!(rounded(0.7993, &[]), "0.80");
    }
}
