//! Figures of explained clusterings, one function a figure, as SVG and PNG.
//!
//! Every figure is made of [`Cases`]: the points in it are
//! a set, and limits and order are the same for all of them. Red speaks for a
//! cluster, blue against it; clusters have the colours of Okabe and Ito, which
//! colour-blind readers can tell apart, and beyond eight of them other shapes.
//! Text is measured with a font that is part of the program, DejaVu Sans, which
//! is as wide as any: PNG files are drawn with it, SVG files name it and narrower
//! ones. Where there are more than
//! 30 features the strongest are shown and a line says so, and likewise for
//! clusters.
//!
//! ```
//! use burn::backend::Flex;
//! use burn::tensor::DType;
//! use neuralize::cases::Cases;
//! use neuralize::{plot, prelude::*};
//!
//! # let folder = tempfile::tempdir().expect("a temporary folder");
//! let wine = Table::wine();
//! let x = wine.to_tensor::<Flex>(&Default::default(), DType::F64)?;
//! let scaler = Scale::MinMax.fit(&x)?;
//! let fit = KMeansConfig::new(3).fit(&scaler.transform(x)?)?;
//! let info = ModelInfo::new(wine.features());
//! let model = Model::new(scaler, fit.model, info)?;
//!
//! let cases = Cases::explain(&model, &wine, Target::Assigned, Beta::Heuristic)?;
//! let figure = plot::point(&cases, 70)?;
//! figure.save(folder.path().join("point_70.svg"))?;
//! assert!(figure.svg().contains("proline"));
//! # Ok::<(), neuralize::Error>(())
//! ```

#[cfg(feature = "autodiff")]
mod agreement;
mod bars;
mod clusters;
mod figure;
#[cfg(feature = "autodiff")]
mod flipping;
mod flow;
mod image;
mod matrix;
mod palette;
mod plane;
mod point;
mod profile;
mod set;
mod sheet;
mod waterfall;

#[cfg(feature = "autodiff")]
pub use agreement::agreement;
pub use clusters::clusters;
pub use figure::Figure;
#[cfg(feature = "autodiff")]
pub use flipping::flipping;
pub use flow::flow;
pub use image::{HeatMap, ImageShape, heat_maps, images};
pub use matrix::matrix;
pub use point::point;
pub use profile::profile;
pub use set::FigureSet;
pub use waterfall::waterfall;

use crate::cases::Cases;
use crate::error::{Error, Result};
use crate::explain::by_strength;

/// The most features that a figure has room for.
const MOST_FEATURES: usize = 30;

/// Features in the order of the data, and what to say of those left out.
struct Chosen {
    features: Vec<usize>,
    note: Option<String>,
}

impl Chosen {
    /// The strongest by the given weights.
    fn strongest(weights: &[f64]) -> Self {
        let mut features = by_strength(weights);
        if features.len() <= MOST_FEATURES {
            features.sort_unstable();
            return Self { features, note: None };
        }
        features.truncate(MOST_FEATURES);
        features.sort_unstable();
        let note = format!("the {MOST_FEATURES} strongest of {} features", weights.len());
        Self { features, note: Some(note) }
    }
}

/// Mean |R| of every feature over the cases.
fn mean_magnitude(cases: &Cases) -> Vec<f64> {
    let mut sums = vec![0.0; cases.n_features()];
    for row in cases.relevance.chunks_exact(cases.n_features()) {
        for (sum, relevance) in sums.iter_mut().zip(row) {
            *sum += relevance.abs();
        }
    }
    sums.iter().map(|sum| sum / cases.len().max(1) as f64).collect()
}

/// Largest magnitude; 1 where there is none, so that an axis has a length.
fn largest<'a>(values: impl IntoIterator<Item = &'a f64>) -> f64 {
    let largest = values.into_iter().fold(0.0f64, |a, b| a.max(b.abs()));
    if largest > 0.0 { largest } else { 1.0 }
}

fn not_empty(cases: &Cases) -> Result<()> {
    if cases.is_empty() { Err(Error::Empty { what: "the set of cases" }) } else { Ok(()) }
}

fn check_case(cases: &Cases, case: usize) -> Result<()> {
    if case < cases.len() {
        Ok(())
    } else {
        Err(Error::Config {
            name: "case",
            value: case.to_string(),
            rule: format!("the set has {} cases, counted from 0", cases.len()),
        })
    }
}

/// How many points there are to see.
fn counted(cases: &Cases) -> String {
    if cases.total > cases.len() {
        format!("{} of {} points", cases.len(), cases.total)
    } else {
        format!("{} points", cases.len())
    }
}

/// Who the point is, in a line.
fn heading(cases: &Cases, case: usize) -> String {
    let of_class = cases
        .classes
        .as_ref()
        .map_or_else(String::new, |classes| format!(", class {}", classes.names[classes.of[case]]));
    format!(
        "point {}: {}, probability {:.2}{of_class}, logit {}",
        cases.rows[case],
        cases.cluster_title(cases.cluster[case]),
        cases.probability[case],
        sheet::number(cases.logit[case]),
    )
}
