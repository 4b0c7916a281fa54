use burn::tensor::backend::Backend;

use crate::baseline::{Attribution, Case};
use crate::transfer;

/// How far relevances are from summing to the logit: the mean over rows of
/// `|Σ_i R_i + absorbed − f| / (Σ_i |R_i| + |absorbed|)`.
///
/// A row without any relevance counts 0 where its logit is 0, and 1 elsewhere.
pub fn conservation<B: Backend>(case: &Case<'_, B>, attribution: &Attribution<B>) -> f64 {
    if case.is_empty() {
        return 0.0;
    }
    let relevance = &attribution.relevance;
    let mut sum = relevance.clone().sum_dim(1);
    let mut size = relevance.clone().abs().sum_dim(1);
    if let Some(absorbed) = &attribution.absorbed {
        sum = sum + absorbed.clone();
        size = size + absorbed.clone().abs();
    }
    let off = transfer::download((sum - case.logit()).abs());
    let errors = off
        .iter()
        .zip(transfer::download(size))
        .map(|(off, size)| if size > 0.0 { off / size } else { f64::from(u8::from(*off > 0.0)) });
    errors.sum::<f64>() / case.len() as f64
}
