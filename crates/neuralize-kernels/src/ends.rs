//! Where lines to other clusters end.

use std::sync::Arc;

/// The ends of the lines on which the secant pass looks for the boundary between clusters of
/// supports, for every pair of clusters, at `c K + k`. Clones are the same ends.
#[derive(Clone)]
pub struct Ends {
    clusters: usize,
    of_pairs: Arc<Vec<End>>,
}

/// Where a line to a cluster ends, if its only competitor is another.
pub enum End {
    /// At the mean of its supports.
    Place,
    /// At the nearest of these supports, counted over all clusters.
    Nearest(Vec<u32>),
    /// Nowhere: neither its mean nor any support lies in the cluster.
    Nowhere,
}

impl Ends {
    /// From `end(c, k)`, for a line to k if its only competitor is c.
    pub fn new(clusters: usize, end: impl Fn(usize, usize) -> End) -> Self {
        let pairs = 0..clusters * clusters;
        let of_pairs = pairs.map(|at| end(at / clusters, at % clusters)).collect();
        Self { clusters, of_pairs: Arc::new(of_pairs) }
    }

    /// The end of a line to k, if its only competitor is c.
    pub fn of(&self, c: usize, k: usize) -> &End {
        &self.of_pairs[c * self.clusters + k]
    }

    /// Whether the other is a clone.
    pub(super) fn are(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.of_pairs, &other.of_pairs)
    }

    /// K
    pub fn clusters(&self) -> usize {
        self.clusters
    }
}
