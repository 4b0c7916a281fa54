use std::collections::HashSet;

use burn::tensor::{Tensor, backend::Backend};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::cluster::config::Init;
use crate::error::{Error, Result};
use crate::{kernel, transfer};

/// Rows whose mass is added on the device before the host chooses among blocks.
const DRAW_BLOCK: usize = 256;

/// A stream of random numbers for one restart, the same on every machine.
pub(super) fn random_stream(seed: u64, run: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(run as u64);
    rng
}

/// A number in [0, 1) with 53 random bits.
fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// Initial centroids, `[K, D]`.
///
/// # Shapes
///
/// - x: `[N, D]`, weights: `[N]`
pub(super) fn initial_centroids<B: Backend>(
    init: &Init,
    clusters: usize,
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    rng: &mut ChaCha8Rng,
) -> Tensor<B, 2> {
    match init {
        Init::KMeansPlusPlus => greedy_kmeans_plus_plus(clusters, x, weights, rng),
        Init::Random => rows(x, &distinct_rows(clusters, weights, rng)),
        Init::Rows(chosen) => rows(x, chosen),
    }
}

fn rows<B: Backend>(x: &Tensor<B, 2>, indices: &[usize]) -> Tensor<B, 2> {
    x.clone().select(0, transfer::upload_indices(indices, &x.device()))
}

/// Greedy k-means++: every centroid is the best of 2 + ⌊ln K⌋ candidates drawn
/// with probability proportional to the squared distance from those before
/// (Arthur and Vassilvitskii 2007; the number of candidates is scikit-learn's).
fn greedy_kmeans_plus_plus<B: Backend>(
    clusters: usize,
    x: &Tensor<B, 2>,
    weights: &Tensor<B, 1>,
    rng: &mut ChaCha8Rng,
) -> Tensor<B, 2> {
    let trials = 2 + (clusters as f64).ln().floor() as usize;
    let first = draw(weights, 1, rng);
    let mut chosen = first.clone();
    let (_, mut closest) = kernel::best_candidate(x, weights, None, &rows(x, &first));
    while chosen.len() < clusters {
        let mass = closest.clone() * weights.clone();
        let candidates = draw(&mass, trials, rng);
        let (best, left) =
            kernel::best_candidate(x, weights, Some(&closest), &rows(x, &candidates));
        chosen.push(candidates[best]);
        closest = left;
    }
    rows(x, &chosen)
}

/// `count` different rows, drawn one after the other in proportion to their weight.
fn distinct_rows<B: Backend>(
    count: usize,
    weights: &Tensor<B, 1>,
    rng: &mut ChaCha8Rng,
) -> Vec<usize> {
    let mut mass = transfer::download(weights.clone());
    let mut chosen = Vec::with_capacity(count);
    while chosen.len() < count {
        let target = uniform(rng) * mass.iter().sum::<f64>();
        let index = position(&mass, target);
        mass[index] = 0.0;
        chosen.push(index);
    }
    chosen
}

/// `count` rows, each drawn with probability proportional to its mass.
///
/// Masses are summed in blocks on the device; the host chooses a block, then a
/// row of it, and never sees the whole column.
fn draw<B: Backend>(mass: &Tensor<B, 1>, count: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let [rows] = mass.dims();
    let whole = rows / DRAW_BLOCK * DRAW_BLOCK;
    let mut sums = Vec::with_capacity(rows / DRAW_BLOCK + 1);
    if whole > 0 {
        let blocks = mass.clone().slice_dim(0, 0..whole).reshape([whole / DRAW_BLOCK, DRAW_BLOCK]);
        sums.extend(transfer::download(blocks.sum_dim(1)));
    }
    if whole < rows {
        sums.extend(transfer::download(mass.clone().slice_dim(0, whole..rows).sum()));
    }
    let total: f64 = sums.iter().sum();
    (0..count)
        .map(|_| {
            let mut target = uniform(rng) * total;
            let block = position(&sums, target);
            target -= sums[..block].iter().sum::<f64>();
            let start = block * DRAW_BLOCK;
            let end = (start + DRAW_BLOCK).min(rows);
            let values = transfer::download(mass.clone().slice_dim(0, start..end));
            start + position(&values, target)
        })
        .collect()
}

/// The first index whose running sum exceeds `target`; where rounding leaves
/// none, the last that has mass at all.
fn position(mass: &[f64], target: f64) -> usize {
    let mut running = 0.0;
    let mut last = 0;
    for (index, &value) in mass.iter().enumerate() {
        if value > 0.0 {
            running += value;
            last = index;
            if running > target {
                break;
            }
        }
    }
    last
}

/// Fails where fewer than `clusters` rows of positive weight differ.
///
/// Rows come to the host block by block and no further than needed: on
/// ordinary data the first block settles it.
pub(super) fn require_distinct_rows<B: Backend>(
    x: &Tensor<B, 2>,
    weights: &[f64],
    clusters: usize,
) -> Result<()> {
    let [rows, features] = x.dims();
    let mut seen = HashSet::new();
    for range in kernel::blocks(rows, clusters.saturating_mul(2).max(256)) {
        let values = transfer::download(x.clone().slice([range.clone(), 0..features]));
        for (row, weight) in values.chunks_exact(features).zip(&weights[range]) {
            if *weight > 0.0 {
                // Adding zero makes -0 and 0 the same bits.
                seen.insert(row.iter().map(|v| (v + 0.0).to_bits()).collect::<Vec<_>>());
            }
        }
        if seen.len() >= clusters {
            return Ok(());
        }
    }
    Err(Error::TooFewPoints { clusters, distinct: seen.len() })
}

#[cfg(test)]
mod tests {
    use super::*;
    use burn::backend::Flex;
    use burn::tensor::DType;

    #[test]
    fn draws_follow_the_mass() {
        let rows = 3 * DRAW_BLOCK + 17;
        let values: Vec<f64> = (0..rows).map(|i| if i % 5 == 0 { 0.0 } else { i as f64 }).collect();
        let total: f64 = values.iter().sum();
        let mass =
            transfer::upload::<Flex, 1>(values.clone(), [rows], &Default::default(), DType::F64);
        let drawn = draw(&mass, 20_000, &mut random_stream(3, 0));
        let below = |limit: usize| values[..limit].iter().sum::<f64>() / total;
        for limit in [100, DRAW_BLOCK, 2 * DRAW_BLOCK + 9, rows - 20] {
            let share = drawn.iter().filter(|&&i| i < limit).count() as f64 / 20_000.0;
            let expected = below(limit);
            // Four standard deviations of a binomial share.
            let tolerance = 4.0 * (expected * (1.0 - expected) / 20_000.0).sqrt();
            assert!((share - expected).abs() < tolerance, "{limit}: {share} against {expected}");
        }
        assert!(drawn.iter().all(|&i| values[i] > 0.0));
    }

    #[test]
    fn a_position_always_has_mass() {
        assert_eq!(position(&[0.0, 2.0, 0.0, 1.0, 0.0], 0.0), 1);
        assert_eq!(position(&[0.0, 2.0, 0.0, 1.0, 0.0], 2.0), 3);
        assert_eq!(position(&[0.0, 2.0, 0.0, 1.0, 0.0], 9.0), 3);
    }

    #[test]
    fn restarts_draw_from_different_streams() {
        let first = uniform(&mut random_stream(7, 0));
        assert_eq!(first, uniform(&mut random_stream(7, 0)));
        assert_ne!(first, uniform(&mut random_stream(7, 1)));
        assert_ne!(first, uniform(&mut random_stream(8, 0)));
    }
}
