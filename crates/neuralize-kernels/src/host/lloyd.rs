//! A run of Lloyd's algorithm on rows in host memory.

use burn::tensor::{DType, Tensor, TensorData, backend::Backend};

use super::rows::{Borrowed, HostRows, MAX_CLUSTERS};
use crate::affine::Scores;
use crate::cpu::{LloydRun, Real};

/// The rows of a fit, in their precision.
pub(crate) struct HostRun {
    rows: HostRows,
    weights: Borrowed,
    run: Run,
}

enum Run {
    F32(LloydRun<f32>),
    F64(LloydRun<f64>),
}

/// What a step found: the number of rows whose label changed, sums `[K, D]` and weights `[K]`.
pub(crate) type HostStep = (usize, [TensorData; 2]);

impl HostRun {
    /// `None` if the rows are not in host memory.
    pub(crate) fn of<B: Backend>(
        x: &Tensor<B, 2>,
        weights: &Tensor<B, 1>,
        center: &Tensor<B, 2>,
    ) -> Option<Self> {
        let rows = HostRows::of(x, Some(center))?;
        let [n, _] = rows.shape();
        let run = match rows.dtype() {
            DType::F32 => Run::F32(LloydRun::new(n)),
            DType::F64 => Run::F64(LloydRun::new(n)),
            _ => return None,
        };
        Some(Self { rows, weights: Borrowed::float(weights)?, run })
    }

    /// One step; `None` if the centroids have another precision, or are too many.
    pub(crate) fn step<B: Backend>(&mut self, scores: &Scores<B>) -> Option<HostStep> {
        if scores.bias.dims()[0] > MAX_CLUSTERS {
            return None;
        }
        let [weight, bias] =
            [Borrowed::or_copied(&scores.weight), Borrowed::or_copied(&scores.bias)];
        match &mut self.run {
            Run::F32(run) => step_in(run, &self.rows, &self.weights, &weight, &bias),
            Run::F64(run) => step_in(run, &self.rows, &self.weights, &weight, &bias),
        }
    }

    /// `[N]`
    pub(crate) fn labels(&self) -> TensorData {
        let labels = match &self.run {
            Run::F32(run) => run.labels(),
            Run::F64(run) => run.labels(),
        };
        TensorData::new(labels.to_vec(), [labels.len()])
    }
}

fn step_in<T: Real>(
    run: &mut LloydRun<T>,
    rows: &HostRows,
    row_weights: &Borrowed,
    weight: &Borrowed,
    bias: &Borrowed,
) -> Option<HostStep> {
    let [_, features] = rows.shape();
    let bias = bias.numbers()?;
    let changed = run.step(rows.numbers()?, row_weights.numbers()?, weight.numbers()?, bias);
    let rounded = |sums: &[f64]| sums.iter().map(|sum| T::of(*sum)).collect::<Vec<T>>();
    let sums = run.sums();
    let points = TensorData::new(rounded(&sums.points), [bias.len(), features]);
    Some((changed, [points, TensorData::new(rounded(&sums.weights), [bias.len()])]))
}
