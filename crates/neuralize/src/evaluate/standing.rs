use crate::baseline::Reference;
use crate::evaluate::{Better, Evaluation, Measure, MethodResult};

/// What random numbers are called: they are no competitor for the best value,
/// since a number that looks at nothing keeps many a promise.
const NO_COMPETITOR: &str = "random";

impl Evaluation {
    /// By what features are replaced in the curves of at least one method.
    pub fn references(&self) -> Vec<Reference> {
        let known = |reference: &Reference| {
            let mut flips = self.methods.iter().flat_map(|method| &method.flips);
            flips.any(|flips| flips.reference == *reference)
        };
        Reference::ALL.into_iter().filter(known).collect()
    }

    /// Whether a value is the best that any method has of a measure, to three
    /// digits. [`Random`](crate::baseline::Method::Random) is left out.
    ///
    /// Where small values are good, it is their size that counts.
    pub fn is_best(&self, method: &MethodResult, measure: Measure) -> bool {
        let cost = |method: &MethodResult| {
            let value = *method.values.get(&measure)?;
            let competes = method.name != NO_COMPETITOR && value.is_finite();
            competes.then_some(match measure.better() {
                Better::Higher => -value,
                Better::Lower => value.abs(),
            })
        };
        let Some(own) = cost(method) else { return false };
        let least = self.methods.iter().filter_map(cost).fold(f64::INFINITY, f64::min);
        // Below these errors all are as good: roundings are no merit.
        let rounding = match measure {
            Measure::Conservation | Measure::Shift | Measure::Scale => 1e-6,
            _ => 1e-9,
        };
        own - least <= (5e-4 * least.abs()).max(rounding)
    }

    /// Whether a gain is no more than orders without meaning come to: at most
    /// two of their standard deviations above 0, or below it.
    pub fn is_chance(&self, method: &MethodResult, measure: Measure) -> bool {
        let reference = match measure {
            Measure::GainCompetitor => Reference::Competitor,
            Measure::GainMean => Reference::Mean,
            Measure::GainSample => Reference::Sample,
            _ => return false,
        };
        let band = self.bands.iter().find(|band| band.reference == reference);
        match (band, method.values.get(&measure)) {
            (Some(band), Some(gain)) => *gain <= 2.0 * band.gain_deviation,
            _ => false,
        }
    }
}
