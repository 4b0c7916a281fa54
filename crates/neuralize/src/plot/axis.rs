//! Ranges of axes, and the numbers at their ticks.

use super::sheet::{SMALL, error, width};
use crate::error::Result;
use crate::text::words::number;

/// Smallest and largest value; an empty range, from ∞ to −∞, if there are none.
pub(super) fn extent<'a>(values: impl IntoIterator<Item = &'a f64>) -> (f64, f64) {
    values
        .into_iter()
        .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), v| (low.min(*v), high.max(*v)))
}

/// Largest absolute value; 1 if all are zero, so that an axis has a length.
pub(super) fn limit<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    let largest = largest(values);
    if largest > 0.0 { largest } else { 1.0 }
}

fn largest<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    values.into_iter().fold(0.0f64, |a, b| a.max(b.abs()))
}

/// The range, if plotters can draw it: it never finishes an endless axis.
pub(super) fn finite(range: (f64, f64)) -> Result<(f64, f64)> {
    if (range.1 - range.0).is_finite() && range.0 < range.1 {
        Ok(range)
    } else {
        Err(error(format_args!(
            "values from {:e} to {:e} do not fit on an axis; rescale the data",
            range.0, range.1
        )))
    }
}

/// Room for the longest label that a number among the values can have.
pub(super) fn label_room<'a>(values: impl IntoIterator<Item = &'a f64>) -> i32 {
    width("+0.000000", SMALL).max(width(&number(-largest(values)), SMALL)) + 6
}

/// A number at a tick of an axis of the given length: no more digits than
/// neighbours need to differ.
pub(super) fn tick(value: f64, length: f64) -> String {
    let decimals = (2.0 - length.log10().floor()).clamp(0.0, 9.0) as usize;
    let rounded: f64 = format!("{value:.decimals$}").parse().unwrap_or(value);
    let text = number(if rounded == 0.0 { 0.0 } else { rounded });
    if text.contains('.') && !text.contains('e') {
        text.trim_end_matches('0').trim_end_matches('.').to_owned()
    } else {
        text
    }
}

/// A number with its sign, positive ones too.
pub(super) fn signed(value: f64) -> String {
    let sign = if value > 0.0 { "+" } else { "" };
    format!("{sign}{}", number(value))
}
