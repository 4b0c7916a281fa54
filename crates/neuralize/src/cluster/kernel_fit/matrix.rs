//! The Gaussian kernel matrix of the rows of a fit.

use core::ops::Range;

use burn::tensor::{Tensor, backend::Backend};

use crate::cluster::partition;
use crate::kernel::{self, Affine, Scores};
use crate::transfer;

/// Maximum number of entries of a matrix that is kept.
const KEPT: usize = 1 << 25;

/// Whether the matrix of this number of rows is kept.
pub(super) fn is_kept(rows: usize) -> bool {
    rows.saturating_mul(rows) <= KEPT
}

/// The kernel matrix `exp(−γ ‖x−u‖²)` of all rows of x, in blocks of rows.
pub(super) struct KernelMatrix<'a, B: Backend> {
    pub(super) x: &'a Tensor<B, 2>,
    affine: Affine<B>,
    pub(super) gamma: f64,
    /// All blocks, if the matrix is kept.
    kept: Vec<Tensor<B, 2>>,
}

impl<'a, B: Backend> KernelMatrix<'a, B> {
    pub(super) fn of(x: &'a Tensor<B, 2>, gamma: f64) -> Self {
        let mut matrix = Self { x, affine: Affine::of(x), gamma, kept: Vec::new() };
        if is_kept(x.dims()[0]) {
            matrix.kept = matrix.ranges().map(|range| matrix.compute(range)).collect();
        }
        matrix
    }

    /// The whole matrix, which must be kept.
    pub(super) fn whole(&self) -> Tensor<B, 2> {
        Tensor::cat(self.kept.clone(), 0)
    }

    /// Whether all entries are 1 up to rounding.
    pub(super) fn is_flat(&self) -> bool {
        let radius = transfer::download(self.affine.scores.bias.clone().neg().max())[0];
        4.0 * radius * self.gamma < transfer::epsilon(self.x.dtype())
    }

    fn ranges(&self) -> impl Iterator<Item = Range<usize>> + use<B> {
        let [rows, features] = self.x.dims();
        kernel::blocks(rows, kernel::block_rows(rows + features))
    }

    fn compute(&self, range: Range<usize>) -> Tensor<B, 2> {
        let [rows, features] = self.x.dims();
        let block = self.x.clone().slice([range.clone(), 0..features]);
        // A point's similarity to itself is 1, whatever its distance rounds to.
        let own = Tensor::arange(range.start as i64..range.end as i64, &self.x.device());
        let own = kernel::is_own(own.unsqueeze_dim(1), rows);
        self.of_rows(&block).mask_fill(own, 1.0)
    }

    /// The similarities of other rows to all of x.
    pub(super) fn of_rows(&self, rows: &Tensor<B, 2>) -> Tensor<B, 2> {
        (kernel::squared_distances(rows, &self.affine) * -self.gamma).exp()
    }

    /// The matrix times a table of `columns` columns, on the host.
    pub(super) fn times(&self, table: Vec<f64>, columns: usize) -> Vec<f64> {
        let rows = self.x.dims()[0];
        let table =
            transfer::upload::<B, 2>(table, [rows, columns], &self.x.device(), self.x.dtype());
        let mut products = Vec::with_capacity(rows * columns);
        for (index, range) in self.ranges().enumerate() {
            let block = match self.kept.get(index) {
                Some(block) => block.clone(),
                None => self.compute(range),
            };
            products.extend(transfer::download(block.matmul(table.clone())));
        }
        products
    }

    /// Mean similarity of every row to every cluster, `[N, K]`, by the fused kernel
    /// of supports, which is many times faster because it stores no entry of the
    /// matrix. `None` if these tensors have no such kernel, the matrix is kept, or
    /// γ is so large that the rounding of ‖x‖² matters.
    pub(super) fn fused_means(&self, labels: &[usize], sizes: &[usize]) -> Option<Vec<f64>> {
        if !self.kept.is_empty() {
            return None;
        }
        let rounding = transfer::epsilon(self.x.dtype());
        let centred = self.x.clone() - self.affine.center.clone();
        let norms = centred.clone().square().sum_dim(1);
        let farthest = transfer::download(norms.clone().max())[0];
        if self.gamma * farthest * rounding > rounding.sqrt() {
            return None;
        }
        let order = transfer::upload_indices(&partition::by_cluster(labels), &self.x.device());
        let affine = Affine::new(self.affine.center.clone(), Scores::of(centred.select(0, order)));
        let scores = kernel::support_scores(self.x, &affine, sizes, self.gamma)?;
        let shape = scores.dims();
        Some(transfer::download(((scores - norms.expand(shape)) * self.gamma).exp()))
    }

    /// Squared distances of all rows to one of them.
    pub(super) fn distances_to(&self, row: usize) -> Vec<f64> {
        let features = self.x.dims()[1];
        let other = self.x.clone().slice([row..row + 1, 0..features]);
        transfer::download(kernel::squared_distances(self.x, &Affine::of(&other)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;
    use burn::tensor::DType;

    /// By the definition, by the matrix, and by the fused kernel.
    #[test]
    fn mean_similarities() {
        const ROWS: usize = 130;
        let values: Vec<f64> = (0..ROWS * 3).map(|i| ((i * i + 7 * i) % 23) as f64 / 7.0).collect();
        let labels: Vec<usize> = (0..ROWS).map(|row| row * 5 % 7 % 3).collect();
        for (dtype, tolerance) in [(DType::F64, 1e-12), (DType::F32, 1e-5)] {
            let x: Tensor<Flex, 2> =
                transfer::upload(values.clone(), [ROWS, 3], &Default::default(), dtype);
            for gamma in [0.01, 0.8, 30.0] {
                let sizes = partition::sizes(&labels, 3);
                let kept = KernelMatrix::of(&x, gamma);
                assert!(kept.fused_means(&labels, &sizes).is_none());
                let free = KernelMatrix { kept: Vec::new(), ..KernelMatrix::of(&x, gamma) };
                let fused = free.fused_means(&labels, &sizes).expect("in host memory");
                let memberships = partition::memberships(&labels, 3);
                let written = free.times(memberships, 3);
                for row in 0..ROWS {
                    let mut expected = [0.0; 3];
                    for other in 0..ROWS {
                        let distance: f64 = (0..3)
                            .map(|i| (values[row * 3 + i] - values[other * 3 + i]).powi(2))
                            .sum();
                        expected[labels[other]] +=
                            (-gamma * distance).exp() / sizes[labels[other]] as f64;
                    }
                    for (k, expected) in expected.iter().enumerate() {
                        for found in [fused[row * 3 + k], written[row * 3 + k]] {
                            let error = (found - expected).abs();
                            assert!(error <= tolerance * (1.0 + gamma), "{row}, {k}: {found}");
                        }
                    }
                }
            }
            let steep = KernelMatrix { kept: Vec::new(), ..KernelMatrix::of(&x, 1e12) };
            assert!(steep.fused_means(&labels, &[43, 43, 44]).is_none());
        }
    }
}
