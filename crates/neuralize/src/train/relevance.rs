//! Losses on explanations: models shall decide by the right features, or by few.

use burn::tensor::{Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::{gradient, transfer, validate};

/// The share of the squared relevance that lies on marked features, `Σ m_i R_i² / Σ R_i²`, the
/// mean over rows: from 0 to 1 for marks from 0 to 1. With the marks on features that must not
/// count, such as a watermark or a laboratory's number, it makes a model right for the right
/// reasons (Ross, Hughes, Doshi-Velez 2017, there for gradients). A negative mark rewards
/// relevance. A row without relevance counts 0.
///
/// The relevance keeps its graph through
/// [`Network::explain`](crate::network::Network::explain), so the loss is differentiable with
/// respect to the rows and to the centroids of a
/// [trainable](crate::cluster::KMeans::trainable) clusterer.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::train::masked_relevance_loss;
///
/// let device = Default::default();
/// let relevance = Tensor::<Flex, 2>::from_data([[3.0, -4.0], [1.0, 0.0]], &device);
/// let second = Tensor::from_data([[0.0, 1.0]], &device);
/// let loss: f32 = masked_relevance_loss(&relevance, &second)?.into_scalar();
/// assert!((loss - 0.32).abs() < 1e-6);
/// # Ok::<(), neuralize::Error>(())
/// ```
///
/// # Shapes
///
/// - relevance: `[N, D]`, N at least 1
/// - marks: `[N, D]` or `[1, D]`
/// - output: `[1]`
///
/// # Errors
///
/// If there is no relevance, or the marks have another shape, precision or device.
pub fn masked_relevance_loss<B: Backend>(
    relevance: &Tensor<B, 2>,
    marks: &Tensor<B, 2>,
) -> Result<Tensor<B, 1>> {
    validate::not_empty("the table of relevances", relevance)?;
    let [rows, features] = relevance.dims();
    let [marked, width] = marks.dims();
    if width != features || (marked != 1 && marked != rows) {
        let expected = format!("[1, {features}] or [{rows}, {features}]");
        return Err(Error::shape("the table of marks", expected, &[marked, width]));
    }
    validate::beside("the table of marks", marks, relevance)?;
    let squares = gradient::quotient(relevance.clone(), scale(relevance)).square();
    let total = squares.clone().sum_dim(1);
    let none = total.clone().equal_elem(0.0);
    let shares =
        gradient::quotient((squares * marks.clone()).sum_dim(1), total.mask_fill(none, 1.0));
    Ok(shares.mean())
}

/// The entropy of the shares `|R_i| / Σ |R|` of the features in a row's relevance, in nats, the
/// mean over rows: 0 if one feature has it all, log D if all have the same. As a loss it makes
/// explanations short. A row without relevance counts 0.
///
/// # Shapes
///
/// - relevance: `[N, D]`, N at least 1
/// - output: `[1]`
///
/// # Errors
///
/// If there is no relevance.
pub fn relevance_entropy_loss<B: Backend>(relevance: &Tensor<B, 2>) -> Result<Tensor<B, 1>> {
    validate::not_empty("the table of relevances", relevance)?;
    let sizes = gradient::quotient(relevance.clone(), scale(relevance)).abs();
    let total = sizes.clone().sum_dim(1);
    let none = total.clone().equal_elem(0.0);
    let total = total.mask_fill(none, 1.0).expand(sizes.dims());
    let shares = gradient::quotient(sizes, total);
    // p log p is 0 at 0, where its slope is infinite: features without relevance have no gradient.
    let least = transfer::smallest(shares.dtype());
    let logs = gradient::log(shares.clone().clamp_min(least));
    Ok((shares * logs).sum_dim(1).neg().mean())
}

/// A number for every row and feature, outside of any graph, that makes the relevances of the row
/// safe to be squared: the largest of them, or 1.
fn scale<B: Backend>(relevance: &Tensor<B, 2>) -> Tensor<B, 2> {
    let largest = transfer::untracked(relevance.clone()).abs().max_dim(1);
    // The reciprocal of anything smaller overflows.
    let none = largest.clone().lower_elem(transfer::smallest(relevance.dtype()));
    largest.mask_fill(none, 1.0).expand(relevance.dims())
}
