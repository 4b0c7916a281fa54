//! How far a point is from all others, and by which features.
//!
//! A kernel density over supports, rewritten as a network whose output is an
//! outlier score in squared units of the data, and a relevance pass through it
//! (Kauffmann, Müller, Montavon, *Towards explaining anomalies: a deep Taylor
//! decomposition of one-class models*, Pattern Recognition 2020,
//! arXiv:1805.06230).

mod density;
mod distances;
mod explanation;
mod network;

pub use density::{KernelDensity, KernelDensityConfig};
pub use explanation::OutlierExplanation;
pub use network::{NeuralizedKernelDensity, NeuralizedKernelDensityConfig};
