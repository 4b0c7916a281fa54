use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::error::Result;
use crate::{kernel, transfer, validate};

/// How features are brought to one scale before clustering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Scale {
    /// As they are.
    #[default]
    None,
    /// To the range 0 to 1 of the training data.
    MinMax,
    /// To mean 0 and (population) standard deviation 1 over the training data.
    Standard,
}

/// A fitted scaler, `(x − offset) · factor` feature by feature; a module that
/// is saved with the model and applied again to new data.
///
/// A feature that is constant in the training data has factor 0: it scales to
/// 0 everywhere, because nothing says how far a new value of it is.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::data::Scale;
///
/// let x = Tensor::<Flex, 2>::from_data([[1.0, 7.0], [3.0, 7.0]], &Default::default());
/// let scaler = Scale::MinMax.fit(&x)?;
/// let scaled: Vec<f32> = scaler.transform(x)?.into_data().iter().collect();
/// assert_eq!(scaled, [0.0, 0.0, 1.0, 0.0]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct Scaler<B: Backend> {
    /// Subtracted first, `[D]`.
    pub(crate) offset: Param<Tensor<B, 1>>,
    /// Multiplied with the difference, `[D]`.
    pub(crate) factor: Param<Tensor<B, 1>>,
}

impl Scale {
    /// Fits to the rows of x.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    ///
    /// # Errors
    ///
    /// If x is empty or holds values that are not finite.
    pub fn fit<B: Backend>(self, x: &Tensor<B, 2>) -> Result<Scaler<B>> {
        validate::not_empty("x", x)?;
        validate::dtype::<B>("x", &x.device(), x.dtype())?;
        validate::values("x", x)?;
        let [rows, features] = x.dims();
        let (device, dtype) = (x.device(), x.dtype());
        if self == Self::None {
            return Ok(Scaler::identity(features, &device, dtype));
        }
        let least = transfer::download(x.clone().min_dim(0));
        let most = transfer::download(x.clone().max_dim(0));
        let (offset, spread) = match self {
            Self::None | Self::MinMax => {
                let spread = least.iter().zip(&most).map(|(least, most)| most - least).collect();
                (least.clone(), spread)
            }
            Self::Standard => {
                let ones = Tensor::ones([rows], (&device, dtype));
                let mean = kernel::weighted_mean(x, &ones, rows as f64);
                let center = transfer::upload::<B, 2>(mean.clone(), [1, features], &device, dtype);
                let squares = (x.clone() - center).square();
                let variance = kernel::weighted_mean(&squares, &ones, rows as f64);
                (mean, variance.into_iter().map(f64::sqrt).collect::<Vec<_>>())
            }
        };
        // Constancy is read off the extremes: a spread of rounding errors is none.
        let largest = transfer::largest(dtype);
        let factor = (0..features)
            .map(|i| match 1.0 / spread[i] {
                factor if least[i] < most[i] && factor <= largest => factor,
                _ => 0.0,
            })
            .collect();
        Ok(Scaler::new(
            transfer::upload(offset, [features], &device, dtype),
            transfer::upload(factor, [features], &device, dtype),
        ))
    }
}

impl<B: Backend> Scaler<B> {
    /// A scaler that changes nothing.
    pub fn identity(features: usize, device: &B::Device, dtype: DType) -> Self {
        Self::new(
            transfer::zeros([features], device, dtype),
            Tensor::ones([features], (device, dtype)),
        )
    }

    pub(crate) fn new(offset: Tensor<B, 1>, factor: Tensor<B, 1>) -> Self {
        Self {
            offset: Param::initialized(ParamId::new(), offset),
            factor: Param::initialized(ParamId::new(), factor),
        }
    }

    /// How many features, D.
    pub fn n_features(&self) -> usize {
        self.offset.lazy_shape()[0]
    }

    /// Scales every row.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, D]`
    ///
    /// # Errors
    ///
    /// If x has another width or precision than the scaler, or values that are
    /// not finite.
    pub fn transform(&self, x: Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        validate::input("x", &x, self.n_features(), self.offset.val().dtype())?;
        if x.dims()[0] == 0 {
            let offset = self.offset.val();
            return Ok(transfer::zeros(x.dims(), &offset.device(), offset.dtype()));
        }
        Ok((x - self.offset.val().unsqueeze()) * self.factor.val().unsqueeze())
    }
}
