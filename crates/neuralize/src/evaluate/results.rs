use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::baseline::Reference;
use crate::evaluate::{Agreement, Measure};

/// Methods by measures, for one model and one table of data.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Evaluation {
    /// Points that were explained.
    pub points: usize,
    /// Rows of the data that references and spreads come from.
    pub data: usize,
    /// Features, D.
    pub features: usize,
    /// Clusters, K.
    pub clusters: usize,
    /// What random numbers were drawn from.
    pub seed: u64,
    /// What every method came to, in the order asked for.
    pub methods: Vec<MethodResult>,
    /// What orders without meaning come to, one band a reference.
    pub bands: Vec<Band>,
    /// How far methods agree; they are those that have [`flips`](MethodResult::flips).
    pub agreement: Agreement,
}

/// What a method came to.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct MethodResult {
    /// The method.
    pub name: String,
    /// What it does, in a sentence.
    pub words: String,
    /// Why it is not for this model or these data; nothing else is known then.
    pub refused: Option<String>,
    /// Its measures; one that cannot be taken of this model is missing.
    pub values: BTreeMap<Measure, f64>,
    /// Its curves, one pair a reference.
    pub flips: Vec<Flips>,
}

/// What happens as features are replaced in the order of their relevance.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Flips {
    /// By what they are replaced.
    pub reference: Reference,
    /// Share of the features that are replaced, from 0 to 1.
    pub share: Vec<f64>,
    /// The most relevant first.
    pub most: Curve,
    /// The least relevant first.
    pub least: Curve,
}

/// What is left after every step.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Curve {
    /// Mean logit of the explained cluster, in parts of its size at the start.
    pub kept: Vec<f64>,
    /// Share of the points that are in another cluster.
    pub changed: Vec<f64>,
}

/// Curves of features in orders drawn at random.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct Band {
    /// By what features are replaced.
    pub reference: Reference,
    /// Share of the features that are replaced.
    pub share: Vec<f64>,
    /// Mean over the orders.
    pub mean: Curve,
    /// Standard deviation over the orders.
    pub deviation: Curve,
    /// Standard deviation of the symmetric relevance gain over the orders, from 0.
    pub gain_deviation: f64,
}

impl Flips {
    /// Symmetric relevance gain: area under the curve of the least relevant
    /// first minus that of the most relevant first (Blücher et al. 2024).
    pub fn gain(&self) -> f64 {
        self.least.area() - self.most.area()
    }

    /// The same of the share of points that change their cluster, so signed
    /// that larger is better.
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
