//! Which part of a set of cases a figure shows, and how its caption names this part.

use crate::cases::Cases;
use crate::error::{Error, Result};
use crate::explain::by_strength;
use crate::text::words::number;

pub(super) fn check_not_empty(cases: &Cases) -> Result<()> {
    if cases.is_empty() { Err(Error::Empty { what: "the set of cases" }) } else { Ok(()) }
}

pub(super) fn check_case(cases: &Cases, case: usize) -> Result<()> {
    if case < cases.len() {
        Ok(())
    } else {
        Err(Error::Config {
            name: "case",
            value: case.to_string(),
            rule: format!("the set has {} cases, counted from 0", cases.len()),
        })
    }
}

/// The number of points in a figure.
pub(super) fn counted(cases: &Cases) -> String {
    if cases.total > cases.len() {
        format!("{} of {} points", cases.len(), cases.total)
    } else {
        format!("{} points", cases.len())
    }
}

/// One point: its row, cluster, probability, class and logit.
pub(super) fn heading(cases: &Cases, case: usize) -> String {
    let of_class = cases
        .classes
        .as_ref()
        .map_or_else(String::new, |classes| format!(", class {}", classes.names[classes.of[case]]));
    format!(
        "point {}: {}, probability {:.2}{of_class}, logit {}",
        cases.case_title(case),
        cases.cluster_title(cases.cluster[case]),
        cases.probability[case],
        number(cases.logit[case]),
    )
}

/// The strongest features in the order of the data, and a note on the others.
pub(super) struct StrongestFeatures {
    pub(super) features: Vec<usize>,
    pub(super) note: Option<String>,
}

impl StrongestFeatures {
    /// Maximum number of features in a figure.
    const MAX: usize = 30;

    /// Those of the largest absolute weights.
    pub(super) fn by(weights: &[f64]) -> Self {
        let mut features = by_strength(weights);
        let left_out = features.len() > Self::MAX;
        features.truncate(Self::MAX);
        features.sort_unstable();
        let note = || format!("the {} strongest of {} features", Self::MAX, weights.len());
        Self { features, note: left_out.then(note) }
    }

    /// Those of the largest mean |R| over the cases.
    pub(super) fn of(cases: &Cases) -> Self {
        let mut sums = vec![0.0; cases.n_features()];
        for row in cases.relevance.chunks_exact(cases.n_features()) {
            for (sum, relevance) in sums.iter_mut().zip(row) {
                *sum += relevance.abs();
            }
        }
        let points = cases.len().max(1) as f64;
        Self::by(&sums.iter().map(|sum| sum / points).collect::<Vec<f64>>())
    }
}
