//! Explanations as sentences.

use super::explained::Cases;
use crate::explain::by_strength;
use crate::text::words::{number, pair};

/// Maximum number of characters of a name in a sentence.
pub(crate) const MAX_NAME_LENGTH: usize = 100;

impl Cases {
    /// Why a case is in its cluster rather than in another one, in a sentence: the
    /// strongest features for it with their values, and the strongest against it.
    /// A feature is high or low relative to the middle between the two centroids.
    ///
    /// `relevance`, `[D]`, explains the contrast of the two clusters
    /// ([`Target::AssignedVersus`](crate::explain::Target::AssignedVersus)); `parts`
    /// are the names and amounts of what belongs to no feature.
    pub(crate) fn in_words(
        &self,
        case: usize,
        versus: usize,
        relevance: &[f64],
        parts: &[(&str, f64)],
    ) -> String {
        let (own, other) = (self.cluster_name(self.cluster[case]), self.cluster_name(versus));
        let opening = format!("In cluster {own} rather than {other}");
        let (speaking, opposing) = (Side::of(relevance, 1.0), Side::of(relevance, -1.0));
        let parts: Vec<&str> =
            parts.iter().filter(|(_, amount)| *amount > 0.0).map(|(name, _)| *name).collect();
        // A feature that alone would put the case into another cluster is not a reason.
        if speaking.total <= opposing.total && !parts.is_empty() {
            let objection = opposing.features.first().map(|&feature| {
                format!("; the features speak against it, mainly {}", self.short_name(feature))
            });
            let objection = objection.unwrap_or_default();
            return format!("{opening} because of {} alone{objection}.", listed(&parts));
        }
        if speaking.features.is_empty() {
            return format!("{opening} by a tie: no feature distinguishes the two here.");
        }
        let reasons = self.reasons(case, versus, &speaking, relevance);
        let objections = self.objections(&speaking, &opposing, relevance);
        format!("{opening} {reasons}{objections}.")
    }

    /// `because a (0) is low`
    fn reasons(&self, case: usize, versus: usize, speaking: &Side, relevance: &[f64]) -> String {
        let found = speaking.leading(relevance, 3);
        let share = found.iter().map(|&i| relevance[i].abs()).sum::<f64>() / speaking.total;
        let reasons = if self.centroid_based {
            self.high_and_low(case, versus, found)
        } else {
            self.named(case, versus, found)
        };
        let opening = match (share < 0.5, self.centroid_based) {
            (true, true) => "for many small reasons, the largest being that",
            (true, false) => "for many small reasons, the largest being",
            (false, true) => "because",
            (false, false) => "because of",
        };
        let mainly =
            if share >= 0.5 && found.len() < speaking.features.len() { "mainly " } else { "" };
        format!("{mainly}{opening} {reasons}")
    }

    /// `; a and b speak against it`, if they matter.
    fn objections(&self, speaking: &Side, opposing: &Side, relevance: &[f64]) -> String {
        if opposing.total <= 0.05 * speaking.total {
            return String::new();
        }
        let found = opposing.leading(relevance, 2);
        let names: Vec<String> = found.iter().map(|&i| self.short_name(i)).collect();
        let verb = if names.len() == 1 { "speaks" } else { "speak" };
        format!("; {} {verb} against it", listed(&names))
    }

    /// A name, cut if it is too long for a sentence.
    fn short_name(&self, feature: usize) -> String {
        let name = &self.features[feature];
        match name.char_indices().nth(MAX_NAME_LENGTH) {
            Some((end, _)) => format!("{}…", name[..end].trim_end()),
            None => name.clone(),
        }
    }

    /// A value as text. A number has as many digits, up to six, as tell it from the centroid of the other
    /// cluster: −118.33 is not −118 where that is at −118.28.
    fn value_beside(&self, case: usize, versus: usize, feature: usize) -> String {
        let text = self.value_text(case, feature);
        let column = self.encoding.as_ref().and_then(|encoding| encoding.columns.get(feature));
        let places = self.values_of(case).get(feature).zip(self.centroid_of(versus).get(feature));
        let Some((&value, &centroid)) = places else { return text };
        if column.and_then(|column| column.words(value)).is_some() {
            return text;
        }
        // Behind the number may be that it was filled in.
        match text.strip_prefix(&number(value)) {
            Some(rest) => pair(value, centroid).0 + rest,
            None => text,
        }
    }

    /// `a (1) and b (2)`
    fn named(&self, case: usize, versus: usize, features: &[usize]) -> String {
        let value = |feature: usize| self.value_beside(case, versus, feature);
        let name = |&i: &usize| format!("{} ({})", self.short_name(i), value(i));
        listed(&features.iter().map(name).collect::<Vec<_>>())
    }

    /// `a (1) and b (2) are high and c (3) is low`
    fn high_and_low(&self, case: usize, versus: usize, features: &[usize]) -> String {
        let own = self.scaled_centroid_of(self.cluster[case]);
        let other = self.scaled_centroid_of(versus);
        // A value that speaks for a cluster is on its side of the other centroid.
        let is_high = |&i: &usize| own[i] > other[i];
        let (named, ordered): (Vec<usize>, Vec<usize>) =
            features.iter().partition(|i| self.is_named(**i));
        let (high, low): (Vec<usize>, Vec<usize>) = ordered.iter().partition(|i| is_high(i));
        let clause = |features: &[usize], word: &str| {
            let verb = if features.len() == 1 { "is" } else { "are" };
            format!("{} {verb} {word}", self.named(case, versus, features))
        };
        let is = |&i: &usize| format!("{} is {}", self.short_name(i), self.value_text(case, i));
        let mut clauses = Vec::new();
        clauses.extend((!high.is_empty()).then(|| clause(&high, "high")));
        clauses.extend((!low.is_empty()).then(|| clause(&low, "low")));
        clauses.extend(named.iter().map(is));
        clauses.join(" and ")
    }
}

/// The features whose relevance has one sign.
struct Side {
    /// The strongest first.
    features: Vec<usize>,
    /// Sum of their absolute relevances.
    total: f64,
}

impl Side {
    fn of(relevance: &[f64], sign: f64) -> Self {
        let mut features = by_strength(relevance);
        features.retain(|&i| relevance[i] * sign > 0.0);
        let total = features.iter().map(|&i| relevance[i].abs()).sum();
        Self { features, total }
    }

    /// The strongest features that make up half of the total, at most `max`.
    fn leading(&self, relevance: &[f64], max: usize) -> &[usize] {
        let mut sum = 0.0;
        let enough = self.features.iter().position(|&i| {
            sum += relevance[i].abs();
            sum >= 0.5 * self.total
        });
        &self.features[..enough.map_or(self.features.len(), |at| at + 1).min(max)]
    }
}

/// `a`, `a and b`, `a, b and c`.
fn listed(items: &[impl AsRef<str>]) -> String {
    let items: Vec<&str> = items.iter().map(AsRef::as_ref).collect();
    match items.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => String::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::data::{Column, Encoding, Kind, Missing};
    use crate::explain::Target;

    fn two_clusters(values: [f64; 3]) -> Cases {
        Cases {
            features: ["a", "b", "c"].map(str::to_owned).to_vec(),
            rows: vec![0],
            ids: None,
            total: 1,
            values: values.to_vec(),
            scaled: values.to_vec(),
            relevance: vec![0.0; 3],
            logit: vec![0.0],
            cluster: vec![0],
            competitor: vec![1],
            probability: vec![0.5],
            centroids: vec![0.0, 0.0, 0.0, 2.0, -2.0, 2.0],
            scaled_centroids: vec![0.0, 0.0, 0.0, 2.0, -2.0, 2.0],
            encoding: None,
            filled: Vec::new(),
            encoded: None,
            names: None,
            absorbed: Vec::new(),
            centroid_based: true,
            classes: None,
            target: Target::Assigned,
            beta: 1.0,
        }
    }

    /// (x − μ_k)² − (x − μ_c)² by hand, and its sentence.
    #[test]
    fn sentences_say_what_the_relevances_say() {
        let words = |values: [f64; 3], relevance: [f64; 3]| {
            two_clusters(values).in_words(0, 1, &relevance, &[])
        };
        assert_eq!(
            words([0.0, 0.0, 1.5], [4.0, 4.0, -2.0]),
            "In cluster 0 rather than 1 mainly because a (0) is low; c speaks against it."
        );
        assert_eq!(
            words([0.2, -0.5, 1.0], [3.2, 2.0, 0.0]),
            "In cluster 0 rather than 1 mainly because a (0.200) is low."
        );
        assert_eq!(
            words([0.0, 0.5, 0.0], [3.0, 3.5, 3.0]),
            "In cluster 0 rather than 1 mainly because b (0.500) is high and a (0) is low."
        );
        let elsewhere = |values: [f64; 3], relevance: [f64; 3]| {
            let cases = Cases { centroid_based: false, ..two_clusters(values) };
            cases.in_words(0, 1, &relevance, &[])
        };
        assert_eq!(
            elsewhere([0.0, 0.5, 0.0], [3.0, 3.5, 3.0]),
            "In cluster 0 rather than 1 mainly because of b (0.500) and a (0)."
        );
        let parts = [("(prior)", -0.5), ("(variance)", 4.0)];
        assert_eq!(
            two_clusters([0.0; 3]).in_words(0, 1, &[1.0, -2.0, 0.5], &parts),
            "In cluster 0 rather than 1 because of (variance) alone; the features speak against it, mainly b."
        );
        let labelled = Cases {
            names: Some(["red", "blue"].map(str::to_owned).to_vec()),
            ..two_clusters([0.0; 3])
        };
        assert_eq!(
            labelled.in_words(0, 1, &[0.0; 3], &[("(entropy)", 1.0)]),
            "In cluster red rather than blue because of (entropy) alone."
        );
        let category = Column {
            kind: Kind::Category { values: ["red", "blue"].map(str::to_owned).to_vec() },
            ..Column::number("b")
        };
        let columns = vec![Column::number("a"), category, Column::number("c")];
        let mixed = Cases {
            encoding: Some(Encoding {
                columns,
                missing: Missing::Fill,
                missing_values: Vec::new(),
                decimal: None,
            }),
            filled: vec![(0, 0)],
            ..two_clusters([0.5, 1.0, 0.0])
        };
        assert_eq!(
            mixed.in_words(0, 1, &[3.0, 3.5, 3.0], &[]),
            "In cluster 0 rather than 1 mainly because a (0.500, filled in) is low and b is blue."
        );
        let small = two_clusters([0.0; 3]);
        let many = Cases {
            features: (0..20).map(|i| format!("f{i}")).collect(),
            values: vec![0.0; 20],
            scaled: vec![0.0; 20],
            centroids: vec![0.5; 40],
            scaled_centroids: vec![0.5; 40],
            ..small
        };
        assert_eq!(
            many.in_words(0, 1, &[1.0; 20], &[]),
            "In cluster 0 rather than 1 for many small reasons, the largest being that f0 (0), f1 (0) and f2 (0) are low."
        );
        assert_eq!(
            words([1.0, -1.0, 1.0], [0.0, 0.0, 0.0]),
            "In cluster 0 rather than 1 by a tie: no feature distinguishes the two here."
        );
    }

    /// A value is told from the centroid of the other cluster.
    #[test]
    fn digits_show_what_differs() {
        let words = |values: [f64; 3], centroids: [f64; 6]| {
            let cases = Cases {
                centroids: centroids.to_vec(),
                scaled_centroids: centroids.to_vec(),
                filled: vec![(0, 1)],
                ..two_clusters(values)
            };
            cases.in_words(0, 1, &[3.0, 3.5, 3.0], &[])
        };
        assert_eq!(
            words([-118.3312, 34.0412, 0.0], [-118.33, 34.04, 0.0, -118.28, 33.94, 0.0]),
            "In cluster 0 rather than 1 mainly because b (34.04, filled in) is high and a (−118.33) is low."
        );
        // Three are enough for most.
        assert!(words([1.2345, 7.0, 0.0], [1.0, 7.0, 0.0, 3.0, 2.0, 0.0]).contains("a (1.23)"));
    }
}
