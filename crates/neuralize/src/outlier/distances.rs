//! Squared distances to all supports, exact for pairs that are close.

use burn::tensor::{Bool, DType, IndexingUpdateOp, Int, Tensor, backend::Backend};

use crate::cluster::own_supports;
use crate::kernel::{self, Affine};
use crate::transfer;

/// The squared distances to all supports.
pub(super) struct DistanceLayer<B: Backend> {
    /// The supports u, `[M, D]`.
    pub(super) raw: Tensor<B, 2>,
    /// The supports around their mean, `[M, D]`.
    pub(super) centred: Tensor<B, 2>,
    /// Squares of the centred supports, `[M, D]`.
    pub(super) squares: Tensor<B, 2>,
    /// Sums of the squares, `[1, M]`.
    norms: Tensor<B, 2>,
    affine: Affine<B>,
}

impl<B: Backend> DistanceLayer<B> {
    pub(super) fn of(raw: Tensor<B, 2>) -> Self {
        let affine = Affine::of(&raw);
        let centred = raw.clone() - affine.center.clone();
        let squares = centred.clone().square();
        let norms = squares.clone().sum_dim(1).transpose();
        Self { raw, centred, squares, norms, affine }
    }

    /// Rows around a point near most supports.
    pub(super) fn around(&self, x: Tensor<B, 2>) -> Tensor<B, 2> {
        x - self.affine.center.clone()
    }

    /// A mask of the support that every row equals, `[n, M]`, given its distances.
    pub(super) fn own(&self, x: &Tensor<B, 2>, h: &Tensor<B, 2>) -> Tensor<B, 2, Bool> {
        own_supports(self.around(x.clone()), &self.centred, h.clone().neg())
    }

    /// Squared distances `h_ij = ‖x_i − u_j‖²` of a block of rows, `[n, M]`, and the close pairs,
    /// whose distances come from differences.
    pub(super) fn distances(&self, x: &Tensor<B, 2>) -> (Tensor<B, 2>, ClosePairs<B>) {
        let h = kernel::squared_distances(x, &self.affine);
        let [rows, supports] = h.dims();
        let size = self.around(x.clone()).square().sum_dim(1).expand([rows, supports])
            + self.norms.clone().expand([rows, supports]);
        let mask = h.clone().lower_equal(size * close_up_to(h.dtype()));
        let close = ClosePairs::of(mask, x.dims()[1]);
        let mut h = h.mask_fill(close.mask.clone(), 0.0).reshape([rows * supports]);
        for pairs in close.pairs(x, &self.raw) {
            let exact = pairs.squares.sum_dim(1).squeeze_dim::<1>(1);
            h = h.select_assign(0, pairs.at, exact, IndexingUpdateOp::Add);
        }
        (h.reshape([rows, supports]), close)
    }
}

/// The part of `‖x‖² + ‖u‖²` up to which a squared distance is computed from differences. Products
/// leave an error of about one rounding of that sum: of a larger distance at most 4e-6 in f32 and
/// 2e-12 in f64.
fn close_up_to(dtype: DType) -> f64 {
    match dtype {
        DType::F64 => 1e-4,
        _ => 1.0 / 64.0,
    }
}

/// Pairs of a row and a support that are so close that products lose digits, in particular equal
/// ones.
pub(super) struct ClosePairs<B: Backend> {
    /// Which pairs are close, `[n, M]`.
    pub(super) mask: Tensor<B, 2, Bool>,
    /// The places where the mask is true, row by row.
    at: Vec<usize>,
    supports: usize,
    /// The number of pairs in a block.
    step: usize,
}

/// A block of these pairs.
pub(super) struct Pairs<B: Backend> {
    /// `(x_i − u_j)²`, `[P, D]`.
    pub(super) squares: Tensor<B, 2>,
    /// i, `[P]`.
    pub(super) rows: Tensor<B, 1, Int>,
    /// i M + j, `[P]`.
    pub(super) at: Tensor<B, 1, Int>,
}

impl<B: Backend> ClosePairs<B> {
    fn of(mask: Tensor<B, 2, Bool>, features: usize) -> Self {
        let supports = mask.dims()[1];
        let at = transfer::download_true(mask.clone());
        Self { mask, at, supports, step: kernel::block_rows(4 * features) }
    }

    /// All pairs, block by block.
    pub(super) fn pairs<'a>(
        &'a self,
        x: &'a Tensor<B, 2>,
        supports: &'a Tensor<B, 2>,
    ) -> impl Iterator<Item = Pairs<B>> + 'a {
        self.at.chunks(self.step).map(move |at| {
            let upload = |each: &dyn Fn(usize) -> usize| {
                let indices: Vec<usize> = at.iter().map(|at| each(*at)).collect();
                transfer::upload_indices::<B>(&indices, &x.device())
            };
            let rows = upload(&|at| at / self.supports);
            let partners = upload(&|at| at % self.supports);
            let difference =
                x.clone().select(0, rows.clone()) - supports.clone().select(0, partners);
            Pairs { squares: difference.square(), rows, at: upload(&|at| at) }
        })
    }
}
