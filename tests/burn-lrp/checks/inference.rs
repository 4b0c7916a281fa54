//! A pass is inference, and looks only, where Burn would train.

use burn::backend::Autodiff;
use burn::module::{AutodiffModule, Module, ModuleVisitor, Param, RunningState};
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Dropout, DropoutConfig, Linear, LinearConfig, Relu};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_lrp::{Composite, Family, Node, Relevance, Result, Rule, Selector, Tape, infer};

use super::oracle::twin;
use super::setup::{Setup, assert_close, values};

#[derive(Module, Debug)]
struct Net<B: Backend> {
    conv: Conv1d<B>,
    norm: BatchNorm<B>,
    relu: Relu,
    dropout: Dropout,
    second: BatchNorm<B>,
    linear: Linear<B>,
}

impl<B: Backend> Net<B> {
    fn new(setup: &Setup<B>) -> Self {
        let device = &setup.device;
        let norm = |channels, seed| {
            let mut norm = BatchNormConfig::new(channels).init::<B>(device);
            norm = setup.filled(seed, norm);
            norm.running_mean = RunningState::new(setup.tensor(seed + 10, [channels]));
            norm.running_var = RunningState::new(setup.tensor(seed + 20, [channels]).abs() + 0.1);
            norm
        };
        let mut conv = setup.filled(51, Conv1dConfig::new(2, 3, 2).init::<B>(device));
        conv.weight = conv.weight.set_require_grad(true);
        let mut linear = setup.filled(53, LinearConfig::new(9, 2).init::<B>(device));
        linear.weight = linear.weight.set_require_grad(true);
        let dropout = DropoutConfig::new(0.9).init();
        Self { conv, norm: norm(3, 54), relu: Relu, dropout, second: norm(9, 57), linear }
    }

    /// As Burn runs it.
    fn forward(&self, x: Tensor<B, 3>) -> Tensor<B, 2> {
        let x = self.relu.forward(self.norm.forward(self.conv.forward(x)));
        let x = self.dropout.forward(x).flatten::<2>(1, 2);
        self.linear.forward(self.dropout.forward(self.second.forward(x)))
    }
}

impl<B: Backend> Relevance<B> for Net<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> Result<Node<'m, B>> {
        let x = x.then("conv", &self.conv)?.then("norm", &self.norm)?.then("relu", &self.relu)?;
        let x = x.then("dropout", &self.dropout)?.flatten()?.then("second", &self.second)?;
        x.then("dropout", &self.dropout)?.then("linear", &self.linear)
    }
}

fn composite() -> Composite {
    Composite::new()
        .with(Selector::Family(Family::Convolution), Rule::gamma(0.25).unwrap())
        .with(Selector::Family(Family::Dense), Rule::epsilon(0.01).unwrap())
}

fn explained<B: Backend>(net: &Net<B>, x: Tensor<B, 3>) -> Vec<f64> {
    let tape = Tape::new();
    let input = tape.input("x", x);
    let output = net.trace(input.clone()).unwrap();
    let plan = output.plan(&composite()).unwrap();
    values(&plan.run(output.value().clone()).unwrap().of(&input).unwrap())
}

/// Parameters, with what of them is learned, and running statistics.
#[derive(Debug, Default, PartialEq)]
struct State {
    parameters: Vec<(Vec<f64>, bool)>,
    running: Vec<Vec<f64>>,
}

impl<B: Backend> ModuleVisitor<B> for State {
    fn visit_float<const D: usize>(&mut self, param: &Param<Tensor<B, D>>) {
        self.parameters.push((values(&param.val().into()), param.is_require_grad()));
    }
}

fn state<B: Backend>(net: &Net<B>) -> State {
    let mut state = State::default();
    net.visit(&mut state);
    for norm in [&net.norm, &net.second] {
        for statistic in [norm.running_mean.value_sync(), norm.running_var.value_sync()] {
            state.running.push(values(&statistic.into()));
        }
    }
    state
}

pub fn never_training<B: Backend>(setup: &Setup<B>) {
    let other = twin(setup);
    let net = Net::new(&other);
    let x = setup.tensor::<3>(61, [3, 2, 4]);
    let dual = Tensor::<Autodiff<B>, 3>::from_inner(x.clone());
    let before = state(&net);
    assert!(before.parameters.iter().any(|(_, learned)| *learned));

    let plain = net.valid();
    let expected = values(&plain.forward(x.clone()).into());
    let output = infer(&net, dual.clone()).unwrap();
    assert_close(&values(&output), &expected, setup.tolerance_at(100.0), "output");

    let first = explained(&net, dual.clone());
    assert_eq!(first, explained(&net, dual.clone()), "explained twice");
    assert_eq!(first, explained(&plain, x.clone()), "explained where nothing can train");
    assert!(first.iter().any(|value| *value != 0.0));
    assert_eq!(state(&net), before, "a pass changed the network");

    // The network is one that training changes, and Burn keeps the change aside.
    let trained = values(&net.forward(dual.clone()).into());
    assert_ne!(trained, values(&output));
    let after = explained(&net, dual);
    assert_ne!(after, first);
    assert_ne!(state(&net).running, before.running);
    assert_eq!(after, explained(&net.valid(), x), "explained after a training step");
}
