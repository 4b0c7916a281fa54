//! Fused kernels for data in host memory, in f32 and f64.
//!
//! Blocks of rows are small enough to stay in cache while they are processed,
//! and scores stay in registers or in cache. The vector width is chosen
//! at run time. Every sum is added up in an order that the data, their shape and
//! the width of the registers fix, so results do not depend on the number of threads.

mod bounds;
#[cfg(target_arch = "x86_64")]
mod filter;
mod lloyd;
mod nearest;
mod panel;
mod real;
mod reduce;
#[cfg(test)]
mod reference;
mod relevance;
mod rows;
mod scores;
mod secants;
mod seed;
mod segments;
mod sums;
mod supports;

pub(crate) use lloyd::LloydRun;
pub(crate) use nearest::{PackedScorer, nearest};
pub(crate) use real::Real;
pub(crate) use reduce::{all_within, feature_sums, own_distances};
pub(crate) use relevance::CentroidPass;
pub(crate) use rows::CenteredRows;
pub(crate) use scores::{Quantity, quantities};
pub(crate) use secants::SecantPass;
pub(crate) use seed::greedy_seeds;
pub(crate) use sums::{ClusterSums, assign_and_sum};
pub(crate) use supports::{SupportClusters, SupportPass};
