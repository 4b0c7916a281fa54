//! Greedy k-means++: rows chosen as the first centroids.

use std::sync::Arc;

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::nearest::PackedScorer;
use super::real::Real;
use super::reduce::squared_distance;
use super::rows::CenteredRows;
use super::scores::{Quantity, QuantityBlock};

/// Candidates that are compared for every seed. Greedy k-means++ usually takes
/// 2 + ln K; kept candidates are worth less than fresh ones, so more are taken.
const TRIALS: usize = 24;

/// Seeds for which a candidate may lose before it is dropped.
const LIVES: usize = 3;

/// Candidates whose distances are computed in one product.
const POOL: usize = 48;

/// Rows of a block: its part of a product stays in cache while it is turned
/// into columns.
const BLOCK: usize = 256;

/// The rows from which seeds are chosen.
struct SeedSpace<'a, T> {
    rows: CenteredRows<'a, T>,
    /// `[n]`, the largest of them 1.
    weights: Vec<T>,
    /// ‖x‖², `[n]`, around the centre.
    norms: Vec<T>,
}

/// Seeds among the given rows; see [`SeedSpace::greedy`].
pub(crate) fn greedy_seeds<T: Real>(
    rows: CenteredRows<'_, T>,
    weights: &[T],
    seeds: usize,
    uniform: impl FnMut() -> f64,
) -> Vec<usize> {
    SeedSpace::new(rows, weights).greedy(seeds, uniform)
}

/// w d² of every row to some candidates.
struct Masses<T> {
    /// `[⌈n/BLOCK⌉, candidates, BLOCK]`; 0 beyond the last row.
    blocks: Vec<T>,
    candidates: usize,
}

impl<T: Real> Masses<T> {
    /// Those of one candidate, block by block.
    fn of(&self, candidate: usize) -> impl Iterator<Item = &[T]> {
        let start = candidate * BLOCK;
        self.blocks
            .chunks_exact(self.candidates * BLOCK)
            .map(move |block| &block[start..start + BLOCK])
    }

    fn at(&self, candidate: usize, row: usize) -> T {
        self.blocks[(row / BLOCK * self.candidates + candidate) * BLOCK + row % BLOCK]
    }
}

/// A row that may become a seed.
struct Candidate<T> {
    row: usize,
    masses: Arc<Masses<T>>,
    /// Its place among them.
    place: usize,
    lives: usize,
}

impl<'a, T: Real> SeedSpace<'a, T> {
    /// # Shapes
    ///
    /// - rows: `[n, D]`, weights: `[n]`
    fn new(rows: CenteredRows<'a, T>, weights: &[T]) -> Self {
        let most = weights.iter().fold(0.0, |most: f64, &w| most.max(w.into()));
        let weights: Vec<T> = weights.iter().map(|&w| T::of(w.into() / most)).collect();
        let norms = (0..weights.len())
            .into_par_iter()
            .with_min_len(256)
            .map_init(Vec::new, |buffer, row| {
                let row = rows.block(row, 1, buffer);
                T::of(row.iter().map(|&v| v.into() * v.into()).sum::<f64>())
            })
            .collect();
        Self { rows, weights, norms }
    }

    /// Greedy k-means++ with a pool of candidates.
    ///
    /// Candidates are drawn with probability proportional to w d², and the one
    /// with the smallest potential Σ w d² becomes a seed (Arthur and
    /// Vassilvitskii 2007). Others are kept for a few seeds more: a candidate
    /// whose d² falls from a to b is dropped with probability 1 − b/a, which
    /// leaves one that is drawn from the new distribution. This way the distances
    /// to many candidates are computed in one product, and each serves several
    /// seeds.
    ///
    /// Returns fewer rows than `seeds` if all other rows are equal to those.
    fn greedy(&self, seeds: usize, mut uniform: impl FnMut() -> f64) -> Vec<usize> {
        let first = Draw::new(&self.weights).row(uniform());
        let mut chosen = vec![first];
        let mut mass: Vec<T> = self.masses(&[first]).of(0).flatten().copied().collect();
        let mut pool: Vec<Candidate<T>> = Vec::new();
        while chosen.len() < seeds {
            if pool.len() < TRIALS {
                let draw = Draw::new(&mass);
                if draw.total <= 0.0 {
                    break;
                }
                let rows: Vec<usize> = (pool.len()..POOL).map(|_| draw.row(uniform())).collect();
                let masses = Arc::new(self.masses(&rows));
                pool.extend(rows.into_iter().enumerate().map(|(place, row)| Candidate {
                    row,
                    masses: Arc::clone(&masses),
                    place,
                    lives: LIVES,
                }));
            }
            let tried = &mut pool[..TRIALS];
            let potentials: Vec<f64> = tried
                .par_iter()
                .with_min_len(TRIALS.div_ceil(4).max(BLOCK * BLOCK / mass.len()))
                .map(|candidate| potential(&mass, candidate))
                .collect();
            let best = (1..TRIALS)
                .fold(0, |best, t| if potentials[t] < potentials[best] { t } else { best });
            tried.iter_mut().for_each(|candidate| candidate.lives -= 1);
            let seed = pool.remove(best);
            pool.retain(|candidate| {
                let before: f64 = mass[candidate.row].into();
                let after: f64 = seed.masses.at(seed.place, candidate.row).into();
                uniform() * before < after && candidate.lives > 0
            });
            lower(&mut mass, &seed);
            chosen.push(seed.row);
        }
        chosen
    }

    /// w d² of every row to the given ones.
    fn masses(&self, candidates: &[usize]) -> Masses<T> {
        let (features, count) = (self.rows.features, candidates.len());
        let mut weight = vec![T::default(); features * count];
        let mut own = Vec::with_capacity(features * count);
        let mut buffer = Vec::new();
        for (c, &row) in candidates.iter().enumerate() {
            let row = self.rows.block(row, 1, &mut buffer);
            for (d, &value) in row.iter().enumerate() {
                weight[d * count + c] = value + value;
            }
            own.extend_from_slice(row);
        }
        let norms: Vec<T> = candidates.iter().map(|&row| self.norms[row]).collect();
        let bias: Vec<T> = norms.iter().map(|&norm| T::default() - norm).collect();
        let scorer = PackedScorer::new(&weight, &bias);

        // A d² so small that it is mostly rounding error is computed again from the
        // differences: it is 0 for equal rows, and exact for near ones.
        let noise = T::of(64.0 * T::EPSILON);
        let n = self.weights.len();
        let mut blocks = vec![T::default(); n.div_ceil(BLOCK) * count * BLOCK];
        blocks.par_chunks_mut(count * BLOCK).enumerate().for_each(|(b, block)| {
            let range = b * BLOCK..((b + 1) * BLOCK).min(n);
            let (mut buffer, mut scores) = (Vec::new(), Vec::new());
            let x = self.rows.block(range.start, range.len(), &mut buffer);
            let mut distances = vec![T::default(); range.len() * count];
            pulp::Arch::new().dispatch(QuantityBlock {
                scorer: &scorer,
                quantity: Quantity::SquaredDistance,
                x,
                scores: &mut scores,
                out: &mut distances,
            });
            let of_rows = self.norms[range.clone()].iter().zip(&self.weights[range]);
            for (i, (distances, (&norm, &weight))) in
                distances.chunks_exact(count).zip(of_rows).enumerate()
            {
                for (c, &distance) in distances.iter().enumerate() {
                    let distance = if distance > noise * (norm + norms[c]) {
                        distance
                    } else {
                        let row = &x[i * features..(i + 1) * features];
                        let other = &own[c * features..(c + 1) * features];
                        T::of(squared_distance(row, other))
                    };
                    block[c * BLOCK + i] = weight * distance;
                }
            }
        });
        Masses { blocks, candidates: count }
    }
}

/// Σ w min(d², d² to the candidate)
fn potential<T: Real>(mass: &[T], candidate: &Candidate<T>) -> f64 {
    pulp::Arch::new().dispatch(Potential { mass, candidate })
}

struct Potential<'a, T> {
    mass: &'a [T],
    candidate: &'a Candidate<T>,
}

impl<T: Real> WithSimd for Potential<'_, T> {
    type Output = f64;

    /// In lanes, and in f64 across blocks of rows.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> f64 {
        const LANES: usize = 64;
        let Self { mass, candidate } = self;
        let mut total = 0.0;
        for (mass, other) in mass.chunks_exact(BLOCK).zip(candidate.masses.of(candidate.place)) {
            let mut sums = [T::default(); LANES];
            for (mass, other) in mass.chunks_exact(LANES).zip(other.chunks_exact(LANES)) {
                for l in 0..LANES {
                    sums[l] = sums[l] + smaller(mass[l], other[l]);
                }
            }
            let mut sum = T::default();
            for part in sums {
                sum = sum + part;
            }
            total += sum.into();
        }
        total
    }
}

/// Lowers every mass to that of the seed where it is smaller.
fn lower<T: Real>(mass: &mut [T], seed: &Candidate<T>) {
    for (mass, other) in mass.chunks_exact_mut(BLOCK).zip(seed.masses.of(seed.place)) {
        for (mass, &other) in mass.iter_mut().zip(other) {
            *mass = smaller(*mass, other);
        }
    }
}

#[inline(always)]
fn smaller<T: Real>(a: T, b: T) -> T {
    if b < a { b } else { a }
}

/// Draws rows in proportion to their mass.
struct Draw<'a, T> {
    mass: &'a [T],
    /// Running sums of blocks.
    sums: Vec<f64>,
    total: f64,
}

impl<'a, T: Real> Draw<'a, T> {
    fn new(mass: &'a [T]) -> Self {
        let mut total = 0.0;
        let sums = mass
            .chunks(BLOCK)
            .map(|block| {
                total += block.iter().map(|&m| m.into()).sum::<f64>();
                total
            })
            .collect();
        Self { mass, sums, total }
    }

    /// The row at this share of the total mass, in [0, 1); it has mass itself.
    fn row(&self, share: f64) -> usize {
        let target = share * self.total;
        let block = self.sums.partition_point(|&sum| sum <= target).min(self.sums.len() - 1);
        let mut running = if block == 0 { 0.0 } else { self.sums[block - 1] };
        let start = block * BLOCK;
        let mut last = None;
        for (offset, &mass) in self.mass[start..].iter().take(BLOCK).enumerate() {
            let mass: f64 = mass.into();
            if mass > 0.0 {
                running += mass;
                last = Some(start + offset);
                if running > target {
                    break;
                }
            }
        }
        // If rounding leaves a block without a row, any row with mass will do.
        let heavy = || self.mass.iter().position(|&mass| mass.into() > 0.0).unwrap_or(0);
        last.unwrap_or_else(heavy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_follow_the_mass() {
        let rows = 3 * BLOCK + 17;
        let mass: Vec<f64> = (0..rows).map(|i| if i % 5 == 0 { 0.0 } else { i as f64 }).collect();
        let draw = Draw::new(&mass);
        let drawn: Vec<usize> = (0..40_000).map(|i| draw.row(f64::from(i) / 40_000.0)).collect();
        for limit in [100, BLOCK, 2 * BLOCK + 9, rows - 20] {
            let share = drawn.iter().filter(|&&i| i < limit).count() as f64 / 40_000.0;
            let expected = mass[..limit].iter().sum::<f64>() / mass.iter().sum::<f64>();
            assert!((share - expected).abs() < 1e-4, "{limit}: {share} against {expected}");
        }
        assert!(drawn.iter().all(|&i| mass[i] > 0.0));
    }

    #[test]
    fn masses_are_weighted_distances() {
        fn check<T: Real>(tolerance: f64) {
            for (rows, features) in [(1, 1), (7, 3), (50, 5), (131, 17)] {
                let x: Vec<T> = (0..rows * features)
                    .map(|i| T::of(((i * 7919) % 1013) as f64 / 500.0 - 1.0))
                    .collect();
                let weight = |i: usize| ((i + 2) % 3) as f64;
                let weights: Vec<T> = (0..rows).map(|i| T::of(weight(i))).collect();
                let space =
                    SeedSpace::new(CenteredRows { x: &x, center: None, features }, &weights);
                let picked: Vec<usize> = (0..rows.min(11)).map(|i| (i * 5) % rows).collect();
                let masses = space.masses(&picked);
                for (place, &row) in picked.iter().enumerate() {
                    for i in 0..rows {
                        let distance: f64 = (0..features)
                            .map(|d| {
                                let (a, b): (f64, f64) =
                                    (x[i * features + d].into(), x[row * features + d].into());
                                (a - b) * (a - b)
                            })
                            .sum();
                        // The largest weight is 2 and counts as 1.
                        let expected = weight(i) / 2.0 * distance;
                        let found: f64 = masses.at(place, i).into();
                        assert!((found - expected).abs() < tolerance, "{found} {expected}");
                    }
                }
            }
        }
        check::<f32>(2e-5);
        check::<f64>(1e-12);
    }

    #[test]
    fn equal_rows_are_no_seeds() {
        let x: Vec<f32> = (0..400).map(|i| [0.1, 7.3, -2.9][i / 2 % 3] + (i % 2) as f32).collect();
        let rows = CenteredRows { x: &x, center: None, features: 2 };
        let space = SeedSpace::new(rows, &[1.0; 200]);
        let mut state = 0.37;
        let uniform = || {
            state = (state * 997.0 + 0.123) % 1.0;
            state
        };
        let mut chosen = space.greedy(10, uniform);
        chosen.iter_mut().for_each(|row| *row %= 3);
        chosen.sort_unstable();
        assert_eq!(chosen, [0, 1, 2]);
    }
}
