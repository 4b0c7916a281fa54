//! The comparison with a model that has learnt nothing.

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Attribute, Background, Query};
use crate::error::Result;
use crate::evaluate::ranking::{correlation, rows_of};

/// The similarity of the explanation to that of a model that has learnt nothing
/// (after Adebayo et al. 2018): the mean over rows of the absolute rank correlation of R
/// with the relevances of a model whose centroids are shuffled
/// ([`Subject::randomised`](crate::baseline::Subject::randomised)). Near 1, the explanation
/// depends on the data and not on the model.
///
/// By chance alone it is about 0.8 / √(D − 1). `None` for a single feature, which has no
/// rank, and for a subject that cannot be shuffled.
///
/// # Shapes
///
/// - relevance: `[N, D]`, the method's for the query
///
/// # Errors
///
/// Those of the method, and if the shuffled centroids make no clusterer.
pub fn randomisation<B: Backend>(
    query: &Query<'_, B>,
    method: &dyn Attribute<B>,
    relevance: &Tensor<B, 2>,
) -> Result<Option<f64>> {
    if query.is_empty() || query.x.dims()[1] < 2 {
        return Ok(None);
    }
    let (data, seed) = (query.background.data(), query.background.seed());
    let Some(subject) = query.background.subject().randomised(seed)? else { return Ok(None) };
    let background = Background::new(&*subject, data, seed)?;
    let found = method.attribute(&background.query(&query.x, query.target)?)?.relevance;
    let (before, after) = (rows_of(relevance), rows_of(&found));
    let similarity: f64 = before.iter().zip(&after).map(|(a, b)| correlation(a, b).abs()).sum();
    Ok(Some(similarity / query.len() as f64))
}
