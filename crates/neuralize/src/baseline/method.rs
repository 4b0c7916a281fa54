use std::fmt;
use std::str::FromStr;

use burn::tensor::{Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::baseline::{Case, Reference, direct, noise, occlusion, path, shapley, surrogate, tree};
use crate::error::{Error, Result};
use crate::explain::Beta;

/// What a method says of some rows.
#[derive(Debug, Clone)]
pub struct Attribution<B: Backend> {
    /// What every feature contributed, `[N, D]`.
    pub relevance: Tensor<B, 2>,
    /// What the method gives to no feature, `[N, 1]`; none for most.
    pub absorbed: Option<Tensor<B, 2>>,
    /// The standard error of every relevance, `[N, D]`, for methods that
    /// estimate by sampling.
    pub error: Option<Tensor<B, 2>>,
}

impl<B: Backend> From<Tensor<B, 2>> for Attribution<B> {
    fn from(relevance: Tensor<B, 2>) -> Self {
        Self { relevance, absorbed: None, error: None }
    }
}

/// A method of explanation: relevances for the features of rows.
///
/// [`Method`] lists those that come with the library.
pub trait Attribute<B: Backend> {
    /// The name in tables and figures.
    fn name(&self) -> String;

    /// What every feature contributed to what is asked of every row.
    ///
    /// # Errors
    ///
    /// If the method is not for such a model or such data.
    fn attribute(&self, case: &Case<'_, B>) -> Result<Attribution<B>>;
}

/// The methods that come with the library: NEON, and what it is compared with.
///
/// | name | relevance of feature i |
/// |---|---|
/// | `neon` | NEON by the heuristic β; `neon-hard` by the nearest competitor alone |
/// | `sensitivity` | squared slope of the logit, which has no sign |
/// | `gradient-times-input` | slope times value |
/// | `gradient-from-boundary` | slope times the way from the boundary to the competing cluster |
/// | `integrated-gradients:REF` | mean slope on the way from the reference, times the way |
/// | `smoothgrad` | mean slope at noisy copies of the row |
/// | `occlusion:REF` | what the logit loses when the feature alone is set to the reference |
/// | `shapley:REF` | exact Shapley value where features outside of a coalition have the reference's values; up to 13 features |
/// | `shapley-sampling:REF` | the same over permutations drawn at random, with a standard error |
/// | `shapley-pair:REF` | closed form of the Shapley value for the nearest competitor alone; k-means |
/// | `linear-surrogate` | effect of the feature in a linear model fitted around the row, after LIME |
/// | `tree-surrogate` | what the splits of a decision tree for the clusters say on the row's way down |
/// | `own-distance` | closeness to the own centroid, `−(x_i − μ_ci)²`: what most people plot |
/// | `random` | a number drawn at random: what no method should fall below |
///
/// REF is `competitor`, `mean` or `zero`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Method {
    /// NEON.
    Neon(Beta),
    /// Squared slope (Simonyan et al. 2014).
    Sensitivity,
    /// Slope times value.
    GradientTimesInput,
    /// Slope times the way from the boundary.
    GradientFromBoundary,
    /// Integrated gradients (Sundararajan et al. 2017).
    IntegratedGradients {
        /// Where the way begins.
        from: Reference,
        /// Points on the way, in the middles of as many equal parts.
        steps: usize,
    },
    /// SmoothGrad (Smilkov et al. 2017).
    SmoothGrad {
        /// Noisy copies of a row.
        samples: usize,
        /// Standard deviation of the noise, in those of the features.
        noise: f64,
    },
    /// Occlusion of one feature at a time (Zeiler and Fergus 2014).
    Occlusion {
        /// What the feature is set to.
        to: Reference,
    },
    /// Exact Shapley values (Shapley 1953; Lundberg and Lee 2017).
    Shapley {
        /// What features outside of a coalition are set to.
        to: Reference,
    },
    /// Shapley values over permutations drawn at random (Castro et al. 2009).
    ShapleySampling {
        /// What features outside of a coalition are set to.
        to: Reference,
        /// Permutations, each walked in both directions.
        permutations: usize,
    },
    /// Shapley values of the contrast with the nearest competitor, in closed form.
    ShapleyPair {
        /// What features outside of a coalition are set to.
        to: Reference,
    },
    /// A linear model around the row, after LIME (Ribeiro et al. 2016).
    LinearSurrogate {
        /// Points that it is fitted to.
        samples: usize,
    },
    /// A decision tree for the clusters, and the shares of clusters along the
    /// way of a row through it (Saabas 2014).
    TreeSurrogate {
        /// Most splits on the way.
        depth: usize,
    },
    /// Closeness to the own centroid.
    OwnDistance,
    /// Random numbers.
    Random,
}

impl Method {
    /// Most features that exact Shapley values are computed for: 2^D coalitions
    /// a row, about two seconds for 1 000 rows of 13 features and k-means on two
    /// cores.
    pub const MOST_EXACT: usize = 13;

    /// All of them with their usual settings, NEON first.
    pub fn all() -> Vec<Self> {
        NAMES.iter().filter_map(|name| name.parse().ok()).collect()
    }

    /// Those that an evaluation compares if it is not told which: one or two of
    /// every kind.
    pub fn usual() -> Vec<Self> {
        const LEFT_OUT: [&str; 5] = [
            "integrated-gradients:zero",
            "shapley:competitor",
            "shapley:mean",
            "shapley-pair:mean",
            "shapley-sampling:mean",
        ];
        let names = NAMES.iter().filter(|name| !LEFT_OUT.contains(name));
        names.filter_map(|name| name.parse().ok()).collect()
    }

    /// What the method does, in a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Self::Neon(Beta::Heuristic) => {
                "NEON: relevance pass through the clustering as a network, all competitors by their nearness"
            }
            Self::Neon(_) => {
                "NEON with another stiffness: infinite takes the nearest competitor alone"
            }
            Self::Sensitivity => "squared slope of the logit; has no sign and sums to nothing",
            Self::GradientTimesInput => "slope times value; depends on where zero lies",
            Self::GradientFromBoundary => {
                "slope times the way from the boundary between the two clusters"
            }
            Self::IntegratedGradients { .. } => {
                "mean slope on a straight way from the reference, times the way"
            }
            Self::SmoothGrad { .. } => "mean slope at noisy copies of the point",
            Self::Occlusion { .. } => {
                "what the logit loses when one feature is set to the reference"
            }
            Self::Shapley { .. } => "mean of what the feature adds over all orders, exact",
            Self::ShapleySampling { .. } => {
                "mean of what the feature adds over some orders drawn at random"
            }
            Self::ShapleyPair { .. } => {
                "exact Shapley value against the nearest competitor, in closed form"
            }
            Self::LinearSurrogate { .. } => {
                "effect in a linear model fitted around the point (as LIME)"
            }
            Self::TreeSurrogate { .. } => "what the splits of a decision tree for the clusters say",
            Self::OwnDistance => "closeness to the own centroid alone",
            Self::Random => "random numbers",
        }
    }
}

/// What `Method::all` lists, in its order.
const NAMES: [&str; 20] = [
    "neon",
    "neon-hard",
    "gradient-from-boundary",
    "sensitivity",
    "gradient-times-input",
    "smoothgrad",
    "integrated-gradients:competitor",
    "integrated-gradients:mean",
    "integrated-gradients:zero",
    "occlusion:competitor",
    "occlusion:mean",
    "shapley:competitor",
    "shapley:mean",
    "shapley-sampling:competitor",
    "shapley-sampling:mean",
    "shapley-pair:mean",
    "linear-surrogate",
    "tree-surrogate",
    "own-distance",
    "random",
];

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Neon(Beta::Heuristic) => f.write_str("neon"),
            Self::Neon(Beta::Value(beta)) if *beta == f64::INFINITY => f.write_str("neon-hard"),
            Self::Neon(Beta::Value(beta)) => write!(f, "neon={beta}"),
            Self::Sensitivity => f.write_str("sensitivity"),
            Self::GradientTimesInput => f.write_str("gradient-times-input"),
            Self::GradientFromBoundary => f.write_str("gradient-from-boundary"),
            Self::IntegratedGradients { from, .. } => write!(f, "integrated-gradients:{from}"),
            Self::SmoothGrad { .. } => f.write_str("smoothgrad"),
            Self::Occlusion { to } => write!(f, "occlusion:{to}"),
            Self::Shapley { to } => write!(f, "shapley:{to}"),
            Self::ShapleySampling { to, .. } => write!(f, "shapley-sampling:{to}"),
            Self::ShapleyPair { to } => write!(f, "shapley-pair:{to}"),
            Self::LinearSurrogate { .. } => f.write_str("linear-surrogate"),
            Self::TreeSurrogate { .. } => f.write_str("tree-surrogate"),
            Self::OwnDistance => f.write_str("own-distance"),
            Self::Random => f.write_str("random"),
        }
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self> {
        let refused = |rule: String| Error::Config { name: "method", value: text.to_owned(), rule };
        let (name, reference) = match text.split_once(':') {
            Some((name, reference)) => {
                let known = reference.parse().ok().filter(|found| *found != Reference::Sample);
                let rule = || "after the colon comes `competitor`, `mean` or `zero`".to_owned();
                (name, Some(known.ok_or_else(|| refused(rule()))?))
            }
            None => (text, None),
        };
        let to = reference.unwrap_or(Reference::Competitor);
        let method = match name {
            "integrated-gradients" => Self::IntegratedGradients { from: to, steps: 32 },
            "occlusion" => Self::Occlusion { to },
            "shapley" => Self::Shapley { to },
            "shapley-sampling" => Self::ShapleySampling { to, permutations: 16 },
            "shapley-pair" => Self::ShapleyPair { to },
            _ if reference.is_some() => {
                return Err(refused(format!("`{name}` takes no reference")));
            }
            _ if name.is_empty() => {
                return Err(refused(format!(
                    "a name is empty; the methods are {}",
                    NAMES.join(", ")
                )));
            }
            "neon" => Self::Neon(Beta::Heuristic),
            "neon-hard" => Self::Neon(Beta::Value(f64::INFINITY)),
            "sensitivity" => Self::Sensitivity,
            "gradient-times-input" => Self::GradientTimesInput,
            "gradient-from-boundary" => Self::GradientFromBoundary,
            "smoothgrad" => Self::SmoothGrad { samples: 32, noise: 0.25 },
            "linear-surrogate" => Self::LinearSurrogate { samples: 256 },
            "tree-surrogate" => Self::TreeSurrogate { depth: 8 },
            "own-distance" => Self::OwnDistance,
            "random" => Self::Random,
            _ => return Err(refused(format!("the methods are {}", NAMES.join(", ")))),
        };
        Ok(method)
    }
}

impl<B: Backend> Attribute<B> for Method {
    fn name(&self) -> String {
        self.to_string()
    }

    fn attribute(&self, case: &Case<'_, B>) -> Result<Attribution<B>> {
        // Nothing is asked of no rows, and some devices cannot be asked it.
        if case.is_empty() {
            return Ok(case.x.clone().into());
        }
        match *self {
            Self::Neon(beta) => direct::neon(case, beta),
            Self::Sensitivity => Ok(case.slope().square().into()),
            Self::GradientTimesInput => Ok((case.slope() * case.x.clone()).into()),
            Self::GradientFromBoundary => Ok(direct::gradient_from_boundary(case).into()),
            Self::IntegratedGradients { from, steps } => path::integrated(case, from, steps),
            Self::SmoothGrad { samples, noise } => noise::smooth(case, samples, noise),
            Self::Occlusion { to } => Ok(occlusion::one_by_one(case, to).into()),
            Self::Shapley { to } => shapley::exact(case, to),
            Self::ShapleySampling { to, permutations } => shapley::sampled(case, to, permutations),
            Self::ShapleyPair { to } => shapley::pair(case, to),
            Self::LinearSurrogate { samples } => surrogate::linear(case, samples),
            Self::TreeSurrogate { depth } => tree::surrogate(case, depth),
            Self::OwnDistance => Ok(direct::own_distance(case).into()),
            Self::Random => Ok(direct::random(case).into()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back_to_methods() -> Result<()> {
        for name in NAMES {
            assert_eq!(name.parse::<Method>()?.to_string(), name);
        }
        assert_eq!(Method::all().len(), NAMES.len());
        assert!(
            "shapley:sample".parse::<Method>().is_err() && "neon:mean".parse::<Method>().is_err()
        );
        Ok(())
    }
}
