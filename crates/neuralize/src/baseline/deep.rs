//! Deep k-means whose slopes go through the encoder.

use std::fmt;

use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use burn::tensor::backend::AutodiffBackend;
use burn_lrp::Relevance;

use crate::baseline::{PinnedTarget, Subject, slope_through};
use crate::cluster::{KMeans, shuffled_columns};
use crate::deep::{DeepKMeans, DeepQuestion, NeuralizedDeepKMeans};
use crate::error::Result;
use crate::network::Network;

/// A [`DeepKMeans`] of rows of numbers whose slopes automatic differentiation finds through
/// the encoder.
pub struct TrackedDeepKMeans<A: AutodiffBackend, E: AutodiffModule<A>>
where
    E::InnerModule: Relevance<A::InnerBackend>,
{
    network: NeuralizedDeepKMeans<A::InnerBackend, E::InnerModule>,
    tracked: NeuralizedDeepKMeans<A, E>,
    /// The rows whose means are the places of clusters.
    x: Tensor<A::InnerBackend, 2>,
}

impl<A: AutodiffBackend, E: AutodiffModule<A> + Relevance<A> + 'static> TrackedDeepKMeans<A, E>
where
    E::InnerModule: Relevance<A::InnerBackend> + 'static,
{
    /// The subject of a model of the backend below autodiff.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// As [`NeuralizedDeepKMeans::new`].
    pub fn new(
        model: DeepKMeans<A::InnerBackend, E::InnerModule>,
        x: &Tensor<A::InnerBackend, 2>,
        question: DeepQuestion,
    ) -> Result<Self> {
        let network = NeuralizedDeepKMeans::new(model, x, question.clone())?;
        // Slopes need no roots.
        let model = DeepKMeans::new(
            E::from_inner(network.model.encoder.clone()),
            AutodiffModule::from_inner(network.model.head.clone()),
        );
        let tracked = NeuralizedDeepKMeans {
            head: model.neuralize()?,
            model,
            means: Tensor::from_inner(network.means.clone()),
            question,
        };
        Ok(Self { network, tracked, x: x.clone() })
    }
}

impl<A: AutodiffBackend, E: AutodiffModule<A>> fmt::Debug for TrackedDeepKMeans<A, E>
where
    E::InnerModule: Relevance<A::InnerBackend>,
{
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("TrackedDeepKMeans").field(&self.network).finish()
    }
}

impl<A: AutodiffBackend, E: AutodiffModule<A> + Relevance<A> + Sync + 'static>
    Subject<A::InnerBackend> for TrackedDeepKMeans<A, E>
where
    E::InnerModule: Relevance<A::InnerBackend> + Sync + 'static,
{
    fn network(&self) -> &dyn Network<A::InnerBackend> {
        &self.network
    }

    fn slope_block(
        &self,
        x: Tensor<A::InnerBackend, 2>,
        pinned: &PinnedTarget<A::InnerBackend>,
    ) -> Tensor<A::InnerBackend, 2> {
        slope_through(&self.tracked, x, pinned)
    }

    /// The centroids of codes are shuffled; the encoder stays.
    fn randomised(&self, seed: u64) -> Result<Option<Box<dyn Subject<A::InnerBackend>>>> {
        let model = &self.network.model;
        let head = KMeans::new(shuffled_columns(&model.head.centroids(), seed), model.head.beta());
        let model = DeepKMeans::new(model.encoder.clone(), head);
        Ok(Some(Box::new(Self::new(model, &self.x, self.network.question.clone())?)))
    }
}
