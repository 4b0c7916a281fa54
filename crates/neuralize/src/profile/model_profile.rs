//! What every cluster of a model is, ready to be written down.

use serde::Serialize;

use crate::choose::rounded;
use crate::cluster::CrossTable;
use crate::profile::cluster_profile::Profile;
use crate::profile::clustered_rows::{ClusteredRows, ColumnValues};
use crate::profile::column_profile::ColumnProfile;
use crate::profile::v_test::VTest;
use crate::profile::versus::Versus;
use crate::text::{Shown, words as shown};

/// What every cluster of a model is: the [`Profile`] of a table, and what the model says of its
/// rows. [`ModelProfileBuilder`](crate::profile::ModelProfileBuilder) makes it.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ModelProfile {
    /// Number of rows.
    pub rows: usize,
    /// Number of rows that the model was fitted to, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fitted: Option<usize>,
    /// Names of the columns, `[C]`.
    pub columns: Vec<String>,
    /// Every cluster, `[K]`.
    pub clusters: Vec<ClusterFacts>,
    /// The pairs of clusters that were compared.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub versus: Vec<PairFacts>,
    /// The clusters beside known classes, if there are labels.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub classes: Option<ClassFacts>,
    /// How the numbers are to be read.
    pub remark: &'static str,
}

/// What is known of a cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClusterFacts {
    /// Its name or number.
    pub cluster: String,
    /// Number of rows.
    pub rows: usize,
    /// Their share of all rows.
    pub share: f64,
    /// What is special about it, in a sentence.
    pub sentence: String,
    /// How to recognise its rows; `None` if no short rule does.
    pub rule: Option<RuleFacts>,
    /// Mean relevance of every column, the largest first; they sum to the mean logit, together with
    /// what no feature has.
    pub relevance: Vec<(String, f64)>,
    /// Mean logit of its rows.
    pub mean_logit: f64,
    /// The cluster that it is most often told apart from.
    pub competitor: Option<String>,
    /// Share of its rows that are nearly in another cluster: their logit is below
    /// [`AMBIGUOUS`] of the median of the cluster.
    pub ambiguous: f64,
    /// How surely it comes back when the method is fitted again to resampled rows, 0 to 1; see
    /// [`cluster_stability`](crate::choose::cluster_stability). `None` if its rows were given by
    /// labels, or too few of them are among those that are judged; see `docs/CLUSTERS.md`.
    pub stability: Option<f64>,
    /// Rows nearest to its centroid, with their distance in scaled units.
    pub typical: Vec<RowFacts>,
    /// Rows farthest from the other clusters, with their logit.
    pub farthest: Vec<RowFacts>,
    /// Every column and value, in the order of the table.
    pub columns: Vec<CellFacts>,
}

impl ModelProfile {
    /// That the clusters were found in other rows than these, or in more or fewer of them, in a
    /// sentence; `None` if the model was fitted to as many rows.
    pub fn fitted_in_words(&self) -> Option<String> {
        let fitted = self.fitted.filter(|fitted| *fitted != self.rows)?;
        let rows = if fitted == 1 { "row" } else { "rows" };
        Some(format!(
            "The clusters were found in {} {rows}, not in exactly these.",
            shown::count(fitted)
        ))
    }

    /// Which clusters do not come back when rows are drawn again, in a sentence; `None` if it is not
    /// known of any.
    pub fn stability_in_words(&self) -> Option<String> {
        const SHOWN: usize = 10;
        let known = self.clusters.iter().filter_map(|cluster| Some((cluster, cluster.stability?)));
        let mut known: Vec<(&ClusterFacts, f64)> = known.collect();
        known.sort_by(|a, b| a.1.total_cmp(&b.1));
        let least = known.first()?.1;
        let weak: Vec<_> = known.iter().filter(|(_, stability)| *stability < STABLE).collect();
        let shown = |(cluster, stability): &&(&ClusterFacts, f64)| {
            format!("{} ({})", shown::name(&cluster.cluster), graded(*stability))
        };
        let mut listed: Vec<String> = weak.iter().take(SHOWN).map(shown).collect();
        if weak.len() > SHOWN {
            listed.push(format!("and {} more", weak.len() - SHOWN));
        }
        let unknown = match self.clusters.len() - known.len() {
            0 => "",
            1 => " One cluster has too few rows to tell.",
            _ => " The other clusters have too few rows to tell.",
        };
        let every = if unknown.is_empty() { "Every cluster" } else { "Every large enough cluster" };
        Some(match (weak.len(), self.clusters.len()) {
            (0, _) => format!(
                "{every} comes back when rows are drawn again: stability {} or more (1 at best).{unknown}",
                graded(least)
            ),
            (weak, all) => format!(
                "{weak} of {all} clusters {} not come back reliably when rows are drawn again: {} \
                 (stability, 1 at best, reliable from {STABLE}).{unknown}",
                if weak == 1 { "does" } else { "do" },
                listed.join(", ")
            ),
        })
    }
}

/// With two decimals. Only a stability that just fails to reach a better grade is cut, not rounded.
fn graded(stability: f64) -> String {
    rounded(stability, &[UNSTABLE, STABLE])
}

/// From here on, a cluster comes back when rows are drawn again, by the rule of thumb of Hennig (2007).
pub const STABLE: f64 = 0.75;
/// Below this, it should not be trusted, by the same rule.
pub const UNSTABLE: f64 = 0.6;

impl ClusterFacts {
    /// The columns, at most so many, that keep its rows out of the other clusters, the strongest
    /// first, with their share of the mean logit.
    pub fn strongest(&self, count: usize) -> Vec<(&str, f64)> {
        if self.mean_logit <= 0.0 {
            return Vec::new();
        }
        let held = self.relevance.iter().take(count).filter(|(_, mean)| *mean > 0.0);
        held.map(|(name, mean)| (name.as_str(), mean / self.mean_logit)).collect()
    }

    /// The [`strongest`](Self::strongest) columns in words: `proline (29 %), alcohol (21 %)`.
    pub fn strongest_in_words(&self, count: usize) -> String {
        in_shares(self.strongest(count))
    }

    /// How many of its rows are ambiguous: `4 % of its rows`.
    pub fn ambiguous_in_words(&self) -> String {
        match self.ambiguous {
            share if share <= 0.0 => "none of its rows".to_owned(),
            share => format!("{} of its rows", shown::percent(share)),
        }
    }

    /// The stability as a word and a number: `unstable, 0.48`.
    pub fn stability_grade(&self) -> Option<String> {
        let stability = self.stability?;
        let grade = match stability {
            STABLE.. => "stable",
            UNSTABLE.. => "partly stable",
            _ => "unstable",
        };
        Some(format!("{grade}, {}", graded(stability)))
    }

    /// The stability in words: `0.94, comes back when rows are drawn again`.
    pub fn stability_in_words(&self) -> Option<String> {
        let stability = self.stability?;
        let how = match stability {
            STABLE.. => "comes back",
            UNSTABLE.. => "comes back in part",
            _ => "mostly does not come back",
        };
        Some(format!("{}, {how} when rows are drawn again", graded(stability)))
    }
}

/// `proline (29 %), alcohol (under 1 %)`
fn in_shares(shares: Vec<(&str, f64)>) -> String {
    let text = |(name, share): (&str, f64)| format!("{} ({})", Shown(name), shown::percent(share));
    shares.into_iter().map(text).collect::<Vec<_>>().join(", ")
}

/// The part of the median logit of a cluster below which a row is ambiguous. A logit depends on the
/// units of the data, its relation to other logits of the cluster does not.
pub const AMBIGUOUS: f64 = 0.1;

/// A rule in words, and how good it is.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RuleFacts {
    /// The rule.
    pub text: String,
    /// Share of the rows of the cluster that satisfy it.
    pub coverage: f64,
    /// Share of the rows that satisfy it that are of the cluster.
    pub precision: f64,
}

/// A row to look at.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RowFacts {
    /// Its number in the file, counted from 0.
    pub row: usize,
    /// Its name, if the rows have names.
    pub name: Option<String>,
    /// Its distance or logit.
    pub value: f64,
}

/// A column, or a value of one, in a cluster.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct CellFacts {
    /// The column, counted from 0.
    #[serde(skip)]
    pub at: usize,
    /// Its name.
    pub column: String,
    /// The value of a category, `yes` of a flag; `None` for a column of numbers.
    pub value: Option<String>,
    /// Mean or share of the cluster.
    pub own: f64,
    /// Mean or share of all rows.
    pub overall: f64,
    /// The two in words: numbers, dates or percentages.
    #[serde(skip)]
    pub text: [String; 2],
    /// `own` − `overall` in standard deviations of all rows.
    pub difference: Option<f64>,
    /// Median of the cluster.
    pub median: Option<f64>,
    /// The v-test, and its p-value.
    pub v: Option<f64>,
    /// Its p-value.
    pub p: Option<f64>,
}

/// Two clusters beside one another.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct PairFacts {
    /// The two, counted from 0.
    #[serde(skip)]
    pub at: [usize; 2],
    /// Their names.
    pub clusters: [String; 2],
    /// The first rather than the second in a sentence, and the second rather than the first.
    pub sentences: [String; 2],
    /// Every column and value, the largest difference first.
    pub differences: Vec<DifferenceFacts>,
    /// The exact explanation: the mean over the rows of the first cluster of why they are there
    /// rather than in the second, and over those of the second.
    pub contrasts: [ContrastFacts; 2],
}

/// A column, or a value of one, in two clusters.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct DifferenceFacts {
    /// The column, counted from 0.
    #[serde(skip)]
    pub at: usize,
    /// Its name.
    pub column: String,
    /// The value of a category, `yes` of a flag; `None` for a column of numbers.
    pub value: Option<String>,
    /// Mean or share of the first cluster.
    pub own: f64,
    /// Mean or share of the other.
    pub other: f64,
    /// The two in words: numbers, dates or percentages.
    #[serde(skip)]
    pub text: [String; 2],
    /// `own` − `other` in pooled standard deviations.
    pub difference: f64,
}

/// Why the rows of a cluster are there rather than in another one, on average.
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[non_exhaustive]
pub struct ContrastFacts {
    /// Number of rows.
    pub rows: usize,
    /// Mean logit, 0 without rows.
    pub logit: f64,
    /// Mean relevance of every column, `[C]`; they sum to the mean logit, together with what no
    /// feature has.
    pub relevance: Vec<f64>,
}

impl ContrastFacts {
    /// The columns, at most so many, that tell the rows of the cluster from the other one, the
    /// strongest first, with their share of the mean logit: `proline (29 %), alcohol (21 %)`.
    /// `columns` are the names, `[C]`.
    pub fn strongest_in_words(&self, columns: &[String], count: usize) -> String {
        let named = columns.iter().map(String::as_str).zip(self.relevance.iter().copied());
        let mut strongest: Vec<(&str, f64)> =
            named.filter(|(_, mean)| *mean > 0.0 && self.logit > 0.0).collect();
        strongest.sort_by(|a, b| b.1.total_cmp(&a.1));
        strongest.truncate(count);
        in_shares(strongest.into_iter().map(|(name, mean)| (name, mean / self.logit)).collect())
    }
}

/// Clusters beside known classes.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[non_exhaustive]
pub struct ClassFacts {
    /// Names of the classes.
    pub names: Vec<String>,
    /// Rows of every cluster that are of every class, `[K][classes]`.
    pub counts: Vec<Vec<usize>>,
    /// Rand index, adjusted for chance.
    pub adjusted_rand: f64,
    /// 1 if every cluster has rows of one class only.
    pub homogeneity: f64,
    /// 1 if every class has rows in one cluster only.
    pub completeness: f64,
    /// Harmonic mean of both.
    pub v_measure: f64,
    /// The class of every cluster, where they are nearly one to one.
    pub one_to_one: Option<Vec<Option<String>>>,
}

/// Every column and value in a cluster.
pub(in crate::profile) fn cells(
    data: &ClusteredRows<'_>,
    profile: &Profile,
    cluster: usize,
) -> Vec<CellFacts> {
    let mut cells = Vec::new();
    for (at, (column, profile)) in data.columns().iter().zip(&profile.columns).enumerate() {
        let tested = |test: Option<VTest>| (test.map(|test| test.v), test.map(|test| test.p));
        let name = column.name().to_owned();
        match profile {
            ColumnProfile::Numbers(numbers) => {
                let own = numbers.clusters.get(cluster).and_then(Option::as_ref);
                let Some((own, all)) = own.zip(numbers.all) else { continue };
                let (v, p) = tested(own.test);
                cells.push(CellFacts {
                    at,
                    column: name,
                    value: None,
                    own: own.summary.mean,
                    overall: all.mean,
                    text: in_words(column, None, own.summary.mean, all.mean),
                    difference: own.difference,
                    median: Some(own.summary.median),
                    v,
                    p,
                });
            }
            ColumnProfile::Shares(shares) => {
                for value in &shares.values {
                    let own = value.clusters.get(cluster).and_then(Option::as_ref);
                    let Some(own) = own else { continue };
                    let (v, p) = tested(own.test);
                    cells.push(CellFacts {
                        at,
                        column: name.clone(),
                        value: Some(column.value_text(value.value)),
                        own: own.share,
                        overall: value.share,
                        text: in_words(column, Some(value.value), own.share, value.share),
                        difference: value.difference(own),
                        median: None,
                        v,
                        p,
                    });
                }
            }
        }
    }
    cells
}

/// Two means of a column, or shares of a value.
fn in_words(column: &ColumnValues<'_>, value: Option<usize>, one: f64, other: f64) -> [String; 2] {
    match value {
        Some(_) => [one, other].map(shown::percent),
        None => column.pair(one, other).into(),
    }
}

pub(in crate::profile) fn differences(
    data: &ClusteredRows<'_>,
    versus: &Versus,
) -> Vec<DifferenceFacts> {
    let columns = data.columns();
    let facts = versus.differences.iter().filter_map(|found| {
        let column = columns.get(found.column)?;
        Some(DifferenceFacts {
            at: found.column,
            column: column.name().to_owned(),
            value: found.value.map(|value| column.value_text(value)),
            own: found.own,
            other: found.other,
            text: in_words(column, found.value, found.own, found.other),
            difference: found.difference,
        })
    });
    facts.collect()
}

impl ClassFacts {
    pub(in crate::profile) fn of(table: &CrossTable, clusters: usize, names: Vec<String>) -> Self {
        let agreement = table.agreement();
        let counts = |cluster| (0..names.len()).map(|class| table.count(cluster, class)).collect();
        let named = |class: Option<usize>| class.and_then(|class| names.get(class).cloned());
        Self {
            counts: (0..clusters).map(counts).collect(),
            adjusted_rand: agreement.adjusted_rand,
            homogeneity: agreement.homogeneity,
            completeness: agreement.completeness,
            v_measure: agreement.v_measure,
            one_to_one: table.one_to_one().map(|matched| matched.into_iter().map(named).collect()),
            names,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cluster(stability: f64) -> ClusterFacts {
        ClusterFacts {
            cluster: "0".to_owned(),
            rows: 10,
            share: 0.5,
            sentence: String::new(),
            rule: None,
            relevance: vec![("a".to_owned(), 2.991), ("b".to_owned(), 0.009)],
            mean_logit: 3.0,
            competitor: None,
            ambiguous: 0.0,
            stability: Some(stability),
            typical: Vec::new(),
            farthest: Vec::new(),
            columns: Vec::new(),
        }
    }

    /// Rounded, but a cluster does not get the figure of a better grade.
    #[test]
    fn stability_is_rounded_below_its_grade() {
        for (stability, grade) in [
            (0.60999, "partly stable, 0.61"),
            (0.9454, "stable, 0.95"),
            (0.9269, "stable, 0.93"),
            (0.7493, "partly stable, 0.74"),
            (0.75, "stable, 0.75"),
            (0.5951, "unstable, 0.59"),
            (0.5949, "unstable, 0.59"),
        ] {
            let cluster = cluster(stability);
            assert_eq!(cluster.stability_grade().as_deref(), Some(grade));
            let words = cluster.stability_in_words().expect("it is known");
            let (_, number) = grade.split_once(", ").expect("a number");
            assert!(words.starts_with(&format!("{number}, ")), "{words}");
        }
    }

    #[test]
    fn small_shares_are_not_none() {
        assert_eq!(cluster(1.0).strongest_in_words(3), "a (over 99 %), b (under 1 %)");
        let names = ["a", "b", "c"].map(str::to_owned);
        let contrast = ContrastFacts { rows: 1, logit: 2.0, relevance: vec![0.009, -1.0, 1.991] };
        assert_eq!(contrast.strongest_in_words(&names, 3), "c (over 99 %), a (under 1 %)");
        assert_eq!(contrast.strongest_in_words(&names, 1), "c (over 99 %)");
        assert_eq!(ContrastFacts::default().strongest_in_words(&names, 3), "");
    }
}
