use crate::baseline::{Case, Reference};
use crate::evaluate::{Band, Flips};
use burn::tensor::{Tensor, backend::Backend};

pub fn flip<B: Backend>(
    case: &Case<'_, B>,
    relevance: &Tensor<B, 2>,
    to: Reference,
    levels: usize,
) -> Flips {
    unimplemented!()
}

pub fn random_band<B: Backend>(
    case: &Case<'_, B>,
    to: Reference,
    levels: usize,
    draws: usize,
) -> Band {
    unimplemented!()
}
