//! Gaussian components on the host, and their densities on a device.

use burn::tensor::{DType, Int, Tensor, backend::Backend};

use crate::{gradient, transfer};

/// K diagonal Gaussians and their weights, on the host: they are few numbers, and
/// everything that follows from them is computed in f64.
#[derive(Debug, Clone)]
pub(crate) struct Components {
    /// D.
    pub(crate) features: usize,
    /// `[K, D]`
    pub(crate) means: Vec<f64>,
    /// `[K, D]`, all positive.
    pub(crate) variances: Vec<f64>,
    /// `[K]`
    pub(crate) log_weights: Vec<f64>,
}

/// Origin and unit of the features: `(x − center) / scale`.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// `[D]`
    pub(crate) center: Vec<f64>,
    /// `[D]`, all positive.
    pub(crate) scale: Vec<f64>,
}

impl Frame {
    /// The frame rounded to a precision, so that a device and the host subtract the
    /// same numbers.
    pub(crate) fn rounded(mut self, dtype: DType) -> Self {
        let numbers = self.center.iter_mut().chain(&mut self.scale);
        numbers.for_each(|number| *number = transfer::rounded(*number, dtype));
        self
    }

    /// Centre and scale as rows, `[1, D]` each.
    pub(crate) fn rows<B: Backend>(
        &self,
        device: &B::Device,
        dtype: DType,
    ) -> (Tensor<B, 2>, Tensor<B, 2>) {
        let row =
            |values: &[f64]| transfer::upload(values.to_vec(), [1, values.len()], device, dtype);
        (row(&self.center), row(&self.scale))
    }
}

impl Components {
    /// K
    pub(crate) fn clusters(&self) -> usize {
        self.log_weights.len()
    }

    /// The frame in which no variance is below 1 and the means are around 0, which
    /// avoids overflow whatever the units of the features.
    pub(crate) fn frame(&self, dtype: DType) -> Frame {
        let clusters = self.clusters();
        let column = |table: &[f64], i: usize| -> Vec<f64> {
            (0..clusters).map(|k| table[k * self.features + i]).collect()
        };
        let center = (0..self.features)
            .map(|i| {
                // Relative to the first mean: equal means are then exactly the centre.
                let means = column(&self.means, i);
                means[0] + means.iter().map(|m| m - means[0]).sum::<f64>() / clusters as f64
            })
            .collect();
        let scale = (0..self.features)
            .map(|i| column(&self.variances, i).into_iter().fold(f64::INFINITY, f64::min).sqrt())
            .collect();
        Frame { center, scale }.rounded(dtype)
    }

    /// The same components in a frame.
    pub(crate) fn seen_in(&self, Frame { center, scale }: &Frame) -> Self {
        self.mapped(|m, i| (m - center[i]) / scale[i], |v, i| v / scale[i] / scale[i])
    }

    /// The inverse of [`seen_in`](Self::seen_in).
    pub(crate) fn out_of(&self, Frame { center, scale }: &Frame) -> Self {
        self.mapped(|m, i| center[i] + m * scale[i], |v, i| v * scale[i] * scale[i])
    }

    /// Other means and variances, from each old value and its feature.
    fn mapped(
        &self,
        mean: impl Fn(f64, usize) -> f64,
        variance: impl Fn(f64, usize) -> f64,
    ) -> Self {
        let features = self.features;
        let each = |table: &[f64], change: &dyn Fn(f64, usize) -> f64| {
            table.iter().enumerate().map(|(at, value)| change(*value, at % features)).collect()
        };
        Self {
            features,
            means: each(&self.means, &mean),
            variances: each(&self.variances, &variance),
            log_weights: self.log_weights.clone(),
        }
    }

    /// 1 / σ², `[K, D]`.
    pub(crate) fn precisions(&self) -> Vec<f64> {
        self.variances.iter().map(|variance| 1.0 / variance).collect()
    }

    /// σ, `[K, D]`.
    pub(crate) fn deviations(&self) -> Vec<f64> {
        self.variances.iter().map(|variance| variance.sqrt()).collect()
    }

    /// `½ Σ_i log σ²_ki`, `[K]`.
    pub(crate) fn half_log_variances(&self) -> Vec<f64> {
        let half = |row: &[f64]| 0.5 * row.iter().map(|variance| variance.ln()).sum::<f64>();
        self.variances.chunks_exact(self.features).map(half).collect()
    }
}

/// `log π_k + log N(x; μ_k, σ²_k)` without the constant `½ D log 2π`, and the
/// relevance of the features to it. It is computed from differences, which is
/// accurate however narrow a component is and however far from the others, but
/// slower than from products.
pub(crate) struct Density<B: Backend> {
    /// μ, `[K, D]`.
    pub(crate) means: Tensor<B, 2>,
    /// σ, `[K, D]`.
    pub(crate) deviations: Tensor<B, 2>,
    /// `log π_k − ½ Σ_i log σ²_ki`, `[1, K]`.
    pub(crate) constants: Tensor<B, 2>,
}

impl<B: Backend> Density<B> {
    pub(super) fn of(components: &Components, device: &B::Device, dtype: DType) -> Self {
        let shape = [components.clusters(), components.features];
        let constants = (components.log_weights.iter())
            .zip(components.half_log_variances())
            .map(|(log_weight, half)| log_weight - half)
            .collect();
        Self {
            means: transfer::upload(components.means.clone(), shape, device, dtype),
            deviations: transfer::upload(components.deviations(), shape, device, dtype),
            constants: transfer::upload(constants, [1, shape[0]], device, dtype),
        }
    }

    /// # Shapes
    ///
    /// - x: `[n, D]`
    /// - output: `[n, K]`
    pub(crate) fn log_joint(&self, x: &Tensor<B, 2>) -> Tensor<B, 2> {
        let columns = (0..self.means.dims()[0]).map(|k| self.halves(x, k).sum_dim(1)).collect();
        self.constants.clone() - Tensor::cat(columns, 1)
    }

    /// `R_i = Σ_k ρ_k [½ (x_i − μ_ki)²/σ²_ki − ½ (x_i − μ_ci)²/σ²_ci]`.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`, cluster c: `[n, 1]`, ratios ρ: `[n, K]`, 0 for c
    /// - output: `[n, D]`
    pub(crate) fn relevance(
        &self,
        x: &Tensor<B, 2>,
        cluster: Tensor<B, 2, Int>,
        ratios: &Tensor<B, 2>,
    ) -> Tensor<B, 2> {
        let cluster = cluster.squeeze_dim::<1>(1);
        let mean = self.means.clone().select(0, cluster.clone());
        let deviation = self.deviations.clone().select(0, cluster);
        let own = ((x.clone() - mean) / deviation).square() * 0.5;
        (0..self.means.dims()[0])
            .map(|k| (self.halves(x, k) - own.clone()) * ratios.clone().narrow(1, k, 1))
            .fold(own.zeros_like(), |sum, part| sum + part)
    }

    /// `½ (x_i − μ_ki)²/σ²_ki`, `[n, D]`.
    fn halves(&self, x: &Tensor<B, 2>, k: usize) -> Tensor<B, 2> {
        let difference = x.clone() - self.means.clone().narrow(0, k, 1);
        gradient::quotient(difference, self.deviations.clone().narrow(0, k, 1)).square() * 0.5
    }
}

/// `log Σ_k exp s_k` of every row and the softmax, `[n, 1]` and `[n, K]`.
pub(super) fn log_sum_exp<B: Backend>(scores: Tensor<B, 2>) -> (Tensor<B, 2>, Tensor<B, 2>) {
    let most = scores.clone().max_dim(1);
    let weights = (scores - most.clone()).exp();
    let total = weights.clone().sum_dim(1);
    (most + gradient::log(total.clone()), gradient::quotient(weights, total))
}
