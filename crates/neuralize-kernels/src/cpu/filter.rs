//! Exact pruning by a product in 8 bits.
//!
//! Rows and centroids rounded to 8 bits give every score up to an error that is
//! bounded by the lengths of the rounding errors (Cauchy and Schwarz). If only
//! one centroid can have the largest score, the row is settled; if several can,
//! their scores are computed as the plain product computes them, bit for bit. So
//! the labels are those of the plain product, for a quarter of its arithmetic on
//! machines whose dot products of bytes are as fast as those of f32 (AVX-512
//! VNNI).

use core::arch::x86_64::*;

use rayon::prelude::*;

use super::real::Real;

/// Minimum numbers of features and clusters for which the bounds pay.
const MIN_FEATURES: usize = 96;
const MIN_CLUSTERS: usize = 64;

/// Features up to which the sums of products of bytes stay below 2³¹.
const MAX_FEATURES: usize = 1 << 16;

/// Scores that the plain product computes in the time of one computed alone.
const PAIRS: usize = 16;

/// Rows of a tile.
const ROWS: usize = 8;

/// Clusters of a register.
const LANES: usize = 16;

/// Registers of a panel.
const WIDTH: usize = 3;

/// The byte that is zero in a row.
const ZERO: u8 = 128;

/// One register of centroids, in a cache line of its own.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct CacheLine([i8; 64]);

/// The weights of a scorer, rounded.
pub(super) struct Filter<T> {
    /// Panels of up to three registers, `[⌈D/4⌉, registers]` each: four features
    /// of 16 clusters side by side.
    lines: Vec<CacheLine>,
    /// Groups of four features.
    groups: usize,
    /// Per cluster, filled up to a register's end.
    clusters: Vec<ClusterBounds>,
    /// The weights themselves, `[K, D]`.
    weights: Vec<T>,
    /// Relative rounding error of a score.
    rounding: f32,
}

/// Bounds of the scores of 16 clusters.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct ClusterBounds {
    /// The value of one unit of the product of bytes.
    scale: [f32; LANES],
    bias: [f32; LANES],
    /// ‖w‖
    length: [f32; LANES],
    /// ‖w − ŵ‖
    error: [f32; LANES],
    /// −128 Σ ŵ, in units: rows are stored with 128 added.
    offset: [i32; LANES],
    /// A bit for every lane that has a cluster.
    real: u16,
    /// Whether all weights can be bounded in f32.
    usable: bool,
}

impl ClusterBounds {
    /// Rounds the weights of one cluster.
    fn round<T: Real>(&mut self, lane: usize, row: &[T], mut put: impl FnMut(usize, i8)) {
        let most = row.iter().fold(0.0, |most: f64, &w| most.max(w.into().abs()));
        self.usable &= most == 0.0 || WEIGHTS.contains(&most);
        self.real |= 1 << lane;
        if most == 0.0 || !self.usable {
            return;
        }
        let scale = (most / 127.0) as f32;
        let inverse = 127.0 / most;
        let (mut length, mut error, mut sum) = (0.0, 0.0, 0);
        for (d, &value) in row.iter().enumerate() {
            let value: f64 = value.into();
            let byte = (value * inverse).round_ties_even();
            put(d, byte as i8);
            sum += byte as i32;
            let lost = value - f64::from(scale) * byte;
            length += value * value;
            error += lost * lost;
        }
        self.scale[lane] = scale;
        self.length[lane] = up(length.sqrt());
        self.error[lane] = up(error.sqrt());
        self.offset[lane] = -i32::from(ZERO) * sum;
    }
}

/// The rounded rows of a block; memory that is reused from block to block.
#[derive(Default)]
pub(super) struct FilterBuffers {
    bytes: Vec<u8>,
    row_bounds: Vec<RowBounds>,
    candidates: Vec<Vec<(i32, f32)>>,
}

/// Bounds of one row and its scores.
#[derive(Clone, Copy)]
struct RowBounds {
    scale: f32,
    /// ‖x‖
    length: f32,
    /// ‖x − x̂‖
    error: f32,
    /// Lower bound of the largest score.
    first: f32,
    /// Lower bound of the second largest score.
    second: f32,
}

impl RowBounds {
    /// Clusters whose score is below this do not matter.
    fn threshold<const SECOND: bool>(&self) -> f32 {
        if SECOND { self.second } else { self.first }
    }

    /// Whether a score of at most `upper` matters; NaN does.
    fn may_matter<const SECOND: bool>(&self, upper: f32) -> bool {
        upper >= self.threshold::<SECOND>() || upper.is_nan()
    }
}

/// Magnitudes whose squares and products, in f32, neither overflow nor
/// underflow. A row beyond them is scored in full; a cluster beyond them makes
/// the filter unusable.
const WEIGHTS: core::ops::Range<f64> = 1e-12..1e15;
const VALUES: core::ops::Range<f32> = 1e-15..1e15;

/// More than the rounding error of subnormal numbers in the bounds.
const SLACK: f32 = 1e-30;

/// Whether this machine has the instructions, and the filter pays for the shape.
pub(super) fn pays(features: usize, clusters: usize) -> bool {
    (MIN_FEATURES..MAX_FEATURES).contains(&features)
        && clusters >= MIN_CLUSTERS
        && is_x86_feature_detected!("fma")
        && is_x86_feature_detected!("avx512f")
        && is_x86_feature_detected!("avx512bw")
        && is_x86_feature_detected!("avx512vl")
        && is_x86_feature_detected!("avx512dq")
        && is_x86_feature_detected!("avx512vnni")
}

impl<T: Real> Filter<T> {
    /// `None` if it would not pay.
    ///
    /// # Shapes
    ///
    /// - weight: `[D, K]`, bias: `[K]`
    pub(super) fn new(weight: &[T], bias: &[T]) -> Option<Self> {
        if !pays(weight.len() / bias.len(), bias.len()) {
            return None;
        }
        let clusters = bias.len();
        let features = weight.len() / clusters;
        let groups = features.div_ceil(4);
        let registers = clusters.div_ceil(LANES);
        let rounding = (features as f32 + 16.0) * (T::EPSILON as f32).max(f32::EPSILON);

        let mut weights = vec![T::default(); clusters * features];
        let mut lines = vec![CacheLine([0; 64]); registers * groups];
        let none = [0.0; LANES];
        let empty = ClusterBounds {
            scale: none,
            bias: none,
            length: none,
            error: none,
            offset: [0; LANES],
            real: 0,
            usable: true,
        };
        let mut of_clusters = vec![empty; registers];
        lines
            .par_chunks_mut(WIDTH * groups)
            .zip(of_clusters.par_chunks_mut(WIDTH))
            .zip(weights.par_chunks_mut(WIDTH * LANES * features))
            .enumerate()
            .for_each(|(p, ((lines, of_clusters), weights))| {
                let width = of_clusters.len();
                for (c, row) in weights.chunks_exact_mut(features).enumerate() {
                    let k = p * WIDTH * LANES + c;
                    for (d, value) in row.iter_mut().enumerate() {
                        *value = weight[d * clusters + k];
                    }
                    let (register, lane) = (c / LANES, c % LANES);
                    let bounds = &mut of_clusters[register];
                    bounds.bias[lane] = bias[k].into() as f32;
                    bounds.round(lane, row, |d, byte| {
                        lines[d / 4 * width + register].0[lane * 4 + d % 4] = byte;
                    });
                }
            });
        let usable = of_clusters.iter().all(|bounds| bounds.usable);
        usable.then_some(Self { lines, groups, clusters: of_clusters, weights, rounding })
    }

    /// Labels of a block of rows, and margins unless `margins` is empty. Returns
    /// `false` and computes nothing if too many clusters remain possible and the
    /// plain product is cheaper.
    ///
    /// # Shapes
    ///
    /// - x: `[n, D]`, bias: at least `[K]`, labels: `[n]`, margins: `[n]` or empty
    pub(super) fn nearest(
        &self,
        x: &[T],
        bias: &[T],
        labels: &mut [i32],
        margins: &mut [T],
        buffers: &mut FilterBuffers,
    ) -> bool {
        if margins.is_empty() {
            self.settle::<false>(x, bias, labels, margins, buffers)
        } else {
            self.settle::<true>(x, bias, labels, margins, buffers)
        }
    }

    fn settle<const SECOND: bool>(
        &self,
        x: &[T],
        bias: &[T],
        labels: &mut [i32],
        margins: &mut [T],
        buffers: &mut FilterBuffers,
    ) -> bool {
        let rows = labels.len();
        let features = x.len() / rows;
        // SAFETY: a filter is made where `pays` has found these features.
        #[allow(unsafe_code)]
        unsafe {
            self.quantise(x, features, buffers);
            self.bound::<SECOND>(rows, buffers);
        }
        let mut work = 0;
        for (candidates, row) in buffers.candidates.iter_mut().zip(&buffers.row_bounds) {
            candidates.retain(|&(_, upper)| row.may_matter::<SECOND>(upper));
            work += if candidates.len() > 1 { candidates.len() } else { 0 };
        }
        if work > rows * bias.len() / PAIRS {
            return false;
        }
        for (i, (candidates, row)) in
            buffers.candidates.iter().zip(x.chunks_exact(features)).enumerate()
        {
            if let ([(only, _)], false) = (&candidates[..], SECOND) {
                labels[i] = *only;
                continue;
            }
            // SAFETY: as above.
            #[allow(unsafe_code)]
            let (label, margin) = unsafe { self.best_of(candidates, row, bias) };
            labels[i] = label;
            if SECOND {
                margins[i] = margin;
            }
        }
        true
    }

    /// Rounds rows to bytes, with 128 added.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,fma")]
    fn quantise(&self, x: &[T], features: usize, buffers: &mut FilterBuffers) {
        let stride = self.groups * 4;
        let rows = x.len() / features;
        let padded = rows.next_multiple_of(ROWS);
        buffers.bytes.clear();
        buffers.bytes.resize(padded * stride, ZERO);
        buffers.row_bounds.clear();
        for (row, bytes) in x.chunks_exact(features).zip(buffers.bytes.chunks_exact_mut(stride)) {
            let most = largest_magnitude(row);
            let scale = most / 127.0;
            let mut of_row = RowBounds {
                scale: 0.0,
                length: 0.0,
                error: 0.0,
                first: f32::MIN,
                second: f32::MIN,
            };
            if VALUES.contains(&most) {
                let (length, error) = round_row(row, &mut bytes[..features], scale, 127.0 / most);
                of_row.scale = scale;
                of_row.length = up(f64::from(length).sqrt());
                of_row.error = up(f64::from(error).sqrt());
            } else if most != 0.0 {
                // No bound: every cluster stays possible.
                of_row.length = f32::INFINITY;
            }
            buffers.row_bounds.push(of_row);
        }
        let empty =
            RowBounds { scale: 0.0, length: 0.0, error: 0.0, first: f32::MAX, second: f32::MAX };
        buffers.row_bounds.resize(padded, empty);
    }

    /// Finds the clusters that can have the largest score of a row.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
    fn bound<const SECOND: bool>(&self, rows: usize, buffers: &mut FilterBuffers) {
        let FilterBuffers { bytes, row_bounds, candidates } = buffers;
        candidates.resize_with(rows, Vec::new);
        candidates.iter_mut().for_each(Vec::clear);
        for (p, bounds) in self.clusters.chunks(WIDTH).enumerate() {
            let start = p * WIDTH * self.groups;
            let lines = &self.lines[start..start + bounds.len() * self.groups];
            for first in (0..rows).step_by(ROWS) {
                let bytes = &bytes[first * self.groups * 4..(first + ROWS) * self.groups * 4];
                let row_bounds = &mut row_bounds[first..first + ROWS];
                let last = (first + ROWS).min(rows);
                let candidates = &mut candidates[first..last];
                let first_cluster = (p * WIDTH * LANES) as i32;
                match bounds.len() {
                    1 => self.tile::<1, SECOND>(
                        bytes,
                        lines,
                        bounds,
                        first_cluster,
                        row_bounds,
                        candidates,
                    ),
                    2 => self.tile::<2, SECOND>(
                        bytes,
                        lines,
                        bounds,
                        first_cluster,
                        row_bounds,
                        candidates,
                    ),
                    _ => self.tile::<3, SECOND>(
                        bytes,
                        lines,
                        bounds,
                        first_cluster,
                        row_bounds,
                        candidates,
                    ),
                }
            }
        }
    }

    #[inline]
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,avx512vnni")]
    fn tile<const W: usize, const SECOND: bool>(
        &self,
        bytes: &[u8],
        lines: &[CacheLine],
        bounds: &[ClusterBounds],
        first_cluster: i32,
        row_bounds: &mut [RowBounds],
        candidates: &mut [Vec<(i32, f32)>],
    ) {
        let (fours, _) = bytes.as_chunks::<4>();
        assert!(fours.len() == ROWS * self.groups && lines.len() == W * self.groups);
        assert!(bounds.len() == W && row_bounds.len() == ROWS);
        let mut products = [[_mm512_setzero_si512(); W]; ROWS];
        for (v, bounds) in bounds.iter().enumerate() {
            let offset = integers(&bounds.offset);
            for products in &mut products {
                products[v] = offset;
            }
        }
        for (g, lines) in lines.chunks_exact(W).enumerate() {
            for (r, products) in products.iter_mut().enumerate() {
                // SAFETY: g < groups, and there are ROWS × groups fours.
                #[allow(unsafe_code)]
                let four = unsafe { *fours.get_unchecked(r * self.groups + g) };
                let four = _mm512_set1_epi32(i32::from_ne_bytes(four));
                for v in 0..W {
                    products[v] = _mm512_dpbusd_epi32(products[v], four, bytes_of(&lines[v]));
                }
            }
        }
        for (r, candidates) in candidates.iter_mut().enumerate() {
            let row = &mut row_bounds[r];
            let scale = _mm512_set1_ps(row.scale);
            // |x·w − x̂·ŵ| ≤ ‖x − x̂‖ ‖w‖ + ‖x̂‖ ‖w − ŵ‖, and rounding errors.
            let per_length = _mm512_set1_ps(row.error + self.rounding * row.length);
            let per_error = _mm512_set1_ps(row.length + row.error);
            let slack = _mm512_set1_ps(SLACK);
            for (v, bounds) in bounds.iter().enumerate() {
                let unit = _mm512_mul_ps(scale, floats(&bounds.scale));
                let bias = floats(&bounds.bias);
                let score = _mm512_fmadd_ps(_mm512_cvtepi32_ps(products[r][v]), unit, bias);
                let error = _mm512_fmadd_ps(per_error, floats(&bounds.error), slack);
                let error = _mm512_fmadd_ps(per_length, floats(&bounds.length), error);
                let error =
                    _mm512_fmadd_ps(_mm512_abs_ps(bias), _mm512_set1_ps(self.rounding), error);
                let upper = _mm512_add_ps(score, error);
                // "Not less than", so that NaN stays possible.
                let threshold = _mm512_set1_ps(row.threshold::<SECOND>());
                let possible = _mm512_cmp_ps_mask::<_CMP_NLT_UQ>(upper, threshold) & bounds.real;
                if possible != 0 {
                    let lower = _mm512_sub_ps(score, error);
                    let first = first_cluster + (v * LANES) as i32;
                    keep::<SECOND>(possible, [lower, upper], first, row, candidates);
                }
            }
        }
    }

    /// The first candidate with the largest score, and its lead over the second.
    /// Scores are computed as in the plain product: from the bias on, feature by
    /// feature, in one chain.
    #[target_feature(enable = "avx512f,avx512bw,avx512vl,avx512dq,fma")]
    fn best_of(&self, candidates: &[(i32, f32)], row: &[T], bias: &[T]) -> (i32, T) {
        const CHAINS: usize = 8;
        let features = row.len();
        let (mut best, mut second, mut label) = (T::LOWEST, T::LOWEST, 0);
        for group in candidates.chunks(CHAINS) {
            // If there are fewer, the last one is repeated.
            let cluster = |c: usize| group[c.min(group.len() - 1)].0 as usize;
            let mut weights = [&self.weights[..0]; CHAINS];
            let mut scores = [T::default(); CHAINS];
            for c in 0..CHAINS {
                let k = cluster(c);
                weights[c] = &self.weights[k * features..(k + 1) * features];
                scores[c] = bias[k];
            }
            for (d, &x) in row.iter().enumerate() {
                for c in 0..CHAINS {
                    scores[c] = x.times_plus(weights[c][d], scores[c]);
                }
            }
            for (c, &score) in scores[..group.len()].iter().enumerate() {
                if score > best {
                    (best, second, label) = (score, best, cluster(c) as i32);
                } else if score > second {
                    second = score;
                }
            }
        }
        (label, best - second)
    }
}

/// Keeps the clusters of a register that stay possible, and raises the row's
/// lower bounds.
#[cold]
#[target_feature(enable = "avx512f")]
fn keep<const SECOND: bool>(
    possible: u16,
    [lower, upper]: [__m512; 2],
    first: i32,
    row: &mut RowBounds,
    candidates: &mut Vec<(i32, f32)>,
) {
    let (mut lowers, mut uppers) = ([0.0; LANES], [0.0; LANES]);
    // SAFETY: the arrays are as long as the register.
    #[allow(unsafe_code)]
    unsafe {
        _mm512_storeu_ps(lowers.as_mut_ptr(), lower);
        _mm512_storeu_ps(uppers.as_mut_ptr(), upper);
    }
    for (lane, &lower) in lowers.iter().enumerate() {
        if possible & (1 << lane) != 0 {
            if lower > row.first {
                (row.first, row.second) = (lower, row.first);
            } else if lower > row.second {
                row.second = lower;
            }
        }
    }
    for (lane, &upper) in uppers.iter().enumerate() {
        if possible & (1 << lane) != 0 && row.may_matter::<SECOND>(upper) {
            candidates.push((first + lane as i32, upper));
        }
    }
}

/// Never less than the exact value: a sum of 2¹⁶ squares in 16 lanes of f32 is
/// off by less than 3e-4 of itself.
fn up(value: f64) -> f32 {
    (value * (1.0 + 1e-3)) as f32
}

#[inline]
#[target_feature(enable = "avx512f")]
fn floats(values: &[f32; LANES]) -> __m512 {
    // SAFETY: the array is as long as the register.
    #[allow(unsafe_code)]
    unsafe {
        _mm512_loadu_ps(values.as_ptr())
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn integers(values: &[i32; LANES]) -> __m512i {
    // SAFETY: the array is as long as the register.
    #[allow(unsafe_code)]
    unsafe {
        _mm512_loadu_si512(values.as_ptr().cast())
    }
}

#[inline]
#[target_feature(enable = "avx512f")]
fn bytes_of(line: &CacheLine) -> __m512i {
    // SAFETY: a line is as long as the register.
    #[allow(unsafe_code)]
    unsafe {
        _mm512_load_si512(line.0.as_ptr().cast())
    }
}

#[inline(always)]
fn largest_magnitude<T: Real>(row: &[T]) -> f32 {
    let (whole, rest) = row.as_chunks::<LANES>();
    let mut most = [0.0f32; LANES];
    for values in whole {
        for l in 0..LANES {
            let value = values[l].single().abs();
            most[l] = if value > most[l] { value } else { most[l] };
        }
    }
    let rest = rest.iter().map(|v| v.single().abs());
    most.into_iter().chain(rest).fold(0.0, f32::max)
}

/// Rounds a row; returns the squared lengths of the row and of its rounding error.
#[inline(always)]
fn round_row<T: Real>(row: &[T], bytes: &mut [u8], scale: f32, inverse: f32) -> (f32, f32) {
    let (mut length, mut error) = ([0.0f32; LANES], [0.0f32; LANES]);
    let mut one = |value: T, byte: &mut u8, l: usize| {
        let value = value.single();
        // Positive, so cutting off the fraction rounds.
        let rounded = (value * inverse + (f32::from(ZERO) + 0.5)) as i32;
        *byte = rounded as u8;
        let lost = value - scale * (rounded - i32::from(ZERO)) as f32;
        length[l] += value * value;
        error[l] += lost * lost;
    };
    let (whole, rest) = row.as_chunks::<LANES>();
    let (of_whole, of_rest) = bytes.as_chunks_mut::<LANES>();
    for (values, bytes) in whole.iter().zip(of_whole) {
        for l in 0..LANES {
            one(values[l], &mut bytes[l], l);
        }
    }
    for (l, (&value, byte)) in rest.iter().zip(of_rest).enumerate() {
        one(value, byte, l);
    }
    (length.iter().sum(), error.iter().sum())
}
