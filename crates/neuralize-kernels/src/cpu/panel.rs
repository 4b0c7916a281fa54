//! Matrices packed for tiled products, and the tiles.

use pulp::{Simd, WithSimd};

use super::real::{Real, lanes};

/// Registers of a panel: with `ROWS` rows of the left factor they fill the 32
/// registers of AVX-512 and NEON (24 sums, 3 columns of the panel, a value).
pub(super) const WIDTH: usize = 3;

/// Bytes of a cache line, which no register should straddle.
const CACHE_LINE: usize = 64;

/// The right factor `[inner, columns]` of a product, cut into panels of
/// [`WIDTH`] registers so that a tile of the product reads it front to back.
/// The last panel may be narrower; columns beyond the last hold zeros.
pub(super) struct Panels<T> {
    values: Vec<T>,
    /// Where the first panel starts: at a cache line.
    start: usize,
    inner: usize,
    columns: usize,
    lanes: usize,
}

impl<T: Real> Panels<T> {
    /// From `value(i, j)`.
    pub(super) fn new(inner: usize, columns: usize, value: impl Fn(usize, usize) -> T) -> Self {
        let mut panels = Self::zeros(inner, columns);
        for p in 0..panels.count() {
            let (first, width) = (panels.first_column(p), panels.width(p) * panels.lanes);
            let real = width.min(columns - first);
            for (i, row) in panels.panel_mut(p).chunks_exact_mut(width).enumerate() {
                for (j, slot) in row[..real].iter_mut().enumerate() {
                    *slot = value(i, first + j);
                }
            }
        }
        panels
    }

    /// From a row-major `[inner, columns]`.
    pub(super) fn pack(inner: usize, columns: usize, matrix: &[T]) -> Self {
        assert_eq!(matrix.len(), inner * columns);
        let mut panels = Self::zeros(inner, columns);
        for p in 0..panels.count() {
            let (first, width) = (panels.first_column(p), panels.width(p) * panels.lanes);
            let real = width.min(columns - first);
            let rows = matrix.chunks_exact(columns);
            for (slots, row) in panels.panel_mut(p).chunks_exact_mut(width).zip(rows) {
                slots[..real].copy_from_slice(&row[first..first + real]);
            }
        }
        panels
    }

    fn zeros(inner: usize, columns: usize) -> Self {
        let lanes = lanes_here::<T>();
        let padded = columns.div_ceil(lanes) * lanes;
        let values = vec![T::default(); inner * padded + CACHE_LINE / size_of::<T>()];
        let start = values.as_ptr().align_offset(CACHE_LINE).min(CACHE_LINE / size_of::<T>());
        Self { values, start, inner, columns, lanes }
    }

    pub(super) fn inner(&self) -> usize {
        self.inner
    }

    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Columns with those that fill the last register.
    pub(super) fn padded(&self) -> usize {
        self.columns.div_ceil(self.lanes) * self.lanes
    }

    pub(super) fn count(&self) -> usize {
        self.columns.div_ceil(WIDTH * self.lanes)
    }

    /// Lanes of a register.
    pub(super) fn lanes(&self) -> usize {
        self.lanes
    }

    /// The panel that has a column.
    pub(super) fn panel_of(&self, column: usize) -> usize {
        column / (WIDTH * self.lanes)
    }

    pub(super) fn first_column(&self, panel: usize) -> usize {
        panel * WIDTH * self.lanes
    }

    /// Registers of a panel.
    pub(super) fn width(&self, panel: usize) -> usize {
        ((self.padded() - self.first_column(panel)) / self.lanes).min(WIDTH)
    }

    /// One panel, `[inner, width × lanes]`.
    pub(super) fn panel(&self, panel: usize) -> &[T] {
        let start = self.start + self.first_column(panel) * self.inner;
        &self.values[start..start + self.width(panel) * self.lanes * self.inner]
    }

    fn panel_mut(&mut self, panel: usize) -> &mut [T] {
        let start = self.start + self.first_column(panel) * self.inner;
        let end = start + self.width(panel) * self.lanes * self.inner;
        &mut self.values[start..end]
    }
}

/// Lanes of the widest register of this machine.
pub(super) fn lanes_here<T: Real>() -> usize {
    struct Lanes<T>(core::marker::PhantomData<T>);
    impl<T: Real> WithSimd for Lanes<T> {
        type Output = usize;
        #[inline(always)]
        fn with_simd<S: Simd>(self, _: S) -> usize {
            lanes::<T, S>()
        }
    }
    pulp::Arch::new().dispatch(Lanes(core::marker::PhantomData::<T>))
}

/// A tile of a product: `start + rows · panel`, all of it in registers.
///
/// # Shapes
///
/// - rows: `ROWS` of the length of the inner dimension, panel: `[inner, W]` registers
#[inline(always)]
pub(super) fn tile<T: Real, S: Simd, const ROWS: usize, const W: usize>(
    simd: S,
    rows: [&[T]; ROWS],
    panel: &[T::Vector<S>],
    start: [T::Vector<S>; W],
) -> [[T::Vector<S>; W]; ROWS] {
    let inner = panel.len() / W;
    for row in rows {
        assert!(row.len() == inner);
    }
    let mut sums = [start; ROWS];
    for (i, columns) in panel.chunks_exact(W).enumerate() {
        for r in 0..ROWS {
            // SAFETY: i < panel.len() / W, which is the length of every row.
            #[allow(unsafe_code)]
            let value = T::splat(simd, unsafe { *rows[r].get_unchecked(i) });
            for v in 0..W {
                sums[r][v] = T::mul_add(simd, value, columns[v], sums[r][v]);
            }
        }
    }
    sums
}

/// Two tiles of two products with the same left factor, added to `start`.
#[inline(always)]
pub(super) fn two_tiles<T: Real, S: Simd, const ROWS: usize, const W: usize>(
    simd: S,
    rows: [&[T]; ROWS],
    panels: [&[T::Vector<S>]; 2],
    start: [[[T::Vector<S>; W]; ROWS]; 2],
) -> [[[T::Vector<S>; W]; ROWS]; 2] {
    let inner = panels[0].len() / W;
    for row in rows {
        assert!(row.len() == inner);
    }
    let [mut first, mut second] = start;
    let columns = panels[0].chunks_exact(W).zip(panels[1].chunks_exact(W));
    for (i, (left, right)) in columns.enumerate() {
        for ((first, second), row) in first.iter_mut().zip(&mut second).zip(rows) {
            // SAFETY: i < panels[0].len() / W, which is the length of every row.
            #[allow(unsafe_code)]
            let value = T::splat(simd, unsafe { *row.get_unchecked(i) });
            for v in 0..W {
                first[v] = T::mul_add(simd, value, left[v], first[v]);
                second[v] = T::mul_add(simd, value, right[v], second[v]);
            }
        }
    }
    [first, second]
}

/// `ROWS` rows from `first` on of a row-major matrix; the last row is repeated
/// if there are fewer.
#[inline(always)]
pub(super) fn rows_from<T, const ROWS: usize>(
    matrix: &[T],
    columns: usize,
    first: usize,
) -> [&[T]; ROWS] {
    let last = matrix.len() / columns - 1;
    let mut rows = [&matrix[..0]; ROWS];
    for (r, slot) in rows.iter_mut().enumerate() {
        let row = (first + r).min(last);
        *slot = &matrix[row * columns..(row + 1) * columns];
    }
    rows
}
