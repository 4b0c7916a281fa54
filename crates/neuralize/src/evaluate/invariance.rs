//! The invariance to a shift and a scale of the data.

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Attribute, Background, Query};
use crate::error::Result;
use crate::evaluate::ranking::rows_of;

/// The change of an explanation when data and model are transformed together, to
/// `scale · x + shift`, which changes no decision: the mean over rows of
/// `| R'/Σ|R'| − R/Σ|R| |₁`, 0 to 2.
///
/// `None` for a subject that cannot be transformed. A row of zeros before or after
/// counts 1, before and after 0.
///
/// # Shapes
///
/// - relevance: `[N, D]`, the method's for the query
///
/// # Errors
///
/// Those of the method, and if the transformed data leave the range of the precision.
pub fn invariance<B: Backend>(
    query: &Query<'_, B>,
    method: &dyn Attribute<B>,
    relevance: &Tensor<B, 2>,
    scale: f64,
    shift: f64,
) -> Result<Option<f64>> {
    let Some(subject) = query.background.subject().transformed(scale, shift)? else {
        return Ok(None);
    };
    if query.is_empty() {
        return Ok(Some(0.0));
    }
    let transform = |table: &Tensor<B, 2>| table.clone() * scale + shift;
    let background =
        Background::new(&*subject, &transform(query.background.data()), query.background.seed())?;
    let found = method.attribute(&background.query(&transform(&query.x), query.target)?)?.relevance;
    let (before, after) = (rows_of(relevance), rows_of(&found));
    let change: f64 = before.iter().zip(&after).map(|(a, b)| difference(a, b)).sum();
    Ok(Some(change / query.len() as f64))
}

/// `|a/|a|₁ − b/|b|₁|₁`, where a row of zeros stays a row of zeros.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    let size = |row: &[f64]| row.iter().map(|r| r.abs()).sum::<f64>();
    let part = |value: f64, size: f64| if size > 0.0 { value / size } else { 0.0 };
    let (of_a, of_b) = (size(a), size(b));
    a.iter().zip(b).map(|(a, b)| (part(*a, of_a) - part(*b, of_b)).abs()).sum()
}
