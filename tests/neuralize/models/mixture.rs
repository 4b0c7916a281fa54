//! Gaussian mixtures: their fit, network and relevances against loops and other programs.

use burn::backend::Flex;
use burn::module::Module;
use burn::record::{FullPrecisionSettings, HalfPrecisionSettings, NamedMpkFileRecorder};
use burn::tensor::DType;
use burn::tensor::backend::Backend;
use neuralize::cluster::{GaussianMixture, GaussianMixtureConfig, KMeansConfig};
use neuralize::explain::{Beta, Explanation, Rule, Target};
use neuralize::network::Network;
use neuralize::record::{
    load_burnpack, load_record, load_safetensors, save_burnpack, save_record, save_safetensors,
};

use crate::suite::{
    Rows, Setup, assert_close, assert_rows_close, indices, random_rows, rows, values,
};

const BETAS: [f64; 5] = [0.0, 0.1, 1.0, 25.0, f64::INFINITY];

const TARGETS: [Target; 5] = [
    Target::Assigned,
    Target::Cluster(0),
    Target::Cluster(3),
    Target::Contrast { cluster: 2, versus: 1 },
    Target::AssignedVersus(1),
];

/// A mixture as numbers.
struct Parts {
    means: Rows,
    variances: Rows,
    weights: Vec<f64>,
}

impl Parts {
    fn random<B: Backend>(setup: &Setup<B>, k: usize, d: usize, seed: u64) -> Self {
        let spread = |row: &Vec<f64>| row.iter().map(|v| (0.5 * v).exp()).collect();
        let weights = random_rows(1, k, 0.0, seed + 2)[0].iter().map(|v| v.exp()).collect();
        Self {
            means: setup.rounded(&random_rows(k, d, 0.3, seed)),
            variances: setup
                .rounded(&random_rows(k, d, 0.0, seed + 1).iter().map(spread).collect()),
            weights: setup.rounded(&vec![weights]).remove(0),
        }
    }

    fn mixture<B: Backend>(&self, setup: &Setup<B>) -> GaussianMixture<B> {
        let (means, variances) = (setup.tensor(&self.means), setup.tensor(&self.variances));
        GaussianMixture::from_parts(means, variances, setup.column(&self.weights)).expect("valid")
    }

    fn prior(&self, k: usize) -> f64 {
        (self.weights[k] / self.weights.iter().sum::<f64>()).ln()
    }

    /// log π_k + log N(x; μ_k, σ²_k), feature by feature.
    fn log_joint(&self, x: &[f64], k: usize) -> f64 {
        let log_normal = |x: f64, mean: f64, variance: f64| {
            // Written as a logarithm: the density itself underflows far off.
            -0.5 * (2.0 * std::f64::consts::PI * variance).ln()
                - (x - mean).powi(2) / (2.0 * variance)
        };
        (0..x.len())
            .map(|i| log_normal(x[i], self.means[k][i], self.variances[k][i]))
            .fold(self.prior(k), |sum, part| sum + part)
    }

    fn log_joints(&self, x: &[f64]) -> Vec<f64> {
        (0..self.weights.len()).map(|k| self.log_joint(x, k)).collect()
    }

    fn assigned(&self, x: &[f64]) -> usize {
        let s = self.log_joints(x);
        (0..s.len()).fold(0, |best, k| if s[k] > s[best] { k } else { best })
    }

    /// f_c = min over k≠c of s_c − s_k.
    fn margin(&self, x: &[f64], c: usize) -> f64 {
        let s = self.log_joints(x);
        let others = (0..s.len()).filter(|k| *k != c);
        others.map(|k| s[c] - s[k]).fold(f64::INFINITY, f64::min)
    }

    /// Relevances, then what prior and variances absorb, from the definitions:
    /// competitor by competitor `(R_k / h_ck)` times its part of `h_ck`.
    fn neon(&self, x: &[f64], target: Target, beta: f64) -> Vec<f64> {
        let d = x.len();
        let assigned = self.assigned(x);
        let all_but = |c: usize| (0..self.weights.len()).filter(|k| *k != c).collect::<Vec<_>>();
        let (c, competitors) = match target {
            Target::Assigned => (assigned, all_but(assigned)),
            Target::Cluster(c) if c == assigned => (c, all_but(c)),
            Target::Cluster(c) => (c, vec![assigned]),
            Target::Contrast { cluster, versus } => (cluster, vec![versus]),
            Target::AssignedVersus(k) if k == assigned => return vec![0.0; d + 2],
            Target::AssignedVersus(k) => (assigned, vec![k]),
            _ => unreachable!("a target without a twin"),
        };
        let s = self.log_joints(x);
        let h: Vec<f64> = competitors.iter().map(|&k| s[c] - s[k]).collect();
        let f = h.iter().copied().fold(f64::INFINITY, f64::min);
        let soft: Vec<f64> = h.iter().map(|h| (-beta.min(1e12) * (h - f)).exp()).collect();
        let total: f64 = soft.iter().sum();
        let mut found = vec![0.0; d + 2];
        for ((&k, h), soft) in competitors.iter().zip(&h).zip(&soft) {
            let rho = soft / total * f / h;
            for i in 0..d {
                let half =
                    |k: usize| 0.5 * (x[i] - self.means[k][i]).powi(2) / self.variances[k][i];
                found[i] += rho * (half(k) - half(c));
                found[d + 1] += rho * 0.5 * (self.variances[k][i].ln() - self.variances[c][i].ln());
            }
            found[d] += rho * (self.prior(c) - self.prior(k));
        }
        found
    }
}

/// Relevances and absorbed parts side by side.
fn parts<B: Backend>(found: &Explanation<B>) -> Rows {
    let names: Vec<&str> = found.absorbed.iter().map(|part| part.name).collect();
    assert_eq!(names, ["prior", "variance"]);
    let absorbed: Vec<Vec<f64>> =
        found.absorbed.iter().map(|part| values(part.amount.clone())).collect();
    let mut parts = rows(found.relevance.clone());
    for (i, row) in parts.iter_mut().enumerate() {
        row.extend(absorbed.iter().map(|part| part[i]));
    }
    parts
}

pub fn log_joint_and_decisions<B: Backend>(setup: &Setup<B>) {
    let parts = Parts::random(setup, 4, 5, 1);
    let mixture = parts.mixture(setup);
    let x = setup.rounded(&random_rows(60, 5, 0.3, 7));
    let table = setup.tensor(&x);

    let expected: Rows = x.iter().map(|x| parts.log_joints(x)).collect();
    let found = mixture.log_joint(&table).expect("valid");
    assert_rows_close(&rows(found), &expected, setup.tolerance, "log joint");
    let labels: Vec<usize> = x.iter().map(|x| parts.assigned(x)).collect();
    assert_eq!(indices(mixture.predict(&table).expect("valid")), labels);
    assert!((0..4).all(|k| labels.contains(&k)), "every component has rows: {labels:?}");

    let probabilities: Rows = expected
        .iter()
        .map(|s| {
            let total: f64 = s.iter().map(|s| s.exp()).sum();
            s.iter().map(|s| s.exp() / total).collect()
        })
        .collect();
    let found = mixture.responsibilities(&table).expect("valid");
    assert_rows_close(&rows(found), &probabilities, setup.tolerance, "responsibilities");
    let likelihood = expected.iter().map(|s| s.iter().map(|s| s.exp()).sum::<f64>().ln());
    let mean = likelihood.sum::<f64>() / x.len() as f64;
    let found = mixture.log_likelihood(&table).expect("valid");
    assert!((found - mean).abs() < setup.tolerance * mean.abs(), "{found} against {mean}");

    // The network: the margin of every component, and the same decisions.
    let network =
        mixture.neuralize().and_then(|network| network.with_rule(Rule::Summed)).expect("K > 1");
    let margins: Rows = x.iter().map(|x| (0..4).map(|c| parts.margin(x, c)).collect()).collect();
    let found = network.forward(table.clone()).expect("valid");
    assert_rows_close(&rows(found), &margins, setup.tolerance, "margins");
    assert_eq!(indices(network.predict(&table).expect("valid")), labels);
    let (same, logits) = network.predict_with_logit(&table).expect("valid");
    assert_eq!(indices(same), labels);
    let own: Vec<f64> = margins.iter().zip(&labels).map(|(row, c)| row[*c]).collect();
    assert_close(&values(logits), &own, 50.0 * setup.tolerance, "own margins");
    assert_eq!(rows(Network::centroids(&network)), parts.means);
}

pub fn mixture_equals_the_definition<B: Backend>(setup: &Setup<B>) {
    let definition = Parts::random(setup, 4, 5, 11);
    let x = setup.rounded(&random_rows(60, 5, 0.3, 17));
    let network = definition
        .mixture(setup)
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1");
    for target in TARGETS {
        for beta in BETAS {
            let found =
                network.explain(&setup.tensor(&x), target, Beta::Value(beta)).expect("valid data");
            let expected: Rows = x.iter().map(|x| definition.neon(x, target, beta)).collect();
            let what = format!("{target:?}, beta {beta}");
            // An exponent β h carries β times the rounding of h.
            let tolerance = setup.tolerance * (1.0 + if beta.is_finite() { beta } else { 0.0 });
            assert_rows_close(&parts(&found), &expected, tolerance, &what);
            let sums: Vec<f64> = expected.iter().map(|row| row.iter().sum()).collect();
            assert_close(&values(found.logit), &sums, 50.0 * setup.tolerance, &what);
        }
    }
}

pub fn mixture_conserves<B: Backend>(setup: &Setup<B>) {
    let tolerance = if setup.dtype == DType::F64 { 1e-12 } else { 1e-5 };
    let definition = Parts::random(setup, 4, 5, 21);
    let x = setup.tensor(&random_rows(60, 5, 0.3, 27));
    let network = definition
        .mixture(setup)
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1");
    for target in TARGETS {
        for beta in BETAS {
            let found = network.explain(&x, target, Beta::Value(beta)).expect("valid data");
            for (row, logit) in parts(&found).iter().zip(values(found.logit.clone())) {
                let size: f64 = row.iter().map(|part| part.abs()).sum();
                let error = (row.iter().sum::<f64>() - logit).abs();
                assert!(error <= tolerance * size, "{target:?}, {beta}: {error} of {size}");
            }
            let error = values(found.conservation_error());
            assert!(error.iter().all(|error| *error <= tolerance), "{target:?}, {beta}");
        }
    }
}

/// Equal priors and unit variances: NEON for k-means, halved.
pub fn equal_components_are_kmeans<B: Backend>(setup: &Setup<B>) {
    let means = setup.rounded(&random_rows(5, 4, 3.0, 31));
    let x = setup.tensor(&random_rows(40, 4, 3.0, 32));
    let parts = Parts { variances: vec![vec![1.0; 4]; 5], weights: vec![0.2; 5], means };
    let network = parts
        .mixture(setup)
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1");
    let kmeans = setup.kmeans(&parts.means).neuralize().expect("K > 1");
    for target in TARGETS {
        for beta in BETAS {
            let found = network.explain(&x, target, Beta::Value(2.0 * beta)).expect("valid");
            let expected = kmeans.explain(&x, target, Beta::Value(beta)).expect("valid");
            let what = format!("{target:?}, beta {beta}");
            let tolerance = setup.tolerance * (1.0 + if beta.is_finite() { beta } else { 0.0 });
            let halves = rows(expected.relevance * 0.5);
            assert_rows_close(&rows(found.relevance), &halves, tolerance, &what);
            let halves = values(expected.logit * 0.5);
            assert_close(&values(found.logit), &halves, 20.0 * setup.tolerance, &what);
            assert_rows_close(&rows(found.shares), &rows(expected.shares), tolerance, &what);
            assert_eq!(indices(found.cluster), indices(expected.cluster), "{what}");
            for part in found.absorbed {
                assert!(values(part.amount).iter().all(|amount| *amount == 0.0), "{}", part.name);
            }
        }
    }
}

/// An origin far away costs no digits but those of the data.
pub fn mixture_far_from_the_origin<B: Backend>(setup: &Setup<B>) {
    let mut definition = Parts::random(setup, 4, 5, 111);
    let away = |table: &Rows| -> Rows {
        table.iter().map(|row| row.iter().map(|value| value + 3000.0).collect()).collect()
    };
    definition.means = setup.rounded(&away(&definition.means));
    let x = setup.rounded(&away(&random_rows(60, 5, 0.3, 117)));
    let network = definition
        .mixture(setup)
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1");
    for target in TARGETS {
        let found = network.explain(&setup.tensor(&x), target, Beta::Value(1.0)).expect("valid");
        let expected: Rows = x.iter().map(|x| definition.neon(x, target, 1.0)).collect();
        let tolerance = 2.0 * setup.tolerance;
        assert_rows_close(&parts(&found), &expected, tolerance, &format!("{target:?}"));
    }
}

/// Narrow components far from the common centre, where products would leave
/// no digit.
pub fn narrow_and_far<B: Backend>(setup: &Setup<B>) {
    for wide in [10.0, 30.0, 1e3, 1e5] {
        let definition = Parts {
            means: [0.0, 10.0, 10.0 * wide].map(|mean| vec![mean; 3]).to_vec(),
            variances: [1.0, 2.0, wide * wide].map(|variance| vec![variance; 3]).to_vec(),
            weights: vec![1.0, 1.0, 2.0],
        };
        let mut x = random_rows(40, 3, 0.0, 101);
        for (i, row) in x.iter_mut().enumerate() {
            row.iter_mut().for_each(|value| *value += [0.0, 10.0, 5.0, 9.0 * wide][i % 4]);
        }
        let x = setup.rounded(&x);
        let network = definition
            .mixture(setup)
            .neuralize()
            .and_then(|network| network.with_rule(Rule::Summed))
            .expect("K > 1");
        for target in [Target::Assigned, Target::Cluster(1), Target::AssignedVersus(2)] {
            let found = network.explain(&setup.tensor(&x), target, Beta::Value(0.1));
            let expected: Rows = x.iter().map(|x| definition.neon(x, target, 0.1)).collect();
            let what = format!("{wide}, {target:?}");
            let tolerance = 10.0 * setup.tolerance;
            assert_rows_close(&parts(&found.expect("valid")), &expected, tolerance, &what);
        }
    }
}

pub fn mixture_blocks_make_no_difference<B: Backend>(setup: &Setup<B>) {
    let parts = Parts::random(setup, 30, 300, 41);
    let (n, d) = (4000, 300);
    let x = setup.tensor(&random_rows(n, d, 0.3, 44));
    let network = parts
        .mixture(setup)
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1");
    let all = network.explain(&x, Target::Assigned, Beta::Value(0.01)).expect("valid");
    let (relevance, prior) = (rows(all.relevance.clone()), values(all.absorbed[0].amount.clone()));
    assert_eq!((relevance.len(), prior.len()), (n, n));
    // Blocks are of 2^20 / 330 = 3177 rows.
    for i in [0, 1, 3176, 3177, 3999] {
        let alone = network
            .explain(&x.clone().narrow(0, i, 1), Target::Assigned, Beta::Value(0.01))
            .expect("valid");
        let together = vec![relevance[i].clone()];
        assert_rows_close(&rows(alone.relevance), &together, 2.0 * setup.tolerance, "alone");
        let own = values(alone.absorbed[0].amount.clone());
        assert_close(&own, &prior[i..=i], 100.0 * setup.tolerance, "prior");
    }
}

pub fn mixture_permutations<B: Backend>(setup: &Setup<B>) {
    let parts = Parts::random(setup, 4, 5, 51);
    let x = setup.rounded(&random_rows(30, 5, 0.3, 57));
    let explain = |parts: &Parts, x: &Rows| {
        let network = parts
            .mixture(setup)
            .neuralize()
            .and_then(|network| network.with_rule(Rule::Summed))
            .expect("K > 1");
        network.explain(&setup.tensor(x), Target::Assigned, Beta::Value(0.7)).expect("valid")
    };
    let found = explain(&parts, &x);
    let features = [3, 0, 4, 1, 2];
    let pick = |table: &Rows| -> Rows {
        table.iter().map(|row| features.iter().map(|&i| row[i]).collect()).collect()
    };
    let permuted = Parts {
        means: pick(&parts.means),
        variances: pick(&parts.variances),
        weights: parts.weights.clone(),
    };
    let again = explain(&permuted, &pick(&x));
    let expected = pick(&rows(found.relevance.clone()));
    assert_rows_close(&rows(again.relevance), &expected, setup.tolerance, "features");

    let order = [2, 3, 0, 1];
    let permuted = Parts {
        means: order.iter().map(|&k| parts.means[k].clone()).collect(),
        variances: order.iter().map(|&k| parts.variances[k].clone()).collect(),
        weights: order.iter().map(|&k| parts.weights[k]).collect(),
    };
    let again = explain(&permuted, &x);
    let expected = rows(found.relevance);
    assert_rows_close(&rows(again.relevance), &expected, setup.tolerance, "components");
    let clusters: Vec<usize> = indices(again.cluster).into_iter().map(|k| order[k]).collect();
    assert_eq!(clusters, indices(found.cluster));
}

/// Three clouds of different widths and sizes.
fn clouds<B: Backend>(setup: &Setup<B>) -> Rows {
    let mut x = Rows::new();
    for (seed, n, width, place) in
        [(61, 60, 1.0, [0.0, 0.0]), (62, 40, 0.3, [2.5, 1.0]), (63, 20, 2.0, [0.0, 9.0])]
    {
        for row in random_rows(n, 2, 0.0, seed) {
            x.push(vec![place[0] + width * row[0], place[1] + 0.5 * width * row[1]]);
        }
    }
    setup.rounded(&x)
}

/// Means, variances and weights with rows weighed by r, `[N][K]`.
fn weighed(x: &Rows, r: &Rows, floor: f64) -> Parts {
    let (k, d, n) = (r[0].len(), x[0].len(), x.len() as f64);
    let mut parts = Parts { means: Rows::new(), variances: Rows::new(), weights: Vec::new() };
    let overall = |i: usize| {
        let mean = x.iter().map(|x| x[i]).sum::<f64>() / n;
        x.iter().map(|x| (x[i] - mean).powi(2)).sum::<f64>() / n
    };
    for k in 0..k {
        let total: f64 = r.iter().map(|r| r[k]).sum();
        let mean = |i: usize| x.iter().zip(r).map(|(x, r)| r[k] * x[i]).sum::<f64>() / total;
        let variance = |i: usize| {
            let squares = x.iter().zip(r).map(|(x, r)| r[k] * (x[i] - mean(i)).powi(2));
            (squares.sum::<f64>() / total).max(floor * overall(i))
        };
        parts.means.push((0..d).map(mean).collect());
        parts.variances.push((0..d).map(variance).collect());
        parts.weights.push(total / n);
    }
    parts
}

/// EM in plain loops against the first iterations of a fit.
pub fn iterations_by_hand<B: Backend>(setup: &Setup<B>) {
    let x = clouds(setup);
    let table = setup.tensor(&x);
    let start = KMeansConfig::new(3).with_seed(5).fit(&table).expect("a fit");
    let one_hot = |label: usize| (0..3).map(|k| f64::from(u8::from(k == label))).collect();
    for floor in [1e-6, 0.2] {
        let hard: Rows = indices(start.labels.clone()).into_iter().map(one_hot).collect();
        let mut expected = weighed(&x, &hard, floor);
        for iterations in 1..4 {
            let r: Rows = x
                .iter()
                .map(|x| {
                    let joint: Vec<f64> = expected.log_joints(x).iter().map(|s| s.exp()).collect();
                    let total: f64 = joint.iter().sum();
                    joint.iter().map(|joint| joint / total).collect()
                })
                .collect();
            expected = weighed(&x, &r, floor);
            let fit = GaussianMixtureConfig::new(3)
                .with_seed(5)
                .with_max_iter(iterations)
                .with_tol(0.0)
                .with_variance_floor(floor)
                .fit(&table)
                .expect("a fit");
            assert_eq!((fit.n_iter, fit.converged), (iterations, false));
            let tolerance = 10.0 * setup.tolerance;
            let what = format!("{iterations} iterations, floor {floor}");
            assert_rows_close(&rows(fit.model.means()), &expected.means, tolerance, &what);
            assert_rows_close(&rows(fit.model.variances()), &expected.variances, tolerance, &what);
            let weights: Vec<f64> =
                values(fit.model.log_weights()).into_iter().map(f64::exp).collect();
            assert_close(&weights, &expected.weights, tolerance, &what);
            let mean = x
                .iter()
                .map(|x| expected.log_joints(x).iter().map(|s| s.exp()).sum::<f64>().ln())
                .sum::<f64>()
                / x.len() as f64;
            assert!((fit.log_likelihood - mean).abs() < tolerance * mean.abs(), "{what}");
        }
    }
}

pub fn likelihood_never_falls<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(90, 3, 2.0, 71));
    let fit = |iterations| {
        let config = GaussianMixtureConfig::new(4).with_tol(0.0).with_max_iter(iterations);
        config.fit(&x).expect("a fit").log_likelihood
    };
    let likelihoods: Vec<f64> = (1..16).map(fit).collect();
    for pair in likelihoods.windows(2) {
        assert!(pair[1] >= pair[0] - setup.tolerance, "{likelihoods:?}");
    }
    assert!(likelihoods[14] > likelihoods[0] + 1e-3, "EM does something: {likelihoods:?}");
}

pub fn what_a_mixture_fit_says<B: Backend>(setup: &Setup<B>) {
    let rows_of = clouds(setup);
    let x = setup.tensor(&rows_of);
    let config = GaussianMixtureConfig::new(3).with_seed(3).with_n_init(3);
    let fit = config.fit(&x).expect("a fit");
    assert!(fit.converged && fit.n_iter < 200);
    let labels = indices(fit.labels);
    assert_eq!(labels, indices(fit.model.predict(&x).expect("valid")));
    let sizes: Vec<usize> =
        (0..3).map(|k| labels.iter().filter(|label| **label == k).count()).collect();
    assert_eq!(fit.sizes, sizes);
    // The planted clouds, but for a few rows where they touch.
    for (range, n) in [(0..60, 60), (60..100, 40), (100..120, 20)] {
        let most = (0..3).map(|k| labels[range.clone()].iter().filter(|l| **l == k).count()).max();
        assert!(most.expect("three") as f64 >= 0.9 * n as f64, "{labels:?}");
    }
    let likelihood = fit.model.log_likelihood(&x).expect("valid");
    assert_eq!(fit.log_likelihood, likelihood);
    let total: f64 = values(fit.model.log_weights()).into_iter().map(f64::exp).sum();
    assert!((total - 1.0).abs() < setup.tolerance);

    let single = config.clone().with_n_init(1).fit(&x).expect("a fit");
    assert!(likelihood >= single.log_likelihood - setup.tolerance);
    let again = config.fit(&x).expect("a fit");
    assert_eq!(rows(again.model.means()), rows(fit.model.means()));
    assert_eq!(rows(again.model.variances()), rows(fit.model.variances()));

    // β is 1 / mean of the logits, and belongs to the model.
    let network =
        fit.model.neuralize().and_then(|network| network.with_rule(Rule::Summed)).expect("K > 1");
    let (_, logits) = network.predict_with_logit(&x).expect("valid");
    let logits = values(logits);
    let beta = logits.len() as f64 / logits.iter().sum::<f64>();
    let found = fit.model.beta().expect("known");
    assert!((found - beta).abs() < setup.tolerance * beta, "{found} against {beta}");
    assert_eq!(network.beta(), fit.model.beta());
    let parts = fit.model.clone().with_beta(7.0).expect("valid");
    assert_eq!(parts.beta(), Some(7.0));
    let parts = parts.with_heuristic_beta(&x).expect("valid").beta().expect("known");
    assert!((parts - beta).abs() < setup.tolerance * beta);

    // Units do not matter to what is explained.
    let scaled: Rows = rows_of.iter().map(|x| vec![1e-4 * x[0], 1e5 * x[1] + 1e5]).collect();
    let means =
        rows(fit.model.means()).iter().map(|m| vec![1e-4 * m[0], 1e5 * m[1] + 1e5]).collect();
    let variances =
        rows(fit.model.variances()).iter().map(|v| vec![1e-8 * v[0], 1e10 * v[1]]).collect();
    let weights = values(fit.model.log_weights()).into_iter().map(f64::exp).collect();
    let other = Parts { means, variances, weights }
        .mixture(setup)
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1");
    let found =
        other.explain(&setup.tensor(&scaled), Target::Assigned, Beta::Value(beta)).expect("valid");
    let expected = network.explain(&x, Target::Assigned, Beta::Value(beta)).expect("valid");
    let expected = rows(expected.relevance);
    // Rounding of the data themselves, squared at σ = 0.3 among means at 9.
    let tolerance = if setup.dtype == DType::F64 { 1e-9 } else { 1e-2 };
    assert_rows_close(&rows(found.relevance), &expected, tolerance, "other units");
}

pub fn mixture_constant_features<B: Backend>(setup: &Setup<B>) {
    let x: Rows = clouds(setup).iter().map(|x| vec![x[0], 0.1, x[1], -7e5]).collect();
    let x = setup.rounded(&x);
    let fit = GaussianMixtureConfig::new(3).fit(&setup.tensor(&x)).expect("a fit");
    for (mean, variance) in rows(fit.model.means()).iter().zip(rows(fit.model.variances())) {
        assert_eq!([mean[1], mean[3], variance[1], variance[3]], [x[0][1], x[0][3], 1.0, 1.0]);
    }
    // Also for rows in which they are something else.
    let other: Rows = x.iter().map(|x| vec![x[0], 5.0, x[2], -6e5]).collect();
    let network =
        fit.model.neuralize().and_then(|network| network.with_rule(Rule::Summed)).expect("K > 1");
    let explain = |x: &Rows| {
        network.explain(&setup.tensor(x), Target::Assigned, Beta::Heuristic).expect("valid")
    };
    let (found, moved) = (explain(&x), explain(&other));
    assert_eq!(values(found.logit), values(moved.logit));
    for row in rows(found.relevance).iter().chain(&rows(moved.relevance)) {
        assert_eq!((row[1], row[3]), (0.0, 0.0));
    }
    // All of them constant but one row.
    let mut rare = vec![vec![2.0, 3.0]; 9];
    rare.push(vec![2.0, 4.0]);
    let fit = GaussianMixtureConfig::new(2).fit(&setup.tensor(&rare)).expect("two distinct rows");
    let mut sizes = fit.sizes;
    sizes.sort_unstable();
    assert_eq!(sizes, [1, 9]);
    assert!(fit.log_likelihood.is_finite());
}

pub fn mixture_edges<B: Backend>(setup: &Setup<B>) {
    let x = clouds(setup);
    let table = setup.tensor(&x);
    let parts = Parts::random(setup, 3, 2, 81);
    let mixture = parts.mixture(setup);
    let network =
        mixture.neuralize().and_then(|network| network.with_rule(Rule::Summed)).expect("K > 1");
    let explain = |x: &Rows, target| network.explain(&setup.tensor(x), target, Beta::Value(1.0));

    // One component: a density, but nothing to explain.
    let one = GaussianMixtureConfig::new(1).fit(&table).expect("a fit").model;
    assert_eq!(one.beta(), None);
    assert!(indices(one.predict(&table).expect("valid")).iter().all(|label| *label == 0));
    assert!(one.neuralize().expect_err("no competitor").to_string().contains("no competitor"));
    assert!(one.with_heuristic_beta(&table).is_err());

    // No rows, one row, one feature.
    let none = table.clone().slice([0..0, 0..2]);
    let found = network.explain(&none, Target::Assigned, Beta::Value(1.0)).expect("no rows");
    assert!(found.is_empty() && found.shares.dims() == [0, 3]);
    let names: Vec<_> = found.absorbed.iter().map(|part| (part.name, part.amount.dims())).collect();
    assert_eq!(names, [("prior", [0]), ("variance", [0])]);
    assert_eq!(found.sums().dims(), [0]);
    assert_eq!(mixture.log_joint(&none).expect("no rows").dims(), [0, 3]);
    assert_eq!(mixture.responsibilities(&none).expect("no rows").dims(), [0, 3]);
    assert_eq!(mixture.predict(&none).expect("no rows").dims(), [0]);
    assert_eq!(network.forward(none.clone()).expect("no rows").dims(), [0, 3]);
    assert!(mixture.log_likelihood(&none).is_err());
    assert!(GaussianMixtureConfig::new(1).fit(&none).is_err());
    assert_eq!(explain(&vec![x[0].clone()], Target::Assigned).expect("one row").len(), 1);
    let single = GaussianMixtureConfig::new(1).fit(&setup.tensor(&vec![x[0].clone()]));
    assert!(single.expect("one row").log_likelihood.is_finite());
    let column: Rows = x.iter().map(|x| vec![x[1]]).collect();
    let fit = GaussianMixtureConfig::new(2).fit(&setup.tensor(&column)).expect("one feature");
    assert_eq!(fit.sizes.iter().sum::<usize>(), x.len());

    // Two components at the same place: a boundary everywhere.
    let twins = Parts {
        means: vec![vec![1.0, 2.0]; 2],
        variances: vec![vec![0.5, 3.0]; 2],
        weights: vec![1.0, 1.0],
    };
    let found = twins
        .mixture(setup)
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1")
        .explain(&table, Target::Assigned, Beta::Value(1.0))
        .expect("valid");
    assert!(values(found.relevance).iter().chain(&values(found.logit)).all(|r| *r == 0.0));

    // Duplicated rows, more components than distinct rows.
    let twice = vec![vec![1.0, 2.0], vec![1.0, 2.0], vec![3.0, 2.0]];
    let error = GaussianMixtureConfig::new(3).fit(&setup.tensor(&twice)).expect_err("two rows");
    assert!(error.to_string().contains("distinct"), "{error}");
    let fit = GaussianMixtureConfig::new(2).fit(&setup.tensor(&twice)).expect("two rows");
    assert!(values(fit.model.variances()).iter().all(|v| v.is_finite() && *v > 0.0));

    // Far away, but not too far.
    let far = explain(&vec![vec![1e6, -1e6]], Target::Assigned).expect("far");
    assert!(values(far.relevance).iter().all(|r| r.is_finite()));
    let too_far = if setup.dtype == DType::F64 { 1e160 } else { 1e25 };
    let error = explain(&vec![vec![0.0, 0.0], vec![0.0, too_far]], Target::Assigned);
    assert!(error.expect_err("too far").to_string().contains("row 1, column 1"));
    let narrow = Parts {
        means: vec![vec![0.0], vec![0.0]],
        variances: vec![vec![1e-30], vec![1.0]],
        weights: vec![1.0, 1.0],
    };
    let narrow = narrow
        .mixture(setup)
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1");
    let found = narrow.explain(
        &setup.tensor(&vec![vec![0.0], vec![3.0]]),
        Target::Assigned,
        Beta::Value(1.0),
    );
    let found = found.expect("valid");
    assert_eq!(indices(found.cluster), [0, 1]);
    assert!(values(found.logit).iter().all(|f| f.is_finite() && *f > 0.0));

    // What is no data and no question.
    for bad in [f64::NAN, f64::INFINITY] {
        let error = explain(&vec![vec![0.0, 0.0], vec![bad, 0.0]], Target::Assigned);
        assert!(error.expect_err("no number").to_string().contains("row 1, column 0"));
        assert!(GaussianMixtureConfig::new(1).fit(&setup.tensor(&vec![vec![bad]])).is_err());
    }
    assert!(explain(&vec![vec![0.0; 3]], Target::Assigned).is_err());
    assert!(explain(&x, Target::Cluster(3)).is_err());
    assert!(explain(&x, Target::Contrast { cluster: 1, versus: 1 }).is_err());
    assert!(network.explain(&table, Target::Assigned, Beta::Value(-1.0)).is_err());
    assert!(network.explain(&table, Target::Assigned, Beta::Heuristic).is_err());
    assert!(mixture.clone().with_beta(f64::NAN).is_err());
}

pub fn mixture_bad_parts<B: Backend>(setup: &Setup<B>) {
    let good = || (vec![vec![0.0, 1.0], vec![2.0, 3.0]], vec![vec![1.0, 1.0]; 2], vec![0.5, 0.5]);
    let refused = |means: &Rows, variances: &Rows, weights: &[f64], says: &str| {
        let found = GaussianMixture::from_parts(
            setup.tensor(means),
            setup.tensor(variances),
            setup.column(weights),
        );
        let error = found.expect_err(says).to_string();
        assert!(error.contains(says), "{error}");
    };
    let (means, variances, weights) = good();
    for bad in [0.0, -1.0, f64::NAN, f64::INFINITY] {
        refused(&means, &vec![vec![1.0, 1.0], vec![1.0, bad]], &weights, "column 1 in component 1");
        refused(&means, &variances, &[0.5, bad], "weight of a component");
    }
    refused(&vec![vec![0.0, f64::NAN], vec![2.0, 3.0]], &variances, &weights, "the table of means");
    refused(&means, &vec![vec![1.0, 1.0]], &weights, "the table of variances");
    refused(&means, &variances, &[1.0], "the tensor of weights");
    let far = if setup.dtype == DType::F64 { 1e150 } else { 1e15 };
    let narrow = if setup.dtype == DType::F64 { 1e-100 } else { 1e-20 };
    let spread = vec![vec![narrow, 1.0]; 2];
    refused(&vec![vec![0.0, 0.0], vec![far, 0.0]], &spread, &weights, "standard deviations");

    let x = setup.tensor(&random_rows(9, 2, 0.0, 1));
    let config = || GaussianMixtureConfig::new(2);
    for (config, name) in [
        (GaussianMixtureConfig::new(0), "n_clusters"),
        (config().with_n_init(0), "n_init"),
        (config().with_max_iter(0), "max_iter"),
        (config().with_tol(-1.0), "tol"),
        (config().with_tol(f64::NAN), "tol"),
        (config().with_variance_floor(0.0), "variance_floor"),
        (config().with_variance_floor(f64::NAN), "variance_floor"),
    ] {
        let error = config.fit(&x).expect_err(name).to_string();
        assert!(error.starts_with(name), "{error}");
    }
}

pub fn mixture_records<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&clouds(setup));
    let mixture = GaussianMixtureConfig::new(3).fit(&x).expect("a fit").model;
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    let numbers = |mixture: &GaussianMixture<B>| {
        let beta = mixture.beta();
        (rows(mixture.means()), rows(mixture.variances()), values(mixture.log_weights()), beta)
    };
    let explain = |mixture: &GaussianMixture<B>| {
        let network =
            mixture.neuralize().and_then(|network| network.with_rule(Rule::Summed)).expect("K > 1");
        rows(network.explain(&x, Target::Assigned, Beta::Heuristic).expect("valid").relevance)
    };

    save_burnpack(&mixture, path("m.bpk")).expect("saved");
    save_safetensors(&mixture, path("m.safetensors")).expect("saved");
    let pack: GaussianMixture<B> =
        load_burnpack(path("m.bpk"), &setup.device, setup.dtype).expect("loaded");
    let tensors: GaussianMixture<B> =
        load_safetensors(path("m.safetensors"), &setup.device, setup.dtype).expect("loaded");
    for loaded in [pack, tensors] {
        assert_eq!(numbers(&loaded), numbers(&mixture));
        assert_eq!(explain(&loaded), explain(&mixture));
    }
    let recorder = NamedMpkFileRecorder::<FullPrecisionSettings>::new();
    let file = save_record(&mixture, path("m"), &recorder).expect("saved");
    let loaded: GaussianMixture<B> =
        load_record(&file, &recorder, &setup.device, setup.dtype).expect("loaded");
    match setup.dtype {
        DType::F32 => assert_eq!(numbers(&loaded), numbers(&mixture)),
        _ => assert_rows_close(&numbers(&loaded).1, &numbers(&mixture).1, 1e-6, "in f32"),
    }
    let half = NamedMpkFileRecorder::<HalfPrecisionSettings>::new();
    let rounded = save_record(&mixture, path("half"), &half).expect("saved");
    load_record::<B, GaussianMixture<B>, _>(&rounded, &half, &setup.device, setup.dtype)
        .expect("weights that sum to one but for rounding");

    // Loaded by Burn without a word, and refused afterwards.
    let table = |values: Vec<f64>, columns: usize| {
        setup.tensor(&values.chunks(columns).map(<[f64]>::to_vec).collect())
    };
    let parameter = |tensor| burn::module::Param::initialized(burn::module::ParamId::new(), tensor);
    let mut record = mixture.clone().into_record();
    record.variances = parameter(table(vec![1.0; 4], 2));
    assert!(mixture.clone().load_record(record).checked().is_err(), "two rows of variances");
    let mut record = mixture.clone().into_record();
    record.variances = parameter(table(vec![1.0, 1.0, 1.0, -1.0, 1.0, 1.0], 2));
    assert!(mixture.clone().load_record(record).checked().is_err(), "a negative variance");
    let mut record = mixture.clone().into_record();
    record.log_weights =
        burn::module::Param::initialized(burn::module::ParamId::new(), setup.column(&[0.0; 3]));
    assert!(mixture.clone().load_record(record).checked().is_err(), "weights that sum to 3");
    assert!(mixture.clone().checked().is_ok());

    // Truncated files, and a file of something else.
    for name in ["m.bpk", "m.safetensors", "m.mpk"] {
        let bytes = std::fs::read(path(name)).expect("a file");
        for cut in (0..bytes.len()).step_by(bytes.len() / 6 + 1) {
            std::fs::write(path(name), &bytes[..cut]).expect("written");
            let loaded: neuralize::Result<GaussianMixture<B>> = match name {
                "m.bpk" => load_burnpack(path(name), &setup.device, setup.dtype),
                "m.mpk" => load_record(path(name), &recorder, &setup.device, setup.dtype),
                _ => load_safetensors(path(name), &setup.device, setup.dtype),
            };
            assert!(loaded.is_err(), "{name} cut at {cut}");
        }
    }
    let kmeans = setup.kmeans(&vec![vec![0.0], vec![1.0]]);
    save_burnpack(&kmeans, path("k.bpk")).expect("saved");
    let wrong = load_burnpack::<Flex, GaussianMixture<Flex>>(
        path("k.bpk"),
        &Default::default(),
        DType::F32,
    );
    assert!(wrong.is_err());
}
