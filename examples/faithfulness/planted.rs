//! Synthetic data whose truth is known: some features separate a pair of clusters,
//! the others are noise. Does a method rank the former first?

use std::collections::BTreeMap;
use std::fmt::Write;

use burn::backend::{Autodiff, Flex};
use burn::tensor::{DType, Tensor, TensorData};
use neuralize::baseline::{Attribute, Background, Method, Tracked};
use neuralize::prelude::*;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::summary::spread;

const FEATURES: usize = 20;
/// Features that separate cluster 0 from 1; as many others separate 0 from 2.
const PLANTED: usize = 4;

/// How the data are generated.
#[derive(Clone, Copy)]
enum Setting {
    /// Independent noise of one size around the origin.
    Plain,
    /// Noise of which half is common to all features of a point.
    Correlated,
    /// Far from the origin.
    OffCentre,
    /// Features of scales between a third and three.
    UnequalScale,
}

const SETTINGS: [(Setting, &str); 4] = [
    (Setting::Plain, "plain"),
    (Setting::Correlated, "correlated"),
    (Setting::OffCentre, "off-centre"),
    (Setting::UnequalScale, "unequal scale"),
];

/// Area under precision-recall of R, and of |R|, by setting, method and seed.
#[derive(Default)]
pub(crate) struct Planted {
    found: BTreeMap<(usize, usize), Vec<(f64, f64)>>,
    methods: Vec<String>,
}

pub(crate) fn run(seeds: u64, rows: usize) -> Result<Planted, Box<dyn std::error::Error>> {
    let methods: Vec<Method> = Method::all()
        .into_iter()
        .filter(|method| !matches!(method, Method::Shapley { .. }))
        .collect();
    let mut planted = Planted {
        methods: methods.iter().map(ToString::to_string).collect(),
        ..Planted::default()
    };
    for (at, (setting, _)) in SETTINGS.iter().enumerate() {
        for seed in 0..seeds {
            let synthetic = Synthetic::new(*setting, rows, seed);
            let shape = [rows, FEATURES];
            let data = TensorData::new(synthetic.values.clone(), shape);
            let device = Default::default();
            let x = Tensor::<Flex, 2>::from_data(data, (&device, DType::F64));
            let start = FitOptions::default().with_initial_centroids(synthetic.start(&device));
            let model = KMeansConfig::new(3).fit_with(&x, start)?.model;
            let subject = Tracked::<Autodiff<Flex>>::new(model)?;
            let background = Background::new(&subject, &x, seed)?;
            let query = background.query(&x, Target::Assigned)?;
            let host = |index: Tensor<Flex, 2, burn::tensor::Int>| -> Vec<usize> {
                index.into_data().iter::<i64>().map(|k| k as usize).collect()
            };
            let pairs: Vec<(usize, usize)> = host(query.pinned.cluster())
                .into_iter()
                .zip(host(query.pinned.competitor()))
                .collect();
            for (name, method) in methods.iter().enumerate() {
                let relevance: Vec<f64> =
                    method.attribute(&query)?.relevance.into_data().iter().collect();
                let mut sums = (0.0, 0.0);
                for (row, pair) in relevance.chunks_exact(FEATURES).zip(&pairs) {
                    let truth = synthetic.separating(*pair);
                    let magnitudes: Vec<f64> = row.iter().map(|r| r.abs()).collect();
                    sums.0 += average_precision(row, &truth);
                    sums.1 += average_precision(&magnitudes, &truth);
                }
                let mean = (sums.0 / rows as f64, sums.1 / rows as f64);
                planted.found.entry((at, name)).or_default().push(mean);
            }
        }
    }
    Ok(planted)
}

/// Points of three clusters.
struct Synthetic {
    values: Vec<f64>,
    centroids: Vec<f64>,
    /// The cluster that a feature separates from cluster 0; 0 for noise.
    apart: Vec<usize>,
}

impl Synthetic {
    fn new(setting: Setting, rows: usize, seed: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        let mut apart: Vec<usize> =
            (0..FEATURES).map(|i| if i < 2 * PLANTED { 1 + i / PLANTED } else { 0 }).collect();
        for place in (1..FEATURES).rev() {
            let other = (uniform(&mut rng) * (place + 1) as f64) as usize;
            apart.swap(place, other.min(place));
        }
        let scale: Vec<f64> = (0..FEATURES)
            .map(|_| match setting {
                Setting::UnequalScale => 3f64.powf(2.0 * uniform(&mut rng) - 1.0),
                _ => 1.0,
            })
            .collect();
        let centre = if matches!(setting, Setting::OffCentre) { 10.0 } else { 0.0 };
        let place = |cluster: usize, i: usize| {
            // Every planted feature alone separates by two standard deviations.
            let shift = if apart[i] == cluster && cluster > 0 { 2.0 } else { 0.0 };
            scale[i] * shift + centre
        };
        let mut values = Vec::with_capacity(rows * FEATURES);
        for row in 0..rows {
            let common = normal(&mut rng);
            for (i, scale) in scale.iter().enumerate() {
                let own = normal(&mut rng);
                let noise = match setting {
                    Setting::Correlated => (own + common) * 0.5f64.sqrt(),
                    _ => own,
                };
                values.push(place(row % 3, i) + scale * noise);
            }
        }
        let centroids = (0..3).flat_map(|c| (0..FEATURES).map(move |i| (c, i)));
        let centroids = centroids.map(|(c, i)| place(c, i)).collect();
        Self { values, centroids, apart }
    }

    /// The start of Lloyd's iterations, at the true clusters: this tests explanations, not
    /// fits.
    fn start(&self, device: &burn::tensor::Device<Flex>) -> Tensor<Flex, 2> {
        let data = TensorData::new(self.centroids.clone(), [3, FEATURES]);
        Tensor::from_data(data, (device, DType::F64))
    }

    /// Whether a feature separates the two clusters.
    fn separating(&self, (a, b): (usize, usize)) -> Vec<bool> {
        self.apart.iter().map(|apart| *apart > 0 && (*apart == a || *apart == b)).collect()
    }
}

/// Area under the precision-recall curve as average precision; equally relevant
/// features count together.
fn average_precision(relevance: &[f64], truth: &[bool]) -> f64 {
    let mut order: Vec<usize> = (0..relevance.len()).collect();
    order.sort_by(|a, b| relevance[*b].total_cmp(&relevance[*a]));
    let all = truth.iter().filter(|is| **is).count() as f64;
    let (mut seen, mut hits, mut area, mut at) = (0.0, 0.0, 0.0, 0);
    while at < order.len() {
        let value = relevance[order[at]];
        let equal = order[at..].iter().take_while(|i| relevance[**i] == value).count();
        let found = order[at..at + equal].iter().filter(|i| truth[**i]).count() as f64;
        seen += equal as f64;
        hits += found;
        area += found / all * hits / seen;
        at += equal;
    }
    area
}

fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 / (1u64 << 53) as f64
}

fn normal(rng: &mut ChaCha8Rng) -> f64 {
    let (a, b) = (1.0 - uniform(rng), uniform(rng));
    (-2.0 * a.ln()).sqrt() * (std::f64::consts::TAU * b).cos()
}

impl Planted {
    pub(crate) fn csv(&self) -> String {
        let mut text =
            "setting,method,signed mean,signed deviation,size mean,size deviation,seeds\n"
                .to_owned();
        for ((setting, method), found) in &self.found {
            let (signed, size) = self.spreads(found);
            let (setting, method) = (SETTINGS[*setting].1, &self.methods[*method]);
            let _ = writeln!(
                text,
                "{setting},{method},{:.4},{:.4},{:.4},{:.4},{}",
                signed.0,
                signed.1,
                size.0,
                size.1,
                found.len()
            );
        }
        text
    }

    fn spreads(&self, found: &[(f64, f64)]) -> ((f64, f64), (f64, f64)) {
        let part = |of: fn(&(f64, f64)) -> f64| spread(&found.iter().map(of).collect::<Vec<_>>());
        (part(|pair| pair.0), part(|pair| pair.1))
    }

    /// Methods by settings: by R, and by |R| after the slash.
    pub(crate) fn table(&self) -> String {
        let mut text = "### planted features\n\n| method |".to_owned();
        for (_, name) in SETTINGS {
            let _ = write!(text, " {name} |");
        }
        text += "\n|---|---:|---:|---:|---:|\n";
        for (method, name) in self.methods.iter().enumerate() {
            let _ = write!(text, "| {name} |");
            for setting in 0..SETTINGS.len() {
                if let Some(found) = self.found.get(&(setting, method)) {
                    let (signed, size) = self.spreads(found);
                    let _ = write!(text, " {:.2} / {:.2} |", signed.0, size.0);
                }
            }
            text.push('\n');
        }
        text
    }
}
