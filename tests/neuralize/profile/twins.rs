//! Profiles beside loops from the definitions.

use neuralize::profile::{
    ClusteredRows, ColumnProfile, ColumnValues, Condition, CrossTable, Direction, LEVEL,
    MAX_CONDITIONS, Profile, Test, VTest,
};
use proptest::prelude::*;

const VALUES: usize = 3;

/// A small table of a column of each kind.
#[derive(Debug, Clone)]
struct Table {
    n_clusters: usize,
    clusters: Vec<usize>,
    numbers: Vec<f64>,
    more: Vec<f64>,
    flags: Vec<bool>,
    codes: Vec<Option<usize>>,
    filled: Vec<bool>,
    values: Vec<String>,
}

impl Table {
    fn columns(&self) -> Vec<ColumnValues<'_>> {
        vec![
            ColumnValues::numbers("n", &self.numbers).with_filled(&self.filled),
            ColumnValues::numbers("m", &self.more),
            ColumnValues::flags("f", &self.flags).with_filled(&self.filled),
            ColumnValues::category("c", &self.codes, &self.values),
        ]
    }

    fn is_filled(&self, column: usize, row: usize) -> bool {
        self.filled[row] && (column == 0 || column == 2)
    }

    /// Whether a row satisfies a condition, by its public parts.
    fn satisfies(&self, condition: &Condition, row: usize) -> bool {
        let number = [self.numbers[row], self.more[row]];
        let value = [Some(usize::from(self.flags[row])), self.codes[row]];
        !self.is_filled(condition.column, row)
            && match condition.test {
                Test::Above(low) => number[condition.column] > low,
                Test::AtMost(high) => number[condition.column] <= high,
                Test::Between(low, high) => {
                    low < number[condition.column] && number[condition.column] <= high
                }
                Test::Is(wanted) => value[condition.column - 2] == Some(wanted),
                Test::IsNot(other) => value[condition.column - 2] != Some(other),
                _ => panic!("a new kind of test"),
            }
    }
}

fn tables() -> impl Strategy<Value = Table> {
    let scale = prop_oneof![Just(1.0), Just(0.1), Just(1e-200), Just(1e300)];
    (1_usize..50, 1_usize..6, scale).prop_flat_map(|(rows, n_clusters, scale)| {
        let numbers =
            prop::collection::vec((-4_i32..5).prop_map(move |i| f64::from(i) * scale), rows);
        let more = prop::collection::vec(-1e3_f64..1e3, rows);
        let codes = prop::collection::vec(prop::option::of(0..VALUES), rows);
        let filled = prop::collection::vec(prop::bool::weighted(0.2), rows);
        (
            prop::collection::vec(0..n_clusters, rows),
            numbers,
            more,
            prop::collection::vec(any::<bool>(), rows),
            codes,
            filled,
        )
            .prop_map(move |(clusters, numbers, more, flags, codes, filled)| Table {
                n_clusters,
                // A cluster that can be recognised.
                more: more
                    .iter()
                    .zip(&clusters)
                    .map(|(x, k)| if *k == 0 { x + 1500.0 } else { *x })
                    .collect(),
                clusters,
                numbers,
                flags,
                codes,
                filled,
                values: ["red", "green", "blue"].map(str::to_owned).to_vec(),
            })
    })
}

/// Mean, median and standard deviation from the definitions, of numbers in units of `scale`.
fn naive(values: &[f64], scale: f64) -> (f64, f64, f64) {
    if values.is_empty() {
        return (0.0, 0.0, 0.0);
    }
    let count = values.len() as f64;
    let mut sorted: Vec<f64> = values.iter().map(|x| x / scale).collect();
    sorted.sort_by(f64::total_cmp);
    let mean = sorted.iter().sum::<f64>() / count;
    let variance = sorted.iter().map(|x| (x - mean) * (x - mean)).sum::<f64>() / count;
    let half = sorted.len() / 2;
    let median =
        if sorted.len() % 2 == 1 { sorted[half] } else { (sorted[half - 1] + sorted[half]) / 2.0 };
    (mean, median, variance.sqrt())
}

/// n choose k, exact for the numbers of these tests.
fn choose(n: usize, k: usize) -> f64 {
    if k > n {
        return 0.0;
    }
    (0..k).fold(1_u128, |ways, i| ways * (n - i) as u128 / (i + 1) as u128) as f64
}

fn naive_p(rows: usize, marked: usize, drawn: usize, found: usize) -> f64 {
    let mass = |x: usize| {
        if x > drawn { 0.0 } else { choose(marked, x) * choose(rows - marked, drawn - x) }
    };
    let all = choose(rows, drawn);
    let below: f64 = (0..found).map(mass).sum();
    let above: f64 = (found + 1..=drawn).map(mass).sum();
    (2.0 * below + mass(found)).min(2.0 * above + mass(found)) / all
}

fn close(found: f64, expected: f64) -> bool {
    (found - expected).abs() <= 1e-9 * (1.0 + expected.abs())
}

fn tests_of(profile: &Profile, cluster: usize) -> Vec<(usize, Option<usize>, VTest)> {
    let mut tests = Vec::new();
    for (at, column) in profile.columns.iter().enumerate() {
        match column {
            ColumnProfile::Numbers(numbers) => {
                let own = numbers.clusters[cluster].as_ref();
                tests.extend(own.and_then(|own| own.test).map(|test| (at, None, test)));
            }
            ColumnProfile::Shares(shares) => {
                for value in &shares.values {
                    let test = value.clusters[cluster].as_ref().and_then(|own| own.test);
                    tests.extend(test.map(|test| (at, Some(value.value), test)));
                }
            }
            _ => panic!("a new kind of column"),
        }
    }
    tests
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn numbers(table in tables()) {
        let columns = table.columns();
        let data = ClusteredRows::new(&columns, &table.clusters, table.n_clusters).expect("rows");
        let profile = Profile::of(&data);
        for (at, values) in [&table.numbers, &table.more].into_iter().enumerate() {
            let ColumnProfile::Numbers(found) = &profile.columns[at] else { panic!("numbers") };
            let largest = values.iter().fold(0.0_f64, |most, x| most.max(x.abs()));
            let scale = if largest > 0.0 { largest } else { 1.0 };
            let cells = |wanted: Option<usize>| -> Vec<f64> {
                let of = |row: &usize| wanted.is_none_or(|k| table.clusters[*row] == k);
                let rows = (0..values.len()).filter(of).filter(|row| !table.is_filled(at, *row));
                rows.map(|row| values[row]).collect()
            };
            let all = cells(None);
            prop_assert_eq!(found.all.is_none(), all.is_empty());
            let (mean, _, sd) = naive(&all, scale);
            for cluster in 0..table.n_clusters {
                let own = cells(Some(cluster));
                let Some(cluster) = found.clusters[cluster] else {
                    prop_assert!(own.is_empty());
                    continue;
                };
                let naive = naive(&own, scale);
                prop_assert!(close(cluster.summary.mean / scale, naive.0));
                prop_assert!(close(cluster.summary.median / scale, naive.1));
                prop_assert!(close(cluster.summary.sd / scale, naive.2));
                let mut sorted = own.clone();
                sorted.sort_by(f64::total_cmp);
                let tenth = (own.len() - 1) / 10;
                let (low, high) = (sorted[tenth], sorted[own.len() - 1 - tenth]);
                let below = all.iter().filter(|x| **x < low).count();
                let above = all.iter().filter(|x| **x > high).count();
                prop_assert!(close(cluster.between, below.min(above) as f64 / all.len() as f64));
                let (count, total) = (own.len() as f64, all.len() as f64);
                let s2 = sd * sd / count * (total - count) / (total - 1.0);
                match cluster.test {
                    Some(test) => {
                        prop_assert!(close(test.v, (naive.0 - mean) / s2.sqrt()));
                        prop_assert!((0.0..=1.0).contains(&test.p));
                    }
                    None => prop_assert!(own.len() == all.len() || sd < 1e-12),
                }
            }
        }
    }

    #[test]
    fn shares(table in tables()) {
        let columns = table.columns();
        let data = ClusteredRows::new(&columns, &table.clusters, table.n_clusters).expect("rows");
        let profile = Profile::of(&data);
        let value = |column: usize, row: usize| {
            if column == 2 { Some(usize::from(table.flags[row])) } else { table.codes[row] }
        };
        for at in [2, 3] {
            let ColumnProfile::Shares(found) = &profile.columns[at] else { panic!("shares") };
            prop_assert_eq!(found.values.len(), if at == 2 { 1 } else { VALUES });
            let rows: Vec<usize> =
                (0..table.clusters.len()).filter(|row| !table.is_filled(at, *row)).collect();
            for of_value in &found.values {
                let has = |row: &&usize| value(at, **row) == Some(of_value.value);
                let marked = rows.iter().filter(has).count();
                prop_assert_eq!(of_value.count, marked);
                for cluster in 0..table.n_clusters {
                    let own: Vec<usize> =
                        rows.iter().copied().filter(|row| table.clusters[*row] == cluster).collect();
                    let count = own.iter().filter(has).count();
                    let Some(found) = of_value.clusters[cluster] else {
                        prop_assert!(own.is_empty());
                        continue;
                    };
                    prop_assert_eq!(found.count, count);
                    prop_assert!(close(found.share, count as f64 / own.len() as f64));
                    let Some(test) = found.test else { continue };
                    let p = naive_p(rows.len(), marked, own.len(), count);
                    prop_assert!((test.p / p - 1.0).abs() < 1e-9, "{} {}", test.p, p);
                    let over = count as f64 / own.len() as f64 - marked as f64 / rows.len() as f64;
                    prop_assert!(test.v == 0.0 || over.abs() < 1e-12 || test.v * over > 0.0);
                }
            }
        }
    }

    /// What is listed is what the tests say, in their order.
    #[test]
    fn special(table in tables()) {
        let columns = table.columns();
        let data = ClusteredRows::new(&columns, &table.clusters, table.n_clusters).expect("rows");
        let profile = Profile::of(&data);
        for (cluster, found) in profile.clusters.iter().enumerate() {
            let tests = tests_of(&profile, cluster);
            let count = tests.len() as f64;
            let mut expected: Vec<_> =
                tests.into_iter().filter(|(_, _, test)| test.p * count <= LEVEL).collect();
            expected.sort_by(|a, b| b.2.v.abs().total_cmp(&a.2.v.abs()));
            let listed: Vec<_> =
                found.special.iter().map(|s| (s.column, s.value, s.test)).collect();
            prop_assert_eq!(listed, expected);
            for special in &found.special {
                let is_above = matches!(special.direction, Direction::High | Direction::Over);
                prop_assert_eq!(is_above, special.own > special.overall);
                prop_assert!(special.difference.is_finite());
                prop_assert_eq!(special.difference > 0.0, is_above);
            }
            prop_assert!(!found.sentence.contains("NaN") && !found.sentence.contains("inf"));
            prop_assert!(found.sentence.ends_with('.'));
        }
    }

    /// A rule is as good as it says, and better than none.
    #[test]
    fn rules(table in tables()) {
        let columns = table.columns();
        let data = ClusteredRows::new(&columns, &table.clusters, table.n_clusters).expect("rows");
        let profile = Profile::of(&data);
        prop_assert_eq!(&profile, &Profile::of(&data));
        for (cluster, found) in profile.clusters.iter().enumerate() {
            let Some(rule) = &found.rule else { continue };
            let parts: usize = rule.conditions.iter().map(|condition| match condition.test {
                Test::Between(..) => 2,
                _ => 1,
            }).sum();
            prop_assert!((1..=MAX_CONDITIONS).contains(&parts));
            let rows = (0..table.clusters.len())
                .filter(|row| rule.conditions.iter().all(|c| table.satisfies(c, *row)));
            let (mut hits, mut satisfied) = (0, 0);
            for row in rows {
                satisfied += 1;
                hits += usize::from(table.clusters[row] == cluster);
            }
            prop_assert_eq!((rule.hits, rule.satisfied), (hits, satisfied));
            prop_assert!(close(rule.coverage, hits as f64 / found.size as f64));
            prop_assert!(close(rule.precision, hits as f64 / satisfied as f64));
            let share = found.share;
            prop_assert!(rule.f1() >= 2.0 * share / (1.0 + share) + 0.0199);
        }
    }

    /// The cluster that one threshold separates has a rule with nothing wrong.
    #[test]
    fn a_separate_cluster_is_recognised(mut table in tables()) {
        for (x, k) in table.more.iter_mut().zip(&table.clusters) {
            *x += if *k == 0 { 1e4 } else { 0.0 };
        }
        let columns = table.columns();
        let data = ClusteredRows::new(&columns, &table.clusters, table.n_clusters).expect("rows");
        let profile = Profile::of(&data);
        let (size, rows) = (data.size(0), data.n_rows());
        // Otherwise no rule adds 0.02 to that of all rows.
        if size > 0 && size < rows && rows < 2 * size + 10 * (rows - size) {
            let rule = profile.clusters[0].rule.as_ref().expect("a rule");
            prop_assert!(rule.f1() >= 0.979, "{}", rule);
        }
    }

    #[test]
    fn versus(table in tables()) {
        let columns = table.columns();
        let data = ClusteredRows::new(&columns, &table.clusters, table.n_clusters).expect("rows");
        let profile = Profile::of(&data);
        for (a, b) in [(0, table.n_clusters - 1), (0, 0)] {
            let versus = profile.versus(&data, a, b).expect("clusters");
            let back = profile.versus(&data, b, a).expect("clusters");
            let sizes: Vec<f64> = versus.differences.iter().map(|d| d.difference).collect();
            prop_assert!(sizes.iter().all(|d| d.is_finite()));
            prop_assert!(sizes.windows(2).all(|pair| pair[0].abs() >= pair[1].abs()));
            for found in &versus.differences {
                let same = back.differences.iter().find(|d| (d.column, d.value) == (found.column, found.value));
                let same = same.expect("the column");
                prop_assert!((same.difference + found.difference).abs() <= 1e-9 * (1.0 + found.difference.abs()));
                // The indicator of a value is a column of zeros and ones.
                if found.column == 3 && a != b {
                    let cells = |k: usize| -> Vec<f64> {
                        let rows = data.rows_of(k).iter();
                        rows.map(|row| f64::from(u8::from(table.codes[*row] == found.value))).collect()
                    };
                    let (own, other) = (cells(a), cells(b));
                    let (one, two) = (naive(&own, 1.0), naive(&other, 1.0));
                    let free = (own.len() + other.len()).saturating_sub(2) as f64;
                    let squares = one.2.powi(2) * own.len() as f64 + two.2.powi(2) * other.len() as f64;
                    if free > 0.0 && squares > 0.0 {
                        prop_assert!(close(found.difference, (one.0 - two.0) / (squares / free).sqrt()));
                    }
                }
            }
        }
        prop_assert!(profile.versus(&data, table.n_clusters, 0).is_none());
    }

    /// Pairs of rows, counted one by one.
    #[test]
    fn cross_table(rows in prop::collection::vec((0_usize..4, prop::option::of(0_usize..4)), 0..60)) {
        let (clusters, classes): (Vec<usize>, Vec<Option<usize>>) = rows.iter().copied().unzip();
        let table = CrossTable::of(&clusters, &classes, 4, 4).expect("a table");
        let known: Vec<(usize, usize)> =
            rows.iter().filter_map(|(k, class)| Some((*k, (*class)?))).collect();
        for k in 0..4 {
            for class in 0..4 {
                let count = known.iter().filter(|row| **row == (k, class)).count();
                prop_assert_eq!(table.count(k, class), count);
            }
        }
        let (mut both, mut by_cluster, mut by_class, mut pairs) = (0.0, 0.0, 0.0, 0.0);
        for (at, a) in known.iter().enumerate() {
            for b in &known[..at] {
                both += f64::from(u8::from(a == b));
                by_cluster += f64::from(u8::from(a.0 == b.0));
                by_class += f64::from(u8::from(a.1 == b.1));
                pairs += 1.0;
            }
        }
        let found = table.agreement();
        let expected: f64 = by_cluster * by_class / pairs;
        let most = (by_cluster + by_class) / 2.0;
        if pairs > 0.0 && most != expected {
            prop_assert!(close(found.adjusted_rand, (both - expected) / (most - expected)));
        } else {
            prop_assert_eq!(found.adjusted_rand, 1.0);
        }
        for value in [found.homogeneity, found.completeness, found.v_measure] {
            prop_assert!((0.0..=1.0).contains(&value));
        }
    }

    /// The matching is the best one wherever that is nearly one to one.
    #[test]
    fn one_to_one(
        of in prop::collection::vec(0_usize..4, 1..80),
        moved in prop::collection::vec((any::<prop::sample::Index>(), 0_usize..4), 0..12),
    ) {
        let mut clusters: Vec<usize> = of.iter().map(|class| (class + 1) % 4).collect();
        for (row, cluster) in moved {
            let row = row.index(clusters.len());
            clusters[row] = cluster;
        }
        let classes: Vec<Option<usize>> = of.iter().copied().map(Some).collect();
        let table = CrossTable::of(&clusters, &classes, 4, 4).expect("a table");
        let common = |order: &[usize]| -> usize {
            order.iter().enumerate().map(|(k, class)| table.count(k, *class)).sum()
        };
        let holds = |order: &[usize]| {
            common(order) as f64 >= 0.9 * of.len() as f64
                && order.iter().enumerate().all(|(k, class)| {
                    let count = table.count(k, *class);
                    count == 0 || count as f64 >= 0.8 * table.class_counts()[*class] as f64
                })
        };
        let orders = orders(4);
        let most = orders.iter().map(|order| common(order)).max().expect("orders");
        let found = table.one_to_one();
        if orders.iter().any(|order| common(order) == most && holds(order)) {
            let found = found.as_ref().expect("a matching");
            let agreeing: usize =
                found.iter().enumerate().filter_map(|(k, class)| Some(table.count(k, (*class)?))).sum();
            prop_assert_eq!(agreeing, most);
        }
        if let Some(found) = found {
            let classes: Vec<usize> = found.iter().copied().flatten().collect();
            prop_assert!(classes.iter().enumerate().all(|(at, class)| !classes[..at].contains(class)));
            let agreeing: usize =
                found.iter().enumerate().filter_map(|(k, class)| Some(table.count(k, (*class)?))).sum();
            prop_assert!(agreeing as f64 >= 0.9 * of.len() as f64);
        }
    }
}

/// At the border: nine of ten rows in common, and four of five of a class.
#[test]
fn nearly_one_to_one() {
    let found = |counts: [[usize; 3]; 3]| {
        let (mut clusters, mut classes) = (Vec::new(), Vec::new());
        for (cluster, row) in counts.iter().enumerate() {
            for (class, count) in row.iter().enumerate() {
                clusters.resize(clusters.len() + count, cluster);
                classes.resize(classes.len() + count, Some(class));
            }
        }
        CrossTable::of(&clusters, &classes, 3, 3).expect("a table").one_to_one()
    };
    let all = Some(vec![Some(0), Some(1), Some(2)]);
    assert_eq!(found([[40, 0, 1], [6, 44, 0], [0, 4, 5]]), None);
    assert_eq!(found([[40, 0, 1], [5, 45, 0], [0, 4, 5]]), all);
    assert_eq!(found([[40, 0, 1], [5, 46, 0], [0, 4, 4]]), all);
    assert_eq!(found([[40, 0, 1], [0, 46, 0], [0, 0, 4]]), all);
    assert_eq!(found([[40, 0, 1], [0, 46, 0], [0, 0, 3]]), None);
    // A cluster of its own for part of a class.
    assert_eq!(found([[40, 0, 0], [0, 46, 0], [4, 0, 0]]), Some(vec![Some(0), Some(1), None]));
    assert_eq!(found([[0; 3]; 3]), None);
}

/// Every order of 0 … n − 1.
fn orders(n: usize) -> Vec<Vec<usize>> {
    if n == 0 {
        return vec![Vec::new()];
    }
    let shorter = orders(n - 1);
    let with = |order: &Vec<usize>| -> Vec<Vec<usize>> {
        (0..n)
            .map(|at| {
                let mut longer = order.clone();
                longer.insert(at, n - 1);
                longer
            })
            .collect()
    };
    shorter.iter().flat_map(with).collect()
}
