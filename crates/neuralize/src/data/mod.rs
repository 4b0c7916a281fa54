//! Named tables read from files, scalers, and files that are replaced whole.

mod atomic_file;
mod input;
mod labels;
mod moments;
#[cfg(feature = "pca")]
mod plane;
mod row_set;
mod scaled;
mod scaler;
mod table;
mod transaction;
mod wine;

pub use atomic_file::AtomicFile;
pub use input::{TableOptions, TableReader};
#[cfg(feature = "report")]
pub(crate) use labels::classes;
pub(crate) use moments::Moments;
#[cfg(feature = "pca")]
pub use plane::Plane;
pub use row_set::RowSet;
pub use scaled::{ScaledParts, ScaledTable, part_rows};
pub use scaler::{Scale, Scaler, ScalerFit};
pub use table::Table;
pub(crate) use transaction::Transaction;
pub use transaction::{RollbackGuard, rollback_all};
