//! Explanations in words.

use crate::cases::{Cases, number};
use crate::explain::by_strength;

/// Characters of a name in a sentence.
pub(crate) const LONGEST_NAME: usize = 100;

impl Cases {
    /// Why a case is in its cluster rather than in another one, in a sentence:
    /// the strongest features for it with their values, and what speaks against
    /// it. High and low are seen from between the two centroids.
    ///
    /// `relevance`, `[D]`, is that of the contrast of the two clusters
    /// ([`Target::AssignedVersus`](crate::explain::Target::AssignedVersus)), and
    /// `parts` what no feature has of it.
    #[cfg_attr(not(feature = "report"), allow(dead_code, reason = "sentences are for the report"))]
    pub(crate) fn in_words(
        &self,
        case: usize,
        versus: usize,
        relevance: &[f64],
        parts: &[(&str, f64)],
    ) -> String {
        const MOST: usize = 3;
        let cluster = self.cluster[case];
        let (own, other) = (self.cluster_name(cluster), self.cluster_name(versus));
        let opening = format!("In cluster {own} rather than {other}");
        let order = |sign: f64| -> Vec<usize> {
            by_strength(relevance).into_iter().filter(|&i| relevance[i] * sign > 0.0).collect()
        };
        let leading = |found: &[usize], half: f64, most: usize| {
            let mut sum = 0.0;
            let enough = found.iter().position(|&i| {
                sum += relevance[i].abs();
                sum >= half
            });
            found[..enough.map_or(found.len(), |at| at + 1).min(most)].to_vec()
        };
        let sum = |found: &[usize]| found.iter().map(|&i| relevance[i].abs()).sum::<f64>();
        let (speaking, opposing) = (order(1.0), order(-1.0));
        let (support, objection) = (sum(&speaking), sum(&opposing));
        // Where the features alone would put it elsewhere, they are no reason.
        let named: Vec<&str> =
            parts.iter().filter(|(_, amount)| *amount > 0.0).map(|(name, _)| *name).collect();
        if support <= objection && !named.is_empty() {
            let rest = match opposing.first() {
                Some(&against) => {
                    format!(
                        "; the features speak against it, most of all {}",
                        self.short_name(against)
                    )
                }
                None => String::new(),
            };
            return format!("{opening} by {} alone{rest}.", listed(&named));
        }
        if speaking.is_empty() {
            return format!("{opening} by a tie: no feature tells the two apart here.");
        }
        let reasons = leading(&speaking, 0.5 * support, MOST);
        let because = match sum(&reasons) / support {
            share if share < 0.5 => "for many small reasons, the largest of them",
            _ if reasons.len() < speaking.len() => "mainly because",
            _ => "because",
        };
        let many = because.starts_with("for");
        let (joined, reasons) = match (self.centroid_based, many) {
            (true, many) => {
                (if many { " that" } else { "" }, self.high_and_low(case, versus, &reasons))
            }
            (false, many) => (if many { "" } else { " of" }, self.named(case, &reasons)),
        };
        let mut text = format!("{opening} {because}{joined} {reasons}");
        if objection > 0.05 * support {
            let against = leading(&opposing, 0.5 * objection, 2);
            let names: Vec<String> = against.iter().map(|&i| self.short_name(i)).collect();
            let verb = if names.len() == 1 { "speaks" } else { "speak" };
            text += &format!("; against it {verb} {}", listed(&names));
        }
        text + "."
    }

    /// A name with its end cut where it is longer than a sentence should be.
    fn short_name(&self, feature: usize) -> String {
        let name = &self.features[feature];
        match name.char_indices().nth(LONGEST_NAME) {
            Some((end, _)) => format!("{}…", name[..end].trim_end()),
            None => name.clone(),
        }
    }

    /// `a (1) and b (2)`
    fn named(&self, case: usize, features: &[usize]) -> String {
        let name =
            |&i: &usize| format!("{} ({})", self.short_name(i), number(self.values_of(case)[i]));
        listed(&features.iter().map(name).collect::<Vec<_>>())
    }

    /// `a (1) and b (2) are high and c (3) is low`
    fn high_and_low(&self, case: usize, versus: usize, features: &[usize]) -> String {
        let own = self.scaled_centroid_of(self.cluster[case]);
        let other = self.scaled_centroid_of(versus);
        // What speaks for a cluster is on its side of the other one.
        let is_high = |&i: &usize| own[i] > other[i];
        let (high, low): (Vec<usize>, Vec<usize>) = features.iter().partition(|i| is_high(i));
        let clause = |features: &[usize], word: &str| {
            let verb = if features.len() == 1 { "is" } else { "are" };
            format!("{} {verb} {word}", self.named(case, features))
        };
        match (high.is_empty(), low.is_empty()) {
            (false, true) => clause(&high, "high"),
            (true, false) => clause(&low, "low"),
            _ => format!("{} and {}", clause(&high, "high"), clause(&low, "low")),
        }
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
    use crate::explain::Target;

    fn two_clusters(values: [f64; 3]) -> Cases {
        Cases {
            features: ["a", "b", "c"].map(str::to_owned).to_vec(),
            rows: vec![0],
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
            names: None,
            absorbed: Vec::new(),
            centroid_based: true,
            classes: None,
            target: Target::Assigned,
            beta: 1.0,
        }
    }

    /// (x − μ_k)² − (x − μ_c)² by hand, and the words that belong to it.
    #[test]
    fn sentences_say_what_the_relevances_say() {
        let words = |values: [f64; 3], relevance: [f64; 3]| {
            two_clusters(values).in_words(0, 1, &relevance, &[])
        };
        assert_eq!(
            words([0.0, 0.0, 1.5], [4.0, 4.0, -2.0]),
            "In cluster 0 rather than 1 mainly because a (0) is low; against it speaks c."
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
            "In cluster 0 rather than 1 by (variance) alone; the features speak against it, most of all b."
        );
        let labelled = Cases {
            names: Some(["red", "blue"].map(str::to_owned).to_vec()),
            ..two_clusters([0.0; 3])
        };
        assert_eq!(
            labelled.in_words(0, 1, &[0.0; 3], &[("(entropy)", 1.0)]),
            "In cluster red rather than blue by (entropy) alone."
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
            "In cluster 0 rather than 1 for many small reasons, the largest of them that f0 (0), f1 (0) and f2 (0) are low."
        );
        assert_eq!(
            words([1.0, -1.0, 1.0], [0.0, 0.0, 0.0]),
            "In cluster 0 rather than 1 by a tie: no feature tells the two apart here."
        );
    }
}
