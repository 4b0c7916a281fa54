//! The networks that clusterers are rewritten into, their layers, and their relevance passes.
//!
//! Every clusterer has a method `neuralize()`, defined here, that rewrites it exactly: the network
//! makes the same decisions. All networks implement [`Network`], whose methods predict and explain.
//!
//! | clusterer | network | layers |
//! |---|---|---|
//! | [`KMeans`](crate::cluster::KMeans) | [`NeuralizedKMeans`] | linear, [`MinPool`] |
//! | [`SeparableKMeans`](crate::cluster::SeparableKMeans) | [`NeuralizedSeparableKMeans`] | linear or distances, [`MinPool`] |
//! | [`KernelKMeans`](crate::cluster::KernelKMeans) | [`NeuralizedKernelKMeans`] | linear, [`SoftMaxPool`], [`SoftMinPool`], [`MinPool`] |
//! | [`GaussianMixture`](crate::cluster::GaussianMixture) | [`NeuralizedGaussianMixture`] | linear over x and x², [`MinPool`] |

mod clusterer;
mod counted;
mod dense;
mod dense_layers;
mod interface;
mod kernel_kmeans;
mod kmeans;
mod kmeans_pass;
mod layers;
mod midpoint;
mod min_pool;
mod mixture;
mod mixture_secant;
mod pairwise;
mod pass;
mod rooted;
mod seats;
mod secant;
mod separable;
mod soft_pool;
mod summed;
mod support_coefficients;
mod support_secant;

pub(crate) use counted::{Counted, counted};
pub use dense::DenseNeuralizedKMeans;
pub use dense_layers::DenseKMeansLayers;
pub use interface::{Answer, Network};
pub(crate) use interface::{Dimensions, Internals};
pub use kernel_kmeans::{NeuralizedKernelKMeans, NeuralizedKernelKMeansConfig};
pub use kmeans::{NeuralizedKMeans, NeuralizedKMeansConfig};
pub use min_pool::MinPool;
pub use mixture::{NeuralizedGaussianMixture, NeuralizedGaussianMixtureConfig};
pub(crate) use pass::PoolingPass;
pub use separable::{NeuralizedSeparableKMeans, NeuralizedSeparableKMeansConfig};
pub use soft_pool::{SoftMaxPool, SoftMinPool};
