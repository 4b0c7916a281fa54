//! How a partition is found: k-means, and mixtures of Gaussians.

mod config;
mod kmeans;
mod lloyd;
mod matching;
mod mini_batch;
mod mixture;
mod parts;
mod seeding;

pub use config::{FitOptions, Init, KMeansConfig, KMeansFit, Progress};
pub use kmeans::KMeans;
pub use matching::{Matching, match_to_classes};
pub use mini_batch::MiniBatchKMeans;
pub(crate) use mixture::{Components, Density};
pub use mixture::{GaussianMixture, GaussianMixtureConfig, GaussianMixtureFit};
pub use parts::PartsFit;
pub use seeding::Seeding;
pub(crate) use seeding::{random_stream, uniform};
