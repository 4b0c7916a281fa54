//! Which numbers of clusters are tried.

use std::ops::ControlFlow;

use crate::choose::choice::Choice;
use crate::choose::fits::Halt;
use crate::choose::judge;
use crate::choose::partitioner::Partitioner;
use crate::choose::progress::Progress;
use crate::choose::rows::Rows;
use crate::error::{Error, Result};

/// The most numbers of clusters that are tried.
const MAX_NUMBERS: usize = 1000;

/// Chooses a number of clusters. See [`Partitioner`] for an example.
///
/// A number counts if its clusters are not tiny, come back on resampled rows, are separated by
/// thinly populated space, and have a better silhouette than 16 data sets without clusters that
/// look like the data otherwise. Of the numbers that count, the one furthest above the data without
/// clusters is taken, and of nearly equal ones the largest. [`Check`](crate::choose::Check) has the
/// limits.
///
/// At most 1000 rows are judged. For each number the method is fitted to them with 10 starts, and
/// with 3 starts to 16 data sets without clusters and to 10 samples of the rows; with more than
/// 1000 rows or lonely ones also to all rows, with 10 starts.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ChooseConfig {
    /// The numbers of clusters to try; 2 to 10.
    pub clusters: Vec<usize>,
    /// The seed of everything that is random; 0.
    pub seed: u64,
}

impl ChooseConfig {
    /// 2 to 10 clusters, and seed 0.
    pub fn new() -> Self {
        Self { clusters: (2..=10).collect(), seed: 0 }
    }

    /// Tries these numbers of clusters, at most 1000, in any order. For more than about 30 clusters
    /// 1000 rows are few.
    #[must_use]
    pub fn with_clusters(mut self, clusters: impl IntoIterator<Item = usize>) -> Self {
        self.clusters = clusters.into_iter().take(MAX_NUMBERS + 1).collect();
        self
    }

    /// Draws from this seed.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Chooses a number of clusters of `method` for rows.
    ///
    /// # Errors
    ///
    /// No number of clusters to try, more than 1000, or one below 2; errors of the method; clusters
    /// of the method that do not fit its rows.
    pub fn choose<P: Partitioner>(
        &self,
        rows: &Rows<'_>,
        method: &mut P,
    ) -> Result<Choice, P::Error> {
        let mut go_on = |_| ControlFlow::Continue(());
        match self.judged(rows, method, &mut go_on)? {
            Some(choice) => Ok(choice),
            None => Err(Error::config("observer", "stop", "nothing stops this choice").into()),
        }
    }

    /// The same with an observer that is called after every fit, and more often. If it answers
    /// `ControlFlow::Break` the work stops and there is no choice.
    ///
    /// # Errors
    ///
    /// As [`choose`](Self::choose).
    pub fn choose_observed<P: Partitioner>(
        &self,
        rows: &Rows<'_>,
        method: &mut P,
        observe: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Option<Choice>, P::Error> {
        self.judged(rows, method, observe)
    }

    fn judged<P: Partitioner>(
        &self,
        rows: &Rows<'_>,
        method: &mut P,
        observe: &mut dyn FnMut(Progress) -> ControlFlow<()>,
    ) -> Result<Option<Choice>, P::Error> {
        let clusters = self.checked_clusters()?;
        match judge::choice(rows, &clusters, self.seed, method, observe) {
            Ok(choice) => Ok(Some(choice)),
            Err(Halt::Stopped) => Ok(None),
            Err(Halt::Failed(error)) => Err(error),
        }
    }

    /// The numbers in rising order.
    fn checked_clusters(&self) -> Result<Vec<usize>> {
        const NAME: &str = "clusters";
        let mut clusters = self.clusters.clone();
        clusters.sort_unstable();
        clusters.dedup();
        match clusters.first() {
            None => Err(Error::config(NAME, "no number", "name at least one, such as 2 to 10")),
            Some(0 | 1) => Err(Error::config(
                NAME,
                clusters.first().copied().unwrap_or(0),
                "the least is 2; that no number is clear stands for one cluster",
            )),
            Some(_) if clusters.len() > MAX_NUMBERS => {
                let rule = format!("at most {MAX_NUMBERS} numbers can be tried");
                Err(Error::config(NAME, format!("{} numbers", clusters.len()), rule))
            }
            Some(_) => Ok(clusters),
        }
    }
}

impl Default for ChooseConfig {
    fn default() -> Self {
        Self::new()
    }
}
