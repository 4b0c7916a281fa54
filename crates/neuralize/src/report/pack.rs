//! Columns of numbers as base64 text in the data of a page.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Serialize, Serializer};

/// Numbers as little-endian bytes in base64: exact, and half as long as decimal
/// digits.
#[derive(Debug, Clone)]
pub(super) struct Packed {
    bytes: Vec<u8>,
    /// Whether these are f64 only because f32 lacks the range; a prefix of the text
    /// marks them.
    wide: bool,
}

/// The prefix of wide numbers. Base64 has no colon.
const WIDE: &str = "f8:";

impl Packed {
    fn plain(bytes: Vec<u8>) -> Self {
        Self { bytes, wide: false }
    }

    pub(super) fn f64(values: impl IntoIterator<Item = f64>) -> Self {
        Self::plain(values.into_iter().flat_map(f64::to_le_bytes).collect())
    }

    /// In single precision, unless the values are too large or too small for it.
    pub(super) fn f32(values: impl IntoIterator<Item = f64>) -> Self {
        let values: Vec<f64> = values.into_iter().collect();
        let largest = values.iter().fold(0.0f64, |a, b| a.max(b.abs()));
        if largest == 0.0 || (1e-25..1e35).contains(&largest) {
            return Self::plain(
                values.into_iter().flat_map(|v| (v as f32).to_le_bytes()).collect(),
            );
        }
        Self { wide: true, ..Self::f64(values) }
    }

    pub(super) fn u32(values: impl IntoIterator<Item = usize>) -> Self {
        let bytes = |value| u32::try_from(value).unwrap_or(u32::MAX).to_le_bytes();
        Self::plain(values.into_iter().flat_map(bytes).collect())
    }

    /// `None` is −1.
    pub(super) fn i32(values: impl IntoIterator<Item = Option<usize>>) -> Self {
        let number = |value: Option<usize>| value.and_then(|value| i32::try_from(value).ok());
        let bytes = |value| number(value).unwrap_or(-1).to_le_bytes();
        Self::plain(values.into_iter().flat_map(bytes).collect())
    }

    pub(super) fn bits(values: impl IntoIterator<Item = bool>) -> Self {
        Self::plain(values.into_iter().map(u8::from).collect())
    }
}

impl Serialize for Packed {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mark = if self.wide { WIDE } else { "" };
        serializer.serialize_str(&format!("{mark}{}", STANDARD.encode(&self.bytes)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_little_endian() {
        let text = |packed| serde_json::to_string(&packed).expect("text");
        assert_eq!(text(Packed::u32([1, 258])), "\"AQAAAAIBAAA=\"");
        assert_eq!(text(Packed::i32([None, Some(1)])), "\"/////wEAAAA=\"");
        assert_eq!(text(Packed::f32([1.0])), "\"AACAPw==\"");
        assert_eq!(text(Packed::f32([1e36])), text(Packed::f64([1e36])).replacen('"', "\"f8:", 1));
        assert!(text(Packed::f32([1e-30, 0.0])).starts_with("\"f8:"));
        assert_eq!(text(Packed::f64([-2.0])), "\"AAAAAAAAAMA=\"");
        assert_eq!(text(Packed::bits([true, false])), "\"AQA=\"");
    }
}
