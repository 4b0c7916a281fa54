//! The gap statistic.

/// How much smaller the inertia is than that of data without clusters.
///
/// Tibshirani, Walther and Hastie, "Estimating the number of clusters in a data set via the gap
/// statistic" (2001). Their rule, for comparison only: the smallest K with
/// Gap(K) ≥ Gap(K + 1) − s(K + 1).
///
/// ```
/// use neuralize::choose::indices::Gap;
///
/// let gap = Gap::of(1.0, &[2.0, 4.0]).expect("finite logarithms");
/// assert_eq!((gap.gap, gap.error), (2.0, 1.5_f64.sqrt()));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Gap {
    /// The mean of ln W of the references, minus ln W of the data.
    pub gap: f64,
    /// s = sd √(1 + 1/B) over B references, sd with divisor B.
    pub error: f64,
}

impl Gap {
    /// Of ln W of the data and of every reference, W the inertia. `None` without references and if
    /// some W is 0.
    pub fn of(log_w: f64, references: &[f64]) -> Option<Self> {
        if references.is_empty() || !references.iter().chain([&log_w]).all(|log| log.is_finite()) {
            return None;
        }
        let count = references.len() as f64;
        let mean = references.iter().sum::<f64>() / count;
        let variance = references.iter().map(|log| (log - mean).powi(2)).sum::<f64>() / count;
        Some(Self { gap: mean - log_w, error: (variance * (1.0 + 1.0 / count)).sqrt() })
    }
}
