//! The infidelity: how well sums of relevances predict the logit.

use burn::tensor::{Tensor, backend::Backend};

use crate::baseline::{Query, Reference};
use crate::random::{Stream, uniform};
use crate::transfer;

/// The part of the logit's changes that sums of relevances do not explain, as random
/// sets of features are replaced (Yeh et al. 2019):
///
/// `Σ (s a − d)² / Σ d²` over rows and sets S, where `a = Σ_{i∈S} R_i` and
/// `d = f(x) − f(x with S from the reference)`, and s is the factor that fits a row
/// best, `Σ a d / Σ a²`, of either sign. 0: the sums predict the changes exactly; 1:
/// they predict nothing. Without any change it is 0.
///
/// All rows share the sets; a feature is in one with probability ½.
///
/// # Shapes
///
/// - relevance: `[N, D]`
pub fn infidelity<B: Backend>(
    query: &Query<'_, B>,
    relevance: &Tensor<B, 2>,
    to: Reference,
    sets: usize,
) -> f64 {
    let features = query.x.dims()[1];
    let mut rng = Stream::InfidelitySets.generator(query.background.seed());
    let sets: Vec<Vec<bool>> =
        (0..sets).map(|_| (0..features).map(|_| uniform(&mut rng) < 0.5).collect()).collect();
    of_sets(query, relevance, to, &sets)
}

fn of_sets<B: Backend>(
    query: &Query<'_, B>,
    relevance: &Tensor<B, 2>,
    to: Reference,
    sets: &[Vec<bool>],
) -> f64 {
    let shape = query.x.dims();
    if shape[0] == 0 || sets.is_empty() {
        return 0.0;
    }
    let reference = query.reference(to);
    let logit = query.logit();
    let logits = transfer::download(logit);
    let mut sums = vec![SetSums::default(); shape[0]];
    for set in sets {
        let marks = set.iter().map(|is| f64::from(u8::from(*is))).collect();
        let marks =
            transfer::upload::<B, 2>(marks, [1, shape[1]], &query.x.device(), query.x.dtype());
        let set = marks.greater_elem(0.5).expand(shape);
        let sum = relevance.clone().mask_fill(set.clone().bool_not(), 0.0).sum_dim(1);
        let without = query.at(query.x.clone().mask_where(set, reference.clone())).logit();
        // The square of a logit may overflow f32.
        let (sum, without) = (transfer::download(sum), transfer::download(without));
        for (row, sums) in sums.iter_mut().enumerate() {
            let change = logits[row] - without[row];
            sums.predicted += sum[row] * sum[row];
            sums.both += sum[row] * change;
            sums.changed += change * change;
        }
    }
    // At the best s, Σ (s a − d)² = Σ d² − (Σ a d)² / Σ a².
    let explained = |row: &SetSums| {
        if row.predicted == 0.0 { 0.0 } else { row.both * row.both / row.predicted }
    };
    let explained: f64 = sums.iter().map(explained).sum();
    let all: f64 = sums.iter().map(|row| row.changed).sum();
    if all == 0.0 {
        0.0
    } else {
        // Rounding may explain a little more than there is.
        ((all - explained) / all).clamp(0.0, 1.0)
    }
}

/// Sums over all sets for one row.
#[derive(Clone, Default)]
struct SetSums {
    /// Σ a².
    predicted: f64,
    /// Σ a d.
    both: f64,
    /// Σ d².
    changed: f64,
}

#[cfg(all(test, feature = "flex"))]
mod tests {
    use super::*;
    use burn::backend::{Autodiff, Flex};
    use burn::tensor::DType;
    use serde_json::Value;

    use crate::baseline::{Background, Tracked};
    use crate::cluster::KMeans;
    use crate::data::{Scale, Table};
    use crate::explain::Target;

    fn figures(file: &str) -> Value {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../tests/reference/baselines/");
        let text = std::fs::read_to_string(format!("{folder}{file}")).expect("a reference file");
        serde_json::from_str::<Value>(&text).expect("JSON")["tensors"].clone()
    }

    fn numbers(file: &Value, name: &str) -> Vec<f64> {
        let values = file[name]["values"].as_array().expect("numbers");
        values.iter().map(|value| value.as_f64().expect("a number")).collect()
    }

    /// The same relevances and the same sets.
    #[test]
    fn infidelity_is_that_of_another_program() -> crate::Result<()> {
        let (measures, functions) = (figures("measures.json"), figures("functions.json"));
        let device = Default::default();
        let table = |values| transfer::upload::<Flex, 2>(values, [178, 13], &device, DType::F64);
        let x = Table::wine().to_tensor::<Flex>(&device, DType::F64)?;
        let x = Scale::MinMax.fit(&x)?.transform(&x)?;
        let centroids = numbers(&functions, "centroids");
        let centroids = transfer::upload::<Flex, 2>(centroids, [3, 13], &device, DType::F64);
        let subject = Tracked::<Autodiff<Flex>>::new(KMeans::from_centroids(centroids)?)?;
        let background = Background::new(&subject, &x, 0)?;
        let query = background.query(&x, Target::Assigned)?;
        let sets: Vec<Vec<bool>> = numbers(&measures, "masks")
            .chunks(13)
            .map(|set| set.iter().map(|mark| *mark > 0.5).collect())
            .collect();
        let product = numbers(&figures("gradients.json"), "kmeans input");
        for (name, relevance) in [
            ("neon hard", numbers(&measures, "neon hard")),
            ("clusterxplain", numbers(&measures, "clusterxplain")),
            ("product", product),
            ("constant", vec![1.0; 178 * 13]),
        ] {
            let found = of_sets(&query, &table(relevance), Reference::Competitor, &sets);
            let expected = numbers(&measures, &format!("{name} infidelity"))[0];
            assert!((found - expected).abs() < 1e-9, "{name}: {found}, {expected}");
        }
        Ok(())
    }
}
