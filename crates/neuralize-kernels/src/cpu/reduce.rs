//! Reductions over rows: distances to assigned centroids, sums of features, a check of ranges.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::real::Real;
use super::rows::{CenteredRows, run_tasks, task_rows};

/// Rows that are processed at once.
const BLOCK: usize = 256;

/// Maximum number of parts of the data that are added up separately.
const SEGMENTS: usize = 32;

/// Squared distance of every row to the centroid it is assigned to, from the
/// differences.
pub(crate) fn own_distances<T: Real>(
    rows: CenteredRows<'_, T>,
    centroids: &[T],
    labels: &[i32],
    distances: &mut [T],
) {
    let features = rows.features;
    let task = task_rows(rows.len(), BLOCK);
    run_tasks(distances.chunks_mut(task).enumerate().collect(), |(t, distances)| {
        let mut buffer = Vec::new();
        for (b, distances) in distances.chunks_mut(BLOCK).enumerate() {
            let first = t * task + b * BLOCK;
            let x = rows.block(first, distances.len(), &mut buffer);
            let labels = &labels[first..first + distances.len()];
            pulp::Arch::new().dispatch(OwnDistances { x, features, centroids, labels, distances });
        }
    });
}

struct OwnDistances<'a, T> {
    x: &'a [T],
    features: usize,
    centroids: &'a [T],
    labels: &'a [i32],
    distances: &'a mut [T],
}

impl<T: Real> WithSimd for OwnDistances<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { x, features, centroids, labels, distances } = self;
        for ((row, &label), distance) in x.chunks_exact(features).zip(labels).zip(distances) {
            let start = label as usize * features;
            *distance = T::of(squared_distance(row, &centroids[start..start + features]));
        }
    }
}

/// In lanes of f64, so that a long sum of f32 does not lose precision.
#[inline(always)]
pub(super) fn squared_distance<T: Real>(a: &[T], b: &[T]) -> f64 {
    const LANES: usize = 16;
    let mut sums = [0.0; LANES];
    let (a, a_rest) = a.as_chunks::<LANES>();
    let (b, b_rest) = b.as_chunks::<LANES>();
    for (a, b) in a.iter().zip(b) {
        for l in 0..LANES {
            let (a, b): (f64, f64) = (a[l].into(), b[l].into());
            sums[l] += (a - b) * (a - b);
        }
    }
    for (l, (&a, &b)) in a_rest.iter().zip(b_rest).enumerate() {
        let (a, b): (f64, f64) = (a.into(), b.into());
        sums[l] += (a - b) * (a - b);
    }
    sums.iter().sum()
}

/// Weighted sum of every feature, or of its squares: in f64, and in an order
/// that the shape of the data fixes.
pub(crate) fn feature_sums<T: Real>(
    rows: CenteredRows<'_, T>,
    weights: &[T],
    squares: bool,
) -> Vec<f64> {
    let features = rows.features;
    let segment = rows.len().div_ceil(SEGMENTS).max(BLOCK);
    let parts: Vec<Vec<f64>> = weights
        .par_chunks(segment)
        .enumerate()
        .map(|(s, weights)| {
            let mut sums = vec![0.0; features];
            let mut buffer = Vec::new();
            for (b, weights) in weights.chunks(BLOCK).enumerate() {
                let x = rows.block(s * segment + b * BLOCK, weights.len(), &mut buffer);
                pulp::Arch::new().dispatch(AddRows { x, weights, squares, sums: &mut sums });
            }
            sums
        })
        .collect();
    let mut total = vec![0.0; features];
    for part in parts {
        for (sum, part) in total.iter_mut().zip(part) {
            *sum += part;
        }
    }
    total
}

struct AddRows<'a, T> {
    x: &'a [T],
    weights: &'a [T],
    squares: bool,
    sums: &'a mut [f64],
}

impl<T: Real> WithSimd for AddRows<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Self { x, weights, squares, sums } = self;
        for (row, &weight) in x.chunks_exact(sums.len()).zip(weights) {
            let weight: f64 = weight.into();
            for (sum, &value) in sums.iter_mut().zip(row) {
                let value: f64 = value.into();
                *sum += weight * if squares { value * value } else { value };
            }
        }
    }
}

/// Whether every value is finite and its magnitude at most `limit`.
pub(crate) fn all_within<T: Real>(values: &[T], limit: T) -> bool {
    const PART: usize = 1 << 16;
    let within = |values| pulp::Arch::new().dispatch(Within { values, limit });
    if values.len() <= PART { within(values) } else { values.par_chunks(PART).all(within) }
}

struct Within<'a, T> {
    values: &'a [T],
    limit: T,
}

impl<T: Real> WithSimd for Within<'_, T> {
    type Output = bool;

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) -> bool {
        let Self { values, limit } = self;
        let lowest = T::default() - limit;
        // Both comparisons are false for NaN.
        values.iter().fold(true, |all, &v| all & (v <= limit) & (v >= lowest))
    }
}

#[cfg(test)]
mod tests {
    use super::super::reference::SplitMix;
    use super::*;

    #[test]
    fn distances_to_the_own_centroid() {
        fn check<T: Real>() {
            for n in [1, 2, 7, 33, 255, 256, 257, 600] {
                for features in [1, 2, 15, 16, 17, 33, 67] {
                    let mut stream = SplitMix::new((n + features) as u64);
                    let x: Vec<T> = stream.normals(n * features, 1.0);
                    let center: Vec<T> = stream.normals(features, 1.0);
                    let centroids: Vec<T> = stream.normals(5 * features, 1.0);
                    let labels: Vec<i32> = (0..n).map(|_| stream.below(5) as i32).collect();
                    for center in [None, Some(&center[..])] {
                        let mut found = vec![T::LOWEST; n];
                        let rows = CenteredRows { x: &x, center, features };
                        own_distances(rows, &centroids, &labels, &mut found);
                        for (i, found) in found.into_iter().enumerate() {
                            let expected: f64 = (0..features)
                                .map(|d| {
                                    let value = x[i * features + d];
                                    let value = center.map_or(value, |c| value - c[d]);
                                    let centroid = centroids[labels[i] as usize * features + d];
                                    (value.into() - centroid.into()).powi(2)
                                })
                                .sum();
                            let error = (found.into() - expected).abs();
                            assert!(error <= 8.0 * T::EPSILON * expected, "{n} × {features}: {i}");
                        }
                    }
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn sums_of_features_and_their_squares() {
        fn check<T: Real>() {
            for n in [1, 2, 255, 256, 257, 600, 9000] {
                for features in [1, 2, 15, 16, 17, 33] {
                    let mut stream = SplitMix::new((n + features) as u64);
                    let x: Vec<T> = stream.normals(n * features, 1.0);
                    let center: Vec<T> = stream.normals(features, 1.0);
                    let weights: Vec<T> = (0..n).map(|i| T::of([0.0, 2.0, 0.5][i % 3])).collect();
                    for (center, squares) in [
                        (None, false),
                        (None, true),
                        (Some(&center[..]), false),
                        (Some(&center[..]), true),
                    ] {
                        let rows = CenteredRows { x: &x, center, features };
                        let found = feature_sums(rows, &weights, squares);
                        assert_eq!(found.len(), features);
                        for (d, found) in found.into_iter().enumerate() {
                            let (mut expected, mut size) = (0.0, 0.0);
                            for i in 0..n {
                                let value = x[i * features + d];
                                let value: f64 = center.map_or(value, |c| value - c[d]).into();
                                let weight: f64 = weights[i].into();
                                let term = weight * if squares { value * value } else { value };
                                expected += term;
                                size += term.abs();
                            }
                            let error = (found - expected).abs();
                            assert!(error <= 1e-13 * size, "{n} × {features}: {found} {expected}");
                        }
                    }
                }
            }
        }
        check::<f32>();
        check::<f64>();
    }

    #[test]
    fn every_value_is_looked_at() {
        fn check<T: Real>(above: f64) {
            let limit = T::of(2.5);
            assert!(all_within::<T>(&[], limit));
            for length in [1, 2, 15, 16, 17, 63, 65, (1 << 16) - 1, 1 << 16, (1 << 16) + 1, 200_001]
            {
                let mut values: Vec<T> =
                    (0..length).map(|i| T::of([2.5, -2.5, 0.0, -0.0, 1.0][i % 5])).collect();
                assert!(all_within(&values, limit), "{length} values");
                for place in [0, length / 2, length - 1] {
                    let good = values[place];
                    for bad in [above, -above, f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
                        values[place] = T::of(bad);
                        assert!(!all_within(&values, limit), "{bad} at {place} of {length}");
                    }
                    values[place] = good;
                }
            }
            let most = [T::LARGEST, T::LOWEST, T::of(f64::INFINITY)];
            assert!(all_within(&most[..2], T::LARGEST));
            assert!(!all_within(&most, T::LARGEST));
        }
        check::<f32>(f64::from(2.5f32.next_up()));
        check::<f64>(2.5f64.next_up());
    }
}
