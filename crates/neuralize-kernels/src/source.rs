//! Tensors in host memory as the source of something derived from them.

use core::any::Any;

use burn::tensor::{Tensor, backend::Backend};

#[cfg(feature = "ndarray")]
use burn_ndarray::NdArrayTensor as N;

/// A tensor in host memory as the source of something derived from it. As long as
/// it is held, nothing writes to its memory: Burn copies a shared tensor first.
#[derive(Clone)]
pub enum Source {
    #[cfg(feature = "flex")]
    /// Of Flex.
    Flex(burn_flex::FlexTensor),
    #[cfg(feature = "ndarray")]
    /// Of NdArray.
    NdArray(N),
}

impl Source {
    /// `None` if the tensor is not in host memory.
    #[cfg_attr(not(any(feature = "flex", feature = "ndarray")), expect(unused_variables))]
    pub fn of<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> Option<Self> {
        let primitive = tensor.clone().into_primitive().tensor();
        let primitive: &dyn Any = &primitive;
        #[cfg(feature = "flex")]
        if let Some(tensor) = primitive.downcast_ref::<burn_flex::FlexTensor>() {
            return Some(Self::Flex(tensor.clone()));
        }
        #[cfg(feature = "ndarray")]
        if let Some(tensor) = primitive.downcast_ref::<N>() {
            return Some(Self::NdArray(tensor.clone()));
        }
        None
    }

    /// Whether it is the same memory, read in the same way.
    pub fn is(&self, other: &Self) -> bool {
        match (self, other) {
            #[cfg(feature = "flex")]
            (Self::Flex(a), Self::Flex(b)) => {
                a.bytes().as_ptr() == b.bytes().as_ptr()
                    && a.layout() == b.layout()
                    && a.dtype() == b.dtype()
            }
            #[cfg(feature = "ndarray")]
            (Self::NdArray(N::F32(a)), Self::NdArray(N::F32(b))) => {
                let (a, b) = (a.view(), b.view());
                (a.as_ptr(), a.shape(), a.strides()) == (b.as_ptr(), b.shape(), b.strides())
            }
            #[cfg(feature = "ndarray")]
            (Self::NdArray(N::F64(a)), Self::NdArray(N::F64(b))) => {
                let (a, b) = (a.view(), b.view());
                (a.as_ptr(), a.shape(), a.strides()) == (b.as_ptr(), b.shape(), b.strides())
            }
            #[allow(unreachable_patterns)]
            _ => false,
        }
    }
}
