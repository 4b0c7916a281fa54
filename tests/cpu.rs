//! The suite on every CPU backend, in both precisions.

#![allow(unreachable_pub, clippy::unwrap_used)]

mod properties;
mod suite;

use burn::backend::{Autodiff, Flex, NdArray};
use burn::tensor::DType;

suite_on!(flex_f32, Flex, DType::F32, true);
suite_on!(flex_f64, Flex, DType::F64, true);
suite_on!(ndarray_f32, NdArray<f32>, DType::F32, true);
suite_on!(ndarray_f64, NdArray<f64>, DType::F64, true);
suite_on!(autodiff_flex_f64, Autodiff<Flex>, DType::F64, true);
suite_on!(autodiff_ndarray_f32, Autodiff<NdArray<f32>>, DType::F32, true);

suite_on!(@gradients gradients_flex_f32, Flex, DType::F32, true);
suite_on!(@gradients gradients_flex_f64, Flex, DType::F64, true);
suite_on!(@gradients gradients_ndarray_f32, NdArray<f32>, DType::F32, true);
suite_on!(@gradients gradients_ndarray_f64, NdArray<f64>, DType::F64, true);
