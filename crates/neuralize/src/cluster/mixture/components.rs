use burn::tensor::{DType, Int, Tensor, backend::Backend};

use crate::transfer;

/// K diagonal Gaussians and their weights, on the host: they are few numbers,
/// and everything that is derived from them is derived in f64.
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

/// Where the features are measured from, and in which unit: `(x − center) / scale`.
#[derive(Debug, Clone)]
pub(crate) struct Frame {
    /// `[D]`
    pub(crate) center: Vec<f64>,
    /// `[D]`, all positive.
    pub(crate) scale: Vec<f64>,
}

impl Frame {
    /// As a precision holds it: a device subtracts the same numbers as the host.
    pub(crate) fn rounded(mut self, dtype: DType) -> Self {
        if dtype != DType::F64 {
            let numbers = self.center.iter_mut().chain(&mut self.scale);
            numbers.for_each(|number| *number = f64::from(*number as f32));
        }
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

    /// The frame in which no variance is below 1 and the means are around 0:
    /// whatever the units of the features, nothing overflows there that need not.
    pub(crate) fn frame(&self, dtype: DType) -> Frame {
        let clusters = self.clusters();
        let column = |table: &[f64], i: usize| -> Vec<f64> {
            (0..clusters).map(|k| table[k * self.features + i]).collect()
        };
        let center = (0..self.features)
            .map(|i| {
                // From the first of them, so that equal means have exactly that centre.
                let means = column(&self.means, i);
                means[0] + means.iter().map(|m| m - means[0]).sum::<f64>() / clusters as f64
            })
            .collect();
        let scale = (0..self.features)
            .map(|i| column(&self.variances, i).into_iter().fold(f64::INFINITY, f64::min).sqrt())
            .collect();
        Frame { center, scale }.rounded(dtype)
    }

    /// The same components seen in a frame.
    pub(crate) fn seen_in(&self, frame: &Frame) -> Self {
        let each = |table: &[f64], see: &dyn Fn(f64, usize) -> f64| {
            table.iter().enumerate().map(|(at, value)| see(*value, at % self.features)).collect()
        };
        Self {
            features: self.features,
            means: each(&self.means, &|m, i| (m - frame.center[i]) / frame.scale[i]),
            variances: each(&self.variances, &|v, i| v / frame.scale[i] / frame.scale[i]),
            log_weights: self.log_weights.clone(),
        }
    }

    /// The components that are these ones when seen in the frame.
    pub(crate) fn out_of(&self, frame: &Frame) -> Self {
        let each = |table: &[f64], see: &dyn Fn(f64, usize) -> f64| {
            table.iter().enumerate().map(|(at, value)| see(*value, at % self.features)).collect()
        };
        Self {
            features: self.features,
            means: each(&self.means, &|m, i| frame.center[i] + m * frame.scale[i]),
            variances: each(&self.variances, &|v, i| v * frame.scale[i] * frame.scale[i]),
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

/// `log π_k + log N(x; μ_k, σ²_k)` without its `½ D log 2π`, and what the
/// features contribute to it, from differences: exact to the precision however
/// narrow a component is, and however far from the others. Slower than products.
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
        (difference / self.deviations.clone().narrow(0, k, 1)).square() * 0.5
    }
}

/// `log Σ_k exp s_k` of every row and the softmax, `[n, 1]` and `[n, K]`.
pub(super) fn log_sum_exp<B: Backend>(scores: Tensor<B, 2>) -> (Tensor<B, 2>, Tensor<B, 2>) {
    let most = scores.clone().max_dim(1);
    let weights = (scores - most.clone()).exp();
    let total = weights.clone().sum_dim(1);
    (most + total.clone().log(), weights / total)
}
