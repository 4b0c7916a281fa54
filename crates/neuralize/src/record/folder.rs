//! Model folders: `config.json` and a record.

use std::fs;
use std::path::Path;

use burn::module::{Module, ModuleDisplay};
use burn::tensor::{DType, backend::Backend};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::choose::Choice;
use crate::cluster::{Clusterer, ClustererFit};
use crate::data::{
    AtomicFile, Encoding, Scale, ScaledParts, Scaler, Table, TableOptions, TableReader,
    Transaction, part_rows,
};
use crate::error::{Error, Result};
use crate::load::{Load, Shapes};
use crate::outlier::KernelDensity;
use crate::record::store;
use crate::text::Shown;

const FORMAT: &str = "neuralize-model";
/// Version 2 has encodings; version 1 is read, too.
const VERSION: u32 = 2;
const OLDEST: u32 = 1;
const CONFIG: &str = "config.json";

/// Information on a model besides its parameters.
///
/// ```
/// use neuralize::data::Scale;
/// use neuralize::record::ModelInfo;
///
/// let info = ModelInfo::new(["width", "height"]).with_scale(Scale::MinMax).with_seed(7);
/// assert_eq!((info.features.len(), info.seed), (2, Some(7)));
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelInfo {
    /// Names of the features, D of them, in the order of the model.
    pub features: Vec<String>,
    /// How columns of a file become the features. Without it, every feature is a column of numbers of
    /// its name, and missing values are an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub encoding: Option<Encoding>,
    /// The column that names the rows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// How the features are scaled.
    pub scale: Scale,
    /// Sum of the distances of the (scaled) training data to their own clusters.
    pub inertia: Option<f64>,
    /// Training rows in every cluster.
    pub sizes: Option<Vec<usize>>,
    /// Number of training rows.
    pub rows: Option<usize>,
    /// Seed of the fit.
    pub seed: Option<u64>,
    /// Iterations of the best restart.
    pub iterations: Option<usize>,
    /// Whether the best restart converged.
    pub converged: Option<bool>,
    /// Names of the clusters, in their order, if they come from labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub labels: Option<Vec<String>>,
    /// γ of the Gaussian kernel, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "finite_or_text")]
    pub gamma: Option<f64>,
    /// Number of supports, for models of points instead of centroids.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub supports: Option<usize>,
    /// Mean log-likelihood of a training row, for mixtures.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub log_likelihood: Option<f64>,
    /// Share of the training rows that the network assigns to the cluster they were
    /// given, 0 to 1, for models of points.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub agreement: Option<f64>,
    /// How the number of clusters was chosen, if it was.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<Choice>,
}

impl ModelInfo {
    /// Information that has only the names of the features.
    pub fn new(features: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self::default().with_features(features)
    }

    /// Sets the names of the features.
    pub fn with_features(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.features = names.into_iter().map(Into::into).collect();
        self
    }

    /// Keeps how the number of clusters was chosen.
    pub fn with_choice(mut self, choice: Option<Choice>) -> Self {
        self.choice = choice;
        self
    }

    /// Sets the names of the features to those of a table, and how columns became them.
    pub fn with_table(mut self, table: &Table) -> Self {
        self.features = table.features().to_vec();
        self.encoding = table.encoding().filter(|encoding| !encoding.is_plain()).cloned();
        self
    }

    /// Names of the columns that the features come from, C of them: the features themselves, unless
    /// there are categories.
    pub fn columns(&self) -> Vec<String> {
        match &self.encoding {
            Some(encoding) => encoding.columns.iter().map(|column| column.name.clone()).collect(),
            None => self.features.clone(),
        }
    }

    /// Options that select the columns of the features, to open a table with.
    pub(super) fn table_options(&self) -> TableOptions {
        let options = match &self.encoding {
            Some(encoding) => TableOptions::default().with_encoding(encoding.clone()),
            None => TableOptions::default().with_selected(&self.features),
        };
        self.id.iter().fold(options, TableOptions::with_optional_id)
    }

    /// Sets the column that names the rows.
    pub fn with_id(mut self, column: Option<String>) -> Self {
        self.id = column;
        self
    }

    /// Sets how the features are scaled.
    pub fn with_scale(mut self, scale: Scale) -> Self {
        self.scale = scale;
        self
    }

    /// Sets the seed of the fit.
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Sets the names of the clusters.
    pub fn with_labels(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.labels = Some(names.into_iter().map(Into::into).collect());
        self
    }
}

/// The information that a fit has; names of the features, scale and seed are missing.
impl<B: Backend> From<&ClustererFit<B>> for ModelInfo {
    fn from(fit: &ClustererFit<B>) -> Self {
        let supports = match &fit.clusterer {
            Clusterer::Kernel(model) => Some(model.n_supports()),
            _ => None,
        };
        Self {
            inertia: fit.inertia,
            sizes: Some(fit.sizes.clone()),
            rows: Some(fit.sizes.iter().sum()),
            iterations: fit.n_iter,
            converged: fit.converged,
            gamma: fit.gamma,
            supports,
            log_likelihood: fit.log_likelihood,
            agreement: fit.agreement,
            ..Self::default()
        }
    }
}

/// γ and the number of supports.
impl<B: Backend> From<&KernelDensity<B>> for ModelInfo {
    fn from(density: &KernelDensity<B>) -> Self {
        Self {
            gamma: Some(density.gamma()),
            supports: Some(density.n_supports()),
            ..Self::default()
        }
    }
}

/// A number that may be infinite. JSON has no infinity, so it is written as text.
mod finite_or_text {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    #[serde(untagged)]
    enum Written {
        Number(f64),
        Text(String),
    }

    pub(super) fn serialize<S: Serializer>(
        number: &Option<f64>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        let written = number.map(|number| {
            if number.is_finite() {
                Written::Number(number)
            } else {
                Written::Text(number.to_string())
            }
        });
        written.serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<f64>, D::Error> {
        let written = Option::<Written>::deserialize(deserializer)?;
        written
            .map(|written| match written {
                Written::Number(number) => Ok(number),
                Written::Text(text) => text.parse().map_err(serde::de::Error::custom),
            })
            .transpose()
    }
}

/// The `config.json` of a model folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct ModelConfig {
    /// Name of the format, `neuralize-model`.
    pub format: String,
    /// Version of the format.
    pub version: u32,
    /// Program and version that wrote the file.
    pub created_by: String,
    /// The kind of model.
    pub kind: ModelKind,
    /// The distance, `squared_euclidean` for plain k-means.
    pub distance: String,
    /// Number of clusters, K; 0 for models without clusters.
    pub n_clusters: usize,
    /// Number of features, D.
    pub n_features: usize,
    /// The heuristic β, if it is known.
    pub beta: Option<f64>,
    /// Precision of the record, `f32` or `f64`.
    pub precision: Precision,
    /// Information on the fit.
    pub info: ModelInfo,
    /// The record.
    pub record: RecordFile,
}

/// The kind of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ModelKind {
    /// K-means with any distance.
    KMeans,
    /// Kernel k-means: supports of the clusters that it found.
    Kernel,
    /// Supports of clusters that are given by labels.
    Labels,
    /// A Gaussian mixture.
    Mixture,
    /// A kernel density: outlier scores, no clusters.
    Density,
}

impl ModelKind {
    const ALL: [Self; 5] = [Self::KMeans, Self::Kernel, Self::Labels, Self::Mixture, Self::Density];
}

impl std::fmt::Display for ModelKind {
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
#[non_exhaustive]
pub struct RecordFile {
    /// Name of the burnpack file in the folder.
    pub file: String,
    /// Size in bytes.
    pub bytes: u64,
    /// SHA-256 checksum, in hexadecimal digits.
    pub sha256: String,
}

/// Precision of the numbers of a model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Precision {
    /// 32 bits.
    F32,
    /// 64 bits.
    F64,
}

impl std::fmt::Display for Precision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F64 => "f64",
        })
    }
}

/// The fields that are read first: the others may differ in other versions.
#[derive(Deserialize)]
struct Header {
    format: String,
    version: u32,
    /// Checked first: an unknown kind does not mean that the file is damaged.
    kind: Option<String>,
}

/// The modules in the record of a model folder.
#[derive(Module, Debug)]
pub(super) struct Modules<B: Backend, M: Module<B>> {
    pub(super) scaler: Scaler<B>,
    /// A clusterer, or a density.
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
        Ok(Self { scaler: Load::checked(self.scaler)?, clusterer: self.clusterer.checked()? })
    }
}

/// The description of the parameters in `config.json`.
pub(super) struct Description<'a> {
    pub(super) kind: ModelKind,
    pub(super) distance: String,
    pub(super) n_clusters: usize,
    pub(super) n_features: usize,
    pub(super) beta: Option<f64>,
    pub(super) dtype: DType,
    pub(super) info: &'a ModelInfo,
}

/// Writes a model folder, replacing an existing model.
pub(super) fn save<B: Backend, M: Module<B> + ModuleDisplay>(
    folder: &Path,
    modules: &Modules<B, M>,
    description: Description<'_>,
) -> Result<()> {
    let old = replaced_record(folder)?;
    let path = folder.join(CONFIG);
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

    let mut transaction = Transaction::folder(folder)?;
    AtomicFile::write_in(&mut transaction, &folder.join(&file), &bytes)?;
    AtomicFile::write_last(transaction, &path, (text + "\n").as_bytes())?;
    let is_record = |old: &String| old.starts_with("model-") && old.ends_with(".bpk");
    if let Some(old) = old.filter(|old| *old != file && is_record(old)) {
        let _ = fs::remove_file(folder.join(old));
    }
    Ok(())
}

/// A model folder whose record has been read, but not loaded.
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

    /// An error about a configuration that does not belong to the record.
    pub(super) fn unlike(&self, error: &Error) -> Error {
        let detail = format!(
            "was changed since the model was saved: {error}; copy the folder again, or fit again"
        );
        Error::model(&self.path.join(CONFIG), detail)
    }

    /// An error about a model of the wrong kind.
    pub(super) fn refuse(&self, detail: &str) -> Error {
        Error::model(self.path, detail)
    }

    /// Loads the record as the given modules.
    pub(super) fn modules<B: Backend, M: Load<B>>(
        &self,
        device: &B::Device,
        dtype: DType,
    ) -> Result<Modules<B, M>> {
        store::from_burnpack(self.record.clone(), device, dtype)
            .map_err(|detail| self.fail(format!("is not a usable model: {detail}")))
    }
}

/// A number of `config.json`, rounded to the given precision.
pub(super) fn rounded(number: f64, dtype: DType) -> f64 {
    match dtype {
        DType::F64 => number,
        _ => f64::from(number as f32),
    }
}

/// Checks that scaler and feature names belong to a clusterer of this number of
/// features and this precision.
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
    if info.encoding.as_ref().is_some_and(|encoding| encoding.features() != info.features) {
        return Err(Error::Config {
            name: "encoding",
            value: format!("{} features", info.features.len()),
            rule: "its features must be the features of the model".into(),
        });
    }
    let found = scaler.offset.val().dtype();
    if expected == found {
        Ok(())
    } else {
        Err(Error::DTypeMismatch { what: "the scaler", expected, found })
    }
}

/// Scaled parts of a table with the features of the model. Every row produces `columns` numbers.
pub(super) fn parts<'a, B: Backend>(
    scaler: &Scaler<B>,
    info: &ModelInfo,
    reader: TableReader<'a>,
    columns: usize,
) -> Result<ScaledParts<'a, B>> {
    if reader.features() != info.features {
        let detail = "its features are not those of the model; open it with `table_options`";
        return Err(Error::Table { file: reader.name().to_owned(), detail: detail.into() });
    }
    Ok(scaler.parts(reader).with_part_rows(part_rows(columns)))
}

impl ModelConfig {
    /// Reads the `config.json` of a model folder. It verifies the checksum of the
    /// record, but does not load the record.
    ///
    /// # Errors
    ///
    /// As [`Model::load`](crate::record::Model::load).
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        read(folder.as_ref()).map(|(config, _)| config)
    }
}

/// Refuses a place for a model that is a file or lies in one.
fn refuse_file(folder: &Path) -> Result<()> {
    match folder.ancestors().find(|above| above.is_file()) {
        Some(file) => Err(Error::model(file, "is a file; a model is a folder, so name one")),
        None => Ok(()),
    }
}

/// Reads the configuration and the bytes of the record, and checks both.
fn read(folder: &Path) -> Result<(ModelConfig, Vec<u8>)> {
    refuse_file(folder)?;
    if !folder.is_dir() {
        return Err(Error::model(
            folder,
            "there is no such model folder; fit and save a model first",
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
        return fail(format!("has {names} feature names for {features} features"));
    }
    let plain = Path::new(&config.record.file).file_name() == Some(config.record.file.as_ref());
    if !plain {
        return fail(format!("names a record outside the folder: {}", Shown(&config.record.file)));
    }
    let record = folder.join(&config.record.file);
    let bytes = fs::read(&record).map_err(|error| match error.kind() {
        std::io::ErrorKind::NotFound => {
            let detail = format!(
                "is not complete: its file {} is missing; copy the whole folder again, or fit again",
                Shown(&config.record.file)
            );
            Error::model(folder, detail)
        }
        _ => Error::io(&record)(error),
    })?;
    if hex(&Sha256::digest(&bytes)) != config.record.sha256 {
        let differs = if bytes.len() as u64 == config.record.bytes {
            format!("its checksum is not the one in {CONFIG}")
        } else {
            format!("it has {} bytes instead of {}", bytes.len(), config.record.bytes)
        };
        let detail = format!(
            "was changed since the model was saved: {differs}; copy the folder again, or fit again"
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
        let detail = format!("is of format `{}`, expected `{FORMAT}`", Shown(&header.format));
        return Err(Error::model(path, detail));
    }
    if !(OLDEST..=VERSION).contains(&header.version) {
        let detail = format!(
            "is of version {}, but this program reads versions {OLDEST} to {VERSION}; use the program that wrote it, or fit again",
            header.version
        );
        return Err(Error::model(path, detail));
    }
    let known = |kind: &String| ModelKind::ALL.iter().any(|known| known.to_string() == *kind);
    if let Some(kind) = header.kind.filter(|kind| !known(kind)) {
        let kind = Shown(&kind);
        let detail =
            format!("describes a model of kind `{kind}`, which this version does not know");
        return Err(Error::model(path, detail));
    }
    Ok(())
}

/// Refuses a folder that no model would be saved to, before the work that leads to it.
///
/// # Errors
///
/// If it is a file or lies in one, or holds a `config.json` that cannot be read or is not the
/// configuration of a model.
pub fn check_folder(folder: impl AsRef<Path>) -> Result<()> {
    replaced_record(folder.as_ref()).map(|_| ())
}

/// The record file of the model that is in the folder and is to be replaced.
fn replaced_record(folder: &Path) -> Result<Option<String>> {
    refuse_file(folder)?;
    let path = folder.join(CONFIG);
    match fs::read(&path) {
        Ok(bytes) => Ok(Some(old_record(&path, &bytes)?)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Error::io(&path)(error)),
    }
}

/// The record file of the model that is to be replaced. The `config.json` of another
/// program is an error: it must not be overwritten.
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
            "is not the configuration of a neuralize model and is not overwritten; choose another folder",
        )),
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
