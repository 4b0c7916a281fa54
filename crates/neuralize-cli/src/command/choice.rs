//! A number of clusters for the rows of a fit.

use std::ops::ControlFlow;

use anyhow::{Result, anyhow};
use burn::tensor::backend::Backend;
use neuralize::Error;
use neuralize::choose::{Choice, ChooseConfig, FIGURED_ROWS, FittedBy, Rows, SampledRows};
use neuralize::cluster::ClustererConfig;
use neuralize::data::{Encoding, ScaledTable};

use crate::args::Usage;
use crate::backend::Session;
use crate::command::shared;
use crate::parse::Method;
use crate::progress::Bar;

/// Data without clusters, which a choice compares with, are negative in part.
pub(super) fn refuse_bregman(method: Method) -> Result<(), Usage> {
    if matches!(method, Method::Distance(distance) if distance.is_bregman()) {
        let text = "a number of clusters can be chosen for kmeans, kmedians, power=P, mahalanobis, kernel and gmm; for a Bregman divergence \
                    say how many by --clusters K of `neuralize fit`";
        return Err(Usage(text.into()));
    }
    Ok(())
}

/// Numbers of clusters to choose from.
pub(super) struct Wanted {
    pub(super) config: ClustererConfig,
    pub(super) clusters: Vec<usize>,
    pub(super) seed: u64,
}

/// Chooses a number of clusters for the rows of a fit.
pub(super) fn choice<B: Backend>(
    session: &Session<B>,
    data: &ScaledTable<B>,
    wanted: Wanted,
) -> Result<Choice> {
    let mut sample = SampledRows::new(FIGURED_ROWS, wanted.seed);
    sample.add(&data.x)?;
    let located = |error: Error| anyhow::Error::from(data.located(error));
    choice_of(session, &sample, data.table.encoding(), wanted, located)
}

/// Chooses a number of clusters for the table that rows were drawn from. `located` names the row of
/// the file in an error; it gets the row counted as rows were added to the sample.
pub(super) fn choice_of<B: Backend>(
    session: &Session<B>,
    sample: &SampledRows,
    encoding: Option<&Encoding>,
    wanted: Wanted,
    located: impl FnOnce(Error) -> anyhow::Error,
) -> Result<Choice> {
    let (numbers, values) = sample.rows();
    let width = values.len() / numbers.len().max(1);
    let outcome = Rows::new(&values, width)
        .and_then(|rows| chosen(session, rows.with_total(sample.n_rows()), encoding, wanted));
    match outcome {
        Ok(choice) => choice.ok_or_else(|| anyhow!("the choice was stopped")),
        Err(error) => Err(of_table(error, &numbers, &values, width).map_or_else(
            |error| anyhow!("in rows that were drawn for the choice, {error}"),
            located,
        )),
    }
}

/// The error with the row of the table. A method is given some of the drawn rows, or data like them:
/// its row is found by its value. The error as it is if no drawn row has the value.
fn of_table(
    mut error: Error,
    numbers: &[usize],
    values: &[f64],
    width: usize,
) -> Result<Error, Error> {
    let Some((row, column, value)) = shared::place(&mut error) else { return Ok(error) };
    let mut found = values.iter().skip(column).step_by(width.max(1));
    match found.position(|found| *found == value).and_then(|at| numbers.get(at)) {
        Some(number) => *row = *number,
        None => return Err(error),
    }
    Ok(error)
}

/// The choice, unless it is stopped.
fn chosen<B: Backend>(
    session: &Session<B>,
    mut rows: Rows<'_>,
    encoding: Option<&Encoding>,
    Wanted { config, clusters, seed }: Wanted,
) -> Result<Option<Choice>, Error> {
    if let Some(encoding) = encoding {
        let columns = encoding.columns.iter().zip(encoding.groups());
        for (_, group) in columns.filter(|(column, _)| column.is_category()) {
            rows = rows.with_group(group)?;
        }
    }
    let mut bar: Option<Bar> = None;
    let mut observe = |progress: neuralize::choose::Progress| {
        let bar = bar.get_or_insert_with(|| Bar::fits(progress.of, session.quiet));
        bar.set(progress.done as u64, String::new);
        ControlFlow::Continue(())
    };
    let mut method = FittedBy::<B>::new(config, &session.device, session.dtype);
    let config = ChooseConfig::new().with_clusters(clusters).with_seed(seed);
    config.choose_observed(&rows, &mut method, &mut observe)
}
