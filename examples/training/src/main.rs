//! `cargo run --release -p training -- [FOLDER] [EPOCHS]`: trains, saves, loads and explains.

use std::path::PathBuf;

use burn::backend::Autodiff;
use burn::tensor::backend::Backend;
use neuralize::data::Table;
use neuralize::deep::DeepQuestion;

#[cfg(not(feature = "wgpu"))]
type B = burn::backend::Flex;
#[cfg(feature = "wgpu")]
type B = burn::backend::Wgpu;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let folder = arguments.next().map_or_else(|| "trained".into(), PathBuf::from);
    let epochs = arguments.next().map_or(Ok(100), |text| text.parse())?;
    <Autodiff<B> as Backend>::seed(&Default::default(), 1);
    let x = training::wines::<B>()?;
    let model = training::train::<Autodiff<B>>(&folder, &x, epochs)?;
    model.save(folder.join("wines.bpk"))?;

    let clusters: Vec<i64> = model.predict(&x)?.into_data().iter().collect();
    let wine = Table::wine();
    let kinds = wine.labels().unwrap_or_default();
    let mut names: Vec<&String> = kinds.iter().collect();
    names.sort();
    names.dedup();
    println!("wines of every kind in every cluster:");
    for name in names {
        let mut counts = vec![0; model.n_clusters()];
        for (kind, cluster) in kinds.iter().zip(&clusters) {
            if kind == name {
                counts[*cluster as usize] += 1;
            }
        }
        println!("  kind {name}: {counts:?}");
    }

    let explanation = model.explain(&x, &DeepQuestion::default())?;
    println!("why wine 70 is in cluster {}:", clusters[70]);
    for (feature, relevance) in &explanation.codes.top(4)[70] {
        println!("  element {feature} of the code: {relevance:+.4}");
    }
    let relevance: Vec<f64> = explanation.relevance.into_data().iter().collect();
    let mut features: Vec<(&String, f64)> =
        wine.features().iter().zip(relevance[70 * 13..].iter().copied()).collect();
    features.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
    for (name, relevance) in features.iter().take(5) {
        println!("  {name}: {relevance:+.4}");
    }
    Ok(())
}
