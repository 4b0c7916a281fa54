use burn::tensor::backend::Backend;

use crate::baseline::{Attribution, Case, Reference};
use crate::error::Result;

pub(super) fn exact<B: Backend>(case: &Case<'_, B>, to: Reference) -> Result<Attribution<B>> {
    unimplemented!()
}
pub(super) fn sampled<B: Backend>(
    case: &Case<'_, B>,
    to: Reference,
    permutations: usize,
) -> Result<Attribution<B>> {
    unimplemented!()
}
pub(super) fn pair<B: Backend>(case: &Case<'_, B>, to: Reference) -> Result<Attribution<B>> {
    unimplemented!()
}
