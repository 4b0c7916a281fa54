//! Scalers: they scale features, and undo the scaling.

use std::ops::Range;

use burn::module::{Module, Param, ParamId};
use burn::tensor::{DType, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::data::encoding::Encoding;
use crate::data::moments::{Moments, is_constant};
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
    /// The training data get median 0 and interquartile range 1: few far values do not matter.
    Robust,
}

impl std::fmt::Display for Scale {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "none",
            Self::MinMax => "minmax",
            Self::Standard => "standard",
            Self::Robust => "robust",
        })
    }
}

/// A fitted scaler, `(x − offset) · factor` for every feature. It is a module,
/// saved with the model and applied to new data.
///
/// A feature that is constant in the training data, up to rounding, gets the factor 0 and becomes 0
/// in all data, because the training data determine no scale for it.
///
/// # Categories
///
/// The features of a category are weighted alike, so that the column contributes as much to squared
/// distances as a column of numbers. With shares p of its values, two rows of the training data
/// differ on average by `2 (1 − Σ p²)` in squared distance of the indicators, and by 2 in a
/// standardised number: the weight is `1 / √(1 − Σ p²)` under [`Scale::Standard`], and that over
/// 1.349, the interquartile range of a standard normal, under [`Scale::Robust`]. Otherwise it is `1 / √2`:
/// two different values are at distance 1, as both ends of the range under [`Scale::MinMax`].
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
        ScalerFit { scale: self, parts: None, categories: Vec::new(), values: Vec::new() }
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
    /// Features that are the values of one category.
    categories: Vec<Range<usize>>,
    /// All values, for quantiles.
    values: Vec<f64>,
}

/// The interquartile range of a standard normal.
const NORMAL_RANGE: f64 = 1.349;

impl<B: Backend> ScalerFit<B> {
    /// Weights the features of categories as a column; without it every feature is a number.
    pub fn with_categories(mut self, encoding: Option<&Encoding>) -> Self {
        self.categories = encoding.map(Encoding::categories).unwrap_or_default();
        self
    }

    /// Adds a part of the data. [`Scale::Robust`] keeps all of them.
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
        if self.scale == Scale::Robust {
            self.values.extend(transfer::download(x.clone()));
        }
        Ok(())
    }

    /// The scaler for all parts together.
    ///
    /// # Errors
    ///
    /// If no row was added, or the values of a column differ by too little to be scaled.
    pub fn finish(self) -> Result<Scaler<B>> {
        let Some((moments, device, dtype)) = &self.parts else {
            return Err(Error::Empty { what: "x" });
        };
        let (device, dtype) = (device.clone(), *dtype);
        let (min, max) = (moments.min(), moments.max());
        let features = min.len();
        let (mut offset, spread): (Vec<f64>, Vec<f64>) = match self.scale {
            Scale::None if self.categories.is_empty() => {
                return Ok(Scaler::identity(features, &device, dtype));
            }
            Scale::None => (vec![0.0; features], vec![1.0; features]),
            Scale::MinMax => {
                (min.to_vec(), min.iter().zip(max).map(|(min, max)| max - min).collect())
            }
            Scale::Standard => {
                (moments.mean(), moments.variance().into_iter().map(f64::sqrt).collect())
            }
            Scale::Robust => (0..features).map(|i| self.quartiles(i, features)).unzip(),
        };
        // Minimum and maximum decide whether a feature is constant: the variance of
        // a constant may differ from 0 by rounding.
        let largest = transfer::largest(dtype);
        let epsilon = transfer::epsilon(dtype);
        let varies = |i: usize| !is_constant(min[i], max[i], epsilon);
        let is_number = |i: &usize| !self.categories.iter().any(|category| category.contains(i));
        if self.scale != Scale::None
            && let Some(column) =
                (0..features).filter(is_number).find(|&i| varies(i) && 1.0 / spread[i] > largest)
        {
            return Err(Error::Spread { column, value: max[column] - min[column] });
        }
        let mut factor: Vec<f64> = (0..features)
            .map(|i| match 1.0 / spread[i] {
                _ if self.scale == Scale::None => 1.0,
                factor if varies(i) => factor,
                _ => 0.0,
            })
            .collect();
        let shares = moments.mean();
        for category in &self.categories {
            let same: f64 = shares[category.clone()].iter().map(|share| share * share).sum();
            let weight = match self.scale {
                Scale::None | Scale::MinMax => std::f64::consts::FRAC_1_SQRT_2,
                // A value that all rows have.
                _ if is_constant(same, 1.0, epsilon) => 0.0,
                Scale::Standard => (1.0 - same).sqrt().recip(),
                Scale::Robust => (NORMAL_RANGE * (1.0 - same).sqrt()).recip(),
            };
            for i in category.clone() {
                (offset[i], factor[i]) = (0.0, weight);
            }
        }
        Ok(Scaler::new(
            transfer::upload(offset, [features], &device, dtype),
            transfer::upload(factor, [features], &device, dtype),
        ))
    }
}

impl<B: Backend> ScalerFit<B> {
    /// Median and interquartile range of a feature, as NumPy's `percentile` gives them; the range
    /// of all values where half of them or more are equal.
    fn quartiles(&self, feature: usize, features: usize) -> (f64, f64) {
        let mut values: Vec<f64> =
            self.values.iter().skip(feature).step_by(features).copied().collect();
        values.sort_unstable_by(f64::total_cmp);
        let at = |share: f64| quantile(&values, share);
        let range = at(0.75) - at(0.25);
        (at(0.5), if range > 0.0 { range } else { at(1.0) - at(0.0) })
    }
}

/// A quantile of sorted values, between the two nearest.
pub(crate) fn quantile(sorted: &[f64], share: f64) -> f64 {
    let Some(last) = sorted.len().checked_sub(1) else { return f64::NAN };
    let place = share * last as f64;
    let (low, part) = (place.floor() as usize, place.fract());
    let high = (low + 1).min(last);
    sorted[low] * (1.0 - part) + sorted[high] * part
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

    /// A scaler that another program fitted: `(x − mean) / spread` for every feature, such as the
    /// `mean_` and `scale_` of scikit-learn's `StandardScaler`.
    ///
    /// # Errors
    ///
    /// If mean and spread differ in length, a number is not finite, or a spread is not positive.
    pub fn from_moments(
        mean: &[f64],
        spread: &[f64],
        device: &B::Device,
        dtype: DType,
    ) -> Result<Self> {
        if mean.len() != spread.len() || mean.is_empty() {
            return Err(Error::shape("the spread", format!("[{}]", mean.len()), &[spread.len()]));
        }
        let refused = |name, value: f64, rule: &str| {
            Err(Error::Config { name, value: value.to_string(), rule: rule.to_owned() })
        };
        if let Some(value) = mean.iter().find(|value| !value.is_finite()) {
            return refused("mean", *value, "it must be finite");
        }
        let largest = transfer::largest(dtype);
        let bad = |value: &&f64| !(**value > 0.0 && value.is_finite() && 1.0 / **value <= largest);
        if let Some(value) = spread.iter().find(bad) {
            return refused("spread", *value, "it must be positive and finite");
        }
        let factor: Vec<f64> = spread.iter().map(|spread| 1.0 / spread).collect();
        let features = mean.len();
        Ok(Self::new(
            transfer::upload(mean.to_vec(), [features], device, dtype),
            transfer::upload(factor, [features], device, dtype),
        ))
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
