//! Known classes beside the clusters.

use serde::{Deserialize, Serialize};

use crate::cluster::match_to_classes;

/// Known classes beside the clusters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Classes {
    /// The class of every case, `[N]`.
    pub of: Vec<usize>,
    /// Names of the classes.
    pub names: Vec<String>,
    /// The class matched to every cluster, by the best one-to-one matching, `[K]`;
    /// `None` for clusters that are left over because there are fewer classes.
    pub of_cluster: Vec<Option<usize>>,
    /// Number of cases whose cluster is matched to their class.
    pub agreeing: usize,
    /// Whether a class has no cluster of its own although the clusters come from
    /// labels: noise, for example.
    pub apart: Vec<bool>,
}

impl Classes {
    /// Matches the classes of points to their clusters one to one. `labels` are the
    /// names of the clusters, if they come from labels.
    pub(crate) fn matched(
        clusters: &[usize],
        of: Vec<usize>,
        names: Vec<String>,
        n_clusters: usize,
        labels: Option<&[String]>,
    ) -> Self {
        let matching = match_to_classes(clusters, &of, n_clusters, names.len());
        let apart = names.iter().map(|name| labels.is_some_and(|labels| !labels.contains(name)));
        Self {
            apart: apart.collect(),
            of,
            names,
            of_cluster: matching.class_of,
            agreeing: matching.agreeing,
        }
    }

    /// Whether a cluster is matched to a class other than this one.
    pub(crate) fn is_other(&self, cluster: usize, class: usize) -> bool {
        let matched = self.of_cluster.get(cluster).copied().flatten();
        let apart = self.apart.get(class).copied().unwrap_or(false);
        !apart && matched.is_some_and(|matched| matched != class)
    }
}
