use crate::baseline::{Attribute, Case};
use crate::error::Result;
use burn::tensor::{Tensor, backend::Backend};

pub fn randomisation<B: Backend>(
    case: &Case<'_, B>,
    method: &dyn Attribute<B>,
    relevance: &Tensor<B, 2>,
) -> Result<f64> {
    unimplemented!()
}
