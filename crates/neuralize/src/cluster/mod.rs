//! How a partition is found: k-means, kernel k-means; or what is made of one that was
//! found elsewhere.

mod bandwidth;
mod config;
mod kernel_fit;
mod kernel_kmeans;
mod kmeans;
mod labelled;
mod lloyd;
mod matching;
mod mini_batch;
mod parts;
mod seeding;
mod spectral;
mod supports;

pub use bandwidth::Bandwidth;
pub use config::{FitOptions, Init, KMeansConfig, KMeansFit, Progress};
pub use kernel_fit::{KernelKMeansConfig, KernelKMeansFit};
pub use kernel_kmeans::KernelKMeans;
pub use kmeans::KMeans;
pub use labelled::{LabelledConfig, LabelledFit};
pub use matching::{Matching, match_to_classes};
pub use mini_batch::MiniBatchKMeans;
pub use parts::PartsFit;
pub use seeding::Seeding;
