use std::io::Write;

use burn::tensor::{Int, Tensor, backend::Backend};

use crate::data::output::layout::{About, Content, Layout};
use crate::data::output::selection::{Queue, strongest};
use crate::data::output::{Relevance, Results, Row, Selection, Sink};
use crate::error::{Error, Result};
use crate::explain::Explanation;
use crate::outlier::OutlierExplanation;
use crate::transfer;

/// Writes explanations part by part: `index`, `cluster`, `logit` and the
/// relevance of every feature. With [`Selection::with_top`] the columns are
/// `feature_1`, `relevance_1` and so on, and `other`, the sum of the rest.
pub struct ExplanationWriter<'a>(RowWriter<'a>);

/// Writes explained outlier scores part by part: `index`, `score` and the
/// relevance of every feature, or of the strongest as [`ExplanationWriter`]
/// does.
pub struct OutlierWriter<'a>(RowWriter<'a>);

/// Writes assignments part by part: `index`, `cluster`, `logit` and
/// `probability`, the logistic one, `1 / (1 + exp(−logit))`.
pub struct PredictionWriter<'a> {
    sink: Box<dyn Sink + 'a>,
}

impl<'a, W: Write + Send + 'a> Results<W> {
    /// A writer of explanations with columns of these names: those of the
    /// features, and of what biases absorb where the network has such parts
    /// ([`contribution_names`](crate::network::Network::contribution_names)).
    ///
    /// # Errors
    ///
    /// If the format was not built in.
    pub fn explanations(
        self,
        features: &[String],
        selection: Selection,
    ) -> Result<ExplanationWriter<'a>> {
        self.rows(About::Cluster, features, selection).map(ExplanationWriter)
    }

    /// A writer of explained outlier scores with columns of these names.
    ///
    /// # Errors
    ///
    /// If the format was not built in.
    pub fn outliers(self, features: &[String], selection: Selection) -> Result<OutlierWriter<'a>> {
        self.rows(About::Outlier, features, selection).map(OutlierWriter)
    }

    /// A writer of assignments.
    ///
    /// # Errors
    ///
    /// If the format was not built in.
    pub fn predictions(self) -> Result<PredictionWriter<'a>> {
        let (about, dtype, clusters) = (About::Cluster, self.dtype, self.clusters.clone());
        let layout = Layout { about, content: Content::Prediction, dtype, clusters };
        Ok(PredictionWriter { sink: self.sink(layout)? })
    }

    fn rows(
        self,
        about: About,
        features: &[String],
        selection: Selection,
    ) -> Result<RowWriter<'a>> {
        let (features, width) = (features.to_vec(), features.len());
        let top = selection.top.map(|top| top.get().min(features.len()));
        let content = match top {
            Some(count) => Content::Strongest { features, count },
            None => Content::All { features },
        };
        let (dtype, clusters) = (self.dtype, self.clusters.clone());
        Ok(RowWriter {
            sink: self.sink(Layout { about, content, dtype, clusters })?,
            queue: Queue::new(selection),
            features: width,
            top,
            found: Vec::new(),
        })
    }
}

impl ExplanationWriter<'_> {
    /// Takes the points of an explanation, which are these rows of the data: as
    /// many numbers as points, further ones are not looked at.
    ///
    /// # Shapes
    ///
    /// - contributions: `[N, D + A]` with as many features and parts as were
    ///   named
    ///
    /// # Errors
    ///
    /// If the explanation is of other features, there are fewer row numbers than
    /// points, or they cannot be written.
    pub fn write<B: Backend>(
        &mut self,
        rows: impl IntoIterator<Item = usize>,
        explanation: &Explanation<B>,
    ) -> Result<()> {
        let versus = explanation.target.versus();
        let clusters = transfer::download_indices(explanation.cluster.clone());
        let points = clusters.into_iter().map(|cluster| (Some(cluster), versus != Some(cluster)));
        self.0.write(rows, points, explanation.logit.clone(), explanation.contributions())
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn finish(self) -> Result<()> {
        self.0.finish()
    }
}

impl OutlierWriter<'_> {
    /// Takes the points of an explanation, which are these rows of the data: as
    /// many numbers as points, further ones are not looked at.
    ///
    /// # Shapes
    ///
    /// - relevance: `[N, D]` with as many features as were named
    ///
    /// # Errors
    ///
    /// As [`ExplanationWriter::write`].
    pub fn write<B: Backend>(
        &mut self,
        rows: impl IntoIterator<Item = usize>,
        explanation: &OutlierExplanation<B>,
    ) -> Result<()> {
        let points = std::iter::repeat((None, true));
        self.0.write(rows, points, explanation.score.clone(), explanation.relevance.clone())
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn finish(self) -> Result<()> {
        self.0.finish()
    }
}

/// What writers of explanations have in common.
struct RowWriter<'a> {
    sink: Box<dyn Sink + 'a>,
    queue: Queue,
    features: usize,
    top: Option<usize>,
    found: Vec<(usize, f64)>,
}

impl RowWriter<'_> {
    /// `points` are clusters, and whether there is an answer.
    fn write<B: Backend>(
        &mut self,
        rows: impl IntoIterator<Item = usize>,
        points: impl Iterator<Item = (Option<usize>, bool)>,
        sums: Tensor<B, 1>,
        contributions: Tensor<B, 2>,
    ) -> Result<()> {
        let [count, features] = contributions.dims();
        if features != self.features {
            let expected = format!("[{count}, {}]", self.features);
            return Err(Error::shape("the explanation", expected, &[count, features]));
        }
        let rows: Vec<usize> = rows.into_iter().take(count).collect();
        if rows.len() != count {
            return Err(Error::shape("the list of rows", format!("[{count}]"), &[rows.len()]));
        }
        let (sums, values) = (transfer::download(sums), transfer::download(contributions));
        let points = rows.into_iter().zip(points).zip(sums);
        for (((index, (cluster, answers)), sum), values) in
            points.zip(values.chunks_exact(features))
        {
            let relevance = match self.top {
                None => Relevance::All(values),
                Some(top) => {
                    let other = strongest(values, top, &mut self.found);
                    Relevance::Strongest { features: &self.found, other }
                }
            };
            let row = Row { index, cluster, sum, relevance, answers };
            self.queue.push(&row, self.sink.as_mut())?;
        }
        Ok(())
    }

    fn finish(mut self) -> Result<()> {
        self.queue.finish(self.sink.as_mut())?;
        self.sink.finish()
    }
}

impl PredictionWriter<'_> {
    /// Writes the cluster of every point and its logit; the points are these
    /// rows of the data.
    ///
    /// # Shapes
    ///
    /// - cluster, logit: `[N]`
    ///
    /// # Errors
    ///
    /// If they cannot be written.
    pub fn write<B: Backend>(
        &mut self,
        rows: impl IntoIterator<Item = usize>,
        cluster: Tensor<B, 1, Int>,
        logit: Tensor<B, 1>,
    ) -> Result<()> {
        let logits = transfer::download(logit);
        let points = rows.into_iter().zip(transfer::download_indices(cluster)).zip(logits);
        for ((index, cluster), sum) in points {
            let (cluster, relevance) = (Some(cluster), Relevance::None);
            self.sink.write(&Row { index, cluster, sum, relevance, answers: true })?;
        }
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn finish(self) -> Result<()> {
        self.sink.finish()
    }
}
