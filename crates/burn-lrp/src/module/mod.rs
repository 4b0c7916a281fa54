//! Burn modules that run others: in a row, or around a skip connection.
//!
//! They save and load like any module. Parameters are named like layers on
//! a tape, so that selectors and files use the same names.

mod identity;
mod residual;
mod sequential;

pub use identity::Identity;
pub use residual::Residual;
pub use sequential::Sequential;
