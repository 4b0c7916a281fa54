//! The rules of clusters of supports and of mixtures, as methods beside others.

use burn::tensor::backend::Backend;
use neuralize::baseline::{Attribute, Attribution, Method, Query, Reference};
use neuralize::explain::{Beta, Root, Rule};

/// A rule under a name.
pub(crate) struct Ruled {
    pub(crate) name: &'static str,
    pub(crate) rule: Rule,
    pub(crate) beta: Beta,
}

const HARD: Beta = Beta::Value(f64::INFINITY);

/// The rules that the default, the secant pass toward the competitor, is compared with.
pub(crate) fn of_components() -> Vec<Ruled> {
    let rule = |name, rule, beta| Ruled { name, rule, beta };
    vec![
        rule("toward-hard", Rule::Secant(Root::Toward), HARD),
        rule("between-half", Rule::Secant(Root::Between(0.5)), Beta::Heuristic),
        rule("midway", Rule::Secant(Root::Midway), Beta::Heuristic),
        rule("summed", Rule::Summed, Beta::Heuristic),
    ]
}

/// The methods that rules are shown beside, where all would take hours.
pub(crate) fn beside() -> Vec<Method> {
    let all = Method::all().into_iter();
    let shown = |method: &Method| {
        matches!(
            method,
            Method::Neon(_)
                | Method::GradientFromBoundary
                | Method::IntegratedGradients { from: Reference::Competitor | Reference::Mean, .. }
                | Method::Random
        )
    };
    all.filter(shown).collect()
}

/// The same, and those of supports alone.
pub(crate) fn of_supports() -> Vec<Ruled> {
    let mut rules = of_components();
    rules.push(Ruled { name: "near", rule: Rule::Secant(Root::Near), beta: Beta::Heuristic });
    rules.push(Ruled { name: "pairwise", rule: Rule::Pairwise, beta: Beta::Heuristic });
    rules
}

impl<B: Backend> Attribute<B> for Ruled {
    fn name(&self) -> String {
        self.name.into()
    }

    fn attribute(&self, query: &Query<'_, B>) -> neuralize::Result<Attribution<B>> {
        let network = query.background.subject().network();
        // A network with other weights, to compare with, has no β of its own.
        let beta = match (self.beta, network.beta()) {
            (Beta::Heuristic, None) => {
                let (_, logit) = network.predict_with_logit(query.background.data())?;
                let logit: Vec<f64> = logit.into_data().iter::<f64>().collect();
                Beta::Value(logit.len() as f64 / logit.iter().sum::<f64>())
            }
            (beta, _) => beta,
        };
        let found = network.explained_by(self.rule)?.explain(&query.x, query.target, beta)?;
        let absorbed = found
            .absorbed
            .into_iter()
            .map(|part| part.amount.unsqueeze_dim::<2>(1))
            .reduce(|sum, part| sum + part);
        let mut attribution = Attribution::from(found.relevance);
        attribution.absorbed = absorbed;
        Ok(attribution)
    }
}
