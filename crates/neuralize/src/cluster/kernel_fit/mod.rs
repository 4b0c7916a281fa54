//! Kernel k-means with the Gaussian kernel.

mod config;
mod eigenvectors;
mod lloyd;
mod matrix;
mod start;

pub use config::{KernelKMeansConfig, KernelKMeansFit};
