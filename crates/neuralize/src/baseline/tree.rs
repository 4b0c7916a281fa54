#[cfg(feature = "tree")]
mod fitted;

use burn::tensor::backend::Backend;

use crate::baseline::{Attribution, Case};
use crate::error::{Error, Result};
#[cfg(feature = "tree")]
use crate::transfer;

#[cfg(feature = "tree")]
pub(super) use fitted::Fitted;

/// A decision tree that is fitted to the clusters of the data, and what the
/// splits on a row's way through it say (Saabas 2014): the feature of a split
/// gets the change of the share of the explained cluster from the node to its
/// child, and of a contrast that of the difference of two shares.
///
/// The relevances of a row add up to the share in its leaf less that in the
/// root. A tree is no tensor operation: data and rows are brought to the host.
#[cfg(feature = "tree")]
pub(super) fn surrogate<B: Backend>(case: &Case<'_, B>, depth: usize) -> Result<Attribution<B>> {
    let [rows, features] = case.x.dims();
    if depth == 0 {
        return Err(Error::Config {
            name: "depth",
            value: depth.to_string(),
            rule: "a tree without splits says nothing".into(),
        });
    }
    if rows == 0 {
        return Ok(case.x.clone().into());
    }
    // The first depth that is asked for is the one that is asked for again.
    let first = match case.scene.tree.get() {
        Some(tree) => tree,
        None => {
            let tree = Fitted::to(case.scene, depth)?;
            case.scene.tree.get_or_init(|| tree)
        }
    };
    let other;
    let tree = if first.depth() == depth {
        first
    } else {
        other = Fitted::to(case.scene, depth)?;
        &other
    };

    let own = transfer::download_indices(case.pinned.cluster());
    let versus = transfer::download_indices(case.pinned.competitor());
    let mut relevance = transfer::download(case.x.clone());
    for ((row, own), versus) in relevance.chunks_mut(features).zip(own).zip(versus) {
        let versus = case.pinned.is_pair().then_some(versus);
        row.copy_from_slice(&tree.contributions(row, own, versus));
    }
    let device = case.x.device();
    Ok(transfer::upload(relevance, [rows, features], &device, case.x.dtype()).into())
}

/// Without the feature `tree` there is none.
#[cfg(not(feature = "tree"))]
pub(super) fn surrogate<B: Backend>(_: &Case<'_, B>, _: usize) -> Result<Attribution<B>> {
    Err(Error::Config {
        name: "method",
        value: "tree-surrogate".into(),
        rule: "it needs the feature `tree` of neuralize, which this program was built without"
            .into(),
    })
}
