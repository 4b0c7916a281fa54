//! Attention and transformer encoders, against loops and against Burn's own
//! forward pass.

use burn::backend::Autodiff;
use burn::nn::activation::ActivationConfig;
use burn::nn::attention::generate_autoregressive_mask;
use burn::nn::attention::{MhaInput, MultiHeadAttention, MultiHeadAttentionConfig};
use burn::nn::transformer::{
    TransformerEncoder, TransformerEncoderConfig, TransformerEncoderInput,
};
use burn::tensor::backend::Backend;
use burn::tensor::{Bool, Tensor};
use burn_lrp::{
    AnyTensor, Attention, Composite, Family, Layer, Masks, MeanOver, Node, Rule, Selector, Tape,
};

use super::setup::{Setup, assert_close, values};
use super::step::{hand, upload};

/// One head, `[tokens][size]` each.
struct Head {
    query: Vec<Vec<f64>>,
    key: Vec<Vec<f64>>,
    value: Vec<Vec<f64>>,
    /// `[queries][keys]`.
    masked: Vec<Vec<bool>>,
    quiet: bool,
}

/// Output and relevance of a head.
struct Found {
    output: Vec<Vec<f64>>,
    query: Vec<Vec<f64>>,
    key: Vec<Vec<f64>>,
    value: Vec<Vec<f64>>,
    condition: f64,
}

fn stable(z: f64) -> f64 {
    if z < 0.0 { z - 1e-6 } else { z + 1e-6 }
}

impl Head {
    fn scores(&self) -> Vec<Vec<f64>> {
        let size = self.query[0].len();
        let root = (size as f64).sqrt();
        let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        (0..self.query.len())
            .map(|i| {
                (0..self.key.len())
                    .map(|j| {
                        if self.masked[i][j] {
                            -1e4
                        } else {
                            dot(&self.query[i], &self.key[j]) / root
                        }
                    })
                    .collect()
            })
            .collect()
    }

    fn weights(&self) -> Vec<Vec<f64>> {
        let softmax = |row: &Vec<f64>| {
            let most = row.iter().fold(f64::MIN, |a, b| a.max(*b));
            let e: Vec<f64> = row.iter().map(|x| (x - most).exp()).collect();
            let rest = if self.quiet { (-most).exp() } else { 0.0 };
            let sum = e.iter().sum::<f64>() + rest;
            e.iter().map(|e| e / sum).collect()
        };
        self.scores().iter().map(softmax).collect()
    }

    fn relevance(&self, r: &[Vec<f64>], halves: bool) -> Found {
        let (queries, keys, size) = (self.query.len(), self.key.len(), self.query[0].len());
        let (scores, weights) = (self.scores(), self.weights());
        let mut condition = 1.0_f64;
        let mut found = Found {
            output: vec![vec![0.0; size]; queries],
            query: vec![vec![0.0; size]; queries],
            key: vec![vec![0.0; size]; keys],
            value: vec![vec![0.0; size]; keys],
            condition: 1.0,
        };
        for i in 0..queries {
            let mut to_weights = vec![0.0; keys];
            for (p, r) in r[i].iter().enumerate() {
                let parts: Vec<f64> = (0..keys).map(|j| weights[i][j] * self.value[j][p]).collect();
                let o: f64 = parts.iter().sum();
                found.output[i][p] = o;
                condition = condition.max(parts.iter().map(|p| p.abs()).sum::<f64>() / o.abs());
                for j in 0..keys {
                    if halves {
                        let share = parts[j] * r / stable(2.0 * o);
                        found.value[j][p] += share;
                        to_weights[j] += share;
                    } else {
                        found.value[j][p] += parts[j] * r / stable(o);
                    }
                }
            }
            if !halves {
                continue;
            }
            let sum: f64 = to_weights.iter().sum();
            for j in (0..keys).filter(|j| !self.masked[i][*j]) {
                let x = scores[i][j];
                let to_score = x * (to_weights[j] - weights[i][j] * sum);
                let root = (size as f64).sqrt();
                let parts = (0..size).map(|p| self.query[i][p] * self.key[j][p] / root);
                let parts: Vec<f64> = parts.collect();
                condition = condition.max(parts.iter().map(|p| p.abs()).sum::<f64>() / x.abs());
                for (p, part) in parts.iter().enumerate() {
                    let share = part * to_score / stable(2.0 * x);
                    found.query[i][p] += share;
                    found.key[j][p] += share;
                }
            }
        }
        found.condition = condition;
        found
    }
}

/// Masks as Burn has them, and as loops have them.
struct Mask<B: Backend> {
    masks: Masks<B>,
    /// `[samples][queries][keys]`.
    masked: Vec<Vec<Vec<bool>>>,
}

fn bools<B: Backend, const D: usize>(
    setup: &Setup<B>,
    mask: &[bool],
    shape: [usize; D],
) -> Tensor<B, D, Bool> {
    let numbers = mask.iter().map(|masked| f64::from(u8::from(*masked))).collect();
    setup.upload(numbers, shape).greater_elem(0.5)
}

fn masks<B: Backend>(setup: &Setup<B>, [n, t, s]: [usize; 3]) -> Vec<Mask<B>> {
    // The last key of the second sample is padding; no query sees keys far ahead of it.
    let padding: Vec<bool> = (0..n * s).map(|at| at / s == 1 && at % s == s - 1).collect();
    let causal: Vec<bool> = (0..t * s).map(|at| at % s > at / s + 1).collect();
    let each: Vec<bool> = (0..n).flat_map(|_| causal.clone()).collect();
    let padding_mask = || bools(setup, &padding, [n, s]);
    let made = |masks: Masks<B>, pads: bool, causes: bool| Mask {
        masks,
        masked: (0..n)
            .map(|n| {
                let hidden = |i: usize, j: usize| {
                    (pads && padding[n * s + j]) || (causes && causal[i * s + j])
                };
                (0..t).map(|i| (0..s).map(|j| hidden(i, j)).collect()).collect()
            })
            .collect(),
    };
    let none = Masks::none;
    vec![
        made(none(), false, false),
        made(none().with_padding(padding_mask()), true, false),
        made(none().with_attention(bools(setup, &each, [n, t, s])), false, true),
        // One mask for all samples, and both at once.
        made(
            none().with_padding(padding_mask()).with_attention(bools(setup, &causal, [1, t, s])),
            true,
            true,
        ),
    ]
}

/// Tokens of a head of one sample, from `[n, t, heads * size]`.
fn cut(x: &[f64], n: usize, tokens: usize, width: usize, head: [usize; 2]) -> Vec<Vec<f64>> {
    let [head, size] = head;
    (0..tokens).map(|t| x[(n * tokens + t) * width + head * size..][..size].to_vec()).collect()
}

fn paste(to: &mut [f64], part: &[Vec<f64>], n: usize, width: usize, head: [usize; 2]) {
    let [head, size] = head;
    for (t, row) in part.iter().enumerate() {
        to[(n * part.len() + t) * width + head * size..][..size].copy_from_slice(row);
    }
}

/// Both rules, with and without masks, as loops over heads and tokens.
pub fn attention<B: Backend>(setup: &Setup<B>) {
    let (n, t, s, heads, size) = (2, 3, 4, 2, 3);
    let width = heads * size;
    let query = setup.numbers(1, n * t * width);
    let key = setup.numbers(2, n * s * width);
    let value = setup.numbers(3, n * s * width);
    let relevance = setup.numbers(4, n * t * width);
    let inputs = [
        upload(setup, &query, &[n, t, width]),
        upload(setup, &key, &[n, s, width]),
        upload(setup, &value, &[n, s, width]),
    ];
    for quiet in [false, true] {
        for (at, mask) in masks(setup, [n, t, s]).into_iter().enumerate() {
            let layer =
                Attention::new(heads).with_quiet_softmax(quiet).with_masks(mask.masks.clone());
            for rule in [Rule::SIGNAL_TAKE_ALL, Rule::HALVES] {
                let mut expected = [&query, &key, &value, &query].map(|x| vec![0.0; x.len()]);
                let mut condition = 1.0_f64;
                for n in 0..n {
                    for h in 0..heads {
                        let part = [h, size];
                        let head = Head {
                            query: cut(&query, n, t, width, part),
                            key: cut(&key, n, s, width, part),
                            value: cut(&value, n, s, width, part),
                            masked: mask.masked[n].clone(),
                            quiet,
                        };
                        let r = cut(&relevance, n, t, width, part);
                        let found = head.relevance(&r, rule == Rule::HALVES);
                        let all = [&found.query, &found.key, &found.value, &found.output];
                        for (to, part_of) in expected.iter_mut().zip(all) {
                            paste(to, part_of, n, width, part);
                        }
                        condition = condition.max(found.condition);
                    }
                }
                let what = format!("{rule}, masks {at}, quiet {quiet}");
                let tolerance = setup.tolerance_at(condition);
                let output = values(&layer.forward(&inputs).unwrap());
                assert_close(&output, &expected[3], setup.tolerance(), &format!("output, {what}"));
                let handed = hand(setup, &layer, &inputs, &relevance, &rule);
                for (found, (expected, name)) in
                    handed.inputs.iter().zip(expected.iter().zip(["query", "key", "value"]))
                {
                    assert_close(found, expected, tolerance, &format!("{name}, {what}"));
                }
                assert!(handed.bias.is_none());
                // Padding: the last key of the second sample gets nothing at all.
                if at == 1 {
                    for found in &handed.inputs[1..] {
                        assert!(found[(2 * s - 1) * width..].iter().all(|r| *r == 0.0), "{what}");
                    }
                }
            }
        }
    }
}

/// What is refused, before Burn would panic.
pub fn attention_refused<B: Backend>(setup: &Setup<B>) {
    let x =
        |dims: &[usize]| -> AnyTensor<B> { upload(setup, &vec![0.5; dims.iter().product()], dims) };
    let none = Attention::<B>::new(2);
    let (q, k) = (x(&[2, 3, 4]), x(&[2, 2, 4]));
    assert_eq!(none.forward(&[q.clone(), k.clone(), k.clone()]).unwrap().dims(), [2, 3, 4]);
    for inputs in [
        vec![q.clone(), k.clone()],
        vec![x(&[2, 4]), k.clone(), k.clone()],
        vec![q.clone(), x(&[2, 4]), k.clone()],
        vec![q.clone(), k.clone(), q.clone()],
        vec![q.clone(), x(&[1, 2, 4]), x(&[1, 2, 4])],
        vec![x(&[2, 0, 4]), k.clone(), k.clone()],
        vec![q.clone(), x(&[2, 0, 4]), x(&[2, 0, 4])],
        vec![x(&[2, 3, 5]), x(&[2, 2, 5]), x(&[2, 2, 5])],
    ] {
        assert!(none.forward(&inputs).is_err());
    }
    assert!(Attention::<B>::new(0).forward(&[q.clone(), k.clone(), k.clone()]).is_err());
    for masks in [
        Masks::none().with_padding(bools(setup, &[false; 6], [2, 3])),
        Masks::none().with_padding(bools(setup, &[false; 6], [3, 2])),
        Masks::none().with_attention(bools(setup, &[false; 8], [2, 2, 2])),
    ] {
        let layer = Attention::new(2).with_masks(masks);
        let refused = layer.forward(&[q.clone(), k.clone(), k.clone()]).unwrap_err().to_string();
        assert!(refused.contains("mask"), "{refused}");
    }
}

/// Heads of size 4, the root of which Burn has exactly in double precision, too.
fn multi_head<B: Backend>(setup: &Setup<B>, quiet: bool) -> MultiHeadAttention<B> {
    let config = MultiHeadAttentionConfig::new(8, 2).with_quiet_softmax(quiet);
    setup.filled(11, config.init::<B>(&setup.device))
}

/// The same numbers as Burn's own forward pass, for self- and cross-attention.
pub fn attention_forward<B: Backend>(setup: &Setup<B>) {
    for quiet in [false, true] {
        let layer = multi_head(setup, quiet);
        let x = setup.tensor::<3>(12, [2, 4, 8]);
        let (key, value) = (setup.tensor::<3>(13, [2, 3, 8]), setup.tensor::<3>(14, [2, 3, 8]));
        let padding = bools(setup, &[false, false, false, false, false, false, true, true], [2, 4]);
        let causal = generate_autoregressive_mask::<B>(2, 4, &setup.device);

        let tape = Tape::new();
        let input = tape.input("x", x.clone());
        let masks = Masks::none().with_padding(padding.clone()).with_attention(causal.clone());
        let found = input.then_masked("mha", &layer, &masks).unwrap();
        let burn = MhaInput::self_attn(x.clone()).mask_pad(padding).mask_attn(causal);
        let burn = layer.forward(burn).context.into();
        assert_close(&values(found.value()), &values(&burn), setup.tolerance(), "self");

        let plain = burn_lrp::infer(&layer, x.clone()).unwrap();
        let burn = layer.forward(MhaInput::self_attn(x.clone())).context.into();
        assert_close(&values(&plain), &values(&burn), setup.tolerance(), "self, no masks");

        let (key_node, value_node) = (tape.input("k", key.clone()), tape.input("v", value.clone()));
        let found = input.attend("cross", &layer, &key_node, &value_node, &Masks::none()).unwrap();
        let burn = layer.forward(MhaInput::new(x, key, value)).context.into();
        assert_close(&values(found.value()), &values(&burn), setup.tolerance(), "cross");
        assert_eq!(found.path(), "cross.output");

        let other = Tape::new().input("k", setup.tensor::<3>(13, [2, 3, 8]));
        assert!(input.attend("other", &layer, &other, &value_node, &Masks::none()).is_err());
    }
}

/// With weights as constants and no biases, values get all there is, and queries
/// and keys nothing.
pub fn attention_conserves<B: Backend>(setup: &Setup<B>) {
    let mut layer = multi_head(setup, false);
    for linear in [&mut layer.query, &mut layer.key, &mut layer.value, &mut layer.output] {
        linear.bias = None;
    }
    let tape = Tape::new();
    let [query, key, value] = [("q", 21), ("k", 22), ("v", 23)]
        .map(|(name, seed)| tape.input(name, setup.tensor::<3>(seed, [2, 3, 8])));
    let output = query.attend("mha", &layer, &key, &value, &Masks::none()).unwrap();
    let dense = Composite::new().with(Selector::Family(Family::Dense), Rule::ZERO);
    let constants = dense.clone().with(Selector::kind("Attention"), Rule::SIGNAL_TAKE_ALL);
    let plan = output.plan(&constants).unwrap();
    let relevances = plan.run(output.value().clone()).unwrap();
    let sums = |t: &AnyTensor<B>| values(&t.row_sums().into());
    let of = |node: &Node<'_, B>| relevances.of(node).unwrap();
    assert!(values(&of(&query)).iter().chain(&values(&of(&key))).all(|r| *r == 0.0));
    // ε is 10⁻⁶ of numbers near 0.1.
    assert_close(&sums(&of(&value)), &sums(output.value()), 1e-3, "values");

    // The product of weights and values conserves; the softmax of `halves` does not.
    let halves = dense.with(Selector::kind("Attention"), Rule::HALVES);
    let relevances = output.plan(&halves).unwrap().run(output.value().clone()).unwrap();
    let half: Vec<f64> = sums(output.value()).iter().map(|sum| sum / 2.0).collect();
    assert_close(&sums(&relevances.of(&value).unwrap()), &half, 1e-3, "half to the values");
    assert!(values(&relevances.of(&key).unwrap()).iter().any(|r| r.abs() > 1e-6));
}

fn encoder<B: Backend>(setup: &Setup<B>, norm_first: bool) -> TransformerEncoder<B> {
    let config = TransformerEncoderConfig::new(8, 8, 2, 2)
        .with_norm_first(norm_first)
        .with_activation(ActivationConfig::Relu);
    setup.filled(31, config.init::<B>(&setup.device))
}

/// The same numbers as Burn's own forward pass, normalised first or last.
pub fn encoder_forward<B: Backend>(setup: &Setup<B>) {
    for norm_first in [false, true] {
        let network = encoder(setup, norm_first);
        let x = setup.tensor::<3>(32, [2, 3, 8]);
        let padding = bools(setup, &[false, false, false, false, false, true], [2, 3]);
        let causal = generate_autoregressive_mask::<B>(2, 3, &setup.device);
        let masks = Masks::none().with_padding(padding.clone()).with_attention(causal.clone());

        let tape = Tape::new();
        let found = tape.input("x", x.clone()).then_masked("net", &network, &masks).unwrap();
        let burn = TransformerEncoderInput::new(x.clone()).mask_pad(padding).mask_attn(causal);
        let burn = network.forward(burn).into();
        let tolerance = setup.tolerance_at(100.0);
        assert_close(&values(found.value()), &values(&burn), tolerance, "masked");

        let plain = burn_lrp::infer(&network, x.clone()).unwrap();
        let burn = network.forward(TransformerEncoderInput::new(x)).into();
        assert_close(&values(&plain), &values(&burn), tolerance, "no masks");

        let paths: Vec<String> = found
            .plan(&Composite::default())
            .unwrap()
            .layers()
            .iter()
            .map(|layer| layer.path.clone())
            .collect();
        for path in
            ["net.layers.0.mha.query", "net.layers.1.pwff.activation", "net.layers.1.norm_2"]
        {
            assert!(paths.iter().any(|found| found == path), "{path} of {paths:?}");
        }
    }
}

/// A pass is inference on a backend that trains, too: nothing is dropped, and relevance is the
/// same.
pub fn encoder_on_autodiff<B: Backend>(setup: &Setup<B>) {
    fn pass<B: Backend>(setup: &Setup<B>) -> [Vec<f64>; 2] {
        let config = TransformerEncoderConfig::new(8, 8, 2, 2).with_dropout(0.5);
        let network = setup.filled(36, config.init::<B>(&setup.device));
        let tape = Tape::new();
        let input = tape.input("x", setup.tensor::<3>(37, [2, 3, 8]));
        let output = input.then("net", &network).unwrap();
        let plan = output.plan(&Composite::default()).unwrap();
        let relevances = plan.run(output.value().clone()).unwrap();
        [values(output.value()), values(&relevances.of(&input).unwrap())]
    }
    let training = Setup::<Autodiff<B>> { device: setup.device.clone(), dtype: setup.dtype };
    let (plain, found) = (pass(setup), pass(&training));
    assert_close(&found[0], &plain[0], setup.tolerance(), "output");
    assert_close(&found[1], &plain[1], setup.tolerance_at(1e4), "relevance");
}

/// Nothing is lost but to biases and stabilisers, and padded tokens get nothing.
pub fn encoder_relevance<B: Backend>(setup: &Setup<B>) {
    for (norm_first, rule) in
        [(false, Rule::SIGNAL_TAKE_ALL), (true, Rule::SIGNAL_TAKE_ALL), (true, Rule::HALVES)]
    {
        let network = encoder(setup, norm_first);
        let x = setup.tensor::<3>(33, [2, 3, 8]);
        let composite = Composite::new().with(Selector::kind("Attention"), rule);

        // The mean over tokens.
        let tape = Tape::new();
        let input = tape.input("x", x.clone());
        let output = input.then("net", &network).unwrap();
        let output = output.apply("mean", MeanOver { dim: 1 }, &[]).unwrap();
        assert_eq!(output.value().dims(), [2, 8]);
        let start = AnyTensor::from(setup.tensor::<2>(34, [2, 8]));
        let plan = output.plan(&composite).unwrap();
        let relevances = plan.run_with_report(start.clone()).unwrap();
        let report = relevances.report().unwrap();
        let found = values(&relevances.of(&input).unwrap().row_sums().into());
        let absorbed = report.absorbed();
        let closed: Vec<f64> = found.iter().zip(&absorbed).map(|(a, b)| a + b).collect();
        let most = report
            .layers()
            .iter()
            .flat_map(|layer| layer.output.iter().chain(&layer.bias))
            .fold(1.0_f64, |most, value| most.max(value.abs()));
        let tolerance = setup.tolerance_at(100.0 * most);
        assert_close(&closed, &values(&start.row_sums().into()), tolerance, "report");
        for layer in report.layers() {
            let conserves = layer.rule != Rule::HALVES;
            for (rest, output) in layer.rest.iter().zip(&layer.output) {
                let small = rest.abs() <= 1e-2 * most.max(output.abs());
                assert!(!conserves || small, "{}: {rest} of {output}", layer.path);
            }
        }

        // Where padded tokens are not read, they are not to blame.
        let padding = bools(setup, &[false, false, false, false, false, true], [2, 3]);
        let tape = Tape::new();
        let input = tape.input("x", x);
        let masks = Masks::none().with_padding(padding);
        let output = input.then_masked("net", &network, &masks).unwrap();
        let mut start = setup.numbers(35, 48);
        start[40..].fill(0.0);
        let relevances = output.plan(&composite).unwrap().run(upload(setup, &start, &[2, 3, 8]));
        let found = values(&relevances.unwrap().of(&input).unwrap());
        assert!(found[40..].iter().all(|r| *r == 0.0), "{:?}", &found[40..]);
        assert!(found[24..40].iter().all(|r| *r != 0.0));
    }
}

/// Nothing to see: weights are alike, and scores are constants.
pub fn attention_all_masked<B: Backend>(setup: &Setup<B>) {
    let dims = [1, 2, 4];
    let [q, k, v] = [41, 42, 43].map(|seed| upload(setup, &setup.numbers(seed, 8), &dims));
    let masks = Masks::none().with_padding(bools(setup, &[true, true], [1, 2]));
    let layer = Attention::new(2).with_masks(masks);
    let r = setup.numbers(44, 8);
    let handed = hand(setup, &layer, &[q, k, v.clone()], &r, &Rule::HALVES);
    assert!(handed.inputs[0].iter().chain(&handed.inputs[1]).all(|r| *r == 0.0));
    let v = values(&v);
    let mut expected = vec![0.0; 8];
    for p in 0..4 {
        let o = (v[p] + v[4 + p]) / 2.0;
        for j in 0..2 {
            expected[j * 4 + p] = v[j * 4 + p] / 2.0 / stable(2.0 * o) * (r[p] + r[4 + p]);
        }
    }
    assert_close(&handed.inputs[2], &expected, setup.tolerance_at(100.0), "values");
}
