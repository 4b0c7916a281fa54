//! Transfer of numbers between host and device.
//!
//! All tensors of this crate are created here, with an explicit element type. Without one, Burn
//! uses a default of the device type that the first tensor of the process fixes.

use std::panic::{AssertUnwindSafe, catch_unwind};

use burn::tensor::{Bool, DType, Int, Tensor, TensorData, backend::Backend};

/// Whether a device can be used at all: a GPU backend compiles on machines that have no GPU, where it
/// panics at the first tensor.
pub fn computes<B: Backend>(device: &B::Device) -> bool {
    let sum = catch_unwind(AssertUnwindSafe(|| {
        let values = upload::<B, 1>(vec![1.0, 2.0], [2], device, DType::F32);
        download(values.sum())
    }));
    sum.is_ok_and(|sum| sum == [3.0])
}

/// A float tensor from numbers on the host.
pub fn upload<B: Backend, const D: usize>(
    values: Vec<f64>,
    shape: [usize; D],
    device: &B::Device,
    dtype: DType,
) -> Tensor<B, D> {
    Tensor::from_data(converted(TensorData::new(values, shape), dtype), (device, dtype))
}

/// An index tensor from numbers on the host.
pub fn upload_indices<B: Backend>(indices: &[usize], device: &B::Device) -> Tensor<B, 1, Int> {
    let values: Vec<i64> = indices.iter().map(|&i| i as i64).collect();
    Tensor::from_data(TensorData::new(values, [indices.len()]), device)
}

/// Zeros of the given shape.
pub fn zeros<B: Backend, const D: usize>(
    shape: [usize; D],
    device: &B::Device,
    dtype: DType,
) -> Tensor<B, D> {
    Tensor::zeros(shape, (device, dtype))
}

/// The same numbers outside of any graph. (Detaching alone leaves a leaf a leaf.)
pub fn untracked<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Tensor<B, D> {
    tensor.detach().set_require_grad(false)
}

/// All values of a float tensor, row-major.
pub fn download<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Vec<f64> {
    // The data of a quantised tensor are codes, not values.
    floats(&dequantised(tensor).into_data())
}

/// The same tensor, as floats if it is quantised.
pub fn dequantised<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Tensor<B, D> {
    match tensor.dtype() {
        DType::QFloat(_) => tensor.dequantize(),
        _ => tensor,
    }
}

// Loops over numbers stand in functions that are not generic, so that this crate's own profile
// optimises them, not that of the crate that uses it.

fn converted(data: TensorData, dtype: DType) -> TensorData {
    data.convert_dtype(dtype)
}

fn floats(data: &TensorData) -> Vec<f64> {
    data.iter::<f64>().collect()
}

fn indices(data: &TensorData) -> Vec<usize> {
    data.iter::<i64>().map(|index| usize::try_from(index).unwrap_or(usize::MAX)).collect()
}

fn signed(data: &TensorData) -> Vec<i64> {
    data.iter::<i64>().collect()
}

/// All values of an integer tensor, which may be negative.
pub fn download_signed<B: Backend, const D: usize>(tensor: Tensor<B, D, Int>) -> Vec<i64> {
    signed(&tensor.into_data())
}

/// All values of an index tensor.
pub fn download_indices<B: Backend, const D: usize>(tensor: Tensor<B, D, Int>) -> Vec<usize> {
    indices(&tensor.into_data())
}

/// The places where a table is true, counted row by row.
pub fn download_true<B: Backend, const D: usize>(tensor: Tensor<B, D, Bool>) -> Vec<usize> {
    let data = tensor.into_data();
    data.iter::<bool>().enumerate().filter_map(|(at, is)| is.then_some(at)).collect()
}

/// Which values are NaN. Not by `Tensor::is_nan`: NdArray on AVX2 finds NaN equal to any number
/// (macerator 0.3.4).
pub fn is_nan<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Tensor<B, D, Bool> {
    let is_number = tensor.clone().greater_equal_elem(0.0).bool_or(tensor.lower_elem(0.0));
    is_number.bool_not()
}

/// Whether every element is true.
pub fn all_true<B: Backend, const D: usize>(tensor: Tensor<B, D, Bool>) -> bool {
    tensor.all().into_data().iter::<bool>().all(|value| value)
}

/// The largest finite value of an element type.
pub fn largest(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::MAX,
        _ => f64::from(f32::MAX),
    }
}

/// The smallest positive number that an element type holds in full precision.
pub fn smallest(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::MIN_POSITIVE,
        _ => f64::from(f32::MIN_POSITIVE),
    }
}

/// The distance from 1 to the next number of an element type.
pub fn epsilon(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => f64::EPSILON,
        _ => f64::from(f32::EPSILON),
    }
}

/// The number of an element type that is nearest to a value.
pub fn rounded(value: f64, dtype: DType) -> f64 {
    match dtype {
        DType::F64 => value,
        _ => f64::from(value as f32),
    }
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::backend::{Flex, NdArray};

    fn check<B: Backend>(dtype: DType) {
        // Of all lengths around those of vector instructions.
        for length in 1..40 {
            let special = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, 0.0, -0.0, 1.5, -2.0];
            let values: Vec<f64> = (0..length).map(|at| special[at % special.len()]).collect();
            let expected: Vec<usize> = (0..length).filter(|at| values[*at].is_nan()).collect();
            let tensor = upload::<B, 1>(values, [length], &Default::default(), dtype);
            assert_eq!(download_true(is_nan(tensor)), expected, "{length}, {dtype:?}");
        }
    }

    #[test]
    fn nothing_but_nan_is_nan() {
        check::<Flex>(DType::F32);
        check::<Flex>(DType::F64);
        check::<NdArray<f32>>(DType::F32);
        check::<NdArray<f64>>(DType::F64);
    }
}
