use burn::tensor::backend::Backend;

use crate::baseline::{Attribution, Case, Reference};
use crate::error::{Error, Result};

/// Integrated gradients (Sundararajan et al. 2017) by the midpoint rule:
/// `R_i = (x_i − r_i) · 1/S Σ_s ∂f/∂x_i at r + (s + ½)/S · (x − r)`, s = 0 to S − 1.
///
/// One point of the way after the other, for all rows, so that no more than a
/// table of slopes is ever held.
pub(super) fn integrated<B: Backend>(
    case: &Case<'_, B>,
    from: Reference,
    steps: usize,
) -> Result<Attribution<B>> {
    if steps == 0 {
        return Err(Error::Config {
            name: "steps",
            value: steps.to_string(),
            rule: "the way from the reference needs at least one point".into(),
        });
    }
    if case.is_empty() {
        return Ok(case.x.clone().into());
    }
    let reference = case.reference(from);
    let way = case.x.clone() - reference.clone();
    let mut slopes = case.x.zeros_like();
    for step in 0..steps {
        let at = (step as f64 + 0.5) / steps as f64;
        slopes = slopes + case.at(reference.clone() + way.clone() * at).slope();
    }
    Ok((way * (slopes / steps as f64)).into())
}
