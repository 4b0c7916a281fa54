//! Models on disk.
//!
//! | way | functions | keeps |
//! |---|---|---|
//! | model folder, as the command reads and writes it | [`Model::save`], [`Model::load`], [`OutlierModel::save`] | scaler, clusterer, names, checksum |
//! | burnpack | [`save_burnpack`], [`load_burnpack`] | one module, exactly |
//! | safetensors | [`save_safetensors`], [`load_safetensors`] | one module, exactly, for other programs too |
//! | Burn's file recorders | [`save_record`], [`load_record`] | one module, in the recorder's precision |
//!
//! Every file is written whole or not at all. Every module is checked (names, ranks, shapes, finite
//! values) before a load function returns it.

mod folder;
mod kept_network;
mod model;
mod module;
mod outliers;
mod recorder;
mod store;

pub use folder::{ModelConfig, ModelInfo, ModelKind, Precision, RecordFile, check_folder};
pub use model::Model;
pub use module::Stored;
pub(crate) use module::cast;
pub use outliers::OutlierModel;
pub use recorder::{load_record, save_record};
pub(crate) use store::{burnpack_bytes, module_from_burnpack};
pub use store::{load_burnpack, load_safetensors, save_burnpack, save_safetensors};
