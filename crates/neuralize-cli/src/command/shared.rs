//! What several subcommands do with tables and models.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::path::Path;

use anyhow::{Context, Result, anyhow};
use burn::tensor::backend::Backend;
use burn::tensor::{DType, Int, Tensor};
use neuralize::Error;
use neuralize::baseline::CheckReport;
use neuralize::data::{
    ColumnKind, Extreme, Gaps, Scale, ScaledParts, ScaledTable, Scaler, Shown, Survey, Table,
    TableOptions, TableReader,
};
use neuralize::output::{Format, RowKey, Selection, Sort};
use neuralize::plot::FigureSet;
use neuralize::report::failed_checks;

use crate::args::{ModelArgs, SelectionArgs, TrainingArgs};
use crate::backend::Session;
use crate::input;
use crate::output::Output;
use crate::progress::Bar;

/// The data of a fit, and how they are scaled.
pub(super) struct Training<B: Backend> {
    pub(super) scale: Scale,
    pub(super) scaler: Scaler<B>,
    pub(super) data: ScaledTable<B>,
}

/// Reads and scales the data of a fit. `fixed` is the scaling that the method needs, if it is not
/// named.
pub(super) fn read_scaled<B: Backend>(
    session: &Session<B>,
    args: &TrainingArgs,
    label: Option<&String>,
    fixed: Option<Scale>,
) -> Result<Training<B>> {
    let options = args.survey(session.table_options(args.options(label)))?;
    let survey = input::survey(&args.data, &options, true)?;
    let scale = decided(session, args, &survey, fixed, true)?;
    let file = survey.file().to_owned();
    let table = survey.table()?;
    drop(survey);
    let (scaler, data) = scale.fit_rows(table, file, &session.device, session.dtype)?;
    note_coarse(session, &data.table);
    note_counts(session, &data.table, data.table.gaps(), None);
    Ok(Training { scale, scaler, data })
}

/// Prints what the columns are and what is done with them, and chooses the scaling. Without all rows in
/// memory, no scaling by quantiles is advised.
pub(super) fn decided<B: Backend>(
    session: &Session<B>,
    args: &TrainingArgs,
    survey: &Survey,
    fixed: Option<Scale>,
    in_memory: bool,
) -> Result<Scale> {
    const OTHERWISE: &str = "otherwise  --columns A,B,..  --drop A,B,..  --as NAME=number|flag|category|date|id|text  \
                             --missing error|drop  --scale none";
    let (scale, why) = match args.scale.named().or(fixed) {
        Some(scale) => (scale, String::new()),
        None => survey.suggested_scale(),
    };
    let mut text = survey.to_string();
    let extremes = extremes(survey, scale);
    let dominant = survey.dominant();
    let dominant = dominant.filter(|column| extremes.iter().all(|(name, _)| name != column));
    if scale != Scale::None {
        text += &format!("\n  scaled     {scale}{}{why}", if why.is_empty() { "" } else { ", " });
    } else if let Some(column) = dominant {
        text += &format!(
            "\n  note       `{}` has more than 90 % of the variance; --scale standard makes columns count alike",
            Shown(column)
        );
    }
    if !extremes.is_empty() {
        text += &format!(
            "\n  note       {}",
            extremes_in_words(&extremes, fixed.is_none() && in_memory)
        );
    }
    let encoding = survey.encoding();
    let is_guessed = survey
        .found()
        .iter()
        .any(|found| !matches!(found.kind, ColumnKind::Number) || found.missing > 0);
    if is_guessed || !why.is_empty() || encoding.is_err() {
        text += &format!("\n  {OTHERWISE}");
    }
    session.note(text);
    encoding?;
    Ok(scale)
}

/// The columns of which one row has most of the variance, if the scaling does not take care of it.
fn extremes(survey: &Survey, scale: Scale) -> Vec<(&str, Extreme)> {
    let found = survey.found().iter().filter(|found| found.column.is_some());
    let found = found.filter_map(|found| Some((found.name.as_str(), found.extreme?)));
    if scale == Scale::Robust { Vec::new() } else { found.collect() }
}

/// `one row has most of the variance of `a` (row 900: 99 %); --scale robust weakens it …`
fn extremes_in_words(extremes: &[(&str, Extreme)], may_scale: bool) -> String {
    const SHOWN: usize = 3;
    let named = |(name, extreme): &(&str, Extreme)| {
        let share = (100.0 * extreme.share).floor();
        format!("`{}` (row {}: {share} %)", Shown(name), extreme.row)
    };
    let mut columns: Vec<String> = extremes.iter().take(SHOWN).map(named).collect();
    if extremes.len() > SHOWN {
        columns.push(counted(extremes.len() - SHOWN, "more column"));
    }
    let mut ways = Vec::new();
    if may_scale && extremes.iter().any(|(_, extreme)| extreme.has_range) {
        ways.push("--scale robust".to_owned());
    }
    if extremes.iter().any(|(_, extreme)| extreme.has_log) {
        let name = if let [(name, _)] = extremes { *name } else { "NAME" };
        ways.push(format!("--log {}", Shown(name)));
    }
    let advice = match ways.is_empty() {
        true => "look whether it is right".to_owned(),
        false => format!("{} weakens it", ways.join(" or ")),
    };
    format!(
        "one row has most of the variance of {}; {advice} (rows are counted from 0)",
        columns.join(", ")
    )
}

/// `1 row`, `2 rows`
fn rows(count: usize) -> String {
    counted(count, "row")
}

/// `1 feature`, `2 features`
pub(super) fn counted(count: usize, noun: &str) -> String {
    format!("{count} {noun}{}", if count == 1 { "" } else { "s" })
}

/// Prints what became of missing and unknown values. `filled` counts by column those that were
/// filled.
pub(super) fn note_counts<B: Backend>(
    session: &Session<B>,
    table: &Table,
    gaps: &Gaps,
    filled: Option<&BTreeMap<usize, usize>>,
) {
    let name = |column: usize| {
        let columns = table.encoding().map(|encoding| &encoding.columns[..]).unwrap_or_default();
        columns.get(column).map_or(String::new(), |column| Shown(&column.name).to_string())
    };
    if let Some(filled) = filled.filter(|filled| !filled.is_empty()) {
        let counts: Vec<String> =
            filled.iter().map(|(column, count)| format!("{} {count}", name(*column))).collect();
        session.note(format!(
            "note: missing values are filled by those of the training data: {}",
            listed(&counts)
        ));
    }
    if gaps.left_out > 0 {
        session.note(format!("note: {} with missing values left out", rows(gaps.left_out)));
    }
    if gaps.blank > 0 {
        session.note(format!("note: {} without a value of any feature left out", rows(gaps.blank)));
    }
    for (column, (count, first)) in &gaps.unknown {
        session.note(format!(
            "note: values of `{}` unknown to the model, such as `{}`: {count}; they count as none of its values",
            name(*column),
            Shown(first)
        ));
    }
}

/// Opens a table with the columns that the options select, and names the ignored
/// ones.
pub(super) fn open<B: Backend>(
    session: &Session<B>,
    path: &Path,
    options: TableOptions,
) -> Result<TableReader<'static>> {
    let reader = input::open(path, &session.table_options(options))?;
    for note in reader.notes() {
        session.note(format!("note: {}: {note}", Shown::path(reader.name())));
    }
    note_ignored(session, reader.ignored());
    Ok(reader)
}

/// Names the columns that are not read.
pub(super) fn note_ignored<B: Backend>(session: &Session<B>, ignored: &[String]) {
    const SHOWN: usize = 10;
    if ignored.is_empty() {
        return;
    }
    let named: Vec<&String> = ignored.iter().filter(|name| !name.is_empty()).collect();
    let shown = named.iter().take(SHOWN).map(|name| format!("`{}`", Shown(name)));
    let mut parts = vec![shown.collect::<Vec<_>>().join(", ")];
    parts.retain(|part| !part.is_empty());
    if named.len() > SHOWN {
        parts.push(format!("{} more", named.len() - SHOWN));
    }
    if named.len() < ignored.len() {
        parts.push(format!("{} without a name", ignored.len() - named.len()));
    }
    session.note(format!(
        "note: columns that are not features of the model are ignored: {}",
        parts.join(" and ")
    ));
}

/// Calls `body` with every part of a table that a model answers for.
pub(super) fn each_part<B: Backend>(
    session: &Session<B>,
    path: &Path,
    parts: ScaledParts<'_, B>,
    body: impl FnMut(&ScaledTable<B>) -> Result<()>,
) -> Result<()> {
    if let Some(read) = read_parts(session, path, parts, body)? {
        note_counts(session, &read.no_rows, &read.gaps, Some(&read.filled));
    }
    Ok(())
}

/// Calls `body` with every part of a table that a model is fitted to: what stands for missing values
/// is its own.
pub(super) fn each_training_part<B: Backend>(
    session: &Session<B>,
    path: &Path,
    parts: ScaledParts<'_, B>,
    body: impl FnMut(&ScaledTable<B>) -> Result<()>,
) -> Result<()> {
    if let Some(read) = read_parts(session, path, parts, body)? {
        note_counts(session, &read.no_rows, &read.gaps, None);
    }
    Ok(())
}

/// What became of missing and unknown values of a table that was read in parts.
struct ReadParts {
    /// The table without its rows.
    no_rows: Table,
    gaps: Gaps,
    /// How many values were filled, by column.
    filled: BTreeMap<usize, usize>,
}

/// Calls `body` with every part of a table; none if there is no part.
fn read_parts<B: Backend>(
    session: &Session<B>,
    path: &Path,
    parts: ScaledParts<'_, B>,
    mut body: impl FnMut(&ScaledTable<B>) -> Result<()>,
) -> Result<Option<ReadParts>> {
    let mut bar = Bar::bytes(input::size(path), session.quiet);
    let mut parts = parts.with_observer(move |bytes| bar.set(bytes, String::new));
    let known = parts.notes().len();
    let mut gaps = Gaps::default();
    let mut filled = BTreeMap::new();
    let mut last = None;
    for part in parts.by_ref() {
        let part = part?;
        if last.is_none() {
            note_coarse(session, &part.table);
        }
        gaps.add(part.table.gaps());
        for (column, count) in part.table.gaps().filled_by_column() {
            *filled.entry(column).or_default() += count;
        }
        if !part.rows.is_empty() {
            body(&part).map_err(|error| located(&part, error))?;
        }
        last = Some(part.table.select(&[]));
    }
    for note in parts.notes().iter().skip(known) {
        session.note(format!("note: {}: {note}", input::name(path)));
    }
    Ok(last.map(|no_rows| ReadParts { no_rows, gaps, filled }))
}

/// Checks that an output replaces neither the table nor the model, and does not become a part of them.
pub(super) fn check_output(input: &ModelArgs, output: Option<&Path>) -> Result<()> {
    Output::check_inputs(output, &input.data, Some(&input.model))
}

/// Checks that figures do not become parts of the table.
pub(super) fn check_figures(figures: Option<&Path>, table: &Path) -> Result<()> {
    Output::check_folder("--figures", figures, &[table])
}

/// The error, in words of the command if it is that a model has no heuristic beta.
pub(super) fn advised(error: anyhow::Error, model: &Path, advice: &str) -> anyhow::Error {
    match error.downcast_ref::<Error>() {
        Some(Error::NoHeuristicBeta) => anyhow!(
            "{}: the model has no beta, since its training data do not tell its clusters apart (their mean logit is not \
             positive); {advice}",
            Shown::path(model)
        ),
        _ => error,
    }
}

/// Numbers of the rows, with their names.
pub(super) fn keys<B: Backend>(part: &ScaledTable<B>) -> Vec<RowKey> {
    match part.table.ids() {
        Some(ids) => part.rows.iter().zip(ids).map(|(row, id)| RowKey::named(*row, id)).collect(),
        None => part.rows.iter().copied().map(RowKey::from).collect(),
    }
}

/// The error, with the row and column of the file.
pub(super) fn located<B: Backend>(part: &ScaledTable<B>, error: anyhow::Error) -> anyhow::Error {
    match error.downcast::<Error>() {
        Ok(error) => part.located(error).into(),
        Err(other) => other,
    }
}

/// Row, column and value that an error is about.
pub(super) fn place(error: &mut Error) -> Option<(&mut usize, usize, f64)> {
    match error {
        Error::TooLarge { row, column, value, .. }
        | Error::NonFinite { row, column, value, .. }
        | Error::Domain { row, column, value, .. } => Some((row, *column, *value)),
        _ => None,
    }
}

/// Names the columns whose values f32 cannot tell apart.
pub(super) fn note_coarse<B: Backend>(session: &Session<B>, table: &Table) {
    if session.dtype != DType::F32 {
        return;
    }
    let coarse = table.coarse_in_f32();
    if !coarse.is_empty() {
        let names = listed_names(&coarse);
        session.note(format!(
            "note: {names}: the values are too far from 0 for precision f32; use --precision f64"
        ));
    }
}

/// Prints how often the network of a model of points assigns the clusters of the fit.
pub(super) fn note_agreement<B: Backend>(session: &Session<B>, agreement: f64, left_out: bool) {
    const ENOUGH: f64 = 0.95;
    let share = 100.0 * agreement;
    let how = if left_out {
        "without the row's own support"
    } else {
        "with prototypes that are fitted to the row, too"
    };
    session.note(if agreement < ENOUGH {
        format!(
            "warning: the network assigns only {share:.2} % of the rows to their own cluster ({how}), and it is the network \
             that is explained; another --gamma or --scale may help"
        )
    } else {
        format!("the network assigns {share:.2} % of the rows to their own cluster ({how})")
    });
}

/// The results that are written. A table for the terminal has room for three
/// features.
pub(super) fn selection(args: &SelectionArgs, sort: Sort, format: Format) -> Selection {
    const TOP_OF_A_TABLE: NonZeroUsize = NonZeroUsize::MIN.saturating_add(2);
    let of_a_table = matches!(format, Format::Table { .. }).then_some(TOP_OF_A_TABLE);
    let mut selection = Selection::default().with_sort(sort);
    if let Some(top) = args.top.or(of_a_table) {
        selection = selection.with_top(top);
    }
    match args.limit {
        Some(limit) => selection.with_limit(limit),
        None => selection,
    }
}

/// Creates a folder for figures, or for other files.
pub(super) fn create_folder(folder: &Path) -> Result<()> {
    std::fs::create_dir_all(folder)
        .with_context(|| format!("cannot create the folder {}", Shown::path(folder)))
}

/// Saves figures to a folder.
pub(super) fn save_figures<B: Backend>(
    session: &Session<B>,
    figures: &FigureSet,
    folder: &Path,
) -> Result<()> {
    let extensions: &[&str] = if cfg!(feature = "png") { &["svg", "png"] } else { &["svg"] };
    figures.save(folder, extensions)?;
    let count = counted(figures.figures.len(), "figure");
    session.note(format!("{count} written to {}", Shown::path(folder)));
    Ok(())
}

/// `55, 61, 62`; the first of many.
pub(super) fn listed<T: ToString>(items: &[T]) -> String {
    const SHOWN: usize = 12;
    let shown: Vec<String> = items.iter().take(SHOWN).map(T::to_string).collect();
    match items.len().saturating_sub(SHOWN) {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

/// Labels of a file for a message: the first of many.
pub(super) fn listed_labels(labels: &[String]) -> String {
    listed(&labels.iter().map(|label| Shown(label)).collect::<Vec<_>>())
}

/// Columns of a file for a message: the first of many.
fn listed_names(names: &[impl AsRef<str>]) -> String {
    let quoted = names.iter().map(|name| format!("`{}`", Shown(name.as_ref())));
    listed(&quoted.collect::<Vec<_>>())
}

/// A figure with six digits behind the point, or so many in all where it is tiny or very large.
pub(super) fn figure(value: f64) -> String {
    let size = value.abs();
    if size == 0.0 || !size.is_finite() || (1e-4..1e12).contains(&size) {
        format!("{value:.6}")
    } else {
        format!("{value:.6e}")
    }
}

/// Labels on the host.
pub(super) fn numbers<B: Backend>(labels: Tensor<B, 1, Int>) -> Vec<usize> {
    labels.into_data().iter::<i64>().map(|label| label as usize).collect()
}

/// The results of a check as text, with what failed in words.
pub(super) fn described(report: &CheckReport, dtype: DType) -> String {
    let mut text = format!(
        "checked {}; errors relative to the point's sum of |relevance|\n\
         conservation error   max {:.1e}, mean {:.1e} (relevances sum to the logit)\n",
        counted(report.points, "point"),
        report.conservation_max,
        report.conservation_mean,
    );
    if report.absorbed_mean > 1e-6 {
        text += &format!(
            "no feature's         {:.1} % on average (in columns in parentheses)\n",
            100.0 * report.absorbed_mean
        );
    }
    if let Some(shift_max) = report.shift_max {
        text += &format!(
            "shift invariance     max {shift_max:.1e} (data and centroids shifted by {})\n",
            report.shift
        );
    }
    if let (Some(autodiff_max), Some(missed)) =
        (report.autodiff_max, report.gradient_times_input_mean)
    {
        let ties = match report.ties {
            0 => String::new(),
            ties => format!("; {} at ties left out", counted(ties, "point")),
        };
        text += &format!(
            "autodiff agreement   max {autodiff_max:.1e} (beta = inf against gradient x (input - boundary){ties})\n\
             gradient x input     conservation error mean {missed:.1e} (not NEON, for comparison)\n",
        );
    }
    for failed in failed_checks(report, dtype) {
        text += &format!("check failed: {failed}\n");
    }
    text
}
