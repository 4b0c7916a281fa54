//! Clusterings as a part of training: gradients against differences, losses against loops, and
//! clusterers that an optimizer changes.

use burn::backend::{Autodiff, Flex};
use burn::module::{AutodiffModule, Module};
use burn::optim::{AdamConfig, GradientsParams, Optimizer, SgdConfig};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Int, Tensor};
use neuralize::Error;
use neuralize::cluster::{
    Distance, GaussianMixture, KMeans, KMeansConfig, KernelKMeans, SeparableKMeans,
};
use neuralize::explain::{Beta, Explanation, Rule, Target};
use neuralize::network::Network;
use neuralize::train::{
    assignment_loss, inertia_loss, margin_loss, masked_relevance_loss, relevance_entropy_loss,
    sharpened, soft_assignments,
};

use super::{Rows, Setup, naive, random_rows, rows, values};

/// One number from all elements of a tensor, with weights without order.
fn weighted<B: Backend, const D: usize>(tensor: Tensor<B, D>) -> Tensor<B, 1> {
    let count = tensor.dims().iter().product::<usize>();
    let weights: Vec<f64> = (0..count).map(|i| (1.0 + 2.3 * i as f64).sin()).collect();
    let setup = Setup::<B>::new(tensor.dtype());
    (tensor.reshape([count]) * setup.column(&weights)).sum()
}

/// What an explanation gives, as one number each.
fn of_explanation<B: Backend>(explanation: Explanation<B>) -> [Tensor<B, 1>; 3] {
    [weighted(explanation.relevance), weighted(explanation.logit), weighted(explanation.shares)]
}

/// Every differentiable output of a k-means and of the losses.
fn outputs<B: Backend>(
    kmeans: &KMeans<B>,
    x: &Tensor<B, 2>,
) -> Result<Vec<(&'static str, Tensor<B, 1>)>, Error> {
    let network = kmeans.neuralize()?;
    let logits = network.forward(x.clone())?;
    let explain = |target, beta| network.explain(x, target, beta);
    let [relevance, logit, shares] = of_explanation(explain(Target::Assigned, Beta::Value(0.4))?);
    let other = explain(Target::Cluster(1), Beta::Value(0.0))?;
    let contrast = explain(Target::Contrast { cluster: 0, versus: 2 }, Beta::Value(1.0))?;
    let own = explain(Target::Assigned, Beta::Value(0.2))?.relevance;
    let labels = Tensor::<B, 1, Int>::from_data([0, 1, 2, 1, 0], &x.device());
    let marks = Setup::<B>::new(x.dtype()).tensor(&vec![vec![1.0, 0.0, 0.5]]);
    let q = soft_assignments(kmeans, x)?;
    // The target is data, and the same for every way to compute the gradient.
    let p = Setup::<B>::new(x.dtype()).tensor(&target());
    Ok(vec![
        ("transform", weighted(kmeans.transform(x)?)),
        ("forward", weighted(logits.clone())),
        ("relevance", relevance),
        ("logit", logit),
        ("shares", shares),
        ("relevance of a cluster", weighted(other.relevance)),
        ("relevance of a contrast", weighted(contrast.relevance)),
        ("logistic probability", weighted(network.logistic_probability(logits.clone()))),
        ("softmax probability", weighted(network.softmax_probability(x, 0.3)?)),
        ("dense form", weighted(network.dense().forward(x.clone())?)),
        ("soft assignments", weighted(q.clone())),
        ("inertia", inertia_loss(kmeans, x)?),
        ("assignment loss", assignment_loss(&p, &q)?),
        ("margin loss", margin_loss(&logits, &labels, 6.0)?),
        ("masked relevance", masked_relevance_loss(&own, &marks)?),
        ("relevance entropy", relevance_entropy_loss(&own)?),
    ])
}

fn naive_logits(x: &[f64], centroids: &Rows) -> Vec<f64> {
    (0..centroids.len()).map(|c| naive::margin(x, centroids, c)).collect()
}

fn target() -> Rows {
    [[0.7, 0.2, 0.1], [0.1, 0.8, 0.1], [0.3, 0.3, 0.4], [0.9, 0.05, 0.05], [0.2, 0.2, 0.6]]
        .map(|row| row.to_vec())
        .to_vec()
}

/// One number with respect to rows and centroids, by central differences in f64 on the host.
fn differences(at: &Rows, mut value: impl FnMut(&Rows) -> f64) -> Rows {
    let step = 1e-5;
    let mut moved = at.clone();
    let mut slopes = at.clone();
    for i in 0..at.len() {
        for j in 0..at[i].len() {
            let mut moved_by = |by: f64| {
                moved[i][j] = at[i][j] + by;
                value(&moved)
            };
            slopes[i][j] = (moved_by(step) - moved_by(-step)) / (2.0 * step);
            moved[i][j] = at[i][j];
        }
    }
    slopes
}

fn assert_slopes(found: &Rows, expected: &Rows, tolerance: f64, what: &str) {
    let size = expected.iter().flatten().fold(1e-3, |size: f64, value| size.max(value.abs()));
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((found - expected).abs() <= tolerance * size, "{what}: {found} for {expected}");
    }
}

/// Gradients with respect to rows and centroids, output by output, against differences of the
/// same outputs in f64 on Flex.
pub fn gradients_are_differences<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&random_rows(5, 3, 0.3, 31));
    let centroids = setup.rounded(&random_rows(3, 3, 0.3, 32));
    // Autodiff of f32 has about six digits; differences in f64 have nine.
    let tolerance = if setup.dtype == DType::F64 { 2e-7 } else { 2e-4 };
    let exact = Setup::<Flex>::new(DType::F64);
    let value = |at: usize, x: &Rows, centroids: &Rows| {
        let kmeans = exact.kmeans(centroids);
        values(outputs(&kmeans, &exact.tensor(x)).unwrap().remove(at).1)[0]
    };
    let count = outputs(&exact.kmeans(&centroids), &exact.tensor(&x)).unwrap().len();
    let leaf =
        |table: &Rows| Tensor::<Autodiff<B>, 2>::from_inner(setup.tensor(table)).require_grad();
    for at in 0..count {
        let (x_leaf, centroid_leaf) = (leaf(&x), leaf(&centroids));
        let kmeans = KMeans::from_centroids(centroid_leaf.clone()).unwrap();
        let (what, output) = outputs(&kmeans, &x_leaf).unwrap().remove(at);
        let expected = value(at, &x, &centroids);
        let found = values(output.clone().inner())[0];
        assert!((found - expected).abs() <= 1e3 * setup.tolerance * expected.abs().max(1.0));
        let gradients = output.backward();
        let slope = |leaf: Tensor<Autodiff<B>, 2>| rows(leaf.grad(&gradients).expect("tracked"));
        let by_x = differences(&x, |x| value(at, x, &centroids));
        assert_slopes(&slope(x_leaf), &by_x, tolerance, &format!("{what} by x"));
        let by_centroids = differences(&centroids, |centroids| value(at, &x, centroids));
        assert_slopes(&slope(centroid_leaf), &by_centroids, tolerance, &format!("{what} by μ"));
    }
}

/// The networks of the other clusterers, with respect to the rows.
pub fn gradients_of_other_networks<B: Backend>(setup: &Setup<B>) {
    fn networks<B: Backend>(setup: &Setup<B>, table: &Rows) -> Vec<Box<dyn Network<B>>> {
        let table = setup.tensor(table);
        let labels = [0, 0, 1, 1, 2, 2];
        let kernel = KernelKMeans::from_supports(table.clone(), &labels, 0.4).unwrap();
        let means = table.clone().narrow(0, 0, 3);
        let distance = Distance::Power(3.0);
        let separable = SeparableKMeans::from_centroids(means.clone(), distance).unwrap();
        let squared =
            SeparableKMeans::from_centroids(means.clone(), Distance::SquaredEuclidean).unwrap();
        let variances = means.clone().square() + 0.5;
        let weights = setup.column(&[0.2, 0.3, 0.5]);
        let mixture = GaussianMixture::from_parts(means, variances, weights).unwrap();
        let summed = |network: &dyn Network<B>| network.explained_by(Rule::Summed).unwrap();
        vec![
            summed(&kernel.neuralize().unwrap()),
            summed(&mixture.neuralize().unwrap()),
            Box::new(kernel.neuralize().unwrap()),
            Box::new(separable.neuralize().unwrap()),
            Box::new(squared.neuralize().unwrap()),
            Box::new(mixture.neuralize().unwrap()),
        ]
    }
    fn numbers<B: Backend>(network: &dyn Network<B>, x: &Tensor<B, 2>) -> [Tensor<B, 1>; 4] {
        let explanation = network.explain(x, Target::Assigned, Beta::Value(0.3)).unwrap();
        let [relevance, logit, shares] = of_explanation(explanation);
        [weighted(network.forward(x.clone()).unwrap()), relevance, logit, shares]
    }
    let x = setup.rounded(&random_rows(4, 3, 0.2, 41));
    let table = setup.rounded(&random_rows(6, 3, 0.2, 42));
    let tolerance = if setup.dtype == DType::F64 { 1e-6 } else { 1e-3 };
    let exact = Setup::<Flex>::new(DType::F64);
    let twins = networks(&exact, &table);
    let tracking = Setup::<Autodiff<B>>::new(setup.dtype);
    for (kind, network) in networks(&tracking, &table).iter().enumerate() {
        for at in 0..4 {
            let leaf = Tensor::<Autodiff<B>, 2>::from_inner(setup.tensor(&x)).require_grad();
            let gradients = numbers(&**network, &leaf)[at].backward();
            let found = rows(leaf.grad(&gradients).expect("tracked"));
            let expected = differences(&x, |x| {
                values(numbers(&*twins[kind], &exact.tensor(x))[at].clone())[0]
            });
            assert_slopes(&found, &expected, tolerance, &format!("network {kind}, output {at}"));
        }
    }
}

/// After 100 steps on centroids, the network is the exact twin of the centroids.
pub fn a_trained_clusterer_is_exact<B: Backend>(setup: &Setup<B>) {
    let data = setup.rounded(&random_rows(60, 4, 0.5, 51));
    let x = Tensor::<Autodiff<B>, 2>::from_inner(setup.tensor(&data));
    let start = KMeansConfig::new(3).fit(&setup.tensor(&data)).expect("a fit").model;
    assert!(start.beta().is_some());
    let mut kmeans = KMeans::<Autodiff<B>>::from_inner(start.clone()).trainable();
    assert_eq!(kmeans.beta(), None, "it would be that of other centroids");
    let mut optimizer = AdamConfig::new().init();
    let marks = Tensor::<Autodiff<B>, 2>::from_inner(setup.tensor(&vec![vec![1.0, 0.0, 0.0, 0.0]]));
    let mut losses = Vec::new();
    for _ in 0..100 {
        let network = kmeans.neuralize().unwrap();
        let explanation = network.explain(&x, Target::Assigned, Beta::Value(0.5)).unwrap();
        let masked = masked_relevance_loss(&explanation.relevance, &marks).unwrap();
        let loss = inertia_loss(&kmeans, &x).unwrap() + masked * 10.0;
        losses.push(values(loss.clone().inner())[0]);
        let gradients = GradientsParams::from_grads(loss.backward(), &kmeans);
        assert_eq!(gradients.len(), 1, "the centroids are all that is trained");
        kmeans = optimizer.step(0.02, kmeans, gradients);
    }
    assert!(losses[99] < 0.9 * losses[0], "from {} to {}", losses[0], losses[99]);

    let trained = kmeans.valid();
    let centroids = rows(trained.centroids());
    assert_ne!(centroids, rows(start.centroids()));
    let network = trained.neuralize().unwrap();
    let x = setup.tensor(&data);
    let found = rows(network.forward(x.clone()).unwrap());
    let expected: Rows = data.iter().map(|x| naive_logits(x, &centroids)).collect();
    super::assert_rows_close(&found, &expected, 10.0 * setup.tolerance, "logits");
    let explanation = network.explain(&x, Target::Assigned, Beta::Value(0.5)).unwrap();
    let limit = if setup.dtype == DType::F64 { 1e-12 } else { 1e-5 };
    let worst = super::largest(values(explanation.conservation_error()));
    assert!(worst <= limit, "conservation {worst}");
    let with_beta = trained.with_heuristic_beta(&x).unwrap();
    assert!(with_beta.beta().is_some());
}

/// A clusterer that is not trained stays as it is.
pub fn what_is_trained<B: Backend>(setup: &Setup<B>) {
    type Tracked<B> = Autodiff<B>;
    let centroids = random_rows(3, 2, 0.0, 61);
    let x = Tensor::<Tracked<B>, 2>::from_inner(setup.tensor(&random_rows(20, 2, 0.0, 62)));
    let step = |kmeans: KMeans<Tracked<B>>| {
        let before = rows(kmeans.centroids());
        let loss = inertia_loss(&kmeans, &x).unwrap();
        let tracked = kmeans.centroids().is_require_grad();
        // Without anything to train there is no graph to go back through.
        let gradients = if tracked {
            GradientsParams::from_grads(loss.backward(), &kmeans)
        } else {
            GradientsParams::from_grads((x.clone().require_grad() * 2.0).sum().backward(), &kmeans)
        };
        assert_eq!(gradients.is_empty(), !tracked);
        let after = SgdConfig::new().init().step(0.1, kmeans, gradients);
        rows(after.centroids()) != before
    };
    let plain = setup.kmeans(&centroids);
    assert!(!step(plain.clone().train::<Tracked<B>>()));
    let trainable = plain.clone().train::<Tracked<B>>().trainable();
    assert!(step(trainable.clone()));
    assert!(step(trainable.valid().train::<Tracked<B>>()));
    assert!(!step(trainable.clone().no_grad()));
    // A clone of it is trained alike, from the same numbers.
    assert_eq!(rows(trainable.clone().centroids()), rows(setup.tensor(&centroids)));
    // Decisions have no gradients and need no graph.
    let labels = trainable.predict(&x).unwrap();
    assert_eq!(labels.dims(), [20]);
    assert!(trainable.inertia(&x).unwrap() > 0.0);
}

/// Losses against loops from their definitions, and what they refuse.
pub fn losses_by_hand<B: Backend>(setup: &Setup<B>) {
    let (data, table) = (random_rows(7, 3, 0.0, 71), random_rows(4, 3, 0.0, 72));
    let (data, table) = (setup.rounded(&data), setup.rounded(&table));
    let kmeans = setup.kmeans(&table);
    let x = setup.tensor(&data);
    let squared =
        |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| (a - b).powi(2)).sum() };
    let close = |found: Tensor<B, 1>, expected: f64, what: &str| {
        let found = values(found);
        assert_eq!(found.len(), 1);
        let error = (found[0] - expected).abs();
        assert!(
            error <= 10.0 * setup.tolerance * expected.abs().max(1e-3),
            "{what}: {found:?}, {expected}"
        );
    };

    let nearest = |x: &[f64]| table.iter().map(|m| squared(x, m)).fold(f64::INFINITY, f64::min);
    let inertia: f64 = data.iter().map(|x| nearest(x)).sum::<f64>() / 7.0;
    close(inertia_loss(&kmeans, &x).unwrap(), inertia, "inertia");

    let labels = [0, 1, 2, 3, 0, 1, 2];
    let logits: Rows = data.iter().map(|x| naive_logits(x, &table)).collect();
    let hinge = |margin: f64| {
        let rows = logits.iter().zip(labels);
        rows.map(|(row, label)| (margin - row[label]).max(0.0)).sum::<f64>() / 7.0
    };
    let found = kmeans.neuralize().unwrap().forward(x.clone()).unwrap();
    let given = Tensor::<B, 1, Int>::from_data(labels.map(|label| label as i64), &setup.device);
    for margin in [0.0, 2.0] {
        close(margin_loss(&found, &given, margin).unwrap(), hinge(margin), "margin");
    }
    let unknown = Tensor::<B, 1, Int>::from_data([0, 1, 2, 4, 0, 1, 2], &setup.device);
    let error = margin_loss(&found, &unknown, 1.0).expect_err("there is no cluster 4");
    assert!(matches!(error, Error::UnknownCluster { cluster: 4, clusters: 4 }), "{error}");
    assert!(margin_loss(&found, &given, -1.0).is_err());
    assert!(margin_loss(&found, &given, f64::NAN).is_err());
    assert!(margin_loss(&found, &given.clone().narrow(0, 0, 6), 1.0).is_err());

    // Relevances so large that their squares overflow f32, and a row without any.
    let mut relevance = setup.rounded(&random_rows(3, 4, 0.0, 73));
    relevance[1].fill(0.0);
    relevance[2].iter_mut().for_each(|value| *value *= 1e25);
    let relevance = setup.rounded(&relevance);
    let marks = vec![vec![1.0, 0.0, 0.5, 0.0]];
    let share = |row: &[f64]| {
        let total: f64 = row.iter().map(|r| r * r).sum();
        let marked: f64 = row.iter().zip(&marks[0]).map(|(r, m)| m * r * r).sum();
        if total == 0.0 { 0.0 } else { marked / total }
    };
    let masked = relevance.iter().map(|row| share(row)).sum::<f64>() / 3.0;
    let tensor = setup.tensor(&relevance);
    close(masked_relevance_loss(&tensor, &setup.tensor(&marks)).unwrap(), masked, "masked");
    assert!(masked_relevance_loss(&tensor, &setup.tensor(&vec![vec![1.0; 3]])).is_err());
    let entropy = |row: &[f64]| -> f64 {
        let total: f64 = row.iter().map(|r| r.abs()).sum();
        let shares = row.iter().map(|r| r.abs() / total).filter(|p| *p > 0.0);
        shares.map(|p| -p * p.ln()).sum()
    };
    let mean = relevance.iter().map(|row| entropy(row)).sum::<f64>() / 3.0;
    close(relevance_entropy_loss(&tensor).unwrap(), mean, "entropy");

    let q = soft_assignments(&kmeans, &x).unwrap();
    let p = sharpened(&q);
    for row in [rows(q.clone()), rows(p.clone())].concat() {
        assert!((row.iter().sum::<f64>() - 1.0).abs() < 10.0 * setup.tolerance);
    }
    assert!(assignment_loss(&p.clone().narrow(0, 0, 6), &q).is_err());
    let none = setup.tensor(&vec![vec![0.0; 3]]).slice([0..0, 0..3]);
    assert!(inertia_loss(&kmeans, &none).is_err() && soft_assignments(&kmeans, &none).is_err());
    assert!(inertia_loss(&kmeans, &setup.tensor(&vec![vec![0.0; 2]])).is_err());
}
