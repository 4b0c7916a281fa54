//! Batch normalisation becomes one layer with the layer before it.

use burn::module::{Param, RunningState};
use burn::nn::conv::{Conv2dConfig, ConvTranspose2dConfig};
use burn::nn::{BatchNorm, BatchNormConfig, Linear, LinearConfig, Relu};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_lrp::{
    AnyTensor, Composite, Error, Family, Kind, Layer, Node, Redistribution, Relevance, Result,
    Rule, RuleName, Selector, Step, Tape, affine,
};

use super::affine::rules;
use super::own_rule::own_rules;
use super::setup::{Setup, assert_close, values};

fn norm<B: Backend>(setup: &Setup<B>, channels: usize) -> BatchNorm<B> {
    let mut norm = setup.filled(71, BatchNormConfig::new(channels).init::<B>(&setup.device));
    norm.running_mean = RunningState::new(setup.tensor(74, [channels]));
    norm.running_var = RunningState::new(setup.tensor(75, [channels]).abs() + 0.2);
    norm
}

/// What a channel is scaled and shifted by, from Burn's numbers.
fn scales<B: Backend>(norm: &BatchNorm<B>) -> Vec<(f64, f64)> {
    let of = |tensor: Tensor<B, 1>| values(&tensor.into());
    let (gamma, beta) = (of(norm.gamma.val()), of(norm.beta.val()));
    let (mean, variance) = (of(norm.running_mean.value()), of(norm.running_var.value()));
    (0..gamma.len())
        .map(|c| {
            let scale = gamma[c] / (variance[c] + norm.epsilon).sqrt();
            (scale, beta[c] - mean[c] * scale)
        })
        .collect()
}

/// The layer and its normalisation, merged, against the layer with weights
/// that were multiplied by hand.
fn same<B: Backend, const D: usize>(
    setup: &Setup<B>,
    layer: &dyn Relevance<B>,
    norm: &BatchNorm<B>,
    by_hand: &dyn Relevance<B>,
    x: Tensor<B, D>,
) {
    for rule in rules().into_iter().chain(own_rules()) {
        let composite = Composite::new().with(Selector::All, rule.clone());
        let tape = Tape::new();
        let input = tape.input("x", x.clone());
        let output = input.then("layer", layer).unwrap().then("norm", norm).unwrap();
        let plan = output.plan(&composite).unwrap();
        assert_eq!(plan.layers().len(), 1);
        assert_eq!(plan.layers()[0].path, "layer");
        assert_eq!(plan.layers()[0].merged.as_deref(), Some("norm"));
        let seed = setup.tensor::<1>(76, [output.value().len()]);
        let seed = burn_lrp::AnyTensor::from(seed).reshape(&output.value().dims()).unwrap();
        let found = plan.run_with_report(seed.clone()).unwrap();

        let other = Tape::new();
        let alone = other.input("x", x.clone());
        let expected = alone.then("layer", by_hand).unwrap();
        let expected = expected.plan(&composite).unwrap().run_with_report(seed).unwrap();
        assert_close(
            &values(&found.of(&input).unwrap()),
            &values(&expected.of(&alone).unwrap()),
            setup.tolerance_at(1000.0),
            &format!("relevance by {rule}"),
        );
        assert_close(
            &found.report().unwrap().layers()[0].bias,
            &expected.report().unwrap().layers()[0].bias,
            setup.tolerance_at(1000.0),
            &format!("bias by {rule}"),
        );
    }
}

pub fn merged_like_one_layer<B: Backend>(setup: &Setup<B>) {
    let device = &setup.device;
    for bias in [true, false] {
        let norm = norm(setup, 4);
        let scales = scales(&norm);
        let biases = |bias: Option<&Param<Tensor<B, 1>>>| {
            let bias = bias.map_or(vec![0.0; 4], |bias| values(&bias.val().into()));
            let shifted = bias.iter().zip(&scales).map(|(b, (scale, shift))| b * scale + shift);
            Param::from_tensor(setup.upload(shifted.collect(), [4]))
        };
        // What a weight is multiplied by, from its place in memory.
        let weights = |w: Vec<f64>, channel: &dyn Fn(usize) -> usize| -> Vec<f64> {
            w.iter().enumerate().map(|(at, w)| w * scales[channel(at)].0).collect()
        };

        let layer = setup.filled(77, LinearConfig::new(5, 4).with_bias(bias).init::<B>(device));
        let mut by_hand = layer.clone();
        let w = weights(values(&layer.weight.val().into()), &|at| at % 4);
        by_hand.weight = Param::from_tensor(setup.upload(w, [5, 4]));
        by_hand.bias = Some(biases(layer.bias.as_ref()));
        same(setup, &layer, &norm, &by_hand, setup.tensor::<2>(78, [2, 5]));

        let config = Conv2dConfig::new([2, 4], [2, 3]).with_groups(2).with_bias(bias);
        let layer = setup.filled(79, config.init::<B>(device));
        let mut by_hand = layer.clone();
        let w = weights(values(&layer.weight.val().into()), &|at| at / 6);
        by_hand.weight = Param::from_tensor(setup.upload(w, [4, 1, 2, 3]));
        by_hand.bias = Some(biases(layer.bias.as_ref()));
        same(setup, &layer, &norm, &by_hand, setup.tensor::<4>(80, [2, 2, 3, 4]));

        // [in, out / groups, ..]: six inputs in two groups, two outputs a group.
        let config = ConvTranspose2dConfig::new([6, 4], [2, 3]).with_groups(2).with_bias(bias);
        let layer = setup.filled(81, config.init::<B>(device));
        let mut by_hand = layer.clone();
        let w = weights(values(&layer.weight.val().into()), &|at| {
            let (input, output) = (at / 12, at / 6 % 2);
            input / 3 * 2 + output
        });
        by_hand.weight = Param::from_tensor(setup.upload(w, [6, 2, 2, 3]));
        by_hand.bias = Some(biases(layer.bias.as_ref()));
        same(setup, &layer, &norm, &by_hand, setup.tensor::<4>(82, [2, 6, 2, 2]));
    }
}

pub fn not_merged<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(83, LinearConfig::new(4, 4).init::<B>(&setup.device));
    let norm = norm(setup, 4);
    let composite = Composite::default();
    let kinds = |plan: &burn_lrp::Plan<'_, B>| {
        assert!(plan.layers().iter().all(|layer| layer.merged.is_none()), "{plan}");
        plan.layers().iter().map(|layer| layer.kind.name()).collect::<Vec<_>>()
    };
    let tape = Tape::new();
    let input = tape.input("x", setup.tensor::<2>(84, [2, 4]));
    let between = input.then("layer", &layer).unwrap();
    let normed = between.then("norm", &norm).unwrap();

    // The composite says so.
    let apart = composite.clone().with_merged_normalization(false);
    assert_eq!(kinds(&normed.plan(&apart).unwrap()), ["Linear", "BatchNorm"]);
    // Somebody else looks at the value between.
    let sum = normed.add(&between).unwrap();
    assert_eq!(kinds(&sum.plan(&composite).unwrap()), ["Linear", "BatchNorm", "Add"]);
    // Somebody else does, but not for this output.
    assert_eq!(normed.plan(&composite).unwrap().layers().len(), 1);
    // The value between is what is explained.
    assert_eq!(kinds(&between.plan(&composite).unwrap()), ["Linear"]);
    // Something that is not affine is between.
    let bent = between.then("relu", &Relu).unwrap().then("norm", &norm).unwrap();
    assert_eq!(kinds(&bent.plan(&composite).unwrap()), ["Linear", "Relu", "BatchNorm"]);
    // The value that comes in is nobody's.
    let first = input.then("norm", &norm).unwrap();
    assert_eq!(kinds(&first.plan(&composite).unwrap()), ["BatchNorm"]);
    // Channels of the normalisation are not those of the layer.
    let wide = tape.input("wide", setup.tensor::<3>(85, [2, 4, 4]));
    let wide = wide.then("layer", &layer).unwrap().then("norm", &norm).unwrap();
    assert_eq!(kinds(&wide.plan(&composite).unwrap()), ["Linear", "BatchNorm"]);

    // A layer used twice is merged with either normalisation.
    let twice = normed.then("layer", &layer).unwrap().then("norm", &norm).unwrap();
    let plan = twice.plan(&composite).unwrap();
    assert_eq!(plan.layers().len(), 2);
    for at in plan.layers() {
        assert_eq!(at.kind.name(), "Linear");
        assert!(at.merged.as_ref().is_some_and(|path| path.starts_with("norm")), "{plan}");
    }

    // Merged or apart, LRP-0 is the same; rules in between are not.
    let x = |composite: &Composite| {
        let plan = normed.plan(composite).unwrap();
        values(&plan.run(normed.value().clone()).unwrap().of(&input).unwrap())
    };
    let rule = |rule| Composite::new().with(Selector::All, rule);
    let apart = |rule| Composite::new().with(Selector::All, rule).with_merged_normalization(false);
    let (one, two) = (x(&rule(Rule::ZERO)), x(&apart(Rule::ZERO)));
    assert_close(&one, &two, setup.tolerance_at(1000.0), "LRP-0");
    assert_ne!(x(&rule(Rule::Z_PLUS)), x(&apart(Rule::Z_PLUS)));
}

/// A layer of a user that passes relevance to a linear layer's first input alone.
#[derive(Debug)]
struct First<B: Backend> {
    linear: Linear<B>,
    /// Whether a merged layer is of the same kind, or a `Linear`.
    keeps_kind: bool,
    default: Rule,
}

impl<B: Backend> Layer<B> for First<B> {
    fn kind(&self) -> Kind {
        Kind::new("First", Family::Dense)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        affine::forward(&self.linear, &inputs[0])
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Midpoint, RuleName::Pass]
    }

    fn default_rule(&self) -> Rule {
        self.default.clone()
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
        let x = step.input()?.tensor::<2>()?;
        let first = x.zeros_like().slice_assign([0..x.dims()[0], 0..1], x.slice([0..2, 0..1]));
        Ok(Redistribution::single(first.into()))
    }

    fn rescaled(
        &self,
        scale: &Tensor<B, 1>,
        shift: &Tensor<B, 1>,
    ) -> Option<Box<dyn Layer<B> + 'static>> {
        if !self.keeps_kind {
            return self.linear.rescaled(scale, shift);
        }
        Some(Box::new(Self {
            linear: Linear {
                weight: Param::from_tensor(self.linear.weight.val() * scale.clone().unsqueeze()),
                bias: Some(Param::from_tensor(shift.clone())),
            },
            keeps_kind: true,
            default: self.default.clone(),
        }))
    }
}

impl<B: Backend> Relevance<B> for First<B> {
    fn trace<'m>(&'m self, input: Node<'m, B>) -> Result<Node<'m, B>> {
        input.layer(self)
    }
}

/// What a plan prints about a user's layer with a merged normalisation is what runs.
pub fn layers_of_users<B: Backend>(setup: &Setup<B>) {
    let config = LinearConfig::new(5, 4).with_bias(false);
    let linear = setup.filled(86, config.init::<B>(&setup.device));
    let norm = norm(setup, 4);
    let x = setup.tensor::<2>(87, [2, 5]);
    let run = |layer: &dyn Relevance<B>, composite: &Composite| {
        let tape = Tape::new();
        let input = tape.input("x", x.clone());
        let output = input.then("layer", layer).unwrap().then("norm", &norm).unwrap();
        let plan = output.plan(composite)?;
        let relevance = plan.run(setup.tensor::<2>(88, [2, 4])).unwrap().of(&input).unwrap();
        Ok::<_, Error>((plan.to_string(), values(&relevance)))
    };
    let of = |text: &str| text.parse::<Composite>().unwrap();
    let first = |keeps_kind, default| First { linear: linear.clone(), keeps_kind, default };

    // The merged layer is a `Linear`: its kind and its default rule count.
    let layer = first(false, Rule::MIDPOINT);
    let expected = run(&linear, &Composite::default()).unwrap();
    assert_eq!(run(&layer, &Composite::default()).unwrap(), expected);
    assert_eq!(expected.0, "layer + norm  Linear  epsilon=1e-6\n");
    let expected = run(&linear, &of("family:dense -> gamma=0.5")).unwrap();
    assert_eq!(run(&layer, &of("family:dense -> gamma=0.5")).unwrap(), expected);
    // Its rules count.
    let refused = run(&layer, &of("family:dense -> midpoint")).unwrap_err();
    assert!(matches!(&refused, Error::Unsupported(all) if all.len() == 1), "{refused}");
    let text = refused.to_string();
    assert!(text.contains("`layer` (Linear) has no rule `midpoint`; it has zero,"), "{text}");
    // An entry for the kind that it no longer is would be lost.
    for text in ["kind:First -> pass", "kind:Linear -> zero; all -> flat"] {
        let refused = run(&layer, &of(text)).unwrap_err();
        assert!(matches!(&refused, Error::Merged(all) if all.len() == 1), "{refused}");
        let expected = "`layer` (First) is a Linear once `norm` is merged into it";
        assert!(refused.to_string().contains(expected), "{refused}");
    }
    let apart = of("kind:First -> pass; merge-normalization=false");
    let text = run(&layer, &apart).unwrap().0;
    assert_eq!(text, "layer  First      pass\nnorm   BatchNorm  epsilon=1e-6\n");

    // The merged layer is of the same kind, and keeps its rules.
    let layer = first(true, Rule::MIDPOINT);
    let (text, relevance) = run(&layer, &Composite::default()).unwrap();
    assert_eq!(text, "layer + norm  First  midpoint\n");
    let x = values(&x.clone().into());
    assert_eq!(relevance, [&[x[0]][..], &[0.0; 4], &[x[5]], &[0.0; 4]].concat());
    assert_eq!(run(&layer, &of("kind:First -> pass")).unwrap().0, "layer + norm  First  pass\n");

    // A default rule that the layer does not list is refused, merged or not.
    let refused = run(&first(true, Rule::FLAT), &Composite::default()).unwrap_err().to_string();
    assert!(refused.contains("`layer` (First) has no rule `flat`; it has midpoint, pass"));
    // An affine layer does not guess what another layer's rule means.
    let inputs = [AnyTensor::from(setup.tensor::<2>(87, [2, 5]))];
    let output = Layer::forward(&linear, &inputs).unwrap();
    let step = Step::new(&inputs, &output, &output);
    let refused = linear.relevance(&step, &Rule::MIDPOINT).unwrap_err();
    assert!(matches!(&refused, Error::Rule { rule, .. } if rule == "midpoint"), "{refused}");
}
