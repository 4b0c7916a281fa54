//! The midpoint rule, from competitors or supports to features.

use burn::tensor::{Tensor, backend::Backend};

/// The midpoint rule of the linear layer, summed over competitors:
///
/// `R_i = Σ_{k≠c} (x_i − m_ik) w_ik / Σ_j (x_j − m_jk) w_jk · R_k`, `m_k = (μ_c + μ_k)/2`
///
/// (Kauffmann et al. 2024). The denominator is h_ck, and
/// `(x_i − m_ik) w_ik = (x_i − μ_ki)² − (x_i − μ_ci)²`. With `ρ_k = R_k / h_ck`,
/// `a_k = ρ_k` for competitors and `a_c = −Σ ρ_k`, this is
/// `R = a (M∘M) − 2 x∘(a M)`: two products, without a table of size n K D.
///
/// # Shapes
///
/// - x: `[n, D]` and centroids: `[K, D]`, both around the centre; squares of the centroids: `[K, D]`
/// - coefficients a: `[n, K]`
/// - output: `[n, D]`
pub(crate) fn relevance<B: Backend>(
    x: Tensor<B, 2>,
    centroids: &Tensor<B, 2>,
    squares: &Tensor<B, 2>,
    a: Tensor<B, 2>,
) -> Tensor<B, 2> {
    a.clone().matmul(squares.clone()) - x * a.matmul(centroids.clone()) * 2.0
}
