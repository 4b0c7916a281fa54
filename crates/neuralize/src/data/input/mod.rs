//! Tables read from files of many kinds, in parts.

#[cfg(any(feature = "npy", feature = "xlsx"))]
mod archive;
#[cfg(feature = "arrow")]
mod arrow;
mod blanks;
mod builder;
mod cell;
#[cfg(test)]
mod collect;
#[cfg(any(feature = "arrow", feature = "parquet"))]
mod columnar;
mod columns;
mod csv;
mod decode;
mod dialect;
mod folder;
#[cfg(any(feature = "arrow", feature = "parquet", feature = "xlsx"))]
mod guard;
mod header;
mod json;
#[cfg(feature = "npy")]
mod npy;
#[cfg(feature = "npy")]
mod npz;
mod number;
mod open;
mod opened;
mod options;
#[cfg(feature = "parquet")]
mod parquet;
mod quotes;
mod reader;
mod rows;
mod spaces;
#[cfg(feature = "xlsx")]
mod xlsx;

pub(in crate::data) use builder::{TableBuilder, label_text};
pub(in crate::data) use cell::{Cell, Place};
pub(in crate::data) use columns::Columns;
pub use number::Decimal;
pub(in crate::data) use number::{Form, currency, flag, is_missing, number};
pub(in crate::data) use open::{open, text};
pub(in crate::data) use opened::Opened;
pub use options::TableOptions;
pub use reader::TableReader;
pub(in crate::data) use rows::Sink;
