//! Rows with their clusters, and the indices of both.

use std::ops::ControlFlow;

use crate::choose::Rows;
use crate::choose::indices::centres::Centres;
use crate::choose::indices::grouping::Grouping;
use crate::choose::indices::sampled::Sampled;
use crate::choose::indices::silhouette;
use crate::error::{Error, Result};

/// Rows with the number of their cluster.
///
/// Numbers without a row are not counted as clusters. Indices that compare clusters are `None`
/// unless there are at least 2 clusters and fewer than rows.
///
/// ```
/// use neuralize::choose::{Rows, indices::Clustered};
///
/// let values = [0.0, 1.0, 9.0, 11.0];
/// let rows = Rows::new(&values, 1)?;
/// let clustered = Clustered::new(&rows, &[0, 0, 1, 1])?;
/// assert_eq!(clustered.inertia(), 2.5);
/// assert_eq!(clustered.calinski_harabasz(), Some(90.25 / 1.25));
/// assert_eq!(clustered.silhouettes().map(|s| s[0]), Some(0.9));
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Clustered<'a> {
    rows: &'a Rows<'a>,
    grouping: Grouping,
    centres: Centres,
}

impl<'a> Clustered<'a> {
    /// `labels` is `[N]`: the cluster of every row.
    ///
    /// # Errors
    ///
    /// Another number of labels than rows.
    pub fn new(rows: &'a Rows<'a>, labels: &[usize]) -> Result<Self> {
        if labels.len() != rows.n_rows() {
            let expected = format!("[{}]", rows.n_rows());
            return Err(Error::shape("the list of clusters", expected, &[labels.len()]));
        }
        let grouping = Grouping::of(labels);
        let centres = Centres::of(rows.values(), rows.n_columns(), &grouping);
        Ok(Self { rows, grouping, centres })
    }

    /// The number of clusters that have rows, K.
    pub fn n_clusters(&self) -> usize {
        self.grouping.sizes.len()
    }

    /// W = Σ |x − c|² over all rows, c the mean of the row's cluster.
    pub fn inertia(&self) -> f64 {
        self.centres.inertia
    }

    /// B (N − K) / (W (K − 1)), with B = Σ n |c − mean|² over clusters of n rows; 1 if W = 0.
    /// Larger is better.
    ///
    /// Caliński and Harabasz, "A dendrite method for cluster analysis" (1974).
    pub fn calinski_harabasz(&self) -> Option<f64> {
        self.grouping.is_comparable().then(|| self.centres.calinski_harabasz(&self.grouping))
    }

    /// The mean over clusters of the largest (S + S') / |c − c'| to another cluster, S the mean
    /// distance of a cluster's rows to its mean c; equal means are passed over. 0 if all S or all
    /// |c − c'| are below 1e-8. Smaller is better.
    ///
    /// Davies and Bouldin, "A cluster separation measure" (1979).
    pub fn davies_bouldin(&self) -> Option<f64> {
        self.grouping.is_comparable().then(|| self.centres.davies_bouldin())
    }

    /// The silhouette (b − a) / max(a, b) of every row, `[N]`, from −1 to 1: a is its mean distance
    /// to the other rows of its cluster, b that to the rows of the nearest other cluster. 0 for the
    /// only row of a cluster and where a = b = 0. The silhouette of a clustering is their mean.
    ///
    /// Takes time in proportion to N²D. Rousseeuw, "Silhouettes" (1987).
    pub fn silhouettes(&self) -> Option<Vec<f64>> {
        self.silhouettes_of(&Vec::from_iter(0..self.rows.n_rows()))
    }

    /// The mean silhouette of some rows against all rows, with its standard error if they were
    /// drawn at random without replacement. Takes time in proportion to MND for M rows.
    ///
    /// `None` also for no rows and for a row that does not exist.
    pub fn silhouette_of_sample(&self, rows: &[usize]) -> Option<Sampled> {
        Sampled::of(&self.silhouettes_of(rows)?, self.rows.n_rows())
    }

    fn silhouettes_of(&self, rows: &[usize]) -> Option<Vec<f64>> {
        if !self.grouping.is_comparable() || rows.iter().any(|row| *row >= self.rows.n_rows()) {
            return None;
        }
        let groupings = [&self.grouping];
        let mut go_on = || ControlFlow::Continue(());
        silhouette::of_rows(self.rows, rows, &groupings, &mut go_on)?.pop()
    }
}
