use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Attribution, Case};
use crate::error::Result;
use crate::explain::Beta;
use crate::random::{Stream, uniform};
use crate::transfer;

/// NEON, by the network's own pass.
pub(super) fn neon<B: Backend>(case: &Case<'_, B>, beta: Beta) -> Result<Attribution<B>> {
    let network = case.scene.subject().network();
    let beta = match (beta, network.beta()) {
        // Of a network without training data: what it would be for those of the scene.
        (Beta::Heuristic, None) => Beta::Value(heuristic(case)?),
        (beta, _) => beta,
    };
    let explanation = network.explain(&case.x, case.target, beta)?;
    let absorbed = explanation
        .absorbed
        .into_iter()
        .map(|part| part.amount.unsqueeze_dim::<2>(1))
        .reduce(|sum, part| sum + part);
    Ok(Attribution { relevance: explanation.relevance, absorbed, error: None })
}

/// 1 / mean logit of the data of the scene.
fn heuristic<B: Backend>(case: &Case<'_, B>) -> Result<f64> {
    let (_, logits) = case.scene.subject().network().predict_with_logit(case.scene.data())?;
    let logits = transfer::download(logits);
    let mean = logits.iter().sum::<f64>() / logits.len() as f64;
    // With every point on a boundary there is nothing to be in proportion to.
    Ok(if mean > 0.0 { 1.0 / mean } else { 1.0 })
}

/// Slope times the way from the boundary: from the point between the two
/// centroids, on the straight line that joins them, where the pair's contrast
/// is 0. For k-means it lies halfway, and this is NEON for β → ∞.
///
/// Where the contrast does not change its sign on that line, halfway stands
/// for the boundary.
pub(super) fn gradient_from_boundary<B: Backend>(case: &Case<'_, B>) -> Tensor<B, 2> {
    case.slope() * (case.x.clone() - boundary_points(case))
}

/// Halvings of the line between two centroids: more than f64 has digits for.
const HALVINGS: usize = 60;

fn boundary_points<B: Backend>(case: &Case<'_, B>) -> Tensor<B, 2> {
    if case.is_empty() {
        return case.x.clone();
    }
    let subject = case.scene.subject();
    let shape = case.x.dims();
    let centroids = subject.network().centroids();
    let own = centroids.clone().select(0, case.pinned.cluster().squeeze_dim(1));
    let way = centroids.select(0, case.pinned.competitor().squeeze_dim(1)) - own.clone();
    if subject.network().as_kmeans().is_some() {
        return own + way * 0.5;
    }
    let pair = case.pinned.as_pair();
    let contrast = |at: &Tensor<B, 2>| {
        subject.logit(&(own.clone() + way.clone() * at.clone().expand(shape)), &pair)
    };
    let column = |value: f64| case.x.clone().narrow(1, 0, 1).zeros_like() + value;
    let (mut inside, mut outside) = (column(0.0), column(1.0));
    let crosses = contrast(&inside).greater_elem(0.0).bool_and(contrast(&outside).lower_elem(0.0));
    for _ in 0..HALVINGS {
        let middle = (inside.clone() + outside.clone()) * 0.5;
        let own_side = contrast(&middle).greater_elem(0.0);
        inside = inside.mask_where(own_side.clone(), middle.clone());
        outside = middle.mask_where(own_side, outside);
    }
    let at = column(0.5).mask_where(crosses, (inside + outside) * 0.5);
    own + way * at.expand(shape)
}

/// `−(x_i − μ_ci)²`.
pub(super) fn own_distance<B: Backend>(case: &Case<'_, B>) -> Tensor<B, 2> {
    if case.is_empty() {
        return case.x.clone();
    }
    let centroids = case.scene.subject().network().centroids();
    let own = centroids.select(0, case.pinned.cluster().squeeze_dim(1));
    (case.x.clone() - own).square().neg()
}

/// Numbers in [−1, 1) that depend on a row's place alone.
pub(super) fn random<B: Backend>(case: &Case<'_, B>) -> Tensor<B, 2> {
    let mut rng = Stream::RandomAttribution.generator(case.scene.seed());
    let [rows, features] = case.x.dims();
    let numbers = (0..rows * features).map(|_| 2.0 * uniform(&mut rng) - 1.0).collect();
    transfer::upload(numbers, [rows, features], &case.x.device(), case.x.dtype())
}
