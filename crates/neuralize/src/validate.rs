//! Checks at the public boundary: shape, precision, finite and safe values.

use std::any::TypeId;
use std::collections::BTreeMap;
use std::fmt::Debug;
use std::sync::{Mutex, PoisonError};

use burn::tensor::backend::{Backend, DeviceOps};
use burn::tensor::{DType, Tensor};

use crate::error::{Error, Result};
use crate::kernel::{self, Flag};
use crate::transfer;

/// Whether a device of the backend can be used at all.
///
/// A GPU backend compiles on machines that have no GPU, where it panics at the first tensor. Call
/// this first.
///
/// # Errors
///
/// If the device cannot be opened, or computes a sum wrongly.
pub fn check_device<B: Backend>(device: &B::Device) -> Result<()> {
    if transfer::computes::<B>(device) {
        return Ok(());
    }
    Err(Error::NoDevice { device: format!("{device:?}") })
}

/// Accepts F32, and F64 where the device computes it correctly.
pub(crate) fn dtype<B: Backend>(
    what: &'static str,
    device: &B::Device,
    dtype: DType,
) -> Result<()> {
    match dtype {
        DType::F32 => Ok(()),
        DType::F64 if computes_f64::<B>(device) => Ok(()),
        DType::F64 => Err(Error::UnreliableDType { backend: B::name(device), dtype }),
        found => Err(Error::UnsupportedDType { what, found }),
    }
}

/// Whether the device computes F64 as IEEE 754 says, tried once per backend and device.
fn computes_f64<B: Backend>(device: &B::Device) -> bool {
    type Key = (TypeId, u16, u16);
    static TRIED: Mutex<BTreeMap<Key, bool>> = Mutex::new(BTreeMap::new());
    let id = device.id();
    let key = (TypeId::of::<B>(), id.type_id, id.index_id);
    let tried = || TRIED.lock().unwrap_or_else(PoisonError::into_inner);
    let known = tried().get(&key).copied();
    known.unwrap_or_else(|| {
        // The lock is free meanwhile: opening a device may take long, or panic.
        let computes = try_f64::<B>(device);
        tried().insert(key, computes);
        computes
    })
}

/// Some devices claim F64 and return garbage from its transcendental functions, so the claim is
/// tried instead of believed.
fn try_f64<B: Backend>(device: &B::Device) -> bool {
    const POINTS: [f64; 4] = [-0.5, -2.0, -13.0, 0.75];
    if !B::supports_dtype(device, DType::F64) {
        return false;
    }
    let points = transfer::upload::<B, 1>(POINTS.to_vec(), [POINTS.len()], device, DType::F64);
    if points.dtype() != DType::F64 {
        return false;
    }
    transfer::download(points.exp())
        .iter()
        .zip(POINTS)
        .all(|(found, point)| (found - point.exp()).abs() <= 1e-13 * point.exp())
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

/// Whether every value is finite and small enough to be squared.
pub(crate) fn usable<B: Backend>(x: &Tensor<B, 2>) -> Flag<B> {
    kernel::within(x, limit(x.dtype(), x.dims()[1]))
}

/// Every value finite and small enough to be squared.
///
/// One pass on the device; the offending cell is looked for only after a failure.
pub(crate) fn values<B: Backend>(what: &'static str, x: &Tensor<B, 2>) -> Result<()> {
    let [rows, columns] = x.dims();
    let limit = limit(x.dtype(), columns);
    if kernel::within(x, limit).read() {
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

/// Data for a model of `features` columns that has this parameter: on its device, in its
/// precision, of values that can be squared.
pub(crate) fn rows<B: Backend, const D: usize>(
    x: &Tensor<B, 2>,
    features: usize,
    parameter: &Tensor<B, D>,
) -> Result<()> {
    form(x, features, parameter)?;
    values("x", x)
}

/// Data on the device of a model.
pub(crate) fn same_device<D: PartialEq + Debug>(
    what: &'static str,
    found: &D,
    expected: &D,
) -> Result<()> {
    if found == expected {
        return Ok(());
    }
    let (found, expected) = (format!("{found:?}"), format!("{expected:?}"));
    Err(Error::DeviceMismatch { what, expected, found })
}

/// Data in the precision and on the device of other data.
pub(crate) fn beside<B: Backend, const D: usize, const E: usize>(
    what: &'static str,
    x: &Tensor<B, D>,
    other: &Tensor<B, E>,
) -> Result<()> {
    same_device(what, &x.device(), &other.device())?;
    if x.dtype() != other.dtype() {
        let (expected, found) = (other.dtype(), x.dtype());
        return Err(Error::DTypeMismatch { what, expected, found });
    }
    Ok(())
}

/// As [`rows`], without a look at the values.
pub(crate) fn form<B: Backend, const D: usize>(
    x: &Tensor<B, 2>,
    features: usize,
    parameter: &Tensor<B, D>,
) -> Result<()> {
    let device = x.device();
    same_device("x", &device, &parameter.device())?;
    if matches!(parameter.dtype(), DType::QFloat(_)) {
        return Err(Error::Quantised);
    }
    dtype::<B>("x", &device, x.dtype())?;
    like("x", x, features, parameter.dtype())
}

/// Data of `features` columns in precision `expected`.
pub(crate) fn input<B: Backend>(
    what: &'static str,
    x: &Tensor<B, 2>,
    features: usize,
    expected: DType,
) -> Result<()> {
    like(what, x, features, expected)?;
    values(what, x)
}

/// Data of `features` columns in precision `expected`, of any values.
fn like<B: Backend>(
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
    Ok(())
}
