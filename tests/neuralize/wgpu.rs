//! Every suite on the GPU backend: a real GPU, or a software Vulkan device.
//!
//! Without a device the tests say so and pass; with `NEURALIZE_REQUIRE_WGPU=1`
//! they fail.

#[path = "../neuralize-kernels/wgpu.rs"]
mod gpu_kernels;

use std::sync::LazyLock;

use burn::backend::wgpu::WgpuDevice;
use burn::backend::{Autodiff, Flex, Wgpu};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use neuralize::Error;
use neuralize::cluster::{KMeans, KMeansConfig};
use neuralize::data::{Scale, Table};
use neuralize::explain::{Beta, Target};
use neuralize::network::Network;
use neuralize::record::{Model, ModelInfo};

use crate::lrp::checks;
use crate::suite::{self, Setup};
use crate::{evaluate, evaluate_on, lrp_on, models, models_on, suite_on};

/// What `Wgpu` is with Burn's default features.
type Fused = burn_fusion::Fusion<Wgpu>;

fn ready() -> bool {
    static READY: LazyLock<bool> = LazyLock::new(|| {
        let found = neuralize::check_device::<Wgpu>(&Default::default());
        let required = std::env::var_os("NEURALIZE_REQUIRE_WGPU").is_some_and(|value| value == "1");
        assert!(!required || found.is_ok(), "a device is required: {found:?}");
        if let Err(error) = &found {
            eprintln!("skipped: {error}");
        }
        found.is_ok()
    });
    *READY
}

suite_on!(wgpu_f32, Wgpu, DType::F32, ready());
suite_on!(fused_wgpu_f32, Fused, DType::F32, ready());
suite_on!(autodiff_wgpu_f32, Autodiff<Wgpu>, DType::F32, ready());
models_on!(models_wgpu_f32, Wgpu, DType::F32, ready());
models_on!(models_fused_wgpu_f32, Fused, DType::F32, ready());
evaluate_on!(evaluate_wgpu_f32, Wgpu, DType::F32, ready());
#[cfg(feature = "pytorch")]
crate::weights_on!(weights_wgpu_f32, Wgpu, DType::F32, ready());
suite_on!(@gradients gradients_wgpu_f32, Wgpu, DType::F32, ready());
lrp_on!(lrp_wgpu_f32, Wgpu, DType::F32, ready());

/// CPU and GPU give the same wine explanation, element by element.
#[test]
fn same_explanation_as_on_the_cpu() {
    if !ready() {
        return;
    }
    for beta in [Beta::Value(0.0), Beta::Value(1.0), Beta::Heuristic] {
        let gpu = suite::wine::explanation(&Setup::<Wgpu>::new(DType::F32), beta).relevance;
        let cpu = suite::wine::explanation(&Setup::<Flex>::new(DType::F32), beta).relevance;
        suite::assert_close(&suite::values(gpu), &suite::values(cpu), 2e-5, "relevance");
    }
}

/// Rows on another device are an error that names both.
#[test]
fn rows_on_another_device_are_refused() {
    let other = WgpuDevice::Cpu;
    if !ready() || neuralize::check_device::<Wgpu>(&other).is_err() {
        return;
    }
    let setup = Setup::<Wgpu>::new(DType::F32);
    let fit = KMeansConfig::new(2).fit(&setup.tensor(&suite::random_rows(20, 3, 0.0, 1)));
    let model = fit.expect("a fit").model;
    let there = Setup { device: other, ..Setup::<Wgpu>::new(DType::F32) };
    let x = there.tensor(&suite::random_rows(4, 3, 0.0, 2));
    let error = model.predict(&x).expect_err("another device");
    assert!(matches!(error, Error::DeviceMismatch { .. }), "{error}");
    assert!(error.to_string().contains("Cpu") && error.to_string().contains("DefaultDevice"));
    let network = model.neuralize().expect("two clusters");
    assert!(network.explain(&x, Target::Assigned, Beta::Heuristic).is_err());
    assert!(model.predict(&x.to_device(&setup.device)).is_ok());
}

/// F64 is claimed and its exponential is wrong on this kind of device: either
/// the results are right, or the library refuses.
#[test]
fn f64_is_right_or_refused() {
    if !ready() || !Wgpu::<f32, i32>::supports_dtype(&Default::default(), DType::F64) {
        return;
    }
    let setup = Setup::<Wgpu>::new(DType::F64);
    let x: Tensor<Wgpu, 2> = setup.tensor(&suite::random_rows(20, 3, 0.0, 1));
    match KMeans::from_centroids(x.clone()) {
        Err(error) => {
            assert!(matches!(error, Error::UnreliableDType { dtype: DType::F64, .. }), "{error}");
            assert!(KMeansConfig::new(2).fit(&x).is_err());
        }
        Ok(_) => suite::neon::equals_the_definition(&setup),
    }
}

/// What the command fits on a CPU by default, a model in f64, is explained on
/// the GPU.
#[test]
fn a_model_in_f64_is_loaded() {
    if !ready() {
        return;
    }
    let setup = Setup::<Flex>::new(DType::F64);
    let wine = Table::wine();
    let x = wine.to_tensor::<Flex>(&setup.device, setup.dtype).expect("wine");
    let scaler = Scale::MinMax.fit(&x).expect("valid");
    let fit = suite::wine::published_fit(&setup);
    let info = ModelInfo::new(wine.features());
    let model = Model::new(scaler, fit.model, info).expect("parts that agree");
    let folder = tempfile::tempdir().expect("a temporary folder");
    model.save(folder.path()).expect("saved");

    let device = Default::default();
    let gpu: Model<Wgpu> = Model::load(folder.path(), &device, DType::F32).expect("loaded");
    let rows = wine.to_tensor::<Wgpu>(&device, DType::F32).expect("wine");
    let found = gpu.explain(&rows, Target::Assigned, Beta::Heuristic).expect("explained");
    let expected = model.explain(&x, Target::Assigned, Beta::Heuristic).expect("explained");
    let (found, expected) = (suite::values(found.relevance), suite::values(expected.relevance));
    suite::assert_close(&found, &expected, 2e-5, "relevance");
}
