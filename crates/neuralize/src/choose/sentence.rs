//! What is recommended, in a sentence.

use crate::choose::candidate::{Candidate, MIN_STABILITY};
use crate::text::words as shown;

const UNCLEAR: &str = "no clear number of clusters: ";

/// A number that is recommended, and how it compares with the others that pass.
pub(in crate::choose) struct Found<'a> {
    pub(in crate::choose) best: &'a Candidate,
    pub(in crate::choose) is_only: bool,
    pub(in crate::choose) is_best_silhouette: bool,
    pub(in crate::choose) is_best_gain: bool,
    pub(in crate::choose) as_good: Option<usize>,
    pub(in crate::choose) is_last: bool,
}

/// `3 clusters: the only number that …; 4 is about as good`
pub(in crate::choose) fn found(found: &Found<'_>) -> String {
    let best = found.best;
    let (s, a, w) = (two(best.judged_silhouette), stability(best), two(best.without));
    let reason = if found.is_only {
        format!(
            "the only number that passes all checks: it is stable (ARI {a}), and its silhouette ({s}) beats data without clusters ({w})"
        )
    } else if found.is_best_silhouette {
        format!(
            "the best silhouette ({s}) of the numbers that pass all checks: it is stable (ARI {a}) and beats data without clusters ({w})"
        )
    } else if found.is_best_gain {
        format!(
            "of the numbers that pass all checks, its silhouette ({s}) is furthest above data without clusters ({w}), and it is stable (ARI {a})"
        )
    } else {
        format!(
            "the largest of the numbers that pass all checks and whose silhouettes ({s}) are about furthest above data \
             without clusters ({w}), and it is stable (ARI {a})"
        )
    };
    let as_good = found.as_good.map(|clusters| format!("; {clusters} is about as good"));
    let last = if found.is_last { "; it is the largest number tried, so try more" } else { "" };
    format!("{} clusters: {reason}{}{last}", best.clusters, as_good.unwrap_or_default())
}

/// A number with a larger gain whose clusters touch.
pub(in crate::choose) fn rival(rival: &Candidate, top: &Candidate) -> String {
    format!(
        "{UNCLEAR}{} passes all checks, but {} is further above data without clusters (gain {} against {}) and fails only \
         because the rows do not thin out between its clusters",
        top.clusters,
        rival.clusters,
        two(rival.gain),
        two(top.gain)
    )
}

/// Too few rows to try anything.
pub(in crate::choose) fn too_few(rows: usize, different: usize) -> String {
    let (rows, different) = (shown::count(rows), shown::count(different));
    format!("{UNCLEAR}{rows} rows ({different} different) are too few to tell")
}

/// Every number fails for its smallest cluster.
pub(in crate::choose) fn tiny(least: usize) -> String {
    format!("{UNCLEAR}every number tried splits off a group of fewer than {least} rows (outliers?)")
}

/// The most stable number is not stable. A number with tiny clusters, which is out of the question, may
/// be more stable.
pub(in crate::choose) fn unstable(best: &Candidate, is_tiny_more_stable: bool) -> String {
    let of = if is_tiny_more_stable { "of the numbers without tiny clusters, " } else { "" };
    format!(
        "{UNCLEAR}resampled rows give other clusters ({of}the most stable is {}, ARI {}; {MIN_STABILITY} is needed)",
        best.clusters,
        stability(best)
    )
}

/// The clusters are stable but touch.
pub(in crate::choose) fn touching(best: &Candidate) -> String {
    format!(
        "{UNCLEAR}{} clusters are stable (ARI {}), but the rows do not thin out between them",
        best.clusters,
        stability(best)
    )
}

/// Data without clusters have such a silhouette too.
pub(in crate::choose) fn by_chance(best: &Candidate) -> String {
    format!(
        "{UNCLEAR}{} clusters are stable (ARI {}), but data without clusters reach nearly the same silhouette ({} against {})",
        best.clusters,
        stability(best),
        two(best.without),
        two(best.judged_silhouette)
    )
}

/// What else has to be said: ` (judged without 2 rows far from all others)`, ` (judged on 1 000 of 5 000 rows)`.
pub(in crate::choose) fn remarks(lonely: usize, sampled: Option<usize>, rows: usize) -> String {
    let mut remarks = String::new();
    if lonely > 0 {
        let plural = if lonely == 1 { "" } else { "s" };
        remarks += &format!(" (judged without {lonely} row{plural} far from all others)");
    }
    if let Some(sampled) = sampled {
        remarks +=
            &format!(" (judged on {} of {} rows)", shown::count(sampled), shown::count(rows));
    }
    remarks
}

/// Two decimals, and a typographic minus.
fn two(value: f64) -> String {
    in_type(&format!("{value:.2}"))
}

fn stability(candidate: &Candidate) -> String {
    in_type(&candidate.stability_text())
}

fn in_type(text: &str) -> String {
    if text == "-0.00" { "0.00".to_owned() } else { text.replace('-', "−") }
}
