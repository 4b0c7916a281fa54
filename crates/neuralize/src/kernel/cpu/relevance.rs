use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::panel::{Panels, rows_from, two_tiles};
use super::real::{Real, lanes};
use super::table::scores_of_block;
use super::{Rows, Scorer, task_rows};

/// Bytes of what a block of rows needs in the second-level cache.
const BLOCK: usize = 1 << 18;

/// What is asked of every row.
#[derive(Clone, Copy)]
pub(crate) struct Question {
    /// The explained cluster; the one with the largest score where it is none.
    pub(crate) cluster: Option<usize>,
    /// The only competitor that counts, or all of them.
    pub(crate) versus: Option<usize>,
    /// Stiffness of the softmin over competitors; may be infinite.
    pub(crate) beta: f64,
}

/// NEON for a network whose scores are `s_k = x·w_k + b_k`, w = 2 μ.
pub(crate) struct Explainer<T> {
    scorer: Scorer<T>,
    /// M, `[K, D]`
    centroids: Panels<T>,
    /// M∘M, `[K, D]`
    squares: Panels<T>,
}

/// Where the answers go.
pub(crate) struct Relevance<'a, T> {
    /// `[N, D]`
    pub(crate) relevance: &'a mut [T],
    /// `[N]`
    pub(crate) logit: &'a mut [T],
    /// `[N]`
    pub(crate) cluster: &'a mut [i32],
    /// `[N, K]`
    pub(crate) shares: &'a mut [T],
}

impl<T: Real> Explainer<T> {
    /// # Shapes
    ///
    /// - weight: `[D, K]`, bias: `[K]`
    pub(crate) fn new(weight: &[T], bias: &[T]) -> Self {
        let clusters = bias.len();
        let half = T::of(0.5);
        let centroid = |k: usize, d: usize| half * weight[d * clusters + k];
        let features = weight.len() / clusters;
        Self {
            scorer: Scorer::new(weight, bias),
            centroids: Panels::new(clusters, features, centroid),
            squares: Panels::new(clusters, features, |k, d| centroid(k, d) * centroid(k, d)),
        }
    }

    /// Answers for all rows. A block of rows passes through all layers before
    /// the next one is looked at; nothing but the answers leaves the cache.
    pub(crate) fn explain(&self, rows: Rows<'_, T>, question: Question, out: Relevance<'_, T>) {
        let (clusters, features) = (self.scorer.clusters(), self.scorer.features());
        let per_row = (self.scorer.weight.padded() + features) * size_of::<T>();
        let block = (BLOCK / per_row).clamp(8, 256).next_multiple_of(8);
        let task = task_rows(rows.len(), block);
        out.relevance
            .par_chunks_mut(task * features)
            .zip(out.logit.par_chunks_mut(task))
            .zip(out.cluster.par_chunks_mut(task))
            .zip(out.shares.par_chunks_mut(task * clusters))
            .enumerate()
            .for_each(|(t, (((relevance, logit), cluster), shares))| {
                let (mut buffer, mut scores, mut a) = (Vec::new(), Vec::new(), Vec::new());
                let blocks = relevance
                    .chunks_mut(block * features)
                    .zip(logit.chunks_mut(block))
                    .zip(cluster.chunks_mut(block))
                    .zip(shares.chunks_mut(block * clusters));
                for (b, (((relevance, logit), cluster), shares)) in blocks.enumerate() {
                    let x = rows.block(t * task + b * block, logit.len(), &mut buffer);
                    pulp::Arch::new().dispatch(Block {
                        explainer: self,
                        question,
                        x,
                        scores: &mut scores,
                        a: &mut a,
                        out: Relevance { relevance, logit, cluster, shares },
                    });
                }
            });
    }
}

/// The pass through one block of rows.
struct Block<'a, T> {
    explainer: &'a Explainer<T>,
    question: Question,
    /// `[n, D]`
    x: &'a [T],
    /// Scores, `[n, K]` with every row filled up to a register's end.
    scores: &'a mut Vec<T>,
    /// The coefficients a, `[n, K]`.
    a: &'a mut Vec<T>,
    out: Relevance<'a, T>,
}

impl<T: Real> WithSimd for Block<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        if S::REGISTER_COUNT >= 32 {
            self.pass::<S, 4>(simd);
        } else {
            self.pass::<S, 2>(simd);
        }
    }
}

impl<T: Real> Block<'_, T> {
    #[inline(always)]
    fn pass<S: Simd, const ROWS: usize>(self, simd: S) {
        let Self { explainer, question, x, scores, a, out } = self;
        let scorer = &explainer.scorer;
        let clusters = scorer.clusters();
        let rows = out.logit.len();
        let padded = scorer.weight.padded();
        a.resize(rows * clusters, T::default());

        scores_of_block::<T, S>(simd, scorer, x, scores);
        let answers = out
            .shares
            .chunks_exact_mut(clusters)
            .zip(a.chunks_exact_mut(clusters))
            .zip(out.logit.iter_mut().zip(&mut *out.cluster));
        for (scores, ((shares, a), (logit, cluster))) in scores.chunks_exact(padded).zip(answers) {
            let (own, margin) = pool(&scores[..clusters], question, shares, a);
            *cluster = own as i32;
            *logit = margin;
        }
        for p in 0..explainer.centroids.count() {
            match explainer.centroids.width(p) {
                1 => relevance_of_panel::<T, S, ROWS, 1>(simd, explainer, p, x, a, out.relevance),
                2 => relevance_of_panel::<T, S, ROWS, 2>(simd, explainer, p, x, a, out.relevance),
                _ => relevance_of_panel::<T, S, ROWS, 3>(simd, explainer, p, x, a, out.relevance),
            }
        }
    }
}

/// `R = a (M∘M) − 2 x∘(a M)` for one panel of features.
#[inline(always)]
fn relevance_of_panel<T: Real, S: Simd, const ROWS: usize, const W: usize>(
    simd: S,
    explainer: &Explainer<T>,
    p: usize,
    x: &[T],
    a: &[T],
    relevance: &mut [T],
) {
    let (clusters, features) = (explainer.scorer.clusters(), explainer.scorer.features());
    let first = explainer.centroids.first_column(p);
    let width = (W * lanes::<T, S>()).min(features - first);
    let centroids = T::vectors::<S>(explainer.centroids.panel(p));
    let squares = T::vectors::<S>(explainer.squares.panel(p));
    let minus_two = T::splat(simd, T::of(-2.0));
    for (g, group) in relevance.chunks_mut(ROWS * features).enumerate() {
        let rows = rows_from::<T, ROWS>(a, clusters, g * ROWS);
        let [linear, square] = two_tiles::<T, S, ROWS, W>(simd, rows, [centroids, squares]);
        let of_x = x[g * ROWS * features..].chunks_exact(features);
        for (r, (to, x)) in group.chunks_exact_mut(features).zip(of_x).enumerate() {
            let (to, x) = (&mut to[first..first + width], &x[first..first + width]);
            let (whole, rest) = (T::vectors_mut::<S>(to), T::vectors::<S>(x));
            let done = whole.len();
            for v in 0..done {
                let twice = T::times(simd, minus_two, rest[v]);
                whole[v] = T::mul_add(simd, twice, linear[r][v], square[r][v]);
            }
            let start = done * lanes::<T, S>();
            if start < width {
                let m = T::elements::<S>(&linear[r][done..]);
                let q = T::elements::<S>(&square[r][done..]);
                for (l, (to, &x)) in to[start..].iter_mut().zip(&x[start..]).enumerate() {
                    *to = q[l] - (x + x) * m[l];
                }
            }
        }
    }
}

/// The pooling layer's rule for one row: min-take-most over the competitors,
/// or everything to one of them. Returns the explained cluster and its logit.
///
/// `a` becomes what the linear layer needs: `ρ_k = R_k / h_ck` for competitors,
/// `−Σ ρ_k` for the cluster itself.
#[inline(always)]
fn pool<T: Real>(scores: &[T], question: Question, shares: &mut [T], a: &mut [T]) -> (usize, T) {
    let own = question.cluster.unwrap_or_else(|| first_of_largest(scores));
    let score = scores[own];
    if let Some(versus) = question.versus {
        shares.fill(T::default());
        a.fill(T::default());
        if versus != own {
            (shares[versus], a[versus], a[own]) = (T::ONE, T::ONE, T::of(-1.0));
        }
        return (own, score - scores[versus]);
    }
    let before = largest(&scores[..own]);
    let after = largest(&scores[own + 1..]);
    let logit = score - if before > after { before } else { after };

    if logit < T::default() || question.beta > T::LARGEST.into() {
        // The nearest competitor alone; equally near ones share.
        let mut count = 0.0;
        for (k, (&other, share)) in scores.iter().zip(shares.iter_mut()).enumerate() {
            let nearest = k != own && score - other <= logit;
            *share = if nearest { T::ONE } else { T::default() };
            count += if nearest { 1.0 } else { 0.0 };
        }
        let each = T::of(1.0 / count);
        for share in shares.iter_mut() {
            *share = *share * each;
        }
    } else {
        let beta = T::of(question.beta);
        for (share, &other) in shares.iter_mut().zip(scores) {
            *share = (beta * (logit - (score - other))).exp_of_negative();
        }
        shares[own] = T::default();
        let scale = T::ONE / sum(shares);
        for share in shares.iter_mut() {
            *share = *share * scale;
        }
    }
    for ((a, &share), &other) in a.iter_mut().zip(&*shares).zip(scores) {
        let h = score - other;
        // In (0, 1] where f_c > 0, and 1 for the nearest where f_c < 0. On a
        // boundary f_c = 0, and so is the relevance.
        let quotient = if logit < T::default() { T::ONE } else { logit / h };
        let counts = h > T::default() || logit < T::default();
        *a = if counts { share * quotient } else { T::default() };
    }
    a[own] = T::default();
    a[own] = T::of(-1.0) * sum(a);
    (own, logit)
}

#[inline(always)]
pub(super) fn first_of_largest<T: Real>(scores: &[T]) -> usize {
    let most = largest(scores);
    scores.iter().position(|&score| score == most).unwrap_or(0)
}

const LANES: usize = 16;

#[inline(always)]
fn largest<T: Real>(values: &[T]) -> T {
    let larger = |a: T, b: T| if b > a { b } else { a };
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut most = [T::LOWEST; LANES];
    for values in whole {
        for l in 0..LANES {
            most[l] = larger(most[l], values[l]);
        }
    }
    most.iter().chain(rest).fold(T::LOWEST, |a, &b| larger(a, b))
}

#[inline(always)]
fn sum<T: Real>(values: &[T]) -> T {
    let (whole, rest) = values.as_chunks::<LANES>();
    let mut sums = [T::default(); LANES];
    for values in whole {
        for l in 0..LANES {
            sums[l] = sums[l] + values[l];
        }
    }
    sums.iter().chain(rest).fold(T::default(), |a, &b| a + b)
}
