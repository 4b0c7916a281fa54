//! Activations against their definitions in double precision.

use burn::nn::activation::{Activation, ActivationConfig, HardSwish};
use burn::nn::*;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_lrp::{Composite, Layer, Relevance, Rule, Silu, Tape, infer};

use super::setup::{Setup, assert_close, values};
use super::step::{hand, upload};

/// By its series, which holds for the numbers here.
fn erf(x: f64) -> f64 {
    let mut term = x;
    let mut sum = x;
    for n in 1..80 {
        term *= -x * x / f64::from(n);
        sum += term / f64::from(2 * n + 1);
    }
    sum * 2.0 / std::f64::consts::PI.sqrt()
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

/// The forward pass by its definition, and relevance as it is.
#[track_caller]
fn check<B: Backend>(setup: &Setup<B>, layer: &dyn Layer<B>, f: impl Fn(f64) -> f64) {
    let mut a: Vec<f64> = setup.numbers(1, 21).into_iter().map(|a| a * 4.0).collect();
    a.extend([0.0, 0.5, -0.5, 1.0, -1.0, 0.25, -2.5]);
    let x = upload(setup, &a, &[4, 7]);
    let expected: Vec<f64> = a.iter().map(|a| f(*a)).collect();
    let output = layer.forward(std::slice::from_ref(&x)).unwrap();
    assert_eq!(output.dims(), [4, 7]);
    assert_close(&values(&output), &expected, setup.tolerance(), layer.kind().name());
    let r = setup.numbers(2, 28);
    let handed = hand(setup, layer, &[x], &r, &Rule::PASS);
    assert_eq!(handed.inputs[0], r, "{}", layer.kind());
    assert_eq!(handed.bias, None);
}

pub fn activations<B: Backend>(setup: &Setup<B>) {
    check(setup, &Relu, |x| x.max(0.0));
    check(setup, &LeakyReluConfig::new().with_negative_slope(0.1).init(), |x| {
        if x > 0.0 { x } else { 0.1 * x }
    });
    check(setup, &ThresholdedReluConfig::new().with_alpha(0.5).init(), |x| {
        if x > 0.5 { x } else { 0.0 }
    });
    check(setup, &Gelu::new(), |x| 0.5 * x * (1.0 + erf(x / 2.0_f64.sqrt())));
    check(setup, &Gelu::new_approximate(), |x| {
        let inner = (2.0 / std::f64::consts::PI).sqrt() * (x + 0.044_715 * x.powi(3));
        0.5 * x * (1.0 + inner.tanh())
    });
    check(setup, &Silu, |x| x * sigmoid(x));
    check(setup, &Sigmoid, sigmoid);
    check(setup, &HardSigmoidConfig::new().init(), |x| (0.2 * x + 0.5).clamp(0.0, 1.0));
    check(setup, &HardSwish, |x| x * (x / 6.0 + 0.5).clamp(0.0, 1.0));
    check(setup, &Tanh, f64::tanh);
    check(setup, &Softsign, |x| x / (1.0 + x.abs()));
    for beta in [1.0, 2.0] {
        check(setup, &SoftplusConfig::new().with_beta(beta).init(), |x| {
            (1.0 + (beta * x).exp()).ln() / beta
        });
    }
    check(setup, &EluConfig::new().with_alpha(0.7).init(), |x| {
        if x > 0.0 { x } else { 0.7 * (x.exp() - 1.0) }
    });
    check(setup, &CeluConfig::new().with_alpha(0.7).init(), |x| {
        x.max(0.0) + (0.7 * ((x / 0.7).exp() - 1.0)).min(0.0)
    });
    check(setup, &Selu, |x| {
        let below = 1.673_263_242_354_377_2 * (x.exp() - 1.0);
        1.050_700_987_355_480_5 * if x > 0.0 { x } else { below }
    });
    check(setup, &HardShrinkConfig::new().init(), |x| if x.abs() > 0.5 { x } else { 0.0 });
    check(setup, &SoftShrinkConfig::new().init(), |x| {
        if x.abs() > 0.5 { x - 0.5 * x.signum() } else { 0.0 }
    });
    check(setup, &ShrinkConfig::new().with_lambda(0.75).with_bias(0.25).init(), |x| {
        if x.abs() > 0.75 { x - 0.25 * x.signum() } else { 0.0 }
    });
}

/// A slope for all, or one a channel; some are negative.
pub fn prelu<B: Backend>(setup: &Setup<B>) {
    for count in [1, 3] {
        let layer = PReluConfig::new().with_num_parameters(count).init::<B>(&setup.device);
        let layer = setup.filled(5, layer);
        let slopes = values(&layer.alpha.val().into());
        assert!(slopes.iter().any(|slope| *slope < 0.0), "{slopes:?}");
        let a = setup.numbers(3, 24);
        let x = upload(setup, &a, &[2, 3, 4]);
        let expected: Vec<f64> = a
            .iter()
            .enumerate()
            .map(|(at, a)| if *a > 0.0 { *a } else { a * slopes[at / 4 % 3 % count] })
            .collect();
        let output = layer.forward(x.tensor::<3>().unwrap());
        assert_close(&values(&output.into()), &expected, setup.tolerance(), "Burn's");
        let output = Layer::forward(&layer, std::slice::from_ref(&x)).unwrap();
        assert_close(&values(&output), &expected, setup.tolerance(), "PRelu");
        let r = setup.numbers(4, 24);
        assert_eq!(hand(setup, &layer, &[x], &r, &Rule::PASS).inputs[0], r);
        if count == 3 {
            assert!(Layer::forward(&layer, &[upload(setup, &a, &[6, 4])]).is_err());
        }
    }
}

/// Large numbers do not overflow.
pub fn activations_far_out<B: Backend>(setup: &Setup<B>) {
    let x = upload(setup, &[-1000.0, 1000.0], &[1, 2]);
    let of = |layer: &dyn Layer<B>| values(&layer.forward(std::slice::from_ref(&x)).unwrap());
    assert_eq!(of(&Sigmoid), [0.0, 1.0]);
    assert_eq!(of(&SoftplusConfig::new().init()), [0.0, 1000.0]);
    assert_eq!(of(&EluConfig::new().init()), [-1.0, 1000.0]);
    assert_eq!(of(&Silu), [0.0, 1000.0]);
}

/// The enum of all activations runs and is named like the one inside.
pub fn activation_wrapper<B: Backend>(setup: &Setup<B>) {
    let configs = [
        (ActivationConfig::Gelu, "Gelu"),
        (ActivationConfig::GeluApproximate, "Gelu"),
        (ActivationConfig::Relu, "Relu"),
        (ActivationConfig::LeakyRelu(LeakyReluConfig::new()), "LeakyRelu"),
        (ActivationConfig::PRelu(PReluConfig::new()), "PRelu"),
        (ActivationConfig::Selu, "Selu"),
        (ActivationConfig::Sigmoid, "Sigmoid"),
        (ActivationConfig::Tanh, "Tanh"),
        (ActivationConfig::HardSigmoid(HardSigmoidConfig::new()), "HardSigmoid"),
        (ActivationConfig::HardSwish, "HardSwish"),
        (ActivationConfig::Softplus(SoftplusConfig::new()), "Softplus"),
        (ActivationConfig::Softsign, "Softsign"),
        (ActivationConfig::Elu(EluConfig::new()), "Elu"),
        (ActivationConfig::Celu(CeluConfig::new()), "Celu"),
        (ActivationConfig::ThresholdedRelu(ThresholdedReluConfig::new()), "ThresholdedRelu"),
        (ActivationConfig::HardShrink(HardShrinkConfig::new()), "HardShrink"),
        (ActivationConfig::SoftShrink(SoftShrinkConfig::new()), "SoftShrink"),
        (ActivationConfig::Shrink(ShrinkConfig::new()), "Shrink"),
    ];
    for (config, name) in configs {
        let layer: Activation<B> = setup.filled(3, config.init(&setup.device));
        let x: Tensor<B, 2> = setup.tensor(9, [2, 3]);
        let tape = Tape::new();
        let output = tape.input("x", x.clone()).then("activation", &layer).unwrap();
        let found = values(output.value());
        // Burn's own functions are rounded to single precision on some backends.
        let burn = values(&layer.forward(x).into());
        assert_close(&found, &burn, 1e-5, name);
        let plan = output.plan(&Composite::default()).unwrap();
        assert_eq!(plan.layers()[0].kind.name(), name);
        assert_eq!(plan.layers()[0].path, "activation");
    }
}

/// Half of a dimension gates the other half, whichever dimension it is.
pub fn glu<B: Backend>(setup: &Setup<B>) {
    for dim in [1, 2] {
        let layer = GLU::new(dim);
        let a = setup.numbers(1, 2 * 4 * 6);
        let x = upload(setup, &a, &[2, 4, 6]);
        let half = [[2, 2, 6], [2, 4, 3]][dim - 1];
        let r = setup.numbers(2, 24);
        let (mut expected, mut taken, mut halved) = (vec![0.0; 24], vec![0.0; 48], vec![0.0; 48]);
        for n in 0..2 {
            for i in 0..half[1] {
                for j in 0..half[2] {
                    let at = (n * half[1] + i) * half[2] + j;
                    let signal = (n * 4 + i) * 6 + j;
                    let gate = signal + if dim == 1 { 12 } else { 3 };
                    expected[at] = a[signal] * sigmoid(a[gate]);
                    taken[signal] = r[at];
                    halved[signal] = r[at] / 2.0;
                    halved[gate] = r[at] / 2.0;
                }
            }
        }
        let output = Layer::<B>::forward(&layer, std::slice::from_ref(&x)).unwrap();
        assert_eq!(output.dims(), half);
        assert_close(&values(&output), &expected, setup.tolerance(), "GLU");
        let x = [x];
        assert_eq!(hand(setup, &layer, &x, &r, &Rule::SIGNAL_TAKE_ALL).inputs[0], taken);
        assert_eq!(hand(setup, &layer, &x, &r, &Rule::HALVES).inputs[0], halved);
    }
    for (dim, dims) in [(0, [2, 4]), (1, [2, 3]), (2, [2, 4])] {
        let x = upload(setup, &vec![0.0; dims[0] * dims[1]], &dims);
        assert!(Layer::<B>::forward(&GLU::new(dim), &[x]).is_err());
    }
}

/// A gated linear layer is the network of its parts.
pub fn swiglu<B: Backend>(setup: &Setup<B>) {
    let layer = SwiGluConfig::new(4, 3).with_bias(true).init::<B>(&setup.device);
    let layer = setup.filled(1, layer);
    let x = setup.tensor::<2>(2, [2, 4]);
    let burn = values(&layer.forward(x.clone()).into());
    let found = values(&infer(&layer, x.clone()).unwrap());
    assert_close(&found, &burn, 1e-5, "forward");

    let tape = Tape::new();
    let input = tape.input("x", x.clone());
    let output = layer.trace(input.clone()).unwrap();
    let composite = Composite::new()
        .with(burn_lrp::Selector::kind("Multiply"), Rule::SIGNAL_TAKE_ALL)
        .with(burn_lrp::Selector::kind("Linear"), Rule::ZERO);
    let relevances = output.plan(&composite).unwrap().run(output.value().clone()).unwrap();
    let found = values(&relevances.of(&input).unwrap());
    // With the gate as a constant the layer is linear with its weights times the gate.
    let w = values(&layer.linear_outer.weight.val().into());
    let a = values(&x.into());
    let inner = values(&infer(&layer.linear_inner, input.value().clone()).unwrap());
    let mut expected = vec![0.0; 8];
    for n in 0..2 {
        for k in 0..3 {
            let gate = inner[n * 3 + k] * sigmoid(inner[n * 3 + k]);
            for j in 0..4 {
                // R = output, so every contribution is its own relevance.
                expected[n * 4 + j] += a[n * 4 + j] * w[j * 3 + k] * gate;
            }
        }
    }
    assert_close(&found, &expected, setup.tolerance_at(50.0), "relevance");
}
