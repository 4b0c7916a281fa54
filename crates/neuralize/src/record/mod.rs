//! Models on disk.
//!
//! | way | functions | keeps |
//! |---|---|---|
//! | model folder, as the command reads and writes it | [`Model::save`], [`Model::load`], [`OutlierModel::save`] | scaler, clusterer, names, checksum |
//! | burnpack | [`save_burnpack`], [`load_burnpack`] | one module, exactly |
//! | safetensors | [`save_safetensors`], [`load_safetensors`] | one module, exactly, for other programs too |
//! | Burn's file recorders | [`save_record`], [`load_record`] | one module, in the recorder's precision |
//!
//! All of them write a file whole or not at all, and check a module after reading
//! it: names, ranks, shapes, finite values.

mod density;
mod folder;
mod kernel_kmeans;
mod mixture;
mod model;
mod module;
mod outliers;
mod recorder;
mod separable;
mod store;

pub use folder::{ModelConfig, ModelInfo, ModelKind, Precision, RecordFile};
pub(crate) use kernel_kmeans::consistent;
pub use model::Model;
pub use module::Stored;
pub(crate) use module::{Load, Shapes, agree, cast, check, check_beta, finite, usable};
pub use outliers::OutlierModel;
pub use recorder::{load_record, save_record};
pub(crate) use store::{burnpack_bytes, module_from_burnpack};
pub use store::{load_burnpack, load_safetensors, save_burnpack, save_safetensors};
