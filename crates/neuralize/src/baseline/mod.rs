//! Other methods of explanation, to compare NEON with.
//!
//! Most methods see a clusterer as a function with an output and a slope: a
//! [`Subject`]. [`Tracked`] makes a subject of every clusterer, with slopes by automatic
//! differentiation. A [`Background`] adds data, a [`Query`] asks about rows, and a
//! [`Method`] answers. Subjects and methods of your own take part:
//! see [`Subject`] and [`Attribute`].
//!
//! A gradient explains the function's slope, not its output: gradient × input drops the
//! bias, and its relevances do not sum to the logit. Only the gradient times the
//! difference from the boundary does, and that is NEON for k-means and β → ∞:
//! `R = ∇f_c(x) ∘ (x − (μ_c + μ_k*)/2)` with k* the nearest competitor.

mod attribution;
mod autodiff;
mod background;
mod boundary;
mod check;
mod controls;
#[cfg(feature = "surrogates")]
mod decision_tree;
mod deep;
mod integrated_gradients;
#[cfg(feature = "surrogates")]
mod linear_surrogate;
mod method;
mod neon;
mod occlusion;
mod pinned;
mod query;
mod reference;
mod shapley;
mod smoothgrad;
mod subject;
mod tree_surrogate;

pub use attribution::{Attribute, Attribution};
pub use autodiff::Tracked;
pub(crate) use autodiff::slope_through;
pub use background::Background;
pub use check::{Check, CheckReport};
pub use deep::TrackedDeepKMeans;
pub use method::Method;
pub use pinned::PinnedTarget;
pub use query::Query;
pub use reference::Reference;
pub use subject::Subject;
use subject::by_blocks;
