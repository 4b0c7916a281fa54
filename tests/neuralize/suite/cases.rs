//! Explained points on the host, and what is made of them for people.

use burn::tensor::backend::Backend;
use neuralize::cases::Cases;
use neuralize::explain::Tally;
use neuralize::prelude::*;

use super::{Rows, Setup, assert_close, random_rows, rows, values};

fn table(rows: &Rows) -> Table {
    let names = (0..rows[0].len()).map(|i| format!("f{i}")).collect();
    Table::new(names, rows.concat()).expect("a table")
}

fn model<B: Backend>(setup: &Setup<B>, data: &Rows, scale: Scale, clusters: usize) -> Model<B> {
    let x = setup.tensor(data);
    let scaler = scale.fit(&x).expect("a scaler");
    let scaled = scaler.transform(&x).expect("scaled");
    let fit = KMeansConfig::new(clusters).fit(&scaled).expect("a fit");
    let info = ModelInfo::new(table(data).features());
    Model::new(scaler, fit.model, info).expect("a model")
}

/// Everything in the units of the data or of the clusterer, and what sums to what.
pub fn cases_hold_what_was_explained<B: Backend>(setup: &Setup<B>) {
    let data = setup.rounded(&random_rows(90, 4, 5.0, 31));
    let model = model(setup, &data, Scale::Standard, 4);
    let found = Cases::explain(&model, &table(&data), Target::Assigned, Beta::Value(0.5));
    let found = found.expect("explained");
    assert_eq!((found.len(), found.n_features(), found.n_clusters()), (90, 4, 4));
    assert_eq!(found.values, data.concat());
    for case in 0..90 {
        let distance = |k: usize| -> f64 {
            let pairs = found.scaled_of(case).iter().zip(found.scaled_centroid_of(k));
            pairs.map(|(x, m)| (x - m).powi(2)).sum()
        };
        let mut order: Vec<usize> = (0..4).collect();
        order.sort_by(|a, b| distance(*a).total_cmp(&distance(*b)));
        assert_eq!((found.cluster[case], found.competitor[case]), (order[0], order[1]));
        let logit = distance(order[1]) - distance(order[0]);
        let tolerance = 200.0 * setup.tolerance;
        assert!((found.logit[case] - logit).abs() < tolerance);
        assert!((found.relevance_of(case).iter().sum::<f64>() - logit).abs() < tolerance);
        assert!((found.probability[case] - 1.0 / (1.0 + (-logit).exp())).abs() < tolerance);
    }
    assert!(found.relevance_of(90).is_empty() && found.misplaced().is_empty());

    // The second nearest is the competitor of a point that is asked about another cluster.
    let outside =
        Cases::explain(&model, &table(&data), Target::Cluster(2), Beta::Heuristic).expect("valid");
    for case in 0..90 {
        let expected = match found.cluster[case] {
            2 => found.competitor[case],
            own => own,
        };
        assert_eq!((outside.cluster[case], outside.competitor[case]), (2, expected));
    }

    let error = Cases::explain(&model, &Table::wine(), Target::Assigned, Beta::Heuristic);
    let error = error.expect_err("other columns").to_string();
    assert!(error.contains("not the model's features, f0, f1, f2, f3"), "{error}");
}

/// Scaling and back, for every scale; constant features come back as what they were.
pub fn scaling_and_back<B: Backend>(setup: &Setup<B>) {
    let mut data = setup.rounded(&random_rows(40, 3, 100.0, 32));
    for row in &mut data {
        row[1] = 7.0;
    }
    let x = setup.tensor(&data);
    for scale in [Scale::None, Scale::MinMax, Scale::Standard] {
        let scaler = scale.fit(&x).expect("a scaler");
        let back = scaler.inverse(&scaler.transform(&x).expect("scaled")).expect("back");
        assert_close(&values(back), &data.concat(), 200.0 * setup.tolerance, "scaling and back");
    }
    let scaler = Scale::MinMax.fit(&x).expect("a scaler");
    assert!(scaler.inverse(&setup.tensor(&vec![vec![0.0; 4]])).is_err());
}

/// A tally of parts is that of the whole, and its deviation the one written out:
/// also where relevances are large and differ little.
pub fn a_tally_of_parts<B: Backend>(setup: &Setup<B>) {
    let mut data = setup.rounded(&random_rows(70, 3, 1.0, 33));
    for (i, row) in data.iter_mut().enumerate() {
        row[2] = 900.0 * (i % 3) as f64 + row[2] * 0.01;
    }
    let data = setup.rounded(&data);
    let network = model(setup, &data, Scale::None, 3).neuralize().expect("K > 1");
    let explain = |rows: &Rows| {
        network.explain(&setup.tensor(rows), Target::Assigned, Beta::Value(1.0)).expect("valid")
    };
    let whole = explain(&data);
    let mut tally = Tally::new(3, 3);
    for part in data.chunks(17) {
        tally.add(&explain(&part.to_vec())).expect("of its size");
    }
    let relevance = rows(whole.relevance.clone());
    let cluster = super::indices(whole.cluster.clone());
    for (part, expected) in tally.per_cluster().iter().zip(whole.per_cluster()) {
        assert_eq!(part.points, expected.points);
        let size = expected.mean_magnitude.iter().fold(1.0f64, |a, b| a.max(*b));
        let tolerance = setup.tolerance * size;
        assert_close(&part.mean_relevance, &expected.mean_relevance, tolerance, "mean");
        assert_close(&part.mean_magnitude, &expected.mean_magnitude, tolerance, "magnitude");
        let own: Vec<usize> = (0..70).filter(|&i| cluster[i] == part.cluster).collect();
        for (feature, found) in part.deviation.iter().enumerate() {
            let mean = own.iter().map(|&i| relevance[i][feature]).sum::<f64>() / own.len() as f64;
            let square = own.iter().map(|&i| (relevance[i][feature] - mean).powi(2)).sum::<f64>();
            let deviation = (square / own.len() as f64).sqrt();
            // As the relevances are known: to the tolerance of their size.
            let size = own.iter().map(|&i| relevance[i][feature].abs()).fold(0.0, f64::max);
            assert!(
                (found - deviation).abs() < 1e-3 * deviation + 1e-2 * setup.tolerance * size,
                "{found} against {deviation}"
            );
        }
    }
    assert!(Tally::new(2, 3).add(&whole).is_err() && Tally::new(3, 2).add(&whole).is_err());
}

/// Long sums in single precision drift; equal relevances have no deviation all
/// the same, and later ones may be much larger.
pub fn a_tally_of_many<B: Backend>(setup: &Setup<B>) {
    let network = setup.kmeans(&vec![vec![-1.0], vec![1.0]]).neuralize().expect("K > 1");
    let explain = |rows: &Rows| {
        network.explain(&setup.tensor(rows), Target::Assigned, Beta::Value(0.0)).expect("valid")
    };
    let mut tally = Tally::new(2, 1);
    let same: Rows = (0..60_000).map(|i| vec![if i % 2 == 0 { 0.1 } else { -0.73 }]).collect();
    tally.add(&explain(&same)).expect("of its size");
    for (summary, expected) in tally.per_cluster().iter().zip([2.92, 0.4]) {
        let size = expected * setup.tolerance;
        assert!((summary.mean_relevance[0] - expected).abs() < size, "{summary:?}");
        assert!(summary.deviation[0] < size, "{summary:?}");
    }
    let (small, large) = (1e-2, 1e15);
    let mut tally = Tally::new(2, 1);
    tally.add(&explain(&vec![vec![small]; 100])).expect("of its size");
    tally.add(&explain(&vec![vec![large], vec![2.0 * large]])).expect("of its size");
    // R = 4 x; of 102 values two are large.
    let mean = 4.0 * 3.0 * large / 102.0;
    let squares = (4.0 * large - mean).powi(2) + (8.0 * large - mean).powi(2);
    let expected = ((squares + 100.0 * mean.powi(2)) / 102.0).sqrt();
    let found = tally.per_cluster()[1].deviation[0];
    assert!((found / expected - 1.0).abs() < 1e-4, "{found:e} against {expected:e}");
}

/// The two directions of largest variance: perpendicular, of length one, and no
/// direction in between or beside them has more.
#[cfg(feature = "pca")]
pub fn planes<B: Backend>(setup: &Setup<B>) {
    use neuralize::data::Plane;
    let cloud = |n: usize, d: usize, seed: u64| -> Rows {
        let mut rows = random_rows(n, d, 2.0, seed);
        for row in &mut rows {
            row.iter_mut().enumerate().for_each(|(i, x)| *x *= 1.0 + (d - i) as f64);
        }
        setup.rounded(&rows)
    };
    for (n, d) in [(60, 5), (8, 30), (2, 3)] {
        let data = cloud(n, d, (n + d) as u64);
        let x = setup.tensor(&data);
        let plane = Plane::fit(&x).expect("a plane");
        let [first, second] = plane.explained();
        assert!(first >= second && second >= 0.0 && first + second <= 1.0 + 1e-6);
        let places = rows(plane.project(&x).expect("places"));
        let total: f64 = (0..d)
            .map(|i| {
                let mean = data.iter().map(|row| row[i]).sum::<f64>() / n as f64;
                data.iter().map(|row| (row[i] - mean).powi(2)).sum::<f64>()
            })
            .sum();
        for (axis, share) in [first, second].into_iter().enumerate() {
            let along: f64 = places.iter().map(|place| place[axis].powi(2)).sum();
            assert!((along / total - share).abs() < 1e3 * setup.tolerance, "{n} × {d}");
        }
        let across: f64 = places.iter().map(|place| place[0] * place[1]).sum();
        assert!(across.abs() < 1e3 * setup.tolerance * total, "uncorrelated: {across}");
        assert!(plane.project(&setup.tensor(&vec![vec![0.0; d + 1]])).is_err());
    }
    let same = Plane::fit(&setup.tensor(&vec![vec![3.0, 4.0]; 5])).expect("a point");
    assert_eq!(same.explained(), [0.0, 0.0]);
    let one = Plane::fit(&setup.tensor(&vec![vec![1.0], vec![2.0]])).expect("a line");
    assert!((one.explained()[0] - 1.0).abs() < 1e-6 && one.explained()[1] == 0.0);
    assert!(Plane::fit(&setup.tensor(&vec![vec![f64::NAN, 1.0]])).is_err());
}

#[cfg(not(feature = "pca"))]
pub fn planes<B: Backend>(_: &Setup<B>) {}
