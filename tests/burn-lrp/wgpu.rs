//! Layer-wise relevance propagation on the GPU backend: a real GPU, or a
//! software Vulkan device.
//!
//! Without a device the tests say so and pass; with `NEURALIZE_REQUIRE_WGPU=1`
//! they fail.

#![allow(unreachable_pub, clippy::unwrap_used)]

mod checks;

use std::panic::catch_unwind;
use std::sync::LazyLock;

use burn::backend::Wgpu;
use burn::tensor::{DType, Tensor};

fn ready() -> bool {
    static READY: LazyLock<bool> = LazyLock::new(|| {
        let found = catch_unwind(|| {
            Tensor::<Wgpu, 1>::ones([3], &Default::default()).sum().into_scalar() == 3.0
        });
        let found = found.unwrap_or(false);
        let required = std::env::var_os("NEURALIZE_REQUIRE_WGPU").is_some_and(|value| value == "1");
        assert!(!required || found, "a device is required, and none can be opened");
        if !found {
            eprintln!("skipped: no device can be opened");
        }
        found
    });
    *READY
}

lrp_on!(wgpu_f32, Wgpu, DType::F32, ready());
