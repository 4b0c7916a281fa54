//! Named tables, scalers, CSV in and out.

mod file;
mod moments;
mod output;
mod scaler;
mod table;

pub use file::WholeFile;
pub(crate) use moments::Moments;
pub use output::{ExplanationWriter, PredictionWriter};
pub use scaler::{Scale, Scaler, ScalerFit};
pub use table::{CsvOptions, Table, TableReader};
