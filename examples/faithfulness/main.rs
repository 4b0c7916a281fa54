//! Which explanations of a cluster can be believed? Every method of the library by
//! every measure, on eleven real data sets and on synthetic ones whose truth is known,
//! for k-means, kernel k-means, labelled partitions, mixtures and deep k-means, with five seeds each.
//!
//! `cargo run --release --example faithfulness -- docs/faithfulness` writes the
//! results and figures; `--quick` before the folder takes two data sets, one seed and
//! few points, as a trial.

mod figure;
mod models;
mod planted;
mod rules;
mod summary;
mod tables;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use burn::tensor::Tensor;
use burn::tensor::backend::Backend;
use neuralize::baseline::{Attribute, Attribution, Method, Query, Reference, Subject};
use neuralize::evaluate::{EvaluateConfig, Evaluation};
use neuralize::explain::{Beta, Root, Target};
use neuralize::plot;

use rules::Ruled;
use summary::Results;
use tables::Set;

/// Explained points of a data set.
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
    let jobs: Vec<(&Set, u64)> =
        sets.iter().flat_map(|set| (0..seeds).map(move |seed| (set, seed))).collect();
    let next = AtomicUsize::new(0);
    let work = || -> Result<Vec<(usize, Evaluations)>, String> {
        let mut done = Vec::new();
        while let at = next.fetch_add(1, Ordering::Relaxed)
            && let Some((set, seed)) = jobs.get(at)
        {
            let evaluations = all_models(set, *seed, points).map_err(|error| error.to_string())?;
            println!(
                "{} ({} x {}, {} clusters), seed {seed}: {:.0} s",
                set.name,
                set.table.rows(),
                set.table.features().len(),
                set.clusters,
                start.elapsed().as_secs_f64()
            );
            done.push((at, evaluations));
        }
        Ok(done)
    };
    // Two threads, because a model of a few hundred rows keeps one processor busy.
    let (one, other) = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        (work(), other.join().unwrap_or_else(|_| Err("a thread panicked".into())))
    });
    let mut done: Vec<(usize, Evaluations)> = one?.into_iter().chain(other?).collect();
    done.sort_by_key(|(at, _)| *at);
    for (at, evaluations) in done {
        let (set, seed) = jobs[at];
        for (model, (evaluation, sizes)) in MODELS.iter().zip(&evaluations) {
            results.add(set.name, model, evaluation);
            results.add_sizes(set.name, model, sizes);
        }
        let [(kmeans, _), ..] = evaluations;
        if seed == 0 && ["wine", "digits"].contains(&set.name) {
            shown.push((set.name, kmeans));
        }
    }
    let planted = planted::run(seeds, if quick { 60 } else { 400 })?;
    println!("\n{}\n{}\n{}", results.tables(), results.sizes(), planted.table());
    println!("{:.0} s", start.elapsed().as_secs_f64());

    let Some(folder) = folder else { return Ok(()) };
    fs::create_dir_all(&folder)?;
    fs::write(folder.join("results.csv"), results.csv())?;
    fs::write(folder.join("planted.csv"), planted.csv())?;
    let tables = format!("{}\n{}\n{}", results.tables(), results.sizes(), planted.table());
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

const MODELS: [&str; 5] = [
    "k-means",
    "kernel k-means",
    "kernel k-means (all members)",
    "mixture of Gaussians",
    "deep k-means",
];

/// The evaluations of the models of a data set, and for some methods the largest Σ|R| / f of a point.
type Evaluations = [(Evaluation, Vec<(String, f64)>); 5];

fn all_models(
    set: &Set,
    seed: u64,
    points: usize,
) -> Result<Evaluations, Box<dyn std::error::Error>> {
    let (subject, x) = models::kmeans(set, seed)?;
    let kmeans = evaluated(&subject, &x, seed, points, Method::all(), &[])?;
    let kernel_rules = rules::of_supports();
    let (subject, x) = models::kernel(set, seed, Some(models::PROTOTYPES))?;
    let kernel = evaluated(&subject, &x, seed, points, Method::all(), &kernel_rules)?;
    let (subject, x) = models::kernel(set, seed, None)?;
    let members = evaluated(&subject, &x, seed, points, rules::beside(), &kernel_rules)?;
    let (subject, x) = models::mixture(set, seed)?;
    let mixture = evaluated(&subject, &x, seed, points, rules::beside(), &rules::of_components())?;
    let ([subject, by_rules], x) = models::deep(set, seed)?;
    let mut deep = evaluated(&subject, &x, seed, points, Method::all(), &[])?;
    let config = EvaluateConfig { seed, max_points: points, ..EvaluateConfig::default() };
    let methods: [(&dyn Attribute<_>, &str); 1] = [(&NeonAndRules, "NEON, then LRP-γ")];
    let of_rules = config.run_methods(&methods, &by_rules, &x, &mut |_, _, _| {})?;
    deep.0.methods.extend(of_rules.methods);
    deep.1.push((NEON_AND_RULES.into(), sizes(&by_rules, &x, &[])?.swap_remove(0).1));
    Ok([kmeans, kernel, members, mixture, deep])
}

const NEON_AND_RULES: &str = "neon-lrp-gamma";

/// The pass of a subject that has rules, under a name of its own.
struct NeonAndRules;

impl<B: Backend> Attribute<B> for NeonAndRules {
    fn name(&self) -> String {
        NEON_AND_RULES.into()
    }

    fn attribute(&self, query: &Query<'_, B>) -> neuralize::Result<Attribution<B>> {
        Method::Neon(Beta::Heuristic).attribute(query)
    }
}

/// The largest Σ|R| / f of the points, by the methods that sum to f.
fn sizes<B: Backend>(
    subject: &dyn Subject<B>,
    x: &Tensor<B, 2>,
    rules: &[Ruled],
) -> neuralize::Result<Vec<(String, f64)>> {
    let network = subject.network();
    let mut ways = vec![
        ("neon", network.explain(x, Target::Assigned, Beta::Heuristic)?),
        ("toward", network.explain_from(x, Target::Assigned, Beta::Heuristic, Root::Toward)?),
    ];
    for ruled in rules {
        let network = network.explained_by(ruled.rule)?;
        ways.push((ruled.name, network.explain(x, Target::Assigned, ruled.beta)?));
    }
    let found = ways.into_iter().map(|(name, explanation)| {
        let host = |t: Tensor<B, 1>| t.into_data().iter::<f64>().collect::<Vec<f64>>();
        let logit = host(explanation.logit.clone());
        let size = host(explanation.contributions().abs().sum_dim(1).squeeze_dim(1));
        let ratios = size.iter().zip(&logit).filter(|(_, f)| **f > 0.0).map(|(size, f)| size / f);
        (name.to_owned(), ratios.fold(0.0, f64::max))
    });
    Ok(found.collect())
}

/// The maximum number of features for exact Shapley values, which take 2^D logits a point.
const MAX_EXACT_FEATURES: usize = 8;

/// Some methods of the library, and some rules.
fn evaluated<B: Backend>(
    subject: &dyn Subject<B>,
    x: &Tensor<B, 2>,
    seed: u64,
    max_points: usize,
    methods: Vec<Method>,
    rules: &[Ruled],
) -> neuralize::Result<(Evaluation, Vec<(String, f64)>)> {
    let few = x.dims()[1] <= MAX_EXACT_FEATURES;
    let methods: Vec<Method> = methods
        .into_iter()
        .filter(|method| few || !matches!(method, Method::Shapley { .. }))
        .collect();
    let config = EvaluateConfig { methods, seed, max_points, ..EvaluateConfig::default() };
    let mut evaluation = config.run(subject, x, &mut |_, _, _| {})?;
    if !rules.is_empty() {
        let rules: Vec<(&dyn Attribute<B>, &str)> =
            rules.iter().map(|rule| (rule as &dyn Attribute<B>, "a rule")).collect();
        let of_rules = config.run_methods(&rules, subject, x, &mut |_, _, _| {})?;
        evaluation.methods.extend(of_rules.methods);
    }
    Ok((evaluation, sizes(subject, x, rules)?))
}
