//! The gradient times the difference from the boundary.

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::Query;

/// Slope times the difference from the boundary: from the point between the two
/// centroids, on the straight line that joins them, where the contrast of the pair
/// is 0. For k-means that point lies halfway, and this is NEON for β → ∞.
///
/// If the contrast does not change its sign on that line, the point halfway is
/// taken.
pub(super) fn gradient_from_boundary<B: Backend>(query: &Query<'_, B>) -> Tensor<B, 2> {
    query.slope() * (query.x.clone() - boundary_points(query))
}

/// Halvings of the line between two centroids, more than f64 has digits for.
const HALVINGS: usize = 60;

fn boundary_points<B: Backend>(query: &Query<'_, B>) -> Tensor<B, 2> {
    if query.is_empty() {
        return query.x.clone();
    }
    let subject = query.background.subject();
    let shape = query.x.dims();
    let centroids = subject.network().centroids();
    let own = centroids.clone().select(0, query.pinned.cluster().squeeze_dim(1));
    let difference = centroids.select(0, query.pinned.competitor().squeeze_dim(1)) - own.clone();
    if subject.network().as_kmeans().is_some() {
        return own + difference * 0.5;
    }
    let pair = query.pinned.as_pair();
    let contrast = |at: &Tensor<B, 2>| {
        subject.logit(&(own.clone() + difference.clone() * at.clone().expand(shape)), &pair)
    };
    let column = |value: f64| query.x.clone().narrow(1, 0, 1).zeros_like() + value;
    let (mut inside, mut outside) = (column(0.0), column(1.0));
    let crosses = contrast(&inside).greater_elem(0.0).bool_and(contrast(&outside).lower_elem(0.0));
    for _ in 0..HALVINGS {
        let middle = (inside.clone() + outside.clone()) * 0.5;
        let own_side = contrast(&middle).greater_elem(0.0);
        inside = inside.mask_where(own_side.clone(), middle.clone());
        outside = middle.mask_where(own_side, outside);
    }
    let at = column(0.5).mask_where(crosses, (inside + outside) * 0.5);
    own + difference * at.expand(shape)
}
