//! Rows, and the question about each of them.

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Background, PinnedTarget, Reference};
use crate::error::Result;
use crate::explain::Target;
use crate::random::{Stream, uniform};
use crate::transfer;

/// Rows, and the question about each of them: what a method explains.
#[derive(Debug, Clone)]
#[non_exhaustive]
pub struct Query<'a, B: Backend> {
    /// Subject and data.
    pub background: &'a Background<'a, B>,
    /// The rows, `[N, D]`.
    pub x: Tensor<B, 2>,
    /// The target.
    pub target: Target,
    /// The target, pinned to the clusters that the rows were in.
    pub pinned: PinnedTarget<B>,
}

impl<'a, B: Backend> Background<'a, B> {
    /// A question about rows.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If x does not fit the network, or the target names a cluster that does
    /// not exist.
    pub fn query(&'a self, x: &Tensor<B, 2>, target: Target) -> Result<Query<'a, B>> {
        let pinned = self.subject().pin(x, target)?;
        Ok(Query { background: self, x: x.clone(), target, pinned })
    }
}

impl<B: Backend> Query<'_, B> {
    /// The number of rows, N.
    pub fn len(&self) -> usize {
        self.pinned.len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.pinned.is_empty()
    }

    /// The logit of every row, `[N, 1]`.
    pub fn logit(&self) -> Tensor<B, 2> {
        self.background.subject().logit(&self.x, &self.pinned)
    }

    /// The slope of the logit at every row, `[N, D]`.
    pub fn slope(&self) -> Tensor<B, 2> {
        self.background.subject().slope(&self.x, &self.pinned)
    }

    /// The same question about a range of the rows.
    pub fn rows(&self, range: std::ops::Range<usize>) -> Self {
        let features = self.x.dims()[1];
        Self {
            x: self.x.clone().slice([range.clone(), 0..features]),
            pinned: self.pinned.rows(range),
            ..self.clone()
        }
    }

    /// The same question about the given rows, in the given order.
    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            x: self.x.clone().select(0, transfer::upload_indices(rows, &self.x.device())),
            pinned: self.pinned.select(rows),
            ..self.clone()
        }
    }

    /// The same questions at other points: row n keeps its cluster and its
    /// competitor.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    pub fn at(&self, x: Tensor<B, 2>) -> Self {
        Self { x, ..self.clone() }
    }

    /// The values that replace removed features, `[N, D]`.
    ///
    /// Samples are drawn from the first row to the last: those of a part of the rows
    /// differ from the same part of those of all rows. A competing cluster without
    /// data has no sample; its centroid takes the place.
    pub fn reference(&self, reference: Reference) -> Tensor<B, 2> {
        if self.is_empty() {
            return self.x.clone();
        }
        match reference {
            Reference::Competitor => self.competing_centroids(),
            Reference::Mean => self.background.mean().expand(self.x.dims()),
            Reference::Zero => self.x.zeros_like(),
            Reference::Sample => self.competing_samples(),
        }
    }

    fn competing_centroids(&self) -> Tensor<B, 2> {
        let centroids = self.background.subject().network().centroids();
        centroids.select(0, self.pinned.competitor().squeeze_dim(1))
    }

    fn competing_samples(&self) -> Tensor<B, 2> {
        let mut rng = Stream::References.generator(self.background.seed());
        let members = self.background.members();
        let rows: Vec<Option<usize>> = transfer::download_indices(self.pinned.competitor())
            .iter()
            .map(|&k| {
                let draw = uniform(&mut rng);
                let at = (draw * members[k].len() as f64) as usize;
                members[k].get(at).copied()
            })
            .collect();
        let device = self.x.device();
        let chosen: Vec<usize> = rows.iter().map(|row| row.unwrap_or(0)).collect();
        let chosen = transfer::upload_indices(&chosen, &device);
        let samples = self.background.data().clone().select(0, chosen);
        if rows.iter().all(Option::is_some) {
            return samples;
        }
        let missing = rows.iter().map(|row| f64::from(u8::from(row.is_none()))).collect();
        let missing = transfer::upload::<B, 2>(missing, [rows.len(), 1], &device, self.x.dtype());
        let missing = missing.greater_elem(0.5).expand(self.x.dims());
        samples.mask_where(missing, self.competing_centroids())
    }
}
