//! Clusterers and how they are fitted: k-means, k-means by other distances, kernel
//! k-means and mixtures of Gaussians, and clusterers made from labels that were
//! found elsewhere.

#[macro_use]
mod fitted;

mod bandwidth;
pub(crate) mod beta;
mod blank;
mod clusterer;
mod clusterer_config;
mod clusterer_module;
mod config;
mod cross_table;
pub(crate) mod distance;
mod empty;
mod extremes;
mod kernel_fit;
mod kernel_kmeans;
mod kmeans;
mod labelled;
mod labels;
mod lloyd;
#[cfg(feature = "cases")]
mod matching;
mod mini_batch;
mod mixture;
mod momentum;
mod own_support;
mod partition;
mod parts;
mod seeding;
pub(crate) mod segments;
mod separable;
mod settings;
mod solution;
mod support_scorer;
mod supports;
#[cfg(feature = "autodiff")]
mod variants;

pub use bandwidth::Bandwidth;
pub use clusterer::Clusterer;
pub use clusterer_config::{ClustererConfig, ClustererFit};
pub use clusterer_module::ClustererRecord;
pub use config::{FitOptions, KMeansConfig, KMeansFit, Progress};
pub use cross_table::{Agreement, CrossTable, MATCHED_CLASS, MATCHED_ROWS};
pub use distance::Distance;
pub use kernel_fit::{KernelKMeansConfig, KernelKMeansFit};
pub use kernel_kmeans::KernelKMeans;
pub use kmeans::KMeans;
pub use labelled::{LabelledConfig, LabelledFit};
pub use labels::Labels;
#[cfg(feature = "cases")]
pub use matching::{Matching, match_to_classes};
pub use mini_batch::MiniBatchKMeans;
pub(crate) use mixture::MixtureScorer;
pub use mixture::{GaussianMixture, GaussianMixtureConfig, GaussianMixtureFit};
pub(crate) use own_support::own_supports;
pub use parts::{Part, PartsFit, Visit};
pub use seeding::{Init, Seeding};
pub use separable::{SeparableKMeans, SeparableKMeansConfig, SeparableKMeansFit};
pub(crate) use support_scorer::SupportScorer;
#[cfg(feature = "autodiff")]
pub(crate) use variants::shuffled_columns;
