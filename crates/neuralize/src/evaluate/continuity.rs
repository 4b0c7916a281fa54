use crate::baseline::{Attribute, Case};
use crate::error::Result;
use burn::tensor::backend::Backend;

pub fn continuity<B: Backend>(
    case: &Case<'_, B>,
    method: &dyn Attribute<B>,
    ways: usize,
) -> Result<f64> {
    unimplemented!()
}
