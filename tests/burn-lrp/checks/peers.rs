//! Whole networks against zennit and captum, whose numbers
//! `tests/reference/lrp/make.py` writes.

use std::collections::HashMap;

use burn::module::{Param, ParamId, RunningState};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{AvgPool2d, AvgPool2dConfig, MaxPool2d, MaxPool2dConfig};
use burn::nn::{
    BatchNorm, BatchNormConfig, LeakyRelu, LeakyReluConfig, Linear, PaddingConfig2d, Relu, Tanh,
};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use burn_lrp::{AnyTensor, Composite, Family, Node, Relevance, Result, Rule, Selector, Tape};
use serde::Deserialize;

use super::setup::{Setup, assert_close, values};

/// In double precision, relative to the largest number; what is reached is 1e-14.
const DOUBLE: f64 = 1e-12;

/// In single precision; what is reached is 5e-6, where relevance is divided by
/// sums that nearly cancel.
const SINGLE: f64 = 1e-4;

#[derive(Deserialize)]
struct Numbers {
    shape: Vec<usize>,
    values: Vec<f64>,
}

#[derive(Deserialize)]
struct Reference {
    tensors: HashMap<String, Numbers>,
}

/// Parameters of a network, for one backend in one precision.
struct Parameters<'a, B: Backend> {
    reference: &'a Reference,
    setup: &'a Setup<B>,
    biased: bool,
}

impl<B: Backend> Parameters<'_, B> {
    fn tensor<const D: usize>(&self, name: &str) -> Tensor<B, D> {
        let numbers = &self.reference.tensors[name];
        self.setup.upload(numbers.values.clone(), numbers.shape.clone().try_into().unwrap())
    }

    fn param<const D: usize>(&self, name: &str) -> Param<Tensor<B, D>> {
        Param::initialized(ParamId::new(), self.tensor(name))
    }

    fn bias(&self, layer: &str) -> Option<Param<Tensor<B, 1>>> {
        let name = format!("{layer}.bias");
        let known = self.biased && self.reference.tensors.contains_key(&name);
        known.then(|| self.param(&name))
    }

    /// A convolution with a kernel of 3 and a padding of 1.
    fn conv(&self, name: &str, stride: usize) -> Conv2d<B> {
        let weight: Param<Tensor<B, 4>> = self.param(&format!("{name}.weight"));
        let [outputs, inputs, height, width] = weight.dims();
        let config = Conv2dConfig::new([inputs, outputs], [height, width])
            .with_stride([stride, stride])
            .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
        Conv2d { weight, bias: self.bias(name), ..config.init(&self.setup.device) }
    }

    /// PyTorch's weights are the other way round.
    fn linear(&self, name: &str) -> Linear<B> {
        let weight: Tensor<B, 2> = self.tensor(&format!("{name}.weight"));
        let weight = Param::initialized(ParamId::new(), weight.transpose());
        Linear { weight, bias: self.bias(name) }
    }

    fn norm(&self, name: &str) -> BatchNorm<B> {
        let gamma: Param<Tensor<B, 1>> = self.param(&format!("{name}.weight"));
        let config = BatchNormConfig::new(gamma.dims()[0]);
        BatchNorm {
            gamma,
            beta: self.param(&format!("{name}.bias")),
            running_mean: RunningState::new(self.tensor(&format!("{name}.running_mean"))),
            running_var: RunningState::new(self.tensor(&format!("{name}.running_var"))),
            ..config.init(&self.setup.device)
        }
    }
}

struct Convolutions<B: Backend> {
    conv1: Conv2d<B>,
    pool: MaxPool2d,
    conv2: Conv2d<B>,
    fc1: Linear<B>,
    fc2: Linear<B>,
}

impl<B: Backend> Convolutions<B> {
    fn new(parameters: &Parameters<'_, B>) -> Self {
        Self {
            conv1: parameters.conv("conv1", 1),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            conv2: parameters.conv("conv2", 2),
            fc1: parameters.linear("fc1"),
            fc2: parameters.linear("fc2"),
        }
    }
}

impl<B: Backend> Relevance<B> for Convolutions<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> Result<Node<'m, B>> {
        let x = x.then("conv1", &self.conv1)?.then("relu1", &Relu)?.then("pool", &self.pool)?;
        let x = x.then("conv2", &self.conv2)?.then("relu2", &Relu)?.flatten()?;
        x.then("fc1", &self.fc1)?.then("relu3", &Relu)?.then("fc2", &self.fc2)
    }
}

struct Residual<B: Backend> {
    conv1: Conv2d<B>,
    bn1: BatchNorm<B>,
    conv2: Conv2d<B>,
    bn2: BatchNorm<B>,
    conv3: Conv2d<B>,
    bn3: BatchNorm<B>,
    pool: AvgPool2d,
    fc: Linear<B>,
}

impl<B: Backend> Residual<B> {
    fn new(parameters: &Parameters<'_, B>) -> Self {
        Self {
            conv1: parameters.conv("conv1", 1),
            bn1: parameters.norm("bn1"),
            conv2: parameters.conv("conv2", 1),
            bn2: parameters.norm("bn2"),
            conv3: parameters.conv("conv3", 1),
            bn3: parameters.norm("bn3"),
            pool: AvgPool2dConfig::new([2, 2]).init(),
            fc: parameters.linear("fc"),
        }
    }
}

impl<B: Backend> Relevance<B> for Residual<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> Result<Node<'m, B>> {
        let x = x.then("conv1", &self.conv1)?.then("bn1", &self.bn1)?.then("relu1", &Relu)?;
        let y = x.then("conv2", &self.conv2)?.then("bn2", &self.bn2)?.then("relu2", &Relu)?;
        let y = y.then("conv3", &self.conv3)?.then("bn3", &self.bn3)?;
        let both = y.add(&x)?.then("relu3", &Relu)?;
        both.then("pool", &self.pool)?.flatten()?.then("fc", &self.fc)
    }
}

struct Perceptron<B: Backend> {
    fc1: Linear<B>,
    fc2: Linear<B>,
    leaky: LeakyRelu,
    fc3: Linear<B>,
}

impl<B: Backend> Perceptron<B> {
    fn new(parameters: &Parameters<'_, B>) -> Self {
        Self {
            fc1: parameters.linear("fc1"),
            fc2: parameters.linear("fc2"),
            leaky: LeakyReluConfig { negative_slope: 0.1 }.init(),
            fc3: parameters.linear("fc3"),
        }
    }
}

impl<B: Backend> Relevance<B> for Perceptron<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> Result<Node<'m, B>> {
        let x = x.then("fc1", &self.fc1)?.then("tanh", &Tanh)?;
        x.then("fc2", &self.fc2)?.then("leaky", &self.leaky)?.then("fc3", &self.fc3)
    }
}

/// A relevance of a peer, and what we give our layers for it.
struct Case {
    name: &'static str,
    /// The first layer with weights.
    first: &'static str,
    /// Other convolutions, and normalisations that are layers of their own.
    convolutions: &'static str,
    dense: &'static str,
    /// The last layer.
    last: &'static str,
}

const EPSILON: &str = "epsilon=0.01";

impl Case {
    const fn all(name: &'static str, rule: &'static str) -> Self {
        Self { name, first: rule, convolutions: rule, dense: rule, last: rule }
    }

    const fn first(name: &'static str, first: &'static str) -> Self {
        Self { name, first, convolutions: EPSILON, dense: EPSILON, last: EPSILON }
    }

    /// Of captum's own rules between the first layer and the last.
    const fn between(name: &'static str, rule: &'static str) -> Self {
        Self { name, first: EPSILON, convolutions: rule, dense: rule, last: EPSILON }
    }

    const ZENNIT: [Self; 10] = [
        Self::all("epsilon", EPSILON),
        Self::all("gamma", "gamma=0.25"),
        Self::all("z-plus", "z-plus"),
        Self::all("alpha-beta", "alpha-beta=2,1"),
        Self::all("w-square", "w-square"),
        Self::all("flat", "flat"),
        Self::first("box", "box=-1,1"),
        Self::first("first w-square", "w-square"),
        Self::first("first flat", "flat"),
        Self {
            name: "mixed",
            first: "box=-1,1",
            convolutions: "gamma=0.25",
            dense: EPSILON,
            last: EPSILON,
        },
    ];

    fn composite(&self) -> Composite {
        let rule = |text: &str| -> Rule { text.parse().unwrap() };
        Composite::new()
            .with(Selector::kind("Add"), Rule::PROPORTIONAL)
            .with(Selector::kind("AvgPool2d"), Rule::PROPORTIONAL)
            .with(Selector::All.first(), rule(self.first))
            .with(Selector::All.last(), rule(self.last))
            .with(Selector::Family(Family::Dense), rule(self.dense))
            .with(Selector::Family(Family::Convolution), rule(self.convolutions))
            .with(Selector::kind("BatchNorm"), rule(self.convolutions))
    }
}

/// One network, all relevances of zennit and some of captum, the latter without
/// biases where it says so.
fn check<B: Backend, M: Relevance<B>>(
    setup: &Setup<B>,
    reference: &str,
    network: impl Fn(&Parameters<'_, B>) -> M,
    of_captum: &[(bool, Case)],
) {
    let reference: Reference = serde_json::from_str(reference).unwrap();
    let with_biases = Parameters { reference: &reference, setup, biased: true };
    let without = Parameters { reference: &reference, setup, biased: false };
    let (network, bare) = (network(&with_biases), network(&without));
    for case in &Case::ZENNIT {
        let name = format!("zennit {}", case.name);
        let (output, relevance) = explained(&with_biases, &network, &case.composite(), None);
        compare(setup, &reference, &output, "output");
        compare(setup, &reference, &relevance, &name);
    }
    for (biased, case) in of_captum {
        let name = format!("captum {}", case.name);
        let network = if *biased { &network } else { &bare };
        // captum explains one output, and knows no merging.
        let composite = case.composite().with_merged_normalization(false);
        let (_, relevance) = explained(&with_biases, network, &composite, Some(2));
        compare(setup, &reference, &relevance, &name);
    }
}

fn explained<B: Backend>(
    parameters: &Parameters<'_, B>,
    network: &impl Relevance<B>,
    composite: &Composite,
    target: Option<usize>,
) -> (AnyTensor<B>, AnyTensor<B>) {
    let Parameters { reference, setup, .. } = parameters;
    let Numbers { shape: dims, values } = &reference.tensors["input"];
    let x = AnyTensor::from(setup.upload(values.clone(), [values.len()])).reshape(dims).unwrap();
    let tape = Tape::new();
    let input = tape.input("x", x);
    let output = network.trace(input.clone()).unwrap();
    let classes = output.value().dims()[1];
    let mask = (0..output.value().len())
        .map(|at| if target.is_none_or(|target| at % classes == target) { 1.0 } else { 0.0 })
        .collect();
    let mask = AnyTensor::from(setup.upload(mask, [dims[0], classes]));
    let start = output.value().times(&mask).unwrap();
    let relevances = output.plan(composite).unwrap().run(start).unwrap();
    (output.value().clone(), relevances.of(&input).unwrap())
}

#[track_caller]
fn compare<B: Backend>(setup: &Setup<B>, reference: &Reference, found: &AnyTensor<B>, name: &str) {
    let tolerance = match setup.dtype {
        DType::F64 => DOUBLE,
        _ => SINGLE,
    };
    let expected = &reference.tensors[name];
    assert_eq!(found.dims(), expected.shape, "{name}");
    assert_close(&values(found), &expected.values, tolerance, name);
}

pub fn convolutions<B: Backend>(setup: &Setup<B>) {
    let reference = include_str!("../../reference/lrp/convolutions.json");
    let of_captum = [
        (true, Case::all("epsilon", EPSILON)),
        (false, Case::between("gamma", "gamma=0.25")),
        (false, Case::between("alpha-beta", "alpha-beta=1,0")),
    ];
    check(setup, reference, Convolutions::new, &of_captum);
}

pub fn residual<B: Backend>(setup: &Setup<B>) {
    let reference = include_str!("../../reference/lrp/residual.json");
    check(setup, reference, Residual::new, &[(true, Case::all("epsilon", EPSILON))]);
}

pub fn perceptron<B: Backend>(setup: &Setup<B>) {
    let reference = include_str!("../../reference/lrp/perceptron.json");
    check(setup, reference, Perceptron::new, &[(true, Case::all("epsilon", EPSILON))]);
}
