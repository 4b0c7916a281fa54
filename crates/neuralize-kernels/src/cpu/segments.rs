//! Soft maxima of segments of a row, with registers that start and end anywhere.

use core::ops::Range;

use pulp::Simd;

use super::real::{MAX_LANES, Real, lanes};

/// Registers that are added up in the precision of the data before their sum
/// is added to one in f64.
pub(super) const REGISTERS: usize = 64;

/// Below this spread `γ (max − min)` the logarithm of a mean exponential would lose
/// precision by cancellation, and a polynomial is used.
pub(super) const NARROW: f64 = 0.5;

/// Coefficients of `(exp(y) − 1) / y`, from the highest power's on: 1/14! to 1.
/// f32 needs the last [`NARROW_F32`] of them for |y| < [`NARROW`].
const NARROW_SERIES: [f64; 14] = [
    1.0 / 87_178_291_200.0,
    1.0 / 6_227_020_800.0,
    1.0 / 479_001_600.0,
    1.0 / 39_916_800.0,
    1.0 / 3_628_800.0,
    1.0 / 362_880.0,
    1.0 / 40_320.0,
    1.0 / 5_040.0,
    1.0 / 720.0,
    1.0 / 120.0,
    1.0 / 24.0,
    1.0 / 6.0,
    0.5,
    1.0,
];
const NARROW_F32: usize = 8;

/// `(exp(y) − 1) / y` for |y| below [`NARROW`].
#[inline(always)]
pub(super) fn narrow_quotient<T: Real, S: Simd>(simd: S, y: T::Vector<S>) -> T::Vector<S> {
    let terms = if size_of::<T>() == 4 { NARROW_F32 } else { NARROW_SERIES.len() };
    let series = &NARROW_SERIES[NARROW_SERIES.len() - terms..];
    let mut p = T::splat(simd, T::of(series[0]));
    for &c in &series[1..] {
        p = T::mul_add(simd, p, y, T::splat(simd, T::of(c)));
    }
    p
}

/// `(exp(γ δ) − 1) / γ` times a unit, for γ |δ| below [`NARROW`].
#[inline(always)]
fn narrow_term<T: Real, S: Simd>(
    simd: S,
    delta: T::Vector<S>,
    gamma: T::Vector<S>,
    unit: T::Vector<S>,
) -> T::Vector<S> {
    let y = T::times(simd, gamma, delta);
    T::times(simd, narrow_quotient::<T, S>(simd, y), T::times(simd, delta, unit))
}

/// Stiffness of a soft maximum.
#[derive(Clone, Copy)]
pub(super) enum Stiffness<T> {
    Soft(T),
    /// The maximum; equally large values have equal shares.
    Hard,
}

impl<T: Real> Stiffness<T> {
    /// A stiffness beyond the largest number of the precision is infinite.
    pub(super) fn of(gamma: f64) -> Self {
        if gamma <= T::LARGEST.into() { Self::Soft(T::of(gamma)) } else { Self::Hard }
    }
}

/// The soft maximum of the values t of one segment.
#[derive(Clone, Copy, Default)]
pub(super) struct SoftMaximum {
    /// `(1/γ) log mean exp(γ t)`
    pub(super) value: f64,
    /// `Σ p t` for the shares `p = softmax(γ t)`; 0 if the shares are not wanted.
    pub(super) mean: f64,
    /// The values were overwritten with the shares times this.
    pub(super) total: f64,
}

/// Masks of the lanes of a segment's first and last register that belong to it:
/// windows on zeros, ones and zeros.
pub(super) struct EdgeMasks<T>([T; 3 * MAX_LANES]);

impl<T: Real> EdgeMasks<T> {
    #[inline(always)]
    pub(super) fn new<S: Simd>() -> Self {
        let lanes = lanes::<T, S>();
        let mut table = [T::default(); 3 * MAX_LANES];
        table[lanes..2 * lanes].fill(T::ONE);
        Self(table)
    }

    #[inline(always)]
    fn window<S: Simd>(&self, simd: S, start: usize) -> T::Mask<S> {
        let window = T::vectors::<S>(&self.0[start..start + lanes::<T, S>()])[0];
        T::greater(simd, window, T::splat(simd, T::default()))
    }
}

/// The registers of a segment.
pub(super) struct Span<T: Real, S: Simd> {
    /// First and last register, each with a mask of the segment's lanes.
    ends: [(usize, T::Mask<S>); 2],
    /// 1 if the first register is the last one, else 2.
    edges: usize,
    /// Registers of which all lanes belong to the segment.
    middle: Range<usize>,
}

impl<T: Real, S: Simd> Span<T, S> {
    #[inline(always)]
    pub(super) fn new(simd: S, masks: &EdgeMasks<T>, segment: &Range<usize>) -> Self {
        let lanes = lanes::<T, S>();
        let (first, last) = (segment.start / lanes, (segment.end - 1) / lanes);
        let (head, tail) = (segment.start - first * lanes, segment.end - last * lanes);
        let head = masks.window(simd, lanes - head);
        let to_end = masks.window(simd, 2 * lanes - tail);
        if first == last {
            // The intersection of both masks, by way of ones and zeros.
            let (zero, one) = (T::splat(simd, T::default()), T::splat(simd, T::ONE));
            let both = T::select(simd, head, T::select(simd, to_end, one, zero), zero);
            let both = T::greater(simd, both, zero);
            return Self { ends: [(first, both), (first, both)], edges: 1, middle: 0..0 };
        }
        Self { ends: [(first, head), (last, to_end)], edges: 2, middle: first + 1..last }
    }

    /// Multiplies the segment's values.
    #[inline(always)]
    pub(super) fn scale(&self, simd: S, row: &mut [T::Vector<S>], factor: T) {
        let factor = T::splat(simd, factor);
        for &(register, mask) in &self.ends[..self.edges] {
            let scaled = T::times(simd, row[register], factor);
            row[register] = T::select(simd, mask, scaled, row[register]);
        }
        for value in &mut row[self.middle.clone()] {
            *value = T::times(simd, *value, factor);
        }
    }

    /// Largest and smallest value.
    #[inline(always)]
    fn extremes(&self, simd: S, row: &[T::Vector<S>]) -> (T, T) {
        let (minimum, maximum) = (T::splat(simd, T::LOWEST), T::splat(simd, T::LARGEST));
        let (mut highest, mut lowest) = (minimum, maximum);
        for &(register, mask) in &self.ends[..self.edges] {
            highest = T::max(simd, highest, T::select(simd, mask, row[register], minimum));
            lowest = T::min(simd, lowest, T::select(simd, mask, row[register], maximum));
        }
        for &value in &row[self.middle.clone()] {
            highest = T::max(simd, highest, value);
            lowest = T::min(simd, lowest, value);
        }
        (T::largest_lane(simd, highest), T::smallest_lane(simd, lowest))
    }

    /// Mean of `(exp(γ δ) − 1) / γ`, δ ≤ 0 being the distance from the largest
    /// value, where γ |δ| is below [`NARROW`]; of δ itself for γ = 0.
    #[inline(always)]
    fn narrow(&self, simd: S, row: &[T::Vector<S>], highest: T, gamma: T, unit: T) -> f64 {
        let zero = T::splat(simd, T::default());
        let below = T::splat(simd, T::default() - highest);
        let (gamma, unit) = (T::splat(simd, gamma), T::splat(simd, unit));
        let mut sum = zero;
        for &(register, mask) in &self.ends[..self.edges] {
            let delta = T::select(simd, mask, T::plus(simd, row[register], below), zero);
            sum = T::plus(simd, sum, narrow_term::<T, S>(simd, delta, gamma, unit));
        }
        let mut mean = sum_of_lanes::<T, S>(sum);
        for registers in row[self.middle.clone()].chunks(REGISTERS) {
            let mut sum = zero;
            for &value in registers {
                let delta = T::plus(simd, value, below);
                sum = T::plus(simd, sum, narrow_term::<T, S>(simd, delta, gamma, unit));
            }
            mean += sum_of_lanes::<T, S>(sum);
        }
        mean
    }

    /// Overwrites the values with `exp(γ δ)`; returns their sum, and `Σ exp(γ δ) δ`
    /// times `unit`.
    #[inline(always)]
    fn weights(
        &self,
        simd: S,
        row: &mut [T::Vector<S>],
        highest: T,
        gamma: T,
        unit: T,
    ) -> (f64, f64) {
        let zero = T::splat(simd, T::default());
        let below = T::splat(simd, T::default() - highest);
        let (gamma, unit) = (T::splat(simd, gamma), T::splat(simd, unit));
        let (mut total, mut moment) = (zero, zero);
        for &(register, mask) in &self.ends[..self.edges] {
            let delta = T::select(simd, mask, T::plus(simd, row[register], below), zero);
            let weight = T::exp_of_negatives(simd, T::times(simd, gamma, delta));
            total = T::plus(simd, total, T::select(simd, mask, weight, zero));
            moment = T::mul_add(simd, weight, T::times(simd, delta, unit), moment);
            row[register] = T::select(simd, mask, weight, row[register]);
        }
        let mut sums = (sum_of_lanes::<T, S>(total), sum_of_lanes::<T, S>(moment));
        for registers in row[self.middle.clone()].chunks_mut(REGISTERS) {
            let (mut total, mut moment) = (zero, zero);
            for value in registers {
                let delta = T::plus(simd, *value, below);
                let weight = T::exp_of_negatives(simd, T::times(simd, gamma, delta));
                total = T::plus(simd, total, weight);
                moment = T::mul_add(simd, weight, T::times(simd, delta, unit), moment);
                *value = weight;
            }
            sums.0 += sum_of_lanes::<T, S>(total);
            sums.1 += sum_of_lanes::<T, S>(moment);
        }
        sums
    }

    /// Overwrites the largest values with 1 and all others with 0; returns how many
    /// are the largest.
    #[inline(always)]
    fn winners(&self, simd: S, row: &mut [T::Vector<S>], highest: T) -> f64 {
        let (zero, one) = (T::splat(simd, T::default()), T::splat(simd, T::ONE));
        let highest = T::splat(simd, highest);
        let mut count = 0.0;
        let mark = |value| T::select(simd, T::greater(simd, highest, value), zero, one);
        for &(register, mask) in &self.ends[..self.edges] {
            let marks = mark(row[register]);
            count += sum_of_lanes::<T, S>(T::select(simd, mask, marks, zero));
            row[register] = T::select(simd, mask, marks, row[register]);
        }
        for registers in row[self.middle.clone()].chunks_mut(REGISTERS) {
            let mut sum = zero;
            for value in registers {
                *value = mark(*value);
                sum = T::plus(simd, sum, *value);
            }
            count += sum_of_lanes::<T, S>(sum);
        }
        count
    }

    /// The soft maximum of the `count` values of this span; with `SHARES`, overwrites
    /// them with their shares times a total.
    ///
    /// No sum overflows: values differ by less than the largest number, and
    /// terms are divided by their count before they are added up.
    #[inline(always)]
    pub(super) fn soft_maximum<const SHARES: bool>(
        &self,
        simd: S,
        row: &mut [T::Vector<S>],
        count: usize,
        stiffness: Stiffness<T>,
    ) -> SoftMaximum {
        let (highest, lowest) = self.extremes(simd, row);
        let top: f64 = highest.into();
        let Stiffness::Soft(gamma) = stiffness else {
            if !SHARES {
                return SoftMaximum { value: top, ..SoftMaximum::default() };
            }
            let total = self.winners(simd, row, highest);
            return SoftMaximum { value: top, mean: top, total };
        };
        let (number, slope): (f64, f64) = (count as f64, gamma.into());
        let unit = T::of(1.0 / number);
        let spread: f64 = (highest - lowest).into();
        let narrow = (slope * spread < NARROW)
            .then(|| top + log_over(slope, self.narrow(simd, row, highest, gamma, unit)));
        if let (false, Some(value)) = (SHARES, narrow) {
            return SoftMaximum { value, ..SoftMaximum::default() };
        }
        let (total, moment) = self.weights(simd, row, highest, gamma, unit);
        let value = narrow.unwrap_or_else(|| top + (total / number).ln() / slope);
        SoftMaximum { value, mean: top + moment / (total / number), total }
    }
}

/// `log(1 + γ m) / γ`, which is m for γ = 0.
#[inline(always)]
pub(super) fn log_over(gamma: f64, mean: f64) -> f64 {
    let product = gamma * mean;
    if product.abs() < 1e-9 { mean - mean * (0.5 * product) } else { product.ln_1p() / gamma }
}

#[inline(always)]
pub(super) fn sum_of_lanes<T: Real, S: Simd>(register: T::Vector<S>) -> f64 {
    T::elements::<S>(&[register]).iter().fold(0.0, |sum, &value| sum + value.into())
}
