//! What happens at the ends of what a precision can hold, and how many products a
//! rule costs.

use std::cell::Cell;

use burn::module::Param;
use burn::nn::{Linear, LinearConfig};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use burn_lrp::{Affine, AnyTensor, Layer, Result, Rule, Step, affine};

use super::affine::rules;
use super::setup::{Setup, assert_close, values};

fn weighted<B: Backend>(setup: &Setup<B>, weight: &[f64], shape: [usize; 2]) -> Linear<B> {
    let config = LinearConfig::new(shape[0], shape[1]).with_bias(false);
    let mut layer = setup.filled(1, config.init::<B>(&setup.device));
    layer.weight = burn::module::Param::from_tensor(setup.upload(weight.to_vec(), shape));
    layer
}

fn handed<B: Backend>(
    setup: &Setup<B>,
    layer: &Linear<B>,
    x: &[f64],
    r: &[f64],
    rule: &Rule,
) -> Vec<f64> {
    let x = [AnyTensor::from(setup.upload(x.to_vec(), [1, x.len()]))];
    let output = Layer::forward(layer, &x).unwrap();
    let r = AnyTensor::from(setup.upload(r.to_vec(), [1, r.len()]));
    let step = Step::new(&x, &output, &r).with_report(true);
    values(&layer.relevance(&step, rule).unwrap().inputs[0])
}

/// The smallest normal number of the precision.
fn smallest<B: Backend>(setup: &Setup<B>) -> f64 {
    match setup.dtype {
        DType::F64 => f64::MIN_POSITIVE,
        _ => f64::from(f32::MIN_POSITIVE),
    }
}

fn all_rules() -> Vec<Rule> {
    let mut all = rules();
    all.extend([Rule::epsilon(1e-300).unwrap(), Rule::gamma(0.0).unwrap()]);
    all.push(Rule::bounded(0.0, 1.0).unwrap());
    all.push(Rule::bounded(-1.0, 0.0).unwrap());
    all
}

/// Outputs so small that a quotient by them is infinite.
pub fn tiny_outputs<B: Backend>(setup: &Setup<B>) {
    // Weights of zero beside them: infinity times zero would be NaN.
    for factor in [1e-3, 0.5, 1.5, 4.0] {
        let root = (smallest(setup) * factor).sqrt();
        for sign in [1.0, -1.0] {
            let weight = [root, 0.0, 0.0, 0.5, sign * root, 0.0, 0.25, -0.5];
            let layer = weighted(setup, &weight, [2, 4]);
            for rule in all_rules() {
                for x in [[root, 0.0], [root, root], [0.0, 0.0], [root, -root]] {
                    let found = handed(setup, &layer, &x, &[100.0, -0.0, 1.0, -2.0], &rule);
                    assert!(found.iter().all(|v| v.is_finite()), "{rule}, {x:?}: {found:?}");
                }
            }
        }
    }
}

/// Outputs below the smallest normal number count as zero on every backend.
pub fn subnormal_outputs<B: Backend>(setup: &Setup<B>) {
    let root = (smallest(setup) * 0.5).sqrt();
    let layer = weighted(setup, &[root, 0.5], [1, 2]);
    for rule in [Rule::ZERO, Rule::gamma(0.25).unwrap(), Rule::Z_PLUS] {
        assert_eq!(handed(setup, &layer, &[root], &[1.0, 0.0], &rule), [0.0], "{rule}");
    }
}

/// Outputs of zero hand nothing down without a stabiliser, whatever is asked of them.
pub fn zero_outputs<B: Backend>(setup: &Setup<B>) {
    let layer = weighted(setup, &[1.0, 2.0, -1.0, 1.0], [2, 2]);
    for rule in [Rule::ZERO, Rule::gamma(0.25).unwrap()] {
        // The first output is 1 − 1 = 0, the second 3.
        let found = handed(setup, &layer, &[1.0, 1.0], &[5.0, 0.0], &rule);
        assert_eq!(found, [0.0, 0.0], "{rule}");
    }
    let found = handed(setup, &layer, &[1.0, 1.0], &[5.0, 0.0], &Rule::epsilon(0.5).unwrap());
    assert_eq!(found, [10.0, -10.0]);
    let found = handed(setup, &layer, &[0.0, 0.0], &[5.0, 1.0], &Rule::Z_PLUS);
    assert_eq!(found, [0.0, 0.0]);
}

/// Small numbers that can be divided by are not zero.
pub fn small_is_exact<B: Backend>(setup: &Setup<B>) {
    let small = smallest(setup).powf(0.6);
    let layer = weighted(setup, &[1.0, 3.0], [2, 1]);
    for rule in [Rule::ZERO, Rule::gamma(0.25).unwrap(), Rule::Z_PLUS] {
        let found = handed(setup, &layer, &[small, small], &[2.0], &rule);
        assert_close(&found, &[0.5, 1.5], setup.tolerance(), &format!("{rule}"));
    }
}

/// A layer that counts the products it is asked for.
struct Counted<'a, B: Backend> {
    layer: &'a Linear<B>,
    forward: Cell<usize>,
    back: Cell<usize>,
}

impl<B: Backend> Affine<B> for Counted<'_, B> {
    fn weight(&self) -> AnyTensor<B> {
        Affine::weight(self.layer)
    }

    fn bias(&self) -> Option<Tensor<B, 1>> {
        Affine::bias(self.layer)
    }

    fn channel_dim(&self, output: &AnyTensor<B>) -> usize {
        self.layer.channel_dim(output)
    }

    fn apply(&self, x: &AnyTensor<B>, weight: &AnyTensor<B>) -> Result<AnyTensor<B>> {
        self.forward.set(self.forward.get() + 1);
        self.layer.apply(x, weight)
    }

    fn adjoint(
        &self,
        s: &AnyTensor<B>,
        weight: &AnyTensor<B>,
        input: &[usize],
    ) -> Result<AnyTensor<B>> {
        self.back.set(self.back.get() + 1);
        self.layer.adjoint(s, weight, input)
    }
}

/// Products are left out where all of their terms are zero, and nothing changes by it.
pub fn products<B: Backend>(setup: &Setup<B>) {
    let layer = setup.filled(91, LinearConfig::new(5, 6).init::<B>(&setup.device));
    let numbers = setup.numbers(92, 10);
    let signed = AnyTensor::from(setup.upload(numbers, [2, 5]));
    let rectified = signed.map(|x| x.clamp_min(0.0));
    let count = |x: &AnyTensor<B>, rule: &str, only_above: bool| {
        let x = [x.clone()];
        let output = Layer::forward(&layer, &x).unwrap();
        let r = AnyTensor::from(setup.tensor::<2>(93, [2, 6]));
        // As a rectifier leaves it: nothing where the output is negative.
        let r = if only_above {
            r.zip(&output, |r, z| r.mask_fill(z.lower_elem(0.0), 0.0)).unwrap()
        } else {
            r
        };
        let counted = Counted { layer: &layer, forward: Cell::new(0), back: Cell::new(0) };
        let step = Step::new(&x, &output, &r).with_report(true);
        let handed = affine::relevance(&counted, &step, &rule.parse().unwrap()).unwrap();
        assert_eq!(counted.forward, counted.back, "{rule}");
        (counted.forward.get(), values(&handed.inputs[0]))
    };
    for (rule, expected) in [
        ("gamma=0.25", [[4, 2], [2, 1]]),
        ("z-plus", [[2, 2], [1, 1]]),
        ("alpha-beta=2,1", [[4, 4], [2, 2]]),
        ("alpha-beta=1,0", [[2, 2], [1, 1]]),
        ("box=-1,1", [[2, 2], [2, 2]]),
    ] {
        for (x, expected) in [&signed, &rectified].into_iter().zip(expected) {
            for (only_above, expected) in [false, true].into_iter().zip(expected) {
                let found = count(x, rule, only_above).0;
                assert_eq!(found, expected, "{rule}, relevance above only: {only_above}");
            }
        }
    }

    // A sample among others of another sign gets what it gets among its like.
    let row = |x: &AnyTensor<B>| x.tensor::<2>().unwrap().narrow(0, 0, 1);
    let mixed = Tensor::cat(vec![row(&rectified), row(&signed.map(|x| x.abs().neg()))], 0).into();
    let alike = Tensor::cat(vec![row(&rectified), row(&signed.map(|x| x.abs()))], 0).into();
    for rule in ["gamma=0.25", "z-plus", "alpha-beta=2,1"] {
        let (all, fewer) = (count(&mixed, rule, false), count(&alike, rule, false));
        assert!(all.0 > fewer.0);
        assert_eq!(all.1[..5], fewer.1[..5], "{rule}");
    }
}

/// At the bounds of the box nothing cancels, and beyond them the rule is refused.
pub fn inside_the_box<B: Backend>(setup: &Setup<B>) {
    let mut layer = LinearConfig::new(200, 1).with_bias(false).init::<B>(&setup.device);
    let weight: Vec<f64> = setup.numbers(94, 200).iter().map(|w| w.abs()).collect();
    layer.weight = Param::initialized(layer.weight.id, setup.upload(weight, [200, 1]));
    // All but one at the lower bound: that one has all the relevance.
    let mut x = vec![-2.0; 200];
    x[7] = -1.9999;
    let inputs = [AnyTensor::from(setup.upload(x, [1, 200]))];
    let output = Layer::forward(&layer, &inputs).unwrap();
    let r = AnyTensor::from(setup.upload(vec![1.0], [1, 1]));
    let step = Step::new(&inputs, &output, &r).with_report(true);
    let hand = |rule: &str| layer.relevance(&step, &rule.parse().unwrap());
    let found = values(&hand("box=-2,1").unwrap().inputs[0]);
    assert!((found[7] - 1.0).abs() < 1e-6, "{}", found[7]);
    assert!(found.iter().enumerate().all(|(at, r)| at == 7 || *r == 0.0));
    let refused = hand("box=-1,1").unwrap_err().to_string();
    assert!(refused.contains("-2") && refused.contains("box=-1,1"), "{refused}");
}
