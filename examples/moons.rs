//! Two moons, which no straight line parts: k-means against kernel k-means, and
//! the three rules by which relevance goes through points.
//!
//! `cargo run --release --example moons`

use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use neuralize::cluster::{KernelKMeansConfig, match_to_classes};
use neuralize::explain::Rule;
use neuralize::network::Network;
use neuralize::prelude::*;

const MOONS: &str = include_str!("../tests/reference/moons/moons.csv");

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = TableOptions::default().with_label("moon");
    let moons = TableReader::csv("moons.csv", MOONS.as_bytes(), &options)?.read_all()?;
    let x: Tensor<Flex, 2> = moons.to_tensor(&Default::default(), DType::F64)?;
    let (classes, _) = moons.classes().ok_or("the moons are labelled")?;
    let right = |labels: Vec<usize>| match_to_classes(&labels, &classes, 2, 2).agreeing;
    let host = |labels: Tensor<Flex, 1, burn::tensor::Int>| -> Vec<usize> {
        labels.into_data().iter::<i64>().map(|label| label as usize).collect()
    };

    let straight = KMeansConfig::new(2).fit(&x)?;
    println!(
        "k-means:        {} of {} points in their moon",
        right(host(straight.labels)),
        x.dims()[0]
    );
    let fit = KernelKMeansConfig::new(2).fit(&x)?;
    println!(
        "kernel k-means: {} of {}, gamma {:.2}, its network agrees for {:.1} %",
        right(host(fit.labels)),
        x.dims()[0],
        fit.gamma,
        100.0 * fit.agreement
    );

    println!("\nlargest |R| / f and conservation error, each point without its own support:");
    let rules =
        [("secant", Rule::default()), ("summed", Rule::Summed), ("pairwise", Rule::Pairwise)];
    for (name, rule) in rules {
        let network = fit.model.neuralize()?.with_rule(rule)?.leaving_out_training_points(true);
        let explanation = network.explain(&x, Target::Assigned, Beta::Heuristic)?;
        let size = explanation.relevance.clone().abs().max_dim(1).squeeze_dim::<1>(1);
        let largest = |values: Tensor<Flex, 1>| values.max().into_data().iter::<f64>().next();
        println!(
            "  {name:<9} {:>8.2}   {:.1e}",
            largest(size / explanation.logit.clone()).unwrap_or(f64::NAN),
            largest(explanation.conservation_error()).unwrap_or(f64::NAN),
        );
    }
    Ok(())
}
