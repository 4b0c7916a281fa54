//! The conservation error.

use burn::tensor::backend::Backend;

use crate::baseline::{Attribution, Query};
use crate::transfer;

/// The conservation error of relevances: the mean over rows of
/// `|Σ_i R_i + absorbed − f| / (Σ_i |R_i| + |absorbed|)`.
///
/// A row of zeros counts 0 if its logit is 0, and 1 otherwise.
pub fn conservation<B: Backend>(query: &Query<'_, B>, attribution: &Attribution<B>) -> f64 {
    if query.is_empty() {
        return 0.0;
    }
    let relevance = &attribution.relevance;
    let mut sum = relevance.clone().sum_dim(1);
    let mut size = relevance.clone().abs().sum_dim(1);
    if let Some(absorbed) = &attribution.absorbed {
        sum = sum + absorbed.clone();
        size = size + absorbed.clone().abs();
    }
    let differences = transfer::download((sum - query.logit()).abs());
    let errors = differences.iter().zip(transfer::download(size)).map(|(difference, size)| {
        if size > 0.0 { difference / size } else { f64::from(u8::from(*difference > 0.0)) }
    });
    errors.sum::<f64>() / query.len() as f64
}
