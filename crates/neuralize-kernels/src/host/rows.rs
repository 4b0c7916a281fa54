//! Tensors, rows and layers whose numbers the host reads in place.

use core::any::{Any, TypeId};

use burn::tensor::{DType, Int, Tensor, TensorData, backend::Backend};

use crate::affine::Affine;
use crate::cpu::{CenteredRows, Real};
use crate::keep::Keep;
use crate::source::Source;

#[cfg(feature = "ndarray")]
use burn_ndarray::NdArrayTensor as N;

/// A tensor whose numbers the host reads in place.
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
    let types: &[TypeId] = &[
        #[cfg(feature = "flex")]
        TypeId::of::<burn_flex::FlexTensor>(),
        #[cfg(feature = "ndarray")]
        TypeId::of::<N>(),
    ];
    types.contains(&TypeId::of::<P>())
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
    /// Of weight and bias.
    sources: Option<(Source, Source)>,
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
pub(super) const MAX_CLUSTERS: usize = 1 << 24;

impl HostProblem {
    pub(super) fn of<B: Backend>(x: &Tensor<B, 2>, affine: &Affine<B>) -> Option<Self> {
        if affine.clusters() > MAX_CLUSTERS {
            return None;
        }
        Some(Self {
            rows: HostRows::of(x, Some(&affine.center))?,
            weight: Borrowed::float(&affine.scores.weight)?,
            bias: Borrowed::float(&affine.scores.bias)?,
            sources: Source::of(&affine.scores.weight).zip(Source::of(&affine.scores.bias)),
            clusters: affine.clusters(),
            keep: affine.keep.clone(),
        })
    }

    /// Runs a kernel with what it makes from weight and bias, which is kept for the
    /// next call.
    pub(super) fn with_packed<T: Real, P: Any + Send + Sync, R>(
        &self,
        division: (&[usize], f64),
        make: impl FnOnce(&[T], &[T]) -> P,
        run: impl FnOnce(CenteredRows<'_, T>, &P) -> R,
    ) -> Option<R> {
        self.with_packed_if(division, |_| true, make, run)
    }

    /// The same, if what is kept is right.
    #[cfg_attr(not(any(feature = "flex", feature = "ndarray")), allow(unused_assignments))]
    pub(super) fn with_packed_if<T: Real, P: Any + Send + Sync, R>(
        &self,
        (sizes, gamma): (&[usize], f64),
        is_right: impl Fn(&P) -> bool,
        make: impl FnOnce(&[T], &[T]) -> P,
        run: impl FnOnce(CenteredRows<'_, T>, &P) -> R,
    ) -> Option<R> {
        let x = self.rows.numbers()?;
        let (weight, bias) = (self.weight.numbers()?, self.bias.numbers()?);
        let Some((weight_source, bias_source)) = &self.sources else {
            return Some(run(x, &make(weight, bias)));
        };
        let gamma = gamma.to_bits();
        let packed = self.keep.get(
            |packed: &Packed<P>| {
                packed.weight.is(weight_source)
                    && packed.bias.is(bias_source)
                    && packed.sizes == sizes
                    && packed.gamma == gamma
                    && is_right(&packed.pass)
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

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use crate::affine::Scores;
    use crate::transfer;
    use burn::backend::Flex;

    /// What is packed for one weight is used again for it, and for no other.
    fn packs_once<B: Backend, T: Real>(dtype: DType) {
        let device = Default::default();
        let table = |first: f64| {
            let values = (0..6).map(|i| first + f64::from(i)).collect();
            transfer::upload::<B, 2>(values, [2, 3], &device, dtype)
        };
        let keep = Keep::default();
        let layer = |centroids: &Tensor<B, 2>| {
            let scores = Scores::of(centroids.clone());
            Affine::new(table(0.0).narrow(0, 0, 1), scores).keeping(&keep)
        };
        let packed = |affine: &Affine<B>| {
            let mut made = 0;
            let problem = HostProblem::of(&table(1.0), affine).expect("in host memory");
            let make = |weight: &[T], _: &[T]| {
                made += 1;
                weight.to_vec()
            };
            let weight = problem.with_packed((&[], 0.0), make, |_, weight| weight.clone());
            (made, weight.expect("numbers").into_iter().map(Into::into).collect::<Vec<f64>>())
        };
        let (one, other) = (layer(&table(1.0)), layer(&table(7.0)));
        let expected = |first: f64| {
            let at = |d: usize, k: usize| 2.0 * (first + (3 * k + d) as f64);
            (0..3).flat_map(|d| [at(d, 0), at(d, 1)]).collect::<Vec<_>>()
        };
        assert_eq!(packed(&one), (1, expected(1.0)));
        assert_eq!(packed(&one), (0, expected(1.0)));
        assert_eq!(packed(&other), (1, expected(7.0)));
        assert_eq!(packed(&one), (1, expected(1.0)));
        // The same numbers in other memory are packed again.
        assert_eq!(packed(&layer(&table(1.0))), (1, expected(1.0)));
    }

    #[test]
    fn weights_are_packed_once() {
        packs_once::<Flex, f32>(DType::F32);
        packs_once::<Flex, f64>(DType::F64);
    }

    #[cfg(feature = "ndarray")]
    #[test]
    fn weights_are_packed_once_on_ndarray() {
        packs_once::<burn::backend::NdArray<f32>, f32>(DType::F32);
        packs_once::<burn::backend::NdArray<f64>, f64>(DType::F64);
    }
}
