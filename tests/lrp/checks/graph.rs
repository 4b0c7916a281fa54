//! Networks: values that are used twice, layers that are used twice, merging.

use burn::nn::{LinearConfig, Relu};
use burn::tensor::backend::Backend;
use burn_lrp::{Composite, Rule, Selector, Tape};

use super::setup::{Setup, assert_close, values};

/// `relu(W x) + x`: what the skip gets and what the layer gets, by hand.
pub fn skip_connection<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(1, LinearConfig::new(4, 4).with_bias(false).init::<B>(&setup.device));
    let x = setup.tensor::<2>(2, [3, 4]);
    let tape = Tape::new();
    let input = tape.input("x", x.clone());
    let output = input
        .then("linear", &layer)
        .and_then(|node| node.then("relu", &Relu))
        .and_then(|node| node.add(&input))
        .unwrap();
    let composite = Composite::new().with(Selector::All, Rule::ZERO);
    let refused = output.plan(&composite).unwrap_err().to_string();
    assert!(refused.contains("`relu` (Relu) has no rule `zero`"), "{refused}");

    let composite = Composite::new().with(Selector::kind("Add"), Rule::PROPORTIONAL);
    let composite = composite.with(Selector::kind("Linear"), Rule::ZERO);
    let plan = output.plan(&composite).unwrap();
    let relevances = plan.run_with_report(output.value().clone()).unwrap();
    let report = relevances.report().unwrap();
    assert_eq!(report.layers().len(), 3);
    let found = values(&relevances.of(&input).unwrap());

    let (w, x) = (values(&layer.weight.val().into()), values(&x.into()));
    let mut expected = vec![0.0; 12];
    for n in 0..3 {
        for k in 0..4 {
            let z: f64 = (0..4).map(|j| x[n * 4 + j] * w[j * 4 + k]).sum();
            // R = output, so each part of the sum gets itself.
            expected[n * 4 + k] += x[n * 4 + k];
            if z > 0.0 {
                for j in 0..4 {
                    expected[n * 4 + j] += x[n * 4 + j] * w[j * 4 + k];
                }
            }
        }
    }
    assert_close(&found, &expected, setup.tolerance(), "relevance");
}
