//! One layer on its own.

use burn::tensor::backend::Backend;
use burn_lrp::{AnyTensor, Layer, Rule, Step};

use super::setup::{Setup, values};

/// Numbers in any shape.
pub fn upload<B: Backend>(setup: &Setup<B>, numbers: &[f64], dims: &[usize]) -> AnyTensor<B> {
    let flat = setup.upload(numbers.to_vec(), [numbers.len()]);
    AnyTensor::from(flat).reshape(dims).unwrap()
}

/// What a layer hands to its inputs, and what its bias absorbs of every sample.
pub struct InputRelevance {
    pub inputs: Vec<Vec<f64>>,
    pub bias: Option<Vec<f64>>,
}

#[track_caller]
pub fn hand<B: Backend>(
    setup: &Setup<B>,
    layer: &dyn Layer<B>,
    inputs: &[AnyTensor<B>],
    relevance: &[f64],
    rule: &Rule,
) -> InputRelevance {
    assert!(layer.rules().contains(&rule.name()), "{} has no rule {rule}", layer.kind());
    let output = layer.forward(inputs).unwrap();
    let relevance = upload(setup, relevance, &output.dims());
    let step = Step::new(inputs, &output, &relevance).with_report(true);
    let handed = layer.relevance(&step, rule).unwrap();
    for (input, relevance) in inputs.iter().zip(&handed.inputs) {
        assert_eq!(input.dims(), relevance.dims(), "{} by {rule}", layer.kind());
        assert_eq!(input.dtype(), relevance.dtype(), "{} by {rule}", layer.kind());
    }
    InputRelevance {
        inputs: handed.inputs.iter().map(values).collect(),
        bias: handed.bias.map(|bias| values(&bias.into())),
    }
}
