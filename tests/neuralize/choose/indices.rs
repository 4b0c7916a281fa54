//! Indices against scikit-learn's figures (`tests/reference/choose/indices.py`) and against loops.

use neuralize::choose::Rows;
use neuralize::choose::indices::{Clustered, Covariance, Gap, Sampled, aic, bic};
use neuralize::profile::CrossTable;
use proptest::prelude::*;
use serde_json::Value;

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("a list").iter().map(|x| x.as_f64().expect("a number")).collect()
}

fn counts(value: &Value) -> Vec<usize> {
    value
        .as_array()
        .expect("a list")
        .iter()
        .map(|x| x.as_u64().expect("a count") as usize)
        .collect()
}

#[track_caller]
fn close(found: f64, expected: &Value, what: &str, name: &Value) {
    let expected = expected.as_f64().unwrap_or_else(|| panic!("{name} {what}"));
    let allowed = 1e-9 * expected.abs() + 1e-15;
    assert!((found - expected).abs() <= allowed, "{name} {what}: {found}, expected {expected}");
}

#[test]
fn figures_are_those_of_scikit_learn() {
    let text = include_str!("../../reference/choose/indices.json");
    let reference: Value = serde_json::from_str(text).expect("reference");
    for set in reference["sets"].as_array().expect("sets") {
        let (name, expected) = (&set["name"], &set["expected"]);
        let values: Vec<f64> =
            set["rows"].as_array().expect("rows").iter().flat_map(numbers).collect();
        let rows = Rows::new(&values, set["p"].as_u64().expect("p") as usize).expect("rows");
        let (labels, classes) = (counts(&set["labels"]), counts(&set["classes"]));
        let clustered = Clustered::new(&rows, &labels).expect("labels");
        close(clustered.inertia(), &expected["inertia"], "inertia", name);
        let silhouettes = clustered.silhouettes().expect("silhouettes");
        for (found, expected) in
            silhouettes.iter().zip(expected["silhouette_samples"].as_array().expect("list"))
        {
            close(*found, expected, "silhouettes", name);
        }
        let all = Sampled::of(&silhouettes, silhouettes.len()).expect("rows");
        close(all.estimate, &expected["silhouette"], "silhouette", name);
        let index = clustered.calinski_harabasz().expect("clusters");
        close(index, &expected["calinski_harabasz"], "Caliński-Harabasz", name);
        let index = clustered.davies_bouldin().expect("clusters");
        close(index, &expected["davies_bouldin"], "Davies-Bouldin", name);
        let sample = &expected["silhouette_sampled"];
        let found = clustered.silhouette_of_sample(&counts(&sample["rows"])).expect("rows");
        close(found.estimate, &sample["estimate"], "sampled", name);
        close(found.error.expect("error"), &sample["standard_error"], "error", name);
        agreement(expected, &labels, &classes, name);
        gap(&expected["gap"], name);
        mixtures(set, expected, name);
    }
}

fn agreement(expected: &Value, labels: &[usize], classes: &[usize], name: &Value) {
    let classes: Vec<Option<usize>> = classes.iter().copied().map(Some).collect();
    let found = CrossTable::of(labels, &classes, 10, 10).expect("table").agreement();
    close(found.adjusted_rand, &expected["adjusted_rand"], "adjusted Rand", name);
    close(found.homogeneity, &expected["homogeneity"], "homogeneity", name);
    close(found.completeness, &expected["completeness"], "completeness", name);
    close(found.v_measure, &expected["v_measure"], "V", name);
}

fn gap(expected: &Value, name: &Value) {
    let log_w = expected["log_w"].as_f64().expect("log_w");
    let found = Gap::of(log_w, &numbers(&expected["log_w_of_references"])).expect("a gap");
    close(found.gap, &expected["gap"], "gap", name);
    close(found.error, &expected["s_k"], "s", name);
}

fn mixtures(set: &Value, expected: &Value, name: &Value) {
    let size = |key: &str| set[key].as_u64().expect("a size") as usize;
    for (key, covariance) in [
        ("full", Covariance::Full),
        ("tied", Covariance::Tied),
        ("diag", Covariance::Diagonal),
        ("spherical", Covariance::Spherical),
    ] {
        let mixture = &expected["mixture_after_one_m_step_reg_covar_1e-6"][key];
        let Some(mean) = mixture["mean_log_likelihood"].as_f64() else { continue };
        let parameters = covariance.parameters(size("k"), size("p"));
        close(parameters, &mixture["parameters"], "parameters", name);
        let log_likelihood = mean * size("n") as f64;
        close(bic(log_likelihood, parameters, size("n")), &mixture["bic"], "BIC", name);
        close(aic(log_likelihood, parameters), &mixture["aic"], "AIC", name);
    }
}

fn distance(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum::<f64>().sqrt()
}

fn naive_silhouette(rows: &[&[f64]], labels: &[usize], row: usize) -> f64 {
    let mean = |label: usize| {
        let others = (0..rows.len()).filter(|other| labels[*other] == label && *other != row);
        let distances: Vec<f64> = others.map(|other| distance(rows[row], rows[other])).collect();
        (!distances.is_empty()).then(|| distances.iter().sum::<f64>() / distances.len() as f64)
    };
    let Some(a) = mean(labels[row]) else { return 0.0 };
    let others = (0..10).filter(|label| *label != labels[row]).filter_map(mean);
    let b = others.fold(f64::INFINITY, f64::min);
    if a.max(b) == 0.0 { 0.0 } else { (b - a) / a.max(b) }
}

fn naive_centre(rows: &[&[f64]], labels: &[usize], label: usize) -> Option<Vec<f64>> {
    let members: Vec<&&[f64]> =
        rows.iter().zip(labels).filter(|(_, l)| **l == label).map(|(row, _)| row).collect();
    let column =
        |column: usize| members.iter().map(|row| row[column]).sum::<f64>() / members.len() as f64;
    (!members.is_empty()).then(|| (0..rows[0].len()).map(column).collect())
}

/// Rows in small whole numbers, so that some are equal, and labels.
fn clusterings() -> impl Strategy<Value = (usize, Vec<f64>, Vec<usize>)> {
    (prop_oneof![1..4_usize, 100..130_usize], 3..90_usize).prop_flat_map(|(width, n)| {
        let values =
            prop::collection::vec((-4..5_i32).prop_map(|x| f64::from(x) * 0.7 + 3.0), width * n);
        (Just(width), values, prop::collection::vec(0..6_usize, n))
    })
}

proptest! {
    #[test]
    fn indices_are_those_of_loops((width, values, labels) in clusterings()) {
        let rows = Rows::new(&values, width).expect("rows");
        let clustered = Clustered::new(&rows, &labels).expect("labels");
        let split: Vec<&[f64]> = values.chunks(width).collect();
        let centres: Vec<(usize, Vec<f64>)> = (0..6)
            .filter_map(|label| Some((label, naive_centre(&split, &labels, label)?)))
            .collect();
        prop_assert_eq!(clustered.n_clusters(), centres.len());
        let inertia: f64 = split.iter().zip(&labels).map(|(row, label)| {
            let centre = centres.iter().find(|(l, _)| l == label).expect("a centre");
            distance(row, &centre.1).powi(2)
        }).sum();
        prop_assert!((clustered.inertia() - inertia).abs() <= 1e-9 * (1.0 + inertia));
        let Some(silhouettes) = clustered.silhouettes() else {
            prop_assert!(centres.len() < 2 || centres.len() >= labels.len());
            prop_assert!(clustered.calinski_harabasz().is_none() && clustered.davies_bouldin().is_none());
            return Ok(());
        };
        for (row, found) in silhouettes.iter().enumerate() {
            prop_assert!((found - naive_silhouette(&split, &labels, row)).abs() < 1e-9);
            prop_assert!((-1.0..=1.0).contains(found));
        }
        let spread = |label: usize, centre: &[f64]| {
            let members: Vec<f64> = split.iter().zip(&labels).filter(|(_, l)| **l == label)
                .map(|(row, _)| distance(row, centre)).collect();
            members.iter().sum::<f64>() / members.len() as f64
        };
        let spreads: Vec<f64> = centres.iter().map(|(label, c)| spread(*label, c)).collect();
        let worst = (0..centres.len()).map(|i| {
            let others = (0..centres.len()).filter(|j| *j != i).map(|j| {
                let apart = distance(&centres[i].1, &centres[j].1);
                if apart < 1e-12 { None } else { Some((spreads[i] + spreads[j]) / apart) }
            });
            others.flatten().fold(0.0, f64::max)
        });
        let expected = worst.sum::<f64>() / centres.len() as f64;
        let found = clustered.davies_bouldin().expect("clusters");
        // Means that are equal may differ by rounding in one of the two.
        let is_apart = centres.iter().enumerate().all(|(i, a)| {
            centres.iter().skip(i + 1).all(|b| distance(&a.1, &b.1) > 1e-6)
        });
        prop_assert!(!is_apart || (found - expected).abs() <= 1e-9 * (1.0 + expected));
    }

    #[test]
    fn numbers_of_clusters_do_not_matter((width, values, labels) in clusterings()) {
        let rows = Rows::new(&values, width).expect("rows");
        let renamed: Vec<usize> = labels.iter().map(|l| usize::MAX - l * l * 1_000_003).collect();
        let (one, other) = (Clustered::new(&rows, &labels), Clustered::new(&rows, &renamed));
        let (one, other) = (one.expect("labels"), other.expect("labels"));
        match (one.silhouettes(), other.silhouettes()) {
            (Some(one), Some(other)) => {
                prop_assert!(one.iter().zip(other).all(|(a, b)| (a - b).abs() < 1e-12));
            }
            (one, other) => prop_assert_eq!(one, other),
        }
        let (one, other) = (one.calinski_harabasz(), other.calinski_harabasz());
        prop_assert!(one.is_none() == other.is_none());
        if let (Some(one), Some(other)) = (one, other) {
            prop_assert!((one - other).abs() <= 1e-9 * (1.0 + one.abs()));
        }
    }

    #[test]
    fn within_and_between_make_the_total((width, values, labels) in clusterings()) {
        let rows = Rows::new(&values, width).expect("rows");
        let total = Clustered::new(&rows, &vec![0; labels.len()]).expect("labels").inertia();
        let clustered = Clustered::new(&rows, &labels).expect("labels");
        let (n, k) = (labels.len() as f64, clustered.n_clusters() as f64);
        if let Some(index) = clustered.calinski_harabasz() && clustered.inertia() > 1e-9 {
            let between = index * clustered.inertia() * (k - 1.0) / (n - k);
            prop_assert!((between + clustered.inertia() - total).abs() <= 1e-9 * total);
        }
    }

    #[test]
    fn adjusted_rand_counts_pairs(
        pairs in prop::collection::vec((0..4_usize, 0..4_usize), 2..40)
    ) {
        let (one, other): (Vec<usize>, Vec<usize>) = pairs.into_iter().unzip();
        let mut counts = [[0.0_f64; 2]; 2];
        for i in 0..one.len() {
            for j in 0..i {
                counts[usize::from(one[i] == one[j])][usize::from(other[i] == other[j])] += 1.0;
            }
        }
        let (together, first, second) =
            (counts[1][1], counts[1][0] + counts[1][1], counts[0][1] + counts[1][1]);
        let chance = first * second / counts.concat().iter().sum::<f64>();
        let most = 0.5 * (first + second);
        let expected = if most == chance { 1.0 } else { (together - chance) / (most - chance) };
        let other: Vec<Option<usize>> = other.into_iter().map(Some).collect();
        let found = CrossTable::of(&one, &other, 4, 4).expect("table").agreement().adjusted_rand;
        prop_assert!((found - expected).abs() < 1e-9);
    }
}

#[test]
fn a_sample_estimates_the_silhouette() {
    let mut random = super::support::Random(5);
    let values = super::support::blobs(&mut random, 3, 2, 900, 4.0);
    let rows = Rows::new(&values, 2).expect("rows");
    let labels: Vec<usize> = (0..900).map(|row| row % 3).collect();
    let clustered = Clustered::new(&rows, &labels).expect("labels");
    let all = clustered.silhouettes().expect("silhouettes").iter().sum::<f64>() / 900.0;
    let within = (0..200).filter(|_| {
        let mut sample: Vec<usize> = (0..900).collect();
        for place in 0..100 {
            sample.swap(place, place + random.below(900 - place));
        }
        let sampled = clustered.silhouette_of_sample(&sample[..100]).expect("rows");
        (sampled.estimate - all).abs() < 1.96 * sampled.error.expect("an error")
    });
    let within = within.count();
    assert!((180..=198).contains(&within), "{within} of 200");
}

#[test]
fn equal_means_are_passed_over() {
    let values = [0.0, 2.0, 0.5, 1.5, 9.0, 10.0];
    let rows = Rows::new(&values, 1).expect("rows");
    let clustered = Clustered::new(&rows, &[0, 0, 1, 1, 2, 2]).expect("labels");
    let [first, second, third] = [1.5 / 8.5, 1.0 / 8.5, 1.5 / 8.5];
    let found = clustered.davies_bouldin().expect("clusters");
    assert!((found - (first + second + third) / 3.0).abs() < 1e-12);
    let values = [0.0, 1e-10, 1.0, 1.0];
    let rows = Rows::new(&values, 1).expect("rows");
    let clustered = Clustered::new(&rows, &[0, 0, 1, 1]).expect("labels");
    assert_eq!(clustered.davies_bouldin(), Some(0.0));
}

#[test]
fn hostile_input_is_refused() {
    let values = [0.0, 1.0, 2.0];
    let rows = Rows::new(&values, 1).expect("rows");
    assert!(Clustered::new(&rows, &[0, 1]).is_err());
    let clustered = Clustered::new(&rows, &[usize::MAX, 0, 0]).expect("labels");
    assert!(clustered.silhouette_of_sample(&[3]).is_none());
    assert!(clustered.silhouette_of_sample(&[]).is_none());
    assert_eq!(clustered.silhouette_of_sample(&[1]).and_then(|s| s.error), None);
    for labels in [[0, 0, 0], [0, 1, 2]] {
        let clustered = Clustered::new(&rows, &labels).expect("labels");
        assert!(clustered.silhouettes().is_none() && clustered.davies_bouldin().is_none());
    }
    assert!(Gap::of(f64::NEG_INFINITY, &[1.0]).is_none() && Gap::of(1.0, &[]).is_none());
    assert!(Sampled::of(&[], 5).is_none());
    let large = [1e140, -1e140, 1e139, 0.0];
    let rows = Rows::new(&large, 1).expect("rows");
    let clustered = Clustered::new(&rows, &[0, 1, 0, 1]).expect("labels");
    assert!(clustered.inertia().is_finite());
    assert!(clustered.calinski_harabasz().is_some_and(f64::is_finite));
    assert!(clustered.silhouettes().is_some_and(|s| s.iter().all(|s| s.is_finite())));
}
