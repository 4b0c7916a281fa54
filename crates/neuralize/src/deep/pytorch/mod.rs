//! Tensors of PyTorch's own files (`.pt`, `.pth`).
//!
//! Since release 1.6 `torch.save` writes a zip archive of a pickle, `NAME/data.pkl`,
//! which says what tensors there are, and one record of numbers for every
//! storage, `NAME/data/KEY`. Before, it wrote a few pickles and then the
//! storages, one after another ([`old`]).
//!
//! They are read here and not by burn-store, whose release 0.21 takes every tensor
//! for contiguous (burn#5383) and what it cannot find for zeros.

mod old;
mod pickle;
mod strides;

use std::cell::RefCell;
use std::fs::File;
use std::io::{BufReader, Read, Seek, SeekFrom};
use std::path::Path;
use std::rc::Rc;

use burn::module::ParamId;
use burn::tensor::{BoolStore, DType, Shape, TensorData};
use burn_store::{TensorSnapshot, TensorSnapshotError};
use zip::ZipArchive;

use pickle::{Found, Stored};

/// First bytes of a zip archive.
const ZIP: [u8; 4] = *b"PK\x03\x04";
/// Of a pickle, whose values take more memory than its bytes.
const LONGEST_PICKLE: u64 = 1 << 25;

/// All tensors in the dictionaries of a file, by their names there; numbers are read
/// when they are asked for, and what is wrong with a tensor is said then.
pub(super) fn tensors(path: &Path) -> Result<Vec<TensorSnapshot>, String> {
    let damaged = |error: std::io::Error| format!("the file is damaged: {error}");
    let mut file = BufReader::new(File::open(path).map_err(|error| error.to_string())?);
    let mut start = Vec::new();
    file.by_ref().take(old::MAGIC.len() as u64).read_to_end(&mut start).map_err(damaged)?;
    file.seek(SeekFrom::Start(0)).map_err(damaged)?;
    let (found, storages) = if start.starts_with(&ZIP) {
        let mut archive = Archive::open(file)?;
        let found = pickle::tensors(&archive.pickle()?)
            .map_err(|error| format!("{}data.pkl: {error}", archive.folder))?;
        (found, Storages::Archive(archive))
    } else if start == old::MAGIC {
        let mut bytes = Vec::new();
        file.read_to_end(&mut bytes).map_err(damaged)?;
        let (found, file) = old::File::open(bytes)?;
        (found, Storages::Old(file))
    } else {
        return Err("`torch.save` has not written it so: save it anew with a release of PyTorch \
                    since 1.6, or as safetensors"
            .to_string());
    };
    let storages = Rc::new(RefCell::new(storages));
    Ok(found.into_iter().map(|(name, found)| snapshot(name, found, &storages)).collect())
}

fn snapshot(name: String, found: Found, storages: &Rc<RefCell<Storages>>) -> TensorSnapshot {
    let path = name.split('.').map(str::to_string).collect();
    let (size, dtype) = match &found {
        Found::Tensor(stored) => (stored.size.clone(), dtype(&stored.storage.kind)),
        Found::Other(_) => (Vec::new(), None),
    };
    let storages = storages.clone();
    let read = move || {
        let data = match &found {
            Found::Tensor(stored) => storages.borrow_mut().numbers(stored),
            Found::Other(how) => Err(format!("was saved by `{how}`; save a plain dense tensor")),
        };
        data.map_err(|error| TensorSnapshotError::DataError(format!("`{name}` {error}")))
    };
    // Of what cannot be read nobody sees the type: it ends in the error.
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

/// The type of numbers in a storage, if Burn has it.
fn dtype(kind: &str) -> Option<DType> {
    Some(match kind.rsplit('.').next()? {
        "DoubleStorage" => DType::F64,
        "FloatStorage" => DType::F32,
        "HalfStorage" => DType::F16,
        "BFloat16Storage" => DType::BF16,
        "LongStorage" => DType::I64,
        "IntStorage" => DType::I32,
        "ShortStorage" => DType::I16,
        "CharStorage" => DType::I8,
        "ByteStorage" => DType::U8,
        "BoolStorage" => DType::Bool(BoolStore::Native),
        _ => return None,
    })
}

/// Where numbers are.
enum Storages {
    Archive(Archive),
    Old(old::File),
}

impl Storages {
    /// The numbers of a tensor, the last dimension running fastest.
    fn numbers(&mut self, stored: &Stored) -> Result<TensorData, String> {
        let Stored { storage, offset, size, strides } = stored;
        let dtype = dtype(&storage.kind).ok_or_else(|| {
            format!("is of type `{}`, which is not read: save it as float32", storage.kind)
        })?;
        if !strides::are_dense(size, strides) {
            return Err(format!(
                "has size {size:?} and strides {strides:?}, so its numbers do not lie together: \
                 save `tensor.contiguous()`"
            ));
        }
        let bytes = match self {
            Self::Archive(archive) => archive.storage(&storage.key)?,
            Self::Old(file) => file.storage(&storage.key)?,
        };
        let bytes = section(bytes, *offset, size, dtype.size())
            .ok_or_else(|| format!("reaches beyond its storage of {} bytes", bytes.len()))?;
        let bytes = strides::in_order(bytes, dtype.size(), size, strides);
        Ok(TensorData::from_bytes_vec(bytes, Shape::from(size.clone()), dtype))
    }
}

struct Archive {
    zip: ZipArchive<BufReader<File>>,
    /// What all names in it begin with.
    folder: String,
    /// The storage read last, by its key: views of one storage follow each other.
    last: Option<(String, Vec<u8>)>,
}

impl Archive {
    fn open(file: BufReader<File>) -> Result<Self, String> {
        let damaged = |error: &dyn std::fmt::Display| format!("the file is damaged: {error}");
        let zip = ZipArchive::new(file).map_err(|error| damaged(&error))?;
        let folder = zip
            .file_names()
            .filter_map(|name| name.strip_suffix("data.pkl"))
            .find(|folder| folder.is_empty() || folder.find('/') == Some(folder.len() - 1))
            .ok_or("it has no `data.pkl`, so `torch.save` has not written it")?
            .to_string();
        let mut archive = Self { zip, folder, last: None };
        let order = format!("{}byteorder", archive.folder);
        // Files of PyTorch before 2.1 do not say; they are little-endian.
        if archive.zip.index_for_name(&order).is_some() && archive.record(&order)? != b"little" {
            return Err("its numbers are big-endian: save it anew, as safetensors".to_string());
        }
        Ok(archive)
    }

    fn pickle(&mut self) -> Result<Vec<u8>, String> {
        let name = format!("{}data.pkl", self.folder);
        let pickle = self.start_of(&name, LONGEST_PICKLE + 1)?;
        if pickle.len() as u64 > LONGEST_PICKLE {
            return Err(format!(
                "its pickle has more than {LONGEST_PICKLE} bytes, too many for weights: save the \
                 state_dict alone"
            ));
        }
        Ok(pickle)
    }

    /// The bytes under a name, whose checksum is right.
    fn record(&mut self, name: &str) -> Result<Vec<u8>, String> {
        self.start_of(name, u64::MAX)
    }

    /// So many of them at most, whatever size the archive gives; the checksum is seen to
    /// where there are fewer.
    fn start_of(&mut self, name: &str, most: u64) -> Result<Vec<u8>, String> {
        let damaged = |error: &dyn std::fmt::Display| format!("`{name}` is damaged: {error}");
        let record = self.zip.by_name(name).map_err(|error| damaged(&error))?;
        let mut bytes = Vec::new();
        record.take(most).read_to_end(&mut bytes).map_err(|error| damaged(&error))?;
        Ok(bytes)
    }

    fn storage(&mut self, key: &str) -> Result<&[u8], String> {
        if self.last.as_ref().is_none_or(|(last, _)| last != key) {
            self.last = None;
            let bytes = self.record(&format!("{}data/{key}", self.folder))?;
            self.last = Some((key.to_string(), bytes));
        }
        Ok(self.last.as_ref().map_or(&[], |(_, bytes)| bytes))
    }
}

/// The part of a storage that a dense tensor fills.
fn section<'a>(bytes: &'a [u8], offset: usize, size: &[usize], element: usize) -> Option<&'a [u8]> {
    let count = size.iter().try_fold(1usize, |count, size| count.checked_mul(*size))?;
    let start = offset.checked_mul(element)?;
    bytes.get(start..start.checked_add(count.checked_mul(element)?)?)
}
