//! Backends that wrap another one: automatic differentiation, where nothing is
//! tracked, and fusion. Tensors are taken out of the wrapping, kernels run on what is
//! inside, and the results are wrapped again.

use core::any::{Any, TypeId};

#[cfg(feature = "autodiff")]
use burn::tensor::backend::AutodiffBackend;
use burn::tensor::backend::{Backend, BackendTypes};
use burn::tensor::{Int, Tensor, TensorPrimitive};

use super::affine::{Affine, Scores};

type FloatOf<B> = <B as BackendTypes>::FloatTensorPrimitive;
type IntOf<B> = <B as BackendTypes>::IntTensorPrimitive;

/// A backend around another one, known by the types of its tensors.
pub(super) trait Wrapping {
    type Inner: Backend;
    type Float: Any;
    type Int: Any;

    /// `None` if the tensor takes part in a graph.
    fn take_out(tensor: Self::Float) -> Option<FloatOf<Self::Inner>>;
    fn take_out_int(tensor: Self::Int) -> IntOf<Self::Inner>;
    fn wrap(tensor: FloatOf<Self::Inner>) -> Self::Float;
    fn wrap_int(tensor: IntOf<Self::Inner>) -> Self::Int;
}

/// The value, if both types are the same.
pub(super) fn same_type<From: 'static, To: 'static>(value: From) -> Option<To> {
    let mut value = Some(value);
    (&mut value as &mut dyn Any).downcast_mut::<Option<To>>()?.take()
}

/// Whether B is a backend of this wrapping. The compiler decides it.
pub(super) fn is_wrapped_by<W: Wrapping, B: Backend>() -> bool {
    TypeId::of::<FloatOf<B>>() == TypeId::of::<W::Float>()
}

/// The tensor inside; `None` for another backend, or if it takes part in a graph.
pub(super) fn inside<W: Wrapping, B: Backend, const D: usize>(
    tensor: &Tensor<B, D>,
) -> Option<Tensor<W::Inner, D>> {
    if !is_wrapped_by::<W, B>() {
        return None;
    }
    let tensor = W::take_out(same_type(tensor.clone().into_primitive().tensor())?)?;
    Some(Tensor::from_primitive(TensorPrimitive::Float(tensor)))
}

pub(super) fn indices_inside<W: Wrapping, B: Backend>(
    tensor: &Tensor<B, 1, Int>,
) -> Option<Tensor<W::Inner, 1, Int>> {
    if !is_wrapped_by::<W, B>() {
        return None;
    }
    Some(Tensor::from_primitive(W::take_out_int(same_type(tensor.clone().into_primitive())?)))
}

pub(super) fn affine_inside<W: Wrapping, B: Backend>(
    affine: &Affine<B>,
) -> Option<Affine<W::Inner>> {
    let scores = Scores {
        weight: inside::<W, B, 2>(&affine.scores.weight)?,
        bias: inside::<W, B, 1>(&affine.scores.bias)?,
    };
    Some(Affine::new(inside::<W, B, 2>(&affine.center)?, scores).keeping(&affine.keep))
}

/// The tensor of the wrapping backend.
pub(super) fn outside<W: Wrapping, B: Backend, const D: usize>(
    tensor: Tensor<W::Inner, D>,
) -> Option<Tensor<B, D>> {
    let tensor = same_type(W::wrap(tensor.into_primitive().tensor()))?;
    Some(Tensor::from_primitive(TensorPrimitive::Float(tensor)))
}

pub(super) fn indices_outside<W: Wrapping, B: Backend>(
    tensor: Tensor<W::Inner, 1, Int>,
) -> Option<Tensor<B, 1, Int>> {
    Some(Tensor::from_primitive(same_type(W::wrap_int(tensor.into_primitive()))?))
}

/// Calls a function `f::<W, B>` with every wrapping that is compiled in, until one
/// has these tensors.
macro_rules! in_wrappings {
    ($function:ident($($argument:expr),*)) => {{
        let found = None;
        #[cfg(all(feature = "autodiff", feature = "flex"))]
        let found = found.or_else(|| {
            $function::<$crate::wrapped::AutodiffOf<burn_flex::Flex>, B>($($argument),*)
        });
        #[cfg(all(feature = "autodiff", feature = "ndarray"))]
        let found = found
            .or_else(|| {
                type W = $crate::wrapped::AutodiffOf<burn_ndarray::NdArray<f32>>;
                $function::<W, B>($($argument),*)
            })
            .or_else(|| {
                type W = $crate::wrapped::AutodiffOf<burn_ndarray::NdArray<f64>>;
                $function::<W, B>($($argument),*)
            });
        #[cfg(feature = "wgpu")]
        let found = in_wrappings!(@gpu found, burn_cubecl::cubecl::wgpu::WgpuRuntime,
            $function($($argument),*));
        #[cfg(feature = "cuda")]
        let found = in_wrappings!(@gpu found, burn_cubecl::cubecl::cuda::CudaRuntime,
            $function($($argument),*));
        #[cfg(feature = "rocm")]
        let found = in_wrappings!(@gpu found, burn_cubecl::cubecl::hip::HipRuntime,
            $function($($argument),*));
        found
    }};
    (@gpu $found:ident, $runtime:ty, $function:ident($($argument:expr),*)) => {{
        let found = $found.or_else(|| {
            $function::<$crate::wrapped::FusionOf<$runtime>, B>($($argument),*)
        });
        #[cfg(feature = "autodiff")]
        let found = found
            .or_else(|| {
                type Cube = $crate::wrapped::Cube<$runtime>;
                $function::<$crate::wrapped::AutodiffOf<Cube>, B>($($argument),*)
            })
            .or_else(|| {
                type Fused = burn_fusion::Fusion<$crate::wrapped::Cube<$runtime>>;
                $function::<$crate::wrapped::AutodiffOf<Fused>, B>($($argument),*)
            })
            .or_else(|| {
                type Cube = $crate::wrapped::CubeOfBytes<$runtime>;
                $function::<$crate::wrapped::AutodiffOf<Cube>, B>($($argument),*)
            })
            .or_else(|| {
                type Fused = burn_fusion::Fusion<$crate::wrapped::CubeOfBytes<$runtime>>;
                $function::<$crate::wrapped::AutodiffOf<Fused>, B>($($argument),*)
            });
        found
    }};
}
pub(super) use in_wrappings;

#[cfg(feature = "autodiff")]
pub(super) struct AutodiffOf<B>(core::marker::PhantomData<B>);

#[cfg(feature = "autodiff")]
impl<B: Backend> Wrapping for AutodiffOf<B> {
    type Inner = B;
    type Float = FloatOf<burn_autodiff::Autodiff<B>>;
    type Int = IntOf<B>;

    fn take_out(tensor: Self::Float) -> Option<FloatOf<B>> {
        (!tensor.is_tracked()).then_some(tensor.primitive)
    }

    fn take_out_int(tensor: Self::Int) -> IntOf<B> {
        tensor
    }

    fn wrap(tensor: FloatOf<B>) -> Self::Float {
        burn_autodiff::Autodiff::<B>::from_inner(tensor)
    }

    fn wrap_int(tensor: IntOf<B>) -> Self::Int {
        tensor
    }
}

#[cfg(feature = "cubecl")]
mod fusion {
    use burn_cubecl::fusion::FusionCubeRuntime;
    use burn_cubecl::tensor::CubeTensor;
    use burn_cubecl::{CubeBackend, CubeRuntime};
    use burn_fusion::stream::{Operation, OperationStreams};
    use burn_fusion::{FusionTensor, get_client};
    use burn_ir::{CustomOpIr, HandleContainer, OperationIr, TensorId, TensorIr, TensorStatus};

    use super::Wrapping;

    /// The backend of a CubeCL runtime without fusion.
    pub(crate) type Cube<R> = CubeBackend<R, f32, i32, u32>;

    /// The same with bools of a byte, as Cuda, Rocm, Vulkan and Metal have them.
    #[cfg(feature = "autodiff")]
    pub(crate) type CubeOfBytes<R> = CubeBackend<R, f32, i32, u8>;

    type Runtime<R> = FusionCubeRuntime<R>;

    pub(crate) struct FusionOf<R>(core::marker::PhantomData<R>);

    impl<R: CubeRuntime> Wrapping for FusionOf<R> {
        type Inner = Cube<R>;
        type Float = FusionTensor<Runtime<R>>;
        type Int = FusionTensor<Runtime<R>>;

        /// Has the device compute everything that the tensor waits for.
        fn take_out(tensor: Self::Float) -> Option<CubeTensor<R>> {
            Some(tensor.client.clone().resolve_tensor_float::<Cube<R>>(tensor))
        }

        fn take_out_int(tensor: Self::Int) -> CubeTensor<R> {
            tensor.client.clone().resolve_tensor_int::<Cube<R>>(tensor)
        }

        fn wrap(tensor: CubeTensor<R>) -> Self::Float {
            ready(tensor)
        }

        fn wrap_int(tensor: CubeTensor<R>) -> Self::Int {
            ready(tensor)
        }
    }

    /// An operation whose result is known already.
    #[derive(Debug)]
    struct Ready<R: CubeRuntime> {
        id: TensorId,
        tensor: CubeTensor<R>,
    }

    impl<R: CubeRuntime> Operation<Runtime<R>> for Ready<R> {
        fn execute(
            &self,
            handles: &mut HandleContainer<<Runtime<R> as burn_fusion::FusionRuntime>::FusionHandle>,
        ) {
            handles.register_float_tensor::<Cube<R>>(&self.id, self.tensor.clone());
        }
    }

    /// A tensor of the fusion backend: fusion hands out tensors as results of operations alone.
    fn ready<R: CubeRuntime>(tensor: CubeTensor<R>) -> FusionTensor<Runtime<R>> {
        let client = get_client::<Cube<R>>(&tensor.device);
        let id = client.create_empty_handle();
        let result = TensorIr {
            status: TensorStatus::NotInit,
            shape: tensor.meta.shape().clone(),
            id,
            dtype: tensor.dtype,
        };
        let operation = CustomOpIr::new("neuralize::ready", &[], &[result]);
        let outputs = client.register(
            OperationStreams::default(),
            OperationIr::Custom(operation),
            Ready { id, tensor },
        );
        outputs.into_iter().next().unwrap_or_else(|| unreachable!("it has one result"))
    }
}
#[cfg(all(feature = "cubecl", feature = "autodiff"))]
pub(super) use fusion::CubeOfBytes;
#[cfg(feature = "cubecl")]
pub(super) use fusion::{Cube, FusionOf};
