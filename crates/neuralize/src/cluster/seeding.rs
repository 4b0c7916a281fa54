//! First centroids of k-means: greedy k-means++, random rows, or given ones.

use std::collections::HashSet;
use std::ops::ControlFlow;

use burn::config::Config;
use burn::tensor::{Tensor, backend::Backend};
use rand_chacha::ChaCha8Rng;

use super::lloyd::{self, Schedule, WeightedPoints};
use crate::error::{Error, Result};
use crate::random::uniform;
use crate::{kernel, transfer};

/// How the first centroids are chosen.
#[derive(Config, Debug, PartialEq)]
#[non_exhaustive]
pub enum Init {
    /// Greedy k-means++. For more than 2 max(4096, 16 K) rows, it works on a
    /// random sample of half that number, followed by five Lloyd iterations on
    /// the sample, which are not counted as iterations of the fit.
    KMeansPlusPlus,
    /// Different rows, drawn at random.
    Random,
    /// These rows of the data, counted from 0.
    Rows(Vec<usize>),
}

impl Init {
    /// Checks that given rows are different, in the data, and one a cluster.
    pub(super) fn check(&self, clusters: usize, rows: usize) -> Result<()> {
        let Self::Rows(chosen) = self else { return Ok(()) };
        let error = |rule: &str| Err(Error::config("init rows", format!("{chosen:?}"), rule));
        if chosen.len() != clusters {
            return error(&format!("it must name {clusters} rows, one a cluster"));
        }
        if chosen.iter().any(|&row| row >= rows) {
            return error(&format!("the data have rows 0 to {}", rows - 1));
        }
        if (1..chosen.len()).any(|i| chosen[..i].contains(&chosen[i])) {
            return error("the rows must be different");
        }
        Ok(())
    }
}

/// How the first centroids of a fit were chosen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Seeding {
    /// Greedy k-means++ on all rows.
    KMeansPlusPlus,
    /// Greedy k-means++ on a sample of the rows, then a few Lloyd iterations on
    /// that sample.
    SampledKMeansPlusPlus {
        /// Number of rows of the sample.
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

/// Initial centroids, `[K, D]`, relative to the centre.
pub(super) fn initial_centroids<B: Backend>(
    init: &Init,
    clusters: usize,
    points: &WeightedPoints<'_, B>,
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

fn rows<B: Backend>(points: &WeightedPoints<'_, B>, indices: &[usize]) -> Tensor<B, 2> {
    let chosen = transfer::upload_indices(indices, &points.x.device());
    points.x.clone().select(0, chosen) - points.center.clone()
}

/// Rows per cluster of the sample that seeds are chosen from.
const SAMPLE_PER_CLUSTER: usize = 16;

/// Rows up to which no sample is taken.
const SMALL: usize = 1 << 12;

/// Lloyd iterations on the sample.
const ON_A_SAMPLE: Schedule = Schedule { max_iter: 5, tolerance: 0.0, momentum: false };

/// Rows of a sample that first centroids are chosen from.
pub(super) fn sample_size(clusters: usize) -> usize {
    SMALL.max(SAMPLE_PER_CLUSTER * clusters)
}

/// Initial centroids from a sample of data of `total` rows.
pub(super) fn from_sample<B: Backend>(
    init: &Init,
    clusters: usize,
    sample: &WeightedPoints<'_, B>,
    total: usize,
    rng: &mut ChaCha8Rng,
) -> Result<(Tensor<B, 2>, Seeding)> {
    let (start, seeding) = initial_centroids(init, clusters, sample, rng)?;
    let size = sample.x.dims()[0];
    if size < total && seeding == Seeding::KMeansPlusPlus {
        let solution =
            lloyd::iterate(sample, start, &ON_A_SAMPLE, |_, _| ControlFlow::Continue(()))?;
        return Ok((solution.parameters, Seeding::SampledKMeansPlusPlus { sample: size }));
    }
    Ok((start, seeding))
}

/// Greedy k-means++. Where there are many rows per cluster, it works on a sample
/// and then moves the seeds by a few Lloyd iterations on the sample, which cost
/// little and save iterations on the whole data.
///
/// Seeds are chosen one after the other, in steps too small for a device: the
/// sample is copied to the host, once.
fn kmeans_plus_plus<B: Backend>(
    clusters: usize,
    points: &WeightedPoints<'_, B>,
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
    let sampled = WeightedPoints { x: &x, weights: &weights, center: points.center };
    let seeds = greedy(&sampled, clusters, rng);
    if seeds.len() < clusters {
        // The sample has fewer different rows than the data.
        let seeds = seeds.into_iter().map(|row| chosen[row]).collect();
        let seeds = fill_up(points, seeds, clusters);
        return Ok((rows(points, &seeds), seeding));
    }
    let start = rows(&sampled, &seeds);
    let solution = lloyd::iterate(&sampled, start, &ON_A_SAMPLE, |_, _| ControlFlow::Continue(()))?;
    Ok((solution.parameters, seeding))
}

fn greedy<B: Backend>(
    points: &WeightedPoints<'_, B>,
    clusters: usize,
    rng: &mut ChaCha8Rng,
) -> Vec<usize> {
    let WeightedPoints { x, weights, center } = *points;
    kernel::greedy_seeds(x, center, weights, clusters, || uniform(rng))
}

/// A stratified sample of the rows by weight: one row is drawn from each of
/// `count` strata of equal weight. Returns the rows and how often each was drawn.
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

/// Adds the first rows that differ from the chosen ones, up to one a cluster.
/// Rows are copied to the host block by block, until there are enough.
pub(super) fn fill_up<B: Backend>(
    points: &WeightedPoints<'_, B>,
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

/// A row as bits, to compare rows by. Adding zero makes -0 and 0 the same bits.
pub(super) fn row_bits(row: &[f64]) -> Vec<u64> {
    row.iter().map(|v| (v + 0.0).to_bits()).collect()
}

/// `count` different rows, drawn one after the other in proportion to their
/// weight.
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

/// The first index at which the running sum exceeds `target`; if rounding leaves
/// none, the last one with mass.
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

/// Checks that there are at least `clusters` different rows of positive weight.
///
/// Rows are copied to the host block by block, until there are enough: usually
/// one block.
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
    use crate::random::Stream;

    #[test]
    fn a_position_always_has_mass() {
        assert_eq!(position(&[0.0, 2.0, 0.0, 1.0, 0.0], 0.0), 1);
        assert_eq!(position(&[0.0, 2.0, 0.0, 1.0, 0.0], 2.0), 3);
        assert_eq!(position(&[0.0, 2.0, 0.0, 1.0, 0.0], 9.0), 3);
    }

    /// Every row is drawn in proportion to its weight, up to the strata it lies in.
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
            let (chosen, counts) =
                sample(&weights, count, &mut Stream::Restart(0).generator(seed as u64));
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
            let found = sample(&weights, 7, &mut Stream::Restart(0).generator(1));
            assert_eq!(found, (vec![place], vec![7.0]));
        }
    }
}
