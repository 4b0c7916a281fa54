//! Distances that are sums over features, `d(x, μ) = Σ_i d_i(x_i, μ_i)`.
//!
//! One file a distance; what one has to give is stated by [`Separable`], and
//! by [`Bregman`] for those whose differences are linear in x.

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
        match self {
            Self::SquaredEuclidean | Self::Manhattan | Self::Power(_) | Self::Mahalanobis => true,
            Self::KullbackLeibler | Self::ItakuraSaito | Self::Logistic => false,
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
        match self {
            Self::SquaredEuclidean => [0.0, 0.0],
            Self::Manhattan => [1.0, 0.0],
            Self::Power(power) => [2.0, power],
            Self::Mahalanobis => [3.0, 0.0],
            Self::KullbackLeibler => [4.0, 0.0],
            Self::ItakuraSaito => [5.0, 0.0],
            Self::Logistic => [6.0, 0.0],
        }
    }

    /// From two numbers in the given precision.
    pub(crate) fn decode([code, parameter]: [f64; 2], dtype: DType) -> Option<Self> {
        // In f32 a power of 1.1 is meant by the number nearest to it: the
        // shortest one that reads as the same f32.
        let power = match dtype {
            DType::F64 => parameter,
            _ => (parameter as f32).to_string().parse().ok()?,
        };
        let all = [
            Self::SquaredEuclidean,
            Self::Manhattan,
            Self::Power(power),
            Self::Mahalanobis,
            Self::KullbackLeibler,
            Self::ItakuraSaito,
            Self::Logistic,
        ];
        let found =
            all.into_iter().find(|distance| distance.encode() == [code, distance.encode()[1]])?;
        let fits = matches!(found, Self::Power(_)) || parameter == 0.0;
        (fits && found.check().is_ok()).then_some(found)
    }
}

impl fmt::Display for Distance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::SquaredEuclidean => f.write_str("sqeuclidean"),
            Self::Manhattan => f.write_str("manhattan"),
            Self::Power(power) => write!(f, "power={power}"),
            Self::Mahalanobis => f.write_str("mahalanobis"),
            Self::KullbackLeibler => f.write_str("kl"),
            Self::ItakuraSaito => f.write_str("is"),
            Self::Logistic => f.write_str("logistic"),
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
        let distance = match text {
            "sqeuclidean" => Self::SquaredEuclidean,
            "manhattan" => Self::Manhattan,
            "mahalanobis" => Self::Mahalanobis,
            "kl" => Self::KullbackLeibler,
            "is" => Self::ItakuraSaito,
            "logistic" => Self::Logistic,
            _ => {
                let power = text.strip_prefix("power=").ok_or_else(unknown)?;
                Self::Power(power.parse().map_err(|_| unknown())?)
            }
        };
        distance.check().map(|()| distance)
    }
}
