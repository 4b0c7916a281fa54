//! Parts of the rule against its reference implementation: `tests/reference/choose/choose.py`.

use serde_json::{Value, json};

use crate::choose::candidate::{Candidate, Check};
use crate::choose::choice::Choice;
use crate::choose::decision::decide;
use crate::choose::distances::Distances;
use crate::choose::lonely::lonely;
use crate::choose::references::boxed::Boxed;
use crate::choose::references::copula::{quantiles, scores};
use crate::choose::references::one_peaked::OnePeaked;
use crate::choose::rows::Rows;
use crate::choose::sentence;
use crate::choose::table::Table;
use crate::choose::valley::valley;

fn reference() -> Value {
    serde_json::from_str(include_str!("../../fixtures/choose.json")).expect("reference")
}

fn list<'a>(value: &'a Value, name: &str) -> &'a [Value] {
    value[name].as_array().unwrap_or_else(|| panic!("{name}"))
}

fn number(value: &Value) -> f64 {
    value.as_f64().expect("a number")
}

fn whole(value: &Value) -> usize {
    value.as_u64().expect("a whole number") as usize
}

fn numbers(value: &Value, name: &str) -> Vec<f64> {
    list(value, name).iter().map(number).collect()
}

#[test]
fn one_peaked_quantiles() {
    let reference = reference();
    let shares = numbers(&reference, "u");
    for case in list(&reference, "one_peaked") {
        let one_peaked = OnePeaked::of(&numbers(case, "column"));
        for (share, expected) in shares.iter().zip(numbers(case, "quantiles")) {
            let found = one_peaked.quantile(*share);
            assert!(
                (found - expected).abs() <= 1e-9 * (1.0 + expected.abs()),
                "{} at {share}: {found}, expected {expected}",
                case["name"]
            );
        }
    }
}

#[test]
fn tables() {
    for case in list(&reference(), "tables") {
        let name = &case["name"];
        let (values, width) = (numbers(case, "rows"), whole(&case["width"]));
        let n = values.len() / width;
        let labels: Vec<usize> = list(case, "labels").iter().map(whole).collect();
        let found = valley(&values, width, &labels, whole(&case["clusters"]));
        assert_eq!(found, number(&case["valley"]), "{name}");
        let distances = Distances::between(&values, width, n);
        for (neighbour, expected) in [1, 3, 8].into_iter().zip(list(case, "lonely")) {
            let expected: Vec<usize> =
                expected.as_array().expect("rows").iter().map(whole).collect();
            assert_eq!(lonely(&distances, neighbour), expected, "{name}");
        }
        let table = Table::of(&Rows::new(&values, width).expect("rows"), &Vec::from_iter(0..n));
        for (column, expected) in list(case, "scores").iter().enumerate() {
            let column: Vec<f64> = table.column(column).collect();
            let expected = expected.as_array().expect("scores").iter().map(number);
            for (found, expected) in scores(&column, &quantiles(n)).iter().zip(expected) {
                assert!((found - expected).abs() < 1e-12, "{name}: {found}, {expected}");
            }
        }
        let mut extents = Boxed::of(&table).extents();
        extents.sort_by(f64::total_cmp);
        let expected = numbers(case, "extents");
        for (found, expected) in extents.iter().rev().zip(expected.iter().rev()) {
            assert!((found / expected - 1.0).abs() < 1e-9, "{name}: {found}, {expected}");
        }
        let is_rest_zero = expected.iter().rev().skip(extents.len()).all(|e| e.abs() < 1e-9);
        assert!(is_rest_zero, "{name}");
    }
}

fn candidate(row: &Value, least: usize) -> Candidate {
    let mut candidate = Candidate {
        clusters: whole(&row["k"]),
        inertia: 0.0,
        silhouette: None,
        silhouette_error: None,
        calinski_harabasz: None,
        davies_bouldin: None,
        bic: None,
        judged_silhouette: number(&row["silhouette"]),
        gap: None,
        gap_error: None,
        stability: number(&row["stability"]),
        stability_spread: 0.0,
        smallest: whole(&row["smallest"]),
        valley: row["valley"].as_f64().unwrap_or(f64::INFINITY),
        without: number(&row["without"]),
        gain: number(&row["gain"]),
        failed: Vec::new(),
    };
    candidate.check(least, number(&row["highest"]));
    candidate
}

#[test]
fn decisions() {
    let checks =
        [Some(Check::Size), Some(Check::Stability), Some(Check::Valley), Some(Check::Gain), None];
    for case in list(&reference(), "decisions") {
        let least = whole(&case["least"]);
        let candidates: Vec<Candidate> =
            list(case, "table").iter().map(|row| candidate(row, least)).collect();
        for (candidate, passed) in candidates.iter().zip(list(case, "passed")) {
            assert_eq!(candidate.first_failed(), checks[whole(passed)], "{}", case["name"]);
        }
        let largest = candidates.last().map(|candidate| candidate.clusters);
        let last = largest.filter(|_| case["capped"] == Value::Bool(false));
        let (recommended, sentence) = decide(&candidates, least, last);
        assert_eq!(recommended, case["clusters"].as_u64().map(|k| k as usize), "{}", case["name"]);
        assert_eq!(sentence.replace('−', "-"), case["sentence"], "{}", case["name"]);
    }
    assert!(decide(&[], 3, None).0.is_none());
}

/// A number that passes all checks and is not recommended has a reason, too.
#[test]
fn passed_over() {
    let row = |clusters: usize, silhouette: f64, valley: f64| {
        let row = json!({
            "k": clusters, "silhouette": silhouette, "stability": 0.95, "smallest": 20, "valley": valley,
            "without": 0.3, "gain": (silhouette - 0.3) / 0.7, "highest": 0.32,
        });
        candidate(&row, 4)
    };
    let reasons = |candidates: Vec<Candidate>| {
        let (recommended, sentence) = decide(&candidates, 4, None);
        let choice = Choice {
            candidates,
            recommended,
            sentence,
            rows: 60,
            figured: None,
            sampled: None,
            lonely: 0,
            different: 60,
            least: 4,
        };
        let reason = |candidate: &Candidate| choice.passed_over(candidate).unwrap_or_default();
        choice.candidates.iter().map(reason).collect::<Vec<_>>()
    };
    assert_eq!(reasons(vec![row(2, 0.6, 0.3), row(3, 0.8, 0.8)]), ["smaller gain than 3", ""]);
    assert_eq!(
        reasons(vec![row(2, 0.5, 0.3), row(3, 0.605, 0.3), row(4, 0.6, 0.3)]),
        ["smaller gain than 4", "hardly more gain than 4", ""]
    );
}

#[test]
fn remarks() {
    assert_eq!(
        sentence::too_few(8, 8),
        "no clear number of clusters: 8 rows (8 different) are too few to tell"
    );
    assert_eq!(sentence::remarks(0, None, 5), "");
    assert_eq!(
        sentence::remarks(2, Some(1000), 5000),
        " (judged without 2 rows far from all others) (judged on 1\u{202f}000 of 5\u{202f}000 rows)"
    );
}
