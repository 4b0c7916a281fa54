use burn::tensor::backend::Backend;

use crate::baseline::{Attribution, Case, Reference};
use crate::error::Result;

pub(super) fn integrated<B: Backend>(
    case: &Case<'_, B>,
    from: Reference,
    steps: usize,
) -> Result<Attribution<B>> {
    unimplemented!()
}
