//! What the formula of a distance provides: [`Separable`], and [`Bregman`] where
//! its differences are linear in x.

use core::fmt;

use burn::tensor::{DType, Tensor, backend::Backend};

use super::domain::{Domain, inside};
use crate::error::Result;
use crate::transfer;

/// A distance that is a sum over features, `d(x, μ) = Σ_i d_i(x_i, μ_i)`.
///
/// `d_i(x, m)` is at least 0, and 0 for x = m.
pub(crate) trait Separable<B: Backend>: fmt::Debug + Send + Sync {
    /// `d_i(x_i, m_i)` of every row and feature, before the sum.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`, n at least 1
    /// - centroid: `[1, D]`, or one for every row, `[n, D]`
    /// - output: `[n, D]`
    fn values(&self, x: Tensor<B, 2>, centroid: Tensor<B, 2>) -> Tensor<B, 2>;

    /// The values that data may have, in this precision and with this number
    /// of features.
    fn domain(&self, dtype: DType, features: usize) -> Domain;

    /// The number m that minimises Σ d_i(x, m) over the values of a feature in
    /// a cluster. There is at least one value, and their order may be changed.
    ///
    /// It is found on the host and in f64: a median needs sorting and a power
    /// an iteration, which not every device can do. For every Bregman
    /// divergence it is the arithmetic mean.
    fn mean(&self, values: &mut [f64]) -> f64 {
        values.iter().sum::<f64>() / values.len() as f64
    }

    /// The same distance as a Bregman divergence, if it is one.
    fn bregman(&self) -> Option<&dyn Bregman<B>> {
        None
    }
}

/// A Bregman divergence of a convex function φ,
/// `d_i(x, m) = φ(x) − φ(m) − φ'(m) (x − m)`.
///
/// For any point z,
/// `d(x, m) = d(x, z) − (x − z)·(φ'(m) − φ'(z)) + d(z, m)`: the part that depends
/// on m is linear in x.
pub(crate) trait Bregman<B: Backend>: Separable<B> {
    /// `φ'(m) − φ'(z)`, computed without cancellation.
    ///
    /// # Shapes
    ///
    /// - centroids m: `[K, D]`, all inside [`interior`](Self::interior)
    /// - center z: `[1, D]`, likewise
    /// - output: `[K, D]`
    fn slopes(&self, centroids: Tensor<B, 2>, center: Tensor<B, 2>) -> Tensor<B, 2>;

    /// The values that a centroid may have: those at which φ' is finite.
    fn interior(&self, dtype: DType, features: usize) -> Domain {
        self.domain(dtype, features)
    }

    /// The default weight α by which the mean of a cluster is drawn to the mean
    /// of all data. It is above 0 where a mean on the edge of the domain would
    /// be infinitely far from all other values.
    fn smoothing(&self) -> f64 {
        0.0
    }

    /// Whether the divergence depends on x − m alone.
    fn is_translation_invariant(&self) -> bool {
        false
    }
}

/// Checks that centroids are inside the domain and, for a Bregman divergence,
/// where φ' is finite. A feature in which all centroids are equal changes no
/// decision and may be on the edge of the domain.
///
/// # Errors
///
/// Names the first value that is not.
pub(crate) fn centroids_inside<B: Backend>(
    what: &'static str,
    rule: &dyn Separable<B>,
    centroids: &Tensor<B, 2>,
) -> Result<()> {
    let [_, features] = centroids.dims();
    let dtype = centroids.dtype();
    inside(what, centroids, &rule.domain(dtype, features))?;
    let Some(bregman) = rule.bregman() else { return Ok(()) };
    let interior = bregman.interior(dtype, features);
    let values = transfer::download(centroids.clone());
    for (index, &value) in values.iter().enumerate() {
        let (row, column) = (index / features, index % features);
        let constant = || values.iter().skip(column).step_by(features).all(|v| *v == value);
        if !interior.contains(value) && !constant() {
            return Err(interior.error(what, row, column, value));
        }
    }
    Ok(())
}
