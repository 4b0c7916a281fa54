//! Modules that run one after the other.

use std::fmt;

use burn::module::*;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Device, Tensor};

use crate::error::Result;
use crate::graph::{Node, Relevance, infer};

/// Modules one after the other: a tuple, a vector or an array of them.
///
/// Records, names of parameters such as `0.weight`, and paths of layers are those of the modules
/// inside.
///
/// ```
/// use burn::backend::Flex;
/// use burn::nn::{Linear, LinearConfig, Relu};
/// use burn::tensor::Tensor;
/// use burn_lrp::module::Sequential;
///
/// let device = Default::default();
/// let network: Sequential<(Linear<Flex>, Relu, Linear<Flex>)> = Sequential::new((
///     LinearConfig::new(4, 8).init(&device),
///     Relu::new(),
///     LinearConfig::new(8, 2).init(&device),
/// ));
/// let x = Tensor::<Flex, 2>::ones([3, 4], &device);
/// let scores: Tensor<Flex, 2> = network.forward(x)?;
/// assert_eq!(scores.dims(), [3, 2]);
/// # Ok::<(), burn_lrp::Error>(())
/// ```
///
/// Burn's tuples and arrays have no [`train`](Module::train): for training, make the network
/// on the `Autodiff` backend, or a field of a derived module.
#[derive(Clone, Debug)]
pub struct Sequential<M> {
    modules: M,
}

impl<M> Sequential<M> {
    /// The modules in their order.
    pub fn new(modules: M) -> Self {
        Self { modules }
    }

    /// The modules inside.
    pub fn modules(&self) -> &M {
        &self.modules
    }

    /// The modules inside, by value.
    pub fn into_modules(self) -> M {
        self.modules
    }

    /// The output by plain tensor operations, through which gradients flow on an `Autodiff`
    /// backend. As in every pass, dropout is the identity and normalisation uses running
    /// statistics; a training loop that needs either must run the modules itself.
    ///
    /// # Errors
    ///
    /// If a module cannot take the value, or the output has another rank.
    pub fn forward<B: Backend, const D: usize, const E: usize>(
        &self,
        x: Tensor<B, D>,
    ) -> Result<Tensor<B, E>>
    where
        M: Relevance<B>,
    {
        infer(self, x)?.tensor()
    }
}

impl<B: Backend, M: Relevance<B>> Relevance<B> for Sequential<M> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        self.modules.trace(input)
    }
}

impl<B: Backend, M: Module<B>> Module<B> for Sequential<M> {
    type Record = M::Record;

    fn collect_devices(&self, devices: Devices<B>) -> Devices<B> {
        self.modules.collect_devices(devices)
    }

    fn fork(self, device: &Device<B>) -> Self {
        Self::new(self.modules.fork(device))
    }

    fn to_device(self, device: &Device<B>) -> Self {
        Self::new(self.modules.to_device(device))
    }

    fn visit<V: ModuleVisitor<B>>(&self, visitor: &mut V) {
        self.modules.visit(visitor);
    }

    fn map<N: ModuleMapper<B>>(self, mapper: &mut N) -> Self {
        Self::new(self.modules.map(mapper))
    }

    fn load_record(self, record: Self::Record) -> Self {
        Self::new(self.modules.load_record(record))
    }

    fn into_record(self) -> Self::Record {
        self.modules.into_record()
    }
}

impl<B: AutodiffBackend, M: AutodiffModule<B>> AutodiffModule<B> for Sequential<M> {
    type InnerModule = Sequential<M::InnerModule>;

    fn valid(&self) -> Self::InnerModule {
        Sequential::new(self.modules.valid())
    }

    fn from_inner(module: Self::InnerModule) -> Self {
        Self::new(M::from_inner(module.modules))
    }
}

impl<B: AutodiffBackend, M: HasAutodiffModule<B>> HasAutodiffModule<B> for Sequential<M> {
    type TrainModule = Sequential<M::TrainModule>;
}

impl<M: ModuleDisplay> ModuleDisplayDefault for Sequential<M> {
    fn content(&self, content: Content) -> Option<Content> {
        let content = self.modules.content(content)?;
        content.set_top_level_type("Sequential").optional()
    }
}

impl<M: ModuleDisplay> ModuleDisplay for Sequential<M> {}

impl<M: ModuleDisplay> fmt::Display for Sequential<M> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format(DisplaySettings::default()))
    }
}
