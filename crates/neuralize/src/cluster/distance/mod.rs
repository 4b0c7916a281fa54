//! Distances that are sums over features, `d(x, μ) = Σ_i d_i(x_i, μ_i)`.
//!
//! One file a distance. Its formula implements `Separable`, and also `Bregman`
//! if its differences are linear in x. "A distance" in `CONTRIBUTING.md` lists
//! what a new one takes.

mod domain;
mod itakura_saito;
mod kullback_leibler;
mod logistic;
mod mahalanobis;
mod manhattan;
mod named;
mod power;
mod ratio;
mod scorer;
mod separable;
mod squared_euclidean;

pub(crate) use domain::{inside, within};
pub use named::Distance;
pub(crate) use scorer::{CentroidScorer, by_distance};
pub(crate) use separable::{Bregman, Separable, centroids_inside};
