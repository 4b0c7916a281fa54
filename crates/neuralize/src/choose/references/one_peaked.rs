//! The distribution with one peak that is nearest to that of a column.

use crate::choose::copies::FEW_VALUES;

/// A distribution with one peak, by its quantiles.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::choose) enum OnePeaked {
    /// Values with their cumulated probabilities.
    Discrete { values: Vec<f64>, cumulated: Vec<f64> },
    /// Uniform between values, with their cumulated probabilities, from 0 to 1.
    Continuous { values: Vec<f64>, cumulated: Vec<f64> },
}

impl OnePeaked {
    /// Of the numbers of a column. It is discrete if it has at most [`FEW_VALUES`] different
    /// numbers, and at most a third as many as rows.
    ///
    /// The frequencies, or the density between neighbouring numbers, are made to rise up to a peak
    /// and to fall from it by pooling (Grenander's estimator on either side). The peak of a discrete
    /// column is that of the largest likelihood; of a continuous one, of 19 quantiles that with the
    /// smallest change of the distribution function, the distance of the dip test (Hartigan and
    /// Hartigan, "The dip test of unimodality", 1985).
    pub(in crate::choose) fn of(column: &[f64]) -> Self {
        let (values, counts) = counted(column);
        let is_discrete =
            values.len() < 2 || (values.len() <= FEW_VALUES && 3 * values.len() <= column.len());
        if is_discrete {
            let cumulated = most_likely(&counts);
            return Self::Discrete { values, cumulated };
        }
        let cumulated = nearest(&values, &counts, column.len());
        Self::Continuous { values, cumulated }
    }

    /// The number below which a share of the distribution lies.
    pub(in crate::choose) fn quantile(&self, share: f64) -> f64 {
        match self {
            Self::Discrete { values, cumulated } => {
                let place = cumulated.partition_point(|sum| *sum < share);
                values.get(place).or(values.last()).copied().unwrap_or(0.0)
            }
            Self::Continuous { values, cumulated } => interpolated(values, cumulated, share),
        }
    }
}

fn interpolated(values: &[f64], cumulated: &[f64], share: f64) -> f64 {
    let after = cumulated.partition_point(|sum| *sum <= share).max(1);
    let at = |list: &[f64], place: usize| list.get(place).copied();
    let ends = (at(values, after - 1), at(values, after));
    let sums = (at(cumulated, after - 1), at(cumulated, after));
    match (ends, sums) {
        ((Some(low), Some(high)), (Some(below), Some(above))) if above > below => {
            low + (high - low) * ((share - below) / (above - below)).clamp(0.0, 1.0)
        }
        _ => values.last().copied().unwrap_or(0.0),
    }
}

/// The different numbers of a column in rising order, and how often they occur.
fn counted(column: &[f64]) -> (Vec<f64>, Vec<f64>) {
    let mut sorted = column.to_vec();
    sorted.sort_by(f64::total_cmp);
    let same = sorted.chunk_by(|a, b| a == b);
    same.filter_map(|same| Some((*same.first()?, same.len() as f64))).unzip()
}

/// Cumulated one-peaked frequencies with the largest likelihood.
fn most_likely(counts: &[f64]) -> Vec<f64> {
    let weights = vec![1.0; counts.len()];
    let mut best: Option<(f64, Vec<f64>)> = None;
    for peak in 0..counts.len() {
        let shares = scaled(one_peak(counts, &weights, peak));
        let likelihood: f64 =
            counts.iter().zip(&shares).map(|(count, share)| count * share.ln()).sum();
        if best.as_ref().is_none_or(|(most, _)| likelihood > *most) {
            best = Some((likelihood, cumulated(&shares)));
        }
    }
    best.map(|(_, cumulated)| cumulated).unwrap_or_default()
}

/// The one-peaked distribution function at the values that is nearest to their own.
fn nearest(values: &[f64], counts: &[f64], rows: usize) -> Vec<f64> {
    let gaps: Vec<f64> =
        values.iter().zip(values.iter().skip(1)).map(|(low, high)| high - low).collect();
    let masses = masses(counts, rows);
    let own: Vec<f64> = from_zero(&masses);
    let density: Vec<f64> = masses.iter().zip(&gaps).map(|(mass, gap)| mass / gap).collect();
    let mut best: Option<(f64, Vec<f64>)> = None;
    for quantile in (1..20).map(|step| f64::from(step) * 0.05) {
        let first = own.partition_point(|sum| *sum < quantile);
        let peak = first.saturating_sub(1).min(gaps.len().saturating_sub(1));
        let peaked = one_peak(&density, &gaps, peak);
        let masses = peaked.iter().zip(&gaps).map(|(density, gap)| density * gap).collect();
        let found = from_zero(&scaled(masses));
        let change = largest_difference(&found, &own);
        // Gaps that are too small to divide by give no number, and are no better than any.
        let is_number = found.iter().all(|sum| sum.is_finite());
        if is_number && best.as_ref().is_none_or(|(least, _)| change < *least) {
            best = Some((change, found));
        }
    }
    best.map_or(own, |(_, found)| found)
}

/// The share of the rows in every gap: half of those at either end, and all of the first and the
/// last value.
fn masses(counts: &[f64], rows: usize) -> Vec<f64> {
    let mut masses: Vec<f64> =
        counts.windows(2).map(|pair| pair.iter().sum::<f64>() / 2.0).collect();
    if let (Some(mass), Some(count)) = (masses.first_mut(), counts.first()) {
        *mass += count / 2.0;
    }
    if let (Some(mass), Some(count)) = (masses.last_mut(), counts.last()) {
        *mass += count / 2.0;
    }
    masses.iter_mut().for_each(|mass| *mass /= rows as f64);
    masses
}

/// Values with weights, made to rise up to a place and to fall from it.
fn one_peak(values: &[f64], weights: &[f64], peak: usize) -> Vec<f64> {
    let pairs = || values.iter().copied().zip(weights.iter().copied());
    let mut rising = rising(pairs().take(peak + 1));
    let mut falling = self::rising(pairs().skip(peak).rev());
    let (last, first) = (rising.pop().unwrap_or(0.0), falling.pop().unwrap_or(0.0));
    rising.push(last.max(first));
    rising.extend(falling.into_iter().rev());
    rising
}

/// Values with weights, made to rise: neighbours that do not are pooled.
fn rising(pairs: impl Iterator<Item = (f64, f64)>) -> Vec<f64> {
    let mut pools: Vec<(f64, f64, usize)> = Vec::new();
    for (value, weight) in pairs {
        let mut pool = (value, weight, 1);
        while let Some(before) = pools.pop_if(|before| before.0 >= pool.0) {
            let weight = before.1 + pool.1;
            let mean = (before.0 * before.1 + pool.0 * pool.1) / weight;
            pool = (mean, weight, before.2 + pool.2);
        }
        pools.push(pool);
    }
    pools.iter().flat_map(|(value, _, count)| std::iter::repeat_n(*value, *count)).collect()
}

/// Divided by their sum.
fn scaled(mut values: Vec<f64>) -> Vec<f64> {
    let sum: f64 = values.iter().sum();
    values.iter_mut().for_each(|value| *value /= sum);
    values
}

fn cumulated(shares: &[f64]) -> Vec<f64> {
    let add = |sum: &mut f64, share: &f64| {
        *sum += share;
        Some(*sum)
    };
    shares.iter().scan(0.0, add).collect()
}

fn from_zero(shares: &[f64]) -> Vec<f64> {
    std::iter::once(0.0).chain(cumulated(shares)).collect()
}

fn largest_difference(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}
