//! Texts clustered by what they speak of: counts of words in the documentation
//! of Python's standard library, k-means by the generalised Kullback-Leibler
//! divergence, and the words that put documents into their cluster.
//!
//! `cargo run --release --example words`

use burn::backend::Flex;
use burn::tensor::{DType, Tensor};
use neuralize::cluster::Distance;
use neuralize::prelude::*;

const WORDS: &str = include_str!("../tests/reference/words/words.csv");
const CLUSTERS: usize = 7;
const SHOWN: usize = 8;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let options = TableOptions::default().with_label("name").with_dropped("theme");
    let words = TableReader::csv("words.csv", WORDS.as_bytes(), &options)?.read_all()?;
    let x: Tensor<Flex, 2> = words.to_tensor(&Default::default(), DType::F64)?;

    let config = KMeansConfig::new(CLUSTERS).with_n_init(Some(200));
    let fit = config.with_distance(Distance::KullbackLeibler).fit(&x)?;
    let network = fit.model.neuralize()?;
    let explanation = network.explain(&x, Target::Assigned, Beta::Heuristic)?;
    println!(
        "{} documents, {} words, inertia {:.1}; a linear layer of {} numbers and min-pooling",
        words.rows(),
        words.features().len(),
        fit.inertia,
        network.linear().map_or(0, |linear| linear.weight.dims().iter().product()),
    );

    let documents = words.labels().unwrap_or_default();
    let cluster: Vec<i64> = explanation.cluster.clone().into_data().iter().collect();
    for summary in explanation.per_cluster() {
        let mut order: Vec<usize> = (0..words.features().len()).collect();
        let relevance = &summary.mean_relevance;
        order.sort_by(|a, b| relevance[*b].total_cmp(&relevance[*a]));
        let strongest: Vec<String> = order[..SHOWN]
            .iter()
            .map(|&word| format!("{} {:.1}", words.features()[word], relevance[word]))
            .collect();
        let members = documents.iter().zip(&cluster);
        let members: Vec<&str> = members
            .filter(|(_, own)| **own == summary.cluster as i64)
            .map(|(document, _)| document.as_str())
            .collect();
        println!("\ncluster {}: {}", summary.cluster, members.join(", "));
        println!("  {}", strongest.join(", "));
    }
    Ok(())
}
