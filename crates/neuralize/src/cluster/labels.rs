//! The clusters of rows that were found elsewhere, as they come.

use burn::tensor::{Int, Tensor, backend::Backend};

use crate::transfer;

/// The cluster of every row, numbered from 0, as it comes: a list of numbers, a list where noise
/// is `None`, or a tensor of integers as `predict` returns it. Negative numbers are noise, as in
/// scikit-learn.
///
/// The trait is sealed. It is implemented for `[usize]`, `[i32]`, `[i64]`, `[Option<usize>]`,
/// arrays and `Vec`s of them, and `Tensor<B, 1, Int>`.
pub trait Labels: sealed::Read {}

impl<L: sealed::Read + ?Sized> Labels for L {}

mod sealed {
    /// Numbers on the host.
    pub trait Read {
        /// The cluster of every row; `None` for noise.
        fn read(&self) -> Vec<Option<usize>>;
    }
}

use sealed::Read;

impl Read for [Option<usize>] {
    fn read(&self) -> Vec<Option<usize>> {
        self.to_vec()
    }
}

impl Read for [usize] {
    fn read(&self) -> Vec<Option<usize>> {
        self.iter().copied().map(Some).collect()
    }
}

macro_rules! signed {
    ($($integer:ty),+) => {$(
        impl Read for [$integer] {
            fn read(&self) -> Vec<Option<usize>> {
                self.iter().map(|label| usize::try_from(*label).ok()).collect()
            }
        }
    )+};
}

signed!(i32, i64);

impl<T> Read for Vec<T>
where
    [T]: Read,
{
    fn read(&self) -> Vec<Option<usize>> {
        self.as_slice().read()
    }
}

impl<T, const N: usize> Read for [T; N]
where
    [T]: Read,
{
    fn read(&self) -> Vec<Option<usize>> {
        self.as_slice().read()
    }
}

impl<B: Backend> Read for Tensor<B, 1, Int> {
    fn read(&self) -> Vec<Option<usize>> {
        transfer::download_signed(self.clone()).read()
    }
}
