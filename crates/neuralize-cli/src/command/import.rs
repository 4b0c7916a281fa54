//! `neuralize import`

use std::collections::HashSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Tensor};
use clap::{Args, ValueHint};
use neuralize::Error;
use neuralize::cluster::{KMeans, match_to_classes};
use neuralize::data::{
    ColumnKind, Encoding, Scale, Scaler, Shown, SurveyOptions, Table, TableOptions, TableReader,
};
use neuralize::record::{Model, ModelInfo, check_folder};
use serde::Deserialize;

use crate::args::Usage;
use crate::backend::{Job, Session};
use crate::command::shared::{self, counted, figure};
use crate::output::Output;
use crate::{input, parse};

#[derive(Args)]
#[command(
    after_help = "Centroids are in the units of the data, also where a scaler is given; --scaled says that they are in those of \
                  the scaler.\n\n\
                  Example: neuralize import centroids.csv --data data.csv --model model"
)]
pub(super) struct ImportArgs {
    /// Table with a centroid in every row; its columns are the features
    #[arg(value_name = "CENTROIDS", value_hint = ValueHint::FilePath)]
    centroids: PathBuf,
    /// Folder for the model
    #[arg(long, value_name = "DIR", value_hint = ValueHint::DirPath)]
    model: PathBuf,
    /// Beta of the model
    #[arg(long, value_name = "B", required_unless_present = "data", value_parser = parse::number, allow_negative_numbers = true)]
    beta: Option<f64>,
    /// Data of the clustering, for the heuristic beta, the inertia and the sizes of the clusters
    #[arg(long, value_name = "DATA", value_hint = ValueHint::FilePath)]
    data: Option<PathBuf>,
    /// Means that the other program subtracted: a table with one row, or one column
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "spread")]
    mean: Option<PathBuf>,
    /// Spreads that it divided by, such as standard deviations: a table with one row, or one column
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, requires = "mean")]
    spread: Option<PathBuf>,
    /// JSON with both, in the order of the columns of the centroids: `{"mean": [..], "spread": [..]}`
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath, conflicts_with_all = ["mean", "spread"])]
    scaler: Option<PathBuf>,
    /// The centroids are scaled
    #[arg(long)]
    scaled: bool,
    /// Column of the data with the clusters of the other program, numbered from 0 like the centroids or
    /// named; how many rows agree is printed
    #[arg(long, value_name = "COL", requires = "data")]
    labels: Option<String>,
}

/// A scaler of another program.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Moments {
    mean: Vec<f64>,
    #[serde(alias = "scale", alias = "std")]
    spread: Vec<f64>,
}

impl Job for ImportArgs {
    fn run<B: Backend>(self, session: &Session<B>) -> Result<()> {
        check_folder(&self.model)?;
        let tables = [Some(&self.centroids), self.data.as_ref(), self.mean.as_ref()];
        let tables = tables.into_iter().flatten().chain(&self.spread);
        let tables: Vec<&Path> = tables.map(PathBuf::as_path).collect();
        Output::check_folder("--model", Some(&self.model), &tables)?;
        let (device, dtype) = (&session.device, session.dtype);
        let table = self.centroids(session)?;
        let features = table.features().to_vec();
        let raw = table.to_tensor::<B>(device, dtype)?;
        let moments = self.moments(session, &features)?;
        if self.scaled && moments.is_none() {
            let text = "--scaled: name the scaler by --mean and --spread, or by --scaler";
            return Err(Usage(text.into()).into());
        }
        let scaler = match &moments {
            Some(Moments { mean, spread }) => Scaler::from_moments(mean, spread, device, dtype)?,
            None => Scaler::identity(features.len(), device, dtype),
        };
        let scaled = if self.scaled { raw } else { scaler.transform(&raw)? };
        check_distinct(session, &scaled, &input::name(&self.centroids));
        let mut kmeans = KMeans::from_centroids(scaled)?;
        if kmeans.n_clusters() < 2 {
            return Err(Error::NoCompetitor.into());
        }
        let mut info = ModelInfo::new(&features);
        if moments.is_some() {
            info = info.with_scale(Scale::Standard);
        }
        shared::note_coarse(session, &table);
        if let Some(path) = &self.data {
            kmeans = self.compared(session, path, (&scaler, kmeans), &mut info)?;
        }
        if let Some(beta) = self.beta {
            kmeans = kmeans.with_beta(beta)?;
        }
        let (clusters, columns) = (kmeans.n_clusters(), kmeans.n_features());
        let beta = kmeans.beta();
        Model::new(scaler, kmeans, info)?.save(&self.model)?;
        let beta = beta.map_or_else(|| "not known".into(), figure);
        let columns = counted(columns, "feature");
        session.note(format!("{clusters} centroids of {columns}, beta {beta}"));
        session.note(format!("model saved to {}", Shown::path(&self.model)));
        Ok(())
    }
}

impl ImportArgs {
    /// The table of the centroids, without an index of its rows.
    fn centroids<B: Backend>(&self, session: &Session<B>) -> Result<Table> {
        let options = SurveyOptions::new(session.text_options(TableOptions::default()));
        let survey = input::survey(&self.centroids, &options, true)?;
        let name = Shown::path(survey.file());
        for note in survey.notes() {
            session.note(format!("note: {name}: {note}"));
        }
        for found in survey.found() {
            let is_number = matches!(found.kind, ColumnKind::Number | ColumnKind::Constant);
            match found.kind {
                _ if is_number && found.column.is_some() && found.missing == 0 => {}
                ColumnKind::Identifier => session.note(format!(
                    "note: {name}: column `{}` is left out: {}",
                    Shown(&found.name),
                    found.remark
                )),
                _ => {
                    let missing = found.missing > 0;
                    let what = if missing { "has missing values" } else { "does not hold numbers" };
                    let place = first_wrong(session, &self.centroids, &found.name);
                    bail!("{name}: column `{}` {what}{place}", Shown(&found.name))
                }
            }
        }
        Ok(survey.table()?)
    }

    /// Mean and spread of the other program's scaler.
    fn moments<B: Backend>(
        &self,
        session: &Session<B>,
        features: &[String],
    ) -> Result<Option<Moments>> {
        let read = |path: &Path| row_or_column(session, path, features);
        let (moments, [of_mean, of_spread]) = match (&self.mean, &self.spread, &self.scaler) {
            (Some(mean), Some(spread), _) => {
                let moments = Moments { mean: read(mean)?, spread: read(spread)? };
                (moments, [mean, spread].map(|path| input::name(path)))
            }
            (_, _, Some(path)) => {
                let name = input::name(path);
                let text = fs::read_to_string(path).with_context(|| name.clone())?;
                let moments = serde_json::from_str(&text).map_err(|error| {
                    anyhow!("{name}: expected {{\"mean\": [..], \"spread\": [..]}}: {error}")
                })?;
                (moments, [name.clone(), name])
            }
            _ => return Ok(None),
        };
        let of = [("mean", of_mean, &moments.mean), ("spread", of_spread, &moments.spread)];
        for (what, name, values) in of {
            if values.len() != features.len() {
                let (found, features) =
                    (counted(values.len(), what), counted(features.len(), "feature"));
                bail!("{name}: {found} for {features}");
            }
            let wrong = |value: f64| !value.is_finite() || what == "spread" && value <= 0.0;
            if let Some(at) = values.iter().position(|value| wrong(*value)) {
                let rule = if what == "spread" { "positive and finite" } else { "finite" };
                bail!(
                    "{name}: column `{}`: {what} = {} cannot be used: it must be {rule}",
                    Shown(&features[at]),
                    Shown(&values[at].to_string())
                );
            }
        }
        Ok(Some(moments))
    }

    /// The data of the clustering: the features are numbers, whose medians stand for missing values.
    fn data<B: Backend>(
        &self,
        session: &Session<B>,
        path: &Path,
        features: &[String],
    ) -> Result<Table> {
        let options = TableOptions::default().with_selected(features);
        let options = self.labels.iter().fold(options, TableOptions::with_label);
        let options = SurveyOptions::new(session.table_options(options));
        let options = features
            .iter()
            .fold(options, |options, name| options.with_kind(name, ColumnKind::Number));
        let survey = input::survey(path, &options, true)?;
        for note in survey.notes() {
            session.note(format!("note: {}: {note}", Shown::path(survey.file())));
        }
        shared::note_ignored(session, survey.ignored());
        let table = survey.table()?;
        shared::note_counts(session, &table, table.gaps(), Some(&table.gaps().filled_by_column()));
        Ok(table)
    }

    /// Compares the model with its data.
    fn compared<B: Backend>(
        &self,
        session: &Session<B>,
        path: &Path,
        (scaler, mut kmeans): (&Scaler<B>, KMeans<B>),
        info: &mut ModelInfo,
    ) -> Result<KMeans<B>> {
        let (name, clusters) = (input::name(path), kmeans.n_clusters());
        let table = self.data(session, path, &info.features)?;
        let x = scaler.transform(&table.to_tensor(&session.device, session.dtype)?)?;
        let labels = table.labels().unwrap_or_default();
        *info = with_data(info.clone(), &table);
        let found = shared::numbers(kmeans.predict(&x)?);
        let mut sizes = vec![0; clusters];
        for &label in &found {
            sizes[label] += 1;
        }
        let empty: Vec<usize> = (0..clusters).filter(|cluster| sizes[*cluster] == 0).collect();
        if empty.len() == clusters - 1 && found.len() > 1 {
            session.note(format!(
                "warning: {name}: all rows are in one cluster: are centroids and data in the same units? (--mean and \
                 --spread, --scaled)"
            ));
        } else if !empty.is_empty() {
            session.note(format!("warning: no row is in cluster {}", shared::listed(&empty)));
        }
        if let Some(column) = &self.labels {
            session.note(agreement(column, labels, &found, clusters));
        }
        if self.beta.is_none() {
            kmeans = kmeans.with_heuristic_beta(&x).map_err(|error| match error {
                Error::NoHeuristicBeta => anyhow!(
                    "{name}: these data give no beta, since the centroids do not tell them apart (the mean logit is not \
                     positive); give one, such as --beta 1"
                ),
                other => other.into(),
            })?;
        }
        info.inertia = Some(kmeans.inertia(&x)?);
        info.rows = Some(found.len());
        info.sizes = Some(sizes);
        Ok(kmeans)
    }
}

/// What the model keeps of its data: what stands for missing values, if they have some or a value
/// for them is named, and the decimal sign.
fn with_data(mut info: ModelInfo, table: &Table) -> ModelInfo {
    let Some(encoding) = table.encoding() else { return info };
    if !encoding.missing_values.is_empty() || !table.gaps().filled.is_empty() {
        return info.with_table(table);
    }
    if encoding.decimal.is_some() {
        let mut numbers = Encoding::numbers(&info.features);
        numbers.decimal = encoding.decimal;
        info.encoding = Some(numbers);
    }
    info
}

/// How many rows have the cluster of the other program: by number, or by the best match of names.
fn agreement(column: &str, labels: &[String], found: &[usize], clusters: usize) -> String {
    let number = |label: &String| -> Option<usize> {
        let number = label.parse::<f64>().ok().filter(|number| number.fract() == 0.0)?;
        (0.0..clusters as f64).contains(&number).then_some(number as usize)
    };
    let known: Vec<&String> = labels.iter().filter(|label| !label.is_empty()).collect();
    let (rows, column) = (known.len(), Shown(column));
    if known.iter().all(|label| number(label).is_some()) {
        let agree =
            labels.iter().zip(found).filter(|(label, found)| number(label) == Some(**found));
        let agree = agree.count();
        let hint = if agree < rows {
            ": are the centroids in the order of the labels, and in the units of the data?"
        } else {
            ""
        };
        let (rows, are) = (counted(rows, "row"), if rows == 1 { "is" } else { "are" });
        return format!("{agree} of {rows} {are} in the cluster that `{column}` says{hint}");
    }
    let mut names: Vec<&String> = known.into_iter().collect::<HashSet<_>>().into_iter().collect();
    names.sort();
    let pairs = labels
        .iter()
        .zip(found)
        .filter_map(|(label, found)| Some((*found, names.binary_search(&label).ok()?)));
    let (found, classes): (Vec<usize>, Vec<usize>) = pairs.unzip();
    let agree = match_to_classes(&found, &classes, clusters, names.len()).agreeing;
    format!(
        "{agree} of {} agree with the {} of `{column}`, matched one to one",
        counted(rows, "row"),
        counted(names.len(), "name")
    )
}

/// Notes centroids that are the same, between which nothing can be explained.
fn check_distinct<B: Backend>(session: &Session<B>, centroids: &Tensor<B, 2>, name: &str) {
    let width = centroids.dims()[1].max(1);
    let values: Vec<f64> = centroids.to_data().iter::<f64>().collect();
    let rows: Vec<&[f64]> = values.chunks_exact(width).collect();
    let first = |at: usize| (0..at).find(|other| rows[*other] == rows[at]);
    if let Some((at, other)) = (0..rows.len()).find_map(|at| Some((at, first(at)?))) {
        let coarse = if session.dtype == DType::F32 { " in precision f32" } else { "" };
        session.note(format!("warning: {name}: centroids {other} and {at} are the same{coarse}"));
    }
}

/// Where a column of the centroids is not a number: empty if the table cannot be read once more, or
/// all cells are numbers.
fn first_wrong<B: Backend>(session: &Session<B>, path: &Path, column: &str) -> String {
    if input::is_read_once(path) {
        return String::new();
    }
    let options = session.text_options(TableOptions::default().with_selected([column]));
    let read = input::open(path, &options).and_then(|mut reader| Ok(reader.read_all()?));
    match read.map_err(|error| error.downcast::<Error>()) {
        Err(Ok(Error::Cell { line, text, .. })) => format!(": line {line} has `{}`", Shown(&text)),
        Err(Ok(Error::MissingValues { first, .. })) => {
            format!(", the first in {}", first.split(',').next().unwrap_or_default())
        }
        _ => String::new(),
    }
}

/// The numbers of a table of one row, by name or position, or of one column.
fn row_or_column<B: Backend>(
    session: &Session<B>,
    path: &Path,
    features: &[String],
) -> Result<Vec<f64>> {
    let options = session.text_options(TableOptions::default());
    // A list of numbers has no header.
    let opened = input::open(path, &options)
        .or_else(|error| input::open(path, &options.clone().with_header(false)).map_err(|_| error));
    let mut reader: TableReader = opened?;
    let mut table = reader.read_all()?;
    if table.rows() == 0 {
        // Numbers from 0 on may name columns, but not here.
        table = input::open(path, &options.with_header(false))?.read_all()?;
    }
    let name = input::name(path);
    let row = |at: usize| table.row(at).unwrap_or_default().to_vec();
    match (table.rows(), table.features().len()) {
        (1, _) => {
            let values = row(0);
            let place = |name: &String| table.features().iter().position(|known| known == name);
            // By name where all names are there.
            let places: Option<Vec<usize>> = features.iter().map(place).collect();
            // An index of rows has no name.
            let is_other =
                |name: &str| !name.is_empty() && !features.iter().any(|known| known == name);
            let other = table.features().iter().find(|name| is_other(name));
            if let Some(other) = other.filter(|_| places.is_some()) {
                bail!(
                    "{name}: column `{}` is no feature of the centroids; leave it out",
                    Shown(other)
                );
            }
            match places {
                Some(places) => Ok(places.into_iter().map(|at| values[at]).collect()),
                None if values.len() == features.len() => {
                    session.note(format!(
                        "note: {name}: its columns are taken in the order of the features"
                    ));
                    Ok(values)
                }
                None => bail!("{name}: its columns are not the features of the centroids"),
            }
        }
        (rows, 1) => Ok((0..rows).flat_map(row).collect()),
        (rows, columns) => {
            bail!(
                "{name}: expected one row or one column, found {} of {}",
                counted(rows, "row"),
                counted(columns, "column")
            )
        }
    }
}
