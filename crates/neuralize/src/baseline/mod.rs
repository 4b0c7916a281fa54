//! Other methods of explanation, to compare NEON with.
//!
//! Most look at the clusterer from outside, as a function with an output and a
//! slope: a [`Subject`]. [`Tracked`] makes one of any clusterer, its slopes by
//! automatic differentiation. A [`Scene`] puts data around it, a [`Case`] asks
//! something of rows, and a [`Method`] answers.
//!
//! Gradients answer a question about the function's slope, not about its output:
//! gradient × input drops the bias, and its relevances do not sum to the
//! logit. Only the gradient times the way from the boundary does, and that is
//! what NEON for k-means becomes for β → ∞:
//! `R = ∇f_c(x) ∘ (x − (μ_c + μ_k*)/2)` with k* the nearest competitor.

mod check;
mod deep;
mod direct;
mod method;
mod noise;
mod occlusion;
mod path;
mod scene;
mod shapley;
mod subject;
mod surrogate;
mod tree;

pub use check::{Check, CheckReport};
pub use deep::TrackedDeepKMeans;
pub use method::{Attribute, Attribution, Method};
pub use scene::{Case, Reference, Scene};
pub use subject::{Pinned, Subject, Tracked};
pub(crate) use subject::{by_blocks, pin, slope_through};
