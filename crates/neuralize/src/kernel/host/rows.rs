//! Tensors, rows and layers whose numbers the host reads in place.

use core::any::{Any, TypeId};

use burn::tensor::{DType, Int, Tensor, TensorData, backend::Backend};

use crate::kernel::affine::Affine;
use crate::kernel::cpu::{CenteredRows, Real};
use crate::kernel::keep::Keep;

#[cfg(feature = "ndarray")]
use burn_ndarray::NdArrayTensor as N;

/// A tensor whose numbers the host reads in place.
#[derive(Clone)]
pub(super) enum Borrowed {
    #[cfg(feature = "flex")]
    Flex(burn_flex::FlexTensor),
    #[cfg(feature = "ndarray")]
    NdArray(burn_ndarray::NdArrayTensor),
    /// A copy, if the tensor is not contiguous.
    Copied(TensorData),
}

/// Whether the host reads tensors of this type in place.
pub(super) fn is_in_host_memory<P: 'static>() -> bool {
    let found = false;
    #[cfg(feature = "flex")]
    let found = found || TypeId::of::<P>() == TypeId::of::<burn_flex::FlexTensor>();
    #[cfg(feature = "ndarray")]
    let found = found || TypeId::of::<P>() == TypeId::of::<N>();
    found
}

impl Borrowed {
    pub(super) fn float<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> Option<Self> {
        Self::of(tensor.clone().into_primitive().tensor(), || tensor.to_data())
    }

    /// A copy, if the host cannot read it in place.
    pub(super) fn or_copied<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> Self {
        Self::float(tensor).unwrap_or_else(|| Self::Copied(tensor.to_data()))
    }

    pub(super) fn int<B: Backend, const D: usize>(tensor: &Tensor<B, D, Int>) -> Option<Self> {
        Self::of(tensor.clone().into_primitive(), || tensor.to_data())
    }

    #[cfg_attr(not(any(feature = "flex", feature = "ndarray")), expect(unused_variables))]
    fn of<P: Any>(primitive: P, copy: impl FnOnce() -> TensorData) -> Option<Self> {
        let primitive: &dyn Any = &primitive;
        #[cfg(feature = "flex")]
        if let Some(tensor) = primitive.downcast_ref::<burn_flex::FlexTensor>() {
            return Some(if tensor.is_contiguous() {
                Self::Flex(tensor.clone())
            } else {
                Self::Copied(copy())
            });
        }
        #[cfg(feature = "ndarray")]
        if let Some(tensor) = primitive.downcast_ref::<burn_ndarray::NdArrayTensor>() {
            let whole = match tensor {
                N::F32(storage) => storage.view().to_slice().is_some(),
                N::F64(storage) => storage.view().to_slice().is_some(),
                _ => false,
            };
            return Some(if whole { Self::NdArray(tensor.clone()) } else { Self::Copied(copy()) });
        }
        None
    }

    /// The numbers, row-major; `None` if they are of another type.
    pub(super) fn numbers<T: Real>(&self) -> Option<&[T]> {
        match self {
            #[cfg(feature = "flex")]
            Self::Flex(tensor) => tensor.as_slice(),
            #[cfg(feature = "ndarray")]
            Self::NdArray(tensor) => match (tensor, T::dtype()) {
                (N::F32(storage), DType::F32) => {
                    storage.view().to_slice().map(bytemuck::cast_slice)
                }
                (N::F64(storage), DType::F64) => {
                    storage.view().to_slice().map(bytemuck::cast_slice)
                }
                _ => None,
            },
            Self::Copied(data) => data.as_slice().ok(),
        }
    }

    /// Whether two tensors of labels hold the same bytes; `None` if that cannot be told.
    pub(super) fn same_bytes(&self, other: &Self) -> Option<bool> {
        match (self, other) {
            #[cfg(feature = "flex")]
            (Self::Flex(a), Self::Flex(b)) => {
                // A slice of a larger tensor has more bytes than its own.
                let own = |tensor: &burn_flex::FlexTensor| {
                    tensor.bytes().len() == tensor.layout().num_elements() * tensor.dtype().size()
                };
                (own(a) && own(b)).then(|| a.bytes() == b.bytes())
            }
            #[cfg(any(feature = "flex", feature = "ndarray"))]
            (Self::Copied(a), Self::Copied(b)) => Some(a.as_bytes() == b.as_bytes()),
            _ => None,
        }
    }

    pub(super) fn into_indices(self) -> Option<Vec<i32>> {
        let data = match self {
            #[cfg(feature = "flex")]
            Self::Flex(tensor) => tensor.into_data(),
            #[cfg(feature = "ndarray")]
            Self::NdArray(_) => return None,
            Self::Copied(data) => data,
        };
        data.convert::<i32>().into_vec().ok()
    }
}

/// A tensor in host memory as the source of something derived from it. As long as
/// it is held, nothing writes to its memory: Burn copies a shared tensor first.
#[derive(Clone)]
pub(crate) struct Source(Borrowed);

impl Source {
    /// `None` if the tensor is not in host memory, or not contiguous.
    pub(crate) fn of<B: Backend, const D: usize>(tensor: &Tensor<B, D>) -> Option<Self> {
        Self::from(&Borrowed::float(tensor)?)
    }

    fn from(tensor: &Borrowed) -> Option<Self> {
        (!matches!(tensor, Borrowed::Copied(_))).then(|| Self(tensor.clone()))
    }

    /// Whether it is the same memory, read in the same way.
    pub(crate) fn is(&self, other: &Self) -> bool {
        match (&self.0, &other.0) {
            #[cfg(feature = "flex")]
            (Borrowed::Flex(a), Borrowed::Flex(b)) => {
                a.bytes().as_ptr() == b.bytes().as_ptr()
                    && a.layout() == b.layout()
                    && a.dtype() == b.dtype()
            }
            #[cfg(feature = "ndarray")]
            (Borrowed::NdArray(N::F32(a)), Borrowed::NdArray(N::F32(b))) => {
                (a.view().as_ptr(), a.shape()) == (b.view().as_ptr(), b.shape())
            }
            #[cfg(feature = "ndarray")]
            (Borrowed::NdArray(N::F64(a)), Borrowed::NdArray(N::F64(b))) => {
                (a.view().as_ptr(), a.shape()) == (b.view().as_ptr(), b.shape())
            }
            _ => false,
        }
    }
}

/// Rows in host memory, and the centre that kernels subtract from them.
pub(super) struct HostRows {
    x: Borrowed,
    center: Option<Borrowed>,
    /// `[N, D]`
    shape: [usize; 2],
    dtype: DType,
}

impl HostRows {
    pub(super) fn of<B: Backend>(x: &Tensor<B, 2>, center: Option<&Tensor<B, 2>>) -> Option<Self> {
        let center = match center {
            Some(center) => Some(Borrowed::float(center)?),
            None => None,
        };
        Some(Self { x: Borrowed::float(x)?, center, shape: x.dims(), dtype: x.dtype() })
    }

    /// The same for tensors on any device: what the host cannot read in place is copied.
    pub(super) fn copied<B: Backend>(x: &Tensor<B, 2>, center: &Tensor<B, 2>) -> Self {
        Self {
            x: Borrowed::or_copied(x),
            center: Some(Borrowed::or_copied(center)),
            shape: x.dims(),
            dtype: x.dtype(),
        }
    }

    /// `[N, D]`
    pub(super) fn shape(&self) -> [usize; 2] {
        self.shape
    }

    pub(super) fn dtype(&self) -> DType {
        self.dtype
    }

    pub(super) fn numbers<T: Real>(&self) -> Option<CenteredRows<'_, T>> {
        let center = match &self.center {
            Some(center) => Some(center.numbers()?),
            None => None,
        };
        Some(CenteredRows { x: self.x.numbers()?, center, features: self.shape[1] })
    }
}

/// Rows and the layer that scores them, in host memory.
pub(super) struct HostProblem {
    rows: HostRows,
    weight: Borrowed,
    bias: Borrowed,
    clusters: usize,
    keep: Keep,
}

/// What kernels compute with, and what it was made from.
pub(super) struct Packed<P> {
    weight: Source,
    bias: Source,
    /// How the supports are divided, and their stiffness.
    sizes: Vec<usize>,
    gamma: u64,
    pass: P,
}

/// Labels pass through the kernels as floats: up to here an f32 is exact.
const MAX_CLUSTERS: usize = 1 << 24;

impl HostProblem {
    pub(super) fn of<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Option<Self> {
        if affine.clusters() > MAX_CLUSTERS {
            return None;
        }
        Some(Self {
            rows: HostRows::of(x, Some(&affine.center))?,
            weight: Borrowed::float(&affine.scores.weight)?,
            bias: Borrowed::float(&affine.scores.bias)?,
            clusters: affine.clusters(),
            keep: affine.keep.clone(),
        })
    }

    /// Runs a kernel with what it makes from weight and bias, which is kept for the
    /// next call.
    pub(super) fn with_packed<T: Real, P: Any + Send + Sync, R>(
        &self,
        (sizes, gamma): (&[usize], f64),
        make: impl FnOnce(&[T], &[T]) -> P,
        run: impl FnOnce(CenteredRows<'_, T>, &P) -> R,
    ) -> Option<R> {
        let x = self.rows.numbers()?;
        let (weight, bias) = (self.weight.numbers()?, self.bias.numbers()?);
        let sources = Source::from(&self.weight).zip(Source::from(&self.bias));
        let Some((weight_source, bias_source)) = sources else {
            return Some(run(x, &make(weight, bias)));
        };
        let gamma = gamma.to_bits();
        let packed = self.keep.get(
            |packed: &Packed<P>| {
                packed.weight.is(&weight_source)
                    && packed.bias.is(&bias_source)
                    && packed.sizes == sizes
                    && packed.gamma == gamma
            },
            || Packed {
                weight: weight_source.clone(),
                bias: bias_source.clone(),
                sizes: sizes.to_vec(),
                gamma,
                pass: make(weight, bias),
            },
        );
        Some(run(x, &packed.pass))
    }

    /// K or M.
    pub(super) fn clusters(&self) -> usize {
        self.clusters
    }

    /// `[N, D]`
    pub(super) fn shape(&self) -> [usize; 2] {
        self.rows.shape()
    }

    pub(super) fn dtype(&self) -> DType {
        self.rows.dtype()
    }
}
