//! K-means by distances other than the squared Euclidean one: formulas, fits, networks and relevances against loops.

use burn::backend::Flex;
use burn::module::{Module, Param};
use burn::record::{DoublePrecisionSettings, FullPrecisionSettings, NamedMpkFileRecorder};
use burn::tensor::DType;
use burn::tensor::backend::Backend;
use neuralize::Error;
use neuralize::cluster::{Distance, Init, KMeansConfig, SeparableKMeans, SeparableKMeansFit};
use neuralize::explain::{Beta, Target};
use neuralize::network::{Network, NeuralizedSeparableKMeans};
use neuralize::record::{
    load_burnpack, load_record, load_safetensors, save_burnpack, save_record, save_safetensors,
};

use crate::suite::{
    Rows, Setup, assert_close, assert_rows_close, indices, largest, naive, random_rows, rows,
    values,
};

const DISTANCES: [Distance; 9] = [
    Distance::SquaredEuclidean,
    Distance::Manhattan,
    Distance::Power(1.0),
    Distance::Power(1.5),
    Distance::Power(3.0),
    Distance::Mahalanobis,
    Distance::KullbackLeibler,
    Distance::ItakuraSaito,
    Distance::Logistic,
];

const BETAS: [f64; 4] = [0.0, 0.5, 4.0, f64::INFINITY];

const TARGETS: [Target; 5] = [
    Target::Assigned,
    Target::Cluster(0),
    Target::Cluster(4),
    Target::Contrast { cluster: 2, versus: 3 },
    Target::AssignedVersus(1),
];

type Record<B> = <SeparableKMeans<B> as Module<B>>::Record;

/// d_i(x, m) by its definition, with 0 log 0 = 0.
fn feature(distance: Distance, x: f64, m: f64, weight: f64) -> f64 {
    let x_log = |x: f64, quotient: f64| if x == 0.0 { 0.0 } else { x * quotient.ln() };
    match distance {
        Distance::SquaredEuclidean => (x - m).powi(2),
        Distance::Manhattan => (x - m).abs(),
        Distance::Power(power) => (x - m).abs().powf(power),
        Distance::Mahalanobis => weight * (x - m).powi(2),
        Distance::KullbackLeibler => x_log(x, x / m) - x + m,
        Distance::ItakuraSaito => x / m - (x / m).ln() - 1.0,
        Distance::Logistic => x_log(x, x / m) + x_log(1.0 - x, (1.0 - x) / (1.0 - m)),
        _ => unreachable!("a distance without a twin"),
    }
}

/// φ and φ' of a Bregman divergence.
fn generator(distance: Distance, m: f64, weight: f64) -> Option<(f64, f64)> {
    Some(match distance {
        Distance::SquaredEuclidean => (m * m, 2.0 * m),
        Distance::Mahalanobis => (weight * m * m, 2.0 * weight * m),
        Distance::KullbackLeibler => (m * m.ln() - m, m.ln()),
        Distance::ItakuraSaito => (-m.ln(), -1.0 / m),
        Distance::Logistic => (m * m.ln() + (1.0 - m) * (1.0 - m).ln(), (m / (1.0 - m)).ln()),
        _ => return None,
    })
}

/// Rows, centroids and weights of features for one distance.
struct Case {
    distance: Distance,
    x: Rows,
    centroids: Rows,
    weights: Vec<f64>,
}

/// Numbers that the distance is made for, from normal ones; counts and yes or
/// no where they may be on the edge.
fn suited(distance: Distance, normal: Rows, edge: bool) -> Rows {
    let value = |v: f64| match distance {
        Distance::KullbackLeibler if edge => (2.0 * v).max(0.0).floor(),
        Distance::KullbackLeibler => (0.7 * v).exp(),
        Distance::ItakuraSaito => (0.7 * v).exp(),
        Distance::Logistic if edge && v.abs() > 1.0 => f64::from(u8::from(v > 0.0)),
        Distance::Logistic => 1.0 / (1.0 + (-v).exp()),
        _ => v,
    };
    normal.into_iter().map(|row| row.into_iter().map(value).collect()).collect()
}

impl Case {
    fn new<B: Backend>(setup: &Setup<B>, distance: Distance, seed: u64) -> Self {
        let x = suited(distance, random_rows(60, 4, 0.3, seed), true);
        let centroids = suited(distance, random_rows(5, 4, 0.3, seed + 1000), false);
        let weights = match distance {
            Distance::Mahalanobis => vec![0.5, 2.0, 0.0, 1.25],
            _ => vec![1.0; 4],
        };
        Self { distance, x: setup.rounded(&x), centroids: setup.rounded(&centroids), weights }
    }

    fn all<B: Backend>(setup: &Setup<B>, seed: u64) -> Vec<Self> {
        DISTANCES.into_iter().map(|distance| Self::new(setup, distance, seed)).collect()
    }

    fn model<B: Backend>(&self, setup: &Setup<B>) -> SeparableKMeans<B> {
        let model = SeparableKMeans::from_centroids(setup.tensor(&self.centroids), self.distance)
            .expect("valid centroids");
        match self.distance {
            Distance::Mahalanobis => {
                model.with_weights(setup.column(&self.weights)).expect("weights")
            }
            _ => model,
        }
    }

    fn network<B: Backend>(&self, setup: &Setup<B>) -> NeuralizedSeparableKMeans<B> {
        self.model(setup).neuralize().expect("K > 1")
    }

    /// d_i(x, μ_k), feature by feature.
    fn parts(&self, x: &[f64], k: usize) -> Vec<f64> {
        (0..x.len())
            .map(|i| feature(self.distance, x[i], self.centroids[k][i], self.weights[i]))
            .collect()
    }

    fn distances(&self, x: &[f64]) -> Vec<f64> {
        (0..self.centroids.len()).map(|k| self.parts(x, k).iter().sum()).collect()
    }

    fn nearest(&self, x: &[f64]) -> usize {
        let d = self.distances(x);
        (0..d.len()).fold(0, |best, k| if d[k] < d[best] { k } else { best })
    }

    fn margin(&self, x: &[f64], c: usize) -> f64 {
        let d = self.distances(x);
        (0..d.len()).filter(|k| *k != c).map(|k| d[k] - d[c]).fold(f64::INFINITY, f64::min)
    }

    /// Σ_k R_k / h_ck [d_i(x, μ_k) − d_i(x, μ_c)], R_k by min-take-most.
    fn relevance(&self, x: &[f64], target: Target, beta: f64) -> Vec<f64> {
        let assigned = self.nearest(x);
        let others = |c: usize| (0..self.centroids.len()).filter(|k| *k != c).collect::<Vec<_>>();
        let (c, competitors) = match target {
            Target::Assigned => (assigned, others(assigned)),
            Target::Cluster(c) if c == assigned => (c, others(c)),
            Target::Cluster(c) => (c, vec![assigned]),
            Target::Contrast { cluster, versus } => (cluster, vec![versus]),
            Target::AssignedVersus(k) if k == assigned => return vec![0.0; x.len()],
            Target::AssignedVersus(k) => (assigned, vec![k]),
            _ => unreachable!("a target without a twin"),
        };
        let own = self.parts(x, c);
        let terms: Vec<Vec<f64>> = competitors
            .iter()
            .map(|k| self.parts(x, *k).iter().zip(&own).map(|(a, b)| a - b).collect())
            .collect();
        let h: Vec<f64> = terms.iter().map(|term| term.iter().sum()).collect();
        let f = h.iter().copied().fold(f64::INFINITY, f64::min);
        let weights: Vec<f64> = h.iter().map(|h| (-beta.min(1e12) * (h - f)).exp()).collect();
        let total: f64 = weights.iter().sum();
        (0..x.len())
            .map(|i| (0..h.len()).map(|k| terms[k][i] / h[k] * weights[k] / total * f).sum())
            .collect()
    }
}

/// A fit for every distance, to three clouds of rows that suit it.
fn fitted<B: Backend>(
    setup: &Setup<B>,
    distance: Distance,
    rows: usize,
    change: impl Fn(KMeansConfig) -> KMeansConfig,
) -> (Rows, SeparableKMeansFit<B>) {
    let mut normal = random_rows(rows, 3, 0.0, 77);
    for (i, row) in normal.iter_mut().enumerate() {
        row[i % 3] += 2.5;
    }
    let x = setup.rounded(&suited(distance, normal, true));
    let config = change(KMeansConfig::new(3)).with_distance(distance);
    let fit = config.fit(&setup.tensor(&x)).expect("a fit");
    (x, fit)
}

/// What the library smooths by, unless it is told otherwise.
fn default_smoothing(distance: Distance) -> f64 {
    match distance {
        Distance::KullbackLeibler | Distance::Logistic => 1.0,
        _ => 0.0,
    }
}

fn mean_of(x: &Rows) -> Vec<f64> {
    (0..x[0].len()).map(|i| x.iter().map(|row| row[i]).sum::<f64>() / x.len() as f64).collect()
}

pub fn distances_are_the_definitions<B: Backend>(setup: &Setup<B>) {
    for case in Case::all(setup, 1) {
        let model = case.model(setup);
        let found = rows(model.transform(&setup.tensor(&case.x)).expect("valid data"));
        let expected: Rows = case.x.iter().map(|x| case.distances(x)).collect();
        let what = format!("{}", case.distance);
        assert_rows_close(&found, &expected, 2.0 * setup.tolerance, &what);
        let labels = indices(model.predict(&setup.tensor(&case.x)).expect("valid data"));
        assert_eq!(labels, case.x.iter().map(|x| case.nearest(x)).collect::<Vec<_>>(), "{what}");
        let least: f64 =
            expected.iter().map(|row| row.iter().copied().fold(f64::MAX, f64::min)).sum();
        let inertia = model.inertia(&setup.tensor(&case.x)).expect("valid data");
        assert!((inertia - least).abs() <= 4.0 * setup.tolerance * least, "{what}");
        // A point on a centroid is at distance 0 of it.
        let on = rows(model.transform(&setup.tensor(&case.centroids)).expect("valid data"));
        for (k, row) in on.iter().enumerate() {
            assert!(row[k] <= setup.tolerance, "{what}: {}", row[k]);
        }
    }
}

pub fn the_network_is_the_definition<B: Backend>(setup: &Setup<B>) {
    for case in Case::all(setup, 2) {
        let network = case.network(setup);
        let found = rows(network.forward(setup.tensor(&case.x)).expect("valid data"));
        let expected: Rows =
            case.x.iter().map(|x| (0..5).map(|c| case.margin(x, c)).collect()).collect();
        let what = format!("{}", case.distance);
        assert_rows_close(&found, &expected, 4.0 * setup.tolerance, &what);
        let labels = indices(network.predict(&setup.tensor(&case.x)).expect("valid data"));
        assert_eq!(labels, case.x.iter().map(|x| case.nearest(x)).collect::<Vec<_>>(), "{what}");
        assert_eq!(network.linear().is_some(), case.distance.is_bregman(), "{what}");
        assert_eq!(network.dense().is_some(), case.distance.is_bregman(), "{what}");
        // As any network, behind the trait.
        let network: &dyn Network<B> = &network;
        assert_eq!((network.n_clusters(), network.n_features()), (5, 4));
        assert_eq!(rows(network.centroids()), case.centroids);
    }
}

/// w_ck = φ'(μ_c) − φ'(μ_k), b_ck = [φ(μ_c) − φ(μ_k)] − [φ'(μ_c)·μ_c − φ'(μ_k)·μ_k],
/// and w·x + b is a difference of divergences.
pub fn a_bregman_divergence_is_a_linear_layer<B: Backend>(setup: &Setup<B>) {
    for case in Case::all(setup, 3) {
        let generate =
            |k: usize, i: usize| generator(case.distance, case.centroids[k][i], case.weights[i]);
        let network = case.network(setup);
        let Some(dense) = network.dense() else {
            assert!(generate(0, 0).is_none());
            continue;
        };
        let what = format!("{}", case.distance);
        let weight = rows(dense.linear.weight.val());
        let bias = values(dense.linear.bias.as_ref().expect("a bias").val());
        let center = values(network.center());
        let generate = |k: usize, i: usize| generate(k, i).expect("a Bregman divergence");
        for (column, bias) in bias.iter().enumerate() {
            let (c, j) = (column / 4, column % 4);
            let k = if j < c { j } else { j + 1 };
            let (mut seen_from_center, mut size) = (0.0, 0.0);
            for i in 0..4 {
                let ((phi_c, slope_c), (phi_k, slope_k)) = (generate(c, i), generate(k, i));
                let expected = slope_c - slope_k;
                let scale = slope_c.abs() + slope_k.abs();
                assert!(
                    (weight[i][column] - expected).abs() <= 4.0 * setup.tolerance * scale.max(1.0),
                    "{what}: {} against {expected}",
                    weight[i][column]
                );
                seen_from_center += phi_c - phi_k - slope_c * case.centroids[c][i]
                    + slope_k * case.centroids[k][i]
                    + expected * center[i];
                size += phi_c.abs() + phi_k.abs() + scale * (1.0 + center[i].abs());
            }
            assert!((bias - seen_from_center).abs() <= 4.0 * setup.tolerance * size, "{what}");
            for x in &case.x {
                let h = bias + (0..4).map(|i| weight[i][column] * (x[i] - center[i])).sum::<f64>();
                let d = case.distances(x);
                let size = d[k].abs() + d[c].abs() + size;
                assert!((h - (d[k] - d[c])).abs() <= 4.0 * setup.tolerance * size, "{what}");
            }
        }
        let found = rows(dense.forward(setup.tensor(&case.x)).expect("valid data"));
        let expected = rows(network.forward(setup.tensor(&case.x)).expect("valid data"));
        assert_rows_close(&found, &expected, 4.0 * setup.tolerance, &what);
    }
}

pub fn relevances_are_the_definition<B: Backend>(setup: &Setup<B>) {
    for case in Case::all(setup, 4) {
        let network = case.network(setup);
        for target in TARGETS {
            for beta in BETAS {
                let found = network
                    .explain(&setup.tensor(&case.x), target, Beta::Value(beta))
                    .expect("valid data");
                let expected: Rows =
                    case.x.iter().map(|x| case.relevance(x, target, beta)).collect();
                let what = format!("{}, {target:?}, beta {beta}", case.distance);
                let tolerance =
                    4.0 * setup.tolerance * (1.0 + if beta.is_finite() { beta } else { 0.0 });
                assert_rows_close(&rows(found.relevance.clone()), &expected, tolerance, &what);
                for ((logit, row), own) in
                    values(found.logit.clone()).iter().zip(&expected).zip(rows(found.shares))
                {
                    let size: f64 = row.iter().map(|r| r.abs()).sum();
                    let sum: f64 = row.iter().sum();
                    assert!((logit - sum).abs() <= tolerance * size.max(1.0), "{what}");
                    assert!(own.iter().all(|share| (0.0..=1.0001).contains(share)), "{what}");
                }
            }
        }
    }
}

pub fn relevances_sum_to_the_logit<B: Backend>(setup: &Setup<B>) {
    let tolerance = if setup.dtype == DType::F64 { 1e-11 } else { 5e-5 };
    for case in Case::all(setup, 5) {
        let network = case.network(setup);
        for target in TARGETS {
            for beta in BETAS {
                let found = network
                    .explain(&setup.tensor(&case.x), target, Beta::Value(beta))
                    .expect("valid data");
                let (relevance, logit) =
                    (rows(found.relevance.clone()), values(found.logit.clone()));
                for (row, logit) in relevance.iter().zip(&logit) {
                    let size: f64 = row.iter().map(|r| r.abs()).sum();
                    let error = (row.iter().sum::<f64>() - logit).abs();
                    assert!(
                        error <= tolerance * size,
                        "{}, {target:?}, {beta}: {error} of {size}",
                        case.distance
                    );
                }
            }
        }
    }
}

/// The squared distance by this road and by that of `KMeans`.
pub fn the_squared_distance_is_k_means<B: Backend>(setup: &Setup<B>) {
    let case = Case::new(setup, Distance::SquaredEuclidean, 6);
    let x = setup.tensor(&case.x);
    let (here, there) =
        (case.network(setup), setup.kmeans(&case.centroids).neuralize().expect("K > 1"));
    assert_rows_close(
        &rows(here.forward(x.clone()).expect("valid")),
        &rows(there.forward(x.clone()).expect("valid")),
        setup.tolerance,
        "logits",
    );
    for target in TARGETS {
        let explain = |network: &dyn Network<B>| {
            rows(network.explain(&x, target, Beta::Value(0.5)).expect("valid").relevance)
        };
        assert_rows_close(&explain(&here), &explain(&there), 4.0 * setup.tolerance, "relevances");
    }
    // The same optimum from the same rows, and every weight of 1 the same again.
    let config = KMeansConfig::new(3).with_init(Init::Rows(vec![3, 20, 41])).with_tol(0.0);
    let there = config.fit(&x).expect("a fit");
    let here = config.clone().with_distance(Distance::SquaredEuclidean).fit(&x).expect("a fit");
    assert_eq!(indices(here.labels.clone()), indices(there.labels.clone()));
    assert_eq!(here.sizes, there.sizes);
    assert!((here.inertia - there.inertia).abs() <= 10.0 * setup.tolerance * there.inertia);
    let (found, expected) = (here.model.beta().expect("β"), there.model.beta().expect("β"));
    assert!((found - expected).abs() <= 10.0 * setup.tolerance * expected);
    let ones =
        SeparableKMeans::from_centroids(setup.tensor(&case.centroids), Distance::Mahalanobis)
            .expect("valid");
    assert_eq!(
        rows(ones.transform(&x).expect("valid")),
        rows(case.model(setup).transform(&x).expect("valid"))
    );
}

/// The squared distance in units of the spread is the squared distance of
/// standardised data.
pub fn mahalanobis_standardises<B: Backend>(setup: &Setup<B>) {
    let mut x = random_rows(80, 3, 0.0, 7);
    for (i, row) in x.iter_mut().enumerate() {
        *row = vec![100.0 * row[0] + 300.0 * (i % 2) as f64, 0.01 * row[1], 5.0];
    }
    let x = setup.rounded(&x);
    let mean = mean_of(&x);
    let variance: Vec<f64> = (0..3)
        .map(|i| x.iter().map(|row| (row[i] - mean[i]).powi(2)).sum::<f64>() / 80.0)
        .collect();
    let config = KMeansConfig::new(2).with_init(Init::Rows(vec![0, 1])).with_tol(0.0);
    let fit =
        config.clone().with_distance(Distance::Mahalanobis).fit(&setup.tensor(&x)).expect("a fit");
    let weights = values(fit.model.weights());
    assert_eq!(weights[2], 0.0);
    for i in 0..2 {
        assert!((weights[i] * variance[i] - 1.0).abs() < 10.0 * setup.tolerance);
    }
    let scaled: Rows = x
        .iter()
        .map(|row| (0..2).map(|i| (row[i] - mean[i]) / variance[i].sqrt()).collect())
        .collect();
    let expected = config.fit(&setup.tensor(&scaled)).expect("a fit");
    assert_eq!(indices(fit.labels), indices(expected.labels));
    assert!((fit.inertia - expected.inertia).abs() <= 100.0 * setup.tolerance * expected.inertia);
}

/// No number near the mean of a cluster has a smaller sum of distances.
pub fn means_minimise<B: Backend>(setup: &Setup<B>) {
    let slack = if setup.dtype == DType::F64 { 1e-12 } else { 2e-5 };
    for distance in DISTANCES {
        let (x, fit) = fitted(setup, distance, 90, |config| config.with_tol(0.0));
        let alpha = default_smoothing(distance);
        let (mean, centroids) = (mean_of(&x), rows(fit.model.centroids()));
        let weights = values(fit.model.weights());
        let labels = indices(fit.labels);
        assert!(fit.converged, "{distance}");
        for (k, centroid) in centroids.iter().enumerate() {
            for i in 0..3 {
                let total = |m: f64| {
                    let own = x.iter().zip(&labels).filter(|(_, label)| **label == k);
                    own.map(|(row, _)| feature(distance, row[i], m, weights[i])).sum::<f64>()
                        + alpha * feature(distance, mean[i], m, weights[i])
                };
                let least = total(centroid[i]);
                for step in [1e-2, 5e-2] {
                    for other in [centroid[i] * (1.0 - step), centroid[i] * (1.0 + step)] {
                        if distance == Distance::Logistic && other >= 1.0 {
                            continue;
                        }
                        assert!(
                            least <= total(other) * (1.0 + slack),
                            "{distance}, cluster {k}, feature {i}: {least} at {} but {} at {other}",
                            centroid[i],
                            total(other)
                        );
                    }
                }
            }
        }
    }
}

/// Σ d(x, μ) + α Σ_k d(x̄, μ_k), in plain numbers, iteration by iteration.
pub fn no_iteration_raises_the_objective<B: Backend>(setup: &Setup<B>) {
    for distance in DISTANCES {
        let mut before = f64::INFINITY;
        for iterations in 1..10 {
            let (x, fit) = fitted(setup, distance, 60, |config| {
                config
                    .with_tol(0.0)
                    .with_max_iter(iterations)
                    .with_init(Init::Random)
                    .with_n_init(Some(1))
                    .with_seed(5)
            });
            let (mean, weights) = (mean_of(&x), values(fit.model.weights()));
            let centroids = rows(fit.model.centroids());
            let total = |a: &[f64], b: &[f64]| -> f64 {
                (0..a.len()).map(|i| feature(distance, a[i], b[i], weights[i])).sum()
            };
            let inertia: f64 = x
                .iter()
                .zip(indices(fit.labels.clone()))
                .map(|(row, label)| total(row, &centroids[label]))
                .sum();
            assert!(
                (inertia - fit.inertia).abs() <= 10.0 * setup.tolerance * inertia,
                "{distance}"
            );
            let spread: f64 = centroids.iter().map(|centroid| total(&mean, centroid)).sum();
            let objective = inertia + default_smoothing(distance) * spread;
            assert!(
                objective <= before * (1.0 + setup.tolerance),
                "{distance}, iteration {iterations}: {objective} after {before}"
            );
            before = objective;
            assert!(fit.n_iter <= iterations);
            let predicted = fit.model.predict(&setup.tensor(&x)).expect("valid");
            assert_eq!(indices(predicted), indices(fit.labels), "{distance}");
            assert_eq!(fit.sizes.iter().sum::<usize>(), 60);
        }
    }
}

/// Smoothing so strong that clusters run empty, and taking over a point would
/// not always pay.
pub fn strong_smoothing_raises_nothing<B: Backend>(setup: &Setup<B>) {
    let distance = Distance::KullbackLeibler;
    let alpha = 20.0;
    for seed in 0..40 {
        let x = setup.rounded(&suited(distance, random_rows(14, 2, 0.5, 100 + seed), false));
        let (tensor, mean) = (setup.tensor(&x), mean_of(&x));
        let total = |a: &[f64], b: &[f64]| -> f64 {
            (0..2).map(|i| feature(distance, a[i], b[i], 1.0)).sum()
        };
        let mut before = f64::INFINITY;
        for iterations in 1..7 {
            let config = KMeansConfig::new(6)
                .with_init(Init::Random)
                .with_n_init(Some(1))
                .with_seed(seed)
                .with_tol(0.0)
                .with_max_iter(iterations)
                .with_distance(distance)
                .with_smoothing(Some(alpha));
            let fit = config.fit(&tensor).expect("a fit");
            let centroids = rows(fit.model.centroids());
            let inertia: f64 =
                x.iter().zip(indices(fit.labels)).map(|(row, k)| total(row, &centroids[k])).sum();
            let spread: f64 = centroids.iter().map(|centroid| total(&mean, centroid)).sum();
            let objective = inertia + alpha * spread;
            assert!(
                objective <= before * (1.0 + setup.tolerance),
                "seed {seed}, iteration {iterations}: {objective} after {before}"
            );
            before = objective;
        }
    }
}

pub fn heuristic_beta_is_one_over_the_mean_logit<B: Backend>(setup: &Setup<B>) {
    for distance in DISTANCES {
        let (x, fit) = fitted(setup, distance, 60, |config| config);
        let case = Case {
            distance,
            centroids: rows(fit.model.centroids()),
            weights: values(fit.model.weights()),
            x,
        };
        let total: f64 = case.x.iter().map(|x| case.margin(x, case.nearest(x))).sum();
        let expected = case.x.len() as f64 / total;
        let found = fit.model.beta().expect("β");
        assert!((found - expected).abs() <= 20.0 * setup.tolerance * expected, "{distance}");
        let again = fit.model.clone().with_heuristic_beta(&setup.tensor(&case.x)).expect("β");
        assert_eq!(again.beta(), Some(found));
        assert_eq!(again.distance(), distance);
        assert_eq!(fit.model.with_beta(0.5).expect("β").beta(), Some(0.5));
    }
}

/// One row far away takes a cluster of its own from k-means, not from k-medians.
pub fn medians_ignore_an_outlier<B: Backend>(setup: &Setup<B>) {
    let mut x = random_rows(60, 2, 0.0, 8);
    x.iter_mut().take(30).for_each(|row| row[0] += 10.0);
    x.push(vec![100.0, 0.0]);
    let x = setup.tensor(&x);
    let sizes = |mut sizes: Vec<usize>| {
        sizes.sort_unstable();
        sizes
    };
    let config = KMeansConfig::new(2).with_n_init(Some(10));
    assert_eq!(sizes(config.fit(&x).expect("a fit").sizes), [1, 60]);
    let medians = config.with_distance(Distance::Manhattan).fit(&x).expect("a fit");
    assert_eq!(sizes(medians.sizes), [30, 31]);
    let mut first: Vec<f64> = rows(medians.model.centroids()).iter().map(|c| c[0]).collect();
    first.sort_by(f64::total_cmp);
    assert!(first[0].abs() < 0.6 && (first[1] - 10.0).abs() < 0.6, "{first:?}");
}

pub fn values_outside_the_domain_are_named<B: Backend>(setup: &Setup<B>) {
    for (distance, bad, says) in [
        (Distance::KullbackLeibler, -1.0, "at least 0"),
        (Distance::ItakuraSaito, 0.0, "above 0"),
        (Distance::ItakuraSaito, -2.0, "above 0"),
        (Distance::Logistic, 1.5, "from 0 to 1"),
        (Distance::Logistic, -0.5, "from 0 to 1"),
    ] {
        let case = Case::new(setup, distance, 9);
        let mut x = case.x.clone();
        x[2][1] = bad;
        let x = setup.tensor(&x);
        let named = |error: Error| {
            let text = error.to_string();
            assert!(text.contains("row 2, column 1") && text.contains(says), "{text}");
            assert!(text.contains(&bad.to_string()), "{text}");
            assert!(
                matches!(error, Error::Domain { row: 2, column: 1, value, .. } if value == bad),
                "{error:?}"
            );
        };
        named(KMeansConfig::new(2).with_distance(distance).fit(&x).expect_err("bad"));
        let (model, network) = (case.model(setup), case.network(setup));
        named(model.predict(&x).expect_err("bad"));
        named(model.transform(&x).expect_err("bad"));
        named(model.inertia(&x).expect_err("bad"));
        named(network.forward(x.clone()).expect_err("bad"));
        named(network.explain(&x, Target::Assigned, Beta::Value(1.0)).expect_err("bad"));
        named(SeparableKMeans::from_centroids(x, distance).expect_err("bad"));
    }
    // Centroids on the edge are infinitely far from everything, unless all are.
    for (distance, edge) in
        [(Distance::KullbackLeibler, 0.0), (Distance::Logistic, 0.0), (Distance::Logistic, 1.0)]
    {
        let build = |a: f64, b: f64| {
            SeparableKMeans::from_centroids(
                setup.tensor(&vec![vec![0.5, a], vec![0.25, b]]),
                distance,
            )
        };
        let error = build(0.5, edge).expect_err("an edge");
        assert!(matches!(error, Error::Domain { row: 1, column: 1, .. }), "{error}");
        assert!(build(edge, edge).is_ok());
    }
    // Powers overflow sooner than squares, and later in f64.
    let x = setup.tensor(&vec![vec![0.0, 1.0], vec![1.0, 1e6], vec![2.0, 1e6]]);
    let fit = KMeansConfig::new(2).with_distance(Distance::Power(16.0)).fit(&x);
    match setup.dtype {
        DType::F64 => assert_eq!(fit.expect("a fit").sizes.iter().sum::<usize>(), 3),
        _ => {
            let error = fit.expect_err("too large");
            assert!(matches!(error, Error::Domain { row: 1, column: 1, .. }), "{error}");
            assert!(error.to_string().contains("overflow"), "{error}");
        }
    }
    // What no distance takes.
    for distance in DISTANCES {
        let bad = setup.tensor(&vec![vec![0.5, 0.5], vec![0.25, f64::NAN]]);
        let error = KMeansConfig::new(2).with_distance(distance).fit(&bad).expect_err("NaN");
        assert!(matches!(error, Error::NonFinite { row: 1, column: 1, .. }), "{error}");
        let narrow = setup.tensor(&vec![vec![0.5]]);
        let network = Case::new(setup, distance, 9).network(setup);
        assert!(matches!(network.forward(narrow), Err(Error::Shape { .. })));
    }
}

/// Rows and columns of zeros among counts.
pub fn zero_counts<B: Backend>(setup: &Setup<B>) {
    let mut x = suited(Distance::KullbackLeibler, random_rows(60, 5, 0.5, 10), true);
    for (i, row) in x.iter_mut().enumerate() {
        // Words of one half are none of the other's; the last is nobody's.
        row[i % 2] = 0.0;
        row[4] = 0.0;
        if i < 3 {
            row.fill(0.0);
        }
    }
    let tensor = setup.tensor(&x);
    let config = KMeansConfig::new(3).with_distance(Distance::KullbackLeibler);
    let fit = config.fit(&tensor).expect("a fit");
    assert!(fit.inertia.is_finite() && fit.inertia > 0.0);
    assert!(fit.sizes.iter().all(|size| *size > 0));
    let network = fit.model.neuralize().expect("K > 1");
    for target in [Target::Assigned, Target::Cluster(1)] {
        let found = network.explain(&tensor, target, Beta::Heuristic).expect("valid");
        let relevance = rows(found.relevance.clone());
        assert!(relevance.iter().flatten().all(|r| r.is_finite()));
        assert!(relevance.iter().all(|row| row[4] == 0.0));
        assert!(largest(values(found.conservation_error())) < 5.0 * setup.tolerance);
    }
    // A word that no training row has says nothing in a new one either.
    let new = setup.tensor(&vec![vec![1.0, 0.0, 2.0, 0.0, 7.0]]);
    let same = setup.tensor(&vec![vec![1.0, 0.0, 2.0, 0.0, 0.0]]);
    let explain =
        |x| rows(network.explain(x, Target::Assigned, Beta::Value(1.0)).expect("valid").relevance);
    assert_eq!(explain(&new), explain(&same));
    let transform = |x| rows(fit.model.transform(x).expect("valid"));
    assert_eq!(transform(&new), transform(&same));

    // Without smoothing a mean of 0 is refused, in words; without zeros it is not needed.
    let error = config.clone().with_smoothing(Some(0.0)).fit(&tensor).expect_err("zero means");
    assert!(error.to_string().contains("smoothing above 0"), "{error}");
    let case = suited(Distance::KullbackLeibler, random_rows(40, 3, 0.0, 11), false);
    let x = setup.rounded(&case);
    let plain = config.with_smoothing(Some(0.0)).fit(&setup.tensor(&x)).expect("a fit");
    let labels = indices(plain.labels);
    let means: Rows = (0..3)
        .map(|k| {
            let own: Rows = x
                .iter()
                .zip(&labels)
                .filter(|(_, l)| **l == k)
                .map(|(row, _)| row.clone())
                .collect();
            mean_of(&own)
        })
        .collect();
    assert_rows_close(&rows(plain.model.centroids()), &means, setup.tolerance, "means");
}

/// What is the same in every row says nothing, exactly.
pub fn constant_features_say_nothing<B: Backend>(setup: &Setup<B>) {
    for distance in DISTANCES {
        for constant in [0.1, 1.0 / 3.0] {
            let mut x = suited(distance, random_rows(50, 3, 0.3, 12), true);
            x.iter_mut().for_each(|row| row[1] = constant);
            let x = setup.tensor(&x);
            let fit = KMeansConfig::new(3).with_distance(distance).fit(&x).expect("a fit");
            let network = fit.model.neuralize().expect("K > 1");
            for target in [Target::Assigned, Target::Contrast { cluster: 0, versus: 1 }] {
                let found = network.explain(&x, target, Beta::Heuristic).expect("valid");
                let relevance = rows(found.relevance);
                assert!(relevance.iter().all(|row| row[1] == 0.0), "{distance}");
                assert!(relevance.iter().flatten().any(|r| *r != 0.0), "{distance}");
            }
        }
    }
    // On either edge of the logistic loss.
    let mut x = suited(Distance::Logistic, random_rows(30, 3, 0.0, 13), true);
    x.iter_mut().for_each(|row| (row[0], row[2]) = (0.0, 1.0));
    let x = setup.tensor(&x);
    let fit = KMeansConfig::new(2).with_distance(Distance::Logistic).fit(&x).expect("a fit");
    let network = fit.model.neuralize().expect("K > 1");
    let found = network.explain(&x, Target::Assigned, Beta::Heuristic).expect("valid");
    for row in rows(found.relevance.clone()) {
        assert!(row[0] == 0.0 && row[2] == 0.0 && row[1].is_finite());
    }
    assert!(largest(values(found.conservation_error())) < 5.0 * setup.tolerance);
}

pub fn few_rows_and_none<B: Backend>(setup: &Setup<B>) {
    for distance in DISTANCES {
        let distinct = vec![vec![0.5, 0.25], vec![0.125, 0.75], vec![0.9375, 0.5]];
        let mut x = distinct.clone();
        x.extend(distinct.clone());
        let x = setup.tensor(&x);
        let config = |k: usize| KMeansConfig::new(k).with_distance(distance);
        let error = config(4).fit(&x).expect_err("3 rows differ");
        assert!(matches!(error, Error::TooFewPoints { clusters: 4, distinct: 3 }), "{error}");
        let fit = config(3).fit(&x).expect("3 rows differ");
        assert_eq!(fit.sizes, [2, 2, 2], "{distance}");
        if default_smoothing(distance) == 0.0 {
            assert!(fit.inertia <= setup.tolerance, "{distance}: {}", fit.inertia);
        }
        let one = config(1).fit(&x).expect("one cluster");
        assert_eq!((one.sizes, one.model.beta()), (vec![6], None));
        assert!(matches!(one.model.neuralize(), Err(Error::NoCompetitor)));
        assert!(matches!(one.model.with_heuristic_beta(&x), Err(Error::NoCompetitor)));

        // A tie: two centroids in one place.
        let twins = setup.tensor(&vec![vec![0.5, 0.5], vec![0.5, 0.5], vec![0.25, 0.75]]);
        let tied = SeparableKMeans::from_centroids(twins, distance).expect("valid");
        let network = tied.neuralize().expect("K > 1");
        assert!(matches!(
            network.explain(&x, Target::Assigned, Beta::Heuristic),
            Err(Error::NoHeuristicBeta)
        ));
        for beta in [0.0, 1.0, 1e300, f64::INFINITY] {
            let found = network.explain(&x, Target::Assigned, Beta::Value(beta)).expect("valid");
            assert!(values(found.relevance.clone()).iter().all(|r| r.is_finite()), "{distance}");
            assert!(values(found.shares).iter().all(|share| share.is_finite()), "{distance}");
        }

        // One row, one feature, no rows.
        let narrow = setup.tensor(&vec![vec![0.25], vec![0.75]]);
        let model = SeparableKMeans::from_centroids(narrow.clone(), distance).expect("valid");
        let network = model.neuralize().expect("K > 1");
        let single = narrow.clone().narrow(0, 1, 1);
        assert_eq!(indices(network.predict(&single).expect("one row")), [1]);
        let none = narrow.slice([0..0, 0..1]);
        let found = network.explain(&none, Target::Assigned, Beta::Value(1.0)).expect("no rows");
        assert_eq!((found.relevance.dims(), found.shares.dims()), ([0, 1], [0, 2]));
        assert_eq!(network.forward(none.clone()).expect("no rows").dims(), [0, 2]);
        assert_eq!(model.predict(&none).expect("no rows").dims(), [0]);
        assert_eq!(model.transform(&none).expect("no rows").dims(), [0, 2]);
        assert_eq!(model.inertia(&none).expect("no rows"), 0.0);
        assert!(matches!(config(1).fit(&none), Err(Error::Empty { .. })));
        assert!(matches!(
            SeparableKMeans::from_centroids(none, distance),
            Err(Error::Empty { .. })
        ));
    }
}

/// A cluster that starts in the place of another takes over the farthest point.
pub fn empty_clusters_are_relocated<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&vec![vec![0.0], vec![0.0], vec![10.0], vec![11.0], vec![20.0]]);
    let start = KMeansConfig::new(3).with_init(Init::Rows(vec![0, 1, 2]));
    for distance in [Distance::SquaredEuclidean, Distance::Manhattan, Distance::Power(1.5)] {
        let fit = start.clone().with_distance(distance).fit(&x).expect("a fit");
        let labels = indices(fit.labels);
        assert_eq!((labels[0], labels[2]), (labels[1], labels[3]), "{distance}");
        assert!(labels[4] != labels[0] && labels[4] != labels[2], "{distance}");
    }
    let fit = start.with_distance(Distance::KullbackLeibler).fit(&x).expect("a fit");
    assert!(fit.inertia.is_finite() && fit.sizes.iter().sum::<usize>() == 5);
}

/// Beyond the size from which seeds come from a sample.
pub fn planted_clouds_are_found<B: Backend>(setup: &Setup<B>) {
    for distance in [Distance::Manhattan, Distance::KullbackLeibler, Distance::Mahalanobis] {
        let mut x = random_rows(8400, 2, 20.0, 14);
        for (i, row) in x.iter_mut().enumerate() {
            row[0] += [0.0, 40.0, 80.0][i % 3];
            row[1] += [80.0, 0.0, 20.0][i % 3];
        }
        let x = setup.tensor(&x);
        let config = KMeansConfig::new(3).with_seed(3).with_distance(distance);
        let fit = config.fit(&x).expect("a fit");
        assert_eq!(fit.sizes, [2800; 3], "{distance}");
        let labels = indices(fit.labels.clone());
        assert!((3..8400).all(|i| labels[i] == labels[i - 3]), "{distance}");
        let again = config.fit(&x).expect("a fit");
        assert_eq!(rows(again.model.centroids()), rows(fit.model.centroids()));
        assert_eq!(indices(again.labels), labels);
        // A GPU backend times its kernels and may take another one for the second sum.
        assert!((again.inertia - fit.inertia).abs() <= 1e-6 * fit.inertia, "{distance}");
    }
}

pub fn features_may_be_permuted<B: Backend>(setup: &Setup<B>) {
    let order = [2, 0, 3, 1];
    let permute = |table: &Rows| -> Rows {
        table.iter().map(|row| order.iter().map(|i| row[*i]).collect()).collect()
    };
    for case in Case::all(setup, 15) {
        let other = Case {
            distance: case.distance,
            x: permute(&case.x),
            centroids: permute(&case.centroids),
            weights: order.iter().map(|i| case.weights[*i]).collect(),
        };
        let explain = |case: &Case| {
            let x = setup.tensor(&case.x);
            let network = case.network(setup);
            rows(network.explain(&x, Target::Assigned, Beta::Value(0.5)).expect("valid").relevance)
        };
        let what = format!("{}", case.distance);
        assert_rows_close(
            &explain(&other),
            &permute(&explain(&case)),
            4.0 * setup.tolerance,
            &what,
        );
    }
}

pub fn blocks_make_no_difference<B: Backend>(setup: &Setup<B>) {
    let (n, d) = (130, 17_000);
    for distance in [Distance::Manhattan, Distance::KullbackLeibler] {
        let x = setup.tensor(&suited(distance, random_rows(n, d, 0.3, 16), true));
        let centroids = setup.tensor(&suited(distance, random_rows(3, d, 0.3, 17), false));
        let model = SeparableKMeans::from_centroids(centroids, distance).expect("valid");
        let network = model.neuralize().expect("K > 1");
        let all = network.explain(&x, Target::Assigned, Beta::Value(0.01)).expect("valid");
        let (relevance, distances) =
            (rows(all.relevance), rows(model.transform(&x).expect("valid")));
        for i in [0, 63, 64, 127, 128, 129] {
            let row = x.clone().narrow(0, i, 1);
            let alone = network.explain(&row, Target::Assigned, Beta::Value(0.01)).expect("valid");
            let together = vec![relevance[i].clone()];
            assert_rows_close(&rows(alone.relevance), &together, 4.0 * setup.tolerance, "alone");
            let alone = rows(model.transform(&row).expect("valid"));
            assert_rows_close(&alone, &vec![distances[i].clone()], setup.tolerance, "distances");
        }
    }
}

/// What all distances have in common costs no digits: not the place of the
/// data, and not what nearly equal centroids share.
pub fn common_parts_cost_no_digits<B: Backend>(setup: &Setup<B>) {
    for mut case in Case::all(setup, 19) {
        let moves = !matches!(
            case.distance,
            Distance::KullbackLeibler | Distance::ItakuraSaito | Distance::Logistic
        );
        let base = case.centroids[0].clone();
        for (k, row) in case.centroids.iter_mut().enumerate() {
            for (i, value) in row.iter_mut().enumerate() {
                if moves {
                    *value += 1000.0
                } else {
                    *value = base[i] * (1.0 + 1e-3 * ((k * 7 + i * 3) % 5) as f64 / 5.0)
                }
            }
        }
        if moves {
            case.x.iter_mut().flatten().for_each(|value| *value += 1000.0);
        }
        (case.x, case.centroids) = (setup.rounded(&case.x), setup.rounded(&case.centroids));
        let network = case.network(setup);
        let target = Target::Contrast { cluster: 1, versus: 4 };
        let found =
            network.explain(&setup.tensor(&case.x), target, Beta::Value(1.0)).expect("valid data");
        let expected = case.x.iter().map(|x| case.relevance(x, target, 1.0)).collect();
        let what = format!("{}", case.distance);
        // GPUs compute logarithms of numbers near 1 to an absolute error of a rounding.
        let digits = if B::name(&setup.device).contains("wgpu") { 100.0 } else { 10.0 };
        assert_rows_close(&rows(found.relevance), &expected, digits * setup.tolerance, &what);
    }
}

pub fn records<B: Backend>(setup: &Setup<B>) {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    for distance in DISTANCES.into_iter().chain([Distance::Power(1.1)]) {
        let (x, fit) = fitted(setup, distance, 40, |config| config);
        let model = fit.model;
        let same = |loaded: &SeparableKMeans<B>| {
            assert_eq!(loaded.distance(), distance);
            assert_eq!(values(loaded.centroids()), values(model.centroids()), "{distance}");
            assert_eq!(values(loaded.weights()), values(model.weights()), "{distance}");
            assert_eq!((loaded.beta(), loaded.dtype()), (model.beta(), setup.dtype));
            let explain = |model: &SeparableKMeans<B>| {
                let network = model.neuralize().expect("K > 1");
                let x = setup.tensor(&x);
                rows(
                    network
                        .explain(&x, Target::Assigned, Beta::Heuristic)
                        .expect("valid")
                        .relevance,
                )
            };
            assert_eq!(explain(loaded), explain(&model), "{distance}");
        };
        save_burnpack(&model, path("m.bpk")).expect("saved");
        save_safetensors(&model, path("m.safetensors")).expect("saved");
        same(&load_burnpack(path("m.bpk"), &setup.device, setup.dtype).expect("loaded"));
        same(&load_safetensors(path("m.safetensors"), &setup.device, setup.dtype).expect("loaded"));
        let recorder = NamedMpkFileRecorder::<DoublePrecisionSettings>::new();
        match save_record(&model, path("m"), &recorder) {
            Ok(file) => {
                same(&load_record(file, &recorder, &setup.device, setup.dtype).expect("loaded"));
            }
            Err(error) => {
                assert!(setup.dtype == DType::F64, "{error}");
                assert!(error.to_string().contains("use burnpack"), "{error}");
            }
        }
        // In the other precision the distance is still the same one.
        for dtype in [DType::F32, DType::F64] {
            let other: SeparableKMeans<Flex> =
                load_burnpack(path("m.bpk"), &Default::default(), dtype).expect("another backend");
            let power = |distance| match distance {
                Distance::Power(power) => power,
                _ => 0.0,
            };
            assert!((power(other.distance()) - power(distance)).abs() < 1e-6, "{distance}");
        }
    }
}

pub fn damaged_records<B: Backend>(setup: &Setup<B>) {
    let case = Case::new(setup, Distance::KullbackLeibler, 18);
    let model = case.model(setup);
    let broken = |change: &dyn Fn(&mut Record<B>)| {
        let mut record = model.clone().into_record();
        change(&mut record);
        let error = model.clone().load_record(record).checked().expect_err("damaged");
        error.to_string()
    };
    let column = |values: &[f64]| Param::from_tensor(setup.column(values));
    for code in [
        vec![9.0, 0.0],
        vec![0.5, 0.0],
        vec![2.0, 0.5],
        vec![2.0, 17.0],
        vec![4.0, 1.0],
        vec![f64::NAN, 0.0],
        vec![4.0, 0.0, 0.0],
        vec![4.0],
    ] {
        let error = broken(&|record| record.distance = column(&code));
        assert!(error.contains("tensor `distance` holds"), "{error}");
    }
    let error = broken(&|record| record.weights = column(&[1.0, 1.0]));
    assert!(error.contains("`weights` has 2 numbers for 4 features"), "{error}");
    let error = broken(&|record| record.weights = column(&[1.0, 2.0, 1.0, 1.0]));
    assert!(error.contains("must be 1"), "{error}");
    let error = broken(&|record| {
        record.distance = column(&[3.0, 0.0]);
        record.weights = column(&[1.0, -2.0, 1.0, 1.0]);
    });
    assert!(error.contains("at least 0"), "{error}");
    let error = broken(&|record| record.beta = column(&[-1.0]));
    assert!(error.contains("beta is -1"), "{error}");
    let mut centroids = case.centroids.clone();
    centroids[3][1] = -0.5;
    let error = broken(&|record| record.centroids = Param::from_tensor(setup.tensor(&centroids)));
    assert!(error.contains("row 3, column 1"), "{error}");
    centroids[3][1] = f64::NAN;
    let error = broken(&|record| record.centroids = Param::from_tensor(setup.tensor(&centroids)));
    assert!(error.contains("NaN"), "{error}");
    assert!(model.clone().load_record(model.clone().into_record()).checked().is_ok());
    // Where nobody checks after loading, the first use does.
    let x = setup.tensor(&case.x);
    let mut record = model.clone().into_record();
    record.distance = column(&[9.0, 0.0]);
    let error = model.clone().load_record(record).predict(&x).expect_err("no distance");
    assert!(matches!(error, Error::Record { .. }), "{error}");
    let mut record = model.clone().into_record();
    record.weights = column(&[1.0]);
    let error = model.clone().load_record(record).transform(&x).expect_err("one weight");
    assert!(matches!(error, Error::Record { .. }), "{error}");

    // Files: of another module, and cut short.
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    let load =
        |name: &str| load_burnpack::<B, SeparableKMeans<B>>(path(name), &setup.device, setup.dtype);
    save_burnpack(&setup.kmeans(&case.centroids), path("k.bpk")).expect("saved");
    assert!(load("k.bpk").expect_err("k-means").to_string().contains("distance"));
    save_burnpack(&model, path("m.bpk")).expect("saved");
    let bytes = std::fs::read(path("m.bpk")).expect("a file");
    for cut in (0..bytes.len()).step_by(bytes.len() / 12 + 1) {
        std::fs::write(path("cut.bpk"), &bytes[..cut]).expect("written");
        assert!(load("cut.bpk").is_err(), "cut at {cut}");
    }
    let recorder = NamedMpkFileRecorder::<FullPrecisionSettings>::new();
    let kmeans = setup.kmeans(&vec![vec![0.0, 0.5], vec![1.0, 2.0]]);
    let file = save_record(&kmeans, path("k"), &recorder).expect("saved");
    let loaded: neuralize::Result<SeparableKMeans<B>> =
        load_record(file, &recorder, &setup.device, setup.dtype);
    assert!(loaded.is_err());
}

pub fn names_and_settings<B: Backend>(setup: &Setup<B>) {
    let names = [
        "sqeuclidean",
        "manhattan",
        "power=1",
        "power=1.5",
        "power=3",
        "mahalanobis",
        "kl",
        "is",
        "logistic",
    ];
    for (distance, name) in DISTANCES.into_iter().zip(names) {
        assert_eq!(distance.to_string(), name);
        assert_eq!(name.parse::<Distance>().expect("a name"), distance);
    }
    for bad in
        ["", "euclid", "power", "power=", "power=x", "power=0.5", "power=17", "power=NaN", "KL"]
    {
        let error = bad.parse::<Distance>().expect_err("no name").to_string();
        assert!(error.starts_with("distance = ") && error.contains("power"), "{error}");
    }
    let x = setup.tensor(&vec![vec![0.5], vec![0.25], vec![0.75]]);
    let config = KMeansConfig::new(2);
    for power in [0.5, f64::NAN, f64::INFINITY, 16.5] {
        assert!(config.clone().with_distance(Distance::Power(power)).fit(&x).is_err());
        assert!(SeparableKMeans::from_centroids(x.clone(), Distance::Power(power)).is_err());
    }
    for (distance, smoothing) in [
        (Distance::Manhattan, 1.0),
        (Distance::KullbackLeibler, -1.0),
        (Distance::KullbackLeibler, f64::NAN),
    ] {
        let config = config.clone().with_distance(distance).with_smoothing(Some(smoothing));
        let error = config.fit(&x).expect_err("no smoothing").to_string();
        assert!(error.starts_with("smoothing = "), "{error}");
    }
    for bad in [
        KMeansConfig::new(0),
        config.clone().with_max_iter(0),
        config.clone().with_n_init(Some(0)),
        config.clone().with_tol(-1.0),
        config.clone().with_init(Init::Rows(vec![0, 9])),
        config.clone().with_init(Init::Rows(vec![0, 0])),
    ] {
        let error = bad.with_distance(Distance::Manhattan).fit(&x).expect_err("bad settings");
        assert!(matches!(error, Error::Config { .. }), "{error}");
    }
    let model = |distance| SeparableKMeans::from_centroids(x.clone(), distance).expect("valid");
    assert!(model(Distance::Manhattan).with_weights(setup.column(&[1.0])).is_err());
    for weights in [vec![], vec![1.0, 1.0], vec![-1.0], vec![f64::NAN]] {
        if !weights.is_empty() {
            assert!(model(Distance::Mahalanobis).with_weights(setup.column(&weights)).is_err());
        }
    }
    assert!(model(Distance::Manhattan).with_beta(f64::NAN).is_err());
    assert!(model(Distance::Manhattan).with_beta(-1.0).is_err());
    // The naive k-means knows the squared distance too.
    let d = rows(model(Distance::SquaredEuclidean).transform(&x).expect("valid"));
    assert_close(&d[0], &[0.0, naive::squared_distance(&[0.5], &[0.25]), 0.0625], 1e-6, "squares");
}
