//! Pooling: averages as the matrices they are, the largest of a window by loops.

use burn::nn::pool::*;
use burn::nn::{PaddingConfig1d, PaddingConfig2d};
use burn::tensor::backend::Backend;
use burn_lrp::{AnyTensor, Layer, Rule, Step};

use super::affine::{check, matrix};
use super::naive;
use super::setup::{Setup, assert_close, values};

/// Windows along one dimension.
#[derive(Clone, Copy)]
struct Along {
    size: usize,
    kernel: usize,
    stride: usize,
    dilation: usize,
    pads: (usize, usize),
    ceil: bool,
}

impl Along {
    /// The elements of every window, and how many places of it are in the
    /// padded input.
    fn windows(&self) -> Vec<(Vec<usize>, usize)> {
        let padded = (self.size + self.pads.0 + self.pads.1) as f64;
        let room = (padded - ((self.kernel - 1) * self.dilation + 1) as f64) / self.stride as f64;
        let last = if self.ceil { room.ceil() } else { room.floor() } as usize;
        let window = |at: usize| {
            let places: Vec<usize> = (0..self.kernel)
                .map(|tap| at * self.stride + tap * self.dilation)
                .filter(|place| (*place as f64) < padded)
                .collect();
            let inside = places
                .iter()
                .filter(|place| **place >= self.pads.0 && **place < self.pads.0 + self.size)
                .map(|place| place - self.pads.0)
                .collect();
            (inside, places.len())
        };
        (0..=last).map(window).collect()
    }
}

fn upload<B: Backend>(setup: &Setup<B>, a: Vec<f64>, dims: &[usize]) -> AnyTensor<B> {
    let len = a.len();
    AnyTensor::from(setup.upload(a, [len])).reshape(dims).unwrap()
}

/// `proportional` of an average is its LRP-0.
#[track_caller]
fn check_proportional<B: Backend>(setup: &Setup<B>, layer: &dyn Layer<B>, sample: &[usize]) {
    let m = matrix(setup, layer, sample);
    let a = setup.numbers(3, sample.iter().product());
    let x = [upload(setup, a.clone(), &[&[1], sample].concat())];
    let output = layer.forward(&x).unwrap();
    let r = setup.numbers(4, output.len());
    let relevance = upload(setup, r.clone(), &output.dims());
    let step = Step::new(&x, &output, &relevance);
    let found = layer.relevance(&step, &Rule::PROPORTIONAL).unwrap();
    let expected = naive::relevance(&Rule::ZERO, &m, &a, &r);
    let tolerance = setup.tolerance_at(expected.condition);
    assert_close(&values(&found.inputs[0]), &expected.inputs, tolerance, "proportional");
}

/// The matrix of an average by its definition.
#[track_caller]
fn check_average<B: Backend>(
    setup: &Setup<B>,
    layer: &dyn Layer<B>,
    along: [Along; 2],
    counts: bool,
    sample: &[usize],
) {
    let found = matrix(setup, layer, sample);
    let (channels, [height, width]) = (sample[0], along.map(|along| along.size));
    let mut expected = Vec::new();
    for c in 0..channels {
        for (rows, in_rows) in along[0].windows() {
            for (columns, in_columns) in along[1].windows() {
                let mut row = vec![0.0; channels * height * width];
                let inside = rows.len() * columns.len();
                let divisor = if counts { in_rows * in_columns } else { inside };
                for h in &rows {
                    for w in &columns {
                        row[(c * height + h) * width + w] = 1.0 / divisor as f64;
                    }
                }
                expected.push(row);
            }
        }
    }
    let flat = |rows: Vec<Vec<f64>>| rows.concat();
    assert_close(&flat(found.weight), &flat(expected), setup.tolerance(), "averages");
    check(setup, layer, sample);
    check_proportional(setup, layer, sample);
}

const POINT: Along =
    Along { size: 1, kernel: 1, stride: 1, dilation: 1, pads: (0, 0), ceil: false };

pub fn average_1d<B: Backend>(setup: &Setup<B>) {
    for (kernel, stride, padding, pads, counts, ceil) in [
        (2, 2, PaddingConfig1d::Valid, (0, 0), true, false),
        (3, 2, PaddingConfig1d::Explicit(1, 1), (1, 1), false, false),
        (3, 2, PaddingConfig1d::Explicit(1, 1), (1, 1), true, true),
        (2, 3, PaddingConfig1d::Valid, (0, 0), false, true),
        (2, 1, PaddingConfig1d::Same, (0, 1), false, false),
        (3, 2, PaddingConfig1d::Explicit(0, 2), (0, 2), false, true),
    ] {
        let layer = AvgPool1dConfig::new(kernel).with_stride(stride).with_padding(padding);
        let layer = layer.with_count_include_pad(counts).with_ceil_mode(ceil).init();
        let along = Along { size: 8, kernel, stride, pads, ceil, ..POINT };
        // Uneven padding is averaged as zeros of the input are.
        let counts = counts || pads.0 != pads.1;
        check_average(setup, &layer, [POINT, along], counts, &[2, 8]);
        if pads.0 == pads.1 {
            let x = setup.tensor::<3>(1, [2, 2, 8]);
            let own = Layer::<B>::forward(&layer, &[x.clone().into()]).unwrap();
            let burn = values(&layer.forward(x).into());
            assert_close(&values(&own), &burn, setup.tolerance(), "forward");
        }
    }
}

pub fn average_2d<B: Backend>(setup: &Setup<B>) {
    for counts in [true, false] {
        for ceil in [true, false] {
            for (kernel, stride, padding, pads) in [
                ([2, 2], [2, 2], PaddingConfig2d::Valid, [(0, 0), (0, 0)]),
                ([3, 2], [2, 1], PaddingConfig2d::Explicit(1, 1, 1, 1), [(1, 1), (1, 1)]),
                ([2, 3], [2, 3], PaddingConfig2d::Explicit(1, 0, 0, 1), [(1, 0), (0, 1)]),
                ([3, 3], [2, 2], PaddingConfig2d::Same, [(1, 1), (1, 1)]),
            ] {
                let layer = AvgPool2dConfig::new(kernel).with_strides(stride).with_padding(padding);
                let layer = layer.with_count_include_pad(counts).with_ceil_mode(ceil).init();
                let along = [0, 1].map(|d| Along {
                    size: [5, 5][d],
                    kernel: kernel[d],
                    stride: stride[d],
                    pads: pads[d],
                    ceil,
                    ..POINT
                });
                let uneven = pads.iter().any(|(before, after)| before != after);
                check_average(setup, &layer, along, counts || uneven, &[2, 5, 5]);
                if !uneven {
                    let x = setup.tensor::<4>(1, [2, 2, 5, 5]);
                    let own = Layer::<B>::forward(&layer, &[x.clone().into()]).unwrap();
                    let burn = values(&layer.forward(x).into());
                    assert_close(&values(&own), &burn, setup.tolerance(), "forward");
                }
            }
        }
    }
}

pub fn average_adaptive<B: Backend>(setup: &Setup<B>) {
    for size in [1, 3, 5] {
        let layer = AdaptiveAvgPool1dConfig::new(size).init();
        check(setup, &layer, &[2, 7]);
        let found = matrix(setup, &layer, &[1, 7]);
        for (at, row) in found.weight.iter().enumerate() {
            let start = (at as f64 * 7.0 / size as f64).floor() as usize;
            let end = ((at + 1) as f64 * 7.0 / size as f64).ceil() as usize;
            let expected: Vec<f64> = (0..7)
                .map(|j| if (start..end).contains(&j) { 1.0 / (end - start) as f64 } else { 0.0 })
                .collect();
            assert_close(row, &expected, setup.tolerance(), "adaptive");
        }
    }
    for size in [[1, 1], [2, 3], [5, 4], [3, 7]] {
        check(setup, &AdaptiveAvgPool2dConfig::new(size).init(), &[2, 5, 4]);
    }
}

/// Winner-take-all and the sum of the window, by loops over windows.
#[track_caller]
fn check_max<B: Backend>(
    setup: &Setup<B>,
    layer: &dyn Layer<B>,
    along: [Along; 2],
    sample: &[usize],
) {
    let [height, width] = along.map(|along| along.size);
    let images = 2 * sample[0];
    let a = setup.numbers(11, images * height * width);
    let x = [upload(setup, a.clone(), &[&[2], sample].concat())];
    let output = layer.forward(&x).unwrap();
    let r = setup.numbers(12, output.len());
    let relevance = upload(setup, r.clone(), &output.dims());
    for rule in ["winner-take-all", "proportional", "epsilon=0.1"] {
        let rule: Rule = rule.parse().unwrap();
        let step = Step::new(&x, &output, &relevance).with_report(true);
        let handed = layer.relevance(&step, &rule).unwrap();
        let mut expected = vec![0.0; a.len()];
        let mut largest = Vec::new();
        let mut condition = 1.0_f64;
        let mut at = 0;
        for image in 0..images {
            for (rows, _) in along[0].windows() {
                for (columns, _) in along[1].windows() {
                    let places: Vec<usize> = rows
                        .iter()
                        .flat_map(|h| columns.iter().map(move |w| (h, w)))
                        .map(|(h, w)| (image * height + h) * width + w)
                        .collect();
                    let winner = *places.iter().max_by(|i, j| a[**i].total_cmp(&a[**j])).unwrap();
                    largest.push(a[winner]);
                    if rule == Rule::WINNER_TAKE_ALL {
                        expected[winner] += r[at];
                    } else {
                        let row = vec![1.0; places.len()];
                        let m = naive::Matrix { weight: vec![row], bias: vec![0.0] };
                        let window: Vec<f64> = places.iter().map(|place| a[*place]).collect();
                        let rule =
                            if rule == Rule::PROPORTIONAL { Rule::ZERO } else { rule.clone() };
                        let part = naive::relevance(&rule, &m, &window, &r[at..=at]);
                        condition = condition.max(part.condition);
                        for (place, part) in places.iter().zip(part.inputs) {
                            expected[*place] += part;
                        }
                    }
                    at += 1;
                }
            }
        }
        assert_eq!(values(&output), largest, "the largest of every window");
        assert_eq!(handed.inputs[0].dims(), x[0].dims());
        let found = values(&handed.inputs[0]);
        assert_close(&found, &expected, setup.tolerance_at(condition), &rule.to_string());
    }
}

pub fn max_1d<B: Backend>(setup: &Setup<B>) {
    for (kernel, stride, dilation, padding, pads, ceil) in [
        (2, 2, 1, PaddingConfig1d::Valid, (0, 0), false),
        (3, 2, 1, PaddingConfig1d::Explicit(1, 1), (1, 1), true),
        (2, 1, 2, PaddingConfig1d::Same, (0, 1), false),
        (3, 1, 2, PaddingConfig1d::Explicit(1, 2), (1, 2), false),
    ] {
        let layer = MaxPool1dConfig::new(kernel).with_stride(stride).with_padding(padding);
        let layer = layer.with_dilation(dilation).with_ceil_mode(ceil).init();
        let along = Along { size: 8, kernel, stride, dilation, pads, ceil };
        check_max(setup, &layer, [POINT, along], &[2, 8]);
    }
}

pub fn max_2d<B: Backend>(setup: &Setup<B>) {
    for ceil in [true, false] {
        for (kernel, stride, dilation, padding, pads) in [
            ([2, 2], [2, 2], [1, 1], PaddingConfig2d::Valid, [(0, 0), (0, 0)]),
            ([3, 3], [2, 2], [1, 1], PaddingConfig2d::Explicit(1, 1, 1, 1), [(1, 1), (1, 1)]),
            ([2, 2], [1, 2], [2, 1], PaddingConfig2d::Explicit(1, 0, 1, 0), [(1, 1), (0, 0)]),
            ([2, 3], [2, 3], [1, 1], PaddingConfig2d::Explicit(1, 0, 0, 1), [(1, 0), (0, 1)]),
            ([2, 2], [1, 1], [1, 1], PaddingConfig2d::Same, [(0, 1), (0, 1)]),
        ] {
            let layer = MaxPool2dConfig::new(kernel).with_strides(stride).with_padding(padding);
            let layer = layer.with_dilation(dilation).with_ceil_mode(ceil).init();
            let along = [0, 1].map(|d| Along {
                size: [5, 7][d],
                kernel: kernel[d],
                stride: stride[d],
                dilation: dilation[d],
                pads: pads[d],
                ceil,
            });
            check_max(setup, &layer, along, &[2, 5, 7]);
        }
    }
}

/// Where all of a window is 0, as after a ReLU, one element still gets all.
pub fn max_ties<B: Backend>(setup: &Setup<B>) {
    let layer = MaxPool2dConfig::new([2, 2]).with_padding(PaddingConfig2d::Explicit(1, 1, 1, 1));
    let layer = layer.init();
    let x = [AnyTensor::from(setup.upload(vec![0.0; 16], [1, 1, 4, 4]))];
    let output = Layer::<B>::forward(&layer, &x).unwrap();
    let relevance = AnyTensor::from(setup.upload(vec![1.0; 9], [1, 1, 3, 3]));
    let step = Step::new(&x, &output, &relevance);
    let handed = layer.relevance(&step, &Rule::WINNER_TAKE_ALL).unwrap();
    let found = values(&handed.inputs[0]);
    assert_eq!(found.iter().sum::<f64>(), 9.0);
    assert!(found.iter().all(|r| [0.0, 1.0].contains(r)), "{found:?}");
    // Nothing to be in proportion to.
    let handed = layer.relevance(&step, &Rule::PROPORTIONAL).unwrap();
    assert!(values(&handed.inputs[0]).iter().all(|r| *r == 0.0));
}

/// Inputs and settings that Burn panics at, or fills with NaN.
pub fn pool_refused<B: Backend>(setup: &Setup<B>) {
    let flat = |dims: &[usize]| upload(setup, vec![0.0; dims.iter().product()], dims);
    let pool = MaxPool2dConfig::new([3, 3]).init();
    let average = AvgPool2dConfig::new([3, 3]).init();
    for dims in [&[2, 9][..], &[1, 9, 9], &[1, 1, 2, 9], &[1, 1, 1, 3, 3]] {
        let x = [flat(dims)];
        assert!(Layer::<B>::forward(&pool, &x).is_err(), "{dims:?}");
        assert!(Layer::<B>::forward(&average, &x).is_err(), "{dims:?}");
    }
    assert!(Layer::<B>::forward(&MaxPool1dConfig::new(2).init(), &[flat(&[1, 2, 3, 4])]).is_err());
    // The third window would start after the end.
    let past = AvgPool1dConfig::new(1).with_stride(3).with_ceil_mode(true).init();
    let error = Layer::<B>::forward(&past, &[flat(&[1, 1, 5])]).unwrap_err().to_string();
    assert!(error.contains("outside of the input"), "{error}");
    let past = MaxPool1dConfig::new(2).with_padding(PaddingConfig1d::Explicit(2, 2)).init();
    assert!(Layer::<B>::forward(&past, &[flat(&[1, 1, 6])]).is_err());
    let none = AdaptiveAvgPool2dConfig::new([0, 1]).init();
    assert!(Layer::<B>::forward(&none, &[flat(&[1, 1, 2, 2])]).is_err());
    let none = MaxPool1dConfig::new(0).with_stride(1).init();
    assert!(Layer::<B>::forward(&none, &[flat(&[1, 1, 2])]).is_err());
}
