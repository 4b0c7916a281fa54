//! Shapley values against their definition and against reference values.

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use neuralize::Error;
use neuralize::baseline::{
    Attribute, Attribution, Background, Method, Query, Reference, Subject, Tracked,
};
use neuralize::cluster::{Clusterer, Distance, GaussianMixture, KernelKMeans, SeparableKMeans};
use neuralize::explain::{Beta, Target};

use super::figures::{Figures, kernel, kmeans, some, wine};
use crate::suite::{Rows, Setup, assert_rows_close, largest, random_rows, rows};

const REFERENCES: [Reference; 3] = [Reference::Competitor, Reference::Mean, Reference::Zero];

fn close<B: Backend>(setup: &Setup<B>) -> f64 {
    if setup.tolerance < 1e-9 { 1e-9 } else { 1e-4 }
}

fn of<B: Backend>(method: Method, query: &Query<'_, B>) -> Attribution<B> {
    method.attribute(query).expect("a method for such data")
}

/// The largest number of a table, to which errors are relative.
fn assert_near(found: &Rows, expected: &Rows, tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let size = largest(expected.concat().iter().map(|value| value.abs()));
    for (row, (found, expected)) in found.iter().zip(expected).enumerate() {
        assert_eq!(found.len(), expected.len(), "{what}");
        for (at, (a, b)) in found.iter().zip(expected).enumerate() {
            assert!((a - b).abs() <= tolerance * size, "{what}: {row}, {at}: {a} against {b}");
        }
    }
}

/// Clusterers of other kinds, four clusters in three dimensions.
fn others<B: Backend>(setup: &Setup<B>) -> Vec<Clusterer<B>> {
    let centroids = random_rows(4, 3, 0.0, 51);
    let by = |distance| {
        SeparableKMeans::from_centroids(setup.tensor(&centroids), distance).expect("centroids")
    };
    let variances: Rows = random_rows(4, 3, 0.0, 52)
        .iter()
        .map(|row| row.iter().map(|value| 0.5 + value.abs()).collect())
        .collect();
    let mixture = GaussianMixture::from_parts(
        setup.tensor(&centroids),
        setup.tensor(&variances),
        setup.column(&[0.1, 0.2, 0.3, 0.4]),
    );
    let supports = setup.tensor(&random_rows(9, 3, 0.0, 53));
    let kernel = KernelKMeans::from_supports(supports, &[0, 0, 0, 1, 1, 2, 2, 3, 3], 1.5);
    vec![
        setup.kmeans(&centroids).into(),
        by(Distance::Manhattan).into(),
        kernel.expect("supports").into(),
        mixture.expect("a mixture").into(),
    ]
}

/// Reference values of the package shap: exact values of both functions on wine.
pub fn exact_values_are_those_of_shap<B: Backend>(setup: &Setup<B>) {
    let figures = Figures::of("shapley.json");
    let x = setup.tensor(&some(&wine(), &figures.numbers("rows")));
    let data = setup.tensor(&wine());
    let centroids = Figures::of("functions.json").table("centroids");
    let subjects: [(&str, Box<dyn Subject<B>>); 2] =
        [("kmeans", Box::new(kmeans(setup))), ("kernel", Box::new(kernel(setup)))];
    for (name, subject) in subjects {
        let background = Background::new(&*subject, &data, 0).expect("data");
        let query = background.query(&x, Target::Assigned).expect("valid");
        let found = rows(of(Method::Shapley { to: Reference::Mean }, &query).relevance);
        let expected = figures.table(&format!("{name} mean"));
        assert_near(&found, &expected, close(setup), &format!("{name} mean"));

        // The reference of both functions is a centroid of k-means: the mean of data that
        // are that centroid alone.
        let expected = figures.table(&format!("{name} competing"));
        let competitors = query.pinned.competitor().into_data();
        // In single precision a few rows of the slower function will do.
        let some_rows = if name == "kernel" && setup.tolerance > 1e-9 { 3 } else { 12 };
        let found: Rows = (0..some_rows)
            .zip(competitors.iter::<i64>())
            .flat_map(|(row, competitor)| {
                let centroid = setup.tensor(&some(&centroids, &[competitor as usize]));
                let background = Background::new(&*subject, &centroid, 0).expect("data");
                let x = x.clone().narrow(0, row, 1);
                let query = background.query(&x, Target::Assigned).expect("valid");
                rows(of(Method::Shapley { to: Reference::Mean }, &query).relevance)
            })
            .collect();
        let words = format!("{name} competing");
        assert_near(&found, &expected[..some_rows].to_vec(), close(setup), &words);
        if name == "kmeans" {
            let to = Reference::Competitor;
            let found = rows(of(Method::Shapley { to }, &query).relevance);
            assert_near(&found, &expected, close(setup), "competitor");
        }
    }
}

/// `pair mean`: the contrast with either competitor, by three ways.
pub fn a_pair_is_that_of_shap<B: Backend>(setup: &Setup<B>) {
    let figures = Figures::of("shapley.json");
    let chosen = figures.numbers("rows");
    let competitors = figures.table("pair competitor");
    let expected = figures.table("pair mean");
    let subject = kmeans(setup);
    let background = Background::new(&subject, &setup.tensor(&wine()), 0).expect("data");
    let to = Reference::Mean;
    for (row, at) in chosen.iter().enumerate() {
        let x = setup.tensor(&some(&wine(), &[*at]));
        for (competitor, expected) in competitors[row].iter().zip(expected[row].chunks(13)) {
            let target = Target::AssignedVersus(*competitor as usize);
            let query = background.query(&x, target).expect("valid");
            let cluster = query.pinned.cluster().into_data().iter::<i64>().next().expect("a row");
            let contrast =
                Target::Contrast { cluster: cluster as usize, versus: *competitor as usize };
            let same = background.query(&x, contrast).expect("valid");
            let expected = vec![expected.to_vec()];
            for query in [query, same] {
                let found = rows(of(Method::ShapleyPair { to }, &query).relevance);
                assert_near(&found, &expected, close(setup), "pair");
            }
        }
    }
}

/// The closed form agrees with the other two for a contrast; with the point
/// halfway as reference it is NEON for β → ∞.
pub fn a_pair_in_three_ways<B: Backend>(setup: &Setup<B>) {
    let subject = Tracked::<Autodiff<B>>::new(setup.kmeans(&random_rows(4, 5, 0.3, 61)));
    let subject = subject.expect("K > 1");
    let table = random_rows(30, 5, 0.3, 62);
    let x = setup.tensor(&table);
    let background = Background::new(&subject, &x, 0).expect("data");
    for target in [Target::AssignedVersus(2), Target::Contrast { cluster: 1, versus: 0 }] {
        let query = background.query(&x, target).expect("valid");
        for to in REFERENCES {
            let pair = rows(of(Method::ShapleyPair { to }, &query).relevance);
            let exact = rows(of(Method::Shapley { to }, &query).relevance);
            let sampled = of(Method::ShapleySampling { to, permutations: 2 }, &query);
            assert_near(&exact, &pair, close(setup), "exact");
            // An additive game: every order gives the same gains.
            assert_near(&rows(sampled.relevance), &pair, close(setup), "sampled");
            let size = largest(pair.concat().iter().map(|value| value.abs()));
            let error = largest(rows(sampled.error.expect("an error")).concat());
            assert!(error <= close(setup) * size, "{error}");
        }
    }
    // Nothing separates a cluster from itself.
    let own = background.query(&x, Target::AssignedVersus(2)).expect("valid");
    let clusters: Vec<i64> = own.pinned.cluster().into_data().iter().collect();
    let pair = rows(of(Method::ShapleyPair { to: Reference::Mean }, &own).relevance);
    for (row, _) in clusters.iter().enumerate().filter(|(_, cluster)| **cluster == 2) {
        assert!(pair[row].iter().all(|value| *value == 0.0));
    }
    assert!(clusters.contains(&2));

    // φ(x; r) is linear in r: φ(x; m) = φ(x; 0) − φ(m; 0).
    let query = background.query(&x, Target::Assigned).expect("valid");
    let zero = Method::ShapleyPair { to: Reference::Zero };
    let centroids = rows(subject.network().centroids());
    let [own, other] = [query.pinned.cluster(), query.pinned.competitor()]
        .map(|index| index.into_data().iter::<i64>().map(|k| k as usize).collect::<Vec<_>>());
    let middle: Rows = own
        .iter()
        .zip(&other)
        .map(|(c, k)| {
            centroids[*c].iter().zip(&centroids[*k]).map(|(a, b)| (a + b) / 2.0).collect()
        })
        .collect();
    let at_x = rows(of(zero, &query).relevance);
    let at_middle = rows(of(zero, &query.at(setup.tensor(&middle))).relevance);
    let found: Rows = at_x
        .iter()
        .zip(&at_middle)
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).collect())
        .collect();
    let neon = Method::Neon(Beta::Value(f64::INFINITY));
    assert_near(&found, &rows(of(neon, &query).relevance), close(setup), "NEON");
}

/// The mean over all 3! orders, feature by feature, from the definition; for
/// clusterers of every kind, and for rows outside the cluster.
pub fn exact_values_are_means_over_orders<B: Backend>(setup: &Setup<B>) {
    const ORDERS: [[usize; 3]; 6] =
        [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    let table = setup.rounded(&random_rows(12, 3, 0.0, 54));
    let x = setup.tensor(&table);
    for clusterer in others(setup) {
        let subject = Tracked::<Autodiff<B>>::new(clusterer).expect("K > 1");
        let background = Background::new(&subject, &x, 3).expect("data");
        for target in [Target::Assigned, Target::Cluster(1), Target::AssignedVersus(0)] {
            let query = background.query(&x, target).expect("valid");
            for to in REFERENCES.into_iter().chain([Reference::Sample]) {
                let reference = rows(query.reference(to));
                let mut expected = vec![vec![0.0; 3]; 12];
                for order in ORDERS {
                    let mut at = reference.clone();
                    let mut before = rows(subject.logit(&setup.tensor(&at), &query.pinned));
                    for feature in order {
                        (0..12).for_each(|row| at[row][feature] = table[row][feature]);
                        let after = rows(subject.logit(&setup.tensor(&at), &query.pinned));
                        for row in 0..12 {
                            expected[row][feature] += (after[row][0] - before[row][0]) / 6.0;
                        }
                        before = after;
                    }
                }
                let found = rows(of(Method::Shapley { to }, &query).relevance);
                assert_near(&found, &expected, close(setup), &format!("{target:?}, {to}"));
            }
        }
    }
}

/// Both sum to f(x) − f(r), and the sampled ones are within a few of their own
/// standard errors of the exact ones, which shrink as they should.
pub fn sampled_values_are_near<B: Backend>(setup: &Setup<B>) {
    let subject = kernel(setup);
    let background = Background::new(&subject, &setup.tensor(&wine()), 5).expect("data");
    let chosen: Vec<usize> = (0..4).map(|row| row * 44 + 3).collect();
    let query =
        background.query(&setup.tensor(&some(&wine(), &chosen)), Target::Assigned).expect("valid");
    let to = Reference::Mean;
    let exact = rows(of(Method::Shapley { to }, &query).relevance);
    let (f, none) = (rows(query.logit()), rows(query.at(query.reference(to)).logit()));
    let sums_are_right = |table: &Rows| {
        for (row, found) in table.iter().enumerate() {
            let expected = f[row][0] - none[row][0];
            let size: f64 = found.iter().map(|value| value.abs()).sum();
            let sum: f64 = found.iter().sum();
            assert!((sum - expected).abs() <= close(setup) * size, "{sum} against {expected}");
        }
    };
    sums_are_right(&exact);
    let floor = close(setup) * largest(exact.concat().iter().map(|value| value.abs()));
    let mut errors_by_count = Vec::new();
    for permutations in [24, 96, 384] {
        let method = Method::ShapleySampling { to, permutations };
        let sampled = of(method, &query);
        let found = rows(sampled.relevance);
        sums_are_right(&found);
        let errors = rows(sampled.error.expect("an error")).concat();
        let (mut within, mut square, mut counted) = (0, 0.0, 0.0);
        for ((found, exact), error) in found.concat().iter().zip(exact.concat()).zip(&errors) {
            assert!(error.is_finite() && *error >= 0.0);
            within += usize::from((found - exact).abs() <= 4.0 * error + floor);
            if *error > floor {
                square += ((found - exact) / error).powi(2);
                counted += 1.0;
            }
        }
        // With kinks that few orders meet, few pairs underestimate their error.
        if permutations >= 96 {
            assert!(within >= 50, "{within} of 52 with {permutations}");
            let spread = f64::sqrt(square / counted);
            assert!(counted > 15.0 && (0.5..1.6).contains(&spread), "{spread} of {counted}");
        }
        errors_by_count.push(errors.iter().sum::<f64>() / 52.0);
        assert_eq!(found, rows(of(method, &query).relevance), "the same seed, other values");
    }
    // Four times the permutations, half of the error.
    for (few, many) in errors_by_count.iter().zip(&errors_by_count[1..]) {
        assert!((1.6..2.5).contains(&(few / many)), "{errors_by_count:?}");
    }
    assert!(errors_by_count[0] > 1e-5, "nothing to estimate: {errors_by_count:?}");
}

/// Two clusters: the logit of k-means is linear, so the closed form holds for
/// the whole logit. It takes more features than exact values do.
pub fn two_clusters_are_additive<B: Backend>(setup: &Setup<B>) {
    let subject = Tracked::<Autodiff<B>>::new(setup.kmeans(&random_rows(2, 20, 0.0, 71)));
    let subject = subject.expect("K > 1");
    let x = setup.tensor(&random_rows(7, 20, 0.0, 72));
    let background = Background::new(&subject, &x, 0).expect("data");
    let query = background.query(&x, Target::Assigned).expect("valid");
    let to = Reference::Mean;
    let pair = rows(of(Method::ShapleyPair { to }, &query).relevance);
    let sampled = of(Method::ShapleySampling { to, permutations: 3 }, &query);
    assert_rows_close(&rows(sampled.relevance), &pair, close(setup), "sampled");
    let size = largest(pair.concat().iter().map(|value| value.abs()));
    let error = largest(rows(sampled.error.expect("an error")).concat());
    assert!(error <= close(setup) * size, "{error}");

    let refused = Method::Shapley { to }.attribute(&query).expect_err("2^20 coalitions");
    assert!(
        matches!(&refused, Error::Config { name: "method", rule, .. } if rule.contains("shapley-sampling")),
        "{refused}"
    );
}

/// No rows, one row, one feature, rows that are blocks of their own, and refused
/// settings.
pub fn edges_of_shapley_values<B: Backend>(setup: &Setup<B>) {
    let to = Reference::Sample;
    let methods = [
        Method::Shapley { to },
        Method::ShapleySampling { to, permutations: 4 },
        Method::ShapleyPair { to },
    ];
    let subject = Tracked::<Autodiff<B>>::new(setup.kmeans(&vec![vec![0.0], vec![4.0], vec![9.0]]));
    let subject = subject.expect("K > 1");
    // On a boundary, on a centroid, twice the same.
    let table = vec![vec![2.0], vec![4.0], vec![4.0], vec![8.0]];
    let x = setup.tensor(&table);
    let background = Background::new(&subject, &x, 0).expect("data");
    let query = background.query(&x, Target::Assigned).expect("valid");
    let (f, none) = (rows(query.logit()), rows(query.at(query.reference(to)).logit()));
    let expected: Rows = f.iter().zip(&none).map(|(f, r)| vec![f[0] - r[0]]).collect();
    for method in &methods[..2] {
        assert_near(&rows(of(*method, &query).relevance), &expected, close(setup), "one feature");
    }
    assert!(rows(of(methods[2], &query).relevance).concat().iter().all(|value| value.is_finite()));

    let nobody = x.clone().slice([0..0, 0..1]);
    let nothing = background.query(&nobody, Target::Assigned).expect("no rows");
    for method in methods {
        let found = of(method, &nothing);
        assert_eq!(found.relevance.dims(), [0, 1]);
        assert!(found.error.is_none_or(|error| error.dims() == [0, 1]));
    }

    for permutations in [0, 1] {
        let refused = Method::ShapleySampling { to, permutations }.attribute(&query);
        assert!(matches!(refused, Err(Error::Config { name: "permutations", .. })));
    }
    let manhattan = SeparableKMeans::from_centroids(x.clone(), Distance::Manhattan);
    let manhattan = Tracked::<Autodiff<B>>::new(manhattan.expect("centroids")).expect("K > 1");
    let background = Background::new(&manhattan, &x, 0).expect("data");
    let query = background.query(&x, Target::Assigned).expect("valid");
    let refused = methods[2].attribute(&query);
    assert!(matches!(refused, Err(Error::Config { name: "method", .. })));

    // A feature with its reference value gets nothing.
    let constant: Rows = random_rows(9, 4, 0.0, 81)
        .into_iter()
        .map(|row| vec![row[0], 0.1, row[2], row[3]])
        .collect();
    let subject = Tracked::<Autodiff<B>>::new(setup.kmeans(&random_rows(3, 4, 0.0, 82)));
    let subject = subject.expect("K > 1");
    let x = setup.tensor(&constant);
    let background = Background::new(&subject, &x, 0).expect("data");
    let query = background.query(&x, Target::Assigned).expect("valid");
    let to = Reference::Mean;
    for method in [
        Method::Shapley { to },
        Method::ShapleySampling { to, permutations: 4 },
        Method::ShapleyPair { to },
    ] {
        let found = rows(of(method, &query).relevance);
        let size = largest(found.concat().iter().map(|value| value.abs()));
        assert!(found.iter().all(|row| row[1].abs() <= close(setup) * size), "{method}");
    }
}

/// A row's values do not depend on the rows beside it; 700 rows of eight
/// features are several blocks.
pub fn blocks_of_rows_make_no_difference<B: Backend>(setup: &Setup<B>) {
    let subject = Tracked::<Autodiff<B>>::new(setup.kmeans(&random_rows(3, 8, 0.0, 91)));
    let subject = subject.expect("K > 1");
    let x = setup.tensor(&random_rows(700, 8, 0.0, 92));
    let background = Background::new(&subject, &x, 0).expect("data");
    let query = background.query(&x, Target::Assigned).expect("valid");
    let to = Reference::Mean;
    for method in [Method::Shapley { to }, Method::ShapleySampling { to, permutations: 2 }] {
        let all = rows(of(method, &query).relevance);
        for range in [0..3, 510..514, 697..700] {
            let some = rows(of(method, &query.rows(range.clone())).relevance);
            assert_near(&some, &all[range].to_vec(), close(setup), "block");
        }
    }
}
