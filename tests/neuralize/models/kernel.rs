//! Kernel k-means and labelled partitions.

use burn::module::{Module, Param, ParamId};
use burn::record::{FullPrecisionSettings, HalfPrecisionSettings, NamedMpkFileRecorder};
use burn::tensor::DType;
use burn::tensor::backend::Backend;
use neuralize::cluster::{
    Bandwidth, KMeans, KMeansConfig, KernelKMeans, KernelKMeansConfig, LabelledConfig,
};
use neuralize::explain::{Beta, Explanation, Root, Rule, Target};
use neuralize::network::{Network, NeuralizedKernelKMeans};
use neuralize::record::{
    load_burnpack, load_record, load_safetensors, save_burnpack, save_record, save_safetensors,
};

use crate::suite::naive::squared_distance;
use crate::suite::{
    Rows, Setup, assert_close, assert_rows_close, indices, largest, random_rows, rows, values,
};

type Record<B> = <KernelKMeans<B> as Module<B>>::Record;

const GAMMAS: [f64; 4] = [0.05, 0.6, 3.0, f64::INFINITY];

/// 1e-10 in f64, and what sums of squares of magnitude 10 leave in f32.
fn tolerance<B: Backend>(setup: &Setup<B>) -> f64 {
    if setup.dtype == DType::F64 { 1e-10 } else { 1e-4 }
}

/// −(1/γ) log mean exp(−γ ‖x−u‖²), by the largest exponent; the least distance
/// for γ = ∞.
fn soft_distance(x: &[f64], cluster: &Rows, gamma: f64) -> f64 {
    let distances: Vec<f64> = cluster.iter().map(|u| squared_distance(x, u)).collect();
    let least = distances.iter().copied().fold(f64::INFINITY, f64::min);
    if gamma.is_infinite() {
        return least;
    }
    let sum: f64 = distances.iter().map(|d| (-gamma * (d - least)).exp()).sum();
    least - (sum / distances.len() as f64).ln() / gamma
}

/// exp(−γ d_j) / Σ exp(−γ d_i); equal shares of the nearest for γ = ∞.
fn shares(x: &[f64], cluster: &Rows, gamma: f64) -> Vec<f64> {
    let distances: Vec<f64> = cluster.iter().map(|u| squared_distance(x, u)).collect();
    let least = distances.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = distances
        .iter()
        .map(|d| {
            if gamma.is_infinite() {
                f64::from(u8::from(*d <= least))
            } else {
                (-gamma * (d - least)).exp()
            }
        })
        .collect();
    let total: f64 = weights.iter().sum();
    weights.iter().map(|weight| weight / total).collect()
}

struct Naive {
    relevance: Vec<f64>,
    logit: f64,
    absorbed: f64,
}

/// The relevance pass by its definition.
fn naive(x: &[f64], clusters: &[Rows], gamma: f64, target: Target, beta: f64, rule: Rule) -> Naive {
    let distances: Vec<f64> = clusters.iter().map(|c| soft_distance(x, c, gamma)).collect();
    let all = 0..clusters.len();
    let assigned =
        all.clone().fold(0, |best, k| if distances[k] < distances[best] { k } else { best });
    let (c, competitors): (usize, Vec<usize>) = match target {
        Target::Assigned => (assigned, all.filter(|k| *k != assigned).collect()),
        Target::Cluster(c) if c == assigned => (c, all.filter(|k| *k != c).collect()),
        Target::Cluster(c) => (c, vec![assigned]),
        Target::Contrast { cluster, versus } => (cluster, vec![versus]),
        Target::AssignedVersus(k) if k == assigned => {
            return Naive { relevance: vec![0.0; x.len()], logit: 0.0, absorbed: 0.0 };
        }
        Target::AssignedVersus(k) => (assigned, vec![k]),
        _ => unreachable!("a target without a twin"),
    };
    let h: Vec<f64> = competitors.iter().map(|k| distances[*k] - distances[c]).collect();
    let logit = h.iter().copied().fold(f64::INFINITY, f64::min);
    let weights: Vec<f64> = h.iter().map(|h| (-beta.min(1e12) * (h - logit)).exp()).collect();
    let total: f64 = weights.iter().sum();
    let (mut relevance, mut absorbed) = (vec![0.0; x.len()], 0.0);
    let own = shares(x, &clusters[c], gamma);
    for ((k, h), weight) in competitors.iter().zip(&h).zip(&weights) {
        let handed = weight / total * logit;
        let theirs = shares(x, &clusters[*k], gamma);
        match rule {
            Rule::Summed => {
                let term = |d: usize| {
                    let sum = |cluster: &Rows, shares: &[f64]| -> f64 {
                        cluster.iter().zip(shares).map(|(u, p)| p * (x[d] - u[d]).powi(2)).sum()
                    };
                    sum(&clusters[*k], &theirs) - sum(&clusters[c], &own)
                };
                let g: f64 = (0..x.len()).map(term).sum();
                let along = g * h.signum();
                let q = if along >= h.abs() / 8.0 {
                    h / g
                } else {
                    1.0 + 7.0 * ((along + h.abs() / 8.0) / (h.abs() / 4.0)).clamp(0.0, 1.0)
                };
                for (d, value) in relevance.iter_mut().enumerate() {
                    *value += handed / h * q * term(d);
                }
                absorbed += handed - handed / h * q * g;
            }
            Rule::Pairwise => {
                for (u_j, p_j) in clusters[*k].iter().zip(&theirs) {
                    for (u_i, p_i) in clusters[c].iter().zip(&own) {
                        let h = squared_distance(x, u_j) - squared_distance(x, u_i);
                        for (d, value) in relevance.iter_mut().enumerate() {
                            let term = (x[d] - u_j[d]).powi(2) - (x[d] - u_i[d]).powi(2);
                            *value += handed * p_j * p_i * term / h;
                        }
                    }
                }
            }
            _ => unreachable!("a rule of its own"),
        }
    }
    Naive { relevance, logit, absorbed }
}

/// Clusters of different sizes, shuffled, and points.
fn data<B: Backend>(setup: &Setup<B>, seed: u64) -> (Rows, Vec<Rows>, Rows, Vec<usize>) {
    let x = setup.rounded(&random_rows(40, 4, 0.3, seed));
    let supports = setup.rounded(&random_rows(15, 4, 0.3, seed + 500));
    let labels: Vec<usize> = [2, 0, 1, 1, 3, 0, 2, 2, 2, 1, 3, 2, 0, 3, 2].to_vec();
    let clusters = split(&supports, &labels);
    (x, clusters, supports, labels)
}

fn split(supports: &Rows, labels: &[usize]) -> Vec<Rows> {
    let clusters = labels.iter().max().map_or(0, |k| k + 1);
    (0..clusters)
        .map(|k| {
            supports.iter().zip(labels).filter(|(_, l)| **l == k).map(|(u, _)| u.clone()).collect()
        })
        .collect()
}

fn model<B: Backend>(
    setup: &Setup<B>,
    supports: &Rows,
    labels: &[usize],
    gamma: f64,
) -> KernelKMeans<B> {
    KernelKMeans::from_supports(setup.tensor(supports), labels, gamma).expect("valid supports")
}

fn absorbed<B: Backend>(explanation: &Explanation<B>) -> Vec<f64> {
    let [part] = explanation.absorbed.as_slice() else { panic!("one absorbed part") };
    values(part.amount.clone())
}

/// Network and model against soft-min distances, for every cluster.
pub fn scores_are_soft_distances<B: Backend>(setup: &Setup<B>) {
    let (x, clusters, supports, labels) = data(setup, 1);
    for gamma in GAMMAS {
        let model = model(setup, &supports, &labels, gamma);
        assert_eq!(model.sizes(), [3, 3, 6, 3]);
        let distances: Rows = x
            .iter()
            .map(|x| clusters.iter().map(|c| soft_distance(x, c, gamma)).collect())
            .collect();
        let found = rows(model.soft_distances(&setup.tensor(&x)).expect("valid"));
        assert_rows_close(&found, &distances, tolerance(setup), "soft-min distances");
        let margins: Rows = distances
            .iter()
            .map(|row| {
                (0..row.len())
                    .map(|c| {
                        let others = (0..row.len()).filter(|k| *k != c).map(|k| row[k]);
                        others.fold(f64::INFINITY, f64::min) - row[c]
                    })
                    .collect()
            })
            .collect();
        let network =
            model.neuralize().and_then(|network| network.with_rule(Rule::Summed)).expect("K > 1");
        let found = rows(network.forward(setup.tensor(&x)).expect("valid"));
        assert_rows_close(&found, &margins, tolerance(setup), "logits");
        let nearest: Vec<usize> = margins
            .iter()
            .map(|row| row.iter().position(|margin| *margin >= 0.0).expect("an own cluster"))
            .collect();
        assert_eq!(indices(model.predict(&setup.tensor(&x)).expect("valid")), nearest);
        assert_eq!(indices(network.predict(&setup.tensor(&x)).expect("valid")), nearest);
        let places = rows(Network::centroids(&network));
        let means: Rows = clusters
            .iter()
            .map(|c| (0..4).map(|d| c.iter().map(|u| u[d]).sum::<f64>() / c.len() as f64).collect())
            .collect();
        assert_rows_close(&places, &means, tolerance(setup), "places");
    }
}

/// The four layers, pair by pair, against the efficient form and the definition.
pub fn dense_layers<B: Backend>(setup: &Setup<B>) {
    let (x, _, supports, labels) = data(setup, 2);
    for gamma in GAMMAS {
        let network = model(setup, &supports, &labels, gamma)
            .neuralize()
            .and_then(|network| network.with_rule(Rule::Summed))
            .expect("K > 1");
        let dense = rows(network.dense_forward(&setup.tensor(&x)).expect("valid"));
        let found = rows(network.forward(setup.tensor(&x)).expect("valid"));
        assert_rows_close(&dense, &found, tolerance(setup), "four layers");
    }
}

/// γ → ∞ is the nearest-neighbour rule, and finite numbers come near it.
pub fn nearest_neighbour_rule<B: Backend>(setup: &Setup<B>) {
    let (x, clusters, supports, labels) = data(setup, 3);
    let forward = |gamma| {
        let network = model(setup, &supports, &labels, gamma)
            .neuralize()
            .and_then(|network| network.with_rule(Rule::Summed))
            .expect("K > 1");
        rows(network.forward(setup.tensor(&x)).expect("valid"))
    };
    let hard = forward(f64::INFINITY);
    for gamma in [1e6, 1e37, if setup.dtype == DType::F64 { 1e300 } else { 1e38 }] {
        // The mean of six exponentials is at least a sixth of the largest.
        let slack = tolerance(setup) + 2.0 * 6f64.ln() / gamma;
        for (soft, hard) in forward(gamma).iter().flatten().zip(hard.iter().flatten()) {
            assert!((soft - hard).abs() <= slack * hard.abs().max(1.0), "{gamma}: {soft}, {hard}");
        }
    }
    let nearest: Vec<usize> = x
        .iter()
        .map(|x| {
            let member = (0..supports.len()).min_by(|a, b| {
                let distance = |i: &usize| squared_distance(x, &supports[*i]);
                distance(a).total_cmp(&distance(b))
            });
            labels[member.expect("a support")]
        })
        .collect();
    let model = model(setup, &supports, &labels, f64::INFINITY);
    assert_eq!(indices(model.predict(&setup.tensor(&x)).expect("valid")), nearest);
    // The nearest member of the own cluster and of the other alone.
    let target = Target::Contrast { cluster: 1, versus: 2 };
    let found = model
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1")
        .explain(&setup.tensor(&x), target, Beta::Value(1.0))
        .expect("valid");
    let naive: Rows = x
        .iter()
        .map(|x| {
            let nearest = |c: &Rows| -> Vec<f64> {
                let least = c
                    .iter()
                    .min_by(|a, b| squared_distance(x, a).total_cmp(&squared_distance(x, b)));
                least.expect("a member").clone()
            };
            let (own, other) = (nearest(&clusters[1]), nearest(&clusters[2]));
            (0..4).map(|d| (x[d] - other[d]).powi(2) - (x[d] - own[d]).powi(2)).collect()
        })
        .collect();
    assert_rows_close(&rows(found.relevance), &naive, tolerance(setup), "relevance");
}

/// Both rules against their definitions, for every kind of target.
pub fn relevance_equals_the_definition<B: Backend>(setup: &Setup<B>) {
    let targets = [
        Target::Assigned,
        Target::Cluster(0),
        Target::Cluster(3),
        Target::Contrast { cluster: 2, versus: 1 },
        Target::AssignedVersus(1),
    ];
    let (x, clusters, supports, labels) = data(setup, 4);
    let tolerance = 10.0 * tolerance(setup);
    for gamma in [0.05, 0.6, 3.0, f64::INFINITY] {
        let network = model(setup, &supports, &labels, gamma)
            .neuralize()
            .and_then(|network| network.with_rule(Rule::Summed))
            .expect("K > 1");
        for rule in [Rule::Summed, Rule::Pairwise] {
            let network = network.clone().with_rule(rule).expect("a rule");
            assert_eq!(network.rule(), rule);
            for target in targets {
                for beta in [0.0, 0.3, 5.0, f64::INFINITY] {
                    let found = network
                        .explain(&setup.tensor(&x), target, Beta::Value(beta))
                        .expect("valid");
                    let what = format!("{rule:?}, γ = {gamma}, {target:?}, β = {beta}");
                    let amounts = absorbed(&found);
                    let logits = values(found.logit.clone());
                    let error = largest(values(found.conservation_error()));
                    assert!(error < tolerance.min(1e-3), "{what}: conservation {error}");
                    for (i, found) in rows(found.relevance).iter().enumerate() {
                        let naive = naive(&x[i], &clusters, gamma, target, beta, rule);
                        // In f32 a pair of nearly equal distances has lost its digits.
                        let size: f64 = naive.relevance.iter().map(|r| r.abs()).sum();
                        if setup.dtype == DType::F32
                            && (rule == Rule::Pairwise && size > 100.0 * naive.logit.abs()
                                || naive.logit.abs() < 1e-2)
                        {
                            continue;
                        }
                        for (a, b) in found.iter().zip(&naive.relevance) {
                            assert!(
                                (a - b).abs() <= tolerance * size.max(1e-12),
                                "{what}: row {i}: {found:?} against {:?}",
                                naive.relevance
                            );
                        }
                        let size = size.max(naive.logit.abs()).max(1e-12);
                        assert!((logits[i] - naive.logit).abs() <= tolerance * size, "{what}");
                        assert!(
                            (amounts[i] - naive.absorbed).abs() <= tolerance * size,
                            "{what}: row {i}: absorbed {} against {}",
                            amounts[i],
                            naive.absorbed
                        );
                    }
                }
            }
        }
    }
}

/// One cluster is a point, the other a near point and far ones: the mean distances
/// are equal where the soft-min distances differ by log(members) / γ.
pub fn vanishing_denominator<B: Backend>(setup: &Setup<B>) {
    let explain = |distance: f64| {
        let supports = vec![vec![1.0, 0.2], vec![-0.3, distance], vec![9.0, 9.0], vec![-9.0, 9.0]];
        let network = model(setup, &supports, &[0, 1, 1, 1], 1.0)
            .neuralize()
            .and_then(|network| network.with_rule(Rule::Summed))
            .expect("K > 1");
        let x = setup.tensor(&vec![vec![0.0, 0.0]]);
        let found = network.explain(&x, Target::Assigned, Beta::Value(1.0)).expect("valid");
        let error = values(found.conservation_error())[0];
        let limit = if setup.dtype == DType::F64 { 1e-9 } else { 1e-5 };
        assert!(error < limit, "{distance}: conservation {error}");
        (rows(found.relevance.clone())[0].clone(), absorbed(&found)[0], values(found.logit)[0])
    };
    let step = 1e-3;
    let mut previous: Option<(Vec<f64>, f64)> = None;
    let mut guarded = 0;
    for i in 0..600 {
        let (relevance, entropy, logit) = explain(0.7 + step * f64::from(i));
        assert!(logit > 0.0, "assigned to the point");
        let size: f64 = relevance.iter().map(|r| r.abs()).sum();
        assert!(size < 40.0 * logit.max(0.2), "Σ|R| = {size} for a logit of {logit}");
        guarded += usize::from(entropy != 0.0);
        if let Some((before, entropy_before)) = previous {
            for (a, b) in relevance.iter().zip(&before) {
                assert!((a - b).abs() < 200.0 * step, "{i}: {relevance:?} after {before:?}");
            }
            assert!((entropy - entropy_before).abs() < 200.0 * step, "{i}: {entropy}");
        }
        previous = Some((relevance, entropy));
    }
    // The path crosses the guard, and leaves it.
    assert!((50..550).contains(&guarded), "{guarded} of 600 guarded");
    assert_eq!(explain(1.4).1, 0.0);
    // Nothing to explain on the boundary.
    let network = model(setup, &vec![vec![-1.0], vec![1.0]], &[0, 1], 1.0)
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1");
    let x = setup.tensor(&vec![vec![0.0]]);
    for rule in [Rule::Summed, Rule::Pairwise] {
        let network = network.clone().with_rule(rule).expect("a rule");
        for target in [Target::Assigned, Target::Contrast { cluster: 1, versus: 0 }] {
            let found = network.explain(&x, target, Beta::Value(1.0)).expect("valid");
            assert_eq!(
                (rows(found.relevance.clone()), absorbed(&found)),
                (vec![vec![0.0]], vec![0.0])
            );
        }
    }
}

/// A training point explained without itself, against a network that has never
/// seen it.
pub fn leaving_out<B: Backend>(setup: &Setup<B>) {
    let (x, _, supports, labels) = data(setup, 5);
    let tolerance = 10.0 * tolerance(setup);
    for gamma in [0.6, 3.0, f64::INFINITY] {
        let plain = model(setup, &supports, &labels, gamma)
            .neuralize()
            .and_then(|network| network.with_rule(Rule::Summed))
            .expect("K > 1");
        let network = plain.clone().leaving_out_training_points(true);
        assert!(network.leaves_out_training_points() && !plain.leaves_out_training_points());
        for rule in [Rule::Summed, Rule::Pairwise] {
            let (plain, network) = (
                plain.clone().with_rule(rule).expect("a rule"),
                network.clone().with_rule(rule).expect("a rule"),
            );
            let explain = |network: &NeuralizedKernelKMeans<B>, x: &Rows| {
                network
                    .explain(&setup.tensor(x), Target::Assigned, Beta::Value(0.5))
                    .expect("valid")
            };
            // Rows that are no supports see the whole network.
            let (all, same) = (explain(&network, &x), explain(&plain, &x));
            assert_rows_close(&rows(all.relevance), &rows(same.relevance), tolerance, "others");
            let found = explain(&network, &supports);
            let (logit, cluster) = (values(found.logit.clone()), indices(found.cluster.clone()));
            for (i, relevance) in rows(found.relevance).into_iter().enumerate() {
                let without: Vec<usize> = (0..supports.len()).filter(|j| *j != i).collect();
                let rest: Rows = without.iter().map(|j| supports[*j].clone()).collect();
                let rest_labels: Vec<usize> = without.iter().map(|j| labels[*j]).collect();
                let fresh = model(setup, &rest, &rest_labels, gamma)
                    .neuralize()
                    .and_then(|network| network.with_rule(Rule::Summed))
                    .expect("K > 1");
                let expected =
                    explain(&fresh.with_rule(rule).expect("a rule"), &vec![supports[i].clone()]);
                assert_eq!(cluster[i], indices(expected.cluster.clone())[0]);
                let expected_logit = values(expected.logit)[0];
                let expected = rows(expected.relevance);
                let size: f64 = expected[0].iter().map(|r| r.abs()).sum();
                assert!((logit[i] - expected_logit).abs() <= tolerance * size.max(1.0));
                if setup.dtype == DType::F32 && size > 100.0 * expected_logit {
                    continue;
                }
                assert_rows_close(&vec![relevance], &expected, tolerance, "without itself");
            }
        }
    }
    // A cluster of one does not exist for its member.
    let supports = vec![vec![0.0, 0.0], vec![2.0, 0.0], vec![2.5, 0.5], vec![2.5, 0.5]];
    for (labels, gamma) in [([0, 1, 1, 1], 0.7), ([0, 1, 1, 1], f64::INFINITY)] {
        let network = model(setup, &supports, &labels, gamma)
            .neuralize()
            .and_then(|network| network.with_rule(Rule::Summed))
            .expect("K > 1")
            .leaving_out_training_points(true);
        let x = setup.tensor(&supports);
        assert_eq!(indices(network.predict(&x).expect("valid")), [1, 1, 1, 1]);
        for rule in [Rule::Summed, Rule::Pairwise] {
            let network = network.clone().with_rule(rule).expect("a rule");
            for target in [Target::Assigned, Target::Cluster(0), Target::AssignedVersus(0)] {
                for beta in [0.0, 1.0, f64::INFINITY] {
                    let found = network.explain(&x, target, Beta::Value(beta)).expect("valid");
                    let error = values(found.conservation_error());
                    assert!(largest(error) < 1e-5, "{target:?}");
                    let relevance = rows(found.relevance.clone());
                    assert!(relevance.iter().flatten().all(|r| r.is_finite()), "{relevance:?}");
                    assert!(values(found.shares).iter().all(|share| share.is_finite()));
                    assert_eq!(relevance[0], [0.0, 0.0], "no reason against what is not there");
                }
            }
        }
        // A copy of a support is left: the mean is over the other two.
        let logits = rows(network.forward(x).expect("valid"));
        let rest = vec![supports[1].clone(), supports[3].clone()];
        let expected = soft_distance(&supports[2], &supports[..1].to_vec(), gamma)
            - soft_distance(&supports[2], &rest, gamma);
        assert!((logits[2][1] - expected).abs() < tolerance, "{} against {expected}", logits[2][1]);
    }
}

/// Each row alone gives the same as in a block, and features may be permuted.
pub fn blocks_and_permutations<B: Backend>(setup: &Setup<B>) {
    let (n, d, m) = (3000, 20, 600);
    let x = random_rows(n, d, 0.0, 6);
    let supports = random_rows(m, d, 0.0, 7);
    let labels: Vec<usize> = (0..m).map(|i| i % 5).collect();
    let network = model(setup, &supports, &labels, 0.2)
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1");
    let explain = |network: &NeuralizedKernelKMeans<B>, x: &Rows| {
        network.explain(&setup.tensor(x), Target::Assigned, Beta::Value(0.1)).expect("valid")
    };
    let all = explain(&network, &x);
    let relevance = rows(all.relevance.clone());
    let tolerance = 10.0 * tolerance(setup);
    for i in [0, 1, 1666, 1677, 2999] {
        let alone = rows(explain(&network, &vec![x[i].clone()]).relevance);
        assert_rows_close(&alone, &vec![relevance[i].clone()], tolerance, "alone");
    }
    let order: Vec<usize> = (0..d).map(|i| (i * 7) % d).collect();
    let permute = |table: &Rows| -> Rows {
        table.iter().map(|row| order.iter().map(|i| row[*i]).collect()).collect()
    };
    let network = model(setup, &permute(&supports), &labels, 0.2)
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1");
    let few = x[..50].to_vec();
    let found = rows(explain(&network, &permute(&few)).relevance);
    assert_rows_close(&found, &permute(&relevance[..50].to_vec()), tolerance, "features");
    // Clusters of 120 supports: pairs are cut, and rows come back in their order.
    let pairwise = network.with_rule(Rule::Pairwise).expect("a rule");
    let together = explain(&pairwise, &permute(&few));
    assert!(
        largest(values(together.conservation_error()))
            < if setup.dtype == DType::F64 { 1e-9 } else { 1e-3 }
    );
    if setup.dtype == DType::F64 {
        let together = rows(together.relevance);
        for i in [0, 17, 49] {
            let alone = rows(explain(&pairwise, &permute(&vec![few[i].clone()])).relevance);
            assert_rows_close(&alone, &vec![together[i].clone()], 1e-8, "pairs");
        }
    }
}

/// Two half circles, interleaved, with noise 0.05.
pub fn moons(n: usize, seed: u64) -> (Rows, Vec<usize>) {
    let noise = random_rows(n, 2, 0.0, seed);
    let half = n / 2;
    let x = (0..n)
        .map(|i| {
            let angle = std::f64::consts::PI * (i % half) as f64 / (half - 1) as f64;
            let (a, b) = if i < half {
                (angle.cos(), angle.sin())
            } else {
                (1.0 - angle.cos(), 0.5 - angle.sin())
            };
            vec![a + 0.05 * noise[i][0], b + 0.05 * noise[i][1]]
        })
        .collect();
    (x, (0..n).map(|i| usize::from(i >= half)).collect())
}

/// Rings of radius 1, 2, 3 .. with noise 0.08.
pub fn rings(n: usize, count: usize, seed: u64) -> (Rows, Vec<usize>) {
    let noise = random_rows(n, 1, 0.0, seed);
    let labels: Vec<usize> = (0..n).map(|i| i % count).collect();
    let x = (0..n)
        .map(|i| {
            let angle = 2.399_963 * i as f64;
            let radius = (labels[i] + 1) as f64 + 0.08 * noise[i][0];
            vec![radius * angle.cos(), radius * angle.sin()]
        })
        .collect();
    (x, labels)
}

/// The share of two clusters' labels that are right, whatever they are called.
fn accuracy(found: &[usize], expected: &[usize]) -> f64 {
    let right = found.iter().zip(expected).filter(|(a, b)| a == b).count();
    let right = right as f64 / expected.len() as f64;
    right.max(1.0 - right)
}

pub fn two_moons<B: Backend>(setup: &Setup<B>) {
    let (x, truth) = moons(400, 8);
    let x = setup.tensor(&x);
    let kmeans = KMeansConfig::new(2).fit(&x).expect("a fit");
    let plain = accuracy(&indices(kmeans.labels), &truth);
    assert!(plain < 0.9, "k-means {plain}");
    let fit = KernelKMeansConfig::new(2).fit(&x).expect("a fit");
    let found = accuracy(&indices(fit.labels.clone()), &truth);
    println!(
        "two moons: k-means {plain}, kernel k-means {found}, γ = {}, agreement {}, {} iterations, inertia {}",
        fit.gamma, fit.agreement, fit.n_iter, fit.inertia
    );
    assert!(found >= 0.99, "kernel k-means {found}");
    assert!(fit.converged && fit.left_out);
    assert!(fit.agreement > 0.98, "{}", fit.agreement);
    assert_eq!(fit.sizes.iter().sum::<usize>(), 400);
    // Supports are the rows, cluster by cluster.
    let order = fit.support_rows.clone().expect("no prototypes");
    let labels = indices(fit.labels.clone());
    assert!(order.is_sorted_by_key(|row| labels[*row]));
    assert_eq!(
        values(fit.model.supports())[..2],
        values(x.clone())[2 * order[0]..2 * order[0] + 2]
    );

    let network = fit
        .model
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1")
        .leaving_out_training_points(true);
    let explain = |rule| {
        let network = network.clone().with_rule(rule).expect("a rule");
        network.explain(&x, Target::Assigned, Beta::Heuristic).expect("a heuristic β")
    };
    let mut strongest = [Rule::Summed, Rule::Pairwise].map(|rule| {
        let found = explain(rule);
        let logit = values(found.logit.clone());
        let entropy = absorbed(&found).iter().filter(|amount| **amount != 0.0).count();
        let worst = largest(values(found.conservation_error()));
        assert!(worst < if setup.dtype == DType::F64 { 1e-9 } else { 1e-3 }, "{rule:?}: {worst}");
        let mut ratios: Vec<f64> = rows(found.relevance)
            .iter()
            .zip(&logit)
            .map(|(row, f)| largest(row.iter().map(|r| r.abs())) / f)
            .collect();
        ratios.sort_by(f64::total_cmp);
        println!(
            "{rule:?}: max|R|/f median {:.2}, 99 % {:.2}, most {:.2}; {entropy} rows with a part absorbed",
            ratios[200], ratios[396], ratios[399]
        );
        ratios
    });
    // The summed rule is tamer.
    assert!(strongest[0].pop() < strongest[1].pop());
}

/// The objective falls with every iteration, and is what it is defined to be.
pub fn inertia_falls<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&random_rows(90, 3, 0.0, 9));
    let config =
        KernelKMeansConfig::new(4).with_bandwidth(Bandwidth::Gamma(0.4)).with_n_init(Some(1));
    let mut previous = f64::INFINITY;
    for max_iter in 1..12 {
        let fit = config.clone().with_max_iter(max_iter).fit(&setup.tensor(&x)).expect("a fit");
        let labels = indices(fit.labels);
        let k = |a: &[f64], b: &[f64]| (-0.4 * squared_distance(a, b)).exp();
        let mut naive = 0.0;
        for cluster in split(&x, &labels) {
            let n = cluster.len() as f64;
            let pairs: f64 =
                cluster.iter().flat_map(|a| cluster.iter().map(move |b| k(a, b))).sum();
            naive += n - pairs / n;
        }
        let size = if setup.dtype == DType::F64 { 1e-12 } else { 1e-6 };
        assert!((fit.inertia - naive).abs() < size * 90.0, "{} against {naive}", fit.inertia);
        assert!(fit.inertia <= previous + size * 90.0, "{} after {previous}", fit.inertia);
        assert!(fit.n_iter <= max_iter);
        previous = fit.inertia;
        if fit.converged {
            // No row is nearer to another mean.
            let clusters = split(&x, &labels);
            for (row, label) in x.iter().zip(&labels) {
                let distance = |c: &Rows| {
                    let n = c.len() as f64;
                    let m: f64 = c.iter().map(|u| k(row, u)).sum::<f64>() / n;
                    let norm: f64 =
                        c.iter().flat_map(|a| c.iter().map(move |b| k(a, b))).sum::<f64>() / n / n;
                    1.0 - 2.0 * m + norm
                };
                let own = distance(&clusters[*label]);
                assert!(clusters.iter().all(|c| own <= distance(c) + 1e-5), "a fixed point");
            }
        }
    }
    // More restarts never do worse; the same seed does the same.
    let fit = |n| config.clone().with_n_init(Some(n)).fit(&setup.tensor(&x)).expect("a fit");
    assert!(fit(8).inertia <= fit(1).inertia + 1e-6);
    assert_eq!(indices(fit(8).labels), indices(fit(8).labels));
    // As many clusters as points: none runs empty.
    let fit = KernelKMeansConfig::new(12).fit(&setup.tensor(&x[..12].to_vec())).expect("a fit");
    assert_eq!(fit.sizes, [1; 12]);
    assert!(fit.inertia.abs() < 1e-5);
}

/// What the ways to choose γ give on curved clusters.
pub fn bandwidths<B: Backend>(setup: &Setup<B>) {
    let ways = [
        Bandwidth::Neighbours,
        Bandwidth::Median,
        Bandwidth::Perplexity(10.0),
        Bandwidth::Perplexity(30.0),
        Bandwidth::Perplexity(60.0),
    ];
    for (name, (x, truth)) in [("moons", moons(400, 10)), ("rings", rings(400, 2, 11))] {
        let x = setup.tensor(&x);
        let found: Vec<f64> = ways
            .iter()
            .map(|way| {
                let fit =
                    KernelKMeansConfig::new(2).with_bandwidth(way.clone()).fit(&x).expect("a fit");
                let found = accuracy(&indices(fit.labels), &truth);
                println!("{name}, {way:?}: γ = {:.3}, accuracy {found}", fit.gamma);
                found
            })
            .collect();
        // The default follows half circles, closed rings need fewer neighbours.
        let good = if name == "moons" { found[0] } else { found[3] };
        assert!(good >= 0.99, "{name}: {found:?}");
    }
    let x = setup.tensor(&random_rows(40, 2, 0.0, 12));
    let fit = |bandwidth| KernelKMeansConfig::new(2).with_bandwidth(bandwidth).fit(&x);
    for wrong in [
        Bandwidth::Gamma(0.0),
        Bandwidth::Gamma(f64::INFINITY),
        Bandwidth::Gamma(f64::NAN),
        Bandwidth::Perplexity(1.0),
        Bandwidth::Perplexity(39.0),
        Bandwidth::Perplexity(f64::NAN),
    ] {
        assert!(fit(wrong.clone()).is_err(), "{wrong:?}");
    }
    // Scaled data, scaled γ.
    let scaled = x.clone() * 8.0;
    let at = |x, way: Bandwidth| {
        KernelKMeansConfig::new(2).with_bandwidth(way).fit(x).expect("a fit").gamma
    };
    for way in [Bandwidth::Median, Bandwidth::Perplexity(7.0)] {
        let quotient = at(&x, way.clone()) / at(&scaled, way) / 64.0;
        assert!((quotient - 1.0).abs() < 1e-4, "{quotient}");
    }
}

/// More rows than are kept in one block, and than a spectral start looks at.
pub fn a_larger_fit<B: Backend>(setup: &Setup<B>) {
    let (x, truth) = moons(3000, 13);
    let fit = KernelKMeansConfig::new(2)
        .with_bandwidth(Bandwidth::Gamma(15.0))
        .with_n_init(Some(2))
        .fit(&setup.tensor(&x))
        .expect("a fit");
    let found = accuracy(&indices(fit.labels), &truth);
    assert!(found >= 0.99, "{found}");
    assert!(fit.agreement >= 0.99, "{}", fit.agreement);
}

/// Rings with their labels, noise between them, and prototypes.
pub fn labelled_rings<B: Backend>(setup: &Setup<B>) {
    let (mut x, truth) = rings(300, 3, 14);
    let mut labels: Vec<Option<usize>> = truth.iter().copied().map(Some).collect();
    let fit = LabelledConfig::new().fit(&setup.tensor(&x), &labels).expect("valid labels");
    println!("three rings: γ = {}, agreement {}", fit.gamma, fit.agreement);
    assert!(fit.agreement >= 0.99 && fit.left_out, "{}", fit.agreement);
    assert_eq!((fit.sizes.as_slice(), fit.noise), (&[100, 100, 100][..], 0));
    let network = fit
        .model
        .neuralize()
        .and_then(|network| network.with_rule(Rule::Summed))
        .expect("K > 1")
        .leaving_out_training_points(true);
    let tensor = setup.tensor(&x);
    let found = indices(network.predict(&tensor).expect("valid"));
    let agreeing = found.iter().zip(&truth).filter(|(a, b)| a == b).count();
    assert!((agreeing as f64 / 300.0 - fit.agreement).abs() < 1e-12, "agreement is what it says");
    let explanation = network.explain(&tensor, Target::Assigned, Beta::Heuristic).expect("a β");
    let mean = values(explanation.logit).iter().sum::<f64>() / 300.0;
    let beta = fit.model.beta().expect("a β");
    assert!((beta * mean - 1.0).abs() < 1e-4, "β = {beta}, mean logit {mean}");

    // Noise is no support.
    let noise = random_rows(30, 2, 0.0, 15);
    for (i, row) in noise.iter().enumerate() {
        x.insert(9 * i, row.clone());
        labels.insert(9 * i, None);
    }
    let noisy = LabelledConfig::new().fit(&setup.tensor(&x), &labels).expect("valid labels");
    assert_eq!((noisy.noise, noisy.model.n_supports()), (30, 300));
    assert_eq!(values(noisy.model.supports()), values(fit.model.supports()));
    assert_eq!((noisy.gamma, noisy.agreement), (fit.gamma, fit.agreement));
    let support_rows = noisy.support_rows.expect("no prototypes");
    assert!(support_rows.iter().all(|row| labels[*row].is_some()));
    assert_eq!(x[support_rows[150]], {
        let (rings, _) = rings(300, 3, 14);
        rings[3 * 50 + 1].clone()
    });

    // Twelve prototypes a ring stand for a hundred points.
    let config = LabelledConfig::new().with_prototypes(Some(12));
    let few = config.fit(&setup.tensor(&x), &labels).expect("valid labels");
    println!("12 prototypes a ring: γ = {}, agreement {}", few.gamma, few.agreement);
    assert_eq!(few.model.sizes(), [12, 12, 12]);
    assert_eq!((few.sizes, few.left_out), (vec![100, 100, 100], false));
    assert!(few.support_rows.is_none() && few.agreement > 0.97, "{}", few.agreement);
    // A cluster that has no more distinct members keeps them all.
    let same = vec![vec![0.0], vec![0.0], vec![0.5], vec![3.0], vec![4.0], vec![5.0], vec![6.0]];
    let labels: Vec<Option<usize>> = [0, 0, 0, 1, 1, 1, 1].map(Some).to_vec();
    let config = LabelledConfig::new().with_prototypes(Some(2)).with_gamma(Some(1.0));
    let fit = config.fit(&setup.tensor(&same), &labels).expect("valid labels");
    assert_eq!(fit.model.sizes(), [3, 2]);

    // The same for kernel k-means.
    let (x, truth) = moons(400, 16);
    let config = KernelKMeansConfig::new(2).with_prototypes(Some(20));
    let fit = config.fit(&setup.tensor(&x)).expect("a fit");
    assert_eq!(fit.model.n_supports(), 40);
    let found = accuracy(&indices(fit.model.predict(&setup.tensor(&x)).expect("valid")), &truth);
    assert!(found >= 0.98 && !fit.left_out, "{found}");
}

/// A cluster of one member, duplicates, and hard rules.
pub fn labelled_oddities<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&vec![vec![0.0], vec![0.2], vec![5.0], vec![0.1]]);
    let labels = [Some(0), Some(0), Some(1), Some(0)];
    // Three of four: a cluster of one cannot be found without it.
    for gamma in [None, Some(1.0), Some(f64::INFINITY)] {
        let fit = LabelledConfig::new().with_gamma(gamma).fit(&x, &labels).expect("valid");
        assert_eq!(fit.agreement, 0.75, "{gamma:?}");
        assert_eq!(indices(fit.model.predict(&x).expect("valid")), [0, 0, 1, 0]);
        assert!(fit.model.beta().is_some_and(|beta| beta > 1e-3), "{:?}", fit.model.beta());
    }
    let labelled = |labels: &[Option<usize>]| LabelledConfig::new().fit(&x, labels);
    let message = |labels: &[Option<usize>]| labelled(labels).expect_err("wrong").to_string();
    assert!(message(&[Some(0), Some(1)]).contains("labels"));
    assert!(message(&[Some(0), Some(2), Some(0), Some(2)]).contains("without 1"));
    assert!(message(&[Some(usize::MAX); 4]).contains("without 0"));
    assert!(message(&[None; 4]).contains("noise"));
    assert!(message(&[Some(0); 4]).contains("competitor"));
    let valid = [Some(0), Some(1), Some(1), Some(0)];
    for config in [
        LabelledConfig::new().with_gamma(Some(0.0)),
        LabelledConfig::new().with_gamma(Some(-1.0)),
        LabelledConfig::new().with_gamma(Some(f64::NAN)),
        LabelledConfig::new().with_prototypes(Some(0)),
    ] {
        assert!(config.fit(&x, &valid).is_err(), "{config:?}");
    }
    let same = setup.tensor(&vec![vec![1.0]; 4]);
    assert!(
        LabelledConfig::new()
            .fit(&same, &valid)
            .expect_err("no scale")
            .to_string()
            .contains("equal")
    );
    assert!(LabelledConfig::new().with_gamma(Some(1.0)).fit(&same, &valid).is_ok());
    let nan = setup.tensor(&vec![vec![1.0], vec![f64::NAN], vec![0.0], vec![0.0]]);
    assert!(LabelledConfig::new().fit(&nan, &valid).is_err());
}

pub fn kernel_edges<B: Backend>(setup: &Setup<B>) {
    let fit = |x: &Rows, k: usize| KernelKMeansConfig::new(k).fit(&setup.tensor(x));
    let line: Rows = (0..9).map(|i| vec![f64::from(i / 3) * 10.0 + f64::from(i % 3)]).collect();
    let three = fit(&line, 3).expect("a fit");
    assert_eq!(three.sizes, [3; 3]);
    let labels = indices(three.labels);
    assert!((0..9).all(|i| labels[i] == labels[3 * (i / 3)]));
    // One cluster fits, and has nothing to be explained against.
    let one = fit(&line, 1).expect("a fit");
    assert_eq!((one.sizes, one.agreement, one.model.beta()), (vec![9], 1.0, None));
    assert_eq!(indices(one.model.predict(&setup.tensor(&line)).expect("valid")), [0; 9]);
    assert!(one.model.neuralize().is_err());
    assert!(fit(&line, 10).is_err() && fit(&line, 0).is_err());
    assert!(
        fit(&vec![vec![2.0, 1.0]; 5], 2).expect_err("equal rows").to_string().contains("distinct")
    );
    assert!(fit(&vec![vec![2.0, 1.0]; 5], 1).expect_err("no scale").to_string().contains("equal"));
    assert!(fit(&vec![vec![f64::NAN]], 1).is_err());
    let two =
        fit(&vec![vec![0.0, 7.0], vec![1.0, 7.0]], 2).expect("two points, one constant feature");
    assert_eq!(two.sizes, [1, 1]);
    assert_eq!(two.agreement, 0.0);
    for config in [
        KernelKMeansConfig::new(2).with_n_init(Some(0)),
        KernelKMeansConfig::new(2).with_max_iter(0),
        KernelKMeansConfig::new(2).with_prototypes(Some(0)),
    ] {
        assert!(config.fit(&setup.tensor(&line)).is_err(), "{config:?}");
    }
    // A kernel under which all points are one.
    let flat = KernelKMeansConfig::new(2).with_bandwidth(Bandwidth::Gamma(1e-25));
    assert!(flat.fit(&setup.tensor(&line)).expect_err("flat").to_string().contains("gamma"));

    let supports = || setup.tensor(&vec![vec![0.0, 1.0], vec![2.0, 3.0]]);
    let build = |labels: &[usize], gamma| KernelKMeans::from_supports(supports(), labels, gamma);
    for (labels, gamma) in [
        (&[0, 1][..], 0.0),
        (&[0, 1], -1.0),
        (&[0, 1], f64::NAN),
        (&[0], 1.0),
        (&[0, 2], 1.0),
        (&[1, 1], 1.0),
    ] {
        assert!(build(labels, gamma).is_err(), "{labels:?}, {gamma}");
    }
    if setup.dtype == DType::F32 {
        assert!(build(&[0, 1], 1e-60).is_err());
    }
    let model = build(&[0, 1], 1.0).expect("valid");
    assert!(model.clone().with_beta(-1.0).is_err());
    assert_eq!(model.clone().with_beta(0.5).expect("valid").beta(), Some(0.5));
    assert!(model.predict(&setup.tensor(&vec![vec![1.0]])).is_err());
    let network =
        model.neuralize().and_then(|network| network.with_rule(Rule::Summed)).expect("K > 1");
    let x = setup.tensor(&vec![vec![1.0, 1.0]]);
    assert!(network.explain(&x, Target::Assigned, Beta::Heuristic).is_err());
    assert!(network.explain(&x, Target::Cluster(2), Beta::Value(1.0)).is_err());
    let none = x.clone().slice([0..0, 0..2]);
    assert_eq!(network.forward(none.clone()).expect("no rows").dims(), [0, 2]);
    assert_eq!(network.dense_forward(&none).expect("no rows").dims(), [0, 2]);
    assert_eq!(model.soft_distances(&none).expect("no rows").dims(), [0, 2]);
    assert_eq!(model.predict(&none).expect("no rows").dims(), [0]);
    let leaving = network.leaving_out_training_points(true);
    let found = leaving.explain(&none, Target::Assigned, Beta::Value(1.0)).expect("no rows");
    assert_eq!(found.relevance.dims(), [0, 2]);
}

/// Far from the origin: the centre saves the digits.
pub fn far_away<B: Backend>(setup: &Setup<B>) {
    let (x, _, supports, labels) = data(setup, 17);
    let shift = |table: &Rows| -> Rows {
        table.iter().map(|row| row.iter().map(|v| v + 256.0).collect()).collect()
    };
    let back = |table: &Rows| -> Rows {
        table.iter().map(|row| row.iter().map(|v| v - 256.0).collect()).collect()
    };
    let (far, far_supports) = (setup.rounded(&shift(&x)), setup.rounded(&shift(&supports)));
    let explain = |x: &Rows, supports: &Rows| {
        let network = model(setup, supports, &labels, 0.6)
            .neuralize()
            .and_then(|network| network.with_rule(Rule::Summed))
            .expect("K > 1");
        network.explain(&setup.tensor(x), Target::Assigned, Beta::Value(0.4)).expect("valid")
    };
    let (there, here) = (explain(&far, &far_supports), explain(&back(&far), &back(&far_supports)));
    assert_close(&values(there.logit), &values(here.logit), 10.0 * tolerance(setup), "logits");
    for (a, b) in rows(there.relevance).iter().flatten().zip(rows(here.relevance).iter().flatten())
    {
        assert!((a - b).abs() < 10.0 * tolerance(setup) * b.abs().max(1.0), "{a} against {b}");
    }
}

pub fn kernel_records<B: Backend>(setup: &Setup<B>) {
    let (x, _, supports, labels) = data(setup, 18);
    let x = setup.tensor(&x);
    for (gamma, beta) in [(0.7, Some(0.3)), (f64::INFINITY, None)] {
        let model = model(setup, &supports, &labels, gamma);
        let model = match beta {
            Some(beta) => model.with_beta(beta).expect("valid"),
            None => model,
        };
        let folder = tempfile::tempdir().expect("a folder");
        let path = |name: &str| folder.path().join(name);
        save_burnpack(&model, path("m.bpk")).expect("saved");
        save_safetensors(&model, path("m.safetensors")).expect("saved");
        let pack: KernelKMeans<B> =
            load_burnpack(path("m.bpk"), &setup.device, setup.dtype).expect("loaded");
        let tensors: KernelKMeans<B> =
            load_safetensors(path("m.safetensors"), &setup.device, setup.dtype).expect("loaded");
        let mut loaded = vec![pack, tensors];
        let recorder = NamedMpkFileRecorder::<FullPrecisionSettings>::new();
        let file = save_record(&model, path("m"), &recorder).expect("saved");
        let record: KernelKMeans<B> =
            load_record(&file, &recorder, &setup.device, setup.dtype).expect("loaded");
        assert_eq!(record.sizes(), model.sizes());
        if setup.dtype == DType::F32 {
            loaded.push(record);
        }
        let explain = |model: &KernelKMeans<B>| {
            let network = model
                .neuralize()
                .and_then(|network| network.with_rule(Rule::Summed))
                .expect("K > 1");
            network.explain(&x, Target::Assigned, Beta::Value(0.5)).expect("valid")
        };
        let expected = explain(&model);
        for loaded in loaded {
            assert_eq!(values(loaded.supports()), values(model.supports()));
            assert_eq!((loaded.sizes(), loaded.gamma()), (model.sizes(), model.gamma()));
            assert_eq!((loaded.beta(), loaded.dtype()), (model.beta(), setup.dtype));
            let found = explain(&loaded);
            assert_eq!(values(found.relevance), values(expected.relevance.clone()));
        }
        let half = NamedMpkFileRecorder::<HalfPrecisionSettings>::new();
        if let Ok(file) = save_record(&model, path("half"), &half) {
            let loaded: KernelKMeans<B> =
                load_record(&file, &half, &setup.device, setup.dtype).expect("loaded");
            assert_eq!(loaded.sizes(), model.sizes());
        }
        // Another module's file, and a truncated one.
        assert!(load_burnpack::<B, KMeans<B>>(path("m.bpk"), &setup.device, setup.dtype).is_err());
        let bytes = std::fs::read(path("m.bpk")).expect("a file");
        std::fs::write(path("cut.bpk"), &bytes[..bytes.len() - 9]).expect("written");
        let cut = load_burnpack::<B, KernelKMeans<B>>(path("cut.bpk"), &setup.device, setup.dtype);
        assert!(cut.is_err());
    }
    // Parts that do not belong together.
    let whole = || model(setup, &supports, &labels, 0.7);
    let other = model(setup, &supports[..9].to_vec(), &labels[..9], 0.7);
    let parts = || (whole().into_record(), other.clone().into_record());
    let refused = |change: &dyn Fn(&mut Record<B>)| {
        let mut record = whole().into_record();
        change(&mut record);
        let broken = whole().load_record(record);
        assert!(broken.predict(&x).is_err() && broken.neuralize().is_err());
        broken.checked().expect_err("damaged").to_string()
    };
    assert!(refused(&|record| record.sizes = parts().1.sizes).contains("supports"));
    assert!(refused(&|record| record.supports = parts().1.supports).contains("supports"));
    let column = |values: &[f64]| Param::initialized(ParamId::new(), setup.column(values));
    for sizes in [[3.5, 2.5, 6.0, 3.0], [0.0, 6.0, 6.0, 3.0], [-3.0, 9.0, 6.0, 3.0], [f64::NAN; 4]]
    {
        assert!(refused(&|record| record.sizes = column(&sizes)).contains("sizes"));
    }
    for gamma in [&[0.0][..], &[-1.0], &[f64::NAN], &[1.0, 1.0]] {
        assert!(refused(&|record| record.gamma = column(gamma)).contains("gamma"));
    }
    let mut record = whole().into_record();
    record.beta = column(&[-1.0]);
    assert!(whole().load_record(record).checked().is_err());
}

/// Where nothing is left out, the mode that leaves training points out is the
/// plain pass, in tensor operations; on a CPU the other one is a fused kernel.
pub fn tensor_operations_give_the_same<B: Backend>(setup: &Setup<B>) {
    for (seed, gamma) in [(1, 0.05), (2, 0.7), (3, 20.0), (4, f64::INFINITY)] {
        let supports = random_rows(90, 4, 0.5, 200 + seed);
        let labels: Vec<usize> = (0..90).map(|j| j * 7 % 11 % 3).collect();
        let model = KernelKMeans::from_supports(setup.tensor(&supports), &labels, gamma);
        let network = model.and_then(|model| model.neuralize()).expect("three clusters");
        let x = setup.tensor(&random_rows(70, 4, 0.5, 300 + seed));
        for rule in [Rule::Secant(Root::Toward), Rule::Secant(Root::Near), Rule::Summed] {
            let fused = network.clone().with_rule(rule).expect("a rule");
            let plain = fused.clone().leaving_out_training_points(true);
            let scores = |network: &NeuralizedKernelKMeans<B>| {
                rows(network.forward(x.clone()).expect("logits"))
            };
            assert_rows_close(&scores(&fused), &scores(&plain), 10.0 * setup.tolerance, "logits");
            for (target, beta) in [
                (Target::Assigned, 0.0),
                (Target::Assigned, 1.0),
                (Target::Assigned, f64::INFINITY),
                (Target::Cluster(1), 1.0),
                (Target::Contrast { cluster: 2, versus: 0 }, 1.0),
                (Target::AssignedVersus(1), 1.0),
            ] {
                let found = |network: &NeuralizedKernelKMeans<B>| {
                    network.explain(&x, target, Beta::Value(beta)).expect("explained")
                };
                let (one, other) = (found(&fused), found(&plain));
                let logits = values(one.logit.clone());
                let what = format!("{rule:?}, γ = {gamma}, {target:?}, β = {beta}");
                // A small h or g leaves few digits in f32.
                let near = if setup.tolerance < 1e-9 { 1e-9 } else { 2e-3 };
                let (one, other) = (rows(one.relevance), rows(other.relevance));
                for ((one, other), logit) in one.iter().zip(&other).zip(logits) {
                    if rule != Rule::Summed && setup.tolerance > 1e-9 && logit.abs() < 0.1 {
                        continue;
                    }
                    let (one, other) = (vec![one.clone()], vec![other.clone()]);
                    assert_rows_close(&one, &other, near, &what);
                }
            }
        }
        let fused = network.with_rule(Rule::Summed).expect("a rule");
        // What the supports carry is what the features carry.
        let carried = fused.support_relevance(&x, Target::Assigned, Beta::Value(1.0));
        let carried = rows(carried.expect("supports"));
        let found = fused.explain(&x, Target::Assigned, Beta::Value(1.0)).expect("explained");
        for (supports, features) in carried.iter().zip(rows(found.relevance)) {
            let size: f64 = supports.iter().map(|value| value.abs()).sum();
            let apart = supports.iter().sum::<f64>() - features.iter().sum::<f64>();
            assert!(apart.abs() <= 100.0 * setup.tolerance * size, "{apart} of {size}");
        }
    }
}
