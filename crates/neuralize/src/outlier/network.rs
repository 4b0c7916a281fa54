//! A kernel density as a network: the outlier score and its explanation.

use burn::config::Config;
use burn::module::{Module, Param, ParamId};
use burn::tensor::{Bool, DType, IndexingUpdateOp, Tensor, backend::Backend};

use super::distances::DistanceLayer;
use super::explanation::OutlierExplanation;
use crate::error::{Error, Result};
use crate::host_param::HostParam;
use crate::kernel::{self, exp_minus_one, soft_shares, steepness};
use crate::load::{self, Load, Shapes};
use crate::network::SoftMinPool;
use crate::{gradient, transfer, validate};

/// A kernel density as a neural network: squared distances to all supports and
/// soft min-pooling (Kauffmann, Müller, Montavon 2020).
///
/// The output is the outlier score
/// `o = LME^{−γ}_j h_j = −(1/γ) log mean_j exp(−γ h_j)`, `h_j = ‖x − u_j‖²`:
/// a soft squared distance to the supports, in squared units of the data. It
/// is 0 only if all supports equal x. Up to a constant, the logarithm of the
/// density is −γ o.
///
/// # Relevance
///
/// Soft min-pooling gives every support the share `R_j = softmin_j(γ h_j) o`, and the distance
/// passes it to the features in proportion to its summands:
/// `R_i = Σ_j (x_i − u_ji)²/‖x − u_j‖² R_j`. No relevance is negative, and they sum to the score.
/// A support equal to x has no direction to pass its share in; the other supports take it over in
/// proportion to theirs.
///
/// # Rows that are supports themselves
///
/// A training point is its own support at distance 0, which hides how far it is from the others.
/// For a row that equals a support up to roundings of f32,
/// [`score_left_out`](Self::score_left_out) and [`explain_left_out`](Self::explain_left_out) leave
/// out the first such support.
///
/// # Numbers
///
/// Distances and relevances are products of matrices around a point near most supports. Pairs that
/// are so close that products would lose digits (up to 1/64 of `‖x‖² + ‖u_j‖²` in f32, 1e-4 in
/// f64) are computed from differences. Σ R is within 2e-5 of the score in f32 and 1e-10 in f64,
/// relative to Σ|R|.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::outlier::KernelDensity;
///
/// let device = Default::default();
/// let supports = Tensor::<Flex, 2>::from_data([[0.0, 0.0]], &device);
/// let network = KernelDensity::from_supports(supports, 1.0)?.neuralize();
///
/// // One support: the score is the squared distance to it, 3² + 1².
/// let x = Tensor::<Flex, 2>::from_data([[3.0, -1.0]], &device);
/// let found = network.explain(&x)?;
/// assert!((found.score.into_scalar() - 10.0).abs() < 1e-5);
/// let relevance: Vec<f32> = found.relevance.into_data().iter().collect();
/// assert!((relevance[0] - 9.0).abs() < 1e-5 && (relevance[1] - 1.0).abs() < 1e-5);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
#[module(custom_display)]
pub struct NeuralizedKernelDensity<B: Backend> {
    /// u, the weights of the distance layer, `[M, D]`.
    pub(crate) supports: Param<Tensor<B, 2>>,
    /// Soft minimum over the supports.
    pub(crate) pool: SoftMinPool<B>,
}

/// The shape of a [`NeuralizedKernelDensity`] that a record is loaded into.
#[derive(Config, Debug, PartialEq)]
pub struct NeuralizedKernelDensityConfig {
    /// D.
    pub n_features: usize,
    /// M.
    pub n_supports: usize,
}

impl NeuralizedKernelDensityConfig {
    /// A blank network to load a record into.
    pub fn init<B: Backend>(&self, device: &B::Device) -> NeuralizedKernelDensity<B> {
        let supports = [self.n_supports, self.n_features];
        load::blank(&[("supports", &supports), ("pool.gamma", &[1])], device)
    }
}

impl<B: Backend> Load<B> for NeuralizedKernelDensity<B> {
    const NAME: &'static str = "neuralized kernel density";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let supports = shapes.blank("supports", device, dtype)?;
        Ok(Self::of(supports, HostParam::of(shapes.blank("pool.gamma", device, dtype)?)))
    }

    fn checked(self) -> Result<Self, String> {
        load::usable("supports", &self.supports())?;
        load::check_stiffness("pool.gamma", &self.pool.gamma)?;
        Ok(self)
    }
}

impl<B: Backend> NeuralizedKernelDensity<B> {
    pub(super) fn of(supports: Tensor<B, 2>, gamma: HostParam<B>) -> Self {
        Self { supports: Param::initialized(ParamId::new(), supports), pool: SoftMinPool { gamma } }
    }

    /// The network itself, after a check of the record that was loaded into it.
    ///
    /// # Errors
    ///
    /// If shapes or values are not those of such a network.
    pub fn checked(self) -> Result<Self> {
        load::check(self)
    }

    /// The number of supports, M.
    pub fn n_supports(&self) -> usize {
        self.supports.lazy_shape()[0]
    }

    /// The number of features, D.
    pub fn n_features(&self) -> usize {
        self.supports.lazy_shape()[1]
    }

    /// The precision of the network; data must have the same.
    pub fn dtype(&self) -> DType {
        self.supports.val().dtype()
    }

    /// The supports u, `[M, D]`.
    pub fn supports(&self) -> Tensor<B, 2> {
        self.supports.val()
    }

    /// The pooling layer.
    pub fn pool(&self) -> &SoftMinPool<B> {
        &self.pool
    }

    /// The outlier score of every row, in squared units of the data; at least 0.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N]`
    ///
    /// # Errors
    ///
    /// If x has another width or precision than the network, or values that
    /// are not finite.
    pub fn score(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1>> {
        self.check_input(x)?;
        Ok(self.scores(x, false))
    }

    /// The outlier score of every row, where a row that equals a support (but for
    /// roundings of f32) is compared with the other supports only.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N]`
    ///
    /// # Errors
    ///
    /// As [`score`](Self::score), and if there is only one support.
    pub fn score_left_out(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 1>> {
        self.check_input(x)?;
        self.check_others()?;
        Ok(self.scores(x, true))
    }

    /// Explains the score of every row.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`; N may be 0
    /// - relevance: `[N, D]`, score: `[N]`
    ///
    /// # Errors
    ///
    /// As [`score`](Self::score).
    pub fn explain(&self, x: &Tensor<B, 2>) -> Result<OutlierExplanation<B>> {
        self.check_input(x)?;
        Ok(self.explanations(x, false, &mut |_| {}))
    }

    /// Explains the score of every row, where a row that equals a support
    /// (but for roundings of f32) is compared with the other supports only.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`; N may be 0
    /// - relevance: `[N, D]`, score: `[N]`
    ///
    /// # Errors
    ///
    /// As [`score_left_out`](Self::score_left_out).
    pub fn explain_left_out(&self, x: &Tensor<B, 2>) -> Result<OutlierExplanation<B>> {
        self.explain_left_out_observed(x, &mut |_| {})
    }

    /// The same, with an observer: it is called after every block of rows, with the number of rows that
    /// are done. Time is in proportion to the rows times the supports.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`; N may be 0
    /// - relevance: `[N, D]`, score: `[N]`
    ///
    /// # Errors
    ///
    /// As [`score_left_out`](Self::score_left_out).
    pub fn explain_left_out_observed(
        &self,
        x: &Tensor<B, 2>,
        observer: &mut dyn FnMut(usize),
    ) -> Result<OutlierExplanation<B>> {
        self.check_input(x)?;
        self.check_others()?;
        Ok(self.explanations(x, true, observer))
    }

    fn check_input(&self, x: &Tensor<B, 2>) -> Result<()> {
        validate::rows(x, self.n_features(), &self.supports.val())
    }

    /// Checks that a support remains when one is left out.
    fn check_others(&self) -> Result<()> {
        match self.n_supports() {
            0 | 1 => Err(Error::config(
                "supports",
                self.n_supports(),
                "leaving a support out needs two or more",
            )),
            _ => Ok(()),
        }
    }

    fn scores(&self, x: &Tensor<B, 2>, leave_out: bool) -> Tensor<B, 1> {
        let layer = DistanceLayer::of(self.supports.val());
        let none = || transfer::zeros([0], &x.device(), self.dtype());
        kernel::map_rows(x, self.n_supports(), none, |block| {
            let (h, _) = layer.distances(&block);
            let out = leave_out.then(|| layer.own(&block, &h));
            self.pooled(h, out).squeeze_dim(1)
        })
    }

    fn explanations(
        &self,
        x: &Tensor<B, 2>,
        leave_out: bool,
        observer: &mut dyn FnMut(usize),
    ) -> OutlierExplanation<B> {
        let [rows, features] = x.dims();
        if rows == 0 {
            let none = |columns| transfer::zeros([0, columns], &x.device(), self.dtype());
            return OutlierExplanation { relevance: none(features), score: none(1).reshape([0]) };
        }
        let layer = DistanceLayer::of(self.supports.val());
        let step = kernel::block_rows(self.n_supports() + features);
        let (mut relevance, mut score) = (Vec::new(), Vec::new());
        for range in kernel::blocks(rows, step) {
            let done = range.end;
            let block = x.clone().slice([range, 0..features]);
            let (r, o) = self.explain_block(block, &layer, leave_out);
            relevance.push(r);
            score.push(o);
            observer(done);
        }
        let score = Tensor::cat(score, 0).squeeze_dim(1);
        OutlierExplanation { relevance: Tensor::cat(relevance, 0), score }
    }

    /// Relevances `[n, D]` and scores `[n, 1]` of a block of rows.
    fn explain_block(
        &self,
        x: Tensor<B, 2>,
        layer: &DistanceLayer<B>,
        leave_out: bool,
    ) -> (Tensor<B, 2>, Tensor<B, 2>) {
        let (h, close) = layer.distances(&x);
        let out = leave_out.then(|| layer.own(&x, &h));
        let shape = h.dims();
        let score = self.pooled(h.clone(), out.clone());

        // Supports whose distance can divide a share: below this the quotient would overflow.
        let least = score.clone() * (64.0 / transfer::largest(self.dtype()));
        let touching = h.clone().lower_equal(least.expand(shape));
        let silent = match out {
            Some(out) => touching.bool_or(out),
            None => touching,
        };
        let h = h.mask_fill(silent.clone(), transfer::largest(self.dtype()));
        let shares = soft_shares(h.clone().neg(), self.pool.gamma(), 1).mask_fill(silent, 0.0);
        let total = shares.clone().sum_dim(1);
        let nobody = total.clone().lower_equal_elem(0.0);
        let shares = shares / total.mask_fill(nobody, 1.0);
        // R_j / h_j
        let ratios = shares * score.clone().expand(shape) / h;

        let far = ratios.clone().mask_fill(close.mask.clone(), 0.0);
        let centred = layer.around(x.clone());
        let mut relevance = centred.clone().square() * far.clone().sum_dim(1)
            - centred * far.clone().matmul(layer.centred.clone()) * 2.0
            + far.matmul(layer.squares.clone());
        let ratios = ratios.reshape([shape[0] * shape[1]]);
        for pairs in close.pairs(&x, &layer.raw) {
            let ratios = ratios.clone().select(0, pairs.at).unsqueeze_dim(1);
            let parts = pairs.squares * ratios;
            relevance = relevance.select_assign(0, pairs.rows, parts, IndexingUpdateOp::Add);
        }
        (relevance, score)
    }

    /// The pooling layer, `[n, 1]`, without the supports that are left out.
    fn pooled(&self, h: Tensor<B, 2>, out: Option<Tensor<B, 2, Bool>>) -> Tensor<B, 2> {
        let Some(out) = out else { return self.pool.forward(h, 1) };
        let shape = h.dims();
        // At most one in every row, of two or more supports.
        let one =
            transfer::zeros::<B, 2>(shape, &h.device(), h.dtype()).mask_fill(out.clone(), 1.0);
        let left = one.sum_dim(1).neg() + shape[1] as f64;
        let nearest = h.clone().mask_fill(out.clone(), transfer::largest(h.dtype())).min_dim(1);
        let above = (h - nearest.clone()).mask_fill(out.clone(), 0.0);
        match steepness(self.pool.gamma(), above.dtype()) {
            None => nearest,
            Some(0.0) => nearest + gradient::quotient(above.sum_dim(1), left),
            Some(gamma) => {
                // A support that is left out is 0 here, and exp(0) − 1 is 0.
                let terms = exp_minus_one(above * -gamma).sum_dim(1);
                let terms = gradient::log1p(gradient::quotient(terms, left));
                nearest - gradient::quotient_by(terms, gamma)
            }
        }
    }
}

displayed!(NeuralizedKernelDensity: n_supports(), n_features(); pool);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outlier::KernelDensity;
    use burn::backend::Flex;

    #[test]
    fn blocks_of_rows_are_observed() {
        let (rows, device) = (20_000, Default::default());
        let values: Vec<f32> = (0..2 * rows).map(|at| (at as f32).sin()).collect();
        let x = Tensor::<Flex, 1>::from_floats(&values[..], &device).reshape([rows, 2]);
        let supports = x.clone().slice([0..100, 0..2]);
        let network = KernelDensity::from_supports(supports, 0.5).expect("a density").neuralize();
        let mut seen = Vec::new();
        let observed = network.explain_left_out_observed(&x, &mut |done| seen.push(done));
        assert!(seen.len() > 1 && seen.is_sorted() && seen.last() == Some(&rows), "{seen:?}");
        let plain = network.explain_left_out(&x).expect("scores").score.into_data();
        assert_eq!(observed.expect("scores").score.into_data(), plain);
    }

    #[test]
    fn prints_its_layers() {
        let supports =
            Tensor::<Flex, 2>::from_data([[0.0, 1.0, 2.0], [3.0, 4.0, 5.0]], &Default::default());
        let network = KernelDensity::from_supports(supports, 0.5).expect("a density").neuralize();
        assert_eq!(
            format!("{network}"),
            "NeuralizedKernelDensity {n_supports: 2, n_features: 3, pool: SoftMinPool {gamma: 0.5, params: 1}, params: 7}"
        );
    }
}
