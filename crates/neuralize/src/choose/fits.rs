//! Fits of the caller's method: checked, counted, and stopped if the caller says so.

use std::ops::ControlFlow;

use crate::choose::generator::{Stream, seed_of};
use crate::choose::partitioner::{Partition, Partitioner};
use crate::choose::progress::Progress;
use crate::error::{Error, Result};

const LABELS: &str = "the list of clusters that the method found";

/// Why a choice ends early.
pub(in crate::choose) enum Halt<E> {
    /// The caller said so.
    Stopped,
    /// The method failed.
    Failed(E),
}

/// What a step of a choice gives.
pub(in crate::choose) type Outcome<T, P> = Result<T, Halt<<P as Partitioner>::Error>>;

/// Rows one after the other.
#[derive(Debug, Clone, Copy)]
pub(in crate::choose) struct Values<'a> {
    pub(in crate::choose) values: &'a [f64],
    pub(in crate::choose) width: usize,
}

/// The caller's method and observer.
pub(in crate::choose) struct Fits<'a, P> {
    pub(in crate::choose) method: &'a mut P,
    pub(in crate::choose) observe: &'a mut dyn FnMut(Progress) -> ControlFlow<()>,
    pub(in crate::choose) progress: Progress,
    pub(in crate::choose) seed: u64,
}

impl<P: Partitioner> Fits<'_, P> {
    /// A fit; `stream` and `draw` say which one, for its seed.
    pub(in crate::choose) fn fit(
        &mut self,
        rows: Values<'_>,
        clusters: usize,
        starts: usize,
        (stream, draw): (Stream, usize),
    ) -> Outcome<P::Partition, P> {
        let seed = seed_of(self.seed, stream, draw, clusters);
        let fitted = self.method.fit(rows.values, rows.width, clusters, starts, seed);
        let fitted = fitted.map_err(Halt::Failed)?;
        self.check(fitted.labels(), rows, clusters)?;
        self.skip()?;
        Ok(fitted)
    }

    /// Assigns rows to the clusters of a fit.
    pub(in crate::choose) fn assign(
        &self,
        fitted: &P::Partition,
        rows: Values<'_>,
        clusters: usize,
    ) -> Outcome<Vec<usize>, P> {
        let labels = fitted.assign(rows.values).map_err(Halt::Failed)?;
        self.check(&labels, rows, clusters)?;
        Ok(labels)
    }

    /// Counts a fit that is not needed.
    pub(in crate::choose) fn skip(&mut self) -> Outcome<(), P> {
        self.progress.done += 1;
        if self.go_on().is_break() { Err(Halt::Stopped) } else { Ok(()) }
    }

    /// Whether the caller wants to go on.
    pub(in crate::choose) fn go_on(&mut self) -> ControlFlow<()> {
        (self.observe)(self.progress)
    }

    fn check(&self, labels: &[usize], rows: Values<'_>, clusters: usize) -> Outcome<(), P> {
        let n_rows = rows.values.len() / rows.width.max(1);
        let failed = |error: Error| Err(Halt::Failed(error.into()));
        if labels.len() != n_rows {
            return failed(Error::shape(LABELS, format!("[{n_rows}]"), &[labels.len()]));
        }
        match labels.iter().enumerate().find(|(_, label)| **label >= clusters) {
            None => Ok(()),
            Some((row, &found)) => {
                failed(Error::Number { what: LABELS.to_owned(), row, found, count: clusters })
            }
        }
    }
}
