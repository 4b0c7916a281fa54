//! Named tables read from files, scalers, and files that are replaced whole.

mod atomic_file;
mod encoding;
mod input;
mod labels;
mod moments;
#[cfg(feature = "pca")]
mod plane;
mod row_set;
mod scaled;
mod scaler;
mod survey;
mod table;
mod transaction;
mod wine;

pub use crate::text::Shown;
pub use atomic_file::AtomicFile;
pub use encoding::{Column, Encoding, Kind, Missing};
pub use input::{Decimal, TableOptions, TableReader};
pub(crate) use labels::classes;
pub(crate) use moments::{Moments, is_constant};
#[cfg(feature = "pca")]
pub use plane::Plane;
pub use row_set::RowSet;
pub use scaled::{ScaledParts, ScaledTable, part_rows};
pub use scaler::{Scale, Scaler, ScalerFit};
pub use survey::{ColumnKind, Extreme, Found, Survey, SurveyOptions};
pub use table::{Gaps, Table};
pub(crate) use transaction::Transaction;
pub use transaction::{RollbackGuard, rollback_all};
