//! A clusterer of any kind as a module: its record is that of its kind.

use std::fmt;

use burn::module::{
    AutodiffModule, Content, Devices, DisplaySettings, HasAutodiffModule, Module, ModuleDisplay,
    ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
};
use burn::record::Record;
use burn::tensor::DType;
use burn::tensor::backend::{AutodiffBackend, Backend};

use super::clusterer::{Clusterer, each};
use super::kernel_kmeans::KernelKMeans;
use super::kmeans::KMeans;
use super::mixture::GaussianMixture;
use super::separable::SeparableKMeans;
use crate::load::{Load, Shapes};

/// The record of a [`Clusterer`].
#[derive(Record)]
pub enum ClustererRecord<B: Backend> {
    /// Of k-means with squared Euclidean distances.
    KMeans(<KMeans<B> as Module<B>>::Record),
    /// Of k-means with another distance.
    Separable(<SeparableKMeans<B> as Module<B>>::Record),
    /// Of kernel k-means and labelled partitions.
    Kernel(<KernelKMeans<B> as Module<B>>::Record),
    /// Of a mixture.
    Mixture(<GaussianMixture<B> as Module<B>>::Record),
}

impl<B: Backend> Module<B> for Clusterer<B> {
    type Record = ClustererRecord<B>;

    fn collect_devices(&self, devices: Devices<B>) -> Devices<B> {
        each!(self, model => model.collect_devices(devices))
    }

    fn fork(self, device: &B::Device) -> Self {
        each!(self, model => model.fork(device).into())
    }

    fn to_device(self, device: &B::Device) -> Self {
        each!(self, model => model.to_device(device).into())
    }

    fn visit<V: ModuleVisitor<B>>(&self, visitor: &mut V) {
        each!(self, model => model.visit(visitor));
    }

    fn map<M: ModuleMapper<B>>(self, mapper: &mut M) -> Self {
        each!(self, model => model.map(mapper).into())
    }

    /// The clusterer takes over the kind of the record.
    fn load_record(self, record: ClustererRecord<B>) -> Self {
        let device = self.devices().into_iter().next().unwrap_or_default();
        macro_rules! loaded {
            ($($kind:ident),+) => {
                match record {
                    $(ClustererRecord::$kind(record) => {
                        let model = match self {
                            Self::$kind(model) => model,
                            _ => blank(&device),
                        };
                        model.load_record(record).into()
                    })+
                }
            };
        }
        loaded!(KMeans, Separable, Kernel, Mixture)
    }

    fn into_record(self) -> ClustererRecord<B> {
        match self {
            Self::KMeans(model) => ClustererRecord::KMeans(model.into_record()),
            Self::Separable(model) => ClustererRecord::Separable(model.into_record()),
            Self::Kernel(model) => ClustererRecord::Kernel(model.into_record()),
            Self::Mixture(model) => ClustererRecord::Mixture(model.into_record()),
        }
    }
}

/// A blank clusterer that a recorder's record of any shape is loaded into.
fn blank<B: Backend, M: Load<B>>(device: &B::Device) -> M {
    M::blank(&Shapes::default(), device, DType::F32).expect("without known shapes none is refused")
}

impl<B: Backend> Clusterer<B> {
    /// A blank clusterer to load a record into, as a part of a module of yours. It takes over the
    /// kind and the shapes of the record; call [`checked`](Self::checked) on it afterwards.
    ///
    /// Stores of `burn-store` compare shapes and names: for these, make a blank one of the kind
    /// and the shapes, such as `KMeansConfig::new(3).init(13, &device)`.
    pub fn blank(device: &B::Device) -> Self {
        blank::<B, KMeans<B>>(device).into()
    }

    /// The same clusterer outside of any graph.
    pub(crate) fn untracked(&self) -> Self {
        match self {
            Self::KMeans(model) => model.untracked().into(),
            // The parameters of the others never have a graph.
            other => other.clone(),
        }
    }

    /// The clusterer itself, if what was loaded into it is one.
    ///
    /// # Errors
    ///
    /// If shapes or values are not those of its kind.
    pub fn checked(self) -> crate::Result<Self> {
        each!(self, model => model.checked().map(Self::from))
    }
}

impl<B: AutodiffBackend> AutodiffModule<B> for Clusterer<B> {
    type InnerModule = Clusterer<B::InnerBackend>;

    fn valid(&self) -> Self::InnerModule {
        each!(self, model => AutodiffModule::valid(model).into())
    }

    fn from_inner(module: Self::InnerModule) -> Self {
        match module {
            Clusterer::KMeans(model) => KMeans::from_inner(model).into(),
            Clusterer::Separable(model) => SeparableKMeans::from_inner(model).into(),
            Clusterer::Kernel(model) => KernelKMeans::from_inner(model).into(),
            Clusterer::Mixture(model) => GaussianMixture::from_inner(model).into(),
        }
    }
}

impl<B: AutodiffBackend> HasAutodiffModule<B> for Clusterer<B::InnerBackend> {
    type TrainModule = Clusterer<B>;
}

impl<B: Backend> fmt::Display for Clusterer<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        each!(self, model => fmt::Display::fmt(model, f))
    }
}

impl<B: Backend> ModuleDisplayDefault for Clusterer<B> {
    fn content(&self, content: Content) -> Option<Content> {
        each!(self, model => model.content(content))
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

impl<B: Backend> ModuleDisplay for Clusterer<B> {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        each!(self, model => model.custom_settings())
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        each!(self, model => model.custom_content(content))
    }
}
