//! What a relevance pass costs on Flex, in forward passes.
//!
//! ```text
//! cargo bench -p burn-lrp --bench pass
//! ```
//!
//! 32 images of 64 × 64 through five convolutions, in single precision. A pass is the recorded
//! forward pass, the plan, and the relevance of every pixel. Each runs on
//! all images at once or four at a time, whichever is faster.
//! Times are the minimum of seven.
//!
//! With `--serve PARAMETERS RELEVANCE`, the comparison with zennit runs single calls, one per line of
//! standard input; see `benches/peers/lrp.py`.

use std::error::Error;
use std::fs;
use std::hint::black_box;
use std::io::{BufRead, Write};
use std::time::Instant;

use burn::backend::Flex;
use burn::module::{Param, ParamId};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, PaddingConfig2d, Relu};
use burn::tensor::{DType, Tensor, TensorData};
use burn_lrp::{AnyTensor, Composite, Explainer, Family, Node, Relevance, Rule, Selector, infer};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

const ROUNDS: usize = 7;
const SAMPLES: usize = 32;
/// Samples per block.
const BLOCK: usize = 4;
const IN_BLOCKS: &str = " in blocks";
const SIDE: usize = 64;
const CLASSES: usize = 10;

/// Input and output channels, stride, and whether pooling follows.
const CONVOLUTIONS: [(usize, usize, usize, bool); 5] = [
    (3, 32, 1, false),
    (32, 64, 1, true),
    (64, 64, 2, false),
    (64, 128, 1, false),
    (128, 128, 2, true),
];

/// Features of the dense layer: 128 channels of 4 × 4.
const FEATURES: usize = 2048;

type Outcome<T> = Result<T, Box<dyn Error>>;

fn main() -> Outcome<()> {
    let arguments: Vec<String> = std::env::args().collect();
    if let Some(at) = arguments.iter().position(|argument| argument == "--serve") {
        let [parameters, relevance, ..] = &arguments[at + 1..] else {
            return Err("--serve takes two paths".into());
        };
        return serve(parameters, relevance);
    }
    // `cargo test` runs benchmarks once.
    let rounds = if arguments.iter().any(|argument| argument == "--bench") { ROUNDS } else { 1 };
    let mut stream = ChaCha8Rng::seed_from_u64(1);
    let mut numbers = |count: usize, size: f32| -> Vec<f32> {
        let unit = |word: u32| (f64::from(word) / f64::from(u32::MAX) * 2.0 - 1.0) as f32;
        (0..count).map(|_| size * unit(stream.next_u32())).collect()
    };
    let (network, x) = network(&mut numbers);
    let best = |name: &str| -> Outcome<f64> {
        let whole = least(rounds, || run(&network, &x, name).map(drop))?;
        let blocks = least(rounds, || run(&network, &x, &format!("{name}{IN_BLOCKS}")).map(drop))?;
        Ok(whole.min(blocks))
    };
    let forward = best("forward")?;
    println!("forward       {forward:8.1} ms");
    for name in ["epsilon", "image"] {
        let pass = best(name)?;
        println!("{name:12}  {pass:8.1} ms, {:.2} forward passes", pass / forward);
    }
    Ok(())
}

/// The minimum time of a call; the first one does not count.
fn least(rounds: usize, mut call: impl FnMut() -> Outcome<()>) -> Outcome<f64> {
    call()?;
    let mut least = f64::INFINITY;
    for _ in 0..rounds {
        let start = Instant::now();
        call()?;
        least = least.min(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(least)
}

/// Answers every line, the name of a call, with its time.
fn serve(parameters: &str, relevance: &str) -> Outcome<()> {
    let bytes = fs::read(parameters)?;
    let mut values = bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]]));
    let (network, x) = network(&mut |count, _| values.by_ref().take(count).collect());
    for line in std::io::stdin().lock().lines() {
        let start = Instant::now();
        let found = run(&network, &x, line?.trim())?;
        let ms = start.elapsed().as_secs_f64() * 1e3;
        let found: Vec<f32> = found.flat().into_data().iter::<f32>().collect();
        fs::write(relevance, found.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())?;
        println!("{{\"ms\": {ms}}}");
        std::io::stdout().flush()?;
    }
    Ok(())
}

/// A forward pass, or the relevance by a composite, of all samples at once or in blocks.
fn run(network: &Network, x: &Tensor<Flex, 4>, name: &str) -> Outcome<AnyTensor<Flex>> {
    let (name, block) = match name.strip_suffix(IN_BLOCKS) {
        Some(name) => (name, BLOCK),
        None => (name, SAMPLES),
    };
    if name == "forward" {
        let parts = (0..SAMPLES)
            .step_by(block)
            .map(|start| infer(network, x.clone().narrow(0, start, block))?.tensor::<2>());
        let parts: Vec<Tensor<Flex, 2>> = parts.collect::<burn_lrp::Result<_>>()?;
        return Ok(black_box(Tensor::cat(parts, 0).into()));
    }
    let explainer = Explainer::new(composite(name)?).with_block(block);
    Ok(black_box(explainer.explain(network, x.clone(), |output| Ok(output.clone()))?.relevance))
}

fn composite(name: &str) -> Outcome<Composite> {
    let dense = Composite::new().with(Selector::Family(Family::Dense), Rule::EPSILON);
    let convolutions = Selector::Family(Family::Convolution);
    Ok(match name {
        "epsilon" => dense.with(convolutions, Rule::EPSILON),
        "image" => dense
            .with(convolutions.clone().first(), Rule::bounded(-1.0, 1.0)?)
            .with(convolutions, Rule::gamma(0.25)?),
        _ => return Err(format!("no composite is called {name}").into()),
    })
}

#[derive(Debug)]
struct Network {
    convolutions: Vec<(Conv2d<Flex>, Option<MaxPool2d>)>,
    dense: Linear<Flex>,
}

impl Relevance<Flex> for Network {
    fn trace<'m>(&'m self, x: Node<'m, Flex>) -> burn_lrp::Result<Node<'m, Flex>> {
        let mut x = x;
        for (at, (convolution, pool)) in self.convolutions.iter().enumerate() {
            x = x.then(&format!("conv{at}"), convolution)?.then("relu", &Relu)?;
            x = x.then("pool", pool)?;
        }
        x.flatten()?.then("dense", &self.dense)
    }
}

/// The network and its images; the function returns a count of numbers up to a size.
fn network(numbers: &mut dyn FnMut(usize, f32) -> Vec<f32>) -> (Network, Tensor<Flex, 4>) {
    let device = Default::default();
    let convolutions = CONVOLUTIONS
        .iter()
        .map(|&(inputs, outputs, stride, pooled)| {
            let size = (2.0 / (inputs * 9) as f32).sqrt();
            let weight = numbers(outputs * inputs * 9, size);
            let layer = Conv2dConfig::new([inputs, outputs], [3, 3])
                .with_stride([stride, stride])
                .with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1))
                .init(&device);
            let layer = Conv2d {
                weight: param(weight, [outputs, inputs, 3, 3]),
                bias: Some(param(numbers(outputs, 0.1), [outputs])),
                ..layer
            };
            (layer, pooled.then(|| MaxPool2dConfig::new([2, 2]).init()))
        })
        .collect();
    let weight = param(numbers(FEATURES * CLASSES, 0.05), [FEATURES, CLASSES]);
    let bias = Some(param(numbers(CLASSES, 0.1), [CLASSES]));
    let dense = Linear { weight, bias };
    let images = numbers(SAMPLES * 3 * SIDE * SIDE, 1.0);
    (Network { convolutions, dense }, tensor(images, [SAMPLES, 3, SIDE, SIDE]))
}

fn param<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Param<Tensor<Flex, D>> {
    Param::initialized(ParamId::new(), tensor(values, shape))
}

fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<Flex, D> {
    Tensor::from_data(TensorData::new(values, shape), (&Default::default(), DType::F32))
}
