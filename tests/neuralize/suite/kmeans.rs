//! Fits of k-means: against Lloyd's iterations as loops, with weights, restarts and empty clusters.

use burn::tensor::DType;
use burn::tensor::backend::Backend;
use neuralize::cluster::{FitOptions, Init, KMeansConfig};
use neuralize::data::Scale;

use super::{
    Rows, Setup, assert_close, assert_rows_close, indices, naive, random_rows, rows, values,
};

/// `k` clouds of unit spread, `apart` from one another.
pub fn clouds(n: usize, d: usize, k: usize, apart: f64, seed: u64) -> Rows {
    let centres = random_rows(k, d, 0.0, seed);
    let mut x = random_rows(n, d, 0.0, seed + 1);
    for (i, row) in x.iter_mut().enumerate() {
        for (value, centre) in row.iter_mut().zip(&centres[i % k]) {
            *value += apart * centre;
        }
    }
    x
}

pub fn predict_transform_score<B: Backend>(setup: &Setup<B>) {
    for (n, d, k) in [(50, 4, 6), (1, 1, 1), (7, 1, 3), (33, 17, 2)] {
        let x = setup.rounded(&random_rows(n, d, -1.0, 1));
        let centroids = setup.rounded(&random_rows(k, d, -1.0, 2));
        let kmeans = setup.kmeans(&centroids);
        let tensor = setup.tensor(&x);

        let labels: Vec<usize> = x.iter().map(|x| naive::nearest(x, &centroids)).collect();
        assert_eq!(indices(kmeans.predict(&tensor).expect("valid")), labels);

        let distances: Rows = x
            .iter()
            .map(|x| centroids.iter().map(|c| naive::squared_distance(x, c)).collect())
            .collect();
        let found = rows(kmeans.transform(&tensor).expect("valid"));
        assert_rows_close(&found, &distances, 5.0 * setup.tolerance, "distances");

        let inertia: f64 = distances.iter().zip(&labels).map(|(row, k)| row[*k]).sum();
        let found = kmeans.inertia(&tensor).expect("valid");
        assert!((found - inertia).abs() <= setup.tolerance * inertia, "{found} against {inertia}");
        assert_eq!(kmeans.score(&tensor).expect("valid"), -found);
    }
}

/// Centroids are the means of their points, points are with their nearest
/// centroid, and labels, sizes and inertia are those of that partition.
pub fn fit_is_a_fixed_point<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&clouds(400, 3, 5, 3.0, 10));
    let tensor = setup.tensor(&x);
    let settings = [
        (Init::KMeansPlusPlus, None),
        (Init::Random, None),
        (Init::KMeansPlusPlus, Some(true)),
        (Init::Random, Some(true)),
    ];
    for (init, momentum) in settings {
        let config = KMeansConfig::new(5).with_init(init).with_momentum(momentum).with_tol(0.0);
        let fit = config.fit(&tensor).expect("a fit");
        assert!(fit.converged);
        let labels = indices(fit.labels);
        assert_eq!(labels, indices(fit.model.predict(&tensor).expect("valid")));
        let centroids = rows(fit.model.centroids());
        let mut inertia = 0.0;
        for (row, label) in x.iter().zip(&labels) {
            inertia += naive::squared_distance(row, &centroids[*label]);
        }
        assert!((fit.inertia - inertia).abs() <= setup.tolerance * inertia);
        for (k, centroid) in centroids.iter().enumerate() {
            let members: Vec<&Vec<f64>> =
                x.iter().zip(&labels).filter(|(_, label)| **label == k).map(|(x, _)| x).collect();
            assert_eq!(fit.sizes[k], members.len());
            for (i, value) in centroid.iter().enumerate() {
                let mean = members.iter().map(|row| row[i]).sum::<f64>() / members.len() as f64;
                assert!((value - mean).abs() < 10.0 * setup.tolerance, "{value} against {mean}");
            }
        }
    }
}

pub fn fit_from_given_centroids<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&clouds(300, 4, 4, 2.0, 20));
    let chosen = [3, 40, 77, 150];
    let start: Rows = chosen.iter().map(|i| x[*i].clone()).collect();
    let tensor = setup.tensor(&x);
    // Without a word, iterations from given centroids are plain.
    for momentum in [None, Some(false), Some(true)] {
        let (centroids, labels, inertia) = naive::lloyd(&x, start.clone(), momentum == Some(true));
        let config = KMeansConfig::new(4).with_tol(0.0).with_momentum(momentum);
        let options = FitOptions::default().with_initial_centroids(setup.tensor(&start));
        let given = config.fit_with(&tensor, options).expect("a fit");
        let by_row = config.with_init(Init::Rows(chosen.to_vec())).fit(&tensor).expect("a fit");
        for fit in [given, by_row] {
            assert_eq!(indices(fit.labels), labels);
            assert!((fit.inertia - inertia).abs() <= setup.tolerance * inertia);
            let found = rows(fit.model.centroids());
            assert_rows_close(&found, &centroids, setup.tolerance, "centroids");
        }
    }
}

/// Where clusters overlap, plain iterations change little for long.
pub fn momentum_saves_iterations<B: Backend>(setup: &Setup<B>) {
    let tensor = setup.tensor(&clouds(10_000, 3, 16, 0.3, 6));
    let (mut iterations, mut inertia) = ([0, 0], [0.0, 0.0]);
    for seed in 0..4 {
        for (at, momentum) in [false, true].into_iter().enumerate() {
            let config = KMeansConfig::new(16).with_n_init(Some(1)).with_seed(seed);
            let fit = config.with_momentum(Some(momentum)).fit(&tensor).expect("a fit");
            assert!(fit.converged);
            iterations[at] += fit.n_iter;
            inertia[at] += fit.inertia;
        }
    }
    assert!(5 * iterations[1] < 4 * iterations[0], "{iterations:?}");
    assert!(inertia[1] < inertia[0], "{inertia:?}");
}

/// Several restarts of which the first is not the best: everything reported is
/// of the same run, and no worse than any run alone.
pub fn result_belongs_to_the_best_restart<B: Backend>(setup: &Setup<B>) {
    let x = clouds(200, 2, 8, 4.0, 30);
    let tensor = setup.tensor(&x);
    let mut runs = Vec::new();
    let mut steps = 0;
    let mut observer = |progress: neuralize::cluster::Progress| {
        assert_eq!(progress.n_init, 6);
        runs.push(progress.run);
        steps = steps.max(progress.iteration);
        std::ops::ControlFlow::Continue(())
    };
    let config = KMeansConfig::new(8).with_init(Init::Random).with_n_init(Some(6));
    let options = FitOptions::default().with_observer(&mut observer);
    let fit = config.fit_with(&tensor, options).expect("a fit");
    assert!((0..6).all(|run| runs.contains(&run)));
    assert!(fit.n_iter <= steps + 1);
    assert_eq!(indices(fit.labels.clone()), indices(fit.model.predict(&tensor).expect("valid")));
    assert_eq!(fit.inertia, fit.model.inertia(&tensor).expect("valid"));
    let single = config.with_n_init(Some(1)).fit(&tensor).expect("a fit");
    assert!(fit.inertia < single.inertia, "{} against {}", fit.inertia, single.inertia);
}

/// A row of weight 3 counts as three rows, one of weight 0 as none.
pub fn weights_count_rows<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&clouds(120, 3, 3, 3.0, 40));
    let weights: Vec<f64> = (0..120).map(|i| [1.0, 3.0, 0.0, 2.0][i % 4]).collect();
    let repeated: Rows = x
        .iter()
        .zip(&weights)
        .flat_map(|(row, weight)| std::iter::repeat_n(row.clone(), *weight as usize))
        .collect();
    let start: Rows = x[..3].to_vec();
    let fit = |x: &Rows, weights: Option<&[f64]>| {
        let mut options = FitOptions::default().with_initial_centroids(setup.tensor(&start));
        if let Some(weights) = weights {
            options = options.with_weights(setup.column(weights));
        }
        KMeansConfig::new(3).with_tol(0.0).fit_with(&setup.tensor(x), options).expect("a fit")
    };
    let weighted = fit(&x, Some(&weights));
    let plain = fit(&repeated, None);
    let (found, expected) = (rows(weighted.model.centroids()), rows(plain.model.centroids()));
    assert_rows_close(&found, &expected, setup.tolerance, "centroids");
    assert!((weighted.inertia - plain.inertia).abs() <= setup.tolerance * plain.inertia);
    let (a, b) = (weighted.model.beta().expect("β"), plain.model.beta().expect("β"));
    assert!((a - b).abs() <= 10.0 * setup.tolerance * b, "{a} against {b}");

    for (weights, text) in [
        (vec![-1.0; 120], "row 0 has -1"),
        (vec![0.0; 120], "all are 0"),
        (vec![f64::NAN; 120], "row 0 has NaN"),
        (vec![1.0; 7], "[7]"),
    ] {
        let options = FitOptions::default().with_weights(setup.column(&weights));
        let error = KMeansConfig::new(3).fit_with(&setup.tensor(&x), options).expect_err("weights");
        assert!(error.to_string().contains(text), "{error}");
    }
}

/// Two of four given centroids attract no point.
pub fn empty_clusters_are_relocated<B: Backend>(setup: &Setup<B>) {
    let x = vec![
        vec![0.0, 0.0],
        vec![0.1, 0.0],
        vec![0.0, 0.1],
        vec![9.0, 0.0],
        vec![9.1, 0.0],
        vec![0.0, 9.0],
        vec![0.0, 9.1],
        vec![-9.0, 0.0],
        vec![-9.1, 0.0],
    ];
    let start = vec![vec![0.0, 0.0], vec![9.0, 0.0], vec![500.0, 500.0], vec![-400.0, 900.0]];
    let options = FitOptions::default().with_initial_centroids(setup.tensor(&start));
    let fit = KMeansConfig::new(4).fit_with(&setup.tensor(&x), options).expect("a fit");
    let mut sizes = fit.sizes.clone();
    sizes.sort_unstable();
    assert_eq!(sizes, [2, 2, 2, 3]);
    assert!(fit.inertia < 0.05, "{}", fit.inertia);
    assert!(values(fit.model.centroids()).iter().all(|value| value.is_finite()));

    // As many clusters as different points, all starting from one corner.
    let start: Rows = (0..9).map(|i| vec![700.0 + f64::from(i), 700.0]).collect();
    let options = FitOptions::default().with_initial_centroids(setup.tensor(&start));
    let fit = KMeansConfig::new(9).fit_with(&setup.tensor(&x), options).expect("a fit");
    assert_eq!(fit.sizes, [1; 9]);
    assert!(fit.inertia < 1e-6);
}

pub fn same_seed_same_result<B: Backend>(setup: &Setup<B>) {
    let tensor = setup.tensor(&clouds(500, 6, 10, 1.0, 50));
    for init in [Init::KMeansPlusPlus, Init::Random] {
        let config = KMeansConfig::new(10).with_init(init).with_n_init(Some(2));
        let (a, b) = (config.fit(&tensor).expect("a fit"), config.fit(&tensor).expect("a fit"));
        assert_eq!(values(a.model.centroids()), values(b.model.centroids()));
        assert_eq!((a.inertia, a.n_iter), (b.inertia, b.n_iter));
        let other = config.with_seed(1).fit(&tensor).expect("a fit");
        assert_ne!(values(a.model.centroids()), values(other.model.centroids()));
    }
}

/// Mean inertia over seeds, one restart each, on well-separated clouds.
pub fn greedy_seeding_beats_random_rows<B: Backend>(setup: &Setup<B>) {
    let tensor = setup.tensor(&clouds(300, 2, 15, 20.0, 60));
    let mean = |init: Init| {
        let config = KMeansConfig::new(15).with_init(init).with_n_init(Some(1));
        let run = |seed| config.clone().with_seed(seed).fit(&tensor).expect("a fit").inertia;
        (0..10).map(run).sum::<f64>() / 10.0
    };
    let (greedy, random) = (mean(Init::KMeansPlusPlus), mean(Init::Random));
    assert!(2.0 * greedy < random, "{greedy} against {random}");
}

/// β = 1 / mean of every point's own margin.
pub fn heuristic_beta<B: Backend>(setup: &Setup<B>) {
    let x = setup.rounded(&clouds(150, 3, 4, 2.0, 70));
    let fit = KMeansConfig::new(4).fit(&setup.tensor(&x)).expect("a fit");
    let centroids = rows(fit.model.centroids());
    let margins = x.iter().map(|x| naive::margin(x, &centroids, naive::nearest(x, &centroids)));
    let expected = 150.0 / margins.sum::<f64>();
    let found = fit.model.beta().expect("β");
    assert!((found - expected).abs() < 10.0 * setup.tolerance * expected, "{found}, {expected}");
    let again = setup.kmeans(&centroids).with_heuristic_beta(&setup.tensor(&x)).expect("valid");
    assert_close(&[again.beta().expect("β")], &[found], setup.tolerance * found, "given data");
    assert_eq!(setup.kmeans(&centroids).beta(), None);
    assert_eq!(setup.kmeans(&centroids).with_beta(0.5).expect("valid").beta(), Some(0.5));
    assert!(setup.kmeans(&centroids).with_beta(f64::NAN).is_err());
    assert!(setup.kmeans(&centroids).with_beta(-1.0).is_err());
}

pub fn scalers<B: Backend>(setup: &Setup<B>) {
    let mut x = random_rows(50, 3, 5.0, 80);
    for row in &mut x {
        row[1] = 0.1;
    }
    let x = setup.rounded(&x);
    let column = |i: usize| x.iter().map(move |row| row[i]);
    let tensor = setup.tensor(&x);

    let minmax = Scale::MinMax.fit(&tensor).and_then(|s| s.transform(&tensor));
    let standard = Scale::Standard.fit(&tensor).and_then(|s| s.transform(&tensor));
    let (minmax, standard) = (rows(minmax.expect("valid")), rows(standard.expect("valid")));
    for i in [0, 2] {
        let (least, most) =
            (column(i).fold(f64::MAX, f64::min), column(i).fold(f64::MIN, f64::max));
        let mean = column(i).sum::<f64>() / 50.0;
        let deviation = (column(i).map(|v| (v - mean).powi(2)).sum::<f64>() / 50.0).sqrt();
        for (row, value) in column(i).enumerate() {
            let expected = (value - least) / (most - least);
            assert!((minmax[row][i] - expected).abs() < setup.tolerance);
            let expected = (value - mean) / deviation;
            assert!((standard[row][i] - expected).abs() < 5.0 * setup.tolerance);
        }
    }
    // A constant feature scales to 0, on new data too.
    assert!(minmax.iter().chain(&standard).all(|row| row[1] == 0.0));
    let scaler = Scale::Standard.fit(&tensor).expect("valid");
    let new = scaler.transform(&setup.tensor(&vec![vec![1.0, 77.0, 1.0]])).expect("valid");
    assert_eq!(rows(new)[0][1], 0.0);
    let same = Scale::None.fit(&tensor).and_then(|s| s.transform(&tensor)).expect("valid");
    assert_eq!(values(same), values(tensor));

    let error = scaler.transform(&setup.tensor(&vec![vec![1.0, 2.0]])).expect_err("two columns");
    assert!(error.to_string().contains("[1, 2]"), "{error}");
    if setup.dtype == DType::F64 {
        let error =
            scaler.transform(&setup.tensor(&x).cast(DType::F32)).expect_err("another precision");
        assert!(error.to_string().contains("F32"), "{error}");
    }
}
