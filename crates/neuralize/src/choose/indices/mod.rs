//! Indices of how good clusters are, by the definitions of scikit-learn.

mod centres;
mod clustered;
mod gap;
mod grouping;
mod information;
mod sampled;
mod silhouette;

pub use clustered::Clustered;
pub use gap::Gap;
pub use information::{Covariance, aic, bic};
pub use sampled::Sampled;

pub(in crate::choose) use centres::Centres;
pub(in crate::choose) use grouping::Grouping;
pub(in crate::choose) use silhouette::{of_distances, of_rows};
