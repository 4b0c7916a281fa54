//! How a partition is found.

mod clusterer;
mod config;
mod kmeans;
mod lloyd;
mod matching;
mod mini_batch;
mod parts;
mod seeding;

pub use clusterer::Clusterer;
pub use config::{FitOptions, Init, KMeansConfig, KMeansFit, Progress};
pub use kmeans::KMeans;
pub use matching::{Matching, match_to_classes};
pub use mini_batch::MiniBatchKMeans;
pub use parts::PartsFit;
pub use seeding::Seeding;
