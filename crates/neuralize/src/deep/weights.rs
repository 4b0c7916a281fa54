use std::path::{Path, PathBuf};

use burn::module::Module;
use burn::tensor::{DType, backend::Backend};
use burn_store::{
    ApplyResult, KeyRemapper, ModuleSnapshot, ModuleStore, PyTorchToBurnAdapter, SafetensorsStore,
};

use crate::error::{Error, Result};
use crate::record;

/// Weights of an encoder that was trained elsewhere: a safetensors file of
/// PyTorch's or Burn's, or (feature `pytorch`) PyTorch's own `.pt` and `.pth`.
///
/// Names of the file are brought to those of the Burn module by
/// [`rename`](Self::rename); layouts and the names of normalisations follow
/// PyTorch's conventions unless [`of_burn`](Self::of_burn) says otherwise. Every
/// parameter must be found, and nothing in the file may be left over, but for
/// what [`without`](Self::without) names and PyTorch's batch counters.
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
    /// renaming: the classifier behind an encoder, for one.
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
        let extension = self.path.extension().and_then(|e| e.to_str()).unwrap_or_default();
        let applied = match extension {
            "safetensors" => {
                let mut store =
                    SafetensorsStore::from_file(&self.path).remap(renames).validate(false);
                store = store.allow_partial(true).skip_enum_variants(self.pytorch);
                if self.pytorch {
                    store =
                        store.with_from_adapter(PyTorchToBurnAdapter).map_indices_contiguous(true);
                }
                apply(&mut encoder, &mut store)
            }
            #[cfg(feature = "pytorch")]
            "pt" | "pth" | "bin" => {
                let store = burn_store::PytorchStore::from_file(&self.path).remap(renames);
                apply(&mut encoder, &mut store.validate(false).allow_partial(true))
            }
            other => Err(format!(
                "weights are read from .safetensors{}, not `.{other}`",
                if cfg!(feature = "pytorch") {
                    ", .pt and .pth"
                } else {
                    " (.pt and .pth need the feature `pytorch`)"
                }
            )),
        };
        let applied = applied.map_err(fail)?;
        if let Some(error) = applied.errors.first() {
            return Err(fail(format!("a tensor cannot be used: {error}")));
        }
        let missing: Vec<&String> = applied.missing.iter().map(|(name, _)| name).collect();
        if !missing.is_empty() {
            let unused = self.left_over(&applied);
            return Err(fail(format!(
                "it has no tensors for {missing:?}; it has others, {unused:?}: rename them"
            )));
        }
        let unused = self.left_over(&applied);
        if !unused.is_empty() {
            return Err(fail(format!(
                "it has tensors that are none of the encoder's, {unused:?}: rename them, or leave their part out"
            )));
        }
        Ok(record::cast(encoder, dtype))
    }

    fn left_over<'a>(&self, applied: &'a ApplyResult) -> Vec<&'a String> {
        let counter = |name: &str| self.pytorch && name.ends_with("num_batches_tracked");
        let without = |name: &str| {
            self.without.iter().any(|part| {
                name.strip_prefix(part.as_str())
                    .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
            })
        };
        applied.unused.iter().filter(|name| !counter(name) && !without(name)).collect()
    }
}

fn apply<B: Backend, E: Module<B>>(
    encoder: &mut E,
    store: &mut impl ModuleStore,
) -> Result<ApplyResult, String> {
    encoder.load_from(store).map_err(|error| error.to_string())
}
