//! The tests of the libraries, as one program: what is generic over the backend takes long to compile, and
//! is compiled once for all of them.

#![allow(unreachable_pub, clippy::unwrap_used)]

#[path = "../neuralize-kernels/answers.rs"]
mod answers;
mod choose;
#[cfg(feature = "report")]
mod compared;
mod cpu;
mod evaluate;
#[cfg(all(feature = "report", feature = "svg"))]
mod figures;
#[cfg(all(feature = "npy", feature = "parquet"))]
mod formats;
#[path = "../neuralize-kernels/host.rs"]
mod host_kernels;
#[path = "../burn-lrp/mod.rs"]
mod lrp;
mod memory;
mod models;
mod profile;
mod properties;
#[cfg(feature = "report")]
mod report;
mod served;
mod suite;
#[cfg(feature = "wgpu")]
mod wgpu;

/// Burn keeps one default precision for a device, that of the first backend that asks, and NdArray has one
/// device for both: f32 has to ask first, or modules of `NdArray<f32>` are made in f64.
fn settle_precision() {
    burn::tensor::get_device_settings::<burn_ndarray::NdArray<f32>>(&Default::default());
}
