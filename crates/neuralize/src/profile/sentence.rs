//! What a cluster is, in a sentence.

use crate::profile::clustered_rows::{ClusteredRows, ColumnValues};
use crate::profile::column_profile::ColumnProfile;
use crate::profile::special::{Direction, Special, tested};
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
/// of all rows is on either side of the cluster; its mean must be near that of all rows, too.
const FEW_CLEAR: usize = 2;
const MEDIUM: f64 = 0.2;

/// Fewer rows are in the middle of some column by chance.
const MANY: usize = 30;

/// Fewer rows that are not special may be so by chance.
const FEW: usize = 5;

/// What is said of the largest differences where none is certain: so many columns.
const MAX_UNCERTAIN: usize = 2;

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
    let subject = Subject { data, columns, cluster, size };
    let mut words = subject.words(special);
    if words.is_empty() {
        words = subject.verdict(special);
    }
    format!("{opening}: {words}.")
}

/// The cluster that a sentence is of.
struct Subject<'a> {
    data: &'a ClusteredRows<'a>,
    columns: &'a [ColumnProfile],
    cluster: usize,
    size: usize,
}

impl Subject<'_> {
    /// `high a (162 on average, 104 overall); mostly b red (97 %, 62 % overall)`; empty if nothing is
    /// special.
    fn words(&self, special: &[Special]) -> String {
        let items = |clear: f64, how: &str| -> Vec<Item> {
            chosen(special, clear).iter().map(|special| self.item(special, how)).collect()
        };
        let mut named = items(CLEAR, "");
        if named.iter().filter(|item| item.is_mean).count() < FEW_CLEAR {
            named.extend(self.medium(special));
        }
        if named.is_empty() {
            named = items(SLIGHT, "slightly ");
        }
        let (mut first_mean, mut first_share) = (true, true);
        let text = |item: &Item| {
            let first = if item.is_mean { &mut first_mean } else { &mut first_share };
            let is_first = std::mem::replace(first, false);
            if item.is_whole() { self.overall(item) } else { self.figures(item, is_first) }
        };
        shown::clauses(&named, |item| item.word.clone(), text)
    }

    /// What is said where nothing is named. Few rows may be far from the others and no test be sure of
    /// it: then they are not called alike.
    fn verdict(&self, special: &[Special]) -> String {
        let largest = self.largest();
        let opening = if self.size < FEW {
            "too few rows to tell from the others"
        } else if !special.is_empty() {
            return "nearly like all rows in every column".to_owned();
        } else if largest.is_empty() {
            "like all rows in every column"
        } else {
            "no column differs for certain, with so few rows"
        };
        match largest.as_slice() {
            [] => opening.to_owned(),
            [one] => format!("{opening}; the largest difference is in {one}"),
            some => format!("{opening}; the largest differences are in {}", shown::listed(some)),
        }
    }

    /// The columns with the largest differences, certain or not: those that would be named, otherwise
    /// the largest that is worth a word.
    fn largest(&self) -> Vec<String> {
        let mut tested = tested(self.data, self.columns, self.cluster);
        tested.sort_by(|a, b| b.difference.abs().total_cmp(&a.difference.abs()));
        let mut found = chosen(&tested, CLEAR);
        found.truncate(MAX_UNCERTAIN);
        if found.is_empty() {
            found = chosen(&tested, SLIGHT);
            found.truncate(1);
        }
        let texts = found.iter().enumerate();
        texts.map(|(at, special)| self.figures(&self.item(special, ""), at == 0)).collect()
    }

    fn item(&self, special: &Special, how: &str) -> Item {
        let column = &self.data.columns()[special.column];
        let (own, overall, value) = as_frequent(column, special);
        let name = || shown::name(column.name());
        let word = match special.direction {
            Direction::High => format!("{how}high"),
            Direction::Low => format!("{how}low"),
            _ if own == 1.0 => format!("{} is always {value}", name()),
            _ if own == 0.0 => format!("{} is never {value}", name()),
            _ if own > overall => if own > 0.5 { "mostly" } else { "more often" }.to_owned(),
            _ => if own < 0.1 { "seldom" } else { "less often" }.to_owned(),
        };
        let is_mean = special.value.is_none();
        Item { column: special.column, word, value, is_mean, own, overall }
    }

    /// The columns in whose middle the cluster lies, the clearest first. One whose mean is some way off,
    /// as of a skewed column, is lower or higher, if that is certain.
    fn medium(&self, special: &[Special]) -> Vec<Item> {
        let mut found = Vec::new();
        for (at, column) in self.columns.iter().enumerate() {
            let ColumnProfile::Numbers(numbers) = column else { continue };
            let (Some(all), Some(Some(own))) = (numbers.all, numbers.clusters.get(self.cluster))
            else {
                continue;
            };
            let Some(difference) = own.difference else { continue };
            if own.between < MEDIUM || own.summary.count < MANY || difference.abs() >= CLEAR {
                continue;
            }
            let word = match difference {
                _ if difference.abs() < SLIGHT => "medium",
                _ if special.iter().all(|special| special.column != at) => continue,
                0.0.. => "higher",
                _ => "lower",
            };
            found.push((own.between, at, word, own.summary.mean, all.mean));
        }
        found.sort_by(|a, b| b.0.total_cmp(&a.0));
        let item = |(_, column, word, own, overall): (f64, usize, &str, f64, f64)| {
            let (word, value) = (word.to_owned(), String::new());
            Item { column, word, value, is_mean: true, own, overall }
        };
        found.into_iter().take(FEW_CLEAR).map(item).collect()
    }

    /// `a (162 on average, 104 overall)` or `b red (97 %, 62 % overall)`, later `a (162 against 104)`.
    fn figures(&self, item: &Item, is_first: bool) -> String {
        let column = &self.data.columns()[item.column];
        let mut name = shown::name(column.name());
        let (own, overall) = if item.is_mean {
            column.pair(item.own, item.overall)
        } else {
            name = format!("{name} {}", item.value);
            (shown::percent(item.own), shown::percent(item.overall))
        };
        let average = if item.is_mean && self.size > 1 { " on average" } else { "" };
        let missing = self.missing(item);
        if is_first {
            format!("{name} ({own}{average}, {overall} overall{missing})")
        } else {
            format!("{name} ({own} against {overall}{missing})")
        }
    }

    /// `(62 % overall)`, behind what all rows of the cluster have or none.
    fn overall(&self, item: &Item) -> String {
        format!("({} overall{})", shown::percent(item.overall), self.missing(item))
    }

    /// `; 7 of 80 missing`: values that were filled count for no figure of the column.
    fn missing(&self, item: &Item) -> String {
        let known = self.columns.get(item.column).map_or(0, |of| of.cells_of(self.cluster));
        match self.size.saturating_sub(known) {
            0 => String::new(),
            missing => {
                format!("; {} of {} missing", shown::count(missing), shown::count(self.size))
            }
        }
    }
}

/// What a sentence says of a column.
struct Item {
    column: usize,
    /// `high`, `mostly`, `b is always red`, …
    word: String,
    /// The value of a category or flag.
    value: String,
    is_mean: bool,
    own: f64,
    overall: f64,
}

impl Item {
    /// Whether all rows of the cluster have the value, or none, so that its word says the share.
    fn is_whole(&self) -> bool {
        !self.is_mean && (self.own == 0.0 || self.own == 1.0)
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
