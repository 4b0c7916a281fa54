//! Methods of explanation against reference values of other packages, loops and
//! properties.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use neuralize::baseline::{Attribute, Attribution, Background, Method, Query, Reference};
use neuralize::baseline::{Subject, Tracked};
use neuralize::explain::{Beta, Target};

use super::figures::{Figures, kernel, kmeans, some, wine};
use crate::suite::{Rows, Setup, largest, random_rows, rows};

/// Fails unless the difference is small relative to the largest number.
fn assert_same<B: Backend>(setup: &Setup<B>, found: &Rows, expected: &Rows, what: &str) {
    let near = if setup.tolerance < 1e-9 { 1e-9 } else { 1e-4 };
    assert_within(found, expected, near, what);
}

fn assert_within(found: &Rows, expected: &Rows, near: f64, what: &str) {
    assert_eq!((found.len(), found[0].len()), (expected.len(), expected[0].len()), "{what}: shape");
    let size = largest(expected.iter().flatten().map(|number| number.abs()));
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        for (column, (a, b)) in found.iter().zip(expected).enumerate() {
            assert!((a - b).abs() <= near * size, "{what}: row {row}, column {column}: {a}, {b}");
        }
    }
}

fn relevance<B: Backend>(method: Method, query: &Query<'_, B>) -> Rows {
    let Attribution { relevance, .. } = method.attribute(query).expect("a method for the model");
    assert_eq!(relevance.dtype(), query.x.dtype(), "{method}");
    rows(relevance)
}

/// Both functions of the reference values, and the rows that were explained.
fn functions<B: Backend>(setup: &Setup<B>) -> [(&'static str, Tracked<Autodiff<B>>, Rows); 2] {
    let figures = Figures::of("functions.json");
    let rows = |name: &str| some(&wine(), &figures.numbers(&format!("{name} rows")));
    [("kmeans", kmeans(setup), rows("kmeans")), ("kernel", kernel(setup), rows("kernel"))]
}

fn clusters<B: Backend>(setup: &Setup<B>, centroids: &Rows) -> Tracked<Autodiff<B>> {
    Tracked::new(setup.kmeans(centroids)).expect("some clusters")
}

fn square(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum()
}

/// Slopes, their squares, and their products with the values, against captum.
pub fn gradients<B: Backend>(setup: &Setup<B>) {
    let figures = Figures::of("gradients.json");
    for (name, subject, x) in functions(setup) {
        let background = Background::new(&subject, &setup.tensor(&wine()), 0).expect("data");
        let query = background.query(&setup.tensor(&x), Target::Assigned).expect("rows");
        let of = |what: &str| figures.table(&format!("{name} {what}"));
        assert_same(setup, &rows(query.slope()), &of("gradient"), name);
        assert_same(setup, &relevance(Method::Sensitivity, &query), &of("squared"), name);
        assert_same(setup, &relevance(Method::GradientTimesInput, &query), &of("input"), name);
    }
}

/// 64 midpoints and their conservation error, against captum.
pub fn integrated_gradients<B: Backend>(setup: &Setup<B>) {
    let figures = Figures::of("integrated.json");
    let references = [
        ("competing", Reference::Competitor),
        ("mean", Reference::Mean),
        ("zero", Reference::Zero),
    ];
    for (name, subject, x) in functions(setup) {
        let background = Background::new(&subject, &setup.tensor(&wine()), 0).expect("data");
        let query = background.query(&setup.tensor(&x), Target::Assigned).expect("rows");
        for (reference, from) in references {
            let what = format!("{name} {reference}");
            let found = relevance(Method::IntegratedGradients { from, steps: 64 }, &query);
            let difference = rows(query.logit() - query.at(query.reference(from)).logit());
            if what == "kernel competing" {
                // The reference values use the centroids of k-means for both functions. The
                // kernel has its own; on the path from them it is smooth.
                for (found, difference) in found.iter().zip(difference) {
                    let missing = found.iter().sum::<f64>() - difference[0];
                    assert!(missing.abs() < 1e-4, "{what}: {missing}");
                }
                continue;
            }
            assert_same(setup, &found, &figures.table(&what), &what);

            let missing = figures.column(&format!("{what} delta"));
            for ((found, difference), missing) in found.iter().zip(difference).zip(missing) {
                let sum: f64 = found.iter().sum();
                let size: f64 = found.iter().map(|number| number.abs()).sum();
                let near = 10.0 * setup.tolerance * (size + 1.0);
                assert!((sum - difference[0] - missing).abs() < near, "{what}: {sum}");
            }
        }
    }
}

/// One feature after the other is replaced, against captum.
pub fn occlusion<B: Backend>(setup: &Setup<B>) {
    let figures = Figures::of("occlusion.json");
    for (name, subject, x) in functions(setup) {
        let background = Background::new(&subject, &setup.tensor(&wine()), 0).expect("data");
        let query = background.query(&setup.tensor(&x), Target::Assigned).expect("rows");
        for (reference, to) in [("competing", Reference::Competitor), ("mean", Reference::Mean)] {
            let what = format!("{name} {reference}");
            let found = relevance(Method::Occlusion { to }, &query);
            // The reference values use the centroids of k-means for both functions.
            let expected = if what == "kernel competing" {
                one_feature_replaced(setup, &query, &x, &rows(query.reference(to)))
            } else {
                figures.table(&what)
            };
            assert_same(setup, &found, &expected, &what);
        }
    }
}

fn one_feature_replaced<B: Backend>(
    setup: &Setup<B>,
    query: &Query<'_, B>,
    x: &Rows,
    reference: &Rows,
) -> Rows {
    let logit = |table: &Rows| rows(query.at(setup.tensor(table)).logit());
    let whole = logit(x);
    let mut lost = vec![vec![0.0; x[0].len()]; x.len()];
    for feature in 0..x[0].len() {
        let mut without = x.clone();
        without.iter_mut().zip(reference).for_each(|(row, value)| row[feature] = value[feature]);
        for (row, value) in logit(&without).iter().enumerate() {
            lost[row][feature] = whole[row][0] - value[0];
        }
    }
    lost
}

/// A function that is linear everywhere has one slope.
pub fn smoothgrad_of_two_clusters<B: Backend>(setup: &Setup<B>) {
    let subject = clusters(setup, &vec![vec![0.0, 1.0, 2.0], vec![3.0, -1.0, 2.5]]);
    let x = setup.tensor(&random_rows(9, 3, 1.0, 5));
    let background = Background::new(&subject, &x, 7).expect("data");
    let query = background.query(&x, Target::Assigned).expect("rows");
    let found = relevance(Method::SmoothGrad { samples: 5, noise: 2.0 }, &query);
    assert_same(setup, &found, &rows(query.slope()), "two clusters");
}

/// With three clusters the mean slope is 2 (μ_c − p μ_1 − (1 − p) μ_2), where p
/// is the chance that the noise leaves the row nearer to the first competitor:
/// a normal distribution along the line that joins the two.
pub fn smoothgrad_of_three_clusters<B: Backend>(setup: &Setup<B>) {
    let centroids = vec![vec![0.0, 0.0], vec![4.0, 1.0], vec![-1.0, 4.0]];
    let subject = clusters(setup, &centroids);
    let x = vec![vec![0.2, 0.1], vec![0.9, 0.2], vec![-0.2, 0.6]];
    let data: Rows = random_rows(60, 2, 0.0, 3).iter().map(|r| vec![r[0], 2.0 * r[1]]).collect();
    let background = Background::new(&subject, &setup.tensor(&data), 11).expect("data");
    let query = background.query(&setup.tensor(&x), Target::Cluster(0)).expect("rows");
    let deviation: Vec<f64> = (0..2)
        .map(|i| {
            let mean = data.iter().map(|row| row[i]).sum::<f64>() / 60.0;
            (data.iter().map(|row| (row[i] - mean).powi(2)).sum::<f64>() / 60.0).sqrt()
        })
        .collect();
    let noise = 0.5;
    let expected: Rows = x
        .iter()
        .map(|row| {
            let nearer = square(row, &centroids[2]) - square(row, &centroids[1]);
            let spread: f64 = (0..2)
                .map(|i| noise * deviation[i] * 2.0 * (centroids[1][i] - centroids[2][i]))
                .map(|part| part * part)
                .sum();
            let p = below(nearer / spread.sqrt());
            let mixed = |i: usize| p * centroids[1][i] + (1.0 - p) * centroids[2][i];
            (0..2).map(|i| 2.0 * (centroids[0][i] - mixed(i))).collect()
        })
        .collect();
    let method = Method::SmoothGrad { samples: 2000, noise };
    let found = relevance(method, &query);
    assert_within(&found, &expected, 0.03, "shares of competitors");
    // The share matters: the slope at the row itself differs.
    let slope = rows(query.slope());
    assert!(largest(found[0].iter().zip(&slope[0]).map(|(a, b)| (a - b).abs())) > 0.5);
}

/// The distribution function of the normal distribution, by a sum.
fn below(end: f64) -> f64 {
    let step = 1e-3;
    let density = |at: f64| (-at * at / 2.0).exp() / std::f64::consts::TAU.sqrt();
    let steps = ((end + 9.0) / step) as usize;
    (0..steps).map(|at| density(-9.0 + (at as f64 + 0.5) * step) * step).sum()
}

/// Random numbers depend on the seed alone, not on the other rows.
pub fn noise_is_shared_and_seeded<B: Backend>(setup: &Setup<B>) {
    let (x, subject) = (setup.tensor(&wine()[..40].to_vec()), kmeans(setup));
    let answers = |method: Method, seed: u64| {
        let background = Background::new(&subject, &x, seed).expect("data");
        let query = background.query(&x, Target::Assigned).expect("rows");
        let (all, again) = (relevance(method, &query), relevance(method, &query));
        assert_eq!(all, again, "{method}");
        (all, relevance(method, &query.rows(30..33)))
    };
    for method in
        [Method::SmoothGrad { samples: 40, noise: 1.0 }, Method::LinearSurrogate { samples: 40 }]
    {
        let (all, some) = answers(method, 1);
        assert_same(setup, &some, &all[30..33].to_vec(), "rows by themselves");
        assert_ne!(all, answers(method, 2).0, "{method}");
    }
}

/// The surrogate of a linear function is the function: the coefficients are slope times
/// standard deviation, up to the penalty.
pub fn surrogate_of_a_linear_function<B: Backend>(setup: &Setup<B>) {
    let centroids = vec![vec![0.0, 1.0, 2.0, 0.5], vec![3.0, -1.0, 2.5, 0.9]];
    let subject = clusters(setup, &centroids);
    // The last feature is constant, and neither f32 nor a mean holds it exactly.
    let data: Rows = random_rows(50, 3, 1.0, 5)
        .into_iter()
        .map(|row| vec![row[0], 10.0 * row[1], 0.1 * row[2], 0.1])
        .collect();
    let background = Background::new(&subject, &setup.tensor(&data), 7).expect("data");
    let query = background.query(&setup.tensor(&data), Target::Cluster(0)).expect("rows");
    let found = relevance(Method::LinearSurrogate { samples: 3000 }, &query);
    let mean = |i: usize| data.iter().map(|row| row[i]).sum::<f64>() / 50.0;
    let expected: Rows = data
        .iter()
        .map(|row| {
            let slope = |i: usize| 2.0 * (centroids[0][i] - centroids[1][i]);
            (0..4).map(|i| if i == 3 { 0.0 } else { slope(i) * (row[i] - mean(i)) }).collect()
        })
        .collect();
    for feature in 0..4 {
        let column =
            |table: &Rows| -> Rows { table.iter().map(|row| vec![row[feature]]).collect() };
        assert_within(&column(&found), &column(&expected), 0.02, "a feature of a linear function");
    }
    assert!(found.iter().all(|row| row[3] == 0.0));
}

/// Clusters that differ in one feature are separated by it alone.
pub fn tree_of_planted_clusters<B: Backend>(setup: &Setup<B>) {
    if cfg!(not(feature = "surrogates")) {
        return;
    }
    let data: Rows = random_rows(40, 3, 0.0, 2)
        .into_iter()
        .enumerate()
        .map(|(at, row)| vec![row[0], row[1] * 0.1 + if at < 10 { 5.0 } else { -5.0 }, row[2]])
        .collect();
    let subject = clusters(setup, &vec![vec![0.0, 5.0, 0.0], vec![0.0, -5.0, 0.0]]);
    let x = setup.tensor(&data);
    let background = Background::new(&subject, &x, 0).expect("data");
    let method = Method::TreeSurrogate { depth: 8 };
    let query = background.query(&x, Target::Assigned).expect("rows");
    let found = relevance(method, &query);
    for (at, row) in found.iter().enumerate() {
        let gained = if at < 10 { 0.75 } else { 0.25 };
        assert_within(&vec![row.clone()], &vec![vec![0.0, gained, 0.0]], 1e-6, "one feature");
    }
    // The share of the cluster less that of the other one goes from −1/2 to 1 or −1.
    let query = background.query(&x, Target::Contrast { cluster: 0, versus: 1 }).expect("rows");
    for (at, row) in relevance(method, &query).iter().enumerate() {
        let gained = if at < 10 { 1.5 } else { -0.5 };
        assert_within(&vec![row.clone()], &vec![vec![0.0, gained, 0.0]], 1e-6, "a contrast");
    }
}

/// Relevances add up to the share in the leaf less that in the root, and a
/// tree is as deep as it may be.
pub fn tree_of_a_grid<B: Backend>(setup: &Setup<B>) {
    if cfg!(not(feature = "surrogates")) {
        return;
    }
    let corners: Rows = [[0.0, 0.0], [0.0, 9.0], [9.0, 0.0], [9.0, 9.0]]
        .iter()
        .map(|corner| corner.to_vec())
        .collect();
    let data: Rows = random_rows(48, 2, 0.0, 4)
        .iter()
        .enumerate()
        .map(|(at, row)| (0..2).map(|i| 0.5 * row[i] + corners[at % 4][i]).collect())
        .collect();
    let subject = clusters(setup, &corners);
    let x = setup.tensor(&data);
    let answers = |depth: usize| {
        let background = Background::new(&subject, &x, 0).expect("data");
        let query = background.query(&x, Target::Assigned).expect("rows");
        let found = relevance(Method::TreeSurrogate { depth }, &query);
        // Other depths in between make no difference.
        relevance(Method::TreeSurrogate { depth: depth + 1 }, &query);
        assert_eq!(found, relevance(Method::TreeSurrogate { depth }, &query));
        found
    };
    for row in answers(2) {
        // 1/4 to 1/2 to 1, in one order of the features or the other.
        let (low, high) = (row[0].min(row[1]), row[0].max(row[1]));
        assert!((low - 0.25).abs() < 1e-6 && (high - 0.5).abs() < 1e-6, "{row:?}");
    }
    for row in answers(1) {
        let (low, high) = (row[0].min(row[1]), row[0].max(row[1]));
        assert!(low == 0.0 && (high - 0.25).abs() < 1e-6, "{row:?}");
    }
    assert_eq!(answers(8), answers(8));

    let all_of_one: Rows = data.iter().step_by(4).cloned().collect();
    let background = Background::new(&subject, &setup.tensor(&all_of_one), 0).expect("data");
    let query = background.query(&x, Target::Assigned).expect("rows");
    let found = relevance(Method::TreeSurrogate { depth: 3 }, &query);
    assert!(found.iter().flatten().all(|number| *number == 0.0));
}

/// A deep tree separates all of the data: every row ends in a leaf whose rows are all in its
/// cluster.
pub fn tree_of_wine<B: Backend>(setup: &Setup<B>) {
    if cfg!(not(feature = "surrogates")) {
        return;
    }
    let (x, subject) = (setup.tensor(&wine()), kmeans(setup));
    let background = Background::new(&subject, &x, 0).expect("data");
    let query = background.query(&x, Target::Assigned).expect("rows");
    let members: Vec<usize> = background.members().iter().map(Vec::len).collect();
    let found = relevance(Method::TreeSurrogate { depth: 12 }, &query);
    for (cluster, rows) in background.members().iter().enumerate() {
        let gained = 1.0 - members[cluster] as f64 / 178.0;
        for row in rows {
            let sum: f64 = found[*row].iter().sum();
            assert!((sum - gained).abs() < 1e-6, "row {row}: {sum}, {gained}");
        }
    }
}

/// NEON as a method is the relevance pass of the network.
pub fn neon_is_the_networks_pass<B: Backend>(setup: &Setup<B>) {
    for (name, subject, x) in functions(setup) {
        let background = Background::new(&subject, &setup.tensor(&wine()), 0).expect("data");
        let x = setup.tensor(&x);
        let query = background.query(&x, Target::Assigned).expect("rows");
        for beta in [Beta::Value(0.5), Beta::Heuristic] {
            let expected = subject.network().explain(&x, Target::Assigned, beta).expect("rows");
            let found = Method::Neon(beta).attribute(&query).expect("a method");
            let sum = rows(found.relevance.clone().sum_dim(1));
            assert_eq!(rows(found.relevance), rows(expected.relevance));
            // With the absorbed part, the logit.
            let absorbed = found.absorbed.map_or(vec![vec![0.0]; sum.len()], rows);
            let total: Rows =
                sum.iter().zip(absorbed).map(|(sum, rest)| vec![sum[0] + rest[0]]).collect();
            assert_same(setup, &total, &rows(query.logit()), name);
        }
    }
}

/// For k-means, slope times the difference from the boundary is NEON for β → ∞.
pub fn gradient_from_the_boundary<B: Backend>(setup: &Setup<B>) {
    let (x, subject) = (setup.tensor(&wine()), kmeans(setup));
    let background = Background::new(&subject, &x, 0).expect("data");
    for target in [Target::Assigned, Target::Contrast { cluster: 2, versus: 1 }] {
        let query = background.query(&x, target).expect("rows");
        let neon = relevance(Method::Neon(Beta::Value(f64::INFINITY)), &query);
        let found = relevance(Method::GradientFromBoundary, &query);
        assert_same(setup, &found, &neon, "k-means");
    }
}

/// The boundary point lies between the centroids, and the contrast there is 0.
pub fn boundary_of_a_kernel<B: Backend>(setup: &Setup<B>) {
    let subject = kernel(setup);
    let x = wine();
    let background = Background::new(&subject, &setup.tensor(&x), 0).expect("data");
    let query = background.query(&setup.tensor(&x), Target::Assigned).expect("rows");
    let (found, slope) = (relevance(Method::GradientFromBoundary, &query), rows(query.slope()));
    let boundary: Rows = (0..x.len())
        .map(|row| (0..13).map(|i| x[row][i] - found[row][i] / slope[row][i]).collect())
        .collect();
    let pair = query.pinned.as_pair();
    let contrast = rows(subject.logit(&setup.tensor(&boundary), &pair));
    let centroids = subject.network().centroids();
    let at = |index| rows(centroids.clone().select(0, index));
    let own = at(query.pinned.cluster().squeeze_dim(1));
    let other = at(query.pinned.competitor().squeeze_dim(1));
    let ends = |table: &Rows| rows(subject.logit(&setup.tensor(table), &pair));
    let (inside, outside) = (ends(&own), ends(&other));
    let near = if setup.tolerance < 1e-9 { 1e-9 } else { 1e-3 };
    let mut checked = 0;
    for row in 0..x.len() {
        // A slope of nearly 0 hides the point.
        let flat = slope[row].iter().any(|slope| slope.abs() < 1e-2);
        if inside[row][0] > 0.0 && outside[row][0] < 0.0 && !flat {
            assert!(contrast[row][0].abs() < near, "row {row}: {}", contrast[row][0]);
            let way = square(&own[row], &boundary[row]).sqrt()
                + square(&boundary[row], &other[row]).sqrt();
            assert!((way - square(&own[row], &other[row]).sqrt()).abs() < near, "row {row}");
            checked += 1;
        }
    }
    assert!(checked > 20, "{checked}");
}

/// `−(x_i − μ_ci)²`, by loops.
pub fn distances_to_the_own_centroid<B: Backend>(setup: &Setup<B>) {
    let centroids = setup.rounded(&Figures::of("functions.json").table("centroids"));
    let (x, subject) = (setup.rounded(&wine()), kmeans(setup));
    let background = Background::new(&subject, &setup.tensor(&x), 0).expect("data");
    let query = background.query(&setup.tensor(&x), Target::Assigned).expect("rows");
    let expected: Rows = x
        .iter()
        .map(|row| {
            let nearer = |a: &usize, b: &usize| {
                square(row, &centroids[*a]).total_cmp(&square(row, &centroids[*b]))
            };
            let own = (0..3).min_by(nearer).expect("three clusters");
            row.iter().zip(&centroids[own]).map(|(x, centre)| -(x - centre).powi(2)).collect()
        })
        .collect();
    assert_same(setup, &relevance(Method::OwnDistance, &query), &expected, "own centroid");
}

/// In [−1, 1), of both signs, and different for every seed.
pub fn random_relevances<B: Backend>(setup: &Setup<B>) {
    let (x, subject) = (setup.tensor(&wine()), kmeans(setup));
    let answers = |seed: u64| {
        let background = Background::new(&subject, &x, seed).expect("data");
        relevance(Method::Random, &background.query(&x, Target::Assigned).expect("rows"))
    };
    let numbers = answers(3).concat();
    assert!(numbers.iter().all(|number| (-1.0..=1.0).contains(number)));
    let mean = numbers.iter().sum::<f64>() / numbers.len() as f64;
    let spread = numbers.iter().map(|number| number * number).sum::<f64>() / numbers.len() as f64;
    assert!(mean.abs() < 0.05 && (spread - 1.0 / 3.0).abs() < 0.03, "{mean}, {spread}");
    assert_eq!(answers(3), answers(3));
    assert_ne!(answers(3), answers(4));
}

fn methods() -> Vec<Method> {
    let names = [
        "neon",
        "neon-hard",
        "toward",
        "sensitivity",
        "gradient-times-input",
        "gradient-from-boundary",
        "integrated-gradients:competitor",
        "integrated-gradients:mean",
        "smoothgrad",
        "occlusion:competitor",
        "occlusion:mean",
        "own-distance",
        "random",
    ];
    let surrogates: &[&str] =
        if cfg!(feature = "surrogates") { &["linear-surrogate", "tree-surrogate"] } else { &[] };
    names
        .into_iter()
        .chain(surrogates.iter().copied())
        .map(|name| name.parse().expect("a method"))
        .collect()
}

/// No rows, one row, one feature, constant features, rows that are equal or on
/// a boundary: finite numbers of the right shape.
pub fn baselines_at_the_edges<B: Backend>(setup: &Setup<B>) {
    let wide = vec![vec![0.0, 3.0, 0.1], vec![2.0, 3.0, 0.1]];
    let middle = vec![1.0, 3.0, 0.1];
    let tables: [(Rows, Rows); 4] = [
        (wide.clone(), vec![middle.clone()]),
        (wide.clone(), vec![middle.clone(), middle, vec![0.0, 3.0, 0.1], vec![0.0, 3.0, 0.1]]),
        (vec![vec![0.0], vec![2.0]], vec![vec![0.5], vec![1.0], vec![7.0]]),
        (vec![vec![0.0], vec![2.0], vec![5.0]], vec![vec![1.0]]),
    ];
    for (centroids, x) in tables {
        let subject = clusters(setup, &centroids);
        let background = Background::new(&subject, &setup.tensor(&x), 0).expect("data");
        let query = background.query(&setup.tensor(&x), Target::Assigned).expect("rows");
        for method in methods() {
            let found = relevance(method, &query);
            assert_eq!((found.len(), found[0].len()), (x.len(), x[0].len()), "{method}");
            assert!(found.iter().flatten().all(|number| number.is_finite()), "{method}: {found:?}");
            let none = method.attribute(&query.rows(0..0)).expect("no rows are rows");
            assert_eq!(none.relevance.dims(), [0, x[0].len()], "{method}");
        }
    }
}

/// Meaningless settings are refused by name.
pub fn baselines_that_are_refused<B: Backend>(setup: &Setup<B>) {
    let (x, subject) = (setup.tensor(&wine()[..3].to_vec()), kmeans(setup));
    let background = Background::new(&subject, &x, 0).expect("data");
    let query = background.query(&x, Target::Assigned).expect("rows");
    let mut refused = vec![
        (Method::IntegratedGradients { from: Reference::Mean, steps: 0 }, "steps = 0"),
        (Method::SmoothGrad { samples: 0, noise: 0.1 }, "samples = 0"),
        (Method::SmoothGrad { samples: 3, noise: -0.1 }, "noise = -0.1"),
        (Method::SmoothGrad { samples: 3, noise: f64::NAN }, "noise = NaN"),
    ];
    if cfg!(feature = "surrogates") {
        refused.push((Method::LinearSurrogate { samples: 0 }, "samples = 0"));
        refused.push((Method::TreeSurrogate { depth: 0 }, "depth = 0"));
    } else {
        refused.push((Method::LinearSurrogate { samples: 9 }, "feature `surrogates`"));
        refused.push((Method::TreeSurrogate { depth: 3 }, "feature `surrogates`"));
    }
    for (method, reason) in refused {
        let error = method.attribute(&query).expect_err("refused").to_string();
        assert!(error.contains(reason), "{error}");
    }
}
