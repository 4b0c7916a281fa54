use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Attribute, Case, Scene};
use crate::error::Result;
use crate::evaluate::ranking::{correlation, rows_of};

/// How like the explanation is to that of a model that has learnt nothing
/// (after Adebayo et al. 2018): the mean over rows of the size of the rank
/// correlation of R with the relevances by a model whose centroids are shuffled
/// ([`Subject::shuffled`](crate::baseline::Subject::shuffled)). Near 1 the method
/// looks at the data and not at the model.
///
/// By chance alone it is about 0.8 / √(D − 1). None for one feature, which has no
/// rank.
///
/// # Shapes
///
/// - relevance: `[N, D]`, that of the method for the case
///
/// # Errors
///
/// Those of the method, and if the shuffled model is none.
pub fn randomisation<B: Backend>(
    case: &Case<'_, B>,
    method: &dyn Attribute<B>,
    relevance: &Tensor<B, 2>,
) -> Result<Option<f64>> {
    if case.is_empty() || case.x.dims()[1] < 2 {
        return Ok(None);
    }
    let subject = case.scene.subject().shuffled(case.scene.seed())?;
    let scene = Scene::new(&*subject, case.scene.data(), case.scene.seed())?;
    let found = method.attribute(&scene.ask(&case.x, case.target)?)?.relevance;
    let (model, nothing) = (rows_of(relevance), rows_of(&found));
    let likeness: f64 = model.iter().zip(&nothing).map(|(a, b)| correlation(a, b).abs()).sum();
    Ok(Some(likeness / case.len() as f64))
}
