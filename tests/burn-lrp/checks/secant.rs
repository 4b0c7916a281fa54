//! The secant pass: what it conserves, against integrals along the straight way, and on networks.

use burn::backend::{Autodiff, Flex};
use burn::nn::activation::HardSwish;
use burn::nn::attention::{MultiHeadAttentionConfig, generate_autoregressive_mask};
use burn::nn::conv::{Conv1dConfig, Conv2dConfig, ConvTranspose2dConfig};
use burn::nn::gru::{BiGruConfig, GruConfig};
use burn::nn::norm::NormalizationConfig;
use burn::nn::pool::{
    AdaptiveAvgPool1dConfig, AdaptiveAvgPool2dConfig, AvgPool1dConfig, AvgPool2dConfig,
    MaxPool1dConfig, MaxPool2dConfig,
};
use burn::nn::transformer::TransformerEncoderConfig;
use burn::nn::*;
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Int, Tensor, TensorData};
use burn_lrp::affine::ByGradient;
use burn_lrp::{
    AnyTensor, Error, Family, Kind, Layer, Masked, Masks, Node, Redistribution, Relevance, Result,
    RootedLinear, Rule, RuleName, SecantStep, Silu, SquaredDistance, Step, Tape, infer, leaf,
    secant,
};

use super::setup::{Setup, assert_close, values};
use super::step::upload;

type Net<B> = Vec<Box<dyn Relevance<B>>>;

/// Where integrals are computed, whatever backend the passes run on: hundreds of gradients take
/// minutes elsewhere, and the gradients of NdArray are approximate in `f32`.
type Reference = Autodiff<Flex>;

/// The same numbers where integrals are computed.
fn twin<B: Backend>(setup: &Setup<B>) -> Setup<Reference> {
    Setup::new(setup.dtype)
}

/// How a pass compares to the integral of the gradient along the straight way from the root.
#[derive(Clone, Copy)]
enum Integral {
    /// Equal, except for the steps of the integral.
    Equal(f64),
    /// A correlation of at least this for the median sample.
    Correlated(f64),
}
use Integral::{Correlated, Equal};

/// Functions between layers.
struct Function(&'static str);

impl<B: Backend> Relevance<B> for Function {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> Result<Node<'m, B>> {
        match self.0 {
            "softmax" => x.softmax(1),
            "softmax of the middle" => x.softmax(2),
            "mean" => x.mean_over(1),
            "sum" => x.sum_over(2),
            "select" => x.select(1, -2),
            "permute" => x.permute(&[0, 2, 1]),
            "reshape" => x.reshape(&[3, 4]),
            "flatten" => x.flatten(),
            "shift" => {
                let (device, dtype) = (x.value().device(), x.value().dtype());
                let constant = Tensor::<B, 2>::full([3, 4], 0.5, (&device, dtype));
                assert!(x.shift(constant.clone().transpose()).is_err());
                x.shift(constant)
            }
            "add" => x.add(&x.tanh()?),
            "sub" => x.sub(&x.tanh()?),
            "mul" => x.mul(&x.tanh()?),
            "mul by channel" => {
                let gate = x.mean_over(2)?.sigmoid()?.reshape(&[3, 1])?;
                x.mul(&gate)
            }
            "concat" => x.concat(&[&x.tanh()?, &x], 1),
            other => panic!("there is no function {other}"),
        }
    }
}

/// A ResNet block that is used twice.
struct Shared<B: Backend>(Net<B>);

impl<B: Backend> Relevance<B> for Shared<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> Result<Node<'m, B>> {
        let x = x.then("block", &self.0)?.add(&x)?.relu()?;
        x.then("block", &self.0)?.add(&x)?.relu()
    }
}

/// An encoder whose attention ignores what comes later, and the last token of one sample.
struct Causal<B: Backend> {
    encoder: burn::nn::transformer::TransformerEncoder<B>,
    padded: bool,
}

impl<B: Backend> Relevance<B> for Causal<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> Result<Node<'m, B>> {
        let (dims, device) = (x.value().dims(), x.value().device());
        let [samples, tokens] = [dims[0], dims[1]];
        let mask = generate_autoregressive_mask(1, tokens, &device);
        let masks = Masks::none().with_attention(mask);
        let masks = if self.padded {
            let padding = (0..samples * tokens).map(|at| at == tokens - 1);
            let data = TensorData::new(padding.collect(), [samples, tokens]);
            masks.with_padding(Tensor::from_data(data, &device))
        } else {
            masks
        };
        self.encoder.trace_masked(x, &masks)
    }
}

fn boxed<B: Backend>(layer: impl Relevance<B> + 'static) -> Net<B> {
    vec![Box::new(layer)]
}

fn normal<B: Backend>(setup: &Setup<B>, channels: usize) -> BatchNorm<B> {
    let mut norm = setup.filled(31, BatchNormConfig::new(channels).init(&setup.device));
    let spread: Vec<f64> = (0..channels).map(|at| 0.3 + 0.2 * at as f64).collect();
    norm.running_var = burn::module::RunningState::new(setup.upload(spread, [channels]));
    norm.running_mean = burn::module::RunningState::new(setup.tensor(32, [channels]));
    norm
}

fn activation<B: Backend>(setup: &Setup<B>, name: &str) -> Net<B> {
    let d = &setup.device;
    match name {
        "relu" => boxed(Relu),
        "leaky relu" => boxed(LeakyReluConfig::new().with_negative_slope(0.2).init()),
        "prelu" => {
            let layer = PReluConfig::new().with_num_parameters(3).init::<B>(d);
            boxed(setup.filled(33, layer))
        }
        "thresholded relu" => boxed(ThresholdedReluConfig::new().with_alpha(0.4).init()),
        "gelu" => boxed(Gelu::new()),
        "gelu by tanh" => boxed(Gelu::new_approximate()),
        "silu" => boxed(Silu),
        "sigmoid" => boxed(Sigmoid),
        "hard sigmoid" => boxed(HardSigmoidConfig::new().with_alpha(0.9).init()),
        "hard swish" => boxed(HardSwish),
        "tanh" => boxed(Tanh),
        "softsign" => boxed(Softsign),
        "softplus" => boxed(SoftplusConfig::new().with_beta(3.0).init()),
        "elu" => boxed(EluConfig::new().with_alpha(0.7).init()),
        "celu" => boxed(CeluConfig::new().with_alpha(0.7).init()),
        "selu" => boxed(Selu),
        "hard shrink" => boxed(HardShrinkConfig::new().with_lambda(0.3).init()),
        "soft shrink" => boxed(SoftShrinkConfig::new().with_lambda(0.3).init()),
        "shrink" => boxed(ShrinkConfig::new().with_lambda(0.3).with_bias(0.1).init()),
        other => panic!("there is no activation {other}"),
    }
}

const ACTIVATIONS: [&str; 19] = [
    "relu",
    "leaky relu",
    "prelu",
    "thresholded relu",
    "gelu",
    "gelu by tanh",
    "silu",
    "sigmoid",
    "hard sigmoid",
    "hard swish",
    "tanh",
    "softsign",
    "softplus",
    "elu",
    "celu",
    "selu",
    "hard shrink",
    "soft shrink",
    "shrink",
];

/// Layers by name, and the shape of a sample.
fn layer<B: Backend>(setup: &Setup<B>, name: &'static str) -> (Net<B>, Vec<usize>) {
    let d = &setup.device;
    match name {
        "linear" => (boxed(setup.filled(1, LinearConfig::new(5, 4).init::<B>(d))), vec![5]),
        "rooted linear" => {
            let linear = setup.filled(1, LinearConfig::new(5, 4).init::<B>(d));
            (boxed(RootedLinear::new(linear, setup.tensor(2, [4, 5])).unwrap()), vec![5])
        }
        "conv1d" => {
            let conv =
                Conv1dConfig::new(2, 3, 3).with_stride(2).with_padding(PaddingConfig1d::Same);
            (boxed(setup.filled(1, conv.init::<B>(d))), vec![2, 7])
        }
        "conv2d" => {
            let conv = Conv2dConfig::new([2, 4], [3, 2]).with_groups(2).with_dilation([2, 1]);
            (boxed(setup.filled(1, conv.init::<B>(d))), vec![2, 6, 5])
        }
        "conv transpose 2d" => {
            let conv = ConvTranspose2dConfig::new([2, 3], [3, 3]).with_stride([2, 2]);
            (boxed(setup.filled(1, conv.init::<B>(d))), vec![2, 3, 4])
        }
        "batch norm" => (boxed(normal(setup, 3)), vec![3, 4]),
        "squared distance" => (boxed(SquaredDistance::new(setup.tensor::<2>(3, [4, 5]))), vec![5]),
        "by gradient" => {
            let layer = ByGradient::<B>::of_rank("Rise", |x: Tensor<Autodiff<B>, 2>| {
                let rise = x.clone().narrow(1, 3, 1) - x.clone().narrow(1, 0, 1);
                Tensor::cat(vec![x.mean_dim(1), rise], 1)
            });
            (boxed(layer), vec![4])
        }
        "average 1d" => {
            let pool = AvgPool1dConfig::new(3).with_stride(2).with_padding(PaddingConfig1d::Same);
            (boxed(pool.init()), vec![2, 8])
        }
        "average 2d" => {
            let pool = AvgPool2dConfig::new([2, 3]).with_strides([1, 2]);
            (boxed(pool.with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init()), vec![2, 5, 6])
        }
        "adaptive average 1d" => (boxed(AdaptiveAvgPool1dConfig::new(3).init()), vec![2, 7]),
        "adaptive average 2d" => {
            (boxed(AdaptiveAvgPool2dConfig::new([2, 3]).init()), vec![2, 5, 7])
        }
        "max 1d" => (boxed(MaxPool1dConfig::new(3).with_stride(2).init()), vec![2, 9]),
        "max 2d" => {
            (boxed(MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init()), vec![2, 4, 6])
        }
        "max with padding" => {
            let pool = MaxPool2dConfig::new([3, 3]).with_strides([2, 2]).with_dilation([1, 2]);
            (boxed(pool.with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1)).init()), vec![2, 6, 7])
        }
        "max with more padding below" => {
            let pool = MaxPool2dConfig::new([2, 2]).with_strides([1, 1]);
            (boxed(pool.with_padding(PaddingConfig2d::Same).init()), vec![1, 3, 4])
        }
        "glu" => (boxed(GLU::new(1)), vec![6, 2]),
        "swiglu" => {
            let layer = SwiGluConfig::new(4, 3).with_bias(true).init::<B>(d);
            (boxed(setup.filled(4, layer)), vec![4])
        }
        "layer norm" => {
            let layer = LayerNormConfig::new(6).with_epsilon(1e-3).init::<B>(d);
            (boxed(setup.filled(5, layer)), vec![2, 6])
        }
        "rms norm" => (boxed(setup.filled(5, RmsNormConfig::new(6).init::<B>(d))), vec![2, 6]),
        "group norm" => {
            let layer = GroupNormConfig::new(2, 4).init::<B>(d);
            (boxed(setup.filled(5, layer)), vec![4, 3])
        }
        "instance norm" => {
            (
                boxed(setup.filled(
                    5,
                    NormalizationConfig::Instance(InstanceNormConfig::new(3)).init::<B>(d),
                )),
                vec![3, 5],
            )
        }
        "attention" | "quiet attention" => {
            let config =
                MultiHeadAttentionConfig::new(6, 2).with_quiet_softmax(name != "attention");
            (boxed(setup.filled(6, config.init::<B>(d))), vec![4, 6])
        }
        "lstm" => (boxed(setup.filled(7, LstmConfig::new(3, 4, true).init::<B>(d))), vec![5, 3]),
        "lstm, coupled and clipped" => {
            let config = LstmConfig::new(3, 4, true).with_input_forget(true).with_clip(Some(0.3));
            (boxed(setup.filled(7, config.with_reverse(true).init::<B>(d))), vec![5, 3])
        }
        "gru" => (boxed(setup.filled(7, GruConfig::new(3, 4, true).init::<B>(d))), vec![5, 3]),
        "gru, reset first" => {
            let config = GruConfig::new(3, 4, true).with_reset_after(false).with_clip(Some(0.3));
            (boxed(setup.filled(7, config.init::<B>(d))), vec![5, 3])
        }
        "both directions" => {
            (boxed(setup.filled(7, BiGruConfig::new(3, 4, true).init::<B>(d))), vec![5, 3])
        }
        "rnn" => {
            let config = RnnConfig::new(3, 4, true).with_clip(Some(0.5));
            (boxed(setup.filled(7, config.init::<B>(d))), vec![5, 3])
        }
        "positions" => (
            boxed(PositionalEncodingConfig::new(4).with_max_sequence_size(6).init::<B>(d)),
            vec![5, 4],
        ),
        "dropout" => (boxed(DropoutConfig::new(0.5).init()), vec![4]),
        function => (boxed(Function(function)), vec![3, 4]),
    }
}

/// What is explained: z of both ends, and m.
struct Ends<B: Backend> {
    x: AnyTensor<B>,
    root: AnyTensor<B>,
    multiplier: AnyTensor<B>,
    dtype: DType,
    /// The relevance that the pass found.
    found: Vec<f64>,
    /// `Σ m (z − z₀)` and `Σ |m| (|z| + |z₀|)` of every sample.
    difference: Vec<f64>,
    size: Vec<f64>,
}

fn pass<B: Backend>(
    setup: &Setup<B>,
    net: &dyn Relevance<B>,
    x: AnyTensor<B>,
    root: AnyTensor<B>,
    seed: u64,
) -> Ends<B> {
    let output = infer(net, x.clone()).unwrap();
    let multiplier = upload(setup, &setup.numbers(seed, output.len()), &output.dims());
    let found = secant(net, x.clone(), root.clone(), |_, _| Ok(multiplier.clone())).unwrap();
    assert_eq!(found.relevance.dims(), x.dims());
    let (z, z0, m) = (values(&found.output), values(&found.root_output), values(&multiplier));
    let per_sample = z.len() / x.dims()[0];
    let terms: Vec<[f64; 2]> = z
        .iter()
        .zip(&z0)
        .zip(&m)
        .map(|((z, z0), m)| [m * (z - z0), m.abs() * (z.abs() + z0.abs())])
        .collect();
    let sums = |at: usize| -> Vec<f64> {
        terms.chunks(per_sample).map(|terms| terms.iter().map(|term| term[at]).sum()).collect()
    };
    let (difference, size) = (sums(0), sums(1));
    let dtype = setup.dtype;
    Ends { x, root, multiplier, dtype, found: values(&found.relevance), difference, size }
}

impl<B: Backend> Ends<B> {
    fn samples(&self) -> impl Iterator<Item = &[f64]> {
        self.found.chunks(self.found.len() / self.difference.len())
    }

    /// The sum of every sample is the difference.
    #[track_caller]
    fn conserve(&self, setup: &Setup<B>, what: &str) {
        for (at, relevance) in self.samples().enumerate() {
            let sum: f64 = relevance.iter().sum();
            let size: f64 = relevance.iter().map(|r| r.abs()).sum::<f64>().max(self.size[at]);
            let tolerance = if setup.dtype == DType::F64 { 1e-12 } else { 2e-6 };
            let error = (sum - self.difference[at]).abs();
            assert!(
                error <= tolerance * size,
                "{what}, sample {at}: {sum} for {}, error over size {:.1e}",
                self.difference[at],
                error / size
            );
        }
    }

    /// The pass against the integral of the gradient.
    #[track_caller]
    fn integrate(&self, dual: &dyn Relevance<Reference>, want: Integral, what: &str, steps: usize) {
        let expected = integral(dual, self, steps);
        match want {
            Equal(tolerance) => assert_close(&self.found, &expected, tolerance, what),
            Correlated(least) => {
                let width = self.found.len() / self.difference.len();
                let pairs = self.samples().zip(expected.chunks(width));
                let mut all: Vec<f64> = pairs.map(|(a, b)| correlation(a, b)).collect();
                all.sort_by(f64::total_cmp);
                assert!(all[all.len() / 2] >= least, "{what}: correlations of {all:?}");
            }
        }
    }
}

fn correlation(a: &[f64], b: &[f64]) -> f64 {
    let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
    let (ma, mb) = (mean(a), mean(b));
    let of =
        |f: &dyn Fn(f64, f64) -> f64| a.iter().zip(b).map(|(a, b)| f(a - ma, b - mb)).sum::<f64>();
    of(&|a, b| a * b) / (of(&|a, _| a * a) * of(&|_, b| b * b)).sqrt()
}

/// `(x − x₀) ∘ ∫ ∇(m z)(x₀ + t (x − x₀)) dt`, by the midpoint rule.
fn integral<B: Backend>(dual: &dyn Relevance<Reference>, ends: &Ends<B>, steps: usize) -> Vec<f64> {
    let dims = ends.x.dims();
    let setup = Setup::<Flex>::new(ends.dtype);
    let moved = |tensor: &AnyTensor<B>| {
        let numbers = values(tensor);
        let length = numbers.len();
        setup.upload(numbers, [length])
    };
    let (root, multiplier) = (moved(&ends.root), moved(&ends.multiplier));
    let way: Tensor<Flex, 1> = moved(&ends.x) - root.clone();
    let mut sum = way.zeros_like();
    const AT_ONCE: usize = 32;
    for start in (0..steps).step_by(AT_ONCE) {
        let count = AT_ONCE.min(steps - start);
        let places = (start..start + count).map(|step| {
            let t = (step as f64 + 0.5) / steps as f64;
            root.clone() + way.clone() * t
        });
        let places = Tensor::cat(places.collect(), 0);
        let multiplier = Tensor::cat(vec![multiplier.clone(); count], 0);
        let leaf = Tensor::<Reference, 1>::from_inner(places).require_grad();
        let input = AnyTensor::from(leaf.clone());
        let input = input.reshape(&[&[dims[0] * count], &dims[1..]].concat()).unwrap();
        let z = infer(dual, input).unwrap();
        let gradients = (z.flat() * Tensor::from_inner(multiplier)).sum().backward();
        let gradient = leaf.grad(&gradients).unwrap().reshape([count, way.dims()[0]]);
        sum = sum + gradient.sum_dim(0).squeeze_dim(0);
    }
    values(&AnyTensor::from(sum * (1.0 / steps as f64) * way))
}

const SAMPLES: usize = 9;

/// Samples and their roots.
fn ends<B: Backend>(setup: &Setup<B>, sample: &[usize], seed: u64) -> [AnyTensor<B>; 2] {
    let dims = [&[SAMPLES], sample].concat();
    let size = dims.iter().product();
    [seed, seed + 1].map(|seed| {
        let numbers: Vec<f64> = setup.numbers(seed, size).iter().map(|x| 1.7 * x).collect();
        upload(setup, &numbers, &dims)
    })
}

fn check<B: Backend>(setup: &Setup<B>, name: &'static str, want: Integral) {
    let (net, sample) = layer(setup, name);
    let (dual, _) = layer(&twin(setup), name);
    let [x, root] = ends(setup, &sample, 41);
    let far = pass(setup, &net, x.clone(), root.clone(), 43);
    far.conserve(setup, name);
    far.integrate(&dual, want, name, 512);
    // No way, no relevance.
    let same = pass(setup, &net, x.clone(), x.clone(), 43);
    assert!(same.found.iter().all(|r| *r == 0.0), "{name}: {:?}", same.found);
    // A very short way: the slope is the gradient midway.
    let near = x.zip(&root, |x, root| x.clone() + (root - x) * 1e-4).unwrap();
    let near = pass(setup, &net, x.clone(), near, 43);
    near.conserve(setup, name);
    near.integrate(&dual, Equal(if setup.dtype == DType::F64 { 2e-3 } else { 2e-2 }), name, 64);
    // Where one feature differs, it has all of the relevance.
    let mut one = values(&x);
    let width = one.len() / SAMPLES;
    let root = values(&far.root);
    for at in (1..one.len()).step_by(width) {
        one[at] = root[at];
    }
    let alone = pass(setup, &net, x.clone(), upload(setup, &one, &x.dims()), 43);
    alone.conserve(setup, name);
    for relevance in alone.samples() {
        assert!(relevance.iter().enumerate().all(|(at, r)| at == 1 || *r == 0.0), "{name}");
    }
}

pub fn secant_of_affine_layers<B: Backend>(setup: &Setup<B>) {
    for name in [
        "linear",
        "rooted linear",
        "conv1d",
        "conv2d",
        "conv transpose 2d",
        "batch norm",
        "by gradient",
        "average 1d",
        "average 2d",
        "adaptive average 1d",
        "adaptive average 2d",
        "positions",
        "dropout",
        "mean",
        "sum",
        "select",
        "permute",
        "reshape",
        "flatten",
        "shift",
    ] {
        check(setup, name, Equal(setup.tolerance_at(100.0)));
    }
}

/// Products and squares: their gradient is linear along the way, so the integral is exact.
pub fn secant_of_products<B: Backend>(setup: &Setup<B>) {
    check(setup, "squared distance", Equal(setup.tolerance_at(100.0)));
    for name in ["add", "sub", "concat"] {
        check(setup, name, Equal(1e-4));
    }
    for name in ["mul", "mul by channel", "glu", "swiglu"] {
        check(setup, name, Correlated(0.97));
    }
}

/// The integral of the slope of a function of one number is the quotient.
pub fn secant_of_activations<B: Backend>(setup: &Setup<B>) {
    for name in ACTIVATIONS {
        let (net, dual) = (activation(setup, name), activation(&twin(setup), name));
        let [x, root] = ends(setup, &[3, 40], 51);
        let far = pass(setup, &net, x.clone(), root.clone(), 53);
        far.conserve(setup, name);
        // Steps see a kink to 1/512 of the way, and jumps not at all.
        if !["thresholded relu", "hard shrink", "shrink"].contains(&name) {
            far.integrate(&dual, Equal(4e-3), name, 512);
        }
        let (x, root) = (values(&x), values(&root));
        let out = |x: &[f64]| values(&infer(&net, upload(setup, x, &[SAMPLES, 3, 40])).unwrap());
        let (z, z0, m) = (out(&x), out(&root), values(&far.multiplier));
        let quotient: Vec<f64> = (0..z.len()).map(|at| m[at] * (z[at] - z0[at])).collect();
        assert_close(&far.found, &quotient, setup.tolerance_at(10.0), name);

        // Ends that are close, equal, or on the kinks: what it conserves, and no slope that a
        // gradient does not have.
        let kinks = [-3.0, -0.4, -0.3, 0.0, 0.3, 0.4, 3.0];
        let ways = [0.0, 1e-14, -1e-9, 1e-7, -1e-5, 1e-3, 0.1];
        let grid = kinks.iter().flat_map(|at| ways.iter().map(move |way| [*at, at + way]));
        let grid: Vec<[f64; 2]> = grid.collect();
        let [from, to] = [0, 1].map(|end: usize| {
            let numbers: Vec<f64> = grid.iter().map(|ends| ends[end]).collect();
            let numbers: Vec<f64> = [numbers.clone(), numbers.clone(), numbers].concat();
            upload(setup, &numbers, &[1, 3, grid.len()])
        });
        let close = pass(setup, &net, to, from, 54);
        let m = values(&close.multiplier);
        assert!(close.found.iter().all(|r| r.is_finite()), "{name}");
        close.conserve(setup, name);
        if !["thresholded relu", "hard shrink", "shrink"].contains(&name) {
            for (at, r) in close.found.iter().enumerate() {
                let [from, to] = grid[at % grid.len()];
                // Slopes of all of these are below 1.8; PReLU's below 1.
                let way = (to - from).abs() + 1e-6 * (1.0 + from.abs());
                assert!(r.abs() <= 2.0 * m[at].abs() * way, "{name}: {r} from {from} to {to}");
            }
        }
    }
}

/// A layer whose first unit is the sum of the first two features, and an activation.
fn sum_of_two<B: Backend>(setup: &Setup<B>, name: &str) -> Net<B> {
    let mut first = setup.filled(61, LinearConfig::new(20, 16).init::<B>(&setup.device));
    let mut weight = values(&first.weight.val().into());
    for input in 0..20 {
        weight[input * 16] = if input < 2 { 1.0 } else { 0.0 };
    }
    first.weight = burn::module::Param::from_tensor(setup.upload(weight, [20, 16]));
    let mut net = boxed(first);
    net.extend(activation(setup, name));
    net.extend(boxed(setup.filled(62, LinearConfig::new(16, 2).init::<B>(&setup.device))));
    net
}

/// An output that hardly changes though its inputs do: the slope must be the function's, not that
/// of rounding.
pub fn outputs_that_do_not_change<B: Backend>(setup: &Setup<B>) {
    for name in ["tanh", "gelu", "relu", "sigmoid", "silu", "softplus", "elu", "hard sigmoid"] {
        let (net, dual) = (sum_of_two(setup, name), sum_of_two(&twin(setup), name));
        let root = setup.numbers(63, 20 * SAMPLES);
        let mut x = setup.numbers(64, 20 * SAMPLES);
        for at in (0..x.len()).step_by(20) {
            // The sum changes by rounding alone.
            x[at] = root[at] + 0.375;
            x[at + 1] = root[at + 1] - 0.375;
        }
        let row = |numbers: &[f64]| upload(setup, numbers, &[SAMPLES, 20]);
        let found = pass(setup, &net, row(&x), row(&root), 65);
        found.conserve(setup, name);
        found.integrate(&dual, Correlated(0.99), name, 128);
    }
}

/// The envelope is the integral of the winner; equal for windows of any order.
pub fn secant_of_max_pools<B: Backend>(setup: &Setup<B>) {
    for name in ["max 1d", "max 2d", "max with padding", "max with more padding below"] {
        check(setup, name, Equal(2e-2));
    }
    // Ties at either end, and elements that are parallel.
    let pool = MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init();
    for (x, root, expected) in [
        // Equal lines count as the first.
        ([1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]),
        // The second leads for the first half of the way, the first after it.
        ([2.0, 1.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [1.0, 0.0, 0.0, 0.0]),
        ([3.0, -1.0, 0.0, 0.0], [-1.0, 3.0, 0.0, 0.0], [2.0, -2.0, 0.0, 0.0]),
        // Parallel and below.
        ([2.0, 1.0, 0.0, -1.0], [1.0, 0.0, -1.0, -2.0], [1.0, 0.0, 0.0, 0.0]),
        ([-3.0, -2.0, -5.0, -9.0], [-3.0, -2.0, -5.0, -9.0], [0.0, 0.0, 0.0, 0.0]),
    ] {
        let image = |values: [f64; 4]| upload(setup, &values, &[1, 1, 2, 2]);
        let ones = |z: &AnyTensor<B>, _: &AnyTensor<B>| Ok(z.map(|z| z.ones_like()));
        let found = secant(&pool, image(x), image(root), ones).unwrap();
        assert_close(&values(&found.relevance), &expected, setup.tolerance(), "window");
    }
}

/// `Δs_i = L_i (Δx_i − Σ_j w_j Δx_j)`, with logarithmic means of the outputs.
pub fn secant_of_softmax<B: Backend>(setup: &Setup<B>) {
    for name in ["softmax", "softmax of the middle"] {
        check(setup, name, Correlated(0.98));
    }
    let numbers = |seed: u64, scale: f64| -> Vec<f64> {
        setup.numbers(seed, 5).iter().map(|x| f64::from((x * scale) as f32)).collect()
    };
    // Scores that are far apart, at both ends.
    for (scale, shift) in [(1.0, 0.0), (1.0, 300.0), (40.0, 0.0), (200.0, -500.0)] {
        let x = numbers(71, scale);
        let root: Vec<f64> = numbers(72, scale).iter().map(|x| x + shift).collect();
        let m = setup.numbers(73, 5);
        let row = |values: &[f64]| upload(setup, values, &[1, 5]);
        let multiplier = |_: &AnyTensor<B>, _: &AnyTensor<B>| Ok(row(&m));
        let net: Net<B> = boxed(Function("softmax"));
        let found = secant(&net, row(&x), row(&root), multiplier).unwrap();
        let logs = |x: &[f64]| -> Vec<f64> {
            let most = x.iter().fold(f64::MIN, |a, b| a.max(*b));
            let sum: f64 = x.iter().map(|x| (x - most).exp()).sum();
            x.iter().map(|x| x - most - sum.ln()).collect()
        };
        let means: Vec<f64> = logs(&x)
            .iter()
            .zip(logs(&root))
            .map(|(p, q)| match (p - q).abs() < 1e-9 {
                true => p.exp(),
                false => (p.exp() - q.exp()) / (p - q),
            })
            .collect();
        let sum: f64 = means.iter().sum();
        let mean: f64 = means.iter().zip(&m).map(|(l, m)| l * m / sum).sum();
        let expected: Vec<f64> =
            (0..5).map(|at| means[at] * (m[at] - mean) * (x[at] - root[at])).collect();
        let tolerance = setup.tolerance_at(300.0);
        assert_close(&values(&found.relevance), &expected, tolerance, "softmax");
    }
    // A mask in place of a score.
    let masked = [0.5, f64::NEG_INFINITY, -0.25];
    let root = [0.25, f64::NEG_INFINITY, 1.0];
    let row = |values: &[f64]| upload(setup, values, &[1, 3]);
    let step_inputs = [row(&masked)];
    let roots = [row(&root)];
    let layer = burn_lrp::Softmax { dim: 1 };
    let z = Layer::<B>::forward(&layer, &step_inputs).unwrap();
    let z0 = Layer::<B>::forward(&layer, &roots).unwrap();
    let m = row(&[1.0, 5.0, -2.0]);
    let step = SecantStep::new(&step_inputs, &roots, &z, &z0, &m).unwrap();
    let found = values(&Layer::<B>::secant(&layer, &step).unwrap()[0]);
    assert!(found[1] == 0.0 && found.iter().all(|m| m.is_finite()), "{found:?}");
    let (z, z0, m) = (values(&z), values(&z0), values(&m));
    let sum: f64 = [0, 2].iter().map(|at| found[*at] * (masked[*at] - root[*at])).sum();
    let difference: f64 = (0..3).map(|at| m[at] * (z[at] - z0[at])).sum();
    assert!((sum - difference).abs() <= setup.tolerance_at(10.0), "{sum} for {difference}");
}

/// Normalisations, attention and recurrent layers, which are products of what they compute.
pub fn secant_of_compound_layers<B: Backend>(setup: &Setup<B>) {
    for name in ["layer norm", "rms norm", "group norm", "instance norm"] {
        check(setup, name, Correlated(0.93));
    }
    for name in ["attention", "quiet attention"] {
        check(setup, name, Correlated(0.95));
    }
    for name in
        ["lstm", "lstm, coupled and clipped", "gru", "gru, reset first", "both directions", "rnn"]
    {
        check(setup, name, Correlated(0.97));
    }
}

/// The normalised sample by a naive loop: a product of centred numbers and a reciprocal deviation.
pub fn secant_of_layer_norm<B: Backend>(setup: &Setup<B>) {
    let layer = LayerNormConfig::new(4).with_epsilon(0.1).init::<B>(&setup.device);
    let layer = setup.filled(5, layer);
    let gamma = values(&layer.gamma.val().into());
    let (x, root, m) = (setup.numbers(81, 4), setup.numbers(82, 4), setup.numbers(83, 4));
    let row = |values: &[f64]| upload(setup, values, &[1, 4]);
    let found = secant(&layer, row(&x), row(&root), |_, _| Ok(row(&m))).unwrap();
    let mean = |x: &[f64]| x.iter().sum::<f64>() / 4.0;
    let centred = |x: &[f64]| -> Vec<f64> { x.iter().map(|v| v - mean(x)).collect() };
    let (u, u0) = (centred(&x), centred(&root));
    let deviation = |u: &[f64]| (u.iter().map(|u| u * u).sum::<f64>() / 4.0 + 0.1).sqrt();
    let (d, d0) = (deviation(&u), deviation(&u0));
    let m: Vec<f64> = m.iter().zip(&gamma).map(|(m, g)| m * g).collect();
    let of_reciprocal: f64 = (0..4).map(|at| m[at] * (u[at] + u0[at]) / 2.0).sum();
    let of_square = of_reciprocal * (1.0 / d - 1.0 / d0) / (d * d - d0 * d0);
    let back: Vec<f64> = (0..4)
        .map(|at| m[at] * (1.0 / d + 1.0 / d0) / 2.0 + of_square * (u[at] + u0[at]) / 4.0)
        .collect();
    let expected: Vec<f64> =
        (0..4).map(|at| (back[at] - mean(&back)) * (x[at] - root[at])).collect();
    assert_close(&values(&found.relevance), &expected, setup.tolerance_at(100.0), "layer norm");
}

fn perceptron<B: Backend>(setup: &Setup<B>, name: &str, depth: usize) -> Net<B> {
    let mut net: Net<B> = Vec::new();
    for at in 0..depth {
        let inputs = if at == 0 { 20 } else { 64 };
        let layer = LinearConfig::new(inputs, 64).init::<B>(&setup.device);
        let mut layer = setup.filled(100 + 10 * at as u64, layer);
        // Weights of variance 1 / inputs, biases of variance 1/4.
        layer.weight = layer.weight.map(|weight| weight * (3.0 / inputs as f64).sqrt());
        layer.bias = layer.bias.map(|bias| bias.map(|bias| bias * 0.75_f64.sqrt()));
        net.extend(boxed(layer));
        net.extend(activation(setup, name));
    }
    net.extend(boxed(setup.filled(90, LinearConfig::new(64, 3).init::<B>(&setup.device))));
    net
}

/// Convolutions, normalisations, poolings, and a block that runs twice.
fn residual<B: Backend>(setup: &Setup<B>) -> Net<B> {
    let d = &setup.device;
    let conv = |from: usize, seed: u64| -> Net<B> {
        let conv = Conv2dConfig::new([from, 3], [3, 3]).with_padding(PaddingConfig2d::Same);
        boxed(setup.filled(seed, conv.init::<B>(d)))
    };
    let mut block = conv(3, 121);
    block.extend(boxed(normal(setup, 3)));
    block.extend(boxed(Relu));
    block.extend(conv(3, 122));
    let mut net = conv(2, 123);
    net.extend(boxed(Relu));
    net.extend(boxed(MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init()));
    net.extend(boxed(Shared(block)));
    net.extend(boxed(MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init()));
    net.extend(boxed(Function("flatten")));
    net.extend(boxed(setup.filled(124, LinearConfig::new(12, 3).init::<B>(d))));
    net
}

fn transformer<B: Backend>(setup: &Setup<B>, masked: bool) -> Net<B> {
    let config = TransformerEncoderConfig::new(8, 16, 2, 4).with_norm_first(true);
    let encoder = setup.filled(131, config.init::<B>(&setup.device));
    let mut net: Net<B> = match masked {
        true => boxed(Causal { encoder, padded: false }),
        false => boxed(encoder),
    };
    net.extend(boxed(Function("mean")));
    net.extend(boxed(setup.filled(132, LinearConfig::new(8, 3).init::<B>(&setup.device))));
    net
}

fn network<B: Backend>(setup: &Setup<B>, name: &str) -> (Net<B>, Vec<usize>) {
    match name {
        "residual network" => (residual(setup), vec![2, 8, 8]),
        "transformer" => (transformer(setup, false), vec![5, 8]),
        "masked transformer" => (transformer(setup, true), vec![5, 8]),
        "lstm" => {
            let d = &setup.device;
            let mut net = boxed(setup.filled(141, LstmConfig::new(4, 8, true).init::<B>(d)));
            net.extend(boxed(Function("select")));
            net.extend(boxed(setup.filled(142, LinearConfig::new(8, 3).init::<B>(d))));
            (net, vec![6, 4])
        }
        deep => {
            let (name, depth) = deep.split_once(' ').unwrap();
            (perceptron(setup, name, depth.parse().unwrap()), vec![20])
        }
    }
}

/// Whole networks: nothing is lost, and what they say is close to integrated gradients.
pub fn secant_of_networks<B: Backend>(setup: &Setup<B>) {
    for name in [
        "relu 6",
        "tanh 6",
        "gelu 6",
        "sigmoid 6",
        "silu 6",
        "softplus 6",
        "relu 20",
        "tanh 20",
        "residual network",
        "transformer",
        "masked transformer",
        "lstm",
    ] {
        let (net, sample) = network(setup, name);
        let (dual, _) = network(&twin(setup), name);
        let [way, root] = ends(setup, &sample, 151);
        let found = pass(setup, &net, root.plus(&way).unwrap(), root, 153);
        found.conserve(setup, name);
        if setup.dtype == DType::F64 {
            for (relevance, difference) in found.samples().zip(&found.difference) {
                let sum: f64 = relevance.iter().sum();
                let size: f64 = relevance.iter().map(|r| r.abs()).sum();
                assert!((sum - difference).abs() <= 1e-11 * size, "{name}: {sum}, {difference}");
            }
        }
        found.integrate(&dual, Correlated(0.93), name, 200);
    }
}

/// Pairs of samples and roots, in any order, against a pass of each.
pub fn pairs_of_samples_and_roots<B: Backend>(setup: &Setup<B>) {
    let pairs = [(2, 0), (0, 1), (2, 1), (1, 0), (2, 0)];
    for name in ["residual network", "masked transformer", "lstm", "relu 6"] {
        let (net, sample) = network(setup, name);
        let [x, root] = ends(setup, &sample, 161);
        let root = root.samples(0..2).unwrap();
        let (tape, roots) = (Tape::new(), Tape::new());
        let input = tape.input("input", x.clone());
        let output = net.trace(input.clone()).unwrap();
        let root_output = net.trace(roots.input("input", root.clone())).unwrap();
        let plan = output.secant_plan(&root_output).unwrap();
        let m = setup.tensor::<2>(163, [5, 3]);
        let found = plan.run_pairs(&pairs, m.clone()).unwrap().of(&input).unwrap();
        for (at, (sample, of_root)) in pairs.into_iter().enumerate() {
            let one = |t: &AnyTensor<B>, at: usize| t.samples(at..at + 1).unwrap();
            let row = AnyTensor::from(m.clone().narrow(0, at, 1));
            let alone = secant(&net, one(&x, sample), one(&root, of_root), |_, _| Ok(row)).unwrap();
            let (a, b) = (values(&one(&found, at)), values(&alone.relevance));
            assert_close(&a, &b, setup.tolerance_at(100.0), name);
        }
        // In their order, they are those of `run`.
        let roots = x.map(|x| x * 0.5);
        let whole = secant(&net, x.clone(), roots.clone(), |z, _| Ok(z.clone())).unwrap();
        let tape = Tape::new();
        let node = tape.input("input", roots);
        let other = net.trace(node).unwrap();
        let plan = output.secant_plan(&other).unwrap();
        let in_order: Vec<(usize, usize)> = (0..SAMPLES).map(|at| (at, at)).collect();
        let in_order = plan.run_pairs(&in_order, output.value().clone()).unwrap();
        let a = values(&in_order.of(&input).unwrap());
        assert_eq!(a, values(&whole.relevance), "{name}");
        for wrong in [[(SAMPLES, 0)], [(0, SAMPLES)]] {
            let one = Tensor::<B, 2>::ones([1, 3], (&setup.device, setup.dtype));
            let error = plan.run_pairs(&wrong, one).unwrap_err().to_string();
            assert!(error.contains("there is no pair"), "{error}");
        }
    }
}

/// Masks that differ from sample to sample go with the pairs.
pub fn masks_of_samples<B: Backend>(setup: &Setup<B>) {
    let config = TransformerEncoderConfig::new(4, 8, 2, 1);
    let encoder = setup.filled(171, config.init::<B>(&setup.device));
    let net = Causal { encoder, padded: true };
    let [x, root] = ends(setup, &[5, 4], 172);
    let found = pass(setup, &net, x.clone(), root, 173);
    found.conserve(setup, "masked by sample");
    let first =
        values(&found.multiplier)[..16].iter().chain(&[0.0; 4]).copied().collect::<Vec<_>>();
    let (tape, roots) = (Tape::new(), Tape::new());
    let input = tape.input("input", x.clone());
    let output = net.trace(input.clone()).unwrap();
    // The first sample is masked, as is the only root.
    let root = roots.input("input", found.root.samples(0..1).unwrap());
    let plan = output.secant_plan(&net.trace(root).unwrap()).unwrap();
    let m = found.multiplier.samples(0..1).unwrap();
    let one = plan.run_pairs(&[(0, 0)], m).unwrap().of(&input).unwrap();
    let width = found.found.len() / SAMPLES;
    assert_close(&values(&one), &found.found[..width], setup.tolerance_at(10.0), "the first");
    // A root that ran under other masks.
    let unmasked = Causal { encoder: net.encoder.clone(), padded: false };
    let root = Tape::new().input("input", found.root.samples(0..1).unwrap());
    let other = unmasked.trace(root).unwrap();
    let m = found.multiplier.samples(0..1).unwrap();
    let error = output.secant_plan(&other).unwrap().run_pairs(&[(0, 0)], m).unwrap_err();
    assert!(error.to_string().contains("under other masks"), "{error}");
    // The padding of the first sample reaches none of its other tokens.
    let m = upload(setup, &first, &[1, 5, 4]);
    let one = values(&plan.run_pairs(&[(0, 0)], m).unwrap().of(&input).unwrap());
    assert!(one[width - 4..].iter().all(|r| *r == 0.0) && one[0] != 0.0, "{one:?}");
}

/// Token ids get the relevance of their vectors.
pub fn tokens<B: Backend>(setup: &Setup<B>) {
    let embedding = setup.filled(181, EmbeddingConfig::new(7, 4).init::<B>(&setup.device));
    let lstm = setup.filled(182, LstmConfig::new(4, 3, true).init::<B>(&setup.device));
    let dtype = if setup.dtype == DType::F64 {
        burn::tensor::FloatDType::F64
    } else {
        burn::tensor::FloatDType::F32
    };
    let ids = |values: [[i32; 3]; 2]| Tensor::<B, 2, Int>::from_data(values, &setup.device);
    let (tape, roots) = (Tape::new(), Tape::new());
    let input = tape.tokens("ids", ids([[0, 3, 3], [6, 1, 2]]), dtype);
    let root = roots.tokens("ids", ids([[1, 3, 0], [6, 5, 2]]), dtype);
    let vectors = input.then("embedding", &embedding).unwrap();
    let root_vectors = root.then("embedding", &embedding).unwrap();
    let output = vectors.then("lstm", &lstm).unwrap();
    let root_output = root_vectors.then("lstm", &lstm).unwrap();
    let m = AnyTensor::from(setup.tensor::<3>(183, [2, 3, 3]));
    let found = output.secant_plan(&root_output).unwrap().run(m.clone()).unwrap();
    let relevance = found.of(&input).unwrap();
    assert_eq!(relevance.dims(), [2, 3]);
    // The same from the vectors as the input.
    let alone = secant(&lstm, vectors.value().clone(), root_vectors.value().clone(), |_, _| Ok(m));
    let expected: Vec<f64> =
        values(&alone.unwrap().relevance).chunks(4).map(|vector| vector.iter().sum()).collect();
    assert_close(&values(&relevance), &expected, setup.tolerance_at(10.0), "tokens");
    // Tokens that did not change have none.
    let relevance = values(&relevance);
    assert_eq!([relevance[1], relevance[3], relevance[5]], [0.0; 3]);
    let error = found.multiplier(&input).unwrap_err().to_string();
    assert!(error.contains("discrete"), "{error}");

    // Ids that are numbers, too: the sum of both uses.
    let sum = vectors.sum_over(2).unwrap().add(&input).unwrap();
    let root_sum = root_vectors.sum_over(2).unwrap().add(&root).unwrap();
    let m = AnyTensor::from(setup.tensor::<2>(184, [2, 3]));
    let found = sum.secant_plan(&root_sum).unwrap().run(m.clone()).unwrap();
    let sums = values(&found.of(&input).unwrap().row_sums().into());
    let made = sum.value().zip(root_sum.value(), |a, b| a - b).unwrap().times(&m).unwrap();
    let made = values(&made.row_sums().into());
    assert_close(&sums, &made, setup.tolerance_at(10.0), "ids used twice");
}

/// A layer without a secant.
#[derive(Debug)]
struct Opaque;

impl<B: Backend> Layer<B> for Opaque {
    fn kind(&self) -> Kind {
        Kind::new("Opaque", Family::Other)
    }
    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        Ok(inputs[0].clone())
    }
    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass]
    }
    fn default_rule(&self) -> Rule {
        Rule::PASS
    }
    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
        Ok(Redistribution::single(step.relevance.clone()))
    }
}
leaf!(Opaque);

/// What has no secant is listed before anything runs; other networks, shapes and numbers are
/// refused.
pub fn secant_refusals<B: Backend>(setup: &Setup<B>) {
    let x = || AnyTensor::from(setup.tensor::<2>(191, [2, 4]));
    let ones = |z: &AnyTensor<B>, _: &AnyTensor<B>| Ok(z.map(|z| z.ones_like()));
    let net: Net<B> = vec![Box::new(Opaque), Box::new(Tanh), Box::new(Opaque)];
    let error = secant(&net, x(), x(), ones).unwrap_err();
    assert!(matches!(&error, Error::NoSecant(missing) if missing.len() == 2), "{error}");
    let error = error.to_string();
    assert!(error.contains("`0` (Opaque): it has no secant"), "{error}");
    assert!(error.contains("`2` (Opaque)") && error.contains("`has_secant`"), "{error}");

    let layer = setup.filled(192, LinearConfig::new(4, 3).init::<B>(&setup.device));
    let tapes = [Tape::new(), Tape::new(), Tape::inference()];
    let input = tapes[0].input("x", x());
    let output = input.then("layer", &layer).unwrap();
    let other = tapes[1].input("x", x());
    for (root, detail) in [
        (other.then("layer", &layer).unwrap().tanh().unwrap(), "3 values"),
        (other.then("other", &layer).unwrap(), "`other` ran for the roots where `layer` ran"),
        (Tape::new().input("x", x()).tanh().unwrap(), "`tanh` ran for the roots"),
        (tapes[2].input("x", x()).then("layer", &layer).unwrap(), "keeps no activations"),
    ] {
        let error = output.secant_plan(&root).unwrap_err().to_string();
        assert!(error.contains(detail), "{error}");
    }
    let wide = setup.filled(192, LinearConfig::new(5, 3).init::<B>(&setup.device));
    let tape = Tape::new();
    let five = tape.input("x", setup.tensor::<2>(1, [2, 5])).then("layer", &wide).unwrap();
    let error = output.secant_plan(&five).unwrap_err().to_string();
    assert!(error.contains("of the roots") && error.contains("[2, 5]"), "{error}");

    let tape = Tape::new();
    let root = tape.input("x", x().samples(0..1).unwrap()).then("layer", &layer).unwrap();
    let plan = output.secant_plan(&root).unwrap();
    let multiplier = |dims: [usize; 2]| setup.tensor::<2>(1, dims);
    let error = plan.run(multiplier([2, 3])).unwrap_err().to_string();
    assert!(error.contains("a root for every sample"), "{error}");
    for wrong in [[2, 4], [1, 3]] {
        let error = plan.run_pairs(&[(0, 0), (1, 0)], multiplier(wrong)).unwrap_err().to_string();
        assert!(error.contains("that of the output"), "{error}");
    }
    let nan = multiplier([1, 3]) * f64::NAN;
    let error = plan.run_pairs(&[(0, 0)], nan).unwrap_err().to_string();
    assert!(error.contains("NaN or infinite"), "{error}");
    let none = plan.run_pairs(&[], multiplier([1, 3]).narrow(0, 0, 1)).unwrap_err().to_string();
    assert!(none.contains("there are none"), "{none}");
    let found = plan.run_pairs(&[(0, 0)], multiplier([1, 3])).unwrap();
    let error = found.of(&output).unwrap_err().to_string();
    assert!(error.contains("only the relevance of inputs"), "{error}");
    assert!(matches!(found.of(&other), Err(Error::ForeignNode)));
    // An input that the output does not depend on.
    let unused = tapes[0].input("unused", setup.tensor::<2>(1, [2, 7]));
    let found = plan.run_pairs(&[(0, 0)], multiplier([1, 3])).unwrap();
    assert_eq!(values(&found.of(&unused).unwrap()), [0.0; 7]);
}
