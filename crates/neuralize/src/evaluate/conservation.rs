use burn::tensor::backend::Backend;
use crate::baseline::{Attribution, Case};

pub fn conservation<B: Backend>(case: &Case<'_, B>, attribution: &Attribution<B>) -> f64 {
    unimplemented!()
}
