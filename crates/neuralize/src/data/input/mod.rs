//! Tables read from CSV, NumPy and Parquet files, in parts.

mod builder;
mod columns;
mod csv;
#[cfg(feature = "npy")]
mod npy;
mod options;
#[cfg(feature = "parquet")]
mod parquet;
mod reader;
mod rows;

pub use options::TableOptions;
pub use reader::TableReader;
