use std::io::Write;

use anyhow::Result;
use neuralize::data::Scale;
use neuralize::record::{ModelConfig, Precision};

use crate::args::InspectArgs;
use crate::output::Output;

const NOT_KNOWN: &str = "not known";

pub(super) fn run(args: &InspectArgs) -> Result<()> {
    let config = ModelConfig::read(&args.model)?;
    let info = &config.info;
    let known = |value: Option<String>| value.unwrap_or_else(|| NOT_KNOWN.into());
    let sizes =
        |sizes: &Vec<usize>| sizes.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
    let scale = match info.scale {
        Scale::None => "none",
        Scale::MinMax => "minmax",
        Scale::Standard => "standard",
    };
    let precision = match config.precision {
        Precision::F32 => "f32",
        Precision::F64 => "f64",
    };
    let record = &config.record;
    let mut out = Output::open(None)?;
    for (name, value) in [
        ("kind", config.kind.to_string()),
        ("distance", config.distance.clone()),
        ("clusters", config.n_clusters.to_string()),
        ("features", config.n_features.to_string()),
        ("scale", scale.into()),
        ("gamma", known(info.gamma.map(|gamma| gamma.to_string()))),
        ("supports", known(info.supports.map(|supports| supports.to_string()))),
        (
            "labels",
            known(info.labels.as_ref().map(|labels| {
                labels
                    .iter()
                    .enumerate()
                    .map(|(cluster, label)| format!("{cluster} = {label}"))
                    .collect::<Vec<_>>()
                    .join(", ")
            })),
        ),
        ("agreement", known(info.agreement.map(|share| format!("{:.2} %", 100.0 * share)))),
        ("likelihood", known(info.log_likelihood.map(|mean| mean.to_string()))),
        ("beta", known(config.beta.map(|beta| beta.to_string()))),
        ("inertia", known(info.inertia.map(|inertia| inertia.to_string()))),
        ("rows", known(info.rows.map(|rows| rows.to_string()))),
        ("sizes", known(info.sizes.as_ref().map(sizes))),
        ("seed", known(info.seed.map(|seed| seed.to_string()))),
        ("iterations", known(info.iterations.map(|iterations| iterations.to_string()))),
        ("converged", known(info.converged.map(|yes| if yes { "yes" } else { "no" }.into()))),
        ("precision", precision.into()),
        ("record", format!("{}, {} bytes, SHA-256 {}", record.file, record.bytes, record.sha256)),
        ("created by", config.created_by.clone()),
        ("names", info.features.join(", ")),
    ] {
        // What only some kinds of model have.
        let special = ["gamma", "supports", "labels", "agreement", "likelihood"].contains(&name);
        let none = config.n_clusters == 0 && (name == "clusters" || value == NOT_KNOWN);
        if none || special && value == NOT_KNOWN {
            continue;
        }
        writeln!(out, "{name:<11}{value}")?;
    }
    out.finish()
}
