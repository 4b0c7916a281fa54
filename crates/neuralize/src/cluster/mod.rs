//! How a partition is found: k-means, k-means by other distances, mixtures of
//! Gaussians.

mod clusterer;
mod config;
pub(crate) mod distance;
mod kmeans;
mod lloyd;
mod matching;
mod mini_batch;
mod mixture;
mod parts;
mod seeding;
mod separable;

pub use clusterer::Clusterer;
pub use config::{FitOptions, Init, KMeansConfig, KMeansFit, Progress};
pub use distance::{Bregman, Distance, Domain, Separable};
pub use kmeans::KMeans;
pub use matching::{Matching, match_to_classes};
pub use mini_batch::MiniBatchKMeans;
pub(crate) use mixture::Components;
pub use mixture::{GaussianMixture, GaussianMixtureConfig, GaussianMixtureFit};
pub use parts::PartsFit;
pub use seeding::Seeding;
pub(crate) use seeding::{random_stream, uniform};
pub use separable::{SeparableKMeans, SeparableKMeansConfig, SeparableKMeansFit};
