//! Clusters that another program found, explained: two rings and a blob that
//! DBSCAN has told apart, whose labels are read from a file. How often the
//! network gives the labels, what its explanations miss by, and a figure of
//! where relevance flows.
//!
//! `cargo run --release --example labels -- [FIGURE.svg]`

use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use neuralize::cluster::LabelledConfig;
use neuralize::plot;
use neuralize::prelude::*;

const RINGS: &str = include_str!("../tests/reference/rings/rings.csv");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = TableOptions::default().with_label("cluster").with_dropped("hdbscan");
    let rings = TableReader::csv("rings.csv", RINGS.as_bytes(), &options)?.read_all()?;
    let x: Tensor<Flex, 2> = rings.to_tensor(&Default::default(), DType::F64)?;
    // DBSCAN's clusters are 0, 1, 2; its noise is -1.
    let labels = rings.labels().unwrap_or_default().iter();
    let labels: Vec<Option<usize>> = labels.map(|label| label.parse().ok()).collect();

    let fit = LabelledConfig::new().fit(&x, &labels)?;
    println!(
        "{} points in clusters of {:?}, {} of noise; gamma {:.3}",
        x.dims()[0] - fit.noise,
        fit.sizes,
        fit.noise,
        fit.gamma
    );
    println!(
        "the network gives DBSCAN's label for {:.2} % of the points, their own support left out",
        100.0 * fit.agreement
    );

    let network = fit.model.neuralize()?.leaving_out_training_points(true);
    let explanation = network.explain(&x, Target::Assigned, Beta::Heuristic)?;
    let largest = |values: Tensor<Flex, 1>| values.max().into_data().iter::<f64>().next();
    println!(
        "conservation error at most {:.1e}, share of what is absorbed at most {:.3}",
        largest(explanation.conservation_error()).unwrap_or(f64::NAN),
        largest(explanation.absorbed_share()).unwrap_or(f64::NAN),
    );

    if let Some(path) = std::env::args().nth(1) {
        let points = [[1.4, -1.4], [-0.9, 0.0], [4.2, 0.6]];
        let points = Tensor::<Flex, 2>::from_data(points, (&Default::default(), DType::F64));
        let network = fit.model.neuralize()?;
        plot::flow(&network, &points, ["x", "y"], Beta::Heuristic)?.save(&path)?;
        println!("{path}");
    }
    Ok(())
}
