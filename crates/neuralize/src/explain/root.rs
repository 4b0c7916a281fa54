//! The root of a secant pass: the input from which an explanation measures.

use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

/// The root of a secant pass, for a sample in cluster c and a competitor k: an input at which both
/// clusters are equally near, so that the whole contrast is made on the way from there.
///
/// The place of a cluster is its centroid. Behind an encoder it is the mean of its inputs if these are
/// rows of a table, and otherwise its medoid, the input whose code is nearest to the centroid. If the
/// means of a pair lie on one side of the boundary, medoids take their place. The place of a cluster
/// of supports is their mean; where it does not lie deeper in the cluster than a quarter of them, as
/// in rings and moons, the support that is nearest to the sample takes its place, of those inside (for `Midway` the one that is
/// deepest inside). That of a mixture's component is its mean, or else the point within a standard
/// deviation of it, in every feature, that is most the component's.
///
/// `Midway` says what is typical of c and not of k: for k-means it is NEON. `Toward` says what would
/// have to change for the sample to come to the boundary: a positive relevance holds it in its
/// cluster, a negative one already speaks for the competitor.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Root {
    /// On the line between the places of c and k: one root for every pair.
    #[default]
    Midway,
    /// On the line to the place of k from `(1 − λ)` times the place of c plus λ times the sample,
    /// with λ from 0 to 1. 0 is `Midway`, 1 is `Toward`.
    Between(f64),
    /// On the line from the sample to the place of k. For a sample outside of c, on the line to c.
    Toward,
    /// On the line from the sample to the nearest support of k that lies in k, or to its place if none
    /// does. For k-means and mixtures this is `Toward`. Encoders have no supports: there it is an
    /// error.
    Near,
}

impl Root {
    pub(crate) fn lambda(self) -> f64 {
        match self {
            Self::Midway => 0.0,
            Self::Between(lambda) => lambda,
            Self::Toward | Self::Near => 1.0,
        }
    }

    pub(crate) fn check(self) -> Result<()> {
        let lambda = self.lambda();
        if (0.0..=1.0).contains(&lambda) {
            return Ok(());
        }
        Err(Error::config("lambda", lambda, "it must lie between 0 and 1"))
    }
}
