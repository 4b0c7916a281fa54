//! The relevance pass.

use burn::tensor::{DType, Tensor, backend::Backend};
use burn_cubecl::{CubeRuntime, tensor::CubeTensor};

use super::min_pool::{self, CubeAnswer};
use super::{bridge, midpoint};
use crate::affine::Affine;
use crate::answer::{Question, TensorAnswer};
use crate::blocks::blocks;

/// Elements of all intermediate tensors of a block together, 64 MiB.
const BLOCK_ELEMENTS: usize = 1 << 24;

/// The relevance pass, block by block: a product for the scores, one kernel to
/// turn each row of scores into coefficients, a product of the coefficients with
/// `[M∘M | M]`, and one kernel for the rest. Results are written once, in place.
///
/// Global memory for all rows, without the factors of the products: x is centred
/// (`8 N D` bytes), multiplied (`4 N D + 4 N K`), pooled (`12 N K + 8 N`),
/// multiplied (`4 N K + 8 N D`) and combined (`16 N D`); three readings of the
/// scores count once.
pub(super) fn explain_on<R: CubeRuntime, B: Backend>(
    x: &Tensor<B, 2>,
    affine: &Affine<B>,
    question: Question,
) -> Option<TensorAnswer<B>> {
    let Affine { center, scores, .. } = affine;
    let neighbour = bridge::primitive::<R, B, 2>(x)?;
    let bias = bridge::primitive::<R, B, 1>(&scores.bias)?;
    let [rows, features] = x.dims();
    let [_, clusters] = scores.weight.dims();
    if clusters < 2 || !bridge::indexable(rows.saturating_mul(features.max(clusters))) {
        return None;
    }

    // M = (2 Mᵀ / 2)ᵀ, exactly.
    let centroids = scores.weight.clone().transpose() * 0.5;
    let factors = Tensor::cat(vec![centroids.clone().square(), centroids], 1);
    let answer = CubeAnswer {
        relevance: bridge::empty_like(&neighbour, [rows, features], DType::F32),
        logit: bridge::empty_like(&neighbour, [rows], DType::F32),
        cluster: bridge::empty_like(&neighbour, [rows], DType::I32),
        shares: bridge::empty_like(&neighbour, [rows, clusters], DType::F32),
    };
    let step = (BLOCK_ELEMENTS / (clusters + 3 * features)).clamp(64, rows.max(64));
    for range in blocks(rows, step) {
        let first = range.start;
        let centred = x.clone().slice([range, 0..features]) - center.clone();
        // Owned by nobody else, so it can be overwritten.
        let products: CubeTensor<R> =
            bridge::primitive(&centred.clone().matmul(scores.weight.clone()))?;
        min_pool::launch(&products, &bias, &answer, first, question);
        let a = bridge::tensor::<R, B, 2>(products)?;
        let products = bridge::primitive(&a.matmul(factors.clone()))?;
        midpoint::launch::<R>(bridge::primitive(&centred)?, products, &answer.relevance, first);
    }
    Some(TensorAnswer {
        relevance: bridge::tensor(answer.relevance)?,
        logit: bridge::tensor(answer.logit)?,
        cluster: bridge::indices(answer.cluster)?,
        shares: bridge::tensor(answer.shares)?,
    })
}
