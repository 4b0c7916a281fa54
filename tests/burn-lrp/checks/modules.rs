//! Modules in a row and around a skip connection: what they compute, save, load and learn.

use burn::backend::Autodiff;
use burn::module::{AutodiffModule, Module, ModuleMapper, Param};
use burn::nn::{Linear, LinearConfig, Relu};
use burn::record::{FullPrecisionSettings, NamedMpkFileRecorder};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use burn_lrp::module::{Residual, Sequential};
use burn_lrp::{Composite, Relevance, Tape};
use burn_store::{BurnpackStore, ModuleSnapshot};

use super::setup::{Setup, assert_close, values};

type Block<B> = Residual<(Linear<B>, Relu), Option<Linear<B>>>;
type Net<B> = Sequential<(Linear<B>, [Block<B>; 2], Residual<Linear<B>>)>;

fn net<B: Backend>(setup: &Setup<B>, seed: u64) -> Net<B> {
    let linear = |inputs, outputs| LinearConfig::new(inputs, outputs).init::<B>(&setup.device);
    let block = |outputs, shortcut| {
        Residual::new((linear(3, outputs), Relu::new())).with_shortcut(shortcut)
    };
    let blocks = [block(3, None), block(2, Some(linear(3, 2)))];
    setup.filled(seed, Sequential::new((linear(4, 3), blocks, Residual::new(linear(2, 2)))))
}

/// The same by Burn's own functions.
fn plain<B: Backend>(net: &Net<B>, x: Tensor<B, 2>) -> Tensor<B, 2> {
    let (first, blocks, last) = net.modules();
    let mut x = first.forward(x);
    for block in blocks {
        let (linear, relu) = block.inner();
        let skip = match block.shortcut() {
            Some(shortcut) => shortcut.forward(x.clone()),
            None => x.clone(),
        };
        x = relu.forward(linear.forward(x)) + skip;
    }
    last.inner().forward(x.clone()) + x
}

fn snapshots<B: Backend>(net: &Net<B>) -> Vec<(String, DType, Vec<f64>)> {
    let each = net.collect(None, None, false).into_iter().map(|tensor| {
        let data = tensor.to_data().unwrap();
        (tensor.full_path(), data.dtype, data.iter::<f64>().collect())
    });
    each.collect()
}

pub fn modules_run_and_are_named<B: Backend>(setup: &Setup<B>) {
    let net = net(setup, 1);
    let x = setup.tensor::<2>(2, [3, 4]);
    let found: Tensor<B, 2> = net.forward(x.clone()).unwrap();
    let expected = plain(&net, x.clone());
    assert_close(&values(&found.into()), &values(&expected.into()), setup.tolerance(), "output");

    let names: Vec<String> = snapshots(&net).into_iter().map(|(name, ..)| name).collect();
    let weights: Vec<&str> = names.iter().filter_map(|name| name.strip_suffix(".weight")).collect();
    let parts = ["0", "1.0.inner.0", "1.1.inner.0", "1.1.shortcut", "2.inner"];
    assert_eq!(weights, parts);

    let tape = Tape::new();
    let output = tape.input("x", x.clone()).then("net", &net).unwrap();
    let plan = output.plan(&Composite::default()).unwrap();
    let paths: Vec<&str> = plan.layers().iter().map(|layer| layer.path.as_str()).collect();
    let layers = [
        "net.0",
        "net.1.0.inner.0",
        "net.1.0.inner.1",
        "net.1.0.add",
        "net.1.1.inner.0",
        "net.1.1.inner.1",
        "net.1.1.shortcut",
        "net.1.1.add",
        "net.2.inner",
        "net.2.add",
    ];
    assert_eq!(paths, layers);
    for part in parts {
        assert!(paths.contains(&format!("net.{part}").as_str()), "{part}");
    }

    // A shape that is wrong, and a rank that is.
    assert!(net.forward::<B, 2, 2>(setup.tensor(2, [3, 5])).is_err());
    assert!(net.forward::<B, 2, 3>(x).is_err());
}

pub fn modules_print_themselves<B: Backend>(setup: &Setup<B>) {
    let linear = LinearConfig::new(2, 2).with_bias(false).init::<B>(&setup.device);
    let net = Sequential::new((Relu::new(), Residual::new(linear)));
    let expected = "\
Sequential {
  0: Relu
  1: Residual {
    inner: Linear {d_input: 2, d_output: 2, bias: false, params: 4}
    shortcut: Identity
  }
}";
    assert_eq!(format!("{net}"), expected);
}

pub fn modules_saved_and_loaded<B: Backend>(setup: &Setup<B>) {
    let saved = net(setup, 1);
    let bits = snapshots(&saved);
    assert_eq!(bits[0].1, setup.dtype);
    let folder = tempfile::tempdir().unwrap();

    // Recorders do not keep double precision on every backend.
    if setup.dtype == DType::F32 {
        let recorder = NamedMpkFileRecorder::<FullPrecisionSettings>::new();
        let path = folder.path().join("net");
        saved.clone().save_file(path.clone(), &recorder).unwrap();
        let other = net(setup, 100);
        assert_ne!(snapshots(&other), bits);
        let loaded = other.load_file(path, &recorder, &setup.device).unwrap();
        assert_eq!(snapshots(&loaded), bits);
    }

    let mut store = BurnpackStore::from_file(folder.path().join("net.bpk"));
    saved.save_into(&mut store).unwrap();
    let mut loaded = net(setup, 100);
    assert_ne!(snapshots(&loaded), bits);
    let result = loaded.load_from(&mut store).unwrap();
    assert!(result.missing.is_empty() && result.unused.is_empty(), "{result}");
    assert_eq!(snapshots(&loaded), bits);
}

struct Tracked;

impl<B: Backend> ModuleMapper<B> for Tracked {
    fn map_float<const D: usize>(&mut self, param: Param<Tensor<B, D>>) -> Param<Tensor<B, D>> {
        param.map(|tensor| tensor.require_grad())
    }
}

/// Gradients flow through an inference tape as through Burn's own functions, and to every
/// parameter.
pub fn modules_learn<B: Backend>(setup: &Setup<B>) {
    let inner = net(setup, 4);
    let x = setup.tensor::<2>(2, [6, 4]);
    let trained = Setup::<Autodiff<B>> { device: setup.device.clone(), dtype: setup.dtype };
    let trained = net(&trained, 4).map(&mut Tracked);
    let weights = |net: &Net<Autodiff<B>>| {
        let (first, blocks, last) = net.modules();
        let shortcut = blocks[1].shortcut().as_ref().unwrap();
        let layers = [first, &blocks[0].inner().0, &blocks[1].inner().0, shortcut, last.inner()];
        layers.map(|layer| layer.weight.val())
    };
    let gradients = |output: Tensor<Autodiff<B>, 2>| {
        let gradients = output.powi_scalar(2).sum().backward();
        weights(&trained).map(|weight| values(&weight.grad(&gradients).unwrap().into()))
    };
    let x = Tensor::<Autodiff<B>, 2>::from_inner(x);
    let found = gradients(trained.forward(x.clone()).unwrap());
    let expected = gradients(plain(&trained, x));
    for (at, (found, expected)) in found.iter().zip(&expected).enumerate() {
        assert!(expected.iter().any(|value| *value != 0.0), "nothing reaches layer {at}");
        assert_close(found, expected, setup.tolerance(), "gradient");
    }
    assert_eq!(snapshots(&trained.valid()), snapshots(&inner));
}

#[derive(Module, Debug, Relevance)]
struct Whole<B: Backend> {
    body: Sequential<(Linear<B>, Relu)>,
    tail: Residual<Linear<B>>,
}

pub fn modules_within_others<B: Backend>(setup: &Setup<B>) {
    let linear = || LinearConfig::new(3, 3).with_bias(false).init::<B>(&setup.device);
    let whole =
        Whole { body: Sequential::new((linear(), Relu::new())), tail: Residual::new(linear()) };
    let whole = setup.filled(1, whole);
    let trained = whole.clone().train::<Autodiff<B>>().valid();
    let names = |whole: &Whole<B>| -> Vec<String> {
        whole.collect(None, None, false).iter().map(|tensor| tensor.full_path()).collect()
    };
    assert_eq!(names(&whole), ["body.0.weight", "tail.inner.weight"]);
    assert_eq!(names(&trained), names(&whole));
    let tape = Tape::new();
    let output = tape.input("x", setup.tensor::<2>(2, [2, 3])).then("whole", &whole).unwrap();
    let plan = output.plan(&Composite::default()).unwrap();
    let paths: Vec<&str> = plan.layers().iter().map(|layer| layer.path.as_str()).collect();
    assert_eq!(paths, ["whole.body.0", "whole.body.1", "whole.tail.inner", "whole.tail.add"]);
}
