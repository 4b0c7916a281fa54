//! A finished page: its data, as its script reads them, and the HTML file.

use std::io::Write;
use std::path::Path;

use serde::{Serialize, Serializer};

use super::details::PackedDetails;
use super::group::Group;
use super::listed::PackedListed;
use super::profile::PageProfile;
use super::template::{escaped, fill};
use super::trust::Trust;
use crate::choose::Choice;
use crate::data::{AtomicFile, Kind, Scale};
use crate::error::Result;
use crate::explain::GlobalSummary;
use crate::profile::ModelProfile;

/// A finished page.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::DType;
/// use neuralize::prelude::*;
/// use neuralize::report::Report;
///
/// # let folder = tempfile::tempdir().expect("a temporary folder");
/// let wine = Table::wine();
/// let x = wine.to_tensor::<Flex>(&Default::default(), DType::F64)?;
/// let scaler = Scale::MinMax.fit(&x)?;
/// let fit = KMeansConfig::new(3).fit(&scaler.transform(&x)?)?;
/// let info = ModelInfo::new(wine.features());
/// let model = Model::new(scaler, fit.model, info)?;
///
/// Report::of(&model, &wine, "Wine", Beta::Heuristic)?.save(folder.path().join("wine.html"))?;
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Report {
    pub(super) page: Page,
    pub(super) profile: ModelProfile,
}

impl Report {
    /// The page as HTML.
    pub fn html(&self) -> String {
        self.page.html()
    }

    /// Writes the page to any destination.
    ///
    /// # Errors
    ///
    /// If it cannot be written.
    pub fn write(&self, mut destination: impl Write) -> std::io::Result<()> {
        destination.write_all(self.html().as_bytes())
    }

    /// Saves the page, whole or not at all.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        AtomicFile::write(path.as_ref(), self.html().as_bytes())
    }
}

/// The parts of the script. A part uses only the parts before it.
const SCRIPT: &str = concat!(
    "\"use strict\";\n{\n",
    include_str!("page/data.js"),
    include_str!("page/words.js"),
    include_str!("page/marks.js"),
    include_str!("page/state.js"),
    include_str!("page/groups.js"),
    include_str!("page/facts.js"),
    include_str!("page/address.js"),
    include_str!("page/map/frame.js"),
    include_str!("page/chart/layout.js"),
    include_str!("page/chart/draw.js"),
    include_str!("page/chart/steps.js"),
    include_str!("page/found/lead.js"),
    include_str!("page/found/overview.js"),
    include_str!("page/clusters/profile.js"),
    include_str!("page/clusters/relevance.js"),
    include_str!("page/versus.js"),
    include_str!("page/clusters/cards.js"),
    include_str!("page/clusters/classes.js"),
    include_str!("page/choice.js"),
    include_str!("page/filter.js"),
    include_str!("page/map/tip.js"),
    include_str!("page/map/marks.js"),
    include_str!("page/map/input.js"),
    include_str!("page/map/legend.js"),
    include_str!("page/point/bars.js"),
    include_str!("page/point/waterfall.js"),
    include_str!("page/point/numbers.js"),
    include_str!("page/point/find.js"),
    include_str!("page/point/panel.js"),
    include_str!("page/download.js"),
    include_str!("page/table.js"),
    include_str!("page/features.js"),
    include_str!("page/trust.js"),
    include_str!("page/scroll.js"),
    include_str!("page/start.js"),
    "}",
);

const STYLE: &str = concat!(include_str!("base.css"), "\n", include_str!("page.css"));

/// The data of the page; its script reads the same fields.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Page {
    pub(super) format: &'static str,
    pub(super) version: u32,
    pub(super) generator: &'static str,
    pub(super) title: String,
    pub(super) model: ModelFacts,
    pub(super) trust: Option<Trust>,
    pub(super) features: Vec<String>,
    /// What the values of every feature are, if they are not all numbers.
    pub(super) kinds: Option<Vec<Kind>>,
    /// Names of the clusters, if they come from labels.
    pub(super) names: Option<Vec<String>>,
    /// Whether the centroids alone decide about the clusters.
    pub(super) centroid_based: bool,
    /// Names of the parts of a logit that belong to no feature.
    pub(super) absorbed: Vec<String>,
    pub(super) label: Option<String>,
    pub(super) classes: Option<Vec<String>>,
    pub(super) agreeing: Option<usize>,
    pub(super) clusters: Vec<Cluster>,
    pub(super) profile: PageProfile,
    /// How the number of clusters was chosen, if it was.
    pub(super) choice: Option<Choice>,
    /// `None` if no columns are grouped.
    pub(super) groups: Option<Vec<Group>>,
    pub(super) overall: GlobalSummary,
    pub(super) plane: PlaneFacts,
    pub(super) total: usize,
    /// First and last row of the data; rows in between may be missing.
    pub(super) rows: [usize; 2],
    pub(super) listed: PackedListed,
    pub(super) details: PackedDetails,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct ModelFacts {
    pub(super) kind: String,
    pub(super) clusters: usize,
    pub(super) features: usize,
    pub(super) scale: Scale,
    pub(super) rows: Option<usize>,
    /// As text: numbers in JavaScript are f64.
    pub(super) seed: Option<String>,
    pub(super) inertia: Option<f64>,
    pub(super) sizes: Option<Vec<usize>>,
    pub(super) iterations: Option<usize>,
    pub(super) converged: Option<bool>,
    pub(super) agreement: Option<f64>,
    /// `None` if it is infinite.
    pub(super) beta: Option<f64>,
    pub(super) heuristic_beta: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct Cluster {
    pub(super) cluster: usize,
    pub(super) points: usize,
    pub(super) class: Option<usize>,
    pub(super) mean_logit: f64,
    #[serde(serialize_with = "rounded")]
    pub(super) mean_relevance: Vec<f64>,
    #[serde(serialize_with = "rounded")]
    pub(super) deviation: Vec<f64>,
    #[serde(serialize_with = "rounded")]
    pub(super) mean_magnitude: Vec<f64>,
    /// In full precision: integers are shown as such.
    pub(super) centroid: Vec<f64>,
    #[serde(serialize_with = "rounded")]
    pub(super) centroid_scaled: Vec<f64>,
    pub(super) ambiguous: Vec<usize>,
}

/// Rounds summaries to eight digits, more than a page shows.
fn rounded<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    let round = |value: &f64| format!("{value:.7e}").parse().unwrap_or(*value);
    serializer.collect_seq(values.iter().map(|value| -> f64 { round(value) }))
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct PlaneFacts {
    pub(super) explained: [f64; 2],
    pub(super) centroids: Vec<[f64; 2]>,
}

impl Page {
    fn html(&self) -> String {
        // `<` could end the script. JSON allows an escape sequence in its place.
        let data = serde_json::to_string(self).expect("names and numbers are JSON");
        let data = data.replace('<', "\\u003c");
        fill(
            include_str!("page.html"),
            &[
                ("title", &escaped(&self.title)),
                ("style", STYLE),
                ("data", &data),
                ("library", include_str!("d3.min.js")),
                ("script", SCRIPT),
            ],
        )
    }
}
