//! What a clustering method has to do so that a number of clusters can be chosen for it.

use crate::error::{Error, Result};

/// A clustering method.
///
/// The rule fits it 27 times for every number of clusters, to at most 1000 rows, and once to all rows
/// if there are more.
///
/// ```
/// use neuralize::choose::{ChooseConfig, Partition, Partitioner, Rows};
///
/// /// Cuts a single column into parts of the same length.
/// struct Cuts;
/// struct Parts { labels: Vec<usize>, first: f64, length: f64, clusters: usize }
///
/// impl Parts {
///     fn part(&self, x: f64) -> usize {
///         (((x - self.first) / self.length) as usize).min(self.clusters - 1)
///     }
/// }
///
/// impl Partitioner for Cuts {
///     type Partition = Parts;
///     type Error = neuralize::Error;
///
///     fn fit(
///         &mut self, rows: &[f64], _width: usize, clusters: usize, _starts: usize, _seed: u64,
///     ) -> Result<Parts, Self::Error> {
///         let first = rows.iter().copied().fold(f64::INFINITY, f64::min);
///         let last = rows.iter().copied().fold(f64::NEG_INFINITY, f64::max);
///         let length = (last - first) / clusters as f64;
///         let mut parts = Parts { labels: Vec::new(), first, length, clusters };
///         parts.labels = rows.iter().map(|x| parts.part(*x)).collect();
///         Ok(parts)
///     }
/// }
///
/// impl Partition for Parts {
///     type Error = neuralize::Error;
///
///     fn labels(&self) -> &[usize] {
///         &self.labels
///     }
///
///     fn assign(&self, rows: &[f64]) -> Result<Vec<usize>, Self::Error> {
///         Ok(rows.iter().map(|x| self.part(*x)).collect())
///     }
/// }
///
/// let values: Vec<f64> = (0..60).map(|i| f64::from(i % 20) + if i < 30 { 0.0 } else { 100.0 }).collect();
/// let choice = ChooseConfig::new().choose(&Rows::new(&values, 1)?, &mut Cuts)?;
/// assert_eq!(choice.recommended, Some(2));
/// # Ok::<(), neuralize::Error>(())
/// ```
pub trait Partitioner {
    /// What a fit gives.
    type Partition: Partition<Error = Self::Error>;

    /// Why a fit may fail.
    type Error: From<Error>;

    /// The best of `starts` fits of `clusters` clusters to `rows`, `[n × width]`.
    ///
    /// With the same arguments it must give the same, or a choice cannot be repeated. `rows` has at
    /// least `clusters` different rows, unless many differ by rounding alone.
    ///
    /// # Errors
    ///
    /// Those of the method. They end the choice and are handed on.
    fn fit(
        &mut self,
        rows: &[f64],
        width: usize,
        clusters: usize,
        starts: usize,
        seed: u64,
    ) -> Result<Self::Partition, Self::Error>;
}

/// Fitted clusters.
pub trait Partition {
    /// Why new rows may not be assigned.
    type Error;

    /// The cluster of every row of the fit, `[n]`; a cluster may be empty.
    fn labels(&self) -> &[usize];

    /// Schwarz's criterion of the fit ([`bic`](crate::choose::indices::bic)), if the method has a
    /// likelihood.
    fn bic(&self) -> Option<f64> {
        None
    }

    /// The cluster of other rows, `[m × width]` to `[m]`.
    ///
    /// # Errors
    ///
    /// Those of the method. They end the choice and are handed on.
    fn assign(&self, rows: &[f64]) -> Result<Vec<usize>, Self::Error>;
}
