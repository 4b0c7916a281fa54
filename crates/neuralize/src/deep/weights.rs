//! Weights of an encoder that was trained elsewhere.

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
/// PyTorch or Burn, or (feature `pytorch`) PyTorch's own `.pt`, `.pth` and `.bin`.
///
/// [`rename`](Self::rename) turns the names in the file into those of the Burn module;
/// layouts and the names of normalisations follow PyTorch's conventions unless
/// [`of_burn`](Self::of_burn) says otherwise. Every parameter must be found, and nothing in
/// the file may be left over except the parts that [`without`](Self::without) names and
/// PyTorch's batch counters. Then gaps in the numbers of PyTorch's layers are closed,
/// because activations have numbers there but no tensors.
///
/// PyTorch's own files are those that `torch.save` writes of a `state_dict` or of
/// dictionaries around one: `{"state_dict": …}` needs `.rename("^state_dict\\.", "")`.
/// Strides are read, so the dimensions of a tensor may lie in any order, such as channels
/// last; a slice or an expanded tensor is refused, because it does not fill its
/// storage. Reading a file runs none of its code.
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

    /// Reads the file with Burn's layouts and names, not PyTorch's.
    pub fn of_burn(mut self) -> Self {
        self.pytorch = false;
        self
    }

    /// Replaces the matches of a regular expression in the names of the file. Several
    /// replacements run in the order given.
    pub fn rename(mut self, pattern: &str, by: &str) -> Self {
        self.renames.push((pattern.to_string(), by.to_string()));
        self
    }

    /// Leaves out a part of the network in the file, such as the classifier behind an
    /// encoder, by its name after renaming; layers keep the numbers of the file.
    pub fn without(mut self, part: &str) -> Self {
        self.without.push(part.to_string());
        self
    }

    /// The encoder with these weights, in the given precision.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, a pattern is not a regular expression, a parameter is missing or
    /// has another shape, or tensors are left over.
    pub fn load<B: Backend, E: Module<B>>(&self, mut encoder: E, dtype: DType) -> Result<E> {
        let fail = |detail: String| Error::model(&self.path, detail);
        // Burn initialises a parameter again in every clone if it has not been read before.
        let _ = encoder.num_params();
        std::fs::metadata(&self.path).map_err(Error::io(&self.path))?;
        let (tensors, names) = self.renamed(dtype).map_err(fail)?;
        // Burn would read the bytes of numbers that are not floats as floats of the parameter.
        let parameters = encoder.collect(None, None, self.pytorch);
        let is_float_parameter = |tensor: &TensorSnapshot| {
            parameters.iter().any(|parameter| {
                parameter.dtype.is_float() && is_named(tensor, &parameter.full_path())
            })
        };
        if let Some(tensor) =
            tensors.iter().find(|tensor| !tensor.dtype.is_float() && is_float_parameter(tensor))
        {
            return Err(fail(format!(
                "`{}` holds {:?} and not floating-point numbers: save it as float32",
                in_file(&names, &tensor.full_path()),
                tensor.dtype
            )));
        }
        let adapter: Option<Box<dyn ModuleAdapter>> =
            self.pytorch.then(|| Box::new(FromPyTorch) as _);
        let applied = encoder.apply(tensors.clone(), None, adapter, self.pytorch);
        if let Some(error) = applied.errors.first() {
            let reason = reason(error, &tensors, &names);
            return Err(fail(format!("a tensor cannot be used: {reason}")));
        }
        let missing: Vec<&String> = applied.missing.iter().map(|(name, _)| name).collect();
        let unused = self.left_over(&applied, &names);
        if !missing.is_empty() {
            return Err(fail(format!(
                "it has no tensors for {missing:?}; it has others, {unused:?}: rename them"
            )));
        }
        if !unused.is_empty() {
            return Err(fail(format!(
                "it has tensors for which the encoder has no parameters, {unused:?}: rename them, or leave their part out"
            )));
        }
        Ok(record::cast(encoder, dtype))
    }

    /// The tensors of the file under the names of the module, without the parts to leave out,
    /// and for every name the one that messages use.
    fn renamed(
        &self,
        dtype: DType,
    ) -> Result<(Vec<TensorSnapshot>, BTreeMap<String, String>), String> {
        let renames = KeyRemapper::from_patterns(self.renames.clone())
            .map_err(|error| format!("a name cannot be replaced: {error}"))?;
        let tensors = self.tensors()?.into_iter().map(|tensor| cast(tensor, dtype));
        let (tensors, origins) = renames.remap(tensors.collect());
        let kept = tensors.into_iter().zip(origins);
        let kept = kept.filter(|(_, (renamed, _))| !self.leaves_out(renamed));
        let (mut tensors, origins): (Vec<_>, Vec<_>) = kept.unzip();
        if self.pytorch {
            (tensors, _) = map_indices_contiguous(tensors);
        }
        let mut names = BTreeMap::new();
        for (tensor, (renamed, origin)) in tensors.iter().zip(origins) {
            let name =
                if renamed == origin { origin } else { format!("{origin} (renamed {renamed})") };
            if let Some(other) = names.insert(tensor.full_path(), name.clone()) {
                return Err(format!(
                    "two tensors are named `{renamed}`, {:?}: rename one",
                    [other, name]
                ));
            }
        }
        Ok((tensors, names))
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

    /// The tensors for which the encoder has no parameters, by the names for messages.
    fn left_over<'a>(
        &self,
        applied: &'a ApplyResult,
        names: &'a BTreeMap<String, String>,
    ) -> Vec<&'a str> {
        let counter = |name: &str| self.pytorch && name.ends_with("num_batches_tracked");
        // The store does not count the parameters of normalisations as used.
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

    /// Whether the tensor of this name (after renaming) is in a part to leave out.
    fn leaves_out(&self, name: &str) -> bool {
        self.without.iter().any(|part| {
            name.strip_prefix(part.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        })
    }
}

/// PyTorch's layouts and names. Burn's own adapter leaves out two normalisations.
#[derive(Debug, Clone)]
struct FromPyTorch;

impl ModuleAdapter for FromPyTorch {
    fn adapt(&self, tensor: &TensorSnapshot) -> TensorSnapshot {
        PyTorchToBurnAdapter.adapt(tensor)
    }

    fn get_alternative_param_name(&self, name: &str, container: &str) -> Option<String> {
        let known = PyTorchToBurnAdapter.get_alternative_param_name(name, container);
        known.or_else(|| match (container, name) {
            ("Struct:RmsNorm" | "Struct:InstanceNorm", "gamma") => Some("weight".into()),
            ("Struct:InstanceNorm", "beta") => Some("bias".into()),
            _ => None,
        })
    }

    fn clone_box(&self) -> Box<dyn ModuleAdapter> {
        Box::new(self.clone())
    }
}

/// A tensor of floats in the given precision; some backends have no 16-bit floats.
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

/// The name in PyTorch of a parameter of a normalisation.
fn name_in_pytorch(name: &str) -> Option<String> {
    let (layer, parameter) = name.rsplit_once('.').unwrap_or(("", name));
    let parameter = match parameter {
        "gamma" => "weight",
        "beta" => "bias",
        _ => return None,
    };
    Some(if layer.is_empty() { parameter.to_string() } else { format!("{layer}.{parameter}") })
}

/// Whether a tensor belongs to the parameter of this path in the module.
fn is_named(tensor: &TensorSnapshot, path: &str) -> bool {
    let name = tensor.full_path();
    name == path || name_in_pytorch(path).is_some_and(|other| other == name)
}

/// The name of a tensor in messages.
fn in_file<'a>(names: &'a BTreeMap<String, String>, name: &'a str) -> &'a str {
    names.get(name).map_or(name, String::as_str)
}

/// Why a tensor cannot be used: the reader's own message, if there is one.
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
