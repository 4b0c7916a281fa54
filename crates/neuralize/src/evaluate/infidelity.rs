use crate::baseline::{Case, Reference};
use burn::tensor::{Tensor, backend::Backend};

pub fn infidelity<B: Backend>(
    case: &Case<'_, B>,
    relevance: &Tensor<B, 2>,
    to: Reference,
    sets: usize,
) -> f64 {
    unimplemented!()
}
