//! `neuralize choose`

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::Result;
use burn::tensor::backend::Backend;
use clap::{Args, ValueHint};
use neuralize::Error;
use neuralize::choose::{Candidate, Choice};
use neuralize::cluster::{
    ClustererConfig, GaussianMixtureConfig, KMeansConfig, KernelKMeansConfig,
};
use neuralize::output::Entries;
use neuralize::plot::FigureSet;
use serde::Serialize;

use crate::args::{AnswerFormat, TrainingArgs};
use crate::backend::{Job, Session};
use crate::command::choice::{Wanted, choice, choice_of, refuse_bregman};
use crate::command::shared::{self, Training};
use crate::command::stream::{Stream, refuse_read_once};
use crate::output::{self, Output};
use crate::parse::{Counts, Method};
use crate::{input, parse};

#[derive(Args)]
#[command(
    after_help = "A number counts if its clusters are not tiny, come back on resampled rows, lie apart, and have a better silhouette than data \
                  without clusters that look alike otherwise. `neuralize fit` without --clusters does the same and goes on with the \
                  answer.\n\n\
                  Example: neuralize choose wine.csv --drop target\n\
                  Example: neuralize choose wine.csv --drop target --clusters 2..20 --scale standard -o choice.json"
)]
pub(super) struct ChooseArgs {
    #[command(flatten)]
    training: TrainingArgs,
    /// Numbers of clusters to try: 2..10, or 2,3,5
    #[arg(long, short = 'k', default_value = "2..10", value_name = "A..B", value_parser = parse::counts, allow_negative_numbers = true)]
    clusters: Counts,
    /// Clustering method, as of `neuralize fit`
    #[arg(long, default_value = "kmeans", value_name = "METHOD", value_parser = parse::method)]
    method: Method,
    /// Seed of the random numbers
    #[arg(long, value_name = "S", default_value_t = 0, value_parser = parse::whole::<u64>, allow_negative_numbers = true)]
    seed: u64,
    /// Read the table in parts, three times: for data that do not fit into memory
    #[arg(long)]
    stream: bool,
    /// Also write a figure to this folder, as SVG (and PNG in a build with the feature `png`)
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    figures: Option<PathBuf>,
    /// File for the answer [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Format of the answer [default: from the extension of the file, otherwise text]
    #[arg(long, value_enum)]
    format: Option<AnswerFormat>,
}

impl Job for ChooseArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        Output::check_inputs(self.output.as_deref(), &self.training.data, None)?;
        shared::check_figures(self.figures.as_deref(), &self.training.data)?;
        let (format, delimiter) =
            output::answer_format(self.output.as_deref(), self.format, session.delimiter)?;
        refuse_bregman(self.method)?;
        if self.stream {
            refuse_read_once(&self.training.data)?;
        }
        let mut output = Output::open(self.output.as_deref())?;
        let choice = self.choice(session)?;
        if let Some(folder) = &self.figures {
            shared::create_folder(folder)?;
            shared::save_figures(session, &FigureSet::of_choice(&choice)?, folder)?;
        }
        match format {
            AnswerFormat::Text => output.write_all(text(&choice, &self.clusters.0).as_bytes())?,
            AnswerFormat::Json => {
                let answer = Answer { table: input::full_name(&self.training.data), choice };
                serde_json::to_writer_pretty(&mut output, &answer)?;
                output.write_all(b"\n")?;
            }
            AnswerFormat::Csv => entries(&choice).write_csv(&mut output, delimiter)?,
            AnswerFormat::Xlsx => {
                let name = Output::name(self.output.as_deref());
                entries(&choice).write_xlsx(&name, &mut output)?;
            }
        }
        output.finish()
    }
}

impl ChooseArgs {
    fn choice<B: Backend>(&self, session: &Session<B>) -> Result<Choice> {
        let clusters = self.clusters.0.clone();
        let most = clusters.iter().copied().max().unwrap_or(0);
        let wanted = Wanted { config: config(self.method), clusters, seed: self.seed };
        if self.stream {
            let stream = Stream::open(session, &self.training, None, None, most)?;
            let sample = stream.sample(session, self.seed)?;
            let located = |error: Error| stream.located(error);
            return choice_of(session, &sample, Some(&stream.encoding), wanted, located);
        }
        let Training { data, .. } = shared::read_scaled(session, &self.training, None, None)?;
        choice(session, &data, wanted)
    }
}

#[derive(Serialize)]
struct Answer {
    table: String,
    #[serde(flatten)]
    choice: Choice,
}

/// The method with settings that the choice replaces.
fn config(method: Method) -> ClustererConfig {
    match method {
        Method::KMeans => KMeansConfig::new(2).into(),
        Method::Distance(distance) => KMeansConfig::new(2).with_distance(distance).into(),
        Method::Kernel => KernelKMeansConfig::new(2).into(),
        Method::Mixture => GaussianMixtureConfig::new(2).into(),
    }
}

/// Figures of every number of clusters that was asked for, and the recommendation.
fn text(choice: &Choice, asked: &[usize]) -> String {
    let has_bic = choice.candidates.iter().any(|candidate| candidate.bic.is_some());
    let bic = if has_bic { format!(" {:>12}", "BIC") } else { String::new() };
    let mut text = format!(
        "clusters     inertia  silhouette  Calinski-H.  Davies-B.{bic}     gap  stability  smallest  fails\n",
    );
    for candidate in &choice.candidates {
        text += &line(choice, candidate, has_bic);
    }
    text += &sources(choice, has_bic);
    let _ = writeln!(text, "\n{}", choice.sentence);
    text + &untried(choice, asked)
}

/// Which columns are of which rows; empty if all are of all rows.
fn sources(choice: &Choice, has_bic: bool) -> String {
    let (rows, judged) = (shared::counted(choice.rows, "row"), judged_rows(choice));
    let mut text = String::new();
    if let Some(figured) = choice.figured {
        let bic = if has_bic { ", BIC" } else { "" };
        let _ = writeln!(
            text,
            "Inertia, silhouette, Calinski-H.{bic} and Davies-B. are of {figured} of {rows}, drawn at random."
        );
    }
    // Where nothing was tried, there are no columns.
    if judged < choice.rows && !choice.candidates.is_empty() {
        let others = match choice.figured {
            Some(_) => String::new(),
            None => format!(", the other columns of all {rows}"),
        };
        let lonely = match choice.lonely {
            0 => "",
            _ => " A fit clusters all rows: one far from all others can be a cluster of its own.",
        };
        let _ = writeln!(
            text,
            "Gap, stability, smallest and fails are of the {} judged{others}.{lonely}",
            shared::counted(judged, "row")
        );
    }
    if text.is_empty() { text } else { format!("\n{text}") }
}

/// The number of rows that were judged: those that were drawn, without those far from all others.
fn judged_rows(choice: &Choice) -> usize {
    choice.sampled.unwrap_or(choice.rows) - choice.lonely
}

/// What was asked for and not tried, or not asked for at all; empty if there is nothing to say.
fn untried(choice: &Choice, asked: &[usize]) -> String {
    let last = choice.candidates.last().map(|candidate| candidate.clusters);
    // Where nothing was tried, the sentence says it.
    let Some(last) = last else { return String::new() };
    let mut above: Vec<usize> = asked.iter().copied().filter(|asked| *asked > last).collect();
    above.sort_unstable();
    above.dedup();
    if !above.is_empty() {
        return format!(
            "Not tried: {}, too many clusters for {} ({} different)\n",
            shared::listed(&above),
            shared::counted(judged_rows(choice), "row"),
            choice.different
        );
    }
    match asked {
        [only] => format!("Only {only} was tried; --clusters 2..10 compares numbers\n"),
        _ => String::new(),
    }
}

fn line(choice: &Choice, candidate: &Candidate, has_bic: bool) -> String {
    let number = |value: Option<f64>, digits: usize| match value {
        Some(value) => format!("{value:.digits$}"),
        None => "-".to_owned(),
    };
    let inertia = match candidate.inertia {
        value if value != 0.0 && !(1e-2..1e7).contains(&value) => format!("{value:.3e}"),
        value => format!("{value:.2}"),
    };
    let mark = if choice.recommended == Some(candidate.clusters) {
        "recommended".to_owned()
    } else {
        choice.passed_over(candidate).unwrap_or_else(|| failed(candidate).join(", "))
    };
    let bic = if has_bic { format!(" {:>12}", number(candidate.bic, 1)) } else { String::new() };
    let line = format!(
        "{:>8} {inertia:>11} {:>11} {:>12} {:>10}{bic} {:>7} {:>10} {:>9}  {mark}",
        candidate.clusters,
        number(candidate.silhouette, 3),
        number(candidate.calinski_harabasz, 1),
        number(candidate.davies_bouldin, 3),
        number(candidate.gap, 3),
        candidate.stability_text(),
        candidate.smallest,
    );
    line.trim_end().to_owned() + "\n"
}

fn failed(candidate: &Candidate) -> Vec<String> {
    candidate.failed.iter().map(ToString::to_string).collect()
}

/// A line for every number of clusters.
fn entries(choice: &Choice) -> Entries {
    let mut entries = Entries::new([
        "clusters",
        "inertia",
        "silhouette",
        "silhouette_error",
        "calinski_harabasz",
        "davies_bouldin",
        "gap",
        "gap_error",
        "stability",
        "stability_spread",
        "smallest",
        "gain",
        "failed",
        "bic",
        "recommended",
    ]);
    for candidate in &choice.candidates {
        entries.push([
            candidate.clusters.into(),
            candidate.inertia.into(),
            candidate.silhouette.into(),
            candidate.silhouette_error.into(),
            candidate.calinski_harabasz.into(),
            candidate.davies_bouldin.into(),
            candidate.gap.into(),
            candidate.gap_error.into(),
            candidate.stability.into(),
            candidate.stability_spread.into(),
            candidate.smallest.into(),
            candidate.gain.into(),
            failed(candidate).join(" ").as_str().into(),
            candidate.bic.into(),
            if choice.recommended == Some(candidate.clusters) { "yes" } else { "no" }.into(),
        ]);
    }
    entries
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn candidate(clusters: usize, gain: f64, stability: f64, failed: &[&str]) -> Value {
        json!({
            "clusters": clusters, "inertia": 9.0, "silhouette": 0.5, "judged_silhouette": 0.5,
            "stability": stability, "stability_spread": 0.1, "smallest": 15, "valley": 0.5,
            "without": 0.3, "gain": gain, "failed": failed,
        })
    }

    fn said(lonely: usize) -> String {
        let candidates = [
            candidate(2, 0.2, 0.9269, &[]),
            candidate(3, 0.4, 0.85, &["valley"]),
            candidate(4, 0.5, 0.7993, &["stability"]),
        ];
        let choice = json!({
            "candidates": candidates, "recommended": null, "sentence": "no clear number", "rows": 51,
            "sampled": null, "lonely": lonely, "different": 51, "least": 3,
        });
        text(&serde_json::from_value(choice).expect("a choice"), &[2, 3, 4])
    }

    /// A number that passes all checks has a word, too, and none that does not pass looks as if it did.
    #[test]
    fn every_number_has_its_word() {
        let said = said(0);
        let lines: Vec<&str> = said.lines().collect();
        assert!(lines[1].ends_with("0.93        15  smaller gain than 3"), "{said}");
        assert!(lines[2].ends_with("0.85        15  valley"), "{said}");
        assert!(lines[3].ends_with("0.79        15  stability"), "{said}");
    }

    /// Some columns are of fewer rows than others.
    #[test]
    fn rows_that_were_not_judged_are_named() {
        assert!(!said(0).contains("are of the"));
        assert!(
            said(1).contains(
                "\n\nGap, stability, smallest and fails are of the 50 rows judged, the other columns of all 51 rows. \
                 A fit clusters all rows: one far from all others can be a cluster of its own.\n\nno clear number\n"
            ),
            "{}",
            said(1)
        );
    }
}
