//! The profile of a clustering: every column in every cluster, and what is special about each.

use crate::profile::clustered_rows::ClusteredRows;
use crate::profile::column_profile::ColumnProfile;
use crate::profile::rule::{Rule, rules};
use crate::profile::sentence::sentence;
use crate::profile::special::{Special, special};

/// What every cluster is.
///
/// Takes time in proportion to the number of cells; for every cluster a rule is searched for in at
/// most 20 000 rows and evaluated on all. Takes memory for the rows and for columns times clusters.
///
/// ```
/// use neuralize::profile::{ColumnValues, ClusteredRows, Profile};
///
/// let weights = [3.0, 2.5, 3.5, 2.0, 3.0, 2.5, 3.5, 9.0, 8.0, 8.5, 9.5, 9.0];
/// let columns = [ColumnValues::numbers("weight", &weights)];
/// let clusters = [0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1, 1];
/// let profile = Profile::of(&ClusteredRows::new(&columns, &clusters, 2)?);
/// let heavy = &profile.clusters[1];
/// assert_eq!(
///     heavy.sentence,
///     "Cluster 1 (5 rows, 42 %): high weight (8.80 on average, 5.33 overall)."
/// );
/// let rule = heavy.rule.as_ref().map(ToString::to_string);
/// assert_eq!(rule.as_deref(), Some("weight > 6: 100 % of the cluster, 100 % right"));
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Profile {
    /// Every column, `[C]`.
    pub columns: Vec<ColumnProfile>,
    /// Every cluster, `[K]`.
    pub clusters: Vec<ClusterProfile>,
}

/// What a cluster is.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct ClusterProfile {
    /// Number of rows.
    pub size: usize,
    /// Their share of all rows.
    pub share: f64,
    /// What is special about it, the clearest first; see [`REMARK`](crate::profile::REMARK).
    pub special: Vec<Special>,
    /// The same in a sentence.
    pub sentence: String,
    /// How to recognise its rows; `None` if no short rule does.
    pub rule: Option<Rule>,
}

impl Profile {
    /// Describes every cluster.
    pub fn of(data: &ClusteredRows<'_>) -> Self {
        let columns: Vec<ColumnProfile> =
            data.columns().iter().map(|column| ColumnProfile::of(data, column)).collect();
        let rules = rules(data);
        let of_cluster = |(cluster, rule): (usize, Option<Rule>)| {
            let special = special(data, &columns, cluster);
            let size = data.size(cluster);
            let sentence = sentence(data, &columns, cluster, &special);
            ClusterProfile {
                size,
                share: size as f64 / data.n_rows() as f64,
                special,
                sentence,
                rule,
            }
        };
        let clusters = rules.into_iter().enumerate().map(of_cluster).collect();
        Self { columns, clusters }
    }
}
