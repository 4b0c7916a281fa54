//! Rules beside all rules of two conditions, and at the border of what is looked at.

use neuralize::profile::{ClusteredRows, ColumnValues, Profile, Rule, Test};

/// Numbers from 0 to below 1, the same in every run.
fn uniform(state: &mut u64) -> f64 {
    *state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
    (*state >> 11) as f64 / (1_u64 << 53) as f64
}

/// Rows of K overlapping clouds in C columns.
fn clouds(rows: usize, columns: usize, k: usize, seed: u64) -> (Vec<Vec<f64>>, Vec<usize>) {
    let mut state = seed;
    let centres: Vec<f64> = (0..k * columns).map(|_| 4.0 * uniform(&mut state)).collect();
    let clusters: Vec<usize> =
        (0..rows).map(|_| (uniform(&mut state) * k as f64) as usize).collect();
    let mut column = |at: usize| -> Vec<f64> {
        let noise = |state: &mut u64| (0..4).map(|_| uniform(state)).sum::<f64>();
        let value = |k: &usize| centres[k * columns + at] + noise(&mut state);
        clusters.iter().map(value).map(|x| (20.0 * x).round() / 20.0).collect()
    };
    ((0..columns).map(&mut column).collect(), clusters)
}

/// The largest F1 of all rules of at most two conditions.
fn best_of_two(values: &[Vec<f64>], clusters: &[usize], cluster: usize) -> f64 {
    let mut tests: Vec<Vec<bool>> = Vec::new();
    for column in values {
        let mut thresholds = column.clone();
        thresholds.sort_by(f64::total_cmp);
        thresholds.dedup();
        for threshold in thresholds {
            tests.push(column.iter().map(|x| *x > threshold).collect());
            tests.push(column.iter().map(|x| *x <= threshold).collect());
        }
    }
    let size = clusters.iter().filter(|k| **k == cluster).count();
    let mut best = 0.0_f64;
    for (at, one) in tests.iter().enumerate() {
        for other in &tests[..=at] {
            let (mut hits, mut satisfied) = (0, 0);
            for row in 0..clusters.len() {
                if one[row] && other[row] {
                    satisfied += 1;
                    hits += usize::from(clusters[row] == cluster);
                }
            }
            best = best.max(2.0 * hits as f64 / (satisfied + size) as f64);
        }
    }
    best
}

/// A second condition may be worth up to 0.02; a third one may make up for it.
#[test]
fn beam_search_finds_nearly_the_best() {
    let (mut worst, mut sum, mut count) = (0.0_f64, 0.0, 0.0);
    for seed in 0..12 {
        let (values, clusters) = clouds(150, 3, 4, seed);
        let names = ["a", "b", "c"];
        let columns: Vec<ColumnValues<'_>> = names
            .iter()
            .zip(&values)
            .map(|(name, values)| ColumnValues::numbers(name, values))
            .collect();
        let profile = Profile::of(&ClusteredRows::new(&columns, &clusters, 4).expect("rows"));
        for (cluster, found) in profile.clusters.iter().enumerate() {
            let best = best_of_two(&values, &clusters, cluster);
            let missing = best - found.rule.as_ref().map_or(0.0, Rule::f1);
            worst = worst.max(missing);
            sum += missing.max(0.0);
            count += 1.0;
        }
    }
    assert!(worst < 0.04 && sum / count < 0.01, "worst {worst}, mean {}", sum / count);
}

/// Two corners of a square: no single condition tells anything.
#[test]
fn a_third_condition_is_taken_where_it_is_needed() {
    let mut state = 1;
    let [a, b, c]: [Vec<f64>; 3] =
        std::array::from_fn(|_| (0..2000).map(|_| uniform(&mut state)).collect());
    let clusters: Vec<usize> =
        (0..2000).map(|row| usize::from(a[row] > 0.35 && b[row] <= 0.7 && c[row] > 0.25)).collect();
    let columns = [
        ColumnValues::numbers("a", &a),
        ColumnValues::numbers("b", &b),
        ColumnValues::numbers("c", &c),
    ];
    let profile = Profile::of(&ClusteredRows::new(&columns, &clusters, 2).expect("rows"));
    let rule = profile.clusters[1].rule.as_ref().expect("a rule");
    assert_eq!(
        rule.to_string(),
        "a > 0.35 and b ≤ 0.7 and c > 0.25: 100 % of the cluster, 100 % right"
    );
}

/// More rows than are searched in: thresholds from some, coverage and precision from all.
#[test]
fn many_rows() {
    let mut state = 1;
    let values: Vec<f64> = (0..200_000).map(|_| uniform(&mut state)).collect();
    // Few rows of one cluster, as a few in a thousand.
    let clusters: Vec<usize> = values.iter().map(|x| usize::from(*x > 0.998)).collect();
    let columns = [ColumnValues::numbers("a", &values)];
    let profile = Profile::of(&ClusteredRows::new(&columns, &clusters, 2).expect("rows"));
    let rule = profile.clusters[1].rule.as_ref().expect("a rule");
    let Test::Above(threshold) = rule.conditions[0].test else { panic!("{rule}") };
    assert!((threshold - 0.998).abs() < 2e-4, "{rule}");
    let satisfied = values.iter().filter(|x| **x > threshold).count();
    assert_eq!(rule.satisfied, satisfied);
    assert!(rule.f1() > 0.95, "{rule}");
}

/// The same decimal separates the rows as the number that was found.
#[test]
fn short_thresholds_keep_the_rows() {
    for seed in 0..10 {
        let (values, clusters) = clouds(400, 4, 3, seed);
        let exact: Vec<Vec<f64>> =
            values.iter().map(|column| column.iter().map(|x| x * 1e-7 / 3.0).collect()).collect();
        let rules = |values: &[Vec<f64>]| -> Vec<Option<(usize, usize)>> {
            let columns: Vec<ColumnValues<'_>> =
                values.iter().map(|values| ColumnValues::numbers("x", values)).collect();
            let profile = Profile::of(&ClusteredRows::new(&columns, &clusters, 3).expect("rows"));
            let counts = |rule: &Rule| (rule.hits, rule.satisfied);
            profile.clusters.iter().map(|cluster| cluster.rule.as_ref().map(counts)).collect()
        };
        assert_eq!(rules(&values), rules(&exact));
    }
}

/// What stands in a filled cell recognises nothing.
#[test]
fn filled_cells() {
    let clusters: Vec<usize> = (0..100).map(|row| row / 50).collect();
    // Of cluster 1 all of `a` and four of five of `b`; but two of three of `a` were filled.
    let a: Vec<f64> = (0..100).map(|row| f64::from(row % 7 + 10 * (row / 50))).collect();
    let filled: Vec<bool> = (0..100).map(|row| row % 3 > 0).collect();
    let b: Vec<bool> = (0..100).map(|row| row >= 60).collect();
    let columns =
        [ColumnValues::numbers("a", &a).with_filled(&filled), ColumnValues::flags("b", &b)];
    let profile = Profile::of(&ClusteredRows::new(&columns, &clusters, 2).expect("rows"));
    let rule = profile.clusters[1].rule.as_ref().expect("a rule");
    assert_eq!(rule.to_string(), "b = yes: 80 % of the cluster, 100 % right");

    // Filled cells of the cluster between the others do not move the threshold.
    let cells =
        [(430, 0, 1.0, false), (20, 0, 4.0, false), (30, 1, 3.0, true), (20, 1, 10.0, false)];
    let rows: Vec<(usize, f64, bool)> = cells
        .iter()
        .flat_map(|&(count, cluster, value, filled)| vec![(cluster, value, filled); count])
        .collect();
    let clusters: Vec<usize> = rows.iter().map(|row| row.0).collect();
    let values: Vec<f64> = rows.iter().map(|row| row.1).collect();
    let filled: Vec<bool> = rows.iter().map(|row| row.2).collect();
    let columns = [ColumnValues::numbers("a", &values).with_filled(&filled)];
    let profile = Profile::of(&ClusteredRows::new(&columns, &clusters, 2).expect("rows"));
    let rule = profile.clusters[1].rule.as_ref().expect("a rule");
    assert_eq!(rule.to_string(), "a > 7: 40 % of the cluster, 100 % right");
}
