//! A number of clusters for the rows of a fit.

use std::ops::ControlFlow;

use anyhow::Result;
use burn::tensor::backend::Backend;
use neuralize::choose::{Choice, ChooseConfig, FittedBy, Rows};
use neuralize::cluster::ClustererConfig;
use neuralize::data::ScaledTable;

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

/// Chooses a number of clusters for the rows of a fit.
pub(super) fn choice<B: Backend>(
    session: &Session<B>,
    data: &ScaledTable<B>,
    config: ClustererConfig,
    clusters: &[usize],
    seed: u64,
) -> Result<Choice> {
    let values: Vec<f64> = data.x.clone().into_data().iter::<f64>().collect();
    let width = data.x.dims()[1];
    let mut rows = Rows::new(&values, width).map_err(|error| data.located(error))?;
    if let Some(encoding) = data.table.encoding() {
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
    let config = ChooseConfig::new().with_clusters(clusters.iter().copied()).with_seed(seed);
    let choice = config.choose_observed(&rows, &mut method, &mut observe);
    drop(bar);
    let choice = choice.map_err(|error| data.located(error))?;
    choice.ok_or_else(|| anyhow::anyhow!("the choice was stopped"))
}
