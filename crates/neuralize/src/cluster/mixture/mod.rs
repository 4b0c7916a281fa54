//! Mixtures of Gaussians with diagonal covariances, fitted by EM.

mod components;
mod config;
mod em;
mod model;

pub(crate) use components::{Components, Density};
pub use config::{GaussianMixtureConfig, GaussianMixtureFit};
pub use model::GaussianMixture;
