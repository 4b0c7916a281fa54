//! The columns of results.

use std::fmt::Write as _;

use burn::tensor::DType;

/// What every row holds.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) kind: ResultKind,
    pub(super) content: Content,
    pub(super) dtype: DType,
    /// Names of the clusters, if they have names.
    pub(super) clusters: Option<Vec<String>>,
    /// Name of the column of the names of rows, if rows have names.
    pub(super) id: Option<String>,
}

/// What the results are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum ResultKind {
    /// Clusters and their logits.
    Cluster,
    /// Outlier scores.
    Outlier,
}

impl ResultKind {
    /// The columns that every row begins with.
    fn first(self) -> &'static [&'static str] {
        match self {
            Self::Cluster => &["index", "cluster", "logit"],
            Self::Outlier => &["index", "score"],
        }
    }

    /// Name of the number that the relevances sum to.
    pub(super) fn sum(self) -> &'static str {
        match self {
            Self::Cluster => "logit",
            Self::Outlier => "score",
        }
    }
}

#[derive(Debug, Clone)]
pub(super) enum Content {
    /// Cluster, logit and probability.
    Prediction,
    /// The relevance of every feature.
    All { features: Vec<String> },
    /// The `count` strongest features, and the sum of the others.
    Strongest { features: Vec<String>, count: usize },
}

impl Layout {
    /// Names of the columns. A feature with the name of one of the first columns
    /// gets ` (feature)` appended until its name is unique.
    pub(super) fn header(&self) -> Vec<String> {
        let first = self.kind.first();
        let mut header: Vec<String> = first.iter().map(|&name| name.to_owned()).collect();
        if let Some(id) = &self.id {
            let taken = first.contains(&id.as_str()) || self.features().contains(id);
            header.insert(1, if taken { format!("{id} (name)") } else { id.clone() });
        }
        match &self.content {
            Content::Prediction => header.push("probability".into()),
            Content::All { features } => {
                header.extend(features.iter().map(|name| {
                    let mut name = name.clone();
                    if first.contains(&name.as_str()) {
                        while first.contains(&name.as_str()) || features.contains(&name) {
                            name.push_str(" (feature)");
                        }
                    }
                    name
                }));
            }
            Content::Strongest { count, .. } => {
                let pairs =
                    (1..=*count).flat_map(|n| [format!("feature_{n}"), format!("relevance_{n}")]);
                header.extend(pairs.chain(["other".into()]));
            }
        }
        header
    }

    /// Whether a column holds names of features.
    #[cfg(feature = "parquet")]
    pub(super) fn names_a_feature(&self, column: usize) -> bool {
        match self.content {
            Content::Strongest { count, .. } => {
                let first = self.kind.first().len() + usize::from(self.id.is_some());
                (first..first + 2 * count).contains(&column) && (column - first).is_multiple_of(2)
            }
            Content::Prediction | Content::All { .. } => false,
        }
    }

    /// The name of a cluster, if clusters have names.
    pub(super) fn cluster(&self, cluster: usize) -> Option<&str> {
        self.clusters.as_ref()?.get(cluster).map(String::as_str)
    }

    /// Names of the features.
    pub(super) fn features(&self) -> &[String] {
        match &self.content {
            Content::Prediction => &[],
            Content::All { features } | Content::Strongest { features, .. } => features,
        }
    }

    /// Appends a number with as many digits as its precision needs.
    pub(super) fn number(&self, text: &mut String, value: f64) {
        // Writing to a string cannot fail.
        let _ = match self.dtype {
            DType::F64 => write!(text, "{value:?}"),
            _ => write!(text, "{:?}", value as f32),
        };
    }
}
