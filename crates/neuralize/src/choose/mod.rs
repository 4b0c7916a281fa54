//! How many clusters? The number whose clusters are not tiny, come back on resampled rows, lie
//! apart, and have a better silhouette than data without clusters that look the same otherwise; or
//! that no number is clear.

mod candidate;
mod choice;
mod config;
mod copies;
mod decision;
mod distances;
mod fits;
mod fitted_by;
mod generator;
pub mod indices;
mod judge;
mod lonely;
mod partitioner;
mod progress;
mod references;
mod rounded;
mod rows;
mod sampled_rows;
mod sentence;
mod stability;
mod table;
#[cfg(test)]
mod tests;
mod trial;
mod valley;
mod whole;

pub use candidate::{Candidate, Check, MIN_STABILITY};
pub use choice::Choice;
pub use config::ChooseConfig;
pub use fitted_by::{FittedBy, FittedPartition};
pub use judge::least_rows;
pub use partitioner::{Partition, Partitioner};
pub use progress::Progress;
pub(crate) use rounded::rounded;
pub use rows::Rows;
pub use sampled_rows::SampledRows;
pub use stability::cluster_stability;
pub use whole::FIGURED_ROWS;
