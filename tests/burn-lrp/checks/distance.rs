//! Squared distances, and linear layers with root points.

use burn::nn::LinearConfig;
use burn::tensor::backend::Backend;
use burn_lrp::{Layer, RootedLinear, Rule, SquaredDistance};

use super::affine::check;
use super::setup::{Setup, assert_close, values};
use super::step::{hand, upload};

pub fn squared_distance<B: Backend>(setup: &Setup<B>) {
    let (mut u, r) = (setup.numbers(1, 4 * 3), setup.numbers(2, 2 * 4));
    let mut a = setup.numbers(3, 2 * 3);
    // Far from the origin, and the first input is a point itself.
    u.iter_mut().chain(&mut a).for_each(|number| *number = f64::from((*number + 5.0) as f32));
    a[..3].copy_from_slice(&u[3..6]);
    let layer = SquaredDistance::<B>::new(setup.upload(u.clone(), [4, 3]));
    let x = [upload(setup, &a, &[2, 3])];
    let (mut distances, mut expected) = (Vec::new(), vec![0.0; 6]);
    let mut condition = 1.0_f64;
    for n in 0..2 {
        for k in 0..4 {
            let each: Vec<f64> = (0..3).map(|i| (a[n * 3 + i] - u[k * 3 + i]).powi(2)).collect();
            let d: f64 = each.iter().sum();
            distances.push(d);
            if d > 0.0 {
                condition = condition.max(6.0 / d);
                for i in 0..3 {
                    expected[n * 3 + i] += each[i] / d * r[n * 4 + k];
                }
            }
        }
    }
    let found = values(&Layer::forward(&layer, &x).unwrap());
    assert_close(&found, &distances, setup.tolerance(), "distances");
    let handed = hand(setup, &layer, &x, &r, &Rule::PROPORTIONAL);
    assert_close(&handed.inputs[0], &expected, setup.tolerance_at(condition), "relevance");
    for dims in [[3, 2], [1, 6]] {
        assert!(Layer::forward(&layer, &[upload(setup, &a, &dims)]).is_err());
    }
}

/// A point is at distance 0 from itself, whatever rounding says, and hands nothing
/// down from there.
pub fn distance_of_points<B: Backend>(setup: &Setup<B>) {
    let (count, width) = (12, 7);
    let u: Vec<f64> = setup.numbers(1, count * width).iter().map(|u| 3.0 * u).collect();
    let points = setup.upload::<2>(u, [count, width]);
    let u = values(&points.clone().into());
    let layer = SquaredDistance::<B>::new(points.clone());
    let r = setup.numbers(2, count * count);
    let mut expected = vec![0.0; count * width];
    for n in 0..count {
        for k in (0..count).filter(|k| *k != n) {
            let each: Vec<f64> =
                (0..width).map(|i| (u[n * width + i] - u[k * width + i]).powi(2)).collect();
            let d: f64 = each.iter().sum();
            for i in 0..width {
                expected[n * width + i] += each[i] / d * r[n * count + k];
            }
        }
    }
    let handed = hand(setup, &layer, &[points.into()], &r, &Rule::PROPORTIONAL);
    assert_close(&handed.inputs[0], &expected, setup.tolerance_at(20.0), "relevance");
}

pub fn rooted_linear<B: Backend>(setup: &Setup<B>) {
    let linear = setup.filled(1, LinearConfig::new(5, 4).init::<B>(&setup.device));
    let (w, b) = (values(&linear.weight.val().into()), linear.bias.clone().unwrap());
    let b = values(&b.val().into());
    let roots = setup.numbers(2, 20);
    assert!(RootedLinear::new(linear.clone(), setup.tensor(2, [5, 4])).is_err());
    let layer = RootedLinear::new(linear, setup.upload(roots.clone(), [4, 5])).unwrap();
    check(setup, &layer, &[5]);
    check(setup, &layer, &[2, 5]);
    for sample in [&[5][..], &[3, 5]] {
        let rows = 2 * sample.iter().product::<usize>() / 5;
        let (a, r) = (setup.numbers(3, rows * 5), setup.numbers(4, rows * 4));
        let x = [upload(setup, &a, &[&[2], sample].concat())];
        let (mut expected, mut condition) = (vec![0.0; rows * 5], 1.0_f64);
        let mut forward = Vec::new();
        for n in 0..rows {
            for k in 0..4 {
                let each: Vec<f64> =
                    (0..5).map(|j| (a[n * 5 + j] - roots[k * 5 + j]) * w[j * 4 + k]).collect();
                let sum: f64 = each.iter().sum();
                let size: f64 = each.iter().map(|each| each.abs()).sum();
                condition = condition.max(size / sum.abs());
                for j in 0..5 {
                    expected[n * 5 + j] += each[j] / sum * r[n * 4 + k];
                }
                forward.push((0..5).map(|j| a[n * 5 + j] * w[j * 4 + k]).sum::<f64>() + b[k]);
            }
        }
        let found = values(&Layer::forward(&layer, &x).unwrap());
        assert_close(&found, &forward, setup.tolerance(), "forward");
        let handed = hand(setup, &layer, &x, &r, &Rule::MIDPOINT);
        assert_close(&handed.inputs[0], &expected, setup.tolerance_at(condition), "midpoint");
    }
    // At the root point of an output nothing is handed down from it.
    let x = [upload(setup, &roots[..5], &[1, 5])];
    let handed = hand(setup, &layer, &x, &[1.0, 0.0, 0.0, 0.0], &Rule::MIDPOINT);
    assert!(handed.inputs[0].iter().all(|r| r.is_finite()));
    assert!(Layer::forward(&layer, &[upload(setup, &[0.0; 4], &[1, 4])]).is_err());
}
