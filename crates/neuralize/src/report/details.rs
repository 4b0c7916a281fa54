//! The columns of the points that a page shows in full, with their contrasts.

use std::collections::HashMap;

use serde::Serialize;

use super::pack::Packed;
use crate::cases::{AbsorbedRelevance, Cases, MAX_NAME_LENGTH};

/// The explanation of n cases against one cluster: relevance `[n, D]`, logit
/// `[n]`, and the relevance that biases absorb.
pub(super) struct Contrast {
    pub(super) relevance: Vec<f64>,
    pub(super) logit: Vec<f64>,
    pub(super) absorbed: Vec<AbsorbedRelevance>,
}

/// Columns of the points that are shown in full.
#[derive(Default)]
pub(super) struct Details {
    values: Vec<f64>,
    /// Value by value, whether it stands for a missing one.
    filled: Vec<bool>,
    scaled: Vec<f64>,
    relevance: Vec<f64>,
    versus: Vec<usize>,
    contrast: Vec<f64>,
    contrast_logit: Vec<f64>,
    absorbed: Vec<f64>,
    contrast_absorbed: Vec<f64>,
    sentences: Vec<Vec<String>>,
}

#[derive(Debug, Clone, Serialize)]
pub(super) struct PackedDetails {
    count: usize,
    contrasts: usize,
    values: Packed,
    /// `None` if no value is filled in.
    filled: Option<Packed>,
    scaled: Packed,
    relevance: Packed,
    versus: Packed,
    contrast: Packed,
    contrast_logit: Packed,
    absorbed: Packed,
    contrast_absorbed: Packed,
    sentences: Vec<Vec<String>>,
}

impl Details {
    /// The number of points that fit into a page of about 15 MB, besides the
    /// summaries of the clusters.
    pub(super) fn capacity(features: &[String], clusters: usize, contrasts: usize) -> usize {
        const BYTES: usize = 11_500_000;
        // A character takes six bytes at most: `<` is written as an escape sequence.
        let written = |name: &String| 6 * name.chars().count().min(MAX_NAME_LENGTH);
        let longest = features.iter().map(written).max().unwrap_or(0);
        // At most three reasons and two objections.
        let sentence = 90 + 5 * longest;
        let width = features.len();
        // values and relevance in f64, scaled and contrasts in f32
        let numbers = width * (8 + 8 + 4 + 1 + 4 * contrasts) + contrasts * 12;
        let summaries = clusters * width * (4 * 13 + 20);
        BYTES.saturating_sub(summaries) / (numbers * 4 / 3 + contrasts * sentence)
    }

    /// Adds a case and its contrasts with the clusters `versus`.
    pub(super) fn push(
        &mut self,
        cases: &Cases,
        case: usize,
        versus: &[usize],
        contrasts: &HashMap<usize, Contrast>,
    ) {
        let width = cases.n_features();
        self.values.extend(cases.values_of(case));
        let first = self.filled.len();
        self.filled.resize(first + width, false);
        let from = cases.filled.partition_point(|(of, _)| *of < case);
        for (_, column) in cases.filled[from..].iter().take_while(|(of, _)| *of == case) {
            self.filled[first + column] = true;
        }
        self.scaled.extend(cases.scaled_of(case));
        self.relevance.extend(cases.relevance_of(case));
        self.absorbed.extend(cases.absorbed.iter().map(|part| part.amounts[case]));
        self.versus.extend(versus);
        let mut sentences = Vec::with_capacity(versus.len());
        for &other in versus {
            let Contrast { relevance, logit, absorbed } = &contrasts[&other];
            let relevance = &relevance[case * width..(case + 1) * width];
            self.contrast.extend(relevance);
            self.contrast_logit.push(logit[case]);
            self.contrast_absorbed.extend(absorbed.iter().map(|part| part.amounts[case]));
            let parts: Vec<(&str, f64)> =
                absorbed.iter().map(|part| (part.name.as_str(), part.amounts[case])).collect();
            sentences.push(cases.in_words(case, other, relevance, &parts));
        }
        self.sentences.push(sentences);
    }

    pub(super) fn packed(self, contrasts: usize) -> PackedDetails {
        PackedDetails {
            count: self.sentences.len(),
            contrasts,
            values: Packed::f64(self.values),
            filled: self.filled.contains(&true).then(|| Packed::bits(self.filled)),
            scaled: Packed::f32(self.scaled),
            relevance: Packed::f64(self.relevance),
            versus: Packed::u32(self.versus),
            contrast: Packed::f32(self.contrast),
            contrast_logit: Packed::f64(self.contrast_logit),
            absorbed: Packed::f64(self.absorbed),
            contrast_absorbed: Packed::f64(self.contrast_absorbed),
            sentences: self.sentences,
        }
    }
}
