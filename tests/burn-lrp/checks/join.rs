//! More than one input, and sums over a dimension.

use burn::tensor::backend::Backend;
use burn_lrp::{Composite, MeanOver, Multiply, Rule, Selector, Softmax, Subtract, SumOver, Tape};
use burn_lrp::{Layer, Step};

use super::affine::{check, matrix};
use super::setup::{Setup, assert_close, values};
use super::step::{hand, upload};

pub fn multiply<B: Backend>(setup: &Setup<B>) {
    let (a, b) = (setup.numbers(1, 24), setup.numbers(2, 24));
    let inputs = [upload(setup, &a, &[2, 3, 4]), upload(setup, &b, &[2, 3, 4])];
    let output = Layer::forward(&Multiply, &inputs).unwrap();
    let expected: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a * b).collect();
    assert_close(&values(&output), &expected, setup.tolerance(), "forward");
    let r = setup.numbers(3, 24);
    let half: Vec<f64> = r.iter().map(|r| r / 2.0).collect();
    let handed = hand(setup, &Multiply, &inputs, &r, &Rule::HALVES);
    assert_eq!(handed.inputs, [half.clone(), half]);
    let handed = hand(setup, &Multiply, &inputs, &r, &Rule::SIGNAL_TAKE_ALL);
    assert_eq!(handed.inputs, [r, vec![0.0; 24]]);
}

/// A gate for a whole channel.
pub fn multiply_by_channel<B: Backend>(setup: &Setup<B>) {
    let (a, b) = (setup.numbers(1, 24), setup.numbers(2, 6));
    let inputs = [upload(setup, &a, &[2, 3, 2, 2]), upload(setup, &b, &[2, 3, 1, 1])];
    let output = Layer::forward(&Multiply, &inputs).unwrap();
    let expected: Vec<f64> = a.iter().enumerate().map(|(at, a)| a * b[at / 4]).collect();
    assert_close(&values(&output), &expected, setup.tolerance(), "forward");
    let r = setup.numbers(3, 24);
    let handed = hand(setup, &Multiply, &inputs, &r, &Rule::HALVES);
    let gate: Vec<f64> = r.chunks(4).map(|r| r.iter().sum::<f64>() / 2.0).collect();
    assert_close(&handed.inputs[1], &gate, setup.tolerance(), "gate");
    for dims in [&[1, 3, 2, 2][..], &[2, 2, 1, 1], &[2, 3, 1]] {
        let gate = upload(setup, &vec![0.0; dims.iter().product()], dims);
        assert!(Layer::forward(&Multiply, &[inputs[0].clone(), gate]).is_err(), "{dims:?}");
    }
    assert!(Layer::forward(&Multiply, &inputs[..1]).is_err());
}

pub fn subtract<B: Backend>(setup: &Setup<B>) {
    let (a, b) = (setup.numbers(1, 12), setup.numbers(2, 12));
    let inputs = [upload(setup, &a, &[3, 4]), upload(setup, &b, &[3, 4])];
    let z: Vec<f64> = a.iter().zip(&b).map(|(a, b)| a - b).collect();
    let output = Layer::forward(&Subtract, &inputs).unwrap();
    assert_close(&values(&output), &z, setup.tolerance(), "forward");
    let r = setup.numbers(3, 12);
    for (rule, epsilon) in [("zero", 0.0), ("proportional", 0.0), ("epsilon=0.1", 0.1)] {
        let handed = hand(setup, &Subtract, &inputs, &r, &rule.parse().unwrap());
        let share: Vec<f64> =
            z.iter().zip(&r).map(|(z, r)| r / (z + epsilon * z.signum())).collect();
        let condition = z.iter().fold(1.0_f64, |most, z| most.max(2.0 / z.abs()));
        let times = |x: &[f64], sign: f64| -> Vec<f64> {
            x.iter().zip(&share).map(|(x, s)| sign * x * s).collect()
        };
        let tolerance = setup.tolerance_at(condition);
        assert_close(&handed.inputs[0], &times(&a, 1.0), tolerance, "first");
        assert_close(&handed.inputs[1], &times(&b, -1.0), tolerance, "second");
    }
    assert!(Layer::forward(&Subtract, &inputs[..1]).is_err());
}

/// Means and sums over any dimension are the matrices they should be.
pub fn over_a_dimension<B: Backend>(setup: &Setup<B>) {
    for dim in [1, 2, 3] {
        let sample = [3, 2, 4];
        let [before, size, after]: [usize; 3] = [[1, 3, 8], [3, 2, 4], [6, 4, 1]][dim - 1];
        let layers: [(Box<dyn Layer<B>>, f64); 2] =
            [(Box::new(MeanOver { dim }), 1.0 / size as f64), (Box::new(SumOver { dim }), 1.0)];
        for (layer, weight) in layers {
            check(setup, layer.as_ref(), &sample);
            let found = matrix(setup, layer.as_ref(), &sample).weight.concat();
            let mut expected = vec![0.0; before * after * 24];
            for i in 0..before {
                for k in 0..after {
                    for j in 0..size {
                        let input = (i * size + j) * after + k;
                        expected[(i * after + k) * 24 + input] = weight;
                    }
                }
            }
            assert_close(&found, &expected, setup.tolerance(), layer.kind().name());
            let x = [upload(setup, &setup.numbers(1, 48), &[2, 3, 2, 4])];
            let outputs = 2 * before * after;
            let r = setup.numbers(2, outputs);
            let zero = hand(setup, layer.as_ref(), &x, &r, &Rule::ZERO);
            let proportional = hand(setup, layer.as_ref(), &x, &r, &Rule::PROPORTIONAL);
            assert_eq!(zero.inputs, proportional.inputs);
        }
    }
    for dim in [0, 2] {
        let x = [upload(setup, &[0.0; 6], &[2, 3])];
        assert!(Layer::forward(&MeanOver { dim }, &x).is_err());
        assert!(Layer::forward(&SumOver { dim }, &x).is_err());
        assert!(Layer::forward(&Softmax { dim }, &x).is_err());
    }
}

/// The first-order expansion of the softmax, with derivatives by differences.
pub fn softmax<B: Backend>(setup: &Setup<B>) {
    let a: Vec<f64> = setup.numbers(1, 24).iter().map(|a| a * 3.0).collect();
    let r = setup.numbers(2, 24);
    let of = |row: &[f64]| -> Vec<f64> {
        let sum: f64 = row.iter().map(|a| a.exp()).sum();
        row.iter().map(|a| a.exp() / sum).collect()
    };
    for (dim, [before, size, after]) in [(1, [2, 3, 4]), (2, [6, 4, 1])] {
        let layer = Softmax { dim };
        let x = [upload(setup, &a, &[2, 3, 4])];
        let (mut forward, mut expected) = (vec![0.0; 24], vec![0.0; 24]);
        for i in 0..before {
            for k in 0..after {
                let place = |j: usize| (i * size + j) * after + k;
                let row: Vec<f64> = (0..size).map(|j| a[place(j)]).collect();
                let s = of(&row);
                for j in 0..size {
                    forward[place(j)] = s[j];
                    for out in 0..size {
                        // x_j ds_out/dx_j R_out / s_out.
                        let own = f64::from(u8::from(out == j));
                        let derivative = s[out] * (own - s[j]);
                        expected[place(j)] += row[j] * derivative * r[place(out)] / s[out];
                    }
                }
            }
        }
        let output = Layer::forward(&layer, &x).unwrap();
        assert_close(&values(&output), &forward, setup.tolerance(), "softmax");
        let handed = hand(setup, &layer, &x, &r, &Rule::ZERO);
        assert_close(&handed.inputs[0], &expected, setup.tolerance(), "relevance");
        let bias: Vec<f64> = (0..2)
            .map(|n| (0..12).map(|at| r[n * 12 + at] - expected[n * 12 + at]).sum())
            .collect();
        assert_close(&handed.bias.unwrap(), &bias, setup.tolerance_at(30.0), "bias");
    }
    // What is masked gets nothing, and breaks nothing.
    let x = [upload(setup, &[0.5, f64::NEG_INFINITY, 1.0], &[1, 3])];
    let handed = hand(setup, &Softmax { dim: 1 }, &x, &[1.0, 0.0, 2.0], &Rule::ZERO);
    let s = of(&[0.5, 1.0]);
    let expected = [0.5 * (1.0 - 3.0 * s[0]), 0.0, 2.0 - 3.0 * s[1]];
    assert_close(&handed.inputs[0], &expected, setup.tolerance(), "masked");
}

/// The same as methods of a node.
pub fn joins_on_a_tape<B: Backend>(setup: &Setup<B>) {
    let tape = Tape::new();
    let x = tape.input("x", setup.tensor::<3>(1, [2, 3, 4]));
    let y = tape.input("y", setup.tensor::<3>(2, [2, 3, 4]));
    let gate = y.softmax(2).unwrap();
    let output = x.mul(&gate).and_then(|node| node.sub(&y)).unwrap();
    let output = output.sum_over(2).and_then(|node| node.mean_over(1)).unwrap();
    assert_eq!(output.value().dims(), [2]);
    let composite = Composite::new().with(Selector::kind("Multiply"), Rule::SIGNAL_TAKE_ALL);
    let plan = output.plan(&composite).unwrap();
    let paths: Vec<&str> = plan.layers().iter().map(|layer| layer.path.as_str()).collect();
    assert_eq!(paths, ["softmax", "mul", "sub", "sum", "mean"]);
    let relevances = plan.run(output.value().clone()).unwrap();
    let sum = |t: &burn_lrp::AnyTensor<B>| values(t).iter().sum::<f64>();
    let found = sum(&relevances.of(&x).unwrap()) + sum(&relevances.of(&y).unwrap());
    let expected = sum(output.value());
    assert_close(&[found], &[expected], setup.tolerance_at(100.0).max(1e-4), "conserved");
    // A layer outside of a tape takes its inputs as a list.
    let inputs = [x.value().clone(), y.value().clone()];
    let product = Layer::forward(&Multiply, &inputs).unwrap();
    let step = Step::new(&inputs, &product, &product);
    assert_eq!(Multiply.relevance(&step, &Rule::HALVES).unwrap().inputs.len(), 2);
}
