//! Momentum, with which Lloyd's algorithm takes fewer iterations.

use burn::tensor::{Tensor, backend::Backend};

use crate::error::{Error, Result};
use crate::transfer;

/// The largest part of the last step that is taken once more.
const MOST: f64 = 0.9;

/// From the means of one iteration to the centroids of the next. Without momentum these are the means. With
/// it, a part of the way from the means before is added, in the sequence of Beck and Teboulle (A fast
/// iterative shrinkage-thresholding algorithm, 2009, eq. 4.2); it starts again where that way leads uphill
/// (O'Donoghue and Candès, Adaptive restart for accelerated gradient schemes, 2015, section 3.2). The
/// difference from means to centroids stands for the gradient: it is the gradient of the inertia, divided by
/// twice the weight of each cluster.
pub(super) struct Momentum<B: Backend> {
    is_on: bool,
    length: f64,
    /// The means before, `[K, D]`.
    before: Option<Tensor<B, 2>>,
}

/// What follows from an iteration.
pub(super) struct Next<B: Backend> {
    /// The squared distance of the means from the centroids that the rows were assigned to.
    pub(super) shift: f64,
    /// The centroids of the next iteration, `[K, D]`.
    pub(super) centroids: Tensor<B, 2>,
    /// Whether these are the means.
    pub(super) is_at_means: bool,
}

impl<B: Backend> Momentum<B> {
    pub(super) fn new(is_on: bool) -> Self {
        Self { is_on, length: 1.0, before: None }
    }

    /// # Shapes
    ///
    /// - means and centroids: `[K, D]`
    ///
    /// # Errors
    ///
    /// If the distance overflows.
    pub(super) fn next(
        &mut self,
        means: &Tensor<B, 2>,
        centroids: Tensor<B, 2>,
    ) -> Result<Next<B>> {
        let step = means.clone() - centroids;
        let squared = step.clone().square().sum();
        let before = if self.is_on { self.before.replace(means.clone()) } else { None };
        let Some(before) = before else {
            let shift = finite(transfer::download(squared)[0])?;
            return Ok(self.start(means, shift));
        };
        let way = means.clone() - before;
        let along = (step * way.clone()).sum();
        let both = transfer::download(Tensor::cat(vec![squared, along], 0));
        let shift = finite(both[0])?;
        if both[1] < 0.0 {
            return Ok(self.start(means, shift));
        }
        let part = (self.length - 1.0) / longer(self.length);
        self.length = longer(self.length);
        let centroids = means.clone() + way.mul_scalar(part.min(MOST));
        Ok(Next { shift, centroids, is_at_means: false })
    }

    /// Forgets the way so far: the centroids jumped, or no row moves any more.
    pub(super) fn rest(&mut self) {
        self.before = None;
    }

    fn start(&mut self, means: &Tensor<B, 2>, shift: f64) -> Next<B> {
        self.length = longer(1.0);
        Next { shift, centroids: means.clone(), is_at_means: true }
    }
}

fn longer(length: f64) -> f64 {
    0.5 * (1.0 + (1.0 + 4.0 * length * length).sqrt())
}

fn finite(shift: f64) -> Result<f64> {
    if shift.is_finite() { Ok(shift) } else { Err(Error::Overflow) }
}
