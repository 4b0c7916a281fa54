//! How far the explanations can be trusted, in figures and in words.

use burn::tensor::DType;
use serde::Serialize;

use crate::baseline::CheckReport;

/// How far the explanations can be trusted, in figures and in words.
#[derive(Debug, Clone, Serialize)]
pub(super) struct Trust {
    points: usize,
    precision: &'static str,
    conservation_max: f64,
    conservation_mean: f64,
    absorbed_mean: f64,
    shift: f64,
    shift_max: Option<f64>,
    autodiff_max: Option<f64>,
    ties: usize,
    gradient_times_input_mean: Option<f64>,
    words: Vec<String>,
}

impl Trust {
    /// What the figures mean.
    pub(super) fn words(&self) -> &[String] {
        &self.words
    }

    pub(super) fn of(check: &CheckReport, dtype: DType) -> Self {
        Self {
            points: check.points,
            precision: if dtype == DType::F64 { "f64" } else { "f32" },
            conservation_max: check.conservation_max,
            conservation_mean: check.conservation_mean,
            absorbed_mean: check.absorbed_mean,
            shift: check.shift,
            shift_max: check.shift_max,
            autodiff_max: check.autodiff_max,
            ties: check.ties,
            gradient_times_input_mean: check.gradient_times_input_mean,
            words: words(check, dtype),
        }
    }
}

/// The checks that failed, in the words of a page; none if all explanations can be trusted.
pub fn failed_checks(check: &CheckReport, dtype: DType) -> Vec<String> {
    let failed = statements(check, dtype).into_iter().filter(|statement| !statement.is_good);
    failed.map(|statement| statement.words).collect()
}

fn words(check: &CheckReport, dtype: DType) -> Vec<String> {
    statements(check, dtype).into_iter().map(|statement| statement.words).collect()
}

/// A sentence on a check, and whether the explanations passed it.
struct Statement {
    words: String,
    is_good: bool,
}

impl Statement {
    fn good(words: impl Into<String>) -> Self {
        Self { words: words.into(), is_good: true }
    }
}

fn statements(check: &CheckReport, dtype: DType) -> Vec<Statement> {
    // Rounding errors, with room for sums over some thousand features.
    let rounding = if dtype == DType::F64 { 1e-10 } else { 1e-3 };
    let verdict = |error: f64, good: &str, bad: &str| {
        let is_good = error <= rounding;
        let words = if is_good {
            format!("{good} ({}).", rounding_error(error))
        } else {
            format!("{bad} (error: {} of the total relevance of a point).", share(error))
        };
        Statement { words, is_good }
    };
    let mut found = vec![verdict(
        check.conservation_max,
        "The relevances of every point sum to its logit: nothing is missing and nothing is added",
        "Not all relevances sum to their logit; read them with care",
    )];
    if check.absorbed_mean > rounding {
        found.push(Statement::good(format!(
            "{} of the absolute relevance belongs to no feature, on average; the page shows it beside the features, under \
             names in parentheses.",
            share(check.absorbed_mean)
        )));
    }
    if let Some(autodiff_max) = check.autodiff_max {
        found.push(if check.ties < check.points {
            verdict(
                autodiff_max,
                "With the nearest competitor only (beta = infinity), the gradients of the network give the same explanations",
                "With the nearest competitor only (beta = infinity), the gradients of the network do not give the same \
                 explanations everywhere; read them with care",
            )
        } else {
            Statement::good("No explanation could be compared with the gradients of the network.")
        });
    }
    if let Some(shift_max) = check.shift_max {
        found.push(verdict(
            shift_max,
            "The relevances do not depend on where the zero of a feature lies",
            "The relevances change when data and centroids are shifted together: the data are too far from zero for this \
             precision",
        ));
    }
    if check.ties > 0 {
        let points = if check.ties == 1 { "point lies" } else { "points lie" };
        found.push(Statement::good(format!(
            "{} {points} on a boundary or at equal distance from two competitors, where gradients are undefined.",
            check.ties
        )));
    }
    found.push(Statement::good(
        "The relevances explain why the clustering put a point into its cluster, not whether that is right: another \
         scaling, another number of clusters or a copied feature leads to other explanations.",
    ));
    found
}

fn rounding_error(error: f64) -> String {
    if error == 0.0 { "exactly".into() } else { format!("up to rounding: {}", share(error)) }
}

/// A small share as readable text.
fn share(error: f64) -> String {
    if error < 1e-3 {
        format!("{error:.0e}").replace('-', "−")
    } else {
        format!("{:.1} %", 100.0 * error)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_follow_the_figures() {
        let found = CheckReport {
            points: 3,
            autodiff_max: Some(0.0),
            shift_max: Some(0.0),
            ..CheckReport::default()
        };
        let good = CheckReport { conservation_max: 4e-16, ties: 1, ..found };
        let said = words(&good, DType::F64);
        assert!(said[0].ends_with("(up to rounding: 4e−16)."), "{said:?}");
        assert!(said[1].contains("(exactly)"), "{said:?}");
        assert!(said[3].starts_with("1 point lies on a boundary"), "{said:?}");
        assert!(failed_checks(&good, DType::F64).is_empty());

        let tied = words(&CheckReport { ties: 3, ..found }, DType::F64);
        assert!(tied[1].starts_with("No explanation could be compared"), "{tied:?}");

        let bad = CheckReport { conservation_max: 0.42, autodiff_max: Some(f64::NAN), ..good };
        let said = words(&bad, DType::F64);
        assert!(said[0].starts_with("Not all relevances sum") && said[0].contains("42.0 %"));
        assert!(said[1].contains("do not give"), "{said:?}");
        assert_eq!(failed_checks(&bad, DType::F64), said[..2]);
        // Skipped checks are not mentioned, absorbed relevance is.
        let said =
            words(&CheckReport { absorbed_mean: 0.25, ..CheckReport::default() }, DType::F64);
        assert_eq!(said.len(), 3, "{said:?}");
        assert!(said[1].starts_with("25.0 % of the absolute relevance"), "{said:?}");
        // A rounding error in f32 is not one in f64.
        let single = CheckReport { conservation_max: 3e-7, ..found };
        assert!(words(&single, DType::F32)[0].starts_with("The relevances of every point sum"));
        assert!(words(&single, DType::F64)[0].starts_with("Not all"));
    }
}
