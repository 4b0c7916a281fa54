//! How well conditions tell a cluster from the other rows.

/// The weights of the rows that satisfy conditions.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Quality {
    /// Of the rows of the cluster.
    pub(super) inside: f64,
    /// Of the other rows.
    pub(super) outside: f64,
}

impl Quality {
    /// The harmonic mean of coverage and precision, 2 TP / (TP + FP + P), for a cluster of weight
    /// P > 0.
    pub(super) fn f1(&self, cluster: f64) -> f64 {
        2.0 * self.inside / (self.inside + self.outside.max(0.0) + cluster)
    }

    /// With the weight of a further row.
    pub(super) fn add(&mut self, is_inside: bool, weight: f64) {
        if is_inside {
            self.inside += weight;
        } else {
            self.outside += weight;
        }
    }

    pub(super) fn plus(self, other: Self) -> Self {
        Self { inside: self.inside + other.inside, outside: self.outside + other.outside }
    }

    pub(super) fn minus(self, other: Self) -> Self {
        Self { inside: self.inside - other.inside, outside: self.outside - other.outside }
    }
}
