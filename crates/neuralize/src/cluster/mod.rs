//! How a partition is found: k-means.

mod config;
mod kmeans;
mod lloyd;
mod matching;
mod seeding;

pub use config::{FitOptions, Init, KMeansConfig, KMeansFit, Progress};
pub use kmeans::KMeans;
pub use matching::{Matching, match_to_classes};
pub use seeding::Seeding;
