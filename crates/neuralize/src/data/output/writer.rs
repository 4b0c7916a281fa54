use std::io::Write;

use burn::tensor::{Int, Tensor, backend::Backend};

use crate::data::output::layout::{Content, Layout};
use crate::data::output::selection::{Queue, strongest};
use crate::data::output::{Relevance, Results, Row, Selection, Sink};
use crate::error::{Error, Result};
use crate::explain::Explanation;
use crate::transfer;

/// Writes explanations part by part: `index`, `cluster`, `logit` and the
/// relevance of every feature. With [`Selection::with_top`] the columns are
/// `feature_1`, `relevance_1` and so on, and `other`, the sum of the rest.
pub struct ExplanationWriter<'a> {
    sink: Box<dyn Sink + 'a>,
    queue: Queue,
    features: usize,
    top: Option<usize>,
    found: Vec<(usize, f64)>,
}

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
        let (features, width) = (features.to_vec(), features.len());
        let top = selection.top.map(|top| top.get().min(features.len()));
        let content = match top {
            Some(count) => Content::Strongest { features, count },
            None => Content::All { features },
        };
        let dtype = self.dtype;
        Ok(ExplanationWriter {
            sink: self.sink(Layout { content, dtype })?,
            queue: Queue::new(selection),
            features: width,
            top,
            found: Vec::new(),
        })
    }

    /// A writer of assignments.
    ///
    /// # Errors
    ///
    /// If the format was not built in.
    pub fn predictions(self) -> Result<PredictionWriter<'a>> {
        let dtype = self.dtype;
        Ok(PredictionWriter { sink: self.sink(Layout { content: Content::Prediction, dtype })? })
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
        let contributions = explanation.contributions();
        let [count, features] = contributions.dims();
        if features != self.features {
            let expected = format!("[{count}, {}]", self.features);
            return Err(Error::shape("the explanation", expected, &[count, features]));
        }
        let rows: Vec<usize> = rows.into_iter().take(count).collect();
        if rows.len() != count {
            return Err(Error::shape("the list of rows", format!("[{count}]"), &[rows.len()]));
        }
        let versus = explanation.target.versus();
        let clusters = transfer::download_indices(explanation.cluster.clone());
        let logits = transfer::download(explanation.logit.clone());
        let relevance = transfer::download(contributions);
        let points = rows.into_iter().zip(clusters).zip(logits);
        for (((index, cluster), logit), values) in points.zip(relevance.chunks_exact(features)) {
            let relevance = match self.top {
                None => Relevance::All(values),
                Some(top) => {
                    let other = strongest(values, top, &mut self.found);
                    Relevance::Strongest { features: &self.found, other }
                }
            };
            let answers = versus != Some(cluster);
            let row = Row { index, cluster, logit, relevance, answers };
            self.queue.push(&row, self.sink.as_mut())?;
        }
        Ok(())
    }

    /// Writes what is left.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn finish(mut self) -> Result<()> {
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
        for ((index, cluster), logit) in points {
            let relevance = Relevance::None;
            self.sink.write(&Row { index, cluster, logit, relevance, answers: true })?;
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
