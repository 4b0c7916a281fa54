//! The secant pass of deep k-means: against loops from the definition, NEON where it must be NEON,
//! and nothing lost from any root.

use burn::module::{Module, Param, ParamId};
use burn::nn::conv::Conv2dConfig;
use burn::nn::{Embedding, EmbeddingConfig, Linear, LinearConfig};
use burn::record::{FullPrecisionSettings, NamedMpkBytesRecorder, Recorder};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use burn_lrp::{Node, Relevance};
use neuralize::cluster::{KMeans, KMeansConfig};
use neuralize::deep::{DeepKMeans, DeepQuestion, NeuralizedDeepKMeans, Pass};
use neuralize::explain::{Beta, Root, Target};
use neuralize::network::Network;

use super::super::suite::*;
use super::deep::{Perceptron, Pixels, Weighted, inputs};

/// The definition, in loops over one sample.
struct Naive<'a> {
    weights: &'a Weighted,
    centroids: &'a Rows,
    /// The means of the inputs of every cluster, and the inputs with the nearest codes.
    places: Rows,
    medoids: Rows,
}

/// A model each of whose clusters has inputs, for its centroids are codes of some.
fn model<B: Backend>(setup: &Setup<B>) -> (Weighted, Rows, DeepKMeans<B, Perceptron<B>>) {
    let weights = Weighted::of(setup, 11);
    let data = setup.rounded(&inputs());
    let codes: Rows = [0, 60, 120, 180].iter().map(|row| weights.run(&data[*row]).1).collect();
    let centroids = setup.rounded(&codes);
    let head = setup.kmeans(&centroids).with_beta(0.02).unwrap();
    let model = DeepKMeans::new(weights.encoder(setup), head);
    let model = model.with_roots([setup.tensor(&data)]).unwrap();
    (weights, centroids, model)
}

impl<'a> Naive<'a> {
    fn new(weights: &'a Weighted, centroids: &'a Rows, data: &Rows) -> Self {
        let labels: Vec<usize> =
            data.iter().map(|x| naive::nearest(&weights.run(x).1, centroids)).collect();
        let members = |cluster: usize| -> Vec<&Vec<f64>> {
            let all = data.iter().zip(&labels);
            let members: Vec<&Vec<f64>> =
                all.filter(|(_, c)| **c == cluster).map(|(x, _)| x).collect();
            assert!(!members.is_empty(), "cluster {cluster} is empty");
            members
        };
        let mean = |cluster: usize| -> Vec<f64> {
            let members = members(cluster);
            let sum = |j: usize| members.iter().map(|x| x[j]).sum::<f64>();
            (0..5).map(|j| sum(j) / members.len() as f64).collect()
        };
        let medoid = |cluster: usize| -> Vec<f64> {
            let away =
                |x: &&Vec<f64>| naive::squared_distance(&weights.run(x).1, &centroids[cluster]);
            let members = members(cluster).into_iter();
            members.min_by(|a, b| away(a).total_cmp(&away(b))).unwrap().clone()
        };
        let of = |place: &dyn Fn(usize) -> Vec<f64>| (0..centroids.len()).map(place).collect();
        Self { weights, centroids, places: of(&mean), medoids: of(&medoid) }
    }

    fn contrast(&self, x: &[f64], c: usize, k: usize) -> f64 {
        let code = self.weights.run(x).1;
        let away = |centroid: &[f64]| naive::squared_distance(&code, centroid);
        away(&self.centroids[k]) - away(&self.centroids[c])
    }

    /// By bisection on the line to the place of a cluster, or to its medoid if that line does not
    /// cross the boundary.
    fn root(&self, from: &[f64], to: usize, c: usize, k: usize) -> Vec<f64> {
        let side = self.contrast(from, c, k) > 0.0;
        let crosses = |to: &[f64]| side != (self.contrast(to, c, k) > 0.0);
        let to = match crosses(&self.places[to]) {
            true => &self.places[to],
            false => &self.medoids[to],
        };
        assert!(crosses(to), "the line does not cross");
        self.crossing(from, to, c, k)
    }

    fn crossing(&self, from: &[f64], to: &[f64], c: usize, k: usize) -> Vec<f64> {
        let at =
            |t: f64| -> Vec<f64> { from.iter().zip(to).map(|(a, b)| a + t * (b - a)).collect() };
        let side = self.contrast(from, c, k) > 0.0;
        let (mut low, mut high) = (0.0, 1.0);
        for _ in 0..200 {
            let middle = (low + high) / 2.0;
            if (self.contrast(&at(middle), c, k) > 0.0) == side {
                low = middle
            } else {
                high = middle
            }
        }
        at(low)
    }

    fn midway(&self, c: usize, k: usize) -> Vec<f64> {
        let straddles =
            |places: &Rows| self.contrast(&places[c], c, k) * self.contrast(&places[k], c, k) < 0.0;
        let places = if straddles(&self.places) { &self.places } else { &self.medoids };
        self.crossing(&places[c], &places[k], c, k)
    }

    /// `m ∘ (x − x₀)`: the share of every unit on which it is active, and products.
    fn secant(&self, x: &[f64], root: &[f64], c: usize, k: usize) -> Vec<f64> {
        let Weighted { w1, w2, .. } = self.weights;
        let (hidden, hidden_root) = (self.weights.run(x).0, self.weights.run(root).0);
        let slope = |h: f64, h0: f64| match h == h0 {
            true => f64::from(u8::from(h > 0.0)),
            false => (h.max(0.0) - h0.max(0.0)) / (h - h0),
        };
        let seed: Vec<f64> =
            (0..3).map(|d| 2.0 * (self.centroids[c][d] - self.centroids[k][d])).collect();
        let unit = |u: usize| -> f64 {
            let through: f64 = (0..3).map(|d| w2[u][d] * seed[d]).sum();
            through * slope(hidden[u], hidden_root[u])
        };
        (0..5).map(|j| (0..4).map(|u| w1[j][u] * unit(u)).sum::<f64>() * (x[j] - root[j])).collect()
    }

    fn explain(&self, x: &[f64], target: Target, beta: f64, root: Root) -> Vec<f64> {
        let all = 0..self.centroids.len();
        let nearest = naive::nearest(&self.weights.run(x).1, self.centroids);
        let (c, only) = match target {
            Target::Assigned => (nearest, None),
            Target::Cluster(c) if c != nearest => (c, Some(nearest)),
            Target::Cluster(c) => (c, None),
            Target::Contrast { cluster, versus } => (cluster, Some(versus)),
            Target::AssignedVersus(versus) => (nearest, Some(versus)),
            _ => unreachable!(),
        };
        let others: Vec<usize> =
            all.filter(|k| *k != c && only.is_none_or(|only| only == *k)).collect();
        if others.is_empty() {
            return vec![0.0; 5];
        }
        let h: Vec<f64> = others.iter().map(|k| self.contrast(x, c, *k)).collect();
        let f = h.iter().fold(f64::INFINITY, |least, h| least.min(*h));
        let weight: Vec<f64> = h.iter().map(|h| (-beta * (h - f)).exp()).collect();
        let total: f64 = weight.iter().sum();
        let shares: Vec<f64> = weight.iter().map(|w| w / total).collect();
        let most = shares.iter().fold(0.0_f64, |most, share| most.max(*share));
        let counts = |share: &f64| *share >= 0.01 * most;
        let counted: f64 = shares.iter().filter(|share| counts(share)).sum();
        let mut sum = vec![0.0; 5];
        for ((k, h), share) in others.iter().zip(&h).zip(&shares).filter(|(_, share)| counts(share))
        {
            let root = match root {
                Root::Midway => self.midway(c, *k),
                Root::Between(lambda) => {
                    let from: Vec<f64> = self.places[c]
                        .iter()
                        .zip(x)
                        .map(|(a, b)| (1.0 - lambda) * a + lambda * b)
                        .collect();
                    let to = if self.contrast(&from, c, *k) < 0.0 { c } else { *k };
                    self.root(&from, to, c, *k)
                }
                _ => {
                    let to = if *h < 0.0 { c } else { *k };
                    self.root(x, to, c, *k)
                }
            };
            let part = self.secant(x, &root, c, *k);
            for (sum, part) in sum.iter_mut().zip(part) {
                *sum += share / counted * f / h * part;
            }
        }
        sum
    }
}

const TARGETS: [Target; 4] = [
    Target::Assigned,
    Target::Cluster(2),
    Target::Contrast { cluster: 1, versus: 3 },
    Target::AssignedVersus(0),
];

/// Every target from every root, against the definition; all of the logit arrives.
pub fn secants_by_hand<B: Backend>(setup: &Setup<B>) {
    let (weights, centroids, model) = model(setup);
    let data = setup.rounded(&inputs());
    let naive = Naive::new(&weights, &centroids, &data);
    let x = setup.rounded(&inputs())[20..29].to_vec();
    for root in [Root::Midway, Root::Between(0.5), Root::Toward] {
        for target in TARGETS {
            for beta in [0.02, 0.0] {
                let question = DeepQuestion::default().with_pass(Pass::Secant(root));
                let question = question.with_target(target).with_beta(beta);
                let found = model.explain(&setup.tensor(&x), &question).unwrap();
                let what = format!("{root:?}, {target:?}, beta {beta}");
                let expected: Rows =
                    x.iter().map(|x| naive.explain(x, target, beta, root)).collect();
                let relevance = rows(found.relevance.clone());
                // A search in f32 stops where its rounding hides the zero.
                let near = if setup.dtype == DType::F64 { 3e-5 } else { 2e-3 };
                assert_rows_close(&relevance, &expected, near, &what);
                let (logit, absorbed) = (values(found.codes.logit), values(found.absorbed));
                for (row, relevance) in relevance.iter().enumerate() {
                    let size: f64 =
                        relevance.iter().map(|r| r.abs()).sum::<f64>() + logit[row].abs();
                    let lost = match (root, setup.dtype) {
                        (Root::Midway, DType::F64) => 1e-12,
                        (_, DType::F64) => 1e-5,
                        _ => 2e-4,
                    };
                    assert!(absorbed[row].abs() <= lost * size, "{what}: {}", absorbed[row]);
                }
            }
        }
    }
}

/// `relu(A x + b + 50) − 50`, a linear encoder whose units are never off.
fn linear<B: Backend>(setup: &Setup<B>, a: &Rows) -> Perceptron<B> {
    let (inputs, outputs) = (a.len(), a[0].len());
    let layer = |w: &Rows, b: f64, outputs: usize| Linear {
        weight: Param::initialized(ParamId::new(), setup.tensor(w)),
        bias: Some(Param::initialized(ParamId::new(), setup.column(&vec![b; outputs]))),
    };
    assert!(inputs > 0);
    let unit: Rows =
        (0..outputs).map(|i| (0..outputs).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    Perceptron::of(layer(a, 50.0, outputs), layer(&unit, -50.0, outputs))
}

/// Three clusters of points, whose means are the centroids.
fn three_groups() -> Rows {
    let mut data = Vec::new();
    for group in 0..3 {
        data.extend(random_rows(12, 4, 3.0 * group as f64, 210 + group as u64));
    }
    data
}

/// The identity as an encoder: NEON. A linear encoder: NEON of the composed contrast, measured from
/// midway between the means of the inputs.
pub fn a_linear_encoder_gives_neon<B: Backend>(setup: &Setup<B>) {
    let data = setup.rounded(&three_groups());
    let x = setup.tensor(&data);
    let unit: Rows =
        (0..4).map(|i| (0..4).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let near = if setup.dtype == DType::F64 { 1e-12 } else { 1e-4 };
    let fit = KMeansConfig::new(3).fit(&x).unwrap();
    // All shares above the hundredth that counts.
    let beta = 0.02;
    let network = fit.model.neuralize().unwrap();
    let plain = network.explain(&x, Target::Assigned, Beta::Value(beta)).unwrap();
    let model = DeepKMeans::new(linear(setup, &unit), fit.model).with_roots([x.clone()]).unwrap();
    let question = DeepQuestion::default().with_beta(beta);
    let found = model.explain(&x, &question).unwrap();
    assert_rows_close(&rows(found.relevance), &rows(plain.relevance), near * 10.0, "identity");

    let a = setup.rounded(&random_rows(4, 2, 0.0, 220));
    let codes: Rows = data
        .iter()
        .map(|x| (0..2).map(|d| x.iter().zip(&a).map(|(x, a)| x * a[d]).sum()).collect())
        .collect();
    let fit = KMeansConfig::new(3).fit(&setup.tensor(&codes)).unwrap();
    let centroids = rows(fit.model.centroids());
    let model = DeepKMeans::new(linear(setup, &a), fit.model).with_roots([x.clone()]).unwrap();
    let found = model.explain(&x, &question).unwrap();
    let labels: Vec<usize> = codes.iter().map(|code| naive::nearest(code, &centroids)).collect();
    let mean = |cluster: usize| -> Vec<f64> {
        let members: Vec<&Vec<f64>> =
            data.iter().zip(&labels).filter(|(_, c)| **c == cluster).map(|(x, _)| x).collect();
        (0..4).map(|j| members.iter().map(|x| x[j]).sum::<f64>() / members.len() as f64).collect()
    };
    let expected: Rows = data
        .iter()
        .zip(&codes)
        .zip(&labels)
        .map(|((x, code), c)| {
            let others: Vec<usize> = (0..3).filter(|k| k != c).collect();
            let away = |k: usize| naive::squared_distance(code, &centroids[k]);
            let h: Vec<f64> = others.iter().map(|k| away(*k) - away(*c)).collect();
            let f = h[0].min(h[1]);
            let weights: Vec<f64> = h.iter().map(|h| (-beta * (h - f)).exp()).collect();
            let mut sum = vec![0.0; 4];
            for ((k, h), weight) in others.iter().zip(&h).zip(&weights) {
                let (from, to) = (mean(*c), mean(*k));
                let way: Vec<f64> = from.iter().zip(&to).map(|(a, b)| b - a).collect();
                let slope: Vec<f64> = (0..4)
                    .map(|j| {
                        (0..2).map(|d| a[j][d] * 2.0 * (centroids[*c][d] - centroids[*k][d])).sum()
                    })
                    .collect();
                // The contrast is linear: from h at the place of c, down to 0.
                let at_place: f64 = h - (0..4).map(|j| slope[j] * (x[j] - from[j])).sum::<f64>();
                let t = -at_place / (0..4).map(|j| slope[j] * way[j]).sum::<f64>();
                let share = weight / weights.iter().sum::<f64>();
                for j in 0..4 {
                    sum[j] += share * f / h * slope[j] * (x[j] - from[j] - t * way[j]);
                }
            }
            sum
        })
        .collect();
    assert_rows_close(&rows(found.relevance), &expected, near * 100.0, "linear");
}

/// A constant added to codes and centroids changes nothing.
pub fn a_constant_in_the_code<B: Backend>(setup: &Setup<B>) {
    let (weights, centroids, model) = model(setup);
    let x = setup.tensor(&inputs()[20..29].to_vec());
    let moved: Rows =
        centroids.iter().map(|row| row.iter().map(|value| value + 0.5).collect()).collect();
    let further = Weighted {
        w1: weights.w1.clone(),
        b1: weights.b1.clone(),
        w2: weights.w2.clone(),
        b2: weights.b2.iter().map(|b| b + 0.5).collect(),
    };
    let head = setup.kmeans(&moved).with_beta(0.02).unwrap();
    let data = [setup.tensor(&inputs())];
    let other = DeepKMeans::new(further.encoder(setup), head).with_roots(data).unwrap();
    for root in [Root::Midway, Root::Toward] {
        let question = DeepQuestion::default().with_pass(Pass::Secant(root));
        let [a, b] =
            [&model, &other].map(|model| rows(model.explain(&x, &question).unwrap().relevance));
        let near = if setup.dtype == DType::F64 { 1e-5 } else { 2e-3 };
        assert_rows_close(&b, &a, near, &format!("{root:?}"));
    }
}

/// Roots of the caller: the relevances sum to the difference, and the sample itself gives nothing.
pub fn roots_of_the_caller<B: Backend>(setup: &Setup<B>) {
    let (weights, centroids, model) = model(setup);
    let x = setup.rounded(&inputs())[20..29].to_vec();
    let roots = setup.rounded(&random_rows(9, 5, -0.3, 32));
    let question = DeepQuestion::default().with_target(Target::Contrast { cluster: 1, versus: 3 });
    let found =
        model.explain_from_inputs(&setup.tensor(&x), &setup.tensor(&roots), &question).unwrap();
    let data = setup.rounded(&inputs());
    let naive = Naive::new(&weights, &centroids, &data);
    let expected: Rows =
        x.iter().zip(&roots).map(|(x, root)| naive.secant(x, root, 1, 3)).collect();
    assert_rows_close(&rows(found.relevance), &expected, 100.0 * setup.tolerance, "from a root");
    let left: Vec<f64> = roots.iter().map(|root| naive.contrast(root, 1, 3)).collect();
    assert_close(&values(found.absorbed), &left, 100.0 * setup.tolerance, "left at the root");

    let x = setup.tensor(&x);
    let same = model.explain_from_inputs(&x, &x, &DeepQuestion::default()).unwrap();
    assert!(values(same.relevance).iter().all(|r| *r == 0.0));
    assert_eq!(values(same.absorbed), values(same.codes.logit));
    let error = model.explain_from_inputs(&x, &x.clone().narrow(0, 0, 3), &question).unwrap_err();
    assert!(error.to_string().contains("a root for every input"), "{error}");
}

/// Blocks of any size give the same; so do roots that run once, and roots that run in every block.
pub fn secant_blocks<B: Backend>(setup: &Setup<B>) {
    let (_, _, model) = model(setup);
    let x = setup.tensor(&inputs()[20..43].to_vec());
    for root in [Root::Midway, Root::Between(0.3), Root::Toward] {
        let question = DeepQuestion::default().with_pass(Pass::Secant(root));
        let whole = rows(model.explain(&x, &question).unwrap().relevance);
        for size in [1, 3, 100] {
            let question = question.clone().with_batch_size(size);
            let found = rows(model.explain(&x, &question).unwrap().relevance);
            let what = format!("{root:?} in blocks of {size}");
            assert_rows_close(&found, &whole, 1000.0 * setup.tolerance, &what);
        }
        let one = model.explain(&x.clone().narrow(0, 4, 1), &question).unwrap();
        let what = format!("{root:?} of one");
        assert_rows_close(
            &rows(one.relevance),
            &whole[4..5].to_vec(),
            1000.0 * setup.tolerance,
            &what,
        );
    }
}

/// Roots are saved and loaded; a model without them says what to do.
pub fn roots_in_records<B: Backend>(setup: &Setup<B>) {
    let (weights, _, model) = model(setup);
    let x = setup.tensor(&inputs()[20..24].to_vec());
    let question = DeepQuestion::default();
    let before = values(model.explain(&x, &question).unwrap().relevance);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.bpk");
    let template = || {
        Perceptron::of(
            LinearConfig::new(5, 4).init::<B>(&setup.device),
            LinearConfig::new(4, 3).init::<B>(&setup.device),
        )
    };
    model.save(&path).unwrap();
    let loaded = DeepKMeans::load(&path, template(), &setup.device, setup.dtype).unwrap();
    assert!(loaded.has_roots());
    assert_eq!(values(loaded.explain(&x, &question).unwrap().relevance), before);

    // A file without roots.
    let bare = DeepKMeans::new(weights.encoder(setup), model.head().clone());
    bare.save(&path).unwrap();
    let loaded = DeepKMeans::load(&path, template(), &setup.device, setup.dtype).unwrap();
    assert!(!loaded.has_roots());
    let error = loaded.explain(&x, &question).unwrap_err().to_string();
    assert!(error.contains("`with_roots`") && error.contains("`Pass::Lrp`"), "{error}");
    assert!(loaded.explain(&x, &question.clone().with_pass(Pass::gamma())).is_ok());
    let again = loaded.with_roots([setup.tensor(&inputs())]).unwrap();
    assert_eq!(values(again.explain(&x, &question).unwrap().relevance), before);

    // As a part of another module, by Burn's own recorder.
    let recorder = NamedMpkBytesRecorder::<FullPrecisionSettings>::default();
    let bytes: Vec<u8> = recorder.record(model.clone().into_record(), ()).unwrap();
    let head = KMeans::from_centroids(Tensor::zeros([4, 3], (&setup.device, setup.dtype))).unwrap();
    let blank = DeepKMeans::new(template(), head).with_blank_roots(&[5], &setup.device);
    assert!(blank.clone().checked().is_err());
    let filled = blank.load_record(recorder.load(bytes, &setup.device).unwrap());
    if setup.dtype == DType::F32 {
        let found = filled.checked().unwrap().explain(&x, &question).unwrap();
        assert_eq!(values(found.relevance), before);
    }
    let wrong = setup.tensor(&random_rows(4, 6, 0.0, 51));
    let error = model.explain(&wrong, &question).unwrap_err().to_string();
    assert!(error.contains("inputs of shape [5]"), "{error}");
    for lambda in [-0.1, 1.1, f64::NAN] {
        let question = question.clone().with_pass(Pass::Secant(Root::Between(lambda)));
        let error = model.explain(&x, &question).unwrap_err().to_string();
        assert!(error.contains("lambda"), "{error}");
    }
}

/// A fit finds the roots in its second pass; sources that are used up, and empty clusters.
pub fn roots_of_a_fit<B: Backend>(setup: &Setup<B>) {
    let weights = Weighted::of(setup, 41);
    let mut data = random_rows(20, 5, 3.0, 42);
    data.extend(random_rows(20, 5, -3.0, 43));
    let x = setup.tensor(&data);
    let config = KMeansConfig::new(2);
    let batches =
        || [0, 7, 30].into_iter().zip([7, 23, 10]).map(|(at, n)| x.clone().narrow(0, at, n));
    let fit = DeepKMeans::fit(weights.encoder(setup), &config, batches).unwrap();
    let question = DeepQuestion::default();
    let found = rows(fit.model.explain(&x, &question).unwrap().relevance);
    let bare = DeepKMeans::new(weights.encoder(setup), fit.model.head().clone());
    let whole = bare.with_roots([x.clone()]).unwrap();
    let expected = rows(whole.explain(&x, &question).unwrap().relevance);
    assert_rows_close(&found, &expected, 1000.0 * setup.tolerance, "roots of batches");
    let mini = DeepKMeans::fit_mini_batches(weights.encoder(setup), &config, 2, batches).unwrap();
    assert!(mini.has_roots());

    let mut source = batches();
    let used_up =
        DeepKMeans::fit(weights.encoder(setup), &config, || source.by_ref().collect::<Vec<_>>());
    let error = used_up.unwrap_err().to_string();
    assert!(error.contains("40 rows in the first pass and 0 in pass 2"), "{error}");
    let mut calls = 0;
    let grows = DeepKMeans::fit(weights.encoder(setup), &config, || {
        calls += 1;
        vec![x.clone(); calls]
    });
    assert!(grows.unwrap_err().to_string().contains("80 in pass 2"));
    let none = whole.clone().with_roots(Vec::<Tensor<B, 2>>::new());
    assert!(none.unwrap_err().to_string().contains("empty"));

    // A centroid far from all codes: no inputs, no roots, and its part is absorbed.
    let mut centroids = rows(whole.head().centroids());
    let away: Vec<f64> =
        centroids[0].iter().zip(&centroids[1]).map(|(a, b)| 3.0 * a - 2.0 * b).collect();
    centroids.push(away.iter().map(|value| value + 40.0).collect());
    let head = setup.kmeans(&setup.rounded(&centroids)).with_beta(0.0).unwrap();
    let model = DeepKMeans::new(weights.encoder(setup), head).with_roots([x.clone()]).unwrap();
    let found = model.explain(&x, &question).unwrap();
    let sums: Vec<f64> = rows(found.relevance).iter().map(|row| row.iter().sum()).collect();
    let (logit, absorbed) = (values(found.codes.logit), values(found.absorbed));
    for row in 0..40 {
        assert!(sums[row].is_finite());
        // Of two competitors with equal shares, one has roots.
        let half = 0.5 * logit[row];
        let slack = 1e-3 * logit[row].abs().max(1e-3);
        assert!((sums[row] - half).abs() < slack && (absorbed[row] - half).abs() < slack);
    }
    let reloaded = {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep.bpk");
        model.save(&path).unwrap();
        DeepKMeans::load(&path, weights.encoder(setup), &setup.device, setup.dtype).unwrap()
    };
    let again = reloaded.explain(&x, &question).unwrap();
    assert_eq!(values(again.absorbed), absorbed);
    // The network of rows uses the same pass.
    let network = NeuralizedDeepKMeans::new(reloaded, &x, question).unwrap();
    let of_network = network.explain(&x, Target::Assigned, Beta::Heuristic).unwrap();
    assert_close(
        &values(of_network.absorbed[0].amount.clone()),
        &absorbed,
        setup.tolerance,
        "network",
    );
}

/// Of images, the places are medoids: their relevance is measured between inputs that exist.
pub fn secants_of_images<B: Backend>(setup: &Setup<B>) {
    let mut encoder = Pixels {
        conv: Conv2dConfig::new([2, 3], [2, 2]).init::<B>(&setup.device),
        code: LinearConfig::new(3 * 2 * 3, 2).init::<B>(&setup.device),
    };
    let kernel = setup.tensor(&random_rows(3, 8, 0.0, 81)).reshape([3, 2, 2, 2]);
    encoder.conv.weight = Param::initialized(ParamId::new(), kernel);
    encoder.conv.bias = Some(Param::initialized(ParamId::new(), setup.column(&[0.1, -0.2, 0.3])));
    let dense = setup.tensor(&random_rows(18, 2, 0.0, 82));
    encoder.code.weight = Param::initialized(ParamId::new(), dense);
    encoder.code.bias = Some(Param::initialized(ParamId::new(), setup.column(&[0.5, -0.5])));
    let x = setup.tensor(&random_rows(30, 2 * 3 * 4, 0.0, 84)).reshape([30, 2, 3, 4]);
    let fit = DeepKMeans::fit(encoder, &KMeansConfig::new(3), || [x.clone()]).unwrap();
    let model = fit.model;
    let explanation = model.explain(&x, &DeepQuestion::default()).unwrap();
    assert_eq!(explanation.relevance.dims(), [30, 2, 3, 4]);
    let (logit, absorbed) = (values(explanation.codes.logit), values(explanation.absorbed));
    let size = values(explanation.relevance.reshape([30, 24]).abs().sum_dim(1));
    for row in 0..30 {
        let lost = if setup.dtype == DType::F64 { 1e-12 } else { 1e-4 };
        let slack = lost * (size[row] + logit[row].abs());
        assert!(absorbed[row].abs() <= slack, "{} of {}", absorbed[row], logit[row]);
    }
    // The root of a pair lies between its medoids.
    let labels = indices(fit.labels);
    let codes = rows(fit.codes);
    let centroids = rows(model.head().centroids());
    let medoid = |cluster: usize| {
        let members = (0..30).filter(|row| labels[*row] == cluster);
        let away = |row: &usize| naive::squared_distance(&codes[*row], &centroids[cluster]);
        let row = members.min_by(|a, b| away(a).total_cmp(&away(b))).unwrap();
        x.clone().narrow(0, row, 1)
    };
    let (from, to) = (medoid(0), medoid(1));
    let at = |t: f64| from.clone() + (to.clone() - from.clone()) * t;
    let contrast = |t: f64| {
        let code = rows(model.codes(at(t)).unwrap()).remove(0);
        let away = |k: usize| naive::squared_distance(&code, &centroids[k]);
        away(1) - away(0)
    };
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..40 {
        let middle = 0.5 * (low + high);
        if contrast(middle) > 0.0 { low = middle } else { high = middle }
    }
    let question = DeepQuestion::default().with_target(Target::Contrast { cluster: 0, versus: 1 });
    let own = model.explain(&x, &question).unwrap().relevance;
    let roots = at(low).repeat_dim(0, 30);
    let given = model.explain_from_inputs(&x, &roots, &question).unwrap().relevance;
    let table = |t: Tensor<B, 4>| rows(t.reshape([30, 24]));
    let near = if setup.dtype == DType::F64 { 1e-6 } else { 1e-2 };
    assert_rows_close(&table(own), &table(given), near, "between medoids");
}

#[derive(Module, Debug)]
struct Words<B: Backend> {
    embedding: Embedding<B>,
    code: Linear<B>,
}

impl<B: Backend> Relevance<B> for Words<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> burn_lrp::Result<Node<'m, B>> {
        let x = x.then("embedding", &self.embedding)?;
        x.mean_over(1)?.tanh()?.then("code", &self.code)
    }
}

/// Between token ids there is nothing: a fit has no roots, and explains from roots of the caller.
pub fn secants_of_tokens<B: Backend>(setup: &Setup<B>) {
    let mut encoder = Words {
        embedding: EmbeddingConfig::new(6, 4).init::<B>(&setup.device),
        code: LinearConfig::new(4, 2).with_bias(false).init::<B>(&setup.device),
    };
    let table = setup.tensor(&random_rows(6, 4, 0.0, 101));
    encoder.embedding.weight = Param::initialized(ParamId::new(), table);
    let weight = setup.tensor(&random_rows(4, 2, 0.0, 102));
    encoder.code.weight = Param::initialized(ParamId::new(), weight);
    let ids = setup.tensor(&vec![
        vec![0.0, 3.0, 3.0, 5.0],
        vec![1.0, 2.0, 4.0, 0.0],
        vec![5.0, 5.0, 1.0, 0.0],
        vec![2.0, 2.0, 2.0, 1.0],
    ]);
    let fit = DeepKMeans::fit(encoder, &KMeansConfig::new(2), || [ids.clone()]).unwrap();
    assert!(!fit.model.has_roots());
    let question = DeepQuestion::default().with_beta(1.0);
    let error = fit.model.explain(&ids, &question).unwrap_err().to_string();
    assert!(error.contains("token ids"), "{error}");
    assert!(fit.model.clone().with_roots([ids.clone()]).is_err());
    let blank = ids.zeros_like();
    let found = fit.model.explain_from_inputs(&ids, &blank, &question).unwrap();
    let (logit, absorbed) = (values(found.codes.logit), values(found.absorbed));
    for (row, relevance) in rows(found.relevance).iter().enumerate() {
        let sum: f64 = relevance.iter().sum();
        assert!((sum + absorbed[row] - logit[row]).abs() <= 1e-5, "{sum}");
    }
    // The first token is that of the root.
    assert_eq!(
        rows(fit.model.explain_from_inputs(&ids, &blank, &question).unwrap().relevance)[0][0],
        0.0
    );
}

/// So many competitors that each has a small share: the nearest counts always.
pub fn many_clusters<B: Backend>(setup: &Setup<B>) {
    let data = random_rows(360, 4, 0.0, 231);
    let x = setup.tensor(&data);
    let unit: Rows =
        (0..4).map(|i| (0..4).map(|j| f64::from(u8::from(i == j))).collect()).collect();
    let head = setup.kmeans(&setup.rounded(&data)[..120].to_vec());
    let model = DeepKMeans::new(linear(setup, &unit), head).with_roots([x.clone()]).unwrap();
    let few = x.narrow(0, 200, 6);
    let found = model.explain(&few, &DeepQuestion::default().with_beta(0.0)).unwrap();
    let (logit, absorbed) = (values(found.codes.logit), values(found.absorbed));
    let size = values(found.relevance.abs().sum_dim(1));
    for row in 0..6 {
        let lost = if setup.dtype == DType::F64 { 1e-10 } else { 1e-2 };
        assert!(absorbed[row].abs() <= lost * size[row], "{} of {}", absorbed[row], logit[row]);
        assert!(size[row] > 0.1 * logit[row]);
    }
}

/// The second pass of a fit may have another order, as a data loader that shuffles has; inputs that
/// differ in shape have no roots.
pub fn batches_of_a_fit<B: Backend>(setup: &Setup<B>) {
    let weights = Weighted::of(setup, 41);
    let mut data = random_rows(20, 5, 3.0, 42);
    data.extend(random_rows(20, 5, -3.0, 43));
    let x = setup.tensor(&data);
    let config = KMeansConfig::new(2);
    let question = DeepQuestion::default();
    let in_order = DeepKMeans::fit(weights.encoder(setup), &config, || [x.clone()]).unwrap();
    let mut calls = 0;
    let shuffled = DeepKMeans::fit(weights.encoder(setup), &config, || {
        calls += 1;
        let order: [usize; 2] = if calls == 1 { [0, 20] } else { [20, 0] };
        order.map(|start| x.clone().narrow(0, start, 20))
    });
    let [a, b] = [&in_order, &shuffled.unwrap()]
        .map(|fit| rows(fit.model.explain(&x, &question).unwrap().relevance));
    assert_rows_close(&b, &a, 1000.0 * setup.tolerance, "another order");

    let one = DeepKMeans::fit(weights.encoder(setup), &KMeansConfig::new(1), || [x.clone()]);
    let error = one.unwrap().model.explain(&x, &question).unwrap_err().to_string();
    assert!(error.contains("no competitor"), "{error}");

    let weight = setup.tensor(&random_rows(3, 2, 0.0, 232));
    let bias = setup.column(&[0.1, -0.1]);
    let encoder = Means {
        code: Linear {
            weight: Param::initialized(ParamId::new(), weight),
            bias: Some(Param::initialized(ParamId::new(), bias)),
        },
    };
    let texts = |steps: usize, seed: u64| {
        setup.tensor(&random_rows(4 * steps, 3, 0.0, seed)).reshape([4, steps, 3])
    };
    let batches = || [texts(2, 233), texts(5, 234)];
    let fit = DeepKMeans::fit(encoder, &config, batches).unwrap();
    assert!(!fit.model.has_roots());
    let alike = fit.model.with_roots([texts(5, 234)]).unwrap();
    assert!(alike.explain(&texts(5, 235), &question.clone().with_beta(1.0)).is_ok());
    let error = alike.explain(&texts(2, 235), &question).unwrap_err().to_string();
    assert!(error.contains("shape [5, 3]") || error.contains("beta"), "{error}");
}

/// The mean over steps, of which there may be any number.
#[derive(Module, Debug)]
struct Means<B: Backend> {
    code: Linear<B>,
}

impl<B: Backend> Relevance<B> for Means<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> burn_lrp::Result<Node<'m, B>> {
        x.mean_over(1)?.then("code", &self.code)
    }
}

/// Points that hardly belong to their cluster keep all of their small logit.
pub fn secants_near_a_boundary<B: Backend>(setup: &Setup<B>) {
    let (weights, centroids, model) = model(setup);
    let data = setup.rounded(&inputs());
    let naive = Naive::new(&weights, &centroids, &data);
    let boundary = naive.midway(0, 1);
    let x: Rows = [1e-2, 1e-4, 1e-6]
        .iter()
        .map(|step| {
            let place = &naive.places[0];
            boundary.iter().zip(place).map(|(b, p)| b + step * (p - b)).collect()
        })
        .collect();
    let question = DeepQuestion::default()
        .with_target(Target::Contrast { cluster: 0, versus: 1 })
        .with_pass(Pass::Secant(Root::Toward));
    let found = model.explain(&setup.tensor(&x), &question).unwrap();
    let (logit, absorbed) = (values(found.codes.logit), values(found.absorbed));
    // Scores around 10 have this rounding.
    let rounding = if setup.dtype == DType::F64 { 1e-12 } else { 1e-3 };
    for row in 0..3 {
        let lost = absorbed[row].abs();
        assert!(lost <= 1e-5 * logit[row].abs() + rounding, "{lost} of {}", logit[row]);
    }
    if setup.dtype == DType::F64 {
        assert!(logit[2].abs() < 1e-3 * logit[0].abs(), "{logit:?}");
    }
}

/// A model that is explained by rules has the secant pass as a method, and an evaluation by default.
pub fn secants_beside_rules<B: Backend>(setup: &Setup<B>) {
    let (weights, _, model) = model(setup);
    let x = setup.tensor(&inputs());
    let head = model.head().clone();
    let bare = DeepKMeans::new(weights.encoder(setup), head);
    let rules = DeepQuestion::default().with_pass(Pass::gamma());
    let network = NeuralizedDeepKMeans::new(bare, &x, rules).unwrap();
    let few = x.clone().narrow(0, 0, 12);
    let toward = network.explain_from(&few, Target::Assigned, Beta::Heuristic, Root::Toward);
    let question = DeepQuestion::default().with_pass(Pass::Secant(Root::Toward));
    let whole = model.explain(&few, &question).unwrap();
    let (a, b) = (rows(toward.unwrap().relevance), rows(whole.relevance));
    assert_rows_close(&a, &b, 1000.0 * setup.tolerance, "toward");
    let by_rules = network.explain(&few, Target::Assigned, Beta::Heuristic).unwrap();
    let sums = values(by_rules.relevance.sum_dim(1));
    assert!(sums.iter().zip(values(by_rules.logit)).any(|(sum, f)| (sum - f).abs() > 0.01 * f));
}
