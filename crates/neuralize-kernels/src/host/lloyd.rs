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
        let run = Run::new(rows.dtype(), n)?;
        Some(Self { rows, weights: Borrowed::float(weights)?, run })
    }

    /// One step; `None` if the centroids have another precision, or are too many.
    pub(crate) fn step<B: Backend>(&mut self, scores: &Scores<B>) -> Option<HostStep> {
        if scores.bias.dims()[0] > MAX_CLUSTERS {
            return None;
        }
        let [weight, bias] =
            [Borrowed::or_copied(&scores.weight), Borrowed::or_copied(&scores.bias)];
        self.run.step(&self.rows, &self.weights, &weight, &bias)
    }

    /// `[N]`
    pub(crate) fn labels(&self) -> TensorData {
        let labels = self.run.labels();
        TensorData::new(labels.to_vec(), [labels.len()])
    }
}

/// Nothing here is generic over the backend, so all of it is compiled in this crate, as well optimised
/// as it is.
impl Run {
    fn new(dtype: DType, rows: usize) -> Option<Self> {
        match dtype {
            DType::F32 => Some(Self::F32(LloydRun::new(rows))),
            DType::F64 => Some(Self::F64(LloydRun::new(rows))),
            _ => None,
        }
    }

    fn step(
        &mut self,
        rows: &HostRows,
        row_weights: &Borrowed,
        weight: &Borrowed,
        bias: &Borrowed,
    ) -> Option<HostStep> {
        match self {
            Self::F32(run) => step_in(run, rows, row_weights, weight, bias),
            Self::F64(run) => step_in(run, rows, row_weights, weight, bias),
        }
    }

    fn labels(&self) -> &[i32] {
        match self {
            Self::F32(run) => run.labels(),
            Self::F64(run) => run.labels(),
        }
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
