//! NEON against autodiff.

use burn::backend::Autodiff;
use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use neuralize::baseline::{Attribute, Background, Method, Subject, Tracked};
use neuralize::cluster::{KMeans, KMeansConfig};
use neuralize::explain::{Beta, Target};

use super::{Rows, Setup, assert_rows_close, random_rows, rows, values};

const TARGETS: [Target; 4] = [
    Target::Assigned,
    Target::Cluster(2),
    Target::Contrast { cluster: 1, versus: 3 },
    Target::AssignedVersus(0),
];

fn tracked<B: Backend>(setup: &Setup<B>, centroids: &Rows) -> Tracked<Autodiff<B>> {
    Tracked::new(setup.kmeans(centroids)).expect("K > 1")
}

fn relevance<B: Backend>(
    subject: &dyn Subject<B>,
    x: &Tensor<B, 2>,
    target: Target,
    method: Method,
) -> Rows {
    let background = Background::new(subject, x, 0).expect("valid data");
    let query = background.query(x, target).expect("valid rows");
    rows(method.attribute(&query).expect("a method for k-means").relevance)
}

/// For β → ∞, R = ∇f ∘ (x − (μ_c + μ_k*)/2).
pub fn neon_is_the_gradient_from_the_boundary<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(200, 6, 0.4, 1));
    let subject = tracked(setup, &random_rows(5, 6, 0.4, 2));
    let network = subject.network();
    for target in TARGETS {
        let neon = network.explain(&x, target, Beta::Value(f64::INFINITY)).expect("valid");
        let found = relevance(&subject, &x, target, Method::GradientFromBoundary);
        // A row of zeros (contrasted with its own cluster) has no size of its own.
        let expected = rows(neon.relevance);
        let scale = |row: &Vec<f64>| row.iter().map(|r| r.abs()).sum::<f64>().max(1.0);
        for (found, expected) in found.iter().zip(&expected) {
            for (a, b) in found.iter().zip(expected) {
                assert!((a - b).abs() <= setup.tolerance * scale(expected), "{target:?}: {a}, {b}");
            }
        }
    }
}

/// Central differences of the network's own output.
pub fn gradient_is_the_slope<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&random_rows(30, 3, 0.0, 3));
    let subject = tracked(setup, &random_rows(4, 3, 0.0, 4));
    let network = subject.network();
    let target = Target::Cluster(1);
    let pinned = subject.pin(&setup.tensor(&x), target).expect("valid");
    let found = rows(subject.slope(&setup.tensor(&x), &pinned));
    let step = 1e-2;
    let mut compared = 0;
    for i in 0..3 {
        let moved = |by: f64| -> Rows {
            x.iter()
                .map(|row| {
                    let mut row = row.clone();
                    row[i] += by;
                    row
                })
                .collect()
        };
        let logit = |rows: &Rows| {
            values(network.forward(setup.tensor(rows)).expect("valid").narrow(1, 1, 1))
        };
        let (high, low, here) = (logit(&moved(step)), logit(&moved(-step)), logit(&x));
        for row in 0..x.len() {
            // f_c is piecewise linear: where both halves agree, no kink lies between.
            let (right, left) = (high[row] - here[row], here[row] - low[row]);
            if (right - left).abs() < 1e-4 {
                let slope = (high[row] - low[row]) / (2.0 * step);
                assert!((found[row][i] - slope).abs() < 5e-3, "{} against {slope}", found[row][i]);
                compared += 1;
            }
        }
    }
    assert!(compared > 60, "{compared}");
}

/// Gradient × input drops the bias: its sums miss the logit, NEON's do not.
pub fn gradient_times_input_is_not_neon<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(200, 8, 0.0, 5));
    let subject = tracked(setup, &random_rows(5, 8, 0.0, 6));
    let network = subject.network();
    let neon = network.explain(&x, Target::Assigned, Beta::Value(1.0)).expect("valid");
    let logit = values(neon.logit.clone());
    let product = relevance(&subject, &x, Target::Assigned, Method::GradientTimesInput);
    let slope = rows(subject.slope(&x, &subject.pin(&x, Target::Assigned).expect("valid")));
    let expected: Rows = slope
        .iter()
        .zip(rows(x))
        .map(|(slope, x)| slope.iter().zip(x).map(|(slope, x)| slope * x).collect())
        .collect();
    assert_rows_close(&product, &expected, setup.tolerance, "product");
    let mut error: Vec<f64> = product
        .iter()
        .zip(&logit)
        .map(|(row, logit)| {
            let size: f64 = row.iter().map(|r| r.abs()).sum();
            (row.iter().sum::<f64>() - logit).abs() / size
        })
        .collect();
    error.sort_by(f64::total_cmp);
    assert!(error[100] > 0.05, "median {}", error[100]);
    let worst = super::largest(values(neon.conservation_error()));
    assert!(worst < setup.tolerance, "{worst}");
}

/// Explaining with gradients leaves the network as it was.
pub fn the_network_is_unchanged<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(10, 4, 0.0, 7));
    let subject = tracked(setup, &random_rows(3, 4, 0.0, 8));
    let network = subject.network();
    let before = values(network.forward(x.clone()).expect("valid"));
    let pinned = subject.pin(&x, Target::Assigned).expect("valid");
    for _ in 0..2 {
        subject.slope(&x, &pinned);
    }
    assert_eq!(values(network.forward(x).expect("valid")), before);
}

/// A fit on data that are tracked leaves no graph behind and learns nothing.
pub fn a_fit_is_not_differentiated<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(40, 3, 0.0, 9));
    let tracked = Tensor::<Autodiff<B>, 2>::from_inner(x).require_grad();
    for x in [tracked.clone(), tracked.clone() * 2.0] {
        let fit = KMeansConfig::new(3).fit(&x).expect("a fit");
        assert!(!fit.model.centroids().is_require_grad());
        // Had the data been tracked, a loss on the centroids would reach them.
        let loss = fit.model.centroids().sum() + x.clone().sum() * 0.0;
        let gradients = loss.backward();
        let slope = tracked.grad(&gradients).expect("x is part of the loss");
        assert!(values(slope).iter().all(|value| *value == 0.0));
    }
    // Given centroids keep their graph.
    let given = KMeans::from_centroids(tracked.clone() * 2.0).expect("valid centroids");
    let slope = tracked.grad(&given.centroids().sum().backward()).expect("a graph");
    assert!(values(slope).iter().all(|value| *value == 2.0));
}
