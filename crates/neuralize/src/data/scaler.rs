use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::data::moments::Moments;
use crate::error::{Error, Result};
use crate::{transfer, validate};

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
        let mut fit = self.start();
        fit.add(x)?;
        fit.finish()
    }

    /// Begins a fit to data that come in parts.
    pub fn start<B: Backend>(self) -> ScalerFit<B> {
        ScalerFit { scale: self, parts: None }
    }
}

/// A scaler that is being fitted to data that come in parts, chunks of a file
/// say; the result is that of all rows at once.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::data::Scale;
///
/// let mut fit = Scale::MinMax.start::<Flex>();
/// for part in [[[1.0, 4.0]], [[3.0, 8.0]]] {
///     fit.add(&Tensor::from_data(part, &Default::default()))?;
/// }
/// let x = Tensor::from_data([[2.0, 5.0]], &Default::default());
/// let scaled: Vec<f32> = fit.finish()?.transform(x)?.into_data().iter().collect();
/// assert_eq!(scaled, [0.5, 0.25]);
/// # Ok::<(), neuralize::Error>(())
/// ```
pub struct ScalerFit<B: Backend> {
    scale: Scale,
    parts: Option<(Moments, B::Device, DType)>,
}

impl<B: Backend> ScalerFit<B> {
    /// Takes a part into account.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`, the same D in every part
    ///
    /// # Errors
    ///
    /// If values are not finite, or width or precision are not those of the
    /// parts before.
    pub fn add(&mut self, x: &Tensor<B, 2>) -> Result<()> {
        match &mut self.parts {
            None => {
                validate::not_empty("x", x)?;
                validate::dtype::<B>("x", &x.device(), x.dtype())?;
                validate::values("x", x)?;
                self.parts = Some((Moments::of(x), x.device(), x.dtype()));
            }
            Some((moments, _, dtype)) => {
                validate::input("x", x, moments.least().len(), *dtype)?;
                moments.add(x);
            }
        }
        Ok(())
    }

    /// The scaler of all parts.
    ///
    /// # Errors
    ///
    /// If there was no row.
    pub fn finish(self) -> Result<Scaler<B>> {
        let Some((moments, device, dtype)) = self.parts else {
            return Err(Error::Empty { what: "x" });
        };
        let (least, most) = (moments.least(), moments.most());
        let features = least.len();
        let (offset, spread): (Vec<f64>, Vec<f64>) = match self.scale {
            Scale::None => return Ok(Scaler::identity(features, &device, dtype)),
            Scale::MinMax => {
                (least.to_vec(), least.iter().zip(most).map(|(least, most)| most - least).collect())
            }
            Scale::Standard => {
                (moments.mean(), moments.variance().into_iter().map(f64::sqrt).collect())
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

    /// Back to the units of the data: `x / factor + offset`. A feature that was
    /// constant in the training data comes back as that constant.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, D]`
    ///
    /// # Errors
    ///
    /// As [`transform`](Self::transform).
    pub fn inverse(&self, x: Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        validate::input("x", &x, self.n_features(), self.offset.val().dtype())?;
        if x.dims()[0] == 0 {
            return self.transform(x);
        }
        let factor: Tensor<B, 2> = self.factor.val().unsqueeze();
        let constant = factor.clone().equal_elem(0.0);
        let unscaled = x.clone() / factor.mask_fill(constant.clone(), 1.0);
        let constant = constant.expand(x.dims());
        Ok(unscaled.mask_fill(constant, 0.0) + self.offset.val().unsqueeze())
    }
}
