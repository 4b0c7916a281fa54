//! Layer-wise relevance propagation on every CPU backend, in both precisions.

pub mod checks;

use burn::backend::Flex;
use burn::tensor::DType;
use burn_ndarray::NdArray;

use crate::lrp_on;

lrp_on!(flex_f32, Flex, DType::F32, true);
lrp_on!(flex_f64, Flex, DType::F64, true);
lrp_on!(ndarray_f32, NdArray<f32>, DType::F32, true);
lrp_on!(ndarray_f64, NdArray<f64>, DType::F64, true);
