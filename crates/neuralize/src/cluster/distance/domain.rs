use burn::tensor::{DType, Tensor, backend::Backend};

use super::Separable;
use crate::error::{Error, Result};
use crate::{kernel, transfer};

/// An interval of values, and what to say of those outside.
#[derive(Debug, Clone, PartialEq)]
pub struct Domain {
    /// The lowest value.
    pub lowest: f64,
    /// The highest value.
    pub highest: f64,
    /// What values must be, and what to do about others; ends a sentence that
    /// names the cell.
    pub rule: String,
}

impl Domain {
    /// All values whose powers fit the precision; those whose squares do not
    /// have been refused before.
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

    fn holds(&self, value: f64) -> bool {
        (self.lowest..=self.highest).contains(&value)
    }

    fn error(&self, what: &'static str, row: usize, column: usize, value: f64) -> Error {
        Error::Domain { what, row, column, value, rule: self.rule.clone() }
    }
}

/// The smallest number of full precision, below which a logarithm may be −∞.
pub(super) fn smallest(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::MIN_POSITIVE,
        _ => f64::from(f32::MIN_POSITIVE),
    }
}

/// Whether all values are in the domain.
///
/// One pass on the device; the offending cell is looked for only after a
/// failure.
///
/// # Errors
///
/// For the first one that is not.
pub(crate) fn inside<B: Backend>(
    what: &'static str,
    x: &Tensor<B, 2>,
    domain: &Domain,
) -> Result<()> {
    if domain.lowest == f64::NEG_INFINITY && domain.highest == f64::INFINITY {
        return Ok(());
    }
    let [rows, columns] = x.dims();
    let largest = transfer::largest(x.dtype());
    let (lowest, highest) = (domain.lowest.max(-largest), domain.highest.min(largest));
    for range in kernel::blocks(rows, kernel::block_rows(columns)) {
        let block = x.clone().slice([range.clone(), 0..columns]);
        let outside = block.clone().lower_elem(lowest).bool_or(block.clone().greater_elem(highest));
        if transfer::all_true(outside.bool_not()) {
            continue;
        }
        let found = transfer::download(block)
            .into_iter()
            .enumerate()
            .find(|(_, value)| !domain.holds(*value));
        if let Some((index, value)) = found {
            return Err(domain.error(what, range.start + index / columns, index % columns, value));
        }
    }
    Ok(())
}

/// Whether centroids can be worked with: inside the domain and, for a Bregman
/// divergence, where its slope is finite. A feature in which all are equal has
/// no say in any decision, and may be on the edge.
///
/// # Errors
///
/// For the first value that is not.
pub(crate) fn centroids_inside<B: Backend>(
    what: &'static str,
    rule: &dyn Separable<B>,
    centroids: &Tensor<B, 2>,
) -> Result<()> {
    let [_, features] = centroids.dims();
    let dtype = centroids.dtype();
    inside(what, centroids, &rule.domain(dtype, features))?;
    let Some(bregman) = rule.bregman() else { return Ok(()) };
    let interior = bregman.interior(dtype, features);
    let values = transfer::download(centroids.clone());
    for (index, &value) in values.iter().enumerate() {
        let (row, column) = (index / features, index % features);
        let constant = || values.iter().skip(column).step_by(features).all(|v| *v == value);
        if !interior.holds(value) && !constant() {
            return Err(interior.error(what, row, column, value));
        }
    }
    Ok(())
}
