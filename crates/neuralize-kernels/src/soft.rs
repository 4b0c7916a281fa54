//! Soft maxima of any stiffness, in tensor operations.

use burn::tensor::{DType, Tensor, backend::Backend};

use crate::{gradient, transfer};

/// `(1/γ) log mean exp(γ h)` along a dimension.
pub fn log_mean_exp<B: Backend, const D: usize>(
    h: Tensor<B, D>,
    gamma: f64,
    dim: usize,
) -> Tensor<B, D> {
    // A γ that the precision rounds to zero would divide zero by zero.
    if transfer::rounded(gamma, h.dtype()) == 0.0 {
        return h.mean_dim(dim);
    }
    let largest = h.clone().max_dim(dim);
    match steepness(gamma, h.dtype()) {
        None => largest,
        Some(gamma) => {
            let below = (h - largest.clone()) * gamma;
            let grown = gradient::log1p(exp_minus_one(below).mean_dim(dim));
            largest + gradient::quotient_by(grown, gamma)
        }
    }
}

/// `softmax(γ h)` along a dimension; for γ = ∞ equal shares of the largest.
pub fn soft_shares<B: Backend, const D: usize>(
    h: Tensor<B, D>,
    gamma: f64,
    dim: usize,
) -> Tensor<B, D> {
    // Where an element is masked by the largest number, which fused kernels on a GPU take for
    // infinity, its product with 0 would be NaN.
    if transfer::rounded(gamma, h.dtype()) == 0.0 {
        let count = h.dims()[dim] as f64;
        return h.ones_like() / count;
    }
    let below = h.clone() - h.max_dim(dim);
    let weights = match steepness(gamma, below.dtype()) {
        Some(gamma) => (below * gamma).exp(),
        None => {
            let touching = below.clone().greater_equal_elem(0.0);
            below.zeros_like().mask_fill(touching, 1.0)
        }
    };
    weights.clone() / weights.sum_dim(dim)
}

/// A stiffness that is finite in the precision; `None` for one that pools hard.
pub fn steepness(gamma: f64, dtype: DType) -> Option<f64> {
    (gamma <= transfer::largest(dtype)).then_some(gamma)
}

/// `exp(y) − 1` for y ≤ 0 without cancellation:
/// `exp(y) − 1 = 2 t / (1 − t)`, t = tanh(y / 2).
pub fn exp_minus_one<B: Backend, const D: usize>(y: Tensor<B, D>) -> Tensor<B, D> {
    let t = (y * 0.5).tanh();
    gradient::quotient(t.clone() * 2.0, t.neg() + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    fn pooled(values: &[f64], gamma: f64) -> f64 {
        let shape = [1, values.len()];
        let table: Tensor<Flex, 2> =
            transfer::upload(values.to_vec(), shape, &Default::default(), DType::F64);
        transfer::download(log_mean_exp(table, gamma, 1))[0]
    }

    /// The definition where it can be computed, and the mean and the maximum on
    /// either side of it.
    #[test]
    fn stable_for_every_stiffness() {
        let h = [0.3, -1.2, 0.9, 0.2];
        let mean = h.iter().sum::<f64>() / 4.0;
        for gamma in [0.01, 0.5, 3.0, 40.0] {
            let naive = (h.iter().map(|h| (gamma * h).exp()).sum::<f64>() / 4.0).ln() / gamma;
            assert!((pooled(&h, gamma) - naive).abs() < 1e-13, "{gamma}");
        }
        // mean + γ/2 variance: the definition loses all digits here.
        let variance = h.iter().map(|h| (h - mean).powi(2)).sum::<f64>() / 4.0;
        for gamma in [1e-7, 1e-12, 1e-300] {
            let expected = mean + gamma / 2.0 * variance;
            assert!((pooled(&h, gamma) - expected).abs() < 1e-13, "{gamma}");
        }
        assert_eq!(pooled(&h, 0.0), mean);
        for gamma in [1e6, 1e300, f64::INFINITY] {
            let short = 0.9 - pooled(&h, gamma);
            assert!((0.0..=4f64.ln() / gamma + 1e-15).contains(&short), "{gamma}: {short}");
        }
        assert_eq!(pooled(&[1e300, -1e300], 1.0), 1e300 - 2f64.ln());
        assert_eq!(pooled(&[0.7], 3.0), 0.7);
        let single: Tensor<Flex, 2> =
            transfer::upload(vec![1.0, 2.0], [1, 2], &Default::default(), DType::F32);
        assert_eq!(transfer::download(log_mean_exp(single, 1e-60, 1)), [1.5]);
    }
}
