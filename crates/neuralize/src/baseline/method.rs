//! The methods of explanation that come with the library.

use std::fmt;
use std::str::FromStr;

use burn::tensor::backend::Backend;
use serde::{Deserialize, Serialize};

#[cfg(feature = "surrogates")]
use crate::baseline::linear_surrogate;
use crate::baseline::{Attribute, Attribution, Query, Reference};
use crate::baseline::{
    boundary, controls, integrated_gradients, neon, occlusion, shapley, smoothgrad, tree_surrogate,
};
use crate::error::{Error, Result};
use crate::explain::Beta;

/// The methods that come with the library: NEON, and what it is compared with.
///
/// | name | relevance of feature i |
/// |---|---|
/// | `neon` | the network's own rule with the heuristic β: NEON, and for clusters of supports and mixtures the secant pass toward the competitor; `neon-hard` with the nearest competitor alone |
/// | `toward` | what made the logit on the way from the boundary, on the line to the competitor: what would have to change; not for clusters by other distances |
/// | `sensitivity` | squared slope of the logit, which has no sign |
/// | `gradient-times-input` | slope times value |
/// | `gradient-from-boundary` | slope times the difference from the boundary to the competing cluster |
/// | `integrated-gradients:REF` | mean slope on the straight path from the reference, times the difference |
/// | `smoothgrad` | mean slope at noisy copies of the row |
/// | `occlusion:REF` | loss of logit when the reference replaces the feature alone |
/// | `shapley:REF` | exact Shapley value if the reference replaces the features outside a coalition; up to 13 features |
/// | `shapley-sampling:REF` | the same over random permutations, with a standard error |
/// | `shapley-pair:REF` | closed form of the Shapley value for the nearest competitor alone; k-means |
/// | `linear-surrogate` | effect of the feature in a linear model fitted around the row, after LIME |
/// | `tree-surrogate` | effect of the feature's splits in a decision tree for the clusters |
/// | `own-distance` | closeness to the own centroid, `−(x_i − μ_ci)²`: the most common plot |
/// | `random` | a random number: every method should do better |
///
/// REF is `competitor`, `mean` or `zero`.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Method {
    /// The network's own rule ([`Network::explain`](crate::network::Network::explain)).
    Neon(Beta),
    /// The secant pass from the boundary on the line to the competitor, with the heuristic β
    /// ([`Root::Toward`](crate::explain::Root::Toward)).
    Toward,
    /// Squared slope (Simonyan et al. 2014).
    Sensitivity,
    /// Slope times value.
    GradientTimesInput,
    /// Slope times the difference from the boundary.
    GradientFromBoundary,
    /// Integrated gradients (Sundararajan et al. 2017).
    IntegratedGradients {
        /// The start of the path.
        from: Reference,
        /// Points on the path, in the middles of as many equal parts.
        steps: usize,
    },
    /// SmoothGrad (Smilkov et al. 2017).
    SmoothGrad {
        /// Noisy copies of a row.
        samples: usize,
        /// Standard deviation of the noise, in standard deviations of the features.
        noise: f64,
    },
    /// Occlusion of one feature at a time (Zeiler and Fergus 2014).
    Occlusion {
        /// What replaces the feature.
        to: Reference,
    },
    /// Exact Shapley values (Shapley 1953; Lundberg and Lee 2017).
    Shapley {
        /// What replaces the features outside a coalition.
        to: Reference,
    },
    /// Shapley values over random permutations (Castro et al. 2009).
    ShapleySampling {
        /// What replaces the features outside a coalition.
        to: Reference,
        /// Permutations, each walked in both directions.
        permutations: usize,
    },
    /// Shapley values of the contrast with the nearest competitor, in closed form.
    ShapleyPair {
        /// What replaces the features outside a coalition.
        to: Reference,
    },
    /// A linear model around the row, after LIME (Ribeiro et al. 2016).
    LinearSurrogate {
        /// Points that the model is fitted to.
        samples: usize,
    },
    /// A decision tree for the clusters, and the shares of clusters along a row's
    /// path through it (Saabas 2014).
    TreeSurrogate {
        /// The maximum number of splits on a path.
        depth: usize,
    },
    /// Closeness to the own centroid.
    OwnDistance,
    /// Random numbers.
    Random,
}

impl Method {
    /// The maximum number of features for exact Shapley values: with 2^D coalitions
    /// a row, 1 000 rows of 13 features and k-means take about two seconds on two
    /// cores.
    pub const MAX_EXACT_FEATURES: usize = shapley::MAX_EXACT_FEATURES;

    /// All methods with their usual settings, NEON first.
    pub fn all() -> Vec<Self> {
        NAMES.iter().filter_map(|name| name.parse().ok()).collect()
    }

    /// The methods that an evaluation compares by default: one or two of every kind.
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

    /// What the method does, in a phrase.
    pub fn description(self) -> &'static str {
        match self {
            Self::Neon(Beta::Heuristic) => {
                "the network's own pass, with all competitors weighted by nearness: NEON, or the secant pass for models of points and mixtures"
            }
            Self::Neon(_) => {
                "the network's own pass with another stiffness; an infinite one takes the nearest competitor alone"
            }
            Self::Toward => {
                "what made the logit on the way from the boundary, on the straight line to the competitor"
            }
            Self::Sensitivity => "squared slope of the logit; it has no sign and no meaningful sum",
            Self::GradientTimesInput => "slope times value; it depends on where zero lies",
            Self::GradientFromBoundary => {
                "slope times the difference from the boundary between the two clusters"
            }
            Self::IntegratedGradients { .. } => {
                "mean slope on the straight path from the reference, times the difference"
            }
            Self::SmoothGrad { .. } => "mean slope at noisy copies of the point",
            Self::Occlusion { .. } => "loss of logit when the reference replaces one feature",
            Self::Shapley { .. } => {
                "mean gain by adding the feature, over all orders of the features"
            }
            Self::ShapleySampling { .. } => {
                "mean gain by adding the feature, over random orders of the features"
            }
            Self::ShapleyPair { .. } => {
                "exact Shapley value against the nearest competitor, in closed form"
            }
            Self::LinearSurrogate { .. } => {
                "effect in a linear model fitted around the point (as LIME)"
            }
            Self::TreeSurrogate { .. } => {
                "effect of the splits in a decision tree for the clusters"
            }
            Self::OwnDistance => "closeness to the own centroid alone",
            Self::Random => "random numbers",
        }
    }
}

/// The methods in the order of `Method::all`.
const NAMES: [&str; 21] = [
    "neon",
    "neon-hard",
    "toward",
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
            Self::Toward => f.write_str("toward"),
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
            "toward" => Self::Toward,
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

    fn attribute(&self, query: &Query<'_, B>) -> Result<Attribution<B>> {
        // Some devices cannot compute with empty tensors.
        if query.is_empty() {
            return Ok(query.x.clone().into());
        }
        match *self {
            Self::Neon(beta) => neon::neon(query, beta),
            Self::Toward => neon::toward(query),
            Self::Sensitivity => Ok(query.slope().square().into()),
            Self::GradientTimesInput => Ok((query.slope() * query.x.clone()).into()),
            Self::GradientFromBoundary => Ok(boundary::gradient_from_boundary(query).into()),
            Self::IntegratedGradients { from, steps } => {
                integrated_gradients::integrated(query, from, steps)
            }
            Self::SmoothGrad { samples, noise } => smoothgrad::smooth(query, samples, noise),
            Self::Occlusion { to } => Ok(occlusion::one_by_one(query, to).into()),
            Self::Shapley { to } => shapley::exact(query, to),
            Self::ShapleySampling { to, permutations } => shapley::sampled(query, to, permutations),
            Self::ShapleyPair { to } => shapley::pair(query, to),
            #[cfg(feature = "surrogates")]
            Self::LinearSurrogate { samples } => linear_surrogate::linear(query, samples),
            #[cfg(not(feature = "surrogates"))]
            Self::LinearSurrogate { .. } => Err(tree_surrogate::missing("linear-surrogate")),
            Self::TreeSurrogate { depth } => tree_surrogate::surrogate(query, depth),
            Self::OwnDistance => Ok(controls::own_distance(query).into()),
            Self::Random => Ok(controls::random(query).into()),
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
