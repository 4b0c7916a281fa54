//! Distances that are sums over features, `d(x, μ) = Σ_i d_i(x_i, μ_i)`.
//!
//! One file a distance; what one has to give is stated by [`Separable`], and
//! by [`Bregman`] for those whose differences are linear in x. A new one is a
//! file, a variant of [`Distance`], a line in [`Distance::separable`] and a name
//! in `NAMES`.

mod domain;
mod itakura_saito;
mod kullback_leibler;
mod logistic;
mod mahalanobis;
mod manhattan;
mod power;
mod ratio;
mod scorer;
mod squared_euclidean;

use core::fmt;
use core::str::FromStr;

use burn::tensor::{DType, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};

pub use domain::Domain;
pub(crate) use domain::{centroids_inside, inside};
pub(crate) use scorer::{Scorer, by_distance};

use itakura_saito::ItakuraSaito;
use kullback_leibler::KullbackLeibler;
use logistic::Logistic;
use mahalanobis::Mahalanobis;
use manhattan::Manhattan;
use power::Power;
use squared_euclidean::SquaredEuclidean;

/// How far a point is from a centroid: a sum over features.
///
/// | name | d_i(x, m) | mean of a cluster | values |
/// |---|---|---|---|
/// | `sqeuclidean` | (x − m)² | arithmetic mean | all |
/// | `manhattan` | \|x − m\| | median | all |
/// | `power=P` | \|x − m\|^P, 1 ≤ P ≤ 16 | where the derivative is 0 | all |
/// | `mahalanobis` | (x − m)² / variance of the feature | arithmetic mean | all |
/// | `kl` | x log(x/m) − x + m | arithmetic mean | at least 0 |
/// | `is` | x/m − log(x/m) − 1 | arithmetic mean | above 0 |
/// | `logistic` | x log(x/m) + (1−x) log((1−x)/(1−m)) | arithmetic mean | 0 to 1 |
///
/// All but `manhattan` and `power` are Bregman divergences: their differences
/// are linear in x, so a clustering by one of them *is* a linear layer and
/// min-pooling (Banerjee et al., *Clustering with Bregman Divergences*, JMLR
/// 2005).
///
/// ```
/// use neuralize::cluster::Distance;
///
/// let distance: Distance = "power=1.5".parse()?;
/// assert_eq!(distance, Distance::Power(1.5));
/// assert_eq!(distance.to_string(), "power=1.5");
/// # Ok::<(), neuralize::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Distance {
    /// Σ (x − m)²: k-means.
    #[default]
    SquaredEuclidean,
    /// Σ |x − m|: k-medians, which outliers do not move.
    Manhattan,
    /// Σ |x − m|^p with 1 ≤ p ≤ 16.
    Power(f64),
    /// Σ (x − m)² / variance: every feature in units of its own spread over the
    /// training data. A constant feature counts for nothing.
    Mahalanobis,
    /// Generalised Kullback-Leibler divergence, for counts and other amounts.
    KullbackLeibler,
    /// Itakura-Saito divergence, for spectra: only ratios count.
    ItakuraSaito,
    /// Logistic loss, for probabilities and for yes (1) and no (0).
    Logistic,
}

/// What a distance has to give.
///
/// `d_i(x, m)` is at least 0, and 0 for x = m.
pub trait Separable<B: Backend>: fmt::Debug + Send + Sync {
    /// `d_i(x_i, m_i)` of every row and feature, without the sum.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`, n at least 1
    /// - centroid: `[1, D]`, or one for every row, `[n, D]`
    /// - output: `[n, D]`
    fn values(&self, x: Tensor<B, 2>, centroid: Tensor<B, 2>) -> Tensor<B, 2>;

    /// The values that data may have, in this precision and with this many
    /// features.
    fn domain(&self, dtype: DType, features: usize) -> Domain;

    /// The number m that minimises Σ d_i(x, m) over the values of one feature
    /// in one cluster, at least one; their order may be changed.
    ///
    /// It works on the host and in f64: medians need an order and powers a
    /// search, which not every device has. For Bregman divergences it is the
    /// arithmetic mean, whatever the divergence.
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
/// Seen from any point z it is
/// `d(x, m) = d(x, z) − (x − z)·(φ'(m) − φ'(z)) + d(z, m)`, of which only a part
/// that is linear in x depends on m.
pub trait Bregman<B: Backend>: Separable<B> {
    /// `φ'(m) − φ'(z)`, without the digits that a difference of two large
    /// numbers would lose.
    ///
    /// # Shapes
    ///
    /// - centroids m: `[K, D]`, all inside [`interior`](Self::interior)
    /// - center z: `[1, D]`, likewise
    /// - output: `[K, D]`
    fn slopes(&self, centroids: Tensor<B, 2>, center: Tensor<B, 2>) -> Tensor<B, 2>;

    /// The values that a centroid may have: those whose φ' is finite.
    fn interior(&self, dtype: DType, features: usize) -> Domain {
        self.domain(dtype, features)
    }

    /// The weight α by which the mean of a cluster is drawn to the mean of all
    /// data, if none is given. Above 0 for divergences by which a mean on the
    /// edge would be infinitely far from everything else.
    fn smoothing(&self) -> f64 {
        0.0
    }

    /// Whether moving data and centroids together changes nothing.
    fn moves_freely(&self) -> bool {
        false
    }
}

impl Distance {
    /// The distance as functions of tensors.
    ///
    /// # Shapes
    ///
    /// - weights: `[D]`, of the features; only [`Mahalanobis`](Self::Mahalanobis)
    ///   looks at them
    pub fn separable<B: Backend>(self, weights: &Tensor<B, 1>) -> Box<dyn Separable<B>> {
        match self {
            Self::SquaredEuclidean => Box::new(SquaredEuclidean),
            Self::Manhattan => Box::new(Manhattan),
            Self::Power(power) => Box::new(Power(power)),
            Self::Mahalanobis => Box::new(Mahalanobis::new(weights.clone())),
            Self::KullbackLeibler => Box::new(KullbackLeibler),
            Self::ItakuraSaito => Box::new(ItakuraSaito),
            Self::Logistic => Box::new(Logistic),
        }
    }

    /// Whether a distance stays what it is when point and centroid are moved
    /// alike.
    pub fn is_translation_invariant(self) -> bool {
        self.degree().is_some()
    }

    /// The p by which a distance that is translation invariant grows with the
    /// data, `d(a x, a m) = |a|^p d(x, m)`.
    pub(crate) fn degree(self) -> Option<f64> {
        match self {
            Self::SquaredEuclidean | Self::Mahalanobis => Some(2.0),
            Self::Manhattan => Some(1.0),
            Self::Power(power) => Some(power),
            Self::KullbackLeibler | Self::ItakuraSaito | Self::Logistic => None,
        }
    }

    /// The same, but for what single precision makes of a power.
    pub(crate) fn is_nearly(self, other: &Self) -> bool {
        match (self, *other) {
            (Self::Power(a), Self::Power(b)) => a as f32 == b as f32,
            (a, b) => a == b,
        }
    }

    /// Whether differences of the distance are linear in x.
    pub fn is_bregman(self) -> bool {
        !matches!(self, Self::Manhattan | Self::Power(_))
    }

    /// Refuses powers that are no distance, or beyond computing with.
    pub(crate) fn check(self) -> Result<()> {
        match self {
            Self::Power(power) if !(1.0..=16.0).contains(&power) => Err(Error::Config {
                name: "distance",
                value: self.to_string(),
                rule: "the power must be a number from 1 to 16".into(),
            }),
            _ => Ok(()),
        }
    }

    /// As two numbers: records keep nothing else.
    pub(crate) fn encode(self) -> [f64; 2] {
        let code = NAMES.iter().position(|(_, distance)| distance.same_kind(self));
        let parameter = if let Self::Power(power) = self { power } else { 0.0 };
        [code.map_or(f64::NAN, |code| code as f64), parameter]
    }

    /// From two numbers in the given precision.
    pub(crate) fn decode([code, parameter]: [f64; 2], dtype: DType) -> Option<Self> {
        // In f32 a power of 1.1 is meant by the number nearest to it: the
        // shortest one that reads as the same f32.
        let power = match dtype {
            DType::F64 => parameter,
            _ => (parameter as f32).to_string().parse().ok()?,
        };
        let (_, (_, distance)) =
            NAMES.iter().enumerate().find(|(place, _)| *place as f64 == code)?;
        match distance {
            Self::Power(_) => Some(Self::Power(power)).filter(|found| found.check().is_ok()),
            other => (parameter == 0.0).then_some(*other),
        }
    }

    fn same_kind(self, other: Self) -> bool {
        core::mem::discriminant(&self) == core::mem::discriminant(&other)
    }
}

/// The name of every distance; its place is its code in records, so new ones
/// are appended.
const NAMES: [(&str, Distance); 7] = [
    ("sqeuclidean", Distance::SquaredEuclidean),
    ("manhattan", Distance::Manhattan),
    ("power", Distance::Power(1.0)),
    ("mahalanobis", Distance::Mahalanobis),
    ("kl", Distance::KullbackLeibler),
    ("is", Distance::ItakuraSaito),
    ("logistic", Distance::Logistic),
];

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = NAMES.iter().find(|(_, distance)| distance.same_kind(*self));
        f.write_str(name.map_or("", |(name, _)| name))?;
        match self {
            Self::Power(power) => write!(f, "={power}"),
            _ => Ok(()),
        }
    }
}

impl FromStr for Distance {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let unknown = || {
            Error::Config {
            name: "distance",
            value: text.to_owned(),
            rule: "it must be one of sqeuclidean, manhattan, power=P (1 to 16), mahalanobis, kl, is, logistic"
                .into(),
        }
        };
        if let Some(power) = text.strip_prefix("power=") {
            let distance = Self::Power(power.parse().map_err(|_| unknown())?);
            return distance.check().map(|()| distance);
        }
        let plain =
            |(name, distance): &&(&str, Self)| *name == text && !matches!(distance, Self::Power(_));
        NAMES.iter().find(plain).map(|(_, distance)| *distance).ok_or_else(unknown)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files of older versions hold these numbers.
    #[test]
    fn codes_stay_what_they_are() {
        for (code, distance) in [
            ([0.0, 0.0], Distance::SquaredEuclidean),
            ([1.0, 0.0], Distance::Manhattan),
            ([2.0, 2.5], Distance::Power(2.5)),
            ([3.0, 0.0], Distance::Mahalanobis),
            ([4.0, 0.0], Distance::KullbackLeibler),
            ([5.0, 0.0], Distance::ItakuraSaito),
            ([6.0, 0.0], Distance::Logistic),
        ] {
            assert_eq!(distance.encode(), code);
            assert_eq!(Distance::decode(code, DType::F32), Some(distance));
            assert_eq!(Distance::decode(code, DType::F64), Some(distance));
        }
        let single = f64::from(1.1f32);
        assert_eq!(Distance::decode([2.0, single], DType::F32), Some(Distance::Power(1.1)));
    }
}
