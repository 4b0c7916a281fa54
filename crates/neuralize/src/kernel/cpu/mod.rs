//! Fused kernels for data in host memory, in f32 and f64.
//!
//! Blocks of rows are small enough to stay in cache while they are worked on,
//! and scores live in registers or in cache only. The vector width is chosen
//! at run time. Every sum is added up in an order that depends on the shape of
//! the data alone, so results do not depend on the number of threads.

#[cfg(target_arch = "x86_64")]
mod filter;
mod nearest;
mod panel;
mod real;
mod reduce;
mod relevance;
mod seed;
mod segments;
mod sums;
mod supports;
mod table;
#[cfg(test)]
mod twins;

use pulp::{Simd, WithSimd};

pub(crate) use nearest::{Scorer, nearest};
pub(crate) use real::Real;
pub(crate) use reduce::{all_within, feature_sums, own_distances};
pub(crate) use relevance::{Explainer, Question, Relevance};
pub(crate) use seed::greedy_seeds;
pub(crate) use sums::{Sums, assign_and_sum};
pub(crate) use supports::{Clusters, SupportExplainer, SupportRelevance};
pub(crate) use table::{Table, table};

/// Rows of data and what is subtracted from them.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a, T> {
    /// `[N, D]`
    pub(crate) x: &'a [T],
    /// `[D]`
    pub(crate) center: Option<&'a [T]>,
    /// D
    pub(crate) features: usize,
}

impl<'a, T: Real> Rows<'a, T> {
    fn len(&self) -> usize {
        self.x.len() / self.features
    }

    /// Rows `first..first + count`, around the centre.
    #[inline(always)]
    fn block<'b>(&self, first: usize, count: usize, buffer: &'b mut Vec<T>) -> &'b [T]
    where
        'a: 'b,
    {
        let x = &self.x[first * self.features..(first + count) * self.features];
        let Some(center) = self.center else { return x };
        buffer.resize(x.len(), T::default());
        pulp::Arch::new().dispatch(Centre { x, center, out: buffer });
        buffer
    }
}

struct Centre<'a, T> {
    x: &'a [T],
    center: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Centre<'_, T> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let features = self.center.len();
        let rows = self.out.chunks_exact_mut(features).zip(self.x.chunks_exact(features));
        for (to, from) in rows {
            for ((to, &from), &center) in to.iter_mut().zip(from).zip(self.center) {
                *to = from - center;
            }
        }
    }
}

/// Rows of a task: whole blocks, and enough tasks to keep many threads busy.
fn task_rows(rows: usize, block: usize) -> usize {
    rows.div_ceil(64).max(1).next_multiple_of(block)
}
