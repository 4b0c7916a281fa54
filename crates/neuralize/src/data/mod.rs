//! Named tables, scalers, CSV in and out.

mod file;
mod moments;
mod output;
#[cfg(feature = "pca")]
mod plane;
mod scaler;
mod table;

pub use file::WholeFile;
pub(crate) use moments::Moments;
pub use output::{ExplanationWriter, PredictionWriter};
#[cfg(feature = "pca")]
pub use plane::Plane;
pub use scaler::{Scale, Scaler, ScalerFit};
pub use table::{CsvOptions, Table, TableReader};
