//! A float tensor whose rank is known at run time only.

use burn::tensor::ops::FloatTensor;
use burn::tensor::{DType, Int, Shape, Tensor, TensorMetadata, TensorPrimitive, backend::Backend};

use crate::error::{Error, Result};

/// A float tensor whose rank is known at run time only.
///
/// Activations and relevances of a network have different ranks; a tape keeps them
/// in one type. [`tensor`](Self::tensor) returns the typed tensor.
#[derive(Clone, Debug)]
pub struct AnyTensor<B: Backend> {
    primitive: FloatTensor<B>,
}

impl<B: Backend, const D: usize> From<Tensor<B, D>> for AnyTensor<B> {
    fn from(tensor: Tensor<B, D>) -> Self {
        Self { primitive: tensor.into_primitive().tensor() }
    }
}

impl<B: Backend, const D: usize> From<&Tensor<B, D>> for AnyTensor<B> {
    fn from(tensor: &Tensor<B, D>) -> Self {
        tensor.clone().into()
    }
}

impl<B: Backend> AnyTensor<B> {
    /// The size of every dimension.
    pub fn dims(&self) -> Vec<usize> {
        self.primitive.shape().to_vec()
    }

    /// The number of dimensions.
    pub fn rank(&self) -> usize {
        self.primitive.rank()
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.dims().iter().product()
    }

    /// Whether there are no elements.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The precision.
    pub fn dtype(&self) -> DType {
        self.primitive.dtype()
    }

    /// The device.
    pub fn device(&self) -> B::Device {
        B::float_device(&self.primitive)
    }

    /// The tensor with its rank in the type.
    ///
    /// # Errors
    ///
    /// If it has another rank.
    pub fn tensor<const D: usize>(&self) -> Result<Tensor<B, D>> {
        if self.rank() == D {
            Ok(self.typed())
        } else {
            Err(Error::shape("tensor", format!("{D} dimensions"), &self.dims()))
        }
    }

    /// The tensor with a rank that has been checked before.
    fn typed<const D: usize>(&self) -> Tensor<B, D> {
        Tensor::from_primitive(TensorPrimitive::Float(self.primitive.clone()))
    }

    /// All elements in a row, `[len]`.
    pub fn flat(&self) -> Tensor<B, 1> {
        self.view([self.len()])
    }

    /// One row per sample, `[n, len / n]`, where n is the first dimension.
    pub fn rows(&self) -> Tensor<B, 2> {
        let rows = self.dims().first().copied().unwrap_or(1);
        self.view([rows, self.len() / rows.max(1)])
    }

    /// The same elements in another shape of the same size.
    pub(crate) fn view<const D: usize>(&self, dims: [usize; D]) -> Tensor<B, D> {
        if self.rank() == D {
            let typed = self.typed::<D>();
            if typed.dims() == dims {
                return typed;
            }
        }
        let shaped = B::float_reshape(self.primitive.clone(), Shape::from(dims));
        Tensor::from_primitive(TensorPrimitive::Float(shaped))
    }

    /// The same elements in another shape.
    ///
    /// # Errors
    ///
    /// If the shape has another number of elements.
    pub fn reshape(&self, dims: &[usize]) -> Result<Self> {
        if dims.iter().product::<usize>() != self.len() {
            return Err(Error::shape("reshape", format!("{} elements", self.len()), dims));
        }
        Ok(self.shaped(dims))
    }

    /// [`reshape`](Self::reshape) to a shape that has been checked before.
    pub(crate) fn shaped(&self, dims: &[usize]) -> Self {
        if self.dims() == dims {
            return self.clone();
        }
        Self { primitive: B::float_reshape(self.primitive.clone(), Shape::from(dims.to_vec())) }
    }

    /// The dimensions in another order.
    pub(crate) fn permuted(&self, axes: &[usize]) -> Self {
        Self { primitive: B::float_permute(self.primitive.clone(), axes) }
    }

    /// Some of the samples: a range of the first dimension.
    ///
    /// # Errors
    ///
    /// If the range ends after the last sample.
    pub fn samples(&self, range: std::ops::Range<usize>) -> Result<Self> {
        let mut dims = self.dims();
        if dims.is_empty() || range.end > dims[0] || range.start > range.end {
            return Err(Error::shape("samples", format!("at least {} samples", range.end), &dims));
        }
        dims[0] = range.len();
        let rows = self.rows();
        let width = rows.dims()[1];
        Ok(Self::from(rows.slice([range, 0..width])).shaped(&dims))
    }

    /// Samples in another order, or several times: places in the first dimension.
    pub(crate) fn select(&self, samples: &Tensor<B, 1, Int>) -> Self {
        let mut dims = self.dims();
        dims[0] = samples.dims()[0];
        Self::from(self.rows().select(0, samples.clone())).shaped(&dims)
    }

    /// Element by element; f keeps the number of elements.
    pub fn map(&self, f: impl FnOnce(Tensor<B, 1>) -> Tensor<B, 1>) -> Self {
        Self::from(f(self.flat())).shaped(&self.dims())
    }

    /// Element by element with a tensor of the same shape; f keeps the number of elements.
    ///
    /// # Errors
    ///
    /// If the shapes or precisions differ.
    pub fn zip(
        &self,
        other: &Self,
        f: impl FnOnce(Tensor<B, 1>, Tensor<B, 1>) -> Tensor<B, 1>,
    ) -> Result<Self> {
        let dims = self.dims();
        if other.dims() != dims {
            return Err(Error::shape("tensor", format!("{dims:?}"), &other.dims()));
        }
        self.same_precision(other)?;
        Ok(Self::from(f(self.flat(), other.flat())).shaped(&dims))
    }

    /// Refuses two precisions, at which Burn would panic.
    pub(crate) fn same_precision(&self, other: &Self) -> Result<()> {
        if self.dtype() == other.dtype() {
            return Ok(());
        }
        let detail = format!("one is {:?}, the other {:?}; cast one", self.dtype(), other.dtype());
        Err(Error::layer("tensors", detail))
    }

    /// Sum of two tensors of the same shape.
    ///
    /// # Errors
    ///
    /// If the shapes or precisions differ.
    pub fn plus(&self, other: &Self) -> Result<Self> {
        self.zip(other, |a, b| a + b)
    }

    /// Product of two tensors of the same shape, element by element.
    ///
    /// # Errors
    ///
    /// If the shapes or precisions differ.
    pub fn times(&self, other: &Self) -> Result<Self> {
        self.zip(other, |a, b| a * b)
    }

    /// The same numbers in another precision.
    pub(crate) fn in_dtype(&self, dtype: DType) -> Self {
        let dims = self.dims();
        Self::from(self.flat().cast(dtype)).shaped(&dims)
    }

    /// The same numbers, detached from any graph of gradients.
    pub fn detached(&self) -> Self {
        let dims = self.dims();
        Self::from(self.flat().detach()).shaped(&dims)
    }

    /// The sum of every sample, `[n]`.
    pub fn row_sums(&self) -> Tensor<B, 1> {
        self.rows().sum_dim(1).squeeze_dim(1)
    }

    /// Whether no number is NaN or infinite; reads one sum back from the device.
    ///
    /// The numbers are scaled so that the sum of finite ones cannot overflow.
    pub(crate) fn is_finite(&self) -> bool {
        if self.is_empty() {
            return true;
        }
        let sum = (self.flat() * 2.0_f64.powi(-64)).sum();
        sum.into_data().iter::<f64>().all(f64::is_finite)
    }

    /// A constant in the same shape.
    pub(crate) fn filled(&self, value: f64) -> Self {
        let dims = self.dims();
        let flat = Tensor::<B, 1>::full([self.len()], value, (&self.device(), self.dtype()));
        Self::from(flat).shaped(&dims)
    }

    /// The product with a vector along one dimension, `self * values`.
    pub(crate) fn scaled_along(&self, values: &Tensor<B, 1>, dim: usize) -> Self {
        self.broadcast_along(values, dim, |x, v| x * v)
    }

    /// The sum with a vector along one dimension, `self + values`.
    pub(crate) fn shifted_along(&self, values: &Tensor<B, 1>, dim: usize) -> Self {
        self.broadcast_along(values, dim, |x, v| x + v)
    }

    fn broadcast_along(
        &self,
        values: &Tensor<B, 1>,
        dim: usize,
        f: impl FnOnce(Tensor<B, 2>, Tensor<B, 2>) -> Tensor<B, 2>,
    ) -> Self {
        let dims = self.dims();
        let [before, size, after] = around(&dims, dim);
        let values = values.clone().reshape([1, size]);
        // Rows and one row, or rows and one column: what Flex has fast paths for.
        // A dimension in the middle costs it as much as a convolution.
        let (x, values) = match after {
            1 => (self.view([before, size]), values),
            _ => {
                let rows = repeated(values.reshape([1, 1, size]), before);
                let column = rows.reshape([before * size, 1]);
                (self.view([before * size, after]), column)
            }
        };
        Self::from(f(x, values)).shaped(&dims)
    }
}

/// The number of elements before, in and after a dimension.
pub(crate) fn around(dims: &[usize], dim: usize) -> [usize; 3] {
    [dims[..dim].iter().product(), dims[dim], dims[dim + 1..].iter().product()]
}

/// The same numbers `size` times along the dimension in the middle, which has size 1.
///
/// By a product with ones: Burn 0.21 on GPUs reshapes a tensor wrongly that was only
/// expanded, and repeats by expanding.
pub(crate) fn repeated<B: Backend>(x: Tensor<B, 3>, size: usize) -> Tensor<B, 3> {
    let ones = Tensor::ones([1, size, 1], (&x.device(), x.dtype()));
    x * ones
}
