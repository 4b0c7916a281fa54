//! The kernels for data in host memory serve every backend alike.

use burn::backend::{Autodiff, Flex};
use burn::tensor::DType;

use crate::answers::answers;

#[test]
fn kernels_serve_untracked_tensors_inside_autodiff() {
    for dtype in [DType::F32, DType::F64] {
        assert_eq!(answers::<Autodiff<Flex>>(dtype), answers::<Flex>(dtype));
    }
}

#[cfg(feature = "ndarray")]
#[test]
fn kernels_serve_ndarray() {
    use burn_ndarray::NdArray;
    let expected = answers::<Flex>(DType::F64);
    assert_eq!(answers::<NdArray<f64>>(DType::F64), expected);
    assert_eq!(answers::<Autodiff<NdArray<f64>>>(DType::F64), expected);
    let expected = answers::<Flex>(DType::F32);
    assert_eq!(answers::<NdArray<f32>>(DType::F32), expected);
    assert_eq!(answers::<Autodiff<NdArray<f32>>>(DType::F32), expected);
}
