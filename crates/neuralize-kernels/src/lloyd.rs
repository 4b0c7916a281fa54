//! A run of Lloyd's algorithm, step by step.

use burn::tensor::{Int, Tensor, backend::Backend};

use super::affine::{Affine, Scores, Totals};
use super::dispatch::{assign_and_sum, host_run, same_labels};
use super::host::HostRun;

/// Rows with their labels, from one step of Lloyd's algorithm to the next. In host memory, what cannot
/// have changed since the last step is not computed again; labels are those of
/// [`nearest`](crate::nearest()) all the same.
pub struct Lloyd<'a, B: Backend> {
    x: &'a Tensor<B, 2>,
    weights: &'a Tensor<B, 1>,
    center: &'a Tensor<B, 2>,
    host: Option<HostRun>,
    /// Of tensors that are not in host memory.
    labels: Option<Tensor<B, 1, Int>>,
    is_started: bool,
}

impl<'a, B: Backend> Lloyd<'a, B> {
    /// # Shapes
    ///
    /// - x: `[N, D]`, weights: `[N]`, center: `[1, D]`
    pub fn new(x: &'a Tensor<B, 2>, weights: &'a Tensor<B, 1>, center: &'a Tensor<B, 2>) -> Self {
        Self {
            x,
            weights,
            center,
            host: host_run(x, weights, center),
            labels: None,
            is_started: false,
        }
    }

    /// Assigns every row to its nearest centroid, by scores around the centre; returns the totals per
    /// cluster, and whether any row changed its cluster since the last step.
    pub fn step(&mut self, scores: Scores<B>) -> (Totals<B>, bool) {
        self.is_started = true;
        let step = self.host.as_mut().and_then(|host| host.step(&scores));
        if let Some((changed, [sums, weights])) = step {
            let (device, dtype) = (self.x.device(), self.x.dtype());
            let totals = Totals {
                sums: Tensor::from_data(sums, (&device, dtype)),
                weights: Tensor::from_data(weights, (&device, dtype)),
            };
            return (totals, changed > 0);
        }
        self.host = None;
        let affine = Affine::new(self.center.clone(), scores);
        let (labels, totals) = assign_and_sum(self.x, self.weights, &affine);
        let changed = self.labels.as_ref().is_none_or(|before| !same_labels(before, &labels));
        self.labels = Some(labels);
        (totals, changed)
    }

    /// The labels after the last step, `[N]`; `None` before the first.
    pub fn labels(&self) -> Option<Tensor<B, 1, Int>> {
        match &self.host {
            Some(host) => {
                self.is_started.then(|| Tensor::from_data(host.labels(), &self.x.device()))
            }
            None => self.labels.clone(),
        }
    }
}
