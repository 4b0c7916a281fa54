//! Modules as burnpack and safetensors files.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{Bytes, DType, backend::Backend};
use burn_store::{BurnpackStore, ModuleSnapshot, ModuleStore, SafetensorsStore, TensorSnapshot};

use crate::data::AtomicFile;
use crate::error::{Error, Result};
use crate::load::Shapes;
use crate::record::module::{Stored, cast, numbered};

/// Saves a module as a burnpack file, with every number unchanged.
///
/// # Errors
///
/// If the file cannot be written.
pub fn save_burnpack<B: Backend, M: Stored<B>>(module: &M, path: impl AsRef<Path>) -> Result<()> {
    let path = path.as_ref();
    let bytes = burnpack_bytes::<B, M>(module).map_err(|detail| Error::model(path, detail))?;
    AtomicFile::write(path, &bytes)
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

/// Saves a module as a safetensors file, with every number unchanged.
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
    AtomicFile::write(path, &saved.map_err(|error| Error::model(path, error.to_string()))?)
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

fn unusable<B: Backend, M: Stored<B>>(path: &Path) -> impl FnOnce(String) -> Error {
    move |detail| Error::model(path, format!("is not a usable {}: {detail}", M::NAME))
}

/// The bytes of a burnpack file.
pub(crate) fn burnpack_bytes<B: Backend, M: Module<B>>(module: &M) -> Result<Vec<u8>, String> {
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

/// A module from the bytes of a burnpack file, loaded into a blank one of the shapes in it. Its
/// values are not checked.
pub(crate) fn module_from_burnpack<B: Backend, M: Module<B>>(
    bytes: Vec<u8>,
    dtype: DType,
    blank: impl FnOnce(&Shapes) -> Result<M, String>,
) -> Result<M, String> {
    let mut store = BurnpackStore::from_bytes(Some(Bytes::from_bytes_vec(bytes)));
    load_into(&mut store, dtype, blank)
}

fn load<B: Backend, M: Stored<B>, S: ModuleStore>(
    store: &mut S,
    device: &B::Device,
    dtype: DType,
) -> Result<M, String> {
    load_into(store, dtype, |shapes| M::blank(shapes, device, dtype))?.checked()
}

/// Numbers are converted on the host, because not every device supports the file's precision.
fn load_into<B: Backend, M: Module<B>, S: ModuleStore>(
    store: &mut S,
    dtype: DType,
    blank: impl FnOnce(&Shapes) -> Result<M, String>,
) -> Result<M, String> {
    let mut shapes = BTreeMap::new();
    let mut tensors = Vec::new();
    for (name, tensor) in store.get_all_snapshots().map_err(|error| error.to_string())? {
        if !matches!(tensor.dtype, DType::F32 | DType::F64 | DType::F16 | DType::BF16) {
            return Err(format!("its tensor `{name}` is {:?}, expected floats", tensor.dtype));
        }
        let data = tensor.to_data().map_err(|error| error.to_string())?;
        if data.bytes.len() != data.shape.num_elements() * data.dtype.size() {
            return Err(format!("its tensor `{name}` is cut off"));
        }
        shapes.insert(name.clone(), data.shape.to_vec());
        tensors.push(TensorSnapshot::from_data(
            data.convert_dtype(dtype),
            name.split('.').map(str::to_owned).collect(),
            tensor.container_stack.clone().unwrap_or_default(),
            tensor.tensor_id.unwrap_or_default(),
        ));
    }
    let mut module = blank(&Shapes::known(shapes))?;
    let result = module.apply(tensors, None, None, false);
    if !result.is_success() || !result.missing.is_empty() {
        return Err(result.to_string());
    }
    // Another module may have all parameters of this one and more.
    if !result.unused.is_empty() {
        return Err(format!("it has tensors that this module lacks: {:?}", result.unused));
    }
    Ok(cast(module, dtype))
}
