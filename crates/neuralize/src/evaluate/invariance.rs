use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Attribute, Case, Scene};
use crate::error::Result;
use crate::evaluate::ranking::rows_of;

/// How much an explanation changes when data and model are moved together, to
/// `scale · x + shift`, which changes no decision: the mean over rows of
/// `| R'/Σ|R'| − R/Σ|R| |₁`, 0 to 2.
///
/// None for a clusterer that knows no such change. A row that has relevance on
/// one side alone counts 1, one without any 0.
///
/// # Shapes
///
/// - relevance: `[N, D]`, that of the method for the case
///
/// # Errors
///
/// Those of the method, and if the moved data leave the precision in use.
pub fn invariance<B: Backend>(
    case: &Case<'_, B>,
    method: &dyn Attribute<B>,
    relevance: &Tensor<B, 2>,
    scale: f64,
    shift: f64,
) -> Result<Option<f64>> {
    let Some(subject) = case.scene.subject().moved(scale, shift)? else { return Ok(None) };
    if case.is_empty() {
        return Ok(Some(0.0));
    }
    let moved = |table: &Tensor<B, 2>| table.clone() * scale + shift;
    let scene = Scene::new(&*subject, &moved(case.scene.data()), case.scene.seed())?;
    let found = method.attribute(&scene.ask(&moved(&case.x), case.target)?)?.relevance;
    let (before, after) = (rows_of(relevance), rows_of(&found));
    let change: f64 = before.iter().zip(&after).map(|(a, b)| difference(a, b)).sum();
    Ok(Some(change / case.len() as f64))
}

/// `|a/|a|₁ − b/|b|₁|₁`, where a row of zeros stays one.
fn difference(a: &[f64], b: &[f64]) -> f64 {
    let size = |row: &[f64]| row.iter().map(|r| r.abs()).sum::<f64>();
    let part = |value: f64, size: f64| if size > 0.0 { value / size } else { 0.0 };
    let (of_a, of_b) = (size(a), size(b));
    a.iter().zip(b).map(|(a, b)| (part(*a, of_a) - part(*b, of_b)).abs()).sum()
}
