//! The models beyond k-means, on every CPU backend, in both precisions.

#![allow(unreachable_pub, clippy::unwrap_used)]

#[path = "mod.rs"]
mod models;
#[allow(dead_code, reason = "the tests of k-means are run by `cpu` and `wgpu`")]
#[path = "../suite/mod.rs"]
mod suite;

use burn::backend::Flex;
use burn::tensor::DType;
use burn_ndarray::NdArray;

models_on!(flex_f32, Flex, DType::F32, true);
models_on!(flex_f64, Flex, DType::F64, true);
models_on!(ndarray_f32, NdArray<f32>, DType::F32, true);
models_on!(ndarray_f64, NdArray<f64>, DType::F64, true);

#[cfg(feature = "pytorch")]
mod files_of_pytorch {
    use super::*;

    weights_on!(flex_f32, Flex, DType::F32, true);
    weights_on!(flex_f64, Flex, DType::F64, true);
    weights_on!(ndarray_f32, NdArray<f32>, DType::F32, true);
    weights_on!(ndarray_f64, NdArray<f64>, DType::F64, true);
}
