//! How much relevance every layer received, passed on and absorbed.

use std::fmt;

use burn::tensor::backend::Backend;

use crate::any::AnyTensor;
use crate::error::{Error, Result};
use crate::graph::plan::PlannedLayer;
use crate::kind::Kind;
use crate::layer::Redistribution;
use crate::rule::Rule;

/// How much relevance every layer received and passed on.
///
/// It prints itself as a table of means over the samples.
#[derive(Debug, Clone, PartialEq)]
pub struct Report {
    layers: Vec<LayerReport>,
}

/// The relevance that a layer received, passed on and absorbed, summed for every sample.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct LayerReport {
    /// Where the layer is in the network.
    pub path: String,
    /// The kind of layer.
    pub kind: Kind,
    /// The rule it followed.
    pub rule: Rule,
    /// The relevance of its output.
    pub output: Vec<f64>,
    /// The relevance of its inputs.
    pub inputs: Vec<f64>,
    /// What its bias absorbed.
    pub bias: Vec<f64>,
    /// The remainder: what the stabiliser absorbed, what had no input to go to, and rounding.
    pub rest: Vec<f64>,
}

impl LayerReport {
    pub(crate) fn of<B: Backend>(
        planned: &PlannedLayer,
        relevance: &AnyTensor<B>,
        found: &Redistribution<B>,
    ) -> Self {
        let sums =
            |t: &AnyTensor<B>| -> Vec<f64> { t.row_sums().into_data().iter::<f64>().collect() };
        let output = sums(relevance);
        let mut inputs = vec![0.0; output.len()];
        for part in &found.inputs {
            for (sum, value) in inputs.iter_mut().zip(sums(part)) {
                *sum += value;
            }
        }
        let bias: Vec<f64> = match &found.bias {
            Some(bias) => bias.clone().into_data().iter::<f64>().collect(),
            None => vec![0.0; output.len()],
        };
        let rest = output
            .iter()
            .zip(&inputs)
            .zip(&bias)
            .map(|((output, inputs), bias)| output - inputs - bias)
            .collect();
        Self {
            path: planned.path.clone(),
            kind: planned.kind,
            rule: planned.rule.clone(),
            output,
            inputs,
            bias,
            rest,
        }
    }
}

impl Report {
    pub(crate) fn new(layers: Vec<LayerReport>) -> Self {
        Self { layers }
    }

    /// The layers, in the order in which they ran.
    pub fn layers(&self) -> &[LayerReport] {
        &self.layers
    }

    /// Appends the samples of another pass through the same network.
    ///
    /// # Errors
    ///
    /// If the other pass had other layers or rules.
    pub fn append(&mut self, other: Self) -> Result<()> {
        let same = |(a, b): (&LayerReport, &LayerReport)| {
            a.path == b.path && a.kind == b.kind && a.rule == b.rule
        };
        if self.layers.len() != other.layers.len()
            || !self.layers.iter().zip(&other.layers).all(same)
        {
            let detail = "the two passes have different layers or rules";
            return Err(Error::layer("report", detail));
        }
        for (layer, more) in self.layers.iter_mut().zip(other.layers) {
            layer.output.extend(more.output);
            layer.inputs.extend(more.inputs);
            layer.bias.extend(more.bias);
            layer.rest.extend(more.rest);
        }
        Ok(())
    }

    /// What all biases and stabilisers absorbed, for every sample.
    pub fn absorbed(&self) -> Vec<f64> {
        let samples = self.layers.first().map_or(0, |layer| layer.output.len());
        (0..samples)
            .map(|at| self.layers.iter().map(|layer| layer.bias[at] + layer.rest[at]).sum())
            .collect()
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len().max(1) as f64;
        let path = self.layers.iter().map(|layer| layer.path.chars().count()).max();
        let path = path.unwrap_or(0).max("layer".len());
        let rule = self.layers.iter().map(|layer| layer.rule.to_string().len()).max();
        let rule = rule.unwrap_or(0).max("rule".len());
        writeln!(
            f,
            "{:path$}  {:rule$}  {:>11}  {:>11}  {:>11}  {:>11}",
            "layer", "rule", "output", "inputs", "bias", "rest"
        )?;
        for layer in &self.layers {
            writeln!(
                f,
                "{:path$}  {:rule$}  {:>11.4e}  {:>11.4e}  {:>11.4e}  {:>11.4e}",
                layer.path,
                layer.rule.to_string(),
                mean(&layer.output),
                mean(&layer.inputs),
                mean(&layer.bias),
                mean(&layer.rest),
            )?;
        }
        Ok(())
    }
}
