use std::fs;
use std::path::Path;

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{DType, backend::Backend};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::data::{Scale, Scaler, Unfinished, WholeFile};
use crate::error::{Error, Result};
use crate::record::module::{Load, Shapes};
use crate::record::store;

const FORMAT: &str = "neuralize-model";
const VERSION: u32 = 1;
const CONFIG: &str = "config.json";

/// What is known of a model besides its parameters.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// Names of the features, D of them, in the model's order.
    pub features: Vec<String>,
    /// How the features are scaled.
    pub scale: Scale,
    /// Sum of the distances of the (scaled) training data to their own clusters.
    pub inertia: Option<f64>,
    /// Training rows in every cluster.
    pub sizes: Option<Vec<usize>>,
    /// Training rows.
    pub rows: Option<usize>,
    /// Seed of the fit.
    pub seed: Option<u64>,
    /// Iterations of the best restart.
    pub iterations: Option<usize>,
    /// Whether it converged.
    pub converged: Option<bool>,
    /// What the clusters are called, in their order, where they come from
    /// labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// Stiffness of the Gaussian kernel, where there is one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "stiffness")]
    pub gamma: Option<f64>,
    /// Points that stand for the clusters, where centroids do not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports: Option<usize>,
    /// Mean log-likelihood of a training row, of a mixture.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_likelihood: Option<f64>,
    /// Share of the training points that the network puts into the cluster that
    /// they were given, 0 to 1, where the clusters were given to it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<f64>,
}

/// A number that may be infinite, for which JSON has no number but a text.
mod stiffness {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Stiffness {
        Number(f64),
        Text(String),
    }

    pub(super) fn serialize<S: Serializer>(
        gamma: &Option<f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let written = gamma.map(|gamma| {
            if gamma.is_finite() {
                Stiffness::Number(gamma)
            } else {
                Stiffness::Text(gamma.to_string())
            }
        });
        written.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<f64>, D::Error> {
        let read = Option::<Stiffness>::deserialize(deserializer)?;
        let number = |text: String| text.parse().map_err(serde::de::Error::custom);
        read.map(|gamma| match gamma {
            Stiffness::Number(gamma) => Ok(gamma),
            Stiffness::Text(text) => number(text),
        })
        .transpose()
    }
}

/// The `config.json` of a model folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelConfig {
    /// What the file is, `neuralize-model`.
    pub format: String,
    /// Version of the format.
    pub version: u32,
    /// Program and version that wrote it.
    pub created_by: String,
    /// The kind of model.
    pub kind: Kind,
    /// Its distance, `squared_euclidean` for an ordinary k-means.
    pub distance: String,
    /// K; 0 where there are no clusters.
    pub n_clusters: usize,
    /// D.
    pub n_features: usize,
    /// The heuristic β, if it is known.
    pub beta: Option<f64>,
    /// Precision of the record, `f32` or `f64`.
    pub precision: Precision,
    /// What is known of the fit.
    pub info: ModelInfo,
    /// The record.
    pub record: RecordFile,
}

/// What a model is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Kind {
    /// K-means, of whatever distance.
    KMeans,
    /// Kernel k-means: points that stand for the clusters it found.
    Kernel,
    /// Points that stand for clusters which labels have named.
    Labels,
    /// A Gaussian mixture.
    Mixture,
    /// A kernel density: no clusters, but outlier scores.
    Density,
}

impl Kind {
    const ALL: [Self; 5] = [Self::KMeans, Self::Kernel, Self::Labels, Self::Mixture, Self::Density];
}

impl std::fmt::Display for Kind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::KMeans => "kmeans",
            Self::Kernel => "kernel",
            Self::Labels => "labels",
            Self::Mixture => "mixture",
            Self::Density => "density",
        })
    }
}

/// The record of a model folder.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecordFile {
    /// Name of the burnpack file in the folder.
    pub file: String,
    /// Its size.
    pub bytes: u64,
    /// Its checksum, in hexadecimal digits.
    pub sha256: String,
}

/// Precision of a model's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}

/// Read before the rest, which other versions may spell otherwise.
#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
    /// Checked here, because what is not known is not damaged.
    kind: Option<String>,
}

/// The parameters of a model folder, one record.
#[derive(Module, Debug)]
pub(super) struct Modules<B: Backend, M: Module<B>> {
    pub(super) scaler: Scaler<B>,
    /// Or what else works on scaled data.
    pub(super) clusterer: M,
}

impl<B: Backend, M: Load<B>> Load<B> for Modules<B, M> {
    const NAME: &'static str = "model";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        Ok(Self {
            scaler: Scaler::blank(&shapes.under("scaler"), device, dtype)?,
            clusterer: M::blank(&shapes.under("clusterer"), device, dtype)?,
        })
    }

    fn checked(self) -> Result<Self, String> {
        Ok(Self { scaler: self.scaler.checked()?, clusterer: self.clusterer.checked()? })
    }
}

/// What a model folder says of its parameters.
pub(super) struct Description<'a> {
    pub(super) kind: Kind,
    pub(super) distance: String,
    pub(super) n_clusters: usize,
    pub(super) n_features: usize,
    pub(super) beta: Option<f64>,
    pub(super) dtype: DType,
    pub(super) info: &'a ModelInfo,
}

/// Writes a model folder, in place of one that is there already.
pub(super) fn save<B: Backend, M: Module<B> + ModuleDisplay>(
    folder: &Path,
    modules: &Modules<B, M>,
    description: Description<'_>,
) -> Result<()> {
    let path = folder.join(CONFIG);
    let old = match fs::read(&path) {
        Ok(bytes) => Some(old_record(&path, &bytes)?),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
        Err(error) => return Err(Error::io(&path)(error)),
    };
    let bytes =
        store::burnpack_bytes::<B, _>(modules).map_err(|detail| Error::model(folder, detail))?;
    let sha256 = hex(&Sha256::digest(&bytes));
    let file = format!("model-{}.bpk", &sha256[..16]);
    let config = ModelConfig {
        format: FORMAT.into(),
        version: VERSION,
        created_by: concat!("neuralize ", env!("CARGO_PKG_VERSION")).into(),
        kind: description.kind,
        distance: description.distance,
        n_clusters: description.n_clusters,
        n_features: description.n_features,
        beta: description.beta,
        precision: match description.dtype {
            DType::F64 => Precision::F64,
            _ => Precision::F32,
        },
        info: description.info.clone(),
        record: RecordFile { file: file.clone(), bytes: bytes.len() as u64, sha256 },
    };
    let text = serde_json::to_string_pretty(&config)
        .map_err(|error| Error::model(&path, error.to_string()))?;

    let mut model = Unfinished::folder(folder)?;
    WholeFile::write_piece(&folder.join(&file), &bytes, &mut model)?;
    WholeFile::write_last(&path, (text + "\n").as_bytes(), model)?;
    // The new model is in place; the old record is only in the way now.
    let ours = |old: &String| old.starts_with("model-") && old.ends_with(".bpk");
    if let Some(old) = old.filter(|old| *old != file && ours(old)) {
        let _ = fs::remove_file(folder.join(old));
    }
    Ok(())
}

/// A model folder that was read, whose record is still to be loaded.
pub(super) struct Folder<'a> {
    pub(super) path: &'a Path,
    pub(super) config: ModelConfig,
    record: Vec<u8>,
}

impl<'a> Folder<'a> {
    pub(super) fn read(path: &'a Path) -> Result<Self> {
        let (config, record) = read(path)?;
        Ok(Self { path, config, record })
    }

    /// An error in the record.
    pub(super) fn fail(&self, detail: impl Into<String>) -> Error {
        Error::model(&self.path.join(&self.config.record.file), detail)
    }

    /// An error of a model that is sound, but of the wrong kind.
    pub(super) fn refuse(&self, detail: &str) -> Error {
        Error::model(self.path, detail)
    }

    /// The parameters, if they are of a model of the given kind.
    pub(super) fn modules<B: Backend, M: Load<B>>(
        &self,
        device: &B::Device,
        dtype: DType,
    ) -> Result<Modules<B, M>> {
        store::from_burnpack(self.record.clone(), device, dtype)
            .map_err(|detail| self.fail(format!("is not a usable model: {detail}")))
    }
}

/// A number of `config.json` as the given precision has it.
pub(super) fn rounded(number: f64, dtype: DType) -> f64 {
    match dtype {
        DType::F64 => number,
        _ => f64::from(number as f32),
    }
}

/// Whether scaler and feature names are of so many features, and in the
/// precision, of the clusterer they go with.
pub(super) fn check_parts<B: Backend>(
    scaler: &Scaler<B>,
    info: &ModelInfo,
    features: usize,
    expected: DType,
) -> Result<()> {
    let of = |what: &str, found: usize| {
        if found == features {
            Ok(())
        } else {
            Err(Error::shape(what, format!("[{features}]"), &[found]))
        }
    };
    of("the scaler", scaler.n_features())?;
    of("the list of feature names", info.features.len())?;
    let found = scaler.offset.val().dtype();
    if expected == found {
        Ok(())
    } else {
        Err(Error::DTypeMismatch { what: "the scaler", expected, found })
    }
}

impl ModelConfig {
    /// What a model folder says of its model. The record's checksum is
    /// compared, the record is not loaded.
    ///
    /// # Errors
    ///
    /// As [`Model::load`](crate::record::Model::load).
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        read(folder.as_ref()).map(|(config, _)| config)
    }
}

/// The configuration and the bytes of the record, both checked.
fn read(folder: &Path) -> Result<(ModelConfig, Vec<u8>)> {
    if !folder.is_dir() {
        return Err(Error::model(
            folder,
            "there is no such model folder; `fit`, `label` or `import` makes one, `outliers --save` one that scores outliers",
        ));
    }
    let path = folder.join(CONFIG);
    let text = match fs::read(&path) {
        Ok(text) => text,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(Error::model(folder, format!("is not a model folder: it has no {CONFIG}")));
        }
        Err(error) => return Err(Error::io(&path)(error)),
    };
    check_header(&path, &text)?;
    let config: ModelConfig = serde_json::from_slice(&text)
        .map_err(|error| Error::model(&path, format!("is damaged: {error}")))?;
    let fail = |detail: String| Err(Error::model(&path, detail));
    if config.info.features.len() != config.n_features {
        let (names, features) = (config.info.features.len(), config.n_features);
        return fail(format!("names {names} features of {features}"));
    }
    let plain = Path::new(&config.record.file).file_name() == Some(config.record.file.as_ref());
    if !plain {
        return fail(format!("names a record outside its folder: {}", config.record.file));
    }
    let record = folder.join(&config.record.file);
    let bytes = fs::read(&record).map_err(Error::io(&record))?;
    if hex(&Sha256::digest(&bytes)) != config.record.sha256 {
        let detail = format!(
            "was changed since the model was saved: {} bytes of {} expected, and another checksum than {CONFIG} has",
            bytes.len(),
            config.record.bytes
        );
        return Err(Error::model(&record, detail));
    }
    Ok((config, bytes))
}

fn check_header(path: &Path, text: &[u8]) -> Result<()> {
    let header: Header = serde_json::from_slice(text).map_err(|error| {
        Error::model(path, format!("is not the configuration of a neuralize model: {error}"))
    })?;
    if header.format != FORMAT {
        let detail = format!("is of format `{}`, expected `{FORMAT}`", header.format);
        return Err(Error::model(path, detail));
    }
    if header.version != VERSION {
        let detail = format!(
            "is of version {}, this program reads version {VERSION}; use the program that wrote it, or fit again",
            header.version
        );
        return Err(Error::model(path, detail));
    }
    let known = |kind: &String| Kind::ALL.iter().any(|known| known.to_string() == *kind);
    if let Some(kind) = header.kind.filter(|kind| !known(kind)) {
        let detail =
            format!("describes a model of kind `{kind}`, which this version does not know");
        return Err(Error::model(path, detail));
    }
    Ok(())
}

/// The record file of the model that is about to be replaced. A foreign
/// configuration is not overwritten.
fn old_record(path: &Path, text: &[u8]) -> Result<String> {
    #[derive(Deserialize)]
    struct Old {
        format: String,
        record: OldRecord,
    }
    #[derive(Deserialize)]
    struct OldRecord {
        file: String,
    }
    match serde_json::from_slice::<Old>(text) {
        Ok(old) if old.format == FORMAT && !old.record.file.contains(['/', '\\']) => {
            Ok(old.record.file)
        }
        _ => Err(Error::model(
            path,
            "belongs to something other than a neuralize model and is not overwritten; choose another folder",
        )),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
