//! Checks of the settings that the configurations of several fits share.

use crate::error::{Error, Result};

/// Refuses 0.
pub(super) fn at_least_one(settings: &[(&'static str, usize)]) -> Result<()> {
    match settings.iter().find(|(_, value)| *value == 0) {
        Some((name, _)) => Err(Error::config(name, 0, "it must be at least 1")),
        None => Ok(()),
    }
}

/// Refuses a tolerance that is negative or not finite.
pub(super) fn tolerance(tol: f64) -> Result<()> {
    if tol.is_finite() && tol >= 0.0 {
        Ok(())
    } else {
        Err(Error::config("tol", tol, "it must be finite and at least 0"))
    }
}
