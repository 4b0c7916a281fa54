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
