use crate::baseline::{Attribute, Case};
use crate::error::Result;
use burn::tensor::{Tensor, backend::Backend};

pub fn invariance<B: Backend>(
    case: &Case<'_, B>,
    method: &dyn Attribute<B>,
    relevance: &Tensor<B, 2>,
    scale: f64,
    shift: f64,
) -> Result<Option<f64>> {
    unimplemented!()
}
