use std::fmt;

use serde::{Deserialize, Serialize};

/// What is asked of an explanation.
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
    /// How fast relevance changes at worst.
    Continuity,
    /// What sums of relevances leave unexplained when sets of features are
    /// replaced.
    Infidelity,
    /// Change of the explanation when data and model are shifted.
    Shift,
    /// Change of the explanation when data and model are scaled.
    Scale,
    /// Likeness to the explanation by a model that has learnt nothing.
    Randomisation,
    /// Seconds per 1 000 points.
    Seconds,
}

/// Which values of a measure are good.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Better {
    /// Large ones.
    Higher,
    /// Small ones.
    Lower,
}

impl Measure {
    /// All of them, in the order of tables.
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

    /// Which values are good.
    pub fn better(self) -> Better {
        match self {
            Self::GainCompetitor | Self::GainMean | Self::GainSample | Self::ChangeGain => {
                Better::Higher
            }
            _ => Better::Lower,
        }
    }

    /// What it means, for a reader who has not met it before.
    pub fn words(self) -> &'static str {
        match self {
            Self::GainCompetitor => {
                "Features are replaced by the values of the competing centroid, the most relevant first, and the logit is followed; then the least relevant first. The gain is the area between the two curves, in parts of the logit: 0 for an order without meaning, larger is better."
            }
            Self::GainMean => {
                "The same with the mean of the data as replacement, which favours no cluster."
            }
            Self::GainSample => {
                "The same with a real point of the competing cluster as replacement, drawn at random."
            }
            Self::ChangeGain => {
                "How much larger the share of points that change their cluster is when the most relevant features are replaced first (by the competing centroid), over the whole curve: larger is better."
            }
            Self::Conservation => {
                "How far the relevances of a point are from summing to its logit, relative to the sum of their sizes (mean; what a method gives to no feature counts as one more): 0 is exact. Methods that do not promise it are not wrong for it, but their numbers are no parts of the logit."
            }
            Self::Continuity => {
                "How fast relevances change at worst on 64 straight ways between points: the change of the explanation over the length of the step, in units of the mean explanation and of the spread of the data. Large values mean jumps: nearly equal points, different explanations."
            }
            Self::Infidelity => {
                "Random sets of features are replaced by the competing centroid, at most 2 000 of the points; the change of the logit is compared with the sum of the relevances of the set, times what fits a point best, of either sign. 0: the sums tell the changes exactly; 1: they tell nothing."
            }
            Self::Shift => {
                "How much the explanation of at most 200 of the points changes when data and model are shifted together by three spreads of the data, which changes no decision: 0 is right, 2 the most. Random numbers are the same again."
            }
            Self::Scale => "The same when data and model are multiplied by one number.",
            Self::Randomisation => {
                "Size of the rank correlation of the explanation with that of a model whose centroids are shuffled, so that it has learnt nothing (at most 200 of the points). Chance alone makes about 0.8 / √(features − 1); near 1, the method looks at the data and not at the model."
            }
            Self::Seconds => {
                "Run time for 1 000 points, in seconds; of few points it is mostly the time that a start takes."
            }
        }
    }
}

impl fmt::Display for Measure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}
