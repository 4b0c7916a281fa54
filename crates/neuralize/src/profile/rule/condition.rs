//! Conditions on the cells of a row.

use crate::profile::clustered_rows::{Cells, ColumnValues};
use crate::profile::shares::value_at;
use crate::text::words as shown;

/// Maximum number of conditions of a rule; a range counts as two.
pub const MAX_CONDITIONS: usize = 3;

/// A condition on the cell of one column.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Condition {
    /// The column, counted from 0.
    pub column: usize,
    /// What its cell has to be.
    pub test: Test,
}

/// What a cell has to be.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Test {
    /// Greater than a number.
    Above(f64),
    /// At most a number.
    AtMost(f64),
    /// Greater than the first number and at most the second.
    Between(f64, f64),
    /// The value of a category; 1 for `yes` of a flag, 0 for `no`.
    Is(usize),
    /// Any other value of a category.
    IsNot(usize),
}

impl Condition {
    /// Whether the cell of a row satisfies it; a filled one does not.
    pub(super) fn is_satisfied(&self, column: &ColumnValues<'_>, row: usize) -> bool {
        if column.is_filled(row) {
            return false;
        }
        let value = || value_at(column, row);
        match (column.cells(), self.test) {
            (Cells::Numbers(values), Test::Above(low)) => values[row] > low,
            (Cells::Numbers(values), Test::AtMost(high)) => values[row] <= high,
            (Cells::Numbers(values), Test::Between(low, high)) => {
                values[row] > low && values[row] <= high
            }
            (Cells::Flags(_) | Cells::Category { .. }, Test::Is(wanted)) => value() == Some(wanted),
            (Cells::Flags(_) | Cells::Category { .. }, Test::IsNot(other)) => {
                value() != Some(other)
            }
            _ => false,
        }
    }

    /// Whether it says something that an earlier condition leaves open: on one column only the
    /// other side, or that a value is not another one either.
    pub(super) fn can_follow(&self, earlier: &Self) -> bool {
        use Test::{Above, AtMost, IsNot};
        self.column != earlier.column
            || match (earlier.test, self.test) {
                (Above(low), AtMost(high)) | (AtMost(high), Above(low)) => low < high,
                (IsNot(one), IsNot(other)) => one != other,
                _ => false,
            }
    }

    /// Where it stands in a rule.
    pub(super) fn order(&self) -> (usize, usize, usize) {
        match self.test {
            Test::Above(_) | Test::Between(..) => (self.column, 0, 0),
            Test::AtMost(_) => (self.column, 1, 0),
            Test::Is(value) => (self.column, 2, value),
            Test::IsNot(value) => (self.column, 3, value),
        }
    }

    /// `a > 5.5`
    pub(super) fn text(&self, column: &ColumnValues<'_>) -> String {
        let name = shown::name(column.name());
        match self.test {
            Test::Above(low) => format!("{name} > {}", column.threshold(low)),
            Test::AtMost(high) => format!("{name} ≤ {}", column.threshold(high)),
            Test::Between(low, high) => {
                format!("{} < {name} ≤ {}", column.threshold(low), column.threshold(high))
            }
            Test::Is(value) => format!("{name} = {}", column.value_name(value)),
            Test::IsNot(value) => format!("{name} ≠ {}", column.value_name(value)),
        }
    }
}

/// The same conditions with two thresholds of one column as a range.
pub(super) fn merged(conditions: &[Condition]) -> Vec<Condition> {
    let mut merged: Vec<Condition> = Vec::new();
    for &condition in conditions {
        let same = merged.iter_mut().find(|earlier| earlier.column == condition.column);
        match (same, condition.test) {
            (Some(Condition { test: earlier @ Test::Above(_), .. }), Test::AtMost(high)) => {
                if let Test::Above(low) = *earlier {
                    *earlier = Test::Between(low, high);
                }
            }
            _ => merged.push(condition),
        }
    }
    merged
}
