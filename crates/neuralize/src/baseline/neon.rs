//! NEON as one method among others.

use burn::tensor::backend::Backend;

use crate::baseline::{Attribution, Query};
use crate::error::Result;
use crate::explain::Beta;
use crate::transfer;

/// NEON, by the relevance pass of the network.
pub(super) fn neon<B: Backend>(query: &Query<'_, B>, beta: Beta) -> Result<Attribution<B>> {
    let network = query.background.subject().network();
    let beta = match (beta, network.beta()) {
        // A network without a heuristic β gets that of the background data.
        (Beta::Heuristic, None) => Beta::Value(heuristic(query)?),
        (beta, _) => beta,
    };
    let explanation = network.explain(&query.x, query.target, beta)?;
    let absorbed = explanation
        .absorbed
        .into_iter()
        .map(|part| part.amount.unsqueeze_dim::<2>(1))
        .reduce(|sum, part| sum + part);
    Ok(Attribution { absorbed, ..explanation.relevance.into() })
}

/// 1 / mean logit of the background data.
fn heuristic<B: Backend>(query: &Query<'_, B>) -> Result<f64> {
    let background = query.background;
    let (_, logits) = background.subject().network().predict_with_logit(background.data())?;
    let logits = transfer::download(logits);
    let mean = logits.iter().sum::<f64>() / logits.len() as f64;
    // With every point on a boundary, no scale is known.
    Ok(if mean > 0.0 { 1.0 / mean } else { 1.0 })
}
