//! A scaler and a clusterer, saved as a folder.

use std::fmt;
use std::path::Path;

use burn::module::{Content, Module, ModuleDisplay};
use burn::tensor::{DType, Int, Tensor, backend::Backend};

#[cfg(feature = "report")]
use crate::cluster::Distance;
use crate::cluster::{Clusterer, GaussianMixture, KMeans, KernelKMeans, SeparableKMeans};
use crate::data::{Scale, ScaledParts, Scaler, Table, TableOptions, TableReader};
use crate::error::{Error, Result};
use crate::explain::{Beta, Explanation, Target};
use crate::load::Load;
use crate::network::Network;
use crate::record::folder::{self, Description, Folder, ModelInfo, ModelKind, Modules};
use crate::record::kept_network::KeptNetwork;

const SQUARED_EUCLIDEAN: &str = "squared_euclidean";
pub(super) const GAUSSIAN_KERNEL: &str = "gaussian_kernel";
/// The "distance" of a mixture.
const GAUSSIAN: &str = "gaussian";

/// A scaler and a clusterer of any kind fitted to the scaled data, with the names of the features
/// and information on the fit.
///
/// On disk it is a folder with two files, `config.json` and a burnpack record. The
/// name of the record contains part of its checksum, and the configuration is
/// renamed into place last: an interrupted [`save`](Self::save) leaves an existing
/// model intact, and one that fails leaves no files behind.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::DType;
/// use neuralize::prelude::*;
///
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// # let path = folder.path().join("wine");
/// let (device, dtype) = (Default::default(), DType::F64);
/// # std::fs::write(folder.path().join("wine.csv"), Table::wine_csv()).expect("a file");
/// # let csv = folder.path().join("wine.csv");
/// // From a table to a model folder.
/// let reader = TableReader::open(&csv, &TableOptions::default().with_label("target"))?;
/// let (scaler, data) = Scale::MinMax.fit_table::<Flex>(reader, &device, dtype)?;
/// let fit = ClustererConfig::from(KMeansConfig::new(3)).fit(&data.x)?;
/// let info = ModelInfo::from(&fit).with_features(data.table.features()).with_scale(Scale::MinMax);
/// Model::new(scaler, fit.clusterer, info)?.save(&path)?;
///
/// // And to explanations of a table that may be larger than memory.
/// let model: Model<Flex> = Model::load(&path, &device, dtype)?;
/// let network = model.neuralize()?;
/// let reader = TableReader::open(&csv, &model.table_options())?;
/// for part in model.parts(reader)? {
///     let part = part?;
///     let explanation = network.explain(&part.x, Target::Assigned, Beta::Heuristic)?;
///     assert_eq!(explanation.relevance.dims(), [part.rows.len(), 13]);
/// }
/// # Ok::<(), neuralize::Error>(())
/// ```
///
/// A model is a Burn module and can be a field of one: it moves to other devices, and the record of
/// the outer module holds its parameters (not its [`info`](Self::info)). Make a
/// [`blank`](Self::blank) one to load that record into.
#[derive(Module)]
#[module(custom_display)]
pub struct Model<B: Backend> {
    scaler: Scaler<B>,
    clusterer: Clusterer<B>,
    #[module(skip)]
    info: ModelInfo,
    /// The network, made by the first call that needs it.
    network: KeptNetwork<B>,
}

/// With a line on what computes for the backend (see [`kernels`](crate::kernels)).
impl<B: Backend> fmt::Debug for Model<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Model")
            .field("scaler", &self.scaler)
            .field("clusterer", &self.clusterer)
            .field("info", &self.info)
            .field("kernels", &format_args!("{}", crate::kernels::<B>()))
            .finish()
    }
}

impl<B: Backend> ModuleDisplay for Model<B> {
    fn custom_content(&self, content: Content) -> Option<Content> {
        content.add("scaler", &self.scaler).add("clusterer", &self.clusterer).optional()
    }
}

impl<B: Backend> Model<B> {
    /// Builds a model from its parts.
    ///
    /// # Errors
    ///
    /// If scaler, clusterer, feature names, labels and sizes disagree in number or
    /// precision.
    pub fn new(
        scaler: Scaler<B>,
        clusterer: impl Into<Clusterer<B>>,
        info: ModelInfo,
    ) -> Result<Self> {
        let clusterer = clusterer.into();
        folder::check_parts(&scaler, &info, clusterer.n_features(), clusterer.dtype())?;
        for (what, found) in [
            ("the list of cluster names", info.labels.as_ref().map(Vec::len)),
            ("the list of sizes", info.sizes.as_ref().map(Vec::len)),
        ] {
            let clusters = clusterer.n_clusters();
            if let Some(found) = found.filter(|found| *found != clusters) {
                return Err(Error::shape(what, format!("[{clusters}]"), &[found]));
            }
        }
        if let Some(share) = info.agreement.filter(|share| !(0.0..=1.0).contains(share)) {
            return Err(Error::Config {
                name: "agreement",
                value: share.to_string(),
                rule: "a share lies between 0 and 1".into(),
            });
        }
        Ok(Self { scaler, clusterer, info, network: KeptNetwork::default() })
    }

    /// A blank model to load a record into, as a part of a module of yours. Call
    /// [`checked`](Self::checked) on it afterwards.
    pub fn blank(info: ModelInfo, device: &B::Device) -> Self {
        let scaler = Scale::None.init(info.features.len().max(1), device);
        let network = KeptNetwork::default();
        Self { scaler, clusterer: Clusterer::blank(device), info, network }
    }

    /// The model itself, if what was loaded into it is one.
    ///
    /// # Errors
    ///
    /// If shapes or values of its parts are unusable, or the parts do not belong together.
    pub fn checked(self) -> Result<Self> {
        Self::new(self.scaler.checked()?, self.clusterer.checked()?, self.info)
    }

    /// Information on the model besides its parameters.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The kind of the model.
    pub fn kind(&self) -> ModelKind {
        match &self.clusterer {
            Clusterer::KMeans(_) | Clusterer::Separable(_) => ModelKind::KMeans,
            Clusterer::Kernel(_) if self.info.labels.is_some() => ModelKind::Labels,
            Clusterer::Kernel(_) => ModelKind::Kernel,
            Clusterer::Mixture(_) => ModelKind::Mixture,
        }
    }

    /// The method, in words that follow "by".
    #[cfg(feature = "report")]
    pub(crate) fn title(&self) -> String {
        match &self.clusterer {
            Clusterer::KMeans(_) => "k-means".into(),
            Clusterer::Separable(model) => match model.distance() {
                Distance::Manhattan => "k-medians".into(),
                distance => format!("k-means by distance {distance}"),
            },
            Clusterer::Kernel(_) if self.info.labels.is_some() => "given labels".into(),
            Clusterer::Kernel(_) => "kernel k-means".into(),
            Clusterer::Mixture(_) => "a Gaussian mixture".into(),
        }
    }

    /// The scaler.
    pub fn scaler(&self) -> &Scaler<B> {
        &self.scaler
    }

    /// The clusterer, which works on scaled data.
    pub fn clusterer(&self) -> &Clusterer<B> {
        &self.clusterer
    }

    /// The clusterer as a network, which works on scaled data. It is made once and
    /// kept, and with it what its kernels derive from its parameters: about four times
    /// the memory of the clusterer. On an autodiff backend its parameters are constants:
    /// gradients reach the rows. A network of your own has those of the centroids.
    ///
    /// # Errors
    ///
    /// If there is only one cluster.
    pub fn network(&self) -> Result<&dyn Network<B>> {
        self.network.of(&self.clusterer)
    }

    /// A network of your own, like that of [`network`](Self::network).
    ///
    /// # Errors
    ///
    /// If there is only one cluster.
    pub fn neuralize(&self) -> Result<Box<dyn Network<B>>> {
        self.clusterer.neuralize()
    }

    /// Checks that the columns of a table are the features of the model, in its order.
    pub(crate) fn check_columns(&self, table: &Table) -> Result<()> {
        let features = &self.info.features;
        if table.features() == features {
            return Ok(());
        }
        let detail = format!(
            "its columns are not the model's features, {}; select these columns when reading the table",
            features.join(", ")
        );
        Err(Error::Table { file: "the table".into(), detail })
    }

    /// The number of a cluster, by its name or, if clusters have no names, by the
    /// number as text.
    pub fn cluster(&self, name: &str) -> Option<usize> {
        match &self.info.labels {
            Some(names) => names.iter().position(|known| known == name),
            None => name.parse().ok(),
        }
    }

    /// Options that select the features of the model, to open a table with.
    pub fn table_options(&self) -> TableOptions {
        self.info.table_options()
    }

    /// Scaled parts of a table that may be larger than memory. Open the table with
    /// [`table_options`](Self::table_options), which select the features of the
    /// model.
    ///
    /// # Errors
    ///
    /// If the features of the table are not those of the model.
    pub fn parts<'a>(&self, reader: TableReader<'a>) -> Result<ScaledParts<'a, B>> {
        let columns = self.clusterer.n_features() + self.clusterer.n_clusters();
        folder::parts(&self.scaler, &self.info, reader, columns)
    }

    /// Scales data and predicts their clusters.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N]`
    ///
    /// # Errors
    ///
    /// If x does not fit the model or holds values that are not finite.
    pub fn predict(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1, Int>> {
        // A single cluster has no network.
        if self.clusterer.n_clusters() < 2 {
            return self.clusterer.predict(&self.scaler.transform(x)?);
        }
        let found = self.network()?.predict(&self.scaler.scaled(x)?);
        found.or_else(|error| self.located(x, error))
    }

    /// As [`predict`](Self::predict), without blocking the thread while a device checks x.
    ///
    /// # Errors
    ///
    /// As [`predict`](Self::predict).
    pub async fn predict_async(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1, Int>> {
        if self.clusterer.n_clusters() < 2 {
            return self.clusterer.predict(&self.scaler.transform(x)?);
        }
        let found = self.network()?.predict_async(&self.scaler.scaled(x)?).await;
        found.or_else(|error| self.located(x, error))
    }

    /// Scales data and explains their clusters. Relevances are in the units of the
    /// clusterer's distance between scaled points.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// As [`Network::explain`], and if there is only one cluster.
    pub fn explain(&self, x: &Tensor<B, 2>, target: Target, beta: Beta) -> Result<Explanation<B>> {
        let found = self.network()?.explain(&self.scaler.scaled(x)?, target, beta);
        found.or_else(|error| self.located(x, error))
    }

    /// As [`explain`](Self::explain), without blocking the thread while a device checks x.
    ///
    /// # Errors
    ///
    /// As [`explain`](Self::explain).
    pub async fn explain_async(
        &self,
        x: &Tensor<B, 2>,
        target: Target,
        beta: Beta,
    ) -> Result<Explanation<B>> {
        let found = self.network()?.explain_async(&self.scaler.scaled(x)?, target, beta).await;
        found.or_else(|error| self.located(x, error))
    }

    /// The error of raw rows, if it lies in their values, and not in what became of them.
    fn located<T>(&self, x: &Tensor<B, 2>, error: Error) -> Result<T> {
        self.scaler.transform(x)?;
        Err(error)
    }

    /// Saves the model as a folder, replacing a model in this folder.
    ///
    /// # Errors
    ///
    /// If the folder cannot be written, or holds a `config.json` of another program.
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let folder = folder.as_ref();
        match &self.clusterer {
            Clusterer::KMeans(model) => self.save_as(folder, model, SQUARED_EUCLIDEAN),
            Clusterer::Separable(model) => {
                self.save_as(folder, model, model.distance().to_string())
            }
            Clusterer::Kernel(model) => self.save_as(folder, model, GAUSSIAN_KERNEL),
            Clusterer::Mixture(model) => self.save_as(folder, model, GAUSSIAN),
        }
    }

    fn save_as<M: Load<B>>(
        &self,
        folder: &Path,
        clusterer: &M,
        distance: impl Into<String>,
    ) -> Result<()> {
        let modules = Modules { scaler: self.scaler.clone(), clusterer: clusterer.clone() };
        let description = Description {
            kind: self.kind(),
            distance: distance.into(),
            n_clusters: self.clusterer.n_clusters(),
            n_features: self.clusterer.n_features(),
            beta: self.clusterer.beta(),
            dtype: self.clusterer.dtype(),
            info: &self.info,
        };
        folder::save(folder, &modules, description)
    }

    /// Loads a model folder in the given precision.
    ///
    /// # Errors
    ///
    /// If the folder or a file in it is missing, does not belong to a model with
    /// clusters, is of another version, or was changed since it was saved.
    pub fn load(folder: impl AsRef<Path>, device: &B::Device, dtype: DType) -> Result<Self> {
        let folder = Folder::read(folder.as_ref())?;
        let (scaler, mut clusterer) = match folder.config.kind {
            ModelKind::KMeans if folder.config.distance == SQUARED_EUCLIDEAN => {
                load_as::<B, KMeans<B>>(&folder, device, dtype)?
            }
            ModelKind::KMeans => load_as::<B, SeparableKMeans<B>>(&folder, device, dtype)?,
            ModelKind::Kernel | ModelKind::Labels => {
                load_as::<B, KernelKMeans<B>>(&folder, device, dtype)?
            }
            ModelKind::Mixture => load_as::<B, GaussianMixture<B>>(&folder, device, dtype)?,
            ModelKind::Density => {
                return Err(
                    folder.refuse("is a model that scores outliers and has no clusters; use it with `outliers --model`")
                );
            }
        };
        let config = &folder.config;
        let found = (clusterer.n_clusters(), clusterer.n_features());
        if found != (config.n_clusters, config.n_features) {
            return Err(folder.fail(format!(
                "has {} clusters of {} features, but config.json says {} of {}",
                found.0, found.1, config.n_clusters, config.n_features
            )));
        }
        if config.beta.map(|beta| folder::rounded(beta, dtype)) != clusterer.beta() {
            return Err(folder.fail("differs in beta from config.json"));
        }
        if let Clusterer::Separable(model) = &mut clusterer {
            // In another precision, the exponent of a power has other digits.
            let stated =
                config.distance.parse().ok().filter(|stated| model.distance().is_nearly(stated));
            let Some(stated) = stated else {
                return Err(folder.fail("differs in distance from config.json"));
            };
            *model = model.by(stated);
        }
        let info = folder.config.info.clone();
        Self::new(scaler, clusterer, info).map_err(|error| folder.unlike(&error))
    }
}

/// Loads scaler and clusterer of a folder.
fn load_as<B: Backend, M: Load<B> + Into<Clusterer<B>>>(
    folder: &Folder<'_>,
    device: &B::Device,
    dtype: DType,
) -> Result<(Scaler<B>, Clusterer<B>)> {
    let Modules { scaler, clusterer } = folder.modules::<B, M>(device, dtype)?;
    let clusterer: Clusterer<B> = clusterer.into();
    if scaler.n_features() != clusterer.n_features() {
        let (scaled, clustered) = (scaler.n_features(), clusterer.n_features());
        let detail = format!("it scales {scaled} features and clusters {clustered}");
        return Err(folder.fail(format!("is not a usable model: {detail}")));
    }
    Ok((scaler, clusterer))
}
