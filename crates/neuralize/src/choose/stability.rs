//! Whether clusters come back on resampled rows.

use std::ops::ControlFlow;

use crate::choose::copies::Copies;
use crate::choose::fits::{Fits, Halt, Outcome, Values};
use crate::choose::generator::{Generator, Stream};
use crate::choose::partitioner::Partitioner;
use crate::choose::progress::Progress;
use crate::choose::rows::Rows;
use crate::choose::table::Table;
use crate::choose::trial::{RESTARTS_AGAIN, Trial};
use crate::cluster::CrossTable;
use crate::error::Error;

/// How often rows are drawn for a number of clusters.
pub(in crate::choose) const BOOTSTRAPS: usize = 10;
/// How often rows are drawn for the clusters of a model.
const BOOTSTRAPS_OF_CLUSTERS: usize = 20;

/// Adds to every trial the adjusted Rand indices between its clusters and those of rows drawn with
/// replacement.
pub(in crate::choose) fn resample<P: Partitioner>(
    fits: &mut Fits<'_, P>,
    table: &Table,
    copies: &Copies,
    trials: &mut [Trial],
) -> Outcome<(), P> {
    let numbers: Vec<usize> = trials.iter().map(|trial| trial.clusters).collect();
    again(fits, table, copies, (BOOTSTRAPS, &numbers), &mut |at, labels| {
        let trial = &mut trials[at];
        trial.agreements.push(adjusted_rand(&trial.labels, labels, trial.clusters));
    })
}

/// How surely every cluster comes back, `[K]`: the mean Jaccard similarity, 0 to 1, between its rows
/// and those of the most similar cluster of another fit; 20 fits to as many rows, drawn with
/// replacement, which are then assigned all rows (Hennig, "Cluster-wise assessment of cluster
/// stability", 2007; there the similarity is that of the drawn rows). By his rule of thumb a cluster
/// below 0.6 should not be trusted, and one from 0.75 on is a cluster indeed.
///
/// `None` is a cluster without rows, and every cluster where there are not more different rows than
/// clusters.
///
/// `labels` has the cluster of every row, `[N]`. The work grows with the number of rows: 1000 of
/// them, drawn at random, are enough.
///
/// ```
/// use burn::backend::Flex;
/// use burn::tensor::DType;
/// use neuralize::choose::{FittedBy, Rows, cluster_stability};
/// use neuralize::cluster::KMeansConfig;
///
/// // Two groups far apart, of which one is cut in two in its middle.
/// let values: Vec<f64> = (0..60).map(|i| f64::from(i) + if i < 30 { 0.0 } else { 1000.0 }).collect();
/// let labels: Vec<usize> = (0..60).map(|i| if i < 30 { 0 } else { 1 + usize::from(i < 45) }).collect();
/// let mut kmeans = FittedBy::<Flex>::new(KMeansConfig::new(3).into(), &Default::default(), DType::F64);
/// let found = cluster_stability(&Rows::new(&values, 1)?, &labels, 3, 0, &mut kmeans)?;
/// assert!(found[0] > found[1] && found[0] > found[2]);
/// # Ok::<(), neuralize::Error>(())
/// ```
///
/// # Errors
///
/// If there is not a label for every row, a label is not below `clusters`, and those of the method.
pub fn cluster_stability<P: Partitioner>(
    rows: &Rows<'_>,
    labels: &[usize],
    clusters: usize,
    seed: u64,
    method: &mut P,
) -> Result<Vec<Option<f64>>, P::Error> {
    if labels.len() != rows.n_rows() {
        let expected = format!("[{}]", rows.n_rows());
        return Err(Error::shape("the list of labels", expected, &[labels.len()]).into());
    }
    let mut sizes = vec![0_usize; clusters];
    for (row, &label) in labels.iter().enumerate() {
        let Some(size) = sizes.get_mut(label) else {
            let what = "the list of labels".to_owned();
            return Err(Error::Number { what, row, found: label, count: clusters }.into());
        };
        *size += 1;
    }
    let table = Table::of(rows, &Vec::from_iter(0..rows.n_rows()));
    let copies = Copies::of(&table);
    let (mut sums, mut draws) = (vec![0.0; clusters], 0_usize);
    if copies.n_different() > clusters {
        let progress = Progress { done: 0, of: BOOTSTRAPS_OF_CLUSTERS };
        let mut fits = Fits { method, observe: &mut |_| ControlFlow::Continue(()), progress, seed };
        let wanted = (BOOTSTRAPS_OF_CLUSTERS, &[clusters][..]);
        let outcome = again(&mut fits, &table, &copies, wanted, &mut |_, again| {
            draws += 1;
            let similar = jaccard(labels, again, clusters);
            sums.iter_mut().zip(similar).for_each(|(sum, similar)| *sum += similar);
        });
        if let Err(Halt::Failed(error)) = outcome {
            return Err(error);
        }
    }
    let mean = |(sum, size): (f64, usize)| (size > 0 && draws > 0).then(|| sum / draws as f64);
    Ok(sums.into_iter().zip(sizes).map(mean).collect())
}

/// Fits every number of clusters to rows drawn with replacement, so many times, and hands on its place
/// and the clusters of all rows. Draws with fewer different rows than clusters are passed over.
fn again<P: Partitioner>(
    fits: &mut Fits<'_, P>,
    table: &Table,
    copies: &Copies,
    (draws, numbers): (usize, &[usize]),
    found: &mut dyn FnMut(usize, &[usize]),
) -> Outcome<(), P> {
    for draw in 0..draws {
        let rows = drawn(copies, &mut Generator::new(fits.seed, Stream::Resampled, draw));
        let different = different(copies, &rows);
        let sample = table.gather(&rows);
        let sample = Values { values: &sample, width: table.width };
        for (at, &k) in numbers.iter().enumerate() {
            if different < k {
                fits.skip()?;
                continue;
            }
            let fitted = fits.fit(sample, k, RESTARTS_AGAIN, (Stream::Resampled, draw))?;
            let all = Values { values: &table.values, width: table.width };
            found(at, &fits.assign(&fitted, all, k)?);
        }
    }
    Ok(())
}

/// The Jaccard similarity of every cluster and the most similar one of the other clustering, `[K]`.
fn jaccard(one: &[usize], other: &[usize], clusters: usize) -> Vec<f64> {
    let Some(table) = cross_table(one, other, clusters) else { return vec![0.0; clusters] };
    let most_similar = |cluster: usize| {
        let own = table.size(cluster);
        let of = |&(there, both): &(usize, usize)| {
            let either = own + table.class_counts()[there] - both;
            both as f64 / either.max(1) as f64
        };
        table.row(cluster).iter().map(of).fold(0.0, f64::max)
    };
    (0..clusters).map(most_similar).collect()
}

/// As many rows as there are, with replacement; different rows with all their copies if these are
/// drawn together.
fn drawn(copies: &Copies, generator: &mut Generator) -> Vec<usize> {
    if copies.together {
        let count = copies.n_different();
        let group = |_| copies.groups.get(generator.index(count)).map_or(&[][..], Vec::as_slice);
        return (0..count).flat_map(group).copied().collect();
    }
    let count = copies.of_row.len();
    (0..count).map(|_| generator.index(count)).collect()
}

fn different(copies: &Copies, rows: &[usize]) -> usize {
    let mut numbers: Vec<usize> =
        rows.iter().filter_map(|row| copies.of_row.get(*row)).copied().collect();
    numbers.sort_unstable();
    numbers.dedup();
    numbers.len()
}

/// The adjusted Rand index of two clusterings of the same rows.
fn adjusted_rand(one: &[usize], other: &[usize], clusters: usize) -> f64 {
    cross_table(one, other, clusters).map_or(0.0, |table| table.agreement().adjusted_rand)
}

/// Two clusterings of the same rows side by side.
fn cross_table(one: &[usize], other: &[usize], clusters: usize) -> Option<CrossTable> {
    let other: Vec<Option<usize>> = other.iter().copied().map(Some).collect();
    CrossTable::of(one, &other, clusters, clusters).ok()
}

/// Mean and standard deviation, with divisor count − 1; 0 for fewer than two numbers.
pub(in crate::choose) fn mean_and_spread(numbers: &[f64]) -> (f64, f64) {
    if numbers.len() < 2 {
        return (0.0, 0.0);
    }
    let count = numbers.len() as f64;
    let mean = numbers.iter().sum::<f64>() / count;
    let squares: f64 = numbers.iter().map(|number| (number - mean).powi(2)).sum();
    (mean, (squares / (count - 1.0)).sqrt())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::choose::Rows;

    #[test]
    fn copies_are_drawn_together() {
        let values: Vec<f64> = (0..50).flat_map(|i| [f64::from(i); 3]).collect();
        let table = Table::of(&Rows::new(&values, 1).expect("rows"), &Vec::from_iter(0..150));
        let copies = Copies::of(&table);
        assert!(copies.together);
        let rows = drawn(&copies, &mut Generator::new(1, Stream::Resampled, 0));
        assert_eq!(rows.len(), 150);
        for group in rows.chunks(3) {
            assert!(group[0].is_multiple_of(3) && group[1] == group[0] + 1);
        }
        let count = different(&copies, &rows);
        assert!((20..45).contains(&count));
        let apart = Copies { together: false, ..copies };
        let rows = drawn(&apart, &mut Generator::new(1, Stream::Resampled, 0));
        assert!(rows.len() == 150 && !rows.chunks(3).all(|group| group[1] == group[0] + 1));
    }

    /// A row moves from the second cluster to the first.
    #[test]
    fn similarities_of_clusters() {
        let one = [0, 0, 0, 0, 1, 1, 1, 2];
        let other = [2, 2, 2, 2, 2, 0, 0, 1];
        assert_eq!(jaccard(&one, &other, 3), [4.0 / 5.0, 2.0 / 3.0, 1.0]);
        assert_eq!(jaccard(&[0, 0, 1], &[0, 0, 0], 2), [2.0 / 3.0, 1.0 / 3.0]);
    }

    #[test]
    fn spread_of_few() {
        assert_eq!(mean_and_spread(&[0.5]), (0.0, 0.0));
        assert_eq!(mean_and_spread(&[0.0, 1.0]), (0.5, 0.5_f64.sqrt()));
    }
}
