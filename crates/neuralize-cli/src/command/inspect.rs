//! `neuralize inspect`

use std::io::Write;
use std::path::PathBuf;

use anyhow::Result;
use clap::{Args, ValueHint};
use neuralize::data::{Column, Decimal, Encoding, Kind, Missing, Shown};
use neuralize::record::ModelConfig;

use crate::output::Output;

#[derive(Args)]
#[command(after_help = "Example: neuralize inspect model")]
pub(super) struct InspectArgs {
    /// Folder of the model
    #[arg(value_name = "DIR", value_hint = ValueHint::DirPath)]
    model: PathBuf,
}

impl InspectArgs {
    pub(super) fn run(&self) -> Result<()> {
        let config = ModelConfig::read(&self.model)?;
        let mut out = Output::open(None)?;
        for (name, value) in lines(&config) {
            writeln!(out, "{name:<11}{value}")?;
        }
        out.finish()
    }
}

/// Information on the model, by name. A value that the kind of the model does not have is left out.
fn lines(config: &ModelConfig) -> Vec<(&'static str, String)> {
    fn text(value: Option<impl ToString>) -> Option<String> {
        value.map(|value| value.to_string())
    }
    let info = &config.info;
    let record = &config.record;
    let of_clusters = config.n_clusters > 0;
    let known =
        |value: Option<String>| value.or_else(|| of_clusters.then(|| "not known".to_owned()));
    let listed = |items: Vec<String>| items.join(", ");
    let shown = |text: &String| Shown(text).to_string();
    let sizes = info.sizes.as_ref();
    let sizes = sizes.map(|sizes| listed(sizes.iter().map(ToString::to_string).collect()));
    let labels = info.labels.as_ref().map(|labels| {
        let named = labels.iter().enumerate();
        listed(named.map(|(at, label)| format!("{at} = {}", Shown(label))).collect())
    });
    let lines = [
        ("kind", Some(config.kind.to_string())),
        ("distance", Some(shown(&config.distance))),
        ("clusters", of_clusters.then(|| config.n_clusters.to_string())),
        ("features", Some(config.n_features.to_string())),
        ("columns", info.encoding.as_ref().map(columns)),
        ("decimal", info.encoding.as_ref().and_then(|encoding| encoding.decimal).map(decimal)),
        ("row names", info.id.as_ref().map(shown)),
        ("scale", Some(info.scale.to_string())),
        ("gamma", info.gamma.map(number)),
        ("supports", text(info.supports)),
        ("labels", labels),
        ("agreement", info.agreement.map(|share| format!("{:.2} %", 100.0 * share))),
        ("likelihood", info.log_likelihood.map(number)),
        ("beta", known(config.beta.map(number))),
        ("inertia", known(info.inertia.map(number))),
        ("rows", known(text(info.rows))),
        ("sizes", known(sizes)),
        ("seed", known(text(info.seed))),
        ("iterations", known(text(info.iterations))),
        ("converged", known(info.converged.map(|yes| if yes { "yes" } else { "no" }.into()))),
        ("precision", Some(config.precision.to_string())),
        (
            "record",
            Some(format!(
                "{}, {} bytes, SHA-256 {}",
                Shown(&record.file),
                record.bytes,
                Shown(&record.sha256)
            )),
        ),
        ("created by", Some(shown(&config.created_by))),
        ("names", Some(listed(info.features.iter().map(shown).collect()))),
    ];
    lines.into_iter().filter_map(|(name, value)| Some((name, value?))).collect()
}

/// A number with all its digits, of which a power of ten keeps the zeros away.
fn number(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || !size.is_finite() || (1e-5..1e17).contains(&size) {
        value.to_string()
    } else {
        format!("{value:e}")
    }
}

/// The decimal sign of numbers that are text.
fn decimal(decimal: Decimal) -> String {
    match decimal {
        Decimal::Comma => "comma".into(),
        _ => "point".into(),
    }
}

/// How columns become features: `size (number, if missing 3.5), colour (category of 3, if missing red)`.
fn columns(encoding: &Encoding) -> String {
    let described = |column: &Column| {
        let kind = match &column.kind {
            Kind::Category { values } => format!("category of {}", values.len()),
            Kind::Flag => "flag".into(),
            Kind::Date => "date, in days".into(),
            _ if column.log => "logarithm of 1 + number".into(),
            _ => "number".into(),
        };
        let filled = match (&column.kind, column.fill) {
            (_, None) => String::new(),
            _ if encoding.missing != Missing::Fill => String::new(),
            (Kind::Category { values }, Some(fill)) => {
                let value = values.get(fill as usize).map(String::as_str).unwrap_or_default();
                format!(", if missing {}", Shown(value))
            }
            (_, Some(fill)) => format!(", if missing {}", number(fill)),
        };
        format!("{} ({kind}{filled})", Shown(&column.name))
    };
    encoding.columns.iter().map(described).collect::<Vec<_>>().join(", ")
}
