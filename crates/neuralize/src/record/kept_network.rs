//! The network of a model, made once for the parameters that the model has.

use std::fmt;
use std::sync::{Arc, OnceLock};

use burn::module::{
    AutodiffModule, Content, Devices, EmptyRecord, HasAutodiffModule, Module, ModuleDisplay,
    ModuleDisplayDefault, ModuleMapper, ModuleVisitor,
};
use burn::tensor::backend::{AutodiffBackend, Backend};

use crate::cluster::Clusterer;
use crate::error::Result;
use crate::network::Network;

/// The network of a model. As a part of a module it has no parameters: whatever changes those
/// of the model (a device, a record, an optimizer) empties it.
pub(crate) struct KeptNetwork<B: Backend>(OnceLock<Arc<dyn Network<B>>>);

impl<B: Backend> KeptNetwork<B> {
    /// The network, made by the first call.
    pub(crate) fn of(&self, clusterer: &Clusterer<B>) -> Result<&dyn Network<B>> {
        if let Some(network) = self.0.get() {
            return Ok(&**network);
        }
        // A graph is used up by the first backward pass through it, so none is kept.
        let network = Arc::from(clusterer.untracked().neuralize()?);
        Ok(&**self.0.get_or_init(|| network))
    }
}

impl<B: Backend> Default for KeptNetwork<B> {
    fn default() -> Self {
        Self(OnceLock::new())
    }
}

impl<B: Backend> Clone for KeptNetwork<B> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<B: Backend> fmt::Debug for KeptNetwork<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("KeptNetwork")
    }
}

impl<B: Backend> fmt::Display for KeptNetwork<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}

impl<B: Backend> Module<B> for KeptNetwork<B> {
    type Record = EmptyRecord;

    fn collect_devices(&self, devices: Devices<B>) -> Devices<B> {
        devices
    }

    fn fork(self, _: &B::Device) -> Self {
        Self::default()
    }

    fn to_device(self, _: &B::Device) -> Self {
        Self::default()
    }

    fn visit<V: ModuleVisitor<B>>(&self, _: &mut V) {}

    fn map<M: ModuleMapper<B>>(self, _: &mut M) -> Self {
        Self::default()
    }

    fn load_record(self, _: EmptyRecord) -> Self {
        Self::default()
    }

    fn into_record(self) -> EmptyRecord {
        EmptyRecord
    }
}

impl<B: AutodiffBackend> AutodiffModule<B> for KeptNetwork<B> {
    type InnerModule = KeptNetwork<B::InnerBackend>;

    fn valid(&self) -> Self::InnerModule {
        KeptNetwork::default()
    }

    fn from_inner(_: Self::InnerModule) -> Self {
        Self::default()
    }
}

impl<B: AutodiffBackend> HasAutodiffModule<B> for KeptNetwork<B::InnerBackend> {
    type TrainModule = KeptNetwork<B>;
}

impl<B: Backend> ModuleDisplayDefault for KeptNetwork<B> {
    fn content(&self, _: Content) -> Option<Content> {
        None
    }
}

impl<B: Backend> ModuleDisplay for KeptNetwork<B> {}
