//! Mixtures of Gaussians with diagonal covariances, fitted by EM.

mod components;
mod config;
mod em;
mod model;
mod scorer;

pub use config::{GaussianMixtureConfig, GaussianMixtureFit};
pub use model::GaussianMixture;
pub(crate) use scorer::MixtureScorer;
