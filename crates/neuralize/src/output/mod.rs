//! Results written to files: predictions, explanations and outlier scores, as
//! CSV, JSON, Parquet, an Excel workbook or a table for the terminal.

mod csv;
mod entries;
mod format;
mod json;
mod layout;
#[cfg(feature = "parquet")]
mod parquet;
mod results;
mod row;
mod selection;
mod table;
mod writer;
#[cfg(feature = "xlsx")]
mod xlsx;

pub use entries::{Entries, Entry};
pub use format::Format;
pub use results::Results;
pub use row::RowKey;
pub use selection::{Selection, Sort};
pub use writer::{ExplanationWriter, OutlierWriter, PredictionWriter};
