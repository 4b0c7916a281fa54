//! Figures that independent programs have computed in double precision, from
//! the definitions and pair by pair (`tests/reference/*/make.py`).

use std::path::Path;

use burn::tensor::backend::Backend;
use neuralize::cluster::{GaussianMixture, KernelKMeans};
use neuralize::explain::{Beta, Explanation, Rule, Target};
use neuralize::network::Network;
use neuralize::outlier::KernelDensity;

use crate::suite::{Rows, Setup, assert_close, assert_rows_close, indices, rows, values};

/// The columns of a file from the given one on.
fn table(name: &str, first: usize) -> Rows {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference").join(name);
    let mut reader = csv::Reader::from_path(path).expect("a reference file");
    let number = |cell: &str| cell.parse().expect("a number");
    reader
        .records()
        .map(|row| row.expect("a row").iter().skip(first).map(number).collect())
        .collect()
}

fn column(name: &str, at: usize) -> Vec<usize> {
    table(name, at).iter().map(|row| row[0] as usize).collect()
}

fn moons() -> (Rows, Vec<usize>) {
    let points = table("moons/moons.csv", 0);
    (
        points.iter().map(|row| row[..2].to_vec()).collect(),
        points.iter().map(|row| row[2] as usize).collect(),
    )
}

/// The last column is the class.
fn wine() -> Rows {
    table("wine/wine_minmax.csv", 0).iter().map(|row| row[..13].to_vec()).collect()
}

/// f64: 1e-9 of Σ|R|; the files divide by numbers down to 1e-3. f32: 2e-4.
fn tolerance<B: Backend>(setup: &Setup<B>) -> f64 {
    if setup.tolerance < 1e-9 { 1e-9 } else { 2e-4 }
}

fn explained<B: Backend>(network: &dyn Network<B>, setup: &Setup<B>, x: &Rows) -> Explanation<B> {
    network.explain(&setup.tensor(x), Target::Assigned, Beta::Value(1.0)).expect("explained")
}

pub fn moons_by_hand<B: Backend>(setup: &Setup<B>) {
    let (points, labels) = moons();
    let model = KernelKMeans::from_supports(setup.tensor(&points), &labels, 10.0).expect("a model");
    let x = points[..60].to_vec();
    let near = tolerance(setup);
    let distances = rows(model.soft_distances(&setup.tensor(&x)).expect("distances"));
    assert_rows_close(&distances, &table("kernel/moons_distances.csv", 0), near, "distances");

    let network = model.neuralize().expect("two clusters");
    let logits = rows(network.forward(setup.tensor(&x)).expect("logits"));
    assert_rows_close(&logits, &table("kernel/moons_logits.csv", 2), near, "logits");
    let summed = network.clone().with_rule(Rule::Summed).expect("a rule");
    let summed = explained(&summed, setup, &x);
    assert_eq!(indices(summed.cluster), column("kernel/moons_logits.csv", 1));
    let expected = table("kernel/moons_summed.csv", 0);
    assert_rows_close(&rows(summed.relevance), &expected, near, "summed");

    let left_out = network.clone().leaving_out_training_points(true);
    let logits = rows(left_out.forward(setup.tensor(&x)).expect("logits"));
    assert_rows_close(&logits, &table("kernel/moons_leave_one_out.csv", 4), near, "left out");
    let pairwise = explained(&network.with_rule(Rule::Pairwise).expect("a rule"), setup, &x);
    let expected = table("kernel/moons_pairwise.csv", 0);
    // Some pairs are equally far away but for the last digits of f32.
    assert_rows_close(&rows(pairwise.relevance), &expected, 200.0 * near, "pairwise");
}

pub fn wine_by_hand<B: Backend>(setup: &Setup<B>) {
    let wine = wine();
    let supports = setup.tensor(&wine);
    let labels = column("wine/labels.csv", labels_column());
    let model = KernelKMeans::from_supports(supports, &labels, 5.0).expect("a model");
    let network = model.neuralize().expect("three clusters");
    let near = tolerance(setup);
    let logits = rows(network.forward(setup.tensor(&wine)).expect("logits"));
    assert_rows_close(&logits, &table("kernel/wine_logits.csv", 2), near, "logits");
    let summed = network.clone().with_rule(Rule::Summed).expect("a rule");
    let summed = explained(&summed, setup, &wine);
    assert_eq!(indices(summed.cluster.clone()), column("kernel/wine_logits.csv", 1));
    let expected = table("kernel/wine_summed.csv", 0);
    assert_rows_close(&rows(summed.relevance), &expected, 10.0 * near, "summed");
}

/// Where `labels.csv` has the clusters.
fn labels_column() -> usize {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("reference/wine/labels.csv");
    let mut reader = csv::Reader::from_path(path).expect("a reference file");
    let header = reader.headers().expect("a header");
    header.iter().position(|name| name == "cluster").expect("clusters")
}

pub fn a_mixture_of_wines<B: Backend>(setup: &Setup<B>) {
    let weights: Vec<f64> = table("mixture/weights.csv", 0).concat();
    let mixture = GaussianMixture::from_parts(
        setup.tensor(&table("mixture/means.csv", 0)),
        setup.tensor(&table("mixture/variances.csv", 0)),
        setup.column(&weights),
    )
    .expect("a mixture");
    let x = setup.tensor(&wine());
    let expected = table("mixture/log_joint.csv", 0);
    let found = rows(mixture.log_joint(&x).expect("log joint densities"));
    assert_rows_close(&found, &expected, 10.0 * setup.tolerance, "log joint");
    assert_eq!(indices(mixture.predict(&x).expect("labels")), column("mixture/labels.csv", 1));
    let network = mixture.neuralize().expect("three components");
    let logits = rows(network.forward(x).expect("logits"));
    let margins: Rows = expected
        .iter()
        .map(|row| {
            (0..3)
                .map(|c| {
                    let others = (0..3).filter(|k| *k != c).map(|k| row[k]);
                    row[c] - others.fold(f64::NEG_INFINITY, f64::max)
                })
                .collect()
        })
        .collect();
    assert_rows_close(&logits, &margins, 10.0 * setup.tolerance, "margins");
}

pub fn outlying_moons<B: Backend>(setup: &Setup<B>) {
    let (points, _) = moons();
    let gamma = table("outliers/gamma.csv", 0)[0][1];
    let density = KernelDensity::from_supports(setup.tensor(&points), gamma).expect("a density");
    let x = setup.tensor(&points[..40].to_vec());
    let near = if setup.tolerance < 1e-9 { 1e-9 } else { 1e-4 };
    let first = |name| table(name, 1).iter().map(|row| row[0]).collect::<Vec<f64>>();
    let scores = values(density.score(&x).expect("scores"));
    assert_close(&scores, &first("outliers/scores.csv"), near, "scores");

    let found = density.neuralize().explain_left_out(&x).expect("explained");
    let expected = first("outliers/scores_leave_one_out.csv");
    assert_close(&values(found.score), &expected, near, "left out");
    let expected: Rows = table("outliers/scores_leave_one_out.csv", 2)
        .into_iter()
        .map(|row| row[..2].to_vec())
        .collect();
    assert_rows_close(&rows(found.relevance), &expected, near, "relevance");
}
