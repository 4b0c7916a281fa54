//! The measures of an explanation.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A measure of how good an explanation is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
#[non_exhaustive]
pub enum Measure {
    /// Symmetric relevance gain of flipping to the competing centroid.
    GainCompetitor,
    /// The same to the mean of the data.
    GainMean,
    /// The same to a point of the competing cluster.
    GainSample,
    /// How much sooner points change their cluster when the most relevant
    /// features are flipped first than when the least relevant are (competing
    /// centroid).
    ChangeGain,
    /// |Σ R − f| / Σ |R|.
    Conservation,
    /// Maximum rate of change of the relevances.
    Continuity,
    /// The part of the logit's changes that sums of relevances do not explain, as sets of
    /// features are replaced.
    Infidelity,
    /// Change of the explanation when data and model are shifted.
    Shift,
    /// Change of the explanation when data and model are scaled.
    Scale,
    /// Rank correlation with the explanation of a model that has learnt nothing.
    Randomisation,
    /// Seconds per 1 000 points.
    Seconds,
}

/// Which values of a measure are better.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// Larger values.
    Higher,
    /// Smaller values.
    Lower,
}

impl Measure {
    /// All measures, in the order of tables.
    pub const ALL: [Self; 11] = [
        Self::GainCompetitor,
        Self::GainMean,
        Self::GainSample,
        Self::ChangeGain,
        Self::Conservation,
        Self::Continuity,
        Self::Infidelity,
        Self::Shift,
        Self::Scale,
        Self::Randomisation,
        Self::Seconds,
    ];

    /// The name in files.
    pub fn name(self) -> &'static str {
        match self {
            Self::GainCompetitor => "gain-competitor",
            Self::GainMean => "gain-mean",
            Self::GainSample => "gain-sample",
            Self::ChangeGain => "change-gain",
            Self::Conservation => "conservation",
            Self::Continuity => "continuity",
            Self::Infidelity => "infidelity",
            Self::Shift => "shift",
            Self::Scale => "scale",
            Self::Randomisation => "randomisation",
            Self::Seconds => "seconds",
        }
    }

    /// The head of a column.
    pub fn title(self) -> &'static str {
        match self {
            Self::GainCompetitor => "gain, competitor",
            Self::GainMean => "gain, mean",
            Self::GainSample => "gain, sample",
            Self::ChangeGain => "change gain",
            Self::Conservation => "conservation error",
            Self::Continuity => "continuity",
            Self::Infidelity => "infidelity",
            Self::Shift => "shift",
            Self::Scale => "scale",
            Self::Randomisation => "randomised",
            Self::Seconds => "s / 1 000 points",
        }
    }

    /// Which values are better.
    pub fn better(self) -> Better {
        match self {
            Self::GainCompetitor | Self::GainMean | Self::GainSample | Self::ChangeGain => {
                Better::Higher
            }
            _ => Better::Lower,
        }
    }

    /// What the measure means, for a reader who meets it for the first time.
    pub fn description(self) -> &'static str {
        match self {
            Self::GainCompetitor => {
                "The values of the competing centroid replace the features, the most relevant first, and the logit is followed; then the least relevant first. The gain is the area between the two curves, in parts of the logit: 0 for an order without meaning, larger is better."
            }
            Self::GainMean => {
                "The same with the mean of the data as replacement, which favours no cluster."
            }
            Self::GainSample => {
                "The same with a real point of the competing cluster as replacement, drawn at random."
            }
            Self::ChangeGain => {
                "The mean difference, over the whole curve, in the share of points that change their cluster when the most and when the least relevant features are replaced first (by the competing centroid): larger is better."
            }
            Self::Conservation => {
                "The difference between the sum of the relevances of a point and its logit, relative to the sum of their absolute values (mean over points; the part that a method gives to no feature counts as one more): 0 is exact. A method that does not promise conservation is not wrong, but its relevances are not parts of the logit."
            }
            Self::Continuity => {
                "The maximum rate of change of the relevances on 64 straight paths between points: the change of the explanation over the length of the step, in units of the mean explanation and of the spread of the data. Large values mean jumps: nearly equal points with different explanations."
            }
            Self::Infidelity => {
                "The values of the competing centroid replace random sets of features (at most 2 000 of the points); the change of the logit is compared with the sum of the relevances of the set, times the factor that fits a point best, of either sign. 0: the sums predict the changes exactly; 1: they predict nothing."
            }
            Self::Shift => {
                "The change of the explanation of at most 200 of the points when data and model are shifted together by three spreads of the data, which changes no decision: 0 is right, 2 is the maximum. Random numbers stay the same."
            }
            Self::Scale => "The same when data and model are multiplied by one number.",
            Self::Randomisation => {
                "The absolute rank correlation of the explanation with that of a model whose centroids are shuffled, so that it has learnt nothing (at most 200 of the points). Chance alone gives about 0.8 / √(features − 1); near 1, the explanation depends on the data and not on the model."
            }
            Self::Seconds => {
                "Run time for 1 000 points, in seconds; with few points it is mostly start-up time."
            }
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
