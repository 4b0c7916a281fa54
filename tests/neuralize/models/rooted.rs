//! The secant pass of clusters of supports and of mixtures.

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use neuralize::cluster::{GaussianMixture, KernelKMeans, LabelledConfig};
use neuralize::explain::{Beta, Explanation, Root, Rule, Target};
use neuralize::network::{Network, NeuralizedGaussianMixture, NeuralizedKernelKMeans};

use crate::models::kernel::rings;
use crate::suite::naive::squared_distance;
use crate::suite::{Rows, Setup, assert_rows_close, indices, largest, random_rows, rows, values};

const ROOTS: [Root; 4] = [Root::Midway, Root::Between(0.4), Root::Toward, Root::Near];

const TARGETS: [Target; 5] = [
    Target::Assigned,
    Target::Cluster(0),
    Target::Cluster(3),
    Target::Contrast { cluster: 2, versus: 1 },
    Target::AssignedVersus(1),
];

/// The last of some cases where a search takes many small operations, each a call of the device.
fn few<B: Backend, T>(setup: &Setup<B>, cases: &[T]) -> usize {
    let on_a_gpu = B::name(&setup.device).contains("wgpu");
    if on_a_gpu { cases.len().saturating_sub(2) } else { 0 }
}

/// A model of clusters, as far as roots are concerned.
trait Clusters {
    fn count(&self) -> usize;
    /// The score of a cluster.
    fn score(&self, x: &[f64], k: usize) -> f64;
    /// A point for k that lies in k if its only competitor is c, for a line from x.
    fn seat(&self, x: &[f64], c: usize, k: usize, root: Root) -> Option<Vec<f64>>;
    /// What made the contrast of c and k on the way from x0 to x.
    fn made(&self, x: &[f64], x0: &[f64], c: usize, k: usize) -> Vec<f64>;

    fn contrast(&self, x: &[f64], c: usize, k: usize) -> f64 {
        self.score(x, c) - self.score(x, k)
    }

    /// By halvings of the first quarter of the line that leads to the other side.
    fn root(&self, x: &[f64], c: usize, k: usize, root: Root) -> Option<Vec<f64>> {
        let lambda = match root {
            Root::Midway => 0.0,
            Root::Between(lambda) => lambda,
            _ => 1.0,
        };
        let start = if lambda == 1.0 {
            x.to_vec()
        } else {
            let own = self.seat(x, k, c, root)?;
            own.iter().zip(x).map(|(own, x)| own + lambda * (x - own)).collect()
        };
        let sign = self.contrast(&start, c, k).signum();
        let end = if sign > 0.0 { self.seat(x, c, k, root) } else { self.seat(x, k, c, root) }?;
        let at =
            |t: f64| -> Vec<f64> { start.iter().zip(&end).map(|(a, b)| a + t * (b - a)).collect() };
        if sign * self.contrast(&at(1.0), c, k) > 0.0 {
            return None;
        }
        let across = |t: &f64| sign * self.contrast(&at(*t), c, k) < 0.0;
        let first = [0.25, 0.5, 0.75].into_iter().find(across).unwrap_or(1.0);
        let (mut low, mut high) = (first - 0.25, first);
        for _ in 0..60 {
            let middle = 0.5 * (low + high);
            if sign * self.contrast(&at(middle), c, k) > 0.0 {
                low = middle;
            } else {
                high = middle;
            }
        }
        Some(at(0.5 * (low + high)))
    }

    /// Relevances, then what is absorbed, and the logit.
    fn explain(&self, x: &[f64], target: Target, beta: f64, root: Root) -> (Vec<f64>, f64) {
        let all = 0..self.count();
        let scores: Vec<f64> = all.clone().map(|k| self.score(x, k)).collect();
        let assigned =
            all.clone().fold(0, |best, k| if scores[k] > scores[best] { k } else { best });
        let mut found = vec![0.0; x.len() + 1];
        let (c, competitors): (usize, Vec<usize>) = match target {
            Target::Assigned => (assigned, all.filter(|k| *k != assigned).collect()),
            Target::Cluster(c) if c == assigned => (c, all.filter(|k| *k != c).collect()),
            Target::Cluster(c) => (c, vec![assigned]),
            Target::Contrast { cluster, versus } => (cluster, vec![versus]),
            Target::AssignedVersus(k) if k == assigned => return (found, 0.0),
            Target::AssignedVersus(k) => (assigned, vec![k]),
            _ => unreachable!("a target without a twin"),
        };
        let h = |k: usize| scores[c] - scores[k];
        let logit = competitors.iter().map(|k| h(*k)).fold(f64::INFINITY, f64::min);
        let shares: Vec<f64> =
            competitors.iter().map(|k| (-beta.min(1e12) * (h(*k) - logit)).exp()).collect();
        let most = largest(shares.iter().copied());
        let counts = |share: f64| share >= 1e-2 * most;
        let total: f64 = shares.iter().filter(|share| counts(**share)).sum();
        for (&k, &share) in competitors.iter().zip(&shares) {
            if !counts(share) {
                continue;
            }
            let handed = share / total * logit;
            match self.root(x, c, k, root) {
                Some(x0) => {
                    for (sum, part) in found.iter_mut().zip(self.made(x, &x0, c, k)) {
                        *sum += handed / h(k) * part;
                    }
                }
                None => *found.last_mut().expect("a last") += handed,
            }
        }
        (found, logit)
    }
}

/// Clusters of supports, one of which may be left out of everything but the places.
struct Supports {
    clusters: Vec<Rows>,
    gamma: f64,
    left_out: Option<(usize, usize)>,
}

impl Supports {
    fn kept(&self, k: usize) -> Rows {
        let left = |j: usize| self.left_out == Some((k, j));
        let members = self.clusters[k].iter().enumerate();
        members.filter(|(j, _)| !left(*j)).map(|(_, u)| u.clone()).collect()
    }

    fn place(&self, k: usize) -> Vec<f64> {
        let members = &self.clusters[k];
        (0..members[0].len())
            .map(|d| members.iter().map(|u| u[d]).sum::<f64>() / members.len() as f64)
            .collect()
    }

    /// Log shares of the supports of k, each γ times its distance less the soft minimum's; for
    /// γ = ∞ the excesses themselves.
    fn excesses(&self, x: &[f64], k: usize) -> Vec<f64> {
        let distances: Vec<f64> = self.kept(k).iter().map(|u| squared_distance(x, u)).collect();
        let least = distances.iter().copied().fold(f64::INFINITY, f64::min);
        distances.iter().map(|d| d - least).collect()
    }

    /// The weights between two points by their definition.
    fn weights(&self, x: &[f64], x0: &[f64], k: usize) -> Vec<f64> {
        let (a, b) = (self.excesses(x, k), self.excesses(x0, k));
        let parts: Vec<f64> = if self.gamma.is_infinite() {
            let winners = |excess: &[f64]| excess.iter().filter(|e| **e == 0.0).count() as f64;
            let (at_x, at_root) = (winners(&a), winners(&b));
            let both = a.iter().zip(&b).any(|(a, b)| *a == 0.0 && *b == 0.0);
            a.iter()
                .zip(&b)
                .map(|(a, b)| match (*a == 0.0, *b == 0.0) {
                    (true, true) => 1.0,
                    (true, false) if !both => 1.0 / at_x / b,
                    (false, true) if !both => 1.0 / at_root / a,
                    _ => 0.0,
                })
                .collect()
        } else {
            let log_shares = |excess: &[f64]| -> Vec<f64> {
                let sum: f64 = excess.iter().map(|e| (-self.gamma * e).exp()).sum();
                excess.iter().map(|e| -self.gamma * e - sum.ln()).collect()
            };
            let pairs = log_shares(&a).into_iter().zip(log_shares(&b));
            let parts: Vec<f64> = pairs
                .map(|(l, l0)| {
                    let half = 0.5 * (l - l0);
                    // log of √(p p⁰) sinh(δ/2) / (δ/2), which grows as e^|δ/2|.
                    let tall = half.abs() + (-(-2.0 * half.abs()).exp()).ln_1p();
                    let mean = 0.5 * (l + l0);
                    if half.abs() < 1e-5 { mean } else { mean + tall - (2.0 * half.abs()).ln() }
                })
                .collect();
            let top = parts.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            parts.iter().map(|part| (part - top).exp()).collect()
        };
        let total: f64 = parts.iter().sum();
        parts.iter().map(|part| part / total).collect()
    }

    fn whole(&self) -> Self {
        Self { clusters: self.clusters.clone(), gamma: self.gamma, left_out: None }
    }
}

impl Clusters for Supports {
    fn count(&self) -> usize {
        self.clusters.len()
    }

    fn score(&self, x: &[f64], k: usize) -> f64 {
        let distances: Vec<f64> = self.kept(k).iter().map(|u| squared_distance(x, u)).collect();
        let least = distances.iter().copied().fold(f64::INFINITY, f64::min);
        if self.gamma.is_infinite() {
            return -least;
        }
        let mean = distances.iter().map(|d| (-self.gamma * (d - least)).exp_m1()).sum::<f64>()
            / distances.len() as f64;
        mean.ln_1p() / self.gamma - least
    }

    fn seat(&self, x: &[f64], c: usize, k: usize, root: Root) -> Option<Vec<f64>> {
        let whole = self.whole();
        let place = self.place(k);
        let depth = whole.contrast(&place, k, c);
        let shallower = self.clusters[k].iter().filter(|u| whole.contrast(u, k, c) <= depth);
        let is_deep = 4 * shallower.count() >= self.clusters[k].len();
        if root != Root::Near && depth > 0.0 && is_deep {
            return Some(place);
        }
        // A row that is left out is no end of its own line.
        let usable = |j: usize| root == Root::Midway || self.left_out != Some((k, j));
        let inside = self.clusters[k].iter().enumerate();
        let inside = inside.filter(|(j, u)| usable(*j) && whole.contrast(u, k, c) > 0.0);
        let inside: Vec<(usize, &Vec<f64>)> = inside.collect();
        if inside.is_empty() && depth > 0.0 {
            return Some(place);
        }
        if root == Root::Midway {
            let deepest = inside.into_iter().max_by(|(_, a), (_, b)| {
                whole.contrast(a, k, c).total_cmp(&whole.contrast(b, k, c))
            });
            return deepest.map(|(_, u)| u.clone());
        }
        let nearest = inside
            .into_iter()
            .min_by(|(_, a), (_, b)| squared_distance(x, a).total_cmp(&squared_distance(x, b)));
        nearest.map(|(_, u)| u.clone())
    }

    fn made(&self, x: &[f64], x0: &[f64], c: usize, k: usize) -> Vec<f64> {
        let mean = |k: usize| -> Vec<f64> {
            let weights = self.weights(x, x0, k);
            (0..x.len())
                .map(|d| self.kept(k).iter().zip(&weights).map(|(u, w)| w * u[d]).sum())
                .collect()
        };
        let (own, other) = (mean(c), mean(k));
        (0..x.len()).map(|d| 2.0 * (own[d] - other[d]) * (x[d] - x0[d])).collect()
    }
}

fn data<B: Backend>(setup: &Setup<B>, seed: u64) -> (Rows, Rows, Vec<usize>) {
    let x = setup.rounded(&random_rows(12, 4, 0.3, seed));
    let supports = setup.rounded(&random_rows(15, 4, 0.3, seed + 500));
    (x, supports, [2, 0, 1, 1, 3, 0, 2, 2, 2, 1, 3, 2, 0, 3, 2].to_vec())
}

fn split(supports: &Rows, labels: &[usize]) -> Vec<Rows> {
    let clusters = labels.iter().max().map_or(0, |k| k + 1);
    let members = |k: usize| {
        let of = supports.iter().zip(labels).filter(move |(_, label)| **label == k);
        of.map(|(u, _)| u.clone()).collect()
    };
    (0..clusters).map(members).collect()
}

fn network<B: Backend>(
    setup: &Setup<B>,
    supports: &Rows,
    labels: &[usize],
    gamma: f64,
    root: Root,
) -> NeuralizedKernelKMeans<B> {
    let model = KernelKMeans::from_supports(setup.tensor(supports), labels, gamma).expect("valid");
    let network = model.neuralize().expect("K > 1");
    assert_eq!(network.rule(), Rule::Secant(Root::Toward), "the default");
    network.with_rule(Rule::Secant(root)).expect("a root")
}

/// Relevances, and what is absorbed as a last column.
fn parts<B: Backend>(found: &Explanation<B>) -> Rows {
    let absorbed = match found.absorbed.as_slice() {
        [] => vec![0.0; found.len()],
        [part] => {
            assert_eq!(part.name, "root");
            values(part.amount.clone())
        }
        more => panic!("{} absorbed parts", more.len()),
    };
    let mut all = rows(found.relevance.clone());
    all.iter_mut().zip(absorbed).for_each(|(row, part)| row.push(part));
    all
}

/// Fails unless a row is near its twin, measured by Σ|R|. In f32 a small logit has lost its digits.
fn assert_near<B: Backend>(
    setup: &Setup<B>,
    found: &[f64],
    expected: &[f64],
    logit: f64,
    what: &str,
) {
    if setup.dtype == DType::F32 && logit.abs() < 0.1 {
        return;
    }
    let size = expected.iter().map(|part| part.abs()).sum::<f64>().max(1e-12);
    let near = if setup.dtype == DType::F64 { 1e-9 } else { 2e-3 };
    for (a, b) in found.iter().zip(expected) {
        assert!((a - b).abs() <= near * size, "{what}: {found:?} against {expected:?}");
    }
}

/// The scores of f32 leave 1e-5 of a logit, of the magnitude of squared distances.
fn assert_conserved<B: Backend>(setup: &Setup<B>, found: &Explanation<B>, what: &str) {
    let errors = values(found.conservation_error());
    for (error, logit) in errors.into_iter().zip(values(found.logit.clone())) {
        let near =
            if setup.dtype == DType::F64 { 1e-11 } else { 1e-5 / logit.abs().clamp(1e-5, 1.0) };
        assert!(error < near, "{what}: conservation {error} of a logit {logit}");
    }
}

/// Every root, target and stiffness against bisection and the definition of the weights.
pub fn supports_by_definition<B: Backend>(setup: &Setup<B>) {
    let (x, supports, labels) = data(setup, 4);
    let gammas = [1e-3, 0.05, 3.0, 40.0, 0.6, f64::INFINITY];
    for &gamma in &gammas[few(setup, &gammas)..] {
        let twin = Supports { clusters: split(&supports, &labels), gamma, left_out: None };
        for &root in &ROOTS[few(setup, &ROOTS)..] {
            let network = network(setup, &supports, &labels, gamma, root);
            for &target in &TARGETS[few(setup, &TARGETS)..] {
                for beta in [0.3, f64::INFINITY] {
                    let found = network
                        .explain(&setup.tensor(&x), target, Beta::Value(beta))
                        .expect("valid");
                    let what = format!("{root:?}, γ = {gamma}, {target:?}, β = {beta}");
                    assert_conserved(setup, &found, &what);
                    for (x, found) in x.iter().zip(parts(&found)) {
                        let (expected, logit) = twin.explain(x, target, beta, root);
                        assert_near(setup, &found, &expected, logit, &what);
                    }
                }
            }
        }
    }
}

/// Rows that are supports, explained without themselves.
pub fn supports_left_out<B: Backend>(setup: &Setup<B>) {
    let (_, supports, labels) = data(setup, 5);
    let gammas = [0.6, 3.0, f64::INFINITY];
    for &gamma in &gammas[few(setup, &gammas)..] {
        for &root in &ROOTS[few(setup, &ROOTS)..] {
            let network = network(setup, &supports, &labels, gamma, root);
            let network = network.leaving_out_training_points(true);
            for target in [Target::Assigned, Target::Cluster(1)] {
                let found = network
                    .explain(&setup.tensor(&supports), target, Beta::Value(0.5))
                    .expect("valid");
                for (i, found) in parts(&found).into_iter().enumerate() {
                    let place = labels[..i].iter().filter(|label| **label == labels[i]).count();
                    let left_out = Some((labels[i], place));
                    let twin = Supports { clusters: split(&supports, &labels), gamma, left_out };
                    let (expected, logit) = twin.explain(&supports[i], target, 0.5, root);
                    let what = format!("{root:?}, γ = {gamma}, {target:?}, row {i}");
                    assert_near(setup, &found, &expected, logit, &what);
                }
            }
        }
    }
    // A cluster of one does not exist for its member, and nothing speaks for or against it.
    let supports = vec![vec![0.0, 0.0], vec![2.0, 0.0], vec![2.5, 0.5], vec![2.5, 0.5]];
    for gamma in [0.7, f64::INFINITY] {
        let network = network(setup, &supports, &[0, 1, 1, 1], gamma, Root::Toward);
        let network = network.leaving_out_training_points(true);
        for target in [Target::Assigned, Target::Cluster(0), Target::AssignedVersus(0)] {
            let found = network.explain(&setup.tensor(&supports), target, Beta::Value(1.0));
            let found = found.expect("valid");
            assert!(largest(values(found.conservation_error())) < 1e-5, "{target:?}");
            let relevance = rows(found.relevance);
            assert!(relevance.iter().flatten().all(|r| r.is_finite()), "{relevance:?}");
            assert_eq!(relevance[0], [0.0, 0.0]);
        }
    }
}

/// From the mean of all distances to the nearest support, nothing is lost and nothing jumps.
pub fn supports_of_any_stiffness<B: Backend>(setup: &Setup<B>) {
    let (x, supports, labels) = data(setup, 6);
    let explain = |gamma, root| {
        let network = network(setup, &supports, &labels, gamma, root);
        let target = Target::Contrast { cluster: 2, versus: 3 };
        network.explain(&setup.tensor(&x), target, Beta::Value(1.0)).expect("valid")
    };
    for &root in &ROOTS[few(setup, &ROOTS)..] {
        let most = if setup.dtype == DType::F64 { 1e300 } else { 1e37 };
        let mut previous: Option<Rows> = None;
        for gamma in [1e-12, 1e-9, 1e-6, 1e-3, 0.1, 10.0, 1e3, 1e6, most, f64::INFINITY] {
            // A device's log(1 + x) loses digits for small x, in the scores themselves.
            if gamma < 0.1 && few(setup, &ROOTS) > 0 {
                continue;
            }
            let found = explain(gamma, root);
            assert_conserved(setup, &found, &format!("γ = {gamma}, {root:?}"));
            let near: f64 = if setup.dtype == DType::F64 { 1e-10 } else { 1e-4 };
            let relevance = rows(found.relevance);
            assert!(relevance.iter().flatten().all(|r| r.is_finite()), "γ = {gamma}");
            // Both ends of the range are limits.
            if gamma == 1e-9 || gamma.is_infinite() {
                let previous = previous.expect("a stiffness before it");
                assert_rows_close(&relevance, &previous, near.sqrt(), &format!("γ = {gamma}"));
            }
            previous = Some(relevance);
        }
    }
}

/// Rings around one another: no mean lies in its cluster, but some support does.
pub fn rings_have_roots<B: Backend>(setup: &Setup<B>) {
    let (x, labels) = rings(120, 3, 31);
    let x = setup.rounded(&x);
    let fit = LabelledConfig::new().fit(&setup.tensor(&x), &labels).expect("a fit");
    let gamma = fit.model.gamma();
    let network = fit.model.neuralize().expect("K > 1");
    assert!(network.absorbed_names().is_empty(), "every pair has a root");
    let few: Rows = x.iter().step_by(7).cloned().collect();
    for root in ROOTS {
        let network = network.clone().with_rule(Rule::Secant(root)).expect("a root");
        let found = network
            .explain(&setup.tensor(&few), Target::Assigned, Beta::Value(f64::INFINITY))
            .expect("valid");
        assert!(found.absorbed.is_empty());
        let twin = Supports { clusters: split(&x, &labels), gamma, left_out: None };
        for (x, found) in few.iter().zip(parts(&found)) {
            let (expected, logit) = twin.explain(x, Target::Assigned, f64::INFINITY, root);
            assert_near(setup, &found, &expected, logit, &format!("{root:?} at {x:?}"));
        }
    }
    // Far outside, the outer ring wins against both: the boundary lies inward.
    let far = setup.tensor(&vec![vec![8.0, 0.0]]);
    let found = network.explain(&far, Target::Assigned, Beta::Value(1.0)).expect("valid");
    assert_eq!(indices(found.cluster), [2]);
    let relevance = rows(found.relevance);
    assert!(relevance[0][0] > 10.0 * relevance[0][1].abs(), "{relevance:?}");
}

/// One cluster beats the other wherever that has a support, or its mean: there is nothing to measure
/// from, and the explanation says so.
pub fn pairs_without_a_root<B: Backend>(setup: &Setup<B>) {
    let supports = vec![vec![-1.0], vec![1.0], vec![-0.9], vec![0.9]];
    for root in ROOTS {
        let network = network(setup, &supports, &[1, 1, 0, 0], 0.5, root);
        assert_eq!(network.absorbed_names(), ["root"]);
        let x = setup.tensor(&vec![vec![0.2], vec![-4.0]]);
        let found = network.explain(&x, Target::Assigned, Beta::Value(1.0)).expect("valid");
        assert_eq!(indices(found.cluster.clone()), [0, 1]);
        let logit = values(found.logit.clone());
        let parts = parts(&found);
        assert_eq!((parts[0][0], parts[0][1]), (0.0, logit[0]), "{root:?}");
        // From outside, the line leads to the other's place.
        if root.eq(&Root::Toward) || root.eq(&Root::Near) {
            assert!((parts[1][0] - logit[1]).abs() < 1e-4 * logit[1] && parts[1][1] == 0.0);
        }
    }
    // Alike but for its share of the points.
    let mixture = mixture(
        setup,
        &Mixture {
            means: vec![vec![0.0, 1.0]; 2],
            variances: vec![vec![1.0, 2.0]; 2],
            weights: vec![0.75, 0.25],
        },
    );
    assert_eq!(mixture.absorbed_names(), ["root"]);
    let x = setup.tensor(&vec![vec![0.3, -2.0]]);
    let found = mixture.explain(&x, Target::Assigned, Beta::Value(1.0)).expect("valid");
    let parts = parts(&found);
    assert_eq!(parts[0][..2], [0.0, 0.0]);
    assert!((parts[0][2] - 3f64.ln()).abs() < 1e-6);
}

/// The mean of a cluster lies in it, but none of its supports does: even `Near` ends at the mean.
pub fn means_without_supports<B: Backend>(setup: &Setup<B>) {
    let supports =
        setup.rounded(&vec![vec![-2.7], vec![2.7], vec![-3.3], vec![3.3], vec![-3.0], vec![3.0]]);
    let labels = [1, 1, 1, 1, 0, 0];
    let twin = Supports { clusters: split(&supports, &labels), gamma: 1.0, left_out: None };
    let x = setup.rounded(&vec![vec![2.9], vec![-3.1]]);
    for root in ROOTS {
        let network = network(setup, &supports, &labels, 1.0, root);
        assert!(network.absorbed_names().is_empty(), "{root:?}");
        let found = network.explain(&setup.tensor(&x), Target::Assigned, Beta::Value(1.0));
        let found = found.expect("valid");
        assert_conserved(setup, &found, &format!("{root:?}"));
        if let Root::Toward | Root::Near = root {
            for (x, found) in x.iter().zip(parts(&found)) {
                let (expected, logit) = twin.explain(x, Target::Assigned, 1.0, root);
                assert_near(setup, &found, &expected, logit, &format!("{root:?} at {x:?}"));
            }
        }
    }
}

/// Rows alone give the same as in their block.
pub fn blocks_of_supports<B: Backend>(setup: &Setup<B>) {
    let supports = random_rows(300, 20, 0.0, 7);
    let labels: Vec<usize> = (0..300).map(|i| i % 5).collect();
    let x = random_rows(700, 20, 0.0, 8);
    let near = if setup.dtype == DType::F64 { 1e-9 } else { 2e-3 };
    for gamma in [0.02, 0.4] {
        let network = network(setup, &supports, &labels, gamma, Root::Toward);
        let explain = |x: &Rows| {
            let found = network.explain(&setup.tensor(x), Target::Assigned, Beta::Value(0.1));
            rows(found.expect("valid").relevance)
        };
        let all = explain(&x);
        for i in [0, 1, 333, 699] {
            let alone = explain(&vec![x[i].clone()]);
            assert_rows_close(&alone, &vec![all[i].clone()], near, "alone");
        }
    }
}

struct Mixture {
    means: Rows,
    variances: Rows,
    weights: Vec<f64>,
}

impl Clusters for Mixture {
    fn count(&self) -> usize {
        self.weights.len()
    }

    fn score(&self, x: &[f64], k: usize) -> f64 {
        let of = x.iter().zip(&self.means[k]).zip(&self.variances[k]);
        self.weights[k].ln() - 0.5 * of.map(|((x, m), v)| v.ln() + (x - m).powi(2) / v).sum::<f64>()
    }

    fn seat(&self, _: &[f64], c: usize, k: usize, _: Root) -> Option<Vec<f64>> {
        let mean = &self.means[k];
        if self.contrast(mean, k, c) > 0.0 {
            return Some(mean.clone());
        }
        // The best of a fine grid, feature by feature.
        let best = |i: usize| -> f64 {
            let gain = |x: f64| {
                (x - self.means[c][i]).powi(2) / self.variances[c][i]
                    - (x - mean[i]).powi(2) / self.variances[k][i]
            };
            let grid = (0..=20_000).map(|step| {
                mean[i] + self.variances[k][i].sqrt() * (f64::from(step) / 10_000.0 - 1.0)
            });
            grid.max_by(|a, b| gain(*a).total_cmp(&gain(*b))).expect("a point")
        };
        let best: Vec<f64> = (0..mean.len()).map(best).collect();
        (self.contrast(&best, k, c) > 0.0).then_some(best)
    }

    fn made(&self, x: &[f64], x0: &[f64], c: usize, k: usize) -> Vec<f64> {
        let half = |x: f64, k: usize, i: usize| {
            0.5 * (x - self.means[k][i]).powi(2) / self.variances[k][i]
        };
        let of = |x: f64, i: usize| half(x, k, i) - half(x, c, i);
        (0..x.len()).map(|i| of(x[i], i) - of(x0[i], i)).collect()
    }
}

fn mixture<B: Backend>(setup: &Setup<B>, mixture: &Mixture) -> NeuralizedGaussianMixture<B> {
    let model = GaussianMixture::from_parts(
        setup.tensor(&mixture.means),
        setup.tensor(&mixture.variances),
        setup.column(&mixture.weights),
    );
    model.expect("a mixture").neuralize().expect("K > 1")
}

/// Components against bisection, the means' and those whose mean belongs to another.
pub fn components_by_definition<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&random_rows(12, 3, 0.5, 41));
    let positive = |seed| -> Rows {
        let table = random_rows(4, 3, 0.0, seed);
        table.iter().map(|row| row.iter().map(|v| (0.7 * v).exp()).collect()).collect()
    };
    let mut off_their_means = 0;
    for seed in 0..6 {
        let spread = if seed < 3 { 1.5 } else { 0.2 };
        let means: Rows = random_rows(4, 3, 0.0, 60 + seed)
            .iter()
            .map(|row| row.iter().map(|m| spread * m).collect())
            .collect();
        let twin = Mixture {
            means: setup.rounded(&means),
            variances: setup.rounded(&positive(80 + seed)),
            weights: vec![0.125, 0.25, 0.5, 0.125],
        };
        for c in 0..4 {
            off_their_means +=
                (0..4).filter(|k| *k != c && twin.contrast(&twin.means[*k], *k, c) <= 0.0).count();
        }
        for &root in &ROOTS[few(setup, &ROOTS)..] {
            let network = mixture(setup, &twin).with_rule(Rule::Secant(root)).expect("a root");
            for target in TARGETS {
                for beta in [0.3, f64::INFINITY] {
                    let found = network.explain(&setup.tensor(&x), target, Beta::Value(beta));
                    let found = found.expect("valid");
                    let what = format!("{root:?}, {target:?}, β = {beta}, seed {seed}");
                    assert_conserved(setup, &found, &what);
                    for (x, found) in x.iter().zip(parts(&found)) {
                        let (expected, logit) = twin.explain(x, target, beta, root);
                        // The grid is as fine as 1e-4, and the root moves with its square.
                        let size: f64 = expected.iter().map(|part| part.abs()).sum();
                        let near = if setup.dtype == DType::F64 { 1e-3 } else { 1e-2 };
                        if setup.dtype == DType::F32 && logit.abs() < 0.1 {
                            continue;
                        }
                        for (a, b) in found.iter().zip(&expected) {
                            let fine = (a - b).abs() <= near * size.max(1e-12);
                            assert!(fine, "{what}: {found:?} against {expected:?}");
                        }
                    }
                }
            }
        }
    }
    assert!(off_their_means > 3, "{off_their_means} means lie in another component");
}

/// Equal components are k-means, whose `Midway` is NEON.
pub fn equal_components_from_roots<B: Backend>(setup: &Setup<B>) {
    let means = setup.rounded(&random_rows(4, 3, 0.0, 51));
    let x = setup.tensor(&random_rows(30, 3, 0.0, 52));
    let network = mixture(
        setup,
        &Mixture { means: means.clone(), variances: vec![vec![0.5; 3]; 4], weights: vec![0.25; 4] },
    );
    let kmeans = setup.kmeans(&means).neuralize().expect("K > 1");
    for root in [Root::Midway, Root::Between(0.3), Root::Toward] {
        let network = network.clone().with_rule(Rule::Secant(root)).expect("a root");
        let kmeans = kmeans.clone().with_root(root).expect("a root");
        assert_eq!(kmeans.root(), root);
        for beta in [1e-3, f64::INFINITY] {
            let explain = |network: &dyn Network<B>| {
                rows(network.explain(&x, Target::Assigned, Beta::Value(beta)).expect("x").relevance)
            };
            let near = if setup.dtype == DType::F64 { 1e-10 } else { 1e-3 };
            assert_rows_close(&explain(&network), &explain(&kmeans), near, &format!("{root:?}"));
        }
    }
    assert!(kmeans.with_root(Root::Between(1.5)).is_err());
    assert!(network.clone().with_rule(Rule::Pairwise).is_err());
    assert!(network.with_rule(Rule::Secant(Root::Between(-0.1))).is_err());
}
