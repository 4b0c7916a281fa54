//! Tables read from text, NumPy and Parquet files, in parts.

mod builder;
mod cell;
mod columns;
mod csv;
mod decode;
mod dialect;
#[cfg(feature = "npy")]
mod npy;
mod number;
mod open;
mod options;
#[cfg(feature = "parquet")]
mod parquet;
mod quotes;
mod reader;
mod rows;

pub(in crate::data) use builder::TableBuilder;
pub(in crate::data) use cell::{Cell, Place};
pub(in crate::data) use columns::Columns;
pub use number::Decimal;
pub(in crate::data) use number::{Form, flag, is_missing, number};
pub(in crate::data) use open::{Opened, open, text};
pub use options::TableOptions;
pub use reader::TableReader;
pub(in crate::data) use rows::Sink;
