//! What a cluster is, in a sentence.

use crate::profile::clustered_rows::{ClusteredRows, ColumnValues};
use crate::profile::column_profile::ColumnProfile;
use crate::profile::special::{Direction, Special};
use crate::text::words as shown;

/// Maximum number of columns of numbers in a sentence, and of other columns.
const MAX_NUMBERS: usize = 3;
const MAX_OTHERS: usize = 2;

/// A mean is high or low, and a share large or small, if it is this many standard deviations away
/// from all rows. Among many rows the slightest difference is significant.
const CLEAR: f64 = 0.5;

/// If nothing is clear, this is called slightly high or low.
const SLIGHT: f64 = 0.2;

/// Columns of numbers are called medium if fewer than so many are high or low, and so large a share
/// of all rows is on either side of the cluster.
const FEW_CLEAR: usize = 2;
const MEDIUM: f64 = 0.2;

/// Fewer rows are in the middle of some column by chance.
const MANY: usize = 30;

/// Fewer rows that are not special may be so by chance.
const FEW: usize = 5;

/// `Cluster 1 (97 rows, 24 %): high a (162 on average, 104 overall); mostly b red (97 %, 62 %
/// overall).`
///
/// `special` is what is special about the cluster, the clearest first.
pub(in crate::profile) fn sentence(
    data: &ClusteredRows<'_>,
    columns: &[ColumnProfile],
    cluster: usize,
    special: &[Special],
) -> String {
    let (size, rows) = (data.size(cluster), data.n_rows());
    let name = data.cluster_name(cluster);
    if size == 0 {
        return format!("Cluster {name}: no rows.");
    }
    let noun = if size == 1 { "row" } else { "rows" };
    let share = shown::percent(size as f64 / rows as f64);
    let opening = format!("Cluster {name} ({} {noun}, {share})", shown::count(size));
    if size == rows {
        return format!("{opening}: all rows.");
    }
    let words = words(data, columns, cluster, special);
    if !words.is_empty() {
        return format!("{opening}: {words}.");
    }
    let verdict = if size < FEW {
        "too few rows to tell from the others"
    } else if special.is_empty() {
        "like all rows in every column"
    } else {
        "nearly like all rows in every column"
    };
    format!("{opening}: {verdict}.")
}

/// `high a (162 on average, 104 overall); mostly b red (97 %, 62 % overall)`; empty if nothing is
/// special.
fn words(
    data: &ClusteredRows<'_>,
    columns: &[ColumnProfile],
    cluster: usize,
    special: &[Special],
) -> String {
    let mut items: Vec<Item> =
        chosen(special, CLEAR).into_iter().map(|special| Item::of(data, &special, "")).collect();
    if items.iter().filter(|item| item.is_mean).count() < FEW_CLEAR {
        items.extend(medium(columns, cluster));
    }
    if items.is_empty() {
        let slight = chosen(special, SLIGHT);
        items.extend(slight.into_iter().map(|special| Item::of(data, &special, "slightly ")));
    }
    let is_one = data.size(cluster) == 1;
    let (mut first_mean, mut first_share) = (true, true);
    let text = |item: &Item| {
        let first = if item.is_mean { &mut first_mean } else { &mut first_share };
        item.text(data, std::mem::replace(first, false), is_one)
    };
    shown::clauses(&items, |item| item.word.clone(), text)
}

/// What a sentence says of a column.
struct Item {
    column: usize,
    /// `high`, `mostly`, …
    word: String,
    /// The value of a category or flag.
    value: String,
    is_mean: bool,
    own: f64,
    overall: f64,
}

impl Item {
    fn of(data: &ClusteredRows<'_>, special: &Special, how: &str) -> Self {
        let column = &data.columns()[special.column];
        let (own, overall, value) = as_frequent(column, special);
        let word = match special.direction {
            Direction::High => "high",
            Direction::Low => "low",
            _ if own == 1.0 => "all",
            _ if own == 0.0 => "no",
            _ if own > overall => {
                if own > 0.5 {
                    "mostly"
                } else {
                    "more often"
                }
            }
            _ => {
                if own < 0.1 {
                    "seldom"
                } else {
                    "less often"
                }
            }
        };
        let is_mean = special.value.is_none();
        let word = format!("{}{word}", if is_mean { how } else { "" });
        Self { column: special.column, word, value, is_mean, own, overall }
    }

    /// `a (162 on average, 104 overall)` or `b red (97 %, 62 % overall)`, later `a (162 against 104)`.
    fn text(&self, data: &ClusteredRows<'_>, is_first: bool, is_one: bool) -> String {
        let column = &data.columns()[self.column];
        let name = shown::name(column.name());
        if self.is_mean {
            let (own, overall) = column.pair(self.own, self.overall);
            let average = if is_one { "" } else { " on average" };
            return if is_first {
                format!("{name} ({own}{average}, {overall} overall)")
            } else {
                format!("{name} ({own} against {overall})")
            };
        }
        let (value, overall) = (&self.value, shown::percent(self.overall));
        if self.own == 0.0 || self.own == 1.0 {
            return format!("{name} {value} ({overall} overall)");
        }
        let own = shown::percent(self.own);
        if is_first {
            format!("{name} {value} ({own}, {overall} overall)")
        } else {
            format!("{name} {value} ({own} against {overall})")
        }
    }
}

/// The shares and name of a value; of a flag whose `yes` is infrequent those of `no`.
fn as_frequent(column: &ColumnValues<'_>, special: &Special) -> (f64, f64, String) {
    let (own, overall) = (special.own, special.overall);
    match special.value {
        None => (own, overall, String::new()),
        Some(_) if column.is_flag() && special.direction == Direction::Under => {
            (1.0 - own, 1.0 - overall, column.value_name(0))
        }
        Some(value) => (own, overall, column.value_name(value)),
    }
}

/// The columns in whose middle a cluster lies, the clearest first.
fn medium(columns: &[ColumnProfile], cluster: usize) -> Vec<Item> {
    let mut found = Vec::new();
    for (at, column) in columns.iter().enumerate() {
        let ColumnProfile::Numbers(numbers) = column else { continue };
        let (Some(all), Some(Some(own))) = (numbers.all, numbers.clusters.get(cluster)) else {
            continue;
        };
        let is_clear = own.difference.is_none_or(|difference| difference.abs() >= CLEAR);
        if own.between >= MEDIUM && own.summary.count >= MANY && !is_clear {
            found.push((own.between, at, own.summary.mean, all.mean));
        }
    }
    found.sort_by(|a, b| b.0.total_cmp(&a.0));
    let item = |(_, column, own, overall)| {
        let (word, value) = ("medium".to_owned(), String::new());
        Item { column, word, value, is_mean: true, own, overall }
    };
    found.into_iter().take(FEW_CLEAR).map(item).collect()
}

/// The clearest columns, one entry each, at least so many standard deviations away.
fn chosen(special: &[Special], clear: f64) -> Vec<Special> {
    let mut chosen: Vec<Special> = Vec::new();
    let (mut numbers, mut others) = (0, 0);
    for entry in special.iter().filter(|special| special.difference.abs() >= clear) {
        let (taken, max) = match entry.value {
            None => (&mut numbers, MAX_NUMBERS),
            Some(_) => (&mut others, MAX_OTHERS),
        };
        if *taken < max && chosen.iter().all(|earlier| earlier.column != entry.column) {
            *taken += 1;
            chosen.push(telling(special, entry));
        }
    }
    chosen
}

/// Of a category, the value that most rows of the cluster have, if that is special too: `mostly
/// red` says more than `seldom blue`.
fn telling(special: &[Special], entry: &Special) -> Special {
    let same = special.iter().filter(|other| other.column == entry.column);
    let mut most = same.filter(|other| other.direction == Direction::Over && other.own > 0.5);
    most.next().copied().unwrap_or(*entry)
}
