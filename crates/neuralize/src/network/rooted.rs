//! The secant pass of k-means in closed form.

use burn::tensor::{Tensor, backend::Backend};

use crate::explain::Root;
use crate::network::pass::PoolingPass;

/// With `a = (1 − λ) μ_c + λ x`, the root of a competitor k lies on the line from a to μ_k, on which
/// the contrast is linear: it falls from `h(a) = (1 − λ) D + λ h` to −D, where
/// `D = ‖μ_c − μ_k‖²`, and is 0 at `t = h(a) / (h(a) + D)`. The relevance
/// `2 (μ_c − μ_k)_i (x − x₀)_i` sums to h. λ = 0 gives `t = 1/2`: NEON. Where a lies outside of c, the
/// line leads to μ_c.
///
/// # Shapes
///
/// - x: `[n, D]` and centroids: `[K, D]`, both around the centre; scores: `[n, K]`
/// - output: `[n, D]`
pub(crate) fn relevance<B: Backend>(
    x: Tensor<B, 2>,
    centroids: &Tensor<B, 2>,
    scores: &Tensor<B, 2>,
    pass: &PoolingPass<B>,
    root: Root,
) -> Tensor<B, 2> {
    let lambda = root.lambda();
    let own = centroids.clone().select(0, pass.cluster.clone().squeeze_dim(1));
    let h = scores.clone().gather(1, pass.cluster.clone()) - scores.clone();
    let apart = distances(&own, centroids);
    let start = apart.clone() * (1.0 - lambda) + h * lambda;
    let outside = start.clone().lower_elem(0.0);
    let whole = start.clone().abs() + apart;
    // Equal centroids and the explained cluster itself, which get nothing.
    let nothing = whole.clone().equal_elem(0.0);
    let t = start.abs() / whole.mask_fill(nothing, 1.0);

    // x − x₀ = α x − γ μ_c − t μ_k.
    let alpha = t.clone() * lambda + (1.0 - lambda);
    let gamma = (t.clone().neg() + 1.0) * (1.0 - lambda);
    let gamma = gamma.mask_where(outside.clone(), alpha.clone());
    let t = t.mask_fill(outside, 0.0);
    let ratios = pass.competitors.ratios.clone() * 2.0;
    let [alpha, gamma, t] = [alpha, gamma, t].map(|factor| factor * ratios.clone());
    let sum = |factor: &Tensor<B, 2>| factor.clone().sum_dim(1);
    let mixed = |factor: &Tensor<B, 2>| factor.clone().matmul(centroids.clone());
    let of_x = own.clone() * sum(&alpha) - mixed(&alpha);
    let of_own = own.clone() * (own.clone() * sum(&gamma) - mixed(&gamma));
    let of_other = own * mixed(&t) - t.matmul(centroids.clone().square());
    x * of_x - of_own - of_other
}

/// `‖μ_c − μ_k‖²` for every row and cluster, `[n, K]`.
fn distances<B: Backend>(own: &Tensor<B, 2>, centroids: &Tensor<B, 2>) -> Tensor<B, 2> {
    let clusters = (0..centroids.dims()[0])
        .map(|k| (own.clone() - centroids.clone().narrow(0, k, 1)).square().sum_dim(1));
    Tensor::cat(clusters.collect(), 1)
}
