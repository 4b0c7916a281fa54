//! For the tests of the kernels: random data, and the same sums in plain loops of f64.

use super::real::Real;

/// Random numbers from a seed (SplitMix64).
pub(super) struct SplitMix(u64);

impl SplitMix {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed)
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// In [0, 1).
    pub(super) fn uniform(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1u64 << 53) as f64
    }

    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    pub(super) fn normal(&mut self) -> f64 {
        let (a, b) = (1.0 - self.uniform(), self.uniform());
        (-2.0 * a.ln()).sqrt() * (core::f64::consts::TAU * b).cos()
    }

    pub(super) fn normals<T: Real>(&mut self, count: usize, scale: f64) -> Vec<T> {
        (0..count).map(|_| T::of(scale * self.normal())).collect()
    }
}

/// Weight `[D, K]` and bias `[K]` of centroids `[K, D]`.
pub(super) fn scores_of<T: Real>(centroids: &[T], features: usize) -> (Vec<T>, Vec<T>) {
    let clusters = centroids.len() / features;
    let mut weight = vec![T::default(); centroids.len()];
    let mut bias = Vec::new();
    for (k, row) in centroids.chunks(features).enumerate() {
        for (d, &value) in row.iter().enumerate() {
            weight[d * clusters + k] = value + value;
        }
        bias.push(T::of(-row.iter().map(|&v| v.into() * v.into()).sum::<f64>()));
    }
    (weight, bias)
}

/// `x·w_k + b_k` in f64, and a bound of its rounding error in `T`.
pub(super) fn score<T: Real>(x: &[T], weight: &[T], bias: &[T], k: usize) -> (f64, f64) {
    let (mut sum, mut size) = (bias[k].into(), bias[k].into().abs());
    for (d, &value) in x.iter().enumerate() {
        let term = value.into() * weight[d * bias.len() + k].into();
        sum += term;
        size += term.abs();
    }
    (sum, T::EPSILON * (x.len() + 4) as f64 * size)
}

/// Every `step`-th of the shapes `[N, D]` × `[D, K]` at the edges of blocks and
/// registers.
pub(super) fn shapes(step: usize) -> impl Iterator<Item = (usize, usize, usize)> {
    const ROWS: [usize; 9] = [1, 2, 3, 7, 8, 9, 31, 33, 257];
    const FEATURES: [usize; 11] = [1, 2, 3, 5, 15, 16, 17, 31, 33, 67, 130];
    const CLUSTERS: [usize; 13] = [1, 2, 3, 5, 15, 16, 17, 31, 47, 48, 49, 50, 97];
    (0..ROWS.len() * FEATURES.len() * CLUSTERS.len())
        .step_by(step)
        .map(|i| (ROWS[i % 9], FEATURES[i / 9 % 11], CLUSTERS[i / 99]))
}
