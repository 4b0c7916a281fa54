//! NEON against its definition as a loop, for every target and stiffness.

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use neuralize::cluster::{KMeans, KMeansConfig};
use neuralize::explain::{Beta, Root, Target};
use neuralize::network::Network;

use super::naive::{self, Question};
use super::{
    Rows, Setup, assert_close, assert_rows_close, indices, largest, random_rows, rows, values,
};

const BETAS: [f64; 5] = [0.0, 0.1, 1.0, 25.0, f64::INFINITY];

fn data<B: Backend>(setup: &Setup<B>, seed: u64) -> (Rows, Rows) {
    let x = setup.rounded(&random_rows(60, 5, 0.3, seed));
    let centroids = setup.rounded(&random_rows(6, 5, 0.3, seed + 1000));
    (x, centroids)
}

/// The naive twin of one row, for every kind of target.
fn expected(x: &[f64], centroids: &Rows, target: Target, beta: f64) -> Vec<f64> {
    let assigned = naive::nearest(x, centroids);
    // The naive softmin has no limit; a large number stands for infinity.
    let beta = beta.min(1e12);
    let question = match target {
        Target::Assigned => Question::Soft(assigned),
        Target::Cluster(c) if c == assigned => Question::Soft(c),
        Target::Cluster(c) => Question::Against(c, assigned),
        Target::Contrast { cluster, versus } => Question::Against(cluster, versus),
        Target::AssignedVersus(k) if k == assigned => return vec![0.0; x.len()],
        Target::AssignedVersus(k) => Question::Against(assigned, k),
        _ => unreachable!("a target without a twin"),
    };
    naive::neon(x, centroids, &question, beta)
}

/// The pass from every root against its definition; from midway it is NEON.
pub fn roots_of_kmeans<B: Backend>(setup: &Setup<B>) {
    let (x, centroids) = data(setup, 3);
    let network = setup.kmeans(&centroids).neuralize().expect("K > 1");
    let table = setup.tensor(&x);
    let targets = [
        Target::Assigned,
        Target::Cluster(5),
        Target::Contrast { cluster: 2, versus: 4 },
        Target::AssignedVersus(1),
    ];
    for target in targets {
        for (root, lambda) in [(Root::Midway, 0.0), (Root::Between(0.4), 0.4), (Root::Toward, 1.0)]
        {
            for beta in [0.0, 1.0, f64::INFINITY] {
                let found = network.explain_from(&table, target, Beta::Value(beta), root);
                let found = found.expect("valid data");
                let what = format!("{target:?}, {root:?}, beta {beta}");
                let expected: Rows = x
                    .iter()
                    .map(|x| {
                        let own = naive::nearest(x, &centroids);
                        let question = match target {
                            Target::Assigned => Question::Soft(own),
                            Target::Cluster(c) if c == own => Question::Soft(c),
                            Target::Cluster(c) => Question::Against(c, own),
                            Target::AssignedVersus(k) if k == own => return vec![0.0; 5],
                            Target::AssignedVersus(k) => Question::Against(own, k),
                            _ => Question::Against(2, 4),
                        };
                        naive::from_root(x, &centroids, &question, beta.min(1e12), lambda)
                    })
                    .collect();
                assert_rows_close(
                    &rows(found.relevance.clone()),
                    &expected,
                    50.0 * setup.tolerance,
                    &what,
                );
                let error = values(found.conservation_error()).into_iter().fold(0.0, f64::max);
                assert!(error <= 50.0 * setup.tolerance, "{what}: {error}");
                if root == Root::Midway {
                    let plain = network.explain(&table, target, Beta::Value(beta)).expect("valid");
                    let (found, plain) = (rows(found.relevance), rows(plain.relevance));
                    assert_rows_close(&found, &plain, 50.0 * setup.tolerance, &what);
                }
            }
        }
    }
    // Two equal centroids, a row on a centroid, no rows.
    let twice = setup.tensor(&vec![vec![1.0, 0.0], vec![1.0, 0.0], vec![0.0, 2.0]]);
    let network = KMeans::from_centroids(twice.clone()).unwrap().neuralize().unwrap();
    let explain = |x, root| network.explain_from(x, Target::Assigned, Beta::Value(1.0), root);
    for root in [Root::Midway, Root::Toward] {
        let found = explain(&twice, root).unwrap();
        assert!(values(found.relevance).iter().all(|r| r.is_finite()));
    }
    let none = setup.tensor(&vec![vec![0.0; 2]]).slice([0..0, 0..2]);
    assert_eq!(explain(&none, Root::Toward).unwrap().len(), 0);
    let error = explain(&twice, Root::Between(2.0)).unwrap_err().to_string();
    assert!(error.contains("lambda"), "{error}");
}

pub fn equals_the_definition<B: Backend>(setup: &Setup<B>) {
    let targets = [
        Target::Assigned,
        Target::Cluster(0),
        Target::Cluster(5),
        Target::Contrast { cluster: 2, versus: 4 },
        Target::AssignedVersus(1),
    ];
    let (x, centroids) = data(setup, 1);
    let network = setup.kmeans(&centroids).neuralize().expect("K > 1");
    for target in targets {
        for beta in BETAS {
            let found =
                network.explain(&setup.tensor(&x), target, Beta::Value(beta)).expect("valid data");
            let expected: Rows = x.iter().map(|x| expected(x, &centroids, target, beta)).collect();
            let what = format!("{target:?}, beta {beta}");
            // An exponent β h carries β times the rounding of h.
            let tolerance = setup.tolerance * (1.0 + if beta.is_finite() { beta } else { 0.0 });
            assert_rows_close(&rows(found.relevance.clone()), &expected, tolerance, &what);
            let sums: Vec<f64> = expected.iter().map(|row| row.iter().sum()).collect();
            assert_close(&values(found.logit), &sums, 20.0 * setup.tolerance, &what);
            let clusters: Vec<usize> = x
                .iter()
                .map(|x| match target {
                    Target::Cluster(c) | Target::Contrast { cluster: c, .. } => c,
                    _ => naive::nearest(x, &centroids),
                })
                .collect();
            assert_eq!(indices(found.cluster), clusters, "{what}");
        }
    }
}

pub fn conserves<B: Backend>(setup: &Setup<B>) {
    let tolerance = if setup.dtype == DType::F64 { 1e-13 } else { 1e-5 };
    let (x, centroids) = data(setup, 2);
    let network = setup.kmeans(&centroids).neuralize().expect("K > 1");
    for target in [
        Target::Assigned,
        Target::Cluster(3),
        Target::Contrast { cluster: 0, versus: 1 },
        Target::AssignedVersus(2),
    ] {
        for beta in BETAS {
            let found =
                network.explain(&setup.tensor(&x), target, Beta::Value(beta)).expect("valid data");
            // From the output alone, and by the library's own account.
            let (relevance, logit) = (rows(found.relevance.clone()), values(found.logit.clone()));
            for (row, logit) in relevance.iter().zip(&logit) {
                let size: f64 = row.iter().map(|r| r.abs()).sum();
                let error = (row.iter().sum::<f64>() - logit).abs();
                assert!(error <= tolerance * size, "{target:?}, {beta}: {error} of {size}");
            }
            let error = values(found.conservation_error());
            assert!(error.iter().all(|error| *error <= tolerance), "{target:?}, {beta}");
        }
    }
}

/// β → 0 counts all competitors alike, β → ∞ the nearest alone.
pub fn small_and_large_beta<B: Backend>(setup: &Setup<B>) {
    let (x, centroids) = data(setup, 3);
    let network = setup.kmeans(&centroids).neuralize().expect("K > 1");
    let explain = |beta: f64| {
        network.explain(&setup.tensor(&x), Target::Assigned, Beta::Value(beta)).expect("valid")
    };
    for row in rows(explain(0.0).shares) {
        let mut shares = row.clone();
        shares.sort_by(f64::total_cmp);
        assert_close(&shares[..1], &[0.0], 0.0, "own share");
        assert_close(&shares[1..], &[0.2; 5], setup.tolerance, "shares of competitors");
    }
    let near_zero = rows(explain(1e-14).relevance);
    assert_rows_close(&near_zero, &rows(explain(0.0).relevance), 10.0 * setup.tolerance, "β → 0");

    let hard = rows(explain(f64::INFINITY).relevance);
    let nearest: Rows = x
        .iter()
        .map(|x| {
            let c = naive::nearest(x, &centroids);
            let others = (0..6).filter(|k| *k != c);
            let k = others
                .min_by(|a, b| {
                    let distance = |k: &usize| naive::squared_distance(x, &centroids[*k]);
                    distance(a).total_cmp(&distance(b))
                })
                .expect("a competitor");
            naive::neon(x, &centroids, &Question::Against(c, k), 0.0)
        })
        .collect();
    assert_rows_close(&hard, &nearest, setup.tolerance, "β = ∞");
    assert_rows_close(&rows(explain(1e6).relevance), &hard, 10.0 * setup.tolerance, "β → ∞");
}

pub fn two_clusters_do_not_depend_on_beta<B: Backend>(setup: &Setup<B>) {
    let (x, centroids) = data(setup, 4);
    let network = setup.kmeans(&centroids[..2].to_vec()).neuralize().expect("K > 1");
    let explain = |beta: f64| {
        let beta = Beta::Value(beta);
        rows(network.explain(&setup.tensor(&x), Target::Assigned, beta).expect("valid").relevance)
    };
    for beta in BETAS {
        assert_rows_close(&explain(beta), &explain(1.0), setup.tolerance, "K = 2");
    }
}

pub fn shifts_change_nothing<B: Backend>(setup: &Setup<B>) {
    let (x, centroids) = data(setup, 5);
    // A shift by a power of two times a short number costs few digits of x.
    let shift = |table: &Rows| -> Rows {
        table.iter().map(|row| row.iter().map(|value| value + 8.0).collect()).collect()
    };
    let explain = |x: &Rows, centroids: &Rows| {
        let network = setup.kmeans(centroids).neuralize().expect("K > 1");
        rows(
            network
                .explain(&setup.tensor(x), Target::Assigned, Beta::Value(1.0))
                .expect("valid")
                .relevance,
        )
    };
    let shifted = (setup.rounded(&shift(&x)), setup.rounded(&shift(&centroids)));
    let back = |table: &Rows| -> Rows {
        table.iter().map(|row| row.iter().map(|value| value - 8.0).collect()).collect()
    };
    let unshifted = (back(&shifted.0), back(&shifted.1));
    assert_rows_close(
        &explain(&shifted.0, &shifted.1),
        &explain(&unshifted.0, &unshifted.1),
        2.0 * setup.tolerance,
        "shift",
    );
}

pub fn permutations<B: Backend>(setup: &Setup<B>) {
    let (x, centroids) = data(setup, 6);
    let explain = |x: &Rows, centroids: &Rows| {
        let network = setup.kmeans(centroids).neuralize().expect("K > 1");
        network.explain(&setup.tensor(x), Target::Assigned, Beta::Value(0.5)).expect("valid")
    };
    let plain = explain(&x, &centroids);

    let features = [3, 0, 4, 1, 2];
    let permute = |table: &Rows| -> Rows {
        table.iter().map(|row| features.iter().map(|i| row[*i]).collect()).collect()
    };
    let found = explain(&permute(&x), &permute(&centroids));
    let expected = permute(&rows(plain.relevance.clone()));
    assert_rows_close(&rows(found.relevance), &expected, setup.tolerance, "features");

    let order = [5, 2, 0, 1, 4, 3];
    let reordered: Rows = order.iter().map(|k| centroids[*k].clone()).collect();
    let found = explain(&x, &reordered);
    assert_rows_close(&rows(found.relevance), &rows(plain.relevance), setup.tolerance, "clusters");
    let renamed: Vec<usize> = indices(found.cluster).into_iter().map(|k| order[k]).collect();
    assert_eq!(renamed, indices(plain.cluster));
    let shares = rows(plain.shares);
    let expected: Rows = shares.iter().map(|row| order.iter().map(|k| row[*k]).collect()).collect();
    assert_rows_close(&rows(found.shares), &expected, 10.0 * setup.tolerance, "shares");
}

/// With β in inverse squared units, scaling all data leaves R/f as it is.
pub fn scaling_with_heuristic_beta<B: Backend>(setup: &Setup<B>) {
    let (x, centroids) = data(setup, 7);
    let explain = |factor: f64| {
        let scale = |table: &Rows| -> Rows {
            table.iter().map(|row| row.iter().map(|value| value * factor).collect()).collect()
        };
        let x = setup.tensor(&scale(&x));
        let kmeans = setup.kmeans(&scale(&centroids)).with_heuristic_beta(&x).expect("valid");
        let network = kmeans.neuralize().expect("K > 1");
        let found = network.explain(&x, Target::Assigned, Beta::Heuristic).expect("valid");
        let logit = values(found.logit);
        let relevance: Rows = rows(found.relevance);
        relevance
            .iter()
            .zip(logit)
            .map(|(row, logit)| row.iter().map(|value| value / logit).collect())
            .collect::<Rows>()
    };
    // Points near a boundary divide rounding by a small logit.
    assert_rows_close(&explain(64.0), &explain(1.0), 10.0 * setup.tolerance, "scaling");
}

/// Where the nearest competitor changes, R jumps for β = ∞ and not for finite β.
pub fn continuous_where_the_competitor_changes<B: Backend>(setup: &Setup<B>) {
    let step = 1e-3;
    let lopsided = vec![vec![0.0, 0.0], vec![2.0, 1.5], vec![1.0, 2f64.sqrt() * 1.5 + 0.1]];
    let network = setup.kmeans(&lopsided).neuralize().expect("K > 1");
    // Find the change of competitor on a line by bisection.
    let competitor = |x: f64| {
        let (a, b) = (
            naive::squared_distance(&[x, 0.1], &lopsided[1]),
            naive::squared_distance(&[x, 0.1], &lopsided[2]),
        );
        a < b
    };
    let (mut low, mut high) = (-3.0, 0.9);
    assert_ne!(competitor(low), competitor(high));
    for _ in 0..60 {
        let middle = 0.5 * (low + high);
        if competitor(middle) == competitor(low) { low = middle } else { high = middle }
    }
    let around = vec![vec![low - step, 0.1], vec![high + step, 0.1]];
    let jump = |beta: f64| {
        let found = network
            .explain(&setup.tensor(&around), Target::Assigned, Beta::Value(beta))
            .expect("valid");
        let relevance = rows(found.relevance);
        super::largest(relevance[0].iter().zip(&relevance[1]).map(|(a, b)| (a - b).abs()))
    };
    assert!(jump(1.0) < 50.0 * step, "finite β: {}", jump(1.0));
    assert!(jump(f64::INFINITY) > 0.2, "β = ∞: {}", jump(f64::INFINITY));
}

/// More rows than one block of the library holds: each row alone gives the same.
pub fn blocks_make_no_difference<B: Backend>(setup: &Setup<B>) {
    let (n, d, k) = (5000, 300, 40);
    let x = setup.tensor(&random_rows(n, d, 0.0, 8));
    let network = setup.kmeans(&random_rows(k, d, 0.0, 9)).neuralize().expect("K > 1");
    let all = network.explain(&x, Target::Assigned, Beta::Value(0.01)).expect("valid");
    let relevance = rows(all.relevance.clone());
    assert_eq!(relevance.len(), n);
    for i in [0, 1, 2999, 3083, 3084, 4999] {
        let alone = network
            .explain(&x.clone().narrow(0, i, 1), Target::Assigned, Beta::Value(0.01))
            .expect("valid");
        let (alone, together) = (rows(alone.relevance), vec![relevance[i].clone()]);
        assert_rows_close(&alone, &together, 2.0 * setup.tolerance, "alone");
    }
    let error = values(all.conservation_error());
    let worst = super::largest(error);
    assert!(worst < setup.tolerance, "{worst}");
}

pub fn shares<B: Backend>(setup: &Setup<B>) {
    let (x, centroids) = data(setup, 10);
    let network = setup.kmeans(&centroids).neuralize().expect("K > 1");
    for beta in BETAS {
        let found =
            network.explain(&setup.tensor(&x), Target::Assigned, Beta::Value(beta)).expect("valid");
        for (row, own) in rows(found.shares).iter().zip(indices(found.cluster)) {
            assert!((row.iter().sum::<f64>() - 1.0).abs() < setup.tolerance);
            assert_eq!(row[own], 0.0);
            assert!(row.iter().all(|share| (0.0..=1.0 + setup.tolerance).contains(share)));
        }
    }
}

pub fn summaries<B: Backend>(setup: &Setup<B>) {
    let (x, centroids) = data(setup, 11);
    let network = setup.kmeans(&centroids).neuralize().expect("K > 1");
    let found =
        network.explain(&setup.tensor(&x), Target::Assigned, Beta::Value(1.0)).expect("valid");
    let (relevance, clusters) = (rows(found.relevance.clone()), indices(found.cluster.clone()));
    let logit = values(found.logit.clone());
    let mean = |of: &dyn Fn(usize) -> f64, chosen: &[usize]| {
        chosen.iter().map(|i| of(*i)).sum::<f64>() / chosen.len().max(1) as f64
    };
    let close = |a: f64, b: f64| assert!((a - b).abs() < 50.0 * setup.tolerance, "{a} against {b}");
    for summary in found.per_cluster() {
        let chosen: Vec<usize> = (0..60).filter(|i| clusters[*i] == summary.cluster).collect();
        assert_eq!(summary.points, chosen.len());
        close(summary.mean_logit, mean(&|i| logit[i], &chosen));
        let means = summary.mean_relevance.iter().zip(&summary.mean_magnitude);
        for (feature, (signed, magnitude)) in means.enumerate() {
            close(*signed, mean(&|i| relevance[i][feature], &chosen));
            close(*magnitude, mean(&|i| relevance[i][feature].abs(), &chosen));
        }
    }
    let all: Vec<usize> = (0..60).collect();
    let global = found.global();
    assert_eq!(global.points, 60);
    close(global.mean_logit, mean(&|i| logit[i], &all));
    let means = global.mean_relevance.iter().zip(&global.mean_magnitude);
    for (feature, (signed, magnitude)) in means.enumerate() {
        close(*signed, mean(&|i| relevance[i][feature], &all));
        close(*magnitude, mean(&|i| relevance[i][feature].abs(), &all));
    }
}

/// Data and fit at +1000: the 99th percentile of the f32 conservation error
/// stays below 1e-5.
pub fn far_from_the_origin<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(2000, 16, 1000.0, 12));
    let fit = KMeansConfig::new(8).fit(&x).expect("a fit");
    let network = fit.model.neuralize().expect("K > 1");
    let found = network.explain(&x, Target::Assigned, Beta::Heuristic).expect("valid");
    let mut error = values(found.conservation_error());
    error.sort_by(f64::total_cmp);
    assert!(error[1980] < 1e-5, "99th percentile {}", error[1980]);
}

/// A cluster that is far from the others costs them no digits, nor any row its cluster.
pub fn one_far_cluster<B: Backend>(setup: &Setup<B>) {
    let centroids = [[1.0; 4], [-1.0; 4], [0.5, -0.5, 0.5, -0.5], [1e6; 4]];
    let clusterer = setup.kmeans(&centroids.map(Vec::from).to_vec());
    let rows = random_rows(500, 4, 0.0, 21);
    let x = setup.tensor(&rows);
    let network = clusterer.neuralize().expect("K > 1");
    let found = network.explain(&x, Target::Assigned, Beta::Value(0.3)).expect("valid");
    for (row, cluster) in rows.iter().zip(indices(found.cluster.clone())) {
        let distance = |centroid: &[f64; 4]| -> f64 {
            row.iter().zip(centroid).map(|(x, m)| (x - m).powi(2)).sum()
        };
        let own = distance(&centroids[cluster]);
        assert!(centroids.iter().all(|other| own <= distance(other) + 1e-5), "{row:?}: {cluster}");
    }
    let worst = largest(values(found.conservation_error()));
    let tolerance = if setup.dtype == DType::F64 { 1e-12 } else { 1e-5 };
    assert!(worst < tolerance, "{worst:e}");
}
