//! One cluster against another.

use crate::profile::cluster_profile::Profile;
use crate::profile::clustered_rows::{Cells, ClusteredRows};
use crate::profile::column_profile::ColumnProfile;
use crate::profile::numbers::NumberProfile;
use crate::profile::shares::ShareProfile;
use crate::text::words as shown;

/// Differences below this many standard deviations are not worth a word.
const CLEAR: f64 = 0.5;

/// Maximum number of columns in a sentence.
const MAX_COLUMNS: usize = 4;

/// The largest difference that is told apart.
const LARGEST: f64 = 1e6;

/// What distinguishes a cluster from another one.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct Versus {
    /// Every column and value, the largest difference first.
    pub differences: Vec<Difference>,
    /// The largest ones in a sentence.
    pub sentence: String,
}

/// A column, or a value of one, in two clusters.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Difference {
    /// The column, counted from 0.
    pub column: usize,
    /// The value of a category, 1 for `yes` of a flag; `None` for a column of numbers.
    pub value: Option<usize>,
    /// The mean or share of the first cluster.
    pub own: f64,
    /// The mean or share of the other cluster.
    pub other: f64,
    /// `own` − `other` in pooled standard deviations (Cohen's d): √(((n_a − 1) s_a² + (n_b − 1)
    /// s_b²) / (n_a + n_b − 2)), s² with divisor n − 1; of a share those of its indicator. If they
    /// are 0 or there are fewer than three rows, in standard deviations of all rows. At most ±10⁶.
    pub difference: f64,
}

impl Profile {
    /// What distinguishes a cluster from another one, of the data that this is the profile of.
    /// `None` if one of them does not exist, or if the data have other columns or clusters.
    ///
    /// Cohen, "Statistical Power Analysis for the Behavioral Sciences" (1988); for shares Austin,
    /// "Using the standardized difference to compare the prevalence of a binary variable between
    /// two groups" (2009).
    ///
    /// ```
    /// use neuralize::profile::{ColumnValues, ClusteredRows, Profile};
    ///
    /// let columns = [ColumnValues::numbers("weight", &[3.0, 2.0, 9.0, 8.0])];
    /// let data = ClusteredRows::new(&columns, &[0, 0, 1, 1], 2)?;
    /// let versus = Profile::of(&data).versus(&data, 1, 0).map(|versus| versus.sentence);
    /// assert_eq!(
    ///     versus.as_deref(),
    ///     Some("Cluster 1 rather than 0: higher weight (8.50 on average, 2.50 there).")
    /// );
    /// # Ok::<(), neuralize::Error>(())
    /// ```
    pub fn versus(&self, data: &ClusteredRows<'_>, cluster: usize, other: usize) -> Option<Versus> {
        let shape = (data.columns().len(), data.n_clusters());
        if shape != (self.columns.len(), self.clusters.len()) || cluster.max(other) >= shape.1 {
            return None;
        }
        let mut differences = Vec::new();
        for (at, column) in self.columns.iter().enumerate() {
            match column {
                ColumnProfile::Numbers(numbers) => {
                    differences.extend(of_numbers(at, numbers, cluster, other));
                }
                ColumnProfile::Shares(shares) => {
                    of_shares(at, shares, cluster, other, &mut differences);
                }
            }
        }
        differences.sort_by(|a, b| b.difference.abs().total_cmp(&a.difference.abs()));
        let sentence = sentence(data, cluster, other, &differences);
        Some(Versus { differences, sentence })
    }
}

fn of_numbers(
    column: usize,
    numbers: &NumberProfile,
    cluster: usize,
    other: usize,
) -> Option<Difference> {
    let of = |cluster: usize| numbers.clusters.get(cluster)?.as_ref().map(|own| own.summary);
    let (own, there) = (of(cluster)?, of(other)?);
    let sides = [(own.count, own.mean, own.sd), (there.count, there.mean, there.sd)];
    let difference = standardised(sides, numbers.all?.sd);
    Some(Difference { column, value: None, own: own.mean, other: there.mean, difference })
}

fn of_shares(
    column: usize,
    shares: &ShareProfile,
    cluster: usize,
    other: usize,
    found: &mut Vec<Difference>,
) {
    let spread = |share: f64| (share * (1.0 - share)).max(0.0).sqrt();
    for value in &shares.values {
        let of = |cluster: usize| {
            let share = value.clusters.get(cluster)?.as_ref()?.share;
            Some((*shares.cluster_counts.get(cluster)?, share, spread(share)))
        };
        if let (Some(own), Some(there)) = (of(cluster), of(other)) {
            let difference = standardised([own, there], spread(value.share));
            let (own, other) = (own.1, there.1);
            found.push(Difference { column, value: Some(value.value), own, other, difference });
        }
    }
}

/// The difference of the means of two groups, given as count, mean and standard deviation (divisor
/// n), in pooled standard deviations.
fn standardised(sides: [(usize, f64, f64); 2], overall: f64) -> f64 {
    let [own, other] = sides;
    let difference = own.1 - other.1;
    if difference == 0.0 {
        return 0.0;
    }
    let free = (own.0 + other.0).saturating_sub(2) as f64;
    // As a hypotenuse: squares could overflow.
    let root = |side: (usize, f64, f64)| side.2 * (side.0 as f64 / free).sqrt();
    let pooled = if free > 0.0 { root(own).hypot(root(other)) } else { 0.0 };
    let standardised = difference / if pooled > 0.0 { pooled } else { overall };
    if standardised.is_nan() { 0.0 } else { standardised.clamp(-LARGEST, LARGEST) }
}

/// `Cluster 1 rather than 2: higher a (162 on average, 101 there); lower b (14 against 29).`
fn sentence(
    data: &ClusteredRows<'_>,
    cluster: usize,
    other: usize,
    differences: &[Difference],
) -> String {
    let (own_name, other_name) = (data.cluster_name(cluster), data.cluster_name(other));
    let opening = format!("Cluster {own_name} rather than {other_name}");
    let empty = [cluster, other].into_iter().find(|cluster| data.size(*cluster) == 0);
    if let Some(empty) = empty {
        return format!("{opening}: cluster {} has no rows.", data.cluster_name(empty));
    }
    let chosen = chosen(data, differences);
    if chosen.is_empty() {
        return format!("{opening}: alike in every column.");
    }
    let mut is_first = true;
    let word = |difference: &Difference| word(data, difference);
    let clauses = shown::clauses(&chosen, word, |difference| text(data, difference, &mut is_first));
    format!("{opening}: {clauses}.")
}

fn word(data: &ClusteredRows<'_>, difference: &Difference) -> String {
    if let Some((words, _)) = whole(data, difference) {
        return words;
    }
    match (difference.value, difference.difference > 0.0) {
        (None, true) => "higher",
        (None, false) => "lower",
        (Some(_), true) => "more often",
        (Some(_), false) => "less often",
    }
    .to_owned()
}

/// A value that all rows of the cluster have, or none, and its share in the other cluster: `b is always
/// red`, 0.2.
fn whole(data: &ClusteredRows<'_>, difference: &Difference) -> Option<(String, f64)> {
    let (value, own, other) = (difference.value?, difference.own, difference.other);
    if own != 0.0 && own != 1.0 {
        return None;
    }
    let column = &data.columns()[difference.column];
    let name = shown::name(column.name());
    // What is never yes is always no.
    let is_no = column.is_flag() && own == 0.0;
    let (value, other) = if is_no { (0, 1.0 - other) } else { (value, other) };
    let when = if is_no || own == 1.0 { "always" } else { "never" };
    Some((format!("{name} is {when} {}", column.value_name(value)), other))
}

/// `a (162 on average, 101 there)` or `a red (97 %, 20 % there)`, later `a (162 against 101)`.
fn text(data: &ClusteredRows<'_>, difference: &Difference, is_first: &mut bool) -> String {
    let column = &data.columns()[difference.column];
    let name = shown::name(column.name());
    let first = std::mem::replace(is_first, false);
    if let Some((_, other)) = whole(data, difference) {
        return format!("({} there)", shown::percent(other));
    }
    if let Some(value) = difference.value {
        let (own, other) = (shown::percent(difference.own), shown::percent(difference.other));
        let name = format!("{name} {}", column.value_name(value));
        return if first {
            format!("{name} ({own}, {other} there)")
        } else {
            format!("{name} ({own} against {other})")
        };
    }
    let (own, other) = column.pair(difference.own, difference.other);
    if first {
        format!("{name} ({own} on average, {other} there)")
    } else {
        format!("{name} ({own} against {other})")
    }
}

/// The largest differences, one a column; of a category one that says what the cluster has.
fn chosen(data: &ClusteredRows<'_>, differences: &[Difference]) -> Vec<Difference> {
    let mut chosen: Vec<Difference> = Vec::new();
    for entry in differences.iter().filter(|entry| entry.difference.abs() >= CLEAR) {
        if chosen.len() == MAX_COLUMNS {
            break;
        }
        if chosen.iter().any(|earlier| earlier.column == entry.column) {
            continue;
        }
        let mut more = differences.iter().filter(|other| {
            other.column == entry.column && other.difference >= CLEAR && other.own > 0.5
        });
        chosen.push(more.next().filter(|_| is_category(data, entry)).copied().unwrap_or(*entry));
    }
    chosen
}

fn is_category(data: &ClusteredRows<'_>, difference: &Difference) -> bool {
    matches!(data.columns()[difference.column].cells(), Cells::Category { .. })
}
