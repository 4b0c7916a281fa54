//! Two small vision transformers for handwritten digits, trained here, and what explanations of them
//! are worth: how large relevances are for the score that they explain, and how much of the score is
//! left without the patches that they call the most relevant.
//!
//! `cargo run --release --example vit -- [FOLDER]` writes the weights into a folder, where the tests
//! have theirs from (`tests/reference/vit`).

mod network;

use std::path::PathBuf;
use std::time::Instant;

use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Module};
use burn::nn::loss::CrossEntropyLossConfig;
use burn::optim::{AdamConfig, GradientsParams, Optimizer};
use burn::record::{HalfPrecisionSettings, NamedMpkFileRecorder};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Int, Tensor, TensorData};
use burn_lrp::{Composite, Rule, Selector};
use neuralize::prelude::*;

use network::{Method, Vit, patches, quality};

type Tracking = Autodiff<Flex>;

const DIGITS: &str = include_str!("../../tests/reference/digits/digits.csv");
/// Images that are explained; the others train.
const EXPLAINED: usize = 200;

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

    for (name, width, blocks, seed) in [("two-blocks", 16, 2, 1), ("four-blocks", 24, 4, 2)] {
        let start = Instant::now();
        let (net, accuracy) = train(&x, &digits, width, blocks, seed);
        burn_lrp::verify(&net, shown.clone(), |x| net.forward(x))?;
        println!(
            "\n{name}: {} parameters, {accuracy:.1} % of the images kept back are right, {:.0} s",
            net.num_params(),
            start.elapsed().as_secs_f64()
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

fn train(
    x: &Tensor<Flex, 3>,
    digits: &[i32],
    width: usize,
    blocks: usize,
    seed: u64,
) -> (Vit<Flex>, f64) {
    const EPOCHS: usize = 60;
    const BATCH: usize = 64;
    let device = Default::default();
    Tracking::seed(&device, seed);
    let mut net = Vit::<Tracking>::init(width, blocks, &device);
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
    let net = net.valid();
    let kept: Vec<usize> = (0..EXPLAINED).collect();
    let found = net.forward(pick(x, &kept)).argmax(1).squeeze_dim::<1>(1);
    let right = found.equal(labels_of(digits, &kept)).int().sum().into_scalar();
    (net, 100.0 * right as f64 / EXPLAINED as f64)
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
