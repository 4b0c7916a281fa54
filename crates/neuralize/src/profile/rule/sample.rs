//! The rows that rules are searched for in.

use rand_chacha::ChaCha8Rng;

use crate::profile::clustered_rows::ClusteredRows;
use crate::random::{Stream, uniform};

/// Maximum number of rows, apart from one for every cluster.
pub(super) const MAX_ROWS: usize = 20_000;

/// Rows of every cluster, each with a weight: the number of rows that it stands for.
#[derive(Debug)]
pub(super) struct Sample {
    /// The rows, cluster after cluster.
    pub(super) rows: Vec<usize>,
    /// Their clusters.
    pub(super) clusters: Vec<usize>,
    /// Their weights; those of a cluster sum to its size.
    pub(super) weights: Vec<f64>,
}

impl Sample {
    /// All rows, or [`MAX_ROWS`] of them: all rows of small clusters, and the same number of every
    /// larger one, drawn at random, the same in every run.
    pub(super) fn of(data: &ClusteredRows<'_>) -> Self {
        let sizes: Vec<usize> = (0..data.n_clusters()).map(|cluster| data.size(cluster)).collect();
        let most = most(&sizes, MAX_ROWS);
        let mut sample = Self { rows: Vec::new(), clusters: Vec::new(), weights: Vec::new() };
        let mut rng = Stream::Subset.generator(0);
        for (cluster, &size) in sizes.iter().enumerate() {
            let wanted = size.min(most);
            sample.rows.extend(drawn(data.rows_of(cluster), wanted, &mut rng));
            sample.clusters.resize(sample.rows.len(), cluster);
            sample.weights.resize(sample.rows.len(), size as f64 / wanted.max(1) as f64);
        }
        sample
    }
}

/// The largest number (at least 1) so that no more than `max` rows are taken if no cluster gives
/// more than it.
fn most(sizes: &[usize], max: usize) -> usize {
    let mut sorted: Vec<usize> = sizes.iter().copied().filter(|size| *size > 0).collect();
    sorted.sort_unstable();
    let mut left = max;
    for (at, size) in sorted.iter().enumerate() {
        let share = left / (sorted.len() - at);
        if *size > share {
            return share.max(1);
        }
        left -= size;
    }
    max
}

/// `wanted` of `rows`, in their order, each set of them equally likely (Knuth, "The Art of Computer
/// Programming" 2, algorithm 3.4.2S).
fn drawn(rows: &[usize], wanted: usize, rng: &mut ChaCha8Rng) -> Vec<usize> {
    let mut taken = Vec::with_capacity(wanted);
    for (at, row) in rows.iter().enumerate() {
        let left = (rows.len() - at) as f64;
        if uniform(rng) * left < (wanted - taken.len()) as f64 {
            taken.push(*row);
        }
    }
    taken
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_clusters_are_taken_whole() {
        let clusters: Vec<usize> =
            (0..60_000).map(|row| if row < 50 { 0 } else { 1 + row % 2 }).collect();
        let data = ClusteredRows::new(&[], &clusters, 4).expect("rows");
        let sample = Sample::of(&data);
        assert!(sample.rows.len() <= MAX_ROWS && sample.rows.len() > MAX_ROWS - 3);
        assert_eq!(sample.rows[..50], *data.rows_of(0));
        for cluster in 0..4 {
            let own = sample.clusters.iter().zip(&sample.weights).filter(|(of, _)| **of == cluster);
            let weight: f64 = own.map(|(_, weight)| weight).sum();
            assert!((weight - data.size(cluster) as f64).abs() < 1e-6);
        }
        // No half of the rows is preferred.
        let late = sample.rows.iter().filter(|row| **row >= 30_000).count();
        assert!((9_600..10_400).contains(&late), "{late}");
    }

    #[test]
    fn all_rows_if_they_are_few() {
        let data = ClusteredRows::new(&[], &[1, 0, 1], 2).expect("rows");
        let sample = Sample::of(&data);
        assert_eq!(sample.rows, [1, 0, 2]);
        assert_eq!(sample.weights, [1.0; 3]);
        assert_eq!(most(&[5, 5, 5], 2), 1);
        assert_eq!(most(&[0, 100, 3], 20), 17);
    }
}
