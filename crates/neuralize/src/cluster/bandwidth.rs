//! The width of the Gaussian kernel.

use burn::config::Config;
use burn::tensor::{Tensor, backend::Backend};
use rayon::prelude::*;

use crate::error::{Error, Result};
use crate::random::{Stream, subset};
use crate::transfer;

/// How the stiffness γ of the Gaussian kernel `exp(−γ ‖x−u‖²)` is chosen.
#[derive(Config, Debug, PartialEq)]
#[non_exhaustive]
pub enum Bandwidth {
    /// The first of three choices whose network agrees with the fit on 95 % of
    /// the points, or the one that agrees on the most: a perplexity of a tenth of
    /// the other points (at least 3), of a third of them, and the median. Up to
    /// three fits are made.
    ///
    /// No width fits clusters of every form. With 100 to 2000 points, a tenth
    /// separated five clouds (0.81 to 1.00 of the points, mostly 0.98 and more) and
    /// interleaved half circles (0.97 and more from 200 points on). The median
    /// separates clouds only. A perplexity of 30 separates two concentric rings of
    /// 400 and more points, but from 1000 points on neither all half circles nor
    /// clouds. For thin, closed clusters, try smaller perplexities.
    Neighbours,
    /// This γ, in inverse squared units of the data.
    Gamma(f64),
    /// 1 / median of the squared distances between different points. This is a
    /// wide kernel: it suits clouds and does not follow curved clusters.
    Median,
    /// The γ for which a point has this number of neighbours on average: the mean
    /// over the points of exp(entropy of the weights `exp(−γ ‖x−u‖²)` of the other
    /// points).
    Perplexity(f64),
    /// The perplexity that is this fraction of all points, above 0 and at most 1.
    /// It is at least 2 (of three points, between 1 and 2) and at most 95 % of the
    /// other points.
    Share(f64),
}

/// Maximum number of points whose distances to all others are taken.
const POINTS: usize = 1000;

/// Maximum number of distances, unless [`FEWEST`] points have more.
const DISTANCES: usize = 1 << 22;

/// Number of points that are taken however many distances they have.
const FEWEST: usize = 16;

/// Maximum number of steps in the search for γ.
const STEPS: usize = 200;

impl Bandwidth {
    /// Checks the setting, without data.
    pub(crate) fn check(&self) -> Result<()> {
        match *self {
            Self::Gamma(gamma) if !(gamma > 0.0 && gamma.is_finite()) => {
                Err(Error::config("gamma", gamma, "it must be positive and finite"))
            }
            Self::Perplexity(perplexity) if !(perplexity > 1.0 && perplexity.is_finite()) => {
                Err(Error::config("perplexity", perplexity, "it must be finite and more than 1"))
            }
            Self::Share(part) if !(part > 0.0 && part <= 1.0) => {
                let rule = "as a fraction of the points it must be more than 0 and at most 1";
                Err(Error::config("perplexity", part, rule))
            }
            _ => Ok(()),
        }
    }

    /// The settings that are tried one after the other for this number of rows.
    pub(super) fn candidates(&self, rows: usize) -> Vec<Self> {
        if *self != Self::Neighbours {
            return vec![self.clone()];
        }
        let others = rows.saturating_sub(1) as f64;
        let near = |part: f64| Self::Perplexity((others / part).max(3.0));
        if others < 6.0 { vec![Self::Median] } else { vec![near(10.0), near(3.0), Self::Median] }
    }

    /// γ for the rows of x.
    pub(crate) fn gamma<B: Backend>(&self, x: &Tensor<B, 2>, seed: u64) -> Result<f64> {
        match *self {
            Self::Gamma(gamma) => Ok(gamma),
            Self::Neighbours => match self.candidates(x.dims()[0]).first() {
                Some(first) => first.gamma(x, seed),
                None => Self::Median.gamma(x, seed),
            },
            Self::Median => Ok(1.0 / Spacing::of(&distances(x, seed))?.median),
            Self::Perplexity(perplexity) => gamma_of_perplexity(&distances(x, seed), perplexity),
            Self::Share(part) => {
                let others = x.dims()[0].saturating_sub(1) as f64;
                if others < 2.0 {
                    return Self::Median.gamma(x, seed);
                }
                let (fewest, most) = ((0.5 + 0.5 * others).min(2.0), 0.95 * others);
                Self::Perplexity((part * (others + 1.0)).clamp(fewest, most)).gamma(x, seed)
            }
        }
    }
}

/// Squared distances from a sample of the rows to all others, a list for every
/// row of the sample: at most [`POINTS`], and fewer if there are many rows.
///
/// They are computed from differences, on the host and in f64: from products,
/// the distances of near points would be lost in the rounding of far ones.
///
/// # Shapes
///
/// - x: `[N, D]`
pub(crate) fn distances<B: Backend>(x: &Tensor<B, 2>, seed: u64) -> Vec<Vec<f64>> {
    let [rows, features] = x.dims();
    let most = POINTS.min((DISTANCES / rows.max(1)).max(FEWEST)).min(rows);
    let mut rng = Stream::Bandwidth.generator(seed);
    let chosen = subset(rows, most, &mut rng);
    distances_from(&transfer::download(x.clone()), features, &chosen)
}

/// Of the chosen rows of a table `[N, D]` to all others.
fn distances_from(table: &[f64], features: usize, chosen: &[usize]) -> Vec<Vec<f64>> {
    let rows = table.len() / features;
    let row = |row: usize| &table[row * features..(row + 1) * features];
    chosen
        .par_iter()
        .map(|&own| {
            let others = (0..rows).filter(|other| *other != own);
            others
                .map(|other| row(own).iter().zip(row(other)).map(|(a, b)| (a - b) * (a - b)).sum())
                .collect()
        })
        .collect()
}

/// Typical distances between points.
pub(super) struct Spacing {
    /// Median of the squared distances between different points.
    pub(super) median: f64,
    /// Mean of the squared distances to the nearest different point.
    pub(super) nearest: f64,
}

impl Spacing {
    /// The spacing in lists of squared distances.
    ///
    /// # Errors
    ///
    /// If all distances are 0.
    pub(super) fn of(distances: &[Vec<f64>]) -> Result<Self> {
        let mut all: Vec<f64> =
            distances.iter().flatten().copied().filter(|distance| *distance > 0.0).collect();
        let middle = all.len() / 2;
        if all.is_empty() {
            return Err(equal_points());
        }
        let (_, median, _) = all.select_nth_unstable_by(middle, f64::total_cmp);
        let median = *median;
        let nearest: Vec<f64> = distances
            .iter()
            .filter_map(|row| {
                row.iter().copied().filter(|distance| *distance > 0.0).min_by(f64::total_cmp)
            })
            .collect();
        Ok(Self { median, nearest: nearest.iter().sum::<f64>() / nearest.len() as f64 })
    }
}

/// The γ for which the mean over the lists of exp(entropy of `softmin_γ`) of
/// their squared distances is the perplexity, by bisection of log γ.
///
/// # Errors
///
/// If there is no such γ: the perplexity must lie between the number of equally
/// near nearest points and the number of points.
pub(crate) fn gamma_of_perplexity(distances: &[Vec<f64>], perplexity: f64) -> Result<f64> {
    let spacing = Spacing::of(distances)?;
    let others = distances.first().map_or(0, Vec::len);
    if !(perplexity > 1.0 && perplexity < others as f64) {
        let rule = format!(
            "it must be more than 1 and less than the number of other points, here {others}; or give gamma as a \
             number"
        );
        return Err(Error::config("perplexity", perplexity, &rule));
    }
    let at = |gamma: f64| mean_perplexity(distances, gamma);
    let (mut low, mut high) = (1.0 / spacing.median, 1.0 / spacing.median);
    let mut steps = 0;
    while at(low) < perplexity && steps < STEPS {
        low /= 4.0;
        steps += 1;
    }
    while at(high) > perplexity && steps < STEPS {
        high *= 4.0;
        steps += 1;
    }
    if steps == STEPS || !high.is_finite() {
        let rule = "points have more equal neighbours than that; drop duplicates, use a larger perplexity, \
                    or give gamma as a number";
        return Err(Error::config("perplexity", perplexity, rule));
    }
    while high / low > 1.0 + 1e-9 && steps < STEPS {
        let middle = (low * high).sqrt();
        if at(middle) > perplexity {
            low = middle
        } else {
            high = middle
        }
        steps += 1;
    }
    Ok((low * high).sqrt())
}

/// Mean of exp(entropy) of the weights `exp(−γ d)`, list by list.
fn mean_perplexity(distances: &[Vec<f64>], gamma: f64) -> f64 {
    let each: Vec<f64> = distances
        .par_iter()
        .map(|row| {
            let least = row.iter().copied().fold(f64::INFINITY, f64::min);
            let (mut total, mut mean) = (0.0, 0.0);
            for distance in row {
                let energy = gamma * (distance - least);
                let weight = (-energy).exp();
                total += weight;
                if weight > 0.0 {
                    mean += weight * energy;
                }
            }
            total * (mean / total).exp()
        })
        .collect();
    each.iter().sum::<f64>() / each.len() as f64
}

fn equal_points() -> Error {
    Error::config(
        "gamma",
        "from the data",
        "all points are equal, or nearer than squares can tell, so they have no scale; give gamma as a number",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Equally spaced neighbours on a circle of known weights.
    #[test]
    fn perplexity_is_met() {
        let rows: Vec<Vec<f64>> = (0..7)
            .map(|i| (1..40).map(|j| f64::from(j * j) * 0.01 * f64::from(i + 1)).collect())
            .collect();
        for wanted in [1.5, 5.0, 20.0, 38.0] {
            let gamma = gamma_of_perplexity(&rows, wanted).expect("between 1 and 39");
            let naive = rows.iter().map(|row| {
                let total: f64 = row.iter().map(|d| (-gamma * d).exp()).sum();
                let p = row.iter().map(|d| (-gamma * d).exp() / total);
                p.filter(|p| *p > 0.0).map(|p| -p * p.ln()).sum::<f64>().exp()
            });
            let found = naive.sum::<f64>() / 7.0;
            assert!((found - wanted).abs() < 1e-6 * wanted, "{found} against {wanted}");
        }
        assert!(gamma_of_perplexity(&rows, 39.0).is_err());
        assert!(gamma_of_perplexity(&rows, 1.0).is_err());
        assert!(gamma_of_perplexity(&[vec![0.0; 5], vec![0.0; 5]], 2.0).is_err());
        // Four points at distance 0 are four neighbours for every γ.
        let tied = [vec![0.0, 0.0, 0.0, 0.0, 1.0, 2.0]];
        assert!(gamma_of_perplexity(&tied, 3.0).is_err());
        assert!(gamma_of_perplexity(&tied, 4.5).is_ok());
    }
}
