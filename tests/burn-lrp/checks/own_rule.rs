//! Rules of users: against loops over the matrix of a layer, in texts, plans and reports.

use burn::module::RunningState;
use burn::nn::conv::{Conv2dConfig, ConvTranspose1dConfig};
use burn::nn::pool::AvgPool2dConfig;
use burn::nn::{BatchNormConfig, LinearConfig, PaddingConfig2d, Relu};
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use burn_lrp::{
    AffineRule, AnyTensor, Bias, Composite, Error, Family, Flatten, Formula, Kind, Layer, Outputs,
    Redistribution, Result, Rule, RuleName, Selector, Step, Tape, leaf,
};

use super::affine::{check_rules, rules};
use super::naive::{Found, Matrix, Term, by_terms};
use super::setup::{Setup, assert_close, values};

/// `|a| |w|`, stabilised.
pub fn by_magnitude() -> Rule {
    let terms =
        AffineRule::new().term(1.0, |a| a.abs(), |w| w.abs(), Bias::Ignore).stabiliser(1e-3);
    Rule::custom("by-magnitude", terms).unwrap()
}

/// Only contributions with the sign of the output.
fn dominant() -> Rule {
    let terms = AffineRule::new()
        .term(1.0, |a| a.positive(), |w| w.positive(), Bias::map(|b| b.positive()))
        .plus(|a| a.negative(), |w| w.negative())
        .for_outputs(Outputs::Positive)
        .term(1.0, |a| a.positive(), |w| w.negative(), Bias::map(|b| b.negative()))
        .plus(|a| a.negative(), |w| w.positive())
        .for_outputs(Outputs::Negative);
    Rule::custom("dominant", terms).unwrap()
}

/// Three parts of `(a² − tanh a) √|w|` and one part of w alone, with the bias as it is.
fn mixed() -> Rule {
    let terms = AffineRule::new()
        .term(
            0.75,
            |a| a.clone().square() - a.tanh(),
            |w| w.abs().sqrt(),
            Bias::map(|b| b.abs() + 1.0),
        )
        .term(0.25, |_| 1.0, |w| w, Bias::Keep)
        .stabiliser(0.01);
    Rule::custom("mixed=3,1", terms).unwrap()
}

/// Negative parts of inputs only, of which there may be none.
fn negative_inputs() -> Rule {
    let terms = AffineRule::new().term(-2.0, |a| a.negative(), |w| w, Bias::Keep).stabiliser(0.1);
    Rule::custom("negative-inputs", terms).unwrap()
}

pub fn own_rules() -> Vec<Rule> {
    vec![by_magnitude(), dominant(), mixed(), negative_inputs()]
}

/// The same rules as loops.
fn naive(rule: &Rule, m: &Matrix, a: &[f64], r: &[f64]) -> Found {
    let all = |_: f64| true;
    let (terms, epsilon) = match rule.to_string().as_str() {
        "by-magnitude" => {
            let contribution = |a: f64, w: f64| (a * w).abs();
            (vec![Term { factor: 1.0, output: all, contribution, bias: |_| 0.0 }], 1e-3)
        }
        "dominant" => {
            let above = Term {
                factor: 1.0,
                output: |z| z > 0.0,
                contribution: |a, w| (a * w).max(0.0),
                bias: |b| b.max(0.0),
            };
            let below = Term {
                factor: 1.0,
                output: |z| z < 0.0,
                contribution: |a, w| (a * w).min(0.0),
                bias: |b| b.min(0.0),
            };
            (vec![above, below], 0.0)
        }
        "mixed=3,1" => {
            let first = Term {
                factor: 0.75,
                output: all,
                contribution: |a, w| (a * a - a.tanh()) * w.abs().sqrt(),
                bias: |b| b.abs() + 1.0,
            };
            let second = Term { factor: 0.25, output: all, contribution: |_, w| w, bias: |b| b };
            (vec![first, second], 0.01)
        }
        "negative-inputs" => {
            let contribution = |a: f64, w: f64| a.min(0.0) * w;
            (vec![Term { factor: -2.0, output: all, contribution, bias: |b| b }], 0.1)
        }
        other => panic!("{other}"),
    };
    by_terms(&terms, epsilon, m, a, r)
}

pub fn own_rules_of_linear<B: Backend>(setup: &Setup<B>) {
    for bias in [true, false] {
        let layer = LinearConfig::new(5, 4).with_bias(bias).init::<B>(&setup.device);
        let layer = setup.filled(201, layer);
        // Without a bias, the loops take one of 0, which `mixed` would map to 1.
        let rules: Vec<Rule> =
            own_rules().into_iter().filter(|rule| bias || *rule != mixed()).collect();
        check_rules(setup, &layer, &[5], &rules, naive);
        check_rules(setup, &layer, &[3, 5], &rules, naive);
    }
}

/// All weights of the loops count, those outside of a kernel too; rules that map 0 to 0 ignore them.
pub fn own_rules_of_convolutions<B: Backend>(setup: &Setup<B>) {
    for (kernel, stride, groups, padding) in [
        ([3, 3], [1, 1], 1, PaddingConfig2d::Same),
        ([3, 2], [2, 1], 2, PaddingConfig2d::Explicit(1, 0, 2, 1)),
    ] {
        let config = Conv2dConfig::new([2, 4], kernel).with_stride(stride);
        let config = config.with_groups(groups).with_padding(padding);
        let layer = setup.filled(202, config.init::<B>(&setup.device));
        check_rules(setup, &layer, &[2, 6, 5], &own_rules(), naive);
    }
    let config = ConvTranspose1dConfig::new([4, 8], 3).with_stride(2).with_groups(2);
    let layer = setup.filled(203, config.init::<B>(&setup.device));
    check_rules(setup, &layer, &[4, 4], &own_rules(), naive);
    let layer = AvgPool2dConfig::new([2, 2]).init();
    let rules = [by_magnitude(), dominant(), negative_inputs()];
    check_rules(setup, &layer, &[2, 4, 4], &rules, naive);
}

/// A built-in rule and the same terms under another name are one computation.
pub fn built_in_rules_are_terms<B: Backend>(setup: &Setup<B>) {
    let linear = setup.filled(204, LinearConfig::new(5, 4).init::<B>(&setup.device));
    let conv = setup.filled(205, Conv2dConfig::new([2, 3], [2, 2]).init::<B>(&setup.device));
    let cases: [(&dyn Layer<B>, AnyTensor<B>); 2] = [
        (&linear, setup.tensor::<2>(206, [3, 5]).into()),
        (&conv, setup.tensor::<4>(207, [2, 2, 4, 4]).into()),
    ];
    for (layer, x) in cases {
        for x in [x.clone(), x.map(|x| x.clamp_min(0.0))] {
            let inputs = [x];
            let output = layer.forward(&inputs).unwrap();
            let r = AnyTensor::from(setup.tensor::<1>(208, [output.len()]));
            let r = r.reshape(&output.dims()).unwrap();
            let step = Step::new(&inputs, &output, &r).with_report(true);
            for rule in rules() {
                let mine = Rule::custom("mine", rule.affine().unwrap()).unwrap();
                let found = layer.relevance(&step, &mine).unwrap();
                let expected = layer.relevance(&step, &rule).unwrap();
                assert_eq!(values(&found.inputs[0]), values(&expected.inputs[0]), "{rule}");
                let bias = |found: Redistribution<B>| found.bias.map(|b| values(&b.into()));
                assert_eq!(bias(found), bias(expected), "{rule}");
            }
        }
    }
    for rule in [Rule::PASS, Rule::MIDPOINT, Rule::HALVES] {
        assert_eq!(rule.affine(), None);
    }
}

/// From a text to a plan, a pass and a report, with a normalisation that is merged.
pub fn own_rules_in_a_network<B: Backend>(setup: &Setup<B>) {
    let device = &setup.device;
    let mut norm = setup.filled(211, BatchNormConfig::new(3).init::<B>(device));
    norm.running_var = RunningState::new(setup.tensor(212, [3]).abs() + 0.1);
    let net = (
        setup.filled(213, Conv2dConfig::new([2, 3], [2, 2]).init::<B>(device)),
        norm,
        Relu::new(),
        Flatten::default(),
        setup.filled(214, LinearConfig::new(12, 2).init::<B>(device)),
    );
    let tape = Tape::new();
    let input = tape.input("x", setup.tensor::<4>(215, [2, 2, 3, 3]));
    let output = input.then("net", &net).unwrap();
    let text = "kind:Conv2d -> by-magnitude\nlast(all) -> mixed=3,1; family:dense -> flat";
    let rules = own_rules();
    let composite = Composite::parse_with(text, &rules).unwrap();
    assert_eq!(Composite::parse_with(&composite.to_string(), &rules).unwrap(), composite);
    let plan = output.plan(&composite).unwrap();
    let expected = "\
net.0 + net.1  Conv2d   by-magnitude
net.2          Relu     pass
net.3          Flatten  pass
net.4          Linear   mixed=3,1
";
    assert_eq!(plan.to_string(), expected);
    assert_eq!(plan.layers()[0].rule, by_magnitude());
    let seed = setup.tensor::<2>(216, [2, 2]);
    let relevances = plan.run_with_report(seed.clone()).unwrap();
    let report = relevances.report().unwrap();
    assert!(report.to_string().contains("by-magnitude"), "{report}");
    // The rule of the convolution ignores its bias.
    let conv = &report.layers()[0];
    assert_eq!(conv.bias, [0.0, 0.0]);
    let sums = values(&relevances.of(&input).unwrap().row_sums().into());
    assert_close(&sums, &conv.inputs, setup.tolerance_at(100.0), "arrives");
    let absorbed = report.absorbed();
    let whole: Vec<f64> = sums.iter().zip(&absorbed).map(|(sum, lost)| sum + lost).collect();
    let seed = values(&AnyTensor::from(seed).row_sums().into());
    assert_close(&whole, &seed, setup.tolerance_at(1000.0), "network");
}

pub fn own_rules_refused<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(221, LinearConfig::new(4, 4).init::<B>(&setup.device));
    let tape = Tape::new();
    let input = tape.input("x", setup.tensor::<2>(222, [2, 4]));
    let output = input.then("linear", &layer).unwrap().then("relu", &Relu).unwrap();
    let refused = output.plan(&Composite::new().with(Selector::All, by_magnitude())).unwrap_err();
    let expected = "\
the composite does not fit the network:
  `relu` (Relu) has no rule `by-magnitude`; it has pass";
    assert_eq!(refused.to_string(), expected);

    // Texts know them only where they are passed.
    let text = "all -> by-magnitude";
    let unknown = text.parse::<Composite>().unwrap_err().to_string();
    assert!(unknown.contains("must be passed to `parse_with`"), "{unknown}");
    let composite = Composite::parse_with(text, &[by_magnitude()]).unwrap();
    let json = serde_json::to_string(&composite).unwrap();
    assert!(json.contains("by-magnitude"));
    assert!(serde_json::from_str::<Composite>(&json).is_err());

    // √w is NaN for negative weights.
    let terms = AffineRule::new().term(1.0, |a| a, |w| w.sqrt(), Bias::Ignore);
    let root = Rule::custom("root", terms).unwrap();
    let plan = output.plan(&Composite::new().with(Selector::kind("Linear"), root)).unwrap();
    let refused = plan.run(output.value().clone()).unwrap_err();
    assert!(matches!(&refused, Error::Rule { rule, .. } if rule == "root"), "{refused}");
}

/// All to the input with the largest value: a rule that is not affine, of one layer.
#[derive(Debug)]
struct Largest;

const LARGEST: &str = "largest";

impl<B: Backend> Layer<B> for Largest {
    fn kind(&self) -> Kind {
        Kind::new("Largest", Family::Pooling)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        Ok(inputs[0].tensor::<2>()?.max_dim(1).into())
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Pass, RuleName::Named(LARGEST)]
    }

    fn default_rule(&self) -> Rule {
        Rule::PASS
    }

    fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
        let x: Tensor<B, 2> = step.input()?.tensor()?;
        let r: Tensor<B, 2> = step.relevance.tensor()?;
        let r = r.expand(x.dims());
        Ok(Redistribution::single(match rule.formula() {
            Formula::Named(LARGEST) => {
                let below = x.clone().lower(x.max_dim(1).expand(r.dims()));
                r.mask_fill(below, 0.0).into()
            }
            _ => r.into(),
        }))
    }
}

leaf!(Largest);

pub fn named_rules<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(231, LinearConfig::new(3, 2).init::<B>(&setup.device));
    let x = setup.upload::<2>(vec![1.0, 3.0, 2.0, -1.0, -2.0, -3.0], [2, 3]);
    let tape = Tape::new();
    let input = tape.input("x", x);
    let output = input.then("largest", &Largest).unwrap();
    let composite =
        Composite::parse_with("all -> largest", &[Rule::named(LARGEST).unwrap()]).unwrap();
    let plan = output.plan(&composite).unwrap();
    assert_eq!(plan.to_string(), "largest  Largest  largest\n");
    let seed = setup.upload::<2>(vec![5.0, 7.0], [2, 1]);
    let found = plan.run(seed).unwrap().of(&input).unwrap();
    assert_eq!(values(&found), [0.0, 5.0, 0.0, 7.0, 0.0, 0.0]);

    // Other layers do not have it, and this one has no rule of affine layers.
    let text = output.plan(&Composite::new().with(Selector::All, by_magnitude())).unwrap_err();
    let expected = "`largest` (Largest) has no rule `by-magnitude`; it has pass, largest";
    assert!(text.to_string().contains(expected), "{text}");
    let text = input.then("linear", &layer).unwrap().plan(&composite).unwrap_err().to_string();
    assert!(text.contains("`linear` (Linear) has no rule `largest`"), "{text}");
}
