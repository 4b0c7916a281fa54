//! Tensors of PyTorch's own files (`.pt`, `.pth`).
//!
//! Since release 1.6, `torch.save` writes a zip archive ([`archive`]) of a pickle,
//! `NAME/data.pkl`, which describes the tensors, and one record of numbers for every
//! storage, `NAME/data/KEY`. Before, it wrote a few pickles and then the storages, one after
//! another ([`old`]).
//!
//! burn-store cannot read them: its release 0.21 takes every tensor for contiguous
//! (burn#5383), and a missing storage for zeros.

mod archive;
mod entry;
mod machine;
mod old;
mod pickle;
mod strides;

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use burn::module::ParamId;
use burn::tensor::{DType, Shape, TensorData};
use burn_store::{TensorSnapshot, TensorSnapshotError};

use archive::Archive;
use entry::{Entry, StoredTensor};

/// First bytes of a zip archive.
const ZIP: [u8; 4] = *b"PK\x03\x04";

/// All tensors in the dictionaries of a file, by their names there. Numbers are read
/// when they are needed, and errors in a tensor are reported then.
pub(super) fn tensors(path: &Path) -> Result<Vec<TensorSnapshot>, String> {
    let damaged = |error: std::io::Error| format!("the file is damaged: {error}");
    let mut file = BufReader::new(File::open(path).map_err(|error| error.to_string())?);
    let mut start = Vec::new();
    file.by_ref().take(old::MAGIC.len() as u64).read_to_end(&mut start).map_err(damaged)?;
    file.seek(SeekFrom::Start(0)).map_err(damaged)?;
    let (entries, storages) = if start.starts_with(&ZIP) {
        let mut archive = Archive::open(file)?;
        let entries = pickle::tensors(&archive.pickle()?)
            .map_err(|error| format!("{}data.pkl: {error}", archive.folder()))?;
        (entries, Storages::Archive(archive))
    } else if start == old::MAGIC {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(damaged)?;
        let (entries, file) = old::File::open(bytes)?;
        (entries, Storages::Old(file))
    } else {
        return Err("it is no file of `torch.save`: save it anew with a release of PyTorch \
                    since 1.6, or as safetensors"
            .to_string());
    };
    let storages = Rc::new(RefCell::new(storages));
    Ok(entries.into_iter().map(|(name, entry)| snapshot(name, entry, &storages)).collect())
}

fn snapshot(name: String, entry: Entry, storages: &Rc<RefCell<Storages>>) -> TensorSnapshot {
    let path = name.split('.').map(str::to_string).collect();
    let (size, dtype) = match &entry {
        Entry::Tensor(stored) => (stored.size.clone(), stored.storage.dtype()),
        Entry::Other(_) => (Vec::new(), None),
    };
    let storages = storages.clone();
    let read = move || {
        let data = match &entry {
            Entry::Tensor(stored) => storages.borrow_mut().numbers(stored),
            Entry::Other(how) => Err(format!("was saved by `{how}`; save a plain dense tensor")),
        };
        data.map_err(|error| TensorSnapshotError::DataError(format!("`{name}` {error}")))
    };
    // The type of an unreadable tensor does not matter: reading it ends in the error.
    let dtype = dtype.unwrap_or(DType::F32);
    TensorSnapshot::from_closure(
        Rc::new(read),
        dtype,
        Shape::from(size),
        path,
        Vec::new(),
        ParamId::new(),
    )
}

/// The storages of a file.
enum Storages {
    Archive(Archive),
    Old(old::File),
}

impl Storages {
    /// The numbers of a tensor in row-major order.
    fn numbers(&mut self, stored: &StoredTensor) -> Result<TensorData, String> {
        let StoredTensor { storage, offset, size, strides } = stored;
        let dtype = storage.dtype().ok_or_else(|| {
            format!("is of type `{}`, which Burn lacks: save it as float32", storage.kind)
        })?;
        if !strides::are_dense(size, strides) {
            return Err(format!(
                "has size {size:?} and strides {strides:?}, so its numbers are not dense: \
                 save `tensor.contiguous()`"
            ));
        }
        let bytes = match self {
            Self::Archive(archive) => archive.storage(&storage.key)?,
            Self::Old(file) => file.storage(&storage.key)?,
        };
        let bytes = section(bytes, *offset, size, dtype.size())
            .ok_or_else(|| format!("reaches beyond its storage of {} bytes", bytes.len()))?;
        let bytes = strides::row_major(bytes, dtype.size(), size, strides);
        Ok(TensorData::from_bytes_vec(bytes, Shape::from(size.clone()), dtype))
    }
}

/// The part of a storage that a dense tensor fills.
fn section<'a>(bytes: &'a [u8], offset: usize, size: &[usize], element: usize) -> Option<&'a [u8]> {
    let count = size.iter().try_fold(1usize, |count, size| count.checked_mul(*size))?;
    let start = offset.checked_mul(element)?;
    bytes.get(start..start.checked_add(count.checked_mul(element)?)?)
}
