//! The range of every column.

use burn::tensor::{Tensor, backend::Backend};

use crate::{kernel, transfer};

/// The lowest and the highest value of every column, in blocks of rows.
///
/// # Shapes
///
/// - x: `[N, D]`
/// - output: D numbers each
pub(super) fn extremes<B: Backend>(x: &Tensor<B, 2>) -> (Vec<f64>, Vec<f64>) {
    let [rows, features] = x.dims();
    let mut lowest = vec![f64::INFINITY; features];
    let mut highest = vec![f64::NEG_INFINITY; features];
    for range in kernel::blocks(rows, kernel::block_rows(features)) {
        let block = x.clone().slice([range, 0..features]);
        let low = transfer::download(block.clone().min_dim(0));
        let high = transfer::download(block.max_dim(0));
        for d in 0..features {
            lowest[d] = lowest[d].min(low[d]);
            highest[d] = highest[d].max(high[d]);
        }
    }
    (lowest, highest)
}
