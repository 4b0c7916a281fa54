//! Rows cut into blocks, so that intermediate tensors stay small.

use core::ops::Range;

use burn::tensor::{BasicOps, Tensor, backend::Backend};

/// Elements of a block's widest intermediate tensor.
pub const BLOCK_ELEMENTS: usize = 1 << 20;

/// Rows of a block whose widest intermediate tensor has `columns` columns.
pub fn block_rows(columns: usize) -> usize {
    (BLOCK_ELEMENTS / columns.max(1)).clamp(64, 1 << 16)
}

/// `0..rows` cut into blocks of at most `step` rows.
pub fn blocks(rows: usize, step: usize) -> impl Iterator<Item = Range<usize>> {
    (0..rows).step_by(step).map(move |start| start..(start + step).min(rows))
}

/// A function of rows, block by block. Backends treat tensors without rows
/// differently, so `of_no_rows` gives the result for those.
pub fn map_rows<B: Backend, const R: usize, K: BasicOps<B>>(
    x: &Tensor<B, 2>,
    clusters: usize,
    of_no_rows: impl FnOnce() -> Tensor<B, R, K>,
    mut body: impl FnMut(Tensor<B, 2>) -> Tensor<B, R, K>,
) -> Tensor<B, R, K> {
    let [rows, features] = x.dims();
    let parts: Vec<_> = blocks(rows, block_rows(clusters + features))
        .map(|range| body(x.clone().slice([range, 0..features])))
        .collect();
    if parts.is_empty() { of_no_rows() } else { Tensor::cat(parts, 0) }
}
