//! The tensors in a pickle, as it describes them.

use std::rc::Rc;

use burn::tensor::{BoolStore, DType};

/// The maximum number of tensors, made and named.
pub(super) const MAX_TENSORS: usize = 100_000;

pub(super) fn too_many_tensors() -> String {
    format!("it has more than {MAX_TENSORS} tensors")
}

/// A named entry of the dictionaries.
#[derive(Clone, Debug)]
pub(super) enum Entry {
    /// A tensor of numbers in a storage.
    Tensor(Rc<StoredTensor>),
    /// A tensor of another kind, with the function that makes it.
    Other(Rc<str>),
}

/// Where the numbers of a tensor lie.
#[derive(Debug)]
pub(super) struct StoredTensor {
    pub(super) storage: Rc<Storage>,
    /// Elements before the first.
    pub(super) offset: usize,
    pub(super) size: Vec<usize>,
    pub(super) strides: Vec<usize>,
}

/// A sequence of numbers in a record of its own.
#[derive(Debug)]
pub(super) struct Storage {
    /// Its class in PyTorch, which determines the type of the numbers.
    pub(super) kind: Rc<str>,
    /// The record's name.
    pub(super) key: Rc<str>,
}

impl Storage {
    /// The type of the numbers; `None` if Burn lacks it.
    pub(super) fn dtype(&self) -> Option<DType> {
        Some(match self.kind.rsplit('.').next()? {
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
}
