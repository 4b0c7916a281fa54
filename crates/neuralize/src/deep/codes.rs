//! Codes of inputs, block by block.

use burn::tensor::{Tensor, backend::Backend};
use burn_lrp::{AnyTensor, Relevance};

use crate::error::{Error, Result};
use crate::{transfer, validate};

/// Codes of inputs, encoded block by block.
pub(super) fn encoded<B: Backend>(
    encoder: &impl Relevance<B>,
    x: &AnyTensor<B>,
    batch_size: usize,
) -> Result<Tensor<B, 2>> {
    let rows = x.dims().first().copied().unwrap_or(0);
    let mut parts = Vec::new();
    for range in blocks(rows, batch_size) {
        let codes = burn_lrp::infer(encoder, x.samples(range.clone())?)?;
        parts.push(table_of(&codes, range.len())?);
    }
    if parts.is_empty() {
        return Err(Error::Empty { what: "x" });
    }
    validate::values("x", &x.rows())?;
    Ok(Tensor::cat(parts, 0))
}

/// The codes of a block of samples, as a table of finite numbers.
pub(super) fn table_of<B: Backend>(codes: &AnyTensor<B>, samples: usize) -> Result<Tensor<B, 2>> {
    if codes.rank() != 2 || codes.dims()[0] != samples {
        let expected = format!("[{samples}, code]; end the encoder with a flattening");
        return Err(Error::shape("the output of the encoder", expected, &codes.dims()));
    }
    let codes = transfer::untracked(codes.tensor()?);
    validate::values("the table of codes", &codes)?;
    Ok(codes)
}

/// Ranges of at most `size` rows.
pub(super) fn blocks(rows: usize, size: usize) -> impl Iterator<Item = std::ops::Range<usize>> {
    let size = size.max(1);
    (0..rows).step_by(size).map(move |start| start..(start + size).min(rows))
}
