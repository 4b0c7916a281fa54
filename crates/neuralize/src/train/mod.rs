//! Clusterings as a part of training: losses on assignments and relevances, and metrics.
//!
//! [`KMeans::trainable`](crate::cluster::KMeans::trainable) makes a clusterer whose centroids an
//! optimizer changes; the weights of its network are computed from them in every step. Losses
//! are differentiable with respect to the data, so an encoder in front is trained as well.
//!
//! | loss | small if | needs |
//! |---|---|---|
//! | [`inertia_loss`] | points are near their centroids | nothing else |
//! | [`assignment_loss`] | soft assignments are sharp (deep embedded clustering) | [`soft_assignments`], [`sharpened`] |
//! | [`margin_loss`] | points are in given clusters, by a margin | labels |
//! | [`masked_relevance_loss`] | some features have no relevance | an [`Explanation`](crate::explain::Explanation) |
//! | [`relevance_entropy_loss`] | few features have all the relevance | an [`Explanation`](crate::explain::Explanation) |
//!
//! A loss is a tensor of one element, the mean over rows. All of them work on every backend; on
//! a backend without gradients they are figures of merit.
#![cfg_attr(
    feature = "train",
    doc = "\nWith the feature `train` there are metrics for `burn::train` as well: [`InertiaMetric`], [`MarginMetric`] and [`ConservationMetric`], and [`ClusteringOutput`], an output of a step that all of them read."
)]

mod assignment;
mod inertia;
mod margin;
#[cfg(feature = "train")]
mod metric;
mod relevance;

pub use assignment::{assignment_loss, sharpened, soft_assignments};
#[cfg(feature = "autodiff")]
pub(crate) use assignment::{assignments, divergence};
pub use inertia::inertia_loss;
pub use margin::margin_loss;
#[cfg(feature = "train")]
pub use metric::{
    ClusteringOutput, ClusteringValues, ConservationInput, ConservationMetric, InertiaInput,
    InertiaMetric, MarginInput, MarginMetric,
};
pub use relevance::{masked_relevance_loss, relevance_entropy_loss};
