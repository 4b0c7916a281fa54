//! Thresholds moved to where a rule is best.

use crate::profile::clustered_rows::Cells;
use crate::profile::rule::condition::{Condition, Test};
use crate::profile::rule::decimal::shortest_between;
use crate::profile::rule::quality::Quality;
use crate::profile::rule::search::Search;

/// How often every threshold is moved while the others stay.
const ROUNDS: usize = 2;

/// A rule with the best thresholds among all numbers of the sample, each while the others stay,
/// and its F1 in the sample.
pub(super) fn refined(
    search: &Search<'_>,
    cluster: usize,
    mut rule: Vec<Condition>,
) -> (Vec<Condition>, f64) {
    let mut f1 = 0.0;
    let rounds = if rule.len() == 1 { 1 } else { ROUNDS };
    let length = rule.len();
    for at in (0..rounds).flat_map(|_| 0..length) {
        (rule[at].test, f1) = moved(search, cluster, &rule, at);
    }
    (rule, f1)
}

/// The condition at a place with its best threshold, and the F1 of the rule with it.
fn moved(search: &Search<'_>, cluster: usize, rule: &[Condition], at: usize) -> (Test, f64) {
    let Condition { column, test } = rule[at];
    let (column, size) = (&search.data.columns()[column], search.data.size(cluster) as f64);
    let mut rows = rows_of_others(search, cluster, rule, at);
    let mut quality = Quality::default();
    for row in rows.iter().filter(|row| rule[at].is_satisfied(column, row.row)) {
        quality.add(row.is_inside, row.weight);
    }
    let f1 = quality.f1(size);
    let make: fn(f64) -> Test = match test {
        Test::Above(_) => Test::Above,
        Test::AtMost(_) => Test::AtMost,
        _ => return (test, f1),
    };
    let Cells::Numbers(values) = column.cells() else { return (test, f1) };
    rows.retain(|row| !column.is_filled(row.row));
    rows.sort_unstable_by(|a, b| values[a.row].total_cmp(&values[b.row]).then(a.row.cmp(&b.row)));
    match best_threshold(&rows, values, matches!(test, Test::Above(_)), size) {
        Some((best, threshold)) if best > f1 => (make(threshold), best),
        _ => (test, f1),
    }
}

/// The same rule with thresholds of few digits, which the same rows of the sample satisfy.
pub(super) fn rounded(search: &Search<'_>, mut rule: Vec<Condition>) -> Vec<Condition> {
    for at in 0..rule.len() {
        let threshold = match rule[at].test {
            Test::Above(threshold) | Test::AtMost(threshold) => threshold,
            _ => continue,
        };
        let column = &search.data.columns()[rule[at].column];
        let Cells::Numbers(values) = column.cells() else { continue };
        let (mut below, mut above) = (f64::NEG_INFINITY, f64::INFINITY);
        for row in rows_of_others(search, 0, &rule, at) {
            let value = values[row.row];
            match (column.is_filled(row.row), value <= threshold) {
                (true, _) => {}
                (false, true) => below = below.max(value),
                (false, false) => above = above.min(value),
            }
        }
        if below.is_finite() && above.is_finite() {
            let short = shortest_between(below, above);
            rule[at].test = match rule[at].test {
                Test::Above(_) => Test::Above(short),
                _ => Test::AtMost(short),
            };
        }
    }
    rule
}

/// A row of the sample.
struct Weighted {
    row: usize,
    is_inside: bool,
    weight: f64,
}

/// The rows of the sample that satisfy all conditions but one.
fn rows_of_others(
    search: &Search<'_>,
    cluster: usize,
    rule: &[Condition],
    at: usize,
) -> Vec<Weighted> {
    let (columns, sample) = (search.data.columns(), search.sample);
    let others = || rule.iter().enumerate().filter(|(other, _)| *other != at);
    let satisfies = |row: usize| {
        others().all(|(_, condition)| condition.is_satisfied(&columns[condition.column], row))
    };
    let rows = (0..sample.rows.len()).filter(|index| satisfies(sample.rows[*index]));
    rows.map(|index| Weighted {
        row: sample.rows[index],
        is_inside: sample.clusters[index] == cluster,
        weight: sample.weights[index],
    })
    .collect()
}

/// The number among sorted ones above which, or up to which, F1 is largest, with that F1; of
/// equally good ones the smallest.
fn best_threshold(
    rows: &[Weighted],
    values: &[f64],
    is_above: bool,
    size: f64,
) -> Option<(f64, f64)> {
    let mut total = Quality::default();
    rows.iter().for_each(|row| total.add(row.is_inside, row.weight));
    let mut below = Quality::default();
    let mut best: Option<(f64, f64)> = None;
    for pair in rows.windows(2) {
        below.add(pair[0].is_inside, pair[0].weight);
        let threshold = values[pair[0].row];
        if threshold == values[pair[1].row] {
            continue;
        }
        let f1 = if is_above { total.minus(below) } else { below }.f1(size);
        if best.is_none_or(|(most, _)| f1 > most) {
            best = Some((f1, threshold));
        }
    }
    best
}
