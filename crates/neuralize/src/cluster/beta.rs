//! The heuristic β as clusterers and networks store it: a parameter of one number,
//! because a record holds parameters only; NaN if it is not known.

use burn::tensor::{DType, backend::Backend};

use crate::error::{Error, Result};
use crate::host_param::HostParam;
use crate::transfer;

/// The number, if it is known.
pub(crate) fn known<B: Backend>(beta: &HostParam<B>) -> Option<f64> {
    Some(beta.first()).filter(|beta| beta.is_finite())
}

/// Checks a β given as a number.
///
/// # Errors
///
/// If it is negative, or not finite in the precision of the model.
pub(super) fn checked(beta: f64, dtype: DType) -> Result<f64> {
    if beta >= 0.0 && transfer::rounded(beta, dtype).is_finite() {
        return Ok(beta);
    }
    let rule = "a stored beta must be finite and at least 0 in the precision of the model";
    Err(Error::config("beta", beta, rule))
}
