//! Every rule of every affine layer, against loops over the matrix that the
//! layer is.

use burn::nn::conv::{
    Conv1dConfig, Conv2dConfig, Conv3dConfig, ConvTranspose1dConfig, ConvTranspose2dConfig,
    ConvTranspose3dConfig,
};
use burn::nn::{BatchNormConfig, LinearConfig, PaddingConfig1d, PaddingConfig2d, PaddingConfig3d};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_lrp::{AnyTensor, Layer, Rule, Step};

use super::naive::{Found, Matrix, relevance};
use super::setup::{Setup, assert_close, values};

pub fn rules() -> Vec<Rule> {
    let texts = [
        "zero",
        "epsilon=0.1",
        "gamma=0.25",
        "z-plus",
        "alpha-beta=2,1",
        "alpha-beta=1,0",
        "w-square",
        "flat",
        "box=-1,1.5",
    ];
    texts.iter().map(|text| text.parse().unwrap()).collect()
}

/// The matrix that a layer is, from what it does to zero and to unit vectors.
pub fn matrix<B: Backend>(setup: &Setup<B>, layer: &dyn Layer<B>, sample: &[usize]) -> Matrix {
    matrix_of(setup, sample, |x| layer.forward(&[x]).unwrap())
}

pub fn matrix_of<B: Backend>(
    setup: &Setup<B>,
    sample: &[usize],
    f: impl Fn(AnyTensor<B>) -> AnyTensor<B>,
) -> Matrix {
    let inputs: usize = sample.iter().product();
    let mut units = vec![0.0; (inputs + 1) * inputs];
    for unit in 0..inputs {
        units[(unit + 1) * inputs + unit] = 1.0;
    }
    let dims = [&[inputs + 1], sample].concat();
    let x = AnyTensor::from(setup.upload(units, [(inputs + 1) * inputs])).reshape(&dims).unwrap();
    let z = f(x);
    let outputs = z.len() / (inputs + 1);
    let z = values(&z);
    let bias = z[..outputs].to_vec();
    let weight = (0..outputs)
        .map(|k| (0..inputs).map(|j| z[(j + 1) * outputs + k] - bias[k]).collect())
        .collect();
    Matrix { weight, bias }
}

/// All built-in rules on inputs of either sign, and on inputs that are not negative.
#[track_caller]
pub fn check<B: Backend>(setup: &Setup<B>, layer: &dyn Layer<B>, sample: &[usize]) {
    check_rules(setup, layer, sample, &rules(), relevance);
}

/// Some rules, against loops over the matrix of the layer.
#[track_caller]
pub fn check_rules<B: Backend>(
    setup: &Setup<B>,
    layer: &dyn Layer<B>,
    sample: &[usize],
    rules: &[Rule],
    naive: impl Fn(&Rule, &Matrix, &[f64], &[f64]) -> Found,
) {
    let samples = 2;
    let m = matrix(setup, layer, sample);
    let inputs: usize = sample.iter().product();
    let dims = [&[samples], sample].concat();
    for positive in [false, true] {
        let mut a = setup.numbers(7, samples * inputs);
        if positive {
            a.iter_mut().for_each(|a| *a = a.max(0.0));
        }
        let x: Tensor<B, 1> = setup.upload(a.clone(), [samples * inputs]);
        let x = [AnyTensor::from(x).reshape(&dims).unwrap()];
        let output = layer.forward(&x).unwrap();
        let r = AnyTensor::from(setup.tensor::<1>(8, [output.len()]));
        let r = r.reshape(&output.dims()).unwrap();
        let per_sample = output.len() / samples;
        let flat = values(&r);
        for rule in rules {
            let step = Step::new(&x, &output, &r).with_report(true);
            let handed = layer.relevance(&step, rule).unwrap();
            let found = values(&handed.inputs[0]);
            let bias = handed.bias.map(|b| values(&AnyTensor::from(b)));
            let mut expected = Vec::new();
            let mut absorbed = Vec::new();
            let mut condition = 1.0_f64;
            for n in 0..samples {
                let naive = naive(
                    rule,
                    &m,
                    &a[n * inputs..][..inputs],
                    &flat[n * per_sample..][..per_sample],
                );
                expected.extend(naive.inputs);
                absorbed.push(naive.bias);
                condition = condition.max(naive.condition);
            }
            let what = format!("{} by {rule}, positive: {positive}", layer.kind());
            assert_eq!(handed.inputs[0].dims(), dims);
            let tolerance = setup.tolerance_at(condition);
            assert_close(&found, &expected, tolerance, &what);
            match bias {
                Some(bias) => assert_close(&bias, &absorbed, tolerance, &format!("bias of {what}")),
                None => assert!(absorbed.iter().all(|b| *b == 0.0), "{what}"),
            }
        }
    }
}

pub fn linear<B: Backend>(setup: &Setup<B>) {
    for bias in [true, false] {
        let layer = LinearConfig::new(5, 4).with_bias(bias).init::<B>(&setup.device);
        let layer = setup.filled(1, layer);
        check(setup, &layer, &[5]);
        check(setup, &layer, &[3, 5]);
    }
}

pub fn conv1d<B: Backend>(setup: &Setup<B>) {
    for (stride, dilation, groups, padding) in [
        (1, 1, 1, PaddingConfig1d::Valid),
        (2, 1, 1, PaddingConfig1d::Same),
        (2, 2, 2, PaddingConfig1d::Explicit(2, 1)),
        (1, 1, 4, PaddingConfig1d::Same),
    ] {
        let config = Conv1dConfig::new(4, 4, 3).with_stride(stride).with_dilation(dilation);
        let config = config.with_groups(groups).with_padding(padding);
        check(setup, &setup.filled(2, config.init::<B>(&setup.device)), &[4, 8]);
    }
}

pub fn conv2d<B: Backend>(setup: &Setup<B>) {
    for (kernel, stride, dilation, groups, padding) in [
        ([3, 3], [1, 1], [1, 1], 1, PaddingConfig2d::Valid),
        ([3, 3], [2, 2], [1, 1], 1, PaddingConfig2d::Same),
        ([3, 2], [2, 1], [1, 2], 2, PaddingConfig2d::Explicit(1, 0, 2, 1)),
        ([3, 3], [1, 1], [1, 1], 2, PaddingConfig2d::Explicit(1, 1, 1, 1)),
        ([3, 3], [2, 2], [1, 1], 2, PaddingConfig2d::Same),
        ([1, 1], [1, 1], [1, 1], 1, PaddingConfig2d::Valid),
        ([1, 1], [2, 2], [1, 1], 1, PaddingConfig2d::Valid),
        ([2, 2], [3, 3], [1, 1], 1, PaddingConfig2d::Explicit(2, 2, 2, 2)),
    ] {
        let config = Conv2dConfig::new([2, 4], kernel).with_stride(stride);
        let config = config.with_dilation(dilation).with_groups(groups).with_padding(padding);
        check(setup, &setup.filled(3, config.init::<B>(&setup.device)), &[2, 6, 5]);
    }
}

pub fn conv3d<B: Backend>(setup: &Setup<B>) {
    for (stride, groups, padding) in [
        ([1, 1, 1], 1, PaddingConfig3d::Valid),
        ([2, 1, 1], 2, PaddingConfig3d::Explicit(1, 0, 1)),
        ([1, 1, 1], 1, PaddingConfig3d::Same),
    ] {
        let config = Conv3dConfig::new([2, 2], [3, 1, 3]).with_stride(stride);
        let config = config.with_groups(groups).with_padding(padding);
        check(setup, &setup.filled(4, config.init::<B>(&setup.device)), &[2, 3, 3, 3]);
    }
}

pub fn conv_transpose1d<B: Backend>(setup: &Setup<B>) {
    for (stride, dilation, groups, padding, padding_out) in [
        (1, 1, 1, 0, 0),
        (2, 1, 1, 1, 1),
        (2, 2, 2, 1, 0),
        (2, 1, 2, 0, 3),
        (1, 1, 4, 2, 2),
        (5, 1, 2, 1, 1),
    ] {
        let config = ConvTranspose1dConfig::new([4, 8], 3).with_stride(stride);
        let config = config.with_dilation(dilation).with_groups(groups).with_padding(padding);
        let config = config.with_padding_out(padding_out);
        let layer = setup.filled(12, config.init::<B>(&setup.device));
        check(setup, &layer, &[4, 4]);
        let x = setup.tensor::<3>(13, [2, 4, 4]);
        if 3 * dilation >= stride || setup.sparse_kernels() {
            let found = layer.forward(x.clone());
            like_burn(setup, &layer, &x.into(), &found.into());
        }
    }
}

pub fn conv_transpose2d<B: Backend>(setup: &Setup<B>) {
    for (kernel, stride, dilation, groups, padding, padding_out) in [
        ([3, 3], [1, 1], [1, 1], 1, [0, 0], [0, 0]),
        ([3, 2], [2, 1], [1, 2], 2, [1, 0], [1, 0]),
        ([2, 3], [3, 2], [1, 1], 1, [1, 1], [4, 2]),
        ([1, 1], [2, 2], [1, 1], 2, [0, 0], [1, 1]),
    ] {
        let config = ConvTranspose2dConfig::new([4, 2], kernel).with_stride(stride);
        let config = config.with_dilation(dilation).with_groups(groups).with_padding(padding);
        let config = config.with_padding_out(padding_out);
        let layer = setup.filled(13, config.init::<B>(&setup.device));
        check(setup, &layer, &[4, 3, 2]);
        let x = setup.tensor::<4>(14, [2, 4, 3, 2]);
        let spans = (0..2).all(|d| kernel[d] * dilation[d] >= stride[d]);
        if spans || setup.sparse_kernels() {
            let found = layer.forward(x.clone());
            like_burn(setup, &layer, &x.into(), &found.into());
        }
    }
}

pub fn conv_transpose3d<B: Backend>(setup: &Setup<B>) {
    for (stride, groups, padding, padding_out) in
        [([1, 1, 1], 1, [0, 0, 0], [0, 0, 0]), ([2, 1, 2], 2, [1, 0, 1], [1, 0, 3])]
    {
        let config = ConvTranspose3dConfig::new([2, 2], [3, 1, 2]).with_stride(stride);
        let config = config.with_groups(groups).with_padding(padding);
        let config = config.with_padding_out(padding_out);
        let layer = setup.filled(14, config.init::<B>(&setup.device));
        check(setup, &layer, &[2, 2, 2, 2]);
        let x = setup.tensor::<5>(15, [2, 2, 2, 2, 2]);
        if stride[1] == 1 || setup.sparse_kernels() {
            let found = layer.forward(x.clone());
            like_burn(setup, &layer, &x.into(), &found.into());
        }
    }
}

/// The output is that of Burn's own forward.
#[track_caller]
fn like_burn<B: Backend>(
    setup: &Setup<B>,
    layer: &dyn Layer<B>,
    x: &AnyTensor<B>,
    expected: &AnyTensor<B>,
) {
    let found = layer.forward(std::slice::from_ref(x)).unwrap();
    assert_eq!(found.dims(), expected.dims());
    assert_close(&values(&found), &values(expected), setup.tolerance(), "forward");
}

/// What Burn would panic at is an error that says what is wrong.
pub fn affine_refusals<B: Backend>(setup: &Setup<B>) {
    let refused = |layer: &dyn Layer<B>, dims: &[usize]| {
        let x = AnyTensor::from(setup.tensor::<1>(1, [dims.iter().product()]));
        layer.forward(&[x.reshape(dims).unwrap()]).unwrap_err().to_string()
    };
    let device = &setup.device;
    let layer = setup.filled(1, ConvTranspose2dConfig::new([4, 2], [3, 3]).init::<B>(device));
    for dims in [&[1, 3, 4, 4][..], &[1, 4, 4], &[4]] {
        let text = refused(&layer, dims);
        assert!(text.contains("expected [samples, 4, height, width]"), "{text}");
    }
    let text = refused(&layer, &[1, 4, 0, 4]);
    assert!(text.contains("more places"), "{text}");
    let config = ConvTranspose1dConfig::new([1, 1], 3).with_padding(3);
    let text = refused(&setup.filled(1, config.init::<B>(device)), &[1, 1, 2]);
    assert!(text.contains("more places than a padding of [3] cuts"), "{text}");
    let config = ConvTranspose1dConfig::new([1, 1], 3).with_stride(0);
    let text = refused(&setup.filled(1, config.init::<B>(device)), &[1, 1, 2]);
    assert!(text.contains("must be at least 1"), "{text}");
    let config = Conv1dConfig::new(1, 1, 3).with_stride(0);
    let text = refused(&setup.filled(1, config.init::<B>(device)), &[1, 1, 4]);
    assert!(text.contains("must be at least 1"), "{text}");
    let text = refused(&setup.filled(1, LinearConfig::new(5, 4).init::<B>(device)), &[2, 4]);
    assert!(text.contains("expected [.., 5]"), "{text}");
}

pub fn batch_norm<B: Backend>(setup: &Setup<B>) {
    let mut layer = setup.filled(5, BatchNormConfig::new(3).init::<B>(&setup.device));
    layer.running_var = burn::module::RunningState::new(setup.tensor(6, [3]).abs());
    layer.running_mean = burn::module::RunningState::new(setup.tensor(7, [3]));
    check(setup, &layer, &[3]);
    check(setup, &layer, &[3, 2, 4]);
}
