//! Deep k-means: codes, explanations down to the input, fits, files, training.

use std::fs;

use burn::module::{Module, Param, ParamId};
use burn::nn::conv::{Conv2d, Conv2dConfig};
use burn::nn::{
    Embedding, EmbeddingConfig, InstanceNorm, InstanceNormConfig, Linear, LinearConfig, Relu,
    RmsNorm, RmsNormConfig,
};
use burn::tensor::backend::{AutodiffBackend, Backend};
use burn::tensor::{DType, Tensor};
use burn_lrp::{AnyTensor, Composite, Node, Relevance, Rule, Selector};
use neuralize::cluster::{KMeans, KMeansConfig, MiniBatchKMeans};
use neuralize::deep::{Autoencoder, DeepKMeans, DeepQuestion, JointTraining, Pass, Weights};
use neuralize::explain::Target;

use super::super::suite::*;

/// A perceptron: 5 inputs, 4 hidden units, a code of 3 numbers.
#[derive(Module, Debug)]
pub struct Perceptron<B: Backend> {
    hidden: Linear<B>,
    code: Linear<B>,
}

impl<B: Backend> Perceptron<B> {
    pub fn of(hidden: Linear<B>, code: Linear<B>) -> Self {
        Self { hidden, code }
    }
}

impl<B: Backend> Relevance<B> for Perceptron<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> burn_lrp::Result<Node<'m, B>> {
        x.then("hidden", &self.hidden)?.then("relu", &Relu)?.then("code", &self.code)
    }
}

/// One with random weights.
pub fn perceptron<B: Backend>(setup: &Setup<B>, seed: u64) -> Perceptron<B> {
    Weighted::of(setup, seed).encoder(setup)
}

pub struct Weighted {
    pub w1: Rows,
    pub b1: Vec<f64>,
    pub w2: Rows,
    pub b2: Vec<f64>,
}

impl Weighted {
    pub fn of<B: Backend>(setup: &Setup<B>, seed: u64) -> Self {
        let rounded = |n, d, seed| setup.rounded(&random_rows(n, d, 0.0, seed));
        Self {
            w1: rounded(5, 4, seed),
            b1: rounded(1, 4, seed + 1).remove(0),
            w2: rounded(4, 3, seed + 2),
            b2: rounded(1, 3, seed + 3).remove(0),
        }
    }

    pub fn encoder<B: Backend>(&self, setup: &Setup<B>) -> Perceptron<B> {
        let linear = |w: &Rows, b: &[f64]| Linear {
            weight: Param::initialized(ParamId::new(), setup.tensor(w)),
            bias: Some(Param::initialized(ParamId::new(), setup.column(b))),
        };
        Perceptron { hidden: linear(&self.w1, &self.b1), code: linear(&self.w2, &self.b2) }
    }

    fn layer(x: &[f64], w: &Rows, b: &[f64]) -> Vec<f64> {
        (0..b.len()).map(|k| b[k] + x.iter().zip(w).map(|(x, w)| x * w[k]).sum::<f64>()).collect()
    }

    /// Pre-activations of the hidden layer, and the code.
    pub fn run(&self, x: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let hidden = Self::layer(x, &self.w1, &self.b1);
        let active: Vec<f64> = hidden.iter().map(|h| h.max(0.0)).collect();
        (hidden, Self::layer(&active, &self.w2, &self.b2))
    }

    /// LRP-ε from the code's relevance to the input's, by the definition.
    fn propagate(&self, x: &[f64], code: &[f64], epsilon: f64) -> Vec<f64> {
        let (hidden, z) = self.run(x);
        let active: Vec<f64> = hidden.iter().map(|h| h.max(0.0)).collect();
        let step = |a: &[f64], w: &Rows, z: &[f64], r: &[f64]| -> Vec<f64> {
            (0..a.len())
                .map(|j| {
                    (0..z.len())
                        .map(|k| {
                            let below = if z[k] < 0.0 { z[k] - epsilon } else { z[k] + epsilon };
                            a[j] * w[j][k] / below * r[k]
                        })
                        .sum()
                })
                .collect()
        };
        step(x, &self.w1, &hidden, &step(&active, &self.w2, &z, code))
    }
}

/// Inputs of all clusters of [`model`].
pub fn inputs() -> Rows {
    let mut rows = random_rows(300, 5, 0.0, 30);
    rows.iter_mut().flatten().for_each(|value| *value *= 3.0);
    rows
}

pub fn model<B: Backend>(setup: &Setup<B>) -> (Weighted, Rows, DeepKMeans<B, Perceptron<B>>) {
    let weights = Weighted::of(setup, 11);
    let centroids = setup.rounded(&random_rows(4, 3, 0.0, 21));
    let head = setup.kmeans(&centroids).with_beta(0.7).unwrap();
    let data = setup.tensor(&inputs());
    let model = DeepKMeans::new(weights.encoder(setup), head).with_roots([data]).unwrap();
    (weights, centroids, model)
}

fn epsilon(epsilon: f64) -> Composite {
    Composite::new().with(Selector::kind("Linear"), Rule::epsilon(epsilon).unwrap())
}

/// Code, NEON and LRP-ε against loops, and conservation.
pub fn input_relevance_by_hand<B: Backend>(setup: &Setup<B>) {
    let (weights, centroids, model) = model(setup);
    let x = setup.rounded(&random_rows(9, 5, 0.2, 31));
    let codes: Rows = x.iter().map(|x| weights.run(x).1).collect();
    let found = rows(model.codes(setup.tensor(&x)).unwrap());
    assert_rows_close(&found, &codes, 10.0 * setup.tolerance, "codes");
    let labels = indices(model.predict(setup.tensor(&x)).unwrap());

    let question = DeepQuestion::default().with_composite(epsilon(0.1)).with_report();
    for (target, beta) in [
        (Target::Assigned, 0.7),
        (Target::Cluster(2), 0.7),
        (Target::Contrast { cluster: 1, versus: 3 }, 1.0),
    ] {
        let question = question.clone().with_target(target);
        let explanation = model.explain(&setup.tensor(&x), &question).unwrap();
        let mut expected = Rows::new();
        for (x, code) in x.iter().zip(&codes) {
            let own = naive::nearest(code, &centroids);
            let code_relevance = match target {
                Target::Contrast { cluster, versus } => {
                    naive::neon(code, &centroids, &naive::Question::Against(cluster, versus), beta)
                }
                Target::Cluster(c) if c != own => {
                    naive::neon(code, &centroids, &naive::Question::Against(c, own), beta)
                }
                _ => naive::neon(code, &centroids, &naive::Question::Soft(own), beta),
            };
            expected.push(weights.propagate(x, &code_relevance, 0.1));
        }
        let found = rows(explanation.relevance.clone());
        // ε = 0.1 bounds the growth of rounding errors.
        assert_rows_close(&found, &expected, 100.0 * setup.tolerance, &format!("{target:?}"));
        let report = explanation.report.as_ref().unwrap();
        let absorbed = values(explanation.absorbed.clone());
        let logit = values(explanation.codes.logit.clone());
        let reported = report.absorbed();
        assert_eq!(report.layers().len(), 3);
        for n in 0..x.len() {
            let sum: f64 = found[n].iter().sum();
            let size: f64 = found[n].iter().map(|r| r.abs()).sum::<f64>() + logit[n].abs();
            let slack = 100.0 * setup.tolerance * (size + absorbed[n].abs());
            assert!((sum + absorbed[n] - logit[n]).abs() <= slack, "row {n}");
            assert!((reported[n] - absorbed[n]).abs() <= slack, "row {n}: {reported:?}");
        }
    }
    let naive: Vec<usize> = codes.iter().map(|code| naive::nearest(code, &centroids)).collect();
    assert_eq!(labels, naive);
}

/// Without biases and with LRP-0 nothing is absorbed.
pub fn nothing_is_absorbed_without_biases<B: Backend>(setup: &Setup<B>) {
    let (weights, _, full) = model(setup);
    let mut encoder = weights.encoder(setup);
    encoder.hidden.bias = None;
    encoder.code.bias = None;
    let model = DeepKMeans::new(encoder, full.head().clone());
    let x = setup.tensor(&random_rows(6, 5, 0.2, 32));
    let composite = Composite::new().with(Selector::kind("Linear"), Rule::ZERO);
    let question = DeepQuestion::default().with_composite(composite);
    let explanation = model.explain(&x, &question).unwrap();
    let size = values(explanation.relevance.clone().abs().sum_dim(1));
    // If all hidden units are silent, the code is 0, and no relevance reaches the input.
    let spoken: Vec<(f64, f64)> = values(explanation.absorbed)
        .into_iter()
        .zip(size)
        .filter(|(_, size)| *size > 0.0)
        .collect();
    assert!(spoken.len() >= 4);
    for (absorbed, size) in spoken {
        assert!(absorbed.abs() <= 100.0 * setup.tolerance * size, "{absorbed} of {size}");
    }
}

/// Blocks of one sample and of all give the same, and so does a report.
pub fn deep_blocks_make_no_difference<B: Backend>(setup: &Setup<B>) {
    let (_, _, model) = model(setup);
    let x = setup.tensor(&random_rows(7, 5, 0.0, 33));
    let question = DeepQuestion::default().with_composite(epsilon(0.05));
    let whole = model.explain(&x, &question).unwrap();
    let single = model.explain(&x, &question.clone().with_batch_size(1).with_report()).unwrap();
    let (whole_r, single_r) = (rows(whole.relevance), rows(single.relevance));
    assert_rows_close(&single_r, &whole_r, 100.0 * setup.tolerance, "relevance");
    assert_eq!(single.report.unwrap().layers()[0].output.len(), 7);
    assert_eq!(indices(single.codes.cluster), indices(whole.codes.cluster));
}

#[derive(Module, Debug)]
pub struct Pixels<B: Backend> {
    pub conv: Conv2d<B>,
    pub code: Linear<B>,
}

impl<B: Backend> Relevance<B> for Pixels<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> burn_lrp::Result<Node<'m, B>> {
        x.then("conv", &self.conv)?.then("relu", &Relu)?.flatten()?.then("code", &self.code)
    }
}

/// Errors name their cause.
pub fn deep_edges<B: Backend>(setup: &Setup<B>) {
    let (weights, _, model) = model(setup);
    let x = setup.tensor(&random_rows(3, 5, 0.0, 34));
    let question = DeepQuestion::default();
    let refused = |result: neuralize::Result<String>, part: &str| {
        let text = result.expect_err(part).to_string();
        assert!(text.contains(part), "{text}");
    };
    let explain =
        |model: &DeepKMeans<B, Perceptron<B>>, x: &Tensor<B, 2>, question: &DeepQuestion| {
            model.explain(x, question).map(|_| String::new())
        };
    refused(explain(&model, &x.clone().narrow(1, 0, 4), &question), "inputs of shape [5]");
    let rules = question.clone().with_pass(Pass::gamma());
    refused(explain(&model, &x.clone().narrow(1, 0, 4), &rules), "hidden");
    refused(explain(&model, &x.clone().narrow(0, 0, 1).slice([0..0, 0..5]), &question), "empty");
    let unknown = DeepQuestion::default().with_target(Target::Cluster(4));
    refused(explain(&model, &x, &unknown), "no cluster 4");
    let mut bad = random_rows(3, 5, 0.0, 35);
    bad[1][2] = f64::NAN;
    assert!(model.explain(&setup.tensor(&bad), &question).is_err());
    let composite = Composite::new().with(Selector::All, Rule::WINNER_TAKE_ALL);
    let refused_rules = model.plan(x.clone(), &composite).unwrap_err().to_string();
    for path in ["`hidden` (Linear)", "`relu` (Relu)", "`code` (Linear)"] {
        assert!(refused_rules.contains(path), "{refused_rules}");
    }
    // Another width than the clustering has.
    let other = DeepKMeans::new(weights.encoder(setup), setup.kmeans(&random_rows(3, 2, 0.0, 1)));
    refused(other.codes(x.clone()).map(|_| String::new()), "[samples, 2]");
    assert!(other.explain(&x, &DeepQuestion::default().with_beta(1.0)).is_err());
    // One cluster has no competitor.
    let one = DeepKMeans::new(weights.encoder(setup), setup.kmeans(&random_rows(1, 3, 0.0, 1)));
    refused(explain(&one, &x, &question), "no competitor");
    // No heuristic β.
    let none = DeepKMeans::new(weights.encoder(setup), setup.kmeans(&random_rows(2, 3, 0.0, 1)));
    refused(explain(&none, &x, &question), "heuristic");
    assert!(none.explain(&x, &rules.with_beta(0.5)).is_ok());
    refused(explain(&none, &x, &question.clone().with_beta(0.5)), "has no roots");
}

/// Codes are clustered the same whatever the batches.
pub fn deep_fits<B: Backend>(setup: &Setup<B>) {
    let weights = Weighted::of(setup, 41);
    let mut data = random_rows(20, 5, 3.0, 42);
    data.extend(random_rows(20, 5, -3.0, 43));
    let x = setup.tensor(&data);
    let config = KMeansConfig::new(2);
    let batches =
        || [0, 7, 30].into_iter().zip([7, 23, 10]).map(|(at, n)| x.clone().narrow(0, at, n));
    let fit = DeepKMeans::fit(weights.encoder(setup), &config, batches).unwrap();
    assert_eq!(fit.sizes.iter().sum::<usize>(), 40);
    let direct = config.fit(&fit.model.codes(x.clone()).unwrap()).unwrap();
    let near = 1e-3 * direct.inertia.max(1.0);
    assert!((fit.inertia - direct.inertia).abs() < near, "{} {}", fit.inertia, direct.inertia);
    assert_eq!(indices(fit.labels), indices(fit.model.predict(x.clone()).unwrap()));
    assert_eq!(fit.codes.dims(), [40, 3]);

    let mini = || {
        let model =
            DeepKMeans::fit_mini_batches(weights.encoder(setup), &config, 3, batches).unwrap();
        values(model.head().centroids())
    };
    assert_eq!(mini(), mini());
    let model = DeepKMeans::fit_mini_batches(weights.encoder(setup), &config, 3, batches).unwrap();
    let mut direct = MiniBatchKMeans::new(config.clone()).unwrap();
    for _ in 0..3 {
        for batch in batches() {
            direct.partial_fit(&model.codes(batch).unwrap()).unwrap();
        }
    }
    assert_eq!(values(model.head().centroids()), values(direct.model().unwrap().centroids()));

    let none = DeepKMeans::fit(weights.encoder(setup), &config, Vec::<Tensor<B, 2>>::new);
    assert!(none.unwrap_err().to_string().contains("empty"));
    let passes = DeepKMeans::fit_mini_batches(weights.encoder(setup), &config, 0, batches);
    assert!(passes.is_err());
}

/// One file, bit for bit; and no other file.
pub fn deep_records<B: Backend>(setup: &Setup<B>) {
    let (weights, _, model) = model(setup);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("deep.bpk");
    model.save(&path).unwrap();
    let blank = || LinearConfig::new(5, 4);
    let template = || Perceptron {
        hidden: blank().init::<B>(&setup.device),
        code: LinearConfig::new(4, 3).init::<B>(&setup.device),
    };
    let load = |template| DeepKMeans::load(&path, template, &setup.device, setup.dtype);
    let loaded = load(template()).unwrap();
    let x = setup.tensor(&random_rows(4, 5, 0.0, 51));
    let question = DeepQuestion::default();
    let before = model.explain(&x, &question).unwrap();
    let after = loaded.explain(&x, &question).unwrap();
    assert_eq!(values(before.relevance), values(after.relevance));
    assert_eq!(loaded.head().beta(), model.head().beta());
    assert_eq!(values(loaded.encoder().hidden.weight.val()), values(setup.tensor(&weights.w1)));

    // Another architecture.
    let wide = Perceptron {
        hidden: blank().init(&setup.device),
        code: LinearConfig::new(4, 7).init(&setup.device),
    };
    let text = load(wide).unwrap_err().to_string();
    assert!(text.contains("deep.bpk") && text.contains("deep k-means"), "{text}");
    // A truncated file, a file of another format, a missing file.
    let bytes = fs::read(&path).unwrap();
    for bytes in [&bytes[..bytes.len() / 2], b"nothing of the kind".as_slice(), &[]] {
        fs::write(&path, bytes).unwrap();
        assert!(load(template()).is_err());
    }
    fs::remove_file(&path).unwrap();
    assert!(load(template()).unwrap_err().to_string().contains("deep.bpk"));
    // The file of another model.
    let head: &KMeans<B> = model.head();
    neuralize::record::save_burnpack(head, &path).unwrap();
    assert!(load(template()).is_err());
    // Saving leaves the file alone behind.
    model.save(&path).unwrap();
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

/// Weights from a file: renamed, left out, missing, left over.
pub fn weights_from_elsewhere<B: Backend>(setup: &Setup<B>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("weights.safetensors");
    // PyTorch's layout: a linear layer is [outputs, inputs] there.
    let weights = Weighted::of(setup, 61);
    let transposed = |w: &Rows| -> Rows {
        (0..w[0].len()).map(|k| w.iter().map(|row| row[k]).collect()).collect()
    };
    let tensors = [
        ("net.0.weight", vec![4, 5], transposed(&weights.w1).concat()),
        ("net.0.bias", vec![4], weights.b1.clone()),
        ("net.2.weight", vec![3, 4], transposed(&weights.w2).concat()),
        ("net.2.bias", vec![3], weights.b2.clone()),
        ("head.weight", vec![2, 3], vec![0.5; 6]),
    ];
    fs::write(&path, safetensors(&tensors, setup.dtype)).unwrap();
    let template = || Perceptron {
        hidden: LinearConfig::new(5, 4).init::<B>(&setup.device),
        code: LinearConfig::new(4, 3).init::<B>(&setup.device),
    };
    let renamed = Weights::of(&path).rename(r"^net\.0\.", "hidden.").rename(r"^net\.2\.", "code.");
    let encoder = renamed.clone().without("head").load(template(), setup.dtype).unwrap();
    let x = random_rows(3, 5, 0.0, 62);
    let codes: Rows = setup.rounded(&x).iter().map(|x| weights.run(x).1).collect();
    let found = burn_lrp::infer(&encoder, setup.tensor(&x)).unwrap().tensor().unwrap();
    assert_rows_close(&rows(found), &codes, 10.0 * setup.tolerance, "codes");

    let text = renamed.load(template(), setup.dtype).unwrap_err().to_string();
    assert!(text.contains("head.weight"), "{text}");
    let text = Weights::of(&path).load(template(), setup.dtype).unwrap_err().to_string();
    assert!(text.contains("hidden.weight") && text.contains("net.0.weight"), "{text}");
    let text =
        Weights::of(&path).rename("(", "").load(template(), setup.dtype).unwrap_err().to_string();
    assert!(text.contains("replaced"), "{text}");
    let text = Weights::of(folder.path().join("none.safetensors")).load(template(), setup.dtype);
    assert!(text.unwrap_err().to_string().contains("none.safetensors"));
    let wrong = Perceptron {
        hidden: LinearConfig::new(6, 4).init::<B>(&setup.device),
        code: template().code,
    };
    let all = Weights::of(&path)
        .rename(r"^net\.0\.", "hidden.")
        .rename(r"^net\.2\.", "code.")
        .without("head");
    assert!(all.load(wrong, setup.dtype).is_err());
    let odd = folder.path().join("weights.txt");
    fs::write(&odd, "text").unwrap();
    assert!(
        Weights::of(&odd).load(template(), setup.dtype).unwrap_err().to_string().contains(".txt")
    );
}

/// Normalisations that Burn's own adapter leaves out.
#[derive(Module, Debug)]
pub struct Norms<B: Backend> {
    rms: RmsNorm<B>,
    instance: InstanceNorm<B>,
}

/// PyTorch calls their parameters weight and bias.
pub fn weights_of_normalisations<B: Backend>(setup: &Setup<B>) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("norms.safetensors");
    let numbers: Rows = setup.rounded(&random_rows(3, 4, 0.0, 63));
    let tensors = [
        ("rms.weight", vec![4], numbers[0].clone()),
        ("instance.weight", vec![4], numbers[1].clone()),
        ("instance.bias", vec![4], numbers[2].clone()),
    ];
    fs::write(&path, safetensors(&tensors, setup.dtype)).unwrap();
    let template = Norms {
        rms: RmsNormConfig::new(4).init::<B>(&setup.device),
        instance: InstanceNormConfig::new(4).init::<B>(&setup.device),
    };
    let loaded = Weights::of(&path).load(template, setup.dtype).unwrap();
    assert_eq!(values(loaded.rms.gamma.val()), numbers[0]);
    let of = |param: &Option<Param<Tensor<B, 1>>>| values(param.as_ref().unwrap().val());
    assert_eq!(of(&loaded.instance.gamma), numbers[1]);
    assert_eq!(of(&loaded.instance.beta), numbers[2]);
}

/// A safetensors file, written by its specification.
fn safetensors(tensors: &[(&str, Vec<usize>, Vec<f64>)], dtype: DType) -> Vec<u8> {
    let (name, bytes_of): (_, fn(f64) -> Vec<u8>) = match dtype {
        DType::F64 => ("F64", |v| v.to_le_bytes().to_vec()),
        _ => ("F32", |v| (v as f32).to_le_bytes().to_vec()),
    };
    let mut header = Vec::new();
    let mut body: Vec<u8> = Vec::new();
    for (key, shape, values) in tensors {
        let start = body.len();
        body.extend(values.iter().flat_map(|v| bytes_of(*v)));
        header.push(format!(
            "\"{key}\":{{\"dtype\":\"{name}\",\"shape\":{shape:?},\"data_offsets\":[{start},{}]}}",
            body.len()
        ));
    }
    let header = format!("{{{}}}", header.join(","));
    let mut file = (header.len() as u64).to_le_bytes().to_vec();
    file.extend(header.bytes());
    file.extend(body);
    file
}

/// An autoencoder of linear layers.
#[derive(Module, Debug)]
pub struct Linear2<B: Backend> {
    encoder: Perceptron<B>,
    decoder: Linear<B>,
}

impl<B: Backend> Autoencoder<B, 2> for Linear2<B> {
    fn encode(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        self.encoder.code.forward(Relu.forward(self.encoder.hidden.forward(x)))
    }

    fn decode(&self, codes: Tensor<B, 2>) -> Tensor<B, 2> {
        self.decoder.forward(codes)
    }
}

/// Training lowers the loss, is reproducible, and ends in a usable model.
pub fn joint_training<B: Backend>(setup: &Setup<B>) {
    train::<burn::backend::Autodiff<B>>(setup);
}

fn train<B: AutodiffBackend>(setup: &Setup<B::InnerBackend>) {
    let outer = Setup::<B> { device: Default::default(), dtype: setup.dtype, tolerance: 0.0 };
    let autoencoder = || {
        let decoder = random_rows(3, 5, 0.0, 71);
        Linear2 {
            encoder: Weighted::of(&outer, 72).encoder(&outer),
            decoder: Linear {
                weight: Param::initialized(ParamId::new(), outer.tensor(&decoder).require_grad()),
                bias: None,
            },
        }
    };
    // Parameters made of tensors are not trained by default.
    let trained = || {
        let mut model = autoencoder();
        for linear in [&mut model.encoder.hidden, &mut model.encoder.code] {
            linear.weight = Param::initialized(ParamId::new(), linear.weight.val().require_grad());
            let bias = linear.bias.take().unwrap();
            linear.bias = Some(Param::initialized(ParamId::new(), bias.val().require_grad()));
        }
        model
    };
    let mut data = random_rows(15, 5, 1.0, 73);
    data.extend(random_rows(15, 5, -1.0, 74));
    let x = setup.tensor(&data);
    let training = JointTraining {
        warm_up_epochs: 8,
        joint_epochs: 8,
        batch_size: 7,
        learning_rate: 0.01,
        ..JointTraining::default()
    };
    let run = || {
        let mut log = Vec::new();
        let fit = training
            .fit::<B, _, 2>(trained(), &x, &KMeansConfig::new(2), |progress| log.push(progress))
            .unwrap();
        (fit, log)
    };
    let (fit, log) = run();
    assert_eq!(log.len(), 16);
    assert!(log[7].reconstruction < 0.8 * log[0].reconstruction, "{log:?}");
    assert!(log[8].divergence > 0.0 && log[15].divergence.is_finite());
    let (again, _) = run();
    assert_eq!(values(fit.head.centroids()), values(again.head.centroids()));
    let labels = indices(fit.labels);
    let model = DeepKMeans::new(fit.autoencoder.encoder, fit.head).with_roots([x.clone()]).unwrap();
    assert_eq!(indices(model.predict(x.clone()).unwrap()), labels);
    let explanation = model.explain(&x, &DeepQuestion::default()).unwrap();
    assert_eq!(explanation.relevance.dims(), [30, 5]);

    // The clustering loss moves centroids and pulls codes together.
    let alone = JointTraining { reconstruction: 0.0, clustering: 1.0, ..training.clone() };
    let mut divergences = Vec::new();
    let drawn = alone
        .fit::<B, _, 2>(trained(), &x, &KMeansConfig::new(2), |progress| {
            if !progress.warming_up {
                divergences.push(progress.divergence);
            }
        })
        .unwrap();
    assert!(divergences[7] < 0.95 * divergences[0], "{divergences:?}");
    let none = JointTraining { clustering: 0.0, ..alone };
    let still = none.fit::<B, _, 2>(trained(), &x, &KMeansConfig::new(2), |_| ()).unwrap();
    assert_ne!(values(drawn.head.centroids()), values(still.head.centroids()));

    let bad = JointTraining { learning_rate: -1.0, ..training.clone() };
    assert!(bad.fit::<B, _, 2>(trained(), &x, &KMeansConfig::new(2), |_| ()).is_err());
    let none = x.slice([0..0, 0..5]);
    assert!(training.fit::<B, _, 2>(trained(), &none, &KMeansConfig::new(2), |_| ()).is_err());
}

/// Images: relevance has their shape.
pub fn images_as_input<B: Backend>(setup: &Setup<B>) {
    let mut encoder = Pixels {
        conv: Conv2dConfig::new([2, 3], [2, 2]).init::<B>(&setup.device),
        code: LinearConfig::new(3 * 2 * 3, 2).init::<B>(&setup.device),
    };
    let kernel = setup.tensor(&random_rows(3, 8, 0.0, 81)).reshape([3, 2, 2, 2]);
    encoder.conv.weight = Param::initialized(ParamId::new(), kernel);
    encoder.conv.bias = None;
    encoder.code.weight =
        Param::initialized(ParamId::new(), setup.tensor(&random_rows(18, 2, 0.0, 82)));
    encoder.code.bias = None;
    let head = setup.kmeans(&random_rows(3, 2, 0.0, 83)).with_beta(1.0).unwrap();
    let model = DeepKMeans::new(encoder, head);
    let x = setup.tensor(&random_rows(4, 2 * 3 * 4, 0.0, 84)).reshape([4, 2, 3, 4]);
    let composite =
        Composite::new().with(Selector::kind("Conv2d").first(), Rule::bounded(-5.0, 5.0).unwrap());
    let question = DeepQuestion::default().with_composite(composite);
    let explanation = model.explain(&x, &question).unwrap();
    assert_eq!(explanation.relevance.dims(), [4, 2, 3, 4]);
    let sums = values(AnyTensor::from(explanation.relevance).row_sums());
    let (logit, absorbed) = (values(explanation.codes.logit), values(explanation.absorbed));
    for n in 0..4 {
        let slack = 1e-4 * (logit[n].abs() + absorbed[n].abs() + sums[n].abs());
        assert!((sums[n] + absorbed[n] - logit[n]).abs() <= slack);
    }
}

/// Texts: an embedding, the mean over tokens, a dense layer.
#[derive(Module, Debug)]
pub struct Words<B: Backend> {
    embedding: Embedding<B>,
    code: Linear<B>,
}

impl<B: Backend> Relevance<B> for Words<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> burn_lrp::Result<Node<'m, B>> {
        x.then("embedding", &self.embedding)?.mean_over(1)?.then("code", &self.code)
    }
}

/// The input is token ids as numbers; every token gets a relevance, equal tokens the same.
pub fn tokens_as_input<B: Backend>(setup: &Setup<B>) {
    let mut encoder = Words {
        embedding: EmbeddingConfig::new(6, 4).init::<B>(&setup.device),
        code: LinearConfig::new(4, 2).with_bias(false).init::<B>(&setup.device),
    };
    let table = setup.rounded(&random_rows(6, 4, 0.0, 101));
    let weight = setup.rounded(&random_rows(4, 2, 0.0, 102));
    encoder.embedding.weight = Param::initialized(ParamId::new(), setup.tensor(&table));
    encoder.code.weight = Param::initialized(ParamId::new(), setup.tensor(&weight));
    let head = setup.kmeans(&random_rows(3, 2, 0.0, 103)).with_beta(1.0).unwrap();
    let model = DeepKMeans::new(encoder, head);
    let ids = vec![vec![0.0, 3.0, 3.0, 5.0], vec![1.0, 2.0, 4.0, 0.0]];
    let composite = Composite::new()
        .with(Selector::kind("Linear"), Rule::ZERO)
        .with(Selector::kind("MeanOver"), Rule::ZERO);
    let question = DeepQuestion::default().with_composite(composite);
    let explanation = model.explain(&setup.tensor(&ids), &question).unwrap();
    let found = rows(explanation.relevance);
    let code = rows(explanation.codes.relevance);
    for n in 0..2 {
        // Both layers are linear: a token gets its share of every element of the code.
        let part = |token: usize, k: usize| -> f64 {
            let id = ids[n][token] as usize;
            (0..4).map(|d| table[id][d] * weight[d][k]).sum()
        };
        let expected: Vec<f64> = (0..4)
            .map(|token| {
                (0..2)
                    .map(|k| part(token, k) / (0..4).map(|t| part(t, k)).sum::<f64>() * code[n][k])
                    .sum()
            })
            .collect();
        let expected = vec![expected];
        assert_rows_close(&vec![found[n].clone()], &expected, 100.0 * setup.tolerance, "tokens");
    }
    assert_eq!(found[0][1], found[0][2]);
    let unknown = setup.tensor(&vec![vec![0.0, 6.0]]);
    assert!(model.explain(&unknown, &question).unwrap_err().to_string().contains('6'));
}
