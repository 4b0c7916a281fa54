//! Unusual clusterings: sentences, rules, and numbers that stay numbers.

use neuralize::profile::{ClusteredRows, ColumnProfile, ColumnValues, Profile, Test};

fn profile(columns: &[ColumnValues<'_>], clusters: &[usize], n_clusters: usize) -> Profile {
    Profile::of(&ClusteredRows::new(columns, clusters, n_clusters).expect("rows"))
}

fn sentences(profile: &Profile) -> Vec<&str> {
    profile.clusters.iter().map(|cluster| cluster.sentence.as_str()).collect()
}

#[test]
fn one_cluster_of_one_row() {
    let found =
        profile(&[ColumnValues::numbers("a", &[1.5]), ColumnValues::flags("b", &[true])], &[0], 1);
    assert_eq!(sentences(&found), ["Cluster 0 (1 row, 100 %): all rows."]);
    assert!(found.clusters[0].special.is_empty() && found.clusters[0].rule.is_none());
}

#[test]
fn empty_clusters_and_single_rows() {
    let values: Vec<f64> = (0..40).map(f64::from).chain([500.0]).collect();
    let clusters: Vec<usize> = (0..40).map(|_| 0).chain([2]).collect();
    let found = profile(&[ColumnValues::numbers("a", &values)], &clusters, 3);
    assert_eq!(
        sentences(&found),
        [
            "Cluster 0 (40 rows, 98 %): nearly like all rows in every column.",
            "Cluster 1: no rows.",
            "Cluster 2 (1 row, 2 %): high a (500, 31.2 overall).",
        ]
    );
    assert!(found.clusters[1].rule.is_none());
    let rule = found.clusters[2].rule.as_ref().expect("a rule");
    assert_eq!(rule.to_string(), "a > 300: 100 % of the cluster, 100 % right");
}

/// No column says anything.
#[test]
fn constant_and_filled_columns() {
    let (ones, filled, clusters) = ([0.1; 6], [true; 6], [0, 0, 0, 0, 0, 1]);
    let values = ["x".to_owned(), "y".to_owned()];
    let columns = [
        ColumnValues::numbers("constant", &ones),
        ColumnValues::numbers("filled", &[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]).with_filled(&filled),
        ColumnValues::flags("flag", &[true; 6]),
        ColumnValues::category("category", &[Some(1); 6], &values),
        ColumnValues::category("unknown", &[None; 6], &[]),
        ColumnValues::flags("no flag", &[false, true, false, true, false, true])
            .with_filled(&filled),
    ];
    let found = profile(&columns, &clusters, 2);
    assert_eq!(
        sentences(&found),
        [
            "Cluster 0 (5 rows, 83 %): like all rows in every column.",
            "Cluster 1 (1 row, 17 %): too few rows to tell from the others.",
        ]
    );
    for cluster in &found.clusters {
        assert!(cluster.special.is_empty() && cluster.rule.is_none());
    }
    let ColumnProfile::Numbers(numbers) = &found.columns[0] else { panic!("numbers") };
    assert!(numbers.clusters.iter().flatten().all(|own| own.test.is_none()));
    let ColumnProfile::Numbers(numbers) = &found.columns[1] else { panic!("numbers") };
    assert_eq!((numbers.all, numbers.clusters.as_slice()), (None, &[None, None][..]));
    assert!(profile(&[], &clusters, 2).clusters[0].rule.is_none());
}

#[test]
fn names_that_do_harm() {
    let long = "n".repeat(5000);
    let escape = "\u{1b}[31m\n".to_owned();
    let clusters: Vec<usize> = (0..40).map(|row| row % 2).collect();
    let codes: Vec<Option<usize>> = clusters.iter().map(|k| Some(*k)).collect();
    let numbers: Vec<f64> = clusters.iter().map(|k| *k as f64).collect();
    let values = [long.clone(), escape.clone()];
    let columns =
        [ColumnValues::numbers(&long, &numbers), ColumnValues::category(&escape, &codes, &values)];
    let data = ClusteredRows::new(&columns, &clusters, 2).expect("rows");
    let names = [escape.clone(), long.clone()];
    let data = data.with_cluster_names(&names).expect("names");
    let found = Profile::of(&data);
    for cluster in &found.clusters {
        let rule = cluster.rule.as_ref().map(ToString::to_string).expect("a rule");
        for text in [&cluster.sentence, &rule] {
            assert!(text.chars().count() < 400, "{text}");
            assert!(!text.chars().any(char::is_control), "{text:?}");
        }
    }
    let versus = found.versus(&data, 0, 1).expect("clusters").sentence;
    assert!(versus.chars().count() < 400 && !versus.chars().any(char::is_control));
}

/// A cluster in the middle: neither high nor low.
#[test]
fn clusters_in_the_middle() {
    let values: Vec<f64> = (0..300).map(f64::from).collect();
    let clusters: Vec<usize> = (0..300).map(|row| row / 100).collect();
    let found = profile(&[ColumnValues::numbers("a", &values)], &clusters, 3);
    assert_eq!(
        found.clusters[1].sentence,
        "Cluster 1 (100 rows, 33 %): medium a (150 on average, 150 overall)."
    );
    let rule = found.clusters[1].rule.as_ref().expect("a rule");
    assert_eq!(rule.conditions[0].test, Test::Between(99.0, 199.0));
    assert_eq!(rule.to_string(), "99 < a ≤ 199: 100 % of the cluster, 100 % right");
}

/// A narrow cluster of a skewed column is not in its middle where its mean is far from that of all.
#[test]
fn clusters_below_the_middle() {
    let tail = (0..100).map(|row| 200.0 + 6.0 * f64::from(row));
    let values: Vec<f64> = (0..200).map(f64::from).chain(tail).collect();
    let clusters: Vec<usize> = (0..300).map(|row| row / 100).collect();
    let found = profile(&[ColumnValues::numbers("a", &values)], &clusters, 3);
    assert_eq!(
        found.clusters[1].sentence,
        "Cluster 1 (100 rows, 33 %): lower a (150 on average, 232 overall)."
    );
}

/// Few rows, far from the others in columns of which no test is sure: they are not like all rows.
#[test]
fn few_rows_are_not_called_alike() {
    // After Burtin's antibiotics (1951).
    let penicillin = [
        0.001, 1.0, 100.0, 3.0, 1.0, 10.0, 0.007, 0.03, 1.0, 0.005, 0.001, 0.005, 870.0, 850.0,
        800.0, 850.0,
    ];
    let streptomycin =
        [0.01, 2.0, 0.4, 0.1, 0.4, 0.8, 0.1, 0.03, 1.0, 11.0, 14.1, 10.0, 1.0, 1.2, 5.0, 2.0];
    let genus: [Option<usize>; 16] = [0, 0, 0, 0, 1, 1, 2, 2, 3, 0, 3, 3, 0, 0, 0, 0].map(Some);
    let names = ["other", "Salmonella", "Staphylococcus", "Streptococcus"].map(str::to_owned);
    let negative = [0, 1, 1, 1, 1, 1, 0, 0, 0, 0, 0, 0, 1, 1, 1, 1].map(|one| one == 1);
    let clusters = [0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1, 2, 2, 2, 2];
    let columns = [
        ColumnValues::numbers("Penicillin", &penicillin),
        ColumnValues::numbers("Streptomycin", &streptomycin),
        ColumnValues::category("Genus", &genus, &names),
        ColumnValues::flags("negative", &negative),
    ];
    let found = profile(&columns, &clusters, 3);
    assert!(found.clusters[0].special.is_empty());
    assert_eq!(
        found.clusters[0].sentence,
        "Cluster 0 (9 rows, 56 %): no column differs for certain, with so few rows; the largest differences are in \
         Streptomycin (0.538 on average, 3.07 overall) and Penicillin (12.9 against 218)."
    );
    // A share, and too few rows for any word.
    let flags = [true, true, false, false, false, true];
    let found = profile(&[ColumnValues::flags("f", &flags)], &[0, 0, 1, 1, 1, 1], 2);
    assert_eq!(
        found.clusters[0].sentence,
        "Cluster 0 (2 rows, 33 %): too few rows to tell from the others; the largest difference is in f yes (100 %, \
         50 % overall)."
    );
}

/// Values that were filled count for nothing, and the sentence says how many they are.
#[test]
fn missing_values_are_counted() {
    let clusters: Vec<usize> = (0..160).map(|row| row / 80).collect();
    let male: Vec<Option<usize>> = clusters.iter().map(|k| Some(*k)).collect();
    let values = ["female", "male"].map(str::to_owned);
    let masses: Vec<f64> = (0..160).map(|row| f64::from(row / 80 * 1000 + row % 10)).collect();
    let (no_sex, no_mass): (Vec<bool>, Vec<bool>) =
        (0..160).map(|row| (row >= 153, row == 90)).unzip();
    let columns = [
        ColumnValues::category("sex", &male, &values).with_filled(&no_sex),
        ColumnValues::numbers("mass", &masses).with_filled(&no_mass),
    ];
    let found = profile(&columns, &clusters, 2);
    assert_eq!(
        found.clusters[1].sentence,
        "Cluster 1 (80 rows, 50 %): sex is always male (48 % overall; 7 of 80 missing); high mass (1\u{202f}005 on \
         average, 501 overall; 1 of 80 missing)."
    );
    assert!(!found.clusters[0].sentence.contains("missing"), "{}", found.clusters[0].sentence);
}

#[test]
fn shares_in_words() {
    // 60 rows: the first half is cluster 0.
    let clusters: Vec<usize> = (0..60).map(|row| row / 30).collect();
    let (reds, yes) =
        ((0..60).map(|row| Some(usize::from(row >= 24))), (0..60).map(|row| row >= 33));
    let (reds, yes): (Vec<_>, Vec<_>) = (reds.collect(), yes.collect());
    let values = ["red", "blue"].map(str::to_owned);
    let columns =
        [ColumnValues::category("colour", &reds, &values), ColumnValues::flags("closed", &yes)];
    let found = profile(&columns, &clusters, 2);
    assert_eq!(
        sentences(&found),
        [
            "Cluster 0 (30 rows, 50 %): closed is always no (55 % overall); mostly colour red (80 % against 40 %).",
            "Cluster 1 (30 rows, 50 %): mostly closed yes (90 %, 45 % overall); colour is always blue (60 % overall).",
        ]
    );
}

/// Values far apart in size, and codes of many values.
#[test]
fn large_numbers_and_many_values() {
    let numbers = [f64::MAX, f64::MIN, 0.0, 5e-324, 1.0, -1.0, f64::MAX, 1e-300];
    let values: Vec<String> = (0..5000).map(|i| format!("v{i}")).collect();
    let codes: Vec<Option<usize>> = (0..8).map(|i| Some(i * 600)).collect();
    let columns =
        [ColumnValues::numbers("a", &numbers), ColumnValues::category("c", &codes, &values)];
    let data = ClusteredRows::new(&columns, &[0, 1, 0, 1, 0, 1, 0, 1], 2).expect("rows");
    let found = Profile::of(&data);
    let text = format!("{found:?}{:?}", found.versus(&data, 0, 1));
    assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
    let ColumnProfile::Shares(shares) = &found.columns[1] else { panic!("shares") };
    let present = shares.values.iter().filter(|value| value.count == 1).count();
    assert_eq!((shares.values.len(), present), (neuralize::profile::MAX_VALUES, 8));
}

/// Dates are written as the caller writes them.
#[test]
fn texts_of_numbers() {
    let days: Vec<f64> =
        (0..20).map(|row| f64::from(row / 10) * 10.0 + f64::from(row % 3)).collect();
    let clusters: Vec<usize> = (0..20).map(|row| row / 10).collect();
    let columns = [ColumnValues::numbers("day", &days).with_text(|day| format!("day {day:.0}"))];
    let found = profile(&columns, &clusters, 2);
    assert_eq!(
        found.clusters[1].sentence,
        "Cluster 1 (10 rows, 50 %): high day (day 11 on average, day 6 overall)."
    );
    let rule = found.clusters[1].rule.as_ref().map(ToString::to_string).expect("a rule");
    assert_eq!(rule, "day > day 6: 100 % of the cluster, 100 % right");
}

/// Rows of two clusters in turn, with how many of 100 rows of each have a value.
fn in_turn(of_first: usize, of_second: usize) -> (Vec<usize>, Vec<bool>) {
    let clusters = (0..200).map(|row| row % 2).collect();
    let has = |row: usize| row / 2 < [of_first, of_second][row % 2];
    (clusters, (0..200).map(has).collect())
}

#[test]
fn words_of_shares() {
    let values = ["red", "blue", "green"].map(str::to_owned);
    let word = |of_first: usize, of_second: usize| -> String {
        let (clusters, red) = in_turn(of_first, of_second);
        // The others are blue and green in turn, so that red is what is special.
        let code = |(row, red): (usize, &bool)| Some(if *red { 0 } else { 1 + row / 2 % 2 });
        let codes: Vec<Option<usize>> = red.iter().enumerate().map(code).collect();
        let columns = [ColumnValues::category("c", &codes, &values)];
        let found = profile(&columns, &clusters, 2);
        found.clusters[0].sentence.trim_start_matches("Cluster 0 (100 rows, 50 %): ").to_owned()
    };
    assert_eq!(word(100, 20), "c is always red (60 % overall).");
    assert_eq!(word(80, 20), "mostly c red (80 %, 50 % overall).");
    assert_eq!(word(40, 0), "more often c red (40 %, 20 % overall).");
    assert_eq!(word(20, 75), "less often c red (20 %, 48 % overall).");
    assert_eq!(word(2, 60), "seldom c red (2 %, 31 % overall).");
    assert_eq!(word(0, 60), "c is never red (30 % overall).");
    assert_eq!(word(50, 50), "like all rows in every column.");
}

#[test]
fn slight_differences_and_digits() {
    // Years that differ by less than three digits show.
    let (clusters, late) = in_turn(30, 70);
    let years: Vec<f64> = late.iter().map(|late| 2008.0 + f64::from(u8::from(*late))).collect();
    let found = profile(&[ColumnValues::numbers("year", &years)], &clusters, 2);
    assert_eq!(
        sentences(&found),
        [
            "Cluster 0 (100 rows, 50 %): slightly low year (2\u{202f}008.3 on average, 2\u{202f}008.5 overall).",
            "Cluster 1 (100 rows, 50 %): slightly high year (2\u{202f}008.7 on average, 2\u{202f}008.5 overall).",
        ]
    );
}

/// High and low begin at half a standard deviation, medium at 30 rows.
#[test]
fn borders_of_words() {
    let (clusters, late) = in_turn(24, 76);
    let numbers: Vec<f64> = late.iter().map(|late| f64::from(u8::from(*late))).collect();
    let found = profile(&[ColumnValues::numbers("a", &numbers)], &clusters, 2);
    assert_eq!(
        found.clusters[1].sentence,
        "Cluster 1 (100 rows, 50 %): high a (0.760 on average, 0.500 overall)."
    );
    for (rows, words) in
        [(29, "like all rows in every column"), (30, "medium a (44.5 on average, 44.5 overall)")]
    {
        let values: Vec<f64> = (0..3 * rows).map(f64::from).collect();
        let clusters: Vec<usize> = (0..3 * rows as usize).map(|row| row / rows as usize).collect();
        let found = profile(&[ColumnValues::numbers("a", &values)], &clusters, 3);
        assert_eq!(found.clusters[1].sentence, format!("Cluster 1 ({rows} rows, 33 %): {words}."));
    }
}

/// Of equal columns the first is named, and rows that cannot be told apart have no rule.
#[test]
fn ties() {
    let clusters: Vec<usize> = (0..20).map(|row| row / 10).collect();
    let values: Vec<f64> = clusters.iter().map(|k| *k as f64).collect();
    let names = ["a", "b", "c", "d"];
    let columns = names.map(|name| ColumnValues::numbers(name, &values));
    let found = profile(&columns, &clusters, 2);
    assert_eq!(
        found.clusters[1].sentence,
        "Cluster 1 (10 rows, 50 %): high a (1 on average, 0.500 overall), b (1 against 0.500) and c (1 against 0.500)."
    );
    let rule = found.clusters[1].rule.as_ref().map(ToString::to_string).expect("a rule");
    assert_eq!(rule, "a > 0: 100 % of the cluster, 100 % right");
    let same: Vec<f64> = (0..20).map(|row| f64::from(row % 10)).collect();
    let found = profile(&[ColumnValues::numbers("a", &same)], &clusters, 2);
    assert!(found.clusters.iter().all(|cluster| cluster.rule.is_none()));
}

#[test]
fn one_against_another() {
    let clusters: Vec<usize> = (0..40).map(|row| row / 20).collect();
    let numbers: Vec<f64> = (0..40).map(|row| f64::from(row % 4 + 30 * (row / 20))).collect();
    let flags: Vec<bool> = (0..40).map(|row| row % 10 == 0 || row >= 22).collect();
    let columns = [ColumnValues::numbers("a", &numbers), ColumnValues::flags("b", &flags)];
    let data = ClusteredRows::new(&columns, &clusters, 3).expect("rows");
    let found = Profile::of(&data);
    let sentence = |one, other| found.versus(&data, one, other).map(|versus| versus.sentence);
    assert_eq!(
        sentence(1, 0).as_deref(),
        Some(
            "Cluster 1 rather than 0: higher a (31.5 on average, 1.50 there); more often b yes (95 % against 10 %)."
        )
    );
    assert_eq!(
        sentence(0, 1).as_deref(),
        Some(
            "Cluster 0 rather than 1: lower a (1.50 on average, 31.5 there); less often b yes (10 % against 95 %)."
        )
    );
    assert_eq!(sentence(1, 1).as_deref(), Some("Cluster 1 rather than 1: alike in every column."));
    // What all rows have, or none.
    let all: Vec<bool> = (0..40).map(|row| row < 25).collect();
    let none: Vec<bool> = all.iter().map(|all| !all).collect();
    let code = |row: usize| Some(if row < 18 { 0 } else { 1 + row % 2 });
    let codes: Vec<Option<usize>> = (0..40).map(code).collect();
    let values = ["a", "b", "c"].map(str::to_owned);
    for (column, own, other) in [
        (
            ColumnValues::flags("f", &all),
            "Cluster 0 rather than 1: f is always yes (25 % there).",
            "Cluster 1 rather than 0: less often f yes (25 %, 100 % there).",
        ),
        (
            ColumnValues::flags("f", &none),
            "Cluster 0 rather than 1: f is always no (25 % there).",
            "Cluster 1 rather than 0: more often f yes (75 %, 0 % there).",
        ),
        (
            ColumnValues::category("c", &codes, &values),
            "Cluster 0 rather than 1: more often c a (90 %, 0 % there).",
            "Cluster 1 rather than 0: c is never a (90 % there).",
        ),
    ] {
        let columns = [column];
        let data = ClusteredRows::new(&columns, &clusters, 2).expect("rows");
        let found = Profile::of(&data);
        let sentence = |one, other| found.versus(&data, one, other).map(|versus| versus.sentence);
        assert_eq!(sentence(0, 1).as_deref(), Some(own));
        assert_eq!(sentence(1, 0).as_deref(), Some(other));
    }
    assert_eq!(sentence(0, 2).as_deref(), Some("Cluster 0 rather than 2: cluster 2 has no rows."));
    assert_eq!(sentence(0, 3), None);
    let others = ClusteredRows::new(&columns[..1], &clusters, 3).expect("rows");
    assert_eq!(found.versus(&others, 0, 1), None);
}
