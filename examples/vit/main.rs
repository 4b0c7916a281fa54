//! Two small vision transformers for handwritten digits, and what explanations of them are worth: how
//! large relevances are for the score that they explain, and how much of the score is left without the
//! patches that they call the most relevant.
//!
//! Their weights are in `tests/reference/vit`. `cargo run --release --example vit -- FOLDER` trains them
//! anew, which takes minutes, and writes them into a folder.

mod network;

use std::path::PathBuf;
use std::time::Instant;

use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Module};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{AdamConfig, GradientsParams, Optimizer};
use burn::record::{HalfPrecisionSettings, NamedMpkBytesRecorder, NamedMpkFileRecorder, Recorder};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Int, Tensor, TensorData};
use burn_lrp::{Composite, Rule, Selector};
use neuralize::prelude::*;

use network::{Method, Vit, patches, quality};

type Tracking = Autodiff<Flex>;

const DIGITS: &str = include_str!("../../tests/reference/digits/digits.csv");
/// Images that are explained; the others train.
const EXPLAINED: usize = 200;

/// A network and where its weights come from.
struct Trained {
    name: &'static str,
    width: usize,
    blocks: usize,
    seed: u64,
    weights: &'static [u8],
}

const TRAINED: [Trained; 2] = [
    Trained {
        name: "two-blocks",
        width: 16,
        blocks: 2,
        seed: 1,
        weights: include_bytes!("../../tests/reference/vit/two-blocks.mpk"),
    },
    Trained {
        name: "four-blocks",
        width: 24,
        blocks: 4,
        seed: 2,
        weights: include_bytes!("../../tests/reference/vit/four-blocks.mpk"),
    },
];

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let folder = std::env::args().nth(1).map(PathBuf::from);
    let device = Default::default();
    let options = TableOptions::default().with_label("digit");
    let table = TableReader::csv("digits.csv", DIGITS.as_bytes(), &options)?.read_all()?;
    let pixels: Tensor<Flex, 2> = table.to_tensor(&device, DType::F32)?;
    let x = patches(pixels * (1.0 / 16.0));
    let digits = table.labels().unwrap_or_default().iter().map(|label| label.parse::<i32>());
    let digits = digits.collect::<Result<Vec<i32>, _>>()?;
    let shown = x.clone().narrow(0, 0, EXPLAINED);

    for trained in TRAINED {
        let Trained { name, width, blocks, .. } = trained;
        let net = if folder.is_some() {
            let start = Instant::now();
            let net = train(&x, &digits, &trained);
            println!("\n{name} is trained, in {:.0} s", start.elapsed().as_secs_f64());
            net
        } else {
            let recorder = NamedMpkBytesRecorder::<HalfPrecisionSettings>::default();
            let record = recorder.load(trained.weights.to_vec(), &device)?;
            Vit::<Flex>::init(width, blocks, &device).load_record(record)
        };
        burn_lrp::verify(&net, shown.clone(), |x| net.forward(x))?;
        println!(
            "\n{name}: {} parameters, {:.1} % of the images kept back are right",
            net.num_params(),
            accuracy(&net, &shown, &digits)
        );
        println!("{:<34} {:>9} {:>10} {:>10}", "", "Σ|R| / f", "left", "kept");
        for (what, method) in methods() {
            let found = quality(&net, &shown, &method)?;
            println!("{what:<34} {:>9.2} {:>10.2} {:>10.2}", found.size, found.left, found.kept);
        }
        if let Some(folder) = &folder {
            std::fs::create_dir_all(folder)?;
            let recorder = NamedMpkFileRecorder::<HalfPrecisionSettings>::new();
            net.save_file(folder.join(name), &recorder)?;
        }
    }
    Ok(())
}

/// The rules by default up to version 0.1, those of today, and the secant pass.
fn methods() -> [(&'static str, Method); 3] {
    let constants = Composite::new()
        .with(Selector::kind("LayerNorm"), Rule::PASS)
        .with(Selector::kind("Attention"), Rule::SIGNAL_TAKE_ALL);
    [
        ("LRP, norms pass, A is constant", Method::Lrp(constants)),
        ("LRP, `Composite::transformer`", Method::Lrp(Composite::transformer())),
        ("secants from the mean image", Method::Secant),
    ]
}

/// The percentage of images whose digit has the largest score.
fn accuracy(net: &Vit<Flex>, images: &Tensor<Flex, 3>, digits: &[i32]) -> f64 {
    let rows: Vec<usize> = (0..images.dims()[0]).collect();
    let found = net.forward(images.clone()).argmax(1).squeeze_dim::<1>(1);
    let right = found.equal(labels_of(digits, &rows)).int().sum().into_scalar();
    100.0 * right as f64 / rows.len() as f64
}

fn train(x: &Tensor<Flex, 3>, digits: &[i32], trained: &Trained) -> Vit<Flex> {
    const EPOCHS: usize = 60;
    const BATCH: usize = 64;
    let device = Default::default();
    Tracking::seed(&device, trained.seed);
    let mut net = Vit::<Tracking>::init(trained.width, trained.blocks, &device);
    let mut optimizer = AdamConfig::new().init();
    let loss = CrossEntropyLossConfig::new().init(&device);
    let rows: Vec<usize> = (EXPLAINED..digits.len()).collect();
    for epoch in 0..EPOCHS {
        let rate = 3e-3 * (1.0 - epoch as f64 / EPOCHS as f64);
        // Another order in every epoch: the step has no common divisor with the number of rows.
        let order = |at: usize| rows[(at * 611 + epoch * 97) % rows.len()];
        for start in (0..rows.len()).step_by(BATCH) {
            let batch: Vec<usize> = (start..(start + BATCH).min(rows.len())).map(order).collect();
            let (images, labels) = (pick(x, &batch), labels_of(digits, &batch));
            let scores = net.forward(Tensor::from_inner(images));
            let gradients = loss.forward(scores, Tensor::from_inner(labels)).backward();
            let gradients = GradientsParams::from_grads(gradients, &net);
            net = optimizer.step(rate, net, gradients);
        }
    }
    net.valid()
}

fn pick(x: &Tensor<Flex, 3>, rows: &[usize]) -> Tensor<Flex, 3> {
    let rows: Vec<i32> = rows.iter().map(|row| *row as i32).collect();
    let rows = TensorData::new(rows.clone(), [rows.len()]);
    x.clone().select(0, Tensor::from_data(rows, &x.device()))
}

fn labels_of(digits: &[i32], rows: &[usize]) -> Tensor<Flex, 1, Int> {
    let labels: Vec<i32> = rows.iter().map(|row| digits[*row]).collect();
    Tensor::from_data(TensorData::new(labels.clone(), [labels.len()]), &Default::default())
}
