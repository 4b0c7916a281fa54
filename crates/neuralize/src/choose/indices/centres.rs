//! Indices from the means of clusters.

use crate::choose::indices::grouping::Grouping;

/// Means of clusters, and how far rows are from them.
#[derive(Debug, Clone, PartialEq)]
pub(in crate::choose) struct Centres {
    /// Means of clusters, `[K]` of `[D]`.
    means: Vec<Vec<f64>>,
    /// Mean of all rows, `[D]`.
    mean: Vec<f64>,
    /// Mean distances of the rows of a cluster to its mean, `[K]`.
    spreads: Vec<f64>,
    /// Sum of squared distances of rows to the means of their clusters.
    pub(in crate::choose) inertia: f64,
}

impl Centres {
    pub(in crate::choose) fn of(values: &[f64], width: usize, grouping: &Grouping) -> Self {
        let rows = || values.chunks_exact(width.max(1)).zip(&grouping.labels);
        let mut means = vec![vec![0.0; width]; grouping.sizes.len()];
        let mut mean = vec![0.0; width];
        for (row, label) in rows() {
            add(&mut mean, row);
            means.get_mut(*label).into_iter().for_each(|sum| add(sum, row));
        }
        divide(&mut mean, grouping.labels.len());
        means.iter_mut().zip(&grouping.sizes).for_each(|(sum, size)| divide(sum, *size));
        let (mut spreads, mut inertia) = (vec![0.0; means.len()], 0.0);
        for (row, label) in rows() {
            if let (Some(mean), Some(spread)) = (means.get(*label), spreads.get_mut(*label)) {
                let square = squared(row, mean);
                inertia += square;
                *spread += square.sqrt();
            }
        }
        spreads.iter_mut().zip(&grouping.sizes).for_each(|(sum, size)| *sum /= *size as f64);
        Self { means, mean, spreads, inertia }
    }

    pub(in crate::choose) fn calinski_harabasz(&self, grouping: &Grouping) -> f64 {
        if self.inertia == 0.0 {
            return 1.0;
        }
        let (n, k) = (grouping.labels.len() as f64, self.means.len() as f64);
        let parts = self.means.iter().zip(&grouping.sizes);
        let between: f64 = parts.map(|(mean, size)| *size as f64 * squared(mean, &self.mean)).sum();
        between * (n - k) / (self.inertia * (k - 1.0))
    }

    pub(in crate::choose) fn davies_bouldin(&self) -> f64 {
        const ABOUT_ZERO: f64 = 1e-8;
        let clusters = || self.means.iter().zip(&self.spreads).enumerate();
        let (mut sum, mut is_apart) = (0.0, false);
        for (one, (mean, spread)) in clusters() {
            let mut worst: f64 = 0.0;
            for (_, (other, other_spread)) in clusters().filter(|(other, _)| *other != one) {
                let distance = squared(mean, other).sqrt();
                is_apart |= distance > ABOUT_ZERO;
                if distance > 0.0 {
                    worst = worst.max((spread + other_spread) / distance);
                }
            }
            sum += worst;
        }
        let is_spread = self.spreads.iter().any(|spread| *spread > ABOUT_ZERO);
        if is_apart && is_spread { sum / self.means.len() as f64 } else { 0.0 }
    }
}

fn add(sum: &mut [f64], row: &[f64]) {
    sum.iter_mut().zip(row).for_each(|(sum, x)| *sum += x);
}

fn divide(sum: &mut [f64], count: usize) {
    sum.iter_mut().for_each(|sum| *sum /= count as f64);
}

fn squared(one: &[f64], other: &[f64]) -> f64 {
    one.iter().zip(other).map(|(a, b)| (a - b) * (a - b)).sum()
}
