use std::cmp::Ordering;
use std::num::NonZeroUsize;

use crate::data::output::{Relevance, Row, Sink};
use crate::error::Result;

/// What of the explanations is written, whatever the format: everything by
/// default.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selection {
    pub(super) top: Option<NonZeroUsize>,
    pub(super) sort: Sort,
    pub(super) limit: Option<usize>,
}

/// The order in which points are written. Ties are in the order of rows. Points
/// that are contrasted with their own cluster come last in any other order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Sort {
    /// As they come.
    #[default]
    Row,
    /// Nearest the boundary first: the smallest magnitude of the logit.
    Ambiguous,
    /// The largest logit first; of outliers the largest score.
    Typical,
}

impl Selection {
    /// Only the features of largest |R| of every point; the others are summed.
    pub fn with_top(mut self, features: NonZeroUsize) -> Self {
        self.top = Some(features);
        self
    }

    /// Another order than that of rows. Results are held in memory until all of
    /// them are known: those of all rows, or of twice the limit.
    pub fn with_sort(mut self, sort: Sort) -> Self {
        self.sort = sort;
        self
    }

    /// Only the first points of the order.
    pub fn with_limit(mut self, points: usize) -> Self {
        self.limit = Some(points);
        self
    }
}

/// Puts rows in order on their way to a sink.
pub(super) struct Queue {
    selection: Selection,
    passed: usize,
    held: Vec<Held>,
}

/// A row that waits for its place.
struct Held {
    index: usize,
    cluster: Option<usize>,
    sum: f64,
    relevance: HeldRelevance,
    answers: bool,
}

enum HeldRelevance {
    None,
    All(Box<[f64]>),
    Strongest { features: Box<[(usize, f64)]>, other: f64 },
}

impl Queue {
    pub(super) fn new(selection: Selection) -> Self {
        Self { selection, passed: 0, held: Vec::new() }
    }

    /// Whether no later row can be written any more.
    pub(super) fn is_done(&self) -> bool {
        self.selection.sort == Sort::Row
            && self.selection.limit.is_some_and(|limit| self.passed >= limit)
    }

    pub(super) fn push(&mut self, row: &Row<'_>, sink: &mut dyn Sink) -> Result<()> {
        if self.selection.sort == Sort::Row {
            if self.is_done() {
                return Ok(());
            }
            self.passed += 1;
            return sink.write(row);
        }
        self.held.push(Held::from(row));
        if let Some(limit) = self.selection.limit
            && self.held.len() >= limit.saturating_mul(2).max(1 << 10)
        {
            self.sort();
        }
        Ok(())
    }

    pub(super) fn finish(mut self, sink: &mut dyn Sink) -> Result<()> {
        self.sort();
        self.held.iter().try_for_each(|held| sink.write(&held.row()))
    }

    /// Sorts what is held and drops what is beyond the limit.
    fn sort(&mut self) {
        let order: fn(&Held, &Held) -> Ordering = match self.selection.sort {
            Sort::Row => return,
            Sort::Ambiguous => |a, b| a.sum.abs().total_cmp(&b.sum.abs()),
            Sort::Typical => |a, b| b.sum.total_cmp(&a.sum),
        };
        self.held.sort_by(|a, b| {
            let by_answer = b.answers.cmp(&a.answers);
            by_answer.then_with(|| order(a, b)).then(a.index.cmp(&b.index))
        });
        self.held.truncate(self.selection.limit.unwrap_or(usize::MAX));
    }
}

impl From<&Row<'_>> for Held {
    fn from(row: &Row<'_>) -> Self {
        let relevance = match row.relevance {
            Relevance::None => HeldRelevance::None,
            Relevance::All(values) => HeldRelevance::All(values.into()),
            Relevance::Strongest { features, other } => {
                HeldRelevance::Strongest { features: features.into(), other }
            }
        };
        let Row { index, cluster, sum, answers, .. } = *row;
        Self { index, cluster, sum, relevance, answers }
    }
}

impl Held {
    fn row(&self) -> Row<'_> {
        let relevance = match &self.relevance {
            HeldRelevance::None => Relevance::None,
            HeldRelevance::All(values) => Relevance::All(values),
            HeldRelevance::Strongest { features, other } => {
                Relevance::Strongest { features, other: *other }
            }
        };
        let Self { index, cluster, sum, answers, .. } = *self;
        Row { index, cluster, sum, relevance, answers }
    }
}

/// The strongest features of a row into `found`, and the sum of the others.
pub(super) fn strongest(row: &[f64], count: usize, found: &mut Vec<(usize, f64)>) -> f64 {
    let order =
        |a: &(usize, f64), b: &(usize, f64)| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0));
    found.clear();
    found.extend(row.iter().copied().enumerate());
    if count < found.len() {
        found.select_nth_unstable_by(count, order);
        // In the order of features, so that the sum does not depend on the rest.
        found[count..].sort_unstable_by_key(|(feature, _)| *feature);
    }
    let count = count.min(found.len());
    let other = found[count..].iter().map(|(_, value)| value).sum();
    found.truncate(count);
    found.sort_unstable_by(order);
    other
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_strongest_are_found_and_the_rest_summed() {
        let row = [0.5, -2.0, 0.0, 2.0, -0.25];
        let mut found = Vec::new();
        assert_eq!(strongest(&row, 2, &mut found), 0.25);
        assert_eq!(found, [(1, -2.0), (3, 2.0)]);
        assert_eq!(strongest(&row, 9, &mut found), 0.0);
        assert_eq!(found.len(), 5);
        assert_eq!(found[4], (2, 0.0));
    }

    /// Against sorting everything.
    #[test]
    fn a_limit_keeps_the_first_of_the_order() -> Result<()> {
        struct Seen(Vec<usize>);
        impl Sink for Seen {
            fn write(&mut self, row: &Row<'_>) -> Result<()> {
                self.0.push(row.index);
                Ok(())
            }
            fn finish(self: Box<Self>) -> Result<()> {
                Ok(())
            }
        }
        let logits: Vec<f64> = (0..5000).map(|i| f64::from((i * 7919) % 101) - 20.0).collect();
        for sort in [Sort::Row, Sort::Ambiguous, Sort::Typical] {
            let mut expected: Vec<usize> = (0..logits.len()).collect();
            match sort {
                Sort::Row => {}
                Sort::Ambiguous => {
                    expected.sort_by(|a, b| logits[*a].abs().total_cmp(&logits[*b].abs()));
                }
                Sort::Typical => expected.sort_by(|a, b| logits[*b].total_cmp(&logits[*a])),
            }
            for limit in [0, 1, 700, 5000, 9000] {
                let mut queue = Queue::new(Selection::default().with_sort(sort).with_limit(limit));
                let mut seen = Seen(Vec::new());
                for (index, &logit) in logits.iter().enumerate() {
                    let row = Row {
                        index,
                        cluster: None,
                        sum: logit,
                        relevance: Relevance::None,
                        answers: true,
                    };
                    queue.push(&row, &mut seen)?;
                    assert!(queue.held.len() <= (2 * limit).max(1 << 10));
                }
                queue.finish(&mut seen)?;
                assert_eq!(seen.0, expected[..limit.min(logits.len())], "{sort:?} {limit}");
            }
        }
        Ok(())
    }
}
