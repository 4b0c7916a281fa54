//! The network of a clusterer of any kind.

use burn::tensor::backend::Backend;

use crate::cluster::Clusterer;
use crate::error::Result;
use crate::network::interface::Network;

impl<B: Backend> Clusterer<B> {
    /// Rewrites the clusterer as a network that makes the same decisions.
    ///
    /// # Errors
    ///
    /// If there is only one cluster.
    pub fn neuralize(&self) -> Result<Box<dyn Network<B>>> {
        Ok(match self {
            Self::KMeans(model) => Box::new(model.neuralize()?),
            Self::Separable(model) => Box::new(model.neuralize()?),
            Self::Kernel(model) => Box::new(model.neuralize()?),
            Self::Mixture(model) => Box::new(model.neuralize()?),
        })
    }
}
