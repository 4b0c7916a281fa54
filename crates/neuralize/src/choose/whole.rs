//! Indices of all rows that were given.

use crate::choose::fits::{Fits, Halt, Outcome, Values};
use crate::choose::generator::{Generator, Stream};
use crate::choose::indices::{Centres, Grouping, Sampled, of_rows};
use crate::choose::partitioner::{Partition, Partitioner};
use crate::choose::rows::Rows;
use crate::choose::trial::{RESTARTS, Trial};

/// The most rows that figures are of; those of more rows are of so many at random.
pub const FIGURED_ROWS: usize = 100_000;
/// Silhouettes of more rows are those of a sample.
const EXACT_ROWS: usize = 10_000;
/// So many numbers are held at once for the silhouettes of several numbers of clusters.
const MAX_CELLS: usize = 1 << 24;
/// The rows of this sample.
const SAMPLED_ROWS: usize = 2_000;

/// The figures of a number of clusters that are of all rows.
#[derive(Debug, Clone, Copy)]
pub(in crate::choose) struct Whole {
    pub(in crate::choose) inertia: f64,
    pub(in crate::choose) silhouette: Option<f64>,
    pub(in crate::choose) silhouette_error: Option<f64>,
    pub(in crate::choose) calinski_harabasz: Option<f64>,
    pub(in crate::choose) davies_bouldin: Option<f64>,
    pub(in crate::choose) bic: Option<f64>,
}

/// Some of the rows, `[FIGURED_ROWS, D]`, if there are more.
pub(in crate::choose) fn figured(rows: &Rows<'_>, seed: u64) -> Option<Vec<f64>> {
    let (n, width) = (rows.n_rows(), rows.n_columns());
    (n > FIGURED_ROWS).then(|| {
        let chosen = Generator::new(seed, Stream::Figured, 0).subset(n, FIGURED_ROWS);
        chosen
            .iter()
            .flat_map(|row| &rows.values()[row * width..(row + 1) * width])
            .copied()
            .collect()
    })
}

/// Clusters all rows, unless those of the trials are all, and computes the indices.
pub(in crate::choose) fn whole<P: Partitioner>(
    fits: &mut Fits<'_, P>,
    rows: &Rows<'_>,
    trials: &[Trial],
    is_whole: bool,
) -> Outcome<Vec<Whole>, P> {
    let (mut groupings, mut bics) = (Vec::new(), Vec::new());
    for trial in trials {
        if is_whole {
            groupings.push(Grouping::of(&trial.labels));
            bics.push(trial.bic);
            continue;
        }
        let values = Values { values: rows.values(), width: rows.n_columns() };
        let fitted = fits.fit(values, trial.clusters, RESTARTS, (Stream::Whole, 0))?;
        groupings.push(Grouping::of(fitted.labels()));
        bics.push(fitted.bic());
    }
    let silhouettes = silhouettes(fits, rows, &groupings)?;
    let of_grouping = |((grouping, silhouette), bic): ((&Grouping, Option<Sampled>), _)| {
        let centres = Centres::of(rows.values(), rows.n_columns(), grouping);
        let is_comparable = grouping.is_comparable();
        Whole {
            inertia: centres.inertia,
            silhouette: silhouette.map(|silhouette| silhouette.estimate),
            silhouette_error: silhouette
                .and_then(|silhouette| silhouette.error)
                .filter(|_| rows.n_rows() > EXACT_ROWS),
            calinski_harabasz: is_comparable.then(|| centres.calinski_harabasz(grouping)),
            davies_bouldin: is_comparable.then(|| centres.davies_bouldin()),
            bic,
        }
    };
    Ok(groupings.iter().zip(silhouettes).zip(bics).map(of_grouping).collect())
}

fn silhouettes<P: Partitioner>(
    fits: &mut Fits<'_, P>,
    rows: &Rows<'_>,
    groupings: &[Grouping],
) -> Outcome<Vec<Option<Sampled>>, P> {
    let n = rows.n_rows();
    let chosen = if n > EXACT_ROWS {
        Generator::new(fits.seed, Stream::Silhouettes, 0).subset(n, SAMPLED_ROWS)
    } else {
        (0..n).collect()
    };
    let all: Vec<&Grouping> = groupings.iter().collect();
    let mut silhouettes = Vec::with_capacity(all.len());
    let mut left = all.as_slice();
    while !left.is_empty() {
        // Sums of distances, for every row and cluster, are held at once.
        let mut cells = 0;
        let fits_in = |grouping: &&&Grouping| {
            cells += chosen.len() * grouping.sizes.len();
            cells <= MAX_CELLS
        };
        let count = left.iter().take_while(fits_in).count().max(1);
        let (part, rest) = left.split_at(count);
        let Some(found) = of_rows(rows, &chosen, part, &mut || fits.go_on()) else {
            return Err(Halt::Stopped);
        };
        silhouettes.extend(found);
        left = rest;
    }
    let mean = |(grouping, values): (&Grouping, Vec<f64>)| {
        if grouping.is_comparable() { Sampled::of(&values, n) } else { None }
    };
    Ok(groupings.iter().zip(silhouettes).map(mean).collect())
}
