//! Networks: values that are used twice, layers that are used twice, merging.

use burn::backend::Autodiff;
use burn::module::Param;
use burn::nn::conv::{Conv1d, Conv1dConfig};
use burn::nn::pool::{MaxPool2d, MaxPool2dConfig};
use burn::nn::{Linear, LinearConfig, PaddingConfig1d, Relu};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor, TensorData};
use burn_lrp::{
    AnyTensor, Composite, Error, Explainer, Family, Flatten, Layer, Node, Relevance, Result, Rule,
    RuleName, Selector, Step, Tape, infer,
};

use super::affine::{matrix_of, rules};
use super::naive::relevance;
use super::setup::{Setup, assert_close, values};

/// `relu(W x) + x`: what the skip gets and what the layer gets, by hand.
pub fn skip_connection<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(1, LinearConfig::new(4, 4).with_bias(false).init::<B>(&setup.device));
    let x = setup.tensor::<2>(2, [3, 4]);
    let tape = Tape::new();
    let input = tape.input("x", x.clone());
    let output = input
        .then("linear", &layer)
        .and_then(|node| node.then("relu", &Relu))
        .and_then(|node| node.add(&input))
        .unwrap();
    let composite = Composite::new().with(Selector::All, Rule::ZERO);
    let refused = output.plan(&composite).unwrap_err().to_string();
    assert!(refused.contains("`relu` (Relu) has no rule `zero`"), "{refused}");

    let composite = Composite::new().with(Selector::kind("Add"), Rule::PROPORTIONAL);
    let composite = composite.with(Selector::kind("Linear"), Rule::ZERO);
    let plan = output.plan(&composite).unwrap();
    let relevances = plan.run_with_report(output.value().clone()).unwrap();
    let report = relevances.report().unwrap();
    assert_eq!(report.layers().len(), 3);
    let found = values(&relevances.of(&input).unwrap());

    let (w, x) = (values(&layer.weight.val().into()), values(&x.into()));
    let mut expected = vec![0.0; 12];
    for n in 0..3 {
        for k in 0..4 {
            let z: f64 = (0..4).map(|j| x[n * 4 + j] * w[j * 4 + k]).sum();
            // R = output, so each part of the sum gets itself.
            expected[n * 4 + k] += x[n * 4 + k];
            if z > 0.0 {
                for j in 0..4 {
                    expected[n * 4 + j] += x[n * 4 + j] * w[j * 4 + k];
                }
            }
        }
    }
    assert_close(&found, &expected, setup.tolerance(), "relevance");
}

/// Values that are used more than once, in several ranks.
#[derive(Debug)]
struct Branches<B: Backend> {
    first: Linear<B>,
    conv: Conv1d<B>,
    last: Linear<B>,
    skipped: Linear<B>,
}

impl<B: Backend> Relevance<B> for Branches<B> {
    fn trace<'m>(&'m self, x: Node<'m, B>) -> Result<Node<'m, B>> {
        let hidden = x.then("first", &self.first)?;
        let image = hidden.reshape(&[2, 3])?.then("conv", &self.conv)?;
        let turned = image.permute(&[0, 2, 1])?.flatten()?.add(&x)?;
        let output = hidden.concat(&[&turned], 1)?.then("last", &self.last)?;
        x.then("skipped", &self.skipped)?.add(&output)
    }
}

/// Without biases and activations the network is a matrix, and LRP-0 that of
/// the matrix.
pub fn mixed_ranks<B: Backend>(setup: &Setup<B>) {
    let device = &setup.device;
    let linear = |seed, inputs, outputs| {
        let config = LinearConfig::new(inputs, outputs).with_bias(false);
        setup.filled(seed, config.init::<B>(device))
    };
    let config = Conv1dConfig::new(2, 2, 3).with_padding(PaddingConfig1d::Same);
    let network = Branches {
        first: linear(101, 6, 6),
        conv: setup.filled(104, config.with_bias(false).init::<B>(device)),
        last: linear(102, 12, 2),
        skipped: linear(103, 6, 2),
    };
    let m = matrix_of(setup, &[6], |x| infer(&network, x).unwrap());
    assert!(m.bias.iter().all(|b| *b == 0.0));

    let x = setup.numbers(105, 12);
    let tape = Tape::new();
    let input = tape.input("x", setup.upload(x.clone(), [2, 6]));
    let output = network.trace(input.clone()).unwrap();
    let composite = Composite::new()
        .with(Selector::Family(Family::Shape), Rule::PASS)
        .with(Selector::kind("Concat"), Rule::PASS)
        .with(Selector::All, Rule::ZERO);
    let plan = output.plan(&composite).unwrap();
    let r = setup.numbers(106, 4);
    let found = plan.run(setup.upload(r.clone(), [2, 2])).unwrap().of(&input).unwrap();
    let naive = |n: usize| relevance(&Rule::ZERO, &m, &x[n * 6..][..6], &r[n * 2..][..2]);
    let expected = [naive(0), naive(1)];
    let condition = expected.iter().fold(1.0_f64, |most, found| most.max(found.condition));
    let expected: Vec<f64> = expected.into_iter().flat_map(|found| found.inputs).collect();
    assert_close(&values(&found), &expected, setup.tolerance_at(10.0 * condition), "relevance");
}

/// Its two uses are two layers of the network.
pub fn a_layer_used_twice<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(111, LinearConfig::new(4, 4).init::<B>(&setup.device));
    let x = AnyTensor::from(setup.tensor::<2>(112, [2, 4]));
    let tape = Tape::new();
    let input = tape.input("input", x.clone());
    let hidden = input.then("x", &layer).unwrap();
    let output = hidden.then("x", &layer).unwrap();
    let epsilon = Rule::epsilon(0.25).unwrap();
    let composite = Composite::new()
        .with(Selector::path("x#2"), epsilon.clone())
        .with(Selector::path("x"), Rule::Z_PLUS);
    let plan = output.plan(&composite).unwrap();
    let found: Vec<_> =
        plan.layers().iter().map(|layer| (layer.path.as_str(), layer.rule.clone())).collect();
    assert_eq!(found, [("x", Rule::Z_PLUS), ("x#2", epsilon.clone())]);

    let r = AnyTensor::from(setup.tensor::<2>(113, [2, 4]));
    let by_hand = |x: &AnyTensor<B>, z: &AnyTensor<B>, r: &AnyTensor<B>, rule: Rule| {
        let inputs = std::slice::from_ref(x);
        let step = Step::new(inputs, z, r);
        layer.relevance(&step, &rule).unwrap().inputs.remove(0)
    };
    let between = by_hand(hidden.value(), output.value(), &r, epsilon);
    let expected = by_hand(&x, hidden.value(), &between, Rule::Z_PLUS);
    let found = plan.run(r).unwrap().of(&input).unwrap();
    assert_eq!(values(&found), values(&expected));
}

pub fn graph_refusals<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(121, LinearConfig::new(4, 4).init::<B>(&setup.device));
    let x = setup.tensor::<2>(122, [2, 4]);
    let (tape, other) = (Tape::new(), Tape::new());
    let (input, foreign) = (tape.input("x", x.clone()), other.input("x", x.clone()));
    assert_eq!(input.add(&foreign).unwrap_err(), Error::ForeignNode);
    assert_eq!(input.concat(&[&input, &foreign], 1).unwrap_err(), Error::ForeignNode);

    let output = input.then("layer", &layer).unwrap();
    let plan = output.plan(&Composite::default()).unwrap();
    let relevances = plan.run(x.clone()).unwrap();
    assert_eq!(relevances.of(&foreign).unwrap_err(), Error::ForeignNode);
    let text = relevances.of(&output).unwrap_err().to_string();
    assert!(text.contains("layer: only the relevance of inputs is kept"), "{text}");

    let text = plan.run(setup.tensor::<2>(1, [4, 2])).unwrap_err().to_string();
    assert!(text.contains("the input has shape [4, 2], expected [2, 4]"), "{text}");
    let text = plan.run(setup.tensor::<1>(1, [8])).unwrap_err().to_string();
    assert!(text.contains("expected [2, 4]"), "{text}");
    let wrong = match setup.dtype {
        DType::F64 => DType::F32,
        _ => DType::F64,
    };
    // Uploaded only: a device need not compute in it.
    let data = TensorData::new(vec![0.5; 8], [2, 4]).convert_dtype(wrong);
    let other_precision = Tensor::<B, 2>::from_data(data, (&setup.device, wrong));
    let text = plan.run(other_precision.clone()).unwrap_err().to_string();
    assert!(text.contains("relevance: it is F"), "{text}");
    let text = tape.input("y", other_precision.clone()).then("layer", &layer).unwrap_err();
    assert!(text.to_string().contains("the weights are"), "{text}");
    let cast = tape.input("cast", other_precision.clone());
    for joined in [input.add(&cast), input.concat(&[&cast], 1)] {
        let text = joined.unwrap_err().to_string();
        assert!(text.contains("cast one"), "{text}");
    }

    let inference = Tape::inference();
    let node = inference.input("x", x.clone()).then("layer", &layer).unwrap();
    assert_eq!(values(node.value()), values(output.value()));
    assert_eq!(node.plan(&Composite::default()).unwrap_err(), Error::NotRecorded);
    assert_eq!(relevances.of(&node).unwrap_err(), Error::ForeignNode);

    let text = input.then("wrong", &Flatten { start: 0 }).unwrap_err().to_string();
    assert!(text.starts_with("wrong (Flatten)"), "{text}");
    let text = input.add(&tape.input("z", setup.tensor::<2>(1, [4, 2]))).unwrap_err().to_string();
    assert!(text.contains("expected [2, 4]"), "{text}");
}

/// An input that the output does not depend on has no relevance.
pub fn an_unused_input<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(131, LinearConfig::new(4, 2).init::<B>(&setup.device));
    let tape = Tape::new();
    let unused = tape.input("unused", setup.tensor::<3>(132, [2, 3, 1]));
    let input = tape.input("x", setup.tensor::<2>(133, [2, 4]));
    // What is made of an unused value is no part of the plan.
    let aside = unused.flatten().unwrap();
    let output = input.then("layer", &layer).unwrap();
    let plan = output.plan(&Composite::default()).unwrap();
    assert_eq!(plan.layers().len(), 1);
    let relevances = plan.run(output.value().clone()).unwrap();
    let found = relevances.of(&unused).unwrap();
    assert_eq!((found.dims(), values(&found)), (vec![2, 3, 1], vec![0.0; 6]));
    assert!(relevances.of(&aside).is_err());
    // An input alone is a network, too.
    let alone = input.plan(&Composite::default()).unwrap();
    let found = alone.run(input.value().clone()).unwrap().of(&input).unwrap();
    assert_eq!(values(&found), values(input.value()));
}

/// What goes in comes out, or is said to have been absorbed, and by whom.
pub fn conservation<B: Backend>(setup: &Setup<B>) {
    let device = &setup.device;
    let linear = |seed, inputs, outputs, bias| {
        let config = LinearConfig::new(inputs, outputs).with_bias(bias);
        setup.filled(seed, config.init::<B>(device))
    };
    let x = setup.tensor::<2>(141, [3, 4]);
    for bias in [false, true] {
        for epsilon in [0.0, 0.1] {
            let (first, second) = (linear(142, 4, 5, bias), linear(143, 5, 4, bias));
            let rule = if epsilon == 0.0 { Rule::ZERO } else { Rule::epsilon(epsilon).unwrap() };
            let tape = Tape::new();
            let input = tape.input("x", x.clone());
            let hidden = input.then("first", &first).unwrap();
            let output = hidden.then("relu", &Relu).unwrap().then("second", &second).unwrap();
            let output = output.add(&input).unwrap();
            let composite =
                Composite::new().with(Selector::kind("Relu"), Rule::PASS).with(Selector::All, rule);
            let r = setup.tensor::<2>(144, [3, 4]);
            let relevances = output.plan(&composite).unwrap().run_with_report(r.clone()).unwrap();
            let found = relevances.of(&input).unwrap();
            let report = relevances.report().unwrap();
            let close = |found: f64, expected: f64, scale: f64, what: &str| {
                let error = (found - expected).abs() / scale.max(1.0);
                let tolerance = setup.tolerance_at(1000.0);
                assert!(error <= tolerance, "{what}: {found} against {expected}\n{report}");
            };
            let names: Vec<_> = report.layers().iter().map(|l| l.path.as_str()).collect();
            assert_eq!(names, ["first", "relu", "second", "add"]);

            let rows = |t: &AnyTensor<B>| values(&t.row_sums().into());
            let (whole, left) = (rows(&r.clone().into()), rows(&found));
            let (z, seeds) = (values(output.value()), values(&r.into()));
            for n in 0..3 {
                let scale = report.layers().iter().fold(1.0_f64, |most, layer| {
                    most.max(layer.output[n].abs()).max(layer.inputs[n].abs())
                });
                close(whole[n], left[n] + report.absorbed()[n], scale, "network");
                for layer in report.layers() {
                    close(
                        layer.output[n],
                        layer.inputs[n] + layer.bias[n] + layer.rest[n],
                        scale,
                        &layer.path,
                    );
                    if epsilon == 0.0 {
                        close(layer.rest[n], 0.0, scale, &format!("rest of {}", layer.path));
                    }
                    if !bias {
                        assert_eq!(layer.bias[n], 0.0);
                    }
                }
                // What the stabiliser keeps is R ε sign(z) / (z + ε sign(z)).
                let kept: f64 = (0..4)
                    .map(|k| {
                        let (z, r) = (z[n * 4 + k], seeds[n * 4 + k]);
                        let stabiliser = epsilon.copysign(z);
                        r * stabiliser / (z + stabiliser)
                    })
                    .sum();
                close(report.layers()[3].rest[n], kept, scale, "stabiliser");
            }
            if bias {
                assert!(report.layers()[0].bias.iter().any(|b| b.abs() > 1e-3));
            }
        }
    }
}

/// Samples know nothing of each other.
pub fn samples_are_apart<B: Backend>(setup: &Setup<B>) {
    let device = &setup.device;
    let config = Conv1dConfig::new(2, 2, 3).with_padding(PaddingConfig1d::Same);
    let network = Branches {
        first: setup.filled(151, LinearConfig::new(6, 6).init::<B>(device)),
        conv: setup.filled(152, config.init::<B>(device)),
        last: setup.filled(153, LinearConfig::new(12, 2).init::<B>(device)),
        skipped: setup.filled(154, LinearConfig::new(6, 2).init::<B>(device)),
    };
    let (x, r) = (setup.tensor::<2>(155, [4, 6]), setup.tensor::<2>(156, [4, 2]));
    // Values inside a network are in no box.
    for rule in rules().into_iter().filter(|rule| rule.name() != RuleName::Box) {
        let composite = Composite::new()
            .with(Selector::Family(Family::Dense), rule.clone())
            .with(Selector::Family(Family::Convolution), rule.clone());
        let explain = |x: Tensor<B, 2>, r: Tensor<B, 2>| {
            let tape = Tape::new();
            let input = tape.input("x", x);
            let output = network.trace(input.clone()).unwrap();
            let found = output.plan(&composite).unwrap().run(r).unwrap().of(&input).unwrap();
            values(&found)
        };
        let together = explain(x.clone(), r.clone());
        let apart: Vec<f64> = (0..4)
            .flat_map(|n| explain(x.clone().narrow(0, n, 1), r.clone().narrow(0, n, 1)))
            .collect();
        let tolerance = setup.tolerance_at(10_000.0);
        assert_close(&together, &apart, tolerance, &format!("one at a time by {rule}"));
    }
}

/// No samples are refused, before a layer sees them.
pub fn empty_inputs<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(161, LinearConfig::new(4, 2).init::<B>(&setup.device));
    let x = Tensor::<B, 2>::zeros([0, 4], (&setup.device, setup.dtype));
    let text = infer(&layer, x.clone()).unwrap_err().to_string();
    assert!(text.contains("expected at least one sample"), "{text}");
    let tape = Tape::new();
    let input = tape.input("x", x.clone());
    let text = input.then("layer", &layer).unwrap_err().to_string();
    assert!(text.starts_with("layer: the input has shape [0, 4]"), "{text}");
    // Nothing to explain, and nothing that could go wrong.
    let found = input.plan(&Composite::default()).unwrap().run(x).unwrap();
    assert_eq!(found.of(&input).unwrap().dims(), [0, 4]);
}

/// Values that are no numbers are refused where they come in.
pub fn not_finite<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(171, LinearConfig::new(3, 2).init::<B>(&setup.device));
    let at = |error: Error| match error {
        Error::NonFinite { at, .. } => at,
        other => panic!("{other}"),
    };
    let composite = Composite::default();
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let tape = Tape::new();
        let input = tape.input("x", setup.upload(vec![0.0, bad, 1.0], [1, 3]));
        let output = input.then("layer", &layer).unwrap();
        // A rectifier may hide it.
        let output = output.then("relu", &Relu).unwrap();
        assert_eq!(at(output.plan(&composite).unwrap_err()), "x");

        let mut broken = layer.clone();
        broken.bias = Some(Param::from_tensor(setup.upload(vec![bad, 0.0], [2])));
        let tape = Tape::new();
        let input = tape.input("x", setup.tensor::<2>(172, [1, 3]));
        let output = input.then("broken", &broken).unwrap();
        assert_eq!(at(output.plan(&composite).unwrap_err()), "broken");

        let tape = Tape::new();
        let input = tape.input("x", setup.tensor::<2>(172, [1, 3]));
        let output = input.then("layer", &layer).unwrap();
        let plan = output.plan(&composite).unwrap();
        let seed = setup.upload::<2>(vec![1.0, bad], [1, 2]);
        assert_eq!(at(plan.run(seed).unwrap_err()), "relevance");
        // Infinities that would cancel.
        let seed = setup.upload::<2>(vec![bad, -bad], [1, 2]);
        assert_eq!(at(plan.run(seed).unwrap_err()), "relevance");
        // As large as it gets is finite, and so is the sum.
        let largest = match setup.dtype {
            DType::F64 => f64::MAX,
            _ => f64::from(f32::MAX),
        };
        assert!(plan.run(setup.upload::<2>(vec![largest, largest], [1, 2])).is_ok());
    }
}

/// One step of a sequence: the others get nothing.
pub fn one_step_of_a_sequence<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor::<3>(3, [2, 3, 4]);
    let all = values(&x.clone().into());
    for (place, step) in [(0, 0), (1, 1), (-1, 2)] {
        let tape = Tape::new();
        let input = tape.input("x", x.clone());
        let output = input.select(1, place).unwrap();
        assert_eq!(output.value().dims(), [2, 4]);
        let plan = output.plan(&Composite::default()).unwrap();
        let found = values(&plan.run(output.value().clone()).unwrap().of(&input).unwrap());
        for n in 0..24 {
            let expected = if n / 4 % 3 == step { all[n] } else { 0.0 };
            assert_eq!(found[n], expected, "number {n} of place {place}");
        }
    }
    let input = Tape::new().input("x", x);
    for (dim, place) in [(0, 0), (1, 3), (1, -4), (3, 0)] {
        assert!(input.select(dim, place).is_err(), "{dim}, {place}");
    }
}

/// A pass in blocks is that of all samples at once, with a report of all of them.
pub fn blocks_of_samples<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(1, LinearConfig::new(4, 3).init::<B>(&setup.device));
    let net = (&layer, Relu);
    let x = setup.tensor::<2>(2, [7, 4]);
    let composite = Composite::new().with(Selector::kind("Linear"), Rule::gamma(0.5).unwrap());
    let run = |block: usize| {
        let explainer = Explainer::new(composite.clone()).with_block(block).with_report();
        explainer.explain(&net, x.clone(), |output| Ok(output.clone())).unwrap()
    };
    let whole = run(7);
    for block in [1, 3, 100] {
        let parts = run(block);
        let tolerance = setup.tolerance();
        assert_close(&values(&parts.relevance), &values(&whole.relevance), tolerance, "relevance");
        assert_close(&values(&parts.output), &values(&whole.output), tolerance, "output");
        let (parts, whole) = (parts.report.unwrap(), whole.report.as_ref().unwrap());
        assert_eq!(parts.layers().len(), 2);
        for (part, whole) in parts.layers().iter().zip(whole.layers()) {
            assert_close(&part.bias, &whole.bias, tolerance, "bias");
            assert_close(&part.output, &whole.output, tolerance, "handed");
        }
    }
    // Another rule is another pass.
    let other = Explainer::new(Composite::default()).with_report();
    let other = other.explain(&net, x.clone(), |output| Ok(output.clone())).unwrap();
    let mut report = whole.report.unwrap();
    assert!(report.append(other.report.unwrap()).is_err());
    let none = x.slice([0..0, 0..4]);
    let explainer = Explainer::new(composite);
    assert!(explainer.explain(&net, none, |output| Ok(output.clone())).is_err());
}

/// A path without a number means every use of a layer; a misspelt one is found however deep
/// it is in a selector.
pub fn paths_of_shared_layers<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(1, LinearConfig::new(4, 4).init::<B>(&setup.device));
    let tape = Tape::new();
    let mut node = tape.input("x", setup.tensor::<2>(2, [2, 4]));
    for _ in 0..3 {
        node = node.then("cell", &layer).unwrap();
    }
    let rules = |text: &str| -> Vec<String> {
        let composite: Composite = text.parse().unwrap();
        let plan = node.plan(&composite).unwrap();
        plan.layers().iter().map(|layer| layer.rule.to_string()).collect()
    };
    assert_eq!(rules("path:cell -> flat"), ["flat", "flat", "flat"]);
    assert_eq!(rules("path:\"cell#2\" -> flat\npath:cell -> zero"), ["zero", "flat", "zero"]);
    for text in ["or(path:cel, path:cell)", "not(path:cel)", "and(all, not(path:cel))"] {
        let composite: Composite = format!("{text} -> flat").parse().unwrap();
        assert!(node.plan(&composite).unwrap_err().to_string().contains("cell"), "{text}");
    }
    let deep = format!("{}all{} -> flat", "not(".repeat(10_000), ")".repeat(10_000));
    assert!(deep.parse::<Composite>().is_err());
}

/// Largest of a window on an autodiff backend, where Burn has no backward pass for it.
pub fn max_pool_on_autodiff<B: Backend>(setup: &Setup<B>) {
    let pool = MaxPool2dConfig::new([2, 3]).with_strides([1, 2]).init();
    let x = setup.numbers(5, 2 * 2 * 4 * 7);
    let seed = setup.numbers(6, 2 * 2 * 3 * 3);
    let plain = winner::<B>(
        &pool,
        setup.upload(x.clone(), [2, 2, 4, 7]),
        setup.upload(seed.clone(), [2, 2, 3, 3]),
    );
    let outer = Setup::<Autodiff<B>>::new(setup.dtype);
    let found = winner::<Autodiff<B>>(
        &pool,
        outer.upload(x, [2, 2, 4, 7]),
        outer.upload(seed, [2, 2, 3, 3]),
    );
    assert_close(&found, &plain, setup.tolerance(), "relevance");
}

fn winner<B: Backend>(pool: &MaxPool2d, x: Tensor<B, 4>, seed: Tensor<B, 4>) -> Vec<f64> {
    let tape = Tape::new();
    let input = tape.input("x", x);
    let output = input.then("pool", pool).unwrap();
    let plan = output.plan(&Composite::default()).unwrap();
    values(&plan.run(seed).unwrap().of(&input).unwrap())
}
