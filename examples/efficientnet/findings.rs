//! The findings: where relevance went, and whether it selects the right patches.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use burn_lrp::Report;

/// Layers that are listed, those that absorb most.
const LISTED: usize = 6;

/// Relevance of the pixels of a crop, row by row, and the relevance that layers absorbed.
pub struct Map {
    pub relevance: Vec<f64>,
    pub absorbed: f64,
}

/// Sums over all explained crops, in parts of the logit.
#[derive(Default)]
pub struct Findings {
    /// How relevance went.
    way: &'static str,
    crops: usize,
    /// The maximum that is neither in pixels nor absorbed.
    missing: f64,
    /// The maximum of Σ|R| / |ΣR| over the pixels.
    cancelled: f64,
    reached: f64,
    /// The part that every layer absorbed.
    absorbed: BTreeMap<String, f64>,
    /// The logit under every mask.
    left: [f64; 3],
    pub recording: Duration,
    pub passing: Duration,
}

impl Map {
    pub fn sum(&self) -> f64 {
        self.relevance.iter().sum()
    }

    fn size(&self) -> f64 {
        self.relevance.iter().map(|relevance| relevance.abs()).sum()
    }
}

impl Findings {
    pub fn new(way: &'static str) -> Self {
        Self { way, ..Self::default() }
    }

    /// Whether 99.9 % of the logits reaches the pixels.
    pub fn loses_nothing(&self) -> bool {
        (self.reached / self.crops as f64 - 1.0).abs() < 1e-3
    }

    /// Counts a crop, and its logit under every mask.
    pub fn add(&mut self, logit: f64, map: &Map, left: &[f64]) {
        let (sum, size) = (map.sum(), map.size());
        let missing = (sum + map.absorbed - logit).abs() / logit.abs().max(size);
        self.missing = self.missing.max(missing);
        self.cancelled = self.cancelled.max(size / sum.abs());
        self.reached += sum / logit;
        for (sum, left) in self.left.iter_mut().zip(left) {
            *sum += left / logit;
        }
        self.crops += 1;
    }

    /// Whether pixels and absorbed parts sum to every logit, up to rounding.
    pub fn is_conserved(&self) -> bool {
        self.missing < 1e-4
    }

    /// Counts the relevance that layers absorbed.
    pub fn absorb(&mut self, report: &Report) {
        // The relevance of the last layer's output is the logit.
        let Some(logits) = report.layers().last().map(|layer| &layer.output) else { return };
        for layer in report.layers() {
            let both = layer.bias.iter().zip(&layer.rest).map(|(bias, rest)| bias + rest);
            let share: f64 = both.zip(logits).map(|(absorbed, logit)| absorbed / logit).sum();
            *self.absorbed.entry(layer.path.clone()).or_default() += share;
        }
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |sum: f64| 100.0 * sum / self.crops as f64;
        writeln!(f, "by {}:", self.way)?;
        writeln!(
            f,
            "pixels and absorbed relevance sum to the logit up to {:.1e} of it",
            self.missing
        )?;
        writeln!(
            f,
            "{:.1} % of the logit reaches the pixels, where Σ|R| is at most {:.2} ΣR",
            percent(self.reached),
            self.cancelled
        )?;
        if !self.absorbed.is_empty() {
            writeln!(f, "the layers that absorb most of it:")?;
        }
        let mut layers: Vec<(&String, &f64)> = self.absorbed.iter().collect();
        layers.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        for (path, sum) in layers.iter().take(LISTED) {
            writeln!(f, "  {path:36} {:6.1} %", percent(**sum))?;
        }
        let [most, evenly, least] = self.left.map(percent);
        writeln!(f, "the logit with a fifth of the patches in grey:")?;
        writeln!(f, "  {most:.0} % without the most relevant patches")?;
        writeln!(f, "  {evenly:.0} % without every fifth patch by relevance")?;
        writeln!(f, "  {least:.0} % without the least relevant patches")?;
        write!(
            f,
            "{} crops explained in {:.1} s, with the run of the network",
            self.crops,
            (self.recording + self.passing).as_secs_f64()
        )
    }
}
