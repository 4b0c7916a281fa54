//! A number of clusters for the rows of a fit.

use std::ops::ControlFlow;

use anyhow::Result;
use burn::tensor::backend::Backend;
use neuralize::Error;
use neuralize::choose::{Choice, ChooseConfig, FIGURED_ROWS, FittedBy, Rows, SampledRows};
use neuralize::cluster::ClustererConfig;
use neuralize::data::{Encoding, ScaledTable};

use crate::args::Usage;
use crate::backend::Session;
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
    let is_whole = sample.n_rows() <= FIGURED_ROWS;
    let located = |error: Error| if is_whole { data.located(error) } else { error };
    choice_of(session, &sample, data.table.encoding(), wanted).map_err(|error| {
        match error.downcast::<Error>() {
            Ok(error) => located(error).into(),
            Err(other) => other,
        }
    })
}

/// Chooses a number of clusters for the table that rows were drawn from.
pub(super) fn choice_of<B: Backend>(
    session: &Session<B>,
    sample: &SampledRows,
    encoding: Option<&Encoding>,
    Wanted { config, clusters, seed }: Wanted,
) -> Result<Choice> {
    let (numbers, values) = sample.rows();
    let width = values.len() / numbers.len().max(1);
    let mut rows = Rows::new(&values, width)?.with_total(sample.n_rows());
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
    let choice = config.choose_observed(&rows, &mut method, &mut observe);
    drop(bar);
    choice?.ok_or_else(|| anyhow::anyhow!("the choice was stopped"))
}
