//! Rows of data around a centre, block by block.

use pulp::{Simd, WithSimd};
use rayon::prelude::*;

use super::real::Real;

/// Rows of data, and the centre that is subtracted from them.
#[derive(Clone, Copy)]
pub(crate) struct CenteredRows<'a, T> {
    /// `[N, D]`
    pub x: &'a [T],
    /// `[D]`
    pub center: Option<&'a [T]>,
    /// D
    pub features: usize,
}

impl<'a, T: Real> CenteredRows<'a, T> {
    pub(super) fn len(&self) -> usize {
        self.x.len() / self.features
    }

    /// Rows `first..first + count`, around the centre.
    #[inline(always)]
    pub(super) fn block<'b>(&self, first: usize, count: usize, buffer: &'b mut Vec<T>) -> &'b [T]
    where
        'a: 'b,
    {
        let x = &self.x[first * self.features..(first + count) * self.features];
        let Some(center) = self.center else { return x };
        buffer.resize(x.len(), T::default());
        pulp::Arch::new().dispatch(Subtraction { x, center, out: buffer });
        buffer
    }
}

struct Subtraction<'a, T> {
    x: &'a [T],
    center: &'a [T],
    out: &'a mut [T],
}

impl<T: Real> WithSimd for Subtraction<'_, T> {
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

/// Runs tasks on all threads; a single one at once, without waking another thread.
pub(super) fn run_tasks<I: Send>(tasks: Vec<I>, run: impl Fn(I) + Sync + Send) {
    if tasks.len() > 1 {
        tasks.into_par_iter().for_each(run);
    } else {
        tasks.into_iter().for_each(run);
    }
}

/// Rows of a task: whole blocks, and enough tasks to keep many threads busy.
pub(super) fn task_rows(rows: usize, block: usize) -> usize {
    rows.div_ceil(64).max(1).next_multiple_of(block)
}
