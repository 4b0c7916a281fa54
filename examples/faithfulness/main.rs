//! Which explanation of a cluster can be believed? Every method of the library by
//! every measure, on eleven real data sets and on made ones whose truth is known,
//! for k-means, kernel k-means and deep k-means, five seeds each.
//!
//! `cargo run --release --example faithfulness -- docs/faithfulness` writes the
//! results and figures; `--quick` in front takes two data sets, one seed and few
//! points, to see that it runs.

mod figure;
mod models;
mod planted;
mod summary;
mod tables;

use std::fs;
use std::path::PathBuf;
use std::time::Instant;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use neuralize::baseline::{Method, Reference, Subject};
use neuralize::evaluate::{EvaluateConfig, Evaluation};
use neuralize::plot;

use summary::Results;

/// Points of a data set that are explained.
const POINTS: usize = 300;
const SEEDS: u64 = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments: Vec<String> = std::env::args().skip(1).collect();
    let quick = arguments.first().is_some_and(|first| first == "--quick");
    if quick {
        arguments.remove(0);
    }
    let folder = arguments.first().map(PathBuf::from);
    let (seeds, points) = if quick { (1, 40) } else { (SEEDS, POINTS) };
    let start = Instant::now();

    let mut results = Results::default();
    let mut shown = Vec::new();
    let sets = tables::all()?;
    let sets = if quick { &sets[..2] } else { &sets[..] };
    for set in sets {
        println!(
            "{} ({} x {}, {} clusters), {:.0} s",
            set.name,
            set.table.rows(),
            set.table.features().len(),
            set.clusters,
            start.elapsed().as_secs_f64()
        );
        for seed in 0..seeds {
            let (subject, x) = models::kmeans(set, seed)?;
            let found = evaluated(&subject, &x, seed, points)?;
            results.add(set.name, "k-means", &found);
            if seed == 0 && ["wine", "digits"].contains(&set.name) {
                shown.push((set.name, found));
            }
            let (subject, x) = models::kernel(set, seed)?;
            results.add(set.name, "kernel k-means", &evaluated(&subject, &x, seed, points)?);
            let (subject, x) = models::deep(set, seed)?;
            results.add(set.name, "deep k-means", &evaluated(&subject, &x, seed, points)?);
        }
    }
    let planted = planted::run(seeds, if quick { 60 } else { 400 })?;
    println!("\n{}\n{}", results.tables(), planted.table());
    println!("{:.0} s", start.elapsed().as_secs_f64());

    let Some(folder) = folder else { return Ok(()) };
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("results.csv"), results.csv())?;
    fs::write(folder.join("planted.csv"), planted.csv())?;
    let tables = format!("{}\n{}", results.tables(), planted.table());
    fs::write(folder.join("tables.md"), tables)?;
    let gains = figure::gains(&results.gains("k-means"))?;
    fs::write(folder.join("gains.svg"), gains)?;
    for (name, evaluation) in &shown {
        plot::flipping(evaluation, Reference::Competitor)?
            .save(folder.join(format!("flipping-{name}.svg")))?;
        plot::agreement(evaluation)?.save(folder.join(format!("agreement-{name}.svg")))?;
    }
    println!("{}", folder.display());
    Ok(())
}

/// All methods, but for those that measure the same a second time.
fn methods() -> Vec<Method> {
    Method::all()
}

fn evaluated<B: Backend>(
    subject: &dyn Subject<B>,
    x: &Tensor<B, 2>,
    seed: u64,
    most_points: usize,
) -> neuralize::Result<Evaluation> {
    let config =
        EvaluateConfig { methods: methods(), seed, most_points, ..EvaluateConfig::default() };
    config.run(subject, x, &mut |_, _, _| {})
}
