//! Which kernels serve a backend, and why none do.

use core::any::type_name;
use core::fmt;

use burn::tensor::backend::Backend;

use super::host;
use super::wrapped::{Wrapping, in_wrappings, is_wrapped_by};

/// What computes for a backend; see [`kernels`].
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum Kernels {
    /// Fused kernels for the CPU.
    Cpu {
        /// The widest vector instructions that they use on this machine.
        instructions: &'static str,
    },
    /// Fused kernels for GPUs, in F32.
    Gpu {
        /// The runtime of CubeCL.
        runtime: &'static str,
    },
    /// Tensor operations of the backend. Results are the same up to rounding; they
    /// take longer.
    TensorOperations {
        /// Why there are no kernels, and what to do about it.
        reason: String,
    },
}

impl fmt::Display for Kernels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Cpu { instructions } => write!(f, "kernels for the CPU ({instructions})"),
            Self::Gpu { runtime } => write!(f, "kernels for GPUs ({runtime})"),
            Self::TensorOperations { reason } => write!(f, "tensor operations ({reason})"),
        }
    }
}

/// Says which kernels serve a backend.
///
/// Kernels do the heavy loops: decisions, fits and explanations of k-means, and on a
/// CPU of clusters of supports. They serve `Flex`, and with the feature of the same
/// name `NdArray`, `Wgpu`, `Vulkan`, `Metal`, `Cuda` and `Rocm`, with Burn's fusion
/// and without. Inside `Autodiff` they serve tensors that take no part in a graph.
/// On any other backend everything is computed by its tensor operations.
///
/// ```
/// # use neuralize_kernels as neuralize;
/// use burn::backend::Flex;
/// use neuralize::{Kernels, kernels};
///
/// let found = kernels::<Flex>();
/// assert!(matches!(found, Kernels::Cpu { .. }));
/// println!("{found}"); // kernels for the CPU (AVX-512)
/// ```
pub fn kernels<B: Backend>() -> Kernels {
    direct::<B>()
        .or_else(|| in_wrappings!(inside()))
        .unwrap_or_else(|| Kernels::TensorOperations { reason: reason(type_name::<B>()) })
}

fn inside<W: Wrapping, B: Backend>() -> Option<Kernels> {
    if !is_wrapped_by::<W, B>() {
        return None;
    }
    Some(kernels::<W::Inner>())
}

fn direct<B: Backend>() -> Option<Kernels> {
    if host::serves::<B>() {
        return Some(Kernels::Cpu { instructions: instructions() });
    }
    #[cfg(feature = "cubecl")]
    if let Some(runtime) = super::gpu::runtime::<B>() {
        return Some(Kernels::Gpu { runtime });
    }
    None
}

/// As `pulp` chooses.
fn instructions() -> &'static str {
    #[cfg(target_arch = "x86_64")]
    {
        use pulp::x86::{V3, V4};
        if V4::is_available() {
            return "AVX-512";
        }
        if V3::is_available() {
            return "AVX2";
        }
        "no vectors"
    }
    #[cfg(target_arch = "aarch64")]
    {
        "NEON"
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        "no vectors"
    }
}

/// Why there is no kernel for a backend of this name.
fn reason(name: &str) -> String {
    let of_feature = [
        ("ndarray", "ndarray", cfg!(feature = "ndarray")),
        ("burn_flex", "flex", cfg!(feature = "flex")),
        ("wgpu", "wgpu", cfg!(feature = "wgpu")),
        ("cuda", "cuda", cfg!(feature = "cuda")),
        ("hip", "rocm", cfg!(feature = "rocm")),
        ("Autodiff<", "autodiff", cfg!(feature = "autodiff")),
    ];
    let missing = of_feature.iter().find(|(part, _, on)| name.contains(part) && !on);
    match missing {
        Some((_, feature, _)) => format!("enable the feature `{feature}` of neuralize"),
        None => format!("there are none for {name}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::{Autodiff, Flex, NdArray};

    #[test]
    fn every_backend_is_told() {
        #[cfg(feature = "flex")]
        assert!(matches!(kernels::<Flex>(), Kernels::Cpu { .. }));
        #[cfg(all(feature = "autodiff", feature = "flex"))]
        assert_eq!(kernels::<Autodiff<Flex>>(), kernels::<Flex>());
        #[cfg(feature = "ndarray")]
        for found in [kernels::<NdArray<f32>>(), kernels::<Autodiff<NdArray<f64>>>()] {
            assert!(matches!(found, Kernels::Cpu { .. }), "{found}");
        }
        #[cfg(not(feature = "ndarray"))]
        for found in [kernels::<NdArray<f32>>(), kernels::<Autodiff<NdArray<f64>>>()] {
            let told = "tensor operations (enable the feature `ndarray` of neuralize)";
            assert_eq!(found.to_string(), told);
        }
        let found = kernels::<Autodiff<Autodiff<Flex>>>();
        assert!(found.to_string().contains("there are none for"), "{found}");
    }
}
