//! `neuralize profile`

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use burn::tensor::backend::Backend;
use clap::{Args, ValueHint};
use neuralize::data::{Shown, TableOptions};
use neuralize::explain::{Beta, Target};
use neuralize::output::Entries;
use neuralize::plot::FigureSet;
use neuralize::profile::{
    ClassFacts, ClusterFacts, ModelProfile, ModelProfileBuilder, PairFacts, RowFacts,
};
use neuralize::record::Model;
use serde::Serialize;

use crate::args::{AnswerFormat, ModelArgs, Usage};
use crate::backend::{Job, Session};
use crate::command::shared;
use crate::input;
use crate::output::{self, Output};

#[derive(Args)]
#[command(
    after_help = "The table is held in memory. A file .json, .csv or .xlsx gets all numbers; otherwise the answer is text.\n\n\
                  Example: neuralize profile wine.csv --model model\n\
                  Example: neuralize profile wine.csv --model model --versus 1,2\n\
                  Example: neuralize profile wine.csv --model model --label target -o profile.json"
)]
pub(super) struct ProfileArgs {
    #[command(flatten)]
    input: ModelArgs,
    /// Compare one cluster with another: A,B, by number or name
    #[arg(
        long,
        value_name = "A,B",
        value_delimiter = ',',
        num_args = 1,
        allow_negative_numbers = true
    )]
    versus: Vec<String>,
    /// Column of known classes, which are set against the clusters
    #[arg(long, value_name = "COL")]
    label: Option<String>,
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

#[derive(Serialize)]
struct Answer {
    table: String,
    #[serde(flatten)]
    profile: ModelProfile,
}

impl Job for ProfileArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        const ADVICE: &str = "a model of fewer or larger clusters, or with another --scale, may have one; `neuralize explain \
                              --beta 1` explains the rows of this one";
        self.answer(session).map_err(|error| shared::advised(error, &self.input.model, ADVICE))
    }
}

impl ProfileArgs {
    fn answer<B: Backend>(&self, session: &Session<B>) -> Result<()> {
        shared::check_output(&self.input, self.output.as_deref())?;
        shared::check_figures(self.figures.as_deref(), &self.input.data)?;
        let (format, delimiter) =
            output::answer_format(self.output.as_deref(), self.format, session.delimiter)?;
        if matches!(format, AnswerFormat::Csv | AnswerFormat::Xlsx)
            && (self.label.is_some() || !self.versus.is_empty())
        {
            let text = "--versus and --label are not in the table of a CSV file or workbook; write text or JSON";
            return Err(Usage(text.into()).into());
        }
        let model = Model::<B>::load(&self.input.model, &session.device, session.dtype)?;
        let pair = self.pair(&model)?;
        let mut output = Output::open(self.output.as_deref())?;
        let answer = Answer {
            table: input::full_name(&self.input.data),
            profile: self.profile(session, &model, pair)?,
        };
        if let Some(folder) = &self.figures {
            shared::create_folder(folder)?;
            shared::save_figures(session, &FigureSet::of_profile(&answer.profile)?, folder)?;
        }
        match format {
            AnswerFormat::Text => output.write_all(text(&answer, pair.is_some()).as_bytes())?,
            AnswerFormat::Json => {
                serde_json::to_writer_pretty(&mut output, &answer)?;
                output.write_all(b"\n")?;
            }
            AnswerFormat::Csv => entries(&answer.profile).write_csv(&mut output, delimiter)?,
            AnswerFormat::Xlsx => {
                let name = Output::name(self.output.as_deref());
                entries(&answer.profile).write_xlsx(&name, &mut output)?;
            }
        }
        output.finish()
    }

    /// The clusters that are compared.
    fn pair<B: Backend>(&self, model: &Model<B>) -> Result<Option<(usize, usize)>> {
        let [one, other] = match self.versus.as_slice() {
            [] => return Ok(None),
            [one, other] => [one, other],
            _ => return Err(Usage("--versus: give two clusters, A,B".into()).into()),
        };
        let cluster = |name: &String| {
            let clusters = model.clusterer().n_clusters();
            let by_number = || name.parse().ok();
            let found = model.cluster(name).or_else(by_number);
            found.filter(|cluster| *cluster < clusters).with_context(|| {
                format!("--versus: there is no cluster `{}`; there are {clusters}", Shown(name))
            })
        };
        let pair = (cluster(one)?, cluster(other)?);
        if pair.0 == pair.1 {
            return Err(Usage("--versus: name two different clusters".into()).into());
        }
        Ok(Some(pair))
    }

    /// Reads the table and explains every row.
    fn profile<B: Backend>(
        &self,
        session: &Session<B>,
        model: &Model<B>,
        pair: Option<(usize, usize)>,
    ) -> Result<ModelProfile> {
        let network = model.network()?;
        let options = self.input.options(model.table_options());
        let options = self.label.iter().fold(options, TableOptions::with_label);
        let reader = shared::open(session, &self.input.data, options)?;
        let mut profile = ModelProfileBuilder::new(model)?.with_pairs(pair)?;
        shared::each_part(session, &self.input.data, model.parts(reader)?, |part| {
            let explanation = network.explain(&part.x, Target::Assigned, Beta::Heuristic)?;
            Ok(profile.add(&part.rows, &part.table, &part.x, &explanation)?)
        })?;
        if profile.n_rows() == 0 {
            anyhow::bail!("{}: the table has no rows", input::name(&self.input.data));
        }
        Ok(profile.finish()?)
    }
}

// Text -------------------------------------------------------------------------------------------

/// The answer for a person; of a comparison only that.
fn text(answer: &Answer, only_versus: bool) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let profile = &answer.profile;
    let clusters = profile.clusters.len();
    let (table, rows) = (Shown::path(&answer.table), shared::counted(profile.rows, "row"));
    let _ = writeln!(text, "{table}: {rows} in {clusters} clusters");
    if let Some(sentence) = profile.fitted_in_words() {
        let _ = writeln!(text, "{sentence}");
    }
    if !only_versus {
        for cluster in &profile.clusters {
            text += &of_cluster(cluster);
        }
    }
    for versus in &profile.versus {
        text += &of_comparison(versus, &profile.columns);
    }
    if let Some(classes) = &profile.classes {
        text += &of_classes(classes, &profile.clusters);
    }
    if !only_versus {
        let _ = writeln!(text, "\n{}", profile.remark);
    }
    text
}

fn of_cluster(cluster: &ClusterFacts) -> String {
    const COLUMNS: usize = 3;
    let mut text = format!("\n{}\n", cluster.sentence);
    let mut line = |name: &str, what: String| {
        if !what.is_empty() {
            let _ = writeln!(text, "  {name:<10} {what}");
        }
    };
    line("rule", cluster.rule.as_ref().map(|rule| rule.text.clone()).unwrap_or_default());
    let strongest = cluster.strongest_in_words(COLUMNS);
    if !strongest.is_empty() {
        let from = cluster.competitor.as_ref();
        let from = from.map(|other| format!("; mostly against cluster {}", Shown(other)));
        line("apart by", strongest + &from.unwrap_or_default());
    }
    let named = |rows: &[RowFacts]| -> String {
        let named = |line: &RowFacts| match &line.name {
            Some(name) => format!("{} (row {})", Shown(name), line.row),
            None => format!("row {}", line.row),
        };
        rows.iter().map(named).collect::<Vec<_>>().join(", ")
    };
    line("typical", named(&cluster.typical));
    line("farthest", named(&cluster.farthest));
    line("ambiguous", cluster.ambiguous_in_words());
    line("stability", cluster.stability_in_words().unwrap_or_default());
    text
}

fn of_comparison(versus: &PairFacts, columns: &[String]) -> String {
    const SHOWN: usize = 12;
    const COLUMNS: usize = 3;
    let mut text = format!("\n{}\n", versus.sentences[0]);
    for found in versus.differences.iter().take(SHOWN) {
        let value = found.value.as_ref().map(|value| format!(" {}", Shown(value)));
        let value = value.unwrap_or_default();
        let name = format!("{}{value}", Shown(&found.column));
        let _ = writeln!(
            text,
            "  {name:<30} {:>12} {:>12}   {:+.2} sd",
            found.text[0], found.text[1], found.difference
        );
    }
    let [own, other] = versus.clusters.each_ref().map(|name| Shown(name).to_string());
    for (contrast, [own, other]) in versus.contrasts.iter().zip([[&own, &other], [&other, &own]]) {
        let strongest = contrast.strongest_in_words(columns, COLUMNS);
        if !strongest.is_empty() {
            let _ = writeln!(text, "  rows of {own} are not in {other} because of {strongest}");
        }
    }
    text
}

fn of_classes(classes: &ClassFacts, clusters: &[ClusterFacts]) -> String {
    let mut text = String::from("\nClusters beside the known classes, in rows:\n");
    const SHOWN: usize = 12;
    let names = classes.names.iter().take(SHOWN).map(|name| Shown(name).to_string());
    let names: Vec<String> = names.collect();
    let _ = write!(text, "  {:<12}", "");
    for name in &names {
        let _ = write!(text, " {name:>10}");
    }
    text.push('\n');
    for (cluster, counts) in clusters.iter().zip(&classes.counts) {
        let _ = write!(text, "  {:<12}", format!("cluster {}", Shown(&cluster.cluster)));
        for (count, name) in counts.iter().zip(&names) {
            let width = name.chars().count().max(10);
            let _ = write!(text, " {count:>width$}");
        }
        text.push('\n');
    }
    if classes.names.len() > SHOWN {
        let _ = writeln!(text, "  and {} more classes", classes.names.len() - SHOWN);
    }
    let _ = writeln!(
        text,
        "  adjusted Rand index {:.3}, V-measure {:.3} (homogeneity {:.3}, completeness {:.3})",
        classes.adjusted_rand, classes.v_measure, classes.homogeneity, classes.completeness
    );
    let _ = match &classes.one_to_one {
        Some(matched) => {
            let pairs = clusters.iter().zip(matched).filter_map(|(cluster, class)| {
                Some(format!("{} is class {}", Shown(&cluster.cluster), Shown(class.as_ref()?)))
            });
            writeln!(text, "  nearly one to one: cluster {}", pairs.collect::<Vec<_>>().join(", "))
        }
        None => writeln!(text, "  clusters and classes are not one to one"),
    };
    text
}

/// A line for every cluster and column or value.
fn entries(profile: &ModelProfile) -> Entries {
    let mut entries = Entries::new([
        "cluster",
        "rows",
        "column",
        "value",
        "own",
        "overall",
        "difference",
        "median",
        "v",
        "p",
    ]);
    for cluster in &profile.clusters {
        for cell in &cluster.columns {
            entries.push([
                cluster.cluster.as_str().into(),
                cluster.rows.into(),
                cell.column.as_str().into(),
                cell.value.as_deref().into(),
                cell.own.into(),
                cell.overall.into(),
                cell.difference.into(),
                cell.median.into(),
                cell.v.into(),
                cell.p.into(),
            ]);
        }
    }
    entries
}
