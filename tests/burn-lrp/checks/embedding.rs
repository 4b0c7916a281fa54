//! Tokens to vectors, and where they are.

use burn::nn::{EmbeddingConfig, PositionalEncodingConfig};
use burn::tensor::backend::Backend;
use burn::tensor::{FloatDType, Int, Tensor, TensorData};
use burn_lrp::{Composite, Layer, Rule, Tape};

use super::setup::{Setup, assert_close, values};
use super::step::{hand, upload};

pub fn embedding<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(1, EmbeddingConfig::new(5, 3).init::<B>(&setup.device));
    let ids = TensorData::from([[4_i64, 0, 2, 2], [1, 3, 4, 0]]);
    let ids = Tensor::<B, 2, Int>::from_data(ids, &setup.device);
    let tape = Tape::new();
    let dtype = FloatDType::from(setup.dtype);
    let tokens = tape.tokens("tokens", ids.clone(), dtype);
    let output = tokens.then("embedding", &layer).unwrap();
    assert_eq!(values(output.value()), values(&layer.forward(ids).into()));
    let r = setup.numbers(2, 24);
    let plan = output.plan(&Composite::default()).unwrap();
    let relevances = plan.run(upload(setup, &r, &[2, 4, 3])).unwrap();
    let found = relevances.of(&tokens).unwrap();
    assert_eq!(found.dims(), [2, 4]);
    let expected: Vec<f64> = r.chunks(3).map(|r| r.iter().sum()).collect();
    assert_close(&values(&found), &expected, setup.tolerance(), "relevance of tokens");
}

/// What is no id is named, with its place.
pub fn embedding_ids<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(1, EmbeddingConfig::new(5, 3).init::<B>(&setup.device));
    for (wrong, text) in [(5.0, "is 5;"), (-1.0, "is -1;"), (0.5, "is 0.5;"), (f64::NAN, "is NaN;")]
    {
        let x = upload(setup, &[0.0, 1.0, 2.0, 4.0, wrong, 0.0], &[2, 3]);
        let error = Layer::forward(&layer, &[x]).unwrap_err().to_string();
        assert!(error.contains("token 1 of sample 1"), "{error}");
        assert!(error.contains(text), "{error}");
        assert!(error.contains("below 5"), "{error}");
    }
    assert!(Layer::forward(&layer, &[upload(setup, &[0.0; 4], &[4])]).is_err());
}

pub fn positional_encoding<B: Backend>(setup: &Setup<B>) {
    let layer = PositionalEncodingConfig::new(4).with_max_sequence_size(6).init::<B>(&setup.device);
    let a = setup.numbers(1, 24);
    let x = [upload(setup, &a, &[2, 3, 4])];
    let constant: Vec<f64> = values(&layer.sinusoids.clone().into())[..12].to_vec();
    let z: Vec<f64> = a.iter().enumerate().map(|(at, a)| a + constant[at % 12]).collect();
    let output = Layer::forward(&layer, &x).unwrap();
    assert_close(&values(&output), &z, setup.tolerance(), "forward");
    let r = setup.numbers(2, 24);
    assert_eq!(hand(setup, &layer, &x, &r, &Rule::PASS).inputs[0], r);
    for (rule, epsilon) in [("zero", 0.0), ("epsilon=0.1", 0.1)] {
        let handed = hand(setup, &layer, &x, &r, &rule.parse().unwrap());
        let away = |z: f64| if z < 0.0 { z - epsilon } else { z + epsilon };
        let expected: Vec<f64> = (0..24).map(|at| a[at] / away(z[at]) * r[at]).collect();
        let mut bias = vec![0.0; 2];
        for at in 0..24 {
            bias[at / 12] += constant[at % 12] / away(z[at]) * r[at];
        }
        let condition = z.iter().fold(1.0_f64, |most, z| most.max(2.0 / z.abs()));
        let tolerance = setup.tolerance_at(condition);
        assert_close(&handed.inputs[0], &expected, tolerance, rule);
        assert_close(&handed.bias.unwrap(), &bias, tolerance, "bias");
    }
    for dims in [[1, 7, 4], [1, 3, 6]] {
        let x = upload(setup, &vec![0.0; dims[1] * dims[2]], &dims);
        assert!(Layer::forward(&layer, &[x]).is_err(), "{dims:?}");
    }
}
