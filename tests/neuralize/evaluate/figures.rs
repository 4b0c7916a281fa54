//! Reference values of independent packages, and the two functions that they explain.

use std::collections::BTreeMap;
use std::path::Path;

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use neuralize::baseline::Tracked;
use neuralize::cluster::{KMeans, KernelKMeans};
use serde_json::Value;

use crate::suite::{Rows, Setup};

/// The tensors of a file of `tests/reference/baselines`, row by row.
pub struct Figures(BTreeMap<String, Rows>);

impl Figures {
    pub fn of(file: &str) -> Self {
        let path = reference("baselines").join(file);
        let text = std::fs::read_to_string(path).expect("a reference file");
        let file: Value = serde_json::from_str(&text).expect("JSON");
        let tensors = file["tensors"].as_object().expect("tensors");
        let tensors = tensors.iter().map(|(name, tensor)| {
            let numbers = |key: &str| -> Vec<f64> {
                let values = tensor[key].as_array().expect("numbers");
                values.iter().map(|value| value.as_f64().expect("a number")).collect()
            };
            let shape = numbers("shape");
            let wide = shape.get(1..).unwrap_or_default().iter().product::<f64>().max(1.0);
            let rows = numbers("values").chunks(wide as usize).map(<[f64]>::to_vec).collect();
            (name.clone(), rows)
        });
        Self(tensors.collect())
    }

    /// `[n, D]`; further dimensions are flattened into the second.
    pub fn table(&self, name: &str) -> Rows {
        self.0.get(name).unwrap_or_else(|| panic!("no figures of {name}")).clone()
    }

    pub fn column(&self, name: &str) -> Vec<f64> {
        self.table(name).concat()
    }

    pub fn numbers(&self, name: &str) -> Vec<usize> {
        self.column(name).into_iter().map(|number| number as usize).collect()
    }
}

fn reference(folder: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("reference").join(folder)
}

/// Wine, min-max scaled, `[178, 13]`.
pub fn wine() -> Rows {
    let path = reference("wine").join("wine_minmax.csv");
    let mut reader = csv::Reader::from_path(path).expect("a reference file");
    let number = |cell: &str| cell.parse().expect("a number");
    reader.records().map(|row| row.expect("a row").iter().take(13).map(number).collect()).collect()
}

pub fn some(table: &Rows, rows: &[usize]) -> Rows {
    rows.iter().map(|row| table[*row].clone()).collect()
}

/// k-means of wine, `kmeans` in the reference values.
pub fn kmeans<B: Backend>(setup: &Setup<B>) -> Tracked<Autodiff<B>> {
    let centroids = Figures::of("functions.json").table("centroids");
    let model = KMeans::from_centroids(setup.tensor(&centroids)).expect("centroids");
    Tracked::new(model.with_beta(1.0).expect("a beta")).expect("three clusters")
}

/// Six wines for every cluster and a Gaussian kernel, `kernel` in the reference values.
pub fn kernel<B: Backend>(setup: &Setup<B>) -> Tracked<Autodiff<B>> {
    let functions = Figures::of("functions.json");
    let supports = some(&wine(), &functions.numbers("supports"));
    let labels: Vec<usize> = (0..18).map(|support| support / 6).collect();
    let gamma = functions.column("gamma")[0];
    let model = KernelKMeans::from_supports(setup.tensor(&supports), &labels, gamma);
    let model = model.and_then(|model| model.with_beta(1.0)).expect("supports");
    Tracked::new(model).expect("three clusters")
}
