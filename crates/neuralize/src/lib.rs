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
//! In the order in which data flow, every module uses only those above it:
//!
//! | module | contents |
//! |---|---|
//! | [`data`] | named tables from CSV, Parquet and NumPy files, scalers |
//! | [`explain`] | questions about assignments, and the explanations that answer them |
//! | [`cluster`] | k-means in memory, in parts and in batches, by other distances, with a kernel; mixtures; labels from elsewhere |
//! | [`network`] | the networks that clusterers are rewritten into, and their relevance passes, NEON and secants |
//! | [`outlier`] | outlier scores of a kernel density, and their explanations |
//! | [`record`] | models on disk: Burn records, burnpack, safetensors, the model folder |
//! | [`train`] | losses on assignments and relevances, metrics of `burn::train` |
//! | [`deep`] | clusters of the codes of a neural encoder, explained in its input |
//! | [`output`] | results written to CSV, JSON, Parquet and Excel files |
//! | [`choose`] | how many clusters there are, and the indices of a clustering |
//! | [`profile`] | what every cluster is: statistics, sentences, rules |
#![cfg_attr(
    feature = "cases",
    doc = "| [`cases`] | explained points on the host, with values, centroids and classes |"
)]
#![cfg_attr(
    feature = "autodiff",
    doc = "| [`baseline`] | other methods of explanation, to compare with |\n| [`evaluate`] | measures of explanations |"
)]
#![cfg_attr(feature = "svg", doc = "| [`plot`] | figures of explained clusterings |")]
#![cfg_attr(feature = "report", doc = "| [`report`] | a page that explains a clustering |")]
//!
//! The encoders of [`deep`] are explained by [`burn_lrp`], which is re-exported.
//!
//! ```
//! use burn::backend::Flex;
//! use burn::tensor::DType;
//! use neuralize::prelude::*;
//!
//! let wine = Table::wine();
//! let x = wine.to_tensor::<Flex>(&Default::default(), DType::F64)?;
//! let x = Scale::MinMax.fit(&x)?.transform(&x)?;
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
#![cfg_attr(docsrs, feature(doc_cfg))]

#[macro_use]
mod display;

#[cfg(feature = "autodiff")]
pub mod baseline;
#[cfg(feature = "cases")]
pub mod cases;
pub mod choose;
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
pub mod profile;
pub mod record;
#[cfg(feature = "report")]
pub mod report;
pub mod train;

mod error;
mod host_param;
mod load;
mod normal;
mod random;
mod text;
mod validate;

use neuralize_kernels as kernel;
use neuralize_kernels::{gradient, transfer};

pub use burn_lrp;
pub use error::{Error, Result};
pub use neuralize_kernels::{Kernels, kernels};
pub use validate::check_device;

/// The program of this package's README is compiled and run.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The items that most programs need.
pub mod prelude {
    #[cfg(feature = "cases")]
    pub use crate::cases::Cases;
    pub use crate::cluster::{Clusterer, ClustererConfig, ClustererFit};
    pub use crate::cluster::{Distance, FitOptions, Init, KMeans, KMeansConfig, KMeansFit};
    pub use crate::cluster::{GaussianMixtureConfig, KernelKMeansConfig, LabelledConfig};
    pub use crate::cluster::{MiniBatchKMeans, SeparableKMeansConfig};
    pub use crate::data::{Scale, Scaler, Table, TableOptions, TableReader};
    pub use crate::deep::{DeepKMeans, DeepQuestion, Pass};
    pub use crate::explain::{Beta, Explanation, Root, Rule, Target};
    pub use crate::network::{Network, NeuralizedKMeans, NeuralizedKMeansConfig};
    pub use crate::record::{Model, ModelInfo, load_burnpack, load_record};
    pub use crate::record::{save_burnpack, save_record};
}
