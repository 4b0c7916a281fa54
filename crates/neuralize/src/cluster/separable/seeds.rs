//! First centroids for k-means by another distance.

use burn::tensor::{Tensor, backend::Backend};
use rand_chacha::ChaCha8Rng;

use super::lloyd::Problem;
use crate::cluster::lloyd::WeightedPoints;
use crate::cluster::seeding::{self, Init};
use crate::random::{self, uniform};
use crate::{kernel, transfer};

/// Rows that are the first centroids.
pub(super) fn choose<B: Backend>(
    init: &Init,
    clusters: usize,
    problem: &Problem<'_, B>,
    counts: &Tensor<B, 1>,
    rng: &mut ChaCha8Rng,
) -> Vec<usize> {
    match init {
        Init::Rows(chosen) => chosen.clone(),
        Init::Random => seeding::distinct_rows(clusters, counts, rng),
        Init::KMeansPlusPlus => {
            let rows = counts.dims()[0];
            let size = seeding::sample_size(clusters);
            let candidates = if rows <= 2 * size {
                (0..rows).collect()
            } else {
                seeding::sample(&vec![1.0; rows], size, rng).0
            };
            let seeds = plus_plus(clusters, problem, &candidates, rng);
            // Too few candidates differ: the other rows have more.
            let center = problem.row(0).zeros_like();
            let all = WeightedPoints { x: problem.x, weights: counts, center: &center };
            seeding::fill_up(&all, seeds, clusters)
        }
    }
}

/// Greedy k-means++ by the distance: every seed is the best of several rows drawn
/// in proportion to their distance from the seeds so far, the one that leaves the
/// smallest sum of distances.
fn plus_plus<B: Backend>(
    clusters: usize,
    problem: &Problem<'_, B>,
    candidates: &[usize],
    rng: &mut ChaCha8Rng,
) -> Vec<usize> {
    let count = candidates.len();
    let x = problem.x.clone().select(0, transfer::upload_indices(candidates, &problem.x.device()));
    let first = random::index(count, rng);
    let mut seeds = vec![candidates[first]];
    let mut nearest = from_seed(problem, &x, candidates[first]);
    let trials = 2 + (clusters as f64).ln() as usize;
    while seeds.len() < clusters {
        let total: f64 = nearest.iter().sum();
        if !(total > 0.0 && total.is_finite()) {
            break;
        }
        let mut best: Option<(f64, usize, Vec<f64>)> = None;
        for _ in 0..trials {
            let drawn = seeding::position(&nearest, uniform(rng) * total);
            let left: Vec<f64> = from_seed(problem, &x, candidates[drawn])
                .into_iter()
                .zip(&nearest)
                .map(|(new, old)| new.min(*old))
                .collect();
            let sum: f64 = left.iter().sum();
            if best.as_ref().is_none_or(|(least, ..)| sum < *least) {
                best = Some((sum, candidates[drawn], left));
            }
        }
        let Some((_, row, left)) = best else { break };
        seeds.push(row);
        nearest = left;
    }
    seeds
}

/// The distance of every candidate to the centroid of a cluster of one row. It is
/// 0 for that row and those equal to it, though smoothing draws the centroid away
/// from them.
fn from_seed<B: Backend>(problem: &Problem<'_, B>, x: &Tensor<B, 2>, row: usize) -> Vec<f64> {
    let seed = problem.row(row);
    // A centroid on the edge of the domain is refused when the fit starts.
    let Ok(centroid) = problem.of_rows(&[row]) else { return vec![0.0; x.dims()[0]] };
    let none = || transfer::zeros([0], &x.device(), x.dtype());
    let distances = kernel::map_rows(x, 2, none, |block| {
        let value = problem.rule.values(block.clone(), centroid.clone()).sum_dim(1).clamp_min(0.0);
        let same = (block - seed.clone()).abs().max_dim(1).lower_equal_elem(0.0);
        value.mask_fill(same, 0.0).squeeze_dim::<1>(1)
    });
    transfer::download(distances)
}

#[cfg(test)]
mod tests {
    use super::super::spread::Spread;
    use super::*;
    use crate::cluster::distance::Distance;
    use crate::random::Stream;
    use burn::backend::Flex;

    /// Smoothing leaves a row at a distance from its own centroid. The row, or one
    /// equal to it, must not be chosen again because of that.
    #[test]
    fn no_row_is_taken_twice() {
        let distinct = [[1.0, 9.0], [9.0, 1.0], [2.0, 9.0], [9.0, 2.0]];
        let rows: Vec<[f64; 2]> = (0..40).map(|i| distinct[i % 4]).collect();
        let x: Tensor<Flex, 2> =
            transfer::upload(rows.concat(), [40, 2], &Default::default(), burn::tensor::DType::F64);
        let counts = Tensor::ones([40], (&x.device(), x.dtype()));
        let weights = Tensor::ones([2], (&x.device(), x.dtype()));
        for distance in [Distance::KullbackLeibler, Distance::Manhattan] {
            let rule = distance.separable(&weights);
            for (seed, smoothing) in (0..20).zip([0.0, 1.0, 30.0].into_iter().cycle()) {
                let spread = Spread::of(&x, &counts);
                let problem = Problem::new(&x, distance, &weights, &*rule, spread, smoothing);
                let all: Vec<usize> = (0..40).collect();
                let mut rng = Stream::Restart(0).generator(seed);
                let seeds = plus_plus(4, &problem, &all, &mut rng);
                let mut kinds: Vec<usize> = seeds.iter().map(|row| row % 4).collect();
                kinds.sort_unstable();
                assert_eq!(kinds, [0, 1, 2, 3], "{distance}, smoothing {smoothing}");
            }
        }
    }
}
