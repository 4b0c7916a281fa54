//! Data that come in parts.

use std::ops::ControlFlow;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use neuralize::Error;
use neuralize::cluster::{
    FitOptions, Init, KMeansConfig, MiniBatchKMeans, PartsFit, Progress, Seeding,
};
use neuralize::data::Scale;

use super::kmeans::clouds;
use super::{Rows, Setup, assert_rows_close, indices, naive, rows};

fn fit<B: Backend>(config: &KMeansConfig, parts: &[Tensor<B, 2>]) -> Result<PartsFit<B>, Error> {
    config.fit_parts(|| parts.iter().cloned())
}

fn cut<B: Backend>(setup: &Setup<B>, x: &Rows, step: usize) -> Vec<Tensor<B, 2>> {
    x.chunks(step).map(|part| setup.tensor(&part.to_vec())).collect()
}

/// All rows are in the sample, so the first centroids are those of a fit to
/// the whole, and so is everything after.
pub fn parts_are_the_whole<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&clouds(600, 3, 4, 6.0, 31));
    let plain = KMeansConfig::new(4).with_tol(0.0).with_seed(2).with_n_init(Some(1));
    let with_momentum = plain.clone().with_momentum(Some(true));
    let expected =
        [&plain, &with_momentum].map(|config| config.fit(&setup.tensor(&x)).expect("a fit"));
    let settings = [(1, 0), (7, 0), (250, 0), (250, 1), (1000, 1)];
    for (step, momentum) in settings {
        let (config, whole) = ([&plain, &with_momentum][momentum], &expected[momentum]);
        // One row a part is slow on a device and says nothing new there.
        if step == 1 && !B::name(&setup.device).contains("flex") {
            continue;
        }
        let parts = fit(config, &cut(setup, &x, step)).expect("a fit");
        assert_eq!((parts.converged, &parts.sizes), (true, &whole.sizes));
        assert_eq!(parts.seeding, Seeding::KMeansPlusPlus);
        let difference = (parts.inertia - whole.inertia).abs();
        assert!(difference <= setup.tolerance * whole.inertia, "{difference}");
        // Seeds can come in another order where rounding decides between two.
        let centroids = [parts.model.centroids(), whole.model.centroids()].map(|centroids| {
            let mut centroids = rows(centroids);
            centroids.sort_by(|a, b| a[0].total_cmp(&b[0]));
            centroids
        });
        assert_rows_close(&centroids[0], &centroids[1], setup.tolerance * 10.0, "centroids");
        let betas = [parts.model.beta(), whole.model.beta()].map(|beta| beta.expect("a beta"));
        assert!((betas[0] / betas[1] - 1.0).abs() < 10.0 * setup.tolerance);
    }
}

/// More rows than the sample has.
pub fn parts_beyond_the_sample<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&clouds(6000, 2, 3, 40.0, 5));
    let parts = cut(setup, &x, 999);
    let found = fit(&KMeansConfig::new(3), &parts).expect("a fit");
    assert_eq!(found.sizes, [2000; 3]);
    assert!(matches!(found.seeding, Seeding::SampledKMeansPlusPlus { sample: 4096 }));
    let centroids = rows(found.model.centroids());
    let inertia: f64 = x
        .iter()
        .map(|x| naive::squared_distance(x, &centroids[naive::nearest(x, &centroids)]))
        .sum();
    assert!((found.inertia - inertia).abs() <= 10.0 * setup.tolerance * inertia);
    // The same again, bit for bit.
    let again = fit(&KMeansConfig::new(3), &parts).expect("a fit");
    assert_eq!(rows(again.model.centroids()), centroids);
}

pub fn bad_parts<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&clouds(20, 3, 2, 5.0, 1));
    let config = KMeansConfig::new(2);
    assert!(matches!(fit::<B>(&config, &[]), Err(Error::Empty { .. })));
    let narrow = setup.tensor(&vec![vec![1.0, 2.0]]);
    assert!(matches!(fit(&config, &[x.clone(), narrow]), Err(Error::Shape { .. })));
    let bad = setup.tensor(&vec![vec![1.0, f64::NAN, 2.0]]);
    assert!(matches!(
        fit(&config, &[x.clone(), bad.clone()]),
        Err(Error::NonFinite { row: 0, column: 1, .. })
    ));
    assert!(matches!(fit(&config, &[bad, x.clone()]), Err(Error::NonFinite { .. })));
    assert!(matches!(
        fit(&KMeansConfig::new(21), std::slice::from_ref(&x)),
        Err(Error::TooFewPoints { .. })
    ));
    let given = config.clone().with_init(Init::Rows(vec![0, 1]));
    assert!(matches!(fit(&given, std::slice::from_ref(&x)), Err(Error::Config { .. })));
    let restarts = config.clone().with_n_init(Some(3));
    assert!(matches!(fit(&restarts, std::slice::from_ref(&x)), Err(Error::Config { .. })));
    // Parts that fail themselves.
    let failed = config.fit_parts(|| [Ok(x.clone()), Err(Error::Overflow)]);
    assert!(matches!(failed, Err(Error::Overflow)));
    // An error of the caller's own.
    let failed =
        config.fit_parts(|| [Ok(x.clone()), Err(Box::<dyn std::error::Error>::from("lost"))]);
    assert_eq!(failed.expect_err("a part failed").to_string(), "lost");
    // An iterator that is used up by the first pass.
    let mut source = Some([x.clone(), x.clone()]);
    let failed = config.fit_parts(|| source.take().into_iter().flatten());
    assert!(matches!(failed, Err(Error::Passes { first: 40, pass: 2, rows: 0 })), "{failed:?}");
    // Weights.
    let options = FitOptions::default().with_weights(setup.column(&[1.0; 20]));
    let failed = config.fit_parts_with(|| [x.clone()], options);
    assert!(matches!(failed, Err(Error::Config { name: "weights", .. })));
    for (weights, detail) in [(vec![0.0; 20], "all are 0"), (vec![-1.0; 20], "row 0 has -1")] {
        let failed = config.fit_parts(|| [(x.clone(), setup.column(&weights))]);
        assert!(failed.expect_err("bad weights").to_string().contains(detail));
    }
    let failed = config.fit_parts(|| [(x.clone(), setup.column(&[1.0; 3]))]);
    assert!(matches!(failed, Err(Error::Shape { .. })));
    let narrow = setup.tensor(&vec![vec![1.0, 2.0]; 2]);
    let options = FitOptions::default().with_initial_centroids(narrow);
    assert!(matches!(config.fit_parts_with(|| [x.clone()], options), Err(Error::Shape { .. })));
}

/// Weights and given centroids: the same fit as of all rows at once.
pub fn weighted_parts_are_the_whole<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&clouds(300, 3, 3, 6.0, 12));
    let weights: Vec<f64> = (0..300).map(|row| f64::from(row % 4)).collect();
    let whole = setup.tensor(&x);
    let initial = || setup.tensor(&x[..3].to_vec());
    let config = KMeansConfig::new(3).with_tol(0.0);
    let options = || FitOptions::default().with_initial_centroids(initial());
    let expected =
        config.fit_with(&whole, options().with_weights(setup.column(&weights))).expect("a fit");
    let parts: Vec<_> = x
        .chunks(70)
        .zip(weights.chunks(70))
        .map(|(x, weights)| (setup.tensor(&x.to_vec()), setup.column(weights)))
        .collect();
    let found = config.fit_parts_with(|| parts.iter().cloned(), options()).expect("a fit");
    assert_eq!((found.seeding, &found.sizes), (Seeding::Given, &expected.sizes));
    let [found_rows, rows] = [&found.model, &expected.model].map(|model| rows(model.centroids()));
    assert_rows_close(&found_rows, &rows, setup.tolerance * 10.0, "centroids");
    assert!((found.inertia / expected.inertia - 1.0).abs() < setup.tolerance * 10.0);
    let betas = [found.model.beta(), expected.model.beta()].map(|beta| beta.expect("a beta"));
    assert!((betas[0] / betas[1] - 1.0).abs() < 10.0 * setup.tolerance);
}

/// Rows of weight 0 are as if they were not there: far ones, and so many of them that a sample of
/// all rows would miss the others.
pub fn rows_without_weight_do_not_count<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&clouds(60, 2, 3, 8.0, 4));
    let config = KMeansConfig::new(3).with_seed(5);
    let parts = [setup.tensor(&x)];
    let expected = config.fit_parts(|| parts.iter().cloned()).expect("a fit");
    let far: Rows = (0..6000).map(|i| vec![1e4 + f64::from(i), -1e4]).collect();
    let weighted = [
        (setup.tensor(&far), setup.column(&[0.0; 6000])),
        (setup.tensor(&x), setup.column(&[1.0; 60])),
        (setup.tensor(&far), setup.column(&[0.0; 6000])),
    ];
    let found = config.fit_parts(|| weighted.iter().cloned()).expect("a fit");
    assert_eq!((found.n_iter, found.seeding), (expected.n_iter, expected.seeding));
    let [found_rows, rows] = [&found.model, &expected.model].map(|model| rows(model.centroids()));
    assert_rows_close(&found_rows, &rows, setup.tolerance * 1e3, "centroids");
    assert!((found.inertia / expected.inertia - 1.0).abs() < setup.tolerance * 1e3);
    // Parts without rows are no parts.
    let none = || parts[0].clone().slice([0..0, 0..2]);
    let with_empty = config.fit_parts(|| [none(), parts[0].clone(), none()]).expect("a fit");
    assert_eq!(with_empty.sizes, expected.sizes);
}

/// An observer ends a fit, in memory and in parts.
pub fn an_observer_ends_a_fit<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&clouds(400, 4, 5, 2.0, 3));
    let config = KMeansConfig::new(5).with_tol(0.0).with_n_init(Some(4));
    let mut seen = Vec::new();
    let mut observer = |progress: Progress| {
        seen.push((progress.run, progress.iteration));
        if seen.len() < 2 { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
    };
    let options = FitOptions::default().with_observer(&mut observer);
    let fit = config.fit_with(&x, options).expect("a fit");
    assert_eq!((fit.converged, fit.n_iter, fit.sizes.iter().sum()), (false, 2, 400usize));
    assert_eq!(seen, [(0, 1), (0, 2)]);

    let mut observer = |_: Progress| ControlFlow::Break(());
    let options = FitOptions::default().with_observer(&mut observer);
    let config = config.with_n_init(None);
    let fit = config.fit_parts_with(|| [x.clone()], options).expect("a fit");
    assert_eq!((fit.converged, fit.n_iter), (false, 1));
}

/// Every centroid is the mean of all points that were ever assigned to it.
pub fn mini_batches<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&clouds(900, 3, 3, 30.0, 8));
    let mut clusterer = MiniBatchKMeans::new(KMeansConfig::new(3)).expect("settings");
    assert!(matches!(clusterer.model(), Err(Error::Empty { .. })));
    for part in cut(setup, &x, 100) {
        clusterer.partial_fit(&part).expect("a batch");
    }
    assert_eq!(clusterer.batches(), 9);
    let model = clusterer.model().expect("a model");
    // Clouds this far apart never exchange a point, so these are their means.
    let labels = indices(model.predict(&setup.tensor(&x)).expect("valid"));
    let mut means = vec![vec![0.0; 3]; 3];
    for (row, &label) in x.iter().zip(&labels) {
        for (mean, value) in means[label].iter_mut().zip(row) {
            *mean += value / 300.0;
        }
    }
    assert_rows_close(&rows(model.centroids()), &means, 100.0 * setup.tolerance, "centroids");
    assert!(model.beta().is_some_and(|beta| beta > 0.0));
}

pub fn bad_batches<B: Backend>(setup: &Setup<B>) {
    assert!(MiniBatchKMeans::<B>::new(KMeansConfig::new(0)).is_err());
    let mut clusterer = MiniBatchKMeans::new(KMeansConfig::new(3)).expect("settings");
    let few = setup.tensor(&vec![vec![1.0], vec![1.0], vec![2.0]]);
    assert!(matches!(clusterer.partial_fit(&few), Err(Error::TooFewPoints { distinct: 2, .. })));
    let good = setup.tensor(&vec![vec![1.0], vec![3.0], vec![2.0]]);
    clusterer.partial_fit(&good).expect("a batch");
    let wide = setup.tensor(&vec![vec![1.0, 2.0]]);
    assert!(matches!(clusterer.partial_fit(&wide), Err(Error::Shape { .. })));
    let bad = setup.tensor(&vec![vec![f64::INFINITY]]);
    assert!(matches!(clusterer.partial_fit(&bad), Err(Error::NonFinite { .. })));
    // A batch that was refused changed nothing.
    assert_eq!(clusterer.batches(), 1);
}

/// A scaler fitted part by part is the one fitted to the whole.
pub fn scalers_of_parts<B: Backend>(setup: &Setup<B>) {
    let x: Rows =
        clouds(300, 4, 3, 9.0, 3).into_iter().map(|row| [&row[..], &[7.0]].concat()).collect();
    let x = setup.rounded(&x);
    for scale in [Scale::None, Scale::MinMax, Scale::Standard] {
        let mut fit = scale.start::<B>();
        for part in cut(setup, &x, 41) {
            fit.add(&part).expect("a part");
        }
        let whole = scale.fit(&setup.tensor(&x)).expect("a scaler");
        let [parts, whole] = [fit.finish().expect("a scaler"), whole]
            .map(|scaler| rows(scaler.transform(&setup.tensor(&x)).expect("valid")));
        assert_rows_close(&parts, &whole, 10.0 * setup.tolerance, "scaled");
    }
    assert!(matches!(Scale::MinMax.start::<B>().finish(), Err(Error::Empty { .. })));
}

/// Same first centroids, same iterations: a fit does not depend on how rows
/// are stored.
pub fn initial_centroids_decide<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&clouds(200, 5, 4, 3.0, 77));
    let initial = setup.tensor(&x[..4].to_vec());
    let run = |x: &Tensor<B, 2>| {
        let options = FitOptions::default().with_initial_centroids(initial.clone());
        let fit = KMeansConfig::new(4).fit_with(x, options).expect("a fit");
        assert_eq!(fit.seeding, Seeding::Given);
        (fit.n_iter, rows(fit.model.centroids()))
    };
    let columns = setup.tensor(&(0..5).map(|d| x.iter().map(|row| row[d]).collect()).collect());
    let (plain, turned) = (run(&setup.tensor(&x)), run(&columns.transpose()));
    assert_eq!(plain.0, turned.0);
    assert_rows_close(&plain.1, &turned.1, setup.tolerance, "centroids");
}
