use burn::tensor::{DType, Tensor, backend::Backend};

use crate::cluster::{random_stream, uniform};
use crate::error::{Error, Result};
use crate::kernel::{self, Affine};
use crate::transfer;

/// Points whose perplexity is looked at, at most.
const POINTS: usize = 1000;

/// Distances that are held while γ is sought; fewer points are looked at where
/// there are many others.
const DISTANCES: usize = 1 << 22;

/// How near the perplexity has to come.
const TOLERANCE: f64 = 1e-5;

/// Steps of the search: each halves log γ, or multiplies γ by 16 before that.
const STEPS: usize = 200;

/// The stiffness γ at which a point has `perplexity` neighbours: the mean over
/// the points (a random sample of at most 1000) of `exp(entropy(p))`, where
/// `p = softmin_j(γ ‖x − x_j‖²)` over all other points.
///
/// # Shapes
///
/// - x: `[N, D]`, checked
///
/// # Errors
///
/// If no γ has that perplexity: it must be more than 1 and less than N − 1, and
/// where many rows are equal, more than their number.
pub(crate) fn gamma_of_perplexity<B: Backend>(
    x: &Tensor<B, 2>,
    perplexity: f64,
    seed: u64,
) -> Result<f64> {
    let [rows, _] = x.dims();
    let refuse = |rule: String| {
        Err(Error::Config { name: "perplexity", value: perplexity.to_string(), rule })
    };
    let others = rows.saturating_sub(1);
    if !(perplexity > 1.0 && perplexity < others as f64) {
        let rule = format!(
            "it must be more than 1 and less than the number of other rows, {others}; \
             or give gamma as a number"
        );
        return refuse(rule);
    }
    if all_equal(x) {
        return refuse("all rows are equal; give gamma as a number".into());
    }
    let sample = sample(rows, POINTS.min((DISTANCES / rows).max(16)), seed);
    let points = transfer::upload_indices(&sample, &x.device());
    let own = kernel::is_own(points.clone().unsqueeze_dim(1), rows);
    let h = kernel::squared_distances(&x.clone().select(0, points), &Affine::of(x));
    let least = h.clone().mask_fill(own.clone(), transfer::largest(h.dtype())).min_dim(1);
    let shape = h.dims();
    let above = (h - least).mask_fill(own.clone(), 0.0);
    let mean = kernel::sum(above.clone().mean_dim(1).squeeze_dim(1)) / sample.len() as f64;
    if !(mean > 0.0 && 1.0 / mean < transfer::largest(above.dtype())) {
        return refuse("the rows hardly differ; give gamma as a number".into());
    }
    // Beyond it, rounding of the distances decides.
    let most = match above.dtype() {
        DType::F64 => 1e13,
        _ => 1e6,
    };
    let found = |gamma: f64| {
        let weights = (above.clone() * -gamma).exp().mask_fill(own.clone(), 0.0);
        let total = weights.clone().sum_dim(1);
        let shares = weights / total.clone().expand(shape);
        // H = log Σ_j exp(−γ h_j) + γ Σ_j p_j h_j, with h from the least one.
        let entropy = total.log() + (shares * above.clone()).sum_dim(1) * gamma;
        kernel::sum(entropy.exp().squeeze_dim(1)) / sample.len() as f64
    };

    // The perplexity falls with γ.
    let (mut low, mut high): (Option<f64>, Option<f64>) = (None, None);
    let mut gamma = 1.0 / mean;
    for _ in 0..STEPS {
        let reached = found(gamma);
        if (reached - perplexity).abs() <= TOLERANCE * perplexity {
            break;
        }
        match reached > perplexity {
            true => low = Some(gamma),
            false => high = Some(gamma),
        }
        gamma = match (low, high) {
            (Some(low), Some(high)) if high / low < 1.0 + 1e-14 => break,
            (Some(low), Some(high)) => (low * high).sqrt(),
            (Some(low), None) => low * 16.0,
            (None, Some(high)) => high / 16.0,
            (None, None) => break,
        };
        if gamma * mean > most {
            let rule = "so many rows are equal that no gamma has it; give gamma as a number";
            return refuse(rule.into());
        }
    }
    Ok(gamma)
}

fn all_equal<B: Backend>(x: &Tensor<B, 2>) -> bool {
    let [rows, features] = x.dims();
    let first = x.clone().slice([0..1, 0..features]);
    kernel::blocks(rows, kernel::block_rows(features)).all(|range| {
        let shape = [range.len(), features];
        let block = x.clone().slice([range, 0..features]);
        transfer::all_true(block.equal(first.clone().expand(shape)))
    })
}

/// `count` different numbers below `rows`, at random and in order; all of them
/// where there are no more.
pub(super) fn sample(rows: usize, count: usize, seed: u64) -> Vec<usize> {
    let mut numbers: Vec<usize> = (0..rows).collect();
    if count >= rows {
        return numbers;
    }
    let mut rng = random_stream(seed, 0);
    for place in 0..count {
        let left = rows - place;
        let chosen = place + ((uniform(&mut rng) * left as f64) as usize).min(left - 1);
        numbers.swap(place, chosen);
    }
    numbers.truncate(count);
    numbers.sort_unstable();
    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn samples_are_different_rows_in_order() {
        for (rows, count) in [(5, 9), (5, 5), (100, 1), (1000, 300)] {
            let found = sample(rows, count, 3);
            assert_eq!(found.len(), count.min(rows));
            assert!(found.is_sorted_by(|a, b| a < b) && found.iter().all(|&row| row < rows));
        }
        assert_eq!(sample(1000, 10, 3), sample(1000, 10, 3));
        assert_ne!(sample(1000, 10, 3), sample(1000, 10, 4));
    }
}
