//! A module around which a skip connection goes.

use std::fmt;

use burn::module::*;
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{Device, Tensor};

use crate::error::Result;
use crate::graph::{Node, Relevance, infer};
use crate::module::identity::Identity;

/// `inner(x) + shortcut(x)`. The shortcut is x itself unless a module is set for it,
/// as in the blocks of a ResNet that change the number of channels.
///
/// Parameters and layers are named `inner.…` and `shortcut.…`; the sum is the layer `add`.
/// Blocks with and without a shortcut have one type if it is an `Option`.
///
/// ```
/// use burn::backend::Flex;
/// use burn::nn::{Linear, LinearConfig};
/// use burn::tensor::Tensor;
/// use burn_lrp::module::Residual;
///
/// let device = Default::default();
/// let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init::<Flex>(&device);
/// let plain = Residual::new(linear(4, 4)).with_shortcut(None);
/// let projected = Residual::new(linear(4, 6)).with_shortcut(Some(linear(4, 6)));
/// let network: Vec<Residual<Linear<Flex>, Option<Linear<Flex>>>> = vec![plain, projected];
///
/// let x = Tensor::<Flex, 2>::ones([3, 4], &device);
/// assert_eq!(burn_lrp::infer(&network, x)?.dims(), [3, 6]);
/// # Ok::<(), burn_lrp::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Residual<M, S = Identity> {
    inner: M,
    shortcut: S,
}

impl<M> Residual<M> {
    /// `inner(x) + x`.
    pub fn new(inner: M) -> Self {
        Self { inner, shortcut: Identity }
    }
}

impl<M, S> Residual<M, S> {
    /// The same inner module with another shortcut.
    pub fn with_shortcut<T>(self, shortcut: T) -> Residual<M, T> {
        Residual { inner: self.inner, shortcut }
    }

    /// The module around which the skip connection goes.
    pub fn inner(&self) -> &M {
        &self.inner
    }

    /// The module of the skip connection.
    pub fn shortcut(&self) -> &S {
        &self.shortcut
    }

    /// The output as plain tensor operations, as
    /// [`Sequential::forward`](crate::module::Sequential::forward).
    ///
    /// # Errors
    ///
    /// If a module cannot take the value, the two shapes differ, or the output has another
    /// rank.
    pub fn forward<B: Backend, const D: usize, const E: usize>(
        &self,
        x: Tensor<B, D>,
    ) -> Result<Tensor<B, E>>
    where
        M: Relevance<B>,
        S: Relevance<B>,
    {
        infer(self, x)?.tensor()
    }
}

impl<B: Backend, M: Relevance<B>, S: Relevance<B>> Relevance<B> for Residual<M, S> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        let inner = input.then("inner", &self.inner)?;
        inner.add(&input.then("shortcut", &self.shortcut)?)
    }
}

impl<B: Backend, M: Module<B>, S: Module<B>> Module<B> for Residual<M, S> {
    type Record = (M::Record, S::Record);

    fn collect_devices(&self, devices: Devices<B>) -> Devices<B> {
        self.shortcut.collect_devices(self.inner.collect_devices(devices))
    }

    fn fork(self, device: &Device<B>) -> Self {
        Self { inner: self.inner.fork(device), shortcut: self.shortcut.fork(device) }
    }

    fn to_device(self, device: &Device<B>) -> Self {
        Self { inner: self.inner.to_device(device), shortcut: self.shortcut.to_device(device) }
    }

    fn visit<V: ModuleVisitor<B>>(&self, visitor: &mut V) {
        visitor.enter_module("inner", KIND);
        self.inner.visit(visitor);
        visitor.exit_module("inner", KIND);
        visitor.enter_module("shortcut", KIND);
        self.shortcut.visit(visitor);
        visitor.exit_module("shortcut", KIND);
    }

    fn map<N: ModuleMapper<B>>(self, mapper: &mut N) -> Self {
        mapper.enter_module("inner", KIND);
        let inner = self.inner.map(mapper);
        mapper.exit_module("inner", KIND);
        mapper.enter_module("shortcut", KIND);
        let shortcut = self.shortcut.map(mapper);
        mapper.exit_module("shortcut", KIND);
        Self { inner, shortcut }
    }

    fn load_record(self, (inner, shortcut): Self::Record) -> Self {
        Self { inner: self.inner.load_record(inner), shortcut: self.shortcut.load_record(shortcut) }
    }

    fn into_record(self) -> Self::Record {
        (self.inner.into_record(), self.shortcut.into_record())
    }
}

/// The container of the parts, for stores.
const KIND: &str = "Struct:Residual";

impl<B: AutodiffBackend, M: AutodiffModule<B>, S: AutodiffModule<B>> AutodiffModule<B>
    for Residual<M, S>
{
    type InnerModule = Residual<M::InnerModule, S::InnerModule>;

    fn valid(&self) -> Self::InnerModule {
        Residual { inner: self.inner.valid(), shortcut: self.shortcut.valid() }
    }

    fn from_inner(module: Self::InnerModule) -> Self {
        Self { inner: M::from_inner(module.inner), shortcut: S::from_inner(module.shortcut) }
    }
}

impl<B: AutodiffBackend, M: HasAutodiffModule<B>, S: HasAutodiffModule<B>> HasAutodiffModule<B>
    for Residual<M, S>
{
    type TrainModule = Residual<M::TrainModule, S::TrainModule>;
}

impl<M: ModuleDisplay, S: ModuleDisplay> ModuleDisplayDefault for Residual<M, S> {
    fn content(&self, content: Content) -> Option<Content> {
        content
            .add("inner", &self.inner)
            .add("shortcut", &self.shortcut)
            .set_top_level_type("Residual")
            .optional()
    }
}

impl<M: ModuleDisplay, S: ModuleDisplay> ModuleDisplay for Residual<M, S> {}

impl<M: ModuleDisplay, S: ModuleDisplay> fmt::Display for Residual<M, S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.format(DisplaySettings::default()))
    }
}
