//! Known classes beside the clusters.

use serde::{Deserialize, Serialize};

use crate::cluster::CrossTable;
use crate::error::Result;

/// Known classes beside the clusters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Classes {
    /// The class of every case, `[N]`.
    pub of: Vec<usize>,
    /// Names of the classes.
    pub names: Vec<String>,
    /// The class that every cluster stands for, `[K]`: the one whose name the cluster has, if
    /// clusters have names, otherwise that of [`CrossTable::one_to_one`]. All are `None` where
    /// clusters and classes are not nearly one to one: then no case is misplaced.
    pub of_cluster: Vec<Option<usize>>,
    /// Number of cases whose cluster stands for their class; `None` if no cluster stands for a
    /// class.
    pub agreeing: Option<usize>,
    /// Whether a class has no cluster of its own although the clusters come from
    /// labels: noise, for example.
    pub apart: Vec<bool>,
}

impl Classes {
    /// The classes of points, `[N]`, beside their clusters, `[N]`. `labels` are the names of the
    /// clusters, if they come from labels.
    pub(crate) fn of(
        clusters: &[usize],
        of: Vec<usize>,
        names: Vec<String>,
        n_clusters: usize,
        labels: Option<&[String]>,
    ) -> Result<Self> {
        let numbers: Vec<Option<usize>> = of.iter().copied().map(Some).collect();
        let table = CrossTable::of(clusters, &numbers, n_clusters, names.len())?;
        let named = |label: &String| names.iter().position(|name| name == label);
        let by_name: Option<Vec<_>> = labels.map(|labels| labels.iter().map(named).collect());
        let by_name = by_name.filter(|of| of.iter().any(Option::is_some));
        // Only where clusters are called by name, a class without a cluster of its name is apart.
        let labels = labels.filter(|_| by_name.is_some());
        let of_cluster =
            by_name.or_else(|| table.one_to_one()).unwrap_or_else(|| vec![None; n_clusters]);
        let is_called = of_cluster.iter().any(Option::is_some);
        let agreeing = is_called.then(|| table.agreeing(&of_cluster));
        let apart = names.iter().map(|name| labels.is_some_and(|labels| !labels.contains(name)));
        Ok(Self { apart: apart.collect(), of, names, of_cluster, agreeing })
    }

    /// Whether a cluster stands for a class other than this one.
    pub(crate) fn is_other(&self, cluster: usize, class: usize) -> bool {
        let matched = self.of_cluster.get(cluster).copied().flatten();
        let apart = self.apart.get(class).copied().unwrap_or(false);
        !apart && matched.is_some_and(|matched| matched != class)
    }
}
