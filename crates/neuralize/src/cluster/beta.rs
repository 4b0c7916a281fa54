//! The heuristic β as clusterers and networks keep it: a parameter of one number,
//! because records keep nothing else, NaN where it is not known.

use burn::module::Param;
use burn::tensor::{Tensor, backend::Backend};

use crate::error::Result;
use crate::transfer;

use super::config::config_error;

/// The number, if it is known.
pub(crate) fn known<B: Backend>(beta: &Param<Tensor<B, 1>>) -> Option<f64> {
    transfer::download(beta.val()).first().copied().filter(|beta| beta.is_finite())
}

/// A number that may be kept.
///
/// # Errors
///
/// If it is negative or not finite.
pub(super) fn checked(beta: f64) -> Result<f64> {
    if beta.is_finite() && beta >= 0.0 {
        Ok(beta)
    } else {
        Err(config_error("beta", beta, "a stored beta must be finite and at least 0"))
    }
}
