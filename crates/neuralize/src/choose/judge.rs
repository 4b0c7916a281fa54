//! The steps of the rule, from rows to a choice.

use std::collections::HashSet;
use std::ops::ControlFlow;

use crate::choose::candidate::Candidate;
use crate::choose::choice::Choice;
use crate::choose::copies::Copies;
use crate::choose::decision::decide;
use crate::choose::distances::Distances;
use crate::choose::fits::{Fits, Halt, Outcome, Values};
use crate::choose::generator::{Generator, Stream};
use crate::choose::indices::{Centres, Gap, Grouping, of_distances};
use crate::choose::lonely::lonely;
use crate::choose::partitioner::{Partition, Partitioner};
use crate::choose::progress::Progress;
use crate::choose::references::{Kind, References};
use crate::choose::rows::Rows;
use crate::choose::sentence;
use crate::choose::stability::{BOOTSTRAPS, mean_and_spread, resample};
use crate::choose::table::Table;
use crate::choose::trial::{RESTARTS, RESTARTS_AGAIN, Trial};
use crate::choose::valley::valley;
use crate::choose::whole::{FIGURED_ROWS, Whole, figured, whole};

/// The most rows that are judged.
const ROWS: usize = 1000;
/// Data sets without clusters of each kind.
const REFERENCES: usize = 8;
/// Rows that every cluster must have, and the share of the rows.
const MIN_MEMBERS: usize = 3;
const MIN_SHARE: f64 = 0.015;

/// The rows that are judged.
struct Judged {
    table: Table,
    copies: Copies,
    distances: Distances,
    least: usize,
    sampled: Option<usize>,
    lonely: usize,
}

/// Number of different rows.
fn n_different(values: Values<'_>) -> usize {
    let bits = |row: &[f64]| row.iter().map(|value| (value + 0.0).to_bits()).collect::<Vec<_>>();
    values.values.chunks_exact(values.width.max(1)).map(bits).collect::<HashSet<_>>().len()
}

/// The number of rows that every cluster of so many rows needs to count: 3, and 1.5 % of them.
pub fn least_rows(rows: usize) -> usize {
    MIN_MEMBERS.max((MIN_SHARE * rows as f64).ceil() as usize)
}

/// Chooses among numbers of clusters, which are in rising order.
pub(in crate::choose) fn choice<P: Partitioner>(
    rows: &Rows<'_>,
    asked: &[usize],
    seed: u64,
    method: &mut P,
    observe: &mut dyn FnMut(Progress) -> ControlFlow<()>,
) -> Outcome<Choice, P> {
    let judged = Judged::of(rows, asked, seed);
    let clusters = judged.possible(asked);
    if clusters.is_empty() {
        return Ok(judged.too_few(rows));
    }
    let is_whole = judged.table.n_rows == rows.n_rows();
    let per_number = 1 + 2 * REFERENCES + BOOTSTRAPS + usize::from(!is_whole);
    let progress = Progress { done: 0, of: clusters.len() * per_number };
    let mut fits = Fits { method, observe, progress, seed };
    let trials = judged.trials(&mut fits, &clusters)?;
    let some = figured(rows, seed);
    let some = some.as_ref().map(|values| Rows::new(values, rows.n_columns())).transpose();
    let some = some.map_err(|error| Halt::Failed(error.into()))?;
    let whole = whole(&mut fits, some.as_ref().unwrap_or(rows), &trials, is_whole)?;
    let candidates: Vec<Candidate> =
        trials.iter().zip(whole).map(|(trial, whole)| judged.candidate(trial, whole)).collect();
    let different = judged.copies.n_different();
    // One number alone is not the largest of several.
    let last = asked.last().copied().filter(|last| asked.len() > 1 && *last != different);
    let (recommended, sentence) = decide(&candidates, judged.least, last);
    Ok(judged.choice(rows, candidates, recommended, sentence))
}

impl Judged {
    /// Draws rows and leaves lonely ones aside.
    fn of(rows: &Rows<'_>, asked: &[usize], seed: u64) -> Self {
        let n = rows.n_rows();
        let sampled = (n > ROWS).then_some(ROWS);
        let chosen = match sampled {
            Some(count) => Generator::new(seed, Stream::Rows, 0).subset(n, count),
            None => (0..n).collect(),
        };
        let table = Table::of(rows, &chosen);
        let (n, copies, distances) = (table.n_rows, Copies::of(&table), Distances::of(&table));
        let least = least_rows(n);
        let judged = Self { table, copies, distances, least, sampled, lonely: 0 };
        let far = lonely(&judged.distances, least);
        if far.is_empty() || judged.possible(asked).is_empty() {
            return judged;
        }
        let is_near = |row: &usize| far.binary_search(row).is_err();
        let table = judged.table.select(&Vec::from_iter((0..n).filter(is_near)));
        let (copies, distances) = (Copies::of(&table), Distances::of(&table));
        Self { table, copies, distances, lonely: far.len(), ..judged }
    }

    /// The numbers of clusters that the rows can have.
    fn possible(&self, asked: &[usize]) -> Vec<usize> {
        let n = self.table.n_rows;
        if n < 3 * MIN_MEMBERS {
            return Vec::new();
        }
        let most = (n - 1).min(self.copies.n_different());
        asked.iter().copied().filter(|clusters| *clusters <= most).collect()
    }

    fn too_few(self, rows: &Rows<'_>) -> Choice {
        let sentence = sentence::too_few(self.table.n_rows, self.copies.n_different());
        self.choice(rows, Vec::new(), None, sentence)
    }

    fn choice(
        self,
        rows: &Rows<'_>,
        candidates: Vec<Candidate>,
        recommended: Option<usize>,
        sentence: String,
    ) -> Choice {
        let (sampled, lonely, least) = (self.sampled, self.lonely, self.least);
        let sampled = sampled.or_else(|| (rows.total() > rows.n_rows()).then_some(rows.n_rows()));
        let sentence = sentence + &sentence::remarks(lonely, sampled, rows.total());
        let different = self.copies.n_different();
        let figured = rows.n_rows().min(FIGURED_ROWS);
        let figured = (rows.total() > figured).then_some(figured);
        Choice {
            candidates,
            recommended,
            sentence,
            rows: rows.total(),
            figured,
            sampled,
            lonely,
            different,
            least,
        }
    }

    /// Clusters the rows, data without clusters and resampled rows.
    fn trials<P: Partitioner>(
        &self,
        fits: &mut Fits<'_, P>,
        clusters: &[usize],
    ) -> Outcome<Vec<Trial>, P> {
        let mut trials = Vec::new();
        for &clusters in clusters {
            let values = Values { values: &self.table.values, width: self.table.width };
            let fitted = fits.fit(values, clusters, RESTARTS, (Stream::Judged, 0))?;
            let labels = fitted.labels().to_vec();
            let (silhouette, log_w) = figures(values, &self.distances, &labels);
            let (boxed, log_w_boxed, copula, agreements) = Default::default();
            trials.push(Trial {
                clusters,
                labels,
                silhouette,
                log_w,
                bic: fitted.bic(),
                boxed,
                log_w_boxed,
                copula,
                agreements,
            });
        }
        self.refer(fits, &mut trials)?;
        resample(fits, &self.table, &self.copies, &mut trials)?;
        Ok(trials)
    }

    /// Clusters data without clusters.
    fn refer<P: Partitioner>(
        &self,
        fits: &mut Fits<'_, P>,
        trials: &mut [Trial],
    ) -> Outcome<(), P> {
        let references = References::new(&self.table, &self.copies);
        for (kind, stream) in [(Kind::Box, Stream::Box), (Kind::Copula, Stream::Copula)] {
            for draw in 0..REFERENCES {
                let values = references.draw(kind, draw, fits.seed);
                let values = Values { values: &values, width: self.table.width };
                let distances = Distances::between(values.values, values.width, self.table.n_rows);
                let different = n_different(values);
                for trial in trials.iter_mut() {
                    // So few different rows are clusters of their own.
                    if different < trial.clusters {
                        fits.skip()?;
                        let of_kind =
                            if kind == Kind::Box { &mut trial.boxed } else { &mut trial.copula };
                        of_kind.push(1.0);
                        continue;
                    }
                    let fitted =
                        fits.fit(values, trial.clusters, RESTARTS_AGAIN, (stream, draw))?;
                    let (silhouette, log_w) = figures(values, &distances, fitted.labels());
                    if kind == Kind::Box {
                        trial.boxed.push(silhouette);
                        trial.log_w_boxed.push(log_w);
                    } else {
                        trial.copula.push(silhouette);
                    }
                }
            }
        }
        Ok(())
    }

    fn candidate(&self, trial: &Trial, whole: Whole) -> Candidate {
        let (stability, stability_spread) = mean_and_spread(&trial.agreements);
        let without = mean(&trial.boxed).max(mean(&trial.copula));
        let above = (trial.silhouette - without) / (1.0 - without);
        let gap = Gap::of(trial.log_w, &trial.log_w_boxed);
        let mut candidate = Candidate {
            clusters: trial.clusters,
            inertia: whole.inertia,
            silhouette: whole.silhouette,
            silhouette_error: whole.silhouette_error,
            calinski_harabasz: whole.calinski_harabasz,
            davies_bouldin: whole.davies_bouldin,
            judged_silhouette: trial.silhouette,
            bic: whole.bic,
            gap: gap.map(|gap| gap.gap),
            gap_error: gap.map(|gap| gap.error),
            stability,
            stability_spread,
            smallest: smallest(&trial.labels, trial.clusters),
            valley: valley(&self.table.values, self.table.width, &trial.labels, trial.clusters),
            without,
            gain: if without < 1.0 { above } else { 0.0 },
            failed: Vec::new(),
        };
        let silhouettes = trial.boxed.iter().chain(&trial.copula);
        candidate.check(self.least, silhouettes.copied().fold(f64::NEG_INFINITY, f64::max));
        candidate
    }
}

/// The mean silhouette and the logarithm of the inertia.
fn figures(rows: Values<'_>, distances: &Distances, labels: &[usize]) -> (f64, f64) {
    let grouping = Grouping::of(labels);
    let inertia = Centres::of(rows.values, rows.width, &grouping).inertia;
    (of_distances(distances, &grouping), inertia.ln())
}

fn smallest(labels: &[usize], clusters: usize) -> usize {
    let mut sizes = vec![0; clusters];
    for label in labels {
        sizes.get_mut(*label).into_iter().for_each(|size| *size += 1);
    }
    sizes.into_iter().min().unwrap_or(0)
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}
