//! f32 and f64 under one name, with the vector operations that the kernels need.

use core::ops::{Add, Div, Mul, Sub};

use burn::tensor::Element;
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
    /// The smallest finite value: less than every score.
    const LOWEST: Self;
    /// Largest finite value.
    const LARGEST: Self;
    /// 1.
    const ONE: Self;
    /// Distance from 1 to the next larger number.
    const EPSILON: f64;
    /// The smallest normal number.
    const SMALLEST: f64;

    /// A register of them.
    type Vector<S: Simd>: Copy;
    /// One bool per lane.
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
    /// a + b.
    fn plus<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    fn splat<S: Simd>(simd: S, value: Self) -> Self::Vector<S>;
    fn times<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
    /// a / b.
    fn over<S: Simd>(simd: S, a: Self::Vector<S>, b: Self::Vector<S>) -> Self::Vector<S>;
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
    /// Whether any lane is true.
    fn any<S: Simd>(simd: S, mask: Self::Mask<S>) -> bool;
    fn select<S: Simd>(
        simd: S,
        mask: Self::Mask<S>,
        yes: Self::Vector<S>,
        no: Self::Vector<S>,
    ) -> Self::Vector<S>;
    /// e to the power of a number that is at most 0, without a branch, so that
    /// a loop of it becomes vector code. Relative error below 3 ε.
    fn exp_of_negative(self) -> Self;
    /// The same of every lane; 0 if the result is below the smallest normal number
    /// or little above it.
    fn exp_of_negatives<S: Simd>(simd: S, exponents: Self::Vector<S>) -> Self::Vector<S>;
}

/// Lanes of the widest register.
pub(super) const MAX_LANES: usize = 16;

/// Lanes of a register of `T`.
#[inline(always)]
pub(super) const fn lanes<T: Real, S: Simd>() -> usize {
    size_of::<T::Vector<S>>() / size_of::<T>()
}

macro_rules! real {
    (
        $type:ident, $vector:ident, $mask:ident, $as_simd:ident, $as_mut_simd:ident,
        $splat:ident, $mul:ident, $div:ident, $mul_add:ident, $max:ident, $min:ident,
        $largest:ident, $smallest:ident, $greater:ident, $select:ident, $add:ident, $first:ident,
        $exp:path, $exps:path
    ) => {
        impl Real for $type {
            const LOWEST: Self = $type::MIN;
            const LARGEST: Self = $type::MAX;
            const ONE: Self = 1.0;
            const EPSILON: f64 = $type::EPSILON as f64;
            const SMALLEST: f64 = $type::MIN_POSITIVE as f64;

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
            fn over<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$div(a, b)
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
            fn any<S: Simd>(simd: S, mask: S::$mask) -> bool {
                simd.$first(mask) < lanes::<$type, S>()
            }
            #[inline(always)]
            fn plus<S: Simd>(simd: S, a: S::$vector, b: S::$vector) -> S::$vector {
                simd.$add(a, b)
            }
            #[inline(always)]
            fn exp_of_negative(self) -> Self {
                $exp(self)
            }
            #[inline(always)]
            fn exp_of_negatives<S: Simd>(simd: S, exponents: S::$vector) -> S::$vector {
                $exps(simd, exponents)
            }
        }
    };
}

real!(
    f32,
    f32s,
    m32s,
    as_simd_f32s,
    as_mut_simd_f32s,
    splat_f32s,
    mul_f32s,
    div_f32s,
    mul_add_e_f32s,
    max_f32s,
    min_f32s,
    reduce_max_f32s,
    reduce_min_f32s,
    greater_than_f32s,
    select_f32s,
    add_f32s,
    first_true_m32s,
    exp_f32,
    exp_f32s
);
real!(
    f64,
    f64s,
    m64s,
    as_simd_f64s,
    as_mut_simd_f64s,
    splat_f64s,
    mul_f64s,
    div_f64s,
    mul_add_e_f64s,
    max_f64s,
    min_f64s,
    reduce_max_f64s,
    reduce_min_f64s,
    greater_than_f64s,
    select_f64s,
    add_f64s,
    first_true_m64s,
    exp_f64,
    exp_f64s
);

/// Adding and subtracting 1.5 · 2^(mantissa bits) rounds to an integer; after the
/// addition it is in the low bits.
const ROUND_F32: f32 = 12_582_912.0;
const ROUND_F64: f64 = 6_755_399_441_055_744.0;

const LN_2_HIGH_F32: f32 = 0.693_359_4;
const LN_2_LOW_F32: f32 = -2.121_944_4e-4;
const LN_2_HIGH_F64: f64 = 0.693_147_180_369_123_8;
const LN_2_LOW_F64: f64 = 1.908_214_929_270_587_7e-10;

/// Coefficients of the exponential's Taylor polynomial, from the highest
/// power's to that of the first; the last one is 1.
const TAYLOR_F32: [f32; 7] =
    [1.0 / 5040.0, 1.0 / 720.0, 1.0 / 120.0, 1.0 / 24.0, 1.0 / 6.0, 0.5, 1.0];
const TAYLOR_F64: [f64; 13] = [
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

/// exp(x) = 2^n exp(r), n = round(x / ln 2), |r| <= ln 2 / 2, with ln 2 in two
/// parts so that r is exact, and exp(r) as its Taylor polynomial.
#[inline(always)]
fn exp_f32(x: f32) -> f32 {
    // Below this the result is less than the smallest normal number, and rounded to 0.
    let tiny = x < -87.0;
    let x = x.max(-87.0);
    let shifted = x * core::f32::consts::LOG2_E + ROUND_F32;
    let n = shifted - ROUND_F32;
    let r = x - n * LN_2_HIGH_F32 - n * LN_2_LOW_F32;
    let p = TAYLOR_F32[1..].iter().fold(TAYLOR_F32[0], |p, c| p * r + c) * r + 1.0;
    if tiny { 0.0 } else { p * power_f32(shifted) }
}

#[inline(always)]
fn exp_f64(x: f64) -> f64 {
    let tiny = x < -708.0;
    let x = x.max(-708.0);
    let shifted = x * core::f64::consts::LOG2_E + ROUND_F64;
    let n = shifted - ROUND_F64;
    let r = x - n * LN_2_HIGH_F64 - n * LN_2_LOW_F64;
    let p = TAYLOR_F64[1..].iter().fold(TAYLOR_F64[0], |p, c| p * r + c) * r + 1.0;
    if tiny { 0.0 } else { p * power_f64(shifted) }
}

/// 2^n from the sum that rounded n; 0 for the n below that of the smallest
/// normal number.
#[inline(always)]
fn power_f32(shifted: f32) -> f32 {
    f32::from_bits(shifted.to_bits().wrapping_add(127) << 23)
}

#[inline(always)]
fn power_f64(shifted: f64) -> f64 {
    f64::from_bits(shifted.to_bits().wrapping_add(1023) << 52)
}

macro_rules! exps {
    (
        $name:ident, $scalar:ident, $vector:ident, $lowest:literal, $log:path, $round:ident,
        $high:ident, $low:ident, $taylor:ident, $power:ident
    ) => {
        /// A register of exponentials, with fused products.
        #[inline(always)]
        fn $name<S: Simd>(simd: S, x: S::$vector) -> S::$vector {
            let splat = |value| <$scalar as Real>::splat(simd, value);
            let mul_add = |a, b, c| <$scalar as Real>::mul_add(simd, a, b, c);
            // The power of two of the lowest exponent is 0.
            let x = <$scalar as Real>::max(simd, x, splat($lowest));
            let shifted = mul_add(x, splat($log), splat($round));
            let n = <$scalar as Real>::plus(simd, shifted, splat(-$round));
            let r = mul_add(n, splat(-$low), mul_add(n, splat(-$high), x));
            let mut p = splat($taylor[0]);
            for &c in &$taylor[1..] {
                p = mul_add(p, r, splat(c));
            }
            let p = mul_add(p, r, splat(1.0));
            let mut power = [shifted];
            let lanes: &mut [$scalar] = bytemuck::cast_slice_mut(&mut power);
            for lane in lanes {
                *lane = $power(*lane);
            }
            <$scalar as Real>::times(simd, p, power[0])
        }
    };
}

exps!(
    exp_f32s,
    f32,
    f32s,
    -88.0,
    core::f32::consts::LOG2_E,
    ROUND_F32,
    LN_2_HIGH_F32,
    LN_2_LOW_F32,
    TAYLOR_F32,
    power_f32
);
exps!(
    exp_f64s,
    f64,
    f64s,
    -709.0,
    core::f64::consts::LOG2_E,
    ROUND_F64,
    LN_2_HIGH_F64,
    LN_2_LOW_F64,
    TAYLOR_F64,
    power_f64
);

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

    /// Of a slice, register by register.
    struct Registers<'a, T>(&'a mut [T]);

    impl<T: Real> pulp::WithSimd for Registers<'_, T> {
        type Output = ();

        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            for register in T::vectors_mut::<S>(self.0) {
                *register = T::exp_of_negatives(simd, *register);
            }
        }
    }

    #[test]
    fn exponentials_of_registers() {
        fn check<T: Real>(tiny: f64) {
            let values: Vec<T> = (0..200_000)
                .map(|i| T::of(-f64::from(i) * if i % 2 == 0 { 5e-4 } else { 4e-3 }))
                .chain([0.0, -1e-30, -1e30, -f64::MAX, f64::NEG_INFINITY].map(T::of))
                .chain([T::LOWEST; 16 + 11])
                .collect();
            let mut found = values.clone();
            pulp::Arch::new().dispatch(Registers(&mut found));
            let whole = found.len() / 16 * 16;
            for (x, found) in values[..whole].iter().zip(&found) {
                let (x, found): (f64, f64) = ((*x).into(), (*found).into());
                let error = (found - x.exp()).abs();
                assert!(error <= 3.0 * T::EPSILON * x.exp() + tiny, "{x}: {found}");
            }
            assert!(
                found[200_000].into() == 1.0
                    && found[200_002..whole].iter().all(|e| (*e).into() == 0.0)
            );
        }
        check::<f32>(2e-38);
        check::<f64>(1e-307);
    }
}
