//! Numbers for the tests, the same on every backend.

use burn::module::{Module, ModuleMapper, Param};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use burn_lrp::AnyTensor;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

/// One backend in one precision.
pub struct Setup<B: Backend> {
    pub device: B::Device,
    pub dtype: DType,
}

impl<B: Backend> Setup<B> {
    pub fn new(dtype: DType) -> Self {
        crate::settle_precision();
        Self { device: Default::default(), dtype }
    }

    /// Whether Burn's own transposed convolutions, and so gradients of convolutions,
    /// are right for kernels that span less than a stride: not on GPU backends.
    pub fn sparse_kernels(&self) -> bool {
        let name = B::name(&self.device);
        ["flex", "ndarray"].iter().any(|cpu| name.contains(cpu))
    }

    /// Relative to the largest number compared, where nothing cancels.
    pub fn tolerance(&self) -> f64 {
        self.tolerance_at(1.0)
    }

    /// The same where rounding grows by a condition number: in single precision, a
    /// few roundings of it.
    pub fn tolerance_at(&self, condition: f64) -> f64 {
        match self.dtype {
            DType::F64 => 1e-9,
            _ => 1e-6 * condition.max(10.0),
        }
    }

    /// Numbers between −1 and 1, as the precision holds them.
    pub fn numbers(&self, seed: u64, count: usize) -> Vec<f64> {
        let mut stream = ChaCha8Rng::seed_from_u64(seed);
        (0..count)
            .map(|_| f64::from(stream.next_u32()) / f64::from(u32::MAX) * 2.0 - 1.0)
            .map(|value| f64::from(value as f32))
            .collect()
    }

    pub fn upload<const D: usize>(&self, values: Vec<f64>, shape: [usize; D]) -> Tensor<B, D> {
        let data = TensorData::new(values, shape).convert_dtype(self.dtype);
        Tensor::from_data(data, (&self.device, self.dtype))
    }

    /// Seeded numbers as a tensor.
    pub fn tensor<const D: usize>(&self, seed: u64, shape: [usize; D]) -> Tensor<B, D> {
        self.upload(self.numbers(seed, shape.iter().product()), shape)
    }

    /// The module with seeded parameters in this precision. Running variances
    /// and the like must be made positive by the caller.
    pub fn filled<M: Module<B>>(&self, seed: u64, module: M) -> M {
        module.map(&mut Filler { setup: self, seed })
    }
}

struct Filler<'a, B: Backend> {
    setup: &'a Setup<B>,
    seed: u64,
}

impl<B: Backend> ModuleMapper<B> for Filler<'_, B> {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        self.seed += 1;
        let shape = param.lazy_shape().dims();
        Param::initialized(param.id, self.setup.tensor(self.seed, shape))
    }
}

pub fn values<B: Backend>(tensor: &AnyTensor<B>) -> Vec<f64> {
    tensor.flat().into_data().iter::<f64>().collect()
}

/// Equal up to a tolerance relative to the largest number.
#[track_caller]
pub fn assert_close(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}: another length");
    let scale = expected.iter().fold(0.0_f64, |most, value| most.max(value.abs())).max(1e-300);
    for (at, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs() / scale;
        assert!(error <= tolerance, "{what}, number {at}: {found} against {expected}");
    }
}
