//! Input at the edges: empty, not finite, of wrong shapes, constant, duplicated.

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use neuralize::Error;
use neuralize::cluster::{FitOptions, Init, KMeans, KMeansConfig};
use neuralize::explain::{Beta, Target};
use neuralize::network::Network;

use super::{Setup, indices, naive, random_rows, rows, values};

fn finite(values: &[f64]) -> bool {
    values.iter().all(|value| value.is_finite())
}

pub fn one_cluster<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(10, 2, 0.0, 1));
    let fit = KMeansConfig::new(1).fit(&x).expect("one cluster is a fit");
    assert_eq!((fit.sizes, fit.model.beta()), (vec![10], None));
    let error = fit.model.neuralize().expect_err("no competitor");
    assert!(matches!(error, Error::NoCompetitor));
    assert!(error.to_string().contains("no competitor"), "{error}");
}

/// A tie of two centroids: logit and relevance 0, nothing infinite.
pub fn duplicate_centroids<B: Backend>(setup: &Setup<B>) {
    let centroids = vec![vec![1.0, 1.0], vec![1.0, 1.0], vec![-3.0, 2.0]];
    let network = setup.kmeans(&centroids).neuralize().expect("K > 1");
    let x = setup.tensor(&vec![vec![1.5, 0.5], vec![-3.0, 2.0], vec![1.0, 1.0]]);
    for beta in [0.0, 1.0, f64::INFINITY] {
        let found = network.explain(&x, Target::Assigned, Beta::Value(beta)).expect("valid");
        let (relevance, logit) = (rows(found.relevance.clone()), values(found.logit.clone()));
        for row in [0, 2] {
            assert!(logit[row].abs() <= 10.0 * setup.tolerance);
            assert!(
                relevance[row].iter().all(|r| r.abs() <= 10.0 * setup.tolerance),
                "{relevance:?}"
            );
        }
        assert!(logit[1] > 10.0);
        assert!((relevance[1].iter().sum::<f64>() - logit[1]).abs() < 100.0 * setup.tolerance);
        assert!(
            finite(&values(found.shares.clone())) && finite(&values(found.conservation_error()))
        );
    }
}

pub fn point_on_a_boundary<B: Backend>(setup: &Setup<B>) {
    // Coordinates that every precision holds exactly.
    let centroids = vec![vec![-1.0, 0.0], vec![1.0, 0.0], vec![0.0, 8.0]];
    let network = setup.kmeans(&centroids).neuralize().expect("K > 1");
    let x = setup.tensor(&vec![vec![0.0, 0.5], vec![0.0, -2.0]]);
    for target in [Target::Assigned, Target::Cluster(0), Target::Cluster(1)] {
        for beta in [0.0, 1.0, f64::INFINITY] {
            let found = network.explain(&x, target, Beta::Value(beta)).expect("valid");
            assert!(values(found.logit.clone()).iter().all(|f| f.abs() < 10.0 * setup.tolerance));
            assert!(finite(&values(found.relevance.clone())));
            assert!(finite(&values(found.shares)));
        }
    }
    // Seen from the third cluster the point has a definite answer.
    let found = network.explain(&x, Target::Cluster(2), Beta::Value(1.0)).expect("valid");
    let row = naive::margin(&[0.0, 0.5], &centroids, 2);
    assert!((values(found.logit)[0] - row).abs() < 100.0 * setup.tolerance);
}

pub fn point_on_a_centroid<B: Backend>(setup: &Setup<B>) {
    let centroids = setup.rounded(&random_rows(4, 3, 0.0, 2));
    let network = setup.kmeans(&centroids).neuralize().expect("K > 1");
    let x = setup.tensor(&centroids);
    let found = network.explain(&x, Target::Assigned, Beta::Value(1.0)).expect("valid");
    assert_eq!(indices(found.cluster.clone()), [0, 1, 2, 3]);
    // Every feature speaks for a point that is at the centre of its cluster.
    assert!(values(found.relevance.clone()).iter().all(|r| *r > -setup.tolerance));
    assert!(values(found.conservation_error()).iter().all(|e| *e < setup.tolerance));
}

/// β h far beyond the range of an exponential.
pub fn huge_beta<B: Backend>(setup: &Setup<B>) {
    let network = setup.kmeans(&random_rows(5, 3, 0.0, 3)).neuralize().expect("K > 1");
    let x = setup.tensor(&random_rows(20, 3, 0.0, 4));
    let hard = network.explain(&x, Target::Assigned, Beta::Value(f64::INFINITY)).expect("valid");
    for beta in [1e10, 1e30, 3e38, 1e39, 1e300, f64::MAX] {
        let found = network.explain(&x, Target::Assigned, Beta::Value(beta)).expect("valid");
        super::assert_rows_close(
            &rows(found.relevance),
            &rows(hard.relevance.clone()),
            setup.tolerance,
            "huge β",
        );
    }
}

/// A feature in which all centroids agree has relevance 0.
pub fn constant_features<B: Backend>(setup: &Setup<B>) {
    let constant = |mut table: super::Rows| {
        table.iter_mut().for_each(|row| row[1] = 3.0);
        table
    };
    let x = setup.tensor(&constant(random_rows(40, 3, 0.0, 5)));
    let fit = KMeansConfig::new(4).fit(&x).expect("a fit");
    let network = fit.model.neuralize().expect("K > 1");
    let found = network.explain(&x, Target::Assigned, Beta::Heuristic).expect("valid");
    assert!(rows(found.relevance).iter().all(|row| row[1].abs() < 10.0 * setup.tolerance));
    // A table of one constant row repeated cannot be cut in two.
    let same = setup.tensor(&vec![vec![3.0, 3.0]; 5]);
    let error = KMeansConfig::new(2).fit(&same).expect_err("one distinct point");
    assert!(matches!(error, Error::TooFewPoints { clusters: 2, distinct: 1 }), "{error}");
    let fit = KMeansConfig::new(1).fit(&same).expect("one cluster");
    assert_eq!((values(fit.model.centroids()), fit.inertia), (vec![3.0, 3.0], 0.0));
}

pub fn no_rows_one_row_one_feature<B: Backend>(setup: &Setup<B>) {
    let kmeans = setup.kmeans(&vec![vec![0.0], vec![4.0], vec![9.0]]);
    let network = kmeans.neuralize().expect("K > 1");
    let x = setup.tensor(&vec![vec![1.0]]);
    let found = network.explain(&x, Target::Assigned, Beta::Value(1.0)).expect("valid");
    assert!((values(found.relevance.clone())[0] - 8.0).abs() < 100.0 * setup.tolerance);

    let none = x.narrow(0, 0, 1).slice([0..0, 0..1]);
    let found = network.explain(&none, Target::Assigned, Beta::Value(1.0)).expect("no rows");
    assert_eq!((found.len(), found.is_empty()), (0, true));
    assert_eq!(found.conservation_error().dims(), [0]);
    assert_eq!(found.sums().dims(), [0]);
    assert_eq!((found.relevance.dims(), found.shares.dims()), ([0, 1], [0, 3]));
    assert_eq!(found.per_cluster().len(), 3);
    assert_eq!(found.global().points, 0);
    assert_eq!(network.forward(none.clone()).expect("no rows").dims(), [0, 3]);
    assert_eq!(kmeans.predict(&none).expect("no rows").dims(), [0]);
    assert_eq!(network.dense().forward(none.clone()).expect("no rows").dims(), [0, 3]);
    assert_eq!(kmeans.transform(&none).expect("no rows").dims(), [0, 3]);
    assert_eq!(kmeans.inertia(&none).expect("no rows"), 0.0);
    assert!(matches!(KMeansConfig::new(1).fit(&none), Err(Error::Empty { .. })));

    let one = KMeansConfig::new(1).fit(&setup.tensor(&vec![vec![5.0, 6.0]])).expect("a fit");
    assert_eq!(values(one.model.centroids()), [5.0, 6.0]);
}

pub fn not_finite_or_too_large<B: Backend>(setup: &Setup<B>) {
    let network = setup.kmeans(&random_rows(3, 2, 0.0, 6)).neuralize().expect("K > 1");
    for bad in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
        let x = setup.tensor(&vec![vec![0.0, 1.0], vec![2.0, bad]]);
        for error in [
            network.explain(&x, Target::Assigned, Beta::Value(1.0)).expect_err("not finite"),
            network.forward(x.clone()).expect_err("not finite"),
            KMeansConfig::new(1).fit(&x).expect_err("not finite"),
            KMeans::from_centroids(x.clone()).expect_err("not finite"),
        ] {
            assert!(matches!(error, Error::NonFinite { row: 1, column: 1, .. }), "{error}");
        }
    }
    let large = if setup.dtype == DType::F64 { 1e200 } else { 1e30 };
    let x = setup.tensor(&vec![vec![0.0, 1.0], vec![-large, 3.0]]);
    let error = network.explain(&x, Target::Assigned, Beta::Value(1.0)).expect_err("too large");
    assert!(matches!(error, Error::TooLarge { row: 1, column: 0, .. }), "{error}");
    // Just inside the limit everything stays finite.
    let large = if setup.dtype == DType::F64 { 1e153 } else { 2e18 };
    let x = setup.tensor(&vec![vec![large, -large]]);
    let found =
        network.explain(&x, Target::Assigned, Beta::Value(1.0)).expect("large, not too large");
    assert!(finite(&values(found.relevance)) && finite(&values(found.logit)));
}

pub fn wrong_shapes_and_names<B: Backend>(setup: &Setup<B>) {
    let kmeans = setup.kmeans(&random_rows(3, 2, 0.0, 7));
    let network = kmeans.neuralize().expect("K > 1");
    let x = setup.tensor(&random_rows(4, 2, 0.0, 8));
    let wide = setup.tensor(&random_rows(4, 3, 0.0, 8));
    let explain =
        |target, beta| network.explain(&x, target, beta).expect_err("a wrong call").to_string();

    let error = network.explain(&wide, Target::Assigned, Beta::Value(1.0)).expect_err("wide");
    assert_eq!(error.to_string(), "x has shape [4, 3], expected [rows, 2]");
    assert!(kmeans.predict(&wide).is_err() && network.dense().forward(wide.clone()).is_err());
    assert_eq!(
        explain(Target::Cluster(3), Beta::Value(1.0)),
        "there is no cluster 3: the model has clusters 0 to 2"
    );
    assert!(explain(Target::AssignedVersus(9), Beta::Value(1.0)).contains("no cluster 9"));
    assert!(
        explain(Target::Contrast { cluster: 1, versus: 1 }, Beta::Value(1.0))
            .contains("contrasted with itself")
    );
    assert!(explain(Target::Assigned, Beta::Value(-0.1)).contains("at least 0"));
    assert!(explain(Target::Assigned, Beta::Value(f64::NAN)).contains("at least 0"));
    assert!(explain(Target::Assigned, Beta::Heuristic).contains("no heuristic beta"));
    // A contrast needs no β, not even one that is known.
    assert!(network.explain(&x, Target::AssignedVersus(0), Beta::Heuristic).is_ok());
}

pub fn too_few_points<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(3, 2, 0.0, 9));
    let error = KMeansConfig::new(5).fit(&x).expect_err("K > N");
    assert!(matches!(error, Error::TooFewPoints { clusters: 5, distinct: 3 }), "{error}");
    // Duplicates do not count, nor do rows without weight; -0 is 0.
    let twice =
        setup.tensor(&vec![vec![0.0, 1.0], vec![-0.0, 1.0], vec![2.0, 3.0], vec![4.0, 5.0]]);
    let options = FitOptions::default().with_weights(setup.column(&[1.0, 1.0, 1.0, 0.0]));
    let error = KMeansConfig::new(3).fit_with(&twice, options).expect_err("two distinct");
    assert!(matches!(error, Error::TooFewPoints { clusters: 3, distinct: 2 }), "{error}");
    let exact = KMeansConfig::new(3).fit(&twice).expect("three distinct");
    assert_eq!(exact.inertia, 0.0);
}

/// Values and weights that are fine one by one and overflow in sums.
pub fn sums_that_overflow<B: Backend>(setup: &Setup<B>) {
    let large = if setup.dtype == DType::F64 { 3e152 } else { 5e17 };
    let mut x = random_rows(4000, 2, 0.0, 11);
    x.iter_mut().flatten().for_each(|value| *value *= large);
    let error = KMeansConfig::new(2).fit(&setup.tensor(&x)).expect_err("too large in sum");
    assert!(matches!(error, Error::Overflow), "{error}");
    let heavy = if setup.dtype == DType::F64 { 1e307 } else { 1e38 };
    let options = FitOptions::default().with_weights(setup.column(&[heavy; 60]));
    let x = setup.tensor(&random_rows(60, 2, 1e5, 12));
    let error = KMeansConfig::new(2).fit_with(&x, options).expect_err("too heavy in sum");
    assert!(matches!(error, Error::Overflow), "{error}");
}

pub fn bad_settings<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(6, 2, 0.0, 10));
    let base = KMeansConfig::new(2);
    for (config, text) in [
        (KMeansConfig::new(0), "n_clusters = 0"),
        (base.clone().with_n_init(Some(0)), "n_init = 0"),
        (base.clone().with_max_iter(0), "max_iter = 0"),
        (base.clone().with_tol(f64::NAN), "tol = NaN"),
        (base.clone().with_tol(-1.0), "tol = -1"),
        (base.clone().with_init(Init::Rows(vec![0])), "must name 2 rows"),
        (base.clone().with_init(Init::Rows(vec![0, 6])), "rows 0 to 5"),
        (base.clone().with_init(Init::Rows(vec![1, 1])), "must be different"),
    ] {
        let error = config.fit(&x).expect_err("a bad setting").to_string();
        assert!(error.contains(text), "{error}");
    }
    let options =
        FitOptions::default().with_initial_centroids(setup.tensor(&random_rows(3, 2, 0.0, 1)));
    assert!(base.fit_with(&x, options).is_err());
    if B::supports_dtype(&setup.device, DType::F16) {
        let error = base.fit(&x.cast(DType::F16)).expect_err("half precision");
        assert!(error.to_string().contains("F16"), "{error}");
    }
}
