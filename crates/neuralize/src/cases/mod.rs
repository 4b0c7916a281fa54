//! Explained points as a person looks at them: on the host, with values,
//! centroids and classes beside the relevances.

#[cfg(feature = "pca")]
mod map;
#[cfg(any(feature = "autodiff", feature = "svg"))]
mod number;
#[cfg(any(feature = "svg", feature = "report"))]
mod words;

use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

use crate::cluster::match_to_classes;
use crate::data::Table;
use crate::error::{Error, Result};
use crate::explain::{Absorbed, Beta, ClusterSummary, Target, logistic, part_title};
use crate::record::Model;
use crate::transfer;

#[cfg(feature = "pca")]
pub use map::Map;
#[cfg(any(feature = "autodiff", feature = "svg"))]
pub(crate) use number::number;
#[cfg(feature = "report")]
pub(crate) use words::LONGEST_NAME;

/// Explained points on the host, with everything that a person wants to see
/// beside an explanation: the values in the units of the data and as the
/// clusterer sees them, the centroids, the classes. Figures are made of it.
///
/// Tables are row-major: value `d` of case `n` is at `n · D + d`.
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
/// let fit = KMeansConfig::new(3).fit(&scaler.transform(x)?)?;
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
    /// Rows in the data, N or more: the cases may be a choice of them.
    pub total: usize,
    /// Values in the units of the data, `[N, D]`.
    pub values: Vec<f64>,
    /// Values as the clusterer sees them, `[N, D]`.
    pub scaled: Vec<f64>,
    /// Relevances, `[N, D]`.
    pub relevance: Vec<f64>,
    /// What the relevances sum to, `[N]`.
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
    /// The centroids as the clusterer sees them, `[K, D]`.
    pub scaled_centroids: Vec<f64>,
    /// What the clusters are called, where they come from labels.
    pub names: Option<Vec<String>>,
    /// What the network's biases absorb; none for most networks. Relevances and
    /// these sum to the logit.
    pub absorbed: Vec<Part>,
    /// Whether features of a point are high or low as seen from between two
    /// centroids.
    pub centroid_based: bool,
    /// Known classes, where the table has labels and every point is asked about
    /// its own cluster.
    pub classes: Option<Classes>,
    /// The question.
    pub target: Target,
    /// The β that was used; infinite where only one competitor counts.
    pub beta: f64,
}

/// A part of the logits that belongs to no feature.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Part {
    /// What takes it.
    pub name: String,
    /// How much, `[N]`, signed as relevances are.
    pub amounts: Vec<f64>,
}

/// Known classes beside the clusters.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Classes {
    /// The class of every case, `[N]`.
    pub of: Vec<usize>,
    /// Names of the classes.
    pub names: Vec<String>,
    /// The class that every cluster stands for, by the best one-to-one
    /// matching, `[K]`; none where there are more clusters than classes.
    pub of_cluster: Vec<Option<usize>>,
    /// Cases whose cluster stands for their class.
    pub agreeing: usize,
    /// Whether a class is none that a cluster can stand for: noise, where the
    /// clusters come from labels.
    pub apart: Vec<bool>,
}

impl Cases {
    /// Explains the rows of a table whose columns are the model's features in
    /// its order. The answers are collected on the host: this is for as many
    /// points as a person looks at.
    ///
    /// # Errors
    ///
    /// As [`Model::explain`], and if the table's columns are not the model's.
    pub fn explain<B: Backend>(
        model: &Model<B>,
        table: &Table,
        target: Target,
        beta: Beta,
    ) -> Result<Self> {
        let features = model.info().features.clone();
        check_columns(model, table)?;
        let network = model.neuralize()?;
        let centroids = network.centroids();
        let clusters = network.n_clusters();
        let raw = table.to_tensor::<B>(&centroids.device(), network.dtype())?;
        let x = model.scaler().transform(raw)?;
        let found = network.explain(&x, target, beta)?;
        let logits = transfer::download(network.forward(x.clone())?);
        let cluster = transfer::download_indices(found.cluster.clone());
        // Competitors in order of their distance: that of their logits.
        let competitor = logits.chunks(clusters).zip(&cluster).map(|(row, &own)| {
            let others = (0..clusters).filter(|&k| k != own);
            others.fold(None, |best: Option<usize>, k| match best {
                Some(best) if row[k] <= row[best] => Some(best),
                _ => Some(k),
            })
        });
        let competitor = competitor.map(Option::unwrap_or_default).collect();
        let logit = transfer::download(found.logit.clone());
        let margins = logits.chunks(clusters).zip(&cluster).map(|(row, &own)| row[own]);
        // Clusters that are asked about say nothing of what clusters stand for.
        let assigned = matches!(target, Target::Assigned | Target::AssignedVersus(_));
        let classes = table.classes().filter(|_| assigned);
        Ok(Self {
            rows: (0..table.rows()).collect(),
            total: table.rows(),
            values: (0..table.rows()).filter_map(|row| table.row(row)).flatten().copied().collect(),
            scaled: transfer::download(x),
            relevance: transfer::download(found.relevance),
            absorbed: found.absorbed.into_iter().map(Part::of).collect(),
            centroid_based: network.is_centroid_based(),
            names: model.info().labels.clone(),
            probability: margins.map(logistic).collect(),
            classes: classes.map(|(of, names)| {
                Classes::matched(&cluster, of, names, clusters, model.info().labels.as_deref())
            }),
            logit,
            cluster,
            competitor,
            centroids: transfer::download(model.scaler().inverse(centroids.clone())?),
            scaled_centroids: transfer::download(centroids),
            features,
            target,
            beta: found.beta,
        })
    }

    /// How many cases, N.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// How many features, D.
    pub fn n_features(&self) -> usize {
        self.features.len()
    }

    /// How many clusters, K.
    pub fn n_clusters(&self) -> usize {
        self.centroids.len().checked_div(self.n_features()).unwrap_or(0)
    }

    /// The relevances of one case, `[D]`; empty beyond the last.
    pub fn relevance_of(&self, case: usize) -> &[f64] {
        row_of(&self.relevance, case, self.n_features())
    }

    /// Its values in the units of the data, `[D]`.
    pub fn values_of(&self, case: usize) -> &[f64] {
        row_of(&self.values, case, self.n_features())
    }

    /// Its values as the clusterer sees them, `[D]`.
    pub fn scaled_of(&self, case: usize) -> &[f64] {
        row_of(&self.scaled, case, self.n_features())
    }

    /// One centroid in the units of the data, `[D]`.
    pub fn centroid_of(&self, cluster: usize) -> &[f64] {
        row_of(&self.centroids, cluster, self.n_features())
    }

    /// One centroid as the clusterer sees it, `[D]`.
    pub fn scaled_centroid_of(&self, cluster: usize) -> &[f64] {
        row_of(&self.scaled_centroids, cluster, self.n_features())
    }

    /// The cases whose cluster stands for another class than theirs, in order;
    /// none without classes.
    pub fn misplaced(&self) -> Vec<usize> {
        (0..self.len()).filter(|&case| self.is_misplaced(case)).collect()
    }

    /// Whether the cluster of a case stands for another class than its own.
    pub fn is_misplaced(&self, case: usize) -> bool {
        let known = self.classes.as_ref().zip(self.cluster.get(case));
        let placed =
            known.and_then(|(classes, &k)| Some(classes.is_other(k, *classes.of.get(case)?)));
        placed.unwrap_or(false)
    }

    /// One summary a cluster, as
    /// [`Explanation::per_cluster`](crate::explain::Explanation::per_cluster)
    /// gives them.
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
                    let most = own.iter().map(|&case| apart(case)).fold(0.0, f64::max);
                    if most > 0.0 {
                        most * mean(&|case| (apart(case) / most).powi(2)).sqrt()
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

    /// What a cluster is called: its label, or its number.
    pub fn cluster_name(&self, cluster: usize) -> String {
        let name = self.names.as_ref().and_then(|names| names.get(cluster).cloned());
        name.unwrap_or_else(|| cluster.to_string())
    }

    /// A cluster's number, and the class that it stands for where that is known
    /// and called otherwise.
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

impl Part {
    pub(crate) fn of<B: Backend>(part: Absorbed<B>) -> Self {
        Self { name: part_title(part.name), amounts: transfer::download(part.amount) }
    }
}

impl Classes {
    /// Classes of points in clusters, matched one to one; where the clusters come
    /// from labels, no cluster stands for another class than one of them.
    pub(crate) fn matched(
        clusters: &[usize],
        of: Vec<usize>,
        names: Vec<String>,
        n_clusters: usize,
        labels: Option<&[String]>,
    ) -> Self {
        let matching = match_to_classes(clusters, &of, n_clusters, names.len());
        let apart = names.iter().map(|name| labels.is_some_and(|labels| !labels.contains(name)));
        Self {
            apart: apart.collect(),
            of,
            names,
            of_cluster: matching.class_of,
            agreeing: matching.agreeing,
        }
    }

    /// Whether a cluster stands for another class than this one.
    pub(crate) fn is_other(&self, cluster: usize, class: usize) -> bool {
        let stands_for = self.of_cluster.get(cluster).copied().flatten();
        let apart = self.apart.get(class).copied().unwrap_or(false);
        !apart && stands_for.is_some_and(|stands_for| stands_for != class)
    }
}

/// Whether a table has the model's features in its order.
pub(crate) fn check_columns<B: Backend>(model: &Model<B>, table: &Table) -> Result<()> {
    let features = &model.info().features;
    if table.features() == features {
        return Ok(());
    }
    let detail = format!(
        "its columns are not the model's features, {}; select them when it is read",
        features.join(", ")
    );
    Err(Error::Table { file: "the table".into(), detail })
}

fn row_of(table: &[f64], row: usize, width: usize) -> &[f64] {
    table.get(row * width..(row + 1) * width).unwrap_or_default()
}
