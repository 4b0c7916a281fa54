//! The result for one point, and what writes it.

use std::borrow::Cow;
use std::io::{self, Write};
use std::path::Path;

use crate::error::{Error, Result};
use crate::explain::logistic;

/// The result for one point.
#[derive(Debug, Clone)]
pub(super) struct Row<'a> {
    pub(super) index: usize,
    /// The name of the point, if points have names.
    pub(super) id: Option<Cow<'a, str>>,
    /// `None` for outlier scores.
    pub(super) cluster: Option<usize>,
    /// The logit or score that the relevances sum to.
    pub(super) sum: f64,
    pub(super) relevance: Relevance<'a>,
    /// False for a point that is contrasted with its own cluster.
    pub(super) has_answer: bool,
}

/// The number of a row of a table, and its name if rows have names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowKey {
    pub(super) number: usize,
    pub(super) name: Option<String>,
}

impl RowKey {
    /// A row that has a name.
    pub fn named(number: usize, name: impl Into<String>) -> Self {
        Self { number, name: Some(name.into()) }
    }
}

impl From<usize> for RowKey {
    fn from(number: usize) -> Self {
        Self { number, name: None }
    }
}

/// The relevances in a row, as the layout arranges them.
#[derive(Debug, Clone)]
pub(super) enum Relevance<'a> {
    None,
    /// The relevance of every feature.
    All(Cow<'a, [f64]>),
    /// Numbers and relevances of some features, and the sum of the others.
    Strongest {
        features: Cow<'a, [(usize, f64)]>,
        other: f64,
    },
}

impl Row<'_> {
    /// The probability of the cluster against the one that the logit compares it
    /// with.
    pub(super) fn probability(&self) -> Option<f64> {
        self.cluster.map(|_| logistic(self.sum))
    }

    pub(super) fn into_owned(self) -> Row<'static> {
        let relevance = match self.relevance {
            Relevance::None => Relevance::None,
            Relevance::All(values) => Relevance::All(values.into_owned().into()),
            Relevance::Strongest { features, other } => {
                Relevance::Strongest { features: features.into_owned().into(), other }
            }
        };
        let id = self.id.map(|id| Cow::Owned(id.into_owned()));
        let Self { index, cluster, sum, has_answer, .. } = self;
        Row { index, id, cluster, sum, relevance, has_answer }
    }
}

/// Where results go. It is one type, so that the formats are compiled in this crate.
pub(super) type Destination<'a> = Box<dyn Write + Send + 'a>;

/// Writes rows in one format. An error before the first row means that nothing
/// was written.
pub(super) trait Sink {
    fn write(&mut self, row: &Row<'_>) -> Result<()>;

    fn finish(self: Box<Self>) -> Result<()>;
}

pub(super) fn failed(name: &str) -> impl FnOnce(io::Error) -> Error {
    Error::io(Path::new(name))
}
