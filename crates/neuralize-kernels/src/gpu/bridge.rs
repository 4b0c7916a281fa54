//! Between Burn's tensors and those that kernels are launched on.
//!
//! All of it is safe code: types are compared through `Any`, and a function
//! returns `None` for another type.

use core::any::Any;

use burn::tensor::{
    DType, Int, Shape, Tensor, TensorPrimitive, backend::Backend, get_device_settings,
};
use burn_cubecl::cubecl::prelude::{CubeCount, CubeDim};
use burn_cubecl::ops::numeric::empty_device_contiguous_dtype;
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};

use crate::wrapped::same_type;

/// Units of a workgroup: the maximum that every device supports.
pub(super) const UNITS: usize = 256;

/// Groups along one dimension of a launch: the maximum that every device supports.
const MAX_GROUPS: usize = 65_535;

/// The tensor as one of runtime R, in F32 and within reach of a 32-bit index.
pub(super) fn primitive<R: CubeRuntime, B: Backend, const D: usize>(
    tensor: &Tensor<B, D>,
) -> Option<CubeTensor<R>> {
    let primitive = tensor.clone().into_primitive().tensor();
    let found = (&primitive as &dyn Any).downcast_ref::<CubeTensor<R>>()?;
    let elements = found.handle.size() / size_of::<f32>() as u64;
    (found.dtype == DType::F32 && indexable(elements as usize)).then(|| found.clone())
}

/// Whether the indices of that many elements fit into 32 bits, with room for the
/// units of the last workgroups.
pub(super) fn indexable(elements: usize) -> bool {
    elements < (u32::MAX - (1 << 24)) as usize
}

/// The Burn tensor of one of runtime R.
pub(super) fn tensor<R: CubeRuntime, B: Backend, const D: usize>(
    primitive: CubeTensor<R>,
) -> Option<Tensor<B, D>> {
    let primitive = same_type::<_, B::FloatTensorPrimitive>(primitive)?;
    Some(Tensor::from_primitive(TensorPrimitive::Float(primitive)))
}

/// Indices, in the backend's own integer type.
pub(super) fn indices<R: CubeRuntime, B: Backend>(
    primitive: CubeTensor<R>,
) -> Option<Tensor<B, 1, Int>> {
    let primitive = same_type::<_, B::IntTensorPrimitive>(primitive)?;
    let tensor = Tensor::<B, 1, Int>::from_primitive(primitive);
    let dtype = get_device_settings::<B>(&tensor.device()).int_dtype;
    Some(tensor.cast(dtype))
}

/// A contiguous tensor for a kernel to fill, on the device of another one.
pub(super) fn empty_like<R: CubeRuntime, const D: usize>(
    neighbour: &CubeTensor<R>,
    shape: [usize; D],
    dtype: DType,
) -> CubeTensor<R> {
    let (client, device) = (neighbour.client.clone(), neighbour.device.clone());
    empty_device_contiguous_dtype(client, device, Shape::new(shape), dtype)
}

/// `count` workgroups, or a few more: folded if one dimension cannot hold them.
/// Kernels must do nothing in the surplus.
pub(super) fn groups(count: usize) -> CubeCount {
    let folds = count.div_ceil(MAX_GROUPS);
    CubeCount::Static(count.div_ceil(folds) as u32, folds as u32, 1)
}

/// Workgroups for this many independent units.
pub(super) fn groups_of_units(units: usize) -> CubeCount {
    groups(units.div_ceil(UNITS))
}

/// The shape of every workgroup.
pub(super) fn units() -> CubeDim {
    CubeDim::new_1d(UNITS as u32)
}
