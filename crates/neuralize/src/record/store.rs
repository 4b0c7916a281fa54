use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{Bytes, DType, backend::Backend};
use burn_store::{BurnpackStore, ModuleSnapshot, ModuleStore, SafetensorsStore};

use crate::data::WholeFile;
use crate::error::{Error, Result};
use crate::record::module::{Shapes, Stored, cast, numbered};

/// Saves a module as a burnpack file, every number as it is.
///
/// # Errors
///
/// If the file cannot be written.
pub fn save_burnpack<B: Backend, M: Stored<B>>(module: &M, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let bytes = burnpack_bytes::<B, M>(module).map_err(|detail| Error::model(path, detail))?;
    write(path, &bytes)
}

/// Loads a module from a burnpack file, in the given precision.
///
/// # Errors
///
/// If the file is missing, truncated, not a burnpack file, or holds another
/// module.
pub fn load_burnpack<B: Backend, M: Stored<B>>(
    path: impl AsRef<Path>,
    device: &B::Device,
    dtype: DType,
) -> Result<M> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(Error::io(path))?;
    from_burnpack(bytes, device, dtype).map_err(unusable::<B, M>(path))
}

/// Saves a module as a safetensors file, every number as it is.
///
/// # Errors
///
/// If the file cannot be written.
pub fn save_safetensors<B: Backend, M: Stored<B>>(
    module: &M,
    path: impl AsRef<Path>,
) -> Result<()> {
    let path = path.as_ref();
    let mut store = SafetensorsStore::from_bytes(None);
    let module = numbered(module.clone());
    let saved = module.save_into(&mut store).and_then(|()| store.get_bytes());
    write(path, &saved.map_err(|error| Error::model(path, error.to_string()))?)
}

/// Loads a module from a safetensors file, in the given precision.
///
/// # Errors
///
/// If the file is missing, truncated, not a safetensors file, or holds another
/// module.
pub fn load_safetensors<B: Backend, M: Stored<B>>(
    path: impl AsRef<Path>,
    device: &B::Device,
    dtype: DType,
) -> Result<M> {
    let path = path.as_ref();
    let bytes = fs::read(path).map_err(Error::io(path))?;
    let mut store = SafetensorsStore::from_bytes(Some(bytes));
    load(&mut store, device, dtype).map_err(unusable::<B, M>(path))
}

fn write(path: &Path, bytes: &[u8]) -> Result<()> {
    let mut file = WholeFile::create(path)?;
    file.write_all(bytes).map_err(Error::io(path))?;
    file.finish()
}

fn unusable<B: Backend, M: Stored<B>>(path: &Path) -> impl FnOnce(String) -> Error {
    move |detail| Error::model(path, format!("is not a usable {}: {detail}", M::NAME))
}

/// The bytes of a burnpack file.
pub(super) fn burnpack_bytes<B: Backend, M: Module<B>>(module: &M) -> Result<Vec<u8>, String> {
    let mut store = BurnpackStore::from_bytes(None);
    let module = numbered(module.clone());
    let saved = module.save_into(&mut store).and_then(|()| store.get_bytes());
    saved.map(|bytes| bytes.to_vec()).map_err(|error| error.to_string())
}

/// A module from the bytes of a burnpack file.
pub(super) fn from_burnpack<B: Backend, M: Stored<B>>(
    bytes: Vec<u8>,
    device: &B::Device,
    dtype: DType,
) -> Result<M, String> {
    let mut store = BurnpackStore::from_bytes(Some(Bytes::from_bytes_vec(bytes)));
    load(&mut store, device, dtype)
}

fn load<B: Backend, M: Stored<B>, S: ModuleStore>(
    store: &mut S,
    device: &B::Device,
    dtype: DType,
) -> Result<M, String> {
    let words = |error: S::Error| error.to_string();
    let shapes: BTreeMap<String, Vec<usize>> = store
        .get_all_snapshots()
        .map_err(words)?
        .iter()
        .map(|(name, tensor)| (name.clone(), tensor.shape.to_vec()))
        .collect();
    let stored = store
        .get_all_snapshots()
        .map_err(words)?
        .values()
        .map(|tensor| tensor.dtype)
        .next()
        .unwrap_or(dtype);
    if !matches!(stored, DType::F32 | DType::F64 | DType::F16 | DType::BF16) {
        return Err(format!("its tensors are {stored:?}, expected floats"));
    }
    let mut module = M::blank(&Shapes::known(shapes), device, stored)?;
    let result = module.load_from(store).map_err(words)?;
    if !result.is_success() || !result.missing.is_empty() {
        return Err(result.to_string());
    }
    cast(module, dtype).checked()
}
