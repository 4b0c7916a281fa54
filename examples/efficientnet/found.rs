//! What was found on the way: where relevance went, and whether it says anything.

use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

use burn_lrp::Report;

/// Layers that are named of those that absorb most.
const NAMED: usize = 6;

/// Relevance of the pixels of a crop, row by row, and what did not come that far.
pub struct Map {
    pub relevance: Vec<f64>,
    pub absorbed: f64,
}

/// Sums over all crops that were explained; shares are those of the logit.
#[derive(Default)]
pub struct Found {
    crops: usize,
    /// The largest share that is neither in pixels nor absorbed.
    missing: f64,
    /// Σ|R| of the pixels over |ΣR|, the largest.
    cancelled: f64,
    reached: f64,
    /// What every layer absorbed.
    absorbed: BTreeMap<String, f64>,
    /// What is left under every mask.
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

impl Found {
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

    /// Whether every logit is in pixels and in what layers absorb, but for rounding.
    pub fn is_conserved(&self) -> bool {
        self.missing < 1e-4
    }

    /// Counts what layers absorbed.
    pub fn absorb(&mut self, report: &Report) {
        // The last layer was handed the logit.
        let Some(logits) = report.layers().last().map(|layer| &layer.output) else { return };
        for layer in report.layers() {
            let both = layer.bias.iter().zip(&layer.rest).map(|(bias, rest)| bias + rest);
            let share: f64 = both.zip(logits).map(|(absorbed, logit)| absorbed / logit).sum();
            *self.absorbed.entry(layer.path.clone()).or_default() += share;
        }
    }
}

impl fmt::Display for Found {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let percent = |sum: f64| 100.0 * sum / self.crops as f64;
        writeln!(
            f,
            "pixels and what layers absorb make up the logit but for {:.1e} of it",
            self.missing
        )?;
        writeln!(
            f,
            "{:.1} % of the logit reaches the pixels, where Σ|R| is at most {:.2} ΣR",
            percent(self.reached),
            self.cancelled
        )?;
        writeln!(f, "what layers absorb of it, those that absorb most:")?;
        let mut layers: Vec<(&String, &f64)> = self.absorbed.iter().collect();
        layers.sort_by(|a, b| b.1.abs().total_cmp(&a.1.abs()));
        for (path, sum) in layers.iter().take(NAMED) {
            writeln!(f, "  {path:36} {:6.1} %", percent(**sum))?;
        }
        let [most, evenly, least] = self.left.map(percent);
        writeln!(f, "what is left of it with a fifth of the patches in grey:")?;
        writeln!(f, "  {most:.0} % without the most relevant patches")?;
        writeln!(f, "  {evenly:.0} % without every fifth in their order")?;
        writeln!(f, "  {least:.0} % without the least relevant")?;
        write!(
            f,
            "{} crops recorded in {:.1} s, explained in {:.1} s",
            self.crops,
            self.recording.as_secs_f64(),
            self.passing.as_secs_f64()
        )
    }
}
