//! A decision tree for the clusters, as an explanation of them.

use burn::tensor::backend::Backend;

#[cfg(feature = "surrogates")]
use crate::baseline::decision_tree::DecisionTree;
use crate::baseline::{Attribution, Query};
use crate::error::{Error, Result};
#[cfg(feature = "surrogates")]
use crate::transfer;

/// A decision tree that is fitted to the clusters of the data, and the splits on a
/// row's path through it (Saabas 2014): the feature of a split gets the change, from the node
/// to its child, of the share of the explained cluster, and for a contrast that of
/// the difference of two shares.
///
/// The relevances of a row add up to the share in its leaf less that in the
/// root. The tree is fitted on the host, so data and rows are downloaded.
#[cfg(feature = "surrogates")]
pub(super) fn surrogate<B: Backend>(query: &Query<'_, B>, depth: usize) -> Result<Attribution<B>> {
    let [rows, features] = query.x.dims();
    if depth == 0 {
        return Err(Error::Config {
            name: "depth",
            value: depth.to_string(),
            rule: "it must be at least 1: a tree without splits explains nothing".into(),
        });
    }
    if rows == 0 {
        return Ok(query.x.clone().into());
    }
    // The depth of the first query is usually that of all.
    let first = match query.background.tree.get() {
        Some(tree) => tree,
        None => {
            let tree = fitted(query, depth)?;
            query.background.tree.get_or_init(|| tree)
        }
    };
    let other;
    let tree = if first.depth() == depth {
        first
    } else {
        other = fitted(query, depth)?;
        &other
    };

    let own = transfer::download_indices(query.pinned.cluster());
    let versus = transfer::download_indices(query.pinned.competitor());
    let mut relevance = transfer::download(query.x.clone());
    for ((row, own), versus) in relevance.chunks_mut(features).zip(own).zip(versus) {
        let versus = query.pinned.is_pair().then_some(versus);
        row.copy_from_slice(&tree.contributions(row, own, versus));
    }
    let device = query.x.device();
    Ok(transfer::upload(relevance, [rows, features], &device, query.x.dtype()).into())
}

#[cfg(feature = "surrogates")]
fn fitted<B: Backend>(query: &Query<'_, B>, depth: usize) -> Result<DecisionTree> {
    let (data, members) = (query.background.data(), query.background.members());
    DecisionTree::fit(&transfer::download(data.clone()), data.dims(), members, depth)
        .map_err(refused)
}

/// Without the feature `surrogates` there is no tree.
#[cfg(not(feature = "surrogates"))]
pub(super) fn surrogate<B: Backend>(_: &Query<'_, B>, _: usize) -> Result<Attribution<B>> {
    Err(missing("tree-surrogate"))
}

/// The error of a method that needs the feature `surrogates`.
#[cfg(not(feature = "surrogates"))]
pub(super) fn missing(method: &'static str) -> Error {
    let rule =
        "it needs the feature `surrogates` of neuralize, which this program was built without";
    Error::config("method", method, rule)
}

#[cfg(feature = "surrogates")]
fn refused(rule: String) -> Error {
    Error::Config { name: "method", value: "tree-surrogate".into(), rule }
}
