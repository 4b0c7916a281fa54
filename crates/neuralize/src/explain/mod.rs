//! Questions about cluster assignments, and the explanations that answer them.
//!
//! NEON explains an assignment by a relevance pass through the network of a neuralized clusterer
//! (Kauffmann et al. 2024): min-pooling passes its output to the competitors (softmin with
//! stiffness β), and the linear layer passes each share to the features by the midpoint rule. The
//! relevances of a point sum to its logit, in some networks together with parts of the logit that
//! belong to no feature.
//!
//! The pass itself is [`Network::explain`](crate::network::Network::explain). Clusters of supports and
//! mixtures have a choice of [`Rule`]s; their default is the secant pass, which measures from a
//! [`Root`] on the boundary. K-means is measured from other roots by
//! [`Network::explain_from`](crate::network::Network::explain_from).

mod explanation;
mod question;
mod root;
mod rule;
mod summary;

#[cfg(any(feature = "svg", feature = "report"))]
pub(crate) use explanation::by_strength;
pub use explanation::{Absorbed, Explanation};
pub(crate) use explanation::{logistic, part_title, summed_by_column};
pub use question::{Beta, Target};
pub use root::Root;
pub use rule::Rule;
pub use summary::{ClusterSummary, GlobalSummary, Tally};
