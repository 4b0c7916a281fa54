use burn::module::{Content, DisplaySettings, Module, ModuleDisplay, Param, ParamId};
use burn::tensor::{DType, Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::transfer;

/// Soft max-pooling: log-mean-exp of stiffness γ,
/// `LME^{+γ}(h) = (1/γ) log mean_i exp(γ h_i)` (Kauffmann et al. 2024).
///
/// γ = 0 is the mean, γ = ∞ the maximum; between them the output grows with γ.
/// It is computed as `max + (1/γ) log(1 + mean_i (exp(γ (h_i − max)) − 1))`,
/// which neither overflows for a large γ nor cancels for a small one.
///
/// Its relevance rule hands every input the share `softmax_i(γ h_i)`.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::{DType, Tensor};
/// use neuralize::network::SoftMaxPool;
///
/// let device = Default::default();
/// let h = Tensor::<Flex, 2>::from_data([[1.0, 3.0]], &device);
/// let pool = |gamma| SoftMaxPool::<Flex>::new(gamma, &device, DType::F32);
///
/// assert_eq!(pool(0.0)?.forward(h.clone(), 1).into_scalar(), 2.0);
/// assert_eq!(pool(f64::INFINITY)?.forward(h.clone(), 1).into_scalar(), 3.0);
/// let soft = pool(1.0)?.forward(h, 1).into_scalar();
/// assert!((soft - ((1f32.exp() + 3f32.exp()) / 2.0).ln()).abs() < 1e-6);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct SoftMaxPool<B: Backend> {
    /// The stiffness, `[1]`. A parameter, because records keep nothing else.
    pub(crate) gamma: Param<Tensor<B, 1>>,
}

/// Soft min-pooling: log-mean-exp of stiffness −γ,
/// `LME^{−γ}(h) = −(1/γ) log mean_i exp(−γ h_i)` (Kauffmann et al. 2024).
///
/// γ = 0 is the mean, γ = ∞ the minimum. The mirror image of [`SoftMaxPool`];
/// its relevance rule hands every input the share `softmin_i(γ h_i)`.
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct SoftMinPool<B: Backend> {
    /// The stiffness, `[1]`.
    pub(crate) gamma: Param<Tensor<B, 1>>,
}

impl<B: Backend> SoftMaxPool<B> {
    /// A pool of the given stiffness, in inverse units of its input; infinity is
    /// the maximum.
    ///
    /// # Errors
    ///
    /// If γ is negative or NaN.
    pub fn new(gamma: f64, device: &B::Device, dtype: DType) -> Result<Self> {
        Ok(Self { gamma: stiffness(gamma, device, dtype)? })
    }

    /// The stiffness γ.
    pub fn gamma(&self) -> f64 {
        transfer::download(self.gamma.val())[0]
    }

    /// Pools along a dimension, which keeps the size 1.
    ///
    /// # Shapes
    ///
    /// - h: `[.., n, ..]`, n at least 1
    /// - output: `[.., 1, ..]`
    pub fn forward<const D: usize>(&self, h: Tensor<B, D>, dim: usize) -> Tensor<B, D> {
        log_mean_exp(h, self.gamma(), dim)
    }

    /// The rule of this layer: relevance of the output to relevances of the
    /// inputs, by their shares `softmax(γ h)`. What goes in comes out.
    ///
    /// # Shapes
    ///
    /// - h: `[.., n, ..]` as in [`forward`](Self::forward), relevance: `[.., 1, ..]`
    /// - output: `[.., n, ..]`
    pub fn relevance<const D: usize>(
        &self,
        h: Tensor<B, D>,
        relevance: Tensor<B, D>,
        dim: usize,
    ) -> Tensor<B, D> {
        soft_shares(h, self.gamma(), dim) * relevance
    }
}

impl<B: Backend> SoftMinPool<B> {
    /// A pool of the given stiffness, in inverse units of its input; infinity is
    /// the minimum.
    ///
    /// # Errors
    ///
    /// If γ is negative or NaN.
    pub fn new(gamma: f64, device: &B::Device, dtype: DType) -> Result<Self> {
        Ok(Self { gamma: stiffness(gamma, device, dtype)? })
    }

    /// The stiffness γ.
    pub fn gamma(&self) -> f64 {
        transfer::download(self.gamma.val())[0]
    }

    /// Pools along a dimension, which keeps the size 1.
    ///
    /// # Shapes
    ///
    /// - h: `[.., n, ..]`, n at least 1
    /// - output: `[.., 1, ..]`
    pub fn forward<const D: usize>(&self, h: Tensor<B, D>, dim: usize) -> Tensor<B, D> {
        log_mean_exp(h.neg(), self.gamma(), dim).neg()
    }

    /// The rule of this layer: relevance of the output to relevances of the
    /// inputs, by their shares `softmin(γ h)`. What goes in comes out.
    ///
    /// # Shapes
    ///
    /// - h: `[.., n, ..]` as in [`forward`](Self::forward), relevance: `[.., 1, ..]`
    /// - output: `[.., n, ..]`
    pub fn relevance<const D: usize>(
        &self,
        h: Tensor<B, D>,
        relevance: Tensor<B, D>,
        dim: usize,
    ) -> Tensor<B, D> {
        soft_shares(h.neg(), self.gamma(), dim) * relevance
    }
}

fn stiffness<B: Backend>(
    gamma: f64,
    device: &B::Device,
    dtype: DType,
) -> Result<Param<Tensor<B, 1>>> {
    if gamma.is_nan() || gamma < 0.0 {
        return Err(Error::Config {
            name: "gamma",
            value: gamma.to_string(),
            rule: "it must be at least 0; infinity pools hard".into(),
        });
    }
    let gamma = transfer::upload(vec![gamma], [1], device, dtype);
    Ok(Param::initialized(ParamId::new(), gamma))
}

/// `(1/γ) log mean exp(γ h)` along a dimension.
pub(crate) fn log_mean_exp<B: Backend, const D: usize>(
    h: Tensor<B, D>,
    gamma: f64,
    dim: usize,
) -> Tensor<B, D> {
    let held = match h.dtype() {
        DType::F64 => gamma,
        _ => f64::from(gamma as f32),
    };
    // What the precision holds as zero would divide zero by zero.
    if held == 0.0 {
        return h.mean_dim(dim);
    }
    let most = h.clone().max_dim(dim);
    match steepness(gamma, h.dtype()) {
        None => most,
        Some(gamma) => {
            let below = (h - most.clone()) * gamma;
            most + exp_minus_one(below).mean_dim(dim).log1p() / gamma
        }
    }
}

/// `softmax(γ h)` along a dimension; equal shares of the largest for γ = ∞.
pub(crate) fn soft_shares<B: Backend, const D: usize>(
    h: Tensor<B, D>,
    gamma: f64,
    dim: usize,
) -> Tensor<B, D> {
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

/// A stiffness that is finite in the precision; none pools hard.
pub(crate) fn steepness(gamma: f64, dtype: DType) -> Option<f64> {
    (gamma <= transfer::largest(dtype)).then_some(gamma)
}

/// `exp(y) − 1` for y ≤ 0 without cancellation:
/// `exp(y) − 1 = 2 t / (1 − t)`, t = tanh(y / 2).
pub(crate) fn exp_minus_one<B: Backend, const D: usize>(y: Tensor<B, D>) -> Tensor<B, D> {
    let t = (y * 0.5).tanh();
    t.clone() * 2.0 / (t.neg() + 1.0)
}

impl<B: Backend> ModuleDisplay for SoftMaxPool<B> {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content.add("gamma", &self.gamma()).optional()
    }
}

impl<B: Backend> ModuleDisplay for SoftMinPool<B> {
    fn custom_settings(&self) -> Option<DisplaySettings> {
        DisplaySettings::new().with_new_line_after_attribute(false).optional()
    }

    fn custom_content(&self, content: Content) -> Option<Content> {
        content.add("gamma", &self.gamma()).optional()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;

    fn table(values: &[f64]) -> Tensor<Flex, 2> {
        transfer::upload(values.to_vec(), [1, values.len()], &Default::default(), DType::F64)
    }

    fn pooled(values: &[f64], gamma: f64) -> f64 {
        transfer::download(log_mean_exp(table(values), gamma, 1))[0]
    }

    #[test]
    fn prints_itself() -> Result<()> {
        let pool = SoftMinPool::<Flex>::new(0.5, &Default::default(), DType::F32)?;
        assert_eq!(format!("{pool}"), "SoftMinPool {gamma: 0.5, params: 1}");
        Ok(())
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

    #[test]
    fn relevance_is_handed_down_whole() -> Result<()> {
        let device = Default::default();
        let h = [0.3, -1.2, 0.9, 0.9];
        let relevance = || transfer::upload::<Flex, 2>(vec![2.5], [1, 1], &device, DType::F64);
        for gamma in [0.0, 0.7, 1e9, f64::INFINITY] {
            let max = SoftMaxPool::new(gamma, &device, DType::F64)?;
            let min = SoftMinPool::new(gamma, &device, DType::F64)?;
            let up = transfer::download(max.relevance(table(&h), relevance(), 1));
            let down = transfer::download(min.relevance(table(&h).neg(), relevance(), 1));
            assert_eq!(up, down);
            assert!((up.iter().sum::<f64>() - 2.5).abs() < 1e-14, "{gamma}");
            let weights: Vec<f64> = h.iter().map(|h| (gamma.min(1e6) * (h - 0.9)).exp()).collect();
            for (found, weight) in up.iter().zip(&weights) {
                let expected = 2.5 * weight / weights.iter().sum::<f64>();
                assert!((found - expected).abs() < 1e-14, "{gamma}: {found} against {expected}");
            }
        }
        assert!(SoftMaxPool::<Flex>::new(-1.0, &device, DType::F64).is_err());
        assert!(SoftMinPool::<Flex>::new(f64::NAN, &device, DType::F64).is_err());
        Ok(())
    }
}
