use std::fmt::Write as _;

use burn::tensor::DType;

/// What every row of a file holds.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    pub(super) about: About,
    pub(super) content: Content,
    pub(super) dtype: DType,
    /// What the clusters are called, if not by their numbers.
    pub(super) clusters: Option<Vec<String>>,
}

/// What rows are asked about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Their cluster, and by how much they are in it.
    Cluster,
    /// How far out they are.
    Outlier,
}

impl About {
    /// The columns that every row begins with.
    fn first(self) -> &'static [&'static str] {
        match self {
            Self::Cluster => &["index", "cluster", "logit"],
            Self::Outlier => &["index", "score"],
        }
    }

    /// What the number is called that the relevances sum to.
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
    /// So many of the strongest features, and the rest in one number.
    Strongest { features: Vec<String>, count: usize },
}

impl Layout {
    /// Names of the columns of a table of such rows. A feature that is named
    /// like one of the first gets ` (feature)` appended until no other has its
    /// name.
    pub(super) fn header(&self) -> Vec<String> {
        let first = self.about.first();
        let mut header: Vec<String> = first.iter().map(|&name| name.to_owned()).collect();
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

    /// Whether the cells of a column are names of features.
    #[cfg(feature = "parquet")]
    pub(super) fn names_a_feature(&self, column: usize) -> bool {
        match self.content {
            Content::Strongest { count, .. } => {
                let first = self.about.first().len();
                (first..first + 2 * count).contains(&column) && (column - first).is_multiple_of(2)
            }
            Content::Prediction | Content::All { .. } => false,
        }
    }

    /// What a cluster is called, where it is not by its number.
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

    /// Appends a number with the digits that its precision needs.
    pub(super) fn number(&self, text: &mut String, value: f64) {
        // Writing to a string cannot fail.
        let _ = match self.dtype {
            DType::F64 => write!(text, "{value:?}"),
            _ => write!(text, "{:?}", value as f32),
        };
    }
}
