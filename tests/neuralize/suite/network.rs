//! Networks of k-means: the same decisions as distances give, in both forms.

use burn::tensor::backend::Backend;
use neuralize::network::Network;

use super::{Setup, assert_rows_close, naive, random_rows, rows};

const SIZES: [(usize, usize, usize); 5] =
    [(40, 6, 4), (17, 1, 3), (1, 5, 2), (31, 13, 7), (9, 3, 20)];

pub fn forward_is_the_margin_for_every_cluster<B: Backend>(setup: &Setup<B>) {
    for (seed, (n, d, k)) in SIZES.into_iter().enumerate() {
        let x = setup.rounded(&random_rows(n, d, 0.5, seed as u64));
        let centroids = setup.rounded(&random_rows(k, d, 0.5, 100 + seed as u64));
        let network = setup.kmeans(&centroids).neuralize().expect("K > 1");
        let found = rows(network.forward(setup.tensor(&x)).expect("valid data"));
        let expected =
            x.iter().map(|x| (0..k).map(|c| naive::margin(x, &centroids, c)).collect()).collect();
        assert_rows_close(&found, &expected, setup.tolerance, "margins");

        let labels = super::indices(network.predict(&setup.tensor(&x)).expect("valid data"));
        for (i, (row, label)) in found.iter().zip(labels).enumerate() {
            assert!(row[label] >= 0.0, "row {i} is in {label} with margin {}", row[label]);
        }
    }
}

pub fn dense_form_has_the_same_outputs<B: Backend>(setup: &Setup<B>) {
    for (seed, (n, d, k)) in SIZES.into_iter().enumerate() {
        let x = setup.tensor(&random_rows(n, d, 0.5, seed as u64));
        let kmeans = setup.kmeans(&random_rows(k, d, 0.5, 100 + seed as u64));
        let network = kmeans.neuralize().expect("K > 1");
        let dense = network.dense();
        assert_eq!(dense.linear.weight.dims(), [d, k * (k - 1)]);
        let found = rows(dense.forward(x.clone()).expect("valid data"));
        let expected = rows(network.forward(x).expect("valid data"));
        assert_rows_close(&found, &expected, setup.tolerance, "dense");
    }
}

/// Weight 2 (μ−z)ᵀ and bias −‖μ−z‖², z the mean of the centroids.
pub fn linear_layer_holds_the_centroids<B: Backend>(setup: &Setup<B>) {
    let centroids = setup.rounded(&random_rows(5, 3, 2.0, 1));
    let network = setup.kmeans(&centroids).neuralize().expect("K > 1");
    let center: Vec<f64> =
        (0..3).map(|i| centroids.iter().map(|c| c[i]).sum::<f64>() / 5.0).collect();
    let weight = rows(network.linear().weight.val());
    let bias = super::values(network.linear().bias.as_ref().expect("a bias").val());
    for k in 0..5 {
        let mut square = 0.0;
        for i in 0..3 {
            let expected = 2.0 * (centroids[k][i] - center[i]);
            assert!((weight[i][k] - expected).abs() < 10.0 * setup.tolerance);
            square += (expected / 2.0).powi(2);
        }
        assert!((bias[k] + square).abs() < 10.0 * setup.tolerance);
    }
    assert_rows_close(&rows(network.centroids()), &centroids, setup.tolerance, "centroids");
}

pub fn probabilities<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&random_rows(30, 4, 0.0, 3));
    let centroids = setup.rounded(&random_rows(5, 4, 0.0, 4));
    let network = setup.kmeans(&centroids).neuralize().expect("K > 1");
    let tensor = setup.tensor(&x);

    let logits = network.forward(tensor.clone()).expect("valid data");
    let logistic = rows(network.logistic_probability(logits));
    let expected = x
        .iter()
        .map(|x| (0..5).map(|c| 1.0 / (1.0 + (-naive::margin(x, &centroids, c)).exp())).collect())
        .collect();
    assert_rows_close(&logistic, &expected, setup.tolerance, "logistic");

    for stiffness in [0.0, 0.7, 1.0, 1e30, 1e300] {
        let softmax = network.softmax_probability(&tensor, stiffness).expect("valid data");
        let expected = x.iter().map(|x| naive::soft_assignment(x, &centroids, stiffness)).collect();
        assert_rows_close(&rows(softmax), &expected, 3.0 * setup.tolerance, "softmax");
    }
    assert!(network.softmax_probability(&tensor, -1.0).is_err());
    assert!(network.softmax_probability(&tensor, f64::NAN).is_err());

    // For two clusters and stiffness 1 the two are the same, for more they are not.
    let softmax = rows(network.softmax_probability(&tensor, 1.0).expect("valid data"));
    assert!(
        softmax.iter().flatten().zip(logistic.iter().flatten()).any(|(a, b)| (a - b).abs() > 0.01)
    );
    let pair = setup.kmeans(&centroids[..2].to_vec()).neuralize().expect("K > 1");
    let logits = pair.forward(tensor.clone()).expect("valid data");
    assert_rows_close(
        &rows(pair.logistic_probability(logits)),
        &rows(pair.softmax_probability(&tensor, 1.0).expect("valid data")),
        setup.tolerance,
        "two clusters",
    );
}
