//! NEON and the secant pass as methods among others.

use burn::tensor::backend::Backend;

use crate::baseline::{Attribution, Query};
use crate::error::{Error, Result};
use crate::explain::{Beta, Explanation, Root};
use crate::transfer;

/// NEON, by the relevance pass of the network.
pub(super) fn neon<B: Backend>(query: &Query<'_, B>, beta: Beta) -> Result<Attribution<B>> {
    let network = query.background.subject().network();
    let beta = match beta {
        Beta::Heuristic => known_beta(query)?,
        beta => beta,
    };
    Ok(attribution(network.explain(&query.x, query.target, beta)?))
}

/// The secant pass from the boundary on the line to the competitor.
pub(super) fn toward<B: Backend>(query: &Query<'_, B>) -> Result<Attribution<B>> {
    let network = query.background.subject().network();
    let beta = known_beta(query)?;
    match network.explain_from(&query.x, query.target, beta, Root::Toward) {
        Err(Error::Config { name: "root", rule, .. }) => refused(rule),
        Err(error @ (Error::NoRoots | Error::Relevance(burn_lrp::Error::NoSecant(_)))) => {
            refused(error.to_string())
        }
        found => Ok(attribution(found?)),
    }
}

/// The method is not for this model.
fn refused<T>(rule: String) -> Result<T> {
    Err(Error::Config { name: "method", value: "toward".into(), rule })
}

fn attribution<B: Backend>(explanation: Explanation<B>) -> Attribution<B> {
    let absorbed = explanation
        .absorbed
        .into_iter()
        .map(|part| part.amount.unsqueeze_dim::<2>(1))
        .reduce(|sum, part| sum + part);
    Attribution { absorbed, ..explanation.relevance.into() }
}

/// The heuristic β; a network without one gets that of the background data.
fn known_beta<B: Backend>(query: &Query<'_, B>) -> Result<Beta> {
    match query.background.subject().network().beta() {
        Some(_) => Ok(Beta::Heuristic),
        None => Ok(Beta::Value(heuristic(query)?)),
    }
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
