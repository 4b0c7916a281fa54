//! Why is this data point in that cluster?
//!
//! A fitted clusterer is rewritten, exactly, as a neural network, and a
//! relevance pass through that network says how much every input feature
//! contributed to an assignment. Everything is generic over a Burn backend.
//!
//! ```text
//! CSV / Tensor ──► cluster ──► KMeans<B> ──► neuralize() ──► NeuralizedKMeans<B> ──► explain() ──► Explanation<B>
//!   data            fit         a Module      exact           linear + min-pool       NEON          relevance [N, D]
//!                                                                                                        │
//!                                                       figures, page  ◄── plot, report ◄── cases ◄──────┘
//! ```
//!
//! | module | what it holds |
//! |---|---|
//! | [`data`] | named tables from CSV, Parquet and NumPy files, scalers |
//! | [`cluster`] | k-means in memory, in parts and in batches, by any distance, with a kernel; mixtures; labels from elsewhere |
//! | [`outlier`] | how far a point is from a cloud of points, and why: kernel density as a network |
//! | [`network`] | the layers and networks that a clusterer is rewritten into |
//! | [`deep`] | clusters of the codes of a neural encoder, explained in its input |
//! | [`explain`] | NEON, the relevance pass, and what it returns |
#![cfg_attr(
    feature = "autodiff",
    doc = "| [`baseline`] | gradient explanations through autodiff, to compare with |"
)]
//! | [`record`] | models on disk: Burn records, burnpack, safetensors, the model folder |
//! | [`output`] | results written to CSV, JSON and Parquet files |
//! | [`cases`] | explained points on the host, with values, centroids and classes |
#![cfg_attr(feature = "svg", doc = "| [`plot`] | figures of explained clusterings |")]
#![cfg_attr(
    feature = "report",
    doc = "| [`report`] | a page that says why every point is where it is |"
)]
//!
//! ```
//! use burn::backend::Flex;
//! use burn::tensor::DType;
//! use neuralize::prelude::*;
//!
//! let wine = Table::wine();
//! let x = wine.to_tensor::<Flex>(&Default::default(), DType::F64)?;
//! let x = Scale::MinMax.fit(&x)?.transform(x)?;
//!
//! let fit = KMeansConfig::new(3).fit(&x)?;
//! let explanation = fit.model.neuralize()?.explain(&x, Target::Assigned, Beta::Heuristic)?;
//!
//! let worst = explanation.conservation_error().max().into_data().iter::<f64>().next();
//! assert!(worst.is_some_and(|error| error < 1e-12));
//! # Ok::<(), neuralize::Error>(())
//! ```
//!
//! # Source
//!
//! Kauffmann, Esders, Ruff, Montavon, Samek, Müller, *From Clustering to
//! Cluster Explanations via Neural Networks*, IEEE TNNLS 35(2), 1926–1940,
//! 2024 (arXiv:1906.07633).

#[cfg(feature = "autodiff")]
pub mod baseline;
pub mod cases;
pub mod cluster;
pub mod data;
pub mod deep;
#[cfg(feature = "autodiff")]
pub mod evaluate;
pub mod explain;
pub mod network;
pub mod outlier;
pub mod output;
#[cfg(feature = "svg")]
pub mod plot;
pub mod record;
#[cfg(feature = "report")]
pub mod report;

mod error;
mod kernel;
mod random;
mod transfer;
mod validate;

pub use error::{Error, Result};
pub use validate::check_device;

/// What most programs need.
pub mod prelude {
    pub use crate::cases::Cases;
    pub use crate::cluster::{Clusterer, ClustererConfig, ClustererFit};
    pub use crate::cluster::{Distance, FitOptions, Init, KMeans, KMeansConfig, KMeansFit};
    pub use crate::cluster::{GaussianMixtureConfig, KernelKMeansConfig, LabelledConfig};
    pub use crate::data::{Scale, Scaler, Table, TableOptions, TableReader};
    pub use crate::deep::{DeepKMeans, DeepQuestion};
    pub use crate::explain::{Beta, Explanation, Target};
    pub use crate::network::{Network, NeuralizedKMeans};
    pub use crate::record::{Model, ModelInfo};
}
