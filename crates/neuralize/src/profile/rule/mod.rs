//! How to recognise the rows of a cluster: at most three conditions.

mod bins;
mod condition;
mod decimal;
mod quality;
mod refine;
mod sample;
mod search;

use std::fmt;

use crate::profile::clustered_rows::ClusteredRows;
use crate::text::words as shown;

pub use condition::{Condition, MAX_CONDITIONS, Test};

use quality::Quality;
use sample::Sample;
use search::Search;

/// How much F1 a further condition has to add.
const WORTH: f64 = 0.02;

/// Conditions that most rows of a cluster satisfy and few others.
///
/// Of the rules that a beam search finds it is the one with the largest F1, the harmonic mean of
/// coverage and precision: coverage alone is best for a rule that all rows satisfy, precision alone
/// for one that a single row satisfies, and F1 needs both. A further condition must add 0.02.
///
/// It is searched for in at most 20 000 rows, and its coverage and precision are those in all rows.
/// A cell that was filled satisfies no condition.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Rule {
    /// The conditions, of which a row has to satisfy all.
    pub conditions: Vec<Condition>,
    /// Number of rows of the cluster that satisfy them.
    pub hits: usize,
    /// Number of rows that satisfy them.
    pub satisfied: usize,
    /// Share of the rows of the cluster that satisfy them.
    pub coverage: f64,
    /// Share of the rows that satisfy them that are in the cluster.
    pub precision: f64,
    /// The conditions in words.
    text: String,
}

impl Rule {
    /// Counts the rows that satisfy conditions. `None` if no row of the cluster does.
    fn evaluated(
        data: &ClusteredRows<'_>,
        cluster: usize,
        conditions: Vec<Condition>,
    ) -> Option<Self> {
        let columns = data.columns();
        let satisfies = |row: usize| {
            conditions
                .iter()
                .all(|condition| condition.is_satisfied(&columns[condition.column], row))
        };
        let (mut hits, mut satisfied) = (0, 0);
        for row in (0..data.n_rows()).filter(|row| satisfies(*row)) {
            satisfied += 1;
            hits += usize::from(data.clusters()[row] == cluster);
        }
        let text: Vec<String> =
            conditions.iter().map(|condition| condition.text(&columns[condition.column])).collect();
        (hits > 0).then(|| Self {
            conditions,
            hits,
            satisfied,
            coverage: hits as f64 / data.size(cluster) as f64,
            precision: hits as f64 / satisfied as f64,
            text: text.join(" and "),
        })
    }

    /// Harmonic mean of coverage and precision.
    pub fn f1(&self) -> f64 {
        2.0 * self.coverage * self.precision / (self.coverage + self.precision)
    }
}

/// `a > 5.5 and b ≤ 127: 96 % of the cluster, 98 % right`
impl fmt::Display for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (coverage, precision) = (shown::percent(self.coverage), shown::percent(self.precision));
        write!(f, "{}: {coverage} of the cluster, {precision} right", self.text)
    }
}

/// A rule for every cluster, `[K]`; `None` for a cluster without rows or of all rows, and where no
/// rule adds 0.02 to the F1 of all rows.
///
/// Time in proportion to the number of columns and, within 20 000, of rows.
pub(in crate::profile) fn rules(data: &ClusteredRows<'_>) -> Vec<Option<Rule>> {
    let sample = Sample::of(data);
    let search = Search::new(data, &sample);
    let of_cluster = |cluster| {
        let size = data.size(cluster);
        if size == 0 || size == data.n_rows() {
            return None;
        }
        let conditions = best(&search, cluster)?;
        let rule = Rule::evaluated(data, cluster, conditions)?;
        let everything = Quality { inside: size as f64, outside: (data.n_rows() - size) as f64 };
        (rule.f1() >= everything.f1(size as f64) + WORTH).then_some(rule)
    };
    (0..data.n_clusters()).map(of_cluster).collect()
}

/// The conditions of the best rule, with as few of them as are worth it.
fn best(search: &Search<'_>, cluster: usize) -> Option<Vec<Condition>> {
    let mut best: Option<(f64, Vec<Condition>)> = None;
    for rule in search.rules(cluster) {
        let (rule, f1) = refine::refined(search, cluster, rule);
        let needed = best.as_ref().map_or(0.0, |(f1, shorter)| {
            f1 + WORTH * rule.len().saturating_sub(shorter.len()) as f64
        });
        if f1 >= needed {
            best = Some((f1, rule));
        }
    }
    best.map(|(_, rule)| condition::merged(&refine::rounded(search, rule)))
}
