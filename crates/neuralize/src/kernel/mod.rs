//! The heavy loops: kernels for the CPU and GPUs, and tensor operations.
//!
//! Data in host memory go to fused kernels ([`cpu`]), data on a GPU to theirs,
//! everything else to tensor operations ([`tensor`]), which serve every backend.
//! The tensor's primitive alone decides which of them computes ([`dispatch`],
//! [`host`]); nothing outside this module knows.

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
mod host;
mod keep;
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
#[cfg_attr(
    not(any(
        feature = "cubecl",
        all(feature = "autodiff", any(feature = "flex", feature = "ndarray"))
    )),
    allow(dead_code)
)]
mod wrapped;

pub(crate) use affine::{Affine, Scores, Totals, bias_of};
pub(crate) use answer::{Answer, COUNTS, PARTS, Question, STEEPEST, STEPS, TensorAnswer};
pub(crate) use blocks::{BLOCK_ELEMENTS, block_rows, blocks, map_rows};
pub(crate) use dispatch::{
    assign_and_sum, explain, explain_by_secants, explain_supports, logits, nearest,
    nearest_with_logit, own_distances, same_labels, squared_distances, support_scores, within,
};
pub(crate) use ends::{End, Ends};
pub(crate) use flag::Flag;
pub(crate) use host::{greedy_seeds, in_host_memory};
pub(crate) use keep::Keep;
pub use serving::{Kernels, kernels};
pub(crate) use soft::{exp_minus_one, log_mean_exp, soft_shares, steepness};
pub(crate) use source::Source;
pub(crate) use statistics::{
    heuristic_beta, inertia, mean_square, sum, sums_and_squares, weighted_mean,
};
pub(crate) use tensor::{is_own, margins, own_score};
