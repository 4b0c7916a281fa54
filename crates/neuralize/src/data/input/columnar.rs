//! What Parquet and Arrow files have in common.

/// Columns that pandas wrote as the index of the rows, by its metadata or its names.
pub(super) fn index_columns(pandas: Option<&str>, header: &[String]) -> Vec<usize> {
    let stated = pandas.and_then(|text| {
        let value: serde_json::Value = serde_json::from_str(text).ok()?;
        let names = value.get("index_columns")?.as_array()?.clone();
        Some(names.iter().filter_map(|name| name.as_str().map(str::to_owned)).collect::<Vec<_>>())
    });
    let stated = stated.unwrap_or_default();
    let is_index = |name: &String| name.starts_with("__index_level_") || stated.contains(name);
    let named = header.iter().enumerate().filter(|(_, name)| is_index(name));
    named.map(|(at, _)| at).collect()
}

/// The float nearest to unscaled · 10^-scale, the same as for these digits in a
/// text.
pub(super) fn scaled(unscaled: i128, scale: i32) -> f64 {
    // Up to here both numbers are exact, and the division rounds once.
    const EXACT: u128 = 1 << 53;
    match scale {
        0..=22 if unscaled.unsigned_abs() <= EXACT => unscaled as f64 / 10f64.powi(scale),
        _ => format!("{unscaled}e{}", -i64::from(scale)).parse().unwrap_or(f64::NAN),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decimals_are_what_their_digits_are() {
        for (unscaled, scale, text) in [
            (15, 1, "1.5"),
            (-1, 3, "-0.001"),
            (7, -2, "700"),
            (i128::MAX, 38, "1.70141183460469231731687303715884105727"),
            (1 << 60, 5, "11529215046068.46976"),
            (1, 300, "1e-300"),
        ] {
            assert_eq!(scaled(unscaled, scale), text.parse::<f64>().expect("a number"), "{text}");
        }
    }

    #[test]
    fn indices_are_found_by_metadata_and_name() {
        let header = ["a", "__index_level_0__", "i"].map(String::from);
        assert_eq!(index_columns(None, &header), [1]);
        assert_eq!(
            index_columns(Some("{\"index_columns\": [\"i\", {\"kind\": \"range\"}]}"), &header),
            [1, 2]
        );
        assert_eq!(index_columns(Some("no JSON"), &header), [1]);
    }
}
