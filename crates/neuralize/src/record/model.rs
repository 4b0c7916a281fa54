use std::path::Path;

use burn::tensor::{DType, Int, Tensor, backend::Backend};

#[cfg(feature = "report")]
use crate::cluster::Distance;
use crate::cluster::{Clusterer, GaussianMixture, KMeans, KernelKMeans, SeparableKMeans};
use crate::data::Scaler;
use crate::error::{Error, Result};
use crate::explain::{Beta, Explanation, Target};
use crate::network::Network;
use crate::record::folder::{self, Description, Folder, Kind, ModelInfo, Modules};
use crate::record::module::Load;

const SQUARED_EUCLIDEAN: &str = "squared_euclidean";
pub(super) const GAUSSIAN_KERNEL: &str = "gaussian_kernel";
/// That of mixtures: a density, in which distances have variances.
const GAUSSIAN: &str = "gaussian";

/// What an analyst saves and loads: a scaler and a clusterer of any kind fitted
/// on what it gives, with the names of the features and what is known of the
/// fit.
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
    scaler: Scaler<B>,
    clusterer: Clusterer<B>,
    info: ModelInfo,
}

impl<B: Backend> Model<B> {
    /// Puts a model together.
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
            ("the list of labels", info.labels.as_ref().map(Vec::len)),
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
        Ok(Self { scaler, clusterer, info })
    }

    /// What is known of the model besides its parameters.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// What the model is.
    pub fn kind(&self) -> Kind {
        match &self.clusterer {
            Clusterer::KMeans(_) | Clusterer::Separable(_) => Kind::KMeans,
            Clusterer::Kernel(_) if self.info.labels.is_some() => Kind::Labels,
            Clusterer::Kernel(_) => Kind::Kernel,
            Clusterer::Mixture(_) => Kind::Mixture,
        }
    }

    /// What the model is, in words that follow "by".
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

    /// The network of the clusterer, which works on scaled data.
    ///
    /// # Errors
    ///
    /// If there is only one cluster.
    pub fn neuralize(&self) -> Result<Box<dyn Network<B>>> {
        self.clusterer.neuralize()
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
        self.clusterer.predict(&self.scaler.transform(x)?)
    }

    /// Scales raw data and explains their clusters. Relevances are in the units
    /// of the clusterer's distance between scaled points.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// As [`Network::explain`], and if there is only one cluster.
    pub fn explain(&self, x: Tensor<B, 2>, target: Target, beta: Beta) -> Result<Explanation<B>> {
        self.neuralize()?.explain(&self.scaler.transform(x)?, target, beta)
    }

    /// Saves the model as a folder, in place of a model that is there already.
    ///
    /// # Errors
    ///
    /// If the folder cannot be written, or holds a `config.json` that is not a
    /// model's.
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
    /// If the folder or a file of it is missing, is not a model's, is of
    /// another version, or was changed since it was saved.
    pub fn load(folder: impl AsRef<Path>, device: &B::Device, dtype: DType) -> Result<Self> {
        let folder = Folder::read(folder.as_ref())?;
        let (scaler, mut clusterer) = match folder.config.kind {
            Kind::KMeans if folder.config.distance == SQUARED_EUCLIDEAN => {
                load_as::<B, KMeans<B>>(&folder, device, dtype)?
            }
            Kind::KMeans => load_as::<B, SeparableKMeans<B>>(&folder, device, dtype)?,
            Kind::Kernel | Kind::Labels => load_as::<B, KernelKMeans<B>>(&folder, device, dtype)?,
            Kind::Mixture => load_as::<B, GaussianMixture<B>>(&folder, device, dtype)?,
            Kind::Density => {
                return Err(
                    folder.refuse("scores outliers and has no clusters; use it with `outliers`")
                );
            }
        };
        let config = &folder.config;
        let found = (clusterer.n_clusters(), clusterer.n_features());
        if found != (config.n_clusters, config.n_features) {
            return Err(folder.fail(format!(
                "has {} clusters of {} features, config.json says {} of {}",
                found.0, found.1, config.n_clusters, config.n_features
            )));
        }
        if config.beta.map(|beta| folder::rounded(beta, dtype)) != clusterer.beta() {
            return Err(folder.fail("has another beta than config.json says"));
        }
        if let Clusterer::Separable(model) = &mut clusterer {
            // Written in another precision, a power has other digits.
            let stated =
                config.distance.parse().ok().filter(|stated| model.distance().is_nearly(stated));
            let Some(stated) = stated else {
                return Err(folder.fail("has another distance than config.json says"));
            };
            *model = model.by(stated);
        }
        Self::new(scaler, clusterer, folder.config.info)
    }
}

/// Scaler and clusterer of a folder.
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
