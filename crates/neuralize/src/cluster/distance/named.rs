//! The distances that users choose from, by name.

use core::fmt;
use core::str::FromStr;

use burn::tensor::{DType, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use super::itakura_saito::ItakuraSaito;
use super::kullback_leibler::KullbackLeibler;
use super::logistic::Logistic;
use super::mahalanobis::Mahalanobis;
use super::manhattan::Manhattan;
use super::power::Power;
use super::separable::Separable;
use super::squared_euclidean::SquaredEuclidean;
use crate::error::{Error, Result};

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
/// The list is closed: a record stores a distance as its number in this list,
/// so a program can only load distances that it knows. A new one is added to
/// this crate; `CONTRIBUTING.md` lists the places.
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
    /// Σ |x − m|: k-medians, which is robust to outliers.
    Manhattan,
    /// Σ |x − m|^p with 1 ≤ p ≤ 16.
    Power(f64),
    /// Σ (x − m)² / variance: every feature in units of its standard deviation
    /// in the training data. A constant feature does not count.
    Mahalanobis,
    /// Generalised Kullback-Leibler divergence, for counts and other amounts.
    KullbackLeibler,
    /// Itakura-Saito divergence, for spectra: only ratios count.
    ItakuraSaito,
    /// Logistic loss, for probabilities and for yes (1) and no (0).
    Logistic,
}

impl Distance {
    /// The formula of the distance.
    ///
    /// # Shapes
    ///
    /// - weights: `[D]`, of the features, for [`Mahalanobis`](Self::Mahalanobis)
    pub(crate) fn separable<B: Backend>(self, weights: &Tensor<B, 1>) -> Box<dyn Separable<B>> {
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

    /// Whether the distance of a point and a centroid stays the same when both
    /// are shifted alike.
    pub fn is_translation_invariant(self) -> bool {
        !matches!(self, Self::KullbackLeibler | Self::ItakuraSaito | Self::Logistic)
    }

    /// The p in `d(a x, a m) = |a|^p d(x, m)`; `None` if there is none.
    #[cfg(feature = "autodiff")]
    pub(crate) fn degree(self) -> Option<f64> {
        match self {
            Self::SquaredEuclidean | Self::Mahalanobis => Some(2.0),
            Self::Manhattan => Some(1.0),
            Self::Power(power) => Some(power),
            Self::KullbackLeibler | Self::ItakuraSaito | Self::Logistic => None,
        }
    }

    /// Whether two distances are the same up to the rounding of a power to f32.
    pub(crate) fn is_nearly(self, other: &Self) -> bool {
        match (self, *other) {
            (Self::Power(a), Self::Power(b)) => a as f32 == b as f32,
            (a, b) => a == b,
        }
    }

    /// Whether differences of the distance are linear in x.
    pub fn is_bregman(self) -> bool {
        match self {
            Self::Manhattan | Self::Power(_) => false,
            Self::SquaredEuclidean
            | Self::Mahalanobis
            | Self::KullbackLeibler
            | Self::ItakuraSaito
            | Self::Logistic => true,
        }
    }

    /// Checks the range of the power.
    pub(crate) fn check(self) -> Result<()> {
        match self {
            Self::Power(power) if !(1.0..=16.0).contains(&power) => {
                Err(Error::config("distance", self, "the power must be a number from 1 to 16"))
            }
            _ => Ok(()),
        }
    }

    /// The distance as two numbers, which is how a record stores it.
    pub(crate) fn encode(self) -> [f64; 2] {
        let code = NAMES.iter().position(|(_, distance)| distance.same_kind(self));
        let parameter = if let Self::Power(power) = self { power } else { 0.0 };
        [code.map_or(f64::NAN, |code| code as f64), parameter]
    }

    /// The distance that two numbers of the given precision stand for.
    pub(crate) fn decode([code, parameter]: [f64; 2], dtype: DType) -> Option<Self> {
        // In f32 a power of 1.1 is stored as the nearest f32, and read as the
        // shortest number that rounds to it.
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

/// The name of every distance. A record stores the place in this list, so new
/// ones are appended.
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
            let rule = "it must be one of sqeuclidean, manhattan, power=P (1 to 16), mahalanobis, kl, is, logistic";
            Error::config("distance", text, rule)
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
