//! The question that an explanation answers.

use burn::tensor::{Int, Tensor, backend::Backend};
use serde::{Deserialize, Serialize};

use crate::error::{Error, Result};
use crate::kernel;

/// The question asked about every point.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub enum Target {
    /// Why is the point in its cluster?
    Assigned,
    /// Why is the point in this cluster, or why not? For a point outside, the logit is negative and
    /// the relevances say what keeps the point in its own cluster. Only that competitor counts
    /// there, whatever β is, because the shares of β would divide by margins of either sign.
    Cluster(usize),
    /// Why this cluster rather than that one? β plays no part.
    Contrast {
        /// The cluster argued for.
        cluster: usize,
        /// The cluster compared with it.
        versus: usize,
    },
    /// Why the point's own cluster rather than this one? β plays no part. For the points of this
    /// cluster, logit and relevances are 0.
    AssignedVersus(usize),
}

/// How sharply competitors are told apart: the stiffness of the softmin, in inverse squared units
/// of the data.
///
/// At 0 all competitors count alike; for a large β only the nearest counts. A finite β keeps the
/// explanation continuous where the nearest competitor changes.
#[derive(Debug, Clone, Copy, PartialEq, Default, Serialize, Deserialize)]
pub enum Beta {
    /// 1 / mean logit of the training data, stored with the model.
    #[default]
    Heuristic,
    /// A number, at least 0; infinity takes the nearest competitor alone.
    Value(f64),
}

impl Target {
    /// Whether the model has the clusters that the question names.
    pub(crate) fn check(self, clusters: usize) -> Result<()> {
        let known = |cluster: usize| {
            if cluster < clusters {
                Ok(())
            } else {
                Err(Error::UnknownCluster { cluster, clusters })
            }
        };
        match self {
            Self::Assigned => Ok(()),
            Self::Cluster(cluster) | Self::AssignedVersus(cluster) => known(cluster),
            Self::Contrast { cluster, versus } => {
                known(cluster)?;
                known(versus)?;
                if cluster == versus { Err(Error::SameCluster { cluster }) } else { Ok(()) }
            }
        }
    }

    /// The question in the form that the kernels take.
    pub(crate) fn question(self, beta: f64) -> kernel::Question {
        let cluster = match self {
            Self::Assigned | Self::AssignedVersus(_) => None,
            Self::Cluster(cluster) | Self::Contrast { cluster, .. } => Some(cluster),
        };
        kernel::Question { cluster, versus: self.versus(), beta }
    }

    /// The β to use, given the network's heuristic one.
    pub(crate) fn beta(self, beta: Beta, heuristic: Option<f64>) -> Result<f64> {
        match beta {
            // A contrast has one competitor: any β gives the same answer.
            _ if self.versus().is_some() => Ok(f64::INFINITY),
            Beta::Heuristic => heuristic.ok_or(Error::NoHeuristicBeta),
            Beta::Value(value) if value >= 0.0 => Ok(value),
            Beta::Value(value) => Err(Error::config("beta", value, "it must be at least 0")),
        }
    }

    /// The explained cluster of every row, `[n, 1]`.
    pub(crate) fn explained<B: Backend>(self, scores: &Tensor<B, 2>) -> Tensor<B, 2, Int> {
        let assigned = scores.clone().argmax(1);
        match self {
            Self::Assigned | Self::AssignedVersus(_) => assigned,
            Self::Cluster(cluster) | Self::Contrast { cluster, .. } => {
                assigned.zeros_like() + cluster as i64
            }
        }
    }

    /// The one competitor of a contrast.
    pub(crate) fn versus(self) -> Option<usize> {
        match self {
            Self::Assigned | Self::Cluster(_) => None,
            Self::Contrast { versus, .. } | Self::AssignedVersus(versus) => Some(versus),
        }
    }
}
