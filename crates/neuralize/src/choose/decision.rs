//! Which number is recommended.

use std::cmp::Reverse;

use crate::choose::candidate::{Candidate, Check};
use crate::choose::sentence::{self, Found};

/// Of the numbers whose gain is so near to the best, the largest is taken.
const NEARLY_BEST: f64 = 0.02;

/// Another number whose gain is so near is about as good.
const ABOUT_AS_GOOD: f64 = 0.05;

/// The number to recommend, and why. `least` is the number of rows that a cluster needs, and `last`
/// the number above which more are worth trying.
///
/// Of the numbers that pass all checks and have nearly the largest gain, the largest; none if one
/// that fails only for want of a valley has a clearly larger gain: a coarse cut is not recommended
/// where finer clusters fit better but touch.
pub(in crate::choose) fn decide(
    candidates: &[Candidate],
    least: usize,
    last: Option<usize>,
) -> (Option<usize>, String) {
    let passing: Vec<&Candidate> = candidates.iter().filter(|c| c.passes()).collect();
    let Some(top) = first_largest(passing.iter().copied(), |c| c.gain) else {
        return (None, unclear(candidates, least));
    };
    if let Some(rival) = rival(candidates, top.gain) {
        return (None, sentence::rival(rival, top));
    }
    let near = passing.iter().filter(|c| c.gain >= top.gain - NEARLY_BEST);
    let best = near.copied().max_by_key(|c| c.clusters).unwrap_or(top);
    let others = passing.iter().copied().filter(|c| c.clusters != best.clusters);
    let good = others.filter(|c| c.gain >= best.gain - ABOUT_AS_GOOD);
    let found = Found {
        best,
        is_only: passing.len() == 1,
        is_best_silhouette: passing.iter().all(|c| c.judged_silhouette <= best.judged_silhouette),
        is_best_gain: passing.iter().all(|c| c.gain <= best.gain),
        as_good: first_largest(good, |c| c.gain).map(|c| c.clusters),
        is_last: last == Some(best.clusters),
    };
    (Some(best.clusters), sentence::found(&found))
}

/// The number that fails only for want of a valley and has a gain clearly larger than this one.
pub(in crate::choose) fn rival(candidates: &[Candidate], gain: f64) -> Option<&Candidate> {
    let touching = candidates.iter().filter(|c| c.failed == [Check::Valley]);
    first_largest(touching, |c| c.gain).filter(|rival| rival.gain > gain + NEARLY_BEST)
}

/// Why no number passes: what stops the one that gets furthest.
fn unclear(candidates: &[Candidate], least: usize) -> String {
    let furthest = candidates.iter().max_by(|a, b| {
        let order = (a.first_failed()).cmp(&b.first_failed()).then(a.gain.total_cmp(&b.gain));
        order.then(Reverse(a.clusters).cmp(&Reverse(b.clusters)))
    });
    let Some(furthest) = furthest else { return sentence::tiny(least) };
    match furthest.first_failed() {
        Some(Check::Stability) => {
            let same = candidates.iter().filter(|c| c.first_failed() == furthest.first_failed());
            let best = first_largest(same, |c| c.stability).unwrap_or(furthest);
            let is_more_stable = |c: &Candidate| c.stability > best.stability;
            sentence::unstable(best, candidates.iter().any(is_more_stable))
        }
        Some(Check::Valley) => sentence::touching(furthest),
        Some(Check::Gain) => sentence::by_chance(furthest),
        Some(Check::Size) | None => sentence::tiny(least),
    }
}

/// The first of those with the largest value.
fn first_largest<'a>(
    candidates: impl Iterator<Item = &'a Candidate>,
    value: impl Fn(&Candidate) -> f64,
) -> Option<&'a Candidate> {
    candidates.reduce(|best, next| if value(next) > value(best) { next } else { best })
}
