//! Squared distances to points.

use burn::module::{Module, Param};
use burn::tensor::{DType, Tensor, backend::Backend};

use crate::affine::quotient;
use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::formula::RuleName;
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::leaf;
use crate::rule::Rule;
use crate::secant::SecantStep;

/// The squared distances to some points.
///
/// With the distances `d_k = Σ_i (x_i − u_ki)²`, rule `proportional` gives every input
/// its share of them, `R_i = Σ_k (x_i − u_ki)² / d_k R_k`, and nothing if
/// d_k is 0 (Kauffmann et al. 2024). A distance within its rounding error
/// counts as 0.
#[derive(Module, Debug)]
pub struct SquaredDistance<B: Backend> {
    /// `[points, inputs]`.
    pub points: Param<Tensor<B, 2>>,
}

/// Inputs and points relative to the mean of the points, which keeps cancellation small.
struct Centred<B: Backend> {
    x: Tensor<B, 2>,
    points: Tensor<B, 2>,
    /// `|x|² + |u_k|²`, `[samples, points]`.
    squares: Tensor<B, 2>,
}

impl<B: Backend> SquaredDistance<B> {
    /// The distances to these points, `[points, inputs]`.
    pub fn new(points: Tensor<B, 2>) -> Self {
        Self { points: Param::from_tensor(points) }
    }

    fn centred(&self, x: &AnyTensor<B>) -> Result<Centred<B>> {
        let points = self.points.val();
        let [count, width] = points.dims();
        let dims = x.dims();
        if dims.len() != 2 || dims[1] != width || count == 0 || width == 0 {
            let expected = format!("[samples, {width}], and at least one point");
            return Err(Error::shape("SquaredDistance", expected, &dims));
        }
        let middle = points.clone().mean_dim(0);
        let points = points - middle.clone();
        let x = x.tensor::<2>()? - middle;
        let of_points = points.clone().square().sum_dim(1).reshape([1, count]);
        let squares = x.clone().square().sum_dim(1) + of_points;
        Ok(Centred { x, points, squares })
    }
}

impl<B: Backend> Layer<B> for SquaredDistance<B> {
    fn kind(&self) -> Kind {
        Kind::new("SquaredDistance", Family::Competition)
    }

    fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
        let Centred { x, points, squares } = self.centred(only(inputs)?)?;
        let products = x.matmul(points.transpose());
        Ok((squares - products * 2.0).clamp_min(0.0).into())
    }

    fn rules(&self) -> &'static [RuleName] {
        &[RuleName::Proportional]
    }

    fn default_rule(&self) -> Rule {
        Rule::PROPORTIONAL
    }

    fn relevance(&self, step: &Step<'_, B>, _: &Rule) -> Result<Redistribution<B>> {
        let Centred { x, points, squares } = self.centred(step.input()?)?;
        let rounding = match step.output.dtype() {
            DType::F64 => f64::EPSILON,
            _ => f64::from(f32::EPSILON),
        };
        let distances = step.output.tensor::<2>()?;
        let none = distances.clone().lower_equal(squares * (8.0 * rounding));
        let s = quotient(step.relevance.tensor()?, distances.mask_fill(none, 0.0), 0.0);
        // Σ_k s_k (x² − 2 x u_k + u_k²), without a number for every point and input.
        let straight = x.clone().square() * s.clone().sum_dim(1);
        let mixed = x * s.clone().matmul(points.clone()) * 2.0;
        let relevance = straight - mixed + s.matmul(points.square());
        Ok(Redistribution::single(relevance.into()))
    }

    fn has_secant(&self) -> bool {
        true
    }

    /// `Σ_k m_k (x + x₀ − 2 u_k)`.
    fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
        let m = step.multiplier().tensor::<2>()?;
        let points = self.points.val();
        let middle = points.clone().mean_dim(0);
        let x = step.midway(0)?.tensor::<2>()? - middle.clone();
        let of_points = m.clone().matmul(points - middle);
        Ok(vec![((x * m.sum_dim(1) - of_points) * 2.0).into()])
    }
}

leaf!(SquaredDistance<B>);
