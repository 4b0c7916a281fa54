//! Slopes by automatic differentiation.

use burn::module::AutodiffModule;
use burn::tensor::Tensor;
use burn::tensor::backend::{AutodiffBackend, Backend};

use crate::baseline::{PinnedTarget, Subject};
use crate::cluster::Clusterer;
use crate::error::Result;
use crate::network::Network;

/// A clusterer whose slopes are found by automatic differentiation.
#[derive(Debug)]
pub struct Tracked<A: AutodiffBackend> {
    clusterer: Clusterer<A::InnerBackend>,
    network: Box<dyn Network<A::InnerBackend>>,
    tracked: Box<dyn Network<A>>,
}

impl<A: AutodiffBackend> Tracked<A> {
    /// The subject of a clusterer of the backend below autodiff.
    ///
    /// # Errors
    ///
    /// If there is only one cluster.
    ///
    /// ```
    /// use burn::backend::{Autodiff, Flex};
    /// use burn::tensor::Tensor;
    /// use neuralize::baseline::{Subject, Tracked};
    /// use neuralize::{cluster::KMeans, explain::Target};
    ///
    /// let device = Default::default();
    /// let centroids = Tensor::<Flex, 2>::from_data([[0.0, 0.0], [4.0, 2.0]], &device);
    /// let subject = Tracked::<Autodiff<Flex>>::new(KMeans::from_centroids(centroids)?)?;
    ///
    /// let x = Tensor::<Flex, 2>::from_data([[1.0, 0.5]], &device);
    /// let slope = subject.slope(&x, &subject.pin(&x, Target::Assigned)?);
    /// // 2 (μ_c − μ_k)
    /// assert_eq!(slope.into_data().iter::<f32>().collect::<Vec<_>>(), [-8.0, -4.0]);
    /// # Ok::<(), neuralize::Error>(())
    /// ```
    pub fn new(clusterer: impl Into<Clusterer<A::InnerBackend>>) -> Result<Self> {
        let clusterer = clusterer.into();
        let network = clusterer.neuralize()?;
        let tracked = clusterer.with_autodiff::<A>().neuralize()?;
        Ok(Self { clusterer, network, tracked })
    }
}

impl<A: AutodiffBackend> Subject<A::InnerBackend> for Tracked<A> {
    fn network(&self) -> &dyn Network<A::InnerBackend> {
        &*self.network
    }

    fn slope_block(
        &self,
        x: Tensor<A::InnerBackend, 2>,
        pinned: &PinnedTarget<A::InnerBackend>,
    ) -> Tensor<A::InnerBackend, 2> {
        slope_through(&*self.tracked, x, pinned)
    }

    fn transformed(
        &self,
        scale: f64,
        shift: f64,
    ) -> Result<Option<Box<dyn Subject<A::InnerBackend>>>> {
        let Some(transformed) = self.clusterer.transformed(scale, shift)? else { return Ok(None) };
        Ok(Some(Box::new(Self::new(transformed)?)))
    }

    fn randomised(&self, seed: u64) -> Result<Option<Box<dyn Subject<A::InnerBackend>>>> {
        Ok(Some(Box::new(Self::new(self.clusterer.randomised(seed))?)))
    }
}

/// The slope of a network's logit through its autodiff backend.
pub(crate) fn slope_through<A: AutodiffBackend>(
    network: &dyn Network<A>,
    x: Tensor<A::InnerBackend, 2>,
    pinned: &PinnedTarget<A::InnerBackend>,
) -> Tensor<A::InnerBackend, 2> {
    let leaf = Tensor::<A, 2>::from_inner(x.clone()).require_grad();
    let pinned = PinnedTarget::from_inner(pinned);
    let gradients = pinned.logit(&network.scores(leaf.clone())).sum().backward();
    // Without a path from x to the output (one row contrasted with its own
    // cluster) there is no entry, and the slope is 0.
    leaf.grad(&gradients).unwrap_or_else(|| x.zeros_like())
}

impl<B: Backend> Clusterer<B> {
    /// The same clusterer on an autodiff backend.
    pub fn with_autodiff<A: AutodiffBackend<InnerBackend = B>>(&self) -> Clusterer<A> {
        match self.clone() {
            Self::KMeans(model) => Clusterer::KMeans(AutodiffModule::from_inner(model)),
            Self::Separable(model) => Clusterer::Separable(AutodiffModule::from_inner(model)),
            Self::Kernel(model) => Clusterer::Kernel(AutodiffModule::from_inner(model)),
            Self::Mixture(model) => Clusterer::Mixture(AutodiffModule::from_inner(model)),
        }
    }
}
