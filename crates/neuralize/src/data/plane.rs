//! The first two principal components of the data.

use burn::tensor::{DType, Tensor, backend::Backend};
use nalgebra::{DMatrix, SymmetricEigen};

use crate::data::moments::Moments;
use crate::error::Result;
use crate::{kernel, transfer, validate};

/// The plane of the first two principal components of the data.
///
/// The sign of a component is chosen so that its largest weight is positive. The
/// components are the same in every run, and on every backend unless two have
/// the same variance. Data of more than 512 features are represented by at most
/// 512 evenly spaced rows.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::data::Plane;
///
/// let x = Tensor::<Flex, 2>::from_data(
///     [[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [0.0, -0.5]],
///     &Default::default(),
/// );
/// let plane = Plane::fit(&x)?;
/// assert!((plane.explained()[0] - 0.8).abs() < 1e-6);
/// assert_eq!(plane.project(&x)?.dims(), [4, 2]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Plane<B: Backend> {
    /// `[1, D]`.
    mean: Tensor<B, 2>,
    /// `[D, 2]`.
    axes: Tensor<B, 2>,
    explained: [f64; 2],
}

/// The largest number of features for which their covariance is computed.
const WIDEST: usize = 512;

impl<B: Backend> Plane<B> {
    /// Fits the plane to the rows of x.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If x is empty or holds values that are not finite.
    pub fn fit(x: &Tensor<B, 2>) -> Result<Self> {
        validate::not_empty("x", x)?;
        validate::dtype::<B>("x", &x.device(), x.dtype())?;
        validate::values("x", x)?;
        let [rows, features] = x.dims();
        let (x, rows) = if features > WIDEST && rows > WIDEST {
            (evenly_spaced(x, WIDEST), WIDEST)
        } else {
            (x.clone(), rows)
        };
        let (device, dtype) = (x.device(), x.dtype());
        let moments = Moments::of(&x);
        let mean = transfer::upload::<B, 2>(moments.mean(), [1, features], &device, dtype);
        let centred = x - mean.clone();
        // Scaled to at most 1, squares neither overflow nor vanish.
        let scale = transfer::download(centred.clone().abs().max())[0];
        let centred = if scale > 0.0 { centred / scale } else { centred };
        let Leading { directions, variances, total } =
            if features <= rows { of_features(&centred) } else { of_rows(&centred) };
        let explained = variances
            .map(|variance| if total > 0.0 { (variance / total).clamp(0.0, 1.0) } else { 0.0 });
        let axes = directions.concat();
        let axes: Tensor<B, 2> = transfer::upload(axes, [2, features], &device, dtype);
        Ok(Self { mean, axes: axes.transpose(), explained })
    }

    /// The share of the variance along each axis, 0 to 1, in descending order.
    pub fn explained(&self) -> [f64; 2] {
        self.explained
    }

    /// Projects every row onto the plane.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, 2]`
    ///
    /// # Errors
    ///
    /// If x differs from the data of the fit in width or precision, or holds values
    /// that are not finite.
    pub fn project(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        let [features, _] = self.axes.dims();
        validate::rows(x, features, &self.mean)?;
        if x.dims()[0] == 0 {
            return Ok(transfer::zeros([0, 2], &x.device(), self.mean.dtype()));
        }
        Ok((x.clone() - self.mean.clone()).matmul(self.axes.clone()))
    }
}

impl<B: Backend> Plane<B> {
    /// The projections, downloaded.
    pub(crate) fn coordinates(&self, x: &Tensor<B, 2>) -> Result<Vec<[f64; 2]>> {
        let flat = transfer::download(self.project(x)?);
        Ok(flat.chunks_exact(2).map(|point| [point[0], point[1]]).collect())
    }
}

/// The two directions of the largest variance, their variances, and the sum of
/// all variances, in arbitrary units.
struct Leading {
    directions: [Vec<f64>; 2],
    variances: [f64; 2],
    total: f64,
}

/// Directions from the scatter matrix of the features, `[D, D]`.
fn of_features<B: Backend>(centred: &Tensor<B, 2>) -> Leading {
    let [rows, features] = centred.dims();
    let mut scatter = DMatrix::zeros(features, features);
    for range in kernel::blocks(rows, kernel::block_rows(features)) {
        let block = centred.clone().slice_dim(0, range);
        let part = transfer::download(block.clone().transpose().matmul(block));
        scatter += DMatrix::from_row_slice(features, features, &part);
    }
    let leading = leading(scatter);
    Leading { directions: leading.directions.map(oriented), ..leading }
}

/// Directions from the Gram matrix of the rows, `[N, N]`, for fewer rows than
/// features: an eigenvector u of X Xᵀ gives the direction Xᵀ u.
fn of_rows<B: Backend>(centred: &Tensor<B, 2>) -> Leading {
    let [rows, features] = centred.dims();
    let products = transfer::download(centred.clone().matmul(centred.clone().transpose()));
    let found = leading(DMatrix::from_row_slice(rows, rows, &products));
    let x = DMatrix::from_row_slice(rows, features, &transfer::download(centred.clone()));
    // A direction without variance would consist of rounding errors.
    let rounding = if centred.dtype() == DType::F64 { 1e-12 } else { 1e-5 };
    let direction = |at: usize| {
        if found.variances[at] <= rounding * found.variances[0] {
            return vec![0.0; features];
        }
        let direction = x.tr_mul(&DMatrix::from_column_slice(rows, 1, &found.directions[at]));
        let length = direction.norm();
        oriented(direction.iter().map(|weight| weight / length).collect())
    };
    Leading { directions: [direction(0), direction(1)], ..found }
}

/// The eigenvectors of the two largest eigenvalues; zeros in place of the second
/// if there is only one.
fn leading(symmetric: DMatrix<f64>) -> Leading {
    let (size, total) = (symmetric.nrows(), symmetric.trace());
    let eigen = SymmetricEigen::new(symmetric);
    let mut order: Vec<usize> = (0..size).collect();
    order.sort_by(|a, b| eigen.eigenvalues[*b].total_cmp(&eigen.eigenvalues[*a]));
    let vector = |at: usize| match order.get(at) {
        Some(&column) => eigen.eigenvectors.column(column).iter().copied().collect(),
        None => vec![0.0; size],
    };
    let value = |at: usize| order.get(at).map_or(0.0, |&column| eigen.eigenvalues[column]);
    Leading { directions: [vector(0), vector(1)], variances: [value(0), value(1)], total }
}

/// Chooses the sign of a direction: its largest weight is positive.
fn oriented(direction: Vec<f64>) -> Vec<f64> {
    let largest = direction.iter().fold(0.0f64, |a, b| if b.abs() > a.abs() { *b } else { a });
    if largest < 0.0 { direction.iter().map(|weight| -weight).collect() } else { direction }
}

fn evenly_spaced<B: Backend>(x: &Tensor<B, 2>, count: usize) -> Tensor<B, 2> {
    let rows = x.dims()[0];
    let chosen: Vec<usize> = (0..count).map(|i| i * rows / count).collect();
    x.clone().select(0, transfer::upload_indices(&chosen, &x.device()))
}
