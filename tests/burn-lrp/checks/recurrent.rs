//! Recurrent layers, against loops over steps and neurons, and against Burn's
//! own forward pass.

use burn::nn::activation::{ActivationConfig, SwiGluConfig};
use burn::nn::gru::{BiGruConfig, GruConfig};
use burn::nn::{
    BiLstmConfig, BiRnnConfig, GateController, HardSigmoidConfig, LstmConfig, PReluConfig,
    RnnConfig,
};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use burn_lrp::{AnyTensor, Composite, Layer, Relevance, Rule, RuleName, Tape};

use super::setup::{Setup, assert_close, values};
use super::step::{hand, upload};

const SAMPLES: usize = 2;
const STEPS: usize = 3;
const INPUTS: usize = 2;
const HIDDEN: usize = 2;

/// `z_k = Σ_i x_i w_ik + b_k + r_k (Σ_j h_j u_jk + c_k)`.
struct Gate {
    w: Vec<f64>,
    b: Vec<f64>,
    u: Vec<f64>,
    c: Vec<f64>,
}

impl Gate {
    fn of<B: Backend>(gate: &GateController<B>) -> Self {
        let bias = |linear: &burn::nn::Linear<B>| match &linear.bias {
            Some(bias) => values(&bias.val().into()),
            None => vec![0.0; HIDDEN],
        };
        Self {
            w: values(&gate.input_transform.weight.val().into()),
            b: bias(&gate.input_transform),
            u: values(&gate.hidden_transform.weight.val().into()),
            c: bias(&gate.hidden_transform),
        }
    }

    fn z(&self, k: usize, x: &[f64], h: &[f64], r: f64) -> f64 {
        let first: f64 = (0..INPUTS).map(|i| x[i] * self.w[i * HIDDEN + k]).sum();
        let second: f64 = (0..HIDDEN).map(|j| h[j] * self.u[j * HIDDEN + k]).sum();
        first + self.b[k] + r * (second + self.c[k])
    }
}

/// What one sample is handed, added up.
struct Found {
    inputs: Vec<Vec<f64>>,
    bias: f64,
    /// By how much rounding grows where sums cancel.
    condition: f64,
    epsilon: f64,
}

impl Found {
    fn new(epsilon: f64) -> Self {
        let inputs = vec![vec![0.0; INPUTS]; STEPS];
        Self { inputs, bias: 0.0, condition: 1.0, epsilon }
    }

    /// Numerator over a stabilised sum.
    fn share(&mut self, part: f64, sum: f64, relevance: f64) -> f64 {
        if part == 0.0 {
            return 0.0;
        }
        self.condition = self.condition.max((part / sum).abs());
        part * relevance / if sum < 0.0 { sum - self.epsilon } else { sum + self.epsilon }
    }

    /// Neuron k of a gate, to the input of a step, its bias, and the hidden state, which is
    /// told.
    #[allow(clippy::too_many_arguments)]
    fn hand(
        &mut self,
        gate: &Gate,
        k: usize,
        t: usize,
        x: &[f64],
        h: &[f64],
        r: f64,
        of: f64,
    ) -> Vec<f64> {
        let z = gate.z(k, x, h, r);
        for (i, x) in x.iter().enumerate() {
            let share = self.share(x * gate.w[i * HIDDEN + k], z, of);
            self.inputs[t][i] += share;
        }
        self.bias += self.share(gate.b[k] + r * gate.c[k], z, of);
        (0..HIDDEN).map(|j| self.share(r * h[j] * gate.u[j * HIDDEN + k], z, of)).collect()
    }
}

fn sigmoid(x: f64) -> f64 {
    1.0 / (1.0 + (-x).exp())
}

fn clipped(x: f64, clip: Option<f64>) -> f64 {
    clip.map_or(x, |clip| x.clamp(-clip, clip))
}

fn order(reverse: bool) -> Vec<usize> {
    if reverse { (0..STEPS).rev().collect() } else { (0..STEPS).collect() }
}

/// A sample's input or relevance, `[step][..]`.
fn sample(x: &[f64], n: usize, size: usize) -> Vec<Vec<f64>> {
    x[n * STEPS * size..][..STEPS * size].chunks(size).map(<[f64]>::to_vec).collect()
}

/// Output and relevance of a sample, from its input and the relevance of its output.
type Twin<'a> = dyn Fn(&[Vec<f64>], &[Vec<f64>]) -> (Vec<Vec<f64>>, Found) + 'a;

/// Compares all samples with a twin.
#[track_caller]
fn check<B: Backend>(
    setup: &Setup<B>,
    layer: &dyn Layer<B>,
    rule: &Rule,
    biased: bool,
    what: &str,
    twin: &Twin<'_>,
) {
    let x = setup.numbers(71, SAMPLES * STEPS * INPUTS);
    let r = setup.numbers(72, SAMPLES * STEPS * HIDDEN);
    let (mut output, mut inputs, mut bias) = (Vec::new(), Vec::new(), Vec::new());
    let mut condition = 1.0_f64;
    for n in 0..SAMPLES {
        let (h, found) = twin(&sample(&x, n, INPUTS), &sample(&r, n, HIDDEN));
        output.extend(h.concat());
        inputs.extend(found.inputs.concat());
        bias.push(found.bias);
        condition = condition.max(found.condition);
    }
    let given = [upload(setup, &x, &[SAMPLES, STEPS, INPUTS])];
    let found = layer.forward(&given).unwrap();
    assert_eq!(found.dims(), [SAMPLES, STEPS, HIDDEN]);
    assert_close(&values(&found), &output, setup.tolerance(), &format!("output, {what}"));
    let handed = hand(setup, layer, &given, &r, rule);
    // Rounding grows at every step.
    let tolerance = setup.tolerance_at(10.0 * condition);
    assert_close(&handed.inputs[0], &inputs, tolerance, &format!("{rule}, {what}"));
    match handed.bias {
        Some(found) => assert_close(&found, &bias, tolerance, &format!("bias, {rule}, {what}")),
        None => assert!(!biased, "{what}"),
    }
}

/// Arras et al. 2017 and 2019, neuron by neuron.
pub fn lstm<B: Backend>(setup: &Setup<B>) {
    for (bias, reverse, clip, coupled) in [
        (true, false, None, false),
        (false, false, None, false),
        (true, true, Some(0.2), false),
        (true, false, None, true),
    ] {
        let config = LstmConfig::new(INPUTS, HIDDEN, bias)
            .with_reverse(reverse)
            .with_clip(clip)
            .with_input_forget(coupled);
        let layer = setup.filled(61, config.init::<B>(&setup.device));
        assert_eq!(Layer::rules(&layer).contains(&RuleName::Halves), !coupled);
        let [i, f, o, g] =
            [&layer.input_gate, &layer.forget_gate, &layer.output_gate, &layer.cell_gate]
                .map(Gate::of);
        let what = format!("bias {bias}, reverse {reverse}, clip {clip:?}, coupled {coupled}");
        for rule in [Rule::SIGNAL_TAKE_ALL, Rule::HALVES] {
            let halves = rule == Rule::HALVES;
            if halves && coupled {
                continue;
            }
            check(setup, &layer, &rule, bias, &what, &|x, r| {
                let mut h = vec![vec![0.0; HIDDEN]; STEPS];
                // What every step saw: h, c before it, and c made by it before it is clipped.
                let (mut hs, mut cs, mut sums) = (vec![], vec![], vec![]);
                let (mut before, mut cell) = (vec![0.0; HIDDEN], vec![0.0; HIDDEN]);
                let forget = |k: usize, x: &[f64], h: &[f64]| {
                    if coupled {
                        1.0 - sigmoid(i.z(k, x, h, 1.0))
                    } else {
                        sigmoid(f.z(k, x, h, 1.0))
                    }
                };
                let fresh = |k: usize, x: &[f64], h: &[f64]| {
                    sigmoid(i.z(k, x, h, 1.0)) * g.z(k, x, h, 1.0).tanh()
                };
                for t in order(reverse) {
                    hs.push(before.clone());
                    cs.push(cell.clone());
                    let sum: Vec<f64> = (0..HIDDEN)
                        .map(|k| forget(k, &x[t], &before) * cell[k] + fresh(k, &x[t], &before))
                        .collect();
                    cell = sum.iter().map(|c| clipped(*c, clip)).collect();
                    let after: Vec<f64> = (0..HIDDEN)
                        .map(|k| sigmoid(o.z(k, &x[t], &before, 1.0)) * cell[k].tanh())
                        .collect();
                    sums.push(sum);
                    before = after.clone();
                    h[t] = after;
                }
                let mut found = Found::new(1e-6);
                let (mut of_h, mut of_c) = (vec![0.0; HIDDEN], vec![0.0; HIDDEN]);
                for (at, t) in order(reverse).into_iter().enumerate().rev() {
                    let (h, c) = (&hs[at], &cs[at]);
                    let (mut next_h, mut next_c) = (vec![0.0; HIDDEN], vec![0.0; HIDDEN]);
                    for k in 0..HIDDEN {
                        let of_hidden = of_h[k] + r[t][k];
                        let of_cell = of_c[k] + if halves { of_hidden / 2.0 } else { of_hidden };
                        let kept = found.share(forget(k, &x[t], h) * c[k], sums[at][k], of_cell);
                        let new = found.share(fresh(k, &x[t], h), sums[at][k], of_cell);
                        next_c[k] += if halves { kept / 2.0 } else { kept };
                        let gates = if halves {
                            vec![
                                (&g, new / 2.0),
                                (&i, new / 2.0),
                                (&f, kept / 2.0),
                                (&o, of_hidden / 2.0),
                            ]
                        } else {
                            vec![(&g, new)]
                        };
                        for (gate, of) in gates {
                            let down = found.hand(gate, k, t, &x[t], h, 1.0, of);
                            for (to, part) in next_h.iter_mut().zip(down) {
                                *to += part;
                            }
                        }
                    }
                    (of_h, of_c) = (next_h, next_c);
                }
                (h, found)
            });
        }
    }
}

/// Both places of the reset gate, neuron by neuron.
pub fn gru<B: Backend>(setup: &Setup<B>) {
    for (bias, reset_after, clip) in
        [(true, true, None), (true, false, None), (false, true, Some(0.2)), (false, false, None)]
    {
        let config =
            GruConfig::new(INPUTS, HIDDEN, bias).with_reset_after(reset_after).with_clip(clip);
        let layer = setup.filled(62, config.init::<B>(&setup.device));
        let [z, r, n] = [&layer.update_gate, &layer.reset_gate, &layer.new_gate].map(Gate::of);
        let what = format!("bias {bias}, reset after {reset_after}, clip {clip:?}");
        check(setup, &layer, &Rule::SIGNAL_TAKE_ALL, bias, &what, &|x, relevance| {
            // The candidate's hidden input, and what its sum is multiplied with.
            let given = |x: &[f64], h: &[f64]| -> (Vec<f64>, Vec<f64>) {
                let reset: Vec<f64> = (0..HIDDEN).map(|k| sigmoid(r.z(k, x, h, 1.0))).collect();
                if reset_after {
                    (h.to_vec(), reset)
                } else {
                    (h.iter().zip(reset).map(|(h, r)| h * r).collect(), vec![1.0; HIDDEN])
                }
            };
            let parts = |k: usize, x: &[f64], h: &[f64]| {
                let (inner, factor) = given(x, h);
                let update = sigmoid(z.z(k, x, h, 1.0));
                ((1.0 - update) * n.z(k, x, &inner, factor[k]).tanh(), update * h[k])
            };
            let mut hs = vec![vec![0.0; HIDDEN]];
            for t in 0..STEPS {
                let after = (0..HIDDEN).map(|k| {
                    let (new, kept) = parts(k, &x[t], &hs[t]);
                    clipped(new + kept, clip)
                });
                let after = after.collect();
                hs.push(after);
            }
            let mut found = Found::new(1e-6);
            let mut of_h = vec![0.0; HIDDEN];
            for t in (0..STEPS).rev() {
                let h = &hs[t];
                let (inner, factor) = given(&x[t], h);
                let mut next = vec![0.0; HIDDEN];
                for k in 0..HIDDEN {
                    let of = of_h[k] + relevance[t][k];
                    let (new, kept) = parts(k, &x[t], h);
                    next[k] += found.share(kept, new + kept, of);
                    let of_new = found.share(new, new + kept, of);
                    let down = found.hand(&n, k, t, &x[t], &inner, factor[k], of_new);
                    for (to, part) in next.iter_mut().zip(down) {
                        *to += part;
                    }
                }
                of_h = next;
            }
            (hs[1..].to_vec(), found)
        });
    }
}

/// One sum a step.
pub fn rnn<B: Backend>(setup: &Setup<B>) {
    for (bias, reverse, clip) in
        [(true, false, None), (false, true, None), (true, false, Some(0.3))]
    {
        let config = RnnConfig::new(INPUTS, HIDDEN, bias).with_reverse(reverse).with_clip(clip);
        let layer = setup.filled(63, config.init::<B>(&setup.device));
        let gate = Gate::of(&layer.gate);
        for (rule, epsilon) in [
            (Rule::ZERO, 0.0),
            (Rule::epsilon(0.1).unwrap(), 0.1),
            (Rule::EPSILON, 1e-6),
            (Rule::SIGNAL_TAKE_ALL, 1e-6),
        ] {
            let what = format!("bias {bias}, reverse {reverse}, clip {clip:?}");
            check(setup, &layer, &rule, bias, &what, &|x, r| {
                let (mut h, mut hs) = (vec![vec![0.0; HIDDEN]; STEPS], vec![]);
                let mut before = vec![0.0; HIDDEN];
                for t in order(reverse) {
                    hs.push(before.clone());
                    let after = |k| clipped(gate.z(k, &x[t], &before, 1.0).tanh(), clip);
                    before = (0..HIDDEN).map(after).collect();
                    h[t] = before.clone();
                }
                let mut found = Found::new(epsilon);
                let mut of_h = vec![0.0; HIDDEN];
                for (at, t) in order(reverse).into_iter().enumerate().rev() {
                    let mut next = vec![0.0; HIDDEN];
                    for k in 0..HIDDEN {
                        let of = of_h[k] + r[t][k];
                        let down = found.hand(&gate, k, t, &x[t], &hs[at], 1.0, of);
                        for (to, part) in next.iter_mut().zip(down) {
                            *to += part;
                        }
                    }
                    of_h = next;
                }
                (h, found)
            });
        }
    }
}

/// Burn makes the state before the first step in the default precision, which is single here;
/// in double precision the loops have been the twin.
fn single<B: Backend>(setup: &Setup<B>) -> bool {
    setup.dtype == DType::F32
}

/// The same numbers as Burn's own forward pass.
pub fn recurrent_forward<B: Backend>(setup: &Setup<B>) {
    if !single(setup) {
        return;
    }
    let x = setup.tensor::<3>(73, [3, 4, 2]);
    let close = |found: &AnyTensor<B>, burn: Tensor<B, 3>, what: &str| {
        assert_eq!(found.dims(), burn.dims(), "{what}");
        assert_close(&values(found), &values(&burn.into()), setup.tolerance(), what);
    };
    for (batch_first, reverse, clip, coupled) in
        [(true, false, None, false), (false, true, Some(0.1), true), (true, true, None, false)]
    {
        let what = format!("batch first {batch_first}, reverse {reverse}, coupled {coupled}");
        let config = LstmConfig::new(2, 5, true)
            .with_batch_first(batch_first)
            .with_reverse(reverse)
            .with_clip(clip)
            .with_input_forget(coupled)
            .with_gate_activation(ActivationConfig::HardSigmoid(HardSigmoidConfig::new()))
            .with_hidden_activation(ActivationConfig::PRelu(PReluConfig::new()));
        let layer = setup.filled(64, config.init::<B>(&setup.device));
        let found = burn_lrp::infer(&layer, x.clone()).unwrap();
        close(&found, layer.forward(x.clone(), None).0, &format!("Lstm, {what}"));

        let config = RnnConfig::new(2, 5, true)
            .with_batch_first(batch_first)
            .with_reverse(reverse)
            .with_clip(clip);
        let layer = setup.filled(65, config.init::<B>(&setup.device));
        let found = burn_lrp::infer(&layer, x.clone()).unwrap();
        close(&found, layer.forward(x.clone(), None).0, &format!("Rnn, {what}"));

        let config = BiLstmConfig::new(2, 5, true)
            .with_batch_first(batch_first)
            .with_clip(clip)
            .with_input_forget(coupled);
        let layer = setup.filled(66, config.init::<B>(&setup.device));
        let found = burn_lrp::infer(&layer, x.clone()).unwrap();
        close(&found, layer.forward(x.clone(), None).0, &format!("BiLstm, {what}"));

        let config = BiRnnConfig::new(2, 5, true).with_batch_first(batch_first).with_clip(clip);
        let layer = setup.filled(67, config.init::<B>(&setup.device));
        let found = burn_lrp::infer(&layer, x.clone()).unwrap();
        close(&found, layer.forward(x.clone(), None).0, &format!("BiRnn, {what}"));

        let config = GruConfig::new(2, 5, true).with_reset_after(coupled).with_clip(clip);
        let layer = setup.filled(68, config.init::<B>(&setup.device));
        let found = burn_lrp::infer(&layer, x.clone()).unwrap();
        close(&found, layer.forward(x.clone(), None), &format!("Gru, {what}"));

        let config = BiGruConfig::new(2, 5, true)
            .with_batch_first(batch_first)
            .with_reset_after(coupled)
            .with_clip(clip);
        let layer = setup.filled(69, config.init::<B>(&setup.device));
        let found = burn_lrp::infer(&layer, x.clone()).unwrap();
        close(&found, layer.forward(x.clone(), None).0, &format!("BiGru, {what}"));
    }
}

/// What a network hands to its input, and what its biases absorb in all.
fn through<B: Backend>(
    network: &impl Relevance<B>,
    x: Tensor<B, 3>,
    r: Tensor<B, 3>,
) -> (Tensor<B, 3>, f64) {
    let tape = Tape::new();
    let input = tape.input("x", x);
    let output = input.then("net", network).unwrap();
    let plan = output.plan(&Composite::default()).unwrap();
    let relevances = plan.run_with_report(r).unwrap();
    let layers = relevances.report().unwrap().layers();
    let bias = layers.iter().flat_map(|layer| &layer.bias).sum();
    (relevances.of(&input).unwrap().tensor().unwrap(), bias)
}

/// A bidirectional layer is its layers side by side, the second over the flipped steps; the
/// order of dimensions changes nothing.
pub fn both_directions<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor::<3>(74, [2, 3, 2]);
    let r = setup.tensor::<3>(75, [2, 3, 10]);
    let flip = |t: Tensor<B, 3>| t.flip([1]);
    let (first, second) = (r.clone().narrow(2, 0, 5), r.clone().narrow(2, 5, 5));
    macro_rules! check {
        ($config:expr, $name:literal) => {
            let mut layer = setup.filled(70, $config.init::<B>(&setup.device));
            let (found, found_bias) = through(&layer, x.clone(), r.clone());
            let (a, a_bias) = through(&layer.forward, x.clone(), first.clone());
            let (b, b_bias) = through(&layer.reverse, flip(x.clone()), flip(second.clone()));
            let expected = values(&(a + flip(b)).into());
            let tolerance = setup.tolerance_at(100.0);
            assert_close(&values(&found.clone().into()), &expected, tolerance, $name);
            assert_close(&[found_bias], &[a_bias + b_bias], tolerance, $name);

            layer.batch_first = false;
            let (turned, bias) =
                through(&layer, x.clone().swap_dims(0, 1), r.clone().swap_dims(0, 1));
            let turned = values(&turned.swap_dims(0, 1).into());
            assert_close(&turned, &values(&found.into()), tolerance, $name);
            assert_close(&[bias], &[found_bias], tolerance, $name);
        };
    }
    check!(BiLstmConfig::new(2, 5, true), "BiLstm");
    check!(BiGruConfig::new(2, 5, true), "BiGru");
    check!(BiRnnConfig::new(2, 5, true), "BiRnn");
}

/// Without biases, inputs get all there is.
pub fn recurrent_conserves<B: Backend>(setup: &Setup<B>) {
    let (x, start) = (setup.numbers(76, 2 * 3 * 2), [2, 3, 2]);
    let layers: Vec<(Box<dyn Layer<B>>, Vec<Rule>)> = vec![
        (
            Box::new(setup.filled(77, LstmConfig::new(2, 4, false).init::<B>(&setup.device))),
            vec![Rule::SIGNAL_TAKE_ALL, Rule::HALVES],
        ),
        (
            Box::new(setup.filled(78, GruConfig::new(2, 4, false).init::<B>(&setup.device))),
            vec![Rule::SIGNAL_TAKE_ALL],
        ),
        (
            Box::new(setup.filled(79, RnnConfig::new(2, 4, false).init::<B>(&setup.device))),
            vec![Rule::ZERO, Rule::SIGNAL_TAKE_ALL],
        ),
    ];
    for (layer, rules) in layers {
        let given = [upload(setup, &x, &start)];
        // The output itself, so that nothing is divided by a small number only.
        let r = values(&layer.forward(&given).unwrap());
        for rule in rules {
            let handed = hand(setup, layer.as_ref(), &given, &r, &rule);
            assert!(handed.bias.is_none());
            let sums = |x: &[f64]| -> Vec<f64> {
                x.chunks(x.len() / 2).map(|sample| sample.iter().sum()).collect()
            };
            let what = format!("{} by {rule}", layer.kind());
            // ε is 10⁻⁶ of sums that are 10⁻³ at least.
            assert_close(&sums(&handed.inputs[0]), &sums(&r), 1e-3, &what);
        }
    }
}

/// What is refused, and that it says why.
pub fn recurrent_refused<B: Backend>(setup: &Setup<B>) {
    let swiglu = ActivationConfig::SwiGlu(SwiGluConfig::new(4, 4));
    let layer = LstmConfig::new(2, 4, true).with_cell_activation(swiglu).init::<B>(&setup.device);
    let x = setup.tensor::<3>(80, [2, 3, 2]);
    let refused = burn_lrp::infer(&layer, x.clone()).unwrap_err().to_string();
    assert!(refused.contains("cell_activation"), "{refused}");

    let layer = LstmConfig::new(2, 4, true).init::<B>(&setup.device);
    for dims in [[2, 3, 3], [2, 0, 2], [0, 3, 2]] {
        let x = Tensor::<B, 3>::zeros(dims, (&setup.device, setup.dtype));
        assert!(burn_lrp::infer(&layer, x).is_err());
    }
    assert!(burn_lrp::infer(&layer, setup.tensor::<2>(81, [3, 2])).is_err());

    let mut layer = BiLstmConfig::new(2, 4, true).init::<B>(&setup.device);
    layer.forward.batch_first = false;
    assert!(burn_lrp::infer(&layer, x.clone()).unwrap_err().to_string().contains("batch_first"));

    let mut layer = GruConfig::new(2, 4, true).init::<B>(&setup.device);
    layer.d_hidden = 3;
    assert!(burn_lrp::infer(&layer, x).unwrap_err().to_string().contains("update_gate"));
}
