use crate::baseline::{Attribution, Case};
use burn::tensor::backend::Backend;

pub fn conservation<B: Backend>(case: &Case<'_, B>, attribution: &Attribution<B>) -> f64 {
    unimplemented!()
}
