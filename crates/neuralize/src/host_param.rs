//! Parameters of few numbers, which the host keeps.

use std::fmt;
use std::sync::{Arc, OnceLock};

use burn::module::{
    AutodiffModule, Content, Devices, HasAutodiffModule, Module, ModuleDisplay,
    ModuleDisplayDefault, ModuleMapper, ModuleVisitor, Param, ParamId,
};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Shape, Tensor};

use crate::transfer;

/// A parameter of few numbers, such as β or γ, that decisions on the host need. A module parameter
/// because records hold nothing else; the numbers are read once, since reading them makes a GPU
/// wait. Whatever changes the parameter (a record, a mapper) makes them be read again.
pub struct HostParam<B: Backend> {
    param: Param<Tensor<B, 1>>,
    known: OnceLock<Arc<[f64]>>,
}

impl<B: Backend> HostParam<B> {
    /// Of numbers, which are rounded to the precision.
    pub(crate) fn new(values: Vec<f64>, device: &B::Device, dtype: DType) -> Self {
        // The other parameters of the module may be quantised.
        let dtype = if matches!(dtype, DType::QFloat(_)) { DType::F32 } else { dtype };
        let known: Arc<[f64]> =
            values.iter().map(|value| transfer::rounded(*value, dtype)).collect();
        let length = values.len();
        let kept = Self::of(transfer::upload(values, [length], device, dtype));
        Self { known: OnceLock::from(known), ..kept }
    }

    /// Of a tensor.
    pub(crate) fn of(tensor: Tensor<B, 1>) -> Self {
        let param = Param::initialized(ParamId::new(), transfer::untracked(tensor));
        Self { param, known: OnceLock::new() }
    }

    /// The numbers.
    pub(crate) fn values(&self) -> &[f64] {
        self.known.get_or_init(|| transfer::download(self.param.val()).into())
    }

    /// The first number; NaN if there is none.
    pub(crate) fn first(&self) -> f64 {
        self.values().first().copied().unwrap_or(f64::NAN)
    }

    /// The parameter itself.
    pub(crate) fn val(&self) -> Tensor<B, 1> {
        self.param.val()
    }

    /// The shape of the parameter.
    pub(crate) fn lazy_shape(&self) -> Shape {
        self.param.lazy_shape()
    }

    /// The same numbers as a parameter of another module.
    pub(crate) fn copied(&self) -> Self {
        self.with(Param::initialized(ParamId::new(), self.val()))
    }

    /// The same numbers in another parameter.
    fn with(&self, param: Param<Tensor<B, 1>>) -> Self {
        Self { param, known: self.known.clone() }
    }
}

impl<B: Backend> Clone for HostParam<B> {
    fn clone(&self) -> Self {
        self.with(self.param.clone())
    }
}

impl<B: Backend> fmt::Debug for HostParam<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.param, f)
    }
}

impl<B: Backend> fmt::Display for HostParam<B> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.param, f)
    }
}

impl<B: Backend> Module<B> for HostParam<B> {
    type Record = <Param<Tensor<B, 1>> as Module<B>>::Record;

    fn collect_devices(&self, devices: Devices<B>) -> Devices<B> {
        self.param.collect_devices(devices)
    }

    fn fork(self, device: &B::Device) -> Self {
        let known = self.known.clone();
        Self { param: self.param.fork(device), known }
    }

    fn to_device(self, device: &B::Device) -> Self {
        let known = self.known.clone();
        Self { param: self.param.to_device(device), known }
    }

    fn visit<V: ModuleVisitor<B>>(&self, visitor: &mut V) {
        self.param.visit(visitor);
    }

    fn map<M: ModuleMapper<B>>(self, mapper: &mut M) -> Self {
        let mapped = Module::map(self.param.clone(), mapper);
        // These numbers are no weights: a quantised γ or code of a distance would be another one.
        if matches!(mapped.val().dtype(), DType::QFloat(_)) {
            return self;
        }
        Self { param: mapped, known: OnceLock::new() }
    }

    fn load_record(self, record: Self::Record) -> Self {
        Self { param: self.param.load_record(record), known: OnceLock::new() }
    }

    fn into_record(self) -> Self::Record {
        self.param.into_record()
    }
}

impl<B: AutodiffBackend> AutodiffModule<B> for HostParam<B> {
    type InnerModule = HostParam<B::InnerBackend>;

    fn valid(&self) -> Self::InnerModule {
        HostParam { param: self.param.valid(), known: self.known.clone() }
    }

    fn from_inner(module: Self::InnerModule) -> Self {
        Self { param: Param::from_inner(module.param), known: module.known }
    }
}

impl<B: AutodiffBackend> HasAutodiffModule<B> for HostParam<B::InnerBackend> {
    type TrainModule = HostParam<B>;
}

impl<B: Backend> ModuleDisplayDefault for HostParam<B> {
    fn content(&self, content: Content) -> Option<Content> {
        self.param.content(content)
    }

    fn num_params(&self) -> usize {
        Module::num_params(self)
    }
}

impl<B: Backend> ModuleDisplay for HostParam<B> {}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::{Autodiff, Flex};

    struct Double;

    impl<B: Backend> ModuleMapper<B> for Double {
        fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
            param.map(|tensor| tensor * 2.0)
        }
    }

    #[test]
    fn numbers_follow_the_parameter() {
        let device = Default::default();
        let param = HostParam::<Flex>::new(vec![0.1, f64::NAN], &device, DType::F32);
        assert_eq!(param.first(), f64::from(0.1f32));
        assert_eq!(param.first(), transfer::download(param.val())[0]);
        let doubled = param.clone().map(&mut Double);
        assert_eq!(doubled.first(), f64::from(0.2f32));
        assert!(doubled.values()[1].is_nan());
        assert_eq!(
            param.clone().load_record(doubled.clone().into_record()).first(),
            doubled.first()
        );
        assert_eq!(
            HostParam::<Autodiff<Flex>>::from_inner(doubled).valid().first(),
            f64::from(0.2f32)
        );
        assert!(HostParam::<Flex>::new(Vec::new(), &device, DType::F64).first().is_nan());
    }
}
