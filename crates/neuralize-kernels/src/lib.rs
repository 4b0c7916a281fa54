//! The heavy loops of neuralize: kernels for the CPU and GPUs, and tensor
//! operations. Use them through `neuralize`; what is public here may change with
//! any release.
//!
//! Data in host memory go to fused kernels (`cpu`), data on a GPU to theirs
//! (`gpu`), everything else to tensor operations (`tensor`), which serve every
//! backend. The tensor's primitive alone decides which of them computes
//! (`dispatch`, `host`); nothing outside this crate knows.
#![cfg_attr(docsrs, feature(doc_cfg))]

mod affine;
mod answer;
mod blocks;
mod cpu;
// Without a wrapping that is compiled in, nothing calls what looks inside of one.
#[cfg_attr(
    not(any(
        feature = "cubecl",
        all(feature = "autodiff", any(feature = "flex", feature = "ndarray"))
    )),
    allow(dead_code)
)]
mod dispatch;
mod ends;
mod flag;
#[cfg(feature = "cubecl")]
mod gpu;
pub mod gradient;
mod host;
mod keep;
mod lloyd;
#[cfg_attr(
    not(any(
        feature = "cubecl",
        all(feature = "autodiff", any(feature = "flex", feature = "ndarray"))
    )),
    allow(dead_code)
)]
mod serving;
mod soft;
mod source;
mod statistics;
mod tensor;
pub mod transfer;
#[cfg_attr(
    not(any(
        feature = "cubecl",
        all(feature = "autodiff", any(feature = "flex", feature = "ndarray"))
    )),
    allow(dead_code)
)]
mod wrapped;

pub use affine::{Affine, Scores, Totals, bias_of};
pub use answer::{Answer, COUNTS, PARTS, Question, STEEPEST, STEPS, TensorAnswer};
pub use blocks::{BLOCK_ELEMENTS, block_rows, blocks, map_rows};
pub use dispatch::{
    assign_and_sum, explain, explain_by_secants, explain_supports, logits, nearest,
    nearest_with_logit, own_distances, squared_distances, support_scores, within,
};
pub use ends::{End, Ends};
pub use flag::Flag;
pub use host::{greedy_seeds, in_host_memory};
pub use keep::Keep;
pub use lloyd::Lloyd;
pub use serving::{Kernels, kernels};
pub use soft::{exp_minus_one, log_mean_exp, soft_shares, steepness};
pub use source::Source;
pub use statistics::{heuristic_beta, inertia, mean_square, sum, sums_and_squares, weighted_mean};
pub use tensor::{is_own, margins, own_score};
