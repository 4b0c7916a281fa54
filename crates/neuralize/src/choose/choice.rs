//! What was chosen, and why.

use serde::{Deserialize, Serialize};

use crate::choose::candidate::Candidate;
use crate::choose::decision::rival;

/// A number of clusters, or that none is clear.
///
/// ```
/// # use neuralize::choose::{ChooseConfig, Partition, Partitioner, Rows};
/// # struct Signs;
/// # struct Halves(Vec<usize>);
/// # impl Partitioner for Signs {
/// #     type Partition = Halves;
/// #     type Error = neuralize::Error;
/// #     fn fit(&mut self, rows: &[f64], _: usize, _: usize, _: usize, _: u64) -> neuralize::Result<Halves> {
/// #         Ok(Halves(rows.iter().map(|x| usize::from(*x > 0.0)).collect()))
/// #     }
/// # }
/// # impl Partition for Halves {
/// #     type Error = neuralize::Error;
/// #     fn labels(&self) -> &[usize] { &self.0 }
/// #     fn assign(&self, rows: &[f64]) -> neuralize::Result<Vec<usize>> {
/// #         Ok(rows.iter().map(|x| usize::from(*x > 0.0)).collect())
/// #     }
/// # }
/// let values: Vec<f64> = (-30..=30).map(f64::from).collect();
/// let choice = ChooseConfig::new().with_clusters([2]).choose(&Rows::new(&values, 1)?, &mut Signs)?;
/// assert_eq!(choice.recommended, None);
/// assert!(choice.sentence.starts_with("no clear number of clusters"));
/// assert_eq!(choice.candidates[0].clusters, 2);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Choice {
    /// The numbers that were tried, in rising order. Not the numbers asked for that are above the
    /// number of different rows or of rows minus 1; none if there are fewer than 9 rows.
    pub candidates: Vec<Candidate>,
    /// The number that is recommended, if one is clear.
    pub recommended: Option<usize>,
    /// The reason. The silhouettes in it are those of the rows that were judged.
    pub sentence: String,
    /// The number of rows of the table.
    pub rows: usize,
    /// The number of rows, drawn at random, that the figures of "all rows" are of, if there are
    /// more than 100 000.
    #[serde(default)]
    pub figured: Option<usize>,
    /// The number of rows that were drawn at random to be judged, if not all were.
    pub sampled: Option<usize>,
    /// The number of rows among these that were left aside, because they are far from all others.
    pub lonely: usize,
    /// The number of different rows among those that were judged.
    pub different: usize,
    /// The number of rows that every cluster must have.
    pub least: usize,
}

impl Choice {
    /// Why a number that passes all checks is not recommended, in a few words: `smaller gain than 3`.
    /// `None` for the number that is recommended, and for one that fails a check.
    pub fn passed_over(&self, candidate: &Candidate) -> Option<String> {
        if !candidate.passes() || self.recommended == Some(candidate.clusters) {
            return None;
        }
        let is_recommended = |other: &&Candidate| Some(other.clusters) == self.recommended;
        let better = match self.recommended {
            Some(_) => self.candidates.iter().find(is_recommended),
            None => rival(&self.candidates, candidate.gain),
        };
        let better = better?;
        // Of nearly equal gains that of the most clusters is taken.
        let how = if candidate.gain < better.gain { "smaller gain" } else { "hardly more gain" };
        Some(format!("{how} than {}", better.clusters))
    }
}
