//! What the page is given, and the file that it becomes.

use std::collections::HashMap;

use serde::{Serialize, Serializer};

use super::Packed;
use super::trust::Trust;
use crate::cases::{Cases, LONGEST_NAME, Part};
use crate::data::Scale;
use crate::explain::{GlobalSummary, by_strength};

/// The data of the page; its script names the same fields.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Page {
    pub(super) format: &'static str,
    pub(super) version: u32,
    pub(super) generator: &'static str,
    pub(super) title: String,
    pub(super) model: ModelFacts,
    pub(super) trust: Option<Trust>,
    pub(super) features: Vec<String>,
    /// What the clusters are called, where they come from labels.
    pub(super) names: Option<Vec<String>>,
    /// Whether the centroids decide, and not what lies around them.
    pub(super) centroid_based: bool,
    /// What parts of the logit are called that belong to no feature.
    pub(super) absorbed: Vec<String>,
    pub(super) label: Option<String>,
    pub(super) classes: Option<Vec<String>>,
    pub(super) agreeing: Option<usize>,
    pub(super) clusters: Vec<Cluster>,
    pub(super) overall: GlobalSummary,
    pub(super) plane: PlaneFacts,
    pub(super) total: usize,
    /// The first row of the data and the last; there may be gaps between.
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
    /// As text: scripts have no such whole numbers.
    pub(super) seed: Option<String>,
    pub(super) inertia: Option<f64>,
    pub(super) sizes: Option<Vec<usize>>,
    pub(super) iterations: Option<usize>,
    pub(super) converged: Option<bool>,
    pub(super) agreement: Option<f64>,
    /// None where it is infinite.
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
    /// In full: whole numbers are shown whole.
    pub(super) centroid: Vec<f64>,
    #[serde(serialize_with = "rounded")]
    pub(super) centroid_scaled: Vec<f64>,
    pub(super) typical: Vec<usize>,
    pub(super) ambiguous: Vec<usize>,
}

/// Summaries to eight digits, which is more than a page shows.
fn rounded<S: Serializer>(values: &[f64], serializer: S) -> Result<S::Ok, S::Error> {
    let round = |value: &f64| format!("{value:.7e}").parse().unwrap_or(*value);
    serializer.collect_seq(values.iter().map(|value| -> f64 { round(value) }))
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct PlaneFacts {
    pub(super) explained: [f64; 2],
    pub(super) centroids: Vec<[f64; 2]>,
}

/// Columns of the listed points.
#[derive(Default)]
pub(super) struct Listed {
    row: Vec<usize>,
    cluster: Vec<usize>,
    competitor: Vec<usize>,
    /// Both empty without classes.
    class: Vec<usize>,
    misplaced: Vec<bool>,
    logit: Vec<f64>,
    probability: Vec<f64>,
    places: Vec<[f64; 2]>,
    strongest: Vec<usize>,
    strongest_relevance: Vec<f64>,
    strongest_count: usize,
    detail: Vec<Option<usize>>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct PackedListed {
    count: usize,
    row: Packed,
    cluster: Packed,
    competitor: Packed,
    class: Option<Packed>,
    misplaced: Option<Packed>,
    logit: Packed,
    probability: Packed,
    x: Packed,
    y: Packed,
    strongest: Packed,
    strongest_relevance: Packed,
    strongest_count: usize,
    detail: Packed,
}

impl Listed {
    pub(super) fn len(&self) -> usize {
        self.cluster.len()
    }

    /// Adds a case with its `strongest` features.
    pub(super) fn push(&mut self, cases: &Cases, case: usize, strongest: usize) {
        let relevance = cases.relevance_of(case);
        let mut order = by_strength(relevance);
        order.truncate(strongest);
        self.strongest_count = order.len();
        self.strongest_relevance.extend(order.iter().map(|&i| relevance[i]));
        self.strongest.extend(order);
        self.cluster.push(cases.cluster[case]);
        self.competitor.push(cases.competitor[case]);
        self.logit.push(cases.logit[case]);
        self.probability.push(cases.probability[case]);
    }

    /// Where the case just added lies on the map and stands among the detailed.
    pub(super) fn place(&mut self, place: [f64; 2], detail: Option<usize>) {
        self.places.push(place);
        self.detail.push(detail);
    }

    /// The class of the case just added.
    pub(super) fn classify(&mut self, class: usize, misplaced: bool) {
        self.class.push(class);
        self.misplaced.push(misplaced);
    }

    /// Which rows of the data the cases added last are.
    pub(super) fn number(&mut self, rows: impl Iterator<Item = usize>) {
        self.row.extend(rows);
    }

    pub(super) fn packed(self) -> PackedListed {
        PackedListed {
            count: self.row.len(),
            row: Packed::u32(self.row),
            cluster: Packed::u32(self.cluster),
            competitor: Packed::u32(self.competitor),
            misplaced: (!self.class.is_empty()).then(|| Packed::bits(self.misplaced)),
            class: (!self.class.is_empty()).then(|| Packed::i32(self.class.into_iter().map(Some))),
            logit: Packed::f64(self.logit),
            probability: Packed::f32(self.probability),
            x: Packed::f32(self.places.iter().map(|place| place[0])),
            y: Packed::f32(self.places.iter().map(|place| place[1])),
            strongest: Packed::u32(self.strongest),
            strongest_relevance: Packed::f32(self.strongest_relevance),
            strongest_count: self.strongest_count,
            detail: Packed::i32(self.detail),
        }
    }
}

/// Cases against one cluster: relevance `[n, D]` and logit `[n]`, and what
/// biases absorb.
pub(super) struct Contrast {
    pub(super) relevance: Vec<f64>,
    pub(super) logit: Vec<f64>,
    pub(super) absorbed: Vec<Part>,
}

/// Columns of the points that are shown in full.
#[derive(Default)]
pub(super) struct Details {
    values: Vec<f64>,
    scaled: Vec<f64>,
    relevance: Vec<f64>,
    versus: Vec<usize>,
    contrast: Vec<f64>,
    contrast_logit: Vec<f64>,
    absorbed: Vec<f64>,
    contrast_absorbed: Vec<f64>,
    sentences: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct PackedDetails {
    count: usize,
    contrasts: usize,
    values: Packed,
    scaled: Packed,
    relevance: Packed,
    versus: Packed,
    contrast: Packed,
    contrast_logit: Packed,
    absorbed: Packed,
    contrast_absorbed: Packed,
    sentences: Vec<Vec<String>>,
}

impl Details {
    /// How many points there is room for in a page of some 15 MB, after the
    /// summaries of the clusters.
    pub(super) fn most(features: &[String], clusters: usize, contrasts: usize) -> usize {
        const BYTES: usize = 11_500_000;
        // A character takes six bytes at most: `<` is written as a code.
        let written = |name: &String| 6 * name.chars().count().min(LONGEST_NAME);
        let longest = features.iter().map(written).max().unwrap_or(0);
        // At most three reasons and two objections.
        let sentence = 90 + 5 * longest;
        let width = features.len();
        // values and relevance in f64, scaled and contrasts in f32
        let numbers = width * (8 + 8 + 4 + 4 * contrasts) + contrasts * 12;
        let summaries = clusters * width * (4 * 13 + 20);
        BYTES.saturating_sub(summaries) / (numbers * 4 / 3 + contrasts * sentence)
    }

    /// Adds a case and its contrasts, of the tables that there are.
    pub(super) fn push(
        &mut self,
        cases: &Cases,
        case: usize,
        versus: &[usize],
        contrasts: &HashMap<usize, Contrast>,
    ) {
        let width = cases.n_features();
        self.values.extend(cases.values_of(case));
        self.scaled.extend(cases.scaled_of(case));
        self.relevance.extend(cases.relevance_of(case));
        self.absorbed.extend(cases.absorbed.iter().map(|part| part.amounts[case]));
        self.versus.extend(versus);
        let mut sentences = Vec::with_capacity(versus.len());
        for &other in versus {
            let Contrast { relevance, logit, absorbed } = &contrasts[&other];
            let relevance = &relevance[case * width..(case + 1) * width];
            self.contrast.extend(relevance);
            self.contrast_logit.push(logit[case]);
            self.contrast_absorbed.extend(absorbed.iter().map(|part| part.amounts[case]));
            let parts: Vec<(&str, f64)> =
                absorbed.iter().map(|part| (part.name.as_str(), part.amounts[case])).collect();
            sentences.push(cases.in_words(case, other, relevance, &parts));
        }
        self.sentences.push(sentences);
    }

    pub(super) fn packed(self, contrasts: usize) -> PackedDetails {
        PackedDetails {
            count: self.sentences.len(),
            contrasts,
            values: Packed::f64(self.values),
            scaled: Packed::f32(self.scaled),
            relevance: Packed::f64(self.relevance),
            versus: Packed::u32(self.versus),
            contrast: Packed::f32(self.contrast),
            contrast_logit: Packed::f64(self.contrast_logit),
            absorbed: Packed::f64(self.absorbed),
            contrast_absorbed: Packed::f64(self.contrast_absorbed),
            sentences: self.sentences,
        }
    }
}

impl Page {
    /// The file: the template with style, scripts and data in it.
    pub(super) fn html(&self) -> String {
        // Within a script `<` could end it; in JSON it may be written as a code.
        let data = serde_json::to_string(self).expect("names and numbers are JSON");
        let data = data.replace('<', "\\u003c");
        let title = self.title.replace('&', "&amp;").replace('<', "&lt;");
        let mut rest = include_str!("page.html");
        let mut html = String::with_capacity(data.len() + (1 << 19));
        // Cut at the marks from left to right: what is put in is not searched.
        while let Some((before, behind)) = rest.split_once("{{") {
            html.push_str(before);
            let Some((mark, after)) = behind.split_once("}}") else { break };
            html.push_str(match mark {
                "title" => &title,
                "style" => include_str!("page.css"),
                "library" => include_str!("d3.min.js"),
                "script" => include_str!("page.js"),
                "data" => &data,
                _ => "",
            });
            rest = after;
        }
        html.push_str(rest);
        html
    }
}
