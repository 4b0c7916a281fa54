//! What every cluster is, as the page shows it.

use serde::Serialize;

use super::pack::Packed;
use crate::profile::{
    CellFacts, ClassFacts, ClusterFacts, DifferenceFacts, ModelProfile, PairFacts, RuleFacts,
};

/// Columns and values of a cluster that are shown, the most striking first.
const MAX_CELLS: usize = 60;

/// Columns and values of a comparison that are shown.
const MAX_DIFFERENCES: usize = 12;

/// The profile of the page. Columns and clusters are numbers.
#[derive(Debug, Clone, Serialize)]
pub(super) struct PageProfile {
    clusters: Vec<PageCluster>,
    versus: Vec<PagePair>,
    classes: Option<ClassFacts>,
    remark: &'static str,
    /// That the clusters were found in other rows, in a sentence.
    fitted: Option<String>,
    /// Whether the clusters come back, in a sentence.
    stability: Option<String>,
}

#[derive(Debug, Clone, Serialize)]
struct PageCluster {
    sentence: String,
    rule: Option<RuleFacts>,
    ambiguous: f64,
    /// Whether it comes back, in words and in short.
    stability: Option<String>,
    grade: Option<String>,
    #[serde(flatten)]
    shown: Shown,
    columns: Vec<PageCell>,
}

/// What a page shows of a cluster besides its profile.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Shown {
    /// The cluster that it is most often told apart from.
    pub(super) competitor: Option<usize>,
    /// Numbers of rows.
    pub(super) typical: Vec<usize>,
    pub(super) farthest: Vec<usize>,
}

#[derive(Debug, Clone, Serialize)]
struct PageCell {
    feature: usize,
    value: Option<String>,
    own: f64,
    overall: f64,
    median: Option<f64>,
    difference: Option<f64>,
    v: Option<f64>,
}

#[derive(Debug, Clone, Serialize)]
struct PagePair {
    a: usize,
    b: usize,
    sentences: [String; 2],
    differences: Vec<PageDifference>,
    /// Columns in the order of the page, `[C]`.
    contrasts: [Packed; 2],
    logits: [f64; 2],
}

#[derive(Debug, Clone, Serialize)]
struct PageDifference {
    feature: usize,
    value: Option<String>,
    own: f64,
    other: f64,
    difference: f64,
}

impl PageProfile {
    /// `shown` is of every cluster, `[K]`.
    pub(super) fn of(profile: &ModelProfile, shown: Vec<Shown>) -> Self {
        let clusters = profile.clusters.iter().zip(shown);
        Self {
            clusters: clusters.map(|(cluster, shown)| PageCluster::of(cluster, shown)).collect(),
            versus: profile.versus.iter().map(PagePair::of).collect(),
            classes: profile.classes.clone(),
            remark: profile.remark,
            fitted: profile.fitted_in_words(),
            stability: profile.stability_in_words(),
        }
    }
}

impl PageCluster {
    fn of(cluster: &ClusterFacts, shown: Shown) -> Self {
        let mut cells: Vec<&CellFacts> = cluster.columns.iter().collect();
        let strength = |cell: &CellFacts| {
            let of = cell.v.or(cell.difference).unwrap_or(0.0).abs();
            if of.is_nan() { 0.0 } else { of }
        };
        cells.sort_by(|a, b| strength(b).total_cmp(&strength(a)));
        cells.truncate(MAX_CELLS);
        Self {
            sentence: cluster.sentence.clone(),
            rule: cluster.rule.clone(),
            ambiguous: cluster.ambiguous,
            stability: cluster.stability_in_words(),
            grade: cluster.stability_grade(),
            shown,
            columns: cells.into_iter().map(PageCell::of).collect(),
        }
    }
}

impl PageCell {
    fn of(cell: &CellFacts) -> Self {
        let &CellFacts { at, own, overall, median, difference, v, .. } = cell;
        Self { feature: at, value: cell.value.clone(), own, overall, median, difference, v }
    }
}

impl PagePair {
    fn of(pair: &PairFacts) -> Self {
        let [a, b] = pair.at;
        let differences = pair.differences.iter().take(MAX_DIFFERENCES);
        Self {
            a,
            b,
            sentences: pair.sentences.clone(),
            differences: differences.map(PageDifference::of).collect(),
            logits: pair.contrasts.each_ref().map(|contrast| contrast.logit),
            contrasts: pair
                .contrasts
                .each_ref()
                .map(|contrast| Packed::f64(contrast.relevance.iter().copied())),
        }
    }
}

impl PageDifference {
    fn of(found: &DifferenceFacts) -> Self {
        let &DifferenceFacts { at, own, other, difference, .. } = found;
        Self { feature: at, value: found.value.clone(), own, other, difference }
    }
}
