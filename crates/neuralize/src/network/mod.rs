//! What a clusterer is rewritten into: layers, and the networks made of them.

mod dense;
mod kmeans;
mod min_pool;

pub use dense::DenseNeuralizedKMeans;
pub use kmeans::{NeuralizedKMeans, NeuralizedKMeansConfig};
pub use min_pool::MinPool;
