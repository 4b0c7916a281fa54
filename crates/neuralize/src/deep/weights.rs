use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use burn::module::{Module, ParamId};
use burn::tensor::{DType, backend::Backend};
use burn_store::{
    ApplyError, ApplyResult, KeyRemapper, ModuleAdapter, ModuleSnapshot, ModuleStore,
    PyTorchToBurnAdapter, SafetensorsStore, TensorSnapshot, TensorSnapshotError,
    map_indices_contiguous,
};

use crate::error::{Error, Result};
use crate::record;

/// Weights of an encoder that was trained elsewhere: a safetensors file of
/// PyTorch's or Burn's, or (feature `pytorch`) PyTorch's own `.pt`, `.pth` and `.bin`.
///
/// Names of the file are brought to those of the Burn module by
/// [`rename`](Self::rename); layouts and the names of normalisations follow
/// PyTorch's conventions unless [`of_burn`](Self::of_burn) says otherwise. Every
/// parameter must be found, and nothing in the file may be left over, but for
/// what [`without`](Self::without) names and PyTorch's batch counters. Gaps in the
/// numbers of PyTorch's layers are closed after that: activations have numbers there
/// and no tensors.
///
/// PyTorch's own files are those of `torch.save`, of a `state_dict` or of dictionaries
/// around one: `{"state_dict": …}` needs `.rename("^state_dict\\.", "")`. Tensors may
/// lie in any order of their dimensions, channels last for one, because strides are
/// read too; a slice or an expanded tensor is refused, because its numbers do not
/// fill their storage. Nothing in a file is run.
///
/// ```no_run
/// use burn::backend::Flex;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::DType;
/// use neuralize::deep::Weights;
///
/// let encoder: Linear<Flex> = LinearConfig::new(64, 10).init(&Default::default());
/// let encoder = Weights::of("encoder.safetensors")
///     .rename(r"^features\.0\.", "")
///     .without("classifier")
///     .load(encoder, DType::F32)?;
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Weights {
    path: PathBuf,
    renames: Vec<(String, String)>,
    without: Vec<String>,
    pytorch: bool,
}

impl Weights {
    /// The weights in a file.
    pub fn of(path: impl AsRef<Path>) -> Self {
        Self {
            path: path.as_ref().to_path_buf(),
            renames: Vec::new(),
            without: Vec::new(),
            pytorch: true,
        }
    }

    /// The file has Burn's layout and names, not PyTorch's.
    pub fn of_burn(mut self) -> Self {
        self.pytorch = false;
        self
    }

    /// Replaces what fits a regular expression in the names of the file; in the order
    /// given.
    pub fn rename(mut self, pattern: &str, by: &str) -> Self {
        self.renames.push((pattern.to_string(), by.to_string()));
        self
    }

    /// Leaves out a part of the network in the file, by its name there after
    /// renaming, with the numbers that it has in the file: the classifier behind an
    /// encoder, for one.
    pub fn without(mut self, part: &str) -> Self {
        self.without.push(part.to_string());
        self
    }

    /// The encoder with these weights, in the given precision.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, a pattern is no regular expression, a
    /// parameter is missing or has another shape, or tensors are left over.
    pub fn load<B: Backend, E: Module<B>>(&self, mut encoder: E, dtype: DType) -> Result<E> {
        let fail = |detail: String| Error::model(&self.path, detail);
        // Parameters that were never looked at would be drawn anew by a clone.
        let _ = encoder.num_params();
        std::fs::metadata(&self.path).map_err(Error::io(&self.path))?;
        let renames = KeyRemapper::from_patterns(self.renames.clone())
            .map_err(|error| fail(format!("a name cannot be replaced: {error}")))?;
        let tensors = self.tensors().map_err(fail)?.into_iter().map(|tensor| cast(tensor, dtype));
        let (tensors, origins) = renames.remap(tensors.collect());
        let kept = tensors.into_iter().zip(origins);
        let kept = kept.filter(|(_, (renamed, _))| !self.leaves_out(renamed));
        let (mut tensors, origins): (Vec<_>, Vec<_>) = kept.unzip();
        if self.pytorch {
            (tensors, _) = map_indices_contiguous(tensors);
        }
        // What messages call a tensor, by its name for the module.
        let mut names = BTreeMap::new();
        for (tensor, (renamed, origin)) in tensors.iter().zip(origins) {
            let name =
                if renamed == origin { origin } else { format!("{origin} (renamed {renamed})") };
            if let Some(other) = names.insert(tensor.full_path(), name.clone()) {
                return Err(fail(format!(
                    "two tensors are named `{renamed}`, {:?}: rename one",
                    [other, name]
                )));
            }
        }
        // Burn would take them for what the parameter holds.
        let parameters = encoder.collect(None, None, self.pytorch);
        if let Some(tensor) = tensors.iter().find(|tensor| {
            !tensor.dtype.is_float()
                && parameters.iter().any(|parameter| {
                    parameter.dtype.is_float() && is_named(tensor, &parameter.full_path())
                })
        }) {
            return Err(fail(format!(
                "`{}` holds {:?} and not floating-point numbers: save it as float32",
                in_file(&names, &tensor.full_path()),
                tensor.dtype
            )));
        }
        let adapter: Option<Box<dyn ModuleAdapter>> =
            self.pytorch.then(|| Box::new(PyTorchToBurnAdapter) as _);
        let applied = encoder.apply(tensors.clone(), None, adapter, self.pytorch);
        if let Some(error) = applied.errors.first() {
            let reason = reason(error, &tensors, &names);
            return Err(fail(format!("a tensor cannot be used: {reason}")));
        }
        let missing: Vec<&String> = applied.missing.iter().map(|(name, _)| name).collect();
        if !missing.is_empty() {
            let unused = self.left_over(&applied, &names);
            return Err(fail(format!(
                "it has no tensors for {missing:?}; it has others, {unused:?}: rename them"
            )));
        }
        let unused = self.left_over(&applied, &names);
        if !unused.is_empty() {
            return Err(fail(format!(
                "it has tensors that are none of the encoder's, {unused:?}: rename them, or leave their part out"
            )));
        }
        Ok(record::cast(encoder, dtype))
    }

    /// All tensors of the file, by their names there.
    fn tensors(&self) -> Result<Vec<TensorSnapshot>, String> {
        let ending = self.path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        match ending.to_ascii_lowercase().as_str() {
            "safetensors" => {
                let mut store = SafetensorsStore::from_file(&self.path);
                let tensors = store.get_all_snapshots().map_err(|error| error.to_string())?;
                Ok(tensors.values().cloned().collect())
            }
            #[cfg(feature = "pytorch")]
            "pt" | "pth" | "bin" => super::pytorch::tensors(&self.path),
            "bpk" => Err("a burnpack is loaded by `DeepKMeans::load` or Burn itself".to_string()),
            _ => Err(format!(
                "weights are read from .safetensors{}, not `.{ending}`",
                if cfg!(feature = "pytorch") {
                    ", .pt, .pth and .bin"
                } else {
                    " (.pt, .pth and .bin need the feature `pytorch`)"
                }
            )),
        }
    }

    /// What the encoder has no parameters for, as messages call it.
    fn left_over<'a>(
        &self,
        applied: &'a ApplyResult,
        names: &'a BTreeMap<String, String>,
    ) -> Vec<&'a str> {
        let counter = |name: &str| self.pytorch && name.ends_with("num_batches_tracked");
        // The store does not count them as used.
        let normalisations: Vec<String> = applied
            .applied
            .iter()
            .filter(|name| self.pytorch && !names.contains_key(*name))
            .filter_map(|name| name_in_pytorch(name))
            .collect();
        let unused = applied.unused.iter();
        unused
            .filter(|name| !counter(name) && !normalisations.contains(name))
            .map(|name| in_file(names, name))
            .collect()
    }

    /// Whether a tensor is in a part to leave out; by its name after renaming.
    fn leaves_out(&self, name: &str) -> bool {
        self.without.iter().any(|part| {
            name.strip_prefix(part.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// The tensor in the given precision, if it has one; some backends know no 16 bits.
fn cast(tensor: TensorSnapshot, dtype: DType) -> TensorSnapshot {
    if !tensor.dtype.is_float() {
        return tensor;
    }
    let read = tensor.clone_data_fn();
    TensorSnapshot::from_closure(
        Rc::new(move || Ok(read()?.convert_dtype(dtype))),
        dtype,
        tensor.shape,
        tensor.path_stack.unwrap_or_default(),
        Vec::new(),
        ParamId::new(),
    )
}

/// What PyTorch calls a parameter of a normalisation.
fn name_in_pytorch(name: &str) -> Option<String> {
    let (layer, parameter) = name.rsplit_once('.').unwrap_or(("", name));
    let parameter = match parameter {
        "gamma" => "weight",
        "beta" => "bias",
        _ => return None,
    };
    Some(if layer.is_empty() { parameter.to_string() } else { format!("{layer}.{parameter}") })
}

/// Whether a tensor is for the parameter of this path in the module.
fn is_named(tensor: &TensorSnapshot, path: &str) -> bool {
    let name = tensor.full_path();
    name == path || name_in_pytorch(path).is_some_and(|other| other == name)
}

/// What messages call a tensor.
fn in_file<'a>(names: &'a BTreeMap<String, String>, name: &'a str) -> &'a str {
    names.get(name).map_or(name, String::as_str)
}

/// Why a tensor cannot be used: as its file says it, where the store would quote that.
fn reason(
    error: &ApplyError,
    tensors: &[TensorSnapshot],
    names: &BTreeMap<String, String>,
) -> String {
    let (ApplyError::LoadError { path, .. }
    | ApplyError::ShapeMismatch { path, .. }
    | ApplyError::DTypeMismatch { path, .. }
    | ApplyError::AdapterError { path, .. }) = error;
    let Some(tensor) = tensors.iter().find(|tensor| is_named(tensor, path)) else {
        return error.to_string();
    };
    if matches!(error, ApplyError::LoadError { .. })
        && let Err(TensorSnapshotError::DataError(reason)) = tensor.to_data()
    {
        return reason;
    }
    format!("{error}; in the file it is `{}`", in_file(names, &tensor.full_path()))
}
