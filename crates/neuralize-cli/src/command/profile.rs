//! `neuralize profile`

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::PathBuf;

use anyhow::{Context, Result};
use burn::tensor::backend::Backend;
use clap::{Args, ValueHint};
use neuralize::data::{Shown, TableOptions};
use neuralize::explain::{Beta, Tally, Target};
use neuralize::profile::{
    ClusteredRows, ColumnProfile, CrossTable, NotableRow, Profile, REMARK, TableColumns, VTest,
    Versus, farthest_rows, typical_rows,
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
    after_help = "The table is held in memory. A file .json or .csv gets all numbers; otherwise the answer is text.\n\n\
                  Example: neuralize profile wine.csv --model model\n\
                  Example: neuralize profile wine.csv --model model --versus 1,2\n\
                  Example: neuralize profile wine.csv --model model --label target -o profile.json"
)]
pub(super) struct ProfileArgs {
    #[command(flatten)]
    input: ModelArgs,
    /// Compare one cluster with another: A,B, by number or name
    #[arg(long, value_name = "A,B", value_delimiter = ',', num_args = 1)]
    versus: Vec<String>,
    /// Column of known classes, which are set against the clusters
    #[arg(long, value_name = "COL")]
    label: Option<String>,
    /// File for the answer [default: standard output]
    #[arg(long, short, value_name = "FILE", value_hint = ValueHint::FilePath)]
    output: Option<PathBuf>,
    /// Format of the answer [default: from the extension of the file, otherwise text]
    #[arg(long, value_enum)]
    format: Option<AnswerFormat>,
}

/// The class of rows without a label.
const NO_LABEL: &str = "(no label)";

/// The rows of the table, and what the model says of them.
struct Found {
    columns: TableColumns,
    clusters: Vec<usize>,
    logits: Vec<f64>,
    /// Distance to the mean of the cluster's rows.
    distances: Vec<f64>,
    tally: Tally,
    /// Mean share of every cluster as a competitor of every cluster, `[K][K]`.
    competitors: Vec<Vec<f64>>,
    labels: Option<Vec<String>>,
}

/// What is known of a cluster.
#[derive(Serialize)]
struct Cluster {
    cluster: String,
    rows: usize,
    share: f64,
    sentence: String,
    rule: Option<RuleText>,
    /// Mean relevance by column, the largest first; the relevances sum to the mean logit.
    relevance: Vec<(String, f64)>,
    mean_logit: f64,
    /// The cluster that it is most often told apart from.
    competitor: Option<String>,
    typical: Vec<Line>,
    farthest: Vec<Line>,
    columns: Vec<Cell>,
}

#[derive(Serialize)]
struct RuleText {
    text: String,
    coverage: f64,
    precision: f64,
}

/// A row to look at.
#[derive(Serialize)]
struct Line {
    row: usize,
    name: Option<String>,
    value: f64,
}

/// A column, or a value of one, in a cluster.
#[derive(Serialize)]
struct Cell {
    column: String,
    value: Option<String>,
    /// Mean or share of the cluster, and of all rows.
    own: f64,
    overall: f64,
    /// In standard deviations of all rows.
    difference: Option<f64>,
    median: Option<f64>,
    v: Option<f64>,
    p: Option<f64>,
}

#[derive(Serialize)]
struct Answer {
    table: String,
    rows: usize,
    clusters: Vec<Cluster>,
    #[serde(skip_serializing_if = "Option::is_none")]
    versus: Option<Comparison>,
    #[serde(skip_serializing_if = "Option::is_none")]
    classes: Option<Classes>,
    remark: &'static str,
}

#[derive(Serialize)]
struct Comparison {
    sentence: String,
    differences: Vec<Against>,
}

#[derive(Serialize)]
struct Against {
    column: String,
    value: Option<String>,
    own: f64,
    other: f64,
    difference: f64,
}

/// Clusters beside known classes.
#[derive(Serialize)]
struct Classes {
    names: Vec<String>,
    /// Rows of every cluster that are of every class.
    counts: Vec<Vec<usize>>,
    adjusted_rand: f64,
    homogeneity: f64,
    completeness: f64,
    v_measure: f64,
    /// The class of every cluster, where they are nearly one to one.
    one_to_one: Option<Vec<Option<String>>>,
}

impl Job for ProfileArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        shared::check_output(&self.input, self.output.as_deref())?;
        let (format, delimiter) =
            output::answer_format(self.output.as_deref(), self.format, session.delimiter)?;
        if format == AnswerFormat::Csv && (self.label.is_some() || !self.versus.is_empty()) {
            let text =
                "--versus and --label are not in the table of a CSV file; write text or JSON";
            return Err(Usage(text.into()).into());
        }
        let model = Model::<B>::load(&self.input.model, &session.device, session.dtype)?;
        let names = cluster_names(&model);
        let pair = self.pair(&model)?;
        let mut output = Output::open(self.output.as_deref())?;
        let found = self.found(session, &model)?;
        let columns = found.columns.values();
        let data = ClusteredRows::new(&columns, &found.clusters, names.len())?;
        let data = data.with_cluster_names(&names)?;
        let data = match found.columns.row_names() {
            Some(rows) => data.with_row_names(rows)?,
            None => data,
        };
        let profile = Profile::of(&data);
        let versus = pair.and_then(|(one, other)| profile.versus(&data, one, other));
        let answer = Answer {
            table: input::name(&self.input.data),
            rows: data.n_rows(),
            clusters: clusters(&found, &data, &profile, &names, &model.info().columns())?,
            versus: versus.map(|versus| comparison(&versus, &data)),
            classes: classes(&found, &names)?,
            remark: REMARK,
        };
        match format {
            AnswerFormat::Text => output.write_all(text(&answer, pair.is_some()).as_bytes())?,
            AnswerFormat::Json => {
                serde_json::to_writer_pretty(&mut output, &answer)?;
                output.write_all(b"\n")?;
            }
            AnswerFormat::Csv => write_csv(&answer, delimiter, &mut output)?,
        }
        output.finish()
    }
}

impl ProfileArgs {
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
    fn found<B: Backend>(&self, session: &Session<B>, model: &Model<B>) -> Result<Found> {
        let network = model.network()?;
        let clusters = model.clusterer().n_clusters();
        let encoding = model.info().encoding.as_ref();
        let options = self.input.options(model.table_options());
        let options = self.label.iter().fold(options, TableOptions::with_label);
        let reader = shared::open(session, &self.input.data, options)?;
        let mut found = Found {
            columns: TableColumns::default(),
            clusters: Vec::new(),
            logits: Vec::new(),
            distances: Vec::new(),
            tally: Tally::new(clusters, model.info().columns().len()),
            competitors: vec![vec![0.0; clusters]; clusters],
            labels: self.label.as_ref().map(|_| Vec::new()),
        };
        let mut scaled: Vec<f64> = Vec::new();
        shared::each_part(session, &self.input.data, model.parts(reader)?, |part| {
            let explanation = network.explain(&part.x, Target::Assigned, Beta::Heuristic)?;
            let own = shared::numbers(explanation.cluster.clone());
            let shares: Vec<f64> = explanation.shares.clone().into_data().iter::<f64>().collect();
            for (cluster, shares) in own.iter().zip(shares.chunks_exact(clusters)) {
                for (sum, share) in found.competitors[*cluster].iter_mut().zip(shares) {
                    *sum += share;
                }
            }
            found.logits.extend(explanation.logit.clone().into_data().iter::<f64>());
            found.tally.add(&explanation.by_column(encoding)?)?;
            found.clusters.extend(own);
            found.columns.add(&part.table, &part.rows);
            if let (Some(labels), Some(more)) = (&mut found.labels, part.table.labels()) {
                labels.extend(more.iter().cloned());
            }
            scaled.extend(part.x.clone().into_data().iter::<f64>());
            Ok(())
        })?;
        if found.clusters.is_empty() {
            anyhow::bail!("{}: the table has no rows", input::name(&self.input.data));
        }
        found.distances = to_means(&scaled, &found.clusters, clusters);
        Ok(found)
    }
}

/// The distance of every scaled row to the mean of its cluster.
fn to_means(rows: &[f64], clusters: &[usize], count: usize) -> Vec<f64> {
    let width = (rows.len() / clusters.len().max(1)).max(1);
    let (mut means, mut sizes) = (vec![0.0; count * width], vec![0.0; count]);
    for (row, &cluster) in rows.chunks_exact(width).zip(clusters) {
        sizes[cluster] += 1.0;
        for (mean, value) in means[cluster * width..].iter_mut().zip(row) {
            *mean += (value - *mean) / sizes[cluster];
        }
    }
    let distance = |(row, cluster): (&[f64], &usize)| {
        let mean = &means[cluster * width..][..width];
        row.iter().zip(mean).map(|(a, b)| (a - b) * (a - b)).sum::<f64>().sqrt()
    };
    rows.chunks_exact(width).zip(clusters).map(distance).collect()
}

/// Names of the clusters, or their numbers.
fn cluster_names<B: Backend>(model: &Model<B>) -> Vec<String> {
    let numbers = || (0..model.clusterer().n_clusters()).map(|number| number.to_string()).collect();
    model.info().labels.clone().unwrap_or_else(numbers)
}

fn clusters(
    found: &Found,
    data: &ClusteredRows<'_>,
    profile: &Profile,
    names: &[String],
    columns: &[String],
) -> Result<Vec<Cluster>> {
    const ROWS: usize = 3;
    let typical = typical_rows(data, &found.distances, ROWS)?;
    let farthest = farthest_rows(data, &found.logits, ROWS)?;
    let summaries = found.tally.per_cluster();
    let line = |row: &NotableRow| Line {
        row: found.columns.number(row.row),
        name: row.name.clone(),
        value: row.value,
    };
    let of_cluster = |(at, cluster): (usize, &neuralize::profile::ClusterProfile)| {
        let summary = summaries.get(at);
        let mut relevance: Vec<(String, f64)> = summary
            .map(|summary| columns.iter().cloned().zip(summary.mean_relevance.clone()).collect())
            .unwrap_or_default();
        relevance.sort_by(|a, b| b.1.total_cmp(&a.1));
        let competitor = (0..names.len())
            .filter(|other| *other != at && found.competitors[at][*other] > 0.0)
            .max_by(|a, b| found.competitors[at][*a].total_cmp(&found.competitors[at][*b]));
        Cluster {
            cluster: names[at].clone(),
            rows: cluster.size,
            share: cluster.share,
            sentence: cluster.sentence.clone(),
            rule: cluster.rule.as_ref().map(|rule| RuleText {
                text: rule.to_string(),
                coverage: rule.coverage,
                precision: rule.precision,
            }),
            relevance,
            mean_logit: summary.map_or(0.0, |summary| summary.mean_logit),
            competitor: competitor.map(|other| names[other].clone()),
            typical: typical[at].iter().map(line).collect(),
            farthest: farthest[at].iter().map(line).collect(),
            columns: cells(data, profile, at),
        }
    };
    Ok(profile.clusters.iter().enumerate().map(of_cluster).collect())
}

/// Every column and value in a cluster.
fn cells(data: &ClusteredRows<'_>, profile: &Profile, cluster: usize) -> Vec<Cell> {
    let mut cells = Vec::new();
    for (column, profile) in data.columns().iter().zip(&profile.columns) {
        let name = column.name().to_owned();
        let tested = |test: Option<VTest>| (test.map(|test| test.v), test.map(|test| test.p));
        match profile {
            ColumnProfile::Numbers(numbers) => {
                let own = numbers.clusters.get(cluster).and_then(Option::as_ref);
                let Some((own, all)) = own.zip(numbers.all) else { continue };
                let (v, p) = tested(own.test);
                cells.push(Cell {
                    column: name,
                    value: None,
                    own: own.summary.mean,
                    overall: all.mean,
                    difference: own.difference,
                    median: Some(own.summary.median),
                    v,
                    p,
                });
            }
            ColumnProfile::Shares(shares) => {
                for value in &shares.values {
                    let own = value.clusters.get(cluster).and_then(Option::as_ref);
                    let Some(own) = own else { continue };
                    let (v, p) = tested(own.test);
                    let sd = (value.share * (1.0 - value.share)).sqrt();
                    cells.push(Cell {
                        column: name.clone(),
                        value: Some(column.value_text(value.value)),
                        own: own.share,
                        overall: value.share,
                        difference: (sd > 0.0).then(|| (own.share - value.share) / sd),
                        median: None,
                        v,
                        p,
                    });
                }
            }
            _ => {}
        }
    }
    cells
}

fn comparison(versus: &Versus, data: &ClusteredRows<'_>) -> Comparison {
    let against = |found: &neuralize::profile::Difference| {
        let column = data.columns().get(found.column)?;
        Some(Against {
            column: column.name().to_owned(),
            value: found.value.map(|value| column.value_text(value)),
            own: found.own,
            other: found.other,
            difference: found.difference,
        })
    };
    Comparison {
        sentence: versus.sentence.clone(),
        differences: versus.differences.iter().filter_map(against).collect(),
    }
}

fn classes(found: &Found, names: &[String]) -> Result<Option<Classes>> {
    let Some(labels) = &found.labels else { return Ok(None) };
    // As where a fit is compared with classes.
    let named = |label: &String| {
        if label.is_empty() { NO_LABEL.to_owned() } else { label.clone() }
    };
    let labels: Vec<String> = labels.iter().map(named).collect();
    let mut classes = labels.clone();
    classes.sort();
    classes.dedup();
    if classes.len() == labels.len() && labels.len() > 2 {
        anyhow::bail!("--label: there is a different class in every row, as in an identifier");
    }
    let numbers: Vec<Option<usize>> =
        labels.iter().map(|label| classes.binary_search(label).ok()).collect();
    let table = CrossTable::of(&found.clusters, &numbers, names.len(), classes.len())?;
    let agreement = table.agreement();
    let counts = (0..names.len())
        .map(|cluster| (0..classes.len()).map(|class| table.count(cluster, class)).collect());
    let named = |class: Option<usize>| class.and_then(|class| classes.get(class).cloned());
    Ok(Some(Classes {
        counts: counts.collect(),
        adjusted_rand: agreement.adjusted_rand,
        homogeneity: agreement.homogeneity,
        completeness: agreement.completeness,
        v_measure: agreement.v_measure,
        one_to_one: table.one_to_one().map(|matched| matched.into_iter().map(named).collect()),
        names: classes,
    }))
}

// Text -------------------------------------------------------------------------------------------

/// The answer for a person; of a comparison only that.
fn text(answer: &Answer, only_versus: bool) -> String {
    let mut text = String::new();
    // Writing to a string cannot fail.
    let _ = writeln!(
        text,
        "{}: {} rows in {} clusters",
        answer.table,
        answer.rows,
        answer.clusters.len()
    );
    if !only_versus {
        for cluster in &answer.clusters {
            text += &of_cluster(cluster);
        }
    }
    if let Some(versus) = &answer.versus {
        text += &of_comparison(versus);
    }
    if let Some(classes) = &answer.classes {
        text += &of_classes(classes, &answer.clusters);
    }
    if !only_versus {
        let _ = writeln!(text, "\n{}", answer.remark);
    }
    text
}

fn of_cluster(cluster: &Cluster) -> String {
    const COLUMNS: usize = 3;
    let mut text = format!("\n{}\n", cluster.sentence);
    let mut line = |name: &str, what: String| {
        if !what.is_empty() {
            let _ = writeln!(text, "  {name:<10} {what}");
        }
    };
    line("rule", cluster.rule.as_ref().map(|rule| rule.text.clone()).unwrap_or_default());
    if cluster.mean_logit > 0.0 {
        let strongest = cluster.relevance.iter().take(COLUMNS).filter(|(_, mean)| *mean > 0.0);
        let share = |(name, mean): &(String, f64)| {
            format!("{} ({:.0} %)", Shown(name), 100.0 * mean / cluster.mean_logit)
        };
        let strongest: Vec<String> = strongest.map(share).collect();
        let from = cluster
            .competitor
            .as_ref()
            .map(|other| format!("; mostly from cluster {}", Shown(other)));
        if !strongest.is_empty() {
            line("apart by", strongest.join(", ") + &from.unwrap_or_default());
        }
    }
    let named = |rows: &[Line]| -> String {
        let named = |line: &Line| match &line.name {
            Some(name) => format!("{} (row {})", Shown(name), line.row),
            None => format!("row {}", line.row),
        };
        rows.iter().map(named).collect::<Vec<_>>().join(", ")
    };
    line("typical", named(&cluster.typical));
    line("farthest", named(&cluster.farthest));
    text
}

fn of_comparison(versus: &Comparison) -> String {
    const SHOWN: usize = 12;
    let mut text = format!("\n{}\n", versus.sentence);
    for found in versus.differences.iter().take(SHOWN) {
        let value = found.value.as_ref().map(|value| format!(" {}", Shown(value)));
        let value = value.unwrap_or_default();
        let name = format!("{}{value}", Shown(&found.column));
        let _ = writeln!(
            text,
            "  {name:<30} {:>12} {:>12}   {:+.2} sd",
            short(found.own),
            short(found.other),
            found.difference
        );
    }
    text
}

fn of_classes(classes: &Classes, clusters: &[Cluster]) -> String {
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

/// Four digits of a number.
fn short(value: f64) -> String {
    if value != 0.0 && !(1e-3..1e6).contains(&value.abs()) {
        return format!("{value:.3e}");
    }
    let digits = if value == 0.0 { 0.0 } else { value.abs().log10().floor() };
    format!("{value:.*}", (3.0 - digits).clamp(0.0, 6.0) as usize)
}

/// A line for every cluster and column or value.
fn write_csv(answer: &Answer, delimiter: u8, output: impl std::io::Write) -> Result<()> {
    let mut writer = csv::WriterBuilder::new().delimiter(delimiter).from_writer(output);
    writer.write_record([
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
    ])?;
    let number = |value: Option<f64>| value.map(|value| format!("{value:?}")).unwrap_or_default();
    for cluster in &answer.clusters {
        for cell in &cluster.columns {
            writer.write_record([
                cluster.cluster.clone(),
                cluster.rows.to_string(),
                cell.column.clone(),
                cell.value.clone().unwrap_or_default(),
                number(Some(cell.own)),
                number(Some(cell.overall)),
                number(cell.difference),
                number(cell.median),
                number(cell.v),
                number(cell.p),
            ])?;
        }
    }
    Ok(writer.flush()?)
}
