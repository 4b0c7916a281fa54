//! The kernels for data in host memory: odd sizes, other layouts, any number
//! of threads.

use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use neuralize::cluster::{FitOptions, KMeansConfig, Seeding};
use neuralize::explain::{Beta, Target};
use neuralize::network::Network;

use super::naive::{self, Question};
use super::{Rows, Setup, assert_close, assert_rows_close, indices, random_rows, rows, values};

fn bits(values: &[f64]) -> Vec<u64> {
    values.iter().map(|value| value.to_bits()).collect()
}

/// Without its feature, NdArray is a backend like any other.
fn has_kernels<B: Backend>(setup: &Setup<B>) -> bool {
    cfg!(feature = "ndarray") || B::name(&setup.device).contains("flex")
}

/// Sizes around those of registers, tiles, panels and blocks.
fn shapes(step: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    const ROWS: [usize; 9] = [1, 2, 3, 7, 8, 9, 31, 33, 257];
    const FEATURES: [usize; 11] = [1, 2, 3, 5, 15, 16, 17, 31, 33, 67, 130];
    const CLUSTERS: [usize; 13] = [1, 2, 3, 5, 15, 16, 17, 31, 47, 48, 49, 50, 97];
    (0..9 * 11 * 13).step_by(step).map(|i| (ROWS[i % 9], FEATURES[i / 9 % 11], CLUSTERS[i / 99]))
}

/// softmin shares of the competitors of c.
fn shares(distances: &[f64], c: usize, beta: f64) -> Vec<f64> {
    let others = || (0..distances.len()).filter(|k| *k != c);
    let least = others().map(|k| distances[k]).fold(f64::INFINITY, f64::min);
    let weight = |k: usize| (-beta * (distances[k] - least)).exp();
    let total: f64 = others().map(weight).sum();
    (0..distances.len()).map(|k| if k == c { 0.0 } else { weight(k) / total }).collect()
}

/// Everything a model says, for many sizes.
pub fn odd_sizes<B: Backend>(setup: &Setup<B>) {
    for (n, d, k) in shapes(17).chain([(300, 128, 65), (9, 97, 64)]) {
        let seed = (n + 1000 * d + 1_000_000 * k) as u64;
        let x = setup.rounded(&random_rows(n, d, 0.3, seed));
        let centroids = setup.rounded(&random_rows(k, d, 0.3, seed + 1));
        let (kmeans, tensor) = (setup.kmeans(&centroids), setup.tensor(&x));
        let what = format!("{n} × {d} × {k}");

        let distances: Rows = x
            .iter()
            .map(|x| centroids.iter().map(|c| naive::squared_distance(x, c)).collect())
            .collect();
        let most = distances.iter().flatten().fold(1.0, |a: f64, &b| a.max(b));
        let error = setup.tolerance * most;
        let transformed = rows(kmeans.transform(&tensor).expect("valid"));
        let labels = indices(kmeans.predict(&tensor).expect("valid"));
        for i in 0..n {
            let least = distances[i].iter().copied().fold(f64::INFINITY, f64::min);
            assert!(distances[i][labels[i]] <= least + error, "{what}: label of row {i}");
            for (found, expected) in transformed[i].iter().zip(&distances[i]) {
                assert!((found - expected).abs() <= error, "{what}: {found} {expected}");
            }
        }
        if k == 1 {
            continue;
        }

        let network = kmeans.neuralize().expect("K > 1");
        let (cluster, logit) = network.predict_with_logit(&tensor).expect("valid");
        assert_eq!(indices(cluster), labels, "{what}");
        assert_eq!(indices(network.predict(&tensor).expect("valid")), labels, "{what}");
        let (logit, table) = (values(logit), rows(network.forward(tensor.clone()).expect("valid")));
        for i in 0..n {
            for c in 0..k {
                let others = (0..k).filter(|other| *other != c);
                let other = others.map(|k| distances[i][k]).fold(f64::INFINITY, f64::min);
                let margin = other - distances[i][c];
                let found = table[i][c];
                assert!(
                    (found - margin).abs() <= 2.0 * error,
                    "{what}: {i}, {c}: {found} {margin}"
                );
                if c == labels[i] {
                    assert!((logit[i] - margin).abs() <= 2.0 * error, "{what}: logit of {i}");
                }
            }
        }

        let beta = 2.0 / most;
        for (target, beta) in [
            (Target::Assigned, 0.0),
            (Target::Assigned, beta),
            (Target::Assigned, f64::INFINITY),
            (Target::Cluster(k - 1), beta),
            (Target::Contrast { cluster: 0, versus: k - 1 }, beta),
        ] {
            let found = network.explain(&tensor, target, Beta::Value(beta)).expect("valid");
            let (relevance, logit) = (rows(found.relevance), values(found.logit));
            let (cluster, found) = (indices(found.cluster), rows(found.shares));
            for (i, x) in x.iter().enumerate() {
                let what = format!("{what}: {target:?}, {beta}, row {i}");
                let (c, question) = match target {
                    Target::Cluster(c) => (c, Question::Soft(c)),
                    Target::Contrast { cluster, versus } => {
                        (cluster, Question::Against(cluster, versus))
                    }
                    _ => (labels[i], Question::Soft(labels[i])),
                };
                assert_eq!(cluster[i], c, "{what}");
                let sum: f64 = relevance[i].iter().sum();
                assert!((sum - logit[i]).abs() <= 10.0 * error, "{what}: {sum} {}", logit[i]);
                let margin = match question {
                    Question::Soft(c) => naive::margin(x, &centroids, c),
                    Question::Against(c, k) => distances[i][k] - distances[i][c],
                };
                assert!((logit[i] - margin).abs() <= 2.0 * error, "{what}");
                // Where rounding decides who is near, there is no twin.
                let mut ordered: Vec<f64> =
                    (0..k).filter(|k| *k != c).map(|k| distances[i][k]).collect();
                ordered.sort_by(f64::total_cmp);
                let close = ordered.len() > 1 && ordered[1] - ordered[0] < 4.0 * error;
                let soft = matches!(question, Question::Soft(_));
                if margin.abs() < 0.01 * most || soft && (margin < 0.0 || close) {
                    continue;
                }
                let stiffness = beta.min(1e300);
                let twin = naive::neon(x, &centroids, &question, stiffness);
                for (r, expected) in relevance[i].iter().zip(&twin) {
                    assert!((r - expected).abs() <= 50.0 * error, "{what}: {r} {expected}");
                }
                let expected = match question {
                    Question::Soft(c) => shares(&distances[i], c, stiffness),
                    Question::Against(_, k) => (0..distances[i].len())
                        .map(|other| f64::from(u8::from(other == k)))
                        .collect(),
                };
                for (share, expected) in found[i].iter().zip(&expected) {
                    let right = (share - expected).abs() <= 20.0 * setup.tolerance;
                    assert!(right, "{what}: {share} {expected}");
                }
            }
        }
    }
}

/// One step from given centroids, with weights, some of them zero.
pub fn one_lloyd_step<B: Backend>(setup: &Setup<B>) {
    // The last two have large sums, the last one the filter's shape.
    for (n, d, k) in [(40, 1, 3), (500, 17, 47), (260, 5, 2), (40, 1100, 30), (400, 128, 257)] {
        let x = setup.rounded(&random_rows(n, d, 2.0, (n * d) as u64));
        let start: Rows = x[..k].to_vec();
        // The rows that centroids start from have weight, so no cluster is empty.
        let weights: Vec<f64> =
            (0..n).map(|i| if i < k { 1.5 } else { [0.0, 1.0, 0.25, 4.0][i % 4] }).collect();
        let mut sums = vec![vec![0.0; d]; k];
        let mut totals = vec![0.0; k];
        for (x, weight) in x.iter().zip(&weights) {
            let own = naive::nearest(x, &start);
            totals[own] += weight;
            sums[own].iter_mut().zip(x).for_each(|(sum, x)| *sum += weight * x);
        }
        for (sums, total) in sums.iter_mut().zip(&totals) {
            sums.iter_mut().for_each(|sum| *sum /= total);
        }
        let options = FitOptions::default()
            .with_initial_centroids(setup.tensor(&start))
            .with_weights(setup.column(&weights));
        let config = KMeansConfig::new(k).with_max_iter(1).with_tol(0.0);
        let fit = config.fit_with(&setup.tensor(&x), options).expect("a fit");
        assert_eq!((fit.n_iter, fit.seeding), (1, Seeding::Given));
        let found = rows(fit.model.centroids());
        assert_rows_close(&found, &sums, setup.tolerance, "centroids");
        let labels = indices(fit.labels);
        let mut inertia = 0.0;
        for (i, (x, weight)) in x.iter().zip(&weights).enumerate() {
            let own = naive::squared_distance(x, &found[labels[i]]);
            let least = naive::squared_distance(x, &found[naive::nearest(x, &found)]);
            assert!(own <= least + 50.0 * setup.tolerance * d as f64, "row {i}: {own} {least}");
            inertia += weight * own;
        }
        assert!((fit.inertia - inertia).abs() <= 10.0 * setup.tolerance * inertia);
    }
}

/// A view whose rows are columns in memory is read as what it stands for.
pub fn a_transposed_view<B: Backend>(setup: &Setup<B>) {
    for (n, d, k) in [(37, 5, 4), (70, 100, 65)] {
        let x = random_rows(n, d, 1.0, 5);
        let columns: Rows = (0..d).map(|j| x.iter().map(|row| row[j]).collect()).collect();
        let says = |x: &Tensor<B, 2>| {
            let fit = KMeansConfig::new(k).with_max_iter(3).fit(x).expect("a fit");
            let network = fit.model.neuralize().expect("K > 1");
            let found = network.explain(x, Target::Assigned, Beta::Heuristic).expect("valid");
            let parts = [
                values(fit.model.centroids()),
                values(fit.model.transform(x).expect("valid")),
                values(network.forward(x.clone()).expect("valid")),
                values(found.relevance),
                values(found.shares),
                vec![fit.inertia, fit.model.beta().expect("β")],
            ];
            (indices(fit.labels), parts)
        };
        // Tensor operations add up in an order that depends on the layout.
        let same = |a: &(Vec<usize>, [Vec<f64>; 6]), b: &(Vec<usize>, [Vec<f64>; 6]), what| {
            assert_eq!(a.0, b.0, "{what}: labels");
            for (a, b) in a.1.iter().zip(&b.1) {
                if has_kernels::<B>(setup) {
                    assert_eq!(bits(a), bits(b), "{what}");
                } else {
                    let most = a.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
                    assert_close(a, b, 10.0 * setup.tolerance * most, what);
                }
            }
        };
        let whole = says(&setup.tensor(&x));
        same(&whole, &says(&setup.tensor(&columns).transpose()), "transposed");
        let padded: Rows = x.iter().map(|row| [&[7.0], &row[..], &[9.0]].concat()).collect();
        same(&whole, &says(&setup.tensor(&padded).slice([0..n, 1..d + 1])), "a slice");
    }
}

/// Labels and the bits of everything else that a fit and an explanation give.
fn all_bits<B: Backend>(
    setup: &Setup<B>,
    x: &Rows,
    k: usize,
    max_iter: usize,
    start: Option<&Rows>,
) -> (Vec<usize>, Vec<Vec<u64>>) {
    let tensor = setup.tensor(x);
    let mut options = FitOptions::default();
    if let Some(start) = start {
        options = options.with_initial_centroids(setup.tensor(start));
    }
    let config = KMeansConfig::new(k).with_max_iter(max_iter).with_seed(3);
    let fit = config.fit_with(&tensor, options).expect("a fit");
    let few = tensor.slice([0..x.len().min(500), 0..x[0].len()]);
    let network = fit.model.neuralize().expect("K > 1");
    let found = network.explain(&few, Target::Assigned, Beta::Value(0.1)).expect("valid");
    let numbers = [
        values(fit.model.centroids()),
        vec![fit.inertia, fit.model.beta().expect("β")],
        values(found.relevance),
        values(found.logit),
        values(found.shares),
        values(network.forward(few).expect("valid")),
    ];
    (indices(fit.labels), numbers.iter().map(|part| bits(part)).collect())
}

/// To the last bit.
pub fn threads_make_no_difference<B: Backend>(setup: &Setup<B>) {
    let crowded = |n: usize, d: usize| -> Rows {
        let mut x = random_rows(n, d, 0.0, 8);
        let centre = x[0].clone();
        for row in x.iter_mut().skip(n / 10) {
            row.iter_mut().zip(&centre).for_each(|(value, c)| *value = c + 0.01 * *value);
        }
        x
    };
    for (x, k, max_iter, given) in [
        // Small sums, and seeds among all rows.
        (random_rows(3000, 5, 1.0, 7), 7, 20, false),
        // Seeds from a sample.
        (random_rows(9000, 3, 1.0, 9), 6, 10, false),
        // The filter.
        (random_rows(700, 100, 1.0, 7), 70, 2, false),
        // Large sums, nearly all of one cluster.
        (crowded(4700, 1100), 30, 1, true),
    ] {
        if given && setup.dtype == DType::F64 {
            continue;
        }
        let start = given.then(|| x[..k].to_vec());
        let with = |threads: usize| {
            let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build();
            pool.expect("threads").install(|| all_bits(setup, &x, k, max_iter, start.as_ref()))
        };
        let alone = with(1);
        for threads in [2, 3, 7] {
            assert!(alone == with(threads), "{threads} threads, {k} clusters");
        }
    }
}

/// The kernels are the same for every backend in host memory, so the centroids
/// of a fit are. The centre of a model, inertia and β end in sums that the
/// backend adds up.
#[cfg(feature = "ndarray")]
pub fn same_bits<A: Backend, B: Backend>(dtype: DType) {
    let (a, b) = (Setup::<A>::new(dtype), Setup::<B>::new(dtype));
    for (n, d, k) in [(600, 5, 7), (9000, 3, 6), (300, 100, 70)] {
        let x = random_rows(n, d, 1.0, 17);
        let (left, right) = (all_bits(&a, &x, k, 5, None), all_bits(&b, &x, k, 5, None));
        assert_eq!(left.0, right.0, "{n} × {d} × {k}: labels");
        let parts = ["centroids", "inertia and β", "relevance", "logit", "shares", "forward"];
        for (what, (left, right)) in parts.iter().zip(left.1.iter().zip(&right.1)) {
            if *what == "centroids" {
                assert_eq!(left, right, "{n} × {d} × {k}: {what}");
            }
            let value = |bits: &Vec<u64>| -> Vec<f64> {
                bits.iter().copied().map(f64::from_bits).collect()
            };
            let (left, right) = (value(left), value(right));
            let most = left.iter().fold(0.0, |most: f64, value| most.max(value.abs()));
            assert_close(&left, &right, 10.0 * a.tolerance * most, what);
        }
    }
}

/// Clouds of unit spread at distances of 100 and more, the last one with few
/// rows; the cloud of every row.
fn planted(n: usize, d: usize, k: usize, rare: usize) -> (Rows, Vec<usize>) {
    let cloud: Vec<usize> = (0..n).map(|i| if i < rare { k - 1 } else { i % (k - 1) }).collect();
    let mut x = random_rows(n, d, 0.0, 23);
    for (row, cloud) in x.iter_mut().zip(&cloud) {
        for (j, value) in row.iter_mut().enumerate() {
            *value += 100.0 * (cloud / 3usize.pow(j as u32) % 3) as f64;
        }
    }
    (x, cloud)
}

pub fn seeds_from_a_sample_find_planted_clouds<B: Backend>(setup: &Setup<B>) {
    for (rare, seeds) in [(1000, 2), (60, 10)] {
        let (x, cloud) = planted(20_000, 5, 20, rare);
        let mut means = vec![vec![0.0; 5]; 20];
        let mut sizes = vec![0usize; 20];
        for (x, &cloud) in x.iter().zip(&cloud) {
            sizes[cloud] += 1;
            means[cloud].iter_mut().zip(x).for_each(|(mean, x)| *mean += x);
        }
        for (mean, size) in means.iter_mut().zip(&sizes) {
            mean.iter_mut().for_each(|mean| *mean /= *size as f64);
        }
        let truth: f64 =
            x.iter().zip(&cloud).map(|(x, &c)| naive::squared_distance(x, &means[c])).sum();
        sizes.sort_unstable();
        let tensor = setup.tensor(&x);
        for seed in 0..seeds {
            let fit = KMeansConfig::new(20).with_seed(seed).fit(&tensor).expect("a fit");
            let Seeding::SampledKMeansPlusPlus { sample } = fit.seeding else {
                panic!("{:?}", fit.seeding);
            };
            assert!((4000..=4096).contains(&sample), "{sample}");
            let ratio = fit.inertia / truth;
            assert!((ratio - 1.0).abs() < 1e-4, "seed {seed}, {rare} rare rows: {ratio}");
            let mut found = fit.sizes.clone();
            found.sort_unstable();
            assert_eq!(found, sizes);
        }
    }
    for (n, k, sampled) in [(300, 3, false), (8192, 3, false), (8193, 3, true), (8193, 300, false)]
    {
        let fit =
            KMeansConfig::new(k).with_max_iter(1).fit(&setup.tensor(&random_rows(n, 2, 0.0, 1)));
        let seeding = fit.expect("a fit").seeding;
        let found = matches!(seeding, Seeding::SampledKMeansPlusPlus { .. });
        assert_eq!(found, sampled, "{n} rows, {k} clusters: {seeding:?}");
        assert!(sampled || seeding == Seeding::KMeansPlusPlus);
    }
}

/// As many different rows as clusters, some of them so rare that samples miss
/// them.
pub fn rare_rows_get_clusters<B: Backend>(setup: &Setup<B>) {
    let points = random_rows(12, 3, 5.0, 31);
    for rare in [false, true] {
        let mut cloud: Vec<usize> = (0..20_000).map(|i| i % if rare { 10 } else { 12 }).collect();
        if rare {
            (cloud[777], cloud[12_345]) = (10, 11);
        }
        let x: Rows = cloud.iter().map(|&c| points[c].clone()).collect();
        let tensor = setup.tensor(&x);
        for seed in 0..3 {
            let fit = KMeansConfig::new(12).with_seed(seed).fit(&tensor).expect("a fit");
            let size: f64 = x.iter().flatten().map(|value| value * value).sum();
            assert!(fit.inertia <= 1e-11 * size, "seed {seed}: {} of {size}", fit.inertia);
            let mut found = fit.sizes.clone();
            found.sort_unstable();
            let few = cloud.iter().filter(|&&c| c == 11).count();
            assert_eq!(found[0], few, "{found:?}");
        }
    }
}

/// Rows without weight are not there, however far away they are.
pub fn rows_without_weight_are_no_seeds<B: Backend>(setup: &Setup<B>) {
    for n in [500, 20_000] {
        let (mut x, _) = planted(n, 3, 6, n / 6);
        let weights: Vec<f64> = (0..n).map(|i| [0.0, 1.0, 2.0][(i / 5) % 3]).collect();
        for (row, weight) in x.iter_mut().zip(&weights) {
            if *weight == 0.0 {
                row.iter_mut().for_each(|value| *value += 1e5);
            }
        }
        let tensor = setup.tensor(&x);
        for seed in 0..3 {
            let options = FitOptions::default().with_weights(setup.column(&weights));
            let config = KMeansConfig::new(6).with_seed(seed);
            let fit = config.fit_with(&tensor, options).expect("a fit");
            let most = values(fit.model.centroids()).into_iter().fold(0.0, f64::max);
            assert!(most < 300.0, "{n} rows, seed {seed}: a centroid at {most}");
            let inertia = fit.inertia / weights.iter().sum::<f64>();
            assert!((2.0..4.0).contains(&inertia), "{n} rows, seed {seed}: {inertia}");
        }
    }
}

/// Rows whose squares are no f32, or that are none themselves, with a model
/// large enough for the products in 8 bits.
pub fn rows_beyond_single_precision<B: Backend>(setup: &Setup<B>) {
    let (n, d, k) = (40, 128, 65);
    let centroids = setup.rounded(&random_rows(k, d, 0.0, 1));
    let mut x: Rows = (0..n).map(|i| centroids[i].clone()).collect();
    let huge = if setup.dtype == DType::F64 { 1e30 } else { 1e15 };
    x[17].iter_mut().for_each(|value| *value *= huge);
    x[18].iter_mut().for_each(|value| *value *= 1e-40);
    let x = setup.rounded(&x);
    let kmeans = setup.kmeans(&centroids);
    let found = indices(kmeans.predict(&setup.tensor(&x)).expect("valid"));
    // Rows 17 and 18 have no single nearest centroid in f64 arithmetic.
    for (i, label) in found.into_iter().enumerate().filter(|(i, _)| *i != 17 && *i != 18) {
        assert_eq!(label, i);
    }
}
