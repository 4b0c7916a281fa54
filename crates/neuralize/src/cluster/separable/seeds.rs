use burn::tensor::{Tensor, backend::Backend};
use rand_chacha::ChaCha8Rng;

use super::lloyd::Points;
use crate::cluster::{Init, lloyd, seeding};
use crate::{kernel, transfer};

/// The rows that the first centroids are made of.
pub(super) fn choose<B: Backend>(
    init: &Init,
    clusters: usize,
    points: &Points<'_, B>,
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
            let seeds = plus_plus(clusters, points, &candidates, rng);
            // Where the candidates were too few that differ, the rest has more.
            let center = points.row(0).zeros_like();
            let all = lloyd::Points { x: points.x, weights: counts, center: &center };
            seeding::fill_up(&all, seeds, clusters)
        }
    }
}

/// Greedy k-means++ by the distance: of some rows drawn in proportion to their
/// distance from the seeds so far, the one that leaves the least of it.
fn plus_plus<B: Backend>(
    clusters: usize,
    points: &Points<'_, B>,
    candidates: &[usize],
    rng: &mut ChaCha8Rng,
) -> Vec<usize> {
    let count = candidates.len();
    let x = points.x.clone().select(0, transfer::upload_indices(candidates, &points.x.device()));
    let first = ((seeding::uniform(rng) * count as f64) as usize).min(count - 1);
    let mut seeds = vec![candidates[first]];
    let mut nearest = from_seed(points, &x, candidates[first]);
    let trials = 2 + (clusters as f64).ln() as usize;
    while seeds.len() < clusters {
        let total: f64 = nearest.iter().sum();
        if !(total > 0.0 && total.is_finite()) {
            break;
        }
        let mut best: Option<(f64, usize, Vec<f64>)> = None;
        for _ in 0..trials {
            let drawn = seeding::position(&nearest, seeding::uniform(rng) * total);
            let left: Vec<f64> = from_seed(points, &x, candidates[drawn])
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

/// The distance of every candidate to the centroid that a row would make; 0
/// for that row itself and its like, which smoothing leaves at a distance from
/// their own centroid.
fn from_seed<B: Backend>(points: &Points<'_, B>, x: &Tensor<B, 2>, row: usize) -> Vec<f64> {
    let seed = points.row(row);
    // A centroid on the edge of the domain is refused when the fit starts.
    let Ok(centroid) = points.of_rows(&[row]) else { return vec![0.0; x.dims()[0]] };
    let none = || transfer::zeros([0], &x.device(), x.dtype());
    let distances = kernel::map_rows(x, 2, none, |block| {
        let value = points.rule.values(block.clone(), centroid.clone()).sum_dim(1).clamp_min(0.0);
        let same = (block - seed.clone()).abs().max_dim(1).lower_equal_elem(0.0);
        value.mask_fill(same, 0.0).squeeze_dim::<1>(1)
    });
    transfer::download(distances)
}

#[cfg(test)]
mod tests {
    use super::super::config::Moments;
    use super::*;
    use crate::cluster::Distance;
    use burn::backend::Flex;

    /// Smoothing leaves a row at a distance from its own centroid; it is no
    /// reason to take the row, or one like it, again.
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
                let moments = Moments::of(&x, &counts);
                let points = Points::new(&x, distance, &weights, &*rule, moments, smoothing);
                let all: Vec<usize> = (0..40).collect();
                let mut rng = seeding::random_stream(seed, 0);
                let seeds = plus_plus(4, &points, &all, &mut rng);
                let mut kinds: Vec<usize> = seeds.iter().map(|row| row % 4).collect();
                kinds.sort_unstable();
                assert_eq!(kinds, [0, 1, 2, 3], "{distance}, smoothing {smoothing}");
            }
        }
    }
}
