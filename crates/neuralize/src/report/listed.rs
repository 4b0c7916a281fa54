//! The columns of the points that a page lists.

use serde::Serialize;

use super::pack::Packed;
use crate::cases::Cases;
use crate::explain::by_strength;

/// Columns of the listed points.
#[derive(Default)]
pub(super) struct Listed {
    row: Vec<usize>,
    /// Names of the rows, if they have names.
    names: Option<Vec<String>>,
    cluster: Vec<usize>,
    competitor: Vec<usize>,
    /// Empty without classes.
    class: Vec<usize>,
    /// Empty where no cluster stands for a class.
    misplaced: Vec<bool>,
    logit: Vec<f64>,
    probability: Vec<f64>,
    places: Vec<[f64; 2]>,
    strongest: Vec<usize>,
    strongest_relevance: Vec<f64>,
    strongest_count: usize,
    detail: Vec<Option<usize>>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct PackedListed {
    count: usize,
    row: Packed,
    names: Option<Vec<String>>,
    cluster: Packed,
    competitor: Packed,
    class: Option<Packed>,
    misplaced: Option<Packed>,
    logit: Packed,
    probability: Packed,
    x: Packed,
    y: Packed,
    strongest: Packed,
    strongest_relevance: Packed,
    strongest_count: usize,
    detail: Packed,
}

impl Listed {
    pub(super) fn len(&self) -> usize {
        self.cluster.len()
    }

    /// Adds a case with its `strongest` features.
    pub(super) fn push(&mut self, cases: &Cases, case: usize, strongest: usize) {
        let relevance = cases.relevance_of(case);
        let mut order = by_strength(relevance);
        order.truncate(strongest);
        self.strongest_count = order.len();
        self.strongest_relevance.extend(order.iter().map(|&i| relevance[i]));
        self.strongest.extend(order);
        self.cluster.push(cases.cluster[case]);
        self.competitor.push(cases.competitor[case]);
        self.logit.push(cases.logit[case]);
        self.probability.push(cases.probability[case]);
    }

    /// The place on the map of the case added last, and its index among the details.
    pub(super) fn place(&mut self, place: [f64; 2], detail: Option<usize>) {
        self.places.push(place);
        self.detail.push(detail);
    }

    /// The class of the case added last.
    pub(super) fn classify(&mut self, class: usize) {
        self.class.push(class);
    }

    /// Whether the cluster of the case added last stands for another class than its own.
    pub(super) fn misplace(&mut self, misplaced: bool) {
        self.misplaced.push(misplaced);
    }

    /// Names of all cases, if they have names.
    pub(super) fn name(&mut self, names: Option<Vec<String>>) {
        self.names = names;
    }

    /// Row numbers of the cases added last.
    pub(super) fn number(&mut self, rows: impl Iterator<Item = usize>) {
        self.row.extend(rows);
    }

    pub(super) fn packed(self) -> PackedListed {
        PackedListed {
            count: self.row.len(),
            row: Packed::u32(self.row),
            names: self.names,
            cluster: Packed::u32(self.cluster),
            competitor: Packed::u32(self.competitor),
            misplaced: (!self.misplaced.is_empty()).then(|| Packed::bits(self.misplaced)),
            class: (!self.class.is_empty()).then(|| Packed::i32(self.class.into_iter().map(Some))),
            logit: Packed::f64(self.logit),
            probability: Packed::f32(self.probability),
            x: Packed::f32(self.places.iter().map(|place| place[0])),
            y: Packed::f32(self.places.iter().map(|place| place[1])),
            strongest: Packed::u32(self.strongest),
            strongest_relevance: Packed::f32(self.strongest_relevance),
            strongest_count: self.strongest_count,
            detail: Packed::i32(self.detail),
        }
    }
}
