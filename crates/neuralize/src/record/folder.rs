use std::fs;
use std::path::Path;

use burn::module::Module;
use burn::tensor::{DType, Int, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::cluster::KMeans;
use crate::data::{Scale, Scaler, Unfinished, WholeFile};
use crate::error::{Error, Result};
use crate::explain::{Beta, Explanation, Target};
use crate::network::NeuralizedKMeans;
use crate::record::module::{Load, Shapes};
use crate::record::store;

const FORMAT: &str = "neuralize-model";
const VERSION: u32 = 1;
const CONFIG: &str = "config.json";
const KIND: &str = "kmeans";
const DISTANCE: &str = "squared_euclidean";

/// What an analyst saves and loads: a scaler and a clusterer fitted on what it
/// gives, with the names of the features and what is known of the fit.
///
/// On disk it is a folder of two files, `config.json` and a burnpack record.
/// The record's name holds part of its checksum and the configuration is
/// renamed into place last: an interrupted [`save`](Self::save) leaves an older
/// model in the folder whole, and one that fails leaves nothing new behind.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::DType;
/// use neuralize::prelude::*;
///
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// # let path = folder.path().join("wine");
/// let (device, dtype) = (Default::default(), DType::F64);
/// let wine = Table::wine();
/// let x = wine.to_tensor::<Flex>(&device, dtype)?;
/// let scaler = Scale::MinMax.fit(&x)?;
/// let fit = KMeansConfig::new(3).fit(&scaler.transform(x.clone())?)?;
///
/// let info = ModelInfo {
///     features: wine.features().to_vec(),
///     scale: Scale::MinMax,
///     inertia: Some(fit.inertia),
///     ..ModelInfo::default()
/// };
/// Model::new(scaler, fit.model, info)?.save(&path)?;
///
/// let model: Model<Flex> = Model::load(&path, &device, dtype)?;
/// let explanation = model.explain(x, Target::Assigned, Beta::Heuristic)?;
/// assert_eq!(explanation.relevance.dims(), [178, 13]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Model<B: Backend> {
    modules: Modules<B>,
    info: ModelInfo,
}

/// The parameters of a [`Model`], one record.
#[derive(Module, Debug)]
struct Modules<B: Backend> {
    scaler: Scaler<B>,
    clusterer: KMeans<B>,
}

/// What is known of a model besides its parameters.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModelInfo {
    /// Names of the features, D of them, in the model's order.
    pub features: Vec<String>,
    /// How the features are scaled.
    pub scale: Scale,
    /// Sum of squared (scaled) distances of the training data.
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
    /// The kind of model, `kmeans`.
    pub kind: String,
    /// Its distance, `squared_euclidean`.
    pub distance: String,
    /// K.
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
}

impl<B: Backend> Load<B> for Modules<B> {
    const NAME: &'static str = "model";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let [features] = shapes.dims("scaler.offset")?;
        let [_] = shapes.dims("scaler.factor")?;
        let centroids = crate::transfer::zeros(shapes.dims("clusterer.centroids")?, device, dtype);
        Ok(Self {
            scaler: Scaler::identity(features, device, dtype),
            clusterer: KMeans::new(centroids, None),
        })
    }

    fn checked(self) -> Result<Self, String> {
        let (scaler, clusterer) = (self.scaler.checked()?, Load::checked(self.clusterer)?);
        if scaler.n_features() != clusterer.n_features() {
            let (scaled, clustered) = (scaler.n_features(), clusterer.n_features());
            return Err(format!("it scales {scaled} features and clusters {clustered}"));
        }
        Ok(Self { scaler, clusterer })
    }
}

impl<B: Backend> Model<B> {
    /// Puts a model together.
    ///
    /// # Errors
    ///
    /// If scaler, clusterer and feature names disagree in number or precision.
    pub fn new(scaler: Scaler<B>, clusterer: KMeans<B>, info: ModelInfo) -> Result<Self> {
        let features = clusterer.n_features();
        if scaler.n_features() != features {
            return Err(Error::shape(
                "the scaler",
                format!("[{features}]"),
                &[scaler.n_features()],
            ));
        }
        if info.features.len() != features {
            let found = info.features.len();
            return Err(Error::shape(
                "the list of feature names",
                format!("[{features}]"),
                &[found],
            ));
        }
        let (expected, found) = (clusterer.dtype(), scaler.offset.val().dtype());
        if expected != found {
            return Err(Error::DTypeMismatch { what: "the scaler", expected, found });
        }
        Ok(Self { modules: Modules { scaler, clusterer }, info })
    }

    /// What is known of the model besides its parameters.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The scaler.
    pub fn scaler(&self) -> &Scaler<B> {
        &self.modules.scaler
    }

    /// The clusterer, which works on scaled data.
    pub fn clusterer(&self) -> &KMeans<B> {
        &self.modules.clusterer
    }

    /// The network of the clusterer, which works on scaled data.
    ///
    /// # Errors
    ///
    /// If there is only one cluster.
    pub fn neuralize(&self) -> Result<NeuralizedKMeans<B>> {
        self.modules.clusterer.neuralize()
    }

    /// Scales raw data and finds their clusters.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N]`
    ///
    /// # Errors
    ///
    /// If x does not fit the model or holds values that are not finite.
    pub fn predict(&self, x: Tensor<B, 2>) -> Result<Tensor<B, 1, Int>> {
        self.modules.clusterer.predict(&self.modules.scaler.transform(x)?)
    }

    /// Scales raw data and explains their clusters. Relevances are in squared
    /// units of the scaled data.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// As [`NeuralizedKMeans::explain`], and if there is only one cluster.
    pub fn explain(&self, x: Tensor<B, 2>, target: Target, beta: Beta) -> Result<Explanation<B>> {
        self.neuralize()?.explain(&self.modules.scaler.transform(x)?, target, beta)
    }

    /// Saves the model as a folder, in place of a model that is there already.
    ///
    /// # Errors
    ///
    /// If the folder cannot be written, or holds a `config.json` that is not a
    /// model's.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        let path = folder.join(CONFIG);
        let old = match fs::read(&path) {
            Ok(bytes) => Some(old_record(&path, &bytes)?),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => None,
            Err(error) => return Err(Error::io(&path)(error)),
        };
        let bytes = store::burnpack_bytes::<B, _>(&self.modules)
            .map_err(|detail| Error::model(folder, detail))?;
        let sha256 = hex(&Sha256::digest(&bytes));
        let file = format!("model-{}.bpk", &sha256[..16]);
        let clusterer = &self.modules.clusterer;
        let config = ModelConfig {
            format: FORMAT.into(),
            version: VERSION,
            created_by: concat!("neuralize ", env!("CARGO_PKG_VERSION")).into(),
            kind: KIND.into(),
            distance: DISTANCE.into(),
            n_clusters: clusterer.n_clusters(),
            n_features: clusterer.n_features(),
            beta: clusterer.beta(),
            precision: match clusterer.dtype() {
                DType::F64 => Precision::F64,
                _ => Precision::F32,
            },
            info: self.info.clone(),
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

    /// Loads a model folder in the given precision.
    ///
    /// # Errors
    ///
    /// If the folder or a file of it is missing, is not a model's, is of
    /// another version, or was changed since it was saved.
    pub fn load(folder: impl AsRef<Path>, device: &B::Device, dtype: DType) -> Result<Self> {
        let folder = folder.as_ref();
        let (config, bytes) = read(folder)?;
        let path = folder.join(&config.record.file);
        let modules: Modules<B> = store::from_burnpack(bytes, device, dtype)
            .map_err(|detail| Error::model(&path, format!("is not a usable model: {detail}")))?;
        let found = (modules.clusterer.n_clusters(), modules.clusterer.n_features());
        if found != (config.n_clusters, config.n_features) {
            let detail = format!(
                "has {} clusters of {} features, {CONFIG} says {} of {}",
                found.0, found.1, config.n_clusters, config.n_features
            );
            return Err(Error::model(&path, detail));
        }
        let rounded = |beta: f64| match dtype {
            DType::F64 => beta,
            _ => f64::from(beta as f32),
        };
        let same = config.beta.map(rounded) == modules.clusterer.beta();
        if !same {
            return Err(Error::model(&path, format!("has another beta than {CONFIG} says")));
        }
        Self::new(modules.scaler, modules.clusterer, config.info)
    }
}

impl ModelConfig {
    /// What a model folder says of its model. The record's checksum is
    /// compared, the record is not loaded.
    ///
    /// # Errors
    ///
    /// As [`Model::load`].
    pub fn read(folder: impl AsRef<Path>) -> Result<Self> {
        read(folder.as_ref()).map(|(config, _)| config)
    }
}

/// The configuration and the bytes of the record, both checked.
fn read(folder: &Path) -> Result<(ModelConfig, Vec<u8>)> {
    if !folder.is_dir() {
        return Err(Error::model(
            folder,
            "there is no such model folder; `fit` or `import` makes one",
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
    if config.kind != KIND || config.distance != DISTANCE {
        return fail(format!(
            "describes a model of kind `{}` with distance `{}`, which this version does not know",
            config.kind, config.distance
        ));
    }
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
