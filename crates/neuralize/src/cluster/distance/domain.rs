//! The values that a distance is defined for.

use burn::tensor::{Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::kernel::{self, Flag};
use crate::transfer;

/// An interval of values.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Domain {
    pub(crate) lowest: f64,
    pub(crate) highest: f64,
    /// What a value outside must be, or what to do about it. Follows the cell
    /// in the error message.
    pub(super) rule: String,
}

impl Domain {
    /// Values up to a limit in magnitude, beyond which `what` overflow.
    pub(super) fn up_to(limit: f64, what: &str) -> Self {
        Self {
            lowest: -limit,
            highest: limit,
            rule: format!(
                "{what} overflow beyond {limit:e} in this precision; rescale the data or use f64"
            ),
        }
    }

    pub(super) fn everywhere() -> Self {
        Self { lowest: f64::NEG_INFINITY, highest: f64::INFINITY, rule: String::new() }
    }

    pub(super) fn contains(&self, value: f64) -> bool {
        (self.lowest..=self.highest).contains(&value)
    }

    pub(super) fn error(&self, what: &'static str, row: usize, column: usize, value: f64) -> Error {
        Error::Domain { what, row, column, value, rule: self.rule.clone() }
    }
}

/// Whether all values are in the domain.
pub(crate) fn within<B: Backend>(x: &Tensor<B, 2>, domain: &Domain) -> Flag<B> {
    if domain.lowest == f64::NEG_INFINITY && domain.highest == f64::INFINITY {
        return Flag::Known(true);
    }
    let [rows, columns] = x.dims();
    let largest = transfer::largest(x.dtype());
    let (lowest, highest) = (domain.lowest.max(-largest), domain.highest.min(largest));
    kernel::blocks(rows, kernel::block_rows(columns))
        .map(|range| {
            let block = x.clone().slice([range, 0..columns]);
            let outside =
                block.clone().lower_elem(lowest).bool_or(block.clone().greater_elem(highest));
            Flag::all(outside.bool_not())
        })
        .collect()
}

/// Checks that all values are in the domain.
///
/// One pass on the device; the offending cell is looked for only after a
/// failure.
///
/// # Errors
///
/// Names the first value that is not.
pub(crate) fn inside<B: Backend>(
    what: &'static str,
    x: &Tensor<B, 2>,
    domain: &Domain,
) -> Result<()> {
    if within(x, domain).read() {
        return Ok(());
    }
    let [rows, columns] = x.dims();
    for range in kernel::blocks(rows, kernel::block_rows(columns)) {
        let block = x.clone().slice([range.clone(), 0..columns]);
        let found = transfer::download(block)
            .into_iter()
            .enumerate()
            .find(|(_, value)| !domain.contains(*value));
        if let Some((index, value)) = found {
            return Err(domain.error(what, range.start + index / columns, index % columns, value));
        }
    }
    Ok(())
}
