//! Which measurements make a wine belong to its cluster?
//!
//! `cargo run --release --example wine`

use burn::backend::Flex;
use burn::tensor::DType;
use neuralize::cluster::match_to_classes;
use neuralize::prelude::*;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let device = Default::default();
    let wine = Table::wine();
    let x = wine.to_tensor::<Flex>(&device, DType::F64)?;
    let x = Scale::MinMax.fit(&x)?.transform(&x)?;

    let fit = KMeansConfig::new(3).with_n_init(Some(10)).fit(&x)?;
    let network = fit.model.neuralize()?;
    println!("{network}\n");
    println!("inertia {:.4}, sizes {:?}", fit.inertia, fit.sizes);

    let (classes, names) = wine.classes().ok_or("the wine data have classes")?;
    let labels: Vec<usize> = fit.labels.into_data().iter::<i64>().map(|k| k as usize).collect();
    let matching = match_to_classes(&labels, &classes, 3, names.len());
    println!("{} of {} wines are in the cluster of their class\n", matching.agreeing, wine.rows());

    let explanation = network.explain(&x, Target::Assigned, Beta::Heuristic)?;
    for summary in explanation.per_cluster() {
        println!(
            "cluster {} ({} wines, mean logit {:.3}): what speaks for it on average",
            summary.cluster, summary.points, summary.mean_logit
        );
        let mut features: Vec<_> = wine.features().iter().zip(summary.mean_relevance).collect();
        features.sort_by(|a, b| b.1.total_cmp(&a.1));
        for (name, relevance) in features.iter().take(5) {
            println!("  {relevance:+.3}  {name}");
        }
    }
    let worst: Vec<f64> = explanation.conservation_error().max().into_data().iter().collect();
    println!("\nlargest conservation error {:.1e}", worst[0]);
    Ok(())
}
