//! Which method to trust, in a sentence.

use crate::baseline::Reference;
use crate::evaluate::Measure;
use crate::evaluate::results::{Evaluation, MethodResult, RANDOM};
use crate::text::words::number;

/// Errors up to this are rounding, in f32 too.
const ROUNDING: f64 = 1e-3;

impl Evaluation {
    /// Which method to trust for why a row is in its cluster: of those whose relevances sum to the
    /// logit and do not depend on where zero lies, the one that orders the features best by the gain
    /// to the mean of the data, which favours no cluster. It says, too, if another method orders them
    /// better on the way to the competitor, or that no order is better than chance.
    pub fn advice(&self) -> String {
        let gains = [Measure::GainMean, Measure::GainCompetitor, Measure::GainSample];
        let known = |measure: &Measure| {
            self.methods.iter().any(|method| method.values.contains_key(measure))
        };
        let Some(gain) = gains.into_iter().find(known) else {
            return "No method says in which order features matter.".to_owned();
        };
        let is_better = |method: &&MethodResult| {
            method.name != RANDOM
                && !self.is_chance(method, gain)
                && value(method, gain).is_finite()
        };
        let best = |methods: Vec<&'_ MethodResult>, by: Measure| -> Option<MethodResult> {
            methods.into_iter().max_by(|a, b| value(a, by).total_cmp(&value(b, by))).cloned()
        };
        let all: Vec<&MethodResult> = self.methods.iter().filter(is_better).collect();
        let sound: Vec<&MethodResult> = all.iter().copied().filter(|m| is_sound(m)).collect();
        let what = match gain {
            Measure::GainCompetitor => Reference::Competitor,
            Measure::GainSample => Reference::Sample,
            _ => Reference::Mean,
        };
        let Some(trusted) = best(sound.clone(), gain) else {
            return match best(all, gain) {
                Some(method) => format!(
                    "No method here gives parts that sum to the logit wherever zero lies; `{}` orders the features best (gain to the {what} {}).",
                    method.name,
                    number(value(&method, gain))
                ),
                None => "No method orders the features better than chance: with so few features or points, trust none."
                    .to_owned(),
            };
        };
        let alike = sound.iter().filter(|method| {
            method.name != trusted.name
                && value(&trusted, gain) - value(method, gain) <= 0.01 * value(&trusted, gain).abs()
        });
        let alike: Vec<String> = alike.map(|method| format!("`{}`", method.name)).collect();
        let alike = if alike.is_empty() {
            String::new()
        } else {
            format!(
                "; {} as good",
                crate::text::words::listed(&alike) + if alike.len() == 1 { " is" } else { " are" }
            )
        };
        let mut text = format!(
            "Trust `{}` for why a row is in its cluster: of the methods whose parts sum to the logit wherever zero lies, it orders the features best (gain to the {what} {}){alike}.",
            trusted.name,
            number(value(&trusted, gain))
        );
        let way = Measure::GainCompetitor;
        let own = value(&trusted, way);
        let others = all
            .into_iter()
            .filter(|method| value(method, way).is_finite() && !self.is_chance(method, way));
        if let Some(other) = best(others.collect(), way)
            && own.is_finite()
            && value(&other, way) - own > 0.01 * own.abs()
        {
            let but = if is_sound(&other) { "" } else { ", but its parts do not sum to the logit" };
            text += &format!(
                " For what would move a row to its competitor, `{}` orders them better ({} against {}){but}.",
                other.name,
                number(value(&other, way)),
                number(own)
            );
        }
        text
    }
}

/// Whether relevances sum to the logit and do not depend on where zero lies, as far as it is known.
fn is_sound(method: &MethodResult) -> bool {
    let is_small =
        |measure| method.values.get(&measure).is_none_or(|error| error.abs() <= ROUNDING);
    method.values.contains_key(&Measure::Conservation)
        && is_small(Measure::Conservation)
        && is_small(Measure::Shift)
}

fn value(method: &MethodResult, measure: Measure) -> f64 {
    method.values.get(&measure).copied().unwrap_or(f64::NEG_INFINITY)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::evaluate::Agreement;

    fn evaluation(methods: &[(&str, [f64; 4])]) -> Evaluation {
        let measures =
            [Measure::GainMean, Measure::GainCompetitor, Measure::Conservation, Measure::Shift];
        let method = |(name, values): &(&str, [f64; 4])| MethodResult {
            name: (*name).to_owned(),
            description: String::new(),
            refused: None,
            values: measures.into_iter().zip(*values).collect::<BTreeMap<_, _>>(),
            flips: Vec::new(),
        };
        Evaluation {
            points: 10,
            data: 10,
            features: 3,
            clusters: 2,
            seed: 0,
            methods: methods.iter().map(method).collect(),
            bands: Vec::new(),
            agreement: Agreement::default(),
        }
    }

    #[test]
    fn sound_methods_come_first() {
        let neon = ("neon", [0.6, 1.2, 1e-16, 1e-15]);
        let found = evaluation(&[neon, ("occlusion", [0.7, 1.4, 0.3, 0.0])]).advice();
        assert!(
            found.starts_with("Trust `neon` for why")
                && found.contains("(gain to the mean 0.600)."),
            "{found}"
        );
        assert!(
            found.ends_with("`occlusion` orders them better (1.40 against 1.20), but its parts do not sum to the logit."),
            "{found}"
        );
        let found = evaluation(&[neon, ("toward", [0.599, 1.201, 0.0, 0.0])]).advice();
        assert!(found.ends_with("(gain to the mean 0.600); `toward` is as good."), "{found}");
        // A method that depends on where zero lies is not sound, and random numbers never are.
        let found =
            evaluation(&[("input", [0.6, 1.0, 0.0, 0.4]), ("random", [0.9, 2.0, 0.0, 0.0])]);
        assert!(found.advice().starts_with("No method here gives parts"), "{}", found.advice());
        assert!(evaluation(&[]).advice().starts_with("No method says"));
    }
}
