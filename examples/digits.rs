//! Deep clustering explained in pixels: a small convolutional autoencoder is
//! trained on handwritten digits together with a k-means of its codes, and two passes say which pixels
//! put an image into its cluster: the secant pass, and NEON with layer-wise relevance propagation. How
//! well they tell the pixels apart that matter is measured.
//!
//! `cargo run --release --example digits -- [FIGURE.svg]`

use std::path::{Path, PathBuf};
use std::time::Instant;

use burn::backend::{Autodiff, Flex};
use burn::module::Module;
use burn::nn::conv::{Conv2d, Conv2dConfig, ConvTranspose2d, ConvTranspose2dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig2d, Relu};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use burn_lrp::{Composite, Relevance};
use neuralize::baseline::{Method, TrackedDeepKMeans};
use neuralize::cluster::match_to_classes;
use neuralize::deep::{Autoencoder, DeepKMeans, DeepQuestion, JointTraining};
use neuralize::evaluate::{EvaluateConfig, Measure};
use neuralize::plot::{self, HeatMap, ImageShape};
use neuralize::prelude::*;

const DIGITS: &str = include_str!("../tests/reference/digits/digits.csv");
const CODE: usize = 10;
const SIDE: usize = 8;

/// From an image of 8 × 8 pixels to a code of 10 numbers. The fields run in their order, so
/// one line makes the encoder explainable.
#[derive(Module, Debug, Relevance)]
struct Encoder<B: Backend> {
    #[relevance(then(relu))]
    first: Conv2d<B>,
    pool: MaxPool2d,
    #[relevance(then(relu, flatten))]
    second: Conv2d<B>,
    code: Linear<B>,
}

/// The encoder for rows of 64 pixels, for measures and figures of rows.
#[derive(Module, Debug, Relevance)]
struct Rows<B: Backend> {
    #[relevance(before(reshape(1, 8, 8)))]
    encoder: Encoder<B>,
}

/// From a code to an image.
#[derive(Module, Debug)]
struct Decoder<B: Backend> {
    linear: Linear<B>,
    up: ConvTranspose2d<B>,
    last: Conv2d<B>,
}

#[derive(Module, Debug)]
struct DigitsAutoencoder<B: Backend> {
    encoder: Encoder<B>,
    decoder: Decoder<B>,
}

impl<B: Backend> DigitsAutoencoder<B> {
    fn init(device: &B::Device) -> Self {
        let same = || PaddingConfig2d::Explicit(1, 1, 1, 1);
        Self {
            encoder: Encoder {
                first: Conv2dConfig::new([1, 16], [3, 3]).with_padding(same()).init(device),
                pool: MaxPool2dConfig::new([2, 2]).with_strides([2, 2]).init(),
                second: Conv2dConfig::new([16, 32], [3, 3]).with_padding(same()).init(device),
                code: LinearConfig::new(32 * 4 * 4, CODE).init(device),
            },
            decoder: Decoder {
                linear: LinearConfig::new(CODE, 32 * 4 * 4).init(device),
                up: ConvTranspose2dConfig::new([32, 16], [2, 2]).with_stride([2, 2]).init(device),
                last: Conv2dConfig::new([16, 1], [3, 3]).with_padding(same()).init(device),
            },
        }
    }
}

/// The forward passes of training.
impl<B: Backend> Autoencoder<B, 4> for DigitsAutoencoder<B> {
    fn encode(&self, x: Tensor<B, 4>) -> Tensor<B, 2> {
        let encoder = &self.encoder;
        let x = encoder.pool.forward(Relu.forward(encoder.first.forward(x)));
        encoder.code.forward(Relu.forward(encoder.second.forward(x)).flatten(1, 3))
    }

    fn decode(&self, codes: Tensor<B, 2>) -> Tensor<B, 4> {
        let decoder = &self.decoder;
        let x = Relu.forward(decoder.linear.forward(codes));
        let [samples, _] = x.dims();
        let x = Relu.forward(decoder.up.forward(x.reshape([samples, 32, 4, 4])));
        decoder.last.forward(x)
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let figure = std::env::args().nth(1).map(PathBuf::from);
    if let Some(folder) = figure.as_deref().and_then(|path| path.parent()) {
        std::fs::create_dir_all(folder)?;
    }
    let device = Default::default();
    let options = TableOptions::default().with_label("digit");
    let table = TableReader::csv("digits.csv", DIGITS.as_bytes(), &options)?.read_all()?;
    let pixels: Tensor<Flex, 2> = table.to_tensor(&device, DType::F32)?;
    let rows = pixels.clone() * (1.0 / 16.0);
    let x: Tensor<Flex, 4> = rows.clone().reshape([table.rows(), 1, SIDE, SIDE]);
    let digits: Vec<usize> = table
        .labels()
        .unwrap_or_default()
        .iter()
        .map(|label| label.parse())
        .collect::<Result<_, _>>()?;
    let accuracy = |labels: &[i64]| {
        let clusters: Vec<usize> = labels.iter().map(|label| *label as usize).collect();
        match_to_classes(&clusters, &digits, 10, 10).agreeing as f64 / digits.len() as f64
    };

    let clusters = KMeansConfig::new(10).with_n_init(Some(10)).with_seed(1);
    let plain = clusters.fit(&pixels)?;
    let plain: Vec<i64> = plain.labels.into_data().iter().collect();
    println!(
        "k-means of pixels: {:.1} % of the images agree with their digit",
        100.0 * accuracy(&plain)
    );

    let start = Instant::now();
    let model = train(&x, &clusters)?;
    let model = model.with_roots([rows.clone()])?;
    let labels: Vec<i64> = model.predict(rows.clone())?.into_data().iter().collect();
    println!(
        "k-means of codes:  {:.1} % agree, trained in {:.1} s",
        100.0 * accuracy(&labels),
        start.elapsed().as_secs_f64()
    );

    // Pixels lie between 0 and 1; elements of a code that are nearly 0 need γ, not ε.
    let composite: Composite = "first(family:convolution) -> box=0,1
        family:convolution -> gamma=0.25
        family:dense -> gamma=0.25"
        .parse()?;
    println!("\n{}", model.plan(rows.clone().narrow(0, 0, 1), &composite)?);
    let by_rules = DeepQuestion::default().with_composite(composite);
    let by_secants = DeepQuestion::default();
    let passes = [("the secant pass", by_secants), ("NEON and LRP", by_rules.with_report())];
    let host = |t: Tensor<Flex, 1>| t.into_data().iter::<f64>().collect::<Vec<f64>>();
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    let mut explanations = Vec::new();
    for (name, question) in &passes {
        let start = Instant::now();
        let explanation = model.explain(&rows, question)?;
        let seconds = start.elapsed().as_secs_f64();
        let (logit, absorbed) =
            (host(explanation.codes.logit.clone()), host(explanation.absorbed.clone()));
        let [competitor, to_mean] = gains(&model, &rows, question)?;
        println!("\n{name}: {} images in {seconds:.2} s", table.rows());
        if matches!(question.pass, Pass::Secant(_)) {
            // Those with at least a hundredth of the largest share, each with a pass of its own.
            let shares = explanation.codes.shares.clone();
            let least = shares.clone().max_dim(1) * 0.01;
            let counting = shares.greater_equal(least.expand([table.rows(), 10]));
            let counting: i64 = counting.int().sum().into_data().iter().next().unwrap_or(0);
            println!("{:.1} competitors an image", counting as f64 / table.rows() as f64);
        }
        println!(
            "logit {:.4} = pixels {:.4} + absorbed {:.4}; gain {competitor:.2} to the competitor, \
             {to_mean:.2} to the mean",
            mean(&logit),
            mean(&logit) - mean(&absorbed),
            mean(&absorbed)
        );
        if let Some(report) = &explanation.report {
            println!("{report}");
        }
        explanations.push((explanation.relevance, logit));
    }

    if let Some(path) = figure {
        let values: Vec<f64> = pixels.into_data().iter().collect();
        let logit = &explanations[0].1;
        let relevances: Vec<Vec<f64>> = explanations
            .iter()
            .map(|(relevance, _)| relevance.clone().into_data().iter().collect())
            .collect();
        draw(&path, &values, [&relevances[0], &relevances[1]], logit, &labels, &digits)?;
        println!("{}", path.display());
    }
    Ok(())
}

/// The gain of a pass by replacing pixels: those of the mean image of the competitor, and of all
/// images.
fn gains(
    model: &DeepKMeans<Flex, Rows<Flex>>,
    rows: &Tensor<Flex, 2>,
    question: &DeepQuestion,
) -> neuralize::Result<[f64; 2]> {
    let question = question.clone().with_batch_size(64);
    let subject = TrackedDeepKMeans::<Autodiff<Flex>, Rows<Autodiff<Flex>>>::new(
        model.clone(),
        rows,
        question,
    )?;
    let methods = vec![Method::Neon(Beta::Heuristic)];
    let config = EvaluateConfig { methods, max_points: 100, ..EvaluateConfig::default() };
    let evaluation = config.run(&subject, rows, &mut |_, _, _| {})?;
    let gain = |measure| evaluation.methods[0].values.get(&measure).copied().unwrap_or(f64::NAN);
    Ok([gain(Measure::GainCompetitor), gain(Measure::GainMean)])
}

/// Trains autoencoder and clustering together.
fn train(
    x: &Tensor<Flex, 4>,
    clusters: &KMeansConfig,
) -> neuralize::Result<DeepKMeans<Flex, Rows<Flex>>> {
    let device = Default::default();
    Autodiff::<Flex>::seed(&device, 1);
    let training = JointTraining {
        warm_up_epochs: 60,
        joint_epochs: 30,
        batch_size: 64,
        learning_rate: 2e-3,
        clustering: 0.3,
        seed: 1,
        ..JointTraining::default()
    };
    let fit = training.fit::<Autodiff<Flex>, _, 4>(
        DigitsAutoencoder::init(&device),
        x,
        clusters,
        |progress| {
            if progress.epoch % 10 == 0 {
                let phase = if progress.warming_up { "autoencoder" } else { "both" };
                println!(
                    "  {phase:<11} epoch {:>2}: reconstruction {:.4}, divergence {:.4}",
                    progress.epoch, progress.reconstruction, progress.divergence
                );
            }
        },
    )?;
    Ok(DeepKMeans::new(Rows { encoder: fit.autoencoder.encoder }, fit.head))
}

/// Draws the pixels and their relevance for one image of every cluster.
fn draw(
    path: &Path,
    values: &[f64],
    relevance: [&[f64]; 2],
    logit: &[f64],
    labels: &[i64],
    digits: &[usize],
) -> neuralize::Result<()> {
    let part = |all: &[f64], row: usize| all[row * SIDE * SIDE..][..SIDE * SIDE].to_vec();
    let mut maps = Vec::new();
    for cluster in 0..10 {
        // The image that is farthest from all other clusters.
        let members = (0..labels.len()).filter(|row| labels[*row] == cluster);
        if let Some(row) = members.max_by(|a, b| logit[*a].total_cmp(&logit[*b])) {
            for (relevance, way) in relevance.into_iter().zip(["secants", "LRP"]) {
                let title = format!("cluster {cluster}, a {}: {way}", digits[row]);
                // In parts of their largest, so that clusters and passes can be compared.
                let relevance = part(relevance, row);
                let most = relevance.iter().fold(f64::MIN_POSITIVE, |most, r| most.max(r.abs()));
                let shares = relevance.iter().map(|r| r / most).collect();
                maps.push(HeatMap::new(title, part(values, row), shares));
            }
        }
    }
    let shape = ImageShape { height: SIDE, width: SIDE, channels: 1 };
    plot::heat_maps(&maps, shape, "Why these digits are in their clusters")?.save(path)
}
