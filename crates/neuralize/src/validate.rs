//! Checks at the public boundary: shape, precision, finite and safe values.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{DType, Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::kernel;
use crate::transfer;

/// Whether a device of the backend can be used at all.
///
/// A GPU backend compiles on machines that have no GPU; what it does there is
/// panic at the first tensor. This asks first.
///
/// # Errors
///
/// If the device cannot be opened, or adds up wrongly.
pub fn check_device<B: Backend>(device: &B::Device) -> Result<()> {
    let sum = catch_unwind(AssertUnwindSafe(|| {
        let values = transfer::upload::<B, 1>(vec![1.0, 2.0], [2], device, DType::F32);
        transfer::download(values.sum())
    }));
    match sum {
        Ok(sum) if sum == [3.0] => Ok(()),
        _ => Err(Error::NoDevice { device: format!("{device:?}") }),
    }
}

/// Accepts F32 and F64, and only where the device computes them correctly.
pub(crate) fn dtype<B: Backend>(
    what: &'static str,
    device: &B::Device,
    dtype: DType,
) -> Result<()> {
    match dtype {
        DType::F32 => Ok(()),
        DType::F64 if kernel::computes_f64::<B>(device) => Ok(()),
        DType::F64 => Err(Error::UnreliableDType { backend: B::name(device), dtype }),
        found => Err(Error::UnsupportedDType { what, found }),
    }
}

/// Rows × columns with at least one of each.
pub(crate) fn not_empty<B: Backend>(what: &'static str, x: &Tensor<B, 2>) -> Result<()> {
    match x.dims() {
        [0, _] | [_, 0] => Err(Error::Empty { what }),
        _ => Ok(()),
    }
}

/// Data that a model can be made from: at least one row and one column, in a
/// precision that is supported, of values that can be squared.
pub(crate) fn table<B: Backend>(what: &'static str, x: &Tensor<B, 2>) -> Result<()> {
    not_empty(what, x)?;
    dtype::<B>(what, &x.device(), x.dtype())?;
    values(what, x)
}

/// The magnitude up to which a squared distance over `columns` features stays finite.
fn limit(dtype: DType, columns: usize) -> f64 {
    // Scores reach 4 D m², and NEON multiplies them once more by factors up to 4.
    (transfer::largest(dtype) / (32.0 * columns.max(1) as f64)).sqrt()
}

/// Every value finite and small enough to be squared.
///
/// One pass on the device; the offending cell is looked for only after a failure.
pub(crate) fn values<B: Backend>(what: &'static str, x: &Tensor<B, 2>) -> Result<()> {
    let [rows, columns] = x.dims();
    let limit = limit(x.dtype(), columns);
    if kernel::all_within(x, limit) {
        return Ok(());
    }
    for range in kernel::blocks(rows, kernel::block_rows(columns)) {
        let block = x.clone().slice([range.clone(), 0..columns]);
        let found = transfer::download(block)
            .into_iter()
            .enumerate()
            .find(|(_, value)| !value.is_finite() || value.abs() > limit);
        if let Some((index, value)) = found {
            let (row, column) = (range.start + index / columns, index % columns);
            return Err(if value.is_finite() {
                Error::TooLarge { what, row, column, value, limit }
            } else {
                Error::NonFinite { what, row, column, value }
            });
        }
    }
    Ok(())
}

/// Data for a model of `features` columns in precision `expected`.
pub(crate) fn input<B: Backend>(
    what: &'static str,
    x: &Tensor<B, 2>,
    features: usize,
    expected: DType,
) -> Result<()> {
    let [rows, columns] = x.dims();
    if columns != features {
        return Err(Error::shape(what, format!("[rows, {features}]"), &[rows, columns]));
    }
    // Some backends give a slice of no rows another precision.
    if rows > 0 && x.dtype() != expected {
        return Err(Error::DTypeMismatch { what, expected, found: x.dtype() });
    }
    values(what, x)
}
