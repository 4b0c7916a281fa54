//! Row numbers written as `60,61,100-120`.

use std::ops::RangeInclusive;
use std::str::FromStr;

use crate::error::{Error, Result};

/// A set of row numbers, counted from 0, in ascending order: `60,61,100-120`.
///
/// ```
/// use neuralize::data::RowSet;
///
/// let rows: RowSet = "100-102, 7,101".parse()?;
/// assert_eq!(rows.within(0..1000).collect::<Vec<_>>(), [7, 100, 101, 102]);
/// assert_eq!(rows.last(), 102);
/// assert!("3-1".parse::<RowSet>().is_err());
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowSet {
    /// One or more, ascending, with gaps between them.
    ranges: Vec<RangeInclusive<usize>>,
}

impl RowSet {
    /// The highest row number.
    pub fn last(&self) -> usize {
        self.ranges.last().map_or(0, |range| *range.end())
    }

    /// The row numbers in a range.
    pub fn within(&self, range: std::ops::Range<usize>) -> impl Iterator<Item = usize> + '_ {
        let first = self.ranges.partition_point(|known| *known.end() < range.start);
        let touching = self.ranges[first..].iter().take_while({
            let end = range.end;
            move |known| *known.start() < end
        });
        touching.flat_map(move |known| {
            range.start.max(*known.start())..range.end.min(known.end().saturating_add(1))
        })
    }

    /// The `count` lowest row numbers; one if `count` is 0.
    pub fn lowest(&self, count: usize) -> Self {
        let mut left = count.max(1);
        let mut ranges = Vec::new();
        for range in &self.ranges {
            let length = (range.end() - range.start()).saturating_add(1);
            let taken = length.min(left);
            ranges.push(*range.start()..=range.start() + (taken - 1));
            left -= taken;
            if left == 0 {
                break;
            }
        }
        Self { ranges }
    }
}

impl FromStr for RowSet {
    type Err = Error;

    /// Reads numbers and ranges (`100-120`), separated by commas.
    fn from_str(text: &str) -> Result<Self> {
        let fail = |rule: String| Error::Config { name: "rows", value: text.to_owned(), rule };
        let number = |digits: &str| {
            digits
                .trim()
                .parse::<usize>()
                .map_err(|_| fail(format!("`{}` is not a row number", digits.trim())))
        };
        let mut ranges = Vec::new();
        for item in text.split(',') {
            let (first, last) = match item.split_once('-') {
                Some((first, last)) => (number(first)?, number(last)?),
                None => (number(item)?, number(item)?),
            };
            if first > last {
                return Err(fail(format!("the range {first}-{last} runs backwards")));
            }
            ranges.push(first..=last);
        }
        ranges.sort_by_key(|range| *range.start());
        let mut merged: Vec<RangeInclusive<usize>> = Vec::with_capacity(ranges.len());
        for range in ranges {
            match merged.last_mut() {
                Some(last) if *range.start() <= last.end().saturating_add(1) => {
                    *last = *last.start()..=*last.end().max(range.end());
                }
                _ => merged.push(range),
            }
        }
        Ok(Self { ranges: merged })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> RowSet {
        text.parse().expect("rows")
    }

    #[test]
    fn numbers_and_ranges_are_merged() {
        assert_eq!(rows("5,3,4,4-6,9"), rows("3-6,9"));
        assert_eq!(rows(" 2 - 4 ,3"), rows("2,3,4"));
        assert_eq!(rows("0-18446744073709551615,7").last(), usize::MAX);
        for (text, says) in [
            ("", "`` is not a row number"),
            ("1,,2", "`` is not a row number"),
            ("-3", "`` is not a row number"),
            ("3-", "`` is not a row number"),
            ("1.5", "`1.5` is not a row number"),
            ("99999999999999999999", "is not a row number"),
            ("7-3", "the range 7-3 runs backwards"),
        ] {
            let error = text.parse::<RowSet>().expect_err("no rows").to_string();
            assert!(error.contains(says), "{text}: {error}");
        }
    }

    #[test]
    fn parts_see_their_own_rows() {
        let rows = rows("3-5,8,10-12");
        let within = |range| rows.within(range).collect::<Vec<_>>();
        assert!(within(0..3).is_empty());
        assert_eq!(within(4..9), [4, 5, 8]);
        assert_eq!(within(9..11), [10]);
        assert_eq!(within(0..100).len(), 7);
        assert!(within(13..100).is_empty());
        assert_eq!(rows.lowest(4).within(0..100).collect::<Vec<_>>(), [3, 4, 5, 8]);
        assert_eq!(rows.lowest(2).last(), 4);
        assert_eq!(rows.lowest(100), rows);
    }
}
