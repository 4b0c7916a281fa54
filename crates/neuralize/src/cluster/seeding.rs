use std::collections::HashSet;

use burn::tensor::{Tensor, backend::Backend};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};

use crate::cluster::config::Init;
use crate::cluster::lloyd::{self, Points};
use crate::error::{Error, Result};
use crate::{kernel, transfer};

/// A stream of random numbers for one restart, the same on every machine.
pub(crate) fn random_stream(seed: u64, run: usize) -> ChaCha8Rng {
    let mut rng = ChaCha8Rng::seed_from_u64(seed);
    rng.set_stream(run as u64);
    rng
}

/// A number in [0, 1) with 53 random bits.
pub(crate) fn uniform(rng: &mut ChaCha8Rng) -> f64 {
    (rng.next_u64() >> 11) as f64 * (1.0 / (1u64 << 53) as f64)
}

/// So many different rows, in order.
pub(crate) fn some_rows(rows: usize, count: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut all: Vec<usize> = (0..rows).collect();
    if count >= rows {
        return all;
    }
    for place in 0..count {
        let other = place + (uniform(rng) * (rows - place) as f64) as usize;
        all.swap(place, other.min(rows - 1));
    }
    all.truncate(count);
    all.sort_unstable();
    all
}

/// How the first centroids of a fit were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seeding {
    /// Greedy k-means++ over all rows.
    KMeansPlusPlus,
    /// Greedy k-means++ over a sample of the rows, then some Lloyd iterations
    /// on that sample.
    SampledKMeansPlusPlus {
        /// Rows of the sample.
        sample: usize,
    },
    /// Different rows, drawn at random.
    Random,
    /// Rows or centroids that were given.
    Given,
}

impl core::fmt::Display for Seeding {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::KMeansPlusPlus => f.write_str("greedy k-means++"),
            Self::SampledKMeansPlusPlus { sample } => {
                write!(f, "greedy k-means++ on a sample of {sample} rows")
            }
            Self::Random => f.write_str("random rows"),
            Self::Given => f.write_str("given"),
        }
    }
}

/// Initial centroids, `[K, D]`, around the centre.
pub(super) fn initial_centroids<B: Backend>(
    init: &Init,
    clusters: usize,
    points: &Points<'_, B>,
    rng: &mut ChaCha8Rng,
) -> Result<(Tensor<B, 2>, Seeding)> {
    match init {
        Init::KMeansPlusPlus => kmeans_plus_plus(clusters, points, rng),
        Init::Random => {
            let chosen = distinct_rows(clusters, points.weights, rng);
            Ok((rows(points, &chosen), Seeding::Random))
        }
        Init::Rows(chosen) => Ok((rows(points, chosen), Seeding::Given)),
    }
}

fn rows<B: Backend>(points: &Points<'_, B>, indices: &[usize]) -> Tensor<B, 2> {
    let chosen = transfer::upload_indices(indices, &points.x.device());
    points.x.clone().select(0, chosen) - points.center.clone()
}

/// Rows per cluster of the sample that seeds are chosen from.
const SAMPLE_PER_CLUSTER: usize = 16;

/// Rows up to which no sample is taken.
const SMALL: usize = 1 << 12;

/// Lloyd iterations on the sample.
const SAMPLE_ITERATIONS: usize = 5;

/// Rows of a sample that stands for the data.
pub(super) fn sample_size(clusters: usize) -> usize {
    SMALL.max(SAMPLE_PER_CLUSTER * clusters)
}

/// Initial centroids from a sample of data of `total` rows.
pub(super) fn from_sample<B: Backend>(
    init: &Init,
    clusters: usize,
    sample: &Points<'_, B>,
    total: usize,
    rng: &mut ChaCha8Rng,
) -> Result<(Tensor<B, 2>, Seeding)> {
    let (start, seeding) = initial_centroids(init, clusters, sample, rng)?;
    let size = sample.x.dims()[0];
    if size < total && seeding == Seeding::KMeansPlusPlus {
        let rest = lloyd::iterate(sample, start, SAMPLE_ITERATIONS, 0.0, |_, _| ())?;
        return Ok((rest.centroids, Seeding::SampledKMeansPlusPlus { sample: size }));
    }
    Ok((start, seeding))
}

/// Greedy k-means++, on a sample where the data are many rows a cluster: then
/// the seeds are moved to the means of their part of the sample, too, which
/// costs little and saves iterations on the whole.
///
/// Seeds are chosen one after the other, in steps too small for a device to be
/// worth waiting for: the sample is brought to the host, once.
fn kmeans_plus_plus<B: Backend>(
    clusters: usize,
    points: &Points<'_, B>,
    rng: &mut ChaCha8Rng,
) -> Result<(Tensor<B, 2>, Seeding)> {
    let [n, _] = points.x.dims();
    let size = sample_size(clusters);
    if n <= 2 * size {
        let seeds = greedy(points, clusters, rng);
        let seeds = fill_up(points, seeds, clusters);
        return Ok((rows(points, &seeds), Seeding::KMeansPlusPlus));
    }
    let weights = transfer::download(points.weights.clone());
    let (chosen, counts) = sample(&weights, size, rng);
    let seeding = Seeding::SampledKMeansPlusPlus { sample: chosen.len() };
    let (device, dtype) = (points.x.device(), points.x.dtype());
    let x = points.x.clone().select(0, transfer::upload_indices(&chosen, &device));
    let weights = transfer::upload(counts, [chosen.len()], &device, dtype);
    let sampled = Points { x: &x, weights: &weights, center: points.center };
    let seeds = greedy(&sampled, clusters, rng);
    if seeds.len() < clusters {
        // The sample has missed rows that the rest has.
        let seeds = seeds.into_iter().map(|row| chosen[row]).collect();
        let seeds = fill_up(points, seeds, clusters);
        return Ok((rows(points, &seeds), seeding));
    }
    let start = rows(&sampled, &seeds);
    let rest = lloyd::iterate(&sampled, start, SAMPLE_ITERATIONS, 0.0, |_, _| ())?;
    Ok((rest.centroids, seeding))
}

fn greedy<B: Backend>(points: &Points<'_, B>, clusters: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let Points { x, weights, center } = *points;
    kernel::greedy_seeds(x, center, weights, clusters, || uniform(rng))
}

/// Rows that represent the weights: one drawn from each of `count` strata of
/// equal weight, with how often it was drawn.
pub(super) fn sample(
    weights: &[f64],
    count: usize,
    rng: &mut ChaCha8Rng,
) -> (Vec<usize>, Vec<f64>) {
    let stratum = weights.iter().sum::<f64>() / count as f64;
    let (mut chosen, mut counts): (Vec<usize>, Vec<f64>) = (Vec::new(), Vec::new());
    let last = weights.iter().rposition(|&weight| weight > 0.0).unwrap_or(0);
    let (mut row, mut running) = (0, weights[0]);
    for s in 0..count {
        let target = (s as f64 + uniform(rng)) * stratum;
        while running <= target && row < last {
            row += 1;
            running += weights[row];
        }
        match (chosen.last(), counts.last_mut()) {
            (Some(&last), Some(count)) if last == row => *count += 1.0,
            _ => {
                chosen.push(row);
                counts.push(1.0);
            }
        }
    }
    (chosen, counts)
}

/// Adds rows that differ from those chosen, the first ones that do. Rows come
/// to the host block by block and no further than needed.
pub(super) fn fill_up<B: Backend>(
    points: &Points<'_, B>,
    mut chosen: Vec<usize>,
    clusters: usize,
) -> Vec<usize> {
    if chosen.len() == clusters {
        return chosen;
    }
    let [n, features] = points.x.dims();
    let taken = transfer::upload_indices(&chosen, &points.x.device());
    let taken = transfer::download(points.x.clone().select(0, taken));
    let mut seen: HashSet<Vec<u64>> = taken.chunks_exact(features).map(row_bits).collect();
    for range in kernel::blocks(n, kernel::block_rows(features)) {
        let x = transfer::download(points.x.clone().slice([range.clone(), 0..features]));
        let weights = transfer::download(points.weights.clone().slice([range.clone()]));
        for ((row, x), weight) in range.zip(x.chunks_exact(features)).zip(weights) {
            if weight > 0.0 && seen.insert(row_bits(x)) {
                chosen.push(row);
            }
            if chosen.len() == clusters {
                return chosen;
            }
        }
    }
    chosen
}

/// Adding zero makes -0 and 0 the same bits.
pub(super) fn row_bits(row: &[f64]) -> Vec<u64> {
    row.iter().map(|v| (v + 0.0).to_bits()).collect()
}

/// `count` different rows, drawn one after the other in proportion to their weight.
pub(super) fn distinct_rows<B: Backend>(
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

/// The first index whose running sum exceeds `target`; where rounding leaves
/// none, the last that has mass at all.
pub(super) fn position(mass: &[f64], target: f64) -> usize {
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
                seen.insert(row_bits(row));
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
    /// Every row as often as its weight says, up to the strata it lies in.
    #[test]
    fn samples_represent_the_weights() {
        let weights: Vec<f64> = (0..5000)
            .map(|i| match i {
                2500 => 3000.0,
                _ => [0.0, 1.0, 0.5, 0.0, 7.0][i % 5],
            })
            .collect();
        let total: f64 = weights.iter().sum();
        for (seed, count) in [1, 2, 10, 700, 4096, 9000].into_iter().enumerate() {
            let (chosen, counts) = sample(&weights, count, &mut random_stream(seed as u64, 0));
            assert!(chosen.is_sorted_by(|a, b| a < b), "in order, and each once");
            assert_eq!(counts.iter().sum::<f64>(), count as f64);
            let mut drawn = vec![0.0; weights.len()];
            for (&row, &count) in chosen.iter().zip(&counts) {
                assert!(weights[row] > 0.0 && count >= 1.0, "row {row}, drawn {count} times");
                drawn[row] = count;
            }
            for (row, (drawn, weight)) in drawn.iter().zip(&weights).enumerate() {
                let expected = weight * count as f64 / total;
                assert!((drawn - expected).abs() < 2.0, "row {row}: {drawn} {expected}");
            }
        }
        // All weight in the last row, or in the first.
        for place in [0, 99] {
            let mut weights = vec![0.0; 100];
            weights[place] = 0.1;
            let found = sample(&weights, 7, &mut random_stream(1, 0));
            assert_eq!(found, (vec![place], vec![7.0]));
        }
    }
}
