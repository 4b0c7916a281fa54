//! How a partition is found.
//! How a partition is found: k-means, and k-means by other distances.

mod clusterer;
mod config;
pub(crate) mod distance;
mod kmeans;
mod lloyd;
mod matching;
mod mini_batch;
mod parts;
mod seeding;
mod separable;

pub use clusterer::Clusterer;
pub use config::{FitOptions, Init, KMeansConfig, KMeansFit, Progress};
pub use distance::{Bregman, Distance, Domain, Separable};
pub use kmeans::KMeans;
pub use matching::{Matching, match_to_classes};
pub use mini_batch::MiniBatchKMeans;
pub use parts::PartsFit;
pub use seeding::Seeding;
pub use separable::{SeparableKMeans, SeparableKMeansConfig, SeparableKMeansFit};
