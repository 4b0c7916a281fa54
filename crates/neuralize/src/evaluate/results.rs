//! The results of an evaluation, and what they amount to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::baseline::Reference;
use crate::evaluate::{Agreement, Better, Measure};

/// The name of the method that draws random numbers. It never has the best value, because
/// numbers that ignore the data score well by many measures.
pub(super) const RANDOM: &str = "random";

/// Methods by measures, for one model and one table of data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evaluation {
    /// Explained points.
    pub points: usize,
    /// Rows of the background data.
    pub data: usize,
    /// Features, D.
    pub features: usize,
    /// Clusters, K.
    pub clusters: usize,
    /// The seed of the random numbers.
    pub seed: u64,
    /// The result of every method, in the order given.
    pub methods: Vec<MethodResult>,
    /// Curves of random orders, one band for every reference.
    pub bands: Vec<Band>,
    /// Agreement of the methods that were not refused.
    pub agreement: Agreement,
}

impl Evaluation {
    /// The measures that at least one method has, in the order of tables.
    pub fn measures(&self) -> Vec<Measure> {
        let known = |measure: &Measure| {
            self.methods.iter().any(|method| method.values.contains_key(measure))
        };
        Measure::ALL.into_iter().filter(known).collect()
    }

    /// The references that at least one method has curves for.
    pub fn references(&self) -> Vec<Reference> {
        let known = |reference: &Reference| {
            let mut flips = self.methods.iter().flat_map(|method| &method.flips);
            flips.any(|flips| flips.reference == *reference)
        };
        Reference::ALL.into_iter().filter(known).collect()
    }

    /// Whether the value of a method is the best of a measure, to three digits.
    /// [`Random`](crate::baseline::Method::Random) is left out.
    ///
    /// If lower is better, absolute values are compared.
    pub fn is_best(&self, method: &MethodResult, measure: Measure) -> bool {
        let cost = |method: &MethodResult| {
            let value = *method.values.get(&measure)?;
            let competes = method.name != RANDOM && value.is_finite();
            competes.then_some(match measure.better() {
                Better::Higher => -value,
                Better::Lower => value.abs(),
            })
        };
        let Some(own) = cost(method) else { return false };
        let best = self.methods.iter().filter_map(cost).fold(f64::INFINITY, f64::min);
        // Errors below these are rounding.
        let rounding = match measure {
            Measure::Conservation | Measure::Shift | Measure::Scale => 1e-6,
            _ => 1e-9,
        };
        own - best <= (5e-4 * best.abs()).max(rounding)
    }

    /// Whether a gain is no more than random orders reach: at most two of their standard
    /// deviations above 0.
    pub fn is_chance(&self, method: &MethodResult, measure: Measure) -> bool {
        let reference = match measure {
            Measure::GainCompetitor => Reference::Competitor,
            Measure::GainMean => Reference::Mean,
            Measure::GainSample => Reference::Sample,
            _ => return false,
        };
        let band = self.bands.iter().find(|band| band.reference == reference);
        match (band, method.values.get(&measure)) {
            (Some(band), Some(gain)) => *gain <= 2.0 * band.gain_deviation,
            _ => false,
        }
    }
}

/// The result of one method.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MethodResult {
    /// The name of the method.
    pub name: String,
    /// What it does, in a phrase.
    #[serde(rename = "words")]
    pub description: String,
    /// Why it does not work for this model or these data; there are no values then.
    pub refused: Option<String>,
    /// The value of every measure that this model has.
    pub values: BTreeMap<Measure, f64>,
    /// A pair of curves for every reference.
    pub flips: Vec<Flips>,
}

/// Curves of the logit as features are replaced in the order of their relevance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Flips {
    /// What replaces the features.
    pub reference: Reference,
    /// Share of replaced features, from 0 to 1.
    pub share: Vec<f64>,
    /// The most relevant first.
    pub most: Curve,
    /// The least relevant first.
    pub least: Curve,
}

/// The logit and the clusters after every step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Curve {
    /// Mean logit of the explained cluster, in parts of its absolute value at the start.
    pub kept: Vec<f64>,
    /// Share of the points that are in another cluster.
    pub changed: Vec<f64>,
}

/// Curves of random orders of the features.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Band {
    /// What replaces the features.
    pub reference: Reference,
    /// Share of replaced features, from 0 to 1.
    pub share: Vec<f64>,
    /// Mean over the orders.
    pub mean: Curve,
    /// Standard deviation over the orders.
    pub deviation: Curve,
    /// Root mean square of the symmetric relevance gain over the orders.
    pub gain_deviation: f64,
}

impl Flips {
    /// Symmetric relevance gain: area under the curve of the least relevant
    /// first minus that of the most relevant first (Blücher et al. 2024).
    pub fn gain(&self) -> f64 {
        self.least.area() - self.most.area()
    }

    /// The same for the share of points that change their cluster, with the sign that
    /// makes larger values better.
    pub fn change_gain(&self) -> f64 {
        area(&self.most.changed) - area(&self.least.changed)
    }
}

impl Curve {
    /// Area under the mean logit, by trapezoids over shares from 0 to 1.
    pub fn area(&self) -> f64 {
        area(&self.kept)
    }
}

/// Mean height by trapezoids of equal width.
fn area(heights: &[f64]) -> f64 {
    let parts = heights.len().saturating_sub(1).max(1) as f64;
    heights.windows(2).map(|pair| 0.5 * (pair[0] + pair[1])).sum::<f64>() / parts
}
