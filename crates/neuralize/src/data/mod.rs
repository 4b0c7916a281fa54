//! Named tables, scalers, CSV in and out.

mod file;
mod output;
mod scaler;
mod table;

pub use file::WholeFile;
pub use output::{ExplanationWriter, PredictionWriter};
pub use scaler::{Scale, Scaler};
pub use table::{CsvOptions, Table, TableReader};
