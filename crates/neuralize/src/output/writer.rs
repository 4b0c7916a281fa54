//! Writers of predictions, explanations and outlier scores.

use std::borrow::Cow;

use burn::tensor::{Int, Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::explain::Explanation;
use crate::outlier::OutlierExplanation;
use crate::output::row::{Relevance, Row, RowKey, Sink};
use crate::output::selection::{Queue, Selection, strongest};
use crate::transfer;

/// Writes explanations part by part: `index`, `cluster`, `logit` and the
/// relevance of every feature. With [`Selection::with_top`] the columns are
/// `feature_1`, `relevance_1` and so on, and `other`, the sum of the others.
pub struct ExplanationWriter<'a>(RowWriter<'a>);

/// Writes explained outlier scores part by part: `index`, `score` and the
/// relevance of every feature, or of the strongest, as [`ExplanationWriter`].
pub struct OutlierWriter<'a>(RowWriter<'a>);

/// Writes predictions part by part: `index`, `cluster`, `logit` and
/// `probability`, `1 / (1 + exp(−logit))`.
pub struct PredictionWriter<'a> {
    sink: Box<dyn Sink + 'a>,
}

impl<'a> ExplanationWriter<'a> {
    pub(super) fn new(rows: RowWriter<'a>) -> Self {
        Self(rows)
    }

    /// Writes the points of an explanation. `rows` are their row numbers, one for
    /// every point; further numbers are ignored.
    ///
    /// # Shapes
    ///
    /// - contributions: `[N, D + A]`, with one name for each of the D features and
    ///   A parts
    ///
    /// # Errors
    ///
    /// If the explanation has another number of features, there are fewer row numbers
    /// than points, or the destination cannot be written to.
    pub fn write<B: Backend>(
        &mut self,
        rows: impl IntoIterator<Item = impl Into<RowKey>>,
        explanation: &Explanation<B>,
    ) -> Result<()> {
        let versus = explanation.target.versus();
        let clusters = transfer::download_indices(explanation.cluster.clone());
        let points = clusters.into_iter().map(|cluster| (Some(cluster), versus != Some(cluster)));
        self.0.write(rows, points, explanation.logit.clone(), explanation.contributions())
    }

    /// Writes the remaining rows and the end of the file.
    ///
    /// # Errors
    ///
    /// If the destination cannot be written to.
    pub fn finish(self) -> Result<()> {
        self.0.finish()
    }
}

impl<'a> OutlierWriter<'a> {
    pub(super) fn new(rows: RowWriter<'a>) -> Self {
        Self(rows)
    }

    /// Writes the points of an explanation. `rows` are their row numbers, one for
    /// every point; further numbers are ignored.
    ///
    /// # Shapes
    ///
    /// - relevance: `[N, D]`, with one name for each feature
    ///
    /// # Errors
    ///
    /// As [`ExplanationWriter::write`].
    pub fn write<B: Backend>(
        &mut self,
        rows: impl IntoIterator<Item = impl Into<RowKey>>,
        explanation: &OutlierExplanation<B>,
    ) -> Result<()> {
        let points = std::iter::repeat((None, true));
        self.0.write(rows, points, explanation.score.clone(), explanation.relevance.clone())
    }

    /// Writes the remaining rows and the end of the file.
    ///
    /// # Errors
    ///
    /// If the destination cannot be written to.
    pub fn finish(self) -> Result<()> {
        self.0.finish()
    }
}

/// Writes rows with relevances, in the order of the selection.
pub(super) struct RowWriter<'a> {
    sink: Box<dyn Sink + 'a>,
    queue: Queue,
    features: usize,
    top: Option<usize>,
    found: Vec<(usize, f64)>,
}

impl<'a> RowWriter<'a> {
    pub(super) fn new(
        sink: Box<dyn Sink + 'a>,
        selection: Selection,
        features: usize,
        top: Option<usize>,
    ) -> Self {
        Self { sink, queue: Queue::new(selection), features, top, found: Vec::new() }
    }

    /// `points` has the cluster of every point, and whether the question has an answer for it.
    fn write<B: Backend>(
        &mut self,
        rows: impl IntoIterator<Item = impl Into<RowKey>>,
        points: impl Iterator<Item = (Option<usize>, bool)>,
        sums: Tensor<B, 1>,
        contributions: Tensor<B, 2>,
    ) -> Result<()> {
        let [count, features] = contributions.dims();
        if features != self.features {
            let expected = format!("[{count}, {}]", self.features);
            return Err(Error::shape("the explanation", expected, &[count, features]));
        }
        let rows: Vec<RowKey> = rows.into_iter().map(Into::into).take(count).collect();
        if rows.len() != count {
            return Err(Error::shape("the list of rows", format!("[{count}]"), &[rows.len()]));
        }
        let (sums, values) = (transfer::download(sums), transfer::download(contributions));
        let points = rows.into_iter().zip(points).zip(sums);
        for (((key, (cluster, has_answer)), sum), values) in
            points.zip(values.chunks_exact(features))
        {
            let relevance = match self.top {
                None => Relevance::All(values.into()),
                Some(top) => {
                    let other = strongest(values, top, &mut self.found);
                    Relevance::Strongest { features: (&self.found).into(), other }
                }
            };
            let (index, id) = (key.number, key.name.map(Cow::Owned));
            let row = Row { index, id, cluster, sum, relevance, has_answer };
            self.queue.push(row, self.sink.as_mut())?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.queue.finish(self.sink.as_mut())?;
        self.sink.finish()
    }
}

impl<'a> PredictionWriter<'a> {
    pub(super) fn new(sink: Box<dyn Sink + 'a>) -> Self {
        Self { sink }
    }

    /// Writes the cluster and the logit of every point. `rows` are the row numbers.
    ///
    /// # Shapes
    ///
    /// - cluster, logit: `[N]`
    ///
    /// # Errors
    ///
    /// If the destination cannot be written to.
    pub fn write<B: Backend>(
        &mut self,
        rows: impl IntoIterator<Item = impl Into<RowKey>>,
        cluster: Tensor<B, 1, Int>,
        logit: Tensor<B, 1>,
    ) -> Result<()> {
        let logits = transfer::download(logit);
        let rows = rows.into_iter().map(Into::<RowKey>::into);
        let points = rows.zip(transfer::download_indices(cluster)).zip(logits);
        for ((key, cluster), sum) in points {
            let (cluster, relevance) = (Some(cluster), Relevance::None);
            let (index, id) = (key.number, key.name.map(Cow::Owned));
            self.sink.write(&Row { index, id, cluster, sum, relevance, has_answer: true })?;
        }
        Ok(())
    }

    /// Writes the remaining rows and the end of the file.
    ///
    /// # Errors
    ///
    /// If the destination cannot be written to.
    pub fn finish(self) -> Result<()> {
        self.sink.finish()
    }
}
