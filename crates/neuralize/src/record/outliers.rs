//! A scaler and a kernel density, saved as a folder.

use std::path::Path;

use burn::tensor::{DType, backend::Backend};

use crate::data::{ScaledParts, Scaler, TableOptions, TableReader, part_rows};
use crate::error::Result;
use crate::kernel;
use crate::outlier::KernelDensity;
use crate::record::folder::{self, Description, Folder, ModelInfo, ModelKind, Modules};
use crate::record::model::GAUSSIAN_KERNEL;

/// A scaler and a kernel density fitted to the scaled data, with the names of the
/// features: a model that scores outliers.
///
/// On disk it is a folder like that of a [`Model`](crate::record::Model).
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::DType;
/// use neuralize::outlier::KernelDensityConfig;
/// use neuralize::prelude::*;
/// use neuralize::record::OutlierModel;
///
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// # let path = folder.path().join("wine");
/// let (device, dtype) = (Default::default(), DType::F64);
/// let wine = Table::wine();
/// let x = wine.to_tensor::<Flex>(&device, dtype)?;
/// let scaler = Scale::Standard.fit(&x)?;
/// let density = KernelDensityConfig::new().fit(&scaler.transform(&x)?)?;
/// let info = ModelInfo::from(&density).with_features(wine.features());
/// OutlierModel::new(scaler, density, info)?.save(&path)?;
///
/// let model: OutlierModel<Flex> = OutlierModel::load(&path, &device, dtype)?;
/// let x = model.scaler().transform(&x)?;
/// assert_eq!(model.density().score(&x)?.dims(), [178]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct OutlierModel<B: Backend> {
    scaler: Scaler<B>,
    density: KernelDensity<B>,
    info: ModelInfo,
}

impl<B: Backend> OutlierModel<B> {
    /// Builds a model from its parts.
    ///
    /// # Errors
    ///
    /// If scaler, density and feature names disagree in number or precision.
    pub fn new(scaler: Scaler<B>, density: KernelDensity<B>, info: ModelInfo) -> Result<Self> {
        folder::check_parts(&scaler, &info, density.n_features(), density.dtype())?;
        Ok(Self { scaler, density, info })
    }

    /// Information on the model besides its parameters.
    pub fn info(&self) -> &ModelInfo {
        &self.info
    }

    /// The scaler.
    pub fn scaler(&self) -> &Scaler<B> {
        &self.scaler
    }

    /// The density, which works on scaled data.
    pub fn density(&self) -> &KernelDensity<B> {
        &self.density
    }

    /// Options that select the features of the model, to open a table with.
    pub fn table_options(&self) -> TableOptions {
        self.info.table_options()
    }

    /// Scaled parts of a table that may be larger than memory, as
    /// [`Model::parts`](crate::record::Model::parts); the more supports there are, the smaller are the
    /// parts, since a row is compared with each of them.
    ///
    /// # Errors
    ///
    /// If the features of the table are not those of the model.
    pub fn parts<'a>(&self, reader: TableReader<'a>) -> Result<ScaledParts<'a, B>> {
        // Pairs of a row and a support, which take about a second.
        const PAIRS: usize = 1 << 23;
        let (supports, features) = (self.density.n_supports(), self.density.n_features());
        let parts = folder::parts(&self.scaler, &self.info, reader, features)?;
        let whole_blocks = kernel::block_rows(supports + features);
        let rows = (PAIRS / supports.max(1)).next_multiple_of(whole_blocks);
        Ok(parts.with_part_rows(rows.min(part_rows(features))))
    }

    /// Saves the model as a folder, replacing a model in this folder.
    ///
    /// # Errors
    ///
    /// As [`Model::save`](crate::record::Model::save).
    pub fn save(&self, folder: impl AsRef<Path>) -> Result<()> {
        let modules = Modules { scaler: self.scaler.clone(), clusterer: self.density.clone() };
        let description = Description {
            kind: ModelKind::Density,
            distance: GAUSSIAN_KERNEL.into(),
            n_clusters: 0,
            n_features: self.density.n_features(),
            beta: None,
            dtype: self.density.dtype(),
            info: &self.info,
        };
        folder::save(folder.as_ref(), &modules, description)
    }

    /// Loads a model folder in the given precision.
    ///
    /// # Errors
    ///
    /// As [`Model::load`](crate::record::Model::load), but for a model that scores
    /// outliers.
    pub fn load(folder: impl AsRef<Path>, device: &B::Device, dtype: DType) -> Result<Self> {
        let folder = Folder::read(folder.as_ref())?;
        if folder.config.kind != ModelKind::Density {
            return Err(folder.refuse(
                "is a model of clusters, which does not score outliers; use a model of `outliers --save`",
            ));
        }
        let Modules { scaler, clusterer } = folder.modules::<B, KernelDensity<B>>(device, dtype)?;
        if clusterer.n_features() != folder.config.n_features {
            return Err(folder.fail("differs in the number of features from config.json"));
        }
        let info = folder.config.info.clone();
        Self::new(scaler, clusterer, info).map_err(|error| folder.unlike(&error))
    }
}
