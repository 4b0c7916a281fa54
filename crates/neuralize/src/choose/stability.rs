//! Whether clusters come back on resampled rows.

use crate::choose::copies::Copies;
use crate::choose::fits::{Fits, Outcome, Values};
use crate::choose::generator::{Generator, Stream};
use crate::choose::partitioner::Partitioner;
use crate::choose::table::Table;
use crate::choose::trial::{RESTARTS_AGAIN, Trial};
use crate::cluster::CrossTable;

/// How often rows are drawn.
pub(in crate::choose) const BOOTSTRAPS: usize = 10;

/// Adds to every trial the adjusted Rand indices between its clusters and those of rows drawn with
/// replacement. Draws with fewer different rows than clusters are passed over.
pub(in crate::choose) fn resample<P: Partitioner>(
    fits: &mut Fits<'_, P>,
    table: &Table,
    copies: &Copies,
    trials: &mut [Trial],
) -> Outcome<(), P> {
    for draw in 0..BOOTSTRAPS {
        let rows = drawn(copies, &mut Generator::new(fits.seed, Stream::Resampled, draw));
        let different = different(copies, &rows);
        let sample = table.gather(&rows);
        let sample = Values { values: &sample, width: table.width };
        for trial in trials.iter_mut() {
            let k = trial.clusters;
            if different < k {
                fits.skip()?;
                continue;
            }
            let fitted = fits.fit(sample, k, RESTARTS_AGAIN, (Stream::Resampled, draw))?;
            let all = Values { values: &table.values, width: table.width };
            let labels = fits.assign(&fitted, all, k)?;
            trial.agreements.push(adjusted_rand(&trial.labels, &labels, k));
        }
    }
    Ok(())
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
    let other: Vec<Option<usize>> = other.iter().copied().map(Some).collect();
    let table = CrossTable::of(one, &other, clusters, clusters);
    table.map_or(0.0, |table| table.agreement().adjusted_rand)
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

    #[test]
    fn spread_of_few() {
        assert_eq!(mean_and_spread(&[0.5]), (0.0, 0.0));
        assert_eq!(mean_and_spread(&[0.0, 1.0]), (0.5, 0.5_f64.sqrt()));
    }
}
