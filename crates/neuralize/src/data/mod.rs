//! Named tables read from files, scalers, results written to files.

mod file;
mod input;
mod moments;
mod output;
#[cfg(feature = "pca")]
mod plane;
mod scaler;
mod table;
mod unfinished;

pub use file::WholeFile;
pub use input::{TableOptions, TableReader};
pub(crate) use moments::Moments;
pub use output::{
    ExplanationWriter, Format, OutlierWriter, PredictionWriter, Results, RowSet, Selection, Sort,
};
#[cfg(feature = "pca")]
pub use plane::Plane;
pub use scaler::{Scale, Scaler, ScalerFit};
pub use table::Table;
#[cfg(feature = "report")]
pub(crate) use table::numbered;
pub(crate) use unfinished::Unfinished;
pub use unfinished::{Stopped, remove_unfinished};
