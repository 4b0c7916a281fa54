//! Soft pooling over the supports of a cluster.

use burn::module::Module;
use burn::tensor::{DType, Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::host_param::HostParam;
use crate::kernel::{log_mean_exp, soft_shares};

/// A soft pool: its extreme, its weights, and the sign that its input and output get.
macro_rules! soft_pool {
    ($(#[$doc:meta])+ $pool:ident, $extreme:literal, $shares:literal, $sign:expr) => {
        $(#[$doc])+
        #[derive(Module, Debug)]
        #[module(custom_display)]
        pub struct $pool<B: Backend> {
            /// The stiffness, `[1]`. A parameter, because records keep nothing else.
            pub(crate) gamma: HostParam<B>,
        }

        impl<B: Backend> $pool<B> {
            /// A pool of the given stiffness, in inverse units of its input; infinity is
            #[doc = concat!("the ", $extreme, ".")]
            ///
            /// # Errors
            ///
            /// If γ is negative or NaN.
            pub fn new(gamma: f64, device: &B::Device, dtype: DType) -> Result<Self> {
                Ok(Self { gamma: stiffness(gamma, device, dtype)? })
            }

            /// The stiffness γ.
            pub fn gamma(&self) -> f64 {
                self.gamma.first()
            }

            /// Pools along a dimension, which keeps the size 1.
            ///
            /// # Shapes
            ///
            /// - h: `[.., n, ..]`, n at least 1
            /// - output: `[.., 1, ..]`
            pub fn forward<const D: usize>(&self, h: Tensor<B, D>, dim: usize) -> Tensor<B, D> {
                $sign(log_mean_exp($sign(h), self.gamma(), dim))
            }

            /// The rule of this layer: relevance of the output to relevances of the
            #[doc = concat!("inputs, by their shares `", $shares, "(γ h)`. Their sum is conserved.")]
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
                soft_shares($sign(h), self.gamma(), dim) * relevance
            }
        }

        displayed!($pool: gamma());
    };
}

soft_pool!(
    /// Soft max-pooling: log-mean-exp of stiffness γ,
    /// `LME^{+γ}(h) = (1/γ) log mean_i exp(γ h_i)` (Kauffmann et al. 2024).
    ///
    /// γ = 0 is the mean, γ = ∞ the maximum; between them the output grows with γ.
    /// It is computed as `max + (1/γ) log(1 + mean_i (exp(γ (h_i − max)) − 1))`,
    /// which neither overflows for a large γ nor cancels for a small one.
    ///
    /// Its relevance rule gives every input the share `softmax_i(γ h_i)`.
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
    SoftMaxPool, "maximum", "softmax", core::convert::identity
);

soft_pool!(
    /// Soft min-pooling: log-mean-exp of stiffness −γ,
    /// `LME^{−γ}(h) = −(1/γ) log mean_i exp(−γ h_i)` (Kauffmann et al. 2024).
    ///
    /// γ = 0 is the mean, γ = ∞ the minimum. The mirror image of [`SoftMaxPool`];
    /// its relevance rule gives every input the share `softmin_i(γ h_i)`.
    SoftMinPool, "minimum", "softmin", Tensor::neg
);

fn stiffness<B: Backend>(gamma: f64, device: &B::Device, dtype: DType) -> Result<HostParam<B>> {
    if gamma.is_nan() || gamma < 0.0 {
        return Err(Error::config("gamma", gamma, "it must be at least 0; infinity pools hard"));
    }
    Ok(HostParam::new(vec![gamma], device, dtype))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer;
    use burn::backend::Flex;

    fn table(values: &[f64]) -> Tensor<Flex, 2> {
        transfer::upload(values.to_vec(), [1, values.len()], &Default::default(), DType::F64)
    }

    #[test]
    fn prints_itself() -> Result<()> {
        let pool = SoftMinPool::<Flex>::new(0.5, &Default::default(), DType::F32)?;
        assert_eq!(format!("{pool}"), "SoftMinPool {gamma: 0.5, params: 1}");
        Ok(())
    }

    #[test]
    fn relevance_is_conserved() -> Result<()> {
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
