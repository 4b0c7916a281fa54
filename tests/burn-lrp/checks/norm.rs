//! Normalisations with a constant deviation are matrices of every sample.

use burn::nn::norm::{Normalization, NormalizationConfig};
use burn::nn::*;
use burn::tensor::backend::Backend;
use burn_lrp::{Composite, Layer, Rule, Tape};

use super::naive::{Matrix, relevance};
use super::setup::{Setup, assert_close, values};
use super::step::{hand, upload};

/// How a layer normalises a sample.
struct Naive<'a> {
    /// Which group an element is in.
    group: &'a dyn Fn(usize) -> usize,
    centred: bool,
    epsilon: f64,
    gamma: &'a dyn Fn(usize) -> f64,
    beta: &'a dyn Fn(usize) -> f64,
}

impl Naive<'_> {
    fn matrix(&self, a: &[f64]) -> Matrix {
        let weight = |k: usize| {
            let members: Vec<usize> =
                (0..a.len()).filter(|j| (self.group)(*j) == (self.group)(k)).collect();
            let size = members.len() as f64;
            let mean =
                if self.centred { members.iter().map(|j| a[*j]).sum::<f64>() / size } else { 0.0 };
            let variance = members.iter().map(|j| (a[*j] - mean).powi(2)).sum::<f64>() / size;
            let deviation = (variance + self.epsilon).sqrt();
            let mut row = vec![0.0; a.len()];
            for j in members {
                let own = f64::from(u8::from(j == k));
                let share = if self.centred { 1.0 / size } else { 0.0 };
                row[j] = (self.gamma)(k) * (own - share) / deviation;
            }
            row
        };
        Matrix {
            weight: (0..a.len()).map(weight).collect(),
            bias: (0..a.len()).map(self.beta).collect(),
        }
    }
}

#[track_caller]
fn check<B: Backend>(setup: &Setup<B>, layer: &dyn Layer<B>, sample: &[usize], naive: &Naive<'_>) {
    let size: usize = sample.iter().product();
    let a = setup.numbers(21, 2 * size);
    let r = setup.numbers(22, 2 * size);
    let x = [upload(setup, &a, &[&[2], sample].concat())];
    let output = values(&layer.forward(&x).unwrap());
    let matrices: Vec<Matrix> = a.chunks(size).map(|a| naive.matrix(a)).collect();
    let mut expected = Vec::new();
    for (m, a) in matrices.iter().zip(a.chunks(size)) {
        for (row, b) in m.weight.iter().zip(&m.bias) {
            expected.push(row.iter().zip(a).map(|(w, a)| w * a).sum::<f64>() + b);
        }
    }
    let name = layer.kind().name();
    assert_close(&output, &expected, setup.tolerance(), name);
    assert_eq!(hand(setup, layer, &x, &r, &Rule::PASS).inputs[0], r);
    for rule in ["zero", "epsilon=0.1"] {
        let rule: Rule = rule.parse().unwrap();
        let handed = hand(setup, layer, &x, &r, &rule);
        let (mut expected, mut absorbed, mut condition) = (Vec::new(), Vec::new(), 1.0_f64);
        for ((m, a), r) in matrices.iter().zip(a.chunks(size)).zip(r.chunks(size)) {
            let found = relevance(&rule, m, a, r);
            expected.extend(found.inputs);
            absorbed.push(found.bias);
            condition = condition.max(found.condition);
        }
        let tolerance = setup.tolerance_at(condition);
        assert_close(&handed.inputs[0], &expected, tolerance, &format!("{name} by {rule}"));
        match handed.bias {
            Some(bias) => assert_close(&bias, &absorbed, tolerance, &format!("bias of {name}")),
            None => assert!(absorbed.iter().all(|b| *b == 0.0), "{name}"),
        }
    }
}

pub fn layer_norm<B: Backend>(setup: &Setup<B>) {
    for epsilon in [1e-5, 1e-12, 0.3] {
        for bias in [true, false] {
            for width in [1, 2, 5] {
                let config = LayerNormConfig::new(width).with_epsilon(epsilon).with_bias(bias);
                let layer = setup.filled(3, config.init::<B>(&setup.device));
                let gamma = values(&layer.gamma.val().into());
                let beta = layer.beta.as_ref().map(|beta| values(&beta.val().into()));
                let naive = Naive {
                    group: &|j| j / width,
                    centred: true,
                    epsilon,
                    gamma: &|k| gamma[k % width],
                    beta: &|k| beta.as_ref().map_or(0.0, |beta| beta[k % width]),
                };
                if width > 1 {
                    check(setup, &layer, &[width], &naive);
                    check(setup, &layer, &[3, width], &naive);
                }
                let x = setup.tensor::<3>(1, [2, 3, width]);
                if width == 1 {
                    // Of one element only the bias is left.
                    let x = [x.clone().into()];
                    let handed = hand(setup, &layer, &x, &[1.0; 6], &Rule::ZERO);
                    assert_eq!(handed.inputs[0], [0.0; 6]);
                }
                let burn = values(&layer.forward(x.clone()).into());
                let found = values(&Layer::forward(&layer, &[x.into()]).unwrap());
                assert_close(&found, &burn, setup.tolerance_at(30.0), "Burn's own");
            }
        }
    }
    let layer: LayerNorm<B> = setup.filled(3, LayerNormConfig::new(4).init(&setup.device));
    let error = Layer::forward(&layer, &[upload(setup, &[0.0; 6], &[2, 3])]).unwrap_err();
    assert!(error.to_string().contains("LayerNorm"), "{error}");
    // A module is left as it was.
    let before = values(&layer.gamma.val().into());
    let x = [setup.tensor::<2>(1, [2, 4]).into()];
    hand(setup, &layer, &x, &[1.0; 8], &Rule::EPSILON);
    assert_eq!(values(&layer.gamma.val().into()), before);
}

pub fn rms_norm<B: Backend>(setup: &Setup<B>) {
    let layer = RmsNormConfig::new(5).with_epsilon(1e-3).init::<B>(&setup.device);
    let layer = setup.filled(3, layer);
    let gamma = values(&layer.gamma.val().into());
    let naive = Naive {
        group: &|j| j / 5,
        centred: false,
        epsilon: 1e-3,
        gamma: &|k| gamma[k % 5],
        beta: &|_| 0.0,
    };
    check(setup, &layer, &[5], &naive);
    check(setup, &layer, &[2, 5], &naive);
    let x = setup.tensor::<2>(1, [2, 5]);
    let found = values(&Layer::forward(&layer, &[x.clone().into()]).unwrap());
    // Burn takes its mean in single precision.
    assert_close(&found, &values(&layer.forward(x).into()), 1e-5, "Burn's own");
    assert!(Layer::forward(&layer, &[upload(setup, &[0.0; 6], &[2, 3])]).is_err());
}

pub fn group_norm<B: Backend>(setup: &Setup<B>) {
    for affine in [true, false] {
        for groups in [1, 2, 4] {
            let config = GroupNormConfig::new(groups, 4).with_affine(affine);
            let layer = setup.filled(3, config.init::<B>(&setup.device));
            let vector = |param: &Option<burn::module::Param<burn::tensor::Tensor<B, 1>>>| {
                param.as_ref().map(|param| values(&param.val().into()))
            };
            let (gamma, beta) = (vector(&layer.gamma), vector(&layer.beta));
            let naive = Naive {
                group: &|j| j / (4 / groups * 3),
                centred: true,
                epsilon: 1e-5,
                gamma: &|k| gamma.as_ref().map_or(1.0, |gamma| gamma[k / 3]),
                beta: &|k| beta.as_ref().map_or(0.0, |beta| beta[k / 3]),
            };
            check(setup, &layer, &[4, 3], &naive);
            let x = setup.tensor::<3>(1, [2, 4, 3]);
            let found = values(&Layer::forward(&layer, &[x.clone().into()]).unwrap());
            let burn = values(&layer.forward(x.clone()).into());
            assert_close(&found, &burn, setup.tolerance(), "Burn's own");
            assert!(Layer::forward(&layer, &[upload(setup, &[0.0; 18], &[2, 3, 3])]).is_err());
            if groups == 4 {
                let config = InstanceNormConfig::new(4).with_affine(affine);
                let layer = setup.filled(3, config.init::<B>(&setup.device));
                check(setup, &layer, &[4, 3], &naive);
                let found = values(&Layer::forward(&layer, &[x.clone().into()]).unwrap());
                let burn = values(&layer.forward(x).into());
                assert_close(&found, &burn, setup.tolerance(), "Burn's own");
            }
        }
    }
    let mut layer = GroupNormConfig::new(2, 4).init::<B>(&setup.device);
    layer.num_groups = 3;
    assert!(Layer::forward(&layer, &[upload(setup, &[0.0; 8], &[2, 4])]).is_err());
    let mut layer = GroupNormConfig::new(2, 4).init::<B>(&setup.device);
    layer.beta = None;
    assert!(Layer::forward(&layer, &[upload(setup, &[0.0; 8], &[2, 4])]).is_err());
}

/// The enum of all normalisations is the one inside.
pub fn normalization_wrapper<B: Backend>(setup: &Setup<B>) {
    let configs = [
        (NormalizationConfig::Batch(BatchNormConfig::new(4)), "BatchNorm"),
        (NormalizationConfig::Group(GroupNormConfig::new(2, 4)), "GroupNorm"),
        (NormalizationConfig::Instance(InstanceNormConfig::new(4)), "InstanceNorm"),
        (NormalizationConfig::Layer(LayerNormConfig::new(4)), "LayerNorm"),
        (NormalizationConfig::Rms(RmsNormConfig::new(4)), "RmsNorm"),
    ];
    for (config, name) in configs {
        let mut layer: Normalization<B> = setup.filled(3, config.init(&setup.device));
        if let Normalization::Batch(norm) = &mut layer {
            norm.running_var = burn::module::RunningState::new(setup.tensor(6, [4]).abs());
            norm.running_mean = burn::module::RunningState::new(setup.tensor(7, [4]));
        }
        let x = setup.tensor::<3>(9, [2, 4, 4]);
        let tape = Tape::new();
        let output = tape.input("x", x.clone()).then("norm", &layer).unwrap();
        let burn = values(&layer.forward(x).into());
        assert_close(&values(output.value()), &burn, 1e-5, name);
        let plan = output.plan(&Composite::default()).unwrap();
        assert_eq!(plan.layers()[0].kind.name(), name);
    }
}
