use burn::tensor::backend::Backend;

use crate::baseline::{Attribution, Case, Reference};
use crate::error::Result;

pub(super) fn smooth<B: Backend>(
    case: &Case<'_, B>,
    samples: usize,
    noise: f64,
) -> Result<Attribution<B>> {
    unimplemented!()
}
