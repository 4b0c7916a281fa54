//! Which results are written, and in which order.

use std::cmp::Ordering;
use std::num::NonZeroUsize;

use crate::error::Result;
use crate::output::row::{Row, Sink};

/// Which results are written, in every format. By default all of them are.
#[derive(Debug, Clone, Copy, Default)]
pub struct Selection {
    pub(super) top: Option<NonZeroUsize>,
    pub(super) sort: Sort,
    pub(super) limit: Option<usize>,
}

/// The order of results. Ties are in the order of rows. In any order but that of
/// rows, points that are contrasted with their own cluster come last.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Sort {
    /// The order of the rows.
    #[default]
    Row,
    /// Points nearest to the boundary first: ascending |logit|.
    Ambiguous,
    /// The largest logit first; for outliers, the largest score.
    Typical,
}

impl Selection {
    /// Writes only the features of the largest |R| of every point, and the sum of
    /// the others.
    pub fn with_top(mut self, features: NonZeroUsize) -> Self {
        self.top = Some(features);
        self
    }

    /// Sets the order. In any order but that of rows, results are kept in memory
    /// until all are known: all of them, or twice the limit.
    pub fn with_sort(mut self, sort: Sort) -> Self {
        self.sort = sort;
        self
    }

    /// Writes only the first points of the order.
    pub fn with_limit(mut self, points: usize) -> Self {
        self.limit = Some(points);
        self
    }
}

/// Puts rows in order on their way to a sink.
pub(super) struct Queue {
    selection: Selection,
    written: usize,
    waiting: Vec<Row<'static>>,
}

impl Queue {
    pub(super) fn new(selection: Selection) -> Self {
        Self { selection, written: 0, waiting: Vec::new() }
    }

    pub(super) fn push(&mut self, row: Row<'_>, sink: &mut dyn Sink) -> Result<()> {
        if self.selection.sort == Sort::Row {
            if self.selection.limit.is_some_and(|limit| self.written >= limit) {
                return Ok(());
            }
            self.written += 1;
            return sink.write(&row);
        }
        self.waiting.push(row.into_owned());
        if let Some(limit) = self.selection.limit
            && self.waiting.len() >= limit.saturating_mul(2).max(1 << 10)
        {
            self.sort();
        }
        Ok(())
    }

    pub(super) fn finish(mut self, sink: &mut dyn Sink) -> Result<()> {
        self.sort();
        self.waiting.iter().try_for_each(|row| sink.write(row))
    }

    /// Sorts the waiting rows and drops those beyond the limit.
    fn sort(&mut self) {
        let order: fn(&Row<'_>, &Row<'_>) -> Ordering = match self.selection.sort {
            Sort::Row => return,
            Sort::Ambiguous => |a, b| a.sum.abs().total_cmp(&b.sum.abs()),
            Sort::Typical => |a, b| b.sum.total_cmp(&a.sum),
        };
        self.waiting.sort_by(|a, b| {
            let by_answer = b.has_answer.cmp(&a.has_answer);
            by_answer.then_with(|| order(a, b)).then(a.index.cmp(&b.index))
        });
        self.waiting.truncate(self.selection.limit.unwrap_or(usize::MAX));
    }
}

/// Puts the strongest features of a row into `found` and returns the sum of the
/// others.
pub(super) fn strongest(row: &[f64], count: usize, found: &mut Vec<(usize, f64)>) -> f64 {
    let order =
        |a: &(usize, f64), b: &(usize, f64)| b.1.abs().total_cmp(&a.1.abs()).then(a.0.cmp(&b.0));
    found.clear();
    found.extend(row.iter().copied().enumerate());
    if count < found.len() {
        found.select_nth_unstable_by(count, order);
        // Summed in the order of features: independent of how they were selected.
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
    use crate::output::row::Relevance;

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
        struct Indices(Vec<usize>);
        impl Sink for Indices {
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
                let mut written = Indices(Vec::new());
                for (index, &logit) in logits.iter().enumerate() {
                    let row = Row {
                        index,
                        id: None,
                        cluster: None,
                        sum: logit,
                        relevance: Relevance::None,
                        has_answer: true,
                    };
                    queue.push(row, &mut written)?;
                    assert!(queue.waiting.len() <= (2 * limit).max(1 << 10));
                }
                queue.finish(&mut written)?;
                assert_eq!(written.0, expected[..limit.min(logits.len())], "{sort:?} {limit}");
            }
        }
        Ok(())
    }
}
