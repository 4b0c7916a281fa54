//! What this crate stores, and its parameters on the way to a file and back.

use burn::module::{Module, ModuleMapper, Param, ParamId};
use burn::tensor::{DType, Tensor, backend::Backend};

use crate::load::Load;

/// A module that this crate saves, and checks when it loads it.
///
/// Burn loads whatever a record holds: other shapes, missing parameters, damaged numbers. Hence a
/// module is loaded into a blank one of the shapes that the file states, and checked afterwards.
/// The trait is sealed: only this crate's own modules have such a check. They are
/// [`KMeans`](crate::cluster::KMeans), [`SeparableKMeans`](crate::cluster::SeparableKMeans),
/// [`KernelKMeans`](crate::cluster::KernelKMeans),
/// [`GaussianMixture`](crate::cluster::GaussianMixture), the networks of these,
/// [`KernelDensity`](crate::outlier::KernelDensity) and its network, and
/// [`Scaler`](crate::data::Scaler). A `Model` has its folder.
pub trait Stored<B: Backend>: Load<B> {}

impl<B: Backend, M: Load<B>> Stored<B> for M {}

/// The module as it is written, with its parameters numbered in order. Burn gives every parameter
/// a random number, so two files of one model would differ.
pub(super) fn numbered<B: Backend, M: Module<B>>(module: M) -> M {
    struct Number(u64);
    impl<B: Backend> ModuleMapper<B> for Number {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            let (_, tensor, mapper) = param.consume();
            self.0 += 1;
            Param::from_mapped_value(ParamId::from(self.0), tensor, mapper)
        }
    }
    module.map(&mut Number(0))
}

/// The module as it was read, with every float parameter in the given precision and under a new
/// random number.
pub(crate) fn cast<B: Backend, M: Module<B>>(module: M, dtype: DType) -> M {
    struct Cast(DType);
    impl<B: Backend> ModuleMapper<B> for Cast {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            let (_, tensor, mapper) = param.consume();
            Param::from_mapped_value(ParamId::new(), tensor.cast(self.0), mapper)
        }
    }
    module.map(&mut Cast(dtype))
}
