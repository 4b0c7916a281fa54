//! The loss of k-means itself.

use burn::tensor::{Tensor, backend::Backend};

use crate::cluster::KMeans;
use crate::error::Result;
use crate::validate;

/// The mean squared distance of the rows to their nearest centroids, the inertia of k-means over
/// N. It is differentiable with respect to the rows and the centroids, except where two centroids
/// are equally near; there the first of them counts.
///
/// Without another loss, an encoder makes it 0 by mapping all inputs to one point. Reconstruction
/// prevents that, as in [`JointTraining`](crate::deep::JointTraining).
///
/// # Shapes
///
/// - x: `[N, D]`, N at least 1
/// - output: `[1]`
///
/// # Errors
///
/// As [`KMeans::predict`], and if x is empty.
pub fn inertia_loss<B: Backend>(kmeans: &KMeans<B>, x: &Tensor<B, 2>) -> Result<Tensor<B, 1>> {
    validate::not_empty("x", x)?;
    let labels = kmeans.predict(x)?;
    let own = kmeans.centroids().select(0, labels);
    Ok((x.clone() - own).square().sum_dim(1).mean())
}
