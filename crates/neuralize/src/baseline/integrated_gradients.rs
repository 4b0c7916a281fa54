//! Integrated gradients.

use burn::tensor::backend::Backend;

use crate::baseline::{Attribution, Query, Reference};
use crate::error::{Error, Result};

/// Integrated gradients (Sundararajan et al. 2017) by the midpoint rule:
/// `R_i = (x_i − r_i) · 1/S Σ_s ∂f/∂x_i at r + (s + ½)/S · (x − r)`, s = 0 to S − 1.
///
/// The path is walked point by point for all rows, so that memory holds one table of
/// slopes.
pub(super) fn integrated<B: Backend>(
    query: &Query<'_, B>,
    from: Reference,
    steps: usize,
) -> Result<Attribution<B>> {
    if steps == 0 {
        return Err(Error::Config {
            name: "steps",
            value: steps.to_string(),
            rule: "it must be at least 1".into(),
        });
    }
    if query.is_empty() {
        return Ok(query.x.clone().into());
    }
    let reference = query.reference(from);
    let difference = query.x.clone() - reference.clone();
    let mut slopes = query.x.zeros_like();
    for step in 0..steps {
        let at = (step as f64 + 0.5) / steps as f64;
        slopes = slopes + query.at(reference.clone() + difference.clone() * at).slope();
    }
    Ok((difference * (slopes / steps as f64)).into())
}
