//! Burn modules that run others: in a row, or around a skip connection.
//!
//! They save and load like any module. Parameters are named as layers are on
//! a tape, so that a selector and a file speak of the same thing.

mod identity;
mod residual;
mod sequential;

pub use identity::Identity;
pub use residual::Residual;
pub use sequential::Sequential;
