//! Two baselines that ignore the network: closeness to the own centroid, and random
//! numbers.

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::Query;
use crate::random::{Stream, uniform};
use crate::transfer;

/// `−(x_i − μ_ci)²`.
pub(super) fn own_distance<B: Backend>(query: &Query<'_, B>) -> Tensor<B, 2> {
    if query.is_empty() {
        return query.x.clone();
    }
    let centroids = query.background.subject().network().centroids();
    let own = centroids.select(0, query.pinned.cluster().squeeze_dim(1));
    (query.x.clone() - own).square().neg()
}

/// Random numbers in [−1, 1) that depend on the index of the row alone.
pub(super) fn random<B: Backend>(query: &Query<'_, B>) -> Tensor<B, 2> {
    let mut rng = Stream::RandomAttribution.generator(query.background.seed());
    let [rows, features] = query.x.dims();
    let numbers = (0..rows * features).map(|_| 2.0 * uniform(&mut rng) - 1.0).collect();
    transfer::upload(numbers, [rows, features], &query.x.device(), query.x.dtype())
}
