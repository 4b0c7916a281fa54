use core::ops::{Add, Div, Mul, Sub};

use burn::tensor::{DType, Element};
use bytemuck::Pod;
use pulp::Simd;

/// A float that the kernels compute in, with the vector operations they need:
/// one name for f32 and f64.
pub(crate) trait Real:
    Element
    + Pod
    + Into<f64>
    + PartialOrd
    + Default
    + Add<Output = Self>
    + Sub<Output = Self>
    + Mul<Output = Self>
    + Div<Output = Self>
{
    /// As Burn calls it.
    const DTYPE: DType;
    /// The smallest finite value: loses against every score.
    const LOWEST: Self;
    /// Largest finite value.
    const LARGEST: Self;
    /// 1.
    const ONE: Self;
    /// Distance from 1 to the next larger number.
    const EPSILON: f64;

    /// A register of them.
    type Vector<S: Simd>: Copy;
    /// A yes or no for every lane.
    type Mask<S: Simd>: Copy;

    fn of(value: f64) -> Self;
    /// Rounded to f32.
    #[cfg(target_arch = "x86_64")]
    fn single(self) -> f32;
    /// self · b + c, rounded once.
    #[cfg(target_arch = "x86_64")]
    fn times_plus(self, b: Self, c: Self) -> Self;
    fn vectors<S: Simd>(slice: &[Self]) -> &[Self::Vector<S>];
    fn vectors_mut<S: Simd>(slice: &mut [Self]) -> &mut [Self::Vector<S>];
    fn elements<S: Simd>(vectors: &[Self::Vector<S>]) -> &[Self];
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    fn times<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a b + c.
    fn mul_add<S: Simd>(
        simd: S,
        a: Self::Vector<S>,
        b: Self::Vector<S>,
        c: Self::Vector<S>,
    ) -> Self::Vector<S>;
    fn max<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn min<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn largest_lane<S: Simd>(simd: S, a: Self::Vector<S>) -> Self;
    fn smallest_lane<S: Simd>(simd: S, a: Self::Vector<S>) -> Self;
    fn greater<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Mask<S>;
    fn select<S: Simd>(
        simd: S,
        mask: Self::Mask<S>,
        yes: Self::Vector<S>,
        no: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// e to the power of a number that is at most 0, without a branch, so that
    /// a loop of it becomes vector code. Relative error below 3 ε.
    fn exp_of_negative(self) -> Self;
}

/// How many of `T` fit into a register.
#[inline(always)]
pub(super) const fn lanes<T: Real, S: Simd>() -> usize {
    size_of::<T::Vector<S>>() / size_of::<T>()
}

macro_rules! real {
    (
        $type:ident, $dtype:ident, $vector:ident, $mask:ident, $as_simd:ident, $as_mut_simd:ident,
        $splat:ident, $mul:ident, $mul_add:ident, $max:ident, $min:ident,
        $largest:ident, $smallest:ident, $greater:ident, $select:ident, $exp:path
    ) => {
        impl Real for $type {
            const DTYPE: DType = DType::$dtype;
            const LOWEST: Self = $type::MIN;
            const LARGEST: Self = $type::MAX;
            const ONE: Self = 1.0;
            const EPSILON: f64 = $type::EPSILON as f64;

            type Vector<S: Simd> = S::$vector;
            type Mask<S: Simd> = S::$mask;

            #[inline(always)]
            fn of(value: f64) -> Self {
                value as $type
            }
            #[cfg(target_arch = "x86_64")]
            #[inline(always)]
            fn single(self) -> f32 {
                self as f32
            }
            #[cfg(target_arch = "x86_64")]
            #[inline(always)]
            fn times_plus(self, b: Self, c: Self) -> Self {
                self.mul_add(b, c)
            }
            #[inline(always)]
            fn vectors<S: Simd>(slice: &[Self]) -> &[S::$vector] {
                S::$as_simd(slice).0
            }
            #[inline(always)]
            fn vectors_mut<S: Simd>(slice: &mut [Self]) -> &mut [S::$vector] {
                S::$as_mut_simd(slice).0
            }
            #[inline(always)]
            fn elements<S: Simd>(vectors: &[S::$vector]) -> &[Self] {
                bytemuck::cast_slice(vectors)
            }
            #[inline(always)]
            fn splat<S: Simd>(simd: S, value: Self) -> S::$vector {
                simd.$splat(value)
            }
            #[inline(always)]
            fn times<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$mul(a, b)
            }
            #[inline(always)]
            fn mul_add<S: Simd>(
                simd: S,
                a: S::$vector,
                b: S::$vector,
                c: S::$vector,
            ) -> S::$vector {
                simd.$mul_add(a, b, c)
            }
            #[inline(always)]
            fn max<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$max(a, b)
            }
            #[inline(always)]
            fn min<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$min(a, b)
            }
            #[inline(always)]
            fn largest_lane<S: Simd>(simd: S, a: S::$vector) -> Self {
                simd.$largest(a)
            }
            #[inline(always)]
            fn smallest_lane<S: Simd>(simd: S, a: S::$vector) -> Self {
                simd.$smallest(a)
            }
            #[inline(always)]
            fn greater<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$mask {
                simd.$greater(a, b)
            }
            #[inline(always)]
            fn select<S: Simd>(
                simd: S,
                mask: S::$mask,
                yes: S::$vector,
                no: S::$vector,
            ) -> S::$vector {
                simd.$select(mask, yes, no)
            }
            #[inline(always)]
            fn exp_of_negative(self) -> Self {
                $exp(self)
            }
        }
    };
}

real!(
    f32,
    F32,
    f32s,
    m32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    splat_f32s,
    mul_f32s,
    mul_add_e_f32s,
    max_f32s,
    min_f32s,
    reduce_max_f32s,
    reduce_min_f32s,
    greater_than_f32s,
    select_f32s,
    exp_f32
);
real!(
    f64,
    F64,
    f64s,
    m64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    splat_f64s,
    mul_f64s,
    mul_add_e_f64s,
    max_f64s,
    min_f64s,
    reduce_max_f64s,
    reduce_min_f64s,
    greater_than_f64s,
    select_f64s,
    exp_f64
);

/// Adding and subtracting 1.5 · 2^(mantissa bits) rounds to an integer, which
/// then stands in the low bits.
const ROUND_F32: f32 = 12_582_912.0;
const ROUND_F64: f64 = 6_755_399_441_055_744.0;

/// exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2, with ln 2 in two
/// parts so that r is exact, and exp(r) as its Taylor polynomial.
#[inline(always)]
fn exp_f32(x: f32) -> f32 {
    const LN_2_HIGH: f32 = 0.693_359_4;
    const LN_2_LOW: f32 = -2.121_944_4e-4;
    // Below this the result is less than the smallest normal number; 0 will do.
    let tiny = x < -87.0;
    let x = x.max(-87.0);
    let shifted = x * core::f32::consts::LOG2_E + ROUND_F32;
    let n = shifted - ROUND_F32;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let mut p = 1.0 / 5040.0;
    for c in [1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0, 1.0] {
        p = p * r + c;
    }
    let power = f32::from_bits(shifted.to_bits().wrapping_add(127) << 23);
    if tiny { 0.0 } else { p * power }
}

#[inline(always)]
fn exp_f64(x: f64) -> f64 {
    const LN_2_HIGH: f64 = 0.693_147_180_369_123_8;
    const LN_2_LOW: f64 = 1.908_214_929_270_587_7e-10;
    let tiny = x < -708.0;
    let x = x.max(-708.0);
    let shifted = x * core::f64::consts::LOG2_E + ROUND_F64;
    let n = shifted - ROUND_F64;
    let r = x - n * LN_2_HIGH - n * LN_2_LOW;
    let mut p = 1.0 / 6_227_020_800.0;
    for c in [
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
        1.0,
    ] {
        p = p * r + c;
    }
    let power = f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52);
    if tiny { 0.0 } else { p * power }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponentials() {
        for i in 0..200_000 {
            let x = -f64::from(i) * 5e-4;
            let single = x as f32;
            let (found, expected) = (f64::from(single.exp_of_negative()), f64::from(single).exp());
            let tiny = if expected < 2e-38 { 2e-38 } else { 0.0 };
            assert!((found - expected).abs() <= 3.0 * f32::EPSILON as f64 * expected + tiny, "{x}");
            for x in [x, 7.3 * x] {
                let (found, expected) = (x.exp_of_negative(), x.exp());
                let tiny = if expected < 1e-307 { 1e-307 } else { 0.0 };
                assert!((found - expected).abs() <= 3.0 * f64::EPSILON * expected + tiny, "{x}");
            }
        }
        assert_eq!(0f32.exp_of_negative(), 1.0);
        assert_eq!(0f64.exp_of_negative(), 1.0);
        for x in [-1e30, -f64::MAX, f64::NEG_INFINITY] {
            assert_eq!((x.exp_of_negative(), (x as f32).exp_of_negative()), (0.0, 0.0));
        }
    }
}
