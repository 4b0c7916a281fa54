//! Kernel densities: scores, networks and relevances against loops and figures of another program.

use burn::backend::Flex;
use burn::module::{Module, Param, ParamId};
use burn::record::{FullPrecisionSettings, NamedMpkFileRecorder};
use burn::tensor::DType;
use burn::tensor::backend::Backend;
use neuralize::cluster::Bandwidth;
use neuralize::outlier::{KernelDensity, KernelDensityConfig};
use neuralize::record::{
    load_burnpack, load_record, load_safetensors, save_burnpack, save_record, save_safetensors,
};

use crate::suite::naive::squared_distance;
use crate::suite::{
    Rows, Setup, assert_close, assert_rows_close, largest, random_rows, rows, values,
};

const GAMMAS: [f64; 5] = [0.0, 1e-3, 0.3, 5.0, f64::INFINITY];

fn density<B: Backend>(setup: &Setup<B>, supports: &Rows, gamma: f64) -> KernelDensity<B> {
    KernelDensity::from_supports(setup.tensor(supports), gamma).expect("valid supports")
}

/// o = −(1/γ) log mean_j exp(−γ h_j), with its limits.
fn score(x: &[f64], supports: &Rows, gamma: f64) -> f64 {
    let h: Vec<f64> = supports.iter().map(|u| squared_distance(x, u)).collect();
    let least = h.iter().copied().fold(f64::INFINITY, f64::min);
    if gamma == 0.0 {
        return h.iter().sum::<f64>() / h.len() as f64;
    }
    if gamma.is_infinite() {
        return least;
    }
    let mean = h.iter().map(|h| (-gamma * (h - least)).exp()).sum::<f64>() / h.len() as f64;
    least - mean.ln() / gamma
}

/// R_i = Σ_j (x_i − u_ji)²/‖x − u_j‖² softmin_j(γ h) o; what is at the place of
/// x hands its share to the others in proportion.
fn relevance(x: &[f64], supports: &Rows, gamma: f64) -> Vec<f64> {
    let gamma_or_large = gamma.min(1e12);
    let o = score(x, supports, gamma);
    let apart: Vec<(&Vec<f64>, f64)> =
        supports.iter().map(|u| (u, squared_distance(x, u))).filter(|(_, h)| *h > 0.0).collect();
    let least = apart.iter().map(|(_, h)| *h).fold(f64::INFINITY, f64::min);
    let weight = |h: f64| (-gamma_or_large * (h - least)).exp();
    let total: f64 = apart.iter().map(|(_, h)| weight(*h)).sum();
    let mut r = vec![0.0; x.len()];
    for (u, h) in apart {
        for i in 0..x.len() {
            r[i] += (x[i] - u[i]).powi(2) / h * weight(h) / total * o;
        }
    }
    r
}

/// What is left when the first support that equals x is left out.
fn without(x: &[f64], supports: &Rows) -> Rows {
    let mut left = supports.clone();
    if let Some(own) = left.iter().position(|u| u == x) {
        left.remove(own);
    }
    left
}

fn check<B: Backend>(setup: &Setup<B>, x: &Rows, supports: &Rows, gamma: f64, tolerance: f64) {
    let network = density(setup, supports, gamma).neuralize();
    let table = setup.tensor(x);
    let what = format!("gamma {gamma}");
    let found = network.explain(&table).expect("valid");
    let expected: Rows = x.iter().map(|x| relevance(x, supports, gamma)).collect();
    assert_rows_close(&rows(found.relevance.clone()), &expected, tolerance, &what);
    let scores: Vec<f64> = x.iter().map(|x| score(x, supports, gamma)).collect();
    for scored in [found.score, network.score(&table).expect("valid")] {
        for (found, expected) in values(scored).iter().zip(&scores) {
            let error = (found - expected).abs();
            assert!(error <= tolerance * expected, "{what}: {found} against {expected}");
        }
    }

    let found = network.explain_left_out(&table).expect("valid");
    let left: Vec<Rows> = x.iter().map(|x| without(x, supports)).collect();
    let expected: Rows = x.iter().zip(&left).map(|(x, u)| relevance(x, u, gamma)).collect();
    assert_rows_close(&rows(found.relevance), &expected, tolerance, &what);
    let again = values(network.score_left_out(&table).expect("valid"));
    assert_eq!(values(found.score.clone()), again);
    for ((x, u), found) in x.iter().zip(&left).zip(again) {
        let expected = score(x, u, gamma);
        let error = (found - expected).abs();
        assert!(error <= tolerance * expected, "{what}, left out: {found} against {expected}");
    }
}

pub fn outliers_equals_the_definition<B: Backend>(setup: &Setup<B>) {
    let supports = setup.rounded(&random_rows(50, 4, 0.3, 1));
    let mut x = setup.rounded(&random_rows(30, 4, 0.3, 2));
    // Some rows are supports, and one support is there twice.
    x.extend_from_slice(&supports[..6]);
    let mut twice = supports.clone();
    twice.push(supports[2].clone());
    for gamma in GAMMAS {
        check(setup, &x, &supports, gamma, 2.0 * setup.tolerance);
        check(setup, &x, &twice, gamma, 2.0 * setup.tolerance);
    }
}

/// Supports so near, and so far from the origin, that products alone would
/// leave no digit.
pub fn near_supports<B: Backend>(setup: &Setup<B>) {
    let mut supports = random_rows(20, 3, 100.0, 11);
    let mut x = Rows::new();
    for (i, u) in random_rows(20, 3, 100.0, 12).into_iter().enumerate() {
        let step = 10f64.powi(-(i as i32 % 4));
        x.push(u.iter().map(|u| u + step).collect());
        supports.push(u);
    }
    let (supports, x) = (setup.rounded(&supports), setup.rounded(&x));
    for gamma in [0.3, 5.0, f64::INFINITY] {
        check(setup, &x, &supports, gamma, 5.0 * setup.tolerance);
    }
}

pub fn outliers_conserves<B: Backend>(setup: &Setup<B>) {
    let tolerance = if setup.dtype == DType::F64 { 1e-11 } else { 2e-5 };
    let supports = setup.tensor(&random_rows(80, 6, 2.0, 21));
    let x = setup.tensor(&random_rows(40, 6, 2.5, 22));
    for gamma in GAMMAS {
        let network = KernelDensity::from_supports(supports.clone(), gamma).expect("valid");
        let network = network.neuralize();
        for found in [
            network.explain(&x).expect("valid"),
            network.explain(&supports).expect("valid"),
            network.explain_left_out(&supports).expect("valid"),
        ] {
            let scores = values(found.score.clone());
            for (row, score) in rows(found.relevance.clone()).iter().zip(&scores) {
                let size: f64 = row.iter().map(|r| r.abs()).sum();
                let error = (row.iter().sum::<f64>() - score).abs();
                assert!(error <= tolerance * size, "{gamma}: {error} of {size}");
                assert!(row.iter().all(|r| *r >= -tolerance * size), "{row:?}");
            }
            let worst = largest(values(found.conservation_error()));
            assert!(worst <= tolerance, "{worst}");
            assert_close(
                &values(found.sums()),
                &scores,
                tolerance * largest(scores.clone()),
                "Σ R",
            );
        }
    }
}

pub fn outliers_blocks_make_no_difference<B: Backend>(setup: &Setup<B>) {
    // Blocks are of 2^20 / 502 = 2088 rows and of 2^20 / 500 = 2097.
    let supports = random_rows(500, 2, 0.0, 31);
    let mut x = random_rows(4000, 2, 0.0, 32);
    x[2090] = supports[7].clone();
    let (x, network) = (setup.tensor(&x), density(setup, &supports, 0.8).neuralize());
    let all = network.explain_left_out(&x).expect("valid");
    let (relevance, scores) = (rows(all.relevance), values(all.score));
    let plain = values(network.score(&x).expect("valid"));
    assert_eq!((relevance.len(), scores.len(), plain.len()), (4000, 4000, 4000));
    for i in [0, 2087, 2088, 2090, 2097, 3999] {
        let row = x.clone().narrow(0, i, 1);
        let alone = network.explain_left_out(&row).expect("valid");
        let together = vec![relevance[i].clone()];
        assert_rows_close(&rows(alone.relevance), &together, 2.0 * setup.tolerance, "alone");
        assert_close(&values(alone.score), &scores[i..=i], 10.0 * setup.tolerance, "alone");
        let alone = values(network.score(&row).expect("valid"));
        assert_close(&alone, &plain[i..=i], 10.0 * setup.tolerance, "alone");
    }
    assert!(scores[2090] > plain[2090], "a support that is left out");
}

pub fn outliers_permutations<B: Backend>(setup: &Setup<B>) {
    let supports = random_rows(30, 5, 0.0, 41);
    let x = random_rows(20, 5, 0.5, 42);
    let features = [3, 0, 4, 1, 2];
    let pick = |table: &Rows| -> Rows {
        table.iter().map(|row| features.iter().map(|&i| row[i]).collect()).collect()
    };
    let explain = |x: &Rows, supports: &Rows| {
        let found = density(setup, supports, 0.4).neuralize().explain(&setup.tensor(x));
        rows(found.expect("valid").relevance)
    };
    let found = explain(&x, &supports);
    let again = explain(&pick(&x), &pick(&supports));
    assert_rows_close(&again, &pick(&found), setup.tolerance, "features");
    let mut other = supports;
    other.reverse();
    assert_rows_close(&explain(&x, &other), &found, setup.tolerance, "supports");
}

/// Rows moved along one feature have the highest scores, and that feature the
/// highest relevance.
pub fn planted_outliers<B: Backend>(setup: &Setup<B>) {
    let mut x = random_rows(200, 6, 1.0, 51);
    let planted = [(17, 2, 9.0), (90, 0, -9.0), (150, 5, 12.0)];
    for (row, feature, by) in planted {
        x[row][feature] += by;
    }
    let x = setup.tensor(&x);
    let density = KernelDensityConfig::new().fit(&x).expect("a density");
    let found = density.neuralize().explain_left_out(&x).expect("valid");
    let scores = values(found.score);
    let mut order: Vec<usize> = (0..200).collect();
    order.sort_by(|a, b| scores[*b].total_cmp(&scores[*a]));
    let mut first = order[..3].to_vec();
    first.sort_unstable();
    assert_eq!(first, [17, 90, 150]);
    for (row, (_, feature, _)) in rows(
        found.relevance.select(0, burn::tensor::Tensor::from_data([17, 90, 150], &setup.device)),
    )
    .iter()
    .zip(planted)
    {
        let strongest = (0..6).fold(0, |best, i| if row[i] > row[best] { i } else { best });
        assert_eq!(strongest, feature, "{row:?}");
        assert!(row[feature] > 0.5 * row.iter().sum::<f64>(), "{row:?}");
    }
    // As its own support, a point is never far off.
    let hidden = values(density.score(&x).expect("valid"));
    assert!(scores.iter().zip(&hidden).all(|(left_out, hidden)| left_out > hidden));
}

/// The mean number of neighbours, by the definition.
fn perplexity(x: &Rows, gamma: f64) -> f64 {
    let of = |i: usize| {
        let h: Vec<f64> =
            (0..x.len()).filter(|j| *j != i).map(|j| squared_distance(&x[i], &x[j])).collect();
        let least = h.iter().copied().fold(f64::INFINITY, f64::min);
        let weights: Vec<f64> = h.iter().map(|h| (-gamma * (h - least)).exp()).collect();
        let total: f64 = weights.iter().sum();
        let entropy: f64 =
            weights.iter().map(|w| w / total).filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum();
        entropy.exp()
    };
    (0..x.len()).map(of).sum::<f64>() / x.len() as f64
}

pub fn perplexity_is_reached<B: Backend>(setup: &Setup<B>) {
    for (n, mean, part) in [(120, 0.0, 0.25), (120, 50.0, 0.05), (40, 0.0, 0.9), (8, 0.0, 0.25)] {
        let x = setup.rounded(&random_rows(n, 3, mean, 61));
        let config = KernelDensityConfig::new().with_bandwidth(Bandwidth::Share(part));
        let density = config.fit(&setup.tensor(&x)).expect("a density");
        let (found, expected) = (perplexity(&x, density.gamma()), part * n as f64);
        assert!((found - expected).abs() < 1e-3 * expected, "{found} against {expected}");
    }
    // More rows than are looked at: a sample of them stands for all.
    let x = setup.rounded(&random_rows(1100, 2, 0.0, 62));
    let fit = |seed| KernelDensityConfig::new().with_seed(seed).fit(&setup.tensor(&x));
    let density = fit(1).expect("a density");
    let found = perplexity(&x, density.gamma());
    assert!((found - 275.0).abs() < 0.02 * 275.0, "{found} against 275");
    assert_eq!(density.gamma(), fit(1).expect("a density").gamma());

    // Some of the rows as supports.
    let config = KernelDensityConfig::new().with_max_supports(Some(100));
    let some = config.fit(&setup.tensor(&x)).expect("a density");
    assert_eq!((some.n_supports(), density.n_supports()), (100, 1100));
    let supports = rows(some.supports());
    assert!(supports.iter().all(|support| x.contains(support)));
    let found = perplexity(&supports, some.gamma());
    assert!((found - 25.0).abs() < 0.025, "{found} against 25");
    let again = config.fit(&setup.tensor(&x)).expect("a density");
    assert_eq!(rows(again.supports()), supports);
}

pub fn outliers_edges<B: Backend>(setup: &Setup<B>) {
    let supports = setup.rounded(&random_rows(10, 2, 0.0, 71));
    let model = density(setup, &supports, 1.0);
    let network = model.neuralize();
    let x = setup.tensor(&random_rows(5, 2, 0.0, 72));

    // No rows, one row, one feature, one support.
    let none = x.clone().slice([0..0, 0..2]);
    let found = network.explain(&none).expect("no rows");
    assert!(found.is_empty() && found.sums().dims() == [0]);
    assert_eq!(found.conservation_error().dims(), [0]);
    assert_eq!(network.score(&none).expect("no rows").dims(), [0]);
    assert_eq!(model.score_left_out(&none).expect("no rows").dims(), [0]);
    assert_eq!(network.explain(&x.clone().narrow(0, 0, 1)).expect("one row").len(), 1);
    check(setup, &vec![vec![2.0], vec![0.5]], &vec![vec![0.5], vec![-1.0]], 1.0, setup.tolerance);
    let one = density(setup, &vec![vec![1.0, 2.0]], 3.0);
    let at_it = one.neuralize().explain(&setup.tensor(&vec![vec![1.0, 2.0]])).expect("valid");
    assert_eq!((values(at_it.relevance), values(at_it.score)), (vec![0.0; 2], vec![0.0]));
    assert!(one.score_left_out(&x).expect_err("one").to_string().contains("two or more"));

    // Every support at the same place: no score there, distances elsewhere.
    let heap = density(setup, &vec![vec![0.1, 0.7]; 9], 0.5);
    let places = setup.tensor(&vec![vec![0.1, 0.7], vec![1.1, 0.7]]);
    for found in [
        heap.neuralize().explain(&places).expect("valid"),
        heap.neuralize().explain_left_out(&places).expect("valid"),
    ] {
        let (scores, relevance) = (values(found.score.clone()), rows(found.relevance.clone()));
        assert_eq!((scores[0], &relevance[0]), (0.0, &vec![0.0, 0.0]));
        assert!((scores[1] - 1.0).abs() < setup.tolerance, "{scores:?}");
        assert!((relevance[1][0] - 1.0).abs() < setup.tolerance, "{relevance:?}");
        assert!(values(found.conservation_error()).iter().all(|e| *e <= setup.tolerance));
    }

    // A stiffness under which all weights but the nearest underflow.
    let mut x = supports[..3].to_vec();
    x.push(vec![40.0, -30.0]);
    check(setup, &x, &supports, 1e5, 2.0 * setup.tolerance);

    // Constant features have no relevance.
    let flat = |table: &Rows| -> Rows { table.iter().map(|row| vec![row[0], 0.1]).collect() };
    let found = density(setup, &flat(&supports), 1.0)
        .neuralize()
        .explain(&setup.tensor(&flat(&x)))
        .expect("valid");
    for row in rows(found.relevance) {
        assert!(row[1].abs() <= setup.tolerance * row[0].abs(), "{row:?}");
    }

    // What is no data.
    for bad in [f64::NAN, f64::INFINITY] {
        let table = setup.tensor(&vec![vec![0.0, 0.0], vec![0.0, bad]]);
        let error = network.score(&table).expect_err("no number").to_string();
        assert!(error.contains("row 1, column 1"), "{error}");
        assert!(KernelDensityConfig::new().fit(&table).is_err());
        assert!(KernelDensity::from_supports(table, 1.0).is_err());
    }
    assert!(network.explain(&setup.tensor(&vec![vec![0.0; 3]])).is_err());
}

pub fn outliers_bad_settings<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(20, 2, 0.0, 81));
    let config = || KernelDensityConfig::new();
    let perplexity = |part| config().with_bandwidth(Bandwidth::Share(part));
    for (config, name) in [
        (config().with_max_supports(Some(0)), "max_supports"),
        (config().with_bandwidth(Bandwidth::Gamma(-1.0)), "gamma"),
        (config().with_bandwidth(Bandwidth::Gamma(f64::NAN)), "gamma"),
        (perplexity(0.0), "perplexity"),
        (perplexity(1.5), "perplexity"),
        (perplexity(f64::NAN), "perplexity"),
    ] {
        let error = config.fit(&x).expect_err(name).to_string();
        assert!(error.starts_with(name), "{error}");
    }
    // Shares of so few rows that there is none are the nearest that there is.
    for config in [perplexity(1.0), perplexity(0.05), config().with_max_supports(Some(2))] {
        assert!(config.fit(&x).is_ok());
    }
    for n in [2, 3, 4] {
        assert!(config().fit(&x.clone().slice([0..n, 0..2])).is_ok(), "{n} rows");
    }
    // One far row is no reason to see the others as one.
    let mut far = random_rows(80, 2, 0.0, 82);
    let gamma = |rows: &Rows| config().fit(&setup.tensor(rows)).expect("a density").gamma();
    let near = gamma(&far);
    far.push(vec![1e4, -1e4]);
    assert!((gamma(&far) / near - 1.0).abs() < 0.2, "{} and {near}", gamma(&far));
    // A support next to nothing away, which no quotient of the precision can hold.
    let tiny = if setup.tolerance < 1e-9 { 1e-160 } else { 1e-21 };
    let close = vec![vec![0.0, 0.0], vec![tiny, 0.0], vec![1.0, 2.0], vec![3.0, -1.0]];
    let network = density(setup, &close, 1.0).neuralize();
    for found in
        [network.explain(&setup.tensor(&close)), network.explain_left_out(&setup.tensor(&close))]
    {
        let found = found.expect("explained");
        assert!(values(found.relevance).iter().all(|relevance| relevance.is_finite()));
        assert!(values(found.score).iter().all(|score| score.is_finite()));
    }
    // Rows that are all equal, or most of them.
    for apart in [0, 3] {
        let mut rows = vec![vec![0.1, 0.7]; 20];
        for (i, row) in rows.iter_mut().take(apart).enumerate() {
            row[0] += 1.0 + i as f64;
        }
        let error = config().fit(&setup.tensor(&rows)).expect_err("equal rows").to_string();
        assert!(error.contains("equal") && error.contains("gamma as a number"), "{error}");
        let gamma = config().with_bandwidth(Bandwidth::Gamma(1.0));
        assert!(gamma.fit(&setup.tensor(&rows)).is_ok());
    }
    assert!(KernelDensity::from_supports(x.clone().slice([0..0, 0..2]), 1.0).is_err());
    assert!(KernelDensity::from_supports(x, f64::NAN).is_err());
}

pub fn outliers_records<B: Backend>(setup: &Setup<B>) {
    let x = setup.tensor(&random_rows(30, 3, 0.0, 91));
    let model = KernelDensityConfig::new().fit(&x).expect("a density");
    let folder = tempfile::tempdir().expect("a temporary folder");
    let path = |name: &str| folder.path().join(name);
    let explain = |model: &KernelDensity<B>| {
        let found = model.neuralize().explain_left_out(&x).expect("valid");
        (rows(found.relevance), values(found.score))
    };
    save_burnpack(&model, path("d.bpk")).expect("saved");
    save_safetensors(&model, path("d.safetensors")).expect("saved");
    let pack: KernelDensity<B> =
        load_burnpack(path("d.bpk"), &setup.device, setup.dtype).expect("loaded");
    let tensors: KernelDensity<B> =
        load_safetensors(path("d.safetensors"), &setup.device, setup.dtype).expect("loaded");
    for loaded in [pack, tensors] {
        assert_eq!(rows(loaded.supports()), rows(model.supports()));
        assert_eq!(loaded.gamma(), model.gamma());
        assert_eq!(explain(&loaded), explain(&model));
    }
    let recorder = NamedMpkFileRecorder::<FullPrecisionSettings>::new();
    let file = save_record(&model, path("d"), &recorder).expect("saved");
    let loaded: KernelDensity<B> =
        load_record(&file, &recorder, &setup.device, setup.dtype).expect("loaded");
    match setup.dtype {
        DType::F32 => assert_eq!(explain(&loaded), explain(&model)),
        _ => {
            // The rows are no longer the supports number for number.
            assert_rows_close(&rows(loaded.supports()), &rows(model.supports()), 1e-6, "in f32");
            assert!((loaded.gamma() - model.gamma()).abs() < 1e-6 * model.gamma());
        }
    }

    // Loaded by Burn without a word, and refused afterwards.
    for bad in [vec![-1.0], vec![f64::NAN], vec![1.0, 1.0]] {
        let mut record = model.clone().into_record();
        record.gamma = Param::initialized(ParamId::new(), setup.column(&bad));
        assert!(model.clone().load_record(record).checked().is_err(), "{bad:?}");
    }
    let mut record = model.clone().into_record();
    let bad = setup.tensor(&vec![vec![0.0, f64::NAN, 0.0]]);
    record.supports = Param::initialized(ParamId::new(), bad);
    assert!(model.clone().load_record(record).checked().is_err());

    for name in ["d.bpk", "d.safetensors", "d.mpk"] {
        let bytes = std::fs::read(path(name)).expect("a file");
        for cut in (0..bytes.len()).step_by(bytes.len() / 6 + 1) {
            std::fs::write(path(name), &bytes[..cut]).expect("written");
            let loaded: neuralize::Result<KernelDensity<B>> = match name {
                "d.bpk" => load_burnpack(path(name), &setup.device, setup.dtype),
                "d.mpk" => load_record(path(name), &recorder, &setup.device, setup.dtype),
                _ => load_safetensors(path(name), &setup.device, setup.dtype),
            };
            assert!(loaded.is_err(), "{name} cut at {cut}");
        }
    }
    save_burnpack(&setup.kmeans(&vec![vec![0.0], vec![1.0]]), path("k.bpk")).expect("saved");
    let wrong =
        load_burnpack::<Flex, KernelDensity<Flex>>(path("k.bpk"), &Default::default(), DType::F32);
    assert!(wrong.is_err());
}
