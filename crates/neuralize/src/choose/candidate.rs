//! A number of clusters, what speaks for it and what against.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::choose::rounded::rounded;

/// A number of clusters with its figures.
///
/// Some figures are of all rows that were given: `inertia`, `silhouette` (of a sample of the rows
/// if there are more than 10 000), `calinski_harabasz`, `davies_bouldin` and `bic`; of more than 100 000 rows, all are of as many at random. All others are of the
/// rows that were judged: 1000 at random if there are more, without lonely rows.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Candidate {
    /// The number of clusters, K.
    pub clusters: usize,
    /// Sum of squared distances of all rows to the means of their clusters.
    #[serde(with = "number_or_null")]
    pub inertia: f64,
    /// Mean silhouette of all rows; of more than 10 000, that of 2000 at random against all. `None`
    /// if the method found one cluster only, or one for every row.
    pub silhouette: Option<f64>,
    /// Standard error of a silhouette that is not of all rows.
    pub silhouette_error: Option<f64>,
    /// Caliński-Harabasz index of all rows; larger is better. `None` as for the silhouette.
    pub calinski_harabasz: Option<f64>,
    /// Davies-Bouldin index of all rows; smaller is better. `None` as for the silhouette.
    pub davies_bouldin: Option<f64>,
    /// Schwarz's criterion (BIC) of a mixture, of all rows in scaled units; smaller is better. `None`
    /// for other methods.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bic: Option<f64>,
    /// Mean silhouette of the rows that were judged.
    #[serde(with = "number_or_null")]
    pub judged_silhouette: f64,
    /// Gap statistic against 8 data sets in a box: a sketch, which decides nothing. `None` if an
    /// inertia is 0.
    pub gap: Option<f64>,
    /// Its s = sd √(1 + 1/8).
    pub gap_error: Option<f64>,
    /// Mean adjusted Rand index between the clusters and those of 10 samples with replacement.
    #[serde(with = "number_or_null")]
    pub stability: f64,
    /// Standard deviation of these.
    #[serde(with = "number_or_null")]
    pub stability_spread: f64,
    /// Number of rows of the smallest cluster.
    pub smallest: usize,
    /// Rows midway between two clusters, relative to the sparser centre: (midway + 1) / (sparser
    /// + 1), the largest of all pairs. Infinite if two centres are equal.
    #[serde(with = "finite_or_null")]
    pub valley: f64,
    /// Mean silhouette of data without clusters that look like the data otherwise: the larger of
    /// two kinds, 8 data sets each.
    #[serde(with = "number_or_null")]
    pub without: f64,
    /// (silhouette − without) / (1 − without): the silhouette corrected for chance, as the adjusted
    /// Rand index corrects the Rand index. 0 if `without` is 1.
    #[serde(with = "number_or_null")]
    pub gain: f64,
    /// The checks that it does not pass.
    pub failed: Vec<Check>,
}

/// What is expected of a number of clusters, in the order in which it is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Check {
    /// Every cluster has 3 rows, and 1.5 % of them.
    Size,
    /// The stability is at least 0.8, "good" agreement in Steinley, "Properties of the
    /// Hubert-Arabie adjusted Rand index" (2004).
    Stability,
    /// The valley is at most 0.7.
    Valley,
    /// The silhouette is larger than that of each of 16 data sets without clusters, and the gain at
    /// least 0.05.
    Gain,
}

impl fmt::Display for Check {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Size => "size",
            Self::Stability => "stability",
            Self::Valley => "valley",
            Self::Gain => "gain",
        })
    }
}

/// The smallest stability that passes.
pub const MIN_STABILITY: f64 = 0.8;
/// The largest valley that passes.
const MAX_VALLEY: f64 = 0.7;
/// The smallest gain that passes.
const MIN_GAIN: f64 = 0.05;

impl Candidate {
    /// Whether it passes all checks.
    pub fn passes(&self) -> bool {
        self.failed.is_empty()
    }

    /// The first check that it does not pass.
    pub fn first_failed(&self) -> Option<Check> {
        self.failed.first().copied()
    }

    /// The stability with two decimals. One that does not pass is not rounded up to one that does:
    /// 0.7993 is `0.79`.
    pub fn stability_text(&self) -> String {
        rounded(self.stability, &[MIN_STABILITY])
    }

    /// Checks it: clusters need `least` rows, and `highest` is the largest silhouette of data
    /// without clusters.
    pub(in crate::choose) fn check(&mut self, least: usize, highest: f64) {
        let is_better = self.judged_silhouette > highest && self.gain >= MIN_GAIN;
        let checks = [
            (Check::Size, self.smallest >= least),
            (Check::Stability, self.stability >= MIN_STABILITY),
            (Check::Valley, self.valley <= MAX_VALLEY),
            (Check::Gain, is_better),
        ];
        let failed = checks.into_iter().filter(|(_, passes)| !passes);
        self.failed = failed.map(|(check, _)| check).collect();
    }
}

/// JSON has no infinity: it is written as null.
mod finite_or_null {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        value.is_finite().then_some(*value).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::INFINITY))
    }
}

/// What is not a number is written as null.
mod number_or_null {
    use serde::{Deserialize, Deserializer};

    pub(super) use super::finite_or_null::serialize;

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        Ok(Option::deserialize(deserializer)?.unwrap_or(f64::NAN))
    }
}
