//! K-means with another distance than the squared Euclidean one.

mod config;
mod lloyd;
mod model;
mod seeds;
mod spread;

pub use config::{SeparableKMeansConfig, SeparableKMeansFit};
pub use model::SeparableKMeans;
