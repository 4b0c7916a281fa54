//! Explicit formulas against gradients that Burn's autodiff takes.

use burn::backend::Autodiff;
use burn::nn::conv::{
    Conv1dConfig, Conv2dConfig, Conv3dConfig, ConvTranspose1dConfig, ConvTranspose2dConfig,
    ConvTranspose3dConfig,
};
use burn::nn::{
    BatchNormConfig, LinearConfig, PaddingConfig1d, PaddingConfig2d, PaddingConfig3d, Relu,
};
use burn::tensor::Tensor;
use burn::tensor::activation::relu;
use burn::tensor::backend::Backend;
use burn_lrp::affine::{ByGradient, WeightedByGradient};
use burn_lrp::{Affine, AnyTensor, Composite, Family, Layer, Rule, Selector, Step, Tape};

use super::affine::rules;
use super::setup::{Setup, assert_close, values};

/// The same numbers where gradients are taken.
pub fn twin<B: Backend>(setup: &Setup<B>) -> Setup<Autodiff<B>> {
    Setup { device: setup.device.clone(), dtype: setup.dtype }
}

/// A layer's relevance, and that of a layer whose adjoint is the gradient of its
/// `apply`, by every rule.
#[track_caller]
fn agrees<B: Backend, L: Layer<B> + Affine<B>>(
    setup: &Setup<B>,
    layer: &L,
    twin: &impl Affine<Autodiff<B>>,
    sample: &[usize],
) {
    let dims = [&[2], sample].concat();
    for positive in [false, true] {
        let x = AnyTensor::from(setup.tensor::<1>(21, [dims.iter().product()]));
        let x = if positive { x.map(|x| x.clamp_min(0.0)) } else { x };
        let x = [x.reshape(&dims).unwrap()];
        let output = layer.forward(&x).unwrap();
        let oracle = WeightedByGradient::new("Oracle", layer.weight(), |x, w| twin.apply(&x, &w));
        let oracle = match layer.bias() {
            Some(bias) => oracle.with_bias(bias, layer.channel_dim(&output)),
            None => oracle,
        };
        oracle.verify(&x[0]).unwrap();
        assert_eq!(values(&oracle.forward(&x).unwrap()), values(&output));
        let r = AnyTensor::from(setup.tensor::<1>(22, [output.len()]));
        let r = r.reshape(&output.dims()).unwrap();
        for rule in rules() {
            let step = Step::new(&x, &output, &r).with_report(true);
            let found = layer.relevance(&step, &rule).unwrap();
            let expected = oracle.relevance(&step, &rule).unwrap();
            let what = format!("{} by {rule}", layer.kind());
            let (a, b) = (values(&found.inputs[0]), values(&expected.inputs[0]));
            assert_close(&a, &b, setup.tolerance(), &what);
            match (found.bias, expected.bias) {
                (Some(a), Some(b)) => {
                    assert_close(
                        &values(&a.into()),
                        &values(&b.into()),
                        setup.tolerance(),
                        &format!("bias of {what}"),
                    );
                }
                (a, b) => assert_eq!(a.is_some(), b.is_some(), "{what}"),
            }
        }
    }
}

macro_rules! agrees {
    ($setup:ident, $config:expr, $sample:expr) => {{
        let config = $config;
        let other = twin($setup);
        let layer = $setup.filled(23, config.init::<B>(&$setup.device));
        let dual = other.filled(23, config.init::<Autodiff<B>>(&other.device));
        agrees($setup, &layer, &dual, &$sample);
    }};
}

pub fn gradient_of_linear<B: Backend>(setup: &Setup<B>) {
    agrees!(setup, LinearConfig::new(5, 4), [5]);
    agrees!(setup, LinearConfig::new(5, 4).with_bias(false), [3, 5]);
}

pub fn gradient_of_convolutions<B: Backend>(setup: &Setup<B>) {
    let config = Conv1dConfig::new(4, 4, 3).with_dilation(2);
    agrees!(setup, config.with_padding(PaddingConfig1d::Explicit(2, 1)), [4, 7]);
    let config = Conv1dConfig::new(4, 4, 3).with_groups(4).with_stride(2);
    agrees!(setup, config.with_padding(PaddingConfig1d::Same), [4, 7]);
    let config = Conv2dConfig::new([2, 4], [3, 2]).with_stride([2, 1]).with_groups(2);
    agrees!(setup, config.with_padding(PaddingConfig2d::Explicit(1, 0, 2, 1)), [2, 5, 4]);
    agrees!(setup, Conv2dConfig::new([2, 3], [1, 1]), [2, 4, 4]);
    if setup.sparse_kernels() {
        agrees!(setup, Conv2dConfig::new([2, 3], [1, 1]).with_stride([2, 2]), [2, 4, 4]);
        agrees!(setup, Conv2dConfig::new([2, 3], [2, 2]).with_stride([3, 3]), [2, 5, 5]);
    }
    agrees!(setup, Conv2dConfig::new([2, 3], [3, 3]).with_stride([2, 2]), [2, 6, 6]);
    let config = Conv3dConfig::new([2, 2], [2, 1, 3]).with_stride([2, 1, 1]);
    agrees!(setup, config.with_padding(PaddingConfig3d::Explicit(1, 0, 1)), [2, 3, 2, 3]);
}

pub fn gradient_of_transposed_convolutions<B: Backend>(setup: &Setup<B>) {
    let config = ConvTranspose1dConfig::new([4, 4], 3).with_stride(2).with_groups(2);
    agrees!(setup, config.with_padding(1).with_padding_out(1), [4, 4]);
    let config = ConvTranspose2dConfig::new([2, 3], [3, 2]).with_stride([2, 1]);
    agrees!(setup, config.with_padding([1, 0]).with_padding_out([3, 0]), [2, 3, 2]);
    let config = ConvTranspose3dConfig::new([2, 2], [2, 1, 3]).with_stride([2, 1, 1]);
    agrees!(setup, config.with_dilation([1, 1, 2]), [2, 2, 2, 2]);
}

pub fn gradient_of_batch_norm<B: Backend>(setup: &Setup<B>) {
    let other = twin(setup);
    let mut layer = setup.filled(24, BatchNormConfig::new(3).init::<B>(&setup.device));
    let config = BatchNormConfig::new(3);
    let mut dual = other.filled(24, config.init::<Autodiff<B>>(&other.device));
    layer.running_var = burn::module::RunningState::new(setup.tensor(25, [3]).abs());
    layer.running_mean = burn::module::RunningState::new(setup.tensor(26, [3]));
    dual.running_var = burn::module::RunningState::new(other.tensor(25, [3]).abs());
    dual.running_mean = burn::module::RunningState::new(other.tensor(26, [3]));
    agrees(setup, &layer, &dual, &[3]);
    agrees(setup, &layer, &dual, &[3, 2, 2]);
}

/// In a network of rectified layers without biases, LRP-0 is gradient × input.
pub fn gradient_times_input<B: Backend>(setup: &Setup<B>) {
    let other = twin(setup);
    let conv = Conv2dConfig::new([2, 3], [3, 3]).with_bias(false);
    let linear = LinearConfig::new(12, 4).with_bias(false);
    let x = setup.tensor::<4>(31, [3, 2, 4, 4]);

    let (first, second) = (
        other.filled(32, conv.init::<Autodiff<B>>(&other.device)),
        other.filled(33, linear.init::<Autodiff<B>>(&other.device)),
    );
    let leaf = Tensor::<Autodiff<B>, 4>::from_inner(x.clone()).require_grad();
    let hidden: Tensor<_, 2> = relu(first.forward(leaf.clone())).flatten(1, 3);
    let logits = second.forward(hidden);
    let gradients = logits.narrow(1, 2, 1).sum().backward();
    let gradient = AnyTensor::from(leaf.grad(&gradients).unwrap());
    let expected = values(&gradient.times(&x.clone().into()).unwrap());

    let first = setup.filled(32, conv.init::<B>(&setup.device));
    let second = setup.filled(33, linear.init::<B>(&setup.device));
    let tape = Tape::new();
    let input = tape.input("x", x);
    let output = input.then("conv", &first).unwrap().then("relu", &Relu).unwrap();
    let output = output.flatten().unwrap().then("linear", &second).unwrap();
    let mask = setup.upload([[0.0, 0.0, 1.0, 0.0]; 3].concat(), [3, 4]);
    let seed = output.value().times(&mask.into()).unwrap();
    let composite = Composite::new()
        .with(Selector::Family(Family::Dense), Rule::ZERO)
        .with(Selector::Family(Family::Convolution), Rule::ZERO);
    let found = output.plan(&composite).unwrap().run(seed).unwrap().of(&input).unwrap();
    assert!(expected.iter().any(|value| value.abs() > 1e-3));
    assert_close(&values(&found), &expected, setup.tolerance(), "gradient times input");
}

/// A function without formulas gives what the layer with formulas gives.
pub fn by_gradient<B: Backend>(setup: &Setup<B>) {
    let other = twin(setup);
    let config = LinearConfig::new(5, 4);
    let layer = setup.filled(41, config.init::<B>(&setup.device));
    let dual = other.filled(41, config.init::<Autodiff<B>>(&other.device));
    let function = ByGradient::of_rank("Mine", |x: Tensor<Autodiff<B>, 3>| dual.forward(x));
    let function = function.with_family(Family::Dense);
    let x = [AnyTensor::from(setup.tensor::<3>(42, [2, 3, 5]))];
    function.verify(&x[0]).unwrap();
    let output = Layer::forward(&layer, &x).unwrap();
    let found = function.forward(&x).unwrap();
    assert_close(&values(&found), &values(&output), setup.tolerance(), "forward");
    let r = AnyTensor::from(setup.tensor::<3>(43, [2, 3, 4]));
    for rule in [Rule::ZERO, Rule::epsilon(0.1).unwrap()] {
        let step = Step::new(&x, &output, &r).with_report(true);
        let found = function.relevance(&step, &rule).unwrap();
        let expected = layer.relevance(&step, &rule).unwrap();
        let close = |a: &AnyTensor<B>, b: &AnyTensor<B>, what: &str| {
            assert_close(&values(a), &values(b), setup.tolerance(), &format!("{what} by {rule}"));
        };
        close(&found.inputs[0], &expected.inputs[0], "inputs");
        close(&found.bias.unwrap().into(), &expected.bias.unwrap().into(), "bias");
    }

    // On a tape, where a function ignores its input: all is bias.
    let constant = ByGradient::of_rank("One", |x: Tensor<Autodiff<B>, 2>| {
        Tensor::<Autodiff<B>, 2>::ones([x.dims()[0], 2], (&x.device(), x.dtype()))
    });
    let tape = Tape::new();
    let input = tape.input("x", setup.tensor::<2>(44, [2, 3]));
    let output = input.then("one", &constant).unwrap();
    let composite = Composite::new().with(Selector::All, Rule::ZERO);
    let plan = output.plan(&composite).unwrap();
    let relevances = plan.run_with_report(output.value().clone()).unwrap();
    assert_eq!(values(&relevances.of(&input).unwrap()), [0.0; 6]);
    assert_eq!(relevances.report().unwrap().layers()[0].bias, [2.0, 2.0]);
}

pub fn by_gradient_refuses<B: Backend>(setup: &Setup<B>) {
    let x = AnyTensor::from(setup.tensor::<2>(45, [2, 3]));
    let bent = ByGradient::of_rank("Bent", |x: Tensor<Autodiff<B>, 2>| relu(x));
    let text = bent.verify(&x).unwrap_err().to_string();
    assert!(text.contains("Bent: the function is not affine in its input"), "{text}");
    let text = bent.forward(&[setup.tensor::<3>(1, [1, 1, 1]).into()]).unwrap_err().to_string();
    assert!(text.contains("expected 2 dimensions"), "{text}");

    let weight = setup.tensor::<1>(46, [3]);
    type Dual<B, const D: usize> = Tensor<Autodiff<B>, D>;
    let squared =
        WeightedByGradient::of_rank("Squared", weight.clone(), |x: Dual<B, 2>, w: Dual<B, 1>| {
            x * w.square().unsqueeze()
        });
    let text = squared.verify(&x).unwrap_err().to_string();
    assert!(text.contains("not affine in its weights"), "{text}");
    let shifted =
        WeightedByGradient::of_rank("Shifted", weight.clone(), |x: Dual<B, 2>, w: Dual<B, 1>| {
            x * w.unsqueeze() + 1.0
        });
    let text = shifted.verify(&x).unwrap_err().to_string();
    assert!(text.contains("a bias goes to `with_bias`"), "{text}");
    let scaled = WeightedByGradient::of_rank("Scaled", weight, |x: Dual<B, 2>, w: Dual<B, 1>| {
        x * w.unsqueeze()
    });
    scaled.verify(&x).unwrap();
    for (channels, dim) in [(2, 1), (3, 2)] {
        let wrong = WeightedByGradient::of_rank(
            "Wrong",
            setup.tensor::<1>(46, [3]),
            |x: Dual<B, 2>, w: Dual<B, 1>| x * w.unsqueeze(),
        );
        let wrong = wrong.with_bias(setup.tensor(47, [channels]), dim);
        let text = wrong.forward(std::slice::from_ref(&x)).unwrap_err().to_string();
        assert!(text.contains("as the bias has"), "{text}");
    }
}
