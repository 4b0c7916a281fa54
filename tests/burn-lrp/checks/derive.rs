//! `#[derive(Relevance)]`: the same network as one written by hand, names and all.

use std::marker::PhantomData;

use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig, Relu};
use burn::tensor::Tensor;
use burn::tensor::activation::{gelu, leaky_relu, relu, softplus};
use burn::tensor::backend::Backend;
use burn_lrp::{AnyTensor, Composite, Error, Relevance, Tape, infer};

use super::setup::{Setup, assert_close, values};

#[derive(Module, Debug, Relevance)]
struct Net<B: Backend> {
    #[relevance(then(relu))]
    conv: Conv2d<B>,
    norm: BatchNorm<B>,
    activation: Relu,
    pool: MaxPool2d,
    /// Numbers and texts are no layers.
    classes: usize,
    #[relevance(before(flatten), residual, then(relu))]
    hidden: Linear<B>,
    dropout: Dropout,
    /// Used in training alone.
    #[relevance(skip)]
    auxiliary: Linear<B>,
    r#type: Linear<B>,
}

impl<B: Backend> Net<B> {
    fn new(setup: &Setup<B>) -> Self {
        let device = &setup.device;
        let net = Self {
            conv: Conv2dConfig::new([1, 2], [2, 2]).init(device),
            norm: BatchNormConfig::new(2).init(device),
            activation: Relu::new(),
            pool: MaxPool2dConfig::new([2, 2]).init(),
            classes: 3,
            hidden: LinearConfig::new(8, 8).init(device),
            dropout: DropoutConfig::new(0.5).init(),
            auxiliary: LinearConfig::new(9, 9).init(device),
            r#type: LinearConfig::new(8, 3).init(device),
        };
        let mut net = setup.filled(1, net);
        net.norm.running_var = burn::module::RunningState::new(setup.tensor(2, [2]).abs() + 0.1);
        net.norm.running_mean = burn::module::RunningState::new(setup.tensor(3, [2]));
        net
    }
}

pub fn derived_as_by_hand<B: Backend>(setup: &Setup<B>) {
    let net = Net::new(setup);
    assert_eq!((net.classes, net.auxiliary.weight.dims()), (3, [9, 9]));
    let x = setup.tensor::<4>(4, [2, 1, 5, 5]);

    let derived = Tape::new();
    let input = derived.input("x", x.clone());
    let output = input.then("net", &net).unwrap();
    let plan = output.plan(&Composite::default()).unwrap();
    let found = plan.run(output.value().clone()).unwrap().of(&input).unwrap();

    let by_hand = Tape::new();
    let start = by_hand.input("x", x);
    let end = start
        .scoped("net", |node| {
            let node = node.then("conv", &net.conv)?.relu()?;
            let node = node.then("norm", &net.norm)?.then("activation", &net.activation)?;
            let node = node.then("pool", &net.pool)?.flatten()?;
            let node = node.then("hidden", &net.hidden)?.add(&node)?.relu()?;
            node.then("dropout", &net.dropout)?.then("type", &net.r#type)
        })
        .unwrap();
    let other = end.plan(&Composite::default()).unwrap();
    let expected = other.run(end.value().clone()).unwrap().of(&start).unwrap();

    assert_eq!(plan.layers(), other.layers());
    let paths: Vec<&str> = plan.layers().iter().map(|layer| layer.path.as_str()).collect();
    let names = [
        "net.conv",
        "net.relu",
        "net.norm",
        "net.activation",
        "net.pool",
        "net.flatten",
        "net.hidden",
        "net.add",
        "net.relu#2",
        "net.dropout",
        "net.type",
    ];
    assert_eq!(paths, names);
    assert_eq!(values(output.value()), values(end.value()));
    assert_eq!(values(&found), values(&expected));
    assert!(values(&found).iter().any(|value| *value != 0.0));
}

/// A backend of another name, functions with numbers.
#[derive(Debug, Relevance)]
struct Functions<Real: Backend>(
    #[relevance(then(gelu, leaky_relu(0.2)))] Linear<Real>,
    #[relevance(before(sigmoid), then(softplus(2.0), tanh))] Linear<Real>,
    #[relevance(before(reshape(2, 2), permute(0, 2, 1), flatten))] Linear<Real>,
);

pub fn derived_functions<B: Backend>(setup: &Setup<B>) {
    let linear = |seed| setup.filled(seed, LinearConfig::new(4, 4).init::<B>(&setup.device));
    let net = Functions(linear(1), linear(3), linear(5));
    let x = setup.tensor::<2>(7, [3, 4]);
    let found = infer(&net, x.clone()).unwrap();
    let x = leaky_relu(gelu(net.0.forward(x)), 0.2);
    // Burn's own sigmoid rounds f64 to f32 on some backends.
    let x = x.ones_like() / (x.neg().exp() + 1.0);
    let x = softplus(net.1.forward(x), 2.0).tanh();
    let x = x.reshape([3, 2, 2]).swap_dims(1, 2).reshape([3, 4]);
    let expected = AnyTensor::from(net.2.forward(x));
    assert_close(&values(&found), &values(&expected), setup.tolerance(), "output");

    let tape = Tape::new();
    let output = tape.input("x", setup.tensor::<2>(7, [3, 4])).then("net", &net).unwrap();
    let plan = output.plan(&Composite::default()).unwrap();
    let paths: Vec<&str> = plan.layers().iter().map(|layer| layer.path.as_str()).collect();
    let names = [
        "net.0",
        "net.gelu",
        "net.leaky_relu",
        "net.sigmoid",
        "net.1",
        "net.softplus",
        "net.tanh",
        "net.reshape",
        "net.permute",
        "net.flatten",
        "net.2",
    ];
    assert_eq!(paths, names);
}

/// Which module there is, is known at run time only.
#[derive(Module, Debug, Relevance)]
enum Head<B: Backend> {
    Plain(Linear<B>),
    #[relevance(residual, then(relu))]
    Deep(Row<B, Linear<B>>),
}

/// Modules of a type parameter.
#[derive(Module, Debug, Relevance)]
struct Row<B: Backend, M: Module<B>> {
    rows: Vec<M>,
    last: Option<M>,
    _backend: PhantomData<B>,
}

/// No backend of its own, and what is never a layer.
#[derive(Debug, Relevance)]
struct Pair<M>
where
    M: std::fmt::Debug,
{
    #[allow(dead_code)]
    sizes: ([usize; 2], Option<f64>, &'static str),
    layer: M,
    activation: Relu,
}

pub fn derived_enums_and_generics<B: Backend>(setup: &Setup<B>) {
    let linear = |seed| setup.filled(seed, LinearConfig::new(3, 3).init::<B>(&setup.device));
    let x = setup.tensor::<2>(9, [2, 3]);
    let rows =
        || Row { rows: vec![linear(1), linear(3)], last: Some(linear(5)), _backend: PhantomData };
    let paths = |module: &dyn Relevance<B>| -> Vec<String> {
        let tape = Tape::new();
        let output = tape.input("x", x.clone()).then("head", module).unwrap();
        let plan = output.plan(&Composite::default()).unwrap();
        plan.layers().iter().map(|layer| layer.path.clone()).collect()
    };

    let plain = Head::Plain(linear(1));
    assert_eq!(paths(&plain), ["head"]);
    let found = infer(&plain, x.clone()).unwrap();
    assert_eq!(values(&found), values(&linear(1).forward(x.clone()).into()));

    let deep = Head::Deep(rows());
    let names = ["head.rows.0", "head.rows.1", "head.last", "head.add", "head.relu"];
    assert_eq!(paths(&deep), names);
    let inner = linear(5).forward(linear(3).forward(linear(1).forward(x.clone())));
    let expected = AnyTensor::from(relu(inner + x.clone()));
    let found = infer(&deep, x.clone()).unwrap();
    assert_close(&values(&found), &values(&expected), setup.tolerance(), "output");

    let pair = Pair { sizes: ([1, 2], None, "nothing"), layer: linear(1), activation: Relu::new() };
    assert_eq!(paths(&pair), ["head.layer", "head.activation"]);
}

/// What a macro makes is derived like anything else.
macro_rules! made {
    ($name:ident, $field:ident: $layer:ident) => {
        #[derive(Debug, Relevance)]
        struct $name<B: Backend> {
            #[relevance(residual, then(relu))]
            $field: $layer<B>,
        }
    };
}

made!(Made, layer: Linear);

pub fn derived_sum_of_two_shapes<B: Backend>(setup: &Setup<B>) {
    let linear = LinearConfig::new(3, 2).init::<B>(&setup.device);
    let net = Made { layer: setup.filled(1, linear) };
    let x: Tensor<B, 2> = setup.tensor(2, [2, 3]);
    let refused = infer(&net, x).unwrap_err();
    assert!(matches!(refused, Error::Shape { .. }), "{refused}");
    assert!(refused.to_string().contains("[2, 3]"), "{refused}");
}
