//! Scalers: they scale features, and undo the scaling.

use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::data::moments::Moments;
use crate::error::{Error, Result};
use crate::load::{self, Load, Shapes};
use crate::{transfer, validate};

/// How features are scaled before clustering.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum Scale {
    /// Features stay as they are.
    #[default]
    None,
    /// The range of the training data becomes 0 to 1.
    MinMax,
    /// The training data get mean 0 and (population) standard deviation 1.
    Standard,
}

impl std::fmt::Display for Scale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::MinMax => "minmax",
            Self::Standard => "standard",
        })
    }
}

/// A fitted scaler, `(x − offset) · factor` for every feature. It is a module,
/// saved with the model and applied to new data.
///
/// A feature that is constant in the training data gets the factor 0 and becomes 0 in all data,
/// because the training data determine no scale for it.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::Tensor;
/// use neuralize::data::Scale;
///
/// let x = Tensor::<Flex, 2>::from_data([[1.0, 7.0], [3.0, 7.0]], &Default::default());
/// let scaler = Scale::MinMax.fit(&x)?;
/// let scaled: Vec<f32> = scaler.transform(&x)?.into_data().iter().collect();
/// assert_eq!(scaled, [0.0, 0.0, 1.0, 0.0]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Module, Debug)]
pub struct Scaler<B: Backend> {
    /// The offsets that are subtracted, `[D]`.
    pub(crate) offset: Param<Tensor<B, 1>>,
    /// The factors of the differences, `[D]`.
    pub(crate) factor: Param<Tensor<B, 1>>,
}

impl Scale {
    /// Fits a scaler to the rows of x.
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

    /// Starts a fit to data that come in parts.
    pub fn start<B: Backend>(self) -> ScalerFit<B> {
        ScalerFit { scale: self, parts: None }
    }
}

/// A scaler that is being fitted to data that come in parts, such as chunks of a file. The result
/// is the same as for all rows at once.
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
/// let scaled: Vec<f32> = fit.finish()?.transform(&x)?.into_data().iter().collect();
/// assert_eq!(scaled, [0.5, 0.25]);
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug)]
pub struct ScalerFit<B: Backend> {
    scale: Scale,
    parts: Option<(Moments, B::Device, DType)>,
}

impl<B: Backend> ScalerFit<B> {
    /// Adds a part of the data.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`, the same D in every part
    ///
    /// # Errors
    ///
    /// If values are not finite, or width or precision differ from those of the
    /// earlier parts.
    pub fn add(&mut self, x: &Tensor<B, 2>) -> Result<()> {
        match &mut self.parts {
            None => {
                validate::not_empty("x", x)?;
                validate::dtype::<B>("x", &x.device(), x.dtype())?;
                validate::values("x", x)?;
                self.parts = Some((Moments::of(x), x.device(), x.dtype()));
            }
            Some((moments, _, dtype)) => {
                validate::input("x", x, moments.min().len(), *dtype)?;
                moments.add(x);
            }
        }
        Ok(())
    }

    /// The scaler for all parts together.
    ///
    /// # Errors
    ///
    /// If no row was added.
    pub fn finish(self) -> Result<Scaler<B>> {
        let Some((moments, device, dtype)) = self.parts else {
            return Err(Error::Empty { what: "x" });
        };
        let (min, max) = (moments.min(), moments.max());
        let features = min.len();
        let (offset, spread): (Vec<f64>, Vec<f64>) = match self.scale {
            Scale::None => return Ok(Scaler::identity(features, &device, dtype)),
            Scale::MinMax => {
                (min.to_vec(), min.iter().zip(max).map(|(min, max)| max - min).collect())
            }
            Scale::Standard => {
                (moments.mean(), moments.variance().into_iter().map(f64::sqrt).collect())
            }
        };
        // Minimum and maximum decide whether a feature is constant: the variance of
        // a constant may differ from 0 by rounding.
        let largest = transfer::largest(dtype);
        let factor = (0..features)
            .map(|i| match 1.0 / spread[i] {
                factor if min[i] < max[i] && factor <= largest => factor,
                _ => 0.0,
            })
            .collect();
        Ok(Scaler::new(
            transfer::upload(offset, [features], &device, dtype),
            transfer::upload(factor, [features], &device, dtype),
        ))
    }
}

impl Scale {
    /// A blank scaler to load a record into.
    pub fn init<B: Backend>(self, n_features: usize, device: &B::Device) -> Scaler<B> {
        load::blank(&[("offset", &[n_features]), ("factor", &[n_features])], device)
    }
}

impl<B: Backend> Scaler<B> {
    /// The scaler itself, if what was loaded into it is one; see
    /// [`KMeans::checked`](crate::cluster::KMeans::checked).
    ///
    /// # Errors
    ///
    /// If shapes or values are not those of a scaler.
    pub fn checked(self) -> Result<Self> {
        load::check(self)
    }

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

    /// Device and precision.
    pub(in crate::data) fn place(&self) -> (B::Device, DType) {
        let offset = self.offset.val();
        (offset.device(), offset.dtype())
    }

    /// Whether it changes nothing.
    pub(in crate::data) fn is_identity(&self) -> bool {
        let all = |values, value| transfer::download(values).iter().all(|found| *found == value);
        all(self.offset.val(), 0.0) && all(self.factor.val(), 1.0)
    }

    /// Number of features, D.
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
    pub fn transform(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        let scaled = self.scaled(x)?;
        validate::values("x", x)?;
        Ok(scaled)
    }

    /// As [`transform`](Self::transform), for rows whose values are checked by what takes the
    /// scaled rows: a value that is not finite stays so.
    pub(crate) fn scaled(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        validate::form(x, self.n_features(), &self.offset.val())?;
        if x.dims()[0] == 0 {
            let offset = self.offset.val();
            return Ok(transfer::zeros(x.dims(), &offset.device(), offset.dtype()));
        }
        Ok((x.clone() - self.offset.val().unsqueeze()) * self.factor.val().unsqueeze())
    }

    /// Undoes the scaling: `x / factor + offset`. A feature that was constant in
    /// the training data becomes that constant.
    ///
    /// # Shapes
    ///
    /// - x: `[N, D]`
    /// - output: `[N, D]`
    ///
    /// # Errors
    ///
    /// As [`transform`](Self::transform).
    pub fn inverse(&self, x: &Tensor<B, 2>) -> Result<Tensor<B, 2>> {
        validate::rows(x, self.n_features(), &self.offset.val())?;
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

impl<B: Backend> Load<B> for Scaler<B> {
    const NAME: &'static str = "scaler";

    fn blank(shapes: &Shapes, device: &B::Device, dtype: DType) -> Result<Self, String> {
        let offset = shapes.blank("offset", device, dtype)?;
        Ok(Self::new(offset, shapes.blank("factor", device, dtype)?))
    }

    fn checked(self) -> Result<Self, String> {
        let (offset, factor) = (self.offset.val(), self.factor.val());
        load::agree("factor", factor.dims(), "features", offset.dims()[0])?;
        load::finite("offset", offset)?;
        load::finite("factor", factor)?;
        Ok(self)
    }
}
