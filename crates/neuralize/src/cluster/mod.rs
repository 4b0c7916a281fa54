//! How a partition is found: k-means, k-means by other distances, kernel
//! k-means, mixtures of Gaussians; or what is made of one that was found
//! elsewhere.

mod bandwidth;
pub(crate) mod beta;
mod clusterer;
mod config;
pub(crate) mod distance;
mod kernel_fit;
mod kernel_kmeans;
mod kmeans;
mod labelled;
mod lloyd;
mod matching;
mod mini_batch;
mod mixture;
#[cfg(feature = "autodiff")]
mod moved;
mod parts;
mod seeding;
mod separable;
mod spectral;
mod supports;

pub use bandwidth::Bandwidth;
pub use clusterer::Clusterer;
pub use config::{FitOptions, Init, KMeansConfig, KMeansFit, Progress};
pub use distance::{Bregman, Distance, Domain, Separable};
pub use kernel_fit::{KernelKMeansConfig, KernelKMeansFit};
pub use kernel_kmeans::KernelKMeans;
pub use kmeans::KMeans;
pub use labelled::{LabelledConfig, LabelledFit};
pub use matching::{Matching, match_to_classes};
pub use mini_batch::MiniBatchKMeans;
pub(crate) use mixture::{Components, Density};
pub use mixture::{GaussianMixture, GaussianMixtureConfig, GaussianMixtureFit};
#[cfg(feature = "autodiff")]
pub(crate) use moved::shuffled_columns;
pub use parts::PartsFit;
pub use seeding::Seeding;
#[cfg(feature = "autodiff")]
pub(crate) use seeding::uniform;
pub(crate) use seeding::{random_stream, some_rows};
pub use separable::{SeparableKMeans, SeparableKMeansConfig, SeparableKMeansFit};
