//! Explained points on the host.

use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use super::classes::Classes;
use crate::data::{Encoding, Shown, Table};
use crate::error::Result;
use crate::explain::{Absorbed, Beta, ClusterSummary, Target, logistic, part_title};
use crate::record::Model;
use crate::text::words::number;
use crate::transfer;

/// Explained points on the host. Besides the explanations, it has the values in the units of the
/// data and scaled, the centroids, and the classes. Figures are drawn from it.
///
/// Tables are row-major: value `d` of case `n` is at `n · D + d`. D counts columns of the data: the
/// relevances of the values of a category are summed.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::DType;
/// use neuralize::cases::Cases;
/// use neuralize::prelude::*;
///
/// let wine = Table::wine();
/// let x = wine.to_tensor::<Flex>(&Default::default(), DType::F64)?;
/// let scaler = Scale::MinMax.fit(&x)?;
/// let fit = KMeansConfig::new(3).fit(&scaler.transform(&x)?)?;
/// let info = ModelInfo::new(wine.features());
/// let model = Model::new(scaler, fit.model, info)?;
///
/// let cases = Cases::explain(&model, &wine, Target::Assigned, Beta::Heuristic)?;
/// assert_eq!((cases.len(), cases.relevance_of(70).len()), (178, 13));
/// assert_eq!(cases.classes.expect("wine has classes").names, ["0", "1", "2"]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Cases {
    /// Names of the features, D of them.
    pub features: Vec<String>,
    /// Row of every case in the data, counted from 0, `[N]`.
    pub rows: Vec<usize>,
    /// Names of the cases, if rows of the data have names, `[N]`.
    #[serde(default)]
    pub ids: Option<Vec<String>>,
    /// Number of rows in the data, at least N: the cases may be a subset.
    pub total: usize,
    /// Values in the units of the data, `[N, D]`; for a category the number of the value.
    pub values: Vec<f64>,
    /// Scaled values, as the clusterer sees them, `[N, D]`; 0 for a category.
    pub scaled: Vec<f64>,
    /// Relevances, `[N, D]`.
    pub relevance: Vec<f64>,
    /// Logits, which relevances and absorbed parts sum to, `[N]`.
    pub logit: Vec<f64>,
    /// The explained cluster, `[N]`.
    pub cluster: Vec<usize>,
    /// The nearest of the other clusters, `[N]`.
    pub competitor: Vec<usize>,
    /// Probability of the explained cluster against its nearest competitor,
    /// `1 / (1 + exp(−f_c))`, `[N]`.
    pub probability: Vec<f64>,
    /// The centroids in the units of the data, `[K, D]`.
    pub centroids: Vec<f64>,
    /// The scaled centroids, as the clusterer sees them, `[K, D]`; 0 for a category.
    pub scaled_centroids: Vec<f64>,
    /// How the columns became features, if they are not all numbers.
    #[serde(default)]
    pub encoding: Option<Encoding>,
    /// Case and column of every value that stands for a missing one.
    #[serde(default)]
    pub filled: Vec<(usize, usize)>,
    /// Points and centroids as the clusterer sees them, if there are categories.
    #[serde(default)]
    pub(crate) encoded: Option<[Vec<f64>; 2]>,
    /// Names of the clusters, if they come from labels.
    pub names: Option<Vec<String>>,
    /// The relevance that biases of the network absorb; empty for most networks.
    pub absorbed: Vec<AbsorbedRelevance>,
    /// Whether the centroids alone decide about the clusters, so that a feature is
    /// high or low relative to the middle between two centroids.
    pub centroid_based: bool,
    /// Known classes, if the table has labels and every point is explained for its
    /// own cluster.
    pub classes: Option<Classes>,
    /// The question that the explanations answer.
    pub target: Target,
    /// The β that was used; infinite if only one competitor counts.
    pub beta: f64,
}

/// Relevance that a bias absorbs: the part of the logits that belongs to no
/// feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct AbsorbedRelevance {
    /// Name of the part, in parentheses.
    pub name: String,
    /// Amount for every case, `[N]`, with the sign of a relevance.
    pub amounts: Vec<f64>,
}

impl Cases {
    /// Explains the rows of a table whose columns are the features of the model, in its order. All
    /// results are copied to the host: use it for as many points as a person can look at.
    ///
    /// # Errors
    ///
    /// As [`Model::explain`], and if the columns of the table are not the features of
    /// the model.
    pub fn explain<B: Backend>(
        model: &Model<B>,
        table: &Table,
        target: Target,
        beta: Beta,
    ) -> Result<Self> {
        model.check_columns(table)?;
        let encoding = model.info().encoding.clone();
        let features = model.info().columns();
        let network = model.neuralize()?;
        let centroids = network.centroids();
        let clusters = network.n_clusters();
        let raw = table.to_tensor::<B>(&centroids.device(), network.dtype())?;
        let x = model.scaler().transform(&raw)?;
        let found = network.explain(&x, target, beta)?;
        let logits = transfer::download(network.forward(x.clone())?);
        let cluster = transfer::download_indices(found.cluster.clone());
        let rows = || logits.chunks(clusters).zip(&cluster);
        let competitor = rows().map(|(row, &own)| nearest_competitor(row, own)).collect();
        let probability = rows().map(|(row, &own)| logistic(row[own])).collect();
        let found = found.by_column(encoding.as_ref())?;
        let values: Vec<f64> =
            (0..table.rows()).filter_map(|row| table.row(row)).flatten().copied().collect();
        let scaled = [transfer::download(x), transfer::download(centroids.clone())];
        let originals = transfer::download(model.scaler().inverse(&centroids)?);
        let in_units = |rows: Vec<f64>| match &encoding {
            Some(encoding) => encoding.values(&rows),
            None => rows,
        };
        let [of_cases, of_centroids] = scaled.clone().map(|rows| match &encoding {
            Some(encoding) => encoding.single_features(&rows),
            None => rows,
        });
        let has_categories = encoding.as_ref().is_some_and(|encoding| !encoding.is_one_to_one());
        // Only assigned clusters can be matched to classes.
        let assigned = matches!(target, Target::Assigned | Target::AssignedVersus(_));
        let classes = table.classes().filter(|_| assigned);
        let labels = model.info().labels.as_deref();
        let classes = classes.map(|(of, names)| Classes::of(&cluster, of, names, clusters, labels));
        Ok(Self {
            rows: table.numbers(),
            ids: table.ids().map(<[String]>::to_vec),
            total: table.rows_read(),
            values: in_units(values),
            scaled: of_cases,
            filled: table.gaps().filled.clone(),
            encoded: has_categories.then_some(scaled),
            relevance: transfer::download(found.relevance),
            absorbed: found.absorbed.into_iter().map(AbsorbedRelevance::of).collect(),
            centroid_based: network.is_centroid_based(),
            names: model.info().labels.clone(),
            classes: classes.transpose()?,
            logit: transfer::download(found.logit),
            cluster,
            competitor,
            probability,
            centroids: in_units(originals),
            scaled_centroids: of_centroids,
            encoding,
            features,
            target,
            beta: found.beta,
        })
    }

    /// Number of cases, N.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no cases.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Number of features, D.
    pub fn n_features(&self) -> usize {
        self.features.len()
    }

    /// Number of clusters, K.
    pub fn n_clusters(&self) -> usize {
        self.centroids.len().checked_div(self.n_features()).unwrap_or(0)
    }

    /// The relevances of one case, `[D]`; empty if there is no such case.
    pub fn relevance_of(&self, case: usize) -> &[f64] {
        row_of(&self.relevance, case, self.n_features())
    }

    /// The values of one case in the units of the data, `[D]`.
    pub fn values_of(&self, case: usize) -> &[f64] {
        row_of(&self.values, case, self.n_features())
    }

    /// The scaled values of one case, `[D]`.
    pub fn scaled_of(&self, case: usize) -> &[f64] {
        row_of(&self.scaled, case, self.n_features())
    }

    /// One centroid in the units of the data, `[D]`.
    pub fn centroid_of(&self, cluster: usize) -> &[f64] {
        row_of(&self.centroids, cluster, self.n_features())
    }

    /// One scaled centroid, `[D]`.
    pub fn scaled_centroid_of(&self, cluster: usize) -> &[f64] {
        row_of(&self.scaled_centroids, cluster, self.n_features())
    }

    /// The number of a case in the data, with its name if it has one.
    pub fn case_title(&self, case: usize) -> String {
        let row = self.rows.get(case).map_or(String::new(), ToString::to_string);
        match self.ids.as_ref().and_then(|ids| ids.get(case)) {
            Some(id) => format!("{row} ({})", Shown(id)),
            None => row,
        }
    }

    /// A value of a case as text: a number, a category, a date, yes or no; `filled in` behind a value
    /// that stands for a missing one.
    pub fn value_text(&self, case: usize, column: usize) -> String {
        let value = self.values_of(case).get(column).copied().unwrap_or(f64::NAN);
        let text = self.text_of(column, value);
        if self.filled.binary_search(&(case, column)).is_ok() {
            format!("{text}, filled in")
        } else {
            text
        }
    }

    /// A value of a centroid as text: a number, the most frequent category, a date.
    pub fn centroid_text(&self, cluster: usize, column: usize) -> String {
        let value = self.centroid_of(cluster).get(column).copied().unwrap_or(f64::NAN);
        self.text_of(column, value)
    }

    fn text_of(&self, column: usize, value: f64) -> String {
        let column = self.encoding.as_ref().and_then(|encoding| encoding.columns.get(column));
        column.and_then(|column| column.words(value)).unwrap_or_else(|| number(value))
    }

    /// Whether a column is neither high nor low: yes or no, or a category.
    #[cfg(feature = "report")]
    pub(crate) fn is_named(&self, column: usize) -> bool {
        let column = self.encoding.as_ref().and_then(|encoding| encoding.columns.get(column));
        column.is_some_and(|column| column.is_category() || column.kind == crate::data::Kind::Flag)
    }

    /// Points and centroids as the clusterer sees them, `[N, D]` and `[K, D]`, and their D.
    #[cfg(any(feature = "report", feature = "svg"))]
    pub(crate) fn places(&self) -> (&[f64], &[f64], usize) {
        match &self.encoded {
            Some([points, centroids]) => {
                let width = centroids.len().checked_div(self.n_clusters()).unwrap_or(0);
                (points, centroids, width)
            }
            None => (&self.scaled, &self.scaled_centroids, self.n_features()),
        }
    }

    /// The cases whose cluster stands for a class other than theirs, in ascending order; empty
    /// without classes, and where clusters and classes are not nearly one to one.
    pub fn misplaced(&self) -> Vec<usize> {
        (0..self.len()).filter(|&case| self.is_misplaced(case)).collect()
    }

    /// Whether the cluster of a case stands for a class other than its own.
    pub fn is_misplaced(&self, case: usize) -> bool {
        let known = self.classes.as_ref().zip(self.cluster.get(case));
        let placed =
            known.and_then(|(classes, &k)| Some(classes.is_other(k, *classes.of.get(case)?)));
        placed.unwrap_or(false)
    }

    /// One summary per cluster, the same as those of
    /// [`Explanation::per_cluster`](crate::explain::Explanation::per_cluster).
    pub fn per_cluster(&self) -> Vec<ClusterSummary> {
        let width = self.n_features();
        (0..self.n_clusters())
            .map(|cluster| {
                let own: Vec<usize> =
                    (0..self.len()).filter(|&case| self.cluster[case] == cluster).collect();
                let points = own.len().max(1) as f64;
                let mean = |of: &dyn Fn(usize) -> f64| {
                    own.iter().map(|&case| of(case)).sum::<f64>() / points
                };
                let relevance = |case: usize, i: usize| self.relevance[case * width + i];
                let mean_relevance: Vec<f64> =
                    (0..width).map(|i| mean(&|case| relevance(case, i))).collect();
                let deviation = |i: usize| {
                    let apart = |case| (relevance(case, i) - mean_relevance[i]).abs();
                    let largest = own.iter().map(|&case| apart(case)).fold(0.0, f64::max);
                    if largest > 0.0 {
                        largest * mean(&|case| (apart(case) / largest).powi(2)).sqrt()
                    } else {
                        0.0
                    }
                };
                ClusterSummary {
                    cluster,
                    points: own.len(),
                    mean_logit: mean(&|case| self.logit[case]),
                    deviation: (0..width).map(deviation).collect(),
                    mean_magnitude: (0..width)
                        .map(|i| mean(&|case| relevance(case, i).abs()))
                        .collect(),
                    mean_relevance,
                }
            })
            .collect()
    }

    /// Name of a cluster: its label, or its number.
    pub fn cluster_name(&self, cluster: usize) -> String {
        let name = self.names.as_ref().and_then(|names| names.get(cluster).cloned());
        name.unwrap_or_else(|| cluster.to_string())
    }

    /// `cluster` and its name, with the matched class if that has another name.
    pub fn cluster_title(&self, cluster: usize) -> String {
        if self.names.is_some() {
            return format!("cluster {}", self.cluster_name(cluster));
        }
        let class = self.classes.as_ref().and_then(|classes| {
            let class = (*classes.of_cluster.get(cluster)?)?;
            classes.names.get(class).filter(|name| **name != cluster.to_string())
        });
        match class {
            Some(class) => format!("cluster {cluster} ({class})"),
            None => format!("cluster {cluster}"),
        }
    }
}

impl AbsorbedRelevance {
    pub(crate) fn of<B: Backend>(part: Absorbed<B>) -> Self {
        Self { name: part_title(part.name), amounts: transfer::download(part.amount) }
    }
}

/// The cluster with the largest logit besides `own`: that of the nearest competitor.
fn nearest_competitor(logits: &[f64], own: usize) -> usize {
    let others = (0..logits.len()).filter(|&k| k != own);
    let nearest = others.fold(None, |best: Option<usize>, k| match best {
        Some(best) if logits[k] <= logits[best] => Some(best),
        _ => Some(k),
    });
    nearest.unwrap_or_default()
}

fn row_of(table: &[f64], row: usize, width: usize) -> &[f64] {
    table.get(row * width..(row + 1) * width).unwrap_or_default()
}
