//! Beam search for rules.

use std::cmp::Ordering;

use crate::profile::clustered_rows::ClusteredRows;
use crate::profile::rule::bins::{Bins, Kind};
use crate::profile::rule::condition::{Condition, MAX_CONDITIONS, Test};
use crate::profile::rule::quality::Quality;
use crate::profile::rule::sample::Sample;

/// Rules that are extended by a further condition.
const BEAM: usize = 8;

/// Columns that further conditions are about: those that alone tell most of the cluster.
const COLUMNS: usize = 100;

/// The sample, ready for rules of every cluster.
#[derive(Debug)]
pub(super) struct Search<'a> {
    pub(super) data: &'a ClusteredRows<'a>,
    pub(super) sample: &'a Sample,
    bins: Vec<Bins>,
    /// The best rules of one condition for every cluster, `[K]`.
    first: Vec<Vec<Candidate>>,
}

/// A rule on the way.
#[derive(Debug, Clone)]
struct Candidate {
    conditions: Vec<Condition>,
    f1: f64,
}

impl<'a> Search<'a> {
    pub(super) fn new(data: &'a ClusteredRows<'a>, sample: &'a Sample) -> Self {
        let bins: Vec<Bins> =
            data.columns().iter().map(|column| Bins::of(data, column, sample)).collect();
        let first = first(data, sample, &bins);
        Self { data, sample, bins, first }
    }

    /// The best rule of one condition, of two and of three.
    pub(super) fn rules(&self, cluster: usize) -> Vec<Vec<Condition>> {
        let mut beam = self.first.get(cluster).cloned().unwrap_or_default();
        let columns = columns_of(&beam);
        let mut best = Vec::new();
        for length in 1..=MAX_CONDITIONS {
            beam.truncate(BEAM);
            let Some(first) = beam.first() else { break };
            best.push(first.conditions.clone());
            if length < MAX_CONDITIONS {
                let longer = beam.iter().flat_map(|rule| self.longer(cluster, rule, &columns));
                beam = ranked(longer.collect());
            }
        }
        best
    }

    /// The best further conditions of every column.
    fn longer(&self, cluster: usize, rule: &Candidate, columns: &[usize]) -> Vec<Candidate> {
        let rows = self.satisfying(&rule.conditions);
        let size = self.data.size(cluster) as f64;
        let mut found = Vec::new();
        for &column in columns {
            let bins = &self.bins[column];
            let mut weights = vec![Quality::default(); usize::from(u8::MAX) + 1];
            for &at in &rows {
                let is_inside = self.sample.clusters[at] == cluster;
                weights[usize::from(bins.codes[at])].add(is_inside, self.sample.weights[at]);
            }
            weights.truncate(bins.count());
            found.extend(best_conditions(size, column, bins, &weights, &rule.conditions));
        }
        found.retain(|longer| longer.f1 > rule.f1);
        found
    }

    /// The rows of the sample that satisfy conditions.
    fn satisfying(&self, conditions: &[Condition]) -> Vec<usize> {
        let columns = self.data.columns();
        let satisfies = |at: &usize| {
            conditions.iter().all(|condition| {
                condition.is_satisfied(&columns[condition.column], self.sample.rows[*at])
            })
        };
        (0..self.sample.rows.len()).filter(satisfies).collect()
    }
}

/// The rules of one condition, the best first: of every column, for every cluster, `[K]`.
fn first(data: &ClusteredRows<'_>, sample: &Sample, bins: &[Bins]) -> Vec<Vec<Candidate>> {
    let n_clusters = data.n_clusters();
    let mut found: Vec<Vec<Candidate>> = vec![Vec::new(); n_clusters];
    for (column, bins) in bins.iter().enumerate() {
        let table = table(bins, sample, n_clusters);
        let totals: Vec<f64> =
            table.chunks_exact(n_clusters).map(|clusters| clusters.iter().sum()).collect();
        for (cluster, found) in found.iter_mut().enumerate() {
            let quality = |(clusters, total): (&[f64], &f64)| {
                let inside = clusters[cluster];
                Quality { inside, outside: total - inside }
            };
            let weights: Vec<Quality> =
                table.chunks_exact(n_clusters).zip(&totals).map(quality).collect();
            let size = data.size(cluster) as f64;
            found.extend(best_conditions(size, column, bins, &weights, &[]));
            // Memory for the best ones only.
            if found.len() > 8 * COLUMNS {
                *found = ranked(std::mem::take(found));
                found.truncate(4 * COLUMNS);
            }
        }
    }
    found.into_iter().map(ranked).collect()
}

/// Of a column the best condition of every kind (at most and above, or is and is not), behind those
/// that a rule has already, for a cluster of this size.
fn best_conditions(
    size: f64,
    column: usize,
    bins: &Bins,
    weights: &[Quality],
    conditions: &[Condition],
) -> Vec<Candidate> {
    let total = weights.iter().fold(Quality::default(), |sum, bin| sum.plus(*bin));
    let is_ordered = matches!(bins.kind, Kind::Numbers(_));
    let mut best: [Option<(f64, Test)>; 2] = [None, None];
    let mut below = Quality::default();
    for (at, bin) in weights.iter().enumerate() {
        below = below.plus(*bin);
        let own = if is_ordered { below } else { *bin };
        let qualities = [own, total.minus(own)];
        for ((test, quality), best) in bins.tests(at).into_iter().zip(qualities).zip(&mut best) {
            let f1 = quality.f1(size);
            if let Some(test) = test.filter(|_| best.is_none_or(|(most, _)| f1 > most)) {
                *best = Some((f1, test));
            }
        }
    }
    let further = best.into_iter().flatten().map(|(f1, test)| (f1, Condition { column, test }));
    further
        .filter(|(_, condition)| conditions.iter().all(|earlier| condition.can_follow(earlier)))
        .map(|(f1, condition)| {
            let conditions = conditions.iter().copied().chain([condition]).collect();
            Candidate { conditions, f1 }
        })
        .collect()
}

/// The weights of every cluster in every bin of a column, `[bins, K]`.
fn table(bins: &Bins, sample: &Sample, n_clusters: usize) -> Vec<f64> {
    let mut table = vec![0.0; bins.count() * n_clusters];
    for (at, code) in bins.codes.iter().enumerate() {
        if let Some(cell) = table.get_mut(usize::from(*code) * n_clusters + sample.clusters[at]) {
            *cell += sample.weights[at];
        }
    }
    table
}

/// The first columns of ranked rules of one condition.
fn columns_of(ranked: &[Candidate]) -> Vec<usize> {
    let mut columns: Vec<usize> = Vec::new();
    for column in
        ranked.iter().flat_map(|rule| rule.conditions.iter().map(|condition| condition.column))
    {
        if columns.len() == COLUMNS {
            break;
        }
        if !columns.contains(&column) {
            columns.push(column);
        }
    }
    columns.sort_unstable();
    columns
}

/// The best rules first, each once; of equally good ones that with the first columns.
fn ranked(mut rules: Vec<Candidate>) -> Vec<Candidate> {
    for rule in &mut rules {
        rule.conditions.sort_by_key(|condition| condition.order());
    }
    let columns =
        |rule: &Candidate| rule.conditions.iter().map(Condition::order).collect::<Vec<_>>();
    let better = |a: &Candidate, b: &Candidate| -> Ordering {
        b.f1.total_cmp(&a.f1).then_with(|| columns(a).cmp(&columns(b)))
    };
    rules.sort_by(better);
    rules.dedup_by(|a, b| a.conditions == b.conditions);
    rules
}
