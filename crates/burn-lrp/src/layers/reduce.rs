//! Means and sums over a dimension.

use burn::tensor::{Tensor, backend::Backend};

use crate::affine::{Affine, affine_rules_and};
use crate::any::{AnyTensor, around, repeated};
use crate::error::{Error, Result};
use crate::formula::RuleName;
use crate::kind::{Family, Kind};
use crate::layer::{Layer, Redistribution, Step, only};
use crate::rule::Rule;
use crate::secant::SecantStep;
use crate::{affine, leaf};

/// The mean over a dimension, which is removed: `[n, tokens, d]` to `[n, d]`.
///
/// An affine layer with equal weights; `proportional` is its LRP-0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct MeanOver {
    /// The dimension; not 0, the one of samples.
    pub dim: usize,
}

/// The sum over a dimension, which is removed.
///
/// An affine layer with weights of 1; `proportional` is its LRP-0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SumOver {
    /// The dimension; not 0, the one of samples.
    pub dim: usize,
}

const RULES: &[RuleName] = &affine_rules_and(RuleName::Proportional);

/// Sums over a dimension, times one weight.
struct DimensionSum<B: Backend> {
    dim: usize,
    weight: Tensor<B, 1>,
}

impl<B: Backend> DimensionSum<B> {
    fn of(name: &str, x: &AnyTensor<B>, dim: usize, mean: bool) -> Result<Self> {
        Self::over(name, &x.dims(), x, dim, mean)
    }

    /// Sums over an input of these dimensions, in the precision of a tensor.
    fn over(
        name: &str,
        dims: &[usize],
        like: &AnyTensor<B>,
        dim: usize,
        mean: bool,
    ) -> Result<Self> {
        if dim == 0 || dim >= dims.len() || dims[dim] == 0 {
            let expected = format!("a dimension {dim} other than the one of samples");
            return Err(Error::shape(name, expected, dims));
        }
        let weight = if mean { 1.0 / dims[dim] as f64 } else { 1.0 };
        Ok(Self { dim, weight: Tensor::full([1], weight, (&like.device(), like.dtype())) })
    }
}

impl<B: Backend> Affine<B> for DimensionSum<B> {
    fn weight(&self) -> AnyTensor<B> {
        self.weight.clone().into()
    }

    fn bias(&self) -> Option<Tensor<B, 1>> {
        None
    }

    fn channel_dim(&self, output: &AnyTensor<B>) -> usize {
        output.rank().saturating_sub(1)
    }

    fn apply(&self, x: &AnyTensor<B>, weight: &AnyTensor<B>) -> Result<AnyTensor<B>> {
        let mut dims = x.dims();
        let sum = x.view(around(&dims, self.dim)).sum_dim(1) * weight.view([1, 1, 1]);
        dims.remove(self.dim);
        Ok(AnyTensor::from(sum).shaped(&dims))
    }

    fn adjoint(
        &self,
        s: &AnyTensor<B>,
        weight: &AnyTensor<B>,
        input: &[usize],
    ) -> Result<AnyTensor<B>> {
        let [before, size, after] = around(input, self.dim);
        let each = s.view([before, 1, after]) * weight.view([1, 1, 1]);
        Ok(AnyTensor::from(repeated(each, size)).shaped(input))
    }
}

macro_rules! reduction {
    ($layer:ident, $mean:literal) => {
        impl<B: Backend> Layer<B> for $layer {
            fn kind(&self) -> Kind {
                Kind::new(stringify!($layer), Family::Pooling)
            }

            fn forward(&self, inputs: &[AnyTensor<B>]) -> Result<AnyTensor<B>> {
                let x = only(inputs)?;
                affine::forward(&DimensionSum::of(stringify!($layer), x, self.dim, $mean)?, x)
            }

            fn rules(&self) -> &'static [RuleName] {
                RULES
            }

            fn default_rule(&self) -> Rule {
                Rule::EPSILON
            }

            fn relevance(&self, step: &Step<'_, B>, rule: &Rule) -> Result<Redistribution<B>> {
                let layer = DimensionSum::of(stringify!($layer), step.input()?, self.dim, $mean)?;
                affine::relevance(&layer, step, rule)
            }

            fn has_secant(&self) -> bool {
                true
            }

            fn secant(&self, step: &SecantStep<'_, B>) -> Result<Vec<AnyTensor<B>>> {
                let (name, dims, m) = (stringify!($layer), step.dims(0)?, step.multiplier());
                affine::secant(&DimensionSum::over(name, &dims, m, self.dim, $mean)?, step)
            }
        }

        leaf!($layer);
    };
}

reduction!(MeanOver, true);
reduction!(SumOver, false);
